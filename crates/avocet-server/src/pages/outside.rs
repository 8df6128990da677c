//! Grades that come from outside the review screen: one that a person gave by viewing the content elsewhere, and a list of
//! what a set says. Nothing is shown here.

use avocet_base::{Sha256, plural};
use avocet_known::{Grade, Scheme, read_grades};
use avocet_record::desk::{Desk, SetSays, Stated};
use avocet_record::law::Right;
use avocet_record::review::NONE_OF_THESE;
use avocet_record::vote::{Category, CategoryError, SetRef};
use avocet_record::{InvestigationId, RecordError};
use maud::{Markup, html};
use serde_json::json;

use crate::fault::{Fault, upper};
use crate::form::{Form, Wrong, need};
use crate::route::{Answer, Ctx, ORIGINAL_BYTES, Page, Route, Rule, form, route};
use crate::view::{self, Fields, error_summary, inset, options};

const VOTE: Rule = Rule::Any(&[Right::Vote]);
const IMPORT: Rule = Rule::Any(&[Right::AttachExamination]);

pub fn routes() -> Vec<Route> {
    vec![
        route("/investigations/{i}/votes/stated", VOTE, ask_vote),
        form("/investigations/{i}/votes/stated", VOTE, vote),
        route("/investigations/{i}/votes/import", IMPORT, ask_list),
        form("/investigations/{i}/votes/import", IMPORT, list).up_to(ORIGINAL_BYTES),
    ]
}

async fn shown(ctx: &Ctx, desk: &Desk<'_>, id: InvestigationId, title: &str, body: &Markup) -> Result<Markup, Fault> {
    Ok(view::investigation_page(ctx, desk, &desk.head(id).await?, title, body))
}

async fn ask_vote(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    Ok(Answer::Html(vote_page(ctx, desk, &Form::default(), &Wrong::default()).await?))
}

async fn vote_page(ctx: &Ctx, desk: &Desk<'_>, form: &Form, wrong: &Wrong) -> Result<Markup, Fault> {
    let id = ctx.investigation()?;
    let fields = Fields { form, wrong };
    let body = match desk.scheme_of(id).await {
        Err(RecordError::Refused(_)) => view::empty(
            &html! { p { strong { "Nobody has said what is graded." } } p { "A supervisor sets it under " a href={ "/investigations/" (id) "/examinations" } { "Examinations" } "; then it has a scheme to grade in." } },
        ),
        Err(other) => return Err(other.into()),
        Ok(scheme) => {
            let known = Scheme::find_builtin(&scheme.id).filter(|known| known.version == scheme.version);
            let mut choices: Vec<(String, String)> = known
                .iter()
                .flat_map(|known| &known.categories)
                .map(|category| (category.code.clone(), format!("{}: {}", category.code, category.meaning)))
                .collect();
            let listed = !choices.is_empty();
            choices.push((NONE_OF_THESE.to_owned(), "None of these".to_owned()));
            html! {
                (inset(&html! { p { "For a content that you viewed with another program. It counts like a grade from the review screen, with your name: do not state what somebody else saw. What is before you in the review screen is graded there." } }))
                (error_summary(wrong))
                form method="post" action=(ctx.path) {
                    (view::csrf(ctx))
                    (fields.text("sha256", "SHA-256 of the content", "64 letters and digits."))
                    @if listed { (fields.radios("category", &format!("Category in {scheme}"), "", &choices)) }
                    @else { (fields.text("category", &format!("Category in {scheme}"), "As the scheme writes it, or none.")) }
                    @if desk.holds(Right::Moderate) { (fields.radios("purpose", "What for", "", &options(&[("grading", "To grade it"), ("second_view", "As a second view"), ("moderation", "To moderate it")]))) }
                    @else { (fields.radios("purpose", "What for", "", &options(&[("grading", "To grade it"), ("second_view", "As a second view")]))) }
                    div.actions { button.main type="submit" { "I viewed it: record the grade" } a href={ "/investigations/" (id) "/examinations" } { "Leave without recording" } }
                }
            }
        }
    };
    shown(ctx, desk, id, "State a grade given elsewhere", &body).await
}

