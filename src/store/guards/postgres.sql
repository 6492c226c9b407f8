-- Speed bumps for a stranger's connection; the cryptography is the evidence. Re-applied after every migration.
-- ENABLE ALWAYS, since session_replication_role = replica would pass ordinary triggers by.

CREATE OR REPLACE FUNCTION guard_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$;
CREATE OR REPLACE FUNCTION guard_sealed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF TG_OP = 'DELETE' AND EXISTS (SELECT 1 FROM erased_value v WHERE v.commitment = OLD.commitment) THEN RETURN OLD; END IF;
  RAISE EXCEPTION 'sealed_value is append-only'; END $$;
CREATE OR REPLACE FUNCTION guard_version() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF TG_OP <> 'UPDATE' THEN RAISE EXCEPTION 'a version is never deleted'; END IF;
  IF NEW.document <> OLD.document OR NEW.version <> OLD.version OR OLD.state IN ('cancelled', 'abandoned')
    OR (OLD.state = 'approved' AND (NEW.state NOT IN ('approved', 'cancelled')
      OR (NEW.major, NEW.minor, NEW.title, NEW.processes, NEW.audience, NEW.review_months, NEW.change_summary, NEW.change_reason, NEW.round, NEW.asked_from, NEW.effective_from, NEW.digest, NEW.created_at, NEW.created_by, NEW.submitted_at, NEW.approved_at)
        IS DISTINCT FROM (OLD.major, OLD.minor, OLD.title, OLD.processes, OLD.audience, OLD.review_months, OLD.change_summary, OLD.change_reason, OLD.round, OLD.asked_from, OLD.effective_from, OLD.digest, OLD.created_at, OLD.created_by, OLD.submitted_at, OLD.approved_at)))
  THEN RAISE EXCEPTION 'an approved version does not change'; END IF;
  RETURN NEW; END $$;
CREATE OR REPLACE FUNCTION guard_rendition() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF TG_OP = 'TRUNCATE' THEN RAISE EXCEPTION 'a submitted text does not change'; END IF;
  IF TG_OP <> 'INSERT' AND EXISTS (SELECT 1 FROM document_version v WHERE v.document = OLD.document AND v.version = OLD.version AND v.state <> 'draft')
  THEN RAISE EXCEPTION 'a submitted text does not change'; END IF;
  IF TG_OP <> 'DELETE' AND EXISTS (SELECT 1 FROM document_version v WHERE v.document = NEW.document AND v.version = NEW.version AND v.state <> 'draft')
  THEN RAISE EXCEPTION 'a submitted text does not change'; END IF;
  IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
  RETURN NEW; END $$;

CREATE OR REPLACE FUNCTION guard_copy() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF TG_OP <> 'UPDATE' THEN RAISE EXCEPTION 'a controlled copy is never deleted'; END IF;
  IF (NEW.document, NEW.n, NEW.version, NEW.lang, NEW.token, NEW.holder_sealed, NEW.place, NEW.issued_at, NEW.issued_by) IS DISTINCT FROM (OLD.document, OLD.n, OLD.version, OLD.lang, OLD.token, OLD.holder_sealed, OLD.place, OLD.issued_at, OLD.issued_by)
    OR OLD.settled_at IS NOT NULL OR (OLD.recalled_at IS NOT NULL AND NEW.recalled_at IS DISTINCT FROM OLD.recalled_at)
  THEN RAISE EXCEPTION 'a controlled copy does not change'; END IF;
  RETURN NEW; END $$;

