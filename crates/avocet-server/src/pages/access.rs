//! People and access: who may sign in, and as what.

use avocet_record::desk::Desk;
use avocet_record::law::Right;
use avocet_record::{RecordError, UserId};
use maud::{Markup, html};

use crate::fault::{Fault, upper};
use crate::form::{Form, Wrong, need};
use crate::route::{Answer, Ctx, Page, Route, Rule, form, route};
use crate::view::{self, Fields, error_summary, inset, table, tag};

const USERS: Rule = Rule::Any(&[Right::ManageUsers]);

pub fn routes() -> Vec<Route> {
    vec![
        route("/access", USERS, list),
        form("/access", USERS, add),
        route("/access/{user}", USERS, one),
        form("/access/{user}/roles", USERS, set_roles),
        form("/access/{user}/password", USERS, set_password),
        form("/access/{user}/close", USERS, close),
    ]
}

fn roles(desk: &Desk<'_>) -> Vec<(String, String)> {
    desk.law().roles.rows.iter().map(|row| (row.id.clone(), row.value.title.clone())).collect()
}

fn titles(desk: &Desk<'_>, held: &[String]) -> String {
    let title = |id: &String| desk.law().roles.row(id).map_or(id.clone(), |row| row.value.title.clone());
    held.iter().map(title).collect::<Vec<_>>().join(", ")
}

async fn list(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    Ok(Answer::Html(list_page(ctx, desk, &Form::default(), &Wrong::default()).await?))
}

async fn list_page(ctx: &Ctx, desk: &Desk<'_>, form: &Form, wrong: &Wrong) -> Result<Markup, Fault> {
    let fields = Fields { form, wrong };
    let lines: Vec<Vec<Markup>> = desk
        .accounts()
        .await?
        .iter()
        .map(|account| {
            vec![
                html! { a href={ "/access/" (account.user) } { (account.login) } },
                html! { (account.user) },
                html! { (titles(desk, &account.roles)) },
                html! { @if account.active { (tag("good", "May sign in")) } @else { (tag("plain", "Closed")) } },
            ]
        })
        .collect();
    let body = html! {
        (table("Accounts", &["Sign-in name", "Number", "Roles", "State"], &lines))
        h2 { "Give somebody an account" }
        (error_summary(wrong))
        form method="post" action="/access" {
            (view::csrf(ctx))
            (fields.text("login", "Sign-in name", "Letters, digits, dots, hyphens, underscores. It stands on the ledger in clear."))
            (fields.text("name", "Their name (if wanted)", "Kept encrypted."))
            (fields.checks("role", "Roles", "", &roles(desk)))
            (fields.password("password", "A password to begin with", "Ten characters or more. They can set another on their account’s page.", "new-password"))
            button.main type="submit" { "Make the account" }
        }
    };
    Ok(view::page(ctx, desk, "People and access", &body))
}

async fn add(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let mut wrong = Wrong::default();
    let login = need(&ctx.form, &mut wrong, "login", "a sign-in name").to_owned();
    let password = need(&ctx.form, &mut wrong, "password", "a password").to_owned();
    let roles: Vec<String> = ctx.form.texts("role").into_iter().map(str::to_owned).collect();
    if roles.is_empty() {
        wrong.add("role", "Choose a role");
    }
    if wrong.is_none() {
        let _turn = ctx.app.sign_ins.acquire().await;
        match desk.add_account(&login, &roles, ctx.form.text("name"), &password).await {
            Ok(user) => return ctx.told(format!("/access/{user}"), format!("{login} may sign in as {user}.")),
            Err(RecordError::Refused(why)) => wrong.add("login", upper(&why)),
            Err(other) => return Err(other.into()),
        }
    }
    Ok(Answer::Wrong(list_page(ctx, desk, &ctx.form, &wrong).await?))
}

async fn one(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    Ok(Answer::Html(one_page(ctx, desk, &Wrong::default()).await?))
}

async fn one_page(ctx: &Ctx, desk: &Desk<'_>, wrong: &Wrong) -> Result<Markup, Fault> {
    let user: UserId = ctx.id("user")?;
    let account = desk.accounts().await?.into_iter().find(|account| account.user == user).ok_or(Fault::Nothing)?;
    let held: String = account.roles.iter().map(|role| format!("role={role}&")).collect();
    let form = Form::encoded(held.as_bytes());
    let fields = Fields { form: &form, wrong };
    let base = format!("/access/{user}");
    let body = html! {
        p { (titles(desk, &account.roles)) " " @if account.active { (tag("good", "May sign in")) } @else { (tag("plain", "Closed")) } }
        (error_summary(wrong))
        @if account.active {
            h2 { "Roles" }
            form method="post" action={ (base) "/roles" } {
                (view::csrf(ctx))
                (fields.checks("role", "All their roles from now on", "They count at once.", &roles(desk)))
                (fields.text("reason", "Why", "No person’s name."))
                button.main type="submit" { "Set the roles" }
            }
            h2 { "Another password" }
            form method="post" action={ (base) "/password" } {
                (view::csrf(ctx))
                (fields.password("password", "The new password", "Ten characters or more. Every session of theirs ends.", "new-password"))
                button.main type="submit" { "Set the password" }
            }
            h2 { "Close the account" }
            (inset(&html! { p { "They can no longer sign in. What they recorded stays." } }))
            form method="post" action={ (base) "/close" } {
                (view::csrf(ctx))
                div.field { label for="why" { "Why" } p.hint { "No person’s name." } input #why type="text" name="reason"; }
                button.main type="submit" { "Close the account" }
            }
        }
    };
    Ok(view::page(ctx, desk, &format!("{} ({user})", account.login), &body))
}

/// The answer to a change of one account.
async fn done(ctx: &Ctx, desk: &Desk<'_>, field: &str, result: Result<(), RecordError>, told: &str) -> Page {
    match result {
        Ok(()) => {
            let user: UserId = ctx.id("user")?;
            ctx.told(format!("/access/{user}"), told)
        }
        Err(RecordError::Refused(why)) => {
            let mut wrong = Wrong::default();
            wrong.add(field, upper(&why));
            Ok(Answer::Wrong(one_page(ctx, desk, &wrong).await?))
        }
        Err(other) => Err(other.into()),
    }
}

async fn set_roles(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let user: UserId = ctx.id("user")?;
    let roles: Vec<String> = ctx.form.texts("role").into_iter().map(str::to_owned).collect();
    let mut wrong = Wrong::default();
    let reason = need(&ctx.form, &mut wrong, "reason", "why");
    if !wrong.is_none() {
        return Ok(Answer::Wrong(one_page(ctx, desk, &wrong).await?));
    }
    done(ctx, desk, "role", desk.set_roles(user, &roles, reason).await, "The roles are set.").await
}

async fn set_password(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let user: UserId = ctx.id("user")?;
    let password = ctx.form.text("password").unwrap_or_default();
    let _turn = ctx.app.sign_ins.acquire().await;
    done(ctx, desk, "password", desk.set_password(user, password).await, "The password is set.").await
}

async fn close(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let user: UserId = ctx.id("user")?;
    let mut wrong = Wrong::default();
    let Some(reason) = ctx.form.text("reason") else {
        wrong.add("why", "Enter why");
        return Ok(Answer::Wrong(one_page(ctx, desk, &wrong).await?));
    };
    done(ctx, desk, "why", desk.close_account(user, reason).await, "The account is closed.").await
}
