//! Headers of members, and the records of pax headers.

use avocet_base::Stamp;

use super::{MAX_PIECES, pax_time};

/// Headers and data lie in blocks of this size.
pub(super) const BLOCK: u64 = 512;

/// One header whose checksum is right.
pub(super) struct Header {
    pub(super) name: Vec<u8>,
    pub(super) link: Vec<u8>,
    pub(super) kind: u8,
    /// `None` where it is no number.
    pub(super) size: Option<u64>,
    pub(super) modified: Option<Stamp>,
    pub(super) accessed: Option<Stamp>,
    pub(super) changed: Option<Stamp>,
    /// It holds the word `ustar`.
    pub(super) ustar: bool,
    /// Of a sparse file in the old GNU format: where its pieces belong, whether the map goes on, and its whole size.
    pub(super) sparse: Vec<(u64, u64)>,
    pub(super) more_sparse: bool,
    pub(super) real_size: Option<u64>,
}

/// Text up to the first zero byte.
fn text(block: &[u8], at: usize, length: usize) -> Option<Vec<u8>> {
    let field = block.get(at..at.checked_add(length)?)?;
    Some(field.split(|b| *b == 0).next().unwrap_or_default().to_vec())
}

/// A number: octal digits between spaces and zero bytes, or base 256 with the highest bit set (GNU).
fn number(block: &[u8], at: usize, length: usize) -> Option<i64> {
    let field = block.get(at..at.checked_add(length)?)?;
    let first = *field.first()?;
    if first & 0x80 != 0 {
        let negative = first & 0x40 != 0;
        let start = if negative { -1i64 } else { 0 };
        return field.iter().enumerate().try_fold(start, |n, (i, b)| {
            // The first byte gives its low six bits beside the sign.
            let digit = if i > 0 {
                *b
            } else if negative {
                b | 0xC0
            } else {
                b & 0x3F
            };
            if i == 0 {
                return Some(if negative { i64::from(digit.cast_signed()) } else { i64::from(digit) });
            }
            n.checked_mul(256)?.checked_add(i64::from(digit))
        });
    }
    let digits: Vec<u8> =
        field.iter().copied().skip_while(|b| *b == b' ').take_while(|b| !matches!(b, 0 | b' ')).collect();
    digits.iter().try_fold(0i64, |n, b| {
        if !(b'0'..=b'7').contains(b) {
            return None;
        }
        n.checked_mul(8)?.checked_add(i64::from(b & 7))
    })
}

fn unsigned(block: &[u8], at: usize, length: usize) -> Option<u64> {
    number(block, at, length).and_then(|n| u64::try_from(n).ok())
}

fn pair(block: &[u8], at: usize) -> Option<(u64, u64)> {
    // An empty field ends the map.
    block.get(at).filter(|b| **b != 0)?;
    Some((unsigned(block, at, 12)?, unsigned(block, at.checked_add(12)?, 12)?))
}

impl Header {
    /// Reads a block; `None` where its checksum is wrong: the sum of its bytes, its own field taken as spaces. Some old
    /// programs summed signed bytes.
    pub(super) fn read(block: &[u8]) -> Option<Self> {
        let block = block.get(..512)?;
        let stored = number(block, 148, 8)?;
        let bytes = || block.iter().enumerate().map(|(i, b)| if (148..156).contains(&i) { b' ' } else { *b });
        let plain: i64 = bytes().map(i64::from).sum();
        let signed: i64 = bytes().map(|b| i64::from(b.cast_signed())).sum();
        // A block of zeros has the sum of its eight spaces and stores none.
        if stored != plain && stored != signed || block.get(148..156)?.iter().all(|b| *b == 0) {
            return None;
        }
        let magic = block.get(257..263)?;
        let (ustar, gnu) = (magic.starts_with(b"ustar"), magic == b"ustar ");
        let mut name = text(block, 0, 100)?;
        if ustar && !gnu {
            let prefix = text(block, 345, 155)?;
            if !prefix.is_empty() {
                name = [prefix, name].join(&b'/');
            }
        }
        let time = |at| number(block, at, 12).and_then(|s| Stamp::from_unix(s, 0));
        let kind = *block.get(156)?;
        let mut header = Self {
            name,
            link: text(block, 157, 100)?,
            kind,
            size: unsigned(block, 124, 12),
            modified: time(136),
            // 0 is written where nothing is known.
            accessed: time(345).filter(|t| gnu && t.ns != 0),
            changed: time(357).filter(|t| gnu && t.ns != 0),
            ustar,
            sparse: vec![],
            more_sparse: false,
            real_size: None,
        };
        if kind == b'S' {
            header.sparse.extend((0..4).map_while(|i| pair(block, 386usize.checked_add(24usize.checked_mul(i)?)?)));
            header.more_sparse = block.get(482).is_some_and(|b| *b != 0);
            header.real_size = unsigned(block, 483, 12);
        }
        Some(header)
    }

