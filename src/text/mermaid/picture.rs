//! From the library's SVG to ours: geometry and text by an allow-list, looks by class.
//!
//! Only the elements and attributes named here are written, each value after a check of its form, and all
//! text escaped; so whatever the source smuggles into the library's output stays there. Links become
//! groups, markers get new ids. A shape is a `box`, an `end` (rounded: where a flow starts or ends) or a
//! `stop`, the latter two also by the author's own `:::end` and `:::stop`; lines are a `way`, arrow heads a
//! `tip`, words on lines a `word`.

use std::fmt::Write as _;

use roxmltree::{Document, Node, ParsingOptions};

use super::marks::{Marks, mark_of};
use super::values::{coordinate, geometry, number, position, rounded};
use crate::text::escape::{escape_into, escaped};

/// The narrowest picture, in its own units: a small one isn't blown up to the width of the page.
const NARROWEST: f64 = 590.0;

/// Above this width the picture needs a scroll region to be read.
const WIDEST: f64 = 760.0;

/// The library lays lines out for letters of 16 units; ours are 14, set a little higher to stay in the middle.
const EM: f64 = 16.0;
const RAISE: f64 = 2.4;

/// The longest spoken name, in characters.
const NAME_LIMIT: usize = 600;

/// A drawing that can be put on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagram {
    /// What every id in the picture begins with; made from the source's hash.
    pub ids: String,
    /// The texts of the picture in the order it was drawn.
    pub words: Vec<String>,
    view_box: String,
    class: &'static str,
    inside: String,
}

impl Diagram {
    /// The SVG element. `name` is what a screen reader calls it; the picture's own words follow.
    #[must_use]
    pub fn svg(&self, name: &str) -> String {
        format!(
            "<svg viewBox=\"{}\"{} role=\"img\" aria-label=\"{}\">{}</svg>",
            self.view_box,
            self.class,
            escaped(&self.spoken(name)),
            self.inside
        )
    }

    /// What is said of the picture to those who do not see it: `name`, then its own words.
    #[must_use]
    pub fn spoken(&self, name: &str) -> String {
        let spoken: String = format!("{name}: {}", self.words.join("; "));
        spoken.chars().take(NAME_LIMIT).collect()
    }

    /// The picture as a document of its own, drawn with the style sheet `style`: for paper, where no page's sheet
    /// reaches.
    #[must_use]
    pub fn standalone(&self, style: &str) -> String {
        let (width, height) = self.size();
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"{}\" width=\"{width}\" height=\"{height}\"><style>{}</style>{}</svg>",
            self.view_box,
            escaped(style),
            self.inside
        )
    }

    /// Width and height, in the picture's own units.
    #[must_use]
    pub fn size(&self) -> (f64, f64) {
        let mut parts = self.view_box.split(' ').skip(2).map(|part| part.parse().unwrap_or(1.0));
        (parts.next().unwrap_or(1.0), parts.next().unwrap_or(1.0))
    }

    /// The same picture with other ids, for a page that shows it more than once.
    #[must_use]
    pub fn again(&self, time: usize) -> Self {
        let ids = format!("{}x{time}-", self.ids);
        Self { inside: self.inside.replace(&self.ids, &ids), ids, ..self.clone() }
    }
}

/// Reads what the library drew; none when it is no picture.
pub(super) fn read(svg: &str, key: &[u8; 32]) -> Option<Diagram> {
    let options = ParsingOptions { allow_dtd: false, ..ParsingOptions::default() };
    let document = Document::parse_with_options(svg, options).ok()?;
    let root = document.root_element();
    let (view_box, class) = view_box(root.attribute("viewBox")?)?;
    let mut ids = String::from("d");
    for byte in &key[..6] {
        write!(ids, "{byte:02x}").ok()?;
    }
    ids.push('-');
    let mut pen =
        Pen { marks: Marks::of(root, &ids), out: String::with_capacity(svg.len() / 3), words: Vec::new() };
    pen.marks.write_into(&mut pen.out);
    pen.children(root, Surroundings::default());
    Some(Diagram { ids, words: pen.words, view_box, class, inside: pen.out })
}

