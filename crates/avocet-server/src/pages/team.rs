//! What lies across one's investigations: orders and visits, children who are not known or not safe yet.

use avocet_record::desk::Desk;
use avocet_record::law::Right;
use avocet_record::safeguard::Step;
use maud::{Markup, html};

use super::today::{LINES, pages};
use super::who::Team;
use crate::fault::upper;
use crate::route::{Answer, Ctx, Page, Route, Rule, route};
use crate::view::{self, count, empty, inset, tag, uk};

const MINE: Rule = Rule::Any(&[Right::SeeQueue]);

pub fn routes() -> Vec<Route> {
    vec![route("/orders", MINE, orders), route("/identification", MINE, children)]
}

/// From which line on the page is asked for.
fn from(ctx: &Ctx) -> usize {
    ctx.query("from").and_then(|n| n.parse().ok()).unwrap_or(0)
}

async fn orders(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let all = desk.orders_of_mine().await?;
    let team = Team::of(desk).await?;
    let (law, now) = (desk.law(), desk.now());
    let running: Vec<_> = all.iter().filter(|(_, _, order)| order.state.ended().is_none()).collect();
    let from = from(ctx).min(running.len());
    let late = running.iter().filter(|(_, _, order)| order.due.iter().any(|due| due.late)).count();
    let body = html! {
        p.quiet {
            (count(running.len(), "order is", "orders are")) " monitored in the investigations that you work on"
            @if late > 0 { "; in " (late) " something is late" } ". What is due first stands first."
        }
        @if running.is_empty() {
            (empty(&html! { p { strong { "No order is monitored." } } p { "An order, or a set of notification requirements, is entered on an investigation’s page, under Orders. Visits, notifications and device checks then stand here by when they are due." } }))
        }
        ol.tasks start=(from.saturating_add(1)) { @for (investigation, title, order) in running.iter().skip(from).take(LINES) { li {
            @let kind = order.state.kind().unwrap_or_default();
            @let base = format!("/investigations/{investigation}/orders");
            div.task-what {
                h2 { a href=(base) { (order.id) ", " (law.orders.row(kind).map_or(kind, |row| row.value.title.as_str())) } }
                p.quiet {
                    (investigation) " " (title)
                    @if let Some(officer) = order.state.officer() { ". Managed by " (team.name(officer)) }
                    @if let Some(seen) = order.state.last_seen() { ". Last seen " (uk(seen)) } @else { ". Nobody is recorded to have been seen" }
                }
                @if !order.due.is_empty() { ul { @for due in &order.due { li class=[due.late.then_some("late")] {
                    (upper(&due.what)) ": " (view::due(due.late_from, now)) " (" (uk(due.late_from)) ")"
                } } } }
                @if !order.findings.is_empty() { ul.found { @for finding in &order.findings { li { (upper(&team.told(finding))) } } } }
            }
            div.task-do {
                @if order.due.iter().any(|due| due.late) { (tag("late", "Late")) } @else { (tag("good", "In time")) }
                @if desk.holds(Right::RecordOrder) { " " a.button.second href={ (base) "/" (order.id) "/visited" } { "Record a visit" span.unseen { " for " (order.id) } } }
            }
        } } }
        (pages(from, running.len(), "/orders?from="))
    };
    Ok(Answer::Html(view::page(ctx, desk, "Orders and visits", &body)))
}

fn step_tag(step: Step) -> Markup {
    match step {
        Step::Unidentified => tag("wait", "Nobody knows who"),
        Step::Lead => tag("wait", "A lead"),
        Step::Identified => tag("plain", "Known who"),
        Step::Located => tag("plain", "Known where"),
        Step::Safeguarded => tag("good", "Safe"),
    }
}

async fn children(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let all = desk.children_to_find().await?;
    let from = from(ctx).min(all.len());
    let body = html! {
        (inset(&html! { p { "A child leaves this list when the record says that the child is safe. A lead is never proof." } }))
        @if all.is_empty() {
            (empty(&html! {
                p { strong { "No child is waiting to be found, as far as you may see." } }
                p { "Whoever hears of a child begins the child’s record on an investigation’s page. When grading, V marks a picture and begins one." }
            }))
        }
        @if !all.is_empty() { p.quiet { (count(all.len(), "child is", "children are")) " not stated to be safe. Those of whom least is known stand first." } }
        ol.tasks start=(from.saturating_add(1)) { @for found in all.iter().skip(from).take(LINES) { li {
            @let base = format!("/investigations/{}", found.investigation);
            div.task-what {
                h2 { a href={ (base) "/people/" (found.child) } { (found.child) } span.quiet { " in " } a href={ (base) "/identification" } { (found.investigation) " " (found.title) } }
                p { @match found.open_leads {
                    0 => { "No lead is open." }
                    n => { (count(n, "lead is open", "leads are open")) "." }
                } @if found.rests { " Work on it rests." } }
            }
            div.task-do { (step_tag(found.step)) }
        } } }
        (pages(from, all.len(), "/identification?from="))
    };
    Ok(Answer::Html(view::page(ctx, desk, "Victim identification", &body)))
}
