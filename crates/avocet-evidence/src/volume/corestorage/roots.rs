//! The users of a system's volume: a list in a file of the recovery partition beside it.

use std::sync::Arc;

use super::text::{self, Value};
use super::{KEY, Key};
use crate::entry::{AllocationState, Entry, FileSystem as _, VisitResult, Visitor};
use crate::error::Problem;
use crate::fs::hfs::Hfs;
use crate::source::Source;
use crate::volume::sealed::{Kind, Xts};

/// Name of the file.
const NAME: &str = "/EncryptedRoot.plist.wipekey";
/// Bytes of it at most.
const MOST: u64 = 4 << 20;
/// Bytes of a recovery partition at most; macOS makes them of 620 MiB.
const MOST_PARTITION: u64 = 4 << 30;
/// Lists that are looked at.
const MOST_LISTS: usize = 16;

/// Decrypts a list with the key of the physical volume's header; `None` where it is none of it.
pub(super) fn opened(sealed: &[u8], key: &Key) -> Option<Value> {
    if sealed.len() as u64 > MOST {
        return None;
    }
    let mut plain = sealed.to_vec();
    // The whole file is one unit.
    Xts::new(&[(Kind::Aes128, key.as_slice(), &[0; KEY])])?.unit(0, &mut plain);
    let start = plain.iter().position(|b| *b == b'<').filter(|at| *at < 16)?;
    text::read(plain.get(start..)?).filter(|list| list.get("CryptoUsers").is_some())
}

/// The files of that name in partitions of HFS+.
pub(crate) fn find(partitions: &[Arc<dyn Source>]) -> Vec<Vec<u8>> {
    let mut out = vec![];
    for partition in partitions.iter().filter(|p| p.len() <= MOST_PARTITION) {
        let Ok(hfs) = Hfs::open(Arc::clone(partition)) else { continue };
        let mut looking = Looking { partition, found: vec![] };
        // What cannot be enumerated is said where the partition itself is read.
        let _ = hfs.walk(&mut looking);
        out.append(&mut looking.found);
    }
    out.truncate(MOST_LISTS);
    out
}

struct Looking<'a> {
    partition: &'a Arc<dyn Source>,
    found: Vec<Vec<u8>>,
}

impl Looking<'_> {
    fn content(&self, entry: &Entry) -> Option<Vec<u8>> {
        let mut reader = entry.open(self.partition).ok()??;
        let (mut out, mut buf) = (vec![], vec![0; 64 << 10]);
        while out.len() as u64 <= MOST {
            let n = reader.read(&mut buf).ok()?;
            if n == 0 {
                return Some(out);
            }
            out.extend_from_slice(buf.get(..n)?);
        }
        None
    }
}

impl Visitor for Looking<'_> {
    fn entry(&mut self, entry: Entry) -> VisitResult {
        let wanted = entry.state == AllocationState::Allocated && entry.stream.is_none() && entry.path.ends_with(NAME);
        if wanted && self.found.len() < MOST_LISTS {
            self.found.extend(self.content(&entry));
        }
        VisitResult::Continue(())
    }

    fn problem(&mut self, _: Problem) {}
}
