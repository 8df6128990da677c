//! DMG, Apple's disk images (UDIF): a disk in pieces of their own size, each packed in its own way. Big-endian; a trailer
//! of 512 bytes (`koly`) leads to a property list whose tables (`blkx`, each beginning with `mish`) say where pieces lie.
//!
//! After the public descriptions of the format (libmodi's documentation, `hdiutil`'s manual) and images that `hdiutil`
//! made. Pieces are zero, plain, left out, or packed with ADC, zlib, bzip2, LZFSE or xz (LZMA). What was left out
//! (`ignore`: free space, which nobody stored) reads as zeros, is counted and said.
//!
//! **What is checked.** On opening: the sum over the sums of all tables, where the trailer has one; and the CRC-32 of each
//! table, for as many as [`CHECKED`] bytes of pieces that hold something, which is said where it does not reach. On every
//! read: what zlib, bzip2 and xz check of themselves. ADC, LZFSE and plain pieces have no sum of their own.
//!
//! | problem code | meaning |
//! | --- | --- |
//! | `space-not-stored` | free space that was left out when the image was made; it reads as zeros |
//! | `sum-differs` | a table's bytes or the list of tables do not agree with their CRC-32 |
//! | `sums-not-checked` | tables whose CRC-32 was not checked on opening, because they hold too much |
//! | `tables-leave-gaps` | parts of the disk that no table places; reading them is an error |

use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use flate2::{Crc, Decompress, FlushDecompress, Status};
use lzma_rust2::XzReader;

use super::blocks::check_disk_size;
use super::cache::Cache;
use super::{Disk, Fault, refused};
use crate::bytes::{array, be_u32, be_u64};
use crate::checksum::{crc32_joined, crc32_of_zeros};
use crate::codec::{adc, bzip2, lzfse};
use crate::error::{OpenError, Problem, ReadError, ReadFault};
use crate::plist::{self, Value};
use crate::source::{Source, read_up_to};

const LAYER: &str = "dmg";
/// The trailer, and the bytes it begins with: signature and, behind the version, its own length.
pub(super) const TRAILER: usize = 512;
const SECTOR: u64 = 512;
/// Header of a table, and each of its entries.
const TABLE: usize = 204;
const ENTRY: usize = 40;
/// Bytes of the property list at most: tables of 1.2 million pieces, which is 300 GiB in the smallest usual ones.
const MOST_LIST: u64 = 64 << 20;
/// The largest packed piece, which is unpacked as a whole. `hdiutil` writes pieces of 256 KiB to 1 MiB.
const MOST_PIECE: u64 = 16 << 20;
/// Bytes of pieces, zeros not counted, whose sums are checked on opening.
const CHECKED: u64 = 64 << 20;
/// Memory for the window of an xz piece, in KiB.
const MOST_XZ_KIB: u32 = 96 << 10;
/// Bytes summed at a time.
const STEP: usize = 1 << 20;

/// How a piece is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Zero,
    /// Free space that was not stored.
    LeftOut,
    Plain,
    Adc,
    Zlib,
    Bzip2,
    Lzfse,
    Xz,
    Unknown,
}

/// A run of the disk.
#[derive(Debug, Clone, Copy)]
struct Piece {
    /// Where it begins on the disk.
    start: u64,
    /// Its bytes on the disk.
    length: u64,
    /// Where it lies in the file, and how many bytes it takes there.
    at: u64,
    stored: u64,
    kind: Kind,
}

/// Whether the last 512 bytes of a file are such a trailer.
pub(super) fn is_trailer(tail: &[u8]) -> bool {
    array(tail, 0) == Some(*b"koly") && be_u32(tail, 8) == Some(512)
}

struct Pieces {
    file: Arc<dyn Source>,
    /// In the order of the disk, without overlap.
    pieces: Vec<Piece>,
    length: u64,
    unpacked: Cache<Result<Arc<[u8]>, Fault>>,
}

impl Pieces {
    /// The pieces of a table.
    fn of(&self, table: &Table) -> impl Iterator<Item = &Piece> {
        let end = table.start.saturating_add(table.length);
        let first = self.pieces.partition_point(|p| p.start < table.start);
        self.pieces.get(first..).unwrap_or_default().iter().take_while(move |p| p.start < end)
    }

    fn unpack(&self, index: usize, piece: &Piece) -> Result<Arc<[u8]>, Fault> {
        let number = index as u64;
        if let Some(known) = self.unpacked.get(number) {
            return known;
        }
        let result = self.unpack_now(piece).map(Arc::from);
        self.unpacked.put(number, result.clone());
        result
    }

