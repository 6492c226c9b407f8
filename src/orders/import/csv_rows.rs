//! CSV: a row a line of an order; the rows of an order may be scattered, and repeat what is said of the order itself.
//!
//! What a spreadsheet does to cells is refused, never mended: formulas, and numbers in the place of codes
//! (`2.31E+05` was once a batch).

use std::collections::HashMap;

use super::columns::{Column, Header};
use super::{Incoming, Reading, Rejection};
use crate::error::{Error, FieldError};
use crate::orders::intake::{CustomerDraft, Draft, EventDraft, LineDraft, check};
use crate::time::Timestamp;

/// The columns that tell when something happened, and of what kind it was.
const EVENTS: [(Column, &str); 4] = [
    (Column::OrderedAt, "ordered"),
    (Column::ReleasedAt, "released"),
    (Column::ShippedAt, "shipped"),
    (Column::DeliveredAt, "delivered"),
];

/// Columns with codes that a spreadsheet may have taken for numbers.
const CODES: [Column; 6] = [
    Column::Order,
    Column::CustomerCode,
    Column::Line,
    Column::Material,
    Column::ApprovalNumber,
    Column::Batch,
];

/// Columns in which a formula could stand; in the others it is no number or date.
const TEXTS: [Column; 13] = [
    Column::Order,
    Column::CustomerCode,
    Column::CustomerName,
    Column::ShipTo,
    Column::Line,
    Column::Material,
    Column::Name,
    Column::ApprovalNumber,
    Column::Batch,
    Column::Expiry,
    Column::Unit,
    Column::Storage,
    Column::ShippedBy,
];

/// All orders of the file, and what cannot be taken.
pub(super) fn read(text: &str, header: &Header) -> Reading {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(header.delimiter)
        .from_reader(text.as_bytes());
    let mut found: HashMap<String, usize> = HashMap::new();
    let mut groups: Vec<Group> = Vec::new();
    let mut reading = Reading { ignored: header.ignored.clone(), ..Reading::default() };
    let mut rows = Rows { text: text.as_bytes(), at: 0, row: 1 };
    // Nothing but broken UTF-8 stops the reader, and the text is sound.
    for record in reader.records().skip(1).map_while(Result::ok) {
        let row = rows.row_of(&record);
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        let number = header.cell(&record, Column::Order);
        let at = *found.entry(number.to_owned()).or_insert_with(|| {
            groups.push(Group::new(number, row));
            groups.len() - 1
        });
        groups[at].take(row, &record, header);
    }
    for group in groups {
        match group.finish() {
            Ok(order) => reading.orders.push(order),
            Err(rejected) => {
                reading.rejected_orders += 1;
                reading.rejected.extend(rejected);
            }
        }
    }
    reading
}

/// Counts rows as an editor or a spreadsheet does, empty ones included, which the reader skips in silence.
struct Rows<'a> {
    text: &'a [u8],
    at: usize,
    row: u64,
}

impl Rows<'_> {
    fn row_of(&mut self, record: &csv::StringRecord) -> u64 {
        let begins =
            record.position().and_then(|position| usize::try_from(position.byte()).ok()).unwrap_or(self.at);
        let rest = self.text.get(begins..).unwrap_or_default();
        let begins = begins + rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let passed = self.text.get(self.at..begins).unwrap_or_default();
        self.row += passed.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.at = self.at.max(begins);
        self.row
    }
}

fn fault(field: &str, code: &'static str) -> FieldError {
    FieldError { field: field.to_owned(), code, args: Vec::new() }
}

/// The rows of one order.
struct Group {
    number: String,
    row: u64,
    draft: Draft,
    /// Of each line.
    rows: Vec<u64>,
    /// Of each event: its instant, where it can be read, row and column.
    events: Vec<(Option<Timestamp>, u64, Column)>,
    rejected: Vec<Rejection>,
}

impl Group {
    fn new(number: &str, row: u64) -> Self {
        let draft = Draft::default();
        Self {
            number: number.to_owned(),
            row,
            draft,
            rows: Vec::new(),
            events: Vec::new(),
            rejected: Vec::new(),
        }
    }

    fn reject(&mut self, row: u64, fault: FieldError, value: &str) {
        self.rejected.push(Rejection::new(row, fault, value));
    }

