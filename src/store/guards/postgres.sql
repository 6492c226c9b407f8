-- Speed bumps for a stranger's connection; the cryptography is the evidence. Re-applied after every migration.
-- ENABLE ALWAYS, since session_replication_role = replica would pass ordinary triggers by.

CREATE OR REPLACE FUNCTION guard_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$;
CREATE OR REPLACE FUNCTION guard_sealed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF TG_OP = 'DELETE' AND (EXISTS (SELECT 1 FROM erased_value v WHERE v.commitment = OLD.commitment) OR EXISTS (SELECT 1 FROM disposed_value d WHERE d.commitment = OLD.commitment)) THEN RETURN OLD; END IF;
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

CREATE OR REPLACE FUNCTION guard_content() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF TG_OP = 'DELETE' AND EXISTS (SELECT 1 FROM disposed_content d WHERE d.sha256 = OLD.sha256) THEN RETURN OLD; END IF;
  RAISE EXCEPTION 'content is append-only'; END $$;
CREATE OR REPLACE FUNCTION guard_signature() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF TG_OP = 'DELETE' AND EXISTS (SELECT 1 FROM disposed d WHERE d.subject_kind = OLD.subject_kind AND d.subject_id = OLD.subject_id) THEN RETURN OLD; END IF;
  RAISE EXCEPTION 'signature is append-only'; END $$;
CREATE OR REPLACE FUNCTION guard_disposal() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF TG_OP <> 'UPDATE' THEN RAISE EXCEPTION 'a disposal is never deleted'; END IF;
  IF (NEW.number, NEW.reason, NEW.proposed_at, NEW.proposed_by) IS DISTINCT FROM (OLD.number, OLD.reason, OLD.proposed_at, OLD.proposed_by) OR OLD.state <> 'proposed'
  THEN RAISE EXCEPTION 'a disposal is decided once'; END IF;
  RETURN NEW; END $$;
-- The rows of records. One goes only when a disposal names its record, in the same transaction: afterwards none is there,
-- and none comes back under its number. Lines and events of an order, its holds, the orders and batches of a deviation
-- and the clocks of a recall are not among them: the ERP's next word, or a correction that QA lets through, writes them
-- anew. That one of those vanished, verify finds.
CREATE OR REPLACE FUNCTION guard_record() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF TG_OP = 'TRUNCATE' THEN RAISE EXCEPTION 'a record goes only by a disposal'; END IF;
  IF TG_OP = 'DELETE' AND EXISTS (SELECT 1 FROM disposed d WHERE d.subject_kind = CASE TG_TABLE_NAME WHEN 'sales_order' THEN 'order' ELSE TG_TABLE_NAME END AND d.subject_id = OLD.number) THEN RETURN OLD; END IF;
  IF TG_OP = 'DELETE' THEN RAISE EXCEPTION 'a record goes only by a disposal'; END IF;
  IF TG_OP = 'UPDATE' AND NEW.number IS DISTINCT FROM OLD.number THEN RAISE EXCEPTION 'a record keeps its number'; END IF;
  IF TG_OP = 'INSERT' AND EXISTS (SELECT 1 FROM disposed d WHERE d.subject_kind = CASE TG_TABLE_NAME WHEN 'sales_order' THEN 'order' ELSE TG_TABLE_NAME END AND d.subject_id = NEW.number) THEN RAISE EXCEPTION 'a record does not come back'; END IF;
  RETURN NEW; END $$;
