//! Recycle-bin records: what the deleted file was called and where it lay.

use std::collections::BTreeMap;

use avocet_evidence::Entry;
use avocet_evidence::fs::recycle::{RecycleInfo, parse_info};

/// The largest `$I` record worth keeping: 28 bytes and a path of 32,767 UTF-16 units.
const RECORD_MAX: u64 = 28 + 2 * 32_767;

/// Splits a path into its folder and name when the folder is a recycle bin's (`$Recycle.Bin/<owner>/…`).
fn in_recycle_bin(path: &str) -> Option<(&str, &str)> {
    let (folder, name) = path.rsplit_once('/')?;
    folder.split('/').any(|part| part.eq_ignore_ascii_case("$Recycle.Bin")).then_some((folder, name))
}

/// Whether an entry is a `$I…` record of a recycle bin.
pub(crate) fn is_record(entry: &Entry) -> bool {
    entry.stream.is_none()
        && entry.size <= RECORD_MAX
        && in_recycle_bin(&entry.path).is_some_and(|(_, name)| name.starts_with("$I"))
}

/// One file of a recycle bin with its record.
pub(crate) struct Original {
    pub file: i64,
    pub info_file: i64,
    pub info: RecycleInfo,
}

/// Brings `$I…` records and `$R…` files together, whatever order they are enumerated in.
#[derive(Default)]
pub(crate) struct RecycleBin {
    records: BTreeMap<(i64, String), (i64, RecycleInfo)>,
    files: BTreeMap<(i64, String), i64>,
    /// Records that could not be understood.
    pub unreadable: u64,
}

impl RecycleBin {
    /// Takes note of an entry of a volume.
    pub fn note(&mut self, volume: i64, id: i64, entry: &Entry, record: Option<&[u8]>) {
        if entry.stream.is_some() {
            return;
        }
        let Some((folder, name)) = in_recycle_bin(&entry.path) else { return };
        if let Some(rest) = name.strip_prefix("$R") {
            self.files.entry((volume, format!("{folder}/{rest}"))).or_insert(id);
        } else if let (Some(rest), Some(record)) = (name.strip_prefix("$I"), record) {
            match parse_info(record) {
                Some(info) => {
                    self.records.entry((volume, format!("{folder}/{rest}"))).or_insert((id, info));
                }
                None => self.unreadable += 1,
            }
        }
    }

    /// The pairs, in the order of the files.
    pub fn pairs(self) -> Vec<Original> {
        let mut out: Vec<Original> = self
            .records
            .into_iter()
            .filter_map(|(key, (info_file, info))| {
                self.files.get(&key).map(|file| Original { file: *file, info_file, info })
            })
            .collect();
        out.sort_by_key(|o| o.file);
        out
    }
}
