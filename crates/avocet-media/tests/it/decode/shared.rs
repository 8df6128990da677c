//! The shared test data against Pillow, and where that refuses, ImageMagick.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use avocet_media::decode::{Image, Role};
use avocet_media::{Layout, PictureKind, Pixels};

use super::{all, rgb};
use crate::support::testdata;

/// Size and block averages.
#[derive(Debug, Clone)]
struct Seen {
    width: usize,
    height: usize,
    blocks: Vec<f64>,
}

/// Size and block averages of a picture as it is to be displayed by its container.
fn seen(image: &Image) -> Seen {
    let (w, h) = (image.pixels.width() as usize, image.pixels.height() as usize);
    let turn = image.orientation.unwrap_or(1);
    let (width, height) = if turn >= 5 { (h, w) } else { (w, h) };
    let at = |x: usize, y: usize| {
        let (sx, sy) = match turn {
            2 => (w - 1 - x, y),
            3 => (w - 1 - x, h - 1 - y),
            4 => (x, h - 1 - y),
            5 => (y, x),
            6 => (y, h - 1 - x),
            7 => (w - 1 - y, h - 1 - x),
            8 => (w - 1 - y, x),
            _ => (x, y),
        };
        rgb(image, sx, sy)
    };
    let mut blocks = Vec::with_capacity(768);
    for by in 0..16 {
        let (top, bottom) = (by * height / 16, (by * height / 16 + 1).max((by + 1) * height / 16));
        for bx in 0..16 {
            let (left, right) = (bx * width / 16, (bx * width / 16 + 1).max((bx + 1) * width / 16));
            let mut sum = [0.0; 3];
            for y in top..bottom {
                for x in left..right {
                    let pixel = at(x, y);
                    (0..3).for_each(|c| sum[c] += pixel[c]);
                }
            }
            let count = ((bottom - top) * (right - left)) as f64;
            blocks.extend(sum.map(|s| s / count));
        }
    }
    Seen { width, height, blocks }
}

fn without_alpha(image: &Image) -> Image {
    let pixels = &image.pixels;
    if pixels.layout() != Layout::Rgba {
        return image.clone();
    }
    let bytes = pixels.bytes().chunks_exact(4).flat_map(|p| [p[0], p[1], p[2], 255]).collect();
    let pixels = Pixels::new(pixels.width(), pixels.height(), Layout::Rgba, bytes).unwrap();
    Image { pixels, ..image.clone() }
}

fn difference(a: &Seen, b: &Seen) -> Option<f64> {
    (a.width == b.width && a.height == b.height)
        .then(|| a.blocks.iter().zip(&b.blocks).map(|(a, b)| (a - b).abs()).sum::<f64>() / 768.0)
}

/// What Pillow sees; `None` where Python or Pillow is not here.
fn pillow(paths: &[PathBuf]) -> Option<BTreeMap<PathBuf, Vec<Seen>>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/decode/oracle.py");
    let mut child = Command::new("python3").arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
    let mut input = child.stdin.take().unwrap();
    let list: String = paths.iter().map(|p| format!("{}\n", p.display())).collect();
    let writer = std::thread::spawn(move || {
        let _ = input.write_all(list.as_bytes());
    });
    let output = child.wait_with_output().ok()?;
    writer.join().unwrap();
    let mut found: BTreeMap<PathBuf, Vec<Seen>> = BTreeMap::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let pictures = found.entry(PathBuf::from(fields[0])).or_default();
        if let [_, _, width, height, _, blocks] = fields[..] {
            pictures.push(Seen {
                width: width.parse().unwrap(),
                height: height.parse().unwrap(),
                blocks: blocks.split(' ').map(|v| v.parse().unwrap()).collect(),
            });
        }
    }
    output.status.success().then_some(found)
}

/// What ImageMagick sees of the first picture.
fn magick(path: &Path) -> Option<Seen> {
    let mut first = path.as_os_str().to_owned();
    first.push("[0]");
    let output = Command::new("convert")
        .arg(first)
        .args([
            "-auto-orient",
            "-background",
            "black",
            "-alpha",
            "remove",
            "-colorspace",
            "sRGB",
            "-depth",
            "8",
            "ppm:-",
        ])
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let bytes = output.stdout;
    let mut at = 0;
    let mut numbers = Vec::new();
    while numbers.len() < 4 {
        let end = at + bytes.get(at..)?.iter().position(|b| b.is_ascii_whitespace())?;
        numbers.push(std::str::from_utf8(&bytes[at..end]).ok()?.trim_start_matches('P').parse::<usize>().ok()?);
        at = end + 1;
    }
    let (width, height) = (numbers[1], numbers[2]);
    let pixels =
        Pixels::new(width as u32, height as u32, Layout::Rgb, bytes.get(at..at + width * height * 3)?.to_vec())?;
    let image = Image { role: Role::Primary, index: 0, pixels, decoder: "", partial: None, orientation: None };
    Some(seen(&image))
}

pub(super) fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

