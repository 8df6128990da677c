//! Changes as somebody writes them down, and facts as somebody reads them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::Desk;
use crate::at::{At, Recorded};
use crate::custody::{CustodyFact, WelfareFact};
use crate::error::{RecordError, Result};
use crate::event::{Act, Event};
use crate::exhibit::{ExhibitFact, PowerSource};
use crate::ids::{
    CustodyId, ExhibitId, InvestigationId, IpEventId, OrderId, OutcomeId, PersonId, ReferralId, SafeguardingId,
    WarrantId,
};
use crate::ip::IpFact;
use crate::json;
use crate::law::Right;
use crate::order::OrderFact;
use crate::outcome::OutcomeFact;
use crate::people::{PersonFact, PersonRole};
use crate::personal::Personal;
use crate::risk::RiskFact;
use crate::safeguard::Subject;
use crate::store::Tx;
use crate::vote::VoteFact;
use crate::warrant::WarrantFact;

/// What recording a draft gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// The number of its entry.
    pub seq: u64,
    /// What kind of change it is.
    pub kind: &'static str,
    /// Numbers that were given to new things, in the order of their prefix.
    pub made: Vec<String>,
}

/// A fact with its personal content opened, for those who may read it.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// Number, time, author and the event in JSON.
    pub recorded: Recorded<Value>,
    /// What kind of change it is.
    pub kind: &'static str,
}

