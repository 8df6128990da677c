//! Gaps and contradictions in the continuity of exhibits.

use std::collections::BTreeMap;
use std::fmt;

use super::fact::{ExhibitFact, Holder};
use super::state::{ExhibitState, Fate};
use crate::ids::{ExhibitId, UserId};

/// Something to look at. Its text says what, and what to do. Nothing was refused for it: what happened is on the record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the fields are numbers of entries, and what the sentence of each names")]
pub enum ExhibitFinding {
    /// No fact says that it was taken or left.
    NeverTaken {},
    /// Something happened to it before it was taken.
    BeforeTaken { seq: u64 },
    /// It was taken, or left, a second time.
    TakenTwice { seq: u64 },
    /// A seal was put on it while another was on.
    SealedTwice { seq: u64, old: String, new: String },
    /// A seal was opened while none was on.
    OpenedUnsealed { seq: u64, seal: String },
    /// The seal that was opened is not the one that was put on: it was opened in between without a record.
    OtherSeal { seq: u64, on: String, found: String },
    /// Somebody handed it over, or worked on it, who did not have it.
    NotTheHolder { seq: u64, holder: Holder, from: Holder },
    /// The other side has not confirmed a hand-over.
    NotConfirmed { seq: u64 },
    /// A hand-over was confirmed by somebody else than who received it.
    ConfirmedByAnother { seq: u64, by: UserId },
    /// It was received before it was given.
    ReceivedBeforeGiven { seq: u64 },
    /// A confirmation of no hand-over.
    ConfirmsNothing { seq: u64, handover: u64 },
    /// It was examined while it was sealed.
    ExaminedSealed { seq: u64, seal: String },
    /// It was given by agreement, and the examination was outside of it, or nobody says whether.
    OutsideScope { seq: u64, stated: bool },
    /// It was examined after the giver withdrew.
    AgreementGone { seq: u64, withdrawn: u64 },
    /// Something happened to it after it was given back or destroyed.
    AfterTheEnd { seq: u64, fate: Fate },
    /// Who recorded the destruction is its only witness.
    OwnWitness { seq: u64 },
    /// Something is recorded as later than the moment of recording.
    InTheFuture { seq: u64 },
    /// A correction of a fact that this exhibit does not have.
    CorrectsNothing { seq: u64, wrong: u64 },
    /// Another exhibit bears the same seal number.
    SameSeal { seal: String, others: Vec<ExhibitId> },
    /// Another exhibit has the same serial number.
    SameSerial { kind: String, value: String, others: Vec<ExhibitId> },
    /// Another exhibit has the same reference.
    SameReference { reference: String, others: Vec<ExhibitId> },
}

