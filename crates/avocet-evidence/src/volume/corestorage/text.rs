//! The lists of properties that CoreStorage keeps: XML in which a value may refer to an earlier one by its number.

use std::collections::HashMap;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use quick_xml::events::{BytesStart, Event};

/// Values of one list at most, and how deep they may be nested.
const MOST_VALUES: usize = 16_384;
const MOST_DEPTH: usize = 16;
/// Bytes of a value that another one may refer to.
const MOST_REFERRED: usize = 256;

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// Text, a number or encoded bytes, as they are written.
    Text(String),
    Array(Vec<Value>),
    Dictionary(Vec<(String, Value)>),
}

impl Value {
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        match self {
            Self::Dictionary(items) => items.iter().find(|(key, _)| key == name).map(|(_, value)| value),
            _ => None,
        }
    }

    pub(super) fn items(&self) -> &[Value] {
        match self {
            Self::Array(items) => items,
            _ => &[],
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A number, which is written in hexadecimal digits.
    pub(super) fn number(&self) -> Option<u64> {
        let text = self.text()?.trim();
        match text.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16).ok(),
            None => text.parse().ok(),
        }
    }

    pub(super) fn bytes(&self) -> Option<Vec<u8>> {
        let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
        let text: String = self.text()?.split_whitespace().collect();
        GeneralPurpose::new(&STANDARD, config).decode(text).ok()
    }

    /// An identifier of 16 bytes.
    pub(super) fn identifier(&self) -> Option<[u8; 16]> {
        let digits: String = self.text()?.trim().chars().filter(|c| *c != '-').collect();
        (digits.len() == 32).then(|| u128::from_str_radix(&digits, 16).ok()).flatten().map(u128::to_be_bytes)
    }
}

/// An element whose text is being gathered.
struct Leaf {
    name: Vec<u8>,
    /// The number by which others may refer to it.
    id: Option<Vec<u8>>,
    text: Vec<u8>,
}

enum Open {
    Array(Vec<Value>),
    Dictionary(Vec<(String, Value)>, Option<String>),
}

fn attribute(start: &BytesStart<'_>, name: &[u8]) -> Option<Vec<u8>> {
    start.attributes().flatten().find(|a| a.key.as_ref() == name).map(|a| a.value.to_vec())
}

/// Reads a list; `None` where it is none, is damaged, or exceeds the limits.
pub(super) fn read(data: &[u8]) -> Option<Value> {
    let mut reader = quick_xml::Reader::from_reader(data);
    let mut stack: Vec<Open> = vec![];
    let mut known: HashMap<Vec<u8>, String> = HashMap::new();
    let mut leaf: Option<Leaf> = None;
    let mut left = MOST_VALUES;
    loop {
        let value = match reader.read_event().ok()? {
            Event::Start(start) if leaf.is_none() => {
                match start.name().as_ref() {
                    b"plist" => {}
                    b"array" => stack.push(Open::Array(vec![])),
                    b"dict" => stack.push(Open::Dictionary(vec![], None)),
                    name => leaf = Some(Leaf { name: name.to_vec(), id: attribute(&start, b"ID"), text: vec![] }),
                }
                if stack.len() > MOST_DEPTH {
                    return None;
                }
                continue;
            }
            Event::Start(_) => return None,
            Event::Empty(empty) => match empty.name().as_ref() {
                b"array" => Value::Array(vec![]),
                b"dict" => Value::Dictionary(vec![]),
                // What it refers to may be a list of its own, or longer than is repeated: then it is empty.
                b"reference" => Value::Text(known.get(&attribute(&empty, b"IDREF")?).cloned().unwrap_or_default()),
                name => Value::Text(String::from_utf8(name.to_vec()).ok()?),
            },
            Event::Text(text) => {
                if let Some(leaf) = &mut leaf {
                    leaf.text.extend_from_slice(&text);
                }
                continue;
            }
            Event::End(end) => match (end.name().as_ref(), leaf.take()) {
                (b"plist", None) => continue,
                (name, Some(Leaf { name: open, id, text })) if name == open => {
                    let text = String::from_utf8(text).ok()?;
                    if name == b"key" {
                        let Some(Open::Dictionary(_, key)) = stack.last_mut() else { return None };
                        *key = Some(text);
                        continue;
                    }
                    if let Some(id) = id.filter(|_| text.len() <= MOST_REFERRED) {
                        known.insert(id, text.clone());
                    }
                    Value::Text(text)
                }
                (_, Some(_)) => return None,
                _ => match stack.pop()? {
                    Open::Array(items) => Value::Array(items),
                    Open::Dictionary(items, _) => Value::Dictionary(items),
                },
            },
            Event::Eof => return None,
            // Names and hints may hold what stands for another character; nothing that is used here does.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_may_refer_to_an_earlier_one() {
        let list =
            b"<dict ID=\"0\"><key>a</key><integer size=\"32\" ID=\"1\">0x1F</integer><key>b</key><array ID=\"2\">\
            <reference IDREF=\"1\"/><data ID=\"3\">AQI=</data></array><key>c</key><reference IDREF=\"9\"/><key>d</key>\
            <string ID=\"4\">33A76CAA-1481-4BC5-8D04-1AC1707C19C0</string></dict>\0\0";
        let list = read(list).unwrap();
        assert_eq!(list.get("a").unwrap().number(), Some(31));
        let items = list.get("b").unwrap().items();
        assert_eq!((items[0].number(), items[1].bytes().unwrap()), (Some(31), vec![1, 2]));
        assert_eq!(list.get("c").unwrap().text(), Some(""));
        assert_eq!(list.get("d").unwrap().identifier().unwrap()[..3], [0x33, 0xA7, 0x6C]);
    }

    #[test]
    fn hostile_lists_end() {
        assert!(read(&b"<dict>".repeat(40)).is_none());
        assert!(read(&b"<array><true/>".repeat(10)).is_none());
        let many = [&b"<array>"[..], &b"<true/>".repeat(20_000), b"</array>"].concat();
        assert!(read(&many).is_none());
        for list in ["", "<key>a</key>", "<dict><string>a</string></dict>", "<a><b></b></a>", "</dict>", "<dict"] {
            assert!(read(list.as_bytes()).is_none(), "{list}");
        }
    }
}
