//! The rows of media: where each was found and where it stands.

use std::collections::BTreeSet;

use avocet_base::Sha256;
use sqlx::Any;
use sqlx::Row as _;
use sqlx::any::AnyRow;
use sqlx::pool::PoolConnection;

use super::many::{self, many};
use super::read::text;
use super::tx::{self, Tx};
use super::{Store, db};
use crate::at::Recorded;
use crate::desk::{MediaPlace, outcome_text};
use crate::error::{DatabaseResult as _, RecordError, Result};
use crate::event::Event;
use crate::ids::{ExaminationId, ExhibitId, InvestigationId};
use crate::vote::{GradingPolicy, ItemVotes, Standing, VoteFact};

/// One content of an investigation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaRow {
    /// Its digest.
    pub sha256: Sha256,
    /// `picture` or `video`.
    pub kind: String,
    /// In how many files of the investigation's exhibits.
    pub places: u64,
    /// On how many exhibits.
    pub exhibits: u64,
    /// `undecided`, `decided A`, `to-moderate A`, `second-view`, `disagreement`, `moderated A`.
    pub outcome: String,
}

fn media_row(row: &AnyRow, at: usize) -> Result<MediaRow> {
    Ok(MediaRow {
        sha256: db::sha256(row, at)?,
        kind: text(row, at.saturating_add(1))?,
        places: db::uint(row, at.saturating_add(2))?,
        exhibits: db::uint(row, at.saturating_add(3))?,
        outcome: text(row, at.saturating_add(4))?,
    })
}

/// The policy of an investigation as of an entry.
pub(super) async fn policy(
    conn: &mut PoolConnection<Any>,
    investigation: InvestigationId,
    until: u64,
) -> Result<Option<GradingPolicy>> {
    let policies = tx::facts_of_kind(conn, &investigation.to_string(), Event::POLICY_SET).await?;
    Ok(policies.into_iter().rfind(|fact| fact.seq <= until).and_then(|recorded| match recorded.fact {
        Event::Vote { fact: VoteFact::PolicySet(policy), .. } => Some(policy),
        _ => None,
    }))
}

/// Where a content stands by a policy and the votes recorded up to an entry.
async fn standing(
    conn: &mut PoolConnection<Any>,
    policy: &GradingPolicy,
    sha256: &Sha256,
    until: u64,
) -> Result<Standing> {
    Ok(item_votes(conn, sha256, until).await?.standing(policy))
}

/// The votes on a content recorded up to an entry.
async fn item_votes(conn: &mut PoolConnection<Any>, sha256: &Sha256, until: u64) -> Result<ItemVotes> {
    let mut item = ItemVotes::new(*sha256);
    for Recorded { seq, at, by, fact } in tx::facts(conn, &sha256.to_string()).await? {
        if let Event::Vote { fact, .. } = fact
            && seq <= until
        {
            item.apply(&Recorded { seq, at, by, fact });
        }
    }
    Ok(item)
}

