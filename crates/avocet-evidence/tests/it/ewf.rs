//! EWF and raw images: our bytes against `ewfexport`, stored digests and an own writer; damage; hostile input.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "helpers of tests, which write their own fixtures into temporary folders"
)]

mod hostile;
mod raw;
mod smart;
mod writer;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use avocet_evidence::container::ewf::Ewf;
use avocet_evidence::container::{self, Piece};
use avocet_evidence::{MemorySource, Source, VisitResult};
use sha2::Digest;

use self::writer::Image;
use crate::support::{images, sha256, skipped, testdata};

/// A repeatable stream of numbers (splitmix64).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
}

/// Content that compresses in some places and not in others.
pub fn media(length: usize) -> Vec<u8> {
    let mut random = Random(length as u64);
    (0..length).map(|i| if i / 700 % 2 == 0 { (i / 7) as u8 } else { random.next() as u8 }).collect()
}

pub fn memory(segments: &[Vec<u8>]) -> Vec<Arc<dyn Source>> {
    segments.iter().map(|s| Arc::new(MemorySource(s.clone())) as Arc<dyn Source>).collect()
}

/// All bytes by `stream`; the first error where there is one.
pub fn streamed(ewf: &Ewf, threads: usize) -> Result<Vec<u8>, String> {
    let (mut out, mut error, mut at) = (vec![], None, 0);
    let _ = ewf.stream(threads, &mut |piece: Piece<'_>| {
        assert_eq!(piece.offset, at, "pieces follow each other");
        at += piece.length;
        match piece.data {
            Ok(data) => {
                assert_eq!(data.len() as u64, piece.length);
                out.extend_from_slice(data);
            }
            Err(e) => drop(error.get_or_insert(e.to_string())),
        }
        VisitResult::Continue(())
    });
    assert_eq!(at, ewf.len());
    error.map_or(Ok(out), Err)
}

/// All bytes by `read_at` in steps.
pub fn read_all(source: &dyn Source, step: usize) -> Result<Vec<u8>, String> {
    let (mut out, mut buf) = (vec![], vec![0; step]);
    loop {
        let n = source.read_at(out.len() as u64, &mut buf).map_err(|e| e.to_string())?;
        out.extend_from_slice(&buf[..n]);
        if n == 0 {
            return Ok(out);
        }
    }
}

pub fn save(folder: &Path, names: &[&str], segments: &[Vec<u8>]) -> PathBuf {
    for (name, bytes) in names.iter().zip(segments) {
        std::fs::write(folder.join(name), bytes).unwrap();
    }
    folder.join(names[0])
}

