//! The list of a 7z archive: which bytes are packed how, and which members they hold. After `7zFormat.txt` of the LZMA SDK.

use crate::bytes::{le_u32, le_u64};

/// Members of one archive at most, and what takes part in unpacking one block.
pub(super) const MOST_MEMBERS: usize = 1 << 20;
const MOST_CODERS: usize = 8;
const MOST_INPUTS: usize = 16;

/// Numbers and bits of the list, in their order.
pub(super) struct Parse<'a> {
    data: &'a [u8],
    at: usize,
}

impl<'a> Parse<'a> {
    pub(super) fn new(data: &'a [u8]) -> Self {
        Self { data, at: 0 }
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        let byte = self.data.get(self.at).copied()?;
        self.at = self.at.checked_add(1)?;
        Some(byte)
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(count)?;
        let bytes = self.data.get(self.at..end)?;
        self.at = end;
        Some(bytes)
    }

    /// A number: the ones at the top of the first byte say how many bytes follow.
    fn number(&mut self) -> Option<u64> {
        let first = self.byte()?;
        let (mut value, mut mask) = (0u64, 0x80u8);
        for place in (0..64).step_by(8) {
            if first & mask == 0 {
                return Some(value | u64::from(first & mask.wrapping_sub(1)) << place);
            }
            value |= u64::from(self.byte()?) << place;
            mask >>= 1;
        }
        Some(value)
    }

    /// How many of something follow, each of which takes at least a bit.
    fn count(&mut self, most: usize) -> Option<usize> {
        usize::try_from(self.number()?).ok().filter(|n| *n <= most)
    }

    fn bits(&mut self, count: usize) -> Option<Vec<bool>> {
        let bytes = self.take(count.div_ceil(8))?;
        let bits = bytes.iter().flat_map(|b| (0..8u8).map(move |i| b << i & 0x80 != 0));
        Some(bits.take(count).collect())
    }

    /// Which of so many are defined: all, or those whose bit is set.
    fn defined(&mut self, count: usize) -> Option<Vec<bool>> {
        if self.byte()? == 0 { self.bits(count) } else { Some(vec![true; count]) }
    }

    fn sums(&mut self, count: usize) -> Option<Vec<Option<u32>>> {
        let defined = self.defined(count)?;
        let mut out = vec![];
        for is in defined {
            out.push(if is { Some(le_u32(self.take(4)?, 0)?) } else { None });
        }
        Some(out)
    }
}

/// One step of unpacking.
#[derive(Debug, Clone)]
pub(super) struct Coder {
    pub(super) method: u64,
    pub(super) inputs: usize,
    pub(super) properties: Vec<u8>,
}

/// A block: bytes that are unpacked together.
#[derive(Debug, Clone)]
pub(super) struct Block {
    pub(super) coders: Vec<Coder>,
    /// Which input is fed by which coder.
    pub(super) binds: Vec<(usize, usize)>,
    /// Which inputs are fed by packed streams, in their order.
    pub(super) packed: Vec<usize>,
    /// What each coder yields.
    pub(super) sizes: Vec<u64>,
    pub(super) sum: Option<u32>,
    /// Number of its first packed stream.
    pub(super) first: usize,
    /// The members in it: size and sum.
    pub(super) parts: Vec<(u64, Option<u32>)>,
}

impl Block {
    /// The coder that yields the plain bytes: the one that feeds no other.
    pub(super) fn last(&self) -> Option<usize> {
        let mut free = (0..self.coders.len()).filter(|c| self.binds.iter().all(|(_, from)| from != c));
        let found = free.next()?;
        free.next().is_none().then_some(found)
    }

    /// Its plain bytes.
    pub(super) fn size(&self) -> Option<u64> {
        self.sizes.get(self.last()?).copied()
    }
}

/// Where packed streams lie, and what becomes of them.
#[derive(Debug, Default)]
pub(super) struct Streams {
    /// Begin and length of each packed stream, from the end of the first header.
    pub(super) packed: Vec<(u64, u64)>,
    pub(super) blocks: Vec<Block>,
}

