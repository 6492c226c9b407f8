//! The life of a document over HTTP: what each role may do, what is refused and how, and what was in force when.

mod signing;

use serde_json::{Value, json};

use crate::house::{Answer, Client, House, PASSWORD, both};

const DOCUMENTS: &str = "/api/v1/documents";

fn document(number: &str) -> Value {
    json!({
        "number": number, "kind": "sop", "department": "CS", "owner": "qa",
        "title": { "zh-CN": "订单受理", "en": "Order intake" },
        "processes": ["order_intake", "credit_check"], "audience": ["cs", "qa"], "review_months": 24,
    })
}

fn draft(zh: &str) -> Value {
    json!({
        "renditions": { "zh-CN": format!("# 目的\n\n1. {zh}\n"), "en": "# Purpose\n\n1. Do it\n" },
        "change_summary": "首次发布", "change_reason": "新流程",
    })
}

/// Everybody who takes part in a document's life.
struct Cast {
    author: Client,
    reviewer: Client,
    qa: Client,
    cs: Client,
}

impl Cast {
    fn of(house: &House) -> Self {
        let [author, reviewer, qa, cs] = ["author", "reviewer", "qa", "cs"].map(|login| house.person(login));
        Self { author, reviewer, qa, cs }
    }

    fn make(&self, number: &str) -> String {
        self.author.post(DOCUMENTS, document(number)).expect(201);
        format!("{DOCUMENTS}/{number}")
    }

    /// A draft, submitted; its address and the digest to sign.
    fn submit(&self, document: &str, text: &str, effective_from: Option<&str>) -> (String, String) {
        let made = self.author.post(&format!("{document}/versions"), draft(text)).expect(201).json();
        let version = format!("{document}/versions/{}", made["version"].as_str().unwrap());
        let body = submission(made["digest"].as_str().unwrap(), effective_from);
        let submitted = self.author.post(&format!("{version}/submit"), body).expect(200).json();
        assert_eq!(submitted["state"], "in_review");
        (version, submitted["digest"].as_str().unwrap().to_owned())
    }

    /// A version that all have signed.
    fn approve(&self, document: &str, text: &str, effective_from: Option<&str>) -> (String, Value) {
        let (version, digest) = self.submit(document, text, effective_from);
        sign(&self.reviewer, &version, "reviewed", &digest).expect(200);
        (version.clone(), sign(&self.qa, &version, "approved", &digest).expect(200).json())
    }
}

fn submission(digest: &str, effective_from: Option<&str>) -> Value {
    let mut body = json!({
        "reviewers": ["reviewer"], "approvers": ["qa"], "digest": digest, "password": PASSWORD,
    });
    if let Some(from) = effective_from {
        body["effective_from"] = json!(from);
    }
    body
}

fn sign(who: &Client, version: &str, meaning: &str, digest: &str) -> Answer {
    let body = json!({ "meaning": meaning, "digest": digest, "password": PASSWORD });
    who.post(&format!("{version}/sign"), body)
}

fn field(answer: &Answer) -> String {
    answer.json()["errors"][0]["field"].as_str().unwrap_or_default().to_owned()
}

/// Every record of the feature has the state that the ledger sealed last.
fn sealed_states_hold(house: &House) {
    use sopledger::ledger::digest::Digest;
    let check = |db: &mut sopledger::store::Db| {
        for governed in sopledger::app::GOVERNED.iter().filter(|governed| governed.kind == "document") {
            for id in (governed.ids)(db)? {
                let snapshot = (governed.snapshot)(db, &id)?.unwrap().to_bytes()?;
                let post = last_post(db, &id);
                assert_eq!(Digest::of(&snapshot).to_string(), post, "document/{id}");
            }
        }
        Ok(())
    };
    house.site.readers.read_here(check).unwrap();
}

fn last_post(db: &mut sopledger::store::Db, id: &str) -> String {
    use diesel::prelude::*;
    use sopledger::store::schema::ledger_entry;
    let entry: Vec<u8> = ledger_entry::table
        .filter(ledger_entry::obj_kind.eq("document").and(ledger_entry::obj_id.eq(id)))
        .order(ledger_entry::seq.desc())
        .select(ledger_entry::entry)
        .first(db)
        .unwrap();
    let text = String::from_utf8(entry).unwrap();
    let body: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    body["post"].as_str().unwrap().to_owned()
}

