//! Reading a store: by positioned reads, in constant memory, from several threads.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use avocet_base::Sha256;

use super::cipher::{Keys, NONCE};
use super::error::{DerivativeError, io_error};
use super::index::{self, FRONT, Front};
use super::layout::{
    END, ENTRIES, ENTRY, Entry, FIXED, HEADER, Header, Kind, MAGIC, PAGE, SLOT, field, page_binding, pages_for,
    record_binding,
};
use super::protector::{Protector, open_header};
use super::write::folder;

/// What [`Reader::verify`] went through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// Contents, each with both pictures.
    pub items: u64,
    /// Bytes of the pictures themselves, without padding and encryption.
    pub picture_bytes: u64,
}

/// An open store, whole or as far as an index file points into it. Holds the key until dropped, also where the wrappings
/// in the file are destroyed meanwhile, and the files: also where they get another name.
pub struct Reader {
    file: File,
    path: PathBuf,
    file_id: [u8; 32],
    examination_id: [u8; 32],
    keys: Keys,
    /// Where the records end that the index is of.
    records: u64,
    index: Index,
    /// Where a place of the header begins that is not as it was written, at the time of opening.
    rotten: Option<u64>,
}

/// The pages of an index and what they are bound to.
struct Index {
    /// The index file; `None` where the index lies in the store itself.
    apart: Option<(File, PathBuf)>,
    /// The file id of the store, or the id of the index file.
    id: [u8; 32],
    items: u64,
    pages: u64,
    /// Where the first page begins.
    start: u64,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Reader({} items)", self.len())
    }
}

/// The first bytes, which say what a file is, also where it is cut right behind them.
fn read_magic(file: &File, path: &Path) -> Result<[u8; MAGIC.len()], DerivativeError> {
    let mut magic = [0; MAGIC.len()];
    match file.read_exact_at(&mut magic, 0) {
        Ok(()) if [MAGIC, index::MAGIC].contains(&magic) => Ok(magic),
        Err(e) if e.kind() != std::io::ErrorKind::UnexpectedEof => Err(io_error(path, &e)),
        _ => Err(DerivativeError::NotAStore { path: path.display().to_string() }),
    }
}

/// Refuses what is not a store itself.
pub(super) fn need_store(file: &File, path: &Path) -> Result<(), DerivativeError> {
    if read_magic(file, path)? == MAGIC {
        return Ok(());
    }
    let store = Front::read(file, path)?.name().display().to_string();
    Err(DerivativeError::IndexFile { path: path.display().to_string(), store })
}

/// Reads the header of the file.
pub(super) fn read_header(file: &File, path: &Path) -> Result<Header, DerivativeError> {
    let mut bytes = [0; HEADER];
    need_store(file, path)?;
    read_at(file, path, "header", 0, &mut bytes)?;
    Header::parse(&bytes)
}

/// A read at a place within the file; what is missing is damage.
pub(super) fn read_at(
    file: &File,
    path: &Path,
    part: &'static str,
    offset: u64,
    buffer: &mut [u8],
) -> Result<(), DerivativeError> {
    file.read_exact_at(buffer, offset).map_err(|e| match e.kind() {
        std::io::ErrorKind::UnexpectedEof => DerivativeError::Damaged { part, offset },
        _ => io_error(path, &e),
    })
}

impl Index {
    fn offset(&self, page: u64) -> u64 {
        page.saturating_mul(PAGE as u64).saturating_add(self.start)
    }

    fn part(&self) -> &'static str {
        if self.apart.is_some() { "index file" } else { "index" }
    }
}

impl Reader {
    /// Opens a finished store, or an index file and the store beside it that it points into, finished or not.
    ///
    /// # Errors
    /// [`DerivativeError::WrongKey`], [`DerivativeError::KeyDestroyed`], [`DerivativeError::Damaged`] for one that is
    /// unfinished, cut off, extended or changed at its end, and what the operating system refuses. A change in a record
    /// or index page is found when it is read, or by [`Reader::verify`]. For an index file also
    /// [`DerivativeError::StoreGone`] and [`DerivativeError::OtherStore`].
    pub fn open(path: &Path, protector: &Protector) -> Result<Reader, DerivativeError> {
        let file = File::open(path).map_err(|e| io_error(path, &e))?;
        if read_magic(&file, path)? == MAGIC {
            let header = read_header(&file, path)?;
            return Reader::open_with((file, path.to_owned()), &header, None, protector);
        }
        let front = Front::read(&file, path)?;
        let wanted = folder(path).join(front.name());
        let (store, found) = index::open_store(&wanted, path)?;
        let header = read_header(&store, &found)?;
        if header.file_id() != front.file_id() {
            let (path, store) = (path.display().to_string(), found.display().to_string());
            return Err(DerivativeError::OtherStore { path, store });
        }
        Reader::open_with((store, found), &header, Some((file, path.to_owned(), front)), protector)
    }

