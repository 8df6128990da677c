//! The sections of an investigation: lists of what there is, with what does not fit, and what can be done.

use avocet_record::desk::{Desk, Exhibit, Told};
use avocet_record::exhibit::{ExhibitFact, Fate};
use avocet_record::law::Right;
use avocet_record::warrant::Readiness;
use avocet_record::{At, ExhibitId, PersonId, RecordError, UserId};
use maud::{Markup, html};
use serde_json::Value;

use super::acts;
use super::continuity::picture;
use super::referrals::{conflict_list, note_conflict};
use super::who::Team;
use crate::fault::{Fault, upper};
use crate::route::{Answer, Ctx, Page, Route, Rule, form, route};
use crate::view::{self, action, count, danger_tag, empty, inset, level_tag, rows, table, tag, uk, words};

const READ: Rule = Rule::Any(&[Right::ReadInvestigation]);
const ASSIGN: Rule = Rule::Any(&[Right::AssignInvestigation]);

pub fn routes() -> Vec<Route> {
    vec![
        route("/investigations/{i}/risk", READ, risk),
        route("/investigations/{i}/people", READ, people),
        route("/investigations/{i}/people/{thing}", READ, person),
        route("/investigations/{i}/referrals", READ, referrals),
        route("/investigations/{i}/addresses", READ, addresses),
        route("/investigations/{i}/warrants", READ, warrants),
        route("/investigations/{i}/exhibits", READ, exhibits),
        route("/investigations/{i}/exhibits/{thing}", READ, exhibit),
        route("/investigations/{i}/safeguarding", READ, safeguarding),
        route("/investigations/{i}/orders", READ, orders),
        route("/investigations/{i}/outcome", READ, outcome),
        route("/investigations/{i}/conflicts", Rule::Any(&[Right::CheckConflicts]), conflicts),
        form("/investigations/{i}/conflicts", Rule::Any(&[Right::CheckConflicts]), note),
        route("/investigations/{i}/timeline", READ, timeline),
        route("/investigations/{i}/members", ASSIGN, members),
        form("/investigations/{i}/members", ASSIGN, set_member),
        form("/investigations/{i}/closing", ASSIGN, closing),
        route("/investigations/look", Rule::Any(&[Right::BreakGlass]), look),
        form("/investigations/look", Rule::Any(&[Right::BreakGlass]), break_glass),
    ]
}

/// A page of the investigation in the address.
pub async fn shown(ctx: &Ctx, desk: &Desk<'_>, title: &str, body: &Markup) -> Page {
    let head = desk.head(ctx.investigation()?).await?;
    Ok(Answer::Html(view::investigation_page(ctx, desk, &head, title, body)))
}

/// What can be begun in a section.
fn begin(ctx: &Ctx, desk: &Desk<'_>, section: &str) -> Markup {
    let base = format!("/investigations/{}/{section}", ctx.raw("i").unwrap_or_default());
    acts::links(desk, &format!("/investigations/{{i}}/{section}"), &base)
}

/// What can be done with one thing.
fn deeds(ctx: &Ctx, desk: &Desk<'_>, section: &str, name: &str, thing: &str) -> Markup {
    let base = format!("/investigations/{}/{section}/{thing}", ctx.raw("i").unwrap_or_default());
    acts::links(desk, &format!("/investigations/{{i}}/{section}/{{{name}}}"), &base)
}

/// The same, folded away.
fn folded(deeds: &Markup, of: &str) -> Markup {
    html! {
        @if !deeds.0.is_empty() {
            details { summary { "Record something about " (of) } (deeds) }
        }
    }
}

fn found(team: &Team, findings: &[String]) -> Markup {
    html! {
        @if !findings.is_empty() {
            ul.found { @for finding in findings { li { (upper(&team.told(finding))) } } }
        }
    }
}

