CREATE TABLE account (
  id TEXT NOT NULL PRIMARY KEY,
  login_sealed TEXT NOT NULL UNIQUE,
  name_sealed TEXT NOT NULL UNIQUE,
  password_hash TEXT NOT NULL,
  must_change BOOLEAN NOT NULL,
  disabled BOOLEAN NOT NULL,
  ends_at BIGINT,
  created_at BIGINT NOT NULL,
  created_by TEXT NOT NULL
);
CREATE TABLE account_grant (
  id TEXT NOT NULL PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES account (id),
  role TEXT NOT NULL,
  requested_by TEXT NOT NULL,
  requested_at BIGINT NOT NULL,
  reason TEXT NOT NULL,
  signed_by TEXT,
  signed_at BIGINT,
  ended_at BIGINT
);
CREATE INDEX account_grant_account ON account_grant (account_id);
CREATE TABLE api_token (
  id TEXT NOT NULL PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES account (id),
  label TEXT NOT NULL,
  token_hash TEXT NOT NULL UNIQUE,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  revoked_at BIGINT
);
CREATE INDEX api_token_account ON api_token (account_id);
CREATE TABLE setting (
  name TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
);
-- Not governed: what changes without an entry.
CREATE TABLE session (
  token_hash TEXT NOT NULL PRIMARY KEY,
  account_id TEXT NOT NULL,
  via BIGINT NOT NULL,
  csrf TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  seen_at BIGINT NOT NULL,
  ended_at BIGINT
);
CREATE INDEX session_account ON session (account_id);
CREATE TABLE sign_in_failure (
  login_hash TEXT NOT NULL PRIMARY KEY,
  failures BIGINT NOT NULL,
  locked_until BIGINT,
  updated_at BIGINT NOT NULL
);
