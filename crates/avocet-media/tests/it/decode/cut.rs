//! A JPEG that ends early is partial or refused, never whole.

use super::{all, fixtures};
use crate::support::testdata;

/// Of the bytes behind the first scan header, this much is kept, in thousandths.
const KEPT: [usize; 4] = [250, 500, 900, 999];

fn cut(bytes: &[u8], kept: usize) -> &[u8] {
    let scan = bytes.windows(2).position(|w| w == [0xff, 0xda]).unwrap();
    let end = scan + (bytes.len() - scan) * kept / 1000;
    &bytes[..end.clamp(scan + 16, bytes.len() - 3)]
}

#[derive(Debug, PartialEq)]
enum End {
    Whole,
    Partial,
    Refused,
}

fn end(bytes: &[u8]) -> End {
    match all(bytes) {
        Some((_, Ok((_, images)))) if images[0].partial.is_none() => End::Whole,
        Some((_, Ok(_))) => End::Partial,
        _ => End::Refused,
    }
}

#[test]
fn cut_jpegs_are_partial() {
    let bytes = fixtures::jpeg();
    assert_eq!(end(&bytes), End::Whole);
    for kept in KEPT {
        assert_eq!(end(cut(&bytes, kept)), End::Partial, "{kept} of 1000");
    }
    assert_eq!(end(&bytes[..bytes.len() - 1]), End::Partial);
}

#[test]
fn cut_photographs_are_never_whole() {
    let Some(data) = testdata() else { return };
    let (mut partial, mut refused, mut progressive) = (0, 0, 0);
    for folder in ["pictures/corpus/bsds", "perceptual/pdq", "pictures/exif/exif-samples"] {
        let mut paths = Vec::new();
        super::shared::files(&data.join(folder), &mut paths);
        paths.retain(|p| p.extension().is_some_and(|e| e == "jpg"));
        for path in paths.iter().step_by(paths.len() / 24 + 1) {
            let bytes = std::fs::read(path).unwrap();
            // One picture and nothing behind it: otherwise the cut would fall behind the picture's end.
            let ends = bytes.windows(2).filter(|w| *w == [0xff, 0xd9]).count();
            if ends != 1 || !bytes.ends_with(b"\xff\xd9") || end(&bytes) != End::Whole {
                continue;
            }
            progressive += u32::from(bytes.windows(2).any(|w| w == [0xff, 0xc2]));
            for kept in KEPT {
                match end(cut(&bytes, kept)) {
                    End::Whole => panic!("{} at {kept} of 1000 is whole", path.display()),
                    End::Partial => partial += 1,
                    End::Refused => refused += 1,
                }
            }
        }
    }
    eprintln!("cuts: {partial} partial, {refused} refused, 0 whole; {progressive} of the JPEGs are progressive");
    assert!(partial >= 80 && refused * 20 < partial, "{partial} partial, {refused} refused");
}

/// Progressive files are rare among the photographs; ImageMagick makes some of them.
#[test]
fn cut_progressive_jpegs_are_never_whole() {
    let Some(data) = testdata() else { return };
    let mut paths = Vec::new();
    super::shared::files(&data.join("pictures/corpus/bsds"), &mut paths);
    let (mut partial, mut refused) = (0, 0);
    for path in paths.iter().step_by(paths.len() / 6 + 1) {
        let made = std::process::Command::new("convert").arg(path).args(["-interlace", "JPEG", "jpg:-"]).output();
        // A program of this name that makes no JPEG is not ImageMagick.
        let made = made.ok().filter(|made| made.status.success() && made.stdout.starts_with(b"\xff\xd8"));
        let Some(made) = made else {
            eprintln!("skipped: 6 cases, as ImageMagick is not here");
            return;
        };
        assert_eq!(end(&made.stdout), End::Whole, "{}", path.display());
        for kept in KEPT {
            match end(cut(&made.stdout, kept)) {
                End::Whole => panic!("{} at {kept} of 1000 is whole", path.display()),
                End::Partial => partial += 1,
                End::Refused => refused += 1,
            }
        }
    }
    eprintln!("progressive cuts: {partial} partial, {refused} refused, 0 whole");
    assert!(partial > refused);
}
