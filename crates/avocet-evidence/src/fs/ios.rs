//! Backups that iTunes, Finder and `idevicebackup2` make of iPhones and iPads (iOS 10 and later), as trees.
//!
//! Such a backup is a folder. `Manifest.db` lists every file with the domain it belongs to and its path there; the file
//! itself lies in a folder of two letters under its file ID, the SHA-1 of `domain-path` in 40 digits. The paths shown
//! are `/domain/path`. What the backup folder holds beside that, its own files (`Info.plist`, `Manifest.db` and others)
//! and every file that the manifest does not list, is shown below `/$Backup`. The layout is not published by Apple; this
//! follows what open tools agree on and the backups at hand (`docs/validation/phones.md`).
//!
//! **Nothing is written beside the manifest.** It is read by [`crate::sqlite`], which knows no journal; where a `-wal`
//! file lies beside it, what that holds is not applied, and is said.
//!
//! A path from the manifest is shown and never used: a file is looked for by its file ID alone, which must be 40
//! hexadecimal digits, and links are not followed.
//!
//! | problem code | meaning |
//! | --- | --- |
//! | `manifest-unreadable` | the folder is a backup, but its manifest cannot be read; it is shown as the folder that it is |
//! | `backup-of-older-ios` | the folder is a backup by iOS 9 or earlier (`Manifest.mbdb`), shown as the folder that it is |
//! | `wal-not-applied` | changes of the manifest lie in a `-wal` file and were not applied |
//! | `metadata-damaged` | what the manifest says of a file's size and times cannot be read |
//! | `size-differs` | a file has not the size that the manifest gives |
//! | `file-id-differs` | a file ID is not the one that follows from domain and path |
//! | `not-listed` | a file lies in the backup that the manifest does not list |
//!
//! and those of [`crate::sqlite`] and [`super::folder`].

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use avocet_base::{Stamp, escape_bytes, join_path};
use sha1::{Digest, Sha1};

use self::lock::{Keys, Trouble};
use super::folder::{self, Folder};
use crate::entry::{
    AllocationState, Content, Entry, EntryKind, FileSystem, Note, Run, Times, Unreadable, VisitResult, Visitor,
    VolumeFacts,
};
use crate::error::{OpenError, Problem, ReadError};
use crate::plist::{self, Value};
use crate::scratch::Secret;
use crate::source::{Source, read_up_to};
use crate::sqlite::{Database, MAGIC, Row, Table};

mod lock;

const LAYER: &str = "ios-backup";
const ENCRYPTED: &str = "an encrypted iOS backup";
/// Bytes of a property list read at most.
const MOST_PLIST: usize = 64 << 20;
/// Where what the backup folder holds beside listed files is shown.
const OWN: &str = "/$Backup";
/// The files of a backup itself.
const OWN_FILES: [&str; 7] = [
    "/Manifest.db",
    "/Manifest.db-wal",
    "/Manifest.db-shm",
    "/Manifest.plist",
    "/Info.plist",
    "/Status.plist",
    "/Manifest.mbdb",
];

/// What a folder is.
pub enum Look {
    /// A backup that can be read.
    Backup(Box<IosBackup>),
    /// A backup, or what is left of one, that is read as the folder that it is; the problem says why.
    AsFolder(Problem),
    /// No backup.
    Folder,
}

/// The places of the columns of the manifest's table.
struct Columns {
    id: usize,
    domain: usize,
    path: usize,
    flags: usize,
    metadata: Option<usize>,
}

/// A backup.
pub struct IosBackup {
    root: PathBuf,
    folder: Folder,
    manifest: Database,
    files: Table,
    columns: Columns,
    facts: VolumeFacts,
    device: Vec<(String, String)>,
    problems: Vec<Problem>,
    /// The keys of an encrypted backup.
    keys: Option<Keys>,
}

/// A file ID as bytes.
type FileId = [u8; 20];

