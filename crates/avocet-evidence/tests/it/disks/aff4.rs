//! AFF4: the standard's reference images against the digests published for them; made ones; damage.

use std::io::{Cursor, Write as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use avocet_base::Zone;
use avocet_evidence::container::{self, Detected, Disk, open_disk};
use avocet_evidence::{
    Content, EntryKind, Evidence, MemorySource, Note, OpenError, ReadFault, Run, Source, Stated, Unreadable,
    VisitResult, VolumeState,
};
use sha2::Digest as _;

use super::hex;
use crate::support::{Random, collect, content, skipped, some_reads_fail, testdata};

/// SHA-1 of a disk, its unreadable parts filled as the reference library fills them: with a word that repeats, begun anew
/// with each MiB.
fn sha1_filled(opened: &container::Opened, fill: &[u8]) -> String {
    let mut sum = sha1::Sha1::new();
    let filling: Vec<u8> = fill.iter().copied().cycle().take(1 << 20).collect();
    let _ = opened.stream(2, &mut |piece| {
        match piece.data {
            Ok(data) => sum.update(data),
            Err(_) => {
                let from = (piece.offset % (1 << 20)) as usize;
                sum.update(&filling[from..from + piece.length as usize]);
            }
        }
        VisitResult::Continue(())
    });
    hex(&sum.finalize())
}

#[test]
fn the_reference_images_give_the_disk_that_is_published_for_them() {
    let Some(folder) = testdata().map(|d| d.join("disk/aff4")) else { return skipped(3, "no shared test data") };
    // The digests are those of the tests of the reference libraries, made by the program that made the images.
    let whole = container::open(&folder.join("Base-Linear.aff4")).unwrap();
    assert_eq!((whole.kind, &whole.problems[..], whole.source.len()), ("aff4", &[][..], 268_435_456));
    assert_eq!(sha1_filled(&whole, b""), "7d3d27f667f95f7ec5b9d32121622c0f4b60b48d");
    assert_eq!(whole.check(2), []);
    assert_eq!(whole.stored_digests(), (None, None), "what is stored is of the stream, not of the disk");

    let part = container::open(&folder.join("Base-Linear-ReadError.aff4")).unwrap();
    let said: Vec<_> = part.problems.iter().map(|p| (p.code, p.offset, p.detail.as_str())).collect();
    let detail = "1048576 bytes could not be read when the image was made";
    let lost = [15_728_640, 89_128_960];
    assert_eq!(said, lost.map(|at| ("unreadable-when-acquired", Some(at), detail)));
    let damage = part.check(2);
    assert_eq!(damage.iter().map(|d| d.run).collect::<Vec<_>>(), lost.map(|start| Run { start, length: 1 << 20 }));
    assert!(damage.iter().all(|d| d.error.fault == ReadFault::Io), "{damage:?}");
    assert_eq!(sha1_filled(&part, b"UNREADABLEDATA"), "67e245a640e2784ead30c1ff1a3f8d237b58310f");

    // The volume inside is read on.
    let evidence = Evidence::open(&folder.join("Base-Linear.aff4")).unwrap();
    assert_eq!((evidence.kind, evidence.scheme), ("aff4", "mbr"));
    assert!(evidence.volumes.iter().any(|v| v.state.word() == "read"), "{:?}", evidence.volumes);

    let logical = container::open(&folder.join("dream.aff4")).map(|_| ()).unwrap_err().to_string();
    assert!(logical.starts_with("a logical AFF4 image (AFF4-L) as a disk image"), "{logical}");
}

/// A volume by the reference library, against the file that it was made of and the digests that it states.
#[test]
fn a_logical_image_gives_the_file_that_was_put_in() {
    let Some(folder) = testdata().map(|d| d.join("disk/aff4")) else { return skipped(1, "no shared test data") };
    let evidence = Evidence::open(&folder.join("dream.aff4")).unwrap();
    assert_eq!((evidence.kind, evidence.volumes.len()), ("aff4-l", 1));
    let VolumeState::Read { fs, source } = &evidence.volumes[0].state else { panic!("{:?}", evidence.volumes) };
    let found = collect(&**fs);
    assert!(found.problems.is_empty(), "{:?}", found.problems);
    let paths: Vec<&str> = found.entries.iter().map(|e| e.path.as_str()).collect();
    let own = ["/$AFF4/container.description", "/$AFF4/information.turtle", "/$AFF4/version.txt"];
    assert_eq!(paths[0], "/test_images/AFF4-L/dream.txt");
    assert_eq!(paths[1..], own);
    let dream = content(&found.entries[0], source, 1 << 20).unwrap().unwrap();
    assert!(dream == std::fs::read(folder.join("dream.txt")).unwrap());
    let stated = [Stated::parse(&hex(&md5::Md5::digest(&dream))), Stated::parse(&hex(&sha1::Sha1::digest(&dream)))];
    assert_eq!(found.entries[0].notes, stated.map(|digest| Note::Stated(digest.unwrap())));
    let modified = found.entries[0].times.modified.unwrap();
    assert_eq!((modified.ns, modified.zone), (1_537_155_740_000_000_000, Zone::Offset(600)));
}

/// An archive of these members, stored, with a comment.
fn archive(members: &[(&str, &[u8])], comment: &str) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(vec![]));
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    zip.set_comment(comment).unwrap();
    for (name, bytes) in members {
        zip.start_file(*name, stored).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// What makes an archive an AFF4 volume: its comment, or its own members; not what other members hold.
#[test]
fn an_ordinary_zip_that_speaks_of_aff4_is_a_zip() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.zip");
    let detect = |bytes: Vec<u8>| {
        std::fs::write(&path, bytes).unwrap();
        container::detect(&path).unwrap()
    };
    let long = [7; 6000];
    let text: (&str, &[u8]) =
        ("aff4%3A%2F%2F/container.description.txt", b"aff4://v is what such a volume begins with");
    assert_eq!(detect(archive(&[text], "")), Detected::Zip);
    assert_eq!(detect(archive(&[text, ("information.turtle", b"")], "an aff4:// volume")), Detected::Zip);
    assert_eq!(detect(archive(&[text, ("container.description", b"aff4://v")], "")), Detected::Zip);
    // What is there belongs to a volume, wherever its members lie.
    let own: [(&str, &[u8]); 2] = [("container.description", b"aff4://v"), ("information.turtle", b"")];
    assert_eq!(detect(archive(&[("a", &long), own[0], own[1]], "")), Detected::Disk);
    assert_eq!(detect(archive(&[("a", &long)], "aff4://v")), Detected::Disk);
    // And a zip that speaks of it is read as one.
    std::fs::write(&path, archive(&[text], "")).unwrap();
    let evidence = Evidence::open(&path).unwrap();
    let VolumeState::Read { fs, .. } = &evidence.volumes[0].state else { panic!("{:?}", evidence.volumes) };
    assert_eq!((evidence.kind, collect(&**fs).entries.len()), ("zip", 1));
}

