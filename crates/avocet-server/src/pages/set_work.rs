//! What administrators do with known sets beside importing them: further versions from files or a delta, another scheme, a
//! check of every byte, a comparison, removing. The program itself does the work, one at a time; the set's own log names who
//! asked for it and why.

use std::process::Command;

use avocet_known::{Scheme, SetRef};
use avocet_record::desk::Desk;
use avocet_record::law::Right;
use maud::{Markup, html};
use serde_json::json;

use super::examinations::program;
use super::sets::{
    OwnScheme, chosen_files, chosen_scheme, file_choices, files, folder_words, not_listed, own_schemes, own_shown,
    scheme_choices, store, unreadable,
};
use super::who::Team;
use crate::fault::Fault;
use crate::folders::Listed;
use crate::form::{Form, Wrong, need};
use crate::jobs::{Job, State, Work};
use crate::route::{Answer, Ctx, Page, Route, Rule, form, route};
use crate::view::{self, Fields, empty, error_summary, inset, rows, tag, uk, warning};

/// Who may.
pub const MANAGE: Rule = Rule::Any(&[Right::ManageStore]);

pub fn routes() -> Vec<Route> {
    vec![
        route("/sets/of/{set}/update", MANAGE, ask_update),
        form("/sets/of/{set}/update", MANAGE, update),
        route("/sets/of/{set}/remap", MANAGE, ask_remap),
        form("/sets/of/{set}/remap", MANAGE, remap),
        route("/sets/of/{set}/remove", MANAGE, ask_remove),
        form("/sets/of/{set}/remove", MANAGE, remove),
        route("/sets/diff", MANAGE, ask_diff),
        form("/sets/diff", MANAGE, diff),
        form("/sets/verify", MANAGE, verify),
        route("/sets/run/{n}", MANAGE, watch),
        route("/sets/run/{n}/progress", MANAGE, progress).by_itself(),
    ]
}

/// The set in the address, with its version: the latest where none is named.
fn named(ctx: &Ctx) -> Result<SetRef, Fault> {
    let wanted: SetRef = ctx.id("set")?;
    store(ctx).find(&wanted).map(|(set, _)| set).map_err(|_| Fault::Nothing)
}

/// Has the program do it, and shows the page that says how far it is.
fn begin(ctx: &Ctx, desk: &Desk<'_>, title: String, command: Command) -> Page {
    let number = ctx.app.jobs.add(Work::Sets { title }, desk.user(), desk.now(), command, folder_words(ctx));
    Ok(Answer::To(format!("/sets/run/{number}")))
}

fn sets(ctx: &Ctx, verb: &str) -> Command {
    let mut command = program(ctx, "sets");
    command.arg(verb);
    command
}

/// Why, in words that no option can be made of.
fn with(command: &mut Command, option: &str, text: &str) {
    command.arg(format!("--{option}={text}"));
}

/// A button that has one set, or all, read whole.
pub fn verify_button(ctx: &Ctx, set: Option<&SetRef>) -> Markup {
    html! {
        form method="post" action="/sets/verify" {
            (view::csrf(ctx))
            @if let Some(set) = set { input type="hidden" name="set" value=(set); }
            button.button.second type="submit" { @if set.is_some() { "Verify it" } @else { "Verify all" } }
        }
    }
}

async fn verify(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let mut command = sets(ctx, "verify");
    let title = match ctx.form.text("set") {
        Some(text) => {
            let set: SetRef = text.parse().map_err(|_| Fault::Nothing)?;
            let (set, _) = store(ctx).find(&set).map_err(|_| Fault::Nothing)?;
            command.arg(set.to_string());
            format!("Verify {set}")
        }
        None => "Verify all known sets".to_owned(),
    };
    begin(ctx, desk, title, command)
}

/// With which scheme the set was made: one that comes with the program, which then needs none, or what stands in the folder.
enum MadeWith<'o, 'l> {
    BuiltIn,
    Own(&'o OwnScheme<'l>),
    /// No file in the folder has its text: its name and digest.
    Elsewhere(String),
}

