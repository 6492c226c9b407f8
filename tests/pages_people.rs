//! People's pages: the door with its cookie and its form token, accounts, grants, settings.

use serde_json::json;

use crate::house::{Answer, Client, House, PASSWORD, both};

/// A browser: cookies in a jar, forms from pages.
pub struct Browser {
    client: Client,
    cookies: std::cell::RefCell<Vec<(String, String)>>,
}

impl Browser {
    /// One that nobody has signed in with.
    pub fn new(house: &House) -> Self {
        Self { client: house.nobody(), cookies: std::cell::RefCell::default() }
    }

    /// One in which this person has signed in.
    pub fn of(house: &House, login: &str) -> Self {
        let browser = Self::new(house);
        let answer = browser.submit("/login", &[("login", login), ("password", PASSWORD)]);
        assert_eq!(answer.status, 303, "{}", answer.text);
        browser
    }

    fn send(&self, method: &str, path: &str, body: Option<String>, extra: &[(&str, &str)]) -> Answer {
        let cookies =
            self.cookies.borrow().iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
        let cookies = cookies.join("; ");
        let mut headers = vec![("accept", "text/html"), ("cookie", cookies.as_str())];
        if body.is_some() {
            headers.push(("content-type", "application/x-www-form-urlencoded"));
        }
        headers.extend_from_slice(extra);
        let answer = self.client.send(method, path, body.map(String::into_bytes), &headers);
        for cookie in answer.all("set-cookie") {
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            let mut jar = self.cookies.borrow_mut();
            jar.retain(|(known, _)| known != name);
            if !cookie.contains("Max-Age=0") {
                jar.push((name.to_owned(), value.to_owned()));
            }
        }
        answer
    }

    /// GET of a page.
    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None, &[])
    }

    /// The token of the forms on a page.
    pub fn token(&self, path: &str) -> String {
        between(&self.get(path).expect(200).text, r#"name="csrf" value=""#, "\"")
    }

    /// Opens the page and sends its form.
    pub fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.token(path);
        self.post(path, &[&[("csrf", token.as_str())], fields].concat(), &[])
    }

    /// POST of a form as it is.
    pub fn post(&self, path: &str, fields: &[(&str, &str)], headers: &[(&str, &str)]) -> Answer {
        self.send("POST", path, Some(serde_urlencoded::to_string(fields).unwrap()), headers)
    }
}

/// What stands between two marks.
pub fn between(text: &str, before: &str, after: &str) -> String {
    let rest = text.split_once(before).unwrap_or_else(|| panic!("no {before} in {text}")).1;
    rest.split_once(after).unwrap().0.to_owned()
}

#[test]
fn a_person_signs_in_with_a_form_and_comes_to_the_page_they_wanted() {
    both(|house| {
        let browser = Browser::new(house);
        let away = browser.get("/me?a=b").expect(303);
        let door = away.header("location").unwrap().to_owned();
        assert_eq!(door, "/login?to=%2Fme%3Fa%3Db");
        let page = browser.get(&door).expect(200);
        let token = between(&page.text, r#"name="csrf" value=""#, "\"");
        let to = between(&page.text, r#"name="to" value=""#, "\"");
        let fields = [("csrf", token.as_str()), ("to", to.as_str()), ("login", "qa"), ("password", PASSWORD)];
        let signed = browser.post("/login", &fields, &[]).expect(303);
        assert_eq!(signed.header("location"), Some("/me?a=b"));
        let cookie =
            signed.all("set-cookie").find(|cookie| cookie.starts_with("session=")).unwrap().to_owned();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && !cookie.contains("Secure"));
        assert!(browser.get("/me").expect(200).text.contains("qa 某"));
        let out = browser.token("/me");
        browser.post("/logout", &[("csrf", &out)], &[]).expect(303);
        browser.get("/me").expect(303);
        assert!(house.acts().iter().any(|act| act == "session.closed"));
    });
}

#[test]
fn behind_tls_the_cookie_is_for_tls_alone() {
    let house = House::sqlite();
    let browser = Browser::new(&house);
    let token = browser.token("/login");
    let fields = [("csrf", token.as_str()), ("login", "qa"), ("password", PASSWORD)];
    let signed = browser.post("/login", &fields, &[("x-forwarded-proto", "https")]).expect(303);
    assert!(
        signed.all("set-cookie").any(|cookie| cookie.starts_with("session=") && cookie.contains("Secure"))
    );
}

#[test]
fn nobody_is_sent_to_another_site_after_signing_in() {
    let house = House::sqlite();
    for to in ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"] {
        let browser = Browser::new(&house);
        let token = browser.token("/login");
        let fields = [("csrf", token.as_str()), ("to", to), ("login", "qa"), ("password", PASSWORD)];
        let signed = browser.post("/login", &fields, &[]).expect(303);
        assert_eq!(signed.header("location"), Some("/"), "{to}");
    }
}

