//! The earlier states of a volume (snapshots): listed with their time and their sizes, not read.
//!
//! Two sizes stand with each, as the format gives them; neither says how many bytes only the snapshot holds:
//! - **the volume then**: the blocks that the volume had allocated when the snapshot was made, by the copy of the volume's
//!   superblock that belongs to the snapshot. Most of them may still be the volume's.
//! - **its own extents**: the sum of the extents in the snapshot's own extent-reference tree. When a snapshot is made the
//!   volume's tree becomes the snapshot's, so these are the bytes of file content that were written since the snapshot
//!   before it, or since the volume was made.

use std::ops::ControlFlow;
use std::sync::Arc;

use avocet_base::{Stamp, escape_bytes};

use crate::bytes::{array, le_u16, le_u64};
use crate::error::{Problem, ReadError};

use super::record::key;
use super::tree::Tree;
use super::{Container, LAYER};

/// Snapshots of one volume that are listed.
const MOST: usize = 1000;
/// Types of records: a snapshot, and an extent.
const SNAPSHOT: u8 = 1;
const EXTENT: u8 = 2;
/// What an extent's record is about: bytes that were written. The others change what is counted elsewhere.
const WRITTEN: u64 = 1;

const CODE: &str = "apfs-snapshots-not-read";

/// One problem for each snapshot; `declared` is how many there are by the volume's superblock.
pub(super) fn problems(container: &Arc<Container>, tree: u64, declared: u64) -> Vec<Problem> {
    let (mut out, mut found, mut trouble): (Vec<Problem>, u64, Option<ReadError>) = (vec![], 0, None);
    // All trees of extents together have no more nodes than the container has blocks.
    let mut nodes = container.blocks;
    let read = Tree::of(container, tree, 0, None).and_then(|tree| {
        tree.all(&mut |error| trouble = Some(error), &mut |record, value| {
            if key(record).is_some_and(|(_, kind)| kind == SNAPSHOT) {
                found = found.saturating_add(1);
                if out.len() < MOST {
                    out.push(one(container, value, &mut nodes));
                }
            }
            ControlFlow::Continue(())
        })
    });
    let listed = out.len() as u64;
    if let Some(error) = read.err().or(trouble) {
        let detail = format!(
            "the volume holds {declared} earlier states of itself (snapshots), which were not read; their list is damaged: {}",
            error.detail
        );
        out.push(Problem::new(LAYER, CODE, Some(error.offset), detail));
    } else if found != declared || found > listed {
        let detail = format!(
            "the volume declares {declared} earlier states of itself (snapshots), its list holds {found}, of which {listed} \
             are named here; none was read"
        );
        out.push(Problem::new(LAYER, CODE, None, detail));
    }
    out
}

/// What is said of a snapshot by the value of its record.
fn one(container: &Arc<Container>, value: &[u8], nodes: &mut u64) -> Problem {
    let number = |at| le_u64(value, at);
    let seconds = |ns: u64| i64::try_from(ns / 1_000_000_000).ok();
    let made = number(16).and_then(|ns| Stamp::from_unix(seconds(ns)?, u32::try_from(ns % 1_000_000_000).ok()?));
    let made = made.map_or_else(|| "at a time that is not recorded".to_owned(), |stamp| format!("at {stamp}"));
    let then = number(8).and_then(|place| allocated(container, place));
    let then = then.map_or_else(
        || "how large the volume was then cannot be read".to_owned(),
        |bytes| format!("the volume took {bytes} bytes then"),
    );
    let own = number(0).map(|tree| written(container, tree, nodes));
    let own = match own {
        Some(Ok(bytes)) => format!("{bytes} bytes of content were written between the snapshot before it and this one"),
        _ => "what was written before it cannot be read".to_owned(),
    };
    let detail = format!("an earlier state of the volume (snapshot) made {made} was not read; {then}; {own}");
    let length = usize::from(le_u16(value, 48).unwrap_or(0));
    let name = value.get(50..50usize.saturating_add(length)).unwrap_or_default();
    let name = escape_bytes(name.strip_suffix(&[0]).unwrap_or(name));
    Problem::new(LAYER, CODE, None, detail).at_path(format!("/$Snapshots/{name}"))
}

/// Bytes that the volume had allocated, by a copy of its superblock.
fn allocated(container: &Container, place: u64) -> Option<u64> {
    let superblock = container.object(place).ok()?;
    (array::<4>(&superblock, 32)? == *b"APSB").then_some(le_u64(&superblock, 88)?.saturating_mul(container.block))
}

/// Bytes of the extents in a tree of references to them; `nodes` is how many nodes may be looked at.
fn written(container: &Arc<Container>, tree: u64, nodes: &mut u64) -> Result<u64, ReadError> {
    let (mut bytes, mut trouble) = (0u64, None);
    let tree = Tree::of(container, tree, 0, None)?;
    tree.allow(*nodes);
    let read = tree.all(&mut |error| trouble = Some(error), &mut |record, value| {
        if let (Some((_, EXTENT)), Some(length)) = (key(record), le_u64(value, 0))
            && length >> 60 == WRITTEN
        {
            let blocks = length & 0x0FFF_FFFF_FFFF_FFFF;
            bytes = bytes.saturating_add(blocks.saturating_mul(container.block));
        }
        ControlFlow::Continue(())
    });
    *nodes = tree.allow(0);
    read?;
    trouble.map_or(Ok(bytes), Err)
}