impl fmt::Display for ExhibitFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use ExhibitFinding as F;
        let list = |ids: &[ExhibitId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        match self {
            F::NeverTaken {} => f.write_str("nothing says how it came to the team. Record that it was taken, or left"),
            F::BeforeTaken { seq } => {
                write!(f, "entry {seq} lies before it was taken. Check both times, and correct the wrong one")
            }
            F::TakenTwice { seq } => write!(
                f,
                "entry {seq} says that it was taken or left although it was taken already. Correct one of the two"
            ),
            F::SealedTwice { seq, old, new } => write!(
                f,
                "entry {seq} puts seal {new} on it while seal {old} is on: it was opened without a record, or a number \
                 is wrong. Record the opening, or correct the number"
            ),
            F::OpenedUnsealed { seq, seal } => write!(
                f,
                "entry {seq} opens seal {seal} while no seal is on: a sealing is missing. Record it, or correct this"
            ),
            F::OtherSeal { seq, on, found } => write!(
                f,
                "entry {seq} opens seal {found}, but seal {on} was put on: it was opened and sealed in between without \
                 a record, or a number is wrong. Find out which, and record or correct it"
            ),
            F::NotTheHolder { seq, holder, from } => write!(
                f,
                "entry {seq} says that {from} had it, but by the record it was with {holder}: a hand-over is missing. \
                 Record it, or correct this"
            ),
            F::NotConfirmed { seq } => {
                write!(f, "the hand-over of entry {seq} is not confirmed by the other side. Ask them to confirm it")
            }
            F::ConfirmedByAnother { seq, by } => write!(
                f,
                "entry {seq} confirms a hand-over, but {by} is not the one who received it. The receiver must confirm"
            ),
            F::ReceivedBeforeGiven { seq } => {
                write!(f, "entry {seq} says that it was received before it was given. Correct one of the times")
            }
            F::ConfirmsNothing { seq, handover } => write!(
                f,
                "entry {seq} confirms entry {handover}, which is no hand-over of this exhibit that waits for it. \
                 Correct the number"
            ),
            F::ExaminedSealed { seq, seal } => write!(
                f,
                "entry {seq} examines it while seal {seal} is on: it was opened without a record. Record the opening, \
                 or correct the time"
            ),
            F::OutsideScope { seq, stated: true } => {
                write!(f, "entry {seq} examines it outside what its giver agreed to. Stop, and ask a supervisor")
            }
            F::OutsideScope { seq, stated: false } => write!(
                f,
                "it was given by agreement, and entry {seq} does not say whether the examination lies within it. Record \
                 whether it does"
            ),
            F::AgreementGone { seq, withdrawn } => write!(
                f,
                "entry {seq} examines it after its giver withdrew (entry {withdrawn}). Stop, and ask a supervisor"
            ),
            F::AfterTheEnd { seq, fate } => write!(
                f,
                "entry {seq} lies after it was {}. Check the times, and correct the wrong one",
                if *fate == Fate::Destroyed { "destroyed" } else { "given back" }
            ),
            F::OwnWitness { seq } => {
                write!(f, "entry {seq} records a destruction whose witness is who recorded it. Name another witness")
            }
            F::InTheFuture { seq } => {
                write!(f, "entry {seq} was recorded before it happened, by its own time. Correct the time")
            }
            F::CorrectsNothing { seq, wrong } => {
                write!(f, "entry {seq} corrects entry {wrong}, which is not about this exhibit. Correct the number")
            }
            F::SameSeal { seal, others } => write!(
                f,
                "seal {seal} is recorded for {} too; a seal is used once. Correct the wrong number",
                list(others)
            ),
            F::SameSerial { kind, value, others } => write!(
                f,
                "{kind} {value} is recorded for {} too: the same thing twice, or a wrong number. Check the label",
                list(others)
            ),
            F::SameReference { reference, others } => write!(
                f,
                "{} has the reference {reference} too; nobody can tell them apart in court. Correct one",
                list(others)
            ),
        }
    }
}

/// What several exhibits contradict one another in: the same seal, serial number or reference. For each exhibit its own
/// findings, in a fixed order.
#[must_use]
pub fn across<'a>(
    exhibits: impl IntoIterator<Item = (ExhibitId, &'a ExhibitState)>,
) -> BTreeMap<ExhibitId, Vec<ExhibitFinding>> {
    #[derive(PartialEq, Eq, PartialOrd, Ord)]
    enum Mark {
        Reference(String),
        Seal(String),
        Serial(String, String),
    }
    let mut bearers: BTreeMap<Mark, (String, Vec<ExhibitId>)> = BTreeMap::new();
    let mut add = |mark: Mark, shown: &str, id| {
        let (_, ids) = bearers.entry(mark).or_insert_with(|| (shown.to_owned(), vec![]));
        if ids.last() != Some(&id) {
            ids.push(id);
        }
    };
    for (id, state) in exhibits {
        for (seal, _) in state.seals() {
            add(Mark::Seal(plain(seal)), seal, id);
        }
        if let Some(ExhibitFact::Taken { reference, serials, .. }) = state.origin() {
            add(Mark::Reference(plain(reference.as_str())), reference.as_str(), id);
            for serial in serials {
                add(Mark::Serial(plain(&serial.kind), plain(&serial.value)), &serial.value, id);
            }
        }
    }
    let mut found: BTreeMap<ExhibitId, Vec<ExhibitFinding>> = BTreeMap::new();
    for (mark, (shown, mut ids)) in bearers {
        ids.sort_unstable();
        ids.dedup();
        if ids.len() < 2 {
            continue;
        }
        for id in &ids {
            let others = ids.iter().filter(|other| *other != id).copied().collect();
            let finding = match &mark {
                Mark::Reference(_) => ExhibitFinding::SameReference { reference: shown.clone(), others },
                Mark::Seal(_) => ExhibitFinding::SameSeal { seal: shown.clone(), others },
                Mark::Serial(kind, _) => {
                    ExhibitFinding::SameSerial { kind: kind.clone(), value: shown.clone(), others }
                }
            };
            found.entry(*id).or_default().push(finding);
        }
    }
    found
}

/// A number without what people write differently: spaces, hyphens, case.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && *c != '-').flat_map(char::to_lowercase).collect()
}
