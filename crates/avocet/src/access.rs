//! The access log: every time content was taken out of evidence, by whom, of what digest, why. It holds no name and no
//! path from the evidence.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use avocet_base::{Sha256, Stamp};

use crate::args::Global;

/// The folder that belongs to this workplace: `--store`, `AVOCET_STORE`, else the platform's data folder.
///
/// # Errors
/// Where none of them is given and there is no home folder.
pub fn store(global: &Global) -> io::Result<PathBuf> {
    if let Some(dir) = &global.store {
        return Ok(dir.clone());
    }
    let data = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|p| p.is_absolute());
    let home = || std::env::var_os("HOME").map(|h| PathBuf::from(h).join(".local/share"));
    data.or_else(home).map(|d| d.join("avocet")).ok_or_else(|| {
        io::Error::new(io::ErrorKind::NotFound, "no data folder: name one with --store DIR or AVOCET_STORE")
    })
}

/// Now, in UTC.
pub fn now() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
    Stamp::from_unix(seconds, 0).map_or_else(String::new, |s| s.to_string())
}

/// The name of the person the system knows as running this.
pub fn user() -> String {
    ["USER", "LOGNAME"]
        .iter()
        .find_map(std::env::var_os)
        .map_or_else(|| "unknown".to_owned(), |u| u.to_string_lossy().into_owned())
}

/// Appends one access before any byte is given out.
///
/// # Errors
/// Where the log cannot be written: then nothing may be given out.
pub fn log(global: &Global, sha256: &Sha256, size: u64, checked: &str, reason: Option<&str>) -> io::Result<()> {
    let dir = store(global)?;
    fs::create_dir_all(&dir)?;
    let line = serde_json::json!({
        "time": now(),
        "user": user(),
        "act": "evidence cat",
        "sha256": sha256.to_string(),
        "size": size,
        "checked": checked,
        "reason": reason,
    });
    let mut file = OpenOptions::new().append(true).create(true).open(dir.join("access.log"))?;
    writeln!(file, "{line}")?;
    file.sync_data()
}
