-- What is kept although its time has passed, and what of personal data was erased. An erasure names the values whose
-- rows may go from sealed_value; the guards let no other go.
CREATE TABLE legal_hold (
  id TEXT NOT NULL PRIMARY KEY,
  subject_kind TEXT NOT NULL,
  subject_id TEXT NOT NULL,
  reason TEXT NOT NULL,
  set_at BIGINT NOT NULL,
  set_by TEXT NOT NULL,
  lifted_at BIGINT,
  lifted_by TEXT,
  lift_reason TEXT
);
CREATE INDEX legal_hold_of_subject ON legal_hold (subject_kind, subject_id);
CREATE TABLE erasure (
  id TEXT NOT NULL PRIMARY KEY,
  basis TEXT NOT NULL,
  reason TEXT NOT NULL,
  erased_at BIGINT NOT NULL,
  erased_by TEXT NOT NULL
);
CREATE TABLE erased_value (
  commitment TEXT NOT NULL PRIMARY KEY,
  erasure TEXT NOT NULL REFERENCES erasure (id),
  seq BIGINT NOT NULL,
  name TEXT NOT NULL
);
CREATE INDEX erased_value_of_erasure ON erased_value (erasure);
