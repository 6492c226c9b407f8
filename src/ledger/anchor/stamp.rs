//! Time stamps of RFC 3161: the request, and the reply before it is believed.
//!
//! A reply is believed when its status is granted, its imprint is the SHA-256 of our bytes, nonce and policy are the
//! ones asked for, it is signed once, and the signer's certificate leads, for the purpose of time stamping and at the
//! stamp's own instant, to a certificate of the configured chain. What `openssl ts -verify` looks at besides: that the
//! signed attributes name the signer's certificate.

use std::fmt;

use chrono::NaiveDateTime;
use openssl::cms::{CMSOptions, CmsContentInfo};
use openssl::error::ErrorStack;
use openssl::nid::Nid;
use openssl::x509::store::{X509Store, X509StoreBuilder};
use openssl::x509::verify::X509VerifyParam;
use openssl::x509::{X509, X509NameRef, X509PurposeId};

use super::der::{self, Reader};
use crate::ledger::digest::Digest;
use crate::time::Timestamp;

const SHA_256: &str = "2.16.840.1.101.3.4.2.1";
const SIGNED_DATA: &str = "1.2.840.113549.1.7.2";
const STAMP_INFO: &str = "1.2.840.113549.1.9.16.1.4";

/// What a request asks for.
#[derive(Debug, Clone)]
pub struct Asked {
    /// SHA-256 of the bytes to be stamped.
    pub digest: Digest,
    /// The policy to stamp under, with dots; none leaves it to the authority.
    pub policy: Option<String>,
    /// What the reply must repeat; none where a reply is read later.
    pub nonce: Option<[u8; 8]>,
}

/// What the authority said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// The instant.
    pub at: Timestamp,
    /// The signer's name, from its certificate.
    pub authority: String,
    /// With dots.
    pub policy: String,
    /// Hex.
    pub serial: String,
}

/// Why a reply is not believed. For the log, the command line and `verify`: in English.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The bytes are no reply, or not of the form we read.
    Form(&'static str),
    /// The authority refused.
    NotGranted(String),
    /// It stamps something else.
    Digest,
    /// It answers another request.
    Nonce,
    /// It stamps under another policy.
    Policy(String),
    /// The signature does not verify, or its certificate does not lead to the chain.
    Signature(String),
    /// The chain holds no certificates.
    Chain(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form(what) => write!(f, "the reply does not read as a time stamp: {what}"),
            Self::NotGranted(said) => write!(f, "the authority refused: {said}"),
            Self::Digest => f.write_str("the time stamp is over other bytes"),
            Self::Nonce => f.write_str("the time stamp answers another request"),
            Self::Policy(policy) => write!(f, "the time stamp is under another policy, {policy}"),
            Self::Signature(why) => write!(f, "the signature is not the authority's: {why}"),
            Self::Chain(why) => write!(f, "the chain's certificates cannot be read: {why}"),
        }
    }
}

impl std::error::Error for Refusal {}

/// The request, as it is sent.
pub fn request(asked: &Asked) -> Result<Vec<u8>, Refusal> {
    let oid = |dotted: &str| {
        let content = der::oid(dotted).ok_or(Refusal::Form("the policy is no object identifier"))?;
        Ok(der::element(der::OID, &content))
    };
    let algorithm = [oid(SHA_256)?, der::element(der::NULL, &[])].concat();
    let imprint =
        [der::element(der::SEQUENCE, &algorithm), der::element(der::OCTET_STRING, asked.digest.as_bytes())]
            .concat();
    let mut body = [der::positive(&[1]), der::element(der::SEQUENCE, &imprint)].concat();
    if let Some(policy) = &asked.policy {
        body.extend(oid(policy)?);
    }
    if let Some(nonce) = &asked.nonce {
        body.extend(der::positive(nonce));
    }
    // The signer's certificate is wanted in the reply, so that the chain alone is enough to check it.
    body.extend(der::element(der::BOOLEAN, &[0xff]));
    Ok(der::element(der::SEQUENCE, &body))
}

/// The certificates that a stamp must lead to.
pub struct Chain(Vec<X509>);

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Chain of {}", self.0.len())
    }
}

impl Chain {
    /// Reads certificates in PEM.
    ///
    /// # Errors
    /// There is none, or one that cannot be read.
    pub fn from_pem(pem: &[u8]) -> Result<Self, Refusal> {
        let chain = X509::stack_from_pem(pem).map_err(|error| Refusal::Chain(error.to_string()))?;
        match chain.is_empty() {
            true => Err(Refusal::Chain("there is none".to_owned())),
            false => Ok(Self(chain)),
        }
    }

