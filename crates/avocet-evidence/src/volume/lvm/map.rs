//! Logical volumes put together from the physical ones that are there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::group::{Group, Kind, Part, Volume};
use super::{LAYER, Physical};
use crate::error::{Problem, ReadError, ReadFault};
use crate::source::{Source, read_exact_at};

/// Logical volumes of logical volumes.
const MOST_DEPTH: usize = 8;
/// The largest logical volume. A larger one is a damaged number, and reading its zeros would never end.
const MOST_BYTES: u64 = 64 << 40;

const ENDLESS: &str = "the volumes that it is made of need each other without end";

/// A logical volume of a group.
pub struct Logical {
    /// Its name; `lv7` where its own cannot be one.
    pub name: String,
    /// What of it is there.
    pub state: State,
}

/// What of a logical volume is there.
pub enum State {
    /// Its bytes.
    Mapped {
        /// Read at any place; bytes on a physical volume that is not there are an error.
        source: Arc<dyn Source>,
        /// How it is kept, in a clause such as `linear` or `striped`.
        how: String,
        /// The physical volumes that it lies on, as numbers of those given.
        on: BTreeSet<usize>,
    },
    /// It is not read, for the reason given.
    NotRead {
        /// What it is, such as `thin volume of LVM2`.
        what: String,
        /// Why, in a clause; may be empty.
        detail: String,
    },
}

/// A group with what could be put together of it.
pub struct Assembled {
    /// Its name; `group` where its own cannot be one.
    pub name: String,
    /// The physical volumes of it that are there, as numbers of those given.
    pub members: Vec<usize>,
    /// Its logical volumes, by name.
    pub volumes: Vec<Logical>,
    /// What was wrong or is missing.
    pub problems: Vec<Problem>,
}

/// A name that can be the part of a path; LVM2 allows no others.
fn name_or(name: &str, other: impl FnOnce() -> String) -> String {
    let good = name.len() <= 128 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"+_.-".contains(&b));
    if good && !name.is_empty() { name.to_owned() } else { other() }
}

/// Why a volume cannot be read: what it is, and more.
type Why = (String, String);
/// Bytes that a part lies on, and the first of them that is its own; `None` where they are not there.
type Column = Option<(Arc<dyn Source>, u64)>;

/// Where the bytes of a part lie.
enum Place {
    Zero,
    /// In chunks in turn on each column, from a byte of it; `None` for one that is not there.
    Columns {
        chunk: u64,
        columns: Vec<Column>,
    },
}

/// A logical volume.
struct Mapped {
    /// Parts without gaps between them, with their first bytes.
    parts: Vec<(u64, u64, Place)>,
    length: u64,
}

impl Source for Mapped {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ReadError> {
        let wanted = usize::try_from(self.length.saturating_sub(offset)).unwrap_or(usize::MAX).min(buf.len());
        let mut done = 0usize;
        while done < wanted {
            let at = offset.saturating_add(done as u64);
            let number = self.parts.partition_point(|(start, _, _)| *start <= at).saturating_sub(1);
            let Some((start, length, place)) = self.parts.get(number) else { break };
            let inside = at.saturating_sub(*start);
            let mut room = length.saturating_sub(inside);
            let from = match place {
                Place::Zero => None,
                Place::Columns { chunk, columns } => {
                    let (number, within) =
                        (inside.checked_div(*chunk).unwrap_or(0), inside.checked_rem(*chunk).unwrap_or(0));
                    room = room.min(chunk.saturating_sub(within));
                    let count = columns.len() as u64;
                    let (row, column) =
                        (number.checked_div(count).unwrap_or(0), number.checked_rem(count).unwrap_or(0));
                    let column = usize::try_from(column).ok().and_then(|c| columns.get(c)).and_then(Option::as_ref);
                    let Some((source, begin)) = column else {
                        let why = "these bytes lie on a physical volume that is not here";
                        return Err(ReadError::new(LAYER, at, ReadFault::Truncated, why));
                    };
                    Some((source, row.saturating_mul(*chunk).saturating_add(within).saturating_add(*begin)))
                }
            };
            let n = usize::try_from(room).unwrap_or(usize::MAX).min(wanted.saturating_sub(done));
            let Some(out) = buf.get_mut(done..done.saturating_add(n)).filter(|o| !o.is_empty()) else { break };
            match from {
                None => out.fill(0),
                Some((source, place)) => read_exact_at(source, LAYER, place, out)?,
            }
            done = done.saturating_add(n);
        }
        Ok(done)
    }
}

