//! Raw images: the bytes of a device in one file, in numbered files, or the block device itself.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::files::{HostFile, Pool, cannot_open};
use crate::error::{OpenError, Problem, ReadError};
use crate::source::{Joined, Source};

const LAYER: &str = "raw";

/// A raw image: a file, a block device, or the segments of a split image one after the other.
pub struct Raw {
    segments: Joined<HostFile>,
    paths: Vec<PathBuf>,
    problems: Vec<Problem>,
}

impl Raw {
    /// Opens a raw image by any of its segments.
    ///
    /// A file belongs to a split image if its extension is a number (`.001`, `.000`, `.0001`) or two or three letters
    /// from `.aa`, and there are neighbours: files of the same name before the extension and with an extension of the
    /// same kind. Without neighbours it is a raw image on its own. What the bytes are is not looked at.
    ///
    /// # Errors
    /// [`OpenError::MissingSegment`] where the numbering has a gap or does not begin with 0 or 1;
    /// [`OpenError::File`] where a file cannot be opened.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let mut problems = vec![];
        let paths = find_segments(path, &mut problems)?;
        Self::of(paths, problems)
    }

    /// Opens one file, whatever lies beside it.
    pub(super) fn open_alone(path: &Path) -> Result<Self, OpenError> {
        Self::of(vec![path.to_owned()], vec![])
    }

    fn of(paths: Vec<PathBuf>, mut problems: Vec<Problem>) -> Result<Self, OpenError> {
        let pool = Arc::new(Pool::default());
        let opened = paths.iter().enumerate().map(|(id, path)| HostFile::open(LAYER, path, id, &pool));
        let segments = Joined::new(LAYER, opened.collect::<Result<_, _>>()?)?;
        if let Some(problem) = uneven(segments.parts()) {
            problems.push(problem);
        }
        Ok(Self { segments, paths, problems })
    }

    /// The files in order; one where the image is not split.
    pub fn segments(&self) -> &[PathBuf] {
        &self.paths
    }

    /// What was found on opening: `segment-sizes-differ` (a segment that is not the last has another size than the
    /// first: a copy may have been cut off) and `name-like-a-later-segment` (opened on its own, but its number is not
    /// a first one).
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl Source for Raw {
    fn len(&self) -> u64 {
        self.segments.len()
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ReadError> {
        self.segments.read_at(offset, buf)
    }
}

/// A problem where a segment before the last has not the size of the first, or the last is larger.
fn uneven(segments: &[(u64, HostFile)]) -> Option<Problem> {
    let size = segments.first()?.1.len();
    let last = segments.len().saturating_sub(1);
    let odd =
        segments.iter().enumerate().position(|(i, (_, f))| if i == last { f.len() > size } else { f.len() != size })?;
    let start = segments.get(odd).map(|s| s.0);
    let detail = format!(
        "segment {} of {} has not the size of the first; if its copy was cut off, everything after it lies at wrong offsets",
        odd.saturating_add(1),
        segments.len()
    );
    Some(Problem::new(LAYER, "segment-sizes-differ", start, detail))
}

/// How segments are numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Numbering {
    /// Digits, at least so many.
    Digits(usize),
    /// Letters, exactly so many, upper case or not.
    Letters(usize, bool),
}

impl Numbering {
    fn of(extension: &str) -> Option<Self> {
        let bytes = extension.as_bytes();
        let all = |test: fn(&u8) -> bool| bytes.iter().all(test);
        match bytes.len() {
            2..=5 if all(u8::is_ascii_digit) => Some(Self::Digits(bytes.len())),
            2..=3 if all(u8::is_ascii_lowercase) => Some(Self::Letters(bytes.len(), false)),
            2..=3 if all(u8::is_ascii_uppercase) => Some(Self::Letters(bytes.len(), true)),
            _ => None,
        }
    }

