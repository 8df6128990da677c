//! The review queue: what comes next for whom, votes, and undoing them.

use std::collections::BTreeMap;

use avocet_base::Sha256;
use serde::Serialize;

use super::Desk;
use super::media::{no_medium, no_policy};
use crate::at::At;
use crate::error::{RecordError, Result};
use crate::event::Event;
use crate::ids::{ExhibitId, InvestigationId, PersonId, UserId};
use crate::law::Right;
use crate::people::{PersonFact, PersonRole};
use crate::personal::Personal;
use crate::review::{InGroup, Near, Reason, ReviewFact, Said, Todo};
use crate::safeguard::{IdentificationFact, LeadKind, Strength};
use crate::staff::Rest;
use crate::store::{QueueRow, Tx, scheme_text, totals_of};
use crate::vote::{
    Basis, Category, GradingPolicy, Policy, Purpose, RequestReason, SchemeRef, VoteFact, WithdrawReason,
};

/// How long a content stays before the person who was given it, in minutes. After that others can have it.
pub const LEASE_MINUTES: i64 = 10;

/// How many contents a batch holds at most.
pub const LARGEST_BATCH: u32 = 100;

/// What a tile's border says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Border {
    /// Nobody and nothing has said anything.
    None,
    /// A set says something, and nobody decided.
    Dashed,
    /// It is decided.
    Solid,
    /// What is said differs.
    Double,
}

/// One content that somebody is to look at: file facts only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BatchItem {
    /// Its digest.
    pub sha256: Sha256,
    /// What is to be done.
    pub work: Todo,
    /// Why it is queued; none where only what people said brought it up.
    pub reason: Option<Reason>,
    /// `picture` or `video`.
    pub kind: String,
    /// `jpeg` and the like.
    pub format: Option<String>,
    /// Bytes.
    pub bytes: u64,
    /// Pixels in a row.
    pub width: Option<u64>,
    /// Rows of pixels.
    pub height: Option<u64>,
    /// `decoded`, `partial`, `undecodable`; none where it was not described. Only the first two have a tile.
    pub status: Option<String>,
    /// States of its files, such as `deleted`.
    pub states: Vec<String>,
    /// On which devices it is.
    pub exhibits: Vec<ExhibitId>,
    /// In how many files: one decision for all of them.
    pub files: u64,
    /// What sets say; empty where that is kept from the person who looks.
    pub said: Vec<Said>,
    /// The record of a set that it looks like; none where that is kept from the person who looks.
    pub near: Option<Near>,
    /// The near group that it is in.
    pub group: Option<InGroup>,
    /// The category that is proposed: of the picture that stands for its group, or of the record that it looks like.
    pub proposed: Option<String>,
    /// What its border says.
    pub border: Border,
}

/// What somebody has before them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Batch {
    /// The contents, in the queue's order.
    pub items: Vec<BatchItem>,
    /// Until when nobody else gets them.
    pub until: At,
    /// Whether nothing more is graded because the criteria of a streamlined policy are met.
    pub stopped: bool,
    /// The break that is proposed to this person, if one is. Where it says so, only what was before them already is given.
    pub rest: Option<Rest>,
    /// How far the work is.
    pub progress: Progress,
}

/// A camera that somebody stated to be that of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnCamera {
    /// The number of the entry.
    pub seq: u64,
    /// When.
    pub at: At,
    /// By whom.
    pub by: UserId,
    /// Of which device.
    pub exhibit: ExhibitId,
    /// Maker and model, as the pictures state them.
    pub model: String,
}

/// How far the review of an investigation is: what the quiet page between batches says. Nothing in it is about a person.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Progress {
    /// Different contents.
    pub contents: u64,
    /// Files with them.
    pub files: u64,
    /// Contents that nobody needs to look at because a set knows them.
    pub spared_by_match: u64,
    /// Files that nobody needs to look at because they are exact copies of another.
    pub spared_by_stacking: u64,
    /// Contents that can be accepted with the picture that stands for their group.
    pub in_groups: u64,
    /// Queued contents that are done.
    pub done: u64,
    /// Contents to grade, by why they are queued.
    pub to_grade: BTreeMap<Reason, u64>,
    /// Contents that need a second view.
    pub second_views: u64,
    /// Contents for a moderator.
    pub to_moderate: u64,
    /// Contents that the person passed over and that are still to be looked at.
    pub passed_over: u64,
}

