//! The images that mutants are made of: some made here without any program, some by the programs of other projects, some
//! from the shared test data. None is larger than 8 MiB but those of btrfs and F2FS, which cannot be made so small.

use std::collections::BTreeSet;
use std::io::{Cursor, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use avocet_evidence::{Evidence, Location, VisitResult, Visitor, VolumeState};

use crate::support::Random;

const MIB: usize = 1 << 20;
/// No base image is larger.
pub const LARGEST: usize = 8 * MIB;
const LARGEST_BTRFS: usize = 16 * MIB;
const LARGEST_F2FS: usize = 64 * MIB;
/// What opens those that are encrypted.
pub const PASSWORD: &str = "password";

/// An image and where its metadata lies.
pub struct Base {
    pub name: String,
    /// The files of the image, in order, with the name each has on disk.
    pub files: Vec<(String, Vec<u8>)>,
    /// For each file, the ranges that are metadata.
    pub metadata: Vec<Vec<Range<usize>>>,
}

impl Base {
    pub fn new(name: &str, files: Vec<(String, Vec<u8>)>) -> Base {
        let largest = match name {
            "btrfs" => LARGEST_BTRFS,
            "f2fs" => LARGEST_F2FS,
            _ => LARGEST,
        };
        assert!(files.iter().map(|f| f.1.len()).sum::<usize>() <= largest, "{name} is larger than {largest} bytes");
        let ewf = files.first().is_some_and(|f| f.1.starts_with(b"EVF"));
        let metadata = if ewf { files.iter().map(|f| ewf_metadata(&f.1)).collect() } else { vec![located(&files)] };
        let bytes: usize = metadata.iter().flatten().map(ExactSizeIterator::len).sum();
        assert!(bytes > 64, "{name}: no metadata was found");
        Base { name: name.to_owned(), files, metadata }
    }

    /// An image whose bytes are not those of its volumes, so that what is metadata has to be told.
    fn told(name: &str, bytes: Vec<u8>, metadata: Vec<Range<usize>>) -> Base {
        let metadata: Vec<_> = metadata.into_iter().map(|r| r.start.min(bytes.len())..r.end.min(bytes.len())).collect();
        assert!(bytes.len() <= LARGEST && metadata.iter().map(ExactSizeIterator::len).sum::<usize>() > 64, "{name}");
        Base { name: name.to_owned(), files: vec![("image".to_owned(), bytes)], metadata: vec![metadata] }
    }

    fn single(name: &str, bytes: Vec<u8>) -> Base {
        Self::new(name, vec![("image".to_owned(), bytes)])
    }
}

/// Where the bytes of ordinary files lie, as the examination itself says.
#[derive(Default)]
struct ContentRuns(Vec<Range<u64>>);

impl Visitor for ContentRuns {
    fn entry(&mut self, entry: avocet_evidence::Entry) -> VisitResult {
        // The files of an NTFS that begin with a dollar are its metadata.
        if !entry.path.starts_with("/$") {
            for extent in entry.content.extents() {
                if let Location::At(start) = extent.location {
                    self.0.push(start..start.saturating_add(extent.length));
                }
            }
        }
        VisitResult::Continue(())
    }

    fn problem(&mut self, _: avocet_evidence::Problem) {}
}

/// Everything that is not zero and not the content of a file: boot sectors, tables, directories, bitmaps.
fn located(files: &[(String, Vec<u8>)]) -> Vec<Range<usize>> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(&files[0].0);
    std::fs::write(&path, &files[0].1).unwrap();
    let evidence = Evidence::open(&path).expect("a base image opens");
    let mut content = vec![];
    for volume in &evidence.volumes {
        if let VolumeState::Read { fs, .. } = &volume.state {
            let mut runs = ContentRuns::default();
            fs.walk(&mut runs).expect("a base image is walked to its end");
            content.extend(runs.0.into_iter().map(|r| r.start + volume.start..r.end + volume.start));
        }
    }
    let bytes = &files[0].1;
    let mut is_content = vec![false; bytes.len()];
    for run in content {
        let end = usize::try_from(run.end).unwrap().min(bytes.len());
        is_content[usize::try_from(run.start).unwrap().min(end)..end].fill(true);
    }
    let mut out: Vec<Range<usize>> = vec![];
    for start in (0..bytes.len()).step_by(32) {
        let end = (start + 32).min(bytes.len());
        if is_content[start..end].contains(&true) || bytes[start..end].iter().all(|b| *b == 0) {
            continue;
        }
        match out.last_mut() {
            Some(last) if last.end == start => last.end = end,
            _ => out.push(start..end),
        }
    }
    out
}

