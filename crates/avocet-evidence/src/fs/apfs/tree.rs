//! The B-trees of APFS: object maps, whose nodes lie at their block numbers, and the trees of files, whose nodes are found
//! through one.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashSet};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering as Atomic};
use std::sync::{Arc, Mutex, PoisonError};

use crate::bytes::{le_u16, le_u32, le_u64};
use crate::error::ReadError;

use super::{Container, damaged};

/// Levels of a tree.
const LEVELS: u16 = 16;
/// Nodes kept in memory.
const CACHE: usize = 256;

const ROOT: u16 = 1;
const LEAF: u16 = 2;
const FIXED: u16 = 4;
/// Bytes of facts at the end of a root.
const INFO: usize = 40;

pub(super) struct Tree {
    container: Arc<Container>,
    root: u64,
    xid: u64,
    objects: Option<Box<Tree>>,
    cache: Mutex<BTreeMap<u64, Arc<Node>>>,
    /// Nodes that may still be looked at: damaged trees can lead everywhere.
    budget: AtomicU64,
}

pub(super) struct Node {
    level: u16,
    leaf: bool,
    bytes: Vec<u8>,
    /// Key and value of each record, as places in the bytes.
    records: Vec<((usize, usize), (usize, usize))>,
}

impl Node {
    fn parse(bytes: Vec<u8>, fixed_value: usize) -> Option<Node> {
        let (flags, level, count) = (le_u16(&bytes, 32)?, le_u16(&bytes, 34)?, le_u32(&bytes, 36)?);
        let table = 56usize.checked_add(usize::from(le_u16(&bytes, 40)?))?;
        let keys = table.checked_add(usize::from(le_u16(&bytes, 42)?))?;
        let end = bytes.len().checked_sub(if flags & ROOT != 0 { INFO } else { 0 })?;
        let count = usize::try_from(count).ok()?;
        let fixed = flags & FIXED != 0;
        let step = if fixed { 4 } else { 8 };
        if keys > end || count.checked_mul(step)? > keys.checked_sub(table)? {
            return None;
        }
        let leaf = flags & LEAF != 0;
        let mut records = Vec::with_capacity(count);
        for i in 0..count {
            let at = table.checked_add(i.checked_mul(step)?)?;
            let field = |n: usize| le_u16(&bytes, at + n).map(usize::from);
            let (key, key_length, value, value_length) = if fixed {
                (field(0)?, 16, field(2)?, if leaf { fixed_value } else { 8 })
            } else {
                (field(0)?, field(2)?, field(4)?, field(6)?)
            };
            let key = keys.checked_add(key)?;
            // A value that is not there (a ghost) has no place.
            let (value, value_length) =
                if value == 0xFFFF { (end, 0) } else { (end.checked_sub(value)?, value_length) };
            let inside = key.checked_add(key_length)? <= end && value.checked_add(value_length)? <= end;
            if !inside {
                return None;
            }
            records.push(((key, key_length), (value, value_length)));
        }
        Some(Node { level, leaf, bytes, records })
    }

    fn record(&self, i: usize) -> Option<(&[u8], &[u8])> {
        let ((key, key_length), (value, value_length)) = self.records.get(i).copied()?;
        Some((self.bytes.get(key..key + key_length)?, self.bytes.get(value..value + value_length)?))
    }
}

pub(super) type Compare<'a> = &'a dyn Fn(&[u8]) -> Ordering;
pub(super) type Take<'a> = &'a mut dyn FnMut(&[u8], &[u8]) -> ControlFlow<()>;

impl Tree {
    /// The tree of an object map.
    pub fn object_map(container: &Arc<Container>, place: u64) -> Result<Tree, ReadError> {
        let map = container.object(place)?;
        let root = le_u64(&map, 48).ok_or_else(|| damaged(place, "an object map is cut"))?;
        Self::of(container, root, 0, None)
    }

    /// A tree whose nodes are found through an object map, or lie at their numbers.
    pub fn of(container: &Arc<Container>, root: u64, xid: u64, objects: Option<Tree>) -> Result<Tree, ReadError> {
        let budget = container.blocks.saturating_mul(256).saturating_add(1 << 16);
        let tree = Tree {
            container: Arc::clone(container),
            root,
            xid,
            objects: objects.map(Box::new),
            cache: Mutex::default(),
            budget: AtomicU64::new(budget),
        };
        tree.node(root)?;
        Ok(tree)
    }

    /// Lets so many nodes be looked at from now on; says how many were left of those before.
    pub fn allow(&self, nodes: u64) -> u64 {
        self.budget.swap(nodes, Atomic::Relaxed)
    }