fn made_with<'o, 'l>(ctx: &Ctx, set: &SetRef, own: &'o [OwnScheme<'l>]) -> Result<MadeWith<'o, 'l>, Fault> {
    let file = store(ctx).open(set).map_err(unreadable)?.1;
    let info = file.info();
    let digest = info.scheme_digest;
    if Scheme::find_builtin(info.scheme.as_str()).is_some_and(|scheme| scheme.digest == digest) {
        return Ok(MadeWith::BuiltIn);
    }
    let same = own.iter().find(|one| one.scheme.as_ref().is_ok_and(|scheme| scheme.digest == digest));
    let named = || format!("{} version {}, SHA-256 {digest}", info.scheme.as_str(), info.scheme_version);
    Ok(same.map_or_else(|| MadeWith::Elsewhere(named()), MadeWith::Own))
}

async fn ask_update(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    Ok(Answer::Html(update_page(ctx, desk, &Form::default(), &Wrong::default())?))
}

fn update_page(ctx: &Ctx, desk: &Desk<'_>, form: &Form, wrong: &Wrong) -> Result<Markup, Fault> {
    let set = named(ctx)?;
    let fields = Fields { form, wrong };
    let body = match &ctx.app.setup.set_files {
        None => empty(
            &html! { p { strong { "This server has no folder to take files from." } } p { "Whoever runs it starts it with " code { "avocet serve --set-files DIR" } ". At the command line it is " code { "avocet sets update" } "." } },
        ),
        Some(folder) => {
            let listed = files(folder)?;
            let choices = file_choices(&listed);
            let own = own_schemes(&listed);
            let with = made_with(ctx, &set, &own)?;
            html! {
                @match &with {
                    MadeWith::BuiltIn => {}
                    MadeWith::Own(one) => { (inset(&html! { p { "It is read with the scheme of your own that it was made with:" } })) (own_shown(std::slice::from_ref(*one))) }
                    MadeWith::Elsewhere(named) => { (warning(&html! { p { strong { "The scheme that this set was made with is not in the folder." } " It is " span.mono { (named) } ". Put its file there, or read the set with another scheme first." } })) }
                }
                (inset(&html! { p { "They are applied to " strong { (set) } ", the latest version, and make the next one. Earlier versions stay. Examinations that are done stay as they are: they were matched with the version that they name." } }))
                (error_summary(wrong))
                @if choices.is_empty() { (empty(&html! { p { strong { "There is no file in the folder." } } })) }
                @else {
                    form method="post" action={ "/sets/of/" (set.name) "/update" } {
                        (view::csrf(ctx))
                        (fields.checks("file", "Further files of the set, or a delta", "", &choices))
                        (fields.text("note", "Why, or from where", "Kept with the set. No person’s name."))
                        div.actions { button.main type="submit" { "Make the next version" } a href={ "/sets/of/" (set) } { "Leave it as it is" } }
                    }
                }
                (not_listed(&listed))
            }
        }
    };
    Ok(view::page(ctx, desk, &format!("Further files for {}", set.name), &body))
}

async fn update(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let set = named(ctx)?;
    let folder = ctx.app.setup.set_files.as_ref().ok_or(Fault::Nothing)?;
    let listed = files(folder)?;
    let mut wrong = Wrong::default();
    let chosen = chosen_files(ctx, &listed, &mut wrong);
    let note = need(&ctx.form, &mut wrong, "note", "why, or from where").to_owned();
    let own = own_schemes(&listed);
    let scheme = match made_with(ctx, &set, &own)? {
        MadeWith::BuiltIn => None,
        MadeWith::Own(one) => Some(one.option()),
        MadeWith::Elsewhere(_) => {
            wrong.add("", "Put the file of the scheme that this set was made with into the folder first");
            None
        }
    };
    if !wrong.is_none() {
        return Ok(Answer::Wrong(update_page(ctx, desk, &ctx.form, &wrong)?));
    }
    let mut command = sets(ctx, "update");
    command.arg(&set.name).args(chosen.iter().map(|entry| &entry.path)).arg("--quiet").args(scheme);
    with(&mut command, "note", &note);
    begin(ctx, desk, format!("Further files for {}", set.name), command)
}

async fn ask_remap(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    Ok(Answer::Html(remap_page(ctx, desk, &Form::default(), &Wrong::default())?))
}

