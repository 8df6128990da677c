//! Examinations: starting one and watching it, its completeness before anything else, attaching it, and how an
//! investigation is graded. A browser names a source or a result only by the digest of what it was shown.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use avocet_base::{Sha256, plural, size_text};
use avocet_examination::{Level, Summary};
use avocet_known::{Scheme, SetStore};
use avocet_media::derivative::{self, KeyFile, Writer};
use avocet_record::desk::{Attached, AttachedNow, Desk, Exhibit, Overview};
use avocet_record::event::Act;
use avocet_record::exhibit::ExhibitFact;
use avocet_record::law::Right;
use avocet_record::vote::{Category, Enough, Policy, SchemeRef, StopRule};
use avocet_record::{ExaminationId, ExhibitId, InvestigationId, RecordError};
use maud::{Markup, html};
use serde_json::json;

use super::sections::{exhibit_name, shown};
use super::who::Team;
use crate::fault::{Fault, upper};
use crate::folders::{self, Listed};
use crate::form::{Form, Wrong, need};
use crate::jobs::{Interim, Job, State, Work};
use crate::route::{Answer, Ctx, Page, Route, Rule, form, route};
use crate::sealed::{self, EXAMINATION, Found};
use crate::view::{self, Fields, action, count, empty, error_summary, inset, rows, table, tag, uk, warning};

/// Where the number of an interim result begins in its name, behind that of its examination.
const INTERIM: &str = ".interim-";

const READ: Rule = Rule::Any(&[Right::ReadInvestigation]);
const ATTACH: Rule = Rule::Any(&[Right::AttachExamination]);
const POLICY: Rule = Rule::Any(&[Right::SetGradingPolicy]);

pub fn routes() -> Vec<Route> {
    vec![
        route("/investigations/{i}/examinations", READ, list),
        route("/investigations/{i}/examinations/attach", ATTACH, choose),
        route("/investigations/{i}/examinations/found/{result}", ATTACH, found),
        form("/investigations/{i}/examinations/found/{result}", ATTACH, attach),
        route("/investigations/{i}/examinations/policy", POLICY, policy),
        form("/investigations/{i}/examinations/policy", POLICY, set_policy),
        route("/investigations/{i}/examinations/run/{n}", READ, watch),
        route("/investigations/{i}/examinations/run/{n}/progress", READ, progress).by_itself(),
        form("/investigations/{i}/examinations/run/{n}/stop", ATTACH, stop),
        form("/investigations/{i}/examinations/run/{n}/interim", ATTACH, interim),
        route("/investigations/{i}/examinations/{thing}", READ, attached),
        route("/investigations/{i}/exhibits/{thing}/examine", ATTACH, prepare),
        form("/investigations/{i}/exhibits/{thing}/examine", ATTACH, start),
    ]
}

/// The jobs of an investigation, the latest first.
pub fn jobs_of(ctx: &Ctx, wanted: InvestigationId) -> Vec<(Job, ExhibitId)> {
    let of = |job: Job| match job.work {
        Work::Examination { investigation, exhibit, .. } | Work::Interim { investigation, exhibit, .. }
            if investigation == wanted =>
        {
            Some((job, exhibit))
        }
        _ => None,
    };
    ctx.app.jobs.list().into_iter().filter_map(of).collect()
}

/// What a job does, as a heading.
pub fn job_title(job: &Job, exhibit: ExhibitId) -> String {
    match job.work {
        Work::Interim { .. } => format!("Interim result of {exhibit}"),
        _ => format!("Examination of {exhibit}"),
    }
}

/// The interim results that were asked for of an examination, the latest first.
fn interims_of(ctx: &Ctx, wanted: u64) -> Vec<Job> {
    let mut all = ctx.app.jobs.list();
    all.retain(|job| matches!(job.work, Work::Interim { of, .. } if of == wanted));
    all
}

/// An interim result in the folder, and the whole one that is there too: by its name where this server made it, else of the
/// same exhibit and the same source.
fn whole_of<'a>(all: &'a [Arc<Found>], interim: &Found) -> Option<&'a Arc<Found>> {
    if let Some((examination, _)) = interim.path.to_str().and_then(|path| path.rsplit_once(INTERIM)) {
        let path = PathBuf::from(format!("{examination}{EXAMINATION}"));
        return all.iter().find(|found| found.interim.is_none() && found.path == path);
    }
    let source = |found: &Found| (found.exhibit.clone(), found.evidence.kind.clone(), found.evidence.media_size);
    let whole = all.iter().filter(|found| found.interim.is_none() && source(found) == source(interim));
    whole.max_by(|a, b| a.started.cmp(&b.started))
}

/// The interim results in the folder with the whole one that is there too, by their result digests.
fn with_whole(ctx: &Ctx) -> Result<Vec<(Sha256, Sha256)>, Fault> {
    let Some(folder) = &ctx.app.setup.examinations else { return Ok(vec![]) };
    let (all, _) = ctx.app.sealed.all(folder)?;
    let interim = all.iter().filter(|found| found.interim.is_some());
    Ok(interim.filter_map(|found| Some((found.result, whole_of(&all, found)?.result))).collect())
}

/// Those of them whose whole one is attached nowhere. The investigation is one that the person works on: the answer is the
/// same for each.
async fn not_attached(
    desk: &Desk<'_>,
    investigation: InvestigationId,
    pairs: Vec<(Sha256, Sha256)>,
) -> Result<Vec<(Sha256, Sha256)>, Fault> {
    let mut open = vec![];
    for pair in pairs {
        if !desk.is_attached(investigation, pair.1).await? {
            open.push(pair);
        }
    }
    Ok(open)
}

/// Those of these attached examinations that wait for one of the whole ones.
fn awaiting(
    standing: &[Attached],
    pairs: &[(Sha256, Sha256)],
) -> impl Iterator<Item = (ExaminationId, ExhibitId, Sha256)> {
    standing.iter().filter(|attached| attached.awaits_the_whole()).filter_map(|attached| {
        let (_, whole) = pairs.iter().find(|(interim, _)| *interim == attached.result_digest)?;
        Some((attached.id, attached.exhibit, *whole))
    })
}

/// Examinations that ended while only their interim results are attached, in these investigations. Nothing is asked of the
/// record where no such pair lies in the folder, and little where every whole one is attached.
pub async fn whole_ones_there(
    ctx: &Ctx,
    desk: &Desk<'_>,
    of: impl Iterator<Item = InvestigationId>,
) -> Result<Vec<(InvestigationId, ExhibitId, Sha256)>, Fault> {
    let (mut pairs, mut asked, mut there) = (with_whole(ctx)?, false, vec![]);
    for investigation in of {
        if pairs.is_empty() {
            break;
        }
        // Who leads somebody else's work is not on it.
        let Ok(standing) = desk.interim_results(investigation).await else { continue };
        if !asked {
            (pairs, asked) = (not_attached(desk, investigation, pairs).await?, true);
        }
        there.extend(awaiting(&standing, &pairs).map(|(_, exhibit, whole)| (investigation, exhibit, whole)));
    }
    Ok(there)
}

