//! Field names of VICS, read without regard to case.

use std::borrow::Cow;

use crate::format::json::Text;
use crate::record::Flags;

/// A field of a record that this crate models. Every other field is kept with the record as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Media,
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
    Pdq,
    MediaMetadata,
    /// A field that real files have and that is kept as it stands.
    Kept,
    /// Kept too, and named in a warning.
    Unknown,
}

/// Modelled fields in the spelling of the data model.
const MODELLED: [(&[u8], Key); 17] = [
    (b"MediaID", Key::MediaId),
    (b"Category", Key::Category),
    (b"MD5", Key::Md5),
    (b"SHA1", Key::Sha1),
    (b"MediaSize", Key::Size),
    (b"SHA256", Key::Sha256),
    (b"Series", Key::Series),
    (b"VictimIdentified", Key::Flag(Flags::VICTIM)),
    (b"OffenderIdentified", Key::Flag(Flags::OFFENDER)),
    (b"IsDistributed", Key::Flag(Flags::DISTRIBUTED)),
    (b"IsSuspected", Key::Flag(Flags::SUSPECTED)),
    (b"SelfGenerated", Key::Flag(Flags::SELF_GENERATED)),
    (b"AlternativeHashes", Key::AlternativeHashes),
    (b"PhotoDNA", Key::PhotoDna),
    (b"PDQ", Key::Pdq),
    (b"MediaMetadata", Key::MediaMetadata),
    (b"Media", Key::Media),
];

/// Fields that real files have beside those. `IsPrecategorized` and `TotalMediaFiles` are among them on purpose: in real
/// files they do not say what their names promise, so nothing is concluded from them.
const KEPT: [&[u8]; 26] = [
    b"DateUpdated",
    b"IsPrecategorized",
    b"MediaFiles",
    b"Exifs",
    b"RelativeFilePath",
    b"MimeType",
    b"Comments",
    b"Tags",
    b"PrecategorizationSource",
    b"Miniature",
    b"VictimID",
    b"odata.id",
    b"odata.editLink",
    b"odata.type",
    b"@odata.id",
    b"@odata.editLink",
    b"@odata.type",
    b"FileName",
    b"FilePath",
    b"Created",
    b"Written",
    b"Accessed",
    b"SourceID",
    b"PhysicalLocation",
    // What `avocet sets export` writes of its own.
    b"avocet:case",
    b"avocet:also",
];

/// The end of the names of OData's links.
const LINK: &[u8] = b"@odata.navigationLinkUrl";

/// The name as bytes, without escapes.
fn name_of<'a>(name: &Text<'a>) -> Cow<'a, [u8]> {
    if name.escaped { Cow::Owned(name.decode().into_owned().into_bytes()) } else { Cow::Borrowed(name.raw) }
}

impl Key {
    pub fn of(name: &Text<'_>) -> Key {
        let name = name_of(name);
        let exact = |known: &&(&[u8], Key)| known.0 == &*name;
        let loose = |known: &&(&[u8], Key)| known.0.eq_ignore_ascii_case(&name);
        if let Some((_, key)) = MODELLED.iter().find(exact) {
            return *key;
        }
        if KEPT.iter().any(|known| *known == &*name) {
            return Key::Kept;
        }
        if let Some((_, key)) = MODELLED.iter().find(loose) {
            return *key;
        }
        let link = name.len().checked_sub(LINK.len()).and_then(|at| name.get(at..));
        if KEPT.iter().any(|k| k.eq_ignore_ascii_case(&name)) || link.is_some_and(|l| l.eq_ignore_ascii_case(LINK)) {
            return Key::Kept;
        }
        Key::Unknown
    }
}

/// Whether a name is the one given, whatever its case.
pub(super) fn is(name: &Text<'_>, known: &str) -> bool {
    name_of(name).eq_ignore_ascii_case(known.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_any_case_and_with_escapes() {
        let key = |raw: &'static str| Key::of(&Text { raw: raw.as_bytes(), escaped: raw.contains('\\') });
        for (name, wanted) in MODELLED {
            let name = String::from_utf8(name.to_vec()).unwrap().to_lowercase();
            assert_eq!(key(Box::leak(name.into_boxed_str())), wanted);
        }
        assert_eq!(key("M\\u0044\\u0035"), Key::Md5);
        assert_eq!(key("DATEUPDATED"), Key::Kept);
        assert_eq!(key("exifs@ODATA.navigationlinkurl"), Key::Kept);
        assert_eq!((key("MD6"), key(""), key("Vendor")), (Key::Unknown, Key::Unknown, Key::Unknown));
        assert!(is(&Text { raw: b"hashNAME", escaped: false }, "HashName"));
    }
}