async fn risk(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let state = desk.risk(ctx.investigation()?).await?;
    let team = Team::of(desk).await?;
    let law = desk.law();
    let findings: Vec<String> = state.findings(&law.risk_levels).iter().map(ToString::to_string).collect();
    let levels: Vec<Vec<Markup>> = state
        .history()
        .rev()
        .map(|change| {
            let how = match &change.assessment {
                Some(assessment) => assessment
                    .tool
                    .as_ref()
                    .map_or("assessed without a tool".to_owned(), |tool| format!("assessed with {tool}")),
                None => "set by a supervisor".to_owned(),
            };
            vec![
                html! { (change.seq) },
                level_tag(law, Some(change.level.as_str())),
                html! { (how) },
                html! { (team.name(change.by)) },
                html! { (uk(change.at)) },
            ]
        })
        .collect();
    let dangers: Vec<Vec<Markup>> = state
        .danger_history()
        .rev()
        .map(|stated| {
            vec![
                html! { (stated.seq) },
                danger_tag(Some(stated.danger)),
                html! { (team.name(stated.by)) },
                html! { (uk(stated.at)) },
            ]
        })
        .collect();
    let done: Vec<Vec<Markup>> = state
        .safeguarding()
        .rev()
        .map(|act| {
            vec![
                html! { (act.seq) },
                html! { (upper(&act.action.to_string())) },
                html! { (act.body.as_deref().unwrap_or_default()) },
                html! { (uk(act.acted)) },
                html! { (team.name(act.by)) },
            ]
        })
        .collect();
    let body = html! {
        (found(&team, &findings))
        (begin(ctx, desk, "risk"))
        @if dangers.is_empty() { (empty(&html! { p { "Nobody has said yet whether a child may be in danger now." } })) }
        @else { (table("Whether a child may be in danger now", &["Entry", "What was said", "By", "When"], &dangers)) }
        @if !done.is_empty() { (table("What was done to make a child safe", &["Entry", "What", "With", "When", "Recorded by"], &done)) }
        @if levels.is_empty() { (empty(&html! { p { "No level is set. Until one is, the investigation stands in the order of work as the table of levels says." } })) }
        @else { (table("The level, the latest first", &["Entry", "Level", "How", "By", "When"], &levels)) }
    };
    shown(ctx, desk, "Risk", &body).await
}

async fn people(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let id = ctx.investigation()?;
    let people = desk.people(id).await?;
    let custody = desk.custody(id).await?;
    let team = Team::of(desk).await?;
    let body = html! {
        (begin(ctx, desk, "people"))
        @if people.withheld > 0 {
            (inset(&html! { p { "Records of children that your role does not read: " (people.withheld) "." } }))
        }
        @if people.shown.is_empty() && people.withheld == 0 {
            (empty(&html! { p { strong { "Nobody is recorded." } } p { "A suspect, a child, a parent or a witness is a record with a number; whoever hears of a child begins the child’s." } }))
        }
        ul.tasks {
            @for shown in &people.shown {
                li {
                    div.task-what {
                        h2 { a href={ "/investigations/" (id) "/people/" (shown.id) } { (shown.id) } " " (person_roles(&shown.file.person)) }
                        @if let Some(details) = &shown.details {
                            @for (what, text) in &details.0 { @if what == "name" { p { (text.as_deref().unwrap_or("erased")) } } }
                        }
                        (found(&team, &shown.findings))
                    }
                    div.task-do { @if shown.findings.is_empty() { (tag("good", "Nothing open")) } @else { (tag("wait", &format!("{} to look at", count(shown.findings.len(), "thing", "things")))) } }
                }
            }
        }
        @if !custody.is_empty() {
            h2 { "Arrests and voluntary interviews" }
            ul.tasks {
                @for shown in &custody {
                    li {
                        div.task-what {
                            h2 { (shown.id) @if let Some(suspect) = shown.state.suspect() { ", " a href={ "/investigations/" (id) "/people/" (suspect) } { (suspect) } } }
                            p { (upper(&shown.state.status())) @if let Some(reference) = shown.state.reference() { ", reference " (reference) } }
                            (found(&team, &shown.findings))
                            (folded(&deeds(ctx, desk, "custody", "thing", &shown.id.to_string()), &shown.id.to_string()))
                        }
                    }
                }
            }
        }
    };
    shown(ctx, desk, "People", &body).await
}

fn person_roles(person: &avocet_record::people::PersonState) -> String {
    let roles: Vec<String> = person.roles().iter().map(ToString::to_string).collect();
    let unidentified = person.made().is_some_and(|(_, unidentified)| unidentified);
    if unidentified { format!("{}, not identified when first known", roles.join(", ")) } else { roles.join(", ") }
}

