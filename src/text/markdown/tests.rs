use super::*;
use proptest::prelude::*;

fn resolve(number: &str) -> RefTarget {
    match number {
        "SOP-QA-015" => {
            RefTarget::InForce { href: "/documents/SOP-QA-015".into(), title: "药品\"验收\"".into() }
        }
        "SOP-QA-016" => RefTarget::Known { href: "/documents/SOP-QA-016".into() },
        _ => RefTarget::Unknown,
    }
}

fn numbered(kind: Numbered, number: usize) -> String {
    match kind {
        Numbered::Table => format!("表 {number}"),
        Numbered::Figure => format!("图 {number}"),
        Numbered::Code => format!("代码 {number}"),
        Numbered::Footnote => format!("脚注 {number}"),
        Numbered::FootnoteBack => format!("脚注 {number}：返回正文"),
    }
}

fn diagram_fault(fault: &DiagramFault) -> String {
    format!("流程图有误 {:?} {:?}", fault.kind, fault.line)
}

pub(super) fn rendered(source: &str) -> Rendered {
    let labels = Labels {
        numbered: &numbered,
        diagram_fault: &diagram_fault,
        diagram: "流程图",
        image_not_loaded: "图片未加载",
        done: "已完成",
        not_done: "未完成",
        not_in_force: "未生效",
        unknown_document: "无此文件",
        footnotes: "脚注",
    };
    let context = RenderContext { ids: "c", resolve: &resolve, labels };
    render(source, &context)
}

fn html(source: &str) -> String {
    rendered(source).html
}

/// Every element the renderer may write.
const TAGS: &[&str] = &[
    "p",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "blockquote",
    "pre",
    "code",
    "ol",
    "ul",
    "li",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "div",
    "section",
    "figure",
    "figcaption",
    "span",
    "em",
    "strong",
    "s",
    "a",
    "sup",
    "br",
    "hr",
    "svg",
    "g",
    "defs",
    "marker",
    "path",
    "rect",
    "circle",
    "ellipse",
    "line",
    "polyline",
    "polygon",
    "text",
    "tspan",
];

/// The tags of a page of our own making: text is escaped, so every `<` begins one.
fn assert_harmless(html: &str) {
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let end = rest[at..].find('>').expect("a tag ends");
        let tag = &rest[at + 1..at + end];
        assert!(!tag.contains('<'), "{tag}");
        let inside = tag.trim_start_matches('/').trim_end_matches('/');
        let (name, attributes) = inside.split_once(' ').unwrap_or((inside, ""));
        assert!(TAGS.contains(&name), "<{tag}>");
        for attribute in attributes.split("\" ").filter(|attribute| !attribute.trim().is_empty()) {
            let (name, value) = attribute.split_once("=\"").expect("quoted");
            assert!(
                !name.starts_with("on")
                    && !matches!(name, "style" | "src" | "srcset" | "action" | "xlink:href"),
                "<{tag}>"
            );
            if name == "href" {
                let value = value.to_ascii_lowercase();
                assert!(
                    !value.contains("javascript:") && !value.contains("data:") && !value.starts_with("//"),
                    "<{tag}>"
                );
            }
        }
        rest = &rest[at + end..];
    }
}

