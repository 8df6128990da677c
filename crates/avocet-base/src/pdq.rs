//! PDQ: a 256-bit hash that stays nearly the same when a picture is saved again, resized or slightly changed.
//! Source: "The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm" (Facebook, 2019).

use std::fmt;
use std::str::FromStr;

use crate::digest::{DigestParseError, parse_hex};

/// A PDQ hash. The bytes are in the order of the usual hexadecimal text: bit 255 of the algorithm is the highest bit of
/// the first byte.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PdqHash(pub [u8; 32]);

impl PdqHash {
    /// A hash whose PDQ quality is below this neither matches nor groups: the picture is too flat for it to mean anything.
    /// Source: ThreatExchange, `pdq/README.md` ("drop quality 49 and below").
    pub const USABLE_QUALITY: u8 = 50;

    /// In how many of the 256 bits two hashes differ.
    pub fn distance(&self, other: &PdqHash) -> u32 {
        self.0.iter().zip(&other.0).map(|(a, b)| (a ^ b).count_ones()).sum()
    }
}

impl fmt::Display for PdqHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl fmt::Debug for PdqHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PdqHash({self})")
    }
}

impl FromStr for PdqHash {
    type Err = DigestParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse_hex("PDQ", text).map(PdqHash)
    }
}

impl serde::Serialize for PdqHash {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for PdqHash {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_distance() {
        let text = "f".repeat(63) + "0";
        let hash: PdqHash = text.to_uppercase().parse().unwrap();
        assert_eq!(hash.to_string(), text);
        assert_eq!(hash.distance(&PdqHash([0xff; 32])), 4);
        assert_eq!(hash.distance(&PdqHash([0; 32])), 252);
        assert!("f".repeat(62).parse::<PdqHash>().is_err());
    }
}
