//! ISO 9660, with Rock Ridge and Joliet: discs, and images of discs.
//!
//! After ECMA-119 (ISO 9660), the Joliet specification, and IEEE P1281/P1282 (System Use Sharing and Rock Ridge). A disc
//! may carry several trees over the same files. The one that keeps most is listed: Rock Ridge, else Joliet, else the
//! plain names. A file that only another tree leads to is listed as well, with a note: hiding a file from one tree is a
//! usual trick of copy protection, and an easy one for others. Where UDF stands beside it, that is one tree more (see
//! [`super::udf`]); it comes before the plain names, which keep less.
//!
//! **Names** of Rock Ridge are bytes and escaped as such, those of Joliet are UTF-16. Of plain names the version `;1` and
//! a dot with nothing behind it are left out; another version stays. Every record is a file of its own, also where two
//! have the same name.
//!
//! **Limits.** Folders together are read to as many bytes as the volume has, each once. Files together may claim 16 times
//! the volume (several names of one file are usual); those beyond are listed as unreadable. Nesting ends at 512 levels.
//! A chain of continued system-use areas ends after 64.
//!
//! | problem code | meaning |
//! | --- | --- |
//! | `directory-loop` | a folder's place is that of a folder read before; it was read once |
//! | `directory-damaged` | a record contradicts itself; the rest of its sector was left out |
//! | `directory-unreadable` | a folder lies outside the volume or cannot be read |
//! | `directories-capped`, `directory-depth` | the limits above |
//! | `numbers-differ` | the two byte orders of a place or length disagree; the little-endian one was taken |
//! | `volume-cut` | the volume declares more bytes than there are |
//! | `udf-beside` | the disc also carries UDF, which cannot be read: files that only UDF lists are not here |

use std::sync::Arc;

use avocet_base::escape_bytes;

use crate::bytes::{array, be_u32, le_u16, le_u32, u8_at};
use crate::entry::{FileSystem, Run, Visitor, VolumeFacts};
use crate::error::{OpenError, Problem, ReadError};
use crate::source::{Source, read_up_to};

mod record;
mod susp;
mod walk;

use super::udf::Udf;
use record::Record;

const LAYER: &str = "iso9660";
/// Bytes of a descriptor, and the place of the first.
const SECTOR: u64 = 2048;
const FIRST: u64 = 16;
/// Descriptors looked at; discs have three or four.
const DESCRIPTORS: u64 = 64;

/// A volume of ISO 9660.
pub struct Iso {
    source: Arc<dyn Source>,
    facts: VolumeFacts,
    primary: Tree,
    joliet: Option<Tree>,
    udf: Option<Udf>,
    /// Places of path tables, boot catalogues and descriptors: bytes that belong to no file and are not free.
    own: Vec<Run>,
    problems: Vec<Problem>,
}

/// One tree: where it begins and how its names are written.
#[derive(Debug, Clone)]
pub(crate) struct Tree {
    root: Record,
    block: u64,
    names: Names,
}

/// How names are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    /// Upper-case letters with a version.
    Plain,
    /// UTF-16, big-endian.
    Joliet,
    /// Bytes in the system-use area, which begins after so many bytes.
    RockRidge(usize),
}

/// Whether a source carries a primary volume descriptor, and whether UDF stands beside it.
pub(crate) fn recognise(source: &dyn Source) -> Option<bool> {
    let (mut iso, mut udf) = (false, false);
    for number in 0..DESCRIPTORS {
        let head = read_up_to(source, (FIRST + number) * SECTOR, 2048).ok()?;
        match array::<5>(&head, 1) {
            // Whether the root folder's record holds is for the reader to say.
            Some([b'C', b'D', b'0', b'0', b'1']) => iso |= u8_at(&head, 0) == Some(1) && u8_at(&head, 6) == Some(1),
            Some([b'N', b'S', b'R', b'0', b'2' | b'3']) => udf = true,
            Some([b'B', b'E', b'A', b'0', b'1'] | [b'T', b'E', b'A', b'0', b'1'] | [b'B', b'O', b'O', b'T', b'2']) => {}
            _ => break,
        }
    }
    iso.then_some(udf)
}

/// The block size of a primary descriptor, held against more than its signature.
fn primary(descriptor: &[u8]) -> Option<u64> {
    let block = u64::from(le_u16(descriptor, 128)?);
    let root = Record::parse(descriptor.get(156..190)?)?.0;
    let good = u8_at(descriptor, 0)? == 1
        && u8_at(descriptor, 6)? == 1
        && (512..=2048).contains(&block)
        && block.is_power_of_two()
        && root.is_directory();
    good.then_some(block)
}

