//! The way up from a folder to the root, where folders are known by number and each keeps the number of the one above it; and
//! for the readers that go down, which folders are not gone into.

use std::collections::{HashMap, HashSet};
use std::fmt::Display;
use std::hash::Hash;

use avocet_base::join_path;

/// Bytes of a path: systems refuse much shorter ones.
pub(crate) const LONGEST: usize = 16 << 10;
/// Why a folder whose path is longer is listed and not gone into: a problem's code and what it says.
pub(crate) const TOO_DEEP: (&str, &str) = ("path-too-deep", "folders nest deeper than is read");
/// The same for a folder that was met before.
pub(crate) const LOOP: (&str, &str) = ("directory-loop", "a folder read before; it was not read again");

/// Why a folder on the way down is not gone into, if it is not.
pub(crate) fn not_entered(new: bool, path: &str) -> Option<(&'static str, &'static str)> {
    if !new { Some(LOOP) } else { (path.len() > LONGEST).then_some(TOO_DEEP) }
}

struct Folder<N> {
    parent: N,
    name: String,
}

/// Folders by number.
pub(crate) struct Climber<N: 'static> {
    roots: &'static [N],
    folders: HashMap<N, Folder<N>>,
    /// The folder that was asked for last: the next file is mostly in the same.
    last: Option<(N, String, bool)>,
}

impl<N: Copy + Eq + Hash + Display> Climber<N> {
    /// No folders yet; the numbers of those at which the way up ends.
    pub fn new(roots: &'static [N]) -> Self {
        Self { roots, folders: HashMap::new(), last: None }
    }

    /// Adds a folder with its escaped name. Of two with the same number the first counts.
    pub fn add(&mut self, id: N, parent: N, name: String) {
        self.folders.entry(id).or_insert(Folder { parent, name });
    }

    /// Whether there is such a folder.
    pub fn knows(&self, id: N) -> bool {
        self.folders.contains_key(&id)
    }

    /// The path of a folder, and whether it hangs on a root. Otherwise the number of the folder at which the way up ended
    /// stands for the rest.
    pub fn path(&mut self, id: N) -> (String, bool) {
        if let Some((_, path, rooted)) = self.last.as_ref().filter(|l| l.0 == id) {
            return (path.clone(), *rooted);
        }
        let (mut names, mut seen, mut length, mut at, mut rooted) = (vec![], HashSet::new(), 0usize, id, false);
        // A folder that contains itself ends the way up, and so does a path longer than any system makes.
        while seen.insert(at) && length <= LONGEST {
            if self.roots.contains(&at) {
                rooted = true;
                break;
            }
            let Some(folder) = self.folders.get(&at) else { break };
            names.push(folder.name.as_str());
            length = length.saturating_add(folder.name.len()).saturating_add(1);
            at = folder.parent;
        }
        let mut path = if rooted { String::new() } else { format!("/$Orphans/{at}") };
        for name in names.iter().rev() {
            path = join_path(&path, name);
        }
        self.last = Some((id, path.clone(), rooted));
        (path, rooted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_up_ends() {
        let mut climber = Climber::new(&[2u32]);
        climber.add(10, 2, "a".into());
        climber.add(11, 10, "b".into());
        climber.add(11, 12, "not counted".into());
        climber.add(20, 21, "c".into());
        climber.add(21, 20, "d".into());
        climber.add(30, 99, "e".into());
        assert_eq!(climber.path(2), (String::new(), true));
        assert_eq!(climber.path(11), ("/a/b".into(), true));
        assert_eq!(climber.path(30), ("/$Orphans/99/e".into(), false), "the folder above is not there");
        assert_eq!(climber.path(20), ("/$Orphans/20/d/c".into(), false), "two that contain each other");
        assert!(climber.knows(30) && !climber.knows(99));
        for n in 100..5000 {
            climber.add(n, n - 1, "a long name".into());
        }
        let (path, rooted) = climber.path(4999);
        assert!(!rooted && path.len() > LONGEST && path.len() < LONGEST + 64);
    }
}