#[test]
fn what_is_wrong_with_the_archive_is_among_the_problems_of_the_image() {
    let stream = sample(20 * CHUNK);
    let base = make(&stream, Packed::No, true, None);
    assert!(open(&base).unwrap().problems.is_empty());
    // The name in the header of a member, which stands before the one in the directory.
    let index = b"s/00000001.index";
    let at = base.windows(index.len()).position(|w| w == index).unwrap();
    let mut odd = base.clone();
    odd[at + 5] ^= 1;
    let disk = open(&odd).unwrap();
    let codes: Vec<_> = disk.problems.iter().map(|p| (p.layer, p.code)).collect();
    assert_eq!(codes, [("zip", "local-header-differs")]);
    assert!(disk.problems[0].path.as_deref().unwrap().ends_with("/00000001.index"));
    // A member that is packed in another way than is read, by the directory.
    let at = base.windows(index.len()).rposition(|w| w == index).unwrap();
    let mut odd = base;
    let header = odd[..at].windows(4).rposition(|w| w == b"PK\x01\x02").unwrap();
    odd[header + 10] = 12;
    let disk = open(&odd).unwrap();
    let codes: Vec<_> = disk.problems.iter().map(|p| p.code).collect();
    assert!(codes.contains(&"member-unreadable"), "{codes:?}");
    assert!(disk.source.read_at(8 * CHUNK as u64, &mut [0; 16]).is_err());
}

