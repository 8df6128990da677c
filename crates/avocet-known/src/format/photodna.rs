//! PhotoDNA values as sets write them: 144 bytes, as 192 base64 characters or 288 hexadecimal digits, and sometimes
//! several in one text. What is inside them is not public; they are kept as they are and never computed.

use crate::record::hex;

/// Bytes of one value.
const VALUE: usize = 144;
/// Most values in one text; readers of case files were seen to make room for four.
const MOST: usize = 16;

/// Decodes one or several values from text and puts them behind `out`; false where the text is none, and `out` is then
/// as it was. Characters that are all hexadecimal digits are read as such where that makes whole values: random base64
/// of that length without any other letter does not happen.
pub(crate) fn decode(text: &[u8], out: &mut Vec<u8>) -> bool {
    let text = text.trim_ascii();
    let before = out.len();
    let most = before + MOST * VALUE;
    if text.is_empty() || text.len() > MOST * VALUE * 2 {
        return false;
    }
    let is_hex = text.len().is_multiple_of(2 * VALUE) && text.iter().all(u8::is_ascii_hexdigit);
    if is_hex {
        out.extend(text.as_chunks::<2>().0.iter().filter_map(|pair| hex::<1>(pair)).flatten());
    } else if !base64(text, out) {
        out.truncate(before);
        return false;
    }
    let got = out.len() - before;
    let whole = got > 0 && got.is_multiple_of(VALUE) && out.len() <= most;
    if !whole {
        out.truncate(before);
    }
    whole
}

/// Base64 (RFC 4648, section 4) of whole groups of three bytes, which 144 is; so there is no padding.
fn base64(text: &[u8], out: &mut Vec<u8>) -> bool {
    let (groups, rest) = text.as_chunks::<4>();
    if !rest.is_empty() {
        return false;
    }
    for group in groups {
        let mut bits = 0u32;
        for byte in group {
            let value = match byte {
                b'A'..=b'Z' => byte - b'A',
                b'a'..=b'z' => byte - b'a' + 26,
                b'0'..=b'9' => byte - b'0' + 52,
                b'+' => 62,
                b'/' => 63,
                _ => return false,
            };
            bits = (bits << 6) | u32::from(value);
        }
        let [_, bytes @ ..] = bits.to_be_bytes();
        out.extend_from_slice(&bytes);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Base64 by arithmetic over the whole number of bits, unlike the decoder's groups.
    fn encode(bytes: &[u8]) -> String {
        const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let bits: String = bytes.iter().map(|b| format!("{b:08b}")).collect();
        bits.as_bytes()
            .chunks(6)
            .map(|c| LETTERS[usize::from_str_radix(std::str::from_utf8(c).unwrap(), 2).unwrap()] as char)
            .collect()
    }

    #[test]
    fn one_and_several_values_in_both_spellings() {
        for values in [1, 2, 4, MOST] {
            let bytes: Vec<u8> = (0..values * VALUE).map(|i| (i * 89 + i / 7) as u8).collect();
            let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
            let texts = [encode(&bytes), hex.clone(), hex.to_uppercase(), format!(" {hex}\n")];
            assert_eq!(texts[0].len(), 192 * values);
            for text in texts {
                let mut out = vec![9];
                assert!(decode(text.as_bytes(), &mut out));
                assert!(out[1..] == bytes && out[0] == 9, "{text}");
            }
        }
    }

    #[test]
    fn what_is_none_leaves_nothing() {
        let long = "A".repeat(192 * (MOST + 1));
        let texts = ["", "A", &"A".repeat(191), &"A".repeat(188), &"=".repeat(192), &"0".repeat(286), &long];
        for text in texts {
            let mut out = vec![1, 2];
            assert!(!decode(text.as_bytes(), &mut out), "{text}");
            assert_eq!(out, [1, 2]);
        }
    }
}
