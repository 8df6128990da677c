//! What a record states beyond what this crate models, gathered as one JSON object that an export gives back.

use super::json::{Cursor, Kind, plain_length};

/// Gathers members of one JSON object; used again for every record, so that none costs an allocation.
#[derive(Debug, Default)]
pub(crate) struct Extra {
    json: Vec<u8>,
    /// Text that was not UTF-8 was put in.
    replaced: bool,
}

impl Extra {
    pub fn clear(&mut self) {
        self.json.clear();
        self.replaced = false;
    }

    /// The members so far, without the brackets' end; for those who find out late what they have gathered.
    pub fn open(&self) -> &[u8] {
        &self.json
    }

    fn next(&mut self) {
        self.json.push(if self.json.is_empty() { b'{' } else { b',' });
    }

    /// Puts in a member as it stands in a JSON text: the name without its quotation marks, the value whole.
    pub fn raw(&mut self, name: &[u8], value: &[u8]) {
        self.next();
        self.json.push(b'"');
        self.json.extend_from_slice(name);
        self.json.extend_from_slice(b"\":");
        self.json.extend_from_slice(value);
    }

    /// Puts in all members of a JSON object as they stand; false, and nothing is put in, where the text is none.
    pub fn members(&mut self, object: &[u8]) -> bool {
        let mut cursor = Cursor::new(object);
        let whole = cursor.value().is_ok_and(|v| matches!(v.kind, Kind::Object) && v.raw.len() == object.len());
        if !whole {
            return false;
        }
        let mut cursor = Cursor::new(object);
        let mut first = true;
        if cursor.expect(b'{', "").is_ok() {
            while let Ok(Some(name)) = cursor.name(first) {
                let Ok(value) = cursor.value() else { break };
                self.raw(name.raw, value.raw);
                first = false;
            }
        }
        true
    }

    /// Puts in a text; bytes that are not UTF-8 become U+FFFD.
    pub fn text(&mut self, name: &str, value: &[u8]) {
        self.next();
        push_string(&mut self.json, name);
        self.json.push(b':');
        match std::str::from_utf8(value) {
            Ok(value) => push_string(&mut self.json, value),
            Err(_) => {
                self.replaced = true;
                push_string(&mut self.json, &String::from_utf8_lossy(value));
            }
        }
    }

    /// Puts in a value that is a JSON text already, such as a number.
    pub fn json(&mut self, name: &str, value: &str) {
        self.next();
        push_string(&mut self.json, name);
        self.json.push(b':');
        self.json.extend_from_slice(value.as_bytes());
    }

    /// Ends the object: its text, empty where it has no members, and whether bytes that are not UTF-8 were replaced.
    pub fn finish(&mut self) -> (&str, bool) {
        if !self.json.is_empty() {
            self.json.push(b'}');
            if std::str::from_utf8(&self.json).is_err() {
                self.replaced = true;
                self.json = String::from_utf8_lossy(&self.json).into_owned().into_bytes();
            }
        }
        (std::str::from_utf8(&self.json).unwrap_or_default(), self.replaced)
    }
}

/// The note for records whose text is not UTF-8.
pub(crate) const REPLACED: &str = "text that is not UTF-8, whose wrong bytes are kept as U+FFFD";

/// Writes a JSON string (RFC 8259, section 7).
fn push_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    loop {
        let (plain, after) = rest.split_at_checked(plain_length(rest)).unwrap_or((rest, b""));
        out.extend_from_slice(plain);
        let Some((byte, after)) = after.split_first() else { break };
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            // A control character: nothing else stops a plain run.
            _ => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
        }
        rest = after;
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_in_comes_out_of_another_parser() {
        let every: String = (0..0x80u8).map(char::from).chain("é\u{2028}😀".chars()).collect();
        let mut extra = Extra::default();
        assert_eq!(extra.finish(), ("", false));
        extra.clear();
        extra.text(&every, every.as_bytes());
        extra.json("n", "18446744073709551615");
        extra.raw(b"r\\u0041", b"[1, null]");
        let (text, replaced) = extra.finish();
        let value: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(value[&every].as_str(), Some(every.as_str()));
        assert_eq!((value["n"].as_u64(), value["rA"][0].as_u64(), replaced), (Some(u64::MAX), Some(1), false));
    }

    #[test]
    fn members_of_an_object_are_put_in_as_they_stand() {
        let mut extra = Extra::default();
        extra.text("a", b"1");
        assert!(extra.members(br#"{"b\u0041" : [1, 2.50], "a":{"c":"}"}}"#));
        assert!(extra.members(b"{ }"));
        for none in [&b""[..], b"{", b"[1]", b"7", b"{\"a\":1} x", b"{\"a\"}", b"{\"a\":1,}", b"text"] {
            assert!(!extra.members(none), "{none:?}");
        }
        assert_eq!(extra.finish(), (r#"{"a":"1","b\u0041":[1, 2.50],"a":{"c":"}"}}"#, false));
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced_and_said() {
        let mut extra = Extra::default();
        extra.text("a", b"x\xffy");
        assert_eq!(extra.finish(), ("{\"a\":\"x\u{fffd}y\"}", true));
        extra.clear();
        extra.raw(b"a", b"\"\xe9\"");
        assert_eq!(extra.finish(), ("{\"a\":\"\u{fffd}\"}", true));
        extra.clear();
        extra.raw(b"a", b"1");
        assert_eq!(extra.finish(), ("{\"a\":1}", false));
    }
}