impl Desk<'_> {
    /// Records a change written as JSON: an [`Event`] in which
    /// - `{"personal": VALUE}` or `{"personal": VALUE, "of": "P-3"}` stands for personal content, which is sealed under
    ///   the key of that holder before it is stored; where none is named, of the person whom the change is about, else
    ///   of the investigation;
    /// - `{"new": "E"}` stands for the number of a new thing of that kind; several in one draft are the same thing;
    /// - `{"time": "2026-11-20T09:30Z"}` stands for an instant; a time without offset or zone is refused.
    ///
    /// `seen` is the last entry of the thing that it is about (exhibit, content, else the investigation) that the person
    /// has read, where they change what they read.
    ///
    /// # Errors
    /// [`RecordError`] where the draft is no event, its author may not record it, or what it names is not there.
    pub async fn record(&self, draft: &Value, seen: Option<u64>) -> Result<Done> {
        let wanted = self.wanted(draft).await?;
        self.write(wanted.right, Some(wanted.investigation), async |tx| record_in(tx, &wanted, draft, seen).await).await
    }

    /// Records several changes as [`Desk::record`] does, all of them or none.
    ///
    /// # Errors
    /// As [`Desk::record`], for the first that is refused.
    pub async fn record_all(&self, drafts: &[Value]) -> Result<Vec<Done>> {
        let mut permit = None;
        let mut all = vec![];
        for draft in drafts {
            let wanted = self.wanted(draft).await?;
            permit = Some(self.may(wanted.right, Some(wanted.investigation)).await?);
            // Who is made by a change before this one may be a child: nobody can tell before it is written.
            if let Some(person) = wanted.person.filter(|person| *person != PersonId::NONE)
                && self.store.part_of(&person.to_string()).await?.is_none()
            {
                self.may(Right::RecordChild, Some(wanted.investigation)).await?;
            }
            all.push((wanted, draft));
        }
        let Some(permit) = permit else { return Ok(vec![]) };
        self.store
            .write(permit, async |tx| {
                let mut done = vec![];
                for (wanted, draft) in &all {
                    done.push(record_in(tx, wanted, draft, None).await?);
                }
                Ok(done)
            })
            .await
    }

    /// What a draft takes, and of which investigation it is: read once with stand-ins.
    async fn wanted(&self, draft: &Value) -> Result<Wanted> {
        let mut stand_in = draft.clone();
        for marker in json::pick(&mut stand_in, Marker::is) {
            *marker = match Marker::read(marker)? {
                Marker::New(prefix) => json!(format!("{prefix}-0")),
                Marker::Time(at) => json!(at),
                Marker::Personal { .. } => json!({"key": "K-0", "sealed": ""}),
            };
        }
        let event = parse(&stand_in)?;
        // What these state is read from tables and examinations, never typed.
        if let Event::Vote { fact: VoteFact::PolicySet(_), .. }
        | Event::Order { fact: OrderFact::DeviceChecked { .. }, .. } = &event
        {
            return Err(not_by_hand(&event));
        }
        let (right, investigation) = self.takes(&event).await?;
        Ok(Wanted { right, investigation, person: event.person() })
    }

    /// Records an event that makes nothing new, after the same checks as [`Desk::record`].
    pub(super) async fn record_event(&self, event: &Event, seen: Option<u64>) -> Result<u64> {
        let (right, investigation) = self.takes(event).await?;
        self.write(right, Some(investigation), async |tx| {
            tx.investigation(investigation).await?;
            keep(tx, event, &[], seen).await
        })
        .await
    }

    /// What it takes to record an event, and of which investigation it is.
    async fn takes(&self, event: &Event) -> Result<(Right, InvestigationId)> {
        let child = match event.person() {
            Some(person) => self.store.is_child(person).await?,
            None => false,
        };
        if let Event::Person { fact: PersonFact::SameAs { other, .. } | PersonFact::NotSameAs { other, .. }, .. } =
            event
        {
            // The other record may be another investigation's: only who may write there joins or parts the two.
            let theirs = self.investigation_of(&other.to_string()).await?;
            self.may(about_person(self.store.is_child(*other).await?), Some(theirs)).await?;
        }
        takes(event, child)
    }

    /// The investigation that a thing belongs to, by its id, where the person may read it.
    ///
    /// # Errors
    /// [`RecordError::Unknown`] where there is no such thing or the person is not on its investigation.
    pub async fn investigation_of(&self, subject: &str) -> Result<InvestigationId> {
        let unknown = || RecordError::Unknown { what: subject.to_owned() };
        let investigation = match subject.parse::<InvestigationId>() {
            Ok(id) => id,
            Err(_) => self.store.part_of(subject).await?.ok_or_else(unknown)?,
        };
        // Whose it is must not show in the answer.
        match self.may(Right::ReadInvestigation, Some(investigation)).await {
            Err(RecordError::Unknown { .. }) => Err(unknown()),
            other => other.map(|_| investigation),
        }
    }

    /// Everything recorded about a thing (an id of an investigation, exhibit, warrant, …), oldest first, with its personal
    /// content opened where the person may read it; withheld and erased content says so. What is about a child is told
    /// whole to those who may read what is restricted about a child; others learn that there is a fact, and of what kind.
    /// The look is recorded first.
    ///
    /// # Errors
    /// [`RecordError::Unknown`] where there is no such thing or the person is not on its investigation;
    /// [`RecordError::NotAllowed`] for a child where they may not read what is restricted.
    pub async fn story(&self, subject: &str) -> Result<Vec<Told>> {
        let investigation = self.investigation_of(subject).await?;
        let open = self.may(Right::ReadPersonal, Some(investigation)).await.is_ok();
        let children = self.hidden_children(investigation).await?;
        if children.iter().any(|child| child.to_string() == subject) {
            self.may(Right::RestrictedChild, Some(investigation)).await?;
        }
        let facts = self.store.facts(subject).await?;
        let records = u64::try_from(facts.len()).unwrap_or(u64::MAX);
        let purpose = if open { "its facts, with personal content" } else { "its facts" };
        self.looked(Act::Viewed, vec![subject.to_owned()], purpose, records).await?;
        let holders: BTreeSet<String> = children.iter().map(ToString::to_string).collect();
        let mut told = Vec::with_capacity(facts.len());
        for Recorded { seq, at, by, fact } in facts {
            let kind = fact.kind();
            let hidden = fact.person().filter(|person| children.contains(person));
            let elsewhere = matches!(&fact, Event::Person { investigation: of, .. } if *of != investigation);
            // What is on the ledger came from JSON.
            let mut value = match hidden {
                Some(child) => json!({ "withheld": child }),
                None => serde_json::to_value(fact).unwrap_or_default(),
            };
            if open && !elsewhere {
                self.store.open_within(&mut value, &holders).await?;
            } else {
                for value in json::pick(&mut value, |value| Personal::within(value).is_some()) {
                    *value = json!({ "withheld": value.get("key") });
                }
            }
            told.push(Told { recorded: Recorded { seq, at, by, fact: value }, kind });
        }
        Ok(told)
    }

    /// The children of an investigation whose records the person may not read.
    pub(super) async fn hidden_children(&self, investigation: InvestigationId) -> Result<BTreeSet<PersonId>> {
        if self.may(Right::RestrictedChild, Some(investigation)).await.is_ok() {
            return Ok(BTreeSet::new());
        }
        let facts = self.store.facts(&investigation.to_string()).await?;
        Ok(facts.iter().filter_map(|recorded| recorded.fact.child()).collect())
    }
}

