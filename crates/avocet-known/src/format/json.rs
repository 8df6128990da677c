//! JSON (RFC 8259) read in place: values are slices of the buffer, checked for their grammar and decoded only where
//! somebody asks. Strict, apart from text that is not UTF-8, which those who keep it deal with.

use std::borrow::Cow;

use crate::record::{Field, Hex, decimal, digest_field, flag_text, size_field};

/// Deepest nesting that is followed, as elsewhere in Rust; it bounds the stack.
const MAX_DEPTH: u32 = 127;

/// Why a value could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// It goes on beyond the bytes that are there.
    More,
    /// It is not JSON, or not what it should be.
    Bad(&'static str),
}

/// A string between its quotation marks, as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Text<'a> {
    pub raw: &'a [u8],
    pub escaped: bool,
}

impl<'a> Text<'a> {
    /// What the string says. Wrong bytes and lone halves of surrogate pairs become U+FFFD.
    pub fn decode(&self) -> Cow<'a, str> {
        let text = String::from_utf8_lossy(self.raw);
        if self.escaped { Cow::Owned(unescape(&text)) } else { text }
    }

    /// The string's bytes, where nothing in it had to be decoded.
    fn plain(&self) -> Option<&'a [u8]> {
        (!self.escaped).then_some(self.raw)
    }
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let mut chars = after.chars();
        let simple = match chars.next() {
            Some('n') => '\n',
            Some('t') => '\t',
            Some('r') => '\r',
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('u') => {
                let (c, used) = unicode_escape(after);
                out.push(c);
                rest = after.get(used..).unwrap_or_default();
                continue;
            }
            Some(c) => c,
            None => break,
        };
        out.push(simple);
        rest = chars.as_str();
    }
    out.push_str(rest);
    out
}

/// The character of `uXXXX`, or of the pair `uXXXX\uXXXX`, and how many bytes it took.
fn unicode_escape(text: &str) -> (char, usize) {
    let unit = |at: usize| text.get(at..at + 4).and_then(|t| u32::from_str_radix(t, 16).ok());
    let Some(first) = unit(1) else { return (char::REPLACEMENT_CHARACTER, 1) };
    let second = (text.get(5..7) == Some("\\u")).then(|| unit(7)).flatten();
    match (first, second) {
        (0xd800..0xdc00, Some(low @ 0xdc00..0xe000)) => {
            let code = 0x10000 + ((first - 0xd800) << 10) + (low - 0xdc00);
            (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 11)
        }
        _ => (char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), 5),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind<'a> {
    Null,
    Bool(bool),
    Number,
    Text(Text<'a>),
    Array,
    Object,
}

/// Any value: what it is and how it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Value<'a> {
    pub kind: Kind<'a>,
    pub raw: &'a [u8],
}

