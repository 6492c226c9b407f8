//! The growing of a [`Tree`] from Markdown's events: one pass, with what is open kept here.

use std::collections::HashMap;

use pulldown_cmark::{Alignment, Event, HeadingLevel, LinkType, Tag, TagEnd};

use super::inline::{is_line_break, pieces};
use super::links::{address, is_document_number};
use super::tree::{Block, Item, Run, Tree};
use super::writer::{MOST_DIAGRAMS, is_han_or_mark, language};
use super::{Numbered, RefTarget, RenderContext};
use crate::text::mermaid::{self, DiagramFault, DiagramFaultKind};

/// Quotes, lists and their items inside each other; deeper ones keep their words and lose the indent.
const DEEPEST: usize = 12;

/// What is open around the place where we read.
enum Open {
    Quote(Vec<Block>),
    List(Option<u64>, Vec<Item>),
    Item(Item),
    Note(String, Vec<Block>),
    /// Too deep to be drawn: its words go to what is around it.
    Nothing,
}

pub(super) struct Grower<'a> {
    context: RenderContext<'a>,
    style: &'a str,
    blocks: Vec<Block>,
    open: Vec<Open>,
    words: Vec<Run>,
    look: Run,
    /// How often a look was begun inside itself.
    depth: [usize; 3],
    levels: Vec<u8>,
    heading: usize,
    image: Option<(String, String, usize)>,
    /// What is written after the words of each open link, and the link around it.
    links: Vec<(Vec<Run>, Option<String>)>,
    code: Option<(String, String)>,
    table: Option<Table>,
    figures: usize,
    notes: Vec<Vec<Block>>,
    places: HashMap<String, usize>,
    joins: bool,
    in_reference: bool,
}

#[derive(Default)]
struct Table {
    aligned: Vec<&'static str>,
    head: Vec<Vec<Run>>,
    rows: Vec<Vec<Vec<Run>>>,
    row: Vec<Vec<Run>>,
}

impl<'a> Grower<'a> {
    pub(super) fn new(context: RenderContext<'a>, style: &'a str) -> Self {
        Self {
            context,
            style,
            blocks: Vec::new(),
            open: Vec::new(),
            words: Vec::new(),
            look: Run::default(),
            depth: [0; 3],
            levels: Vec::new(),
            heading: 1,
            image: None,
            links: Vec::new(),
            code: None,
            table: None,
            figures: 0,
            notes: Vec::new(),
            places: HashMap::new(),
            joins: false,
            in_reference: false,
        }
    }

    pub(super) fn finish(mut self) -> Tree {
        self.paragraph();
        Tree { blocks: self.blocks, notes: self.notes }
    }

