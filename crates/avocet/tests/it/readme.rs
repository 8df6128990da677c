//! The README's table of what is read, held against the list in the code and the tests that the list names.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use avocet_evidence::reads::{Extent, FORMATS, Layer};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The cells of a row of the table, by the first.
fn row(readme: &str, name: &str) -> Vec<String> {
    let start = format!("| {name} |");
    let line = readme.lines().find(|l| l.starts_with(&start)).unwrap_or_else(|| panic!("no row {name}"));
    line.trim_matches('|').split('|').skip(1).map(|cell| cell.trim().to_owned()).collect()
}

#[test]
fn the_table_says_what_the_list_says() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    for layer in Layer::ALL {
        let cells = row(&readme, layer.row());
        for (at, extent) in [Extent::Read, Extent::Recognised, Extent::NotYet].into_iter().enumerate() {
            let names: Vec<&str> =
                FORMATS.iter().filter(|f| f.layer == layer && f.extent == extent).map(|f| f.name).collect();
            let expected = if names.is_empty() && extent == Extent::Read { "–".into() } else { names.join(", ") };
            assert_eq!(cells[at], expected, "README.md, row {}, column {extent:?}", layer.row());
        }
    }
}

/// Names of the test functions of a crate.
fn tests_of(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()) {
        if entry.is_dir() {
            tests_of(&entry, found);
        } else if entry.extension().is_some_and(|e| e == "rs") {
            let text = std::fs::read_to_string(&entry).unwrap();
            let lines: Vec<&str> = text.lines().map(str::trim).collect();
            found.extend(
                lines
                    .windows(2)
                    .filter(|w| w[0] == "#[test]")
                    .filter_map(|w| w[1].strip_prefix("fn ")?.split('(').next().map(str::to_owned)),
            );
        }
    }
}

#[test]
fn every_claim_of_the_table_names_a_test_that_is_there() {
    for format in FORMATS {
        if format.extent == Extent::NotYet {
            continue;
        }
        let (of, test) = format.proof.split_once(' ').unwrap_or_else(|| panic!("{} names no test", format.name));
        let mut found = BTreeSet::new();
        tests_of(&root().join("crates").join(of).join("tests"), &mut found);
        assert!(found.contains(test), "{}: there is no test {test} in {of}", format.name);
    }
}
