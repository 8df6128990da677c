//! The images that `evidence-images` builds, against the digests of what was written into them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use super::super::support::{Place, images, skipped};
use super::{bytes_of_path, output, rows, text, truth};

/// Digests of the 27 files that were deleted, by path.
fn deleted_truth(images: &Path) -> BTreeMap<String, String> {
    let all = truth(&images.join("../corpus/D.sha256"));
    assert_eq!(all.len(), 27);
    all.into_iter().map(|(digest, path)| (path, digest)).collect()
}

/// What stands in an image that was not written by whoever made it: structures of the file system itself.
fn is_system(row: &Value) -> bool {
    let path = text(row, "path");
    // A symbolic link as ntfs-3g writes it is a system file with the target as content (ntfs-3g, "IntxLNK").
    path.starts_with("/$") || path == "/symlink_to_resident" || text(row, "kind") != "file"
}

struct Found {
    /// Files with the right digest at the right path.
    exact: usize,
    /// Files with the right digest, whatever the path.
    content: usize,
    /// Live files of ours that are not in the truth.
    unknown: Vec<String>,
    /// Deleted files found with the right content, by digest.
    deleted: usize,
    /// Names among the deleted ones that are the old ones.
    deleted_named: usize,
}

/// Compares the rows of one volume with what was written and what was deleted.
fn compare(rows: &[&Value], live: &[(String, String)], deleted: &BTreeMap<String, String>) -> Found {
    // The NTFS list was taken before the deletion.
    let live: Vec<_> = live.iter().filter(|(_, path)| !deleted.contains_key(path)).collect();
    let ours: Vec<(String, &str)> = rows
        .iter()
        .filter(|r| text(r, "state") == "allocated" && r["stream"].is_null() && !is_system(r))
        .map(|r| (String::from_utf8(bytes_of_path(text(r, "path"))).unwrap(), text(r, "sha256")))
        .collect();
    let pairs: BTreeSet<(&str, &str)> = ours.iter().map(|(p, d)| (p.as_str(), *d)).collect();
    assert_eq!(pairs.len(), ours.len(), "a file is listed twice");
    let mut left: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, digest) in &ours {
        *left.entry(digest).or_default() += 1;
    }
    let mut content = 0;
    for (digest, _) in &live {
        if let Some(n) = left.get_mut(digest.as_str()).filter(|n| **n > 0) {
            *n -= 1;
            content += 1;
        }
    }
    let gone: Vec<_> = rows.iter().filter(|r| ["deleted", "orphan"].contains(&text(r, "state"))).collect();
    let by_digest = |digest: &String| gone.iter().any(|r| text(r, "sha256") == digest);
    let by_name = |path: &String, digest: &String| {
        let wanted = format!("/{path}");
        gone.iter().any(|r| text(r, "path") == wanted && (text(r, "sha256") == digest || r["sha256"].is_null()))
    };
    Found {
        exact: live.iter().filter(|(digest, path)| pairs.contains(&(path.as_str(), digest.as_str()))).count(),
        content,
        unknown: left.into_iter().filter(|(_, n)| *n > 0).map(|(d, _)| d.to_owned()).collect(),
        deleted: deleted.values().filter(|d| by_digest(d)).count(),
        deleted_named: deleted.iter().filter(|(p, d)| by_name(p, d)).count(),
    }
}

/// Name, live files by content, live files by content and path, deleted by content, deleted at their old path.
const SINGLE: &[(&str, usize, usize, usize, usize)] = &[
    ("fat12", 15, 13, 27, 0),
    ("fat16", 474, 472, 27, 0),
    ("fat32", 474, 472, 27, 0),
    ("exfat", 476, 476, 27, 27),
    ("ntfs", 478, 478, 27, 27),
    ("ext2", 478, 478, 0, 0),
    ("ext3", 478, 478, 27, 27),
    ("ext4", 478, 478, 27, 27),
];

#[test]
fn built_images_hold_what_was_written_and_what_was_deleted() {
    let Some(images) = images() else { return skipped(SINGLE.len(), "AVOCET_IMAGES is not set") };
    let (place, deleted) = (Place::new(), deleted_truth(&images));
    for (name, content, exact, gone, named) in SINGLE {
        let rows = rows(&place, &images.join(format!("{name}.dd")));
        let all: Vec<&Value> = rows.iter().collect();
        let live = truth(&images.join(format!("{name}.live.sha256")));
        let found = compare(&all, &live, &deleted);
        let got = (*name, found.content, found.exact, found.deleted, found.deleted_named);
        assert_eq!(got, (*name, *content, *exact, *gone, *named));
        assert!(found.unknown.is_empty(), "{name}: {:?}", found.unknown);
        if *name == "ext2" {
            // No journal, and the kernel wiped the pointers: each is listed, none is given content.
            let gone: Vec<_> =
                rows.iter().filter(|r| text(r, "state") == "orphan" && text(r, "kind") == "file").collect();
            assert_eq!(gone.len(), 27);
            assert!(gone.iter().all(|r| text(r, "unreadable").ends_with("location no longer recorded")));
        }
        if *name == "ntfs" {
            let mut streams: Vec<_> = rows
                .iter()
                .filter(|r| !r["stream"].is_null() && !text(r, "path").starts_with("/$"))
                .map(|r| (text(r, "path"), text(r, "stream"), r["size"].as_u64().unwrap()))
                .collect();
            streams.sort_unstable();
            assert_eq!(streams, STREAMS);
        }
    }
}

