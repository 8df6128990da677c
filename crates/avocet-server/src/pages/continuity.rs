//! The continuity of one exhibit as a picture, and its label.

use avocet_record::ExhibitId;
use avocet_record::desk::{Desk, Exhibit};
use avocet_record::exhibit::{ExhibitFact, Holder};
use avocet_record::law::Right;
use maud::{DOCTYPE, Markup, html};
use qrcode::{Color, QrCode};

use super::assets;
use super::who::Team;
use crate::fault::Fault;
use crate::route::{Answer, Ctx, Page, Route, Rule, route};
use crate::view::uk;

pub fn routes() -> Vec<Route> {
    vec![route("/investigations/{i}/exhibits/{thing}/label", Rule::Any(&[Right::RecordExhibit]), label)]
}

/// Where it was from one step on.
struct Stop {
    seq: u64,
    lane: usize,
    sealed: bool,
    /// What does not fit names this entry.
    odd: bool,
}

/// The lanes, in the order in which they first had it, and the stops.
fn stops(team: &Team, exhibit: &Exhibit) -> (Vec<String>, Vec<Stop>) {
    let (mut lanes, mut stops): (Vec<String>, Vec<Stop>) = (vec![], vec![]);
    let (mut lane, mut sealed) = (0, false);
    let findings: Vec<String> = exhibit.findings.iter().map(ToString::to_string).collect();
    for step in exhibit.state.continuity().iter().filter(|step| step.struck.is_none()) {
        let mut at = |name: String| match lanes.iter().position(|known| *known == name) {
            Some(lane) => lane,
            None => {
                lanes.push(name);
                lanes.len().saturating_sub(1)
            }
        };
        let holder = |holder: &Holder| team.told(&holder.to_string());
        match &step.recorded.fact {
            ExhibitFact::Taken { officer, .. } => lane = at(team.name(*officer)),
            ExhibitFact::Excluded { .. } => lane = at("left at the scene".to_owned()),
            ExhibitFact::HandedOver { to, .. } => lane = at(holder(to)),
            ExhibitFact::Returned { .. } => lane = at("given back".to_owned()),
            ExhibitFact::Destroyed { .. } => lane = at("destroyed".to_owned()),
            ExhibitFact::Sealed { .. } => sealed = true,
            ExhibitFact::Opened { .. } => sealed = false,
            _ => {}
        }
        let seq = step.recorded.seq;
        let names = |text: &String| {
            text.split(|c: char| !c.is_ascii_alphanumeric())
                .zip(text.split(|c: char| !c.is_ascii_alphanumeric()).skip(1))
                .any(|(word, number)| word == "entry" && number == seq.to_string())
        };
        stops.push(Stop { seq, lane, sealed, odd: findings.iter().any(names) });
    }
    (lanes, stops)
}

const LEFT: usize = 190;
const STEP: usize = 64;
const LANE: usize = 46;

/// The picture: a lane for each who had it, a full line while it is sealed, a broken one while it is not.
pub fn picture(team: &Team, exhibit: &Exhibit) -> Markup {
    let (lanes, stops) = stops(team, exhibit);
    let x = |n: usize| n.saturating_mul(STEP).saturating_add(LEFT).saturating_add(20);
    let y = |lane: usize| lane.saturating_mul(LANE).saturating_add(32);
    let (width, height) = (x(stops.len()), y(lanes.len()));
    html! {
        @if !stops.is_empty() {
            div.scroll role="region" aria-label="Continuity as a picture" tabindex="0" {
                svg.lanes role="img" aria-label="Who had it after each entry; the table below says the same" width=(width) height=(height) viewBox={ "0 0 " (width) " " (height) } {
                    @for (lane, name) in lanes.iter().enumerate() {
                        line.lane x1=(LEFT) y1=(y(lane)) x2=(width) y2=(y(lane)) {}
                        text x=(LEFT.saturating_sub(12)) y=(y(lane).saturating_add(5)) text-anchor="end" { (name) }
                    }
                    @for (n, pair) in stops.windows(2).enumerate() {
                        @if let [from, to] = pair {
                            line class=(if from.sealed { "path" } else { "path open" }) x1=(x(n)) y1=(y(from.lane)) x2=(x(n.saturating_add(1))) y2=(y(to.lane)) {}
                        }
                    }
                    @for (n, stop) in stops.iter().enumerate() {
                        circle class=(if stop.odd { "stop odd" } else { "stop" }) cx=(x(n)) cy=(y(stop.lane)) r="7" {}
                        @let below = if stop.odd { y(stop.lane).saturating_add(24) } else { y(stop.lane).saturating_sub(12) };
                        text x=(x(n)) y=(below) text-anchor="middle" { @if stop.odd { "look: " } (stop.seq) }
                    }
                }
            }
            p.quiet { "A full line: sealed. A broken line: not sealed. Numbers are entries." }
        }
    }
}

/// A label to print and stick on the bag: ids and what stands on the thing, nobody's name.
async fn label(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let id: ExhibitId = ctx.id("thing")?;
    let exhibit = desk.exhibit(id).await?;
    let investigation = ctx.investigation()?;
    let address = format!("https://{}/investigations/{investigation}/exhibits/{id}", ctx.host());
    let code = QrCode::new(address.as_bytes()).map_err(|_| Fault::Server("make the code"))?;
    let side = code.width();
    let dark: Vec<(usize, usize)> = code
        .to_colors()
        .iter()
        .enumerate()
        .filter(|(_, color)| **color == Color::Dark)
        .map(|(n, _)| (n.checked_rem(side).unwrap_or(0), n.checked_div(side).unwrap_or(0)))
        .collect();
    let edge = side.saturating_add(8);
    let (reference, kind, when) = match exhibit.state.origin() {
        Some(ExhibitFact::Taken { reference, kind, when, .. }) => (reference.to_string(), kind.clone(), uk(*when)),
        Some(ExhibitFact::Excluded { kind, when, .. }) => (String::new(), kind.clone(), uk(*when)),
        _ => (String::new(), String::new(), String::new()),
    };
    let page = html! {
        (DOCTYPE)
        html lang="en-GB" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Label of " (id) " – Avocet" }
                link rel="icon" href=(assets::icon()) type="image/svg+xml";
                link rel="stylesheet" href=(assets::style());
            }
            body.label-page {
                main {
                    h1.unseen { "Label of " (id) }
                    div.label {
                        div {
                            p.label-reference { @if reference.is_empty() { (id) } @else { (reference) } }
                            p { (id) " · " (investigation) }
                            p { (kind) }
                            p { "Taken " (when) }
                            @if let Some(seal) = exhibit.state.seal() { p { "Seal " (seal) } }
                        }
                        svg.code role="img" aria-label={ "Code with the address of " (id) } viewBox={ "0 0 " (edge) " " (edge) } shape-rendering="crispEdges" {
                            rect width=(edge) height=(edge) fill="#fff" {}
                            @for (x, y) in &dark { rect x=(x.saturating_add(4)) y=(y.saturating_add(4)) width="1" height="1" fill="#000" {} }
                        }
                    }
                    p.actions { a href={ "/investigations/" (investigation) "/exhibits/" (id) } { "Back to the exhibit" } " Print this page with your browser." }
                }
            }
        }
    };
    Ok(Answer::Html(page))
}
