//! The audit trail over HTTP: what its readers get, and that they can check it without us.

use serde_json::{Value, json};
use sopledger::ledger::acts;
use sopledger::ledger::digest::Digest;
use sopledger::ledger::entry::leaf;
use sopledger::ledger::note::{VerifierKey, open_checkpoint};
use sopledger::ledger::proof;
use sopledger::ledger::sealed::commitment;
use sopledger::ledger::tree::{ConsistencyProof, root_of, verify_consistency};
use sopledger::web::page::percent;
use sopledger::web::words::{Lang, Words};

use crate::deviations::order;
use crate::house::{Answer, Client, House, both};
use crate::ledger::tamper::settle;
use crate::openapi::example;
use crate::verification::grow;
use crate::wait::until;

const NDJSON: (&str, &str) = ("accept", "application/x-ndjson");

fn items(answer: Answer) -> Vec<Value> {
    answer.expect(200).json()["items"].as_array().unwrap().clone()
}

fn lines(answer: Answer) -> Vec<Value> {
    answer.expect(200).text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn key(client: &Client) -> VerifierKey {
    client.get("/ledger/key").expect(200).text.trim_end().parse().unwrap()
}

fn seqs(items: &[Value]) -> Vec<u64> {
    items.iter().map(|item| item["seq"].as_u64().unwrap()).collect()
}

#[test]
fn every_act_has_its_word_in_both_languages() {
    for lang in Lang::ALL {
        for act in acts::ALL {
            let key = format!("act-{}", act.name.replace('.', "-"));
            assert!(Words::of(lang).has(&key), "{key} in {}", lang.tag());
        }
    }
}

#[test]
fn entries_come_by_subject_actor_act_and_time_and_go_on_after_a_number() {
    both(|house| {
        let qa = house.person("qa");
        let all = items(qa.get("/api/v1/ledger/entries?limit=1000"));
        assert_eq!(all.len(), house.acts().len());
        let account = format!("account/{}", house.id("cs"));
        let of_cs = items(qa.get(&format!("/api/v1/ledger/entries?subject={account}")));
        assert!(!of_cs.is_empty());
        assert!(of_cs.iter().all(|item| item["entry"].as_str().unwrap().contains(&house.id("cs"))));
        let by_login = items(qa.get("/api/v1/ledger/entries?actor=qa"));
        assert_eq!(
            seqs(&by_login),
            seqs(&items(qa.get(&format!("/api/v1/ledger/entries?actor={}", house.id("qa")))))
        );
        let opened = items(qa.get("/api/v1/ledger/entries?action=session.opened"));
        assert!(opened.iter().all(|item| item["entry"].as_str().unwrap().contains("session.opened")));
        assert!(!opened.is_empty());
        let first = qa.get("/api/v1/ledger/entries?limit=3").expect(200).json();
        assert_eq!(first["next"], "2");
        let rest = items(qa.get("/api/v1/ledger/entries?after=2&limit=1000"));
        assert_eq!(seqs(&rest), seqs(&all)[3..]);
        house.later(3600);
        let now = house.place.clock.now().to_string();
        let qa = house.person("qa");
        assert_eq!(seqs(&items(qa.get(&format!("/api/v1/ledger/entries?from={now}")))), [all.len() as u64]);
        assert_eq!(items(qa.get(&format!("/api/v1/ledger/entries?to={now}&limit=1000"))).len(), all.len());
        assert_eq!(
            items(qa.get("/api/v1/ledger/entries?from=2026-03-02&to=2026-03-02&limit=1000")).len(),
            all.len() + 1
        );
        qa.get("/api/v1/ledger/entries?from=yesterday&subject=x").refused(422, "invalid");
        qa.get("/api/v1/ledger/entries/0x1").refused(404, "not-found");
        house.person("cs").get("/api/v1/ledger/entries").refused(403, "no-right");
    });
}

#[test]
fn a_page_says_what_a_subject_is_called_and_keeps_how_it_is_written_in_reach() {
    both(|house| {
        order(house, "80012345");
        let qa = house.person("qa");
        let deviation = qa.post("/api/v1/deviations", example("NewDeviation")).expect(201).json();
        let from = format!("deviation/{}", deviation["number"].as_str().unwrap());
        let tie =
            json!({ "from": from, "to": "order/80012345", "relation": "affects", "reason": "同一批货" });
        let made = qa.post("/api/v1/links", tie).expect(201).json();
        let link = format!("link/{}", made["id"].as_str().unwrap());
        let html = [("accept", "text/html"), ("accept-language", "zh-CN")];
        let page = |path: &str| qa.get_with(path, &html).expect(200).text;
        let account = format!("account/{}", house.id("cs"));
        let number = from.trim_start_matches("deviation/");
        for (subject, called) in [
            (&link, format!("偏差 {number} → 订单 80012345（影响）")),
            (&account, "cs 某（cs）".to_owned()),
            (&from, format!("偏差 {number}")),
            (&"order/80012345".to_owned(), "订单 80012345".to_owned()),
        ] {
            let list = page(&format!("/trail?subject={subject}"));
            assert!(list.contains(&format!("title=\"{subject}\">{called}<")), "{called}: {list}");
            let found = items(qa.get(&format!("/api/v1/ledger/entries?subject={subject}")));
            let entry = page(&format!("/trail/{}", found[0]["seq"]));
            assert!(entry.contains(&called) && entry.contains(&format!(">{subject}<")), "{entry}");
        }
        // On the page a bare number or a login is understood; machines say what they mean.
        for (typed, called) in
            [("80012345", "订单 80012345"), ("cs", "cs 某（cs）"), ("account/cs", "cs 某（cs）")]
        {
            let list = page(&format!("/trail?subject={typed}"));
            assert!(list.contains(&format!(">{called}<")), "{typed}: {list}");
            assert!(list.contains(&format!("value=\"{typed}\"")), "it stays as it was typed: {list}");
        }
        assert!(page("/trail").contains("例如 80010358"), "the field says what it takes");
        qa.get("/api/v1/ledger/entries?subject=80012345").refused(422, "invalid");
        // What filters is the subject, whole, and no name.
        for part in ["account/u-", "link/l-"] {
            let list = page(&format!("/trail?subject={part}"));
            assert!(!list.contains("<th scope=\"row\""), "{part}: {list}");
        }
        qa.get_with(&format!("/trail?subject={}", percent("cs 某")), &html).expect(422);
    });
}

#[test]
fn an_entry_says_what_changed_in_words_beside_the_names_that_are_sealed() {
    both(|house| {
        let qa = house.person("qa");
        let deviation = qa.post("/api/v1/deviations", example("NewDeviation")).expect(201).json();
        let subject = format!("deviation/{}", deviation["number"].as_str().unwrap());
        let found = items(qa.get(&format!("/api/v1/ledger/entries?subject={subject}")));
        let page = |lang: &str| {
            let headers = [("accept", "text/html"), ("accept-language", lang)];
            qa.get_with(&format!("/trail/{}", found[0]["seq"]), &headers).expect(200).text
        };
        let sealed = |name: &str| format!("<span class=\"mono small quiet\">{name}</span>");
        for (lang, state, registered, at) in
            [("zh-CN", "状态", "已登记", "登记于"), ("en", "State", "Registered", "Raised at")]
        {
            let page = page(lang);
            for part in [
                format!("{state} {}", sealed("state")),
                format!(">{registered}</td>"),
                format!("{at} {}", sealed("raised_at")),
                ">2026-03-02 10:00 CST</td>".to_owned(),
                ">qa 某</td>".to_owned(),
            ] {
                assert!(page.contains(&part), "{part}: {page}");
            }
        }
        let text = qa.get(&format!("/api/v1/ledger/entries/{}", found[0]["seq"])).expect(200).text;
        assert!(!text.contains("已登记"), "machines get what is sealed");
        let account = items(qa.get(&format!("/api/v1/ledger/entries?subject=account/{}", house.id("cs"))));
        let headers = [("accept", "text/html"), ("accept-language", "zh-CN")];
        let page = qa.get_with(&format!("/trail/{}", account[0]["seq"]), &headers).expect(200).text;
        assert!(page.contains(&format!("封存的个人信息：用户名 {}", sealed("login"))), "{page}");
        let list = qa.get_with("/trail?action=deviation.raised", &headers).expect(200).text;
        assert!(list.contains("qa 某（质量保证）"), "the role's one name: {list}");
    });
}

#[test]
fn the_stream_has_every_line_to_the_head_with_the_values_its_entries_introduce() {
    both(|house| {
        grow(house, 1200);
        let auditor = house.person("auditor");
        let all = lines(auditor.get_with("/api/v1/ledger/entries", &[NDJSON]));
        assert_eq!(seqs(&all), (0..house.acts().len() as u64).collect::<Vec<_>>());
        let mut values = 0;
        for item in &all {
            let text = item["entry"].as_str().unwrap();
            assert_eq!(item["leaf"], leaf(text.as_bytes()).to_string());
            for (name, sealed) in item["sealed"].as_object().into_iter().flatten() {
                let salt = Digest::from_hex(sealed["salt"].as_str().unwrap().as_bytes()).unwrap();
                let value = sealed["value"].as_str().unwrap();
                let hash = commitment(salt.as_bytes(), "test.example.cn/house", name, value).to_string();
                assert!(text.contains(&format!("\"{name}\":\"{hash}\"")), "{name} in {text}");
                values += 1;
            }
        }
        assert!(values >= 18, "nine accounts have a login and a name each");
        let one = auditor.get("/api/v1/ledger/entries/1").expect(200).json();
        assert_eq!(one, all[1]);
        let few =
            lines(auditor.get_with("/api/v1/ledger/entries?action=ledger.verified&after=700", &[NDJSON]));
        assert!(few.iter().all(|item| item["seq"].as_u64().unwrap() > 700));
    });
}

#[test]
fn proof_consistency_and_tiles_check_without_us() {
    both(|house| {
        grow(house, 300);
        let (qa, nobody) = (house.person("qa"), house.nobody());
        settle(house);
        let key = key(&nobody);
        let note = nobody.get("/ledger/checkpoint").expect(200).text;
        let signed = open_checkpoint(&note, std::slice::from_ref(&key)).unwrap();
        for seq in [0, 255, 256, signed.size - 1] {
            let item = qa.get(&format!("/api/v1/ledger/entries/{seq}")).expect(200).json();
            let text = qa.get(&format!("/api/v1/ledger/entries/{seq}/proof")).expect(200).text;
            let hash = leaf(item["entry"].as_str().unwrap().as_bytes());
            assert_eq!(proof::verify(&text, &hash, std::slice::from_ref(&key)).unwrap().0, seq);
        }
        let full = nobody.get("/ledger/tile/0/000").expect(200);
        assert!(full.header("cache-control").unwrap().contains("immutable"));
        let width = signed.size - 256;
        nobody.get(&format!("/ledger/tile/0/001.p/{width}")).expect(200);
        nobody.get("/ledger/tile/0/000.p/17").expect(200);
        nobody.get("/ledger/tile/1/000.p/1").expect(200);
        for beyond in [
            format!("0/001.p/{}", width + 1),
            "0/001".into(),
            "1/000.p/2".into(),
            "0/0".into(),
            "entries".into(),
        ] {
            nobody.get(&format!("/ledger/tile/{beyond}")).expect(404);
        }
        nobody.get("/ledger/tile/entries/000").refused(401, "sign-in");
        house.person("cs").get("/ledger/tile/entries/000").refused(403, "no-right");
        qa.get("/ledger/tile/entries/000").expect(200);
        let proven =
            qa.get(&format!("/api/v1/ledger/consistency?from=7&to={}", signed.size)).expect(200).json();
        let path =
            proven["path"].as_array().unwrap().iter().map(|hash| hash.as_str().unwrap().parse().unwrap());
        let proof = ConsistencyProof { from: 7, to: signed.size, path: path.collect() };
        let first = items(qa.get("/api/v1/ledger/entries?limit=7"));
        let root = root_of(first.iter().map(|item| item["leaf"].as_str().unwrap().parse().unwrap())).unwrap();
        assert!(verify_consistency(&proof, &root, &signed.root));
        qa.get("/api/v1/ledger/consistency?from=0&to=3").refused(422, "invalid");
        qa.get("/api/v1/ledger/consistency?from=4&to=3").refused(422, "invalid");
        qa.get("/api/v1/ledger/consistency?from=4").refused(422, "invalid");
    });
}

#[test]
fn a_checkpoint_that_covers_an_entry_is_waited_for_and_refused_after_three_seconds() {
    let house = House::sqlite();
    let nobody = house.nobody();
    let last = house.acts().len() as u64 - 1;
    let note = nobody.get(&format!("/ledger/checkpoint?covers={last}")).expect(200).text;
    assert!(open_checkpoint(&note, &[key(&nobody)]).unwrap().size > last);
    nobody.get("/ledger/checkpoint?covers=100000").refused(503, "not-yet-signed");
    nobody.get("/ledger/checkpoint?covers=x").refused(422, "invalid");
}

#[test]
fn content_is_the_exact_bytes_under_its_digest() {
    both(|house| {
        let qa = house.person("qa");
        let account = format!("/api/v1/ledger/entries?subject=account/{}", house.id("qa"));
        let last = items(qa.get(&account)).pop().unwrap();
        let body = last["entry"].as_str().unwrap().lines().nth(5).unwrap().to_owned();
        let post = serde_json::from_str::<Value>(&body).unwrap()["post"].as_str().unwrap().to_owned();
        let bytes = qa.get(&format!("/api/v1/ledger/content/{post}")).expect(200).text;
        assert_eq!(Digest::of(bytes.as_bytes()).to_string(), post);
        for unknown in ["0".repeat(64), "x".into(), post.to_uppercase()] {
            qa.get(&format!("/api/v1/ledger/content/{unknown}")).expect(404);
        }
        house.nobody().get(&format!("/api/v1/ledger/content/{post}")).expect(401);
    });
}

#[test]
fn the_trails_pages_say_it_in_words_and_prove_it() {
    both(|house| {
        let qa = house.person("qa");
        settle(house);
        let html = [("accept", "text/html")];
        let list = qa.get_with("/trail?action=session.opened", &html).expect(200).text;
        assert!(list.contains("登录") && list.contains("qa 某"), "{list}");
        assert!(list.contains("<caption"));
        let refused = qa.get_with("/trail?from=x", &html).expect(422).text;
        assert!(refused.contains("errsum") && refused.contains("value=\"x\""), "{refused}");
        let entry = qa.get_with("/trail/1", &html).expect(200).text;
        assert_eq!(entry.matches("class=\"ok\"").count(), 4, "{entry}");
        assert!(entry.contains("sopledger/v1\n"));
        let english =
            qa.get_with("/trail/1", &[("accept", "text/html"), ("accept-language", "en")]).expect(200).text;
        assert!(english.contains("Account created"), "{english}");
        qa.get_with("/trail/99999", &html).expect(404);
        qa.get_with("/trail/x", &html).expect(404);
        house.person("cs").get_with("/trail", &html).expect(403);
    });
}

#[test]
fn verifying_from_the_page_is_a_job_and_its_two_verdicts_stand_on_the_page_and_in_the_trail() {
    both(|house| {
        let qa = house.person("qa");
        settle(house);
        let html = [("accept", "text/html")];
        let page = qa.get_with("/trail/verify", &html).expect(200).text;
        let (_, rest) = page.split_once("name=\"csrf\" value=\"").unwrap();
        let token = rest.split('"').next().unwrap();
        let form = [("accept", "text/html"), ("content-type", "application/x-www-form-urlencoded")];
        qa.send("POST", "/trail/verify", Some(b"csrf=wrong".to_vec()), &form).expect(403);
        let wish = format!("csrf={token}&scope=whole");
        let sent = qa.send("POST", "/trail/verify", Some(wish.into_bytes()), &form).expect(303);
        let job = sent.header("location").unwrap().to_owned();
        assert!(job.starts_with("/jobs/j-") && job.ends_with("?watch=1"), "{job}");
        let page = until(|| {
            let page = qa.get_with(&job, &html).expect(200);
            if page.header("refresh").is_none() { Ok(page.text) } else { Err(page.text) }
        });
        assert!(page.contains("/trail/verify?job=j-"), "{page}");
        let report = qa.get_with("/trail/verify", &html).expect(200).text;
        assert!(report.contains("账本完好") && report.contains("所写均在，没有缺失。"), "{report}");
        assert!(report.contains("账本已校验"), "the foot of every page says so: {report}");
        assert_eq!(house.acts().last().unwrap(), "ledger.verified");
        let last = house.acts().len() - 1;
        let entry = qa.get(&format!("/api/v1/ledger/entries/{last}")).expect(200).json();
        let body = entry["entry"].as_str().unwrap().lines().nth(5).unwrap().to_owned();
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((&body["integrity"], &body["completeness"]), (&json!("sound"), &json!("sound")));
        assert_eq!(body["to"], json!(last - 1));
    });
}

#[test]
fn an_entrys_page_proves_it_step_by_step_and_offers_the_files() {
    both(|house| {
        grow(house, 300);
        let qa = house.person("qa");
        settle(house);
        let html = [("accept", "text/html")];
        let page = qa.get_with("/trail/7/proof?from=12", &html).expect(200).text;
        let text = qa.get("/api/v1/ledger/entries/7/proof").expect(200).text;
        let bytes = qa.get("/api/v1/ledger/entries/7/bytes").expect(200).text;
        assert!(page.contains(&leaf(bytes.as_bytes()).to_string()), "{page}");
        let steps = text.split("\n\n").next().unwrap().lines().count() - 2;
        assert_eq!(page.matches("<th scope=\"row\" class=\"num\">").count(), steps, "{page}");
        let key = key(&house.nobody());
        let signed = proof::verify(&text, &leaf(bytes.as_bytes()), std::slice::from_ref(&key)).unwrap().1;
        assert!(page.contains(&signed.root.to_string()) && page.contains(&key.to_string()), "{page}");
        assert_eq!(page.matches("class=\"ok\"").count(), 2, "included, and consistent: {page}");
        assert!(
            page.contains(&format!("/api/v1/ledger/consistency?from=12&#38;to={}", signed.size)),
            "{page}"
        );
        let refused = qa.get_with("/trail/7/proof?from=0", &html).expect(422).text;
        assert!(refused.contains("errsum"), "{refused}");
        qa.get_with("/trail/99999/proof", &html).expect(404);
        qa.get("/api/v1/ledger/entries/99999/bytes").refused(404, "not-found");
    });
}

#[test]
fn every_signature_shows_the_hash_of_its_entry() {
    let house = House::demo_on_sqlite();
    let qa = house.person("qa");
    let html = [("accept", "text/html")];
    let page = qa.get_with("/documents/SOP-CS-005", &html).expect(200).text;
    let (_, rest) = page.split_once("<ol class=\"signs\">").unwrap();
    let (_, rest) = rest.split_once("href=\"/trail/").unwrap();
    let (seq, rest) = rest.split_once("/proof\"").unwrap();
    let leaf = qa.get(&format!("/api/v1/ledger/entries/{seq}")).expect(200).json()["leaf"].clone();
    let leaf = leaf.as_str().unwrap();
    let shown = rest.split("class=\"hash\">").nth(1).unwrap().split('<').next().unwrap();
    assert!(shown.starts_with(&leaf[..4]) && shown.len() < 40, "{shown} is short for {leaf}");
}
