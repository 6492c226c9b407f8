//! The inspector's notebook: accepts what grew, refuses what was rewritten, and keeps nothing here.

use serde_json::{Value, json};
use sopledger::ledger::acts;
use sopledger::ledger::digest::Digest;
use sopledger::ledger::key::LedgerKey;
use sopledger::ledger::lane::{Actor, NewEntry};
use sopledger::ledger::tree::{consistency_proof, nodes_of, root_of};
use sopledger::notebook::{Notebook, Refusal, Seen};

use crate::house::{Answer, Client, House, both};
use crate::processes::program::Installation;

const AT: &str = "2026-03-02T02:00:00.000000Z";

fn ledger_key(name: &str, seed: u8) -> LedgerKey {
    LedgerKey::from_seed(name, &[seed; 32]).unwrap()
}

fn leaves(count: u64, from: u64) -> Vec<Digest> {
    (0..count).map(|n| Digest::of(&(n + from).to_be_bytes())).collect()
}

fn note(key: &LedgerKey, leaves: &[Digest]) -> String {
    key.sign_checkpoint(leaves.len() as u64, &root_of(leaves.iter().copied()).unwrap()).unwrap()
}

fn proof(leaves: &[Digest], from: u64) -> Vec<Digest> {
    let Ok(proof) = consistency_proof(from, leaves.len() as u64, nodes_of(leaves));
    proof.unwrap().path
}

#[test]
fn a_notebook_accepts_what_extends_and_refuses_all_else() {
    let key = ledger_key("test.example.cn/main", 1);
    let (old, new) = (leaves(5, 0), leaves(12, 0));
    let begun = Notebook::begin(&note(&key, &old), &[key.vkey()], AT).unwrap();
    let visit = |note: &str, proof: &[Digest]| begun.clone().visit((note, proof), &[], AT);
    assert_eq!(visit(&note(&key, &old), &[]), Ok(Seen::Same));
    assert_eq!(visit(&note(&key, &new), &proof(&new, 5)), Ok(Seen::Extended { from: 5, to: 12 }));
    let rewritten = leaves(12, 1);
    let refusals = [
        (note(&key, &new), vec![], Refusal::Unproven { kept: 5, shown: 12 }),
        (note(&key, &rewritten), proof(&rewritten, 5), Refusal::Unproven { kept: 5, shown: 12 }),
        (note(&key, &leaves(5, 1)), vec![], Refusal::Different { size: 5 }),
        (note(&key, &leaves(4, 0)), vec![], Refusal::Smaller { kept: 5, shown: 4 }),
        (note(&ledger_key("test.example.cn/main", 2), &new), proof(&new, 5), Refusal::Signature),
        ("nothing\n".to_owned(), vec![], Refusal::Checkpoint),
        (
            note(&ledger_key("test.example.cn/other", 1), &new),
            proof(&new, 5),
            Refusal::Origin { kept: "test.example.cn/main".into(), shown: "test.example.cn/other".into() },
        ),
    ];
    for (note, proof, refusal) in refusals {
        assert_eq!(visit(&note, &proof), Err(refusal));
    }
}

#[test]
fn a_notebook_reads_back_what_it_wrote_and_nothing_that_was_changed() {
    let key = ledger_key("test.example.cn/main", 1);
    let (old, new) = (leaves(5, 0), leaves(12, 0));
    let mut book = Notebook::begin(&note(&key, &old), &[key.vkey()], AT).unwrap();
    book.visit((&note(&key, &new), &proof(&new, 5)), &[], AT).unwrap();
    let text = book.to_text();
    assert_eq!(Notebook::parse(text.as_bytes()).unwrap().to_text(), text);
    for at in 0..text.len() {
        let mut changed = text.clone().into_bytes();
        changed[at] ^= 1;
        if let Ok(read) = Notebook::parse(&changed) {
            // White space, and the visitor's own dates, prove nothing and may differ.
            assert_eq!(read.last(), book.last(), "byte {at}");
        }
    }
    for wrong in ["", "{}", "[]", "null", "{\"format\":\"sopledger-notebook/1\",\"keys\":[],\"visits\":[]}"] {
        assert_eq!(Notebook::parse(wrong.as_bytes()).unwrap_err(), Refusal::Book, "{wrong}");
    }
}

#[test]
fn a_rotation_with_both_signatures_is_followed() {
    let (first, second) = (ledger_key("test.example.cn/main", 1), ledger_key("test.example.cn/main", 2));
    let (old, new, newer) = (leaves(5, 0), leaves(12, 0), leaves(13, 0));
    let mut book = Notebook::begin(&note(&first, &old), &[first.vkey()], AT).unwrap();
    let both = second.sign_also(&note(&first, &new)).unwrap();
    let seen = book.visit((&both, &proof(&new, 5)), &[second.vkey(), first.vkey()], AT);
    assert_eq!(seen, Ok(Seen::Extended { from: 5, to: 12 }));
    let mut book = Notebook::parse(book.to_text().as_bytes()).unwrap();
    let seen = book.visit((&note(&second, &newer), &proof(&newer, 12)), &[], AT);
    assert_eq!(seen, Ok(Seen::Extended { from: 12, to: 13 }));
}

fn token(page: &str) -> String {
    page.split_once("name=\"csrf\" value=\"").unwrap().1.split('"').next().unwrap().to_owned()
}

