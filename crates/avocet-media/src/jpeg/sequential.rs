//! Baseline and extended sequential scans: decoded, checked and transformed block by block.

use std::ops::Range;

use super::bits::{Reader, Segments};
use super::frame::{Component, Frame, Reason, Scan, Tables, Units, Unsuitable, by_segment};
use super::huffman::{END, Pairs, Table, extend};
use super::transform::{Block, Eighth, Full, Half, Quarter, Scale, Skip};

/// A component in this scan, with what its blocks need.
struct Part<'a> {
    component: &'a mut Component,
    dc: &'a Table,
    ac: &'a Table,
    pairs: &'a Pairs,
    prediction: i32,
    /// Blocks of a unit, across and down.
    across: usize,
    down: usize,
}

pub(super) fn scan(frame: &mut Frame, scan: &Scan, tables: &mut Tables, segments: &Segments) -> Result<(), Unsuitable> {
    if (scan.start, scan.end, scan.high, scan.low) != (0, 63, 0, 0) {
        return Err(Reason::Header.at(scan.at));
    }
    for (_, _, ac) in &scan.parts {
        if let Some(Some((table, pairs @ None))) = tables.ac.get_mut(*ac) {
            *pairs = Some(Pairs::new(table));
        }
    }
    let alone = scan.parts.len() == 1;
    let missing = Reason::Tables.at(scan.at);
    let mut parts = Vec::with_capacity(3);
    let (mut wide, mut high) = (frame.units_wide, frame.units_high);
    let mut blocks = 0;
    for (index, component) in frame.components.iter_mut().enumerate() {
        let Some((_, dc, ac)) = scan.parts.iter().find(|(part, ..)| *part == index) else { continue };
        if component.done {
            return Err(Reason::Order.at(scan.at));
        }
        let dc = tables.dc.get(*dc).and_then(Option::as_ref).ok_or(missing)?;
        let (ac, pairs) = tables.ac.get(*ac).and_then(Option::as_ref).ok_or(missing)?;
        let pairs = pairs.as_ref().ok_or(missing)?;
        if alone {
            (wide, high) = (component.blocks_wide, component.blocks_high);
        }
        let (across, down) = if alone { (1, 1) } else { (component.h, component.v) };
        blocks += across * down * wide * high;
        parts.push(Part { component, dc, ac, pairs, prediction: 0, across, down });
    }
    // A block has two codes of one bit at least: a small file cannot hold a large picture.
    if segments.len() < blocks / 4 {
        return Err(Reason::Coding.at(scan.at));
    }
    for Part { component, .. } in &mut parts {
        component.samples = vec![0; component.stride() * component.padded_high * component.side];
        component.done = true;
    }
    by_segment(scan, segments, wide * high, Parts { parts, wide })
}

/// The components of this scan, and its units in a row.
struct Parts<'a> {
    parts: Vec<Part<'a>>,
    wide: usize,
}

impl Units for Parts<'_> {
    #[inline(always)]
    fn read(&mut self, reader: &mut Reader<'_>, units: Range<usize>) -> Option<()> {
        let Parts { parts, wide } = self;
        parts.iter_mut().for_each(|p| p.prediction = 0);
        let (mut y, mut x) = (units.start / *wide, units.start % *wide);
        for _ in units {
            for part in parts.iter_mut() {
                part.unit(reader, x, y)?;
            }
            x += 1;
            if x == *wide {
                (x, y) = (0, y + 1);
                if reader.overrun() {
                    return None;
                }
            }
        }
        Some(())
    }
}

