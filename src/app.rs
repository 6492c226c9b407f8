//! Assembly: the route table, the layers around it, and the state every worker shares.

use std::collections::BTreeSet;
use std::sync::Arc;

use actix_web::dev::Server;
use actix_web::http::Method;
use actix_web::middleware::{Compress, from_fn};
use actix_web::{App, HttpServer, web};

use crate::anchors::Witness;
use crate::copies::Printing;
use crate::error::{Error, Result};
use crate::home::now::Texts;
use crate::keeping::{Keepers, Keeping, keepers};
use crate::ledger::anchor;
use crate::ledger::site::Site;
use crate::ledger::subject::Governed;
use crate::ledger::{tombstone, verify};
use crate::links::resolver::{Resolver, Resolvers};
use crate::pdf::Press;
use crate::people::desk::InFlight;
use crate::people::gate::{self, Callers, Route};
use crate::people::visits::Visits;
use crate::trail::{self, Schedule, Verifier};
use crate::web::{metrics::Metrics, page, query, request};
use crate::{
    anchors, codes, copies, deviations, documents, health, home, jobs, keeping, links, notebook, openapi,
    orders, packs, people, recalls,
};

/// Every route there is, in the order in which addresses are tried.
pub fn routes() -> Vec<Route> {
    let mut routes = people::routes();
    routes.extend(copies::routes());
    routes.extend(documents::routes());
    routes.extend(orders::routes());
    routes.extend(jobs::routes());
    routes.extend(deviations::routes());
    routes.extend(recalls::routes());
    routes.extend(links::routes());
    routes.extend(home::routes());
    routes.extend(codes::routes());
    routes.extend(health::routes());
    routes.extend(openapi::routes());
    // Before the trail, whose entries are tried under any name.
    routes.extend(anchors::routes());
    routes.extend(keeping::routes());
    routes.extend(trail::routes());
    routes.extend(packs::routes());
    routes.extend(notebook::routes());
    // Each pattern that is tried before the right one costs: what is read all day comes first, otherwise in the same order.
    routes.sort_by_key(|route| !route.path.starts_with("/documents"));
    routes
}

/// Every kind of governed record, for `verify` and for migrations.
pub const GOVERNED: &[Governed] = &[
    people::store::GOVERNED,
    people::store::GOVERNED_SETTINGS,
    documents::store::GOVERNED,
    documents::store::GOVERNED_VERSIONS,
    copies::store::GOVERNED,
    orders::store::GOVERNED,
    deviations::store::GOVERNED,
    recalls::store::GOVERNED,
    links::store::GOVERNED,
    anchor::GOVERNED,
    keeping::store::GOVERNED_HOLDS,
    keeping::store::GOVERNED_ERASURES,
    keeping::disposals::store::GOVERNED,
    tombstone::governed::<0>(),
    tombstone::governed::<1>(),
    tombstone::governed::<2>(),
    tombstone::governed::<3>(),
    packs::store::GOVERNED,
];

/// What links know of the features whose subjects they tie.
pub const RESOLVERS: Resolvers = Resolvers(&[DOCUMENTS, ORDERS, deviations::RESOLVER, recalls::RESOLVER]);

/// What the times of retention know of each kind of record.
pub const KEEPERS: Keepers = Keepers(&[
    keepers::ACCOUNTS,
    documents::retained::KEEPER,
    orders::retained::KEEPER,
    deviations::retained::KEEPER,
    recalls::retained::KEEPER,
]);

/// The same, and how records go once their time is over.
pub const KEEPING: Keeping = Keeping {
    keepers: KEEPERS,
    disposers: &[
        orders::retained::DISPOSER,
        deviations::retained::DISPOSER,
        recalls::retained::DISPOSER,
        links::retained::DISPOSER,
    ],
};

const DOCUMENTS: Resolver = Resolver {
    kind: "document",
    exists: documents::read::exists,
    instant: None,
    title: documents::read::plain_title,
    pin: Some(documents::read::pin_at),
};

const ORDERS: Resolver = Resolver {
    kind: "order",
    exists: orders::read::exists,
    instant: Some(orders::read::ordered_at),
    title: orders::read::title_of,
    pin: None,
};

