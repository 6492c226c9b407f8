-- Disposal of records whose time is over. What is proposed is in disposal and disposal_item; what went, and what of it is
-- left, in disposed: a row for each record, by which alone the guards let the record's own rows go. disposed_value and
-- disposed_content name the personal values and the content that went with it.
CREATE TABLE disposal (
  number TEXT NOT NULL PRIMARY KEY,
  reason TEXT NOT NULL,
  state TEXT NOT NULL,
  proposed_at BIGINT NOT NULL,
  proposed_by TEXT NOT NULL,
  decided_at BIGINT,
  decided_by TEXT,
  decision_reason TEXT
);
CREATE TABLE disposal_item (
  disposal TEXT NOT NULL REFERENCES disposal (number),
  subject_kind TEXT NOT NULL,
  subject_id TEXT NOT NULL,
  digest TEXT NOT NULL,
  rule TEXT NOT NULL,
  clause TEXT NOT NULL,
  retain_until BIGINT NOT NULL,
  PRIMARY KEY (disposal, subject_kind, subject_id)
);
CREATE INDEX disposal_item_of_subject ON disposal_item (subject_kind, subject_id);
CREATE TABLE disposed (
  subject_kind TEXT NOT NULL,
  subject_id TEXT NOT NULL,
  disposal TEXT NOT NULL REFERENCES disposal (number),
  removed TEXT NOT NULL,
  rule TEXT NOT NULL,
  clause TEXT NOT NULL,
  retain_until BIGINT NOT NULL,
  along_with TEXT NOT NULL,
  disposed_at BIGINT NOT NULL,
  disposed_on TEXT NOT NULL,
  epoch BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  PRIMARY KEY (subject_kind, subject_id)
);
CREATE INDEX disposed_by ON disposed (disposal);
CREATE TABLE disposed_value (
  commitment TEXT NOT NULL PRIMARY KEY,
  subject_kind TEXT NOT NULL,
  subject_id TEXT NOT NULL,
  name TEXT NOT NULL,
  FOREIGN KEY (subject_kind, subject_id) REFERENCES disposed (subject_kind, subject_id)
);
CREATE INDEX disposed_value_of_subject ON disposed_value (subject_kind, subject_id);
CREATE TABLE disposed_content (
  sha256 TEXT NOT NULL PRIMARY KEY,
  subject_kind TEXT NOT NULL,
  subject_id TEXT NOT NULL,
  FOREIGN KEY (subject_kind, subject_id) REFERENCES disposed (subject_kind, subject_id)
);
CREATE INDEX disposed_content_of_subject ON disposed_content (subject_kind, subject_id);
