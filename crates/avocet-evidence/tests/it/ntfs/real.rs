//! Real volumes, and The Sleuth Kit's `fls`, `icat` and `istat` as oracle.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use avocet_evidence::fs::ntfs::Ntfs;
use avocet_evidence::{AllocationState, Content, Entry, EntryKind, FileSystem, Note, ReadError, Source, SubSource};

use crate::support::{Collected, collect, content, images, load, sha256, skipped, testdata};

const CAP: usize = 1 << 30;

/// An image file read where it lies, so that a large one is not held in memory.
struct OnDisk(std::fs::File, u64);

impl Source for OnDisk {
    fn len(&self) -> u64 {
        self.1
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ReadError> {
        use std::os::unix::fs::FileExt;
        let mut done = 0;
        while done < buf.len() {
            match self.0.read_at(&mut buf[done..], offset + done as u64) {
                Ok(0) => break,
                Ok(n) => done += n,
                Err(e) => return Err(ReadError::io("test", offset, &e)),
            }
        }
        Ok(done)
    }
}

fn on_disk(path: &Path) -> Arc<dyn Source> {
    let file = std::fs::File::open(path).unwrap();
    let length = file.metadata().unwrap().len();
    Arc::new(OnDisk(file, length))
}

/// Output of a program, or `None` where it is not installed.
fn run(program: &str, args: &[&str]) -> Option<Vec<u8>> {
    let out = Command::new(program).args(args).output().ok()?;
    assert!(out.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&out.stderr));
    Some(out.stdout)
}

/// `./path` lines of `sha256sum`.
fn sums(path: &Path) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(path).unwrap();
    let line = |l: &str| l.split_once("  ").map(|(sum, path)| (path[1..].to_owned(), sum.to_owned()));
    text.lines().filter_map(line).collect()
}

fn digest(e: &Entry, volume: &Arc<dyn Source>) -> Option<String> {
    content(e, volume, CAP).unwrap().map(|bytes| sha256(&bytes))
}

fn by_path(found: &Collected, state: AllocationState) -> BTreeMap<&str, &Entry> {
    let all = found.entries.iter().filter(|e| e.state == state && e.stream.is_none() && e.kind == EntryKind::File);
    all.map(|e| (e.path.as_str(), e)).collect()
}

#[test]
fn the_corpus_volume_live_streams_and_deleted() {
    let Some(folder) = images() else { return skipped(478 + 27 + 2, "AVOCET_IMAGES not set") };
    let volume = load(&folder.join("ntfs.dd"));
    let found = collect(&Ntfs::open(Arc::clone(&volume)).unwrap());
    let (everything, gone) = (sums(&folder.join("ntfs.live.sha256")), sums(&folder.join("../corpus/D.sha256")));
    // The list was written before the 27 were deleted.
    let live: BTreeMap<_, _> = everything.into_iter().filter(|(path, _)| !gone.contains_key(path)).collect();
    assert_eq!((live.len(), gone.len()), (478, 27));

    let ours = by_path(&found, AllocationState::Allocated);
    for (path, sum) in &live {
        let e = ours.get(path.as_str()).unwrap_or_else(|| panic!("{path} is missing"));
        assert_eq!(digest(e, &volume).as_ref(), Some(sum), "{path}");
    }
    // ntfs-3g keeps a symbolic link as a system file, which TSK lists as a file too.
    let extra: Vec<_> = ours.keys().filter(|p| !live.contains_key(**p) && !p.starts_with("/$")).collect();
    assert_eq!(extra, [&"/symlink_to_resident"]);

    let recovered = by_path(&found, AllocationState::Deleted);
    for (path, sum) in &gone {
        let e = recovered.get(path.as_str()).unwrap_or_else(|| panic!("{path} is missing"));
        assert_eq!(digest(e, &volume).as_ref(), Some(sum), "{path}");
        assert!(e.notes.is_empty(), "{path}: {:?}", e.notes);
    }
    assert_eq!(recovered.len(), 27);
    let user_streams: Vec<_> =
        found.entries.iter().filter(|e| e.stream.is_some() && !e.path.starts_with("/$")).collect();
    assert_eq!(user_streams.len(), 2);
    for e in user_streams {
        assert!(digest(e, &volume).is_some());
    }
    for name in ["/comp/mix.bin", "/comp/zeros.txt"] {
        assert!(ours[name].notes.contains(&Note::Compressed), "{name}");
    }
    assert!(ours["/sparse.bin"].notes.contains(&Note::Sparse));
    assert!(ours["/hardlink_one.bin"].notes.contains(&Note::HardLinks(2)));
    let codes: Vec<_> = found.problems.iter().map(|p| p.code).collect();
    assert_eq!(codes, [""; 0]);
}