CREATE OR REPLACE FUNCTION guard_link() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF TG_OP = 'TRUNCATE' THEN RAISE EXCEPTION 'a record goes only by a disposal'; END IF;
  IF TG_OP = 'DELETE' AND EXISTS (SELECT 1 FROM disposed d WHERE d.subject_kind = 'link' AND d.subject_id = OLD.id) THEN RETURN OLD; END IF;
  IF TG_OP = 'DELETE' THEN RAISE EXCEPTION 'a record goes only by a disposal'; END IF;
  IF TG_OP = 'UPDATE' AND NEW.id IS DISTINCT FROM OLD.id THEN RAISE EXCEPTION 'a record keeps its number'; END IF;
  IF TG_OP = 'INSERT' AND EXISTS (SELECT 1 FROM disposed d WHERE d.subject_kind = 'link' AND d.subject_id = NEW.id) THEN RAISE EXCEPTION 'a record does not come back'; END IF;
  RETURN NEW; END $$;
CREATE OR REPLACE FUNCTION guard_recall_part() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF TG_OP = 'TRUNCATE' THEN RAISE EXCEPTION 'a record goes only by a disposal'; END IF;
  IF TG_OP = 'DELETE' AND EXISTS (SELECT 1 FROM disposed d WHERE d.subject_kind = 'recall' AND d.subject_id = OLD.recall) THEN RETURN OLD; END IF;
  IF TG_OP = 'DELETE' THEN RAISE EXCEPTION 'a record goes only by a disposal'; END IF;
  IF TG_OP = 'UPDATE' AND NEW.recall IS DISTINCT FROM OLD.recall THEN RAISE EXCEPTION 'a record keeps its number'; END IF;
  IF TG_OP = 'INSERT' AND EXISTS (SELECT 1 FROM disposed d WHERE d.subject_kind = 'recall' AND d.subject_id = NEW.recall) THEN RAISE EXCEPTION 'a record does not come back'; END IF;
  RETURN NEW; END $$;
