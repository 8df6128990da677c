//! The directories of a TIFF frame (TIFF 6.0, BigTIFF, and the cameras' own frames that look like it).

use super::bytes::{Order, window};

/// Directories read of one file, and entries of one directory: far more than any camera writes.
const MAX_DIRECTORIES: usize = 256;
const MAX_ENTRIES: u64 = 4096;
/// Values read of one entry.
const MAX_VALUES: u64 = 65_536;

/// Tags used here, by their names in TIFF 6.0, TIFF/EP and DNG.
pub(crate) mod tag {
    pub(crate) const NEW_SUBFILE_TYPE: u16 = 254;
    pub(crate) const WIDTH: u16 = 256;
    pub(crate) const HEIGHT: u16 = 257;
    pub(crate) const COMPRESSION: u16 = 259;
    pub(crate) const PHOTOMETRIC: u16 = 262;
    pub(crate) const MAKE: u16 = 271;
    pub(crate) const STRIP_OFFSETS: u16 = 273;
    pub(crate) const ORIENTATION: u16 = 274;
    pub(crate) const ROWS_PER_STRIP: u16 = 278;
    pub(crate) const STRIP_BYTES: u16 = 279;
    pub(crate) const PREDICTOR: u16 = 317;
    pub(crate) const TILE_OFFSETS: u16 = 324;
    pub(crate) const SUB_DIRECTORIES: u16 = 330;
    pub(crate) const JPEG_TABLES: u16 = 347;
    pub(crate) const JPEG_OFFSET: u16 = 513;
    pub(crate) const JPEG_LENGTH: u16 = 514;
    pub(crate) const EXIF: u16 = 0x8769;
    pub(crate) const MAKER_NOTE: u16 = 0x927c;
    pub(crate) const DNG_VERSION: u16 = 0xc612;
    /// Panasonic's RW2: a whole JPEG as the value.
    pub(crate) const JPG_FROM_RAW: u16 = 0x002e;
}

/// One entry: where its values lie.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) tag: u16,
    kind: u16,
    count: u64,
    /// From the start of the frame.
    at: u64,
}

impl Entry {
    /// Bytes of one value of this type (TIFF 6.0 section 2; 13 and 16 to 18 are later additions).
    fn size(self) -> u64 {
        match self.kind {
            3 | 8 => 2,
            4 | 9 | 11 | 13 => 4,
            5 | 10 | 12 | 16 | 17 | 18 => 8,
            _ => 1,
        }
    }

    /// Its values as bytes; cut where the file ends.
    pub(crate) fn bytes(self, data: &[u8]) -> Option<&[u8]> {
        window(data, self.at, self.count.checked_mul(self.size())?)
    }

    /// Where its bytes begin.
    pub(crate) fn at(self) -> u64 {
        self.at
    }

    /// Whole numbers of any of TIFF's unsigned types.
    pub(crate) fn numbers(self, data: &[u8], order: Order) -> Vec<u64> {
        let bytes = self.bytes(data).unwrap_or_default();
        let size = self.size() as usize;
        (0..self.count.min(MAX_VALUES) as usize)
            .map_while(|i| {
                let at = i.checked_mul(size)?;
                match self.kind {
                    1 | 6 | 7 => bytes.get(at).map(|&b| u64::from(b)),
                    3 | 8 => order.u16(bytes, at).map(u64::from),
                    4 | 9 | 13 => order.u32(bytes, at).map(u64::from),
                    16..=18 => order.u64(bytes, at),
                    _ => None,
                }
            })
            .collect()
    }
}

/// One directory.
#[derive(Debug, Clone)]
pub(crate) struct Directory {
    /// Where it begins.
    pub(crate) at: u64,
    /// Whether it hangs in the file's own chain rather than below another directory.
    pub(crate) in_chain: bool,
    pub(crate) entries: Vec<Entry>,
    next: u64,
}

impl Directory {
    pub(crate) fn entry(&self, tag: u16) -> Option<Entry> {
        self.entries.iter().find(|e| e.tag == tag).copied()
    }

    pub(crate) fn numbers(&self, frame: &Frame<'_>, tag: u16) -> Vec<u64> {
        self.entry(tag).map(|e| e.numbers(frame.data, frame.order)).unwrap_or_default()
    }

