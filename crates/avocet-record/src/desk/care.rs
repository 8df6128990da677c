//! What looking costs: clear views with their beginning and end, breaks, and the account of both. A person sees their own
//! figures, whoever sees figures the totals; nobody is listed beside anybody.

use avocet_base::Sha256;
use serde::Serialize;

use super::Desk;
use super::media::no_medium;
use crate::at::Day;
use crate::error::{RecordError, Result};
use crate::event::Event;
use crate::ids::InvestigationId;
use crate::law::Right;
use crate::review::ReviewFact;

/// What was looked at on one day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Exposure {
    /// The day, by the clocks of England and Wales.
    pub day: String,
    /// `veiled`, `clear`, `original`, `graded`, `accepted-in-group`, `by-exact-match` or `breaks`.
    pub what: String,
    /// How many times.
    pub times: u64,
    /// For how long, in thousandths of a second, where that is measured: of clear views whose end was recorded.
    pub ms: u64,
    /// How many people, in totals; 1 in one's own account.
    pub people: u64,
}

impl Desk<'_> {
    /// Records that a clear small picture of a content is about to be shown. To be called before a byte of it is read.
    /// Answers the number of the entry.
    ///
    /// # Errors
    /// [`RecordError::Unknown`] where the content is none of this investigation: then nothing may be shown.
    pub async fn clear_began(&self, investigation: InvestigationId, sha256: Sha256, size: &str) -> Result<u64> {
        self.write(Right::ViewMedia, Some(investigation), async |tx| {
            if tx.media(investigation, &sha256).await?.is_none() {
                return Err(no_medium(investigation, &sha256));
            }
            let fact = ReviewFact::ClearBegan { sha256, size: size.to_owned() };
            tx.record(&Event::Review { investigation, fact }).await
        })
        .await
    }

    /// Records that a clear picture was let go; how long it was there follows from when it began.
    ///
    /// # Errors
    /// [`RecordError::Refused`] where this person began no such view of that content.
    pub async fn clear_ended(&self, investigation: InvestigationId, sha256: Sha256, view: u64) -> Result<u64> {
        self.write(Right::ViewMedia, Some(investigation), async |tx| {
            let Some(began) = tx.view_began(view, &sha256).await? else {
                return Err(RecordError::Refused(format!("entry {view} began no view of yours that is still open")));
            };
            let ms = u64::try_from(tx.at().ns().saturating_sub(began.ns()) / 1_000_000).unwrap_or(0);
            tx.record(&Event::Review { investigation, fact: ReviewFact::ClearEnded { sha256, view, ms } }).await
        })
        .await
    }

    /// Records, with the reason, that the original file of a content is about to be read out of the evidence. To be called
    /// before a byte of it is read. `result` is the result digest of the sealed examination that says where the file is: only
    /// one that is attached to this investigation, and that has the content, opens anything. Answers the number of the entry.
    ///
    /// # Errors
    /// [`RecordError::Refused`] where no reason is given or the examination is not attached here;
    /// [`RecordError::Unknown`] where the content is none of this investigation, or not in that examination.
    pub async fn original_opened(
        &self,
        investigation: InvestigationId,
        sha256: Sha256,
        result: Sha256,
        reason: &str,
    ) -> Result<u64> {
        if reason.trim().is_empty() {
            return Err(RecordError::Refused("give the reason; it is kept with the entry".into()));
        }
        self.write(Right::ViewOriginal, Some(investigation), async |tx| {
            if tx.media(investigation, &sha256).await?.is_none() {
                return Err(no_medium(investigation, &sha256));
            }
            let attached = tx.examination_with(&result).await?;
            let here = match attached {
                Some(examination) => tx.part_of(&examination.to_string()).await? == Some(investigation),
                None => false,
            };
            let Some(examination) = attached.filter(|_| here) else {
                return Err(RecordError::Refused(format!(
                    "this examination is not attached to {investigation}; `avocet grading attach` attaches one"
                )));
            };
            let Some(exhibit) = tx.place_in(&sha256, examination).await? else {
                return Err(no_medium(investigation, &sha256));
            };
            let reason = tx.key_of(&investigation.to_string()).await?.seal(&reason.to_owned())?;
            let fact = ReviewFact::OriginalOpened { sha256, examination, exhibit, reason };
            tx.record(&Event::Review { investigation, fact }).await
        })
        .await
    }

    /// Records that this person took a break, and gives back what was before them.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn take_break(&self, investigation: InvestigationId) -> Result<()> {
        self.write(Right::ViewMedia, Some(investigation), async |tx| {
            tx.free_leases(investigation).await?;
            tx.record(&Event::Review { investigation, fact: ReviewFact::BreakTaken {} }).await.map(drop)
        })
        .await
    }

    /// One's own account of these days.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn own_exposure(&self, from: Day, until: Day) -> Result<Vec<Exposure>> {
        self.store.exposure(Some(self.user), from, until).await
    }

    /// The totals of these days, with how many people they are of.
    ///
    /// # Errors
    /// [`RecordError::NotAllowed`].
    pub async fn team_exposure(&self, from: Day, until: Day) -> Result<Vec<Exposure>> {
        self.may(Right::SeeFigures, None).await?;
        self.store.exposure(None, from, until).await
    }
}