    fn unpack_now(&self, piece: &Piece) -> Result<Vec<u8>, Fault> {
        if piece.length > MOST_PIECE {
            return Err((ReadFault::Unsupported, "packed pieces of this size are not read"));
        }
        // The worst case of every method is far below twice the piece; 4 KiB for headers.
        let most = piece.length.saturating_mul(2).saturating_add(4096);
        let stored = usize::try_from(piece.stored.min(most)).unwrap_or(usize::MAX);
        let stored =
            read_up_to(&self.file, piece.at, stored).map_err(|e| (e.fault, "the file cannot be read there"))?;
        if (stored.len() as u64) < piece.stored.min(most) {
            return Err((ReadFault::Truncated, "the file ends before it does"));
        }
        let length = usize::try_from(piece.length).unwrap_or(usize::MAX);
        let broken = (ReadFault::Damaged, "its compressed data or checksum is wrong");
        let out = match piece.kind {
            Kind::Adc => adc::decode(&stored, length),
            Kind::Zlib => inflate(&stored, length),
            Kind::Lzfse => lzfse::decode(&stored, length),
            Kind::Bzip2 => all_of(bzip2::Decoder::new(stored.as_slice()), length),
            // The decoder is not ours: a defect in it that ends in a panic costs this piece.
            Kind::Xz => catch_unwind(AssertUnwindSafe(|| {
                all_of(XzReader::new_mem_limit(stored.as_slice(), true, MOST_XZ_KIB), length)
            }))
            .ok()
            .flatten(),
            _ => None,
        };
        let out = out.ok_or(broken)?;
        if out.len() < length {
            return Err((ReadFault::Damaged, "it decompresses to fewer bytes than its piece"));
        }
        Ok(out)
    }

    /// Reads from `inside` a piece.
    fn read_part(&self, index: usize, piece: &Piece, inside: u64, out: &mut [u8]) -> Result<(), Fault> {
        match piece.kind {
            Kind::Zero | Kind::LeftOut => out.fill(0),
            Kind::Unknown => return Err((ReadFault::Unsupported, "it is kept in a way that is not known")),
            Kind::Plain => {
                let wanted = out.len();
                let end = (ReadFault::Truncated, "the file ends before it does");
                if inside.saturating_add(wanted as u64) > piece.stored {
                    return Err((ReadFault::Damaged, "it is shorter than its piece"));
                }
                match self.file.read_at(piece.at.saturating_add(inside), out) {
                    Ok(n) if n == wanted => {}
                    Ok(_) => return Err(end),
                    Err(error) => return Err((error.fault, "the file cannot be read there")),
                }
            }
            _ => {
                let data = self.unpack(index, piece)?;
                let from = usize::try_from(inside).unwrap_or(usize::MAX);
                let part = data.get(from..from.saturating_add(out.len()));
                out.copy_from_slice(part.ok_or((ReadFault::Damaged, "it is shorter than its piece"))?);
            }
        }
        Ok(())
    }
}

/// Inflates a zlib stream of at most `length` bytes; what follows it in its room is not looked at.
fn inflate(stored: &[u8], length: usize) -> Option<Vec<u8>> {
    let (mut out, mut decoder) = (vec![0; length], Decompress::new(true));
    match decoder.decompress(stored, &mut out, FlushDecompress::Finish) {
        Ok(Status::StreamEnd) => {
            out.truncate(usize::try_from(decoder.total_out()).ok()?);
            Some(out)
        }
        _ => None,
    }
}

/// All that a decoder gives, at most `length` bytes.
fn all_of(decoder: impl Read, length: usize) -> Option<Vec<u8>> {
    let mut out = vec![];
    decoder.take((length as u64).saturating_add(1)).read_to_end(&mut out).ok()?;
    (out.len() <= length).then_some(out)
}

impl Source for Pieces {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ReadError> {
        let rest = usize::try_from(self.length.saturating_sub(offset)).unwrap_or(usize::MAX);
        let wanted = buf.len().min(rest);
        let mut index = self.pieces.partition_point(|p| p.start.saturating_add(p.length) <= offset);
        let mut done = 0;
        while let Some(rest) = buf.get_mut(done..wanted).filter(|r| !r.is_empty()) {
            let at = offset.saturating_add(done as u64);
            let failed = |fault, why: &str| ReadError::new(LAYER, at, fault, format!("piece {index}: {why}"));
            let found = self.pieces.get(index).and_then(|p| Some((p, at.checked_sub(p.start)?)));
            let Some((piece, inside)) = found.filter(|(p, inside)| *inside < p.length) else {
                let why = "no table of the image says what lies there";
                return Err(ReadError::new(LAYER, at, ReadFault::Damaged, why));
            };
            let n = usize::try_from(piece.length.saturating_sub(inside)).unwrap_or(usize::MAX).min(rest.len());
            let Some(part) = rest.get_mut(..n) else { break };
            self.read_part(index, piece, inside, part).map_err(|(fault, why)| failed(fault, why))?;
            done = done.saturating_add(n);
            index = index.saturating_add(1);
        }
        Ok(done)
    }
}

