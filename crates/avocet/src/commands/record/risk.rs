//! `avocet risk`

use avocet_record::desk::Done;
use avocet_record::{InvestigationId, UserId};
use serde_json::{Value, json};

use super::{at_desk, instant, load_law, parse, print, recorded};
use crate::args::{Global, Risk, Who};
use crate::{Outcome, Refusal};

pub fn run(global: &Global, verb: &Risk, who: &Who) -> anyhow::Result<Outcome> {
    match verb {
        Risk::Assess { investigation, level, tool, tool_version, factor, reason, seen } => {
            check_level(global, who, level)?;
            let factors = factor.iter().map(|f| one_factor(f)).collect::<anyhow::Result<Vec<_>>>()?;
            let mut fact = json!({"fact": "assessed", "level": level, "factors": factors});
            if let (Some(name), Some(version)) = (tool, tool_version) {
                fact["tool"] = json!({"name": name, "version": version});
            }
            put_personal(&mut fact, "reason", reason.as_deref());
            record(global, who, investigation, fact, *seen)
        }
        Risk::Override { investigation, level, reason } => {
            check_level(global, who, level)?;
            let mut fact = json!({"fact": "overridden", "level": level});
            put_personal(&mut fact, "reason", Some(reason));
            record(global, who, investigation, fact, None)
        }
        Risk::Danger { investigation, danger, reason } => {
            let mut fact = json!({"fact": "danger_stated", "danger": word(*danger)});
            put_personal(&mut fact, "reason", reason.as_deref());
            record(global, who, investigation, fact, None)
        }
        Risk::Acted { investigation, action, at, body, note } => {
            let mut fact = json!({"fact": "safeguarding_acted", "action": word(*action), "acted": instant(at)?});
            if let Some(body) = body {
                fact["body"] = json!(body);
            }
            put_personal(&mut fact, "note", note.as_deref());
            record(global, who, investigation, fact, None)
        }
        Risk::Show { investigation } => show(global, who, investigation),
    }
}

/// The name of a value as facts have it.
fn word(value: impl clap::ValueEnum) -> String {
    value.to_possible_value().map_or_else(String::new, |v| v.get_name().replace('-', "_"))
}

fn put_personal(fact: &mut Value, name: &str, text: Option<&str>) {
    if let Some(text) = text {
        fact[name] = json!({"personal": text});
    }
}

fn check_level(global: &Global, who: &Who, level: &str) -> anyhow::Result<()> {
    let law = load_law(global, who)?;
    let levels: Vec<&str> = law.risk_levels.rows.iter().map(|row| row.id.as_str()).collect();
    match levels.contains(&level) {
        true => Ok(()),
        false => Err(Refusal(format!("there is no level {level}; there are {}", levels.join(", "))).into()),
    }
}

fn one_factor(text: &str) -> anyhow::Result<Value> {
    let Some((question, answer)) = text.split_once('=').filter(|(q, a)| !q.is_empty() && !a.is_empty()) else {
        return Err(Refusal(format!("{text} is no factor: write QUESTION=ANSWER")).into());
    };
    let answer = match (answer, answer.parse::<i64>()) {
        ("yes" | "no" | "unknown", _) => json!({"kind": answer}),
        ("not-asked", _) => json!({"kind": "not_asked"}),
        (_, Ok(number)) => json!({"kind": "number", "value": number}),
        (code, _) => json!({"kind": "choice", "code": code}),
    };
    Ok(json!({"question": question, "answer": answer}))
}

fn record(
    global: &Global,
    who: &Who,
    investigation: &str,
    mut fact: Value,
    seen: Option<u64>,
) -> anyhow::Result<Outcome> {
    let id: InvestigationId = parse(investigation)?;
    fact["investigation"] = json!(id);
    let draft = json!({"event": "risk", "fact": fact});
    let done: Done = at_desk(global, who, async |desk| desk.record(&draft, seen).await)?;
    recorded(global, &done)
}

fn show(global: &Global, who: &Who, investigation: &str) -> anyhow::Result<Outcome> {
    let id: InvestigationId = parse(investigation)?;
    let law = load_law(global, who)?;
    let state = at_desk(global, who, async |desk| desk.risk(id).await)?;
    let findings: Vec<String> = state.findings(&law.risk_levels).iter().map(ToString::to_string).collect();
    let line = |by: UserId, at: avocet_record::At| format!("{by}, {at:.0}");
    let json = json!({
        "investigation": id,
        "level": state.level().map(|l| &l.level),
        "danger": state.danger().map(|d| d.danger),
        "history": state.history().map(|l| json!({"entry": l.seq, "at": l.at.to_string(), "by": l.by, "level": l.level,
            "assessed_with": l.assessment.as_ref().map(|a| a.tool.as_ref().map_or("no tool".to_owned(), ToString::to_string))})).collect::<Vec<_>>(),
        "safeguarding": state.safeguarding().map(|s| json!({"entry": s.seq, "by": s.by, "action": s.action, "acted": s.acted.to_string()})).collect::<Vec<_>>(),
        "findings": findings,
    });
    print(global, &json, || {
        let mut text = String::new();
        for finding in &findings {
            text.push_str(&format!("Look at this: {finding}\n"));
        }
        match state.danger() {
            Some(d) => text.push_str(&format!(
                "A child in danger now: {} ({})\n",
                serde_json::to_value(d.danger).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default(),
                line(d.by, d.at)
            )),
            None => text.push_str("A child in danger now: nobody has said\n"),
        }
        match state.level() {
            Some(l) => text.push_str(&format!("Level: {} ({})\n", l.level, line(l.by, l.at))),
            None => text.push_str("Level: none stated\n"),
        }
        for change in state.history() {
            let how = match &change.assessment {
                Some(a) => {
                    format!("assessed with {}", a.tool.as_ref().map_or("no tool".to_owned(), ToString::to_string))
                }
                None => "set by a supervisor".to_owned(),
            };
            text.push_str(&format!(
                "  entry {}: {}, {how} ({})\n",
                change.seq,
                change.level,
                line(change.by, change.at)
            ));
        }
        for act in state.safeguarding() {
            text.push_str(&format!("  entry {}: {} at {} ({})\n", act.seq, act.action, act.acted, act.by));
        }
        text
    })
}
