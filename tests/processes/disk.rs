//! A disk that fills up, and one that does not sync what it was given: what was acknowledged is there, what was not is
//! refused in words, and all goes on once the disk does. Of the embedded database, which is written by our own process.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::program::Installation;
use super::{JSON, all_there, order};
use crate::house::PASSWORD;
use crate::wait::until_it_holds;

/// A library between the program and its disk.
struct Disk {
    library: PathBuf,
    control: PathBuf,
    _folder: tempfile::TempDir,
}

impl Disk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (library, control) = (folder.path().join("disk.so"), folder.path().join("fault"));
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/processes/disk.c");
        let made =
            Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).args([source, "-ldl"]).status();
        assert!(made.unwrap().success(), "a C compiler is part of what this is built with");
        Self { library, control, _folder: folder }
    }

    fn under<'a>(&'a self, data: &'a Path) -> [(&'static str, &'a Path); 3] {
        [("LD_PRELOAD", &self.library), ("DISK_FAULT", &self.control), ("DISK_FOLDER", data)]
    }

    fn fails(&self, how: &str) {
        std::fs::write(&self.control, how).unwrap();
    }

    fn works(&self) {
        std::fs::remove_file(&self.control).unwrap();
    }
}

#[test]
fn a_disk_that_is_full_or_does_not_sync_refuses_in_words_and_loses_nothing() {
    let (installation, disk) = (Installation::new(None), Disk::new());
    installation.init();
    let server = installation.serve_in(&disk.under(&installation.data));
    let (erp, qa) = (server.erp(&server.token_of_the_erp()), server.person("qa", PASSWORD));
    let number = |round: usize, n: usize| format!("8{round}{n:04}");
    let put = |round, n| {
        let path = format!("/api/v1/orders/{}", number(round, n));
        erp.send("PUT", &path, Some(order(n + 1)), JSON)
    };
    let mut kept = Vec::new();
    // No space left on the device; an error of input and output.
    for (round, (fault, code)) in [("w 28", "disk-full"), ("s 5", "database")].into_iter().enumerate() {
        for n in 0..5 {
            put(round, n).expect(201);
            kept.push(number(round, n));
        }
        disk.fails(fault);
        for n in 5..8 {
            put(round, n).refused(503, code);
        }
        qa.get(&format!("/api/v1/orders/{}", kept[0])).expect(200);
        disk.works();
        until_it_holds("writing goes on", || matches!(put(round, 8).status, 200 | 201));
        kept.push(number(round, 8));
        qa.get(&format!("/api/v1/orders/{}", number(round, 5))).expect(404);
    }
    server.kill();
    installation.must_be_sound();
    let server = installation.serve();
    all_there(&server, &kept);
    server.end();
    installation.must_be_sound();
}
