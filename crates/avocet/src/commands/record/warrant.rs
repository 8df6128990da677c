//! `avocet ip` and `avocet warrant`

use std::path::Path;

use avocet_record::desk::{IpEventShown, WarrantShown};
use avocet_record::warrant::Readiness;
use avocet_record::{InvestigationId, IpEventId, ReferralId, WarrantId};
use serde_json::{Value, json};

use super::{at_desk, instant, known_row, load_law, parse, print, record_about, recorded, when};
use crate::args::{Global, IpVerb, WarrantVerb, Who};
use crate::{Outcome, Refusal};

pub fn ip(global: &Global, verb: &IpVerb, who: &Who) -> anyhow::Result<Outcome> {
    let about = |ip: &str, fact: Value| -> anyhow::Result<Outcome> {
        let ip: IpEventId = parse(ip)?;
        let (_, done) = at_desk(global, who, async |desk| record_about(desk, "ip", ip, fact).await)?;
        recorded(global, &done)
    };
    match verb {
        IpVerb::Take { referral } => {
            let id: ReferralId = parse(referral)?;
            let (investigation, made) = at_desk(global, who, async |desk| desk.take_ip_events(id).await)?;
            print(global, &json!({"investigation": investigation, "made": made}), || match made.is_empty() {
                true => format!("{id} states no IP event that {investigation} does not have."),
                false => format!("{} taken into {investigation}.", made.join(", ")),
            })
        }
        IpVerb::Zone { ip, zone, reason } => about(ip, json!({"fact": "zone_stated", "zone": zone, "reason": reason})),
        IpVerb::Applied { ip, reference, authority, operator, at } => about(
            ip,
            json!({"fact": "applied", "when": when(at)?, "reference": reference, "authority": authority,
                "operator": operator}),
        ),
        IpVerb::Answered { ip, document, address, time, port, subscriber, at } => {
            let mut answer = json!({"address": address, "time": time, "subscriber": subscriber});
            if let Some(port) = port {
                answer["port"] = json!(port);
            }
            let fact = json!({"fact": "answered", "when": when(at)?, "document": digest(document)?,
                "answer": {"personal": answer}});
            about(ip, fact)
        }
        IpVerb::Confirm { ip, document, address, port, time, zone } => about(
            ip,
            json!({"fact": "confirmed", "document": digest(document)?, "address": address, "port": port, "time": time,
                "zone": zone}),
        ),
        IpVerb::Corroborate { ip, what, source } => {
            about(ip, json!({"fact": "corroborated", "what": {"personal": what}, "source": source}))
        }
        IpVerb::Same { ip, other } => {
            let other: IpEventId = parse(other)?;
            about(ip, json!({"fact": "same_activity", "other": other}))
        }
        IpVerb::Wrong { ip, reason } => about(ip, json!({"fact": "found_wrong", "reason": reason})),
        IpVerb::List { investigation } => {
            let id: InvestigationId = parse(investigation)?;
            let events = at_desk(global, who, async |desk| desk.ip_events(id).await)?;
            let json: Vec<_> = events.iter().map(ip_json).collect();
            print(global, &json, || match events.is_empty() {
                true => "There is no IP event; `avocet ip take R-1` takes those of a referral.".to_owned(),
                false => events.iter().map(ip_lines).collect(),
            })
        }
    }
}

fn digest(document: &Path) -> anyhow::Result<avocet_base::Sha256> {
    let refused = |e| Refusal(format!("{} cannot be read: {e}", document.display()));
    Ok(avocet_record::digest(&std::fs::read(document).map_err(refused)?))
}

fn ip_json(event: &IpEventShown) -> Value {
    json!({"ip": event.id, "stated": event.stated, "when": event.when.as_ref().map(ToString::to_string),
        "ready": event.not_ready.is_empty(), "not_ready": event.not_ready})
}

fn ip_lines(event: &IpEventShown) -> String {
    let words = match &event.stated {
        None => "(not shown)".to_owned(),
        Some(stated) => {
            let time = stated.time.clone().unwrap_or_else(|| "no time".to_owned());
            let port = stated.port.clone().unwrap_or_else(|| "not stated".to_owned());
            format!("{}  port {port}  \u{201c}{time}\u{201d}", stated.address)
        }
    };
    let when = event.when.as_ref().map_or_else(String::new, |when| format!("  = {when}"));
    let ready = if event.not_ready.is_empty() { "ready" } else { "NOT READY" };
    let mut text = format!("{:<6} {ready}  {words}{when}\n", event.id.to_string());
    for reason in &event.not_ready {
        text.push_str(&format!("       - {reason}\n"));
    }
    text
}

