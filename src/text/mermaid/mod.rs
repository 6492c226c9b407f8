//! Diagrams in Mermaid's language become SVG that our style sheet alone draws.
//!
//! The drawing comes from a library that writes styles, ids, links and sometimes HTML of its own. None of
//! that reaches a page: `picture` copies geometry and text into a new SVG by an allow-list, and gives
//! shapes the classes of `figure.flow`, so that light, dark and paper all look right under a policy that
//! forbids inline styles. Settings in the source (`%%{init}%%`, a head between `---`) are ignored: they could
//! ask for HTML labels or colours that can't be read.
//!
//! A drawing takes milliseconds, so a bounded number of them is kept, by the SHA-256 of the source.

mod kept;
mod marks;
mod picture;
mod values;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use merman::{OperationControl, RenderError, RenderOutput, RenderRequest, Renderer, SvgRequest};
use sha2::{Digest, Sha256};

pub use picture::Diagram;

/// The longest source, in bytes.
pub const SOURCE_LIMIT: usize = 20_000;

/// How long a drawing may take.
pub const DEADLINE: Duration = Duration::from_millis(1500);

/// The deepest nesting of subgraphs, composite states or boxes; deeper ones exhaust the stack of the layout.
pub const DEEPEST: usize = 12;

/// The most statements; the time of the layout grows with more than their square.
pub const MOST_LINES: usize = 300;

/// Labels as text instead of HTML; labels are wrapped at 220 units.
const SETTINGS: &str = "%%{init: {\"htmlLabels\": false, \"flowchart\": {\"htmlLabels\": false, \"wrappingWidth\": 220}, \"state\": {\"htmlLabels\": false}, \"look\": \"classic\"}}%%\n";

/// Why a diagram could not be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiagramFault {
    /// What is wrong.
    pub kind: DiagramFaultKind,
    /// The line of the source where the fault was found, from 1.
    pub line: Option<usize>,
}

/// What is wrong with a diagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiagramFaultKind {
    /// Longer than [`SOURCE_LIMIT`], [`MOST_LINES`], or nested deeper than [`DEEPEST`].
    TooLarge,
    /// Not a flowchart, sequence or state diagram.
    UnknownKind,
    /// The language's rules are broken.
    Broken,
    /// It took longer than [`DEADLINE`] or more memory than allowed.
    TooSlow,
    /// The library failed, or drew something we can't show.
    Failed,
}

/// Draws a diagram, or takes the drawing made before.
///
/// # Errors
/// [`DiagramFault`], which is kept as well, except for [`DiagramFaultKind::TooSlow`].
pub fn svg(source: &str) -> Result<Arc<Diagram>, DiagramFault> {
    limits(source)?;
    let key: [u8; 32] = Sha256::digest(source.as_bytes()).into();
    if let Some(drawn) = kept::get(&key) {
        return drawn;
    }
    let drawn = draw(source, &key).map(Arc::new);
    let is_lasting = !matches!(&drawn, Err(fault) if fault.kind == DiagramFaultKind::TooSlow);
    if is_lasting {
        kept::put(key, drawn.clone());
    }
    drawn
}

fn limits(source: &str) -> Result<(), DiagramFault> {
    let too_large = |line| DiagramFault { kind: DiagramFaultKind::TooLarge, line };
    if source.len() > SOURCE_LIMIT {
        return Err(too_large(None));
    }
    if source.split(['\n', ';']).count() > MOST_LINES {
        return Err(too_large(None));
    }
    let mut depth = 0_usize;
    for (at, line) in source.lines().enumerate() {
        for statement in line.split(';') {
            depth += usize::from(opens_a_block(statement));
            for c in statement.chars() {
                match c {
                    '{' => depth += 1,
                    '}' => depth = depth.saturating_sub(1),
                    _ => {}
                }
                if depth > DEEPEST {
                    return Err(too_large(Some(at + 1)));
                }
            }
            depth = depth.saturating_sub(usize::from(statement.trim() == "end"));
        }
    }
    Ok(())
}

fn opens_a_block(statement: &str) -> bool {
    let first = statement.split_whitespace().next().unwrap_or_default();
    matches!(first, "subgraph" | "alt" | "opt" | "loop" | "par" | "critical" | "break" | "rect" | "box")
}

fn draw(source: &str, key: &[u8; 32]) -> Result<Diagram, DiagramFault> {
    let bare = without_settings(source);
    let full = format!("{SETTINGS}{bare}");
    let control = OperationControl::new().with_deadline(DEADLINE);
    let request = RenderRequest::svg(&full, control, SvgRequest::default());
    // The library promises not to panic; a page of a controlled document doesn't rely on it.
    let output = catch_unwind(AssertUnwindSafe(|| Renderer::new().render(request)))
        .map_err(|_| failed())?
        .map_err(|error| fault(&error, &bare))?;
    let RenderOutput::Svg(Some(drawn)) = output else {
        return Err(DiagramFault { kind: DiagramFaultKind::UnknownKind, line: None });
    };
    picture::read(drawn.svg(), key).ok_or_else(failed)
}

fn failed() -> DiagramFault {
    DiagramFault { kind: DiagramFaultKind::Failed, line: None }
}

fn fault(error: &RenderError, source: &str) -> DiagramFault {
    let (kind, line) = match error {
        RenderError::NoDiagram => (DiagramFaultKind::UnknownKind, None),
        RenderError::Cancelled(_) | RenderError::ResourceLimitExceeded(_) => {
            (DiagramFaultKind::TooSlow, None)
        }
        RenderError::Parse(diagnostic) => {
            let details = diagnostic.terminal_diagnostic_details();
            let line = details.span.map(|span| line_of(span.start, source));
            let is_unknown = details.code.ends_with(".no_diagram_detected")
                || details.code.ends_with(".unsupported_diagram");
            let kind = if is_unknown { DiagramFaultKind::UnknownKind } else { DiagramFaultKind::Broken };
            (kind, line)
        }
        _ => (DiagramFaultKind::Failed, None),
    };
    DiagramFault { kind, line }
}

/// The line of a byte of the full source in the author's source.
fn line_of(at: usize, source: &str) -> usize {
    let end = at.saturating_sub(SETTINGS.len()).min(source.len());
    source.as_bytes()[..end].iter().filter(|byte| **byte == b'\n').count() + 1
}

/// Blanks out `%%{…}%%` and a head between `---` lines; line numbers stay.
fn without_settings(source: &str) -> String {
    let mut bare = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(at) = rest.find("%%{") {
        let (before, setting) = rest.split_at(at);
        let end = setting.find("}%%").map_or(setting.len(), |end| end + 3);
        bare.push_str(before);
        bare.extend(setting[..end].chars().filter(|c| *c == '\n'));
        rest = &setting[end..];
    }
    bare.push_str(rest);
    let head = bare.trim_start();
    if !head.starts_with("---\n") {
        return bare;
    }
    let blank = bare.len() - head.len();
    let end = head[4..].find("\n---").map_or(head.len(), |end| end + 8);
    let lines = bare[..blank + end].matches('\n').count();
    format!("{}{}", "\n".repeat(lines), &bare[blank + end..])
}

#[cfg(test)]
mod tests;