fn is_file(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|m| m.is_file())
}

fn read_list(path: &Path) -> Option<Value> {
    if !is_file(path) {
        return None;
    }
    let source = folder::quiet_source(path).ok()?;
    plist::read(&read_up_to(&*source, 0, MOST_PLIST).ok()?)
}

impl IosBackup {
    /// Looks whether the folder is a backup, and opens it.
    ///
    /// # Errors
    /// [`OpenError::Locked`] for an encrypted backup without `password`, [`OpenError::WrongPassword`] with another one,
    /// [`OpenError::Malformed`] where its keys cannot be understood; [`OpenError::File`] where the manifest or the folder cannot be
    /// opened.
    pub fn look(root: &Path, password: Option<&Secret>) -> Result<Look, OpenError> {
        let at = root.join("Manifest.db");
        let list = read_list(&root.join("Manifest.plist"));
        let encrypted = list.as_ref().filter(|l| l.get("IsEncrypted") == Some(&Value::Boolean(true)));
        let (keys, own_key) = match encrypted {
            None => (None, None),
            Some(list) => {
                let password = password.ok_or_else(|| OpenError::locked(ENCRYPTED))?;
                let (keys, own) = Keys::open(list, password.bytes()).map_err(|trouble| match trouble {
                    Trouble::WrongPassword => OpenError::wrong_password(ENCRYPTED),
                    Trouble::Unreadable(why) => OpenError::malformed(LAYER, 0, format!("{ENCRYPTED}, but {why}")),
                })?;
                (Some(keys), own)
            }
        };
        if !is_file(&at) {
            if is_file(&root.join("Manifest.mbdb")) {
                let detail = "the folder is a backup by iOS 9 or earlier, whose manifest is not read: its files are shown \
                              under their file IDs";
                return Ok(Look::AsFolder(Problem::new(LAYER, "backup-of-older-ios", None, detail)));
            }
            return Ok(Look::Folder);
        }
        let unreadable = |detail: &str| {
            // A file of this name alone does not make a backup.
            if list.is_none() {
                return Look::Folder;
            }
            let detail = format!("{detail}; the backup's files are shown under their file IDs");
            Look::AsFolder(Problem::new(LAYER, "manifest-unreadable", None, detail))
        };
        let source = folder::quiet_source(&at).map_err(|e| OpenError::File {
            path: at.display().to_string(),
            reason: e.kind().to_string(),
            advice: "Check whether you may read it",
        })?;
        let source: Arc<dyn Source> = match &own_key {
            Some(key) => Arc::new(lock::plain(LAYER, source, key)),
            None => source,
        };
        if !read_up_to(&*source, 0, MAGIC.len())?.starts_with(MAGIC) {
            return Ok(unreadable("the manifest is no database: it is damaged, or encrypted"));
        }
        let mut problems = vec![];
        let opened = Database::open(source).ok().and_then(|db| {
            let files = db.table("Files", &mut |p| problems.push(p)).ok()??;
            let columns = Columns {
                id: files.column("fileID")?,
                domain: files.column("domain")?,
                path: files.column("relativePath")?,
                flags: files.column("flags")?,
                metadata: files.column("file"),
            };
            Some((db, files, columns))
        });
        let Some((manifest, files, columns)) = opened else {
            return Ok(unreadable("the manifest holds no list of files that can be read"));
        };
        let wal = std::fs::symlink_metadata(root.join("Manifest.db-wal")).map_or(0, |m| m.len());
        if wal > 0 {
            let detail = format!("{wal} bytes of changes lie beside the manifest and were not applied");
            problems.push(Problem::new(LAYER, "wal-not-applied", None, detail));
        }
        let info = read_list(&root.join("Info.plist"));
        let device = device_facts(info.as_ref());
        let fact = |name: &str| device.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone());
        let facts = VolumeFacts {
            kind: "ios-backup",
            label: fact("device name"),
            serial: fact("serial number"),
            cluster_size: 0,
            size: 0,
            time_source: "Times are those that the manifest records of the file on the device, in whole seconds UTC: Birth \
                          (created), LastModified, LastStatusChange (changed). Times below /$Backup are those of the \
                          folder on the machine on which it was read.",
        };
        let folder = Folder::open(root)?;
        Ok(Look::Backup(Box::new(Self {
            root: root.to_owned(),
            folder,
            manifest,
            files,
            columns,
            facts,
            device,
            problems,
            keys,
        })))
    }

    /// What the backup says of the device, as name and escaped value.
    pub fn device(&self) -> &[(String, String)] {
        &self.device
    }

    fn entry(&self, row: &Row, held: &mut BTreeSet<FileId>, problems: &mut Vec<Problem>) -> Entry {
        let text = |column: usize| row.get(column).bytes().unwrap_or_default();
        let (domain, relative) = (text(self.columns.domain), text(self.columns.path));
        let mut path = join_path("", &escape_bytes(domain));
        if !relative.is_empty() {
            for part in relative.split(|b| *b == b'/') {
                path.push('/');
                path.push_str(&escape_bytes(part));
            }
        }
        let mut notes = vec![];
        let mut trouble = |code: &'static str, detail: String| {
            problems.push(Problem::new(LAYER, code, None, detail).at_path(path.clone()));
        };
        let metadata = self.columns.metadata.map(|c| row.get(c)).and_then(crate::sqlite::Value::bytes);
        let record = metadata.and_then(Record::read);
        if metadata.is_some() && record.is_none() {
            notes.push(Note::Other("what the manifest says of its size and times cannot be read".into()));
            trouble("metadata-damaged", "the record of a file's size and times cannot be read".into());
        }
        let record = record.unwrap_or_default();
        let flags = row.get(self.columns.flags).integer();
        let kind = match flags {
            Some(1) => EntryKind::File,
            Some(2) => EntryKind::Directory,
            Some(4) => EntryKind::Link,
            _ => {
                notes.push(Note::Other("of a kind that is not known".into()));
                EntryKind::Special
            }
        };
        let name = text(self.columns.id);
        let id = file_id(name);
        if id.is_some_and(|id| id != Into::<FileId>::into(Sha1::digest([domain, b"-", relative].concat()))) {
            notes.push(Note::Other("file ID does not follow from domain and path".into()));
            trouble("file-id-differs", "a file ID is not the one that follows from domain and path".into());
        }
        let mut size = record.size.unwrap_or(0);
        let content = match kind {
            EntryKind::Link => {
                size = record.target.len() as u64;
                if record.target.is_empty() { Content::None } else { Content::Resident(record.target.clone()) }
            }
            EntryKind::File | EntryKind::Special => match id.map(|id| (id, self.find(name))) {
                None => Content::Unreadable(Unreadable::Corrupt("its file ID is none".into())),
                Some((id, Some((place, found)))) => {
                    if !held.insert(id) {
                        notes.push(Note::Other("another entry has the same file ID".into()));
                    }
                    let there = std::os::unix::fs::MetadataExt::size(&found);
                    let locked = self.keys.as_ref().and_then(|keys| record.key.as_ref().map(|key| keys.key(key)));
                    // An encrypted file is padded to whole blocks of its cipher.
                    let block = crate::crypto::BLOCK as u64;
                    let fits = |listed: u64| match locked {
                        Some(_) => {
                            there.is_multiple_of(block) && (listed..=listed.saturating_add(block)).contains(&there)
                        }
                        None => listed == there,
                    };
                    if let Some(listed) = record.size.filter(|listed| !fits(*listed)) {
                        notes.push(Note::Other(format!("the manifest gives it {listed} bytes")));
                        trouble("size-differs", format!("the file has {there} bytes, the manifest says {listed}"));
                    }
                    size = there;
                    match locked {
                        None => folder::file_content(place, &found),
                        Some(None) => Content::Unreadable(Unreadable::Encrypted("its key cannot be unwrapped")),
                        Some(Some(key)) => {
                            size = record.size.unwrap_or(there).min(there);
                            let open = Arc::new(lock::Locked { path: place, key, size });
                            Content::Stream { open, extents: vec![] }
                        }
                    }
                }
                Some((_, None)) if kind == EntryKind::File => Content::Unreadable(Unreadable::NotHeld),
                Some((_, None)) => Content::None,
            },
            EntryKind::Directory => {
                size = 0;
                Content::None
            }
        };
        Entry {
            path,
            stream: None,
            kind,
            state: AllocationState::Allocated,
            number: record.inode.unwrap_or_else(|| row.id.cast_unsigned()),
            size,
            times: record.times,
            content,
            notes,
        }
    }

    /// The file that holds what a file ID names: in its folder of two letters, or beside them as older tools wrote it.
    fn find(&self, name: &[u8]) -> Option<(PathBuf, std::fs::Metadata)> {
        let name = std::str::from_utf8(name).ok()?;
        let letters = self.root.join(name.get(..2)?);
        // A link in the place of a folder could lead out of the evidence.
        let inside = std::fs::symlink_metadata(&letters).is_ok_and(|m| m.is_dir()).then(|| letters.join(name));
        [inside, Some(self.root.join(name))].into_iter().flatten().find_map(|place| {
            let found = std::fs::symlink_metadata(&place).ok()?;
            found.is_file().then_some((place, found))
        })
    }
}

