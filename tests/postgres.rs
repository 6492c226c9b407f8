//! The tests' own PostgreSQL server: started once, listening on a socket in a folder of its own, gone with us.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};

use crate::wait::until;

/// Set where a test that cannot run must fail instead: in CI.
pub const MAY_NOT_SKIP: &str = "SOPLEDGER_TESTS_MAY_NOT_SKIP";

struct Server {
    folder: PathBuf,
    /// The keeper stops the server when this pipe closes, that is, when we end, however we end.
    _lifeline: Mutex<std::process::ChildStdin>,
}

static QUICK: OnceLock<Option<Server>> = OnceLock::new();
static DURABLE: OnceLock<Option<Server>> = OnceLock::new();
static DATABASES: AtomicUsize = AtomicUsize::new(0);

/// The address of a fresh, empty database that may lose what it was told; none, loudly, where the machine has no
/// PostgreSQL.
pub fn database() -> Option<String> {
    fresh(
        QUICK
            .get_or_init(|| start("-c fsync=off -c synchronous_commit=off -c full_page_writes=off"))
            .as_ref()?,
    )
}

/// The same with PostgreSQL's own settings, which lose nothing.
pub fn durable_database() -> Option<String> {
    fresh(DURABLE.get_or_init(|| start("")).as_ref()?)
}

/// A copy of a database that nobody is connected to, as a backup that is restored.
pub fn copy(url: &str) -> String {
    let (before, rest) = url.split_once("localhost/").unwrap();
    let (name, query) = rest.split_once('?').unwrap();
    let copy = format!("{name}_copy{}", DATABASES.fetch_add(1, Ordering::SeqCst));
    use diesel::prelude::*;
    let mut db = diesel::PgConnection::establish(&format!("{before}localhost/postgres?{query}")).unwrap();
    let sql = format!("CREATE DATABASE {copy} TEMPLATE {name}");
    // A backend outlives its client by a moment.
    until(|| diesel::sql_query(&sql).execute(&mut db));
    format!("{before}localhost/{copy}?{query}")
}

/// A new database with what `pg_dump` and `psql` bring over from this one.
pub fn dumped_and_restored(url: &str) -> String {
    let (before, rest) = url.split_once("localhost/").unwrap();
    let (_, query) = rest.split_once('?').unwrap();
    let name = format!("restored_{}", DATABASES.fetch_add(1, Ordering::SeqCst));
    let to = format!("{before}localhost/{name}?{query}");
    use diesel::prelude::*;
    let mut db = diesel::PgConnection::establish(&format!("{before}localhost/postgres?{query}")).unwrap();
    let sql = format!("CREATE DATABASE {name} TEMPLATE template0 LOCALE 'C' ENCODING 'UTF8'");
    diesel::sql_query(sql).execute(&mut db).unwrap();
    let bin = programs().unwrap();
    let dump = Command::new(bin.join("pg_dump")).arg(url).output().unwrap();
    assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
    let mut psql = Command::new(bin.join("psql"))
        .args(["-q", "-v", "ON_ERROR_STOP=1", &to])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    psql.stdin.take().unwrap().write_all(&dump.stdout).unwrap();
    assert!(psql.wait().unwrap().success());
    to
}

fn fresh(server: &Server) -> Option<String> {
    let name = format!("house_{}", DATABASES.fetch_add(1, Ordering::SeqCst));
    run_sql(server, &format!("CREATE DATABASE {name} TEMPLATE template0 LOCALE 'C' ENCODING 'UTF8'"));
    Some(address(server, &name))
}

fn address(server: &Server, name: &str) -> String {
    format!("postgres://postgres@localhost/{name}?host={}", server.folder.join("socket").display())
}

fn run_sql(server: &Server, sql: &str) {
    use diesel::prelude::*;
    let mut db = diesel::PgConnection::establish(&address(server, "postgres")).unwrap();
    diesel::sql_query(sql).execute(&mut db).unwrap();
}

/// Says that a test was skipped; fails where skipping is not allowed.
pub fn skipped(what: &str) {
    let loud = format!("\n*** SKIPPED: {what} ***\n");
    let _ = std::io::stderr().write_all(loud.as_bytes());
    assert!(std::env::var_os(MAY_NOT_SKIP).is_none(), "{what}, and {MAY_NOT_SKIP} is set");
}

fn programs() -> Option<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|folder| folder.join("initdb").exists())
        .collect();
    found.sort();
    found.pop()
}

#[allow(clippy::zombie_processes, reason = "the keeper outlives this process, to clean up after it")]
fn start(settings: &str) -> Option<Server> {
    let Some(programs) = programs() else {
        skipped("PostgreSQL is not installed: nothing was tested on it");
        return None;
    };
    let folder = tempfile::Builder::new().prefix("sopledger-pg-").tempdir().unwrap().keep();
    // PostgreSQL refuses to run as root; Debian's package brings a user of its own.
    let root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout.starts_with(b"0\n"));
    let as_user = if root { "runuser -u postgres --" } else { "" };
    if root {
        assert!(Command::new("chown").arg("postgres").arg(&folder).status().unwrap().success());
    }
    let script = format!(
        "set -e; cd {folder}; mkdir socket 2>/dev/null || true; {own} \
         {as_user} {bin}/initdb -D {folder}/data -U postgres --auth=trust --locale=C -E UTF8 >{log} 2>&1; \
         {as_user} {bin}/postgres -D {folder}/data -k {folder}/socket -c listen_addresses= {settings} \
           -c max_connections=400 -c shared_buffers=64MB >>{log} 2>&1 & \
         cat >/dev/null; {as_user} {bin}/pg_ctl -D {folder}/data stop -m immediate >/dev/null 2>&1; rm -rf {folder}",
        folder = folder.display(),
        bin = programs.display(),
        log = folder.join("log").display(),
        own = if root { "chown postgres socket;" } else { "" },
    );
    let mut keeper = Command::new("sh").arg("-c").arg(script).stdin(Stdio::piped()).spawn().unwrap();
    let lifeline = keeper.stdin.take().unwrap();
    let server = Server { folder, _lifeline: Mutex::new(lifeline) };
    await_answer(&server);
    Some(server)
}

fn await_answer(server: &Server) {
    use diesel::prelude::*;
    until(|| diesel::PgConnection::establish(&address(server, "postgres")).map_err(|_| log(&server.folder)));
}

fn log(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("log")).unwrap_or_default()
}
