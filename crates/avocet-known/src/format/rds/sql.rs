//! The words of the SQL in which deltas are written. Nothing is ever executed: this only splits text into words.

use std::borrow::Cow;

use super::super::json::Stop;

/// One word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A keyword or a name without quotation marks.
    Word(&'a [u8]),
    /// A name in `"…"`, `` `…` `` or `[…]`.
    Name(Cow<'a, [u8]>),
    /// A text in `'…'`.
    Text(Cow<'a, [u8]>),
    /// Digits, with a point or an exponent where there is one.
    Number(&'a [u8]),
    /// One of `( ) , ; = + - * . < >` and the like.
    Sign(u8),
    /// The end of the file.
    End,
}

impl Token<'_> {
    /// Whether it is this keyword.
    pub fn is(&self, word: &str) -> bool {
        matches!(self, Token::Word(w) if w.eq_ignore_ascii_case(word.as_bytes()))
    }

    /// A name, quoted or not.
    pub fn name(&self) -> Option<String> {
        match self {
            Token::Word(word) => Some(String::from_utf8_lossy(word).into_owned()),
            Token::Name(name) => Some(String::from_utf8_lossy(name).into_owned()),
            _ => None,
        }
    }
}

/// A place in SQL text.
pub(super) struct Lexer<'a> {
    data: &'a [u8],
    at: usize,
    /// The text ends where `data` ends.
    ended: bool,
    /// Where the last word began, for errors.
    begun: usize,
}

impl<'a> Lexer<'a> {
    pub fn new(data: &'a [u8], ended: bool) -> Lexer<'a> {
        Lexer { data, at: 0, ended, begun: 0 }
    }

    /// Bytes read so far.
    pub fn position(&self) -> usize {
        self.at
    }

    /// Where the last word began.
    pub fn begun(&self) -> usize {
        self.begun
    }

    fn peek(&self) -> Result<Option<u8>, Stop> {
        match self.data.get(self.at) {
            Some(byte) => Ok(Some(*byte)),
            None if self.ended => Ok(None),
            None => Err(Stop::More),
        }
    }

    fn second(&self) -> Result<Option<u8>, Stop> {
        match self.data.get(self.at + 1) {
            Some(byte) => Ok(Some(*byte)),
            None if self.ended => Ok(None),
            None => Err(Stop::More),
        }
    }

    fn while_is(&mut self, fits: impl Fn(u8) -> bool) -> Result<&'a [u8], Stop> {
        let start = self.at;
        while self.peek()?.is_some_and(&fits) {
            self.at += 1;
        }
        Ok(self.data.get(start..self.at).unwrap_or_default())
    }

    /// Passes over blanks, `-- …` and `/* … */`.
    pub fn blank(&mut self) -> Result<(), Stop> {
        loop {
            match self.peek()? {
                Some(b' ' | b'\n' | b'\r' | b'\t' | 0x0c) => self.at += 1,
                Some(b'-') if self.second()? == Some(b'-') => {
                    self.while_is(|b| b != b'\n')?;
                }
                Some(b'/') if self.second()? == Some(b'*') => {
                    self.begun = self.at;
                    self.at += 2;
                    loop {
                        match (self.peek()?, self.second()?) {
                            (Some(b'*'), Some(b'/')) => break self.at += 2,
                            (None, _) => return Err(Stop::Bad("a comment that is never closed")),
                            _ => self.at += 1,
                        }
                    }
                }
                _ => return Ok(()),
            }
        }
    }

    /// The next word, which stays.
    pub fn ahead(&mut self) -> Result<Token<'a>, Stop> {
        self.blank()?;
        let at = self.at;
        let token = self.next();
        self.at = at;
        token
    }

    pub fn next(&mut self) -> Result<Token<'a>, Stop> {
        self.blank()?;
        self.begun = self.at;
        let Some(byte) = self.peek()? else { return Ok(Token::End) };
        match byte {
            b'\'' => Ok(Token::Text(self.quoted(b'\'')?)),
            b'"' | b'`' => Ok(Token::Name(self.quoted(byte)?)),
            b'[' => {
                self.at += 1;
                let name = self.while_is(|b| b != b']')?;
                if self.peek()?.is_none() {
                    return Err(Stop::Bad("a name in brackets that is never closed"));
                }
                self.at += 1;
                Ok(Token::Name(Cow::Borrowed(name)))
            }
            b'0'..=b'9' => self.number(),
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                let word = self.while_is(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'$')?;
                if word.eq_ignore_ascii_case(b"x") && self.peek()? == Some(b'\'') {
                    return Err(Stop::Bad("a binary value, which no table of files holds"));
                }
                Ok(Token::Word(word))
            }
            0x21..=0x7e => {
                self.at += 1;
                Ok(Token::Sign(byte))
            }
            _ => Err(Stop::Bad("a character that is no SQL")),
        }
    }

    fn number(&mut self) -> Result<Token<'a>, Stop> {
        let start = self.at;
        let digit = |b: u8| b.is_ascii_digit();
        self.while_is(digit)?;
        if self.peek()? == Some(b'.') {
            self.at += 1;
            self.while_is(digit)?;
        }
        if matches!(self.peek()?, Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek()?, Some(b'+' | b'-')) {
                self.at += 1;
            }
            if self.while_is(digit)?.is_empty() {
                return Err(Stop::Bad("a number without its exponent"));
            }
        }
        if self.peek()?.is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return Err(Stop::Bad("a number that goes on with letters"));
        }
        Ok(Token::Number(self.data.get(start..self.at).unwrap_or_default()))
    }

    /// What stands between two marks, of which a doubled one stands for itself.
    fn quoted(&mut self, mark: u8) -> Result<Cow<'a, [u8]>, Stop> {
        self.at += 1;
        let mut whole: Option<Vec<u8>> = None;
        loop {
            let start = self.at;
            let rest = self.data.get(start..).unwrap_or_default();
            let Some(length) = memchr::memchr(mark, rest) else {
                return Err(if self.ended { Stop::Bad("a text that is never closed") } else { Stop::More });
            };
            let part = rest.get(..length).unwrap_or_default();
            self.at = start + length + 1;
            let doubled = self.peek()? == Some(mark);
            if doubled {
                self.at += 1;
                let whole = whole.get_or_insert_default();
                whole.extend_from_slice(part);
                whole.push(mark);
                continue;
            }
            return Ok(match whole {
                None => Cow::Borrowed(part),
                Some(mut whole) => {
                    whole.extend_from_slice(part);
                    Cow::Owned(whole)
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Result<Vec<String>, Stop> {
        let mut lexer = Lexer::new(text.as_bytes(), true);
        let mut all = vec![];
        loop {
            match lexer.next()? {
                Token::End => return Ok(all),
                Token::Word(w) => all.push(format!("w:{}", String::from_utf8_lossy(w))),
                Token::Name(n) => all.push(format!("n:{}", String::from_utf8_lossy(&n))),
                Token::Text(t) => all.push(format!("t:{}", String::from_utf8_lossy(&t))),
                Token::Number(n) => all.push(format!("#:{}", String::from_utf8_lossy(n))),
                Token::Sign(s) => all.push(format!("s:{}", char::from(s))),
            }
        }
    }

    #[test]
    fn words_of_every_kind() {
        let text = "INSERT -- 'no'\n/* ; ' */ into \"a\"\"b\" [c d] `e` ('it''s; --', 12,-3.5e+2,'') ;x";
        let wanted = [
            "w:INSERT",
            "w:into",
            "n:a\"b",
            "n:c d",
            "n:e",
            "s:(",
            "t:it's; --",
            "s:,",
            "#:12",
            "s:,",
            "s:-",
            "#:3.5e+2",
            "s:,",
            "t:",
            "s:)",
            "s:;",
            "w:x",
        ];
        assert_eq!(tokens(text).unwrap(), wanted);
    }

    #[test]
    fn what_is_not_closed_or_not_sql_is_an_error() {
        for text in ["'a", "\"a", "[a", "/* a", "x'00'", "12ab", "1e", "\u{1}", "é", "'a''"] {
            assert!(matches!(tokens(text), Err(Stop::Bad(_))), "{text}");
        }
    }

    #[test]
    fn every_beginning_asks_for_more() {
        let text = "INSERT INTO \"FILE\" VALUES ('it''s', 12.5e3) /* c */ -- d\n;";
        for end in 0..text.len() {
            let mut lexer = Lexer::new(&text.as_bytes()[..end], false);
            let stopped = loop {
                match lexer.next() {
                    Ok(Token::Sign(b';')) => break None,
                    Ok(_) => {}
                    Err(stop) => break Some(stop),
                }
            };
            assert_eq!(stopped, Some(Stop::More), "{end}");
        }
    }
}
