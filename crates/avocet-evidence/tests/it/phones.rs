//! Phone backups: made here, and the shared samples against Python's `sqlite3`, `plistlib` and `hashlib`.
#![expect(clippy::disallowed_methods, reason = "these tests write the fixtures that they read")]

mod ios;
mod ios_locked;
mod packed;
mod sevenz;
mod sqlite;
mod tar;
mod ufdr;

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use avocet_evidence::{Entry, Evidence, FileSystem, MemorySource, Source, VolumeState};

use crate::support::{Collected, collect, content};

fn nothing() -> Arc<dyn Source> {
    Arc::new(MemorySource(vec![]))
}

/// The one tree of a piece of evidence, and its source.
fn tree(evidence: &Evidence) -> (&dyn FileSystem, &Arc<dyn Source>) {
    match &evidence.volumes[0].state {
        VolumeState::Read { fs, source } => (fs.as_ref(), source),
        other => panic!("{}", other.word()),
    }
}

fn walk(evidence: &Evidence) -> Collected {
    collect(tree(evidence).0)
}

fn read(entry: &Entry) -> Result<Option<Vec<u8>>, String> {
    content(entry, &nothing(), 1 << 30)
}

fn find<'a>(found: &'a Collected, path: &str) -> &'a Entry {
    found.entries.iter().find(|e| e.path == path).unwrap_or_else(|| panic!("no {path}"))
}

fn codes(found: &Collected) -> Vec<&'static str> {
    found.problems.iter().map(|p| p.code).collect()
}

/// What a Python script prints, line by line; `None` where there is no Python.
fn python(script: &str, arguments: &[&Path]) -> Option<Vec<String>> {
    let output = Command::new("python3").args(["-c", script]).args(arguments).output().ok()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect())
}