/// What is known of a logical volume once it was looked at.
#[derive(Clone)]
struct Looked {
    source: Arc<dyn Source>,
    kinds: BTreeSet<&'static str>,
    on: BTreeSet<usize>,
    /// Whether all of it lies on what is there.
    whole: bool,
    /// Whether a copy of several was taken.
    one_copy: bool,
}

/// Puts a group together.
struct Builder<'a> {
    group: &'a Group,
    given: &'a [&'a Physical],
    /// Physical volumes of the text by their names in it: where they are among those given, and where their extents begin.
    members: BTreeMap<&'a str, (Option<usize>, u64, u64)>,
    volumes: BTreeMap<&'a str, &'a Volume>,
    /// Those looked at, or why they cannot be read: what they are, and more.
    looked: BTreeMap<&'a str, Result<Looked, Why>>,
}

impl<'a> Builder<'a> {
    fn volume(&mut self, name: &str, depth: usize) -> Result<Looked, Why> {
        let broken = |why: &str| Err(("logical volume of LVM2".to_owned(), why.to_owned()));
        let Some((&key, &volume)) = self.volumes.get_key_value(name) else {
            return broken("it needs a volume that is not described");
        };
        if let Some(known) = self.looked.get(key) {
            return known.clone();
        }
        if depth >= MOST_DEPTH {
            return broken(ENDLESS);
        }
        // Until it is known what it is made of, whatever needs it is made of itself.
        self.looked.insert(key, broken(ENDLESS));
        let made = self.look(volume, depth);
        self.looked.insert(key, made.clone());
        made
    }

    fn look(&mut self, volume: &'a Volume, depth: usize) -> Result<Looked, Why> {
        let broken = |why: &str| ("logical volume of LVM2".to_owned(), why.to_owned());
        let mut parts = vec![];
        let mut length = 0u64;
        let mut out = Looked {
            source: Arc::new(Mapped { parts: vec![], length: 0 }),
            kinds: BTreeSet::new(),
            on: BTreeSet::new(),
            whole: true,
            one_copy: false,
        };
        if volume.parts.is_empty() {
            return Err(broken("it has no parts"));
        }
        for part in &volume.parts {
            if let Kind::Other(kind) = &part.kind {
                return Err((format!("logical volume of LVM2 ({kind})"), "volumes of this kind are not read".into()));
            }
            let bytes = part.extents.checked_mul(self.group.extent).filter(|b| *b > 0);
            let start = part.start.checked_mul(self.group.extent);
            let (Some(bytes), true) = (bytes, start == Some(length)) else {
                return Err(broken("its parts do not follow each other"));
            };
            let end = length.checked_add(bytes).filter(|end| *end <= MOST_BYTES);
            let place = self.place(part, bytes, depth, &mut out)?;
            parts.push((length, bytes, place));
            length = end.ok_or_else(|| broken("it is larger than any can be"))?;
        }
        out.source = Arc::new(Mapped { parts, length });
        Ok(out)
    }

