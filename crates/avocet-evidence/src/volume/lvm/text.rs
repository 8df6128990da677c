//! The text that describes a volume group: names with numbers, texts, lists and sections, as LVM2 writes its configuration.
//!
//! Bounded in depth and in the number of values, so that what it costs is known before it is read.

use std::collections::BTreeMap;

/// Sections in sections; LVM2 needs four.
const MOST_DEPTH: usize = 8;
/// Values of one text.
const MOST_VALUES: usize = 400_000;

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Number(u64),
    Text(String),
    List(Vec<Value>),
    Section(Section),
    /// A number that is no whole one, or negative.
    Other,
}

/// Names with their values. Of a name that comes twice the first counts, as LVM2 has it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Section(pub(super) BTreeMap<String, Value>);

impl Section {
    pub(super) fn section(&self, name: &str) -> Option<&Section> {
        match self.0.get(name)? {
            Value::Section(found) => Some(found),
            _ => None,
        }
    }

    pub(super) fn number(&self, name: &str) -> Option<u64> {
        match self.0.get(name)? {
            Value::Number(found) => Some(*found),
            _ => None,
        }
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self.0.get(name)? {
            Value::Text(found) => Some(found),
            _ => None,
        }
    }

    /// The values of a list; a single value is a list of one.
    pub(super) fn list(&self, name: &str) -> &[Value] {
        match self.0.get(name) {
            Some(Value::List(found)) => found,
            Some(one @ (Value::Text(_) | Value::Number(_))) => std::slice::from_ref(one),
            _ => &[],
        }
    }

    pub(super) fn sections(&self) -> impl Iterator<Item = (&str, &Section)> {
        self.0.iter().filter_map(|(name, value)| match value {
            Value::Section(found) => Some((name.as_str(), found)),
            _ => None,
        })
    }
}

/// Where a text stops making sense, as a byte of it, and why.
pub(super) type Wrong = (usize, &'static str);

/// Reads a text.
pub(super) fn parse(data: &[u8]) -> Result<Section, Wrong> {
    let mut reader = Reader { data, at: 0, values: 0 };
    let section = reader.members(0, true)?;
    Ok(section)
}

struct Reader<'d> {
    data: &'d [u8],
    at: usize,
    values: usize,
}