impl Tx<'_> {
    pub(crate) async fn policy(&mut self, investigation: InvestigationId) -> Result<Option<GradingPolicy>> {
        policy(&mut self.conn, investigation, u64::MAX).await
    }

    /// The votes on a content.
    pub(crate) async fn item_votes(&mut self, sha256: &Sha256) -> Result<ItemVotes> {
        item_votes(&mut self.conn, sha256, u64::MAX).await
    }

    pub(crate) async fn media(&mut self, investigation: InvestigationId, sha256: &Sha256) -> Result<Option<MediaRow>> {
        row!(self.conn, MEDIA, investigation.to_string(), sha256.0.to_vec()).map(|row| media_row(&row, 1)).transpose()
    }

    /// Where an examination found contents: digest, kind and number of files of each.
    pub(crate) async fn add_places(
        &mut self,
        investigation: InvestigationId,
        examination: ExaminationId,
        exhibit: ExhibitId,
        found: &[(Sha256, &str, i64)],
    ) -> Result<()> {
        let (id, examination, exhibit) = (investigation.to_string(), examination.to_string(), exhibit.to_string());
        many!(self, ADD_PLACES, found, (sha256, _, files) =>
            sha256.0.to_vec(), examination.clone(), exhibit.clone(), *files);
        many!(self, ADD_MEDIA, found, (sha256, kind, files) =>
            id.clone(), sha256.0.to_vec(), (*kind).to_owned(), *files, 1i64, "undecided");
        Ok(())
    }

    /// Those of these contents that somebody recorded something about.
    async fn with_facts(&mut self, contents: &[Sha256]) -> Result<Vec<Sha256>> {
        let mut found = vec![];
        for some in contents.chunks(many::ROWS) {
            let mut query = sqlx::query(sqlx::AssertSqlSafe(many::WITH_FACTS.text(1)));
            // The statement has a fixed number of values; the last subject fills it up.
            for sha256 in some.iter().chain(some.last().into_iter().cycle()).take(many::ROWS) {
                query = query.bind(sha256.to_string());
            }
            for row in query.fetch_all(&mut *self.conn).await.when("read (WITH_FACTS)")? {
                let subject = text(&row, 0)?;
                found.push(subject.parse().map_err(|_| RecordError::Unknown { what: subject })?);
            }
        }
        Ok(found)
    }

    /// The device on which an examination found a content, if it did.
    pub(crate) async fn place_in(&mut self, sha256: &Sha256, examination: ExaminationId) -> Result<Option<ExhibitId>> {
        let Some(row) = row!(self.conn, PLACE_IN, sha256.0.to_vec(), examination.to_string()) else { return Ok(None) };
        let exhibit = text(&row, 0)?;
        exhibit.parse().map(Some).map_err(|_| RecordError::Unknown { what: exhibit })
    }

    /// Takes back what an examination put there, because another one takes its place.
    pub(crate) async fn take_back_media(&mut self, investigation: InvestigationId, old: ExaminationId) -> Result<()> {
        run!(self, TAKE_BACK, investigation.to_string(), old.to_string());
        run!(self, REMOVE_PLACES, old.to_string());
        run!(self, REMOVE_GONE, investigation.to_string());
        Ok(())
    }

    /// Counts an investigation's media anew: after an examination was attached, not after a vote.
    pub(crate) async fn recount(&mut self, investigation: InvestigationId) -> Result<()> {
        let id = investigation.to_string();
        run!(self, FORGET_TOTALS, id.clone());
        for row in rows!(self.conn, COUNT_OUTCOMES, id.clone()) {
            let (kind, outcome) = (text(&row, 0)?, text(&row, 1)?);
            let number: i64 = row.try_get(2).when("count media")?;
            self.add_to_total(&id, &format!("{kind} {outcome}"), number).await?;
        }
        Ok(())
    }

    async fn add_to_total(&mut self, subject: &str, what: &str, n: i64) -> Result<()> {
        run!(self, ADD_TO_TOTAL, subject, what, n);
        Ok(())
    }

    /// Says anew where a content stands, in every investigation that has it, as of an entry.
    pub(super) async fn judge(&mut self, sha256: &Sha256, until: u64) -> Result<()> {
        for row in rows!(self.conn, MEDIA_IN, sha256.0.to_vec()) {
            let id = text(&row, 0)?;
            let investigation = id.parse().map_err(|_| RecordError::Unknown { what: id })?;
            if let Some(policy) = policy(&mut self.conn, investigation, until).await? {
                self.judge_in(&policy, sha256, until).await?;
            }
        }
        Ok(())
    }

    /// Says anew where every content of an investigation stands as of an entry: its policy changed, or contents came that
    /// were voted on elsewhere.
    pub(crate) async fn judge_all(&mut self, investigation: InvestigationId, until: u64) -> Result<()> {
        let Some(policy) = policy(&mut self.conn, investigation, until).await? else { return Ok(()) };
        let rows = rows!(self.conn, ALL_MEDIA, investigation.to_string());
        let contents = rows.iter().map(|row| db::sha256(row, 0)).collect::<Result<Vec<_>>>()?;
        // Only what was voted on can stand elsewhere than before.
        for sha256 in self.with_facts(&contents).await? {
            self.judge_in(&policy, &sha256, until).await?;
        }
        Ok(())
    }

    async fn judge_in(&mut self, policy: &GradingPolicy, sha256: &Sha256, until: u64) -> Result<()> {
        let Some(row) = self.media(policy.investigation, sha256).await? else { return Ok(()) };
        let outcome = outcome_text(&standing(&mut self.conn, policy, sha256, until).await?);
        if outcome != row.outcome {
            let id = policy.investigation.to_string();
            self.add_to_total(&id, &format!("{} {}", row.kind, row.outcome), -1).await?;
            self.add_to_total(&id, &format!("{} {outcome}", row.kind), 1).await?;
            run!(self, SET_OUTCOME, id, sha256.0.to_vec(), outcome.clone());
            self.set_todo(policy.investigation, sha256, &outcome).await?;
        }
        Ok(())
    }
}