/// A file ID: 40 hexadecimal digits in lower case.
fn file_id(name: &[u8]) -> Option<FileId> {
    let digit = |b: &u8| match b {
        b'0'..=b'9' => Some(b.wrapping_sub(b'0')),
        b'a'..=b'f' => Some(b.wrapping_sub(b'a').wrapping_add(10)),
        _ => None,
    };
    let mut out = [0; 20];
    if name.len() != 40 {
        return None;
    }
    for (slot, pair) in out.iter_mut().zip(name.chunks_exact(2)) {
        let (high, low) = (pair.first().and_then(digit)?, pair.last().and_then(digit)?);
        *slot = high << 4 | low;
    }
    Some(out)
}

/// What the manifest records of a file on the device (`MBFile`).
#[derive(Default)]
struct Record {
    size: Option<u64>,
    inode: Option<u64>,
    times: Times,
    target: Vec<u8>,
    /// The wrapped key of an encrypted file, behind the number of its class.
    key: Option<Vec<u8>>,
}

impl Record {
    fn read(data: &[u8]) -> Option<Self> {
        let list = plist::read(data)?;
        let (root, objects) = plist::archive(&list)?;
        let field = |name: &str| root.get(name)?.resolve(objects);
        let number = |name: &str| field(name)?.integer();
        let key = match field("EncryptionKey") {
            Some(Value::Data(key)) => Some(key.clone()),
            Some(object) => match object.get("NS.data").and_then(|d| d.resolve(objects)) {
                Some(Value::Data(key)) => Some(key.clone()),
                _ => None,
            },
            None => None,
        };
        // 0 is written where nothing is known.
        let time = |name: &str| number(name).filter(|s| *s != 0).and_then(|s| Stamp::from_unix(s, 0));
        Some(Self {
            size: number("Size").and_then(|n| u64::try_from(n).ok()),
            inode: number("InodeNumber").and_then(|n| u64::try_from(n).ok()),
            times: Times {
                created: time("Birth"),
                modified: time("LastModified"),
                changed: time("LastStatusChange"),
                ..Times::default()
            },
            target: field("Target").and_then(Value::text).unwrap_or_default().to_vec(),
            key,
        })
    }
}

