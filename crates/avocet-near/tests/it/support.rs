//! Where the shared test data is, if it is there.

use std::path::{Path, PathBuf};

/// The shared test data; `None`, said on standard error, where there is none.
pub fn testdata() -> Option<PathBuf> {
    let folder = std::env::var_os("AVOCET_TESTDATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/testdata"), PathBuf::from);
    if folder.is_dir() {
        Some(folder)
    } else {
        eprintln!("skipped: no shared test data");
        None
    }
}
