//! Reports of phone extractions, against Python's `zipfile` and `xml.etree`. The shared sample is synthetic: its field
//! names follow open importers. Other archives are made here.

use std::io::{Cursor, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use avocet_evidence::{AllocationState, Content, Evidence, Note, OpenError, Stated, Unreadable};

use super::{codes, find, python, read, walk};
use crate::support::{Random, sha256, skipped, testdata};

fn zipped(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(vec![]));
    for (name, bytes) in members {
        archive.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn opened(dir: &Path, members: &[(&str, &[u8])]) -> Result<Evidence, OpenError> {
    let path = dir.join("x.ufdr");
    std::fs::write(&path, zipped(members)).unwrap();
    Evidence::open(&path)
}

/// Every file of the report: path, state, size, seconds of creation, digest of the member that its local path names.
const BY_PYTHON: &str = r#"
import sys,zipfile,hashlib,datetime
import xml.etree.ElementTree as E
z=zipfile.ZipFile(sys.argv[1]); N='{http://pa.cellebrite.com/report/2.0}'
for f in E.fromstring(z.read('report.xml')).iter(N+'file'):
    i={e.get('name'):e.text for e in f.iter(N+'item')}; t={e.get('name'):e.text for e in f.iter(N+'timestamp')}
    d=z.read(i['Local Path'].replace('\\','/'))
    h=hashlib.sha256(d).hexdigest(); assert h==i['SHA256']
    print('/'+f.get('fs')+f.get('path'),{'Intact':'allocated','Deleted':'deleted'}[f.get('deleted')],len(d),int(datetime.datetime.fromisoformat(t['CreationTime']).timestamp()),h,sep='\t')
"#;

#[test]
fn a_report_is_read_as_python_reads_it() {
    let Some(data) = testdata() else { return skipped(1, "no shared test data") };
    let path = data.join("phones/ufed/phone-report.ufdr");
    let evidence = Evidence::open(&path).unwrap();
    assert_eq!((evidence.kind, evidence.volumes[0].name.as_str()), ("ufdr", "ufdr"));
    let found = walk(&evidence);
    let Some(theirs) = python(BY_PYTHON, &[&path]) else { return skipped(1, "no Python") };
    let ours: Vec<String> = found
        .entries
        .iter()
        .filter(|e| !e.path.starts_with("/$Report"))
        .map(|e| {
            let seconds = e.times.created.unwrap().ns / 1_000_000_000;
            let digest = sha256(&read(e).unwrap().unwrap());
            format!("{}\t{}\t{}\t{seconds}\t{digest}", e.path, e.state.as_str(), e.size)
        })
        .collect();
    assert_eq!(ours, theirs);
    assert_eq!(ours.len(), 5);
    assert_eq!(ours.iter().filter(|row| row.contains("\tdeleted\t")).count(), 1);
    assert!(find(&found, "/$Report/report.xml").size > 0);
    assert_eq!((found.entries.len(), found.problems.len()), (6, 0));
    for (name, value) in [("DeviceInfoSelectedManufacturer", "TestMaker"), ("extraction type", "Logical")] {
        assert!(evidence.device.contains(&(name.into(), value.into())), "{:?}", evidence.device);
    }
}

const HEAD: &str = "<?xml version=\"1.0\"?><project xmlns=\"http://pa.cellebrite.com/report/2.0\"><taggedFiles>";
const TAIL: &str = "</taggedFiles></project>";

fn file(path: &str, local: &str, size: usize, deleted: &str) -> String {
    format!(
        "<file fs=\"Internal\" path=\"{path}\" size=\"{size}\" deleted=\"{deleted}\" embedded=\"true\"><metadata section=\"File\">\
         <item name=\"Local Path\"><![CDATA[{local}]]></item></metadata></file>"
    )
}

#[test]
fn what_report_and_archive_do_not_agree_on_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let report = [
        HEAD,
        &file("/DCIM/a.jpg", "files\\Image\\a.jpg", 5, "Intact"),
        &file("/DCIM/gone.jpg", "files\\Image\\gone.jpg", 7, "Deleted"),
        &file("/DCIM/b.jpg", "files/Image/b.jpg", 9, "Trash"),
        &file("/../../etc/x &amp; &#252;.jpg", "..\\..\\..\\etc\\passwd", 1, "Unknown"),
        &file("/DCIM/again.jpg", "files\\Image\\a.jpg", 5, "Intact"),
        TAIL,
    ]
    .concat();
    let members: &[(&str, &[u8])] = &[
        ("report.xml", report.as_bytes()),
        ("files/Image/a.jpg", b"12345"),
        ("files/Image/b.jpg", b"1234"),
        ("files/x", b"?"),
    ];
    let evidence = opened(dir.path(), members).unwrap();
    let found = walk(&evidence);
    let state = |path: &str| (find(&found, path).state, find(&found, path).size);
    assert_eq!(state("/Internal/DCIM/a.jpg"), (AllocationState::Allocated, 5));
    assert_eq!(state("/Internal/DCIM/gone.jpg"), (AllocationState::Deleted, 7));
    assert_eq!(state("/Internal/DCIM/b.jpg"), (AllocationState::Allocated, 4));
    let outside = find(&found, "/Internal/../../etc/x & \u{fc}.jpg");
    for gone in [outside, find(&found, "/Internal/DCIM/gone.jpg")] {
        assert!(matches!(gone.content, Content::Unreadable(Unreadable::NotHeld)), "shown, never opened");
    }
    let note = |path: &str| find(&found, path).notes.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    assert_eq!(
        note("/Internal/DCIM/b.jpg"),
        "state given by the report: trash; embedded in another file, says the report; the report gives it 9 bytes"
    );
    assert!(note("/Internal/DCIM/again.jpg").ends_with("the report gives the same bytes to another file too"));
    assert_eq!(read(find(&found, "/$Report/files/x")).unwrap().unwrap(), b"?");
    assert_eq!(codes(&found), ["size-differs", "not-listed"]);
}

/// The digests that a report states of a file stand with it; what is none of its kind is said.
#[test]
fn stated_digests_are_notes_of_their_file() {
    let dir = tempfile::tempdir().unwrap();
    let (md5, sha256) = ("827CCB0EEA8A706C4C34A16891F84E7B", "ab".repeat(32));
    let report = format!(
        "{HEAD}<file fs=\"\" path=\"/a\" size=\"5\" deleted=\"Intact\"><metadata section=\"File\">\
         <item name=\"Local Path\">files/a</item><item name=\"MD5\">{md5}</item><item name=\"SHA-256\">{sha256}</item>\
         <item name=\"SHA1\"></item></metadata></file>\
         <file fs=\"\" path=\"/b\" size=\"5\" deleted=\"Intact\"><metadata section=\"File\">\
         <item name=\"Local Path\">files/a</item><item name=\"SHA1\">{md5}</item></metadata></file>{TAIL}"
    );
    let evidence = opened(dir.path(), &[("report.xml", report.as_bytes()), ("files/a", b"12345")]).unwrap();
    let found = walk(&evidence);
    let notes = |path: &str| find(&found, path).notes.clone();
    let stated = [Note::Stated(Stated::parse(md5).unwrap()), Note::Stated(Stated::parse(&sha256).unwrap())];
    assert_eq!(notes("/a")[1..], stated);
    assert_eq!(stated[0].to_string(), "MD5 stated by the evidence: 827ccb0eea8a706c4c34a16891f84e7b");
    assert!(notes("/b").iter().any(|n| n.to_string() == "the report gives it a digest that is none of its kind"));
    assert!(!notes("/b").iter().any(|n| matches!(n, Note::Stated(_))));
}

#[test]
fn other_archives_and_protected_reports() {
    let dir = tempfile::tempdir().unwrap();
    for report in ["<html/>", "no xml", ""] {
        let evidence = opened(dir.path(), &[("report.xml", report.as_bytes()), ("a", b"1")]).unwrap();
        assert_eq!(evidence.kind, "zip", "{report}");
    }
    let mut locked = zipped(&[("report.xml", HEAD.as_bytes())]);
    // The mark of encryption, in the local header and in the directory.
    let central = locked.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
    locked[6] |= 1;
    locked[central + 8] |= 1;
    std::fs::write(dir.path().join("x.ufdr"), locked).unwrap();
    let Err(error @ OpenError::Unsupported { .. }) = Evidence::open(&dir.path().join("x.ufdr")) else { panic!() };
    assert!(
        error.to_string().contains("(UFDR) that is protected with a password is recognised but not read"),
        "{error}"
    );
}

#[test]
fn a_zip_of_an_extraction_takes_its_device_from_the_file_beside_it() {
    let Some(data) = testdata() else { return skipped(1, "no shared test data") };
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("extraction.zip");
    std::fs::write(&path, zipped(&[("data/media/0/DCIM/a.jpg", b"12345")])).unwrap();
    assert_eq!(Evidence::open(&path).unwrap().device, []);
    std::fs::copy(data.join("phones/ufed/ufd-sample.ufd"), dir.path().join("extraction.ufd")).unwrap();
    let evidence = Evidence::open(&path).unwrap();
    assert_eq!(evidence.kind, "zip");
    assert!(evidence.device.contains(&("Model".into(), "Test Phone".into())), "{:?}", evidence.device);
    assert!(evidence.device.iter().all(|(name, _)| name != "Examiner Name"));
    assert_eq!(walk(&evidence).entries[0].path, "/data/media/0/DCIM/a.jpg");
}

/// 200 damaged reports: no panic, no hang; every member of the archive is shown in every one that opens as a report.
#[test]
fn damaged_reports_lose_no_file_of_the_archive() {
    let dir = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..60).map(|i| format!("files/Image/{i}.jpg")).collect();
    let listed: String =
        names.iter().map(|n| file(&format!("/DCIM/{n}"), &n.replace('/', "\\"), 3, "Intact")).collect();
    let base = [HEAD, &listed, TAIL].concat().into_bytes();
    let (mut reports, mut said) = (0, 0);
    for round in 0..200u64 {
        let mut random = Random(round * 7919 + 19);
        let mut report = base.clone();
        for _ in 0..[1, 8, 64][(round % 3) as usize] {
            let at = random.next() as usize % report.len();
            report[at] = random.next() as u8;
        }
        if round % 10 == 9 {
            report.truncate(random.next() as usize % report.len());
        }
        let mut members: Vec<(&str, &[u8])> = names.iter().map(|n| (n.as_str(), &b"abc"[..])).collect();
        members.push(("report.xml", &report));
        let begun = Instant::now();
        let evidence = opened(dir.path(), &members).unwrap();
        let found = walk(&evidence);
        let held = found.entries.iter().filter(|e| read(e).is_ok_and(|c| c.as_deref() == Some(b"abc"))).count();
        assert!(held >= names.len(), "round {round}: {held}");
        if evidence.kind == "ufdr" {
            reports += 1;
            said += u64::from(!found.problems.is_empty());
        }
        assert!(begun.elapsed() < Duration::from_secs(5), "round {round}");
    }
    println!("{reports} of 200 opened as reports, {said} with problems");
    assert!(reports > 100 && said > 60, "{reports} {said}");
}

/// A report that never ends an element, or nests without end, is cut.
#[test]
fn reports_made_to_exhaust_memory_are_cut() {
    let dir = tempfile::tempdir().unwrap();
    let deep = [HEAD, &"<a>".repeat(2_000_000)].concat();
    let long = [HEAD, "<file path=\"", &"x".repeat(40 << 20), "\"/>", TAIL].concat();
    for report in [deep, long] {
        let begun = Instant::now();
        let found = walk(&opened(dir.path(), &[("report.xml", report.as_bytes()), ("files/a", b"1")]).unwrap());
        assert_eq!(codes(&found), ["report-damaged", "not-listed"]);
        assert!(begun.elapsed() < Duration::from_secs(20));
    }
}