/// Everything of an EWF segment but the compressed sectors: file header, section descriptors, tables, digests.
fn ewf_metadata(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut at = 13;
    // The file header.
    let mut out: Vec<Range<usize>> = std::iter::once(0..at).collect();
    while let Some(descriptor) = bytes.get(at..at + 76) {
        let next = usize::try_from(u64::from_le_bytes(descriptor[16..24].try_into().unwrap())).unwrap();
        let end = if descriptor.starts_with(b"sectors\0") || next <= at { at + 76 } else { next };
        out.push(at..end.min(bytes.len()));
        if next <= at {
            break;
        }
        at = next;
    }
    out
}

fn noise(random: &mut Random, length: usize) -> Vec<u8> {
    (0..length).map(|_| random.next() as u8).collect()
}

/// The files that every base image made here holds: path and content.
fn contents() -> Vec<(String, Vec<u8>)> {
    let mut random = Random::new(7);
    let mut out = vec![];
    for folder in ["DCIM", "DCIM/100AVOCT", "DCIM/101AVOCT", "Documents", "Documents/a folder with a long name"] {
        for i in 0..12usize {
            let length = [0, 1, 300, 511, 512, 513, 3000, 4096, 9000, 20_000][i % 10];
            let mut bytes = b"\xff\xd8\xff\xe0\0\x10JFIF\0".to_vec();
            bytes.extend(noise(&mut random, length));
            bytes.truncate(length);
            out.push((format!("{folder}/picture {i:03} of a series.jpg"), bytes));
        }
    }
    out
}

fn fat(kind: fatfs::FatType, length: usize) -> Vec<u8> {
    let mut disk = Cursor::new(vec![0u8; length]);
    let options = fatfs::FormatVolumeOptions::new().fat_type(kind).bytes_per_cluster(512).volume_id(0x2026_1123);
    fatfs::format_volume(&mut disk, options).unwrap();
    {
        let fs = fatfs::FileSystem::new(&mut disk, fatfs::FsOptions::new()).unwrap();
        let files = contents();
        let root = fs.root_dir();
        for (path, bytes) in &files {
            for (i, _) in path.match_indices('/') {
                root.create_dir(&path[..i]).unwrap();
            }
            root.create_file(path).unwrap().write_all(bytes).unwrap();
        }
        for (path, _) in files.iter().step_by(5) {
            root.remove(path).unwrap();
        }
        drop(root);
        fs.unmount().unwrap();
    }
    disk.into_inner()
}

pub fn fat12() -> Vec<u8> {
    fat(fatfs::FatType::Fat12, 3 * MIB / 2)
}

/// A FAT32 has at least 65,525 clusters; the image is cut off behind what is in use, as a failed copy is.
fn fat32() -> Vec<u8> {
    let mut bytes = fat(fatfs::FatType::Fat32, 36 * MIB);
    bytes.truncate(2 * MIB);
    bytes
}

