//! Leads as they came in: taking one in, and what it says, word for word.

use avocet_record::ReferralId;
use avocet_record::desk::{Conflict, Desk};
use avocet_record::identifier::IdentifierKind;
use avocet_record::intake::Lead;
use avocet_record::law::Right;
use avocet_record::{At, RecordError};
use maud::{Markup, html};

use super::today::pages;
use super::who::Team;
use crate::fault::{Fault, upper};
use crate::form::{Form, Wrong, need, need_time};
use crate::route::{Answer, Ctx, ORIGINAL_BYTES, Page, Route, Rule, form, route};
use crate::view::{self, Fields, empty, error_summary, inset, rows, table, tag, uk, uk_input, warning};

const REFERRALS: Rule = Rule::Any(&[Right::RecordReferral]);

pub fn routes() -> Vec<Route> {
    vec![
        route("/referrals", REFERRALS, list),
        route("/referrals/new", REFERRALS, new),
        form("/referrals/new", REFERRALS, take).up_to(ORIGINAL_BYTES),
        route("/referrals/{referral}", REFERRALS, show),
        route("/referrals/{referral}/original", REFERRALS, original),
        form("/referrals/{referral}/link", Rule::Any(&[Right::AssignInvestigation]), link),
        // Which investigation it is the record finds out, and asks there for the right to record IP events.
        form("/referrals/{referral}/ip-events", REFERRALS, take_ip_events),
        form("/referrals/{referral}/conflicts", Rule::Any(&[Right::CheckConflicts]), note),
    ]
}

async fn list(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let mut all = desk.referrals().await?;
    // What belongs to no investigation waits for somebody.
    all.sort_by_key(|row| (row.investigation.is_some(), row.received, row.id));
    let waiting = all.iter().filter(|row| row.investigation.is_none()).count();
    let from: usize = ctx.query("from").and_then(|n| n.parse().ok()).unwrap_or(0);
    let lines: Vec<Vec<Markup>> = all
        .iter()
        .skip(from)
        .take(25)
        .map(|row| {
            let source = desk.law().referral_sources.row(&row.source);
            let source = source.map_or(row.source.as_str(), |source| source.value.title.as_str());
            vec![
                html! { a href={ "/referrals/" (row.id) } { (row.id) } },
                html! { (source) },
                html! { (uk(row.received)) },
                html! {
                    @match row.investigation { Some(id) => (id), None => (tag("wait", "No investigation yet")) }
                },
                html! { @for flag in &row.flags { (tag("plain", &upper(&flag.to_string()))) " " } },
                html! { @if row.problems > 0 { (avocet_base::plural(row.problems, "thing", "things")) " not read" } },
            ]
        })
        .collect();
    let body = html! {
        div.actions { a.button href="/referrals/new" { "Take in a referral" } }
        @if all.is_empty() {
            (empty(&html! {
                p { strong { "No referral has come in." } }
                p { "A referral is a lead as somebody sent it: a report of a national body, of another force, of a member of the public. It is kept byte for byte." }
            }))
        } @else {
            p.quiet { (view::count(waiting, "belongs", "belong")) " to no investigation yet; these stand first." }
            (table("Referrals", &["Number", "Source", "Received", "Investigation", "What it says of itself", "Not read"], &lines))
            (pages(from, all.len(), "/referrals?from="))
        }
    };
    Ok(Answer::Html(view::page(ctx, desk, "Referrals", &body)))
}

async fn new(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let mut form = Form::default();
    form.or("received", uk_input(desk.now()));
    Ok(Answer::Html(new_page(ctx, desk, &form, &Wrong::default())))
}

fn new_page(ctx: &Ctx, desk: &Desk<'_>, form: &Form, wrong: &Wrong) -> Markup {
    let fields = Fields { form, wrong };
    let sources: Vec<(String, String)> = desk
        .law()
        .referral_sources
        .rows
        .iter()
        .map(|row| (row.id.clone(), format!("{}. {}", row.value.title, row.value.detail)))
        .collect();
    let most = avocet_base::size_text(ORIGINAL_BYTES as u64);
    let body = html! {
        (inset(&html! { p { "Nothing is refused for what it says. The original is kept as it came, encrypted; what cannot be read is counted and listed." } }))
        (error_summary(wrong))
        form method="post" action="/referrals/new" enctype="multipart/form-data" {
            (view::csrf(ctx))
            (fields.radios("source", "Where it comes from", "", &sources))
            (fields.time("received", "When it was received", "Clocks count from this. Times are those of the clocks in the United Kingdom."))
            (fields.file("file", "The original", &format!("XML, CSV or JSON are read; anything else is kept. At most {most}.")))
            (fields.area("text", "Or its text, where there is no file", "As it was sent or said, word for word."))
            button.main type="submit" { "Take it in" }
        }
    };
    view::page(ctx, desk, "Take in a referral", &body)
}

