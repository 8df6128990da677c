//! CSV and JSON into leaves.

use std::collections::BTreeMap;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::Reading;

/// The deepest nesting of JSON that is followed.
const MAX_DEPTH: usize = 100;

/// A table with a header: a leaf for each cell that is not empty.
pub fn csv(text: &str, out: &mut Reading) {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let header: Vec<String> = match reader.headers() {
        Ok(header) => header.iter().map(|name| name.trim().to_lowercase().replace([' ', '-', '/'], "_")).collect(),
        Err(_) => {
            return out.problem(1, "the header cannot be read; only the original is kept");
        }
    };
    for (at, row) in reader.records().enumerate() {
        let Ok(row) = row else {
            out.problem(0, "a row cannot be read; look at it in the original");
            continue;
        };
        let line = row.position().map_or(0, csv::Position::line);
        if row.len() > header.len() {
            out.problem(line, "the row has more cells than the header; the cells without a name are kept");
        }
        for (column, cell) in row.iter().enumerate() {
            if !cell.is_empty() {
                let name = header.get(column).filter(|name| !name.is_empty()).cloned();
                let name = name.unwrap_or_else(|| format!("column_{}", column.saturating_add(1)));
                out.field(format!("row[{}]/{name}", at.saturating_add(1)), line, cell.to_owned());
            }
        }
    }
}

/// A JSON value: a leaf for each value that is no list and no object.
pub fn json(text: &str, out: &mut Reading) {
    if let Err(e) = leaves(text, String::new(), 0, out) {
        let line = u64::try_from(e.line()).unwrap_or(0);
        out.problem(
            line,
            "it is no JSON; what was read before is listed, the original is kept. Enter by hand what it says",
        );
    }
}

/// The members of an object in their order, a name that comes twice included.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = vec![];
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Read).map(Members)
    }
}

/// Numbers are kept in the digits they are written in.
fn leaves(text: &str, path: String, depth: usize, out: &mut Reading) -> serde_json::Result<()> {
    let text = text.trim();
    let numbered = |n: usize| if n <= 1 { path.clone() } else { format!("{path}[{n}]") };
    let below = depth.saturating_add(1);
    match text.as_bytes().first() {
        Some(b'{' | b'[') if depth >= MAX_DEPTH => out.field(path, 0, text.to_owned()),
        Some(b'{') => {
            let mut seen: BTreeMap<String, usize> = BTreeMap::new();
            for (name, value) in serde_json::from_str::<Members<'_>>(text)?.0 {
                let step = if path.is_empty() { name } else { format!("{path}/{name}") };
                let n = seen.entry(step.clone()).or_insert(0);
                *n = n.saturating_add(1);
                let step = if *n > 1 { format!("{step}[{n}]") } else { step };
                leaves(value.get(), step, below, out)?;
            }
        }
        Some(b'[') => {
            for (n, item) in serde_json::from_str::<Vec<&RawValue>>(text)?.into_iter().enumerate() {
                leaves(item.get(), numbered(n.saturating_add(1)), below, out)?;
            }
        }
        Some(b'"') => out.field(path, 0, serde_json::from_str(text)?),
        _ => {
            serde_json::from_str::<serde::de::IgnoredAny>(text)?;
            out.field(path, 0, if text == "null" { String::new() } else { text.to_owned() });
        }
    }
    Ok(())
}
