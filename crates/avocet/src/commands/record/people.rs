//! `avocet person` and `avocet child`

use avocet_base::Sha256;
use avocet_record::desk::{Details, People, PersonShown};
use avocet_record::people::PersonRole;
use avocet_record::{InvestigationId, PersonId};
use serde_json::{Value, json};

use super::{at_desk, instant, parse, print, record_about_person, recorded, refuse, sealed, when, with, word};
use crate::Outcome;
use crate::args::{ChildVerb, Global, PersonVerb, Who};

pub fn person(global: &Global, verb: &PersonVerb, who: &Who) -> anyhow::Result<Outcome> {
    let about = |person: &str, fact: Value| about(global, who, "person", "person", person, fact);
    let roles = |roles: &[String]| roles.iter().map(|role| word(role)).collect::<Vec<_>>();
    match verb {
        PersonVerb::Add { investigation, role, unidentified, name, born, at } => {
            let id: InvestigationId = parse(investigation)?;
            let fact = json!({"fact": "made", "known": when(at)?, "roles": roles(role), "unidentified": unidentified});
            let draft = json!({"event": "person", "investigation": id, "person": {"new": "P"}, "fact": fact});
            let described = described(name.as_ref(), born.as_ref(), None, None);
            // The record of a child begins with whoever is there; whether they may say more is another question.
            let (done, more) = at_desk(global, who, async |desk| {
                let done = desk.record(&draft, None).await?;
                let more = match (described, done.made.first()) {
                    (Some(fact), Some(person)) => {
                        let draft = json!({"event": "person", "investigation": id, "person": person, "fact": fact});
                        desk.record(&draft, None).await.map(drop)
                    }
                    _ => Ok(()),
                };
                Ok((done, more))
            })?;
            recorded(global, &done)?;
            more.map_err(refuse)?;
            Ok(Outcome::Finished)
        }
        PersonVerb::Describe { person, name, born, contact, note } => {
            let fact = described(name.as_ref(), born.as_ref(), contact.as_ref(), note.as_ref());
            about(person, fact.unwrap_or_else(|| json!({"fact": "described"})))
        }
        PersonVerb::Roles { person, role, reason } => {
            about(person, json!({"fact": "roles_stated", "roles": roles(role), "reason": reason}))
        }
        PersonVerb::Address { person, number, text, area, until } => {
            let until = until.as_deref().map(instant).transpose()?;
            let fact = json!({"fact": "address", "address": number, "text": {"personal": text}});
            about(person, with(fact, [("area", area.clone().map(Value::String)), ("until", until.map(|at| json!(at)))]))
        }
        PersonVerb::Work { person, number, kind, with_children, trust, area, what, at } => {
            let fact = json!({"fact": "work", "work": number, "kind": word(kind), "known": when(at)?,
                "with_children": with_children, "trust": trust});
            about(person, with(fact, [("area", area.clone().map(Value::String)), ("what", sealed(what.as_ref()))]))
        }
        PersonVerb::WorkEnded { person, number, at } => {
            about(person, json!({"fact": "work_ended", "work": number, "when": when(at)?}))
        }
        PersonVerb::Link { person, link, other, note } => {
            let fact = json!({"fact": "linked", "other": parse::<PersonId>(other)?, "link": word(link)});
            about(person, with(fact, [("note", sealed(note.as_ref()))]))
        }
        PersonVerb::Unlink { person, link, other, reason } => {
            let other: PersonId = parse(other)?;
            about(person, json!({"fact": "link_ended", "other": other, "link": word(link), "reason": reason}))
        }
        PersonVerb::Same { person, other, reason } => {
            let fact = json!({"fact": "same_as", "other": parse::<PersonId>(other)?});
            about(person, with(fact, [("reason", sealed(reason.as_ref()))]))
        }
        PersonVerb::Apart { person, other, reason } => {
            let fact = json!({"fact": "not_same_as", "other": parse::<PersonId>(other)?});
            about(person, with(fact, [("reason", sealed(reason.as_ref()))]))
        }
        PersonVerb::Correct { person, entry, reason } => {
            about(person, json!({"fact": "corrected", "wrong": entry, "reason": reason}))
        }
        PersonVerb::List { investigation } => {
            let id: InvestigationId = parse(investigation)?;
            let People { shown, withheld } = at_desk(global, who, async |desk| desk.people(id).await)?;
            let json = json!({"people": shown.iter().map(as_json).collect::<Vec<_>>(), "withheld": withheld});
            print(global, &json, || {
                let mut text: String = shown.iter().map(lines).collect();
                if withheld > 0 {
                    let children = avocet_base::plural(withheld, "child", "children");
                    text.push_str(&format!("{children} not shown: your role does not read what is restricted.\n"));
                }
                if text.is_empty() { "Nobody is recorded.".to_owned() } else { text }
            })
        }
        PersonVerb::Show { person } => {
            let id: PersonId = parse(person)?;
            let (_, shown) = at_desk(global, who, async |desk| desk.person(id).await)?;
            print(global, &as_json(&shown), || lines(&shown) + &more_lines(&shown))
        }
    }
}

