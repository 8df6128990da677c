//! Look-ups against an exhaustive scan of what the sets state: no record may be missed, and none invented.

use avocet_base::{Digests, Md5, Sha1, Sha256};
use avocet_known::{Basis, Fields, KnownSets};

use crate::support::{Random, digests, load_all, md5, sha1, sha256};

#[derive(Debug, Clone, PartialEq)]
struct Stated {
    line: u64,
    md5: Option<Md5>,
    sha1: Option<Sha1>,
    sha256: Option<Sha256>,
    size: Option<u64>,
    category: &'static str,
}

/// What a record says beside its line.
fn statement(r: &Stated) -> (Option<Md5>, Option<Sha1>, Option<Sha256>, Option<u64>, &'static str) {
    (r.md5, r.sha1, r.sha256, r.size, r.category)
}

fn size_of(n: u64) -> u64 {
    n % 1000 + 1
}

/// A record about a content below `contents`, with some digests missing and some taken from another content.
fn record(random: &mut Random, contents: u64, line: u64) -> Stated {
    let n = random.below(contents);
    let pick = |random: &mut Random| if random.one_in(8) { random.below(contents) } else { n };
    let (a, b, c, d) = (pick(random), pick(random), pick(random), pick(random));
    let mut stated = Stated {
        line,
        md5: (!random.one_in(4)).then(|| md5(a)),
        sha1: (!random.one_in(3)).then(|| sha1(b)),
        sha256: random.one_in(3).then(|| sha256(c)),
        size: (!random.one_in(3)).then(|| size_of(d)),
        category: ["0", "1", "2", "5", ""][random.below(5) as usize],
    };
    if stated.md5.is_none() && stated.sha1.is_none() && stated.sha256.is_none() {
        stated.md5 = Some(md5(n));
    }
    stated
}

fn csv(records: &[Stated]) -> String {
    fn cell<T: ToString>(value: &Option<T>) -> String {
        value.as_ref().map(T::to_string).unwrap_or_default()
    }
    let mut text = "md5,sha1,sha256,size,category\n".to_owned();
    for r in records {
        text += &format!("{},{},{},{},{}\n", cell(&r.md5), cell(&r.sha1), cell(&r.sha256), cell(&r.size), r.category);
    }
    text
}

/// The answer by comparing a file with every record.
fn scan(records: &[Stated], file: &Digests, size: u64) -> Vec<(String, Option<String>, Basis)> {
    let mut seen = vec![];
    let mut out = vec![];
    for r in records {
        let answers = [
            (Fields::MD5, r.md5.map(|d| d == file.md5)),
            (Fields::SHA1, r.sha1.map(|d| d == file.sha1)),
            (Fields::SHA256, r.sha256.map(|d| d == file.sha256)),
            (Fields::SIZE, r.size.map(|s| s == size)),
        ];
        let all = |wanted: bool| {
            answers.iter().filter(|(_, a)| *a == Some(wanted)).fold(Fields::default(), |sum, (f, _)| sum.with(*f))
        };
        let (agrees, differs) = (all(true), all(false));
        if agrees.is_empty() || agrees == Fields::SIZE || seen.contains(&statement(r)) {
            continue;
        }
        seen.push(statement(r));
        let basis = match (differs.is_empty(), r.sha256, r.sha1, r.size) {
            (false, ..) => Basis::DigestConflict { agrees, differs },
            (true, Some(_), ..) => Basis::Sha256,
            (true, None, Some(_), Some(_)) => Basis::Sha1AndSize,
            (true, None, Some(_), None) => Basis::Sha1,
            (true, None, None, Some(_)) => Basis::Md5AndSize,
            (true, None, None, None) => Basis::Md5Only,
        };
        out.push((format!("line {}", r.line), Some(r.category.to_owned()).filter(|c| !c.is_empty()), basis));
    }
    out
}

fn answer(sets: &KnownSets, file: &Digests, size: u64) -> Vec<Vec<(String, Option<String>, Basis)>> {
    let mut by_set = vec![vec![]; sets.sets().len()];
    let hits = sets.lookup(file, size).unwrap();
    assert!(hits.is_sorted_by_key(|h| h.set));
    for hit in hits {
        by_set[hit.set].push((hit.record, hit.category, hit.basis));
    }
    by_set
}

