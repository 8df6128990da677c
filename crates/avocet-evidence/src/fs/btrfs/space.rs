//! Which bytes of the disk belong to nothing: all but the superblocks and what the tree of extents names.

use std::ops::ControlFlow;

use crate::entry::Run;
use crate::error::ReadError;
use crate::source::Source as _;
use crate::volume::{subtract, union};

use super::tree::Key;
use super::{Btrfs, SUPERBLOCK, SUPERBLOCKS, damaged};

const EXTENT: u8 = 168;
const METADATA: u8 = 169;

pub(super) fn free(fs: &Btrfs) -> Result<Vec<Run>, ReadError> {
    let shared = &fs.shared;
    let root = fs.extents.as_ref().ok_or_else(|| damaged(0, "the tree of what is in use is not there"))?;
    let length = shared.source.len();
    let mut used: Vec<Run> = SUPERBLOCKS.iter().map(|start| Run { start: *start, length: SUPERBLOCK as u64 }).collect();
    let mut trouble = None;
    shared.scan(root, Key::FIRST, Key::LAST, &mut |e| trouble = Some(e), &mut |key, _| {
        let bytes = match key.kind {
            EXTENT => key.offset,
            METADATA => shared.sb.node,
            _ => return ControlFlow::Continue(()),
        };
        if let Some(places) = shared.chunks.places(key.object, bytes) {
            used.extend(places.map(|start| Run { start, length: bytes }));
        }
        if used.len() > 1 << 20 {
            used = union(std::mem::take(&mut used));
        }
        ControlFlow::Continue(())
    })?;
    match trouble {
        Some(e) => Err(e),
        None => Ok(subtract(&[Run { start: 0, length }], &union(used))),
    }
}
