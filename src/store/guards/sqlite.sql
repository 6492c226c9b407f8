-- Speed bumps for a stranger's connection; the cryptography is the evidence. Re-applied after every migration.
-- REPLACE deletes without firing DELETE triggers, through any unique key, the hidden rowid included: so every guarded
-- table refuses an INSERT that would displace a row, and an UPDATE that would move one.

CREATE TRIGGER guard_ledger_entry_update BEFORE UPDATE ON ledger_entry BEGIN SELECT RAISE(ABORT, 'ledger_entry is append-only'); END;
CREATE TRIGGER guard_ledger_entry_delete BEFORE DELETE ON ledger_entry BEGIN SELECT RAISE(ABORT, 'ledger_entry is append-only'); END;
CREATE TRIGGER guard_ledger_entry_insert BEFORE INSERT ON ledger_entry WHEN EXISTS (SELECT 1 FROM ledger_entry WHERE epoch = NEW.epoch AND seq = NEW.seq) OR EXISTS (SELECT 1 FROM ledger_entry WHERE rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'ledger_entry is append-only'); END;
CREATE TRIGGER guard_ledger_tile_update BEFORE UPDATE ON ledger_tile BEGIN SELECT RAISE(ABORT, 'ledger_tile is append-only'); END;
CREATE TRIGGER guard_ledger_tile_delete BEFORE DELETE ON ledger_tile BEGIN SELECT RAISE(ABORT, 'ledger_tile is append-only'); END;
CREATE TRIGGER guard_ledger_tile_insert BEFORE INSERT ON ledger_tile WHEN EXISTS (SELECT 1 FROM ledger_tile WHERE epoch = NEW.epoch AND level = NEW.level AND idx = NEW.idx) OR EXISTS (SELECT 1 FROM ledger_tile WHERE rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'ledger_tile is append-only'); END;
CREATE TRIGGER guard_ledger_checkpoint_update BEFORE UPDATE ON ledger_checkpoint BEGIN SELECT RAISE(ABORT, 'ledger_checkpoint is append-only'); END;
CREATE TRIGGER guard_ledger_checkpoint_delete BEFORE DELETE ON ledger_checkpoint BEGIN SELECT RAISE(ABORT, 'ledger_checkpoint is append-only'); END;
CREATE TRIGGER guard_ledger_checkpoint_insert BEFORE INSERT ON ledger_checkpoint WHEN EXISTS (SELECT 1 FROM ledger_checkpoint WHERE epoch = NEW.epoch AND size = NEW.size) OR EXISTS (SELECT 1 FROM ledger_checkpoint WHERE rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'ledger_checkpoint is append-only'); END;
CREATE TRIGGER guard_content_update BEFORE UPDATE ON content BEGIN SELECT RAISE(ABORT, 'content is append-only'); END;
CREATE TRIGGER guard_content_delete BEFORE DELETE ON content BEGIN SELECT RAISE(ABORT, 'content is append-only'); END;
-- Content under its own hash is the same content: a second insert is no change.
CREATE TRIGGER guard_content_insert BEFORE INSERT ON content WHEN EXISTS (SELECT 1 FROM content WHERE sha256 = NEW.sha256 OR rowid = NEW.rowid) BEGIN SELECT RAISE(IGNORE); END;
CREATE TRIGGER guard_sealed_value_update BEFORE UPDATE ON sealed_value BEGIN SELECT RAISE(ABORT, 'sealed_value is append-only'); END;
-- A personal value goes only when an erasure names it.
CREATE TRIGGER guard_sealed_value_delete BEFORE DELETE ON sealed_value WHEN NOT EXISTS (SELECT 1 FROM erased_value WHERE commitment = OLD.commitment) BEGIN SELECT RAISE(ABORT, 'sealed_value is append-only'); END;
CREATE TRIGGER guard_sealed_value_insert BEFORE INSERT ON sealed_value WHEN EXISTS (SELECT 1 FROM sealed_value WHERE commitment = NEW.commitment) OR EXISTS (SELECT 1 FROM sealed_value WHERE rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'sealed_value is append-only'); END;
CREATE TRIGGER guard_signature_update BEFORE UPDATE ON signature BEGIN SELECT RAISE(ABORT, 'signature is append-only'); END;
CREATE TRIGGER guard_signature_delete BEFORE DELETE ON signature BEGIN SELECT RAISE(ABORT, 'signature is append-only'); END;
CREATE TRIGGER guard_signature_insert BEFORE INSERT ON signature WHEN EXISTS (SELECT 1 FROM signature WHERE id = NEW.id) OR EXISTS (SELECT 1 FROM signature WHERE rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'signature is append-only'); END;
CREATE TRIGGER guard_anchor_update BEFORE UPDATE ON anchor BEGIN SELECT RAISE(ABORT, 'anchor is append-only'); END;
CREATE TRIGGER guard_anchor_delete BEFORE DELETE ON anchor BEGIN SELECT RAISE(ABORT, 'anchor is append-only'); END;
CREATE TRIGGER guard_anchor_insert BEFORE INSERT ON anchor WHEN EXISTS (SELECT 1 FROM anchor WHERE id = NEW.id) OR EXISTS (SELECT 1 FROM anchor WHERE epoch = NEW.epoch AND entries = NEW.entries) OR EXISTS (SELECT 1 FROM anchor WHERE rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'anchor is append-only'); END;
CREATE TRIGGER guard_pack_update BEFORE UPDATE ON pack BEGIN SELECT RAISE(ABORT, 'pack is append-only'); END;
CREATE TRIGGER guard_pack_delete BEFORE DELETE ON pack BEGIN SELECT RAISE(ABORT, 'pack is append-only'); END;
CREATE TRIGGER guard_pack_insert BEFORE INSERT ON pack WHEN EXISTS (SELECT 1 FROM pack WHERE id = NEW.id) OR EXISTS (SELECT 1 FROM pack WHERE rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'pack is append-only'); END;
CREATE TRIGGER guard_erasure_update BEFORE UPDATE ON erasure BEGIN SELECT RAISE(ABORT, 'erasure is append-only'); END;
CREATE TRIGGER guard_erasure_delete BEFORE DELETE ON erasure BEGIN SELECT RAISE(ABORT, 'erasure is append-only'); END;
CREATE TRIGGER guard_erasure_insert BEFORE INSERT ON erasure WHEN EXISTS (SELECT 1 FROM erasure WHERE id = NEW.id) OR EXISTS (SELECT 1 FROM erasure WHERE rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'erasure is append-only'); END;
CREATE TRIGGER guard_erased_value_update BEFORE UPDATE ON erased_value BEGIN SELECT RAISE(ABORT, 'erased_value is append-only'); END;
CREATE TRIGGER guard_erased_value_delete BEFORE DELETE ON erased_value BEGIN SELECT RAISE(ABORT, 'erased_value is append-only'); END;
CREATE TRIGGER guard_erased_value_insert BEFORE INSERT ON erased_value WHEN EXISTS (SELECT 1 FROM erased_value WHERE commitment = NEW.commitment) OR EXISTS (SELECT 1 FROM erased_value WHERE rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'erased_value is append-only'); END;

