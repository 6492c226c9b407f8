//! People: accounts, roles, sessions, API tokens, and the gate every request passes.
pub mod desk;
pub mod gate;
pub mod password;
pub mod record;
pub mod rights;
pub mod sessions;
pub mod store;