/// A padded text of a descriptor, escaped; `None` where it is blank.
fn text(bytes: &[u8]) -> Option<String> {
    let end = bytes.iter().rposition(|b| !matches!(b, b' ' | 0)).map_or(0, |n| n.saturating_add(1));
    bytes.get(..end).filter(|t| !t.is_empty()).map(escape_bytes)
}

fn text_utf16(bytes: &[u8]) -> Option<String> {
    let units: Vec<u16> = bytes.chunks_exact(2).filter_map(|p| array(p, 0)).map(u16::from_be_bytes).collect();
    let end = units.iter().rposition(|u| !matches!(u, 0 | 0x20)).map_or(0, |n| n.saturating_add(1));
    units.get(..end).filter(|t| !t.is_empty()).map(avocet_base::escape_utf16)
}

impl Iso {
    /// Opens the volume that begins at the source's first byte.
    ///
    /// # Errors
    /// [`OpenError`] where there is no primary volume descriptor, or it cannot be read.
    pub fn open(source: Arc<dyn Source>) -> Result<Self, OpenError> {
        let (mut found, mut joliet, mut udf) = (None, None, false);
        let mut own = vec![Run { start: 0, length: FIRST * SECTOR }];
        for number in 0..DESCRIPTORS {
            let place = (FIRST + number) * SECTOR;
            let descriptor = read_up_to(&*source, place, 2048)?;
            let kind = u8_at(&descriptor, 0).unwrap_or(255);
            match array::<5>(&descriptor, 1) {
                Some([b'C', b'D', b'0', b'0', b'1']) => match kind {
                    1 if found.is_none() => found = primary(&descriptor).map(|block| (descriptor.clone(), block)),
                    // The three levels of Joliet; the level says which characters are allowed, and no more.
                    2 if matches!(descriptor.get(88..91), Some(b"%/@" | b"%/C" | b"%/E")) => {
                        joliet = joliet.or(Some(descriptor.clone()));
                    }
                    0 => own.extend(
                        le_u32(&descriptor, 71)
                            .map(|at| Run { start: u64::from(at).saturating_mul(SECTOR), length: SECTOR }),
                    ),
                    _ => {}
                },
                Some([b'N', b'S', b'R', b'0', b'2' | b'3']) => udf = true,
                Some(
                    [b'B', b'E', b'A', b'0', b'1'] | [b'T', b'E', b'A', b'0', b'1'] | [b'B', b'O', b'O', b'T', b'2'],
                ) => {}
                _ => break,
            }
            own.push(Run { start: place, length: SECTOR });
        }
        let Some((descriptor, block)) = found else {
            return Err(OpenError::malformed(LAYER, FIRST * SECTOR, "no primary volume descriptor that holds"));
        };
        let mut problems = vec![];
        let root = |descriptor: &[u8]| descriptor.get(156..190).and_then(Record::parse).map(|r| r.0);
        let Some(first) = root(&descriptor) else {
            return Err(OpenError::malformed(LAYER, FIRST * SECTOR, "the root folder's record contradicts itself"));
        };
        let blocks = u64::from(le_u32(&descriptor, 80).unwrap_or(0));
        if be_u32(&descriptor, 84).map(u64::from) != Some(blocks) {
            let detail = "the two byte orders of the volume's size disagree";
            problems.push(Problem::new(LAYER, "numbers-differ", Some(FIRST * SECTOR + 80), detail));
        }
        let size = blocks.saturating_mul(block);
        if size > source.len() {
            let detail = format!("the volume declares {size} bytes and {} are there", source.len());
            problems.push(Problem::new(LAYER, "volume-cut", Some(source.len()), detail));
        }
        let udf = match udf.then(|| Udf::open(Arc::clone(&source))) {
            Some(Err(e)) => {
                let detail = format!(
                    "the disc also carries UDF, which cannot be read ({e}); files that only UDF lists are not here"
                );
                problems.push(Problem::new(LAYER, "udf-beside", None, detail));
                None
            }
            found => found.and_then(Result::ok),
        };
        own.extend(path_tables(&descriptor, block));
        let mut tree = Tree { root: first, block, names: Names::Plain };
        // The first record of the root says whether there is Rock Ridge, and where its entries begin.
        let start = tree.root.start(block).unwrap_or(0);
        if start / block > blocks {
            let detail = "the root folder lies outside the volume";
            problems.push(Problem::new(LAYER, "directory-unreadable", Some(start), detail));
        }
        let head = read_up_to(&*source, start, 2048).unwrap_or_default();
        if let Some(skip) = susp::skip(&head).filter(|_| susp::is_rock_ridge(&*source, &head, block)) {
            tree.names = Names::RockRidge(skip);
        }
        let label = text(descriptor.get(40..72).unwrap_or_default());
        let (joliet, joliet_label) = match joliet.as_ref().and_then(|d| Some((d, root(d)?))) {
            Some((d, root)) => {
                own.extend(path_tables(d, block));
                let label = d.get(40..72).and_then(text_utf16);
                (Some(Tree { root, block, names: Names::Joliet }), label)
            }
            None => (None, None),
        };
        let facts = VolumeFacts {
            kind: "iso9660",
            label: if tree.names == Names::Plain { joliet_label.or(label) } else { label },
            serial: None,
            cluster_size: block,
            size,
            time_source: "Times come from the Rock Ridge timestamps where a file has them, else the recording date of its \
                          folder record (modified only). Both state their offset from UTC.",
        };
        Ok(Self { source, facts, primary: tree, joliet, udf, own, problems })
    }
}