-- A version's text and dates stand still once it is approved; only its calling-off may still be noted.
CREATE TRIGGER guard_document_version_update BEFORE UPDATE ON document_version WHEN NEW.rowid IS NOT OLD.rowid OR NEW.document IS NOT OLD.document OR NEW.version IS NOT OLD.version OR OLD.state IN ('cancelled', 'abandoned') OR (OLD.state = 'approved' AND (NEW.state NOT IN ('approved', 'cancelled') OR NEW.major IS NOT OLD.major OR NEW.minor IS NOT OLD.minor OR NEW.title IS NOT OLD.title OR NEW.processes IS NOT OLD.processes OR NEW.audience IS NOT OLD.audience OR NEW.review_months IS NOT OLD.review_months OR NEW.change_summary IS NOT OLD.change_summary OR NEW.change_reason IS NOT OLD.change_reason OR NEW.round IS NOT OLD.round OR NEW.asked_from IS NOT OLD.asked_from OR NEW.effective_from IS NOT OLD.effective_from OR NEW.digest IS NOT OLD.digest OR NEW.created_at IS NOT OLD.created_at OR NEW.created_by IS NOT OLD.created_by OR NEW.submitted_at IS NOT OLD.submitted_at OR NEW.approved_at IS NOT OLD.approved_at)) BEGIN SELECT RAISE(ABORT, 'an approved version does not change'); END;
CREATE TRIGGER guard_document_version_delete BEFORE DELETE ON document_version BEGIN SELECT RAISE(ABORT, 'a version is never deleted'); END;
CREATE TRIGGER guard_document_version_insert BEFORE INSERT ON document_version WHEN EXISTS (SELECT 1 FROM document_version WHERE document = NEW.document AND version = NEW.version) OR EXISTS (SELECT 1 FROM document_version WHERE rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'a version is never replaced'); END;
CREATE TRIGGER guard_rendition_update BEFORE UPDATE ON rendition WHEN NEW.rowid IS NOT OLD.rowid OR COALESCE((SELECT state FROM document_version WHERE document = OLD.document AND version = OLD.version), 'draft') <> 'draft' OR COALESCE((SELECT state FROM document_version WHERE document = NEW.document AND version = NEW.version), 'draft') <> 'draft' BEGIN SELECT RAISE(ABORT, 'a submitted text does not change'); END;
CREATE TRIGGER guard_rendition_delete BEFORE DELETE ON rendition WHEN COALESCE((SELECT state FROM document_version WHERE document = OLD.document AND version = OLD.version), 'draft') <> 'draft' BEGIN SELECT RAISE(ABORT, 'a submitted text does not change'); END;
CREATE TRIGGER guard_rendition_insert BEFORE INSERT ON rendition WHEN COALESCE((SELECT state FROM document_version WHERE document = NEW.document AND version = NEW.version), 'draft') <> 'draft' OR EXISTS (SELECT 1 FROM rendition WHERE rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'a submitted text does not change'); END;

