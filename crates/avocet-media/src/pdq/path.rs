//! Which way a picture was made small before its hash was taken.

/// How the pixels under a hash came about. The codes are stored with each value and never change their meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ScalePath {
    /// Every pixel of the picture.
    Full,
    /// A JPEG decoded at half its sides.
    Dct2,
    /// A JPEG decoded at a quarter of its sides.
    Dct4,
    /// A JPEG decoded at an eighth of its sides.
    Dct8,
    /// Every pixel, then made to fit 512 x 512.
    Thumb512,
    /// Decoded at half, then made to fit 512 x 512.
    Dct2Thumb512,
    /// Decoded at a quarter, then made to fit 512 x 512.
    Dct4Thumb512,
    /// Decoded at an eighth, then made to fit 512 x 512.
    Dct8Thumb512,
}

impl ScalePath {
    /// All, in the order of their definition.
    pub const ALL: [ScalePath; 8] = [
        ScalePath::Full,
        ScalePath::Dct2,
        ScalePath::Dct4,
        ScalePath::Dct8,
        ScalePath::Thumb512,
        ScalePath::Dct2Thumb512,
        ScalePath::Dct4Thumb512,
        ScalePath::Dct8Thumb512,
    ];

    /// The stable name.
    pub fn code(self) -> &'static str {
        match self {
            ScalePath::Full => "full",
            ScalePath::Dct2 => "dct-1/2",
            ScalePath::Dct4 => "dct-1/4",
            ScalePath::Dct8 => "dct-1/8",
            ScalePath::Thumb512 => "thumb-512",
            ScalePath::Dct2Thumb512 => "dct-1/2+thumb-512",
            ScalePath::Dct4Thumb512 => "dct-1/4+thumb-512",
            ScalePath::Dct8Thumb512 => "dct-1/8+thumb-512",
        }
    }

    /// The path of this name.
    pub fn from_code(code: &str) -> Option<ScalePath> {
        ScalePath::ALL.into_iter().find(|p| p.code() == code)
    }

    /// The path of a picture decoded at one over this (1, 2, 4 or 8).
    pub fn of_denominator(denominator: u8) -> Option<ScalePath> {
        match denominator {
            1 => Some(ScalePath::Full),
            2 => Some(ScalePath::Dct2),
            4 => Some(ScalePath::Dct4),
            8 => Some(ScalePath::Dct8),
            _ => None,
        }
    }

    /// The same, with the step to 512 x 512 behind it.
    #[must_use]
    pub fn then_thumbnail(self) -> ScalePath {
        match self {
            ScalePath::Full | ScalePath::Thumb512 => ScalePath::Thumb512,
            ScalePath::Dct2 | ScalePath::Dct2Thumb512 => ScalePath::Dct2Thumb512,
            ScalePath::Dct4 | ScalePath::Dct4Thumb512 => ScalePath::Dct4Thumb512,
            ScalePath::Dct8 | ScalePath::Dct8Thumb512 => ScalePath::Dct8Thumb512,
        }
    }

    /// Whether this is the reference's second form.
    pub fn is_thumbnail(self) -> bool {
        self == self.then_thumbnail()
    }
}
