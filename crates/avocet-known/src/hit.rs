//! What a look-up answers, and how sure it is.

use std::fmt;

use crate::record::Flags;

/// A choice of the things that a file and a record can be compared by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Fields(u8);

impl Fields {
    /// MD5.
    pub const MD5: Fields = Fields(1);
    /// SHA-1.
    pub const SHA1: Fields = Fields(2);
    /// SHA-256.
    pub const SHA256: Fields = Fields(4);
    /// The size in bytes.
    pub const SIZE: Fields = Fields(8);

    /// Whether all of `other` is in here.
    pub fn contains(self, other: Fields) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether nothing is in here.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Both together.
    #[must_use]
    pub fn with(self, other: Fields) -> Fields {
        Fields(self.0 | other.0)
    }
}

impl fmt::Display for Fields {
    /// The fields from the strongest to the weakest, such as `sha256+md5+size`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [(Self::SHA256, "sha256"), (Self::SHA1, "sha1"), (Self::MD5, "md5"), (Self::SIZE, "size")];
        let mut first = true;
        for (_, name) in names.into_iter().filter(|(field, _)| self.contains(*field)) {
            if !first {
                f.write_str("+")?;
            }
            f.write_str(name)?;
            first = false;
        }
        Ok(())
    }
}

/// On what a hit rests. Everything that the record states has been compared: where anything differs the basis is
/// [`Basis::DigestConflict`], whatever else agrees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Basis {
    /// SHA-256 agrees, and whatever else the record states.
    Sha256,
    /// SHA-1 and the size agree; the record states no SHA-256.
    Sha1AndSize,
    /// SHA-1 agrees; the record states neither SHA-256 nor size.
    Sha1,
    /// MD5 and the size agree; the record states no stronger digest. Still *MD5 only*: a colliding file can be given
    /// any size.
    Md5AndSize,
    /// MD5 agrees and the record states nothing else.
    Md5Only,
    /// At least one digest agrees, and something else that the record states does not: a colliding file, or a record
    /// put together wrongly. Someone has to look.
    DigestConflict {
        /// What agrees.
        agrees: Fields,
        /// What differs.
        differs: Fields,
    },
    /// Only the size was asked for, and agrees.
    Size,
    /// The PDQ hash is this near: the picture looks the same or similar. The content is another, or unknown.
    Pdq {
        /// In how many of the 256 bits the hashes differ.
        distance: u32,
    },
    /// The PhotoDNA value is the same.
    PhotoDna,
}

impl Basis {
    pub(crate) fn of(agrees: Fields, differs: Fields) -> Basis {
        if !differs.is_empty() {
            Basis::DigestConflict { agrees, differs }
        } else if agrees.contains(Fields::SHA256) {
            Basis::Sha256
        } else if agrees.contains(Fields::SHA1) {
            if agrees.contains(Fields::SIZE) { Basis::Sha1AndSize } else { Basis::Sha1 }
        } else if agrees.contains(Fields::SIZE) {
            Basis::Md5AndSize
        } else {
            Basis::Md5Only
        }
    }

    /// Whether a file may be left out of review on this basis: SHA-1 with size, or SHA-256, and no conflict.
    pub fn may_hide(self) -> bool {
        matches!(self, Basis::Sha256 | Basis::Sha1AndSize)
    }

    /// Whether no digest stronger than MD5 agrees, which must be said wherever the hit is shown.
    pub fn is_md5_only(self) -> bool {
        matches!(self, Basis::Md5AndSize | Basis::Md5Only)
    }

    /// A stable word for results: `sha256`, `sha1-size`, `sha1`, `md5-size`, `md5`, `digest-conflict`, `size`, `pdq`,
    /// `photodna`.
    pub fn code(self) -> &'static str {
        match self {
            Basis::Sha256 => "sha256",
            Basis::Sha1AndSize => "sha1-size",
            Basis::Sha1 => "sha1",
            Basis::Md5AndSize => "md5-size",
            Basis::Md5Only => "md5",
            Basis::DigestConflict { .. } => "digest-conflict",
            Basis::Size => "size",
            Basis::Pdq { .. } => "pdq",
            Basis::PhotoDna => "photodna",
        }
    }
}

impl fmt::Display for Basis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Basis::Sha256 => f.write_str("SHA-256"),
            Basis::Sha1AndSize => f.write_str("SHA-1 and size"),
            Basis::Sha1 => f.write_str("SHA-1"),
            Basis::Md5AndSize => f.write_str("MD5 only (size agrees)"),
            Basis::Md5Only => f.write_str("MD5 only"),
            Basis::DigestConflict { agrees, differs } => {
                write!(f, "digest conflict ({agrees} agrees, {differs} differs)")
            }
            Basis::Size => f.write_str("size only"),
            Basis::Pdq { distance: 0 } => f.write_str("same PDQ hash"),
            Basis::Pdq { distance } => write!(f, "PDQ hash at distance {distance}"),
            Basis::PhotoDna => f.write_str("same PhotoDNA value"),
        }
    }
}

/// One record that a file matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The set: index into [`crate::KnownSets::sets`].
    pub set: usize,
    /// The record in the set's own terms, such as `MediaID 17` or `line 4`.
    pub record: String,
    /// Category code as the scheme writes it; `None` where the record states none.
    pub category: Option<String>,
    /// What the scheme says the code, or its absence, means; `None` for a code that the scheme only keeps.
    pub meaning: Option<String>,
    /// Whether the scheme makes this an alert. A weak basis does not take an alert away.
    pub alerts: bool,
    /// Whether the scheme lets files of this category be left out of review at all.
    pub category_may_hide: bool,
    /// Whether this hit lets the file be left out of review: the category allows it and the basis is strong enough.
    pub may_hide: bool,
    /// On what the hit rests.
    pub basis: Basis,
    /// Series that the set names.
    pub series: Option<String>,
    /// What else the set says.
    pub flags: Flags,
}

/// What several sets' answers about one file come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// No set knows the file.
    Unknown,
    /// Known as what need not be looked at.
    MayHide,
    /// Known, and to stay in view.
    Review,
    /// Known as something of concern.
    Alert,
}

/// The precedence of answers. An alert beats everything, on whatever basis. Then anything that someone has to see: a
/// conflict, a basis that is too weak, a category that must stay in view. Only where every hit allows that the file be
/// hidden, and one has the basis for it, may it be. Nothing is dropped: hits that disagree are all shown.
pub fn verdict(hits: &[Hit]) -> Verdict {
    let conflict = |h: &Hit| matches!(h.basis, Basis::DigestConflict { .. });
    if hits.is_empty() {
        Verdict::Unknown
    } else if hits.iter().any(|h| h.alerts) {
        Verdict::Alert
    } else if hits.iter().any(|h| h.may_hide) && hits.iter().all(|h| h.category_may_hide && !conflict(h)) {
        Verdict::MayHide
    } else {
        Verdict::Review
    }
}

/// Whether a file with these hits may be left out of review: see [`verdict`].
pub fn may_hide(hits: &[Hit]) -> bool {
    verdict(hits) == Verdict::MayHide
}
