//! LZVN, the byte-oriented half of Apple's LZFSE: literals and matches told apart by the first byte of each operation.
//!
//! After the description in Apple's reference implementation (BSD licence); the code is our own.

/// Decodes a block that yields at most `most` bytes; `None` where it contradicts itself or does not end.
pub(crate) fn decode(input: &[u8], most: usize) -> Option<Vec<u8>> {
    let mut out: Vec<u8> = Vec::with_capacity(most.min(1 << 20));
    append(input, &mut out, most)?;
    Some(out)
}

/// As [`decode`], behind what `out` already holds, to which its matches may reach; `out` has at most `most` bytes then.
pub(super) fn append(input: &[u8], out: &mut Vec<u8>, most: usize) -> Option<()> {
    let (mut at, mut distance) = (0usize, 0usize);
    loop {
        let op = usize::from(*input.get(at)?);
        let byte = |n: usize| input.get(at.checked_add(n)?).map(|b| usize::from(*b));
        // Operation length, literals, match length, distance where it is a new one.
        let (length, literals, matched, new) = match op {
            0x06 => return Some(()),
            0x0E | 0x16 => (1, 0, 0, None),
            // Undefined.
            0x1E | 0x26 | 0x2E | 0x36 | 0x3E | 0x70..=0x7F | 0xD0..=0xDF => return None,
            0xE0 => (2, byte(1)? + 16, 0, None),
            0xE1..=0xEF => (1, op & 0xF, 0, None),
            0xF0 => (2, 0, byte(1)? + 16, None),
            0xF1..=0xFF => (1, 0, op & 0xF, None),
            // Medium distance.
            0xA0..=0xBF => {
                let (one, two) = (byte(1)?, byte(2)?);
                (3, op >> 3 & 3, ((op & 7) << 2 | one & 3) + 3, Some(one >> 2 | two << 6))
            }
            // The distance of the match before.
            _ if op & 7 == 6 => (1, op >> 6, (op >> 3 & 7) + 3, None),
            // Large distance.
            _ if op & 7 == 7 => (3, op >> 6, (op >> 3 & 7) + 3, Some(byte(1)? | byte(2)? << 8)),
            // Small distance.
            _ => (2, op >> 6, (op >> 3 & 7) + 3, Some((op & 7) << 8 | byte(1)?)),
        };
        at = at.checked_add(length)?;
        let end = at.checked_add(literals)?;
        if out.len().checked_add(literals)?.checked_add(matched)? > most {
            return None;
        }
        out.extend_from_slice(input.get(at..end)?);
        at = end;
        if let Some(new) = new {
            distance = new;
        }
        if matched > 0 {
            let from = out.len().checked_sub(distance).filter(|_| distance > 0)?;
            for i in 0..matched {
                // A match may reach into what it makes.
                out.push(*out.get(from.checked_add(i)?)?);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn operations_of_every_kind() {
        let end = [6, 0, 0, 0, 0, 0, 0, 0];
        let case = |ops: &[u8]| decode(&[ops, &end].concat(), 1000);
        assert_eq!(case(b"\xe3abc").unwrap(), b"abc");
        // One literal and a match of three at distance one: small distance.
        assert_eq!(case(b"\x40\x01a").unwrap(), b"aaaa");
        // The match before again.
        assert_eq!(case(b"\x40\x01a\xf2").unwrap(), b"aaaaaa");
        assert_eq!(case(b"\x40\x01a\x46b").unwrap(), b"aaaabbbb");
        // Large distance.
        assert_eq!(case(b"\xe3abc\x47\x04\x00d").unwrap(), b"abcdabc");
        // Medium distance: no literal, three bytes, distance two.
        assert_eq!(case(b"\xe2xy\xa0\x08\x00").unwrap(), b"xyxyx");
        let long: Vec<u8> = [&[0xe0, 4][..], &[7; 20]].concat();
        assert_eq!(case(&long).unwrap(), [7; 20]);
        assert_eq!(case(b"\x40\x01a\xf0\x00").unwrap(), [b'a'; 20]);
        for bad in [&b"\x00\x05"[..], b"\xe5ab", b"\x70", b"\x40\x00a"] {
            assert_eq!(decode(bad, 1000), None, "{bad:?}");
        }
        assert_eq!(decode(&[b"\xe3abc".as_slice(), &end].concat(), 2), None, "more than allowed");
    }
}
