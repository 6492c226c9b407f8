-- The audit trail and what it seals. Instants are microseconds since the epoch, hashes hex text (32 raw bytes for leaves).
CREATE TABLE ledger_head (
  epoch BIGINT NOT NULL PRIMARY KEY,
  origin TEXT NOT NULL,
  size BIGINT NOT NULL,
  leaf BYTEA NOT NULL,
  ts BIGINT NOT NULL,
  frontier BYTEA NOT NULL
);
CREATE TABLE ledger_entry (
  epoch BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  entry BYTEA NOT NULL,
  leaf BYTEA NOT NULL,
  ts BIGINT NOT NULL,
  act TEXT NOT NULL,
  actor TEXT,
  obj_kind TEXT,
  obj_id TEXT,
  PRIMARY KEY (epoch, seq)
);
CREATE INDEX ledger_entry_subject ON ledger_entry (obj_kind, obj_id, epoch, seq);
CREATE INDEX ledger_entry_actor ON ledger_entry (actor, epoch, seq);
-- The hash of each full tile, that is, the elements of the tiles one level up: (1, 0) covers entries 0 to 255.
CREATE TABLE ledger_tile (
  epoch BIGINT NOT NULL,
  level BIGINT NOT NULL,
  idx BIGINT NOT NULL,
  hash BYTEA NOT NULL,
  PRIMARY KEY (epoch, level, idx)
);
CREATE TABLE ledger_checkpoint (
  epoch BIGINT NOT NULL,
  size BIGINT NOT NULL,
  note TEXT NOT NULL,
  PRIMARY KEY (epoch, size)
);
CREATE TABLE content (
  sha256 TEXT NOT NULL PRIMARY KEY,
  bytes BYTEA NOT NULL
);
CREATE TABLE sealed_value (
  commitment TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  salt BYTEA NOT NULL,
  value TEXT NOT NULL
);
CREATE INDEX sealed_value_by_value ON sealed_value (name, value);
CREATE TABLE job (
  id TEXT NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL,
  account_id TEXT NOT NULL,
  state TEXT NOT NULL,
  done BIGINT NOT NULL,
  total BIGINT NOT NULL,
  message TEXT NOT NULL,
  result TEXT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE TABLE idempotency (
  account_id TEXT NOT NULL,
  key TEXT NOT NULL,
  request TEXT NOT NULL,
  status BIGINT NOT NULL,
  location TEXT,
  body TEXT,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (account_id, key)
);
