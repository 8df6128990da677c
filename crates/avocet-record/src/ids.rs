//! Identifiers: a letter for the kind and a number given by the record, such as `I-7`. They hold no personal content
//! and may stand in logs and addresses.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why a text is no identifier of the kind wanted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not the id of {kind}; such an id reads {prefix}-1")]
pub struct IdError {
    text: String,
    kind: &'static str,
    prefix: &'static str,
}

macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $kind:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(u64);

        impl $name {
            /// What an id of this kind begins with.
            pub const PREFIX: &'static str = $prefix;

            /// The number of no thing: the record gives numbers from 1.
            pub const NONE: Self = Self(0);

            /// The id with this number.
            #[must_use]
            pub const fn new(number: u64) -> Self {
                Self(number)
            }

            /// Its number.
            #[must_use]
            pub const fn number(self) -> u64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "-{}"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let number = text.strip_prefix(concat!($prefix, "-")).and_then(|n| n.parse().ok());
                number.map(Self).ok_or_else(|| IdError { text: text.to_owned(), kind: $kind, prefix: $prefix })
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }
    };
}

id_type!(
    /// A person who signs in.
    UserId, "U", "a user"
);
id_type!(
    /// An investigation: what one team works on as one thing.
    InvestigationId, "I", "an investigation"
);
id_type!(
    /// A lead as it came in.
    ReferralId, "R", "a referral"
);
id_type!(
    /// A person of an investigation: suspect, child, other.
    PersonId, "P", "a person"
);
id_type!(
    /// An address on the Internet at a time, as a referral states it.
    IpEventId, "N", "an IP event"
);
id_type!(
    /// A warrant or another power.
    WarrantId, "W", "a warrant"
);
id_type!(
    /// A device or thing seen at a scene, or a part of one.
    ExhibitId, "E", "an exhibit"
);
id_type!(
    /// A sealed examination attached to an exhibit.
    ExaminationId, "X", "an examination"
);
id_type!(
    /// What became of one suspect: charges, disposal, devices.
    OutcomeId, "O", "an outcome"
);
id_type!(
    /// An order or a set of notification requirements that is monitored.
    OrderId, "M", "an order"
);
id_type!(
    /// One line of safeguarding: for a child, or because of what somebody does.
    SafeguardingId, "S", "a line of safeguarding"
);
id_type!(
    /// An arrest or a voluntary interview.
    CustodyId, "C", "an arrest or interview"
);
id_type!(
    /// A key under which personal content is encrypted.
    KeyId, "K", "a key"
);
