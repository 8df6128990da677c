//! Apple property lists, binary and XML: what a backup says of itself and of each of its files.
//!
//! The binary form is a table of objects that refer to each other; a small file can so stand for more values than there
//! is memory. What is read of one list is therefore limited: [`MAX_VALUES`] values, nested [`MAX_DEPTH`] deep.

use quick_xml::events::Event;

use crate::bytes::{be_u16, be_u32, be_u64, u8_at};
use crate::sqlite::wide_text;

/// Values of one list read at most.
pub const MAX_VALUES: usize = 1 << 16;
/// How deep values may be nested.
pub const MAX_DEPTH: usize = 32;
/// Seconds from 1970 to 2001, where Apple's times begin.
const APPLE_EPOCH: i64 = 978_307_200;

/// A value of a property list. Text is UTF-8, with half a surrogate pair kept as the three bytes it would have.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing.
    Null,
    /// Yes or no.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A floating-point number.
    Real(f64),
    /// A time, in seconds since 1970.
    Date(i64),
    /// Bytes.
    Data(Vec<u8>),
    /// Text.
    Text(Vec<u8>),
    /// The number of another object (in archives of objects).
    Uid(u64),
    /// Several values.
    Array(Vec<Value>),
    /// Values by name, in their order.
    Dictionary(Vec<(Vec<u8>, Value)>),
}

impl Value {
    /// A value of a dictionary by its name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        match self {
            Self::Dictionary(items) => items.iter().find(|(key, _)| key == name.as_bytes()).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The whole number that this is.
    pub fn integer(&self) -> Option<i64> {
        match self {
            Self::Integer(n) => Some(*n),
            _ => None,
        }
    }

    /// The text that this is.
    pub fn text(&self) -> Option<&[u8]> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The object of an archive (`NSKeyedArchiver`) that this refers to, or this.
    pub fn resolve<'a>(&'a self, objects: &'a [Value]) -> Option<&'a Value> {
        match self {
            Self::Uid(n) => objects.get(usize::try_from(*n).ok()?),
            other => Some(other),
        }
    }
}

/// Reads a property list; `None` where it is none, is damaged, or exceeds the limits.
pub fn read(data: &[u8]) -> Option<Value> {
    if data.starts_with(b"bplist0") { binary(data) } else { xml(data) }
}

/// The objects of an archive and its root, as `NSKeyedArchiver` writes them.
pub fn archive(list: &Value) -> Option<(&Value, &[Value])> {
    let Some(Value::Array(objects)) = list.get("$objects") else { return None };
    let root = list.get("$top")?.get("root")?.resolve(objects)?;
    Some((root, objects))
}

struct Binary<'a> {
    data: &'a [u8],
    offset_size: usize,
    ref_size: usize,
    count: u64,
    table: usize,
    left: usize,
}

fn binary(data: &[u8]) -> Option<Value> {
    let trailer = data.len().checked_sub(32)?;
    let mut list = Binary {
        data,
        offset_size: usize::from(u8_at(data, trailer.checked_add(6)?)?),
        ref_size: usize::from(u8_at(data, trailer.checked_add(7)?)?),
        count: be_u64(data, trailer.checked_add(8)?)?,
        table: usize::try_from(be_u64(data, trailer.checked_add(24)?)?).ok()?,
        left: MAX_VALUES,
    };
    let root = be_u64(data, trailer.checked_add(16)?)?;
    if !(1..=8).contains(&list.offset_size) || !(1..=8).contains(&list.ref_size) {
        return None;
    }
    list.object(root, 0)
}