fn remap_page(ctx: &Ctx, desk: &Desk<'_>, form: &Form, wrong: &Wrong) -> Result<Markup, Fault> {
    let set = named(ctx)?;
    let now = store(ctx).open(&set).map_err(unreadable)?.1;
    let now = format!("{} version {}", now.info().scheme.as_str(), now.info().scheme_version);
    let listed = match &ctx.app.setup.set_files {
        Some(folder) => files(folder)?,
        None => Listed::default(),
    };
    let own = own_schemes(&listed);
    let schemes = scheme_choices(&own);
    let fields = Fields { form, wrong };
    let body = html! {
        (inset(&html! { p { "The same records, with other words for what their categories mean: a new version of " strong { (set) } ", which is read with " strong { (now) } " now. What a code means is for the set’s publisher to say; ask before you change it." } }))
        (error_summary(wrong))
        form method="post" action={ "/sets/of/" (set.name) "/remap" } {
            (view::csrf(ctx))
            (fields.select("scheme", "How its categories are to be read", "A scheme file of your own (.toml) in the folder of set files can be chosen too.", &schemes))
            (fields.text("note", "Why", "Kept with the set. No person’s name."))
            div.actions { button.main type="submit" { "Make the next version" } a href={ "/sets/of/" (set) } { "Leave it as it is" } }
        }
        (own_shown(&own))
    };
    Ok(view::page(ctx, desk, &format!("Read {} with another scheme", set.name), &body))
}

async fn remap(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let set = named(ctx)?;
    let mut wrong = Wrong::default();
    let listed = match &ctx.app.setup.set_files {
        Some(folder) => files(folder)?,
        None => Listed::default(),
    };
    let scheme = chosen_scheme(ctx, &own_schemes(&listed), &mut wrong);
    let note = need(&ctx.form, &mut wrong, "note", "why").to_owned();
    let (Some((scheme, option)), true) = (scheme, wrong.is_none()) else {
        return Ok(Answer::Wrong(remap_page(ctx, desk, &ctx.form, &wrong)?));
    };
    let mut command = sets(ctx, "remap");
    command.arg(&set.name).arg("--quiet").arg(option);
    with(&mut command, "note", &note);
    begin(ctx, desk, format!("Read {} with {scheme}", set.name), command)
}

async fn ask_remove(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    Ok(Answer::Html(remove_page(ctx, desk, &Wrong::default())?))
}

fn remove_page(ctx: &Ctx, desk: &Desk<'_>, wrong: &Wrong) -> Result<Markup, Fault> {
    let set = named(ctx)?;
    let versions = store(ctx).versions(&set.name).map_err(unreadable)?.len();
    let fields = Fields { form: &ctx.form, wrong };
    let body = html! {
        (warning(&html! {
            p { strong { "It is gone from this server, and nothing brings it back but its source files." } }
            @if versions == 1 { p { "It is the only version: nothing can be matched with " (set.name) " afterwards." } }
            p { "Examinations that were matched with it keep their matches and its digest. The log of the set keeps that it was there." }
        }))
        (error_summary(wrong))
        form method="post" action={ "/sets/of/" (set) "/remove" } {
            (view::csrf(ctx))
            (fields.text("reason", "Why", "Kept in the log. No person’s name."))
            div.actions { button.main type="submit" { "Remove " (set) } a href={ "/sets/of/" (set) } { "Keep it" } }
        }
    };
    Ok(view::page(ctx, desk, &format!("Remove {set}"), &body))
}

async fn remove(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    // Which version is to go is said, never guessed.
    let stated: SetRef = ctx.id("set")?;
    let set = named(ctx)?;
    if stated.version.is_none() {
        return Err(Fault::Nothing);
    }
    let mut wrong = Wrong::default();
    let reason = need(&ctx.form, &mut wrong, "reason", "why").to_owned();
    if !wrong.is_none() {
        return Ok(Answer::Wrong(remove_page(ctx, desk, &wrong)?));
    }
    let mut command = sets(ctx, "remove");
    command.arg(set.to_string()).arg("--quiet");
    with(&mut command, "reason", &reason);
    begin(ctx, desk, format!("Remove {set}"), command)
}

async fn ask_diff(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    Ok(Answer::Html(diff_page(ctx, desk, &Form::default(), &Wrong::default())?))
}

fn versions(ctx: &Ctx) -> Result<Vec<SetRef>, Fault> {
    let store = store(ctx);
    let mut all = vec![];
    for name in store.names().map_err(unreadable)? {
        for version in store.versions(&name).map_err(unreadable)? {
            all.push(SetRef { name: name.clone(), version: Some(version) });
        }
    }
    Ok(all)
}

