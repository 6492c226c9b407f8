//! The forms an attribute's value may have; whatever has another one is left out.

/// A finite number.
pub(super) fn number(value: &str) -> Option<f64> {
    let value = value.trim();
    let value = value.strip_suffix("px").unwrap_or(value);
    value.parse().ok().filter(|number: &f64| number.is_finite())
}

/// A length and whether it was given in em, of which one is `em` units.
pub(super) fn coordinate(value: &str, em: f64) -> Option<(f64, bool)> {
    match value.strip_suffix("em") {
        Some(ems) => Some((number(ems)? * em, true)),
        None => Some((number(value)?, false)),
    }
}

/// At most two decimals, none where they are zero.
pub(super) fn rounded(number: f64) -> String {
    let cut = format!("{number:.2}");
    let cut = cut.trim_end_matches('0').trim_end_matches('.');
    if cut == "-0" { "0".to_owned() } else { cut.to_owned() }
}

/// A number as it is written.
pub(super) fn position(value: &str) -> Option<String> {
    number(value).map(rounded)
}

/// The value of an attribute that says where something is, if it has the form of one.
pub(super) fn geometry(name: &str, value: &str) -> Option<String> {
    match name {
        "x" | "y" | "width" | "height" | "rx" | "ry" | "r" | "cx" | "cy" | "x1" | "y1" | "x2" | "y2"
        | "refX" | "refY" | "markerWidth" | "markerHeight" => position(value),
        "d" => drawn(value, "MmLlHhVvCcSsQqTtAaZz"),
        "points" => drawn(value, ""),
        "viewBox" => drawn(value, ""),
        "transform" => transform(value),
        "orient" => matches!(value, "auto" | "auto-start-reverse").then(|| value.to_owned()),
        "markerUnits" => matches!(value, "userSpaceOnUse" | "strokeWidth").then(|| value.to_owned()),
        _ => None,
    }
}

/// Numbers, separators and the letters given; numbers are cut to two decimals.
fn drawn(value: &str, letters: &str) -> Option<String> {
    let mut out = String::with_capacity(value.len());
    let mut digits = String::new();
    let flush = |digits: &mut String, out: &mut String| -> Option<()> {
        if !digits.is_empty() {
            out.push_str(&rounded(number(digits)?));
            digits.clear();
        }
        Some(())
    };
    for c in value.chars() {
        let exponent = digits.ends_with(['e', 'E']);
        match c {
            '0'..='9' | '.' => digits.push(c),
            'e' | 'E' if !digits.is_empty() => digits.push(c),
            '+' | '-' if digits.is_empty() || exponent => digits.push(c),
            '-' => {
                flush(&mut digits, &mut out)?;
                out.push(' ');
                digits.push(c);
            }
            ' ' | ',' | '\n' => {
                flush(&mut digits, &mut out)?;
                out.push(c);
            }
            c if letters.contains(c) => {
                flush(&mut digits, &mut out)?;
                out.push(c);
            }
            _ => return None,
        }
    }
    flush(&mut digits, &mut out)?;
    Some(out)
}

/// One or more of `translate(…)`, `rotate(…)`, `scale(…)`.
fn transform(value: &str) -> Option<String> {
    let mut parts = Vec::new();
    for step in value.split(')').map(str::trim).filter(|step| !step.is_empty()) {
        let (name, numbers) = step.split_once('(')?;
        let name = name.trim_start_matches([' ', ',']).trim();
        if !matches!(name, "translate" | "rotate" | "scale") {
            return None;
        }
        parts.push(format!("{name}({})", drawn(numbers, "")?));
    }
    (!parts.is_empty()).then(|| parts.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_geometry_passes() {
        for (name, value, expected) in [
            ("x", "12.3456", Some("12.35")),
            ("x", "-0.001", Some("0")),
            ("x", "url(#a)", None),
            ("d", "M1.005,2L-3e-7 4Z", Some("M1,2L0 4Z")),
            ("d", "M1-2", Some("M1 -2")),
            ("d", "M0 0\" onload=\"x", None),
            ("points", "0,7 11.5,14", Some("0,7 11.5,14")),
            ("transform", "translate(1, 2.5) rotate(90)", Some("translate(1, 2.5) rotate(90)")),
            ("transform", "expression(alert(1))", None),
            ("orient", "auto", Some("auto")),
            ("style", "fill:red", None),
            ("onclick", "1", None),
            ("href", "#a", None),
        ] {
            assert_eq!(geometry(name, value).as_deref(), expected, "{name}={value}");
        }
    }
}