impl Progress {
    /// How many contents are still to be looked at by anybody.
    #[must_use]
    pub fn left(&self) -> u64 {
        let to_grade = self.to_grade.values().fold(0u64, |sum, n| sum.saturating_add(*n));
        to_grade.saturating_add(self.second_views).saturating_add(self.to_moderate)
    }
}

/// What a vote gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Voted {
    /// Number of its entry.
    pub seq: u64,
    /// Where the content stands now.
    pub outcome: String,
}

/// What accepting a group gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Accepted {
    /// The category.
    pub category: String,
    /// What was accepted with the picture that stands for the group.
    pub accepted: Vec<Sha256>,
    /// What was not, because somebody else has it before them or it is decided already.
    pub left_out: Vec<Sha256>,
}

/// What undoing gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Undone {
    /// The contents whose votes were withdrawn, the last first; they are before the person again.
    pub withdrawn: Vec<Sha256>,
}

/// One picture of a near group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GroupMember {
    /// The picture.
    pub item: BatchItem,
    /// Whether the person was shown it, at least veiled.
    pub shown: bool,
    /// Whether somebody else has it before them.
    pub with_another: bool,
}

/// A near group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NearGroup {
    /// The picture that stands for it.
    pub representative: Sha256,
    /// The category that the person gave it by viewing it, which is proposed for the others.
    pub proposed: Option<String>,
    /// Its pictures, what stands for it first.
    pub members: Vec<GroupMember>,
}

fn minutes(n: i64) -> i64 {
    n.saturating_mul(60_000_000_000)
}

/// The person's own vote that stands on a content in the policy's scheme, given by viewing it.
async fn own_view(tx: &mut Tx<'_>, policy: &GradingPolicy, sha256: &Sha256) -> Result<Option<(u64, Category)>> {
    let me = tx.by();
    let item = tx.item_votes(sha256).await?;
    let own = item.history().filter(|(vote, end)| {
        vote.by == me && end.is_none() && vote.scheme == policy.scheme && matches!(vote.basis, Basis::Viewed {})
    });
    Ok(own.last().map(|(vote, _)| (vote.seq, vote.category.clone())))
}

fn item(row: QueueRow, work: Todo, policy: Option<&GradingPolicy>) -> BatchItem {
    let found = row.tile.found;
    let hidden = work == Todo::SecondView || row.reason.is_some_and(Reason::hides_what_is_said);
    let word = row.outcome.split(' ').next().unwrap_or_default();
    let border = match word {
        _ if work == Todo::SecondView => Border::None,
        "second-view" | "disagreement" => Border::Double,
        "undecided" | "" if !hidden && (!found.said.is_empty() || found.near.is_some()) => Border::Dashed,
        "undecided" | "" => Border::None,
        _ => Border::Solid,
    };
    let near = found.near.filter(|_| !hidden);
    let confirms = near
        .as_ref()
        .zip(policy)
        .filter(|(near, policy)| near.scheme == policy.scheme.id && near.scheme_version == policy.scheme.version);
    let proposed = confirms.and_then(|(near, _)| near.category.clone());
    BatchItem {
        sha256: row.sha256,
        work,
        reason: row.reason,
        kind: found.kind,
        format: found.format,
        bytes: found.bytes,
        width: found.width,
        height: found.height,
        status: found.status,
        states: found.states.into_iter().collect(),
        exhibits: row.tile.exhibits.into_iter().collect(),
        files: found.files,
        said: if hidden { vec![] } else { found.said.into_iter().collect() },
        near,
        group: found.group,
        proposed,
        border,
    }
}

