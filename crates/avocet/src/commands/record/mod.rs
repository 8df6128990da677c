//! The verbs that work on the record.

mod agreement;
mod custody;
mod demo;
mod exhibit;
mod figures;
mod graded;
mod grading;
mod investigation;
mod ledger;
mod order;
mod original;
mod outcome;
mod people;
mod referral;
mod review;
mod risk;
mod safeguarding;
mod serve;
mod store;
mod user;
mod warrant;

use std::path::Path;
use std::str::FromStr;

use avocet_record::desk::{Desk, Done};
use avocet_record::keys::Unlock;
use avocet_record::law::{self, Law, LawRow, Table};
use avocet_record::store::Store;
use avocet_record::{At, InvestigationId, PersonId, RecordError};
use serde::Serialize;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::args::{Global, RecordVerb, When, Who};
use crate::{Outcome, Refusal, access, output};

pub use custody::{custody, leaflet, welfare};
pub use demo::run as demo;
pub use exhibit::run as exhibit;
pub use figures::run as figures;
pub use grading::run as grading;
pub use investigation::{queue, run as investigation};
pub use ledger::run as ledger;
pub use order::run as order;
pub use outcome::run as outcome;
pub use people::{child, person};
pub use referral::{conflicts, run as referral};
pub use review::{care, run as review};
pub use risk::run as risk;
pub use safeguarding::{clocks, run as safeguarding};
pub use serve::run as serve;
pub use store::{init, law};
pub use user::run as user;
pub use warrant::{ip, warrant};

pub fn run(global: &Global, verb: &RecordVerb, who: &Who) -> anyhow::Result<Outcome> {
    match verb {
        RecordVerb::Add { file, seen } => {
            let text = match file == Path::new("-") {
                true => std::io::read_to_string(std::io::stdin())?,
                false => std::fs::read_to_string(file)
                    .map_err(|e| Refusal(format!("{} cannot be read: {e}", file.display())))?,
            };
            let draft: Value = serde_json::from_str(&text)
                .map_err(|e| Refusal(format!("the change is no JSON at line {}, column {}", e.line(), e.column())))?;
            at_desk(global, who, async |desk| desk.record(&draft, *seen).await).and_then(|done| recorded(global, &done))
        }
        RecordVerb::Show { id } => {
            let told = at_desk(global, who, async |desk| desk.story(id).await)?;
            investigation::print_story(global, &told)
        }
        RecordVerb::Rebuild { check } => store::rebuild(global, who, *check),
        RecordVerb::Erase { holder, investigation, authority, reason } => {
            let investigation = investigation.as_deref().map(parse).transpose()?;
            let keys = at_desk(global, who, async |desk| desk.erase(investigation, holder, authority, reason).await)?;
            print(global, &keys, || {
                format!(
                    "{} destroyed: what is personal under {holder} cannot be read any more, here and in the ledger. \
                     Backups made before still hold it until they are deleted.",
                    avocet_base::plural(keys.len() as u64, "key", "keys")
                )
            })
        }
        RecordVerb::Backup { to } => store::backup(global, who, to),
        RecordVerb::Restore { from, erased, no_erased: _, reason } => {
            store::restore(global, who, from, erased.as_deref(), reason)
        }
    }
}

/// Runs something of the record's, which waits for a database.
fn wait<T>(work: impl Future<Output = avocet_record::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(work).map_err(refuse)
}

/// What the user can mend is a refusal; a failing disk or database is not.
fn refuse(error: RecordError) -> anyhow::Error {
    match error {
        RecordError::Database { .. } | RecordError::File { .. } => anyhow::Error::new(error),
        other => Refusal(other.to_string()).into(),
    }
}

