//! One JSON value of whatever kind: real files write numbers and booleans as strings, and the other way round.

use std::fmt;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::record::{Field, digest_field, flag_text, size_field};

/// A value that is not looked into further than its first level.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Scalar {
    Null,
    Bool(bool),
    Unsigned(u64),
    Negative(i64),
    Float(f64),
    Text(String),
    /// An object or an array.
    Nested,
}

/// Visitor methods that take every value which is neither an object nor an array for nothing.
macro_rules! ignore_scalars {
    ($value:expr) => {
        fn visit_unit<E: serde::de::Error>(self) -> Result<Self::Value, E> {
            Ok($value)
        }
        fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<Self::Value, E> {
            Ok($value)
        }
        fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<Self::Value, E> {
            Ok($value)
        }
        fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<Self::Value, E> {
            Ok($value)
        }
        fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<Self::Value, E> {
            Ok($value)
        }
        fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<Self::Value, E> {
            Ok($value)
        }
    };
}
pub(crate) use ignore_scalars;

/// The largest whole number up to which every whole number has its own double.
const EXACT: f64 = 9_007_199_254_740_992.0;

fn whole(value: f64) -> Option<u64> {
    (value.fract() == 0.0 && (0.0..=EXACT).contains(&value)).then_some(value as u64)
}

impl Scalar {
    pub fn digest<T: FromStr>(&self) -> Field<T> {
        match self {
            Scalar::Null => Field::Absent,
            Scalar::Text(text) => digest_field(text.as_bytes()),
            _ => Field::Bad,
        }
    }

    pub fn size(&self) -> Field<u64> {
        match self {
            Scalar::Null => Field::Absent,
            Scalar::Unsigned(size) => Field::Is(*size),
            Scalar::Float(size) => whole(*size).map_or(Field::Bad, Field::Is),
            Scalar::Text(text) => size_field(text.as_bytes()),
            _ => Field::Bad,
        }
    }

    /// `None` where it is neither true nor false.
    pub fn flag(&self) -> Option<bool> {
        match self {
            Scalar::Null => Some(false),
            Scalar::Bool(on) => Some(*on),
            Scalar::Unsigned(0) => Some(false),
            Scalar::Unsigned(1) => Some(true),
            Scalar::Text(text) => flag_text(text),
            _ => None,
        }
    }

    /// As text, such as a category code; `None` where there is nothing. What cannot be a code stays visible as one
    /// that no scheme lists.
    pub fn code(self) -> Option<String> {
        match self {
            Scalar::Null => None,
            Scalar::Bool(on) => Some(on.to_string()),
            Scalar::Unsigned(number) => Some(number.to_string()),
            Scalar::Negative(number) => Some(number.to_string()),
            Scalar::Float(number) => Some(whole(number).map_or_else(|| number.to_string(), |n| n.to_string())),
            Scalar::Text(text) => Some(text.trim().to_owned()).filter(|t| !t.is_empty()),
            Scalar::Nested => Some("(an object or array)".to_owned()),
        }
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Scalar, D::Error> {
        struct ScalarVisitor;
        impl<'de> Visitor<'de> for ScalarVisitor {
            type Value = Scalar;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any value")
            }
            fn visit_unit<E>(self) -> Result<Scalar, E> {
                Ok(Scalar::Null)
            }
            fn visit_bool<E>(self, value: bool) -> Result<Scalar, E> {
                Ok(Scalar::Bool(value))
            }
            fn visit_u64<E>(self, value: u64) -> Result<Scalar, E> {
                Ok(Scalar::Unsigned(value))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Scalar, E> {
                Ok(u64::try_from(value).map_or(Scalar::Negative(value), Scalar::Unsigned))
            }
            fn visit_f64<E>(self, value: f64) -> Result<Scalar, E> {
                Ok(Scalar::Float(value))
            }
            fn visit_str<E>(self, value: &str) -> Result<Scalar, E> {
                Ok(Scalar::Text(value.to_owned()))
            }
            fn visit_string<E>(self, value: String) -> Result<Scalar, E> {
                Ok(Scalar::Text(value))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Scalar, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Scalar::Nested)
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Scalar::Nested)
            }
        }
        deserializer.deserialize_any(ScalarVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scalar(json: &str) -> Scalar {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn sizes_as_number_text_and_beyond_what_a_double_can_hold() {
        for (json, wanted) in [
            ("161713", Field::Is(161_713)),
            ("\"161713\"", Field::Is(161_713)),
            ("9007199254740993", Field::Is(9_007_199_254_740_993)),
            ("\"18446744073709551615\"", Field::Is(u64::MAX)),
            ("1.5e3", Field::Is(1500)),
            ("18446744073709551616", Field::Bad),
            ("-1", Field::Bad),
            ("1.5", Field::Bad),
            ("\"12 kB\"", Field::Bad),
            ("true", Field::Bad),
            ("[1]", Field::Bad),
            ("null", Field::Absent),
            ("\"\"", Field::Absent),
        ] {
            assert_eq!(scalar(json).size(), wanted, "{json}");
        }
    }

    #[test]
    fn flags_in_every_spelling() {
        for json in ["true", "\"true\"", "\"True\"", "\" TRUE \"", "1", "\"1\"", "\"Yes\"", "\"y\""] {
            assert_eq!(scalar(json).flag(), Some(true), "{json}");
        }
        for json in ["false", "\"false\"", "\"FALSE\"", "0", "null", "\"\"", "\"No\""] {
            assert_eq!(scalar(json).flag(), Some(false), "{json}");
        }
        for json in ["\"maybe\"", "2", "{}", "[true]"] {
            assert_eq!(scalar(json).flag(), None, "{json}");
        }
    }

    #[test]
    fn codes_as_text() {
        let code = |json: &str| scalar(json).code();
        assert_eq!(code("1").as_deref(), Some("1"));
        assert_eq!(code("1.0").as_deref(), Some("1"));
        assert_eq!(code("\" A \"").as_deref(), Some("A"));
        assert_eq!(code("-1").as_deref(), Some("-1"));
        assert_eq!(code("[[1],{\"a\":[2]}]").as_deref(), Some("(an object or array)"));
        assert_eq!((code("null"), code("\"\"")), (None, None));
    }
}
