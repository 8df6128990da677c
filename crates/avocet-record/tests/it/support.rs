//! Where the shared test data lies.

use std::path::PathBuf;

/// A file of the shared test data, where the data is present.
pub fn testdata(path: &str) -> Option<PathBuf> {
    let root = match std::env::var_os("AVOCET_TESTDATA") {
        Some(root) => PathBuf::from(root),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/testdata"),
    };
    Some(root.join(path)).filter(|p| p.exists())
}
