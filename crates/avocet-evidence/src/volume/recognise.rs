//! Recognises what lies in a volume or container by its content.
//!
//! The order is: file systems that are read, by their own first structures; what is named and not read; then the
//! backup copies of those first structures, for a volume whose beginning was damaged; then zeros; then the look of
//! encrypted data. A backup comes late because a volume formatted anew often keeps the old backup.

use super::{filesystems, signatures};
use crate::source::{Source, read_up_to};

/// A file system that this version reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FsKind {
    /// NTFS.
    Ntfs,
    /// FAT12, FAT16 or FAT32.
    Fat,
    /// exFAT.
    ExFat,
    /// ext2, ext3 or ext4.
    Ext,
    /// A container of APFS, which holds volumes.
    Apfs,
    /// XFS.
    Xfs,
    /// btrfs.
    Btrfs,
    /// F2FS.
    F2fs,
    /// HFS+ or HFSX.
    Hfs,
    /// ISO 9660, perhaps with UDF beside it.
    Iso,
    /// UDF.
    Udf,
}

impl FsKind {
    /// The word used in outputs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ntfs => "NTFS",
            Self::Fat => "FAT",
            Self::ExFat => "exFAT",
            Self::Ext => "ext",
            Self::Apfs => "APFS",
            Self::Xfs => "XFS",
            Self::Btrfs => "btrfs",
            Self::F2fs => "F2FS",
            Self::Hfs => "HFS+",
            Self::Iso => "ISO 9660",
            Self::Udf => "UDF",
        }
    }
}

/// What a volume holds, by its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recognised {
    /// A file system that is read. More than one field of it agreed.
    FileSystem(FsKind),
    /// Something known that this version does not read, or that has no name at all but looks encrypted.
    NotRead {
        /// What it is, such as `BitLocker volume`.
        what: String,
        /// Whether a signature says so; `false` for an inference from statistics.
        certain: bool,
        /// What the finding rests on, in a clause without names from the evidence; may be empty.
        detail: String,
    },
    /// Zero wherever it was looked at.
    Empty {
        /// Where it was looked at, in words.
        sampled: String,
    },
    /// Neither empty nor anything known.
    Unknown,
}

impl Recognised {
    /// Whether nothing says what it is, so that it may be a volume that nothing marks.
    pub(crate) fn is_not_known(&self) -> bool {
        matches!(self, Self::Unknown | Self::NotRead { certain: false, .. })
    }
}

/// [`Recognised`] with where it was found.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) recognised: Recognised,
    /// Whether it was found at the beginning, in the file system's own first structure or the very first sector.
    pub(crate) at_start: bool,
}

/// Bytes at the beginning that most signatures lie in.
const HEAD: usize = 132 * 1024;
/// Places looked at for zeros, and bytes read at each.
const ZERO_SAMPLES: u64 = 64;
/// Places looked at for the look of encrypted data.
const ENTROPY_SAMPLES: u64 = 16;
/// Bytes of a sample.
const SAMPLE: usize = 4096;
/// Bits per byte that every sample of encrypted data exceeds: 4096 random bytes have about 7.955 on average, and fall
/// below 7.93 practically never.
const ENTROPY_LIMIT: f64 = 7.93;

/// Recognises what lies in a volume.
pub fn recognise(source: &dyn Source) -> Recognised {
    look(source).recognised
}

