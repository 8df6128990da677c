//! Lists of digests, one a line: bare, or as `md5sum`, `sha1sum`, `sha256sum` and md5deep write them
//! (`digest  name`, `digest *name`), or in the BSD form (`MD5 (name) = digest`). Which digest it is follows from its
//! length. `#` begins a comment line. Names are kept as they stand.

use avocet_base::{Md5, Sha1, Sha256};

use super::Parsed;
use super::input::Input;
use super::lines::each_record;
use crate::error::KnownError;
use crate::intake::Intake;
use crate::record::{Field, Hex as _, RawRecord};

/// A digest of one of the three kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AnyDigest {
    Md5(Md5),
    Sha1(Sha1),
    Sha256(Sha256),
}

impl AnyDigest {
    pub fn parse(hex: &[u8]) -> Option<AnyDigest> {
        match hex.len() {
            32 => Md5::of_hex(hex).map(AnyDigest::Md5),
            40 => Sha1::of_hex(hex).map(AnyDigest::Sha1),
            64 => Sha256::of_hex(hex).map(AnyDigest::Sha256),
            _ => None,
        }
    }

    pub fn put(self, record: &mut RawRecord<'_>) {
        match self {
            AnyDigest::Md5(d) => record.md5 = Field::Is(d),
            AnyDigest::Sha1(d) => record.sha1 = Field::Is(d),
            AnyDigest::Sha256(d) => record.sha256 = Field::Is(d),
        }
    }
}

/// The part of a line that should be hexadecimal digits.
fn candidate(line: &[u8]) -> &[u8] {
    // GNU tools put a backslash before the digest where the name has been escaped.
    let line = line.trim_ascii();
    let line = line.strip_prefix(b"\\").unwrap_or(line);
    if let Some(end) = line.iter().position(|b| matches!(b, b' ' | b'\t')) {
        let first = line.get(..end).unwrap_or_default();
        if AnyDigest::parse(first).is_some() || !line.contains(&b'(') {
            return first;
        }
    }
    let bsd = [&b"MD5"[..], b"SHA1", b"SHA-1", b"SHA256", b"SHA2-256"]
        .iter()
        .any(|name| line.strip_prefix(*name).is_some_and(|rest| rest.trim_ascii_start().starts_with(b"(")));
    match line.iter().rposition(|b| *b == b'=') {
        Some(at) if bsd => line.get(at + 1..).unwrap_or_default().trim_ascii(),
        _ => line,
    }
}

/// The digest on a line, where it has one.
pub(crate) fn digest_of(line: &[u8]) -> Option<AnyDigest> {
    AnyDigest::parse(candidate(line))
}

pub(crate) fn read(input: &mut Input, intake: &mut Intake<'_>) -> Result<Parsed, KnownError> {
    each_record(input, intake, |text, extra| {
        let digest = digest_of(text).ok_or_else(|| why_not(text))?;
        if let Some(name) = name_of(text) {
            extra.text("name", name);
        }
        let mut record = RawRecord::default();
        digest.put(&mut record);
        Ok(record)
    })?;
    Ok(Parsed::new("list of digests"))
}

/// What stands beside the digest: the file's name, as the tool wrote it.
fn name_of(line: &[u8]) -> Option<&[u8]> {
    let line = line.trim_ascii();
    let digest = candidate(line);
    let name = match line.strip_prefix(b"\\").unwrap_or(line).strip_prefix(digest) {
        // `digest  name`, `digest *name`
        Some(rest) => {
            let rest = rest.trim_ascii_start();
            rest.strip_prefix(b"*").unwrap_or(rest)
        }
        // `MD5 (name) = digest`
        None => {
            let front = line.get(..line.len() - digest.len())?.trim_ascii();
            let open = front.iter().position(|b| *b == b'(')?;
            front.get(open + 1..)?.strip_suffix(b"=")?.trim_ascii_end().strip_suffix(b")")?
        }
    };
    (!name.is_empty()).then_some(name)
}

fn why_not(line: &[u8]) -> &'static str {
    let hex = candidate(line);
    if !hex.iter().all(u8::is_ascii_hexdigit) {
        return "text that is not a digest";
    }
    match hex.len() {
        56 | 96 | 128 => "digest of a kind that is not read (SHA-224, SHA-384, SHA-512 or the like)",
        _ => "digest of the wrong length",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_that_tools_write() {
        let md5 = "d41d8cd98f00b204e9800998ecf8427f";
        let wanted = Some(AnyDigest::Md5(md5.parse().unwrap()));
        for line in [
            md5.to_owned(),
            format!("  {} ", md5.to_uppercase()),
            format!("{md5}  a (b) = c.jpg"),
            format!("{md5} *name"),
            format!("{md5}\tname"),
            format!("\\{md5}  a\\nb"),
            format!("MD5 (a = b.jpg) = {md5}"),
            format!("MD5(a.jpg)= {md5}"),
        ] {
            assert_eq!(digest_of(line.as_bytes()), wanted, "{line}");
        }
        for (line, name) in [
            (md5.to_string(), None),
            (format!("{md5}  a (b) = c.jpg"), Some("a (b) = c.jpg")),
            (format!("{md5} *a b"), Some("a b")),
            (format!("\\{md5}  a\\nb"), Some("a\\nb")),
            (format!("MD5 (a (1) = b.jpg) = {md5}"), Some("a (1) = b.jpg")),
            (format!("MD5(a.jpg)= {md5}"), Some("a.jpg")),
        ] {
            assert_eq!(name_of(line.as_bytes()), name.map(str::as_bytes), "{line}");
        }
        for line in ["", "name", "d41d8cd98f00b204e9800998ecf8427", "zz1d8cd98f00b204e9800998ecf8427f", "(a) = x"] {
            assert_eq!(digest_of(line.as_bytes()), None, "{line}");
        }
        assert_eq!(why_not(&[b'a'; 128]), "digest of a kind that is not read (SHA-224, SHA-384, SHA-512 or the like)");
        assert_eq!(why_not(&[b'a'; 31]), "digest of the wrong length");
        assert_eq!(why_not(b"hello"), "text that is not a digest");
    }
}
