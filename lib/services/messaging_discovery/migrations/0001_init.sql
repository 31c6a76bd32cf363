-- One row a key: its newest entry, or the mark that it was removed (text is empty then).
-- Integers of 64 bits without sign do not fit a column, so sequences are text; they are only compared for equality.
CREATE TABLE entries (
  public_key TEXT PRIMARY KEY,
  sequence TEXT NOT NULL,
  timestamp_ns INTEGER NOT NULL,
  text TEXT NOT NULL,
  is_server INTEGER NOT NULL,
  is_client INTEGER NOT NULL,
  is_visor INTEGER NOT NULL,
  available_sessions INTEGER NOT NULL,
  expires_ms INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX entries_expires ON entries (expires_ms) WHERE expires_ms IS NOT NULL;
CREATE INDEX entries_servers ON entries (available_sessions) WHERE is_server = 1;
