//! The moderation sample of an investigation, how far its votes agree, and what imported sets say. Nothing here is about one
//! person.

use avocet_base::Sha256;

use super::Desk;
use crate::error::{RecordError, Result};
use crate::event::Event;
use crate::ids::InvestigationId;
use crate::law::Right;
use crate::vote::{Category, Moderation, PairSample, Purpose, SchemeRef, SetRef, VoteEnd, VoteFact, drawn, pairs};

/// The moderation sample of an investigation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// How many in a thousand contents are drawn.
    pub per_1000: u32,
    /// Contents that were voted on.
    pub voted: u64,
    /// Those of them that are drawn.
    pub drawn: u64,
    /// Drawn, and a moderator agreed with the vote that stood first.
    pub agreed: u64,
    /// Drawn, and a moderator did not.
    pub differed: u64,
    /// Drawn, and a moderator has yet to look: by their digests.
    pub due: Vec<Sha256>,
}

/// How far the votes of an investigation agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgreementOf {
    /// In which scheme.
    pub scheme: SchemeRef,
    /// First votes beside second views.
    pub second_views: PairSample,
    /// First votes beside moderators' votes.
    pub moderation: PairSample,
}

/// What a set says of one content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetSays {
    /// Of which content.
    pub sha256: Sha256,
    /// The set's category.
    pub category: Category,
    /// Whether the set itself says that the category is trusted.
    pub trusted: bool,
}

impl SetSays {
    /// Reads a list: a head `sha256,category,trusted`, then a content a line. A line that cannot be read refuses the whole list:
    /// half of a set would look like all of it.
    ///
    /// # Errors
    /// What is wrong and on which line, a clause.
    pub fn list(text: &str) -> std::result::Result<Vec<Self>, String> {
        let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let head = lines.next().map(|(_, line)| line.trim_start_matches('\u{feff}').trim().to_lowercase());
        if head.as_deref() != Some("sha256,category,trusted") {
            return Err("the first line of the list must be sha256,category,trusted".to_owned());
        }
        let mut all = vec![];
        for (at, line) in lines {
            let wrong = |what: &str| format!("line {} of the list {what}; nothing was recorded", at.saturating_add(1));
            let parts: Vec<&str> = line.split(',').map(|part| part.trim().trim_matches('"')).collect();
            let [sha256, category, trusted] = parts.as_slice() else {
                return Err(wrong("does not have three columns"));
            };
            all.push(Self {
                sha256: sha256.parse().map_err(|_| wrong("names no SHA-256"))?,
                category: category.parse().map_err(|_| wrong("has no category"))?,
                trusted: match trusted.to_lowercase().as_str() {
                    "yes" | "true" | "1" => true,
                    "no" | "false" | "0" | "" => false,
                    _ => return Err(wrong("says neither yes nor no for trusted")),
                },
            });
        }
        Ok(all)
    }
}

/// What came of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Imported {
    /// Contents of the investigation of which the set says something; each is a fact now.
    pub recorded: u64,
    /// Of which this version of the set was imported before.
    pub already: u64,
    /// Contents of the set that the investigation does not have: nothing was recorded of them.
    pub elsewhere: u64,
}

impl Desk<'_> {
    /// The moderation sample as it stands, for those who moderate: a grader who saw it would know what is looked at again.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn moderation_sample(&self, investigation: InvestigationId) -> Result<Sample> {
        self.may(Right::Moderate, Some(investigation)).await?;
        let policy = self.policy_of(investigation).await?;
        let per_1000 = policy.rule.moderation_per_1000;
        let mut sample = Sample { per_1000, voted: 0, drawn: 0, agreed: 0, differed: 0, due: vec![] };
        for item in self.store.votes_in(investigation).await? {
            if item.history().all(|(_, end)| matches!(end, Some(VoteEnd::Withdrawn { .. }))) {
                continue;
            }
            sample.voted = sample.voted.saturating_add(1);
            if !drawn(&policy.seed, per_1000, &item.sha256()) {
                continue;
            }
            sample.drawn = sample.drawn.saturating_add(1);
            match item.standing(&policy).moderation {
                Moderation::Due => sample.due.push(item.sha256()),
                Moderation::Done { agreed: true } => sample.agreed = sample.agreed.saturating_add(1),
                Moderation::Done { agreed: false } => sample.differed = sample.differed.saturating_add(1),
                Moderation::NotDrawn | Moderation::DrawnNotVoted => {}
            }
        }
        Ok(sample)
    }

    /// How far votes agree beyond chance, in the scheme of the investigation's policy.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn agreement(&self, investigation: InvestigationId) -> Result<AgreementOf> {
        self.may(Right::Moderate, Some(investigation)).await?;
        let scheme = self.policy_of(investigation).await?.scheme;
        let items = self.store.votes_in(investigation).await?;
        let second_views = pairs(&items, &scheme, Purpose::SecondView);
        let moderation = pairs(&items, &scheme, Purpose::Moderation);
        Ok(AgreementOf { scheme, second_views, moderation })
    }

    /// The number of the vote on a content that this person cast last and that still counts.
    ///
    /// # Errors
    /// [`RecordError::Refused`] where there is none.
    pub async fn own_vote(&self, investigation: InvestigationId, sha256: Sha256) -> Result<u64> {
        self.may(Right::Vote, Some(investigation)).await?;
        let (mut own, mut gone) = (vec![], vec![]);
        for recorded in self.store.facts(&sha256.to_string()).await?.iter().filter(|fact| fact.by == self.user) {
            match &recorded.fact {
                Event::Vote { fact: VoteFact::Voted { investigation: of, .. }, .. } if *of == investigation => {
                    own.push(recorded.seq);
                }
                Event::Vote { fact: VoteFact::Withdrawn { vote, .. }, .. } => gone.push(*vote),
                _ => {}
            }
        }
        own.into_iter().rfind(|seq| !gone.contains(seq)).ok_or_else(|| {
            RecordError::Refused(format!(
                "you have no vote in {investigation} on this content; only one's own can be withdrawn"
            ))
        })
    }

    /// Records what a set says of the contents that an investigation has: all of it or nothing. What it says of others is
    /// counted and not recorded.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn import_categories(
        &self,
        investigation: InvestigationId,
        set: &SetRef,
        says: &[SetSays],
    ) -> Result<Imported> {
        let permit = self.may(Right::AttachExamination, Some(investigation)).await?;
        let scheme = self.policy_of(investigation).await?.scheme;
        self.store
            .write(permit, async |tx| {
                let mut done = Imported::default();
                for SetSays { sha256, category, trusted } in says {
                    if tx.media(investigation, sha256).await?.is_none() {
                        done.elsewhere = done.elsewhere.saturating_add(1);
                        continue;
                    }
                    let fact = VoteFact::Imported {
                        sha256: *sha256,
                        scheme: scheme.clone(),
                        category: category.clone(),
                        set: set.clone(),
                        says_trusted: *trusted,
                    };
                    let before = tx.facts(&sha256.to_string()).await?;
                    if before
                        .iter()
                        .any(|known| matches!(&known.fact, Event::Vote { fact: known, .. } if *known == fact))
                    {
                        done.already = done.already.saturating_add(1);
                        continue;
                    }
                    tx.record(&Event::Vote { investigation, fact }).await?;
                    done.recorded = done.recorded.saturating_add(1);
                }
                Ok(done)
            })
            .await
    }
}
