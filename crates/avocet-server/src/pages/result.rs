//! The result of a grading: what is missing before it is extracted, the extracts that were made, and the reports of one.
//! Each page and file is rendered from an extract that is kept with the record, never from the votes themselves. No picture
//! is shown here.

use std::collections::BTreeMap;

use avocet_base::{Sha256, plural};
use avocet_examination::Level;
use avocet_known::Scheme;
use avocet_record::RecordError;
use avocet_record::desk::{Desk, Overview};
use avocet_record::event::Act;
use avocet_record::exhibit::Fate;
use avocet_record::law::Right;
use avocet_record::review::{GradedBy, GradedCount, GradingReport, NONE_OF_THESE, SCHEDULE_NOTE};
use maud::{Markup, PreEscaped, html};

use super::examinations::by_result;
use super::investigation::standing;
use super::sections::shown;
use super::who::Team;
use crate::fault::{Fault, upper};
use crate::form::{Form, Wrong};
use crate::route::{Answer, Ctx, Page, Route, Rule, form, route};
use crate::view::{self, Fields, count, empty, error_summary, inset, options, rows, table, tag, uk, warning};

const EXTRACT: Rule = Rule::Any(&[Right::ExtractGrading]);

pub fn routes() -> Vec<Route> {
    vec![
        route("/investigations/{i}/result", EXTRACT, list),
        form("/investigations/{i}/result", EXTRACT, make),
        route("/investigations/{i}/result/{extract}", EXTRACT, one),
        route("/investigations/{i}/result/{extract}/schedule", EXTRACT, schedule),
        route("/investigations/{i}/result/{extract}/page", EXTRACT, sheet),
        form("/investigations/{i}/result/{extract}/export", EXTRACT, export),
    ]
}

/// What stands in the way of an extract, and what is only missing from it.
struct Missing {
    /// Without these there is nothing to extract.
    first: Vec<Markup>,
    /// With these it is not the whole.
    open: Vec<String>,
}

async fn missing(ctx: &Ctx, desk: &Desk<'_>, whole: &Overview) -> Result<Missing, Fault> {
    let base = format!("/investigations/{}/examinations", whole.id);
    let mut first = vec![];
    if whole.examinations.is_empty() {
        first.push(html! { a href=(base) { "No examination is attached." } " There is nothing to grade yet." });
    }
    if whole.policy.is_none() {
        first.push(html! { a href=(base) { "Nobody has said what is graded." } " A supervisor sets it." });
    }
    let mut open = vec![];
    for exhibit in whole.exhibits.iter().filter(|exhibit| exhibit.state.fate() == Fate::Held) {
        if !whole.examinations.iter().any(|examination| examination.exhibit == exhibit.id) {
            open.push(format!("{} has no examination", exhibit.id));
        }
    }
    for attached in whole.examinations.iter().filter(|attached| attached.replaced_by.is_none()) {
        let (id, exhibit) = (attached.id, attached.exhibit);
        if attached.interim {
            open.push(format!("{id} of {exhibit} is interim: its examination had not ended. Attach the whole result"));
        }
        match by_result(ctx, attached.result_digest) {
            Some(found) => {
                let bad = found.completeness.iter().filter(|line| matches!(line.level, Level::Alarm | Level::Gap));
                match bad.count() {
                    0 => {}
                    n => {
                        let gaps = count(n, "gap or alarm", "gaps or alarms");
                        open.push(format!("{id} of {exhibit} is not complete: {gaps} in its statement"));
                    }
                }
            }
            None => open.push(format!("how complete {id} of {exhibit} is is not known: its sealed file is not here")),
        }
    }
    let to_grade: u64 = match whole.policy {
        Some(_) => desk.progress(whole.id).await?.to_grade.values().sum(),
        None => 0,
    };
    for (n, what) in [
        (standing(whole, "disagreement"), "graded differently by two people, and nobody has moderated it"),
        (standing(whole, "second-view"), "waiting for a second view"),
        (standing(whole, "to-moderate"), "drawn for moderation, which is not done"),
        (to_grade, "queued and not graded yet"),
    ] {
        if n > 0 {
            open.push(format!("{} {what}", plural(n, "content is", "contents are")));
        }
    }
    Ok(Missing { first, open })
}

async fn list(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    Ok(Answer::Html(list_page(ctx, desk, &Form::default(), &Wrong::default()).await?))
}

