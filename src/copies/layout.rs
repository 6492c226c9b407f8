//! From a print's matter to the press's data: every word in the languages that are printed, laid out in the order of
//! the page description (`templates/pdf/version.typ`). Pure.

use chrono_tz::Tz;
use serde_json::{Value, json};

use super::sheet::{Impression, Kind, Sheet, watermark};
use crate::documents::prose::{Prose, in_tongue};
use crate::documents::record::Version;
use crate::documents::timeline::State;
use crate::error::Result;
use crate::ledger::store::Placed;
use crate::pdf::{self, Job};
use crate::time::Timestamp;
use crate::web::format;
use crate::web::parts::{EntryLink, Signature, Standing};
use crate::web::words::{Arg, Lang, Words};

const DESCRIPTION: &str = include_str!("../../templates/pdf/version.typ");
const DIAGRAMS: &str = include_str!("../../templates/pdf/diagram.css");

/// Where it is printed: the ledger's name and the zone of its instants.
#[derive(Debug, Clone)]
pub struct Site {
    /// The ledger's origin.
    pub origin: String,
    /// The zone.
    pub zone: Tz,
}

/// The languages of a print: each label stands in all of them.
struct Tongues(Vec<Words>);

impl Tongues {
    fn of(sheet: &Sheet) -> Self {
        let mut langs: Vec<Lang> = Vec::new();
        for text in &sheet.texts {
            let lang = Lang::of_tag(&text.lang).unwrap_or_default();
            if !langs.contains(&lang) {
                langs.push(lang);
            }
        }
        if langs.is_empty() {
            langs.push(Lang::default());
        }
        Self(langs.into_iter().map(Words::of).collect())
    }