async fn take(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let mut wrong = Wrong::default();
    let source = need(&ctx.form, &mut wrong, "source", "where it comes from").to_owned();
    let received: At = need_time(&ctx.form, &mut wrong, "received");
    let bytes = match (ctx.form.file("file"), ctx.form.text("text")) {
        (Some(file), None) => file.to_vec(),
        (None, Some(text)) => text.as_bytes().to_vec(),
        (Some(_), Some(_)) => {
            wrong.add("file", "Give the file or the text, not both: one of them is the original");
            vec![]
        }
        (None, None) => {
            wrong.add("file", "Choose the file, or enter the text");
            vec![]
        }
    };
    if wrong.is_none() {
        match desk.receive(&bytes, None, &source, received).await {
            Ok((id, _)) => {
                return ctx.told(format!("/referrals/{id}"), format!("{id} is taken in. The original is kept."));
            }
            Err(RecordError::Refused(why)) => wrong.add("source", upper(&why)),
            Err(other) => return Err(other.into()),
        }
    }
    Ok(Answer::Wrong(new_page(ctx, desk, &ctx.form, &wrong)))
}

fn id(ctx: &Ctx) -> Result<ReferralId, Fault> {
    ctx.id("referral")
}

async fn show(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let id = id(ctx)?;
    let found = desk.referral(id).await?;
    let team = Team::of(desk).await?;
    let conflicts = match desk.holds(Right::CheckConflicts) {
        true => desk.conflicts(&id.to_string()).await?,
        false => vec![],
    };
    let source = desk.law().referral_sources.row(&found.row.source);
    let source = source.map_or(found.row.source.as_str(), |source| source.value.title.as_str());
    let body = html! {
        (rows(&[
            ("Source", html! { (source) }),
            ("Received", html! { (uk(found.row.received)) }),
            ("Investigation", html! {
                @match found.row.investigation {
                    Some(of) => a href={ "/investigations/" (of) } { (of) },
                    None => (tag("wait", "No investigation yet")),
                }
            }),
            ("Original", html! {
                span.mono { "SHA-256 " (found.original) } br;
                a href={ "/referrals/" (id) "/original" } { "Save the original" } " (recorded)"
            }),
        ]))
        @match found.row.investigation {
            None => div.actions {
                @if desk.holds(Right::AssignInvestigation) {
                    a.button href={ "/investigations/new?referral=" (id) } { "Open an investigation on it" }
                    form.search method="post" action={ "/referrals/" (id) "/link" } {
                        (view::csrf(ctx))
                        label.unseen for="investigation" { "Number of an investigation that is open" }
                        input #investigation type="text" name="investigation" placeholder="I-7";
                        button.button.second type="submit" { "Put it into this one" }
                    }
                }
            },
            Some(_) if desk.holds(Right::RecordIp) => form method="post" action={ "/referrals/" (id) "/ip-events" } {
                (view::csrf(ctx))
                button.main type="submit" { "Take its IP events into the investigation" }
            },
            Some(_) => {}
        }
        h2 { "The same elsewhere" }
        @if desk.holds(Right::CheckConflicts) {
            (conflict_list(ctx, &team, &format!("/referrals/{id}/conflicts"), &conflicts))
        } @else { p { "Your role does not look into other records." } }
        @match &found.lead {
            None => p { "What it says was erased." },
            Some(lead) => (lead_parts(lead)),
        }
    };
    Ok(Answer::Html(view::page(ctx, desk, &id.to_string(), &body)))
}

fn lead_parts(lead: &Lead) -> Markup {
    let not_modelled = lead.fields.iter().filter(|field| field.what.is_none()).count();
    let events: Vec<Vec<Markup>> = lead
        .ip_events
        .iter()
        .map(|event| {
            let or = |text: &Option<String>, none: &str| text.clone().unwrap_or_else(|| none.to_owned());
            vec![
                html! { span.mono { (event.address) } },
                html! { (or(&event.port, "not stated")) },
                html! { (or(&event.time, "not stated")) },
                html! { (or(&event.zone, "in the time, or not stated")) },
                html! { (or(&event.event, "")) },
                html! { span.mono { (event.path) } },
            ]
        })
        .collect();
    let fields: Vec<Vec<Markup>> = lead
        .fields
        .iter()
        .take(FIELDS)
        .map(|field| {
            vec![
                html! { @if field.line > 0 { (field.line) } },
                html! { span.mono { (field.path) } },
                html! { (field.text) @if field.what.is_none() { " " span.quiet { "(kept, not modelled)" } } },
            ]
        })
        .collect();
    html! {
        @if !lead.problems.is_empty() {
            (warning(&html! {
                p { strong { (view::count(lead.problems.len(), "thing was", "things were")) " not read." } " The original holds them." }
                ul { @for problem in lead.problems.iter().take(50) {
                    li { @if problem.line > 0 { "Line " (problem.line) ": " } (upper(&problem.what)) }
                } }
            }))
        }
        @if !lead.flags().is_empty() {
            h2 { "What it says of itself" }
            ul { @for flagged in lead.flags() { li { (upper(&flagged.flag.to_string())) " " span.quiet.mono { (flagged.path) } } } }
        }
        @if !events.is_empty() {
            h2 { "IP events" }
            (table("IP events in the source’s own words", &["Address", "Port", "Time", "Zone", "Event", "Where it stands"], &events))
        }
        h2 { "What it says" }
        p.quiet { (view::count(lead.fields.len(), "field", "fields")) ", " (not_modelled) " of them kept without being modelled. Copied from the original; nothing here is retyped." }
        (table("Fields of the original", &["Line", "Where", "Text"], &fields))
        @if lead.fields.len() > FIELDS {
            p { (lead.fields.len().saturating_sub(FIELDS)) " more fields are not shown here; save the original to see them all." }
        }
    }
}

