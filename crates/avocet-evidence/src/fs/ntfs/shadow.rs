//! Volume shadow copies: listed with their time and sizes, not read.
//!
//! Layout after Joachim Metz, "Volume Shadow Snapshot (VSS) format" (public documentation of libvshadow).

use avocet_base::Stamp;

use crate::bytes::{array, le_u32, le_u64};
use crate::error::Problem;
use crate::source::{Source, read_up_to};

/// Where the volume header of shadow copies lies.
const HEADER: u64 = 0x1e00;
/// 3808876b-c176-4e48-b7ae-04046e6cc752 as stored.
const IDENTIFIER: [u8; 16] =
    [0x6b, 0x87, 0x08, 0x38, 0x76, 0xc1, 0x48, 0x4e, 0xb7, 0xae, 0x04, 0x04, 0x6e, 0x6c, 0xc7, 0x52];
const BLOCK: usize = 16 * 1024;
const LINE: usize = 128;
/// Windows keeps at most 512 shadow copies of a volume; a block holds 127 lines and a copy takes two.
const MOST_BLOCKS: usize = 64;

const CODE: &str = "shadow-copies-not-read";

/// A copy as two lines of the catalogue give it.
#[derive(Default)]
struct Copy {
    /// Whether the first line was there.
    first: bool,
    made: Option<Stamp>,
    /// Bytes of the volume when it was made.
    volume: u64,
    /// Bytes set aside for what it keeps; `None` where the second line is not there.
    store: Option<u64>,
}

/// One problem for each shadow copy that the volume holds.
pub(super) fn problems(source: &dyn Source) -> Vec<Problem> {
    read(source).unwrap_or_default()
}

fn read(source: &dyn Source) -> Option<Vec<Problem>> {
    let header = read_up_to(source, HEADER, 512).ok()?;
    if array(&header, 0) != Some(IDENTIFIER) || le_u32(&header, 20) != Some(1) {
        return None;
    }
    let mut at = le_u64(&header, 48)?;
    if at == 0 {
        return None; // prepared for shadow copies, holds none
    }
    let limit = le_u64(&header, 56)?;
    let mut whole = false;
    // By the identifier that the two lines of a copy share, in the order of the catalogue.
    let mut copies: Vec<([u8; 16], Copy)> = vec![];
    let mut seen = std::collections::HashSet::new();
    while seen.len() < MOST_BLOCKS && seen.insert(at) {
        let Ok(block) = read_up_to(source, at, BLOCK) else { break };
        if array(&block, 0) != Some(IDENTIFIER) || le_u32(&block, 20) != Some(2) {
            break;
        }
        for line in block.chunks_exact(LINE).skip(1) {
            let (Some(kind @ (2 | 3)), Some(id)) = (le_u64(line, 0), array::<16>(line, 16)) else { continue };
            let lacks = |copy: &Copy| if kind == 2 { !copy.first } else { copy.store.is_none() };
            let known = copies.iter().position(|(known, copy)| *known == id && lacks(copy));
            let place = known.unwrap_or(copies.len());
            if known.is_none() {
                copies.push((id, Copy::default()));
            }
            let Some((_, copy)) = copies.get_mut(place) else { continue };
            if kind == 2 {
                copy.first = true;
                copy.made = le_u64(line, 48).and_then(Stamp::from_filetime);
                copy.volume = le_u64(line, 8).unwrap_or(0);
            } else {
                copy.store = le_u64(line, 64);
            }
        }
        at = le_u64(&block, 40)?;
        if at == 0 {
            whole = true;
            break;
        }
    }
    let room = if limit == 0 { String::new() } else { format!("; all copies may take {limit} bytes at most") };
    let problem = |detail: String| Problem::new("ntfs", CODE, Some(HEADER), detail);
    let count = copies.len();
    let mut out: Vec<Problem> = (1..)
        .zip(&copies)
        .map(|(n, (_, copy))| {
            let made = copy.made.map_or_else(|| "at a time that is not recorded".to_owned(), |t| format!("at {t}"));
            let store = copy.store.map_or_else(
                || "how many bytes are set aside for what it keeps is not recorded".to_owned(),
                |bytes| format!("{bytes} bytes are set aside for what it keeps"),
            );
            problem(format!(
                "shadow copy {n} of {count}, made {made}, was not read; the volume had {} bytes then, {store}{room}",
                copy.volume
            ))
        })
        .collect();
    if !whole {
        let detail = format!(
            "the volume holds at least {count} shadow copies, which this version does not read; their catalogue is damaged{room}"
        );
        out.push(problem(detail));
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::MemorySource;

    /// A volume whose catalogue has these lines: kind and copy.
    fn volume(lines: &[(u64, u8)]) -> MemorySource {
        let mut v = vec![0u8; 0x4000 + BLOCK];
        let at = HEADER as usize;
        v[at..at + 16].copy_from_slice(&IDENTIFIER);
        v[at + 20] = 1;
        v[at + 48..at + 56].copy_from_slice(&0x4000u64.to_le_bytes());
        v[at + 56..at + 64].copy_from_slice(&1_000_000u64.to_le_bytes());
        v[0x4000..0x4010].copy_from_slice(&IDENTIFIER);
        v[0x4000 + 20] = 2;
        for (i, (kind, copy)) in lines.iter().enumerate() {
            let line = &mut v[0x4000 + LINE * (i + 1)..][..LINE];
            line[0] = *kind as u8;
            line[16..32].fill(*copy);
            if *kind == 2 {
                line[8..16].copy_from_slice(&(u64::from(*copy) * 4096).to_le_bytes());
                line[48..56].copy_from_slice(&133_500_000_000_000_000u64.to_le_bytes());
            } else {
                line[64..72].copy_from_slice(&(u64::from(*copy) * 16384).to_le_bytes());
            }
        }
        MemorySource(v)
    }

    #[test]
    fn copies_are_listed_with_their_sizes() {
        // The lines of a copy need not stand together.
        let found = problems(&volume(&[(2, 7), (2, 9), (3, 9), (3, 7), (2, 11)]));
        let said: Vec<&str> = found.iter().map(|p| p.detail.as_str()).collect();
        assert_eq!(
            said,
            [
                "shadow copy 1 of 3, made at 2024-01-17T21:20:00Z, was not read; the volume had 28672 bytes then, 114688 \
                 bytes are set aside for what it keeps; all copies may take 1000000 bytes at most",
                "shadow copy 2 of 3, made at 2024-01-17T21:20:00Z, was not read; the volume had 36864 bytes then, 147456 \
                 bytes are set aside for what it keeps; all copies may take 1000000 bytes at most",
                "shadow copy 3 of 3, made at 2024-01-17T21:20:00Z, was not read; the volume had 45056 bytes then, how many \
                 bytes are set aside for what it keeps is not recorded; all copies may take 1000000 bytes at most",
            ]
        );
        assert!(found.iter().all(|p| p.code == "shadow-copies-not-read"));
        assert_eq!(problems(&volume(&[])), []);
        assert_eq!(problems(&MemorySource(vec![0; 100])), []);
    }

    #[test]
    fn a_loop_of_blocks_ends_and_is_said() {
        let mut v = volume(&[(2, 1)]);
        v.0[0x4000 + 40..0x4000 + 48].copy_from_slice(&0x4000u64.to_le_bytes());
        let found = problems(&v);
        assert!(found.len() == 2 && found[1].detail.contains("at least 1"), "{found:?}");
    }
}