async fn list(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let whole = desk.overview(ctx.investigation()?).await?;
    let team = Team::of(desk).await?;
    let base = format!("/investigations/{}/examinations", whole.id);
    let jobs = jobs_of(ctx, whole.id);
    let totals: Vec<Vec<Markup>> =
        whole.totals.iter().map(|(name, n)| vec![html! { (upper(name)) }, html! { (n) }]).collect();
    let may_attach = desk.holds(Right::AttachExamination);
    let pairs = not_attached(desk, whole.id, with_whole(ctx)?).await?;
    let whole_ones: Vec<_> = awaiting(&whole.examinations, &pairs).collect();
    let body = html! {
        @for (interim, exhibit, result) in &whole_ones {
            (warning(&html! {
                p { strong { "The whole result of " (exhibit) " is there" @if may_attach { ": " a href={ (base) "/found/" (result) } { "attach it" } } "." }
                    " Only " (interim) " is attached, an interim result." }
            }))
        }
        div.actions {
            @if may_attach { (action(&format!("{base}/attach"), "Attach a finished examination")) }
            @if desk.holds(Right::SetGradingPolicy) {
                (action(&format!("{base}/policy"), if whole.policy.is_some() { "Change what is graded" } else { "Say what is graded" }))
            }
            @if whole.policy.is_some() && desk.holds(Right::Vote) { (action(&format!("/investigations/{}/votes/stated", whole.id), "State a grade given elsewhere")) }
            @if whole.policy.is_some() && may_attach { (action(&format!("/investigations/{}/votes/import", whole.id), "Take in what a set says")) }
        }
        @if !jobs.is_empty() {
            h2 { "Started here" }
            ul.tasks { @for (job, exhibit) in &jobs { li {
                div.task-what {
                    h3 { a href={ (base) "/run/" (job.number) } { (job_title(job, *exhibit)) } }
                    p.quiet { "asked for " (uk(job.asked)) " by " (team.name(job.by)) }
                    @if !job.state.has_ended() { p { (sentence(job)) } }
                }
                div.task-do { (state_tag(job)) }
            } } }
        }
        @if whole.examinations.is_empty() {
            (empty(&html! {
                p { strong { "No examination is attached." } }
                p { "One is begun on an exhibit’s page, or comes finished from another machine; it is verified when it is attached. What it found is queued for review at once, whatever else still runs." }
            }))
        }
        @for examination in &whole.examinations {
            h2 { (examination.id) " of " a href={ "/investigations/" (whole.id) "/exhibits/" (examination.exhibit) } { (examination.exhibit) } }
            @if examination.interim { p { (interim_tag()) @if examination.replaced_by.is_none() { " Its examination had not ended. Attach the whole result when it has." } } }
            @match by_result(ctx, examination.result_digest) {
                Some(found) => {
                    (worst(&found))
                    p { a href={ (base) "/" (examination.id) } { "How complete it is" span.unseen { ": " (examination.id) } } }
                }
                None => p.quiet { "Its sealed file is not in the folder that this server looks in, so how complete it is is not shown here: " code { "avocet summary" } "." },
            }
            (rows(&[
                ("Attached", html! { (uk(examination.at)) " by " (team.name(examination.by)) }),
                ("Pictures and videos", html! { (examination.media) " contents in " (examination.files) " files" }),
                ("Result digest", html! { span.mono { (examination.result_digest) } }),
                ("Sealed file", html! { span.mono { "SHA-256 " (examination.file_digest) } }),
                ("Signature", html! { @match &examination.signed_by { Some(key) => span.mono { (key) }, None => "not signed" } }),
                ("Takes the place of", html! { @match examination.replaces {
                    Some(before) => { (before) @if examination.gone > 0 { ". " (gone_words(before, examination.gone)) } },
                    None => "none",
                } }),
                ("Its place is taken by", html! { @match examination.replaced_by { Some(after) => (after), None => "none" } }),
            ]))
        }
        @if let Some(policy) = &whole.policy {
            h2 { "What is graded" }
            (rows(&[
                ("Which contents", html! { (policy_words(&policy.policy)) }),
                ("Scheme", html! { (policy.scheme) }),
                ("Rule", html! { (policy.rule.title) }),
                ("Dip sample", html! { (policy.dip()) " in 1,000 of what sets know" }),
                ("Reason", html! { (policy.reason) }),
            ]))
        } @else if !whole.examinations.is_empty() {
            (warning(&html! { p { "Nobody has said what is graded, so nothing can be reviewed yet." } }))
        }
        @if !totals.is_empty() { (table("Contents by where they stand", &["Where", "How many"], &totals)) }
    };
    shown(ctx, desk, "Examinations", &body).await
}

fn interim_tag() -> Markup {
    tag("wait", "Interim")
}

/// What a replaced examination had and the one in its place has not.
fn gone_words(before: ExaminationId, gone: u64) -> String {
    let (one, many) = (format!("content of {before} is"), format!("contents of {before} are"));
    format!("{} not in it, and no longer counted", plural(gone, &one, &many))
}

fn policy_words(policy: &Policy) -> Markup {
    html! {
        @match policy {
            Policy::EveryImage {} => "Every picture and video, whatever a set says of it",
            Policy::Unknown {} => "What no set knows; of what sets know only conflicts and a dip sample",
            Policy::Streamlined { criteria, stop } => {
                "A part: " (criteria)
                @if let Some(stop) = stop {
                    @for enough in &stop.enough { ". Enough: " (enough.count) " of " (enough.category) }
                    @if stop.own_cameras_first { ". First every unknown picture of an own camera" }
                }
            }
        }
    }
}

fn state_tag(job: &Job) -> Markup {
    match &job.state {
        // What an interim result lacks its own page says.
        State::Done(code) if matches!(job.work, Work::Interim { .. }) => {
            tag("good", if *code == 3 { "Made, with alerts" } else { "Made" })
        }
        State::Waiting => tag("plain", "Waiting"),
        State::Running => tag("wait", "Running"),
        State::Done(3) => tag("good", "Finished, with alerts"),
        State::Done(4) => tag("wait", "Finished, parts unreadable"),
        State::Done(_) => tag("good", "Finished"),
        State::Failed(_) => tag("late", "Did not finish"),
        State::Stopped => tag("plain", "Stopped"),
    }
}

