//! Warrants: grounds, what they rest on, issue, premises, entries, return. A warrant whose grounds rest on an IP event
//! shows *not ready* until that event is; a supervisor may let it proceed with a reason. An entry under an urgent power is
//! no warrant and needs none of this.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::at::{At, Recorded};
use crate::clock::{Mark, Moment};
use crate::ids::{IpEventId, UserId, WarrantId};
use crate::personal::Personal;

/// A fact about one warrant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case", deny_unknown_fields)]
pub enum WarrantFact {
    /// It is being prepared. A later draft takes the place of an earlier one.
    Drafted {
        /// Under which power: a row of `powers.toml`.
        power: String,
        /// The grounds.
        grounds: Personal<String>,
        /// The IP events that the grounds rest on.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        rests_on: Vec<IpEventId>,
        /// The premises, in order: number 1 is the first.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        premises: Vec<Personal<String>>,
    },
    /// A court was asked.
    Applied {
        /// When.
        when: At,
        /// Which court.
        court: String,
    },
    /// The court issued it.
    Issued {
        /// When.
        when: At,
        /// Until when it can be executed, as it states.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires: Option<At>,
    },
    /// The court refused.
    Refused {
        /// When.
        when: At,
        /// Why, as far as said.
        reason: String,
    },
    /// It was executed at one of its premises.
    Entered {
        /// When.
        when: At,
        /// Which premises, from 1.
        premises: u32,
        /// Who led the entry.
        officer: UserId,
        /// What came of it; no person's name.
        result: String,
        /// Whether a copy was left.
        copy_left: bool,
    },
    /// It went back to the court.
    Returned {
        /// When.
        when: At,
    },
    /// It is no longer wanted.
    Withdrawn {
        /// Why.
        reason: String,
    },
    /// A supervisor lets it proceed although it is not ready.
    Proceed {
        /// Why.
        reason: String,
    },
}

impl WarrantFact {
    /// What the ledger calls it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            WarrantFact::Drafted { .. } => "warrant-drafted",
            WarrantFact::Applied { .. } => "warrant-applied",
            WarrantFact::Issued { .. } => "warrant-issued",
            WarrantFact::Refused { .. } => "warrant-refused",
            WarrantFact::Entered { .. } => "warrant-entered",
            WarrantFact::Returned { .. } => "warrant-returned",
            WarrantFact::Withdrawn { .. } => "warrant-withdrawn",
            WarrantFact::Proceed { .. } => "warrant-proceeds-unready",
        }
    }
}

/// Whether a warrant may rest on what it rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    /// Everything it rests on is confirmed and corroborated.
    Ready,
    /// It is not, for these reasons, each with its event.
    NotReady(Vec<String>),
    /// It is not, and a supervisor decided that it proceeds.
    Proceeds {
        /// Who.
        by: UserId,
        /// Why.
        reason: String,
        /// What was not ready.
        despite: Vec<String>,
    },
}

/// The facts of one warrant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WarrantState {
    facts: Vec<Recorded<WarrantFact>>,
}

impl WarrantState {
    /// Adds a fact, in the order of the ledger.
    pub fn apply(&mut self, recorded: &Recorded<WarrantFact>) {
        self.facts.push(recorded.clone());
    }

    /// The moments that its clock goes by: until when it can be executed, and what ended that.
    #[must_use]
    pub fn moments(&self, id: WarrantId) -> Vec<Moment> {
        let issued = self.facts.iter().rev().find_map(|r| match &r.fact {
            WarrantFact::Issued { when, expires } => Some((r.seq, *when, *expires)),
            _ => None,
        });
        let Some((issued, when, expires)) = issued else { return vec![] };
        let moment = |mark, at, seq, due| Moment { of: id.to_string(), mark, at, seq, due };
        let mut moments = vec![moment(Mark::WarrantIssued, when, issued, expires)];
        // What was refused before it was issued on a later application ended nothing.
        moments.extend(self.facts.iter().filter(|r| r.seq > issued).filter_map(|r| match &r.fact {
            WarrantFact::Entered { when, .. } | WarrantFact::Returned { when } | WarrantFact::Refused { when, .. } => {
                Some(moment(Mark::WarrantEnded, *when, r.seq, None))
            }
            WarrantFact::Withdrawn { .. } => Some(moment(Mark::WarrantEnded, r.at, r.seq, None)),
            _ => None,
        }));
        moments
    }