#[test]
fn a_wrong_password_keeps_the_login_and_never_the_password() {
    let house = House::sqlite();
    let browser = Browser::new(&house);
    let refused =
        browser.submit("/login", &[("login", "qa"), ("password", "my secret"), ("to", "/me")]).expect(401);
    assert!(refused.text.contains(r#"name="login" value="qa""#), "{}", refused.text);
    assert!(refused.text.contains(r#"name="to" value="/me""#));
    assert!(refused.text.contains(r#"id="errsum""#) && !refused.text.contains("my secret"));
}

#[test]
fn a_form_without_its_token_or_from_another_site_is_refused() {
    let house = House::sqlite();
    let browser = Browser::new(&house);
    browser.get("/login").expect(200);
    let fields = [("login", "qa"), ("password", PASSWORD)];
    browser.post("/login", &fields, &[]).expect(403);
    let token = browser.token("/login");
    let fields = [("csrf", token.as_str()), ("login", "qa"), ("password", PASSWORD)];
    browser.post("/login", &fields, &[("origin", "https://evil.example")]).expect(403);
    browser.post("/login", &fields, &[("sec-fetch-site", "cross-site")]).expect(403);
    let browser = Browser::of(&house, "admin");
    let fields = [("old", PASSWORD), ("new", "another horse 43"), ("repeat", "another horse 43")];
    browser.post("/password", &fields, &[]).expect(403);
    browser.post("/password", &[&[("csrf", token.as_str())], &fields[..]].concat(), &[]).expect(403);
    house.person("admin");
}

#[test]
fn a_session_cookie_writes_nothing_through_the_api() {
    let house = House::sqlite();
    let browser = Browser::of(&house, "admin");
    let answer = browser.send(
        "POST",
        "/api/v1/users",
        Some(json!({ "login": "x1", "name": "x" }).to_string()),
        &[("content-type", "application/json")],
    );
    assert_eq!(answer.status, 401, "{}", answer.text);
}

#[test]
fn an_administrator_makes_an_account_and_qa_signs_its_role_on_pages() {
    both(|house| {
        let admin = Browser::of(house, "admin");
        let refused =
            admin.submit("/accounts/new", &[("login", "Bad Login"), ("name", "新 客服"), ("roles", "cs")]);
        let refused = refused.expect(422);
        assert!(refused.text.contains(r#"value="新 客服""#) && refused.text.contains("errsum"));
        let fields = [("login", "new.cs"), ("name", "新 客服"), ("roles", "cs"), ("reason", "入职")];
        let made = admin.submit("/accounts/new", &fields).expect(201);
        let password = between(&made.text, r#"id="secret">"#, "<");
        let id = house.id("new.cs");
        let list = admin.get("/accounts?role=cs&q=new").expect(200);
        assert!(list.text.contains("new.cs") && !list.text.contains(">erp<"));
        let account = admin.get(&format!("/accounts/{id}")).expect(200);
        assert!(!account.text.contains(&password), "the password is shown once");
        assert!(!account.text.contains("/sign\""), "an administrator signs no role");

        let qa = Browser::of(house, "qa");
        let page = qa.get(&format!("/accounts/{id}")).expect(200);
        let grant = between(&page.text, "/grants/", "/sign");
        let address = format!("/accounts/{id}/grants/{grant}/sign");
        let digest = between(&qa.get(&address).expect(200).text, r#"name="digest" value=""#, "\"");
        qa.submit(&address, &[("password", "wrong"), ("digest", &digest)]).expect(403);
        qa.submit(&address, &[("password", PASSWORD), ("digest", "0")]).expect(409);
        qa.submit(&address, &[("password", PASSWORD), ("digest", &digest)]).expect(303);

        let answer =
            house.nobody().post("/login", json!({ "login": "new.cs", "password": password })).expect(200);
        assert_eq!(answer.json()["user"]["roles"], json!(["cs"]));
        assert_eq!(answer.json()["must_change_password"], true);
    });
}

#[test]
fn whoever_has_an_administrators_password_is_told_to_change_it_on_every_page() {
    both(|house| {
        let admin = Browser::of(house, "admin");
        let address = format!("/accounts/{}/reset", house.id("cs"));
        admin.submit(&address, &[("reason", "")]).expect(422);
        let told = admin.submit(&address, &[("reason", "忘记密码")]).expect(200);
        let password = between(&told.text, r#"id="secret">"#, "<");
        let browser = Browser::new(house);
        browser.submit("/login", &[("login", "cs"), ("password", &password)]).expect(303);
        assert!(browser.get("/me").expect(200).text.contains(r#"href="/password">"#));
        assert!(browser.get("/me").text.contains("notice yel"));
        let wrong = [("old", "wrong"), ("new", "a new horse 44"), ("repeat", "a new horse 44")];
        browser.submit("/password", &wrong).expect(403);
        let differing = [("old", password.as_str()), ("new", "a new horse 44"), ("repeat", "a new horse 45")];
        browser.submit("/password", &differing).expect(422);
        let right = [("old", password.as_str()), ("new", "a new horse 44"), ("repeat", "a new horse 44")];
        browser.submit("/password", &right).expect(303);
        assert!(!browser.get("/me").expect(200).text.contains("notice yel"));
    });
}

#[test]
fn a_token_made_on_a_page_works_until_it_is_revoked_there() {
    both(|house| {
        let admin = Browser::of(house, "admin");
        let id = house.id("erp");
        let fields = [("label", "ERP"), ("expires_on", "2026-03-01")];
        admin.submit(&format!("/accounts/{id}/token"), &fields).expect(422);
        let fields = [("label", "ERP"), ("expires_on", "2026-12-31")];
        let told = admin.submit(&format!("/accounts/{id}/token"), &fields).expect(200);
        let token = between(&told.text, r#"id="secret">"#, "<");
        let mut erp = house.nobody();
        erp.token = Some(token);
        erp.get("/api/v1/me").expect(200);
        let page = admin.get(&format!("/accounts/{id}")).text;
        let which = between(&page, "/tokens/", "/revoke");
        admin.submit(&format!("/accounts/{id}/tokens/{which}/revoke"), &[("reason", "停用接口")]).expect(303);
        erp.get("/api/v1/me").refused(401, "sign-in");
    });
}

#[test]
fn an_account_is_disabled_and_a_grant_ended_on_pages_with_a_reason() {
    both(|house| {
        let admin = Browser::of(house, "admin");
        let own = format!("/accounts/{}/disable", house.id("admin"));
        admin.submit(&own, &[("reason", "离职")]).expect(409);
        let id = house.id("reviewer");
        let page = admin.get(&format!("/accounts/{id}")).expect(200).text;
        let grant = between(&page, "/grants/", "/end");
        admin.submit(&format!("/accounts/{id}/grants/{grant}/end"), &[("reason", "调岗")]).expect(303);
        admin.submit(&format!("/accounts/{id}/grant"), &[("role", "author"), ("reason", "调岗")]).expect(303);
        admin.submit(&format!("/accounts/{id}/grant"), &[("role", "admin"), ("reason", "x")]).expect(409);
        admin.submit(&format!("/accounts/{id}/disable"), &[("reason", "离职")]).expect(303);
        admin.submit(&format!("/accounts/{id}/disable"), &[("reason", "离职")]).expect(409);
        let acts = house.acts();
        assert!(
            ["grant.ended", "grant.requested", "account.disabled"]
                .iter()
                .all(|act| acts.contains(&(*act).to_owned()))
        );
    });
}

#[test]
fn a_setting_changes_with_a_reason_and_its_entry() {
    both(|house| {
        let admin = Browser::of(house, "admin");
        let fields =
            |days| [("training_lead_days", days), ("help_contact", "内线 8100"), ("reason", "年度评审")];
        let refused = admin.submit("/settings", &fields("many")).expect(422);
        assert!(refused.text.contains(r#"value="many""#));
        admin.submit("/settings", &fields("400")).expect(422);
        admin.submit("/settings", &fields("7")).expect(303);
        admin.submit("/settings", &fields("7")).expect(409);
        assert_eq!(house.acts().iter().filter(|act| *act == "setting.changed").count(), 2);
        assert!(Browser::new(house).get("/login").text.contains("内线 8100"));
        let qa = Browser::of(house, "qa");
        assert!(!qa.get("/settings").expect(200).text.contains("name=\"training_lead_days\""));
    });
}
