//! An index file: beside a store that is still being written, it points at the pictures stored so far and copies none.

use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use avocet_base::Sha256;

use super::cipher::{Keys, random};
use super::error::{DerivativeError, io_error};
use super::layout::{Entry, HEADER, Place, VERSION, field, fill, unfinished};
use super::protector::{Protector, open_header};
use super::read::{read_at, read_header};
use super::write::{Finished, Out, folder, refuse_existing};

pub(super) const MAGIC: [u8; 16] = *b"AVOCET-DINDX\r\n\x1a\n";
/// What stands in clear before the pages: the bytes up to the name, and the room for it.
pub(super) const FRONT: usize = NAME + LONGEST + 1;
const NAME: usize = 128;
/// The longest name of a file that Linux allows.
const LONGEST: usize = 255;

/// The front of an index file. The end of the file is bound to every byte of it.
pub(super) struct Front {
    bytes: [u8; FRONT],
    name: Vec<u8>,
}

impl Front {
    /// `None` where the name is not that of a file in the same folder, or could not be shown in one line.
    fn new(name: &[u8], file_id: &[u8; 32], id: &[u8; 32]) -> Option<Front> {
        let leads_away = [b"".as_slice(), b".", b".."].contains(&name) || name.contains(&b'/');
        if leads_away || name.len() > LONGEST || name.iter().any(u8::is_ascii_control) {
            return None;
        }
        let length = u32::try_from(name.len()).ok()?;
        let mut bytes = [0; FRONT];
        let fixed: [&[u8]; 5] = [&MAGIC, &VERSION.to_le_bytes(), &length.to_le_bytes(), file_id, id];
        fill(&mut bytes, &fixed);
        fill(bytes.get_mut(NAME..)?, &[name]);
        Some(Front { bytes, name: name.to_vec() })
    }

    /// Reads and checks a front.
    pub fn read(file: &File, path: &Path) -> Result<Front, DerivativeError> {
        const PART: &str = "front of the index file";
        let mut bytes = [0; FRONT];
        read_at(file, path, PART, 0, &mut bytes)?;
        let number = |at| u32::from_le_bytes(field(&bytes, at));
        if number(16) != VERSION {
            return Err(DerivativeError::Version { found: number(16) });
        }
        let name = usize::try_from(number(20)).ok().and_then(|length| bytes.get(NAME..)?.get(..length));
        // Made anew from what was read it must be the same: so nothing else stands in it.
        name.and_then(|name| Front::new(name, &field(&bytes, 24), &field(&bytes, 56)))
            .filter(|front| front.bytes == bytes)
            .ok_or(DerivativeError::Damaged { part: PART, offset: 0 })
    }

    pub fn bytes(&self) -> &[u8; FRONT] {
        &self.bytes
    }

    /// The store's name in the same folder, once it is finished.
    pub fn name(&self) -> &OsStr {
        OsStr::from_bytes(&self.name)
    }

    /// The file id of the store.
    pub fn file_id(&self) -> [u8; 32] {
        field(&self.bytes, 24)
    }

    /// What the pages are bound to: two index files of one store cannot have theirs exchanged.
    pub fn id(&self) -> [u8; 32] {
        field(&self.bytes, 56)
    }
}

/// Opens the store that the index file at `index` points into, whether it is finished or not.
pub(super) fn open_store(store: &Path, index: &Path) -> Result<(File, PathBuf), DerivativeError> {
    let partial = unfinished(store);
    // Between two looks it may be finished, or a finished one be gone on with: so the first name is asked for again.
    for path in [&partial, store, &partial] {
        match File::open(path) {
            Ok(file) => return Ok((file, path.to_owned())),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => return Err(io_error(path, &e)),
        }
    }
    Err(DerivativeError::StoreGone { path: index.display().to_string(), store: store.display().to_string() })
}

