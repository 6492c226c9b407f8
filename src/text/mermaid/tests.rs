use super::*;

const FLOW: &str = include_str!("tests/receipt.mmd");
const SEQUENCE: &str = include_str!("tests/review.mmd");
const STATES: &str = include_str!("tests/states.mmd");

/// What a strict content security policy forbids, or what could act.
pub(crate) fn assert_inert(svg: &str) {
    let document = roxmltree::Document::parse(svg).expect("well-formed");
    for node in document.descendants().filter(roxmltree::Node::is_element) {
        let name = node.tag_name().name();
        assert!(
            matches!(
                name,
                "svg"
                    | "g"
                    | "defs"
                    | "marker"
                    | "path"
                    | "rect"
                    | "circle"
                    | "ellipse"
                    | "line"
                    | "polyline"
                    | "polygon"
                    | "text"
                    | "tspan"
            ),
            "{name}"
        );
        for attribute in node.attributes() {
            let (name, value) = (attribute.name(), attribute.value());
            assert!(!name.starts_with("on") && name != "style" && name != "href", "{name}={value}");
            assert!(name == "aria-label" || !value.contains(':'), "{name}={value}");
        }
    }
}

fn drawn(source: &str) -> String {
    svg(source).expect("it can be drawn").svg("流程图")
}

#[test]
fn the_three_kinds_are_drawn_with_the_classes_of_our_style_sheet() {
    for (source, classes, words) in [
        (FLOW, &["box", "end", "stop", "way", "word", "tip"][..], &["冷藏药品到货", "是", "单据不符"][..]),
        (SEQUENCE, &["box", "way", "word", "tip"], &["起草人 Author", "退回 Return"]),
        (STATES, &["box", "way", "word", "tip"], &["草稿", "提交"]),
    ] {
        let svg = drawn(source);
        assert_inert(&svg);
        for class in classes {
            assert!(svg.contains(&format!("class=\"{class}\"")), "{class} in {svg}");
        }
        for word in words {
            assert!(svg.contains(word), "{word} in {svg}");
        }
        assert!(svg.starts_with("<svg viewBox=\""));
        assert!(svg.contains(" role=\"img\" aria-label=\"流程图: "));
        assert!(svg.len() < 40_000, "{}", svg.len());
    }
}

#[test]
fn ids_are_the_diagrams_own_and_every_reference_has_its_target() {
    let (one, two) = (svg(FLOW).expect("drawn"), svg(SEQUENCE).expect("drawn"));
    assert_ne!(one.ids, two.ids);
    for diagram in [&*one, &*two, &one.again(2)] {
        let svg = diagram.svg("x");
        let document = roxmltree::Document::parse(&svg).expect("well-formed");
        let ids: Vec<_> = document.descendants().filter_map(|node| node.attribute("id")).collect();
        assert!(ids.iter().all(|id| id.starts_with(&diagram.ids)));
        for node in document.descendants() {
            for reference in node.attribute("marker-end").into_iter().chain(node.attribute("marker-start")) {
                let id = reference.trim_start_matches("url(#").trim_end_matches(')');
                assert!(ids.contains(&id), "{id}");
            }
        }
    }
    assert!(!one.again(2).svg("x").contains(&format!("\"{}1\"", one.ids)));
}

#[test]
fn hostile_sources_draw_nothing_that_acts() {
    for source in [
        "flowchart TD\n A[<script>alert(1)</script>] --> B[\"<img src=x onerror=alert(1)>\"]\n click A href \"javascript:alert(1)\"",
        "flowchart TD\n A[\"<img src=x onerror=alert(1)>\"] --> B[\"<svg onload=alert(1)>\"]",
        "flowchart TD\n A[a] --> B[b]\n click A href \"javascript:alert(1)\"\n click B call alert(1)",
        "flowchart TD\n A[a] --> B[b]\n click A \"https://evil.example\" \"tip\" _blank",
        "%%{init: {\"htmlLabels\": true, \"securityLevel\": \"loose\", \"themeCSS\": \"*{background:url(//evil)}\"}}%%\nflowchart TD\n A[\"<b>x</b>\"]",
        "%%{init: {\"themeVariables\": {\"primaryColor\": \"red;}</style><script>alert(1)</script>\"}}}%%\nflowchart TD\nA-->B",
        "---\nconfig:\n  htmlLabels: true\n  themeCSS: \"x\"\n---\nflowchart TD\n A --> B",
        "flowchart TD\n style A fill:url(javascript:alert(1)),stroke:red;\n A --> B\n classDef x fill:expression(alert(1))\n class A x",
        "flowchart TD\n A@{ img: \"https://evil.example/x.png\", label: \"x\" }",
        "flowchart TD\n A[\"`**bold** <script>x</script>`\"]",
        "sequenceDiagram\n participant A as <script>alert(1)</script>\n A->>A: <img src=x onerror=alert(1)>\n link A: x @ javascript:alert(1)",
        "stateDiagram-v2\n state \"<script>alert(1)</script>\" as s\n s --> s: \"onload=alert(1)\"",
        "flowchart TD\n A[\"&lt;script&gt; &amp; \u{0} \u{1b} ]]> <!-- \"]",
        "flowchart TD\n \"><script>alert(1)</script>[x]",
    ] {
        if let Ok(diagram) = svg(source) {
            assert_inert(&diagram.svg("\"><script>"));
        }
    }
}

