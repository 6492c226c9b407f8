//! The floor's pages: signing in and out, one's own password, accounts, settings. They call what the API calls.

mod accounts;
mod door;
mod settings;
mod steps;

use actix_web::HttpResponse;
use actix_web::http::header::RETRY_AFTER;

use super::gate::Route;
use crate::error::{Error, Result};
use crate::web::page::page;
use crate::web::problem;

/// The floor's routes for people.
pub fn routes() -> Vec<Route> {
    let mut routes = door::routes();
    routes.extend(accounts::routes());
    routes.extend(steps::routes());
    routes.extend(settings::routes());
    routes
}

/// A refused form's page, with the refusal's status; what is no refusal but a failure goes on as an error.
fn again(error: Error, template: impl FnOnce(&Error) -> Result<HttpResponse>) -> Result<HttpResponse> {
    let status = problem::status(&error);
    if status.is_server_error() || status == actix_web::http::StatusCode::NOT_FOUND {
        return Err(error);
    }
    let mut answer = template(&error)?;
    if let Some(seconds) = error.retry() {
        answer.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    Ok(answer)
}

/// The page of a refused form.
fn refused(template: &impl askama::Template, error: &Error) -> Result<HttpResponse> {
    Ok(page(template, problem::status(error)))
}