/// Review.
impl Desk<'_> {
    /// The next contents for this person, at most `limit`, in the queue's order. What they have before them already comes
    /// again; nobody else gets any of it until [`LEASE_MINUTES`] have passed. What they passed over comes when nothing else
    /// is left. `work` says whether they grade, give second views or moderate.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn review_next(&self, investigation: InvestigationId, work: Todo, limit: u32) -> Result<Batch> {
        let right = if work == Todo::Moderate { Right::Moderate } else { Right::Vote };
        self.may(Right::ViewMedia, Some(investigation)).await?;
        let limit = limit.clamp(1, LARGEST_BATCH);
        let rest = self.rest(investigation).await?;
        let (held, mine) = (rest.as_ref().is_some_and(|rest| rest.held), self.user);
        // What is before somebody already stands anywhere in the queue's order.
        let asked = if held { LARGEST_BATCH } else { limit };
        let (items, until, stopped) = self
            .write(right, Some(investigation), async |tx| {
                tx.end_leases().await?;
                let until = At::from_ns(tx.at().ns().saturating_add(minutes(LEASE_MINUTES)));
                let policy = tx.policy(investigation).await?;
                if work == Todo::Grade && stopped(tx, policy.as_ref()).await? {
                    return Ok((vec![], until, true));
                }
                let scheme = policy.as_ref().map(|policy| scheme_text(&policy.scheme)).unwrap_or_default();
                let mut rows = tx.next_for(investigation, work, &scheme, false, asked).await?;
                let room = limit.saturating_sub(u32::try_from(rows.len()).unwrap_or(limit));
                if room > 0 && !held {
                    rows.extend(tx.next_for(investigation, work, &scheme, true, room).await?);
                }
                let mut items = Vec::with_capacity(rows.len());
                for row in rows {
                    if held && tx.lease_of(&row.sha256).await?.is_none_or(|lease| lease.by != mine) {
                        continue;
                    }
                    if !tx.lease(investigation, &row.sha256, work.number(), until).await? {
                        continue;
                    }
                    let mut item = item(row, work, policy.as_ref());
                    if let (Some(group), Some(policy)) = (&item.group, &policy)
                        && group.representative != item.sha256
                        && work == Todo::Grade
                    {
                        let own = own_view(tx, policy, &group.representative).await?;
                        item.proposed = own.map(|(_, category)| category.to_string()).or(item.proposed);
                    }
                    items.push(item);
                }
                Ok((items, until, false))
            })
            .await?;
        Ok(Batch { items, until, stopped, rest, progress: self.progress(investigation).await? })
    }

    /// In which scheme an investigation is graded; `None` where no policy was set.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn review_scheme(&self, investigation: InvestigationId) -> Result<Option<SchemeRef>> {
        self.may(Right::ReadInvestigation, Some(investigation)).await?;
        Ok(self.store.policy(investigation).await?.map(|policy| policy.scheme))
    }

    /// How far the review of an investigation is.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn progress(&self, investigation: InvestigationId) -> Result<Progress> {
        self.may(Right::ReadInvestigation, Some(investigation)).await?;
        let totals = self.store.totals(&totals_of(investigation)).await?;
        let of = |what: &str| totals.get(what).and_then(|n| u64::try_from(*n).ok()).unwrap_or(0);
        let mut progress = Progress {
            contents: of("contents"),
            files: of("files"),
            spared_by_match: of("spared by a match"),
            spared_by_stacking: of("files").saturating_sub(of("contents")),
            in_groups: of("in a group"),
            passed_over: self.store.passed(investigation, self.user).await?,
            ..Progress::default()
        };
        for reason in std::iter::once(None).chain(Reason::ALL.map(Some)) {
            let number = reason.map_or(0, Reason::number);
            let count = |todo: Todo| of(&format!("{} {number}", todo.number()));
            if let Some(reason) = reason {
                progress.done = progress.done.saturating_add(count(Todo::Nothing));
                if count(Todo::Grade) > 0 {
                    progress.to_grade.insert(reason, count(Todo::Grade));
                }
            }
            progress.second_views = progress.second_views.saturating_add(count(Todo::SecondView));
            progress.to_moderate = progress.to_moderate.saturating_add(count(Todo::Moderate));
        }
        Ok(progress)
    }

    /// How many contents of an investigation each person has before them now.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn review_leases(&self, investigation: InvestigationId) -> Result<BTreeMap<String, u64>> {
        self.may(Right::ReadInvestigation, Some(investigation)).await?;
        self.store.leases(investigation).await
    }

    /// Votes on a content that is before this person, by having viewed it. What the vote counts as follows from what it was
    /// given them for.
    ///
    /// # Errors
    /// [`RecordError::Refused`] where somebody else has it before them, or the investigation has no policy.
    pub async fn review_vote(
        &self,
        investigation: InvestigationId,
        sha256: Sha256,
        category: &Category,
    ) -> Result<Voted> {
        let (moderates, mine) = (self.holds(Right::Moderate), self.user);
        self.write(Right::Vote, Some(investigation), async |tx| {
            let Some((todo, _, _)) = tx.review_row(investigation, &sha256).await? else {
                return Err(no_medium(investigation, &sha256));
            };
            let lease = tx.lease_of(&sha256).await?;
            if lease.is_some_and(|lease| lease.by != mine && lease.ends > tx.at()) {
                return Err(with_another());
            }
            let policy = policy_of(tx, investigation).await?;
            let given_for = lease.filter(|lease| lease.by == mine).map_or(todo, |lease| lease.todo);
            let purpose = match given_for {
                2 => Purpose::SecondView,
                3 if moderates => Purpose::Moderation,
                _ => Purpose::Grading,
            };
            let asked_blind = lease.is_some_and(|lease| lease.by == mine && matches!(lease.todo, 1 | 2));
            let blind = purpose != Purpose::Moderation && (asked_blind || !tx.others_voted(&sha256).await?);
            let fact = VoteFact::Voted {
                investigation,
                sha256,
                scheme: policy.scheme,
                category: category.clone(),
                basis: Basis::Viewed {},
                purpose,
                blind,
            };
            let seq = tx.record(&Event::Vote { investigation, fact }).await?;
            tx.free_lease(&sha256).await?;
            tx.unpass(&sha256).await?;
            let outcome = tx.media(investigation, &sha256).await?.map(|row| row.outcome).unwrap_or_default();
            Ok(Voted { seq, outcome })
        })
        .await
    }

    /// The pictures that look the same as this one, what stands for them first, and the category that is proposed. Those
    /// that nobody else has are before this person from now on.
    ///
    /// # Errors
    /// [`RecordError::Unknown`] where it is in no group.
    pub async fn review_group(&self, investigation: InvestigationId, sha256: Sha256) -> Result<NearGroup> {
        self.may(Right::ViewMedia, Some(investigation)).await?;
        let mine = self.user;
        self.write(Right::Vote, Some(investigation), async |tx| {
            tx.end_leases().await?;
            let group = tx.review_row(investigation, &sha256).await?.and_then(|(_, _, group)| group);
            let Some(representative) = group else { return Err(no_medium(investigation, &sha256)) };
            let until = At::from_ns(tx.at().ns().saturating_add(minutes(LEASE_MINUTES)));
            let policy = tx.policy(investigation).await?;
            let proposed = match &policy {
                Some(policy) => own_view(tx, policy, &representative).await?.map(|(_, category)| category.to_string()),
                None => None,
            };
            let mut members = vec![];
            for row in tx.group(investigation, &representative).await? {
                let with_another = row.leased.is_some_and(|by| by != mine);
                if row.todo == Todo::Grade.number() && !with_another {
                    tx.lease(investigation, &row.row.sha256, row.todo, until).await?;
                }
                let work = if row.todo == Todo::Grade.number() { Todo::Grade } else { Todo::Nothing };
                let mut item = item(row.row, work, policy.as_ref());
                if item.sha256 != representative {
                    item.proposed = proposed.clone().or(item.proposed);
                }
                members.push(GroupMember { item, shown: row.shown, with_another });
            }
            Ok(NearGroup { representative, proposed, members })
        })
        .await
    }

    /// Accepts for the pictures of a near group the category that this person gave, by viewing it, to the picture that
    /// stands for the group.
    ///
    /// # Errors
    /// [`RecordError::Refused`] where this person has not graded that picture by viewing it, or was not shown every picture
    /// of the group, at least veiled.
    pub async fn review_accept(&self, investigation: InvestigationId, representative: Sha256) -> Result<Accepted> {
        let mine = self.user;
        self.write(Right::Vote, Some(investigation), async |tx| {
            let policy = policy_of(tx, investigation).await?;
            let Some((vote, category)) = own_view(tx, &policy, &representative).await? else {
                return Err(RecordError::Refused(
                    "you have not graded the picture that stands for the group by viewing it; grade it first".into(),
                ));
            };
            all_shown(tx, investigation, &representative).await?;
            // The same name is given to what is accepted with the same vote, so that it can be undone as one.
            let name = format!("{}/{vote}", representative.to_string().get(..16).unwrap_or_default());
            let (mut accepted, mut left_out) = (vec![], vec![]);
            for row in tx.group(investigation, &representative).await? {
                let sha256 = row.row.sha256;
                if sha256 == representative {
                    continue;
                }
                let with_another = row.leased.is_some_and(|by| by != mine);
                if row.todo != Todo::Grade.number() || with_another {
                    left_out.push(sha256);
                    continue;
                }
                let fact = VoteFact::Voted {
                    investigation,
                    sha256,
                    scheme: policy.scheme.clone(),
                    category: category.clone(),
                    basis: Basis::AcceptedInGroup { group: name.clone(), representative },
                    purpose: Purpose::Grading,
                    blind: false,
                };
                tx.record(&Event::Vote { investigation, fact }).await?;
                tx.free_lease(&sha256).await?;
                tx.unpass(&sha256).await?;
                accepted.push(sha256);
            }
            Ok(Accepted { category: category.to_string(), accepted, left_out })
        })
        .await
    }

    /// Withdraws this person's last vote in the investigation that still stands, or everything that was accepted in a group
    /// with it. It can be done again and again, back to the first vote; nothing is overwritten. What was voted on is before
    /// the person again.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn review_undo(&self, investigation: InvestigationId) -> Result<Undone> {
        self.write(Right::Vote, Some(investigation), async |tx| {
            tx.end_leases().await?;
            let until = At::from_ns(tx.at().ns().saturating_add(minutes(LEASE_MINUTES)));
            let mut withdrawn = vec![];
            for (sha256, vote) in tx.last_act(investigation).await? {
                let fact = VoteFact::Withdrawn { sha256, vote, reason: WithdrawReason::Slip, note: None };
                tx.record(&Event::Vote { investigation, fact }).await?;
                let todo = tx.review_row(investigation, &sha256).await?.map_or(0, |(todo, _, _)| todo);
                if todo != 0 {
                    tx.lease(investigation, &sha256, todo, until).await?;
                }
                withdrawn.push(sha256);
            }
            Ok(Undone { withdrawn })
        })
        .await
    }

    /// Passes a content over: others can have it, and this person gets it again when nothing else is left.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn review_skip(&self, investigation: InvestigationId, sha256: Sha256) -> Result<()> {
        self.write(Right::Vote, Some(investigation), async |tx| {
            if tx.review_row(investigation, &sha256).await?.is_none() {
                return Err(no_medium(investigation, &sha256));
            }
            tx.pass(&sha256).await?;
            tx.free_lease(&sha256).await
        })
        .await
    }

    /// Gives back everything that is before this person in an investigation.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn review_leave(&self, investigation: InvestigationId) -> Result<()> {
        self.write(Right::Vote, Some(investigation), async |tx| tx.free_leases(investigation).await).await
    }

    /// Asks for a second, blind view by somebody else, and passes the content over. Answers the number of the entry.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn review_flag(
        &self,
        investigation: InvestigationId,
        sha256: Sha256,
        reason: RequestReason,
        note: Option<&str>,
    ) -> Result<u64> {
        self.write(Right::Vote, Some(investigation), async |tx| {
            if tx.media(investigation, &sha256).await?.is_none() {
                return Err(no_medium(investigation, &sha256));
            }
            let scheme = policy_of(tx, investigation).await?.scheme;
            let note = sealed(tx, investigation, note).await?;
            let fact = VoteFact::SecondViewRequested { investigation, sha256, scheme, reason, note };
            let seq = tx.record(&Event::Vote { investigation, fact }).await?;
            tx.pass(&sha256).await?;
            tx.free_lease(&sha256).await?;
            Ok(seq)
        })
        .await
    }

    /// Writes something down about a content, sealed under the investigation's key. Answers the number of the entry.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn review_note(&self, investigation: InvestigationId, sha256: Sha256, note: &str) -> Result<u64> {
        if note.trim().is_empty() {
            return Err(RecordError::Refused("the note is empty; write something, or leave it".into()));
        }
        self.write(Right::Vote, Some(investigation), async |tx| {
            if tx.media(investigation, &sha256).await?.is_none() {
                return Err(no_medium(investigation, &sha256));
            }
            let note = tx.key_of(&investigation.to_string()).await?.seal(&note.to_owned())?;
            tx.record(&Event::Review { investigation, fact: ReviewFact::Noted { sha256, note } }).await
        })
        .await
    }

    /// What was written down about a content in an investigation: number of the entry, when, by whom, and the note where its
    /// key is still there. The look is recorded.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn review_notes(
        &self,
        investigation: InvestigationId,
        sha256: Sha256,
    ) -> Result<Vec<(u64, At, UserId, Option<String>)>> {
        self.may(Right::ViewMedia, Some(investigation)).await?;
        if self.store.media(investigation, &sha256).await?.is_none() {
            return Err(no_medium(investigation, &sha256));
        }
        let at = vec![investigation.to_string(), sha256.to_string()];
        self.looked(crate::event::Act::Viewed, at, "notes on a medium", 1).await?;
        let mut notes = vec![];
        for recorded in self.store.facts(&sha256.to_string()).await? {
            if let Event::Review { investigation: of, fact: ReviewFact::Noted { note, .. } } = &recorded.fact
                && *of == investigation
            {
                let note = self.store.open_personal(note).await?;
                notes.push((recorded.seq, recorded.at, recorded.by, note));
            }
        }
        Ok(notes)
    }

    /// Says that there is a child in a content who may be found: begins the child's record with the content as its first
    /// lead, or adds the content to a child's record of this investigation. Whoever grades may do it; nothing delays it.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn review_identify(
        &self,
        investigation: InvestigationId,
        sha256: Sha256,
        child: Option<PersonId>,
        note: Option<&str>,
    ) -> Result<PersonId> {
        self.may(Right::ViewMedia, Some(investigation)).await?;
        if let Some(child) = child
            && (self.store.part_of(&child.to_string()).await? != Some(investigation)
                || !self.store.is_child(child).await?)
        {
            return Err(RecordError::Unknown { what: child.to_string() });
        }
        self.write(Right::RecordSafeguarding, Some(investigation), async |tx| {
            if tx.media(investigation, &sha256).await?.is_none() {
                return Err(no_medium(investigation, &sha256));
            }
            let (child, lead) = match child {
                Some(child) => {
                    let facts = tx.facts(&child.to_string()).await?;
                    let leads = facts.iter().filter_map(|recorded| match &recorded.fact {
                        Event::Identification { fact: IdentificationFact::Lead { lead, .. }, .. } => Some(*lead),
                        _ => None,
                    });
                    (child, leads.max().unwrap_or(0).saturating_add(1))
                }
                None => {
                    let person = PersonId::new(tx.give(PersonId::PREFIX).await?);
                    let fact =
                        PersonFact::Made { known: tx.at(), roles: [PersonRole::Child].into(), unidentified: true };
                    tx.record(&Event::Person { investigation, person, fact }).await?;
                    (person, 1)
                }
            };
            let fact = IdentificationFact::SeenIn { media: vec![sha256] };
            tx.record(&Event::Identification { investigation, child, fact }).await?;
            let note = match note {
                Some(note) => Some(tx.key_of(&child.to_string()).await?.seal(&note.to_owned())?),
                None => None,
            };
            let (kind, strength) = (LeadKind::Other, Strength::Weak);
            let fact = IdentificationFact::Lead { lead, kind, strength, media: Some(sha256), seen_in: None, note };
            tx.record(&Event::Identification { investigation, child, fact }).await?;
            Ok(child)
        })
        .await
    }

    /// States that a camera, by what pictures say of it, is that of a device of the investigation: unknown pictures by it
    /// come first. Answers the number of the entry.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn state_camera(&self, investigation: InvestigationId, exhibit: ExhibitId, model: &str) -> Result<u64> {
        if model.trim().is_empty() {
            return Err(RecordError::Refused("name the camera as the pictures do: maker and model".into()));
        }
        self.write(Right::RecordExhibit, Some(investigation), async |tx| {
            if tx.part_of(&exhibit.to_string()).await? != Some(investigation) {
                return Err(RecordError::Unknown { what: exhibit.to_string() });
            }
            let fact = ReviewFact::CameraStated { exhibit, model: model.to_owned() };
            tx.record(&Event::Review { investigation, fact }).await
        })
        .await
    }

    /// The cameras that somebody stated to be those of devices of the investigation, in the order of their entries.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn own_cameras(&self, investigation: InvestigationId) -> Result<Vec<OwnCamera>> {
        self.may(Right::ReadInvestigation, Some(investigation)).await?;
        let facts = self.store.facts_of_kind(&investigation.to_string(), Event::CAMERA_STATED).await?;
        let stated = facts.into_iter().filter_map(|recorded| match recorded.fact {
            Event::Review { fact: ReviewFact::CameraStated { exhibit, model }, .. } => {
                Some(OwnCamera { seq: recorded.seq, at: recorded.at, by: recorded.by, exhibit, model })
            }
            _ => None,
        });
        Ok(stated.collect())
    }

    /// Records that veiled tiles of these contents were shown to this person: to be called once for each batch that was
    /// delivered. Answers the number of the entry.
    ///
    /// # Errors
    /// [`RecordError::Unknown`] where one is none of this investigation.
    pub async fn tiles_shown(&self, investigation: InvestigationId, media: &[Sha256]) -> Result<u64> {
        self.write(Right::ViewMedia, Some(investigation), async |tx| {
            for sha256 in media {
                if tx.media(investigation, sha256).await?.is_none() {
                    return Err(no_medium(investigation, sha256));
                }
            }
            tx.record(&Event::Review { investigation, fact: ReviewFact::Veiled { media: media.to_vec() } }).await
        })
        .await
    }
}