#[derive(Default)]
struct Row {
    files: u32,
    oracle: u32,
    same: u32,
    decoded: u32,
    pictures: u32,
    partial: u32,
    refused: BTreeMap<&'static str, u32>,
    not_same: Vec<String>,
}

/// A file that another decoder reads and that is not the same here.
struct NotSame {
    path: &'static str,
    /// Only ImageMagick shows the difference: with Pillow alone the file is the same, or nobody reads it.
    magick_alone: bool,
    reason: &'static str,
}

const fn not_same(path: &'static str, reason: &'static str) -> NotSame {
    NotSame { path, magick_alone: false, reason }
}

const fn magick_alone(path: &'static str, reason: &'static str) -> NotSame {
    NotSame { path, magick_alone: true, reason }
}

/// Each with its reason (see `docs/validation/pictures-decode.md`). A file that leaves this list is as much a change as one
/// that joins it; what only ImageMagick can show is skipped, and said, where ImageMagick gave no picture of it.
const KNOWN: &[NotSame] = &[
    not_same("pictures/formats/image-rs/bmp/images_lenient_badplanes.bmp", "refused: two planes"),
    magick_alone("pictures/formats/image-rs/bmp/images_lenient_rgb16-880.bmp", "refused: a bit field without a bit"),
    magick_alone("pictures/formats/image-rs/bmp/images_pal4rlecut.bmp", "what a cut RLE leaves undefined"),
    not_same("pictures/formats/image-rs/bmp/images_pal4rletrns.bmp", "what RLE skips: background or transparent"),
    magick_alone(
        "pictures/formats/image-rs/bmp/images_rgb16-231.bmp",
        "ImageMagick shifts short bit fields, ours scales them",
    ),
    magick_alone("pictures/formats/image-rs/bmp/images_rgba16-1924.bmp", "the same"),
    magick_alone("pictures/formats/image-rs/bmp/images_rgba32-61754.bmp", "the same"),
    not_same(
        "pictures/formats/image-rs/gif/anim_border_touching_layers.gif",
        "transparent; ImageMagick gives the layer alone",
    ),
    not_same(
        "pictures/formats/image-rs/gif/anim_issue_1455_undersized.gif",
        "transparent; ImageMagick gives the layer alone",
    ),
    not_same(
        "pictures/formats/image-rs/gif/anim_oob.gif",
        "frames outside the screen: cut here, each oracle another size",
    ),
    not_same(
        "pictures/formats/image-rs/gif/simple_issue_1455_oversized.gif",
        "a frame larger than the screen: cut here",
    ),
    not_same(
        "pictures/formats/image-rs/ico/images_bmp_v5_with_icc.ico",
        "oracles take the colour profile for the mask",
    ),
    not_same("pictures/formats/testimgari.jpg", "arithmetic coding"),
];