/// What a draft takes.
struct Wanted {
    right: Right,
    investigation: InvestigationId,
    /// Whom it is about; [`PersonId::NONE`] for a new person.
    person: Option<PersonId>,
}

/// Records a draft within a change.
async fn record_in(tx: &mut Tx<'_>, wanted: &Wanted, draft: &Value, seen: Option<u64>) -> Result<Done> {
    let investigation = wanted.investigation;
    tx.investigation(investigation).await?;
    let mut value = draft.clone();
    let mut made = BTreeMap::new();
    for marker in json::pick(&mut value, Marker::is) {
        if let Marker::New(prefix) = Marker::read(marker)? {
            let id = match made.get(&prefix) {
                Some(id) => *id,
                None => tx.give(prefix).await?,
            };
            made.insert(prefix, id);
            *marker = json!(format!("{prefix}-{id}"));
        }
    }
    let own = match (wanted.person, made.get(PersonId::PREFIX)) {
        (Some(PersonId::NONE), Some(new)) => PersonId::new(*new).to_string(),
        (Some(person), _) => person.to_string(),
        (None, _) => investigation.to_string(),
    };
    for marker in json::pick(&mut value, Marker::is) {
        *marker = match Marker::read(marker)? {
            // Replaced above.
            Marker::New(_) => continue,
            Marker::Time(at) => json!(at),
            Marker::Personal { content, of } => {
                let holder = of.unwrap_or_else(|| own.clone());
                holder_is_here(tx, &holder, investigation).await?;
                let sealed = tx.key_of(&holder).await?.seal(&content)?;
                serde_json::to_value(sealed).unwrap_or_default()
            }
        };
    }
    let event = parse(&value)?;
    let made: Vec<String> = made.iter().map(|(prefix, id)| format!("{prefix}-{id}")).collect();
    let seq = keep(tx, &event, &made, seen).await?;
    Ok(Done { seq, kind: event.kind(), made })
}

/// Whose personal content may be sealed here: the investigation's own, or that of a thing that belongs to it or is new.
async fn holder_is_here(tx: &mut Tx<'_>, holder: &str, investigation: InvestigationId) -> Result<()> {
    let fits = if holder == investigation.to_string() {
        true
    } else {
        let of = tx.part_of(holder).await?;
        let shaped = holder.parse::<PersonId>().is_ok()
            || holder.parse::<ReferralId>().is_ok()
            || holder.parse::<ExhibitId>().is_ok()
            || holder.parse::<WarrantId>().is_ok()
            || holder.parse::<OutcomeId>().is_ok()
            || holder.parse::<OrderId>().is_ok()
            || holder.parse::<IpEventId>().is_ok();
        shaped && of.is_none_or(|of| of == investigation)
    };
    if fits { Ok(()) } else { Err(RecordError::Unknown { what: holder.to_owned() }) }
}

/// Checks what a change is about, and records it. `made` are the ids of what is new with it.
async fn keep(tx: &mut Tx<'_>, event: &Event, made: &[String], seen: Option<u64>) -> Result<u64> {
    if let Event::Vote { investigation, fact } = event {
        if let Some(sha256) = super::media::fact_sha256(fact)
            && tx.media(*investigation, &sha256).await?.is_none()
        {
            return Err(super::media::no_medium(*investigation, &sha256));
        }
        super::review::gate(tx, *investigation, fact).await?;
    }
    things_are_here(tx, event, made).await?;
    if let (Some(seen), Some(subject)) = (seen, event.subjects().last()) {
        tx.unchanged_since(subject, seen).await?;
    }
    tx.record(event).await
}