/// What a table says of itself: where it begins, how long it is, and its CRC-32.
struct Table {
    start: u64,
    length: u64,
    sum: Option<u32>,
}

/// A CRC-32 where one is kept: kind 2, 32 bits.
fn sum_at(data: &[u8], at: usize) -> Option<u32> {
    let kind = be_u32(data, at).zip(be_u32(data, at.checked_add(4)?));
    be_u32(data, at.checked_add(8)?).filter(|_| kind == Some((2, 32)))
}

/// Reads one table; its pieces are appended.
fn table(data: &[u8], fork: u64, place: usize, pieces: &mut Vec<Piece>) -> Result<Table, OpenError> {
    let broken = |detail: &str| OpenError::malformed(LAYER, 0, format!("table {place}: {detail}"));
    let short = || broken("it ends inside its header");
    if array(data, 0) != Some(*b"mish") {
        return Err(broken("it does not begin with its signature"));
    }
    let u64_at = |at| be_u64(data, at).ok_or_else(short);
    let bytes = |sectors: u64| sectors.checked_mul(SECTOR).ok_or_else(|| broken("a number of sectors that cannot be"));
    let (start, length, base) = (bytes(u64_at(8)?)?, bytes(u64_at(16)?)?, u64_at(24)?);
    let count = usize::try_from(be_u32(data, 200).ok_or_else(short)?).unwrap_or(usize::MAX);
    let entries = data.get(TABLE..).unwrap_or_default();
    if entries.len() / ENTRY < count {
        return Err(broken("it is shorter than its entries"));
    }
    for entry in entries.chunks_exact(ENTRY).take(count) {
        let (kind, numbers) = (be_u32(entry, 0).ok_or_else(short)?, [8, 16, 24, 32].map(|at| be_u64(entry, at)));
        let [Some(sector), Some(sectors), Some(at), Some(stored)] = numbers else { return Err(short()) };
        let kind = match kind {
            0 => Kind::Zero,
            1 => Kind::Plain,
            2 => Kind::LeftOut,
            0x8000_0004 => Kind::Adc,
            0x8000_0005 => Kind::Zlib,
            0x8000_0006 => Kind::Bzip2,
            0x8000_0007 => Kind::Lzfse,
            0x8000_0008 => Kind::Xz,
            // A comment, and the end.
            0x7fff_fffe => continue,
            0xffff_ffff => break,
            _ => Kind::Unknown,
        };
        let (inside, long) = (bytes(sector)?, bytes(sectors)?);
        if inside.checked_add(long).is_none_or(|end| end > length) {
            return Err(broken("a piece reaches behind it"));
        }
        if long == 0 {
            continue;
        }
        let at = fork.checked_add(base).and_then(|n| n.checked_add(at));
        let at = at.ok_or_else(|| broken("a piece lies at a place that cannot be"))?;
        let start = start.checked_add(inside).ok_or_else(|| broken("a piece lies at a place that cannot be"))?;
        pieces.push(Piece { start, length: long, at, stored, kind });
    }
    Ok(Table { start, length, sum: sum_at(data, 64) })
}

/// The CRC-32 of a table's bytes; free space that was left out does not count. `None` where they cannot be read, which
/// reading them says.
fn sum_of(disk: &Pieces, table: &Table) -> Option<u32> {
    let mut sum = 0u32;
    let mut buffer = vec![0; STEP];
    let end = table.start.saturating_add(table.length);
    let mut at = table.start;
    for piece in disk.of(table) {
        if piece.start != at {
            return None;
        }
        at = piece.start.saturating_add(piece.length);
        match piece.kind {
            Kind::LeftOut => continue,
            Kind::Zero => {
                sum = crc32_joined(sum, crc32_of_zeros(piece.length), piece.length);
                continue;
            }
            _ => {}
        }
        let mut from = piece.start;
        while from < at {
            let n = at.saturating_sub(from).min(STEP as u64);
            let part = buffer.get_mut(..usize::try_from(n).ok()?)?;
            disk.read_at(from, part).ok().filter(|got| *got as u64 == n)?;
            let mut here = Crc::new();
            here.update(part);
            sum = crc32_joined(sum, here.sum(), n);
            from = from.saturating_add(n);
        }
    }
    (at == end).then_some(sum)
}

