//! What the facts of one outcome add up to.

use std::collections::{BTreeMap, BTreeSet};

use super::fact::{Accessible, DeviceDecision, Medium, OutcomeFact, ScheduleLine};
use super::table::{Disposal, Offence};
use crate::at::{At, Recorded};
use crate::exhibit::Fate;
use crate::facts::{Facts, Stated};
use crate::ids::{ExhibitId, PersonId};
use crate::law::Table;
use crate::vote::Category;

impl Stated for OutcomeFact {
    fn when(&self) -> Option<At> {
        match self {
            OutcomeFact::Charged { when, .. }
            | OutcomeFact::ChargeEnded { when, .. }
            | OutcomeFact::Disposed { when, .. }
            | OutcomeFact::DeviceDecided { when, .. } => Some(*when),
            OutcomeFact::Scheduled { .. } | OutcomeFact::Corrected { .. } => None,
        }
    }

    fn wrong(&self) -> Option<u64> {
        match self {
            OutcomeFact::Corrected { wrong, .. } => Some(*wrong),
            _ => None,
        }
    }
}

/// A charge as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// Number of its fact.
    pub seq: u64,
    /// Its number within the outcome.
    pub number: u32,
    /// When it was decided.
    pub when: At,
    /// The offence's row.
    pub offence: String,
    /// Who decided.
    pub decided_by: String,
    /// The schedule that stands, with the number of its fact; none where nobody stated one.
    pub schedule: Option<(u64, Vec<ScheduleLine>)>,
    /// When and why it was given up.
    pub ended: Option<(At, String)>,
    /// How it ended: rows of `disposals.toml`.
    pub disposals: Vec<String>,
}

/// What is to happen to a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceState {
    /// Number of the decision's fact.
    pub seq: u64,
    /// What was decided.
    pub decision: DeviceDecision,
    /// Under which authority.
    pub authority: String,
    /// Not before this instant.
    pub not_before: Option<At>,
}

/// Counts of schedules by category, medium and accessibility.
pub type Totals = BTreeMap<(Option<Category>, Medium, Accessible), u64>;

/// The facts of one outcome.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutcomeState {
    facts: Facts<OutcomeFact>,
}

impl OutcomeState {
    /// Adds a fact. The order in which facts are added does not matter.
    pub fn apply(&mut self, recorded: &Recorded<OutcomeFact>) {
        self.facts.add(recorded);
    }

    /// Facts that no correction strikes, in the order of the ledger, without the corrections.
    pub fn counting(&self) -> impl DoubleEndedIterator<Item = &Recorded<OutcomeFact>> {
        self.facts.counting()
    }

    /// Whose outcome it is, as the first fact that says so states.
    #[must_use]
    pub fn suspect(&self) -> Option<PersonId> {
        self.counting().find_map(|recorded| suspect_of(&recorded.fact))
    }

    /// The charges, by their numbers. Where a number was given twice the first stands.
    #[must_use]
    pub fn charges(&self) -> Vec<Charge> {
        let mut charges: BTreeMap<u32, Charge> = BTreeMap::new();
        for Recorded { seq, fact, .. } in self.counting() {
            if let OutcomeFact::Charged { when, charge, offence, decided_by, .. } = fact {
                charges.entry(*charge).or_insert_with(|| Charge {
                    seq: *seq,
                    number: *charge,
                    when: *when,
                    offence: offence.clone(),
                    decided_by: decided_by.clone(),
                    schedule: None,
                    ended: None,
                    disposals: vec![],
                });
            }
        }
        for Recorded { seq, fact, .. } in self.counting() {
            match fact {
                OutcomeFact::Scheduled { charge, lines } => {
                    if let Some(charge) = charges.get_mut(charge) {
                        charge.schedule = Some((*seq, lines.clone()));
                    }
                }
                OutcomeFact::ChargeEnded { when, charge, reason } => {
                    if let Some(charge) = charges.get_mut(charge) {
                        charge.ended = Some((*when, reason.clone()));
                    }
                }
                OutcomeFact::Disposed { charge: Some(charge), disposal, .. } => {
                    if let Some(charge) = charges.get_mut(charge) {
                        charge.disposals.push(disposal.clone());
                    }
                }
                _ => {}
            }
        }
        charges.into_values().collect()
    }

