//! Sets written for a test, and digests of content by code that the crate itself does not use.

use std::path::PathBuf;

use avocet_base::{Digests, Md5, PdqHash, Sha1, Sha256};
use avocet_known::{
    Field, Hit, KnownError, KnownSets, KnownSpec, ListKind, RawId, RawRecord, ReadSet, Scheme, read_records,
};

/// Sets whose look-ups must succeed.
#[derive(Debug)]
pub struct Loaded(KnownSets);

impl Loaded {
    pub fn lookup(&self, digests: &Digests, size: u64) -> Vec<Hit> {
        self.0.lookup(digests, size).unwrap()
    }
}

impl std::ops::Deref for Loaded {
    type Target = KnownSets;

    fn deref(&self) -> &KnownSets {
        &self.0
    }
}

/// Loads one set from text, under a scheme named as on the command line.
pub fn load(content: impl AsRef<[u8]>, scheme: &str) -> Result<Loaded, KnownError> {
    load_all(&[(content.as_ref(), scheme)])
}

/// Loads several sets.
pub fn load_all(sets: &[(&[u8], &str)]) -> Result<Loaded, KnownError> {
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
    KnownSets::load(&specs, &mut |_| {}).map(Loaded)
}

/// A record as it was handed over, with its own copies.
#[derive(Debug, Clone, PartialEq)]
pub struct Rec {
    pub md5: Field<Md5>,
    pub sha1: Field<Sha1>,
    pub sha256: Field<Sha256>,
    pub size: Field<u64>,
    pub category: Option<String>,
    pub series: Option<String>,
    pub flags: Vec<&'static str>,
    /// A number, a text in quotation marks, or nothing.
    pub id: String,
    pub place: u64,
    pub offset: u64,
    pub pdq: Field<PdqHash>,
    pub photodna: Vec<u8>,
    pub extra: String,
    pub deletes: bool,
}

impl Rec {
    fn of(record: &RawRecord<'_>) -> Rec {
        Rec {
            md5: record.md5,
            sha1: record.sha1,
            sha256: record.sha256,
            size: record.size,
            category: record.category.map(str::to_owned),
            series: record.series.map(str::to_owned),
            flags: record.flags.words().collect(),
            id: match record.id {
                RawId::None => String::new(),
                RawId::Number(number) => number.to_string(),
                RawId::Text(text) => format!("{text:?}"),
            },
            place: record.place,
            offset: record.offset,
            pdq: record.pdq,
            photodna: record.photodna.to_vec(),
            extra: record.extra.to_owned(),
            deletes: record.deletes,
        }
    }

    /// What is kept beside the fields, by another parser.
    pub fn kept(&self) -> serde_json::Value {
        if self.extra.is_empty() { serde_json::json!({}) } else { serde_json::from_str(&self.extra).unwrap() }
    }
}

/// Reads a file's records without keeping them in a set.
pub fn read_file(path: &std::path::Path, list: Option<ListKind>) -> Result<(ReadSet, Vec<Rec>), KnownError> {
    let mut records = vec![];
    let scheme = Scheme::find_builtin("alert").unwrap();
    let set = read_records(path, &scheme, list, &mut |record| records.push(Rec::of(record)))?;
    Ok((set, records))
}

/// Reads the records of a file that has this name and content.
pub fn read(name: &str, content: impl AsRef<[u8]>) -> Result<(ReadSet, Vec<Rec>), KnownError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    read_file(&path, None)
}

/// The records of a file that is read without any trouble.
pub fn records(content: impl AsRef<[u8]>) -> Vec<Rec> {
    let (set, records) = read("set.dat", content).unwrap();
    assert!(set.rejected.is_empty(), "{:?}", set.rejected);
    records
}

/// PDQ hash number `n`.
pub fn pdq(n: u64) -> PdqHash {
    PdqHash(fill(n, 4))
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
