//! The reference that officers write on an exhibit's label.

use std::fmt;
use std::str::FromStr;

/// An exhibit reference such as `JC/1`: the initials of the person who produced it and a running number, or whatever
/// the force writes. At most 64 characters, no control characters, not empty.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ExhibitRef(String);

/// Why a text cannot be an exhibit reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExhibitRefError {
    /// Nothing is left after trimming.
    #[error("an exhibit reference cannot be empty; write it as on the label, for example JC/1")]
    Empty,
    /// More than 64 characters.
    #[error("an exhibit reference has at most 64 characters, this one has {0}")]
    TooLong(usize),
    /// A control character, which would break printed labels.
    #[error("an exhibit reference cannot hold control characters")]
    Control,
}

impl ExhibitRef {
    /// The reference as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ExhibitRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for ExhibitRef {
    type Error = ExhibitRefError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ExhibitRef> for String {
    fn from(reference: ExhibitRef) -> Self {
        reference.0
    }
}

impl FromStr for ExhibitRef {
    type Err = ExhibitRefError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let length = text.chars().count();
        if length == 0 {
            Err(ExhibitRefError::Empty)
        } else if length > 64 {
            Err(ExhibitRefError::TooLong(length))
        } else if text.chars().any(char::is_control) {
            Err(ExhibitRefError::Control)
        } else {
            Ok(Self(text.to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_labels_and_refuses_what_cannot_be_one() {
        assert_eq!(" JC/1 ".parse::<ExhibitRef>().unwrap().as_str(), "JC/1");
        assert_eq!("  ".parse::<ExhibitRef>(), Err(ExhibitRefError::Empty));
        assert_eq!("a\nb".parse::<ExhibitRef>(), Err(ExhibitRefError::Control));
        assert_eq!("x".repeat(65).parse::<ExhibitRef>(), Err(ExhibitRefError::TooLong(65)));
    }
}