    fn place(&mut self, part: &'a Part, bytes: u64, depth: usize, out: &mut Looked) -> Result<Place, Why> {
        let broken = |why: &str| ("logical volume of LVM2".to_owned(), why.to_owned());
        match &part.kind {
            Kind::Zero => {
                out.kinds.insert("zeros");
                Ok(Place::Zero)
            }
            Kind::Striped { chunk, columns } => {
                let count = columns.len() as u64;
                let (chunk, each) = match count {
                    1 => (bytes, part.extents),
                    _ => (*chunk, part.extents / count.max(1)),
                };
                let rows = each.saturating_mul(self.group.extent).checked_rem(chunk);
                if rows != Some(0) || each.checked_mul(count) != Some(part.extents) {
                    return Err(broken("its stripes do not fit its extents"));
                }
                out.kinds.insert(if count == 1 { "linear" } else { "striped" });
                let mut places = vec![];
                for (name, extent) in columns {
                    places.push(self.column(name, *extent, each, depth, out)?);
                }
                Ok(Place::Columns { chunk, columns: places })
            }
            Kind::Copies(copies) => {
                // The first copy of which all is there, else the first at all.
                let mut failed = broken("it has no copies");
                let mut chosen: Option<(Looked, Column)> = None;
                for (name, extent) in copies {
                    let mut of = out.clone();
                    of.whole = true;
                    let column = match self.column(name, *extent, part.extents, depth, &mut of) {
                        Ok(column) => column,
                        Err(why) => {
                            failed = why;
                            continue;
                        }
                    };
                    let better = chosen.as_ref().is_none_or(|(best, _)| !best.whole && of.whole);
                    if better {
                        chosen = Some((of, column));
                    }
                }
                let (mut of, column) = chosen.ok_or(failed)?;
                of.whole &= out.whole;
                of.one_copy = true;
                of.kinds.insert("one copy of a mirror");
                *out = of;
                Ok(Place::Columns { chunk: bytes, columns: vec![column] })
            }
            Kind::Other(_) => Err(broken("it is of a kind that is not read")),
        }
    }

    /// So many extents of a physical or logical volume, from one of them; `None` where it is not there.
    fn column(&mut self, name: &str, extent: u64, extents: u64, depth: usize, out: &mut Looked) -> Result<Column, Why> {
        let outside = || ("logical volume of LVM2".to_owned(), "a part of it lies outside what it lies on".to_owned());
        let begin = extent.checked_mul(self.group.extent).ok_or_else(outside)?;
        let end = extent.checked_add(extents).ok_or_else(outside)?;
        if let Some((there, start, have)) = self.members.get(name) {
            if end > *have {
                return Err(outside());
            }
            let Some((number, physical)) = there.and_then(|n| Some((n, self.given.get(n)?))) else {
                out.whole = false;
                return Ok(None);
            };
            out.on.insert(number);
            return Ok(Some((Arc::clone(&physical.source), begin.checked_add(*start).ok_or_else(outside)?)));
        }
        let of = self.volume(name, depth.saturating_add(1))?;
        if end.checked_mul(self.group.extent).is_none_or(|end| end > of.source.len()) {
            return Err(outside());
        }
        out.on.extend(&of.on);
        out.whole &= of.whole;
        out.one_copy |= of.one_copy;
        Ok(Some((of.source, begin)))
    }
}

/// Puts together the groups of the physical volumes of one disk. Those that belong to none are in no group.
pub fn assemble(given: &[&Physical]) -> Vec<Assembled> {
    // The newest description of each group, in the order of the disk.
    let mut groups: Vec<&Group> = vec![];
    for group in given.iter().filter_map(|p| p.group.as_ref()) {
        match groups.iter_mut().find(|known| known.id == group.id) {
            Some(known) if known.number < group.number => *known = group,
            Some(_) => {}
            None => groups.push(group),
        }
    }
    groups.into_iter().map(|group| one(group, given)).filter(|found| !found.members.is_empty()).collect()
}

