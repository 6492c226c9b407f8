//! The header of a CSV: which column is which, by our names or SAP's.

use crate::error::{Error, Result};

/// The columns we read, in the order of [`COLUMNS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Order,
    CustomerCode,
    CustomerName,
    ShipTo,
    Line,
    Material,
    Name,
    ApprovalNumber,
    Batch,
    Expiry,
    Quantity,
    Unit,
    Storage,
    OrderedAt,
    ReleasedAt,
    ShippedAt,
    DeliveredAt,
    ShippedBy,
}

/// How many there are.
pub(super) const COUNT: usize = 18;

/// Name, names in SAP's tables, and whether a file without it is refused.
struct Known {
    column: Column,
    name: &'static str,
    sap: &'static [&'static str],
    required: bool,
}

const fn known(column: Column, name: &'static str, sap: &'static [&'static str]) -> Known {
    Known { column, name, sap, required: true }
}

const fn optional(column: Column, name: &'static str) -> Known {
    Known { column, name, sap: &[], required: false }
}

const COLUMNS: [Known; COUNT] = [
    known(Column::Order, "order", &["VBELN"]),
    known(Column::CustomerCode, "customer_code", &["KUNNR"]),
    known(Column::CustomerName, "customer_name", &["NAME1"]),
    optional(Column::ShipTo, "ship_to"),
    known(Column::Line, "line", &["POSNR"]),
    known(Column::Material, "material", &["MATNR"]),
    known(Column::Name, "name", &["ARKTX"]),
    optional(Column::ApprovalNumber, "approval_number"),
    known(Column::Batch, "batch", &["CHARG"]),
    Known { column: Column::Expiry, name: "expiry", sap: &["VFDAT"], required: false },
    known(Column::Quantity, "quantity", &["KWMENG"]),
    known(Column::Unit, "unit", &["VRKME"]),
    known(Column::Storage, "storage", &[]),
    optional(Column::OrderedAt, "ordered_at"),
    optional(Column::ReleasedAt, "released_at"),
    optional(Column::ShippedAt, "shipped_at"),
    optional(Column::DeliveredAt, "delivered_at"),
    optional(Column::ShippedBy, "shipped_by"),
];

impl Column {
    /// Our name of it.
    pub(super) const fn name(self) -> &'static str {
        COLUMNS[self as usize].name
    }
}

/// Where each column stands.
#[derive(Debug, Clone)]
pub(super) struct Header {
    /// What separates the cells.
    pub(super) delimiter: u8,
    /// How many cells a row has.
    pub(super) width: usize,
    /// Columns we do not know.
    pub(super) ignored: Vec<String>,
    places: [Option<usize>; COUNT],
}

impl Header {
    /// The header of a file: its first line.
    ///
    /// # Errors
    /// 422 naming each column that is missing or there twice.
    pub(super) fn of(text: &str) -> Result<Self> {
        let delimiter = delimiter_of(text);
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .from_reader(text.as_bytes());
        let mut names = csv::StringRecord::new();
        reader
            .read_record(&mut names)
            .map_err(|error| Error::invalid("order", "missing-column").caused_by(error))?;
        let mut header = Self { delimiter, width: names.len(), ignored: Vec::new(), places: [None; COUNT] };
        let mut refused = Error::new(crate::error::Kind::Invalid, "invalid");
        for (at, name) in names.iter().map(str::trim).enumerate() {
            let is = |known: &&Known| {
                known.name.eq_ignore_ascii_case(name)
                    || known.sap.iter().any(|sap| sap.eq_ignore_ascii_case(name))
            };
            match COLUMNS.iter().find(is) {
                None => header.ignored.push(name.to_owned()),
                Some(known) if header.places[known.column as usize].is_some() => {
                    refused = refused.field(known.name, "duplicate-column");
                }
                Some(known) => header.places[known.column as usize] = Some(at),
            }
        }
        for known in COLUMNS.iter().filter(|known| known.required) {
            if header.places[known.column as usize].is_none() {
                refused = refused.field(known.name, "missing-column");
            }
        }
        if refused.fields().is_empty() { Ok(header) } else { Err(refused) }
    }

    /// Our name of the column at a place; empty for one we do not know.
    pub(super) fn name(&self, at: usize) -> &'static str {
        let known = COLUMNS.iter().find(|known| self.places[known.column as usize] == Some(at));
        known.map_or("", |known| known.name)
    }

    /// The cell of a column, trimmed; empty where the file has no such column.
    pub(super) fn cell<'a>(&self, record: &'a csv::StringRecord, column: Column) -> &'a str {
        let place = self.places[column as usize];
        place.and_then(|place| record.get(place)).unwrap_or_default().trim()
    }
}

/// What separates the names of the first line: a comma, or what SAP and Excel put in its place.
fn delimiter_of(text: &str) -> u8 {
    let first = text.lines().next().unwrap_or_default();
    let number = |delimiter: u8| first.bytes().filter(|byte| *byte == delimiter).count();
    // The last of equals wins, so the comma stands last.
    [b'|', b'\t', b';', b','].into_iter().max_by_key(|delimiter| number(*delimiter)).unwrap_or(b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: &str = "order,customer_code,customer_name,ship_to,line,material,name,approval_number,batch,expiry,\
                        quantity,unit,storage,ordered_at,released_at,shipped_at,delivered_at,shipped_by\n";

    #[test]
    fn each_column_stands_in_its_place_of_the_table() {
        for (at, known) in COLUMNS.iter().enumerate() {
            assert_eq!(known.column as usize, at, "{}", known.name);
        }
        assert!(Header::of(FULL).unwrap().ignored.is_empty());
    }

    #[test]
    fn sap_names_are_understood_in_any_case_and_others_are_ignored_by_name() {
        let header = "MANDT;VBELN;kunnr;customer_name;POSNR;MATNR;name;CHARG;VFDAT;KWMENG;unit;storage\n";
        let header = Header::of(header).unwrap();
        assert_eq!((header.delimiter, header.ignored.as_slice()), (b';', &["MANDT".to_owned()][..]));
        let row = csv::StringRecord::from(vec!["800", " 0015000000 ", "10023"]);
        assert_eq!(header.cell(&row, Column::Order), "0015000000");
        assert_eq!(header.cell(&row, Column::ShippedBy), "");
    }

    #[test]
    fn a_missing_column_and_one_twice_are_named() {
        let cases = [
            (FULL.replace("material,", ""), "material", "missing-column"),
            (FULL.replace("batch,", ""), "batch", "missing-column"),
            (FULL.replace("ship_to", "VBELN"), "order", "duplicate-column"),
        ];
        for (header, field, code) in cases {
            let error = Header::of(&header).unwrap_err();
            let fault = &error.fields()[0];
            assert_eq!((fault.field.as_str(), fault.code), (field, code));
        }
        assert!(Header::of("").unwrap_err().fields().len() > 5);
    }
}
