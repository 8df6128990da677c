//! What a phone's own databases say of the pictures in its camera roll: taken by the phone or saved, in how many albums,
//! hidden, in the trash, a favourite.
//!
//! The databases are files of the evidence: `Photos.sqlite` of iOS (`…/Media/PhotoData/`), `external.db` of Android's
//! MediaStore (`…/com.android.providers.media*/databases/`, from Android 11 on also `…providers.media.module`). They are
//! looked for by their paths before the files are listed, in evidence that is a tree (backups, archives, extractions,
//! folders); in the image of a disk they are not. What they say stands as a note beside the file that it is about. Names of
//! albums and apps are not notes: they stay in the databases.
//!
//! What the numbers of iOS mean is not published; the meanings are those that the open queries of the forensic community
//! (`ScottKjr3347/iOS_Local_PL_Photos.sqlite_Queries`) report from tests, and a number without an agreed meaning is shown
//! as a number. The columns of Android are those of its public source (`MediaProvider`, `DatabaseHelper`).
//!
//! | problem code | meaning |
//! | --- | --- |
//! | `camera-roll-unreadable` | such a database cannot be read, or has not the tables that it should have |
//! | `wal-not-applied` | changes of such a database lie in a `-wal` file and were not applied |
//! | `camera-roll-capped` | it lists more pictures than are kept |
//!
//! and those of the reader of databases.

use std::collections::BTreeMap;
use std::sync::Arc;

use avocet_base::escape_bytes;
use avocet_evidence::scratch::Scratch;
use avocet_evidence::sqlite::{Database, Row, Table};
use avocet_evidence::{
    Entry, EntryKind, Evidence, FileSystem, Note, Problem, Source, VisitResult, Visitor, VolumeState,
};

const LAYER: &str = "camera-roll";
/// Pictures of all databases kept at most.
const MOST: usize = 5_000_000;
/// Databases of each volume read at most.
const MOST_DATABASES: usize = 64;
const PHOTOS: &str = "PhotoData/Photos.sqlite";
/// Where Android's paths begin in the databases, and where the same folder is in evidence.
const EMULATED: &str = "/storage/emulated/0/";
const SHARED: [&str; 5] = ["/storage/emulated/0/", "/data/media/0/", "/shared/0/", "/sdcard/", "/media/0/"];

/// What is said of one picture.
#[derive(Default, Clone)]
struct Facts {
    origin: Option<String>,
    albums: u32,
    hidden: bool,
    trash: bool,
    favourite: bool,
    /// A file of the evidence has this path.
    seen: bool,
}

impl Facts {
    fn note(&self) -> String {
        let mut parts = vec!["camera roll".to_owned()];
        parts.extend(self.origin.clone());
        match self.albums {
            0 => {}
            1 => parts.push("in 1 album".into()),
            n => parts.push(format!("in {n} albums")),
        }
        for (yes, word) in [(self.hidden, "hidden"), (self.trash, "in the trash"), (self.favourite, "favourite")] {
            if yes {
                parts.push(word.into());
            }
        }
        let first = parts.remove(0);
        if parts.is_empty() { first } else { format!("{first}: {}", parts.join(", ")) }
    }
}

/// What the databases of the evidence say, by volume.
#[derive(Default)]
pub(crate) struct CameraRoll {
    /// Of iOS: by path in the evidence.
    by_path: BTreeMap<(i64, String), Facts>,
    /// Of Android: by path below the shared folder.
    shared: BTreeMap<(i64, String), Facts>,
    databases: u64,
    /// Volume and problem.
    pub problems: Vec<(i64, Problem)>,
}

/// What is counted for the completeness statement.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CameraCounts {
    pub databases: u64,
    pub listed: u64,
    pub found: u64,
    pub saved: u64,
    pub hidden: u64,
    pub trash: u64,
}

/// Looks for databases by path.
#[derive(Default)]
struct Looking {
    photos: Vec<Entry>,
    media: Vec<Entry>,
    wals: Vec<String>,
}

fn is_media_store(path: &str) -> bool {
    let Some((folder, name)) = path.rsplit_once('/') else { return false };
    let name_fits = name == "external.db" || (name.starts_with("external-") && name.ends_with(".db"));
    // In a backup of Android the folder is `apps/PACKAGE/db`.
    name_fits && folder.contains("providers.media") && (folder.ends_with("/databases") || folder.ends_with("/db"))
}

impl Visitor for Looking {
    fn entry(&mut self, entry: Entry) -> VisitResult {
        if entry.kind == EntryKind::File && entry.stream.is_none() {
            if let Some(database) = entry.path.strip_suffix("-wal").filter(|_| entry.size > 0) {
                if database.ends_with(PHOTOS) || is_media_store(database) {
                    self.wals.push(database.to_owned());
                }
            } else if entry.path.ends_with(PHOTOS) {
                self.photos.push(entry);
            } else if is_media_store(&entry.path) {
                self.media.push(entry);
            }
        }
        VisitResult::Continue(())
    }

