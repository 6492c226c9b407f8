CREATE TABLE deviation (
  number TEXT NOT NULL PRIMARY KEY,
  title TEXT NOT NULL,
  description TEXT NOT NULL,
  class TEXT NOT NULL,
  area TEXT NOT NULL,
  occurred_at BIGINT NOT NULL,
  found_at BIGINT NOT NULL,
  immediate_action TEXT NOT NULL,
  state TEXT NOT NULL,
  class_rationale TEXT NOT NULL,
  impact TEXT NOT NULL,
  investigation TEXT NOT NULL,
  root_cause TEXT NOT NULL,
  capa TEXT NOT NULL,
  no_capa_reason TEXT NOT NULL,
  effectiveness_result TEXT NOT NULL,
  due_at BIGINT,
  raised_at BIGINT NOT NULL,
  raised_by TEXT NOT NULL,
  closed_at BIGINT
);
CREATE TABLE deviation_order (
  deviation TEXT NOT NULL REFERENCES deviation (number),
  order_number TEXT NOT NULL,
  PRIMARY KEY (deviation, order_number)
);
CREATE INDEX deviation_order_order ON deviation_order (order_number);
CREATE TABLE deviation_batch (
  deviation TEXT NOT NULL REFERENCES deviation (number),
  material TEXT NOT NULL,
  batch TEXT NOT NULL,
  PRIMARY KEY (deviation, material, batch)
);
CREATE TABLE recall (
  number TEXT NOT NULL PRIMARY KEY,
  title TEXT NOT NULL,
  class TEXT NOT NULL,
  class_rationale TEXT NOT NULL,
  reason TEXT NOT NULL,
  role TEXT NOT NULL,
  origin TEXT NOT NULL,
  drill BOOLEAN NOT NULL,
  decided_at BIGINT NOT NULL,
  state TEXT NOT NULL,
  unaccounted_reason TEXT NOT NULL,
  raised_at BIGINT NOT NULL,
  raised_by TEXT NOT NULL,
  closed_at BIGINT
);
CREATE TABLE recall_batch (
  recall TEXT NOT NULL REFERENCES recall (number),
  material TEXT NOT NULL,
  batch TEXT NOT NULL,
  PRIMARY KEY (recall, material, batch)
);
CREATE INDEX recall_batch_batch ON recall_batch (batch, material);
CREATE TABLE recall_clock (
  recall TEXT NOT NULL REFERENCES recall (number),
  name TEXT NOT NULL,
  due_at BIGINT,
  clause TEXT NOT NULL,
  PRIMARY KEY (recall, name)
);
-- The trace: frozen at the decision (found_at = raised_at); later hits carry their own instant.
CREATE TABLE recall_line (
  recall TEXT NOT NULL REFERENCES recall (number),
  order_number TEXT NOT NULL,
  line TEXT NOT NULL,
  customer_code TEXT NOT NULL,
  material TEXT NOT NULL,
  batch TEXT NOT NULL,
  quantity TEXT NOT NULL,
  unit TEXT NOT NULL,
  found_at BIGINT NOT NULL,
  PRIMARY KEY (recall, order_number, line)
);
CREATE TABLE recall_customer (
  recall TEXT NOT NULL REFERENCES recall (number),
  customer_code TEXT NOT NULL,
  notified_at BIGINT,
  acknowledged_at BIGINT,
  returned TEXT NOT NULL,
  note TEXT NOT NULL,
  PRIMARY KEY (recall, customer_code)
);
CREATE TABLE correction (
  id TEXT NOT NULL PRIMARY KEY,
  subject_kind TEXT NOT NULL,
  subject_id TEXT NOT NULL,
  field TEXT NOT NULL,
  old_value TEXT NOT NULL,
  new_value TEXT NOT NULL,
  reason TEXT NOT NULL,
  requested_at BIGINT NOT NULL,
  requested_by TEXT NOT NULL,
  approved BOOLEAN,
  decided_at BIGINT,
  decided_by TEXT,
  decision_reason TEXT
);
CREATE INDEX correction_subject ON correction (subject_kind, subject_id);
CREATE TABLE record_transition (
  subject_kind TEXT NOT NULL,
  subject_id TEXT NOT NULL,
  n BIGINT NOT NULL,
  from_state TEXT NOT NULL,
  to_state TEXT NOT NULL,
  reason TEXT NOT NULL,
  moved_at BIGINT NOT NULL,
  moved_by TEXT NOT NULL,
  PRIMARY KEY (subject_kind, subject_id, n)
);
CREATE TABLE link (
  id TEXT NOT NULL PRIMARY KEY,
  from_kind TEXT NOT NULL,
  from_id TEXT NOT NULL,
  to_kind TEXT NOT NULL,
  to_id TEXT NOT NULL,
  relation TEXT NOT NULL,
  reason TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  created_by TEXT NOT NULL,
  removed_at BIGINT,
  removed_by TEXT,
  removal_reason TEXT
);
CREATE INDEX link_from ON link (from_kind, from_id);
CREATE INDEX link_to ON link (to_kind, to_id);
