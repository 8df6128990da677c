//! A second opinion: The Sleuth Kit lists the same image, and every difference is reported.
//!
//! Its programs run outside this process and share no code with it. They are C programs over bytes that the device's owner
//! may have chosen, so each runs confined: it reads the files of the image and its libraries, writes and starts nothing,
//! reaches no network, and all of them together have a bounded time. What that left uncompared is said.
//!
//! Left out, and counted as left out: entries that The Sleuth Kit makes up (`$MBR`, `$FAT1`, `$OrphanFiles` itself), the
//! names that it gives to the metadata files of exFAT and HFS+, indexes of NTFS on files that are no folders, volume
//! labels, and the reserved file records 16 to 23 of an NTFS. Contents of folders and links are not compared.

use std::collections::BTreeMap;
use std::path::PathBuf;

use avocet_base::{Sha1, escape_bytes, unescape_to_bytes, unescape_to_utf16};
use avocet_evidence::{AllocationState, Content, Entry, EntryKind, Evidence, Problem, VolumeState};

mod tsk;

use tsk::Theirs;
pub use tsk::{CorroborateError, SleuthKit};
use tsk::{Listing, Session};

/// Contents asked for one by one (streams, deleted files): a program is started for each.
const ASKED: usize = 2000;
/// Kinds of containers that The Sleuth Kit opens.
const CONTAINERS: [&str; 5] = ["raw", "split raw", "ewf", "vhd", "vmdk"];
/// File systems that it reads without being told more.
const FILE_SYSTEMS: [&str; 10] =
    ["ntfs", "fat12", "fat16", "fat32", "exfat", "ext2", "ext3", "ext4", "hfs+", "iso9660"];

const LAYER: &str = "second opinion";

/// A second opinion that is wanted.
#[derive(Debug)]
pub struct Corroborate {
    /// The programs.
    pub program: SleuthKit,
    /// The image, by its first segment.
    pub image: PathBuf,
}

/// One entry as this examination lists it.
#[derive(Debug)]
pub(crate) struct Ours {
    volume: i64,
    item: Item,
    /// Why there is no digest although there is content.
    unreadable: bool,
}

/// An entry as both sides can state it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    /// As The Sleuth Kit prints it.
    pub path: String,
    pub deleted: bool,
    /// `true` where it is a file with content.
    pub file: bool,
    pub size: u64,
    pub sha1: Option<Sha1>,
}

/// What the comparison gave.
#[derive(Debug, Default)]
pub(crate) struct Opinion {
    pub by: String,
    pub equal: u64,
    pub contents: u64,
    /// Contents that were not compared.
    pub unasked: u64,
    /// Entries left out by rule.
    pub left_out: u64,
    /// Volumes that were not compared, and why.
    pub without: Vec<(String, String)>,
    pub differences: Vec<(i64, Problem)>,
    /// Why the contents of live files were asked for one by one.
    pub one_by_one: Option<String>,
    /// The time that the programs had, in seconds, where it was over before they were done.
    pub late: Option<u64>,
    /// What this kernel could not enforce for the programs, one sentence each.
    pub missing: Vec<String>,
    /// How many differences there were.
    pub count: u64,
}

/// The path as `fls` prints it: control characters and what is no text as `^`.
fn printed(entry: &Entry, fs: &str) -> String {
    let mut escaped = entry.path.trim_start_matches('/').to_owned();
    if let Some(stream) = &entry.stream {
        escaped.push(':');
        escaped.push_str(stream);
    }
    if fs == "hfs+" {
        // A slash in a name is a colon to those who use slashes for paths.
        escaped = escaped.replace("\\u{2f}", ":");
    }
    let text = match unescape_to_bytes(&escaped) {
        Some(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        None => unescape_to_utf16(&escaped).map_or(escaped, |units| String::from_utf16_lossy(&units)),
    };
    cleaned(&text)
}

fn cleaned(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_control() || c == char::REPLACEMENT_CHARACTER { '^' } else { c }).collect()
}

