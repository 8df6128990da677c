//! What is recognised and not read: refused by name, or examined with the volume named as not read. Never an empty
//! success.

use super::super::support::{Place, skipped, testdata};
use super::{completeness, examine};

/// File, exit code, and what the refusal (2) or the first line of the completeness statement (4) must name.
const OUTCOMES: &[(&str, i32, &str)] = &[
    ("dissect/ad1_long.ad1", 2, "AD1"),
    ("dissect/ad1_test.ad1", 2, "AD1"),
    ("ewf/fuzz-crash-parse_segment-add-overflow.E01", 2, "ewf at offset 0"),
    ("ewf/zeros_128s.Ex01", 2, "Ex01"),
    ("ewf/zeros_128s_compressed.Ex01", 2, "Ex01"),
    ("made/carve-raw.dd", 4, "(762.5 KiB) was NOT read: nothing known was recognised in it"),
];

#[test]
fn what_is_not_read_is_named() {
    let Some(disk) = testdata().map(|t| t.join("disk")) else { return skipped(OUTCOMES.len(), "no shared test data") };
    let place = Place::new();
    for (at, (name, code, wanted)) in OUTCOMES.iter().enumerate() {
        let out = format!("{at}.examination");
        let ran = examine(&place, &disk.join(name), &out);
        assert_eq!(ran.code, *code, "{name}: {}{}", ran.out, ran.err);
        if *code == 2 {
            assert!(ran.err.contains(wanted), "{name}: {}", ran.err);
            let left = std::fs::read_dir(place.dir.path()).unwrap();
            let left: Vec<_> = left.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
            assert!(!left.iter().any(|f| f.starts_with(&out)), "{name} left {left:?}");
        } else {
            let first = &completeness(&place, &out)[0];
            assert_eq!(first.0, "gap", "{name}: {first:?}");
            assert!(first.1.contains("NOT read") && first.1.contains(wanted), "{name}: {first:?}");
            assert!(place.list(&out, &[]).is_empty(), "{name}");
        }
    }
}

/// Virtual disks and the disk that each holds, which is read for itself.
const DISKS: &[(&str, &str)] = &[
    // One disk three times; `image.dd` is the same one read once more, with another time of access.
    ("tsk/image.vmdk", "tsk/image.qcow"),
    ("tsk/image.vhd", "tsk/image.qcow"),
    ("made/card-fat16.vhdx", "made/card-fat16.dd"),
    ("dfvfs/ext2.vmdk", "dfvfs/ext2.qcow2"),
    ("dfvfs/ext2.vhd", "dfvfs/ext2.qcow2"),
];

#[test]
fn virtual_disks_give_the_list_of_the_disk_they_hold() {
    let Some(disk) = testdata().map(|t| t.join("disk")) else { return skipped(DISKS.len(), "no shared test data") };
    let place = Place::new();
    for (name, same) in DISKS {
        let (found, wanted) = (super::rows(&place, &disk.join(name)), super::rows(&place, &disk.join(same)));
        assert!(wanted.len() > 3 && found == wanted, "{name} differs from {same}");
    }
}

/// The truth tables of the made images: path, state, SHA-256.
#[test]
fn made_images_hold_what_their_truth_tables_say() {
    const MADE: [(&str, usize, usize); 4] =
        [("card-exfat", 7, 2), ("card-fat12", 9, 2), ("card-fat16", 10, 2), ("usb-ntfs", 9, 2)];
    let Some(made) = testdata().map(|t| t.join("disk/made")) else { return skipped(MADE.len(), "no shared test data") };
    let place = Place::new();
    for (name, live, intact) in MADE {
        let rows = super::rows(&place, &made.join(format!("{name}.dd")));
        let table = std::fs::read_to_string(made.join(format!("{name}.truth.tsv"))).unwrap();
        let (mut found_live, mut found_intact) = (0, 0);
        for line in table.lines().skip(1) {
            let cells: Vec<&str> = line.split('\t').collect();
            let (path, state, digests) = (cells[0], cells[1], &cells[4..7]);
            let holds = |row: &&serde_json::Value| {
                ["md5", "sha1", "sha256"].iter().zip(digests).all(|(field, d)| super::text(row, field) == *d)
            };
            if state.starts_with("live") {
                let row = rows.iter().find(|r| {
                    r["stream"].is_null() && super::bytes_of_path(super::text(r, "path")) == path.as_bytes()[1..]
                });
                let row = row.unwrap_or_else(|| panic!("{name} lacks a live file of its table"));
                assert!(super::text(row, "state") == "allocated" && holds(&row), "{name}: {row}");
                found_live += 1;
            } else if state == "deleted, data intact" {
                found_intact += rows.iter().filter(|r| super::text(r, "state") == "deleted").filter(holds).count();
            } else {
                let passed_off = rows.iter().filter(holds).count();
                assert_eq!(passed_off, 0, "{name}: overwritten content cannot be there");
            }
        }
        assert_eq!((found_live, found_intact), (live, intact), "{name}");
    }
}
