//! The review screen: a grid of veiled tiles, graded by keys. A clear picture is sent only while one is held, and its
//! beginning and end are recorded. In addresses a content is its number on the screen, never its digest.

use avocet_base::{Sha256, plural, size_text};
use avocet_known::Scheme;
use avocet_record::InvestigationId;
use avocet_record::desk::{Batch, BatchItem, Border, Desk, Progress};
use avocet_record::law::Right;
use avocet_record::review::{NONE_OF_THESE as NONE, Todo};
use avocet_record::staff::Rest;
use avocet_record::vote::{Category, RequestReason};
use maud::{DOCTYPE, Markup, html};
use serde_json::{Value, json};

use super::assets;
use crate::fault::{Fault, upper};
use crate::pictures::Size;
use crate::route::{Answer, Ctx, Page, Route, Rule, form, route};
use crate::session;
use crate::view::{self, count};

const TILES: u32 = 24;
/// A page nobody touches for so many seconds is covered.
const COVER_SECONDS: u32 = 60;
/// A clear picture is taken away after so many seconds, whatever is held.
const LONGEST_SECONDS: u32 = 5;
/// Letters that mean something else here.
const TAKEN: &str = "UFVNGSX";

const GRADERS: Rule = Rule::Any(&[Right::Vote, Right::Moderate]);

pub fn routes() -> Vec<Route> {
    vec![
        route("/investigations/{i}/review", GRADERS, screen),
        route("/investigations/{i}/review/pause", GRADERS, pause),
        route("/investigations/{i}/review/tile/{batch}/{n}", Rule::Any(&[Right::ViewMedia]), tile),
        form("/investigations/{i}/review/clear", Rule::Any(&[Right::ViewMedia]), clear),
        form("/investigations/{i}/review/clear-end", Rule::Any(&[Right::ViewMedia]), clear_end),
        form("/investigations/{i}/review/vote", GRADERS, vote),
        form("/investigations/{i}/review/skip", GRADERS, skip),
        form("/investigations/{i}/review/flag", GRADERS, flag),
        form("/investigations/{i}/review/note", GRADERS, note),
        form("/investigations/{i}/review/identify", GRADERS, identify),
        form("/investigations/{i}/review/undo", GRADERS, undo),
        form("/investigations/{i}/review/members", GRADERS, members),
        form("/investigations/{i}/review/accept", GRADERS, accept),
        form("/investigations/{i}/review/leave", GRADERS, leave),
    ]
}

/// What is on somebody's screen: the contents by their numbers, and the clear view that is open. It is kept with the
/// session and ends with it.
pub struct Screen {
    investigation: InvestigationId,
    batch: String,
    items: Vec<Sha256>,
    clear: Option<(Sha256, u64)>,
}

impl std::fmt::Debug for Screen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Screen")
    }
}

/// Works on the screen of the session that asks.
fn on_screen<R>(ctx: &Ctx, work: impl FnOnce(&mut Option<Screen>) -> R) -> Option<R> {
    ctx.signed.as_ref().and_then(|signed| ctx.app.sessions.screen(signed, work))
}

/// The content with a number on the screen that this session was sent last, of this investigation.
fn content(ctx: &Ctx, batch: &str, number: &str) -> Result<Sha256, Fault> {
    let investigation = ctx.investigation()?;
    let number: usize = number.parse().map_err(|_| Fault::Nothing)?;
    let found = on_screen(ctx, |screen| {
        let screen = screen.as_ref()?;
        let is_it = screen.batch == batch && screen.investigation == investigation;
        screen.items.get(number).copied().filter(|_| is_it)
    });
    found.flatten().ok_or(Fault::Nothing)
}

/// Numbers of these contents, which are added where they are not on the screen yet.
fn numbers(ctx: &Ctx, contents: &[Sha256]) -> Vec<usize> {
    let numbers = on_screen(ctx, |screen| {
        let screen = screen.as_mut()?;
        let mut numbers = vec![];
        for content in contents {
            let known = screen.items.iter().position(|item| item == content);
            numbers.push(known.unwrap_or(screen.items.len()));
            if known.is_none() {
                screen.items.push(*content);
            }
        }
        Some(numbers)
    });
    numbers.flatten().unwrap_or_default()
}