/// An MBR with a FAT16 in the first partition and a chain of three logical partitions.
pub fn mbr() -> Vec<u8> {
    let entry = |kind: u8, first: u32, count: u32| {
        let mut e = vec![0, 0, 0, 0, kind, 0, 0, 0];
        e.extend(first.to_le_bytes());
        e.extend(count.to_le_bytes());
        e
    };
    let sector = |entries: Vec<Vec<u8>>| {
        let mut s = vec![0u8; 446];
        s.extend(entries.concat());
        s.resize(510, 0);
        s.extend([0x55, 0xaa]);
        s
    };
    let volume = fat12();
    let sectors = u32::try_from(volume.len() / 512).unwrap();
    let step = sectors + 64;
    let extended = 64 + step;
    let mut disk = vec![0u8; 512 * usize::try_from(extended + 3 * step).unwrap()];
    let mut put = |lba: u32, bytes: &[u8]| {
        let at = 512 * usize::try_from(lba).unwrap();
        disk[at..at + bytes.len()].copy_from_slice(bytes);
    };
    put(0, &sector(vec![entry(1, 64, sectors), entry(5, extended, 3 * step)]));
    put(64, &volume);
    for i in 0..3 {
        let own = entry(1, 64, sectors);
        let next = entry(5, (i + 1) * step, step);
        put(extended + i * step, &sector(if i < 2 { vec![own, next] } else { vec![own] }));
        put(extended + i * step + 64, &volume);
    }
    disk
}

/// A GPT with two FAT12 volumes, and both copies of its header.
pub fn gpt() -> Vec<u8> {
    let volume = fat12();
    let sectors = volume.len() as u64 / 512;
    let last = 64 + 2 * sectors + 64;
    let mut disk = vec![0u8; usize::try_from(512 * (last + 1)).unwrap()];
    let mut table = vec![];
    for (i, name) in ["first", "second"].iter().enumerate() {
        let first = 64 + i as u64 * sectors;
        // Microsoft basic data.
        table.extend(b"\xa2\xa0\xd0\xeb\xe5\xb9\x33\x44\x87\xc0\x68\xb6\xb7\x26\x99\xc7");
        table.extend([0x11 + i as u8; 16]);
        table.extend(first.to_le_bytes());
        table.extend((first + sectors - 1).to_le_bytes());
        table.extend(0u64.to_le_bytes());
        table.extend(name.encode_utf16().flat_map(u16::to_le_bytes));
        table.resize(128 * (i + 1), 0);
    }
    table.resize(128 * 128, 0);
    let mut put = |lba: u64, bytes: &[u8]| {
        let at = usize::try_from(lba * 512).unwrap();
        disk[at..at + bytes.len()].copy_from_slice(bytes);
    };
    let mut protective = vec![0u8; 446];
    protective.extend([0, 0, 2, 0, 0xee, 0xff, 0xff, 0xff, 1, 0, 0, 0]);
    protective.extend(u32::try_from(last).unwrap().to_le_bytes());
    protective.resize(510, 0);
    protective.extend([0x55, 0xaa]);
    put(0, &protective);
    for (own, other, entries) in [(1, last, 2), (last, 1, last - 32)] {
        let mut header = b"EFI PART\0\0\x01\0\x5c\0\0\0\0\0\0\0\0\0\0\0".to_vec();
        for field in [own, other, 34, last - 33] {
            header.extend(u64::to_le_bytes(field));
        }
        header.extend([0xd0; 16]);
        header.extend(entries.to_le_bytes());
        header.extend(128u32.to_le_bytes());
        header.extend(128u32.to_le_bytes());
        header.extend(crc32fast::hash(&table).to_le_bytes());
        let crc = crc32fast::hash(&header);
        header[16..20].copy_from_slice(&crc.to_le_bytes());
        put(own, &header);
        put(entries, &table);
    }
    put(64, &volume);
    put(64 + sectors, &volume);
    disk
}

pub fn zip() -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(vec![]));
    for (i, (path, bytes)) in contents().into_iter().enumerate() {
        let method = if i % 2 == 0 { zip::CompressionMethod::Deflated } else { zip::CompressionMethod::Stored };
        archive.start_file(path, zip::write::SimpleFileOptions::default().compression_method(method)).unwrap();
        archive.write_all(&bytes).unwrap();
        archive.write_all(&vec![b'a'; i * 1000]).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// Runs a program; whether it was there and succeeded.
fn ran(program: &str, arguments: &[&str]) -> bool {
    let mut path = std::env::var_os("PATH").unwrap_or_default();
    path.push(":/usr/sbin:/sbin");
    Command::new(program)
        .args(arguments)
        .env("PATH", path)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|s| s.success())
}