#[test]
fn a_document_lives_from_its_number_to_its_retirement() {
    both(|house| {
        let cast = Cast::of(house);
        let address = cast.make("SOP-CS-001");
        let (first, approved) = cast.approve(&address, "核对订单", None);
        assert_eq!(
            (approved["state"].as_str(), approved["version"].as_str()),
            (Some("in_force"), Some("1.0"))
        );
        assert_eq!(approved["effective_from"], approved["approved_at"]);
        let signatures = approved["signatures"].as_array().unwrap();
        let meanings: Vec<_> = signatures.iter().map(|s| s["meaning"].as_str().unwrap()).collect();
        assert_eq!(meanings, ["authored", "reviewed", "approved"]);
        assert!(signatures.iter().all(|s| s["digest"] == approved["digest"] && s["name"].is_string()));

        let (second, waiting) = cast.approve(&address, "核对订单与资质", Some("2026-03-02T03:00:00Z"));
        assert_eq!((waiting["state"].as_str(), waiting["version"].as_str()), (Some("awaiting"), Some("2.0")));
        assert_eq!(cast.cs.get(&address).expect(200).json()["in_force"]["version"], "1.0");
        house.later(3600);
        let cast = Cast::of(house);
        assert_eq!(cast.qa.get(&first).json()["state"], "superseded");
        assert_eq!(cast.qa.get(&second).json()["state"], "in_force");

        house.later(600);
        let body = json!({ "password": PASSWORD, "reason": "业务停止" });
        cast.qa.post(&format!("{address}/retire"), body).expect(200);
        assert_eq!(cast.qa.get(&second).json()["state"], "retired");
        assert_eq!(cast.qa.get(&address).json()["in_force"], Value::Null);
        for (as_of, version) in [
            ("2026-03-02T01:59:59Z", Value::Null),
            ("2026-03-02T02:30:00Z", json!("1.0")),
            ("2026-03-02T03:00:00Z", json!("2.0")),
            ("2026-03-02T03:10:00Z", Value::Null),
        ] {
            let held = cast.qa.get(&format!("{address}?as_of={as_of}")).expect(200).json();
            assert_eq!(held["in_force"]["version"], version, "{as_of}");
        }
        sealed_states_hold(house);
    });
}

#[test]
fn the_digest_of_a_version_is_that_of_the_content_it_shows() {
    both(|house| {
        let cast = Cast::of(house);
        let address = cast.make("SOP-CS-001");
        let (version, digest) = cast.submit(&address, "核对", Some("2026-03-03"));
        let answer = cast.author.get(&version).expect(200);
        assert_eq!(answer.header("etag"), Some(format!("\"{digest}\"").as_str()));
        let shown = answer.json();
        let content = shown["content"].as_str().unwrap();
        assert_eq!(sopledger::ledger::digest::Digest::of(content.as_bytes()).to_string(), digest);
        let object: Value = serde_json::from_str(content).unwrap();
        assert_eq!((object["round"].as_i64(), object["document"].as_str()), (Some(1), Some("SOP-CS-001")));
        assert_eq!(object["effective_from"], "2026-03-02T16:00:00.000000Z");
        assert_eq!(object["renditions"][0]["lang"], "en");
    });
}

#[test]
fn a_draft_is_saved_only_over_the_state_it_was_read_in() {
    both(|house| {
        let cast = Cast::of(house);
        let address = cast.make("SOP-CS-001");
        let made = cast.author.post(&format!("{address}/versions"), draft("一")).expect(201).json();
        let version = format!("{address}/versions/1.0");
        let tag = format!("\"{}\"", made["digest"].as_str().unwrap());
        let change = json!({ "change_summary": "改" });
        cast.author.patch(&version, change.clone(), &[]).refused(428, "if-match-missing");
        cast.author.patch(&version, change.clone(), &[("if-match", "\"00\"")]).refused(412, "if-match-stale");
        let saved = cast.qa.patch(&version, change.clone(), &[("if-match", &tag)]).expect(200);
        assert_eq!(saved.header("etag"), cast.qa.get(&version).expect(200).header("etag"));
        let saved = saved.json();
        assert_ne!(saved["digest"], made["digest"]);
        assert_eq!(saved["authors"], json!(["author", "qa"]));
        cast.author.patch(&version, change, &[("if-match", &tag)]).refused(412, "if-match-stale");
        let before = house.acts().len();
        let tag = format!("\"{}\"", saved["digest"].as_str().unwrap());
        cast.author.patch(&version, json!({ "change_summary": "改" }), &[("if-match", &tag)]).expect(200);
        assert_eq!(house.acts().len(), before, "saving what is there is no change");
        let refused = cast
            .author
            .post(&format!("{version}/submit"), submission(saved["digest"].as_str().unwrap(), None));
        assert_eq!(field(&refused.refused(422, "invalid")), "approvers[0]", "qa saved it and is an author");
        sealed_states_hold(house);
    });
}

