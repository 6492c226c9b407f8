//! What the floor's templates are filled with.

use askama::Template;

use super::read::{GrantView, User};
use super::rights::Role;
use crate::web::form::Typed;
use crate::web::page::Frame;
use crate::web::parts::{Choice, Look, Sheet, Tag, tag};
use crate::web::words::Words;

/// Signing in.
#[derive(Template)]
#[template(path = "people/login.html")]
pub struct SignIn {
    pub frame: Frame,
    pub sheet: Sheet,
    /// Whom to ask for help; empty where nobody is set.
    pub help: String,
    /// Up to how many entries the newest checkpoint reaches.
    pub signed: Option<i64>,
    pub version: &'static str,
}

/// Oneself.
#[derive(Template)]
#[template(path = "people/me.html")]
pub struct Me {
    pub frame: Frame,
    pub name: String,
    pub login: String,
    pub roles: Vec<&'static str>,
}

/// One's own password.
#[derive(Template)]
#[template(path = "people/password.html")]
pub struct Password {
    pub frame: Frame,
    pub sheet: Sheet,
}

/// The list of accounts.
#[derive(Template)]
#[template(path = "people/accounts.html")]
pub struct Accounts {
    pub frame: Frame,
    pub users: Vec<User>,
    pub total: i64,
    pub roles: Vec<Choice>,
    pub states: Vec<Choice>,
    pub filter: Typed,
    pub writes: bool,
}

/// One account.
#[derive(Template)]
#[template(path = "people/account.html")]
pub struct AccountPage {
    pub frame: Frame,
    pub account: User,
    /// May change it.
    pub writes: bool,
    /// May sign its grants.
    pub signs: bool,
    /// It is the reader's.
    pub own: bool,
}

/// A new account.
#[derive(Template)]
#[template(path = "people/new.html")]
pub struct NewAccount {
    pub frame: Frame,
    pub sheet: Sheet,
    pub roles: Vec<Choice>,
}

/// A secret that is told once.
#[derive(Template)]
#[template(path = "people/told.html")]
pub struct Told {
    pub frame: Frame,
    pub id: String,
    pub login: String,
    pub word: &'static str,
    pub secret: String,
}

/// What an administrator does to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Grant,
    EndGrant,
    Disable,
    Reset,
    Token,
    RevokeToken,
}

impl Step {
    /// The message that names it; its attributes `why` and `do` explain it and name the act on the button.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Grant => "people-step-grant",
            Self::EndGrant => "people-step-end-grant",
            Self::Disable => "people-step-disable",
            Self::Reset => "people-step-reset",
            Self::Token => "people-step-token",
            Self::RevokeToken => "people-step-revoke-token",
        }
    }
}

/// The page of a step.
#[derive(Template)]
#[template(path = "people/step.html")]
pub struct StepPage {
    pub frame: Frame,
    pub sheet: Sheet,
    pub account: User,
    pub step: Step,
    /// The role or token it is about.
    pub about: Option<String>,
    pub roles: Vec<Choice>,
}

/// QA signs a role into force.
#[derive(Template)]
#[template(path = "people/sign.html")]
pub struct SignGrant {
    pub frame: Frame,
    pub sheet: Sheet,
    pub account: User,
    pub grant: GrantView,
}

/// The settings of the installation.
#[derive(Template)]
#[template(path = "people/settings.html")]
pub struct Settings {
    pub frame: Frame,
    pub sheet: Sheet,
    pub names: [&'static str; 3],
    pub writes: bool,
}

/// All roles to choose from.
pub fn role_choices(w: Words) -> Vec<Choice> {
    let choice = |role: Role| Choice {
        value: role.code().to_owned(),
        label: w.t(&format!("role-{}", role.code())).into_owned(),
    };
    Role::ALL.into_iter().map(choice).collect()
}

/// The states of an account to choose from.
pub fn state_choices(w: Words) -> Vec<Choice> {
    let choice = |state: &str| Choice {
        value: state.to_owned(),
        label: w.t(&format!("people-state-{state}")).into_owned(),
    };
    ["active", "disabled", "ended"].into_iter().map(choice).collect()
}

fn account_tag(w: Words, state: &str) -> Tag {
    let look = match state {
        "active" => Look::Live,
        "ended" => Look::Past,
        _ => Look::Stopped,
    };
    tag(look, w.t(&format!("people-state-{state}")))
}

fn grant_tag(w: Words, state: &str) -> Tag {
    let look = match state {
        "in_force" => Look::Live,
        "requested" => Look::Next,
        _ => Look::Past,
    };
    tag(look, w.t(&format!("people-grant-{state}")))
}

/// The roles in force, in words.
fn roles_of(w: Words, user: &User) -> String {
    let words = user.roles.iter().map(|role| w.t(&format!("role-{}", role.code())).into_owned());
    words.collect::<Vec<_>>().join(&w.t("people-and"))
}

impl Accounts {
    fn state_tag(&self, state: &str) -> Tag {
        account_tag(self.frame.w, state)
    }

    fn waiting_tag(&self, word: &str) -> Tag {
        tag(Look::Yellow, self.frame.w.t(word))
    }

    fn roles_of(&self, user: &User) -> String {
        roles_of(self.frame.w, user)
    }
}

impl AccountPage {
    fn state_tag(&self, state: &str) -> Tag {
        account_tag(self.frame.w, state)
    }

    fn grant_tag(&self, state: &str) -> Tag {
        grant_tag(self.frame.w, state)
    }

    fn waiting_tag(&self, word: &str) -> Tag {
        tag(Look::Yellow, self.frame.w.t(word))
    }

    fn roles_of(&self, user: &User) -> String {
        roles_of(self.frame.w, user)
    }
}

impl SignGrant {
    fn grant_tag(&self, state: &str) -> Tag {
        grant_tag(self.frame.w, state)
    }

    fn roles_of(&self, user: &User) -> String {
        roles_of(self.frame.w, user)
    }
}

impl User {
    /// Whether a role waits for QA's signature.
    pub fn has_open_grants(&self) -> bool {
        self.grants.iter().any(|grant| grant.state == "requested")
    }
}
