//! A file written once and kept: what was sealed then is read and verified now, and the same rows give the same digest.

use std::path::{Path, PathBuf};
use std::process::Command;

use avocet_base::Sha256;
use avocet_examination::{FileRow, SealCheck, SignatureCheck, SigningKey, seal_path, verify, verifying_key_text};

use crate::support::{Rows, change, sample, sample_v1, writable_copy, write_in};
use crate::write::read_all;

/// The golden files with their result digests. A schema version's digest never changes.
const GOLDEN: [(&str, &str); 2] = [
    ("golden-v1.examination", "958ce415339305a80bf4683583c88545855114e4c31d0ba959efda0f0e738a94"),
    ("golden-v2.examination", "06efc47ca7d65cd3ee9f6bcec2eb40582978670b7fa70f0d90bbdd43080bed7e"),
];
/// The one of the version that is written.
const GOLDEN_DIGEST: &str = GOLDEN[1].1;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// A key for tests only; it protects nothing.
fn test_key() -> SigningKey {
    SigningKey::from_bytes(&[0x5a; 32])
}

#[test]
#[ignore = "writes the golden file of a new schema version, once"]
fn write_golden_file() {
    println!("{}", write_in(&data(""), GOLDEN[1].0, &sample(), Some(&test_key())).result_digest);
}

#[test]
fn the_golden_file_of_every_version_is_read_and_verified() {
    for ((name, digest), rows) in GOLDEN.into_iter().zip([sample_v1(), sample()]) {
        let path = data(name);
        let expected: Sha256 = digest.parse().unwrap();
        let signer = test_key().verifying_key();
        let v = verify(&path, Some(expected), Some(&signer)).unwrap();
        assert!(v.passed(), "{name}: {:?}", v.findings);
        assert_eq!(v.result_digest, Some(expected));
        assert_eq!(v.seal, SealCheck::Found { file_equal: true, result_equal: true });
        assert_eq!(v.signature, SignatureCheck::SignedBy { key: verifying_key_text(&signer), expected: Some(true) });
        assert_eq!(read_all(&path), rows, "{name}");
        assert!(std::fs::metadata(&path).unwrap().len() < 200 * 1024);
    }
}

#[test]
fn the_same_rows_give_the_golden_digest_today() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(write_in(folder.path(), "a", &sample(), None).result_digest.to_string(), GOLDEN_DIGEST);
}

/// What the Python verifier says: whether it passed, and the result digest on its first line.
fn python(path: &Path) -> Option<(bool, String)> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/formats/verify_examination.py");
    assert!(script.is_file());
    let output = match Command::new("python3").arg(script).arg(path).output() {
        Ok(output) => output,
        Err(_) => {
            println!("skipped 1 case: python3 is not there");
            return None;
        }
    };
    let text = String::from_utf8(output.stdout).unwrap();
    let digest = text.lines().next().unwrap_or_default().strip_prefix("result digest ").unwrap_or_default().to_owned();
    assert!(!digest.is_empty(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    Some((output.status.success(), digest))
}

#[test]
fn a_verifier_that_shares_no_code_agrees() {
    for (name, digest) in GOLDEN {
        let Some(golden) = python(&data(name)) else { return };
        assert_eq!(golden, (true, digest.into()), "{name}");
    }

    let folder = tempfile::tempdir().unwrap();
    let mut many = sample();
    many.files.extend((100..3000).map(|id| {
        let row = FileRow { id, volume: 1, path: format!("/é/{id}"), size: id as u64, ..FileRow::default() };
        (row, vec![])
    }));
    for (name, rows) in [("nothing", Rows::default()), ("many", many)] {
        let sealed = write_in(folder.path(), name, &rows, None);
        assert_eq!(python(&sealed.path), Some((true, sealed.result_digest.to_string())), "{name}");
    }
    let sealed = write_in(folder.path(), "a", &sample(), None);
    let path = writable_copy(&sealed, "copy");
    change(&path, "UPDATE file SET size = 1 WHERE id = 2");
    let (passed, digest) = python(&path).unwrap();
    assert!(!passed);
    assert_eq!(Some(digest), verify(&path, None, None).unwrap().result_digest.map(|d| d.to_string()));
    std::fs::remove_file(seal_path(&path)).unwrap();
    assert!(!python(&path).unwrap().0, "the digest inside is enough");
}
