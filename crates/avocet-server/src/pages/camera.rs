//! A camera that is a device's own, by what pictures state: unknown pictures by it come first in the queue.

use std::collections::BTreeMap;

use avocet_base::plural;
use avocet_record::RecordError;
use avocet_record::desk::Desk;
use avocet_record::law::Right;
use maud::{Markup, html};

use super::identification::{span, stated};
use super::sections::exhibit_name;
use crate::fault::{Fault, upper};
use crate::form::{Form, Wrong};
use crate::leads::Seen;
use crate::route::{Answer, Ctx, Page, Route, Rule, form, route};
use crate::view::{self, Fields, error_summary, inset};

const RECORD: Rule = Rule::Any(&[Right::RecordExhibit]);
/// Cameras to choose from; how many more there are is said.
const CHOICES: usize = 50;

pub fn routes() -> Vec<Route> {
    vec![
        route("/investigations/{i}/exhibits/{thing}/camera", RECORD, ask),
        form("/investigations/{i}/exhibits/{thing}/camera", RECORD, take),
    ]
}

async fn ask(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    Ok(Answer::Html(page(ctx, desk, &Form::default(), &Wrong::default()).await?))
}

async fn page(ctx: &Ctx, desk: &Desk<'_>, form: &Form, wrong: &Wrong) -> Result<Markup, Fault> {
    let id = ctx.investigation()?;
    let exhibit = desk.exhibit(ctx.id("thing")?).await?;
    let whole = desk.overview(id).await?;
    let found = stated(ctx, desk, &whole).await?;
    // One camera may state several numbers of its own; a statement is about maker and model.
    let mut names: BTreeMap<&str, Seen> = BTreeMap::new();
    for (camera, seen) in found.leads.cameras.iter().filter(|(camera, _)| !camera.name.is_empty()) {
        let all = names.entry(camera.name.as_str()).or_default();
        all.contents = all.contents.saturating_add(seen.contents);
        all.first = all.first.take().into_iter().chain(seen.first.clone()).min();
        all.last = all.last.take().into_iter().chain(seen.last.clone()).max();
    }
    let mut sorted: Vec<(&str, Seen)> = names.into_iter().collect();
    sorted.sort_by_key(|(_, seen)| std::cmp::Reverse(seen.contents));
    let choices: Vec<(String, String)> = sorted
        .iter()
        .take(CHOICES)
        .map(|(name, seen)| {
            let said = format!("{name} – {}, taken {}", plural(seen.contents, "content", "contents"), span(seen));
            ((*name).to_owned(), said)
        })
        .collect();
    let fields = Fields { form, wrong };
    let body = html! {
        (inset(&html! { p { "Unknown pictures by a device’s own camera are looked at first: they may be first-hand, and show a child who can still be found. It changes the order of work only and says nothing of who held the camera. It stays in the record." } }))
        (error_summary(wrong))
        form method="post" action=(ctx.path) {
            (view::csrf(ctx))
            @if !found.may_view { p.hint { "What pictures state of cameras is for those who may view media; write it as you know it." } }
            @if !choices.is_empty() { (fields.radios("camera", "Which camera, as pictures of this investigation state it", "", &choices)) }
            @else if found.may_view { p.hint { "No picture that can be read here states a camera." } }
            @if sorted.len() > CHOICES { p.quiet { (sorted.len().saturating_sub(CHOICES)) " more are not listed; write one below." } }
            @if !found.missing.is_empty() { p.quiet { "Not among them, because their sealed files are not here: " (found.missing.join(", ")) "." } }
            (fields.text("other", "Another one", "Maker and model, as pictures state them. Leave it empty if you chose one above."))
            div.actions {
                button.main type="submit" { "State it" }
                a href={ "/investigations/" (id) "/exhibits/" (exhibit.id) } { "Leave without stating" }
            }
        }
    };
    let head = desk.head(id).await?;
    Ok(view::investigation_page(ctx, desk, &head, &format!("A camera of {}", exhibit_name(&exhibit)), &body))
}

async fn take(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let id = ctx.investigation()?;
    let exhibit = desk.exhibit(ctx.id("thing")?).await?.id;
    let mut wrong = Wrong::default();
    let model = match (ctx.form.text("camera"), ctx.form.text("other")) {
        (Some(one), None) | (None, Some(one)) => Some(one),
        (Some(_), Some(_)) => {
            wrong.add("other", "Choose one, or write another, not both");
            None
        }
        (None, None) => {
            wrong.add("other", "Choose the camera, or write it as pictures state it");
            None
        }
    };
    if let Some(model) = model {
        match desk.state_camera(id, exhibit, model).await {
            Ok(seq) => {
                let told = format!("Recorded as entry {seq}. Unknown pictures by it come first from now on.");
                return ctx.told(format!("/investigations/{id}/exhibits/{exhibit}"), told);
            }
            Err(RecordError::Refused(why)) => wrong.add("", upper(&why)),
            Err(other) => return Err(other.into()),
        }
    }
    Ok(Answer::Wrong(page(ctx, desk, &ctx.form, &wrong).await?))
}
