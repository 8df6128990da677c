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
    /// A set of several files lacks one.
    #[error(
        "a part of the set is missing: {} belongs to {}; name it too, or get it from the publisher: without it the set \
         would not know the files that are listed there", missing.display(), beside.display()
    )]
    MissingPart {
        /// The part that should be there.
        missing: PathBuf,
        /// A part that was given.
        beside: PathBuf,
    },
    /// A part of a set is named twice.
    #[error("the part {} is named twice; name every part once", path.display())]
    PartTwice {
        /// The part.
        path: PathBuf,
    },
    /// More than a compiled set can hold.
    #[error("the set {} is too large: {reason}", path.display())]
    TooLarge {
        /// Path as given.
        path: PathBuf,
        /// Which limit.
        reason: &'static str,
    },
    /// A file that should be a compiled set is none, or none that this version reads.
    #[error("{} cannot be used as a compiled set: {reason}; copy it again, or make it again from its sources", path.display())]
    NotCompiled {
        /// Path as given.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A compiled set is damaged in a part that a look-up needs. Nothing is answered from such a part.
    #[error(
        "the compiled set {} is damaged in its section {section}, block {block}, at byte {offset}: {reason}; no answer \
         was given from it: copy it again, or make it again from its sources", path.display()
    )]
    Damaged {
        /// Path as given.
        path: PathBuf,
        /// The section's name in the specification.
        section: &'static str,
        /// Number of the block of 64 KiB, from 0.
        block: u64,
        /// Byte of the file.
        offset: u64,
        /// What does not hold, a clause.
        reason: &'static str,
    },
    /// A compiled set could not be written.
    #[error("cannot write the compiled set {}: {reason}; check that there is room and that you may write there", path.display())]
    Write {
        /// Path as given.
        path: PathBuf,
        /// What the operating system said.
        reason: String,
    },
    /// A compiled set would replace a file.
    #[error("{} is already there, and a compiled set is never replaced; choose another name", path.display())]
    Exists {
        /// Path as given.
        path: PathBuf,
    },
    /// An update names another scheme than the version it starts from.
    #[error(
        "the set was compiled under the scheme {base} and the update names {scheme}, or another text under that name; \
         update it under its own scheme, or remap it first"
    )]
    BaseScheme {
        /// Scheme and version of the base.
        base: String,
        /// Scheme and version named.
        scheme: String,
    },
    /// A compiled set was named together with a scheme.
    #[error("{} is a compiled set and holds its scheme; name it without `={scheme}`, or remap it to that scheme", path.display())]
    SchemeInside {
        /// Path as given.
        path: PathBuf,
        /// The scheme as given.
        scheme: String,
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