const STREAMS: [(&str, &str, u64); 2] =
    [("/photos/IMG_0004.jpg", "hidden.jpg", 49433), ("/resident.txt", "secret.txt", 24)];

/// The volumes of an image of several: name of the volume, truth, live files by content, deleted by content.
type Volumes = &'static [(&'static str, &'static str, usize, usize)];

const GPT: Volumes = &[("gpt:1", "ntfs", 478, 27), ("gpt:2", "ext4", 478, 27), ("gpt:3", "exfat", 476, 27)];
const MBR: Volumes = &[("mbr:1", "fat32", 474, 27), ("mbr:5", "ntfs", 478, 27)];

fn check_volumes(rows: &[Value], volumes: Volumes, images: &Path) -> usize {
    let deleted = deleted_truth(images);
    let mut right = 0;
    for (volume, name, content, gone) in volumes {
        let of: Vec<&Value> = rows.iter().filter(|r| text(r, "volume") == *volume).collect();
        let found = compare(&of, &truth(&images.join(format!("{name}.live.sha256"))), &deleted);
        assert_eq!((found.content, found.deleted), (*content, *gone), "{volume}");
        assert!(found.unknown.is_empty(), "{volume}: {:?}", found.unknown);
        right += found.content;
    }
    let named: BTreeSet<&str> = rows.iter().map(|r| text(r, "volume")).collect();
    assert_eq!(named, volumes.iter().map(|v| v.0).collect());
    right
}

#[test]
fn disks_of_several_volumes_hold_what_each_volume_holds() {
    let Some(images) = images() else { return skipped(2, "AVOCET_IMAGES is not set") };
    let place = Place::new();
    assert_eq!(check_volumes(&rows(&place, &images.join("gpt.dd")), GPT, &images), 1432);
    assert_eq!(check_volumes(&rows(&place, &images.join("mbr.dd")), MBR, &images), 952);
}

/// Containers of the same disk as `gpt.dd`: first file, number of segments.
const WRAPPED: &[(&str, usize)] = &[
    ("gpt_e6.E01", 7),
    ("gpt_none.E01", 1),
    ("gpt_ftk.E01", 1),
    ("gpt_ex.E01", 1),
    ("gpt_split.001", 4),
    ("gpt.qcow2", 1),
    ("gpt_c.qcow2", 1),
    ("gpt_z.qcow2", 1),
    ("gpt.vhd", 1),
    ("gpt_fixed.vhd", 1),
    ("gpt.vhdx", 1),
    ("gpt_fixed.vhdx", 1),
    ("gpt.vmdk", 1),
    ("gpt_so.vmdk", 1),
    ("gpt_flat.vmdk", 2),
    ("gpt_2g.vmdk", 2),
];

#[test]
fn every_container_of_a_disk_gives_the_same_list() {
    let Some(images) = images() else { return skipped(WRAPPED.len(), "AVOCET_IMAGES is not set") };
    let place = Place::new();
    let list = |name: &str| {
        let ran = super::examine(&place, &images.join(name), name);
        assert_eq!(ran.code, 0, "{name}: {}{}", ran.out, ran.err);
        place.output(["list", name, "--format", "jsonl"]).stdout
    };
    let plain = list("gpt.dd");
    assert!(plain.len() > 100_000);
    for (name, segments) in WRAPPED {
        assert!(list(name) == plain, "{name} differs from gpt.dd");
        let json: Value = serde_json::from_str(&place.run(["summary", name, "--json"]).out).unwrap();
        assert_eq!(json["evidence"]["segments"], *segments, "{name}");
    }
}

#[test]
fn the_digests_of_a_whole_image_are_those_of_sha256sum() {
    let Some(images) = images() else { return skipped(2, "AVOCET_IMAGES is not set") };
    let place = Place::new();
    for (digest, name) in truth(&images.join("disk.sha256")) {
        let ran = place.run(["evidence", "verify", images.join(&name).to_str().unwrap(), "--json", "--all-digests"]);
        let json: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(json["sha256"], digest, "{name}");
        let by_md5sum = output("md5sum", [images.join(&name)]).unwrap();
        assert!(by_md5sum.starts_with(text(&json, "md5").as_bytes()), "{name}");
    }
}
