//! Everything that can happen to a record. An event is stored once, as JSON, as the content of a line of the ledger.

use avocet_base::Sha256;
use serde::{Deserialize, Serialize};

use crate::at::At;
use crate::custody::{CustodyFact, WelfareFact};
use crate::exhibit::ExhibitFact;
use crate::identifier::IdentifierKind;
use crate::ids::{
    CustodyId, ExaminationId, ExhibitId, InvestigationId, IpEventId, KeyId, OrderId, OutcomeId, PersonId, ReferralId,
    SafeguardingId, UserId, WarrantId,
};
use crate::intake::Lead;
use crate::ip::IpFact;
use crate::order::OrderFact;
use crate::outcome::OutcomeFact;
use crate::people::{PersonFact, PersonRole};
use crate::personal::Personal;
use crate::review::ReviewFact;
use crate::risk::{Flag, RiskFact};
use crate::safeguard::{CareFact, IdentificationFact, SafeguardingFact, Subject};
use crate::staff::StaffFact;
use crate::vote::VoteFact;
use crate::warrant::WarrantFact;

/// One change or one look.
///
/// Names are written into stored contents: they are never changed, only added to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case", deny_unknown_fields)]
pub enum Event {
    /// The first entry of every ledger.
    StoreMade {
        /// Public key (hexadecimal) that signs the head.
        key: String,
        /// What the team calls the store.
        title: String,
    },
    /// A key was made for a person or a document.
    KeyMade {
        /// The key.
        key: KeyId,
        /// Whose: an id.
        holder: String,
    },
    /// A key was destroyed: everything personal under it is gone.
    KeyDestroyed {
        /// The key.
        key: KeyId,
        /// Whose.
        holder: String,
        /// Under what authority.
        authority: String,
        /// Why.
        reason: String,
    },
    /// Someone may sign in.
    AccountMade {
        /// Who.
        user: UserId,
        /// What they sign in with.
        login: String,
        /// Their roles, as `roles.toml` names them.
        roles: Vec<String>,
        /// Their name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<Personal<String>>,
    },
    /// Someone's roles are others now.
    RolesSet {
        /// Whose.
        user: UserId,
        /// Which.
        roles: Vec<String>,
        /// Why.
        reason: String,
    },
    /// Someone may no longer sign in.
    AccountClosed {
        /// Who.
        user: UserId,
        /// Why.
        reason: String,
    },
    /// A password was set. Its hash lies outside the ledger.
    PasswordSet {
        /// Whose.
        user: UserId,
    },
    /// A lead came in. Its original is kept as a document under the referral's key.
    ReferralReceived {
        /// As which referral.
        referral: ReferralId,
        /// Where from: a row of `referral-sources.toml`.
        source: String,
        /// When it was received.
        received: At,
        /// SHA-256 of the original.
        original: Sha256,
        /// Its length in bytes.
        size: u64,
        /// What it says of itself that matters for the order of work.
        flags: Vec<Flag>,
        /// How much of it was read.
        fields: u64,
        /// How many things could not be read.
        problems: u64,
        /// What was read.
        lead: Personal<Lead>,
        /// What it can be found by in other records.
        tokens: Personal<Vec<Token>>,
    },
    /// A referral belongs to an investigation that is open already.
    ReferralLinked {
        /// Which.
        investigation: InvestigationId,
        /// Which referral.
        referral: ReferralId,
    },
    /// Somebody looked at the same identifier in two records.
    ConflictNoted {
        /// The record that they came from.
        subject: String,
        /// The other record.
        other: String,
        /// Whether it is nothing; else it was seen and stands.
        dismissed: bool,
        /// Why.
        reason: Personal<String>,
    },
    /// Work on something as one thing begins.
    InvestigationOpened {
        /// Which.
        investigation: InvestigationId,
        /// Who leads it.
        owner: UserId,
        /// When the first report of it was received.
        received: At,
        /// What it is called among the team; no name of a person.
        title: String,
        /// The referrals that it is opened on.
        referrals: Vec<ReferralId>,
    },
    /// An investigation is done: it leaves the order of work, but for what its orders ask.
    InvestigationClosed {
        /// Which.
        investigation: InvestigationId,
        /// Why; no person's name.
        reason: String,
        /// Clocks that were still running, by their names.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        left: Vec<String>,
    },
    /// It is worked on again.
    InvestigationReopened {
        /// Which.
        investigation: InvestigationId,
        /// Why; no person's name.
        reason: String,
    },
    /// Someone works on an investigation.
    MemberAdded {
        /// Which.
        investigation: InvestigationId,
        /// Who.
        user: UserId,
    },
    /// Someone no longer works on an investigation.
    MemberRemoved {
        /// Which.
        investigation: InvestigationId,
        /// Who.
        user: UserId,
    },
    /// A supervisor looked into an investigation without being on it.
    GlassBroken {
        /// Which.
        investigation: InvestigationId,
        /// Why.
        reason: String,
    },
    /// Somebody gave a wrong password.
    SignInFailed {
        /// For whose account.
        user: UserId,
        /// How often in a row.
        in_a_row: u64,
    },
    /// A fact about the risk of an investigation.
    Risk {
        /// The fact.
        fact: RiskFact,
    },
    /// A sealed examination was verified and attached to an exhibit.
    ExaminationAttached {
        /// Of which investigation.
        investigation: InvestigationId,
        /// To which exhibit.
        exhibit: ExhibitId,
        /// As which examination.
        examination: ExaminationId,
        /// Its result digest.
        result_digest: Sha256,
        /// SHA-256 of the sealed file.
        file_digest: Sha256,
        /// The public key that signed its seal.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signed_by: Option<String>,
        /// SHA-256 of the list of media that was kept with it.
        media_list: Sha256,
        /// SHA-256 of the list of what was found of them that was kept with it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        review_list: Option<Sha256>,
        /// How many media there are in it.
        media: u64,
        /// In how many files.
        files: u64,
        /// The examination whose place it takes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        replaces: Option<ExaminationId>,
        /// Whether it had not ended: not everything was read when it was sealed.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        interim: bool,
        /// How many contents that the replaced one had are not in it.
        #[serde(default, skip_serializing_if = "is_none")]
        gone: u64,
    },
    /// A fact about an exhibit.
    Exhibit {
        /// Of which investigation.
        investigation: InvestigationId,
        /// Which exhibit.
        exhibit: ExhibitId,
        /// The fact.
        fact: ExhibitFact,
    },
    /// A fact about an IP event.
    Ip {
        /// Of which investigation.
        investigation: InvestigationId,
        /// Which IP event.
        ip: IpEventId,
        /// The fact.
        fact: IpFact,
    },
    /// A fact about a warrant.
    Warrant {
        /// Of which investigation.
        investigation: InvestigationId,
        /// Which warrant.
        warrant: WarrantId,
        /// The fact.
        fact: WarrantFact,
    },
    /// A fact about what became of a suspect.
    Outcome {
        /// Of which investigation.
        investigation: InvestigationId,
        /// Which outcome.
        outcome: OutcomeId,
        /// The fact.
        fact: OutcomeFact,
    },
    /// A fact about an order that is monitored.
    Order {
        /// Of which investigation.
        investigation: InvestigationId,
        /// Which order.
        order: OrderId,
        /// The fact.
        fact: OrderFact,
    },
    /// A fact about a person.
    Person {
        /// Of which investigation.
        investigation: InvestigationId,
        /// Who.
        person: PersonId,
        /// The fact.
        fact: PersonFact,
    },
    /// A fact about making somebody safe.
    Safeguarding {
        /// Of which investigation.
        investigation: InvestigationId,
        /// Which line of safeguarding.
        safeguarding: SafeguardingId,
        /// For whom, or because of what work; the same in every fact of one line.
        subject: Subject,
        /// The fact.
        fact: SafeguardingFact,
    },
    /// A fact about who a child is.
    Identification {
        /// Of which investigation.
        investigation: InvestigationId,
        /// Which child.
        child: PersonId,
        /// The fact.
        fact: IdentificationFact,
    },
    /// A fact about the child's side.
    Care {
        /// Of which investigation.
        investigation: InvestigationId,
        /// Which child.
        child: PersonId,
        /// The fact.
        fact: CareFact,
    },
    /// A fact about an arrest or a voluntary interview.
    Custody {
        /// Of which investigation.
        investigation: InvestigationId,
        /// Which arrest or interview.
        custody: CustodyId,
        /// Whose; the same in every fact of one.
        suspect: PersonId,
        /// The fact.
        fact: CustodyFact,
    },
    /// A fact about a suspect's own risk, or about what was given to those around.
    Welfare {
        /// Of which investigation.
        investigation: InvestigationId,
        /// Whose.
        person: PersonId,
        /// The fact.
        fact: WelfareFact,
    },
    /// A fact about votes.
    Vote {
        /// In which investigation it was recorded.
        investigation: InvestigationId,
        /// The fact.
        fact: VoteFact,
    },
    /// A fact about review.
    Review {
        /// In which investigation.
        investigation: InvestigationId,
        /// The fact.
        fact: ReviewFact,
    },
    /// A fact about limits of exposure.
    Staff {
        /// Whose; none for the team.
        user: Option<UserId>,
        /// The fact.
        fact: StaffFact,
    },
    /// Personal content was looked at or given out.
    Looked(Look),
    /// The store was made from a backup: what was recorded after the backup is not in it.
    Restored {
        /// How many entries the backup held.
        entries: u64,
        /// How many keys had been destroyed after the backup and were destroyed again.
        erased_again: u64,
        /// Who says so, and why.
        reason: String,
    },
}

