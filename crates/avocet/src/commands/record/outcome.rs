//! `avocet outcome`

use avocet_record::desk::{OutcomeShown, Settled};
use avocet_record::outcome::{Accessible, DeviceDecision, Medium, ScheduleLine};
use avocet_record::{Day, ExhibitId, InvestigationId, OutcomeId, PersonId};
use serde_json::{Value, json};

use super::{at_desk, instant, known_row, load_law, parse, print, record_about, recorded, when};
use crate::args::{DecisionArg, Global, OutcomeVerb, Who};
use crate::{Outcome, Refusal, output};

pub fn run(global: &Global, verb: &OutcomeVerb, who: &Who) -> anyhow::Result<Outcome> {
    match verb {
        OutcomeVerb::Charge { investigation, outcome, charge, offence, decided_by, suspect, at } => {
            known_row(&load_law(global, who)?.offences, "offence", offence)?;
            let mut fact = json!({"fact": "charged", "when": when(at)?, "charge": charge, "offence": offence,
                "decided_by": decided_by});
            if let Some(suspect) = suspect {
                fact["suspect"] = json!(parse::<PersonId>(suspect)?);
            }
            in_investigation(global, who, investigation, outcome.as_deref(), fact)
        }
        OutcomeVerb::Dispose { investigation, outcome, charge, disposal, authority, suspect, note, at } => {
            known_row(&load_law(global, who)?.disposals, "disposal", disposal)?;
            let mut fact = json!({"fact": "disposed", "when": when(at)?, "disposal": disposal, "authority": authority});
            if let Some(charge) = charge {
                fact["charge"] = json!(charge);
            }
            if let Some(suspect) = suspect {
                fact["suspect"] = json!(parse::<PersonId>(suspect)?);
            }
            if let Some(note) = note {
                fact["note"] = json!({"personal": note});
            }
            in_investigation(global, who, investigation, outcome.as_deref(), fact)
        }
        OutcomeVerb::Counts { investigation } => counts(global, who, investigation),
        OutcomeVerb::Schedule { outcome, charge, line } => {
            let lines = line.iter().map(|line| schedule_line(line)).collect::<anyhow::Result<Vec<_>>>()?;
            about(global, who, outcome, json!({"fact": "scheduled", "charge": charge, "lines": lines}))
        }
        OutcomeVerb::EndCharge { outcome, charge, reason, at } => {
            let fact = json!({"fact": "charge_ended", "when": when(at)?, "charge": charge, "reason": reason});
            about(global, who, outcome, fact)
        }
        OutcomeVerb::Device { outcome, exhibit, decision, authority, not_before, at } => {
            let decision = match decision {
                DecisionArg::Deprive => DeviceDecision::Deprive,
                DecisionArg::Destroy => DeviceDecision::Destroy,
                DecisionArg::Release => DeviceDecision::Release,
            };
            let mut fact = json!({"fact": "device_decided", "when": when(at)?, "exhibit": parse::<ExhibitId>(exhibit)?,
                "decision": decision, "authority": authority});
            if let Some(not_before) = not_before {
                fact["not_before"] = json!(instant(not_before)?);
            }
            about(global, who, outcome, fact)
        }
        OutcomeVerb::Correct { outcome, entry, reason } => {
            about(global, who, outcome, json!({"fact": "corrected", "wrong": entry, "reason": reason}))
        }
        OutcomeVerb::List { investigation } => {
            let id: InvestigationId = parse(investigation)?;
            let outcomes = at_desk(global, who, async |desk| desk.outcomes(id).await)?;
            let json: Vec<_> = outcomes.iter().map(as_json).collect();
            print(global, &json, || match outcomes.is_empty() {
                true => "There is no outcome.".to_owned(),
                false => outcomes.iter().map(lines).collect(),
            })
        }
    }
}

fn in_investigation(
    global: &Global,
    who: &Who,
    investigation: &str,
    outcome: Option<&str>,
    fact: Value,
) -> anyhow::Result<Outcome> {
    let id: InvestigationId = parse(investigation)?;
    let outcome = match outcome {
        Some(outcome) => json!(parse::<OutcomeId>(outcome)?),
        None => json!({"new": OutcomeId::PREFIX}),
    };
    let draft = json!({"event": "outcome", "investigation": id, "outcome": outcome, "fact": fact});
    recorded(global, &at_desk(global, who, async |desk| desk.record(&draft, None).await)?)
}

fn about(global: &Global, who: &Who, outcome: &str, fact: Value) -> anyhow::Result<Outcome> {
    let id: OutcomeId = parse(outcome)?;
    let (done, shown) = at_desk(global, who, async |desk| {
        let (investigation, done) = record_about(desk, "outcome", id, fact).await?;
        Ok((done, desk.outcomes(investigation).await?.into_iter().find(|shown| shown.id == id)))
    })?;
    recorded(global, &done)?;
    if let Some(shown) = shown.filter(|_| !global.json && !global.quiet) {
        output::remark(lines(&shown).trim_end());
    }
    Ok(Outcome::Finished)
}

