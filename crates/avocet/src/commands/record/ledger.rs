//! `avocet ledger`

use std::path::Path;

use avocet_record::store::Store;

use super::{at_desk, print, refuse, wait};
use crate::args::{Global, Ledger};
use crate::{Outcome, Refusal, access};

pub fn run(global: &Global, verb: &Ledger) -> anyhow::Result<Outcome> {
    match verb {
        Ledger::Verify { checkpoint } => verify(global, checkpoint),
        Ledger::Checkpoint { file } => write_checkpoint(global, file),
        Ledger::Show { after, limit, who } => {
            let lines = at_desk(global, who, async |desk| desk.ledger(*after, *limit).await)?;
            let json: Vec<_> = lines
                .iter()
                .map(|l| {
                    serde_json::json!({"entry": l.seq, "at": l.at.to_string(), "by": l.by, "kind": l.kind,
                        "subjects": l.subjects.split_whitespace().collect::<Vec<_>>()})
                })
                .collect();
            print(global, &json, || {
                lines
                    .iter()
                    .map(|l| {
                        format!(
                            "{:>6}  {:<30}  {:<6} {:<24} {}\n",
                            l.seq,
                            l.at.to_string(),
                            l.by.to_string(),
                            l.kind,
                            l.subjects
                        )
                    })
                    .collect()
            })
        }
    }
}

fn verify(global: &Global, checkpoints: &[std::path::PathBuf]) -> anyhow::Result<Outcome> {
    let dir = access::store(global)?;
    let mut heads = vec![];
    for path in checkpoints {
        let text = std::fs::read_to_string(path)
            .map_err(|e| Refusal(format!("the checkpoint {} cannot be read: {e}", path.display())))?;
        heads.push((path.display().to_string(), text));
    }
    Store::checkpoint(&dir).map_err(refuse)?;
    let checked = wait(Store::verify_locked(&dir, &heads))?;
    let json = serde_json::json!({
        "sound": checked.is_sound(), "entries": checked.entries, "last": checked.last,
        "unsigned": checked.unsigned, "faults": checked.faults.iter().map(ToString::to_string).collect::<Vec<_>>(),
    });
    print(global, &json, || {
        let mut text = String::new();
        for fault in &checked.faults {
            text.push_str(&format!("TAMPERED OR DAMAGED: {fault}\n"));
        }
        let entries = avocet_base::plural(checked.entries, "entry", "entries");
        let last = checked.last.map_or_else(|| "none".to_owned(), |hash| hash.to_string());
        if checked.is_sound() {
            let heads = match checkpoints.len() {
                0 => "its signed head".to_owned(),
                n => format!("its signed head and {}", avocet_base::plural(n as u64, "checkpoint", "checkpoints")),
            };
            text.push_str(&format!("The ledger is whole: {entries}, each follows the one before, as {heads} says.\n"));
        } else {
            text.push_str(&format!(
                "{} in {entries}.\n",
                avocet_base::plural(checked.faults.len() as u64, "fault", "faults")
            ));
        }
        if checked.unsigned > 0 {
            let unsigned = avocet_base::plural(checked.unsigned, "entry is", "entries are");
            text.push_str(&format!("{unsigned} not signed yet; the next start of the store signs them.\n"));
        }
        text.push_str(&format!("Last entry: {last}\n"));
        text
    })?;
    Ok(if checked.is_sound() { Outcome::Finished } else { Outcome::Alerts })
}

fn write_checkpoint(global: &Global, file: &Path) -> anyhow::Result<Outcome> {
    let head = Store::checkpoint(&access::store(global)?).map_err(refuse)?;
    crate::commands::check_new(file, "checkpoint")?;
    crate::commands::write_new(file, head.as_bytes(), "checkpoint", 0o666)?;
    print(global, &serde_json::json!({"checkpoint": file}), || {
        format!("{} holds the signed head. Keep it where nobody of the team can change it.", file.display())
    })
}
