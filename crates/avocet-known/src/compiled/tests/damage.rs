//! Damaged files: an error or the right answer, never "absent" for what is there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use avocet_base::{Digests, Md5, PdqHash, Sha1, Sha256};

use super::{Item, Making, Random, bytes, items};
use crate::compiled::layout::{BLOCK, HEADER, Header, Kind};
use crate::compiled::{Needle, SetFile};
use crate::error::KnownError;
use crate::hit::Hit;

fn records() -> Vec<Item> {
    let mut random = Random(42);
    items(&mut random, 60, 400)
}

/// Every question that can be asked about the records, with its answer or error.
fn ask(set: &SetFile, records: &[Item]) -> Vec<Result<Vec<Hit>, KnownError>> {
    let mut answers = vec![];
    let (mut sizes, mut hashes, mut values) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for (n, r) in (10_000..).zip(records) {
        let file = Digests {
            md5: Md5(r.md5.unwrap_or(bytes(n, 1))),
            sha1: Sha1(r.sha1.unwrap_or(bytes(n, 2))),
            sha256: Sha256(r.sha256.unwrap_or(bytes(n, 3))),
        };
        answers.push(set.lookup(&file, r.size.unwrap_or(9)));
        answers.extend(r.size.filter(|s| sizes.insert(*s)).map(|size| set.find(&Needle::Size(size))));
        answers.extend(r.pdq.filter(|p| hashes.insert(*p)).map(|pdq| set.find(&Needle::Pdq(PdqHash(pdq)))));
        if values.insert(&r.photodna) {
            answers.push(set.find(&Needle::PhotoDna(r.photodna.clone())));
        }
    }
    answers
}

fn write(folder: &Path, bytes: &[u8]) -> PathBuf {
    let path = folder.join("damaged.avset");
    // Never written over: a map may still be open.
    let _ = std::fs::remove_file(&path);
    std::fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn one_bit_in_any_block_is_an_error_or_no_matter() {
    let folder = tempfile::tempdir().unwrap();
    let sources = [records()];
    let path = folder.path().join("sound");
    let sound = Making::of(&sources).make(&path).unwrap();
    let wanted: Vec<Vec<Hit>> = ask(&sound, &sources[0]).into_iter().map(Result::unwrap).collect();
    assert!(wanted.iter().filter(|hits| !hits.is_empty()).count() > 300);
    // MORE is asked by whole records only, and STRINGS, MORE and DETAILS by them too.
    let whole_records = |set: &SetFile| set.records().find_map(Result::err);
    let whole = std::fs::read(&path).unwrap();
    let mut random = Random(1);
    let (mut refused, mut errors, mut right) = (0, 0, 0);
    for (number, block) in (0u64..).zip(whole.chunks(BLOCK as usize)) {
        // Bits in the bytes that are used, and one in the padding.
        let used = block.iter().rposition(|b| *b != 0).map_or(1, |last| last as u64 + 1);
        for at in [random.below(used), used - 1, BLOCK - 1] {
            let mut damaged = whole.clone();
            damaged[(number * BLOCK + at) as usize] ^= 1 << random.below(8);
            let set = match SetFile::open(&write(folder.path(), &damaged)) {
                Ok(set) => set,
                Err(error) => {
                    assert!(matches!(error, KnownError::NotCompiled { .. }), "{error}");
                    refused += 1;
                    continue;
                }
            };
            let mut noticed = false;
            for (answer, wanted) in ask(&set, &sources[0]).into_iter().zip(&wanted) {
                match answer {
                    Ok(hits) => {
                        assert_eq!(&hits, wanted, "block {number}, byte {at}");
                        right += 1;
                    }
                    Err(KnownError::Damaged { block, offset, .. }) => {
                        assert_eq!((block, offset / BLOCK), (number, number));
                        noticed = true;
                        errors += 1;
                    }
                    Err(error) => panic!("{error}"),
                }
            }
            noticed |= whole_records(&set).is_some();
            assert!(noticed, "every block serves some question, and block {number} was changed without notice");
            assert!(matches!(set.verify(), Err(KnownError::Damaged { block, .. }) if block == number));
        }
    }
    println!(
        "{} blocks, {refused} refused at opening, {errors} errors, {right} right answers",
        whole.len() as u64 / BLOCK
    );
    // The header, what the set says of itself, and the checksums.
    assert_eq!(refused, 9);
    assert!(errors > 5_000 && right > 5_000, "{errors} {right}");
}

#[test]
fn files_cut_short_or_made_longer_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let sources = [records()];
    let path = folder.path().join("sound");
    drop(Making::of(&sources).make(&path).unwrap());
    let whole = std::fs::read(&path).unwrap();
    let block = BLOCK as usize;
    let mut cases = vec![];
    for length in [0, 7, 8, HEADER - 1, HEADER, block - 1, block, 5 * block, whole.len() - block, whole.len() - 1] {
        cases.push(whole[..length].to_vec());
    }
    for more in [1, block, 3 * block + 9] {
        cases.push([&whole[..], &vec![0; more][..]].concat());
    }
    let mut other = whole.clone();
    other[8] = 2;
    cases.push(other);
    for case in cases {
        let error = SetFile::open(&write(folder.path(), &case)).unwrap_err();
        assert!(matches!(error, KnownError::NotCompiled { .. }), "{} {error}", case.len());
    }
    assert!(matches!(SetFile::open(folder.path()), Err(KnownError::NotCompiled { .. })));
    assert!(matches!(SetFile::open(&folder.path().join("none")), Err(KnownError::Open { .. })));
}