#[test]
fn twenty_thousand_files() {
    let Some(folder) = images() else { return skipped(20_000, "AVOCET_IMAGES not set") };
    let path = folder.join("big_ntfs.dd");
    if !path.is_file() {
        return skipped(20_000, "the large image was not built (make proof builds it)");
    }
    let volume = on_disk(&path);
    let fs = Ntfs::open(Arc::clone(&volume)).unwrap();
    let found = collect(&fs);
    let live = sums(&folder.join("big.live.sha256"));
    let mut ours = by_path(&found, AllocationState::Allocated);
    ours.retain(|path, _| !path.starts_with("/$"));
    assert!(ours.keys().copied().eq(live.keys().map(String::as_str)));
    for (path, sum) in live.iter().step_by(199) {
        assert_eq!(digest(ours[path.as_str()], &volume).as_ref(), Some(sum), "{path}");
    }
}

/// A real image as this test reads it: bytes, and a raw file for the tools.
struct Case {
    name: &'static str,
    path: PathBuf,
    sector: u64,
    _keep: Option<tempfile::TempDir>,
}

impl Case {
    fn volume(&self) -> Arc<dyn Source> {
        let whole = on_disk(&self.path);
        let length = whole.len();
        Arc::new(SubSource::new(whole, self.sector * 512, length))
    }
}

/// Every NTFS volume at hand; how many could not be made is said. Each is unpacked when it is asked for and gone when it
/// is dropped, so that no more than one lies on the disk at a time.
fn cases() -> impl Iterator<Item = Case> {
    let corpus = images().map(|folder| Case { name: "ntfs.dd", path: folder.join("ntfs.dd"), sector: 0, _keep: None });
    if corpus.is_none() {
        skipped(1, "AVOCET_IMAGES not set");
    }
    let disk = testdata().map(|folder| folder.join("disk"));
    if disk.is_none() {
        skipped(8, "no shared test data");
    }
    let real = [
        ("made/usb-ntfs.dd", 0),
        ("fs/SampleTinyNtfsVolume.zip", 0),
        ("ntfs-samples/ntfs-lastaccess.raw.gz", 128),
        ("ntfs-samples/ntfs-si-vs-fn.raw.gz", 128),
        ("dfvfs/windows_volume.qcow2", 0),
        ("fs/gpt_ntfs.E01", 2048),
        ("tsk/imageformat_mmls_1.E01", 128),
        ("tsk/imageformat_mmls_1.E01", 55_424),
    ];
    let unpacked = disk.into_iter().flat_map(move |disk| {
        real.into_iter().filter_map(move |(name, sector)| {
            let from = disk.join(name);
            if name.ends_with(".dd") {
                return Some(Case { name, path: from, sector, _keep: None });
            }
            let temp = tempfile::tempdir().unwrap();
            let path = temp.path().join("raw");
            if !unpack(&from, &path) {
                skipped(1, "no tool to unpack this image");
                return None;
            }
            Some(Case { name, path, sector, _keep: Some(temp) })
        })
    });
    corpus.into_iter().chain(unpacked)
}

fn unpack(from: &Path, to: &Path) -> bool {
    let text = |p: &Path| p.to_str().unwrap().to_owned();
    match from.extension().unwrap().to_str().unwrap() {
        "gz" => write(to, &mut flate2::read::GzDecoder::new(std::fs::File::open(from).unwrap())),
        "zip" => {
            let mut archive = zip::ZipArchive::new(std::fs::File::open(from).unwrap()).unwrap();
            let largest = (0..archive.len()).max_by_key(|i| archive.by_index(*i).unwrap().size()).unwrap();
            write(to, &mut archive.by_index(largest).unwrap());
        }
        "qcow2" => return run("qemu-img", &["convert", "-O", "raw", &text(from), &text(to)]).is_some(),
        "E01" => {
            // ewfexport writes every zero of the disk: its file goes as soon as the one with holes is there.
            let whole = tempfile::tempdir().unwrap();
            let made = whole.path().join("whole");
            if run("ewfexport", &["-q", "-u", "-f", "raw", "-S", "0", "-t", &text(&made), &text(from)]).is_none() {
                return false;
            }
            write(to, &mut std::fs::File::open(made.with_extension("raw")).unwrap());
        }
        other => panic!("{other}"),
    }
    true
}

