-- Controlled copies on paper: who holds which, and what became of it. The token is the address that its QR code leads
-- to; the holder's name is sealed.
CREATE TABLE document_copy (
  document TEXT NOT NULL,
  n BIGINT NOT NULL,
  version TEXT NOT NULL,
  lang TEXT NOT NULL,
  token TEXT NOT NULL UNIQUE,
  holder_sealed TEXT NOT NULL,
  place TEXT NOT NULL,
  issued_at BIGINT NOT NULL,
  issued_by TEXT NOT NULL,
  recalled_at BIGINT,
  outcome TEXT NOT NULL,
  note TEXT NOT NULL,
  settled_at BIGINT,
  settled_by TEXT,
  PRIMARY KEY (document, n),
  FOREIGN KEY (document, version) REFERENCES document_version (document, version)
);
-- Where the entry of an uncontrolled print is found by the mark on the paper; the entry itself names the mark.
CREATE TABLE print_mark (
  mark TEXT NOT NULL PRIMARY KEY,
  epoch BIGINT NOT NULL,
  seq BIGINT NOT NULL
);