#[test]
fn hostile_text_becomes_text() {
    for source in [
        "<script>alert(1)</script>",
        "a <script>alert(1)</script> b",
        "<img src=x onerror=alert(1)>",
        "<IMG SRC=\"javascript:alert(1)\">",
        "<svg onload=alert(1)><style>*{}</style></svg>",
        "<style>body{display:none}</style>",
        "<div style=\"position:fixed\">x</div>",
        "<iframe src=//evil></iframe>\n\n<object data=x>",
        "<!-- <script> -->\n<![CDATA[<script>]]>\n<?php x ?>",
        "<scr<script>ipt>alert(1)</script>",
        "[x](javascript:alert(1))",
        "[x](JAVASCRIPT:alert(1) \"t\")",
        "[x](java&#115;cript:alert(1))",
        "[x](&#x6A;avascript:alert(1))",
        "[x](java&Tab;script:alert(1))",
        "[x](<javascript:alert(1)>)",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "[x](//evil.example)",
        "[x](vbscript:x)\n\n<javascript:alert(1)>",
        "[x]\n\n[x]: javascript:alert(1) \"onclick=1\"",
        "![x](javascript:alert(1))",
        "![\" onerror=\"alert(1)](x.png)",
        "![<script>](data:image/svg+xml,<svg onload=alert(1)>)",
        "![a ![b](c) [[SOP-QA-015]] d](e)",
        "[a](https://x \"\\\" onmouseover=\\\"alert(1)\")",
        "[a](https://x\"onmouseover=alert(1))",
        "`<script>` and ```<b>```",
        "```\"><script>\n</code></pre><script>alert(1)</script>\n```",
        "```mermaid\nflowchart TD\n A[<script>alert(1)</script>]\n```",
        "```mermaid\n</pre><script>alert(1)</script>\n```",
        "| <script> | b |\n|---|---|\n| <img onerror=x> | [x](javascript:1) |",
        "# <script>alert(1)</script> {#x onclick=alert(1)}",
        "[[<script>]] [[SOP-QA-015\" onclick=\"x]] [[javascript:alert(1)]] [[javascript:alert(1)|SOP-QA-015]]",
        "x[^\"><script>]\n\n[^\"><script>]: <script>alert(1)</script>",
        "- [x] <script>\n- [ ] <b onclick=x>",
        "<a href=\"javascript:alert(1)\">x</a>",
        "&lt;script&gt;alert(1)&lt;/script&gt; &#60;script&#62;",
    ] {
        let html = html(source);
        assert_harmless(&html);
    }
    assert_eq!(html("<b>x</b>"), "<p>&lt;b&gt;x&lt;/b&gt;</p>\n");
}

#[test]
fn headings_start_below_the_page_title_and_skip_no_level() {
    let page = rendered("### 1 目的\n\n# 2 *范围*\n\n#### 2.1 `SAP`\n\n## 2.2\n\n###### 2.2.1\n");
    let outline: Vec<_> = page.outline.iter().map(|h| (h.level, h.id.as_str(), h.text.as_str())).collect();
    assert_eq!(
        outline,
        [
            (2, "c1", "1 目的"),
            (2, "c2", "2 范围"),
            (3, "c2-1", "2.1 SAP"),
            (3, "c2-2", "2.2"),
            (4, "c2-2-1", "2.2.1")
        ]
    );
    assert!(
        page.html
            .starts_with("<h2 id=\"c1\">1 目的</h2>\n<h2 id=\"c2\">2 <em>范围</em></h2>\n<h3 id=\"c2-1\">")
    );
}

#[test]
fn a_table_is_a_named_scroll_region_with_column_heads() {
    assert_eq!(
        html("| 读数 | 时限 | |\n|---|---:|---|\n| 2–8℃ | 15 | a<br>b |\n"),
        "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"表 1\"><table>\n<thead><tr><th scope=\"col\">读数</th>\
         <th scope=\"col\" class=\"num\">时限</th><td></td></tr></thead>\n<tbody>\n<tr><td><span class=\"nb\">2–8℃</span></td>\
         <td class=\"num\">15</td><td>a<br>b</td></tr>\n</tbody></table></div>\n"
    );
    let two = html("|a|\n|-|\n\ntext\n\n|b|\n|-|\n");
    assert!(two.contains("aria-label=\"表 1\"") && two.contains("aria-label=\"表 2\""));
}

