//! From Markdown's events to HTML: one pass, with the few things that need a look back kept here.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use pulldown_cmark::{
    Alignment, CodeBlockKind, Event, HeadingLevel, LinkType, Parser, Tag, TagEnd, TextMergeStream,
};

use super::footnotes::Footnotes;
use super::inline::{LinkMarks, image_into, is_line_break, link, reference, text_into};
use super::{Heading, Numbered, RenderContext, Rendered};
use crate::text::diff::is_han;
use crate::text::escape::{escape_into, escaped};
use crate::text::mermaid;

/// Quotes and lists inside each other; deeper ones keep their words and lose the indent.
const DEEPEST: usize = 30;

/// Diagrams that are drawn; later ones are shown as source.
pub(super) const MOST_DIAGRAMS: usize = 20;

pub(super) struct Writer<'a> {
    context: RenderContext<'a>,
    out: String,
    /// Texts put aside while a footnote is written, with the footnote's name.
    aside: Vec<(String, String)>,
    outline: Vec<Heading>,
    references: Vec<String>,
    referred: HashSet<String>,
    /// Source levels of the headings we stand under, and how many siblings each depth has had.
    levels: Vec<u8>,
    counts: Vec<usize>,
    heading: Option<String>,
    image: Option<(String, String, usize)>,
    links: Vec<LinkMarks>,
    code: Option<(String, String)>,
    lists: Vec<bool>,
    depth: usize,
    columns: Vec<Alignment>,
    column: usize,
    in_head: bool,
    tables: usize,
    figures: usize,
    codes: usize,
    shown: HashMap<String, usize>,
    footnotes: Footnotes,
    joins: bool,
}

impl<'a> Writer<'a> {
    pub(super) fn new(context: RenderContext<'a>) -> Self {
        Self {
            context,
            out: String::new(),
            aside: Vec::new(),
            outline: Vec::new(),
            references: Vec::new(),
            referred: HashSet::new(),
            levels: Vec::new(),
            counts: Vec::new(),
            heading: None,
            image: None,
            links: Vec::new(),
            code: None,
            lists: Vec::new(),
            depth: 0,
            columns: Vec::new(),
            column: 0,
            in_head: false,
            tables: 0,
            figures: 0,
            codes: 0,
            shown: HashMap::new(),
            footnotes: Footnotes::default(),
            joins: false,
        }
    }

