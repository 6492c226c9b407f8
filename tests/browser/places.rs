//! Every page of the route table, with somebody who may open it and an address that exists in the demo's house.

use serde_json::{Value, json};
use sopledger::app::routes;
use sopledger::web::page::percent;

use crate::house::{Client, House, PASSWORD};

/// What stands in the route table for a person, and is no page.
const FILES: [&str; 11] = [
    "/documents/{number}/{version}/print.css",
    "/documents/{number}/{version}/pdf",
    "/documents/{number}/copies/{n}/pdf",
    "/ledger/checkpoint",
    "/ledger/key",
    "/ledger/epoch/{epoch}/checkpoint",
    "/ledger/epoch/{epoch}/key",
    "/ledger/epoch/{epoch}/tile/entries/{path:.*}",
    "/ledger/epoch/{epoch}/tile/{path:.*}",
    "/ledger/tile/entries/{path:.*}",
    "/ledger/tile/{path:.*}",
];

/// A page to open.
pub struct Place {
    /// Who opens it; empty where nobody is signed in.
    pub login: &'static str,
    /// Path and query.
    pub address: String,
    /// Whether it is there to be opened, and no refusal.
    pub opens: bool,
}

/// Makes what the demo lacks, and names a place for every page; a page without one fails the test.
pub fn all(house: &House) -> Vec<Place> {
    let made = Made::in_house(house);
    let mut places: Vec<Place> = routes()
        .iter()
        .filter(|route| route.method == "GET" && route.summary.is_empty() && !FILES.contains(&route.path))
        .map(|route| {
            let (login, address) = made.place(route.path);
            Place { login, address, opens: true }
        })
        .collect();
    places.extend(made.further().map(|(login, address)| Place { login, address, opens: false }));
    places.sort_by_key(|place| place.login);
    places
}

/// Records in states that no record of the demo has.
struct Made {
    account: String,
    grant: String,
    /// Whose token it is.
    interface: String,
    token: String,
    deviation_correction: String,
    recall_correction: String,
    recall: String,
    link: String,
    job: String,
    /// What the QR code of a numbered copy leads to.
    paper: String,
    hold: String,
    disposal: String,
}

fn id(made: &Value) -> String {
    made["id"].as_str().unwrap().to_owned()
}

/// A second version of a document of the demo; its digest.
fn draft(author: &Client, number: &str) -> String {
    let told = json!({
        "renditions": {
            "zh-CN": "## 1 目的\n\n规范。\n\n## 2 步骤\n\n1. 核对资质\n2. 录入\n",
            "en": "## 1 Purpose\n\nOrder.\n\n## 2 Steps\n\n1. Check the licence\n2. Enter\n",
        },
        "change_summary": "修订步骤", "change_reason": "年度回顾",
    });
    let made = author.post(&format!("/api/v1/documents/{number}/versions"), told).expect(201).json();
    assert_eq!(made["version"], "2.0", "{made}");
    made["digest"].as_str().unwrap().to_owned()
}

