//! The list of an AFF4 volume: statements in RDF Turtle, as far as writers of such volumes use it.
//!
//! After the W3C's *RDF 1.1 Turtle*: prefixes, subjects with their predicates and objects, literals with a type or
//! language, numbers, comments. Collections and nodes without a name are not read.

/// Statements of one list at most, and bytes of them: a disk needs about a hundred, a file about ten. Each statement keeps
/// its names.
const MOST: usize = 1 << 19;
const MOST_BYTES: usize = 192 << 20;
const MOST_NAME: usize = 4096;

/// What is said of something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) subject: String,
    pub(super) predicate: String,
    pub(super) object: String,
    /// The type of a literal; `None` for a name, empty for a literal without one.
    pub(super) literal: Option<String>,
}

struct Parse<'a> {
    text: &'a str,
    prefixes: Vec<(String, String)>,
}

/// A name, or a literal with its type.
type Term = (String, Option<String>);

impl<'a> Parse<'a> {
    fn skip(&mut self) {
        loop {
            self.text = self.text.trim_start();
            match self.text.strip_prefix('#') {
                Some(rest) => self.text = rest.split_once('\n').map_or("", |(_, after)| after),
                None => return,
            }
        }
    }

    fn eat(&mut self, what: char) -> bool {
        self.skip();
        match self.text.strip_prefix(what) {
            Some(rest) => {
                self.text = rest;
                true
            }
            None => false,
        }
    }

    /// What comes before `end`, which is taken too.
    fn until(&mut self, end: &str) -> Option<&'a str> {
        let (before, after) = self.text.split_once(end)?;
        self.text = after;
        Some(before)
    }

    fn word(&mut self) -> &'a str {
        let stop = |c: char| c.is_whitespace() || matches!(c, ';' | ',' | '"' | '<' | '(' | ')' | '[' | ']' | '#');
        let end = self.text.find(stop).unwrap_or(self.text.len());
        let (mut word, _) = self.text.split_at_checked(end).unwrap_or_default();
        // A point at the end closes the statement.
        word = word.trim_end_matches('.');
        self.text = self.text.get(word.len()..).unwrap_or_default();
        word
    }

    /// A name in angle brackets or behind a prefix.
    fn name(&mut self) -> Option<String> {
        if self.eat('<') {
            return self.until(">").filter(|name| name.len() <= MOST_NAME).map(str::to_owned);
        }
        let word = self.word();
        if word == "a" {
            return Some("http://www.w3.org/1999/02/22-rdf-syntax-ns#type".to_owned());
        }
        let (prefix, rest) = word.split_once(':')?;
        let (_, whole) = self.prefixes.iter().rev().find(|(p, _)| p == prefix)?;
        (whole.len().saturating_add(rest.len()) <= MOST_NAME).then(|| format!("{whole}{rest}"))
    }

    fn quoted(&mut self) -> Option<String> {
        let long = self.text.starts_with("\"\"\"");
        let end = if long { "\"\"\"" } else { "\"" };
        self.text = self.text.get(end.len()..)?;
        let mut out = String::new();
        loop {
            if let Some(rest) = self.text.strip_prefix(end) {
                self.text = rest;
                return Some(out);
            }
            let mut chars = self.text.chars();
            match chars.next()? {
                '\\' => out.push(match chars.next()? {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    kind @ ('u' | 'U') => {
                        let digits = if kind == 'u' { 4 } else { 8 };
                        let (hex, rest) = chars.as_str().split_at_checked(digits)?;
                        chars = rest.chars();
                        char::from_u32(u32::from_str_radix(hex, 16).ok()?)?
                    }
                    other => other,
                }),
                '\n' if !long => return None,
                other => out.push(other),
            }
            self.text = chars.as_str();
        }
    }

    fn object(&mut self) -> Option<Term> {
        self.skip();
        if self.text.starts_with('"') {
            let value = self.quoted()?;
            if let Some(rest) = self.text.strip_prefix("^^") {
                self.text = rest;
                return Some((value, Some(self.name()?)));
            }
            if self.text.starts_with('@') {
                self.word();
            }
            return Some((value, Some(String::new())));
        }
        if self.text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-')) {
            return Some((self.word().to_owned(), Some(String::new())));
        }
        if self.text.starts_with("true") || self.text.starts_with("false") {
            return Some((self.word().to_owned(), Some(String::new())));
        }
        Some((self.name()?, None))
    }
}

/// Reads a list; `None` where it cannot be understood or is too long.
pub(super) fn read(text: &str) -> Option<Vec<Statement>> {
    let mut parse = Parse { text, prefixes: vec![] };
    let (mut out, mut kept) = (vec![], 0usize);
    loop {
        parse.skip();
        if parse.text.is_empty() {
            return Some(out);
        }
        if let Some(rest) = parse.text.strip_prefix("@prefix") {
            parse.text = rest;
            parse.skip();
            let prefix = parse.until(":")?.to_owned();
            if !parse.eat('<') {
                return None;
            }
            let whole = parse.until(">")?.to_owned();
            parse.prefixes.push((prefix, whole));
            if !parse.eat('.') || parse.prefixes.len() > 64 {
                return None;
            }
            continue;
        }
        let subject = parse.name()?;
        'predicates: loop {
            parse.skip();
            let predicate = parse.name()?;
            loop {
                let (object, literal) = parse.object()?;
                let own = [&subject, &predicate, &object].iter().fold(200usize, |n, part| n.saturating_add(part.len()));
                kept = kept.saturating_add(own);
                out.push(Statement { subject: subject.clone(), predicate: predicate.clone(), object, literal });
                if out.len() > MOST || kept > MOST_BYTES {
                    return None;
                }
                if parse.eat(',') {
                    continue;
                }
                let mut more = false;
                while parse.eat(';') {
                    more = true;
                }
                if parse.eat('.') {
                    break 'predicates;
                }
                if more {
                    continue 'predicates;
                }
                return None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn statements_are_read_as_they_are_written() {
        let text = "@prefix : <aff4://v> .\n@prefix x: <http://x#> . # a remark\n\n<aff4://s> a x:Map , x:Other ;\n  \
                    x:size \"12\"^^x:long ; x:note \"a \\\"b\\\"; .\" ;\n x:n 7 ; x:in : .\n: x:y <z> .";
        let found = read(text).unwrap();
        let rows: Vec<_> = found
            .iter()
            .map(|s| (s.subject.as_str(), s.predicate.rsplit('#').next().unwrap(), s.object.as_str()))
            .collect();
        assert_eq!(
            rows,
            [
                ("aff4://s", "type", "http://x#Map"),
                ("aff4://s", "type", "http://x#Other"),
                ("aff4://s", "size", "12"),
                ("aff4://s", "note", "a \"b\"; ."),
                ("aff4://s", "n", "7"),
                ("aff4://s", "in", "aff4://v"),
                ("aff4://v", "y", "z"),
            ]
        );
        assert_eq!(found[2].literal.as_deref(), Some("http://x#long"));
        assert_eq!(read(r#"<a> <b> "\u00e9\U0001f41f\\" ."#).unwrap()[0].object, "é\u{1f41f}\\");
        for bad in [
            r#"<a> <b> "\u00g9" ."#,
            "x:y",
            "<a> <b> \"c",
            "<a> <b> <c>",
            "<a> y:b <c> .",
            "@prefix x <y> .",
            "<a> <b> [ ] .",
            "<a> <b> \"c\nd\" .",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
        assert_eq!(read("").unwrap(), []);
    }
}
