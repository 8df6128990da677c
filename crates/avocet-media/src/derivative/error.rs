//! What can go wrong with a store of derivatives.

use std::path::Path;

/// Why derivatives could not be made, written or read. Paths named are those of the store or key file itself, never of
/// evidence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DerivativeError {
    /// The operating system refused.
    #[error("derivatives: {path}: {reason}")]
    Io {
        /// The store or key file.
        path: String,
        /// What the operating system says.
        reason: String,
    },
    /// No room left.
    #[error("derivatives: no room left for {path}; free some and run the examination's derivatives again")]
    DiskFull {
        /// The store.
        path: String,
    },
    /// Nothing is overwritten.
    #[error("derivatives: {path} is there already; choose another name or move it away")]
    AlreadyThere {
        /// The store or key file.
        path: String,
    },
    /// Another program writes to the same place.
    #[error("derivatives: {path} is being written by another run; wait for it or choose another name")]
    InUse {
        /// The unfinished store.
        path: String,
    },
    /// Not a store at all.
    #[error("derivatives: {path} is not a store of derivatives; give the file that ends in .derivatives")]
    NotAStore {
        /// The file.
        path: String,
    },
    /// An index file where a store itself is needed.
    #[error(
        "derivatives: {path} holds neither pictures nor keys, it points into the store {store} beside it; give that store"
    )]
    IndexFile {
        /// The index file.
        path: String,
        /// The name of the store.
        store: String,
    },
    /// The store that an index file points into is not there.
    #[error(
        "derivatives: the store {store}, which {path} points into, is not there; put it back beside it under that name, \
         or use the small pictures of the finished examination"
    )]
    StoreGone {
        /// The index file.
        path: String,
        /// Where the store should be.
        store: String,
    },
    /// Another store lies where an index file points.
    #[error(
        "derivatives: {store} is not the store that {path} points into, another was put in its place; put the right one \
         back, or use the small pictures of the finished examination"
    )]
    OtherStore {
        /// The index file.
        path: String,
        /// The store found.
        store: String,
    },
    /// An index file that could not find its store.
    #[error(
        "derivatives: {path} must lie in the folder of the store {store}, whose name must be without control characters; \
         choose another place"
    )]
    NotBeside {
        /// The index file.
        path: String,
        /// The store.
        store: String,
    },
    /// Written by a later program.
    #[error("derivatives: the store has format version {found}, this program reads version 1; use a later program")]
    Version {
        /// The version found.
        found: u32,
    },
    /// No wrapping opens. Deliberately says nothing of which, or how near it came.
    #[error(
        "derivatives: this passphrase or key file does not open the store; give the one it was made with, or fetch an \
         unharmed copy of the store"
    )]
    WrongKey,
    /// All wrappings have been destroyed.
    #[error(
        "derivatives: the store's keys were destroyed, its pictures cannot be read again; make them anew from the evidence"
    )]
    KeyDestroyed,
    /// The key opens, but something is not as it was written: unfinished, cut off, extended, changed, or exchanged.
    #[error(
        "derivatives: the store is damaged or unfinished ({part}, at byte {offset}); fetch an unharmed copy or make it anew"
    )]
    Damaged {
        /// Which part.
        part: &'static str,
        /// Where that part begins in the file, in bytes.
        offset: u64,
    },
    /// Stored parameters that would cost more memory or time than any store that this program writes.
    #[error(
        "derivatives: opening would take {memory_kib} KiB of memory, {passes} passes and {lanes} lanes, more than is allowed; \
         the store's header was changed, fetch an unharmed copy"
    )]
    Costly {
        /// Memory in KiB.
        memory_kib: u32,
        /// Passes over it.
        passes: u32,
        /// Lanes.
        lanes: u32,
    },
    /// A picture that is no small picture.
    #[error(
        "derivatives: a picture of {bytes} bytes is not a small one, at most {limit} are kept; make it smaller first"
    )]
    TooLarge {
        /// Its length in bytes.
        bytes: u64,
        /// The most that is kept.
        limit: u64,
    },
    /// An empty passphrase, or one of more than 1,024 bytes.
    #[error("derivatives: a passphrase has 1 to 1024 bytes; choose another")]
    Passphrase,
    /// A key file that is not 32 bytes.
    #[error("derivatives: {path} is not a key file, which has exactly 32 bytes; give the one made for this store")]
    NotAKeyFile {
        /// The file.
        path: String,
    },
    /// All eight places for wrappings are taken.
    #[error("derivatives: the store has eight keys already; destroy one first")]
    NoPlace,
    /// The operating system gives no random bytes.
    #[error("derivatives: the operating system gives no random bytes; nothing was written, try again later")]
    NoRandom,
    /// Writing failed before; nothing more is taken.
    #[error("derivatives: writing failed before, the store is not usable; begin it anew")]
    EarlierFailure,
    /// The encoder refused. Cannot happen for the sizes that are made here.
    #[error("derivatives: the small picture could not be encoded; please report this")]
    Encode,
    /// The cipher refused. Cannot happen for the lengths that are written here.
    #[error("derivatives: encryption failed; please report this")]
    Cipher,
}

/// The operating system's refusal, told apart where it matters to a person.
pub(super) fn io_error(path: &Path, error: &std::io::Error) -> DerivativeError {
    let path = path.display().to_string();
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => DerivativeError::DiskFull { path },
        std::io::ErrorKind::AlreadyExists => DerivativeError::AlreadyThere { path },
        _ => DerivativeError::Io { path, reason: error.to_string() },
    }
}
