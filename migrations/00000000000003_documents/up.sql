CREATE TABLE document (
  number TEXT NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL,
  department TEXT NOT NULL,
  owner_id TEXT NOT NULL,
  authoritative_language TEXT NOT NULL,
  title TEXT NOT NULL,
  processes TEXT NOT NULL,
  audience TEXT NOT NULL,
  review_months BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  created_by TEXT NOT NULL,
  retired_from BIGINT,
  retire_reason TEXT
);
CREATE TABLE document_review (
  id TEXT NOT NULL PRIMARY KEY,
  document TEXT NOT NULL REFERENCES document (number),
  version TEXT NOT NULL,
  outcome TEXT NOT NULL,
  comment TEXT NOT NULL,
  reviewed_at BIGINT NOT NULL,
  reviewed_by TEXT NOT NULL
);
CREATE INDEX document_review_document ON document_review (document);
CREATE TABLE document_version (
  document TEXT NOT NULL REFERENCES document (number),
  version TEXT NOT NULL,
  major BIGINT NOT NULL,
  minor BIGINT NOT NULL,
  state TEXT NOT NULL,
  title TEXT NOT NULL,
  processes TEXT NOT NULL,
  audience TEXT NOT NULL,
  review_months BIGINT NOT NULL,
  change_summary TEXT NOT NULL,
  change_reason TEXT NOT NULL,
  round BIGINT NOT NULL,
  asked_from BIGINT,
  effective_from BIGINT,
  digest TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  created_by TEXT NOT NULL,
  submitted_at BIGINT,
  approved_at BIGINT,
  ended_at BIGINT,
  ended_by TEXT,
  ended_reason TEXT,
  PRIMARY KEY (document, version)
);
CREATE TABLE rendition (
  document TEXT NOT NULL,
  version TEXT NOT NULL,
  lang TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  size BIGINT NOT NULL,
  PRIMARY KEY (document, version, lang),
  FOREIGN KEY (document, version) REFERENCES document_version (document, version)
);
CREATE TABLE version_author (
  document TEXT NOT NULL,
  version TEXT NOT NULL,
  account_id TEXT NOT NULL,
  PRIMARY KEY (document, version, account_id),
  FOREIGN KEY (document, version) REFERENCES document_version (document, version)
);
CREATE TABLE version_task (
  document TEXT NOT NULL,
  version TEXT NOT NULL,
  round BIGINT NOT NULL,
  task TEXT NOT NULL,
  account_id TEXT NOT NULL,
  PRIMARY KEY (document, version, round, task, account_id),
  FOREIGN KEY (document, version) REFERENCES document_version (document, version)
);
-- Signatures of every kind of subject; each belongs to its subject's snapshot. Versions sign per round, other subjects in round 0.
CREATE TABLE signature (
  id TEXT NOT NULL PRIMARY KEY,
  subject_kind TEXT NOT NULL,
  subject_id TEXT NOT NULL,
  round BIGINT NOT NULL,
  account_id TEXT NOT NULL,
  role TEXT NOT NULL,
  meaning TEXT NOT NULL,
  digest TEXT NOT NULL,
  method TEXT NOT NULL,
  signed_at BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  name_sealed TEXT NOT NULL,
  comment TEXT
);
CREATE INDEX signature_subject ON signature (subject_kind, subject_id);
-- Not governed: a projection of the texts, which document a version refers to.
CREATE TABLE document_reference (
  document TEXT NOT NULL,
  version TEXT NOT NULL,
  target TEXT NOT NULL,
  PRIMARY KEY (document, version, target)
);
CREATE INDEX document_reference_target ON document_reference (target);