fn block(parse: &mut Parse<'_>, first: usize) -> Option<Block> {
    let count = parse.count(MOST_CODERS).filter(|n| *n > 0)?;
    let (mut coders, mut inputs) = (vec![], 0usize);
    for _ in 0..count {
        let flags = parse.byte()?;
        let id = parse.take(usize::from(flags & 0xF)).filter(|id| id.len() <= 8)?;
        let method = id.iter().fold(0u64, |n, b| n << 8 | u64::from(*b));
        let own = if flags & 0x10 != 0 {
            let own = parse.count(MOST_INPUTS)?;
            // No method that is read yields several streams.
            parse.count(1).filter(|outputs| *outputs == 1)?;
            own
        } else {
            1
        };
        let properties = match flags & 0x20 {
            0 => vec![],
            _ => {
                let length = parse.count(1 << 16)?;
                parse.take(length)?.to_vec()
            }
        };
        if flags & 0xC0 != 0 {
            return None;
        }
        inputs = inputs.checked_add(own).filter(|n| *n <= MOST_INPUTS)?;
        coders.push(Coder { method, inputs: own, properties });
    }
    let mut binds = vec![];
    for _ in 1..count {
        let pair = (parse.count(inputs.checked_sub(1)?)?, parse.count(count.checked_sub(1)?)?);
        if binds.iter().any(|(input, from)| *input == pair.0 || *from == pair.1) {
            return None;
        }
        binds.push(pair);
    }
    let streams = inputs.checked_sub(binds.len()).filter(|n| *n > 0)?;
    let mut packed = vec![];
    if streams == 1 {
        packed.extend((0..inputs).find(|i| binds.iter().all(|(input, _)| input != i)));
    } else {
        for _ in 0..streams {
            packed.push(parse.count(inputs.checked_sub(1)?)?);
        }
    }
    Some(Block { coders, binds, packed, sizes: vec![], sum: None, first, parts: vec![] })
}

/// Reads where streams lie, up to the end of that part.
pub(super) fn streams(parse: &mut Parse<'_>) -> Option<Streams> {
    let mut out = Streams::default();
    // What a short list may unpack to is bounded by what archives of that many members need.
    let most = parse.data.len().min(4 * MOST_MEMBERS);
    let mut kind = parse.byte()?;
    if kind == 0x06 {
        let mut at = parse.number()?;
        let count = parse.count(most)?;
        loop {
            match parse.byte()? {
                0 => break,
                0x09 => {
                    for _ in 0..count {
                        let length = parse.number()?;
                        out.packed.push((at, length));
                        at = at.checked_add(length)?;
                    }
                }
                0x0A => drop(parse.sums(count)?),
                _ => return None,
            }
        }
        if out.packed.len() != count {
            return None;
        }
        kind = parse.byte()?;
    }
    if kind == 0x07 {
        if parse.byte()? != 0x0B {
            return None;
        }
        let count = parse.count(most.min(MOST_MEMBERS))?;
        // Kept elsewhere: no writer does that.
        if parse.byte()? != 0 {
            return None;
        }
        let mut first = 0usize;
        for _ in 0..count {
            let one = block(parse, first)?;
            first = first.checked_add(one.packed.len())?;
            out.blocks.push(one);
        }
        if first > out.packed.len() || parse.byte()? != 0x0C {
            return None;
        }
        for one in &mut out.blocks {
            for _ in 0..one.coders.len() {
                one.sizes.push(parse.number()?);
            }
        }
        loop {
            match parse.byte()? {
                0 => break,
                0x0A => {
                    for (one, sum) in out.blocks.iter_mut().zip(parse.sums(count)?) {
                        one.sum = sum;
                    }
                }
                _ => return None,
            }
        }
        kind = parse.byte()?;
    }
    let mut counts = vec![1; out.blocks.len()];
    let mut sized = false;
    let mut sums = None;
    if kind == 0x08 {
        loop {
            match parse.byte()? {
                0 => break,
                0x0D => {
                    let mut all = 0usize;
                    for count in &mut counts {
                        *count = parse.count(MOST_MEMBERS)?;
                        all = all.checked_add(*count).filter(|n| *n <= MOST_MEMBERS)?;
                    }
                }
                0x09 => {
                    sized = true;
                    for (one, count) in out.blocks.iter_mut().zip(&counts) {
                        one.parts.clear();
                        let mut left = one.size()?;
                        for _ in 1..*count {
                            let size = parse.number()?;
                            left = left.checked_sub(size)?;
                            one.parts.push((size, None));
                        }
                        if *count > 0 {
                            one.parts.push((left, None));
                        }
                    }
                }
                0x0A => {
                    // A block with one member has its sum already.
                    let unknown = |one: &Block, count: usize| if count == 1 && one.sum.is_some() { 0 } else { count };
                    let all = out.blocks.iter().zip(&counts).fold(0usize, |n, (b, c)| n.saturating_add(unknown(b, *c)));
                    sums = Some(parse.sums(all)?);
                }
                _ => return None,
            }
        }
        kind = parse.byte()?;
    }
    if kind != 0 {
        return None;
    }
    let mut sums = sums.unwrap_or_default().into_iter();
    for (one, count) in out.blocks.iter_mut().zip(&counts) {
        if !sized {
            one.parts = match count {
                0 => vec![],
                1 => vec![(one.size()?, None)],
                _ => return None,
            };
        }
        let own = one.sum.filter(|_| *count == 1);
        for (_, sum) in &mut one.parts {
            *sum = own.or_else(|| sums.next().flatten());
        }
    }
    Some(out)
}

