-- Transports, in the order in which they were registered first.
CREATE TABLE transports (
  position INTEGER PRIMARY KEY,
  transport_id TEXT NOT NULL UNIQUE,
  edge_a TEXT NOT NULL,
  edge_b TEXT NOT NULL,
  type TEXT NOT NULL,
  label TEXT NOT NULL
) STRICT;

CREATE INDEX transports_edge_a ON transports (edge_a);
CREATE INDEX transports_edge_b ON transports (edge_b);

-- The nonce that the next signed request of a key must carry.
CREATE TABLE nonces (
  public_key TEXT PRIMARY KEY,
  next_nonce INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
