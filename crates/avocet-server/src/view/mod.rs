//! How pages look: the frame around every page, and the parts that they are made of.

mod fields;
mod parts;
mod time;

use avocet_record::desk::{Desk, Head};
use avocet_record::law::Right;
use maud::{DOCTYPE, Markup, html};

use crate::fault::Fault;
use crate::pages::assets;
use crate::route::{Ctx, Rule};

pub use fields::{Fields, options};
pub use parts::{action, count, danger_tag, empty, error_summary, inset, level_tag, rows, table, tag, warning, words};
pub use time::{day, due, uk, uk_input};

/// The pages at the side, and who sees them there.
const NAVIGATION: [(&str, &str, Rule); 13] = [
    ("/", "Today", Rule::Any(&[Right::SeeQueue])),
    ("/investigations", "Investigations", Rule::Any(&[Right::SeeQueue])),
    ("/referrals", "Referrals", Rule::Any(&[Right::RecordReferral])),
    ("/search", "Search", Rule::Any(&[Right::SeeQueue])),
    ("/identification", "Victim identification", Rule::Any(&[Right::RestrictedChild])),
    ("/orders", "Orders and visits", Rule::Any(&[Right::SeeQueue])),
    ("/figures", "Figures", Rule::Any(&[Right::SeeFigures])),
    ("/sets", "Known sets", Rule::Any(&[Right::SeeQueue, Right::ManageStore])),
    ("/ledger", "Ledger", Rule::Any(&[Right::ReadLedger])),
    ("/access", "People and access", Rule::Any(&[Right::ManageUsers])),
    ("/backups", "Backups", Rule::Any(&[Right::ManageStore])),
    ("/account", "Your account", Rule::SignedIn),
    ("/help", "Help", Rule::SignedIn),
];

/// The sections of an investigation.
pub const SECTIONS: [(&str, &str); 15] = [
    ("", "Summary"),
    ("/people", "People"),
    ("/referrals", "Referrals"),
    ("/addresses", "IP events"),
    ("/warrants", "Warrants"),
    ("/exhibits", "Exhibits"),
    ("/examinations", "Examinations"),
    ("/review", "Review"),
    ("/result", "Result of the grading"),
    ("/safeguarding", "Safeguarding"),
    ("/identification", "Victim identification"),
    ("/orders", "Orders"),
    ("/outcome", "Outcome"),
    ("/conflicts", "Same elsewhere"),
    ("/timeline", "Timeline"),
];

/// What a section takes beyond reading the investigation.
fn section_rule(section: &str) -> Option<Rule> {
    match section {
        "/review" => Some(Rule::Any(&[Right::Vote, Right::Moderate])),
        "/result" => Some(Rule::Any(&[Right::ExtractGrading])),
        "/identification" => Some(Rule::Any(&[Right::RestrictedChild])),
        "/conflicts" => Some(Rule::Any(&[Right::CheckConflicts])),
        _ => None,
    }
}

fn allowed(desk: &Desk<'_>, rule: Rule) -> bool {
    match rule {
        Rule::Public | Rule::SignedIn => true,
        Rule::Any(rights) => rights.iter().any(|right| desk.holds(*right)),
    }
}

/// What says that the session ends soon. Without a script the page of help says it.
pub fn session_end(ctx: &Ctx) -> Markup {
    let sessions = &ctx.app.sessions;
    html! {
        @if let Some(signed) = &ctx.signed {
            dialog #session-end aria-labelledby="session-end-title" data-csrf=(ctx.csrf())
                data-left=(sessions.left(signed, std::time::Instant::now()).as_secs()) data-warn=(sessions.warned_before().as_secs()) {
                h2 #session-end-title { "You will be signed out soon" }
                p { "In " strong #session-left role="timer" { "a few minutes" } " without use your session ends. What you entered and did not send would be lost." }
                div.actions {
                    button.main #session-stay type="button" { "Stay signed in" }
                    button.button.second #session-go type="button" { "Sign out now" }
                }
            }
        }
    }
}

fn frame(ctx: &Ctx, title: &str, side: &Markup, main: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en-GB" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " – Avocet" }
                link rel="icon" href=(assets::icon()) type="image/svg+xml";
                link rel="stylesheet" href=(assets::style());
                @if ctx.signed.is_some() { script type="module" src=(assets::script()) {} }
            }
            body {
                a.skip href="#main" { "Skip to the main content" }
                (header(ctx))
                div.shell {
                    (side)
                    main #main tabindex="-1" { (main) }
                }
                (session_end(ctx))
            }
        }
    }
}