#[test]
fn customer_service_sees_only_what_is_in_force_and_is_told_what_that_is() {
    both(|house| {
        let cast = Cast::of(house);
        let address = cast.make("SOP-CS-001");
        let (first, _) = cast.approve(&address, "参见 [[SOP-CS-001]] 与 [[SOP-QA-999]]", None);
        cast.make("SOP-CS-002");
        cast.author.post(&format!("{address}/versions"), draft("二")).expect(201);
        let refused = cast.cs.get(&format!("{address}/versions/2.0")).refused(403, "not-in-force").json();
        assert_eq!(refused["in_force"]["version"], "1.0");
        cast.cs.get(&format!("{DOCUMENTS}/SOP-CS-002")).refused(403, "not-in-force");
        let list = cast.cs.get(DOCUMENTS).expect(200).json();
        assert_eq!(list["items"].as_array().unwrap().len(), 1);
        assert_eq!(list["items"][0]["open"], Value::Null);
        let versions = cast.cs.get(&format!("{address}/versions")).expect(200).json();
        assert_eq!(versions["items"].as_array().unwrap().len(), 1);
        cast.cs.get(&format!("{address}/diff?from=1.0&to=2.0")).refused(403, "no-right");
        let html = cast.cs.get(&format!("{first}/html")).expect(200);
        assert!(
            html.text.contains("/documents/SOP-CS-001") && html.text.contains("无此文件"),
            "{}",
            html.text
        );
        let md = cast.cs.get(&format!("{first}/md?lang=en")).expect(200);
        assert_eq!(md.text, "# Purpose\n\n1. Do it\n");
        assert!(md.header("content-type").unwrap().starts_with("text/markdown"));
        cast.cs.get(&format!("{first}/md?lang=fr")).expect(422);
    });
}

#[test]
fn a_document_is_found_by_what_it_is_and_the_list_comes_in_pages() {
    both(|house| {
        let cast = Cast::of(house);
        let address = cast.make("SOP-CS-001");
        cast.approve(&address, "一", None);
        let mut second = document("WI-QA-001");
        (second["kind"], second["department"]) = (json!("work_instruction"), json!("QA"));
        (second["processes"], second["title"]) = (json!(["recall"]), json!("召回演练"));
        cast.author.post(DOCUMENTS, second.clone()).expect(201);
        second.as_object_mut().unwrap().remove("number");
        let third = cast.author.post(DOCUMENTS, second).expect(201);
        assert_eq!(third.header("location"), Some("/api/v1/documents/WI-QA-002"));
        for (query, numbers) in [
            ("", &["SOP-CS-001", "WI-QA-001", "WI-QA-002"][..]),
            ("?q=ORDER", &["SOP-CS-001"]),
            ("?q=wi-qa-002", &["WI-QA-002"]),
            ("?kind=sop", &["SOP-CS-001"]),
            ("?department=QA&process=recall", &["WI-QA-001", "WI-QA-002"]),
            ("?status=in_force", &["SOP-CS-001"]),
            ("?status=in_force&as_of=2020-01-01", &[]),
        ] {
            let list = cast.qa.get(&format!("{DOCUMENTS}{query}")).expect(200).json();
            let found: Vec<_> =
                list["items"].as_array().unwrap().iter().map(|i| i["number"].as_str().unwrap()).collect();
            assert_eq!(found, numbers, "{query}");
        }
        let first = cast.qa.get(&format!("{DOCUMENTS}?limit=2")).expect(200).json();
        let next = first["next"].as_str().unwrap();
        let rest = cast.qa.get(&format!("{DOCUMENTS}?limit=2&cursor={next}")).expect(200).json();
        assert_eq!((rest["items"][0]["number"].as_str(), &rest["next"]), (Some("WI-QA-002"), &Value::Null));
        cast.qa.get(&format!("{DOCUMENTS}?kind=letter")).expect(422);
    });
}