impl Ours {
    /// Takes an entry that was recorded; `None` where it is of a kind that is left out.
    pub fn of(volume: i64, fs: &str, entry: &Entry, sha1: Option<Sha1>, unreadable: bool) -> Option<Ours> {
        // It lists no label as one, and of HFS+ neither attributes nor resource forks.
        if fs.starts_with("fat") && entry.kind == EntryKind::Special || fs == "hfs+" && entry.stream.is_some() {
            return None;
        }
        // Of an NTFS: files that hold indexes only, and the map of bad clusters, as large as the volume.
        let indexes = entry.kind == EntryKind::File && entry.stream.is_none() && matches!(entry.content, Content::None);
        if fs == "ntfs" && (indexes || entry.path == "/$BadClus" && entry.stream.is_some()) {
            return None;
        }
        let orphan = entry.state == AllocationState::Orphan;
        let path = if orphan { orphan_name(entry, fs) } else { printed(entry, fs) };
        let item = Item {
            path,
            deleted: entry.state != AllocationState::Allocated,
            file: entry.kind == EntryKind::File,
            size: entry.size,
            sha1,
        };
        Some(Ours { volume, item, unreadable })
    }
}

/// Orphans have no path: those of a file system with a table are known by their number, others by their name.
fn orphan_name(entry: &Entry, fs: &str) -> String {
    if fs.starts_with("fat") || fs == "exfat" {
        let printed = printed(entry, fs);
        return format!("$OrphanFiles/{}", printed.rsplit('/').next().unwrap_or_default());
    }
    let stream = entry.stream.as_ref().map_or_else(String::new, |s| format!(":{s}"));
    format!("$OrphanFiles/{}{stream}", entry.number)
}

impl Corroborate {
    /// Lists the image with The Sleuth Kit and compares.
    pub(crate) fn compare(&self, evidence: &Evidence, ours: Vec<Ours>) -> Opinion {
        let mut opinion = Opinion { by: self.program.to_string(), ..Opinion::default() };
        let mut by_volume: BTreeMap<i64, Vec<Ours>> = BTreeMap::new();
        for one in ours {
            by_volume.entry(one.volume).or_default().push(one);
        }
        let opens = CONTAINERS.contains(&evidence.kind);
        let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
        let segments = evidence.container.as_ref().map(|c| c.segments.as_slice()).unwrap_or_default();
        let files: Vec<PathBuf> = segments.iter().chain([&self.image]).map(absolute).collect();
        let bytes = evidence.source().map_or(0, |s| s.len());
        let session = Session::new(&self.program, absolute(&self.image), files, bytes);
        let contents = if opens { session.contents() } else { Ok(BTreeMap::new()) };
        opinion.one_by_one = contents.as_ref().err().map(ToString::to_string);
        let mut asked = ASKED;
        for (id, volume) in (1i64..).zip(&evidence.volumes) {
            let VolumeState::Read { fs, .. } = &volume.state else { continue };
            let kind = fs.facts().kind;
            let refused = if !opens {
                Some(format!("it does not open {}", evidence.kind))
            } else if !FILE_SYSTEMS.contains(&kind) {
                Some(format!("it does not read {kind} here"))
            } else if !volume.layers.is_empty() {
                Some("it lies in an encrypted or logical volume, which is not opened for it".to_owned())
            } else if !volume.start.is_multiple_of(512) {
                Some("it does not begin at a sector".to_owned())
            } else {
                None
            };
            let listed = match refused {
                Some(why) => Err(why),
                None => session.list(volume.start / 512, kind).map_err(|e| e.to_string()),
            };
            match listed {
                Err(why) => opinion.without.push((volume.name.clone(), why)),
                Ok(Listing { entries, left_out }) => {
                    opinion.left_out += left_out;
                    let theirs = with_contents(&session, entries, volume.start, contents.as_ref().ok(), &mut asked);
                    let ours = by_volume.remove(&id).unwrap_or_default();
                    compare(id, ours, theirs, &mut opinion);
                }
            }
        }
        (opinion.late, opinion.missing) = (session.late(), session.missing());
        opinion
    }
}

