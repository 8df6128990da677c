//! What an event does to the rows that repeat it. The same code runs when it is recorded and when the rows are rebuilt.

use sqlx::Row as _;

use super::tx::Tx;
use super::{db, sql};
use crate::at::Recorded;
use crate::error::{DatabaseResult as _, Result};
use crate::event::Event;
use crate::ids::InvestigationId;

/// Runs a statement of `sql` with values.
macro_rules! run {
    ($tx:expr, $statement:ident $(, $value:expr)* $(,)?) => {
        sqlx::query(sql::$statement)$(.bind($value))*.execute(&mut *$tx.conn).await.when("write what a change says")?
    };
}

impl Tx<'_> {
    pub(super) async fn apply(&mut self, recorded: &Recorded<&Event>) -> Result<()> {
        match recorded.fact {
            Event::AccountMade { user, login, roles, .. } => {
                run!(self, ADD_ACCOUNT, user.to_string(), login, roles.join(" "));
            }
            Event::RolesSet { user, roles, .. } => {
                run!(self, SET_ROLES, user.to_string(), roles.join(" "));
            }
            Event::AccountClosed { user, .. } => {
                run!(self, CLOSE_ACCOUNT, user.to_string());
            }
            Event::InvestigationOpened { investigation, owner, received, referrals, .. } => {
                run!(self, ADD_INVESTIGATION, investigation.to_string(), owner.to_string(), received.ns(), "{}");
                run!(self, ADD_MEMBER, investigation.to_string(), owner.to_string());
                for referral in referrals {
                    run!(self, SET_PART_OF, referral.to_string(), investigation.to_string());
                }
            }
            Event::MemberAdded { investigation, user } => {
                run!(self, ADD_MEMBER, investigation.to_string(), user.to_string());
            }
            Event::MemberRemoved { investigation, user } => {
                run!(self, REMOVE_MEMBER, investigation.to_string(), user.to_string());
            }
            Event::KeyDestroyed { key, .. } => {
                run!(self, FORGET_IDENTIFIERS, key.to_string());
            }
            Event::StoreMade { .. }
            | Event::KeyMade { .. }
            | Event::PasswordSet { .. }
            | Event::GlassBroken { .. }
            | Event::Looked(_) => {}
        }
        Ok(())
    }

    /// The investigation that a thing belongs to.
    ///
    /// # Errors
    /// [`crate::RecordError::Database`].
    pub async fn investigation_of(&mut self, subject: &str) -> Result<Option<InvestigationId>> {
        let row = sqlx::query(sql::PART_OF).bind(subject).fetch_optional(&mut *self.conn).await;
        let Some(row) = row.when("read what belongs together")? else { return Ok(None) };
        let id: String = row.try_get(0).when("read what belongs together")?;
        Ok(id.parse().ok())
    }

    /// Counts something for good: totals are kept, not counted.
    pub(super) async fn add_to_total(&mut self, subject: &str, what: &str, n: i64) -> Result<()> {
        run!(self, ADD_TO_TOTAL, subject, what, n);
        let _ = db::int(0);
        Ok(())
    }
}
