//! bzip2, decoded as it is read: blocks of Huffman codes, moved to front, sorted (Burrows and Wheeler), runs of four.
//!
//! After the program's own documentation and the specification that was written down from it (J. Tsai, *BZIP2: Format
//! Specification*); the code is our own. The sum of each block and of the stream are checked. Blocks that are marked as
//! randomised, which no bzip2 since 1999 writes, are refused. Memory is bounded by the largest block, 900,000 symbols.

use std::io::{BufRead, Error, ErrorKind, Read, Result};

use crate::bytes::u8_at;

/// The first bytes of a stream, before the digit that says how large its blocks are.
pub(crate) const MAGIC: &[u8] = b"BZh";
const BLOCK: u64 = 0x3141_5926_5359;
const END: u64 = 0x1772_4538_5090;
/// Symbols that share a table of codes.
const GROUP: usize = 50;
/// The longest code.
const MOST_BITS: u32 = 20;
/// Bits looked up at once.
const FAST: u32 = 10;

fn damaged(what: &'static str) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}

/// Bits of the input, the highest of each byte first. Takes no byte before it is needed, so that what follows the stream
/// is not touched.
struct Bits<R> {
    input: R,
    held: u64,
    count: u32,
}

impl<R: BufRead> Bits<R> {
    /// Holds `count` bits, at most 32; false where the input ends first.
    fn hold(&mut self, count: u32) -> Result<bool> {
        while self.count < count {
            let Some(byte) = self.input.fill_buf()?.first().copied() else { return Ok(false) };
            self.input.consume(1);
            self.held = self.held << 8 | u64::from(byte);
            self.count = self.count.saturating_add(8);
        }
        Ok(true)
    }

    fn take(&mut self, count: u32) -> Result<u32> {
        if !self.hold(count)? {
            return Err(damaged("the stream ends early"));
        }
        self.count = self.count.saturating_sub(count);
        let mask = 1u64.checked_shl(count).unwrap_or(0).wrapping_sub(1);
        Ok(u32::try_from(self.held.checked_shr(self.count).unwrap_or(0) & mask).unwrap_or_default())
    }

    fn bit(&mut self) -> Result<bool> {
        Ok(self.take(1)? == 1)
    }

    fn long(&mut self) -> Result<u64> {
        Ok(u64::from(self.take(24)?) << 24 | u64::from(self.take(24)?))
    }
}

/// The codes of one table.
struct Codes {
    /// By the next [`FAST`] bits: symbol and length, or 0 where the code is longer.
    fast: Vec<u16>,
    /// By length: the first code that is too large for it (aligned to [`MOST_BITS`]), and what to add for the symbol.
    limits: [u32; 21],
    first: [u32; 21],
    offset: [u32; 21],
    symbols: Vec<u16>,
}

impl Codes {
    fn new(lengths: &[u8]) -> Option<Self> {
        let mut counts = [0u32; 21];
        for length in lengths {
            let count = counts.get_mut(usize::from(*length))?;
            *count = count.checked_add(1)?;
        }
        let mut codes =
            Self { fast: vec![0; 1 << FAST], limits: [0; 21], first: [0; 21], offset: [0; 21], symbols: vec![] };
        let mut code = 0u32;
        for bits in 1..=MOST_BITS {
            let n = usize::try_from(bits).ok()?;
            *codes.first.get_mut(n)? = code;
            *codes.offset.get_mut(n)? = u32::try_from(codes.symbols.len()).ok()?;
            let here = (0u16..).zip(lengths).filter(|(_, l)| u32::from(**l) == bits).map(|(s, _)| s);
            for (i, symbol) in (0u32..).zip(here) {
                codes.symbols.push(symbol);
                if bits <= FAST {
                    let shift = FAST.checked_sub(bits)?;
                    let from = usize::try_from(code.checked_add(i)?.checked_shl(shift)?).ok()?;
                    let to = from.checked_add(1usize.checked_shl(shift)?)?;
                    codes.fast.get_mut(from..to)?.fill(symbol << 5 | u16::try_from(bits).ok()?);
                }
            }
            code = code.checked_add(*counts.get(n)?)?;
            if code > 1u32.checked_shl(bits)? {
                // More codes than bits can tell apart.
                return None;
            }
            *codes.limits.get_mut(n)? = code;
            code = code.checked_mul(2)?;
        }
        Some(codes)
    }

    fn next<R: BufRead>(&self, bits: &mut Bits<R>) -> Result<u16> {
        // A block is followed by at least ten bytes: no bit of another stream is held.
        if bits.hold(FAST)? {
            let look = bits.held.checked_shr(bits.count.saturating_sub(FAST)).unwrap_or(0) & ((1 << FAST) - 1);
            let found = usize::try_from(look).ok().and_then(|at| self.fast.get(at)).copied().unwrap_or_default();
            if found > 0 {
                bits.count = bits.count.saturating_sub(u32::from(found & 31));
                return Ok(found >> 5);
            }
        }
        let mut code = 0u32;
        for n in 1..=20usize {
            code = code << 1 | bits.take(1)?;
            let (Some(limit), Some(first), Some(offset)) = (self.limits.get(n), self.first.get(n), self.offset.get(n))
            else {
                break;
            };
            if code < *limit && code >= *first {
                let at = code.wrapping_sub(*first).wrapping_add(*offset);
                let symbol = usize::try_from(at).ok().and_then(|at| self.symbols.get(at));
                return symbol.copied().ok_or_else(|| damaged("a code that does not exist"));
            }
        }
        Err(damaged("a code that does not exist"))
    }
}

/// CRC-32 with the highest bit first.
static SUMS: std::sync::LazyLock<[u32; 256]> = std::sync::LazyLock::new(|| {
    std::array::from_fn(|i| {
        let start = u32::try_from(i).unwrap_or_default() << 24;
        (0..8).fold(start, |c, _| (c << 1) ^ if c >> 31 == 1 { 0x04c1_1db7 } else { 0 })
    })
});

/// The plain bytes of one stream. After its end the input stands behind it.
pub(crate) struct Decoder<R> {
    bits: Bits<R>,
    /// Bytes of a block at most; 0 before the header was read.
    most: usize,
    /// Each byte of the block and, above it, the place of the next one.
    block: Vec<u32>,
    next: u32,
    left: usize,
    /// How often the last byte came in a row, and how often it still comes.
    same: u32,
    last: u8,
    repeat: u32,
    sum: u32,
    block_sum: u32,
    stream_sum: u32,
    in_block: bool,
    ended: bool,
}

impl<R: BufRead> Decoder<R> {
    pub(crate) fn new(input: R) -> Self {
        Self {
            bits: Bits { input, held: 0, count: 0 },
            most: 0,
            block: vec![],
            next: 0,
            left: 0,
            same: 0,
            last: 0,
            repeat: 0,
            sum: !0,
            block_sum: 0,
            stream_sum: 0,
            in_block: false,
            ended: false,
        }
    }

    /// The next block; false at the end of the stream.
    fn begin(&mut self) -> Result<bool> {
        if self.most == 0 {
            let mut magic = [0; 3];
            for byte in &mut magic {
                *byte = u8::try_from(self.bits.take(8)?).unwrap_or_default();
            }
            let size = self.bits.take(8)?;
            if magic != MAGIC || !(u32::from(b'1')..=u32::from(b'9')).contains(&size) {
                return Err(damaged("no header of a stream"));
            }
            self.most = usize::try_from(size & 15).unwrap_or(9).saturating_mul(100_000);
        }
        match self.bits.long()? {
            BLOCK => {}
            END => {
                if self.bits.take(16)? << 16 | self.bits.take(16)? != self.stream_sum {
                    return Err(damaged("the sum of the stream is wrong"));
                }
                self.ended = true;
                return Ok(false);
            }
            _ => return Err(damaged("no beginning of a block")),
        }
        self.block_sum = self.bits.take(16)? << 16 | self.bits.take(16)?;
        if self.bits.bit()? {
            return Err(damaged("a randomised block"));
        }
        let origin = self.bits.take(24)?;
        self.symbols()?;
        let at = usize::try_from(origin).unwrap_or(usize::MAX);
        self.next = self.block.get(at).ok_or_else(|| damaged("a block begins outside itself"))? >> 8;
        self.left = self.block.len();
        (self.same, self.repeat, self.sum, self.in_block) = (0, 0, !0, true);
        Ok(true)
    }

    /// Reads the codes and symbols of a block, and links its bytes.
    fn symbols(&mut self) -> Result<()> {
        let bits = &mut self.bits;
        let rows = bits.take(16)?;
        let mut used: Vec<u8> = vec![];
        for row in 0..16u8 {
            if rows >> 15u8.saturating_sub(row) & 1 == 0 {
                continue;
            }
            let columns = bits.take(16)?;
            used.extend((0..16u8).filter(|c| columns >> 15u8.saturating_sub(*c) & 1 == 1).map(|c| row << 4 | c));
        }
        if used.is_empty() {
            return Err(damaged("a block without symbols"));
        }
        let tables = usize::try_from(bits.take(3)?).unwrap_or(0);
        let choices = bits.take(15)?;
        if !(2..=6).contains(&tables) || choices == 0 {
            return Err(damaged("a block without tables"));
        }
        let mut order: Vec<u8> = (0..6).take(tables).collect();
        let mut chosen = vec![];
        for _ in 0..choices {
            let mut at = 0usize;
            while bits.bit()? {
                at = at.saturating_add(1);
                if at >= tables {
                    return Err(damaged("a table that does not exist"));
                }
            }
            let table = order.remove(at);
            order.insert(0, table);
            chosen.push(table);
        }
        // Two symbols say how often the first one comes, the last one ends the block.
        let alphabet = used.len().saturating_add(2);
        let mut codes = vec![];
        for _ in 0..tables {
            let mut length = bits.take(5)?;
            let mut lengths = vec![];
            for _ in 0..alphabet {
                loop {
                    if !(1..=MOST_BITS).contains(&length) {
                        return Err(damaged("a code of no length"));
                    }
                    if !bits.bit()? {
                        break;
                    }
                    length = if bits.bit()? { length.saturating_sub(1) } else { length.saturating_add(1) };
                }
                lengths.push(u8::try_from(length).unwrap_or_default());
            }
            codes.push(Codes::new(&lengths).ok_or_else(|| damaged("codes that contradict each other"))?);
        }

        let end = u16::try_from(alphabet.saturating_sub(1)).unwrap_or(u16::MAX);
        let long = || damaged("a block that is longer than the stream says");
        self.block.clear();
        let mut counts = [0u32; 256];
        let (mut run, mut weight) = (0usize, 1usize);
        let mut tables = chosen.iter();
        'block: loop {
            let table = tables.next().and_then(|t| codes.get(usize::from(*t)));
            let table = table.ok_or_else(|| damaged("a block that does not end"))?;
            for _ in 0..GROUP {
                let symbol = table.next(bits)?;
                if symbol < 2 {
                    // The number of repeats in a system of ones and twos.
                    run = run.saturating_add(weight << symbol);
                    weight = weight.saturating_mul(2);
                    if run > self.most {
                        return Err(long());
                    }
                    continue;
                }
                if run > 0 {
                    let byte = *used.first().unwrap_or(&0);
                    let length = self.block.len().saturating_add(run);
                    if length > self.most {
                        return Err(long());
                    }
                    self.block.resize(length, u32::from(byte));
                    if let Some(count) = counts.get_mut(usize::from(byte)) {
                        *count = count.saturating_add(u32::try_from(run).unwrap_or(u32::MAX));
                    }
                    (run, weight) = (0, 1);
                }
                if symbol >= end {
                    break 'block;
                }
                let at = usize::from(symbol.saturating_sub(1));
                let byte = u8_at(&used, at).ok_or_else(|| damaged("a symbol that does not exist"))?;
                used.copy_within(0..at, 1);
                if let Some(first) = used.first_mut() {
                    *first = byte;
                }
                if self.block.len() >= self.most {
                    return Err(long());
                }
                self.block.push(u32::from(byte));
                if let Some(count) = counts.get_mut(usize::from(byte)) {
                    *count = count.saturating_add(1);
                }
            }
        }
        // From how often each byte comes to where the first of it stands when they are sorted.
        let mut place = 0u32;
        for count in &mut counts {
            let here = *count;
            *count = place;
            place = place.saturating_add(here);
        }
        for i in 0..self.block.len() {
            let byte = usize::try_from(self.block.get(i).unwrap_or(&0) & 0xFF).unwrap_or(0);
            let Some(place) = counts.get_mut(byte) else { continue };
            if let Some(entry) = usize::try_from(*place).ok().and_then(|p| self.block.get_mut(p)) {
                *entry |= u32::try_from(i).unwrap_or_default() << 8;
            }
            *place = place.saturating_add(1);
        }
        Ok(())
    }

    /// The next byte of the block before runs are undone.
    fn step(&mut self) -> Option<u8> {
        self.left = self.left.checked_sub(1)?;
        let entry = *self.block.get(usize::try_from(self.next).ok()?)?;
        self.next = entry >> 8;
        u8::try_from(entry & 0xFF).ok()
    }

    fn put(&mut self, byte: u8) {
        let [_, _, _, high] = self.sum.to_le_bytes();
        self.sum = (self.sum << 8) ^ SUMS.get(usize::from(high ^ byte)).copied().unwrap_or_default();
    }
}