impl Part<'_> {
    /// The blocks of one unit.
    #[inline(always)]
    fn unit(&mut self, reader: &mut Reader<'_>, x: usize, y: usize) -> Option<()> {
        let Part { component, dc, ac, pairs, prediction, across, down } = self;
        let coder = Coder { dc, ac, pairs };
        let (side, stride) = (component.side, component.stride());
        for row in y * *down..(y + 1) * *down {
            for column in x * *across..(x + 1) * *across {
                let to = component.samples.get_mut(row * side * stride + column * side..).unwrap_or_default();
                match &component.scale {
                    Scale::Skip => coder.block::<Skip>(reader, prediction, &(), to, stride)?,
                    Scale::Eighth(w) => coder.block::<Eighth>(reader, prediction, w, to, stride)?,
                    Scale::Quarter(w) => coder.block::<Quarter>(reader, prediction, w, to, stride)?,
                    Scale::Half(w) => coder.block::<Half>(reader, prediction, w, to, stride)?,
                    Scale::Full(w) => coder.block::<Full>(reader, prediction, w, to, stride)?,
                }
            }
        }
        Some(())
    }
}

/// What a step came to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    More,
    Ended,
    Damaged,
}

struct Coder<'a> {
    dc: &'a Table,
    ac: &'a Table,
    pairs: &'a Pairs,
}

impl Coder<'_> {
    /// One block; `None` where its coding is damaged.
    #[inline(always)]
    fn block<B: Block>(
        &self,
        reader: &mut Reader<'_>,
        prediction: &mut i32,
        weights: &B::Weights,
        to: &mut [u8],
        stride: usize,
    ) -> Option<()> {
        reader.refill();
        *prediction += self.dc.difference(reader)?;
        if prediction.unsigned_abs() > 1 << 15 {
            return None;
        }
        let mut block = B::new();
        let mut place = 0u32;
        // The difference took 27 bits at most, and a step takes 11 of those that are ready: as many steps follow each
        // refill as it is good for. Waiting for the next bytes is most of what a coefficient costs.
        let mut step = self.step(reader, weights, &mut block, &mut place);
        while step == Step::More {
            reader.refill();
            step = self.step(reader, weights, &mut block, &mut place);
            if step == Step::More {
                step = self.step(reader, weights, &mut block, &mut place);
            }
            if step == Step::More {
                step = self.step(reader, weights, &mut block, &mut place);
            }
        }
        if step == Step::Damaged {
            return None;
        }
        block.store(weights, *prediction, place, to, stride);
        Some(())
    }

    /// One or two coefficients behind `place`, of at most [`PAIR_BITS`] bits that are ready; more it makes ready itself.
    #[inline(always)]
    fn step<B: Block>(&self, reader: &mut Reader<'_>, weights: &B::Weights, block: &mut B, place: &mut u32) -> Step {
        let pair = self.pairs.at(reader.bits());
        let first = *place + u32::from(pair.first_step);
        if pair.length == 0 || first >= 63 {
            if pair.first_step == END {
                reader.skip(u32::from(pair.length));
                return Step::Ended;
            }
            // A code too long for the table, or the block's last coefficient, behind which the table has looked into the
            // next block.
            let Some((step, value)) = self.single(reader) else { return Step::Damaged };
            if step == END {
                return Step::Ended;
            }
            *place += u32::from(step);
            if *place > 63 {
                return Step::Damaged;
            }
            block.add(weights, *place as u8, value);
            return if *place == 63 { Step::Ended } else { Step::More };
        }
        let second = first + u32::from(pair.second_step);
        block.add(weights, first as u8, pair.first);
        block.add(weights, second as u8, pair.second);
        reader.skip(u32::from(pair.length));
        if second < 63 {
            *place = second;
            return Step::More;
        }
        *place = if pair.second_step == END { first } else { second };
        if *place > 63 { Step::Damaged } else { Step::Ended }
    }

    /// One coefficient: places moved on (or [`END`]) and value.
    #[inline(never)]
    fn single(&self, reader: &mut Reader<'_>) -> Option<(u8, i16)> {
        reader.refill();
        let code = self.ac.code(reader.bits());
        let (run, size) = (code.symbol >> 4, u32::from(code.symbol & 15));
        if code.length == 0 || size > 10 {
            return None;
        }
        reader.skip(code.length);
        match (run, size) {
            (0, 0) => Some((END, 0)),
            (15, 0) => Some((16, 0)),
            (_, 0) => None,
            _ => Some((run + 1, extend(reader.take(size), size) as i16)),
        }
    }
}
