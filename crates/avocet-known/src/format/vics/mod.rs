//! VICS (Project VIC) JSON 1.2, 1.3 and 2.0, hash sets and cases, as a stream: one record is held at a time.
//!
//! The format has no public specification; field names are those that real writers and readers use (Clees4All, IPED,
//! GLEAPP, see `docs/known-sets.md`). What a file is follows from its shape: an object with an array `value` of media,
//! or of cases that each hold an array `Media`. The context string names version and region.

mod keys;

use std::collections::BTreeSet;
use std::fmt;

use avocet_base::{Md5, Sha1, Sha256};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use self::keys::Key;
use super::scalar::{Scalar, ignore_scalars};
use super::{Input, Parsed, read_error};
use crate::error::{KnownError, shown};
use crate::intake::Intake;
use crate::record::{Field, Flags, RawId, RawRecord};

/// Most names of unknown fields that a warning lists.
const MAX_UNKNOWN: usize = 16;
const FORMAT: &str = "VICS JSON";

/// Reads a whole VICS file.
pub(crate) fn read(input: &mut Input<'_>, intake: &mut Intake<'_>) -> Result<Parsed, KnownError> {
    intake.count_by("record");
    let mut state = State {
        intake,
        failure: None,
        context: Context::default(),
        shape: Shape::default(),
        publisher: None,
        unknown_top: BTreeSet::new(),
        unknown_fields: BTreeSet::new(),
        records: 0,
    };
    let mut json = serde_json::Deserializer::from_reader(input);
    let outcome = RootSeed(&mut state).deserialize(&mut json).and_then(|()| json.end());
    if let Some(failure) = state.failure.take() {
        return Err(failure);
    }
    if let Err(error) = outcome {
        return Err(state.json_error(error));
    }
    if !state.shape.value {
        return Err(state.intake.malformed(
            FORMAT,
            "the whole file".to_owned(),
            "it is a JSON object without an array `value`".to_owned(),
            "export it as VICS 1.3 or 2.0 from the tool that wrote it",
        ));
    }
    Ok(state.into_parsed())
}

/// What the context string says: `…/DataModels/2.0.xml/UK/$metadata#Cases`.
#[derive(Debug, Default, PartialEq, Eq)]
struct Context {
    stated: bool,
    version: Option<String>,
    region: Option<String>,
}

impl Context {
    fn parse(text: &str) -> Context {
        let model = text.split("DataModels/").nth(1).unwrap_or_default();
        let (version, rest) = model.split_once(".xml").unwrap_or_default();
        let region = rest.strip_prefix('/').and_then(|r| r.split(['/', '#']).next()).filter(|r| !r.starts_with('$'));
        let fits = |t: &&str| !t.is_empty() && t.len() <= 16;
        Context {
            stated: true,
            version: Some(version).filter(fits).map(str::to_owned),
            region: region.filter(fits).map(str::to_owned),
        }
    }
}

#[derive(Debug, Default)]
struct Shape {
    /// There was an array `value`.
    value: bool,
    /// Elements with an array `Media`.
    cases: u64,
}

struct State<'i, 'a> {
    intake: &'i mut Intake<'a>,
    failure: Option<KnownError>,
    context: Context,
    shape: Shape,
    publisher: Option<String>,
    unknown_top: BTreeSet<String>,
    unknown_fields: BTreeSet<String>,
    records: u64,
}

impl State<'_, '_> {
    /// Stops the parser, keeping the error that is to be shown.
    fn stop<E: serde::de::Error>(&mut self, failure: KnownError) -> E {
        self.failure = Some(failure);
        E::custom("stopped")
    }

    fn see_context<E: serde::de::Error>(&mut self, text: &str) -> Result<(), E> {
        self.context = Context::parse(text);
        let scheme = self.intake.scheme();
        let Some(region) = &self.context.region else { return Ok(()) };
        if scheme.vics_regions.is_empty() || scheme.vics_regions.iter().any(|r| r.eq_ignore_ascii_case(region)) {
            return Ok(());
        }
        let failure = KnownError::Region {
            path: self.intake.path().to_owned(),
            region: shown(region),
            scheme: scheme.id.to_string(),
            fits: scheme.vics_regions.join(", "),
        };
        Err(self.stop(failure))
    }

    fn json_error(&self, error: serde_json::Error) -> KnownError {
        let place = format!("after record {}, line {} column {}", self.records, error.line(), error.column());
        if error.is_io() {
            return read_error(self.intake, &error.into());
        }
        if error.is_eof() {
            return self.intake.malformed(
                FORMAT,
                place,
                "it ends in the middle".to_owned(),
                "it may be cut short: copy it again from its source",
            );
        }
        self.intake.malformed(FORMAT, place, error.to_string(), "export or copy it again")
    }

