//! Errors that say which set, where in it, what is wrong and what to do. The paths are the user's own arguments.

use std::path::PathBuf;

/// Why known sets could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum KnownError {
    /// A set was named without a scheme.
    #[error(
        "the set `{spec}` is named without a category scheme; write FILE=SCHEME, where SCHEME is one of {schemes}, or \
         the path of a scheme file (.toml)"
    )]
    NoScheme {
        /// The argument as given.
        spec: String,
        /// The schemes that come with Avocet.
        schemes: String,
    },
    /// The scheme is neither built in nor a file.
    #[error("there is no category scheme `{scheme}`; use one of {schemes}, or the path of a scheme file (.toml)")]
    UnknownScheme {
        /// The scheme as given.
        scheme: String,
        /// The schemes that come with Avocet.
        schemes: String,
    },
    /// A scheme file could not be read or is not a scheme.
    #[error("the category scheme {} cannot be used: {reason}", path.display())]
    SchemeFile {
        /// Path as given.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A set could not be opened.
    #[error("cannot open the set {}: {reason}; check the path and that you may read it", path.display())]
    Open {
        /// Path as given.
        path: PathBuf,
        /// What the operating system said.
        reason: String,
    },
    /// Reading a set failed part-way.
    #[error("cannot read the set {} after {bytes} bytes: {reason}; copy it again from its source", path.display())]
    Read {
        /// Path as given.
        path: PathBuf,
        /// Bytes read before the failure.
        bytes: u64,
        /// What the operating system said.
        reason: String,
    },
    /// The content is not a format that this version reads.
    #[error("the set {} is not read: {found}; {advice}", path.display())]
    NotRecognised {
        /// Path as given.
        path: PathBuf,
        /// What the content looks like.
        found: String,
        /// What to do, a clause.
        advice: &'static str,
    },
    /// The content breaks its own format in a way that would lose records.
    #[error("the set {} is damaged or not {format}: {place}: {reason}; {advice}", path.display())]
    Malformed {
        /// Path as given.
        path: PathBuf,
        /// Format the content was taken for.
        format: String,
        /// Line, column or record.
        place: String,
        /// What is wrong.
        reason: String,
        /// What to do, a clause.
        advice: &'static str,
    },
    /// A record's category is not in the scheme.
    #[error(
        "the set {} states the category `{code}` at {place}, which the scheme {scheme} does not define \
         {advice}", path.display()
    )]
    Category {
        /// Path as given.
        path: PathBuf,
        /// Line or record.
        place: String,
        /// The code, shortened and escaped.
        code: String,
        /// The scheme.
        scheme: String,
        /// The scheme's codes in brackets, and what to do.
        advice: String,
    },
    /// The set states a region whose codes are not those of the scheme.
    #[error(
        "the set {} says that its categories are those of region {region}, but the scheme {scheme} is for {fits}; \
         name a scheme for region {region}, or a scheme file of your own", path.display()
    )]
    Region {
        /// Path as given.
        path: PathBuf,
        /// Region in the file's context.
        region: String,
        /// The scheme.
        scheme: String,
        /// Regions that the scheme is for.
        fits: String,
    },
    /// Nothing usable in the set.
    #[error("the set {} ({format}) holds no usable record: {read} read{rejected}; a set without records would find nothing, so check that this is the right file", path.display())]
    Empty {
        /// Path as given.
        path: PathBuf,
        /// Format that was read.
        format: String,
        /// Records read.
        read: u64,
        /// Why they were rejected, starting with a separator; empty where there were none.
        rejected: String,
    },
    /// More than the in-memory form can number.
    #[error("the set {} is too large for memory: {reason}", path.display())]
    TooLarge {
        /// Path as given.
        path: PathBuf,
        /// Which limit.
        reason: &'static str,
    },
}

/// Text from a set's content made safe for an error: at most 40 characters, control characters escaped.
pub(crate) fn shown(text: &str) -> String {
    let mut out: String = text
        .chars()
        .take(40)
        .flat_map(|c| if c.is_control() { c.escape_unicode().collect() } else { vec![c] })
        .collect();
    if text.chars().nth(40).is_some() {
        out.push('…');
    }
    out
}
