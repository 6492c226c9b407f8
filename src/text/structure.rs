//! What a text is made of: counts that compare two renditions, and plain text for the search.

use pulldown_cmark::{CodeBlockKind, Event, LinkType, Tag, TagEnd, TextMergeStream};

use crate::text::markdown::events;

/// The parts of a text that its translation must have as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shape {
    /// Headings of any level.
    pub headings: usize,
    /// Items of numbered lists, nested ones too.
    pub steps: usize,
}

/// Counts headings and numbered steps; two renditions of one version should give the same.
#[must_use]
pub fn shape(source: &str) -> Shape {
    let mut shape = Shape::default();
    let mut numbered = Vec::new();
    for event in events(source) {
        match event {
            Event::Start(Tag::Heading { .. }) => shape.headings += 1,
            Event::Start(Tag::List(start)) => numbered.push(start.is_some()),
            Event::End(TagEnd::List(_)) => {
                numbered.pop();
            }
            Event::Start(Tag::Item) if numbered.last() == Some(&true) => shape.steps += 1,
            _ => {}
        }
    }
    shape
}

/// The numbered steps that stand under one heading.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Section {
    /// The heading's words; empty before the first one.
    pub heading: String,
    /// Each step's words, a line for each of its blocks.
    pub steps: Vec<Vec<String>>,
}

/// The numbered steps of a text under their headings; headings without steps are left out. What is nested in a step
/// belongs to it.
#[must_use]
pub fn steps(source: &str) -> Vec<Section> {
    let mut sections = vec![Section::default()];
    let (mut lists, mut words, mut in_heading) = (Vec::new(), String::new(), false);
    for event in TextMergeStream::new(events(source)) {
        let in_steps = lists.first() == Some(&true);
        match event {
            Event::Start(Tag::List(start)) => {
                close_line(&mut sections, &mut words, in_steps);
                lists.push(start.is_some());
            }
            Event::End(TagEnd::List(_)) => _ = lists.pop(),
            Event::Start(Tag::Item) if lists == [true] => {
                sections.last_mut().expect("there is a first section").steps.push(Vec::new());
            }
            Event::Start(Tag::Heading { .. }) => {
                words.clear();
                in_heading = true;
            }
            Event::End(TagEnd::Heading(_)) => {
                sections.push(Section { heading: std::mem::take(&mut words), steps: Vec::new() });
                in_heading = false;
            }
            Event::Text(text) | Event::Code(text) if in_heading || in_steps => words.push_str(&text),
            Event::SoftBreak | Event::HardBreak if in_steps => words.push(' '),
            Event::End(end) if in_steps && ends_block(end) => close_line(&mut sections, &mut words, in_steps),
            _ => {}
        }
    }
    sections.retain(|section| !section.steps.is_empty());
    sections
}

fn close_line(sections: &mut [Section], words: &mut String, in_steps: bool) {
    let line = std::mem::take(words);
    let step = sections.last_mut().and_then(|section| section.steps.last_mut());
    if let Some(step) = step.filter(|_| in_steps && !line.trim().is_empty()) {
        step.push(line.trim().to_owned());
    }
}

/// The words of a text without its markup, one block a line; of a diagram the labels.
#[must_use]
pub fn plain(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let (mut in_diagram, mut after_link) = (false, false);
    for event in TextMergeStream::new(events(source)) {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                in_diagram = info.split_whitespace().next() == Some("mermaid");
            }
            Event::Text(text) if in_diagram => diagram_labels(&text, &mut out),
            Event::Text(text) | Event::Code(text) | Event::Html(text) | Event::InlineHtml(text) => {
                // A number that a link ends with must not run into one that follows.
                let touches = out.ends_with(|c: char| c.is_ascii_alphanumeric())
                    && text.starts_with(|c: char| c.is_ascii_alphanumeric());
                if after_link && touches {
                    out.push(' ');
                }
                after_link = false;
                out.push_str(&text);
            }
            Event::End(TagEnd::Link) => after_link = true,
            Event::SoftBreak | Event::HardBreak | Event::Rule => end_line(&mut out),
            Event::Start(Tag::Link {
                link_type: LinkType::WikiLink { has_pothole: true }, dest_url, ..
            }) => {
                out.push_str(&dest_url);
                out.push(' ');
            }
            Event::End(TagEnd::CodeBlock) => {
                in_diagram = false;
                end_line(&mut out);
            }
            Event::End(TagEnd::TableCell) => out.push(' '),
            Event::End(end) if ends_block(end) => end_line(&mut out),
            _ => {}
        }
    }
    out.truncate(out.trim_end().len());
    out
}

