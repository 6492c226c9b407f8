-- Evidence packs that were made: what was asked for, why, by whom, and the file that came of it. The files themselves
-- lie in the folder of the node that made them; a row never changes.
CREATE TABLE pack (
  id TEXT NOT NULL PRIMARY KEY,
  scope TEXT NOT NULL,
  subjects TEXT NOT NULL,
  from_at BIGINT,
  before_at BIGINT,
  reason TEXT NOT NULL,
  disclosed BOOLEAN NOT NULL,
  checkpoint BIGINT NOT NULL,
  entries BIGINT NOT NULL,
  sha256 TEXT NOT NULL,
  size BIGINT NOT NULL,
  made_at BIGINT NOT NULL,
  made_by TEXT NOT NULL
);
CREATE INDEX pack_made ON pack (made_at, id);