fn sized(path: &Path, length: usize) {
    std::fs::File::create(path).unwrap().set_len(length as u64).unwrap();
}

fn ext(kind: &str) -> Option<Vec<u8>> {
    of_tree(|tree, image| {
        sized(Path::new(image), 6 * MIB);
        let features = if kind == "ext4" { "inline_data" } else { "^dir_index" };
        let made = ran("mke2fs", &["-q", "-F", "-t", kind, "-b", "1024", "-O", features, "-d", tree, image]);
        // Deleted files and their journal: debugfs removes names as rm does.
        if made {
            for (path, _) in contents().iter().step_by(5) {
                ran("debugfs", &["-w", "-R", &format!("rm \"/{path}\""), image]);
            }
        }
        made
    })
}

/// An ext2 whose folder of ten names for one file of 1 MiB has lost its own name. `None` without the programs.
pub fn ext_names_in_a_lost_folder() -> Option<Vec<u8>> {
    let dir = tempfile::tempdir().unwrap();
    let (tree, image) = (dir.path().join("tree"), dir.path().join("image"));
    std::fs::create_dir_all(tree.join("lost")).unwrap();
    std::fs::write(tree.join("lost/0"), noise(&mut Random::new(1), MIB)).unwrap();
    sized(&image, 4 * MIB);
    let image_text = image.to_str().unwrap();
    let made = ran("mke2fs", &["-q", "-F", "-t", "ext2", "-b", "1024", "-d", tree.to_str().unwrap(), image_text])
        && (1..10).all(|i| ran("debugfs", &["-w", "-R", &format!("ln /lost/0 /lost/{i}"), image_text]))
        && ran("debugfs", &["-w", "-R", "unlink /lost", image_text]);
    made.then(|| std::fs::read(&image).unwrap())
}

/// A disc of the same files, with Rock Ridge and Joliet, or with HFS+ beside ISO 9660 in an Apple partition map.
fn disc(program: &str, options: &[&str]) -> Option<Vec<u8>> {
    of_tree(|tree, image| ran(program, &[options, &["-o", image, tree]].concat()))
}

