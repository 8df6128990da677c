//! From what a form says to the fact that is recorded.

use avocet_record::desk::Desk;
use avocet_record::exhibit::Holder;
use avocet_record::{CustodyId, ExhibitId, RecordError, SafeguardingId};
use serde_json::{Map, Value, json};

use super::fields::standing_lines;
use super::{Act, Field, Fill, From, Kind, Of};
use crate::fault::{Fault, upper};
use crate::form::{Form, Wrong, instant};
use crate::route::Ctx;

/// The fact, or what is wrong with the form.
pub async fn of(act: &Act, ctx: &Ctx, desk: &Desk<'_>, wrong: &mut Wrong) -> Result<Option<Value>, Fault> {
    let mut fact = Map::new();
    fact.insert("fact".to_owned(), json!(act.fact));
    for field in act.fields {
        if let Some(value) = answer(field, &ctx.form, wrong)
            && !field.loose
        {
            fact.insert(field.name.to_owned(), value);
        }
    }
    fill(act.fill, ctx, desk, &mut fact, wrong).await?;
    match wrong.is_none() {
        true => Ok(Some(around(act.of, ctx, desk, fact, wrong).await?).filter(|_| wrong.is_none())),
        false => Ok(None),
    }
}

fn answer(field: &Field, form: &Form, wrong: &mut Wrong) -> Option<Value> {
    let text = form.text(field.name);
    if field.kind == Kind::Confirm {
        return Some(json!(text.is_some()));
    }
    if field.kind == Kind::Digest {
        if let Some(bytes) = form.file(field.name) {
            return Some(json!(avocet_record::digest(bytes)));
        }
    } else if let Some(text) = text {
        return match field.kind {
            Kind::Time | Kind::OtherTime => match instant(text) {
                Ok(at) => Some(json!(at)),
                Err(why) => {
                    wrong.add(field.name, why);
                    None
                }
            },
            Kind::Number => match text.parse::<u64>() {
                Ok(number) => Some(json!(number)),
                Err(_) => {
                    wrong.add(field.name, "Enter a whole number");
                    None
                }
            },
            Kind::Numbers => match lines(text).map(str::parse::<u64>).collect::<Result<Vec<_>, _>>() {
                Ok(numbers) => Some(json!(numbers)),
                Err(_) => {
                    wrong.add(field.name, "Enter whole numbers, one a line");
                    None
                }
            },
            Kind::YesNo => Some(json!(text == "true")),
            Kind::Personal | Kind::PersonalArea => Some(json!({ "personal": text })),
            Kind::PersonalLines => Some(lines(text).map(|line| json!({ "personal": line })).collect()),
            Kind::Lines => Some(lines(text).collect()),
            Kind::Several(_) => Some(json!(form.texts(field.name))),
            // Numbers of charges and lines are numbers.
            Kind::Pick(From::Charges | From::OrderLines) | Kind::Choose(From::Charges) => {
                text.parse::<u64>().ok().map(|n| json!(n))
            }
            _ => Some(json!(text)),
        };
    }
    if field.need {
        let verb = match field.kind {
            Kind::Pick(_) | Kind::Choose(_) | Kind::Several(_) | Kind::YesNo | Kind::Digest => "Choose",
            _ => "Enter",
        };
        let mut label = field.label.chars();
        let label = label.next().map_or_else(String::new, |first| first.to_lowercase().chain(label).collect());
        wrong.add(field.name, format!("{verb}: {label}"));
    }
    None
}

/// A line of a schedule: `A, still, E-1, 12, yes, 2024-01-03..2024-05-01`; `-` for no category or no device, the days may
/// be left out.
fn schedule_line(line: &str) -> Result<Value, &'static str> {
    let parts: Vec<&str> = line.split(',').map(str::trim).collect();
    let (category, medium, device, count, accessible, days) = match parts.as_slice() {
        [category, medium, device, count, accessible] => (*category, *medium, *device, *count, *accessible, None),
        [category, medium, device, count, accessible, days] => {
            (*category, *medium, *device, *count, *accessible, Some(*days))
        }
        _ => return Err("it has not five or six parts with commas between them"),
    };
    let mut read = Map::new();
    if category != "-" {
        read.insert("category".to_owned(), json!(category));
    }
    if !matches!(medium, "still" | "moving") {
        return Err("the second part is neither still nor moving");
    }
    read.insert("medium".to_owned(), json!(medium));
    if device != "-" {
        let device: ExhibitId = device.parse().map_err(|_| "the third part is no exhibit, such as E-1, and not -")?;
        read.insert("exhibit".to_owned(), json!(device));
    }
    let count: u64 = count.parse().map_err(|_| "the fourth part is no whole number")?;
    read.insert("count".to_owned(), json!(count));
    let accessible = if accessible == "unknown" { "not_stated" } else { accessible };
    if !matches!(accessible, "yes" | "no" | "not_stated") {
        return Err("the fifth part says whether the user could get at them: yes, no or unknown");
    }
    read.insert("accessible".to_owned(), json!(accessible));
    if let Some(days) = days {
        let wrong = "the last part is no range of days, such as 2024-01-03..2024-05-01";
        let (from, to) = days.split_once("..").ok_or(wrong)?;
        for (name, day) in [("from", from), ("to", to)] {
            let day: avocet_record::Day = day.parse().map_err(|_| wrong)?;
            read.insert(name.to_owned(), json!(day));
        }
    }
    Ok(Value::Object(read))
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

