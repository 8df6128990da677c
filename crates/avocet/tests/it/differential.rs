//! The whole command against answers that other people's programs gave: `examine` and `list` as a user runs them,
//! nothing of the library.

mod built;
mod containers;
mod ewf;
mod sleuthkit;
mod trees;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::support::{Place, Ran};

/// Examines without the digest of the whole image, and without entering archives: the oracles do not.
pub fn examine(place: &Place, evidence: &Path, out: &str) -> Ran {
    let words = ["--exhibit", "T/1", "--no-image-digest", "--no-archives", "--no-media", "--quiet", "--out", out]
        .map(OsStr::new);
    place.run([OsStr::new("examine"), evidence.as_os_str()].into_iter().chain(words))
}

/// The rows of an examination that must succeed: nothing that should have been read was not, or parts are unreadable.
pub fn rows(place: &Place, evidence: &Path) -> Vec<Value> {
    let name = "t.examination";
    let ran = examine(place, evidence, name);
    assert!([0, 4].contains(&ran.code), "{}: {}{}", evidence.display(), ran.out, ran.err);
    let rows = place.list(name, &[]);
    for file in [name, "t.examination.seal"] {
        std::fs::remove_file(place.path(file)).unwrap();
    }
    rows
}

/// A field that is text; empty where null.
pub fn text<'a>(row: &'a Value, field: &str) -> &'a str {
    row[field].as_str().unwrap_or_default()
}

/// The bytes of a path in escaped form (`docs/architecture.md`, "Names and times"), without the slash before it.
pub fn bytes_of_path(escaped: &str) -> Vec<u8> {
    let (mut out, mut rest) = (vec![], escaped.strip_prefix('/').unwrap_or(escaped));
    while let Some(next) = rest.chars().next() {
        let taken = if let Some(hex) = rest.strip_prefix("\\u{") {
            let (hex, _) = hex.split_once('}').unwrap();
            let value = u32::from_str_radix(hex, 16).unwrap();
            out.extend(char::from_u32(value).unwrap_or('\u{fffd}').to_string().as_bytes());
            hex.len() + 4
        } else if rest.starts_with("\\x") {
            out.push(u8::from_str_radix(&rest[2..4], 16).unwrap());
            4
        } else if rest.starts_with("\\\\") {
            out.push(b'\\');
            2
        } else {
            out.extend(next.to_string().as_bytes());
            next.len_utf8()
        };
        rest = &rest[taken..];
    }
    out
}

/// Lines of `sha256sum`: digest and path, without `./` before it.
pub fn truth(path: &Path) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| {
            let (digest, path) = line.split_once("  ").unwrap();
            (digest.to_owned(), path.strip_prefix("./").unwrap_or(path).to_owned())
        })
        .collect()
}

/// What a program wrote to standard output; `None` where it failed.
pub fn output<I: AsRef<OsStr>>(program: &str, args: impl IntoIterator<Item = I>) -> Option<Vec<u8>> {
    let done = Command::new(program).args(args).stderr(Stdio::null()).output().unwrap();
    done.status.success().then_some(done.stdout)
}

/// SHA-256 of files by `sha256sum`, by path.
pub fn sha256sum(files: &[PathBuf]) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    for some in files.chunks(500) {
        let text = output("sha256sum", ["-z", "--"].iter().map(OsStr::new).chain(some.iter().map(|f| f.as_os_str())));
        for (line, file) in text.unwrap().split(|b| *b == 0).zip(some) {
            found.insert(file.clone(), String::from_utf8(line[..64].to_vec()).unwrap());
        }
    }
    assert_eq!(found.len(), files.len());
    found
}

/// The completeness statement of an examination: (level, text) in its order.
pub fn completeness(place: &Place, examination: &str) -> Vec<(String, String)> {
    let ran = place.run(["summary", examination, "--json"]);
    let json: Value = serde_json::from_str(&ran.out).unwrap();
    let lines = json["completeness"].as_array().unwrap();
    lines.iter().map(|l| (text(l, "level").to_owned(), text(l, "text").to_owned())).collect()
}

#[test]
fn escaped_paths_become_bytes_again() {
    assert_eq!(bytes_of_path("/a\\\\b/\\xff\\u{202e}é"), b"a\\b/\xff\xe2\x80\xae\xc3\xa9");
}
