//! The time-stamping authority as it is configured, and how it is asked.

use std::time::Duration;

use ureq::tls::{RootCerts, TlsConfig, TlsProvider};

use crate::config::Config;
use crate::error::{Error, Result};
use crate::ledger::anchor::der;
use crate::ledger::anchor::stamp::{self, Asked, Chain, Refusal, Stamp};
use crate::ledger::digest::Digest;
use crate::store::redacted;

/// For so long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// No reply is longer, in bytes; usual ones have some 5,000.
const LONGEST: u64 = 256 << 10;
/// The chain's file is no longer, in bytes.
const LONGEST_CHAIN: u64 = 1 << 20;

const HOUR: i64 = 3600;

/// An authority that can be asked.
#[derive(Debug)]
pub struct Authority {
    url: String,
    policy: Option<String>,
    every: i64,
    pem: Vec<u8>,
    chain: Chain,
    agent: ureq::Agent,
}

/// A reply that was believed.
#[derive(Debug, Clone)]
pub struct Stamped {
    /// The reply's bytes.
    pub reply: Vec<u8>,
    /// What it says.
    pub stamp: Stamp,
}

impl Authority {
    /// The authority that the settings name; none where they name none.
    ///
    /// # Errors
    /// 422: an address that is not HTTP's, an unknown interval, a policy that is no object identifier, no chain or one
    /// that cannot be read.
    pub fn configured(config: &Config) -> Result<Option<Self>> {
        let Some(url) = config.tsa_url.value.clone() else { return Ok(None) };
        if !url.starts_with("http://") && !url.starts_with("https://") {
            return Err(Error::invalid("tsa_url", "tsa-url"));
        }
        let every = match config.tsa_every.value.as_str() {
            "hourly" => HOUR,
            "daily" => 24 * HOUR,
            _ => return Err(Error::invalid("tsa_every", "tsa-every")),
        };
        let policy = config.tsa_policy.value.clone();
        if policy.as_deref().is_some_and(|policy| der::oid(policy).is_none()) {
            return Err(Error::invalid("tsa_policy", "tsa-policy"));
        }
        let Some(path) = &config.tsa_chain.value else {
            return Err(Error::invalid("tsa_chain", "tsa-chain-missing"));
        };
        let unreadable = |why: String| {
            Error::invalid("tsa_chain", "tsa-chain").caused_by(format!("{}: {why}", path.display()))
        };
        let size = std::fs::metadata(path).map_err(|error| unreadable(error.to_string()))?.len();
        if size > LONGEST_CHAIN {
            return Err(unreadable(format!("{size} bytes")));
        }
        let pem = std::fs::read(path).map_err(|error| unreadable(error.to_string()))?;
        Self::new(url, pem, every, policy).map(Some).map_err(|refusal| unreadable(refusal.to_string()))
    }

    /// The authority at this address, trusted through these certificates, to be asked every so many seconds.
    ///
    /// # Errors
    /// The certificates cannot be read.
    pub fn new(url: String, pem: Vec<u8>, every: i64, policy: Option<String>) -> Result<Self, Refusal> {
        let chain = Chain::from_pem(&pem)?;
        let tls = TlsConfig::builder()
            .provider(TlsProvider::NativeTls)
            .root_certs(RootCerts::PlatformVerifier)
            .build();
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            .tls_config(tls)
            .user_agent(concat!("sopledger/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Self { url, policy, every, pem, chain, agent: config.into() })
    }

    /// Seconds between two stamps.
    pub fn every(&self) -> i64 {
        self.every
    }

    /// The chain's file as it was read.
    pub fn pem(&self) -> &[u8] {
        &self.pem
    }

    /// The address without what may be secret in it.
    pub fn shown(&self) -> String {
        redacted(&self.url)
    }

    /// Has these bytes stamped, and believes the reply or refuses it. Waits: not to be called from a worker.
    ///
    /// # Errors
    /// 503 `tsa-away` where no reply comes, `tsa-refused` where it is not to be believed; with the cause.
    pub fn stamp(&self, note: &[u8]) -> Result<Stamped> {
        let nonce = Some(crate::id::random());
        let asked = Asked { digest: Digest::of(note), policy: self.policy.clone(), nonce };
        let request = stamp::request(&asked).map_err(Error::internal)?;
        let reply = self.ask(&request).map_err(|why| Error::unavailable("tsa-away").caused_by(why))?;
        let refused = |refusal: Refusal| Error::unavailable("tsa-refused").caused_by(refusal);
        let stamp = stamp::check(&reply, &asked, &self.chain).map_err(refused)?;
        Ok(Stamped { reply, stamp })
    }

    fn ask(&self, request: &[u8]) -> Result<Vec<u8>, String> {
        let asked = self
            .agent
            .post(&self.url)
            .header("content-type", "application/timestamp-query")
            .header("accept", "application/timestamp-reply")
            .send(request);
        let mut answer = asked.map_err(|error| format!("{}: {error}", self.shown()))?;
        if !answer.status().is_success() {
            return Err(format!("{}: answered {}", self.shown(), answer.status()));
        }
        let body = answer.body_mut().with_config().limit(LONGEST).read_to_vec();
        body.map_err(|error| format!("{}: {error}", self.shown()))
    }
}
