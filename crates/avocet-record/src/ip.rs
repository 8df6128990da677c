//! IP events: an address on the Internet at a time, from the source's words to an answer that can carry a warrant. Wrong
//! addresses have led to innocent people (`domain.md` 2.2), so nothing is retyped, and nothing that a warrant rests on
//! stands on one person's word. None of this ever delays a safeguarding referral or an urgent entry.

use std::fmt;
use std::net::IpAddr;

use avocet_base::Sha256;
use serde::{Deserialize, Serialize};

use crate::at::{At, Recorded};
use crate::ids::{IpEventId, ReferralId, UserId};
use crate::personal::Personal;
use crate::time_text::{self, Reading};

/// An IP event in the source's own words.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stated {
    /// The address.
    pub address: String,
    /// The time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// The zone, where it stands apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// The source port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<String>,
    /// What happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
}

/// Shows nothing of it.
impl fmt::Debug for Stated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stated")
    }
}

/// What an operator answers.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The address that it answers for.
    pub address: String,
    /// The time that it answers for, with its zone.
    pub time: String,
    /// The port that it answers for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<String>,
    /// Whose it was, in the operator's words.
    pub subscriber: String,
}

/// Shows nothing of it.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answer")
    }
}

/// A fact about one IP event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case", deny_unknown_fields)]
pub enum IpFact {
    /// The source states it.
    Stated {
        /// The referral whose original is the source.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        referral: Option<ReferralId>,
        /// Where it stands in the source.
        place: String,
        /// The words.
        stated: Personal<Stated>,
    },
    /// A person found the zone of the time, or which of two instants is meant.
    ZoneStated {
        /// An offset or the name of a zone.
        zone: String,
        /// Where that was found.
        reason: String,
    },
    /// An operator was asked.
    Applied {
        /// When.
        when: At,
        /// The application's number.
        reference: String,
        /// Who authorised it.
        authority: String,
        /// The operator.
        operator: String,
    },
    /// The operator answered.
    Answered {
        /// When.
        when: At,
        /// SHA-256 of the answer's document.
        document: Sha256,
        /// What it says.
        answer: Personal<Answer>,
    },
    /// A second person compared it with the source, item by item.
    Confirmed {
        /// SHA-256 of the source's document.
        document: Sha256,
        /// The address is right.
        address: bool,
        /// The port is right, or the source has none.
        port: bool,
        /// The time is right.
        time: bool,
        /// The zone is right.
        zone: bool,
    },
    /// Something else points to the same place.
    Corroborated {
        /// What.
        what: Personal<String>,
        /// From where, such as `council tax`; no person's name.
        source: String,
    },
    /// It is the same activity as another event, whose answer must agree.
    SameActivity {
        /// The other.
        other: IpEventId,
    },
    /// It turned out to be wrong, and nothing may rest on it.
    FoundWrong {
        /// Why.
        reason: String,
    },
}

impl IpFact {
    /// What the ledger calls it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            IpFact::Stated { .. } => "ip-stated",
            IpFact::ZoneStated { .. } => "ip-zone-stated",
            IpFact::Applied { .. } => "ip-applied",
            IpFact::Answered { .. } => "ip-answered",
            IpFact::Confirmed { .. } => "ip-confirmed",
            IpFact::Corroborated { .. } => "ip-corroborated",
            IpFact::SameActivity { .. } => "ip-same-activity",
            IpFact::FoundWrong { .. } => "ip-found-wrong",
        }
    }
}

/// The facts of one IP event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IpState {
    facts: Vec<Recorded<IpFact>>,
}

impl IpState {
    /// Adds a fact, in the order of the ledger.
    pub fn apply(&mut self, recorded: &Recorded<IpFact>) {
        self.facts.push(recorded.clone());
    }

    /// The source's words, sealed.
    #[must_use]
    pub fn stated(&self) -> Option<&Personal<Stated>> {
        self.facts.iter().rev().find_map(|r| match &r.fact {
            IpFact::Stated { stated, .. } => Some(stated),
            _ => None,
        })
    }

    /// The operator's last answer, sealed.
    #[must_use]
    pub fn answer(&self) -> Option<&Personal<Answer>> {
        self.facts.iter().rev().find_map(|r| match &r.fact {
            IpFact::Answered { answer, .. } => Some(answer),
            _ => None,
        })
    }

    /// Other events that are the same activity.
    #[must_use]
    pub fn same_activity(&self) -> Vec<IpEventId> {
        let mut others: Vec<IpEventId> = self
            .facts
            .iter()
            .filter_map(|r| match &r.fact {
                IpFact::SameActivity { other } => Some(*other),
                _ => None,
            })
            .collect();
        others.sort_unstable();
        others.dedup();
        others
    }

    /// When it was, by the source's words and the zone that a person stated since.
    #[must_use]
    pub fn when(&self, stated: &Stated) -> Reading {
        let of_person = self.facts.iter().rev().find_map(|r| match &r.fact {
            IpFact::ZoneStated { zone, .. } => Some(zone.as_str()),
            _ => None,
        });
        match &stated.time {
            None => Reading::Unreadable,
            Some(time) => time_text::read(time, of_person.or(stated.zone.as_deref())),
        }
    }

    fn last(&self, matches: impl Fn(&IpFact) -> bool) -> Option<&Recorded<IpFact>> {
        self.facts.iter().rev().find(|r| matches(&r.fact))
    }

