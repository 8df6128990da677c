//! `avocet exhibit`

use avocet_record::desk::{Desk, Done, Exhibit};
use avocet_record::exhibit::{ExhibitFact, Fate, Holder};
use avocet_record::{ExhibitId, InvestigationId, UserId};
use serde_json::{Value, json};

use super::{at_desk, parse, print, record_about, recorded, when};
use crate::args::{ExhibitVerb, Global, Taken, Who, YesNo};
use crate::{Outcome, Refusal};

pub fn run(global: &Global, verb: &ExhibitVerb, who: &Who) -> anyhow::Result<Outcome> {
    let about = |exhibit: &str, fact: Fact| on_exhibit(global, who, exhibit, fact);
    match verb {
        ExhibitVerb::Taken(a) => taken(global, who, a),
        ExhibitVerb::Excluded { investigation, kind, description, place, reason, officer, at } => {
            let fact = json!({"fact": "excluded", "when": when(at)?, "kind": kind, "description": description,
                "place": place, "reason": reason});
            new_exhibit(global, who, investigation, fact, officer.as_deref())
        }
        ExhibitVerb::Seal { exhibit, seal, at } => {
            about(exhibit, Fact::by_officer(json!({"fact": "sealed", "when": when(at)?, "seal": seal})))
        }
        ExhibitVerb::Open { exhibit, seal, reason, at } => {
            let fact = json!({"fact": "opened", "when": when(at)?, "seal": seal, "reason": reason});
            about(exhibit, Fact::by_officer(fact))
        }
        ExhibitVerb::HandOver { exhibit, to, from, at } => {
            let from = from.as_deref().map(holder).transpose()?;
            let fact = json!({"fact": "handed_over", "when": when(at)?, "from": from, "to": holder(to)?});
            about(exhibit, Fact { value: fact, officer: false, holder: from.is_none() })
        }
        ExhibitVerb::Received { exhibit, entry, at } => {
            about(exhibit, Fact::plain(json!({"fact": "received", "when": when(at)?, "handover": entry})))
        }
        ExhibitVerb::Examined { exhibit, what, within_scope, at } => {
            let mut fact = json!({"fact": "examined", "when": when(at)?, "what": what});
            if let Some(within) = within_scope {
                fact["within_scope"] = json!(*within == YesNo::Yes);
            }
            about(exhibit, Fact::by_officer(fact))
        }
        ExhibitVerb::AgreementWithdrawn { exhibit, at } => {
            about(exhibit, Fact::plain(json!({"fact": "agreement_withdrawn", "when": when(at)?})))
        }
        ExhibitVerb::Retained { exhibit, authority, review, at } => {
            let mut fact = json!({"fact": "retained", "when": when(at)?, "authority": authority});
            if let Some(review) = review {
                fact["review"] = json!({"time": review});
            }
            about(exhibit, Fact::plain(fact))
        }
        ExhibitVerb::Returned { exhibit, to, at } => {
            let mut fact = json!({"fact": "returned", "when": when(at)?});
            if let Some(to) = to {
                fact["note"] = json!({"personal": to});
            }
            about(exhibit, Fact::by_officer(fact))
        }
        ExhibitVerb::Destroyed { exhibit, authority, method, witness, at } => {
            let witness: UserId = parse(witness)?;
            about(
                exhibit,
                Fact::plain(json!({"fact": "destroyed", "when": when(at)?, "authority": authority,
                "method": method, "witness": witness})),
            )
        }
        ExhibitVerb::Correct { exhibit, entry, reason } => {
            about(exhibit, Fact::plain(json!({"fact": "corrected", "wrong": entry, "reason": reason})))
        }
        ExhibitVerb::List { investigation } => {
            let id = parse(investigation)?;
            let exhibits = at_desk(global, who, async |desk| desk.exhibits(id).await)?;
            list(global, &exhibits)
        }
        ExhibitVerb::Show { exhibit } => {
            let id = parse(exhibit)?;
            let exhibit = at_desk(global, who, async |desk| desk.exhibit(id).await)?;
            show(global, &exhibit)
        }
    }
}