    fn each(&self, key: &str, args: &[(&str, Arg<'_>)]) -> Vec<String> {
        self.0.iter().map(|words| words.with(key, args).into_owned()).collect()
    }

    fn t(&self, key: &str) -> String {
        self.with(key, &[])
    }

    fn with(&self, key: &str, args: &[(&str, Arg<'_>)]) -> String {
        let mut said = self.each(key, args);
        said.dedup();
        said.join(" ")
    }

    fn all<const N: usize>(&self, keys: [&str; N]) -> Vec<String> {
        keys.into_iter().map(|key| self.t(key)).collect()
    }

    /// An entry by its number, on paper that may be read after any recovery: from the second epoch on with its epoch.
    fn entry(&self, epoch: i64, seq: i64) -> String {
        let entry = format!("{} #{seq}", self.t("print-entry"));
        if epoch == 1 {
            return entry;
        }
        format!("{entry} {}", self.with("print-epoch", &[("n", epoch.into())]))
    }

    fn first(&self) -> Words {
        self.0[0]
    }
}

/// The languages and their countries, as the press wants them.
fn tongue(tag: &str) -> (&'static str, &'static str) {
    match Lang::of_tag(tag).unwrap_or_default() {
        Lang::Zh => ("zh", "cn"),
        Lang::En => ("en", "gb"),
    }
}

/// The job that prints a sheet. The same matter makes the same job, and so the same bytes.
///
/// # Errors
/// The address is too long for a QR code.
pub fn job(sheet: &Sheet, kind: &Kind, impression: Option<&Impression>, site: &Site) -> Result<Job> {
    let w = Tongues::of(sheet);
    let version = &sheet.shown.record.version;
    let names = titles(sheet);
    let authoritative = sheet.texts.first().map_or("zh-CN", |text| text.lang.as_str());
    let (lang, region) = tongue(authoritative);
    let at = impression.map_or(version.created_at, |made| made.at);
    let day = at.date_in(site.zone);
    let state = w.t(&format!("state-{}", sheet.shown.state.code()));
    let qr = impression.map(|made| pdf::qr(&made.address)).transpose()?;
    use chrono::Datelike as _;
    let data = json!({
        "lang": lang, "region": region,
        "meta": {
            "title": format!("{} V{} {}", version.document, version.version, names.join(" ")),
            "author": site.origin,
            "date": [day.year(), day.month(), day.day()],
        },
        "running": {
            "site": site.origin, "number": version.document, "version": format!("V{}", version.version),
            "state": state, "title": names.join("  "), "scan": w.t("print-scan"),
        },
        "qr": qr, "address": impression.map(|made| made.address.as_str()),
        "watermark": across(&w, kind, sheet.shown.state),
        "pages": page_numbers(&w),
        "foot": foot(&w, sheet, (kind, impression), site),
        "titles": sheet.texts.iter().zip(&names).map(|(text, name)| {
            let (lang, region) = tongue(&text.lang);
            json!({ "lang": lang, "region": region, "text": name })
        }).collect::<Vec<_>>(),
        "facts": facts(&w, sheet, kind, site.zone),
        "texts": texts(&w, sheet, &names),
        "history": history(&w, sheet, site.zone),
        "signatures": signatures(&w, sheet, site.zone),
    });
    let made = impression.map_or("archive", |made| made.address.as_str());
    let ident = format!("{} {}/{} {} {made}", site.origin, version.document, version.version, version.digest);
    Ok(Job { description: DESCRIPTION, data, ident })
}

fn titles(sheet: &Sheet) -> Vec<String> {
    let authoritative = &sheet.shown.around.document.authoritative_language;
    let title = |text: &Prose| in_tongue(&sheet.shown.carried.title, &text.lang, authoritative);
    sheet.texts.iter().map(title).collect()
}

/// What stands across the pages, with its width in half letters.
fn across(w: &Tongues, kind: &Kind, state: State) -> Value {
    let n = match kind {
        Kind::Controlled { n, .. } => n.to_string(),
        Kind::Uncontrolled | Kind::Archive => String::new(),
    };
    let lines = w.each(watermark(kind, state), &[("n", n.into())]);
    let width = |line: &str| line.chars().map(|c| if c >= '\u{2e80}' { 2 } else { 1 }).sum::<usize>();
    // A mark of two sentences stands in two lines.
    let lines = lines.iter().flat_map(|line| line.split('\u{a0}'));
    lines.map(|line| json!({ "text": line, "size": width(line) })).collect()
}

/// "Page x of y" cut at its numbers.
fn page_numbers(w: &Tongues) -> Vec<Vec<String>> {
    let said = w.each("print-page", &[("n", "\u{1}".into()), ("all", "\u{2}".into())]);
    said.iter().map(|said| said.split(['\u{1}', '\u{2}']).map(str::to_owned).collect()).collect()
}

/// Until when the paper may be followed; none for what may not.
fn valid_until(sheet: &Sheet, (kind, at): (&Kind, Timestamp), zone: Tz) -> Option<Timestamp> {
    let own = sheet.shown.until;
    let day = Timestamp::parse_end(&format::date(at, zone), zone);
    match (sheet.shown.state, kind) {
        (State::InForce, Kind::Uncontrolled) => day.map(|day| own.map_or(day, |own| own.min(day))),
        (State::InForce | State::Awaiting, Kind::Controlled { .. }) => own,
        _ => None,
    }
}

fn foot(w: &Tongues, sheet: &Sheet, (kind, made): (&Kind, Option<&Impression>), site: &Site) -> Vec<String> {
    let mut lines = Vec::new();
    let said = match kind {
        Kind::Controlled { n, holder, place } => {
            let args = [("n", n.to_string().into()), ("holder", holder.as_str().into())];
            let said = w.each("print-foot-controlled", &args).join("  ");
            if place.is_empty() { said } else { format!("{said}  {} {place}", w.t("print-place")) }
        }
        Kind::Uncontrolled if sheet.shown.state == State::InForce => {
            w.each("print-foot-uncontrolled", &[]).join("  ")
        }
        Kind::Archive => w.each("print-foot-archive", &[]).join("  "),
        Kind::Uncontrolled => w.each(&format!("print-foot-{}", sheet.shown.state.code()), &[]).join("  "),
    };
    lines.push(said);
    let version = &sheet.shown.record.version;
    let mut seals = Vec::new();
    if let Some(made) = made {
        let until =
            valid_until(sheet, (kind, made.at), site.zone).map(|until| format::minute(until, site.zone));
        let until = match kind {
            Kind::Controlled { .. } => Some(until.unwrap_or_else(|| w.t("print-until-recalled"))),
            _ => until,
        };
        let mut printed = vec![
            format!("{} {}", w.t("print-by"), made.by),
            format!("{} {}", w.t("print-at"), format::second(made.at, site.zone)),
        ];
        if let Some(until) = until {
            printed.push(format!("{} {until}", w.t("print-until")));
        }
        lines.push(printed.join(" · "));
        let hash = format::short_hash(&made.entry.leaf.to_string());
        seals.push(format!("{} {hash}", w.entry(made.entry.epoch, made.entry.seq)));
    } else if let Some(Placed { epoch, seq, leaf, .. }) = &sheet.entry {
        seals.push(format!("{} {}", w.entry(*epoch, *seq), format::short_hash(&leaf.to_string())));
    }
    seals.push(format!("{} {}", w.t("print-digest"), format::short_hash(&version.digest)));
    lines.push(seals.join(" · "));
    lines
}

fn facts(w: &Tongues, sheet: &Sheet, kind: &Kind, zone: Tz) -> Vec<[String; 2]> {
    let (shown, version) = (&sheet.shown, &sheet.shown.record.version);
    let document = &shown.around.document;
    let mut facts = vec![
        [w.t("print-number"), document.number.clone()],
        [w.t("print-version"), format!("V{}", version.version)],
        [w.t("print-state"), w.t(&format!("state-{}", shown.state.code()))],
        [w.t("print-kind"), w.t(&format!("documents-kind-{}", document.kind))],
        [w.t("print-department"), w.t(&format!("documents-department-{}", document.department))],
        [w.t("print-owner"), shown.around.owner.clone()],
    ];
    if let Some(from) = version.effective_from {
        facts.push([w.t("print-effective"), format::minute(from, zone)]);
    } else if let Some(asked) = version.asked_from {
        facts.push([w.t("print-asked"), format::minute(asked, zone)]);
    }
    if let Some(until) = shown.until {
        facts.push([w.t("print-ended"), format::minute(until, zone)]);
    } else if let Some(due) = shown.around.review_due.filter(|_| shown.state == State::InForce) {
        facts.push([w.t("print-review"), format::date(due, zone)]);
    }
    if let Kind::Controlled { n, holder, .. } = kind {
        facts.push([w.t("print-copy"), format!("No. {n}")]);
        facts.push([w.t("print-holder"), holder.clone()]);
    }
    if facts.len() % 2 == 1 {
        facts.push([w.t("print-authoritative"), w.t(&format!("document-tongue-{}", authoritative(sheet)))]);
    }
    facts
}

fn authoritative(sheet: &Sheet) -> &str {
    let tag = &sheet.shown.around.document.authoritative_language;
    if Lang::of_tag(tag) == Some(Lang::En) { "en" } else { "zh-CN" }
}

fn texts(w: &Tongues, sheet: &Sheet, names: &[String]) -> Vec<Value> {
    let tag = &sheet.shown.around.document.authoritative_language;
    let several = sheet.shown.record.renditions.len() > 1;
    let text = |(text, name): (&Prose, &String)| {
        let tree = text.tree(DIAGRAMS);
        let (lang, region) = tongue(&text.lang);
        let own = Words::of(Lang::of_tag(&text.lang).unwrap_or_else(|| w.first().lang()));
        let standing = match several {
            true if text.lang == *tag => own.t("print-authoritative-text").into_owned(),
            true => own.t("print-translated-text").into_owned(),
            false => String::new(),
        };
        json!({
            "lang": lang, "region": region, "title": name, "standing": standing,
            "blocks": tree.blocks, "notes": tree.notes,
        })
    };
    sheet.texts.iter().zip(names).map(text).collect()
}

fn history(w: &Tongues, sheet: &Sheet, zone: Tz) -> Value {
    let row = |version: &Version| {
        let from = version.effective_from.map_or_else(|| "–".to_owned(), |from| format::date(from, zone));
        [format!("V{}", version.version), from, version.change_summary.clone(), version.change_reason.clone()]
    };
    json!({
        "title": w.t("print-history"),
        "head": w.all(["print-version", "print-effective", "print-change", "print-reason"]),
        "rows": sheet.history.iter().map(row).collect::<Vec<_>>(),
    })
}

fn signatures(w: &Tongues, sheet: &Sheet, zone: Tz) -> Value {
    let row = |signature: &Signature| {
        let mut meaning = w.each(&format!("meaning-{}", signature.meaning), &[]).join("\n");
        if !signature.comment.is_empty() {
            meaning = format!("{meaning}\n{}", signature.comment);
        }
        let mut name = signature.name.clone();
        if !signature.role.is_empty() {
            name = format!("{name}\n{}", w.t(&format!("role-{}", signature.role)));
        }
        let at = match signature.standing {
            Standing::Open => w.t("parts-not-signed-yet"),
            Standing::Broken(at) => format!("{}\n{}", format::second(at, zone), w.t("print-broken")),
            Standing::Signed(at) | Standing::Final(at) => format::second(at, zone),
        };
        let mut seal = Vec::new();
        if !signature.hash.is_empty() {
            seal.push(format!("{} {}", w.t("print-digest"), format::short_hash(&signature.hash)));
        }
        if let Some(EntryLink { epoch, seq, leaf, .. }) = &signature.entry {
            seal.push(format!("{} {}", w.entry(*epoch, *seq), format::short_hash(leaf)));
        }
        [meaning, name, at, seal.join("\n")]
    };
    let version = &sheet.shown.record.version;
    let mut seals = vec![[w.t("print-digest"), version.digest.clone()]];
    if let Some(Placed { epoch, seq, leaf, .. }) = &sheet.entry {
        seals.push([w.entry(*epoch, *seq), leaf.to_string()]);
    }
    json!({
        "title": w.t("print-signatures"),
        "head": w.all(["print-meaning", "print-name", "print-signed", "print-seal"]),
        "rows": sheet.shown.signatures.iter().map(row).collect::<Vec<_>>(),
        "seals": seals,
        "notes": w.each("print-note", &[]),
    })
}
