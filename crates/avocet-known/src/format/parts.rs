//! Sets that come as several files ("gold disk"): whether all parts are there, as far as their names say.
//!
//! A name says that its file is a part in one of two ways. `gold 02of05.json`, `gold_2_of_5.json` state the number and
//! the total. `gold_1.json`, `gold-02.json`, `gold (3).json`, `gold part4.json` end in a number of one to three digits
//! behind `_`, `-`, a blank, a bracket, or one of the words part, disk, disc, file, vol; such series begin with 0 or 1.
//! Numbers behind a point are versions (`vics-2.0.json`) and numbers of four digits are years; neither is a part.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::error::KnownError;

/// What a file's name says of its place in a series. Names are compared without regard to case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Series {
    folder: PathBuf,
    /// The name in front of the number, as first seen in lower case.
    before: String,
    /// Behind the number, with the extension.
    after: String,
    /// What stands between number and total, and the total, where stated.
    total: Option<(String, u32)>,
}

/// A file as part of a series.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    series: Series,
    number: u32,
    /// Digits of the number, with its leading zeros.
    width: usize,
    /// The name says in a word that it is a part.
    worded: bool,
    /// The file's name in front of the number, and behind it.
    written: (String, String),
}

/// Most parts of a series: larger numbers are dates and the like.
const MOST: u32 = 999;
const WORDS: [&str; 5] = ["part", "disk", "disc", "file", "vol"];

/// Splits digits off the end: what stands before them, the number, how many digits it has.
fn number_at_end(text: &str) -> Option<(&str, u32, usize)> {
    let before = text.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = text.get(before.len()..)?;
    if digits.is_empty() || digits.len() > 3 {
        return None;
    }
    let number = digits.parse().ok().filter(|n| *n <= MOST)?;
    Some((before, number, digits.len()))
}

impl Series {
    /// Whether files of this series and of that one are parts of the same, wherever they lie.
    fn continues(&self, other: &Series) -> bool {
        (&self.before, &self.after, &self.total) == (&other.before, &other.after, &other.total)
    }
}

impl Part {
    fn of(path: &Path) -> Option<Part> {
        let folder = path.parent().unwrap_or(Path::new("")).to_path_buf();
        let name = path.file_name()?.to_str()?;
        let (stem, extension) = match name.rsplit_once('.') {
            Some((stem, extension)) if !stem.is_empty() && !extension.bytes().all(|b| b.is_ascii_digit()) => {
                (stem, format!(".{extension}"))
            }
            _ => (name, String::new()),
        };
        let closing = if stem.ends_with(')') { ")" } else { "" };
        let text = stem.strip_suffix(closing).unwrap_or(stem);
        let part = |before: &str, number, width, worded, behind: String, total| Part {
            series: Series {
                folder: folder.clone(),
                before: before.to_lowercase(),
                after: behind.to_lowercase(),
                total,
            },
            number,
            width,
            worded,
            written: (before.to_owned(), behind),
        };
        let (before, last, width) = number_at_end(text)?;
        // `2of5`: the number that was found is the total.
        let lower = before.to_ascii_lowercase();
        let trimmed = lower.trim_end_matches([' ', '_', '-']);
        if let Some(head) = trimmed.strip_suffix("of") {
            let head = head.trim_end_matches([' ', '_', '-']);
            if let Some((front, number, digits)) = before.get(..head.len()).and_then(number_at_end) {
                let between = before.get(head.len()..)?.to_owned();
                let behind = format!("{between}{}{closing}{extension}", text.get(before.len()..)?);
                return Some(part(front, number, digits, true, behind, Some((between.to_lowercase(), last))));
            }
        }
        let behind = format!("{closing}{extension}");
        let bare = lower.trim_end_matches([' ', '_', '-', '(']);
        if bare.ends_with("sha") || bare.ends_with("md") {
            // `sha-1`, `sha-256`: kinds of digest.
            return None;
        }
        let worded = WORDS.iter().any(|word| {
            bare.strip_suffix(word).is_some_and(|rest| !rest.ends_with(|c: char| c.is_ascii_alphanumeric()))
        });
        let separated = before.ends_with(['_', '-', ' ']) || (before.ends_with('(') && !closing.is_empty());
        (worded || (separated && !bare.is_empty())).then(|| part(before, last, width, worded, behind, None))
    }

