//! What a caller may show while an examination runs.

/// What is going on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage<'a> {
    /// The files of a volume are being read; `bytes` is what the volume holds in use, where that is known.
    Volume {
        /// `gpt:2` and the like.
        name: &'a str,
        /// Bytes in use, as a measure for the time left.
        bytes: u64,
    },
    /// Only the whole-image digest is still being taken.
    Image,
    /// Another program lists the same image.
    SecondOpinion,
    /// The result is being written and sealed.
    Seal,
}

/// Receives progress from several threads. All methods do nothing unless overridden.
pub trait Progress: Sync {
    /// A stage begins.
    fn stage(&self, stage: Stage<'_>) {
        let _ = stage;
    }
    /// So many more files and bytes were digested.
    fn add(&self, files: u64, bytes: u64) {
        let _ = (files, bytes);
    }
    /// So many more bytes of the image were digested as a whole.
    fn add_image(&self, bytes: u64) {
        let _ = bytes;
    }
}

/// Shows nothing.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Progress for Silent {}
