-- Whether an edge has ever reported the status of the transport: only such transports expire.
ALTER TABLE transports ADD COLUMN is_reported INTEGER NOT NULL DEFAULT 0;
