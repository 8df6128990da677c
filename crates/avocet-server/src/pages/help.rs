//! Help.

use avocet_record::desk::Desk;
use maud::html;

use crate::route::{Answer, Ctx, Page, Route, Rule, route};
use crate::view;

pub fn routes() -> Vec<Route> {
    vec![route("/help", Rule::SignedIn, help)]
}

async fn help(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let body = html! {
        h2 { "What comes first" }
        p { "A child who may be in danger now. Say so on the investigation’s page, whether you work on it or not; nothing here has to be filled in before." }
        p { "Avocet keeps records. It tells nobody: social care, a control room or a court is told by you, and you record that you did." }
        h2 { "How the order on the first page is made" }
        ol {
            li { "investigations in which a child may be in danger now" }
            li { "those with a clock that has run out" }
            li { "the level, then its deadline, then the time of receipt" }
        }
        p { "Each line says why it stands where it does." }
        h2 { "What is written is kept" }
        p { "Every change is an entry that nobody can alter. What was wrong is corrected by another entry, and both stay visible. Looking at an investigation is an entry too." }
        p { "Names and words about people are encrypted. Do not write them into titles, references or fields that say “no person’s name”." }
        h2 { "Times" }
        p { "Times are those of the clocks in the United Kingdom. Where the clocks showed a time twice the form asks which is meant. For another zone add it: 2026-11-20T09:30+01:00." }
        h2 { "When something does not work" }
        p { "Each message says what happened and what to do. “There is nothing here” also stands for what is not yours to see: ask who leads the work." }
        p { "You are signed out after half an hour without use, and after twelve hours in any case. Nothing that was recorded is lost." }
        h2 { "For yourself" }
        p { "This work wears people out. Talk to your supervisor or your force’s occupational health before it does; no page here counts how fast you are." }
    };
    Ok(Answer::Html(view::page(ctx, desk, "Help", &body)))
}
