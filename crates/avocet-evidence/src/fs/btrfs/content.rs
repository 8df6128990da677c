//! The bytes of a file: pieces that lie in the file's record, plain on the disk, or packed.

use std::ops::ControlFlow;
use std::sync::Arc;

use crate::bytes::{le_u16, le_u64, u8_at};
use crate::container::unzstd;
use crate::entry::{Content, ContentRead, Extent, Location, OpenContent, Unreadable};
use crate::error::{ReadError, ReadFault};
use crate::source::{Source, read_exact_at};

use super::tree::{Key, Root};
use super::{LAYER, Shared, damaged, lzo};

/// Kinds of items.
const EXTENT_DATA: u8 = 108;
const EXTENT_CSUM: u8 = 128;
const CSUM_OBJECT: u64 = 10u64.wrapping_neg();
/// Bytes that are packed together at most, plain and packed.
const PACKED: u64 = 128 << 10;
/// Bytes read at once.
const STEP: u64 = 128 << 10;
/// Pieces of one file.
const PIECES: usize = 1 << 20;
/// A file without checksums.
pub(super) const NO_SUMS: u64 = 1;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Zlib,
    Lzo,
    Zstd,
}

#[derive(Debug, Clone)]
enum Place {
    Zero,
    /// In the file's record.
    Here(Vec<u8>),
    HerePacked(Vec<u8>, Method),
    /// From this address.
    Plain(u64),
    /// In so many bytes from an address, which unpack to so many; the piece begins this far into them.
    Packed {
        at: u64,
        stored: u64,
        plain: u64,
        skip: u64,
        method: Method,
    },
}

#[derive(Debug, Clone)]
struct Piece {
    logical: u64,
    length: u64,
    place: Place,
}

/// A file's bytes.
struct Data {
    shared: Arc<Shared>,
    pieces: Vec<Piece>,
    size: u64,
    sums: bool,
}

/// What is said of a file's content.
pub(super) struct Held {
    pub content: Content,
    pub holes: bool,
    pub packed: bool,
    /// Bytes that reading it takes from the disk.
    pub stored: u64,
}

/// The content of a file of a tree.
pub(super) fn of(shared: &Arc<Shared>, root: &Root, inode: u64, size: u64, flags: u64) -> Result<Held, Unreadable> {
    let corrupt = |detail: &str| Unreadable::Corrupt(detail.into());
    let (mut pieces, mut end, mut trouble): (Vec<Piece>, u64, Option<Unreadable>) = (vec![], 0, None);
    let mut told = None;
    let (from, until) = (Key::new(inode, EXTENT_DATA, 0), Key::new(inode, EXTENT_DATA, u64::MAX));
    shared
        .scan(root, from, until, &mut |e| told = Some(e), &mut |key, item| {
            if key.offset >= size {
                return ControlFlow::Break(());
            }
            let piece = match piece(shared, item) {
                Ok((place, length)) => Piece { logical: key.offset, length, place },
                Err(why) => {
                    trouble = Some(why);
                    return ControlFlow::Break(());
                }
            };
            if key.offset < end || piece.length == 0 || pieces.len() >= PIECES {
                trouble = Some(corrupt("the pieces of the file overlap, are empty or are too many"));
                return ControlFlow::Break(());
            }
            if key.offset > end {
                pieces.push(Piece { logical: end, length: key.offset - end, place: Place::Zero });
            }
            let length = piece.length.min(size.saturating_sub(key.offset));
            end = key.offset.saturating_add(length);
            pieces.push(Piece { length, ..piece });
            ControlFlow::Continue(())
        })
        .map_err(|e| Unreadable::Corrupt(e.detail))?;
    if let Some(why) = trouble {
        return Err(why);
    }
    if let Some(e) = told {
        return Err(Unreadable::Corrupt(e.detail));
    }
    if end < size {
        pieces.push(Piece { logical: end, length: size - end, place: Place::Zero });
    }
    let holes = pieces.iter().any(|p| matches!(p.place, Place::Zero));
    let packed = pieces.iter().any(|p| matches!(p.place, Place::Packed { .. } | Place::HerePacked(..)));
    let on_disk = |p: &Piece| match p.place {
        Place::Plain(at) => Some((at, p.length)),
        Place::Packed { at, stored, .. } => Some((at, stored)),
        _ => None,
    };
    let extents: Vec<Extent> = pieces
        .iter()
        .filter_map(|p| {
            let (at, length) = on_disk(p)?;
            let place = shared.chunks.places(at, length)?.next()?;
            Some(Extent { logical: p.logical, length, location: Location::At(place) })
        })
        .collect();
    let stored = pieces.iter().filter_map(on_disk).map(|(_, n)| n).fold(0, u64::saturating_add);
    let content = match pieces.as_slice() {
        [Piece { place: Place::Here(bytes), length, .. }] if *length == size && bytes.len() as u64 >= size => {
            Content::Resident(bytes.clone())
        }
        _ => {
            let data = Data { shared: Arc::clone(shared), pieces, size, sums: flags & NO_SUMS == 0 };
            Content::Stream { open: Arc::new(Checked(Arc::new(data))), extents }
        }
    };
    Ok(Held { content, holes, packed, stored })
}

