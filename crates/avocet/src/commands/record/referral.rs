//! `avocet referral` and `avocet conflicts`

use avocet_record::ReferralId;
use avocet_record::desk::Conflict;
use avocet_record::identifier::IdentifierKind;
use avocet_record::intake::{Format, Lead};
use avocet_record::store::ReferralRow;
use serde_json::{Value, json};

use super::{at_desk, instant, parse, print};
use crate::args::{Conflicts, Global, LeadFormat, ReferralVerb, Verdict, Who};
use crate::{Outcome, Refusal};

pub fn run(global: &Global, verb: &ReferralVerb, who: &Who) -> anyhow::Result<Outcome> {
    match verb {
        ReferralVerb::Add { file, source, received, format } => {
            let received = instant(received)?;
            let bytes = std::fs::read(file).map_err(|e| Refusal(format!("{} cannot be read: {e}", file.display())))?;
            let format = format.map(|format| match format {
                LeadFormat::Xml => Format::Xml,
                LeadFormat::Csv => Format::Csv,
                LeadFormat::Json => Format::Json,
            });
            let (id, lead, conflicts) = at_desk(global, who, async |desk| {
                let (id, lead) = desk.receive(&bytes, format, source, received).await?;
                // Whoever may record a lead and not see others' records is still told that it was taken in.
                let conflicts = desk.conflicts(&id.to_string()).await.unwrap_or_default();
                Ok((id, lead, conflicts))
            })?;
            let mut whole = summary_json(id, &lead);
            whole["conflicts"] = conflicts.iter().map(conflict_json).collect();
            print(global, &whole, || {
                let mut text = format!("{id} is taken in.\n");
                text.push_str(&summary(&lead));
                text.push_str(&conflict_lines(&conflicts));
                text.push_str(&format!(
                    "Next: `avocet referral show {id}`, `avocet investigation open --referral {id}`.\n"
                ));
                text
            })
        }
        ReferralVerb::List => {
            let mut rows = at_desk(global, who, async |desk| desk.referrals().await)?;
            rows.sort_by_key(|row| (row.investigation.is_some(), row.received, row.id));
            let json: Vec<_> = rows.iter().map(row_json).collect();
            print(global, &json, || match rows.is_empty() {
                true => "There is no referral.".to_owned(),
                false => rows.iter().map(row_line).collect(),
            })
        }
        ReferralVerb::Show { referral } => {
            let id: ReferralId = parse(referral)?;
            let found = at_desk(global, who, async |desk| desk.referral(id).await)?;
            let mut whole = row_json(&found.row);
            whole["original"] = json!(found.original);
            if let Some(lead) = &found.lead {
                whole["lead"] = json!(lead);
            }
            print(global, &whole, || {
                let mut text = row_line(&found.row);
                text.push_str(&format!("Original: {}\n", found.original));
                match &found.lead {
                    None => text.push_str("What it says was erased.\n"),
                    Some(lead) => {
                        text.push_str(&summary(lead));
                        for field in &lead.fields {
                            let kept = if field.what.is_none() { "  (kept, not modelled)" } else { "" };
                            text.push_str(&format!("  {}: {}{kept}\n", field.path, field.text.replace('\n', "\n    ")));
                        }
                    }
                }
                text
            })
        }
        ReferralVerb::Original { referral, out } => {
            let id: ReferralId = parse(referral)?;
            crate::commands::check_new(out, "original")?;
            let bytes = at_desk(global, who, async |desk| desk.original(id).await)?;
            crate::commands::write_new(out, &bytes, "original", 0o600)?;
            print(global, &json!({"referral": id, "bytes": bytes.len()}), || {
                format!("{} written to {}.", avocet_base::plural(bytes.len() as u64, "byte", "bytes"), out.display())
            })
        }
        ReferralVerb::Link { referral, investigation } => {
            let (id, investigation) = (parse(referral)?, parse(investigation)?);
            let seq = at_desk(global, who, async |desk| desk.link_referral(investigation, id).await)?;
            print(global, &json!({"entry": seq}), || format!("{id} belongs to {investigation}."))
        }
    }
}