    fn take(&mut self, row: u64, record: &csv::StringRecord, header: &Header) {
        if record.len() != header.width {
            let args = vec![("expected", header.width.to_string()), ("found", record.len().to_string())];
            let whole = record.iter().collect::<Vec<_>>().join(",");
            self.reject(row, FieldError { field: String::new(), code: "row-width", args }, &whole);
            return;
        }
        // A quote left open swallows the lines after it, in whatever column it stands.
        if let Some((at, cell)) = record.iter().enumerate().find(|(_, cell)| cell.contains(['\n', '\r'])) {
            self.reject(row, fault(header.name(at), "row-line-break"), cell.trim());
            return;
        }
        let cell = |column| header.cell(record, column);
        for column in TEXTS.into_iter().filter(|column| cell(*column).starts_with(['=', '+', '-', '@'])) {
            self.reject(row, fault(column.name(), "formula-cell"), cell(column));
        }
        for column in CODES.into_iter().filter(|column| is_spoilt_number(cell(*column))) {
            self.reject(row, fault(column.name(), "spoilt-number"), cell(column));
        }
        self.take_customer(row, cell);
        self.take_events(row, cell);
        let some = |column| Some(cell(column).to_owned()).filter(|value| !value.is_empty());
        self.draft.lines.push(LineDraft {
            line: cell(Column::Line).to_owned(),
            material: cell(Column::Material).to_owned(),
            name: cell(Column::Name).to_owned(),
            approval_number: some(Column::ApprovalNumber),
            batch: some(Column::Batch),
            expiry: expiry(cell(Column::Expiry)),
            quantity: cell(Column::Quantity).to_owned(),
            unit: cell(Column::Unit).to_owned(),
            storage: cell(Column::Storage).to_owned(),
        });
        self.rows.push(row);
    }

    /// What each row repeats of the order: the first that says it counts, and no other may say otherwise.
    fn take_customer<'a>(&mut self, row: u64, cell: impl Fn(Column) -> &'a str) {
        let CustomerDraft { code, name } = &mut self.draft.customer;
        let mut ship_to = self.draft.ship_to.take().unwrap_or_default();
        let mut disagreeing = Vec::new();
        for (column, held) in
            [(Column::CustomerCode, code), (Column::CustomerName, name), (Column::ShipTo, &mut ship_to)]
        {
            let value = cell(column);
            if held.is_empty() {
                value.clone_into(held);
            } else if !value.is_empty() && held != value {
                disagreeing.push((column, value));
            }
        }
        self.draft.ship_to = Some(ship_to);
        for (column, value) in disagreeing {
            self.reject(row, fault(column.name(), "row-disagrees"), value);
        }
    }

    /// Lines may ship on different days: each instant is an event, the same instant told again is the same event.
    fn take_events<'a>(&mut self, row: u64, cell: impl Fn(Column) -> &'a str) {
        let shipped_by = cell(Column::ShippedBy);
        if !shipped_by.is_empty() && cell(Column::ShippedAt).is_empty() {
            self.reject(row, fault(Column::ShippedAt.name(), "required"), "");
        }
        for (column, kind) in EVENTS {
            let at = cell(column);
            if at.is_empty() {
                continue;
            }
            let by = if column == Column::ShippedAt { shipped_by } else { "" };
            let instant = Timestamp::parse(at);
            let same = |n: &usize| {
                let (held, _, of) = self.events[*n];
                of == column && instant.is_some() && held == instant
            };
            match (0..self.events.len()).find(same) {
                None => {
                    self.events.push((instant, row, column));
                    let by = Some(by.to_owned()).filter(|by| !by.is_empty());
                    self.draft.events.push(EventDraft { kind: kind.to_owned(), at: at.to_owned(), by });
                }
                Some(_) if by.is_empty() => {}
                Some(n) => match &mut self.draft.events[n].by {
                    held @ None => *held = Some(by.to_owned()),
                    Some(held) if held == by => {}
                    Some(_) => self.reject(row, fault(Column::ShippedBy.name(), "row-disagrees"), by),
                },
            }
        }
    }

    fn finish(mut self) -> Result<Incoming, Vec<Rejection>> {
        if self.rows.is_empty() {
            return Err(self.rejected);
        }
        match check(&self.number, &self.draft) {
            Ok(wanted) if self.rejected.is_empty() => Ok(Incoming { wanted, row: self.row }),
            Ok(_) => Err(self.rejected),
            Err(error) => {
                self.reject_all(&error);
                Err(self.rejected)
            }
        }
    }

    /// Names the faults of the order by row and column.
    fn reject_all(&mut self, error: &Error) {
        for told in error.fields() {
            let (row, column, value) = self.place(&told.field);
            let known = self.rejected.iter().any(|other| other.row == row && other.fault.field == column);
            if !known {
                let fault = FieldError { field: column, ..told.clone() };
                self.reject(row, fault, &value);
            }
        }
    }

    /// Row, column and cell of a path of the draft.
    fn place(&self, path: &str) -> (u64, String, String) {
        let of_list = |list: &str| {
            let rest = path.strip_prefix(list)?.strip_prefix('[')?;
            let (at, rest) = rest.split_once(']')?;
            Some((at.parse::<usize>().ok()?, rest.trim_start_matches('.')))
        };
        if let Some((at, field)) = of_list("lines")
            && let (Some(row), Some(line)) = (self.rows.get(at), self.draft.lines.get(at))
        {
            return (*row, field.to_owned(), cell_of(line, field).to_owned());
        }
        if let Some((at, field)) = of_list("events")
            && let (Some((_, row, column)), Some(event)) = (self.events.get(at), self.draft.events.get(at))
        {
            let by = field == "by";
            let value = if by { event.by.clone().unwrap_or_default() } else { event.at.clone() };
            let column = if by { Column::ShippedBy } else { *column };
            return (*row, column.name().to_owned(), value);
        }
        let (column, value) = match path {
            "number" => (Column::Order, self.number.clone()),
            "customer.code" => (Column::CustomerCode, self.draft.customer.code.clone()),
            "customer.name" => (Column::CustomerName, self.draft.customer.name.clone()),
            "ship_to" => (Column::ShipTo, self.draft.ship_to.clone().unwrap_or_default()),
            _ => return (self.row, path.to_owned(), String::new()),
        };
        (self.row, column.name().to_owned(), value)
    }
}

