//! People of the team by what they sign in with.

use std::collections::BTreeMap;

use avocet_record::desk::Desk;
use avocet_record::{RecordError, UserId};

/// What each signs in with.
pub struct Team(BTreeMap<UserId, (String, bool)>);

impl Team {
    pub async fn of(desk: &Desk<'_>) -> Result<Self, RecordError> {
        let all = desk.colleagues().await?;
        Ok(Self(all.into_iter().map(|account| (account.user, (account.login, account.active))).collect()))
    }

    /// What somebody signs in with, else their id.
    pub fn name(&self, user: UserId) -> String {
        self.0.get(&user).map_or_else(|| user.to_string(), |(login, _)| login.clone())
    }

    /// A sentence in which ids of users stand, with what they sign in with in their place.
    pub fn told(&self, text: &str) -> String {
        let words = text.split_inclusive(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
        words
            .map(|word| {
                let id = word.trim_end_matches(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
                match id.parse().ok().and_then(|user: UserId| self.0.get(&user)) {
                    Some((login, _)) => word.replacen(id, login, 1),
                    None => word.to_owned(),
                }
            })
            .collect()
    }

    /// Those who can still work, to choose from.
    pub fn choices(&self) -> Vec<(String, String)> {
        let active = self.0.iter().filter(|(_, (_, active))| *active);
        active.map(|(user, (login, _))| (user.to_string(), format!("{login} ({user})"))).collect()
    }
}