/// Whether the things that a change is about are this investigation's, or new with this change.
async fn things_are_here(tx: &mut Tx<'_>, event: &Event, made: &[String]) -> Result<()> {
    let mut things: Vec<String> = vec![];
    let investigation = match event {
        Event::Exhibit { investigation, exhibit, fact } => {
            things.push(exhibit.to_string());
            if let ExhibitFact::Taken { parent, source, .. } = fact {
                things.extend(parent.iter().map(ToString::to_string));
                if let PowerSource::Warrant { warrant } = source {
                    things.push(warrant.to_string());
                }
            }
            investigation
        }
        Event::Ip { investigation, ip, fact } => {
            things.push(ip.to_string());
            match fact {
                IpFact::SameActivity { other } => things.push(other.to_string()),
                IpFact::Stated { referral: Some(referral), .. } => things.push(referral.to_string()),
                _ => {}
            }
            investigation
        }
        Event::Warrant { investigation, warrant, fact } => {
            things.push(warrant.to_string());
            if let WarrantFact::Drafted { rests_on, .. } = fact {
                things.extend(rests_on.iter().map(ToString::to_string));
            }
            investigation
        }
        Event::Outcome { investigation, outcome, fact } => {
            things.push(outcome.to_string());
            match fact {
                OutcomeFact::Charged { suspect, .. } | OutcomeFact::Disposed { suspect, .. } => {
                    things.extend(suspect.iter().map(ToString::to_string));
                }
                OutcomeFact::Scheduled { lines, .. } => {
                    things.extend(lines.iter().filter_map(|line| line.exhibit).map(|exhibit| exhibit.to_string()));
                }
                OutcomeFact::DeviceDecided { exhibit, .. } => things.push(exhibit.to_string()),
                OutcomeFact::ChargeEnded { .. } | OutcomeFact::Corrected { .. } => {}
            }
            investigation
        }
        Event::Order { investigation, order, fact } => {
            things.push(order.to_string());
            match fact {
                OrderFact::Made { subject, .. } => things.extend(subject.iter().map(ToString::to_string)),
                OrderFact::DeviceChecked { exhibit, examination, previous, .. } => {
                    things.extend([exhibit.to_string(), examination.to_string()]);
                    things.extend(previous.iter().map(ToString::to_string));
                }
                _ => {}
            }
            investigation
        }
        Event::Person { investigation, person, fact } => {
            if made.contains(&person.to_string()) != matches!(fact, PersonFact::Made { .. }) {
                return Err(RecordError::Refused(
                    "a person's record begins with the fact `made` and a new number; every other fact names a person \
                     who has one"
                        .into(),
                ));
            }
            things.push(person.to_string());
            if let PersonFact::Linked { other, .. } | PersonFact::LinkEnded { other, .. } = fact {
                things.push(other.to_string());
            }
            investigation
        }
        Event::Safeguarding { investigation, safeguarding, subject, .. } => {
            things.extend([subject.person().to_string(), safeguarding.to_string()]);
            same_as_before(tx, &safeguarding.to_string(), |event| match event {
                Event::Safeguarding { subject: before, .. } => before == subject,
                _ => true,
            })
            .await?;
            investigation
        }
        Event::Identification { investigation, child, .. } | Event::Care { investigation, child, .. } => {
            things.push(child.to_string());
            investigation
        }
        Event::Custody { investigation, custody, suspect, fact } => {
            things.extend([suspect.to_string(), custody.to_string()]);
            if let CustodyFact::Arrested { warrant, .. } = fact {
                things.extend(warrant.iter().map(ToString::to_string));
            }
            same_as_before(tx, &custody.to_string(), |event| match event {
                Event::Custody { suspect: before, .. } => before == suspect,
                _ => true,
            })
            .await?;
            investigation
        }
        Event::Welfare { investigation, person, fact } => {
            things.push(person.to_string());
            if let WelfareFact::Assessed { custody, .. }
            | WelfareFact::LeafletGiven { custody, .. }
            | WelfareFact::PhoneOffered { custody, .. } = fact
            {
                things.extend(custody.iter().map(ToString::to_string));
            }
            investigation
        }
        _ => return Ok(()),
    };
    for thing in things {
        if !made.contains(&thing) && tx.part_of(&thing).await? != Some(*investigation) {
            return Err(RecordError::Unknown { what: thing });
        }
    }
    Ok(())
}

/// Whether a thing is still about whom its earlier facts are about.
async fn same_as_before(tx: &mut Tx<'_>, thing: &str, same: impl Fn(&Event) -> bool) -> Result<()> {
    if tx.facts(thing).await?.iter().all(|recorded| same(&recorded.fact)) {
        return Ok(());
    }
    Err(RecordError::Refused(format!("{thing} is about somebody else; begin a new one for this person")))
}

