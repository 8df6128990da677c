//! A folder and a zip as evidence, against `sha256sum` over the same files.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::super::support::{Place, images, installed, skipped};
use super::{bytes_of_path, examine, output, rows, sha256sum, text};

/// Files of several sizes, with names that need escaping and names that are not UTF-8.
fn folder(root: &Path) -> Vec<PathBuf> {
    let names: [&[u8]; 8] = [
        b"plain.txt",
        b"empty",
        b"sub/deep/\xe6\x97\xa5\xe6\x9c\xac.bin",
        b"sub/back\\slash",
        b"sub/new\nline",
        b"latin-\xe9\xff.jpg",
        b"sub/\xe2\x80\xaetxt.exe",
        b"large.bin",
    ];
    let mut files = vec![];
    for (n, name) in names.iter().enumerate() {
        let path = root.join(OsStr::from_bytes(name));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let length = [0, 0, 4097, 64, 65536, 300, 1, 3_000_001][n];
        let bytes: Vec<u8> = (0..length).map(|i: usize| (i * 7 + n * 31 + i / 251) as u8).collect();
        // The first one is short: its bytes occur nowhere else.
        std::fs::write(&path, if n == 0 { b"a short text".to_vec() } else { bytes }).unwrap();
        files.push(path);
    }
    files
}

fn by_path(place: &Place, evidence: &Path) -> BTreeMap<Vec<u8>, String> {
    let rows = rows(place, evidence);
    let files: Vec<_> = rows.iter().filter(|r| text(r, "kind") == "file").collect();
    let found: BTreeMap<_, _> =
        files.iter().map(|r| (bytes_of_path(text(r, "path")), text(r, "sha256").to_owned())).collect();
    assert_eq!(found.len(), files.len(), "no two files of one path");
    found
}

fn wanted(root: &Path, files: &[PathBuf]) -> BTreeMap<Vec<u8>, String> {
    let sums = sha256sum(files);
    sums.into_iter().map(|(p, d)| (p.strip_prefix(root).unwrap().as_os_str().as_bytes().to_vec(), d)).collect()
}

#[test]
fn a_folder_holds_what_sha256sum_says() {
    let place = Place::new();
    let root = place.path("evidence");
    let files = folder(&root);
    assert_eq!(by_path(&place, &root), wanted(&root, &files));
    let Some(images) = images() else { return skipped(1, "AVOCET_IMAGES is not set") };
    let corpus = images.join("../corpus/A");
    let listing = output("find", [corpus.as_os_str(), "-type".as_ref(), "f".as_ref(), "-print0".as_ref()]).unwrap();
    let files: Vec<PathBuf> =
        listing.split(|b| *b == 0).filter(|p| !p.is_empty()).map(|p| PathBuf::from(OsStr::from_bytes(p))).collect();
    assert!(files.len() >= 474);
    assert_eq!(by_path(&place, &corpus), wanted(&corpus, &files));
}

#[test]
fn a_zip_holds_what_sha256sum_says() {
    if !installed("python3") {
        return skipped(2, "python3 is not installed");
    }
    let place = Place::new();
    let root = place.path("evidence");
    let files = folder(&root);
    // Names as their bytes: Python writes a name that is not ASCII as UTF-8, so one that is not UTF-8 is put into the
    // finished file in the place of one of the same length.
    let script = "import sys,zipfile,os\n\
        root=os.fsencode(sys.argv[1]); z=zipfile.ZipFile(sys.argv[2],'w')\n\
        for d,s,f in sorted(os.walk(root)):\n\
        \x20for n in sorted(f):\n\
        \x20 p=os.path.join(d,n); r=os.path.relpath(p,root)\n\
        \x20 r=r.replace(b'\\xe9\\xff',b'@@').decode('utf-8')\n\
        \x20 z.writestr(zipfile.ZipInfo(r),open(p,'rb').read(),zipfile.ZIP_STORED if r[-3:]=='txt' else zipfile.ZIP_DEFLATED)\n\
        z.close(); b=open(sys.argv[2],'rb').read(); assert b.count(b'latin-@@')==2\n\
        open(sys.argv[2],'wb').write(b.replace(b'latin-@@',b'latin-\\xe9\\xff'))\n";
    let zip = place.path("evidence.bin");
    let args = [OsStr::new("-c"), OsStr::new(script), root.as_os_str(), zip.as_os_str()];
    assert!(output("python3", args).is_some(), "the archive is made");
    assert_eq!(by_path(&place, &zip), wanted(&root, &files));
    // One byte of a stored member changed: its CRC-32 does not hold, and the examination says so.
    let mut bytes = std::fs::read(&zip).unwrap();
    let content = std::fs::read(&files[0]).unwrap();
    let at = bytes.windows(content.len()).position(|w| w == content);
    bytes[at.expect("the small member is stored")] ^= 1;
    let damaged = place.path("damaged.bin");
    std::fs::write(&damaged, bytes).unwrap();
    assert_eq!(examine(&place, &damaged, "damaged.examination").code, 4);
    let rows = place.list("damaged.examination", &[]);
    let row = rows.iter().find(|r| text(r, "path") == "/plain.txt").unwrap();
    assert!(row["sha256"].is_null() && !text(row, "unreadable").is_empty(), "{row}");
}
