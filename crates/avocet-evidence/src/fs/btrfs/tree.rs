//! The B-trees: each node is held against its checksum, its own address, its level, its generation and the keys that its
//! parent promised. Keys of one scan therefore only ever grow, and no damaged pointer leads around for ever.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use crate::bytes::{array, le_u32, le_u64, u8_at};
use crate::error::ReadError;
use crate::source::read_exact_at;

use super::{LAYER, Shared, damaged};

/// Levels of a tree, as the system limits them.
const LEVELS: u8 = 8;
/// Bytes of nodes kept in memory.
const CACHE: u64 = 8 << 20;
/// Bytes of a node's head, of a record of a leaf and of one of another node.
const HEAD: usize = 101;
const LEAF_RECORD: usize = 25;
const INNER_RECORD: usize = 33;

/// What a record is found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub object: u64,
    pub kind: u8,
    pub offset: u64,
}

impl Key {
    pub const FIRST: Key = Key { object: 0, kind: 0, offset: 0 };
    pub const LAST: Key = Key { object: u64::MAX, kind: u8::MAX, offset: u64::MAX };

    pub fn new(object: u64, kind: u8, offset: u64) -> Key {
        Key { object, kind, offset }
    }

    pub fn parse(bytes: &[u8]) -> Option<Key> {
        Some(Key { object: le_u64(bytes, 0)?, kind: u8_at(bytes, 8)?, offset: le_u64(bytes, 9)? })
    }
}

/// Where a tree begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Root {
    pub at: u64,
    pub level: u8,
    pub generation: u64,
}

/// A node whose checksum agrees.
pub(super) struct Node {
    level: u8,
    generation: u64,
    keys: Vec<Key>,
    bytes: Vec<u8>,
}

impl Node {
    fn parse(bytes: Vec<u8>) -> Option<Node> {
        let level = u8_at(&bytes, 100)?;
        let count = usize::try_from(le_u32(&bytes, 96)?).ok()?;
        let step = if level == 0 { LEAF_RECORD } else { INNER_RECORD };
        let records = bytes.get(HEAD..HEAD.checked_add(count.checked_mul(step)?)?)?;
        let keys = records.chunks_exact(step).map(Key::parse).collect::<Option<Vec<Key>>>()?;
        let ordered = keys.is_sorted_by(|a, b| a < b);
        (ordered && level < LEVELS).then_some(Node { level, generation: le_u64(&bytes, 80)?, keys, bytes })
    }

    fn value(&self, i: usize) -> Option<&[u8]> {
        let at = HEAD + i * LEAF_RECORD + 17;
        let start = HEAD.checked_add(usize::try_from(le_u32(&self.bytes, at)?).ok()?)?;
        let length = usize::try_from(le_u32(&self.bytes, at + 4)?).ok()?;
        self.bytes.get(start..start.checked_add(length)?)
    }

    /// Address and generation of a node below.
    fn child(&self, i: usize) -> Option<(u64, u64)> {
        let at = HEAD + i * INNER_RECORD + 17;
        le_u64(&self.bytes, at).zip(le_u64(&self.bytes, at + 8))
    }
}

/// The nodes of every tree of a volume.
pub(super) struct Nodes {
    cache: Mutex<HashMap<u64, Arc<Node>>>,
    kept: usize,
    /// Nodes that may still be looked at. It is far more than any sound volume takes, and ends what a damaged one claims.
    budget: AtomicU64,
    /// How often the first copy of a node did not hold.
    pub other_copies: AtomicU64,
}

impl Nodes {
    pub fn new(volume: u64, node: u64) -> Nodes {
        let budget = (volume / node).saturating_mul(4096).saturating_add(1 << 20);
        let kept = usize::try_from(CACHE / node).unwrap_or(64).max(64);
        Nodes { cache: Mutex::default(), kept, budget: AtomicU64::new(budget), other_copies: AtomicU64::new(0) }
    }
}

pub(super) type Told<'a> = &'a mut dyn FnMut(ReadError);
pub(super) type Take<'a> = &'a mut dyn FnMut(Key, &[u8]) -> ControlFlow<()>;

