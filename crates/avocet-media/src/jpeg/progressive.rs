//! Progressive scans (T.81 annex G): coefficients are gathered over all scans and transformed at the end.

use std::ops::Range;

use super::bits::{Reader, Segments};
use super::frame::{Component, Frame, Reason, Scan, Tables, Units, Unsuitable, by_segment};
use super::huffman::{Table, extend};

/// The coefficients of a component and how far each has come.
pub(super) struct Coefficients {
    /// One block after another, rows of `padded_wide`, zigzag order within.
    blocks: Vec<[i16; 64]>,
    /// For each coefficient the lowest bit sent so far, and one more: 1 when it is complete, 0 before its first scan.
    state: [u8; 64],
}

impl Coefficients {
    pub(super) fn new() -> Self {
        Coefficients { blocks: Vec::new(), state: [0; 64] }
    }

    /// Whether every coefficient was sent to its last bit.
    pub(super) fn complete(&self) -> bool {
        self.state.iter().all(|s| *s == 1)
    }
}

/// Samples of a component whose scans are all in.
#[inline(always)]
pub(super) fn transform(component: &mut Component) {
    let (side, stride) = (component.side, component.stride());
    if side == 0 {
        return;
    }
    component.samples = vec![0; stride * component.padded_high * side];
    let rows = component.samples.chunks_mut(stride * side);
    let blocks = std::mem::take(&mut component.coefficients.blocks);
    for (row, blocks) in rows.zip(blocks.chunks(component.padded_wide)) {
        for (column, block) in blocks.iter().enumerate() {
            component.scale.stored(block, row.get_mut(column * side..).unwrap_or_default(), stride);
        }
    }
}

/// How many blocks a scan visits.
pub(super) fn visits(frame: &Frame, scan: &Scan) -> u64 {
    let parts = scan.parts.iter().filter_map(|(index, ..)| frame.components.get(*index));
    parts.map(|c| (c.padded_wide * c.padded_high) as u64).sum()
}

pub(super) fn scan(frame: &mut Frame, scan: &Scan, tables: &Tables, segments: &Segments) -> Result<(), Unsuitable> {
    let header = Reason::Header.at(scan.at);
    let Scan { start, end, high, low, .. } = *scan;
    let dc = start == 0;
    if end < start || end > 63 || (dc && end != 0) || (!dc && scan.parts.len() != 1) || low > 13 {
        return Err(header);
    }
    // Each coefficient comes first with its high bits, then with one bit more each time.
    if high != 0 && high != low + 1 {
        return Err(header);
    }
    for (index, ..) in &scan.parts {
        let component = frame.components.get_mut(*index).ok_or(header)?;
        let state = &mut component.coefficients.state;
        if !dc && state.first() == Some(&0) {
            return Err(Reason::Order.at(scan.at));
        }
        for state in state.iter_mut().take(usize::from(end) + 1).skip(usize::from(start)) {
            if *state != if high == 0 { 0 } else { high + 1 } {
                return Err(Reason::Order.at(scan.at));
            }
            *state = low + 1;
        }
        if component.coefficients.blocks.is_empty() {
            component.coefficients.blocks = vec![[0; 64]; component.padded_wide * component.padded_high];
        }
    }
    if dc { dc_scan(frame, scan, tables, segments) } else { ac_scan(frame, scan, tables, segments) }
}

fn dc_scan(frame: &mut Frame, scan: &Scan, tables: &Tables, segments: &Segments) -> Result<(), Unsuitable> {
    let alone = scan.parts.len() == 1;
    let (mut wide, mut high) = (frame.units_wide, frame.units_high);
    let mut parts = Vec::with_capacity(3);
    for (index, component) in frame.components.iter_mut().enumerate() {
        let Some((_, dc, _)) = scan.parts.iter().find(|(part, ..)| *part == index) else { continue };
        let table = tables.dc.get(*dc).and_then(Option::as_ref);
        if table.is_none() && scan.high == 0 {
            return Err(Reason::Tables.at(scan.at));
        }
        if alone {
            (wide, high) = (component.blocks_wide, component.blocks_high);
        }
        let (across, down) = if alone { (1, 1) } else { (component.h, component.v) };
        let blocks = component.coefficients.blocks.as_mut_slice();
        parts.push(DcPart { blocks, stride: component.padded_wide, table, prediction: 0, across, down });
    }
    by_segment(scan, segments, wide * high, Dc { parts, wide, refines: scan.high > 0, low: scan.low })
}

struct DcPart<'a> {
    blocks: &'a mut [[i16; 64]],
    stride: usize,
    table: Option<&'a Table>,
    prediction: i32,
    across: usize,
    down: usize,
}

/// A scan of first coefficients.
struct Dc<'a> {
    parts: Vec<DcPart<'a>>,
    /// Units in a row.
    wide: usize,
    /// Whether each comes with one bit more, not for the first time.
    refines: bool,
    low: u8,
}

impl Units for Dc<'_> {
    #[inline(always)]
    fn read(&mut self, reader: &mut Reader<'_>, units: Range<usize>) -> Option<()> {
        let Dc { parts, wide, refines, low } = self;
        parts.iter_mut().for_each(|p| p.prediction = 0);
        for unit in units {
            let (y, x) = (unit / *wide, unit % *wide);
            for part in parts.iter_mut() {
                for row in y * part.down..(y + 1) * part.down {
                    for column in x * part.across..(x + 1) * part.across {
                        let [first, ..] = part.blocks.get_mut(row * part.stride + column)?;
                        reader.refill();
                        if *refines {
                            *first |= (reader.take(1) as i16) << *low;
                        } else {
                            part.prediction += part.table?.difference(reader)?;
                            *first = i16::try_from(part.prediction << *low).ok()?;
                        }
                    }
                }
            }
            if x == 0 && reader.overrun() {
                return None;
            }
        }
        Some(())
    }
}

