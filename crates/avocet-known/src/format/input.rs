//! A set's file as it is read: by a thread of its own that digests it on the way, handed over in pieces, and kept in one
//! buffer from the beginning of the record that is being read.

use std::io::{self, Read};
use std::rc::Rc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use avocet_base::Sha256;
use sha2::Digest as _;

use crate::error::KnownError;
use crate::intake::{Intake, Meter};

/// Bytes read at once.
const PIECE: usize = 1 << 20;
/// Pieces read ahead of the parser.
const AHEAD: usize = 4;
/// Most bytes of one record. It bounds memory: nothing here holds more than one record.
pub(crate) const MAX_RECORD: usize = 64 << 20;

/// A file's bytes, in order.
pub(crate) struct Input {
    buffer: Vec<u8>,
    start: usize,
    /// Byte of the file at `start`.
    offset: u64,
    ended: bool,
    meter: Rc<Meter>,
    pieces: Option<Receiver<io::Result<Vec<u8>>>>,
    used: SyncSender<Vec<u8>>,
    reader: Option<JoinHandle<Sha256>>,
}

/// Why there are no more bytes.
#[derive(Debug)]
pub(crate) enum Short {
    /// The disk, or whatever the file is on.
    Io(io::Error),
    /// One record is longer than 64 MiB.
    TooLong,
}

fn read_and_digest(mut file: impl Read, to: &SyncSender<io::Result<Vec<u8>>>, used: &Receiver<Vec<u8>>) -> Sha256 {
    let mut hasher = sha2::Sha256::new();
    loop {
        let mut piece = used.try_recv().unwrap_or_default();
        piece.clear();
        match file.by_ref().take(PIECE as u64).read_to_end(&mut piece) {
            Ok(0) => break,
            Ok(_) => {
                hasher.update(&piece);
                if to.send(Ok(piece)).is_err() {
                    break;
                }
            }
            Err(error) => {
                // Whoever waits for bytes learns why there are none; if nobody waits, there is no one to tell.
                let _ = to.send(Err(error));
                break;
            }
        }
    }
    Sha256(hasher.finalize().into())
}

impl Input {
    pub fn new(file: impl Read + Send + 'static, meter: Rc<Meter>) -> io::Result<Input> {
        let (to, pieces) = sync_channel(AHEAD);
        let (used, again) = sync_channel(AHEAD);
        let reader = std::thread::Builder::new()
            .name("avocet-set-read".to_owned())
            .spawn(move || read_and_digest(file, &to, &again))?;
        Ok(Input {
            buffer: vec![],
            start: 0,
            offset: 0,
            ended: false,
            meter,
            pieces: Some(pieces),
            used,
            reader: Some(reader),
        })
    }

    /// What has been read and not yet consumed.
    pub fn data(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }

    /// Byte of the file at which [`Input::data`] begins.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Passes over the first `n` bytes.
    pub fn consume(&mut self, n: usize) {
        let n = n.min(self.data().len());
        self.start += n;
        self.offset += n as u64;
    }

    /// Whether the file has no bytes beyond [`Input::data`].
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// Reads on, keeping what is not yet consumed; false at the end of the file. What there is at least doubles, so that
    /// whoever starts again from the beginning of a record does so only a few times.
    pub fn more(&mut self) -> Result<bool, Short> {
        let have = self.data().len();
        if have > MAX_RECORD {
            return Err(Short::TooLong);
        }
        if self.ended {
            return Ok(false);
        }
        self.buffer.drain(..self.start);
        self.start = 0;
        let wanted = have.saturating_mul(2).clamp(have + 1, MAX_RECORD + 1);
        while self.buffer.len() < wanted && !self.ended {
            match self.pieces.as_ref().and_then(|p| p.recv().ok()) {
                Some(Ok(piece)) => {
                    self.meter.bytes.set(self.meter.bytes.get() + piece.len() as u64);
                    self.buffer.extend_from_slice(&piece);
                    // The reader makes a new one where none comes back.
                    let _ = self.used.try_send(piece);
                }
                Some(Err(error)) => {
                    self.ended = true;
                    return Err(Short::Io(error));
                }
                None => self.ended = true,
            }
        }
        Ok(self.buffer.len() > have)
    }

    /// Reads until there are `n` bytes or the file ends.
    pub fn at_least(&mut self, n: usize) -> Result<&[u8], Short> {
        while self.data().len() < n && self.more()? {}
        Ok(self.data())
    }

    /// Reads to the end whatever is there, and gives the SHA-256 of the whole file.
    pub fn finish(mut self) -> Result<Sha256, Short> {
        loop {
            self.consume(usize::MAX);
            if !self.more()? {
                break;
            }
        }
        let reader = self.reader.take().ok_or_else(|| Short::Io(io::Error::other("the file was not read")))?;
        reader.join().map_err(|_| Short::Io(io::Error::other("the reading thread failed")))
    }
}

impl Drop for Input {
    /// A reader that nobody listens to ends with its next piece; it is waited for, so that no thread is left behind.
    fn drop(&mut self) {
        self.pieces = None;
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

impl Short {
    /// The error for the user.
    pub fn error(self, intake: &Intake<'_>, offset: u64) -> KnownError {
        match self {
            Short::TooLong => intake.malformed(
                "a set that this version reads",
                format!("from byte {offset}"),
                "one record is longer than 64 MiB".to_owned(),
                "look for a quotation mark or bracket that is never closed",
            ),
            Short::Io(error) => KnownError::Read {
                path: intake.path().to_owned(),
                bytes: intake.meter().bytes.get(),
                reason: error.to_string(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn input(content: &[u8]) -> Input {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        std::io::Seek::rewind(&mut file).unwrap();
        Input::new(file, Rc::new(Meter::default())).unwrap()
    }

    #[test]
    fn bytes_come_in_order_and_the_digest_is_of_all_of_them() {
        let content: Vec<u8> = (0..3 * PIECE + 7).map(|i| (i * 31 % 251) as u8).collect();
        let mut all = input(&content);
        let mut got = vec![];
        let mut step = 1;
        loop {
            step = step * 3 % 1_000_003 + 1;
            let part = all.at_least(step).unwrap();
            let part = part.get(..step).unwrap_or(part).to_vec();
            if part.is_empty() {
                break;
            }
            assert_eq!(all.offset(), got.len() as u64);
            all.consume(part.len());
            got.extend(part);
        }
        assert!(got == content && all.ended());
        assert_eq!(all.finish().unwrap().0[..], sha2::Sha256::digest(&content)[..]);
        // Without reading anything of it, too.
        assert_eq!(input(&content).finish().unwrap().0[..], sha2::Sha256::digest(&content)[..]);
        assert_eq!(input(b"").finish().unwrap().0[..], sha2::Sha256::digest(b"")[..]);
    }

    #[test]
    fn a_reader_that_nobody_listens_to_ends() {
        let mut stopped = input(&vec![7; 20 * PIECE]);
        assert!(stopped.more().unwrap());
        drop(stopped);
    }

    #[test]
    fn a_record_without_an_end_is_stopped() {
        let mut long = input(&vec![b'a'; MAX_RECORD + 4 * PIECE]);
        let stopped = loop {
            match long.more() {
                Ok(true) => {}
                other => break other,
            }
        };
        assert!(matches!(stopped, Err(Short::TooLong)), "{stopped:?}");
    }
}
