//! Examinations attached to exhibits, the media they found, and votes.

use std::collections::BTreeMap;
use std::path::Path;

use avocet_base::Sha256;

use super::Desk;
use super::found::ReadExamination;
use super::overview::{Attached, attached_in};
use crate::at::Recorded;
use crate::digest;
use crate::error::{RecordError, Result};
use crate::event::{Act, Event};
use crate::ids::{ExaminationId, ExhibitId, InvestigationId};
use crate::law::Right;
use crate::store::{MediaRow, Tx};
use crate::vote::{GradingPolicy, Moderation, Outcome, Policy, Purpose, SchemeRef, Seed, Standing, VoteFact};

/// Where a medium was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaPlace {
    /// In which examination.
    pub examination: ExaminationId,
    /// Of which exhibit.
    pub exhibit: ExhibitId,
    /// In how many files.
    pub files: u64,
}

/// What was attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttachedNow {
    /// As which examination.
    pub examination: ExaminationId,
    /// Whether it had not ended: the whole one is to be attached in its place.
    pub interim: bool,
    /// The examination whose place it takes.
    pub replaces: Option<ExaminationId>,
    /// How many contents that the replaced one had are not in it, and so no longer count for the exhibit.
    pub gone: u64,
}

/// Whether an examination of an exhibit may take the place of this one, or of none.
fn may_replace(before: &[Attached], exhibit: ExhibitId, replaces: Option<ExaminationId>, interim: bool) -> Result<()> {
    let refused = |why: String| Err(RecordError::Refused(why));
    if let Some(wanted) = replaces {
        match before.iter().find(|before| before.id == wanted) {
            None => {
                return refused(format!(
                    "{wanted} is no examination of this investigation, so nothing can take its place"
                ));
            }
            Some(of) if of.exhibit != exhibit => {
                return refused(format!(
                    "{wanted} is of {}: an examination of {exhibit} does not take its place",
                    of.exhibit
                ));
            }
            Some(Attached { replaced_by: Some(after), .. }) => {
                return refused(format!("{after} took the place of {wanted} already: name the one that stands now"));
            }
            Some(of) if interim && !of.interim => {
                return refused(format!(
                    "{wanted} is whole, and this one is interim: it does not take the place of a whole one"
                ));
            }
            Some(_) => {}
        }
    }
    match before.iter().find(|of| of.exhibit == exhibit && of.awaits_the_whole() && Some(of.id) != replaces) {
        Some(of) => refused(format!(
            "{} is an interim result of {exhibit}, and beside it contents would count twice: attach this one in its place",
            of.id
        )),
        None => Ok(()),
    }
}

/// Nobody stated yet how an investigation is graded.
pub(super) fn no_policy(investigation: InvestigationId) -> RecordError {
    RecordError::Refused(format!("{investigation} has no grading policy yet; `avocet grading policy` sets one"))
}

/// An investigation does not have a content.
pub(super) fn no_medium(investigation: InvestigationId, sha256: &Sha256) -> RecordError {
    RecordError::Unknown { what: format!("medium {sha256} in {investigation}") }
}

