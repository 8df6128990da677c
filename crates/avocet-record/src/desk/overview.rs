//! One investigation as a whole: what there is, what does not fit, and what is missing, for the page that tells its story.

use std::collections::{BTreeMap, BTreeSet};

use super::exhibit::exhibits_in;
use super::{CustodyShown, Desk, Exhibit, IpEventShown, OrderShown, OutcomeShown, SafeguardingShown, WarrantShown};
use crate::at::{At, Recorded};
use crate::case::Case;
use crate::error::{RecordError, Result};
use crate::event::{Act, Event};
use crate::ids::{ExaminationId, ExhibitId, InvestigationId, PersonId, ReferralId, UserId};
use crate::law::Right;
use crate::people::PersonRole;
use crate::risk::{Danger, LevelId, RiskState};
use crate::safeguard::Subject;
use crate::vote::{GradingPolicy, VoteFact};

/// A sealed examination that was attached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    /// Which.
    pub id: ExaminationId,
    /// Of which exhibit.
    pub exhibit: ExhibitId,
    /// When.
    pub at: At,
    /// By whom.
    pub by: UserId,
    /// Its result digest.
    pub result_digest: avocet_base::Sha256,
    /// SHA-256 of the sealed file.
    pub file_digest: avocet_base::Sha256,
    /// The public key that signed its seal.
    pub signed_by: Option<String>,
    /// How many media there are in it.
    pub media: u64,
    /// In how many files.
    pub files: u64,
    /// The examination that it takes the place of.
    pub replaces: Option<ExaminationId>,
    /// The examination that took its place.
    pub replaced_by: Option<ExaminationId>,
    /// Whether it had not ended: not everything was read when it was sealed.
    pub interim: bool,
    /// How many contents that the replaced one had are not in it.
    pub gone: u64,
}

impl Attached {
    /// Whether it stands, and its examination had not ended: the whole one is to be attached in its place.
    #[must_use]
    pub fn awaits_the_whole(&self) -> bool {
        self.interim && self.replaced_by.is_none()
    }
}

/// One investigation. No personal content is in it.
#[derive(Debug, Clone)]
pub struct Overview {
    /// Which.
    pub id: InvestigationId,
    /// What the team calls it.
    pub title: String,
    /// Who leads it.
    pub owner: UserId,
    /// When the first report was received.
    pub received: At,
    /// When it was opened.
    pub opened: At,
    /// Who works on it.
    pub members: BTreeSet<UserId>,
    /// Its referrals.
    pub referrals: BTreeSet<ReferralId>,
    /// Its risk.
    pub risk: RiskState,
    /// What does not fit about the risk.
    pub risk_findings: Vec<String>,
    /// Its IP events, without the source's words.
    pub ip_events: Vec<IpEventShown>,
    /// Its warrants.
    pub warrants: Vec<WarrantShown>,
    /// Its exhibits, those left at a scene too.
    pub exhibits: Vec<Exhibit>,
    /// Its examinations, oldest first.
    pub examinations: Vec<Attached>,
    /// How it is graded.
    pub policy: Option<GradingPolicy>,
    /// How many media there are by outcome and category.
    pub totals: BTreeMap<String, i64>,
    /// Its suspects.
    pub suspects: BTreeSet<PersonId>,
    /// How many records of children there are; how many children, nobody's page says.
    pub children: u64,
    /// What does not fit about its people, those that may be seen.
    pub people_findings: Vec<(PersonId, String)>,
    /// Its lines of safeguarding, those that may be seen.
    pub safeguarding: Vec<SafeguardingShown>,
    /// How many lines of safeguarding may not be seen.
    pub safeguarding_withheld: u64,
    /// Arrests and interviews.
    pub custody: Vec<CustodyShown>,
    /// Its outcomes.
    pub outcomes: Vec<OutcomeShown>,
    /// Its orders.
    pub orders: Vec<OrderShown>,
    /// Whether it was closed and nothing opened it again.
    pub closed: bool,
    /// The last entry about it.
    pub last: u64,
}

/// What stands at the top of every page of an investigation. No personal content is in it.
#[derive(Debug, Clone)]
pub struct Head {
    /// Which.
    pub id: InvestigationId,
    /// What the team calls it.
    pub title: String,
    /// Who leads it.
    pub owner: UserId,
    /// When the first report was received.
    pub received: At,
    /// The level that stands.
    pub level: Option<LevelId>,
    /// What was stated last about danger.
    pub danger: Option<Danger>,
    /// Whether it was closed and nothing opened it again.
    pub closed: bool,
}

/// What an investigation is opened with, and what stands around it.
#[derive(Debug)]
struct Frame {
    title: String,
    owner: UserId,
    received: At,
    opened: At,
    members: BTreeSet<UserId>,
    referrals: BTreeSet<ReferralId>,
    examinations: Vec<Attached>,
    policy: Option<GradingPolicy>,
}

impl Frame {
    fn of(facts: &[Recorded<Event>]) -> Option<Self> {
        let mut frame = facts.iter().find_map(|recorded| match &recorded.fact {
            Event::InvestigationOpened { owner, received, title, referrals, .. } => Some(Self {
                title: title.clone(),
                owner: *owner,
                received: *received,
                opened: recorded.at,
                members: BTreeSet::from([*owner]),
                referrals: referrals.iter().copied().collect(),
                examinations: vec![],
                policy: None,
            }),
            _ => None,
        })?;
        for recorded in facts {
            match &recorded.fact {
                Event::MemberAdded { user, .. } => {
                    frame.members.insert(*user);
                }
                Event::MemberRemoved { user, .. } => {
                    frame.members.remove(user);
                }
                Event::ReferralLinked { referral, .. } => {
                    frame.referrals.insert(*referral);
                }
                Event::Vote { fact: VoteFact::PolicySet(policy), .. } => frame.policy = Some(policy.clone()),
                Event::ExaminationAttached { .. } => add_attached(&mut frame.examinations, recorded),
                _ => {}
            }
        }
        Some(frame)
    }
}

