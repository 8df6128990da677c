//! The facts of one thing, and which of them count.

use std::collections::BTreeMap;

use crate::at::{At, Recorded};
use crate::correction;

/// What a fact says of itself.
pub trait Stated: Clone {
    /// When it happened, where it says so.
    fn when(&self) -> Option<At>;

    /// The number of the fact that it corrects.
    fn wrong(&self) -> Option<u64>;
}

/// The facts of one thing by their numbers. The order in which they are added does not matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts<F>(BTreeMap<u64, Recorded<F>>);

impl<F> Default for Facts<F> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<F: Stated> Facts<F> {
    /// Adds a fact.
    pub fn add(&mut self, recorded: &Recorded<F>) {
        self.0.insert(recorded.seq, recorded.clone());
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those that no correction strikes, corrections left out, in the order of the ledger.
    pub fn counting(&self) -> impl DoubleEndedIterator<Item = &Recorded<F>> {
        let struck = correction::struck(&self.0, Stated::wrong);
        self.0.values().filter(move |r| !struck.contains_key(&r.seq) && r.fact.wrong().is_none())
    }

    /// What does not fit in facts of any kind that no correction strikes: recorded before it happened, or a correction of
    /// nothing.
    pub fn findings(&self) -> Vec<String> {
        let struck = correction::struck(&self.0, Stated::wrong);
        let mut found = vec![];
        for Recorded { seq, at, fact, .. } in self.0.values().filter(|r| !struck.contains_key(&r.seq)) {
            if fact.when().is_some_and(|when| when > *at) {
                found.push(format!("entry {seq} was recorded before it happened, by its own time; correct the time"));
            }
            if let Some(wrong) = fact.wrong().filter(|wrong| !self.0.contains_key(wrong)) {
                found.push(format!(
                    "entry {seq} corrects entry {wrong}, which is no fact of this kind about this; check the number"
                ));
            }
        }
        found
    }
}