    /// The path that another number would have.
    fn sibling(&self, number: u32) -> PathBuf {
        let (before, after) = &self.written;
        self.series.folder.join(format!("{before}{number:0width$}{after}", width = self.width))
    }
}

fn missing(part: &Part, number: u32) -> KnownError {
    let beside = part.sibling(part.number);
    KnownError::MissingPart { missing: part.sibling(number), beside }
}

fn is_there(path: &Path) -> bool {
    // Where it cannot be told, the file cannot be named either.
    path.try_exists().unwrap_or(false)
}

/// Checks that files which are given as one set are all of it, as far as their names say: a series without a gap, to the
/// stated end, or as far as files lie beside the ones given. The files themselves are not opened. `present` are the names,
/// without folders, of files that the set holds already: a fourth part may come by itself after three.
///
/// # Errors
/// [`KnownError::MissingPart`] names the first missing part; [`KnownError::PartTwice`] a path that is given twice.
pub fn check_parts(paths: &[PathBuf], present: &[&str]) -> Result<(), KnownError> {
    let mut sorted: Vec<&OsStr> = paths.iter().map(|p| p.as_os_str()).collect();
    sorted.sort_unstable();
    if let Some(twice) = sorted.windows(2).find_map(|pair| match pair {
        [a, b] if a == b => Some(*a),
        _ => None,
    }) {
        return Err(KnownError::PartTwice { path: PathBuf::from(twice) });
    }
    let mut series: BTreeMap<Series, BTreeMap<u32, Part>> = BTreeMap::new();
    for part in paths.iter().filter_map(|p| Part::of(p)) {
        let parts = series.entry(part.series.clone()).or_default();
        if let Some(other) = parts.insert(part.number, part) {
            // `_1` and `_01` in one folder: two files that claim one place.
            return Err(KnownError::PartTwice { path: other.sibling(other.number) });
        }
    }
    let present: Vec<Part> = present.iter().filter_map(|name| Part::of(Path::new(name))).collect();
    for (one, parts) in &series {
        let there = present.iter().filter(|p| p.series.continues(one)).map(|p| p.number).collect();
        check_series(parts, &there)?;
    }
    Ok(())
}

