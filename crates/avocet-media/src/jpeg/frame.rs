//! Markers, tables and the order of things (ITU-T T.81 annex B).

use std::ops::Range;

use super::bits::{Reader, Segments};
use super::huffman::{Pairs, Table};
use super::progressive::Coefficients;
use super::transform::{Quantisation, Scale};
use super::{Chroma, Plane, Scaled, progressive, sequential};
use crate::sys;

/// The most a decoder may take on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Pixels of the whole picture.
    pub max_pixels: u64,
    /// Bytes of memory for planes and coefficients; the file's own length is not counted, a copy of it is made.
    pub max_bytes: u64,
}

impl Default for Limits {
    /// 500 megapixels, one gibibyte.
    fn default() -> Self {
        Limits { max_pixels: 500_000_000, max_bytes: 1 << 30 }
    }
}

/// A file this decoder does not take. That is not a statement about the picture: the general decoder is asked next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("JPEG, byte {offset}: {}; the general decoder is to be tried", self.sentence())]
pub struct Unsuitable {
    reason: Reason,
    /// Where in the file, in bytes from its start.
    pub offset: u64,
}

impl Unsuitable {
    /// A stable name of the reason.
    pub fn code(&self) -> &'static str {
        self.reason.words().0
    }

    /// The reason in words.
    pub fn sentence(&self) -> &'static str {
        self.reason.words().1
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    NotJpeg,
    Cut,
    Stray,
    Restart,
    Kind,
    Precision,
    Components,
    ColourSpace,
    Sampling,
    Header,
    Tables,
    Coding,
    Order,
    Incomplete,
    TooLarge,
}

impl Reason {
    pub(super) fn at(self, offset: usize) -> Unsuitable {
        Unsuitable { reason: self, offset: offset as u64 }
    }

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Reason::NotJpeg => ("not-jpeg", "there is no start-of-image marker"),
            Reason::Cut => ("cut", "the file ends before its end-of-image marker"),
            Reason::Stray => ("stray-bytes", "there are bytes where a marker should stand"),
            Reason::Restart => ("restart", "restart markers are out of order or not as announced"),
            Reason::Kind => ("kind", "the coding is not baseline, sequential or progressive Huffman coding"),
            Reason::Precision => ("precision", "samples do not have 8 bits"),
            Reason::Components => ("components", "there is neither one component nor three"),
            Reason::ColourSpace => ("colour-space", "the three components are not YCbCr"),
            Reason::Sampling => ("sampling", "brightness is not the finest component, or chroma differs in sampling"),
            Reason::Header => ("header", "a marker segment is malformed"),
            Reason::Tables => ("tables", "a table is malformed or missing"),
            Reason::Coding => ("coding", "the entropy-coded data is damaged"),
            Reason::Order => ("order", "scans or markers are in an order that makes no sense"),
            Reason::Incomplete => ("incomplete", "the picture ends before all of it was sent"),
            Reason::TooLarge => ("too-large", "the picture is beyond the limits"),
        }
    }
}

/// A component of the frame.
pub(super) struct Component {
    id: u8,
    pub(super) h: usize,
    pub(super) v: usize,
    table: u8,
    /// Blocks that hold a part of the picture.
    pub(super) blocks_wide: usize,
    pub(super) blocks_high: usize,
    /// Blocks with those that only fill up the last units of an interleaved scan.
    pub(super) padded_wide: usize,
    pub(super) padded_high: usize,
    /// Samples of the component.
    width: usize,
    height: usize,
    /// Samples a block each way in the result; 0 for none.
    pub(super) side: usize,
    pub(super) scale: Scale,
    /// `padded_wide * side` wide.
    pub(super) samples: Vec<u8>,
    /// Whether a sequential scan has given it.
    pub(super) done: bool,
    /// Progressive only.
    pub(super) coefficients: Coefficients,
}

impl Component {
    pub(super) fn stride(&self) -> usize {
        self.padded_wide * self.side
    }