fn number_of(ctx: &Ctx, content: &Sha256) -> Option<usize> {
    on_screen(ctx, |screen| screen.as_ref()?.items.iter().position(|item| item == content)).flatten()
}

fn swap_clear(ctx: &Ctx, view: Option<(Sha256, u64)>) -> Option<(Sha256, u64)> {
    on_screen(ctx, |screen| std::mem::replace(&mut screen.as_mut()?.clear, view)).flatten()
}

/// A key, the category that it gives, and its words.
struct Grade {
    key: String,
    code: String,
    name: String,
}

/// The keys of a scheme: a code of one letter or digit is its own key; others take their first letter that is free, else a
/// digit.
fn grades(scheme: &Scheme) -> Vec<Grade> {
    let codes: Vec<_> = scheme.categories.iter().filter(|category| !category.code.is_empty()).collect();
    let own = |code: &str| {
        let mut letters = code.chars().map(|c| c.to_ascii_uppercase());
        let first = letters.next().filter(|c| c.is_ascii_alphanumeric() && !TAKEN.contains(*c));
        first.filter(|_| letters.next().is_none())
    };
    let mut taken: Vec<char> = TAKEN.chars().chain(codes.iter().filter_map(|category| own(&category.code))).collect();
    let mut free = |wanted: Vec<char>| {
        let found = wanted.into_iter().find(|c| c.is_ascii_alphanumeric() && !taken.contains(c));
        taken.extend(found);
        found
    };
    let mut all = vec![];
    for category in codes {
        let letters = || category.code.chars().map(|c| c.to_ascii_uppercase()).chain('1'..='9').collect();
        let key = own(&category.code).or_else(|| free(letters()));
        if let Some(key) = key {
            all.push(Grade { key: key.to_string(), code: category.code.clone(), name: category.meaning.clone() });
        }
    }
    if let Some(key) = free(vec!['0', 'Z']) {
        all.push(Grade { key: key.to_string(), code: NONE.to_owned(), name: "None of these".to_owned() });
    }
    all
}

fn work(ctx: &Ctx, desk: &Desk<'_>) -> Todo {
    match ctx.query("work") {
        Some("second") => Todo::SecondView,
        Some("moderate") => Todo::Moderate,
        _ if !desk.holds(Right::Vote) => Todo::Moderate,
        _ => Todo::Grade,
    }
}

async fn screen(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let investigation = ctx.investigation()?;
    let Some(named) = desk.review_scheme(investigation).await? else {
        return quiet(ctx, desk, &desk.progress(investigation).await?, Some(no_policy())).await;
    };
    let Some(scheme) = Scheme::find_builtin(&named.id) else {
        let words = html! { p { "The scheme " strong { (named.id) } " is not one that comes with Avocet, so its keys are not known here." } };
        return quiet(ctx, desk, &desk.progress(investigation).await?, Some(words)).await;
    };
    let work = work(ctx, desk);
    let batch = desk.review_next(investigation, work, TILES).await?;
    if batch.items.is_empty() {
        let words = if batch.rest.as_ref().is_some_and(|rest| rest.held) {
            html! {}
        } else if batch.stopped {
            html! { p { "The criteria of this investigation's streamlined grading are met. Nothing more is queued." } }
        } else {
            html! { p { "Nothing is queued for you now." } }
        };
        return quiet(ctx, desk, &batch.progress, Some(words)).await;
    }
    let token = session::random().map_err(|_| Fault::Server("make a page"))?;
    let token = token.get(..16).unwrap_or_default().to_owned();
    let contents: Vec<Sha256> = batch.items.iter().map(|item| item.sha256).collect();
    let began = Screen { investigation, batch: token.clone(), items: contents.clone(), clear: None };
    on_screen(ctx, |screen| *screen = Some(began));
    let shown = with_tile(ctx, contents);
    if !shown.is_empty() {
        desk.tiles_shown(investigation, &shown).await?;
    }
    Ok(Answer::Html(grid(ctx, investigation, work, &token, &batch, &grades(&scheme), &shown)))
}

/// Those of these contents whose veiled picture is there and whole. Each is read and decrypted for the answer.
fn with_tile(ctx: &Ctx, mut contents: Vec<Sha256>) -> Vec<Sha256> {
    contents.retain(|sha256| matches!(ctx.app.setup.pictures.veiled(sha256), Ok(Some(_))));
    contents
}