/// Writes a file with holes where there are only zeros: most of a test disk is empty.
#[expect(clippy::disallowed_methods, reason = "a temporary file of a test, not evidence")]
fn write(path: &Path, bytes: &mut dyn Read) {
    let mut file = std::fs::File::create(path).unwrap();
    let (mut block, mut length) = (vec![0; 64 << 10], 0);
    loop {
        let mut filled = 0;
        while filled < block.len() {
            match bytes.read(&mut block[filled..]).unwrap() {
                0 => break,
                n => filled += n,
            }
        }
        if filled == 0 {
            break;
        }
        if block[..filled].iter().any(|byte| *byte != 0) {
            file.seek(SeekFrom::Start(length)).unwrap();
            file.write_all(&block[..filled]).unwrap();
        }
        length += filled as u64;
    }
    file.set_len(length).unwrap();
}

/// Path and stream as `fls -p` writes them.
fn tsk_path(e: &Entry) -> String {
    let plain = |s: &str| String::from_utf16_lossy(&avocet_base::unescape_to_utf16(s).unwrap());
    let path = plain(e.path.trim_start_matches('/'));
    match &e.stream {
        Some(stream) => format!("{path}:{}", plain(stream)),
        None => path,
    }
}

#[test]
fn the_listing_of_the_test_data() {
    let Some(folder) = testdata() else { return skipped(60, "no shared test data") };
    let table = std::fs::read_to_string(folder.join("disk/listing-sleuthkit.tsv")).unwrap();
    let mut compared = 0;
    for case in cases().filter(|c| c.name != "ntfs.dd") {
        let volume = case.volume();
        let found = collect(&Ntfs::open(Arc::clone(&volume)).unwrap());
        let image = format!("disk/{}", case.name);
        for row in table.lines() {
            let columns: Vec<&str> = row.split('\t').collect();
            if columns[0] != image || columns[1] != case.sector.to_string() {
                continue;
            }
            let state = if columns[3] == "live" { AllocationState::Allocated } else { AllocationState::Deleted };
            let number: u64 = columns[5].split('-').next().unwrap().parse().unwrap();
            let e = found
                .entries
                .iter()
                .find(|e| e.number == number && e.state == state && tsk_path(e) == columns[8])
                .unwrap_or_else(|| panic!("{image}: {row} is missing"));
            if columns[4] == "dir" {
                assert_eq!(e.kind, EntryKind::Directory, "{row}");
            } else {
                assert_eq!(e.size.to_string(), columns[6], "{row}");
                assert_eq!(digest(e, &volume).as_deref(), Some(columns[7]), "{row}");
            }
            compared += 1;
        }
    }
    println!("{compared} rows compared");
    assert!(compared >= 14, "the test data's own volumes at least");
}

#[test]
fn the_usb_stick() {
    let Some(folder) = testdata() else { return skipped(11, "no shared test data") };
    let volume = load(&folder.join("disk/made/usb-ntfs.dd"));
    let found = collect(&Ntfs::open(Arc::clone(&volume)).unwrap());
    let truth = std::fs::read_to_string(folder.join("disk/made/usb-ntfs.truth.tsv")).unwrap();
    let mut compared = 0;
    for row in truth.lines().skip(1) {
        let columns: Vec<&str> = row.split('\t').collect();
        let state = if columns[1] == "live" { AllocationState::Allocated } else { AllocationState::Deleted };
        let e = found.entries.iter().find(|e| e.state == state && format!("/{}", tsk_path(e)) == columns[0]);
        let e = e.unwrap_or_else(|| panic!("{row} is missing"));
        assert_eq!(digest(e, &volume).as_deref(), Some(columns[6]), "{row}");
        if let Ok(offset) = columns[2].parse::<u64>() {
            assert!(e.content.first_offset().is_none_or(|o| o == offset), "{row}");
        }
        compared += 1;
    }
    assert_eq!(compared, 11);
}

/// A line of `fls -r -p`.
#[derive(Debug)]
struct Line {
    directory: bool,
    deleted: bool,
    number: u64,
    /// What `icat` takes: `65-128-4`.
    address: String,
    path: String,
}