/// The view box, widened around its middle where it is narrow, and the class for a wide one.
fn view_box(value: &str) -> Option<(String, &'static str)> {
    let parts: Vec<f64> =
        value.split([' ', ',']).filter(|part| !part.is_empty()).map(number).collect::<Option<_>>()?;
    let [x, y, width, height] = parts.try_into().ok()?;
    if !(width > 0.0 && height > 0.0) {
        return None;
    }
    let widening = (NARROWEST - width).max(0.0);
    let view_box = format!(
        "{} {} {} {}",
        rounded(x - widening / 2.0),
        rounded(y),
        rounded(width + widening),
        rounded(height)
    );
    let class = match width {
        w if w > 2.0 * WIDEST => " class=\"wider\"",
        w if w > WIDEST => " class=\"wide\"",
        _ => "",
    };
    Some((view_box, class))
}

/// What an element stands in.
#[derive(Clone, Copy, Default)]
struct Surroundings {
    in_node: bool,
    in_edge_label: bool,
    /// Nested groups since the outline of a node began.
    in_outline: usize,
    /// The class the author or the shape asks for.
    shape: Option<&'static str>,
    depth: usize,
}

struct Pen {
    marks: Marks,
    out: String,
    words: Vec<String>,
}

impl Pen {
    fn children(&mut self, node: Node, around: Surroundings) {
        // Far deeper than any drawing; keeps this recursion off the end of the stack.
        if around.depth > 200 {
            return;
        }
        let around = Surroundings { depth: around.depth + 1, ..around };
        for child in node.children().filter(Node::is_element) {
            match child.tag_name().name() {
                "g" | "a" => self.group(child, around),
                "text" => self.text(child, around),
                "rect" | "circle" | "ellipse" | "polygon" | "path" | "line" | "polyline" => {
                    self.shape(child, around);
                }
                _ => {}
            }
        }
    }

    fn group(&mut self, node: Node, around: Surroundings) {
        let classes = Classes::of(node);
        let is_node = classes.has("node") || classes.has("statediagram-note");
        let outline = classes.has("outer-path");
        let within = Surroundings {
            in_node: around.in_node || is_node,
            in_edge_label: around.in_edge_label || classes.has("edgeLabel"),
            in_outline: match around.in_outline {
                0 => usize::from(outline),
                depth => depth + 1,
            },
            shape: classes.shape().or(around.shape),
            ..around
        };
        let transform = if classes.has("cluster-label") {
            middle_of_frame(node).and_then(|x| moved_to(node, x))
        } else if within.in_node && classes.has("label") {
            moved_to(node, 0.0)
        } else {
            None
        };
        let transform = transform.or_else(|| geometry("transform", node.attribute("transform")?));
        let start = self.out.len();
        match transform {
            Some(transform) => {
                let _ = write!(self.out, "<g transform=\"{transform}\">");
            }
            None => self.out.push_str("<g>"),
        }
        let inside = self.out.len();
        self.children(node, within);
        if self.out.len() == inside {
            self.out.truncate(start);
        } else {
            self.out.push_str("</g>");
        }
    }

    fn shape(&mut self, node: Node, around: Surroundings) {
        let name = node.tag_name().name();
        if is_number_place(node) {
            return self.number_place(node);
        }
        let Some(look) = look(node, around) else {
            return;
        };
        let start = self.out.len();
        let _ = write!(self.out, "<{name} {look}");
        let mut is_drawn = false;
        for attribute in node.attributes() {
            if let Some(value) = geometry(attribute.name(), attribute.value()) {
                let _ = write!(self.out, " {}=\"{value}\"", attribute.name());
                is_drawn |= matches!(attribute.name(), "d" | "points" | "r" | "rx" | "x2")
                    || attribute.name() == "width";
            } else if let Some(mark) = mark_of(attribute.name(), attribute.value(), &self.marks) {
                let _ = write!(self.out, " {}=\"url(#{mark})\"", attribute.name());
            }
        }
        if is_drawn {
            self.out.push_str("/>");
        } else {
            self.out.truncate(start);
        }
    }