#[test]
fn every_answer_equals_the_exhaustive_scan() {
    let (mut compared, mut hits, mut conflicts) = (0, 0, 0);
    for seed in 0..6u64 {
        let mut random = Random(seed);
        let contents = [50, 400, 3000][(seed % 3) as usize];
        let all: Vec<Vec<Stated>> = (0..3)
            .map(|_| {
                let count = 1 + random.below(1500);
                let mut records: Vec<Stated> = (0..count).map(|i| record(&mut random, contents, i + 2)).collect();
                // Repeated records, word for word.
                for i in 0..count / 10 {
                    let copy = records[random.below(count) as usize].clone();
                    records.push(Stated { line: count + i + 2, ..copy });
                }
                records
            })
            .collect();
        let texts: Vec<String> = all.iter().map(|r| csv(r)).collect();
        let sets = load_all(&texts.iter().map(|t| (t.as_bytes(), "us-vics-2.0")).collect::<Vec<_>>()).unwrap();
        for (info, records) in sets.sets().iter().zip(&all) {
            assert_eq!(info.records_read, records.len() as u64);
            assert_eq!(info.kept + info.duplicates, info.records_read);
            let mut distinct: Vec<_> = records.iter().map(|r| format!("{:?}", statement(r))).collect();
            distinct.sort();
            distinct.dedup();
            assert_eq!(info.kept, distinct.len() as u64);
            assert_eq!(info.categories.iter().map(|c| c.records).sum::<u64>(), info.kept);
        }
        let mut asked = vec![];
        // Files that are known, files whose digests are mixed from two contents, and files that no set knows.
        for n in 0..contents + 200 {
            let mut file = digests(n);
            let mut size = size_of(n);
            match random.below(4) {
                0 => file.sha1 = sha1(random.below(contents)),
                1 => file.md5 = md5(random.below(contents)),
                2 => size += 1,
                _ => {}
            }
            asked.push((file, size));
            let found = answer(&sets, &file, size);
            for (records, found) in all.iter().zip(found) {
                let wanted = scan(records, &file, size);
                assert_eq!(found, wanted, "seed {seed}, content {n}");
                compared += 1;
                hits += found.len();
                conflicts += found.iter().filter(|(_, _, b)| matches!(b, Basis::DigestConflict { .. })).count();
            }
        }
        // Many at once get the same answers as one after another.
        let one_by_one = asked.iter().enumerate().flat_map(|(at, (file, size))| {
            sets.lookup(file, *size).into_iter().map(move |hit| (at, hit)).collect::<Vec<_>>()
        });
        assert_eq!(sets.lookup_many(&asked).unwrap(), one_by_one.collect::<Vec<_>>(), "seed {seed}");
    }
    // The comparison is worth something only where all kinds of answers occur.
    assert!(compared > 20_000 && hits > 10_000 && conflicts > 2_000, "{compared} {hits} {conflicts}");
    println!("{compared} answers compared, {hits} hits, {conflicts} conflicts");
}

#[test]
fn digests_that_share_their_beginning_are_told_apart() {
    let with_tail = |tail: u16| {
        let mut digest = [0xab; 16];
        digest[14..].copy_from_slice(&tail.to_be_bytes());
        Md5(digest)
    };
    let mut text = String::new();
    (0..2000u16).for_each(|i| text += &format!("{}\n", with_tail(i * 2)));
    let sets = load_all(&[(text.as_bytes(), "alert")]).unwrap();
    for i in 0..4100u16 {
        let file = Digests { md5: with_tail(i), ..digests(1) };
        let wanted = usize::from(i < 4000 && i % 2 == 0);
        assert_eq!(sets.lookup(&file, 5).len(), wanted, "{i}");
    }
    for edge in [[0u8; 16], [0xff; 16]] {
        assert_eq!(sets.lookup(&Digests { md5: Md5(edge), ..digests(1) }, 5).len(), 0);
    }
}

#[test]
fn many_threads_get_the_answers_of_one() {
    let mut random = Random(99);
    let records: Vec<Stated> = (0..2000).map(|i| record(&mut random, 300, i + 2)).collect();
    let sets = load_all(&[(csv(&records).as_bytes(), "us-vics-2.0")]).unwrap();
    let serial: Vec<_> = (0..400).map(|n| sets.lookup(&digests(n), size_of(n))).collect();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for (n, wanted) in (0u64..).zip(&serial) {
                    assert_eq!(&sets.lookup(&digests(n), size_of(n)), wanted);
                }
            });
        }
    });
}