/// Where a piece lies, and how many bytes of the file it is.
fn piece(shared: &Shared, item: &[u8]) -> Result<(Place, u64), Unreadable> {
    let corrupt = |detail: &str| Unreadable::Corrupt(detail.into());
    let cut = || corrupt("a piece of the file is cut");
    let number = |at| le_u64(item, at).ok_or_else(cut);
    let plain = number(8)?;
    let method = match u8_at(item, 16).ok_or_else(cut)? {
        0 => None,
        1 => Some(Method::Zlib),
        2 => Some(Method::Lzo),
        3 => Some(Method::Zstd),
        _ => return Err(Unreadable::Unsupported("compressed in a way that is not known")),
    };
    if u8_at(item, 17) != Some(0) || le_u16(item, 18) != Some(0) {
        return Err(Unreadable::Encrypted("btrfs"));
    }
    if method.is_some() && plain > PACKED {
        return Err(corrupt("more is packed together than the system packs"));
    }
    match u8_at(item, 20).ok_or_else(cut)? {
        0 => {
            let bytes = item.get(21..).ok_or_else(cut)?.to_vec();
            let length = bytes.len() as u64;
            Ok(match method {
                None => (Place::Here(bytes), length),
                Some(method) => (Place::HerePacked(bytes, method), plain),
            })
        }
        kind @ (1 | 2) => {
            let (at, stored, skip, length) = (number(21)?, number(29)?, number(37)?, number(45)?);
            if at == 0 || kind == 2 {
                // A hole, or room that was kept and never written.
                return Ok((Place::Zero, length));
            }
            let inside = skip.checked_add(length).is_some_and(|end| end <= plain);
            if !inside || shared.chunks.places(at, stored).is_none() {
                return Err(corrupt("a piece of the file lies outside what the volume has"));
            }
            match method {
                None if plain > stored => Err(corrupt("a piece of the file is longer than its place")),
                None => Ok((Place::Plain(at.saturating_add(skip)), length)),
                Some(_) if stored > PACKED => Err(corrupt("more is packed together than the system packs")),
                Some(method) => Ok((Place::Packed { at, stored, plain, skip, method }, length)),
            }
        }
        _ => Err(Unreadable::Unsupported("kept in a way that is not known")),
    }
}

/// The piece that was unpacked last.
type Unpacked = Option<(usize, Vec<u8>)>;