    fn into_parsed(self) -> Parsed {
        let kind = if self.shape.cases > 0 { "case" } else { "hash set" };
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
        let list = |names: &BTreeSet<String>| names.iter().map(|n| shown(n)).collect::<Vec<_>>().join(", ");
        if !self.unknown_top.is_empty() {
            warnings.push(format!("keys beside `value` passed over: {}", list(&self.unknown_top)));
        }
        if !self.unknown_fields.is_empty() {
            warnings.push(format!("fields of records or cases passed over: {}", list(&self.unknown_fields)));
        }
        let format = match &self.context.region {
            Some(region) => format!("{format}, region {}", shown(region)),
            None => format,
        };
        Parsed { format, publisher: self.publisher, warnings, id_label: "MediaID" }
    }
}

fn remember(names: &mut BTreeSet<String>, name: String) {
    if names.len() < MAX_UNKNOWN {
        names.insert(name);
    }
}

struct RootSeed<'s, 'i, 'a>(&'s mut State<'i, 'a>);

impl<'de> DeserializeSeed<'de> for RootSeed<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RootSeed<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Key>()? {
            match key {
                Key::Context => {
                    if let Scalar::Text(text) = map.next_value()? {
                        self.0.see_context(&text)?;
                    }
                }
                Key::Value => map.next_value_seed(ArraySeed { state: &mut *self.0, in_case: false })?,
                key => {
                    let name = match key {
                        Key::Unknown(name) => name,
                        _ => "fields of a record outside `value`".to_owned(),
                    };
                    remember(&mut self.0.unknown_top, name);
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// The array `value`, or a case's `Media`.
struct ArraySeed<'s, 'i, 'a> {
    state: &'s mut State<'i, 'a>,
    in_case: bool,
}

impl<'de> DeserializeSeed<'de> for ArraySeed<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ArraySeed<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    ignore_scalars!(());

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        if !self.in_case {
            return Ok(());
        }
        let place = format!("case {}", self.state.shape.cases + 1);
        let reason = "its `Media` is an object and not an array".to_owned();
        let failure = self.state.intake.malformed(FORMAT, place, reason, "export it again");
        Err(self.state.stop(failure))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        self.state.shape.value = true;
        while seq.next_element_seed(ElementSeed { state: &mut *self.state, in_case: self.in_case })?.is_some() {}
        Ok(())
    }
}

/// One element: a media record, or a case.
struct ElementSeed<'s, 'i, 'a> {
    state: &'s mut State<'i, 'a>,
    in_case: bool,
}

impl<'de> DeserializeSeed<'de> for ElementSeed<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// A record's fields while its object is read.
#[derive(Default)]
struct Fields {
    md5: Field<Md5>,
    sha1: Field<Sha1>,
    sha256: Field<Sha256>,
    size: Field<u64>,
    category: Option<String>,
    series: Option<String>,
    id: Option<String>,
    id_number: Option<u64>,
    flags: Flags,
    odd_flag: bool,
    photo_dna: bool,
    twice: bool,
    alternative_differs: bool,
}

/// Puts a value where there is none yet; a field that an object states twice keeps its first value.
fn put<T: PartialEq>(slot: &mut Field<T>, value: Field<T>, twice: &mut bool) {
    if *slot == Field::Absent {
        *slot = value;
    } else if value != Field::Absent {
        *twice |= *slot != value;
    }
}

fn put_text(slot: &mut Option<String>, value: Option<String>, twice: &mut bool) {
    match slot {
        None => *slot = value,
        Some(old) => *twice |= value.is_some_and(|v| v != *old),
    }
}

