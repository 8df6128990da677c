//! What an event does to the rows that repeat it. The same code runs when it is recorded and when the rows are rebuilt.

use super::db;
use super::tx::Tx;
use crate::at::Recorded;
use crate::case::Case;
use crate::desk::Item;
use crate::error::Result;
use crate::event::{Event, Token};
use crate::exhibit::ExhibitFact;
use crate::identifier::{Identifier, IdentifierKind};
use crate::ids::{InvestigationId, OrderId};
use crate::order::OrderState;
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
            Event::ReferralReceived { referral, source, received, flags, fields, problems, tokens, .. } => {
                // Numbers and words always have a JSON form.
                let flags = serde_json::to_string(flags).unwrap_or_default();
                let (fields, problems) = (db::int(*fields), db::int(*problems));
                run!(self, ADD_REFERRAL, referral.to_string(), source, received.ns(), flags, fields, problems);
                let key = tokens.key().to_string();
                for Token { kind, token } in self.open(tokens).await?.unwrap_or_default() {
                    let token = token.0.to_vec();
                    run!(self, ADD_IDENTIFIER, token, referral.to_string(), kind.as_str(), key.clone());
                }
            }
            Event::ReferralLinked { investigation, referral } => {
                let mut item = self.investigation(*investigation).await?.item;
                item.flags.extend(self.referral(*referral).await?.flags);
                item.closed = false;
                self.keep(*investigation, &item).await?;
                run!(self, SET_PART_OF, referral.to_string(), investigation.to_string());
            }
            Event::KeyDestroyed { key, .. } => {
                run!(self, FORGET_IDENTIFIERS, key.to_string());
            }
            Event::InvestigationOpened { investigation, owner, received, referrals, title } => {
                let mut item = Item { title: title.clone(), ..Item::default() };
                for referral in referrals {
                    item.flags.extend(self.referral(*referral).await?.flags);
                }
                let item = item.to_text();
                run!(self, ADD_INVESTIGATION, investigation.to_string(), owner.to_string(), received.ns(), item);
                run!(self, ADD_MEMBER, investigation.to_string(), owner.to_string());
                for referral in referrals {
                    run!(self, SET_PART_OF, referral.to_string(), investigation.to_string());
                }
            }
            Event::InvestigationClosed { investigation, .. } | Event::InvestigationReopened { investigation, .. } => {
                let mut item = self.investigation(*investigation).await?.item;
                item.closed = matches!(recorded.fact, Event::InvestigationClosed { .. });
                self.keep(*investigation, &item).await?;
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
                item.add_risk(&recorded.with(fact.clone()));
                item.closed = false;
                self.keep(id, &item).await?;
            }
            Event::ExaminationAttached { investigation, examination, .. } => {
                run!(self, SET_PART_OF, examination.to_string(), investigation.to_string());
                self.apply_examination(recorded).await?;
                self.requeue(*investigation, recorded.seq).await?;
            }
            Event::Exhibit { investigation, exhibit, fact } => {
                run!(self, SET_PART_OF, exhibit.to_string(), investigation.to_string());
                if let ExhibitFact::Taken { serials, .. } = fact
                    && !serials.is_empty()
                {
                    for serial in serials {
                        if let Some(identifier) = Identifier::new(IdentifierKind::Device, &serial.value) {
                            let Token { kind, token } = self.token(&identifier);
                            run!(self, ADD_IDENTIFIER, token.0.to_vec(), exhibit.to_string(), kind.as_str(), "");
                        }
                    }
                    self.requeue(*investigation, recorded.seq).await?;
                }
            }
            Event::Ip { investigation, ip, .. } => {
                run!(self, SET_PART_OF, ip.to_string(), investigation.to_string());
            }
            Event::Warrant { investigation, warrant, .. } => {
                run!(self, SET_PART_OF, warrant.to_string(), investigation.to_string());
                self.set_moments(*investigation, &[warrant.to_string()]).await?;
            }
            Event::Outcome { investigation, outcome, .. } => {
                run!(self, SET_PART_OF, outcome.to_string(), investigation.to_string());
            }
            Event::Order { investigation, order, .. } => {
                run!(self, SET_PART_OF, order.to_string(), investigation.to_string());
                self.set_order(*investigation, *order).await?;
            }
            Event::Person { investigation, person, .. } => {
                run!(self, SET_PART_OF, person.to_string(), investigation.to_string());
                self.set_moments(*investigation, &[person.to_string()]).await?;
            }
            Event::Safeguarding { investigation, safeguarding, .. } => {
                run!(self, SET_PART_OF, safeguarding.to_string(), investigation.to_string());
                self.set_moments(*investigation, &[safeguarding.to_string()]).await?;
            }
            Event::Custody { investigation, custody, suspect, .. } => {
                run!(self, SET_PART_OF, custody.to_string(), investigation.to_string());
                self.set_moments(*investigation, &[custody.to_string(), suspect.to_string()]).await?;
            }
            Event::Identification { investigation, child: person, .. }
            | Event::Care { investigation, child: person, .. }
            | Event::Welfare { investigation, person, .. } => {
                self.set_moments(*investigation, &[person.to_string()]).await?;
            }
            Event::Vote { investigation, fact } => match fact {
                VoteFact::PolicySet(_) => {
                    self.judge_all(*investigation, recorded.seq).await?;
                    self.requeue(*investigation, recorded.seq).await?;
                }
                VoteFact::Voted { sha256, .. }
                | VoteFact::Withdrawn { sha256, .. }
                | VoteFact::SecondViewRequested { sha256, .. }
                | VoteFact::Imported { sha256, .. } => {
                    self.set_voter(&recorded.with(fact)).await?;
                    self.judge(sha256, recorded.seq).await?;
                }
            },
            Event::Review { investigation, fact } => {
                self.apply_review(*investigation, &recorded.with(fact)).await?;
            }
            Event::StoreMade { .. }
            | Event::Restored { .. }
            | Event::SignInFailed { .. }
            | Event::KeyMade { .. }
            | Event::ConflictNoted { .. }
            | Event::PasswordSet { .. }
            | Event::GlassBroken { .. }
            | Event::Staff { .. }
            | Event::Looked(_) => {}
        }
        Ok(())
    }

    /// Keeps what the row of an investigation sums up. The queue reads those that are open, and those with an order.
    async fn keep(&mut self, investigation: InvestigationId, item: &Item) -> Result<()> {
        run!(self, SET_ITEM, investigation.to_string(), item.to_text(), i64::from(item.is_queued()));
        Ok(())
    }

    /// Reads anew what an order sums up to, and puts it into the investigation's row.
    async fn set_order(&mut self, investigation: InvestigationId, order: OrderId) -> Result<()> {
        let mut state = OrderState::default();
        for recorded in self.facts(&order.to_string()).await? {
            if let Event::Order { order: of, fact, .. } = &recorded.fact
                && *of == order
            {
                state.apply(&recorded.with(fact.clone()));
            }
        }
        let mut item = self.investigation(investigation).await?.item;
        match state.sum() {
            Some(sum) => item.orders.insert(order, sum),
            None => item.orders.remove(&order),
        };
        self.keep(investigation, &item).await?;
        Ok(())
    }

    /// Reads the moments that clocks go by anew from the facts of these things, and puts them into the investigation's row.
    async fn set_moments(&mut self, investigation: InvestigationId, things: &[String]) -> Result<()> {
        let mut item = self.investigation(investigation).await?.item;
        for thing in things {
            let moments = Case::of(&self.facts(thing).await?).moments_of(thing);
            item.moments.insert(thing.clone(), moments);
        }
        item.moments.retain(|_, moments| !moments.is_empty());
        // What is recorded about people, or a warrant, after an investigation was closed is work in it again.
        item.closed = false;
        self.keep(investigation, &item).await?;
        Ok(())
    }
}
