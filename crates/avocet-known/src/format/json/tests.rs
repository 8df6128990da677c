use super::*;

fn value(json: &str) -> Value<'_> {
    // A value in a file is always followed by something.
    let mut cursor = Cursor::new(json.as_bytes());
    let value = cursor.value();
    value.unwrap_or_else(|e| panic!("{json}: {e:?}"))
}

fn scalar(json: &'static str) -> Value<'static> {
    value(Box::leak(format!("{json} ").into_boxed_str()))
}

#[test]
fn sizes_as_number_text_and_beyond_what_a_double_can_hold() {
    for (json, wanted) in [
        ("161713", Field::Is(161_713)),
        ("\"161713\"", Field::Is(161_713)),
        ("9007199254740993", Field::Is(9_007_199_254_740_993)),
        ("\"18446744073709551615\"", Field::Is(u64::MAX)),
        ("1.5e3", Field::Is(1500)),
        ("18446744073709551616", Field::Bad),
        ("-1", Field::Bad),
        ("1.5", Field::Bad),
        ("\"12 kB\"", Field::Bad),
        ("true", Field::Bad),
        ("[1]", Field::Bad),
        ("null", Field::Absent),
        ("\"\"", Field::Absent),
        ("\"\\u0037\"", Field::Is(7)),
    ] {
        assert_eq!(scalar(json).size(), wanted, "{json}");
    }
}

#[test]
fn flags_in_every_spelling() {
    for json in ["true", "\"true\"", "\"True\"", "\" TRUE \"", "1", "\"1\"", "\"Yes\"", "\"y\""] {
        assert_eq!(scalar(json).flag(), Some(true), "{json}");
    }
    for json in ["false", "\"false\"", "\"FALSE\"", "0", "null", "\"\"", "\"No\""] {
        assert_eq!(scalar(json).flag(), Some(false), "{json}");
    }
    for json in ["\"maybe\"", "2", "{}", "[true]"] {
        assert_eq!(scalar(json).flag(), None, "{json}");
    }
}

#[test]
fn codes_as_text() {
    let code = |json| scalar(json).code();
    assert_eq!(code("1").as_deref(), Some("1"));
    assert_eq!(code("1.0").as_deref(), Some("1"));
    assert_eq!(code("\" A \"").as_deref(), Some("A"));
    assert_eq!(code("-1").as_deref(), Some("-1"));
    assert_eq!(code("[[1],{\"a\":[2]}]").as_deref(), Some("(an object or array)"));
    assert_eq!((code("null"), code("\"\"")), (None, None));
}

#[test]
fn strings_say_what_another_parser_says() {
    for json in [
        r#""plain""#,
        r#""a\"b\\c\/d\b\f\n\r\t""#,
        r#""\u00e9\u20AC\ud83d\ude00x""#,
        r#""é€😀 not escaped and long enough for more than one word""#,
        r#""\\u0041""#,
        r#""""#,
    ] {
        let wanted: String = serde_json::from_str(json).unwrap();
        let got = value(json);
        assert_eq!(got.text().unwrap(), wanted, "{json}");
        assert_eq!(got.raw, json.as_bytes());
    }
    for (json, wanted) in [(r#""\ud800""#, "\u{fffd}"), (r#""\udc00\ud800x""#, "\u{fffd}\u{fffd}x")] {
        assert_eq!(value(json).text().unwrap(), wanted, "{json}");
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % n
    }
}

/// The grammar is that of `serde_json`: 60,000 damaged texts, each refused or accepted by both.
#[test]
fn damaged_texts_are_refused_exactly_where_another_parser_refuses_them() {
    const SEEDS: [&str; 4] = [
        r#"{"a":[1,-2.5e+10,0.1E-2,true,false,null],"b":{"c":"x\u00e9\\\"","d":{}},"e":[]} "#,
        r#"[ { "MediaID" : 12 , "MD5" : "00ff" } , [ [ ] , "long long text that spans words" ] ]"#,
        "[\"\\ud83d\\ude00\",\"a\tb\",\"\\/\\b\"]",
        "{\"k\":-0,\"l\":10,\"m\":1e5,\"n\":\"\"}",
    ];
    const PIECES: [&str; 16] =
        ["\"", "\\", "{", "}", "[", "]", ",", ":", "0", "-", ".", "e", "\n", "\u{1}", "nul", "\\u12"];
    let mut random = Random(7);
    let (mut both, mut neither) = (0, 0);
    for round in 0..60_000 {
        let mut text = SEEDS[round % SEEDS.len()].as_bytes().to_vec();
        for _ in 0..random.below(3) {
            let at = random.below(text.len());
            match random.below(4) {
                0 => text.truncate(at + 1),
                1 => drop(text.drain(at..(at + 1 + random.below(4)).min(text.len()))),
                2 => drop(text.splice(at..at, PIECES[random.below(PIECES.len())].bytes())),
                _ => text[at] = PIECES[random.below(PIECES.len())].as_bytes()[0],
            }
            if text.is_empty() {
                text.push(b'1');
            }
        }
        let Ok(mut text) = String::from_utf8(text) else { continue };
        let theirs = serde_json::from_str::<serde::de::IgnoredAny>(&text);
        text.push(' ');
        let mut cursor = Cursor::new(text.as_bytes());
        let ours = cursor.value().and_then(|v| {
            cursor.blank();
            if cursor.position() == text.len() { Ok(v) } else { Err(Stop::Bad("more")) }
        });
        assert_eq!(ours.is_ok(), theirs.is_ok(), "{text:?}: {ours:?} {theirs:?}");
        match ours {
            Ok(_) => both += 1,
            Err(_) => neither += 1,
        }
    }
    assert!(both > 10_000 && neither > 10_000, "{both} {neither}");
}

#[test]
fn every_beginning_of_a_value_asks_for_more() {
    let json = r#"{"a":[1,-2.5e+10,true,false,null],"b":{"c":"x\u00e9\\\""}}"#;
    for end in 0..json.len() {
        assert_eq!(Cursor::new(&json.as_bytes()[..end]).value(), Err(Stop::More), "{end}");
    }
    assert!(Cursor::new(json.as_bytes()).value().is_ok());
}

#[test]
fn nesting_is_bounded() {
    let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
    assert!(Cursor::new(nested(128).as_bytes()).value().is_ok());
    assert!(matches!(Cursor::new(nested(129).as_bytes()).value(), Err(Stop::Bad(_))));
    assert!(matches!(Cursor::new("[".repeat(1 << 20).as_bytes()).value(), Err(Stop::Bad(_))));
}

#[test]
fn bytes_that_stand_for_themselves_are_found_at_every_place() {
    for length in 0..40 {
        let mut text = vec![b'a'; length];
        assert_eq!(plain_length(&text), length);
        for at in 0..length {
            for byte in 0..=255u8 {
                text[at] = byte;
                let plain = byte >= 0x20 && byte != b'"' && byte != b'\\';
                assert_eq!(plain_length(&text), if plain { length } else { at }, "{byte} at {at} of {length}");
            }
            text[at] = b'\xff';
        }
    }
}