/// A keyed digest of an identifier: the same identifier gives the same token in this store, and nobody without the
/// store's key can tell which it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// What it is of.
    pub kind: IdentifierKind,
    /// The digest.
    pub token: Sha256,
}

/// One look at personal content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Look {
    /// What was done.
    pub act: Act,
    /// At what: ids.
    pub at: Vec<String>,
    /// What for, or to whom; for a search only the kinds searched, never what was sought.
    pub purpose: String,
    /// How many records it gave.
    pub records: u64,
}

/// What was done with personal content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// It was searched for.
    Searched,
    /// It was shown.
    Viewed,
    /// It was written to a file.
    Exported,
    /// It was printed.
    Printed,
    /// It was given to someone outside.
    Disclosed,
}

/// A number that an entry leaves out.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_none(n: &u64) -> bool {
    *n == 0
}

impl Event {
    /// What facts about the limits of the team are about.
    pub(crate) const TEAM: &'static str = "team";
    /// Kind of [`Event::GlassBroken`].
    pub(crate) const GLASS_BROKEN: &'static str = "glass-broken";
    /// Kind of [`Event::ConflictNoted`].
    pub(crate) const CONFLICT_NOTED: &'static str = "conflict-noted";
    /// Kind of [`Event::ReferralReceived`].
    pub(crate) const REFERRAL_RECEIVED: &'static str = "referral-received";
    /// Kind of [`Event::ExaminationAttached`].
    pub(crate) const EXAMINATION_ATTACHED: &'static str = "examination-attached";
    /// Kind of a review's [`ReviewFact::CameraStated`].
    pub(crate) const CAMERA_STATED: &'static str = "camera-stated";
    /// Kind of a vote's [`VoteFact::PolicySet`].
    pub(crate) const POLICY_SET: &'static str = "grading-policy-set";

