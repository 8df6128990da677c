//! `avocet safeguarding` and `avocet clocks`

use avocet_record::clock::Started;
use avocet_record::desk::SafeguardingShown;
use avocet_record::safeguard::Subject;
use avocet_record::{At, InvestigationId, PersonId, SafeguardingId};
use serde_json::{Value, json};

use super::{at_desk, instant, known_row, load_law, parse, print, recorded, sealed, when, with, word};
use crate::args::{About, Global, SafeguardingVerb, Who};
use crate::{Outcome, Refusal};

pub fn run(global: &Global, verb: &SafeguardingVerb, who: &Who) -> anyhow::Result<Outcome> {
    let begin = |about: &About, fact: Value| begin(global, who, about, fact);
    let line = |line: &str, fact: Value| add(global, who, line, fact);
    match verb {
        SafeguardingVerb::Protect { about, order, until, authority, at } => {
            let until = until.as_deref().map(instant).transpose()?;
            let protection = if *order { "emergency_order" } else { "police" };
            let fact = json!({"fact": "protected", "when": when(at)?, "protection": protection});
            let fields = [("until", until.map(|at| json!(at))), ("authority", authority.clone().map(Value::String))];
            begin(about, with(fact, fields))
        }
        SafeguardingVerb::Refer { about, to, body, area, how, what, at } => {
            let fact = json!({"fact": "sent", "when": when(at)?, "to": word(to), "body": body});
            let fields = [
                ("area", area.clone().map(Value::String)),
                ("how", how.clone().map(Value::String)),
                ("what", sealed(what.as_ref())),
            ];
            begin(about, with(fact, fields))
        }
        SafeguardingVerb::Act { about, action, note, at } => {
            let fact = json!({"fact": "acted", "when": when(at)?, "action": word(action)});
            begin(about, with(fact, [("note", sealed(note.as_ref()))]))
        }
        SafeguardingVerb::ProtectionEnded { line: id, how, at } => {
            line(id, json!({"fact": "protection_ended", "when": when(at)?, "how": how}))
        }
        SafeguardingVerb::Acknowledged { line: id, reference, at } => {
            let fact = json!({"fact": "acknowledged", "when": when(at)?});
            line(id, with(fact, [("reference", reference.clone().map(Value::String))]))
        }
        SafeguardingVerb::Discussed { line: id, body, decision, at } => {
            let fact = json!({"fact": "discussed", "when": when(at)?, "bodies": body});
            line(id, with(fact, [("decision", sealed(decision.as_ref()))]))
        }
        SafeguardingVerb::Shared { line: id, with: whom, power, what, at } => {
            known_row(&load_law(global, who)?.sharing_powers, "power to share", power)?;
            let fact = json!({"fact": "shared", "when": when(at)?, "with": whom, "power": power,
                "what": {"personal": what}});
            line(id, fact)
        }
        SafeguardingVerb::Target { line: id, due } => line(id, json!({"fact": "target_set", "due": instant(due)?})),
        SafeguardingVerb::Reviewed { line: id, note, at } => {
            line(id, with(json!({"fact": "reviewed", "when": when(at)?}), [("note", sealed(note.as_ref()))]))
        }
        SafeguardingVerb::Outcome { line: id, outcome, note, at } => {
            let fact = json!({"fact": "outcome", "when": when(at)?, "outcome": word(outcome)});
            line(id, with(fact, [("note", sealed(note.as_ref()))]))
        }
        SafeguardingVerb::Close { line: id, reason, at } => {
            line(id, json!({"fact": "closed", "when": when(at)?, "reason": reason}))
        }
        SafeguardingVerb::Correct { line: id, entry, reason } => {
            line(id, json!({"fact": "corrected", "wrong": entry, "reason": reason}))
        }
        SafeguardingVerb::List { investigation } => {
            let id: InvestigationId = parse(investigation)?;
            let (shown, withheld) = at_desk(global, who, async |desk| desk.safeguarding(id).await)?;
            let json = json!({"lines": shown.iter().map(as_json).collect::<Vec<_>>(), "withheld": withheld});
            print(global, &json, || {
                let mut text: String = shown.iter().map(lines).collect();
                if withheld > 0 {
                    let lines = avocet_base::plural(withheld, "line for a child", "lines for children");
                    text.push_str(&format!("{lines} not shown: your role does not read what is restricted.\n"));
                }
                if text.is_empty() { "Nothing is recorded.".to_owned() } else { text }
            })
        }
    }
}

