//! A fictional year of a team's record, from a fixed seed: referrals, investigations, warrants, devices, people, children
//! made safe, arrests, charges. Nobody in it exists, children are "Child 3", and no harm is described.

use std::collections::{BTreeMap, VecDeque};

use avocet_record::desk::{Desk, Incoming, Opening};
use avocet_record::law::Law;
use avocet_record::store::Store;
use avocet_record::{At, Day, InvestigationId, RecordError, ReferralId, Result, UserId};
use serde_json::{Value, json};

/// The first day on which anything happens; the published year begins three months later.
const FIRST_DAY: &str = "2025-03-03";
/// The last day.
const LAST_DAY: &str = "2026-05-31";
/// The year that the figures of the demo are for.
pub const YEAR: (&str, &str) = ("2025-06-01", "2026-05-31");
/// Password of everybody in the demo: nothing in it is worth protecting.
pub const PASSWORD: &str = "a fictional team";

const HOUR: i64 = 3_600_000_000_000;
const MINUTE: i64 = HOUR / 60;

/// How many things a team of this size does. The numbers have the shape of the year that one force published: about 204
/// warrants, 84 arrests, more than 1,400 devices and 210 children.
const REFERRALS_A_DAY: u64 = 8;
const WARRANTS: u64 = 204;
const WARRANTS_BEFORE: u64 = 30;
const ARRESTS: u64 = 84;
const INTERVIEWS: u64 = 96;
const CHILDREN: u64 = 210;
const ONLY_SENT: u64 = 26;
const DUPLICATES: u64 = 14;
const UNIDENTIFIED: u64 = 24;

const KINDS: [(&str, u64); 10] = [
    ("phone", 34),
    ("laptop", 17),
    ("USB stick", 14),
    ("tablet", 11),
    ("hard disk", 10),
    ("memory card", 7),
    ("desktop", 4),
    ("games console", 2),
    ("camera", 1),
    ("network store", 1),
];

/// Numbers from a seed, the same on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next().checked_rem(n).unwrap_or(0)
    }

    fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most - least + 1)
    }

    fn kind(&mut self) -> &'static str {
        let mut at = self.below(KINDS.iter().map(|(_, weight)| weight).sum());
        for (kind, weight) in KINDS {
            if at < weight {
                return kind;
            }
            at -= weight;
        }
        "phone"
    }
}

/// What is going to be recorded, by day, in order.
#[derive(Default)]
struct Plan {
    drafts: BTreeMap<Day, Vec<Value>>,
    openings: BTreeMap<Day, Vec<u64>>,
}

impl Plan {
    /// Puts a draft on the day of an instant. Names such as `@E:7` stand for things until they have their numbers.
    fn add(&mut self, when: At, draft: Value) {
        self.drafts.entry(Day::of(when)).or_default().push(draft);
    }
}

fn day(text: &str) -> Result<Day> {
    text.parse().map_err(|e: avocet_record::DayError| RecordError::Refused(e.to_string()))
}

fn later(at: At, hours: u64) -> At {
    At::from_ns(at.ns().saturating_add(i64::try_from(hours).unwrap_or(0).saturating_mul(HOUR)))
}

