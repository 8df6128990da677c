//! XMP (ISO 16684-1): a tolerant scan of RDF/XML for the properties that [`super::xmp_map`] names.
//!
//! Not a validating parser: packets in the wild are cut, mixed and wrongly closed, and what can be read of them is
//! evidence. Properties count only at the top of a resource: what stands inside structures (history, ingredients,
//! derived-from) describes other files.

use std::borrow::Cow;

use super::gather::Gather;
use super::problem::ProblemCode;
use super::text::MAX_VALUE;
use super::view::Order;
use super::xmp_map::{Namespace, Properties};

/// Depth of elements that is followed; XMP needs about ten.
const MAX_DEPTH: usize = 64;
/// Namespaces declared at a time.
const MAX_NAMES: usize = 64;

/// Reads one packet.
pub(super) fn read(data: &[u8], out: &mut Gather) {
    if !out.may_read_block(0) || !out.may_read_text(data.len()) {
        return;
    }
    let text = decode(data);
    let mut scan = Scan { names: Vec::new(), stack: Vec::new(), text: String::new(), found: Properties::default() };
    if !scan.run(&text) {
        out.problem(ProblemCode::TooMuch, 0);
    }
    scan.found.finish(out);
}

/// UTF-8, or UTF-16 by its mark or its zeros.
fn decode(data: &[u8]) -> Cow<'_, str> {
    let order = match data.get(..2) {
        Some([0xfe, 0xff] | [0, b'<']) => Some(Order::Big),
        Some([0xff, 0xfe] | [b'<', 0]) => Some(Order::Little),
        _ => None,
    };
    match order {
        None => String::from_utf8_lossy(data),
        Some(order) => {
            let units = data.chunks_exact(2).filter_map(|c| order.u16(c, 0));
            char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect::<String>().into()
        }
    }
}

/// What an open element is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part<'a> {
    /// The description of the picture.
    Resource,
    /// A property of it.
    Property(Namespace, &'a str),
    /// Seq, Bag, Alt of a property.
    List,
    /// One value of such a list.
    Item,
    /// Anything else; its content is not the picture's.
    Other,
}

struct Scan<'a> {
    /// Prefix, meaning, and the depth it was declared at.
    names: Vec<(&'a str, Namespace, usize)>,
    stack: Vec<(&'a str, Part<'a>)>,
    text: String,
    found: Properties,
}

/// Where a tag that begins at `from` ends: the position of its `>`, quotes respected.
fn tag_end(text: &str, from: usize) -> Option<usize> {
    let mut quote = None;
    for (n, b) in text.bytes().enumerate().skip(from) {
        match (b, quote) {
            (b'"' | b'\'', None) => quote = Some(b),
            (b, Some(q)) if b == q => quote = None,
            (b'>', None) => return Some(n),
            _ => {}
        }
    }
    None
}

impl<'a> Scan<'a> {
    /// `false` where the depth limit cut something off.
    fn run(&mut self, text: &'a str) -> bool {
        let mut whole = true;
        let mut at = 0usize;
        while let Some(open) = text.get(at..).and_then(|t| t.find('<')).map(|n| at.saturating_add(n)) {
            self.characters(text.get(at..open).unwrap_or_default());
            let tail = text.get(open..).unwrap_or_default();
            let jump = |end: &str| tail.find(end).map(|n| open.saturating_add(n).saturating_add(end.len()));
            if tail.starts_with("<!--") {
                at = jump("-->").unwrap_or(text.len());
            } else if let Some(body) = tail.strip_prefix("<![CDATA[") {
                let body = body.split("]]>").next().unwrap_or_default();
                self.push_text(body);
                at = jump("]]>").unwrap_or(text.len());
            } else if tail.starts_with("<?") {
                at = jump("?>").unwrap_or(text.len());
            } else {
                let Some(end) = tag_end(text, open) else { break };
                let inner = text.get(open.saturating_add(1)..end).unwrap_or_default();
                at = end.saturating_add(1);
                if let Some(name) = inner.strip_prefix('/') {
                    self.close(name.trim());
                } else if !inner.starts_with('!') {
                    whole &= self.open(inner);
                }
            }
        }
        // A packet that is cut off still closes what it has.
        while let Some((name, _)) = self.stack.last().copied() {
            self.close(name);
        }
        whole
    }

    fn push_text(&mut self, part: &str) {
        if self.text.len() < MAX_VALUE.saturating_mul(4) {
            self.text.extend(part.chars().take(MAX_VALUE.saturating_mul(2)));
        }
    }

    fn characters(&mut self, raw: &str) {
        if matches!(self.stack.last(), Some((_, Part::Property(..) | Part::Item)))
            && self.text.len() < MAX_VALUE.saturating_mul(4)
        {
            unescape(raw, &mut self.text);
        }
    }

    fn namespace(&self, prefix: &str) -> Namespace {
        let declared = self.names.iter().rev().find(|n| n.0 == prefix).map(|n| n.1);
        declared.unwrap_or_else(|| Namespace::from_usual_prefix(prefix))
    }

