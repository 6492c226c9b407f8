//! The public surface as an outsider meets it: what contract.md promises across all features, line by line.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::deviations::order;
use crate::house::{Answer, Client, House, PASSWORD, both};
use crate::wait::until;

const DOCUMENTS: &str = "/api/v1/documents";

fn document() -> Value {
    json!({
        "kind": "sop", "department": "CS", "owner": "author", "title": { "zh-CN": "订单受理" },
        "processes": ["order_intake"], "audience": ["cs"], "review_months": 24,
    })
}

fn deviation() -> Value {
    json!({
        "title": "冷链超温", "description": "运输中 9.1 °C，20 分钟。", "class": "major", "area": "cold_chain",
        "occurred_at": "2026-03-01T08:00:00Z", "found_at": "2026-03-02T01:00:00Z",
    })
}

fn recall() -> Value {
    json!({
        "title": "封口不良", "class": "II", "class_rationale": "一般不会引起健康危害", "reason": "封口",
        "role": "wholesaler", "origin": "voluntary", "drill": false,
        "batches": [{ "material": "M-1", "batch": "B-1" }], "decided_at": "2026-03-02T01:00:00Z",
    })
}

fn with(mut body: Value, field: &str, value: Value) -> Value {
    body[field] = value;
    body
}

/// All entries, as the trail hands them out.
fn entries(house: &House, filter: &str) -> Vec<Value> {
    let ndjson = [("accept", "application/x-ndjson")];
    let answer = house.person("auditor").get_with(&format!("/api/v1/ledger/entries?{filter}"), &ndjson);
    answer.expect(200).text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Problem, with its members in the language asked for.
fn is_problem(answer: &Answer) {
    let status = answer.status;
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{}", answer.text);
    let told = answer.json();
    assert_eq!(told["status"], status);
    for member in ["type", "title", "detail"] {
        assert!(told[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {}", answer.text);
    }
}

#[test]
fn a_refusal_is_a_problem_in_the_readers_language() {
    both(|house| {
        let cases = [
            ("en", "Please sign in"),
            ("zh-CN", "请先登录"),
            ("zh", "请先登录"),
            ("zh;q=0.2, en", "Please sign in"),
        ];
        for (accepted, title) in cases {
            let answer = house.nobody().get_with(DOCUMENTS, &[("accept-language", accepted)]);
            is_problem(&answer);
            assert_eq!((answer.status, answer.json()["title"].as_str()), (401, Some(title)), "{accepted}");
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        }
    });
}

#[test]
fn what_cannot_be_read_is_400_and_what_cannot_be_taken_415() {
    both(|house| {
        let author = house.person("author");
        let cases: [(&[u8], &str, u16); 6] = [
            (b"{\"title\":", "application/json", 400),
            (b"{\"title\":\"\xff\"}", "application/json", 400),
            (b"{\"title\":\"a\x00\"}", "application/json", 400),
            (b"{\"title\":\"a\\u0000\"}", "application/json", 400),
            (b"", "application/json", 400),
            (b"<title/>", "application/xml", 415),
        ];
        let told =
            author.send("POST", DOCUMENTS, Some(b"<title/>".to_vec()), &[("content-type", "text/xml")]);
        assert!(told.json()["detail"].as_str().unwrap().contains("application/json"), "{}", told.text);
        let most = author.send(
            "POST",
            DOCUMENTS,
            Some(vec![b' '; (4 << 20) + 1]),
            &[("content-type", "application/json")],
        );
        assert!(most.expect(413).json()["detail"].as_str().unwrap().contains("4194304"));
        for (body, media, status) in cases {
            let answer = author.send("POST", DOCUMENTS, Some(body.to_vec()), &[("content-type", media)]);
            is_problem(&answer);
            assert_eq!(answer.status, status, "{}: {}", String::from_utf8_lossy(body), answer.text);
        }
    });
}

#[test]
fn nobody_sets_what_the_system_sets_and_a_refused_request_leaves_no_entry() {
    both(|house| {
        order(house, "80012345");
        let (author, cs, ra, erp) =
            (house.person("author"), house.person("cs"), house.person("ra"), house.person("erp"));
        let held = house.person("qa").get("/api/v1/orders/80012345").expect(200).json();
        let mut sent = json!({});
        for field in ["customer", "lines", "events"] {
            sent[field] = held[field].clone();
        }
        let before = house.acts().len();
        for field in ["actor", "recorded_at", "signed_at", "colour"] {
            let answers = [
                author.post(DOCUMENTS, with(document(), field, json!("qa"))),
                cs.post("/api/v1/deviations", with(deviation(), field, json!("qa"))),
                ra.post("/api/v1/recalls", with(recall(), field, json!("qa"))),
                erp.put("/api/v1/orders/80012345", with(sent.clone(), field, json!("qa"))),
            ];
            for answer in answers {
                is_problem(&answer);
                let told = answer.refused(422, "invalid").json();
                assert_eq!(told["errors"][0]["field"], field);
            }
        }
        assert_eq!(house.acts().len(), before);
    });
}

#[test]
fn characters_that_turn_the_direction_of_writing_are_refused_in_every_text() {
    both(|house| {
        let (author, cs, ra) = (house.person("author"), house.person("cs"), house.person("ra"));
        let turned = || json!("a\u{202e}b");
        let answers = [
            (
                "title.zh-CN",
                author.post(DOCUMENTS, with(document(), "title", json!({ "zh-CN": "a\u{202e}b" }))),
            ),
            ("title", cs.post("/api/v1/deviations", with(deviation(), "title", turned()))),
            ("description", cs.post("/api/v1/deviations", with(deviation(), "description", turned()))),
            ("reason", ra.post("/api/v1/recalls", with(recall(), "reason", turned()))),
        ];
        for (field, answer) in answers {
            assert_eq!(answer.refused(422, "invalid").json()["errors"][0]["field"], field);
        }
    });
}

#[test]
fn an_unknown_or_malformed_thing_in_the_path_is_404() {
    both(|house| {
        let qa = house.person("qa");
        let paths = [
            "/documents/xyz",
            "/documents/SOP-CS-999",
            "/documents/SOP-CS-999/versions/1.0",
            "/orders/%20",
            "/orders/80099999",
            "/deviations/DEV-1",
            "/deviations/DEV-2026-0999",
            "/recalls/RCL-0",
            "/jobs/x",
            "/jobs/%00",
            "/documents/%00",
            "/recalls/RCL-2026-0999/corrections/c-0",
            "/ledger/entries/x",
            "/ledger/entries/01",
            "/ledger/entries/999999",
            "/ledger/content/zz",
            "/nothing",
        ];
        for path in paths {
            let answer = qa.get(&format!("/api/v1{path}"));
            is_problem(&answer);
            assert_eq!(answer.status, 404, "{path}: {}", answer.text);
        }
    });
}

#[test]
fn what_was_made_is_found_where_its_location_says() {
    both(|house| {
        order(house, "80012345");
        let (admin, author, cs, ra, qa) = (
            house.person("admin"),
            house.person("author"),
            house.person("cs"),
            house.person("ra"),
            house.person("qa"),
        );
        let follow = |who: &Client, made: Answer| {
            let address = made.expect(201).header("location").map(str::to_owned).unwrap();
            who.get(&address).expect(200);
            address
        };
        let account = follow(&admin, admin.post("/api/v1/users", json!({ "login": "new", "name": "新人" })));
        let grant = json!({ "role": "cs", "reason": "入职" });
        follow(&admin, admin.post(&format!("{account}/grants"), grant));
        let token = json!({ "label": "t", "expires_on": "2026-12-31" });
        follow(&admin, admin.post(&format!("/api/v1/users/{}/tokens", house.id("erp")), token));
        let made = follow(&author, author.post(DOCUMENTS, document()));
        let draft =
            json!({ "renditions": { "zh-CN": "# 一" }, "change_summary": "一", "change_reason": "一" });
        follow(&author, author.post(&format!("{made}/versions"), draft));
        let raised = follow(&cs, cs.post("/api/v1/deviations", deviation()));
        let opened = follow(&ra, ra.post("/api/v1/recalls", recall()));
        for (who, record) in [(&cs, &raised), (&ra, &opened)] {
            let wish = json!({ "field": "title", "value": "另一题名", "reason": "笔误" });
            follow(who, who.post(&format!("{record}/corrections"), wish));
        }
        let link = json!({ "from": raised.trim_start_matches("/api/v1/").replace("deviations", "deviation"),
            "to": "order/80012345", "relation": "affects" });
        follow(&qa, qa.post("/api/v1/links", link));
    });
}

#[test]
fn a_field_that_registering_filled_is_409_for_who_would_fill_it_again() {
    both(|house| {
        let (cs, ra) = (house.person("cs"), house.person("ra"));
        let raised =
            cs.post("/api/v1/deviations", deviation()).expect(201).header("location").unwrap().to_owned();
        let opened = ra.post("/api/v1/recalls", recall()).expect(201).header("location").unwrap().to_owned();
        for (who, record) in [(&cs, raised), (&ra, opened)] {
            for field in ["class", "title"] {
                let answer = who.patch(&record, json!({ field: "I" }), &[]).expect(409).json();
                assert_eq!(answer["errors"][0]["field"], field, "{record}");
            }
            who.patch(&record, json!({ "colour": "red" }), &[]).refused(422, "invalid");
        }
    });
}

#[test]
fn the_trail_is_asked_by_subject_actor_action_and_instants() {
    both(|house| {
        let cs = house.person("cs");
        cs.post("/api/v1/deviations", deviation()).expect(201);
        house.later(60);
        let all = entries(house, "");
        let body = |entry: &Value| -> Value {
            serde_json::from_str(entry["entry"].as_str().unwrap().lines().nth(5).unwrap()).unwrap()
        };
        let count = |filter: &str, wanted: &dyn Fn(&Value) -> bool| {
            let expected: Vec<_> =
                all.iter().filter(|entry| wanted(&body(entry))).map(|e| e["seq"].clone()).collect();
            let found = entries(house, filter);
            let found: Vec<_> = found
                .iter()
                .filter(|e| e["seq"].as_u64() < Some(all.len() as u64))
                .map(|e| e["seq"].clone())
                .collect();
            assert_eq!(found, expected, "{filter}");
        };
        let id = house.id("cs");
        count("subject=deviation/DEV-2026-0001", &|body| body["obj"]["id"] == "DEV-2026-0001");
        count("subject=deviation/DEV-2026-000", &|_| false);
        count(&format!("actor={id}"), &|body| body["actor"]["id"] == *id);
        count("action=deviation.raised", &|body| body["act"] == "deviation.raised");
        count("from=2026-03-02T02:01:01Z", &|_| false);
        count("to=2026-03-02", &|_| true);
        for filter in ["action=deviation.risen", "subject=deviation", "from=2026-02-30", "after=x"] {
            let answer = house.person("auditor").get(&format!("/api/v1/ledger/entries?{filter}"));
            let field = filter.split('=').next().unwrap();
            assert_eq!(answer.refused(422, "invalid").json()["errors"][0]["field"], field, "{filter}");
        }
    });
}

/// RFC 6962: the root over leaves.
fn root(leaves: &[[u8; 32]]) -> [u8; 32] {
    if let [only] = leaves {
        return *only;
    }
    let split = leaves.len().next_power_of_two() / 2;
    let (left, right) = leaves.split_at(split);
    Sha256::digest([&[1][..], &root(left), &root(right)].concat()).into()
}

#[test]
fn a_stranger_recomputes_the_chain_and_the_signed_root_from_what_is_served() {
    use base64::Engine as _;
    both(|house| {
        house.person("cs").post("/api/v1/deviations", deviation()).expect(201);
        let told = entries(house, "");
        let covers = format!("/ledger/checkpoint?covers={}", told.len() - 1);
        let note = house.nobody().get(&covers).expect(200).text;
        let mut lines = note.lines();
        let (origin, size) = (lines.next().unwrap(), lines.next().unwrap().parse::<usize>().unwrap());
        let told = entries(house, "");
        let (mut prev, mut leaves) = ("0".repeat(64), Vec::new());
        for (seq, line) in told.iter().enumerate() {
            let entry = line["entry"].as_str().unwrap();
            let head: Vec<&str> = entry.lines().collect();
            assert_eq!(head[..4], ["sopledger/v1", origin, seq.to_string().as_str(), prev.as_str()]);
            let leaf: [u8; 32] = Sha256::digest([&[0][..], entry.as_bytes()].concat()).into();
            prev = leaf.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(line["leaf"], prev.as_str());
            leaves.push(leaf);
        }
        let signed = base64::engine::general_purpose::STANDARD.encode(root(&leaves[..size]));
        assert_eq!(lines.next(), Some(signed.as_str()));
    });
}

#[test]
fn who_answers_get_answers_head_without_a_body() {
    both(|house| {
        let answer = house.person("qa").send("HEAD", DOCUMENTS, None, &[]).expect(200);
        assert_eq!((answer.text.as_str(), answer.header("content-type")), ("", Some("application/json")));
        house.nobody().send("HEAD", DOCUMENTS, None, &[]).expect(401);
    });
}

#[test]
fn a_wrong_password_signs_nothing_and_stays_in_the_trail() {
    both(|house| {
        let (cs, qa, qa2) = (house.person("cs"), house.person("qa"), house.person("qa2"));
        let raised =
            cs.post("/api/v1/deviations", deviation()).expect(201).header("location").unwrap().to_owned();
        let wish = json!({ "field": "title", "value": "另一题名", "reason": "笔误" });
        let asked = qa
            .post(&format!("{raised}/corrections"), wish)
            .expect(201)
            .header("location")
            .unwrap()
            .to_owned();
        let verdict = |password: &str| json!({ "approve": true, "reason": "属实", "password": password });
        let decision = format!("{asked}/decision");
        qa2.post(&decision, verdict("wrong")).refused(403, "password");
        qa.post(&decision, verdict(PASSWORD)).expect(403);
        assert_eq!(cs.get(&raised).expect(200).json()["title"], "冷链超温");
        assert_eq!(house.acts().iter().filter(|act| *act == "signature.refused").count(), 2);
        qa2.post(&decision, verdict(PASSWORD)).expect(200);
        assert_eq!(cs.get(&raised).expect(200).json()["title"], "另一题名");
        qa2.post(&decision, verdict(PASSWORD)).expect(409);
    });
}

#[test]
fn nothing_is_noted_about_a_record_that_does_not_exist() {
    both(|house| {
        let qa = house.person("qa");
        let before = house.acts().len();
        let verdict = json!({ "approve": true, "reason": "属实", "password": "wrong" });
        let closing = json!({ "to": "closed", "password": "wrong" });
        for record in ["deviations/DEV-2026-0999", "recalls/RCL-2026-0999"] {
            qa.post(&format!("/api/v1/{record}/corrections/c-0/decision"), verdict.clone()).expect(404);
            qa.post(&format!("/api/v1/{record}/transitions"), closing.clone()).expect(404);
        }
        assert_eq!(house.acts().len(), before);
    });
}

#[test]
fn a_date_that_cannot_be_read_is_refused_with_the_forms_that_can() {
    let house = House::sqlite();
    order(&house, "80012345");
    let kept = house.person("qa").get("/api/v1/orders/80012345").expect(200).json();
    let sent = |expiry: &str, at: &str| {
        let mut sent =
            json!({ "customer": kept["customer"], "lines": kept["lines"], "events": kept["events"] });
        sent["lines"][0]["expiry"] = json!(expiry);
        sent["events"][0]["at"] = json!(at);
        sent
    };
    let (cs, erp) = (house.person("cs"), house.person("erp"));
    let good_at = "2026-02-20T02:00:00Z";
    let answers = [
        (cs.get("/api/v1/documents?as_of=31.12.2026"), "as_of", &["2026-12-31", "RFC 3339"][..]),
        (
            cs.post("/api/v1/deviations", with(deviation(), "found_at", json!("2026-03-02"))),
            "found_at",
            &["RFC 3339"],
        ),
        (
            erp.put("/api/v1/orders/80012345", sent("31.12.2026", good_at)),
            "lines[0].expiry",
            &["YYYY-MM-DD", "年-月-日"],
        ),
        (erp.put("/api/v1/orders/80012345", sent("2027-07-31", "2026-02-20")), "events[0].at", &["RFC 3339"]),
    ];
    for (answer, field, forms) in answers {
        let told = answer.refused(422, "invalid").json()["errors"][0].clone();
        let message = told["message"].as_str().unwrap();
        assert_eq!(told["field"], field);
        assert!(forms.iter().any(|form| message.contains(form)), "{field}: {message}");
    }
}

#[test]
fn a_site_that_is_closed_signs_no_more() {
    let house = House::sqlite();
    let closed = house.place.open(false).unwrap();
    closed.close();
    // One that waits takes three seconds, each time; one that does not may be held up once.
    until(|| {
        let asked = std::time::Instant::now();
        let waited = actix_web::rt::System::new().block_on(closed.signing.covering(u64::MAX - 1));
        assert_eq!(waited.unwrap_err().code(), "not-yet-signed");
        if asked.elapsed().as_secs() < 2 { Ok(()) } else { Err("its signer has gone: nobody waits for it") }
    });
}

#[test]
fn a_parameter_that_a_route_does_not_have_is_refused_by_its_name_and_passed_over_on_pages() {
    let house = House::sqlite();
    let qa = house.person("qa");
    let lists = ["documents", "orders", "deviations", "recalls", "copies", "packs", "ledger/entries", "me"];
    for list in lists {
        let refused = qa.get(&format!("/api/v1/{list}?limitt=7&colour=red")).refused(422, "invalid").json();
        let fields: Vec<_> = refused["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|error| error["field"].as_str().unwrap())
            .collect();
        assert_eq!(fields, ["limitt", "colour"], "{list}");
    }
    let body = json!({ "title": "x" });
    let answer = qa.post("/api/v1/deviations?dry_run=true", body).refused(422, "invalid").json();
    assert_eq!(answer["errors"][0]["field"], "dry_run");
    qa.get("/api/v1/orders?batch=%ff").refused(400, "not-utf8");
    house.nobody().get("/api/v1/orders?colour=red").refused(401, "sign-in");
    let html = [("accept", "text/html")];
    for page in ["/documents", "/orders", "/deviations", "/recalls", "/trail", "/packs"] {
        qa.get_with(&format!("{page}?colour=red&utm_source=x"), &html).expect(200);
    }
}