    /// The draft that stands: power, number of premises, the IP events that it rests on.
    #[must_use]
    pub fn draft(&self) -> Option<(&str, usize, &[IpEventId])> {
        self.facts.iter().rev().find_map(|r| match &r.fact {
            WarrantFact::Drafted { power, rests_on, premises, .. } => {
                Some((power.as_str(), premises.len(), rests_on.as_slice()))
            }
            _ => None,
        })
    }

    /// In one word: `drafted`, `applied`, `issued`, `refused`, `executed`, `returned`, `withdrawn`.
    #[must_use]
    pub fn status(&self) -> &'static str {
        let last = self.facts.iter().rev().find_map(|r| match r.fact {
            WarrantFact::Drafted { .. } => Some("drafted"),
            WarrantFact::Applied { .. } => Some("applied"),
            WarrantFact::Issued { .. } => Some("issued"),
            WarrantFact::Refused { .. } => Some("refused"),
            WarrantFact::Entered { .. } => Some("executed"),
            WarrantFact::Returned { .. } => Some("returned"),
            WarrantFact::Withdrawn { .. } => Some("withdrawn"),
            WarrantFact::Proceed { .. } => None,
        });
        last.unwrap_or("drafted")
    }

    /// Whether it may rest on what it rests on. `events` are the reasons of each IP event, none where it is ready.
    #[must_use]
    pub fn readiness(&self, events: &BTreeMap<IpEventId, Vec<String>>) -> Readiness {
        let rests_on = self.draft().map_or(&[][..], |(_, _, rests_on)| rests_on);
        let mut reasons = vec![];
        for id in rests_on {
            match events.get(id) {
                Some(of) => reasons.extend(of.iter().map(|reason| format!("{id}: {reason}"))),
                None => reasons.push(format!("{id}: there is no such IP event in this investigation")),
            }
        }
        if reasons.is_empty() {
            return Readiness::Ready;
        }
        // A decision counts for the draft that it was made on.
        let drafted = self.facts.iter().rposition(|r| matches!(r.fact, WarrantFact::Drafted { .. })).unwrap_or(0);
        let decided = self.facts.iter().skip(drafted).rev().find_map(|r| match &r.fact {
            WarrantFact::Proceed { reason } => Some((r.by, reason.clone())),
            _ => None,
        });
        match decided {
            Some((by, reason)) => Readiness::Proceeds { by, reason, despite: reasons },
            None => Readiness::NotReady(reasons),
        }
    }

    /// What does not fit, and what is due, in the order of the ledger.
    #[must_use]
    pub fn findings(&self, now: At) -> Vec<String> {
        let mut found = vec![];
        let mut issued: Option<(At, Option<At>)> = None;
        let (mut entered, mut ended) = (false, false);
        let premises = self.draft().map_or(0, |(_, premises, _)| premises);
        for Recorded { seq, fact, .. } in &self.facts {
            match fact {
                WarrantFact::Issued { when, expires } => issued = Some((*when, *expires)),
                WarrantFact::Entered { when, premises: number, copy_left, .. } => {
                    entered = true;
                    match issued {
                        None => found.push(format!("entry {seq}: entered before a warrant was recorded as issued")),
                        Some((since, _)) if *when < since => {
                            found.push(format!("entry {seq}: entered before the warrant was issued; check both times"));
                        }
                        Some((_, Some(until))) if *when > until => {
                            found
                                .push(format!("entry {seq}: entered after the warrant had expired; tell a supervisor"));
                        }
                        Some(_) => {}
                    }
                    if *number == 0 || usize::try_from(*number).map_or(true, |number| number > premises) {
                        found.push(format!("entry {seq}: the warrant has no premises {number}; it has {premises}"));
                    }
                    if !copy_left {
                        found.push(format!("entry {seq}: no copy was left; record why"));
                    }
                }
                WarrantFact::Returned { .. } | WarrantFact::Withdrawn { .. } | WarrantFact::Refused { .. } => {
                    ended = true
                }
                _ => {}
            }
        }
        if let Some((_, expires)) = issued
            && !entered
            && !ended
        {
            match expires {
                None => found.push("nobody has recorded until when it can be executed".to_owned()),
                Some(until) if until < now => found.push(format!("it expired at {until} without being executed")),
                Some(until) => found.push(format!("to be executed by {until}")),
            }
        }
        if entered && !ended {
            found.push("it has not been returned to the court".to_owned());
        }
        found
    }
}
