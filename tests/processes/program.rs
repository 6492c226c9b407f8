//! The binary as IT runs it: an installation in a folder of its own, commands, and servers that can be killed.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};
use sopledger::ledger::folder::Folder;
use sopledger::store::Target;

use crate::house::{Client, PASSWORD};
use crate::postgres;
use crate::wait::until;

/// Where an installation is.
pub struct Installation {
    /// `--data`.
    pub data: PathBuf,
    /// `--database-url`; none on SQLite.
    pub url: Option<String>,
    _folder: tempfile::TempDir,
}

/// Runs a test on both engines, each in a folder without an installation.
pub fn both(test: impl Fn(&Installation)) {
    test(&Installation::new(None));
    if let Some(url) = postgres::durable_database() {
        test(&Installation::new(Some(url)));
    }
}

impl Installation {
    /// A folder without an installation, before this database.
    pub fn new(url: Option<String>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { data: folder.path().join("data"), url, _folder: folder }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sopledger"));
        command.args(arguments).arg("--data").arg(&self.data).env("SOPLEDGER_LOG", "warn");
        if let Some(url) = &self.url {
            command.arg("--database-url").arg(url);
        }
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.run_with(arguments, "")
    }

    /// The same with something on its standard input.
    pub fn run_with(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = self.command(arguments);
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    /// Makes the installation with an administrator `admin` and a QA account `qa`.
    pub fn init(&self) {
        let passwords = format!("{PASSWORD}\n{PASSWORD}\n");
        let made = self.run_with(&["init", "--admin", "admin", "--qa", "qa", "--password-stdin"], &passwords);
        assert!(made.status.success(), "{made:?}");
        assert!(!String::from_utf8_lossy(&made.stdout).contains(PASSWORD));
    }

    /// Starts a server and waits until it says its address.
    pub fn serve(&self) -> Server {
        self.serve_with(&["serve", "--listen", "127.0.0.1:0"])
    }

    /// The same in this environment.
    pub fn serve_in(&self, environment: &[(&str, &Path)]) -> Server {
        let mut command = self.command(&["serve", "--listen", "127.0.0.1:0"]);
        command.envs(environment.iter().copied());
        let mut server = Server::of(command);
        server.await_address();
        server
    }

    /// The same with another command that serves.
    pub fn serve_with(&self, arguments: &[&str]) -> Server {
        let mut server = self.start(arguments);
        server.await_address();
        server
    }

    /// The same database with this folder.
    pub fn over(self, data: &Path) -> Self {
        Self { data: data.to_owned(), ..self }
    }

    /// The database.
    pub fn target(&self) -> Target {
        match &self.url {
            Some(url) => Target::from_url(url).unwrap(),
            None => Target::Sqlite(Folder::new(&self.data).database()),
        }
    }

    /// Starts a command that does not end by itself.
    pub fn start(&self, arguments: &[&str]) -> Server {
        Server::of(self.command(arguments))
    }

    /// `verify --json`: its exit code and its report.
    pub fn verify(&self) -> (i32, Value) {
        let said = self.run(&["verify", "--json"]);
        let report = serde_json::from_slice(&said.stdout).unwrap_or_else(|error| panic!("{error}: {said:?}"));
        (said.status.code().unwrap(), report)
    }

    /// Demands that `verify` finds nothing wrong; returns how many entries there are.
    #[track_caller]
    pub fn must_be_sound(&self) -> u64 {
        let (code, report) = self.verify();
        assert_eq!((code, &report["faults"]), (0, &json!([])), "{report}");
        report["integrity"]["entries"].as_u64().unwrap()
    }

    /// Demands that `serve` only reads, and says why in these words.
    #[track_caller]
    pub fn must_be_read_only(&self, words: &str) {
        let server = self.serve();
        let nobody = Client::of(&server.url);
        assert_eq!(nobody.get("/readyz").expect(503).json()["checks"]["ledger"]["ok"], false);
        let qa = server.person("qa", PASSWORD);
        qa.post("/api/v1/password", json!({ "old": PASSWORD, "new": "another long one 43" }))
            .refused(503, "ledger-halted");
        let said = server.said();
        assert!(said.contains(words) && said.contains("sopledger recover"), "{said}");
        server.end();
    }

    /// Demands that `serve` refuses, and that it says so in these words.
    #[track_caller]
    pub fn must_not_be_served(&self, words: &[&str]) {
        let mut server = self.start(&["serve", "--listen", "127.0.0.1:0"]);
        let status = server.await_end();
        let said = server.said();
        assert_eq!(status.code(), Some(1), "{said}");
        for word in words {
            assert!(said.contains(word), "{word:?} is not in: {said}");
        }
    }
}

/// A running server; killed where a test forgets it.
pub struct Server {
    child: Child,
    /// `http://127.0.0.1:port`.
    pub url: String,
    log: tempfile::NamedTempFile,
}

impl Server {
    fn of(mut command: Command) -> Self {
        let log = tempfile::NamedTempFile::new().unwrap();
        let said = log.reopen().unwrap();
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(said).spawn().unwrap();
        Self { child, url: String::new(), log }
    }

    fn await_address(&mut self) {
        for line in BufReader::new(self.child.stdout.as_mut().unwrap()).lines() {
            if let Some(url) = line.unwrap().strip_prefix("Serving ") {
                self.url = url.to_owned();
                return;
            }
        }
        panic!("did not serve: {}", self.said());
    }

    /// What it wrote to standard error.
    pub fn said(&self) -> String {
        std::fs::read_to_string(self.log.path()).unwrap_or_default()
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM; demands that it ends of itself and well.
    pub fn end(mut self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        let status = self.await_end();
        assert!(status.success(), "{status}: {}", self.said());
    }

    /// Waits until the process has ended.
    pub fn await_end(&mut self) -> std::process::ExitStatus {
        until(|| self.child.try_wait().unwrap().ok_or_else(|| self.said()))
    }

    /// Signs a person in.
    pub fn person(&self, login: &str, password: &str) -> Client {
        let nobody = Client::of(&self.url);
        let answer = nobody.post("/login", json!({ "login": login, "password": password })).expect(200);
        nobody.with_token(answer.json()["token"].as_str().unwrap())
    }

    /// Makes the ERP's account, whose role QA signs, and returns its token.
    pub fn token_of_the_erp(&self) -> String {
        let (admin, qa) = (self.person("admin", PASSWORD), self.person("qa", PASSWORD));
        let new = json!({ "login": "erp", "name": "ERP 接口", "roles": ["integration"], "reason": "接口" });
        let made = admin.post("/api/v1/users", new).expect(201).json();
        let (id, grant) = (made["id"].as_str().unwrap(), made["grants"][0]["id"].as_str().unwrap());
        let sign = format!("/api/v1/users/{id}/grants/{grant}/sign");
        qa.post(&sign, json!({ "password": PASSWORD })).expect(200);
        let token = json!({ "label": "ERP", "expires_on": "2099-01-01" });
        let made = admin.post(&format!("/api/v1/users/{id}/tokens"), token).expect(201).json();
        made["token"].as_str().unwrap().to_owned()
    }

    /// The ERP with its token.
    pub fn erp(&self, token: &str) -> Client {
        Client::of(&self.url).with_token(token)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Copies a folder and what is in it.
pub fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        match entry.file_type().unwrap().is_dir() {
            true => copy_folder(&entry.path(), &to.join(entry.file_name())),
            false => drop(std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap()),
        }
    }
}