    /// The circle behind a message's number, which the library draws as a marker.
    fn number_place(&mut self, node: Node) {
        let place = |name| position(node.attribute(name)?);
        if let (Some(x), Some(y)) = (place("x1"), place("y1")) {
            let _ = write!(self.out, "<circle class=\"box\" cx=\"{x}\" cy=\"{y}\" r=\"10\"/>");
        }
    }

    fn text(&mut self, node: Node, around: Surroundings) {
        let words: String = node.descendants().filter(Node::is_text).filter_map(|text| text.text()).collect();
        if words.trim().is_empty() {
            return;
        }
        let classes = Classes::of(node);
        let small = around.in_edge_label
            || ["messageText", "loopText", "labelText", "sectionTitle", "sequenceNumber"]
                .iter()
                .any(|class| classes.has(class));
        self.out.push_str("<text");
        if small {
            self.out.push_str(" class=\"word\"");
        }
        self.place(node, 0.0);
        if let Some(baseline @ ("middle" | "central")) = node.attribute("dominant-baseline") {
            let _ = write!(self.out, " dominant-baseline=\"{baseline}\"");
        }
        self.out.push('>');
        self.lines(node, (RAISE + half_of_ground(node), 0));
        self.out.push_str("</text>");
        self.words.push(words.split_whitespace().collect::<Vec<_>>().join(" "));
    }

    fn lines(&mut self, node: Node, (raise, depth): (f64, usize)) {
        for child in node.children() {
            if child.is_text() {
                escape_into(&mut self.out, child.text().unwrap_or_default());
            } else if child.tag_name().name() == "tspan" && depth < 4 {
                self.out.push_str("<tspan");
                self.place(child, raise);
                if child.attribute("font-weight") == Some("bold") {
                    self.out.push_str(" font-weight=\"600\"");
                }
                self.out.push('>');
                self.lines(child, (raise, depth + 1));
                self.out.push_str("</tspan>");
            }
        }
    }

    /// `x`, `y`, `dx`, `dy`; lengths in em are those of the library's letters.
    fn place(&mut self, node: Node, raise: f64) {
        let em = |name| coordinate(node.attribute(name)?, EM);
        if let Some((x, _)) = em("x") {
            let _ = write!(self.out, " x=\"{}\"", rounded(x));
        }
        match (em("y"), em("dy")) {
            (Some((y, true)), Some((dy, true))) => {
                let _ = write!(self.out, " y=\"{}\"", rounded(y + dy - raise));
            }
            (y, dy) => {
                if let Some((y, _)) = y {
                    let _ = write!(self.out, " y=\"{}\"", rounded(y));
                }
                if let Some((dy, _)) = dy {
                    let _ = write!(self.out, " dy=\"{}\"", rounded(dy));
                }
            }
        }
    }
}

/// The class attribute of an element, word by word.
struct Classes<'a>(&'a str);

impl<'a> Classes<'a> {
    fn of(node: Node<'a, '_>) -> Self {
        Self(node.attribute("class").unwrap_or_default())
    }

    fn has(&self, class: &str) -> bool {
        self.0.split_whitespace().any(|word| word == class)
    }

    fn shape(&self) -> Option<&'static str> {
        ["stop", "end"].into_iter().find(|class| self.has(class))
    }
}

