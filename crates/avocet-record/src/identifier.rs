//! What identifies a person, a place or a device across records, in one normal form.

/// What kind of thing an [`Identifier`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdentifierKind {
    /// To be widened.
    Email,
}

/// A normalised identifier.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identifier {
    /// Its kind.
    pub kind: IdentifierKind,
    /// Its normal form.
    pub value: String,
}
