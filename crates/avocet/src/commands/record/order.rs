//! `avocet order`

use avocet_record::desk::OrderShown;
use avocet_record::order::{Held, LineCheck, LineState, Seen};
use avocet_record::{ExaminationId, ExhibitId, InvestigationId, OrderId, PersonId, UserId};
use serde_json::{Value, json};

use super::{at_desk, instant, known_row, load_law, parse, print, record_about, recorded, when};
use crate::args::{Global, OrderVerb, SeenArg, Who};
use crate::{Outcome, Refusal, output};

pub fn run(global: &Global, verb: &OrderVerb, who: &Who) -> anyhow::Result<Outcome> {
    let about = |order: &str, fact: Value| about(global, who, order, fact, false);
    match verb {
        OrderVerb::Made { investigation, kind, court, until, line, words, subject, at } => {
            let id: InvestigationId = parse(investigation)?;
            let mut fact = json!({"fact": "made", "when": when(at)?, "kind": kind, "court": court});
            if let Some(until) = until {
                fact["until"] = json!(instant(until)?);
            }
            if let Some(subject) = subject {
                fact["subject"] = json!(parse::<PersonId>(subject)?);
            }
            let done = at_desk(global, who, async |desk| {
                fact["lines"] = json!(desk.draft_lines(kind, line, words)?);
                let order = json!({"new": OrderId::PREFIX});
                desk.record(&json!({"event": "order", "investigation": id, "order": order, "fact": fact}), None).await
            })?;
            recorded(global, &done)
        }
        OrderVerb::Varied { order, court, until, until_further_order, gone, line, words, at } => {
            let id: OrderId = parse(order)?;
            let until = until.as_deref().map(instant).transpose()?;
            let mut fact = json!({"fact": "varied", "when": when(at)?, "court": court});
            let done = at_desk(global, who, async |desk| {
                let (_, shown) = desk.order(id).await?;
                if let Some(until) = until.or_else(|| shown.state.until().filter(|_| !until_further_order)) {
                    fact["until"] = json!(until);
                }
                fact["lines"] = json!(desk.varied_lines(&shown.state, gone, line, words)?);
                Ok(record_about(desk, "order", id, fact).await?.1)
            })?;
            recorded(global, &done)
        }
        OrderVerb::Officer { order, user } => {
            about(order, json!({"fact": "officer_named", "officer": parse::<UserId>(user)?}))
        }
        OrderVerb::Level { order, level, reason } => {
            known_row(&load_law(global, who)?.visits, "level", level)?;
            let mut fact = json!({"fact": "level_stated", "level": level});
            if let Some(reason) = reason {
                fact["reason"] = json!({"personal": reason});
            }
            about(order, fact)
        }
        OrderVerb::Visited { order, seen, announced, check, note, at } => {
            let seen = match seen {
                SeenArg::Yes => Seen::Yes,
                SeenArg::NotThere => Seen::NotThere,
                SeenArg::Refused => Seen::Refused,
            };
            let lines = check.iter().map(|check| line_check(check)).collect::<anyhow::Result<Vec<_>>>()?;
            let mut fact = json!({"fact": "visited", "when": when(at)?, "announced": announced, "seen": seen,
                "lines": lines});
            if let Some(note) = note {
                fact["note"] = json!({"personal": note});
            }
            self::about(global, who, order, fact, true)
        }
        OrderVerb::Notified { order, line, change, at } => {
            let mut fact = json!({"fact": "notified", "when": when(at)?, "line": line});
            if let Some(change) = change {
                fact["change"] = json!(instant(change)?);
            }
            about(order, fact)
        }
        OrderVerb::Check { order, exhibit, examination, previous, at } => {
            let (order, exhibit, at): (OrderId, ExhibitId, _) = (parse(order)?, parse(exhibit)?, when(at)?);
            let examination: ExaminationId = parse(examination)?;
            let previous = previous.as_deref().map(parse::<ExaminationId>).transpose()?;
            let (seq, found) =
                at_desk(global, who, async |desk| desk.check_device(order, exhibit, examination, previous, at).await)?;
            let json = json!({"entry": seq, "previous": found.previous, "same": found.same, "new": found.new,
                "gone": found.gone});
            print(global, &json, || {
                let Some(previous) = found.previous else {
                    return format!(
                        "Recorded as entry {seq}. This is the first check of {exhibit}: {} to compare with next time.",
                        avocet_base::plural(found.new.len() as u64, "picture or video", "pictures and videos")
                    );
                };
                let mut text = format!(
                    "Recorded as entry {seq}. Compared with {previous}: {} there both times, {} new, {} gone.\n",
                    found.same,
                    found.new.len(),
                    found.gone.len()
                );
                text.extend(found.new.iter().map(|sha256| format!("  new   {sha256}\n")));
                text.extend(found.gone.iter().map(|sha256| format!("  gone  {sha256}\n")));
                text
            })
        }
        OrderVerb::Breached { order, line, what, action, at } => {
            let mut fact = json!({"fact": "breached", "when": when(at)?, "what": {"personal": what}, "action": action});
            if let Some(line) = line {
                fact["line"] = json!(line);
            }
            about(order, fact)
        }
        OrderVerb::Settled { order, breach, result, at } => {
            about(order, json!({"fact": "breach_settled", "when": when(at)?, "breach": breach, "result": result}))
        }
        OrderVerb::Ended { order, reason, at } => {
            about(order, json!({"fact": "ended", "when": when(at)?, "reason": reason}))
        }
        OrderVerb::Correct { order, entry, reason } => {
            about(order, json!({"fact": "corrected", "wrong": entry, "reason": reason}))
        }
        OrderVerb::List { investigation } => {
            let id: InvestigationId = parse(investigation)?;
            let orders = at_desk(global, who, async |desk| desk.orders(id).await)?;
            let json: Vec<_> = orders.iter().map(as_json).collect();
            print(global, &json, || match orders.is_empty() {
                true => "There is no order.".to_owned(),
                false => orders.iter().map(lines).collect(),
            })
        }
    }
}

