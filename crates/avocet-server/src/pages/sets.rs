//! The known sets of this workplace: who published them, what they hold, and what could not be used of them.

use std::ffi::OsString;
use std::path::Path;

use avocet_base::{plural, size_text};
use avocet_known::{KnownError, Scheme, SchemeRef, SetInfo, SetRef, SetStore, Status};
use avocet_record::desk::Desk;
use avocet_record::law::Right;
use maud::{Markup, html};

use super::examinations::program;
use crate::fault::Fault;
use crate::folders;
use crate::form::{Form, Wrong, need};
use crate::jobs::{Job, State, Work};
use crate::route::{Answer, Ctx, Page, Route, Rule, form, route};
use crate::view::{self, Fields, action, count, empty, error_summary, inset, rows, table, tag, uk, warning};

/// What administrators do with sets.
const MANAGE: Rule = super::set_work::MANAGE;

const SEE: Rule = Rule::Any(&[Right::SeeQueue, Right::ManageStore]);

pub fn routes() -> Vec<Route> {
    vec![
        route("/sets", SEE, list),
        route("/sets/import", MANAGE, ask),
        form("/sets/import", MANAGE, import),
        route("/sets/of/{set}", SEE, one),
    ]
}

pub fn store(ctx: &Ctx) -> SetStore {
    SetStore::at(&ctx.app.store.dir().join("sets"))
}

pub fn unreadable<E>(_: E) -> Fault {
    Fault::Server("read the known sets")
}

fn rejected(info: &SetInfo) -> u64 {
    info.rejected.iter().map(|tally| tally.count).sum()
}

/// What its files state of themselves, the dates among it.
fn stated(info: &SetInfo) -> Vec<String> {
    let of = info.sources.iter().flat_map(|source| &source.stated).map(|(name, value)| format!("{name}: {value}"));
    let mut all: Vec<String> = of.collect();
    all.dedup();
    all
}

async fn list(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let store = store(ctx);
    let (mut lines, mut broken) = (vec![], vec![]);
    for name in store.names().map_err(unreadable)? {
        for version in store.versions(&name).map_err(unreadable)?.into_iter().rev() {
            let set = SetRef { name: name.clone(), version: Some(version) };
            match store.open(&set) {
                Ok((_, file)) => {
                    let info = file.info();
                    let since = store.log(&name).map_err(unreadable)?;
                    let since = since.into_iter().rev().find(|entry| entry.version == version && entry.act != "remove");
                    lines.push(vec![
                        html! { a href={ "/sets/of/" (set) } { (set) } },
                        html! { (info.publisher.as_deref().unwrap_or("not stated")) },
                        html! { (info.kept) },
                        html! { @if rejected(info) > 0 { (tag("wait", &format!("{} rejected", rejected(info)))) } @else { (tag("good", "None rejected")) } },
                        html! { (info.scheme.as_str()) " " (info.scheme_version) },
                        html! { @for line in stated(info).iter().take(3) { span.mono { (line) } br; } },
                        html! { @if let Some(entry) = since { (entry.time) } },
                    ]);
                }
                Err(error) => broken.push(format!("{set}: {error}")),
            }
        }
    }
    let imports: Vec<Job> =
        ctx.app.jobs.list().into_iter().filter(|job| matches!(job.work, Work::Import { .. })).collect();
    let body = html! {
        p { "What pictures and files are compared with. A match says that a set has the same content; it is not a grade." }
        @if desk.holds(Right::ManageStore) {
            div.actions {
                (action("/sets/import", "Import a set"))
                @if !lines.is_empty() { (action("/sets/diff", "Compare two versions")) (super::set_work::verify_button(ctx, None)) }
            }
        }
        @if !broken.is_empty() { (warning(&html! { p { "These cannot be used:" } ul { @for line in &broken { li { (line) } } } })) }
        @for job in imports.iter().take(5) {
            @if let Work::Import { name } = &job.work {
                p { "Import of " strong { (name) } ", asked for " (uk(job.asked)) ": " (import_state(&job.state)) }
            }
        }
        @if desk.holds(Right::ManageStore) {
            @for job in ctx.app.jobs.list().into_iter().filter(|job| matches!(job.work, Work::Sets { .. })).take(5) {
                @if let Work::Sets { title } = &job.work {
                    p { a href={ "/sets/run/" (job.number) } { (title) } ", asked for " (uk(job.asked)) ": " (super::set_work::state_tag(&job.state)) }
                }
            }
        }
        @if lines.is_empty() {
            (empty(&html! { p { strong { "There is no known set yet." } } p { "An administrator imports one from the folder that the server was started with (" code { "--set-files" } "), or at the command line: " code { "avocet sets import" } ". Until then every picture is unknown." } }))
        } @else {
            (table("Known sets, the latest version of each first", &["Set", "Publisher", "Records", "Rejected", "Scheme", "What its files state", "Imported"], &lines))
        }
    };
    Ok(Answer::Html(view::page(ctx, desk, "Known sets", &body)))
}