/// Signs in and does something.
fn at_desk<T>(
    global: &Global,
    who: &Who,
    work: impl AsyncFnOnce(&Desk<'_>) -> avocet_record::Result<T>,
) -> anyhow::Result<T> {
    let dir = access::store(global)?;
    let Some(login) = &who.login else {
        return Err(Refusal("nobody is named: add --as LOGIN, or set AVOCET_USER".into()).into());
    };
    let law = load_law(global, who)?;
    // Found out before anything is asked for.
    Store::checkpoint(&dir).map_err(refuse)?;
    let unlock = unlock(who)?;
    let password = secret("AVOCET_PASSWORD", &format!("Password of {login}: "))?;
    wait(async {
        let store = Store::open(&dir, &unlock).await?;
        let desk = Desk::sign_in(&store, &law, login, &password).await?;
        work(&desk).await
    })
}

fn load_law(global: &Global, who: &Who) -> anyhow::Result<Law> {
    let folder = match &who.law {
        Some(folder) => folder.clone(),
        None => access::store(global)?.join("law"),
    };
    let refuse = |e: avocet_record::law::LawError| Refusal(e.to_string());
    // A misspelt name must not pass for a table that was replaced.
    for stray in law::strays(&folder, &law::TABLES).map_err(refuse)? {
        output::remark(&format!(
            "{} is no law file and is not read; there are {}",
            stray.display(),
            law::TABLES.join(", ")
        ));
    }
    Ok(Law::load(Some(&folder)).map_err(refuse)?)
}

fn unlock(who: &Who) -> anyhow::Result<Unlock> {
    match &who.store_key {
        Some(file) => Ok(Unlock::key_file(file).map_err(|e| Refusal(e.to_string()))?),
        None => Ok(Unlock::passphrase(&secret("AVOCET_STORE_PASSPHRASE", "Passphrase of the store: ")?)),
    }
}

/// A secret from the environment, or asked for at the terminal. It is never an argument: those stand in lists of
/// processes and histories of shells.
fn secret(variable: &str, prompt: &str) -> anyhow::Result<Zeroizing<String>> {
    if let Ok(value) = std::env::var(variable) {
        return Ok(Zeroizing::new(value));
    }
    let asked = rpassword::prompt_password(prompt).map(Zeroizing::new);
    Ok(asked.map_err(|_| Refusal(format!("no terminal to ask at: set {variable}")))?)
}

/// Refuses a row that a table does not have, with those that it has.
fn known_row<T: LawRow>(table: &Table<T>, what: &str, id: &str) -> anyhow::Result<()> {
    if table.row(id).is_some() {
        return Ok(());
    }
    let known: Vec<&str> = table.rows.iter().map(|row| row.id.as_str()).collect();
    Err(Refusal(format!("there is no {what} {id}; there are {}", known.join(", "))).into())
}

/// An id or a digest from the command line.
fn parse<T: FromStr<Err: std::fmt::Display>>(text: &str) -> anyhow::Result<T> {
    Ok(text.parse().map_err(|e: T::Err| Refusal(e.to_string()))?)
}

/// An instant from the command line: never without its offset or zone.
fn instant(text: &str) -> anyhow::Result<At> {
    let refused = || {
        Refusal(format!(
            "{text} is no instant: give date, time and offset or zone, such as 2026-11-20T09:30+00:00, \
             2026-11-20T09:30Z or 2026-11-20T09:30[Europe/London]"
        ))
    };
    Ok(At::read(text).ok_or_else(refused)?)
}

/// When something happened: as stated, else now.
fn when(at: &When) -> anyhow::Result<At> {
    at.at.as_deref().map_or_else(|| Ok(At::now()), instant)
}

/// Text that is to be sealed, where there is some.
fn sealed(text: Option<&String>) -> Option<Value> {
    text.map(|text| serde_json::json!({"personal": text}))
}

/// Adds those fields to a fact that have a value.
fn with<const N: usize>(mut fact: Value, fields: [(&str, Option<Value>); N]) -> Value {
    for (name, value) in fields {
        if let (Some(value), Some(fact)) = (value, fact.as_object_mut()) {
            fact.insert(name.to_owned(), value);
        }
    }
    fact
}

/// A word from the command line as stored contents write it: `self-employment` is `self_employment`.
fn word(text: &str) -> Value {
    Value::String(text.replace('-', "_"))
}

/// Records a fact about a person who is there: `kind` names the event, `field` its field with the person's id.
async fn record_about_person(
    desk: &Desk<'_>,
    kind: &str,
    field: &str,
    person: PersonId,
    fact: Value,
) -> avocet_record::Result<Done> {
    let investigation = desk.investigation_of(&person.to_string()).await?;
    let draft = serde_json::json!({"event": kind, "investigation": investigation, field: person, "fact": fact});
    desk.record(&draft, None).await
}

/// Records a fact about a thing that is there: `kind` names the event, and its field with the thing's id.
async fn record_about(
    desk: &Desk<'_>,
    kind: &str,
    id: impl std::fmt::Display,
    fact: Value,
) -> avocet_record::Result<(InvestigationId, Done)> {
    let id = id.to_string();
    let investigation = desk.investigation_of(&id).await?;
    let draft = serde_json::json!({"event": kind, "investigation": investigation, kind: id, "fact": fact});
    Ok((investigation, desk.record(&draft, None).await?))
}

/// As JSON where it was asked for, else as text.
fn print(global: &Global, json: &impl Serialize, text: impl FnOnce() -> String) -> anyhow::Result<Outcome> {
    match global.json {
        true => output::answer(&serde_json::to_string_pretty(json)?)?,
        false => output::answer(&text())?,
    }
    Ok(Outcome::Finished)
}

/// Says what was recorded.
fn recorded(global: &Global, done: &Done) -> anyhow::Result<Outcome> {
    let json = serde_json::json!({"entry": done.seq, "kind": done.kind, "made": done.made});
    print(global, &json, || match done.made.is_empty() {
        true => format!("Recorded as entry {} ({}).", done.seq, done.kind),
        false => format!("{} recorded as entry {} ({}).", done.made.join(", "), done.seq, done.kind),
    })
}
