//! Field names of VICS, read without regard to case.

use std::fmt;

use serde::de::{Deserializer, Visitor};

use crate::record::Flags;

/// A field's name, whatever its case.
pub(super) enum Key {
    Context,
    Value,
    Media,
    Organization,
    MediaId,
    Category,
    Md5,
    Sha1,
    Sha256,
    Size,
    Series,
    Flag(Flags),
    AlternativeHashes,
    PhotoDna,
    HashName,
    HashValue,
    /// Known, and of no use to a look-up: names, paths, dates, comments, counts that cannot be relied on.
    Passed,
    Unknown(String),
}

/// Known fields that are passed over. `IsPrecategorized` and `TotalMediaFiles` are among them on purpose: in real files
/// they do not say what their names promise.
const PASSED: [&str; 34] = [
    "victimid",
    "comments",
    "tags",
    "dateupdated",
    "relativefilepath",
    "isprecategorized",
    "precategorizationsource",
    "mimetype",
    "miniature",
    "mediafiles",
    "exifs",
    "mediametadata",
    "odata.id",
    "odata.editlink",
    "odata.type",
    "caseid",
    "casenumber",
    "contactname",
    "contactphone",
    "contactemail",
    "contacttitle",
    "sourceapplicationname",
    "sourceapplicationversion",
    "totalmediafiles",
    "totalprecategorized",
    "seizuredate",
    "casemetadata",
    "filename",
    "filepath",
    "created",
    "written",
    "accessed",
    "sourceid",
    "physicallocation",
];

fn key_of(name: &str) -> Key {
    let mut lower = [0u8; 40];
    let Some(lower) = lower.get_mut(..name.len()) else { return Key::Unknown(name.chars().take(64).collect()) };
    lower.copy_from_slice(name.as_bytes());
    lower.make_ascii_lowercase();
    match &*lower {
        b"odata.metadata" | b"@odata.context" | b"odata.context" => Key::Context,
        b"value" => Key::Value,
        b"media" => Key::Media,
        b"contactorganization" => Key::Organization,
        b"mediaid" => Key::MediaId,
        b"category" => Key::Category,
        b"md5" => Key::Md5,
        b"sha1" => Key::Sha1,
        b"sha256" => Key::Sha256,
        b"mediasize" => Key::Size,
        b"series" => Key::Series,
        b"victimidentified" => Key::Flag(Flags::VICTIM),
        b"offenderidentified" => Key::Flag(Flags::OFFENDER),
        b"isdistributed" => Key::Flag(Flags::DISTRIBUTED),
        b"issuspected" => Key::Flag(Flags::SUSPECTED),
        b"selfgenerated" => Key::Flag(Flags::SELF_GENERATED),
        b"alternativehashes" => Key::AlternativeHashes,
        b"photodna" => Key::PhotoDna,
        b"hashname" => Key::HashName,
        b"hashvalue" => Key::HashValue,
        other if PASSED.iter().any(|p| p.as_bytes() == other) => Key::Passed,
        other if other.ends_with(b"@odata.navigationlinkurl") => Key::Passed,
        _ => Key::Unknown(name.to_owned()),
    }
}

impl<'de> serde::Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Key, D::Error> {
        struct KeyVisitor;
        impl Visitor<'_> for KeyVisitor {
            type Value = Key;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a field name")
            }

            fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Key, E> {
                Ok(key_of(name))
            }
        }
        deserializer.deserialize_str(KeyVisitor)
    }
}
