//! People: signing in, lock-out, roles and what they may.

use serde_json::json;

use crate::house::{PASSWORD, both};

#[test]
fn a_person_signs_in_and_is_told_who_they_are() {
    both(|house| {
        let qa = house.person("qa");
        let me = qa.get("/api/v1/me").expect(200).json();
        assert_eq!((me["login"].as_str(), me["roles"][0].as_str()), (Some("qa"), Some("qa")));
        house.nobody().get("/api/v1/me").refused(401, "sign-in");
        qa.post("/api/v1/logout", json!({})).expect(204);
        qa.get("/api/v1/me").refused(401, "sign-in");
    });
}

#[test]
fn five_wrong_passwords_lock_for_a_quarter_of_an_hour_whoever_it_is() {
    both(|house| {
        for login in ["cs", "nobody-has-this"] {
            let attempt = |password: &str| {
                house.nobody().post("/login", json!({ "login": login, "password": password }))
            };
            for _ in 0..4 {
                attempt("wrong").refused(401, "bad-credentials");
            }
            attempt("wrong").refused(429, "locked");
            let locked = attempt(PASSWORD).refused(429, "locked");
            assert_eq!(locked.header("retry-after"), Some("901"));
        }
        house.later(15 * 60 + 1);
        house.person("cs");
        assert!(house.acts().iter().any(|act| act == "account.locked"));
    });
}

#[test]
fn a_session_ends_after_a_quarter_of_an_hour_unused_and_after_twelve_hours_in_any_case() {
    both(|house| {
        let qa = house.person("qa");
        house.later(14 * 60);
        qa.get("/api/v1/me").expect(200);
        house.later(15 * 60);
        qa.get("/api/v1/me").refused(401, "sign-in");
    });
}

#[test]
fn a_role_asked_for_by_admin_is_in_force_once_qa_has_signed_it() {
    both(|house| {
        let admin = house.person("admin");
        let made = admin
            .post(
                "/api/v1/users",
                json!({ "login": "new.cs", "name": "新 客服", "roles": ["cs"], "reason": "入职" }),
            )
            .expect(201)
            .json();
        assert_eq!(made["roles"], json!([]));
        let (id, grant) = (made["id"].as_str().unwrap(), made["grants"][0]["id"].as_str().unwrap());
        let address = format!("/api/v1/users/{id}/grants/{grant}/sign");
        admin.post(&address, json!({ "password": PASSWORD })).refused(403, "no-right");
        let qa = house.person("qa");
        qa.post(&address, json!({ "password": "wrong" })).refused(403, "password");
        let signed = qa.post(&address, json!({ "password": PASSWORD })).expect(200).json();
        assert_eq!(signed["roles"], json!(["cs"]));
        assert!(house.acts().iter().any(|act| act == "signature.refused"));
        admin
            .post(&format!("/api/v1/users/{id}/grants"), json!({ "role": "admin", "reason": "x" }))
            .refused(409, "role-exclusive");
    });
}

#[test]
fn a_disabled_account_is_out_at_once_and_its_login_is_never_used_again() {
    both(|house| {
        let (admin, cs) = (house.person("admin"), house.person("cs"));
        let address = format!("/api/v1/users/{}/disable", house.id("cs"));
        admin.post(&address, json!({ "reason": "离职" })).expect(200);
        cs.get("/api/v1/me").refused(401, "sign-in");
        house
            .nobody()
            .post("/login", json!({ "login": "cs", "password": PASSWORD }))
            .refused(401, "bad-credentials");
        admin.post("/api/v1/users", json!({ "login": "cs", "name": "又一个" })).refused(409, "login-taken");
    });
}
