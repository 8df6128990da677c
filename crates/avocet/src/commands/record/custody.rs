//! `avocet custody`, `avocet welfare` and `avocet leaflet`

use avocet_record::custody::LeafletFor;
use avocet_record::desk::CustodyShown;
use avocet_record::{CustodyId, InvestigationId, PersonId, WarrantId, leaflet};
use serde_json::{Value, json};

use super::{
    at_desk, instant, known_row, load_law, parse, print, record_about_person, recorded, sealed, when, with, word,
};
use crate::args::{CustodyVerb, Global, Leaflet, WelfareVerb, Who};
use crate::{Outcome, Refusal, output};

pub fn custody(global: &Global, verb: &CustodyVerb, who: &Who) -> anyhow::Result<Outcome> {
    let begin = |investigation: &str, suspect: &str, fact: Value| begin(global, who, investigation, suspect, fact);
    let about = |custody: &str, fact: Value| about(global, who, custody, fact);
    let text = |text: &Option<String>| text.clone().map(Value::String);
    match verb {
        CustodyVerb::Arrest { investigation, suspect, offence, reference, warrant, at } => {
            let warrant = warrant.as_deref().map(parse::<WarrantId>).transpose()?;
            let fact = json!({"fact": "arrested", "when": when(at)?, "offences": offence});
            let fields = [("reference", text(reference)), ("warrant", warrant.map(|id| json!(id)))];
            begin(investigation, suspect, with(fact, fields))
        }
        CustodyVerb::Attend { investigation, suspect, offence, reference, at } => {
            let fact = json!({"fact": "attended", "when": when(at)?, "offences": offence});
            begin(investigation, suspect, with(fact, [("reference", text(reference))]))
        }
        CustodyVerb::Arrived { custody, place, reference, at } => {
            let fact = json!({"fact": "arrived", "when": when(at)?, "place": place});
            about(custody, with(fact, [("reference", text(reference))]))
        }
        CustodyVerb::Extended { custody, until, authority } => {
            about(custody, json!({"fact": "extended", "until": instant(until)?, "authority": authority}))
        }
        CustodyVerb::Interviewed { custody, reference, at } => {
            about(custody, with(json!({"fact": "interviewed", "when": when(at)?}), [("reference", text(reference))]))
        }
        CustodyVerb::Bail { custody, until, conditions, at } => {
            let fact = json!({"fact": "bailed", "when": when(at)?, "until": instant(until)?});
            about(custody, with(fact, [("conditions", sealed(conditions.as_ref()))]))
        }
        CustodyVerb::Release { custody, at } => {
            about(custody, json!({"fact": "under_investigation", "when": when(at)?}))
        }
        CustodyVerb::End { custody, how, reason, at } => {
            let fact = json!({"fact": "ended", "when": when(at)?, "how": word(how)});
            about(custody, with(fact, [("reason", text(reason))]))
        }
        CustodyVerb::Correct { custody, entry, reason } => {
            about(custody, json!({"fact": "corrected", "wrong": entry, "reason": reason}))
        }
        CustodyVerb::List { investigation } => {
            let id: InvestigationId = parse(investigation)?;
            let shown = at_desk(global, who, async |desk| desk.custody(id).await)?;
            let json: Vec<_> = shown.iter().map(as_json).collect();
            print(global, &json, || match shown.is_empty() {
                true => "There is no arrest and no voluntary interview.".to_owned(),
                false => shown.iter().map(lines).collect(),
            })
        }
    }
}

fn begin(global: &Global, who: &Who, investigation: &str, suspect: &str, mut fact: Value) -> anyhow::Result<Outcome> {
    let (id, suspect) = (parse::<InvestigationId>(investigation)?, parse::<PersonId>(suspect)?);
    let (done, shown) = at_desk(global, who, async |desk| {
        fact["officer"] = json!(desk.user());
        let draft = json!({"event": "custody", "investigation": id, "custody": {"new": "C"}, "suspect": suspect,
            "fact": fact});
        let done = desk.record(&draft, None).await?;
        let made = done.made.first().cloned();
        let shown = desk.custody(id).await?.into_iter().find(|shown| Some(shown.id.to_string()) == made);
        Ok((done, shown))
    })?;
    recorded(global, &done)?;
    tell(global, shown)
}

fn about(global: &Global, who: &Who, custody: &str, fact: Value) -> anyhow::Result<Outcome> {
    let id: CustodyId = parse(custody)?;
    let (done, shown) = at_desk(global, who, async |desk| {
        let (investigation, suspect) = desk.suspect_of(id).await?;
        let draft = json!({"event": "custody", "investigation": investigation, "custody": id, "suspect": suspect,
            "fact": fact});
        let done = desk.record(&draft, None).await?;
        Ok((done, desk.custody(investigation).await?.into_iter().find(|shown| shown.id == id)))
    })?;
    recorded(global, &done)?;
    tell(global, shown)
}

