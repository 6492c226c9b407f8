//! The head of a Markdown file that is imported: what the document is called, who owns it, whom it concerns.
//!
//! It is the subset of YAML that such heads use, a mapping of words, numbers and lists of words. Anchors,
//! aliases, tags and nesting are refused rather than interpreted, so no head can grow in memory or mean
//! something else than it shows. All faults are found in one go, each with its line.

use std::collections::BTreeMap;

use granit_parser::{Event, Parser, ScalarStyle};

/// The longest head, in bytes.
pub const HEAD_LIMIT: usize = 16 << 10;

const KEYS: &[&str] = &[
    "number",
    "kind",
    "department",
    "title",
    "language",
    "authoritative",
    "owner",
    "owner_role",
    "processes",
    "audience",
    "review_months",
    "version",
    "effective_from",
    "change_summary",
    "change_reason",
];

/// What the head of a file says. Codes and dates stand as written; their meaning is checked where it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrontMatter {
    /// Document number, `SOP-CS-001`.
    pub number: String,
    /// Kind code, `sop`.
    pub kind: String,
    /// Department code.
    pub department: String,
    /// Title in the language of this file.
    pub title: String,
    /// BCP 47 tag of this file's text.
    pub language: String,
    /// This text is the authoritative one.
    pub authoritative: bool,
    /// Login of the owner; this or `owner_role` is given.
    pub owner: Option<String>,
    /// Role whose holder owns the document.
    pub owner_role: Option<String>,
    /// Process codes.
    pub processes: Vec<String>,
    /// Role codes of the audience.
    pub audience: Vec<String>,
    /// Months between periodic reviews.
    pub review_months: u32,
    /// Version number, where the file brings one along.
    pub version: Option<String>,
    /// Date or instant from which it is asked to be in force, as written.
    pub effective_from: Option<String>,
    /// What changed.
    pub change_summary: Option<String>,
    /// Why it changed.
    pub change_reason: Option<String>,
}

/// What is wrong with a head, and where; lines and columns count from 1 in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrontMatterFault {
    /// What is wrong.
    pub kind: FrontMatterFaultKind,
    /// The line; for something that lacks, the first line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

