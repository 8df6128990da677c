//! LZO1X, as btrfs keeps it: a length in all, then a segment for each sector of plain bytes.
//!
//! After the Linux kernel's `Documentation/staging/lzo.rst` (the stream) and `fs/btrfs/lzo.c` (the segments).

use crate::bytes::le_u32;

/// Bytes of a length.
const LENGTH: usize = 4;

/// The plain bytes of packed segments, at most `most`; `None` where they contradict themselves.
pub(super) fn unpack(packed: &[u8], sector: usize, most: usize) -> Option<Vec<u8>> {
    let size = |at: usize| usize::try_from(le_u32(packed, at)?).ok();
    // What is packed may be followed by zeros to the end of its sector.
    let end = size(0).filter(|n| *n <= packed.len())?;
    let (mut at, mut out) = (LENGTH, Vec::with_capacity(most));
    while at < end && out.len() < most {
        // A length does not cross the end of a sector.
        let left = sector.checked_sub(at % sector)?;
        if left < LENGTH {
            at = at.checked_add(left)?;
            continue;
        }
        let start = at.checked_add(LENGTH)?;
        let stop = start.checked_add(size(at)?).filter(|stop| *stop <= end)?;
        let room = sector.min(most.checked_sub(out.len())?);
        segment(packed.get(start..stop)?, &mut out, room)?;
        at = stop;
    }
    Some(out)
}

struct Segment<'a> {
    bytes: &'a [u8],
    at: usize,
    out: &'a mut Vec<u8>,
    /// Where this segment's plain bytes begin and may end; copies do not reach before.
    start: usize,
    end: usize,
}

impl Segment<'_> {
    fn next(&mut self) -> Option<usize> {
        let byte = self.bytes.get(self.at).copied()?;
        self.at = self.at.checked_add(1)?;
        Some(usize::from(byte))
    }

    /// A length of which the first bits were zero: 255 for each zero byte that follows, and the first other one.
    fn long(&mut self, base: usize) -> Option<usize> {
        let mut length = base;
        loop {
            match self.next()? {
                0 => length = length.checked_add(255)?,
                last => return length.checked_add(last),
            }
        }
    }

    fn literals(&mut self, count: usize) -> Option<()> {
        let stop = self.at.checked_add(count)?;
        if self.out.len().checked_add(count)? > self.end {
            return None;
        }
        self.out.extend_from_slice(self.bytes.get(self.at..stop)?);
        self.at = stop;
        Some(())
    }

    fn copy(&mut self, distance: usize, count: usize) -> Option<()> {
        let from = self.out.len().checked_sub(distance).filter(|from| *from >= self.start && distance > 0)?;
        if self.out.len().checked_add(count)? > self.end {
            return None;
        }
        for i in 0..count {
            let byte = self.out.get(from.checked_add(i)?).copied()?;
            self.out.push(byte);
        }
        Some(())
    }
}

/// Unpacks one segment to at most `room` bytes.
fn segment(bytes: &[u8], out: &mut Vec<u8>, room: usize) -> Option<()> {
    let start = out.len();
    let mut s = Segment { bytes, at: 0, out, start, end: start.checked_add(room)? };
    // How many plain bytes came before an instruction decides what the small ones mean: none, one to three, or a run.
    let mut before = 0;
    let first = s.bytes.first().copied().map(usize::from)?;
    if first > 17 {
        s.at = 1;
        s.literals(first - 17)?;
        before = (first - 17).min(4);
    }
    loop {
        let instruction = s.next()?;
        let (distance, count, behind) = match instruction {
            0..16 if before == 0 => {
                let run = if instruction == 0 { s.long(15)? } else { instruction };
                s.literals(run.checked_add(3)?)?;
                before = 4;
                continue;
            }
            0..16 => {
                let (base, count) = if before == 4 { (0x801, 3) } else { (1, 2) };
                (base + (instruction >> 2) + (s.next()? << 2), count, instruction & 3)
            }
            16..32 => {
                let count = if instruction & 7 == 0 { s.long(7)? } else { instruction & 7 };
                let word = s.next()? | s.next()? << 8;
                let distance = ((instruction & 8) << 11) + (word >> 2);
                if distance == 0 {
                    // The end, which stands at the end.
                    return (s.at == s.bytes.len()).then_some(());
                }
                (distance + 0x4000, count.checked_add(2)?, word & 3)
            }
            32..64 => {
                let count = if instruction & 31 == 0 { s.long(31)? } else { instruction & 31 };
                let word = s.next()? | s.next()? << 8;
                (1 + (word >> 2), count.checked_add(2)?, word & 3)
            }
            _ => {
                let distance = 1 + (instruction >> 2 & 7) + (s.next()? << 3);
                (distance, (instruction >> 5) + 1, instruction & 3)
            }
        };
        s.copy(distance, count)?;
        s.literals(behind)?;
        before = behind;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(stream: &[u8]) -> Vec<u8> {
        let mut out = u32::try_from(stream.len() + 8).unwrap().to_le_bytes().to_vec();
        out.extend(u32::try_from(stream.len()).unwrap().to_le_bytes());
        out.extend(stream);
        out
    }

    #[test]
    fn a_run_a_copy_and_the_end() {
        // Four plain bytes, then a copy of six from four back, then the end.
        let stream = [21, b'a', b'b', b'c', b'd', 36, 12, 0, 17, 0, 0];
        assert_eq!(unpack(&packed(&stream), 4096, 4096).unwrap(), b"abcdabcdab");
    }

    #[test]
    fn copies_from_before_the_beginning_and_too_much_are_refused() {
        assert_eq!(unpack(&packed(&[21, 1, 2, 3, 4, 36, 16, 0, 17, 0, 0]), 4096, 4096), None, "five back of four");
        assert_eq!(unpack(&packed(&[21, 1, 2, 3, 4, 36, 12, 0, 17, 0, 0]), 4096, 9), None, "ten bytes in nine");
        assert_eq!(unpack(&packed(&[21, 1, 2]), 4096, 4096), None, "cut");
        assert_eq!(unpack(&[0xff; 64], 4096, 4096), None);
    }
}
