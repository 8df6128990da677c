//! What every layer of Avocet shares: digests, times with their zone, names that are never lossy, exhibit references
//! and values that must not be printed.
//!
//! Nothing here reads a file, knows a format or prints.

mod digest;
mod exhibit;
mod name;
mod pdq;
mod redacted;
mod size;
mod time;

pub use digest::{DigestParseError, Digests, Md5, Sha1, Sha256};
pub use exhibit::{ExhibitRef, ExhibitRefError};
pub use name::{escape_bytes, escape_char, escape_utf16, join_path, unescape_to_bytes, unescape_to_utf16};
pub use pdq::PdqHash;
pub use redacted::Redacted;
pub use size::{plural, size_text};
pub use time::{Stamp, Zone};