/// Begins a line of safeguarding.
fn begin(global: &Global, who: &Who, about: &About, fact: Value) -> anyhow::Result<Outcome> {
    let id: InvestigationId = parse(&about.investigation)?;
    let subject = match (&about.child, &about.work) {
        (Some(child), _) => Subject::Child { child: parse(child)? },
        (None, work) => {
            let refused = || Refusal("name the work as P-1/2: work 2 of P-1".to_owned());
            let (person, number) = work.as_deref().and_then(|work| work.split_once('/')).ok_or_else(refused)?;
            Subject::Work { person: parse::<PersonId>(person)?, work: number.parse().map_err(|_| refused())? }
        }
    };
    let draft = json!({"event": "safeguarding", "investigation": id, "safeguarding": {"new": "S"}, "subject": subject,
        "fact": fact});
    let done = at_desk(global, who, async |desk| desk.record(&draft, None).await)?;
    recorded(global, &done)
}

/// Adds a fact to a line that is there, and says what does not fit where the person may read it.
fn add(global: &Global, who: &Who, line: &str, fact: Value) -> anyhow::Result<Outcome> {
    let id: SafeguardingId = parse(line)?;
    let (done, shown) = at_desk(global, who, async |desk| {
        let (investigation, subject) = desk.line(id).await?;
        let draft = json!({"event": "safeguarding", "investigation": investigation, "safeguarding": id,
            "subject": subject, "fact": fact});
        let done = desk.record(&draft, None).await?;
        let shown = desk.safeguarding(investigation).await.ok();
        Ok((done, shown.and_then(|(shown, _)| shown.into_iter().find(|shown| shown.id == id))))
    })?;
    recorded(global, &done)?;
    if let Some(shown) = shown.filter(|_| !global.json && !global.quiet) {
        crate::output::remark(lines(&shown).trim_end());
    }
    Ok(Outcome::Finished)
}

fn as_json(shown: &SafeguardingShown) -> Value {
    json!({"line": shown.id, "for": shown.state.subject().map(|subject| subject.to_string()),
        "title": shown.state.title(), "status": shown.state.status(), "closed": shown.state.is_closed(),
        "counts_from": shown.state.counts_from().map(|(_, when)| when.to_string()), "findings": shown.findings})
}

fn lines(shown: &SafeguardingShown) -> String {
    let of = shown.state.subject().map_or_else(String::new, |subject| subject.to_string());
    let mut text = format!("{:<6} {of}  {}  {}\n", shown.id.to_string(), shown.state.title(), shown.state.status());
    for finding in &shown.findings {
        text.push_str(&format!("       - {finding}\n"));
    }
    text
}

pub fn clocks(global: &Global, investigation: &str, who: &Who) -> anyhow::Result<Outcome> {
    let id: InvestigationId = parse(investigation)?;
    let (json, text) = at_desk(global, who, async |desk| {
        let (clocks, now) = (desk.clocks(id).await?, At::now());
        let json: Vec<Value> = clocks.iter().map(|clock| clock_json(clock, now)).collect();
        Ok((json, clocks.iter().map(|clock| clock_line(clock, now)).collect::<String>()))
    })?;
    print(global, &json, || if text.is_empty() { "No clock was started.".to_owned() } else { text })
}

fn clock_json(clock: &Started<'_>, now: At) -> Value {
    json!({"clock": clock.clock.id, "of": clock.of, "title": clock.clock.value.title, "since": clock.since.to_string(),
        "due": clock.due.to_string(), "done": clock.done.map(|done| done.to_string()), "late": clock.is_late(now),
        "past_the_table": clock.past_the_table, "status": clock.clock.provenance.status.to_string()})
}

fn clock_line(clock: &Started<'_>, now: At) -> String {
    let how = match (clock.done, clock.is_late(now)) {
        (None, false) => format!("due {:.0}", clock.due),
        (None, true) => format!("LATE since {:.0}", clock.due),
        (Some(done), false) => format!("done {done:.0}, in time"),
        (Some(done), true) => format!("done {done:.0}, late: was due {:.0}", clock.due),
    };
    let past = match clock.past_the_table {
        true => "; the table of bank holidays does not reach so far",
        false => "",
    };
    let status = clock.clock.provenance.status;
    let status = match status {
        avocet_record::law::Status::Confirmed => String::new(),
        status => format!("; {status}"),
    };
    format!("{how}  {}{status}{past}\n", clock.name())
}
