//! The shared real images against The Sleuth Kit: every entry and every content, live and deleted, in both directions.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::super::support::{Place, installed, skipped, testdata};
use super::{bytes_of_path, output, rows, sha256sum, text};

/// The images of the shared test data that are read, and the program that unpacks one where it is packed.
const IMAGES: &[(&str, &str)] = &[
    ("made/card-exfat.dd", ""),
    ("made/card-fat12.dd", ""),
    ("made/card-fat16.dd", ""),
    ("made/card-fat16.E01", ""),
    ("made/usb-ntfs.dd", ""),
    ("ewf/CFReDS001.E01", ""),
    ("ewf/nps-2010-emails.E01", ""),
    ("ewf/ntfs_sample.E01", ""),
    ("tsk/image.dd", ""),
    ("tsk/image.E01", ""),
    ("tsk/imageformat_mmls_1.E01", ""),
    ("tsk/image.iso", ""),
    ("dfvfs/hfsplus.raw", ""),
    ("plaso/image-split.E01", ""),
    ("plaso/tsk_volume_system.raw", ""),
    ("fs/exfat.img", ""),
    ("fs/fat12.img", ""),
    ("fs/fat16.img", ""),
    ("fs/test.exfat", ""),
    ("fs/gpt_ntfs.E01", ""),
    ("fs/test_disk1.bin.zst", "zstd"),
    ("fs/test_disk_ext3.bin.zst", "zstd"),
    ("fs/SampleTinyNtfsVolume.zip", "python3"),
    ("ntfs-samples/ntfs-lastaccess.raw.gz", "gzip"),
    ("ntfs-samples/ntfs-si-vs-fn.raw.gz", "gzip"),
];

/// Where the two sides differ: image, who alone has it, what (path as text, `*` at the end for any), and why.
const EXCEPTIONS: &[(&str, Side, &str, &str)] = &[
    ("made/card-exfat.dd", Sleuthkit, "CARDS", LABEL),
    ("fs/exfat.img", Sleuthkit, "EXFATVOL", LABEL),
    ("fs/test.exfat", Sleuthkit, "testvolumelabel", LABEL),
    ("made/card-fat16.dd", Avocet, "DCIM/100NIKON/Holiday album", REUSED),
    ("made/card-fat16.dd", Sleuthkit, "DCIM/100NIKON/Holiday album", REUSED),
    ("made/card-fat16.E01", Avocet, "DCIM/100NIKON/Holiday album", REUSED),
    ("made/card-fat16.E01", Sleuthkit, "DCIM/100NIKON/Holiday album", REUSED),
    (
        "made/usb-ntfs.dd",
        Sleuthkit,
        "$OrphanFiles/OrphanFile-*",
        "file records 16 to 23 are reserved: no name, no content",
    ),
    ("dfvfs/hfsplus.raw", Avocet, "a_directory/a_file:myxattr", HFS_STREAMS),
    ("dfvfs/hfsplus.raw", Avocet, "a_directory/a_resourcefork:rsrc", HFS_STREAMS),
    ("dfvfs/hfsplus.raw", Sleuthkit, "$ExtentsFile", HFS_TABLES),
    ("dfvfs/hfsplus.raw", Sleuthkit, "$CatalogFile", HFS_TABLES),
    ("dfvfs/hfsplus.raw", Sleuthkit, "$BadBlockFile", HFS_TABLES),
    ("dfvfs/hfsplus.raw", Sleuthkit, "$AllocationFile", HFS_TABLES),
    ("dfvfs/hfsplus.raw", Sleuthkit, "$AttributesFile", HFS_TABLES),
    ("fs/test_disk1.bin.zst", Avocet, "encrypted_dir/*", FSCRYPT),
    ("fs/test_disk1.bin.zst", Sleuthkit, "encrypted_dir/*", FSCRYPT),
    (
        "fs/test_disk_ext3.bin.zst",
        Sleuthkit,
        "medium_dir/^",
        "a name of one control character from old bytes of a directory",
    ),
];

const LABEL: &str = "the label of an exFAT volume is a fact of the volume to Avocet, a file to The Sleuth Kit";
const REUSED: &str =
    "every cluster belongs to another file now: The Sleuth Kit gives one cluster, Avocet all with a note";
