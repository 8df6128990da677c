//! One stream: the three digests of a file, or one digest of a whole image.

use avocet_base::{Digests, Md5, Sha1, Sha256};

use crate::level::Level;
use crate::rounds::{MD5_START, SHA1_START, SHA256_START};
use crate::state::{Pending, State, md5_value, sha1_value, sha256_value};

/// The running state of MD5, SHA-1 and SHA-256 of one file.
///
/// One file alone is bound by MD5; [`update_many`](crate::update_many) and [`finish_many`](crate::finish_many) take
/// many files forward together, several times as fast.
#[derive(Clone)]
pub struct TripleHasher {
    pub(crate) state: State,
    pub(crate) pending: Pending,
}

impl Default for TripleHasher {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for TripleHasher {
    /// Shows the length only: the state holds bytes of evidence.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TripleHasher").field("len", &self.len()).finish_non_exhaustive()
    }
}

impl TripleHasher {
    /// Starts with no bytes.
    pub fn new() -> Self {
        Self { state: State::START, pending: Pending::EMPTY }
    }

    /// Takes in the next bytes of the file.
    pub fn update(&mut self, data: &[u8]) {
        self.update_at(Level::detect(), data);
    }

    pub(crate) fn update_at(&mut self, level: Level, data: &[u8]) {
        let (completed, blocks) = self.pending.feed(data);
        if let Some(block) = completed {
            level.triple(&mut self.state, &block);
        }
        level.triple(&mut self.state, blocks);
    }

    /// Bytes taken in so far.
    pub fn len(&self) -> u64 {
        self.pending.total()
    }

    /// Whether no bytes were taken in yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The digests of all bytes taken in.
    pub fn finish(self) -> Digests {
        self.finish_at(Level::detect())
    }

    pub(crate) fn finish_at(mut self, level: Level) -> Digests {
        let tail = self.pending.tail();
        level.md5(&mut self.state.md5, tail.little());
        level.sha1(&mut self.state.sha1, tail.big());
        level.sha256(&mut self.state.sha256, tail.big());
        self.state.digests()
    }
}

macro_rules! single {
    ($(#[$doc:meta])* $name:ident, $value:ident, $words:literal, $start:ident, $method:ident, $tail:ident, $finish:ident) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name {
            state: [u32; $words],
            pending: Pending,
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }

        impl std::fmt::Debug for $name {
            /// Shows the length only: the state holds bytes of evidence.
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).field("len", &self.pending.total()).finish_non_exhaustive()
            }
        }

        impl $name {
            /// Starts with no bytes.
            pub fn new() -> Self {
                Self { state: $start, pending: Pending::EMPTY }
            }

            /// Takes in the next bytes of the stream.
            pub fn update(&mut self, data: &[u8]) {
                self.update_at(Level::detect(), data);
            }

            pub(crate) fn update_at(&mut self, level: Level, data: &[u8]) {
                let (completed, blocks) = self.pending.feed(data);
                if let Some(block) = completed {
                    level.$method(&mut self.state, &block);
                }
                level.$method(&mut self.state, blocks);
            }

            /// The digest of all bytes taken in.
            pub fn finish(self) -> $value {
                self.finish_at(Level::detect())
            }

            pub(crate) fn finish_at(mut self, level: Level) -> $value {
                let tail = self.pending.tail();
                level.$method(&mut self.state, tail.$tail());
                $finish(&self.state)
            }
        }
    };
}

single!(
    /// MD5 of one long stream, such as a whole image.
    Md5Hasher, Md5, 4, MD5_START, md5, little, md5_value);
single!(
    /// SHA-1 of one long stream, such as a whole image.
    Sha1Hasher, Sha1, 5, SHA1_START, sha1, big, sha1_value);
single!(
    /// SHA-256 of one long stream, such as a whole image.
    Sha256Hasher, Sha256, 8, SHA256_START, sha256, big, sha256_value);