/// Checks one series of the parts given, `there` being those that the set holds already.
fn check_series(parts: &BTreeMap<u32, Part>, there: &BTreeSet<u32>) -> Result<(), KnownError> {
    let (Some((lowest, first)), Some((highest, last))) = (parts.first_key_value(), parts.last_key_value()) else {
        return Ok(());
    };
    let is_missing = |number: &u32| !parts.contains_key(number) && !there.contains(number);
    let lowest = there.first().map_or(*lowest, |t| *lowest.min(t));
    let highest = there.last().map_or(*highest, |t| *highest.max(t));
    if let Some((_, total)) = &first.series.total {
        let begin = u32::from(lowest > 0);
        // Counted from 0, the last of five is 4.
        let end = if begin == 0 { total.saturating_sub(1) } else { *total };
        let gap = (begin..=end).find(is_missing);
        return gap.map_or(Ok(()), |number| Err(missing(first, number)));
    }
    if let Some(gap) = (lowest..highest).find(is_missing) {
        return Err(missing(first, gap));
    }
    // One file with a number at its end may be a name like any other; files beside it decide. Where the set's own series
    // begins was settled when it was imported.
    let series = parts.len() > 1 || first.worded;
    if series && there.is_empty() && lowest > 1 {
        return Err(missing(first, 1));
    }
    let before = lowest.checked_sub(1).filter(|number| is_there(&first.sibling(*number)));
    let after = Some(highest + 1).filter(|number| is_there(&last.sibling(*number)));
    match (before, after) {
        (Some(number), _) => Err(missing(first, number)),
        (None, Some(number)) => Err(missing(last, number)),
        (None, None) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(names: &[&str]) -> Result<(), String> {
        let paths: Vec<PathBuf> = names.iter().map(|n| Path::new("/nonexistent/gold").join(n)).collect();
        check_parts(&paths, &[]).map_err(|e| e.to_string())
    }

    #[test]
    fn complete_series_and_files_that_are_none_pass() {
        for names in [
            &["a_1.json", "a_2.json", "a_3.json"][..],
            &["a_0.json", "a_1.json"],
            &["a_03.json", "A_01.JSON", "a_02.json"],
            &["gold 01of02.json", "gold 02of02.json"],
            &["gold_2_of_2.json", "gold_1_of_2.json"],
            &["gold_0_of_2.json", "gold_1_of_2.json"],
            &["x (1).csv", "x (2).csv"],
            &["disk 1.json", "disk 2.json"],
            &["a_1.json", "a_2.json", "b_1.json", "b_2.json"],
            &["vics-2.0.json", "vics-1.3.json"],
            &["set_2024.json", "set_2026.json"],
            &["set-20240301.json"],
            &["md5.txt", "sha1.txt"],
            &["all sha-1.txt", "all sha-256.txt"],
            &["set_7.json"],
            &["profile3.json"],
            &[],
        ] {
            assert_eq!(check(names), Ok(()), "{names:?}");
        }
    }

    #[test]
    fn the_missing_part_is_named() {
        for (names, wanted) in [
            (&["a_1.json", "a_3.json"][..], "a_2.json"),
            (&["a_2.json", "a_3.json"], "a_1.json"),
            (&["a_01.json", "a_02.json", "a_11.json"], "a_03.json"),
            (&["gold 01of03.json", "gold 02of03.json"], "gold 03of03.json"),
            (&["gold 02of03.json", "gold 03of03.json"], "gold 01of03.json"),
            (&["gold_1_of_2.json"], "gold_2_of_2.json"),
            (&["x (1).csv", "x (3).csv"], "x (2).csv"),
            (&["gold part2.json"], "gold part1.json"),
            (&["b_1.json", "b_2.json", "a_1.json", "a_4.json"], "a_2.json"),
        ] {
            let error = check(names).unwrap_err();
            assert!(error.contains(&format!("/nonexistent/gold/{wanted}")), "{names:?}: {error}");
        }
    }

    #[test]
    fn one_path_twice_is_said() {
        assert!(check(&["a.json", "b.json", "a.json"]).unwrap_err().contains("twice"));
        assert!(check(&["a_1.json", "a_01.json"]).unwrap_err().contains("a_1.json"));
    }

    #[test]
    fn files_that_lie_beside_belong_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = |n: u32| folder.path().join(format!("gold_{n}.json"));
        for n in 1..=3 {
            std::fs::write(path(n), "x").unwrap();
        }
        for (given, wanted) in [(&[1, 2][..], 3), (&[1], 2), (&[3], 2)] {
            let error = check_parts(&given.iter().map(|n| path(*n)).collect::<Vec<_>>(), &[]).unwrap_err();
            assert!(error.to_string().contains(&format!("gold_{wanted}.json")), "{error}");
        }
        assert!(check_parts(&[path(1), path(2), path(3)], &[]).is_ok());
        assert!(check_parts(&[path(3)], &["GOLD_1.json", "gold_2.json", "other.csv"]).is_ok());
    }

    #[test]
    fn what_the_set_holds_already_counts_as_present() {
        let check = |present: &[&str], names: &[&str]| {
            let paths: Vec<PathBuf> = names.iter().map(|n| Path::new("/nonexistent/new").join(n)).collect();
            check_parts(&paths, present).map_err(|e| e.to_string())
        };
        let three = &["gold_1.json", "gold_2.json", "gold_3.json"][..];
        for (present, names) in [
            (three, &["gold_4.json"][..]),
            (three, &["gold_5.json", "gold_4.json"]),
            (three, &["gold_2.json"]),
            (three, &["delta_7.json"]),
            (&["gold part3.json"], &["gold part4.json"]),
            (&["set_7.json"], &["set_8.json", "set_9.json"]),
            (&["gold 1of3.json", "gold 2of3.json"], &["Gold 3of3.json"]),
        ] {
            assert_eq!(check(present, names), Ok(()), "{present:?} {names:?}");
        }
        for (present, names, wanted) in [
            (three, &["gold_5.json"][..], "gold_4.json"),
            (three, &["gold_4.json", "gold_6.json"], "gold_5.json"),
            (three, &["delta_2.json", "delta_3.json"], "delta_1.json"),
            (&["gold 1of3.json"], &["gold 3of3.json"], "gold 2of3.json"),
            (&["gold 1of2.json", "gold 2of2.json"], &["gold 3of3.json"], "gold 1of3.json"),
        ] {
            let error = check(present, names).unwrap_err();
            assert!(error.contains(&format!("/nonexistent/new/{wanted}")), "{present:?} {names:?}: {error}");
        }
    }
}