    /// They come again when the files are listed.
    fn problem(&mut self, _: Problem) {}
}

/// Rows of one table, each handed on with the table; nothing where the table is not there.
fn rows(database: &Database, name: &str, problems: &mut Vec<Problem>, row: &mut dyn FnMut(&Table, Row)) -> Option<()> {
    let table = database.table(name, &mut |p| problems.push(p)).ok()??;
    let read = database.rows(&table, &mut |p| problems.push(p), &mut |r| {
        row(&table, r);
        VisitResult::Continue(())
    });
    if let Err(e) = read {
        problems.push(Problem::new(e.layer, "page-unreadable", Some(e.offset), e.detail));
    }
    Some(())
}

fn integer(table: &Table, row: &Row, column: &str) -> Option<i64> {
    table.column(column).and_then(|c| row.get(c).integer())
}

fn text<'a>(table: &Table, row: &'a Row, column: &str) -> Option<&'a [u8]> {
    table.column(column).and_then(|c| row.get(c).text()).filter(|t| !t.is_empty())
}

/// The path of a file as evidence shows it.
fn joined(base: &str, parts: &[u8]) -> String {
    let mut out = base.to_owned();
    for part in parts.split(|b| *b == b'/').filter(|p| !p.is_empty()) {
        if !out.is_empty() && !out.ends_with('/') {
            out.push('/');
        }
        out.push_str(&escape_bytes(part));
    }
    out
}

/// How a picture came onto the phone, by the number that iOS gives it.
fn imported_by(number: i64) -> String {
    match number {
        1 => "taken by this phone (back camera)".into(),
        2 => "taken by this phone (front camera)".into(),
        3 | 6 => "saved by another app".into(),
        7 => "from a shared link".into(),
        8 | 9 => "saved by an app of the system".into(),
        12 => "shared with the owner in a message".into(),
        0 => "from the cloud or another source".into(),
        other => format!("origin number {other}, meaning not known"),
    }
}

impl CameraRoll {
    /// Reads the databases of the volumes that are trees. Takes as long as listing them once more.
    pub fn read(evidence: &Evidence, scratch: &Arc<dyn Scratch>) -> Self {
        let mut roll = Self::default();
        for (id, volume) in (1..).zip(&evidence.volumes) {
            let VolumeState::Read { fs, source } = &volume.state else { continue };
            if fs.facts().cluster_size == 0 {
                roll.volume(id, &**fs, source, scratch);
            }
        }
        roll
    }

    fn volume(&mut self, id: i64, fs: &dyn FileSystem, source: &Arc<dyn Source>, scratch: &Arc<dyn Scratch>) {
        let mut looking = Looking::default();
        // What ends a walk early ends it again, and is said then.
        let _ = fs.walk(&mut looking);
        let Looking { photos, media, wals } = looking;
        for (i, entry) in photos.iter().chain(&media).take(MOST_DATABASES).enumerate() {
            let mut problems = vec![];
            let opened = entry.source(source, &**scratch).ok().flatten().and_then(|s| Database::open(s).ok());
            let done = opened.and_then(|database| {
                if i < photos.len() {
                    self.photos(id, &entry.path, &database, &mut problems)
                } else {
                    self.media_store(id, &database, &mut problems)
                }
            });
            match done {
                Some(()) => self.databases += 1,
                None => {
                    let detail = "a database of the camera roll cannot be read, or is none of a kind that is known";
                    problems.push(Problem::new(LAYER, "camera-roll-unreadable", None, detail));
                }
            }
            if wals.contains(&entry.path) {
                let detail = "changes that lie beside a database of the camera roll were not applied";
                problems.push(Problem::new(LAYER, "wal-not-applied", None, detail));
            }
            self.problems.extend(problems.into_iter().map(|p| (id, p.at_path(&entry.path))));
        }
    }

    /// Keeps what is said of a picture; false where there is no more room.
    fn keep(&mut self, shared: bool, volume: i64, path: String, facts: Facts) -> bool {
        if self.by_path.len() + self.shared.len() >= MOST {
            return false;
        }
        let map = if shared { &mut self.shared } else { &mut self.by_path };
        map.entry((volume, path)).or_insert(facts);
        true
    }

