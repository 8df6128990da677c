//! A B-tree of HFS+: searched through its index, or gone through along its leaves.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use crate::bytes::{be_u16, be_u32, u8_at};
use crate::error::{ReadError, ReadFault};

use super::LAYER;
use super::fork::Fork;

/// Levels of an index; a catalogue of a thousand million files has five.
const LEVELS: usize = 16;
/// Nodes kept in memory.
const CACHE: usize = 256;

pub(super) struct Tree {
    fork: Fork,
    name: &'static str,
    node_size: u64,
    root: u32,
    first_leaf: u32,
    nodes: u64,
    pub records: u32,
    cache: Mutex<BTreeMap<u32, Arc<Node>>>,
}

/// One node: its kind, its neighbour, its records.
pub(super) struct Node {
    kind: i8,
    next: u32,
    bytes: Vec<u8>,
    /// Where each record begins, and where the last ends.
    places: Vec<usize>,
}

impl Node {
    fn records(&self) -> impl Iterator<Item = &[u8]> {
        self.places.windows(2).filter_map(|w| match w {
            [from, to] => self.bytes.get(*from..*to),
            _ => None,
        })
    }
}

fn bad(offset: u64, name: &str, detail: &str) -> ReadError {
    ReadError::new(LAYER, offset, ReadFault::Damaged, format!("the {name} tree: {detail}"))
}

/// What a key is to what is looked for; `None` where the record has no key.
pub(super) type Compare<'a> = &'a dyn Fn(&[u8]) -> Option<Ordering>;

impl Tree {
    pub fn open(fork: Fork, name: &'static str) -> Result<Tree, ReadError> {
        let head = fork.read(0, 14 + 106)?;
        let field = |at: usize| be_u32(&head, 14 + at);
        let parse = || {
            let node_size = u64::from(be_u16(&head, 14 + 18)?);
            let good = u8_at(&head, 8)? == 1 && node_size.is_power_of_two() && node_size >= 512;
            good.then_some((node_size, field(2)?, field(6)?, field(10)?))
        };
        let Some((node_size, root, records, first_leaf)) = parse() else {
            return Err(bad(0, name, "its header contradicts itself"));
        };
        let nodes = fork.size / node_size;
        Ok(Tree { fork, name, node_size, root, first_leaf, nodes, records, cache: Mutex::default() })
    }

    fn node(&self, number: u32) -> Result<Arc<Node>, ReadError> {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(node) = cache.get(&number) {
            return Ok(Arc::clone(node));
        }
        let node = Arc::new(self.read(number)?);
        if cache.len() >= CACHE {
            cache.clear();
        }
        cache.insert(number, Arc::clone(&node));
        Ok(node)
    }

    fn read(&self, number: u32) -> Result<Node, ReadError> {
        let offset = u64::from(number).saturating_mul(self.node_size);
        let size = usize::try_from(self.node_size).unwrap_or(0);
        let bytes = self.fork.read(offset, size)?;
        let damaged = |detail| bad(offset, self.name, detail);
        if bytes.len() != size {
            return Err(damaged("a node lies outside it"));
        }
        let parse = || {
            let count = usize::from(be_u16(&bytes, 10)?);
            let kind = u8_at(&bytes, 8)?.cast_signed();
            let mut places = Vec::with_capacity(count.min(size / 2).saturating_add(1));
            for i in 0..=count {
                let at = size.checked_sub(i.checked_add(1)?.checked_mul(2)?)?;
                let place = usize::from(be_u16(&bytes, at)?);
                // They lie in the order of their numbers, in front of the table of their places.
                if place < 14 || place > at || places.last().is_some_and(|last| *last > place) {
                    return None;
                }
                places.push(place);
            }
            Some((kind, places))
        };
        let (kind, places) = parse().ok_or_else(|| damaged("a node contradicts itself"))?;
        let next = be_u32(&bytes, 0).unwrap_or(0);
        Ok(Node { kind, next, bytes, places })
    }

    /// The leaf in which what is looked for is, or would be.
    fn leaf(&self, compare: Compare<'_>) -> Result<Option<u32>, ReadError> {
        if self.root == 0 {
            return Ok(None);
        }
        let mut number = self.root;
        for _ in 0..LEVELS {
            let node = self.node(number)?;
            match node.kind {
                -1 => return Ok(Some(number)),
                0 => {}
                _ => break,
            }
            // The last whose key is not greater; where all are greater, the first.
            let mut below = None;
            for record in node.records() {
                let greater = compare(record) == Some(Ordering::Greater);
                if greater && below.is_some() {
                    break;
                }
                let key = usize::from(be_u16(record, 0).unwrap_or(0)).saturating_add(2);
                below = be_u32(record, key);
                if greater {
                    break;
                }
            }
            match below {
                Some(next) => number = next,
                None => break,
            }
        }
        Err(bad(u64::from(number).saturating_mul(self.node_size), self.name, "its index leads nowhere"))
    }

    /// Takes the records from the first that is not less than what is looked for, for as long as `take` wants more.
    pub fn from(&self, compare: Compare<'_>, take: &mut dyn FnMut(&[u8]) -> bool) -> Result<(), ReadError> {
        let Some(leaf) = self.leaf(compare)? else { return Ok(()) };
        self.along(leaf, false, &mut |record| compare(record).is_some_and(Ordering::is_lt) || take(record))
    }

    /// Takes every record of every leaf.
    pub fn all(&self, take: &mut dyn FnMut(&[u8]) -> bool) -> Result<(), ReadError> {
        if self.first_leaf == 0 { Ok(()) } else { self.along(self.first_leaf, true, take) }
    }

    fn along(&self, first: u32, every: bool, take: &mut dyn FnMut(&[u8]) -> bool) -> Result<(), ReadError> {
        let (mut number, mut seen) = (first, BTreeSet::new());
        loop {
            // A chain that leads to itself has no end; the nodes there are bound it too.
            if !seen.insert(number) || seen.len() as u64 > self.nodes {
                let offset = u64::from(number).saturating_mul(self.node_size);
                return Err(bad(offset, self.name, "its leaves lead to each other"));
            }
            // One pass over all of them would only push everything else out of the cache.
            let node = if every { Arc::new(self.read(number)?) } else { self.node(number)? };
            if node.kind != -1 {
                return Err(bad(u64::from(number).saturating_mul(self.node_size), self.name, "a leaf is none"));
            }
            for record in node.records() {
                if !take(record) {
                    return Ok(());
                }
            }
            match node.next {
                0 => return Ok(()),
                next => number = next,
            }
        }
    }
}
