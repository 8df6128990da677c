//! Huffman tables, arranged for speed.

use super::bits::Reader;

/// Bits looked up at once in the tables of pairs.
const PAIR_BITS: u32 = 11;
/// Bits looked up at once in the tables of single codes.
const CODE_BITS: u32 = 9;

/// How far the end of a block moves on: from any place it is beyond the last coefficient.
pub(super) const END: u8 = 128;

/// One or two coefficients that are coded in the next [`PAIR_BITS`] bits, extra bits and all.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pair {
    /// Bits of both; 0 where not even the first fits.
    pub(super) length: u8,
    /// Places moved on to the first coefficient: 1 to 16, or [`END`].
    pub(super) first_step: u8,
    /// The same for the second, from the first on; 0 where there is no second.
    pub(super) second_step: u8,
    pub(super) first: i16,
    pub(super) second: i16,
}

/// A code and what it stands for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Code {
    /// Bits of the code; 0 where there is no such code.
    pub(super) length: u32,
    pub(super) symbol: u8,
}

/// A table as it stands in the file, arranged for single codes.
#[derive(Clone)]
pub(super) struct Table {
    codes: Box<[Code; 1 << CODE_BITS]>,
    /// For each length from 1: one past the last code of that length, left-aligned in 16 bits, and what to add to a
    /// code of that length to get its symbol's place.
    lengths: [(u32, i32); 16],
    symbols: Vec<u8>,
}

impl Table {
    /// From the counts of codes by length and the symbols in order. `None` where the counts do not make a code.
    pub(super) fn new(counts: &[u8; 16], symbols: &[u8]) -> Option<Table> {
        let mut codes = Box::new([Code { length: 0, symbol: 0 }; 1 << CODE_BITS]);
        let mut lengths = [(0, 0); 16];
        let mut next = 0u32;
        let mut place = 0u32;
        let mut rest = symbols.iter();
        for ((length, count), of_length) in (1u32..).zip(counts).zip(&mut lengths) {
            let first = next;
            for symbol in rest.by_ref().take(usize::from(*count)) {
                if length <= CODE_BITS {
                    let width = 1usize << (CODE_BITS - length);
                    let at = codes.iter_mut().skip(next as usize * width).take(width);
                    at.for_each(|c| *c = Code { length, symbol: *symbol });
                }
                next += 1;
            }
            // The code of all ones is never given, so that no code is all padding.
            if next >= (1 << length) && *count > 0 {
                return None;
            }
            *of_length = (next << (16 - length), place as i32 - first as i32);
            place += u32::from(*count);
            next <<= 1;
        }
        (place as usize == symbols.len()).then(|| Table { codes, lengths, symbols: symbols.to_vec() })
    }

    /// The code at the front of `bits`; length 0 where there is none.
    #[inline(always)]
    pub(super) fn code(&self, bits: u64) -> Code {
        let short = self.codes.get((bits >> (64 - CODE_BITS)) as usize).copied();
        match short {
            Some(code) if code.length > 0 => code,
            _ => self.long_code(bits),
        }
    }

    #[cold]
    #[inline(never)]
    fn long_code(&self, bits: u64) -> Code {
        let front = (bits >> 48) as u32;
        for (length, (past, add)) in (1u32..).zip(self.lengths) {
            if front < past {
                let code = (front >> (16 - length)) as i32;
                let symbol = usize::try_from(code + add).ok().and_then(|place| self.symbols.get(place));
                return match symbol {
                    Some(symbol) => Code { length, symbol: *symbol },
                    None => Code { length: 0, symbol: 0 },
                };
            }
        }
        Code { length: 0, symbol: 0 }
    }

    /// The next value of a table whose symbols are sizes (differences of DC): `None` for a code that does not exist or
    /// a size above 11. Needs 27 bits ready.
    #[inline(always)]
    pub(super) fn difference(&self, reader: &mut Reader<'_>) -> Option<i32> {
        let code = self.code(reader.bits());
        if code.length == 0 || code.symbol > 11 {
            return None;
        }
        reader.skip(code.length);
        let size = u32::from(code.symbol);
        Some(extend(reader.take(size), size))
    }
}

/// The value of `size` extra bits: the lower half of the numbers stands for negative ones.
#[inline(always)]
pub(super) fn extend(bits: u32, size: u32) -> i32 {
    let bits = bits as i32;
    let negative = ((bits >> size.wrapping_sub(1).min(31)) ^ 1) & 1 & i32::from(size > 0);
    bits - negative * ((1 << size) - 1)
}

/// A table of run and size, arranged to give two coefficients at once.
pub(super) struct Pairs(Box<[Pair; 1 << PAIR_BITS]>);

impl Pairs {
    pub(super) fn new(table: &Table) -> Pairs {
        let mut singles = Box::new([(0u32, 0u8, 0i16); 1 << PAIR_BITS]);
        for (bits, single) in (0u64..).zip(singles.iter_mut()) {
            *single = front(table, bits << (64 - PAIR_BITS), PAIR_BITS).unwrap_or_default();
        }
        let mut pairs = Box::new([Pair::default(); 1 << PAIR_BITS]);
        for ((bits, pair), (length, step, value)) in (0usize..).zip(pairs.iter_mut()).zip(singles.iter()) {
            *pair = Pair { length: *length as u8, first_step: *step, second_step: 0, first: *value, second: 0 };
            if *length > 0 && *step < END {
                // What is left of the bits, as if zeros followed: it counts only where the code fits into what is left.
                let rest = (bits << *length) & ((1 << PAIR_BITS) - 1);
                if let Some((second, step, value)) = singles.get(rest).copied()
                    && second > 0
                    && second + *length <= PAIR_BITS
                {
                    pair.length += second as u8;
                    pair.second_step = step;
                    pair.second = value;
                }
            }
        }
        Pairs(pairs)
    }

    #[inline(always)]
    pub(super) fn at(&self, bits: u64) -> Pair {
        self.0.get((bits >> (64 - PAIR_BITS)) as usize).copied().unwrap_or_default()
    }
}

/// The coefficient coded at the front of `bits` of which only `known` count: bits, places moved on, value.
fn front(table: &Table, bits: u64, known: u32) -> Option<(u32, u8, i16)> {
    let code = table.code(bits);
    let (run, size) = (code.symbol >> 4, u32::from(code.symbol & 15));
    let length = code.length + size;
    if code.length == 0 || length > known || size > 10 {
        return None;
    }
    if size == 0 {
        return match run {
            0 => Some((length, END, 0)),
            15 => Some((length, 16, 0)),
            _ => None,
        };
    }
    let extra = ((bits << code.length) >> (64 - size)) as u32;
    Some((length, run + 1, extend(extra, size) as i16))
}