    /// The component's plane without the filling-up.
    fn plane(self) -> Plane {
        let scaled = |full: usize| (full * self.side).div_ceil(8);
        let (width, height, stride) = (scaled(self.width), scaled(self.height), self.stride());
        let mut samples = self.samples;
        if stride != width {
            for row in 0..height {
                samples.copy_within(row * stride..row * stride + width, row * width);
            }
        }
        samples.truncate(width * height);
        Plane { width: width as u32, height: height as u32, samples }
    }
}

pub(super) struct Frame {
    pub(super) progressive: bool,
    width: usize,
    height: usize,
    denominator: u8,
    h_most: usize,
    v_most: usize,
    pub(super) units_wide: usize,
    pub(super) units_high: usize,
    pub(super) components: Vec<Component>,
}

/// What a scan's header says.
pub(super) struct Scan {
    /// Component, DC table, AC table.
    pub(super) parts: Vec<(usize, usize, usize)>,
    pub(super) start: u8,
    pub(super) end: u8,
    pub(super) high: u8,
    pub(super) low: u8,
    /// Units between restart markers; 0 for none.
    pub(super) interval: usize,
    /// Where the entropy-coded data begins.
    pub(super) at: usize,
}

pub(super) struct Tables {
    quantisation: [Option<Quantisation>; 4],
    pub(super) dc: [Option<Table>; 4],
    pub(super) ac: [Option<(Table, Option<Pairs>)>; 4],
}

pub(super) struct Decoder<'a> {
    file: &'a [u8],
    at: usize,
    min_short_side: u32,
    colour: bool,
    limits: Limits,
    tables: Tables,
    interval: usize,
    jfif: bool,
    adobe: Option<u8>,
    frame: Option<Frame>,
    segments: Segments,
    /// Blocks visited by progressive scans, against files of endless empty scans.
    work: u64,
}

/// Blocks that the scans of a progressive picture may visit, times the blocks of the picture.
const MOST_VISITS: u64 = 400;

impl<'a> Decoder<'a> {
    pub(super) fn new(file: &'a [u8], min_short_side: u32, colour: bool, limits: Limits) -> Self {
        let tables = Tables { quantisation: [None; 4], dc: [const { None }; 4], ac: [const { None }; 4] };
        Decoder {
            file,
            at: 0,
            min_short_side,
            colour,
            limits,
            tables,
            interval: 0,
            jfif: false,
            adobe: None,
            frame: None,
            segments: Segments::new(),
            work: 0,
        }
    }

    pub(super) fn decode(mut self) -> Result<Scaled, Unsuitable> {
        if self.file.first_chunk::<2>() != Some(&[0xFF, 0xD8]) {
            return Err(Reason::NotJpeg.at(0));
        }
        self.at = 2;
        loop {
            let marker = self.marker()?;
            match marker {
                0xD9 => return self.finish(),
                0xC0..=0xC2 => self.start_of_frame(marker)?,
                0xC4 => self.huffman_tables()?,
                0xDB => self.quantisation_tables()?,
                0xDD => self.restart_interval()?,
                0xDA => self.scan()?,
                0xE0 => {
                    let body = self.segment()?;
                    self.jfif |= body.starts_with(b"JFIF\0");
                }
                0xEE => {
                    let body = self.segment()?;
                    if body.starts_with(b"Adobe") {
                        self.adobe = body.get(11).copied();
                    }
                }
                0xE1..=0xEF | 0xFE => drop(self.segment()?),
                0xC3 | 0xC5..=0xCF => return Err(Reason::Kind.at(self.at)),
                _ => return Err(Reason::Order.at(self.at)),
            }
        }
    }

    /// The next marker, with the fill bytes before it.
    fn marker(&mut self) -> Result<u8, Unsuitable> {
        let mut byte = || {
            let byte = self.file.get(self.at).copied().ok_or(Reason::Cut.at(self.file.len()))?;
            self.at += 1;
            Ok(byte)
        };
        if byte()? != 0xFF {
            return Err(Reason::Stray.at(self.at - 1));
        }
        loop {
            match byte()? {
                0xFF => {}
                marker => return Ok(marker),
            }
        }
    }

