//! A house to test in: a whole installation on its own database, served on its own port, with people in it.
//!
//! [`both`] runs a test on SQLite and on PostgreSQL. Each house has a scripted clock that stands still until the test
//! moves it. People are named by role (`admin author reviewer qa qa2 ra cs auditor erp`) and sign in over HTTP like
//! anybody. The PostgreSQL server is the tests' own, started once and gone with the process; where the machine has
//! none, the test says so loudly, and fails where `SOPLEDGER_TESTS_MAY_NOT_SKIP` is set.

use std::net::TcpListener;

use actix_web::web;
use serde_json::{Value, json};
use sopledger::app::{Shared, server};
use sopledger::demo::{Seeding, seed};
use sopledger::ledger::folder::Folder;
use sopledger::ledger::site::{Place, Site};
use sopledger::people::accounts::{self, NewAccount};
use sopledger::people::rights::Role;
use sopledger::store::Target;
use sopledger::time::{Clock, Timestamp};

use crate::openapi::held::{Sent, hold};
use crate::postgres;
use crate::wait::{PATIENCE, until};

/// Everybody's password.
pub const PASSWORD: &str = "correct horse 42";
/// The instant at which every house's clock begins: Monday 2026-03-02, 10:00 in Shanghai.
pub const MORNING: &str = "2026-03-02T02:00:00Z";

/// An installation that is being served.
pub struct House {
    /// `http://127.0.0.1:port`.
    pub url: String,
    /// Where it is.
    pub place: Place,
    /// The installation, for looking behind the walls.
    pub site: web::Data<Site>,
    stop: Option<actix_web::dev::ServerHandle>,
    thread: Option<std::thread::JoinHandle<()>>,
    /// None once the house was left.
    folder: Option<tempfile::TempDir>,
}

/// Runs a test on both engines, each in a fresh house.
pub fn both(test: impl Fn(&House)) {
    test(&House::sqlite());
    if let Some(house) = House::postgres() {
        test(&house);
    }
}

/// The same with something added to what the workers share.
pub fn both_with(add: impl Fn(Shared) -> Shared, test: impl Fn(&House)) {
    test(&House::sqlite_with(&add));
    if let Some(url) = postgres::database() {
        let target = Target::from_url(&url).unwrap();
        test(&House::open(tempfile::tempdir().unwrap(), target, &add));
    }
}

impl House {
    /// A house on an SQLite file, with something added.
    pub fn sqlite_with(add: &impl Fn(Shared) -> Shared) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let target = Target::Sqlite(Folder::new(folder.path()).database());
        Self::open(folder, target, add)
    }

    /// A house on an SQLite file.
    pub fn sqlite() -> Self {
        Self::sqlite_with(&|shared| shared)
    }

    /// A house on a database of its own in the tests' PostgreSQL server; none where there is no server.
    pub fn postgres() -> Option<Self> {
        let url = postgres::database()?;
        Some(Self::open(tempfile::tempdir().unwrap(), Target::from_url(&url).unwrap(), &|shared| shared))
    }

    fn open(folder: tempfile::TempDir, target: Target, add: &impl Fn(Shared) -> Shared) -> Self {
        let clock = Clock::scripted(Timestamp::parse(MORNING).unwrap());
        let zone = chrono_tz::Asia::Shanghai;
        let place = Place { target, folder: Folder::new(folder.path()), clock, zone };
        place.create("test.example.cn/house").unwrap();
        let site = place.open(false).unwrap();
        let people = [
            ("admin", Role::Admin),
            ("author", Role::Author),
            ("reviewer", Role::Reviewer),
            ("qa", Role::Qa),
            ("qa2", Role::Qa),
            ("ra", Role::Ra),
            ("cs", Role::Cs),
            ("auditor", Role::Auditor),
            ("erp", Role::Integration),
        ];
        for (login, role) in people {
            let ends_at = (role == Role::Auditor).then(|| Timestamp::parse("2036-01-01T00:00:00Z").unwrap());
            let new = NewAccount {
                login: login.to_owned(),
                name: format!("{login} 某"),
                password_hash: quick_hash(PASSWORD),
                must_change: false,
                ends_at,
            };
            site.lane.write_here(move |tx| accounts::create_first(tx, &new, &[role])).unwrap();
        }
        Self::serve(folder, place, add(Shared::new(site)))
    }

    /// The demo, whole, on SQLite.
    pub fn demo_on_sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let target = Target::Sqlite(Folder::new(folder.path()).database());
        Self::demo(folder, target)
    }

    /// The same on PostgreSQL; none where there is no server.
    pub fn demo_on_postgres() -> Option<Self> {
        let url = postgres::database()?;
        Some(Self::demo(tempfile::tempdir().unwrap(), Target::from_url(&url).unwrap()))
    }

    fn demo(folder: tempfile::TempDir, target: Target) -> Self {
        let clock = Clock::scripted(Timestamp::parse(MORNING).unwrap());
        let zone = chrono_tz::Asia::Shanghai;
        let place = Place { target, folder: Folder::new(folder.path()), clock, zone };
        let today = chrono::NaiveDate::from_ymd_opt(2026, 3, 2).unwrap();
        seed(&place, &Seeding { password: PASSWORD, today, most: None }).unwrap();
        let site = place.open(true).unwrap();
        Self::serve(folder, place, Shared::new(site))
    }

    /// Serves what the workers share.
    pub fn serve(folder: tempfile::TempDir, place: Place, shared: Shared) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, receiver) = std::sync::mpsc::channel();
        let for_thread = shared.clone();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let server = server(&for_thread, listener, 1).unwrap();
                sender.send(server.handle()).unwrap();
                server.await.unwrap();
            });
        });
        let stop = receiver.recv().unwrap();
        Self {
            url,
            place,
            site: shared.site.clone(),
            stop: Some(stop),
            thread: Some(thread),
            folder: Some(folder),
        }
    }

    /// Moves the clock on. Sessions older than 15 minutes then have ended: sign people in again.
    pub fn later(&self, seconds: i64) {
        self.place.clock.set(self.place.clock.now().plus_seconds(seconds));
    }

    /// Sets the clock to an RFC 3339 instant.
    pub fn at(&self, instant: &str) {
        self.place.clock.set(Timestamp::parse(instant).unwrap());
    }

    /// Signs a person in, by login.
    pub fn person(&self, login: &str) -> Client {
        let answer = self.nobody().post("/login", json!({ "login": login, "password": PASSWORD }));
        assert_eq!(answer.status, 200, "{login} signs in: {}", answer.text);
        let token = answer.json()["token"].as_str().unwrap().to_owned();
        Client { token: Some(token), ..self.nobody() }
    }

    /// A client that is not signed in.
    pub fn nobody(&self) -> Client {
        Client::of(&self.url)
    }

    /// The account's id of a login.
    pub fn id(&self, login: &str) -> String {
        let login = login.to_owned();
        let found = self.site.readers.read_here(|db| sopledger::people::store::by_login(db, &login));
        found.unwrap().unwrap().id
    }

    /// The names of the acts in the ledger, in order.
    pub fn acts(&self) -> Vec<String> {
        use diesel::prelude::*;
        use sopledger::store::schema::ledger_entry;
        let acts = |db: &mut sopledger::store::Db| {
            Ok(ledger_entry::table.order(ledger_entry::seq).select(ledger_entry::act).load(db)?)
        };
        self.site.readers.read_here(acts).unwrap()
    }
}

