//! `avocet investigation` and `avocet queue`

use avocet_record::desk::{Opening, Told};
use avocet_record::{At, InvestigationId, RecordError, ReferralId};
use serde_json::Value;

use super::{at_desk, instant, parse, print};
use crate::Outcome;
use crate::args::{Global, Investigation, Who};

pub fn run(global: &Global, verb: &Investigation, who: &Who) -> anyhow::Result<Outcome> {
    match verb {
        Investigation::Open { title, received, referral, owner } => {
            let stated = received.as_deref().map(instant).transpose()?;
            let referrals = referral.iter().map(|id| parse(id)).collect::<anyhow::Result<Vec<ReferralId>>>()?;
            let owner = owner.as_deref().map(parse).transpose()?;
            let id = at_desk(global, who, async |desk| {
                let owner = owner.unwrap_or(desk.user());
                // Clocks count from the first of its referrals.
                let received = match stated {
                    Some(received) => received,
                    None => {
                        let rows = desk.referrals().await?;
                        let of = rows.iter().filter(|row| referrals.contains(&row.id)).map(|row| row.received).min();
                        of.ok_or_else(|| RecordError::Unknown { what: "referral".into() })?
                    }
                };
                desk.open_investigation(Opening { title: title.clone(), owner, received, referrals }).await
            })?;
            print(global, &serde_json::json!({"investigation": id}), || {
                format!(
                    "{id} is open. State its risk: `avocet risk danger {id} yes|no|unknown`, `avocet risk assess {id}`."
                )
            })
        }
        Investigation::Show { investigation } => {
            let id: InvestigationId = parse(investigation)?;
            let told = at_desk(global, who, async |desk| desk.story(&id.to_string()).await)?;
            print_story(global, &told)
        }
        Investigation::Join { investigation, user } => member(global, who, investigation, user, true),
        Investigation::Leave { investigation, user } => member(global, who, investigation, user, false),
        Investigation::Close { investigation, reason, leaving } => {
            let id = parse(investigation)?;
            let seq = at_desk(global, who, async |desk| desk.close_investigation(id, reason, *leaving).await)?;
            print(global, &serde_json::json!({"investigation": id, "entry": seq}), || {
                format!("{id} is closed (entry {seq}). What is recorded about danger or people later opens it again.")
            })
        }
        Investigation::Reopen { investigation, reason } => {
            let id = parse(investigation)?;
            let seq = at_desk(global, who, async |desk| desk.reopen_investigation(id, reason).await)?;
            print(global, &serde_json::json!({"investigation": id, "entry": seq}), || {
                format!("{id} is open again (entry {seq}).")
            })
        }
        Investigation::BreakGlass { investigation, reason } => {
            let id = parse(investigation)?;
            at_desk(global, who, async |desk| desk.break_glass(id, reason).await)?;
            print(global, &serde_json::json!({"investigation": id}), || {
                format!("{id} is open to you for twelve hours. The ledger names you and the reason.")
            })
        }
    }
}

fn member(global: &Global, who: &Who, investigation: &str, user: &str, on: bool) -> anyhow::Result<Outcome> {
    let (id, user) = (parse::<InvestigationId>(investigation)?, parse::<avocet_record::UserId>(user)?);
    at_desk(global, who, async |desk| desk.set_member(id, user, on).await)?;
    print(global, &serde_json::json!({"investigation": id, "user": user, "on": on}), || {
        format!("{user} {} {id}.", if on { "works on" } else { "no longer works on" })
    })
}

pub fn queue(global: &Global, who: &Who) -> anyhow::Result<Outcome> {
    let queue = at_desk(global, who, async |desk| desk.queue().await)?;
    let json: Vec<_> = queue
        .iter()
        .map(|q| {
            serde_json::json!({
                "investigation": q.placed.item.investigation, "title": q.title, "owner": q.owner,
                "level": q.placed.item.level, "deadline": q.placed.place.deadline.to_string(),
                "received": q.placed.item.received.to_string(),
                "danger_stated": !q.placed.place.no_danger_stated,
                "reasons": q.placed.reasons.iter().map(ToString::to_string).collect::<Vec<_>>(),
            })
        })
        .collect();
    print(global, &json, || {
        if queue.is_empty() {
            return "No investigation is open.".to_owned();
        }
        let mut text = String::new();
        for (n, q) in queue.iter().enumerate() {
            let title = if q.title.is_empty() { "(not yours)" } else { &q.title };
            text.push_str(&format!("{:>3}. {}  {title}  led by {}\n", n + 1, q.placed.item.investigation, q.owner));
            for reason in &q.placed.reasons {
                text.push_str(&format!("       - {reason}\n"));
            }
        }
        text
    })
}

/// Prints facts, oldest first, a line for each field.
pub fn print_story(global: &Global, told: &[Told]) -> anyhow::Result<Outcome> {
    let json: Vec<_> = told
        .iter()
        .map(|t| {
            let r = &t.recorded;
            serde_json::json!({"entry": r.seq, "at": r.at.to_string(), "by": r.by, "kind": t.kind, "event": r.fact})
        })
        .collect();
    print(global, &json, || {
        let mut text = String::new();
        for Told { recorded, kind } in told {
            text.push_str(&format!("{}  {}  {}  {kind}\n", recorded.seq, recorded.at, recorded.by));
            fields(&mut text, "", &recorded.fact);
        }
        text
    })
}

fn fields(text: &mut String, name: &str, value: &Value) {
    match value {
        Value::Object(map) if map.len() == 1 && (map.contains_key("erased") || map.contains_key("withheld")) => {
            let (word, key) = map.iter().next().map_or(("", ""), |(w, k)| (w.as_str(), k.as_str().unwrap_or_default()));
            text.push_str(&format!("      {name}: ({word}: {key})\n"));
        }
        Value::Object(map) => {
            for (key, value) in map {
                // The names of the event and its fact are in the line above.
                let said_above = key == "event" || (key == "fact" && value.is_string());
                if !said_above {
                    let name = if name.is_empty() || name == "fact" { key.clone() } else { format!("{name}.{key}") };
                    fields(text, &name, value);
                }
            }
        }
        Value::Array(items) => {
            for (n, item) in items.iter().enumerate() {
                fields(text, &format!("{name} {}", n + 1), item);
            }
        }
        Value::String(s) => text.push_str(&format!("      {name}: {}\n", s.replace('\n', "\n        "))),
        // The only numbers as large as this are instants.
        Value::Number(n) if n.as_i64().is_some_and(|n| n.unsigned_abs() > 100_000_000_000_000_000) => {
            let at = At::from_ns(n.as_i64().unwrap_or_default());
            text.push_str(&format!("      {name}: {at}\n"));
        }
        other => text.push_str(&format!("      {name}: {other}\n")),
    }
}
