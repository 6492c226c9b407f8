//! Words, pages, assets and migrations are part of the binary: a new file among them must be noticed.

fn main() {
    println!("cargo::rerun-if-changed=templates");
    println!("cargo::rerun-if-changed=migrations");
    println!("cargo::rerun-if-changed=sops");
}