/// Makes the year in an empty store whose law is `law`: accounts `adm`, `sup`, `det`, `aud`. `told` is called once a month.
///
/// # Errors
/// [`RecordError`] where the store cannot be written.
pub async fn year(store: &Store, law: &Law, told: impl Fn(Day)) -> Result<()> {
    let (first, last) = (day(FIRST_DAY)?, day(LAST_DAY)?);
    store.set_clock(later(first.begin(), 7));
    Desk::first_account(store, "adm", PASSWORD).await?;
    let adm = Desk::sign_in(store, law, "adm", PASSWORD).await?;
    adm.add_account("sup", &["supervisor".to_owned()], None, PASSWORD).await?;
    adm.add_account("aud", &["auditor".to_owned()], None, PASSWORD).await?;
    let detective = adm.add_account("det", &["detective".to_owned()], None, PASSWORD).await?;
    let desk = Desk::sign_in(store, law, "sup", PASSWORD).await?;
    let mut random = Random(2025);
    let mut plan = plan(&mut random, detective)?;
    let mut numbers = Numbers::default();
    let mut waiting: VecDeque<(ReferralId, At)> = VecDeque::new();
    let mut today = first;
    let mut lead = 0u64;
    while today <= last {
        let morning = later(today.begin(), 8);
        store.set_clock(morning);
        let received = take_in(&desk, &mut random, morning, &mut lead).await?;
        waiting.extend(received);
        for warrant in plan.openings.remove(&today).unwrap_or_default() {
            open(&desk, &mut waiting, &mut numbers, Some(warrant), morning).await?;
        }
        // Most leads come to nothing more than an investigation that is opened and waits its turn.
        while waiting.len() > 140 {
            open(&desk, &mut waiting, &mut numbers, None, morning).await?;
        }
        // Recorded in the evening of the day on which it happened.
        store.set_clock(At::from_ns(today.plus(1).begin().ns().saturating_sub(1)));
        let mut drafts = plan.drafts.remove(&today).unwrap_or_default();
        drafts.iter_mut().for_each(|draft| numbers.fill(draft));
        let made = desk.record_all(&drafts).await?;
        numbers.check(made.iter().flat_map(|done| &done.made))?;
        if today.to_string().ends_with("-01") {
            told(today);
        }
        today = today.plus(1);
    }
    Ok(())
}

/// The leads of one day.
async fn take_in(desk: &Desk<'_>, random: &mut Random, morning: At, lead: &mut u64) -> Result<Vec<(ReferralId, At)>> {
    let mut texts = vec![];
    for _ in 0..random.between(REFERRALS_A_DAY - 3, REFERRALS_A_DAY + 3) {
        *lead += 1;
        let received = At::from_ns(morning.ns().saturating_sub(i64::try_from(random.below(420)).unwrap_or(0) * MINUTE));
        let text = format!(
            "<report><reportId>{lead}</reportId><espService>Example service</espService>\
             <espIdentifier>account-{}</espIdentifier><ipCaptureEvent><ipAddress>192.0.2.{}</ipAddress>\
             <dateTime>{received}</dateTime></ipCaptureEvent></report>",
            random.below(4000),
            random.below(250)
        );
        let source = match random.below(20) {
            0 => "public",
            1 => "partner-force",
            2 | 3 => "national-agency",
            _ => "ncmec-cybertip",
        };
        texts.push((text, source, received));
    }
    let incoming: Vec<Incoming<'_>> = texts
        .iter()
        .map(|(text, source, received)| Incoming { bytes: text.as_bytes(), format: None, source, received: *received })
        .collect();
    let taken = desk.receive_all(&incoming).await?;
    Ok(taken.into_iter().zip(texts).map(|((id, _), (_, _, received))| (id, received)).collect())
}

/// Opens an investigation on the leads that have waited longest: for a warrant of the plan, or without one.
async fn open(
    desk: &Desk<'_>,
    waiting: &mut VecDeque<(ReferralId, At)>,
    numbers: &mut Numbers,
    warrant: Option<u64>,
    morning: At,
) -> Result<()> {
    let referrals: Vec<(ReferralId, At)> = waiting.drain(..waiting.len().min(4)).collect();
    let received = referrals.iter().map(|(_, received)| *received).min().unwrap_or(morning);
    let owner = desk.user();
    let referrals = referrals.into_iter().map(|(id, _)| id).collect();
    let name = numbers.investigations + 1;
    let opening = Opening { title: format!("Operation {name}"), owner, received, referrals };
    let id = desk.open_investigation(opening).await?;
    numbers.investigations = id.number();
    if let Some(warrant) = warrant {
        numbers.of_warrant.insert(warrant, id);
    }
    Ok(())
}

/// The numbers that things have been given.
#[derive(Default)]
struct Numbers {
    investigations: u64,
    of_warrant: BTreeMap<u64, InvestigationId>,
    given: BTreeMap<String, String>,
    last: BTreeMap<String, u64>,
    expected: VecDeque<String>,
}