/// A logical volume: a member, a stream, a map, an empty folder, a file that is not there, one of another size.
fn make_logical(stream: &[u8], wrong: u64) -> Vec<u8> {
    let (mut data, mut index) = (vec![], vec![]);
    for chunk in stream.chunks(CHUNK) {
        let bytes = Packed::Snappy.pack(chunk);
        let bytes = if bytes.len() >= CHUNK { chunk.to_vec() } else { bytes };
        index.extend((data.len() as u64).to_le_bytes());
        index.extend((bytes.len() as u32).to_le_bytes());
        data.extend(bytes);
    }
    let map: Vec<u8> = [0u64, 10, 5].iter().flat_map(|n| n.to_le_bytes()).chain(0u32.to_le_bytes()).collect();
    let sha256 = hex(&sha2::Sha256::digest(b"a member"));
    let list = format!(
        "@prefix aff4: <http://aff4.org/Schema#> .\n@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .\n\
         <aff4://v//d/a%20b.txt> a aff4:FileImage, aff4:Image, aff4:zip_segment ; aff4:size 8 ;\n\
         aff4:originalFileName \"./d/a b.txt\"^^xsd:string ; aff4:hash \"{sha256}\"^^aff4:SHA256 ;\n\
         aff4:lastWritten \"2024-05-06T07:08:09+00:00\"^^xsd:datetime .\n\
         <aff4://v/C:/big.bin> a aff4:FileImage, aff4:ImageStream ; aff4:originalFileName \"C:\\\\big.bin\" ;\n\
         aff4:chunkSize {CHUNK} ; aff4:chunksInSegment 100 ; aff4:compressionMethod {} ; aff4:size {} .\n\
         <aff4://v/part> a aff4:FileImage ; aff4:originalFileName \"part\" ; aff4:dataStream <aff4://m> ; aff4:size 10 .\n\
         <aff4://m> a aff4:Map ; aff4:size 10 .\n\
         <aff4://v/f> a aff4:Folder ; aff4:originalFileName \"/empty folder\" .\n\
         <aff4://v/gone> a aff4:FileImage ; aff4:originalFileName \"/gone\" ; aff4:size 77 .\n\
         <aff4://v/wrong> a aff4:FileImage ; aff4:originalFileName \"/wrong\" ; aff4:size {wrong} .\n",
        Packed::Snappy.name(),
        stream.len()
    );
    archive(
        &[
            ("/d/a b.txt", b"a member"),
            ("container.description", b"aff4://v"),
            ("version.txt", b"major=1\nminor=1\n"),
            ("C:/big.bin/00000000", &data),
            ("C:/big.bin/00000000.index", &index),
            ("aff4%3A%2F%2Fm/map", &map),
            ("aff4%3A%2F%2Fm/idx", b"aff4://v/C:/big.bin"),
            ("wrong", b"12345"),
            ("beside", b"what the list does not name"),
            ("information.turtle", list.as_bytes()),
        ],
        "aff4://v",
    )
}

