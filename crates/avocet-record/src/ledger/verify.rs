//! Checking a ledger: entry by entry, then against the head and the checkpoints.

use avocet_base::Sha256;

use super::entry::{Entry, GENESIS, content_digest};
use super::head::Head;

/// Something that does not fit. `what` is `ledger.head` or the name of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the sentence of each says what its fields are")]
pub enum Fault {
    /// An entry is missing, doubled or out of order.
    #[error("entry {wanted} is missing or out of order: number {found} stands in its place")]
    Number { wanted: u64, found: u64 },
    /// The entry does not name the hash of the one before it.
    #[error("entry {seq} does not follow the entry before it")]
    Link { seq: u64 },
    /// The entry's fields do not give its hash.
    #[error("entry {seq} was altered: its fields do not give its hash")]
    Hash { seq: u64 },
    /// The stored content does not give the digest on the ledger.
    #[error("the content of entry {seq} was altered")]
    Content { seq: u64 },
    /// The content of an entry is not there.
    #[error("the content of entry {seq} is gone")]
    ContentMissing { seq: u64 },
    /// A content belongs to no entry.
    #[error("content {seq} belongs to no entry of the ledger")]
    ContentWithoutEntry { seq: u64 },
    /// More entries are signed for than there are.
    #[error("{what} counts {count} entries but there are {found}: the end of the ledger was cut off")]
    Truncated { what: String, count: u64, found: u64 },
    /// The entry that the head names has another hash.
    #[error("entry {seq} is not the one that {what} names: the ledger was rewritten")]
    HeadHash { what: String, seq: u64 },
    /// The head cannot be believed.
    #[error("{what} cannot be used: {why}")]
    HeadUnusable { what: String, why: String },
    /// The head is signed by another key than the one that the first entry states.
    #[error("{what} is signed by another key than this store's")]
    HeadKey { what: String },
}

/// What a check gave.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Checked {
    /// Number of entries read.
    pub entries: u64,
    /// Hash of the last entry.
    pub last: Option<Sha256>,
    /// How many entries stand after the last one that `ledger.head` signs. After a crash there may be some; the next
    /// start signs them.
    pub unsigned: u64,
    /// Everything that does not fit, in the order of the ledger.
    pub faults: Vec<Fault>,
}

impl Checked {
    /// Whether nothing was found.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }
}

/// Checks a ledger in one pass: [`Verifier::entry`] for each entry in the order stored, then [`Verifier::finish`].
#[derive(Debug)]
pub struct Verifier {
    /// Name, head, whether its entry was met.
    heads: Vec<(String, Head, bool)>,
    previous: Sha256,
    result: Checked,
}

impl Verifier {
    /// A check against these heads, each given as its name and its text: the first is `ledger.head`, the others are
    /// checkpoints.
    #[must_use]
    pub fn new(heads: &[(String, String)]) -> Self {
        let mut result = Checked::default();
        let mut good = Vec::new();
        for (what, text) in heads {
            let what = what.clone();
            match Head::parse(text) {
                Ok(head) => good.push((what, head, false)),
                Err(e) => result.faults.push(Fault::HeadUnusable { what, why: e.to_string() }),
            }
        }
        Self { heads: good, previous: GENESIS, result }
    }

    /// The next entry with its salt and content as stored.
    pub fn entry(&mut self, entry: &Entry, content: Option<(&[u8; 32], &[u8])>) {
        let seq = entry.seq;
        let wanted = self.result.entries.saturating_add(1);
        let faults = &mut self.result.faults;
        if seq != wanted {
            faults.push(Fault::Number { wanted, found: seq });
        }
        if entry.previous != self.previous {
            faults.push(Fault::Link { seq });
        }
        if entry.computed_hash() != entry.hash {
            faults.push(Fault::Hash { seq });
        }
        match content {
            None => faults.push(Fault::ContentMissing { seq }),
            Some((salt, body)) if content_digest(salt, body) != entry.content => faults.push(Fault::Content { seq }),
            Some(_) => {}
        }
        for (what, head, met) in &mut self.heads {
            if head.count == seq {
                *met = true;
                if head.hash != entry.hash {
                    faults.push(Fault::HeadHash { what: what.clone(), seq });
                }
            }
        }
        self.previous = entry.hash;
        self.result.entries = wanted;
        self.result.last = Some(entry.hash);
    }

    /// Ends the check. `key` is the public key that the store's first entry states; `strays` are the numbers of contents
    /// without an entry.
    #[must_use]
    pub fn finish(mut self, key: Option<[u8; 32]>, strays: &[u64]) -> Checked {
        let entries = self.result.entries;
        for (what, head, met) in &self.heads {
            let what = what.clone();
            if !met && head.count != 0 {
                self.result.faults.push(Fault::Truncated { what: what.clone(), count: head.count, found: entries });
            }
            if key.is_some_and(|key| key != head.key) {
                self.result.faults.push(Fault::HeadKey { what });
            }
        }
        self.result.faults.extend(strays.iter().map(|&seq| Fault::ContentWithoutEntry { seq }));
        self.result.unsigned = self.heads.first().map_or(entries, |(_, head, _)| entries.saturating_sub(head.count));
        self.result
    }
}
