//! One's own account.

use avocet_record::RecordError;
use avocet_record::desk::Desk;
use avocet_record::law::Right;
use maud::{Markup, html};

use crate::fault::upper;
use crate::form::{Form, Wrong};
use crate::route::{Answer, Ctx, Page, Route, Rule, form, route};
use crate::view::{self, Fields, error_summary, rows};

pub fn routes() -> Vec<Route> {
    vec![route("/account", Rule::SignedIn, show), form("/account/password", Rule::SignedIn, set_password)]
}

fn page(ctx: &Ctx, desk: &Desk<'_>, wrong: &Wrong) -> Markup {
    let none = Form::default();
    let fields = Fields { form: &none, wrong };
    let titles: Vec<&str> = desk
        .roles()
        .iter()
        .map(|role| desk.law().roles.row(role).map_or(role.as_str(), |row| row.value.title.as_str()))
        .collect();
    let login = ctx.signed.as_ref().map_or("", |signed| signed.login.as_str());
    let body = html! {
        (rows(&[
            ("Sign-in name", html! { (login) }),
            ("Number", html! { (desk.user()) }),
            ("Roles", html! { (titles.join(", ")) }),
            ("What they allow", html! {
                ul { @for right in Right::ALL { @if desk.holds(*right) { li { (right.meaning()) } } } }
            }),
        ]))
        h2 { "Another password" }
        (error_summary(wrong))
        form method="post" action="/account/password" {
            (view::csrf(ctx))
            (fields.password("now", "The password of now", "", "current-password"))
            (fields.password("password", "The new one", "Ten characters or more. Several words are easier to keep than signs.", "new-password"))
            (fields.password("again", "The new one again", "", "new-password"))
            button.main type="submit" { "Set the new password" }
        }
        p.hint { "Every session of yours ends with the old password." }
    };
    view::page(ctx, desk, "Your account", &body)
}

async fn show(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    Ok(Answer::Html(page(ctx, desk, &Wrong::default())))
}

async fn set_password(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let mut wrong = Wrong::default();
    let (now, new) = (ctx.form.text("now").unwrap_or_default(), ctx.form.text("password").unwrap_or_default());
    if new != ctx.form.text("again").unwrap_or_default() {
        wrong.add("again", "The two new passwords differ");
    }
    if wrong.is_none() {
        let _turn = ctx.app.sign_ins.acquire().await;
        let login = ctx.signed.as_ref().map_or("", |signed| signed.login.as_str());
        match Desk::sign_in(&ctx.app.store, &ctx.app.law, login, now).await {
            Ok(proven) => match proven.set_password(desk.user(), new).await {
                Ok(()) => {
                    if let Some(signed) = &ctx.signed {
                        ctx.app.sessions.end(signed);
                    }
                    return Ok(Answer::To("/sign-in".to_owned()));
                }
                Err(RecordError::Refused(why)) => wrong.add("password", upper(&why)),
                Err(other) => return Err(other.into()),
            },
            Err(RecordError::SignIn | RecordError::LockedOut { .. }) => {
                wrong.add("now", "This is not the password of now");
            }
            Err(other) => return Err(other.into()),
        }
    }
    Ok(Answer::Wrong(page(ctx, desk, &wrong)))
}