impl Shared {
    /// A node of an expected level and generation.
    pub fn node(&self, at: u64, level: u8, generation: Option<u64>) -> Result<Arc<Node>, ReadError> {
        let spent = self.nodes.budget.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1));
        if spent.is_err() {
            return Err(damaged(at, "the trees lead further than the volume is large"));
        }
        let right = |node: &Node| node.level == level && generation.is_none_or(|g| g == node.generation);
        let kept = self.nodes.cache.lock().unwrap_or_else(PoisonError::into_inner).get(&at).map(Arc::clone);
        if let Some(node) = kept {
            return if right(&node) { Ok(node) } else { Err(damaged(at, "a node is not the one that was looked for")) };
        }
        let places = self.chunks.places(at, self.sb.node);
        let mut trouble = damaged(at, "a node lies outside what the volume has");
        for (n, place) in places.into_iter().flatten().enumerate() {
            match self.stored(at, place) {
                Ok(node) if right(&node) => {
                    if n > 0 {
                        self.nodes.other_copies.fetch_add(1, Relaxed);
                    }
                    let node = Arc::new(node);
                    let mut cache = self.nodes.cache.lock().unwrap_or_else(PoisonError::into_inner);
                    if cache.len() >= self.nodes.kept {
                        cache.clear();
                    }
                    cache.insert(at, Arc::clone(&node));
                    return Ok(node);
                }
                Ok(_) => trouble = damaged(place, "a node is not the one that was looked for"),
                Err(e) => trouble = e,
            }
        }
        Err(trouble)
    }

    /// A node as it lies at a place of the disk.
    fn stored(&self, at: u64, place: u64) -> Result<Node, ReadError> {
        let mut bytes = vec![0; usize::try_from(self.sb.node).unwrap_or(0)];
        read_exact_at(&self.source, LAYER, place, &mut bytes)?;
        let (sum, rest) = bytes.split_at_checked(32).unwrap_or_default();
        if !self.sb.sum.agrees(sum, rest) {
            return Err(damaged(place, "the checksum of a node does not agree"));
        }
        let own = array::<16>(&bytes, 32) == Some(self.sb.node_uuid) && le_u64(&bytes, 48) == Some(at);
        let node = Node::parse(bytes).filter(|_| own);
        node.ok_or_else(|| damaged(place, "a node contradicts itself"))
    }

    /// Takes the records of a tree between two keys, both included, in their order. A node below the root that cannot be
    /// read is told, and costs what is below it.
    ///
    /// # Errors
    /// [`ReadError`] where the root cannot be read.
    pub fn scan(&self, root: &Root, from: Key, until: Key, told: Told<'_>, take: Take<'_>) -> Result<(), ReadError> {
        let node = self.node(root.at, root.level, Some(root.generation))?;
        let _ = self.below(&node, [Key::FIRST, Key::LAST], [from, until], told, take);
        Ok(())
    }

    /// `promised`: between which keys the records of the node lie; `wanted`: which of them are taken.
    fn below(
        &self,
        node: &Node,
        promised: [Key; 2],
        wanted: [Key; 2],
        told: Told<'_>,
        take: Take<'_>,
    ) -> ControlFlow<()> {
        let ([low, high], [from, until]) = (promised, wanted);
        let inside = node.keys.first().is_none_or(|k| *k >= low) && node.keys.last().is_none_or(|k| *k <= high);
        if !inside {
            told(damaged(0, "a node holds what belongs to another"));
            return ControlFlow::Continue(());
        }
        if node.level == 0 {
            let first = node.keys.partition_point(|k| *k < from);
            for (i, key) in node.keys.iter().enumerate().skip(first) {
                if *key > until {
                    return ControlFlow::Break(());
                }
                match node.value(i) {
                    Some(value) => take(*key, value)?,
                    None => told(damaged(0, "a record lies outside its node")),
                }
            }
            return ControlFlow::Continue(());
        }
        let first = node.keys.partition_point(|k| *k <= from).saturating_sub(1);
        for (i, key) in node.keys.iter().enumerate().skip(first) {
            if *key > until {
                return ControlFlow::Break(());
            }
            // The next key is the first that does not belong to this child any more.
            let next = node.keys.get(i.saturating_add(1)).copied();
            let end = next.map_or(high, Key::before);
            let child = node
                .child(i)
                .ok_or_else(|| damaged(0, "a node is cut"))
                .and_then(|(at, generation)| self.node(at, node.level.saturating_sub(1), Some(generation)));
            match child {
                Ok(child) => self.below(&child, [*key, end], wanted, told, take)?,
                Err(e) => told(e),
            }
        }
        ControlFlow::Continue(())
    }

    /// The last record that is not behind `key`, of the same object and kind.
    pub fn last_before(&self, root: &Root, key: Key) -> Result<Option<Key>, ReadError> {
        let mut node = self.node(root.at, root.level, Some(root.generation))?;
        loop {
            let Some(i) = node.keys.partition_point(|k| *k <= key).checked_sub(1) else { return Ok(None) };
            if node.level == 0 {
                let found = node.keys.get(i).copied();
                return Ok(found.filter(|k| k.object == key.object && k.kind == key.kind));
            }
            let (at, generation) = node.child(i).ok_or_else(|| damaged(0, "a node is cut"))?;
            // Every level is one less: this ends.
            node = self.node(at, node.level.saturating_sub(1), Some(generation))?;
        }
    }

    /// The record of one key.
    pub fn get(&self, root: &Root, key: Key) -> Result<Option<Vec<u8>>, ReadError> {
        let (mut found, mut trouble) = (None, None);
        self.scan(root, key, key, &mut |e| trouble = Some(e), &mut |_, value| {
            found = Some(value.to_vec());
            ControlFlow::Break(())
        })?;
        match (found, trouble) {
            (None, Some(e)) => Err(e),
            (found, _) => Ok(found),
        }
    }
}

impl Key {
    /// The key right before this one.
    fn before(self) -> Key {
        let Key { object, kind, offset } = self;
        if let Some(offset) = offset.checked_sub(1) {
            Key { object, kind, offset }
        } else if let Some(kind) = kind.checked_sub(1) {
            Key { object, kind, offset: u64::MAX }
        } else {
            Key { object: object.saturating_sub(1), kind: u8::MAX, offset: u64::MAX }
        }
    }
}