impl Numbers {
    /// Puts numbers for names: `@I:7` is the investigation of warrant 7; a name seen for the first time is a new thing.
    fn fill(&mut self, value: &mut Value) {
        match value {
            Value::String(text) => {
                let Some(name) = text.strip_prefix('@') else { return };
                let Some((prefix, number)) = name.split_once(':') else { return };
                if prefix == "I" {
                    let id = number.parse().ok().and_then(|number: u64| self.of_warrant.get(&number));
                    *value = json!(id);
                } else if let Some(id) = self.given.get(name) {
                    *value = json!(id);
                } else {
                    let last = self.last.entry(prefix.to_owned()).or_default();
                    *last += 1;
                    let id = format!("{prefix}-{last}");
                    self.given.insert(name.to_owned(), id.clone());
                    self.expected.push_back(id);
                    *value = json!({ "new": prefix });
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.fill(item)),
            Value::Object(map) => map.values_mut().for_each(|item| self.fill(item)),
            _ => {}
        }
    }

    /// The store gave the numbers that were put.
    fn check<'a>(&mut self, made: impl Iterator<Item = &'a String>) -> Result<()> {
        for id in made {
            if self.expected.pop_front().as_ref() != Some(id) {
                return Err(RecordError::Refused(format!("the store was not empty: {id} is not the number expected")));
            }
        }
        Ok(())
    }
}

/// What happens, from the seed alone.
fn plan(random: &mut Random, detective: UserId) -> Result<Plan> {
    let mut plan = Plan::default();
    let (year, end) = (day(YEAR.0)?, day(YEAR.1)?);
    let length = u64::try_from(year.until(end)).unwrap_or(0);
    let mut children = 0u64;
    let mut persons = 0u64;
    let (mut arrests, mut interviews, mut only_sent, mut unidentified) = (0, 0, 0, 0);
    let mut safe: Vec<(u64, u64, Day)> = vec![];
    for warrant in 0..WARRANTS + WARRANTS_BEFORE {
        let inside = warrant < WARRANTS;
        let executed = match inside {
            // Two at the edges of the year: half past midnight in London on its first day, a minute before its end.
            true if warrant == 0 => At::from_ns(year.begin().ns() + 30 * MINUTE),
            true if warrant == 1 => At::from_ns(end.plus(1).begin().ns() - MINUTE),
            true => later(year.plus(days(random.below(length))).begin(), 6 + random.below(3)),
            false => later(year.plus(-1 - days(random.below(60))).begin(), 7),
        };
        let opened = Day::of(executed).plus(-1 - days(random.below(20)));
        let opened = opened.max(day(FIRST_DAY)?.plus(2));
        plan.openings.entry(opened).or_default().push(warrant);
        let of = format!("@I:{warrant}");
        let morning = later(opened.begin(), 10);
        let level = ["very-high", "high", "high", "medium", "low"].get(usize::try_from(random.below(5)).unwrap_or(0));
        plan.add(morning, json!({"event": "risk", "fact": {"fact": "assessed", "investigation": of, "level": level}}));
        execute(&mut plan, random, warrant, executed, detective);

        // The suspect, and what was done.
        persons += 1;
        let suspect = format!("@P:{persons}");
        person(&mut plan, &of, &suspect, morning, "suspect", false, &format!("Suspect {persons}"));
        let custody = json!(format!("@C:{warrant}"));
        let begun = |fact: &str, when: At| {
            json!({"event": "custody", "investigation": of, "custody": custody, "suspect": suspect, "fact": {
                "fact": fact, "when": when, "officer": detective, "offences": ["pca-1978-s1"]}})
        };
        if inside && arrests < ARRESTS && (warrant % 7 < 3 || WARRANTS - warrant <= ARRESTS - arrests) {
            arrests += 1;
            plan.add(executed, begun("arrested", executed));
        } else if inside && interviews < INTERVIEWS {
            let held = later(executed, 30).min(At::from_ns(end.plus(1).begin().ns() - MINUTE));
            interviews += 1;
            plan.add(held, begun("attended", held));
        }

        // Children of this investigation.
        let wanted = match inside {
            true => u64::min(
                CHILDREN - children,
                [1, 0, 2, 1, 1].get(usize::try_from(warrant % 5).unwrap_or(0)).copied().unwrap_or(1),
            ),
            false => warrant % 2,
        };
        let last = inside && warrant + 1 == WARRANTS;
        for _ in 0..if last { CHILDREN - children } else { wanted } {
            persons += 1;
            let child = format!("@P:{persons}");
            person(&mut plan, &of, &child, morning, "child", false, &format!("Child {persons}"));
            let told = later(executed.min(later(morning, 24)), 1).max(morning);
            let first = match inside {
                true => told.max(later(year.begin(), 9)),
                false => told,
            };
            let bound = if inside { end } else { year.plus(-1) };
            let answered = later(first, random.below(60)).min(later(bound.begin(), 20)).max(first);
            line(&mut plan, &of, persons, &child, &[("sent", told), ("acknowledged", answered)]);
            if random.below(6) == 0 {
                let seen = later(answered, 20).min(later(bound.begin(), 21)).max(answered);
                line(&mut plan, &of, 10_000 + persons, &child, &[("acted", seen)]);
            }
            if inside {
                children += 1;
                safe.push((persons, warrant, Day::of(answered)));
            }
        }
        // Told of, and never answered: counted by nobody.
        if inside && only_sent < ONLY_SENT && warrant % 7 == 5 {
            only_sent += 1;
            persons += 1;
            let child = format!("@P:{persons}");
            person(&mut plan, &of, &child, morning, "child", false, &format!("Child {persons}"));
            line(&mut plan, &of, persons, &child, &[("sent", later(morning, 2))]);
        }
        // Seen in media by somebody, and without a name at first.
        if inside && unidentified < UNIDENTIFIED && warrant % 8 == 3 {
            unidentified += 1;
            persons += 1;
            let child = format!("@P:{persons}");
            let seen = later(executed, 5);
            person(&mut plan, &of, &child, seen, "child", true, &format!("Child {persons}"));
            if unidentified % 2 == 0 {
                let known = later(seen, 24 * random.between(2, 40)).min(later(end.begin(), 12)).max(seen);
                plan.add(
                    known,
                    json!({"event": "identification", "investigation": of, "child": child, "fact": {
                    "fact": "reached", "when": known, "step": "identified"}}),
                );
            }
        }
        result(&mut plan, random, warrant, executed, end, &suspect);
    }
    // The same child, met a second time in another investigation and safeguarded there too; found out a week later.
    for (number, (first, warrant, when)) in
        (0u64..).zip(safe.iter().take(usize::try_from(DUPLICATES).unwrap_or(0)).cloned())
    {
        let other = (warrant + 1) % WARRANTS;
        let found = plan.openings.iter().find(|(_, warrants)| warrants.contains(&other)).map(|(opened, _)| *opened);
        let met = later(found.unwrap_or(when).max(when).begin(), 14);
        let joined = later(met, 24 * 7 + number);
        if joined >= end.plus(1).begin() {
            continue;
        }
        persons += 1;
        let child = format!("@P:{persons}");
        let of = format!("@I:{other}");
        person(&mut plan, &of, &child, met, "child", false, &format!("Child {persons}"));
        line(&mut plan, &of, persons, &child, &[("sent", met), ("acknowledged", later(met, 1))]);
        plan.add(
            joined,
            json!({"event": "person", "investigation": of, "person": child, "fact": {
            "fact": "same_as", "other": format!("@P:{first}")}}),
        );
    }
    Ok(plan)
}