/// A tree of the usual files, and a program that makes an image of it.
fn of_tree(make: impl Fn(&str, &str) -> bool) -> Option<Vec<u8>> {
    let dir = tempfile::tempdir().unwrap();
    let (tree, image) = (dir.path().join("tree"), dir.path().join("image"));
    for (path, bytes) in contents() {
        let path = tree.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    make(tree.to_str().unwrap(), image.to_str().unwrap()).then(|| std::fs::read(&image).unwrap())
}

fn btrfs() -> Option<Vec<u8>> {
    let fixed = ["-q", "-f", "--mixed", "--nodesize", "4096", "--shrink", "-m", "single", "-d", "single", "--rootdir"];
    of_tree(|tree, image| ran("mkfs.btrfs", &[&fixed[..], &[tree, image]].concat()))
}

fn f2fs() -> Option<Vec<u8>> {
    of_tree(|tree, image| {
        sized(Path::new(image), LARGEST_F2FS);
        let made = ran("mkfs.f2fs", &["-q", "-f", "-O", "extra_attr,inode_checksum,sb_checksum", image]);
        // It says by its status whether its own check ran, and not whether it loaded.
        ran("sload.f2fs", &["-f", tree, image]);
        made
    })
}

/// A volume that QEMU encrypted as LUKS1.
fn luks() -> Option<Base> {
    let dir = tempfile::tempdir().unwrap();
    let (plain, image, key) = (dir.path().join("plain"), dir.path().join("image"), dir.path().join("key"));
    std::fs::write(&plain, fat12()).unwrap();
    std::fs::write(&key, PASSWORD).unwrap();
    let secret = format!("secret,id=s,file={}", key.display());
    let options = ["convert", "-f", "raw", "-O", "luks", "--object", &secret, "-o", "key-secret=s,iter-time=10"];
    let made = ran("qemu-img", &[&options[..], &[plain.to_str().unwrap(), image.to_str().unwrap()]].concat());
    // The header, and the first key's material.
    made.then(|| Base::told("luks", std::fs::read(&image).unwrap(), [0..592, 4096..8192].into()))
}

/// The CRC-32 of LVM2: another beginning, and nothing done to the end.
pub fn lvm_crc(bytes: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new_with_initial(!0xf597_a6cf);
    crc.update(bytes);
    !crc.finalize()
}

/// A physical volume whose group has one linear volume with a FAT12, by the published structures.
fn lvm() -> Base {
    const DATA: usize = MIB;
    const EXTENT: usize = 64 * 1024;
    let inner = fat12();
    let extents = inner.len().div_ceil(EXTENT);
    let ids = ["a", "b", "c"].map(|id| id.repeat(32));
    let dashed =
        |id: &str| [&id[..6], &id[6..10], &id[10..14], &id[14..18], &id[18..22], &id[22..26], &id[26..]].join("-");
    let text = format!(
        "vg {{\nid = \"{}\"\nseqno = 2\nformat = \"lvm2\"\nstatus = [\"RESIZEABLE\", \"READ\", \"WRITE\"]\nextent_size = {}\n\
         max_lv = 0\nmax_pv = 0\nphysical_volumes {{\npv0 {{\nid = \"{}\"\nstatus = [\"ALLOCATABLE\"]\npe_start = {}\n\
         pe_count = {extents}\n}}\n}}\nlogical_volumes {{\nroot {{\nid = \"{}\"\nstatus = [\"READ\", \"WRITE\", \
         \"VISIBLE\"]\nsegment_count = 1\nsegment1 {{\nstart_extent = 0\nextent_count = {extents}\ntype = \"striped\"\n\
         stripe_count = 1\nstripes = [\n\"pv0\", 0\n]\n}}\n}}\n}}\n}}\ncontents = \"Text Format Volume Group\"\nversion = 1\n\0",
        dashed(&ids[0]),
        EXTENT / 512,
        dashed(&ids[1]),
        DATA / 512,
        dashed(&ids[2]),
    );
    let mut disk = vec![0u8; DATA + extents * EXTENT];
    let mut put = |at: usize, bytes: &[u8]| disk[at..at + bytes.len()].copy_from_slice(bytes);
    put(512, b"LABELONE\x01\0\0\0\0\0\0\0");
    put(532, &32u32.to_le_bytes());
    put(536, b"LVM2 001");
    put(544, ids[1].as_bytes());
    let length = DATA + extents * EXTENT;
    for (i, number) in [length, DATA, 0, 0, 0, 4096, DATA - 4096, 0, 0].into_iter().enumerate() {
        put(576 + 8 * i, &(number as u64).to_le_bytes());
    }
    put(4096 + 4, b"\x20LVM2\x20x[5A%r0N*>\x01\0\0\0");
    for (i, number) in [4096, DATA - 4096, 512, text.len()].into_iter().enumerate() {
        put(4096 + 24 + 8 * i, &(number as u64).to_le_bytes());
    }
    put(4096 + 512, text.as_bytes());
    put(DATA, &inner);
    lvm_sums(&mut disk);
    let inside = located(&[("image".to_owned(), inner)]).into_iter().map(|r| r.start + DATA..r.end + DATA);
    let own = [512..640, 4096..4160, 4608..4608 + text.len()];
    Base::told("lvm", disk, own.into_iter().chain(inside).collect())
}

/// Makes the sums of a physical volume agree: of the text, its header and the label.
pub fn lvm_sums(disk: &mut [u8]) {
    let number = |at: usize| disk.get(at..at + 8).map_or(0, |b| u64::from_le_bytes(b.try_into().unwrap()));
    let (offset, length) = (number(4096 + 40), number(4096 + 48));
    let text = usize::try_from(offset).ok().and_then(|o| {
        let start = o.checked_add(4096)?;
        disk.get(start..start.checked_add(usize::try_from(length).ok()?)?)
    });
    if let Some(sum) = text.map(lvm_crc) {
        disk[4096 + 56..4096 + 60].copy_from_slice(&sum.to_le_bytes());
    }
    if disk.len() >= 8192 {
        let sum = lvm_crc(&disk[4100..4608]);
        disk[4096..4100].copy_from_slice(&sum.to_le_bytes());
        let sum = lvm_crc(&disk[532..1024]);
        disk[528..532].copy_from_slice(&sum.to_le_bytes());
    }
}

/// An Apple disk image with its trailer and the property list that says where its pieces lie.
fn dmg(path: &str) -> Option<Base> {
    let bytes = shared(path)?;
    let trailer = bytes.len() - 512;
    let number = |at: usize| u64::from_be_bytes(bytes[trailer + at..trailer + at + 8].try_into().unwrap()) as usize;
    let list = number(0xd8)..number(0xd8) + number(0xe0);
    Some(Base::told(path, bytes, vec![list, trailer..trailer + 512]))
}

/// An AFF4 volume with a stream of plain chunks and a map onto it: a FAT12 between zeros.
fn aff4() -> Base {
    const CHUNK: usize = 32 * 1024;
    let inner = fat12();
    let index: Vec<u8> = (0..inner.len().div_ceil(CHUNK))
        .flat_map(|n| {
            let length = CHUNK.min(inner.len() - n * CHUNK) as u32;
            [&((n * CHUNK) as u64).to_le_bytes()[..], &length.to_le_bytes()].concat()
        })
        .collect();
    let length = inner.len() as u64;
    let range = |start: u64, length: u64, inside: u64, target: u32| {
        let places: Vec<u8> = [start, length, inside].iter().flat_map(|n| n.to_le_bytes()).collect();
        [places, target.to_le_bytes().to_vec()].concat()
    };
    let map = [range(0, length, 0, 0), range(length, 1 << 20, 0, 1)].concat();
    let list = format!(
        "@prefix aff4: <http://aff4.org/Schema#> .\n<aff4://i> a aff4:DiskImage ; aff4:dataStream <aff4://m> .\n\
         <aff4://s> a aff4:ImageStream ; aff4:chunkSize {CHUNK} ; aff4:chunksInSegment 1024 ; aff4:size {length} .\n\
         <aff4://m> a aff4:Map ; aff4:size {} .\n",
        length + (1 << 20)
    );
    let mut archive = zip::ZipWriter::new(Cursor::new(vec![]));
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, bytes) in [
        ("container.description", b"aff4://v".as_slice()),
        ("version.txt", b"major=1\nminor=0\n"),
        ("aff4%3A%2F%2Fs/00000000", &inner),
        ("aff4%3A%2F%2Fs/00000000.index", &index),
        ("aff4%3A%2F%2Fm/map", &map),
        ("aff4%3A%2F%2Fm/idx", b"aff4://s\nhttp://aff4.org/Schema#Zero"),
        ("information.turtle", list.as_bytes()),
    ] {
        archive.start_file(name, stored).unwrap();
        archive.write_all(bytes).unwrap();
    }
    let bytes = archive.finish().unwrap().into_inner();
    let data = bytes.windows(512).position(|w| w == &inner[..512]).unwrap();
    let end = data + inner.len();
    let metadata = [0..data, end..bytes.len()].into();
    Base::told("aff4", bytes, metadata)
}