fn fls(case: &Case) -> Option<Vec<Line>> {
    let sector = case.sector.to_string();
    let out = run("fls", &["-r", "-p", "-o", &sector, case.path.to_str().unwrap()])?;
    let text = String::from_utf8_lossy(&out).into_owned();
    let line = |l: &str| {
        let (head, path) = l.split_once(":\t")?;
        let mut words = head.split(' ');
        let kind = words.next()?;
        let address = words.next_back()?.trim_end_matches("(realloc)").to_owned();
        if kind == "V/V" {
            return None; // TSK's own virtual folders
        }
        Some(Line {
            directory: kind.ends_with('d'),
            deleted: head.contains(" * "),
            number: address.split('-').next()?.parse().ok()?,
            address,
            path: path.to_owned(),
        })
    };
    Some(text.lines().filter_map(line).collect())
}

/// What differs from TSK on purpose: image, side that lists it, record, path, reason.
const EXCEPTIONS: &[(&str, &str, &str)] =
    &[("tsk", "$OrphanFiles/OrphanFile-", "reserved records 16 to 23: neither name nor content")];

#[test]
fn allocated_and_deleted_as_the_sleuth_kit_lists_them() {
    let mut compared = 0;
    for case in cases() {
        let Some(lines) = fls(&case) else { return skipped(9, "fls is not installed") };
        let volume = case.volume();
        let found = collect(&Ntfs::open(Arc::clone(&volume)).unwrap());
        let mut ours: BTreeMap<(bool, u64, String), &Entry> = BTreeMap::new();
        for e in &found.entries {
            let key = (e.state != AllocationState::Allocated, e.number, tsk_path(e));
            assert!(ours.insert(key.clone(), e).is_none(), "{}: {key:?} twice", case.name);
        }
        assert!(found.problems.is_empty(), "{}: {:?}", case.name, found.problems);
        let mut theirs = BTreeSet::new();
        for line in lines {
            // Indexes (type 144) of system files are no content to us.
            if !line.directory && line.address.contains("-144-") {
                continue;
            }
            let key = (line.deleted, line.number, line.path.clone());
            let Some(e) = ours.get(&key) else {
                let excused = EXCEPTIONS.iter().any(|(side, part, _)| *side == "tsk" && line.path.contains(part));
                assert!(excused, "{}: only TSK lists {line:?}", case.name);
                continue;
            };
            theirs.insert(key);
            if line.directory {
                assert_eq!(e.kind, EntryKind::Directory, "{}: {line:?}", case.name);
                continue;
            }
            if line.path == "$BadClus:$Bad" {
                assert!(matches!(e.content, Content::None));
                continue;
            }
            if case.name == "ntfs.dd" && line.path.starts_with("many/") {
                continue; // held against the corpus' own digests elsewhere; a process each is slow
            }
            let sector = case.sector.to_string();
            let bytes = run("icat", &["-o", &sector, case.path.to_str().unwrap(), &line.address]).unwrap();
            assert_eq!(e.size, bytes.len() as u64, "{}: {line:?}", case.name);
            assert_eq!(digest(e, &volume), Some(sha256(&bytes)), "{}: {line:?}", case.name);
            compared += 1;
        }
        for (key, e) in &ours {
            // System files without $DATA, which TSK lists by their indexes only.
            let system = ["$Secure", "$Extend/$ObjId", "$Extend/$Quota", "$Extend/$Reparse"].contains(&key.2.as_str());
            let excused = system && matches!(e.content, Content::None);
            assert!(theirs.contains(key) || excused, "{}: only we list {key:?}", case.name);
        }
        let mut free = vec![];
        let runs = Ntfs::open(Arc::clone(&volume)).unwrap().unallocated().unwrap();
        if runs.iter().map(|r| r.length).sum::<u64>() > 256 << 20 {
            continue; // a gigabyte through a pipe proves no more than the other eight volumes
        }
        for r in runs {
            let mut bytes = vec![0; r.length as usize];
            assert_eq!(volume.read_at(r.start, &mut bytes).unwrap(), bytes.len());
            free.extend(bytes);
        }
        let sector = case.sector.to_string();
        let theirs = run("blkls", &["-o", &sector, case.path.to_str().unwrap()]).unwrap();
        assert!(free == theirs, "{}: {} and {} bytes free", case.name, free.len(), theirs.len());
        println!("{}: {} entries, {} bytes free", case.name, ours.len(), free.len());
    }
    println!("{compared} contents compared with icat");
}

