//! Looking at, giving out and erasing personal content: each an entry of the ledger.

use std::path::Path;

use super::Desk;
use crate::error::{RecordError, Result};
use crate::event::{Act, Event, Look};
use crate::ids::{InvestigationId, KeyId};
use crate::law::Right;
use crate::ledger::Checked;
use crate::store::{Difference, LedgerLine, Permit};

impl Desk<'_> {
    /// Records that personal content was looked at or given out. To be called before it is.
    ///
    /// # Errors
    /// [`RecordError`]: then nothing may be shown.
    pub async fn looked(&self, act: Act, at: Vec<String>, purpose: &str, records: u64) -> Result<()> {
        let event = Event::Looked(Look { act, at, purpose: purpose.to_owned(), records });
        self.store.write(Permit::new(self.user), async |tx| tx.record(&event).await.map(drop)).await
    }

    /// Lines of the ledger without content, after the entry `after`: who did what and when.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn ledger(&self, after: u64, limit: u32) -> Result<Vec<LedgerLine>> {
        self.may(Right::ReadLedger, None).await?;
        self.store.ledger_page(after, limit).await
    }

    /// Checks every entry of the ledger against its signed head.
    ///
    /// # Errors
    /// [`RecordError`]; what does not fit is in the answer.
    pub async fn verify_ledger(&self) -> Result<Checked> {
        self.may(Right::ReadLedger, None).await?;
        self.store.verify_ledger(&[]).await
    }

    /// Copies the store into a new folder, and answers how many entries the copy holds.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn backup(&self, to: &Path) -> Result<u64> {
        let permit = self.may(Right::ManageStore, None).await?;
        self.store.backup(to, &permit).await
    }

    /// Makes the rows that repeat the facts anew and says where they differed.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn rebuild(&self, keep: bool) -> Result<Vec<Difference>> {
        self.may(Right::ManageStore, None).await?;
        self.store.rebuild(keep).await
    }

    /// A supervisor's look into an investigation without being on it. It lasts twelve hours.
    ///
    /// # Errors
    /// [`RecordError`] where the role does not allow it, no reason is given, or there is no such investigation.
    pub async fn break_glass(&self, investigation: InvestigationId, reason: &str) -> Result<()> {
        if reason.trim().is_empty() {
            return Err(RecordError::Refused("give the reason; it stands on the ledger's content for ever".into()));
        }
        let permit = self.may(Right::BreakGlass, None).await?;
        self.store.investigation(investigation).await?;
        let event = Event::GlassBroken { investigation, reason: reason.to_owned() };
        self.store.write(permit, async |tx| tx.record(&event).await.map(drop)).await
    }

    /// Destroys every key of a holder (an id): everything personal under them is gone, and the ledger still verifies.
    /// Answers the keys.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn erase(
        &self,
        investigation: Option<InvestigationId>,
        holder: &str,
        authority: &str,
        reason: &str,
    ) -> Result<Vec<KeyId>> {
        self.write(Right::ErasePerson, investigation, async |tx| {
            let keys = tx.keys_of(holder).await?;
            if keys.is_empty() {
                return Err(RecordError::Unknown { what: holder.to_owned() });
            }
            for key in &keys {
                tx.destroy_key(*key, holder, authority, reason).await?;
            }
            Ok(keys)
        })
        .await
    }
}
