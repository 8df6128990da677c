//! The ledger: who did what and when, without content, and whether it is whole.

use avocet_record::UserId;
use avocet_record::desk::Desk;
use avocet_record::law::Right;
use avocet_record::store::LedgerLine;
use maud::{Markup, html};

use super::who::Team;
use crate::fault::{Fault, upper};
use crate::route::{Answer, Ctx, Page, Route, Rule, route};
use crate::view::{self, inset, rows, table, uk, warning, words};

const LEDGER: Rule = Rule::Any(&[Right::ReadLedger]);

pub fn routes() -> Vec<Route> {
    vec![route("/ledger", LEDGER, show), route("/ledger/verify", LEDGER, verify)]
}

/// Lines of one page.
const LINES: usize = 100;

/// What is sought: every part that is given must fit.
struct Sought<'a> {
    kind: Option<&'a str>,
    of: Option<&'a str>,
    by: Option<UserId>,
}

impl Sought<'_> {
    fn fits(&self, line: &LedgerLine) -> bool {
        self.kind.is_none_or(|kind| line.kind.contains(kind))
            && self.of.is_none_or(|of| line.subjects.split(' ').any(|subject| subject == of))
            && self.by.is_none_or(|by| line.by == by)
    }
}

async fn lines(desk: &Desk<'_>, mut after: u64, sought: &Sought<'_>) -> Result<Vec<LedgerLine>, Fault> {
    let mut found = vec![];
    loop {
        let page = desk.ledger(after, 1000).await?;
        let Some(last) = page.last() else { break };
        after = last.seq;
        found.extend(page.into_iter().filter(|line| sought.fits(line)));
        if found.len() >= LINES {
            found.truncate(LINES);
            break;
        }
    }
    Ok(found)
}

async fn show(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let team = Team::of(desk).await?;
    let after: u64 = ctx.query("after").and_then(|n| n.parse().ok()).unwrap_or(0);
    let sought =
        Sought { kind: ctx.query("kind"), of: ctx.query("of"), by: ctx.query("by").and_then(|id| id.parse().ok()) };
    let found = lines(desk, after, &sought).await?;
    let last = found.last().map(|line| line.seq).filter(|_| found.len() == LINES);
    let shown: Vec<Vec<Markup>> = found
        .iter()
        .map(|line| {
            vec![
                html! { (line.seq) },
                html! { (uk(line.at)) },
                html! { @if line.by == avocet_record::store::STORE { "the store" } @else { (team.name(line.by)) } },
                html! { (words(&line.kind)) },
                html! { (line.subjects) },
            ]
        })
        .collect();
    let again = |name: &str, value: Option<&str>| value.map(|value| format!("&{name}={value}")).unwrap_or_default();
    let by = ctx.query("by");
    let rest = format!("{}{}{}", again("kind", sought.kind), again("of", sought.of), again("by", by));
    let body = html! {
        div.actions { a.button href="/ledger/verify" { "Verify the whole ledger" } }
        form.filter method="get" action="/ledger" {
            div.field { label for="of" { "About" } input #of type="text" name="of" value=(sought.of.unwrap_or_default()) placeholder="I-7"; }
            div.field { label for="kind" { "What happened" } input #kind type="text" name="kind" value=(sought.kind.unwrap_or_default()) placeholder="exhibit"; }
            div.field { label for="by" { "By" } select #by name="by" {
                option value="" { "Anybody" }
                @for (value, name) in team.choices() { option value=(value) selected[by == Some(value.as_str())] { (name) } }
            } }
            div.field { label for="after" { "After entry" } input #after type="text" name="after" value=(after); }
            button.main type="submit" { "Show" }
        }
        @if shown.is_empty() { p { "No entry fits." } } @else {
            (table("Entries", &["Entry", "When", "By", "What", "About"], &shown))
        }
        @if let Some(last) = last { p { a href={ "/ledger?after=" (last) (rest) } { "The next entries" } } }
    };
    Ok(Answer::Html(view::page(ctx, desk, "Ledger", &body)))
}

async fn verify(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let checked = desk.verify_ledger().await?;
    let body = html! {
        @if checked.is_sound() {
            (inset(&html! { p { strong { "The ledger is whole." } " Each entry follows the one before, as its signed head says." } }))
        } @else {
            (warning(&html! {
                p { strong { "Tampered with or damaged." } " Stop, keep the store as it is, and tell whoever answers for it." }
                ul { @for fault in &checked.faults { li { (upper(&fault.to_string())) } } }
            }))
        }
        (rows(&[
            ("Entries", html! { (checked.entries) }),
            ("Not signed yet", html! { (checked.unsigned) }),
            ("Last entry", html! { span.mono { @match checked.last { Some(hash) => (hash), None => "none" } } }),
        ]))
        p { "The head proves more when it was kept elsewhere: " code { "avocet ledger checkpoint" } ", then " code { "avocet ledger verify --checkpoint" } "." }
        p { a href="/ledger" { "Back to the ledger" } }
    };
    Ok(Answer::Html(view::page(ctx, desk, "Is the ledger whole?", &body)))
}