    /// Everything that keeps a warrant from resting on it; empty where it is ready. `stated` and `answer` are what
    /// [`IpState::stated`] and [`IpState::answer`] open to; `others` are the answers to the events that are the same
    /// activity.
    #[must_use]
    pub fn not_ready(
        &self,
        stated: Option<&Stated>,
        answer: Option<&Answer>,
        others: &[(IpEventId, Option<Answer>)],
    ) -> Vec<String> {
        let mut reasons = vec![];
        if let Some(Recorded { seq, fact: IpFact::FoundWrong { .. }, .. }) =
            self.last(|f| matches!(f, IpFact::FoundWrong { .. }))
        {
            reasons.push(format!("it was found wrong (entry {seq}): nothing may rest on it"));
        }
        let Some(stated) = stated else {
            reasons.push("the source's words are not there, or were erased".to_owned());
            return reasons;
        };
        reasons.extend(address_reasons(stated));
        let when = self.when(stated);
        if !matches!(when, Reading::Exact(_)) {
            reasons.push(format!("unresolved: {when}"));
        }
        match answer {
            None => reasons.push("no operator has answered for it".to_owned()),
            Some(answer) => reasons.extend(compare(stated, &when, answer)),
        }
        // What was stated, its zone and the answer decide what there was to confirm.
        let changed =
            self.last(|f| matches!(f, IpFact::Stated { .. } | IpFact::ZoneStated { .. } | IpFact::Answered { .. }));
        reasons.extend(self.confirmation_reason(changed));
        if self.last(|f| matches!(f, IpFact::Corroborated { .. })).is_none() {
            reasons.push("nothing corroborates it: enter what else points to the same place".to_owned());
        }
        for (id, other) in others {
            match (answer, other) {
                (Some(own), Some(other)) if fold(&own.subscriber) != fold(&other.subscriber) => reasons.push(format!(
                    "{id} is the same activity and has another answer: find out which is right before anything rests on \
                     either"
                )),
                (_, None) => reasons.push(format!("{id} is the same activity and has no answer yet")),
                _ => {}
            }
        }
        reasons
    }

    fn confirmation_reason(&self, changed: Option<&Recorded<IpFact>>) -> Option<String> {
        let Some(recorded) = self.last(|f| matches!(f, IpFact::Confirmed { .. })) else {
            return Some("no second person has confirmed IP, port, time and zone against the source".to_owned());
        };
        let IpFact::Confirmed { address, port, time, zone, .. } = &recorded.fact else { return None };
        let seq = recorded.seq;
        let missing: Vec<&str> = [(*address, "IP"), (*port, "port"), (*time, "time"), (*zone, "zone")]
            .into_iter()
            .filter_map(|(right, name)| (!right).then_some(name))
            .collect();
        if !missing.is_empty() {
            return Some(format!("the second person did not confirm {} (entry {seq})", missing.join(", ")));
        }
        if changed.is_some_and(|changed| changed.seq > seq) {
            return Some(format!("it was changed after it was confirmed (entry {seq}): it must be confirmed again"));
        }
        if self.entered_by(recorded.by) {
            return Some(format!("{} confirmed an own entry (entry {seq}): another person must", recorded.by));
        }
        None
    }

    /// Whether somebody entered what there is to confirm.
    fn entered_by(&self, user: UserId) -> bool {
        let entered =
            |f: &IpFact| matches!(f, IpFact::Stated { .. } | IpFact::ZoneStated { .. } | IpFact::Answered { .. });
        self.facts.iter().any(|r| r.by == user && entered(&r.fact))
    }
}

fn fold(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// What is to be said of the address itself.
fn address_reasons(stated: &Stated) -> Vec<String> {
    let Ok(ip) = stated.address.trim().parse::<IpAddr>() else {
        return vec!["the address cannot be read as an IP address: compare it with the source".to_owned()];
    };
    let mut reasons = vec![];
    match ip.to_canonical() {
        IpAddr::V4(v4) => {
            let carrier = v4.octets().first() == Some(&100) && v4.octets().get(1).is_some_and(|b| b & 0xc0 == 64);
            if carrier {
                reasons.push(
                    "the address lies behind an operator's shared ones (RFC 6598): no operator can answer".into(),
                );
            } else if v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_unspecified() {
                reasons.push(
                    "the address is one of a private network (RFC 1918 and alike): no operator can answer".into(),
                );
            }
            // Most IPv4 subscribers share an address; without the port the operator may name the wrong one.
            if stated.port.is_none() {
                reasons.push(
                    "no source port: where subscribers share an address the answer may be somebody else's".into(),
                );
            }
        }
        IpAddr::V6(v6) => {
            if v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local() {
                reasons.push(
                    "the address is one of a private network (RFC 4193 and alike): no operator can answer".into(),
                );
            }
        }
    }
    reasons
}

/// Whether the operator answered what was asked.
fn compare(stated: &Stated, when: &Reading, answer: &Answer) -> Vec<String> {
    let mut reasons = vec![];
    let ip = |text: &str| text.trim().parse::<IpAddr>().ok().map(|ip| ip.to_canonical());
    if ip(&answer.address).is_none() || ip(&answer.address) != ip(&stated.address) {
        reasons.push("the operator answered for another address than the source states".to_owned());
    }
    match (when, time_text::read(&answer.time, None)) {
        (Reading::Exact(asked), Reading::Exact(answered)) if *asked == answered => {}
        (Reading::Exact(_), Reading::Exact(_)) => {
            reasons.push("the operator answered for another time than the source states".to_owned());
        }
        (_, Reading::Exact(_)) => {}
        _ => reasons.push("the time that the operator answered for has no zone".to_owned()),
    }
    if let Some(port) = &stated.port
        && answer.port.as_deref().map(str::trim) != Some(port.trim())
    {
        reasons.push("the operator did not answer for the port that the source states".to_owned());
    }
    reasons
}