pub fn import_state(state: &State) -> Markup {
    match state {
        State::Waiting => tag("plain", "Waiting for other work"),
        State::Running => tag("wait", "Running; look again in a while"),
        State::Done(_) => tag("good", "Imported"),
        State::Failed(why) => html! { (tag("late", "Not imported")) " " (why) },
        State::Stopped => tag("plain", "Stopped"),
    }
}

async fn one(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let set: SetRef = ctx.id("set")?;
    let store = store(ctx);
    let (set, file) = store.open(&set).map_err(|_| Fault::Nothing)?;
    let info = file.info();
    let categories: Vec<Vec<Markup>> = info
        .categories
        .iter()
        .map(|category| {
            vec![
                html! { (category.code.as_deref().unwrap_or("none stated")) },
                html! { (category.meaning.as_deref().unwrap_or("not in the scheme")) },
                html! { (category.records) },
                html! { @if category.alerts { (tag("late", "Alerts")) } },
            ]
        })
        .collect();
    let sources: Vec<Vec<Markup>> = info
        .sources
        .iter()
        .map(|source| {
            let stated: Vec<String> = source.stated.iter().map(|(name, value)| format!("{name}: {value}")).collect();
            vec![
                html! { (source.name) },
                html! { (source.publisher.as_deref().unwrap_or("not stated")) },
                html! { (size_text(source.bytes)) ", " (plural(source.records, "record", "records")) },
                html! { span.mono { (stated.join("; ")) } },
                html! { span.mono { (source.sha256) } },
            ]
        })
        .collect();
    let log: Vec<Vec<Markup>> = store
        .log(&set.name)
        .map_err(unreadable)?
        .iter()
        .rev()
        .map(|entry| {
            vec![
                html! { (entry.time) },
                html! { (entry.act) " version " (entry.version) },
                html! { (entry.user) },
                html! { (entry.note.as_deref().unwrap_or_default()) },
            ]
        })
        .collect();
    let body = html! {
        @if desk.holds(Right::ManageStore) {
            div.actions {
                (action(&format!("/sets/of/{}/update", set.name), "Further files or a delta"))
                (action(&format!("/sets/of/{}/remap", set.name), "Read it with another scheme"))
                (super::set_work::verify_button(ctx, Some(&set)))
                (action(&format!("/sets/of/{set}/remove"), "Remove this version"))
            }
        }
        @if rejected(info) > 0 {
            (warning(&html! {
                p { strong { (plural(rejected(info), "record", "records")) " could not be used." } " They match nothing." }
                ul { @for tally in &info.rejected { li { (tally.count) ": " (tally.reason) } } }
            }))
        }
        @if !info.warnings.is_empty() { ul { @for line in &info.warnings { li { (line) } } } }
        (rows(&[
            ("Publisher", html! { (info.publisher.as_deref().unwrap_or("not stated")) }),
            ("Records", html! { (info.kept) " kept of " (info.records_read) " read" @if info.duplicates > 0 { ", " (info.duplicates) " that say the same as another" } @if info.removed > 0 { ", " (info.removed) " taken away by deletions" } }),
            ("Pictures", html! { (info.pdq) " with a PDQ hash, " (info.photodna) " with a PhotoDNA value, which is kept and not compared" }),
            ("Scheme", html! { (info.scheme.as_str()) " version " (info.scheme_version) }),
            ("Format", html! { (info.format) }),
            ("Digest of this version", html! { span.mono { (info.digest) } }),
        ]))
        (table("Categories, as the set writes them", &["Code", "Meaning in the scheme", "Records", ""], &categories))
        (table("Made from", &["File", "Publisher", "Size", "What it states", "SHA-256"], &sources))
        (table("What was done to sets of this name", &["When (UTC)", "What", "By", "Why"], &log))
        p { a href="/sets" { "All known sets" } }
    };
    Ok(Answer::Html(view::page(ctx, desk, &format!("Known set {set}"), &body)))
}

async fn ask(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    Ok(Answer::Html(ask_page(ctx, desk, &Form::default(), &Wrong::default())?))
}

pub fn files(folder: &Path) -> Result<folders::Listed, Fault> {
    folders::list(folder, |_, is_folder| !is_folder)
}