fn about(global: &Global, who: &Who, kind: &str, field: &str, id: &str, fact: Value) -> anyhow::Result<Outcome> {
    let id: PersonId = parse(id)?;
    let done = at_desk(global, who, async |desk| record_about_person(desk, kind, field, id, fact).await)?;
    recorded(global, &done)
}

/// What identifies somebody, where anything is given.
fn described(
    name: Option<&String>,
    born: Option<&String>,
    contact: Option<&String>,
    note: Option<&String>,
) -> Option<Value> {
    let fields = [("name", sealed(name)), ("born", sealed(born)), ("contact", sealed(contact)), ("note", sealed(note))];
    let given = fields.iter().any(|(_, value)| value.is_some());
    given.then(|| with(json!({"fact": "described"}), fields))
}

pub fn child(global: &Global, verb: &ChildVerb, who: &Who) -> anyhow::Result<Outcome> {
    let identify = |child: &str, fact: Value| about(global, who, "identification", "child", child, fact);
    let care = |child: &str, fact: Value| about(global, who, "care", "child", child, fact);
    let digests = |texts: &[String]| texts.iter().map(|text| parse(text)).collect::<anyhow::Result<Vec<Sha256>>>();
    match verb {
        ChildVerb::Seen { child, sha256 } => identify(child, json!({"fact": "seen_in", "media": digests(sha256)?})),
        ChildVerb::Lead { child, number, kind, strength, media, seen_in, note } => {
            let media = media.as_deref().map(parse::<Sha256>).transpose()?;
            let seen_in = seen_in.as_deref().map(parse::<InvestigationId>).transpose()?;
            let fact = json!({"fact": "lead", "lead": number, "kind": word(kind), "strength": strength});
            let fields = [
                ("media", media.map(|media| json!(media))),
                ("seen_in", seen_in.map(|id| json!(id))),
                ("note", sealed(note.as_ref())),
            ];
            identify(child, with(fact, fields))
        }
        ChildVerb::LeadEnded { child, number, did_not_hold, reason } => {
            identify(child, json!({"fact": "lead_ended", "lead": number, "held": !did_not_hold, "reason": reason}))
        }
        ChildVerb::Reached { child, step, media, lead, note, at } => {
            let fact = json!({"fact": "reached", "when": when(at)?, "step": step, "media": digests(media)?,
                "leads": lead});
            identify(child, with(fact, [("note", sealed(note.as_ref()))]))
        }
        ChildVerb::Uploaded { child, reach, system, reference, media, at } => {
            let fact = json!({"fact": "uploaded", "when": when(at)?, "reach": reach, "system": system,
                "media": digests(media)?});
            identify(child, with(fact, [("reference", reference.clone().map(Value::String))]))
        }
        ChildVerb::Rest { child, reason, see, at } => {
            let see = see.as_deref().map(parse::<PersonId>).transpose()?;
            let fact = json!({"fact": "rested", "when": when(at)?, "reason": reason});
            identify(child, with(fact, [("see", see.map(|id| json!(id)))]))
        }
        ChildVerb::Offer { child, number, service, at } => {
            care(child, json!({"fact": "support_offered", "when": when(at)?, "offer": number, "service": service}))
        }
        ChildVerb::Answered { child, number, taken_up, at } => {
            let taken_up = taken_up == "yes";
            care(child, json!({"fact": "support_answered", "when": when(at)?, "offer": number, "taken_up": taken_up}))
        }
        ChildVerb::Wishes { child, wishes, at } => {
            care(child, json!({"fact": "wishes", "when": when(at)?, "wishes": {"personal": wishes}}))
        }
        ChildVerb::ToTell { child, number, about, at } => {
            care(child, json!({"fact": "to_tell", "when": when(at)?, "news": number, "about": about}))
        }
        ChildVerb::Told { child, number, whom, at } => {
            let fact = json!({"fact": "told", "when": when(at)?, "news": number});
            care(child, with(fact, [("whom", sealed(whom.as_ref()))]))
        }
        ChildVerb::NotToTell { child, number, reason } => {
            care(child, json!({"fact": "not_to_tell", "news": number, "reason": reason}))
        }
        ChildVerb::PlanInterview { child, time, note } => {
            let fact = json!({"fact": "interview_planned", "when": instant(time)?});
            care(child, with(fact, [("note", sealed(note.as_ref()))]))
        }
        ChildVerb::Interviewed { child, kind, reference, at } => {
            let fact = json!({"fact": "interviewed", "when": when(at)?, "kind": word(kind)});
            care(child, with(fact, [("reference", reference.clone().map(Value::String))]))
        }
        ChildVerb::Measure { child, measure, answer, at } => {
            care(child, json!({"fact": "measure", "when": when(at)?, "measure": measure, "answer": word(answer)}))
        }
        ChildVerb::Statement { child, stage, at } => {
            care(child, json!({"fact": "statement", "when": when(at)?, "stage": word(stage)}))
        }
        ChildVerb::Correct { child, entry, reason } => correct(global, who, child, *entry, reason),
    }
}

