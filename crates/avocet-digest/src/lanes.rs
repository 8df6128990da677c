//! Keeps the lanes of a bank full: as a stream ends, the next one takes its lane.
//!
//! Streams are taken longest first, so that the lanes end close together. Nothing here depends on the digest or on the
//! processor, and results do not depend on which lane a stream ran in.

use crate::scalar::BLOCK;

/// Compresses blocks of `L` streams at a time, each into a state of `W` words.
pub(crate) trait Bank<const W: usize, const L: usize> {
    /// Sets the state of a lane.
    fn put(&mut self, lane: usize, state: &[u32; W]);
    /// Reads the state of a lane.
    fn get(&self, lane: usize) -> [u32; W];
    /// Runs all lanes as many blocks as the shortest stream holds, and says how many.
    fn run(&mut self, streams: &[&[u8]; L]) -> usize;
}

/// One stream still to be compressed: up to three parts of whole blocks, one after another.
pub(crate) struct Job<'a, const W: usize> {
    state: &'a mut [u32; W],
    parts: [&'a [u8]; 3],
}

impl<'a, const W: usize> Job<'a, W> {
    /// Bytes beyond the last whole block of a part are not compressed.
    pub(crate) fn new(state: &'a mut [u32; W], parts: [&'a [u8]; 3]) -> Self {
        Self { state, parts }
    }

    /// Takes the next part that holds a block.
    fn next_part(&mut self) -> Option<&'a [u8]> {
        self.parts.iter_mut().map(std::mem::take).find(|part| part.len() >= BLOCK)
    }

    fn is_done(&self) -> bool {
        self.parts.iter().all(|part| part.len() < BLOCK)
    }

    /// Compresses all that is left, in one stream.
    pub(crate) fn finish(mut self, compress: impl Fn(&mut [u32; W], &[u8])) {
        while let Some(part) = self.next_part() {
            compress(self.state, part);
        }
    }
}

/// Runs `jobs`, longest first, until at most `leave` of them are unfinished; gives those back, further along. A bank
/// that is mostly empty is slower than a narrower one, which takes over from there.
pub(crate) fn drive<'a, const W: usize, const L: usize>(
    bank: &mut impl Bank<W, L>,
    jobs: Vec<Job<'a, W>>,
    leave: usize,
) -> Vec<Job<'a, W>> {
    if jobs.len() <= leave {
        return jobs;
    }
    let mut queue = jobs.into_iter().filter(|job| !job.is_done());
    let mut lanes: [Option<Job<'a, W>>; L] = std::array::from_fn(|_| None);
    let mut streams: [&'a [u8]; L] = [&[]; L];
    loop {
        let mut active = 0;
        let mut filler: &'a [u8] = &[];
        for (number, (lane, stream)) in lanes.iter_mut().zip(&mut streams).enumerate() {
            if stream.len() < BLOCK || lane.is_none() {
                refill(bank, number, lane, stream, &mut queue);
            }
            if lane.is_some() {
                active += 1;
                filler = *stream;
            }
        }
        if active <= leave {
            return hand_back(bank, lanes, streams);
        }
        if active < L {
            // A lane without a stream computes something of no use; it must only not be shorter than the others.
            for (lane, stream) in lanes.iter().zip(&mut streams) {
                if lane.is_none() {
                    *stream = filler;
                }
            }
        }
        let bytes = bank.run(&streams) * BLOCK;
        if bytes == 0 {
            // Every stream holds a block, so this cannot be; giving up the lanes keeps the result right all the same.
            let mut rest = hand_back(bank, lanes, streams);
            rest.extend(queue);
            return rest;
        }
        for stream in &mut streams {
            *stream = stream.get(bytes..).unwrap_or(&[]);
        }
    }
}

/// Goes on with the next part of the lane's job, or puts the next job into the lane.
fn refill<'a, const W: usize, const L: usize>(
    bank: &mut impl Bank<W, L>,
    number: usize,
    lane: &mut Option<Job<'a, W>>,
    stream: &mut &'a [u8],
    queue: &mut impl Iterator<Item = Job<'a, W>>,
) {
    if let Some(job) = lane {
        if let Some(part) = job.next_part() {
            *stream = part;
            return;
        }
        *job.state = bank.get(number);
        *lane = None;
    }
    if let Some(mut job) = queue.next() {
        bank.put(number, job.state);
        *stream = job.next_part().unwrap_or(&[]);
        *lane = Some(job);
    }
}

fn hand_back<'a, const W: usize, const L: usize>(
    bank: &impl Bank<W, L>,
    lanes: [Option<Job<'a, W>>; L],
    streams: [&'a [u8]; L],
) -> Vec<Job<'a, W>> {
    let mut rest = Vec::new();
    for (number, (lane, stream)) in lanes.into_iter().zip(streams).enumerate() {
        if let Some(mut job) = lane {
            *job.state = bank.get(number);
            // The lane's part goes back to the front, which was emptied when the job entered the lane.
            let [_, second, third] = job.parts;
            job.parts = [stream, second, third];
            rest.push(job);
        }
    }
    rest
}
