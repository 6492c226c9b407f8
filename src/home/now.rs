//! The look-up: which instruction holds now, and which records bear a number.
//!
//! Every word must match: number, title, process or text of a version in force, in any of its languages, whatever the
//! case; of a Chinese title also the initials of its pinyin. A word that is the number of a record leads to the record
//! and need not stand in the text. Where no document has every word, those come that have most of their pieces (pairs
//! of Chinese characters, words of other scripts), and are said to be near rather than right.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use pinyin::ToPinyin;

use crate::documents::codes::process_word;
use crate::documents::read::PinnedVersion;
use crate::documents::{read, store as documents};
use crate::error::Result;
use crate::people::gate::Caller;
use crate::people::rights::Permission;
use crate::store::Db;
use crate::text::structure::{self, Section};
use crate::time::Timestamp;
use crate::web::words::{Lang, Words};
use crate::{deviations, orders, recalls};

/// Words of a query that are looked at.
const MOST_WORDS: usize = 8;
/// Hits shown.
const MOST_HITS: usize = 20;
/// Texts whose plain words are remembered.
const REMEMBERED: usize = 4096;

/// The plain words of texts by their digest, which never change; shared by the workers.
#[derive(Default)]
pub struct Texts(Mutex<HashMap<String, Arc<str>>>);

impl Texts {
    fn plain(&self, digest: &str, read: impl FnOnce() -> Result<String>) -> Result<Arc<str>> {
        let known = self.0.lock().ok().and_then(|texts| texts.get(digest).cloned());
        if let Some(known) = known {
            return Ok(known);
        }
        let plain: Arc<str> = structure::plain(&read()?).into();
        if let Ok(mut texts) = self.0.lock() {
            if texts.len() >= REMEMBERED {
                texts.clear();
            }
            texts.insert(digest.to_owned(), Arc::clone(&plain));
        }
        Ok(plain)
    }
}

/// What somebody looks for.
#[derive(Debug, Clone)]
pub struct Query {
    words: Vec<String>,
    lang: Lang,
    chosen: Option<String>,
    at: Timestamp,
    records: bool,
    roles: Vec<&'static str>,
}

impl Query {
    /// The query `text` of this reader at an instant; `chosen` is the document whose steps are to be shown.
    pub fn new(text: &str, (caller, lang): (&Caller, Lang), (chosen, at): (Option<&str>, Timestamp)) -> Self {
        let words = text.split_whitespace().take(MOST_WORDS).map(str::to_lowercase).collect();
        let records = caller.may(Permission::ReadRecords);
        let roles = caller.roles.iter().map(|role| role.code()).collect();
        Self { words, lang, chosen: chosen.map(str::to_owned), at, records, roles }
    }
}

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// Recalls that run for a batch that was named.
    pub recalls: Vec<Record>,
    /// Records whose number was named.
    pub records: Vec<Record>,
    /// Documents in force.
    pub hits: Vec<Hit>,
    /// No document has every word; the hits have most of their pieces.
    pub near: bool,
    /// The document shown beside the hits.
    pub open: Option<Open>,
    /// Where nothing was asked: what is in force for the reader.
    pub offered: Vec<Offered>,
}

/// A document that one may want to open without looking for it.
#[derive(Debug)]
pub struct Offered {
    /// Its number.
    pub number: String,
    /// The version in force.
    pub version: String,
    /// Its title, in the reader's language where there is one.
    pub title: String,
    /// Since when.
    pub effective_from: Timestamp,
}

impl Offered {
    fn of(pinned: &PinnedVersion, lang: Lang) -> Self {
        let (number, version) = (pinned.document.clone(), pinned.version.clone());
        Self { number, version, title: title(pinned, lang), effective_from: pinned.effective_from }
    }
}

/// A record that bears a number.
#[derive(Debug)]
pub struct Record {
    /// `order`, `batch`, `deviation`, `recall`.
    pub kind: &'static str,
    /// Its number.
    pub number: String,
    /// What it is called.
    pub title: String,
    /// Where it is.
    pub href: String,
}

