//! Facts that say an earlier one is wrong: it stays visible and no longer counts.

use std::collections::BTreeMap;

use crate::at::Recorded;

/// Number of each fact that a correction strikes, with the correction's. A correction that is itself corrected strikes
/// nothing. `wrong` says which fact a correction is about, and nothing of other facts.
pub fn struck<F>(facts: &BTreeMap<u64, Recorded<F>>, wrong: impl Fn(&F) -> Option<u64>) -> BTreeMap<u64, u64> {
    let mut struck = BTreeMap::new();
    // Later corrections first: they decide which earlier ones stand.
    for recorded in facts.values().rev() {
        if let Some(wrong) = wrong(&recorded.fact)
            && !struck.contains_key(&recorded.seq)
            && wrong < recorded.seq
        {
            struck.insert(wrong, recorded.seq);
        }
    }
    struck
}