/// The usual lines that the form names, without those of other kinds of order.
fn rows_of(form: &Form, desk: &Desk<'_>, kind: &str) -> Vec<String> {
    let of = |row: &&str| desk.law().order_lines.row(row).is_some_and(|row| row.value.order == kind);
    form.texts("rows").into_iter().filter(of).map(str::to_owned).collect()
}

async fn fill(
    fill: Fill,
    ctx: &Ctx,
    desk: &Desk<'_>,
    fact: &mut Map<String, Value>,
    wrong: &mut Wrong,
) -> Result<(), Fault> {
    let form = &ctx.form;
    let mut put = |name: &str, value: Value| fact.insert(name.to_owned(), value);
    match fill {
        Fill::Nothing => {}
        Fill::Officer => {
            put("officer", json!(desk.user()));
        }
        Fill::Taken => {
            if form.text("officer").is_none() {
                put("officer", json!(desk.user()));
            }
            let serials: Vec<Value> = lines(form.text("numbers").unwrap_or_default())
                .filter_map(|line| match line.split_once([':', '=']) {
                    Some((kind, value)) => Some(json!({"kind": kind.trim(), "value": value.trim()})),
                    None => {
                        wrong.add("numbers", "Write each number as what it is, a colon, and the number");
                        None
                    }
                })
                .collect();
            put("serials", json!(serials));
            if form.text("reference").is_some_and(|text| text.parse::<avocet_base::ExhibitRef>().is_err()) {
                wrong.add("reference", "A reference is initials and a number, such as JC/1");
            }
            match form.text("source") {
                Some("warrant") => match form.text("warrant") {
                    Some(warrant) => drop(put("source", json!({"kind": "warrant", "warrant": warrant}))),
                    None => wrong.add("warrant", "Choose the warrant"),
                },
                Some("power") => match form.text("power") {
                    Some(power) => drop(put("source", json!({"kind": "power", "power": power}))),
                    None => wrong.add("power", "Choose the power"),
                },
                Some("agreement") => match (form.text("giver"), form.text("scope")) {
                    (Some(giver), Some(scope)) => {
                        put("source", json!({"kind": "agreement", "giver": giver, "scope": scope}));
                    }
                    (None, _) => wrong.add("giver", "Choose who agreed"),
                    (_, None) => wrong.add("scope", "Enter what they agreed to"),
                },
                Some("of_parent") => match form.text("parent") {
                    Some(_) => drop(put("source", json!({"kind": "of_parent"}))),
                    None => wrong.add("parent", "Choose the exhibit that it is a part of"),
                },
                _ => {}
            }
        }
        Fill::HandOver => {
            let to = match (form.text("to"), form.text("user"), form.text("name")) {
                (Some("officer"), Some(user), _) => Some(json!({"kind": "officer", "user": user})),
                (Some("officer"), None, _) => {
                    wrong.add("user", "Choose the person");
                    None
                }
                (Some("place"), _, Some(place)) => Some(json!({"kind": "place", "place": place})),
                (Some("outside"), _, Some(body)) => Some(json!({"kind": "outside", "body": body})),
                (Some(_), _, None) => {
                    wrong.add("name", "Enter the name of the store or the body");
                    None
                }
                _ => None,
            };
            if let Some(to) = to {
                put("to", to);
            }
            let exhibit: ExhibitId = ctx.id("thing")?;
            let holder = desk.exhibit(exhibit).await?.state.holder();
            put("from", json!(holder.unwrap_or(Holder::Officer { user: desk.user() })));
        }
        Fill::Answer => {
            let mut answer = Map::new();
            for name in ["address", "time", "port", "subscriber"] {
                if let Some(text) = form.text(name) {
                    answer.insert(name.to_owned(), json!(text));
                }
            }
            put("answer", json!({ "personal": answer }));
        }
        Fill::Tool => match (form.text("tool"), form.text("version")) {
            (Some(name), Some(version)) => drop(put("tool", json!({"name": name, "version": version}))),
            (None, None) => {}
            (Some(_), None) => wrong.add("version", "Enter the version of the tool"),
            (None, Some(_)) => wrong.add("tool", "Enter the tool"),
        },
        Fill::Schedule => {
            let mut read = vec![];
            for line in lines(form.text("counts").unwrap_or_default()) {
                match schedule_line(line) {
                    Ok(line) => read.push(line),
                    Err(why) => wrong.add("counts", format!("{line}: {why}")),
                }
            }
            put("lines", json!(read));
        }
        Fill::Visit => {
            put("officer", json!(desk.user()));
            let lines = standing_lines(ctx, desk).await?;
            let found = lines.iter().filter_map(|(line, _)| {
                let held = form.text(&format!("line-{line}"))?;
                Some(json!({"line": line.parse::<u32>().unwrap_or_default(), "held": held}))
            });
            put("lines", found.collect());
        }
        Fill::Varied => {
            let (_, shown) = desk.order(ctx.id("thing")?).await?;
            let before = shown.state.until();
            match (form.text("end"), form.text("until").map(instant)) {
                (Some("before"), _) => drop(before.map(|until| put("until", json!(until)))),
                (Some("until"), Some(Ok(until))) => drop(put("until", json!(until))),
                (Some("until"), None) => wrong.add("until", "Enter when it ends"),
                _ => {}
            }
            let gone: Vec<u32> = form.texts("gone").into_iter().filter_map(|line| line.parse().ok()).collect();
            let words: Vec<String> = lines(form.text("words").unwrap_or_default()).map(str::to_owned).collect();
            let rows = rows_of(form, desk, shown.state.kind().unwrap_or_default());
            match desk.varied_lines(&shown.state, &gone, &rows, &words) {
                Ok(lines) => drop(put("lines", json!(lines))),
                Err(RecordError::Refused(why)) => wrong.add("", upper(&why)),
                Err(other) => return Err(other.into()),
            }
        }
        Fill::OrderLines => {
            let words: Vec<String> = lines(form.text("words").unwrap_or_default()).map(str::to_owned).collect();
            if let Some(kind) = form.text("kind") {
                put("lines", json!(desk.draft_lines(kind, &rows_of(form, desk, kind), &words)?));
            }
        }
    }
    Ok(())
}

