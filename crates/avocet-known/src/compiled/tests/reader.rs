//! The reader of `docs/formats/read_known_set.py`, which shares no code with this program, reads what is written here.

use std::path::Path;
use std::process::{Command, Output};

use avocet_base::PdqHash;
use serde_json::{Value, json};

use super::{Item, Making, Random, items};
use crate::compiled::layout::BLOCK;
use crate::compiled::{Needle, Record, RecordId, SetFile};
use crate::hit::Basis;

/// What the reader says; `None`, and the cases skipped are named, where Python is not there.
fn python(set: &Path, arguments: &[&str], cases: usize) -> Option<Output> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/formats/read_known_set.py");
    assert!(script.is_file());
    let output = Command::new("python3").arg(&script).arg(set).args(arguments).output();
    if output.is_err() {
        println!("skipped {cases} cases: python3 is not there");
    }
    output.ok()
}

fn kept() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/known-set-1.avset")
}

fn lines(output: &Output) -> Vec<Value> {
    let text = std::str::from_utf8(&output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn value(r: &Record) -> Value {
    let id = match &r.id {
        RecordId::None => Value::Null,
        RecordId::Number(n) => json!(n),
        RecordId::Text(text) => json!(text),
    };
    json!({
        "row": r.row, "md5": r.md5.map(|d| hex(&d.0)), "sha1": r.sha1.map(|d| hex(&d.0)),
        "sha256": r.sha256.map(|d| hex(&d.0)), "size": r.size, "category": r.category, "series": r.series,
        "flags": r.flags.words().collect::<Vec<_>>(), "id": id, "source": r.source, "place": r.place,
        "pdq": r.pdq.map(|p| hex(&p.0)), "photodna": r.photodna.as_deref().map(hex), "extra": r.extra,
        "count": r.count, "repeats": r.repeats,
    })
}

/// Compares a whole file, then look-ups of values that some rows have and of one that none has.
fn agrees(path: &Path) -> Option<()> {
    let set = SetFile::open(path).unwrap();
    let checked = python(path, &["check"], 200)?;
    let said = |output: &Output| String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(checked.status.success(), "{}", said(&checked));
    assert_eq!(String::from_utf8_lossy(&checked.stdout).trim(), set.digest().to_string());

    let info: Value = serde_json::from_slice(&python(path, &["info"], 1)?.stdout).unwrap();
    assert_eq!((&info["rows"], &info["counts"]["kept"]), (&json!(set.info().rows), &json!(set.info().kept)));

    let wanted: Vec<Record> = set.records().map(Result::unwrap).collect();
    let rows = lines(&python(path, &["rows"], wanted.len())?);
    assert_eq!(rows, wanted.iter().map(value).collect::<Vec<_>>());

    let mut needles = vec![("pdq", "00".repeat(32), Needle::Pdq(PdqHash([0; 32])))];
    for r in wanted.iter().step_by(wanted.len() / 2 + 1) {
        needles.extend(r.md5.map(|d| ("md5", d.to_string(), Needle::Md5(d))));
        needles.extend(r.sha1.map(|d| ("sha1", d.to_string(), Needle::Sha1(d))));
        needles.extend(r.sha256.map(|d| ("sha256", d.to_string(), Needle::Sha256(d))));
        needles.extend(r.size.map(|s| ("size", s.to_string(), Needle::Size(s))));
    }
    needles.extend(wanted.iter().filter_map(|r| r.pdq).take(1).map(|p| ("pdq", hex(&p.0), Needle::Pdq(p))));
    let photodna = wanted.iter().filter_map(|r| r.photodna.clone()).take(1);
    needles.extend(photodna.map(|p| ("photodna", hex(&p), Needle::PhotoDna(p))));
    for (kind, text, needle) in &needles {
        let output = python(path, &["find", kind, text], 1)?;
        let row = |line: &Value| u32::try_from(line["row"].as_u64().unwrap()).unwrap();
        let found: Vec<u32> = lines(&output).iter().map(row).collect();
        assert_eq!(output.status.code(), Some(i32::from(found.is_empty())), "{kind} {text}: {}", said(&output));
        let name = |row: &u32| set.hit(*row, Basis::Size).unwrap().record;
        let mut names: Vec<String> = found.iter().map(name).collect();
        let mut hits: Vec<String> = set.find(needle).unwrap().into_iter().map(|hit| hit.record).collect();
        names.sort();
        hits.sort();
        assert_eq!(names, hits, "{kind} {text}");
    }
    Some(())
}

#[test]
fn a_reader_that_shares_no_code_sees_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let mut random = Random(7);
    let sources = [items(&mut random, 300, 900), items(&mut random, 300, 500)];
    let (first, second) = (folder.path().join("a.avset"), folder.path().join("b.avset"));
    let base = Making::of(&sources).make(&first).unwrap();
    let deltas =
        [sources[1].iter().take(200).map(|i| Item { deletes: true, place: i.place + 9_000, ..i.clone() }).collect()];
    Making { base: Some(&base), ..Making::of(&deltas) }.make(&second).unwrap();
    let (few, one) = (folder.path().join("c.avset"), folder.path().join("d.avset"));
    // Without some of the sections: no PDQ hash, no PhotoDNA value, nothing twice; and a single record.
    let plain: Vec<Item> = items(&mut random, 40, 40)
        .into_iter()
        .map(|i| Item { md5: None, sha1: Some(super::bytes(i.place, 5)), pdq: None, photodna: vec![], ..i })
        .collect();
    Making { scheme: "alert", ..Making::of(std::slice::from_ref(&plain)) }.make(&few).unwrap();
    Making { scheme: "alert", ..Making::of(&[plain[..1].to_vec()]) }.make(&one).unwrap();
    for path in [kept(), first, second, few, one] {
        if agrees(&path).is_none() {
            return;
        }
    }
}

#[test]
fn a_reader_that_shares_no_code_refuses_a_flipped_bit_in_any_block() {
    let folder = tempfile::tempdir().unwrap();
    let whole = std::fs::read(kept()).unwrap();
    let path = folder.path().join("a.avset");
    let blocks = whole.len() / BLOCK as usize;
    for block in 0..blocks {
        let mut bytes = whole.clone();
        bytes[block * BLOCK as usize + (block * 37 + 11) % 400] ^= 1 << (block % 8);
        std::fs::write(&path, &bytes).unwrap();
        let Some(output) = python(&path, &["check"], blocks) else { return };
        assert_eq!(output.status.code(), Some(2), "block {block}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
