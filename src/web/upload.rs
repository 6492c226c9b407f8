//! The body of a page's form with a file in it: `multipart/form-data`, small, with the token that proves the page was
//! ours.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{FromRequest, HttpRequest};

use super::form::must_be_ours;
use super::json::{read_body, require_media};
use crate::error::{Error, Kind, Result};

/// No form with a file is longer, in bytes.
const LONGEST: usize = 4 << 20;
/// Parts of a form at most.
const PARTS: usize = 64;

/// The parts of a form, by field.
#[derive(Debug)]
pub struct Upload(Vec<(String, Vec<u8>)>);

impl Upload {
    /// What was sent in a field.
    pub fn file(&self, field: &str) -> Option<&[u8]> {
        self.0.iter().find(|(name, _)| name == field).map(|(_, bytes)| bytes.as_slice())
    }
}

impl FromRequest for Upload {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            require_media(&request, "multipart/form-data")?;
            let media = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
            let boundary = media.and_then(boundary_of).ok_or_else(malformed)?;
            let bytes = read_body(&request, payload, LONGEST).await?;
            let upload = Self(parts(&bytes, &boundary)?);
            let sent = upload.file("csrf").and_then(|bytes| std::str::from_utf8(bytes).ok());
            must_be_ours(&request, sent)?;
            Ok(upload)
        })
    }
}

fn malformed() -> Error {
    Error::new(Kind::Malformed, "malformed-form")
}

fn boundary_of(media: &str) -> Option<String> {
    let value = media.split(';').skip(1).find_map(|part| part.trim().strip_prefix("boundary="))?;
    let value = value.trim_matches('"');
    (1..=70).contains(&value.len()).then(|| format!("--{value}"))
}

/// RFC 7578, as browsers write it: lines end in CR LF, each part has its name.
fn parts(body: &[u8], boundary: &str) -> Result<Vec<(String, Vec<u8>)>> {
    let delimiter = format!("\r\n{boundary}");
    let mut rest = body.strip_prefix(boundary.as_bytes()).ok_or_else(malformed)?;
    let mut found = Vec::new();
    while !rest.starts_with(b"--") {
        rest = rest.strip_prefix(b"\r\n").ok_or_else(malformed)?;
        let head = position(rest, b"\r\n\r\n").ok_or_else(malformed)?;
        let (head, content) = (&rest[..head], &rest[head + 4..]);
        let end = position(content, delimiter.as_bytes()).ok_or_else(malformed)?;
        let name = std::str::from_utf8(head).ok().and_then(name_of).ok_or_else(malformed)?;
        found.push((name, content[..end].to_vec()));
        if found.len() > PARTS {
            return Err(malformed());
        }
        rest = &content[end + delimiter.len()..];
    }
    Ok(found)
}

fn position(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

fn name_of(head: &str) -> Option<String> {
    let line =
        head.split("\r\n").find(|line| line.to_ascii_lowercase().starts_with("content-disposition:"))?;
    let name = line.split(';').find_map(|part| part.trim().strip_prefix("name="))?;
    Some(name.trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_by_their_names_with_their_bytes_as_they_are() {
        let body = b"--x\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\nt\r\n--x\r\n\
            content-disposition: form-data; name=\"file\"; filename=\"a.json\"\r\nContent-Type: x/y\r\n\r\na\r\n--\r\n\0\r\n--x--\r\n";
        let read = parts(body, "--x").unwrap();
        assert_eq!(read[0], ("csrf".to_owned(), b"t".to_vec()));
        assert_eq!(read[1], ("file".to_owned(), b"a\r\n--\r\n\0".to_vec()));
        assert_eq!(boundary_of("multipart/form-data; boundary=\"x\"").as_deref(), Some("--x"));
    }

    #[test]
    fn a_form_that_breaks_off_is_malformed() {
        for body in [
            "",
            "--x",
            "--x\r\n",
            "--x\r\nContent-Disposition: form-data; name=a\r\n\r\nt",
            "--x\r\na\r\n\r\nt\r\n--x--",
        ] {
            assert_eq!(parts(body.as_bytes(), "--x").unwrap_err().code(), "malformed-form", "{body:?}");
        }
    }
}
