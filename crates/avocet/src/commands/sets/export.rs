//! `avocet sets export`
//!
//! What the set's own files stated beside the fields that Avocet reads is given back as it stood.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};

use avocet_known::{Record, RecordId, SetFile};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{refuse, refuse_known, set_ref, store};
use crate::args::{ExportFormat, ExportSet, Global};
use crate::commands::check_new;
use crate::{Outcome, output};

pub fn run(global: &Global, args: &ExportSet) -> anyhow::Result<Outcome> {
    check_new(&args.out, "export")?;
    let store = store(global)?;
    let (name, set) = store.open(&set_ref(&args.set)?).map_err(refuse)?;
    let partial = args.out.with_added_extension("partial");
    let file = OpenOptions::new().write(true).create(true).truncate(true).open(&partial)?;
    let written = match args.format {
        ExportFormat::Vics => vics(&set, file),
        ExportFormat::Csv => csv(&set, file),
    };
    let records = match written.and_then(|n| Ok(std::fs::rename(&partial, &args.out).map(|()| n)?)) {
        Ok(records) => records,
        Err(e) => {
            let _ = std::fs::remove_file(&partial);
            return Err(e);
        }
    };
    if !global.quiet {
        output::remark(&format!("{name}: {records} records written to {}", args.out.display()));
    }
    Ok(Outcome::Finished)
}

/// The records in the order of their sources, each as often as it stood there.
fn each(set: &SetFile, mut write: impl FnMut(&Record) -> anyhow::Result<()>) -> anyhow::Result<u64> {
    let mut places: Vec<(u32, u64, u32)> = vec![];
    for record in set.records() {
        let record = record.map_err(refuse_known)?;
        places.push((record.source, record.place, record.row));
    }
    places.sort_unstable();
    let mut written = 0u64;
    for (_, _, row) in &places {
        let record = set.record(*row).map_err(refuse_known)?;
        for _ in 0..record.count {
            write(&record)?;
            written += 1;
        }
    }
    Ok(written)
}

/// The members of a JSON object in their order, of which several may have one name, with their values as they stood.
#[derive(Default)]
struct Members(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Members, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut all = vec![];
                while let Some(member) = map.next_entry()? {
                    all.push(member);
                }
                Ok(Members(all))
            }
        }
        from.deserialize_map(All)
    }
}

/// What a record states beside the fields that Avocet reads.
fn further(record: &Record) -> anyhow::Result<Vec<(String, Box<RawValue>)>> {
    let members: Members = record.extra.as_deref().map(serde_json::from_str).transpose()?.unwrap_or_default();
    Ok(members.0)
}

/// Under this name stand members whose own name is taken: readers differ in which of two they believe.
const ALSO: &str = "avocet:also";