fn span(of: Duration) -> String {
    let seconds = of.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

/// How far it is, as one sentence.
fn sentence(job: &Job) -> String {
    let far = &job.far;
    if let Work::Interim { .. } = job.work {
        return match &job.state {
            State::Waiting => "Another interim result is being made. This one comes after it.".to_owned(),
            State::Running => format!(
                "What has been read so far is put together and sealed. The examination goes on. Running for {}.",
                span(job.ran)
            ),
            State::Done(3) => format!("Made in {}, and something in it alerts.", span(job.ran)),
            State::Done(_) => format!("Made in {}.", span(job.ran)),
            State::Failed(why) => format!("It was not made: {why}"),
            State::Stopped => format!("It was stopped after {}. Nothing of it was kept.", span(job.ran)),
        };
    }
    match &job.state {
        State::Waiting => "Another one runs. This one begins after it.".to_owned(),
        State::Running => {
            let what = match far.stage.as_str() {
                "volume" => format!("Volume {}", far.volume),
                "image" => "Digest of the whole image".to_owned(),
                "second-opinion" => "The Sleuth Kit reads the image too".to_owned(),
                "seal" => "Sealing".to_owned(),
                _ => "Beginning".to_owned(),
            };
            let rate = match job.ran.as_secs() {
                0 => String::new(),
                seconds => format!(", {} a second", size_text(far.bytes / seconds)),
            };
            let left = job.left().map_or_else(String::new, |left| format!(", about {} left", span(left)));
            // How much there is of a folder nobody knows before it was read.
            let of = if far.of > 0 { format!(" of about {}", size_text(far.of)) } else { String::new() };
            format!(
                "{what}: {}, {}{of}{rate}{left}. Running for {}.",
                plural(far.files, "file", "files"),
                size_text(far.bytes),
                span(job.ran)
            )
        }
        State::Done(3) => format!("Finished after {}, and something in it alerts.", span(job.ran)),
        State::Done(4) => format!("Finished after {}. Parts could not be read.", span(job.ran)),
        State::Done(_) => format!("Finished after {}.", span(job.ran)),
        State::Failed(why) => format!("It did not finish: {why}"),
        State::Stopped => format!("It was stopped after {}. Nothing of it was kept.", span(job.ran)),
    }
}

/// The examination with a result digest, where its sealed file is in the folder.
pub fn by_result(ctx: &Ctx, result: Sha256) -> Option<Arc<Found>> {
    let folder = ctx.app.setup.examinations.as_ref()?;
    let (all, _) = ctx.app.sealed.all(folder).ok()?;
    all.into_iter().find(|found| found.result == result)
}

fn reference(exhibit: &Exhibit) -> Option<String> {
    match exhibit.state.origin() {
        Some(ExhibitFact::Taken { reference, .. }) => Some(reference.to_string()),
        _ => None,
    }
}

fn fits(whole: &Overview, found: &Found) -> Vec<ExhibitId> {
    let stated = whole.exhibits.iter().filter(|exhibit| reference(exhibit).as_ref() == Some(&found.exhibit));
    stated.map(|exhibit| exhibit.id).collect()
}

/// How bad the worst line of its completeness statement is, in one tag.
fn worst(found: &Found) -> Markup {
    let of = |level: Level| found.completeness.iter().filter(|line| line.level == level).count();
    html! {
        p {
            @if of(Level::Alarm) > 0 { (tag("late", &format!("{}: the evidence itself is in doubt", count(of(Level::Alarm), "alarm", "alarms")))) " " }
            @if of(Level::Gap) > 0 { (tag("wait", &format!("{}: something was not examined", count(of(Level::Gap), "gap", "gaps")))) " " }
            @if of(Level::Alarm) == 0 && of(Level::Gap) == 0 { (tag("good", "No gap")) " " }
            @if of(Level::Note) > 0 { (tag("plain", &count(of(Level::Note), "note", "notes"))) }
        }
    }
}

async fn choose(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let whole = desk.overview(ctx.investigation()?).await?;
    let base = format!("/investigations/{}/examinations", whole.id);
    let Some(folder) = &ctx.app.setup.examinations else {
        let body = empty(&html! {
            p { strong { "This server looks in no folder for examinations." } }
            p { "Whoever runs it starts it with " code { "avocet serve --examinations DIR" } ". At the command line it is " code { "avocet grading attach" } "." }
        });
        return shown(ctx, desk, "Attach an examination", &body).await;
    };
    let (all, unreadable) = ctx.app.sealed.all(folder)?;
    let (fitting, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|found| !fits(&whole, found).is_empty());
    let attached = |found: &Found| whole.examinations.iter().find(|done| done.result_digest == found.result);
    let body = html! {
        p { "Examinations that state the reference of an exhibit of this investigation. Read first how complete one is; there it is attached." }
        @if fitting.is_empty() {
            (empty(&html! { p { strong { "There is none." } } p { "An examination stands here when its sealed file is in the folder that the server looks in and its exhibit’s reference is that of an exhibit here." } }))
        }
        ul.tasks { @for found in &fitting { li {
            div.task-what {
                h2 { a href={ (base) "/found/" (found.result) } { (found.exhibit) ", begun " (found.started) } }
                @if found.interim.is_some() { p { (interim_tag()) " Its examination had not ended when it was sealed." } }
                (worst(found))
                p.quiet { (found.evidence.kind) ", " (size_text(found.evidence.media_size)) ". Result digest " span.mono { (short(&found.result)) } }
            }
            div.task-do { @match attached(found) {
                Some(done) => (tag("plain", &format!("Attached as {}", done.id))),
                None => (tag("wait", "Not attached")),
            } }
        } } }
        p.quiet {
            @if !others.is_empty() { (count(others.len(), "other examination states", "other examinations state")) " exhibits that are not of this investigation and are not shown. " }
            @if unreadable > 0 { (count(unreadable, "file", "files")) " in the folder could not be read as an examination or is not listed: " code { "avocet verify" } " says why." }
        }
    };
    shown(ctx, desk, "Attach an examination", &body).await
}

fn short(digest: &Sha256) -> String {
    digest.to_string().chars().take(16).collect()
}

/// What an examination says, the completeness first.
fn report(found: &Found, summary: &Summary) -> Markup {
    let word = |level: Level| match level {
        Level::Alarm => tag("late", "Alarm"),
        Level::Gap => tag("wait", "Gap"),
        Level::Note => tag("plain", "Note"),
        Level::Done => tag("good", "Done"),
    };
    let completeness: Vec<Vec<Markup>> =
        found.completeness.iter().map(|line| vec![word(line.level), html! { (line.text) }]).collect();
    let matches: Vec<Vec<Markup>> = summary
        .matches
        .iter()
        .map(|hit| {
            vec![
                html! { (hit.set_name) },
                html! { (hit.category.as_deref().unwrap_or("none")) " – " (hit.meaning.as_deref().unwrap_or("not in the scheme")) },
                html! { (hit.basis) },
                html! { (hit.files) " with " (hit.digests) " different contents" },
                html! { @if hit.alerts { (tag("late", "Alerts")) } },
            ]
        })
        .collect();
    let media: Vec<Vec<Markup>> = [("Pictures", summary.pictures), ("Videos", summary.videos)]
        .iter()
        .map(|(name, n)| vec![html! { (name) }, html! { (n.total) }, html! { (n.known) }, html! { (n.unknown) }])
        .collect();
    let sets: Vec<Vec<Markup>> = found
        .known
        .iter()
        .map(|set| {
            let version = if set.version.is_empty() { "not stated" } else { &set.version };
            vec![
                html! { (set.name) },
                html! { (version) },
                html! { (set.scheme) " " (set.scheme_version) },
                html! { (set.records_kept) },
                html! { (set.rejected) },
            ]
        })
        .collect();
    let problems: Vec<Vec<Markup>> = found
        .problems
        .iter()
        .map(|problem| {
            vec![
                html! { (problem.layer) },
                html! { span.mono { (problem.path.as_deref().unwrap_or_default()) } @if let Some(offset) = problem.offset { " at byte " (offset) } },
                html! { (problem.detail) },
            ]
        })
        .collect();
    html! {
        @if let Some(read) = &found.interim {
            (warning(&html! { p { strong { "This is an interim result." } " Its examination had not ended when it was sealed: " (read) ". What was not read yet is in no number here." } }))
        }
        h2 { "How complete it is" }
        (worst(found))
        (table("Completeness statement, in its order", &["How much it matters", "What was read, what was not, and why"], &completeness))
        @if found.all_problems > 0 {
            details {
                summary { "What could not be read or contradicted itself: " (count(found.all_problems, "problem", "problems")) }
                (table("Problems", &["Where in the reading", "Place", "What it is"], &problems))
                @if found.all_problems > found.problems.len() { p { "The first " (found.problems.len()) " are shown; " code { "avocet list --problems" } " lists all." } }
            }
        }
        h2 { "What was examined" }
        (rows(&[
            ("Exhibit", html! { (found.exhibit) }),
            ("Evidence", html! { (found.evidence.kind) ", " (size_text(found.evidence.media_size)) " (" (found.evidence.media_size) " bytes) in " (plural(found.evidence.segments, "file", "files")) }),
            ("Whole-image digest", html! { (found.evidence.verdict) @if let Some(sha256) = &found.evidence.sha256 { br; span.mono { "SHA-256 " (sha256) } } }),
            ("Begun", html! { (found.started) }),
            ("Result digest", html! { span.mono { (found.result) } }),
        ]))
        h2 { "What it found, in numbers" }
        (table("Files by whether a set knows them", &["Kind", "All", "Known to a set", "Not known"], &media))
        @if matches.is_empty() { p { "No file matches a known set." } }
        @else { (table("Matches with known sets. A match is not a grade", &["Set", "Category", "By", "Files", ""], &matches)) }
        @if sets.is_empty() { p { "No known set was given to it." } }
        @else { (table("The sets", &["Set", "Version", "Scheme", "Records", "Rejected"], &sets)) }
    }
}

/// The examination in the address, where it states an exhibit of this investigation.
fn stated_here(ctx: &Ctx, whole: &Overview) -> Result<(Arc<Found>, Vec<ExhibitId>), Fault> {
    let result: Sha256 = ctx.id("result")?;
    let found = by_result(ctx, result).ok_or(Fault::Nothing)?;
    let fitting = fits(whole, &found);
    if fitting.is_empty() { Err(Fault::Nothing) } else { Ok((found, fitting)) }
}

async fn found(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    Ok(Answer::Html(found_page(ctx, desk, &Wrong::default()).await?))
}

async fn found_page(ctx: &Ctx, desk: &Desk<'_>, wrong: &Wrong) -> Result<Markup, Fault> {
    let whole = desk.overview(ctx.investigation()?).await?;
    let (found, fitting) = stated_here(ctx, &whole)?;
    let summary = sealed::summary(&found)?;
    let done = whole.examinations.iter().find(|done| done.result_digest == found.result);
    let mut form = Form::default();
    if let [only] = fitting.as_slice() {
        form.or("exhibit", only.to_string());
    }
    // An interim result makes way for what comes later of its exhibit.
    let interim = whole.examinations.iter().find(|of| of.awaits_the_whole() && fitting.contains(&of.exhibit));
    if let Some(interim) = interim {
        form.or("replaces", interim.id.to_string());
    }
    let fields = Fields { form: &form, wrong };
    let names = |wanted: &ExhibitId| {
        let exhibit = whole.exhibits.iter().find(|exhibit| exhibit.id == *wanted);
        (wanted.to_string(), exhibit.map_or_else(|| wanted.to_string(), exhibit_name))
    };
    let exhibits: Vec<(String, String)> = fitting.iter().map(names).collect();
    let earlier: Vec<(String, String)> = whole
        .examinations
        .iter()
        .filter(|before| before.replaced_by.is_none() && fitting.contains(&before.exhibit))
        .map(|before| {
            let interim = if before.interim { ", interim" } else { "" };
            (before.id.to_string(), format!("{} of {}, attached {}{interim}", before.id, before.exhibit, uk(before.at)))
        })
        .collect();
    let body = html! {
        (error_summary(wrong))
        (report(&found, &summary))
        @match done {
            Some(done) => (inset(&html! { p { "It is attached as " (done.id) " to " (done.exhibit) "." } })),
            None => {
                h2 { "Attach it" }
                p { "Its seal is verified first; then its pictures and videos are in the investigation and queued for review." }
                form method="post" action=(ctx.path) {
                    (view::csrf(ctx))
                    (fields.select("exhibit", "To which exhibit", "Those whose reference it states.", &exhibits))
                    @if !earlier.is_empty() { (fields.select("replaces", "Whose place it takes (if any)", "An examination that this one repeats or matches anew, or an interim result of it. Its media no longer count; votes stay.", &earlier)) }
                    div.actions {
                        button.main type="submit" { "Attach it" }
                        a href={ "/investigations/" (whole.id) "/examinations" } { "Leave it" }
                    }
                }
            }
        }
    };
    let head = desk.head(whole.id).await?;
    let what = if found.interim.is_some() { "Interim result" } else { "Examination" };
    let title = format!("{what} of {}", found.exhibit);
    Ok(view::investigation_page(ctx, desk, &head, &title, &body))
}

async fn attach(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let id = ctx.investigation()?;
    let whole = desk.overview(id).await?;
    let (found, fitting) = stated_here(ctx, &whole)?;
    let mut wrong = Wrong::default();
    let exhibit: Option<ExhibitId> = ctx.form.text("exhibit").and_then(|id| id.parse().ok());
    let Some(exhibit) = exhibit.filter(|exhibit| fitting.contains(exhibit)) else {
        wrong.add("exhibit", "Choose the exhibit");
        return Ok(Answer::Wrong(found_page(ctx, desk, &wrong).await?));
    };
    let replaces: Option<ExaminationId> = match ctx.form.text("replaces") {
        None => None,
        Some(text) => {
            let of = text.parse().ok().filter(|before| whole.examinations.iter().any(|done| done.id == *before));
            if of.is_none() {
                wrong.add("replaces", "Choose an examination of this investigation, or none");
            }
            of
        }
    };
    if wrong.is_none() {
        match desk.attach_examination(id, exhibit, &found.path, Some(found.result), replaces).await {
            Ok(made) => {
                // Its small pictures may have come while the server runs.
                if ctx.app.setup.pictures.look_again().is_err() {
                    crate::serve::log("the folder of small pictures could not be read");
                }
                let told = attached_words(exhibit, made);
                return ctx.told(format!("/investigations/{id}/examinations"), told);
            }
            Err(RecordError::Refused(why)) => wrong.add("", upper(&why)),
            Err(other) => return Err(other.into()),
        }
    }
    Ok(Answer::Wrong(found_page(ctx, desk, &wrong).await?))
}

/// What was attached, in sentences.
fn attached_words(exhibit: ExhibitId, made: AttachedNow) -> String {
    let AttachedNow { examination, interim, replaces, gone } = made;
    let as_what = if interim { " as an interim result" } else { "" };
    let mut text = format!(
        "{examination} is attached to {exhibit}{as_what}: its seal was verified and its pictures and videos are queued."
    );
    if interim {
        text.push_str(" Attach the whole result when the examination has ended.");
    }
    if let Some(before) = replaces {
        text.push_str(&format!(" It takes the place of {before}; votes stay."));
        if gone > 0 {
            text.push_str(&format!(" {}.", gone_words(before, gone)));
        }
    }
    text
}

/// How complete an attached examination is.
async fn attached(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let whole = desk.overview(ctx.investigation()?).await?;
    let id: ExaminationId = ctx.id("thing")?;
    let attached = whole.examinations.iter().find(|done| done.id == id).ok_or(Fault::Nothing)?;
    desk.looked(Act::Viewed, vec![whole.id.to_string(), id.to_string()], "how complete it is", 1).await?;
    let body = match by_result(ctx, attached.result_digest) {
        Some(found) => report(&found, &sealed::summary(&found)?),
        None => empty(
            &html! { p { strong { "Its sealed file is not here." } } p { "The record keeps its digests and what it found of pictures and videos. How complete it is stands in the sealed file: " code { "avocet summary" } "." } },
        ),
    };
    let body = html! {
        @if attached.interim && by_result(ctx, attached.result_digest).is_none() {
            (warning(&html! { p { strong { "This is an interim result." } " Its examination had not ended when it was sealed." } }))
        }
        @if let Some(after) = attached.replaced_by { (inset(&html! { p { (after) " took its place." } })) }
        (body)
    };
    let interim = if attached.interim { ", interim" } else { "" };
    shown(ctx, desk, &format!("{id} of {}{interim}", attached.exhibit), &body).await
}

fn sources(ctx: &Ctx) -> Result<Option<Listed>, Fault> {
    let folder = ctx.app.setup.evidence.as_ref().filter(|_| ctx.app.setup.examinations.is_some());
    folder.map(|folder| folders::list(folder, |name, _| folders::may_be_evidence(name))).transpose()
}

/// The latest version of each known set of this workplace.
fn sets(ctx: &Ctx) -> Vec<String> {
    let store = SetStore::at(&ctx.app.store.dir().join("sets"));
    let names = store.names().unwrap_or_default();
    names.into_iter().filter(|name| store.versions(name).is_ok_and(|versions| !versions.is_empty())).collect()
}

async fn prepare(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let mut form = Form::default();
    form.or("digest", "true");
    form.or("small", "true");
    Ok(Answer::Html(prepare_page(ctx, desk, &form, &Wrong::default()).await?))
}

async fn prepare_page(ctx: &Ctx, desk: &Desk<'_>, form: &Form, wrong: &Wrong) -> Result<Markup, Fault> {
    let exhibit = desk.exhibit(ctx.id("thing")?).await?;
    let listed = sources(ctx)?;
    let fields = Fields { form, wrong };
    let body = match (&listed, reference(&exhibit)) {
        (None, _) => empty(&html! {
            p { strong { "Examinations cannot be started on this server." } }
            p { "Whoever runs it starts it with " code { "avocet serve --evidence DIR --examinations DIR" } ". At the command line it is " code { "avocet examine" } "." }
        }),
        (_, None) => empty(
            &html! { p { strong { "There is nothing to examine." } } p { "The exhibit was not taken, or has no reference yet." } },
        ),
        (Some(listed), Some(reference)) => {
            let choices: Vec<(String, String)> = listed
                .entries
                .iter()
                .map(|entry| {
                    let what = entry.bytes.map_or_else(|| "folder".to_owned(), size_text);
                    (entry.token.clone(), format!("{} ({what})", entry.name))
                })
                .collect();
            let sets: Vec<(String, String)> = sets(ctx).into_iter().map(|name| (name.clone(), name)).collect();
            html! {
                (inset(&html! { p { "Nothing is written to the source. The result goes into a sealed file for " strong { (reference) } "; you read how complete it is, and then attach it." } }))
                (error_summary(wrong))
                @if choices.is_empty() { (empty(&html! { p { strong { "No evidence source is in the folder." } } p { "Put the image, or the folder with it, where whoever runs the server says." } })) }
                @else {
                    form method="post" action=(ctx.path) {
                        (view::csrf(ctx))
                        (fields.select("source", "The evidence source", "Compare the name with your notes: a wrong one is found out only by its content. Of an image in several files the first is listed.", &choices))
                        @if sets.is_empty() { p.hint { "There is no known set on this server; everything will be unknown." } }
                        @else { (fields.checks("known", "Known sets to match with", "The latest version of each.", &sets)) }
                        (fields.checks("digest", "Digest of the whole image", "", &[("true".to_owned(), "Take it: it reads everything once more, and says whether the copy is what was acquired".to_owned())]))
                        (fields.checks("small", "Small pictures", "", &[("true".to_owned(), "Make them, encrypted: without them there is nothing to see when grading".to_owned())]))
                        div.actions {
                            button.main type="submit" { "Begin the examination" }
                            a href={ "/investigations/" (ctx.raw("i").unwrap_or_default()) "/exhibits/" (exhibit.id) } { "Leave without beginning" }
                        }
                    }
                }
                @if listed.more > 0 { p { (listed.more) " more are in the folder and not listed." } }
                @if listed.left_out > 0 { p.quiet { (count(listed.left_out, "thing", "things")) " in the folder cannot be used: a link, or not readable." } }
            }
        }
    };
    let head = desk.head(ctx.investigation()?).await?;
    Ok(view::investigation_page(ctx, desk, &head, &format!("Examine {}", exhibit_name(&exhibit)), &body))
}

async fn start(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let investigation = ctx.investigation()?;
    let exhibit = desk.exhibit(ctx.id("thing")?).await?;
    let mut wrong = Wrong::default();
    let listed = sources(ctx)?.ok_or(Fault::Nothing)?;
    let folder = ctx.app.setup.examinations.as_ref().ok_or(Fault::Nothing)?;
    let reference = reference(&exhibit).ok_or(Fault::Nothing)?;
    let source = ctx.form.text("source").and_then(|token| listed.find(token));
    let known = ctx.form.texts("known");
    let there = sets(ctx);
    if known.iter().any(|name| !there.iter().any(|set| set == name)) {
        wrong.add("known", "Choose sets of this server");
    }
    let Some(source) = source.filter(|_| wrong.is_none()) else {
        if source.is_none() {
            wrong.add("source", "Choose the evidence source");
        }
        return Ok(Answer::Wrong(prepare_page(ctx, desk, &ctx.form, &wrong).await?));
    };
    let at = desk.now();
    let when: String = at.to_string().chars().filter(char::is_ascii_alphanumeric).take(15).collect();
    let out = folder.join(format!("{}-{when}{EXAMINATION}", exhibit.id));
    let mut command = program(ctx, "examine");
    command.arg(&source.path).arg("--exhibit").arg(&reference).arg("--out").arg(&out).arg("--progress-lines");
    for name in known {
        command.arg("--known").arg(name);
    }
    if ctx.form.text("digest").is_none() {
        command.arg("--no-image-digest");
    }
    if ctx.form.text("small").is_none() {
        command.arg("--no-small-pictures");
    } else if let Some(key) = &ctx.app.setup.picture_key {
        command.arg("--picture-key").arg(key);
    }
    let hide =
        vec![(source.path.display().to_string(), "the evidence source"), (out.display().to_string(), "the result")];
    let about = vec![investigation.to_string(), exhibit.id.to_string()];
    desk.looked(Act::Viewed, about, "an examination of its copy was begun", 1).await?;
    // What the person chose, behind the verb and the store.
    let settings = command.get_args().skip(3).map(std::ffi::OsStr::to_owned).collect();
    let work = Work::Examination { investigation, exhibit: exhibit.id, out, settings };
    let number = ctx.app.jobs.add(work, desk.user(), at, command, hide);
    Ok(Answer::To(format!("/investigations/{investigation}/examinations/run/{number}")))
}

/// This program, for a person: what it writes down names them, and nothing of what opens the store goes along.
pub fn program(ctx: &Ctx, verb: &str) -> Command {
    let mut command = Command::new(&ctx.app.setup.program);
    let login = ctx.signed.as_ref().map_or("unknown", |signed| signed.login.as_str());
    command.arg(verb).arg("--store").arg(ctx.app.store.dir()).env("USER", login).env_remove("AVOCET_KNOWN");
    for secret in ["AVOCET_STORE_KEY", "AVOCET_STORE_PASSPHRASE", "AVOCET_PASSWORD", "AVOCET_NEW_PASSWORD"] {
        command.env_remove(secret);
    }
    command
}

fn job(ctx: &Ctx) -> Result<(Job, ExhibitId, PathBuf), Fault> {
    let wanted = ctx.investigation()?;
    let job = ctx.app.jobs.one(ctx.id("n")?).ok_or(Fault::Nothing)?;
    match job.work.clone() {
        Work::Examination { investigation, exhibit, out, .. } | Work::Interim { investigation, exhibit, out, .. }
            if investigation == wanted =>
        {
            Ok((job, exhibit, out))
        }
        _ => Err(Fault::Nothing),
    }
}

async fn watch(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let (job, exhibit, out) = job(ctx)?;
    let team = Team::of(desk).await?;
    let investigation = ctx.investigation()?;
    let base = format!("/investigations/{investigation}/examinations");
    let may_attach = desk.holds(Right::AttachExamination);
    let is_examination = matches!(job.work, Work::Examination { .. });
    let interims = if is_examination { interims_of(ctx, job.number) } else { vec![] };
    let stop_takes = match is_examination && !job.state.has_ended() && may_attach && !interims.is_empty() {
        true => Some(stop_takes(ctx, desk, investigation, &out).await?),
        false => None,
    };
    let result = match &job.state {
        State::Done(_) => ctx.app.sealed.one(&out),
        _ => None,
    };
    let body = html! {
        div #job data-progress=[(!job.state.has_ended()).then(|| format!("{}/progress", ctx.path))] {
            p { (state_tag(&job)) }
            p #job-said role="status" aria-live="polite" { (sentence(&job)) }
            @if job.state == State::Running {
                progress #job-far max="1000" value=[share(&job)] aria-label="How far it is" {}
            }
        }
        @match (&job.state, &result) {
            (State::Done(_), Some(found)) => {
                (worst(found))
                @if may_attach {
                    div.actions { a.button href={ (base) "/found/" (found.result) } { "Read how complete it is, then attach it" } }
                }
            }
            (State::Done(_), None) => (warning(&html! { p { "It ended, and its result cannot be read. " code { "avocet verify" } " says why." } })),
            (state, _) if !state.has_ended() => {
                p { "You can leave this page: it goes on. What other examinations found can be reviewed meanwhile." }
                @if let Some(why) = &stop_takes { p { (why) } }
                div.actions {
                    a.button.second href=(ctx.path) { "Look again" }
                    @if may_attach {
                        form method="post" action={ (ctx.path) "/stop" } { (view::csrf(ctx)) button.button.second type="submit" { (if stop_takes.is_some() { "Stop it" } else { "Stop it; nothing of it is kept" }) } }
                    }
                }
            }
            _ => {}
        }
        @if is_examination && (may_attach || !interims.is_empty()) && matches!(job.state, State::Running | State::Failed(_)) {
            h2 { "What it has read so far" }
            @if may_attach && !interims.iter().any(|interim| !interim.state.has_ended()) {
                p { "An interim result is sealed beside it. You read how complete that is and attach it, and it is queued at once; the whole result takes its place later, and votes stay." }
                div.actions {
                    form method="post" action={ (ctx.path) "/interim" } { (view::csrf(ctx)) button.button type="submit" { "Grade what it has read so far" } }
                }
            }
            @if !interims.is_empty() {
                ul { @for interim in &interims { li { a href={ (base) "/run/" (interim.number) } { "Interim result asked for " (uk(interim.asked)) } " " (state_tag(interim)) } } }
            }
        }
        @if let Work::Interim { of, .. } = job.work { p { a href={ (base) "/run/" (of) } { "The examination that it is of" } } }
        (rows(&[
            ("Exhibit", html! { a href={ "/investigations/" (investigation) "/exhibits/" (exhibit) } { (exhibit) } }),
            ("Asked for", html! { (uk(job.asked)) " by " (team.name(job.by)) }),
        ]))
        p { a href=(base) { "All examinations" } }
    };
    shown(ctx, desk, &job_title(&job, exhibit), &body).await
}

