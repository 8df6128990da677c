//! Sets made from records in code, compared with a plain list that shares nothing with them.

mod damage;
mod golden;
mod model;
mod reader;
mod updates;

use std::path::{Path, PathBuf};
use std::rc::Rc;

use avocet_base::{Md5, PdqHash, Sha1, Sha256};

use super::job::{Source, compile_with};
use super::meta::MetaSource;
use super::{CompileJob, Record, RecordId, SetFile};
use crate::error::KnownError;
use crate::intake::{Intake, Meter, Reporter};
use crate::record::{Field, Flags, RawId, RawRecord};
use crate::scheme::Scheme;

/// A small generator with a seed (SplitMix64).
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

    pub fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize].clone()
    }
}

/// The name of a record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Id {
    None,
    Number(u64),
    Text(String),
}

/// A record as a source states it.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    pub place: u64,
    pub md5: Option<[u8; 16]>,
    pub sha1: Option<[u8; 20]>,
    pub sha256: Option<[u8; 32]>,
    pub size: Option<u64>,
    pub category: Option<String>,
    pub series: Option<String>,
    pub flags: u8,
    pub id: Id,
    pub pdq: Option<[u8; 32]>,
    pub photodna: Vec<u8>,
    pub extra: String,
    pub deletes: bool,
}

pub fn bytes<const N: usize>(n: u64, salt: u64) -> [u8; N] {
    let mut random = Random(n.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ salt);
    std::array::from_fn(|_| random.next() as u8)
}

/// A random record about one of a few contents: digests are shared, missing and mixed up.
pub fn item(random: &mut Random, contents: u64, place: u64) -> Item {
    let n = random.below(contents);
    let mut pick = || if random.one_in(8) { random.below(contents) } else { n };
    let (a, b, c, d) = (pick(), pick(), pick(), pick());
    let digests = !random.one_in(12);
    let some = |random: &mut Random, n| digests && !random.one_in(n);
    let mut item = Item {
        place,
        md5: some(random, 4).then(|| bytes(a, 1)),
        sha1: some(random, 3).then(|| bytes(b, 2)),
        sha256: some(random, 2).then(|| bytes(c, 3)),
        size: random.one_in(2).then_some(d % 7 + 1),
        category: random.pick(&[None, Some("1"), Some("2")]).map(str::to_owned),
        series: random.pick(&[None, None, Some("first"), Some("zweite Reihe")]).map(str::to_owned),
        flags: random.pick(&[0, 0, 1, 18]),
        id: random.pick(&[Id::None, Id::None, Id::Number(n % 3), Id::Text(format!("r{}", n % 3))]),
        pdq: random.one_in(6).then(|| bytes(n % 5, 4)),
        photodna: random.pick(&[vec![], vec![], vec![n as u8; 144], vec![7; 288]]),
        extra: random.pick(&["", "", "{\"a\":1}", "{\"b\":[2]}"]).to_owned(),
        deletes: false,
    };
    if item.md5.is_none() && item.sha1.is_none() && item.sha256.is_none() && item.photodna.is_empty() {
        item.pdq = Some(bytes(n % 5, 4));
    }
    item
}

/// Some records, of which some are repeated, with other details or without.
pub fn items(random: &mut Random, contents: u64, count: u64) -> Vec<Item> {
    let mut all: Vec<Item> = vec![];
    for place in 1..=count {
        if place > 1 && random.one_in(3) {
            let mut again = random.pick(&all);
            again.place = place;
            if random.one_in(2) {
                again.extra = random.pick(&["", "{\"a\":1}", "{\"c\":3}"]).to_owned();
            }
            all.push(again);
        } else {
            all.push(item(random, contents, place));
        }
    }
    all
}

pub fn scheme(name: &str) -> Scheme {
    Scheme::find_builtin(name).unwrap()
}

/// What to make a set of.
pub struct Making<'a> {
    pub sources: &'a [Vec<Item>],
    pub base: Option<&'a SetFile>,
    pub memory: usize,
    pub scheme: &'a str,
}

impl<'a> Making<'a> {
    pub fn of(sources: &'a [Vec<Item>]) -> Making<'a> {
        Making { sources, base: None, memory: 1 << 24, scheme: "us-vics-2.0" }
    }

    /// Compiles to `out` and opens.
    pub fn make(&self, out: &Path) -> Result<SetFile, KnownError> {
        let first = self.base.map_or(0, |b| b.info().sources.len());
        let paths: Vec<PathBuf> = (first..).zip(self.sources).map(|(i, _)| format!("part-{i}").into()).collect();
        let scheme = scheme(self.scheme);
        let mut job = CompileJob::new("made", &paths, &scheme);
        job.base = self.base;
        job.memory = self.memory;
        let mut next = self.sources.iter();
        compile_with(&job, out, (0, 1), false, &mut |_| {}, &mut |path, job, work, (set, sets), progress| {
            let records = next.next().unwrap();
            let reporter = Reporter { set, sets, total_bytes: 0, to: progress };
            let meter = Rc::new(Meter::default());
            let mut intake = Intake::new(path, job.scheme, work.target.out, meter, reporter, &mut work.gather);
            for r in records {
                add(&mut intake, r)?;
            }
            let taken = intake.finish("records in code")?;
            work.gather.source += 1;
            Ok(Source {
                meta: MetaSource {
                    name: path.display().to_string(),
                    sha256: Sha256([9; 32]),
                    bytes: 0,
                    format: "records in code".to_owned(),
                    publisher: None,
                    records: taken.read,
                    place_label: "record".to_owned(),
                    id_label: "MediaID".to_owned(),
                    stated: vec![],
                },
                rejected: taken.rejected,
                warnings: vec![],
            })
        })?;
        SetFile::open(out)
    }
}

fn add(intake: &mut Intake<'_>, r: &Item) -> Result<(), KnownError> {
    intake.add(&RawRecord {
        md5: r.md5.map_or(Field::Absent, |d| Field::Is(Md5(d))),
        sha1: r.sha1.map_or(Field::Absent, |d| Field::Is(Sha1(d))),
        sha256: r.sha256.map_or(Field::Absent, |d| Field::Is(Sha256(d))),
        size: r.size.map_or(Field::Absent, Field::Is),
        category: r.category.as_deref(),
        series: r.series.as_deref(),
        flags: Flags(r.flags),
        id: match &r.id {
            Id::None => RawId::None,
            Id::Number(n) => RawId::Number(*n),
            Id::Text(t) => RawId::Text(t),
        },
        place: r.place,
        pdq: r.pdq.map_or(Field::Absent, |p| Field::Is(PdqHash(p))),
        photodna: &r.photodna,
        extra: &r.extra,
        deletes: r.deletes,
        ..RawRecord::default()
    })
}

/// A row as the source that it came from would have stated it.
pub fn item_of(record: &Record) -> Item {
    Item {
        place: record.place,
        md5: record.md5.map(|d| d.0),
        sha1: record.sha1.map(|d| d.0),
        sha256: record.sha256.map(|d| d.0),
        size: record.size,
        category: record.category.clone(),
        series: record.series.clone(),
        flags: record.flags.0,
        id: match &record.id {
            RecordId::None => Id::None,
            RecordId::Number(n) => Id::Number(*n),
            RecordId::Text(t) => Id::Text(t.clone()),
        },
        pdq: record.pdq.map(|p| p.0),
        photodna: record.photodna.clone().unwrap_or_default(),
        extra: record.extra.clone().unwrap_or_default(),
        deletes: false,
    }
}