/// As [`recognise`], with where it was found.
pub(crate) fn look(source: &dyn Source) -> Found {
    let found = |recognised, at_start| Found { recognised, at_start };
    let head = match read_up_to(source, 0, HEAD).or_else(|_| read_up_to(source, 0, 8 * 1024)) {
        Ok(head) => head,
        Err(error) => {
            let recognised = Recognised::NotRead {
                what: "volume whose beginning cannot be read".into(),
                certain: true,
                detail: error.detail,
            };
            return found(recognised, false);
        }
    };
    if let Some((what, detail)) = signatures::at_first_sector(&head) {
        // A disc that a Mac reads by a map is a disc all the same.
        if what == signatures::APPLE_MAP && crate::fs::iso::recognise(source).is_some() {
            return found(Recognised::FileSystem(FsKind::Iso), false);
        }
        return found(Recognised::NotRead { what: what.into(), certain: true, detail }, true);
    }
    if let Some(kind) = filesystems::at_start(&head, source.len()) {
        // A member of an array may begin with a file system of which it holds only some stripes.
        if let Some((what, detail)) = signatures::at_end(source) {
            return found(Recognised::NotRead { what: what.into(), certain: true, detail }, false);
        }
        return found(Recognised::FileSystem(kind), true);
    }
    if let Some((what, detail)) = signatures::further_in(source, &head).or_else(|| signatures::at_end(source)) {
        if what == signatures::UDF && crate::fs::udf::recognise(source) {
            return found(Recognised::FileSystem(FsKind::Udf), false);
        }
        return found(Recognised::NotRead { what: what.into(), certain: true, detail }, false);
    }
    if crate::fs::iso::recognise(source).is_some() {
        return found(Recognised::FileSystem(FsKind::Iso), false);
    }
    // With blocks of more than 2048 bytes its mark stands elsewhere.
    if crate::fs::udf::recognise(source) {
        return found(Recognised::FileSystem(FsKind::Udf), false);
    }
    if let Some(kind) = filesystems::by_backup(source, &head) {
        return found(Recognised::FileSystem(kind), false);
    }
    if let Some(sampled) = empty(source, &head) {
        return found(Recognised::Empty { sampled }, false);
    }
    if high_entropy(source) {
        let recognised = Recognised::NotRead {
            what: "possibly encrypted volume (high entropy, no signature)".into(),
            certain: false,
            detail: format!("all of {ENTROPY_SAMPLES} samples of {SAMPLE} bytes look random"),
        };
        return found(recognised, false);
    }
    found(Recognised::Unknown, false)
}

/// `count` places from the first byte to the last whole sample, evenly spread.
fn places(length: u64, count: u64) -> impl Iterator<Item = u64> {
    let span = length.saturating_sub(SAMPLE as u64);
    let steps = count.saturating_sub(1).max(1);
    (0..count).map(move |i| {
        let at = u128::from(span) * u128::from(i) / u128::from(steps);
        u64::try_from(at).unwrap_or(span) & !511
    })
}

fn empty(source: &dyn Source, head: &[u8]) -> Option<String> {
    let zero = |bytes: &[u8]| bytes.iter().all(|b| *b == 0);
    if head.is_empty() || !zero(head) {
        return None;
    }
    if head.len() as u64 == source.len() {
        return Some("every byte".into());
    }
    let tail_start = source.len().saturating_sub(64 * 1024);
    if !zero(&read_up_to(source, tail_start, 64 * 1024).ok()?) {
        return None;
    }
    for at in places(source.len(), ZERO_SAMPLES) {
        if !zero(&read_up_to(source, at, SAMPLE).ok()?) {
            return None;
        }
    }
    Some(format!(
        "the first {} KiB, the last 64 KiB, and {ZERO_SAMPLES} samples of {SAMPLE} bytes between",
        head.len() / 1024
    ))
}

/// Bits per byte.
pub(super) fn entropy(sample: &[u8]) -> f64 {
    let mut counts = [0u32; 256];
    for b in sample {
        if let Some(n) = counts.get_mut(usize::from(*b)) {
            *n = n.saturating_add(1);
        }
    }
    let total = sample.len() as f64;
    counts
        .iter()
        .filter(|n| **n > 0)
        .map(|n| {
            let p = f64::from(*n) / total;
            -p * p.log2()
        })
        .sum()
}

fn high_entropy(source: &dyn Source) -> bool {
    source.len() >= ENTROPY_SAMPLES * SAMPLE as u64
        && places(source.len(), ENTROPY_SAMPLES)
            .all(|at| read_up_to(source, at, SAMPLE).is_ok_and(|s| s.len() == SAMPLE && entropy(&s) > ENTROPY_LIMIT))
}
