//! An order as a record: what the ERP says of it, what we keep of it, and the rules between both. Pure.
//!
//! The ERP is the master. Its order is compared with ours by value: quantities as numbers, events by kind and instant,
//! personal values by what stands behind their commitments. Only a difference makes a new state.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::str::FromStr;

use diesel::prelude::*;

use crate::ledger::subject::{Row, Snapshot, Subject};
use crate::signatures::Signature;
use crate::store::schema::{order_event, order_hold, order_line, sales_order};
use crate::time::Timestamp;

/// The subject kind of orders.
pub const KIND: &str = "order";
/// Lines of an order at most.
pub const MOST_LINES: usize = 500;
/// Events of an order at most: the entry names each new person's commitment and must fit.
pub const MOST_EVENTS: usize = 200;

/// How a line is stored and carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Storage {
    /// Room temperature, 常温.
    Ambient,
    /// At most 20 °C, 阴凉.
    Cool,
    /// 2 to 8 °C, 冷藏.
    Cold,
    /// Frozen, 冷冻.
    Frozen,
}

impl Storage {
    /// All codes.
    pub const ALL: [Self; 4] = [Self::Ambient, Self::Cool, Self::Cold, Self::Frozen];

    /// The code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Ambient => "ambient",
            Self::Cool => "cool",
            Self::Cold => "2-8",
            Self::Frozen => "frozen",
        }
    }
}

impl FromStr for Storage {
    type Err = ();

    fn from_str(code: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|storage| storage.code() == code).ok_or(())
    }
}

/// What happens to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventKind {
    /// 下单.
    Ordered,
    /// 变更.
    Changed,
    /// 放行.
    Released,
    /// 发运.
    Shipped,
    /// 送达.
    Delivered,
    /// 取消.
    Cancelled,
    /// 退回.
    Returned,
}

impl EventKind {
    /// All kinds, in the order in which an order usually meets them.
    pub const ALL: [Self; 7] = [
        Self::Ordered,
        Self::Changed,
        Self::Released,
        Self::Shipped,
        Self::Delivered,
        Self::Cancelled,
        Self::Returned,
    ];

    /// The code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Ordered => "ordered",
            Self::Changed => "changed",
            Self::Released => "released",
            Self::Shipped => "shipped",
            Self::Delivered => "delivered",
            Self::Cancelled => "cancelled",
            Self::Returned => "returned",
        }
    }

    /// The processes an event of this kind is part of.
    pub const fn processes(self) -> &'static [&'static str] {
        match self {
            Self::Ordered => &["order_intake", "credit_check"],
            Self::Changed | Self::Cancelled => &["order_change"],
            Self::Released => &["allocation"],
            Self::Shipped => &["shipping"],
            Self::Delivered => &["delivery"],
            Self::Returned => &["returns"],
        }
    }
}

impl FromStr for EventKind {
    type Err = ();

    fn from_str(code: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|kind| kind.code() == code).ok_or(())
    }
}

/// The process that a line adds to every event of its order when it is not kept at room temperature.
pub const COLD_CHAIN: &str = "cold_chain";

/// The processes of an event, on an order with these lines.
pub fn processes_of(kind: &str, lines: &[Line]) -> Vec<&'static str> {
    let own = kind.parse().map_or(&[][..], EventKind::processes);
    let cold = lines.iter().any(|line| line.storage != Storage::Ambient.code());
    own.iter().copied().chain(cold.then_some(COLD_CHAIN)).collect()
}

/// Whether an order may have this number: `[A-Za-z0-9._-]{1,40}`, and none of the names its address would collide with.
pub fn is_number(number: &str) -> bool {
    (1..=40).contains(&number.len())
        && number.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
        && !matches!(number, "." | ".." | "import")
}

/// The subject of an order.
pub fn subject(number: &str) -> Subject {
    Subject::new(KIND, number)
}