/// The largest whole number up to which every whole number has its own double.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl<'a> Value<'a> {
    /// A number written as one: whole and not negative. `1.5e3` is.
    fn whole(&self) -> Option<u64> {
        decimal(self.raw).or_else(|| {
            if !self.raw.iter().any(|b| matches!(b, b'.' | b'e' | b'E')) {
                return None;
            }
            let value: f64 = std::str::from_utf8(self.raw).ok()?.parse().ok()?;
            (value.fract() == 0.0 && (0.0..=EXACT).contains(&value)).then_some(value as u64)
        })
    }

    fn number_text(&self) -> String {
        self.whole().map_or_else(|| String::from_utf8_lossy(self.raw).into_owned(), |n| n.to_string())
    }

    pub fn digest<T: Hex>(&self) -> Field<T> {
        match self.kind {
            Kind::Null => Field::Absent,
            Kind::Text(text) => match text.plain() {
                Some(raw) => digest_field(raw),
                None => digest_field(text.decode().as_bytes()),
            },
            _ => Field::Bad,
        }
    }

    pub fn size(&self) -> Field<u64> {
        match self.kind {
            Kind::Null => Field::Absent,
            Kind::Number => self.whole().map_or(Field::Bad, Field::Is),
            Kind::Text(text) => size_field(text.decode().as_bytes()),
            _ => Field::Bad,
        }
    }

    /// `None` where it is neither true nor false.
    pub fn flag(&self) -> Option<bool> {
        match self.kind {
            Kind::Null => Some(false),
            Kind::Bool(on) => Some(on),
            Kind::Number => match self.whole() {
                Some(0) => Some(false),
                Some(1) => Some(true),
                _ => None,
            },
            Kind::Text(text) => flag_text(&text.decode()),
            _ => None,
        }
    }

    /// As text, such as a category code; `None` where there is nothing. What cannot be a code stays visible as one
    /// that no scheme lists.
    pub fn code(&self) -> Option<Cow<'a, str>> {
        match self.kind {
            Kind::Null => None,
            Kind::Bool(on) => Some(Cow::Borrowed(if on { "true" } else { "false" })),
            Kind::Number => match std::str::from_utf8(self.raw) {
                Ok(digits) if decimal(self.raw).is_some() => Some(Cow::Borrowed(digits)),
                _ => Some(Cow::Owned(self.number_text())),
            },
            Kind::Text(text) => match text.decode() {
                Cow::Borrowed(t) => Some(Cow::Borrowed(t.trim())),
                Cow::Owned(t) => Some(Cow::Owned(t.trim().to_owned())),
            }
            .filter(|t| !t.is_empty()),
            Kind::Array | Kind::Object => Some(Cow::Borrowed("(an object or array)")),
        }
    }

    /// A text, where it is one.
    pub fn text(&self) -> Option<Cow<'a, str>> {
        match self.kind {
            Kind::Text(text) => Some(text.decode()),
            _ => None,
        }
    }

    /// Whether it says nothing: null, an empty text, an empty array.
    pub fn is_nothing(&self) -> bool {
        match self.kind {
            Kind::Null => true,
            Kind::Text(text) => text.raw.is_empty(),
            _ => false,
        }
    }

    /// A cursor inside the value, for arrays and objects.
    pub fn inside(&self) -> Cursor<'a> {
        Cursor { data: self.raw, at: 1 }
    }
}

/// A place in JSON text.
pub(crate) struct Cursor<'a> {
    data: &'a [u8],
    at: usize,
}