fn ends_block(end: TagEnd) -> bool {
    !matches!(end, TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough | TagEnd::Link | TagEnd::Image)
}

fn end_line(out: &mut String) {
    out.truncate(out.trim_end_matches(' ').len());
    if !out.is_empty() && !out.ends_with('\n') {
        out.push('\n');
    }
}

/// What stands in brackets, quotes or bars, or after the colon of a message; the arrows and ids are no words.
fn diagram_labels(source: &str, out: &mut String) {
    for line in source.lines() {
        let line = line.trim();
        if line.starts_with("%%") {
            continue;
        }
        let (mut label, mut depth) = (String::new(), 0_usize);
        let (mut quoted, mut barred) = (false, false);
        for c in line.chars() {
            match c {
                '[' | '(' | '{' => depth += 1,
                ']' | ')' | '}' => depth = depth.saturating_sub(1),
                '|' => barred = !barred,
                '"' => quoted = !quoted,
                ':' if depth == 0 => depth = 1,
                c if depth > 0 || quoted || barred => {
                    label.push(c);
                    continue;
                }
                _ => {}
            }
            out.push_str(label.trim());
            end_line(out);
            label.clear();
        }
        out.push_str(label.trim());
        end_line(out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steps_stand_under_their_headings_and_keep_what_is_nested() {
        let text = "intro\n\n## 3 Steps\n\n1. Ask **first**.\n   - in words\n2. Then\n   write\n\n- loose\n\n## 4 None\n\n## 5 End\n\n1. Hang up.\n";
        let sections = steps(text);
        let headings: Vec<_> = sections.iter().map(|section| section.heading.as_str()).collect();
        assert_eq!(headings, ["3 Steps", "5 End"]);
        assert_eq!(sections[0].steps, [vec!["Ask first.", "in words"], vec!["Then write"]]);
        assert_eq!(sections[1].steps, [vec!["Hang up."]]);
    }

    #[test]
    fn headings_and_numbered_steps_are_counted_and_bullets_are_not() {
        let source = "# 目的\n\n1. 核对\n2. 测温\n   1. 三点\n\n- 不算\n\n## 记录\n";
        let counted = Shape { headings: 2, steps: 3 };
        assert_eq!(shape(source), counted);
        assert_ne!(shape("# Purpose\n\n1. Check\n"), counted);
    }

    #[test]
    fn plain_text_keeps_words_and_drops_marks() {
        let source = "# 4 到货\n\n测温 **2–8℃**，另见 [[SOP-QA-016]] 与 [总则](/x \"t\")。\n\n| 读数 | 处置 |\n|---|---|\n| 2 | 入库 |\n\n- [x] 完成\n";
        assert_eq!(plain("见[[SOP-CS-005]]5.1补齐"), "见SOP-CS-005 5.1补齐");
        assert_eq!(plain(source), "4 到货\n测温 2–8℃，另见 SOP-QA-016 与 总则。\n读数 处置\n2 入库\n完成");
    }

    #[test]
    fn of_a_diagram_the_labels_are_plain_text() {
        let source = "```mermaid\nflowchart TD\n  A([到货]) --> B{2–8℃？}\n  B -->|是| C[\"入库\"]\n```\n";
        assert_eq!(plain(source), "到货\n2–8℃？\n是\n入库");
        assert_eq!(plain("```mermaid\nsequenceDiagram\n A->>Q: 提交审核\n```"), "提交审核");
    }
}