/// `A,still,E-1,12,yes,2024-01-03..2024-05-01`
fn schedule_line(text: &str) -> anyhow::Result<ScheduleLine> {
    let refused = |what: &str| {
        Refusal(format!(
            "{text}: {what}; write CATEGORY,still|moving,DEVICE,COUNT,ACCESSIBLE[,FROM..TO] such as \
             A,still,E-1,12,yes,2024-01-03..2024-05-01"
        ))
    };
    let parts: Vec<&str> = text.split(',').collect();
    let (category, medium, device, count, accessible, range) = match parts.as_slice() {
        [category, medium, device, count, accessible] => (*category, *medium, *device, *count, *accessible, None),
        [category, medium, device, count, accessible, range] => {
            (*category, *medium, *device, *count, *accessible, Some(*range))
        }
        _ => return Err(refused("it has not five or six parts").into()),
    };
    let stated = |text: &'_ str| Some(text.to_owned()).filter(|text| text != "-");
    let days = |range: &str| -> anyhow::Result<(Day, Day)> {
        let (from, to) = range.split_once("..").ok_or_else(|| refused("the range of dates has no .. in it"))?;
        Ok((parse(from)?, parse(to)?))
    };
    let range = range.map(days).transpose()?;
    Ok(ScheduleLine {
        category: stated(category).map(|category| parse(&category)).transpose()?,
        medium: match medium {
            "still" => Medium::Still,
            "moving" => Medium::Moving,
            _ => return Err(refused("it is neither still nor moving").into()),
        },
        exhibit: stated(device).map(|device| parse(&device)).transpose()?,
        from: range.map(|(from, _)| from),
        to: range.map(|(_, to)| to),
        accessible: match accessible {
            "yes" => Accessible::Yes,
            "no" => Accessible::No,
            "-" => Accessible::NotStated,
            _ => return Err(refused("ACCESSIBLE is yes, no or -").into()),
        },
        count: count.parse().map_err(|_| refused("COUNT is no number"))?,
    })
}

fn counts(global: &Global, who: &Who, investigation: &str) -> anyhow::Result<Outcome> {
    let id: InvestigationId = parse(investigation)?;
    let (settled, open) = at_desk(global, who, async |desk| desk.settled_counts(id).await)?;
    let line = |s: &Settled| format!("{},{},{},{},-", s.category, s.medium, s.exhibit, s.count);
    let json = json!({"not_settled": open, "lines": settled.iter().map(line).collect::<Vec<_>>()});
    print(global, &json, || {
        let mut text = match open {
            0 => String::new(),
            n => format!("{} not settled and not counted.\n", avocet_base::plural(n, "content is", "contents are")),
        };
        for settled in &settled {
            text.push_str(&format!("--line {}\n", line(settled)));
        }
        if settled.is_empty() {
            text.push_str("No category is settled yet.\n");
        } else {
            text.push_str("Put yes or no for the last -, where the user could or could not get at the files.\n");
        }
        text
    })
}

fn as_json(shown: &OutcomeShown) -> Value {
    let charges: Vec<_> = shown
        .state
        .charges()
        .into_iter()
        .map(|c| {
            json!({"charge": c.number, "entry": c.seq, "when": c.when.to_string(), "offence": c.offence,
                "decided_by": c.decided_by, "schedule": c.schedule.map(|(_, lines)| lines),
                "ended": c.ended.map(|(when, reason)| json!({"when": when.to_string(), "reason": reason})),
                "disposals": c.disposals})
        })
        .collect();
    let totals: Vec<_> = shown
        .state
        .totals()
        .into_iter()
        .map(|((category, medium, accessible), count)| {
            json!({"category": category, "medium": medium, "accessible": accessible, "count": count})
        })
        .collect();
    let devices: Vec<_> = shown
        .state
        .devices()
        .into_iter()
        .map(|(exhibit, d)| json!({"exhibit": exhibit, "decision": d.decision, "authority": d.authority}))
        .collect();
    json!({"outcome": shown.id, "suspect": shown.state.suspect(), "final": shown.state.is_final(), "charges": charges,
        "totals": totals, "devices": devices, "findings": shown.findings})
}

fn lines(shown: &OutcomeShown) -> String {
    let suspect = shown.state.suspect().map_or_else(String::new, |id| format!("  {id}"));
    let end = if shown.state.is_final() { "ended" } else { "open" };
    let mut text = format!("{}{suspect}  {end}\n", shown.id);
    for finding in &shown.findings {
        text.push_str(&format!("       - {finding}\n"));
    }
    for charge in shown.state.charges() {
        let ended = charge.ended.map_or_else(String::new, |(when, reason)| format!("  given up {when:.0}: {reason}"));
        let disposals =
            if charge.disposals.is_empty() { String::new() } else { format!("  {}", charge.disposals.join(", ")) };
        text.push_str(&format!(
            "       charge {}  {}  {:.0}{ended}{disposals}\n",
            charge.number, charge.offence, charge.when
        ));
    }
    for ((category, medium, accessible), count) in shown.state.totals() {
        let category = category.map_or_else(|| "no category".to_owned(), |category| format!("category {category}"));
        text.push_str(&format!("       {count:>7}  {category}, {medium}, {accessible}\n"));
    }
    for (exhibit, device) in shown.state.devices() {
        text.push_str(&format!("       {exhibit}  {} ({})\n", device.decision, device.authority));
    }
    text
}