fn diff_page(ctx: &Ctx, desk: &Desk<'_>, form: &Form, wrong: &Wrong) -> Result<Markup, Fault> {
    let choices: Vec<(String, String)> = versions(ctx)?.iter().map(|set| (set.to_string(), set.to_string())).collect();
    let fields = Fields { form, wrong };
    let body = html! {
        @if choices.len() < 2 {
            (empty(&html! { p { strong { "There are no two versions to compare." } } p { "A further version is made on a set’s page." } }))
        } @else {
            (inset(&html! { p { "Both are read once, side by side. It counts what was added, taken away, changed and is the same, and lists the first differences by their digests." } }))
            (error_summary(wrong))
            form method="post" action="/sets/diff" {
                (view::csrf(ctx))
                (fields.select("from", "The earlier", "", &choices))
                (fields.select("to", "The later", "", &choices))
                div.actions { button.main type="submit" { "Compare them" } a href="/sets" { "Leave without comparing" } }
            }
        }
    };
    Ok(view::page(ctx, desk, "Compare two versions", &body))
}

async fn diff(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let there = versions(ctx)?;
    let mut wrong = Wrong::default();
    let mut find = |field: &str| {
        let set = ctx.form.text(field).and_then(|text| there.iter().find(|set| set.to_string() == text));
        if set.is_none() {
            wrong.add(field, "Choose a version");
        }
        set
    };
    let (from, to) = (find("from"), find("to"));
    if from.is_some() && from == to {
        wrong.add("to", "Choose another version than the earlier one");
    }
    let (Some(from), Some(to), true) = (from, to, wrong.is_none()) else {
        return Ok(Answer::Wrong(diff_page(ctx, desk, &ctx.form, &wrong)?));
    };
    let mut command = sets(ctx, "diff");
    command.arg(from.to_string()).arg(to.to_string());
    begin(ctx, desk, format!("{to} compared with {from}"), command)
}

/// Where work on sets stands.
pub fn state_tag(state: &State) -> Markup {
    match state {
        State::Waiting => tag("plain", "Waiting for other work"),
        State::Running => tag("wait", "Running"),
        State::Done(4) => tag("late", "Finished: something is damaged or cannot be read"),
        State::Done(_) => tag("good", "Finished"),
        State::Failed(_) => tag("late", "Not done"),
        State::Stopped => tag("plain", "Stopped"),
    }
}

fn job(ctx: &Ctx) -> Result<(Job, String), Fault> {
    let job = ctx.app.jobs.one(ctx.id("n")?).ok_or(Fault::Nothing)?;
    match job.work.clone() {
        Work::Sets { title } => Ok((job, title)),
        _ => Err(Fault::Nothing),
    }
}

fn sentence(state: &State) -> &'static str {
    match state {
        State::Waiting => "Other work runs. This begins after it.",
        State::Running => "It runs. You can leave this page; it goes on.",
        State::Done(_) => "It has ended.",
        State::Failed(_) => "It was not done, and nothing was changed.",
        State::Stopped => "It was stopped.",
    }
}

async fn watch(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let (job, title) = job(ctx)?;
    let team = Team::of(desk).await?;
    let body = html! {
        div #job data-progress=[(!job.state.has_ended()).then(|| format!("{}/progress", ctx.path))] {
            p { (state_tag(&job.state)) }
            p #job-said role="status" aria-live="polite" { (sentence(&job.state)) }
        }
        @if let State::Failed(why) = &job.state { (warning(&html! { p { (why) } })) }
        @let answer = job.answer.trim_end();
        @if !answer.is_empty() {
            h2 { "What it says" }
            // A comparison ends with its sum, which is what most people want.
            @match answer.lines().next_back().filter(|line| line.starts_with("From ")) {
                Some(sum) => { p { strong { (sum) } } @let list = answer.strip_suffix(sum).unwrap_or_default().trim_end(); @if !list.is_empty() { pre.said { (list) } } }
                None => pre.said { (answer) },
            }
        }
        @if !job.state.has_ended() { div.actions { a.button.second href=(ctx.path) { "Look again" } } }
        (rows(&[("Asked for", html! { (uk(job.asked)) " by " (team.name(job.by)) })]))
        p { a href="/sets" { "All known sets" } }
    };
    Ok(Answer::Html(view::page(ctx, desk, &title, &body)))
}

/// What the page asks while it is open.
async fn progress(ctx: &Ctx, _: &Desk<'_>) -> Page {
    let (job, _) = job(ctx)?;
    let said = json!({"said": sentence(&job.state), "share": 0, "ended": job.state.has_ended(), "running": false});
    Ok(Answer::Part { kind: "application/json", bytes: said.to_string().into_bytes() })
}
