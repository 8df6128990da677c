//! What lies across the investigations that somebody works on: a search, orders and visits, children who are not known or
//! not safe yet. Each is one look.

use std::collections::BTreeSet;

use super::exhibit::exhibits_in;
use super::{Desk, Exhibit, IpEventShown, OrderShown};
use crate::case::{Case, PersonFile};
use crate::error::{RecordError, Result};
use crate::event::Act;
use crate::exhibit::ExhibitFact;
use crate::identifier::{Identifier, IdentifierKind};
use crate::ids::{InvestigationId, PersonId, ReferralId};
use crate::law::Right;
use crate::safeguard::Step;
use crate::store::InvestigationRow;

/// What was found of a search is answered up to here; that there is more is said.
const MOST: usize = 200;
/// A shorter text is in nearly everything.
const SHORTEST: usize = 2;

/// Something that a search found, by ids. What was sought is not repeated.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SearchHit {
    /// In which investigation; `None` for a referral that belongs to none yet.
    pub investigation: Option<InvestigationId>,
    /// What has it: an id.
    pub subject: String,
    /// Where in it, such as `its reference`.
    pub place: String,
}

/// What a search found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Searched {
    /// What has it, by investigation.
    pub hits: Vec<SearchHit>,
    /// How many investigations were searched: those that the person works on.
    pub investigations: u64,
    /// Whether more was found than is answered.
    pub more: bool,
}

/// A child who is not known or not safe yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChildToFind {
    /// In which investigation.
    pub investigation: InvestigationId,
    /// What the team calls it.
    pub title: String,
    /// The child's record.
    pub child: PersonId,
    /// How far it is.
    pub step: Step,
    /// Leads that are open.
    pub open_leads: usize,
    /// Whether work on it rests.
    pub rests: bool,
}

fn by_investigation(row: &InvestigationRow) -> InvestigationId {
    row.id
}