/// Thousandths that are done; `None` where nobody knows how much there is.
fn share(job: &Job) -> Option<u64> {
    let share = u128::from(job.far.bytes).saturating_mul(1000).checked_div(u128::from(job.far.of))?;
    Some(u64::try_from(share.min(1000)).unwrap_or(1000))
}

/// What the page asks while it is open.
async fn progress(ctx: &Ctx, _: &Desk<'_>) -> Page {
    let (job, ..) = job(ctx)?;
    let said = json!({"said": sentence(&job), "share": share(&job), "ended": job.state.has_ended(),
        "running": job.state == State::Running});
    Ok(Answer::Part { kind: "application/json", bytes: said.to_string().into_bytes() })
}

/// What became of the small pictures of an examination that was stopped.
enum Small {
    /// None had been begun.
    None,
    /// They and the key that they were made under are destroyed.
    Destroyed,
    /// They are destroyed; their key opens others too and stays.
    Shared,
    /// This key could not be destroyed.
    Left(String),
}

/// Takes away what a stopped examination left: it is no result, and its small pictures must never open again.
fn clear_away(ctx: &Ctx, out: &Path, said: Option<Sha256>) -> Small {
    let store = derivative::store_path(out);
    let partial = store.with_added_extension("partial");
    // It says whose they are before it makes the key; their own file says so only when its first block is written.
    let begun = said.or_else(|| Writer::begun(&store).ok().flatten().map(Sha256));
    // The key as it lies in the file itself goes first, so that what a disk keeps of removed files opens with nothing.
    for path in [&partial, &store] {
        let _ = derivative::destroy(path);
    }
    let key = begun.map(|id| format!("{id}.key"));
    let small = match (key, &ctx.app.setup.picture_key) {
        (None, _) => Small::None,
        (Some(_), Some(_)) => Small::Shared,
        (Some(key), None) => {
            let path = ctx.app.store.dir().join("picture-keys").join(&key);
            match KeyFile::destroy(&path) {
                Ok(()) => Small::Destroyed,
                // It had not come to making one.
                Err(_) if matches!(path.try_exists(), Ok(false)) => Small::Destroyed,
                Err(_) => Small::Left(key),
            }
        }
    };
    // Beside the result: its beginning and the journal that a resumption would read.
    let _ = avocet_examination::clear_unfinished(out);
    for left in [out.with_added_extension("journal"), partial, store] {
        let _ = std::fs::remove_file(left);
    }
    small
}