async fn vote(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let id = ctx.investigation()?;
    let mut wrong = Wrong::default();
    let sha256: Option<Sha256> = ctx.form.text("sha256").and_then(|text| text.parse().ok());
    if sha256.is_none() {
        wrong.add("sha256", "Enter the SHA-256: 64 letters and digits");
    }
    let category: Option<Category> = ctx.form.text("category").and_then(|text| text.parse().ok());
    if category.is_none() {
        wrong.add("category", "Choose the category");
    }
    let purpose = ctx.form.text("purpose").filter(|what| ["grading", "second_view", "moderation"].contains(what));
    if purpose.is_none() {
        wrong.add("purpose", "Choose what it is for");
    }
    if let (Some(sha256), Some(category), Some(purpose)) = (sha256, category, purpose) {
        let recorded = async {
            let scheme = desk.scheme_of(id).await?;
            let known = Scheme::find_builtin(&scheme.id).filter(|known| known.version == scheme.version);
            let code = category.as_str();
            let is_one =
                code.eq_ignore_ascii_case(NONE_OF_THESE) || known.is_none_or(|known| known.category(code).is_some());
            if !is_one {
                return Err(RecordError::Refused(format!("{code} is no category of {scheme}")));
            }
            let draft = json!({"event": "vote", "investigation": id, "fact": {"fact": "voted", "investigation": id,
                "sha256": sha256, "scheme": scheme, "category": category, "basis": {"kind": "viewed"},
                "purpose": purpose, "blind": false}});
            desk.record(&draft, None).await
        };
        match recorded.await {
            Ok(done) => {
                let told = format!("Recorded as entry {}.", done.seq);
                return ctx.told(format!("/investigations/{id}/examinations"), told);
            }
            Err(RecordError::Unknown { .. }) => wrong.add("sha256", "This investigation has no such content"),
            Err(RecordError::Refused(why)) => wrong.add("", upper(&why)),
            Err(other) => return Err(other.into()),
        }
    }
    Ok(Answer::Wrong(vote_page(ctx, desk, &ctx.form, &wrong).await?))
}

async fn ask_list(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    Ok(Answer::Html(list_page(ctx, desk, &Form::default(), &Wrong::default()).await?))
}

async fn list_page(ctx: &Ctx, desk: &Desk<'_>, form: &Form, wrong: &Wrong) -> Result<Markup, Fault> {
    let id = ctx.investigation()?;
    let fields = Fields { form, wrong };
    let scheme = match desk.scheme_of(id).await {
        Ok(scheme) => scheme.to_string(),
        Err(RecordError::Refused(_)) => "the scheme, which nobody has set yet".to_owned(),
        Err(other) => return Err(other.into()),
    };
    let body = html! {
        (inset(&html! {
            p { "A set says so; nobody here has looked. What it says is recorded beside each content that this investigation has, is never a grade of a person, and counts only as far as the rule in force trusts sets." }
            p { "It is a VICS file (1.2, 1.3, 2.0), or a list with a head and a content a line: " code { "sha256,category,trusted" } ". Categories are in " strong { (scheme) } "; what is in another scheme is not taken over, because grades cannot be translated. A record or line that cannot be read refuses the whole file." }
            p { "A record of a VICS file is of a content where its SHA-256 is, or without one where both MD5 and SHA-1 are. What else it states must not differ." }
        }))
        (error_summary(wrong))
        form method="post" action=(ctx.path) enctype="multipart/form-data" {
            (view::csrf(ctx))
            (fields.file("list", "The file", "VICS JSON or CSV, up to 32 MiB. The name of your file is not read."))
            (fields.checks("declared", "Of a VICS file whose records do not say their scheme", "Files of Avocet say it themselves. The file names a region at most, and numbers mean different things in different places: ask.", &options(&[("yes", "Whoever sent it says that its categories are codes of the scheme above")])))
            (fields.text("name", "Name of the set", "Who says so, such as Set 1. No person’s name."))
            (fields.text("version", "Its version", "A later version takes the place of this one."))
            div.actions { button.main type="submit" { "Take it in" } a href={ "/investigations/" (id) "/examinations" } { "Leave without taking it in" } }
        }
    };
    shown(ctx, desk, id, "Take in what a set says", &body).await
}

