//! Making, copying and checking a store.

use std::path::Path;

use avocet_record::desk::Desk;
use avocet_record::keys::Unlock;
use avocet_record::law;
use avocet_record::store::{self, Store};

use super::{at_desk, load_law, print, refuse, secret, unlock, wait};
use crate::args::{Global, Init, LawVerb, Who};
use crate::{Outcome, Refusal, access, output};

pub fn init(global: &Global, args: &Init) -> anyhow::Result<Outcome> {
    let dir = access::store(global)?;
    let unlock = match &args.new_key {
        Some(file) => Unlock::new_key_file(file).map_err(|e| Refusal(e.to_string()))?,
        None => {
            let passphrase = secret("AVOCET_STORE_PASSPHRASE", "Passphrase for the new store (8 bytes or more): ")?;
            if std::env::var_os("AVOCET_STORE_PASSPHRASE").is_none()
                && *secret("AVOCET_STORE_PASSPHRASE", "The same again: ")? != *passphrase
            {
                return Err(Refusal("the two differ; nothing was made".into()).into());
            }
            Unlock::passphrase(&passphrase)
        }
    };
    let password = secret("AVOCET_PASSWORD", &format!("Password for {} (10 bytes or more): ", args.admin))?;
    let made = wait(async {
        let init = store::Init { dir: &dir, postgres: args.postgres.as_deref(), title: &args.title };
        let store = Store::init(&init, &unlock).await?;
        Desk::first_account(&store, &args.admin, &password).await
    });
    if made.is_err()
        && let Some(file) = &args.new_key
        && Store::checkpoint(&dir).is_err()
    {
        // No store was made: the key would open nothing.
        let _ = std::fs::remove_file(file);
    }
    let user = made?;
    let json = serde_json::json!({"store": dir, "administrator": user, "ledger": "ledger.head"});
    print(global, &json, || {
        let opens = match &args.new_key {
            Some(file) => {
                format!("It opens with {}: keep a copy elsewhere; without it nothing here can be read.", file.display())
            }
            None => "It opens with the passphrase: without it nothing here can be read.".to_owned(),
        };
        format!(
            "The record is in {}. {opens}\n{} is its administrator ({user}). Next: `avocet user add`, \
             `avocet investigation open`.",
            dir.display(),
            args.admin
        )
    })
}

pub fn law(global: &Global, verb: &LawVerb, who: &Who) -> anyhow::Result<Outcome> {
    let LawVerb::List { table } = verb;
    if let Some(table) = table
        && !law::TABLES.contains(&table.as_str())
    {
        return Err(Refusal(format!("there is no table {table}; there are {}", law::TABLES.join(", "))).into());
    }
    let entries = load_law(global, who)?.entries();
    let entries: Vec<_> = entries.iter().filter(|e| table.as_deref().is_none_or(|t| t == e.table)).collect();
    let json: Vec<_> = entries
        .iter()
        .map(|e| {
            serde_json::json!({"table": e.table, "version": e.version, "digest": e.digest, "id": e.id,
                "summary": e.summary, "jurisdiction": e.provenance.jurisdiction, "source": e.provenance.source,
                "checked": e.provenance.checked.to_string(), "status": e.provenance.status.to_string()})
        })
        .collect();
    print(global, &json, || entries.iter().map(|entry| format!("{entry}\n")).collect())
}

pub fn rebuild(global: &Global, who: &Who, check: bool) -> anyhow::Result<Outcome> {
    let found = at_desk(global, who, async |desk| desk.rebuild(!check).await)?;
    let json: Vec<_> =
        found.iter().map(|d| serde_json::json!({"table": d.table, "extra": d.extra, "missing": d.missing})).collect();
    print(global, &json, || {
        if found.is_empty() {
            return "Every row says what the facts say.".to_owned();
        }
        let rows = found.iter().map(|d| format!("{}: {} too many, {} missing\n", d.table, d.extra, d.missing));
        let end = if check { "Nothing was changed: run it without --check." } else { "The rows were made anew." };
        rows.chain([end.to_owned()]).collect()
    })?;
    Ok(if found.is_empty() { Outcome::Finished } else { Outcome::Unreadable })
}

pub fn backup(global: &Global, who: &Who, to: &Path) -> anyhow::Result<Outcome> {
    let entries = at_desk(global, who, async |desk| desk.backup(to).await)?;
    let json = serde_json::json!({"backup": to, "entries": entries});
    print(global, &json, || {
        format!(
            "{} copied to {}; the copy's ledger verifies.",
            avocet_base::plural(entries, "entry", "entries"),
            to.display()
        )
    })
}

pub fn restore(
    global: &Global,
    who: &Who,
    from: &Path,
    erased: Option<&Path>,
    reason: &str,
) -> anyhow::Result<Outcome> {
    let dir = access::store(global)?;
    Store::checkpoint(from).map_err(refuse)?;
    let unlock = unlock(who)?;
    let again = wait(async { Store::restore(from, &dir, &unlock, erased, reason).await.map(|(_, again)| again) })?;
    let json = serde_json::json!({"store": dir, "erased_again": again});
    print(global, &json, || {
        format!(
            "The record of {} is in {}. {} erased again. What was recorded after the backup is not in it: record it \
             anew.",
            from.display(),
            dir.display(),
            avocet_base::plural(again.len() as u64, "key", "keys")
        )
    })?;
    if !global.quiet && !global.json {
        output::remark(
            "A checkpoint taken after the backup will say that the end of the ledger was cut off: that is true.",
        );
    }
    Ok(Outcome::Finished)
}
