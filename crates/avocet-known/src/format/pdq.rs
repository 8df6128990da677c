//! Lists of PDQ hashes as ThreatExchange's tools read and write them (`pdq/cpp/io/hashio.h`): 64 hexadecimal digits a
//! line, alone or before a comma and anything else (`HASH,file.jpg`), or as pairs
//! (`hash=HASH,norm=128,delta=0,quality=100,filename=file.jpg`). Video lists of vPDQ are something else and not read.
//!
//! 64 digits alone are as good a SHA-256. A list is only taken for PDQ where its user, its name or a header says so, or
//! where its lines are pairs with a quality, which nothing else has.

use super::Parsed;
use super::extra::Extra;
use super::input::Input;
use super::lines::each_record;
use crate::error::KnownError;
use crate::intake::Intake;
use crate::record::{Field, Hex as _, RawRecord};

use avocet_base::PdqHash;

/// One line: the hash, and what stands behind its comma.
fn parse(line: &[u8]) -> Option<(PdqHash, Option<&[u8]>)> {
    let line = line.trim_ascii();
    let (hash, rest) = match line.iter().position(|b| *b == b',') {
        Some(at) => (line.get(..at)?, line.get(at + 1..)),
        None => (line, None),
    };
    let hash = hash.trim_ascii();
    PdqHash::of_hex(hash.strip_prefix(b"hash=").unwrap_or(hash)).map(|hash| (hash, rest))
}

/// Whether a line can only be one of PDQ's own tools.
pub(crate) fn is_own_pair_line(line: &[u8]) -> bool {
    line.trim_ascii().starts_with(b"hash=")
        && parse(line).is_some_and(|(_, rest)| {
            rest.is_some_and(|rest| rest.split(|b| *b == b',').any(|pair| pair.starts_with(b"quality=")))
        })
}

/// Whether a line is one that may be of a PDQ list and may as well be of SHA-256 values: 64 digits, alone or with
/// something behind a comma.
pub(crate) fn is_ambiguous(line: &[u8]) -> bool {
    parse(line).is_some() && !is_own_pair_line(line)
}

pub(crate) fn read(input: &mut Input, intake: &mut Intake<'_>) -> Result<Parsed, KnownError> {
    each_record(input, intake, |text, extra| {
        let (hash, rest) = parse(text).ok_or("text that is not a PDQ hash")?;
        if let Some(rest) = rest.filter(|r| !r.is_empty()) {
            metadata(rest, extra);
        }
        Ok(RawRecord { pdq: Field::Is(hash), ..RawRecord::default() })
    })?;
    Ok(Parsed::new("PDQ list"))
}

/// Keeps what stands behind the hash: as pairs where all of it are pairs of which a name may hold commas, else whole.
fn metadata(rest: &[u8], extra: &mut Extra) {
    const NAMES: [&str; 4] = ["norm", "delta", "quality", "filename"];
    let mut left = rest;
    let mut found: [Option<&[u8]>; 4] = [None; 4];
    for (name, slot) in NAMES.iter().zip(&mut found) {
        let Some(value) = left.strip_prefix(name.as_bytes()).and_then(|v| v.strip_prefix(b"=")) else { continue };
        let end = if *name == "filename" { None } else { value.iter().position(|b| *b == b',') };
        *slot = Some(value.get(..end.unwrap_or(value.len())).unwrap_or_default());
        left = end.and_then(|at| value.get(at + 1..)).unwrap_or_default();
    }
    if !left.is_empty() || found.iter().all(Option::is_none) {
        extra.text("metadata", rest);
        return;
    }
    for (name, value) in NAMES.iter().zip(found) {
        if let Some(value) = value {
            extra.text(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_tools() {
        let hash = "f8f8f0cce0f4a84f0e370a22028f67f0b36e2ed596623e1d33e6339c4e9c9b22";
        let wanted: PdqHash = hash.parse().unwrap();
        let cases: [(String, &str); 6] = [
            (hash.to_owned(), ""),
            (hash.to_uppercase(), ""),
            (format!("{hash},a, b.jpg"), r#"{"metadata":"a, b.jpg"}"#),
            (
                format!("hash={hash},norm=128,delta=0,quality=100,filename=a,b.jpg"),
                r#"{"norm":"128","delta":"0","quality":"100","filename":"a,b.jpg"}"#,
            ),
            (format!("hash={hash},quality=9"), r#"{"quality":"9"}"#),
            (format!("{hash},quality=9,other=1"), r#"{"metadata":"quality=9,other=1"}"#),
        ];
        for (line, kept) in cases {
            let (got, rest) = parse(line.as_bytes()).unwrap();
            let mut extra = Extra::default();
            if let Some(rest) = rest {
                metadata(rest, &mut extra);
            }
            assert_eq!((got, extra.finish().0), (wanted, kept), "{line}");
            assert_eq!(is_own_pair_line(line.as_bytes()), line.starts_with("hash="), "{line}");
            assert_eq!(is_ambiguous(line.as_bytes()), !line.starts_with("hash="), "{line}");
        }
        for line in ["", "hash=", &hash[1..], &format!("{hash}0"), &format!("{hash}  name")] {
            assert!(parse(line.as_bytes()).is_none(), "{line}");
        }
    }
}
