//! The ledger: one line for every change, chained by hashes, with a signed head outside the database. A line holds no
//! content, only a salted digest of it. The byte-exact encoding is specified in `docs/formats/ledger.md`.

mod entry;
mod head;
mod verify;

pub use entry::{CONTENT_PREFIX, ENTRY_PREFIX, Entry, GENESIS, content_digest};
pub use head::{Head, HeadError};
pub use verify::{Checked, Fault, Verifier};