fn cell_of<'a>(line: &'a LineDraft, field: &str) -> &'a str {
    match field {
        "line" => &line.line,
        "material" => &line.material,
        "name" => &line.name,
        "approval_number" => line.approval_number.as_deref().unwrap_or_default(),
        "batch" => line.batch.as_deref().unwrap_or_default(),
        "expiry" => line.expiry.as_deref().unwrap_or_default(),
        "quantity" => &line.quantity,
        "unit" => &line.unit,
        _ => &line.storage,
    }
}

/// SAP's `YYYYMMDD` as a date of ours, its `00000000` as none; anything else as it stands.
fn expiry(cell: &str) -> Option<String> {
    let digits = cell.len() == 8 && cell.bytes().all(|byte| byte.is_ascii_digit());
    match cell {
        "" | "00000000" => None,
        _ if digits => Some(format!("{}-{}-{}", &cell[..4], &cell[4..6], &cell[6..])),
        _ => Some(cell.to_owned()),
    }
}

/// Whether a spreadsheet has written a code as a power of ten: `2.31E+05`.
fn is_spoilt_number(cell: &str) -> bool {
    let Some((mantissa, exponent)) = cell.split_once(['E', 'e']) else { return false };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once(['.', ',']).unwrap_or((mantissa, "0"));
    exponent.strip_prefix(['+', '-']).is_some_and(digits) && digits(whole) && digits(fraction)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEADER: &str = "order,customer_code,customer_name,ship_to,line,material,name,approval_number,batch,expiry,\
                          quantity,unit,storage,ordered_at,released_at,shipped_at,delivered_at,shipped_by";
    const GOOD: &str = "4500012345,10023,第一医院,冷库,10,100238,胰岛素注射液,国药准字H19990388,230815,20270731,200.000,\
                        BOX,2-8,2026-02-18T09:12:00+08:00,,2026-02-19T06:40:00+08:00,,wang.li";

    fn reading(rows: &[&str]) -> Reading {
        let text = format!("{HEADER}\r\n{}\r\n", rows.join("\r\n"));
        read(&text, &Header::of(&text).unwrap())
    }

    fn rejected(reading: &Reading) -> Vec<(u64, &str, &str, &str)> {
        reading
            .rejected
            .iter()
            .map(|r| (r.row, r.fault.field.as_str(), r.fault.code, r.value.as_str()))
            .collect()
    }

    #[test]
    fn scattered_rows_make_one_order_and_other_ship_dates_other_events() {
        let other = GOOD.replace("4500012345", "4500012346");
        let later = GOOD.replace(",10,", ",20,").replace("02-19T06", "02-20T06");
        let same_instant =
            GOOD.replace(",10,", ",30,").replace("2026-02-18T09:12:00+08:00", "2026-02-18T01:12:00Z");
        let reading = reading(&[GOOD, &other, "", &later, &same_instant]);
        assert_eq!(rejected(&reading), []);
        let [order, _] = reading.orders.as_slice() else { panic!("{:?}", reading.orders) };
        assert_eq!((order.row, order.wanted.lines.len()), (2, 3));
        assert_eq!(order.wanted.lines[0].expiry.as_deref(), Some("2027-07-31"));
        let events: Vec<_> = order.wanted.events.iter().map(|e| (e.kind.code(), e.by.as_deref())).collect();
        assert_eq!(events, [("ordered", None), ("shipped", Some("wang.li")), ("shipped", Some("wang.li"))]);
    }

    #[test]
    fn a_bad_row_rejects_its_order_by_row_column_value_and_the_others_stand() {
        let cases: [(&str, &str, (&str, &str, &str)); 16] = [
            ("200.000", "-1", ("quantity", "not-a-number", "-1")),
            ("200.000", "\"1,5\"", ("quantity", "not-a-number", "1,5")),
            ("200.000", "100.00-", ("quantity", "not-a-number", "100.00-")),
            (",230815,", ",2.31E+05,", ("batch", "spoilt-number", "2.31E+05")),
            (",230815,", ",=1+1,", ("batch", "formula-cell", "=1+1")),
            ("胰岛素注射液", "@SUM(A1)", ("name", "formula-cell", "@SUM(A1)")),
            ("冷库", "+86 21", ("ship_to", "formula-cell", "+86 21")),
            ("20270731", "20270230", ("expiry", "not-a-day", "2027-02-30")),
            ("20270731", "2027/7/31", ("expiry", "not-a-day", "2027/7/31")),
            (",2-8,", ",2-10,", ("storage", "unknown-code", "2-10")),
            ("2026-02-18T09:12:00+08:00", "2026-02-18", ("ordered_at", "not-an-instant", "2026-02-18")),
            ("2026-02-19T06:40:00+08:00", "", ("shipped_at", "required", "")),
            ("10023", "", ("customer_code", "required", "")),
            ("4500012345", "45/1", ("order", "order-number", "45/1")),
            ("4500012345", "", ("order", "order-number", "")),
            ("第一医院", "\"第一\n医院\"", ("customer_name", "row-line-break", "第一\n医院")),
        ];
        let other = GOOD.replace("4500012345", "4500012346");
        for (good, bad, (field, code, value)) in cases {
            let reading = reading(&[&other, &GOOD.replace(good, bad)]);
            assert_eq!(rejected(&reading), [(3, field, code, value)], "{bad}");
            assert_eq!((reading.orders.len(), reading.rejected_orders), (1, 1), "{bad}");
        }
    }

    #[test]
    fn a_row_with_a_cell_too_few_is_told_whole() {
        let short = GOOD.replace(",BOX", "");
        let reading = reading(&[&short]);
        let told = &reading.rejected[0];
        assert_eq!((told.row, told.fault.code), (2, "row-width"));
        assert!(short.starts_with(told.value.trim_end_matches('…')), "{}", told.value);
    }

    #[test]
    fn a_row_twice_or_one_that_says_otherwise_rejects_the_order() {
        let renamed = GOOD.replace(",10,", ",20,").replace("第一", "第二");
        let by_another = GOOD.replace(",10,", ",20,").replace("wang.li", "li.wang");
        for (second, row) in [
            (GOOD.to_owned(), ("line", "duplicate", "10")),
            (renamed, ("customer_name", "row-disagrees", "第二医院")),
            (by_another, ("shipped_by", "row-disagrees", "li.wang")),
        ] {
            let reading = reading(&[GOOD, &second]);
            assert!(reading.orders.is_empty());
            assert_eq!(rejected(&reading), [(3, row.0, row.1, row.2)]);
        }
    }

    #[test]
    fn a_quote_left_open_cannot_swallow_rows_in_silence() {
        let open = GOOD.replace("wang.li", "\"wang.li");
        let other = GOOD.replace("4500012345", "4500012346");
        let reading = reading(&[&open, &other]);
        assert!(reading.orders.is_empty());
        assert_eq!(reading.rejected[0].fault.code, "row-line-break");
    }

    #[test]
    fn an_empty_batch_and_saps_empty_date_are_none() {
        let reading = reading(&[&GOOD.replace(",230815,20270731,", ",,00000000,")]);
        let line = &reading.orders[0].wanted.lines[0];
        assert_eq!((&line.batch, &line.expiry), (&None, &None));
    }

    proptest! {
        #[test]
        fn no_text_stops_the_reader_and_each_order_is_taken_or_rejected(body in "[\\PC\"\n\r,;=]{0,400}") {
            let text = format!("{HEADER}\n{GOOD}\n{body}");
            let reading = read(&text, &Header::of(&text).unwrap());
            prop_assert!(reading.orders.len() as u64 + reading.rejected_orders > 0);
            prop_assert!(reading.rejected.iter().all(|r| r.row >= 2));
            prop_assert_eq!(reading.rejected.is_empty(), reading.rejected_orders == 0);
        }
    }
}