impl Desk<'_> {
    /// Verifies a sealed examination and attaches it to an exhibit. The media it found become items of the investigation.
    /// `replaces` is the earlier examination of which this is a rematch or a repetition, or the interim result of which this
    /// is a later one or the whole: votes stay, contents that only the earlier one had no longer count, and how many those
    /// are is answered and stands in the entry.
    ///
    /// # Errors
    /// [`RecordError::Refused`] where the file does not verify, is not the one with the digest `expect`, or is attached
    /// already; where what it replaces is not of the exhibit, has been replaced, or is whole and this one is interim; and
    /// where an interim result of the exhibit would stand beside it, so that contents would count twice.
    pub async fn attach_examination(
        &self,
        investigation: InvestigationId,
        exhibit: ExhibitId,
        file: &Path,
        expect: Option<Sha256>,
        replaces: Option<ExaminationId>,
    ) -> Result<AttachedNow> {
        let permit = self.may(Right::AttachExamination, Some(investigation)).await?;
        let mut read = ReadExamination::read(file, expect)?;
        self.store
            .write(permit, async |tx| {
                tx.investigation(investigation).await?;
                if tx.part_of(&exhibit.to_string()).await? != Some(investigation) {
                    return Err(RecordError::Unknown { what: exhibit.to_string() });
                }
                if let Some(at) = tx.examination_with(&read.digest).await? {
                    return Err(RecordError::Refused(format!("this examination is attached already, as {at}")));
                }
                let before = attached_in(&tx.facts_of_kind(investigation, Event::EXAMINATION_ATTACHED).await?);
                may_replace(&before, exhibit, replaces, read.interim)?;
                let gone = match replaces {
                    Some(before) => read.lacks(&tx.document(&format!("media {before}")).await?),
                    None => 0,
                };
                let examination = ExaminationId::new(tx.give(ExaminationId::PREFIX).await?);
                let (media, review) = read.lists(tx)?;
                tx.add_document(&format!("media {examination}"), media.as_bytes()).await?;
                tx.add_document(&format!("review {examination}"), review.as_bytes()).await?;
                tx.record(&Event::ExaminationAttached {
                    investigation,
                    exhibit,
                    examination,
                    result_digest: read.digest,
                    file_digest: read.file_digest,
                    signed_by: read.signed_by.clone(),
                    media_list: digest(media.as_bytes()),
                    review_list: Some(digest(review.as_bytes())),
                    media: read.media(),
                    files: read.files,
                    replaces,
                    interim: read.interim,
                    gone,
                })
                .await?;
                Ok(AttachedNow { examination, interim: read.interim, replaces, gone })
            })
            .await
    }

    /// The interim results that stand in an investigation: their examinations had not ended, and the whole ones are still to
    /// be attached in their place.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn interim_results(&self, investigation: InvestigationId) -> Result<Vec<Attached>> {
        self.may(Right::ReadInvestigation, Some(investigation)).await?;
        let facts = self.store.facts_of_kind(&investigation.to_string(), Event::EXAMINATION_ATTACHED).await?;
        let mut all = attached_in(&facts);
        all.retain(Attached::awaits_the_whole);
        Ok(all)
    }

    /// Whether a sealed result is attached, to an exhibit of this investigation or of another, and so not to be removed.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn is_attached(&self, investigation: InvestigationId, result: Sha256) -> Result<bool> {
        self.may(Right::ReadInvestigation, Some(investigation)).await?;
        Ok(self.store.examination_with(&result).await?.is_some())
    }

    /// States how an investigation is graded, by a row of `grading.toml`.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn set_policy(
        &self,
        investigation: InvestigationId,
        policy: Policy,
        scheme: SchemeRef,
        rule: &str,
        reason: &str,
    ) -> Result<u64> {
        self.set_policy_with(investigation, policy, scheme, rule, None, reason).await
    }

    /// As [`Desk::set_policy`], with another dip sample than the rule's: how many in a thousand known items are looked at all
    /// the same. The seed stays that of the earlier policy, so that the samples stay what they were.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn set_policy_with(
        &self,
        investigation: InvestigationId,
        policy: Policy,
        scheme: SchemeRef,
        rule: &str,
        dip_per_1000: Option<u32>,
        reason: &str,
    ) -> Result<u64> {
        self.may(Right::SetGradingPolicy, Some(investigation)).await?;
        let table = &self.law.grading;
        let row = table.row(rule).ok_or_else(|| RecordError::Refused(format!("there is no grading rule {rule:?}")))?;
        if dip_per_1000.is_some_and(|share| share > 1000) {
            return Err(RecordError::Refused("a dip sample is 0 to 1000 of a thousand".into()));
        }
        let seed = match self.store.policy(investigation).await? {
            Some(before) => before.seed,
            None => Seed(crate::keys::random()?),
        };
        let fact = VoteFact::PolicySet(GradingPolicy {
            investigation,
            policy,
            scheme,
            rule: row.value.clone(),
            rule_from: GradingPolicy::reference(table, row),
            seed,
            dip_per_1000,
            reason: reason.to_owned(),
        });
        self.record_event(&Event::Vote { investigation, fact }, None).await
    }

    /// How an investigation is graded.
    pub(super) async fn policy_of(&self, investigation: InvestigationId) -> Result<GradingPolicy> {
        self.store.policy(investigation).await?.ok_or_else(|| no_policy(investigation))
    }

    /// The scheme that an investigation states its categories in.
    ///
    /// # Errors
    /// [`RecordError::Refused`] where no policy was set.
    pub async fn scheme_of(&self, investigation: InvestigationId) -> Result<SchemeRef> {
        self.may(Right::ReadInvestigation, Some(investigation)).await?;
        Ok(self.policy_of(investigation).await?.scheme)
    }

    /// Records a vote, its withdrawal, a request for a second view, or what an imported set says.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn record_vote(&self, investigation: InvestigationId, fact: VoteFact) -> Result<u64> {
        self.record_event(&Event::Vote { investigation, fact }, None).await
    }

    /// Where a medium stands, and where it was found in the investigations that this person may see. The look is
    /// recorded.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn medium(
        &self,
        investigation: InvestigationId,
        sha256: Sha256,
    ) -> Result<(MediaRow, Option<Standing>, Vec<MediaPlace>)> {
        self.may(Right::ViewMedia, Some(investigation)).await?;
        self.looked(Act::Viewed, vec![investigation.to_string(), sha256.to_string()], "facts of a medium", 1).await?;
        let row = self.store.media(investigation, &sha256).await?;
        let row = row.ok_or_else(|| no_medium(investigation, &sha256))?;
        let standing = self.store.standing(investigation, &sha256).await?;
        Ok((row, standing, self.store.places(investigation, &sha256).await?))
    }

    /// Media of an investigation with this outcome (`undecided`, `decided`, `second-view`, `disagreement`, `moderated`),
    /// a page after `after`, in the order of their digests.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn media_with(
        &self,
        investigation: InvestigationId,
        outcome: &str,
        after: Option<Sha256>,
        limit: u32,
    ) -> Result<Vec<MediaRow>> {
        self.may(Right::ViewMedia, Some(investigation)).await?;
        self.store.media_with(investigation, outcome, after, limit).await
    }

    /// How many media there are by outcome and category. The numbers are kept with every change, not counted.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn media_totals(&self, investigation: InvestigationId) -> Result<BTreeMap<String, i64>> {
        self.may(Right::ReadInvestigation, Some(investigation)).await?;
        self.store.totals(&investigation.to_string()).await
    }
}

