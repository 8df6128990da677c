//! The boot sector and the metadata block, of which a volume has three copies.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::LAYER;
use super::keys::Sealed;
use crate::bytes::{array, le_u16, le_u32, le_u64, u8_at};
use crate::checksum::crc32;
use crate::crypto::{Hash, Key, key};
use crate::error::{OpenError, Problem};
use crate::source::{Source, read_up_to};

/// {4967D63B-2E29-4AD8-8399-F6A339E3D001}: where the metadata lie follows.
const NORMAL: [u8; 16] =
    [0x3B, 0xD6, 0x67, 0x49, 0x29, 0x2E, 0xD8, 0x4A, 0x83, 0x99, 0xF6, 0xA3, 0x39, 0xE3, 0xD0, 0x01];
/// {92A84D3B-DD80-4D0E-9E4E-B1E3284EAED8}: the same of a volume that is encrypted as it is written to.
const ON_WRITE: [u8; 16] =
    [0x3B, 0x4D, 0xA8, 0x92, 0x80, 0xDD, 0x0E, 0x4D, 0x9E, 0x4E, 0xB1, 0xE3, 0x28, 0x4E, 0xAE, 0xD8];
const SIGNATURE: &[u8] = b"-FVE-FS-";
/// Bytes that a volume keeps free for each copy; a block is never longer.
pub(super) const AREA: usize = 64 << 10;
/// Bytes before the entries: header of the block and of what it holds.
const HEADERS: usize = 112;
/// Key protectors that are listed and tried. Windows itself makes a handful.
const MOST_PROTECTORS: usize = 32;
/// States of a volume.
pub(super) const CONVERTING: u16 = 2;

/// What protects the volume's master key, as bits of one number.
pub(super) mod by {
    pub(crate) const TPM: u16 = 0x0100;
    pub(crate) const STARTUP: u16 = 0x0200;
    pub(crate) const PIN: u16 = 0x0400;
    pub(crate) const RECOVERY: u16 = 0x0800;
    pub(crate) const CARD: u16 = 0x1000;
    pub(crate) const PASSWORD: u16 = 0x2000;
}

/// One way to the volume's master key.
pub(super) struct Protector {
    pub(super) id: [u8; 16],
    pub(super) kind: u16,
    /// What a password is stretched with.
    pub(super) salt: Option<[u8; 16]>,
    /// The master key, sealed.
    pub(super) sealed: Option<Sealed>,
    /// A key that lies open.
    pub(super) clear: Option<Key>,
}

/// One metadata block that holds.
pub(super) struct Block {
    pub(super) state: u16,
    /// Bytes from the volume's beginning that are encrypted.
    pub(super) encrypted: u64,
    /// Bytes behind those that were being converted.
    pub(super) converting: u32,
    pub(super) copies: [u64; 3],
    /// Where the first bytes of the file system were moved to, and how many they are.
    pub(super) moved_to: u64,
    pub(super) moved: u64,
    pub(super) id: [u8; 16],
    pub(super) method: u16,
    pub(super) protectors: Vec<Protector>,
    /// The key of the data, sealed with the master key.
    pub(super) data_key: Option<Sealed>,
    /// The digest of this block, which [`Block::validation`] holds sealed.
    pub(super) digest: Zeroizing<Vec<u8>>,
    pub(super) validation: Option<Sealed>,
}

/// What the boot sector and the first block that holds say.
pub(super) struct Metadata {
    pub(super) to_go: bool,
    pub(super) on_write: bool,
    pub(super) sector: usize,
    pub(super) block: Block,
    pub(super) problems: Vec<Problem>,
}

/// One entry of a block, or of another entry.
pub(super) struct Entry<'a> {
    pub(super) kind: u16,
    pub(super) value: u16,
    pub(super) data: &'a [u8],
}

/// The entries in `data`, and whether they end as they should. Each takes eight bytes at least.
pub(super) fn entries(data: &[u8]) -> (Vec<Entry<'_>>, bool) {
    let (mut out, mut rest) = (vec![], data);
    while let (Some(size), Some(kind), Some(value)) = (le_u16(rest, 0), le_u16(rest, 2), le_u16(rest, 4)) {
        if size == 0 {
            break;
        }
        let Some((entry, after)) = rest.split_at_checked(usize::from(size)) else { return (out, false) };
        let Some(data) = entry.get(8..) else { return (out, false) };
        out.push(Entry { kind, value, data });
        rest = after;
    }
    (out, true)
}

/// A key as an entry keeps it open.
pub(super) fn open_key(data: &[u8]) -> Option<Key> {
    key(data.get(4..)?)
}

fn protector(data: &[u8]) -> Option<Protector> {
    let mut out = Protector { id: array(data, 0)?, kind: le_u16(data, 26)?, salt: None, sealed: None, clear: None };
    for entry in entries(data.get(28..)?).0 {
        match entry.value {
            1 => out.clear = open_key(entry.data),
            3 => out.salt = array(entry.data, 4),
            5 => out.sealed = Sealed::from(entry.data),
            _ => {}
        }
    }
    Some(out)
}