/// The break that is proposed, in plain sentences: nothing blinks, and nothing is coloured.
fn said(rest: &Rest) -> Markup {
    html! { p.rest { (rest.words.join(" ")) } }
}

fn no_policy() -> Markup {
    html! { p { "No grading policy is set. Whoever leads the investigation sets one: which pictures are graded, by which scheme and rule." } }
}

fn facts(item: &BatchItem) -> Vec<String> {
    let mut all = vec![];
    if let (Some(width), Some(height)) = (item.width, item.height) {
        all.push(format!("{width} × {height}"));
    }
    all.push(size_text(item.bytes));
    if let Some(format) = &item.format {
        all.push(format.clone());
    }
    if item.kind != "picture" {
        all.push(item.kind.clone());
    }
    all.extend(item.states.iter().filter(|state| *state != "allocated").cloned());
    all.extend(item.exhibits.iter().map(ToString::to_string));
    if item.files > 1 {
        all.push(format!("{} files", item.files));
    }
    all
}

fn why(item: &BatchItem) -> String {
    let mut all = vec![];
    if let Some(reason) = item.reason {
        all.push(upper(&reason.to_string()));
    }
    if let Some(near) = &item.near {
        all.push(format!("distance {} to {}", near.distance, near.set));
    }
    all.extend(item.said.iter().map(|said| match &said.category {
        Some(category) => format!("{} says {category}", said.set),
        None => format!("on {}", said.set),
    }));
    match &item.group {
        Some(group) if group.representative == item.sha256 => all.push("stands for a group: G".to_owned()),
        Some(_) => all.push("in a group: G".to_owned()),
        None => {}
    }
    if let Some(proposed) = &item.proposed {
        all.push(format!("proposed: {proposed}"));
    }
    all.join(" · ")
}

fn border(border: Border) -> &'static str {
    match border {
        Border::None => "open",
        Border::Dashed => "set",
        Border::Solid => "decided",
        Border::Double => "disagreement",
    }
}

fn page(ctx: &Ctx, title: &str, body: &Markup, script: bool) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en-GB" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " – Avocet" }
                link rel="icon" href=(assets::icon()) type="image/svg+xml";
                link rel="stylesheet" href=(assets::review_style());
                script type="module" src=(assets::script()) {}
                @if script { script type="module" src=(assets::review_script()) {} }
            }
            body.review-page { (body) (view::session_end(ctx)) }
        }
    }
}

