//! The facts that figures are counted from, as CSV: facts, not what they add up to, so that somebody else can add them up.

use std::collections::BTreeMap;

use super::text::quoted;
use crate::at::{At, Recorded};
use crate::custody::CustodyFact;
use crate::event::Event;
use crate::exhibit::ExhibitFact;
use crate::facts::Stated as _;
use crate::law::Table;
use crate::outcome::{Disposal, OutcomeFact};
use crate::people::{PersonFact, PersonRole};
use crate::review::ReviewFact;
use crate::risk::RiskFact;
use crate::safeguard::{IdentificationFact, SafeguardingFact, Subject};
use crate::vote::{Basis, VoteFact};
use crate::warrant::WarrantFact;

/// The files and their columns. `entry` is the fact's number on the ledger, `recorded` when it was recorded; both stand
/// before the columns here. `wrong` is the entry that a correction strikes.
pub const FILES: &[(&str, &str)] = &[
    ("custody", "custody,fact,when,wrong"),
    ("examinations", "exhibit"),
    ("exhibits", "exhibit,fact,when,kind,parent,wrong"),
    ("identification", "child,fact,when,step,wrong"),
    ("investigations", "investigation,received"),
    ("levels", "investigation,level"),
    ("links", "referral"),
    ("outcomes", "outcome,investigation,fact,when,charge,row,positive,wrong"),
    ("persons", "person,investigation,fact,known,child,unidentified,other,wrong"),
    ("referrals", "referral,received,source"),
    ("safeguarding", "line,child,fact,when,action,wrong"),
    ("views", "by"),
    ("clear_views", "by"),
    ("warrants", "warrant,investigation,when"),
];

/// CSV files by name.
#[derive(Debug, Clone)]
pub struct Export {
    files: BTreeMap<&'static str, String>,
    positive: BTreeMap<String, bool>,
    rows: u64,
}

impl Export {
    /// Files with their heads. The disposals say which are positive, as the table has it.
    #[must_use]
    pub fn new(disposals: &Table<Disposal>) -> Self {
        let files = FILES.iter().map(|(name, columns)| (*name, format!("entry,recorded,{columns}\n"))).collect();
        let positive = disposals.rows.iter().map(|row| (row.id.clone(), row.value.positive)).collect();
        Self { files, positive, rows: 0 }
    }