/// Writes an index file at `target` through which [`super::Reader::open`] reads what the store has so far. It copies no
/// picture and no key. `store` is the name that the store has or will have when finished; another process may be
/// writing it. `places` are the contents with the places that [`super::Writer::put_placed`] gave, in that order.
///
/// Pointed at is the longest beginning of `places` whose records follow one another from the header on and lie within
/// the file as it is now; [`Finished::items`] says how many. A place where one began already takes that one and those
/// behind it away: an examination that was gone on with after a power cut stores anew from where its store was cut off.
/// No record is decrypted here, that could be gigabytes: each is authenticated whenever it is read, and
/// [`super::Reader::verify`] reads them all.
///
/// # Errors
/// [`DerivativeError`] where the protector does not open the store, the store is not there, `target` (or an unfinished
/// store of that name) is there already or lies in another folder, or the operating system refuses. No file is left then.
pub fn write_index(
    store: &Path,
    protector: &Protector,
    places: impl IntoIterator<Item = (Sha256, [u8; 8])>,
    target: &Path,
) -> Result<Finished, DerivativeError> {
    let (file, found) = open_store(store, target)?;
    let header = read_header(&file, &found)?;
    let (_, data_key) = open_header(&header, protector)?;
    let file_id = header.file_id();
    let keys = Keys::new(&data_key, &file_id);
    let real = |path: &Path| folder(path).canonicalize().map_err(|e| io_error(path, &e));
    let same_folder = real(store)? == real(target)?;
    let name = store.file_name().filter(|_| same_folder).unwrap_or_default();
    let front = Front::new(name.as_bytes(), &file_id, &random()?).ok_or_else(|| DerivativeError::NotBeside {
        path: target.display().to_string(),
        store: store.display().to_string(),
    })?;
    let mut entries = in_order(places, &keys);
    // Only now: what was told to be there before is there. What is pointed at must outlive a power cut.
    let length = file.sync_data().and_then(|()| file.metadata()).map_err(|e| io_error(&found, &e))?.len();
    while entries.pop_if(|last| last.place.end().is_none_or(|end| end > length)).is_some() {}
    let records = entries.last().and_then(|last| last.place.end()).unwrap_or(HEADER as u64);
    entries.sort_unstable_by_key(|entry| entry.lookup);

    // An unfinished store of that name would have to be given up for want of it.
    refuse_existing(&unfinished(target))?;
    let mut out = Out::create(target, target.with_added_extension("index.partial"))?;
    out.append(front.bytes())?;
    let entries = entries.iter().map(|entry| (entry.lookup, entry.place.pack()));
    out.finish(&keys, (&front.id(), front.bytes()), records, entries)
}

/// The longest beginning of `places` that follow one another, without a content that is there twice.
fn in_order(places: impl IntoIterator<Item = (Sha256, [u8; 8])>, keys: &Keys) -> Vec<Entry> {
    let mut entries: Vec<Entry> = vec![];
    for (sha256, packed) in places {
        let place = Place::unpack(packed);
        if place.end().is_none() {
            break;
        }
        match entries.binary_search_by_key(&place.offset, |entry| entry.place.offset) {
            Ok(cut) => entries.truncate(cut),
            Err(_) => {
                let end = entries.last().map_or(Some(HEADER as u64), |last| last.place.end());
                if end != Some(place.offset) {
                    break;
                }
            }
        }
        entries.push(Entry { lookup: keys.lookup(&sha256), place });
    }
    // A writer takes no content twice, and an index with one twice would be no index.
    let mut sorted: Vec<(&[u8; 32], u64)> = entries.iter().map(|e| (&e.lookup, e.place.offset)).collect();
    sorted.sort_unstable();
    let again = sorted.windows(2).filter_map(|pair| match pair {
        [(a, _), (b, offset)] if a == b => Some(*offset),
        _ => None,
    });
    if let Some(first) = again.min() {
        entries.truncate(entries.partition_point(|entry| entry.place.offset < first));
    }
    entries
}