const HFS_TABLES: &str = "the trees and the map of HFS+ are structures to Avocet, files to The Sleuth Kit";
const HFS_STREAMS: &str = "`fls` lists neither attributes nor resource forks of HFS+";
const FSCRYPT: &str = "encrypted by fscrypt: Avocet gives no digest, icat gives the encrypted bytes";

/// From so many entries on, only one in sixteen contents is compared (names and states always).
const MANY: usize = 1000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Avocet,
    Sleuthkit,
}
use Side::{Avocet, Sleuthkit};

/// One entry as both sides are able to state it. `digest` says "folder" of a folder, "link" of a symbolic link, "label"
/// of a volume label, "no data" of a system file of NTFS that has indexes only, and "nothing" of a deleted file of which no byte can be located.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Item {
    volume: usize,
    deleted: bool,
    path: String,
    digest: String,
}

/// The image as The Sleuth Kit and Avocet can both open it; unpacked into `dir` where it is packed.
fn unpacked(disk: &Path, name: &str, with: &str, dir: &Path) -> Option<PathBuf> {
    let (from, to) = (disk.join(name), dir.join("unpacked.dd"));
    let bytes = match with {
        "" => return Some(from),
        _ if !installed(with) => return None,
        "python3" => {
            let script = "import sys,zipfile; z=zipfile.ZipFile(sys.argv[1]); \
                          n=max(z.infolist(), key=lambda i: i.file_size); sys.stdout.buffer.write(z.read(n))";
            output(with, [OsStr::new("-c"), OsStr::new(script), from.as_os_str()])
        }
        _ => output(with, [OsStr::new("-dc"), from.as_os_str()]),
    };
    std::fs::write(&to, bytes.unwrap()).unwrap();
    Some(to)
}

fn ours(place: &Place, image: &Path) -> Vec<Item> {
    let rows = rows(place, image);
    let volumes: BTreeSet<&str> = rows.iter().map(|r| text(r, "volume")).collect();
    rows.iter()
        .map(|row| {
            let deleted = text(row, "state") != "allocated";
            let mut path = String::from_utf8_lossy(&bytes_of_path(text(row, "path"))).into_owned();
            if let Some(stream) = row["stream"].as_str() {
                path = format!("{path}:{}", String::from_utf8_lossy(&bytes_of_path(stream)));
            }
            // `fls` prints a control character as ^.
            path = path.chars().map(|c| if c.is_ascii_control() { '^' } else { c }).collect();
            let gone = row["size"] == 0 || text(row, "unreadable").ends_with("location no longer recorded");
            let digest = match text(row, "kind") {
                "directory" => "folder",
                "special" => "label",
                "link" => "link",
                _ if !deleted && path.starts_with('$') && row["size"] == 0 && row["sha256"].is_null() => "no data",
                _ if deleted && gone => "nothing",
                _ if row["sha256"].is_null() => "unreadable",
                _ if !is_compared(rows.len(), &path) => "",
                _ => text(row, "sha256"),
            };
            Item {
                volume: volumes.iter().position(|v| *v == text(row, "volume")).unwrap(),
                deleted,
                path,
                digest: digest.to_owned(),
            }
        })
        .collect()
}

/// First sectors of the volumes with a file system: the whole image, or the slots that `mmls` shows.
fn starts(image: &Path) -> Vec<String> {
    let opens = |start: &str| output("fsstat", [OsStr::new("-o"), OsStr::new(start), image.as_os_str()]).is_some();
    if opens("0") {
        return vec!["0".into()];
    }
    let table = String::from_utf8(output("mmls", [image]).unwrap_or_default()).unwrap();
    table
        .lines()
        .filter_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let slot = words.get(1)?.split(':').all(|part| part.parse::<u32>().is_ok());
            let start = words.get(2)?.trim_start_matches('0').to_owned();
            (slot && opens(&start)).then_some(start)
        })
        .collect()
}

/// Whether contents of this path are compared in an image of so many entries.
fn is_compared(entries: usize, path: &str) -> bool {
    entries < MANY || path.bytes().map(u32::from).sum::<u32>() % 16 == 0
}