fn header(ctx: &Ctx) -> Markup {
    html! {
        header.top {
            a.name href="/" { "Avocet" }
            @if let Some(signed) = &ctx.signed {
                div.who {
                    span { "Signed in as " strong { (signed.login) } }
                    form method="post" action="/sign-out" {
                        (csrf(ctx))
                        button.link type="submit" { "Sign out" }
                    }
                }
            }
        }
    }
}

/// The field that every form carries.
pub fn csrf(ctx: &Ctx) -> Markup {
    html! { input type="hidden" name="csrf" value=(ctx.csrf()); }
}

fn navigation(ctx: &Ctx, desk: &Desk<'_>) -> Markup {
    let here =
        |to: &str| if to == "/" { ctx.path == "/" } else { ctx.path == to || ctx.path.starts_with(&format!("{to}/")) };
    html! {
        nav.side aria-label="Pages" {
            ul {
                @for (to, name, rule) in NAVIGATION {
                    @if allowed(desk, rule) {
                        li { a href=(to) aria-current=[here(to).then_some("page")] { (name) } }
                    }
                }
            }
        }
    }
}

fn notice(ctx: &Ctx) -> Markup {
    let notice = ctx.signed.as_ref().and_then(|signed| ctx.app.sessions.told(signed));
    html! {
        @if let Some(notice) = notice {
            div.notice role="status" { p { (notice) } }
        }
    }
}

/// A page of somebody who is signed in.
pub fn page(ctx: &Ctx, desk: &Desk<'_>, title: &str, body: &Markup) -> Markup {
    let main = html! {
        (notice(ctx))
        h1 { (title) }
        (body)
    };
    frame(ctx, title, &navigation(ctx, desk), &main)
}

/// A page of one investigation: the bar that says which, its sections, and the page itself.
pub fn investigation_page(ctx: &Ctx, desk: &Desk<'_>, head: &Head, title: &str, body: &Markup) -> Markup {
    let base = format!("/investigations/{}", head.id);
    let section = ctx.path.strip_prefix(&base).unwrap_or_default();
    let here = |to: &str| if to.is_empty() { section.is_empty() } else { section.starts_with(to) };
    let level = head.level.as_ref().map(|level| level.as_str());
    let main = html! {
        div.identity role="region" aria-label="Which investigation" {
            div.identity-name { span.reference { (head.id) } " " strong { (head.title) } }
            div.identity-facts {
                (danger_tag(head.danger))
                " " (level_tag(desk.law(), level))
                " " span.quiet { "received " (uk(head.received)) }
                @if head.closed { " " span.quiet { "closed" } }
            }
        }
        div.with-sections {
            nav.sections aria-label="Sections of this investigation" {
                ul {
                    @for (to, name) in SECTIONS {
                        @if section_rule(to).is_none_or(|rule| allowed(desk, rule)) {
                            li { a href={ (base) (to) } aria-current=[here(to).then_some("page")] { (name) } }
                        }
                    }
                }
            }
            div.section {
                (notice(ctx))
                h1 { (title) }
                (body)
            }
        }
    };
    frame(ctx, &format!("{title}, {}", head.id), &navigation(ctx, desk), &main)
}

/// A page before a sign-in.
pub fn open_page(ctx: &Ctx, title: &str, body: &Markup) -> Markup {
    let main = html! {
        h1 { (title) }
        (body)
    };
    frame(ctx, title, &html! {}, &main)
}

/// The page that says why something was not done.
pub fn fault_page(ctx: &Ctx, why: &Fault) -> Markup {
    let body = html! {
        p { (why.sentence()) }
        p {
            @match why {
                Fault::SignedOut => a href="/sign-in" { "Sign in" },
                _ => a href="/" { "Go to the first page" },
            }
        }
    };
    open_page(ctx, why.title(), &body)
}
