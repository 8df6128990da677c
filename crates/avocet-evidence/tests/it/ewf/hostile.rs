//! Damage, missing and foreign segments, and mutants: an error or the right bytes, never others, never a panic.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use avocet_evidence::container::ewf::Ewf;
use avocet_evidence::container::{self, Damage};
use avocet_evidence::{ReadFault, Run, Source};

use super::writer::{Image, Segment, descriptor, table, with_sum, zlib};
use super::{Random, ewfexport, media, memory, read_all, save, streamed};
use crate::support::{sha256, skipped, testdata};

/// The sections of a segment: name, offset of the body, its end.
fn sections(segment: &[u8]) -> Vec<(String, usize, usize)> {
    let (mut out, mut at) = (vec![], 13);
    loop {
        let name = String::from_utf8_lossy(&segment[at..at + 16]).trim_end_matches('\0').to_owned();
        let next = u64::from_le_bytes(segment[at + 16..at + 24].try_into().unwrap()) as usize;
        let last = next <= at || next >= segment.len();
        out.push((name, at + 76, if last { segment.len() } else { next }));
        if last {
            return out;
        }
        at = next;
    }
}

/// What comes out of an image by streaming: its bytes, or that something was noticed.
fn outcome(segments: &[Vec<u8>], threads: usize) -> Result<Vec<u8>, String> {
    let ewf = Ewf::from_sources(memory(segments)).map_err(|e| e.to_string())?;
    streamed(&ewf, threads)
}

/// The 24 of issue 2: single flipped bits in stored chunk data, 12 in each of two images.
#[test]
fn each_of_24_flipped_bits_in_chunk_data_is_noticed_by_every_read() {
    let ours = Image { chunks_per_table: 8, ..Image::of(media(64 * 1024)) }.write();
    let mut cases = vec![ours];
    match testdata() {
        Some(data) => cases.push(vec![std::fs::read(data.join("disk/made/card-fat16.E01")).unwrap()]),
        None => skipped(12, "no shared test data"),
    }
    let flips = cases.len() * 12;
    let (mut noticed, mut random) = (0, Random(24));
    for segments in cases {
        let good = Ewf::from_sources(memory(&segments)).unwrap();
        let (bytes, chunk) = (streamed(&good, 2).unwrap(), good.facts().chunk_size);
        for _ in 0..12 {
            let mut wrong = segments.clone();
            let which = random.below(wrong.len());
            let data: Vec<_> = sections(&wrong[which]).into_iter().filter(|s| s.0 == "sectors").collect();
            let (_, start, end) = data[random.below(data.len())];
            wrong[which][start + random.below(end - start)] ^= 1 << random.below(8);
            let ewf = Ewf::from_sources(memory(&wrong)).unwrap();
            // Streaming, reading in small and in large steps, and checking.
            let errors = [streamed(&ewf, 2), read_all(&ewf, 1000), read_all(&ewf, 1 << 20)].map(|r| r.unwrap_err());
            assert!(errors.iter().all(|e| e.starts_with("ewf at offset ") && e.contains("chunk ")), "{errors:?}");
            let damage = ewf.check(2);
            assert_eq!(damage.len(), 1);
            let Damage { run, error } = &damage[0];
            assert_eq!((error.fault, run.start % chunk, error.offset), (ReadFault::Damaged, 0, run.start));
            assert_eq!(run.length, chunk.min(ewf.len() - run.start), "one chunk is lost, no more");
            // Everything else is read, and right.
            let (before, after) = (run.start as usize, (run.start + run.length) as usize);
            let mut buf = vec![0; before];
            assert_eq!(ewf.read_at(0, &mut buf).unwrap(), before);
            assert!(buf == bytes[..before]);
            let mut buf = vec![0; bytes.len() - after];
            assert_eq!(ewf.read_at(after as u64, &mut buf).unwrap(), buf.len());
            assert!(buf == bytes[after..]);
            noticed += 1;
        }
    }
    assert_eq!(noticed, flips);
}

