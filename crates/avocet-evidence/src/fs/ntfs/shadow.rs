//! Volume shadow copies: noticed and counted, not read.
//!
//! Layout after Joachim Metz, "Volume Shadow Snapshot (VSS) format" (public documentation of libvshadow).

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

/// The problem to report where the volume holds shadow copies.
pub(super) fn problem(source: &dyn Source) -> Option<Problem> {
    let header = read_up_to(source, HEADER, 512).ok()?;
    if array(&header, 0) != Some(IDENTIFIER) || le_u32(&header, 20) != Some(1) {
        return None;
    }
    let mut at = le_u64(&header, 48)?;
    if at == 0 {
        return None; // prepared for shadow copies, holds none
    }
    let limit = le_u64(&header, 56)?;
    let (mut copies, mut whole) = (0u64, false);
    let mut seen = std::collections::HashSet::new();
    while seen.len() < MOST_BLOCKS && seen.insert(at) {
        let Ok(block) = read_up_to(source, at, BLOCK) else { break };
        if array(&block, 0) != Some(IDENTIFIER) || le_u32(&block, 20) != Some(2) {
            break;
        }
        copies += block.chunks_exact(LINE).skip(1).filter(|line| le_u64(line, 0) == Some(2)).count() as u64;
        at = le_u64(&block, 40)?;
        if at == 0 {
            whole = true;
            break;
        }
    }
    if whole && copies == 0 {
        return None;
    }
    let count = if whole { format!("{copies}") } else { format!("at least {copies} (their catalogue is damaged)") };
    let room = if limit == 0 { String::new() } else { format!(", in at most {limit} bytes") };
    Some(Problem::new(
        "ntfs",
        "shadow-copies-not-read",
        Some(HEADER),
        format!("the volume holds shadow copies, which this version does not read: {count}{room}"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::MemorySource;

    fn volume(lines: &[u64]) -> MemorySource {
        let mut v = vec![0u8; 0x4000 + BLOCK];
        let at = HEADER as usize;
        v[at..at + 16].copy_from_slice(&IDENTIFIER);
        v[at + 20] = 1;
        v[at + 48..at + 56].copy_from_slice(&0x4000u64.to_le_bytes());
        v[at + 56..at + 64].copy_from_slice(&1_000_000u64.to_le_bytes());
        v[0x4000..0x4010].copy_from_slice(&IDENTIFIER);
        v[0x4000 + 20] = 2;
        for (i, kind) in lines.iter().enumerate() {
            v[0x4000 + LINE * (i + 1)] = *kind as u8;
        }
        MemorySource(v)
    }

    #[test]
    fn copies_are_counted() {
        let found = problem(&volume(&[2, 3, 2, 3])).unwrap();
        assert_eq!(found.code, "shadow-copies-not-read");
        assert!(found.detail.ends_with("not read: 2, in at most 1000000 bytes"), "{}", found.detail);
        assert_eq!(problem(&volume(&[])), None);
        assert_eq!(problem(&MemorySource(vec![0; 100])), None);
    }

    #[test]
    fn a_loop_of_blocks_ends_and_is_said() {
        let mut v = volume(&[2]);
        v.0[0x4000 + 40..0x4000 + 48].copy_from_slice(&0x4000u64.to_le_bytes());
        assert!(problem(&v).unwrap().detail.contains("at least 1"));
    }
}