/// What it takes to record an event, and of which investigation it is. `child` says whether its person is a child.
fn takes(event: &Event, child: bool) -> Result<(Right, InvestigationId)> {
    match event {
        // What protects a child is never held up by a question of who works on what.
        Event::Risk { fact } => Ok(match fact {
            RiskFact::DangerStated { investigation, .. } | RiskFact::SafeguardingActed { investigation, .. } => {
                (Right::RecordSafeguarding, *investigation)
            }
            RiskFact::Overridden { investigation, .. } => (Right::OverrideRisk, *investigation),
            RiskFact::Assessed { investigation, .. } => (Right::RecordRisk, *investigation),
        }),
        Event::Exhibit { investigation, fact, .. } => Ok(match fact {
            ExhibitFact::Retained { .. } | ExhibitFact::Returned { .. } | ExhibitFact::Destroyed { .. } => {
                (Right::DisposeExhibit, *investigation)
            }
            _ => (Right::RecordExhibit, *investigation),
        }),
        Event::Ip { investigation, fact, .. } => Ok(match fact {
            IpFact::Confirmed { .. } => (Right::ConfirmIp, *investigation),
            _ => (Right::RecordIp, *investigation),
        }),
        Event::Warrant { investigation, fact, .. } => Ok(match fact {
            WarrantFact::Proceed { .. } => (Right::ProceedUnready, *investigation),
            _ => (Right::RecordWarrant, *investigation),
        }),
        Event::Outcome { investigation, fact, .. } => Ok(match fact {
            OutcomeFact::DeviceDecided { .. } => (Right::DisposeExhibit, *investigation),
            _ => (Right::RecordOutcome, *investigation),
        }),
        Event::Order { investigation, .. } => Ok((Right::RecordOrder, *investigation)),
        Event::Person { investigation, fact, .. } => Ok(match fact {
            // A child's record begins with whoever hears of the child.
            PersonFact::Made { roles, .. } if roles.contains(&PersonRole::Child) => {
                (Right::RecordSafeguarding, *investigation)
            }
            PersonFact::RolesStated { roles, .. } if roles.contains(&PersonRole::Child) => {
                (Right::RecordChild, *investigation)
            }
            _ => (about_person(child), *investigation),
        }),
        Event::Safeguarding { investigation, subject, fact, .. } => {
            let right = match subject {
                _ if fact.is_urgent() => Right::RecordSafeguarding,
                Subject::Child { .. } => Right::RecordChild,
                Subject::Work { .. } => Right::RecordPerson,
            };
            Ok((right, *investigation))
        }
        Event::Identification { investigation, .. } | Event::Care { investigation, .. } => {
            Ok((Right::RecordChild, *investigation))
        }
        Event::Custody { investigation, .. } | Event::Welfare { investigation, .. } => {
            Ok((about_person(child), *investigation))
        }
        Event::Vote { investigation, fact } => Ok((super::media::right_of(fact), *investigation)),
        other => Err(not_by_hand(other)),
    }
}

fn about_person(child: bool) -> Right {
    if child { Right::RecordChild } else { Right::RecordPerson }
}

fn not_by_hand(event: &Event) -> RecordError {
    RecordError::Refused(format!("`{}` is not recorded by hand; its own command does", event.kind()))
}

fn parse(value: &Value) -> Result<Event> {
    // The parser's words repeat what was written, in any spelling, but for a field that is missing: that name is ours.
    serde_json::from_value(value.clone()).map_err(|e| {
        let told = e.to_string();
        let missing = told.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
        let near = missing.map_or_else(String::new, |name| format!(" (`{name}` is missing)"));
        RecordError::Refused(format!("this is no change that the record knows{near}; docs/record.md lists them"))
    })
}

enum Marker {
    New(&'static str),
    Time(At),
    Personal { content: Value, of: Option<String> },
}

impl Marker {
    /// Whether a value has the shape of a marker.
    fn is(value: &Value) -> bool {
        value.as_object().is_some_and(|map| {
            let one = map.len() == 1 && ["new", "personal", "time"].iter().any(|name| map.contains_key(*name));
            one || (map.len() == 2 && map.contains_key("personal") && map.contains_key("of"))
        })
    }

    /// Reads a value that is one.
    fn read(value: &Value) -> Result<Self> {
        if let Some(prefix) = value.get("new") {
            let known = [
                ExhibitId::PREFIX,
                WarrantId::PREFIX,
                IpEventId::PREFIX,
                PersonId::PREFIX,
                OutcomeId::PREFIX,
                OrderId::PREFIX,
                SafeguardingId::PREFIX,
                CustodyId::PREFIX,
            ];
            let prefix = known.into_iter().find(|known| prefix.as_str() == Some(known));
            let refused = || RecordError::Refused(format!("{{\"new\": …}} takes one of {}", known.join(", ")));
            return prefix.map(Self::New).ok_or_else(refused);
        }
        if let Some(time) = value.get("time") {
            let read = time.as_str().and_then(At::read);
            let refused = || RecordError::Refused("a time in the change has no offset or zone, or is no time".into());
            return read.map(Self::Time).ok_or_else(refused);
        }
        let of = value.get("of").and_then(Value::as_str).map(str::to_owned);
        Ok(Self::Personal { content: value.get("personal").cloned().unwrap_or_default(), of })
    }
}