/// The event around a fact.
async fn around(
    of: Of,
    ctx: &Ctx,
    desk: &Desk<'_>,
    mut fact: Map<String, Value>,
    wrong: &mut Wrong,
) -> Result<Value, Fault> {
    let investigation = ctx.investigation()?;
    let thing = ctx.raw("thing").unwrap_or_default();
    Ok(match of {
        Of::Risk => {
            fact.insert("investigation".to_owned(), json!(investigation));
            json!({"event": "risk", "fact": fact})
        }
        Of::New(event, prefix) => {
            json!({"event": event, "investigation": investigation, event: {"new": prefix}, "fact": fact})
        }
        Of::Thing(event) => json!({"event": event, "investigation": investigation, event: thing, "fact": fact}),
        Of::Child(event) => json!({"event": event, "investigation": investigation, "child": thing, "fact": fact}),
        Of::Welfare => json!({"event": "welfare", "investigation": investigation, "person": thing, "fact": fact}),
        Of::NewCustody => json!({"event": "custody", "investigation": investigation, "custody": {"new": "C"},
            "suspect": thing, "fact": fact}),
        Of::Custody => {
            let id: CustodyId = ctx.id("thing")?;
            let (_, suspect) = desk.suspect_of(id).await?;
            json!({"event": "custody", "investigation": investigation, "custody": id, "suspect": suspect, "fact": fact})
        }
        Of::NewLine => {
            let child = ctx.form.text("child").unwrap_or_default();
            if child.parse::<avocet_record::PersonId>().is_err() {
                wrong.add("child", "Enter the number of the child’s record, such as P-3");
            }
            json!({"event": "safeguarding", "investigation": investigation, "safeguarding": {"new": "S"},
                "subject": {"of": "child", "child": child}, "fact": fact})
        }
        Of::NewLineOfWork => {
            let work: u32 = ctx.form.text("work").and_then(|work| work.parse().ok()).unwrap_or(0);
            json!({"event": "safeguarding", "investigation": investigation, "safeguarding": {"new": "S"},
                "subject": {"of": "work", "person": thing, "work": work}, "fact": fact})
        }
        Of::Line => {
            let id: SafeguardingId = ctx.id("line")?;
            let (of, subject) = desk.line(id).await?;
            if of != investigation {
                return Err(Fault::Nothing);
            }
            json!({"event": "safeguarding", "investigation": investigation, "safeguarding": id, "subject": subject,
                "fact": fact})
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_a_schedule_is_read_whole_or_refused_with_its_part() {
        let read = schedule_line("A, still, E-1, 12, yes, 2024-01-03..2024-05-01").unwrap();
        let wanted = json!({"category": "A", "medium": "still", "exhibit": "E-1", "count": 12, "accessible": "yes",
            "from": "2024-01-03", "to": "2024-05-01"});
        assert_eq!(read, wanted);
        assert_eq!(
            schedule_line("-,moving,-,3,no").unwrap(),
            json!({"medium": "moving", "count": 3, "accessible": "no"})
        );
        for (line, part) in [
            ("A, still, E-1, 12", "five or six"),
            ("A, film, E-1, 12, yes", "second"),
            ("A, still, I-1, 12, yes", "third"),
            ("A, still, E-1, twelve, yes", "fourth"),
            ("A, still, E-1, 12, perhaps", "fifth"),
            ("A, still, E-1, 12, yes, 2024", "last"),
            ("A, still, E-1, 12, yes, 2024-01-03..2024-02-30", "last"),
        ] {
            assert!(schedule_line(line).unwrap_err().contains(part), "{line}");
        }
    }
}
