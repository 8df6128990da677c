//! Attacks made by hand: each is one that seeded changes would meet only by luck.

use std::io::{Cursor, Write};

use avocet_evidence::Evidence;
use avocet_examine::{ExamineError, Options, Progress, examine};
use avocet_known::KnownSets;

use crate::base::{ext_names_in_a_lost_folder, fat12, mbr};
use crate::support::{How, Outcome, watched};

const HOW: How = How { image_digest: true, twice: true, password: false };

fn image(bytes: Vec<u8>) -> Outcome {
    watched(vec![("image".into(), bytes)], HOW).expect("the chain holds")
}

/// Byte offsets of the directory entries of folders, `.` and `..` too, of a FAT volume.
fn folder_entries(bytes: &[u8]) -> Vec<usize> {
    (512..bytes.len() - 32)
        .step_by(32)
        .filter(|at| bytes[at + 11] == 0x10 && bytes[*at] != 0xe5 && bytes[at + 28..at + 32] == [0; 4])
        .collect()
}

#[test]
fn folders_that_contain_each_other_are_cut_and_listed() {
    let whole = image(fat12());
    let mut bytes = fat12();
    let folders: Vec<usize> = folder_entries(&bytes).into_iter().filter(|at| bytes[*at] != b'.').collect();
    assert!(folders.len() >= 4, "{}", folders.len());
    // Every folder's entry leads to the first folder, also those inside it.
    let first = [bytes[folders[0] + 26], bytes[folders[0] + 27]];
    for at in folders {
        bytes[at + 26..at + 28].copy_from_slice(&first);
    }
    let looped = image(bytes);
    assert!(looped.codes.contains("directory-loop") && !whole.codes.contains("directory-loop"), "{looped:?}");
    assert!(looped.rows < 4 * whole.rows, "{looped:?} after {whole:?}");
}

#[test]
fn a_chain_of_logical_partitions_that_returns_is_cut() {
    let whole = image(mbr());
    let mut bytes = mbr();
    // The second extended boot record lies where the first one's link says; its own link now leads to itself.
    let extended = u32::from_le_bytes(bytes[446 + 16 + 8..446 + 16 + 12].try_into().unwrap());
    let first = 512 * extended as usize;
    let link = u32::from_le_bytes(bytes[first + 446 + 24..first + 446 + 28].try_into().unwrap());
    let second = first + 512 * link as usize;
    bytes[second + 446 + 24..second + 446 + 28].copy_from_slice(&link.to_le_bytes());
    let looped = image(bytes);
    assert!(looped.codes.contains("ebr-loop") && !whole.codes.contains("ebr-loop"), "{looped:?}");
}

#[test]
fn many_names_in_a_lost_folder_recover_no_more_than_the_volume_holds() {
    let Some(bytes) = ext_names_in_a_lost_folder() else {
        println!("skipped 1 case(s): mke2fs or debugfs is not here");
        return;
    };
    // That no more was recovered is checked of every result.
    let outcome = image(bytes);
    assert!(outcome.rows >= 10 && outcome.codes.contains("recovered-bytes-capped"), "{outcome:?}");
}

fn bomb(mib: usize) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(vec![]));
    archive.start_file("zeros", zip::write::SimpleFileOptions::default()).unwrap();
    for _ in 0..mib {
        archive.write_all(&vec![0; 1 << 20]).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

#[test]
fn an_honest_bomb_is_streamed() {
    let bytes = bomb(256);
    assert!(bytes.len() < 1 << 20);
    let outcome = image(bytes);
    assert_eq!((outcome.rows, outcome.problems), (1, 0), "{outcome:?}");
}

#[test]
fn members_that_share_their_bytes_are_listed_as_such() {
    // One member, named a thousand times by the central directory (Fifield 2019).
    let bytes = bomb(64);
    let end = bytes.len() - 22;
    let start = u32::from_le_bytes(bytes[end + 16..end + 20].try_into().unwrap()) as usize;
    let record = &bytes[start..end];
    let mut out = bytes[..start].to_vec();
    for _ in 0..1000 {
        out.extend(record);
    }
    let mut tail = bytes[end..].to_vec();
    tail[8..10].copy_from_slice(&1000u16.to_le_bytes());
    tail[10..12].copy_from_slice(&1000u16.to_le_bytes());
    tail[12..16].copy_from_slice(&(1000 * record.len() as u32).to_le_bytes());
    out.extend(tail);
    let outcome = image(out);
    assert_eq!(outcome.rows, 1000);
    assert!(outcome.problems > 0, "{outcome:?}");
}

#[test]
fn a_declared_size_of_a_member_is_not_believed() {
    let mut bytes = bomb(1);
    let end = bytes.len() - 22;
    let start = u32::from_le_bytes(bytes[end + 16..end + 20].try_into().unwrap()) as usize;
    for at in [start + 24, 22] {
        bytes[at..at + 4].copy_from_slice(&0xffff_fff0u32.to_le_bytes());
    }
    let outcome = image(bytes);
    assert!(outcome.rows == 1 && outcome.problems > 0, "{outcome:?}");
}

/// Progress that breaks the thread that reports it.
struct Breaking;

impl Progress for Breaking {
    fn add(&self, _: u64, _: u64) {
        std::panic::panic_any(crate::support::ON_PURPOSE);
    }
}

#[test]
fn a_worker_that_ends_early_is_an_error_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    // More windows than may be in flight, so that everybody waits for the one who is gone.
    let tree = dir.path().join("tree");
    std::fs::create_dir(&tree).unwrap();
    for i in 0..60_000 {
        std::fs::hard_link(dir.path().join("tree/0"), tree.join(i.to_string()))
            .or_else(|_| std::fs::write(tree.join(i.to_string()), b"x"))
            .unwrap();
    }
    for threads in [1usize, 3] {
        let (tree, out) = (tree.clone(), dir.path().join(format!("{threads}.examination")));
        let (send, receive) = std::sync::mpsc::channel();
        std::thread::spawn({
            let out = out.clone();
            move || {
                let evidence = Evidence::open(&tree).unwrap();
                let known = KnownSets::load(&[], &mut |_| {}).unwrap();
                let options = Options {
                    media: None,
                    exhibit: "X".parse().unwrap(),
                    out,
                    image_digest: false,
                    threads: threads.try_into().unwrap(),
                    key: None,
                    archives: true,
                    scratch: std::sync::Arc::new(avocet_evidence::scratch::InMemory::new(64 << 20)),
                    run: vec![],
                    corroborate: None,
                    journal: None,
                    begun_with: vec![],
                };
                let _ = send.send(examine(&evidence, &known, options, &Breaking).map(|_| ()));
            }
        });
        let result = receive.recv_timeout(std::time::Duration::from_secs(60)).expect("it ends");
        assert!(matches!(result, Err(ExamineError::Worker)), "{result:?}");
        assert!(!out.try_exists().unwrap());
    }
}