impl Binary<'_> {
    /// A big-endian number of 1 to 8 bytes.
    fn number(&self, at: usize, size: usize) -> Option<u64> {
        let bytes = self.data.get(at..at.checked_add(size)?).filter(|_| size <= 8)?;
        Some(bytes.iter().fold(0u64, |n, b| n << 8 | u64::from(*b)))
    }

    fn object(&mut self, number: u64, depth: usize) -> Option<Value> {
        self.left = self.left.checked_sub(1)?;
        if number >= self.count || depth > MAX_DEPTH {
            return None;
        }
        let entry = usize::try_from(number).ok()?.checked_mul(self.offset_size)?.checked_add(self.table)?;
        let at = usize::try_from(self.number(entry, self.offset_size)?).ok()?;
        let marker = u8_at(self.data, at)?;
        let low = usize::from(marker & 0xF);
        let body = at.checked_add(1)?;
        let data = self.data;
        match marker >> 4 {
            0 => match low {
                0 => Some(Value::Null),
                8 => Some(Value::Boolean(false)),
                9 => Some(Value::Boolean(true)),
                _ => None,
            },
            1 => match low {
                0..=3 => {
                    let size = 1usize << low;
                    let n = self.number(body, size)?;
                    // Only eight bytes carry a sign.
                    Some(Value::Integer(n.cast_signed()))
                }
                // Sixteen bytes hold an unsigned number of eight.
                4 => Some(Value::Integer(i64::try_from(self.number(body.checked_add(8)?, 8)?).ok()?)),
                _ => None,
            },
            2 => match low {
                2 => Some(Value::Real(f64::from(f32::from_bits(be_u32(data, body)?)))),
                3 => Some(Value::Real(f64::from_bits(be_u64(data, body)?))),
                _ => None,
            },
            3 => {
                let seconds = f64::from_bits(be_u64(data, body)?);
                // Casts of floats saturate; what is no number becomes 0.
                #[allow(clippy::cast_possible_truncation, reason = "whole seconds are meant")]
                Some(Value::Date((seconds as i64).saturating_add(APPLE_EPOCH)))
            }
            8 => Some(Value::Uid(self.number(body, low.checked_add(1)?)?)),
            kind @ (4..=6 | 10 | 12 | 13) => {
                let (count, body) = self.length(low, body)?;
                match kind {
                    4 => Some(Value::Data(data.get(body..body.checked_add(count)?)?.to_vec())),
                    5 => Some(Value::Text(data.get(body..body.checked_add(count)?)?.to_vec())),
                    6 => {
                        let bytes = data.get(body..body.checked_add(count.checked_mul(2)?)?)?;
                        Some(Value::Text(wide_text(bytes.chunks_exact(2).filter_map(|p| be_u16(p, 0)))))
                    }
                    10 | 12 => {
                        let mut items = vec![];
                        for i in 0..count {
                            items.push(self.referred(body, i, depth)?);
                        }
                        Some(Value::Array(items))
                    }
                    _ => {
                        let mut items = vec![];
                        for i in 0..count {
                            let Value::Text(key) = self.referred(body, i, depth)? else { return None };
                            items.push((key, self.referred(body, i.checked_add(count)?, depth)?));
                        }
                        Some(Value::Dictionary(items))
                    }
                }
            }
            _ => None,
        }
    }

    /// The length in the low half of a marker, or in the number that follows it; and where the content begins.
    fn length(&self, low: usize, body: usize) -> Option<(usize, usize)> {
        if low < 15 {
            return Some((low, body));
        }
        let marker = u8_at(self.data, body)?;
        let size = 1usize << (marker & 0xF);
        if marker >> 4 != 1 || size > 8 {
            return None;
        }
        let start = body.checked_add(1)?;
        Some((usize::try_from(self.number(start, size)?).ok()?, start.checked_add(size)?))
    }

    fn referred(&mut self, body: usize, index: usize, depth: usize) -> Option<Value> {
        let at = body.checked_add(index.checked_mul(self.ref_size)?)?;
        let number = self.number(at, self.ref_size)?;
        self.object(number, depth.checked_add(1)?)
    }
}

/// A container that is still open.
enum Open {
    Array(Vec<Value>),
    Dictionary(Vec<(Vec<u8>, Value)>, Option<Vec<u8>>),
}

fn xml(data: &[u8]) -> Option<Value> {
    let mut reader = quick_xml::Reader::from_reader(data);
    let mut stack: Vec<Open> = vec![];
    // The element whose text is being gathered.
    let mut leaf: Option<(Vec<u8>, Vec<u8>)> = None;
    let mut left = MAX_VALUES;
    loop {
        let value = match reader.read_event().ok()? {
            Event::Start(start) => {
                if leaf.is_some() {
                    return None;
                }
                match start.name().as_ref() {
                    b"plist" => {}
                    b"array" => stack.push(Open::Array(vec![])),
                    b"dict" => stack.push(Open::Dictionary(vec![], None)),
                    name => leaf = Some((name.to_vec(), vec![])),
                }
                if stack.len() > MAX_DEPTH {
                    return None;
                }
                continue;
            }
            Event::Empty(empty) => match empty.name().as_ref() {
                b"array" => Value::Array(vec![]),
                b"dict" => Value::Dictionary(vec![]),
                name => scalar(name, &[])?,
            },
            Event::Text(text) => {
                if let Some((_, gathered)) = &mut leaf {
                    gathered.extend_from_slice(&text);
                }
                continue;
            }
            Event::CData(text) => {
                if let Some((_, gathered)) = &mut leaf {
                    gathered.extend_from_slice(&text);
                }
                continue;
            }
            Event::GeneralRef(name) => {
                let c = match name.resolve_char_ref().ok()? {
                    Some(c) => c,
                    None => match &*name {
                        b"lt" => '<',
                        b"gt" => '>',
                        b"amp" => '&',
                        b"apos" => '\'',
                        b"quot" => '"',
                        _ => return None,
                    },
                };
                if let Some((_, gathered)) = &mut leaf {
                    gathered.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                }
                continue;
            }
            Event::End(end) => match (end.name().as_ref(), leaf.take()) {
                (b"plist", _) => continue,
                (b"key", Some((name, text))) if name == b"key" => {
                    match stack.last_mut() {
                        Some(Open::Dictionary(_, key)) => *key = Some(text),
                        _ => return None,
                    }
                    continue;
                }
                (name, Some((open, text))) if name == open => scalar(name, &text)?,
                (_, Some(_)) => return None,
                _ => match stack.pop()? {
                    Open::Array(items) => Value::Array(items),
                    Open::Dictionary(items, _) => Value::Dictionary(items),
                },
            },
            Event::Eof => return None,
            _ => continue,
        };
        left = left.checked_sub(1)?;
        match stack.last_mut() {
            None => return Some(value),
            Some(Open::Array(items)) => items.push(value),
            Some(Open::Dictionary(items, key)) => items.push((key.take()?, value)),
        }
    }
}