fn with_another() -> RecordError {
    RecordError::Refused("somebody else has this content before them now; take the next one".into())
}

async fn policy_of(tx: &mut Tx<'_>, investigation: InvestigationId) -> Result<GradingPolicy> {
    tx.policy(investigation).await?.ok_or_else(|| no_policy(investigation))
}

async fn sealed(
    tx: &mut Tx<'_>,
    investigation: InvestigationId,
    text: Option<&str>,
) -> Result<Option<Personal<String>>> {
    match text {
        Some(text) => Ok(Some(tx.key_of(&investigation.to_string()).await?.seal(&text.to_owned())?)),
        None => Ok(None),
    }
}

/// Whether the criteria of a streamlined policy are met, so that nothing more is to be graded.
async fn stopped(tx: &mut Tx<'_>, policy: Option<&GradingPolicy>) -> Result<bool> {
    let Some(GradingPolicy { investigation, policy: Policy::Streamlined { stop: Some(stop), .. }, .. }) = policy else {
        return Ok(false);
    };
    let totals = tx.totals(&investigation.to_string()).await?;
    let settled = |category: &Category| {
        let folded = category.as_str().to_lowercase();
        let of = totals.iter().filter(|(what, _)| {
            let mut words = what.splitn(3, ' ').skip(1);
            matches!(words.next(), Some("decided" | "to-moderate" | "moderated"))
                && words.next().is_some_and(|code| code.to_lowercase() == folded)
        });
        of.map(|(_, n)| u64::try_from(*n).unwrap_or(0)).fold(0u64, u64::saturating_add)
    };
    let own = u64::from(tx.any_to_grade(*investigation, Reason::OwnCamera).await?);
    Ok(stop.met(settled, own))
}

