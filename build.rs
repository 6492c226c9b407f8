//! Words, pages, assets, migrations and descriptions of routes are part of the binary: a new file among them must be noticed.

fn main() {
    println!("cargo::rerun-if-changed=templates");
    println!("cargo::rerun-if-changed=migrations");
    println!("cargo::rerun-if-changed=sops");
    println!("cargo::rerun-if-changed=src/openapi");
}