    fn open_with(
        (file, path): (File, PathBuf),
        header: &Header,
        apart: Option<(File, PathBuf, Front)>,
        protector: &Protector,
    ) -> Result<Reader, DerivativeError> {
        let (_, data_key) = open_header(header, protector)?;
        let file_id = header.file_id();
        let keys = Keys::new(&data_key, &file_id);

        let fixed: &[u8; FIXED] = &header.fixed;
        let (part, indexed, named, bound): (_, _, _, &[u8]) = match &apart {
            None => ("end of the file", &file, &path, fixed),
            Some((file, path, front)) => ("end of the index file", file, path, front.bytes()),
        };
        let length = indexed.metadata().map_err(|e| io_error(named, &e))?.len();
        let end = length.saturating_sub(END as u64);
        let damaged = || DerivativeError::Damaged { part, offset: end };
        let mut piece = [0; END];
        read_at(indexed, named, part, end, &mut piece)?;
        let text = keys.end.open(bound, &mut piece).ok_or_else(damaged)?;
        let number = |at| u64::from_le_bytes(field(text, at));
        let (items, records, pages) = (number(0), number(8), number(16));
        // In a store the index follows the records, in a file of its own it follows the front.
        let start = if apart.is_some() { FRONT as u64 } else { records };
        let after = pages.checked_mul(PAGE as u64).and_then(|n| n.checked_add(start));
        if number(24) != length || after != Some(end) || records < HEADER as u64 || pages != pages_for(items) {
            return Err(damaged());
        }
        let examination_id = header.examination_id();
        let rotten = header
            .slots
            .iter()
            .position(|slot| slot.iter().any(|b| *b != 0) && field(slot, SLOT - 8) != keys.slot_check(fixed, slot));
        let rotten = rotten.map(|slot| (FIXED + slot * SLOT) as u64);
        let id = apart.as_ref().map_or(file_id, |(_, _, front)| front.id());
        let apart = apart.map(|(file, path, _)| (file, path));
        let index = Index { apart, id, items, pages, start };
        Ok(Reader { file, path, file_id, examination_id, keys, records, index, rotten })
    }

    /// Contents in the store, or those that the index file points at.
    pub fn len(&self) -> u64 {
        self.index.items
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.index.items == 0
    }

    /// What the writer was told whose pictures these are.
    pub fn examination_id(&self) -> [u8; 32] {
        self.examination_id
    }

    /// One picture of a content; `None` where the content is not in the store.
    ///
    /// # Errors
    /// [`DerivativeError::Damaged`] where the index page or the record is not as written.
    pub fn get(&self, sha256: &Sha256, kind: Kind) -> Result<Option<Vec<u8>>, DerivativeError> {
        let lookup = self.keys.lookup(sha256);
        match self.find(&lookup)? {
            Some(entry) => self.record(&entry, kind).map(Some),
            None => Ok(None),
        }
    }

    /// Decrypts every page and every record and checks that they are all there is: keys of the index strictly increase,
    /// the records fill the file between header and index, or, through an index file, up to where the last of them ends.
    /// Memory stays that of one record; records are read in the
    /// order of the index, which is not that of the disk. Wrapped keys, also those that other passphrases or key files
    /// open, must be as they were written.
    ///
    /// # Errors
    /// The first [`DerivativeError::Damaged`].
    pub fn verify(&self) -> Result<Verified, DerivativeError> {
        if let Some(offset) = self.rotten {
            return Err(DerivativeError::Damaged { part: "one of the wrapped keys", offset });
        }
        let mut last: Option<[u8; 32]> = None;
        let (mut items, mut picture_bytes, mut filled) = (0u64, 0u64, HEADER as u64);
        let part = self.index.part();
        for page in 0..self.index.pages {
            let offset = self.index.offset(page);
            for entry in self.page(page)? {
                let damaged = || DerivativeError::Damaged { part, offset };
                if last.is_some_and(|last| last >= entry.lookup) {
                    return Err(damaged());
                }
                last = Some(entry.lookup);
                items = items.saturating_add(1);
                for kind in [Kind::Veiled, Kind::Clear] {
                    let (_, size) = entry.place.record(kind).ok_or_else(damaged)?;
                    filled = filled.saturating_add(size as u64);
                    picture_bytes = picture_bytes.saturating_add(self.record(&entry, kind)?.len() as u64);
                }
            }
        }
        // Every record decrypts under its own key of the index, so no two share a byte; together they must be all.
        if items != self.index.items || filled != self.records {
            return Err(DerivativeError::Damaged { part, offset: self.index.start });
        }
        Ok(Verified { items, picture_bytes })
    }