/// Corrects an entry of a child's, whether it is about who the child is or about the child's side.
fn correct(global: &Global, who: &Who, child: &str, entry: u64, reason: &str) -> anyhow::Result<Outcome> {
    let id: PersonId = parse(child)?;
    let fact = json!({"fact": "corrected", "wrong": entry, "reason": reason});
    let done = at_desk(global, who, async |desk| {
        let story = desk.story(&id.to_string()).await?;
        let of = story.iter().find(|told| told.recorded.seq == entry);
        let kind = match of.and_then(|told| told.recorded.fact.get("event")).and_then(Value::as_str) {
            Some("care") => "care",
            _ => "identification",
        };
        record_about_person(desk, kind, "child", id, fact).await
    })?;
    recorded(global, &done)
}

fn roles(shown: &PersonShown) -> Vec<String> {
    shown.file.person.roles().iter().map(ToString::to_string).collect()
}

fn step(shown: &PersonShown) -> Option<String> {
    let person = &shown.file.person;
    let unidentified = person.made().is_some_and(|(_, unidentified)| unidentified);
    person.roles().contains(&PersonRole::Child).then(|| shown.file.identification.step(unidentified).to_string())
}

fn as_json(shown: &PersonShown) -> Value {
    let details = shown.details.as_ref().map(|Details(texts)| {
        let of = |(what, text): &(String, Option<String>)| json!({"what": what, "text": text});
        texts.iter().map(of).collect::<Vec<_>>()
    });
    let links = shown.file.person.links();
    let links: Vec<_> = links.keys().map(|(other, link)| json!({"link": link.to_string(), "other": other})).collect();
    json!({"person": shown.id, "roles": roles(shown), "step": step(shown), "details": details, "links": links,
        "same": shown.same, "findings": shown.findings})
}