impl Store {
    pub(crate) async fn media(&self, investigation: InvestigationId, sha256: &Sha256) -> Result<Option<MediaRow>> {
        let mut conn = self.db.reader().await?;
        row!(conn, MEDIA, investigation.to_string(), sha256.0.to_vec()).map(|row| media_row(&row, 1)).transpose()
    }

    pub(crate) async fn policy(&self, investigation: InvestigationId) -> Result<Option<GradingPolicy>> {
        policy(&mut self.db.reader().await?, investigation, u64::MAX).await
    }

    pub(crate) async fn standing(&self, investigation: InvestigationId, sha256: &Sha256) -> Result<Option<Standing>> {
        let mut conn = self.db.reader().await?;
        match policy(&mut conn, investigation, u64::MAX).await? {
            Some(policy) => standing(&mut conn, &policy, sha256, u64::MAX).await.map(Some),
            None => Ok(None),
        }
    }

    /// Where a content was found in this investigation.
    pub(crate) async fn places(&self, investigation: InvestigationId, sha256: &Sha256) -> Result<Vec<MediaPlace>> {
        let mut conn = self.db.reader().await?;
        let mut places = Vec::new();
        for row in rows!(conn, PLACES, sha256.0.to_vec()) {
            let (examination, exhibit) = (text(&row, 0)?, text(&row, 1)?);
            let of = row!(conn, PART_OF, examination.clone()).map(|row| text(&row, 0)).transpose()?;
            if of.as_deref() == Some(investigation.to_string().as_str()) {
                let parsed = examination.parse().ok().zip(exhibit.parse().ok());
                let (examination, exhibit) = parsed.ok_or(RecordError::Unknown { what: examination })?;
                places.push(MediaPlace { examination, exhibit, files: db::uint(&row, 2)? });
            }
        }
        Ok(places)
    }

    /// How many contents with which outcome, of which kind, on which exhibit, of those that are settled.
    pub(crate) async fn settled(&self, id: InvestigationId) -> Result<Vec<(String, String, ExhibitId, u64)>> {
        let mut conn = self.db.reader().await?;
        rows!(conn, COUNT_SETTLED, id.to_string())
            .iter()
            .map(|row| {
                let exhibit = text(row, 2)?;
                let exhibit = exhibit.parse().map_err(|_| RecordError::Unknown { what: exhibit })?;
                Ok((text(row, 0)?, text(row, 1)?, exhibit, db::uint(row, 3)?))
            })
            .collect()
    }

    /// The digests of the pictures and videos that an examination found, from the list kept with it.
    pub(crate) async fn media_of(&self, examination: ExaminationId) -> Result<BTreeSet<Sha256>> {
        let mut conn = self.db.reader().await?;
        let unknown = || RecordError::Unknown { what: examination.to_string() };
        let row = row!(conn, DOCUMENT, format!("media {examination}")).ok_or_else(unknown)?;
        let list: Vec<u8> = row.try_get(0).when("read a document")?;
        let list = String::from_utf8(list).map_err(|_| unknown())?;
        Ok(list.lines().filter_map(|line| line.split(' ').next()?.parse().ok()).collect())
    }

    pub(crate) async fn media_with(
        &self,
        investigation: InvestigationId,
        outcome: &str,
        after: Option<Sha256>,
        limit: u32,
    ) -> Result<Vec<MediaRow>> {
        let mut conn = self.db.reader().await?;
        let after = after.map_or_else(Vec::new, |sha256| sha256.0.to_vec());
        let rows = rows!(conn, MEDIA_WITH, investigation.to_string(), outcome, after, i64::from(limit));
        rows.iter().map(|row| media_row(row, 0)).collect()
    }
}