fn vics(set: &SetFile, file: File) -> anyhow::Result<u64> {
    let mut out = BufWriter::with_capacity(1 << 20, file);
    // Only a reader told the region can read the codes; the set's own scheme stands beside them.
    let region = match set.info().scheme.as_str() {
        "us-vics-2.0" => "US",
        scheme if scheme.starts_with("uk") => "UK",
        _ => "Default",
    };
    let context = format!("http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/{region}/$metadata#Media");
    write!(out, "{{\"@odata.context\":{},\"value\":[", serde_json::to_string(&context)?)?;
    let mut first = true;
    let written = each(set, |record| {
        out.write_all(if std::mem::take(&mut first) { b"\n" } else { b",\n" })?;
        let further = further(record)?;
        let mut fields: Vec<(&str, String)> = vec![];
        let mut field = |name: &'static str, value: serde_json::Value| fields.push((name, value.to_string()));
        match &record.id {
            RecordId::Number(id) => field("MediaID", (*id).into()),
            RecordId::Text(id) => field("MediaID", id.as_str().into()),
            RecordId::None => {}
        }
        if let Some(category) = &record.category {
            // Numbers where they are numbers, as the format has it; a code of another kind is kept as it is.
            field("Category", category.parse::<u32>().map_or_else(|_| category.as_str().into(), Into::into));
        }
        if let Some(md5) = record.md5 {
            field("MD5", md5.to_string().to_uppercase().into());
        }
        if let Some(sha1) = record.sha1 {
            field("SHA1", sha1.to_string().to_uppercase().into());
        }
        if let Some(size) = record.size {
            field("MediaSize", size.into());
        }
        if let Some(series) = &record.series {
            field("Series", series.as_str().into());
        }
        for (on, name) in [
            (record.flags.victim_identified(), "VictimIdentified"),
            (record.flags.offender_identified(), "OffenderIdentified"),
            (record.flags.distributed(), "IsDistributed"),
            (record.flags.suspected(), "IsSuspected"),
            (record.flags.self_generated(), "SelfGenerated"),
        ] {
            if on {
                field(name, true.into());
            }
        }
        if let Some(value) = &record.photodna {
            field("PhotoDNA", base64(value).into());
        }
        let mut alternative: Vec<String> = vec![];
        let mut stated = |name: &str, value: String| {
            alternative.push(format!("{{\"HashName\":\"{name}\",\"HashValue\":\"{value}\"}}"));
        };
        record.sha256.iter().for_each(|d| stated("SHA256", d.to_string()));
        record.pdq.iter().for_each(|d| stated("PDQ", d.to_string()));
        // Where the source's own array is given back, what is not in it stands beside it.
        let taken =
            |fields: &[(&str, String)], name: &str| fields.iter().any(|(own, _)| own.eq_ignore_ascii_case(name));
        if further.iter().any(|(name, _)| name.eq_ignore_ascii_case("AlternativeHashes")) {
            record.sha256.iter().for_each(|d| fields.push(("SHA256", format!("\"{d}\""))));
            record.pdq.iter().for_each(|d| fields.push(("PDQ", format!("\"{d}\""))));
        } else if !alternative.is_empty() {
            fields.push(("AlternativeHashes", format!("[{}]", alternative.join(","))));
        }
        let mut also = vec![];
        for (name, value) in &further {
            if taken(&fields, name) {
                also.push(format!("{{{}:{value}}}", serde_json::to_string(name)?));
            } else {
                fields.push((name, value.get().to_owned()));
            }
        }
        if !also.is_empty() {
            fields.push((ALSO, format!("[{}]", also.join(","))));
        }
        let members = fields.iter().map(|(name, value)| Ok(format!("{}:{value}", serde_json::to_string(name)?)));
        write!(out, "{{{}}}", members.collect::<serde_json::Result<Vec<_>>>()?.join(","))?;
        Ok(())
    })?;
    out.write_all(b"\n]}\n")?;
    out.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
    Ok(written)
}

fn csv(set: &SetFile, file: File) -> anyhow::Result<u64> {
    let mut out = csv::Writer::from_writer(BufWriter::with_capacity(1 << 20, file));
    out.write_record([
        "id", "md5", "sha1", "sha256", "size", "category", "series", "flags", "pdq", "photodna", "further",
    ])?;
    let written = each(set, |record| {
        let text = |v: Option<String>| v.unwrap_or_default();
        let id = match &record.id {
            RecordId::None => String::new(),
            RecordId::Number(id) => id.to_string(),
            RecordId::Text(id) => id.clone(),
        };
        out.write_record([
            id,
            text(record.md5.map(|d| d.to_string())),
            text(record.sha1.map(|d| d.to_string())),
            text(record.sha256.map(|d| d.to_string())),
            text(record.size.map(|s| s.to_string())),
            text(record.category.clone()),
            text(record.series.clone()),
            record.flags.words().collect::<Vec<_>>().join(" "),
            text(record.pdq.map(|p| p.to_string())),
            text(record.photodna.as_deref().map(base64)),
            // Line breaks can only stand between the members, and would make a row of several lines.
            text(record.extra.as_deref().map(|e| e.replace(['\n', '\r'], " "))),
        ])?;
        Ok(())
    })?;
    out.flush()?;
    out.get_ref().get_ref().sync_all()?;
    Ok(written)
}

/// Base64 (RFC 4648), as VICS writes PhotoDNA values.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().chain([0, 0].iter()).take(3).fold(0u32, |acc, b| acc << 8 | u32::from(*b));
        for i in 0..4 {
            let digit = DIGITS.get((group >> (18 - 6 * i)) as usize & 63).copied().unwrap_or(b'=');
            text.push(char::from(if i <= chunk.len() { digit } else { b'=' }));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_is_that_of_the_rfc() {
        // RFC 4648, section 10.
        let cases = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ];
        for (plain, coded) in cases {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }
}