impl Made {
    fn in_house(house: &House) -> Self {
        let [admin, author, qa, ra, erp] =
            ["admin", "author", "qa", "ra", "erp"].map(|who| house.person(who));
        draft(&author, "WI-CS-001");
        let digest = draft(&author, "WI-CS-002");
        let submission =
            json!({ "reviewers": ["reviewer"], "approvers": ["qa"], "digest": digest, "password": PASSWORD });
        author.post("/api/v1/documents/WI-CS-002/versions/2.0/submit", submission).expect(200);
        let account = house.id("cs");
        let wish = json!({ "role": "author", "reason": "兼任编制" });
        let grant = id(&admin.post(&format!("/api/v1/users/{account}/grants"), wish).expect(201).json());
        let wish = json!({ "label": "ERP", "expires_on": "2026-12-31" });
        let interface = house.id("erp");
        let token = admin.post(&format!("/api/v1/users/{interface}/tokens"), wish).expect(201).json();
        let wish = json!({ "field": "title", "value": "另一标题", "reason": "笔误" });
        let deviation = ra.post("/api/v1/deviations/DEV-2025-0001/corrections", wish.clone());
        let recall = recall(&ra);
        let correction = ra.post(&format!("/api/v1/recalls/{recall}/corrections"), wish).expect(201).json();
        let tie = json!({ "from": "deviation/DEV-2025-0001", "to": "document/SOP-QA-002", "relation": "refers_to", "reason": "依据" });
        let link = qa.post("/api/v1/links", tie).expect(201).json();
        let copy = json!({ "holder": "王芳", "place": "一号冷库" });
        let copy = qa.post("/api/v1/documents/SOP-CS-005/copies", copy).expect(201).json();
        let paper = copy["status"].as_str().unwrap().trim_start_matches("/c/").to_owned();
        let wish = json!({ "subject": "deviation/DEV-2025-0001", "reason": "省局调查" });
        let hold = qa.post("/api/v1/holds", wish).expect(201).json();
        Self {
            account,
            grant,
            interface,
            token: id(&token),
            deviation_correction: id(&deviation.expect(201).json()),
            recall_correction: id(&correction),
            recall,
            link: id(&link),
            job: job(&erp),
            paper,
            hold: id(&hold),
            disposal: crate::disposals::proposal_before_its_time(house, "80010358"),
        }
    }

    /// Who opens a page, and its address.
    fn place(&self, path: &str) -> (&'static str, String) {
        let login = match path {
            "/login" | "/c/{token}" => "",
            "/links/new" => return ("qa", "/links/new?from=deviation/DEV-2025-0001".to_owned()),
            path if path.starts_with("/accounts") || path == "/settings" => match path {
                "/accounts/{id}/grants/{grant}/sign" => "qa",
                _ => "admin",
            },
            "/now" => "cs",
            "/recalls/{number}/corrections/{id}" | "/deviations/{number}/corrections/{id}" => "qa",
            "/documents/{number}/{version}/sign" | "/documents/{number}/{version}/reject" => "reviewer",
            "/documents/{number}/{version}/withdraw" | "/documents/{number}/{version}/abandon" => "author",
            "/trail/{seq}/erase" => "qa",
            path if path.starts_with("/trail") => "auditor",
            _ => "qa",
        };
        let mut address = path.to_owned();
        for (part, value) in self.parts(path) {
            address = address.replace(part, value);
        }
        assert!(!address.contains('{'), "{path} has no place: tell it in tests/browser/places.rs");
        (login, address)
    }

    fn parts(&self, path: &str) -> Vec<(&'static str, &str)> {
        let mut parts: Vec<(&'static str, &str)> = match path.split('/').nth(1).unwrap_or_default() {
            "documents" => document_parts(path),
            "orders" => vec![("{number}", "80010358")],
            "deviations" => vec![("{number}", "DEV-2025-0001"), ("{id}", &self.deviation_correction)],
            "recalls" => vec![("{number}", &self.recall), ("{id}", &self.recall_correction)],
            "links" => vec![("{id}", &self.link)],
            "jobs" => vec![("{id}", &self.job)],
            "c" => vec![("{token}", &self.paper)],
            "retention" => vec![("{id}", &self.hold), ("{number}", &self.disposal)],
            "accounts" if path.contains("{token}") => {
                vec![("{id}", &self.interface), ("{token}", &self.token)]
            }
            "accounts" => vec![("{id}", &self.account), ("{grant}", &self.grant)],
            "trail" => vec![("{seq}", "349")],
            _ => vec![],
        };
        parts.retain(|(part, _)| path.contains(part));
        parts
    }