impl Data {
    /// Bytes from an offset on; fewer than asked only at the end.
    fn read_into(&self, offset: u64, buf: &mut [u8], last: &mut Unpacked) -> Result<usize, ReadError> {
        let mut done = 0usize;
        while let Some(rest) = buf.get_mut(done..).filter(|r| !r.is_empty()) {
            let at = offset.saturating_add(done as u64);
            let Some(index) = self.pieces.partition_point(|p| p.logical <= at).checked_sub(1) else { break };
            let Some(piece) = self.pieces.get(index).filter(|_| at < self.size) else { break };
            let inside = at.saturating_sub(piece.logical);
            let left = usize::try_from(piece.length.saturating_sub(inside)).unwrap_or(usize::MAX);
            let most = rest.len().min(left);
            let Some(part) = rest.get_mut(..most).filter(|p| !p.is_empty()) else { break };
            let from = usize::try_from(inside).unwrap_or(usize::MAX);
            done = done.saturating_add(match &piece.place {
                Place::Zero => {
                    part.fill(0);
                    most
                }
                Place::Here(bytes) => copy(bytes.get(from..).unwrap_or_default(), part),
                Place::Plain(start) => self.plain(start.saturating_add(inside), part)?,
                Place::HerePacked(..) | Place::Packed { .. } => {
                    if last.as_ref().is_none_or(|(i, _)| *i != index) {
                        *last = Some((index, self.unpack(piece)?));
                    }
                    let bytes = last.as_ref().map(|(_, bytes)| bytes.as_slice()).unwrap_or_default();
                    copy(bytes.get(from..).unwrap_or_default(), part)
                }
            });
        }
        Ok(done)
    }

    /// Plain bytes from an address; at most a step at once.
    fn plain(&self, at: u64, part: &mut [u8]) -> Result<usize, ReadError> {
        let sector = self.shared.sb.sector;
        let start = at / sector * sector;
        let length = (part.len() as u64).min(STEP);
        let whole = at.saturating_add(length).div_ceil(sector).saturating_mul(sector).saturating_sub(start);
        let bytes = self.checked(start, whole)?;
        let skip = usize::try_from(at - start).unwrap_or(usize::MAX);
        let wanted = usize::try_from(length).unwrap_or(0);
        let end = skip.saturating_add(wanted);
        Ok(copy(bytes.get(skip..end).unwrap_or_default(), part))
    }

    /// Whole sectors from an address, each held against its checksum, from the first copy that agrees.
    fn checked(&self, start: u64, length: u64) -> Result<Vec<u8>, ReadError> {
        let places = self.shared.chunks.places(start, length);
        let mut places = places.ok_or_else(|| damaged(start, "a piece of a file lies outside what the volume has"))?;
        let sums = self.sums(start, length)?;
        let mut trouble = damaged(start, "a piece of a file has no place");
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
        let sector = usize::try_from(self.shared.sb.sector).unwrap_or(4096);
        let found = places.find(|place| {
            if let Err(e) = read_exact_at(&self.shared.source, LAYER, *place, &mut bytes) {
                trouble = e;
                return false;
            }
            let wrong = bytes
                .chunks(sector)
                .zip(&sums)
                .position(|(block, sum)| sum.as_ref().is_some_and(|sum| !self.shared.sb.sum.agrees(sum, block)));
            if let Some(n) = wrong {
                let at = place.saturating_add(n.saturating_mul(sector) as u64);
                trouble = damaged(at, "the checksum of a block of a file does not agree");
            }
            wrong.is_none()
        });
        found.map(|_| bytes).ok_or(trouble)
    }

    /// The checksums of whole sectors, where there are some.
    fn sums(&self, start: u64, length: u64) -> Result<Vec<Option<Vec<u8>>>, ReadError> {
        let sector = self.shared.sb.sector;
        let mut out = vec![None; usize::try_from(length / sector).unwrap_or(0)];
        let Some(root) = self.shared.sums.as_ref().filter(|_| self.sums) else { return Ok(out) };
        let width = self.shared.sb.sum.length();
        let first = self.shared.last_before(root, Key::new(CSUM_OBJECT, EXTENT_CSUM, start))?;
        let first = first.unwrap_or(Key::new(CSUM_OBJECT, EXTENT_CSUM, start));
        let until = Key::new(CSUM_OBJECT, EXTENT_CSUM, start.saturating_add(length).saturating_sub(1));
        let mut told = None;
        self.shared.scan(root, first, until, &mut |e| told = Some(e), &mut |key, item| {
            // An item may begin long before what is looked for.
            let skip = start.saturating_sub(key.offset) / sector;
            let sums = item.chunks_exact(width).skip(usize::try_from(skip).unwrap_or(usize::MAX));
            for (i, sum) in (skip..).zip(sums).take(out.len()) {
                let at = key.offset.saturating_add(i.saturating_mul(sector));
                let index = at.checked_sub(start).and_then(|n| usize::try_from(n / sector).ok());
                if let Some(place) = index.and_then(|i| out.get_mut(i)) {
                    *place = Some(sum.to_vec());
                }
            }
            ControlFlow::Continue(())
        })?;
        match told {
            Some(e) => Err(ReadError { detail: format!("its checksums cannot be read: {}", e.detail), ..e }),
            None => Ok(out),
        }
    }