async fn list_page(ctx: &Ctx, desk: &Desk<'_>, form: &Form, wrong: &Wrong) -> Result<Markup, Fault> {
    let id = ctx.investigation()?;
    let whole = desk.overview(id).await?;
    let team = Team::of(desk).await?;
    let missing = missing(ctx, desk, &whole).await?;
    let made = desk.grading_extracts(id).await?;
    let fields = Fields { form, wrong };
    let lines: Vec<Vec<Markup>> = made
        .iter()
        .map(|extract| {
            vec![
                html! {
                    @if extract.kept { a href={ "/investigations/" (id) "/result/" (extract.digest) } { (uk(extract.at)) } }
                    @else { (uk(extract.at)) br; span.quiet { "its bytes are not kept here" } }
                },
                html! { (team.name(extract.by)) },
                html! { (extract.contents) },
                html! { span.mono { (extract.digest) } },
            ]
        })
        .collect();
    let body = html! {
        (error_summary(wrong))
        p { "What was graded is written down once, as an extract. Every schedule, page and file comes from it and from nothing else; its SHA-256 stands on the ledger." }
        @if !missing.first.is_empty() {
            (warning(&html! { p { strong { "It cannot be made yet." } } ul { @for why in &missing.first { li { (why) } } } }))
        } @else {
            @if missing.open.is_empty() { p { (tag("good", "Nothing is missing")) } }
            @else {
                (warning(&html! { p { strong { (count(missing.open.len(), "thing is", "things are")) " still open." } } ul { @for why in &missing.open { li { (upper(why)) "." } } } }))
            }
            form method="post" action=(ctx.path) {
                (view::csrf(ctx))
                @if !missing.open.is_empty() {
                    (fields.checks("open", "Make it all the same?", "The extract says how many contents have no category and where they stand. It can be made again later.", &options(&[("yes", "Yes, as it stands today")])))
                }
                div.actions { button.main type="submit" { "Make an extract" } }
            }
        }
        h2 { "Extracts" }
        @if lines.is_empty() {
            (empty(&html! { p { strong { "None was made yet." } } p { "Each extract stays here with its digest, so that a page printed today can be held against it next year." } }))
        } @else {
            (table("Extracts that were made, the latest first", &["Made", "By", "Contents with a category", "SHA-256"], &lines))
        }
    };
    let head = desk.head(id).await?;
    Ok(view::investigation_page(ctx, desk, &head, "Result of the grading", &body))
}

async fn make(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let id = ctx.investigation()?;
    let whole = desk.overview(id).await?;
    let missing = missing(ctx, desk, &whole).await?;
    let mut wrong = Wrong::default();
    if !missing.first.is_empty() {
        wrong.add("", "It cannot be made yet");
    } else if !missing.open.is_empty() && ctx.form.text("open") != Some("yes") {
        wrong.add("open", "Say that it is to be made as it stands, or finish what is open first");
    }
    if wrong.is_none() {
        match desk.grading_extract(id).await {
            Ok((_, digest)) => {
                let told = "The extract is made. Its digest stands on the ledger.";
                return ctx.told(format!("/investigations/{id}/result/{digest}"), told);
            }
            Err(RecordError::Refused(why)) => wrong.add("", upper(&why)),
            Err(other) => return Err(other.into()),
        }
    }
    Ok(Answer::Wrong(list_page(ctx, desk, &ctx.form, &wrong).await?))
}

/// The extract in the address. What it is opened for stands on the ledger.
async fn opened(ctx: &Ctx, desk: &Desk<'_>, act: Act, purpose: &str) -> Result<(GradingReport, String), Fault> {
    let digest: Sha256 = ctx.id("extract")?;
    let (report, text) = desk.grading_extract_kept(ctx.investigation()?, digest, act, purpose).await?;
    let scheme = Scheme::named(&report.extract.scheme);
    Ok((report.holding_apart(scheme.iter().flat_map(Scheme::silent)), text))
}

/// What each category means, where its scheme comes with the program.
struct Meanings(Option<Scheme>);

impl Meanings {
    fn of(scheme: &str) -> Self {
        Self(Scheme::named(scheme))
    }

    fn of_code(&self, code: &str) -> Option<String> {
        if code.eq_ignore_ascii_case(NONE_OF_THESE) {
            return Some("None of these".to_owned());
        }
        self.0.as_ref()?.category(code).map(|category| category.meaning.clone())
    }

    fn named(&self, code: &str) -> Markup {
        html! { strong { (code) } @if let Some(meaning) = self.of_code(code) { " " span.quiet { (meaning) } } }
    }
}

/// Contents of one category and medium: viewed, accepted in group, by exact match; the earliest and latest date.
#[derive(Default)]
struct Together {
    by: BTreeMap<GradedBy, u64>,
    first: Option<i64>,
    last: Option<i64>,
}

fn together(lines: &[GradedCount]) -> BTreeMap<(&str, bool), Together> {
    let mut all: BTreeMap<(&str, bool), Together> = BTreeMap::new();
    for line in lines {
        let sum = all.entry((line.category.as_str(), line.moving)).or_default();
        let n = sum.by.entry(line.by).or_default();
        *n = n.saturating_add(line.count);
        sum.first = sum.first.into_iter().chain(line.first).min();
        sum.last = sum.last.into_iter().chain(line.last).max();
    }
    all
}