/// What the workers share.
#[derive(Clone)]
pub struct Shared {
    /// The installation.
    pub site: web::Data<Site>,
    /// What all pages have in common.
    pub page: web::Data<page::Site>,
    metrics: web::Data<Metrics>,
    callers: web::Data<Callers>,
    in_flight: web::Data<InFlight>,
    visits: web::Data<Visits>,
    gauges: web::Data<health::Gauges>,
    pages: web::Data<documents::pages::KeptPages>,
    texts: web::Data<Texts>,
    verifier: web::Data<Verifier>,
    witness: web::Data<Witness>,
    printing: web::Data<Printing>,
}

impl Shared {
    /// The shared state over an open installation, printing with what the machine has. Waits for the lane once: not to
    /// be called from a worker.
    pub fn new(site: Site) -> Self {
        let press = Press::find(&[], Some(site.folder.path().join("fonts")));
        let printing = Printing { press, public_url: None };
        recalls::connect();
        if !site.is_halted()
            && let Err(error) = jobs::fail_unfinished(&site)
        {
            tracing::warn!(%error, "jobs of the last run could not be marked as failed");
        }
        let mut page = page::Site::new(site.origin.clone(), site.zone, site.clock.clone());
        page.demo = site.demo;
        page.halted = Arc::clone(site.lane.halted());
        let gauges = health::Gauges::default();
        let (page, site) = (web::Data::new(page), web::Data::new(site));
        let verifier = web::Data::new(Verifier::new(GOVERNED, site.clone(), page.clone()));
        if let Err(error) = verifier.refresh() {
            tracing::warn!(%error, "what was verified last could not be read");
        }
        Self {
            page,
            site,
            metrics: web::Data::new(Metrics::new(|registry| gauges.register(registry))),
            gauges: web::Data::new(gauges),
            pages: web::Data::default(),
            texts: web::Data::new(Texts::default()),
            callers: web::Data::new(Callers::default()),
            in_flight: web::Data::new(InFlight::default()),
            visits: web::Data::default(),
            verifier,
            witness: web::Data::default(),
            printing: web::Data::new(printing),
        }
    }

    /// The same, printing with this.
    pub fn printing_with(self, printing: Printing) -> Self {
        Self { printing: web::Data::new(printing), ..self }
    }

    /// The same with an outside witness.
    pub fn witnessed_by(self, witness: Witness) -> Self {
        Self { witness: web::Data::new(witness), ..self }
    }

    /// The outside witness.
    pub fn witness(&self) -> &web::Data<Witness> {
        &self.witness
    }

    /// Registers routes and state on a worker's application.
    pub fn configure(&self, config: &mut web::ServiceConfig) {
        config
            .app_data(self.site.clone())
            .app_data(self.page.clone())
            .app_data(self.metrics.clone())
            .app_data(self.callers.clone())
            .app_data(self.in_flight.clone())
            .app_data(self.visits.clone())
            .app_data(self.gauges.clone())
            .app_data(self.texts.clone())
            .app_data(self.pages.clone())
            .app_data(web::Data::new(RESOLVERS))
            .app_data(web::Data::new(KEEPERS))
            .app_data(web::Data::new(KEEPING))
            .app_data(self.verifier.clone())
            .app_data(web::Data::new(self.witness.every()))
            .app_data(self.witness.clone())
            .app_data(self.printing.clone());
        crate::web::routes(config);
        let mut waiting = routes();
        while let Some(first) = waiting.first() {
            let path = first.path;
            let (here, rest): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|route| route.path == path);
            waiting = rest;
            let resource = here.into_iter().fold(web::resource(path), |resource, route| {
                let gate = route.gate;
                // What answers GET answers HEAD; the server leaves the body out.
                let head = (route.method == Method::GET).then_some(Method::HEAD);
                let known = known_parameters(&route);
                let methods = [Some(route.method), head].into_iter().flatten();
                methods.fold(resource, |resource, method| {
                    let handler = (route.handler)().method(method);
                    let handler = match known {
                        Some(known) => {
                            handler.wrap(from_fn(move |request, next| query::only(known, request, next)))
                        }
                        None => handler,
                    };
                    let gated = from_fn(move |request, next| gate::pass(gate, request, next));
                    resource.route(handler.wrap(gated))
                })
            });
            config.service(resource);
        }
    }
}