/// Gives a changed file the checksums and digests that it would have if it had been written so.
fn seal(file: &mut [u8]) -> Option<()> {
    use sha2::Digest as _;
    let mut header = Header::decode(file, file.len() as u64).ok()?;
    let at = header.section(Kind::Checksums)?.offset as usize;
    let blocks = (BLOCK as usize..at).step_by(BLOCK as usize);
    let sums: Vec<u8> = blocks.flat_map(|b| crc32fast::hash(&file[b..b + BLOCK as usize]).to_le_bytes()).collect();
    file[at..at + sums.len()].copy_from_slice(&sums);
    for s in &mut header.sections {
        let bytes = &file[s.offset as usize..(s.offset + s.length) as usize];
        s.sha256 = Sha256(sha2::Sha256::digest(bytes).into());
    }
    file[..HEADER].copy_from_slice(&header.encode());
    Some(())
}

#[test]
fn files_made_to_deceive_end_in_answers_or_errors() {
    let folder = tempfile::tempdir().unwrap();
    let sources = [records()];
    let path = folder.path().join("sound");
    drop(Making::of(&sources).make(&path).unwrap());
    let whole = std::fs::read(&path).unwrap();
    let mut untouched = whole.clone();
    seal(&mut untouched).unwrap();
    assert!(untouched == whole, "sealing again changes nothing");
    let header = Header::decode(&whole, whole.len() as u64).unwrap();
    let mut random = Random(9);
    let (mut opened, mut failed, mut found_out) = (0, 0, 0);
    for round in 0..600 {
        let mut file = whole.clone();
        let section = random.pick(&header.sections);
        for _ in 0..1 + random.below(4) {
            let at = (section.offset + random.below(section.length)) as usize;
            let end = (at + 1 + random.below(8) as usize).min((section.offset + section.length) as usize);
            let value = random.pick(&[0, 1, 0x7f, 0x80, 0xff, random.0 as u8]);
            file[at..end].fill(value);
        }
        if round % 5 == 0 {
            // A header that says something else: numbers of rows and widths.
            let at = 24 + random.below(40) as usize;
            file[at] = random.next() as u8;
            let sum = crc32fast::hash(&file[..HEADER - 4]).to_le_bytes();
            file[HEADER - 4..HEADER].copy_from_slice(&sum);
        }
        let set = seal(&mut file).and_then(|()| SetFile::open(&write(folder.path(), &file)).ok());
        let Some(set) = set else {
            failed += 1;
            continue;
        };
        opened += 1;
        // Answers may be wrong, as the set says wrong things; they come, and nothing breaks.
        ask(&set, &sources[0]).into_iter().filter_map(Result::err).for_each(|e| assert!(!e.to_string().is_empty()));
        let _ = set.records().filter(Result::is_err).count() + set.pdq_values().filter(Result::is_err).count();
        found_out += usize::from(set.verify().is_err());
    }
    println!("{opened} opened, of which verify refuses {found_out}; {failed} refused at opening");
    assert!(opened > 300 && failed > 30 && found_out > 200, "{opened} {failed} {found_out}");
}
