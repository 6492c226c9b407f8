-- Answers kept under an Idempotency-Key are sealed with what the client alone knows; those that were kept in clear go.
-- The demo's marks stood among them and get a table of their own.
CREATE TABLE kept_answer (
  name TEXT NOT NULL PRIMARY KEY,
  sealed BYTEA NOT NULL,
  kept_at BIGINT NOT NULL
);
CREATE INDEX kept_answer_by_age ON kept_answer (kept_at);
CREATE TABLE demo_step (
  mark TEXT NOT NULL PRIMARY KEY
);
INSERT INTO demo_step (mark) SELECT key FROM idempotency WHERE account_id = 'demo';
DROP TABLE idempotency;