#[test]
fn a_fault_is_named_with_its_line() {
    for (source, kind, line) in [
        ("flowchart TD\n A[a --> B\n", DiagramFaultKind::Broken, Some(2)),
        ("%%{init: {}}%%\nflowchart TD\n\n A --> B\n A[a --> B\n", DiagramFaultKind::Broken, Some(5)),
        ("garbage {{{", DiagramFaultKind::UnknownKind, None),
        ("", DiagramFaultKind::UnknownKind, None),
        ("pie\n \"a\": 1", DiagramFaultKind::UnknownKind, None),
    ] {
        assert_eq!(svg(source), Err(DiagramFault { kind, line }), "{source}");
    }
}

#[test]
fn what_is_too_large_is_refused_before_it_is_drawn() {
    let too_large = |source: String| svg(&source).expect_err("too large").kind == DiagramFaultKind::TooLarge;
    assert!(too_large("x".repeat(SOURCE_LIMIT + 1)));
    assert!(too_large(format!("flowchart TD\n{}", "A-->B\n".repeat(MOST_LINES))));
    assert!(too_large(format!("flowchart TD\n{}A\n{}", "subgraph s\n".repeat(40), "end\n".repeat(40))));
    assert!(too_large(format!("stateDiagram-v2\n{}a --> b\n{}", "state x {\n".repeat(40), "}\n".repeat(40))));
}

#[test]
fn sources_that_hurt_a_layout_end_in_a_picture_or_a_fault() {
    let nodes: String = (0..MOST_LINES - 10).map(|at| format!("N{at} --> N{}\n", at * 7 % 53)).collect();
    for source in [
        format!("flowchart TD\n{nodes}"),
        format!("flowchart TD\nA[{}]", "字".repeat(6000)),
        format!("flowchart TD\n{}", "A & ".repeat(60) + "A --> " + &"B & ".repeat(60) + "B"),
        format!("flowchart TD\nA{}", "[".repeat(5000)),
        format!("flowchart TD\nA{}", "(".repeat(5000)),
        format!("sequenceDiagram\n{}", "A->>B: x\n".repeat(MOST_LINES - 10)),
        format!(
            "sequenceDiagram\n{}A->>B: x\n{}",
            "loop x\n".repeat(DEEPEST - 1),
            "end\n".repeat(DEEPEST - 1)
        ),
        format!("flowchart TD\n{}A\n{}", "subgraph s\n".repeat(DEEPEST - 1), "end\n".repeat(DEEPEST - 1)),
        "\u{feff}flowchart TD\n A".to_owned(),
    ] {
        let start = std::time::Instant::now();
        if let Ok(diagram) = svg(&source) {
            assert_inert(&diagram.svg("x"));
        }
        println!("{:?} {:?}", start.elapsed(), source.chars().take(40).collect::<String>());
        assert!(start.elapsed() < DEADLINE * 4, "{:?}", start.elapsed());
    }
}

/// A closing brace in a comment hides nesting from the count: even then the stack must hold.
#[test]
fn nesting_that_hides_from_the_count_does_not_exhaust_the_stack() {
    for source in [
        format!("stateDiagram-v2\n{}a --> b\n{}", "state x {\n%% }\n".repeat(140), "}\n".repeat(10)),
        format!("flowchart TD\n{}A", "subgraph s\nA[\"}}\"]\n".repeat(140)),
        format!(
            "flowchart TD\n{}A\n{}",
            (0..140).map(|at| format!("subgraph s{at}\n")).collect::<String>(),
            "end\n".repeat(140)
        ),
        format!(
            "stateDiagram-v2\n{}a --> b\n{}",
            (0..140).map(|at| format!("state x{at} {{\n")).collect::<String>(),
            "}\n".repeat(140)
        ),
        format!("sequenceDiagram\n{}A->>B: x\n{}", "loop x\n".repeat(140), "end\n".repeat(140)),
    ] {
        if let Ok(diagram) = draw(&source, &[0; 32]) {
            assert_inert(&diagram.svg("x"));
        }
    }
}

#[test]
fn the_second_drawing_is_the_kept_one() {
    let source = format!("{FLOW}\n  %% kept");
    let (first, second) = (svg(&source).expect("drawn"), svg(&source).expect("drawn"));
    assert!(Arc::ptr_eq(&first, &second));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(96))]
    #[test]
    fn no_source_makes_it_panic(body in "[A-C\\[\\](){}<>|:;\"'%&#@~ 字=.\n-]{0,120}", kind in 0..3_usize) {
        let kind = ["flowchart TD", "sequenceDiagram", "stateDiagram-v2"][kind];
        if let Ok(diagram) = svg(&format!("{kind}\n{body}")) {
            assert_inert(&diagram.svg("x"));
        }
    }
}
