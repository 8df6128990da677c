//! VICS (Project VIC) JSON 1.2, 1.3 and 2.0, hash sets and cases, as a stream: one record is held at a time.
//!
//! The format has no public specification; field names are those that real writers and readers use (Clees4All, IPED,
//! GLEAPP, see `docs/known-sets.md`). What a file is follows from its shape: an object with an array `value` of media,
//! or of cases that each hold an array `Media`. The context string names version and region.

mod context;
mod keys;
mod record;

use std::collections::BTreeSet;

use self::context::Context;
use self::keys::{Key, is};
pub(crate) use self::record::{ALTERNATIVE_DIFFERS, TWICE};
use self::record::{Fields, Scratch};
use super::Parsed;
use super::input::{Input, Short};
use super::json::{Cursor, Stop, Text, Value};
use crate::error::{KnownError, shown};
use crate::intake::Intake;

/// Most names of unknown fields that a warning lists.
const MAX_UNKNOWN: usize = 16;
const FORMAT: &str = "VICS JSON";

/// Reads a whole VICS file.
pub(crate) fn read(input: &mut Input, intake: &mut Intake<'_>) -> Result<Parsed, KnownError> {
    intake.count_by("record");
    let mut state = State {
        input,
        intake,
        context: Context::default(),
        value: false,
        cases: 0,
        publisher: None,
        unknown_top: BTreeSet::new(),
        unknown_fields: BTreeSet::new(),
        case_fields: BTreeSet::new(),
        stated: vec![],
        records: 0,
        field: None,
    };
    state.root()?;
    if !state.value {
        return Err(state.intake.malformed(
            FORMAT,
            "the whole file".to_owned(),
            "it is a JSON object without an array `value`".to_owned(),
            "export it as VICS 1.3 or 2.0 from the tool that wrote it",
        ));
    }
    Ok(state.into_parsed())
}

struct State<'i, 'a> {
    input: &'i mut Input,
    intake: &'i mut Intake<'a>,
    context: Context,
    /// There was an array `value`.
    value: bool,
    /// Elements that are cases.
    cases: u64,
    publisher: Option<String>,
    unknown_top: BTreeSet<String>,
    unknown_fields: BTreeSet<String>,
    case_fields: BTreeSet<String>,
    stated: Vec<(String, String)>,
    records: u64,
    /// The field that was being read last, for errors.
    field: Option<String>,
}