/// What is wrong with a head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FrontMatterFaultKind {
    /// The file doesn't begin with a line `---`.
    Absent,
    /// No second line `---`.
    Unclosed,
    /// Longer than [`HEAD_LIMIT`].
    TooLong,
    /// Not YAML.
    Broken,
    /// Anchor, alias, tag, nesting or a second document.
    NotPlain,
    /// A key that doesn't exist.
    Unknown(String),
    /// A key given twice.
    Repeated(String),
    /// A key that must be given; `owner` stands for `owner` or `owner_role`.
    Lacking(&'static str),
    /// Not one piece of text, or an empty one.
    NotText(&'static str),
    /// Not a list of texts.
    NotList(&'static str),
    /// Not a whole number from 1 to 120.
    NotMonths(&'static str),
    /// Neither `true` nor `false`.
    NotTruth(&'static str),
}

/// Reads the head of `file` and returns it with the text below.
///
/// # Errors
/// All faults of the head, in the order of their lines.
pub fn parse(file: &str) -> Result<(FrontMatter, &str), Vec<FrontMatterFault>> {
    let (head, body) = split(file).map_err(|kind| vec![fault(kind, (1, 1))])?;
    let mut fields = Fields::read(head);
    let front_matter = FrontMatter {
        number: fields.text("number"),
        kind: fields.text("kind"),
        department: fields.text("department"),
        title: fields.text("title"),
        language: fields.text("language"),
        authoritative: fields.truth("authoritative"),
        owner: fields.optional("owner"),
        owner_role: fields.optional("owner_role"),
        processes: fields.list("processes"),
        audience: fields.list("audience"),
        review_months: fields.months("review_months"),
        version: fields.optional("version"),
        effective_from: fields.optional("effective_from"),
        change_summary: fields.optional("change_summary"),
        change_reason: fields.optional("change_reason"),
    };
    if !fields.given.contains_key("owner") && !fields.given.contains_key("owner_role") {
        fields.lacking("owner");
    }
    if fields.faults.is_empty() {
        return Ok((front_matter, body));
    }
    fields.faults.sort_by_key(|fault| (fault.line, fault.column));
    Err(fields.faults)
}

/// The lines between the two `---`, and what follows them without leading blank lines.
fn split(file: &str) -> Result<(&str, &str), FrontMatterFaultKind> {
    let rest = file.strip_prefix("---\n").ok_or(FrontMatterFaultKind::Absent)?;
    let mut at = 0;
    for line in rest.split_inclusive('\n') {
        if line.trim_end() == "---" {
            if at > HEAD_LIMIT {
                return Err(FrontMatterFaultKind::TooLong);
            }
            return Ok((&rest[..at], rest[at + line.len()..].trim_start_matches('\n')));
        }
        at += line.len();
    }
    Err(FrontMatterFaultKind::Unclosed)
}

type Place = (usize, usize);

enum Value {
    Text(String),
    List(Vec<String>),
}

struct Fields {
    given: BTreeMap<&'static str, (Value, Place)>,
    faults: Vec<FrontMatterFault>,
}

impl Fields {
    fn read(head: &str) -> Self {
        let mut fields = Self { given: BTreeMap::new(), faults: Vec::new() };
        if let Err(fault) = fields.follow(head) {
            fields.faults = vec![fault];
            // One broken place explains everything that seems to lack after it.
            fields.given.clear();
        }
        fields
    }

    fn follow(&mut self, head: &str) -> Result<(), FrontMatterFault> {
        let mut events = Parser::new_from_str(head).filter_map(|event| match event {
            Ok((
                Event::StreamStart | Event::StreamEnd | Event::DocumentStart(..) | Event::DocumentEnd,
                _,
            )) => None,
            Ok((Event::Comment(..), _)) => None,
            // The head begins on the second line of the file.
            Ok((event, span)) => Some(Ok((event, (span.start.line() + 1, span.start.col() + 1)))),
            Err(error) => {
                let place = (error.marker().line() + 1, error.marker().col() + 1);
                Some(Err(fault(FrontMatterFaultKind::Broken, place)))
            }
        });
        match events.next().transpose()? {
            None => return Ok(()),
            Some((Event::MappingStart(_, 0, None), _)) => {}
            Some((_, place)) => return Err(fault(FrontMatterFaultKind::NotPlain, place)),
        }
        loop {
            let (key, place) = match events.next().transpose()? {
                Some((Event::MappingEnd, _)) => break,
                Some((Event::Scalar(key, _, 0, None), place)) => (key, place),
                Some((_, place)) => return Err(fault(FrontMatterFaultKind::NotPlain, place)),
                None => return Ok(()),
            };
            let value = match events.next().transpose()? {
                Some((Event::Scalar(text, style, 0, None), _)) => scalar(&text, style),
                Some((Event::SequenceStart(_, 0, None), _)) => Value::List(sequence(&mut events)?),
                Some((_, place)) => return Err(fault(FrontMatterFaultKind::NotPlain, place)),
                None => return Ok(()),
            };
            self.give(&key, value, place);
        }
        match events.next().transpose()? {
            None => Ok(()),
            Some((_, place)) => Err(fault(FrontMatterFaultKind::NotPlain, place)),
        }
    }

    fn give(&mut self, key: &str, value: Value, place: Place) {
        let Some(known) = KEYS.iter().find(|known| **known == key) else {
            let kind = FrontMatterFaultKind::Unknown(key.to_owned());
            return self.faults.push(fault(kind, place));
        };
        if self.given.insert(known, (value, place)).is_some() {
            let kind = FrontMatterFaultKind::Repeated(key.to_owned());
            self.faults.push(fault(kind, place));
        }
    }

    fn lacking(&mut self, key: &'static str) {
        let broken = |fault: &FrontMatterFault| {
            matches!(fault.kind, FrontMatterFaultKind::Broken | FrontMatterFaultKind::NotPlain)
        };
        if !self.faults.iter().any(broken) {
            self.faults.push(fault(FrontMatterFaultKind::Lacking(key), (1, 1)));
        }
    }

    fn text(&mut self, key: &'static str) -> String {
        if !self.given.contains_key(key) {
            self.lacking(key);
        }
        self.optional(key).unwrap_or_default()
    }

    fn optional(&mut self, key: &'static str) -> Option<String> {
        match self.given.get(key)? {
            (Value::Text(text), _) if !text.trim().is_empty() => Some(text.trim().to_owned()),
            (_, place) => {
                self.faults.push(fault(FrontMatterFaultKind::NotText(key), *place));
                None
            }
        }
    }

    fn list(&mut self, key: &'static str) -> Vec<String> {
        match self.given.get(key) {
            Some((Value::List(list), _)) => list.clone(),
            Some((Value::Text(_), place)) => {
                self.faults.push(fault(FrontMatterFaultKind::NotList(key), *place));
                Vec::new()
            }
            None => {
                self.lacking(key);
                Vec::new()
            }
        }
    }

    fn months(&mut self, key: &'static str) -> u32 {
        let Some((value, place)) = self.given.get(key) else {
            self.lacking(key);
            return 0;
        };
        let months = match value {
            Value::Text(text) => text.parse().ok().filter(|months| (1..=120).contains(months)),
            Value::List(_) => None,
        };
        months.unwrap_or_else(|| {
            self.faults.push(fault(FrontMatterFaultKind::NotMonths(key), *place));
            0
        })
    }

    fn truth(&mut self, key: &'static str) -> bool {
        let Some((value, place)) = self.given.get(key) else {
            self.lacking(key);
            return false;
        };
        match value {
            Value::Text(text) if text == "true" => true,
            Value::Text(text) if text == "false" => false,
            _ => {
                self.faults.push(fault(FrontMatterFaultKind::NotTruth(key), *place));
                false
            }
        }
    }
}

/// YAML's null is an empty text here, which no field accepts.
fn scalar(text: &str, style: ScalarStyle) -> Value {
    let is_null = style == ScalarStyle::Plain && matches!(text, "~" | "null");
    Value::Text(if is_null { String::new() } else { text.to_owned() })
}

fn sequence<'e>(
    events: &mut impl Iterator<Item = Result<(Event<'e>, Place), FrontMatterFault>>,
) -> Result<Vec<String>, FrontMatterFault> {
    let mut list = Vec::new();
    loop {
        match events.next().transpose()? {
            Some((Event::SequenceEnd, _)) | None => return Ok(list),
            Some((Event::Scalar(text, _, 0, None), _)) if !text.trim().is_empty() => {
                list.push(text.trim().to_owned());
            }
            Some((_, place)) => return Err(fault(FrontMatterFaultKind::NotPlain, place)),
        }
    }
}

fn fault(kind: FrontMatterFaultKind, (line, column): Place) -> FrontMatterFault {
    FrontMatterFault { kind, line, column }
}

#[cfg(test)]
mod tests {
    use super::*;
    use FrontMatterFaultKind::*;

    const HEAD: &str = "---\nnumber: SOP-CS-001\nkind: sop\ndepartment: CS\ntitle: 订单受理\nlanguage: zh-CN\nauthoritative: true\nowner_role: qa\nprocesses: [order_intake, order_change]\naudience:\n  - cs\n  - qa\nreview_months: 24\n";

    fn kinds(file: &str) -> Vec<(FrontMatterFaultKind, usize)> {
        let faults = parse(file).expect_err("the head has a fault");
        faults.into_iter().map(|fault| (fault.kind, fault.line)).collect()
    }

    #[test]
    fn a_complete_head_is_read_and_the_text_below_is_returned() {
        let file = format!("{HEAD}version: 2.0\neffective_from: 2026-03-01\n---\n\n# 目的\n");
        let (head, body) = parse(&file).expect("the head is complete");
        assert_eq!(body, "# 目的\n");
        assert_eq!((head.number.as_str(), head.title.as_str()), ("SOP-CS-001", "订单受理"));
        assert_eq!(head.version.as_deref(), Some("2.0"), "2.0 stays text");
        assert_eq!(head.effective_from.as_deref(), Some("2026-03-01"));
        assert_eq!(head.processes, ["order_intake", "order_change"]);
        assert_eq!(head.audience, ["cs", "qa"]);
        assert_eq!((head.authoritative, head.review_months), (true, 24));
        assert_eq!((head.owner, head.owner_role.as_deref()), (None, Some("qa")));
    }

    #[test]
    fn every_fault_of_a_head_is_named_with_its_line() {
        assert_eq!(kinds("# 目的\n"), [(Absent, 1)]);
        assert_eq!(kinds("---\nnumber: x\n"), [(Unclosed, 1)]);
        assert_eq!(kinds(&format!("---\n# {}\n---\n", "x".repeat(HEAD_LIMIT))), [(TooLong, 1)]);
        let more = format!("{HEAD}colour: red\nkind: form\nversion: [1]\n---\n");
        assert_eq!(
            kinds(&more),
            [(Unknown("colour".into()), 14), (Repeated("kind".into()), 15), (NotText("version"), 16)]
        );
        let wrong = HEAD
            .replace("24", "two")
            .replace("true", "yes")
            .replace("[order_intake, order_change]", "order_intake");
        assert_eq!(
            kinds(&format!("{wrong}---\n")),
            [(NotTruth("authoritative"), 7), (NotList("processes"), 9), (NotMonths("review_months"), 13)]
        );
        let without = HEAD.replace("owner_role: qa\n", "").replace("kind: sop\n", "");
        assert_eq!(kinds(&format!("{without}---\n")), [(Lacking("kind"), 1), (Lacking("owner"), 1)]);
        assert_eq!(kinds(&format!("{HEAD}version: ~\n---\n")), [(NotText("version"), 14)]);
    }

    #[test]
    fn anchors_aliases_tags_nesting_and_broken_yaml_are_refused() {
        for tail in ["version: &a x\n", "version: !!str x\n", "version: {a: b}\n", "version: [[a]]\n"] {
            assert_eq!(kinds(&format!("{HEAD}{tail}---\n")), [(NotPlain, 14)], "{tail}");
        }
        assert_eq!(kinds("---\n- a\n---\n"), [(NotPlain, 2)]);
        assert_eq!(kinds("---\nversion: *a\n---\n")[0].1, 2);
        assert_eq!(kinds("---\nnumber: \"x\n---\n")[0].0, Broken);
    }

    proptest::proptest! {
        #[test]
        fn no_head_makes_it_panic(head in "[a-z:&*!\\[\\]{}\"'|>#%@ \n-]{0,200}") {
            let _ = parse(&format!("---\n{head}\n---\nbody"));
        }
    }
}