async fn all_shown(tx: &mut Tx<'_>, investigation: InvestigationId, representative: &Sha256) -> Result<()> {
    match tx.not_shown(investigation, representative).await? {
        0 => Ok(()),
        n => Err(RecordError::Refused(format!(
            "{} of this group not shown to you yet, not even veiled; look at all of them first",
            avocet_base::plural(n, "picture was", "pictures were")
        ))),
    }
}

/// What a vote must meet whoever brings it: that it was accepted in a group is taken only from somebody who was shown the
/// whole group and graded what stands for it, and that it was blind only from somebody who asked for a view without the
/// votes, or where nobody else has voted.
pub(super) async fn gate(tx: &mut Tx<'_>, investigation: InvestigationId, fact: &VoteFact) -> Result<()> {
    let VoteFact::Voted { sha256, scheme, category, basis, blind, .. } = fact else { return Ok(()) };
    if let Basis::AcceptedInGroup { representative, .. } = basis {
        let group = tx.review_row(investigation, sha256).await?.and_then(|(_, _, group)| group);
        if group != Some(*representative) || representative == sha256 {
            return Err(RecordError::Refused(
                "no examination of this investigation says that these two look the same; view the picture".into(),
            ));
        }
        all_shown(tx, investigation, representative).await?;
        let mine = tx.by();
        let votes = tx.item_votes(representative).await?;
        let alike = votes.history().any(|(vote, end)| {
            vote.by == mine
                && end.is_none()
                && vote.scheme == *scheme
                && vote.category == *category
                && matches!(vote.basis, Basis::Viewed {})
        });
        if !alike {
            return Err(RecordError::Refused(
                "you have not given this category to the picture that stands for the group by viewing it; do that first"
                    .into(),
            ));
        }
    }
    if *blind && tx.others_voted(sha256).await? {
        let asked = tx.lease_of(sha256).await?.is_some_and(|lease| lease.by == tx.by() && lease.todo != 3);
        if !asked {
            return Err(RecordError::Refused(
                "a blind view is one that was asked for: take the content from `avocet review next --work second`, \
                 where no vote is shown, or record the vote as not blind"
                    .into(),
            ));
        }
    }
    Ok(())
}