/// A row of `sales_order`; customer and ship-to stand behind their commitments.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, Identifiable)]
#[diesel(table_name = sales_order, primary_key(number))]
pub struct SalesOrder {
    /// The ERP's number.
    pub number: String,
    /// The ERP's code of the customer.
    pub customer_code: String,
    /// Commitment of the customer's name.
    pub customer_sealed: String,
    /// Commitment of where the goods go.
    pub ship_to_sealed: Option<String>,
    /// The first `ordered` event.
    pub ordered_at: Option<Timestamp>,
    /// The first `shipped` event.
    pub shipped_at: Option<Timestamp>,
    /// When this state came to us from the ERP.
    pub recorded_at: Timestamp,
}

/// A row of `order_line`.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = order_line)]
pub struct Line {
    /// Of which order.
    pub order_number: String,
    /// The ERP's item number, as it writes it: `10`, `000010`.
    pub line: String,
    /// The ERP's code of the material.
    pub material: String,
    /// The product's name.
    pub name: String,
    /// 批准文号.
    pub approval_number: Option<String>,
    /// 批号: free text of the maker; no date is read from it.
    pub batch: Option<String>,
    /// `YYYY-MM-DD`.
    pub expiry: Option<String>,
    /// A decimal, in `unit`, as the ERP writes it.
    pub quantity: String,
    /// The ERP's sales unit.
    pub unit: String,
    /// A code of [`Storage`].
    pub storage: String,
}

impl Line {
    /// The same line but for the way its quantity is written.
    fn says_the_same_as(&self, other: &Self) -> bool {
        let written = Self { quantity: other.quantity.clone(), ..self.clone() };
        written == *other && plain(&self.quantity) == plain(&other.quantity)
    }
}

/// A decimal without the zeros that say nothing.
fn plain(quantity: &str) -> (&str, &str) {
    let (whole, fraction) = quantity.split_once('.').unwrap_or((quantity, ""));
    (whole.trim_start_matches('0'), fraction.trim_end_matches('0'))
}

/// The order in which people count item numbers: `2` before `10`, numbers before words.
pub fn by_item(one: &str, other: &str) -> Ordering {
    let number = |text: &str| text.parse::<u64>().map_err(|_| ());
    match (number(one), number(other)) {
        (Ok(a), Ok(b)) => a.cmp(&b).then_with(|| one.cmp(other)),
        (Ok(_), Err(())) => Ordering::Less,
        (Err(()), Ok(_)) => Ordering::Greater,
        (Err(()), Err(())) => one.cmp(other),
    }
}

/// A row of `order_event`.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = order_event)]
pub struct Event {
    /// Of which order.
    pub order_number: String,
    /// Given once, in the order in which we heard of the events.
    pub n: i64,
    /// A code of [`EventKind`].
    pub kind: String,
    /// When it happened, as the ERP says.
    pub at: Timestamp,
    /// Commitment of the login or name of who acted.
    pub by_sealed: Option<String>,
}

/// A row of `order_hold`: a recalled batch is on the order, and nothing goes before QA says so.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = order_hold)]
pub struct Hold {
    /// Which order.
    pub order_number: String,
    /// Because of which recall.
    pub recall: String,
    /// Since when.
    pub held_at: Timestamp,
    /// Until when; none while held.
    pub released_at: Option<Timestamp>,
    /// By which account.
    pub released_by: Option<String>,
    /// Why.
    pub reason: Option<String>,
}

/// An order as the ERP wants it, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The ERP's number.
    pub number: String,
    /// The ERP's code of the customer.
    pub customer_code: String,
    /// The customer's name.
    pub customer_name: String,
    /// Where the goods go.
    pub ship_to: Option<String>,
    /// Each line once, by item.
    pub lines: Vec<Line>,
    /// Each kind and instant once, by instant.
    pub events: Vec<WantedEvent>,
}