/// Why a unit could not be read: where, and what stood there.
enum Fail {
    Short(Short),
    End(u64),
    Bad(u64, &'static str),
}

/// Reads one thing from the beginning of what is there; where it does not end there, reads on and begins again.
fn unit<T>(input: &mut Input, mut read: impl FnMut(&mut Cursor<'_>) -> Result<T, Stop>) -> Result<T, Fail> {
    loop {
        let mut cursor = Cursor::new(input.data());
        let outcome = read(&mut cursor);
        let position = cursor.position();
        match outcome {
            Ok(read) => {
                input.consume(position);
                return Ok(read);
            }
            Err(Stop::Bad(why)) => return Err(Fail::Bad(input.offset() + position as u64, why)),
            Err(Stop::More) => {
                let end = input.offset() + input.data().len() as u64;
                if !input.more().map_err(Fail::Short)? {
                    return Err(Fail::End(end));
                }
            }
        }
    }
}

/// A member of the root object.
enum Top {
    End,
    Context(Option<String>),
    Records,
    NoRecords,
    Other(String),
}

/// What an element of an array turned out to be.
enum Element {
    End,
    Record(Result<(), Box<KnownError>>),
    NotAnObject,
    /// A case, with the cursor inside its array of media: how the case says which it is, and its fields so far.
    Case(CaseHead),
    /// A case without media.
    EmptyCase(CaseHead),
    MediaIsAnObject,
    Both,
}

/// What of a case stands before its media.
#[derive(Default)]
struct CaseHead {
    id: Option<Vec<u8>>,
    publisher: Option<String>,
    names: Vec<String>,
    stated: Vec<(String, String)>,
}

/// What a case states of where it comes from that names no person.
const CASE_STATES: [&str; 3] = ["SourceApplicationName", "SourceApplicationVersion", "SeizureDate"];

impl CaseHead {
    fn take(&mut self, name: &Text<'_>, value: &Value<'_>) {
        if is(name, "CaseID") && self.id.is_none() {
            self.id = Some(value.raw.to_vec());
        } else if is(name, "ContactOrganization") && self.publisher.is_none() && value.text().is_some() {
            self.publisher = value.text().map(|t| t.chars().take(200).collect());
        } else if let (Some(known), Some(text)) = (CASE_STATES.into_iter().find(|k| is(name, k)), value.text()) {
            super::state(&mut self.stated, known, &text);
        } else if Key::of(name) != Key::Media {
            self.names.push(name.decode().into_owned());
        }
    }

    fn of(members: &[u8]) -> CaseHead {
        let mut head = CaseHead::default();
        each_member(members, &mut |name, value| head.take(name, value));
        head
    }
}

/// Visits members gathered as a record's: `{"CaseID":"…","CaseNumber":"…"`, without the closing bracket.
fn each_member(members: &[u8], visit: &mut dyn FnMut(&Text<'_>, &Value<'_>)) {
    each_of(&[members, b"}"].concat(), visit);
}

/// Visits the members of a whole object.
pub(crate) fn each_of(object: &[u8], visit: &mut dyn FnMut(&Text<'_>, &Value<'_>)) {
    let mut cursor = Cursor::new(object);
    let mut first = true;
    if cursor.expect(b'{', "").is_ok() {
        while let Ok(Some(name)) = cursor.name(first) {
            let Ok(value) = cursor.value() else { break };
            visit(&name, &value);
            first = false;
        }
    }
}

impl State<'_, '_> {
    /// Runs one unit, turning what stops it into an error that says where.
    fn fail(&self, fail: Fail) -> KnownError {
        let place = |at: u64| match &self.field {
            Some(field) => format!("after record {}, byte {at}, field {}", self.records, shown(field)),
            None => format!("after record {}, byte {at}", self.records),
        };
        match fail {
            Fail::Short(short) => short.error(self.intake, self.input.offset()),
            Fail::End(at) => self.intake.malformed(
                FORMAT,
                place(at),
                "it ends in the middle".to_owned(),
                "it may be cut short: copy it again from its source",
            ),
            Fail::Bad(at, why) => self.intake.malformed(FORMAT, place(at), why.to_owned(), "export or copy it again"),
        }
    }

    fn root(&mut self) -> Result<(), KnownError> {
        unit(self.input, |c| c.expect(b'{', "an object should stand here")).map_err(|f| self.fail(f))?;
        let mut first = true;
        loop {
            let member = unit(self.input, |c| {
                let Some(name) = c.name(first)? else { return Ok(Top::End) };
                if is(&name, "value") && c.ahead()? == b'[' {
                    c.expect(b'[', "")?;
                    return Ok(Top::Records);
                }
                let value = c.value()?;
                let context = ["odata.metadata", "@odata.context", "odata.context"];
                if context.iter().any(|known| is(&name, known)) {
                    return Ok(Top::Context(value.text().map(|t| t.into_owned())));
                }
                Ok(if is(&name, "value") { Top::NoRecords } else { Top::Other(name.decode().into_owned()) })
            });
            first = false;
            match member.map_err(|f| self.fail(f))? {
                Top::End => break,
                Top::Context(Some(text)) => self.see_context(&text)?,
                Top::Context(None) | Top::NoRecords => {}
                Top::Records => {
                    self.value = true;
                    self.array(None)?;
                }
                Top::Other(name) => remember(&mut self.unknown_top, &name),
            }
        }
        // Nothing but blanks may follow.
        loop {
            let rest = self.input.data();
            let blank = rest.iter().take_while(|b| matches!(b, b' ' | b'\n' | b'\r' | b'\t')).count();
            if blank < rest.len() {
                let at = self.input.offset() + blank as u64;
                return Err(self.fail(Fail::Bad(at, "something stands behind the end of the JSON object")));
            }
            self.input.consume(blank);
            if !self.input.more().map_err(|e| self.fail(Fail::Short(e)))? {
                return Ok(());
            }
        }
    }

    fn see_context(&mut self, text: &str) -> Result<(), KnownError> {
        self.context = Context::parse(text);
        super::state(&mut self.stated, "context", text);
        let scheme = self.intake.scheme();
        let Some(region) = &self.context.region else { return Ok(()) };
        if scheme.vics_regions.is_empty() || scheme.vics_regions.iter().any(|r| r.eq_ignore_ascii_case(region)) {
            return Ok(());
        }
        Err(KnownError::Region {
            path: self.intake.path().to_owned(),
            region: shown(region),
            scheme: scheme.id.to_string(),
            fits: scheme.vics_regions.join(", "),
        })
    }

    /// The array `value`, or a case's `Media`. `case` is what its records say of their case.
    fn array(&mut self, case: Option<&[u8]>) -> Result<(), KnownError> {
        let mut scratch = Scratch::default();
        let mut first = true;
        loop {
            let base = self.input.offset();
            let place = self.records + 1;
            let (intake, field, unknown) = (&mut *self.intake, &mut self.field, &mut self.unknown_fields);
            let element = unit(self.input, |c| {
                if !c.element(first)? {
                    return Ok(Element::End);
                }
                let offset = base + c.position() as u64;
                element(c, case, (place, offset), &mut scratch, intake, field, unknown)
            });
            first = false;
            match element.map_err(|f| self.fail(f))? {
                Element::End => return Ok(()),
                Element::Record(taken) => {
                    self.records += 1;
                    taken.map_err(|e| *e)?;
                }
                Element::NotAnObject => {
                    self.records += 1;
                    self.intake.reject("an element that is not an object", self.records);
                }
                Element::Case(head) => self.case(head)?,
                Element::EmptyCase(head) => {
                    self.cases += 1;
                    self.keep_head(head);
                }
                Element::MediaIsAnObject => {
                    return Err(self.odd_case("its `Media` is an object and not an array"));
                }
                Element::Both => {
                    return Err(
                        self.odd_case("it holds both an array `Media` and digests, so it is neither case nor record")
                    );
                }
            }
        }
    }

    fn odd_case(&self, reason: &str) -> KnownError {
        let place = format!("case {}, after record {}, field Media", self.cases + 1, self.records);
        self.intake.malformed(FORMAT, place, reason.to_owned(), "export it again")
    }

    fn keep_head(&mut self, head: CaseHead) {
        if head.publisher.is_some() {
            self.publisher = head.publisher;
        }
        head.names.iter().for_each(|name| remember(&mut self.case_fields, name));
        head.stated.iter().for_each(|(name, value)| super::state(&mut self.stated, name, value));
    }

    /// The rest of a case, from inside its array of media.
    fn case(&mut self, mut head: CaseHead) -> Result<(), KnownError> {
        self.cases += 1;
        let number = self.cases;
        loop {
            let mut says = format!("{{\"number\":{number}").into_bytes();
            if let Some(id) = &head.id {
                says.extend_from_slice(b",\"CaseID\":");
                says.extend_from_slice(id);
            }
            says.push(b'}');
            self.array(Some(&says))?;
            // What stands behind the media.
            loop {
                enum Tail {
                    End,
                    Field,
                    Media,
                    MediaIsAnObject,
                    Digest,
                }
                let tail = unit(self.input, |c| {
                    let Some(name) = c.name(false)? else { return Ok(Tail::End) };
                    let key = Key::of(&name);
                    match (key, c.ahead()?) {
                        (Key::Media, b'[') => {
                            c.expect(b'[', "")?;
                            Ok(Tail::Media)
                        }
                        (Key::Media, b'{') => Ok(Tail::MediaIsAnObject),
                        _ => {
                            let value = c.value()?;
                            if matches!(key, Key::Md5 | Key::Sha1 | Key::Sha256) && !value.is_nothing() {
                                return Ok(Tail::Digest);
                            }
                            head.take(&name, &value);
                            Ok(Tail::Field)
                        }
                    }
                });
                match tail.map_err(|f| self.fail(f))? {
                    Tail::End => {
                        self.keep_head(head);
                        return Ok(());
                    }
                    Tail::Field => {}
                    Tail::Media => break,
                    Tail::MediaIsAnObject => return Err(self.odd_case("its `Media` is an object and not an array")),
                    Tail::Digest => {
                        let reason = "it holds both an array `Media` and digests, so it is neither case nor record";
                        return Err(self.odd_case(reason));
                    }
                }
            }
        }
    }

    fn into_parsed(self) -> Parsed {
        let kind = if self.cases > 0 { "case" } else { "hash set" };
        let mut warnings = vec![];
        let format = match &self.context.version {
            Some(version) => {
                if !["1.2", "1.3", "2.0"].contains(&version.as_str()) {
                    warnings.push(format!(
                        "VICS {} is newer than this reader or unknown to it; its fields were read by their names",
                        shown(version)
                    ));
                }
                format!("VICS {} {kind}", shown(version))
            }
            None => {
                warnings.push(
                    "the file does not say which version of VICS it is; its fields were read by their names".to_owned(),
                );
                format!("VICS {kind}, version not stated")
            }
        };
        if self.unknown_top.iter().any(|k| k.to_lowercase().ends_with("odata.nextlink")) {
            warnings.push("the file says that the set goes on elsewhere (nextLink): it is only a part".to_owned());
        }
        let list = |names: &BTreeSet<String>| {
            let more = if names.len() >= MAX_UNKNOWN { " and perhaps more" } else { "" };
            names.iter().map(|n| shown(n)).collect::<Vec<_>>().join(", ") + more
        };
        if !self.unknown_top.is_empty() {
            warnings.push(format!("keys beside `value` passed over: {}", list(&self.unknown_top)));
        }
        if !self.unknown_fields.is_empty() {
            warnings.push(format!(
                "fields that this reader does not know, kept with their records: {}",
                list(&self.unknown_fields)
            ));
        }
        if !self.case_fields.is_empty() {
            warnings.push(format!("fields of the case itself, which are not kept: {}", list(&self.case_fields)));
        }
        let format = match &self.context.region {
            Some(region) => format!("{format}, region {}", shown(region)),
            None => format,
        };
        Parsed { format, publisher: self.publisher, warnings, id_label: "MediaID", stated: self.stated }
    }
}

fn remember(names: &mut BTreeSet<String>, name: &str) {
    if names.len() < MAX_UNKNOWN && !names.contains(name) {
        names.insert(name.chars().take(64).collect());
    }
}

/// Reads one element of an array, with the cursor at it.
fn element<'b>(
    c: &mut Cursor<'b>,
    case: Option<&[u8]>,
    at: (u64, u64),
    scratch: &mut Scratch,
    intake: &mut Intake<'_>,
    field: &mut Option<String>,
    unknown: &mut BTreeSet<String>,
) -> Result<Element, Stop> {
    if c.ahead()? != b'{' {
        c.value()?;
        return Ok(Element::NotAnObject);
    }
    c.expect(b'{', "")?;
    scratch.clear();
    let mut fields = Fields::default();
    let (mut names_media, mut names_unknown) = (false, false);
    let mut first = true;
    while let Some(name) = c.name(first)? {
        first = false;
        let key = Key::of(&name);
        if key == Key::Media && case.is_none() {
            match c.ahead()? {
                b'[' if fields.has_digest() => return Ok(Element::Both),
                b'[' => {
                    c.expect(b'[', "")?;
                    return Ok(Element::Case(CaseHead::of(scratch.extra.open())));
                }
                b'{' => return Ok(Element::MediaIsAnObject),
                _ => names_media = true,
            }
        }
        let value = match c.value() {
            Ok(value) => value,
            Err(stop) => {
                *field = Some(name.decode().into_owned());
                return Err(stop);
            }
        };
        names_unknown |= key == Key::Unknown;
        fields.take(key, &name, value, scratch);
    }
    *field = None;
    if names_media && !fields.has_digest() {
        return Ok(Element::EmptyCase(CaseHead::of(scratch.extra.open())));
    }
    if names_unknown {
        each_member(scratch.extra.open(), &mut |name, _| {
            if Key::of(name) == Key::Unknown {
                remember(unknown, &name.decode());
            }
        });
    }
    Ok(Element::Record(fields.finish(scratch, case, at, intake).map_err(Box::new)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_says_who_published_it_and_which_it_is() {
        let head = CaseHead::of(br#"{"CaseID":"{1}","ContactOrganization":"Unit","Vendor":[1,{"a":2}]"#);
        assert_eq!(head.id.as_deref(), Some(&b"\"{1}\""[..]));
        assert_eq!((head.publisher.as_deref(), head.names), (Some("Unit"), vec!["Vendor".to_owned()]));
        assert!(CaseHead::of(b"").names.is_empty());
    }
}