    fn store(&self, at: Timestamp) -> Result<X509Store, ErrorStack> {
        let mut store = X509StoreBuilder::new()?;
        for certificate in &self.0 {
            store.add_cert(certificate.clone())?;
        }
        // A certificate that has run out since has signed all the same: it is held against the stamp's own instant.
        let mut wish = X509VerifyParam::new()?;
        wish.set_purpose(X509PurposeId::TIMESTAMP_SIGN)?;
        wish.set_time(at.0.div_euclid(1_000_000));
        store.set_param(&wish)?;
        Ok(store.build())
    }
}

/// Reads a reply and believes it, or says why not.
///
/// # Errors
/// As [`Refusal`] lists.
pub fn check(reply: &[u8], asked: &Asked, chain: &Chain) -> Result<Stamp, Refusal> {
    let token = granted(reply)?;
    let signed = Signed::read(token).ok_or(Refusal::Form("no signed data"))?;
    let info = Info::read(signed.content).ok_or(Refusal::Form("no time-stamp info"))?;
    if info.digest != asked.digest.as_bytes() {
        return Err(Refusal::Digest);
    }
    if let Some(nonce) = &asked.nonce
        && info.nonce != Reader::new(&der::positive(nonce)).content(der::INTEGER)
    {
        return Err(Refusal::Nonce);
    }
    if asked.policy.as_ref().is_some_and(|policy| *policy != info.policy) {
        return Err(Refusal::Policy(info.policy));
    }
    verify(token, signed.content, &chain.store(info.at).map_err(signature)?)?;
    Ok(Stamp {
        at: info.at,
        authority: signed.signer().map_err(signature)?,
        policy: info.policy,
        serial: info.serial,
    })
}

fn signature(error: ErrorStack) -> Refusal {
    Refusal::Signature(error.to_string())
}

fn verify(token: &[u8], content: &[u8], store: &X509Store) -> Result<(), Refusal> {
    let mut signed = CmsContentInfo::from_der(token).map_err(signature)?;
    let mut verified = Vec::new();
    signed.verify(None, Some(store), None, Some(&mut verified), CMSOptions::BINARY).map_err(signature)?;
    match verified == content {
        true => Ok(()),
        false => Err(Refusal::Signature("it is over other content".to_owned())),
    }
}

/// The token of a reply whose status is granted.
fn granted(reply: &[u8]) -> Result<&[u8], Refusal> {
    let form = || Refusal::Form("no reply");
    let mut outer = Reader::new(reply);
    let mut body = outer.inside(der::SEQUENCE).ok_or_else(form)?;
    if !outer.is_empty() {
        return Err(Refusal::Form("something follows the reply"));
    }
    let mut status = body.inside(der::SEQUENCE).ok_or_else(form)?;
    match status.content(der::INTEGER).ok_or_else(form)? {
        // granted, or granted with changes, which the checks below then find or accept.
        [0 | 1] => {}
        code => {
            let said = status.inside(der::SEQUENCE).and_then(|mut texts| Some(texts.element()?.0));
            let said = said.map(|text| String::from_utf8_lossy(text).chars().take(200).collect::<String>());
            let said = said.unwrap_or_default();
            return Err(Refusal::NotGranted(format!("status {code:?} {said:?}")));
        }
    }
    let token = body.whole(der::SEQUENCE).ok_or(Refusal::Form("no token"))?;
    if body.is_empty() { Ok(token) } else { Err(Refusal::Form("something follows the token")) }
}

/// The parts of the signed data that we look at.
struct Signed<'a> {
    content: &'a [u8],
    certificates: Option<Reader<'a>>,
    /// Issuer and serial number of the one signer, from their tags on.
    signer: Option<(&'a [u8], &'a [u8])>,
}

impl<'a> Signed<'a> {
    fn read(token: &'a [u8]) -> Option<Self> {
        let mut info = Reader::new(token).inside(der::SEQUENCE)?;
        is(info.content(der::OID)?, SIGNED_DATA)?;
        let mut signed = info.inside(der::CONTEXT_0)?.inside(der::SEQUENCE)?;
        signed.content(der::INTEGER)?;
        signed.content(der::SET)?;
        let mut encapsulated = signed.inside(der::SEQUENCE)?;
        is(encapsulated.content(der::OID)?, STAMP_INFO)?;
        let content = encapsulated.inside(der::CONTEXT_0)?.content(der::OCTET_STRING)?;
        let certificates = signed.inside(der::CONTEXT_0);
        while signed.tag()? != der::SET {
            signed.element()?;
        }
        let mut signers = signed.inside(der::SET)?;
        let mut signer = signers.inside(der::SEQUENCE)?;
        if !signers.is_empty() {
            return None;
        }
        signer.content(der::INTEGER)?;
        let by_serial = signer.inside(der::SEQUENCE);
        let signer = by_serial.and_then(|mut id| Some((id.whole(der::SEQUENCE)?, id.content(der::INTEGER)?)));
        Some(Self { content, certificates, signer })
    }

