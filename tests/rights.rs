//! The table of rights, walked: every route × every role, from the route table itself.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use sopledger::app;
use sopledger::people::gate::{Gate, Route};
use sopledger::people::rights::{Permission, Role};

use crate::house::{Answer, Client, House, both};
use crate::pages_people::Browser;
use crate::{copies, deviations};

/// The login of the house's person with this role.
fn login(role: Role) -> &'static str {
    match role {
        Role::Integration => "erp",
        role => role.code(),
    }
}

/// The route's address with its parts filled by something that does not exist.
fn address(route: &Route) -> String {
    let part = |part: &str| if part.starts_with('{') { "none-such".to_owned() } else { part.to_owned() };
    route.path.split('/').map(part).collect::<Vec<_>>().join("/")
}

fn ask(client: &Client, route: &Route) -> Answer {
    let method = route.method.as_str();
    if method == "GET" {
        return client.get(&address(route));
    }
    client.send(method, &address(route), Some(b"{}".to_vec()), &[("content-type", "application/json")])
}

/// Whether the gate turned the request away: not signed in, or no right.
fn turned_away(answer: &Answer) -> Option<String> {
    if !matches!(answer.status, 401 | 403) {
        return None;
    }
    Some(answer.problem()).filter(|code| matches!(code.as_str(), "sign-in" | "no-right"))
}

#[test]
fn every_route_lets_in_the_roles_of_its_right_and_nobody_else() {
    let house = House::sqlite();
    let people: BTreeMap<Role, Client> = Role::ALL.map(|role| (role, house.person(login(role)))).into();
    let mut seen = 0;
    for route in app::routes() {
        let Gate::May(permission) = route.gate else { continue };
        seen += 1;
        let name = format!("{} {}", route.method, route.path);
        assert_eq!(turned_away(&ask(&house.nobody(), &route)).as_deref(), Some("sign-in"), "{name}, nobody");
        for (role, client) in &people {
            let granted = permission.granted_by(&[*role]).is_some();
            let refusal = turned_away(&ask(client, &route));
            let expected = (!granted).then_some("no-right");
            assert_eq!(refusal.as_deref(), expected, "{name}, {role:?} and {permission:?}");
        }
    }
    assert!(seen > 40, "the route table holds only {seen} gated routes");
}

#[test]
fn whoever_takes_a_pack_may_read_what_goes_in() {
    for role in Permission::TakePacks.roles() {
        for reads in [Permission::ReadAllVersions, Permission::ReadRecords, Permission::ReadTrail] {
            assert!(reads.roles().contains(role), "{role:?} takes packs without {reads:?}");
        }
    }
}

#[test]
fn what_needs_signing_in_alone_is_closed_to_nobody_only() {
    let house = House::sqlite();
    for route in app::routes().iter().filter(|route| route.gate == Gate::SignedIn) {
        let name = format!("{} {}", route.method, route.path);
        assert_eq!(turned_away(&ask(&house.nobody(), route)).as_deref(), Some("sign-in"), "{name}");
        // Signing out would end the session that the other routes are asked with.
        let answer = ask(&house.person("cs"), route);
        assert_eq!(turned_away(&answer), None, "{name}: {}", answer.text);
    }
}

#[test]
fn no_route_that_writes_is_open_to_a_right_that_reads() {
    for route in app::routes().iter().filter(|route| route.method != "GET") {
        if let Gate::May(permission) = route.gate {
            // Verifying the trail leaves an entry, and is the one exception.
            assert!(
                permission.writes() || permission == Permission::ReadTrail,
                "{} {} with {permission:?}",
                route.method,
                route.path
            );
        }
    }
}

#[test]
fn whoever_is_public_is_on_the_list() {
    let public: Vec<String> = app::routes()
        .iter()
        .filter(|route| route.gate == Gate::Public)
        .map(|route| format!("{} {}", route.method, route.path))
        .filter(|route| !route.starts_with("GET /ledger/"))
        .collect();
    let expected = [
        "POST /api/v1/login",
        "GET /login",
        "POST /login",
        "GET /c/{token}",
        "GET /healthz",
        "GET /readyz",
        "GET /metrics",
        "GET /api/v1/openapi.json",
        // Compares a visitor's own file with what is public anyway: checkpoint, key, tiles.
        "GET /notebook",
        "POST /notebook",
        "POST /notebook/file",
    ];
    assert_eq!(public, expected);
}

#[test]
fn no_page_offers_a_link_where_its_reader_may_not_go() {
    both(|house| {
        copies::in_force(house);
        deviations::order(house, "80010001");
        let mut told = deviations::told();
        told["orders"] = json!(["80010001"]);
        house.person("cs").post("/api/v1/deviations", told).expect(201);
        let qa = house.person("qa");
        let job = qa.post("/api/v1/ledger/verifications", json!({})).expect(202);
        qa.until_over(job.header("location").unwrap());
        for login in ["qa", "ra", "author", "reviewer", "cs", "auditor", "admin"] {
            let reader = Browser::of(house, login);
            let mut asked = BTreeSet::new();
            for start in
                ["/", "/documents/SOP-CS-001", "/orders/80010001", "/deviations/DEV-2026-0001", "/retention"]
            {
                let page = reader.get(start);
                if page.status != 200 {
                    continue;
                }
                for link in page.text.split("href=\"/").skip(1) {
                    let path = format!("/{}", link.split('"').next().unwrap().replace("&#38;", "&"));
                    let acts =
                        ["/language/", "/theme/", "/assets/"].iter().any(|part| path.starts_with(part));
                    if !acts && !path.contains("/pdf") && asked.insert(path.clone()) {
                        assert_ne!(reader.get(&path).status, 403, "{login} on {start} is led to {path}");
                    }
                }
            }
            assert!(!asked.is_empty(), "{login}");
        }
        let door = house.nobody().get_with("/login", &[("accept", "text/html")]).expect(200).text;
        assert!(!door.contains("href=\"/trail") && door.contains("账本已校验"), "{door}");
    });
}

#[test]
fn whoever_may_raise_a_deviation_is_offered_it_on_an_order() {
    both(|house| {
        deviations::order(house, "80010001");
        for (login, offered) in [("cs", true), ("author", true), ("auditor", false)] {
            let page = Browser::of(house, login).get("/orders/80010001").expect(200).text;
            assert_eq!(page.contains("/deviations/new?order=80010001"), offered, "{login}");
            assert!(page.contains(r#"<a href="/orders" aria-current="page">"#), "{page}");
        }
    });
}