/// What `Info.plist` says of the device.
fn device_facts(info: Option<&Value>) -> Vec<(String, String)> {
    let named = [
        ("Device Name", "device name"),
        ("Product Type", "product"),
        ("Product Version", "iOS version"),
        ("Build Version", "build"),
        ("Serial Number", "serial number"),
        ("IMEI", "IMEI"),
        ("IMEI 2", "second IMEI"),
        ("ICCID", "ICCID"),
        ("Phone Number", "phone number"),
        ("Unique Identifier", "device identifier"),
        ("Last Backup Date", "last backup"),
        ("iTunes Version", "iTunes version"),
    ];
    let mut facts = vec![];
    for (key, name) in named {
        let value = match info.and_then(|i| i.get(key)) {
            Some(Value::Text(text)) if !text.is_empty() => escape_bytes(text),
            Some(Value::Integer(n)) => n.to_string(),
            Some(Value::Date(seconds)) => match Stamp::from_unix(*seconds, 0) {
                Some(stamp) => stamp.to_string(),
                None => continue,
            },
            _ => continue,
        };
        facts.push((name.to_owned(), value));
    }
    facts
}

/// Hands on what the folder holds beside the files that were already shown.
struct Rest<'a> {
    visitor: &'a mut dyn Visitor,
    held: &'a BTreeSet<FileId>,
}

