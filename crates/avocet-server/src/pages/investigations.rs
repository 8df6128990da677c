//! The list of investigations, and opening one.

use avocet_record::desk::{Desk, Opening};
use avocet_record::law::Right;
use avocet_record::{ReferralId, UserId};
use maud::{Markup, html};

use super::today::pages;
use super::who::Team;
use crate::fault::Fault;
use crate::form::{Form, Wrong, need, need_time};
use crate::route::{Answer, Ctx, Page, Route, Rule, form, route};
use crate::view::{self, Fields, danger_tag, empty, error_summary, level_tag, table, uk};

const OPEN: Rule = Rule::Any(&[Right::AssignInvestigation]);

pub fn routes() -> Vec<Route> {
    vec![
        route("/investigations", Rule::Any(&[Right::SeeQueue]), list),
        route("/investigations/new", OPEN, new),
        form("/investigations/new", OPEN, open),
    ]
}

async fn list(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let team = Team::of(desk).await?;
    let sought = ctx.query("q").unwrap_or_default().to_lowercase();
    let queue = desk.queue().await?;
    let mut mine: Vec<_> = queue.iter().filter(|queued| !queued.title.is_empty()).collect();
    let all = mine.len();
    mine.retain(|queued| {
        let id = queued.placed.item.investigation.to_string().to_lowercase();
        sought.is_empty() || id == sought || queued.title.to_lowercase().contains(&sought)
    });
    mine.sort_by_key(|queued| std::cmp::Reverse(queued.placed.item.investigation));
    let from: usize = ctx.query("from").and_then(|n| n.parse().ok()).unwrap_or(0);
    let found = mine.len();
    let lines: Vec<Vec<Markup>> = mine
        .iter()
        .skip(from)
        .take(25)
        .map(|queued| {
            let item = &queued.placed.item;
            vec![
                html! { a href={ "/investigations/" (item.investigation) } { (item.investigation) } },
                html! { (queued.title) },
                html! { (level_tag(desk.law(), item.level.as_ref().map(|level| level.as_str()))) },
                html! { (danger_tag(item.danger.map(|(danger, ..)| danger))) },
                html! { (team.name(queued.owner)) },
                html! { (uk(item.received)) },
            ]
        })
        .collect();
    let body = html! {
        div.actions {
            @if desk.holds(Right::AssignInvestigation) { a.button href="/investigations/new" { "Open an investigation" } }
            @if desk.holds(Right::BreakGlass) { a href="/investigations/look" { "Look into one that you are not on" } }
        }
        form.search method="get" action="/investigations" role="search" {
            label.unseen for="q" { "Number or words of the title" }
            input #q type="search" name="q" value=(ctx.query("q").unwrap_or_default()) placeholder="I-7, or words of the title";
            button.main type="submit" { "Find" }
        }
        @if lines.is_empty() && sought.is_empty() {
            (empty(&html! {
                p { strong { "You work on no open investigation." } }
                p { "A supervisor opens one on a referral and says who works on it. Others’ investigations are not shown to you." }
            }))
        } @else if lines.is_empty() {
            p { "None of the " (all) " that you work on fits." }
        } @else {
            (table("Open investigations that you work on", &["Number", "Title", "Level", "Danger now", "Led by", "Received"], &lines))
            (pages(from, found, "/investigations?from="))
        }
    };
    Ok(Answer::Html(view::page(ctx, desk, "Investigations", &body)))
}

async fn new(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let mut form = Form::default();
    form.or("owner", desk.user().to_string());
    if let Some(referral) = ctx.query("referral") {
        form.or("referral", referral);
    }
    Ok(Answer::Html(page(ctx, desk, &form, &Wrong::default()).await?))
}

async fn page(ctx: &Ctx, desk: &Desk<'_>, form: &Form, wrong: &Wrong) -> Result<Markup, Fault> {
    let fields = Fields { form, wrong };
    let team = Team::of(desk).await?.choices();
    let waiting: Vec<(String, String)> = match desk.holds(Right::RecordReferral) {
        true => desk
            .referrals()
            .await?
            .iter()
            .filter(|row| row.investigation.is_none())
            .map(|row| (row.id.to_string(), format!("{} from {}, received {}", row.id, row.source, uk(row.received))))
            .collect(),
        false => vec![],
    };
    let body = html! {
        (error_summary(wrong))
        form method="post" action="/investigations/new" {
            (view::csrf(ctx))
            (fields.text("title", "What the team calls it", "No name of a person: it is seen by everybody who works on it."))
            @if !waiting.is_empty() {
                (fields.checks("referral", "Referrals that it is opened on", "Those that belong to no investigation yet.", &waiting))
            }
            (fields.time("received", "When the first report was received", "Only where no referral is chosen; else the clocks count from the first of those."))
            (fields.select("owner", "Who leads it", "", &team))
            button.main type="submit" { "Open the investigation" }
        }
    };
    Ok(view::page(ctx, desk, "Open an investigation", &body))
}

async fn open(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let mut wrong = Wrong::default();
    let title = need(&ctx.form, &mut wrong, "title", "what the team calls it").to_owned();
    let owner = ctx.form.text("owner").and_then(|id| id.parse::<UserId>().ok());
    if owner.is_none() {
        wrong.add("owner", "Choose who leads it");
    }
    let referrals: Vec<ReferralId> = ctx.form.texts("referral").iter().filter_map(|id| id.parse().ok()).collect();
    let rows = if referrals.is_empty() { vec![] } else { desk.referrals().await? };
    let first = rows.iter().filter(|row| referrals.contains(&row.id)).map(|row| row.received).min();
    let received = match first {
        Some(received) => received,
        None => need_time(&ctx.form, &mut wrong, "received"),
    };
    if let (true, Some(owner)) = (wrong.is_none(), owner) {
        match desk.open_investigation(Opening { title, owner, received, referrals }).await {
            Ok(id) => {
                return ctx.told(
                    format!("/investigations/{id}"),
                    format!("{id} is open. Say first whether a child may be in danger now."),
                );
            }
            Err(avocet_record::RecordError::Refused(why)) => wrong.add("", crate::fault::upper(&why)),
            Err(other) => return Err(other.into()),
        }
    }
    Ok(Answer::Wrong(page(ctx, desk, &ctx.form, &wrong).await?))
}
