//! Many streams at once.

use avocet_base::Digests;

use crate::lanes::Job;
use crate::level::Level;
use crate::scalar::BLOCK;
use crate::state::{State, Tail};
use crate::stream::TripleHasher;

/// Most streams that are taken up together, which bounds the memory for their padding (about 500 bytes each).
const BATCH: usize = 4096;

/// A group is closed when it holds so many bytes, and a multiple of the lanes: the three digests each go over the same
/// bytes, which should still be in the cache for the second and third.
const GROUP_BYTES: usize = 512 << 10;

/// The widest bank there is.
const LANES: usize = 32;

/// Bytes of one stream that the three digests take in turns.
const TURN: usize = 32 << 10;

/// What one stream brings to one run: whole blocks in up to three places, and the state they go into.
struct Input<'a> {
    state: &'a mut State,
    /// A block that was completed from two updates.
    head: &'a [u8],
    body: &'a [u8],
    /// The padding; it differs between MD5 and the two others.
    tail: Option<&'a Tail>,
    /// How much of the body is compressed in this turn.
    turn: usize,
}

impl<'a> Input<'a> {
    fn new(state: &'a mut State, head: &'a [u8], body: &'a [u8], tail: Option<&'a Tail>) -> Self {
        Self { state, head, body, tail, turn: 0 }
    }

    fn bytes(&self) -> usize {
        self.head.len() + self.body.len() + self.tail.map_or(0, |tail| tail.big().len())
    }

    /// What is compressed in this turn. The padding waits for the last one.
    fn parts(&mut self, tail: fn(&Tail) -> &[u8]) -> (&mut State, [&'a [u8]; 3]) {
        let body = self.body.get(..self.turn).unwrap_or(self.body);
        let last = self.tail.filter(|_| body.len() == self.body.len()).map_or(&[][..], tail);
        (self.state, [self.head, body, last])
    }

    /// Leaves behind what was compressed in this turn; says whether anything is left.
    fn advance(&mut self) -> bool {
        self.head = &[];
        match self.body.get(self.turn..).filter(|rest| !rest.is_empty()) {
            Some(rest) => {
                self.body = rest;
                true
            }
            None => false,
        }
    }

    /// Compresses all that is left, without lanes.
    fn finish_alone(self, level: Level) {
        level.triple(self.state, self.head);
        level.triple(self.state, self.body);
        if let Some(tail) = self.tail {
            level.md5(&mut self.state.md5, tail.little());
            level.sha1(&mut self.state.sha1, tail.big());
            level.sha256(&mut self.state.sha256, tail.big());
        }
    }
}

/// Runs all inputs, longest first, group by group.
fn run(level: Level, mut inputs: Vec<Input<'_>>) {
    inputs.sort_by_key(|input| std::cmp::Reverse(input.bytes()));
    let mut inputs = inputs.into_iter();
    loop {
        let mut group = Vec::new();
        let mut bytes = 0;
        while bytes < GROUP_BYTES
            && let Some(first) = inputs.next()
        {
            bytes += first.bytes();
            group.push(first);
            for input in inputs.by_ref().take(LANES - 1) {
                bytes += input.bytes();
                group.push(input);
            }
        }
        if group.is_empty() {
            return;
        }
        run_group(level, group);
    }
}

/// Runs a group in turns. Each digest is scheduled by itself, since each has lanes of its own.
fn run_group(level: Level, mut group: Vec<Input<'_>>) {
    // The last one left is faster when the three digests of a block run beside each other.
    while group.len() > 1 {
        group.iter_mut().for_each(|input| input.turn = TURN.min(input.body.len()));
        macro_rules! jobs {
            ($digest:ident, $tail:expr) => {
                group
                    .iter_mut()
                    .map(|input| {
                        let (state, parts) = input.parts($tail);
                        Job::new(&mut state.$digest, parts)
                    })
                    .collect()
            };
        }
        level.md5_many(jobs!(md5, Tail::little));
        level.sha1_many(jobs!(sha1, Tail::big));
        level.sha256_many(jobs!(sha256, Tail::big));
        group.retain_mut(Input::advance);
    }
    group.into_iter().for_each(|input| input.finish_alone(level));
}

/// Feeds each hasher its own bytes, many lanes at once. Equal to calling [`TripleHasher::update`] on each.
///
/// The jobs may have any lengths. The lanes are fullest with 32 jobs or more, or with 16 of equal length.
pub fn update_many(jobs: &mut [(&mut TripleHasher, &[u8])]) {
    update_many_at(Level::detect(), jobs);
}

pub(crate) fn update_many_at(level: Level, jobs: &mut [(&mut TripleHasher, &[u8])]) {
    for group in jobs.chunks_mut(BATCH) {
        let fed: Vec<_> = group.iter_mut().map(|(hasher, data)| hasher.pending.feed(data)).collect();
        let inputs = group.iter_mut().zip(&fed).map(|((hasher, _), (completed, body))| {
            let head = completed.as_ref().map_or(&[][..], |block| block);
            Input::new(&mut hasher.state, head, body, None)
        });
        run(level, inputs.collect());
    }
}

/// Finishes many hashers at once, so that their padding runs in lanes too. The digests are in the order of the hashers.
pub fn finish_many(hashers: Vec<TripleHasher>) -> Vec<Digests> {
    finish_many_at(Level::detect(), hashers)
}

pub(crate) fn finish_many_at(level: Level, mut hashers: Vec<TripleHasher>) -> Vec<Digests> {
    for group in hashers.chunks_mut(BATCH) {
        let tails: Vec<_> = group.iter().map(|hasher| hasher.pending.tail()).collect();
        let inputs = group.iter_mut().zip(&tails).map(|(h, tail)| Input::new(&mut h.state, &[], &[], Some(tail)));
        run(level, inputs.collect());
    }
    hashers.iter().map(|hasher| hasher.state.digests()).collect()
}

/// The digests of whole buffers, many at once, in the order of the buffers. The fast path for small files.
pub fn digest_many(buffers: &[&[u8]]) -> Vec<Digests> {
    digest_many_at(Level::detect(), buffers)
}

pub(crate) fn digest_many_at(level: Level, buffers: &[&[u8]]) -> Vec<Digests> {
    // Longest first over all groups, so that the lanes of each group end close together.
    let mut order: Vec<(usize, &[u8])> = buffers.iter().copied().enumerate().collect();
    order.sort_by_key(|(_, data)| std::cmp::Reverse(data.len()));
    let mut states = vec![State::START; buffers.len()];
    for (group, states) in order.chunks(BATCH).zip(states.chunks_mut(BATCH)) {
        let split = group.iter().map(|(_, data)| data.split_at(data.len() - data.len() % BLOCK));
        let parts: Vec<_> =
            split.map(|(body, rest)| (body, Tail::new(rest, (body.len() + rest.len()) as u64))).collect();
        let inputs =
            states.iter_mut().zip(&parts).map(|(state, (body, tail))| Input::new(state, &[], body, Some(tail)));
        run(level, inputs.collect());
    }
    let mut numbered: Vec<_> = order.iter().zip(&states).map(|((number, _), state)| (number, state)).collect();
    numbered.sort_unstable_by_key(|(number, _)| **number);
    numbered.into_iter().map(|(_, state)| state.digests()).collect()
}