    pub(super) fn write(mut self, events: Parser<'_>) -> Rendered {
        for event in TextMergeStream::new(events) {
            self.event(event);
        }
        let footnotes = self.footnotes.section(&self.context);
        self.out.push_str(&footnotes);
        Rendered { html: self.out, outline: self.outline, references: self.references }
    }

    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => self.text(&text),
            Event::Code(code) => self.code_span(&code),
            Event::Html(html) | Event::InlineHtml(html) if is_line_break(&html) => self.raw("<br>"),
            Event::Html(html) | Event::InlineHtml(html) => self.text(&html),
            Event::InlineMath(math) | Event::DisplayMath(math) => self.text(&math),
            Event::FootnoteReference(name) => {
                let mark = self.footnotes.mark(&name, &self.context);
                self.raw(&mark);
            }
            Event::SoftBreak => self.soft_break(),
            Event::HardBreak => self.raw("<br>\n"),
            Event::Rule => self.raw("<hr>\n"),
            Event::TaskListMarker(done) => self.task(done),
        }
    }

    /// Our own markup; inside the description of a picture there is none.
    fn raw(&mut self, html: &str) {
        if self.image.is_none() {
            self.out.push_str(html);
        }
    }

    fn text(&mut self, text: &str) {
        if let Some((_, source)) = &mut self.code {
            return source.push_str(text);
        }
        if let Some((alt, ..)) = &mut self.image {
            return alt.push_str(text);
        }
        if std::mem::take(&mut self.joins)
            && !(self.out.ends_with(is_han_or_mark) && text.starts_with(is_han_or_mark))
        {
            self.out.push('\n');
        }
        if let Some(heading) = &mut self.heading {
            heading.push_str(text);
        }
        text_into(&mut self.out, text);
    }

    fn code_span(&mut self, code: &str) {
        if let Some((alt, ..)) = &mut self.image {
            return alt.push_str(code);
        }
        if std::mem::take(&mut self.joins) {
            self.out.push('\n');
        }
        if let Some(heading) = &mut self.heading {
            heading.push_str(code);
        }
        self.out.push_str("<code>");
        escape_into(&mut self.out, code);
        self.out.push_str("</code>");
    }

    /// A line end between two Han characters is no blank; the next event tells.
    fn soft_break(&mut self) {
        match (&mut self.image, &mut self.heading) {
            (Some((alt, ..)), _) => alt.push(' '),
            (None, heading) => {
                if let Some(heading) = heading {
                    heading.push(' ');
                }
                self.joins = true;
            }
        }
    }

    fn task(&mut self, done: bool) {
        let (sign, word) = match done {
            true => ('☑', self.context.labels.done),
            false => ('☐', self.context.labels.not_done),
        };
        let _ = write!(
            self.out,
            "<span aria-hidden=\"true\">{sign} </span><span class=\"vh\">{} </span>",
            escaped(word)
        );
    }

    fn start(&mut self, tag: Tag<'_>) {
        if std::mem::take(&mut self.joins) {
            self.raw("\n");
        }
        match tag {
            Tag::Paragraph | Tag::HtmlBlock => self.raw("<p>"),
            Tag::Heading { level, .. } => self.start_heading(level),
            Tag::BlockQuote(_) => self.nest("<blockquote>\n"),
            Tag::CodeBlock(kind) => self.code = Some((language(&kind), String::new())),
            Tag::List(start) => {
                self.lists.push(start.is_some());
                match start {
                    Some(1) => self.nest("<ol>\n"),
                    Some(first) => self.nest(&format!("<ol start=\"{first}\">\n")),
                    None => self.nest("<ul>\n"),
                }
            }
            Tag::Item if self.depth <= DEEPEST => self.raw("<li>"),
            Tag::FootnoteDefinition(name) => {
                let text = std::mem::take(&mut self.out);
                self.aside.push((name.to_string(), text));
            }
            Tag::Table(columns) => self.start_table(columns),
            Tag::TableHead => {
                self.in_head = true;
                self.column = 0;
                self.raw("<thead><tr>");
            }
            Tag::TableRow => {
                self.column = 0;
                self.raw("<tr>");
            }
            Tag::TableCell => self.start_cell(),
            Tag::Emphasis => self.raw("<em>"),
            Tag::Strong => self.raw("<strong>"),
            Tag::Strikethrough => self.raw("<s>"),
            Tag::Link { link_type, dest_url, .. } => self.start_link(link_type, &dest_url),
            Tag::Image { dest_url, .. } => match &mut self.image {
                Some((.., depth)) => *depth += 1,
                None => self.image = Some((String::new(), dest_url.to_string(), 1)),
            },
            // The remaining tags belong to extensions that are off.
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph | TagEnd::HtmlBlock => {
                self.joins = false;
                self.raw("</p>\n");
            }
            TagEnd::Heading(_) => self.end_heading(),
            TagEnd::BlockQuote(_) => self.leave("</blockquote>\n"),
            TagEnd::CodeBlock => self.code_block(),
            TagEnd::List(_) => match self.lists.pop() {
                Some(true) => self.leave("</ol>\n"),
                _ => self.leave("</ul>\n"),
            },
            TagEnd::Item if self.depth <= DEEPEST => self.raw("</li>\n"),
            TagEnd::FootnoteDefinition => {
                if let Some((name, text)) = self.aside.pop() {
                    let html = std::mem::replace(&mut self.out, text);
                    self.footnotes.define(&name, &html);
                }
            }
            TagEnd::Table => self.raw("</tbody></table></div>\n"),
            TagEnd::TableHead => {
                self.in_head = false;
                self.raw("</tr></thead>\n<tbody>\n");
            }
            TagEnd::TableRow => self.raw("</tr>\n"),
            TagEnd::TableCell => self.end_cell(),
            TagEnd::Emphasis => self.raw("</em>"),
            TagEnd::Strong => self.raw("</strong>"),
            TagEnd::Strikethrough => self.raw("</s>"),
            TagEnd::Link => {
                if let Some(LinkMarks { after, .. }) = self.links.pop() {
                    self.raw(&after);
                }
            }
            TagEnd::Image => self.end_image(),
            _ => {}
        }
    }

    fn nest(&mut self, html: &str) {
        self.depth += 1;
        if self.depth <= DEEPEST {
            self.raw(html);
        }
    }

    fn leave(&mut self, html: &str) {
        if self.depth <= DEEPEST {
            self.raw(html);
        }
        self.depth -= 1;
    }

    /// The first heading becomes h2, whatever its level; one below it goes one down, never more.
    fn start_heading(&mut self, level: HeadingLevel) {
        let level = level as u8;
        while self.levels.last().is_some_and(|above| *above >= level) {
            self.levels.pop();
        }
        self.levels.push(level);
        let depth = self.levels.len();
        self.counts.resize(depth, 0);
        self.counts[depth - 1] += 1;
        let numbers: Vec<String> = self.counts.iter().map(usize::to_string).collect();
        let heading = Heading {
            level: u8::try_from(depth + 1).unwrap_or(6).min(6),
            id: format!("{}{}", self.context.ids, numbers.join("-")),
            text: String::new(),
        };
        let _ = write!(self.out, "<h{} id=\"{}\">", heading.level, escaped(&heading.id));
        self.outline.push(heading);
        self.heading = Some(String::new());
    }

    fn end_heading(&mut self) {
        self.joins = false;
        let words = self.heading.take().unwrap_or_default();
        if let Some(heading) = self.outline.last_mut() {
            heading.text = words.trim().to_owned();
            let _ = writeln!(self.out, "</h{}>", heading.level);
        }
    }

    fn start_table(&mut self, columns: Vec<Alignment>) {
        self.columns = columns;
        self.tables += 1;
        let region = self.region(Numbered::Table, self.tables);
        self.raw(&region);
        self.raw("<table>\n");
    }

    /// What scrolls must be reachable by keyboard and have a name.
    fn region(&self, kind: Numbered, number: usize) -> String {
        let label = (self.context.labels.numbered)(kind, number);
        format!("<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"{}\">", escaped(&label))
    }

    fn start_cell(&mut self) {
        let class = match self.columns.get(self.column) {
            Some(Alignment::Right) => " class=\"num\"",
            _ => "",
        };
        let cell = if self.in_head { format!("<th scope=\"col\"{class}>") } else { format!("<td{class}>") };
        self.raw(&cell);
    }

    fn end_cell(&mut self) {
        self.column += 1;
        self.joins = false;
        if !self.in_head {
            return self.raw("</td>");
        }
        // A head without words heads nothing: to a screen reader it is an empty cell.
        match self.out.strip_suffix("<th scope=\"col\">") {
            Some(before) => {
                self.out.truncate(before.len());
                self.raw("<td></td>");
            }
            None => self.raw("</th>"),
        }
    }

    fn start_link(&mut self, kind: LinkType, dest: &str) {
        let marks = match kind {
            LinkType::WikiLink { .. } => {
                let (marks, number) = reference(dest, &self.context);
                if let Some(number) = number.filter(|number| self.referred.insert((*number).to_owned())) {
                    self.references.push(number.to_owned());
                }
                marks
            }
            _ => link(kind, dest),
        };
        self.raw(&marks.before);
        self.links.push(marks);
    }

    fn end_image(&mut self) {
        match self.image.take() {
            Some((alt, dest, 1)) => image_into(&mut self.out, (&alt, &dest), &self.context),
            Some((alt, dest, depth)) => self.image = Some((alt, dest, depth - 1)),
            None => {}
        }
    }

    fn code_block(&mut self) {
        let Some((language, source)) = self.code.take() else {
            return;
        };
        if language == "mermaid" {
            return self.diagram(&source);
        }
        self.source(&source);
    }

    fn source(&mut self, source: &str) {
        self.codes += 1;
        let region = self.region(Numbered::Code, self.codes);
        let _ = writeln!(self.out, "{region}<pre><code>{}</code></pre></div>", escaped(source));
    }

    fn diagram(&mut self, source: &str) {
        self.figures += 1;
        let drawn = if self.figures > MOST_DIAGRAMS {
            Err(mermaid::DiagramFault { kind: mermaid::DiagramFaultKind::TooLarge, line: None })
        } else {
            mermaid::svg(source)
        };
        match drawn {
            Ok(diagram) => {
                let time = self.shown.entry(diagram.ids.clone()).or_insert(0);
                *time += 1;
                let name = self.context.labels.diagram;
                let svg = match time {
                    1 => diagram.svg(name),
                    time => diagram.again(*time).svg(name),
                };
                let region = self.region(Numbered::Figure, self.figures);
                let caption = escaped(&(self.context.labels.numbered)(Numbered::Figure, self.figures));
                let _ = writeln!(
                    self.out,
                    "<figure class=\"flow\">{region}{svg}</div><figcaption>{caption}</figcaption></figure>"
                );
            }
            Err(fault) => {
                let reason = escaped(&(self.context.labels.diagram_fault)(&fault));
                let _ = writeln!(self.out, "<div class=\"notice yel\"><p>{reason}</p></div>");
                self.source(source);
            }
        }
    }
}

pub(super) fn language(kind: &CodeBlockKind<'_>) -> String {
    match kind {
        CodeBlockKind::Fenced(info) => info.split_whitespace().next().unwrap_or_default().to_owned(),
        CodeBlockKind::Indented => String::new(),
    }
}

pub(super) fn is_han_or_mark(c: char) -> bool {
    is_han(c) || matches!(c, '\u{3001}'..='\u{3011}' | '\u{ff01}'..='\u{ff5e}' | '“' | '”')
}