impl House {
    /// Ends the service and hands the installation on: to be copied, restored, and opened again.
    pub fn leave(mut self) -> (tempfile::TempDir, Place) {
        (self.folder.take().unwrap(), self.place.clone())
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if let (Some(stop), Some(thread)) = (self.stop.take(), self.thread.take()) {
            drop(stop.stop(false));
            // The server's own thread runs the stop; a house that does not end must not hang the suite.
            let _ = thread.join();
        }
        self.site.close();
    }
}

/// A password hash that costs next to nothing: the tests are not about argon2.
pub fn quick_hash(password: &str) -> String {
    use argon2::{Algorithm, Argon2, Params, PasswordHasher, Version};
    let params = Params::new(8, 1, 1, None).unwrap();
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon.hash_password(password.as_bytes()).unwrap().to_string()
}

/// Somebody with an HTTP client.
pub struct Client {
    agent: ureq::Agent,
    url: String,
    /// The bearer token; none for nobody.
    pub token: Option<String>,
}

/// What the server answered.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body.
    pub text: String,
    headers: Vec<(String, String)>,
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// All values of a header.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.headers.iter().filter(move |(key, _)| key.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str())
    }

    /// The code at the end of a problem's `type`.
    pub fn problem(&self) -> String {
        let json = self.json();
        json["type"].as_str().unwrap_or_default().rsplit('/').next().unwrap_or_default().to_owned()
    }

    /// Demands a status, and shows the body where it is another.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// Demands a refusal: status and code.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status, self.problem().as_str()), (status, code), "{}", self.text);
        self
    }
}

impl Client {
    /// Nobody, before the server at this address.
    pub fn of(url: &str) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(PATIENCE))
            .build();
        Self { agent: config.into(), url: url.to_owned(), token: None }
    }

    /// The same client with a token.
    pub fn with_token(self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self }
    }

    /// GET.
    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None, &[])
    }

    /// GET with headers.
    pub fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send("GET", path, None, headers)
    }

    /// A job's answer once it is over.
    pub fn until_over(&self, job: &str) -> Value {
        until(|| {
            let told = self.get(job).expect(200).json();
            let over = matches!(told["state"].as_str(), Some("done" | "failed" | "cancelled"));
            if over { Ok(told) } else { Err(told) }
        })
    }

    /// POST of JSON.
    pub fn post(&self, path: &str, body: Value) -> Answer {
        self.send("POST", path, Some(body.to_string().into_bytes()), &[("content-type", "application/json")])
    }

    /// PUT of JSON.
    pub fn put(&self, path: &str, body: Value) -> Answer {
        self.send("PUT", path, Some(body.to_string().into_bytes()), &[("content-type", "application/json")])
    }

    /// PATCH of JSON with headers.
    pub fn patch(&self, path: &str, body: Value, headers: &[(&str, &str)]) -> Answer {
        let mut all = vec![("content-type", "application/json")];
        all.extend_from_slice(headers);
        self.send("PATCH", path, Some(body.to_string().into_bytes()), &all)
    }

    /// Any request.
    pub fn send(&self, method: &str, path: &str, body: Option<Vec<u8>>, headers: &[(&str, &str)]) -> Answer {
        self.try_send(method, path, body, headers).unwrap()
    }

    /// The same to a server that may die meanwhile.
    pub fn try_send(
        &self,
        method: &str,
        path: &str,
        body: Option<Vec<u8>>,
        headers: &[(&str, &str)],
    ) -> Result<Answer, ureq::Error> {
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.url));
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let media = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        let media = media.map_or("", |(_, value)| *value);
        let sent = body.unwrap_or_default();
        let request = request.body(sent.clone()).unwrap();
        let mut answer = self.agent.run(request)?;
        let headers = answer
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        let text = answer.body_mut().with_config().limit(64 << 20).read_to_vec()?;
        let answer = Answer {
            status: answer.status().as_u16(),
            text: String::from_utf8_lossy(&text).into_owned(),
            headers,
        };
        hold(&Sent { method, path, media, body: &sent }, &answer);
        Ok(answer)
    }
}