#[test]
fn references_lead_to_documents_and_say_when_they_are_not_in_force() {
    let page = rendered(
        "见 [[SOP-QA-015]]、[[SOP-QA-016]]、[[SOP-XX-999]]、[[SOP-QA-015]]，`[[SOP-QA-017]]`，[[不是编号]]。\n\n```\n[[SOP-QA-018]]\n```\n",
    );
    assert_eq!(page.references, ["SOP-QA-015", "SOP-QA-016", "SOP-XX-999"]);
    for part in [
        "<a class=\"ref\" href=\"/documents/SOP-QA-015\" title=\"药品&quot;验收&quot;\">SOP-QA-015</a>",
        "<a class=\"ref\" href=\"/documents/SOP-QA-016\">SOP-QA-016</a> <span class=\"tag\">未生效</span>",
        "<span class=\"ref mono\">SOP-XX-999</span> <span class=\"tag\">无此文件</span>",
        "<code>[[SOP-QA-017]]</code>",
        "[[不是编号]]",
    ] {
        assert!(page.html.contains(part), "{part} in {}", page.html);
    }
}

#[test]
fn links_say_where_they_lead_or_stay_text() {
    assert_eq!(
        html("[a](https://nmpa.gov.cn) [b](/x) <qa@x.cn> [c](javascript:x) <javascript:x>"),
        "<p><a href=\"https://nmpa.gov.cn\" rel=\"noreferrer noopener\">a</a> <a href=\"/x\">b</a> \
         <a href=\"mailto:qa@x.cn\">qa@x.cn</a> c (<code>javascript:x</code>) javascript:x</p>\n"
    );
}

#[test]
fn pictures_are_named_and_never_loaded() {
    for address in ["https://x/y.png", "y.png", "/y.png"] {
        assert_eq!(
            html(&format!("![冷库 **平面图**]({address})")),
            format!("<p><span class=\"image\">图片未加载: 冷库 平面图 <code>{address}</code></span></p>\n")
        );
    }
}

#[test]
fn ticks_are_read_out() {
    assert_eq!(
        html("- [x] 核对\n- [ ] 测温\n"),
        "<ul>\n<li><span aria-hidden=\"true\">☑ </span><span class=\"vh\">已完成 </span>核对</li>\n\
         <li><span aria-hidden=\"true\">☐ </span><span class=\"vh\">未完成 </span>测温</li>\n</ul>\n"
    );
}

#[test]
fn footnotes_are_numbered_as_mentioned_and_lead_back() {
    let page = html("甲[^b]乙[^a]丙[^b]\n\n[^a]: 注甲\n[^b]: 注乙\n[^c]: 无人引用\n");
    for part in [
        "甲<sup><a id=\"cfr1-1\" href=\"#cfn1\" role=\"doc-noteref\" aria-label=\"脚注 1\">[1]</a></sup>乙",
        "<a id=\"cfr1-2\" href=\"#cfn1\"",
        "<li id=\"cfn1\"><p>注乙 <a href=\"#cfr1-1\" role=\"doc-backlink\" aria-label=\"脚注 1：返回正文\">↩</a></p></li>",
        "<li id=\"cfn3\"><p>无人引用</p></li>",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
}

#[test]
fn a_diagram_is_drawn_twice_with_different_ids_and_a_broken_one_is_shown_as_source() {
    let source = "```mermaid\nflowchart TD\n A([到货]) -->|是| B[入库]\n```\n";
    let page = html(&format!("{source}\n{source}"));
    assert_harmless(&page);
    assert!(page.starts_with("<figure class=\"flow\"><div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"图 1\"><svg viewBox=\""));
    assert!(page.contains("</svg></div><figcaption>图 1</figcaption></figure>"));
    let mut ids: Vec<&str> = page.split(" id=\"").skip(1).filter_map(|part| part.split('"').next()).collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "{ids:?}");
    assert_eq!(
        html("```mermaid\nflowchart TD\n A[a --> B\n```\n"),
        "<div class=\"notice yel\"><p>流程图有误 Broken Some(2)</p></div>\n<div class=\"scroll\" role=\"region\" tabindex=\"0\" \
         aria-label=\"代码 1\"><pre><code>flowchart TD\n A[a --&gt; B\n</code></pre></div>\n"
    );
}

#[test]
fn a_line_end_between_han_characters_is_no_blank() {
    assert_eq!(html("核对品名，\n测温\nSAP\n订单"), "<p>核对品名，测温\nSAP\n订单</p>\n");
}