#[test]
fn a_flip_of_any_byte_gives_the_right_bytes_or_an_error() {
    let image = Image { chunks_per_table: 3, tables_per_segment: 1, ..Image::of(media(5 * 1024 + 512)) };
    let segments = image.write();
    assert_eq!(segments.len(), 2);
    let (mut same, mut refused) = (0, 0);
    for which in 0..segments.len() {
        for at in 0..segments[which].len() {
            let mut wrong = segments.clone();
            wrong[which][at] ^= 1 << (at % 8);
            match outcome(&wrong, 1) {
                Ok(bytes) => {
                    assert!(bytes == image.media, "segment {which}, byte {at}: other bytes without an error");
                    same += 1;
                }
                Err(_) => refused += 1,
            }
        }
    }
    // Both happen: headers, digests and second copies may be damaged without loss, chunks may not.
    assert!(same > 1000 && refused > 5000, "{same} {refused}");
}

#[test]
fn one_damaged_table_costs_nothing_and_two_cost_their_chunks() {
    let image = Image { tables_per_segment: 100, ..Image::of(media(15 * 1024)) };
    let segment = &image.write()[0];
    let of = |kind: &str| sections(segment).into_iter().filter(|s| s.0 == kind).map(|s| s.1).collect::<Vec<_>>();
    let (tables, seconds) = (of("table"), of("table2"));
    assert_eq!((tables.len(), seconds.len()), (3, 3));
    let codes = |wrong: &[u8]| {
        let ewf = Ewf::from_sources(memory(&[wrong.to_vec()])).unwrap();
        (ewf.problems().iter().map(|p| p.code).collect::<Vec<_>>(), streamed(&ewf, 2).ok(), ewf.check(1))
    };
    for (places, code) in [(&tables, "table-damaged"), (&seconds, "table2-damaged")] {
        for inside in [1, 26, 24 + 5 * 4] {
            let mut wrong = segment.clone();
            wrong[places[1] + inside] ^= 4;
            assert_eq!(codes(&wrong), (vec![code], Some(image.media.clone()), vec![]), "byte {inside}");
        }
    }
    // Entries of both copies: the five chunks of this table are lost, those of the next are still in their place.
    let mut wrong = segment.clone();
    wrong[tables[1] + 30] ^= 1;
    wrong[seconds[1] + 30] ^= 1;
    let (found, bytes, damage) = codes(&wrong);
    assert_eq!((found, bytes), (vec!["table-lost"], None));
    assert_eq!(damage.iter().map(|d| d.run).collect::<Vec<_>>(), [Run { start: 5 * 1024, length: 5 * 1024 }]);
    // Headers of both copies: how many chunks is lost, so nothing after them has a place.
    wrong[tables[1]] ^= 1;
    wrong[seconds[1]] ^= 1;
    let (found, _, damage) = codes(&wrong);
    assert_eq!(found, ["section-damaged", "chunks-missing"]);
    assert_eq!(damage.iter().map(|d| d.run).collect::<Vec<_>>(), [Run { start: 5 * 1024, length: 10 * 1024 }]);
}