/// Says at once where it stands and what is missing.
fn tell(global: &Global, shown: Option<CustodyShown>) -> anyhow::Result<Outcome> {
    if let Some(shown) = shown.filter(|_| !global.json && !global.quiet) {
        output::remark(lines(&shown).trim_end());
    }
    Ok(Outcome::Finished)
}

fn as_json(shown: &CustodyShown) -> Value {
    json!({"custody": shown.id, "suspect": shown.state.suspect(), "status": shown.state.status(),
        "arrested": shown.state.arrested().map(|when| when.to_string()), "reference": shown.state.reference(),
        "findings": shown.findings})
}

fn lines(shown: &CustodyShown) -> String {
    let suspect = shown.state.suspect().map_or_else(String::new, |suspect| suspect.to_string());
    let reference = shown.state.reference().unwrap_or("no reference");
    let mut text = format!("{:<6} {suspect}  {}  {reference}\n", shown.id.to_string(), shown.state.status());
    for finding in &shown.findings {
        text.push_str(&format!("       - {finding}\n"));
    }
    text
}

pub fn welfare(global: &Global, verb: &WelfareVerb, who: &Who) -> anyhow::Result<Outcome> {
    let about = |person: &str, fact: Value| -> anyhow::Result<Outcome> {
        let id: PersonId = parse(person)?;
        let record =
            async |desk: &avocet_record::desk::Desk<'_>| record_about_person(desk, "welfare", "person", id, fact).await;
        recorded(global, &at_desk(global, who, record)?)
    };
    let at_custody = |custody: &Option<String>| -> anyhow::Result<Option<Value>> {
        Ok(custody.as_deref().map(parse::<CustodyId>).transpose()?.map(|id| json!(id)))
    };
    match verb {
        WelfareVerb::Assess { person, stage, level, custody, trigger, note, at } => {
            let fact = json!({"fact": "assessed", "when": when(at)?, "stage": word(stage), "level": level});
            let fields = [
                ("custody", at_custody(custody)?),
                ("trigger", trigger.map(|trigger| json!(trigger))),
                ("note", sealed(note.as_ref())),
            ];
            about(person, with(fact, fields))
        }
        WelfareVerb::Trigger { person, number, kind, date } => {
            about(person, json!({"fact": "trigger_set", "trigger": number, "kind": kind, "date": instant(date)?}))
        }
        WelfareVerb::Leaflet { person, leaflet, file, custody, at } => {
            let refused = |e| Refusal(format!("the leaflet cannot be read: {e}"));
            let file = file.as_ref().map(std::fs::read).transpose().map_err(refused)?;
            let fact = json!({"fact": "leaflet_given", "when": when(at)?, "leaflet": leaflet});
            let digest = file.map(|bytes| json!(avocet_record::digest(&bytes)));
            about(person, with(fact, [("file", digest), ("custody", at_custody(custody)?)]))
        }
        WelfareVerb::Signpost { person, service, at } => {
            known_row(&load_law(global, who)?.services, "service", service)?;
            about(person, json!({"fact": "sign_posted", "when": when(at)?, "service": service}))
        }
        WelfareVerb::Phone { person, taken, custody, at } => {
            let fact = json!({"fact": "phone_offered", "when": when(at)?, "taken": taken == "yes"});
            about(person, with(fact, [("custody", at_custody(custody)?)]))
        }
        WelfareVerb::ToDo { person, number, what, due } => {
            let fact = json!({"fact": "to_do", "item": number, "what": {"personal": what}, "due": instant(due)?});
            about(person, fact)
        }
        WelfareVerb::Done { person, number, at } => {
            about(person, json!({"fact": "item_done", "item": number, "when": when(at)?}))
        }
        WelfareVerb::Correct { person, entry, reason } => {
            about(person, json!({"fact": "corrected", "wrong": entry, "reason": reason}))
        }
    }
}

pub fn leaflet(global: &Global, args: &Leaflet) -> anyhow::Result<Outcome> {
    let law = load_law(global, &args.who)?;
    let which = LeafletFor::ALL.into_iter().find(|leaflet| leaflet.to_string() == args.leaflet);
    let which = which.ok_or_else(|| Refusal(format!("there is no leaflet for {}", args.leaflet)))?;
    let page = leaflet::html(which, &law.leaflets, &law.services).map_err(|e| Refusal(e.to_string()))?;
    let Some(out) = &args.out else {
        output::answer(&page)?;
        return Ok(Outcome::Finished);
    };
    crate::commands::write_new(out, page.as_bytes(), "leaflet", 0o666)?;
    let digest = avocet_record::digest(page.as_bytes());
    print(global, &json!({"leaflet": which, "file": out, "sha256": digest}), || {
        format!(
            "{} written. Look at it before you print it: what is to be confirmed says so. That it was given is recorded \
             with `avocet welfare leaflet`.",
            out.display()
        )
    })
}
