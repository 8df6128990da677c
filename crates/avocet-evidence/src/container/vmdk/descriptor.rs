//! The text that says of which files a VMDK disk is made. After VMware's "Virtual Disk Format" 5.0.

use std::num::NonZeroU64;

/// Bytes of a descriptor at most; those of real disks have some hundred.
pub(super) const MOST_BYTES: usize = 1 << 20;
/// Extents at most: at 2 GB each this is more than the largest disk.
const MOST_EXTENTS: usize = 4096;

/// How an extent is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// As it is, from this sector of its file.
    Flat(u64),
    /// In grains.
    Sparse,
    /// Not at all: zeros.
    Zero,
    /// In a way that is not read.
    Other,
}

/// A part of the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) sectors: NonZeroU64,
    pub(super) kind: Kind,
    /// The bytes of the file's name; empty for zeros.
    pub(super) file: Vec<u8>,
}

/// What a descriptor says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Descriptor {
    /// It holds only the changes to another disk.
    pub(super) has_parent: bool,
    pub(super) extents: Vec<Extent>,
    /// There is a line that begins as an extent and is none.
    pub(super) broken: bool,
}

/// Reads a descriptor; `None` where the text is none.
pub(super) fn parse(text: &[u8]) -> Option<Descriptor> {
    let text = text.split(|b| *b == 0).next().unwrap_or_default();
    if !text.starts_with(super::DESCRIPTOR) {
        return None;
    }
    let mut out = Descriptor::default();
    for line in text.split(|b| *b == b'\n') {
        let line = line.trim_ascii();
        let word = line.split(|b| b.is_ascii_whitespace() || *b == b'=').next().unwrap_or_default();
        if word.eq_ignore_ascii_case(b"parentCID") {
            let value = line.iter().position(|b| *b == b'=').and_then(|at| line.get(at.saturating_add(1)..));
            out.has_parent = !value.unwrap_or_default().trim_ascii().eq_ignore_ascii_case(b"ffffffff");
        } else if [&b"RW"[..], b"RDONLY", b"NOACCESS"].iter().any(|access| word.eq_ignore_ascii_case(access)) {
            match extent(line.get(word.len()..).unwrap_or_default()) {
                Some(extent) if out.extents.len() < MOST_EXTENTS => out.extents.push(extent),
                _ => out.broken = true,
            }
        }
    }
    Some(out)
}

/// What stands behind the access of an extent: sectors, kind, name in quotation marks, first sector.
fn extent(rest: &[u8]) -> Option<Extent> {
    let rest = rest.trim_ascii();
    let (before, file, after) = match rest.iter().position(|b| *b == b'"') {
        Some(open) => {
            let quoted = rest.get(open.checked_add(1)?..)?;
            let close = quoted.iter().rposition(|b| *b == b'"')?;
            (rest.get(..open)?, quoted.get(..close)?, quoted.get(close.checked_add(1)?..)?)
        }
        None => (rest, &[][..], &[][..]),
    };
    let mut words = before.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty());
    let number = |word: &[u8]| std::str::from_utf8(word).ok()?.parse::<u64>().ok();
    let sectors = NonZeroU64::new(number(words.next()?)?)?;
    let kind = words.next()?.to_ascii_uppercase();
    let first = after.split(u8::is_ascii_whitespace).find(|w| !w.is_empty());
    let kind = match kind.as_slice() {
        b"FLAT" | b"VMFS" => Kind::Flat(first.map_or(Some(0), number)?),
        b"SPARSE" => Kind::Sparse,
        b"ZERO" => Kind::Zero,
        _ => Kind::Other,
    };
    (kind == Kind::Zero || !file.is_empty()).then(|| Extent { sectors, kind, file: file.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extents_are_read_as_they_are_written() {
        let text = b"# Disk DescriptorFile\r\nversion=1\r\nparentCID = FFFFFFFF\r\n# RW 9 FLAT \"no\"\r\n\
            RW 2048 FLAT \"a b \"c.vmdk\" 63\nRDONLY  4096   SPARSE \"d-s002.vmdk\"\nRW 8 ZERO\nRW 1 VMFS \"e\"\n\
            rw 1 SESPARSE \"f\"\n\0RW 5 ZERO\n";
        let found = parse(text).unwrap();
        let extent = |sectors, kind, file: &[u8]| Extent {
            sectors: NonZeroU64::new(sectors).unwrap(),
            kind,
            file: file.to_vec(),
        };
        assert_eq!(
            found,
            Descriptor {
                has_parent: false,
                extents: vec![
                    extent(2048, Kind::Flat(63), b"a b \"c.vmdk"),
                    extent(4096, Kind::Sparse, b"d-s002.vmdk"),
                    extent(8, Kind::Zero, b""),
                    extent(1, Kind::Flat(0), b"e"),
                    extent(1, Kind::Other, b"f"),
                ],
                broken: false,
            }
        );
    }

    #[test]
    fn what_is_no_extent_is_said() {
        for line in [
            "RW",
            "RW x FLAT \"a\"",
            "RW 0 ZERO",
            "RW 8 FLAT",
            "RW 8 FLAT \"\"",
            "RW 8 FLAT \"a\" z",
            "RW 8 SPARSE \"a",
        ] {
            let found = parse(format!("# Disk DescriptorFile\n{line}\n").as_bytes()).unwrap();
            assert!(found.broken && found.extents.is_empty(), "{line}");
        }
        let parent = parse(b"# Disk DescriptorFile\nparentCID=12345678\n").unwrap();
        assert!(parent.has_parent && !parent.broken);
        assert_eq!(parse(b"something else"), None);
    }
}