/// Bytes at the beginning that stand for themselves in a string: not `"`, not `\`, not a control character.
pub(super) fn plain_length(text: &[u8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    // Eight bytes at a time: a byte of `found` has its high bit set where it is one of those. Borrows can only mark bytes
    // after the first, which are not looked at.
    let (words, rest) = text.as_chunks::<8>();
    for (number, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let is = |byte: u8| {
            let difference = word ^ (ONES * u64::from(byte));
            difference.wrapping_sub(ONES) & !difference
        };
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let found = (is(b'"') | is(b'\\') | control) & HIGH;
        if found != 0 {
            return number * 8 + (found.trailing_zeros() / 8) as usize;
        }
    }
    let tail = rest.iter().position(|b| *b < 0x20 || matches!(b, b'"' | b'\\')).unwrap_or(rest.len());
    words.len() * 8 + tail
}

impl<'a> Cursor<'a> {
    pub fn new(data: &'a [u8]) -> Cursor<'a> {
        Cursor { data, at: 0 }
    }

    /// Bytes read so far.
    pub fn position(&self) -> usize {
        self.at
    }

    fn peek(&self) -> Result<u8, Stop> {
        self.data.get(self.at).copied().ok_or(Stop::More)
    }

    pub fn blank(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.data.get(self.at) {
            self.at += 1;
        }
    }

    /// The next byte that is not blank, which stays.
    pub fn ahead(&mut self) -> Result<u8, Stop> {
        self.blank();
        self.peek()
    }

    /// Passes over one byte, which must be the one given.
    pub fn expect(&mut self, byte: u8, why: &'static str) -> Result<(), Stop> {
        if self.ahead()? != byte {
            return Err(Stop::Bad(why));
        }
        self.at += 1;
        Ok(())
    }

    /// In an object: the next name, with the cursor at its value, or `None` at the end.
    pub fn name(&mut self, first: bool) -> Result<Option<Text<'a>>, Stop> {
        let mut next = self.ahead()?;
        if next == b'}' {
            self.at += 1;
            return Ok(None);
        }
        if !first {
            self.expect(b',', "a comma or the end of an object should stand here")?;
            next = self.ahead()?;
        }
        if next != b'"' {
            return Err(Stop::Bad("a name in quotation marks should stand here"));
        }
        self.at += 1;
        let name = self.string()?;
        self.expect(b':', "a colon should stand here")?;
        self.blank();
        Ok(Some(name))
    }

    /// In an array: whether another element follows, with the cursor at it.
    pub fn element(&mut self, first: bool) -> Result<bool, Stop> {
        if self.ahead()? == b']' {
            self.at += 1;
            return Ok(false);
        }
        if !first {
            self.expect(b',', "a comma or the end of an array should stand here")?;
            self.blank();
        }
        Ok(true)
    }

    /// The string whose opening quotation mark has been passed.
    fn string(&mut self) -> Result<Text<'a>, Stop> {
        let start = self.at;
        let mut escaped = false;
        loop {
            self.at += plain_length(self.data.get(self.at..).unwrap_or_default());
            match self.peek()? {
                b'"' => {
                    let raw = self.data.get(start..self.at).unwrap_or_default();
                    self.at += 1;
                    return Ok(Text { raw, escaped });
                }
                b'\\' => {
                    escaped = true;
                    self.at += 1;
                    match self.peek()? {
                        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 1,
                        b'u' => {
                            self.at += 1;
                            for _ in 0..4 {
                                if !self.peek()?.is_ascii_hexdigit() {
                                    return Err(Stop::Bad("four hexadecimal digits should follow \\u"));
                                }
                                self.at += 1;
                            }
                        }
                        _ => return Err(Stop::Bad("no such escape in a string")),
                    }
                }
                _ => return Err(Stop::Bad("a control character in a string")),
            }
        }
    }

    fn digits(&mut self) -> Result<(), Stop> {
        let start = self.at;
        while self.peek()?.is_ascii_digit() {
            self.at += 1;
        }
        if self.at == start { Err(Stop::Bad("a digit should stand here")) } else { Ok(()) }
    }

    /// A number. It ends with the byte behind it, which must be there: no file of ours ends with a number.
    fn number(&mut self) -> Result<(), Stop> {
        if self.peek()? == b'-' {
            self.at += 1;
        }
        if self.peek()? == b'0' {
            self.at += 1;
            if self.peek()?.is_ascii_digit() {
                return Err(Stop::Bad("a number that begins with 0"));
            }
        } else {
            self.digits()?;
        }
        if self.peek()? == b'.' {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek()?, b'e' | b'E') {
            self.at += 1;
            if matches!(self.peek()?, b'+' | b'-') {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn word(&mut self, word: &'static [u8]) -> Result<(), Stop> {
        for byte in word {
            if self.peek()? != *byte {
                return Err(Stop::Bad("neither a value nor a word of JSON"));
            }
            self.at += 1;
        }
        Ok(())
    }

    /// Any value, with everything inside it.
    pub fn value(&mut self) -> Result<Value<'a>, Stop> {
        self.value_at(0)
    }

    fn value_at(&mut self, depth: u32) -> Result<Value<'a>, Stop> {
        if depth > MAX_DEPTH {
            return Err(Stop::Bad("nested more than 128 deep"));
        }
        let next = self.ahead()?;
        let start = self.at;
        let kind = match next {
            b'"' => {
                self.at += 1;
                Kind::Text(self.string()?)
            }
            b'-' | b'0'..=b'9' => {
                self.number()?;
                Kind::Number
            }
            b'{' => {
                self.at += 1;
                let mut first = true;
                while self.name(first)?.is_some() {
                    self.value_at(depth + 1)?;
                    first = false;
                }
                Kind::Object
            }
            b'[' => {
                self.at += 1;
                let mut first = true;
                while self.element(first)? {
                    self.value_at(depth + 1)?;
                    first = false;
                }
                Kind::Array
            }
            b't' => self.word(b"true").map(|()| Kind::Bool(true))?,
            b'f' => self.word(b"false").map(|()| Kind::Bool(false))?,
            b'n' => self.word(b"null").map(|()| Kind::Null)?,
            _ => return Err(Stop::Bad("a value should stand here")),
        };
        Ok(Value { kind, raw: self.data.get(start..self.at).unwrap_or_default() })
    }
}

#[cfg(test)]
mod tests;