/// SHA-256 of the medium of `length` bytes as libewf reads it; `None` without ewf-tools.
fn ewfexport(path: &Path, length: u64) -> Option<String> {
    let mut child = Command::new("ewfexport")
        .args(["-q", "-u", "-f", "raw", "-t", "-"])
        .arg(path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let (mut hash, mut pipe, mut buf) = (sha2::Sha256::new(), child.stdout.take()?, vec![0; 1 << 16]);
    let (mut left, mut rest) = (length as usize, vec![]);
    loop {
        let n = pipe.read(&mut buf).unwrap();
        let (data, more) = buf[..n].split_at(n.min(left));
        hash.update(data);
        rest.extend_from_slice(more);
        left -= data.len();
        if n == 0 {
            break;
        }
    }
    assert!(child.wait().unwrap().success(), "ewfexport");
    // It ends its standard output with a line of its own.
    assert_eq!((left, String::from_utf8_lossy(&rest).as_ref()), (0, "ewfexport: SUCCESS\n"));
    Some(hash.finalize().iter().map(|b| format!("{b:02x}")).collect())
}

/// The kinds of images the writer makes.
fn variants() -> Vec<Image> {
    let base = Image::of(media(23 * 1024 + 512));
    vec![
        base.clone(),
        Image { level: |_| None, ..base.clone() },
        Image { level: |_| Some(9), tables_per_segment: 100, ..base.clone() },
        Image { level: |_| Some(0), chunks_per_table: 1, tables_per_segment: 1, guid: [0; 16], ..base.clone() },
        Image { sectors_per_chunk: 1, chunks_per_table: 16, ..base.clone() },
        Image { sectors_per_chunk: 64, ..Image::of(media(300 * 1024)) },
        Image { bytes_per_sector: 2048, sectors_per_chunk: 3, ..Image::of(media(60 * 2048)) },
        Image { sectors_per_chunk: 4096, chunks_per_table: 1, tables_per_segment: 1, ..Image::of(media(5 << 20)) },
    ]
}

#[test]
fn what_the_writer_wrote_comes_back_by_every_way() {
    let mut oracle = 0;
    for (i, image) in variants().into_iter().enumerate() {
        let segments = image.write();
        let ewf = Ewf::from_sources(memory(&segments)).unwrap();
        assert_eq!(ewf.problems(), [], "variant {i}");
        for threads in [0, 1, 2, 5] {
            assert!(streamed(&ewf, threads).unwrap() == image.media, "variant {i}, {threads} threads");
        }
        for step in [1000, 4096, 1 << 20] {
            assert!(read_all(&ewf, step).unwrap() == image.media, "variant {i}, step {step}");
        }
        let facts = ewf.facts();
        assert_eq!(facts.stored_md5.unwrap().0, image.md5);
        assert_eq!(facts.stored_sha1.unwrap().0, image.sha1);
        assert_eq!(
            facts.header[..2],
            [("case number".into(), "K 1/26".into()), ("evidence number".into(), "JC-1".into())]
        );
        assert_eq!(facts.header[2].1, "Drehb\u{fc}hne");
        assert_eq!((facts.compression, facts.format), ("best", "EWF-E01 as of EnCase 5"));
        assert_eq!(
            facts.compressed_chunks,
            (0..facts.chunks as usize).filter(|c| (image.level)(*c).is_some()).count() as u64
        );

        let folder = tempfile::tempdir().unwrap();
        let names: Vec<String> = (1..=segments.len()).map(|n| format!("x.E{n:02}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let first = save(folder.path(), &names, &segments);
        // Any segment may be named.
        let opened = container::open(&folder.path().join(names[names.len() - 1])).unwrap();
        assert_eq!((opened.kind, opened.segments.len()), ("ewf", segments.len()));
        assert!(read_all(&*opened.source, 7777).unwrap() == image.media);
        if let Some(theirs) = ewfexport(&first, ewf.len()) {
            assert_eq!(theirs, sha256(&image.media), "ewfexport reads variant {i} otherwise");
            oracle += 1;
        }
    }
    if oracle == 0 {
        skipped(8, "no ewfexport to read what the test's writer wrote");
    }
}

#[test]
fn real_images_equal_ewfexport_and_their_stored_digest() {
    let mut paths = vec![];
    if let Some(data) = testdata() {
        for name in [
            "disk/ewf/CFReDS001.E01",
            "disk/ewf/gpt_130_partitions.E01",
            "disk/ewf/nps-2010-emails.E01",
            "disk/ewf/ntfs_sample.E01",
            "disk/fs/gpt_ntfs.E01",
            "disk/made/card-fat16.E01",
            "disk/plaso/image-split.E01",
            "disk/tsk/image.E01",
            "disk/tsk/imageformat_mmls_1.E01",
        ] {
            paths.push(data.join(name));
        }
    } else {
        skipped(9, "no shared test data");
    }
    match images() {
        Some(images) => {
            paths.extend(["gpt_e6", "gpt_none", "gpt_ftk", "gpt_ex"].map(|n| images.join(format!("{n}.E01"))))
        }
        None => skipped(4, "no AVOCET_IMAGES"),
    }
    for path in paths {
        let ewf = Ewf::open(&path).unwrap();
        let label = path.file_name().unwrap().to_owned();
        assert_eq!(ewf.problems(), [], "{label:?}");
        let (mut md5, mut sha1, mut sha256) = (md5::Md5::new(), sha1::Sha1::new(), sha2::Sha256::new());
        let _ = ewf.stream(2, &mut |piece| {
            let data = piece.data.unwrap();
            md5.update(data);
            sha256.update(data);
            if ewf.facts().stored_sha1.is_some() {
                sha1.update(data);
            }
            VisitResult::Continue(())
        });
        let stored = ewf.facts().stored_md5.unwrap();
        assert_eq!(<[u8; 16]>::from(md5.finalize()), stored.0, "{label:?}: stored MD5");
        if let Some(stored) = ewf.facts().stored_sha1 {
            assert_eq!(<[u8; 20]>::from(sha1.finalize()), stored.0, "{label:?}: stored SHA-1");
        }
        let ours: String = sha256.finalize().iter().map(|b| format!("{b:02x}")).collect();
        match ewfexport(&path, ewf.len()) {
            Some(theirs) => assert_eq!(ours, theirs, "{label:?}"),
            None => skipped(1, "no ewfexport"),
        }
    }
}

#[test]
fn eight_threads_at_random_places_read_what_one_reads() {
    let image = Image { sectors_per_chunk: 8, chunks_per_table: 40, ..Image::of(media(2 << 20)) };
    let mut cases = vec![Ewf::from_sources(memory(&image.write())).unwrap()];
    match testdata() {
        Some(data) => cases.push(Ewf::open(&data.join("disk/plaso/image-split.E01")).unwrap()),
        None => skipped(1, "no shared test data"),
    }
    for ewf in cases {
        let serial = streamed(&ewf, 1).unwrap();
        std::thread::scope(|scope| {
            for seed in 0..8 {
                let (ewf, serial) = (&ewf, &serial);
                scope.spawn(move || {
                    let mut random = Random(seed);
                    for _ in 0..400 {
                        let offset = random.below(serial.len() + 10);
                        let mut buf = vec![0; random.below(100_000)];
                        let n = ewf.read_at(offset as u64, &mut buf).unwrap();
                        let end = serial.len().min(offset + buf.len());
                        assert!(buf[..n] == serial[offset.min(end)..end], "{offset}");
                    }
                });
            }
        });
    }
}

#[test]
fn sectors_that_acquisition_could_not_read_are_named() {
    let image = Image { errors: vec![(3, 2), (40, 1)], ..Image::of(media(64 * 512)) };
    let ewf = Ewf::from_sources(memory(&image.write())).unwrap();
    assert_eq!(ewf.facts().acquisition_errors, [(3, 2), (40, 1)]);
    assert_eq!(ewf.problems().len(), 1);
    assert_eq!(ewf.problems()[0].code, "acquisition-errors");
    assert!(ewf.problems()[0].detail.starts_with("3 sectors in 2 runs"));
    let folder = tempfile::tempdir().unwrap();
    let segments = image.write();
    let names: Vec<String> = (1..=segments.len()).map(|n| format!("x.E{n:02}")).collect();
    let first = save(folder.path(), &names.iter().map(String::as_str).collect::<Vec<_>>(), &segments);
    match Command::new("ewfinfo").arg(&first).output() {
        Ok(out) => {
            let text = String::from_utf8_lossy(&out.stdout).into_owned();
            for run in ["3 - 4 number: 2", "40 - 40 number: 1"] {
                assert!(text.contains(run), "{text}");
            }
        }
        Err(_) => skipped(1, "no ewfinfo"),
    }
}