#[test]
fn lists_keep_their_numbers_and_endless_nesting_keeps_its_words() {
    assert!(html("3. 三\n4. 四\n").starts_with("<ol start=\"3\">\n<li>三</li>"));
    let deep = html(&format!("{}词", ">".repeat(5000)));
    assert!(deep.contains("词") && deep.matches("<blockquote>").count() <= 30);
    assert_eq!(deep.matches("<blockquote>").count(), deep.matches("</blockquote>").count());
}

/// Pieces from which hostile Markdown is put together.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "<script>",
        "</script>",
        "<img src=x onerror=alert(1)>",
        " style=\"x\"",
        "javascript:alert(1)",
        "[",
        "]",
        "(",
        ")",
        "![",
        "[[",
        "]]",
        "SOP-QA-015",
        "`",
        "```",
        "```mermaid\nflowchart TD\n",
        "~~~",
        "\n",
        "\n\n",
        "    ",
        "> ",
        "- ",
        "1. ",
        "- [x] ",
        "# ",
        "### ",
        "|",
        "|-|-|\n",
        "\\",
        "\"",
        "'",
        "&",
        "&#106;",
        "<",
        ">",
        "*",
        "**",
        "_",
        "~~",
        "[^1]",
        "[^1]: ",
        "<!--",
        "-->",
        "<br>",
        "字",
        "2–8℃",
        "\u{0}",
        "\u{1b}",
        "\r",
        "http://x",
        "<http://x>",
        "&lt;",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn is_balanced(html: &str) -> bool {
    let mut open = Vec::new();
    for tag in html.split('<').skip(1).filter_map(|part| part.split('>').next()) {
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default();
        if tag.starts_with('/') {
            if open.pop() != Some(name) {
                return false;
            }
        } else if !tag.ends_with('/') && !matches!(name, "br" | "hr") {
            open.push(name);
        }
    }
    open.is_empty()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn whatever_is_written_comes_out_harmless_and_balanced(source in pieces()) {
        let html = html(&source);
        assert_harmless(&html);
        prop_assert!(is_balanced(&html), "{html}");
        let shape = crate::text::structure::shape(&source);
        prop_assert_eq!(shape.headings, rendered(&source).outline.len());
        prop_assert!(crate::text::structure::plain(&source).len() <= 3 * source.len() + 16);
    }

    #[test]
    fn any_characters_come_out_harmless(source in "\\PC{0,120}") {
        let html = html(&source);
        assert_harmless(&html);
        prop_assert!(is_balanced(&html), "{html}");
    }
}

#[test]
fn a_text_of_the_full_size_takes_no_more_than_linear_time() {
    let limit = crate::text::accept::TEXT_LIMIT;
    let references: String = (0..limit / 14).map(|at| format!("[[SOP-{at}]] ")).collect();
    let footnotes: String = (0..limit / 40).map(|at| format!("a[^{at}]\n\n[^{at}]: b\n\n")).collect();
    let cell = "|a".repeat(1000);
    for source in [
        references,
        footnotes,
        "[".repeat(limit),
        "![".repeat(limit / 2),
        "[[".repeat(limit / 2),
        "*a_ ".repeat(limit / 4),
        "> ".repeat(limit / 2),
        "- ".repeat(limit / 20),
        "# a\n".repeat(limit / 4),
        format!("{cell}\n{}\n{}", "|-".repeat(1000), "|x\n".repeat(limit / 4)),
        "<b".repeat(limit / 2),
        "`a".repeat(limit / 2),
        "```mermaid\n```\n".repeat(limit / 15),
        "1".repeat(limit),
        "2–".repeat(limit / 4),
    ] {
        let start = std::time::Instant::now();
        let html = html(&source);
        let name: String = source.chars().take(12).collect();
        println!("{:?} {name:?} {}", start.elapsed(), html.len());
        assert!(start.elapsed().as_secs() < 20, "{name:?}: {:?}", start.elapsed());
    }
}
