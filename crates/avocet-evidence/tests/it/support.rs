//! Where real images are, and how a test says that it had none.
#![allow(dead_code, reason = "each reader's tests use another part of this module")]

use std::path::PathBuf;
use std::sync::Arc;

use avocet_evidence::{ContentRead, Entry, FileSystem, MemorySource, Problem, Source, VisitResult, Visitor};

/// The folder of shared real images: `AVOCET_TESTDATA`, or `shared/testdata` beside the checkout. `None` where absent.
pub fn testdata() -> Option<PathBuf> {
    let path = std::env::var_os("AVOCET_TESTDATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/testdata"), PathBuf::from);
    path.is_dir().then_some(path)
}

/// The folder of images built by `evidence-images` (`AVOCET_IMAGES`); `None` where absent.
pub fn images() -> Option<PathBuf> {
    std::env::var_os("AVOCET_IMAGES").map(PathBuf::from).filter(|p| p.is_dir())
}

/// A folder of encrypted volumes that the real programs made, below `AVOCET_VOLUMES`; `None` where absent.
pub fn volumes(kind: &str) -> Option<PathBuf> {
    std::env::var_os("AVOCET_VOLUMES").map(|all| PathBuf::from(all).join(kind)).filter(|p| p.is_dir())
}

/// Says on the test's output that cases were skipped, and how many.
pub fn skipped(cases: usize, why: &str) {
    println!("skipped {cases} case(s): {why}");
}

/// Collects what a walk reports.
#[derive(Default)]
pub struct Collected {
    pub entries: Vec<Entry>,
    pub problems: Vec<Problem>,
}

impl Visitor for Collected {
    fn entry(&mut self, entry: Entry) -> VisitResult {
        self.entries.push(entry);
        VisitResult::Continue(())
    }

    fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }
}

/// Walks a file system to the end.
pub fn collect(fs: &dyn FileSystem) -> Collected {
    let mut out = Collected::default();
    fs.walk(&mut out).expect("walk ends");
    out
}

/// The whole content of an entry, at most `cap` bytes; the error text where it cannot be read.
pub fn content(entry: &Entry, volume: &Arc<dyn Source>, cap: usize) -> Result<Option<Vec<u8>>, String> {
    let Some(mut reader) = entry.open(volume).map_err(|e| e.to_string())? else { return Ok(None) };
    read_to_end(&mut *reader, cap).map(Some).map_err(|e| e.to_string())
}

fn read_to_end(reader: &mut dyn ContentRead, cap: usize) -> Result<Vec<u8>, avocet_evidence::ReadError> {
    let (mut out, mut buf) = (vec![], vec![0; 64 * 1024]);
    loop {
        let n = reader.read(&mut buf)?;
        out.extend_from_slice(&buf[..n]);
        if n == 0 || out.len() > cap {
            return Ok(out);
        }
    }
}

/// Lower-case hexadecimal SHA-256, by an implementation that the project does not use itself.
pub fn sha256(data: &[u8]) -> String {
    use sha2::Digest;
    sha2::Sha256::digest(data).iter().map(|b| format!("{b:02x}")).collect()
}

/// A file read into memory as a source.
pub fn load(path: &std::path::Path) -> Arc<dyn Source> {
    Arc::new(MemorySource(std::fs::read(path).expect("readable image")))
}

/// A repeatable stream of numbers (xorshift64); the seed must not be 0.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

/// Bytes of which some are changed: a copy of the whole would cost more than what is tested.
pub struct Patched {
    pub base: Arc<Vec<u8>>,
    pub changes: std::collections::BTreeMap<usize, u8>,
}

impl Source for Patched {
    fn len(&self) -> u64 {
        self.base.len() as u64
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, avocet_evidence::ReadError> {
        let start = usize::try_from(offset).unwrap().min(self.base.len());
        let n = buf.len().min(self.base.len() - start);
        buf[..n].copy_from_slice(&self.base[start..start + n]);
        for (at, byte) in self.changes.range(start..start + n) {
            buf[at - start] = *byte;
        }
        Ok(n)
    }
}

/// Path and digest of every file below a folder, as the system reads them; links and what is special are left out.
pub fn as_the_system_reads(folder: &std::path::Path) -> std::collections::BTreeMap<String, String> {
    let mut out = std::collections::BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(here) = folders.pop() {
        for entry in std::fs::read_dir(&here).expect("readable folder") {
            let entry = entry.expect("readable folder");
            let (path, kind) = (entry.path(), entry.file_type().expect("a kind"));
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() {
                let name = path.strip_prefix(folder).expect("below").to_str().expect("UTF-8").to_owned();
                out.insert(format!("/{name}"), sha256(&std::fs::read(&path).expect("readable file")));
            }
        }
    }
    out
}

/// What a program prints, run in a folder; `None` where it is not here or fails.
pub fn output_in(folder: &std::path::Path, program: &str, args: &[&str]) -> Option<String> {
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    let out = std::process::Command::new(program).args(args).env("PATH", path).current_dir(folder).output().ok()?;
    out.status.success().then(|| String::from_utf8_lossy(&out.stdout).into_owned())
}

/// What a program prints; `None` where it is not here or fails.
pub fn output(program: &str, args: &[&str]) -> Option<String> {
    output_in(std::path::Path::new("."), program, args)
}

/// Whether a program is here and does not fail.
pub fn ran(program: &str, args: &[&str]) -> bool {
    output(program, args).is_some()
}

/// Bytes that differ from block to block and can be packed.
pub fn regular(n: usize) -> Vec<u8> {
    (0..n).map(|i| (i * 31 + n + i / 4096) as u8).collect()
}

/// Bytes that cannot be packed.
pub fn noise(n: usize, seed: u64) -> Vec<u8> {
    let mut random = Random(seed);
    (0..n).map(|_| random.next() as u8).collect()
}

/// Writes a file below a folder, and the folders on the way.
#[expect(clippy::disallowed_methods, reason = "tests write the fixtures that they read")]
pub fn put(tree: &std::path::Path, name: &str, data: &[u8]) {
    let path = tree.join(name);
    std::fs::create_dir_all(path.parent().expect("a name below the folder")).expect("writable folder");
    std::fs::write(path, data).expect("writable folder");
}

/// Reads all over a disk that may be damaged: each read gives what it must, or an error with its place. Answers whether any
/// failed.
pub fn some_reads_fail(source: &dyn Source, step: usize) -> bool {
    let length = source.len();
    let (mut buf, mut bad) = (vec![0; step], false);
    for at in (0..40).map(|i| length / 40 * i).chain([length.saturating_sub(1), u64::MAX]) {
        match source.read_at(at, &mut buf) {
            Ok(n) => assert_eq!(n as u64, length.saturating_sub(at).min(step as u64)),
            Err(e) => {
                assert!(e.offset >= at && e.offset < length && !e.detail.is_empty(), "{e}");
                bad = true;
            }
        }
    }
    bad
}