    pub(super) fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => self.text(&text),
            Event::Code(code) => self.code_span(&code),
            Event::Html(html) | Event::InlineHtml(html) if is_line_break(&html) => self.line_end(),
            Event::Html(html) | Event::InlineHtml(html) => self.text(&html),
            Event::InlineMath(math) | Event::DisplayMath(math) => self.text(&math),
            Event::FootnoteReference(name) => {
                let number = self.note(&name) + 1;
                self.add(Run { text: format!("[{number}]"), raised: true, ..Run::default() });
            }
            Event::SoftBreak => match &mut self.image {
                Some((alt, ..)) => alt.push(' '),
                None => self.joins = true,
            },
            Event::HardBreak => self.line_end(),
            Event::Rule => {
                self.paragraph();
                self.put(Block::Rule);
            }
            Event::TaskListMarker(done) => {
                if let Some(Open::Item(item)) = self.open.last_mut() {
                    item.done = Some(done);
                }
            }
        }
    }

    fn add(&mut self, run: Run) {
        if self.image.is_none() {
            self.words.push(run);
        }
    }

    fn line_end(&mut self) {
        self.joins = false;
        self.add(Run { end: true, ..Run::default() });
    }

    /// A line end between two Han characters is no blank.
    fn join(&mut self, next: &str) {
        if !std::mem::take(&mut self.joins) {
            return;
        }
        let before = self.words.last().is_some_and(|run| run.text.ends_with(is_han_or_mark));
        if !(before && next.starts_with(is_han_or_mark)) {
            let blank = Run { text: " ".to_owned(), ..self.look.clone() };
            self.words.push(blank);
        }
    }

    fn text(&mut self, text: &str) {
        if let Some((_, source)) = &mut self.code {
            return source.push_str(text);
        }
        if let Some((alt, ..)) = &mut self.image {
            return alt.push_str(text);
        }
        self.join(text);
        let (look, words) = (&self.look, &mut self.words);
        // The number of a document is one word.
        if self.in_reference {
            return words.push(Run { text: text.to_owned(), kept: true, ..look.clone() });
        }
        pieces(text, |piece, kept| {
            words.push(Run { text: piece.replace(['\n', '\r'], " "), kept, ..look.clone() });
        });
    }

    fn code_span(&mut self, code: &str) {
        if let Some((alt, ..)) = &mut self.image {
            return alt.push_str(code);
        }
        self.join(code);
        self.add(Run { text: code.to_owned(), code: true, ..self.look.clone() });
    }

    fn note(&mut self, name: &str) -> usize {
        let next = self.notes.len();
        let at = *self.places.entry(name.to_owned()).or_insert(next);
        if at == next {
            self.notes.push(Vec::new());
        }
        at
    }

    /// Puts a finished part where we stand.
    fn put(&mut self, block: Block) {
        for open in self.open.iter_mut().rev() {
            match open {
                Open::Quote(blocks) | Open::Note(_, blocks) => return blocks.push(block),
                Open::Item(item) => return item.blocks.push(block),
                Open::List(..) | Open::Nothing => {}
            }
        }
        self.blocks.push(block);
    }

    /// What was read inside a line becomes a paragraph.
    fn paragraph(&mut self) {
        self.joins = false;
        let words = std::mem::take(&mut self.words);
        if words.iter().any(|run| run.end || !run.text.trim().is_empty()) {
            self.put(Block::Paragraph { words });
        }
    }

    fn nest(&mut self, open: Open) {
        self.paragraph();
        let is_too_deep = self.open.len() >= DEEPEST && !matches!(open, Open::Note(..));
        self.open.push(if is_too_deep { Open::Nothing } else { open });
    }

    fn leave(&mut self) {
        self.paragraph();
        match self.open.pop() {
            Some(Open::Quote(blocks)) => self.put(Block::Quote { blocks }),
            Some(Open::List(start, items)) => self.put(Block::List { start, items }),
            Some(Open::Item(item)) => match self.open.last_mut() {
                Some(Open::List(_, items)) => items.push(item),
                _ => item.blocks.into_iter().for_each(|block| self.put(block)),
            },
            Some(Open::Note(name, blocks)) => {
                let at = self.note(&name);
                self.notes[at].extend(blocks);
            }
            Some(Open::Nothing) | None => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Paragraph | Tag::HtmlBlock => self.paragraph(),
            Tag::Heading { level, .. } => self.start_heading(level),
            Tag::BlockQuote(_) => self.nest(Open::Quote(Vec::new())),
            Tag::CodeBlock(kind) => {
                self.paragraph();
                self.code = Some((language(&kind), String::new()));
            }
            Tag::List(start) => self.nest(Open::List(start, Vec::new())),
            Tag::Item => self.nest(Open::Item(Item::default())),
            Tag::FootnoteDefinition(name) => self.nest(Open::Note(name.to_string(), Vec::new())),
            Tag::Table(columns) => {
                self.paragraph();
                self.table =
                    Some(Table { aligned: columns.iter().map(stands).collect(), ..Table::default() });
            }
            Tag::Emphasis => self.looks(0, true),
            Tag::Strong => self.looks(1, true),
            Tag::Strikethrough => self.looks(2, true),
            Tag::Link { link_type, dest_url, .. } => self.start_link(link_type, &dest_url),
            Tag::Image { dest_url, .. } => match &mut self.image {
                Some((.., depth)) => *depth += 1,
                None => self.image = Some((String::new(), dest_url.to_string(), 1)),
            },
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph | TagEnd::HtmlBlock => self.paragraph(),
            TagEnd::Heading(_) => {
                self.joins = false;
                let words = std::mem::take(&mut self.words);
                self.put(Block::Heading { level: self.heading, words });
            }
            TagEnd::BlockQuote(_) | TagEnd::List(_) | TagEnd::Item | TagEnd::FootnoteDefinition => {
                self.leave()
            }
            TagEnd::CodeBlock => self.code_block(),
            TagEnd::TableCell => {
                self.joins = false;
                let words = std::mem::take(&mut self.words);
                if let Some(table) = &mut self.table {
                    table.row.push(words);
                }
            }
            TagEnd::TableHead | TagEnd::TableRow => {
                if let Some(table) = &mut self.table {
                    let row = std::mem::take(&mut table.row);
                    if matches!(tag, TagEnd::TableHead) { table.head = row } else { table.rows.push(row) }
                }
            }
            TagEnd::Table => self.end_table(),
            TagEnd::Emphasis => self.looks(0, false),
            TagEnd::Strong => self.looks(1, false),
            TagEnd::Strikethrough => self.looks(2, false),
            TagEnd::Link => {
                self.in_reference = false;
                if let Some((after, outer)) = self.links.pop() {
                    after.into_iter().for_each(|run| self.add(run));
                    self.look.link = outer;
                }
            }
            TagEnd::Image => self.end_image(),
            _ => {}
        }
    }

    fn looks(&mut self, which: usize, begins: bool) {
        let depth = &mut self.depth[which];
        *depth = if begins { *depth + 1 } else { depth.saturating_sub(1) };
        let on = *depth > 0;
        match which {
            0 => self.look.em = on,
            1 => self.look.strong = on,
            _ => self.look.strike = on,
        }
    }

    /// As on the page: the first heading stands on the first level, one below it goes one down, never more.
    fn start_heading(&mut self, level: HeadingLevel) {
        self.paragraph();
        let level = level as u8;
        while self.levels.last().is_some_and(|above| *above >= level) {
            self.levels.pop();
        }
        self.levels.push(level);
        self.heading = self.levels.len();
    }

    fn end_table(&mut self) {
        let Some(Table { aligned, head, rows, .. }) = self.table.take() else { return };
        let widths = (0..head.len())
            .map(|column| {
                let cells = std::iter::once(&head).chain(&rows).filter_map(|row| row.get(column));
                cells.map(|cell| width(cell)).max().unwrap_or(0).clamp(4, 48)
            })
            .collect();
        self.put(Block::Table { aligned, widths, head, rows });
    }

    fn start_link(&mut self, kind: LinkType, dest: &str) {
        let outer = self.look.link.take();
        let mut after = Vec::new();
        let small = |text: String| Run { text, small: true, ..Run::default() };
        if let LinkType::WikiLink { .. } = kind {
            let number = dest.trim();
            if !is_document_number(number) {
                self.add(Run { text: "[[".to_owned(), ..self.look.clone() });
                after.push(Run { text: "]]".to_owned(), ..self.look.clone() });
            } else {
                self.in_reference = true;
                match (self.context.resolve)(number) {
                    RefTarget::InForce { .. } => {}
                    RefTarget::Known { .. } => {
                        after.push(small(format!(" [{}]", self.context.labels.not_in_force)));
                    }
                    RefTarget::Unknown => {
                        after.push(small(format!(" [{}]", self.context.labels.unknown_document)));
                    }
                }
            }
        } else {
            let is_bare = matches!(kind, LinkType::Autolink | LinkType::Email);
            let dest = match kind {
                LinkType::Email if !dest.contains(':') => format!("mailto:{dest}"),
                _ => dest.to_owned(),
            };
            let leads = address(&dest).filter(|found| found.is_external || dest.starts_with("mailto:"));
            // On paper a link is only what it says.
            if !is_bare && !dest.starts_with('#') {
                after.push(small(format!(" ({})", short(&dest))));
            }
            self.look.link = leads.map(|_| dest.clone());
        }
        self.links.push((after, outer));
    }

    fn end_image(&mut self) {
        match self.image.take() {
            Some((alt, dest, 1)) => {
                let alt = alt.trim().replace('\n', " ");
                let text = format!("[{} {alt} {}]", self.context.labels.image_not_loaded, short(&dest));
                self.add(Run { text, small: true, ..Run::default() });
            }
            Some((alt, dest, depth)) => self.image = Some((alt, dest, depth - 1)),
            None => {}
        }
    }

    fn code_block(&mut self) {
        let Some((language, source)) = self.code.take() else { return };
        if language != "mermaid" {
            return self.put(Block::Code { text: source });
        }
        self.figures += 1;
        let drawn = if self.figures > MOST_DIAGRAMS {
            Err(DiagramFault { kind: DiagramFaultKind::TooLarge, line: None })
        } else {
            mermaid::svg(&source)
        };
        match drawn {
            Ok(diagram) => self.put(Block::Figure {
                svg: diagram.standalone(self.style),
                size: diagram.size(),
                caption: (self.context.labels.numbered)(Numbered::Figure, self.figures),
                spoken: diagram.spoken(self.context.labels.diagram),
            }),
            Err(fault) => {
                self.put(Block::Notice { text: (self.context.labels.diagram_fault)(&fault) });
                self.put(Block::Code { text: source });
            }
        }
    }
}

const fn stands(column: &Alignment) -> &'static str {
    match column {
        Alignment::Right => "right",
        Alignment::Center => "center",
        Alignment::None | Alignment::Left => "left",
    }
}

/// The width of a cell's words in half characters.
fn width(cell: &[Run]) -> usize {
    cell.iter().flat_map(|run| run.text.chars()).map(|c| if c >= '\u{2e80}' { 2 } else { 1 }).sum()
}

/// An address cut where it would fill the page.
fn short(dest: &str) -> String {
    let mut shown: String = dest.chars().take(160).collect();
    if shown.len() < dest.len() {
        shown.push('…');
    }
    shown
}
