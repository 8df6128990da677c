//! The gate: everybody works on a record through a [`Desk`], which knows who they are and what they may do.

mod account;
mod agreement;
mod care;
mod draft;
mod exhibit;
mod extract;
mod figures;
mod found;
mod investigation;
mod limits;
mod look;
mod media;
mod order;
mod outcome;
mod overview;
mod people;
mod referral;
mod review;
mod stated;
mod team;
mod warrant;

use std::collections::BTreeMap;

use crate::at::{At, Recorded};
use crate::error::{RecordError, Result};
use crate::event::Event;
use crate::ids::{InvestigationId, UserId};
use crate::law::{Law, Right, RightScope};
use crate::store::{Permit, Store, Tx};

pub(crate) use account::from_row as account_from_row;
pub use account::{Account, Pass};
pub use agreement::{AgreementOf, Imported, Sample, SetSays};
pub use care::Exposure;
pub use draft::{Done, Told};
pub use exhibit::Exhibit;
pub use extract::ExtractMade;
pub(crate) use investigation::Item;
pub use investigation::{Opening, Queued};
pub use limits::LimitChange;
pub(crate) use media::outcome_text;
pub use media::{AttachedNow, MediaPlace};
pub use order::{Comparison, OrderShown};
pub use outcome::{OutcomeShown, Settled};
pub use overview::{Attached, Head, Overview};
pub use people::{CustodyShown, Details, People, PersonShown, SafeguardingShown};
pub use referral::{Conflict, Incoming, Referral};
pub use review::{
    Accepted, Batch, BatchItem, Border, GroupMember, LARGEST_BATCH, LEASE_MINUTES, NearGroup, OwnCamera, Progress,
    Undone, Voted,
};
pub use stated::{Stated, StatedImport};
pub use team::{ChildToFind, SearchHit, Searched};
pub use warrant::{IpEventShown, WarrantShown};

/// What facts add up to for each thing that they are about, by its id: `of` says what a fact is about and is one of this
/// kind, `apply` adds it to the thing's state.
fn states<I: Ord, S: Default, F>(
    facts: &[Recorded<Event>],
    of: impl Fn(&Event) -> Option<(I, F)>,
    apply: impl Fn(&mut S, &Recorded<F>),
) -> BTreeMap<I, S> {
    let mut states = BTreeMap::new();
    for recorded in facts {
        if let Some((id, fact)) = of(&recorded.fact) {
            apply(states.entry(id).or_default(), &recorded.with(fact));
        }
    }
    states
}

/// How long a look into an investigation that one is not on stays open.
const GLASS_HOURS: i64 = 12;

/// A person at work.
#[derive(Debug)]
pub struct Desk<'s> {
    store: &'s Store,
    law: &'s Law,
    user: UserId,
    roles: Vec<String>,
}

impl<'s> Desk<'s> {
    /// Who works here.
    #[must_use]
    pub fn user(&self) -> UserId {
        self.user
    }

    /// Their roles, as `roles.toml` names them.
    #[must_use]
    pub fn roles(&self) -> &[String] {
        &self.roles
    }

    /// The tables that the record works by.
    #[must_use]
    pub fn law(&self) -> &'s Law {
        self.law
    }

    /// Now, as the record's clock says.
    #[must_use]
    pub fn now(&self) -> At {
        self.store.now()
    }

    /// Whether one of the person's roles holds a right.
    #[must_use]
    pub fn holds(&self, right: Right) -> bool {
        self.roles.iter().filter_map(|role| self.law.roles.row(role)).any(|role| role.value.may(right))
    }

    /// The gate itself: whether this person may do this, in this investigation where the right reaches only those one
    /// works on.
    ///
    /// # Errors
    /// [`RecordError::NotAllowed`] where no role holds the right; [`RecordError::Unknown`] where the person is not on the
    /// investigation, which says no more than if there were none.
    pub async fn may(&self, right: Right, investigation: Option<InvestigationId>) -> Result<Permit> {
        if !self.holds(right) {
            return Err(RecordError::NotAllowed { right: right.meaning().to_owned() });
        }
        let permit = Permit::new(self.user);
        match (right.scope(), investigation) {
            (RightScope::Everywhere, _) => Ok(permit),
            (RightScope::Investigation, None) => {
                Err(RecordError::NotAllowed { right: format!("{}: name the investigation", right.meaning()) })
            }
            (RightScope::Investigation, Some(id)) => {
                if self.store.is_member(id, self.user).await? || self.has_broken_glass(id).await? {
                    Ok(permit)
                } else {
                    Err(RecordError::Unknown { what: id.to_string() })
                }
            }
        }
    }

    async fn has_broken_glass(&self, id: InvestigationId) -> Result<bool> {
        if !self.holds(Right::BreakGlass) {
            return Ok(false);
        }
        let since = self.store.now().ns().saturating_sub(GLASS_HOURS.saturating_mul(3_600_000_000_000));
        let facts = self.store.facts_of_kind(&id.to_string(), Event::GLASS_BROKEN).await?;
        Ok(facts.iter().any(|f| f.by == self.user && f.at > At::from_ns(since)))
    }

    /// Makes a change that takes a right.
    ///
    /// # Errors
    /// As [`Desk::may`], and whatever the change answers.
    pub async fn write<R>(
        &self,
        right: Right,
        investigation: Option<InvestigationId>,
        change: impl AsyncFnOnce(&mut Tx<'_>) -> Result<R>,
    ) -> Result<R> {
        let permit = self.may(right, investigation).await?;
        self.store.write(permit, change).await
    }
}