/// A line of a document's text.
#[derive(Debug)]
pub struct Line {
    /// What it says, cut where it is long.
    pub words: String,
    /// The language of its text.
    pub lang: String,
}

/// A document in force that has all the words.
#[derive(Debug)]
pub struct Hit {
    /// Its number.
    pub number: String,
    /// The version in force.
    pub version: String,
    /// Its title, in the reader's language where there is one.
    pub title: String,
    /// The line of the text in which a word was found, in the reader's language where a text in that has one; none
    /// where number or title have them all.
    pub line: Option<Line>,
    /// Whether it is the one shown.
    pub open: bool,
    rank: u16,
}

/// A document's steps.
#[derive(Debug)]
pub struct Open {
    /// Its number.
    pub number: String,
    /// The version in force.
    pub version: String,
    /// Its title.
    pub title: String,
    /// Since when.
    pub effective_from: Timestamp,
    /// The language of the text shown.
    pub lang: String,
    /// Its numbered steps.
    pub sections: Vec<Section>,
}

/// Looks it up. An empty query finds nothing, and offers what is in force for the reader.
///
/// # Errors
/// The database does not answer.
pub fn look_up(db: &mut Db, texts: &Texts, query: &Query) -> Result<Found> {
    let mut found = Found::default();
    if query.words.is_empty() {
        let meant = read::meant_for(db, &query.roles, query.at)?;
        found.offered = meant.iter().map(|pinned| Offered::of(pinned, query.lang)).collect();
        return Ok(found);
    }
    let mut words = Vec::new();
    for word in &query.words {
        if !(query.records && records(db, word, &mut found)?) {
            words.push(word.as_str());
        }
    }
    if words.is_empty() {
        return Ok(found);
    }
    let in_force = read::all_in_force(db, query.at)?;
    for pinned in &in_force {
        found.hits.extend(hit(db, texts, (pinned, &words, query.lang))?);
    }
    if found.hits.is_empty() {
        for pinned in &in_force {
            found.hits.extend(near(db, texts, (pinned, &words, query.lang))?);
        }
        found.near = !found.hits.is_empty();
    }
    found.hits.sort_by(|one, other| (one.rank, &one.number).cmp(&(other.rank, &other.number)));
    found.hits.truncate(MOST_HITS);
    let chosen = found.hits.iter().position(|hit| Some(&hit.number) == query.chosen.as_ref()).unwrap_or(0);
    if let Some(hit) = found.hits.get_mut(chosen) {
        hit.open = true;
        let pinned = in_force.iter().find(|pinned| pinned.document == hit.number);
        found.open = pinned.map(|pinned| open(db, pinned, query.lang)).transpose()?;
    }
    Ok(found)
}

/// The records whose number is this word; whether there are any.
fn records(db: &mut Db, word: &str, found: &mut Found) -> Result<bool> {
    let upper = word.to_uppercase();
    let before = found.records.len() + found.recalls.len();
    let record = |kind, number: &str, title: String| {
        let href = format!("/{kind}s/{}", crate::web::page::percent(number));
        Record { kind, number: number.to_owned(), title, href }
    };
    for number in [word, upper.as_str()] {
        if orders::record::is_number(number) && orders::read::exists(db, number)? {
            let title = orders::read::title_of(db, number)?.unwrap_or_default();
            found.records.push(record("order", number, title));
            break;
        }
    }
    if let Some((title, _)) = deviations::read::head(db, &upper)? {
        found.records.push(record("deviation", &upper, title));
    }
    if let Some((title, _)) = recalls::read::head(db, &upper)? {
        found.records.push(record("recall", &upper, title));
    }
    for batch in if word == upper { vec![word] } else { vec![word, upper.as_str()] } {
        let running = recalls::trace::running(db, batch)?;
        found.recalls.extend(running.into_iter().map(|row| record("recall", &row.number, row.title)));
        let filter = orders::read::Filter { batch: Some(batch.to_owned()), ..Default::default() };
        if !orders::read::list(db, &filter, 1)?.is_empty() {
            let href = format!("/orders?batch={}", crate::web::page::percent(batch));
            found.records.push(Record {
                kind: "batch",
                number: batch.to_owned(),
                title: String::new(),
                href,
            });
        }
    }
    Ok(found.records.len() + found.recalls.len() > before)
}

