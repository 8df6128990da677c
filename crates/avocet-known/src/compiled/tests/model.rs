//! What records mean, said by going through them one by one; and sets compared with it.

use avocet_base::{Digests, Md5, PdqHash, Sha1, Sha256};

use super::{Id, Item, Making, Random, bytes, item, item_of, items};
use crate::compiled::{Needle, SetFile};
use crate::hit::{Basis, Fields};

/// Records that say exactly the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Alive {
    statement: String,
    item: Item,
    source: u32,
    count: u64,
}

/// The list of what is left after all records and deletions, in turn.
#[derive(Default)]
pub struct Model {
    alive: Vec<Alive>,
    pub removed: u64,
    pub deletions: u64,
    pub in_vain: u64,
    sources: u32,
}

fn statement(i: &Item) -> String {
    let values = (i.md5.is_none() && i.sha1.is_none() && i.sha256.is_none()).then(|| (i.pdq, i.photodna.clone()));
    format!("{:?}", (i.md5, i.sha1, i.sha256, values, i.size, &i.category, &i.series, i.flags))
}

fn details(i: &Item) -> (Option<[u8; 32]>, &[u8], &str) {
    (i.pdq, &i.photodna, &i.extra)
}

impl Model {
    pub fn source(&mut self, items: &[Item]) {
        items.iter().for_each(|i| self.take(i));
        self.sources += 1;
    }

    fn take(&mut self, i: &Item) {
        let statement = statement(i);
        let same = |a: &&mut Alive| a.statement == statement && a.item.id == i.id && details(&a.item) == details(i);
        let exact = self.alive.iter_mut().find(same);
        if !i.deletes {
            let new = Alive { statement: statement.clone(), item: i.clone(), source: self.sources, count: 1 };
            match exact {
                Some(alive) if alive.count > 0 => alive.count += 1,
                Some(alive) => *alive = new,
                None => self.alive.push(new),
            }
            return;
        }
        self.deletions += 1;
        let mut taken = exact.filter(|a| a.count > 0);
        if taken.is_none() && details(i) == (None, &[][..], "") {
            taken = self
                .alive
                .iter_mut()
                .filter(|a| a.count > 0 && a.statement == statement)
                .filter(|a| i.id == Id::None || a.item.id == i.id)
                .min_by(|a, b| (&a.item.id, details(&a.item)).cmp(&(&b.item.id, details(&b.item))));
        }
        match taken {
            Some(alive) => {
                alive.count -= 1;
                self.removed += 1;
            }
            None => self.in_vain += 1,
        }
    }

    fn rows(&self) -> Vec<&Alive> {
        let mut rows: Vec<&Alive> = self.alive.iter().filter(|a| a.count > 0).collect();
        rows.sort_by_key(|a| (a.source, a.item.place));
        rows
    }

    /// The earliest row of every statement, by place.
    fn statements(&self) -> Vec<&Alive> {
        let mut all: Vec<&Alive> = vec![];
        for row in self.rows() {
            if !all.iter().any(|a| a.statement == row.statement) {
                all.push(row);
            }
        }
        all
    }

    fn label(&self, a: &Alive) -> String {
        match &a.item.id {
            Id::Number(n) => format!("MediaID {n}"),
            Id::Text(t) => format!("MediaID {t}"),
            Id::None if self.sources > 1 => format!("record {} of part-{}", a.item.place, a.source),
            Id::None => format!("record {}", a.item.place),
        }
    }

