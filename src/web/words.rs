//! The words of the interface: Fluent messages, Chinese and English, looked up by key.
//!
//! All files of `templates/words/<tag>/` are part of the binary and read once. A message without placeables is kept
//! as plain text, so that the usual look-up is one probe of a map; the others are put together by Fluent. A missing
//! key shows as itself and is logged: a page never fails for want of a word, and a test finds it first.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::types::FluentNumber;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use fluent_syntax::ast;
use rust_embed::RustEmbed;
use unic_langid::LanguageIdentifier;

use super::format;

/// A language of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Lang {
    /// 简体中文, the default.
    #[default]
    Zh,
    /// English.
    En,
}

impl Lang {
    /// Both, the default first.
    pub const ALL: [Self; 2] = [Self::Zh, Self::En];

    /// The BCP 47 tag, as in `lang` attributes, in cookies and in the names of word folders.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Zh => "zh-CN",
            Self::En => "en",
        }
    }

    /// The language's own name.
    pub const fn own_name(self) -> &'static str {
        match self {
            Self::Zh => "中文",
            Self::En => "English",
        }
    }

    /// The other one: where the language switch leads.
    pub const fn other(self) -> Self {
        match self {
            Self::Zh => Self::En,
            Self::En => Self::Zh,
        }
    }

    /// Reads a tag by its primary language: `zh`, `zh-Hans-CN` and `en-GB` are known.
    pub fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.trim().split(['-', '_']).next()?;
        match primary {
            _ if primary.eq_ignore_ascii_case("zh") => Some(Self::Zh),
            _ if primary.eq_ignore_ascii_case("en") => Some(Self::En),
            _ => None,
        }
    }

    /// The language somebody gets: the `lang` cookie, else the best of `Accept-Language`, else Chinese.
    pub fn negotiate(cookie: Option<&str>, accept: Option<&str>) -> Self {
        cookie.and_then(Self::of_tag).or_else(|| best_of(accept?)).unwrap_or_default()
    }
}

/// The known language with the highest weight; the first of equals.
fn best_of(accept: &str) -> Option<Lang> {
    let mut best: Option<(Lang, f32)> = None;
    for range in accept.split(',') {
        let mut parts = range.split(';');
        let Some(lang) = parts.next().and_then(Lang::of_tag) else { continue };
        let weight =
            parts.find_map(|part| part.trim().strip_prefix("q=")).map_or(Some(1.0), |q| q.parse().ok());
        let weight: f32 = weight.unwrap_or(0.0);
        if weight > 0.0 && best.is_none_or(|(_, held)| weight > held) {
            best = Some((lang, weight));
        }
    }
    best.map(|(lang, _)| lang)
}

/// An argument of a message: made by `.into()` from texts and whole numbers, which are written in groups of three.
/// A year or another number that is a name goes in as text.
pub type Arg<'a> = FluentValue<'a>;

/// The words of one language. Copied freely: it is one reference.
#[derive(Clone, Copy)]
pub struct Words(&'static Lexicon);

impl std::fmt::Debug for Words {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Words({})", self.0.lang.tag())
    }
}

impl Words {
    /// The words of `lang`.
    pub fn of(lang: Lang) -> Self {
        match lang {
            Lang::Zh => Self(&ZH),
            Lang::En => Self(&EN),
        }
    }

    /// The language of these words.
    pub fn lang(self) -> Lang {
        self.0.lang
    }

