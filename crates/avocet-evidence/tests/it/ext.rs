//! ext2, ext3 and ext4 against digests taken before imaging, The Sleuth Kit, and e2fsprogs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use avocet_evidence::fs::ext::Ext;
use avocet_evidence::{
    AllocationState, Content, Entry, EntryKind, FileSystem, Location, MemorySource, Note, OpenError, Source, Unreadable,
};

use crate::support::{self, Collected};

const CAP: usize = 64 << 20;

fn open(path: &Path) -> (Ext, Arc<dyn Source>) {
    let volume = support::load(path);
    (Ext::open(Arc::clone(&volume)).expect("opens"), volume)
}

fn have(tool: &str) -> bool {
    Command::new(tool).arg("-V").output().is_ok()
}

fn run(tool: &str, args: &[&str]) -> String {
    let out = Command::new(tool).args(args).output().expect(tool);
    String::from_utf8_lossy(&out.stdout).into_owned()
}

fn live_files(all: &Collected) -> impl Iterator<Item = &Entry> {
    all.entries.iter().filter(|e| e.state == AllocationState::Allocated && e.kind == EntryKind::File)
}

fn digest(entry: &Entry, volume: &Arc<dyn Source>) -> Option<String> {
    support::content(entry, volume, CAP).expect("readable").map(|b| support::sha256(&b))
}

fn codes(all: &Collected) -> BTreeSet<&str> {
    all.problems.iter().map(|p| p.code).collect()
}

/// `digest  ./path` lines, as `/path` to digest.
fn truth(path: &Path) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(path).expect("truth");
    text.lines().map(|l| (l[66..].trim_start_matches('.').to_owned(), l[..64].to_owned())).collect()
}

/// The built images hold the same 478 files and the same 27 deleted ones.
#[test]
fn built_images_read_like_the_files_that_went_in() {
    let Some(dir) = support::images() else { return support::skipped(3, "AVOCET_IMAGES is not set") };
    let deleted = truth(&dir.join("../corpus/D.sha256"));
    assert_eq!(deleted.len(), 27);
    // Files recovered with their name and path, and by content alone. ext2 has no journal to recover from.
    for (name, kind, named, content) in [("ext2", "ext2", 0, 0), ("ext3", "ext3", 27, 27), ("ext4", "ext4", 27, 27)] {
        let (fs, volume) = open(&dir.join(format!("{name}.dd")));
        assert_eq!(fs.facts().kind, kind);
        assert_eq!(fs.facts().label.as_deref(), Some(format!("TEST{name}").as_str()));
        let all = support::collect(&fs);
        assert_eq!(all.problems, [], "{name}");
        let found: BTreeMap<String, String> =
            live_files(&all).map(|e| (e.path.clone(), digest(e, &volume).expect("content"))).collect();
        let expected = truth(&dir.join(format!("{name}.live.sha256")));
        assert_eq!(expected.len(), 478);
        assert_eq!(found, expected, "{name}");

        let gone: Vec<&Entry> = all.entries.iter().filter(|e| e.state != AllocationState::Allocated).collect();
        for e in &gone {
            println!(
                "{name} {} {} {} {:?} {} {:?}",
                e.state.as_str(),
                e.path,
                e.number,
                e.size,
                if matches!(e.content, Content::Unreadable(_)) { "U" } else { "c" },
                e.notes
            );
        }
        let files = gone.iter().filter(|e| e.kind == EntryKind::File).count();
        assert!(files >= 27, "{name}: {files}");
        let mut by_name = 0;
        let mut by_content = BTreeSet::new();
        for e in gone.iter().filter(|e| matches!(e.content, Content::Mapped(_) | Content::Resident(_))) {
            let sha = digest(e, &volume).expect("content");
            assert!(e.notes.contains(&Note::Other("location from the journal".to_owned())), "{name} {}", e.path);
            by_name += usize::from(deleted.get(&e.path) == Some(&sha));
            by_content.insert(sha);
        }
        let right = deleted.values().filter(|d| by_content.contains(*d)).count();
        println!("{name}: {} deleted files listed, {by_name} with name and content, {right} by content", files);
        assert_eq!((by_name, right), (named, content), "{name}");
    }
}
