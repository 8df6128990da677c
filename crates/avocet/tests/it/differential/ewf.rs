//! E01 against `ewfexport`, and what damage to it does to the answer.

use std::ffi::OsStr;
use std::path::Path;

use serde_json::Value;

use super::super::support::{Place, Ran, images, installed, skipped, testdata};
use super::{completeness, output, sha256sum, text};

const SHARED: &[&str] = &[
    "made/card-fat16.E01",
    "ewf/CFReDS001.E01",
    "ewf/nps-2010-emails.E01",
    "ewf/ntfs_sample.E01",
    "fs/gpt_ntfs.E01",
    "plaso/image-split.E01",
    "tsk/image.E01",
    "tsk/imageformat_mmls_1.E01",
];
const BUILT: &[&str] = &["gpt_e6.E01", "gpt_none.E01", "gpt_ftk.E01", "gpt_ex.E01"];

fn verify(place: &Place, image: &Path) -> (Ran, Value) {
    let ran = place.run(["evidence", "verify", image.to_str().unwrap(), "--json", "--all-digests"]);
    let json = serde_json::from_str(&ran.out).unwrap_or(Value::Null);
    (ran, json)
}

#[test]
fn the_bytes_are_those_of_ewfexport() {
    if !installed("ewfexport") {
        return skipped(SHARED.len() + BUILT.len(), "ewfexport is not installed");
    }
    let of = |folder: Option<std::path::PathBuf>, names: &[&str]| match folder {
        Some(folder) => names.iter().map(|n| folder.join(n)).collect(),
        None => {
            skipped(names.len(), "the folder of images is not set");
            vec![]
        }
    };
    let mut all = of(testdata().map(|t| t.join("disk")), SHARED);
    all.extend(of(images(), BUILT));
    let place = Place::new();
    for image in all {
        let (ran, json) = verify(&place, &image);
        assert_eq!(ran.code, 0, "{}: {}{}", image.display(), ran.out, ran.err);
        assert_eq!(json["verdict"], "agrees with the stored digest", "{}", image.display());
        let (target, raw) = (place.path("export"), place.path("export.raw"));
        let args = ["-q", "-u", "-f", "raw", "-t"].map(OsStr::new).into_iter().chain([target.as_os_str()]);
        assert!(output("ewfexport", args.chain([image.as_os_str()])).is_some(), "ewfexport reads {}", image.display());
        assert_eq!(text(&json, "sha256"), sha256sum(std::slice::from_ref(&raw))[&raw], "{}", image.display());
        assert_eq!(json["bytes"], std::fs::metadata(&raw).unwrap().len(), "{}", image.display());
        std::fs::remove_file(raw).unwrap();
    }
}

/// Beginning of each section's content and its length, by type (libewf, "Expert Witness Compression Format", section
/// descriptor: type 16, next 8, size 8, 40 unused, Adler-32).
fn section(image: &[u8], wanted: &str) -> std::ops::Range<usize> {
    let number = |at: usize| usize::try_from(u64::from_le_bytes(image[at..at + 8].try_into().unwrap())).unwrap();
    let mut at = 13;
    loop {
        let name = image[at..at + 16].split(|b| *b == 0).next().unwrap();
        if name == wanted.as_bytes() {
            return at + 76..at + number(at + 24);
        }
        assert!(number(at + 16) > at, "no section {wanted}");
        at = number(at + 16);
    }
}

/// RFC 1950, started at 1 as the format does.
fn adler32(bytes: &[u8]) -> u32 {
    let (mut a, mut b) = (1u32, 0u32);
    for byte in bytes {
        a = (a + u32::from(*byte)) % 65521;
        b = (b + a) % 65521;
    }
    b << 16 | a
}

/// Examines with the digest of the whole image and gives the first line of the completeness statement.
fn first_line(place: &Place, image: &Path) -> (i32, (String, String)) {
    let out = "damaged.examination";
    let ran = place.run(["examine", image.to_str().unwrap(), "--exhibit", "T/1", "--no-media", "--out", out, "-q"]);
    let first = completeness(place, out).remove(0);
    std::fs::remove_file(place.path(out)).unwrap();
    std::fs::remove_file(place.path(&format!("{out}.seal"))).unwrap();
    (ran.code, first)
}

#[test]
fn every_flipped_bit_is_noticed_and_said_first() {
    let Some(testdata) = testdata() else { return skipped(24, "no shared test data") };
    let sound = std::fs::read(testdata.join("disk/made/card-fat16.E01")).unwrap();
    let (place, data) = (Place::new(), section(&sound, "sectors"));
    let image = place.path("flipped.E01");
    let (mut seed, mut noticed, mut first) = (0x9e37_79b9_7f4a_7c15_u64, 0, 0);
    for _ in 0..24 {
        // xorshift64: seeded, so that a failure can be repeated.
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        let bit = usize::try_from(seed % (u64::try_from(data.len()).unwrap() * 8)).unwrap();
        let mut flipped = sound.clone();
        flipped[data.start + bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&image, &flipped).unwrap();
        let (ran, _) = verify(&place, &image);
        noticed += usize::from(ran.code == 4);
        let (code, line) = first_line(&place, &image);
        first += usize::from(code == 4 && line.0 == "alarm");
        assert!(code == 4 && line.0 == "alarm", "bit {bit}: {code} {line:?}");
    }
    assert_eq!((noticed, first), (24, 24));
}

#[test]
fn a_stored_digest_that_differs_is_said_first() {
    let Some(testdata) = testdata() else { return skipped(1, "no shared test data") };
    let mut image = std::fs::read(testdata.join("disk/made/card-fat16.E01")).unwrap();
    // Both places of the MD5, each with its checksum made right again: nothing but the digest itself is wrong.
    for (name, covered) in [("hash", 32), ("digest", 76)] {
        let at = section(&image, name).start;
        image[at] ^= 1;
        let sum = adler32(&image[at..at + covered]).to_le_bytes();
        image[at + covered..at + covered + 4].copy_from_slice(&sum);
    }
    let place = Place::new();
    let path = place.path("other.E01");
    std::fs::write(&path, image).unwrap();
    let (ran, json) = verify(&place, &path);
    assert_eq!(ran.code, 4, "{}{}", ran.out, ran.err);
    assert_eq!(json["damaged"], serde_json::json!([]), "only the digest differs");
    let (code, line) = first_line(&place, &path);
    assert_eq!((code, line.0.as_str()), (4, "alarm"), "{line:?}");
    assert!(line.1.contains("digest"), "{line:?}");
}