fn ac_scan(frame: &mut Frame, scan: &Scan, tables: &Tables, segments: &Segments) -> Result<(), Unsuitable> {
    let missing = Reason::Tables.at(scan.at);
    let (index, _, ac) = *scan.parts.first().ok_or(missing)?;
    let (table, _) = tables.ac.get(ac).and_then(Option::as_ref).ok_or(missing)?;
    let component = frame.components.get_mut(index).ok_or(missing)?;
    let (wide, high, stride) = (component.blocks_wide, component.blocks_high, component.padded_wide);
    let blocks = component.coefficients.blocks.as_mut_slice();
    let band = Band { table, start: scan.start, end: scan.end, low: scan.low, ended: 0 };
    by_segment(scan, segments, wide * high, Ac { band, refines: scan.high > 0, blocks, stride, wide })
}

/// A scan of other coefficients, of one component.
struct Ac<'a> {
    band: Band<'a>,
    refines: bool,
    blocks: &'a mut [[i16; 64]],
    stride: usize,
    /// Units in a row.
    wide: usize,
}

impl Units for Ac<'_> {
    #[inline(always)]
    fn read(&mut self, reader: &mut Reader<'_>, units: Range<usize>) -> Option<()> {
        let Ac { band, refines, blocks, stride, wide } = self;
        band.ended = 0;
        let (mut y, mut x) = (units.start / *wide, units.start % *wide);
        for _ in units {
            let block = blocks.get_mut(y * *stride + x)?;
            if *refines {
                band.refine(reader, block)?
            } else {
                band.first(reader, block)?
            }
            x += 1;
            if x == *wide {
                (x, y) = (0, y + 1);
                if reader.overrun() {
                    return None;
                }
            }
        }
        // A run of ended blocks cannot end beyond the last block.
        (band.ended == 0).then_some(())
    }
}

/// The coefficients from `start` to `end`.
struct Band<'a> {
    table: &'a Table,
    start: u8,
    end: u8,
    low: u8,
    /// How many blocks from here on have nothing more in this band.
    ended: u32,
}

impl Band<'_> {
    /// The band's first scan: high bits of each coefficient.
    #[inline(always)]
    fn first(&mut self, reader: &mut Reader<'_>, block: &mut [i16; 64]) -> Option<()> {
        if self.ended > 0 {
            self.ended -= 1;
            return Some(());
        }
        let mut place = u32::from(self.start);
        while place <= u32::from(self.end) {
            reader.refill();
            let (run, size) = self.code(reader)?;
            if size == 0 {
                if run < 15 {
                    self.ended = self.run_of_ends(reader, run) - 1;
                    return Some(());
                }
                place += 16;
                continue;
            }
            place += run;
            if size > 10 || place > u32::from(self.end) {
                return None;
            }
            let value = extend(reader.take(size), size) << self.low;
            *block.get_mut(place as usize)? = i16::try_from(value).ok()?;
            place += 1;
        }
        Some(())
    }

    /// A later scan: one bit more of each coefficient that is not 0, and new ones of one bit.
    #[inline(always)]
    fn refine(&mut self, reader: &mut Reader<'_>, block: &mut [i16; 64]) -> Option<()> {
        let bit = 1i16 << self.low;
        let mut rest = block.get_mut(usize::from(self.start)..=usize::from(self.end))?.iter_mut();
        let correct = |reader: &mut Reader<'_>, value: &mut i16| {
            reader.refill();
            if reader.take(1) == 1 && *value & bit == 0 {
                *value = value.saturating_add(if *value < 0 { -bit } else { bit });
            }
        };
        while self.ended == 0 && rest.len() > 0 {
            reader.refill();
            let (run, size) = self.code(reader)?;
            let mut zeros = run;
            let new = match size {
                0 if run < 15 => {
                    self.ended = self.run_of_ends(reader, run);
                    break;
                }
                0 => 0,
                1 if reader.take(1) == 1 => bit,
                1 => -bit,
                _ => return None,
            };
            // Pass over the zeros of the run, correcting what is not zero on the way, to the place of the new one.
            loop {
                let Some(value) = rest.next() else {
                    // A new coefficient without a place.
                    return None;
                };
                if *value != 0 {
                    correct(reader, value);
                } else if zeros == 0 {
                    *value = new;
                    break;
                } else {
                    zeros -= 1;
                }
            }
        }
        if self.ended > 0 {
            rest.filter(|v| **v != 0).for_each(|v| correct(reader, v));
            self.ended -= 1;
        }
        Some(())
    }

    #[inline(always)]
    fn code(&self, reader: &mut Reader<'_>) -> Option<(u32, u32)> {
        let code = self.table.code(reader.bits());
        if code.length == 0 {
            return None;
        }
        reader.skip(code.length);
        Some((u32::from(code.symbol >> 4), u32::from(code.symbol & 15)))
    }

    fn run_of_ends(&self, reader: &mut Reader<'_>, run: u32) -> u32 {
        (1 << run) + reader.take(run)
    }
}
