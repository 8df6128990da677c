//! Referrals: leads as they come in, and the same identifier elsewhere.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use avocet_base::Sha256;

use super::Desk;
use crate::at::{At, Recorded};
use crate::digest;
use crate::error::{RecordError, Result};
use crate::event::{Act, Event, Token};
use crate::identifier::IdentifierKind;
use crate::ids::{ExhibitId, InvestigationId, ReferralId, UserId};
use crate::intake::{self, Format, Lead};
use crate::law::Right;
use crate::personal::Personal;
use crate::risk::Flag;
use crate::store::{ReferralRow, Tx};

/// A lead to be taken in.
#[derive(Debug, Clone, Copy)]
pub struct Incoming<'a> {
    /// As it came.
    pub bytes: &'a [u8],
    /// Its format, where that is known.
    pub format: Option<Format>,
    /// Where from: a row of `referral-sources.toml`.
    pub source: &'a str,
    /// When it was received.
    pub received: At,
}

/// A referral that is open before somebody.
#[derive(Debug)]
pub struct Referral {
    /// Its facts without what it says.
    pub row: ReferralRow,
    /// SHA-256 of the original.
    pub original: Sha256,
    /// What it says; `None` where it was erased.
    pub lead: Option<Lead>,
}

/// The same identifiers in another record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The record asked about.
    pub subject: String,
    /// The other record.
    pub other: String,
    /// What is the same, as [`crate::identifier::IdentifierKind::as_str`], or `media`.
    pub kind: String,
    /// How many of them.
    pub count: u64,
    /// Whether the same thing elsewhere hardly ever means another person or device.
    pub strong: bool,
    /// The investigation of the other record.
    pub investigation: Option<InvestigationId>,
    /// Who leads that.
    pub owner: Option<UserId>,
    /// Whether somebody noted it: as dismissed or as seen, and who.
    pub noted: Option<(bool, UserId)>,
}

