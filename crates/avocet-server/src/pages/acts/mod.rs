//! Forms that record one fact. Each is a line of a table: where it is, who may, what it asks, and what fact it makes. The
//! page that asks and what takes the answer are made from the same line, so they cannot differ.

mod casework;
mod draft;
mod fields;
mod harm;
mod risk;

use avocet_record::RecordError;
use avocet_record::desk::Desk;
use avocet_record::law::Right;
use maud::{Markup, html};

use crate::fault::{Fault, upper};
use crate::form::{Form, Wrong};
use crate::route::{Answer, Ctx, ORIGINAL_BYTES, Page, Route, Rule, form, route};
use crate::view::{self, Fields, error_summary, inset};

pub use fields::{Field, From, Kind};

/// What a fact is about, and so where its form is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// The investigation's risk.
    Risk,
    /// Something new: the kind of event and the letter of its numbers.
    New(&'static str, &'static str),
    /// `{thing}`: the kind of event, which is also the name of its field.
    Thing(&'static str),
    /// `{thing}` is a child: the kind of event.
    Child(&'static str),
    /// `{thing}` is a person: an event about their welfare.
    Welfare,
    /// `{thing}` is a suspect: an arrest or interview begins.
    NewCustody,
    /// `{thing}` is an arrest or interview.
    Custody,
    /// A line of safeguarding begins, for the child that the form names.
    NewLine,
    /// A line of safeguarding begins, for the work that the form names.
    NewLineOfWork,
    /// `{line}`: one of safeguarding, which whoever is there may add to.
    Line,
}

/// What is put into a fact beside what the form asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fill {
    /// Nothing.
    Nothing,
    /// Who records it is the officer.
    Officer,
    /// An exhibit's power, parts and numbers.
    Taken,
    /// From whom and to whom.
    HandOver,
    /// The operator's answer is one value.
    Answer,
    /// The tool and its version are one value.
    Tool,
    /// The lines of an order.
    OrderLines,
    /// Who made the visit, and what was found of each line.
    Visit,
    /// The end and the lines of an order that is varied.
    Varied,
    /// The counts of the schedule to a charge.
    Schedule,
}

/// A form that records one fact.
#[derive(Debug)]
pub struct Act {
    /// Its address.
    pub path: &'static str,
    /// Who may.
    pub rights: &'static [Right],
    /// What it is about.
    pub of: Of,
    /// The fact's name.
    pub fact: &'static str,
    /// What it is called, as an instruction.
    pub title: &'static str,
    /// What to know before.
    pub intro: &'static str,
    /// What it asks.
    pub fields: &'static [Field],
    /// What else goes into the fact.
    pub fill: Fill,
    /// Where it goes on to, below the investigation.
    pub back: &'static str,
}

fn tables() -> impl Iterator<Item = &'static Act> {
    risk::ACTS.iter().chain(casework::ACTS).chain(harm::ACTS)
}

pub fn routes() -> Vec<Route> {
    tables()
        .flat_map(|act| {
            let rule = Rule::Any(act.rights);
            let most =
                if act.fields.iter().any(|field| field.kind == Kind::Digest) { Some(ORIGINAL_BYTES) } else { None };
            let taken = form(act.path, rule, async move |ctx, desk| take(act, ctx, desk).await);
            let taken = most.map_or(taken.clone(), |most| taken.up_to(most));
            [route(act.path, rule, async move |ctx, desk| ask(act, ctx, desk).await), taken]
        })
        .collect()
}

/// The acts that are done to one thing, by how their address goes on after it, for the links on its page.
pub fn links(desk: &Desk<'_>, before: &str, base: &str) -> Markup {
    let prefix = format!("{before}/");
    let all = tables().filter(|act| act.rights.iter().any(|right| desk.holds(*right)));
    let fitting = all.filter_map(|act| {
        act.path.strip_prefix(&prefix).filter(|rest| !rest.contains(['/', '{'])).map(|rest| (act, rest))
    });
    let all: Vec<_> = fitting.collect();
    html! {
        @if !all.is_empty() {
            ul.acts { @for (act, rest) in all { li { a href={ (base) "/" (rest) } { (act.title) } } } }
        }
    }
}

async fn ask(act: &'static Act, ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let mut form = Form::default();
    for field in act.fields {
        if field.kind == Kind::Time {
            form.or(field.name, view::uk_input(desk.now()));
        }
        if let Some(given) = ctx.query(field.name) {
            form.or(field.name, given);
        }
    }
    Ok(Answer::Html(page(act, ctx, desk, &form, &Wrong::default()).await?))
}

async fn page(act: &Act, ctx: &Ctx, desk: &Desk<'_>, form: &Form, wrong: &Wrong) -> Result<Markup, Fault> {
    let fields = Fields { form, wrong };
    let mut asked = vec![];
    for field in act.fields {
        asked.push(field.ask(ctx, desk, &fields).await?);
    }
    let title = match ctx.raw("thing").or_else(|| ctx.raw("line")) {
        Some(thing) => format!("{}: {thing}", act.title),
        None => act.title.to_owned(),
    };
    let has_file = act.fields.iter().any(|field| field.kind == Kind::Digest);
    let body = html! {
        @if !act.intro.is_empty() { (inset(&html! { p { (act.intro) } })) }
        (error_summary(wrong))
        form method="post" action=(ctx.path) enctype=[has_file.then_some("multipart/form-data")] {
            (view::csrf(ctx))
            @for field in &asked { (field) }
            div.actions {
                button.main type="submit" { "Record it" }
                a href={ "/investigations/" (ctx.raw("i").unwrap_or_default()) (act.back) } { "Leave without recording" }
            }
        }
    };
    let investigation = ctx.investigation()?;
    // Whoever is there may record what protects a child, on the investigation or not: then its name stays unknown.
    match desk.head(investigation).await {
        Ok(head) => Ok(view::investigation_page(ctx, desk, &head, &title, &body)),
        Err(RecordError::Unknown { .. } | RecordError::NotAllowed { .. }) => {
            Ok(view::page(ctx, desk, &format!("{title} in {investigation}"), &body))
        }
        Err(other) => Err(other.into()),
    }
}

async fn take(act: &'static Act, ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let mut wrong = Wrong::default();
    let draft = draft::of(act, ctx, desk, &mut wrong).await?;
    if let (true, Some(draft)) = (wrong.is_none(), draft) {
        match desk.record(&draft, None).await {
            Ok(done) => {
                let told = match done.made.is_empty() {
                    true => format!("Recorded as entry {}.", done.seq),
                    false => format!("{} recorded as entry {}.", done.made.join(", "), done.seq),
                };
                return ctx.told(back(act, ctx, desk).await?, told);
            }
            Err(RecordError::Refused(why)) => wrong.add("", upper(&why)),
            Err(other) => return Err(other.into()),
        }
    }
    Ok(Answer::Wrong(page(act, ctx, desk, &ctx.form, &wrong).await?))
}

/// Where to go on to: the section, or the first page for those who may not see it.
async fn back(act: &Act, ctx: &Ctx, desk: &Desk<'_>) -> Result<String, Fault> {
    let investigation = ctx.investigation()?;
    match desk.may(Right::ReadInvestigation, Some(investigation)).await {
        Ok(_) => {
            let back = act.back.replace("{thing}", ctx.raw("thing").unwrap_or_default());
            Ok(format!("/investigations/{investigation}{back}"))
        }
        Err(_) => Ok("/?whose=all".to_owned()),
    }
}