    pub(crate) fn number(&self, frame: &Frame<'_>, tag: u16) -> Option<u64> {
        self.numbers(frame, tag).first().copied()
    }
}

/// A TIFF frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame<'a> {
    pub(crate) data: &'a [u8],
    pub(crate) order: Order,
    /// BigTIFF: eight-byte offsets.
    pub(crate) big: bool,
    first: u64,
}

impl<'a> Frame<'a> {
    /// Byte order, magic number and the place of the first directory. The magic numbers of Olympus (`RO`, `RS`) and
    /// Panasonic (`U\0`) stand where TIFF has 42; what follows is the same.
    pub(crate) fn open(data: &'a [u8]) -> Option<Self> {
        let order = match data.get(..2)? {
            b"II" => Order::Little,
            b"MM" => Order::Big,
            _ => return None,
        };
        match order.u16(data, 2)? {
            42 | 0x4f52 | 0x5352 | 0x0055 => {
                Some(Self { data, order, big: false, first: u64::from(order.u32(data, 4)?) })
            }
            43 if order.u16(data, 4)? == 8 => Some(Self { data, order, big: true, first: order.u64(data, 8)? }),
            _ => None,
        }
    }

    /// Directories without a header of their own, as in maker notes; offsets count from the beginning of `data`.
    pub(crate) fn without_header(data: &'a [u8], order: Order) -> Self {
        Self { data, order, big: false, first: 0 }
    }

    /// The directory at an offset.
    pub(crate) fn directory(&self, at: u64, in_chain: bool) -> Option<Directory> {
        let start = usize::try_from(at).ok()?;
        let (data, order) = (self.data, self.order);
        let (count, mut place, length) = if self.big {
            (order.u64(data, start)?, start.checked_add(8)?, 20)
        } else {
            (u64::from(order.u16(data, start)?), start.checked_add(2)?, 12)
        };
        let mut entries = Vec::new();
        for _ in 0..count.min(MAX_ENTRIES) {
            let (Some(tag), Some(kind)) = (order.u16(data, place), order.u16(data, place.saturating_add(2))) else {
                break;
            };
            let after = place.saturating_add(4);
            let (count, value, room) = if self.big {
                (order.u64(data, after), after.saturating_add(8), 8)
            } else {
                (order.u32(data, after).map(u64::from), after.saturating_add(4), 4)
            };
            let Some(count) = count else { break };
            let mut entry = Entry { tag, kind, count, at: value as u64 };
            if count.saturating_mul(entry.size()) > room {
                let Some(at) = self.offset(value) else { break };
                entry.at = at;
            }
            entries.push(entry);
            place = place.saturating_add(length);
        }
        let next = if count <= MAX_ENTRIES { self.offset(place).unwrap_or(0) } else { 0 };
        Some(Directory { at, in_chain, entries, next })
    }

    fn offset(&self, at: usize) -> Option<u64> {
        if self.big { self.order.u64(self.data, at) } else { self.order.u32(self.data, at).map(u64::from) }
    }

    /// Every directory: the chain first, in its order, then those below, each once however it is reached. The second
    /// value says whether there were more than are read.
    pub(crate) fn directories(&self) -> (Vec<Directory>, bool) {
        let mut found: Vec<Directory> = Vec::new();
        let mut at = self.first;
        while at != 0 && found.len() < MAX_DIRECTORIES && !found.iter().any(|d| d.at == at) {
            let Some(directory) = self.directory(at, true) else { break };
            at = directory.next;
            found.push(directory);
        }
        let mut capped = found.len() >= MAX_DIRECTORIES;
        let mut i = 0;
        while let Some(parent) = found.get(i) {
            let mut below = parent.numbers(self, tag::SUB_DIRECTORIES);
            below.extend(parent.numbers(self, tag::EXIF).first());
            for at in below {
                if found.len() >= MAX_DIRECTORIES {
                    capped = true;
                    break;
                }
                if at != 0
                    && !found.iter().any(|d| d.at == at)
                    && let Some(directory) = self.directory(at, false)
                {
                    found.push(directory);
                }
            }
            i = i.saturating_add(1);
        }
        (found, capped)
    }
}