fn hit(
    db: &mut Db,
    texts: &Texts,
    (pinned, words, lang): (&PinnedVersion, &[&str], Lang),
) -> Result<Option<Hit>> {
    let heads = heads(pinned);
    let in_head = |word: &&str| heads.iter().any(|head| head.contains(*word));
    let missing: Vec<&str> = words.iter().copied().filter(|word| !in_head(word)).collect();
    let mut line = None;
    if !missing.is_empty() {
        let texts = texts_of(db, texts, (pinned, lang))?;
        let lines = texts.iter().flat_map(|(tongue, text)| text.lines().map(move |line| (tongue, line)));
        let lines: Vec<(&String, &str, String)> =
            lines.map(|(tongue, line)| (tongue, line, line.to_lowercase())).collect();
        if !missing.iter().all(|word| lines.iter().any(|(.., lower)| lower.contains(word))) {
            return Ok(None);
        }
        let shown = lines.iter().find(|(.., lower)| missing.iter().any(|word| lower.contains(word)));
        line = shown.map(|(tongue, line, _)| Line::of(tongue, line));
    }
    let own_number = words.contains(&pinned.document.to_lowercase().as_str());
    let rank = if own_number { 0 } else { 1 + u16::from(!missing.is_empty()) };
    let title = title(pinned, lang);
    let (number, version) = (pinned.document.clone(), pinned.version.clone());
    Ok(Some(Hit { number, version, title, line, open: false, rank }))
}

/// A document that has at least half of each word's pieces; the more it has, and the more of them in its head, the
/// earlier it stands.
fn near(
    db: &mut Db,
    texts: &Texts,
    (pinned, words, lang): (&PinnedVersion, &[&str], Lang),
) -> Result<Option<Hit>> {
    let heads = heads(pinned);
    let plain = texts_of(db, texts, (pinned, lang))?;
    let lower: Vec<String> = plain.iter().map(|(_, text)| text.to_lowercase()).collect();
    let in_head = |piece: &String| heads.iter().any(|head| head.contains(piece));
    let has = |piece: &String| in_head(piece) || lower.iter().any(|text| text.contains(piece));
    let mut lacking = 0;
    for word in words {
        let pieces = pieces(word);
        let missing = pieces.iter().filter(|piece| !has(piece)).count();
        if missing * 2 > pieces.len() || missing == pieces.len() {
            return Ok(None);
        }
        lacking += missing * 2 + pieces.iter().filter(|piece| !in_head(piece)).count();
    }
    let wanted: Vec<String> = words.iter().flat_map(|word| pieces(word)).collect();
    let count = |line: &str| {
        let line = line.to_lowercase();
        wanted.iter().filter(|piece| line.contains(*piece)).count()
    };
    // The first text with any piece is the reader's own where there is one.
    let best = plain.iter().find_map(|(tongue, text)| {
        let lines = text.lines().map(|line| (count(line), line)).filter(|(count, _)| *count > 0);
        lines.max_by_key(|(count, _)| *count).map(|(_, line)| Line::of(tongue, line))
    });
    Ok(Some(Hit {
        number: pinned.document.clone(),
        version: pinned.version.clone(),
        title: title(pinned, lang),
        line: best,
        open: false,
        rank: u16::try_from(lacking).unwrap_or(u16::MAX),
    }))
}