/// Adds an examination to those that were attached before it, and says which of them it takes the place of.
fn add_attached(before: &mut Vec<Attached>, recorded: &Recorded<Event>) {
    let Some(attached) = attached(recorded) else { return };
    for replaced in before.iter_mut().filter(|before| Some(before.id) == attached.replaces) {
        replaced.replaced_by = Some(attached.id);
    }
    before.push(attached);
}

/// The examinations among these facts, oldest first.
pub(super) fn attached_in(facts: &[Recorded<Event>]) -> Vec<Attached> {
    facts.iter().fold(vec![], |mut all, recorded| {
        add_attached(&mut all, recorded);
        all
    })
}

fn attached(recorded: &Recorded<Event>) -> Option<Attached> {
    let Event::ExaminationAttached {
        exhibit,
        examination,
        result_digest,
        file_digest,
        signed_by,
        media,
        files,
        replaces,
        interim,
        gone,
        ..
    } = &recorded.fact
    else {
        return None;
    };
    Some(Attached {
        id: *examination,
        exhibit: *exhibit,
        at: recorded.at,
        by: recorded.by,
        result_digest: *result_digest,
        file_digest: *file_digest,
        signed_by: signed_by.clone(),
        media: *media,
        files: *files,
        replaces: *replaces,
        replaced_by: None,
        interim: *interim,
        gone: *gone,
    })
}

impl Desk<'_> {
    /// What stands at the top of every page of an investigation: what its row repeats, so that no look is recorded for it.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn head(&self, investigation: InvestigationId) -> Result<Head> {
        self.may(Right::ReadInvestigation, Some(investigation)).await?;
        let row = self.store.investigation(investigation).await?;
        Ok(Head {
            id: row.id,
            title: row.item.title,
            owner: row.owner,
            received: row.received,
            level: row.item.level,
            danger: row.item.danger.map(|(danger, ..)| danger),
            closed: row.item.closed,
        })
    }

    /// One investigation as a whole, from one reading of its facts. One look is recorded.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn overview(&self, investigation: InvestigationId) -> Result<Overview> {
        self.may(Right::ReadInvestigation, Some(investigation)).await?;
        let restricted = self.may(Right::RestrictedChild, Some(investigation)).await.is_ok();
        let facts = self.store.facts(&investigation.to_string()).await?;
        self.looked(Act::Viewed, vec![investigation.to_string()], "its summary", 1).await?;
        let unknown = || RecordError::Unknown { what: investigation.to_string() };
        let frame = Frame::of(&facts).ok_or_else(unknown)?;
        let ip_events = self.ip_events_in(&facts, false).await?;
        let warrants = self.warrants_in(&facts, &ip_events);
        let risk = self.risk_in(investigation, &facts).await?;
        let case = Case::of(&facts);
        let people: Vec<PersonId> =
            case.people.keys().copied().filter(|id| restricted || !case.is_child(*id)).collect();
        let findings =
            |id: &PersonId| case.findings_of(*id, self.law).into_iter().map(|found| (*id, found)).collect::<Vec<_>>();
        let is_suspect =
            |id: &PersonId| case.people.get(id).is_some_and(|file| file.person.roles().contains(&PersonRole::Suspect));
        let (mut safeguarding, mut withheld) = (vec![], 0u64);
        for (id, state) in &case.safeguarding {
            match state.subject() {
                Some(Subject::Work { .. }) => {}
                _ if restricted => {}
                _ => {
                    withheld = withheld.saturating_add(1);
                    continue;
                }
            }
            let findings = case.findings_about(*id, self.law);
            safeguarding.push(SafeguardingShown { id: *id, state: state.clone(), findings });
        }
        let children = case.people.keys().filter(|id| case.is_child(**id)).count();
        Ok(Overview {
            id: investigation,
            title: frame.title,
            owner: frame.owner,
            received: frame.received,
            opened: frame.opened,
            members: frame.members,
            referrals: frame.referrals,
            risk_findings: risk.findings(&self.law.risk_levels).iter().map(ToString::to_string).collect(),
            risk,
            ip_events,
            warrants,
            exhibits: exhibits_in(&facts),
            examinations: frame.examinations,
            policy: frame.policy,
            totals: self.store.totals(&investigation.to_string()).await?,
            suspects: case.people.keys().copied().filter(is_suspect).collect(),
            children: u64::try_from(children).unwrap_or(u64::MAX),
            people_findings: people.iter().flat_map(findings).collect(),
            safeguarding,
            safeguarding_withheld: withheld,
            custody: case
                .custody
                .iter()
                .map(|(id, state)| CustodyShown { id: *id, state: state.clone(), findings: case.findings_on(*id) })
                .collect(),
            outcomes: self.outcomes_in(&facts),
            orders: self.orders_in(&facts),
            closed: self.store.investigation(investigation).await?.item.closed,
            last: facts.last().map_or(0, |recorded| recorded.seq),
        })
    }

    /// Whether a content is one of an investigation's media, where the person may see media at all: a content of one
    /// investigation is never given out through another.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn has_medium(&self, investigation: InvestigationId, sha256: avocet_base::Sha256) -> Result<bool> {
        self.may(Right::ViewMedia, Some(investigation)).await?;
        Ok(self.store.media(investigation, &sha256).await?.is_some())
    }
}
