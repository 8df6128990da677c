//! Signing in and out.

use std::time::Instant;

use avocet_record::RecordError;
use avocet_record::desk::Desk;
use axum::http::{Method, StatusCode};
use maud::{Markup, html};

use crate::fault::Fault;
use crate::form::{Form, Wrong};
use crate::route::{Answer, Ctx, Page, Route, Rule, clear_cookie, form, open, route, set_cookie};
use crate::session;
use crate::view::{Fields, error_summary, open_page};

pub fn routes() -> Vec<Route> {
    vec![
        open(Method::GET, "/sign-in", show),
        open(Method::POST, "/sign-in", sign_in),
        form("/sign-out", Rule::SignedIn, sign_out),
        route("/session", Rule::SignedIn, left).by_itself(),
        form("/session", Rule::SignedIn, left),
    ]
}

fn page(ctx: &Ctx, token: &str, to: &str, form: &Form, wrong: &Wrong) -> Markup {
    let fields = Fields { form, wrong };
    let body = html! {
        (error_summary(wrong))
        form method="post" action="/sign-in" {
            input type="hidden" name="csrf" value=(token);
            input type="hidden" name="to" value=(to);
            (fields.text("login", "Sign-in name", ""))
            (fields.password("password", "Password", "", "current-password"))
            button.main type="submit" { "Sign in" }
        }
        p.hint { "After five wrong passwords in a row an account is locked for a quarter of an hour. An administrator can set a new one." }
    };
    open_page(ctx, "Sign in", &body)
}

/// A page of this server, and nothing that leads elsewhere.
fn own_address(to: &str) -> &str {
    let fine = to.starts_with('/')
        && !to.starts_with("//")
        && to.len() <= 200
        && to.chars().all(|c| c.is_ascii_alphanumeric() || "/-_".contains(c));
    if fine { to } else { "/" }
}

async fn show(ctx: &Ctx) -> Page {
    let token = session::random().map_err(|_| Fault::Server("make a form"))?;
    let to = own_address(ctx.query("to").unwrap_or("/"));
    let page = page(ctx, &token, to, &Form::default(), &Wrong::default());
    Ok(Answer::HtmlWith(StatusCode::OK, page, set_cookie(session::FORM_COOKIE, &token)))
}

async fn sign_in(ctx: &Ctx) -> Page {
    if let Err(wait) = ctx.app.tries.try_now(ctx.remote, Instant::now()) {
        return Err(Fault::TooMany(wait.as_secs().div_ceil(60)));
    }
    let (login, password) = (ctx.form.text("login").unwrap_or_default(), ctx.form.text("password").unwrap_or_default());
    let _turn = ctx.app.sign_ins.acquire().await.map_err(|_| Fault::Server("sign anybody in"))?;
    let to = own_address(ctx.form.text("to").unwrap_or("/"));
    let why = match Desk::sign_in(&ctx.app.store, &ctx.app.law, login, password).await {
        Ok(desk) => {
            let pass = desk.pass().await?;
            if let Some(before) = &ctx.signed {
                ctx.app.sessions.end(before);
            }
            let cookie = ctx.app.sessions.begin(pass, login, Instant::now());
            let cookie = cookie.map_err(|_| Fault::Server("begin a session"))?;
            return Ok(Answer::ToWith(to.to_owned(), set_cookie(session::COOKIE, &cookie)));
        }
        Err(RecordError::SignIn) => "This name and password do not fit".to_owned(),
        Err(RecordError::LockedOut { minutes }) => {
            let wait = avocet_base::plural(minutes, "minute", "minutes");
            format!("Too many wrong passwords. Try again in {wait}, or ask an administrator")
        }
        Err(other) => return Err(other.into()),
    };
    let mut wrong = Wrong::default();
    wrong.add("login", why);
    let token = session::random().map_err(|_| Fault::Server("make a form"))?;
    let mut form = Form::default();
    form.or("login", login);
    let page = page(ctx, &token, to, &form, &wrong);
    Ok(Answer::HtmlWith(StatusCode::UNAUTHORIZED, page, set_cookie(session::FORM_COOKIE, &token)))
}

async fn sign_out(ctx: &Ctx, _: &Desk<'_>) -> Page {
    if let Some(signed) = &ctx.signed {
        ctx.app.sessions.end(signed);
    }
    Ok(Answer::ToWith("/sign-in".to_owned(), clear_cookie(session::COOKIE)))
}

/// How long the session lives yet. Asking by a form is a use; the page asks without one.
async fn left(ctx: &Ctx, _: &Desk<'_>) -> Page {
    let sessions = &ctx.app.sessions;
    let left = ctx.signed.as_ref().map_or(0, |signed| sessions.left(signed, Instant::now()).as_secs());
    let said = serde_json::json!({"left": left, "warn": sessions.warned_before().as_secs()});
    Ok(Answer::Part { kind: "application/json", bytes: said.to_string().into_bytes() })
}

#[cfg(test)]
mod tests {
    use super::own_address;

    #[test]
    fn nobody_is_led_elsewhere_after_signing_in() {
        for (to, wanted) in [
            ("/investigations/I-1", "/investigations/I-1"),
            ("//example.org", "/"),
            ("https://example.org", "/"),
            ("/\\example.org", "/"),
            ("/a\nb", "/"),
            ("", "/"),
        ] {
            assert_eq!(own_address(to), wanted, "{to:?}");
        }
    }
}
