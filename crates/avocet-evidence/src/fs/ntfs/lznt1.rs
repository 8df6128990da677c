//! LZNT1, the compression of NTFS files, after [MS-XCA] section 2.5.

/// Bytes a chunk stands for.
const CHUNK: usize = 4096;

/// Decodes one compression unit into `out` and returns how many bytes it stood for. A chunk shorter than 4096 bytes
/// with another behind it is filled up with zeros, as Windows does; bytes of `out` after the last chunk are untouched.
///
/// # Errors
/// A clause that says what is wrong; `out` holds no usable bytes then.
pub(super) fn decode(mut input: &[u8], out: &mut [u8]) -> Result<usize, &'static str> {
    let mut end = 0;
    for chunk in out.chunks_mut(CHUNK) {
        let Some((header, rest)) = input.split_first_chunk::<2>() else { return Ok(end) };
        let header = u16::from_le_bytes(*header);
        if header == 0 {
            return Ok(end);
        }
        if header & 0x7000 != 0x3000 {
            return Err("chunk without its signature");
        }
        let (body, rest) =
            rest.split_at_checked(usize::from(header & 0xfff) + 1).ok_or("chunk longer than its unit")?;
        input = rest;
        let written = if header & 0x8000 == 0 {
            let to = chunk.get_mut(..body.len()).ok_or("plain chunk longer than 4096 bytes")?;
            to.copy_from_slice(body);
            body.len()
        } else {
            decode_chunk(body, chunk)?
        };
        chunk.iter_mut().skip(written).for_each(|b| *b = 0);
        end += written;
        if written < chunk.len() {
            // The last chunk's fill does not count as decoded, but a following chunk's place does.
            if input.get(..2).is_none_or(|h| h == [0, 0]) {
                return Ok(end);
            }
            end += chunk.len() - written;
        }
    }
    Ok(end)
}

/// Decodes the body of one compressed chunk and returns its length.
fn decode_chunk(mut body: &[u8], out: &mut [u8]) -> Result<usize, &'static str> {
    let mut at = 0usize;
    while let Some((&flags, rest)) = body.split_first() {
        body = rest;
        for bit in 0..8 {
            if body.is_empty() {
                break;
            }
            if flags & (1 << bit) == 0 {
                let Some((&literal, rest)) = body.split_first() else { break };
                *out.get_mut(at).ok_or("chunk decodes to more than 4096 bytes")? = literal;
                at += 1;
                body = rest;
                continue;
            }
            let (token, rest) = body.split_first_chunk::<2>().ok_or("copy token cut off")?;
            body = rest;
            let token = usize::from(u16::from_le_bytes(*token));
            // The farther into the chunk, the more bits of a token are its distance: 4 up to byte 16, then one more
            // for each doubling.
            let before = at.checked_sub(1).ok_or("copy before the first byte")?;
            let length_bits = 12u32.saturating_sub((usize::BITS - (before >> 4).leading_zeros()).min(8));
            let distance = (token >> length_bits) + 1;
            let length = (token & ((1 << length_bits) - 1)) + 3;
            let from = at.checked_sub(distance).ok_or("copy from before the chunk")?;
            let area = out.get_mut(from..at + length).ok_or("chunk decodes to more than 4096 bytes")?;
            if distance >= length {
                let (source, target) = area.split_at_mut(distance);
                let source = source.get(..length).unwrap_or_default();
                target.iter_mut().zip(source).for_each(|(to, from)| *to = *from);
            } else {
                // Overlapping: each byte may be the copy of one written just now.
                for i in distance..area.len() {
                    let byte = area.get(i - distance).copied().unwrap_or_default();
                    if let Some(to) = area.get_mut(i) {
                        *to = byte;
                    }
                }
            }
            at += length;
        }
    }
    Ok(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(input: &[u8], room: usize) -> Result<Vec<u8>, &'static str> {
        let mut out = vec![0xcc; room];
        decode(input, &mut out).map(|n| out[..n].to_vec())
    }

    #[test]
    fn the_example_of_the_specification() {
        // [MS-XCA] section 3.3, the example of LZNT1.
        let input = [
            0x38, 0xb0, 0x88, 0x46, 0x23, 0x20, 0x00, 0x20, 0x47, 0x20, 0x41, 0x00, 0x10, 0xa2, 0x47, 0x01, 0xa0, 0x45,
            0x20, 0x44, 0x00, 0x08, 0x45, 0x01, 0x50, 0x79, 0x00, 0xc0, 0x45, 0x20, 0x05, 0x24, 0x13, 0x88, 0x05, 0xb4,
            0x02, 0x4a, 0x44, 0xef, 0x03, 0x58, 0x02, 0x8c, 0x09, 0x16, 0x01, 0x48, 0x45, 0x00, 0xbe, 0x00, 0x9e, 0x00,
            0x04, 0x01, 0x18, 0x90, 0x00,
        ];
        assert_eq!(
            String::from_utf8(plain(&input, 65_536).unwrap().into_iter().filter(|b| *b != 0).collect()).unwrap(),
            "F# F# G A A G F# E D D E F# F# E E F# F# G A A G F# E D D E F# E D D E E F# D E F# G F# D E F# G F# E D E A \
             F# F# G A A G F# E D D E F# E D D"
        );
    }

    #[test]
    fn plain_chunks_runs_and_short_chunks() {
        let stored: Vec<u8> = [&[0x02, 0x30][..], b"abc", &[0, 0]].concat();
        assert_eq!(plain(&stored, 65_536).unwrap(), b"abc");
        // One literal, then a copy of length 4095 from distance 1: a whole chunk of one byte.
        let run = [0x03, 0xb0, 0x02, b'z', 0xfc, 0x0f];
        assert_eq!(plain(&run, 65_536).unwrap(), vec![b'z'; 4096]);
        let two = [&run[..], &[0x01, 0x30, b'a', b'b']].concat();
        assert_eq!(plain(&two, 65_536).unwrap().len(), 4098);
        // A short chunk before another one is filled with zeros.
        let short = [&[0x00, 0x30, b'q'][..], &[0x00, 0x30, b'r']].concat();
        let got = plain(&short, 65_536).unwrap();
        assert_eq!((got.len(), got[0], got[1], got[4095], got[4096]), (4097, b'q', 0, 0, b'r'));
        assert_eq!(plain(&[], 4096).unwrap(), [0u8; 0]);
    }

    #[test]
    fn damage_is_an_error() {
        for bad in [
            &[0x03, 0xb0, 0x03, 0x00, 0x00, 0x00][..], // copy before the first byte
            &[0x03, 0xb0, 0x02, b'z', 0xff, 0xff],     // copy from before the chunk
            &[0x03, 0xb0, 0x02, b'z', 0xfd, 0x0f],     // 4097 bytes
            &[0x02, 0xb0, 0x02, b'z', 0xfc],           // token cut off
            &[0xff, 0xbf, 0x00],                       // chunk longer than the input
            &[0x02, 0x10, b'a', b'b', b'c'],           // no signature
        ] {
            assert!(plain(bad, 65_536).is_err(), "{bad:02x?}");
        }
    }

    #[test]
    fn any_bytes_end_without_a_panic() {
        let mut state = 1u64;
        for _ in 0..20_000 {
            let mut input = vec![0; 64];
            for b in &mut input {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                *b = (state >> 56) as u8;
            }
            input[0] = 0x3d;
            input[1] = 0xb0;
            let _ = plain(&input, 8192);
        }
    }
}