    /// Takes a further block of the map of a sparse file.
    pub(super) fn add_sparse(&mut self, block: &[u8]) {
        self.sparse.extend((0..21).map_while(|i| pair(block, 24usize.checked_mul(i)?)));
        self.more_sparse = block.get(504).is_some_and(|b| *b != 0);
    }
}

/// What pax headers say of a member.
#[derive(Default, Clone)]
pub(super) struct Pax {
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    pub(super) modified: Option<Stamp>,
    pub(super) accessed: Option<Stamp>,
    pub(super) changed: Option<Stamp>,
    pub(super) created: Option<Stamp>,
    pub(super) sparse_name: Option<Vec<u8>>,
    pub(super) sparse_major: Option<u64>,
    pub(super) real_size: Option<u64>,
    pub(super) map: Option<Vec<(u64, u64)>>,
    /// The offset of a piece whose length is yet to come (format 0.0).
    piece: Option<u64>,
    is_sparse: bool,
}

impl Pax {
    /// Whether the member is a sparse file.
    pub(super) fn sparse(&self) -> bool {
        self.is_sparse
    }

    /// Takes records of the form `LENGTH KEY=VALUE\n`. False where they break off or a value cannot be read.
    pub(super) fn read(&mut self, mut bytes: &[u8]) -> bool {
        let mut good = true;
        while !bytes.is_empty() {
            let Some((key, value, rest)) = record(bytes) else {
                // Padding of zeros is no record.
                return good && bytes.iter().all(|b| *b == 0);
            };
            good &= self.take(key, value).is_some();
            bytes = rest;
        }
        good
    }

    fn take(&mut self, key: &[u8], value: &[u8]) -> Option<()> {
        let number = || std::str::from_utf8(value).ok()?.parse::<u64>().ok();
        match key {
            b"path" => self.path = Some(value.to_vec()).filter(|v| !v.is_empty()),
            b"linkpath" => self.link = Some(value.to_vec()).filter(|v| !v.is_empty()),
            // An empty value takes back what a global header said.
            b"size" if value.is_empty() => self.size = None,
            b"size" => self.size = Some(number()?),
            b"mtime" | b"atime" | b"ctime" | b"LIBARCHIVE.creationtime" => {
                let slot = match key {
                    b"mtime" => &mut self.modified,
                    b"atime" => &mut self.accessed,
                    b"ctime" => &mut self.changed,
                    _ => &mut self.created,
                };
                *slot = if value.is_empty() { None } else { Some(pax_time(value)?) };
            }
            b"GNU.sparse.name" => self.sparse_name = Some(value.to_vec()),
            b"GNU.sparse.major" => {
                self.sparse_major = Some(number()?);
                self.is_sparse = true;
            }
            b"GNU.sparse.realsize" | b"GNU.sparse.size" => {
                self.real_size = Some(number()?);
                self.is_sparse = true;
            }
            b"GNU.sparse.map" => {
                let text = std::str::from_utf8(value).ok()?;
                let numbers: Option<Vec<u64>> = text.split(',').map(|n| n.parse().ok()).collect();
                let numbers = numbers.filter(|n| n.len() % 2 == 0 && n.len() <= MAX_PIECES)?;
                let pairs = numbers.chunks_exact(2).filter_map(|p| Some((*p.first()?, *p.last()?)));
                self.map = Some(pairs.collect());
                self.is_sparse = true;
            }
            b"GNU.sparse.offset" => self.piece = Some(number()?),
            b"GNU.sparse.numbytes" => {
                let piece = (self.piece.take()?, number()?);
                self.map.get_or_insert_default().push(piece);
            }
            _ => {}
        }
        Some(())
    }
}

/// The first record: key, value, and what follows it.
fn record(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = bytes.iter().take(20).position(|b| *b == b' ')?;
    let length: usize = std::str::from_utf8(bytes.get(..space)?).ok()?.parse().ok()?;
    let body = bytes.get(space.checked_add(1)?..length)?.strip_suffix(b"\n")?;
    let equals = body.iter().position(|b| *b == b'=')?;
    Some((body.get(..equals)?, body.get(equals.checked_add(1)?..)?, bytes.get(length..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_octal_and_base_256() {
        assert_eq!(number(b" 0000644\0", 0, 8), Some(0o644));
        assert_eq!(number(b"777 \0\0\0\0", 0, 8), Some(0o777));
        assert_eq!(number(&[0x80, 0, 0, 0, 0, 0, 1, 0], 0, 8), Some(256));
        assert_eq!(number(&[0xFF; 12], 0, 12), Some(-1));
        assert_eq!(number(b"12x4\0\0\0\0", 0, 8), None);
        assert_eq!(number(&[0x80, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0], 0, 12), None);
    }

    #[test]
    fn records_of_a_pax_header() {
        let mut pax = Pax::default();
        assert!(pax.read(b"9 path=a\n19 mtime=12.500000\n11 size=99\n"));
        assert_eq!((pax.path, pax.size), (Some(b"a".to_vec()), Some(99)));
        assert!(!Pax::default().read(b"99 path=a\n"));
        assert!(!Pax::default().read(b"10 size=x\n"));
    }
}