pub fn warrant(global: &Global, verb: &WarrantVerb, who: &Who) -> anyhow::Result<Outcome> {
    let about = |warrant: &str, mut fact: Value, officer: bool| -> anyhow::Result<Outcome> {
        let warrant: WarrantId = parse(warrant)?;
        let (done, shown) = at_desk(global, who, async |desk| {
            if officer {
                fact["officer"] = json!(desk.user());
            }
            let (investigation, done) = record_about(desk, "warrant", warrant, fact).await?;
            Ok((done, desk.warrants(investigation).await?.into_iter().find(|shown| shown.id == warrant)))
        })?;
        recorded(global, &done)?;
        if let Some(shown) = shown.filter(|_| !global.json && !global.quiet) {
            crate::output::remark(warrant_lines(&shown).trim_end());
        }
        Ok(Outcome::Finished)
    };
    match verb {
        WarrantVerb::Draft { investigation, again, power, grounds, rests_on, premises } => {
            let id: InvestigationId = parse(investigation)?;
            known_row(&load_law(global, who)?.powers, "power", power)?;
            let rests_on = rests_on.iter().map(|id| parse(id)).collect::<anyhow::Result<Vec<IpEventId>>>()?;
            let premises: Vec<Value> = premises.iter().map(|address| json!({"personal": address})).collect();
            let warrant = match again {
                Some(again) => json!(parse::<WarrantId>(again)?),
                None => json!({"new": "W"}),
            };
            let draft = json!({"event": "warrant", "investigation": id, "warrant": warrant, "fact": {
                "fact": "drafted", "power": power, "grounds": {"personal": grounds}, "rests_on": rests_on,
                "premises": premises}});
            let done = at_desk(global, who, async |desk| desk.record(&draft, None).await)?;
            recorded(global, &done)
        }
        WarrantVerb::Applied { warrant, court, at } => {
            about(warrant, json!({"fact": "applied", "when": when(at)?, "court": court}), false)
        }
        WarrantVerb::Issued { warrant, expires, at } => {
            let mut fact = json!({"fact": "issued", "when": when(at)?});
            if let Some(expires) = expires {
                fact["expires"] = json!(instant(expires)?);
            }
            about(warrant, fact, false)
        }
        WarrantVerb::Refused { warrant, reason, at } => {
            about(warrant, json!({"fact": "refused", "when": when(at)?, "reason": reason}), false)
        }
        WarrantVerb::Entered { warrant, premises, result, copy_left, at } => about(
            warrant,
            json!({"fact": "entered", "when": when(at)?, "premises": premises, "result": result, "copy_left": copy_left}),
            true,
        ),
        WarrantVerb::Returned { warrant, at } => about(warrant, json!({"fact": "returned", "when": when(at)?}), false),
        WarrantVerb::Withdraw { warrant, reason } => {
            about(warrant, json!({"fact": "withdrawn", "reason": reason}), false)
        }
        WarrantVerb::Proceed { warrant, reason } => about(warrant, json!({"fact": "proceed", "reason": reason}), false),
        WarrantVerb::List { investigation } => {
            let id: InvestigationId = parse(investigation)?;
            let warrants = at_desk(global, who, async |desk| desk.warrants(id).await)?;
            let json: Vec<_> = warrants.iter().map(warrant_json).collect();
            print(global, &json, || match warrants.is_empty() {
                true => "There is no warrant.".to_owned(),
                false => warrants.iter().map(warrant_lines).collect(),
            })
        }
    }
}

fn warrant_json(shown: &WarrantShown) -> Value {
    let (readiness, reasons) = match &shown.readiness {
        Readiness::Ready => ("ready", &[][..]),
        Readiness::NotReady(reasons) => ("not ready", reasons.as_slice()),
        Readiness::Proceeds { despite, .. } => ("proceeds by decision", despite.as_slice()),
    };
    json!({"warrant": shown.id, "status": shown.state.status(), "readiness": readiness, "reasons": reasons,
        "findings": shown.findings})
}

fn warrant_lines(shown: &WarrantShown) -> String {
    let power = shown.state.draft().map_or("", |(power, ..)| power);
    let mut text = format!("{}  {power}  {}  ", shown.id, shown.state.status());
    let reasons = match &shown.readiness {
        Readiness::Ready => {
            text.push_str("ready\n");
            &[][..]
        }
        Readiness::NotReady(reasons) => {
            text.push_str("NOT READY\n");
            reasons
        }
        Readiness::Proceeds { by, reason, despite } => {
            text.push_str(&format!("not ready; proceeds by decision of {by}: {reason}\n"));
            despite
        }
    };
    for line in shown.findings.iter().chain(reasons) {
        text.push_str(&format!("       - {line}\n"));
    }
    text
}
