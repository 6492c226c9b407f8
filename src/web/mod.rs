//! The toolkit of the rim.
pub mod assets;
mod decode;
pub mod form;
pub mod format;
pub mod input;
pub mod json;
pub mod metrics;
pub mod page;
pub mod paging;
pub mod parts;
pub mod preferences;
pub mod problem;
pub mod query;
pub mod request;
pub mod words;

/// The routes of the toolkit itself: assets, favicon, language and theme.
pub fn routes(config: &mut actix_web::web::ServiceConfig) {
    assets::routes(config);
    preferences::routes(config);
}