/// A logical AFF4 volume by the reference library; its one file comes first.
fn aff4_logical() -> Option<Base> {
    let bytes = shared("aff4/dream.aff4")?;
    let list = bytes.windows(4).rposition(|w| w == b"PK\x03\x04").unwrap().saturating_sub(2000);
    let end = bytes.len();
    Some(Base::told("aff4/dream.aff4", bytes, vec![0..64, list..end]))
}

/// A 7z archive: its beginning, and the header that its beginning leads to.
fn sevenz(method: &str) -> Option<Base> {
    let bytes = of_tree(|tree, image| {
        let archive = format!("{image}.7z");
        ran("7zz", &["a", &format!("-m0={method}"), "-mhc=off", &archive, tree])
            && std::fs::rename(&archive, image).is_ok()
    })?;
    let number = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize;
    let (start, length) = (32 + number(12), number(20));
    Some(Base::told(&format!("7z by {method}"), bytes, vec![0..32, start..start + length]))
}

/// A disk, and a tar archive, that bzip2 packed: every byte of it says how the next ones are to be taken.
fn bzip2(tar: bool) -> Option<Base> {
    let bytes = of_tree(|tree, image| {
        if tar {
            return ran("tar", &["-cjf", image, "-C", tree, "."]);
        }
        std::fs::write(image, fat12()).unwrap();
        ran("bzip2", &["-9", image]) && std::fs::rename(format!("{image}.bz2"), image).is_ok()
    })?;
    let end = bytes.len();
    Some(Base::told(if tar { "tar.bz2" } else { "raw.bz2" }, bytes, std::iter::once(0..end).collect()))
}

