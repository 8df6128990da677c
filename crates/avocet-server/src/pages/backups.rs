//! Backups of the store, for those who look after it.

use avocet_record::RecordError;
use avocet_record::desk::Desk;
use avocet_record::law::Right;
use avocet_record::ledger::Head;
use avocet_record::store::Store;
use maud::{Markup, html};

use crate::fault::{Fault, upper};
use crate::form::Wrong;
use crate::route::{Answer, Ctx, Page, Route, Rule, form, route};
use crate::view::{self, count, empty, error_summary, inset, table};

const MANAGE: Rule = Rule::Any(&[Right::ManageStore]);

pub fn routes() -> Vec<Route> {
    vec![route("/backups", MANAGE, list), form("/backups", MANAGE, make)]
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
    let (mut lines, mut others): (Vec<(String, Vec<Markup>)>, usize) = (vec![], 0);
    for entry in std::fs::read_dir(folder).map_err(|_| Fault::Server("read the folder of the backups"))? {
        let Ok(entry) = entry else { continue };
        let name = entry.file_name().to_string_lossy().into_owned();
        let head = Store::checkpoint(&entry.path()).ok().and_then(|text| Head::parse(&text).ok());
        match head {
            Some(head) => {
                let line = vec![html! { (name) }, html! { (head.count) }, html! { span.mono { (head.hash) } }];
                lines.push((name, line));
            }
            None => others = others.saturating_add(1),
        }
    }
    lines.sort_by(|a, b| b.0.cmp(&a.0));
    let lines: Vec<Vec<Markup>> = lines.into_iter().map(|(_, line)| line).collect();
    let body = html! {
        (inset(&html! {
            p { "A backup is a whole copy of the record as of one moment, while others work; its ledger is verified at once. It opens with the same key: keep that elsewhere." }
            p { "Keys that are destroyed later are still in it. Keep copies no longer than the law allows, and delete them where they lie. Sealed examinations, small pictures and known sets are not in it." }
        }))
        (error_summary(wrong))
        form method="post" action="/backups" { (view::csrf(ctx)) button.main type="submit" { "Make a backup now" } }
        @if lines.is_empty() { (empty(&html! { p { strong { "There is no backup in the folder." } } })) }
        @else { (table("Backups, the latest first", &["Name", "Entries", "Last entry"], &lines)) }
        @if others > 0 { p.quiet { (count(others, "other thing is", "other things are")) " in the folder, which is no backup or cannot be read." } }
        p { "To go back to one: " code { "avocet record restore" } ", at the command line, into a new folder." }
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
