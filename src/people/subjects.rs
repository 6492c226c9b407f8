//! What a subject of the ledger is called on pages: its kind, its number and its version in the reader's language.
//!
//! `document/SOP-CS-005/3.0` is how a subject is written, and what filters, proofs and packs go by; a page says what it is
//! and keeps the written form in reach. An identifier that was drawn by lot says nobody anything and is cut.

use super::store;
use crate::error::Result;
use crate::store::Db;
use crate::web::words::Words;

/// Characters that are shown of an identifier drawn by lot.
const SHOWN: usize = 8;

/// A subject in words; one of a kind that has none as it is written.
pub fn said(w: Words, subject: &str) -> String {
    let Some((kind, id)) = subject.split_once('/') else { return subject.to_owned() };
    if let Some((document, part)) = id.split_once('/') {
        let key = format!("subject-{kind}-of");
        let args = [("id", document.into()), ("part", part.into())];
        return if w.has(&key) { w.with(&key, &args).into_owned() } else { subject.to_owned() };
    }
    let key = format!("subject-{kind}");
    if !w.has(&key) {
        return subject.to_owned();
    }
    let setting = format!("people-settings-{id}");
    let id = match kind {
        "setting" if w.has(&setting) => w.t(&setting).into_owned(),
        _ => short(id),
    };
    w.one(&key, "id", id).into_owned()
}

/// The same, an account by the name of its person.
///
/// # Errors
/// The database does not answer.
pub fn called(db: &mut Db, w: Words, subject: &str) -> Result<String> {
    let Some(id) = subject.strip_prefix("account/") else { return Ok(said(w, subject)) };
    let person = store::person(db, id)?;
    Ok(if person.name == id { said(w, subject) } else { person_words(w, &person.name, &person.login) })
}

/// A person by name, and by login where that is another.
pub fn person_words(w: Words, name: &str, login: &str) -> String {
    if name == login {
        name.to_owned()
    } else {
        format!("{name}{}", w.one("parts-in-brackets", "text", login))
    }
}

fn short(id: &str) -> String {
    match id.split_once('-') {
        Some((kind, digits)) if kind.len() == 1 && digits.len() > 2 * SHOWN && digits.is_ascii() => {
            format!("{kind}-{}…", &digits[..SHOWN])
        }
        _ => id.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::words::Lang;

    #[test]
    fn a_subject_is_called_by_kind_number_and_version() {
        let cases = [
            ("order/80010358", "订单 80010358", "Order 80010358"),
            ("document/SOP-CS-005", "文件 SOP-CS-005", "Document SOP-CS-005"),
            ("document/SOP-CS-005/3.0", "文件 SOP-CS-005 V3.0", "Document SOP-CS-005 V3.0"),
            ("copy/SOP-CS-005/3", "受控副本 SOP-CS-005 第 3 号", "Controlled copy SOP-CS-005 No. 3"),
            ("deviation/DEV-2026-0003", "偏差 DEV-2026-0003", "Deviation DEV-2026-0003"),
            ("setting/help_contact", "设置“登录求助”", "Setting “Help with signing in”"),
            ("pack/p-0123456789abcdef0123456789abcdef", "证据包 p-01234567…", "Evidence pack p-01234567…"),
            ("later/1", "later/1", "later/1"),
            ("order/1/2", "order/1/2", "order/1/2"),
        ];
        for (subject, zh, en) in cases {
            assert_eq!(said(Words::of(Lang::Zh), subject), zh);
            assert_eq!(said(Words::of(Lang::En), subject), en);
        }
    }
}
