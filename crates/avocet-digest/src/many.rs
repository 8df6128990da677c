//! Many streams at once.

use avocet_base::Digests;

use crate::lanes::Job;
use crate::level::Level;
use crate::scalar::BLOCK;
use crate::state::{State, Tail};
use crate::stream::TripleHasher;

/// Most streams that are scheduled together, which bounds the memory for their padding (about 400 bytes each).
const GROUP: usize = 4096;

/// What one stream brings to one run: whole blocks in up to three places, and the state they go into.
struct Input<'a> {
    state: &'a mut State,
    /// A block that was completed from two updates.
    head: &'a [u8],
    body: &'a [u8],
    /// The padding; it differs between MD5 and the two others.
    tail: Option<&'a Tail>,
    /// Blocks at the end of the body that are left out of the lanes.
    alone: &'a [u8],
}

impl<'a> Input<'a> {
    fn new(state: &'a mut State, head: &'a [u8], body: &'a [u8], tail: Option<&'a Tail>) -> Self {
        Self { state, head, body, tail, alone: &[] }
    }

    fn blocks(&self) -> usize {
        (self.head.len() + self.body.len() + self.tail.map_or(0, |tail| tail.big().len())) / BLOCK
    }

    /// Keeps the blocks from `limit` on out of the lanes.
    fn cut(&mut self, limit: usize) {
        if self.blocks() > limit
            && let Some((body, alone)) = self.body.split_at_checked(limit.saturating_mul(BLOCK))
        {
            (self.body, self.alone) = (body, alone);
        }
    }

    /// The padding, unless blocks that come before it were kept out of the lanes.
    fn lane_tail(tail: Option<&'a Tail>, alone: &[u8], bytes: fn(&Tail) -> &[u8]) -> &'a [u8] {
        tail.filter(|_| alone.is_empty()).map_or(&[], bytes)
    }
}

/// Runs all inputs. Each digest is scheduled by itself, since each has lanes of its own.
fn run(level: Level, mut inputs: Vec<Input<'_>>) {
    inputs.sort_by_key(|input| std::cmp::Reverse(input.blocks()));
    cut_the_longest(&mut inputs);
    macro_rules! jobs {
        ($digest:ident, $bytes:expr) => {
            inputs
                .iter_mut()
                .map(|input| {
                    let tail = Input::lane_tail(input.tail, input.alone, $bytes);
                    Job::new(&mut input.state.$digest, [input.head, input.body, tail])
                })
                .collect()
        };
    }
    level.md5_many(jobs!(md5, Tail::little));
    level.sha1_many(jobs!(sha1, Tail::big));
    level.sha256_many(jobs!(sha256, Tail::big));
    for input in inputs.into_iter().filter(|input| !input.alone.is_empty()) {
        level.triple(input.state, input.alone);
        if let Some(tail) = input.tail {
            level.md5(&mut input.state.md5, tail.little());
            level.sha1(&mut input.state.sha1, tail.big());
            level.sha256(&mut input.state.sha256, tail.big());
        }
    }
}

/// Cuts the two longest inputs where the others would leave them alone in the lanes: one or two streams are faster when
/// the three digests of a block run beside each other.
fn cut_the_longest(inputs: &mut [Input<'_>]) {
    if let Some((longest, others)) = inputs.split_at_mut_checked(inputs.len().min(2)) {
        let third = others.first().map_or(0, Input::blocks);
        let limit = third.max(others.iter().map(Input::blocks).sum::<usize>() / 14);
        longest.iter_mut().for_each(|input| input.cut(limit));
    }
}

/// Feeds each hasher its own bytes, many lanes at once. Equal to calling [`TripleHasher::update`] on each.
///
/// The jobs may have any lengths. The lanes are fullest with 32 jobs or more, or with 16 of equal length.
pub fn update_many(jobs: &mut [(&mut TripleHasher, &[u8])]) {
    update_many_at(Level::detect(), jobs);
}

pub(crate) fn update_many_at(level: Level, jobs: &mut [(&mut TripleHasher, &[u8])]) {
    for group in jobs.chunks_mut(GROUP) {
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
    for group in hashers.chunks_mut(GROUP) {
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
    for (group, states) in order.chunks(GROUP).zip(states.chunks_mut(GROUP)) {
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
