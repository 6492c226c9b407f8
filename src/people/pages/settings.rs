//! The page of the installation's settings.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Deserialize;

use crate::error::{Error, Result};
use crate::people::desk::{Desk, Reader};
use crate::people::gate::{Caller, Gate, Route};
use crate::people::rights::Permission;
use crate::people::settings;
use crate::people::view::View;
use crate::people::views::Settings;
use crate::web::form::{Form, Typed};
use crate::web::page::{page, see_other_with};
use crate::web::parts::Sheet;
use crate::web::problem::Refused;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/settings", Gate::May(Permission::ReadAccounts), "", || web::to(show)),
        Route::post("/settings", Gate::May(Permission::Administer), "", || web::to(change)),
    ]
}

async fn show(view: View, reader: Reader) -> Result<HttpResponse> {
    let values = reader.read(|db| {
        settings::ALL.iter().map(|setting| Ok((setting.name, setting.value(db)?))).collect::<Result<Vec<_>>>()
    });
    let template = template(&view, &reader.caller, (Typed::from_pairs(values.await?), None));
    Ok(page(&template, StatusCode::OK))
}

fn template(view: &View, caller: &Caller, (typed, error): (Typed, Option<&Error>)) -> Settings {
    let (mut frame, mut sheet) = (
        view.frame(view.words.t("people-settings"), "/accounts"),
        Sheet::new(view.words, "people-settings", typed),
    );
    if let Some(error) = error {
        (frame, sheet) = (frame.failed(), sheet.refused(error));
    }
    Settings {
        frame,
        sheet,
        writes: caller.may(Permission::Administer),
        names: settings::ALL.map(|s| s.name),
    }
}

#[derive(Debug, Deserialize)]
struct Fields {
    #[serde(default)]
    reason: String,
}

async fn change(view: View, desk: Desk, form: Form<Fields>) -> Result<HttpResponse> {
    let actor = desk.caller.actor(Permission::Administer)?;
    let asked = settings::checked(|name| form.typed.all(name).next(), &form.fields.reason);
    let changed = match asked {
        Ok(asked) => desk.write(move |tx| settings::change(tx, &actor, &asked)).await,
        Err(error) => Err(error),
    };
    match changed {
        Ok(_) => Ok(see_other_with("/settings", "saved")),
        Err(error) => {
            let refused = Refused::by(error)?;
            Ok(refused.page(&template(&view, &desk.caller, (form.typed, Some(&refused)))))
        }
    }
}
