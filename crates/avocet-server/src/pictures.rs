//! The small pictures that examinations left beside their sealed files, opened with their keys.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use avocet_base::Sha256;
use avocet_media::derivative::{self, DerivativeError, Kind, Protector, Reader};

/// How large a clear picture is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// Half of the side of the stored one, or less where that is small.
    Half,
    /// As it is stored.
    Whole,
}

/// What opens small pictures now: keys come with examinations that are made while the server runs.
pub type Keys = Box<dyn Fn() -> Vec<Protector> + Send + Sync>;

/// Every store of small pictures in a folder. None of them knows an investigation: whoever asks has passed the gate for
/// the content before.
#[derive(Default)]
pub struct Pictures {
    readers: RwLock<Vec<(PathBuf, Reader)>>,
    source: Option<(PathBuf, Keys)>,
}

impl fmt::Debug for Pictures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pictures({})", self.stores())
    }
}

impl Pictures {
    /// Opens every `*.derivatives` in a folder that one of these keys opens. Answers too why others were not opened: their
    /// contents have no tile, which the pages say.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub fn open(folder: &Path, keys: Keys) -> std::io::Result<(Self, Vec<DerivativeError>)> {
        let pictures = Self { readers: RwLock::default(), source: Some((folder.to_owned(), keys)) };
        let refused = pictures.look_again()?;
        Ok((pictures, refused))
    }

    /// Opens those that came since, and answers why others were not opened.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub fn look_again(&self) -> std::io::Result<Vec<DerivativeError>> {
        let Some((folder, keys)) = &self.source else { return Ok(vec![]) };
        let known: Vec<PathBuf> = self.read().iter().map(|(path, _)| path.clone()).collect();
        let mut paths: Vec<_> = std::fs::read_dir(folder)?
            .filter_map(Result::ok)
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|end| end == "derivatives") && !known.contains(path))
            .collect();
        if paths.is_empty() {
            return Ok(vec![]);
        }
        paths.sort();
        let protectors = keys();
        let (mut readers, mut refused) = (vec![], vec![]);
        for path in paths {
            let mut why = DerivativeError::WrongKey;
            let opened = protectors.iter().find_map(|protector| match Reader::open(&path, protector) {
                Ok(reader) => Some(reader),
                Err(error) => {
                    why = error;
                    None
                }
            });
            match opened {
                Some(reader) => readers.push((path, reader)),
                None => refused.push(why),
            }
        }
        let mut all = self.readers.write().unwrap_or_else(PoisonError::into_inner);
        // Somebody else may have looked meanwhile.
        readers.retain(|(path, _)| !all.iter().any(|(open, _)| open == path));
        all.extend(readers);
        Ok(refused)
    }

    /// Closes a store: its pictures are shown no more, and its file can be removed.
    pub fn close(&self, store: &Path) {
        self.readers.write().unwrap_or_else(PoisonError::into_inner).retain(|(path, _)| path != store);
    }

    fn read(&self) -> RwLockReadGuard<'_, Vec<(PathBuf, Reader)>> {
        self.readers.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many stores are open.
    #[must_use]
    pub fn stores(&self) -> usize {
        self.read().len()
    }

    /// The veiled picture of a content: small, grey, blurred. `None` where no store has it.
    ///
    /// # Errors
    /// Where a store is damaged.
    pub fn veiled(&self, sha256: &Sha256) -> Result<Option<Vec<u8>>, DerivativeError> {
        self.find(sha256, Kind::Veiled)
    }

    /// The clear picture of a content.
    ///
    /// # Errors
    /// Where a store is damaged.
    pub fn clear(&self, sha256: &Sha256, size: Size) -> Result<Option<Vec<u8>>, DerivativeError> {
        let Some(whole) = self.find(sha256, Kind::Clear)? else { return Ok(None) };
        match size {
            Size::Whole => Ok(Some(whole)),
            Size::Half => derivative::halved(&whole).map(Some),
        }
    }

    fn find(&self, sha256: &Sha256, kind: Kind) -> Result<Option<Vec<u8>>, DerivativeError> {
        let mut damaged = None;
        for (_, reader) in self.read().iter() {
            match reader.get(sha256, kind) {
                Ok(Some(picture)) => return Ok(Some(picture)),
                Ok(None) => {}
                // Another may have it whole; only where none has is this one's damage what there is to say.
                Err(error) => damaged = Some(error),
            }
        }
        damaged.map_or(Ok(None), Err)
    }
}