    /// What the ledger calls it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::StoreMade { .. } => "store-made",
            Self::KeyMade { .. } => "key-made",
            Self::KeyDestroyed { .. } => "key-destroyed",
            Self::AccountMade { .. } => "account-made",
            Self::RolesSet { .. } => "roles-set",
            Self::AccountClosed { .. } => "account-closed",
            Self::PasswordSet { .. } => "password-set",
            Self::ReferralReceived { .. } => Self::REFERRAL_RECEIVED,
            Self::ReferralLinked { .. } => "referral-linked",
            Self::ConflictNoted { .. } => Self::CONFLICT_NOTED,
            Self::InvestigationOpened { .. } => "investigation-opened",
            Self::InvestigationClosed { .. } => "investigation-closed",
            Self::InvestigationReopened { .. } => "investigation-reopened",
            Self::MemberAdded { .. } => "member-added",
            Self::MemberRemoved { .. } => "member-removed",
            Self::GlassBroken { .. } => Self::GLASS_BROKEN,
            Self::SignInFailed { .. } => "sign-in-failed",
            Self::Risk { fact } => match fact {
                RiskFact::Assessed { .. } => "risk-assessed",
                RiskFact::Overridden { .. } => "risk-overridden",
                RiskFact::DangerStated { .. } => "danger-stated",
                RiskFact::SafeguardingActed { .. } => "safeguarding-acted",
            },
            Self::ExaminationAttached { .. } => Self::EXAMINATION_ATTACHED,
            Self::Exhibit { fact, .. } => fact.kind(),
            Self::Ip { fact, .. } => fact.kind(),
            Self::Warrant { fact, .. } => fact.kind(),
            Self::Outcome { fact, .. } => fact.kind(),
            Self::Order { fact, .. } => fact.kind(),
            Self::Person { fact, .. } => fact.kind(),
            Self::Safeguarding { fact, .. } => fact.kind(),
            Self::Identification { fact, .. } => fact.kind(),
            Self::Care { fact, .. } => fact.kind(),
            Self::Custody { fact, .. } => fact.kind(),
            Self::Welfare { fact, .. } => fact.kind(),
            Self::Vote { fact, .. } => match fact {
                VoteFact::Voted { .. } => "voted",
                VoteFact::Withdrawn { .. } => "vote-withdrawn",
                VoteFact::SecondViewRequested { .. } => "second-view-requested",
                VoteFact::Imported { .. } => "category-imported",
                VoteFact::PolicySet(_) => Self::POLICY_SET,
            },
            Self::Review { fact, .. } => fact.kind(),
            Self::Staff { fact, .. } => fact.kind(),
            Self::Restored { .. } => "restored",
            Self::Looked(look) => match look.act {
                Act::Searched => "searched",
                Act::Viewed => "viewed",
                Act::Exported => "exported",
                Act::Printed => "printed",
                Act::Disclosed => "disclosed",
            },
        }
    }

    /// The person whom a fact is about: personal content in it stands under this person's key where it names nobody else.
    #[must_use]
    pub fn person(&self) -> Option<PersonId> {
        match self {
            Self::Person { person, .. } | Self::Welfare { person, .. } => Some(*person),
            Self::Safeguarding { subject, .. } => Some(subject.person()),
            Self::Identification { child, .. } | Self::Care { child, .. } => Some(*child),
            Self::Custody { suspect, .. } => Some(*suspect),
            _ => None,
        }
    }

    /// The child that a fact is about by itself, whatever else is known of that person.
    #[must_use]
    pub fn child(&self) -> Option<PersonId> {
        match self {
            Self::Person {
                person,
                fact: PersonFact::Made { roles, .. } | PersonFact::RolesStated { roles, .. },
                ..
            } => Some(*person).filter(|_| roles.contains(&PersonRole::Child)),
            Self::Safeguarding { subject: Subject::Child { child }, .. }
            | Self::Identification { child, .. }
            | Self::Care { child, .. } => Some(*child),
            _ => None,
        }
    }

    /// The ids of what it is about. A fact of an investigation names the investigation first.
    #[must_use]
    pub fn subjects(&self) -> Vec<String> {
        match self {
            Self::StoreMade { .. } | Self::Restored { .. } => vec![],
            Self::KeyMade { key, holder } | Self::KeyDestroyed { key, holder, .. } => {
                vec![holder.clone(), key.to_string()]
            }
            Self::AccountMade { user, .. }
            | Self::RolesSet { user, .. }
            | Self::AccountClosed { user, .. }
            | Self::SignInFailed { user, .. }
            | Self::PasswordSet { user } => vec![user.to_string()],
            Self::Risk { fact } => vec![fact.investigation().to_string()],
            Self::ExaminationAttached { investigation, exhibit, examination, result_digest, .. } => {
                vec![investigation.to_string(), exhibit.to_string(), examination.to_string(), result_digest.to_string()]
            }
            Self::Exhibit { investigation, exhibit, .. } => vec![investigation.to_string(), exhibit.to_string()],
            Self::Ip { investigation, ip, .. } => vec![investigation.to_string(), ip.to_string()],
            Self::Warrant { investigation, warrant, .. } => vec![investigation.to_string(), warrant.to_string()],
            // The device's own story tells what was decided and found about it.
            Self::Outcome { investigation, outcome, fact } => match fact {
                OutcomeFact::DeviceDecided { exhibit, .. } => {
                    vec![investigation.to_string(), exhibit.to_string(), outcome.to_string()]
                }
                _ => vec![investigation.to_string(), outcome.to_string()],
            },
            Self::Order { investigation, order, fact } => match fact {
                OrderFact::DeviceChecked { exhibit, examination, .. } => {
                    vec![investigation.to_string(), exhibit.to_string(), examination.to_string(), order.to_string()]
                }
                _ => vec![investigation.to_string(), order.to_string()],
            },
            // The other person's story tells it too; the person whom it is about comes last.
            Self::Person { investigation, person, fact } => std::iter::once(investigation.to_string())
                .chain(fact.other().map(|other| other.to_string()))
                .chain([person.to_string()])
                .collect(),
            Self::Safeguarding { investigation, safeguarding, subject, .. } => {
                vec![investigation.to_string(), subject.person().to_string(), safeguarding.to_string()]
            }
            Self::Identification { investigation, child, .. } | Self::Care { investigation, child, .. } => {
                vec![investigation.to_string(), child.to_string()]
            }
            Self::Custody { investigation, custody, suspect, .. } => {
                vec![investigation.to_string(), suspect.to_string(), custody.to_string()]
            }
            Self::Welfare { investigation, person, .. } => vec![investigation.to_string(), person.to_string()],
            // A vote hangs on the content. It is not put under the investigation too: a million votes would bury the
            // page that tells its story; the policy is part of that story.
            Self::Vote { investigation, fact } => match fact {
                VoteFact::PolicySet(_) => vec![investigation.to_string()],
                VoteFact::Voted { sha256, .. }
                | VoteFact::Withdrawn { sha256, .. }
                | VoteFact::SecondViewRequested { sha256, .. }
                | VoteFact::Imported { sha256, .. } => vec![sha256.to_string()],
            },
            // Tiles that were shown are in the account of who saw them, not in a story that anybody reads.
            Self::Review { investigation, fact } => match fact {
                ReviewFact::Veiled { .. } | ReviewFact::BreakTaken {} => vec![],
                ReviewFact::ClearBegan { sha256, .. } | ReviewFact::ClearEnded { sha256, .. } => {
                    vec![sha256.to_string()]
                }
                ReviewFact::CameraStated { exhibit, .. } => vec![investigation.to_string(), exhibit.to_string()],
                ReviewFact::Noted { sha256, .. } => vec![sha256.to_string()],
                // Rare, and to be seen by whoever reads the story of the investigation or of the device.
                ReviewFact::OriginalOpened { sha256, exhibit, .. } => {
                    vec![investigation.to_string(), exhibit.to_string(), sha256.to_string()]
                }
            },
            Self::ReferralReceived { referral, .. } => vec![referral.to_string()],
            Self::ReferralLinked { investigation, referral } => vec![investigation.to_string(), referral.to_string()],
            Self::ConflictNoted { subject, other, .. } => vec![subject.clone(), other.clone()],
            Self::InvestigationOpened { investigation, referrals, .. } => {
                std::iter::once(investigation.to_string()).chain(referrals.iter().map(ToString::to_string)).collect()
            }
            Self::MemberAdded { investigation, user } | Self::MemberRemoved { investigation, user } => {
                vec![investigation.to_string(), user.to_string()]
            }
            Self::InvestigationClosed { investigation, .. }
            | Self::InvestigationReopened { investigation, .. }
            | Self::GlassBroken { investigation, .. } => vec![investigation.to_string()],
            Self::Staff { user, .. } => vec![user.map_or_else(|| Self::TEAM.to_owned(), |user| user.to_string())],
            Self::Looked(look) => look.at.clone(),
        }
    }
}