async fn person(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let id: PersonId = ctx.id("thing")?;
    let (investigation, found_person) = desk.person(id).await?;
    let team = Team::of(desk).await?;
    let file = &found_person.file;
    let works = file.person.works();
    let links = file.person.links();
    let same: Vec<String> = found_person.same.iter().map(ToString::to_string).collect();
    let here = id.to_string();
    let body = html! {
        (found(&team, &found_person.findings))
        (rows(&[
            ("Roles", html! { (person_roles(&file.person)) }),
            ("First known", html! { @if let Some((known, _)) = file.person.made() { (uk(known)) } }),
            ("Other records of the same person", html! { @if same.is_empty() { "none" } @else { (same.join(", ")) } }),
        ]))
        @match &found_person.details {
            None => p { "Your role does not read personal content." },
            Some(details) if details.0.is_empty() => (empty(&html! { p { "No name or anything else is recorded." } })),
            Some(details) => {
                h2 { "Who it is" }
                dl.rows { @for (what, text) in &details.0 {
                    div { dt { (words(what)) } dd { @match text { Some(text) => (text), None => em { "erased" } } } }
                } }
            }
        }
        @if !works.is_empty() {
            h2 { "What they do" }
            ul { @for (number, work) in &works {
                li { (number) ": " (work.kind) ", with children: " (work.with_children) ", position of trust: " (work.trust)
                    @if let Some(area) = &work.area { ", in the area of " (area) }
                    @if let Some(ended) = work.ended { ", ended " (uk(ended)) } }
            } }
        }
        @if !links.is_empty() {
            h2 { "What they are to others" }
            ul { @for (other, link) in links.keys() { li { (upper(&link.to_string())) " " (other) } } }
        }
        @if found_person.child {
            h2 { "Who the child is" }
            p { "How far it is: " strong { (file.identification.step(file.person.made().is_some_and(|(_, unknown)| unknown))) } }
            @let leads = file.identification.leads();
            @if !leads.is_empty() {
                ul { @for (number, lead) in &leads { li {
                    "Lead " (number) ": " (lead.kind) ", " (lead.strength) ", "
                    (match lead.held { None => "open", Some(true) => "led on", Some(false) => "led to nothing" })
                } } }
            }
            (folded(&deeds(ctx, desk, "children", "thing", &here), "the child’s identity and side"))
        }
        (folded(&deeds(ctx, desk, "people", "thing", &here), "the person"))
        @if !found_person.child { (folded(&deeds(ctx, desk, "welfare", "thing", &here), "the person’s own risk")) }
        h2 { "Everything recorded" }
        (story(&team, &desk.story(&here).await?))
    };
    let head = desk.head(investigation).await?;
    Ok(Answer::Html(view::investigation_page(ctx, desk, &head, &here, &body)))
}

async fn referrals(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let whole = desk.overview(ctx.investigation()?).await?;
    let mine = desk.holds(Right::RecordReferral);
    let body = html! {
        @if whole.referrals.is_empty() {
            (empty(&html! { p { strong { "It was opened without a referral." } } p { "A referral that belongs to no investigation can be put into this one on the referral’s own page." } }))
        } @else {
            ul { @for id in &whole.referrals { li {
                @if mine { a href={ "/referrals/" (id) } { (id) } } @else { (id) }
            } } }
            @if !mine { p.quiet { "Your role does not read what referrals say." } }
        }
        @if desk.holds(Right::CheckConflicts) { (action(&format!("/investigations/{}/conflicts", whole.id), "See what stands in other records too")) }
    };
    shown(ctx, desk, "Referrals", &body).await
}

async fn addresses(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let id = ctx.investigation()?;
    let events = desk.ip_events(id).await?;
    let team = Team::of(desk).await?;
    let body = html! {
        (inset(&html! { p { "Wrong addresses have led to innocent people. The source’s words are copied, never retyped; nothing that a warrant rests on stands on one person’s word." } }))
        @if events.is_empty() {
            (empty(&html! { p { strong { "No IP event is here." } } p { "They are taken from a referral, on the referral’s page: each address with its time and port as the source states it." } }))
        }
        ul.tasks {
            @for event in &events {
                li {
                    div.task-what {
                        h2 { (event.id) }
                        @match &event.stated {
                            None => p.quiet { "The source’s words are not shown to your role, or were erased." },
                            Some(stated) => (rows(&[
                                ("Address", html! { span.mono { (stated.address) } }),
                                ("Port", html! { (stated.port.as_deref().unwrap_or("not stated")) }),
                                ("Time as written", html! { (stated.time.as_deref().unwrap_or("not stated")) @if let Some(zone) = &stated.zone { " (" (zone) ")" } }),
                                ("Read as", html! { @if let Some(when) = &event.when { (upper(&when.to_string())) } }),
                                ("What happened", html! { (stated.event.as_deref().unwrap_or("not stated")) }),
                            ])),
                        }
                        (found(&team, &event.not_ready))
                        (folded(&deeds(ctx, desk, "addresses", "thing", &event.id.to_string()), &event.id.to_string()))
                    }
                    div.task-do { @if event.not_ready.is_empty() { (tag("good", "Ready")) } @else { (tag("wait", "Not ready")) } }
                }
            }
        }
    };
    shown(ctx, desk, "IP events", &body).await
}