/// The plain texts of a version with their languages, the reader's first.
fn texts_of(
    db: &mut Db,
    texts: &Texts,
    (pinned, lang): (&PinnedVersion, Lang),
) -> Result<Vec<(String, Arc<str>)>> {
    let mut found = Vec::new();
    for text in documents::renditions(db, &pinned.document, &pinned.version)? {
        let plain = texts.plain(&text.sha256, || documents::text(db, &text))?;
        found.push((text.lang, plain));
    }
    found.sort_by_key(|(tongue, _)| tongue != lang.tag());
    Ok(found)
}

/// What a word is made of: pairs of neighbouring Chinese characters, a lone one, and the words of other scripts.
fn pieces(word: &str) -> Vec<String> {
    let is_han = |c: &char| matches!(c, '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{323af}');
    let characters: Vec<char> = word.chars().collect();
    let runs = characters.chunk_by(|one, other| is_han(one) == is_han(other));
    let of_run = runs.flat_map(|run| match run {
        [first, _, ..] if is_han(first) => run.windows(2).map(|pair| pair.iter().collect()).collect(),
        _ => vec![run.iter().collect::<String>()],
    });
    of_run.collect()
}

/// What is not the text: number, titles, processes, and the initials of Chinese titles; in lower case.
fn heads(pinned: &PinnedVersion) -> Vec<String> {
    let mut heads = vec![pinned.document.to_lowercase()];
    heads.extend(pinned.title.values().map(|title| title.to_lowercase()));
    heads.extend(pinned.title.values().map(|title| initials(title)));
    for process in &pinned.processes {
        heads.push(process.clone());
        heads.extend(Lang::ALL.map(|lang| process_word(Words::of(lang), process).to_lowercase()));
    }
    heads
}

/// The initials of the pinyin of the Chinese characters, other letters as they are: 电话接单 is `dhjd`.
fn initials(title: &str) -> String {
    let letter = |c: char| match c.to_pinyin() {
        Some(sound) => sound.first_letter().to_owned(),
        None => c.to_lowercase().to_string(),
    };
    title.chars().map(letter).collect()
}

fn title(pinned: &PinnedVersion, lang: Lang) -> String {
    let own = pinned.title.get(lang.tag()).or_else(|| pinned.title.values().next());
    own.cloned().unwrap_or_else(|| pinned.document.clone())
}

impl Line {
    fn of(lang: &str, line: &str) -> Self {
        const LONGEST: usize = 90;
        let words = match line.char_indices().nth(LONGEST) {
            Some((end, _)) => format!("{}…", &line[..end]),
            None => line.to_owned(),
        };
        Self { words, lang: lang.to_owned() }
    }
}

fn open(db: &mut Db, pinned: &PinnedVersion, lang: Lang) -> Result<Open> {
    let texts = documents::renditions(db, &pinned.document, &pinned.version)?;
    let chosen = texts.iter().find(|text| text.lang == lang.tag()).or_else(|| texts.first());
    let (sections, lang) = match chosen {
        Some(text) => (structure::steps(&documents::text(db, text)?), text.lang.clone()),
        None => (Vec::new(), lang.tag().to_owned()),
    };
    Ok(Open {
        number: pinned.document.clone(),
        version: pinned.version.clone(),
        title: pinned.title.get(&lang).cloned().unwrap_or_else(|| pinned.document.clone()),
        effective_from: pinned.effective_from,
        lang,
        sections,
    })
}

#[cfg(test)]
mod tests {
    use super::{initials, pieces};

    #[test]
    fn a_word_is_taken_apart_into_pairs_of_chinese_characters_and_words_of_other_scripts() {
        assert_eq!(pieces("冷链退货"), ["冷链", "链退", "退货"]);
        assert_eq!(pieces("查gsp条"), ["查", "gsp", "条"]);
        assert_eq!(pieces("returns"), ["returns"]);
    }

    #[test]
    fn a_chinese_title_is_found_by_the_initials_of_its_pinyin() {
        assert_eq!(initials("电话接单作业指导"), "dhjdzyzd");
        assert_eq!(initials("CAPA 管理"), "capa gl");
    }
}