impl<'de> Visitor<'de> for ElementSeed<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut fields = Fields::default();
        let mut alternatives = Alternatives::default();
        let mut is_case = false;
        while let Some(key) = map.next_key::<Key>()? {
            match key {
                Key::Md5 => put(&mut fields.md5, map.next_value::<Scalar>()?.digest(), &mut fields.twice),
                Key::Sha1 => put(&mut fields.sha1, map.next_value::<Scalar>()?.digest(), &mut fields.twice),
                Key::Sha256 => put(&mut fields.sha256, map.next_value::<Scalar>()?.digest(), &mut fields.twice),
                Key::Size => put(&mut fields.size, map.next_value::<Scalar>()?.size(), &mut fields.twice),
                Key::Category => put_text(&mut fields.category, map.next_value::<Scalar>()?.code(), &mut fields.twice),
                Key::Series => put_text(&mut fields.series, map.next_value::<Scalar>()?.code(), &mut fields.twice),
                Key::MediaId => match map.next_value::<Scalar>()? {
                    Scalar::Unsigned(number) => fields.id_number = fields.id_number.or(Some(number)),
                    other => put_text(&mut fields.id, other.code(), &mut fields.twice),
                },
                Key::Flag(flag) => match map.next_value::<Scalar>()?.flag() {
                    Some(on) => fields.flags.set(flag, on),
                    None => fields.odd_flag = true,
                },
                Key::AlternativeHashes => map.next_value_seed(AlternativesSeed(&mut alternatives))?,
                Key::PhotoDna => {
                    map.next_value::<IgnoredAny>()?;
                    fields.photo_dna = true;
                }
                Key::Media if !self.in_case => {
                    is_case = true;
                    map.next_value_seed(ArraySeed { state: &mut *self.state, in_case: true })?;
                }
                Key::Organization => {
                    if let Scalar::Text(text) = map.next_value()? {
                        self.state.publisher = Some(text.chars().take(200).collect());
                    }
                }
                Key::Unknown(name) => {
                    remember(&mut self.state.unknown_fields, name);
                    map.next_value::<IgnoredAny>()?;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        alternatives.fill(&mut fields);
        if is_case {
            self.state.shape.cases += 1;
            // A record that holds something called Media is still a record.
            if (fields.md5, fields.sha1, fields.sha256) == (Field::Absent, Field::Absent, Field::Absent) {
                return Ok(());
            }
        }
        let state = self.state;
        state.take(&fields).map_err(|failure| state.stop(failure))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        self.state.not_an_object();
        Ok(())
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        self.state.not_an_object();
        Ok(())
    }

    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<(), E> {
        self.visit_unit()
    }

    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<(), E> {
        self.visit_unit()
    }

    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<(), E> {
        self.visit_unit()
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<(), E> {
        self.visit_unit()
    }

    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<(), E> {
        self.visit_unit()
    }
}

impl State<'_, '_> {
    fn not_an_object(&mut self) {
        self.records += 1;
        self.intake.reject("an element that is not an object", self.records);
    }

    fn take(&mut self, fields: &Fields) -> Result<(), KnownError> {
        self.records += 1;
        let place = self.records;
        let notes = [
            (fields.odd_flag, "a flag that is neither true nor false; taken as false"),
            (fields.twice, "a field stated twice with different values; the first is used"),
            (fields.alternative_differs, "an alternative hash that differs from the record's own; the own one is used"),
            (fields.photo_dna, "a PhotoDNA value, which is neither kept nor compared"),
        ];
        notes.into_iter().filter(|(on, _)| *on).for_each(|(_, note)| self.intake.note(note, place));
        self.intake.add(&RawRecord {
            md5: fields.md5,
            sha1: fields.sha1,
            sha256: fields.sha256,
            size: fields.size,
            category: fields.category.as_deref(),
            series: fields.series.as_deref(),
            flags: fields.flags,
            id: match (fields.id_number, fields.id.as_deref()) {
                (Some(number), _) => RawId::Number(number),
                (None, Some(text)) => RawId::of_text(text),
                (None, None) => RawId::None,
            },
            place,
            ..RawRecord::default()
        })
    }
}

/// Digests in `AlternativeHashes` (1.3; seen since in 2.0 too).
#[derive(Default)]
struct Alternatives {
    md5: Field<Md5>,
    sha1: Field<Sha1>,
    sha256: Field<Sha256>,
    photo_dna: bool,
    twice: bool,
}

impl Alternatives {
    /// Uses them where the record has none of its own.
    fn fill(&self, fields: &mut Fields) {
        put(&mut fields.md5, self.md5, &mut fields.alternative_differs);
        put(&mut fields.sha1, self.sha1, &mut fields.alternative_differs);
        put(&mut fields.sha256, self.sha256, &mut fields.alternative_differs);
        fields.photo_dna |= self.photo_dna;
        fields.twice |= self.twice;
    }

    fn take(&mut self, name: &str, value: &Scalar) {
        let name: String = name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
        match name.as_str() {
            "md5" => put(&mut self.md5, value.digest(), &mut self.twice),
            "sha1" => put(&mut self.sha1, value.digest(), &mut self.twice),
            "sha256" => put(&mut self.sha256, value.digest(), &mut self.twice),
            "photodna" => self.photo_dna = true,
            _ => {}
        }
    }
}

struct AlternativesSeed<'s>(&'s mut Alternatives);

impl<'de> DeserializeSeed<'de> for AlternativesSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AlternativesSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of hashes")
    }

    ignore_scalars!(());

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(AlternativesSeed(&mut *self.0))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let (mut name, mut value) = (String::new(), Scalar::Null);
        while let Some(key) = map.next_key::<Key>()? {
            match key {
                Key::HashName => name = map.next_value::<Scalar>()?.code().unwrap_or_default(),
                Key::HashValue => value = map.next_value()?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        self.0.take(&name, &value);
        Ok(())
    }
}