/// What answers of the program leave out: where the folders of this machine are is nobody's business on a page.
pub fn folder_words(ctx: &Ctx) -> Vec<(String, &'static str)> {
    ctx.app.setup.set_files.iter().map(|folder| (format!("{}/", folder.display()), "")).collect()
}

/// Whether a file is a scheme of one's own, and so no part of a set.
fn is_scheme(entry: &folders::Entry) -> bool {
    entry.name.to_lowercase().ends_with(".toml")
}

/// The files to choose from.
pub fn file_choices(listed: &folders::Listed) -> Vec<(String, String)> {
    let said = |entry: &folders::Entry| format!("{} ({})", entry.name, size_text(entry.bytes.unwrap_or(0)));
    listed.entries.iter().filter(|entry| !is_scheme(entry)).map(|entry| (entry.token.clone(), said(entry))).collect()
}

/// What of the folder cannot be chosen.
pub fn not_listed(listed: &folders::Listed) -> Markup {
    html! {
        @if listed.more > 0 { p { (listed.more) " more files are in the folder and not listed." } }
        @if listed.left_out > 0 { p.quiet { (count(listed.left_out, "thing", "things")) " in the folder cannot be used: a link, or not readable." } }
    }
}

/// The files that were chosen, all of which must be there.
pub fn chosen_files<'l>(ctx: &Ctx, listed: &'l folders::Listed, wrong: &mut Wrong) -> Vec<&'l folders::Entry> {
    let tokens = ctx.form.texts("file");
    let chosen: Vec<_> =
        tokens.iter().filter_map(|token| listed.find(token)).filter(|entry| !is_scheme(entry)).collect();
    if chosen.is_empty() || chosen.len() != tokens.len() {
        wrong.add("file", "Choose the files");
    }
    chosen
}

/// A scheme file in the folder.
pub struct OwnScheme<'l> {
    entry: &'l folders::Entry,
    /// What it says, or why it is none.
    pub scheme: Result<Scheme, String>,
}

impl OwnScheme<'_> {
    /// What a form sends for it: the file and the digest of what was shown, so that another text is not used for it.
    fn value(&self, scheme: &Scheme) -> String {
        format!("{}.{}", self.entry.token, scheme.digest)
    }

    /// How the program is told to use it.
    pub fn option(&self) -> OsString {
        let mut option = OsString::from("--scheme=");
        option.push(&self.entry.path);
        option
    }
}

/// The scheme files in the folder, each read anew.
pub fn own_schemes(listed: &folders::Listed) -> Vec<OwnScheme<'_>> {
    let read = |entry: &folders::Entry| match SchemeRef::File(entry.path.clone()).open() {
        Ok(scheme) => Ok(scheme),
        // Without the path: where the folder is, is nobody's business on a page.
        Err(KnownError::SchemeFile { reason, .. }) => Err(reason),
        Err(_) => Err("it cannot be read".to_owned()),
    };
    listed
        .entries
        .iter()
        .filter(|entry| is_scheme(entry))
        .map(|entry| OwnScheme { entry, scheme: read(entry) })
        .collect()
}

