//! The digests of the evidence as a whole, against those stored at acquisition.

use std::sync::atomic::{AtomicBool, Ordering};

use avocet_base::{Digests, Md5, Sha1};
use avocet_digest::{Md5Hasher, Sha1Hasher, Sha256Hasher};
use avocet_evidence::container::Opened;
use avocet_evidence::{Run, VisitResult};

use crate::progress::Progress;

/// What the whole-image digest says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DigestVerdict {
    /// Every stored digest agrees with the bytes.
    Agrees,
    /// A stored digest differs from the bytes, or bytes could not be read.
    Differs,
    /// The container stores no digest; ours is recorded for later.
    NothingStored,
    /// Not taken, as asked.
    NotTaken,
    /// The evidence has no bytes of its own (a folder).
    NotApplicable,
}

impl DigestVerdict {
    /// The words used in every output.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Agrees => "agrees with the stored digest",
            Self::Differs => "DIFFERS from the stored digest",
            Self::NothingStored => "no stored digest to compare with",
            Self::NotTaken => "not taken",
            Self::NotApplicable => "not applicable",
        }
    }
}

/// The digests taken of a whole image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageDigests {
    /// The three digests; `None` when bytes were damaged or the digest was not taken.
    pub digests: Option<Digests>,
    /// The comparison with what the container stores.
    pub verdict: DigestVerdict,
    /// Ranges that could not be read.
    pub damaged: Vec<Run>,
    /// Bytes read.
    pub bytes: u64,
}

impl ImageDigests {
    /// The result when no digest was asked for.
    pub fn without(verdict: DigestVerdict) -> Self {
        Self { digests: None, verdict, damaged: vec![], bytes: 0 }
    }
}

/// Three digests of one stream.
struct Single {
    md5: Md5Hasher,
    sha1: Sha1Hasher,
    sha256: Sha256Hasher,
}

/// Reads the whole image once, checks every chunk, takes the three digests and compares them with the stored ones.
/// `threads` bounds the threads that decode chunks beside the one that digests. Damaged ranges are part of the result.
/// `None` when it was ended early by setting `stop`.
pub fn check_image(
    opened: &Opened,
    threads: usize,
    stop: &AtomicBool,
    progress: &dyn Progress,
) -> Option<ImageDigests> {
    let mut state = Single { md5: Md5Hasher::new(), sha1: Sha1Hasher::new(), sha256: Sha256Hasher::new() };
    let mut bytes = 0u64;
    let mut damaged = vec![];
    let ended = opened.stream(threads, &mut |piece| {
        if stop.load(Ordering::Relaxed) {
            return VisitResult::Break(());
        }
        match piece.data {
            Ok(data) => {
                state.md5.update(data);
                state.sha1.update(data);
                state.sha256.update(data);
            }
            Err(_) => damaged.push(Run { start: piece.offset, length: piece.length }),
        }
        bytes += piece.length;
        progress.add_image(piece.length);
        VisitResult::Continue(())
    });
    if ended.is_break() {
        return None;
    }
    let digests = damaged.is_empty().then(|| Digests {
        md5: state.md5.finish(),
        sha1: state.sha1.finish(),
        sha256: state.sha256.finish(),
    });
    let stored: (Option<Md5>, Option<Sha1>) = opened.stored_digests();
    let verdict = match (&digests, stored) {
        (None, _) => DigestVerdict::Differs,
        (Some(_), (None, None)) => DigestVerdict::NothingStored,
        (Some(d), (md5, sha1)) => {
            if md5.is_none_or(|m| m == d.md5) && sha1.is_none_or(|s| s == d.sha1) {
                DigestVerdict::Agrees
            } else {
                DigestVerdict::Differs
            }
        }
    };
    Some(ImageDigests { digests, verdict, damaged, bytes })
}
