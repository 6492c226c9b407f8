-- Content is kept compressed where that makes it smaller: `unpacked` is then its own size in bytes, and NULL where the
-- bytes stand as they are. The hash is always of the bytes themselves, unpacked.
ALTER TABLE content ADD COLUMN unpacked BIGINT;
