//! Archives among the files: against Python's `zipfile` and `tarfile`, and against attacks.

use std::collections::BTreeMap;
use std::io::{Cursor, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use avocet_evidence::Evidence;
use avocet_examination::{Examination, FileFilter, FileRow, ReadError};
use avocet_examine::{Options, Silent, examine};
use avocet_known::KnownSets;

use crate::support::{How, Random, options, watched};

const HOW: How = How { image_digest: false, twice: true, password: false };

fn zipped(members: &[(&str, Vec<u8>)], stored: bool) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(vec![]));
    let method = if stored { zip::CompressionMethod::Stored } else { zip::CompressionMethod::Deflated };
    let how = zip::write::SimpleFileOptions::default().compression_method(method);
    for (name, bytes) in members {
        archive.start_file(*name, how).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

pub struct Examined {
    pub rows: Vec<FileRow>,
    pub statement: Vec<(String, String)>,
    pub codes: BTreeMap<String, u64>,
}

pub fn examined(tree: &Path, archives: bool) -> Examined {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out.examination");
    let evidence = Evidence::open(tree).unwrap();
    let known = KnownSets::load(&[], &mut |_| {}).unwrap();
    let options = Options { archives, ..options(out.clone(), HOW, 3) };
    examine(&evidence, &known, options, &Silent).unwrap();
    let sealed = Examination::open(&out).unwrap();
    let mut rows = vec![];
    sealed
        .files::<ReadError>(&FileFilter::default(), &mut |view| {
            rows.push(view.file);
            Ok(ControlFlow::Continue(()))
        })
        .unwrap();
    let statement = sealed.completeness().unwrap().into_iter().map(|l| (l.code, l.text)).collect();
    let mut codes = BTreeMap::new();
    for p in sealed.problems().unwrap() {
        *codes.entry(p.code).or_default() += 1;
    }
    Examined { rows, statement, codes }
}

pub fn line<'a>(result: &'a Examined, code: &str) -> &'a str {
    result.statement.iter().find(|(c, _)| c == code).map_or("", |(_, text)| text)
}

/// Makes a tree with archives in archives, and lists what is in them, each with its archive's path before it.
const BY_PYTHON: &str = r#"
import sys,os,io,zipfile,tarfile,gzip,lzma,hashlib,random
root=sys.argv[1]
rnd=random.Random(7)
blob=lambda n: bytes(rnd.randrange(256) for _ in range(n))
def mkzip(members,how=zipfile.ZIP_DEFLATED):
    b=io.BytesIO()
    with zipfile.ZipFile(b,'w',how) as z:
        for n,d in members: z.writestr(n,d)
    return b.getvalue()
def mktar(members,mode='w'):
    b=io.BytesIO()
    with tarfile.open(fileobj=b,mode=mode) as t:
        for n,d in members:
            i=tarfile.TarInfo(n); i.size=len(d); t.addfile(i,io.BytesIO(d))
    return b.getvalue()
inner=mkzip([('x/one.bin',blob(900)),('two.bin',blob(40000))])
docx=mkzip([('[Content_Types].xml',b'<?xml version="1.0"?><Types/>'),('word/document.xml',b'<w/>'*500),('word/media/image1.png',blob(3000))])
files={
 'plain.zip': mkzip([('a.txt',b'words '*100),('sub/inner.zip',inner),('sub/again.tar.gz',mktar([('deep/inner.zip',inner),('deep/b',blob(10))],'w:gz'))]),
 'stored.zip': mkzip([('sub/inner.zip',inner),('c',blob(5))],zipfile.ZIP_STORED),
 'sub/pack.tar': mktar([('d/e',blob(70000)),('d/letter.docx',docx)]),
 'sub/pack.tar.xz': mktar([('f',blob(20)),('g/inner.zip',inner)],'w:xz'),
 'letter.docx': docx,
 'single.txt.gz': gzip.compress(b'one content '*50),
 'single.bin.xz': lzma.compress(blob(5000)),
 'no-archive.txt': b'only words',
}
for p,d in files.items():
    f=os.path.join(root,p); os.makedirs(os.path.dirname(f),exist_ok=True); open(f,'wb').write(d)