    /// The schedules of the charges that stand, added up.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::new();
        for charge in self.charges().iter().filter(|charge| charge.ended.is_none()) {
            for line in charge.schedule.iter().flat_map(|(_, lines)| lines) {
                let total = totals.entry((line.category.clone(), line.medium, line.accessible)).or_default();
                *total = total.saturating_add(line.count);
            }
        }
        totals
    }

    /// What is to happen to each device, as decided last.
    #[must_use]
    pub fn devices(&self) -> BTreeMap<ExhibitId, DeviceState> {
        let mut devices = BTreeMap::new();
        for Recorded { seq, fact, .. } in self.counting() {
            if let OutcomeFact::DeviceDecided { exhibit, decision, authority, not_before, .. } = fact {
                let (decision, authority, not_before) = (*decision, authority.clone(), *not_before);
                devices.insert(*exhibit, DeviceState { seq: *seq, decision, authority, not_before });
            }
        }
        devices
    }

    /// Whether every charge has ended or been disposed of, or the whole has.
    #[must_use]
    pub fn is_final(&self) -> bool {
        let whole = self.counting().any(|r| matches!(r.fact, OutcomeFact::Disposed { charge: None, .. }));
        let charges = self.charges();
        let each = charges.iter().all(|charge| charge.ended.is_some() || !charge.disposals.is_empty());
        whole || (each && !charges.is_empty())
    }

    /// What does not fit, and what is still to do. `fates` are the exhibits of the investigation that were taken.
    #[must_use]
    pub fn findings(
        &self,
        now: At,
        offences: &Table<Offence>,
        disposals: &Table<Disposal>,
        fates: &BTreeMap<ExhibitId, Fate>,
    ) -> Vec<String> {
        let mut found = self.facts.findings();
        let mut numbers = BTreeSet::new();
        let charged: BTreeSet<u32> = self.charges().iter().map(|charge| charge.number).collect();
        for Recorded { seq, fact, .. } in self.counting() {
            match (self.suspect(), suspect_of(fact)) {
                (Some(one), Some(other)) if one != other => {
                    found
                        .push(format!("entry {seq} names {other}, and an earlier one {one}; open an outcome for each"));
                }
                _ => {}
            }
            match fact {
                OutcomeFact::Charged { charge, offence, .. } => {
                    if !numbers.insert(*charge) {
                        found
                            .push(format!("entry {seq}: charge {charge} was recorded already; give it its own number"));
                    }
                    if offences.row(offence).is_none() {
                        found.push(format!("entry {seq}: no row of offences.toml is called {offence}; correct it"));
                    }
                }
                OutcomeFact::Disposed { disposal, charge, .. } => {
                    if disposals.row(disposal).is_none() {
                        found.push(format!("entry {seq}: no row of disposals.toml is called {disposal}; correct it"));
                    }
                    found.extend(missing_charge(*seq, *charge, &charged));
                }
                OutcomeFact::Scheduled { charge, .. } | OutcomeFact::ChargeEnded { charge, .. } => {
                    found.extend(missing_charge(*seq, Some(*charge), &charged));
                }
                OutcomeFact::DeviceDecided { .. } | OutcomeFact::Corrected { .. } => {}
            }
        }
        for charge in self.charges().iter().filter(|charge| charge.ended.is_none()) {
            let by_category = offences.row(&charge.offence).is_none_or(|row| row.value.categories);
            found.extend(schedule_findings(charge, by_category));
        }
        found.extend(self.device_findings(now, fates));
        found
    }

    fn device_findings(&self, now: At, fates: &BTreeMap<ExhibitId, Fate>) -> Vec<String> {
        let mut found = vec![];
        let devices = self.devices();
        for (exhibit, state) in &devices {
            let fate = fates.get(exhibit).copied().unwrap_or_default();
            let (seq, decision) = (state.seq, state.decision);
            let early = state.not_before.filter(|not_before| *not_before > now);
            match (decision, fate) {
                (DeviceDecision::Release, Fate::Destroyed) => {
                    found.push(format!(
                        "{exhibit} was to be released (entry {seq}) and was destroyed; tell a supervisor"
                    ));
                }
                (DeviceDecision::Deprive | DeviceDecision::Destroy, Fate::Returned) => {
                    found.push(format!(
                        "{exhibit} was given back against the {decision} of entry {seq}; tell a supervisor"
                    ));
                }
                (_, Fate::Held) => found.push(match early {
                    Some(not_before) => format!("{exhibit}: {decision}, not before {not_before}"),
                    None => format!("{exhibit}: {decision} is due (entry {seq})"),
                }),
                _ => {}
            }
        }
        if self.is_final() {
            let open = fates.iter().filter(|(exhibit, fate)| **fate == Fate::Held && !devices.contains_key(exhibit));
            found.extend(open.map(|(exhibit, _)| {
                format!("{exhibit} is held and nothing is decided about it: order its destruction or release it")
            }));
        }
        found
    }
}

fn suspect_of(fact: &OutcomeFact) -> Option<PersonId> {
    match fact {
        OutcomeFact::Charged { suspect, .. } | OutcomeFact::Disposed { suspect, .. } => *suspect,
        _ => None,
    }
}

fn missing_charge(seq: u64, charge: Option<u32>, charged: &BTreeSet<u32>) -> Option<String> {
    let charge = charge.filter(|charge| !charged.contains(charge))?;
    Some(format!(
        "entry {seq} is about charge {charge}, which is not recorded; record the charge or correct the number"
    ))
}

fn schedule_findings(charge: &Charge, by_category: bool) -> Vec<String> {
    let number = charge.number;
    let Some((seq, lines)) = &charge.schedule else {
        return vec![format!("charge {number} has no schedule; record its counts")];
    };
    let mut found = vec![];
    for (place, line) in (1u64..).zip(lines) {
        let mut say = |what: &str| found.push(format!("charge {number}, line {place} of entry {seq}: {what}"));
        match (&line.category, by_category) {
            (None, true) => say("no category is stated, and the offence is counted by category"),
            (Some(_), false) => say("a category is stated, and this offence has none; do not mix the two"),
            _ => {}
        }
        if line.accessible == Accessible::NotStated {
            say("nobody has said whether the user could get at these files");
        }
        if line.from.zip(line.to).is_some_and(|(from, to)| from > to) {
            say("its range of dates ends before it begins");
        }
        if line.exhibit.is_none() {
            say("no device is named");
        }
        if line.count == 0 {
            say("it counts nothing");
        }
    }
    found
}
