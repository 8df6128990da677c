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
    /// `veiled`, `clear`, `graded`, `accepted-in-group`, `by-exact-match` or `breaks`.
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
        let mine = self.user;
        self.write(Right::ViewMedia, Some(investigation), async |tx| {
            let facts = tx.facts(&sha256.to_string()).await?;
            let begun = facts.iter().find(|recorded| {
                recorded.seq == view
                    && recorded.by == mine
                    && matches!(&recorded.fact, Event::Review { fact: ReviewFact::ClearBegan { .. }, .. })
            });
            let ended = facts.iter().any(|recorded| {
                matches!(&recorded.fact, Event::Review { fact: ReviewFact::ClearEnded { view: of, .. }, .. } if *of == view)
            });
            let Some(begun) = begun.filter(|_| !ended) else {
                return Err(RecordError::Refused(format!("entry {view} began no view of yours that is still open")));
            };
            let ms = u64::try_from(tx.at().ns().saturating_sub(begun.at.ns()) / 1_000_000).unwrap_or(0);
            tx.record(&Event::Review { investigation, fact: ReviewFact::ClearEnded { sha256, view, ms } }).await
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
