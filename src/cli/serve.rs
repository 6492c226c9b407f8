//! `sopledger serve` and `sopledger migrate`.

use std::net::TcpListener;

use crate::anchors::{Authority, Witness};
use crate::app::{self, Shared};
use crate::config::Config;
use crate::copies::Printing;
use crate::error::{Cause, Error, Result};
use crate::ledger::site::Site;
use crate::pdf::Press;
use crate::trail::Schedule;
use crate::web::words::{Arg, Lang, Words};

/// Serves until told to end; then answers what is under way, signs, and closes.
pub fn run(config: &Config) -> Result<()> {
    let place = config.place()?;
    place.check()?;
    place.check_safety()?;
    let witness = Witness::new(Authority::configured(config)?);
    let listener = listen(config)?;
    let site = place.open_to_serve()?;
    let halted = site.lane.halted().get().cloned();
    serve(config, site, (listener, witness), schedule(config), |address| {
        println!("Serving http://{address}");
        if let Some(cause) = &halted {
            complain_of(cause);
        }
    })
}

/// Says on standard error that nothing is written, why, and the way out.
fn complain_of(cause: &Cause) {
    let w = Words::of(Lang::En);
    let args: Vec<_> = cause.args.iter().map(|(name, value)| (*name, Arg::from(value.as_str()))).collect();
    let (title, why) = (format!("problem-{}", cause.code), format!("problem-{}.detail", cause.code));
    eprintln!("sopledger: {}. {}", w.t(&title), w.with(&why, &args));
    eprintln!("  {}: {} {}", w.t("base-halted"), w.t("base-halted.detail"), w.t("base-halted.do"));
}

/// Binds the configured address.
pub fn listen(config: &Config) -> Result<TcpListener> {
    let address = &config.listen.value;
    TcpListener::bind(address)
        .map_err(|error| Error::invalid("listen", "address").caused_by(format!("{address}: {error}")))
}

/// How often the program verifies by itself.
pub fn schedule(config: &Config) -> Schedule {
    let every = |count: u32, seconds: i64| (count > 0).then(|| i64::from(count) * seconds);
    Schedule {
        new: every(config.verify_new_minutes.value, 60),
        whole: every(config.verify_whole_days.value, 24 * 3600),
    }
}

/// Serves an open installation on a bound listener; `ready` is called once it answers.
pub fn serve(
    config: &Config,
    site: Site,
    (listener, witness): (TcpListener, Witness),
    schedule: Schedule,
    ready: impl FnOnce(std::net::SocketAddr),
) -> Result<()> {
    let address = listener.local_addr()?;
    let press = Press::find(&config.fonts(), Some(site.folder.path().join("fonts")));
    let printing = Printing { press, public_url: config.public_url.value.clone() };
    let shared = Shared::new(site).witnessed_by(witness).printing_with(printing);
    let workers = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let served = actix_web::rt::System::new().block_on(async {
        let server = app::server(&shared, listener, workers)?;
        app::begin_background_work(&shared, schedule);
        ready(address);
        tracing::info!(%address, "serving");
        server.await.map_err(Error::from)
    });
    shared.site.close();
    tracing::info!("ended");
    served
}

/// Brings the schema up to date, or refuses where a record would no longer match the ledger.
pub fn migrate(config: &Config) -> Result<()> {
    let place = config.place()?;
    let mut place_db = place.target.open(crate::store::Purpose::Read)?;
    if crate::store::schema_state(&mut place_db)? == crate::store::SchemaState::Empty {
        return Err(Error::conflict("not-installed").arg("folder", place.folder.path().display().to_string()));
    }
    drop(place_db);
    let ran = place.migrate(app::compare_records)?;
    place.check_safety()?;
    println!("{ran} migrations run; the schema is up to date");
    Ok(())
}