#[test]
fn missing_foreign_and_swapped_segments_are_refused_by_name() {
    let image = Image { tables_per_segment: 1, ..Image::of(media(18 * 1024)) };
    let segments = image.write();
    assert_eq!(segments.len(), 4);
    let names = ["x.E01", "x.E02", "x.E03", "x.E04"];
    let message = |path: &Path| container::open(path).map(|_| ()).unwrap_err().to_string();
    let folder = || tempfile::tempdir().unwrap();

    for (lost, have) in [(1, 3), (2, 3), (3, 3)] {
        let folder = folder();
        save(folder.path(), &names, &segments);
        std::fs::remove_file(folder.path().join(names[lost])).unwrap();
        let text = message(&folder.path().join("x.E01"));
        let expected = format!(
            "segment {} is missing ({have} of at least 4 found). Copy all segments into one folder and try again",
            folder.path().join(names[lost]).display()
        );
        assert_eq!(text, expected);
    }
    let first_lost = folder();
    save(first_lost.path(), &names, &segments);
    std::fs::remove_file(first_lost.path().join("x.E01")).unwrap();
    assert!(message(&first_lost.path().join("x.E03")).contains("x.E01 is missing"));

    let swapped = folder();
    save(swapped.path(), &["x.E01", "x.E03", "x.E02", "x.E04"], &segments);
    assert_eq!(
        message(&swapped.path().join("x.E01")),
        "ewf at offset 9: the file named as segment 2 says that it is segment 3"
    );

    // A segment of another image: told by the set identifier; without one by the size of the medium.
    for (guid, length, what) in [(*b"another set 0123", 18, "set identifier"), ([0; 16], 19, "number of sectors")] {
        let other = Image { guid, tables_per_segment: 1, ..Image::of(media(length * 1024)) }.write();
        let foreign = folder();
        save(foreign.path(), &names, &[&segments[..2], &[other[2].clone(), segments[3].clone()]].concat());
        let text = message(&foreign.path().join("x.E01"));
        assert!(text.contains(&format!("segment 3 belongs to another image: its {what} differs")), "{text}");
    }

    // Lower-case names, any segment given; a file after the last is reported.
    let lower = folder();
    save(lower.path(), &["x.e01", "x.e02", "x.e03", "x.e04", "x.e05"], &[&segments[..], &segments[..1]].concat());
    let opened = container::open(&lower.path().join("x.e03")).unwrap();
    assert!(read_all(&*opened.source, 4096).unwrap() == image.media);
    assert_eq!(opened.problems.iter().map(|p| p.code).collect::<Vec<_>>(), ["extra-segment"]);
}

#[test]
fn a_truncated_image_reads_as_far_as_it_goes_and_says_where_it_ends() {
    let image = Image { tables_per_segment: 100, ..Image::of(media(15 * 1024)) };
    let segment = image.write().remove(0);
    let second_sectors = sections(&segment).into_iter().filter(|s| s.0 == "sectors").nth(1).unwrap();
    let cut = segment[..second_sectors.1 + 100].to_vec();
    let ewf = Ewf::from_sources(memory(&[cut])).unwrap();
    let codes: Vec<_> = ewf.problems().iter().map(|p| p.code).collect();
    assert_eq!(codes, ["segment-truncated", "chunks-missing"]);
    assert_eq!(ewf.len(), image.media.len() as u64);
    let mut buf = vec![0; 5 * 1024];
    ewf.read_at(0, &mut buf).unwrap();
    assert!(buf == image.media[..5 * 1024]);
    let error = ewf.read_at(5 * 1024 + 7, &mut buf).unwrap_err();
    assert_eq!((error.fault, error.offset), (ReadFault::Truncated, 5 * 1024 + 7));
    assert_eq!(ewf.check(2)[0].run, Run { start: 5 * 1024, length: 10 * 1024 });
    // Cut anywhere at all.
    for length in (0..segment.len()).step_by(41) {
        if let Ok(bytes) = outcome(&[segment[..length].to_vec()], 1) {
            assert!(bytes == image.media, "cut at {length}");
        }
    }
}

#[test]
fn other_kinds_of_ewf_are_refused_with_advice() {
    let Some(data) = testdata() else { return skipped(3, "no shared test data") };
    let text = |path: &Path| Ewf::open(path).map(|_| ()).unwrap_err().to_string();
    assert_eq!(
        text(&data.join("disk/ewf/zeros_128s.Ex01")),
        "EWF version 2 (Ex01) is recognised but not read by this version. Export it to raw or E01 with the tool that \
         made it, and try again"
    );
    let crash = text(&data.join("disk/ewf/fuzz-crash-parse_segment-add-overflow.E01"));
    assert!(crash.contains("no intact description of the medium's size"), "{crash}");
    assert!(text(&data.join("disk/tsk/image.dd")).contains("is not a segment of an EWF image"));
}