fn totals(report: &GradingReport, meanings: &Meanings) -> Markup {
    let lines: Vec<Vec<Markup>> = together(&report.extract.totals)
        .into_iter()
        .map(|((category, moving), sum)| {
            let of = |by: GradedBy| sum.by.get(&by).copied().unwrap_or(0);
            vec![
                meanings.named(category),
                html! { (if moving { "moving" } else { "still" }) },
                html! { (of(GradedBy::Viewed)) },
                html! { (of(GradedBy::AcceptedInGroup)) },
                html! { (of(GradedBy::ExactMatch)) },
                html! { strong { (sum.by.values().sum::<u64>()) } },
            ]
        })
        .collect();
    let heads = ["Category", "Still or moving", "Viewed", "Accepted in group", "By exact match", "Together"];
    table("Different contents by category, all devices together", &heads, &lines)
}

fn device(line: &GradedCount) -> String {
    line.exhibit.map_or_else(|| "not stated".to_owned(), |exhibit| exhibit.to_string())
}

fn live(line: &GradedCount) -> &str {
    line.state.as_deref().unwrap_or("not stated")
}

fn devices(report: &GradingReport) -> Markup {
    let lines: Vec<Vec<Markup>> = report
        .extract
        .by_device
        .iter()
        .map(|line| {
            vec![
                html! { (device(line)) },
                html! { strong { (line.category) } },
                html! { (line.medium()) },
                html! { (live(line)) },
                html! { (line.by.words()) },
                html! { (line.count) },
                html! { (line.dates()) },
            ]
        })
        .collect();
    let heads = ["Device", "Category", "Still or moving", "State", "On what it rests", "Contents", "File dates"];
    table("The same for each device. A content on several devices is counted for each", &heads, &lines)
}

/// Where contents without a category stand, in words.
fn where_words(outcome: &str) -> &str {
    match outcome {
        "undecided" => "not graded",
        "second-view" => "waiting for a second view",
        "disagreement" => "graded differently by two people",
        other => other,
    }
}

async fn one(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    Ok(Answer::Html(one_page(ctx, desk, &Form::default(), &Wrong::default()).await?))
}

async fn one_page(ctx: &Ctx, desk: &Desk<'_>, form: &Form, wrong: &Wrong) -> Result<Markup, Fault> {
    let id = ctx.investigation()?;
    let (report, _) = opened(ctx, desk, Act::Viewed, "what was graded").await?;
    let extract = &report.extract;
    let team = Team::of(desk).await?;
    let made = desk.grading_extracts(id).await?;
    let made = made.iter().rfind(|made| made.digest == report.digest);
    let meanings = Meanings::of(&extract.scheme);
    let base = format!("/investigations/{id}/result/{}", report.digest);
    let mut form_with = Form::default();
    for field in ["what", "unviewed"] {
        if let Some(text) = form.text(field) {
            form_with.or(field, text);
        }
    }
    form_with.or("unviewed", "no");
    let fields = Fields { form: &form_with, wrong };
    let without: u64 = extract.without.values().sum();
    let unviewed: u64 =
        extract.totals.iter().filter(|line| line.by == GradedBy::ExactMatch).map(|line| line.count).sum();
    let formats = options(&[
        ("extract", "The extract itself: what every report is made from, byte for byte"),
        ("vics", "VICS 2.0, for other programs"),
        ("csv", "CSV, for a spreadsheet"),
    ]);
    let choices = options(&[("no", "Leave out what no person viewed"), ("yes", "Give that out too, with its basis")]);
    let body = html! {
        (error_summary(wrong))
        @if let Some(interim) = report.interim_words() { (warning(&html! { p { strong { (interim) } } })) }
        @if without > 0 {
            (warning(&html! {
                p { strong { (plural(without, "content has", "contents have")) " no category." } " They are counted here and in no line below." }
                ul { @for (outcome, n) in &extract.without { li { (n) ": " (where_words(outcome)) } } }
                @if extract.said_otherwise > 0 { p { "For " (extract.said_otherwise) " of them a set says one that is not counted, because it is of another scheme or sets differ." } }
            }))
        }
        div.actions {
            a.button href={ (base) "/schedule" } { "Schedule to a charge" }
            a.button href={ (base) "/page" } { "One page to print" }
        }
        @if extract.totals.is_empty() { (empty(&html! { p { strong { "No content has a category." } } })) }
        @else { (totals(&report, &meanings)) (devices(&report)) }
        (inset(&html! { p { strong { "By exact match" } ": a known set has the very same content; no person of this record viewed it. " strong { "Accepted in group" } ": accepted with a picture that looks the same and was viewed. " strong { "Live" } ": a file of it is there and not deleted. Dates are those that file systems state, as the device recorded them." } }))
        h2 { "Save as a file" }
        form method="post" action={ (base) "/export" } {
            (view::csrf(ctx))
            (fields.radios("what", "Which file", "", &formats))
            (fields.radios("unviewed", "In VICS and CSV", &format!("{} here by exact match alone. What you choose stands on the ledger.", plural(unviewed, "content is", "contents are")), &choices))
            div.actions { button.main type="submit" { "Save it" } }
        }
        h2 { "About this extract" }
        (rows(&[
            ("Made", html! { @if let Some(made) = made { (uk(made.at)) " by " (team.name(made.by)) ", entry " (made.seq) } @else { "not stated" } }),
            ("SHA-256", html! { span.mono { (report.digest) } }),
            ("Scheme", html! { (extract.scheme) }),
            ("What was to be graded", html! { (upper(&report.policy())) }),
        ]))
        p { a href={ "/investigations/" (id) "/result" } { "All extracts" } }
    };
    let head = desk.head(id).await?;
    Ok(view::investigation_page(ctx, desk, &head, "Result of the grading", &body))
}