#[test]
fn good_files_equal_other_decoders() {
    let Some(data) = testdata() else { return };
    let mut paths = Vec::new();
    for folder in ["pictures/formats", "pictures/exif", "pictures/corpus/bsds", "perceptual/pdq"] {
        let folder = data.join(folder);
        if folder.is_dir() {
            files(&folder, &mut paths);
        }
    }
    let mut decoded = Vec::new();
    let mut rows: BTreeMap<&'static str, Row> = BTreeMap::new();
    for path in paths {
        let bytes = std::fs::read(&path).unwrap();
        let Some((kind, result)) = all(&bytes) else { continue };
        let row = rows.entry(kind.code()).or_default();
        row.files += 1;
        match &result {
            Ok((outcome, images)) => {
                row.decoded += 1;
                row.pictures += outcome.images;
                row.partial += u32::from(images.iter().any(|i| i.partial.is_some()));
                assert!(outcome.failed.iter().all(|f| f.failure.code != "decoder-fault"), "{}", path.display());
            }
            Err(failure) => {
                eprintln!("refused: {}: {failure}", path.strip_prefix(&data).unwrap().display());
                *row.refused.entry(failure.code).or_default() += 1;
                assert_ne!(failure.code, "decoder-fault", "{}", path.display());
            }
        }
        for image in result.iter().flat_map(|r| &r.1).filter(|i| i.partial.is_some()) {
            eprintln!("partial: {}: {:?}", path.strip_prefix(&data).unwrap().display(), image.partial);
        }
        // Over black; and the colours as they are, since some oracles drop the alpha channel of a bitmap or icon.
        let ours: Vec<Seen> = result
            .iter()
            .flat_map(|(_, images)| images.iter().flat_map(|i| [seen(i), seen(&without_alpha(i))]))
            .collect();
        let why = result.as_ref().err().map(ToString::to_string);
        decoded.push((path, kind, ours, why));
    }
    let list: Vec<PathBuf> = decoded.iter().map(|d| d.0.clone()).collect();
    let Some(oracle) = pillow(&list) else {
        eprintln!("skipped: {} files compared with nothing, as Python's Pillow and numpy are not here", list.len());
        return;
    };
    let mut by_magick_too = BTreeSet::new();
    for (path, kind, ours, why) in &decoded {
        let row = rows.get_mut(kind.code()).unwrap();
        let mut theirs = oracle.get(path).cloned().unwrap_or_default();
        // Every picture of theirs must be among ours; an oracle with fewer pictures than the file is no argument.
        let best = |theirs: &Seen| ours.iter().filter_map(|o| difference(o, theirs)).fold(f64::INFINITY, f64::min);
        let mut worst = theirs.iter().map(best).fold(0.0, f64::max);
        if (theirs.is_empty() || worst > 3.0)
            && !matches!(kind, PictureKind::Raf | PictureKind::Cr3 | PictureKind::RawTiff)
            && let Some(other) = magick(path)
        {
            by_magick_too.insert(path.strip_prefix(&data).unwrap().to_owned());
            let by_magick = best(&other);
            if theirs.is_empty() || by_magick < worst {
                worst = by_magick;
            }
            theirs.push(other);
        }
        if theirs.is_empty() {
            continue;
        }
        row.oracle += 1;
        if worst <= 3.0 {
            row.same += 1;
        } else {
            let name = path.strip_prefix(&data).unwrap().display().to_string();
            let sizes = |seen: &[Seen]| seen.iter().map(|s| format!("{}x{}", s.width, s.height)).collect::<Vec<_>>();
            row.not_same.push(format!(
                "{name}: difference {worst:.1}, ours {:?} theirs {:?} {}",
                sizes(ours),
                sizes(&theirs),
                why.clone().unwrap_or_default()
            ));
        }
    }
    eprintln!("kind | files | decoded (pictures, partial) | oracle decodes | same | refused");
    for (kind, row) in &rows {
        eprintln!(
            "{kind} | {} | {} ({}, {}) | {} | {} | {:?}",
            row.files, row.decoded, row.pictures, row.partial, row.oracle, row.same, row.refused
        );
        row.not_same.iter().for_each(|line| eprintln!("    {line}"));
    }
    let not_same: BTreeSet<&str> =
        rows.values().flat_map(|r| &r.not_same).filter_map(|line| line.split(':').next()).collect();
    let (known, unseen): (Vec<_>, Vec<_>) =
        KNOWN.iter().partition(|k| !k.magick_alone || by_magick_too.contains(Path::new(k.path)));
    for file in unseen {
        eprintln!("skipped: {} ({}): ImageMagick is not here", file.path, file.reason);
    }
    let known: BTreeSet<&str> = known.iter().map(|k| k.path).collect();
    assert_eq!(not_same, known, "the files that are not the same as another decoder's");
}

#[test]
fn harmless_thumbnail_as_primary_yields_both_pictures() {
    let Some(data) = testdata() else { return };
    let mut paths = Vec::new();
    files(&data.join("pictures"), &mut paths);
    let paths: Vec<_> = paths.into_iter().filter(|p| p.file_name().is_some_and(|n| n == "C005.heic")).collect();
    assert!(!paths.is_empty(), "the conformance file C005 is among the test data");
    for path in paths {
        let (kind, result) = all(&std::fs::read(&path).unwrap()).unwrap();
        assert_eq!(kind, PictureKind::Heif);
        let (_, images) = result.unwrap();
        let found: Vec<_> = images.iter().map(|i| (i.role, i.pixels.width(), i.pixels.height())).collect();
        assert!(found.contains(&(Role::Primary, 128, 72)), "{found:?}");
        assert!(found.iter().any(|f| (f.1, f.2) == (1280, 720)), "{found:?}");
    }
}

#[test]
fn no_file_panics() {
    let Some(data) = testdata() else { return };
    let mut paths = Vec::new();
    for folder in ["pictures/corrupt", "pictures/formats"] {
        files(&data.join(folder), &mut paths);
    }
    assert!(paths.len() > 300);
    let mut rows: BTreeMap<String, BTreeMap<String, u32>> = BTreeMap::new();
    let mut unknown = 0;
    for path in &paths {
        let bytes = std::fs::read(path).unwrap();
        let mut kinds: Vec<PictureKind> =
            PictureKind::recognise(&bytes[..bytes.len().min(PictureKind::HEAD_LEN)]).into_iter().collect();
        if kinds.is_empty() {
            unknown += 1;
            kinds = PictureKind::ALL.to_vec();
        }
        for kind in kinds {
            // No `catch_unwind` here: a panic of ours fails the test, and one of a decoder's is a decoder-fault.
            let mut partial = false;
            let result =
                avocet_media::decode::decode(&bytes, kind, &avocet_media::decode::Limits::default(), &mut |image| {
                    partial |= image.partial.is_some()
                });
            let word = match &result {
                Ok(outcome) => {
                    assert!(outcome.failed.iter().all(|f| f.failure.code != "decoder-fault"), "{}", path.display());
                    if partial { "partial" } else { "decoded" }
                }
                Err(failure) => failure.code,
            };
            assert_ne!(word, "decoder-fault", "{} as {}: {result:?}", path.display(), kind.code());
            *rows.entry(kind.code().to_owned()).or_default().entry(word.to_owned()).or_default() += 1;
        }
    }
    eprintln!("{} files, {unknown} of no known kind and so given to every decoder: {rows:#?}", paths.len());
}