/// Sends the form with a file as a browser does; an empty file is none chosen.
fn send(client: &Client, page: &Answer, file: &str) -> Answer {
    let token = token(&page.text);
    let body = format!(
        "--b\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n{token}\r\n--b\r\nContent-Disposition: \
         form-data; name=\"notebook\"; filename=\"n.json\"\r\nContent-Type: application/json\r\n\r\n{file}\r\n--b--\r\n"
    );
    let cookie = page.header("set-cookie").map(|cookie| cookie.split(';').next().unwrap().to_owned());
    let mut headers = vec![("accept", "text/html"), ("content-type", "multipart/form-data; boundary=b")];
    if let Some(cookie) = &cookie {
        headers.push(("cookie", cookie));
    }
    client.send("POST", "/notebook", Some(body.into_bytes()), &headers)
}

fn unescaped(text: &str) -> String {
    text.replace("&#34;", "\"").replace("&quot;", "\"").replace("&#38;", "&").replace("&amp;", "&")
}

/// The notebook that a page offers for download.
fn offered(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"notebook\" value=\"").unwrap_or_else(|| panic!("{page}"));
    unescaped(rest.split('"').next().unwrap())
}

fn grow(house: &House) {
    let grown = house.site.lane.write_here(|tx| {
        tx.append(NewEntry::new(acts::LEDGER_VERIFIED, &Actor::cli()).field("integrity", "sound")).map(|_| ())
    });
    grown.unwrap();
    house.site.signing.finish();
}

#[test]
fn the_page_begins_compares_and_hands_back_a_notebook_to_anybody() {
    both(|house| {
        house.site.signing.finish();
        let visitor = house.nobody();
        let page = visitor.get_with("/notebook", &[("accept", "text/html")]).expect(200);
        let begun = offered(&send(&visitor, &page, "").expect(200).text);
        let same = send(&visitor, &page, &begun).expect(200).text;
        assert!(same.contains("class=\"ok\""), "{same}");
        grow(house);
        let extended = send(&visitor, &page, &begun).expect(200).text;
        assert!(extended.contains("class=\"ok\""), "{extended}");
        let kept = offered(&extended);
        assert_eq!(Notebook::parse(kept.as_bytes()).unwrap().visits().len(), 2);
        let other = House::sqlite();
        other.site.signing.finish();
        let stranger = other.nobody().get_with("/notebook", &[("accept", "text/html")]).expect(200);
        let refused = send(&other.nobody(), &stranger, &kept).expect(200).text;
        assert!(refused.contains("errsum") && !refused.contains("class=\"ok\""), "{refused}");
        let refused = send(&visitor, &page, "no notebook").expect(200).text;
        assert!(refused.contains("errsum"), "{refused}");
        let form = [("accept", "text/html"), ("content-type", "multipart/form-data; boundary=b")];
        visitor.send("POST", "/notebook", Some(b"--b--".to_vec()), &form).expect(403);
        visitor.send("POST", "/notebook", Some(b"none".to_vec()), &form).expect(400);
    });
}

#[test]
fn the_command_keeps_a_notebook_and_refuses_a_rewritten_ledger() {
    let honest = Installation::new(None);
    let init = |at: &Installation| {
        let arguments = ["init", "--admin", "it.admin", "--origin", "test.example.cn/main"];
        assert!(at.run(&arguments).status.success());
    };
    init(&honest);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notebook.json");
    let file = file.to_str().unwrap();
    let said = |at: &Installation, more: &[&str]| -> (Option<i32>, Value) {
        let ran = at.run(&[&["notebook", file, "--json"], more].concat());
        let text = String::from_utf8_lossy(&ran.stdout).into_owned();
        (ran.status.code(), serde_json::from_str(&text).unwrap_or_default())
    };
    let (code, begun) = said(&honest, &[]);
    assert_eq!((code, &begun["verdict"]), (Some(0), &json!("begun")), "{begun}");
    assert_eq!(said(&honest, &[]).1["verdict"], "same");
    let pack = folder.path().join("pack.zip");
    let pack = pack.to_str().unwrap();
    let made = honest.run(&["pack", "--full", "--out", pack]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let (code, extended) = said(&honest, &[]);
    assert_eq!((code, &extended["verdict"]), (Some(0), &json!("extended")), "{extended}");
    let kept = std::fs::read(file).unwrap();

    // The same name and the same key over another history.
    let forged = Installation::new(None);
    std::fs::create_dir_all(forged.data.join("key")).unwrap();
    let key = "key/ledger.key";
    std::fs::copy(honest.data.join(key), forged.data.join(key)).unwrap();
    init(&forged);
    let (code, refused) = said(&forged, &[]);
    assert_eq!((code, &refused["verdict"]), (Some(1), &json!("refused")), "{refused}");
    // Offline: the note of the forged ledger, with no proof.
    let forged_note = forged.data.join("checkpoint");
    let (code, refused) = said(&honest, &["--checkpoint", forged_note.to_str().unwrap()]);
    assert_eq!((code, &refused["verdict"]), (Some(1), &json!("refused")), "{refused}");
    let honest_note = honest.data.join("checkpoint");
    let (code, same) = said(&honest, &["--checkpoint", honest_note.to_str().unwrap()]);
    assert_eq!((code, &same["verdict"]), (Some(0), &json!("same")), "{same}");
    assert_eq!(std::fs::read(file).unwrap(), kept, "a refusal leaves the file as it was");
    std::fs::write(file, b"no notebook").unwrap();
    assert_eq!(said(&honest, &[]).0, Some(1));

    let sound = honest.run(&["verify", "--pack", pack]);
    assert_eq!(sound.status.code(), Some(0), "{}", String::from_utf8_lossy(&sound.stdout));
    let mut bytes = std::fs::read(pack).unwrap();
    bytes[200] ^= 1;
    std::fs::write(pack, bytes).unwrap();
    assert_eq!(honest.run(&["verify", "--pack", pack]).status.code(), Some(1));
    assert_eq!(honest.run(&["verify", "--pack", "none-such.zip"]).status.code(), Some(2));
}
