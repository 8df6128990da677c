//! Backups of the store, for those who look after it.

use std::path::{Path, PathBuf};

use avocet_base::plural;
use avocet_examination::file_sha256;
use avocet_record::desk::Desk;
use avocet_record::law::Right;
use avocet_record::ledger::Head;
use avocet_record::store::Store;
use avocet_record::{RecordError, digest};
use maud::{Markup, html};

use crate::fault::{Fault, upper};
use crate::form::Wrong;
use crate::route::{Answer, Ctx, Page, Route, Rule, form, route};
use crate::view::{self, count, empty, error_summary, inset, rows, table, tag, warning};

const MANAGE: Rule = Rule::Any(&[Right::ManageStore]);

pub fn routes() -> Vec<Route> {
    vec![route("/backups", MANAGE, list), form("/backups", MANAGE, make), route("/backups/{name}", MANAGE, back)]
}

/// A backup in the folder. In an address it is the digest of its name.
struct Backup {
    token: String,
    name: String,
    path: PathBuf,
    head: Head,
}

/// The backups, the latest first, and how many other things are there.
fn all(folder: &Path) -> Result<(Vec<Backup>, usize), Fault> {
    let (mut found, mut others): (Vec<Backup>, usize) = (vec![], 0);
    for entry in std::fs::read_dir(folder).map_err(|_| Fault::Server("read the folder of the backups"))? {
        let Ok(entry) = entry else { continue };
        let name = entry.file_name().to_string_lossy().into_owned();
        match Store::checkpoint(&entry.path()).ok().and_then(|text| Head::parse(&text).ok()) {
            Some(head) => {
                let token = digest(name.as_bytes()).to_string().chars().take(32).collect();
                found.push(Backup { token, name, path: entry.path(), head });
            }
            None => others = others.saturating_add(1),
        }
    }
    found.sort_by(|a, b| b.name.cmp(&a.name));
    Ok((found, others))
}

async fn list(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    Ok(Answer::Html(page(ctx, desk, &Wrong::default())?))
}

fn page(ctx: &Ctx, desk: &Desk<'_>, wrong: &Wrong) -> Result<Markup, Fault> {
    let Some(folder) = &ctx.app.setup.backups else {
        let body = empty(&html! {
            p { strong { "This server has no folder for backups." } }
            p { "Whoever runs it starts it with " code { "avocet serve --backups DIR" } ", on another disk. At the command line it is " code { "avocet record backup" } "." }
        });
        return Ok(view::page(ctx, desk, "Backups", &body));
    };
    let (found, others) = all(folder)?;
    let lines: Vec<Vec<Markup>> = found
        .iter()
        .map(|backup| {
            vec![
                html! { (backup.name) },
                html! { (backup.head.count) },
                html! { span.mono { (backup.head.hash) } },
                html! { a href={ "/backups/" (backup.token) } { "Check it, and how to go back" span.unseen { " to " (backup.name) } } },
            ]
        })
        .collect();
    let body = html! {
        (inset(&html! {
            p { "A backup is a whole copy of the record as of one moment, while others work; its ledger is verified at once. It opens with the same key: keep that elsewhere." }
            p { "Keys that are destroyed later are still in it. Keep copies no longer than the law allows, and delete them where they lie. Sealed examinations, small pictures and known sets are not in it." }
        }))
        (error_summary(wrong))
        form method="post" action="/backups" { (view::csrf(ctx)) button.main type="submit" { "Make a backup now" } }
        @if lines.is_empty() { (empty(&html! { p { strong { "There is no backup in the folder." } } })) }
        @else { (table("Backups, the latest first", &["Name", "Entries", "Last entry", "What to do"], &lines)) }
        @if others > 0 { p.quiet { (count(others, "other thing is", "other things are")) " in the folder, which is no backup or cannot be read." } }
    };
    Ok(view::page(ctx, desk, "Backups", &body))
}

async fn make(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let folder = ctx.app.setup.backups.as_ref().ok_or(Fault::Nothing)?;
    let when: String = desk.now().to_string().chars().filter(char::is_ascii_alphanumeric).take(15).collect();
    match desk.backup(&folder.join(&when)).await {
        Ok(entries) => ctx.told("/backups", format!("{when} is made: {entries} entries, and its ledger verifies.")),
        Err(RecordError::Refused(why)) => {
            let mut wrong = Wrong::default();
            wrong.add("", upper(&why));
            Ok(Answer::Wrong(page(ctx, desk, &wrong)?))
        }
        Err(other) => Err(other.into()),
    }
}