/// An event as the ERP tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedEvent {
    /// What happened.
    pub kind: EventKind,
    /// When.
    pub at: Timestamp,
    /// The login or name of who acted.
    pub by: Option<String>,
}

impl Wanted {
    /// The first event of this kind.
    pub fn first(&self, kind: EventKind) -> Option<Timestamp> {
        self.events.iter().filter(|event| event.kind == kind).map(|event| event.at).min()
    }
}

/// What stands behind commitments.
pub type Plain = HashMap<String, String>;

/// An order with all that belongs to its snapshot.
#[derive(Debug, Clone)]
pub struct OrderState {
    /// The order's own row.
    pub order: SalesOrder,
    /// By item, as people count.
    pub lines: Vec<Line>,
    /// By `n`.
    pub events: Vec<Event>,
    /// By recall.
    pub holds: Vec<Hold>,
    /// Of releases, by id.
    pub signatures: Vec<Signature>,
}

impl OrderState {
    /// The ledger's subject.
    pub fn subject(&self) -> Subject {
        subject(&self.order.number)
    }

    /// Whether a hold stands that nobody has released.
    pub fn is_held(&self) -> bool {
        self.holds.iter().any(|hold| hold.released_at.is_none())
    }

    /// The commitments of all its personal values.
    pub fn commitments(&self) -> Vec<String> {
        let order = [Some(&self.order.customer_sealed), self.order.ship_to_sealed.as_ref()];
        let events = self.events.iter().map(|event| event.by_sealed.as_ref());
        order.into_iter().chain(events).flatten().cloned().collect()
    }

    /// The event of this kind and instant.
    pub fn event(&self, wanted: &WantedEvent) -> Option<&Event> {
        self.events.iter().find(|event| event.kind == wanted.kind.code() && event.at == wanted.at)
    }

    /// Whether the ERP says nothing that we do not have; `plain` is what stands behind our commitments.
    pub fn agrees_with(&self, wanted: &Wanted, plain: &Plain) -> bool {
        let sealed = |commitment: Option<&String>| commitment.map(|hex| plain.get(hex));
        let same = |held: Option<Option<&String>>, wanted: Option<&String>| match (held, wanted) {
            (None, None) => true,
            (Some(held), Some(wanted)) => held == Some(wanted),
            _ => false,
        };
        self.order.customer_code == wanted.customer_code
            && same(sealed(Some(&self.order.customer_sealed)), Some(&wanted.customer_name))
            && same(sealed(self.order.ship_to_sealed.as_ref()), wanted.ship_to.as_ref())
            && self.lines_agree_with(&wanted.lines)
            && self.events.len() == wanted.events.len()
            && wanted.events.iter().all(|event| {
                self.event(event).is_some_and(|held| same(sealed(held.by_sealed.as_ref()), event.by.as_ref()))
            })
    }

    /// Whether the lines say the same.
    pub fn lines_agree_with(&self, wanted: &[Line]) -> bool {
        self.lines.len() == wanted.len()
            && self.lines.iter().zip(wanted).all(|(held, wanted)| held.says_the_same_as(wanted))
    }

    /// The order's snapshot, shape 1.
    pub fn snapshot(&self) -> Snapshot {
        let mut lines: Vec<&Line> = self.lines.iter().collect();
        lines.sort_by(|a, b| a.line.cmp(&b.line));
        let lines = lines.into_iter().map(line_row).collect::<Vec<serde_json::Value>>();
        let events = self.events.iter().map(event_row).collect::<Vec<serde_json::Value>>();
        let holds = self.holds.iter().map(hold_row).collect::<Vec<serde_json::Value>>();
        let signatures = self.signatures.iter().map(Signature::row).collect::<Vec<serde_json::Value>>();
        Snapshot::new(&self.subject(), 1)
            .set("customer_code", self.order.customer_code.as_str())
            .sealed("customer_name", Some(&self.order.customer_sealed))
            .sealed("ship_to", self.order.ship_to_sealed.as_deref())
            .instant("ordered_at", self.order.ordered_at)
            .instant("shipped_at", self.order.shipped_at)
            .instant("recorded_at", self.order.recorded_at)
            .set("lines", lines)
            .set("events", events)
            .set("holds", holds)
            .set("signatures", signatures)
            .rows("sales_order", 1)
            .rows("order_line", self.lines.len())
            .rows("order_event", self.events.len())
            .rows("order_hold", self.holds.len())
            .rows("signature", self.signatures.len())
    }
}

