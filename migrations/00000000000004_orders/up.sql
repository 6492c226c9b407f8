CREATE TABLE sales_order (
  number TEXT NOT NULL PRIMARY KEY,
  customer_code TEXT NOT NULL,
  customer_sealed TEXT NOT NULL,
  ship_to_sealed TEXT,
  ordered_at BIGINT,
  shipped_at BIGINT,
  recorded_at BIGINT NOT NULL
);
CREATE INDEX sales_order_customer ON sales_order (customer_code);
CREATE INDEX sales_order_shipped ON sales_order (shipped_at);
CREATE TABLE order_line (
  order_number TEXT NOT NULL REFERENCES sales_order (number),
  line TEXT NOT NULL,
  material TEXT NOT NULL,
  name TEXT NOT NULL,
  approval_number TEXT,
  batch TEXT,
  expiry TEXT,
  quantity TEXT NOT NULL,
  unit TEXT NOT NULL,
  storage TEXT NOT NULL,
  PRIMARY KEY (order_number, line)
);
CREATE INDEX order_line_batch ON order_line (batch, material);
CREATE TABLE order_event (
  order_number TEXT NOT NULL REFERENCES sales_order (number),
  n BIGINT NOT NULL,
  kind TEXT NOT NULL,
  at BIGINT NOT NULL,
  by_sealed TEXT,
  PRIMARY KEY (order_number, n)
);
CREATE TABLE order_hold (
  order_number TEXT NOT NULL REFERENCES sales_order (number),
  recall TEXT NOT NULL,
  held_at BIGINT NOT NULL,
  released_at BIGINT,
  released_by TEXT,
  reason TEXT,
  PRIMARY KEY (order_number, recall)
);