#[test]
fn unacceptable_values_are_named_field_by_field() {
    both(|house| {
        let author = house.person("author");
        author.post(DOCUMENTS, document("SOP-CS-001")).expect(201);
        author.post(DOCUMENTS, document("SOP-CS-001")).refused(409, "number-taken");
        for (name, value, wrong) in [
            ("number", json!("SOP-1"), "number"),
            ("number", json!("SOP-QA-001"), "number"),
            ("kind", json!("letter"), "kind"),
            ("department", json!("XX"), "department"),
            ("owner", json!("nobody"), "owner"),
            ("processes", json!(["magic"]), "processes[0]"),
            ("audience", json!(["cs", "everybody"]), "audience[1]"),
            ("review_months", json!(0), "review_months"),
            ("title", json!({ "en": "Only English" }), "title.zh-CN"),
            ("created_at", json!("2020-01-01"), "created_at"),
        ] {
            let mut body = document("SOP-CS-002");
            body[name] = value;
            assert_eq!(field(&author.post(DOCUMENTS, body).refused(422, "invalid")), wrong);
        }
        let versions = format!("{DOCUMENTS}/SOP-CS-001/versions");
        let mut hidden = draft("一");
        hidden["renditions"]["en"] = json!("a\u{202e}b");
        assert_eq!(field(&author.post(&versions, hidden).refused(422, "invalid")), "renditions.en");
        let made = author.post(&versions, draft("一")).expect(201).json();
        let past = submission(made["digest"].as_str().unwrap(), Some("2026-03-01"));
        assert_eq!(
            field(&author.post(&format!("{versions}/1.0/submit"), past).refused(422, "invalid")),
            "effective_from"
        );
        for path in ["/SOP-CS-999", "/nonsense", "/SOP-CS-001/versions/9.0", "/SOP-CS-001/versions/x"] {
            author.get(&format!("{DOCUMENTS}{path}")).refused(404, "not-found");
        }
        house.person("cs").post(DOCUMENTS, document("SOP-CS-003")).refused(403, "no-right");
    });
}

#[test]
fn a_periodic_review_moves_the_next_one_only_when_it_confirms() {
    both(|house| {
        let cast = Cast::of(house);
        let address = cast.make("SOP-CS-001");
        let review = |who: &Client, outcome: &str| {
            let body = json!({ "password": PASSWORD, "outcome": outcome, "comment": "逐条核对" });
            who.post(&format!("{address}/review"), body)
        };
        review(&cast.qa, "confirmed").refused(409, "nothing-in-force");
        cast.approve(&address, "一", None);
        assert_eq!(cast.qa.get(&address).json()["review_due"], "2028-03-02T02:00:00.000000Z");
        house.later(86_400);
        let qa = house.person("qa");
        assert_eq!(review(&qa, "revise").expect(200).json()["review_due"], "2028-03-02T02:00:00.000000Z");
        assert_eq!(review(&qa, "confirmed").expect(200).json()["review_due"], "2028-03-03T02:00:00.000000Z");
        review(&qa, "maybe").refused(422, "invalid");
        let author = house.person("author");
        let body = json!({ "owner": "ra", "reason": "调岗" });
        assert_eq!(author.patch(&address, body, &[]).expect(200).json()["owner"], "ra");
        sealed_states_hold(house);
    });
}

#[test]
fn two_versions_are_compared_word_by_word() {
    both(|house| {
        let cast = Cast::of(house);
        let address = cast.make("SOP-CS-001");
        cast.approve(&address, "30 分钟内复核", None);
        cast.author.post(&format!("{address}/versions"), draft("15 分钟内复核")).expect(201);
        let compared = cast.qa.get(&format!("{address}/diff?from=1.0&to=2.0&lang=zh-CN")).expect(200).json();
        assert_eq!((compared["changed"].as_i64(), compared["unchanged"].as_bool()), (Some(1), Some(false)));
        let row = compared["rows"].as_array().unwrap().iter().find(|row| row["kind"] == "changed").unwrap();
        assert!(row["old"].as_array().unwrap().iter().any(|span| span["changed"] == true), "{row}");
        cast.qa.get(&format!("{address}/diff?from=1.0&to=7.0")).refused(422, "invalid");
    });
}

#[test]
fn the_instant_of_effect_is_noted_once() {
    both(|house| {
        let cast = Cast::of(house);
        let address = cast.make("SOP-CS-001");
        cast.approve(&address, "一", None);
        cast.approve(&address, "二", Some("2026-03-03"));
        let note = || house.site.lane.write_here(sopledger::documents::effect::note_passed).unwrap();
        assert_eq!((note(), note()), (1, 0));
        house.later(86_400);
        assert_eq!((note(), note()), (1, 0));
        assert_eq!(house.acts().iter().filter(|act| *act == "document.version.effective").count(), 2);
        sealed_states_hold(house);
    });
}

