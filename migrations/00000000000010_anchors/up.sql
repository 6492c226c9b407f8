-- Time stamps of an outside authority over signed checkpoints. Note, reply and certificates are content; here stands
-- what they are and what the authority said.
CREATE TABLE anchor (
  id TEXT NOT NULL PRIMARY KEY,
  epoch BIGINT NOT NULL,
  entries BIGINT NOT NULL,
  note TEXT NOT NULL,
  note_size BIGINT NOT NULL,
  reply TEXT NOT NULL,
  reply_size BIGINT NOT NULL,
  chain TEXT NOT NULL,
  chain_size BIGINT NOT NULL,
  stamped_at BIGINT NOT NULL,
  kept_at BIGINT NOT NULL,
  authority TEXT NOT NULL,
  policy TEXT NOT NULL,
  serial TEXT NOT NULL
);
CREATE INDEX anchor_of_checkpoint ON anchor (epoch, entries);