fn about(global: &Global, who: &Who, order: &str, mut fact: Value, officer: bool) -> anyhow::Result<Outcome> {
    let id: OrderId = parse(order)?;
    let (done, (_, shown)) = at_desk(global, who, async |desk| {
        if officer {
            fact["officer"] = json!(desk.user());
        }
        let (_, done) = record_about(desk, "order", id, fact).await?;
        Ok((done, desk.order(id).await?))
    })?;
    recorded(global, &done)?;
    if !global.json && !global.quiet {
        output::remark(lines(&shown).trim_end());
    }
    Ok(Outcome::Finished)
}

fn line_check(text: &str) -> anyhow::Result<LineCheck> {
    let refused = || Refusal(format!("{text} says nothing of a line: write LINE=kept, LINE=broken or LINE=unclear"));
    let (line, held) = text.split_once('=').ok_or_else(refused)?;
    let held = match held {
        "kept" => Held::Kept,
        "broken" => Held::Broken,
        "unclear" => Held::Unclear,
        _ => return Err(refused().into()),
    };
    Ok(LineCheck { line: line.parse().map_err(|_| refused())?, held })
}

fn as_json(shown: &OrderShown) -> Value {
    let due: Vec<_> = shown
        .due
        .iter()
        .map(|due| json!({"late_from": due.late_from.to_string(), "what": due.what, "late": due.late}))
        .collect();
    let lines: Vec<_> = shown
        .state
        .lines()
        .into_iter()
        .map(|l| {
            json!({"line": l.line.line, "row": l.line.row, "words": shown.words.get(&l.line.line), "found": l.checked.map(|(_, _, held)| held),
                "checked": l.checked.map(|(_, when, _)| when.to_string()),
                "notified": l.notified.map(|when| when.to_string())})
        })
        .collect();
    json!({"order": shown.id, "kind": shown.state.kind(), "subject": shown.state.subject(),
        "officer": shown.state.officer(), "level": shown.state.level(), "due": due, "lines": lines,
        "until": shown.state.until().map(|at| at.to_string()),
        "ended": shown.state.ended().map(|(when, _)| when.to_string()), "findings": shown.findings})
}

fn lines(shown: &OrderShown) -> String {
    let kind = shown.state.kind().unwrap_or("?");
    let officer = shown.state.officer().map_or_else(|| "nobody".to_owned(), |officer| officer.to_string());
    let end = match (shown.state.ended(), shown.state.until()) {
        (Some((when, reason)), _) => format!("ended {when:.0}: {reason}"),
        (None, Some(until)) => format!("until {until:.0}"),
        (None, None) => "until further order".to_owned(),
    };
    let mut text = format!("{}  {kind}  {end}  managed by {officer}\n", shown.id);
    for due in &shown.due {
        let late = if due.late { "LATE since" } else { "before" };
        text.push_str(&format!("       {late} {:.0}: {}\n", due.late_from, due.what));
    }
    for finding in &shown.findings {
        text.push_str(&format!("       - {finding}\n"));
    }
    for LineState { line, checked, notified } in shown.state.lines() {
        let words = || shown.words.get(&line.line).map_or("in the order's own words", String::as_str).to_owned();
        let what = line.row.unwrap_or_else(words);
        let checked =
            checked.map_or_else(|| "not looked at".to_owned(), |(_, when, held)| format!("{held} on {when:.0}"));
        let notified = notified.map_or_else(String::new, |when| format!(", notified {when:.0}"));
        text.push_str(&format!("       line {}  {what}: {checked}{notified}\n", line.line));
    }
    text
}