    fn photos(&mut self, id: i64, path: &str, database: &Database, problems: &mut Vec<Problem>) -> Option<()> {
        let base = path.strip_suffix(PHOTOS)?;
        let mut origins = BTreeMap::new();
        rows(database, "ZADDITIONALASSETATTRIBUTES", problems, &mut |table, row| {
            if let (Some(asset), Some(by)) = (integer(table, &row, "ZASSET"), integer(table, &row, "ZIMPORTEDBY")) {
                origins.insert(asset, by);
            }
        });
        let mut albums: BTreeMap<i64, u32> = BTreeMap::new();
        // The tables that join albums and pictures have numbers in their names that change with every version.
        let tables = database.tables(&mut |p| problems.push(p)).ok()?;
        let numbered = |name: &str, end: &str| {
            let middle = name.strip_prefix("Z_").and_then(|n| n.strip_suffix(end));
            middle.is_some_and(|m| !m.is_empty() && m.bytes().all(|b| b.is_ascii_digit()))
        };
        for table in tables.iter().filter(|t| numbered(&t.name, "ASSETS")) {
            let column = |end: &str| table.columns.iter().position(|c| numbered(c, end));
            let (Some(_), Some(asset)) = (column("ALBUMS"), column("ASSETS")) else { continue };
            let _ = database.rows(table, &mut |p| problems.push(p), &mut |row| {
                if let Some(asset) = row.get(asset).integer() {
                    let count = albums.entry(asset).or_default();
                    *count = count.saturating_add(1);
                }
                VisitResult::Continue(())
            });
        }
        let mut lost = 0u64;
        let mut asset = |table: &Table, row: Row| {
            let flag = |column: &str| integer(table, &row, column).is_some_and(|n| n != 0);
            let (Some(folder), Some(name)) = (text(table, &row, "ZDIRECTORY"), text(table, &row, "ZFILENAME")) else {
                return;
            };
            let facts = Facts {
                origin: origins.get(&row.id).map(|n| imported_by(*n)),
                albums: albums.get(&row.id).copied().unwrap_or(0),
                hidden: flag("ZHIDDEN"),
                trash: flag("ZTRASHEDSTATE"),
                favourite: flag("ZFAVORITE"),
                seen: false,
            };
            let path = joined(base, &[folder, b"/", name].concat());
            lost += u64::from(!self.keep(false, id, path, facts));
        };
        // The name before iOS 14 comes second.
        let found = rows(database, "ZASSET", problems, &mut asset)
            .or_else(|| rows(database, "ZGENERICASSET", problems, &mut asset));
        capped(lost, problems);
        found
    }

    fn media_store(&mut self, id: i64, database: &Database, problems: &mut Vec<Problem>) -> Option<()> {
        let mut lost = 0u64;
        let found = rows(database, "files", problems, &mut |table, row| {
            let flag = |column: &str| integer(table, &row, column).is_some_and(|n| n != 0);
            let Some(path) = text(table, &row, "_data") else { return };
            // 1 and 3 are pictures and videos.
            let media = integer(table, &row, "media_type");
            let Some(path) = path.strip_prefix(EMULATED.as_bytes()).filter(|_| matches!(media, Some(1 | 3))) else {
                return;
            };
            let owner = text(table, &row, "owner_package_name");
            let origin = match (flag("is_download"), owner) {
                (true, _) => Some("downloaded"),
                (false, Some(owner)) if owner.to_ascii_lowercase().windows(6).any(|w| w == b"camera") => {
                    Some("stored by a camera app")
                }
                (false, Some(_)) => Some("stored by another app"),
                (false, None) => None,
            };
            // The name of the album is the folder's: every picture lies in one.
            let facts = Facts {
                origin: origin.map(str::to_owned),
                albums: 0,
                hidden: false,
                trash: flag("is_trashed"),
                favourite: flag("is_favorite"),
                seen: false,
            };
            lost += u64::from(!self.keep(true, id, joined("", path), facts));
        });
        capped(lost, problems);
        found
    }

    /// Adds what is said of a file to its notes.
    pub fn note(&mut self, volume: i64, entry: &mut Entry) {
        if self.databases == 0 || entry.kind != EntryKind::File || entry.stream.is_some() {
            return;
        }
        let path = entry.path.as_str();
        let below = || {
            SHARED.iter().find_map(|root| {
                // At the beginning, or below whatever an extraction puts before it.
                let at = path.find(root)?;
                path.get(at + root.len()..)
            })
        };
        let facts = match self.by_path.get_mut(&(volume, path.to_owned())) {
            Some(facts) => Some(facts),
            None if self.shared.is_empty() => None,
            None => below().and_then(|p| self.shared.get_mut(&(volume, p.to_owned()))),
        };
        if let Some(facts) = facts {
            facts.seen = true;
            let note = Note::Other(facts.note());
            entry.notes.push(note);
        }
    }

    /// What is counted.
    pub fn counts(&self) -> CameraCounts {
        let mut counts = CameraCounts { databases: self.databases, ..CameraCounts::default() };
        for facts in self.by_path.values().chain(self.shared.values()) {
            counts.listed += 1;
            counts.found += u64::from(facts.seen);
            let saved = |o: &String| {
                ["saved ", "from ", "shared ", "downloaded", "stored by another"].iter().any(|word| o.starts_with(word))
            };
            counts.saved += u64::from(facts.origin.as_ref().is_some_and(saved));
            counts.hidden += u64::from(facts.hidden);
            counts.trash += u64::from(facts.trash);
        }
        counts
    }
}

fn capped(lost: u64, problems: &mut Vec<Problem>) {
    if lost > 0 {
        let detail = format!("it lists {lost} more pictures than are kept");
        problems.push(Problem::new(LAYER, "camera-roll-capped", None, detail));
    }
}