    fn number(self, extension: &str) -> Option<u32> {
        let bytes = extension.as_bytes();
        match self {
            Self::Digits(width) => {
                let grown = bytes.len() > width && !extension.starts_with('0');
                let ours = bytes.len() <= 9 && bytes.iter().all(u8::is_ascii_digit) && (bytes.len() == width || grown);
                ours.then(|| extension.parse().ok())?
            }
            Self::Letters(..) if Self::of(extension) != Some(self) => None,
            Self::Letters(..) => Some(
                bytes.iter().fold(0u32, |sum, b| sum * 26 + u32::from(b.to_ascii_lowercase().saturating_sub(b'a'))),
            ),
        }
    }

    fn extension(self, number: u32) -> String {
        match self {
            Self::Digits(width) => format!("{number:0width$}"),
            Self::Letters(width, upper) => {
                let mut letters = vec![];
                let mut rest = number;
                for _ in 0..width {
                    letters.push(b'a'.saturating_add(u8::try_from(rest % 26).unwrap_or(0)));
                    rest /= 26;
                }
                letters.reverse();
                let text = String::from_utf8_lossy(&letters).into_owned();
                if upper { text.to_uppercase() } else { text }
            }
        }
    }
}

/// The files of the image that `path` belongs to, in order.
fn find_segments(path: &Path, problems: &mut Vec<Problem>) -> Result<Vec<PathBuf>, OpenError> {
    let alone = || Ok(vec![path.to_owned()]);
    let Some((stem, extension)) = path.file_stem().zip(path.extension().and_then(|e| e.to_str())) else {
        return alone();
    };
    let Some((numbering, named)) = Numbering::of(extension).and_then(|n| Some((n, n.number(extension)?))) else {
        return alone();
    };
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut present = BTreeMap::new();
    for item in std::fs::read_dir(folder).map_err(|e| cannot_open(folder, &e))? {
        let item = item.map_err(|e| cannot_open(folder, &e))?;
        let name = PathBuf::from(item.file_name());
        if name.file_stem() == Some(stem)
            && let Some(number) = name.extension().and_then(|e| e.to_str()).and_then(|e| numbering.number(e))
        {
            present.insert(number, path.with_file_name(&name));
        }
    }
    let neighbours = present.keys().any(|n| *n != named);
    let lowest = present.keys().next().copied().unwrap_or(named);
    let split = neighbours
        && match numbering {
            // Only `.001` and the like is so common that a missing beginning may be concluded from later numbers;
            // `x.2023` beside `x.2024` are two images.
            Numbering::Digits(3) => true,
            Numbering::Digits(_) => lowest <= 1,
            // `.dd` beside `.aa` is no segment of it unless `.dc` is there too.
            Numbering::Letters(..) => lowest == 0 && (named == 0 || present.contains_key(&named.saturating_sub(1))),
        };
    if !split {
        if matches!(numbering, Numbering::Digits(3)) && named > 1 {
            let detail = "opened as an image on its own, but its name is that of a later segment of a split image";
            problems.push(Problem::new(LAYER, "name-like-a-later-segment", None, detail));
        }
        return alone();
    }
    let first = match numbering {
        Numbering::Digits(_) => lowest.min(1),
        Numbering::Letters(..) => 0,
    };
    let highest = present.keys().next_back().copied().unwrap_or(first);
    let have = present.len();
    let mut paths = vec![];
    for (number, wanted) in present.into_iter().zip(first..=highest) {
        let (number, segment) = number;
        if number != wanted {
            let missing = path.with_extension(numbering.extension(wanted));
            let expected = format!("at least {}", highest.saturating_sub(first).saturating_add(1));
            return Err(OpenError::MissingSegment { path: missing.display().to_string(), have, expected });
        }
        paths.push(segment);
    }
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_letters_count_as_split_writes_them() {
        let digits = Numbering::of("001").unwrap();
        assert_eq!(digits.number("999"), Some(999));
        assert_eq!(digits.number("1000"), Some(1000));
        assert_eq!(digits.number("0100"), None);
        assert_eq!(digits.extension(7), "007");
        let letters = Numbering::of("aa").unwrap();
        assert_eq!((letters.number("aa"), letters.number("ba"), letters.number("zz")), (Some(0), Some(26), Some(675)));
        assert_eq!((letters.extension(27).as_str(), letters.number("BA")), ("bb", None));
        assert_eq!(Numbering::of("img2"), None);
    }
}