/// Adds the digests: of live files from one pass over the image, of the others one by one.
fn with_contents(
    session: &Session<'_>,
    listed: Vec<Theirs>,
    start: u64,
    contents: Option<&tsk::Contents>,
    asked: &mut usize,
) -> Vec<(Item, bool)> {
    let mut out = Vec::with_capacity(listed.len());
    for Theirs { mut item, address, plain } in listed {
        let mut known = !item.file || item.size == 0;
        if item.file && !known {
            let inode = address.split('-').next().and_then(|n| n.parse().ok());
            let live = inode.filter(|_| plain && !item.deleted);
            item.sha1 = live.and_then(|inode| contents?.get(&(start, inode)).copied());
            if item.sha1.is_none() && *asked > 0 {
                *asked -= 1;
                item.sha1 = session.content(start / 512, &address).ok();
            }
            known = item.sha1.is_some();
        }
        out.push((item, known));
    }
    out
}

/// SHA-1 of nothing.
const EMPTY: &str = "da39a3ee5e6b4b0d3255bfef95601890afd80709";

/// Pairs entries of the same path, the most alike first, and reports what is left over or differs.
fn compare(volume: i64, ours: Vec<Ours>, theirs: Vec<(Item, bool)>, opinion: &mut Opinion) {
    let mut left: BTreeMap<String, Vec<Ours>> = BTreeMap::new();
    for one in ours {
        left.entry(one.item.path.clone()).or_default().push(one);
    }
    let mut report = |code: &'static str, path: &str, detail: String| {
        let escaped: Vec<String> = path.split('/').map(|part| escape_bytes(part.as_bytes())).collect();
        let path = format!("/{}", escaped.join("/"));
        opinion.differences.push((volume, Problem::new(LAYER, code, None, detail).at_path(path)));
    };
    let state = |deleted: bool| if deleted { "deleted" } else { "live" };
    // Equal ones first, so that of two entries of one name each finds its own.
    let mut rest = vec![];
    let (mut equal, mut contents, mut unasked) = (0u64, 0u64, 0u64);
    for (theirs, known) in theirs {
        let place = left.get_mut(&theirs.path).and_then(|some| {
            let at = some.iter().position(|o| same(o, &theirs, known))?;
            Some(some.swap_remove(at))
        });
        match place {
            Some(_) => {
                equal += 1;
                contents += u64::from(theirs.file && known);
                unasked += u64::from(!known);
            }
            None => rest.push((theirs, known)),
        }
    }
    for (theirs, known) in rest {
        let some = left.get_mut(&theirs.path);
        let best = some.as_ref().and_then(|some| {
            let likeness =
                |o: &Ours| (o.item.file == theirs.file, o.item.deleted == theirs.deleted, o.item.size == theirs.size);
            (0..some.len()).max_by_key(|i| some.get(*i).map(likeness))
        });
        let found = best.and_then(|at| some.map(|some| some.swap_remove(at)));
        let Some(found) = found else {
            let detail =
                format!("{} and of {} bytes to The Sleuth Kit; not listed here", state(theirs.deleted), theirs.size);
            report("second-opinion-only-theirs", &theirs.path, detail);
            continue;
        };
        let o = &found.item;
        if o.deleted != theirs.deleted {
            let detail = format!("{} here, {} to The Sleuth Kit", state(o.deleted), state(theirs.deleted));
            report("second-opinion-state", &theirs.path, detail);
        }
        if o.file && theirs.file && o.size != theirs.size {
            let detail = format!("{} bytes here, {} to The Sleuth Kit", o.size, theirs.size);
            report("second-opinion-size", &theirs.path, detail);
        }
        if known && !same_content(&found, &theirs) {
            let detail = if found.unreadable {
                "not read here, for the reason that stands with the file; The Sleuth Kit gives bytes".to_owned()
            } else {
                "the bytes that The Sleuth Kit gives have another SHA-1".to_owned()
            };
            report("second-opinion-content", &theirs.path, detail);
        }
    }
    for found in left.into_values().flatten() {
        let o = &found.item;
        let detail = format!("{} and of {} bytes here; not listed by The Sleuth Kit", state(o.deleted), o.size);
        report("second-opinion-only-ours", &o.path, detail);
    }
    opinion.equal += equal;
    opinion.contents += contents;
    opinion.unasked += unasked;
}