    /// The message `key`, or an attribute written `key.attribute`.
    pub fn t(self, key: &str) -> Cow<'static, str> {
        match self.0.plain.get(key) {
            Some(text) => Cow::Borrowed(text),
            None => Cow::Owned(self.0.composed(key, None)),
        }
    }

    /// The message `key` with arguments.
    pub fn with(self, key: &str, args: &[(&str, Arg<'_>)]) -> Cow<'static, str> {
        match self.0.plain.get(key) {
            Some(text) => Cow::Borrowed(text),
            None => {
                let args =
                    args.iter().map(|(name, value)| (*name, value.clone())).collect::<FluentArgs<'_>>();
                Cow::Owned(self.0.composed(key, Some(&args)))
            }
        }
    }

    /// The message `key` with one argument.
    pub fn one<'a>(self, key: &str, name: &str, value: impl Into<Arg<'a>>) -> Cow<'static, str> {
        self.with(key, &[(name, value.into())])
    }

    /// The attribute `attribute` of the message `key`, with arguments.
    pub fn attr(self, key: &str, attribute: &str, args: &[(&str, Arg<'_>)]) -> Cow<'static, str> {
        self.with(&format!("{key}.{attribute}"), args)
    }

    /// Whether there is such a message, or such an attribute (`key.attribute`).
    pub fn has(self, key: &str) -> bool {
        self.0.plain.contains_key(key) || self.0.composed.contains(key)
    }

    /// All keys, attributes as `key.attribute`: for the test that both languages are complete.
    pub fn keys(self) -> BTreeSet<&'static str> {
        let composed = self.0.composed.iter().map(String::as_str);
        self.0.plain.keys().map(String::as_str).chain(composed).collect()
    }

    /// What is wrong with the word files: unreadable lines, keys defined twice. Empty in a program that passed its tests.
    pub fn faults(self) -> &'static [String] {
        &self.0.faults
    }
}

#[derive(RustEmbed)]
#[folder = "templates/words"]
struct Files;

static ZH: LazyLock<Lexicon> = LazyLock::new(|| Lexicon::read(Lang::Zh));
static EN: LazyLock<Lexicon> = LazyLock::new(|| Lexicon::read(Lang::En));

struct Lexicon {
    lang: Lang,
    plain: HashMap<String, String>,
    composed: BTreeSet<String>,
    bundle: FluentBundle<FluentResource>,
    faults: Vec<String>,
}

impl Lexicon {
    fn read(lang: Lang) -> Self {
        let locale: LanguageIdentifier = lang.tag().parse().expect("our own tags are well formed");
        let mut bundle = FluentBundle::new_concurrent(vec![locale]);
        bundle.set_use_isolating(false);
        bundle.set_formatter(Some(match lang {
            Lang::Zh => |value, _| grouped(value, Lang::Zh),
            Lang::En => |value, _| grouped(value, Lang::En),
        }));
        let mut words =
            Self { lang, plain: HashMap::new(), composed: BTreeSet::new(), bundle, faults: Vec::new() };
        let folder = format!("{}/", lang.tag());
        for path in Files::iter().filter(|path| path.starts_with(&folder)) {
            if let Some(file) = Files::get(&path) {
                words.take(&path, &String::from_utf8_lossy(&file.data));
            }
        }
        words
    }

    fn take(&mut self, path: &str, text: &str) {
        let resource = FluentResource::try_new(text.to_owned()).unwrap_or_else(|(rest, errors)| {
            self.faults.extend(errors.iter().map(|error| format!("{path}: {error}")));
            rest
        });
        for entry in resource.entries() {
            if let ast::Entry::Message(message) = entry {
                let value = message.value.iter().map(|pattern| (message.id.name.to_owned(), pattern));
                let attributes = message.attributes.iter();
                let attributes =
                    attributes.map(|each| (format!("{}.{}", message.id.name, each.id.name), &each.value));
                for (key, pattern) in value.chain(attributes) {
                    match plain_text(pattern) {
                        Some(text) => _ = self.plain.insert(key, text),
                        None => _ = self.composed.insert(key),
                    }
                }
            }
        }
        if let Err(errors) = self.bundle.add_resource(resource) {
            self.faults.extend(errors.iter().map(|error| format!("{path}: {error}")));
        }
    }

    fn composed(&self, key: &str, args: Option<&FluentArgs<'_>>) -> String {
        let (id, attribute) = key.split_once('.').map_or((key, None), |(id, rest)| (id, Some(rest)));
        let message = self.bundle.get_message(id);
        let pattern = message.and_then(|message| match attribute {
            None => message.value(),
            Some(name) => message.get_attribute(name).map(|attribute| attribute.value()),
        });
        let Some(pattern) = pattern else {
            tracing::warn!(lang = self.lang.tag(), key, "no such message");
            return key.to_owned();
        };
        let mut errors = Vec::new();
        let text = self.bundle.format_pattern(pattern, args, &mut errors).into_owned();
        if let Some(error) = errors.first() {
            tracing::warn!(lang = self.lang.tag(), key, %error, "message incomplete");
        }
        text
    }
}

/// The text of a pattern that has no placeables.
fn plain_text(pattern: &ast::Pattern<&str>) -> Option<String> {
    let mut text = String::new();
    for element in &pattern.elements {
        match element {
            ast::PatternElement::TextElement { value } => text.push_str(value),
            ast::PatternElement::Placeable { .. } => return None,
        }
    }
    Some(text)
}

/// Whole numbers in groups of three; everything else as Fluent writes it.
fn grouped(value: &FluentValue<'_>, lang: Lang) -> Option<String> {
    match value {
        FluentValue::Number(FluentNumber { value, .. }) if value.fract() == 0.0 && value.abs() < 9e15 => {
            Some(format::grouped(*value as i64, lang))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_message_is_borrowed_and_an_attribute_is_asked_for_with_a_point() {
        let w = Words::of(Lang::Zh);
        assert!(matches!(w.t("base-skip"), Cow::Borrowed("跳到正文")));
        assert!(matches!(w.attr("base-demo", "detail", &[]), Cow::Borrowed(_)));
        assert!(w.has("base-demo.detail") && w.has("problem-not-found.detail"));
        assert!(!w.has("base-demo.nothing") && !w.has("base"));
    }

    #[test]
    fn arguments_are_put_in_without_isolation_marks() {
        let said = Words::of(Lang::En)
            .with("problem-not-found.detail", &[("kind", "order".into()), ("id", "80012345".into())]);
        assert_eq!(said, "There is no order 80012345.");
    }
}
