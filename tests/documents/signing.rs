//! Who signs a version, in which order, and what a refusal leaves.

use serde_json::json;

use super::{Cast, DOCUMENTS, document, draft, field, sealed_states_hold, sign, submission};
use crate::house::{PASSWORD, both};

#[test]
fn each_signature_out_of_its_place_is_refused_and_noted() {
    both(|house| {
        let cast = Cast::of(house);
        let address = cast.make("SOP-CS-001");
        let (version, digest) = cast.submit(&address, "核对", None);
        sign(&cast.qa, &version, "approved", &digest).refused(409, "out-of-order");
        sign(&cast.reviewer, &version, "reviewed", &"0".repeat(64)).refused(409, "stale-digest");
        let wrong = json!({ "meaning": "reviewed", "digest": digest, "password": "wrong" });
        cast.reviewer.post(&format!("{version}/sign"), wrong).refused(403, "password");
        sign(&house.person("qa2"), &version, "reviewed", &digest).refused(403, "not-asked");
        sign(&cast.reviewer, &version, "reviewed", &digest).expect(200);
        sign(&cast.reviewer, &version, "reviewed", &digest).refused(409, "already-signed");
        sign(&cast.reviewer, &version, "approved", &digest).refused(403, "no-right");
        sign(&cast.author, &version, "approved", &digest).refused(403, "no-right");
        sign(&cast.qa, &version, "approved", &digest).expect(200);
        sign(&cast.qa, &version, "approved", &digest).refused(409, "wrong-state");
        let refusals = house.acts().iter().filter(|act| *act == "signature.refused").count();
        assert_eq!(refusals, 6);
        sealed_states_hold(house);
    });
}

#[test]
fn nobody_approves_what_they_wrote() {
    both(|house| {
        let (qa, ra) = (house.person("qa"), house.person("ra"));
        qa.post(DOCUMENTS, document("SOP-CS-001")).expect(201);
        let versions = format!("{DOCUMENTS}/SOP-CS-001/versions");
        let made = qa.post(&versions, draft("一")).expect(201).json();
        let body = |approvers: &[&str]| json!({ "reviewers": ["reviewer"], "approvers": approvers, "digest": made["digest"], "password": PASSWORD });
        let submit = format!("{versions}/1.0/submit");
        for (approvers, wrong) in [
            (&["qa"][..], "approvers[0]"),
            (&["nobody"], "approvers[0]"),
            (&["reviewer"], "approvers[0]"),
            (&["ra"], "approvers"),
            (&[], "approvers"),
        ] {
            assert_eq!(
                field(&qa.post(&submit, body(approvers)).refused(422, "invalid")),
                wrong,
                "{approvers:?}"
            );
        }
        let submitted = qa.post(&submit, body(&["qa2", "ra"])).expect(200).json();
        let digest = submitted["digest"].as_str().unwrap();
        sign(&qa, &format!("{versions}/1.0"), "approved", digest).refused(403, "own-version");
        sign(&house.person("reviewer"), &format!("{versions}/1.0"), "reviewed", digest).expect(200);
        let half = sign(&ra, &format!("{versions}/1.0"), "approved", digest).expect(200).json();
        assert_eq!(half["state"], "in_review");
        let whole =
            sign(&house.person("qa2"), &format!("{versions}/1.0"), "approved", digest).expect(200).json();
        assert_eq!(whole["state"], "in_force");
    });
}

#[test]
fn a_rejected_version_is_a_draft_again_and_its_next_round_another_content() {
    both(|house| {
        let cast = Cast::of(house);
        let address = cast.make("SOP-CS-001");
        let (version, digest) = cast.submit(&address, "核对", Some("2026-03-03"));
        let body = json!({ "password": PASSWORD, "reason": "步骤不全" });
        house.person("qa2").post(&format!("{version}/reject"), body.clone()).refused(403, "not-asked");
        let back = cast.reviewer.post(&format!("{version}/reject"), body).expect(200).json();
        assert_eq!((back["state"].as_str(), back["round"].as_i64()), (Some("draft"), Some(1)));
        assert_ne!(back["digest"].as_str(), Some(digest.as_str()));
        let again = submission(back["digest"].as_str().unwrap(), None);
        let again = cast.author.post(&format!("{version}/submit"), again).expect(200).json();
        assert_eq!(again["round"], 2);
        sign(&cast.reviewer, &version, "reviewed", &digest).refused(409, "stale-digest");
        cast.qa.post(&format!("{version}/withdraw"), json!({ "reason": "x" })).refused(403, "not-author");
        cast.author.post(&format!("{version}/withdraw"), json!({ "reason": "再想想" })).expect(200);
        let gone =
            cast.author.post(&format!("{version}/abandon"), json!({ "reason": "不做了" })).expect(200).json();
        assert_eq!(gone["state"], "abandoned");
        let next = cast.author.post(&format!("{address}/versions"), draft("二")).expect(201).json();
        assert_eq!(next["version"], "2.0", "a number is never used again");
        cast.author.post(&format!("{address}/versions"), draft("三")).refused(409, "open-draft");
        sealed_states_hold(house);
    });
}

#[test]
fn an_awaiting_version_is_called_off_by_qa_and_a_later_one_never_begins_before_it() {
    both(|house| {
        let cast = Cast::of(house);
        let address = cast.make("SOP-CS-001");
        cast.approve(&address, "一", None);
        let (second, waiting) = cast.approve(&address, "二", Some("2026-04-01"));
        assert_eq!(waiting["state"], "awaiting");
        let (third, digest) = cast.submit(&address, "三", None);
        sign(&cast.reviewer, &third, "reviewed", &digest).expect(200);
        sign(&cast.qa, &third, "approved", &digest).refused(409, "begins-before");
        let body = json!({ "password": PASSWORD, "reason": "内容有误" });
        cast.author.post(&format!("{second}/cancel"), body.clone()).refused(403, "no-right");
        assert_eq!(
            cast.qa.post(&format!("{second}/cancel"), body.clone()).expect(200).json()["state"],
            "cancelled"
        );
        cast.qa.post(&format!("{second}/cancel"), body).refused(409, "wrong-state");
        assert_eq!(sign(&cast.qa, &third, "approved", &digest).expect(200).json()["state"], "in_force");
        sealed_states_hold(house);
    });
}