fn ntfs() -> Option<Vec<u8>> {
    let dir = tempfile::tempdir().unwrap();
    let (image, file) = (dir.path().join("image"), dir.path().join("file"));
    sized(&image, 4 * MIB);
    let (image_text, file_text) = (image.to_str().unwrap(), file.to_str().unwrap());
    if !ran("mkntfs", &["-q", "-F", "-f", "-C", "-c", "1024", image_text]) {
        return None;
    }
    for (i, (path, bytes)) in contents().iter().enumerate().take(40) {
        std::fs::write(&file, bytes).unwrap();
        let name = path.rsplit('/').next().unwrap();
        ran("ntfscp", &["-f", image_text, file_text, &format!("/{i} {name}")]);
        if i % 8 == 0 {
            ran("ntfscp", &["-f", "-N", "second", image_text, file_text, &format!("/{i} {name}")]);
        }
    }
    Some(std::fs::read(&image).unwrap())
}

/// An EWF of the FAT12 image, in segments of at least 1 MiB where `segments` asks for them.
fn ewf(split: bool) -> Option<Vec<(String, Vec<u8>)>> {
    let dir = tempfile::tempdir().unwrap();
    let (raw, target) = (dir.path().join("raw"), dir.path().join("image"));
    let mut bytes = fat12();
    if split {
        bytes.extend(noise(&mut Random::new(3), MIB));
    }
    std::fs::write(&raw, bytes).unwrap();
    let segment = if split { "1048576" } else { "8388608" };
    let arguments = ["-q", "-u", "-t", target.to_str().unwrap(), "-S", segment, "-c", "deflate:fast", "-b", "64"];
    if !ran("ewfacquire", &[&arguments[..], &[raw.to_str().unwrap()]].concat()) {
        return None;
    }
    let names: Vec<String> =
        (1..9).map(|i| format!("image.E0{i}")).filter(|name| dir.path().join(name).try_exists().unwrap()).collect();
    assert_eq!(names.len() > 1, split, "segments of the EWF image");
    Some(names.into_iter().map(|name| (name.clone(), std::fs::read(dir.path().join(&name)).unwrap())).collect())
}

/// A virtual disk of the FAT12 image. Its metadata are the sectors that the FAT12 image does not have.
fn disk(format: &str, options: &str) -> Option<Base> {
    let dir = tempfile::tempdir().unwrap();
    let (raw, target) = (dir.path().join("raw"), dir.path().join("image"));
    let inner = fat12();
    std::fs::write(&raw, &inner).unwrap();
    let mut arguments = vec!["convert", "-f", "raw", "-O", format, "-o", options];
    arguments.extend([raw.to_str().unwrap(), target.to_str().unwrap()]);
    if !ran("qemu-img", &arguments) {
        return None;
    }
    let bytes = std::fs::read(&target).unwrap();
    let known: BTreeSet<&[u8]> = inner.chunks(512).collect();
    let sectors = bytes.chunks(512).enumerate().filter(|(_, sector)| !known.contains(sector));
    let metadata = vec![sectors.map(|(i, sector)| i * 512..i * 512 + sector.len()).collect()];
    Some(Base { name: format!("{format} {options}"), files: vec![("image".to_owned(), bytes)], metadata })
}

