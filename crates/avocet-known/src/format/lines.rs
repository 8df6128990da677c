//! Lines of bounded length from a set's file.

use memchr::memchr;

use super::extra::{Extra, REPLACED};
use super::input::{Input, Short};
use super::is_blank_or_comment;
use crate::error::KnownError;
use crate::intake::Intake;
use crate::record::RawRecord;

/// Longest line that is read as one; what is longer is no line of a hash list.
pub(crate) const MAX_LINE: usize = 64 * 1024;

/// Reads lines without their ends (`\n` or `\r\n`), counting from 1.
pub(crate) struct Lines<'i> {
    input: &'i mut Input,
    number: u64,
    used: usize,
}

/// One line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    /// From 1.
    pub number: u64,
    /// Byte of the file at which it begins.
    pub offset: u64,
    /// `None` where it is longer than 64 KiB; its content has been passed over.
    pub text: Option<&'a [u8]>,
}

impl<'i> Lines<'i> {
    pub fn new(input: &'i mut Input) -> Lines<'i> {
        Lines { input, number: 0, used: 0 }
    }

    /// Byte of the file at which the next line begins.
    pub fn offset(&self) -> u64 {
        self.input.offset() + self.used as u64
    }

    pub fn next(&mut self) -> Result<Option<Line<'_>>, Short> {
        self.input.consume(self.used);
        self.used = 0;
        let offset = self.input.offset();
        let mut looked = 0;
        let mut too_long = false;
        let (length, used) = loop {
            let data = self.input.data();
            match memchr(b'\n', data.get(looked..).unwrap_or_default()) {
                Some(at) => break (looked + at, looked + at + 1),
                None => looked = data.len(),
            }
            if looked > MAX_LINE {
                too_long = true;
                self.input.consume(looked);
                looked = 0;
            }
            if !self.input.more()? {
                if looked == 0 && !too_long {
                    return Ok(None);
                }
                break (looked, looked);
            }
        };
        self.number += 1;
        self.used = used;
        let text = self.input.data().get(..length).unwrap_or_default();
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let fits = !too_long && text.len() <= MAX_LINE;
        Ok(Some(Line { number: self.number, offset, text: fits.then_some(text) }))
    }
}

/// Reads a list of one record a line. `record` is given every line that is neither blank nor a comment: it answers what
/// the line states, with everything else that stands there put into the [`Extra`], or why the line is no record.
pub(crate) fn each_record(
    input: &mut Input,
    intake: &mut Intake<'_>,
    mut record: impl FnMut(&[u8], &mut Extra) -> Result<RawRecord<'static>, &'static str>,
) -> Result<(), KnownError> {
    intake.count_by("line");
    let mut lines = Lines::new(input);
    let mut extra = Extra::default();
    loop {
        let at = lines.offset();
        let line = lines.next().map_err(|e| e.error(intake, at))?;
        let Some(Line { number: place, offset, text }) = line else { return Ok(()) };
        let Some(text) = text else {
            intake.reject("line longer than 64 KiB", place);
            continue;
        };
        if is_blank_or_comment(text) {
            continue;
        }
        extra.clear();
        let record = match record(text, &mut extra) {
            Ok(record) => record,
            Err(reason) => {
                intake.reject(reason, place);
                continue;
            }
        };
        let (extra, replaced) = extra.finish();
        if replaced {
            intake.note(REPLACED, place);
        }
        intake.add(&RawRecord { place, offset, extra, ..record })?;
    }
}

impl Drop for Lines<'_> {
    fn drop(&mut self) {
        self.input.consume(self.used);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::Meter;
    use std::io::Write as _;

    #[test]
    fn ends_and_lengths() {
        let mut data = b"a\r\n\nb".to_vec();
        data.extend(vec![b'x'; MAX_LINE]);
        data.push(b'\n');
        data.extend(vec![b'y'; 3 << 20]);
        data.extend(b"\nlast");
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&data).unwrap();
        std::io::Seek::rewind(&mut file).unwrap();
        let mut input = Input::new(file, std::rc::Rc::new(Meter::default())).unwrap();
        let mut lines = Lines::new(&mut input);
        let line = |number, offset, text| Some(Line { number, offset, text });
        assert_eq!(lines.next().unwrap(), line(1, 0, Some(b"a")));
        assert_eq!(lines.next().unwrap(), line(2, 3, Some(b"")));
        assert_eq!(lines.next().unwrap(), line(3, 4, None));
        let third = 4 + 1 + MAX_LINE as u64 + 1;
        assert_eq!(lines.next().unwrap(), line(4, third, None));
        assert_eq!(lines.next().unwrap(), line(5, third + (3 << 20) + 1, Some(b"last")));
        assert_eq!(lines.next().unwrap(), None);
        assert_eq!(lines.next().unwrap(), None);
    }
}
