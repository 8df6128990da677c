//! The folders that the server was started with. A browser never names a path in them: it says the digest of a name that
//! it was shown, and only what is listed here is found.

use std::path::{Path, PathBuf};

use crate::fault::Fault;

/// Entries of one folder that are listed; how many more there are is said.
const MOST: usize = 500;

/// Something in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What a form sends for it: the digest of its name.
    pub token: String,
    /// What it is called, below the folder.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// How long it is; `None` for a folder.
    pub bytes: Option<u64>,
}

/// What is in a folder and one level below it, and how many more there are.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// In the order of their names.
    pub entries: Vec<Entry>,
    /// Not listed, because there are too many.
    pub more: usize,
    /// Not listed, because they cannot be read or lead out of the folder.
    pub left_out: usize,
}

impl Listed {
    /// The entry with a token.
    pub fn find(&self, token: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.token == token)
    }
}

fn token(name: &str) -> String {
    avocet_record::digest(name.as_bytes()).to_string().chars().take(32).collect()
}

/// Lists a folder. `fits` says of a name and whether it is a folder whether it is wanted; folders are looked into once,
/// whether they are wanted or not. Links are left out: they may lead anywhere.
pub fn list(folder: &Path, fits: impl Fn(&str, bool) -> bool) -> Result<Listed, Fault> {
    let mut listed = Listed::default();
    let unreadable = |_| Fault::Server("read the folder that it was started with");
    let mut below = vec![];
    add(folder, "", &fits, &mut listed, &mut below).map_err(unreadable)?;
    for (name, path) in below {
        if add(&path, &name, &fits, &mut listed, &mut vec![]).is_err() {
            listed.left_out = listed.left_out.saturating_add(1);
        }
    }
    listed.entries.sort_by(|a, b| a.name.cmp(&b.name));
    listed.more = listed.entries.len().saturating_sub(MOST);
    listed.entries.truncate(MOST);
    Ok(listed)
}

fn add(
    folder: &Path,
    under: &str,
    fits: &impl Fn(&str, bool) -> bool,
    listed: &mut Listed,
    below: &mut Vec<(String, PathBuf)>,
) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        // Of the entry itself, not of what a link leads to.
        let (Ok(name), Ok(kind)) = (entry.file_name().into_string(), entry.file_type()) else {
            listed.left_out = listed.left_out.saturating_add(1);
            continue;
        };
        if name.starts_with('.') {
            continue;
        }
        if !kind.is_dir() && !kind.is_file() {
            listed.left_out = listed.left_out.saturating_add(1);
            continue;
        }
        let name = if under.is_empty() { name } else { format!("{under}/{name}") };
        if kind.is_dir() && under.is_empty() {
            below.push((name.clone(), entry.path()));
        }
        if !fits(&name, kind.is_dir()) {
            continue;
        }
        let bytes = if kind.is_file() { entry.metadata().ok().map(|facts| facts.len()) } else { None };
        listed.entries.push(Entry { token: token(&name), name, path: entry.path(), bytes });
    }
    Ok(())
}

/// Whether a name may be an evidence source: the later segments of an image belong to its first, and what the server
/// writes itself is none.
pub fn may_be_evidence(name: &str) -> bool {
    let end = name.rsplit_once('.').map_or("", |(_, end)| end).to_ascii_lowercase();
    let number = end.trim_start_matches(['e', 'l', 'x', 's']);
    let later = !end.is_empty() && number.len() >= 2 && number.bytes().all(|b| b.is_ascii_digit());
    let first = number.trim_start_matches('0') == "1" || number.bytes().all(|b| b == b'0');
    let own = ["examination", "seal", "derivatives", "partial", "journal", "key"];
    (!later || first) && !own.contains(&end.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_listed_one_level_deep_without_what_leads_out_of_it() {
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("secret.dd"), b"x").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        std::fs::create_dir_all(at.join("JC-2/deeper")).unwrap();
        for name in ["JC-1.E01", "JC-1.E02", "JC-2/a.dd", "JC-2/deeper/b.dd", ".hidden", "JC-1.examination"] {
            std::fs::write(at.join(name), b"abc").unwrap();
        }
        std::os::unix::fs::symlink(outside.path().join("secret.dd"), at.join("link.dd")).unwrap();
        std::os::unix::fs::symlink(outside.path(), at.join("linked")).unwrap();
        let listed = list(at, |name, _| may_be_evidence(name)).unwrap();
        let names: Vec<&str> = listed.entries.iter().map(|entry| entry.name.as_str()).collect();
        assert_eq!(names, ["JC-1.E01", "JC-2", "JC-2/a.dd", "JC-2/deeper"]);
        assert_eq!((listed.left_out, listed.more), (2, 0));
        // Only the token of what is listed finds anything.
        let entry = listed.find(&token("JC-2/a.dd")).unwrap();
        assert_eq!((entry.path.as_path(), entry.bytes), (at.join("JC-2/a.dd").as_path(), Some(3)));
        for wrong in ["JC-1.E01", "../JC-1.E01", "", &token("link.dd"), &token("../secret.dd")] {
            assert_eq!(listed.find(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn later_segments_belong_to_their_first() {
        for (name, wanted) in [
            ("a.E01", true),
            ("a.E02", false),
            ("a.001", true),
            ("a.002", false),
            ("a.000", true),
            ("a.dd", true),
            ("a.zip", true),
            ("a.s01", true),
            ("a.mp4", true),
            ("a", true),
            ("a.seal", false),
            ("a.vmdk", true),
        ] {
            assert_eq!(may_be_evidence(name), wanted, "{name}");
        }
    }
}
