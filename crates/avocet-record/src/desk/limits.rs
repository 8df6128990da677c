//! Limits of exposure: what holds, who set it and why, and the break that follows for whoever looks. A person sees their own
//! limits and how much of them is used; whoever sets limits sees the limits, never another's use of them.

use serde::Serialize;

use super::Desk;
use crate::at::{At, Day, Recorded};
use crate::error::{RecordError, Result};
use crate::event::{Act, Event};
use crate::ids::{InvestigationId, UserId};
use crate::law::Right;
use crate::personal::Personal;
use crate::risk::Danger;
use crate::staff::{Bounds, Limits, Measure, Rest, StaffFact, Standing, Used, minutes_without_a_break};
use crate::store::{STORE, Tx};

/// One change of limits, with its reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LimitChange {
    /// Number of its entry.
    pub seq: u64,
    /// When.
    pub at: At,
    /// Who made it.
    pub by: UserId,
    /// What the ledger calls it.
    pub kind: String,
    /// The limit; none where all are lifted for a while.
    pub limit: Option<String>,
    /// The numbers that were set.
    pub bounds: Option<Bounds>,
    /// Until when nothing is held back.
    pub until: Option<At>,
    /// Why; none where its key was destroyed.
    pub reason: Option<String>,
}

fn staff_facts(facts: Vec<Recorded<Event>>) -> Vec<Recorded<StaffFact>> {
    let staff = facts.into_iter().filter_map(|recorded| {
        let Recorded { seq, at, by, fact } = recorded;
        match fact {
            Event::Staff { fact, .. } => Some(Recorded { seq, at, by, fact }),
            _ => None,
        }
    });
    staff.collect()
}

/// The subject of facts about the limits of somebody, or of the team.
fn subject(of: Option<UserId>) -> String {
    of.map_or_else(|| Event::TEAM.to_owned(), |user| user.to_string())
}