fn days(n: u64) -> i32 {
    i32::try_from(n).unwrap_or(0)
}

/// A warrant is drafted, issued and executed; devices are taken or left.
fn execute(plan: &mut Plan, random: &mut Random, warrant: u64, executed: At, officer: UserId) {
    let (of, id) = (format!("@I:{warrant}"), format!("@W:{warrant}"));
    let fact = |fact: Value| json!({"event": "warrant", "investigation": of, "warrant": id, "fact": fact});
    plan.add(
        executed,
        fact(json!({"fact": "drafted", "power": "pace-s8", "grounds": {"personal": "see the referral"},
        "premises": [{"personal": format!("Street {warrant}")}]})),
    );
    let before = later(executed, 0).ns().saturating_sub(20 * HOUR);
    plan.add(executed, fact(json!({"fact": "issued", "when": before, "expires": later(executed, 24 * 60)})));
    plan.add(
        executed,
        fact(json!({"fact": "entered", "when": executed, "premises": 1, "officer": officer,
        "result": "devices taken", "copy_left": true})),
    );
    plan.add(executed, fact(json!({"fact": "returned", "when": later(executed, 8)})));
    for number in 1..=random.between(3, 11) {
        let name = format!("@E:{warrant}.{number}");
        let taken = |kind: &str, place: String| {
            json!({"fact": "taken", "when": executed, "officer": officer, "reference": format!("AB/{warrant}{number:02}"),
                "kind": kind, "description": "as labelled", "place": place,
                "source": {"kind": "warrant", "warrant": id}})
        };
        let exhibit = |fact: Value| json!({"event": "exhibit", "investigation": of, "exhibit": name, "fact": fact});
        let kind = random.kind();
        plan.add(executed, exhibit(taken(kind, format!("room {number}"))));
        if kind == "phone" && number % 2 == 0 {
            let mut card = taken("SIM", "in the phone".to_owned());
            card["reference"] = json!(format!("AB/{warrant}{number:02}A"));
            card["parent"] = json!(name);
            card["source"] = json!({"kind": "of_parent"});
            plan.add(
                executed,
                json!({"event": "exhibit", "investigation": of, "exhibit": format!("{name}a"), "fact": card}),
            );
        }
        if random.below(3) > 0 {
            let when = later(executed, 24 * random.between(1, 120));
            plan.add(when, exhibit(json!({"fact": "examined", "when": when, "officer": officer, "what": "imaged"})));
        }
    }
    for number in 0..random.below(4) {
        let name = format!("@E:{warrant}.x{number}");
        plan.add(
            executed,
            json!({"event": "exhibit", "investigation": of, "exhibit": name, "fact": {
            "fact": "excluded", "when": executed, "officer": officer, "kind": random.kind(), "description": "as seen",
            "place": "hall", "reason": "nothing to store on, or checked on scene"}}),
        );
    }
}

