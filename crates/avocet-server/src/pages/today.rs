//! Today: what needs doing, and why, in the order of risk.

use avocet_record::desk::{Desk, Queued};
use avocet_record::law::Right;
use avocet_record::risk::Reason;
use avocet_record::{At, InvestigationId};
use maud::{Markup, html};

use super::who::Team;
use crate::fault::upper;
use crate::route::{Answer, Ctx, Page, Route, Rule, route};
use crate::view::{self, danger_tag, empty, level_tag, tag, warning};

pub fn routes() -> Vec<Route> {
    vec![route("/", Rule::SignedIn, today)]
}

/// Lines of one page.
pub const LINES: usize = 25;

async fn today(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    if !desk.holds(Right::SeeQueue) {
        return elsewhere(ctx, desk);
    }
    let queue = desk.queue().await?;
    let team = Team::of(desk).await?;
    let mine_only = ctx.query("whose") != Some("all");
    let mine = queue.iter().filter(|queued| !queued.title.is_empty()).count();
    let danger = queue.iter().filter(|queued| !queued.placed.place.no_danger_stated).count();
    let late = queue.iter().filter(|queued| !queued.placed.place.nothing_late).count();
    let from: usize = ctx.query("from").and_then(|n| n.parse().ok()).unwrap_or(0);
    let numbered = queue.iter().enumerate().filter(|(_, queued)| !mine_only || !queued.title.is_empty());
    let shown: Vec<_> = numbered.skip(from).take(LINES).collect();
    let all = if mine_only { mine } else { queue.len() };
    let whose = if mine_only { "mine" } else { "all" };
    let now = desk.now();
    let mine_all =
        queue.iter().filter(|queued| !queued.title.is_empty()).map(|queued| queued.placed.item.investigation);
    let whole_ones = super::examinations::whole_ones_there(ctx, desk, mine_all).await?;
    let body = html! {
        @if danger > 0 {
            (warning(&html! { p { "In " (view::count(danger, "investigation", "investigations")) " a child may be in danger now. These come first, whoever leads them." } }))
        }
        p.quiet {
            (view::count(queue.len(), "investigation is", "investigations are")) " open; you work on " (mine) ". "
            @if late > 0 { (late) " " (if late == 1 { "has" } else { "have" }) " a clock that has run out. " }
            "The order: a child in danger now, clocks that have run out, then level and deadline."
        }
        div.actions {
            @if mine_only { a href="/?whose=all" { "Show everybody’s" } } @else { a href="/" { "Show only those I work on" } }
        }
        @let running = running(ctx, &queue);
        @if !running.is_empty() {
            h2 { "Examinations that run" }
            ul { @for (investigation, number, title) in &running { li {
                a href={ "/investigations/" (investigation) "/examinations/run/" (number) } { (title) " in " (investigation) }
            } } }
        }
        @if !whole_ones.is_empty() {
            h2 { "Examinations that have ended" }
            ul { @for (investigation, exhibit, result) in &whole_ones { li {
                "The whole result of " (exhibit) " is there, and only an interim one is attached: "
                @if desk.holds(Right::AttachExamination) {
                    a href={ "/investigations/" (investigation) "/examinations/found/" (result) } { "attach it" span.unseen { " in " (investigation) } } "."
                } @else { a href={ "/investigations/" (investigation) "/examinations" } { (investigation) } "." }
            } } }
        }
        @if !running.is_empty() || !whole_ones.is_empty() { h2 { "In this order" } }
        @if shown.is_empty() {
            (empty(&html! {
                p { strong { "Nothing waits for you." } }
                p { "An investigation stands here once somebody has opened it on a referral and put you on it. "
                    @if desk.holds(Right::RecordReferral) { a href="/referrals/new" { "Take in a referral" } } }
            }))
        } @else {
            ol.tasks {
                @for (place, queued) in &shown { (line(desk, &team, *place, queued, now)) }
            }
            (pages(from, all, &format!("/?whose={whose}&from=")))
        }
    };
    Ok(Answer::Html(view::page(ctx, desk, "Today", &body)))
}

