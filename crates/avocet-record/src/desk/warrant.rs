//! The IP events and warrants of an investigation.

use std::collections::BTreeMap;

use serde_json::json;

use super::{Desk, states};
use crate::at::Recorded;
use crate::error::{RecordError, Result};
use crate::event::{Act, Event};
use crate::ids::{InvestigationId, IpEventId, ReferralId, WarrantId};
use crate::ip::{Answer, IpFact, IpState, Stated};
use crate::law::Right;
use crate::time_text::Reading;
use crate::warrant::{Readiness, WarrantState};

/// One IP event.
#[derive(Debug, Clone)]
pub struct IpEventShown {
    /// Which.
    pub id: IpEventId,
    /// Its facts.
    pub state: IpState,
    /// The source's words, for those who may read them.
    pub stated: Option<Stated>,
    /// When it was.
    pub when: Option<Reading>,
    /// What keeps a warrant from resting on it; empty where it is ready.
    pub not_ready: Vec<String>,
}

/// One warrant.
#[derive(Debug, Clone)]
pub struct WarrantShown {
    /// Which.
    pub id: WarrantId,
    /// Its facts.
    pub state: WarrantState,
    /// Whether it may rest on what it rests on.
    pub readiness: Readiness,
    /// What does not fit, and what is due.
    pub findings: Vec<String>,
}

impl Desk<'_> {
    /// Every IP event of an investigation with what keeps a warrant from resting on it. The look is recorded.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn ip_events(&self, investigation: InvestigationId) -> Result<Vec<IpEventShown>> {
        self.may(Right::ReadInvestigation, Some(investigation)).await?;
        let show = self.may(Right::ReadPersonal, Some(investigation)).await.is_ok();
        let facts = self.store.facts(&investigation.to_string()).await?;
        let shown = self.ip_events_in(&facts, show).await?;
        let records = u64::try_from(shown.len()).unwrap_or(u64::MAX);
        self.looked(Act::Viewed, vec![investigation.to_string()], "its IP events", records).await?;
        Ok(shown)
    }

    /// The IP events of these facts, with the source's words where they are to be shown.
    pub(super) async fn ip_events_in(&self, facts: &[Recorded<Event>], show: bool) -> Result<Vec<IpEventShown>> {
        let states = ip_states(facts);
        let opened = self.opened(&states).await?;
        Ok(states
            .into_iter()
            .map(|(id, state)| {
                let not_ready = not_ready(id, &state, &opened);
                let stated = opened.get(&id).and_then(|(stated, _)| stated.clone());
                let when = stated.as_ref().map(|stated| state.when(stated));
                IpEventShown { id, state, stated: stated.filter(|_| show), when, not_ready }
            })
            .collect())
    }

    /// Every warrant of an investigation. The look is recorded.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn warrants(&self, investigation: InvestigationId) -> Result<Vec<WarrantShown>> {
        self.may(Right::ReadInvestigation, Some(investigation)).await?;
        let facts = self.store.facts(&investigation.to_string()).await?;
        let ip_events = self.ip_events_in(&facts, false).await?;
        let shown = self.warrants_in(&facts, &ip_events);
        let records = u64::try_from(shown.len()).unwrap_or(u64::MAX);
        self.looked(Act::Viewed, vec![investigation.to_string()], "its warrants", records).await?;
        Ok(shown)
    }

    /// The warrants of these facts, and whether each may rest on what it rests on.
    pub(super) fn warrants_in(&self, facts: &[Recorded<Event>], ip_events: &[IpEventShown]) -> Vec<WarrantShown> {
        let of = |event: &Event| match event {
            Event::Warrant { warrant, fact, .. } => Some((*warrant, fact.clone())),
            _ => None,
        };
        let events = ip_events.iter().map(|event| (event.id, event.not_ready.clone())).collect();
        let now = self.store.now();
        states(facts, of, WarrantState::apply)
            .into_iter()
            .map(|(id, state)| {
                let (readiness, findings) = (state.readiness(&events), state.findings(now));
                WarrantShown { id, state, readiness, findings }
            })
            .collect()
    }

    /// Makes an IP event of each that a referral's lead states, in the source's own words, and answers those made now.
    ///
    /// # Errors
    /// [`RecordError`] where the referral belongs to no investigation or was erased.
    pub async fn take_ip_events(&self, referral: ReferralId) -> Result<(InvestigationId, Vec<String>)> {
        let found = self.referral(referral).await?;
        let investigation = found.row.investigation.ok_or_else(|| {
            RecordError::Refused(format!(
                "{referral} belongs to no investigation yet; `avocet referral link` puts it into one"
            ))
        })?;
        let lead = found.lead.ok_or_else(|| RecordError::Refused(format!("what {referral} says was erased")))?;
        let taken: Vec<String> = self
            .store
            .facts(&investigation.to_string())
            .await?
            .into_iter()
            .filter_map(|recorded| match recorded.fact {
                Event::Ip { fact: IpFact::Stated { referral: of, place, .. }, .. } if of == Some(referral) => {
                    Some(place)
                }
                _ => None,
            })
            .collect();
        let mut made = vec![];
        for event in lead.ip_events.into_iter().filter(|event| !taken.contains(&event.path)) {
            let place = event.path;
            let stated = Stated {
                address: event.address,
                time: event.time,
                zone: event.zone,
                port: event.port,
                event: event.event,
            };
            let draft = json!({"event": "ip", "investigation": investigation, "ip": {"new": "N"}, "fact": {
                "fact": "stated", "referral": referral, "place": place,
                "stated": {"personal": stated, "of": referral}}});
            made.extend(self.record(&draft, None).await?.made);
        }
        Ok((investigation, made))
    }

    async fn opened(&self, states: &BTreeMap<IpEventId, IpState>) -> Result<Opened> {
        let mut opened = Opened::new();
        for (id, state) in states {
            let stated = match state.stated() {
                Some(stated) => self.store.open_personal(stated).await?,
                None => None,
            };
            let answer = match state.answer() {
                Some(answer) => self.store.open_personal(answer).await?,
                None => None,
            };
            opened.insert(*id, (stated, answer));
        }
        Ok(opened)
    }
}

type Opened = BTreeMap<IpEventId, (Option<Stated>, Option<Answer>)>;

fn ip_states(facts: &[Recorded<Event>]) -> BTreeMap<IpEventId, IpState> {
    let of = |event: &Event| match event {
        Event::Ip { ip, fact, .. } => Some((*ip, fact.clone())),
        _ => None,
    };
    states(facts, of, IpState::apply)
}

fn not_ready(id: IpEventId, state: &IpState, opened: &Opened) -> Vec<String> {
    let (stated, answer) = opened.get(&id).map_or((None, None), |(stated, answer)| (stated.as_ref(), answer.as_ref()));
    let others: Vec<(IpEventId, Option<Answer>)> = state
        .same_activity()
        .into_iter()
        .map(|other| (other, opened.get(&other).and_then(|(_, answer)| answer.clone())))
        .collect();
    state.not_ready(stated, answer, &others)
}