    /// The name of whoever signed, as the certificate inside the token gives it.
    fn signer(&self) -> Result<String, ErrorStack> {
        let mut certificates = self.certificates;
        while let Some(bytes) = certificates.as_mut().and_then(|left| left.whole(der::SEQUENCE)) {
            let certificate = X509::from_der(bytes)?;
            let Some((issuer, serial)) = self.signer else { return name(certificate.subject_name()) };
            let own = certificate.serial_number().to_bn()?.to_vec();
            let leading = serial.iter().take_while(|digit| **digit == 0).count();
            if certificate.issuer_name().to_der()? == issuer && own == serial[leading..] {
                return name(certificate.subject_name());
            }
        }
        Ok("-".to_owned())
    }
}

/// Common name and organisation, as far as there are.
fn name(subject: &X509NameRef) -> Result<String, ErrorStack> {
    let mut parts = Vec::new();
    for kind in [Nid::COMMONNAME, Nid::ORGANIZATIONNAME] {
        if let Some(entry) = subject.entries_by_nid(kind).next() {
            let text = entry.data().to_string()?;
            parts.push(text.chars().filter(|c| !c.is_control()).take(100).collect::<String>());
        }
    }
    parts.dedup();
    Ok(if parts.is_empty() { "-".to_owned() } else { parts.join(", ") })
}

/// What the authority has signed.
struct Info<'a> {
    policy: String,
    digest: &'a [u8],
    serial: String,
    at: Timestamp,
    nonce: Option<&'a [u8]>,
}

impl<'a> Info<'a> {
    fn read(content: &'a [u8]) -> Option<Self> {
        let mut info = Reader::new(content).inside(der::SEQUENCE)?;
        if info.content(der::INTEGER)? != [1] {
            return None;
        }
        let policy = der::dotted(info.content(der::OID)?)?;
        let mut imprint = info.inside(der::SEQUENCE)?;
        is(imprint.inside(der::SEQUENCE)?.content(der::OID)?, SHA_256)?;
        let digest = imprint.content(der::OCTET_STRING)?;
        let serial = info.content(der::INTEGER)?.iter().map(|byte| format!("{byte:02x}")).collect();
        let at = instant(info.content(der::GENERALIZED_TIME)?)?;
        // Accuracy and ordering may stand before the nonce, the authority's name and extensions after it.
        if info.tag() == Some(der::SEQUENCE) {
            info.element()?;
        }
        if info.tag() == Some(der::BOOLEAN) {
            info.element()?;
        }
        Some(Self { policy, digest, serial, at, nonce: info.content(der::INTEGER) })
    }
}

fn is(content: &[u8], dotted: &str) -> Option<()> {
    (der::dotted(content)? == dotted).then_some(())
}

/// `YYYYMMDDhhmmss[.f…]Z`; finer than microseconds is cut.
fn instant(text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() != 14 || !digits(whole) || !digits(fraction) {
        return None;
    }
    let seconds = NaiveDateTime::parse_from_str(whole, "%Y%m%d%H%M%S").ok()?.and_utc().timestamp();
    let micros: i64 = format!("{fraction:0<6}")[..6].parse().ok()?;
    Some(Timestamp(seconds * 1_000_000 + micros))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_without_nonce_has_the_known_form() {
        let asked = Asked { digest: Digest::of(b"x"), policy: None, nonce: None };
        let bytes = request(&asked).unwrap();

        assert_eq!((bytes.len(), bytes[1]), (59, 57));
        assert_eq!(&bytes[bytes.len() - 3..], [1, 1, 0xff]);
    }

    #[test]
    fn instants_with_and_without_fractions() {
        let at = |text: &str| instant(text.as_bytes()).map(|at| at.to_string());
        assert_eq!(at("20260302020000Z").as_deref(), Some("2026-03-02T02:00:00.000000Z"));
        assert_eq!(at("20260302020000.5Z").as_deref(), Some("2026-03-02T02:00:00.500000Z"));
        assert_eq!(at("20260302020000.1234567Z").as_deref(), Some("2026-03-02T02:00:00.123456Z"));
        for text in
            ["20260302020000", "202603020200Z", "20261302020000Z", "20260302020000.Z", "+0260302020000Z"]
        {
            assert_eq!(at(text), None, "{text}");
        }
    }
}
