//! The digests of the evidence as a whole, against those stored at acquisition.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Scope, ScopedJoinHandle};

use avocet_base::{Md5, Sha1, Sha256};
use avocet_digest::{Md5Hasher, Sha1Hasher, TripleHasher};
use avocet_evidence::container::Opened;
use avocet_evidence::{Run, VisitResult};
use crossbeam_channel::{Sender, bounded};

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
    /// Not taken when an interim result was written.
    NotYet,
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
            Self::NotYet => "not taken yet",
            Self::NotApplicable => "not applicable",
        }
    }
}

/// The digests taken of a whole image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageDigests {
    /// MD5; like the others `None` when bytes were damaged or it was not taken.
    pub md5: Option<Md5>,
    /// SHA-1.
    pub sha1: Option<Sha1>,
    /// SHA-256.
    pub sha256: Option<Sha256>,
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
        Self { md5: None, sha1: None, sha256: None, verdict, damaged: vec![], bytes: 0 }
    }
}

/// Which digests of a whole image are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// MD5, SHA-1 and SHA-256.
    All,
    /// Those that the container stores, which is what checking it needs; all where it stores none.
    Stored,
}

/// Blocks on their way to a digest that runs on a thread of its own.
const BLOCKS_IN_FLIGHT: usize = 8;

/// The running digests of one stream. Such a stream cannot be digested in lanes, and MD5 alone is the limit: what is
/// asked for decides what may stand in its way.
enum Running<'s> {
    /// All three in one pass, which costs the least processor time.
    Triple(Box<TripleHasher>),
    Md5(Md5Hasher),
    Sha1(Sha1Hasher),
    /// MD5 here, SHA-1 on a thread of its own.
    Both(Md5Hasher, Sender<Arc<[u8]>>, ScopedJoinHandle<'s, Sha1>),
}

impl<'s> Running<'s> {
    fn new<'e>(wanted: Wanted, stored: (Option<Md5>, Option<Sha1>), scope: &'s Scope<'s, 'e>) -> Self {
        match (wanted, stored) {
            (Wanted::All, _) | (_, (None, None)) => Self::Triple(Box::default()),
            (_, (Some(_), None)) => Self::Md5(Md5Hasher::new()),
            (_, (None, Some(_))) => Self::Sha1(Sha1Hasher::new()),
            (_, (Some(_), Some(_))) => {
                let (blocks, rest) = bounded::<Arc<[u8]>>(BLOCKS_IN_FLIGHT);
                let sha1 = scope.spawn(move || {
                    let mut sha1 = Sha1Hasher::new();
                    rest.iter().for_each(|block| sha1.update(&block));
                    sha1.finish()
                });
                Self::Both(Md5Hasher::new(), blocks, sha1)
            }
        }
    }

    fn update(&mut self, data: &[u8]) {
        match self {
            Self::Triple(all) => all.update(data),
            Self::Md5(md5) => md5.update(data),
            Self::Sha1(sha1) => sha1.update(data),
            Self::Both(md5, blocks, _) => {
                // The receiver lives until the sender is dropped.
                let _ = blocks.send(Arc::from(data));
                md5.update(data);
            }
        }
    }

    fn finish(self) -> (Option<Md5>, Option<Sha1>, Option<Sha256>) {
        match self {
            Self::Triple(all) => {
                let d = all.finish();
                (Some(d.md5), Some(d.sha1), Some(d.sha256))
            }
            Self::Md5(md5) => (Some(md5.finish()), None, None),
            Self::Sha1(sha1) => (None, Some(sha1.finish()), None),
            Self::Both(md5, blocks, sha1) => {
                drop(blocks);
                (Some(md5.finish()), sha1.join().ok(), None)
            }
        }
    }
}

/// Reads the whole image once, checks every chunk, takes the wanted digests and compares them with the stored ones.
/// `threads` bounds the threads, of which one digests and the others decode. Damaged ranges are part of the result.
/// `None` when it was ended early by setting `stop`.
pub fn check_image(
    opened: &Opened,
    wanted: Wanted,
    threads: usize,
    stop: &AtomicBool,
    progress: &dyn Progress,
) -> Option<ImageDigests> {
    let stored = opened.stored_digests();
    // The thread that digests is the slowest: one that decodes must not take its core.
    let decoders = threads.saturating_sub(1);
    let mut bytes = 0u64;
    let mut damaged = vec![];
    let (md5, sha1, sha256) = std::thread::scope(|scope| {
        let mut running = Running::new(wanted, stored, scope);
        let ended = opened.stream(decoders, &mut |piece| {
            if stop.load(Ordering::Relaxed) {
                return VisitResult::Break(());
            }
            match piece.data {
                Ok(data) => running.update(data),
                Err(_) => damaged.push(Run { start: piece.offset, length: piece.length }),
            }
            bytes += piece.length;
            progress.add_image(piece.length);
            VisitResult::Continue(())
        });
        let digests = running.finish();
        ended.is_continue().then_some(digests)
    })?;
    if !damaged.is_empty() {
        return Some(ImageDigests { damaged, bytes, ..ImageDigests::without(DigestVerdict::Differs) });
    }
    let verdict = match stored {
        (None, None) => DigestVerdict::NothingStored,
        (stored_md5, stored_sha1) => {
            // A stored digest that was not taken is not one that agrees.
            let agrees = stored_md5.is_none_or(|s| md5 == Some(s)) && stored_sha1.is_none_or(|s| sha1 == Some(s));
            if agrees { DigestVerdict::Agrees } else { DigestVerdict::Differs }
        }
    };
    Some(ImageDigests { md5, sha1, sha256, verdict, damaged, bytes })
}