    /// The entries of one page of the index.
    fn page(&self, page: u64) -> Result<impl Iterator<Item = Entry> + use<>, DerivativeError> {
        let Index { apart, id, items, pages, .. } = &self.index;
        let (file, path) = apart.as_ref().map_or((&self.file, &self.path), |(file, path)| (file, path));
        let (part, offset) = (self.index.part(), self.index.offset(page));
        let mut piece = [0; PAGE];
        read_at(file, path, part, offset, &mut piece)?;
        if self.keys.page.open(&page_binding(id, page, *pages, *items), &mut piece).is_none() {
            return Err(DerivativeError::Damaged { part, offset });
        }
        let before = page.saturating_mul(ENTRIES as u64);
        let here = usize::try_from(items.saturating_sub(before)).unwrap_or(usize::MAX).min(ENTRIES);
        Ok((0..here).map(move |i| Entry::unpack(&field(&piece, NONCE + i * ENTRY))))
    }

    /// Looks a key up. Keys are evenly spread, so a guess from the key's first bytes is nearly always within one or two
    /// pages; every third step halves instead, so that no store makes it slow.
    fn find(&self, lookup: &[u8; 32]) -> Result<Option<Entry>, DerivativeError> {
        let head = |key: &[u8; 32]| u64::from_be_bytes(field(key, 0));
        let wanted = head(lookup);
        let (mut low, mut high) = (0u64, self.index.pages);
        let (mut from, mut to) = (0u64, u64::MAX);
        let mut step = 0u32;
        while low < high {
            step = step.saturating_add(1);
            let width = high.saturating_sub(low);
            let guess = if step.is_multiple_of(3) || to <= from {
                width / 2
            } else {
                let share = u128::from(wanted.saturating_sub(from)) * u128::from(width);
                u64::try_from(share / u128::from(to - from)).unwrap_or(width)
            };
            let page = low.saturating_add(guess.min(width.saturating_sub(1)));
            let (mut first, mut last) = (None, None);
            for entry in self.page(page)? {
                if entry.lookup == *lookup {
                    return Ok(Some(entry));
                }
                first.get_or_insert(entry.lookup);
                last = Some(entry.lookup);
            }
            match (first, last) {
                (Some(first), _) if *lookup < first => (high, to) = (page, head(&first)),
                (_, Some(last)) if *lookup > last => (low, from) = (page.saturating_add(1), head(&last)),
                _ => return Ok(None),
            }
        }
        Ok(None)
    }

    fn record(&self, entry: &Entry, kind: Kind) -> Result<Vec<u8>, DerivativeError> {
        let damaged = |offset| DerivativeError::Damaged { part: "record", offset };
        let (offset, size) = entry.place.record(kind).ok_or_else(|| damaged(entry.place.offset))?;
        // An index line comes from a page that decrypted; the check keeps a read within the records all the same.
        if offset < HEADER as u64 || offset.checked_add(size as u64).is_none_or(|end| end > self.records) {
            return Err(damaged(offset));
        }
        let mut piece = vec![0; size];
        read_at(&self.file, &self.path, "record", offset, &mut piece)?;
        let padded = size.saturating_sub(NONCE + super::cipher::TAG);
        let binding = record_binding(&self.file_id, &entry.lookup, kind, padded);
        let text = self.keys.record.open(&binding, &mut piece).ok_or_else(|| damaged(offset))?;
        let length = usize::try_from(u32::from_le_bytes(field(text, 0))).unwrap_or(usize::MAX);
        let padding = length.checked_add(4).and_then(|end| text.get(end..)).ok_or_else(|| damaged(offset))?;
        if padding.iter().any(|b| *b != 0) {
            return Err(damaged(offset));
        }
        piece.truncate(NONCE + 4 + length);
        piece.drain(..NONCE + 4);
        Ok(piece)
    }
}