-- A controlled copy keeps who holds what; its calling back and what became of it are each written once.
CREATE TRIGGER guard_document_copy_update BEFORE UPDATE ON document_copy WHEN NEW.rowid IS NOT OLD.rowid OR NEW.document IS NOT OLD.document OR NEW.n IS NOT OLD.n OR NEW.version IS NOT OLD.version OR NEW.lang IS NOT OLD.lang OR NEW.token IS NOT OLD.token OR NEW.holder_sealed IS NOT OLD.holder_sealed OR NEW.place IS NOT OLD.place OR NEW.issued_at IS NOT OLD.issued_at OR NEW.issued_by IS NOT OLD.issued_by OR OLD.settled_at IS NOT NULL OR (OLD.recalled_at IS NOT NULL AND NEW.recalled_at IS NOT OLD.recalled_at) BEGIN SELECT RAISE(ABORT, 'a controlled copy does not change'); END;
CREATE TRIGGER guard_document_copy_delete BEFORE DELETE ON document_copy BEGIN SELECT RAISE(ABORT, 'a controlled copy is never deleted'); END;
CREATE TRIGGER guard_document_copy_insert BEFORE INSERT ON document_copy WHEN EXISTS (SELECT 1 FROM document_copy WHERE (document = NEW.document AND n = NEW.n) OR token = NEW.token) OR EXISTS (SELECT 1 FROM document_copy WHERE rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'a controlled copy is never replaced'); END;
CREATE TRIGGER guard_print_mark_update BEFORE UPDATE ON print_mark BEGIN SELECT RAISE(ABORT, 'print_mark is append-only'); END;
CREATE TRIGGER guard_print_mark_delete BEFORE DELETE ON print_mark BEGIN SELECT RAISE(ABORT, 'print_mark is append-only'); END;
CREATE TRIGGER guard_print_mark_insert BEFORE INSERT ON print_mark WHEN EXISTS (SELECT 1 FROM print_mark WHERE mark = NEW.mark) OR EXISTS (SELECT 1 FROM print_mark WHERE rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'print_mark is append-only'); END;