    fn scan(&self, statements: &[&Alive], file: &Digests, size: u64) -> Vec<(String, Basis)> {
        let mut out = vec![];
        for a in statements {
            let i = &a.item;
            let answers = [
                (Fields::MD5, i.md5.map(|d| d == file.md5.0)),
                (Fields::SHA1, i.sha1.map(|d| d == file.sha1.0)),
                (Fields::SHA256, i.sha256.map(|d| d == file.sha256.0)),
                (Fields::SIZE, i.size.map(|s| s == size)),
            ];
            let all = |wanted: bool| {
                answers.iter().filter(|(_, a)| *a == Some(wanted)).fold(Fields::default(), |sum, (f, _)| sum.with(*f))
            };
            let (agrees, differs) = (all(true), all(false));
            if agrees.is_empty() || agrees == Fields::SIZE {
                continue;
            }
            let basis = match (differs.is_empty(), i.sha256, i.sha1, i.size) {
                (false, ..) => Basis::DigestConflict { agrees, differs },
                (true, Some(_), ..) => Basis::Sha256,
                (true, None, Some(_), Some(_)) => Basis::Sha1AndSize,
                (true, None, Some(_), None) => Basis::Sha1,
                (true, None, None, Some(_)) => Basis::Md5AndSize,
                (true, None, None, None) => Basis::Md5Only,
            };
            out.push((self.label(a), basis));
        }
        out
    }

    fn with(&self, among: &[&Alive], test: impl Fn(&Item) -> bool) -> Vec<String> {
        among.iter().filter(|a| test(&a.item)).map(|a| self.label(a)).collect()
    }
}

/// How often each kind of answer was compared.
#[derive(Debug, Default)]
pub struct Compared {
    pub answers: usize,
    pub hits: usize,
    pub conflicts: usize,
}

/// Compares everything about a set with what its records mean.
pub fn compare(set: &SetFile, model: &Model, contents: u64, compared: &mut Compared) {
    set.verify().unwrap();
    let said = |item: &Item, source: u32, count: u64| format!("{item:?} {source} {count}");
    let mut rows: Vec<String> = vec![];
    for record in set.records() {
        let record = record.unwrap();
        rows.push(said(&item_of(&record), record.source, record.count));
    }
    let alive = model.rows();
    let mut wanted: Vec<String> = alive.iter().map(|a| said(&a.item, a.source, a.count)).collect();
    rows.sort();
    wanted.sort();
    assert_eq!(rows, wanted);

    let info = set.info();
    let statements = model.statements();
    assert_eq!(info.kept, statements.len() as u64);
    assert_eq!(info.rows, rows.len() as u64);
    assert_eq!(info.duplicates, alive.iter().map(|a| a.count).sum::<u64>() - info.kept);
    assert_eq!((info.removed, info.deletions), (model.removed, model.deletions));
    assert_eq!(info.deletions_without_record.count, model.in_vain);
    assert_eq!(info.records_read, info.kept + info.duplicates + info.removed + info.deletions);
    assert_eq!(info.pdq, alive.iter().filter(|a| a.item.pdq.is_some()).count() as u64);
    assert_eq!(info.photodna, alive.iter().filter(|a| !a.item.photodna.is_empty()).count() as u64);
    let pdq: Vec<_> = set.pdq_values().map(Result::unwrap).collect();
    assert_eq!((pdq.len() as u64, set.pdq_count()), (info.pdq, info.pdq));
    for (hash, row) in pdq {
        assert_eq!(set.record(row).unwrap().pdq, Some(hash));
    }

    let mut random = Random(contents);
    for n in 0..contents + 60 {
        let pick = |random: &mut Random| if random.one_in(4) { random.below(contents) } else { n };
        let (a, b, c) = (pick(&mut random), pick(&mut random), pick(&mut random));
        let file = Digests { md5: Md5(bytes(a, 1)), sha1: Sha1(bytes(b, 2)), sha256: Sha256(bytes(c, 3)) };
        let size = random.below(7) + 1;
        let found: Vec<_> = set.lookup(&file, size).unwrap().into_iter().map(|h| (h.record, h.basis)).collect();
        assert_eq!(found, model.scan(&statements, &file, size), "content {n}");
        compared.answers += 1;
        compared.hits += found.len();
        compared.conflicts += found.iter().filter(|(_, b)| matches!(b, Basis::DigestConflict { .. })).count();

        let find = |needle| set.find(&needle).unwrap().into_iter().map(|h| h.record).collect::<Vec<_>>();
        assert_eq!(find(Needle::Md5(file.md5)), model.with(&statements, |i| i.md5 == Some(file.md5.0)));
        assert_eq!(find(Needle::Sha1(file.sha1)), model.with(&statements, |i| i.sha1 == Some(file.sha1.0)));
        assert_eq!(find(Needle::Sha256(file.sha256)), model.with(&statements, |i| i.sha256 == Some(file.sha256.0)));
        if n < 12 {
            assert_eq!(find(Needle::Size(n)), model.with(&statements, |i| i.size == Some(n)));
            let hash = bytes(n, 4);
            assert_eq!(find(Needle::Pdq(PdqHash(hash))), model.with(&alive, |i| i.pdq == Some(hash)));
            for value in [vec![n as u8; 144], vec![7; 288], vec![1]] {
                assert_eq!(find(Needle::PhotoDna(value.clone())), model.with(&alive, |i| i.photodna == value));
            }
        }
    }
}