/// Where the four path tables of a descriptor lie. They repeat the folders and are not read.
fn path_tables(descriptor: &[u8], block: u64) -> Vec<Run> {
    let length = u64::from(le_u32(descriptor, 132).unwrap_or(0)).min(1 << 24);
    let places = [le_u32(descriptor, 140), le_u32(descriptor, 144), be_u32(descriptor, 148), be_u32(descriptor, 152)];
    let at = |place: u32| Run { start: u64::from(place).saturating_mul(block), length };
    places.into_iter().flatten().filter(|p| *p != 0).map(at).collect()
}

impl FileSystem for Iso {
    fn facts(&self) -> &VolumeFacts {
        &self.facts
    }

    /// The tree that keeps most, folder by folder in the order of their records; then what only the other tree leads to.
    fn walk(&self, visitor: &mut dyn Visitor) -> Result<(), ReadError> {
        self.problems.iter().for_each(|p| visitor.problem(p.clone()));
        let mut walk = walk::Walk::new(&self.source, visitor);
        // Plain names keep less than those of UDF.
        let udf_first = self.joliet.is_none() && self.primary.names == Names::Plain;
        if let Some(udf) = self.udf.as_ref().filter(|_| udf_first) {
            if udf.visit(walk.visitor, &mut walk.listed, false).is_continue() {
                let _ = walk.tree(&self.primary, Some("ISO 9660"));
            }
            return Ok(());
        }
        let (first, second) = match (&self.joliet, self.primary.names) {
            (Some(joliet), Names::Plain) => (joliet, Some(&self.primary)),
            (joliet, _) => (&self.primary, joliet.as_ref()),
        };
        if walk.tree(first, None).is_break() {
            return Ok(());
        }
        if let Some(second) = second {
            let which = if second.names == Names::Joliet { "Joliet" } else { "ISO 9660" };
            if walk.tree(second, Some(which)).is_break() {
                return Ok(());
            }
        }
        if let Some(udf) = &self.udf {
            let _ = udf.visit(walk.visitor, &mut walk.listed, true);
        }
        Ok(())
    }

    fn unallocated(&self) -> Result<Vec<Run>, ReadError> {
        struct Nothing;
        impl Visitor for Nothing {
            fn entry(&mut self, _: crate::Entry) -> crate::VisitResult {
                crate::VisitResult::Continue(())
            }
            fn problem(&mut self, _: Problem) {}
        }
        let mut nothing = Nothing;
        let mut walk = walk::Walk::new(&self.source, &mut nothing);
        let _ = walk.tree(&self.primary, None);
        if let Some(joliet) = &self.joliet {
            let _ = walk.tree(joliet, Some("Joliet"));
        }
        let mut used = walk.used();
        used.extend_from_slice(&self.own);
        used.extend(self.udf.iter().flat_map(Udf::used));
        let block = self.facts.cluster_size;
        // What is used is used in whole blocks.
        let whole = |r: Run| {
            let start = r.start / block * block;
            let end = r.start.saturating_add(r.length).div_ceil(block).saturating_mul(block);
            Run { start, length: end.saturating_sub(start) }
        };
        let used = crate::volume::union(used.into_iter().map(whole).collect());
        let mut free = vec![];
        let (mut at, end) = (0, self.source.len());
        for run in used {
            if run.start >= end {
                break;
            }
            if run.start > at {
                free.push(Run { start: at, length: run.start.saturating_sub(at) });
            }
            at = at.max(run.start.saturating_add(run.length));
        }
        if at < end {
            free.push(Run { start: at, length: end.saturating_sub(at) });
        }
        Ok(free)
    }
}
