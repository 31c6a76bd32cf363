-- Which host may remove the entry by showing it again; NULL: none, it takes a newer one.
ALTER TABLE entries ADD COLUMN removable_by TEXT;