/// One line of `fls`: kind and state, address, name.
fn fls_line(line: &str) -> (bool, &str, &str, &str) {
    let (head, path) = line.split_once(":\t").unwrap();
    let (kind, rest) = head.split_once(' ').unwrap();
    let deleted = rest.starts_with('*');
    let address = rest.trim_start_matches("* ");
    (deleted, kind, address.strip_suffix("(realloc)").unwrap_or(address), path)
}

/// Names that The Sleuth Kit gives to what has none.
const EXFAT_TABLES: [&str; 2] = ["$ALLOC_BITMAP", "$UPCASE_TABLE"];

/// What The Sleuth Kit says, by these rules: its own virtual entries (`v/v`, `V/V`) and the names that it gives to the
/// bitmap and the up-case table of exFAT are no files; index attributes of NTFS (type 144 on what is not a folder) are
/// no content, but the file that holds them exists; a link's target is no content; `$BadClus:$Bad` is a map as large as the volume, which Avocet does not digest.
fn theirs(image: &Path, dir: &Path) -> Vec<Item> {
    let mut found = vec![];
    let mut files = vec![];
    for (volume, start) in starts(image).iter().enumerate() {
        let args = [OsStr::new("-r"), OsStr::new("-p"), OsStr::new("-o"), OsStr::new(start), image.as_os_str()];
        let listing = output("fls", args).unwrap();
        let listing = String::from_utf8_lossy(&listing);
        let lines = listing.lines().count();
        for line in listing.lines() {
            let (deleted, kind, address, path) = fls_line(line);
            let virtual_entry = kind.eq_ignore_ascii_case("v/v") || EXFAT_TABLES.contains(&path);
            let folder = kind.ends_with('d');
            if virtual_entry {
                continue;
            }
            if let Some((base, _)) = path.rsplit_once(':').filter(|_| !folder && address.contains("-144-")) {
                let item = Item { volume, deleted, path: base.to_owned(), digest: "no data".into() };
                if !found.contains(&item) {
                    found.push(item);
                }
                continue;
            }
            let label = path.strip_suffix("(Volume Label Entry)");
            let digest = match (folder, label, path) {
                (true, _, _) => "folder",
                (_, Some(_), _) => "label",
                _ if kind.ends_with('l') => "link",
                (_, _, "$BadClus:$Bad") => "unreadable",
                _ => "",
            };
            let path = label.map_or(path, str::trim_end).to_owned();
            if digest.is_empty() && is_compared(lines, &path) {
                files.push((found.len(), start.clone(), address.to_owned()));
            }
            found.push(Item { volume, deleted, path, digest: digest.to_owned() });
        }
    }
    let digests = contents(image, dir, &files);
    println!("{}: {} entries, {} contents", image.display(), found.len(), digests.len());
    for (at, digest) in digests {
        let item = &mut found[at];
        item.digest = if item.deleted && digest == EMPTY { "nothing".into() } else { digest };
    }
    found
}

const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Digests of contents that `icat` gives out, by position.
fn contents(image: &Path, dir: &Path, files: &[(usize, String, String)]) -> Vec<(usize, String)> {
    let out = dir.join("icat");
    std::fs::create_dir(&out).unwrap();
    let place_of = |at: usize| out.join(at.to_string());
    std::thread::scope(|scope| {
        for some in files.chunks(files.len().div_ceil(4).max(1)) {
            scope.spawn(move || {
                for (at, start, address) in some {
                    let args = ["-r", "-o", start, image.to_str().unwrap(), address];
                    // A program that fails wrote what it could; that is its answer.
                    let done = std::process::Command::new("icat").args(args).output().unwrap();
                    std::fs::write(place_of(*at), done.stdout).unwrap();
                }
            });
        }
    });
    let names: Vec<PathBuf> = files.iter().map(|f| place_of(f.0)).collect();
    let sums = sha256sum(&names);
    let found = files.iter().map(|f| (f.0, sums[&place_of(f.0)].clone())).collect();
    std::fs::remove_dir_all(out).unwrap();
    found
}

/// What only one side has, each as often as it has it more often.
fn only(one: &[Item], other: &[Item]) -> Vec<Item> {
    let mut left: BTreeMap<&Item, usize> = BTreeMap::new();
    for item in other {
        *left.entry(item).or_default() += 1;
    }
    let extra = one.iter().filter(|item| match left.get_mut(item) {
        Some(n) if *n > 0 => {
            *n -= 1;
            false
        }
        _ => true,
    });
    extra.cloned().collect()
}

