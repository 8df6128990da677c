//! What the fuzz targets share: each hands arbitrary bytes to one reader and reads all that it offers.

use std::io::Write;
use std::sync::Arc;

use avocet_evidence::{Entry, FileSystem, MemorySource, OpenError, Problem, Source, VisitResult, Visitor};

/// Bytes read of one entry, and of all entries of a file system together.
const ENTRY_CAP: u64 = 1 << 20;
const TOTAL_CAP: u64 = 16 << 20;

/// Arbitrary bytes as a source.
pub fn source(data: &[u8]) -> Arc<dyn Source> {
    Arc::new(MemorySource(data.to_vec()))
}

/// Reads what it is given.
struct Reading {
    source: Arc<dyn Source>,
    left: u64,
    entries: u64,
}

impl Visitor for Reading {
    fn entry(&mut self, entry: Entry) -> VisitResult {
        self.entries += 1;
        assert!(entry.path.starts_with('/'), "a path begins at the root");
        let mut left = ENTRY_CAP.min(self.left);
        let mut buffer = vec![0; 64 << 10];
        if let Ok(Some(mut reader)) = entry.open(&self.source) {
            let mut got = 0u64;
            while left > 0 {
                let Ok(n) = reader.read(&mut buffer) else { break };
                assert!(n <= buffer.len());
                if n == 0 {
                    break;
                }
                got += n as u64;
                left = left.saturating_sub(n as u64);
                self.left = self.left.saturating_sub(n as u64);
            }
            assert!(got <= entry.size.saturating_add(buffer.len() as u64), "more bytes than declared");
        }
        VisitResult::Continue(())
    }

    fn problem(&mut self, problem: Problem) {
        assert!(!problem.code.is_empty() && !problem.detail.is_empty(), "a problem says what it is");
    }
}

/// Reads a source at its borders and beyond: it gives what it declares to have.
pub fn read_around(source: &dyn Source) {
    let mut buffer = vec![0; 70_000];
    for at in [0, 1, 511, 4096, source.len().saturating_sub(1), source.len(), u64::MAX] {
        if let Ok(n) = source.read_at(at, &mut buffer) {
            assert_eq!(n as u64, source.len().saturating_sub(at).min(70_000));
        }
    }
}

/// Walks a file system to its end, reads from every entry, and looks at its free runs.
pub fn walk<F: FileSystem>(data: &[u8], open: impl FnOnce(Arc<dyn Source>) -> Result<F, OpenError>) {
    let source = source(data);
    let fs = match open(Arc::clone(&source)) {
        Ok(fs) => fs,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    walk_opened(&fs, source, data.len());
}

/// Walks an opened file system of so many bytes to its end, reads from every entry, and looks at its free runs.
pub fn walk_opened(fs: &dyn FileSystem, source: Arc<dyn Source>, bytes: usize) {
    let mut reading = Reading { source, left: TOTAL_CAP, entries: 0 };
    let _ = fs.walk(&mut reading);
    assert!(reading.entries <= bytes as u64 / 4 + 64, "{} entries of {bytes} bytes", reading.entries);
    let mut end = 0;
    for run in fs.unallocated().unwrap_or_default() {
        assert!(run.start >= end, "free runs are in order and apart");
        end = run.start.saturating_add(run.length);
    }
}

/// A file that holds `data`, in memory where the system offers that.
pub fn file(data: &[u8]) -> tempfile::NamedTempFile {
    let memory = std::path::Path::new("/dev/shm");
    let place = if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
    let mut file = tempfile::NamedTempFile::new_in(place).expect("a temporary file");
    file.write_all(data).expect("writes to it");
    file
}

/// Reads every record of a file of this name and content, and looks at all that is handed over.
pub fn records(name: &str, data: &[u8]) {
    let memory = std::path::Path::new("/dev/shm");
    let place = if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
    let suffix = name.strip_prefix("set").unwrap_or_default();
    let mut file = tempfile::Builder::new().suffix(suffix).tempfile_in(place).expect("a temporary file");
    file.write_all(data).expect("writes to it");
    let scheme = avocet_known::Scheme::find_builtin("alert").expect("a scheme of its own");
    let mut count = 0u64;
    let outcome = avocet_known::read_records(file.path(), &scheme, None, &mut |record| {
        count += 1;
        let extra = record.extra;
        assert!(extra.is_empty() || (extra.starts_with('{') && extra.ends_with('}')), "one JSON object");
        assert!(record.photodna.len() % 144 == 0 && record.offset <= data.len() as u64);
    });
    match outcome {
        Ok(set) => {
            let rejected: u64 = set.rejected.iter().map(|t| t.count).sum();
            assert_eq!(count + rejected, set.records_read, "every record is handed over or counted");
            assert_eq!(set.bytes, data.len() as u64);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