/// Puts right sums over what a mutation changed, so that the values behind them are met.
fn repair(segment: &mut [u8]) {
    let mut at = 13;
    while at < segment.len() && at + 76 <= segment.len() {
        let resum = |segment: &mut [u8], from: usize, to: usize| {
            if to + 4 <= segment.len() {
                let sum = with_sum(segment[from..to].to_vec());
                segment[from..to + 4].copy_from_slice(&sum);
            }
        };
        resum(segment, at, at + 72);
        let body = at + 76;
        match &segment[at..at + 8] {
            b"volume\0\0" | b"data\0\0\0\0" => resum(segment, body, body + 1048),
            b"table\0\0\0" | b"table2\0\0" => resum(segment, body, body + 20),
            b"error2\0\0" => resum(segment, body, body + 516),
            _ => {}
        }
        let next = u64::from_le_bytes(segment[at + 16..at + 24].try_into().unwrap()) as usize;
        if next <= at {
            return;
        }
        at = next;
    }
}

#[test]
fn mutants_never_panic_and_never_give_other_bytes_silently() {
    let image = Image { errors: vec![(1, 1)], ..Image::of(media(24 * 1024)) };
    let mut seeds = vec![image.write()];
    match testdata() {
        Some(data) => seeds.push(vec![std::fs::read(data.join("disk/tsk/image.E01")).unwrap()]),
        None => skipped(320, "no shared test data"),
    }
    let mut random = Random(7);
    for segments in &seeds {
        let right = outcome(segments, 1).unwrap();
        // Random damage of 1 to 512 bytes, at least half of it outside the chunks.
        for round in 0..120 {
            let mut wrong = segments.clone();
            let which = random.below(wrong.len());
            let all = sections(&wrong[which]);
            let metadata: Vec<_> = all.iter().filter(|s| s.0 != "sectors").map(|s| (s.1 - 76, s.2)).collect();
            let (from, to) =
                if round % 3 == 0 { (0, wrong[which].len()) } else { metadata[random.below(metadata.len())] };
            let at = from + random.below(to - from);
            for i in 0..[1, 8, 64, 512][round % 4] {
                if let Some(byte) = wrong[which].get_mut(at + i) {
                    *byte = random.next() as u8;
                }
            }
            if let Ok(bytes) = outcome(&wrong, 2) {
                assert!(bytes == right, "round {round}");
            }
        }
        // Absurd values behind right checksums: nothing to compare with, but no panic, no hang, no huge allocation.
        for round in 0..200 {
            let mut wrong = segments.clone();
            let which = random.below(wrong.len());
            let all: Vec<_> = sections(&wrong[which]).into_iter().filter(|s| s.0 != "sectors").collect();
            let (_, body, _) = all[random.below(all.len())];
            let fields = [
                (body - 60, 8),
                (body - 52, 8),
                (body, 4),
                (body + 4, 4),
                (body + 8, 8),
                (body + 16, 8),
                (body + 12, 4),
            ];
            let (at, width) = fields[random.below(fields.len())];
            let value =
                [0, 1, 76, 1 << 31, u64::from(u32::MAX), 1 << 40, u64::MAX / 512, u64::MAX, random.next()][round % 9];
            let bytes = &value.to_le_bytes()[..width];
            if let Some(slot) = wrong[which].get_mut(at..at + width) {
                slot.copy_from_slice(bytes);
            }
            repair(&mut wrong[which]);
            let Ok(ewf) = Ewf::from_sources(memory(&wrong)) else { continue };
            let _ = streamed(&ewf, round % 3);
            let mut buf = [0; 5000];
            for offset in [0, 1000, ewf.len() / 2, ewf.len() - 1, u64::MAX] {
                let _ = ewf.read_at(offset, &mut buf);
            }
        }
    }
}

