//! Arrow heads: the markers that lines refer to, under ids of our own.

use std::fmt::Write as _;

use roxmltree::Node;

use super::values::geometry;

/// The markers in use, by the library's id.
pub(super) struct Marks(Vec<Mark>);

struct Mark {
    theirs: String,
    ours: String,
    svg: String,
}

impl Marks {
    /// Takes the markers that some line refers to, in document order.
    pub(super) fn of(root: Node, ids: &str) -> Self {
        let used: Vec<&str> = root
            .descendants()
            .flat_map(|node| ["marker-start", "marker-end"].map(|name| node.attribute(name)))
            .flatten()
            .filter_map(target)
            .collect();
        let mut marks: Vec<Mark> = Vec::new();
        for node in root.descendants().filter(|node| node.tag_name().name() == "marker") {
            let Some(theirs) = node.attribute("id").filter(|id| used.contains(id)) else {
                continue;
            };
            if marks.iter().any(|mark| mark.theirs == theirs) {
                continue;
            }
            let ours = format!("{ids}{}", marks.len() + 1);
            marks.push(Mark { svg: marker(node, &ours), theirs: theirs.to_owned(), ours });
        }
        Self(marks)
    }

    pub(super) fn write_into(&self, out: &mut String) {
        if self.0.is_empty() {
            return;
        }
        out.push_str("<defs>");
        self.0.iter().for_each(|mark| out.push_str(&mark.svg));
        out.push_str("</defs>");
    }
}

/// Our id for the marker an attribute refers to.
pub(super) fn mark_of<'m>(attribute: &str, value: &str, marks: &'m Marks) -> Option<&'m str> {
    if !matches!(attribute, "marker-start" | "marker-end") {
        return None;
    }
    let theirs = target(value)?;
    let mark = marks.0.iter().find(|mark| mark.theirs == theirs)?;
    Some(&mark.ours)
}

fn target(value: &str) -> Option<&str> {
    value.strip_prefix("url(#")?.strip_suffix(')')
}

fn marker(node: Node, id: &str) -> String {
    let mut svg = format!("<marker id=\"{id}\"");
    write_geometry(node, &mut svg);
    svg.push('>');
    for shape in
        node.children().filter(|child| matches!(child.tag_name().name(), "path" | "polygon" | "circle"))
    {
        let is_stroke = shape.attribute("fill") == Some("none")
            || node.attribute("class").is_some_and(|c| c.contains("cross"));
        let class = if is_stroke { "way" } else { "tip" };
        let _ = write!(svg, "<{} class=\"{class}\"", shape.tag_name().name());
        write_geometry(shape, &mut svg);
        svg.push_str("/>");
    }
    svg.push_str("</marker>");
    svg
}

fn write_geometry(node: Node, svg: &mut String) {
    for attribute in node.attributes() {
        if let Some(value) = geometry(attribute.name(), attribute.value()) {
            let _ = write!(svg, " {}=\"{value}\"", attribute.name());
        }
    }
}