#[test]
fn every_kind_of_file_of_a_logical_volume() {
    let stream = sample(20 * CHUNK + 77);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.aff4");
    std::fs::write(&path, make_logical(&stream, 4)).unwrap();
    let evidence = Evidence::open(&path).unwrap();
    assert_eq!(evidence.kind, "aff4-l");
    let VolumeState::Read { fs, source } = &evidence.volumes[0].state else { panic!("{:?}", evidence.volumes) };
    let found = collect(&**fs);
    let read = |path: &str| {
        let entry = found.entries.iter().find(|e| e.path == path).unwrap_or_else(|| panic!("{path}"));
        (entry.kind, content(entry, source, 1 << 20).unwrap())
    };
    assert_eq!(read("/d/a b.txt"), (EntryKind::File, Some(b"a member".to_vec())));
    assert!(read("/C:/big.bin").1.unwrap() == stream);
    assert!(read("/part").1.unwrap() == stream[5..15]);
    assert_eq!(read("/empty folder"), (EntryKind::Directory, None));
    assert_eq!(read("/gone"), (EntryKind::File, None));
    assert_eq!(read("/wrong").1.unwrap(), b"12345");
    assert_eq!(read("/$AFF4/beside").1.unwrap(), b"what the list does not name");
    let mut paths: Vec<&str> =
        found.entries.iter().map(|e| e.path.as_str()).filter(|p| p.starts_with("/$AFF4")).collect();
    paths.sort_unstable();
    let own = ["beside", "container.description", "information.turtle", "version.txt"];
    assert_eq!(paths, own.map(|name| format!("/$AFF4/{name}")));
    let codes: Vec<_> = found.problems.iter().map(|p| (p.code, p.path.as_deref())).collect();
    assert_eq!(codes, [("chunks-have-no-digest", None), ("size-differs", Some("/wrong"))]);
    let gone = found.entries.iter().find(|e| e.path == "/gone").unwrap();
    assert!(matches!(gone.content, Content::Unreadable(Unreadable::NotHeld)) && gone.size == 77);
}

/// 200 damaged logical volumes: no panic, no hang; what is listed is read or says why not.
#[test]
fn damaged_logical_volumes_cost_at_most_themselves() {
    let stream = sample(6 * CHUNK);
    let base = make_logical(&stream, 5);
    let list = base.windows(7).position(|w| w == b"@prefix").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.aff4");
    let (mut refused, mut said, mut whole) = (0, 0, 0);
    for seed in 1..=200u64 {
        let mut random = Random(seed * 104_729 + 5);
        let mut bytes = base.clone();
        let from = if seed % 2 == 0 { 0 } else { list };
        for _ in 0..[1, 4, 16][(random.next() % 3) as usize] {
            bytes[from + (random.next() % (base.len() - from) as u64) as usize] = random.next() as u8;
        }
        std::fs::write(&path, &bytes).unwrap();
        let Ok(evidence) = Evidence::open(&path) else {
            refused += 1;
            continue;
        };
        let VolumeState::Read { fs, source } = &evidence.volumes[0].state else { continue };
        let found = collect(&**fs);
        let failed = found.entries.iter().filter(|e| content(e, source, 1 << 20).is_err()).count();
        said += usize::from(failed > 0 || found.problems.len() > 1);
        whole += usize::from(found.entries.iter().any(|e| e.path == "/d/a b.txt"));
    }
    println!("{refused} refused, {said} that say so, {whole} with the first file, of 200");
    assert!(refused > 20 && said > 20 && whole > 20, "{refused} {said} {whole}");
}

/// How the chunks of a made image are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packed {
    No,
    Snappy,
    Lz4,
    Deflate,
    Zlib,
}