/// Class and dashes of a shape; none for what only carries the library's looks.
fn look(node: Node, around: Surroundings) -> Option<&'static str> {
    let classes = Classes::of(node);
    let has = |names: &[&str]| names.iter().any(|name| classes.has(name));
    let name = node.tag_name().name();
    let is_dashed = has(&["edge-pattern-dotted", "edge-pattern-dashed", "messageLine1", "actor-line"])
        || node.attribute("style").is_some_and(|style| style.contains("stroke-dasharray: 3"));
    if has(&["background"]) {
        return Some("class=\"ground\" fill=\"none\"");
    }
    if has(&[
        "flowchart-link",
        "transition",
        "messageLine0",
        "messageLine1",
        "actor-line",
        "loopLine",
        "edge-thickness-normal",
        "relation",
    ]) || name == "line"
        || name == "polyline"
    {
        return Some(match (is_dashed, has(&["edge-thickness-thick"])) {
            (true, _) => "class=\"way\" stroke-dasharray=\"4 3\"",
            (false, true) => "class=\"way thick\"",
            (false, false) => "class=\"way\"",
        });
    }
    if has(&["state-start", "fork-join", "stateStart"]) || around.in_outline > 1 {
        return (node.attribute("fill") != Some("none")).then_some("class=\"tip\"");
    }
    if has(&["outer", "inner"]) || (!around.in_node && in_cluster(node)) {
        return Some("class=\"group\" fill=\"none\" stroke=\"currentColor\" stroke-dasharray=\"2 3\"");
    }
    if around.in_outline == 1
        && node.attribute("fill") == Some("none")
        && node.attribute("stroke") != Some("none")
    {
        return None;
    }
    Some(match around.shape.or(classes.shape()) {
        Some("stop") => "class=\"stop\"",
        Some(_) => "class=\"end\"",
        None if around.in_node && is_round(node, around) => "class=\"end\"",
        None => "class=\"box\"",
    })
}

fn in_cluster(node: Node) -> bool {
    node.ancestors().take(3).any(|parent| {
        let classes = Classes::of(parent);
        classes.has("cluster") || classes.has("statediagram-cluster")
    })
}

/// A stadium (drawn as one long outline of short strokes) or a circle.
fn is_round(node: Node, around: Surroundings) -> bool {
    match node.tag_name().name() {
        "circle" => true,
        "path" => around.in_outline == 1 && node.attribute("d").is_some_and(|d| d.len() > 600),
        "rect" => {
            let of = |name| number(node.attribute(name)?);
            matches!((of("rx"), of("height")), (Some(rx), Some(height)) if rx * 2.0 >= height)
        }
        _ => false,
    }
}

fn is_number_place(node: Node) -> bool {
    node.attribute("marker-start").is_some_and(|mark| mark.ends_with("sequencenumber)"))
}

/// Words on lines of a state diagram hang from the middle of their ground: half its height brings them up.
fn half_of_ground(text: Node) -> f64 {
    let ground = text
        .parent()
        .filter(|group| group.has_attribute("transform") && Classes::of(*group).0.is_empty())
        .and_then(|group| group.prev_sibling_element())
        .filter(|ground| Classes::of(*ground).has("background"));
    let height = ground.and_then(|ground| number(ground.attribute("height")?));
    height.map_or(0.0, |height| height / 2.0)
}

/// The middle of the frame whose label this is.
fn middle_of_frame(label: Node) -> Option<f64> {
    let frame = label.parent()?.descendants().find(|node| {
        node.has_tag_name((label.tag_name().namespace().unwrap_or_default(), "rect"))
            && node.attribute("width").is_some()
    })?;
    let of = |name| number(frame.attribute(name)?);
    Some(of("x")? + of("width")? / 2.0)
}

/// The group's own shift with another `x`.
fn moved_to(node: Node, x: f64) -> Option<String> {
    let shift = node.attribute("transform")?.strip_prefix("translate(")?.strip_suffix(')')?;
    let y = number(shift.split([',', ' ']).rfind(|part| !part.is_empty())?)?;
    Some(format!("translate({},{})", rounded(x), rounded(y)))
}
