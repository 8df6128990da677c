//! Snappy blocks. After the project's `format_description.txt`; the code is our own.

/// Decodes a block that yields at most `most` bytes; `None` where it contradicts itself.
pub(crate) fn decode(input: &[u8], most: usize) -> Option<Vec<u8>> {
    let (mut at, mut length) = (0usize, 0usize);
    for shift in (0..35).step_by(7) {
        let byte = *input.get(at)?;
        at = at.checked_add(1)?;
        length |= usize::from(byte & 0x7F) << shift;
        if byte < 0x80 {
            break;
        }
    }
    if length > most {
        return None;
    }
    let mut out: Vec<u8> = Vec::with_capacity(length.min(1 << 20));
    let number = |at: usize, count: usize| {
        let bytes = input.get(at..at.checked_add(count)?)?;
        Some(bytes.iter().rev().fold(0usize, |n, b| n << 8 | usize::from(*b)))
    };
    while at < input.len() {
        let tag = usize::from(*input.get(at)?);
        at = at.checked_add(1)?;
        let high = tag >> 2;
        if tag & 3 == 0 {
            // Long runs keep their length in the next one to four bytes.
            let extra = high.saturating_sub(59);
            let count = if extra == 0 { high } else { number(at, extra)? }.checked_add(1)?;
            at = at.checked_add(extra)?;
            let end = at.checked_add(count)?;
            if out.len().checked_add(count)? > length {
                return None;
            }
            out.extend_from_slice(input.get(at..end)?);
            at = end;
            continue;
        }
        let (count, bytes) = match tag & 3 {
            1 => ((high & 7).checked_add(4)?, 1),
            2 => (high.checked_add(1)?, 2),
            _ => (high.checked_add(1)?, 4),
        };
        let mut back = number(at, bytes)?;
        if bytes == 1 {
            back |= tag >> 5 << 8;
        }
        at = at.checked_add(bytes)?;
        if out.len().checked_add(count)? > length {
            return None;
        }
        let from = out.len().checked_sub(back).filter(|_| back > 0)?;
        for i in 0..count {
            // A match may reach into what it makes.
            out.push(*out.get(from.checked_add(i)?)?);
        }
    }
    (out.len() == length).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn literals_and_matches_of_every_kind() {
        assert_eq!(decode(b"\x03\x08abc", 9).unwrap(), b"abc");
        assert_eq!(decode(b"\x06\x00a\x05\x01", 9).unwrap(), b"aaaaaa", "a match of five at distance one");
        assert_eq!(decode(b"\x05\x04ab\x0a\x02\0", 9).unwrap(), b"ababa");
        assert_eq!(decode(b"\x05\x04ab\x0b\x02\0\0\0", 9).unwrap(), b"ababa");
        let long = [&b"\x64\xf0\x63"[..], &[7; 100]].concat();
        assert_eq!(decode(&long, 100).unwrap(), [7; 100]);
        let long = [&b"\x64\xf4\x63\0"[..], &[7; 100]].concat();
        assert_eq!(decode(&long, 100).unwrap(), [7; 100]);
        for bad in [
            &b""[..],
            b"\x03\x08ab",
            b"\x04\x08abc",
            b"\x02\x08abc",
            b"\x06\x00a\x05\x02",
            b"\x06\x00a\x05\x00",
            b"\xff\xff\xff\xff\xff",
        ] {
            assert_eq!(decode(bad, 99), None, "{bad:?}");
        }
        assert_eq!(decode(b"\x03\x08abc", 2), None, "more than allowed");
    }
}