/// Fields that one page shows.
const FIELDS: usize = 2000;

/// The same identifiers in other records, with what to do about each.
pub fn conflict_list(ctx: &Ctx, team: &Team, to: &str, conflicts: &[Conflict]) -> Markup {
    html! {
        @if conflicts.is_empty() {
            p { "Nothing of it stands in another record." }
        } @else {
            ul.tasks {
                @for (n, conflict) in conflicts.iter().enumerate() {
                    li {
                        div.task-what {
                            h3 { "Same " (kind(&conflict.kind)) ": " (conflict.subject) " and " (conflict.other) }
                            p {
                                @match (conflict.investigation, conflict.owner) {
                                    (Some(of), Some(owner)) => { "In " (of) ", led by " (team.name(owner)) ". " }
                                    _ => "In no investigation yet. ",
                                }
                                @if !conflict.strong { "Others may have the same by chance. " }
                                (view::count(usize::try_from(conflict.count).unwrap_or(0), "time", "times")) "."
                            }
                        }
                        div.task-do {
                            @match conflict.noted {
                                Some((true, by)) => { (tag("plain", "Dismissed")) " by " (team.name(by)) }
                                Some((false, by)) => { (tag("good", "Seen")) " by " (team.name(by)) }
                                None => details {
                                    summary { "Note that you looked" }
                                    form method="post" action=(to) {
                                        (view::csrf(ctx))
                                        input type="hidden" name="subject" value=(conflict.subject);
                                        input type="hidden" name="other" value=(conflict.other);
                                        div.field {
                                            label for={ "reason-" (n) } { "Why it matters, or does not" }
                                            textarea id={ "reason-" (n) } name="reason" rows="2" {}
                                        }
                                        div.actions {
                                            button.main type="submit" name="verdict" value="seen" { "It matters" }
                                            button.button.second type="submit" name="verdict" value="dismissed" { "It is nothing" }
                                        }
                                    }
                                },
                            }
                        }
                    }
                }
            }
        }
    }
}

fn kind(name: &str) -> String {
    IdentifierKind::named(name).map_or_else(|| name.to_owned(), |kind| kind.to_string())
}

/// Notes a conflict that a form names.
pub async fn note_conflict(ctx: &Ctx, desk: &Desk<'_>, back: String) -> Page {
    let subject = ctx.form.text("subject").unwrap_or_default();
    let other = ctx.form.text("other").unwrap_or_default();
    let reason = ctx
        .form
        .text("reason")
        .ok_or_else(|| Fault::Bad("Say why it matters or does not. Go back, and enter the reason.".to_owned()))?;
    let dismissed = ctx.form.text("verdict") == Some("dismissed");
    let seq = desk.note_conflict(subject, other, dismissed, reason).await?;
    ctx.told(back, format!("Recorded as entry {seq}."))
}

async fn note(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let id = id(ctx)?;
    note_conflict(ctx, desk, format!("/referrals/{id}")).await
}

async fn original(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let id = id(ctx)?;
    let bytes = desk.original(id).await?;
    Ok(Answer::File { kind: "application/octet-stream", name: format!("{id}.original"), bytes })
}

async fn link(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let id = id(ctx)?;
    let investigation = ctx.form.text("investigation").and_then(|text| text.parse().ok());
    let investigation = investigation.ok_or_else(|| {
        Fault::Bad("Enter the number of an investigation, such as I-7. Go back and repeat it.".to_owned())
    })?;
    let seq = desk.link_referral(investigation, id).await?;
    ctx.told(format!("/referrals/{id}"), format!("{id} belongs to {investigation} (entry {seq})."))
}

async fn take_ip_events(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let id = id(ctx)?;
    let (investigation, made) = desk.take_ip_events(id).await?;
    let told = match made.is_empty() {
        true => "Nothing new: each of its IP events is there already.".to_owned(),
        false => format!("Taken in the source’s words: {}.", made.join(", ")),
    };
    ctx.told(format!("/investigations/{investigation}/addresses"), told)
}