/// A member.
#[derive(Debug, Clone, Default)]
pub(super) struct File {
    pub(super) name: Vec<u16>,
    /// It has bytes in a block.
    pub(super) stream: bool,
    pub(super) folder: bool,
    /// It says that a file is to be deleted.
    pub(super) anti: bool,
    pub(super) created: Option<u64>,
    pub(super) accessed: Option<u64>,
    pub(super) modified: Option<u64>,
    pub(super) attributes: Option<u32>,
}

/// Numbers of some members.
fn of_each(parse: &mut Parse<'_>, files: &mut [File], size: usize, set: fn(&mut File, &[u8])) -> Option<()> {
    let defined = parse.defined(files.len())?;
    if parse.byte()? != 0 {
        return None;
    }
    for (file, _) in files.iter_mut().zip(defined).filter(|(_, is)| *is) {
        set(file, parse.take(size)?);
    }
    Some(())
}

fn files(parse: &mut Parse<'_>) -> Option<Vec<File>> {
    let count = parse.count(parse.data.len().min(MOST_MEMBERS))?;
    let mut files = vec![File { stream: true, ..File::default() }; count];
    let mut empty = vec![];
    loop {
        let kind = parse.byte()?;
        if kind == 0 {
            return Some(files);
        }
        let length = parse.count(parse.data.len())?;
        let mut inner = Parse::new(parse.take(length)?);
        match kind {
            0x0E => {
                let bits = inner.bits(count)?;
                empty = (0..count).zip(&bits).filter(|(_, is)| **is).map(|(i, _)| i).collect();
                for (file, is) in files.iter_mut().zip(bits) {
                    (file.stream, file.folder) = (!is, is);
                }
            }
            0x0F | 0x10 => {
                let bits = inner.bits(empty.len())?;
                for (i, _) in empty.iter().zip(bits).filter(|(_, is)| *is) {
                    let file = files.get_mut(*i)?;
                    if kind == 0x0F {
                        file.folder = false;
                    } else {
                        file.anti = true;
                    }
                }
            }
            0x11 => {
                if inner.byte()? != 0 {
                    return None;
                }
                for file in &mut files {
                    loop {
                        let unit = inner.take(2)?.try_into().ok().map(u16::from_le_bytes)?;
                        if unit == 0 {
                            break;
                        }
                        file.name.push(unit);
                    }
                }
            }
            0x12 => of_each(&mut inner, &mut files, 8, |f, b| f.created = le_u64(b, 0))?,
            0x13 => of_each(&mut inner, &mut files, 8, |f, b| f.accessed = le_u64(b, 0))?,
            0x14 => of_each(&mut inner, &mut files, 8, |f, b| f.modified = le_u64(b, 0))?,
            0x15 => of_each(&mut inner, &mut files, 4, |f, b| f.attributes = le_u32(b, 0))?,
            _ => {}
        }
    }
}

/// Reads a whole list, behind its first byte.
pub(super) fn list(parse: &mut Parse<'_>) -> Option<(Streams, Vec<File>)> {
    let (mut found, mut members) = (Streams::default(), vec![]);
    loop {
        match parse.byte()? {
            0 => return Some((found, members)),
            // Properties of the archive.
            0x02 => {
                while parse.byte()? != 0 {
                    let length = parse.count(parse.data.len())?;
                    parse.take(length)?;
                }
            }
            // Streams beside the members: no writer has them.
            0x03 => drop(streams(parse)?),
            0x04 => found = streams(parse)?,
            0x05 => members = files(parse)?,
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_length() {
        for (bytes, number) in [
            (&b"\x7f"[..], 0x7F),
            (b"\x81\x02", 0x102),
            (b"\xc1\x02\x03", 0x1_0302),
            (b"\xff\x01\x02\x03\x04\x05\x06\x07\x08", 0x0807_0605_0403_0201),
            (b"\xfe\x01\0\0\0\0\0\x02", 0x02_0000_0000_0001),
        ] {
            assert_eq!(Parse::new(bytes).number(), Some(number), "{bytes:?}");
            assert_eq!(Parse::new(&bytes[..bytes.len() - 1]).number(), None);
        }
        assert_eq!(Parse::new(b"\xa0").bits(3), Some(vec![true, false, true]));
        assert_eq!(Parse::new(b"\0\x80\x01\0\0\0").sums(2), Some(vec![Some(1), None]));
    }
}
