//! Against exiftool itself, where it is installed: thumbnails byte by byte, and tags that the table lacks.

use std::fs;
use std::process::Command;

use avocet_media::meta::{Key, Metadata, read};
use serde_json::Value;

use crate::support::testdata;

/// Files where exiftool has a value, and how many of them one fact (the thumbnail) equals; by exiftool 12.57.
const PINS: &[(&str, usize, usize)] = &[
    ("ThumbnailImage", 131, 129),
    ("XMP-xmpMM:DocumentID", 57, 57),
    ("XMP-xmpMM:InstanceID", 52, 52),
    ("XMP-xmpMM:OriginalDocumentID", 47, 47),
    ("IFD0:ModifyDate", 155, 155),
    ("ExifIFD:OffsetTime", 7, 7),
    ("ExifIFD:SubSecTimeOriginal", 35, 35),
    ("IFD0:Artist", 10, 10),
    ("Composite:GPSAltitude", 26, 26),
    ("Composite:GPSDateTime", 26, 26),
];

fn base64(text: &str) -> Vec<u8> {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits: Vec<u32> =
        text.bytes().filter_map(|b| LETTERS.iter().position(|l| *l == b)).map(|n| n as u32).collect();
    let mut out = Vec::new();
    for c in digits.chunks(4) {
        let n = c.iter().fold(0, |n, d| n << 6 | d) << (6 * (4 - c.len()));
        out.extend(n.to_be_bytes()[1..c.len()].iter());
    }
    out
}

fn equal(tag: &str, want: &str, meta: &Metadata) -> bool {
    let any = |key: Key| meta.all(key).any(|f| f.value.trim() == want.trim());
    let number = |key: Key| meta.first(key).and_then(|v| v.parse::<f64>().ok()).zip(want.parse::<f64>().ok());
    match tag {
        "ThumbnailImage" => meta.thumbnail == want.strip_prefix("base64:").map(base64),
        "XMP-xmpMM:DocumentID" => any(Key::XmpDocumentId),
        "XMP-xmpMM:InstanceID" => any(Key::XmpInstanceId),
        "XMP-xmpMM:OriginalDocumentID" => any(Key::XmpOriginalDocumentId),
        "IFD0:ModifyDate" => any(Key::Modified),
        "ExifIFD:OffsetTime" => any(Key::ModifiedOffset),
        "ExifIFD:SubSecTimeOriginal" => any(Key::TakenSubsec),
        "IFD0:Artist" => any(Key::Artist),
        "Composite:GPSAltitude" => number(Key::GpsAlt).is_some_and(|(a, b)| (a - b).abs() < 0.01),
        // exiftool cuts or keeps more digits of the second than are kept here.
        "Composite:GPSDateTime" => meta.all(Key::GpsTime).any(|f| {
            let plain = |t: &str| t.replace(['-', ':', 'T', ' ', 'Z'], "").chars().take(14).collect::<String>();
            plain(&f.value) == plain(want)
        }),
        _ => unreachable!(),
    }
}

#[test]
fn more_tags_and_thumbnails_equal_exiftools() {
    let Some(root) = testdata() else { return };
    let version = Command::new("exiftool").arg("-ver").output();
    let Some(version) = version.ok().and_then(|v| String::from_utf8(v.stdout).ok()) else {
        eprintln!("skipped: exiftool is not installed");
        return;
    };
    let mut command = Command::new("exiftool");
    command.args(["-j", "-n", "-b", "-G1", "-r", "-api", "struct=0"]);
    command.args(PINS.iter().map(|p| format!("-{}", p.0)));
    let answer =
        command.args(["pictures/exif", "pictures/formats"]).current_dir(&root).output().expect("exiftool runs");
    // Its warnings go to the other stream; bytes that are not UTF-8 come through as they are.
    let rows: Value = serde_json::from_str(&String::from_utf8_lossy(&answer.stdout)).expect("JSON");
    let rows = rows.as_array().expect("a list");
    let mut counts: Vec<(&str, usize, usize)> = PINS.iter().map(|p| (p.0, 0, 0)).collect();
    let mut lines = Vec::new();
    for row in rows {
        let path = row["SourceFile"].as_str().expect("a path");
        let meta = read(&fs::read(root.join(path)).expect("a file"));
        for (tag, files, right) in &mut counts {
            let field =
                row.as_object().expect("an object").iter().find(|(k, _)| *k == tag || k.ends_with(&format!(":{tag}")));
            let Some((_, value)) = field else { continue };
            let want = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            if want.trim().is_empty() {
                continue;
            }
            *files += 1;
            let good = equal(tag, &want, &meta);
            *right += usize::from(good);
            if !good && *tag != "IFD0:Artist" {
                lines.push(format!(
                    "  {tag}: exiftool {:.60}, thumbnail here {:?}, in {path}",
                    want,
                    meta.thumbnail.as_ref().map(Vec::len)
                ));
            }
        }
    }
    if std::env::var_os("AVOCET_SHOW_DIFFERENCES").is_some() {
        println!("{}", lines.join("\n"));
    }
    println!("{} files, exiftool {}", rows.len(), version.trim());
    counts.iter().for_each(|(tag, files, right)| println!("{tag:<32} {files:>5} {right:>5}"));
    if version.trim() == "12.57" {
        assert_eq!(counts, PINS);
    } else {
        eprintln!("the counts are pinned for exiftool 12.57 only");
    }
}