fn same(ours: &Ours, theirs: &Item, known: bool) -> bool {
    let o = &ours.item;
    o.deleted == theirs.deleted
        && o.file == theirs.file
        && (!o.file || o.size == theirs.size)
        && (!known || same_content(ours, theirs))
}

fn same_content(ours: &Ours, theirs: &Item) -> bool {
    let o = &ours.item;
    if !o.file || !theirs.file || theirs.size == 0 && o.size == 0 {
        return true;
    }
    match (o.sha1, theirs.sha1) {
        (Some(ours), Some(theirs)) => ours == theirs,
        // Of a deleted file whose place is not recorded both have nothing.
        (None, Some(theirs)) => ours.unreadable && theirs.to_string() == EMPTY,
        (None, None) => true,
        (Some(_), None) => o.size == 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(path: &str, deleted: bool, size: u64, seed: u8) -> Item {
        Item { path: path.into(), deleted, file: true, size, sha1: Some(Sha1([seed; 20])) }
    }

    fn ours(item: Item) -> Ours {
        Ours { volume: 1, item, unreadable: false }
    }

    #[test]
    fn every_kind_of_difference_is_reported_once() {
        let mut opinion = Opinion::default();
        let mine = vec![
            ours(item("same", false, 5, 1)),
            ours(item("twice", true, 5, 1)),
            ours(item("twice", false, 5, 2)),
            ours(item("longer", false, 6, 1)),
            ours(item("other bytes", false, 5, 1)),
            ours(item("gone", true, 5, 1)),
            ours(item("only here", false, 5, 1)),
        ];
        let theirs = vec![
            (item("same", false, 5, 1), true),
            (item("twice", false, 5, 2), true),
            (item("twice", true, 5, 1), true),
            (item("longer", false, 7, 2), true),
            (item("other bytes", false, 5, 9), true),
            (item("gone", false, 5, 1), true),
            (item("only there", true, 5, 1), true),
        ];
        compare(1, mine, theirs, &mut opinion);
        let codes: Vec<(&str, &str)> =
            opinion.differences.iter().map(|(_, p)| (p.code, p.path.as_deref().unwrap())).collect();
        assert_eq!(
            codes,
            [
                ("second-opinion-size", "/longer"),
                ("second-opinion-content", "/longer"),
                ("second-opinion-content", "/other bytes"),
                ("second-opinion-state", "/gone"),
                ("second-opinion-only-theirs", "/only there"),
                ("second-opinion-only-ours", "/only here"),
            ]
        );
        assert_eq!((opinion.equal, opinion.contents), (3, 3));
    }

    #[test]
    fn a_content_that_was_not_asked_for_is_counted_and_no_difference() {
        let mut opinion = Opinion::default();
        let theirs = Item { sha1: None, ..item("a", false, 5, 1) };
        compare(1, vec![ours(item("a", false, 5, 1))], vec![(theirs, false)], &mut opinion);
        assert!(opinion.differences.is_empty());
        assert_eq!((opinion.equal, opinion.contents, opinion.unasked), (1, 0, 1));
    }
}