CREATE OR REPLACE FUNCTION guard_record_part() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF TG_OP = 'TRUNCATE' THEN RAISE EXCEPTION 'a record goes only by a disposal'; END IF;
  IF TG_OP = 'DELETE' AND EXISTS (SELECT 1 FROM disposed d WHERE d.subject_kind = OLD.subject_kind AND d.subject_id = OLD.subject_id) THEN RETURN OLD; END IF;
  IF TG_OP = 'DELETE' THEN RAISE EXCEPTION 'a record goes only by a disposal'; END IF;
  IF TG_OP = 'UPDATE' AND (NEW.subject_kind, NEW.subject_id) IS DISTINCT FROM (OLD.subject_kind, OLD.subject_id) THEN RAISE EXCEPTION 'a record keeps its number'; END IF;
  IF TG_OP = 'INSERT' AND EXISTS (SELECT 1 FROM disposed d WHERE d.subject_kind = NEW.subject_kind AND d.subject_id = NEW.subject_id) THEN RAISE EXCEPTION 'a record does not come back'; END IF;
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
CREATE TRIGGER guard_content_row BEFORE UPDATE OR DELETE ON content FOR EACH ROW EXECUTE FUNCTION guard_content();
ALTER TABLE content ENABLE ALWAYS TRIGGER guard_content_row;
CREATE TRIGGER guard_content_truncate BEFORE TRUNCATE ON content FOR EACH STATEMENT EXECUTE FUNCTION guard_append_only();
ALTER TABLE content ENABLE ALWAYS TRIGGER guard_content_truncate;
CREATE TRIGGER guard_sealed_value_row BEFORE UPDATE OR DELETE ON sealed_value FOR EACH ROW EXECUTE FUNCTION guard_sealed();
ALTER TABLE sealed_value ENABLE ALWAYS TRIGGER guard_sealed_value_row;
CREATE TRIGGER guard_sealed_value_truncate BEFORE TRUNCATE ON sealed_value FOR EACH STATEMENT EXECUTE FUNCTION guard_append_only();
ALTER TABLE sealed_value ENABLE ALWAYS TRIGGER guard_sealed_value_truncate;
CREATE TRIGGER guard_signature_row BEFORE UPDATE OR DELETE ON signature FOR EACH ROW EXECUTE FUNCTION guard_signature();
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
CREATE TRIGGER guard_disposal_row BEFORE UPDATE OR DELETE ON disposal FOR EACH ROW EXECUTE FUNCTION guard_disposal();
ALTER TABLE disposal ENABLE ALWAYS TRIGGER guard_disposal_row;
CREATE TRIGGER guard_disposal_truncate BEFORE TRUNCATE ON disposal FOR EACH STATEMENT EXECUTE FUNCTION guard_disposal();
ALTER TABLE disposal ENABLE ALWAYS TRIGGER guard_disposal_truncate;
CREATE TRIGGER guard_disposal_item_row BEFORE UPDATE OR DELETE ON disposal_item FOR EACH ROW EXECUTE FUNCTION guard_append_only();
ALTER TABLE disposal_item ENABLE ALWAYS TRIGGER guard_disposal_item_row;
CREATE TRIGGER guard_disposal_item_truncate BEFORE TRUNCATE ON disposal_item FOR EACH STATEMENT EXECUTE FUNCTION guard_append_only();
ALTER TABLE disposal_item ENABLE ALWAYS TRIGGER guard_disposal_item_truncate;
CREATE TRIGGER guard_disposed_row BEFORE UPDATE OR DELETE ON disposed FOR EACH ROW EXECUTE FUNCTION guard_append_only();
ALTER TABLE disposed ENABLE ALWAYS TRIGGER guard_disposed_row;
CREATE TRIGGER guard_disposed_truncate BEFORE TRUNCATE ON disposed FOR EACH STATEMENT EXECUTE FUNCTION guard_append_only();
ALTER TABLE disposed ENABLE ALWAYS TRIGGER guard_disposed_truncate;
CREATE TRIGGER guard_disposed_value_row BEFORE UPDATE OR DELETE ON disposed_value FOR EACH ROW EXECUTE FUNCTION guard_append_only();
ALTER TABLE disposed_value ENABLE ALWAYS TRIGGER guard_disposed_value_row;
CREATE TRIGGER guard_disposed_value_truncate BEFORE TRUNCATE ON disposed_value FOR EACH STATEMENT EXECUTE FUNCTION guard_append_only();
ALTER TABLE disposed_value ENABLE ALWAYS TRIGGER guard_disposed_value_truncate;
CREATE TRIGGER guard_disposed_content_row BEFORE UPDATE OR DELETE ON disposed_content FOR EACH ROW EXECUTE FUNCTION guard_append_only();
ALTER TABLE disposed_content ENABLE ALWAYS TRIGGER guard_disposed_content_row;
CREATE TRIGGER guard_disposed_content_truncate BEFORE TRUNCATE ON disposed_content FOR EACH STATEMENT EXECUTE FUNCTION guard_append_only();
ALTER TABLE disposed_content ENABLE ALWAYS TRIGGER guard_disposed_content_truncate;
CREATE TRIGGER guard_sales_order_row BEFORE INSERT OR UPDATE OR DELETE ON sales_order FOR EACH ROW EXECUTE FUNCTION guard_record();
ALTER TABLE sales_order ENABLE ALWAYS TRIGGER guard_sales_order_row;
CREATE TRIGGER guard_sales_order_truncate BEFORE TRUNCATE ON sales_order FOR EACH STATEMENT EXECUTE FUNCTION guard_record();
ALTER TABLE sales_order ENABLE ALWAYS TRIGGER guard_sales_order_truncate;
CREATE TRIGGER guard_deviation_row BEFORE INSERT OR UPDATE OR DELETE ON deviation FOR EACH ROW EXECUTE FUNCTION guard_record();
ALTER TABLE deviation ENABLE ALWAYS TRIGGER guard_deviation_row;
CREATE TRIGGER guard_deviation_truncate BEFORE TRUNCATE ON deviation FOR EACH STATEMENT EXECUTE FUNCTION guard_record();
ALTER TABLE deviation ENABLE ALWAYS TRIGGER guard_deviation_truncate;
CREATE TRIGGER guard_recall_row BEFORE INSERT OR UPDATE OR DELETE ON recall FOR EACH ROW EXECUTE FUNCTION guard_record();
ALTER TABLE recall ENABLE ALWAYS TRIGGER guard_recall_row;
CREATE TRIGGER guard_recall_truncate BEFORE TRUNCATE ON recall FOR EACH STATEMENT EXECUTE FUNCTION guard_record();
ALTER TABLE recall ENABLE ALWAYS TRIGGER guard_recall_truncate;
CREATE TRIGGER guard_link_row BEFORE INSERT OR UPDATE OR DELETE ON link FOR EACH ROW EXECUTE FUNCTION guard_link();
ALTER TABLE link ENABLE ALWAYS TRIGGER guard_link_row;
CREATE TRIGGER guard_link_truncate BEFORE TRUNCATE ON link FOR EACH STATEMENT EXECUTE FUNCTION guard_link();
ALTER TABLE link ENABLE ALWAYS TRIGGER guard_link_truncate;
CREATE TRIGGER guard_recall_batch_row BEFORE INSERT OR UPDATE OR DELETE ON recall_batch FOR EACH ROW EXECUTE FUNCTION guard_recall_part();
ALTER TABLE recall_batch ENABLE ALWAYS TRIGGER guard_recall_batch_row;
CREATE TRIGGER guard_recall_batch_truncate BEFORE TRUNCATE ON recall_batch FOR EACH STATEMENT EXECUTE FUNCTION guard_recall_part();
ALTER TABLE recall_batch ENABLE ALWAYS TRIGGER guard_recall_batch_truncate;
CREATE TRIGGER guard_recall_line_row BEFORE INSERT OR UPDATE OR DELETE ON recall_line FOR EACH ROW EXECUTE FUNCTION guard_recall_part();
ALTER TABLE recall_line ENABLE ALWAYS TRIGGER guard_recall_line_row;
CREATE TRIGGER guard_recall_line_truncate BEFORE TRUNCATE ON recall_line FOR EACH STATEMENT EXECUTE FUNCTION guard_recall_part();
ALTER TABLE recall_line ENABLE ALWAYS TRIGGER guard_recall_line_truncate;
CREATE TRIGGER guard_recall_customer_row BEFORE INSERT OR UPDATE OR DELETE ON recall_customer FOR EACH ROW EXECUTE FUNCTION guard_recall_part();
ALTER TABLE recall_customer ENABLE ALWAYS TRIGGER guard_recall_customer_row;
CREATE TRIGGER guard_recall_customer_truncate BEFORE TRUNCATE ON recall_customer FOR EACH STATEMENT EXECUTE FUNCTION guard_recall_part();
ALTER TABLE recall_customer ENABLE ALWAYS TRIGGER guard_recall_customer_truncate;
CREATE TRIGGER guard_correction_row BEFORE INSERT OR UPDATE OR DELETE ON correction FOR EACH ROW EXECUTE FUNCTION guard_record_part();
ALTER TABLE correction ENABLE ALWAYS TRIGGER guard_correction_row;
CREATE TRIGGER guard_correction_truncate BEFORE TRUNCATE ON correction FOR EACH STATEMENT EXECUTE FUNCTION guard_record_part();
ALTER TABLE correction ENABLE ALWAYS TRIGGER guard_correction_truncate;
CREATE TRIGGER guard_record_transition_row BEFORE INSERT OR UPDATE OR DELETE ON record_transition FOR EACH ROW EXECUTE FUNCTION guard_record_part();
ALTER TABLE record_transition ENABLE ALWAYS TRIGGER guard_record_transition_row;
CREATE TRIGGER guard_record_transition_truncate BEFORE TRUNCATE ON record_transition FOR EACH STATEMENT EXECUTE FUNCTION guard_record_part();
ALTER TABLE record_transition ENABLE ALWAYS TRIGGER guard_record_transition_truncate;
