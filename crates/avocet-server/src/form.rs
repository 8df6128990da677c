//! What a browser sends.

use avocet_record::time_text::{self, Reading};
use avocet_record::{At, Day};
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest as _, Multipart};
use axum::http::{Request, header};

use crate::fault::Fault;

/// Fields of one form.
const MOST_FIELDS: usize = 1000;

/// The fields of a form, in their order. The name of a file on the sender's machine is never read.
#[derive(Default)]
pub struct Form {
    texts: Vec<(String, String)>,
    files: Vec<(String, Bytes)>,
}

/// Reads what was sent, by its type.
pub async fn read(kind: &str, bytes: Bytes) -> Result<Form, Fault> {
    let bad = || Fault::Bad("What was sent is no form. Open the page again and repeat what you entered.".to_owned());
    let form = match kind.split(';').next().unwrap_or_default().trim() {
        "application/x-www-form-urlencoded" => Form::encoded(&bytes),
        "multipart/form-data" => {
            let request = Request::builder().header(header::CONTENT_TYPE, kind).body(Body::from(bytes));
            let request = request.map_err(|_| bad())?;
            parts(Multipart::from_request(request, &()).await.map_err(|_| bad())?).await.ok_or_else(bad)?
        }
        "" if bytes.is_empty() => Form::default(),
        _ => return Err(bad()),
    };
    Some(form).filter(Form::is_text).ok_or_else(bad)
}

async fn parts(mut multipart: Multipart) -> Option<Form> {
    let mut form = Form::default();
    while let Some(field) = multipart.next_field().await.ok()? {
        if form.texts.len().saturating_add(form.files.len()) >= MOST_FIELDS {
            return None;
        }
        let name = field.name()?.to_owned();
        let is_file = field.file_name().is_some();
        let bytes = field.bytes().await.ok()?;
        match is_file {
            true => form.files.push((name, bytes)),
            false => form.texts.push((name, String::from_utf8(bytes.to_vec()).ok()?)),
        }
    }
    Some(form)
}

impl Form {
    /// Reads a form, or what follows `?` in an address.
    pub fn encoded(bytes: &[u8]) -> Self {
        let pairs = form_urlencoded::parse(bytes).take(MOST_FIELDS);
        Self { texts: pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect(), files: vec![] }
    }

    /// Whether no text holds a NUL character. Databases differ in what they do with it, and nobody types it.
    pub fn is_text(&self) -> bool {
        !self.texts.iter().any(|(name, text)| name.contains('\0') || text.contains('\0'))
    }

    /// The text under a name, without blanks around it; `None` where there is none.
    pub fn text(&self, name: &str) -> Option<&str> {
        let mut of = self.texts.iter().filter(|(known, _)| known == name);
        of.next().map(|(_, text)| text.trim()).filter(|text| !text.is_empty())
    }

    /// Every text under a name.
    pub fn texts(&self, name: &str) -> Vec<&str> {
        let of = self.texts.iter().filter(|(known, _)| known == name).map(|(_, text)| text.trim());
        of.filter(|text| !text.is_empty()).collect()
    }

    /// The bytes of a file, where one was chosen.
    pub fn file(&self, name: &str) -> Option<&Bytes> {
        self.files.iter().find(|(known, bytes)| known == name && !bytes.is_empty()).map(|(_, bytes)| bytes)
    }

    /// Puts a text under a name, where there is none: what a form is shown with first.
    pub fn or(&mut self, name: &str, text: impl Into<String>) {
        if self.text(name).is_none() {
            self.texts.retain(|(known, _)| known != name);
            self.texts.push((name.to_owned(), text.into()));
        }
    }
}

/// What is wrong with which field.
#[derive(Debug, Default, Clone)]
pub struct Wrong(pub Vec<(String, String)>);

impl Wrong {
    /// One more.
    pub fn add(&mut self, field: &str, why: impl Into<String>) {
        self.0.push((field.to_owned(), why.into()));
    }

    /// What is wrong with a field.
    pub fn of(&self, field: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == field).map(|(_, why)| why.as_str())
    }

    /// Whether nothing is.
    pub fn is_none(&self) -> bool {
        self.0.is_empty()
    }
}

/// A text that there must be.
pub fn need<'f>(form: &'f Form, wrong: &mut Wrong, name: &str, what: &str) -> &'f str {
    form.text(name).unwrap_or_else(|| {
        wrong.add(name, format!("Enter {what}"));
        ""
    })
}

/// A time as people here write it: of the clocks in the United Kingdom where it names no other zone.
pub fn instant(text: &str) -> Result<At, String> {
    match time_text::read(text, Some(Day::ZONE)) {
        Reading::Exact(at) => Ok(at),
        Reading::Twice(..) => {
            Err("The clocks showed this time twice that night: add +01:00 (before they went back) or +00:00".to_owned())
        }
        Reading::Never => Err("The clocks jumped over this time: check it".to_owned()),
        _ => Err("Enter a date and a time, such as 2026-11-20T09:30".to_owned()),
    }
}

/// The time in a field, which must be there.
pub fn need_time(form: &Form, wrong: &mut Wrong, name: &str) -> At {
    let read = form.text(name).map_or_else(|| Err("Enter when it was".to_owned()), instant);
    read.unwrap_or_else(|why| {
        wrong.add(name, why);
        At::from_ns(0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_of_the_clocks_here_and_never_guessed() {
        let read = |text: &str| instant(text).map(|at| at.to_string());
        assert_eq!(read("2026-07-01T09:30").unwrap(), "2026-07-01T08:30:00Z");
        assert_eq!(read("2026-11-20T09:30").unwrap(), "2026-11-20T09:30:00Z");
        assert_eq!(read("2026-07-01T09:30+02:00").unwrap(), "2026-07-01T07:30:00Z");
        assert!(read("2026-10-25T01:30").unwrap_err().contains("twice"));
        assert!(read("2026-03-29T01:30").unwrap_err().contains("jumped"));
        assert!(read("03/04/2026").is_err());
    }

    #[test]
    fn blanks_are_no_text_and_a_default_fills_only_what_is_empty() {
        let mut form = Form::encoded(b"a=+&b=1&b=2&c=%20x%20");
        assert_eq!((form.text("a"), form.text("c")), (None, Some("x")));
        assert_eq!(form.texts("b"), ["1", "2"]);
        form.or("a", "new");
        form.or("c", "new");
        assert_eq!((form.text("a"), form.text("c")), (Some("new"), Some("x")));
    }
}