fn is_named(pattern: &str, path: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == path, |start| path.starts_with(start))
}

#[test]
fn every_entry_and_content_is_what_the_sleuth_kit_says() {
    let Some(disk) = testdata().map(|t| t.join("disk")) else { return skipped(IMAGES.len(), "no shared test data") };
    if !["fls", "icat", "mmls", "fsstat"].iter().all(|t| installed(t)) {
        return skipped(IMAGES.len(), "The Sleuth Kit is not installed");
    }
    let place = Place::new();
    let (mut unlisted, mut used, mut equal) = (vec![], BTreeSet::new(), [0; 2]);
    for (name, with) in IMAGES {
        let Some(image) = unpacked(&disk, name, with, place.dir.path()) else {
            skipped(1, "the program that unpacks it is not installed");
            continue;
        };
        let (ours, theirs) = (ours(&place, &image), theirs(&image, place.dir.path()));
        let both = [(Avocet, only(&ours, &theirs)), (Sleuthkit, only(&theirs, &ours))];
        for deleted in [false, true] {
            let all = ours.iter().filter(|i| i.deleted == deleted).count();
            equal[usize::from(deleted)] += all - both[0].1.iter().filter(|i| i.deleted == deleted).count();
        }
        for (side, items) in both {
            for item in items {
                let listed = EXCEPTIONS.iter().position(|e| e.0 == *name && e.1 == side && is_named(e.2, &item.path));
                match listed {
                    Some(at) => drop(used.insert(at)),
                    None => unlisted.push(format!("{name} {side:?} {item:?}")),
                }
            }
        }
    }
    println!("equal: {} live, {} deleted", equal[0], equal[1]);
    assert!(unlisted.is_empty(), "differences that are not in the table:\n{}", unlisted.join("\n"));
    let stale: Vec<_> = (0..EXCEPTIONS.len()).filter(|at| !used.contains(at)).map(|at| EXCEPTIONS[at]).collect();
    assert!(stale.is_empty(), "exceptions that are none any more: {stale:?}");
}

/// The stored answer, for machines without The Sleuth Kit: each of its files with a digest, of every image that is read.
#[test]
fn every_file_of_the_stored_listing_is_there() {
    let Some(disk) = testdata().map(|t| t.join("disk")) else { return skipped(IMAGES.len(), "no shared test data") };
    let listing = std::fs::read_to_string(disk.join("listing-sleuthkit.tsv")).unwrap();
    let place = Place::new();
    let (mut missing, mut found, mut without) = (vec![], [0; 2], vec![]);
    for (name, with) in IMAGES {
        let lines: Vec<Vec<&str>> = listing
            .lines()
            .map(|line| line.split('\t').collect::<Vec<_>>())
            .filter(|cells| cells[0].strip_prefix("disk/") == Some(name))
            .collect();
        if lines.is_empty() {
            without.push(*name);
        }
        let Some(image) = unpacked(&disk, name, with, place.dir.path()) else {
            skipped(1, "the program that unpacks it is not installed");
            continue;
        };
        let rows = rows(&place, &image);
        for cells in lines.iter().filter(|cells| cells[4] == "file" && !cells[7].is_empty()) {
            let (deleted, digest, path) = (cells[3] != "live", cells[7], cells[8]);
            if (deleted && digest == EMPTY) || EXFAT_TABLES.contains(&path) {
                continue;
            }
            let same = rows.iter().any(|row| {
                let stream = row["stream"].as_str().map(|s| format!(":{s}")).unwrap_or_default();
                let ours = bytes_of_path(&format!("{}{stream}", text(row, "path")));
                ours == path.as_bytes()
                    && text(row, "sha256") == digest
                    && (text(row, "state") != "allocated") == deleted
            });
            let listed = EXCEPTIONS.iter().any(|e| e.0 == *name && e.1 == Sleuthkit && is_named(e.2, path));
            match (same, listed) {
                (true, _) => found[usize::from(deleted)] += 1,
                (false, true) => {}
                (false, false) => missing.push(format!("{name} {path}")),
            }
        }
    }
    println!("found: {} live, {} deleted", found[0], found[1]);
    assert!(missing.is_empty(), "{}", missing.join("\n"));
    assert!(without.is_empty(), "not in the listing: {without:?}");
}