/// Times of `istat -z UTC` below a heading, by label.
fn istat_times(text: &str, heading: &str) -> BTreeMap<String, String> {
    let section = text.split_once(heading).unwrap().1;
    let section = section.lines().skip(1).take_while(|l| !l.trim().is_empty());
    let time = |l: &str| {
        let (label, value) = l.split_once(":\t")?;
        let value = value.strip_suffix(" (UTC)")?;
        let (date, clock) = value.split_once(' ')?;
        let (whole, fraction) = clock.split_once('.').unwrap_or((clock, ""));
        let fraction = fraction.trim_end_matches('0');
        let dot = if fraction.is_empty() { "" } else { "." };
        Some((label.to_owned(), format!("{date}T{whole}{dot}{fraction}Z")))
    };
    section.filter_map(time).collect()
}

#[test]
fn times_as_istat_gives_them() {
    let mut compared = 0;
    for case in cases().filter(|c| c.name.contains("usb") || c.name.contains("lastaccess")) {
        let found = collect(&Ntfs::open(case.volume()).unwrap());
        for e in found.entries.iter().filter(|e| e.stream.is_none() && !e.path.starts_with("/$")) {
            let (sector, number) = (case.sector.to_string(), e.number.to_string());
            let args = ["-z", "UTC", "-o", &sector, case.path.to_str().unwrap(), &number];
            let Some(out) = run("istat", &args) else { return skipped(20, "istat is not installed") };
            let text = String::from_utf8_lossy(&out);
            let t = &e.times;
            for (heading, ours) in [
                ("$STANDARD_INFORMATION Attribute Values:", [t.created, t.modified, t.changed, t.accessed]),
                ("$FILE_NAME Attribute Values:", [t.name_created, t.name_modified, t.name_changed, t.name_accessed]),
            ] {
                let theirs = istat_times(&text, heading);
                for (label, time) in ["Created", "File Modified", "MFT Modified", "Accessed"].iter().zip(ours) {
                    let expected = theirs.get(*label).unwrap_or_else(|| panic!("no {label} in {text}"));
                    assert_eq!(time.unwrap().to_string(), *expected, "{} record {number} {label}", case.name);
                    compared += 1;
                }
            }
        }
    }
    println!("{compared} times compared with istat");
}

#[test]
fn volumes_made_by_mkntfs_in_every_geometry() {
    let temp = tempfile::tempdir().unwrap();
    let image = temp.path().join("image");
    let image_text = image.to_str().unwrap();
    let small = b"kept inside the record".to_vec();
    let large: Vec<u8> = (0..300_001u32).flat_map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let (small_path, large_path) = (temp.path().join("small"), temp.path().join("large"));
    write(&small_path, &mut small.as_slice());
    write(&large_path, &mut large.as_slice());
    let geometries = [
        ("512", "512", 8u64),
        ("512", "4096", 8),
        ("512", "65536", 64),
        ("512", "2097152", 64),
        ("1024", "1024", 16),
        ("2048", "4096", 16),
        ("4096", "4096", 16),
    ];
    for (sector, cluster, mib) in geometries {
        // Sparse, so that the size costs nothing.
        write(&image, &mut std::io::empty());
        #[expect(clippy::disallowed_methods, reason = "a temporary file of a test, not evidence")]
        std::fs::OpenOptions::new().write(true).open(&image).unwrap().set_len(mib << 20).unwrap();
        let args = ["-F", "-Q", "-q", "-s", sector, "-c", cluster, "-L", "Zo\u{eb}", image_text];
        if run("mkntfs", &args).is_none() {
            return skipped(geometries.len(), "mkntfs is not installed");
        }
        for (options, source, to) in [
            (&[][..], &small_path, "small.txt"),
            (&[], &large_path, "large.bin"),
            (&["-N", "side"], &large_path, "small.txt"),
        ] {
            let args = [&["-f", "-q"], options, &[image_text, source.to_str().unwrap(), to]].concat();
            if run("ntfscp", &args).is_none() {
                return skipped(geometries.len(), "ntfscp is not installed");
            }
        }
        let volume = load(&image);
        let fs = Ntfs::open(Arc::clone(&volume)).unwrap();
        assert_eq!(fs.facts().cluster_size.to_string(), cluster);
        assert_eq!(fs.facts().label.as_deref(), Some("Zo\u{eb}"));
        let found = collect(&fs);
        assert!(found.problems.is_empty(), "{sector} {cluster}: {:?}", found.problems);
        for (path, stream, bytes) in
            [("/small.txt", None, &small), ("/small.txt", Some("side"), &large), ("/large.bin", None, &large)]
        {
            let e = found.entries.iter().find(|e| e.path == path && e.stream.as_deref() == stream).unwrap();
            assert!(content(e, &volume, CAP).unwrap().as_ref() == Some(bytes), "{sector} {cluster} {path}");
        }
    }
}