/// Reads one copy; `Err` says why it does not hold.
fn block(source: &Arc<dyn Source>, copy: usize, at: u64, sector: usize) -> Result<Block, &'static str> {
    if at == 0 || !at.is_multiple_of(sector as u64) || at >= source.len() {
        return Err("its place cannot be");
    }
    let area = read_up_to(source, at, AREA).map_err(|_| "it cannot be read")?;
    let cut = "it ends early";
    if !area.starts_with(SIGNATURE) {
        return Err("it is not there");
    }
    if le_u16(&area, 10) != Some(2) {
        return Err("its version is not known");
    }
    let size = usize::from(le_u16(&area, 8).ok_or(cut)?).saturating_mul(16);
    let body = area.get(..size).filter(|_| size >= HEADERS).ok_or(cut)?;
    let behind = area.get(size..).unwrap_or_default();
    if le_u16(behind, 0).ok_or(cut)? < 8 || le_u32(behind, 4) != Some(crc32(!0, body) ^ !0) {
        return Err("its checksum does not agree");
    }
    let number = |at| le_u64(body, at).ok_or(cut);
    let copies = [number(32)?, number(40)?, number(48)?];
    if copies.get(copy) != Some(&at) {
        return Err("it belongs to another place");
    }
    let held = usize::try_from(le_u32(body, 64).ok_or(cut)?).unwrap_or(usize::MAX);
    let list = body.get(HEADERS..held.saturating_add(64)).ok_or("the size of its list cannot be")?;
    let (list, sound) = entries(list);
    if !sound {
        return Err("its list is broken");
    }
    let mut out = Block {
        state: le_u16(body, 12).ok_or(cut)?,
        encrypted: number(16)?,
        converting: le_u32(body, 24).ok_or(cut)?,
        copies,
        moved_to: number(56)?,
        moved: u64::from(le_u32(body, 28).ok_or(cut)?).saturating_mul(sector as u64),
        id: array(body, 80).ok_or(cut)?,
        method: le_u16(body, 100).ok_or(cut)?,
        protectors: vec![],
        data_key: None,
        digest: Hash::Sha256.of(&[body]),
        validation: entries(behind.get(8..).unwrap_or_default())
            .0
            .first()
            .filter(|e| e.value == 5)
            .and_then(|e| Sealed::from(e.data)),
    };
    for entry in list {
        match (entry.kind, entry.value) {
            (2, 8) if out.protectors.len() < MOST_PROTECTORS => out.protectors.extend(protector(entry.data)),
            (3, 5) if out.data_key.is_none() => out.data_key = Sealed::from(entry.data),
            (15, 15) => {
                if let (Some(place), Some(bytes)) = (le_u64(entry.data, 0), le_u64(entry.data, 8)) {
                    // Both say how many bytes were moved, the one in sectors, whose size only the boot sector gives.
                    if out.moved != 0 && out.moved != bytes {
                        return Err("it and the boot sector differ about the size of a sector");
                    }
                    (out.moved_to, out.moved) = (place, bytes);
                }
            }
            _ => {}
        }
    }
    Ok(out)
}

/// Reads the boot sector and the first copy of the metadata that holds.
pub(super) fn read(source: &Arc<dyn Source>) -> Result<Metadata, OpenError> {
    let boot = read_up_to(source, 0, 512)?;
    let to_go = boot.get(3..11) == Some(b"MSWIN4.1");
    if !to_go && boot.get(3..11) != Some(SIGNATURE) {
        return Err(OpenError::malformed(LAYER, 3, "the boot sector is not one of BitLocker"));
    }
    if !to_go && u8_at(&boot, 1) == Some(0x52) {
        return Err(OpenError::Unsupported {
            what: "a BitLocker volume as Windows Vista makes it".into(),
            advice: "Decrypt it with a program that reads it and examine the result",
        });
    }
    let place = if to_go { 424usize } else { 160 };
    let kind: [u8; 16] = array(&boot, place).unwrap_or_default();
    if kind != NORMAL && kind != ON_WRITE {
        return Err(OpenError::malformed(LAYER, place as u64, "the identifier in the boot sector is not known"));
    }
    let sector = match le_u16(&boot, 11).map(usize::from) {
        Some(0) => 512,
        Some(size) if [512, 1024, 2048, 4096].contains(&size) => size,
        _ => return Err(OpenError::malformed(LAYER, 11, "the size of a sector cannot be")),
    };
    let (mut found, mut bad, mut differ): (Option<Block>, Vec<String>, bool) = (None, vec![], false);
    for copy in 0..3usize {
        let at = le_u64(&boot, place.saturating_add(16).saturating_add(copy.saturating_mul(8))).unwrap_or(0);
        match (block(source, copy, at, sector), &found) {
            (Ok(one), None) => found = Some(one),
            (Ok(one), Some(first)) => differ |= one.digest != first.digest,
            (Err(why), _) => bad.push(format!("copy {}: {why}", copy.saturating_add(1))),
        }
    }
    let Some(block) = found else {
        let detail = format!("none of the three copies of its metadata holds ({})", bad.join("; "));
        return Err(OpenError::malformed(LAYER, 0, detail));
    };
    let mut problems = vec![];
    if !bad.is_empty() {
        let detail =
            format!("the metadata lie on the volume three times, and another copy was used ({})", bad.join("; "));
        problems.push(Problem::new(LAYER, "bitlocker-metadata-copy-used", None, detail));
    }
    if differ {
        let detail = "the copies of the metadata say different things, though each holds; the first was used";
        problems.push(Problem::new(LAYER, "bitlocker-metadata-copies-differ", None, detail));
    }
    Ok(Metadata { to_go, on_write: kind == ON_WRITE, sector, block, problems })
}