fn line_row(line: &Line) -> serde_json::Value {
    Row::new()
        .set("line", line.line.as_str())
        .set("material", line.material.as_str())
        .set("name", line.name.as_str())
        .set("approval_number", line.approval_number.clone())
        .set("batch", line.batch.clone())
        .set("expiry", line.expiry.clone())
        .set("quantity", line.quantity.as_str())
        .set("unit", line.unit.as_str())
        .set("storage", line.storage.as_str())
        .into()
}

fn event_row(event: &Event) -> serde_json::Value {
    Row::new()
        .set("n", event.n)
        .set("kind", event.kind.as_str())
        .instant("at", event.at)
        .sealed("by", event.by_sealed.as_deref())
        .into()
}

fn hold_row(hold: &Hold) -> serde_json::Value {
    Row::new()
        .set("recall", hold.recall.as_str())
        .instant("held_at", hold.held_at)
        .instant("released_at", hold.released_at)
        .set("released_by", hold.released_by.clone())
        .set("reason", hold.reason.clone())
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_plain_ascii_and_no_path_of_ours() {
        for number in ["80012345", "A", "4500012345-1", "so_1.2", &"9".repeat(40)] {
            assert!(is_number(number), "{number}");
        }
        for number in ["", "..", ".", "import", "8 1", "订单1", "a/b", "a%2f", &"9".repeat(41)] {
            assert!(!is_number(number), "{number}");
        }
    }

    #[test]
    fn items_are_counted_as_people_count() {
        let mut items = ["100", "x", "20", "000010", "9", "10"];
        items.sort_by(|a, b| by_item(a, b));
        assert_eq!(items, ["9", "000010", "10", "20", "100", "x"]);
    }

    fn line(quantity: &str, storage: Storage) -> Line {
        Line {
            order_number: "1".to_owned(),
            line: "10".to_owned(),
            material: "100238".to_owned(),
            name: "Insulin".to_owned(),
            approval_number: None,
            batch: Some("230815".to_owned()),
            expiry: None,
            quantity: quantity.to_owned(),
            unit: "BOX".to_owned(),
            storage: storage.code().to_owned(),
        }
    }

    #[test]
    fn quantities_are_compared_as_numbers() {
        for (one, other, same) in [
            ("10.500", "10.5", true),
            ("010", "10", true),
            ("10", "10.000", true),
            ("0", "0.0", true),
            ("10", "1", false),
            ("10.05", "10.5", false),
            ("100", "1", false),
        ] {
            let (one, other) = (line(one, Storage::Ambient), line(other, Storage::Ambient));
            assert_eq!(one.says_the_same_as(&other), same, "{} {}", one.quantity, other.quantity);
        }
    }

    #[test]
    fn a_line_that_is_not_ambient_adds_the_cold_chain_to_each_event() {
        let warm = [line("1", Storage::Ambient)];
        let cold = [line("1", Storage::Ambient), line("1", Storage::Cold)];
        assert_eq!(processes_of("ordered", &warm), ["order_intake", "credit_check"]);
        assert_eq!(processes_of("shipped", &cold), ["shipping", "cold_chain"]);
        assert_eq!(processes_of("cancelled", &warm), ["order_change"]);
        for kind in EventKind::ALL {
            assert!(!processes_of(kind.code(), &warm).is_empty(), "{kind:?}");
        }
    }
}
