//! Reading a store: by positioned reads, in constant memory, from several threads.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use avocet_base::Sha256;

use super::cipher::{Keys, NONCE};
use super::error::{DerivativeError, io_error};
use super::layout::{
    END, ENTRIES, ENTRY, Entry, FIXED, HEADER, Header, Kind, MAGIC, PAGE, SLOT, field, page_binding, pages_for,
    record_binding,
};
use super::protector::{Protector, open_header};

/// What [`Reader::verify`] went through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// Contents, each with both pictures.
    pub items: u64,
    /// Bytes of the pictures themselves, without padding and encryption.
    pub picture_bytes: u64,
}

/// An open store. Holds the key until dropped, also where the wrappings in the file are destroyed meanwhile.
pub struct Reader {
    file: File,
    path: PathBuf,
    file_id: [u8; 32],
    examination_id: [u8; 32],
    keys: Keys,
    items: u64,
    pages: u64,
    /// Where the records end and the index begins.
    start: u64,
    /// Where a place of the header begins that is not as it was written, at the time of opening.
    rotten: Option<u64>,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Reader({} items)", self.items)
    }
}

/// Reads the header of the file.
pub(super) fn read_header(file: &File, path: &Path) -> Result<Header, DerivativeError> {
    let mut bytes = [0; HEADER];
    // The first bytes alone first: of a store that is cut within its header they still say what it was.
    let mut magic = [0; MAGIC.len()];
    match file.read_exact_at(&mut magic, 0) {
        Ok(()) if magic == MAGIC => {}
        Err(e) if e.kind() != std::io::ErrorKind::UnexpectedEof => return Err(io_error(path, &e)),
        _ => return Err(DerivativeError::NotAStore { path: path.display().to_string() }),
    }
    read_at(file, path, "header", 0, &mut bytes)?;
    Header::parse(&bytes)
}

/// A read at a place within the file; what is missing is damage.
fn read_at(
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

impl Reader {
    /// Opens a finished store.
    ///
    /// # Errors
    /// [`DerivativeError::WrongKey`], [`DerivativeError::KeyDestroyed`], [`DerivativeError::Damaged`] for one that is
    /// unfinished, cut off, extended or changed at its end, and what the operating system refuses. A change in a record
    /// or index page is found when it is read, or by [`Reader::verify`].
    pub fn open(path: &Path, protector: &Protector) -> Result<Reader, DerivativeError> {
        let file = File::open(path).map_err(|e| io_error(path, &e))?;
        let header = read_header(&file, path)?;
        let (_, data_key) = open_header(&header, protector)?;
        let file_id = header.file_id();
        let keys = Keys::new(&data_key, &file_id);

        let length = file.metadata().map_err(|e| io_error(path, &e))?.len();
        let end = length.saturating_sub(END as u64);
        let damaged = || DerivativeError::Damaged { part: "end of the file", offset: end };
        let mut piece = [0; END];
        read_at(&file, path, "end of the file", end, &mut piece)?;
        let fixed: &[u8; FIXED] = &header.fixed;
        let text = keys.end.open(fixed, &mut piece).ok_or_else(damaged)?;
        let number = |at| u64::from_le_bytes(field(text, at));
        let (items, start, pages) = (number(0), number(8), number(16));
        let index = pages.checked_mul(PAGE as u64).and_then(|n| n.checked_add(start));
        if number(24) != length || index != Some(end) || start < HEADER as u64 || pages != pages_for(items) {
            return Err(damaged());
        }
        let examination_id = header.examination_id();
        let rotten = header
            .slots
            .iter()
            .position(|slot| slot.iter().any(|b| *b != 0) && field(slot, SLOT - 8) != keys.slot_check(fixed, slot));
        let rotten = rotten.map(|slot| (FIXED + slot * SLOT) as u64);
        Ok(Reader { file, path: path.to_owned(), file_id, examination_id, keys, items, pages, start, rotten })
    }

    /// Contents in the store.
    pub fn len(&self) -> u64 {
        self.items
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.items == 0
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
    /// the records fill the file between header and index. Memory stays that of one record; records are read in the
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
        for page in 0..self.pages {
            let offset = self.page_offset(page);
            for entry in self.page(page)? {
                let damaged = || DerivativeError::Damaged { part: "index", offset };
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
        if items != self.items || filled != self.start {
            return Err(DerivativeError::Damaged { part: "index", offset: self.start });
        }
        Ok(Verified { items, picture_bytes })
    }

    fn page_offset(&self, page: u64) -> u64 {
        page.saturating_mul(PAGE as u64).saturating_add(self.start)
    }

    /// The entries of one page of the index.
    fn page(&self, page: u64) -> Result<impl Iterator<Item = Entry> + use<>, DerivativeError> {
        let offset = self.page_offset(page);
        let mut piece = [0; PAGE];
        read_at(&self.file, &self.path, "index", offset, &mut piece)?;
        let binding = page_binding(&self.file_id, page, self.pages, self.items);
        if self.keys.page.open(&binding, &mut piece).is_none() {
            return Err(DerivativeError::Damaged { part: "index", offset });
        }
        let before = page.saturating_mul(ENTRIES as u64);
        let here = usize::try_from(self.items.saturating_sub(before)).unwrap_or(usize::MAX).min(ENTRIES);
        Ok((0..here).map(move |i| Entry::unpack(&field(&piece, NONCE + i * ENTRY))))
    }

    /// Looks a key up. Keys are evenly spread, so a guess from the key's first bytes is nearly always within one or two
    /// pages; every third step halves instead, so that no store makes it slow.
    fn find(&self, lookup: &[u8; 32]) -> Result<Option<Entry>, DerivativeError> {
        let head = |key: &[u8; 32]| u64::from_be_bytes(field(key, 0));
        let wanted = head(lookup);
        let (mut low, mut high) = (0u64, self.pages);
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
        if offset < HEADER as u64 || offset.checked_add(size as u64).is_none_or(|end| end > self.start) {
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