fn scalar(name: &[u8], text: &[u8]) -> Option<Value> {
    let plain = || std::str::from_utf8(text).ok().map(str::trim);
    Some(match name {
        b"string" => Value::Text(text.to_vec()),
        b"true" => Value::Boolean(true),
        b"false" => Value::Boolean(false),
        b"integer" => Value::Integer(plain()?.parse().ok()?),
        b"real" => Value::Real(plain()?.parse().ok()?),
        b"date" => Value::Date(date(plain()?)?),
        b"data" => Value::Data(base64(text)?),
        _ => return None,
    })
}

/// Seconds since 1970 of `2021-12-03T19:33:13Z`.
fn date(text: &str) -> Option<i64> {
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<u16>().ok();
    let small = |range| number(range).and_then(|n| u8::try_from(n).ok());
    let stamp = avocet_base::Stamp::from_civil(
        (number(0..4)?, small(5..7)?, small(8..10)?),
        (small(11..13)?, small(14..16)?, small(17..19)?),
        0,
        avocet_base::Zone::Utc,
    )?;
    Some(stamp.ns.div_euclid(1_000_000_000))
}

fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let (mut out, mut bits, mut held) = (vec![], 0u32, 0u32);
    for byte in text.iter().filter(|b| !b.is_ascii_whitespace() && **b != b'=') {
        let six = match byte {
            b'A'..=b'Z' => byte.wrapping_sub(b'A'),
            b'a'..=b'z' => byte.wrapping_sub(b'a').wrapping_add(26),
            b'0'..=b'9' => byte.wrapping_sub(b'0').wrapping_add(52),
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(six);
        held = held.saturating_add(6);
        if held >= 8 {
            held = held.saturating_sub(8);
            out.push(u8::try_from(bits >> held & 0xFF).ok()?);
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_xml_list_is_read_with_its_references() {
        let list = read(
            b"<?xml version=\"1.0\"?><!DOCTYPE plist><plist version=\"1.0\"><dict>\n<key>Name</key><string>A &amp; B&#10;</string>\
              <key>On</key><true/><key>N</key><integer>-5</integer><key>When</key><date>2021-12-03T19:33:13Z</date>\
              <key>Data</key><data>\nAAEC/w==\n</data><key>List</key><array><real>1.5</real><dict/></array></dict></plist>",
        )
        .unwrap();
        assert_eq!(list.get("Name").unwrap().text(), Some(&b"A & B\n"[..]));
        assert_eq!(list.get("On"), Some(&Value::Boolean(true)));
        assert_eq!(list.get("N").unwrap().integer(), Some(-5));
        assert_eq!(list.get("When"), Some(&Value::Date(1_638_559_993)));
        assert_eq!(list.get("Data"), Some(&Value::Data(vec![0, 1, 2, 255])));
        assert_eq!(list.get("List"), Some(&Value::Array(vec![Value::Real(1.5), Value::Dictionary(vec![])])));
    }

    #[test]
    fn what_is_no_list_is_none() {
        for text in
            ["", "text", "<plist><dict><key>a</key></dict>", "<dict><string>a</string></dict>", "<integer>x</integer>"]
        {
            let read = read(text.as_bytes());
            assert!(read.is_none() || text.starts_with("<plist>"), "{text}: {read:?}");
        }
        let deep = "<array>".repeat(MAX_DEPTH + 2);
        assert_eq!(read(deep.as_bytes()), None);
    }

    #[test]
    fn a_list_that_refers_to_itself_ends() {
        // One array of 14 references to itself.
        let mut bytes = b"bplist00".to_vec();
        bytes.push(0xAE);
        bytes.extend([0; 14]);
        let table = bytes.len() as u64;
        bytes.push(8);
        bytes.extend([0, 0, 0, 0, 0, 0, 1, 1]);
        bytes.extend(1u64.to_be_bytes());
        bytes.extend(0u64.to_be_bytes());
        bytes.extend(table.to_be_bytes());
        assert_eq!(read(&bytes), None);
    }
}
