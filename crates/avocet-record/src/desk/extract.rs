//! The extract of what was graded: made, and kept with the record, so that a report can be rendered again from the very bytes
//! whose digest stands on the ledger.

use avocet_base::Sha256;

use super::Desk;
use crate::at::At;
use crate::digest;
use crate::error::{RecordError, Result};
use crate::event::{Act, Event, Look};
use crate::ids::{InvestigationId, UserId};
use crate::law::Right;
use crate::review::{EXTRACT, Graded, GradedBy, GradingExtract, GradingReport};
use crate::store::scheme_text;
use crate::vote::{Outcome, Policy, SettledBy};

/// What an entry says that made an extract.
const MADE: &str = "extract of what was graded";

/// An extract that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtractMade {
    /// The number of its entry.
    pub seq: u64,
    /// When.
    pub at: At,
    /// By whom.
    pub by: UserId,
    /// SHA-256 of its bytes.
    pub digest: Sha256,
    /// How many contents with a category are in it.
    pub contents: u64,
    /// Whether its bytes are kept with the record; those of earlier programs are not.
    pub kept: bool,
}

fn document(investigation: InvestigationId, digest: &Sha256) -> String {
    format!("grading {investigation} {digest}")
}

impl Desk<'_> {
    /// What was graded in an investigation, as the canonical text that reports are rendered from, and its digest. The text is
    /// kept with the record, and the digest stands on the ledger. The same votes, policy and examinations give the same bytes.
    ///
    /// A category is that which votes and moderation settled. Where nobody here voted, a set of the policy's very scheme that
    /// has the same content gives one *by exact match*; of sets in other schemes no category is made. Examinations that are
    /// attached as interim results are named in it; whoever calls asks before whether it is wanted all the same.
    ///
    /// # Errors
    /// [`RecordError`]; [`RecordError::Refused`] where the investigation has no policy.
    pub async fn grading_extract(&self, investigation: InvestigationId) -> Result<(String, Sha256)> {
        self.may(Right::ExtractGrading, Some(investigation)).await?;
        let policy = self.policy_of(investigation).await?;
        let mut extract = GradingExtract {
            extract: EXTRACT.to_owned(),
            investigation: investigation.to_string(),
            scheme: scheme_text(&policy.scheme),
            policy: match policy.policy {
                Policy::EveryImage {} => "every_image",
                Policy::Unknown {} => "unknown",
                Policy::Streamlined { .. } => "streamlined",
            }
            .to_owned(),
            interim: self.interim_results(investigation).await?.iter().map(|attached| attached.id).collect(),
            totals: vec![],
            by_device: vec![],
            without: std::collections::BTreeMap::new(),
            said_otherwise: 0,
            contents: vec![],
        };
        for (row, said) in self.store.review_rows(investigation).await? {
            let word = row.outcome.split(' ').next().unwrap_or_default();
            let settled = match word {
                "decided" | "to-moderate" | "moderated" => self.store.standing(investigation, &row.sha256).await?,
                _ => None,
            };
            let graded = match settled.as_ref().map(|standing| &standing.outcome) {
                Some(Outcome::Decided(settled) | Outcome::Moderated(settled)) => {
                    let by = match settled.by {
                        SettledBy::Viewed | SettledBy::Moderation => GradedBy::Viewed,
                        SettledBy::AcceptedInGroup => GradedBy::AcceptedInGroup,
                        SettledBy::Trusted | SettledBy::ByExactMatch => GradedBy::ExactMatch,
                    };
                    Some((settled.category.to_string(), by))
                }
                _ if word == "undecided" && !said.is_empty() => Some((said, GradedBy::ExactMatch)),
                _ => None,
            };
            let found = row.tile.found;
            let Some((category, by)) = graded else {
                let count = extract.without.entry(word.to_owned()).or_default();
                *count = count.saturating_add(1);
                if found.said.iter().any(|said| said.category.is_some()) {
                    extract.said_otherwise = extract.said_otherwise.saturating_add(1);
                }
                continue;
            };
            extract.contents.push(Graded {
                sha256: row.sha256,
                md5: found.md5,
                sha1: found.sha1,
                bytes: found.bytes,
                moving: found.kind == "video",
                category,
                by,
                exhibits: row.tile.exhibits.into_iter().collect(),
                states: found.states.into_iter().collect(),
                files: found.files,
                first: found.first,
                last: found.last,
            });
        }
        extract.totals = GradingExtract::counts(&extract.contents, false);
        extract.by_device = GradingExtract::counts(&extract.contents, true);
        let text =
            extract.to_text().map_err(|_| RecordError::Refused("the extract has no text form; report this".into()))?;
        let digest = digest(text.as_bytes());
        let records = u64::try_from(extract.contents.len()).unwrap_or(u64::MAX);
        let look = Look {
            act: Act::Exported,
            at: vec![investigation.to_string(), digest.to_string()],
            purpose: MADE.into(),
            records,
        };
        self.write(Right::ExtractGrading, Some(investigation), async |tx| {
            tx.keep_document(&document(investigation, &digest), text.as_bytes()).await?;
            tx.record(&Event::Looked(look)).await
        })
        .await?;
        Ok((text, digest))
    }

    /// The extracts that were made of an investigation, the latest first. One that was made again is there again.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn grading_extracts(&self, investigation: InvestigationId) -> Result<Vec<ExtractMade>> {
        self.may(Right::ExtractGrading, Some(investigation)).await?;
        let mut made = vec![];
        for recorded in self.store.facts_of_kind(&investigation.to_string(), "exported").await?.into_iter().rev() {
            let Event::Looked(Look { at, purpose, records, .. }) = &recorded.fact else { continue };
            let digest = at.get(1).and_then(|text| text.parse::<Sha256>().ok());
            if let (MADE, Some(digest)) = (purpose.as_str(), digest) {
                let kept = self.store.has_document(&document(investigation, &digest)).await?;
                let (seq, at, by) = (recorded.seq, recorded.at, recorded.by);
                made.push(ExtractMade { seq, at, by, digest, contents: *records, kept });
            }
        }
        Ok(made)
    }

    /// An extract that was made and kept, with its text. `act` and `purpose` say what it is opened for; that stands on the
    /// ledger before anything is given out.
    ///
    /// # Errors
    /// [`RecordError::Unknown`] where the investigation has no such extract; [`RecordError::Refused`] where its bytes are not
    /// those that its digest names.
    pub async fn grading_extract_kept(
        &self,
        investigation: InvestigationId,
        digest: Sha256,
        act: Act,
        purpose: &str,
    ) -> Result<(GradingReport, String)> {
        self.may(Right::ExtractGrading, Some(investigation)).await?;
        let unknown = || RecordError::Unknown { what: format!("extract {digest} of {investigation}") };
        let bytes = self.store.plain_document(&document(investigation, &digest)).await?.ok_or_else(unknown)?;
        let altered = |why: &str| RecordError::Refused(format!("the extract that is kept cannot be used: {why}"));
        let text = String::from_utf8(bytes).map_err(|_| altered("it is no text"))?;
        let report = GradingReport::read(&text).map_err(|why| altered(&why))?;
        if report.digest != digest {
            return Err(altered("its bytes are not those that its digest names; make it again"));
        }
        let records = u64::try_from(report.extract.contents.len()).unwrap_or(u64::MAX);
        self.looked(act, vec![investigation.to_string(), digest.to_string()], purpose, records).await?;
        Ok((report, text))
    }
}