fn testdata() -> Option<PathBuf> {
    let path = std::env::var_os("AVOCET_TESTDATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/testdata"), PathBuf::from);
    path.is_dir().then_some(path)
}

fn shared(path: &str) -> Option<Vec<u8>> {
    let mut bytes = vec![];
    let mut file = std::fs::File::open(testdata()?.join("disk").join(path)).ok()?;
    let length = usize::try_from(file.seek(SeekFrom::End(0)).ok()?).ok()?;
    assert!(length <= LARGEST, "{path} is too large for a base image");
    file.rewind().ok()?;
    file.read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// The base images of one kind, and how many could not be had here.
pub fn bases(kind: &str) -> (Vec<Arc<Base>>, usize) {
    let one = |name: &str, bytes: Option<Vec<u8>>| bytes.map(|b| Base::single(name, b));
    let given = |path: &str| one(path, shared(path));
    let wanted: Vec<Option<Base>> = match kind {
        "fat12" => vec![one("fat12", Some(fat12())), given("fs/fat12.img")],
        "fat16" => vec![one("fat16", Some(fat(fatfs::FatType::Fat16, 4 * MIB))), given("made/card-fat16.dd")],
        "fat32" => vec![one("fat32", Some(fat32()))],
        "exfat" => vec![given("made/card-exfat.dd"), given("fs/exfat.img")],
        "ntfs" => vec![one("ntfs", ntfs()), given("made/usb-ntfs.dd")],
        "ext2" => vec![one("ext2", ext("ext2")), given("tsk/image.dd")],
        "ext3" => vec![one("ext3", ext("ext3"))],
        "ext4" => vec![one("ext4", ext("ext4"))],
        "iso" => vec![one("iso", disc("genisoimage", &["-quiet", "-R", "-J"])), given("tsk/image.iso")],
        "apfs" => vec![given("dfvfs/apfs.raw")],
        "hfs" => vec![given("dfvfs/hfsplus.raw")],
        "mbr" => vec![one("mbr", Some(mbr())), given("plaso/tsk_volume_system.raw")],
        "gpt" => vec![one("gpt", Some(gpt()))],
        "ewf" => vec![
            ewf(false).map(|f| Base::new("ewf", f)),
            ewf(true).map(|f| Base::new("ewf, two segments", f)),
            shared("made/card-fat16.E01").map(|b| Base::new("made/card-fat16.E01", vec![("image.E01".into(), b)])),
        ],
        "zip" => vec![one("zip", Some(zip()))],
        "btrfs" => vec![one("btrfs", btrfs())],
        "f2fs" => vec![one("f2fs", f2fs())],
        "udf" => vec![one("udf", disc("genisoimage", &["-quiet", "-udf", "-R"]))],
        "luks" => vec![luks()],
        "lvm" => vec![Some(lvm())],
        "dmg" => ["dfvfs/hfsplus_zlib.dmg", "keramics/hfsplus_bzip2.dmg", "keramics/hfsplus_lzfse.dmg"].map(dmg).into(),
        "aff4" => vec![Some(aff4()), aff4_logical()],
        "sevenz" => vec![sevenz("lzma2"), sevenz("bzip2")],
        "bzip2" => vec![bzip2(false), bzip2(true)],
        "disk" => vec![
            disk("qcow", "encryption=off"),
            disk("qcow2", "cluster_size=4096"),
            disk("vpc", "force_size=on"),
            disk("vhdx", "block_size=1M"),
            disk("vmdk", "subformat=monolithicSparse"),
            disk("vmdk", "subformat=streamOptimized"),
        ],
        _ => panic!("no such kind: {kind}"),
    };
    let missing = wanted.iter().filter(|b| b.is_none()).count();
    (wanted.into_iter().flatten().map(Arc::new).collect(), missing)
}