impl Desk<'_> {
    /// The investigations that the person works on, closed ones too, in the order of their numbers.
    async fn mine(&self) -> Result<Vec<InvestigationRow>> {
        let mut rows = vec![];
        for id in self.store.memberships(self.user).await? {
            rows.push(self.store.investigation(id).await?);
        }
        Ok(rows)
    }

    async fn looked_across(
        &self,
        act: Act,
        of: BTreeSet<InvestigationId>,
        purpose: &str,
        records: usize,
    ) -> Result<()> {
        let records = u64::try_from(records).unwrap_or(u64::MAX);
        self.looked(act, of.iter().map(ToString::to_string).collect(), purpose, records).await
    }

    /// Searches the investigations that the person works on: titles, ids, exhibits and their numbers, the source's words of
    /// IP events, what is recorded of people, identifiers of referrals, digests of media; of each only what the person may
    /// read. The search is recorded, without what was sought.
    ///
    /// # Errors
    /// [`RecordError`] where the role sees no investigations, or there is next to nothing to search for.
    pub async fn search(&self, text: &str) -> Result<Searched> {
        self.may(Right::SeeQueue, None).await?;
        let sought = text.trim().to_lowercase();
        if sought.chars().count() < SHORTEST {
            return Err(RecordError::Refused("search for two letters or digits at least".into()));
        }
        let mut searched = Searched::default();
        let mut hits: BTreeSet<SearchHit> = BTreeSet::new();
        let rows = self.mine().await?;
        let mine: BTreeSet<InvestigationId> = rows.iter().map(by_investigation).collect();
        for row in &rows {
            if self.may(Right::ReadInvestigation, Some(row.id)).await.is_err() {
                continue;
            }
            searched.investigations = searched.investigations.saturating_add(1);
            self.search_one(row, &sought, &mut hits).await?;
        }
        self.search_identifiers(text, &mine, &mut hits).await?;
        searched.more = hits.len() > MOST;
        searched.hits = hits.into_iter().take(MOST).collect();
        let of = searched.hits.iter().filter_map(|hit| hit.investigation).collect();
        self.looked_across(Act::Searched, of, "a search of one's own investigations", searched.hits.len()).await?;
        Ok(searched)
    }

    async fn search_one(&self, row: &InvestigationRow, sought: &str, hits: &mut BTreeSet<SearchHit>) -> Result<()> {
        let investigation = Some(row.id);
        let mut hit = |subject: String, place: &str| {
            hits.insert(SearchHit { investigation, subject, place: place.to_owned() });
        };
        let has = |text: &str| text.to_lowercase().contains(sought);
        let is = |id: &str| id.to_lowercase() == sought;
        if is(&row.id.to_string()) || has(&row.item.title) {
            hit(row.id.to_string(), "its title or number");
        }
        let facts = self.store.facts(&row.id.to_string()).await?;
        for exhibit in exhibits_in(&facts) {
            if is(&exhibit.id.to_string()) {
                hit(exhibit.id.to_string(), "its number");
            }
            for (place, text) in words_of(&exhibit) {
                if has(&text) {
                    hit(exhibit.id.to_string(), place);
                }
            }
        }
        let case = Case::of(&facts);
        let restricted = self.may(Right::RestrictedChild, investigation).await.is_ok();
        let readable: Vec<(PersonId, &PersonFile)> = case
            .people
            .iter()
            .filter(|(id, _)| restricted || !case.is_child(**id))
            .map(|(id, file)| (*id, file))
            .collect();
        for (id, _) in &readable {
            if is(&id.to_string()) {
                hit(id.to_string(), "the number of the record");
            }
        }
        if self.may(Right::ReadPersonal, investigation).await.is_err() {
            return Ok(());
        }
        for IpEventShown { id, stated, .. } in self.ip_events_in(&facts, true).await? {
            if is(&id.to_string()) || stated.is_some_and(|stated| has(&stated.address)) {
                hit(id.to_string(), "its address as the source states it");
            }
        }
        for (id, file) in readable {
            for (what, text) in self.details(file).await?.0 {
                if text.is_some_and(|text| has(&text)) {
                    hit(id.to_string(), &format!("what is recorded of them: {what}"));
                }
            }
        }
        Ok(())
    }

    /// What has an identifier in its one spelling, whatever the spelling in which it was sought.
    async fn search_identifiers(
        &self,
        text: &str,
        mine: &BTreeSet<InvestigationId>,
        hits: &mut BTreeSet<SearchHit>,
    ) -> Result<()> {
        let kinds = [
            IdentifierKind::Ip,
            IdentifierKind::ScreenName,
            IdentifierKind::Telephone,
            IdentifierKind::Email,
            IdentifierKind::Device,
            IdentifierKind::Url,
            IdentifierKind::Digest,
        ];
        for identifier in kinds.into_iter().filter_map(|kind| Identifier::new(kind, text)) {
            for subject in self.store.subjects_with(&identifier).await? {
                let is_referral = subject.parse::<ReferralId>().is_ok();
                let investigation = match subject.parse::<InvestigationId>() {
                    Ok(id) => Some(id),
                    Err(_) => self.store.part_of(&subject).await?,
                };
                let readable = match investigation {
                    Some(id) => mine.contains(&id) && self.may(Right::ReadInvestigation, Some(id)).await.is_ok(),
                    // What nobody works on yet is seen by those who take referrals in.
                    None => is_referral,
                };
                if readable && (!is_referral || self.holds(Right::RecordReferral)) {
                    let place = format!("the same {}", identifier.kind);
                    hits.insert(SearchHit { investigation, subject, place });
                }
            }
        }
        if let Ok(sha256) = text.trim().to_lowercase().parse() {
            for id in mine {
                if self.may(Right::ViewMedia, Some(*id)).await.is_ok()
                    && self.store.media(*id, &sha256).await?.is_some()
                {
                    let place = "a picture or video with this SHA-256".to_owned();
                    hits.insert(SearchHit { investigation: Some(*id), subject: id.to_string(), place });
                }
            }
        }
        Ok(())
    }

    /// The orders of all investigations that the person works on, those first of which something is due first. The look is
    /// recorded.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn orders_of_mine(&self) -> Result<Vec<(InvestigationId, String, OrderShown)>> {
        self.may(Right::SeeQueue, None).await?;
        let mut all = vec![];
        for row in self.mine().await? {
            if self.may(Right::ReadInvestigation, Some(row.id)).await.is_err() {
                continue;
            }
            let facts = self.store.facts(&row.id.to_string()).await?;
            all.extend(self.orders_in(&facts).into_iter().map(|order| (row.id, row.item.title.clone(), order)));
        }
        all.sort_by_key(|(id, _, order)| (order.due.first().map_or(i64::MAX, |due| due.late_from.ns()), *id, order.id));
        let of = all.iter().map(|(id, ..)| *id).collect();
        self.looked_across(Act::Viewed, of, "the orders of one's own investigations", all.len()).await?;
        Ok(all)
    }

    /// The children of all investigations that the person works on and whose records they may read, who are not stated to be
    /// safe; those first of whom least is known. The look is recorded.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn children_to_find(&self) -> Result<Vec<ChildToFind>> {
        self.may(Right::SeeQueue, None).await?;
        let mut all = vec![];
        for row in self.mine().await? {
            if self.may(Right::RestrictedChild, Some(row.id)).await.is_err() {
                continue;
            }
            let case = Case::of(&self.store.facts(&row.id.to_string()).await?);
            for (child, file) in case.people.iter().filter(|(id, _)| case.is_child(**id)) {
                let step = file.identification.step(file.person.made().is_some_and(|(_, unidentified)| unidentified));
                if step == Step::Safeguarded {
                    continue;
                }
                all.push(ChildToFind {
                    investigation: row.id,
                    title: row.item.title.clone(),
                    child: *child,
                    step,
                    open_leads: file.identification.leads().values().filter(|lead| lead.held.is_none()).count(),
                    rests: file.identification.rests().is_some(),
                });
            }
        }
        all.sort_by_key(|found| (found.rests, found.step, found.investigation, found.child));
        let of = all.iter().map(|found| found.investigation).collect();
        self.looked_across(Act::Viewed, of, "children who are not safe yet", all.len()).await?;
        Ok(all)
    }
}

/// What is written of an exhibit, each with where it stands.
fn words_of(exhibit: &Exhibit) -> Vec<(&'static str, String)> {
    match exhibit.state.origin() {
        Some(ExhibitFact::Taken { reference, kind, description, make, model, serials, .. }) => {
            let mut all = vec![
                ("its reference", reference.to_string()),
                ("what it is", format!("{kind} {description}")),
                (
                    "make and model",
                    [make.as_deref(), model.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" "),
                ),
            ];
            all.extend(serials.iter().map(|serial| ("one of its numbers", serial.value.clone())));
            all
        }
        Some(ExhibitFact::Excluded { kind, description, .. }) => vec![("what it is", format!("{kind} {description}"))],
        _ => vec![],
    }
}