fn person(plan: &mut Plan, of: &str, id: &str, when: At, role: &str, unidentified: bool, name: &str) {
    let fact = |fact: Value| json!({"event": "person", "investigation": of, "person": id, "fact": fact});
    plan.add(when, fact(json!({"fact": "made", "known": when, "roles": [role], "unidentified": unidentified})));
    plan.add(when, fact(json!({"fact": "described", "name": {"personal": name, "of": id}})));
}

/// A line of safeguarding for a child.
fn line(plan: &mut Plan, of: &str, number: u64, child: &str, facts: &[(&str, At)]) {
    for (kind, when) in facts {
        let fact = match *kind {
            "sent" => json!({"fact": "sent", "when": when, "to": "social_care", "body": "Council 1"}),
            "acted" => json!({"fact": "acted", "when": when, "action": "child_seen"}),
            other => json!({"fact": other, "when": when}),
        };
        plan.add(
            *when,
            json!({"event": "safeguarding", "investigation": of, "safeguarding": format!("@S:{number}"),
            "subject": {"of": "child", "child": child}, "fact": fact}),
        );
    }
}

/// What became of the suspect, for most within the year.
fn result(plan: &mut Plan, random: &mut Random, warrant: u64, executed: At, end: Day, suspect: &str) {
    let of = format!("@I:{warrant}");
    let when = later(executed, 24 * random.between(20, 220));
    if when >= end.plus(1).begin() {
        return;
    }
    let outcome = |fact: Value| json!({"event": "outcome", "investigation": of, "outcome": format!("@O:{warrant}"), "fact": fact});
    match random.below(10) {
        0..=5 => {
            for charge in 1..=random.between(1, 3) {
                let offence = if charge == 3 { "cja-2009-s62" } else { "pca-1978-s1" };
                plan.add(
                    when,
                    outcome(json!({"fact": "charged", "when": when, "suspect": suspect, "charge": charge,
                    "offence": offence, "decided_by": "Crown Prosecution Service"})),
                );
            }
            let ended = later(when, 24 * random.between(40, 90));
            if ended < end.plus(1).begin() {
                plan.add(
                    ended,
                    outcome(json!({"fact": "disposed", "when": ended, "disposal": "convicted",
                    "authority": "Court 1"})),
                );
            }
        }
        6 => plan.add(
            when,
            outcome(json!({"fact": "disposed", "when": when, "suspect": suspect, "disposal": "caution",
            "authority": "Supervisor"})),
        ),
        _ => plan.add(
            when,
            outcome(json!({"fact": "disposed", "when": when, "suspect": suspect,
            "disposal": "evidential-difficulties", "authority": "Supervisor"})),
        ),
    }
}