fn grid(
    ctx: &Ctx,
    investigation: InvestigationId,
    work: Todo,
    token: &str,
    batch: &Batch,
    grades: &[Grade],
    shown: &[Sha256],
) -> Markup {
    let Batch { items, progress, rest, .. } = batch;
    let missing = items.len().saturating_sub(shown.len());
    let at = format!("/investigations/{investigation}/review");
    let all = progress.done.saturating_add(progress.left());
    let title = match work {
        Todo::SecondView => "Second views",
        Todo::Moderate => "Moderation",
        _ => "Review",
    };
    let body = html! {
        header.review-bar {
            h1 { (title) ", " (investigation) }
            p { span #count-done { (progress.done) } " done, " span #count-left { (progress.left()) } " left" }
            progress value=(progress.done) max=(all.max(1)) aria-label="Done of all" {}
            label { "Clear size " select #size { option value="half" selected { "half" } option value="whole" { "whole" } } }
            p.end { a href={ (at) "/pause" } { "Stop here" } }
            @if let Some(rest) = rest { (said(rest)) }
        }
        main #review data-at=(at) data-batch=(token) data-csrf=(ctx.csrf()) data-none=(NONE)
            data-cover-after=(COVER_SECONDS) data-longest-press=(LONGEST_SECONDS) {
            noscript { p { "The review screen needs JavaScript: a picture must be taken away when a key is let go." } }
            p #said role="status" aria-live="polite" {
                @if missing > 0 { (count(missing, "tile has", "tiles have")) " no small picture here; they are graded from their facts, or passed over." }
            }
            div #grid role="group" aria-label="Contents to grade" {
                @for (n, item) in items.iter().enumerate() {
                    div.tile role="group" tabindex="-1" aria-current="false" data-item=(n) data-done="no"
                        data-group=[item.group.as_ref().map(|_| "yes")] data-state=(border(item.border))
                        aria-label={ "Item " (n.saturating_add(1)) ": " (facts(item).join(", ")) ". " (why(item)) } {
                        div.picture {
                            @if shown.contains(&item.sha256) {
                                img src={ (at) "/tile/" (token) "/" (n) } alt="";
                                canvas hidden width="1" height="1" {}
                            } @else { p.facts { "No small picture: " (item.status.as_deref().unwrap_or("not described")) } canvas hidden width="1" height="1" {} }
                        }
                        p.facts { (facts(item).join(" · ")) }
                        p.facts { (why(item)) }
                        p.decision {}
                        button.show type="button" tabindex="-1" aria-hidden="true" { "Press to show" }
                    }
                }
            }
        }
        footer #legend aria-label="Keys" {
            ul {
                @for grade in grades {
                    li data-key=(grade.key) data-grade=(grade.code) data-name=(grade.name) { kbd { (grade.key) } " " (grade.name) }
                }
                li { kbd { "Space" } " hold to clear" }
                li { kbd { "X" } " none of these, for the rest of the page" }
                li { kbd { "U" } " undo" }
                li { kbd { "S" } " skip" }
                li { kbd { "F" } " flag for a second view" }
                li { kbd { "V" } " mark for victim identification" }
                li { kbd { "N" } " note" }
                li { kbd { "G" } " open the group" }
                li { kbd { "←" } kbd { "↑" } kbd { "↓" } kbd { "→" } " move" }
            }
        }
        dialog #cover aria-labelledby="cover-title" {
            form method="dialog" {
                h2 #cover-title { "Covered" }
                p { "The page was left, or no key was pressed for " (COVER_SECONDS) " seconds. Nothing is shown." }
                button.plain autofocus { "Go on" }
            }
        }
        dialog #members aria-labelledby="members-title" {
            form method="dialog" {
                h2 #members-title { "The group" }
                p.places {}
                ul.members {}
                button.plain value="accept" hidden { "Accept for all" }
                " "
                button.plain value="close" autofocus { "Close" }
            }
        }
        dialog #note aria-labelledby="note-title" {
            form method="dialog" {
                h2 #note-title { "Note" }
                p { "Facts that help the work. Do not describe what a picture shows." }
                textarea rows="4" aria-labelledby="note-title" maxlength="2000" {}
                button.plain value="keep" { "Keep" } " " button.plain value="close" { "Close" }
            }
        }
        dialog #none aria-labelledby="none-title" {
            form method="dialog" {
                h2 #none-title { "None of these" }
                p { "Every tile of this page that has no grade yet is graded “None of these”: " strong.number {} ". Each can be undone." }
                button.plain value="yes" autofocus { "Yes" } " " button.plain value="close" { "No" }
            }
        }
    };
    page(ctx, &format!("{title}, {investigation}"), &body, true)
}

async fn pause(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let progress = desk.progress(ctx.investigation()?).await?;
    quiet(ctx, desk, &progress, None).await
}

/// The quiet page between batches.
async fn quiet(ctx: &Ctx, desk: &Desk<'_>, progress: &Progress, words: Option<Markup>) -> Page {
    let investigation = ctx.investigation()?;
    let at = format!("/investigations/{investigation}/review");
    let rest = desk.rest(investigation).await?;
    let held = rest.as_ref().is_some_and(|rest| rest.held);
    let line = |n: u64, one: &str, many: &str| (n > 0).then(|| plural(n, one, many));
    let waiting: Vec<String> = progress.to_grade.iter().map(|(reason, n)| format!("{n}: {reason}")).collect();
    let body = html! {
        main.quiet {
            h1 { "A pause" }
            @if let Some(words) = &words { (words) }
            @if let Some(rest) = &rest { (said(rest)) }
            ul {
                @if let Some(text) = line(progress.done, "content is done", "contents are done") { li { (text) } }
                @if let Some(text) = line(progress.spared_by_match, "content was spared", "contents were spared") { li { (text) " by matching with known sets" } }
                @if let Some(text) = line(progress.spared_by_stacking, "file was spared", "files were spared") { li { (text) " by stacking exact copies" } }
                @if let Some(text) = line(progress.in_groups, "content looks like another", "contents look like another") { li { (text) " and can be accepted with it" } }
                @if let Some(text) = line(progress.passed_over, "content was passed over", "contents were passed over") { li { (text) " by you and comes again" } }
            }
            @if waiting.is_empty() { p { "Nothing is left to grade." } }
            @else {
                p { "Left to grade:" }
                ul { @for text in &waiting { li { (text) } } }
            }
            @if words.is_none() && !held && progress.left() > 0 { p { a href=(at) autofocus { "Go on" } } }
            @if progress.second_views > 0 && desk.holds(Right::Vote) { p { a href={ (at) "?work=second" } { "Second views (" (progress.second_views) ")" } } }
            @if progress.to_moderate > 0 && desk.holds(Right::Moderate) { p { a href={ (at) "?work=moderate" } { "Moderation (" (progress.to_moderate) ")" } } }
            form method="post" action={ (at) "/leave" } { (view::csrf(ctx)) button.plain type="submit" { "Take a break: give back what is before you" } }
            p { a href="/help" { "Support for you" } }
        }
    };
    Ok(Answer::Html(page(ctx, &format!("A pause, {investigation}"), &body, false)))
}