/// The interim results of an examination that lie in the folder, each by its sealed file, which may not be there.
fn interim_results(out: &Path) -> Vec<PathBuf> {
    let (Some(folder), Some(stem)) = (out.parent(), out.file_stem().and_then(|stem| stem.to_str())) else {
        return vec![];
    };
    let begins = format!("{stem}{INTERIM}");
    let names =
        std::fs::read_dir(folder).into_iter().flatten().filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let number = |name: String| {
        let number: String = name.strip_prefix(&begins)?.chars().take_while(char::is_ascii_digit).collect();
        (!number.is_empty()).then_some(number)
    };
    let numbers: BTreeSet<String> = names.filter_map(number).collect();
    numbers.into_iter().map(|number| folder.join(format!("{begins}{number}{EXAMINATION}"))).collect()
}

/// Those of an examination's interim results that are attached, and the others.
async fn interim_apart(
    ctx: &Ctx,
    desk: &Desk<'_>,
    investigation: InvestigationId,
    out: &Path,
) -> Result<(Vec<PathBuf>, Vec<PathBuf>), Fault> {
    let (mut attached, mut others) = (vec![], vec![]);
    for sealed in interim_results(out) {
        let is_attached = match ctx.app.sealed.one(&sealed) {
            Some(found) => desk.is_attached(investigation, found.result).await?,
            None => false,
        };
        if is_attached { attached.push(sealed) } else { others.push(sealed) }
    }
    Ok((attached, others))
}

