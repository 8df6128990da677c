//! What an event does to the rows that repeat it. The same code runs when it is recorded and when the rows are rebuilt.

use super::tx::Tx;
use crate::at::Recorded;
use crate::desk::Item;
use crate::error::Result;
use crate::event::Event;
use crate::vote::VoteFact;

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
            Event::InvestigationOpened { investigation, owner, received, referrals, title } => {
                let item = Item { title: title.clone(), risk: vec![] }.to_text();
                run!(self, ADD_INVESTIGATION, investigation.to_string(), owner.to_string(), received.ns(), item);
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
            Event::Risk { fact } => {
                let id = fact.investigation();
                let mut item = self.investigation(id).await?.item;
                item.risk.push((recorded.seq, recorded.at, recorded.by, fact.clone()));
                run!(self, SET_ITEM, id.to_string(), item.to_text());
            }
            Event::ExaminationAttached { investigation, examination, .. } => {
                run!(self, SET_PART_OF, examination.to_string(), investigation.to_string());
                self.apply_examination(recorded).await?;
            }
            Event::Exhibit { investigation, exhibit, .. } => {
                run!(self, SET_PART_OF, exhibit.to_string(), investigation.to_string());
            }
            Event::Vote { investigation, fact } => match fact {
                VoteFact::PolicySet(_) => self.judge_all(*investigation, recorded.seq).await?,
                VoteFact::Voted { sha256, .. }
                | VoteFact::Withdrawn { sha256, .. }
                | VoteFact::SecondViewRequested { sha256, .. }
                | VoteFact::Imported { sha256, .. } => self.judge(sha256, recorded.seq).await?,
            },
            Event::StoreMade { .. }
            | Event::Restored { .. }
            | Event::SignInFailed { .. }
            | Event::KeyMade { .. }
            | Event::KeyDestroyed { .. }
            | Event::PasswordSet { .. }
            | Event::GlassBroken { .. }
            | Event::Looked(_) => {}
        }
        Ok(())
    }
}