impl Desk<'_> {
    /// Takes in a lead. Nothing of it is refused: what cannot be read is counted and listed, the original is kept byte for
    /// byte, encrypted.
    ///
    /// # Errors
    /// [`RecordError`] where the person may not, the source is not in the table, or the store cannot be written.
    pub async fn receive(
        &self,
        bytes: &[u8],
        format: Option<Format>,
        source: &str,
        received: At,
    ) -> Result<(ReferralId, Lead)> {
        let taken = self.receive_all(&[Incoming { bytes, format, source, received }]).await?;
        taken.into_iter().next().ok_or_else(|| RecordError::Refused("no lead was given".into()))
    }

    /// Takes in several leads, all of them or none.
    ///
    /// # Errors
    /// As [`Desk::receive`], for the first that is refused.
    pub async fn receive_all(&self, incoming: &[Incoming<'_>]) -> Result<Vec<(ReferralId, Lead)>> {
        for Incoming { source, .. } in incoming {
            self.known_source(source)?;
        }
        let leads =
            incoming.iter().map(|one| intake::read(one.bytes, one.format.unwrap_or_else(|| Format::of(one.bytes))));
        let leads: Vec<Lead> = leads.collect();
        let referrals = self
            .write(Right::RecordReferral, None, async |tx| {
                let mut referrals = vec![];
                for (one, lead) in incoming.iter().zip(&leads) {
                    referrals.push(take_in(tx, one, lead).await?);
                }
                Ok(referrals)
            })
            .await?;
        Ok(referrals.into_iter().zip(leads).collect())
    }

    fn known_source(&self, source: &str) -> Result<()> {
        if self.law.referral_sources.row(source).is_none() {
            let known: Vec<&str> = self.law.referral_sources.rows.iter().map(|row| row.id.as_str()).collect();
            return Err(RecordError::Refused(format!("there is no source {source:?}; there are {}", known.join(", "))));
        }
        Ok(())
    }

    /// Every referral, oldest first, without what they say.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn referrals(&self) -> Result<Vec<ReferralRow>> {
        self.may(Right::RecordReferral, None).await?;
        self.store.referrals().await
    }

    /// One referral with what it says. The look is recorded first.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn referral(&self, id: ReferralId) -> Result<Referral> {
        self.may(Right::RecordReferral, None).await?;
        let row = self.store.referral(id).await?;
        self.looked(Act::Viewed, vec![id.to_string()], "a referral", 1).await?;
        let (original, lead) = self.received(id).await?;
        Ok(Referral { row, original, lead: self.store.open_personal(&lead).await? })
    }

    /// The original of a referral, byte for byte. That it was given out is recorded first.
    ///
    /// # Errors
    /// [`RecordError::Erased`] where it was erased.
    pub async fn original(&self, id: ReferralId) -> Result<Vec<u8>> {
        self.may(Right::RecordReferral, None).await?;
        let (original, lead) = self.received(id).await?;
        self.looked(Act::Exported, vec![id.to_string()], "the original of a referral", 1).await?;
        let bytes = self.store.sealed_document(&document(id), lead.key()).await?;
        let bytes = bytes.ok_or_else(|| RecordError::Unknown { what: id.to_string() })?;
        match original == digest(&bytes) {
            true => Ok(bytes),
            false => {
                Err(RecordError::Refused("the original is not what was received; run `avocet ledger verify`".into()))
            }
        }
    }

    async fn received(&self, id: ReferralId) -> Result<(Sha256, Personal<Lead>)> {
        let facts = self.store.facts_of_kind(&id.to_string(), Event::REFERRAL_RECEIVED).await?;
        let found = facts.into_iter().find_map(|recorded| match recorded.fact {
            Event::ReferralReceived { original, lead, .. } => Some((original, lead)),
            _ => None,
        });
        found.ok_or_else(|| RecordError::Unknown { what: id.to_string() })
    }

    /// Puts a referral into an investigation that is open already.
    ///
    /// # Errors
    /// [`RecordError`] where it belongs to one.
    pub async fn link_referral(&self, investigation: InvestigationId, referral: ReferralId) -> Result<u64> {
        self.write(Right::AssignInvestigation, None, async |tx| {
            tx.investigation(investigation).await?;
            if let Some(of) = tx.referral(referral).await?.investigation {
                return Err(RecordError::Refused(format!("{referral} belongs to {of} already")));
            }
            tx.record(&Event::ReferralLinked { investigation, referral }).await
        })
        .await
    }

    /// The same identifiers in other records: of a referral, an exhibit, or everything of an investigation and its media.
    /// The search is recorded first, without what was sought.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn conflicts(&self, subject: &str) -> Result<Vec<Conflict>> {
        self.may(Right::CheckConflicts, None).await?;
        let mut found = vec![];
        let mut subjects = vec![subject.to_owned()];
        let investigation = subject.parse::<InvestigationId>().ok();
        if let Some(id) = investigation {
            self.store.investigation(id).await?;
            subjects = self.store.parts(id).await?;
            for (other, owner, count) in self.store.same_media(id).await? {
                found.push(Conflict {
                    subject: subject.to_owned(),
                    other: other.to_string(),
                    kind: "media".to_owned(),
                    count,
                    strong: true,
                    investigation: Some(other),
                    owner: Some(owner),
                    noted: None,
                });
            }
        }
        for part in &subjects {
            for same in self.store.same_tokens(part).await? {
                // Within one investigation the same identifier is what is expected.
                if investigation.is_some() && same.investigation == investigation {
                    continue;
                }
                found.push(Conflict {
                    subject: part.clone(),
                    strong: IdentifierKind::named(&same.kind).is_none_or(IdentifierKind::is_strong),
                    other: same.other,
                    kind: same.kind,
                    count: same.count,
                    investigation: same.investigation,
                    owner: same.owner,
                    noted: None,
                });
            }
        }
        let mut notes: BTreeMap<String, Vec<Recorded<Event>>> = BTreeMap::new();
        for conflict in &mut found {
            // Many conflicts have one subject.
            let notes = match notes.entry(conflict.subject.clone()) {
                Entry::Occupied(read) => read.into_mut(),
                Entry::Vacant(none) => {
                    none.insert(self.store.facts_of_kind(&conflict.subject, Event::CONFLICT_NOTED).await?)
                }
            };
            conflict.noted = notes.iter().rev().find_map(|recorded| match &recorded.fact {
                Event::ConflictNoted { subject, other, dismissed, .. }
                    if (subject, other) == (&conflict.subject, &conflict.other)
                        || (subject, other) == (&conflict.other, &conflict.subject) =>
                {
                    Some((*dismissed, recorded.by))
                }
                _ => None,
            });
        }
        // What nobody looked at first, strong before weak.
        found.sort_by_key(|c| (c.noted.is_some(), !c.strong, c.subject.clone(), c.other.clone(), c.kind.clone()));
        let records = u64::try_from(found.len()).unwrap_or(u64::MAX);
        self.looked(Act::Searched, vec![subject.to_owned()], "the same identifiers elsewhere", records).await?;
        Ok(found)
    }

    /// Notes that the same identifiers in two records were seen, or dismissed.
    ///
    /// # Errors
    /// [`RecordError::Unknown`] where the two have nothing in common.
    pub async fn note_conflict(&self, subject: &str, other: &str, dismissed: bool, reason: &str) -> Result<u64> {
        let permit = self.may(Right::CheckConflicts, None).await?;
        let there = self.conflicts(subject).await?.iter().any(|c| c.subject == subject && c.other == other);
        if !there {
            return Err(RecordError::Unknown { what: format!("conflict of {subject} with {other}") });
        }
        let holder = match subject.parse::<ReferralId>().is_ok() || subject.parse::<ExhibitId>().is_ok() {
            true => subject,
            false => other,
        };
        self.store
            .write(permit, async |tx| {
                let reason = tx.key_of(holder).await?.seal(&reason.to_owned())?;
                let (subject, other) = (subject.to_owned(), other.to_owned());
                tx.record(&Event::ConflictNoted { subject, other, dismissed, reason }).await
            })
            .await
    }
}

/// Records a lead within a change.
async fn take_in(tx: &mut Tx<'_>, incoming: &Incoming<'_>, lead: &Lead) -> Result<ReferralId> {
    let Incoming { bytes, source, received, .. } = *incoming;
    let mut flags: Vec<Flag> = lead.flags().into_iter().map(|flagged| flagged.flag).collect();
    flags.dedup();
    let referral = ReferralId::new(tx.give(ReferralId::PREFIX).await?);
    let key = tx.new_key(&referral.to_string()).await?;
    tx.add_document(&document(referral), &key.seal_bytes(bytes)?).await?;
    let tokens: Vec<Token> = lead.identifiers().iter().map(|identifier| tx.token(identifier)).collect();
    let event = Event::ReferralReceived {
        referral,
        source: source.to_owned(),
        received,
        original: digest(bytes),
        size: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        flags,
        fields: u64::try_from(lead.fields.len()).unwrap_or(u64::MAX),
        problems: u64::try_from(lead.problems.len()).unwrap_or(u64::MAX),
        lead: key.seal(lead)?,
        tokens: key.seal(&tokens)?,
    };
    tx.record(&event).await?;
    Ok(referral)
}

fn document(referral: ReferralId) -> String {
    format!("referral {referral}")
}