    /// The body of a marker segment.
    fn segment(&mut self) -> Result<&'a [u8], Unsuitable> {
        let rest = self.file.get(self.at..).unwrap_or_default();
        let length = rest.first_chunk::<2>().map(|b| usize::from(u16::from_be_bytes(*b)));
        let length = length.ok_or(Reason::Cut.at(self.file.len()))?;
        if length < 2 {
            return Err(Reason::Header.at(self.at));
        }
        let body = rest.get(2..length).ok_or(Reason::Cut.at(self.file.len()))?;
        self.at += length;
        Ok(body)
    }

    fn restart_interval(&mut self) -> Result<(), Unsuitable> {
        match self.segment()? {
            [high, low] => self.interval = usize::from(u16::from_be_bytes([*high, *low])),
            _ => return Err(Reason::Header.at(self.at)),
        }
        Ok(())
    }

    fn quantisation_tables(&mut self) -> Result<(), Unsuitable> {
        let malformed = Reason::Tables.at(self.at);
        let mut body = self.segment()?;
        while let Some((kind, rest)) = body.split_first() {
            let (wide, which) = (kind >> 4, usize::from(kind & 15));
            let mut table: Quantisation = [0; 64];
            body = match wide {
                0 => {
                    let (values, rest) = rest.split_at_checked(64).ok_or(malformed)?;
                    table.iter_mut().zip(values).for_each(|(to, v)| *to = u16::from(*v));
                    rest
                }
                1 => {
                    let (values, rest) = rest.split_at_checked(128).ok_or(malformed)?;
                    let values = values.as_chunks::<2>().0;
                    table.iter_mut().zip(values).for_each(|(to, v)| *to = u16::from_be_bytes(*v));
                    rest
                }
                _ => return Err(malformed),
            };
            if table.contains(&0) {
                return Err(malformed);
            }
            *self.tables.quantisation.get_mut(which).ok_or(malformed)? = Some(table);
        }
        Ok(())
    }

    fn huffman_tables(&mut self) -> Result<(), Unsuitable> {
        let malformed = Reason::Tables.at(self.at);
        let mut body = self.segment()?;
        while let Some((kind, rest)) = body.split_first() {
            let which = usize::from(kind & 15);
            let (counts, rest) = rest.split_first_chunk::<16>().ok_or(malformed)?;
            let total = counts.iter().map(|c| usize::from(*c)).sum();
            let (symbols, rest) = rest.split_at_checked(total).ok_or(malformed)?;
            let table = Table::new(counts, symbols).ok_or(malformed)?;
            match kind >> 4 {
                0 => *self.tables.dc.get_mut(which).ok_or(malformed)? = Some(table),
                1 => *self.tables.ac.get_mut(which).ok_or(malformed)? = Some((table, None)),
                _ => return Err(malformed),
            }
            body = rest;
        }
        Ok(())
    }

    fn start_of_frame(&mut self, marker: u8) -> Result<(), Unsuitable> {
        let here = self.at;
        if self.frame.is_some() {
            return Err(Reason::Order.at(here));
        }
        let malformed = Reason::Header.at(here);
        let body = self.segment()?;
        let ([precision, h1, h0, w1, w0, count], parts) = body.split_first_chunk::<6>().ok_or(malformed)?;
        let height = usize::from(u16::from_be_bytes([*h1, *h0]));
        let width = usize::from(u16::from_be_bytes([*w1, *w0]));
        if *precision != 8 {
            return Err(Reason::Precision.at(here));
        }
        if !matches!(count, 1 | 3) {
            return Err(Reason::Components.at(here));
        }
        if width == 0 || height == 0 || parts.len() != usize::from(*count) * 3 {
            return Err(malformed);
        }
        if (width * height) as u64 > self.limits.max_pixels {
            return Err(Reason::TooLarge.at(here));
        }
        let mut components = Vec::with_capacity(3);
        for [id, sampling, table] in parts.as_chunks::<3>().0 {
            let (h, v) = (usize::from(sampling >> 4), usize::from(sampling & 15));
            if !(1..=4).contains(&h) || !(1..=4).contains(&v) || *table > 3 {
                return Err(malformed);
            }
            // A single component is never interleaved, whatever its sampling says.
            let (h, v) = if *count == 1 { (1, 1) } else { (h, v) };
            components.push((*id, h, v, *table));
        }
        let h_most = components.iter().map(|c| c.1).max().unwrap_or(1);
        let v_most = components.iter().map(|c| c.2).max().unwrap_or(1);
        if components.first().is_none_or(|c| c.1 != h_most || c.2 != v_most)
            || components.iter().map(|c| c.1 * c.2).sum::<usize>() > 10
        {
            return Err(Reason::Sampling.at(here));
        }
        if let [(a, ..), (b, bh, bv, _), (c, ch, cv, _)] = components.as_slice() {
            let whole = h_most % bh == 0 && v_most % bv == 0;
            if self.colour && ((bh, bv) != (ch, cv) || !whole) {
                return Err(Reason::Sampling.at(here));
            }
            if a == b || b == c || a == c {
                return Err(malformed);
            }
            let ycc = match (self.jfif, self.adobe) {
                (_, Some(transform)) => transform == 1,
                (true, None) => true,
                (false, None) => [*a, *b, *c] != *b"RGB",
            };
            if !ycc {
                return Err(Reason::ColourSpace.at(here));
            }
        }
        let keeps = |d: usize| width.min(height).div_ceil(d) >= self.min_short_side as usize;
        let denominator = [8usize, 4, 2].into_iter().find(|d| keeps(*d)).unwrap_or(1);
        let luma_side = 8 / denominator;
        let (units_wide, units_high) = (width.div_ceil(8 * h_most), height.div_ceil(8 * v_most));
        let components = components.into_iter().enumerate().map(|(index, (id, h, v, table))| {
            let (own_width, own_height) = ((width * h).div_ceil(h_most), (height * v).div_ceil(v_most));
            let coarser = (h_most / h).max(v_most / v);
            let chroma_side = (luma_side * coarser / 4).clamp(1, 8);
            let side = match index {
                0 => luma_side,
                _ if self.colour => 1 << chroma_side.ilog2(),
                _ => 0,
            };
            Component {
                id,
                h,
                v,
                table,
                blocks_wide: own_width.div_ceil(8),
                blocks_high: own_height.div_ceil(8),
                padded_wide: units_wide * h,
                padded_high: units_high * v,
                width: own_width,
                height: own_height,
                side,
                scale: Scale::Skip,
                samples: Vec::new(),
                done: false,
                coefficients: Coefficients::new(),
            }
        });
        let components: Vec<Component> = components.collect();
        let progressive = marker == 0xC2;
        let bytes: usize = components
            .iter()
            .map(|c| c.padded_wide * c.padded_high * (c.side * c.side + if progressive { 128 } else { 0 }))
            .sum();
        if bytes as u64 > self.limits.max_bytes {
            return Err(Reason::TooLarge.at(here));
        }
        let denominator = denominator as u8;
        self.frame =
            Some(Frame { progressive, width, height, denominator, h_most, v_most, units_wide, units_high, components });
        Ok(())
    }

    fn scan(&mut self) -> Result<(), Unsuitable> {
        let here = self.at;
        let malformed = Reason::Header.at(here);
        let body = self.segment()?;
        let frame = self.frame.as_mut().ok_or(Reason::Order.at(here))?;
        let (count, rest) = body.split_first().ok_or(malformed)?;
        let (parts, last) = rest.split_at_checked(usize::from(*count) * 2).ok_or(malformed)?;
        let [start, end, approximation] = *last else { return Err(malformed) };
        let mut scan = Scan {
            parts: Vec::with_capacity(3),
            start,
            end,
            high: approximation >> 4,
            low: approximation & 15,
            interval: self.interval,
            at: self.at,
        };
        for [id, tables] in parts.as_chunks::<2>().0 {
            let index = frame.components.iter().position(|c| c.id == *id).ok_or(malformed)?;
            if scan.parts.last().is_some_and(|(before, ..)| *before >= index) {
                return Err(malformed);
            }
            scan.parts.push((index, usize::from(tables >> 4), usize::from(tables & 15)));
            // The table that counts is the one in force at a component's first scan.
            let component = frame.components.get_mut(index).ok_or(malformed)?;
            if component.side > 0 && component.samples.is_empty() {
                let table = self.tables.quantisation.get(usize::from(component.table)).copied().flatten();
                component.scale = Scale::new(component.side, &table.ok_or(Reason::Tables.at(here))?);
            }
        }
        if scan.parts.is_empty() {
            return Err(malformed);
        }
        self.at = self.segments.take(self.file, self.at, self.interval > 0)?;
        if frame.progressive {
            self.work += progressive::visits(frame, &scan);
            let blocks: usize = frame.components.iter().map(|c| c.padded_wide * c.padded_high).sum();
            if self.work > blocks as u64 * MOST_VISITS {
                return Err(Reason::TooLarge.at(here));
            }
            progressive::scan(frame, &scan, &self.tables, &self.segments)
        } else {
            sequential::scan(frame, &scan, &mut self.tables, &self.segments)
        }
    }

    fn finish(self) -> Result<Scaled, Unsuitable> {
        let mut frame = self.frame.ok_or(Reason::Order.at(self.at))?;
        let whole = frame.components.iter().all(|c| if frame.progressive { c.coefficients.complete() } else { c.done });
        if !whole {
            return Err(Reason::Incomplete.at(self.at));
        }
        if frame.progressive {
            sys::widest(Transform(&mut frame.components));
        }
        // Eight samples of a component, each covering `most / own` pixels, become `side` samples.
        let covers = frame.components.get(1).map(|c| {
            let over = |most: usize, own: usize| (8 * most / (own * c.side.max(1))) as u32;
            (over(frame.h_most, c.h), over(frame.v_most, c.v))
        });
        let mut planes = frame.components.into_iter().filter(|c| c.side > 0).map(Component::plane);
        let luma = planes.next().ok_or(Reason::Order.at(self.at))?;
        Ok(Scaled {
            luma,
            chroma: planes.next().zip(planes.next()).zip(covers).map(|((cb, cr), covers)| Chroma { cb, cr, covers }),
            full_width: frame.width as u32,
            full_height: frame.height as u32,
            denominator: frame.denominator,
            progressive: frame.progressive,
            used: self.at,
        })
    }
}

