//! Sets written for a test, and digests of content by code that the crate itself does not use.

use std::path::PathBuf;

use avocet_base::{Digests, Md5, Sha1, Sha256};
use avocet_known::{Hit, KnownError, KnownSets, KnownSpec};

/// Loads one set from text, under a scheme named as on the command line.
pub fn load(content: impl AsRef<[u8]>, scheme: &str) -> Result<KnownSets, KnownError> {
    load_all(&[(content.as_ref(), scheme)])
}

/// Loads several sets.
pub fn load_all(sets: &[(&[u8], &str)]) -> Result<KnownSets, KnownError> {
    let folder = tempfile::tempdir().unwrap();
    let specs: Vec<KnownSpec> = sets
        .iter()
        .enumerate()
        .map(|(i, (content, scheme))| {
            let path = folder.path().join(format!("set-{i}.dat"));
            std::fs::write(&path, content).unwrap();
            KnownSpec::parse(&format!("{}={scheme}", path.display())).unwrap()
        })
        .collect();
    KnownSets::load(&specs, &mut |_| {})
}

/// Digests that stand for content number `n`: no two numbers share one. Content is never hashed here.
pub fn digests(n: u64) -> Digests {
    Digests { md5: md5(n), sha1: sha1(n), sha256: sha256(n) }
}

fn fill<const N: usize>(n: u64, salt: u64) -> [u8; N] {
    let mut random = Random(n.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ salt);
    std::array::from_fn(|_| random.next() as u8)
}

pub fn md5(n: u64) -> Md5 {
    Md5(fill(n, 1))
}

pub fn sha1(n: u64) -> Sha1 {
    Sha1(fill(n, 2))
}

pub fn sha256(n: u64) -> Sha256 {
    Sha256(fill(n, 3))
}

/// A small generator with a seed (SplitMix64), so that a failing case can be repeated.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

/// The one hit of a look-up.
pub fn only(hits: Vec<Hit>) -> Hit {
    let [hit] = <[Hit; 1]>::try_from(hits).expect("exactly one hit");
    hit
}

/// The folder of shared test data; `None` where absent.
pub fn testdata() -> Option<PathBuf> {
    let path = std::env::var_os("AVOCET_TESTDATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/testdata"), PathBuf::from);
    path.is_dir().then_some(path)
}

/// Says on the test's output that cases were skipped, and how many.
pub fn skipped(cases: usize, why: &str) {
    println!("skipped {cases} case(s): {why}");
}