impl Desk<'_> {
    async fn staff_facts(&self, of: Option<UserId>) -> Result<Vec<Recorded<StaffFact>>> {
        Ok(staff_facts(self.store.facts(&subject(of)).await?))
    }

    /// One's own limits, and those of the team, are open to everybody; those of somebody else to whoever sets them.
    async fn may_see_limits(&self, of: Option<UserId>) -> Result<()> {
        match of {
            Some(other) if other != self.user => self.may(Right::SetCare, None).await.map(drop),
            _ => Ok(()),
        }
    }

    async fn limits_of(&self, of: Option<UserId>) -> Result<Limits> {
        let person = match of {
            Some(_) => self.staff_facts(of).await?,
            None => vec![],
        };
        Ok(Limits::of(&self.law.staff_care, &self.staff_facts(None).await?, &person))
    }

    /// The limits of the team, or of one person.
    ///
    /// # Errors
    /// [`RecordError::NotAllowed`] for somebody else's, where one does not set limits.
    pub async fn care_limits(&self, of: Option<UserId>) -> Result<Limits> {
        self.may_see_limits(of).await?;
        self.limits_of(of).await
    }

    /// Every change of the limits of the team, or of one person, oldest first, with its reason. A look at somebody else's is
    /// recorded.
    ///
    /// # Errors
    /// As [`Desk::care_limits`].
    pub async fn care_limit_changes(&self, of: Option<UserId>) -> Result<Vec<LimitChange>> {
        self.may_see_limits(of).await?;
        let facts = self.staff_facts(of).await?;
        if of.is_some_and(|user| user != self.user) {
            let records = u64::try_from(facts.len()).unwrap_or(u64::MAX);
            self.looked(Act::Viewed, vec![subject(of)], "limits of exposure", records).await?;
        }
        let mut changes = vec![];
        for Recorded { seq, at, by, fact } in facts {
            let reason = self.store.open_personal(fact.reason()).await?;
            let kind = fact.kind().to_owned();
            let (limit, bounds, until) = match fact {
                StaffFact::LimitSet { limit, bounds, .. } => (Some(limit), Some(bounds), None),
                StaffFact::LimitReset { limit, .. } => (Some(limit), None, None),
                StaffFact::Lifted { until, .. } => (None, None, Some(until)),
            };
            changes.push(LimitChange { seq, at, by, kind, limit, bounds, until, reason });
        }
        Ok(changes)
    }

    /// Sets a limit for the team or one person. Answers the number of the entry.
    ///
    /// # Errors
    /// [`RecordError::Refused`] where the table has no such limit, the numbers make no sense, no reason is given, or it is
    /// one's own.
    pub async fn set_care_limit(&self, of: Option<UserId>, limit: &str, bounds: Bounds, reason: &str) -> Result<u64> {
        self.is_a_limit(limit)?;
        if let Some((field, what, next)) = bounds.wrong() {
            return Err(RecordError::Refused(format!("{field}: {what}; {}", lower(next))));
        }
        let limit = limit.to_owned();
        self.record_staff(of, reason, |reason| StaffFact::LimitSet { limit, bounds, reason }).await
    }

    /// Lets what was set for the team or one person no longer hold. Answers the number of the entry.
    ///
    /// # Errors
    /// As [`Desk::set_care_limit`].
    pub async fn reset_care_limit(&self, of: Option<UserId>, limit: &str, reason: &str) -> Result<u64> {
        self.is_a_limit(limit)?;
        let limit = limit.to_owned();
        self.record_staff(of, reason, |reason| StaffFact::LimitReset { limit, reason }).await
    }

    /// Lets nothing be held back for one person until the day ends. Breaks are still proposed. Answers the number of the
    /// entry and until when.
    ///
    /// # Errors
    /// As [`Desk::set_care_limit`].
    pub async fn lift_care_limits(&self, user: UserId, reason: &str) -> Result<(u64, At)> {
        let until = Day::of(self.now()).plus(1).begin();
        let seq = self.record_staff(Some(user), reason, |reason| StaffFact::Lifted { until, reason }).await?;
        Ok((seq, until))
    }

    fn is_a_limit(&self, limit: &str) -> Result<()> {
        let table = &self.law.staff_care;
        if table.row(limit).is_some() {
            return Ok(());
        }
        let known: Vec<&str> = table.rows.iter().map(|row| row.id.as_str()).collect();
        Err(RecordError::Refused(format!("there is no limit {limit}; there are {}", known.join(", "))))
    }

    async fn record_staff(
        &self,
        of: Option<UserId>,
        reason: &str,
        fact: impl FnOnce(Personal<String>) -> StaffFact,
    ) -> Result<u64> {
        if reason.trim().is_empty() {
            return Err(RecordError::Refused("give the reason; it is kept with the change".into()));
        }
        if of == Some(self.user) {
            return Err(RecordError::Refused("nobody sets or lifts their own limits; ask another supervisor".into()));
        }
        self.write(Right::SetCare, None, async |tx: &mut Tx<'_>| {
            if let Some(user) = of
                && !tx.accounts().await?.iter().any(|account| account.user == user && account.active)
            {
                return Err(RecordError::Unknown { what: user.to_string() });
            }
            // Why somebody's limit is another one may be a matter of their health: it goes with their name.
            let holder = of.unwrap_or(STORE).to_string();
            let reason = tx.key_of(&holder).await?.seal(&reason.to_owned())?;
            tx.record(&Event::Staff { user: of, fact: fact(reason) }).await
        })
        .await
    }

    /// What this person has looked at until now.
    async fn used(&self) -> Result<Used> {
        let now = self.now();
        let today = Day::of(now);
        let mut used = Used::default();
        for line in self.store.exposure(Some(self.user), today, today).await? {
            match line.what.as_str() {
                "clear" => (used.clear_ms, used.clear_views) = (line.ms, line.times),
                "graded" => used.graded = line.times,
                _ => {}
            }
        }
        let table = &self.law.staff_care.rows;
        let pause = table.iter().find(|row| row.value.measure == Measure::WithoutBreak);
        if let Some(pause) = pause.and_then(|row| row.value.pause_minutes) {
            used.without_break = minutes_without_a_break(&self.store.looked_until(self.user, now).await?, now, pause);
        }
        Ok(used)
    }

    /// One's own limits with how much of each is used.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn own_standing(&self) -> Result<Vec<Standing>> {
        Ok(self.limits_of(Some(self.user)).await?.standing(&self.used().await?))
    }

    /// The break that is proposed to this person now, if one is. In an investigation in which a child may be in danger
    /// nothing is held back.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn rest(&self, investigation: InvestigationId) -> Result<Option<Rest>> {
        self.may(Right::ReadInvestigation, Some(investigation)).await?;
        let limits = self.limits_of(Some(self.user)).await?;
        let standing = limits.standing(&self.used().await?);
        let danger = self.store.investigation(investigation).await?.item.danger;
        let urgent = matches!(danger, Some((Danger::Yes, ..)));
        Ok(Rest::of(&standing, limits.lifted_until, self.now(), urgent))
    }
}

fn lower(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}