    fn name<'n>(&self, name: &'n str) -> (Namespace, &'n str) {
        match name.split_once(':') {
            Some((prefix, local)) => (self.namespace(prefix), local),
            None => (self.namespace(""), name),
        }
    }

    fn open(&mut self, inner: &'a str) -> bool {
        let (inner, alone) = match inner.strip_suffix('/') {
            Some(inner) => (inner, true),
            None => (inner, false),
        };
        let name_end = inner.find(|c: char| c.is_ascii_whitespace()).unwrap_or(inner.len());
        let (name, attributes) = inner.split_at_checked(name_end).unwrap_or((inner, ""));
        let depth = self.stack.len();
        if depth >= MAX_DEPTH {
            return false;
        }
        let attributes: Vec<(&str, &str)> = Attributes(attributes).take(MAX_NAMES).collect();
        for (attribute, value) in &attributes {
            let prefix = attribute.strip_prefix("xmlns").map(|p| p.strip_prefix(':').unwrap_or(p));
            if let Some(prefix) = prefix
                && self.names.len() < MAX_NAMES
            {
                self.names.push((prefix, Namespace::from_uri(value), depth));
            }
        }
        let (space, local) = self.name(name);
        let part = match (self.stack.last().map(|s| s.1), space, local) {
            (None | Some(Part::Other), Namespace::Rdf, "Description") if !self.inside_property() => Part::Resource,
            (Some(Part::Resource), space, local) => Part::Property(space, local),
            (Some(Part::Property(..)), Namespace::Rdf, "Seq" | "Bag" | "Alt") => Part::List,
            (Some(Part::List), Namespace::Rdf, "li") => Part::Item,
            _ => Part::Other,
        };
        if part == Part::Resource {
            for (attribute, value) in &attributes {
                let (space, local) = self.name(attribute);
                let mut text = String::new();
                unescape(value, &mut text);
                self.found.add(space, local, &text);
            }
        }
        if let Part::Property(space, local) = part {
            // A value that is a reference stands in an attribute; a structure says that it is one.
            for (attribute, value) in &attributes {
                if self.name(attribute) == (Namespace::Rdf, "resource") {
                    let mut text = String::new();
                    unescape(value, &mut text);
                    self.found.add(space, local, &text);
                }
            }
        }
        let structure = attributes.iter().any(|(a, _)| self.name(a) == (Namespace::Rdf, "parseType"));
        let part = if structure && matches!(part, Part::Property(..) | Part::Item) { Part::Other } else { part };
        self.text.clear();
        self.stack.push((name, part));
        if alone {
            self.close(name);
        }
        true
    }

    /// Inside something that describes another resource.
    fn inside_property(&self) -> bool {
        self.stack.iter().any(|(_, p)| matches!(p, Part::Resource))
    }

    fn close(&mut self, name: &str) {
        // A closing tag without its opening one closes nothing; one of an outer element closes all inside.
        let Some(depth) = self.stack.iter().rposition(|(n, _)| *n == name) else { return };
        let part = self.stack.last().map(|s| s.1);
        if self.stack.len() == depth.saturating_add(1) {
            let property = self.stack.iter().rev().find_map(|(_, p)| match p {
                Part::Property(space, local) => Some((*space, *local)),
                _ => None,
            });
            if let (Some(Part::Property(..) | Part::Item), Some((space, local))) = (part, property) {
                self.found.add(space, local, &self.text);
            }
        }
        self.text.clear();
        self.stack.truncate(depth);
        // Declared in the order of depth.
        while self.names.pop_if(|n| n.2 >= depth).is_some() {}
    }
}

/// `name="value"` pairs.
struct Attributes<'a>(&'a str);

impl<'a> Iterator for Attributes<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let (name, rest) = self.0.split_once('=')?;
        let rest = rest.trim_ascii_start();
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (value, rest) = rest.get(1..)?.split_once(quote)?;
        self.0 = rest;
        Some((name.trim_ascii(), value))
    }
}

/// Replaces the five entities of XML and character numbers.
fn unescape(raw: &str, out: &mut String) {
    let mut rest = raw.get(..MAX_VALUE.saturating_mul(4)).unwrap_or(raw);
    if rest.len() > MAX_VALUE.saturating_mul(4) {
        // Not at a character's border: take what fits.
        out.extend(raw.chars().take(MAX_VALUE));
        return;
    }
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        // No entity read here is longer; without the bound a text of ampersands would cost its square.
        let end = after.bytes().take(11).position(|b| b == b';');
        let entity = end.and_then(|n| Some((after.get(..n)?, after.get(n.saturating_add(1)..)?)));
        let number = |e: &str| match e.strip_prefix("#x") {
            Some(hex) => u32::from_str_radix(hex, 16).ok(),
            None => e.strip_prefix('#')?.parse().ok(),
        };
        let decoded = entity.and_then(|(e, _)| match e {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => char::from_u32(number(e)?),
        });
        match (decoded, entity) {
            (Some(c), Some((_, tail))) => {
                out.push(c);
                rest = tail;
            }
            _ => {
                out.push('&');
                rest = after;
            }
        }
    }
    out.push_str(rest);
}