/// A medium of 2^49 bytes and tables that claim 2^32 chunks, behind right checksums: to be refused or gone through at once.
#[test]
fn huge_declared_sizes_cost_nothing() {
    let mut segment = Image { tables_per_segment: 100, ..Image::of(media(15 * 1024)) }.write().remove(0);
    for (name, body, _) in sections(&segment) {
        match name.as_str() {
            "volume" | "data" => segment[body + 16..body + 24].copy_from_slice(&(1u64 << 40).to_le_bytes()),
            "table" | "table2" => segment[body..body + 4].fill(0xFF),
            _ => {}
        }
    }
    repair(&mut segment);
    let ewf = Ewf::from_sources(memory(&[segment])).unwrap();
    assert_eq!(ewf.len(), 1 << 49);
    let codes: Vec<_> = ewf.problems().iter().map(|p| p.code).collect();
    assert_eq!(codes, ["section-damaged", "chunk-count-disagrees", "chunks-missing"]);
    assert_eq!(ewf.check(2).iter().map(|d| d.run).collect::<Vec<_>>(), [Run { start: 0, length: 1 << 49 }]);
}

/// Chunks before, across and behind 2 GiB of one segment with 31-bit offsets (EnCase 6 before 6.7), and a table whose
/// base offset lies behind 2 GiB (EnCase 6.7 and later), in a sparse file.
#[test]
fn chunks_behind_two_gib_of_a_segment() {
    let image = Image { sectors_per_chunk: 64, chunks_per_table: 4, ..Image::of(media(6 * 32768)) };
    let chunks: Vec<&[u8]> = image.media.chunks(32768).collect();
    let plain: Vec<Vec<u8>> = chunks.iter().map(|c| with_sum(c.to_vec())).collect();
    let packed = zlib(chunks[0], 6);

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.E01");
    let mut file = File::create(&path).unwrap();
    let mut put = |at: u64, bytes: &[u8]| {
        file.seek(SeekFrom::Start(at)).unwrap();
        file.write_all(bytes).unwrap();
        at + bytes.len() as u64
    };
    let mut head = Segment::new(1);
    head.section("volume", &image.volume());
    let sectors = put(0, &head.bytes);
    // The second chunk begins before 2 GiB and ends behind.
    let at1 = (1u64 << 31) - 10_000;
    let at0 = at1 - packed.len() as u64;
    put(at0, &packed);
    let mut end = put(at1, &plain[1..4].concat());
    let size = plain[1].len() as u64;
    put(sectors, &descriptor("sectors", end, end - sectors));
    let entries = [at0 as u32 | 1 << 31, at1 as u32, (at1 + size) as u32, (at1 + 2 * size) as u32];
    let mut section = |kind: &str, body: &[u8]| {
        let size = 76 + body.len() as u64;
        let next = if kind == "done" { end } else { end + size };
        end = put(end, &[&descriptor(kind, next, size)[..], body].concat());
        end - size
    };
    section("table", &table(0, &entries));
    section("table2", &table(0, &entries));
    let base = section("sectors", &[&zlib(chunks[4], 9)[..], &plain[5]].concat());
    let second = 76 + zlib(chunks[4], 9).len() as u32;
    section("table", &table(base, &[76 | 1 << 31, second]));
    section("table2", &table(base, &[76 | 1 << 31, second]));
    section("done", &[]);
    drop(file);

    let ewf = Ewf::open(&path).unwrap();
    assert_eq!(ewf.problems(), []);
    assert!(streamed(&ewf, 2).unwrap() == image.media);
    assert!(read_all(&ewf, 1000).unwrap() == image.media);
    match ewfexport(&path, ewf.len()) {
        Some(theirs) => assert_eq!(theirs, sha256(&image.media)),
        None => skipped(1, "no ewfexport"),
    }
}