/// The parameters that a route of the JSON API takes, as the OpenAPI document tells them; none for pages, which pass
/// over what they do not know.
fn known_parameters(route: &Route) -> Option<&'static BTreeSet<String>> {
    static NONE: BTreeSet<String> = BTreeSet::new();
    let machine = route.path.starts_with("/api/v1/");
    machine.then(|| openapi::queries().get(&openapi::key(route)).unwrap_or(&NONE))
}

/// Binds the address and makes the server; the caller runs it to its end.
///
/// # Errors
/// The address cannot be had.
pub fn server(shared: &Shared, listener: std::net::TcpListener, workers: usize) -> Result<Server> {
    let shared = shared.clone();
    let server = HttpServer::new(move || {
        App::new()
            .wrap(from_fn(request::around))
            .wrap(Compress::default())
            .configure(|config| shared.configure(config))
    });
    let server = server.workers(workers).shutdown_timeout(10).listen(listener).map_err(Error::from)?;
    Ok(server.run())
}

/// How often the program looks whether an instant of effect has passed.
const EFFECT: std::time::Duration = std::time::Duration::from_secs(30);

/// How often the program looks whether a verification is due, and what another node has found.
const VERIFICATION: std::time::Duration = std::time::Duration::from_secs(60);

/// Starts what goes on beside the requests, on the server's own thread: it ends with the server.
pub fn begin_background_work(shared: &Shared, schedule: Schedule) {
    let (verifier, reading) = (shared.verifier.clone(), shared.site.clone());
    actix_web::rt::spawn(async move {
        let mut beat = tokio::time::interval(VERIFICATION);
        // The first look comes with the second beat: a program that starts has people waiting.
        beat.tick().await;
        loop {
            beat.tick().await;
            if reading.is_halted() {
                continue;
            }
            let verifier = verifier.clone();
            let looked = web::block(move || {
                verifier.refresh()?;
                verifier.start_due(schedule)
            });
            match looked.await {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => tracing::warn!(%error, "no verification was started"),
                Err(error) => tracing::warn!(%error, "no verification was started"),
            }
        }
    });
    let (site, printing) = (shared.site.clone(), shared.printing.clone());
    actix_web::rt::spawn(async move {
        let mut beat = tokio::time::interval(EFFECT);
        loop {
            beat.tick().await;
            if !site.is_halted() {
                note_what_passed(&site).await;
            }
            printing.press.rest();
        }
    });
    if shared.witness.is_configured() {
        begin_witnessing(shared);
    }
}

/// Writes what the clock has brought about.
async fn note_what_passed(site: &Site) {
    if let Err(error) = site.lane.write(documents::effect::note_passed).await {
        tracing::warn!(%error, "instants of effect were not noted");
    }
    if let Err(error) = site.lane.write(copies::issue::call_back).await {
        tracing::warn!(%error, "copies were not called back");
    }
}

/// How often the program looks whether a time stamp is due.
const WITNESSED: std::time::Duration = std::time::Duration::from_secs(20);

/// Has checkpoints stamped when they are due. The authority is waited for on a thread that may wait; what goes wrong
/// is told by the witness itself.
fn begin_witnessing(shared: &Shared) {
    let (site, witness) = (shared.site.clone(), shared.witness.clone());
    actix_web::rt::spawn(async move {
        let mut beat = tokio::time::interval(WITNESSED);
        beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            beat.tick().await;
            if site.is_halted() {
                continue;
            }
            let (site, witness) = (site.clone(), witness.clone());
            let looked = web::block(move || witness.when_due(&site).map(|_| ())).await;
            if let Ok(Err(error)) = looked
                && error.kind() != crate::error::Kind::Unavailable
            {
                tracing::error!(%error, "no time stamp was kept");
            }
        }
    });
}

/// Refuses a database whose governed records do not have the state that the ledger sealed: asked after a migration.
///
/// # Errors
/// 409 naming the first record that differs.
pub fn compare_records(db: &mut crate::store::Db) -> Result<()> {
    let different = verify::different_record(db, GOVERNED)?;
    different.map_or(Ok(()), |subject| Err(Error::conflict("record-differs").arg("subject", subject)))
}