/// What it takes to record a fact about votes.
pub(super) fn right_of(fact: &VoteFact) -> Right {
    match fact {
        VoteFact::Voted { purpose: Purpose::Moderation, .. } => Right::Moderate,
        VoteFact::PolicySet(_) => Right::SetGradingPolicy,
        VoteFact::Imported { .. } => Right::AttachExamination,
        VoteFact::Voted { .. } | VoteFact::Withdrawn { .. } | VoteFact::SecondViewRequested { .. } => Right::Vote,
    }
}

pub(super) fn fact_sha256(fact: &VoteFact) -> Option<Sha256> {
    match fact {
        VoteFact::PolicySet(_) => None,
        VoteFact::Voted { sha256, .. }
        | VoteFact::Withdrawn { sha256, .. }
        | VoteFact::SecondViewRequested { sha256, .. }
        | VoteFact::Imported { sha256, .. } => Some(*sha256),
    }
}

/// What the row of a medium repeats of its standing: one word, and the category where there is one.
pub(crate) fn outcome_text(standing: &Standing) -> String {
    let word = match &standing.outcome {
        Outcome::Undecided { .. } => "undecided",
        Outcome::Decided(_) if standing.moderation == Moderation::Due => "to-moderate",
        Outcome::Decided(_) => "decided",
        Outcome::NeedsSecondView { .. } => "second-view",
        Outcome::Disagreement { .. } => "disagreement",
        Outcome::Moderated(_) => "moderated",
    };
    match standing.outcome.category() {
        Some(category) => format!("{word} {}", category.as_str()),
        None => word.to_owned(),
    }
}

impl Tx<'_> {
    /// Puts the media of an attached examination into the rows of its investigation.
    pub(crate) async fn apply_examination(&mut self, recorded: &Recorded<&Event>) -> Result<()> {
        let Event::ExaminationAttached { investigation, exhibit, examination, replaces, media_list, .. } =
            recorded.fact
        else {
            return Ok(());
        };
        if let Some(old) = replaces {
            self.take_back_media(*investigation, *old).await?;
        }
        let wrong = |why: &str| RecordError::Content { seq: recorded.seq, why: why.to_owned() };
        let list = self.document(&format!("media {examination}")).await?;
        if digest(&list) != *media_list {
            return Err(wrong("the list of media kept with it does not have the digest that it states"));
        }
        let list = String::from_utf8(list).map_err(|_| wrong("the list of media kept with it is no text"))?;
        let mut found = vec![];
        for line in list.lines() {
            let mut parts = line.split(' ');
            let parsed =
                (|| Some((parts.next()?.parse::<Sha256>().ok()?, parts.next()?, parts.next()?.parse::<i64>().ok()?)))();
            found.push(parsed.ok_or_else(|| wrong("a line of the list of media cannot be read"))?);
        }
        self.add_places(*investigation, *examination, *exhibit, &found).await?;
        // A content may have been voted on in another investigation, or under the examination that was taken back.
        self.judge_all(*investigation, recorded.seq).await?;
        self.recount(*investigation).await
    }
}
