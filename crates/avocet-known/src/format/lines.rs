//! Lines of bounded length from a byte stream.

use std::io::{self, BufRead};

/// Longest line that is read as one; what is longer is no line of a hash list.
const MAX_LINE: usize = 64 * 1024;

/// Reads lines without their ends (`\n` or `\r\n`), counting from 1.
pub(crate) struct Lines<R> {
    input: R,
    number: u64,
    line: Vec<u8>,
}

/// One line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line<'a> {
    Text(u64, &'a [u8]),
    /// Longer than 64 KiB; its content has been passed over.
    TooLong(u64),
}

impl<R: BufRead> Lines<R> {
    pub fn new(input: R) -> Lines<R> {
        Lines { input, number: 0, line: vec![] }
    }

    pub fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        self.line.clear();
        let (mut any, mut too_long) = (false, false);
        loop {
            let buffer = match self.input.fill_buf() {
                Ok(buffer) => buffer,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(e),
            };
            if buffer.is_empty() {
                break;
            }
            any = true;
            let end = buffer.iter().position(|b| *b == b'\n');
            let (part, used) = match end {
                Some(end) => (buffer.get(..end).unwrap_or_default(), end + 1),
                None => (buffer, buffer.len()),
            };
            if too_long || self.line.len() + part.len() > MAX_LINE {
                too_long = true;
            } else {
                self.line.extend_from_slice(part);
            }
            self.input.consume(used);
            if end.is_some() {
                break;
            }
        }
        if !any {
            return Ok(None);
        }
        self.number += 1;
        if too_long {
            return Ok(Some(Line::TooLong(self.number)));
        }
        let line = self.line.strip_suffix(b"\r").unwrap_or(&self.line);
        Ok(Some(Line::Text(self.number, line)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_and_lengths() {
        let mut data = b"a\r\n\nb".to_vec();
        data.extend(vec![b'x'; MAX_LINE]);
        data.extend(b"\nlast");
        let mut lines = Lines::new(io::BufReader::with_capacity(7, data.as_slice()));
        assert_eq!(lines.next().unwrap(), Some(Line::Text(1, b"a")));
        assert_eq!(lines.next().unwrap(), Some(Line::Text(2, b"")));
        assert_eq!(lines.next().unwrap(), Some(Line::TooLong(3)));
        assert_eq!(lines.next().unwrap(), Some(Line::Text(4, b"last")));
        assert_eq!(lines.next().unwrap(), None);
    }
}
