//! The text of a lead, whatever it is written in.

/// The text of a file: UTF-16 by its mark, else UTF-8; and what is wrong with it.
pub fn decode(bytes: &[u8]) -> (String, Option<&'static str>) {
    let sixteen = |rest: &[u8], read: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = rest.chunks_exact(2).filter_map(|pair| pair.try_into().ok()).map(read).collect();
        let odd = rest.len() % 2 == 1;
        match String::from_utf16(&units) {
            Ok(text) if !odd => (text, None),
            Ok(text) => (text, Some("it ends within a UTF-16 character; ask for it again")),
            Err(_) => {
                (String::from_utf16_lossy(&units), Some("some of its UTF-16 is broken; compare with the original"))
            }
        }
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => sixteen(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => sixteen(rest, u16::from_be_bytes),
        bytes => match std::str::from_utf8(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)) {
            Ok(text) => (text.to_owned(), None),
            Err(_) => (
                String::from_utf8_lossy(bytes).into_owned(),
                Some("it is not UTF-8: some characters are shown as \u{fffd}; compare with the original"),
            ),
        },
    }
}