/// A fact in which something is still to be filled in at the desk.
struct Fact {
    value: Value,
    /// Who did it is who records it.
    officer: bool,
    /// From whom is who has it by the record.
    holder: bool,
}

impl Fact {
    fn plain(value: Value) -> Self {
        Self { value, officer: false, holder: false }
    }

    fn by_officer(value: Value) -> Self {
        Self { value, officer: true, holder: false }
    }
}

fn holder(text: &str) -> anyhow::Result<Holder> {
    if let Some(place) = text.strip_prefix("place:") {
        return Ok(Holder::Place { place: place.to_owned() });
    }
    if let Some(body) = text.strip_prefix("outside:") {
        return Ok(Holder::Outside { body: body.to_owned() });
    }
    let refused =
        |_| Refusal(format!("{text} is nobody who can have an exhibit: write U-3, place:STORE or outside:BODY"));
    Ok(Holder::Officer { user: text.parse().map_err(refused)? })
}

fn source(text: &str) -> anyhow::Result<Value> {
    let parts: Vec<&str> = text.splitn(3, ':').collect();
    match parts.as_slice() {
        ["warrant", warrant] => Ok(json!({"kind": "warrant", "warrant": warrant})),
        ["power", power] => Ok(json!({"kind": "power", "power": power})),
        ["agreement", giver @ ("suspect" | "volunteer" | "victim" | "witness"), scope] => {
            Ok(json!({"kind": "agreement", "giver": giver, "scope": scope}))
        }
        ["parent"] => Ok(json!({"kind": "of_parent"})),
        _ => Err(Refusal(format!(
            "{text} is no source: write warrant:W-1, power:ID, agreement:GIVER:SCOPE (GIVER is suspect, volunteer, victim \
             or witness) or parent"
        ))
        .into()),
    }
}

fn taken(global: &Global, who: &Who, a: &Taken) -> anyhow::Result<Outcome> {
    let serial = |text: &String| match text.split_once('=') {
        Some((kind, value)) => Ok(json!({"kind": kind, "value": value})),
        None => Err(Refusal(format!("{text} is no serial: write KIND=NUMBER"))),
    };
    let serials = a.serial.iter().map(serial).collect::<Result<Vec<_>, _>>()?;
    let reference: avocet_base::ExhibitRef = parse(&a.reference)?;
    let mut fact = json!({"fact": "taken", "when": when(&a.at)?, "reference": reference, "kind": a.kind,
        "description": a.description, "place": a.place, "source": source(&a.source)?, "serials": serials});
    let parent = a.parent.as_deref().map(parse::<ExhibitId>).transpose()?.map(|id| id.to_string());
    for (name, value) in [("parent", parent.as_deref()), ("make", a.make.as_deref()), ("model", a.model.as_deref())] {
        if let Some(value) = value {
            fact[name] = json!(value);
        }
    }
    new_exhibit(global, who, &a.investigation, fact, a.officer.as_deref())
}

fn new_exhibit(
    global: &Global,
    who: &Who,
    investigation: &str,
    mut fact: Value,
    officer: Option<&str>,
) -> anyhow::Result<Outcome> {
    let id: InvestigationId = parse(investigation)?;
    let officer = officer.map(parse::<UserId>).transpose()?;
    let done: Done = at_desk(global, who, async |desk| {
        fact["officer"] = json!(officer.unwrap_or(desk.user()));
        desk.record(&json!({"event": "exhibit", "investigation": id, "exhibit": {"new": "E"}, "fact": fact}), None)
            .await
    })?;
    recorded(global, &done)
}

