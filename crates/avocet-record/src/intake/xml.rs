//! XML into leaves. Entities that a document defines for itself are never expanded: they are how small files become
//! large ones and how files elsewhere are read.

use std::collections::BTreeMap;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::Reading;

/// The deepest nesting that is followed.
const MAX_DEPTH: usize = 256;

#[derive(Default)]
struct Element {
    path: String,
    text: String,
    line: u64,
    children: BTreeMap<String, u64>,
}

/// Counts lines as the reader goes on.
struct Lines<'a> {
    text: &'a str,
    at: usize,
    line: u64,
}

impl Lines<'_> {
    fn at(&mut self, position: u64) -> u64 {
        let position = usize::try_from(position).unwrap_or(usize::MAX).min(self.text.len());
        let between = self.text.as_bytes().get(self.at..position).unwrap_or_default();
        let breaks = between.iter().filter(|b| **b == b'\n').count();
        self.line = self.line.saturating_add(u64::try_from(breaks).unwrap_or(u64::MAX));
        self.at = self.at.max(position);
        self.line
    }
}

/// Reads every leaf.
pub fn read(text: &str, out: &mut Reading) {
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = true;
    let mut lines = Lines { text, at: 0, line: 1 };
    let mut stack: Vec<Element> = vec![Element::default()];
    loop {
        let before = reader.buffer_position();
        let event = reader.read_event();
        let line = lines.at(before);
        match event {
            Ok(Event::Start(start)) => {
                if stack.len() > MAX_DEPTH {
                    out.problem(
                        line,
                        "elements lie deeper than 256 within one another; what follows is read in the original",
                    );
                    break;
                }
                open(&start, line, &mut stack, out);
            }
            Ok(Event::Empty(start)) => {
                open(&start, line, &mut stack, out);
                close(&mut stack, out);
            }
            Ok(Event::End(_)) => close(&mut stack, out),
            Ok(Event::Text(part)) => add(&mut stack, &part.decode().unwrap_or_default()),
            Ok(Event::CData(part)) => add(&mut stack, &part.decode().unwrap_or_default()),
            Ok(Event::GeneralRef(name)) => match name.resolve_char_ref() {
                Ok(Some(character)) => add(&mut stack, character.encode_utf8(&mut [0; 4])),
                _ => {
                    let name = name.decode().unwrap_or_default().into_owned();
                    match quick_xml::escape::resolve_predefined_entity(&name) {
                        Some(text) => add(&mut stack, text),
                        None => {
                            add(&mut stack, &format!("&{name};"));
                            out.problem(line, "an entity of the document's own is not expanded; its name is kept");
                        }
                    }
                }
            },
            Ok(Event::Comment(part)) => {
                let path = stack.last().map_or_else(String::new, |top| format!("{}/comment()", top.path));
                out.field(path, line, part.decode().unwrap_or_default().into_owned());
            }
            Ok(Event::DocType(_)) => {
                out.problem(line, "it holds a document type, which is not followed; compare with the original");
            }
            Ok(Event::Decl(_) | Event::PI(_)) => {}
            Ok(Event::Eof) => {
                if stack.len() > 1 {
                    out.problem(line, "it ends before its elements do: it was cut off. Ask for it again");
                }
                break;
            }
            Err(_) => {
                out.problem(line, "it is no well-formed XML from here on; read the rest in the original");
                break;
            }
        }
    }
    // What was open when the reading stopped is told too.
    while stack.len() > 1 {
        close(&mut stack, out);
    }
}

fn add(stack: &mut [Element], text: &str) {
    if let Some(top) = stack.last_mut() {
        top.text.push_str(text);
    }
}

/// A name without its prefix.
fn local(name: &[u8]) -> String {
    let name = String::from_utf8_lossy(name);
    name.rsplit(':').next().unwrap_or(&name).to_owned()
}

fn open(start: &BytesStart<'_>, line: u64, stack: &mut Vec<Element>, out: &mut Reading) {
    let name = local(start.name().as_ref());
    let (above, number) = match stack.last_mut() {
        Some(top) => {
            let number = top.children.entry(name.clone()).or_insert(0);
            *number = number.saturating_add(1);
            (top.path.clone(), *number)
        }
        None => (String::new(), 1),
    };
    let step = if number > 1 { format!("{name}[{number}]") } else { name };
    let path = if above.is_empty() { step } else { format!("{above}/{step}") };
    for attribute in start.attributes().with_checks(false) {
        let Ok(attribute) = attribute else {
            out.problem(line, "an attribute cannot be read; look at it in the original");
            continue;
        };
        let key = attribute.key.as_ref();
        if key == b"xmlns" || key.starts_with(b"xmlns:") {
            continue;
        }
        let raw = String::from_utf8_lossy(&attribute.value).into_owned();
        let value = quick_xml::escape::unescape(&raw).map(std::borrow::Cow::into_owned);
        let value = value.unwrap_or_else(|_| {
            out.problem(line, "an entity in an attribute is not expanded; its name is kept");
            raw
        });
        out.field(format!("{path}/@{}", local(key)), line, value);
    }
    stack.push(Element { path, line, ..Element::default() });
}

fn close(stack: &mut Vec<Element>, out: &mut Reading) {
    if stack.len() < 2 {
        return;
    }
    if let Some(Element { path, text, line, children }) = stack.pop()
        && (children.is_empty() || !text.trim().is_empty())
    {
        out.field(path, line, text);
    }
}