    /// The files, each name without `.csv`.
    #[must_use]
    pub fn files(&self) -> &BTreeMap<&'static str, String> {
        &self.files
    }

    /// How many lines there are below the heads.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Adds a fact, in the order of the ledger.
    pub fn add(&mut self, recorded: &Recorded<Event>) {
        match &recorded.fact {
            Event::ReferralReceived { referral, source, received, .. } => {
                self.row("referrals", recorded, &[referral.to_string(), received.to_string(), source.clone()]);
            }
            Event::ReferralLinked { referral, .. } => self.row("links", recorded, &[referral.to_string()]),
            Event::InvestigationOpened { investigation, received, referrals, .. } => {
                self.row("investigations", recorded, &[investigation.to_string(), received.to_string()]);
                for referral in referrals {
                    self.row("links", recorded, &[referral.to_string()]);
                }
            }
            Event::Risk {
                fact:
                    RiskFact::Assessed { investigation, level, .. } | RiskFact::Overridden { investigation, level, .. },
            } => self.row("levels", recorded, &[investigation.to_string(), level.to_string()]),
            Event::Warrant { investigation, warrant, fact: WarrantFact::Entered { when, .. } } => {
                self.row("warrants", recorded, &[warrant.to_string(), investigation.to_string(), when.to_string()]);
            }
            Event::Exhibit { exhibit, fact, .. } => {
                let (kind, parent, wrong) = match fact {
                    ExhibitFact::Taken { kind, parent, .. } => (kind.clone(), optional(parent.as_ref()), String::new()),
                    ExhibitFact::Excluded { kind, .. } => (kind.clone(), String::new(), String::new()),
                    ExhibitFact::Corrected { wrong, .. } => (String::new(), String::new(), wrong.to_string()),
                    _ => Default::default(),
                };
                let cells = [exhibit.to_string(), fact.kind().to_owned(), time(fact.when()), kind, parent, wrong];
                self.row("exhibits", recorded, &cells);
            }
            Event::ExaminationAttached { exhibit, interim: false, .. } => {
                self.row("examinations", recorded, &[exhibit.to_string()]);
            }
            Event::Outcome { investigation, outcome, fact } => {
                let (charge, row, wrong) = match fact {
                    OutcomeFact::Charged { charge, offence, .. } => {
                        (charge.to_string(), offence.clone(), String::new())
                    }
                    OutcomeFact::Disposed { charge, disposal, .. } => {
                        (optional(charge.as_ref()), disposal.clone(), String::new())
                    }
                    OutcomeFact::Corrected { wrong, .. } => (String::new(), String::new(), wrong.to_string()),
                    _ => return,
                };
                let positive = self.positive.get(&row).map(|positive| yes(*positive)).unwrap_or_default();
                let kind = fact.kind().to_owned();
                let of = investigation.to_string();
                let cells = [outcome.to_string(), of, kind, time(fact.when()), charge, row, positive, wrong];
                self.row("outcomes", recorded, &cells);
            }
            Event::Vote { fact: VoteFact::Voted { basis: Basis::Viewed {}, .. }, .. } => {
                self.row("views", recorded, &[recorded.by.to_string()]);
            }
            Event::Review { fact: ReviewFact::ClearBegan { .. }, .. } => {
                self.row("clear_views", recorded, &[recorded.by.to_string()]);
            }
            Event::Person { investigation, person, fact } => {
                let (known, child, unidentified, other, wrong) = match fact {
                    PersonFact::Made { known, roles, unidentified } => {
                        let child = yes(roles.contains(&PersonRole::Child));
                        (known.to_string(), child, yes(*unidentified), String::new(), String::new())
                    }
                    PersonFact::RolesStated { roles, .. } => {
                        let child = yes(roles.contains(&PersonRole::Child));
                        (String::new(), child, String::new(), String::new(), String::new())
                    }
                    PersonFact::SameAs { other, .. } | PersonFact::NotSameAs { other, .. } => {
                        (String::new(), String::new(), String::new(), other.to_string(), String::new())
                    }
                    PersonFact::Corrected { wrong, .. } => {
                        (String::new(), String::new(), String::new(), String::new(), wrong.to_string())
                    }
                    _ => return,
                };
                let of = investigation.to_string();
                let cells = [person.to_string(), of, fact.kind().to_owned(), known, child, unidentified, other, wrong];
                self.row("persons", recorded, &cells);
            }
            Event::Safeguarding { safeguarding, subject: Subject::Child { child }, fact, .. } => {
                let (when, action, wrong) = match fact {
                    SafeguardingFact::Acknowledged { when, .. } | SafeguardingFact::Protected { when, .. } => {
                        (when.to_string(), String::new(), String::new())
                    }
                    SafeguardingFact::Sent { when, .. } => (when.to_string(), String::new(), String::new()),
                    SafeguardingFact::Acted { when, action, .. } => {
                        (when.to_string(), action.to_string(), String::new())
                    }
                    SafeguardingFact::Corrected { wrong, .. } => (String::new(), String::new(), wrong.to_string()),
                    _ => return,
                };
                let cells = [safeguarding.to_string(), child.to_string(), fact.kind().to_owned(), when, action, wrong];
                self.row("safeguarding", recorded, &cells);
            }
            Event::Identification { child, fact, .. } => {
                let (when, step, wrong) = match fact {
                    IdentificationFact::Reached { when, step, .. } => {
                        (when.to_string(), step.to_string(), String::new())
                    }
                    IdentificationFact::Corrected { wrong, .. } => (String::new(), String::new(), wrong.to_string()),
                    _ => return,
                };
                let cells = [child.to_string(), fact.kind().to_owned(), when, step, wrong];
                self.row("identification", recorded, &cells);
            }
            Event::Custody { custody, fact, .. } => {
                let (when, wrong) = match fact {
                    CustodyFact::Arrested { when, .. } | CustodyFact::Attended { when, .. } => {
                        (when.to_string(), String::new())
                    }
                    CustodyFact::Corrected { wrong, .. } => (String::new(), wrong.to_string()),
                    _ => return,
                };
                self.row("custody", recorded, &[custody.to_string(), fact.kind().to_owned(), when, wrong]);
            }
            _ => {}
        }
    }

    fn row(&mut self, file: &'static str, recorded: &Recorded<Event>, cells: &[String]) {
        let mut line = format!("{},{}", recorded.seq, recorded.at);
        for cell in cells {
            line.push(',');
            line.push_str(&quoted(cell));
        }
        line.push('\n');
        self.files.entry(file).or_default().push_str(&line);
        self.rows = self.rows.saturating_add(1);
    }
}

fn optional(value: Option<&impl ToString>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}

fn time(at: Option<At>) -> String {
    optional(at.as_ref())
}

fn yes(yes: bool) -> String {
    if yes { "yes" } else { "no" }.to_owned()
}