async fn tile(ctx: &Ctx, _: &Desk<'_>) -> Page {
    let (batch, number) = (ctx.raw("batch").unwrap_or_default(), ctx.raw("n").unwrap_or_default());
    let content = content(ctx, batch, number)?;
    let veiled = ctx.app.setup.pictures.veiled(&content).map_err(|_| Fault::Server("read the small pictures"))?;
    Ok(Answer::Part { kind: "image/jpeg", bytes: veiled.ok_or(Fault::Nothing)? })
}

fn item(ctx: &Ctx) -> Result<(InvestigationId, Sha256), Fault> {
    let (batch, number) = (ctx.form.text("batch").unwrap_or_default(), ctx.form.text("item").unwrap_or_default());
    Ok((ctx.investigation()?, content(ctx, batch, number)?))
}

async fn clear(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let (investigation, content) = item(ctx)?;
    let (size, name) = match ctx.form.text("size") {
        Some("whole") => (Size::Whole, "whole"),
        _ => (Size::Half, "half"),
    };
    // Recorded before a byte of it is read: what cannot be recorded is not shown.
    let view = desk.clear_began(investigation, content, name).await?;
    if let Some((before, open)) = swap_clear(ctx, Some((content, view))) {
        desk.clear_ended(investigation, before, open).await?;
    }
    let picture = ctx.app.setup.pictures.clear(&content, size).map_err(|_| Fault::Server("read the small pictures"))?;
    Ok(Answer::Part { kind: "image/jpeg", bytes: picture.ok_or(Fault::Nothing)? })
}

async fn clear_end(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    if let Some((content, open)) = swap_clear(ctx, None) {
        desk.clear_ended(ctx.investigation()?, content, open).await?;
    }
    answer(&json!({}))
}

fn answer(value: &Value) -> Page {
    Ok(Answer::Part { kind: "application/json", bytes: value.to_string().into_bytes() })
}

/// How far the work is, with what else there is to say.
async fn far(desk: &Desk<'_>, investigation: InvestigationId, mut more: Value) -> Page {
    let progress = desk.progress(investigation).await?;
    if let Some(map) = more.as_object_mut() {
        map.insert("done".to_owned(), json!(progress.done));
        map.insert("left".to_owned(), json!(progress.left()));
    }
    answer(&more)
}

fn category(ctx: &Ctx) -> Result<Category, Fault> {
    let code = ctx.form.text("grade").unwrap_or_default();
    code.parse().map_err(|_| Fault::Bad("There is no such grade.".to_owned()))
}

async fn vote(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let (investigation, content) = item(ctx)?;
    let voted = desk.review_vote(investigation, content, &category(ctx)?).await?;
    let state = match voted.outcome.split(' ').next().unwrap_or_default() {
        "second-view" | "disagreement" => "disagreement",
        _ => "decided",
    };
    far(desk, investigation, json!({ "state": state })).await
}

async fn skip(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let (investigation, content) = item(ctx)?;
    desk.review_skip(investigation, content).await?;
    far(desk, investigation, json!({ "said": "Skipped. It comes again when nothing else is left." })).await
}

