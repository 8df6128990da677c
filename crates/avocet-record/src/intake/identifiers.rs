//! What a lead can be found by in other records.

use std::collections::{BTreeMap, BTreeSet};

use super::{Field, IpEvent, Lead, What};
use crate::at::At;
use crate::identifier::{Identifier, IdentifierKind as Kind};

/// The element or row that a field lies in.
fn around(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(above, _)| above)
}

/// The fields that stand together, by the element or row they lie in, in the order of the file.
pub fn ip_events(fields: &[Field]) -> Vec<IpEvent> {
    let mut groups: BTreeMap<&str, Vec<&Field>> = BTreeMap::new();
    let mut order = vec![];
    for field in fields {
        let group = around(&field.path);
        if field.what == Some(What::IpAddress) {
            order.push((group, field));
        }
        groups.entry(group).or_default().push(field);
    }
    order
        .into_iter()
        .map(|(group, field)| {
            let of = |what| {
                let mut found = groups.get(group).into_iter().flatten().filter(|f| f.what == Some(what));
                found.next().map(|f| f.text.trim().to_owned())
            };
            IpEvent {
                path: field.path.clone(),
                address: field.text.trim().to_owned(),
                time: of(What::EventTime),
                zone: of(What::Zone),
                port: of(What::Port),
                event: of(What::EventName),
            }
        })
        .collect()
}

pub fn of(lead: &Lead) -> Vec<Identifier> {
    let mut found = BTreeSet::new();
    let mut add = |kind, text: &str| {
        found.extend(Identifier::new(kind, text));
    };
    let mut services: BTreeMap<&str, &str> = BTreeMap::new();
    for field in &lead.fields {
        if field.what == Some(What::Service) {
            services.insert(around(&field.path), field.text.trim());
        }
    }
    for field in &lead.fields {
        let text = field.text.trim();
        match field.what {
            Some(What::Email) => add(Kind::Email, text),
            Some(What::Phone) => add(Kind::Telephone, text),
            Some(What::Url) => add(Kind::Url, text),
            Some(What::ScreenName) => add(Kind::ScreenName, text),
            Some(What::DeviceId) => add(Kind::Device, text),
            Some(What::Hash) => add(Kind::Digest, text),
            Some(What::AccountId) => {
                let service = services.get(around(&field.path)).copied().unwrap_or_default();
                add(Kind::Account, &format!("{service}|{text}"));
            }
            _ => {}
        }
    }
    for event in &lead.ip_events {
        add(Kind::Ip, &event.address);
        if let Some(at) = event.time.as_deref().and_then(At::read) {
            add(Kind::IpAndTime, &format!("{} {}", event.address, at.ns() / 1_000_000_000));
        }
    }
    found.into_iter().collect()
}
