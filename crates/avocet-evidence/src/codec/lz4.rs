//! LZ4 blocks: literals and matches by turns. After the project's `lz4_Block_format.md`; the code is our own.

/// Decodes a block that yields at most `most` bytes; `None` where it contradicts itself.
pub(crate) fn decode(input: &[u8], most: usize) -> Option<Vec<u8>> {
    let mut out: Vec<u8> = Vec::with_capacity(most.min(1 << 20));
    let mut at = 0usize;
    // A length of fifteen goes on in bytes, until one that is not 255.
    let long = |at: &mut usize, first: usize| {
        let mut length = first;
        if first == 15 {
            loop {
                let byte = *input.get(*at)?;
                *at = at.checked_add(1)?;
                length = length.checked_add(usize::from(byte))?;
                if byte != 255 {
                    break;
                }
            }
        }
        Some(length)
    };
    loop {
        let token = usize::from(*input.get(at)?);
        at = at.checked_add(1)?;
        let literals = long(&mut at, token >> 4)?;
        let end = at.checked_add(literals)?;
        if out.len().checked_add(literals)? > most {
            return None;
        }
        out.extend_from_slice(input.get(at..end)?);
        at = end;
        if at == input.len() {
            // The last sequence has no match.
            return Some(out);
        }
        let next = at.checked_add(1)?;
        let back = usize::from(*input.get(at)?) | usize::from(*input.get(next)?) << 8;
        at = next.checked_add(1)?;
        let length = long(&mut at, token & 15)?.checked_add(4)?;
        if out.len().checked_add(length)? > most {
            return None;
        }
        let from = out.len().checked_sub(back).filter(|_| back > 0)?;
        for i in 0..length {
            // A match may reach into what it makes.
            out.push(*out.get(from.checked_add(i)?)?);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn literals_matches_and_long_lengths() {
        assert_eq!(decode(b"\x30abc", 9).unwrap(), b"abc");
        assert_eq!(
            decode(b"\x14a\x01\0\x00", 99).unwrap(),
            b"aaaaaaaaa",
            "a match of eight at distance one, and nothing"
        );
        let long = [&b"\xf0\x05"[..], &[7; 20]].concat();
        assert_eq!(decode(&long, 99).unwrap(), [7; 20]);
        assert_eq!(decode(b"\x1fa\x01\0\xff\x00\x10b", 999).unwrap(), [&[b'a'; 1 + 19 + 255][..], b"b"].concat());
        for bad in [&b""[..], b"\x30ab", b"\x10a\x02\0\x00", b"\x10a\x00\0\x00", b"\x10a\x01\0", b"\xf0\xff"] {
            assert_eq!(decode(bad, 99), None, "{bad:?}");
        }
        assert_eq!(decode(b"\x30abc", 2), None, "more than allowed");
    }
}