async fn schedule(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let id = ctx.investigation()?;
    let (report, _) = opened(ctx, desk, Act::Viewed, "the schedule of what was graded").await?;
    let meanings = Meanings::of(&report.extract.scheme);
    let part = |moving: bool| -> Vec<Vec<Markup>> {
        let of = report.scheduled().filter(|line| line.moving == moving);
        of.map(|line| {
            vec![
                meanings.named(&line.category),
                html! { (device(line)) },
                html! { (live(line)) },
                html! { (line.by.words()) },
                html! { (line.dates()) },
                html! { strong { (line.count) } },
            ]
        })
        .collect()
    };
    let heads = ["Category", "Device", "State", "On what it rests", "File dates", "Contents"];
    let body = html! {
        div.sheet {
            @if let Some(interim) = report.interim_words() { p { strong { (interim) } } }
            p { (id) ", by category in the scheme " (report.extract.scheme) ", still and moving apart." }
            @for (moving, title) in [(false, "Still"), (true, "Moving")] {
                h2 { (title) }
                @let lines = part(moving);
                @if lines.is_empty() { p { "None." } } @else { (table(&format!("{title}, for each device"), &heads, &lines)) }
            }
            @if let Some(apart) = report.apart_words() { p { (apart) } }
            p { (SCHEDULE_NOTE) " A category that is an offence of its own, as its meaning says, is charged apart." }
            p { "Extract: SHA-256 " span.mono { (report.digest) } }
        }
        div.actions { a.button.second href={ "/investigations/" (id) "/result/" (report.digest) } { "Back to the result" } }
    };
    shown(ctx, desk, "Indecent photographs or pseudo-photographs", &body).await
}

async fn sheet(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let id = ctx.investigation()?;
    let (report, _) = opened(ctx, desk, Act::Viewed, "one page of what was graded").await?;
    let summary = report.summary().map_err(|_| Fault::Server("make the page"))?;
    let body = html! {
        // Escaped where it is made, by the template that the command line uses too.
        div.sheet { (PreEscaped(summary)) }
        div.actions { a.button.second href={ "/investigations/" (id) "/result/" (report.digest) } { "Back to the result" } }
    };
    shown(ctx, desk, &format!("{id}: what was graded"), &body).await
}

async fn export(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let unviewed = ctx.form.text("unviewed") == Some("yes");
    let choice = if unviewed { "with what no person viewed" } else { "without what no person viewed" };
    let mut wrong = Wrong::default();
    let purpose = match ctx.form.text("what") {
        Some("extract") => "the extract itself".to_owned(),
        Some("vics") => format!("VICS 2.0, {choice}"),
        Some("csv") => format!("CSV, {choice}"),
        _ => {
            wrong.add("what", "Choose which file");
            return Ok(Answer::Wrong(one_page(ctx, desk, &ctx.form, &wrong).await?));
        }
    };
    let id = ctx.investigation()?;
    let (report, text) = opened(ctx, desk, Act::Exported, &purpose).await?;
    let json = "application/json";
    let (kind, name, text) = match ctx.form.text("what") {
        Some("vics") => (json, format!("{id}.vics.json"), report.vics(unviewed).text),
        Some("csv") => {
            let exported = report.csv(unviewed).map_err(|_| Fault::Server("make the file"))?;
            ("text/csv; charset=utf-8", format!("{id}.csv"), exported.text)
        }
        _ => (json, format!("{id}.grading.json"), text),
    };
    Ok(Answer::File { kind, name, bytes: text.into_bytes() })
}