impl Visitor for Rest<'_> {
    fn entry(&mut self, mut entry: Entry) -> VisitResult {
        let name = entry.path.rsplit_once('/').map_or(entry.path.as_str(), |(_, name)| name);
        let listed_folder = name.len() == 2 && name.bytes().all(|b| b.is_ascii_hexdigit());
        if entry.kind == EntryKind::Directory && listed_folder && entry.path.len() == 3 {
            return VisitResult::Continue(());
        }
        if entry.kind == EntryKind::File {
            let id = file_id(name.as_bytes());
            let letters = name.get(..2).unwrap_or_default();
            let placed = entry.path == format!("/{letters}/{name}") || entry.path == format!("/{name}");
            if placed && id.is_some_and(|id| self.held.contains(&id)) {
                return VisitResult::Continue(());
            }
            if OWN_FILES.contains(&entry.path.as_str()) {
                entry.notes.push(Note::Other("a file of the backup itself".into()));
            } else {
                entry.notes.push(Note::Other("not listed in the manifest".into()));
                let detail = "the manifest does not list this file";
                let path = format!("{OWN}{}", entry.path);
                self.visitor.problem(Problem::new(LAYER, "not-listed", None, detail).at_path(path));
            }
        }
        entry.path = format!("{OWN}{}", entry.path);
        self.visitor.entry(entry)
    }

    fn problem(&mut self, mut problem: Problem) {
        problem.path = problem.path.map(|path| format!("{OWN}{path}"));
        self.visitor.problem(problem);
    }
}

impl FileSystem for IosBackup {
    fn facts(&self) -> &VolumeFacts {
        &self.facts
    }

    /// The files of the manifest in the order of its rows, then the rest of the folder.
    fn walk(&self, visitor: &mut dyn Visitor) -> Result<(), ReadError> {
        self.problems.iter().for_each(|p| visitor.problem(p.clone()));
        let mut held = BTreeSet::new();
        let mut stopped = false;
        let shared = RefCell::new(&mut *visitor);
        let ended = self.manifest.rows(&self.files, &mut |problem| shared.borrow_mut().problem(problem), &mut |row| {
            let mut problems = vec![];
            let entry = self.entry(&row, &mut held, &mut problems);
            let mut visitor = shared.borrow_mut();
            problems.into_iter().for_each(|p| visitor.problem(p));
            let result = visitor.entry(entry);
            stopped = result.is_break();
            result
        });
        if stopped {
            return Ok(());
        }
        // What the folder holds is shown even where the manifest breaks off.
        self.folder.walk(&mut Rest { visitor, held: &held })?;
        ended
    }

    fn unallocated(&self) -> Result<Vec<Run>, ReadError> {
        Ok(vec![])
    }
}