impl Packed {
    fn name(self) -> &'static str {
        match self {
            Self::No => "aff4:NullCompressor",
            Self::Snappy => "<http://code.google.com/p/snappy/>",
            Self::Lz4 => "<https://code.google.com/p/lz4/>",
            Self::Deflate => "<https://tools.ietf.org/html/rfc1951>",
            Self::Zlib => "<https://www.ietf.org/rfc/rfc1950.txt>",
        }
    }

    fn pack(self, bytes: &[u8]) -> Vec<u8> {
        let flate = |zlib| {
            let mut out = vec![0; bytes.len() * 2 + 100];
            let mut deflate = flate2::Compress::new(flate2::Compression::new(6), zlib);
            deflate.compress(bytes, &mut out, flate2::FlushCompress::Finish).unwrap();
            out.truncate(deflate.total_out() as usize);
            out
        };
        // Runs of one byte as matches, everything else plain: enough to meet every kind of element.
        let runs = |emit: &mut dyn FnMut(&[u8], usize)| {
            let (mut at, mut plain) = (0, 0);
            while at < bytes.len() {
                let same = bytes[at..].iter().take_while(|b| **b == bytes[at]).count();
                if same > 8 {
                    emit(&bytes[plain..=at], same - 1);
                    at += same;
                    plain = at;
                } else {
                    at += 1;
                }
            }
            emit(&bytes[plain..], 0);
        };
        let mut out = vec![];
        match self {
            Self::No => out.extend(bytes),
            Self::Snappy => {
                let mut n = bytes.len();
                while n > 127 {
                    out.push(n as u8 | 0x80);
                    n >>= 7;
                }
                out.push(n as u8);
                runs(&mut |plain, mut same| {
                    for part in plain.chunks(60) {
                        out.push(((part.len() - 1) << 2) as u8);
                        out.extend(part);
                    }
                    while same > 0 {
                        let n = same.min(64);
                        out.extend([((n - 1) << 2 | 2) as u8, 1, 0]);
                        same -= n;
                    }
                });
            }
            Self::Lz4 => {
                let long = |out: &mut Vec<u8>, mut n: usize| {
                    if n >= 15 {
                        n -= 15;
                        while n >= 255 {
                            out.push(255);
                            n -= 255;
                        }
                        out.push(n as u8);
                    }
                };
                runs(&mut |plain, same| {
                    let matched = same.saturating_sub(4);
                    out.push((plain.len().min(15) << 4 | matched.min(15)) as u8);
                    long(&mut out, plain.len());
                    out.extend(plain);
                    if same > 0 {
                        out.extend([1, 0]);
                        long(&mut out, matched);
                    }
                });
            }
            Self::Deflate => return flate(false),
            Self::Zlib => return flate(true),
        }
        out
    }
}

const CHUNK: usize = 4096;
const PER_BEVY: usize = 8;

/// A range of a map: its start, length, place in the target, and target.
type Made = (u64, u64, u64, &'static str);

/// An image: a stream of chunks, with digests where asked, and a map onto it unless the stream is the disk.
fn make(stream: &[u8], packed: Packed, digests: bool, map: Option<(u64, &[Made])>) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(vec![]));
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let mut put = |name: &str, bytes: &[u8]| {
        zip.start_file(name, stored).unwrap();
        zip.write_all(bytes).unwrap();
    };
    put("container.description", b"aff4://v");
    put("version.txt", b"major=1\nminor=0\ntool=made\n");
    for (n, bevy) in stream.chunks(CHUNK * PER_BEVY).enumerate() {
        let (mut data, mut index, mut sums) = (vec![], vec![], vec![]);
        for chunk in bevy.chunks(CHUNK) {
            let mut bytes = packed.pack(chunk);
            if bytes.len() >= CHUNK {
                bytes = chunk.to_vec();
            }
            index.extend((data.len() as u64).to_le_bytes());
            index.extend((bytes.len() as u32).to_le_bytes());
            data.extend(bytes);
            sums.extend_from_slice(&sha1::Sha1::digest(chunk));
        }
        put(&format!("aff4%3A%2F%2Fs/{n:08}"), &data);
        put(&format!("aff4%3A%2F%2Fs/{n:08}.index"), &index);
        if digests {
            put(&format!("aff4%3A%2F%2Fs/{n:08}.blockHash.sha1"), &sums);
        }
    }
    let mut list = format!(
        "@prefix aff4: <http://aff4.org/Schema#> .\n@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .\n\
         <aff4://i> a aff4:DiskImage, aff4:Image ; aff4:dataStream <aff4://{}> .\n\
         <aff4://s> a aff4:ImageStream ; aff4:chunkSize \"{CHUNK}\"^^xsd:int ; aff4:chunksInSegment {PER_BEVY} ;\n\
         aff4:compressionMethod {} ; aff4:hash \"{}\"^^aff4:SHA1 ; aff4:size \"{}\"^^xsd:long .\n",
        if map.is_some() { "m" } else { "s" },
        packed.name(),
        hex(&sha1::Sha1::digest(stream)),
        stream.len()
    );
    if let Some((length, ranges)) = map {
        let (mut table, mut targets) = (vec![], vec![]);
        for (start, length, inside, target) in ranges {
            let number = targets.iter().position(|t| t == target).unwrap_or_else(|| {
                targets.push(*target);
                targets.len() - 1
            });
            for n in [start, length, inside] {
                table.extend(n.to_le_bytes());
            }
            table.extend((number as u32).to_le_bytes());
        }
        list += &format!(
            "<aff4://m> a aff4:Map ; aff4:size {length} ; aff4:mapPointHash \"{}\"^^aff4:SHA512 .\n",
            hex(&sha2::Sha512::digest(&table))
        );
        put("aff4%3A%2F%2Fm/map", &table);
        put("aff4%3A%2F%2Fm/idx", targets.join("\n").as_bytes());
    }
    put("information.turtle", list.as_bytes());
    zip.finish().unwrap().into_inner()
}

