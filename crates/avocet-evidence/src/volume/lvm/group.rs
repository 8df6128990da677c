//! A volume group as its text describes it.

use std::collections::BTreeSet;

use super::plain;
use super::text::{Section, Value};

/// Extents of a group are at most so large; LVM2 allows 4 GiB.
const MOST_EXTENT: u64 = 16 << 30;

/// A physical volume of the group.
pub(super) struct Member {
    /// Its name within the text.
    pub(super) key: String,
    pub(super) id: String,
    /// First byte of its extents.
    pub(super) start: u64,
    pub(super) extents: u64,
}

/// How a part of a logical volume is kept.
pub(super) enum Kind {
    /// In turn on each of these: a physical or logical volume by its name, and an extent of it.
    Striped {
        chunk: u64,
        columns: Vec<(String, u64)>,
    },
    /// Whole on each of these.
    Copies(Vec<(String, u64)>),
    Zero,
    /// In a way that is not read, with its name.
    Other(String),
}

/// A part of a logical volume, in extents.
pub(super) struct Part {
    pub(super) start: u64,
    pub(super) extents: u64,
    pub(super) kind: Kind,
    /// Other volumes that this one needs.
    pub(super) names: Vec<String>,
    /// The volume that keeps a snapshot's bytes.
    pub(super) store: Option<String>,
}

/// A logical volume.
pub(super) struct Volume {
    pub(super) name: String,
    pub(super) visible: bool,
    pub(super) parts: Vec<Part>,
}

/// The group.
pub(super) struct Group {
    pub(super) name: String,
    pub(super) id: String,
    pub(super) number: u64,
    /// Bytes of an extent.
    pub(super) extent: u64,
    pub(super) members: Vec<Member>,
    pub(super) volumes: Vec<Volume>,
}

/// Names with extents, as a list gives them in turn.
fn pairs(list: &[Value]) -> Option<Vec<(String, u64)>> {
    list.chunks(2)
        .map(|pair| match pair {
            [Value::Text(name), Value::Number(extent)] => Some((name.clone(), *extent)),
            _ => None,
        })
        .collect()
}

/// All texts in a section and its lists.
fn texts(section: &Section) -> Vec<String> {
    let text = |value: &Value| match value {
        Value::Text(text) => Some(text.clone()),
        _ => None,
    };
    let values = section.0.values().flat_map(|value| match value {
        Value::List(list) => list.as_slice(),
        other => std::slice::from_ref(other),
    });
    values.filter_map(text).collect()
}

fn part(section: &Section) -> Option<Part> {
    let (start, extents) = (section.number("start_extent")?, section.number("extent_count")?);
    let name = section.text("type")?;
    // Flags may follow the name of the type.
    let kind = match name.split('+').next().unwrap_or_default() {
        _ if section.0.contains_key("extents_moved") => Kind::Other("volume that was being moved".into()),
        "striped" | "linear" => {
            let columns = pairs(section.list("stripes"))?;
            if section.number("stripe_count").is_some_and(|n| n != columns.len() as u64) || columns.is_empty() {
                return None;
            }
            let chunk = section.number("stripe_size").unwrap_or(0).checked_mul(512)?;
            Kind::Striped { chunk, columns }
        }
        "mirror" => Kind::Copies(pairs(section.list("mirrors"))?),
        "raid1" => {
            // A volume of metadata and one of data, in turn.
            let list = section.list("raids");
            let data = list.iter().skip(1).step_by(2).map(|value| match value {
                Value::Text(name) => Some((name.clone(), 0)),
                _ => None,
            });
            Kind::Copies(data.collect::<Option<_>>()?)
        }
        "zero" => Kind::Zero,
        _ => {
            let plain = name.len() <= 40 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_+".contains(&b));
            Kind::Other(if plain { name.to_owned() } else { "unknown".to_owned() })
        }
    };
    let store = section.text("cow_store").map(str::to_owned);
    Some(Part { start, extents, kind, names: texts(section), store })
}

impl Group {
    /// The volumes that keep the bytes of snapshots.
    pub(super) fn stores(&self) -> BTreeSet<&str> {
        self.volumes.iter().flat_map(|v| &v.parts).filter_map(|p| p.store.as_deref()).collect()
    }

    /// Bytes of physical volumes that logical ones lie on.
    pub(super) fn assigned(&self) -> u64 {
        let members: BTreeSet<&str> = self.members.iter().map(|m| m.key.as_str()).collect();
        let on_disk = |(name, _): &&(String, u64)| members.contains(name.as_str());
        let parts = self.volumes.iter().flat_map(|v| &v.parts);
        let extents = parts.fold(0u64, |sum, part| match &part.kind {
            Kind::Striped { columns, .. } => {
                let there = columns.iter().filter(on_disk).count() as u64;
                let each = part.extents.checked_div(columns.len() as u64).unwrap_or(0);
                sum.saturating_add(each.saturating_mul(there))
            }
            _ => sum,
        });
        extents.saturating_mul(self.extent)
    }

    /// The group that a text describes.
    pub(super) fn of(text: &Section) -> Result<Self, &'static str> {
        let (name, section) = text
            .sections()
            .find(|(_, s)| s.section("physical_volumes").is_some())
            .ok_or("it describes no volume group")?;
        let extent =
            section.number("extent_size").and_then(|n| n.checked_mul(512)).filter(|n| (512..=MOST_EXTENT).contains(n));
        let extent = extent.ok_or("its extents have no size that can be")?;
        let mut members = vec![];
        for (key, one) in section.section("physical_volumes").into_iter().flat_map(Section::sections) {
            let fields = || {
                let start = one.number("pe_start")?.checked_mul(512)?;
                let extents = one.number("pe_count")?;
                extents.checked_mul(extent)?.checked_add(start)?;
                Some(Member { key: key.to_owned(), id: plain(one.text("id")?), start, extents })
            };
            members.push(fields().ok_or("one of its physical volumes is not described")?);
        }
        let mut volumes = vec![];
        for (name, one) in section.section("logical_volumes").into_iter().flat_map(Section::sections) {
            let visible = one.list("status").iter().any(|v| *v == Value::Text("VISIBLE".into()));
            let mut parts = vec![];
            for (_, found) in one.sections() {
                parts.push(part(found).unwrap_or_else(|| Part {
                    start: 0,
                    extents: 0,
                    kind: Kind::Other("segment that is not understood".into()),
                    names: texts(found),
                    store: None,
                }));
            }
            parts.sort_by_key(|p| p.start);
            volumes.push(Volume { name: name.to_owned(), visible, parts });
        }
        Ok(Self {
            name: name.to_owned(),
            id: plain(section.text("id").ok_or("it has no identifier")?),
            number: section.number("seqno").unwrap_or(0),
            extent,
            members,
            volumes,
        })
    }
}
