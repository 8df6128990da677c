//! What the facts of one line of safeguarding add up to.

use super::fact::{Body, Protection, SafeguardingFact, Subject};
use crate::at::{At, Recorded};
use crate::clock::{Mark, Moment};
use crate::facts::{Facts, Stated};
use crate::ids::SafeguardingId;
use crate::people::work_of;

impl Stated for SafeguardingFact {
    fn when(&self) -> Option<At> {
        match self {
            SafeguardingFact::Protected { when, .. }
            | SafeguardingFact::ProtectionEnded { when, .. }
            | SafeguardingFact::Sent { when, .. }
            | SafeguardingFact::Acknowledged { when, .. }
            | SafeguardingFact::Discussed { when, .. }
            | SafeguardingFact::Shared { when, .. }
            | SafeguardingFact::Acted { when, .. }
            | SafeguardingFact::Reviewed { when, .. }
            | SafeguardingFact::Outcome { when, .. }
            | SafeguardingFact::Closed { when, .. } => Some(*when),
            SafeguardingFact::TargetSet { .. } | SafeguardingFact::Corrected { .. } => None,
        }
    }

    fn wrong(&self) -> Option<u64> {
        match self {
            SafeguardingFact::Corrected { wrong, .. } => Some(*wrong),
            _ => None,
        }
    }
}

/// The facts of one line of safeguarding. `Subject` is the same in all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SafeguardingState {
    subject: Option<Subject>,
    facts: Facts<SafeguardingFact>,
}

impl SafeguardingState {
    /// Adds a fact. The order in which facts are added does not matter.
    pub fn apply(&mut self, recorded: &Recorded<(Subject, SafeguardingFact)>) {
        let (subject, fact) = recorded.fact.clone();
        self.subject = Some(subject);
        self.facts.add(&recorded.with(fact));
    }

    /// For whom, or because of what work.
    #[must_use]
    pub fn subject(&self) -> Option<Subject> {
        self.subject
    }

    /// What it is: a protection, a referral and to whom, another step.
    #[must_use]
    pub fn title(&self) -> String {
        let begins = self.facts.counting().find_map(|r| match &r.fact {
            SafeguardingFact::Protected { protection, .. } => Some(protection.to_string()),
            SafeguardingFact::Sent { to, body, .. } => Some(format!("{to}: {body}")),
            _ => None,
        });
        begins.unwrap_or_else(|| "safeguarding".to_owned())
    }

    /// In one word or two: how far it is.
    #[must_use]
    pub fn status(&self) -> String {
        let last = self.facts.counting().rev().find_map(|r| {
            Some(match &r.fact {
                SafeguardingFact::Protected { .. } => "protected".to_owned(),
                SafeguardingFact::ProtectionEnded { .. } => "protection ended".to_owned(),
                SafeguardingFact::Sent { .. } => "sent, not acknowledged".to_owned(),
                SafeguardingFact::Acknowledged { .. } => "acknowledged".to_owned(),
                SafeguardingFact::Discussed { .. } => "discussed".to_owned(),
                SafeguardingFact::Acted { action, .. } => action.to_string(),
                SafeguardingFact::Reviewed { .. } => "reviewed".to_owned(),
                SafeguardingFact::Outcome { outcome, .. } => outcome.to_string(),
                SafeguardingFact::Closed { .. } => "closed".to_owned(),
                SafeguardingFact::Shared { .. }
                | SafeguardingFact::TargetSet { .. }
                | SafeguardingFact::Corrected { .. } => return None,
            })
        });
        last.unwrap_or_else(|| "begun".to_owned())
    }