/// What is done with the units of a scan.
pub(super) trait Units {
    /// Reads `units` of the scan from one segment, to its end; `None` where its coding is damaged. To be marked
    /// `#[inline(always)]`: see [`sys::Loops`].
    fn read(&mut self, reader: &mut Reader<'_>, units: Range<usize>) -> Option<()>;
}

/// The units of a scan, segment by segment.
pub(super) fn by_segment(scan: &Scan, segments: &Segments, units: usize, each: impl Units) -> Result<(), Unsuitable> {
    sys::widest(BySegment { scan, segments, units, each })
}

struct BySegment<'a, U> {
    scan: &'a Scan,
    segments: &'a Segments,
    units: usize,
    each: U,
}

impl<U: Units> sys::Loops for BySegment<'_, U> {
    type Out = Result<(), Unsuitable>;

    #[inline(always)]
    fn run(self) -> Result<(), Unsuitable> {
        let BySegment { scan, segments, units, mut each } = self;
        let per = if scan.interval == 0 { units } else { scan.interval };
        if segments.count() != units.div_ceil(per.max(1)) {
            return Err(Reason::Restart.at(scan.at));
        }
        for segment in 0..segments.count() {
            let damaged = Reason::Coding.at(scan.at);
            let mut reader = segments.reader(segment).ok_or(damaged)?;
            each.read(&mut reader, segment * per..units.min((segment + 1) * per)).ok_or(damaged)?;
            if !reader.finish() {
                return Err(damaged);
            }
        }
        Ok(())
    }
}

/// The samples of a progressive picture whose scans are all in.
struct Transform<'a>(&'a mut [Component]);

impl sys::Loops for Transform<'_> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        for component in self.0 {
            progressive::transform(component);
        }
    }
}