impl<R: BufRead> Read for Decoder<R> {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        let mut done = 0;
        while done < buf.len() && !self.ended {
            if !self.in_block && !self.begin()? {
                break;
            }
            let byte = if self.repeat > 0 {
                self.repeat = self.repeat.saturating_sub(1);
                self.last
            } else if let Some(byte) = self.step() {
                if self.same == 4 {
                    // After four of a kind comes how many more there are.
                    (self.same, self.repeat) = (0, u32::from(byte));
                    continue;
                }
                self.same = if byte == self.last && self.same > 0 { self.same.saturating_add(1) } else { 1 };
                self.last = byte;
                byte
            } else {
                self.in_block = false;
                if !self.sum != self.block_sum {
                    return Err(damaged("the sum of a block is wrong"));
                }
                self.stream_sum = self.stream_sum.rotate_left(1) ^ self.block_sum;
                continue;
            };
            self.put(byte);
            if let Some(place) = buf.get_mut(done) {
                *place = byte;
            }
            done = done.saturating_add(1);
        }
        Ok(done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unpack(packed: &[u8]) -> (Result<Vec<u8>>, usize) {
        let mut input = packed;
        let mut out = vec![];
        let read = Decoder::new(&mut input).read_to_end(&mut out).map(|_| out);
        (read, input.len())
    }

    #[test]
    fn a_stream_is_read_to_its_end_and_no_further() {
        // `printf 'hello hello hello aaaaaaaaaaaaaaaa\n' | bzip2 -9`
        let packed = b"\x42\x5a\x68\x39\x31\x41\x59\x26\x53\x59\x96\x6e\x87\xbb\x00\x00\x07\x51\x00\x00\x14\x40\x00\x22\x44\xa0\x00\x31\
                       \x0c\x08\x1b\x48\x1a\x3b\x83\x33\x86\xb7\x88\x8f\x17\x72\x45\x38\x50\x90\x96\x6e\x87\xbb";
        let plain = b"hello hello hello aaaaaaaaaaaaaaaa\n".to_vec();
        let (read, left) = unpack(&[packed.as_slice(), b"BZ"].concat());
        assert_eq!((read.unwrap(), left), (plain.clone(), 2));
        assert_eq!(unpack(b"BZh9\x17\x72\x45\x38\x50\x90\0\0\0\0").0.unwrap(), b"");
        for at in 0..packed.len() {
            let mut wrong = packed.to_vec();
            wrong[at] ^= 0x10;
            // The size of its blocks says only how much may come.
            assert!(unpack(&wrong).0.is_err() || at == 3, "byte {at}");
            assert!(unpack(&packed[..at]).0.is_err(), "cut at {at}");
        }
    }
}