fn lines(shown: &PersonShown) -> String {
    let step = step(shown).map_or_else(String::new, |step| format!("  {step}"));
    let mut text = format!("{:<6} {}{step}\n", shown.id.to_string(), roles(shown).join(", "));
    match &shown.details {
        None => text.push_str("       (personal texts not shown)\n"),
        Some(Details(texts)) => {
            for (what, content) in texts {
                text.push_str(&format!("       {what}: {}\n", content.as_deref().unwrap_or("(erased)")));
            }
        }
    }
    for (other, link) in shown.file.person.links().into_keys() {
        text.push_str(&format!("       {link} {other}\n"));
    }
    for (number, work) in shown.file.person.works() {
        let area = work.area.as_deref().unwrap_or("area not stated");
        let ended = work.ended.map_or_else(String::new, |when| format!(", ended {when:.0}"));
        text.push_str(&format!(
            "       work {number}: {}, with children: {}, position of trust: {}, {area}{ended}\n",
            work.kind, work.with_children, work.trust
        ));
    }
    for other in &shown.same {
        text.push_str(&format!("       the same person as {other}\n"));
    }
    for finding in &shown.findings {
        text.push_str(&format!("       - {finding}\n"));
    }
    text
}

/// What a page about one person says besides.
fn more_lines(shown: &PersonShown) -> String {
    let mut text = String::new();
    let mut say = |line: String| text.push_str(&format!("       {line}\n"));
    let identification = &shown.file.identification;
    for taken in identification.steps() {
        say(format!("{} {}, by {} (entry {}), from {}", taken.step, taken.when, taken.by, taken.seq, rests_on(&taken)));
    }
    for (number, lead) in identification.leads() {
        let held = match lead.held {
            None => "open",
            Some(true) => "held",
            Some(false) => "did not hold",
        };
        say(format!("lead {number}: {}, {}, {held}", lead.kind, lead.strength));
    }
    for (when, upload) in identification.uploads() {
        say(format!("given to {upload} on {when:.0}"));
    }
    let care = &shown.file.care;
    for (number, (service, taken)) in care.offers() {
        let taken = match taken {
            None => "not answered",
            Some(true) => "taken up",
            Some(false) => "not taken up",
        };
        say(format!("offer {number}: {service}, {taken}"));
    }
    for (number, (about, told)) in care.news() {
        let told = told.map_or_else(|| "not told".to_owned(), |when| format!("told {when:.0}"));
        say(format!("news {number}: {about}, {told}"));
    }
    for (when, kind) in care.interviews() {
        say(format!("heard {when:.0}: {kind}"));
    }
    for (measure, answer) in care.measures() {
        say(format!("special measure {measure}: {answer}"));
    }
    if let Some(stage) = care.statement() {
        say(format!("personal statement: {stage}"));
    }
    let welfare = &shown.file.welfare;
    for (when, stage, level) in welfare.assessments() {
        say(format!("own risk {stage}, {when:.0}: {level}"));
    }
    for (number, (kind, date)) in welfare.triggers() {
        say(format!("date {number}: {kind}, {date}"));
    }
    for (when, leaflet) in welfare.leaflets() {
        say(format!("leaflet for {leaflet} given {when:.0}"));
    }
    text
}

fn rests_on(taken: &avocet_record::safeguard::StepTaken) -> String {
    let media = taken.media.iter().map(ToString::to_string);
    let all: Vec<String> = media.chain(taken.leads.iter().map(|lead| format!("lead {lead}"))).collect();
    if all.is_empty() { "what its note says".to_owned() } else { all.join(", ") }
}