def walk(path,d):
    if d[:4]==b'PK\x03\x04':
        z=zipfile.ZipFile(io.BytesIO(d)); inside=[(i.filename,z.read(i)) for i in z.infolist()]
    else:
        try:
            t=tarfile.open(fileobj=io.BytesIO(d)); inside=[(m.name,t.extractfile(m).read()) for m in t]
        except tarfile.ReadError:
            if d[:2]==b'\x1f\x8b': inside=[(os.path.basename(path)[:-3],gzip.decompress(d))]
            elif d[:6]==b'\xfd7zXZ\0': inside=[(os.path.basename(path)[:-3],lzma.decompress(d))]
            else: return
    for n,c in inside:
        print(path+'/'+n,path,len(c),hashlib.sha256(c).hexdigest(),sep='\t'); walk(path+'/'+n,c)
for p,d in files.items(): walk('/'+p,d)
"#;

#[test]
fn members_are_listed_and_digested_as_python_reads_them() {
    let dir = tempfile::tempdir().unwrap();
    let tree = dir.path().join("tree");
    std::fs::create_dir(&tree).unwrap();
    let Ok(output) = Command::new("python3").args(["-c", BY_PYTHON]).arg(&tree).output() else {
        return println!("skipped 1 case(s): no Python");
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut theirs: Vec<String> = String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    let result = examined(&tree, true);
    let path = |id: Option<i64>| result.rows.iter().find(|r| Some(r.id) == id).map_or("-", |r| r.path.as_str());
    let mut ours: Vec<String> = result
        .rows
        .iter()
        .filter(|r| r.state == "embedded" && r.kind == "file")
        .map(|r| format!("{}\t{}\t{}\t{}", r.path, path(r.parent), r.size, r.sha256.unwrap()))
        .collect();
    theirs.sort();
    ours.sort();
    assert!(theirs.len() > 25, "{}", theirs.len());
    assert_eq!(ours, theirs);
    assert!(result.rows.iter().all(|r| (r.state == "embedded") == r.parent.is_some()));
    assert!(result.codes.is_empty(), "{:?}", result.codes);
    let entered = line(&result, "archives-entered");
    assert!(entered.starts_with("Entered: 13 archives or compressed documents ("), "{entered}");
    println!("{} members; {entered}", ours.len());

    let without = examined(&tree, false);
    assert!(without.rows.iter().all(|r| r.parent.is_none()));
    let left = line(&without, "archives-left-out");
    assert!(left.starts_with("7 archives or compressed documents were not entered, as asked"), "{left}");
}

/// The archive that holds itself (a quine) cannot be made here; the same content at two levels stands for it, and the
/// chain that goes on for ever for the depth.
#[test]
fn archives_in_archives_end() {
    let dir = tempfile::tempdir().unwrap();
    let mut bytes = zipped(&[("end.txt", b"the end".to_vec())], false);
    for _ in 0..20 {
        bytes = zipped(&[("in.zip", bytes)], false);
    }
    std::fs::write(dir.path().join("chain.zip"), &bytes).unwrap();
    let result = examined(dir.path(), true);
    assert_eq!(result.rows.len(), 1 + 6, "six levels");
    assert_eq!(result.codes["archive-not-entered"], 1);
    let said = line(&result, "archives-not-opened");
    assert!(said.contains("what is inside was NOT examined: nested in 6 others."), "{said}");
}

/// 16 archives of 16 archives of 16 files of zeros: 42.zip in small.
fn bomb() -> Vec<u8> {
    let mut bytes = zipped(&[("0", vec![0; 16 << 20])], false);
    let names: Vec<String> = (0..16).map(|i| format!("{i}.zip")).collect();
    for _ in 0..4 {
        let members: Vec<(&str, Vec<u8>)> = names.iter().map(|n| (n.as_str(), bytes.clone())).collect();
        bytes = zipped(&members, false);
    }
    bytes
}

#[test]
fn a_bomb_costs_one_file() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = bomb();
    assert!(bytes.len() < 100 << 10, "{}", bytes.len());
    std::fs::write(dir.path().join("bomb.zip"), bytes).unwrap();
    std::fs::write(dir.path().join("other.zip"), zipped(&[("a", b"one".to_vec())], false)).unwrap();
    let begun = Instant::now();
    let result = examined(dir.path(), true);
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    let digested: u64 = result.rows.iter().filter(|r| r.sha256.is_some()).map(|r| r.size).sum();
    assert!(digested < 300 << 20, "{digested}");
    assert!(result.codes.contains_key("archive-bytes-capped"), "{:?}", result.codes);
    assert!(result.rows.iter().any(|r| r.path == "/other.zip/a" && r.sha256.is_some()), "the other is whole");
    let capped = result
        .rows
        .iter()
        .filter(|r| r.unreadable.as_deref() == Some("content unreadable: more than is read of one archive"));
    let capped = capped.count();
    assert!(capped > 0);
    println!("{digested} bytes digested of {} rows, {capped} members beyond the limit", result.rows.len());
}

