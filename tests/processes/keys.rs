//! Keys and recoveries as IT goes about them.

use serde_json::{Value, json};
use sopledger::ledger::note::{VerifierKey, open_checkpoint};

use super::program::{Installation, both};
use crate::house::{Client, PASSWORD};
use crate::wait::until;

fn done(installation: &Installation, arguments: &[&str]) -> Value {
    let said = installation.run(arguments);
    assert!(said.status.success(), "{said:?}");
    serde_json::from_slice(&said.stdout).unwrap_or_default()
}

#[test]
fn a_key_is_rotated_and_revoked_while_the_service_goes_on() {
    both(|installation| {
        installation.init();
        let server = installation.serve();
        let nobody = Client::of(&server.url);
        let keys = || -> Vec<VerifierKey> {
            let told = nobody.get("/ledger/key").expect(200).text;
            told.lines().map(|line| line.parse().unwrap()).collect()
        };
        let old = keys();
        let made = done(installation, &["key", "rotate", "--reason", "年度轮换", "--json"]);
        let new: VerifierKey = made["vkey"].as_str().unwrap().parse().unwrap();
        assert_eq!(keys(), [new.clone(), old[0].clone()]);
        until(|| {
            let note = nobody.get("/ledger/checkpoint").expect(200).text;
            // Whoever knows only the old key goes on; the new one signs beside it.
            let said = open_checkpoint(&note, &old).unwrap();
            let both = open_checkpoint(&note, std::slice::from_ref(&new)).is_ok();
            if both && said.size > made["entry"].as_u64().unwrap() {
                return Ok(());
            }
            server.person("admin", PASSWORD);
            Err(note)
        });
        let list = done(installation, &["key", "list", "--json"]);
        assert_eq!((list.as_array().unwrap().len(), &list[0]["state"]), (2, &json!("signs")), "{list}");
        let refused = installation.run(&["key", "revoke", &new.to_string(), "--reason", "试"]);
        assert!(String::from_utf8_lossy(&refused.stderr).contains("Rotate it first"), "{refused:?}");
        done(installation, &["key", "revoke", &old[0].to_string(), "--reason", "泄露", "--json"]);
        assert_eq!(keys(), [new]);
        server.end();
        installation.must_be_sound();
    });
}

#[test]
fn a_backup_behind_what_was_signed_goes_on_once_an_administrator_has_declared_it() {
    both(|installation| {
        installation.init();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("backup").to_str().unwrap().to_owned();
        done(installation, &["backup", &file]);
        let server = installation.serve();
        server.token_of_the_erp();
        server.end();
        let lost = installation.must_be_sound();
        let nothing = installation
            .run_with(&["recover", "--reason", "无故", "--as", "admin"], &format!("{PASSWORD}\n"));
        assert!(String::from_utf8_lossy(&nothing.stderr).contains("nothing to recover"), "{nothing:?}");
        done(installation, &["restore", &file, "--although-behind"]);
        installation.must_be_read_only("The database is behind what was signed");
        let declare = |login: &str, password: &str| {
            installation.run_with(
                &["recover", "--reason", "磁盘损坏", "--as", login, "--json"],
                &format!("{password}\n"),
            )
        };
        for (login, password) in [("admin", "wrong"), ("nobody", PASSWORD), ("qa", PASSWORD)] {
            assert!(!declare(login, password).status.success(), "{login}");
        }
        installation.must_be_read_only("The database is behind what was signed");
        let said = declare("admin", PASSWORD);
        assert!(said.status.success(), "{said:?}");
        let said: Value = serde_json::from_slice(&said.stdout).unwrap();
        assert_eq!(said["epoch"], 2);
        assert!(said["origin"].as_str().unwrap().ends_with("/epoch-2"), "{said}");
        let server = installation.serve();
        let admin = server.person("admin", PASSWORD);
        let first = admin.get("/api/v1/ledger/entries/0").expect(200).json();
        assert!(first["entry"].as_str().unwrap().contains("ledger.recovered"), "{first}");
        Client::of(&server.url).get("/ledger/epoch/1/checkpoint").expect(200);
        server.end();
        let (code, report) = installation.verify();
        assert_eq!((code, &report["faults"]), (0, &json!([])), "{report}");
        let told = &report["completeness"]["lost"][0];
        assert_eq!((&told["epoch"], &told["to"]), (&json!(1), &json!(lost - 1)), "{report}");
        // What is backed up now comes back as it is.
        let again = folder.path().join("again").to_str().unwrap().to_owned();
        done(installation, &["backup", &again]);
        for folder in ["key", "signer"] {
            std::fs::remove_dir_all(installation.data.join(folder)).unwrap();
        }
        done(installation, &["restore", &again, "--signer", &format!("{again}.signer")]);
        installation.must_be_sound();
        // The backup from before the recovery is behind what was signed, as ever.
        assert!(!installation.run(&["restore", &file]).status.success());
    });
}
