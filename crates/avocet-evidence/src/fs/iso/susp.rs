//! The system-use area: Rock Ridge names, modes, times and links (IEEE P1281 and P1282).

use crate::bytes::{array, le_u32, u8_at};
use crate::entry::Times;
use crate::source::{Source, read_up_to};

use super::record::{Record, long_stamp, stamp};

/// Continuations of one area.
const CONTINUATIONS: usize = 64;
/// Bytes of one continuation; those of real discs fit a sector.
const CONTINUATION: u32 = 32 * 1024;

/// What a system-use area says of a file.
#[derive(Debug, Default, Clone)]
pub(super) struct Said {
    /// The name, where there is one.
    pub name: Option<Vec<u8>>,
    /// The mode of POSIX.
    pub mode: Option<u32>,
    pub links: Option<u32>,
    pub inode: Option<u32>,
    pub times: Times,
    /// Whether it is a symbolic link.
    pub link: bool,
    /// The folder that this record stands for lies elsewhere.
    pub moved_to: Option<u32>,
    /// This folder was moved here because of its depth; another record stands for it in its place.
    pub was_moved: bool,
    /// Compressed by zisofs: the length of the plain content.
    pub compressed: Option<u32>,
    /// Sparse: the length of the content with its holes.
    pub sparse: bool,
    /// A continuation could not be followed.
    pub broken: bool,
}

/// Bytes to be left out at the beginning of each area, from the first record of the root; `None` where there is none.
pub(super) fn skip(root: &[u8]) -> Option<usize> {
    let (first, _) = Record::parse(root)?;
    let entry = first.system.get(..7)?;
    (entry.starts_with(b"SP\x07\x01\xbe\xef")).then(|| u8_at(entry, 6).map(usize::from)).flatten()
}

/// Whether the root names Rock Ridge as what is used, or simply uses it.
pub(super) fn is_rock_ridge(source: &dyn Source, root: &[u8], block: u64) -> bool {
    let Some((first, _)) = Record::parse(root) else { return false };
    let mut found = false;
    entries(source, &first.system, 0, block, &mut |name, body| {
        found |= match name {
            b"ER" => {
                body.windows(4).any(|w| w == b"RRIP")
                    || body.windows(10).any(|w| w == b"IEEE_P1282" || w == b"IEEE_1282")
            }
            b"PX" | b"RR" | b"TF" => true,
            _ => false,
        };
    });
    found
}

/// Goes through the entries of an area and of its continuations. Returns whether all of it could be followed.
fn entries(source: &dyn Source, area: &[u8], skip: usize, block: u64, take: &mut dyn FnMut(&[u8; 2], &[u8])) -> bool {
    let mut area = area.get(skip..).unwrap_or_default().to_vec();
    for _ in 0..CONTINUATIONS {
        let (mut at, mut next) = (0usize, None);
        while let Some([a, b, length, _]) = array::<4>(&area, at) {
            let end = at.saturating_add(usize::from(length));
            let Some(body) = area.get(at.saturating_add(4)..end).filter(|_| length >= 4) else { break };
            match &[a, b] {
                b"CE" => next = Some(body.to_vec()),
                b"ST" => break,
                name => take(name, body),
            }
            at = end;
        }
        let Some(next) = next else { return true };
        let number = |at| le_u32(&next, at).unwrap_or(0);
        let (place, offset, length) = (number(0), number(8), number(16));
        let start = u64::from(place).saturating_mul(block).saturating_add(u64::from(offset));
        let wanted = usize::try_from(length.min(CONTINUATION)).unwrap_or(0);
        match read_up_to(source, start, wanted) {
            Ok(bytes) if bytes.len() == wanted && wanted > 0 => area = bytes,
            _ => return false,
        }
    }
    false
}

/// What the area of a record says.
pub(super) fn read(source: &dyn Source, area: &[u8], skip: usize, block: u64) -> Said {
    let mut said = Said::default();
    let whole = entries(source, area, skip, block, &mut |name, body| match name {
        b"NM" => {
            let flags = u8_at(body, 0).unwrap_or(0);
            // The names of the folder itself and of the one above it.
            if flags & 6 == 0 {
                said.name.get_or_insert_default().extend_from_slice(body.get(1..).unwrap_or_default());
            }
        }
        b"PX" => {
            said.mode = le_u32(body, 0);
            said.links = le_u32(body, 8);
            said.inode = le_u32(body, 32);
        }
        b"SL" => said.link = true,
        b"CL" => said.moved_to = le_u32(body, 0),
        b"RE" => said.was_moved = true,
        b"SF" => said.sparse = true,
        b"ZF" => said.compressed = le_u32(body, 4).filter(|_| body.starts_with(b"pz")),
        b"TF" => times(body, &mut said.times),
        _ => {}
    });
    said.broken = !whole;
    said
}

fn times(body: &[u8], times: &mut Times) {
    let flags = u8_at(body, 0).unwrap_or(0);
    let mut at = 1usize;
    for (bit, slot) in
        [(1, &mut times.created), (2, &mut times.modified), (4, &mut times.accessed), (8, &mut times.changed)]
    {
        if flags & bit == 0 {
            continue;
        }
        if flags & 0x80 != 0 {
            *slot = array(body, at).and_then(long_stamp);
            at = at.saturating_add(17);
        } else {
            *slot = array(body, at).and_then(stamp);
            at = at.saturating_add(7);
        }
    }
}
