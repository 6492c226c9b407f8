//! The paper itself: what stands on it, with which letters, whatever the text under it is.

use std::sync::Arc;

use sopledger::copies::layout::Site;
use sopledger::copies::prints::archival;
use sopledger::ledger::store as ledger;
use sopledger::pdf::{Job, Press};

use super::poppler::ask;
use super::{EN, FIRST, ZH, draft, holder, in_force, make, print};
use crate::house::{House, both};

/// What stands on a print, blanks apart.
fn words(pdf: &[u8]) -> Option<String> {
    let text = ask("pdftotext", &["-raw"], pdf)?;
    Some(text.split_whitespace().collect())
}

fn says(text: &str, parts: &[&str]) {
    for part in parts {
        let bare: String = part.split_whitespace().collect();
        assert!(text.contains(&bare), "{part} in {text}");
    }
}

#[test]
fn a_print_says_what_it_is_on_every_page_in_both_languages() {
    both(|house| {
        in_force(house);
        let Some(pdf) = print(house, &house.person("cs"), &format!("{FIRST}/pdf")) else { return };
        let (Some(info), Some(fonts), Some(text)) =
            (ask("pdfinfo", &[], &pdf), ask("pdffonts", &[], &pdf), words(&pdf))
        else {
            return;
        };
        assert!(info.contains("Pages:           3"), "{info}");
        assert!(info.contains("Tagged:          yes"), "{info}");
        let xmp = ask("pdfinfo", &["-meta"], &pdf).unwrap();
        assert!(xmp.contains("pdfaid:part>2<") && xmp.contains("pdfaid:conformance>A<"), "{xmp}");
        for font in fonts.lines().skip(2) {
            let columns: Vec<&str> = font.split_whitespace().rev().collect();
            // From the right: object, number, uni, sub, emb.
            assert_eq!(columns[2..5], ["yes", "yes", "yes"], "{font}");
        }
        let each = [
            "订单受理",
            "Order intake",
            "规范接单",
            "2–8℃",
            "Check the licence",
            "SOP-CS-001",
            "V1.0",
            "现行有效 In force",
            "第 1 页，共 3 页",
            "Page 3 of 3",
            "非受控副本",
            "仅打印当日有效",
            "UNCONTROLLED COPY",
            "打印人 Printed by cs 某",
            "2026-03-02 10:00:00 CST",
            "2026-03-02 23:59 CST",
            "审计条目 Entry #",
            "签名页",
            "qa 某",
            "批准：自生效日起执行",
            "修订历史 Revision history",
            "首次发布",
            "客户服务部",
        ];
        says(&text, &each);
        let one = print(house, &house.person("cs"), &format!("{FIRST}/pdf?lang=en")).unwrap();
        let text = words(&one).unwrap();
        says(&text, &["Page 1 of 2", "Printed by cs", "Signature page", "Orders are taken in order."]);
        assert!(!text.contains("规范接单") && !text.contains("打印人"), "{text}");
    });
}

#[test]
fn a_state_is_said_across_the_page() {
    let house = House::sqlite();
    make(&house);
    let (_, _) = draft(&house, ZH, EN);
    let author = house.person("author");
    let Some(pdf) = print(&house, &author, &format!("{FIRST}/pdf?lang=zh-CN")) else { return };
    let Some(text) = words(&pdf) else { return };
    says(&text, &["草稿", "草稿，不得据此操作"]);
    assert!(!text.contains("当日有效"), "{text}");
}

#[test]
fn a_numbered_copy_names_its_holder_and_what_it_must_do() {
    both(|house| {
        in_force(house);
        let qa = house.person("qa");
        qa.post(super::COPIES, holder("王芳")).expect(201);
        let Some(pdf) = print(house, &qa, &format!("{}/1/pdf", super::COPIES)) else { return };
        assert_eq!(super::last(house, "document.copy.printed")["obj"]["id"], "SOP-CS-001/1");
        let Some(text) = words(&pdf) else { return };
        says(&text, &["受控副本 No. 1", "CONTROLLED COPY No. 1", "王芳", "本版失效时须交回", "一号冷库"]);
        assert!(!text.contains("非受控"), "{text}");
        assert!(super::status(house, &super::behind(&pdf)).1.contains("受控副本 No. 1"));
    });
}

