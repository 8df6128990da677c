//! A search over what one may see. What is sought is sent as a form, so that it stands in no address and no history.

use avocet_record::RecordError;
use avocet_record::desk::{Desk, SearchHit, Searched};
use avocet_record::law::Right;
use maud::{Markup, html};

use crate::fault::upper;
use crate::form::{Form, Wrong};
use crate::route::{Answer, Ctx, Page, Route, Rule, form, route};
use crate::view::{self, Fields, empty, error_summary, inset, table};

const SEARCH: Rule = Rule::Any(&[Right::SeeQueue]);

pub fn routes() -> Vec<Route> {
    vec![route("/search", SEARCH, ask), form("/search", SEARCH, answer)]
}

async fn ask(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    Ok(Answer::Html(page(ctx, desk, &Form::default(), &Wrong::default(), None)))
}

async fn answer(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let mut wrong = Wrong::default();
    let sought = crate::form::need(&ctx.form, &mut wrong, "sought", "what to search for");
    if wrong.is_none() {
        match desk.search(sought).await {
            Ok(found) => return Ok(Answer::Html(page(ctx, desk, &ctx.form, &wrong, Some(&found)))),
            Err(RecordError::Refused(why)) => wrong.add("sought", upper(&why)),
            Err(other) => return Err(other.into()),
        }
    }
    Ok(Answer::Wrong(page(ctx, desk, &ctx.form, &wrong, None)))
}

/// Where something is, by its id.
fn place(hit: &SearchHit) -> Option<String> {
    let Some(investigation) = hit.investigation else { return Some(format!("/referrals/{}", hit.subject)) };
    let base = format!("/investigations/{investigation}");
    match hit.subject.split('-').next()? {
        "I" => Some(base),
        "E" => Some(format!("{base}/exhibits/{}", hit.subject)),
        "P" => Some(format!("{base}/people/{}", hit.subject)),
        "N" => Some(format!("{base}/addresses")),
        "R" => Some(format!("/referrals/{}", hit.subject)),
        _ => None,
    }
}

fn page(ctx: &Ctx, desk: &Desk<'_>, form: &Form, wrong: &Wrong, found: Option<&Searched>) -> Markup {
    let fields = Fields { form, wrong };
    let body = html! {
        (error_summary(wrong))
        form method="post" action="/search" {
            (view::csrf(ctx))
            (fields.text("sought", "What to search for", "A number such as E-3, words of a title, a reference, an address, a telephone number, a name, a serial number, the SHA-256 of a picture."))
            button.main type="submit" { "Search" }
        }
        @match found {
            None => (inset(&html! {
                p { "It looks in the investigations that you work on, and in each only at what your role reads. Each search is an entry of the ledger: that you searched and where something was found, never what you typed." }
                p { "Whether the same identifier stands in somebody else’s record is on an investigation’s page, under Same elsewhere." }
            })),
            Some(found) if found.hits.is_empty() => (empty(&html! {
                p { strong { "Nothing was found." } }
                p { "Searched: " (avocet_base::plural(found.investigations, "investigation", "investigations")) " that you work on. Try fewer letters, or another spelling." }
            })),
            Some(found) => {
                @let lines: Vec<Vec<Markup>> = found.hits.iter().map(|hit| vec![
                    html! { @match place(hit) { Some(to) => a href=(to) { (hit.subject) }, None => (hit.subject) } },
                    html! { @match hit.investigation { Some(id) => a href={ "/investigations/" (id) } { (id) }, None => "none yet" } },
                    html! { (upper(&hit.place)) },
                ]).collect();
                h2 { (view::count(found.hits.len(), "place", "places")) " found in " (avocet_base::plural(found.investigations, "investigation", "investigations")) }
                @if found.more { (inset(&html! { p { "There is more than is shown. Search for something longer." } })) }
                (table("What was found", &["What", "Investigation", "Where in it"], &lines))
            }
        }
    };
    view::page(ctx, desk, "Search", &body)
}