#[test]
fn a_folder_of_files_becomes_drafts_and_a_bad_file_keeps_none_from_it() {
    use sopledger::documents::import::{Deed, folder};
    both(|house| {
        let dir = tempfile::tempdir().unwrap();
        let head = |lang: &str, title: &str| {
            format!(
                "---\nnumber: SOP-CS-001\nkind: sop\ndepartment: CS\ntitle: {title}\nlanguage: {lang}\nauthoritative: {}\n\
                 owner_role: qa\nprocesses: [order_intake]\naudience: [cs]\nreview_months: 12\n---\n",
                lang == "zh-CN"
            )
        };
        let write = |name: &str, text: String| std::fs::write(dir.path().join(name), text).unwrap();
        write("SOP-CS-001.zh-CN.md", format!("{}# 目的\n", head("zh-CN", "订单受理")));
        write("SOP-CS-001.en.md", format!("{}# Purpose\n", head("en", "Order intake")));
        write("broken.md", "---\nnumber: x\n".to_owned());
        let deeds = |expected: &[(bool, Deed)]| {
            let reports = folder(&house.site, dir.path(), "author").unwrap();
            let deeds: Vec<_> =
                reports.iter().map(|report| report.outcome.as_ref().ok().map(|taken| taken.deed)).collect();
            let expected: Vec<_> = expected.iter().map(|(taken, deed)| taken.then_some(*deed)).collect();
            assert_eq!(deeds, expected, "{reports:?}");
        };
        deeds(&[(true, Deed::Created), (true, Deed::Created), (false, Deed::Created)]);
        deeds(&[(true, Deed::Unchanged), (true, Deed::Unchanged), (false, Deed::Created)]);
        let author = house.person("author");
        let made = author.get(&format!("{DOCUMENTS}/SOP-CS-001/versions/1.0")).expect(200).json();
        assert_eq!(made["title"], json!({ "zh-CN": "订单受理", "en": "Order intake" }));
        assert_eq!(made["renditions"]["en"], "# Purpose\n");
        write("SOP-CS-001.en.md", format!("{}# Purpose and scope\n", head("en", "Order intake")));
        deeds(&[(true, Deed::Joined), (true, Deed::Joined), (false, Deed::Created)]);
        sealed_states_hold(house);
        assert!(folder(&house.site, dir.path(), "cs").is_err());
    });
}

#[test]
fn every_act_is_taken_in_its_states_alone() {
    both(|house| {
        let cast = Cast::of(house);
        let at = |number: &str, version: &str| format!("{DOCUMENTS}/{number}/versions/{version}");
        let one = cast.make("SOP-CS-001");
        cast.approve(&one, "一", None);
        cast.approve(&one, "二", None);
        let (cancelled, _) = cast.approve(&one, "三", Some("2026-04-01"));
        let because = json!({ "password": PASSWORD, "reason": "内容有误" });
        cast.qa.post(&format!("{cancelled}/cancel"), because.clone()).expect(200);
        cast.approve(&one, "四", Some("2026-04-02"));
        cast.submit(&one, "五", None);
        let two = cast.make("SOP-CS-002");
        cast.author.post(&format!("{two}/versions"), draft("一")).expect(201);
        cast.author
            .post(&format!("{}/abandon", at("SOP-CS-002", "1.0")), json!({ "reason": "x" }))
            .expect(200);
        cast.author.post(&format!("{two}/versions"), draft("二")).expect(201);
        let states = [
            ("superseded", at("SOP-CS-001", "1.0"), &[][..]),
            ("in_force", at("SOP-CS-001", "2.0"), &[]),
            ("cancelled", at("SOP-CS-001", "3.0"), &[]),
            ("awaiting", at("SOP-CS-001", "4.0"), &["cancel"]),
            ("in_review", at("SOP-CS-001", "5.0"), &["sign", "reject", "withdraw"]),
            ("abandoned", at("SOP-CS-002", "1.0"), &[]),
            ("draft", at("SOP-CS-002", "2.0"), &["submit", "save", "abandon"]),
        ];
        for (state, version, taken) in states {
            let shown = cast.qa.get(&version).expect(200).json();
            assert_eq!(shown["state"], state, "{version}");
            let digest = shown["digest"].as_str().unwrap();
            for act in ["submit", "save", "abandon", "sign", "reject", "withdraw", "cancel"] {
                if taken.contains(&act) {
                    continue;
                }
                let address = format!("{version}/{act}");
                let answer = match act {
                    "submit" => cast.author.post(&address, submission(digest, None)),
                    "save" => {
                        cast.author.patch(&version, json!({ "change_summary": "x" }), &[("if-match", "*")])
                    }
                    "sign" => sign(&cast.reviewer, &version, "reviewed", digest),
                    "reject" => cast.reviewer.post(&address, because.clone()),
                    "cancel" => cast.qa.post(&address, because.clone()),
                    _ => cast.author.post(&address, json!({ "reason": "x" })),
                };
                assert_eq!(
                    (answer.status, answer.problem().as_str()),
                    (409, "wrong-state"),
                    "{state} × {act}"
                );
            }
        }
        sealed_states_hold(house);
    });
}
