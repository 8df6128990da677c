//! The small pictures that examinations left beside their sealed files, opened with their keys.

use std::path::Path;

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

/// Every store of small pictures in a folder. None of them knows an investigation: whoever asks has passed the gate for
/// the content before.
#[derive(Debug, Default)]
pub struct Pictures(Vec<Reader>);

impl Pictures {
    /// Opens every `*.derivatives` in a folder that one of these keys opens. Answers too why others were not opened: their
    /// contents have no tile, which the pages say.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub fn open(folder: &Path, protectors: &[Protector]) -> std::io::Result<(Self, Vec<DerivativeError>)> {
        let mut paths: Vec<_> = std::fs::read_dir(folder)?
            .filter_map(Result::ok)
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|end| end == "derivatives"))
            .collect();
        paths.sort();
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
                Some(reader) => readers.push(reader),
                None => refused.push(why),
            }
        }
        Ok((Self(readers), refused))
    }

    /// How many stores are open.
    #[must_use]
    pub fn stores(&self) -> usize {
        self.0.len()
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
        for reader in &self.0 {
            if let Some(picture) = reader.get(sha256, kind)? {
                return Ok(Some(picture));
            }
        }
        Ok(None)
    }
}