#[test]
fn sets_answer_as_a_list_does() {
    let folder = tempfile::tempdir().unwrap();
    let mut compared = Compared::default();
    for seed in 0..24 {
        let mut random = Random(seed);
        let contents = [6, 40, 150][(seed % 3) as usize];
        let mut sources = vec![];
        for _ in 0..1 + seed % 3 {
            let count = 1 + random.below(300);
            sources.push(items(&mut random, contents, count));
        }
        let mut model = Model::default();
        sources.iter().for_each(|s| model.source(s));
        let set = Making::of(&sources).make(&folder.path().join(seed.to_string())).unwrap();
        compare(&set, &model, contents, &mut compared);
    }
    // The comparison is worth something only where all kinds of answers occur.
    assert!(compared.answers > 2_000 && compared.hits > 5_000 && compared.conflicts > 2_000, "{compared:?}");
    println!("{compared:?}");
}

#[test]
fn memory_makes_no_difference_to_any_byte() {
    let folder = tempfile::tempdir().unwrap();
    let mut random = Random(77);
    let sources = [items(&mut random, 200, 3000), items(&mut random, 200, 2000)];
    let bytes = |name: &str, memory: usize| {
        let out = folder.path().join(name);
        let set = Making { memory, ..Making::of(&sources) }.make(&out).unwrap();
        set.verify().unwrap();
        std::fs::read(out).unwrap()
    };
    let one_piece = bytes("a", 1 << 28);
    assert!(one_piece == bytes("b", 1 << 28), "the same input gives the same bytes");
    // Runs of 16 records, and of a few hundred.
    assert!(one_piece == bytes("c", 1), "hundreds of runs give the same bytes");
    assert!(one_piece == bytes("d", 200_000), "a few runs give the same bytes");
}

#[test]
fn one_digest_in_very_many_statements() {
    let folder = tempfile::tempdir().unwrap();
    let mut all = vec![];
    for n in 0..20_000u64 {
        let mut one = item(&mut Random(1), 1, n + 1);
        (one.md5, one.sha1, one.sha256) = (Some([3; 16]), Some([4; 20]), None);
        one.size = Some(n / 4 + 1);
        one.id = Id::Number(n);
        all.push(one);
    }
    let sources = [all];
    let set = Making { memory: 1 << 16, ..Making::of(&sources) }.make(&folder.path().join("x")).unwrap();
    set.verify().unwrap();
    assert_eq!((set.info().kept, set.info().duplicates, set.info().rows), (5_000, 15_000, 20_000));
    let file = Digests { md5: Md5([3; 16]), sha1: Sha1([5; 20]), sha256: Sha256([6; 32]) };
    let hits = set.lookup(&file, 17).unwrap();
    assert_eq!(hits.len(), 5_000);
    assert!(hits.iter().all(|h| matches!(h.basis, Basis::DigestConflict { .. })));
    assert_eq!(hits[16].record, "MediaID 64");
}