    /// The plain bytes of a packed piece, as long as the piece.
    fn unpack(&self, piece: &Piece) -> Result<Vec<u8>, ReadError> {
        let (bytes, plain, skip, method, at) = match &piece.place {
            Place::HerePacked(bytes, method) => (bytes.clone(), piece.length, 0, *method, 0),
            Place::Packed { at, stored, plain, skip, method } => {
                (self.checked(*at, *stored)?, *plain, *skip, *method, *at)
            }
            _ => return Ok(vec![]),
        };
        let plain = usize::try_from(plain.min(PACKED)).unwrap_or(0);
        let broken = || ReadError::new(LAYER, at, ReadFault::Damaged, "a packed piece of a file does not unpack");
        let mut out = match method {
            Method::Zlib => {
                use std::io::Read as _;
                let mut out = vec![];
                let decoder = flate2::read::ZlibDecoder::new(bytes.as_slice());
                decoder.take(plain as u64).read_to_end(&mut out).map_err(|_| broken())?;
                out
            }
            Method::Lzo => {
                let sector = usize::try_from(self.shared.sb.sector).unwrap_or(4096);
                lzo::unpack(&bytes, sector, plain).ok_or_else(broken)?
            }
            Method::Zstd => {
                let mut out = vec![0; plain];
                let made = unzstd(&bytes, &mut out).map_err(|_| broken())?;
                out.truncate(made);
                out
            }
        };
        // The system takes what is packed short of its length for zeros.
        out.resize(plain, 0);
        let skip = usize::try_from(skip).unwrap_or(usize::MAX);
        let length = usize::try_from(piece.length).unwrap_or(usize::MAX);
        out.get(skip..skip.saturating_add(length)).map(<[u8]>::to_vec).ok_or_else(broken)
    }
}

fn copy(from: &[u8], to: &mut [u8]) -> usize {
    let n = from.len().min(to.len());
    if let (Some(to), Some(from)) = (to.get_mut(..n), from.get(..n)) {
        to.copy_from_slice(from);
    }
    n
}

/// Content that is read through its checksums.
struct Checked(Arc<Data>);

impl OpenContent for Checked {
    fn open(&self) -> Result<Box<dyn ContentRead>, ReadError> {
        Ok(Box::new(Reader { data: Arc::clone(&self.0), at: 0, last: None }))
    }

    fn source(&self) -> Result<Option<Arc<dyn Source>>, ReadError> {
        let packed = |p: &Piece| matches!(p.place, Place::Packed { .. } | Place::HerePacked(..));
        let plain = !self.0.pieces.iter().any(packed);
        Ok(plain.then(|| Arc::new(Plain(Arc::clone(&self.0))) as Arc<dyn Source>))
    }
}

/// Content of which nothing is packed, at any place.
struct Plain(Arc<Data>);

impl Source for Plain {
    fn len(&self) -> u64 {
        self.0.size
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ReadError> {
        self.0.read_into(offset, buf, &mut None)
    }
}

struct Reader {
    data: Arc<Data>,
    at: u64,
    last: Unpacked,
}

impl ContentRead for Reader {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, ReadError> {
        let n = self.data.read_into(self.at, buf, &mut self.last)?;
        self.at = self.at.saturating_add(n as u64);
        Ok(n)
    }
}