fn one(group: &Group, given: &[&Physical]) -> Assembled {
    let find = |id: &str| given.iter().position(|p| p.id == id);
    let members: BTreeMap<&str, (Option<usize>, u64, u64)> =
        group.members.iter().map(|m| (m.key.as_str(), (find(&m.id), m.start, m.extents))).collect();
    let mut present: Vec<usize> = members.values().filter_map(|(there, _, _)| *there).collect();
    present.sort_unstable();
    present.dedup();
    let mut problems: Vec<Problem> = vec![];
    let mut problem = |code, detail: String| problems.push(Problem::new(LAYER, code, None, detail));
    let missing = members.values().filter(|(there, _, _)| there.is_none()).count();
    if missing > 0 {
        let detail = format!("{missing} of {} physical volumes of a group are not on this disk", members.len());
        problem("lvm-volume-missing", detail);
    }
    let stale = given.iter().filter_map(|p| p.group.as_ref()).any(|g| g.id == group.id && g.number != group.number);
    if stale {
        let detail = "the physical volumes of a group describe it differently; the newest description was used";
        problem("lvm-metadata-copy-used", detail.to_owned());
    }
    let mut builder = Builder {
        group,
        given,
        members,
        volumes: group.volumes.iter().map(|v| (v.name.as_str(), v)).collect(),
        looked: BTreeMap::new(),
    };
    // What others are made of is not shown by itself. The second half of a snapshot only holds what the first one lost.
    let needed: BTreeSet<&str> =
        group.volumes.iter().flat_map(|v| &v.parts).flat_map(|p| &p.names).map(String::as_str).collect();
    let stores = group.stores();
    let capacity = group.members.iter().fold(0u64, |sum, m| sum.saturating_add(m.extents)).saturating_mul(group.extent);
    let (mut claimed, mut one_copy, mut over) = (0u64, 0u64, 0u64);
    let mut names = BTreeSet::new();
    let mut volumes = vec![];
    for (number, volume) in (1u32..).zip(&group.volumes) {
        let is_snapshot = volume.parts.iter().any(|p| matches!(&p.kind, Kind::Other(kind) if kind == "snapshot"));
        if !volume.visible && (is_snapshot || needed.contains(volume.name.as_str())) {
            continue;
        }
        let mut name = name_or(&volume.name, || format!("lv{number}"));
        if !names.insert(name.clone()) {
            name = format!("lv{number}");
        }
        let not_read = |what: &str, detail: &str| State::NotRead { what: what.to_owned(), detail: detail.to_owned() };
        let state = if stores.contains(volume.name.as_str()) {
            not_read("snapshot of LVM2", "an earlier state of another volume; snapshots are not read")
        } else if !volume.visible {
            not_read("internal volume of LVM2", "nothing that is shown is made of it")
        } else {
            match builder.volume(&volume.name, 0) {
                Err((what, detail)) => State::NotRead { what, detail },
                Ok(found) => {
                    claimed = claimed.saturating_add(found.source.len());
                    if claimed > capacity {
                        over = over.saturating_add(1);
                        not_read("logical volume of LVM2", "together with others it claims more than the group holds")
                    } else {
                        one_copy = one_copy.saturating_add(u64::from(found.one_copy));
                        let how = found.kinds.into_iter().collect::<Vec<_>>().join(", ");
                        State::Mapped { source: found.source, how, on: found.on }
                    }
                }
            }
        };
        volumes.push(Logical { name, state });
    }
    let free = capacity.saturating_sub(group.assigned());
    let mut problem = |code, detail: String| problems.push(Problem::new(LAYER, code, None, detail));
    if one_copy > 0 {
        problem("lvm-one-copy-read", format!("mirrored volumes read by one copy, the others not compared: {one_copy}"));
    }
    if over > 0 {
        problem("lvm-overlap", format!("logical volumes that claim more than the group holds: {over}"));
    }
    if free > 0 {
        problem("lvm-unassigned", format!("{free} bytes of a volume group belong to no logical volume"));
    }
    Assembled { name: name_or(&group.name, || "group".into()), members: present, volumes, problems }
}