    /// Whether nothing more is to be done here.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.facts.counting().any(|r| matches!(r.fact, SafeguardingFact::Closed { .. }))
    }

    /// What made a child safe, and when: a body acknowledged, or the child was protected, seen or moved, or somebody was kept
    /// away. What was only sent does not count, nor does telling or talking; and there is none on a line about work.
    pub fn made_safe(&self) -> impl Iterator<Item = (u64, At)> {
        let child = matches!(self.subject, Some(Subject::Child { .. }));
        self.facts.counting().filter(move |_| child).filter_map(|r| match r.fact {
            SafeguardingFact::Acknowledged { when, .. } | SafeguardingFact::Protected { when, .. } => {
                Some((r.seq, when))
            }
            SafeguardingFact::Acted { when, action, .. } if action.protects() => Some((r.seq, when)),
            _ => None,
        })
    }

    /// What made a child safe first.
    #[must_use]
    pub fn counts_from(&self) -> Option<(u64, At)> {
        self.made_safe().min_by_key(|(seq, when)| (*when, *seq))
    }

    /// Whether a body was told, or something was shared with it, at that time or later.
    #[must_use]
    pub fn told_since(&self, since: At) -> bool {
        self.facts.counting().any(|r| match r.fact {
            SafeguardingFact::Sent { when, .. } | SafeguardingFact::Shared { when, .. } => when >= since,
            _ => false,
        })
    }

    /// The moments that clocks go by.
    #[must_use]
    pub fn moments(&self, id: SafeguardingId) -> Vec<Moment> {
        let mut moments = vec![];
        let own = id.to_string();
        for r in self.facts.counting() {
            let mut add = |of: &str, mark, at, due| {
                moments.push(Moment { of: of.to_owned(), mark, at, seq: r.seq, due });
            };
            let child = self.subject.and_then(|subject| match subject {
                Subject::Child { child } => Some(child.to_string()),
                Subject::Work { .. } => None,
            });
            match &r.fact {
                SafeguardingFact::Protected { when, protection, until, .. } => {
                    match protection {
                        Protection::Police => add(&own, Mark::PoliceProtection, *when, None),
                        Protection::EmergencyOrder => add(&own, Mark::EmergencyOrder, *when, None),
                    }
                    if let Some(until) = until {
                        add(&own, Mark::OrderUntilStated, *when, Some(*until));
                    }
                    if let Some(child) = &child {
                        add(child, Mark::ChildSafeguardingBegun, *when, None);
                    }
                }
                SafeguardingFact::ProtectionEnded { when, .. } => add(&own, Mark::ProtectionEnded, *when, None),
                SafeguardingFact::Sent { when, to, .. } => {
                    add(&own, Mark::Sent, *when, None);
                    if *to == Body::DesignatedOfficer {
                        add(&own, Mark::DesignatedOfficerSent, *when, None);
                        if let Some(Subject::Work { person, work }) = self.subject {
                            add(&work_of(person, work), Mark::DesignatedOfficerTold, *when, None);
                        }
                    }
                    if let (Some(child), Body::SocialCare) = (&child, to) {
                        add(child, Mark::ChildSafeguardingBegun, *when, None);
                    }
                }
                SafeguardingFact::Acted { when, .. } => {
                    if let Some(child) = &child {
                        add(child, Mark::ChildSafeguardingBegun, *when, None);
                    }
                }
                SafeguardingFact::Acknowledged { when, .. } => add(&own, Mark::Acknowledged, *when, None),
                SafeguardingFact::TargetSet { due } => add(&own, Mark::TargetSet, r.at, Some(*due)),
                SafeguardingFact::Reviewed { when, .. } => add(&own, Mark::Reviewed, *when, None),
                SafeguardingFact::Outcome { when, .. } => add(&own, Mark::SafeguardingOutcome, *when, None),
                SafeguardingFact::Closed { when, .. } => add(&own, Mark::SafeguardingClosed, *when, None),
                SafeguardingFact::Discussed { .. }
                | SafeguardingFact::Shared { .. }
                | SafeguardingFact::Corrected { .. } => {}
            }
        }
        moments
    }

    /// What does not fit, and what is still to do. `area` is where the work is that it is about, as far as stated.
    #[must_use]
    pub fn findings(&self, area: Option<&str>, powers: &crate::law::Table<super::SharingPower>) -> Vec<String> {
        let mut found = self.facts.findings();
        let (mut sent, mut protected, mut outcome) = (None, false, false);
        for Recorded { seq, fact, .. } in self.facts.counting() {
            match fact {
                SafeguardingFact::Protected { when, until, .. } => {
                    protected = true;
                    if matches!(self.subject, Some(Subject::Work { .. })) {
                        found
                            .push(format!("entry {seq} protects a child, and this line is about work; name the child"));
                    }
                    if until.is_some_and(|until| until <= *when) {
                        found.push(format!("entry {seq}: the order ends before it begins; check both times"));
                    }
                }
                SafeguardingFact::ProtectionEnded { .. } if !protected => {
                    found.push(format!("entry {seq} ends a protection that is not recorded"));
                }
                SafeguardingFact::Sent { when, to, area: told, .. } => {
                    sent = Some(*when);
                    match (to, self.subject, area, told.as_deref()) {
                        (Body::DesignatedOfficer, Some(Subject::Work { .. }), Some(works), Some(told))
                            if !same_area(works, told) =>
                        {
                            found.push(format!(
                                "entry {seq} told the designated officer for {told}, and the work is in {works}; tell \
                                 the one where the person works"
                            ));
                        }
                        (Body::DesignatedOfficer, _, _, None) => found.push(format!(
                            "entry {seq} told a designated officer, and not for which area; it is the area where the \
                             person works"
                        )),
                        _ => {}
                    }
                }
                SafeguardingFact::Acknowledged { when, .. } => match sent {
                    None => found.push(format!("entry {seq} acknowledges what is not recorded as sent")),
                    Some(sent) if *when < sent => {
                        found.push(format!("entry {seq} acknowledges it before it was sent; check both times"));
                    }
                    Some(_) => {}
                },
                SafeguardingFact::Shared { power, .. } if powers.row(power).is_none() => found.push(format!(
                    "entry {seq} shares under `{power}`, which the table of powers to share does not have; record \
                     it again, or add it to sharing-powers.toml"
                )),
                SafeguardingFact::Outcome { .. } => outcome = true,
                SafeguardingFact::Closed { .. } if !outcome => {
                    found.push(format!("entry {seq} closes it, and nobody has recorded what came of it"));
                }
                _ => {}
            }
        }
        found
    }
}

/// Whether two names of areas are the same but for case and spaces at the ends.
fn same_area(a: &str, b: &str) -> bool {
    a.trim().to_lowercase() == b.trim().to_lowercase()
}