impl Reader<'_> {
    fn wrong<T>(&self, why: &'static str) -> Result<T, Wrong> {
        Err((self.at, why))
    }

    fn step(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    /// The next byte that is neither blank nor in a remark; `None` at the end. A zero ends a text.
    fn next(&mut self) -> Option<u8> {
        loop {
            match self.data.get(self.at).copied()? {
                b' ' | b'\t' | b'\n' | b'\r' => self.step(),
                b'#' => {
                    let rest = self.data.get(self.at..).unwrap_or_default();
                    let line = rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
                    self.at = self.at.saturating_add(line);
                }
                0 => return None,
                other => return Some(other),
            }
        }
    }

    fn bare(&mut self) -> String {
        let rest = self.data.get(self.at..).unwrap_or_default();
        let is_part = |b: &u8| b.is_ascii_alphanumeric() || b"_-+.@/:".contains(b);
        let length = rest.iter().position(|b| !is_part(b)).unwrap_or(rest.len());
        self.at = self.at.saturating_add(length);
        String::from_utf8_lossy(rest.get(..length).unwrap_or_default()).into_owned()
    }

    /// A text in quotation marks; the first was seen.
    fn quoted(&mut self) -> Result<String, Wrong> {
        self.step();
        let mut out = vec![];
        loop {
            match self.data.get(self.at).copied() {
                None | Some(0) => return self.wrong("a text has no end"),
                Some(b'"') => break,
                Some(b'\\') => {
                    self.step();
                    out.extend(self.data.get(self.at));
                }
                Some(byte) => out.push(byte),
            }
            self.step();
        }
        self.step();
        Ok(String::from_utf8_lossy(&out).into_owned())
    }

    fn members(&mut self, depth: usize, outermost: bool) -> Result<Section, Wrong> {
        let mut out = BTreeMap::new();
        loop {
            let name = match self.next() {
                None if outermost => break,
                None => return self.wrong("a section has no end"),
                Some(b'}') if !outermost => {
                    self.step();
                    break;
                }
                Some(b'"') => self.quoted()?,
                Some(_) => self.bare(),
            };
            if name.is_empty() {
                return self.wrong("a name is expected");
            }
            let value = match self.next() {
                Some(b'=') => {
                    self.step();
                    self.value(depth)?
                }
                Some(b'{') => {
                    self.step();
                    self.count()?;
                    if depth >= MOST_DEPTH {
                        return self.wrong("sections are nested too deep");
                    }
                    Value::Section(self.members(depth.saturating_add(1), false)?)
                }
                _ => return self.wrong("a name without a value"),
            };
            out.entry(name).or_insert(value);
        }
        Ok(Section(out))
    }

    fn count(&mut self) -> Result<(), Wrong> {
        self.values = self.values.saturating_add(1);
        if self.values > MOST_VALUES { self.wrong("there are too many values") } else { Ok(()) }
    }

    fn value(&mut self, depth: usize) -> Result<Value, Wrong> {
        self.count()?;
        match self.next() {
            Some(b'"') => Ok(Value::Text(self.quoted()?)),
            Some(b'[') => {
                self.step();
                if depth >= MOST_DEPTH {
                    return self.wrong("lists are nested too deep");
                }
                let mut list = vec![];
                loop {
                    match self.next() {
                        Some(b']') => break self.step(),
                        Some(b',') => self.step(),
                        Some(_) => list.push(self.value(depth.saturating_add(1))?),
                        None => return self.wrong("a list has no end"),
                    }
                }
                Ok(Value::List(list))
            }
            Some(_) => {
                let word = self.bare();
                if word.is_empty() {
                    return self.wrong("a value is expected");
                }
                Ok(word.parse().map_or(Value::Other, Value::Number))
            }
            None => self.wrong("a value is expected"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let text = b"# remark\ncontents = \"Text \\\"Format\\\"\"\nvg0 { # another\n seqno = 8\n a = []\n b=[ \"pv0\", 0,\n\t\"pv1\", 3 ]\n\
            x { y = -1 z=1.5 }\n seqno = 9\n}\n\0rest {";
        let found = parse(text).unwrap();
        assert_eq!(found.text("contents"), Some("Text \"Format\""));
        let group = found.section("vg0").unwrap();
        assert_eq!(group.number("seqno"), Some(8));
        assert_eq!(group.list("a"), []);
        let (pv0, pv1) = (Value::Text("pv0".into()), Value::Text("pv1".into()));
        assert_eq!(group.list("b"), [pv0, Value::Number(0), pv1, Value::Number(3)]);
        let inner = group.section("x").unwrap();
        assert_eq!((inner.number("y"), inner.0.get("z")), (None, Some(&Value::Other)));
        assert_eq!(found.sections().count(), 1);
    }

    #[test]
    fn nonsense_is_refused_at_its_place() {
        for (text, at) in [("a {", 3), ("a = ", 4), ("a", 1), ("a = [1", 6), ("a = \"x", 6), ("=", 0), ("a = ]", 4)] {
            assert_eq!(parse(text.as_bytes()).unwrap_err().0, at, "{text}");
        }
        assert_eq!(parse("a {".repeat(1_000_000).as_bytes()).unwrap_err().1, "sections are nested too deep");
        let lists = format!("a = {}", "[".repeat(1_000_000));
        assert_eq!(parse(lists.as_bytes()).unwrap_err().1, "lists are nested too deep");
        let many = format!("a = [{}]", "1,".repeat(MOST_VALUES));
        assert_eq!(parse(many.as_bytes()).unwrap_err().1, "there are too many values");
    }
}
