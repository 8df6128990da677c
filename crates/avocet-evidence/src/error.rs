//! Errors that name the layer, the place and what to do, and the problems that a reader reports and goes on from.

use std::fmt;

/// Why bytes could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadFault {
    /// The operating system refused or failed the read.
    Io,
    /// A stored checksum does not agree with the bytes, or they cannot be decompressed: the container is damaged.
    Damaged,
    /// The container ends before the bytes it declares.
    Truncated,
    /// The bytes are not stored in a way this reader understands.
    Unsupported,
}

/// Bytes that could not be read. No error carries a name or content from the evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadError {
    /// The layer that failed, such as `ewf` or `ntfs`.
    pub layer: &'static str,
    /// Byte offset within that layer's own address space.
    pub offset: u64,
    /// What went wrong.
    pub fault: ReadFault,
    /// One clause in lower case: what was found.
    pub detail: String,
}

impl ReadError {
    /// A read error of a layer.
    pub fn new(layer: &'static str, offset: u64, fault: ReadFault, detail: impl Into<String>) -> Self {
        Self { layer, offset, fault, detail: detail.into() }
    }

    /// A failure that the operating system reported.
    pub fn io(layer: &'static str, offset: u64, error: &std::io::Error) -> Self {
        Self::new(layer, offset, ReadFault::Io, error.kind().to_string())
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at offset {}: {}", self.layer, self.offset, self.detail)
    }
}

impl std::error::Error for ReadError {}

/// Why a container, volume system or file system could not be opened at all.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A file of the evidence could not be opened. The path is the user's own argument, not evidence content.
    #[error("cannot open {path}: {reason}. {advice}")]
    File {
        /// Path on this machine as the user gave it or as derived from it.
        path: String,
        /// What the operating system said.
        reason: String,
        /// What to do next.
        advice: &'static str,
    },
    /// A segment of a multi-segment image is not there.
    #[error("segment {path} is missing ({have} of {expected} found). Copy all segments into one folder and try again")]
    MissingSegment {
        /// Path where it was looked for.
        path: String,
        /// Segments found.
        have: usize,
        /// Segments expected, as text because not every format says how many.
        expected: String,
    },
    /// The format is recognised and not read.
    #[error("{what} is recognised but not read by this version. {advice}")]
    Unsupported {
        /// The format's name.
        what: String,
        /// What to do next.
        advice: &'static str,
    },
    /// It is protected with a password, and none was given.
    #[error("{what} is protected with a password, and none was given. {advice}")]
    Locked {
        /// What it is.
        what: String,
        /// What to do next.
        advice: &'static str,
    },
    /// The password given is not the one that opens it.
    #[error("the password given does not open {what}; nothing of it was read. {advice}")]
    WrongPassword {
        /// What it is.
        what: String,
        /// What to do next.
        advice: &'static str,
    },
    /// The bytes contradict the format.
    #[error("{layer} at offset {offset}: {detail}")]
    Malformed {
        /// The layer that failed.
        layer: &'static str,
        /// Byte offset within that layer's address space.
        offset: u64,
        /// What was found.
        detail: String,
    },
    /// Bytes could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl OpenError {
    /// The bytes contradict the format.
    pub fn malformed(layer: &'static str, offset: u64, detail: impl Into<String>) -> Self {
        Self::Malformed { layer, offset, detail: detail.into() }
    }

    /// What is protected with a password that was not given.
    pub fn locked(what: impl Into<String>) -> Self {
        Self::Locked {
            what: what.into(),
            advice: "Without its password its files mean nothing. Give the password when asked, or in a file with \
                     --evidence-password-file",
        }
    }

    /// What another password protects.
    pub fn wrong_password(what: impl Into<String>) -> Self {
        Self::WrongPassword { what: what.into(), advice: "Check its spelling and the keyboard, and try again" }
    }
}

/// Something a reader could not read, capped, or found contradictory, and went on from. Every problem reaches the
/// completeness statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The layer that reports, such as `fat`.
    pub layer: &'static str,
    /// A stable short code in kebab case, such as `directory-loop`; documented where it is raised.
    pub code: &'static str,
    /// Byte offset within the layer's address space, where there is one.
    pub offset: Option<u64>,
    /// Escaped path of the entry concerned, where there is one. Only ever shown inside results, never logged.
    pub path: Option<String>,
    /// One sentence for the examiner, without names from the evidence.
    pub detail: String,
}

impl Problem {
    /// A problem of a layer that concerns no single entry.
    pub fn new(layer: &'static str, code: &'static str, offset: Option<u64>, detail: impl Into<String>) -> Self {
        Self { layer, code, offset, path: None, detail: detail.into() }
    }

    /// The same problem, concerning the entry at an escaped path.
    #[must_use]
    pub fn at_path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }
}