/// Texts that would be markup to somebody.
fn hostile() -> Vec<String> {
    let typst = "#panic(\"x\") #import \"/etc/passwd\": * $x^2$ @nowhere <label> #sys.inputs = _a_ *b* `c` \\ // /* #let";
    vec![
        format!("## {typst}\n\n{typst}\n\n- {typst}\n\n| {typst} | b |\n|---|---|\n| {typst} | 2 |\n\n> {typst}\n"),
        format!("```\n{typst}\n```\n\n```mermaid\nflowchart TD\n A[\"#panic() $x$\"] --> B[\"\u{1F600}字\"]\n```\n"),
        format!("{}词\n\n{}深\n", "> ".repeat(300), "- ".repeat(60)),
        format!("{}强{}\n", "**a *".repeat(80), "* b**".repeat(80)),
        "\u{1F600}\u{1F468}\u{200D}\u{1F469} \u{E000} \u{10FFFD} a\u{0301} \u{AD} \u{202F} 𠀀 ﷽\n".to_owned(),
        "[^a] [^b]\n\n[^a]: 见 [^b] 与 [^a]\n[^b]: 见 [^a]\n\n[x](javascript:alert(1)) <http://a.cn> ![图](x.png)\n".to_owned(),
        "3. 三\n4. 四\n   - [x] 已\n   - [ ] 未\n\n     段\n\n     ```\n     码\n     ```\n".to_owned(),
        "| a | b | c |\n|:-:|--:|---|\n| 1 |\n| 1 | 2 | 3 | 4 |\n\n||\n|-|\n".to_owned(),
        format!("{}\n", "很长的一段没有空格的文字".repeat(400)),
        format!("`{}`\n\n{}\n", "x".repeat(3000), "y".repeat(3000)),
    ]
}

#[test]
fn no_text_is_markup_to_the_press_and_none_keeps_it_from_printing() {
    let house = House::sqlite();
    make(&house);
    let author = house.person("author");
    for (at, text) in hostile().iter().enumerate() {
        let (version, _) = draft(&house, text, EN);
        let path = format!("{}/SOP-CS-001/versions/{version}", super::DOCUMENTS);
        let Some(pdf) = print(&house, &author, &format!("{path}/pdf")) else { return };
        author.post(&format!("{path}/abandon"), serde_json::json!({ "reason": "试" })).expect(200);
        let Some(words) = words(&pdf) else { continue };
        let wanted = [
            "#panic(\"x\")#import\"/etc/passwd\"",
            "#sys.inputs",
            "词",
            "强",
            "[U+1F600]",
            "见",
            "段",
            "2",
            "没有空格",
        ];
        if let Some(wanted) = wanted.get(at) {
            assert!(words.contains(wanted), "{at}: {wanted} in {words}");
        }
    }
}

/// The archival job of SOP-CS-001 1.0.
fn archive(house: &House) -> Job {
    let site = Site { origin: house.site.origin.clone(), zone: house.site.zone };
    let now = house.place.clock.now();
    house.site.readers.read_here(|db| archival(db, ("SOP-CS-001", "1.0"), (&site, now))).unwrap()
}

#[test]
fn the_same_matter_gives_the_same_bytes_on_any_press() {
    let house = House::sqlite();
    in_force(&house);
    let [one, other] = [Press::find(&[], None), Press::find(&[], None)];
    if one.ready().is_err() {
        return crate::postgres::skipped("no PDF here");
    }
    let first = one.print_here(&archive(&house)).unwrap();
    house.later(3600);
    let second = other.print_here(&archive(&house)).unwrap();
    assert_eq!(first.pages, 3);
    assert!(first.bytes == second.bytes, "two presses differ");
    let head = house.site.readers.read_here(ledger::head).unwrap().unwrap();
    if let Some(text) = words(&first.bytes) {
        says(&text, &["归档件", "Archival copy", "IN FORCE"]);
        assert!(!text.contains("打印人"), "{text} at {}", head.size);
    }
}

#[test]
fn a_machine_without_a_font_says_what_to_install() {
    let folder = tempfile::tempdir().unwrap();
    let press: Arc<Press> = Press::find(&[folder.path().to_owned()], None);
    let code = press.ready().unwrap_err().code();
    assert!(matches!(code, "pdf-no-font" | "pdf-not-built"), "{code}");
}