/// Opens a DMG from its bytes.
pub(super) fn open(file: &Arc<dyn Source>) -> Result<Disk, OpenError> {
    let place = file.len().saturating_sub(TRAILER as u64);
    let trailer = read_up_to(file, place, TRAILER)?;
    let short = || OpenError::malformed(LAYER, place, "the file ends inside its trailer");
    let broken = |detail: String| OpenError::malformed(LAYER, place, detail);
    let u64_at = |at| be_u64(&trailer, at).ok_or_else(short);
    if be_u32(&trailer, 60).ok_or_else(short)? > 1 {
        return Err(refused(
            "an Apple disk image in several segments",
            "Join its segments (with hdiutil convert on a Mac), and examine the result",
        ));
    }
    let (list_at, list_length) = (u64_at(216)?, u64_at(224)?);
    if list_length == 0 {
        return Err(refused(
            "an Apple disk image whose tables are kept in a resource fork (of before 2002)",
            "Convert it with hdiutil convert on a Mac, and examine the result",
        ));
    }
    if list_length > MOST_LIST {
        return Err(refused("an Apple disk image of more pieces than this version reads", super::signature::REIMAGE));
    }
    let list = read_up_to(file, list_at, usize::try_from(list_length).unwrap_or(usize::MAX))?;
    let list = plist::read(&list).filter(|_| list.len() as u64 == list_length);
    let list = list.ok_or_else(|| OpenError::malformed(LAYER, list_at, "its property list cannot be read"))?;
    let tables = list.get("resource-fork").and_then(|fork| fork.get("blkx"));
    let Some(Value::Array(found)) = tables else {
        return Err(OpenError::malformed(LAYER, list_at, "its property list names no tables"));
    };
    let fork = u64_at(24)?;
    let (mut pieces, mut tables, mut sums) = (vec![], vec![], Crc::new());
    for (number, one) in found.iter().enumerate() {
        let Some(Value::Data(data)) = one.get("Data") else {
            return Err(OpenError::malformed(LAYER, list_at, format!("table {number} is not there")));
        };
        let one = table(data, fork, number, &mut pieces)?;
        if let Some(sum) = one.sum {
            sums.update(&sum.to_be_bytes());
        }
        tables.push(one);
    }
    pieces.sort_by_key(|p| p.start);
    let overlap = pieces.windows(2).any(|pair| match pair {
        [a, b] => a.start.saturating_add(a.length) > b.start,
        _ => false,
    });
    if overlap {
        return Err(OpenError::malformed(LAYER, list_at, "its tables contradict each other about what lies where"));
    }
    let reach = pieces.last().map_or(0, |p| p.start.saturating_add(p.length));
    let declared = u64_at(492)?.checked_mul(SECTOR).ok_or_else(|| broken("a disk of a size that cannot be".into()))?;
    let length = declared.max(reach);
    check_disk_size(LAYER, length)?;

    let mut problems = vec![];
    let mut say = |code, at: Option<u64>, detail: String| problems.push(Problem::new(LAYER, code, at, detail));
    let total =
        |kind: fn(Kind) -> bool| pieces.iter().filter(|p| kind(p.kind)).fold(0u64, |n, p| n.saturating_add(p.length));
    let (left_out, placed) = (total(|k| k == Kind::LeftOut), total(|_| true));
    if left_out > 0 {
        let detail =
            format!("{left_out} bytes of free space were left out when the image was made; they read as zeros");
        say("space-not-stored", None, detail);
    }
    if placed < length {
        let missing = length.saturating_sub(placed);
        say(
            "tables-leave-gaps",
            None,
            format!("{missing} bytes of the disk are in no table; reading them is an error"),
        );
    }
    if sum_at(&trailer, 352).is_some_and(|stored| stored != sums.sum()) {
        say("sum-differs", Some(place), "the list of tables does not agree with its CRC-32".into());
    }
    let largest = pieces.iter().filter(|p| !matches!(p.kind, Kind::Zero | Kind::LeftOut | Kind::Plain));
    let largest = largest.map(|p| p.length).max().unwrap_or(1).min(MOST_PIECE);
    let disk = Pieces { file: Arc::clone(file), pieces, length, unpacked: Cache::new(largest) };
    let (mut budget, mut unchecked) = (CHECKED, 0u64);
    for table in &tables {
        let Some(stored) = table.sum else { continue };
        let cost = disk
            .of(table)
            .filter(|p| !matches!(p.kind, Kind::Zero | Kind::LeftOut))
            .fold(0u64, |n, p| n.saturating_add(p.length));
        match budget.checked_sub(cost) {
            Some(left) => {
                budget = left;
                if sum_of(&disk, table).is_some_and(|sum| sum != stored) {
                    let detail = format!("{} bytes of the disk do not agree with their CRC-32", table.length);
                    say("sum-differs", Some(table.start), detail);
                }
            }
            None => unchecked = unchecked.saturating_add(1),
        }
    }
    if unchecked > 0 {
        let detail =
            format!("the CRC-32 of {unchecked} tables was not checked: they hold more than is read on opening");
        say("sums-not-checked", None, detail);
    }
    Ok(Disk { kind: "dmg", source: Arc::new(disk), problems, stored: (None, None) })
}
