-- Where each visor listens, as the answer that is given for it.
CREATE TABLE visors (
  public_key TEXT PRIMARY KEY,
  addresses TEXT NOT NULL,
  expires_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX visors_expires_ms ON visors (expires_ms);

-- The nonce that the next signed request of a key must carry.
CREATE TABLE nonces (
  public_key TEXT PRIMARY KEY,
  next_nonce INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