async fn warrants(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let warrants = desk.warrants(ctx.investigation()?).await?;
    let team = Team::of(desk).await?;
    let body = html! {
        (begin(ctx, desk, "warrants"))
        @if warrants.is_empty() {
            (empty(&html! { p { strong { "No warrant is recorded." } } p { "One is prepared here with its grounds, the IP events that they rest on, and the premises. An entry under an urgent power is no warrant and needs none of this." } }))
        }
        ul.tasks {
            @for shown in &warrants {
                @let power = shown.state.draft().map_or("", |(power, ..)| power);
                li {
                    div.task-what {
                        h2 { (shown.id) ", " (desk.law().powers.row(power).map_or(power, |row| row.value.title.as_str())) }
                        p { (words(shown.state.status())) @if let Some((_, premises, rests_on)) = shown.state.draft() {
                            ", " (count(premises, "premises", "premises"))
                            @if !rests_on.is_empty() { ", rests on " (rests_on.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")) }
                        } }
                        @match &shown.readiness {
                            Readiness::Ready => {}
                            Readiness::NotReady(reasons) => (found(&team, reasons)),
                            Readiness::Proceeds { by, reason, despite } => {
                                p { "Proceeds by decision of " (team.name(*by)) ": " (reason) ". It was not ready:" }
                                (found(&team, despite))
                            }
                        }
                        (found(&team, &shown.findings))
                        (folded(&deeds(ctx, desk, "warrants", "thing", &shown.id.to_string()), &shown.id.to_string()))
                    }
                    div.task-do {
                        @match &shown.readiness {
                            Readiness::Ready => (tag("good", "Ready")),
                            Readiness::NotReady(_) => (tag("wait", "Not ready")),
                            Readiness::Proceeds { .. } => (tag("late", "Proceeds, not ready")),
                        }
                    }
                }
            }
        }
    };
    shown(ctx, desk, "Warrants", &body).await
}

/// Reference and kind of an exhibit.
pub fn exhibit_name(exhibit: &Exhibit) -> String {
    match exhibit.state.origin() {
        Some(ExhibitFact::Taken { reference, kind, .. }) => format!("{}, {reference}, {kind}", exhibit.id),
        Some(ExhibitFact::Excluded { kind, .. }) => format!("{}, {kind}, left at the scene", exhibit.id),
        _ => exhibit.id.to_string(),
    }
}

/// Where an exhibit is.
pub fn whereabouts(team: &Team, exhibit: &Exhibit) -> String {
    let seal = exhibit.state.seal().map_or_else(|| "not sealed".to_owned(), |seal| format!("sealed with {seal}"));
    match (exhibit.state.fate(), exhibit.state.holder()) {
        (Fate::Unknown, _) => "not taken by the record".to_owned(),
        (Fate::Excluded, _) => "left at the scene".to_owned(),
        (Fate::Held, Some(holder)) => format!("with {}, {seal}", team.told(&holder.to_string())),
        (Fate::Held, None) => seal,
        (Fate::Returned, _) => "given back".to_owned(),
        (Fate::Destroyed, _) => "destroyed".to_owned(),
    }
}

async fn exhibits(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let id = ctx.investigation()?;
    let all = desk.exhibits(id).await?;
    let team = Team::of(desk).await?;
    let open: usize = all.iter().map(|exhibit| exhibit.findings.len()).sum();
    let lines: Vec<Vec<Markup>> = all
        .iter()
        .map(|exhibit| {
            let (reference, kind) = match exhibit.state.origin() {
                Some(ExhibitFact::Taken { reference, kind, .. }) => (reference.to_string(), kind.clone()),
                Some(ExhibitFact::Excluded { kind, .. }) => (String::new(), kind.clone()),
                _ => (String::new(), String::new()),
            };
            vec![
                html! { a href={ "/investigations/" (id) "/exhibits/" (exhibit.id) } { (exhibit.id) } },
                html! { (reference) },
                html! { (kind) },
                html! { (upper(&whereabouts(&team, exhibit))) },
                html! { @if exhibit.findings.is_empty() { (tag("good", "No gap")) } @else { (tag("wait", &format!("{} to look at", exhibit.findings.len()))) } },
            ]
        })
        .collect();
    let body = html! {
        (begin(ctx, desk, "exhibits"))
        @if all.is_empty() {
            (empty(&html! { p { strong { "No exhibit is recorded." } } p { "What is taken, and what is looked at and left, is recorded where it happens: a tablet will do." } }))
        } @else {
            p.quiet { (count(all.len(), "exhibit", "exhibits")) "; " (count(open, "thing", "things")) " to look at." }
            (table("Exhibits", &["Number", "Reference", "What it is", "Where it is", "Continuity"], &lines))
        }
    };
    shown(ctx, desk, "Exhibits", &body).await
}

async fn exhibit(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let id: ExhibitId = ctx.id("thing")?;
    let exhibit = desk.exhibit(id).await?;
    let team = Team::of(desk).await?;
    let findings: Vec<String> = exhibit.findings.iter().map(ToString::to_string).collect();
    let steps = exhibit.state.continuity();
    let own = desk.own_cameras(ctx.investigation()?).await?;
    let own: Vec<_> = own.iter().filter(|camera| camera.exhibit == id).collect();
    let body = html! {
        (found(&team, &findings))
        (rows(&[
            ("Where it is", html! { (upper(&whereabouts(&team, &exhibit))) }),
            ("What it looks like", html! {
                @match exhibit.state.origin() {
                    Some(ExhibitFact::Taken { description, make, model, .. }) => {
                        (description) @if let Some(make) = make { ", " (make) } @if let Some(model) = model { " " (model) }
                    }
                    Some(ExhibitFact::Excluded { description, .. }) => (description),
                    _ => "not recorded",
                }
            }),
            ("Its numbers", html! {
                @if let Some(ExhibitFact::Taken { serials, .. }) = exhibit.state.origin() {
                    @for serial in serials { (serial.kind) ": " span.mono { (serial.value) } br; }
                }
            }),
            ("Cameras stated to be its own", html! {
                @for camera in &own { (camera.model) span.quiet { " – entry " (camera.seq) ", " (team.name(camera.by)) } br; }
                @if own.is_empty() { "none" }
            }),
            ("Part of", html! {
                @if let Some(ExhibitFact::Taken { parent: Some(parent), .. }) = exhibit.state.origin() {
                    a href={ "/investigations/" (ctx.investigation()?) "/exhibits/" (parent) } { (parent) }
                } @else { "nothing else" }
            }),
        ]))
        div.actions {
            @if desk.holds(Right::AttachExamination) { (action(&format!("/investigations/{}/exhibits/{id}/examine", ctx.investigation()?), "Begin an examination of it")) }
            @if desk.holds(Right::RecordExhibit) { (action(&format!("/investigations/{}/exhibits/{id}/label", ctx.investigation()?), "Label to print")) }
            @if desk.holds(Right::RecordExhibit) { (action(&format!("/investigations/{}/exhibits/{id}/camera", ctx.investigation()?), "State a camera as its own")) }
        }
        h2 { "What to do with it" }
        (deeds(ctx, desk, "exhibits", "thing", &id.to_string()))
        h2 { "Continuity" }
        (picture(&team, &exhibit))
        div.scroll role="region" aria-label="Continuity" tabindex="0" {
            table {
                caption { "Every step, in the order in which it happened. A struck line was corrected and does not count." }
                thead { tr { th scope="col" { "Entry" } th scope="col" { "When" } th scope="col" { "What happened" } th scope="col" { "Recorded by" } } }
                tbody {
                    @for step in &steps {
                        @let recorded = &step.recorded;
                        tr class=[step.struck.map(|_| "struck")] {
                            td { (recorded.seq) }
                            td { (uk(recorded.fact.when().unwrap_or(recorded.at))) }
                            td { (upper(&team.told(&recorded.fact.to_string()))) @if let Some(by) = step.struck { " – does not count, entry " (by) } }
                            td { (team.name(recorded.by)) }
                        }
                    }
                }
            }
        }
    };
    shown(ctx, desk, &exhibit_name(&exhibit), &body).await
}

async fn safeguarding(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let (lines, withheld) = desk.safeguarding(ctx.investigation()?).await?;
    let team = Team::of(desk).await?;
    let body = html! {
        (inset(&html! { p { "Nothing here waits for anything else. Avocet tells nobody: it records that you did. What was only sent never counts as a child made safe." } }))
        (begin(ctx, desk, "safeguarding"))
        @if withheld > 0 { (inset(&html! { p { "Lines for children that your role does not read: " (withheld) "." } })) }
        @if lines.is_empty() && withheld == 0 {
            (empty(&html! { p { strong { "Nothing is recorded." } } p { "A line of safeguarding is one body told or one power used, for one child or because of somebody’s work." } }))
        }
        ul.tasks {
            @for line in &lines {
                li {
                    div.task-what {
                        h2 { (line.id) ", " (upper(&line.state.title())) @if let Some(subject) = line.state.subject() { ", for " (subject) } }
                        p { (upper(&line.state.status())) }
                        (found(&team, &line.findings))
                        (folded(&deeds(ctx, desk, "safeguarding", "line", &line.id.to_string()), &line.id.to_string()))
                    }
                    div.task-do { @if line.state.is_closed() { (tag("plain", "Closed")) } @else if line.findings.is_empty() { (tag("good", "Nothing open")) } @else { (tag("wait", "To do")) } }
                }
            }
        }
    };
    shown(ctx, desk, "Safeguarding", &body).await
}

async fn orders(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let all = desk.orders(ctx.investigation()?).await?;
    let team = Team::of(desk).await?;
    let law = desk.law();
    let now = desk.now();
    let body = html! {
        (begin(ctx, desk, "orders"))
        @if all.is_empty() { (empty(&html! { p { strong { "No order is monitored." } } p { "An order or a set of notification requirements is entered with its lines; visits, notifications and device checks are recorded against them." } })) }
        ul.tasks {
            @for order in &all {
                @let kind = order.state.kind().unwrap_or_default();
                li {
                    div.task-what {
                        h2 { (order.id) ", " (law.orders.row(kind).map_or(kind, |row| row.value.title.as_str())) }
                        p {
                            @if let Some(officer) = order.state.officer() { "Managed by " (team.name(officer)) ". " }
                            @match order.state.until() { Some(until) => { "Ends " (uk(until)) ". " }, None => "Until further order. " }
                            @if let Some(seen) = order.state.last_seen() { "Last seen " (uk(seen)) "." }
                        }
                        @if !order.due.is_empty() {
                            ul { @for due in &order.due { li class=[due.late.then_some("late")] { (upper(&due.what)) ": " (view::due(due.late_from, now)) } } }
                        }
                        (found(&team, &order.findings))
                        @let lines = order.state.lines();
                        ol.lines { @for line in &lines { li value=(line.line.line) {
                            @match &line.line.row { Some(row) => (law.order_lines.row(row).map_or(row.as_str(), |row| row.value.title.as_str())), None => (order.words.get(&line.line.line).map_or("In the order’s own words", String::as_str)) }
                            @if let Some((_, when, held)) = &line.checked { " – " (held) ", " (uk(*when)) }
                        } } }
                        @if desk.holds(Right::RecordOrder) { p { a href={ "/investigations/" (ctx.investigation()?) "/orders/" (order.id) "/device" } { "A device was checked" span.unseen { " under " (order.id) } } } }
                        (folded(&deeds(ctx, desk, "orders", "thing", &order.id.to_string()), &order.id.to_string()))
                    }
                    div.task-do {
                        @if let Some((when, _)) = order.state.ended() { (tag("plain", &format!("Ended {}", view::day(when)))) }
                        @else if order.due.iter().any(|due| due.late) { (tag("late", "Late")) } @else { (tag("good", "In time")) }
                    }
                }
            }
        }
    };
    shown(ctx, desk, "Orders", &body).await
}

async fn outcome(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let id = ctx.investigation()?;
    let all = desk.outcomes(id).await?;
    let (settled, open) = desk.settled_counts(id).await?;
    let team = Team::of(desk).await?;
    let law = desk.law();
    let counted: Vec<Vec<Markup>> = settled
        .iter()
        .map(|line| {
            vec![html! { (line.category) }, html! { (line.medium) }, html! { (line.exhibit) }, html! { (line.count) }]
        })
        .collect();
    let body = html! {
        (begin(ctx, desk, "outcome"))
        @if all.is_empty() { (empty(&html! { p { strong { "No outcome is recorded." } } p { "One is recorded for each suspect: charges with the counts of their schedules, how they ended, and what is to happen to devices." } })) }
        ul.tasks {
            @for shown in &all {
                li {
                    div.task-what {
                        h2 { (shown.id) @if let Some(suspect) = shown.state.suspect() { ", " (suspect) } }
                        ul { @for charge in shown.state.charges() { li {
                            "Charge " (charge.number) ": " (law.offences.row(&charge.offence).map_or(charge.offence.as_str(), |row| row.value.title.as_str()))
                            ", " (uk(charge.when)) ", decided by " (charge.decided_by)
                            @if let Some((when, reason)) = &charge.ended { " – not pursued since " (uk(*when)) ": " (reason) }
                            @if !charge.disposals.is_empty() { " – " (charge.disposals.join(", ")) }
                        } } }
                        @let devices = shown.state.devices();
                        @if !devices.is_empty() { ul { @for (exhibit, device) in &devices { li { (exhibit) ": " (device.decision) ", " (device.authority) } } } }
                        (found(&team, &shown.findings))
                        (folded(&deeds(ctx, desk, "outcome", "thing", &shown.id.to_string()), &shown.id.to_string()))
                    }
                    div.task-do { @if shown.state.is_final() { (tag("good", "Ended")) } @else { (tag("wait", "Open")) } }
                }
            }
        }
        @if !counted.is_empty() {
            h2 { "What votes and moderation have settled" }
            p { "For a schedule: whether the user could get at the files, and the dates, are for a person to state. Contents not settled: " (open) "." }
            (table("Settled contents", &["Category", "Still or moving", "Device", "How many"], &counted))
        }
    };
    shown(ctx, desk, "Outcome", &body).await
}

async fn conflicts(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let id = ctx.investigation()?;
    let found = desk.conflicts(&id.to_string()).await?;
    let team = Team::of(desk).await?;
    let body = html! {
        p { "The same address, account, device or content in another record. What is the same is not shown, only that it is and whose record it is: talk to each other before you act." }
        (conflict_list(ctx, &team, &format!("/investigations/{id}/conflicts"), &found))
    };
    // The search is everywhere; the page is for whoever works on it.
    desk.may(Right::ReadInvestigation, Some(id)).await?;
    shown(ctx, desk, "The same elsewhere", &body).await
}

async fn note(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let id = ctx.investigation()?;
    desk.may(Right::ReadInvestigation, Some(id)).await?;
    note_conflict(ctx, desk, format!("/investigations/{id}/conflicts")).await
}

/// Kinds of entries that change nothing.
const LOOKS: [&str; 5] = ["viewed", "searched", "exported", "printed", "disclosed"];

async fn timeline(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let id = ctx.investigation()?;
    let mut told = desk.story(&id.to_string()).await?;
    let team = Team::of(desk).await?;
    // What somebody looked at is on record too, and would hide what happened.
    let all = told.len();
    let looks = ctx.query("looks").is_some();
    told.retain(|told| looks || !LOOKS.contains(&told.kind));
    let body = html! {
        p.quiet { (count(told.len(), "entry", "entries")) ", the latest first. What was corrected stays." }
        @if told.len() < all {
            p { a href={ "/investigations/" (id) "/timeline?looks=yes" } { "Show who looked too: " (count(all.saturating_sub(told.len()), "look", "looks")) } }
        }
        (story(&team, &told))
    };
    shown(ctx, desk, "Timeline", &body).await
}

/// Facts with their fields, the latest first.
fn story(team: &Team, told: &[Told]) -> Markup {
    html! {
        ol.timeline reversed {
            @for Told { recorded, kind } in told.iter().rev() {
                li {
                    h2 { (words(kind)) }
                    p.quiet { "Entry " (recorded.seq) ", " (uk(recorded.at)) ", by " (team.name(recorded.by)) }
                    @let fields = fields(team, &recorded.fact);
                    @if !fields.is_empty() {
                        dl.fields { @for (name, value) in &fields { div { dt { (words(name)) } dd { (value) } } } }
                    }
                }
            }
        }
    }
}

/// The fields of a fact that say something beside what its heading says.
fn fields(team: &Team, fact: &Value) -> Vec<(String, String)> {
    let mut all = vec![];
    gather(team, "", fact, &mut all);
    all
}

/// Fields that hold an instant.
const INSTANTS: [&str; 11] =
    ["when", "received", "acted", "until", "expires", "due", "known", "date", "review", "not_before", "change"];

fn gather(team: &Team, name: &str, value: &Value, all: &mut Vec<(String, String)>) {
    match value {
        Value::Null => {}
        Value::Object(map) if map.len() == 1 && map.contains_key("withheld") => {
            all.push((name.to_owned(), "not shown to your role".to_owned()));
        }
        Value::Object(map) if map.len() == 1 && map.contains_key("erased") => {
            all.push((name.to_owned(), "erased".to_owned()));
        }
        Value::Object(map) => {
            for (key, value) in map {
                // The heading says these.
                if matches!(key.as_str(), "event" | "investigation") || (key == "fact" && value.is_string()) {
                    continue;
                }
                let name = if key == "fact" || key == "lead" && value.is_object() { name } else { key.as_str() };
                gather(team, name, value, all);
            }
        }
        Value::Array(values) => {
            let plain: Vec<String> = values.iter().filter_map(|value| scalar(team, name, value)).collect();
            match plain.len() == values.len() {
                true if plain.is_empty() => {}
                true => all.push((name.to_owned(), plain.join(", "))),
                false => values.iter().for_each(|value| gather(team, name, value, all)),
            }
        }
        other => all.extend(scalar(team, name, other).map(|text| (name.to_owned(), text))),
    }
}

fn scalar(team: &Team, name: &str, value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(match text.parse::<UserId>() {
            Ok(user) => team.name(user),
            Err(_) => text.clone(),
        }),
        Value::Number(number) if INSTANTS.contains(&name) => number.as_i64().map(|ns| uk(At::from_ns(ns))),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(yes) => Some(if *yes { "yes" } else { "no" }.to_owned()),
        _ => None,
    }
}

async fn members(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let id = ctx.investigation()?;
    let team = Team::of(desk).await?;
    // Who assigns work need not work on it: then nothing of it is shown but this form.
    let (on, closed): (Option<Vec<UserId>>, Option<bool>) = match desk.overview(id).await {
        Ok(whole) => (Some(whole.members.into_iter().collect()), Some(whole.closed)),
        Err(RecordError::Unknown { .. } | RecordError::NotAllowed { .. }) => (None, None),
        Err(other) => return Err(other.into()),
    };
    let body = html! {
        @if let Some(on) = &on {
            ul.tasks { @for user in on { li {
                div.task-what { (team.name(*user)) }
                div.task-do { form method="post" action={ "/investigations/" (id) "/members" } {
                    (view::csrf(ctx))
                    input type="hidden" name="user" value=(user);
                    button.button.second type="submit" name="on" value="no" { "Take off" span.unseen { " " (team.name(*user)) } }
                } }
            } } }
        } @else { (inset(&html! { p { "You do not work on it, so who does is not shown." } })) }
        h2 { "Put somebody on it" }
        form method="post" action={ "/investigations/" (id) "/members" } {
            (view::csrf(ctx))
            div.field { label for="user" { "Who" } select #user name="user" { @for (value, name) in team.choices() { option value=(value) { (name) } } } }
            button.main type="submit" name="on" value="yes" { "Put on" }
        }
        h2 { "When it is done" }
        p { "A closed investigation leaves today’s order of work, but for what an order still asks. What is recorded later about danger or people opens it again." }
        form method="post" action={ "/investigations/" (id) "/closing" } {
            (view::csrf(ctx))
            div.field { label for="reason" { "Why; no person’s name" } input #reason name="reason" type="text" required; }
            @if closed != Some(true) {
                p { input #leaving type="checkbox" name="leaving" value="yes"; " " label for="leaving" { "Leave the clocks that still run; their names are kept" } }
                button.second type="submit" name="do" value="close" { "Close it" }
            }
            @if closed != Some(false) { " " button.second type="submit" name="do" value="open" { "Open it again" } }
        }
    };
    let title = format!("Who works on {id}");
    match on {
        Some(_) => shown(ctx, desk, &title, &body).await,
        None => Ok(Answer::Html(view::page(ctx, desk, &title, &body))),
    }
}

async fn set_member(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let id = ctx.investigation()?;
    let user: Option<UserId> = ctx.form.text("user").and_then(|id| id.parse().ok());
    let user = user.ok_or_else(|| Fault::Bad("Choose who. Go back and repeat it.".to_owned()))?;
    let on = ctx.form.text("on") == Some("yes");
    desk.set_member(id, user, on).await?;
    let team = Team::of(desk).await?;
    let told = format!("{} {} {id}.", team.name(user), if on { "works on" } else { "no longer works on" });
    ctx.told(format!("/investigations/{id}/members"), told)
}

async fn closing(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let id = ctx.investigation()?;
    let reason = ctx.form.text("reason").unwrap_or_default();
    let told = match ctx.form.text("do") {
        Some("open") => {
            desk.reopen_investigation(id, reason).await?;
            format!("{id} is open again.")
        }
        _ => {
            desk.close_investigation(id, reason, ctx.form.text("leaving") == Some("yes")).await?;
            format!("{id} is closed.")
        }
    };
    ctx.told(format!("/investigations/{id}/members"), told)
}

async fn look(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    Ok(Answer::Html(look_page(ctx, desk, &Default::default())))
}

fn look_page(ctx: &Ctx, desk: &Desk<'_>, wrong: &crate::form::Wrong) -> Markup {
    let fields = view::Fields { form: &ctx.form, wrong };
    let body = html! {
        (inset(&html! { p { "It is open to you for twelve hours. The ledger names you and your reason for ever." } }))
        (view::error_summary(wrong))
        form method="post" action="/investigations/look" {
            (view::csrf(ctx))
            (fields.text("investigation", "Number of the investigation", "Such as I-7."))
            (fields.text("reason", "Why", "No person’s name."))
            button.main type="submit" { "Open it" }
        }
    };
    view::page(ctx, desk, "Look into an investigation that you are not on", &body)
}

async fn break_glass(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let mut wrong = crate::form::Wrong::default();
    let id = ctx.form.text("investigation").and_then(|id| id.parse::<avocet_record::InvestigationId>().ok());
    let reason = crate::form::need(&ctx.form, &mut wrong, "reason", "why").to_owned();
    match id {
        Some(id) if wrong.is_none() => match desk.break_glass(id, &reason).await {
            Ok(()) => {
                return ctx.told(format!("/investigations/{id}"), format!("{id} is open to you for twelve hours."));
            }
            Err(RecordError::Unknown { .. }) => wrong.add("investigation", "There is no such investigation"),
            Err(other) => return Err(other.into()),
        },
        Some(_) => {}
        None => wrong.add("investigation", "Enter a number such as I-7"),
    }
    Ok(Answer::Wrong(look_page(ctx, desk, &wrong)))
}