/// Examinations that run or wait, in investigations that the person works on.
fn running(ctx: &Ctx, queue: &[Queued]) -> Vec<(InvestigationId, u64, String)> {
    let mine = queue.iter().filter(|queued| !queued.title.is_empty()).map(|queued| queued.placed.item.investigation);
    let of = |id: InvestigationId| {
        let jobs = super::examinations::jobs_of(ctx, id).into_iter().filter(|(job, _)| !job.state.has_ended());
        jobs.map(move |(job, exhibit)| (id, job.number, super::examinations::job_title(&job, exhibit)))
    };
    mine.flat_map(of).collect()
}

/// Links to what comes before and after.
pub fn pages(from: usize, all: usize, to: &str) -> Markup {
    let next = from.saturating_add(LINES);
    html! {
        @if from > 0 || next < all {
            div.pages {
                @if from > 0 { a href={ (to) (from.saturating_sub(LINES)) } { "Before" } }
                span.quiet { (from.saturating_add(1)) " to " (next.min(all)) " of " (all) }
                @if next < all { a href={ (to) (next) } { "Next" } }
            }
        }
    }
}

fn line(desk: &Desk<'_>, team: &Team, place: usize, queued: &Queued, now: At) -> Markup {
    let item = &queued.placed.item;
    let id = item.investigation;
    let is_mine = !queued.title.is_empty();
    let late = |reason: &Reason| match reason {
        Reason::Clock { clock, .. } => clock.due < now,
        Reason::Level { deadline, .. }
        | Reason::NotAssessed { deadline, .. }
        | Reason::LevelNotInTable { deadline, .. } => *deadline < now,
        _ => false,
    };
    html! {
        li {
            div.task-what {
                h2 {
                    span.quiet { (place.saturating_add(1)) ". " }
                    @if is_mine { a href={ "/investigations/" (id) } { (id) " " (queued.title) } } @else { (id) }
                }
                p {
                    (danger_tag(item.danger.map(|(danger, ..)| danger)))
                    " " (level_tag(desk.law(), item.level.as_ref().map(|level| level.as_str())))
                    " " span.quiet { "led by " (team.name(queued.owner)) }
                    @if !is_mine { " " (tag("plain", "Not yours")) }
                }
                ul {
                    @for reason in &queued.placed.reasons {
                        li class=[late(reason).then_some("late")] { (upper(&team.told(&reason.to_string()))) }
                    }
                }
            }
            div.task-do { (what_to_do(desk, queued, is_mine)) }
        }
    }
}

/// The one thing to do first.
fn what_to_do(desk: &Desk<'_>, queued: &Queued, is_mine: bool) -> Markup {
    let base = format!("/investigations/{}", queued.placed.item.investigation);
    let first = queued.placed.reasons.iter().find_map(|reason| match reason {
        Reason::Danger { actions: 0, .. } if desk.holds(Right::RecordSafeguarding) => {
            Some((format!("{base}/risk/acted"), "Record what was done for the child"))
        }
        Reason::DangerNotStated | Reason::DangerUnknown { .. } if desk.holds(Right::RecordSafeguarding) => {
            Some((format!("{base}/risk/danger"), "Say whether a child is in danger"))
        }
        Reason::NotAssessed { .. } if is_mine && desk.holds(Right::RecordRisk) => {
            Some((format!("{base}/risk/assessed"), "Assess the risk"))
        }
        _ => None,
    });
    html! {
        @match first {
            Some((to, words)) => a.button href=(to) { (words) span.unseen { " in " (queued.placed.item.investigation) } },
            None if is_mine => a.button.second href=(base) { "Open" span.unseen { " " (queued.placed.item.investigation) } },
            None => {}
        }
    }
}

/// For those whose work is not in the queue.
fn elsewhere(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let titles: Vec<&str> = desk
        .roles()
        .iter()
        .map(|role| desk.law().roles.row(role).map_or(role.as_str(), |row| row.value.title.as_str()))
        .collect();
    let body = html! {
        p { "You are here as " strong { (titles.join(", ")) } ". That role sees no investigations. What it does:" }
        ul {
            @for right in Right::ALL { @if desk.holds(*right) { li { (right.meaning()) } } }
        }
        p { "The pages at the side are yours; what is not there yet is at the command line (" code { "avocet help" } ")." }
    };
    Ok(Answer::Html(view::page(ctx, desk, "Today", &body)))
}
