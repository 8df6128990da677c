//! Digest values. MD5 and SHA-1 are carried because every known set in the field is keyed by them; neither is treated
//! as proof on its own.

use std::fmt;
use std::str::FromStr;

/// Why a text is not a digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DigestParseError {
    /// The text has the wrong number of hexadecimal digits.
    #[error("{algorithm} needs {expected} hexadecimal digits, got {actual}")]
    Length {
        /// Name of the digest.
        algorithm: &'static str,
        /// Digits needed.
        expected: usize,
        /// Digits given.
        actual: usize,
    },
    /// The text holds something that is not a hexadecimal digit.
    #[error("{algorithm} holds a character that is not a hexadecimal digit at position {position}")]
    Digit {
        /// Name of the digest.
        algorithm: &'static str,
        /// Byte position of the first wrong character, from 0.
        position: usize,
    },
}

fn nibble(c: u8) -> Option<u8> {
    match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'a'..=b'f' => Some(c - b'a' + 10),
        b'A'..=b'F' => Some(c - b'A' + 10),
        _ => None,
    }
}

pub(crate) fn parse_hex<const N: usize>(algorithm: &'static str, text: &str) -> Result<[u8; N], DigestParseError> {
    let bytes = text.as_bytes();
    if bytes.len() != N * 2 {
        return Err(DigestParseError::Length { algorithm, expected: N * 2, actual: bytes.len() });
    }
    let mut out = [0u8; N];
    for (i, (slot, pair)) in out.iter_mut().zip(bytes.chunks_exact(2)).enumerate() {
        let digit = |k: usize| {
            pair.get(k).copied().and_then(nibble).ok_or(DigestParseError::Digit { algorithm, position: i * 2 + k })
        };
        *slot = digit(0)? << 4 | digit(1)?;
    }
    Ok(out)
}

macro_rules! digest_type {
    ($(#[$doc:meta])* $name:ident, $len:literal, $label:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $len]);

        impl $name {
            /// Length of the digest in bytes.
            pub const LEN: usize = $len;

            /// The digest's bytes.
            pub fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }
        }

        impl TryFrom<&[u8]> for $name {
            type Error = DigestParseError;

            fn try_from(bytes: &[u8]) -> Result<Self, Self::Error> {
                <[u8; $len]>::try_from(bytes).map($name).map_err(|_| DigestParseError::Length {
                    algorithm: $label,
                    expected: $len * 2,
                    actual: bytes.len().saturating_mul(2),
                })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($label, ":{}"), self)
            }
        }

        impl FromStr for $name {
            type Err = DigestParseError;

            /// Parses hexadecimal digits of either case.
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                parse_hex($label, text).map($name)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

digest_type!(
    /// An MD5 digest (RFC 1321). Collisions can be made on purpose: an agreement on MD5 alone is reported as such.
    Md5, 16, "md5");
digest_type!(
    /// A SHA-1 digest (FIPS 180-4).
    Sha1, 20, "sha1");
digest_type!(
    /// A SHA-256 digest (FIPS 180-4).
    Sha256, 32, "sha256");

/// The three digests of one file's content, taken in one read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Digests {
    /// MD5 of the content.
    pub md5: Md5,
    /// SHA-1 of the content.
    pub sha1: Sha1,
    /// SHA-256 of the content.
    pub sha256: Sha256,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_is_lower_case_and_reads_both_cases() {
        let text = "D41D8CD98F00B204E9800998ECF8427E";
        let md5: Md5 = text.parse().unwrap();
        assert_eq!(md5.to_string(), text.to_lowercase());
        assert_eq!(format!("{md5:?}"), format!("md5:{}", text.to_lowercase()));
        assert_eq!(serde_json::from_str::<Md5>(&serde_json::to_string(&md5).unwrap()).unwrap(), md5);
    }

    #[test]
    fn wrong_texts_say_what_is_wrong() {
        assert_eq!("d41d".parse::<Sha1>().unwrap_err().to_string(), "sha1 needs 40 hexadecimal digits, got 4");
        assert_eq!(
            "d41d8cd98f00b204e9800998ecf8427g".parse::<Md5>().unwrap_err(),
            DigestParseError::Digit { algorithm: "md5", position: 31 }
        );
        // 32 bytes of which some are not ASCII must not panic on a character border.
        assert!("é41d8cd98f00b204e9800998ecf8427".parse::<Md5>().is_err());
    }
}