/// What stopping an examination means for its interim results.
async fn stop_takes(ctx: &Ctx, desk: &Desk<'_>, investigation: InvestigationId, out: &Path) -> Result<String, Fault> {
    let (attached, _) = interim_apart(ctx, desk, investigation, out).await?;
    let kept = match attached.len() {
        0 => "Interim results of it that are not attached go too.",
        _ => {
            "Its interim result that is attached stays, and so does what was graded. Their pictures cannot be shown any more: \
             the small ones are destroyed. Interim results that are not attached go too."
        }
    };
    Ok(format!("If you stop it, nothing else of it is kept. {kept}"))
}

/// Takes away the small pictures of an interim result, which are those of its examination, and the result too unless it
/// stays.
fn remove_interim(ctx: &Ctx, sealed: &Path, stays: bool) {
    let store = derivative::store_path(sealed);
    ctx.app.setup.pictures.close(&store);
    for path in [store.clone(), store.with_added_extension("index.partial")] {
        let _ = std::fs::remove_file(path);
    }
    if !stays {
        let _ = std::fs::remove_file(sealed);
        // Its seal, and what was being written.
        let _ = avocet_examination::clear_unfinished(sealed);
    }
}

async fn stop(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let (job, exhibit, out) = job(ctx)?;
    let investigation = ctx.investigation()?;
    let page = format!("/investigations/{investigation}/examinations/run/{}", job.number);
    if !ctx.app.jobs.stop(job.number) {
        return ctx.told(page, "It had ended already.");
    }
    let about = vec![investigation.to_string(), exhibit.to_string()];
    if let Work::Interim { .. } = job.work {
        // Its small pictures and their key are those of the examination, which goes on.
        remove_interim(ctx, &out, false);
        desk.looked(Act::Viewed, about, "the making of an interim result of its copy was stopped", 1).await?;
        return ctx.told(page, "It is stopped. The examination goes on.");
    }
    for interim in interims_of(ctx, job.number) {
        ctx.app.jobs.stop(interim.number);
    }
    let small = ctx.app.jobs.one(job.number).and_then(|job| job.small);
    let mut said = match clear_away(ctx, &out, small) {
        Small::None => "no small pictures had been begun".to_owned(),
        Small::Destroyed => "its small pictures and their key are destroyed".to_owned(),
        Small::Shared => "its small pictures are destroyed; the key that they share with others stays".to_owned(),
        Small::Left(key) => format!(
            "the key of its small pictures could not be destroyed: whoever looks after the server removes {key} from the \
             folder of picture keys"
        ),
    };
    let (attached, others) = interim_apart(ctx, desk, investigation, &out).await?;
    for sealed in &attached {
        remove_interim(ctx, sealed, true);
    }
    for sealed in &others {
        remove_interim(ctx, sealed, false);
    }
    if !attached.is_empty() {
        said.push_str("; what was attached as its interim result and what was graded stays, and can be shown no more");
    }
    if !others.is_empty() {
        let were = count(
            others.len(),
            "interim result that was not attached is",
            "interim results that were not attached are",
        );
        said.push_str(&format!("; {were} removed"));
    }
    desk.looked(Act::Viewed, about, &format!("an examination of its copy was stopped; {said}"), 1).await?;
    ctx.told(page, format!("It is stopped: {said}."))
}