fn on_exhibit(global: &Global, who: &Who, exhibit: &str, fact: Fact) -> anyhow::Result<Outcome> {
    let exhibit: ExhibitId = parse(exhibit)?;
    let (done, findings) = at_desk(global, who, async |desk: &Desk<'_>| {
        let Fact { mut value, officer, holder } = fact;
        if officer {
            value["officer"] = json!(desk.user());
        }
        if holder {
            let held = desk.exhibit(exhibit).await?.state.holder();
            value["from"] = json!(held.unwrap_or(Holder::Officer { user: desk.user() }));
        }
        let (_, done) = record_about(desk, "exhibit", exhibit, value).await?;
        Ok((done, desk.exhibit(exhibit).await?.findings))
    })?;
    recorded(global, &done)?;
    // Told at once to whoever can still mend it.
    if !global.json && !global.quiet {
        for finding in findings {
            crate::output::remark(&format!("Look at this: {finding}"));
        }
    }
    Ok(Outcome::Finished)
}

fn fate(exhibit: &Exhibit) -> String {
    let seal = exhibit.state.seal().map_or_else(|| "not sealed".to_owned(), |seal| format!("sealed with {seal}"));
    match (exhibit.state.fate(), exhibit.state.holder()) {
        (Fate::Unknown, _) => "not taken by the record".to_owned(),
        (Fate::Excluded, _) => "left at the scene".to_owned(),
        (Fate::Held, Some(holder)) => format!("with {holder}, {seal}"),
        (Fate::Held, None) => seal,
        (Fate::Returned, _) => "given back".to_owned(),
        (Fate::Destroyed, _) => "destroyed".to_owned(),
    }
}

fn name(exhibit: &Exhibit) -> String {
    match exhibit.state.origin() {
        Some(ExhibitFact::Taken { reference, parent, kind, .. }) => {
            let part = parent.map_or_else(String::new, |parent| format!(" (part of {parent})"));
            format!("{reference}  {kind}{part}")
        }
        Some(ExhibitFact::Excluded { kind, .. }) => kind.clone(),
        _ => "?".to_owned(),
    }
}

fn as_json(exhibit: &Exhibit) -> Value {
    json!({
        "exhibit": exhibit.id, "what": name(exhibit), "where": fate(exhibit), "seal": exhibit.state.seal(),
        "holder": exhibit.state.holder(), "origin": exhibit.state.origin(),
        "findings": exhibit.findings.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

fn list(global: &Global, exhibits: &[Exhibit]) -> anyhow::Result<Outcome> {
    let all: Vec<_> = exhibits.iter().map(as_json).collect();
    print(global, &all, || {
        if exhibits.is_empty() {
            return "No exhibit is recorded.".to_owned();
        }
        let wrong: usize = exhibits.iter().map(|e| e.findings.len()).sum();
        let mut text = match wrong {
            0 => String::new(),
            n => format!("{} to look at:\n", avocet_base::plural(n as u64, "thing", "things")),
        };
        for exhibit in exhibits {
            for finding in &exhibit.findings {
                text.push_str(&format!("  {}: {finding}\n", exhibit.id));
            }
        }
        for exhibit in exhibits {
            text.push_str(&format!("{:<6} {:<30} {}\n", exhibit.id.to_string(), name(exhibit), fate(exhibit)));
        }
        text
    })
}

fn show(global: &Global, exhibit: &Exhibit) -> anyhow::Result<Outcome> {
    let steps = exhibit.state.continuity();
    let mut whole = as_json(exhibit);
    whole["continuity"] = steps
        .iter()
        .map(|s| {
            let r = &s.recorded;
            json!({"entry": r.seq, "recorded": r.at.to_string(), "by": r.by, "fact": r.fact,
                "when": r.fact.when().map(|at| at.to_string()), "struck_by": s.struck})
        })
        .collect();
    print(global, &whole, || {
        let mut text: String = exhibit.findings.iter().map(|f| format!("Look at this: {f}\n")).collect();
        text.push_str(&format!("{} {}\n{}\n", exhibit.id, name(exhibit), fate(exhibit)));
        for step in &steps {
            let r = &step.recorded;
            let when = r.fact.when().unwrap_or(r.at);
            let struck = step.struck.map_or_else(String::new, |by| format!("  [does not count: entry {by}]"));
            text.push_str(&format!("  {:>5}  {when:.0}  {} (recorded by {}){struck}\n", r.seq, r.fact, r.by));
        }
        text
    })
}