async fn flag(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let (investigation, content) = item(ctx)?;
    desk.review_flag(investigation, content, RequestReason::Other, None).await?;
    far(desk, investigation, json!({ "said": "Flagged. Somebody else looks at it without seeing any vote." })).await
}

async fn note(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let (investigation, content) = item(ctx)?;
    desk.review_note(investigation, content, ctx.form.text("note").unwrap_or_default()).await?;
    far(desk, investigation, json!({ "said": "The note is kept." })).await
}

async fn identify(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let (investigation, content) = item(ctx)?;
    let child = desk.review_identify(investigation, content, None, None).await?;
    let said = format!("Marked for victim identification: {child} is a new record, with this as its first lead.");
    far(desk, investigation, json!({ "said": said })).await
}

async fn undo(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let investigation = ctx.investigation()?;
    let undone = desk.review_undo(investigation).await?;
    let said = match undone.withdrawn.len() {
        0 => "There is nothing to undo.".to_owned(),
        1 => "The last grade is withdrawn.".to_owned(),
        n => format!("{n} grades that were given as one are withdrawn."),
    };
    let number = undone.withdrawn.first().and_then(|content| number_of(ctx, content));
    let elsewhere = number.is_none() && !undone.withdrawn.is_empty();
    far(desk, investigation, json!({ "said": said, "item": number, "elsewhere": elsewhere })).await
}

async fn members(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let (investigation, content) = item(ctx)?;
    let group = desk.review_group(investigation, content).await?;
    let contents: Vec<Sha256> = group.members.iter().map(|member| member.item.sha256).collect();
    let numbers = numbers(ctx, &contents);
    let shown = with_tile(ctx, contents);
    desk.tiles_shown(investigation, &shown).await?;
    let all: Vec<Value> = group
        .members
        .iter()
        .zip(&numbers)
        .map(|(member, number)| {
            let mut facts = facts(&member.item);
            facts.extend(member.item.group.as_ref().map(|group| format!("distance {}", group.distance)));
            if member.with_another {
                facts.push("before somebody else now".to_owned());
            }
            json!({ "item": number, "facts": facts.join(" · "), "tile": shown.contains(&member.item.sha256) })
        })
        .collect();
    let words = format!(
        "{} that look the same as the first, each within the threshold of it. A group is a proposal: one grade counts \
         for all only when you accept it.",
        plural(group.members.len() as u64, "picture", "pictures")
    );
    let first = number_of(ctx, &group.representative);
    answer(&json!({ "words": words, "members": all, "proposed": group.proposed, "first": first }))
}

async fn accept(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let (investigation, representative) = item(ctx)?;
    let accepted = desk.review_accept(investigation, representative).await?;
    let numbers = numbers(ctx, &accepted.accepted);
    let mut said =
        format!("{} accepted as {}.", plural(accepted.accepted.len() as u64, "picture", "pictures"), accepted.category);
    if !accepted.left_out.is_empty() {
        said.push_str(&format!(" {} left out: decided already, or before somebody else.", accepted.left_out.len()));
    }
    far(desk, investigation, json!({ "said": said, "items": numbers, "grade": accepted.category })).await
}

async fn leave(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let investigation = ctx.investigation()?;
    desk.take_break(investigation).await?;
    ctx.told(format!("/investigations/{investigation}"), "What was before you is given back. The break is recorded.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scheme_has_a_key_for_each_code_and_no_key_twice() {
        for scheme in Scheme::builtin() {
            let grades = grades(&scheme);
            let coded = scheme.categories.iter().filter(|category| !category.code.is_empty()).count();
            assert_eq!(grades.len(), coded + 1, "{}", scheme.id);
            let mut keys: Vec<_> = grades.iter().map(|grade| grade.key.as_str()).collect();
            assert!(keys.iter().all(|key| key.len() == 1 && !TAKEN.contains(key)), "{}: {keys:?}", scheme.id);
            keys.sort_unstable();
            keys.dedup();
            assert_eq!(keys.len(), grades.len(), "{}", scheme.id);
        }
        let uk = Scheme::find_builtin("uk-2014").unwrap();
        let keys: Vec<_> = grades(&uk).into_iter().map(|grade| grade.key + " " + &grade.code).collect();
        assert_eq!(keys, ["A A", "B B", "C C", "P prohibited", "0 none"]);
    }
}
