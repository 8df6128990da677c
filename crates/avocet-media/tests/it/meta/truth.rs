//! Against exiftool 12.57's answers about the shared test data (`pictures/exif-truth.tsv`), tag by tag.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use avocet_media::meta::{Key, Metadata, read};

use crate::support::testdata;

/// One tag of the table: files where exiftool has a value, how many of them the first value here equals, how many files
/// have a value here where exiftool has none. All three are pinned; a lower share and an unexplained value both fail.
struct Pin {
    tag: &'static str,
    files: usize,
    right: usize,
    extra: usize,
}

const fn pin(tag: &'static str, files: usize, right: usize, extra: usize) -> Pin {
    Pin { tag, files, right, extra }
}

/// Pictures only. What differs is listed with its reason in docs/validation/pictures-metadata.md.
const PINS: &[Pin] = &[
    pin("Make", 138, 138, 0),
    pin("Model", 135, 135, 2),
    pin("body serial", 28, 28, 2),
    pin("lens serial", 18, 18, 0),
    pin("lens model", 26, 26, 6),
    pin("owner", 4, 4, 2),
    pin("unique id", 11, 11, 0),
    pin("GPS", 47, 47, 1),
    pin("DateTimeOriginal", 142, 141, 3),
    pin("CreateDate", 156, 154, 1),
    pin("OffsetTimeOriginal", 6, 6, 5),
    pin("Orientation", 167, 167, 0),
    pin("Software", 127, 126, 10),
];

type Row = BTreeMap<String, String>;

fn rows(table: &str) -> Vec<Row> {
    let mut lines = table.lines();
    let names: Vec<&str> = lines.next().expect("a heading").split('\t').collect();
    let row = |line: &str| names.iter().map(|n| n.to_string()).zip(line.split('\t').map(str::to_owned)).collect();
    lines.map(row).collect()
}

/// What exiftool says under one heading; the maker's internal number where it has no other serial.
fn expected(row: &Row, tag: &str) -> String {
    let get = |name: &str| row.get(name).cloned().unwrap_or_default();
    match tag {
        "body serial" if get("SerialNumber").is_empty() => get("InternalSerialNumber"),
        "body serial" => get("SerialNumber"),
        "lens serial" => get("LensSerialNumber"),
        "lens model" => get("LensModel"),
        "owner" => get("OwnerName"),
        "unique id" => get("ImageUniqueID"),
        "GPS" if get("GPSLatitude").is_empty() => String::new(),
        "GPS" => format!("{} {}", get("GPSLatitude"), get("GPSLongitude")),
        tag => get(tag),
    }
}

fn found(meta: &Metadata, tag: &str) -> String {
    let first = |key| meta.first(key).unwrap_or_default().to_owned();
    match tag {
        "Make" => first(Key::Make),
        "Model" => first(Key::Model),
        "body serial" => meta.camera().and_then(|c| c.serial.map(str::to_owned)).unwrap_or_default(),
        "lens serial" => first(Key::LensSerial),
        "lens model" => first(Key::LensModel),
        "owner" => first(Key::OwnerName),
        "unique id" => first(Key::UniqueId),
        "GPS" => meta.place().map(|(lat, lon)| format!("{lat} {lon}")).unwrap_or_default(),
        "DateTimeOriginal" => meta.taken().map_or_else(|| first(Key::Taken), |t| t.text.to_owned()),
        "CreateDate" => first(Key::Digitised),
        "OffsetTimeOriginal" => meta.taken().and_then(|t| t.offset.map(str::to_owned)).unwrap_or_default(),
        "Orientation" => first(Key::Orientation),
        "Software" => first(Key::Software),
        _ => unreachable!(),
    }
}

/// Blanks at the ends, the marks of dates and the sixth decimal of degrees do not count.
fn same(tag: &str, expected: &str, found: &str) -> bool {
    match tag {
        "GPS" => {
            let numbers = |t: &str| t.split(' ').map(|n| n.parse().unwrap_or(f64::NAN)).collect::<Vec<f64>>();
            let (a, b) = (numbers(expected), numbers(found));
            a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-4)
        }
        "DateTimeOriginal" | "CreateDate" => {
            let plain = |t: &str| t.trim().replace(['-', ':', 'T', ' '], "");
            plain(expected) == plain(found)
        }
        _ => expected.trim() == found.trim(),
    }
}

/// Videos are read for what their boxes say in passing; streams (MPEG-2 TS, AVI, WebM) are not read.
const VIDEO_PINS: &[Pin] = &[pin("Make", 3, 2, 0), pin("Model", 3, 2, 0), pin("GPS", 3, 3, 0)];

fn compare(what: &str, pins: &[Pin], wanted: impl Fn(&str) -> bool) {
    let Some(root) = testdata() else { return };
    let table = fs::read_to_string(root.join("pictures/exif-truth.tsv")).expect("the table");
    let all = rows(&table);
    assert_eq!(all.len(), 384);
    let read_all: Vec<(&Row, Metadata)> = all
        .iter()
        .filter(|r| wanted(&r["path"]))
        .map(|r| (r, read(&fs::read(root.join(&r["path"])).expect("a file of the table"))))
        .collect();
    let show = std::env::var_os("AVOCET_SHOW_DIFFERENCES").is_some();
    let mut lines = vec![
        format!("{} {what} of {} files", read_all.len(), all.len()),
        format!("{:<20} {:>5} {:>5} {:>5} {:>5}", "tag", "files", "first", "any", "extra"),
    ];
    let mut wrong = Vec::new();
    for p in pins {
        let (mut files, mut right, mut extra, mut any) = (0, 0, 0, 0);
        for (row, meta) in &read_all {
            let (want, got) = (expected(row, p.tag), found(meta, p.tag));
            let good = same(p.tag, &want, &got);
            if want.trim().is_empty() {
                extra += usize::from(!got.is_empty());
            } else {
                files += 1;
                right += usize::from(good);
                any += usize::from(good || meta.facts.iter().any(|f| same(p.tag, &want, &f.value)));
            }
            if show && !good && want.trim() != got.trim() && p.tag != "owner" {
                lines.push(format!("  {}: exiftool {want:?}, here {got:?} in {}", p.tag, name(row)));
            }
        }
        lines.push(format!("{:<20} {files:>5} {right:>5} {any:>5} {extra:>5}", p.tag));
        if (p.files, p.right, p.extra) != (files, right, extra) {
            wrong.push(format!("{}: {files} {right} {extra}, pinned {} {} {}", p.tag, p.files, p.right, p.extra));
        }
    }
    let mut problems: BTreeMap<&str, usize> = BTreeMap::new();
    for problem in read_all.iter().flat_map(|(_, meta)| &meta.problems) {
        *problems.entry(problem.code.name()).or_default() += 1;
    }
    lines.push(format!("files with a problem: {problems:?}"));
    if show {
        for (row, meta) in read_all.iter().filter(|(_, meta)| !meta.problems.is_empty()) {
            let codes: Vec<_> = meta.problems.iter().map(|p| format!("{}@{}", p.code.name(), p.offset)).collect();
            lines.push(format!("  problem {codes:?} in {}", name(row)));
        }
    }
    println!("{}", lines.join("\n"));
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn tags_equal_exiftools() {
    compare("pictures", PINS, |path| !path.starts_with("video/"));
}

#[test]
fn videos_in_passing() {
    compare("videos", VIDEO_PINS, |path| path.starts_with("video/"));
}

fn name(row: &Row) -> &str {
    Path::new(&row["path"]).file_name().and_then(|n| n.to_str()).unwrap_or_default()
}