    /// The block of a virtual object: that of its newest version that is not younger than the checkpoint.
    pub fn resolve(&self, oid: u64, xid: u64) -> Result<u64, ReadError> {
        let order = |key: &[u8]| {
            let (found, version) = (le_u64(key, 0).unwrap_or(0), le_u64(key, 8).unwrap_or(0));
            (found, version).cmp(&(oid, xid))
        };
        let mut number = self.root;
        for _ in 0..LEVELS {
            let node = self.node(number)?;
            let after = node.records.len();
            // The last that is not greater.
            let at = (0..after).rev().find(|i| node.record(*i).is_some_and(|(key, _)| order(key) != Ordering::Greater));
            let Some((key, value)) = at.and_then(|i| node.record(i)) else { break };
            if !node.leaf {
                number = le_u64(value, 0).unwrap_or(0);
                continue;
            }
            if le_u64(key, 0) != Some(oid) {
                break;
            }
            // Bit 0: it was deleted.
            if le_u32(value, 0).unwrap_or(0) & 1 == 0 {
                return le_u64(value, 8).ok_or_else(|| damaged(number, "an object map is cut"));
            }
            break;
        }
        Err(damaged(number, "an object is in no object map"))
    }

    fn node(&self, number: u64) -> Result<Arc<Node>, ReadError> {
        if let Some(node) = self.cache.lock().unwrap_or_else(PoisonError::into_inner).get(&number) {
            return Ok(Arc::clone(node));
        }
        let spent = self.budget.fetch_update(Atomic::Relaxed, Atomic::Relaxed, |left| left.checked_sub(1));
        if spent.is_err() {
            return Err(damaged(number, "the trees lead further than the container is large"));
        }
        let place = match &self.objects {
            Some(objects) => objects.resolve(number, self.xid)?,
            None => number,
        };
        let bytes = self.container.object(place)?;
        let node = Node::parse(bytes, 16).ok_or_else(|| damaged(place, "a node of a tree contradicts itself"))?;
        let node = Arc::new(node);
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if cache.len() >= CACHE {
            cache.clear();
        }
        cache.insert(number, Arc::clone(&node));
        Ok(node)
    }

    /// Takes records from the first that is not less than what is looked for, for as long as `take` wants more.
    pub fn from(&self, compare: Compare<'_>, take: Take<'_>) -> Result<(), ReadError> {
        let root = self.node(self.root)?;
        self.below(&root, Some(compare), None, &mut |_| {}, take).map(drop)
    }

    /// Takes every record. A node that cannot be read is told and costs what is below it.
    pub fn all(&self, told: &mut dyn FnMut(ReadError), take: Take<'_>) -> Result<(), ReadError> {
        let root = self.node(self.root)?;
        let mut seen = HashSet::new();
        self.below(&root, None, Some(&mut seen), told, take).map(drop)
    }

    fn below(
        &self,
        node: &Node,
        compare: Option<Compare<'_>>,
        mut seen: Option<&mut HashSet<u64>>,
        told: &mut dyn FnMut(ReadError),
        take: Take<'_>,
    ) -> Result<ControlFlow<()>, ReadError> {
        if node.leaf {
            for i in 0..node.records.len() {
                let Some((key, value)) = node.record(i) else { continue };
                if compare.is_some_and(|c| c(key) == Ordering::Less) {
                    continue;
                }
                if take(key, value).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            return Ok(ControlFlow::Continue(()));
        }
        // What is looked for can lie in the last child whose first key is not greater.
        let first = compare.map_or(0, |c| {
            let mut all = (0..node.records.len()).rev();
            all.find(|i| node.record(*i).is_some_and(|(key, _)| c(key) == Ordering::Less)).unwrap_or(0)
        });
        for i in first..node.records.len() {
            let Some(number) = node.record(i).and_then(|(_, value)| le_u64(value, 0)) else { continue };
            if seen.as_mut().is_some_and(|seen| !seen.insert(number)) {
                told(damaged(number, "a node belongs to two others; it was read once"));
                continue;
            }
            let child = self.node(number).and_then(|child| {
                // Every level is one less: no way down is without end.
                let right = child.level.checked_add(1) == Some(node.level) && node.level <= LEVELS;
                if right { Ok(child) } else { Err(damaged(number, "a node of a tree is of another level")) }
            });
            match child {
                Ok(child) => {
                    if self.below(&child, compare, seen.as_deref_mut(), told, take)?.is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
                Err(e) if seen.is_some() => told(e),
                Err(e) => return Err(e),
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}