fn open(bytes: &[u8]) -> Result<Disk, OpenError> {
    let mut none = |_: &[u8]| Err(OpenError::malformed("test", 0, "no extents here"));
    open_disk(Arc::new(MemorySource(bytes.to_vec())), &mut none)
}

fn sample(length: usize) -> Vec<u8> {
    let mut random = Random(length as u64 | 1);
    (0..length)
        .map(|i| {
            if i / 3000 % 3 == 0 {
                (i / 500) as u8
            } else if i / 3000 % 3 == 1 {
                0
            } else {
                random.next() as u8
            }
        })
        .collect()
}

fn whole(source: &dyn Source) -> Vec<u8> {
    let mut out = vec![0; source.len() as usize];
    assert_eq!(source.read_at(0, &mut out).unwrap(), out.len());
    out
}

#[test]
fn chunks_of_every_kind_and_maps_read_as_what_they_were_made_of() {
    let stream = sample(37 * CHUNK + 100);
    for packed in [Packed::No, Packed::Snappy, Packed::Lz4, Packed::Deflate, Packed::Zlib] {
        for digests in [true, false] {
            let disk = open(&make(&stream, packed, digests, None)).unwrap();
            assert!(whole(&*disk.source) == stream, "{packed:?}");
            let codes: Vec<_> = disk.problems.iter().map(|p| p.code).collect();
            assert_eq!(codes, if digests { vec![] } else { vec!["chunks-have-no-digest"] }, "{packed:?}");
            // The stream is the disk: its digest is the disk's.
            assert_eq!(hex(&disk.stored.1.unwrap().0), hex(&sha1::Sha1::digest(&stream)));
        }
    }
    let c = CHUNK as u64;
    let ranges: &[Made] = &[
        (0, 3 * c + 10, c - 5, "aff4://s"),
        (3 * c + 10, 1000, 0, "http://aff4.org/Schema#SymbolicStream61"),
        (5 * c, 700, 100, "aff4://s"),
        (6 * c, 512, 0, "http://aff4.org/Schema#UnreadableData"),
        (6 * c + 512, 512, 0, "http://aff4.org/Schema#UnreadableData"),
        (7 * c, 512, 0, "http://aff4.org/Schema#UnknownData"),
        (8 * c, 512, 0, "aff4://elsewhere"),
    ];
    let disk = open(&make(&stream, Packed::Snappy, true, Some((9 * c, ranges)))).unwrap();
    let said: Vec<_> = disk.problems.iter().map(|p| (p.code, p.offset)).collect();
    assert_eq!(said, [("unreadable-when-acquired", Some(6 * c)), ("not-acquired", Some(7 * c))]);
    let mut wanted = stream[CHUNK - 5..4 * CHUNK + 5].to_vec();
    wanted.resize(wanted.len() + 1000, 0x61);
    wanted.resize(5 * CHUNK, 0);
    wanted.extend(&stream[100..800]);
    wanted.resize(6 * CHUNK, 0);
    let mut out = vec![1; 6 * CHUNK];
    assert_eq!(disk.source.read_at(0, &mut out).unwrap(), out.len());
    assert!(out == wanted);
    for (at, fault) in [(6, ReadFault::Io), (7, ReadFault::Io), (8, ReadFault::Truncated)] {
        let error = disk.source.read_at(at * c - 3, &mut [0; 10]).unwrap_err();
        assert_eq!((error.layer, error.offset, error.fault), ("aff4", at * c, fault));
    }
    assert_eq!(disk.source.read_at(8 * c + 512, &mut out).unwrap(), CHUNK - 512, "behind the last range");
    assert_eq!(disk.source.read_at(u64::MAX, &mut out).unwrap(), 0);
    // A changed map does not agree with its digest.
    let mut bytes = make(&stream, Packed::No, true, Some((9 * c, ranges)));
    let at = bytes.windows(8).position(|w| w == (3 * c + 10).to_le_bytes()).unwrap();
    bytes[at + 40] ^= 1;
    assert!(open(&bytes).unwrap().problems.iter().any(|p| p.code == "digest-differs"));
}