async fn list(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let id = ctx.investigation()?;
    let mut wrong = Wrong::default();
    let name = need(&ctx.form, &mut wrong, "name", "the name of the set").to_owned();
    let version = need(&ctx.form, &mut wrong, "version", "its version").to_owned();
    if let Some(bytes) = ctx.form.file("list").filter(|bytes| avocet_known::looks_like_vics(bytes)) {
        return vics(ctx, desk, id, &SetRef { name, version }, bytes.to_vec(), wrong).await;
    }
    let says = match ctx.form.file("list").map(|bytes| std::str::from_utf8(bytes)) {
        None => {
            wrong.add("list", "Choose the list");
            None
        }
        Some(Err(_)) => {
            wrong.add("list", "It is no text");
            None
        }
        Some(Ok(text)) => match SetSays::list(text) {
            Ok(says) => Some(says),
            Err(why) => {
                wrong.add("list", upper(&why));
                None
            }
        },
    };
    if let (Some(says), true) = (says, wrong.is_none()) {
        match desk.import_categories(id, &SetRef { name, version }, &says).await {
            Ok(done) => {
                let told = format!(
                    "{} recorded, {} known from this version already, {} of contents that {id} does not have.",
                    plural(done.recorded, "category", "categories"),
                    done.already,
                    done.elsewhere
                );
                return ctx.told(format!("/investigations/{id}/examinations"), told);
            }
            Err(RecordError::Refused(why)) => wrong.add("", upper(&why)),
            Err(other) => return Err(other.into()),
        }
    }
    Ok(Answer::Wrong(list_page(ctx, desk, &ctx.form, &wrong).await?))
}

/// What a VICS file says, read and matched; what was left out of it stands first.
async fn vics(ctx: &Ctx, desk: &Desk<'_>, id: InvestigationId, set: &SetRef, bytes: Vec<u8>, mut wrong: Wrong) -> Page {
    let declared = ctx.form.text("declared") == Some("yes");
    let read = async {
        let own = desk.scheme_of(id).await?;
        let scheme = Scheme::named(&format!("{}@{}", own.id, own.version)).ok_or_else(|| {
            RecordError::Refused(format!("this program has no table of {own}; without it no category is read"))
        })?;
        let grades = read_grades(std::io::Cursor::new(bytes), &scheme, declared);
        let grades = grades.map_err(|e| RecordError::Refused(e.to_string()))?;
        let mut stated = vec![];
        for Grade { record, offset, md5, sha1, sha256, bytes, category } in &grades.grades {
            let category = category.parse().map_err(|e: CategoryError| {
                RecordError::Refused(format!(
                    "record {record}, byte {offset}, field Category: {e}; nothing was recorded"
                ))
            })?;
            let (record, offset) = (*record, *offset);
            stated.push(Stated { record, offset, md5: *md5, sha1: *sha1, sha256: *sha256, bytes: *bytes, category });
        }
        Ok((grades, stated))
    };
    match read.await {
        Ok((grades, stated)) if wrong.is_none() => match desk.import_stated(id, set, &stated).await {
            Ok(import) => {
                let mut left_out = grades.left_out_words();
                left_out.extend(import.left_out_words());
                let body = html! {
                    @if left_out.is_empty() { p { "No record was left out." } }
                    @else { (view::warning(&html! { ul { @for line in &left_out { li { (line) } } } })) }
                    p { strong { (import.recorded_words()) } " What it says is no grade of a person." }
                    @let passed = grades.passed_over_words();
                    @if !passed.is_empty() { ul { @for line in &passed { li { (line) } } } }
                    (view::rows(&[
                        ("The file", html! { (grades.format) ", " (plural(grades.records, "record", "records")) }),
                        ("Its SHA-256", html! { span.mono { (grades.sha256) } }),
                    ]))
                    p { a href={ "/investigations/" (id) "/examinations" } { "Examinations" } }
                };
                return Ok(Answer::Html(shown(ctx, desk, id, "What a set says was taken in", &body).await?));
            }
            Err(RecordError::Refused(why)) => wrong.add("list", upper(&why)),
            Err(other) => return Err(other.into()),
        },
        Ok(_) => {}
        Err(RecordError::Refused(why)) => wrong.add("list", upper(&why)),
        Err(other) => return Err(other.into()),
    }
    Ok(Answer::Wrong(list_page(ctx, desk, &ctx.form, &wrong).await?))
}