/// Has what an examination has read so far sealed beside it.
async fn interim(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let (job, exhibit, out) = job(ctx)?;
    let investigation = ctx.investigation()?;
    let Work::Examination { settings, .. } = &job.work else { return Err(Fault::Nothing) };
    let base = format!("/investigations/{investigation}/examinations/run");
    let page = format!("{base}/{}", job.number);
    match &job.state {
        State::Running | State::Failed(_) => {}
        State::Waiting => return ctx.told(page, "It has not begun, so nothing has been read yet."),
        State::Done(_) => return ctx.told(page, "It has ended: attach the whole result."),
        State::Stopped => return ctx.told(page, "It was stopped, and nothing of it was kept."),
    }
    let make = |before: usize| {
        let of = job.number;
        let stem = out.with_extension("").into_os_string();
        let name = |n: usize| {
            let mut name = stem.clone();
            name.push(format!("{INTERIM}{n}{EXAMINATION}"));
            PathBuf::from(name)
        };
        let is_free = |path: &PathBuf| {
            let store = derivative::store_path(path);
            [path.clone(), path.with_added_extension("partial"), store]
                .iter()
                .all(|path| matches!(path.try_exists(), Ok(false)))
        };
        // What one of before was called is called nothing else.
        let sealed = (before.saturating_add(1)..).take(1000).map(name).find(is_free).unwrap_or_else(|| name(0));
        let mut command = program(ctx, "examine");
        command.args(settings).arg("--interim").arg(&sealed);
        let source = settings.first().map(|source| source.display().to_string()).unwrap_or_default();
        let hide = vec![
            (source, "the evidence source"),
            (sealed.display().to_string(), "the interim result"),
            (out.display().to_string(), "the result"),
        ];
        Interim { work: Work::Interim { investigation, exhibit, of, out: sealed }, command, hide }
    };
    let Some(number) = ctx.app.jobs.add_interim(job.number, desk.user(), desk.now(), make) else {
        return ctx.told(page, "An interim result of it is being made.");
    };
    let about = vec![investigation.to_string(), exhibit.to_string()];
    desk.looked(Act::Viewed, about, "an interim result of the examination of its copy was begun", 1).await?;
    Ok(Answer::To(format!("{base}/{number}")))
}

