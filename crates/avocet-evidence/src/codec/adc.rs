//! ADC, Apple Data Compression: plain runs and two kinds of match, told apart by the first bits.
//!
//! After the public descriptions of Apple's disk images (libmodi's documentation of UDIF); the code is our own.

/// Decodes a block that yields at most `most` bytes; `None` where it contradicts itself.
pub(crate) fn decode(input: &[u8], most: usize) -> Option<Vec<u8>> {
    let mut out: Vec<u8> = Vec::with_capacity(most.min(1 << 20));
    let mut at = 0usize;
    while let Some(op) = input.get(at).copied() {
        let byte = |n: usize| input.get(at.checked_add(n)?).map(|b| usize::from(*b));
        let low = usize::from(op & 0x3F);
        let (used, length, back) = match op {
            0x80.. => {
                let length = usize::from(op & 0x7F).checked_add(1)?;
                let start = at.checked_add(1)?;
                let end = start.checked_add(length)?;
                if out.len().checked_add(length)? > most {
                    return None;
                }
                out.extend_from_slice(input.get(start..end)?);
                at = end;
                continue;
            }
            0x40.. => (3, low.checked_add(4)?, byte(1)? << 8 | byte(2)?),
            _ => (2, (low >> 2).checked_add(3)?, (low & 3) << 8 | byte(1)?),
        };
        let from = out.len().checked_sub(back.checked_add(1)?)?;
        if out.len().checked_add(length)? > most {
            return None;
        }
        for i in 0..length {
            // A match may reach into what it makes.
            out.push(*out.get(from.checked_add(i)?)?);
        }
        at = at.checked_add(used)?;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn operations_of_every_kind() {
        assert_eq!(decode(b"\x82abc", 99).unwrap(), b"abc");
        assert_eq!(decode(b"\x80a\x00\x00", 99).unwrap(), b"aaaa", "a short match of three at distance one");
        assert_eq!(decode(b"\x81ab\x41\x00\x01", 99).unwrap(), b"abababa", "a long match of five at distance two");
        assert_eq!(decode(b"", 9).unwrap(), b"");
        for bad in [&b"\x82ab"[..], b"\x00\x00", b"\x80a\x00\x01", b"\x80a\x40\x00"] {
            assert_eq!(decode(bad, 99), None, "{bad:?}");
        }
        assert_eq!(decode(b"\x82abc", 2), None, "more than allowed");
    }
}
