//! The extract of what was graded.

use avocet_base::Sha256;

use super::Desk;
use crate::digest;
use crate::error::{RecordError, Result};
use crate::event::{Act, Event, Look};
use crate::ids::InvestigationId;
use crate::law::Right;
use crate::review::{EXTRACT, Graded, GradedBy, GradingExtract};
use crate::store::scheme_text;
use crate::vote::{Outcome, Policy, SettledBy};

impl Desk<'_> {
    /// What was graded in an investigation, as the canonical text that reports are rendered from, and its digest. The digest
    /// stands on the ledger. The same votes, policy and examinations give the same bytes.
    ///
    /// A category is that which votes and moderation settled. Where nobody here voted, a set of the policy's very scheme that
    /// has the same content gives one *by exact match*; of sets in other schemes no category is made.
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
            purpose: "extract of what was graded".into(),
            records,
        };
        self.write(Right::ExtractGrading, Some(investigation), async |tx| tx.record(&Event::Looked(look)).await)
            .await?;
        Ok((text, digest))
    }
}