const POLICIES: [(&str, &str); 3] = [
    ("unknown", "What no set knows. Of what sets know only conflicts and a dip sample are looked at"),
    ("every", "Every picture and video, whatever a set says of it"),
    ("streamlined", "A part, by criteria that the investigation agreed"),
];

async fn policy(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let whole = desk.overview(ctx.investigation()?).await?;
    let mut form = Form::default();
    if let Some(now) = &whole.policy {
        form.or(
            "what",
            match now.policy {
                Policy::EveryImage {} => "every",
                Policy::Unknown {} => "unknown",
                Policy::Streamlined { .. } => "streamlined",
            },
        );
        form.or("scheme", format!("{}@{}", now.scheme.id, now.scheme.version));
        form.or("rule", now.rule_from.row.clone());
        if let Some(dip) = now.dip_per_1000 {
            form.or("dip", dip.to_string());
        }
        if let Policy::Streamlined { criteria, stop } = &now.policy {
            form.or("criteria", criteria.clone());
            let lines = stop.iter().flat_map(|stop| &stop.enough);
            form.or(
                "enough",
                lines.map(|line| format!("{} {}", line.category, line.count)).collect::<Vec<_>>().join("\n"),
            );
            if stop.as_ref().is_some_and(|stop| stop.own_cameras_first) {
                form.or("own", "true");
            }
        }
    } else {
        form.or("rule", "default");
    }
    Ok(Answer::Html(policy_page(ctx, desk, &form, &Wrong::default()).await?))
}

async fn policy_page(ctx: &Ctx, desk: &Desk<'_>, form: &Form, wrong: &Wrong) -> Result<Markup, Fault> {
    let id = ctx.investigation()?;
    let fields = Fields { form, wrong };
    let schemes: Vec<(String, String)> = Scheme::builtin()
        .iter()
        .map(|scheme| {
            (
                format!("{}@{}", scheme.id.as_str(), scheme.version),
                format!("{} ({}, version {})", scheme.title, scheme.jurisdiction, scheme.version),
            )
        })
        .collect();
    let rules: Vec<(String, String)> =
        desk.law().grading.rows.iter().map(|row| (row.id.clone(), row.value.title.clone())).collect();
    let body = html! {
        (inset(&html! { p { "It holds from now on. Earlier ones, and why, stay in the timeline; votes stay what they are." } }))
        (error_summary(wrong))
        form method="post" action=(ctx.path) {
            (view::csrf(ctx))
            (fields.radios("what", "What is graded", "", &view::options(&POLICIES)))
            (fields.select("scheme", "The scheme in which categories are stated", "Grades cannot be translated into another one later.", &schemes))
            (fields.select("rule", "The local rule", "How many graders, how many are moderated, when somebody else looks too.", &rules))
            (fields.text("dip", "Dip sample (if not the rule’s)", "Of 1,000 contents that sets know, how many are looked at all the same: 0 to 1,000."))
            (fields.area("criteria", "Criteria, where only a part is graded", "As the investigation agreed them with the prosecutor. No person’s name."))
            (fields.area("enough", "When a part is enough (if wanted)", "One line for each category: its code and how many settled contents are enough, such as A 20. Then nothing more is queued."))
            (fields.checks("own", "Before a part is enough", "", &[("true".to_owned(), "Every unknown picture of a camera of this investigation must be graded".to_owned())]))
            (fields.text("reason", "Why", "No person’s name."))
            div.actions {
                button.main type="submit" { "Set it" }
                a href={ "/investigations/" (id) "/examinations" } { "Leave it as it is" }
            }
        }
    };
    let head = desk.head(id).await?;
    Ok(view::investigation_page(ctx, desk, &head, "What is graded", &body))
}

fn stop_rule(form: &Form, wrong: &mut Wrong) -> Option<StopRule> {
    let mut stop = StopRule { enough: vec![], own_cameras_first: form.text("own").is_some() };
    for line in form.text("enough").unwrap_or_default().lines().map(str::trim).filter(|line| !line.is_empty()) {
        let read = line.rsplit_once(' ').and_then(|(category, count)| {
            Some(Enough { category: category.trim().parse::<Category>().ok()?, count: count.parse().ok()? })
        });
        match read {
            Some(enough) => stop.enough.push(enough),
            None => wrong.add("enough", "Write each line as a category, a space and a number, such as A 20"),
        }
    }
    Some(stop).filter(StopRule::says_something)
}

async fn set_policy(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let id = ctx.investigation()?;
    let form = &ctx.form;
    let mut wrong = Wrong::default();
    let stop = stop_rule(form, &mut wrong);
    let policy = match form.text("what") {
        Some("every") => Some(Policy::EveryImage {}),
        Some("unknown") => Some(Policy::Unknown {}),
        Some("streamlined") => {
            let criteria = need(form, &mut wrong, "criteria", "the criteria").to_owned();
            Some(Policy::Streamlined { criteria, stop: stop.clone() })
        }
        _ => {
            wrong.add("what", "Choose what is graded");
            None
        }
    };
    if stop.is_some() && !matches!(policy, None | Some(Policy::Streamlined { .. })) {
        wrong.add("what", "Only where a part is graded can it be enough: choose that, or leave the conditions empty");
    }
    let scheme = form.text("scheme").and_then(|text| text.split_once('@'));
    let scheme = scheme.filter(|(id, version)| Scheme::find_builtin(id).is_some_and(|known| known.version == *version));
    let scheme = scheme.map(|(id, version)| SchemeRef { id: id.to_owned(), version: version.to_owned() });
    if scheme.is_none() {
        wrong.add("scheme", "Choose the scheme");
    }
    let rule = form.text("rule").filter(|rule| desk.law().grading.row(rule).is_some());
    if rule.is_none() {
        wrong.add("rule", "Choose the rule");
    }
    let dip = match form.text("dip").map(str::parse::<u32>) {
        None => None,
        Some(Ok(share)) if share <= 1000 => Some(share),
        Some(_) => {
            wrong.add("dip", "Enter a whole number from 0 to 1000");
            None
        }
    };
    let reason = need(form, &mut wrong, "reason", "why").to_owned();
    if let (true, Some(policy), Some(scheme), Some(rule)) = (wrong.is_none(), policy, scheme, rule) {
        match desk.set_policy_with(id, policy, scheme, rule, dip, &reason).await {
            Ok(seq) => {
                return ctx.told(
                    format!("/investigations/{id}/examinations"),
                    format!("Recorded as entry {seq}. What it queues is queued."),
                );
            }
            Err(RecordError::Refused(why)) => wrong.add("", upper(&why)),
            Err(other) => return Err(other.into()),
        }
    }
    Ok(Answer::Wrong(policy_page(ctx, desk, form, &wrong).await?))
}