    /// Other faces of the same pages: found and not, old and to come, refused.
    fn further(&self) -> impl Iterator<Item = (&'static str, String)> {
        let word = percent("冷链");
        [
            ("qa", "/documents/SOP-CS-005/1.0".to_owned()),
            ("qa", "/documents/SOP-CS-005/3.0".to_owned()),
            ("author", "/documents/WI-CS-001/2.0".to_owned()),
            ("qa", "/documents/SOP-CS-005/diff?from=1.0&to=2.0".to_owned()),
            ("qa", format!("/documents?q={word}")),
            ("qa", "/documents?q=nothing-like-it".to_owned()),
            ("qa", "/documents?as_of=not-a-date".to_owned()),
            ("qa", "/no/such/page".to_owned()),
            ("admin", format!("/accounts/u-{}", "4".repeat(60))),
            ("qa", "/copies?all=yes".to_owned()),
            ("qa", "/retention?subject=deviation/DEV-2025-0001".to_owned()),
            ("ra", format!("/retention/disposals/{}", self.disposal)),
            ("ra", "/retention/disposals/candidates?subject=order/80010358".to_owned()),
            ("qa", "/documents/SOP-CS-005/3.0/print".to_owned()),
            ("", "/c/AAAAAAAAAAAAAAAAAAAAAA".to_owned()),
            ("qa", "/links/new".to_owned()),
            ("cs", "/accounts".to_owned()),
            ("cs", "/".to_owned()),
            ("cs", format!("/now?q={word}")),
            ("cs", "/now?q=nothing-like-it".to_owned()),
            ("cs", format!("/documents/WI-CS-002?lang=en&q={word}")),
            ("admin", "/".to_owned()),
            ("auditor", "/".to_owned()),
            ("reviewer", "/".to_owned()),
            ("author", "/".to_owned()),
            ("qa", "/recalls/RCL-2025-0001".to_owned()),
            ("auditor", "/trail?actor=qa&action=login".to_owned()),
        ]
        .into_iter()
    }
}

fn document_parts(path: &str) -> Vec<(&'static str, &'static str)> {
    let (number, version) = match path.rsplit('/').next().unwrap_or_default() {
        "edit" | "submit" | "abandon" => ("WI-CS-001", "2.0"),
        "sign" | "reject" | "withdraw" => ("WI-CS-002", "2.0"),
        "cancel" => ("SOP-CS-005", "3.0"),
        _ => ("SOP-CS-005", "2.0"),
    };
    vec![("{number}", number), ("{version}", version), ("{n}", "1")]
}

/// A recall of a batch of the demo, ready to be closed.
fn recall(ra: &Client) -> String {
    let order = ra.get("/api/v1/orders/80010358").expect(200).json();
    let line = &order["lines"][0];
    let told = json!({
        "title": "批次召回", "class": "II", "class_rationale": "可能引起可逆危害", "reason": "含量不合格",
        "role": "wholesaler", "origin": "voluntary", "drill": false,
        "batches": [{ "material": line["material"], "batch": line["batch"] }], "decided_at": "2026-03-02T01:00:00Z",
    });
    let made = ra.post("/api/v1/recalls", told).expect(201).json();
    let number = made["number"].as_str().unwrap().to_owned();
    for to in ["notifying", "retrieving", "reconciling"] {
        ra.post(&format!("/api/v1/recalls/{number}/transitions"), json!({ "to": to })).expect(200);
    }
    number
}

/// A job that took in one order and rejected another.
fn job(erp: &Client) -> String {
    let file = "VBELN,KUNNR,customer_name,ship_to,POSNR,MATNR,name,approval_number,CHARG,VFDAT,KWMENG,unit,storage,\
                ordered_at,released_at,shipped_at,delivered_at,shipped_by\n\
                1,10023,第一医院,,10,100238,胰岛素,,230815,20270731,2,BOX,2-8,2026-02-18T09:12:00+08:00,,,,\n\
                2,10023,第一医院,,10,100238,胰岛素,,230815,20270731,-1,BOX,2-8,2026-02-18T09:12:00+08:00,,,,\n";
    let headers = [("content-type", "text/csv")];
    let begun = erp.send("POST", "/api/v1/orders/import", Some(file.into()), &headers).expect(202);
    let address = begun.header("location").unwrap().to_owned();
    assert_eq!(erp.until_over(&address)["state"], "done");
    address.rsplit('/').next().unwrap().to_owned()
}