/// What is to be known of the scheme files before one is used.
pub fn own_shown(own: &[OwnScheme<'_>]) -> Markup {
    let lines: Vec<Vec<Markup>> = own
        .iter()
        .map(|one| match &one.scheme {
            Ok(scheme) => vec![
                html! { (one.entry.name) },
                html! { (scheme.title) " (" (scheme.jurisdiction) ")" },
                html! { (scheme.id) " version " (scheme.version) },
                html! { (count(scheme.categories.len(), "code", "codes")) ", " (count(scheme.categories.iter().filter(|row| row.status == Status::ToBeConfirmed).count(), "code", "codes")) " to be confirmed" },
                html! { span.mono { (scheme.digest) } },
            ],
            Err(why) => vec![
                html! { (one.entry.name) },
                html! { (tag("late", "Cannot be used")) pre.said { (why) } },
                html! {},
                html! {},
                html! {},
            ],
        })
        .collect();
    html! {
        @if !lines.is_empty() {
            (table("Schemes of your own in the folder", &["File", "Title", "Scheme", "Codes", "SHA-256"], &lines))
        }
    }
}

/// The schemes that come with the program and those in the folder, to choose from.
pub fn scheme_choices(own: &[OwnScheme<'_>]) -> Vec<(String, String)> {
    let said = |scheme: &Scheme| format!("{} ({})", scheme.title, scheme.jurisdiction);
    let mut all: Vec<(String, String)> =
        Scheme::builtin().iter().map(|scheme| (scheme.id.as_str().to_owned(), said(scheme))).collect();
    for one in own {
        if let Ok(scheme) = &one.scheme {
            let from = format!("{}: {}, version {}", one.entry.name, said(scheme), scheme.version);
            all.push((one.value(scheme), from));
        }
    }
    all
}

/// The one that was chosen: its name, and how the program is told to use it.
pub fn chosen_scheme(ctx: &Ctx, own: &[OwnScheme<'_>], wrong: &mut Wrong) -> Option<(String, OsString)> {
    let text = ctx.form.text("scheme").unwrap_or_default();
    if Scheme::find_builtin(text).is_some() {
        return Some((text.to_owned(), OsString::from(format!("--scheme={text}"))));
    }
    let token = text.split('.').next().unwrap_or_default();
    match own.iter().find(|one| one.entry.token == token) {
        Some(OwnScheme { scheme: Err(why), .. }) => {
            wrong.add("scheme", format!("This scheme file cannot be used: {why}"));
            None
        }
        Some(one) => match &one.scheme {
            Ok(scheme) if one.value(scheme) == text => Some((scheme.id.to_string(), one.option())),
            _ => {
                wrong.add("scheme", "This scheme file has changed since it was shown: look at it again and choose it");
                None
            }
        },
        None => {
            wrong.add("scheme", "Choose how its categories are to be read");
            None
        }
    }
}

fn ask_page(ctx: &Ctx, desk: &Desk<'_>, form: &Form, wrong: &Wrong) -> Result<Markup, Fault> {
    let fields = Fields { form, wrong };
    let body = match &ctx.app.setup.set_files {
        None => empty(
            &html! { p { strong { "This server has no folder to import from." } } p { "Whoever runs it starts it with " code { "avocet serve --set-files DIR" } ". At the command line it is " code { "avocet sets import" } "." } },
        ),
        Some(folder) => {
            let listed = files(folder)?;
            let choices = file_choices(&listed);
            let own = own_schemes(&listed);
            let schemes = scheme_choices(&own);
            html! {
                (inset(&html! { p { "Several files can be one set. A name that is there already is refused: a further version is made on that set’s own page." } }))
                (error_summary(wrong))
                @if choices.is_empty() { (empty(&html! { p { strong { "There is no file in the folder." } } })) }
                @else {
                    form method="post" action="/sets/import" {
                        (view::csrf(ctx))
                        (fields.checks("file", "The set’s files, all of them", "", &choices))
                        (fields.text("name", "What it is to be called", "Small letters, digits and hyphens, such as project-vic."))
                        (fields.select("scheme", "How its categories are to be read", "Without a scheme nobody can say what they mean. A scheme file of your own (.toml) in the folder can be chosen too.", &schemes))
                        (fields.text("publisher", "Who published it (where its files do not say)", ""))
                        (fields.text("note", "Why, or from where", "Kept with the set. No person’s name."))
                        div.actions { button.main type="submit" { "Import it" } a href="/sets" { "Leave without importing" } }
                    }
                }
                (own_shown(&own))
                (not_listed(&listed))
            }
        }
    };
    Ok(view::page(ctx, desk, "Import a known set", &body))
}

async fn import(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let folder = ctx.app.setup.set_files.as_ref().ok_or(Fault::Nothing)?;
    let listed = files(folder)?;
    let mut wrong = Wrong::default();
    let chosen = chosen_files(ctx, &listed, &mut wrong);
    let name = need(&ctx.form, &mut wrong, "name", "a name").to_owned();
    // As a name of a set and nothing that a program could take for an option.
    let fine =
        name.starts_with(|c: char| c.is_ascii_alphanumeric()) && !name.contains('@') && name.parse::<SetRef>().is_ok();
    if !name.is_empty() && !fine {
        wrong.add("name", "Use small letters, digits and hyphens");
    } else if !name.is_empty() && store(ctx).names().map_err(unreadable)?.contains(&name) {
        wrong.add("name", "There is a set of this name already; choose another, or make a further version on its page");
    }
    let scheme = chosen_scheme(ctx, &own_schemes(&listed), &mut wrong);
    let (Some((_, scheme)), true) = (scheme, wrong.is_none()) else {
        return Ok(Answer::Wrong(ask_page(ctx, desk, &ctx.form, &wrong)?));
    };
    let mut command = program(ctx, "sets");
    command.arg("import").args(chosen.iter().map(|entry| &entry.path)).arg("--quiet").arg(scheme);
    command.arg(format!("--name={name}"));
    for field in ["publisher", "note"] {
        if let Some(text) = ctx.form.text(field) {
            command.arg(format!("--{field}={text}"));
        }
    }
    ctx.app.jobs.add(Work::Import { name: name.clone() }, desk.user(), desk.now(), command, folder_words(ctx));
    ctx.told("/sets", format!("{name} is being imported. It stands here when it is done."))
}
