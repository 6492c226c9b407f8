//! A throw-away time-stamping authority: certificates and replies made by the machine's own openssl, behind a few lines
//! of HTTP. It can be told to misbehave.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use sopledger::anchors::{Authority, Witness};

use crate::postgres::skipped;

/// The policies it stamps under.
pub const POLICY: &str = "1.2.3.4.1";
pub const OTHER_POLICY: &str = "1.2.3.4.5";

/// How it behaves.
#[derive(Debug, Clone, Default)]
pub enum Mood {
    /// It stamps what it is asked for.
    #[default]
    Honest,
    /// It answers 503.
    Away,
    /// It answers these bytes, whatever it is asked.
    Fixed(Vec<u8>),
    /// It refuses by the protocol's own means.
    Refusing,
    /// Its certificate is not for time stamping.
    WrongPurpose,
}

/// The authority, at work until it is dropped.
pub struct Tsa {
    /// Where it is asked.
    pub url: String,
    /// The certificates to trust it by.
    pub chain: PathBuf,
    /// How it behaves.
    pub mood: Arc<Mutex<Mood>>,
    /// How often it was asked.
    pub asked: Arc<AtomicUsize>,
    folder: tempfile::TempDir,
}

const CONFIG: &str = "[tsa]
default_tsa = one
[one]
serial = SERIAL
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4.1
other_policies = 1.2.3.4.5
digests = sha256
accuracy = secs:1, millisecs:500
ordering = yes
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = sha256
clock_precision_digits = 3
";

/// Runs openssl in a folder; demands that it succeeds.
pub fn openssl(folder: &Path, arguments: &[&str]) -> Output {
    let said = try_openssl(folder, arguments);
    assert!(said.status.success(), "{arguments:?}: {said:?}");
    said
}

/// Runs openssl in a folder.
pub fn try_openssl(folder: &Path, arguments: &[&str]) -> Output {
    Command::new("openssl").args(arguments).current_dir(folder).output().unwrap()
}

impl Tsa {
    /// Makes an authority and has it wait for questions; none on a machine without openssl.
    pub fn start() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        if !Command::new("openssl").arg("version").output().is_ok_and(|said| said.status.success()) {
            skipped("there is no openssl to make a time-stamping authority with");
            return None;
        }
        certificates(folder.path());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/tsa", listener.local_addr().unwrap());
        let (mood, asked) = (Arc::new(Mutex::new(Mood::default())), Arc::new(AtomicUsize::new(0)));
        let (at_work, counted, own) = (Arc::clone(&mood), Arc::clone(&asked), folder.path().to_owned());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                counted.fetch_add(1, Ordering::SeqCst);
                let mood = at_work.lock().unwrap().clone();
                // A client that has gone away does not hear the answer.
                let _ = answer(stream, &own, &mood);
            }
        });
        Some(Self { url, chain: folder.path().join("chain.pem"), mood, asked, folder })
    }

    /// The authority as an installation is configured with it.
    pub fn authority(&self, every: i64, policy: Option<&str>) -> Authority {
        let pem = std::fs::read(&self.chain).unwrap();
        Authority::new(self.url.clone(), pem, every, policy.map(str::to_owned)).unwrap()
    }

    /// A witness that asks it daily.
    pub fn witness(&self) -> Witness {
        Witness::new(Some(self.authority(24 * 3600, None)))
    }

    /// Sets its mood.
    pub fn is(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    /// How often it was asked.
    pub fn count(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// The folder of its certificates.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

fn certificates(folder: &Path) {
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    write("tsa.cnf", CONFIG.replace("SERIAL", folder.join("serial").to_str().unwrap()).as_str());
    write("serial", "8F01\n");
    write("stamping.ext", "extendedKeyUsage=critical,timeStamping\nkeyUsage=critical,digitalSignature\n");
    write("other.ext", "extendedKeyUsage=critical,codeSigning\n");
    let root = "req -x509 -newkey rsa:2048 -nodes -keyout root.key -out chain.pem -days 3650 -sha256 -subj";
    let mut root: Vec<&str> = root.split(' ').collect();
    root.push("/CN=Throw-away root/O=Test");
    openssl(folder, &root);
    for (name, extension) in [("tsa", "stamping.ext"), ("other", "other.ext")] {
        let (key, request, made) = (format!("{name}.key"), format!("{name}.csr"), format!("{name}.pem"));
        let subject = format!("/O=时间戳测试/CN=Throw-away {name}");
        openssl(
            folder,
            &[
                "req", "-utf8", "-newkey", "rsa:2048", "-nodes", "-keyout", &key, "-out", &request, "-subj",
                &subject,
            ],
        );
        let sign = [
            "x509",
            "-req",
            "-in",
            &request,
            "-CA",
            "chain.pem",
            "-CAkey",
            "root.key",
            "-CAcreateserial",
            "-days",
            "3650",
            "-sha256",
            "-extfile",
            extension,
            "-out",
            &made,
        ];
        openssl(folder, &sign);
    }
}

fn answer(mut stream: TcpStream, folder: &Path, mood: &Mood) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut line, mut length, mut media) = (String::new(), 0, false);
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let lower = line.trim_end().to_lowercase();
        if let Some(size) = lower.strip_prefix("content-length: ") {
            length = size.parse().unwrap();
        }
        media |= lower == "content-type: application/timestamp-query";
        if lower.is_empty() {
            break;
        }
    }
    let mut query = vec![0; length];
    reader.read_exact(&mut query)?;
    let (status, body) = match mood {
        _ if !media => ("415 Unsupported Media Type", Vec::new()),
        Mood::Away => ("503 Service Unavailable", b"<html>busy</html>".to_vec()),
        Mood::Fixed(bytes) => ("200 OK", bytes.clone()),
        Mood::Refusing => ("200 OK", reply(folder, b"no query", "tsa")),
        Mood::WrongPurpose => ("200 OK", reply(folder, &query, "other")),
        Mood::Honest => ("200 OK", reply(folder, &query, "tsa")),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/timestamp-reply\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(&body)
}

fn reply(folder: &Path, query: &[u8], signer: &str) -> Vec<u8> {
    std::fs::write(folder.join("query.tsq"), query).unwrap();
    let (certificate, key) = (format!("{signer}.pem"), format!("{signer}.key"));
    let arguments = [
        "ts",
        "-reply",
        "-config",
        "tsa.cnf",
        "-section",
        "one",
        "-queryfile",
        "query.tsq",
        "-signer",
        &certificate,
        "-inkey",
        &key,
        "-chain",
        "chain.pem",
        "-out",
        "reply.tsr",
    ];
    let _ = std::fs::remove_file(folder.join("reply.tsr"));
    let said = try_openssl(folder, &arguments);
    std::fs::read(folder.join("reply.tsr")).unwrap_or(said.stderr)
}