pub fn conflicts(global: &Global, verb: &Conflicts, who: &Who) -> anyhow::Result<Outcome> {
    match verb {
        Conflicts::Show { id } => {
            let found = at_desk(global, who, async |desk| desk.conflicts(id).await)?;
            let json: Vec<_> = found.iter().map(conflict_json).collect();
            print(global, &json, || match found.is_empty() {
                true => format!("Nothing of {id} stands in another record."),
                false => conflict_lines(&found),
            })
        }
        Conflicts::Note { id, other, verdict, reason } => {
            let dismissed = *verdict == Verdict::Dismissed;
            let seq = at_desk(global, who, async |desk| desk.note_conflict(id, other, dismissed, reason).await)?;
            print(global, &json!({"entry": seq}), || format!("Recorded as entry {seq}."))
        }
    }
}

fn not_modelled(lead: &Lead) -> usize {
    lead.fields.iter().filter(|field| field.what.is_none()).count()
}

fn summary_json(id: ReferralId, lead: &Lead) -> Value {
    json!({
        "referral": id, "format": lead.format, "fields": lead.fields.len(), "not_modelled": not_modelled(lead),
        "ip_events": lead.ip_events.len(), "problems": lead.problems, "flags": lead.flags(),
    })
}

/// What could not be read first, then flags, then counts.
fn summary(lead: &Lead) -> String {
    let mut text = String::new();
    for problem in &lead.problems {
        match problem.line {
            0 => text.push_str(&format!("NOT READ: {}\n", problem.what)),
            line => text.push_str(&format!("NOT READ: line {line}: {}\n", problem.what)),
        }
    }
    for flagged in lead.flags() {
        text.push_str(&format!("Flag: {} ({})\n", flagged.flag, flagged.path));
    }
    let count = |n: usize, one, many| avocet_base::plural(n as u64, one, many);
    text.push_str(&format!(
        "{} read, {} of them kept without being modelled; {}.\n",
        count(lead.fields.len(), "field", "fields"),
        not_modelled(lead),
        count(lead.ip_events.len(), "IP event", "IP events"),
    ));
    for event in &lead.ip_events {
        let or = |text: &Option<String>, none: &str| text.clone().unwrap_or_else(|| none.to_owned());
        text.push_str(&format!(
            "  {}  port {}  {}  {}\n",
            event.address,
            or(&event.port, "not stated"),
            or(&event.time, "no time"),
            or(&event.event, "")
        ));
    }
    text
}

fn row_json(row: &ReferralRow) -> Value {
    json!({
        "referral": row.id, "source": row.source, "received": row.received.to_string(), "flags": row.flags,
        "fields": row.fields, "problems": row.problems, "investigation": row.investigation,
    })
}

fn row_line(row: &ReferralRow) -> String {
    let place = row.investigation.map_or_else(|| "no investigation yet".to_owned(), |id| id.to_string());
    let flags: Vec<String> = row.flags.iter().map(ToString::to_string).collect();
    let problems = match row.problems {
        0 => String::new(),
        n => format!("  {} not read", avocet_base::plural(n, "thing", "things")),
    };
    let flags = if flags.is_empty() { String::new() } else { format!("  [{}]", flags.join("; ")) };
    format!("{:<6} {}  {}  {place}{flags}{problems}\n", row.id.to_string(), row.received, row.source)
}

fn conflict_json(c: &Conflict) -> Value {
    json!({
        "subject": c.subject, "other": c.other, "kind": c.kind, "count": c.count, "strong": c.strong,
        "investigation": c.investigation, "owner": c.owner,
        "noted": c.noted.map(|(dismissed, by)| json!({"as": if dismissed { "dismissed" } else { "seen" }, "by": by})),
    })
}

fn conflict_lines(conflicts: &[Conflict]) -> String {
    let mut text = String::new();
    for c in conflicts {
        let kind = IdentifierKind::named(&c.kind).map_or_else(|| c.kind.clone(), |kind| kind.to_string());
        let whose = match (c.investigation, c.owner) {
            (Some(id), Some(owner)) => format!("in {id}, led by {owner}"),
            _ => "in no investigation yet".to_owned(),
        };
        let noted = match c.noted {
            None => "nobody looked at it yet".to_owned(),
            Some((true, by)) => format!("dismissed by {by}"),
            Some((false, by)) => format!("seen by {by}"),
        };
        let weak = if c.strong { "" } else { " (weak: others may have the same)" };
        text.push_str(&format!("Same {kind}{weak}: {} and {}, {whose}; {noted}\n", c.subject, c.other));
    }
    text
}