#[test]
fn a_flipped_bit_in_a_chunk_costs_that_chunk() {
    let stream = sample(20 * CHUNK);
    let base = make(&stream, Packed::No, true, None);
    for seed in 1..=24u64 {
        let mut random = Random(seed * 77);
        let mut bytes = base.clone();
        // The first member with content begins within the first kilobyte.
        bytes[1000 + (random.next() % (7 * CHUNK as u64)) as usize] ^= 1 << (random.next() % 8);
        let disk = open(&bytes).unwrap();
        let bad = (0..20).filter(|n| disk.source.read_at(n * CHUNK as u64, &mut [0; CHUNK]).is_err()).count();
        assert_eq!(bad, 1, "{seed}");
    }
}

/// 200 damaged images: no panic, no hang, and the right bytes or an error where chunks have digests and the map is the same.
#[test]
fn damaged_aff4_images_cost_at_most_themselves() {
    let stream = sample(24 * CHUNK);
    let c = CHUNK as u64;
    let ranges: &[Made] = &[
        (0, 10 * c, 0, "aff4://s"),
        (10 * c, 5 * c, 0, "http://aff4.org/Schema#Zero"),
        (15 * c, 14 * c, 10 * c, "aff4://s"),
    ];
    for (packed, map) in
        [(Packed::Snappy, Some((29 * c, ranges))), (Packed::Lz4, None), (Packed::Zlib, Some((29 * c, ranges)))]
    {
        let base = make(&stream, packed, true, map);
        let list = base.windows(7).position(|w| w == b"@prefix").unwrap();
        let (mut refused, mut failed, mut said) = (0, 0, 0);
        for seed in 1..=200u64 {
            let mut random = Random(seed * 7919 + 13);
            let mut bytes = base.clone();
            let (from, to) = [(0, base.len()), (list, base.len()), (list - 1500, list)][(seed % 3) as usize];
            for _ in 0..[1, 4, 16][(random.next() % 3) as usize] {
                bytes[from + (random.next() % (to - from) as u64) as usize] = random.next() as u8;
            }
            let begun = Instant::now();
            match open(&bytes) {
                Ok(disk) => {
                    said += u32::from(!disk.problems.is_empty());
                    failed += u32::from(some_reads_fail(disk.source.as_ref(), 10_000));
                }
                Err(error) => {
                    assert!(!error.to_string().is_empty());
                    refused += 1;
                }
            }
            assert!(begun.elapsed() < Duration::from_secs(5), "{packed:?}: seed {seed}");
        }
        println!("{packed:?}: {refused} refused, {failed} with reads that fail, {said} that say so, of 200");
        assert!((20..150).contains(&refused) && failed + said > 20, "{packed:?}: {refused} {failed} {said}");
    }
}