#[test]
fn more_members_than_are_listed_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    // Names of one letter and no content: an archive of 90,000 members, packed once more to a small one.
    let mut archive = zip::ZipWriter::new(Cursor::new(vec![]));
    for i in 0..50_000 {
        archive.start_file(format!("{i}"), zip::write::SimpleFileOptions::default()).unwrap();
    }
    let inner = archive.finish().unwrap().into_inner();
    let outer = zipped(&[("many.zip", inner)], false);
    let allowed = 20_000 + outer.len() as u64 / 32;
    assert!(allowed < 50_000, "{allowed}");
    std::fs::write(dir.path().join("outer.zip"), outer).unwrap();
    let result = examined(dir.path(), true);
    assert_eq!(result.rows.len() as u64, 1 + allowed);
    assert_eq!(result.codes["archive-members-capped"], 1);
}

#[test]
fn what_is_not_read_is_named_with_its_reason() {
    let dir = tempfile::tempdir().unwrap();
    let good = zipped(&[("a", vec![7; 5000])], false);
    let mut cut = good.clone();
    cut.truncate(good.len() - 30);
    std::fs::write(dir.path().join("cut.zip"), cut).unwrap();
    std::fs::write(dir.path().join("x.7z"), [b"7z\xbc\xaf\x27\x1c".as_slice(), &[0; 500]].concat()).unwrap();
    std::fs::write(dir.path().join("x.rar"), [b"Rar!\x1a\x07\x00".as_slice(), &[0; 500]].concat()).unwrap();
    let locked =
        format!("ANDROID BACKUP\n5\n1\nAES-256\n{0}\n{0}\n10000\n{1}\n{0}\n", "11".repeat(64), "22".repeat(16));
    std::fs::write(dir.path().join("x.ab"), locked).unwrap();
    let result = examined(dir.path(), true);
    assert_eq!(result.rows.len(), 4);
    let said: Vec<&str> =
        result.statement.iter().filter(|(c, _)| c == "archives-not-opened").map(|(_, t)| t.as_str()).collect();
    for reason in ["damaged, or its bytes cannot be read", "protected with a password", "the kind rar is not read"] {
        assert!(said.iter().any(|t| t.ends_with(&format!("NOT examined: {reason}."))), "{reason}: {said:?}");
    }
    assert_eq!(result.codes["archive-not-entered"], 4);
}

/// 200 damaged archives in a disk each: the chain holds, with one and with three threads.
#[test]
fn damaged_archives_among_the_files_cost_at_most_themselves() {
    let inner =
        zipped(&[("x/one", vec![5; 900]), ("two", (0..9000u32).map(|i| ((i * i) >> 4) as u8).collect())], false);
    let middle = zipped(&[("in.zip", inner.clone()), ("a", vec![1; 100])], true);
    let base = zipped(&[("m.zip", middle), ("in.zip", inner), ("plain", b"words".to_vec())], true);
    let mut members = 0;
    for round in 0..200u64 {
        let mut random = Random::new(round + 1);
        let mut bytes = base.clone();
        for _ in 0..[1, 4, 16][(round % 3) as usize] {
            let at = random.below(bytes.len()).unwrap();
            bytes[at] = random.next() as u8;
        }
        let outcome = watched(vec![("image.zip".into(), bytes)], HOW).unwrap_or_else(|e| panic!("round {round}: {e}"));
        members += outcome.members;
    }
    println!("{members} members of archives in 200 damaged ones");
    assert!(members > 150, "{members}");
}