/// A path as a shell takes it for one word.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', "'\\''"))
}

/// How to go back to a backup. It is not done here: while a server has the record open, nothing may take its place, and what
/// was recorded since must not go by a press of a button.
async fn back(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let folder = ctx.app.setup.backups.as_ref().ok_or(Fault::Nothing)?;
    let wanted = ctx.raw("name").unwrap_or_default();
    let backup = all(folder)?.0.into_iter().find(|backup| backup.token == wanted).ok_or(Fault::Nothing)?;
    let checked = Store::verify_locked(&backup.path, &[]).await;
    let sound = checked.as_ref().is_ok_and(|checked| checked.is_sound());
    let entries = checked.as_ref().map_or(backup.head.count, |checked| checked.entries);
    let here = ctx.app.store.dir();
    let now = Store::checkpoint(here).ok().and_then(|text| Head::parse(&text).ok()).map_or(0, |head| head.count);
    let since = now.saturating_sub(entries);
    let digests: Vec<Vec<Markup>> = ["record.db", "store.key", "ledger.head", "erased.keys"]
        .iter()
        .map(|file| {
            let digest = file_sha256(&backup.path.join(file)).map_or("not there".to_owned(), |d| d.to_string());
            vec![html! { (file) }, html! { span.mono { (digest) } }]
        })
        .collect();
    let new = here.with_added_extension("restored");
    let [restore, check, serve] = [
        format!(
            "avocet --store {} record restore {} --erased {} --reason \"why\"",
            quoted(&new),
            quoted(&backup.path),
            quoted(&here.join("erased.keys"))
        ),
        format!("avocet --store {} ledger verify", quoted(&new)),
        format!("avocet serve --store {}", quoted(&new)),
    ];
    let body = html! {
        @match &checked {
            Ok(checked) if checked.is_sound() => p { (tag("good", "It verifies")) " " (plural(checked.entries, "entry", "entries")) ", checked just now." },
            Ok(checked) => (warning(&html! {
                p { strong { "It does not verify: do not go back to it." } " Take another one." }
                ul { @for fault in checked.faults.iter().take(5) { li { (upper(&fault.to_string())) "." } } }
            })),
            Err(_) => (warning(&html! { p { strong { "It cannot be read: do not go back to it." } " Take another one." } })),
        }
        @if sound {
            @if since > 0 {
                (warning(&html! { p { strong { (plural(since, "entry was", "entries were")) " recorded after it." } " They are not in it: what they say must be recorded anew. The folder of the record as it is now stays; keep it until that is done." } }))
            }
            h2 { "What to run" }
            p { "Going back is not done in the browser: the server has the record open, and nothing may take its place meanwhile. Whoever looks after this machine does it in a terminal." }
            ol {
                li { "Tell those who work here, and stop the server." }
                li { "Make a record out of the backup, in a new folder. The list of erased keys is that of the record as it is now, so that whoever was erased since stays erased. The reason stands on the ledger." pre.said { (restore) } }
                li { "Verify it. A checkpoint that was taken after the backup says that the end of the ledger was cut off; that is true." pre.said { (check) } }
                li { "Start the server on it, with the folders that it was started with before." pre.said { (serve) } }
            }
            p { "The key is that of the record: " code { "--store-key" } ", " code { "AVOCET_STORE_KEY" } " or the passphrase, as always. Known sets, sealed examinations and small pictures are in no backup; they stay where they are, and the folders " code { "sets" } " and " code { "picture-keys" } " of the record are copied into the new one by hand." }
        }
        h2 { "What it is" }
        (rows(&[
            ("Name", html! { (backup.name) }),
            ("Entries", html! { (entries) }),
            ("Last entry", html! { span.mono { (backup.head.hash) } }),
        ]))
        (table("Its files", &["File", "SHA-256"], &digests))
        p { a href="/backups" { "All backups" } }
    };
    Ok(Answer::Html(view::page(ctx, desk, &format!("Go back to {}", backup.name), &body)))
}