CREATE TRIGGER guard_ledger_entry_row BEFORE UPDATE OR DELETE ON ledger_entry FOR EACH ROW EXECUTE FUNCTION guard_append_only();
ALTER TABLE ledger_entry ENABLE ALWAYS TRIGGER guard_ledger_entry_row;
CREATE TRIGGER guard_ledger_entry_truncate BEFORE TRUNCATE ON ledger_entry FOR EACH STATEMENT EXECUTE FUNCTION guard_append_only();
ALTER TABLE ledger_entry ENABLE ALWAYS TRIGGER guard_ledger_entry_truncate;
CREATE TRIGGER guard_ledger_tile_row BEFORE UPDATE OR DELETE ON ledger_tile FOR EACH ROW EXECUTE FUNCTION guard_append_only();
ALTER TABLE ledger_tile ENABLE ALWAYS TRIGGER guard_ledger_tile_row;
CREATE TRIGGER guard_ledger_tile_truncate BEFORE TRUNCATE ON ledger_tile FOR EACH STATEMENT EXECUTE FUNCTION guard_append_only();
ALTER TABLE ledger_tile ENABLE ALWAYS TRIGGER guard_ledger_tile_truncate;
CREATE TRIGGER guard_ledger_checkpoint_row BEFORE UPDATE OR DELETE ON ledger_checkpoint FOR EACH ROW EXECUTE FUNCTION guard_append_only();
ALTER TABLE ledger_checkpoint ENABLE ALWAYS TRIGGER guard_ledger_checkpoint_row;
CREATE TRIGGER guard_ledger_checkpoint_truncate BEFORE TRUNCATE ON ledger_checkpoint FOR EACH STATEMENT EXECUTE FUNCTION guard_append_only();
ALTER TABLE ledger_checkpoint ENABLE ALWAYS TRIGGER guard_ledger_checkpoint_truncate;
CREATE TRIGGER guard_content_row BEFORE UPDATE OR DELETE ON content FOR EACH ROW EXECUTE FUNCTION guard_append_only();
ALTER TABLE content ENABLE ALWAYS TRIGGER guard_content_row;
CREATE TRIGGER guard_content_truncate BEFORE TRUNCATE ON content FOR EACH STATEMENT EXECUTE FUNCTION guard_append_only();
ALTER TABLE content ENABLE ALWAYS TRIGGER guard_content_truncate;
CREATE TRIGGER guard_sealed_value_row BEFORE UPDATE OR DELETE ON sealed_value FOR EACH ROW EXECUTE FUNCTION guard_sealed();
ALTER TABLE sealed_value ENABLE ALWAYS TRIGGER guard_sealed_value_row;
CREATE TRIGGER guard_sealed_value_truncate BEFORE TRUNCATE ON sealed_value FOR EACH STATEMENT EXECUTE FUNCTION guard_append_only();
ALTER TABLE sealed_value ENABLE ALWAYS TRIGGER guard_sealed_value_truncate;
CREATE TRIGGER guard_signature_row BEFORE UPDATE OR DELETE ON signature FOR EACH ROW EXECUTE FUNCTION guard_append_only();
ALTER TABLE signature ENABLE ALWAYS TRIGGER guard_signature_row;
CREATE TRIGGER guard_signature_truncate BEFORE TRUNCATE ON signature FOR EACH STATEMENT EXECUTE FUNCTION guard_append_only();
ALTER TABLE signature ENABLE ALWAYS TRIGGER guard_signature_truncate;
CREATE TRIGGER guard_pack_row BEFORE UPDATE OR DELETE ON pack FOR EACH ROW EXECUTE FUNCTION guard_append_only();
ALTER TABLE pack ENABLE ALWAYS TRIGGER guard_pack_row;
CREATE TRIGGER guard_pack_truncate BEFORE TRUNCATE ON pack FOR EACH STATEMENT EXECUTE FUNCTION guard_append_only();
ALTER TABLE pack ENABLE ALWAYS TRIGGER guard_pack_truncate;
CREATE TRIGGER guard_document_version_row BEFORE UPDATE OR DELETE ON document_version FOR EACH ROW EXECUTE FUNCTION guard_version();
ALTER TABLE document_version ENABLE ALWAYS TRIGGER guard_document_version_row;
CREATE TRIGGER guard_document_version_truncate BEFORE TRUNCATE ON document_version FOR EACH STATEMENT EXECUTE FUNCTION guard_version();
ALTER TABLE document_version ENABLE ALWAYS TRIGGER guard_document_version_truncate;
CREATE TRIGGER guard_rendition_row BEFORE INSERT OR UPDATE OR DELETE ON rendition FOR EACH ROW EXECUTE FUNCTION guard_rendition();
ALTER TABLE rendition ENABLE ALWAYS TRIGGER guard_rendition_row;
CREATE TRIGGER guard_rendition_truncate BEFORE TRUNCATE ON rendition FOR EACH STATEMENT EXECUTE FUNCTION guard_rendition();
ALTER TABLE rendition ENABLE ALWAYS TRIGGER guard_rendition_truncate;
CREATE TRIGGER guard_anchor_row BEFORE UPDATE OR DELETE ON anchor FOR EACH ROW EXECUTE FUNCTION guard_append_only();
ALTER TABLE anchor ENABLE ALWAYS TRIGGER guard_anchor_row;
CREATE TRIGGER guard_anchor_truncate BEFORE TRUNCATE ON anchor FOR EACH STATEMENT EXECUTE FUNCTION guard_append_only();
ALTER TABLE anchor ENABLE ALWAYS TRIGGER guard_anchor_truncate;
CREATE TRIGGER guard_document_copy_row BEFORE UPDATE OR DELETE ON document_copy FOR EACH ROW EXECUTE FUNCTION guard_copy();
ALTER TABLE document_copy ENABLE ALWAYS TRIGGER guard_document_copy_row;
CREATE TRIGGER guard_document_copy_truncate BEFORE TRUNCATE ON document_copy FOR EACH STATEMENT EXECUTE FUNCTION guard_copy();
ALTER TABLE document_copy ENABLE ALWAYS TRIGGER guard_document_copy_truncate;
CREATE TRIGGER guard_print_mark_row BEFORE UPDATE OR DELETE ON print_mark FOR EACH ROW EXECUTE FUNCTION guard_append_only();
ALTER TABLE print_mark ENABLE ALWAYS TRIGGER guard_print_mark_row;
CREATE TRIGGER guard_print_mark_truncate BEFORE TRUNCATE ON print_mark FOR EACH STATEMENT EXECUTE FUNCTION guard_append_only();
ALTER TABLE print_mark ENABLE ALWAYS TRIGGER guard_print_mark_truncate;
CREATE TRIGGER guard_erasure_row BEFORE UPDATE OR DELETE ON erasure FOR EACH ROW EXECUTE FUNCTION guard_append_only();
ALTER TABLE erasure ENABLE ALWAYS TRIGGER guard_erasure_row;
CREATE TRIGGER guard_erasure_truncate BEFORE TRUNCATE ON erasure FOR EACH STATEMENT EXECUTE FUNCTION guard_append_only();
ALTER TABLE erasure ENABLE ALWAYS TRIGGER guard_erasure_truncate;
CREATE TRIGGER guard_erased_value_row BEFORE UPDATE OR DELETE ON erased_value FOR EACH ROW EXECUTE FUNCTION guard_append_only();
ALTER TABLE erased_value ENABLE ALWAYS TRIGGER guard_erased_value_row;
CREATE TRIGGER guard_erased_value_truncate BEFORE TRUNCATE ON erased_value FOR EACH STATEMENT EXECUTE FUNCTION guard_append_only();
ALTER TABLE erased_value ENABLE ALWAYS TRIGGER guard_erased_value_truncate;
