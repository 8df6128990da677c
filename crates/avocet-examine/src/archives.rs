//! Archives among the files of the evidence: which are entered, in which order, and how far.
//!
//! Archives are entered after the volumes were walked, in the order of their files. What they hold is listed, digested,
//! matched and decoded as any other file, in the state *embedded* with the archive as parent; the path of a member is the
//! archive's path followed by the path inside. Archives in archives are entered in turn.
//!
//! **Limits.** What one archive of the evidence costs, with all that is nested in it, is bounded by its own size, so that
//! a file made to unpack without end costs one file: [`MEMBERS`] members and one for each [`BYTES_A_MEMBER`] bytes of the
//! archive, [`BASE_BYTES`] and [`RATIO`] times its size in content, [`DEPTH`] levels. An archive that is also one of
//! those it lies in is not entered again. Members beyond the limits are listed as unreadable as far as they are listed.
//! Everything that is not entered is counted and listed with its reason.
//!
//! | problem code | meaning |
//! | --- | --- |
//! | `archive-not-entered` | an archive was not opened: the detail says why |
//! | `deleted-archive-not-entered` | the same of a deleted file, whose bytes may be another's |
//! | `archive-members-capped` | an archive holds more members than are listed |
//! | `archive-bytes-capped` | an archive holds more content than is read; members beyond are listed without digest |

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use avocet_base::Sha256;
use avocet_evidence::embedded::{Archive, open_archive};
use avocet_evidence::scratch::Scratch;
use avocet_evidence::unpack::Limit;
use avocet_evidence::{AllocationState, Content, Entry, OpenError, Problem, Source, Unreadable, VisitResult, Visitor};

use crate::kind::MediaKind;
use crate::tasks::{Found, Window};

/// Members of one archive of the evidence, with all nested in it, whatever its size.
pub(crate) const MEMBERS: u64 = 20_000;
/// One more member for so many bytes of the archive: less than a member of a zip archive takes.
pub(crate) const BYTES_A_MEMBER: u64 = 32;
/// Bytes of content of one archive of the evidence, with all nested in it, whatever its size.
pub(crate) const BASE_BYTES: u64 = 256 << 20;
/// Bytes of content more for each byte of the archive.
pub(crate) const RATIO: u64 = 100;
/// Levels of archives in archives.
pub(crate) const DEPTH: usize = 6;
/// Archives of the evidence that are entered before those nested in them are.
pub(crate) const BATCH: usize = 64;
const LAYER: &str = "archive";
pub(crate) const NOT_ENTERED: &str = "archive-not-entered";
pub(crate) const DELETED_NOT_ENTERED: &str = "deleted-archive-not-entered";

/// An archive waiting to be entered.
pub(crate) struct Node {
    /// Its file.
    pub id: i64,
    pub volume: i64,
    pub entry: Entry,
    /// Where the entry reads its bytes from.
    pub source: Arc<dyn Source>,
    /// The archive of the evidence that it lies in, or itself.
    pub root: i64,
    /// Whether the root is a live file.
    pub live: bool,
    /// The contents of the archives that it lies in, and its own.
    pub lineage: Vec<Sha256>,
    /// The format that its first bytes show.
    pub format: Cow<'static, str>,
}

/// What came of an archive.
pub(crate) enum Outcome {
    /// It was entered; its kind and how many members were listed.
    Entered(&'static str, u64),
    /// It was not, and why.
    NotEntered(String),
    /// It was not, as asked.
    LeftOut,
    /// It was not when an interim result was written.
    NotYet,
}

/// The archive that a window of members lies in.
#[derive(Clone)]
pub(crate) struct Parent {
    pub id: i64,
    pub root: i64,
    pub live: bool,
    pub lineage: Vec<Sha256>,
}

/// The archives of a window whose content was read, in its order.
pub(crate) fn nodes(window: &Window, found: &[Found]) -> Vec<Node> {
    let mut out = vec![];
    for ((id, entry), one) in (window.first_id..).zip(&window.entries).zip(found) {
        let (Some(digests), Some((MediaKind::Archive, format))) = (&one.digests, &one.format) else { continue };
        let parent = window.parent.as_ref();
        let mut lineage = parent.map_or_else(Vec::new, |p| p.lineage.clone());
        lineage.push(digests.sha256);
        out.push(Node {
            id,
            volume: window.volume,
            entry: entry.clone(),
            source: Arc::clone(&window.source),
            root: parent.map_or(id, |p| p.root),
            live: parent.map_or(entry.state == AllocationState::Allocated, |p| p.live),
            lineage,
            format: format.clone(),
        });
    }
    out
}

/// What is left of the limits of one archive of the evidence.
#[derive(Clone, Copy)]
struct Budget {
    members: u64,
    bytes: u64,
}

impl Budget {
    fn new(size: u64) -> Self {
        Self {
            members: MEMBERS.saturating_add(size / BYTES_A_MEMBER),
            bytes: BASE_BYTES.saturating_add(size.saturating_mul(RATIO)),
        }
    }
}

/// The budgets of the archives that are being entered.
#[derive(Default)]
pub(crate) struct Budgets(BTreeMap<i64, Budget>);

impl Budgets {
    /// Forgets those of a batch.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

/// Takes members on their way to the windows.
pub(crate) trait Members {
    /// An archive was opened, whose members follow.
    fn begin(&mut self, archive: &Archive);
    /// One member, its path made whole.
    fn member(&mut self, entry: Entry) -> VisitResult;
    /// One problem.
    fn problem(&mut self, problem: Problem);
}

struct Entering<'a> {
    to: &'a mut dyn Members,
    path: &'a str,
    budget: &'a mut Budget,
    live: bool,
    listed: u64,
    over: u64,
    unread: u64,
    stopped: bool,
}

impl Visitor for Entering<'_> {
    fn entry(&mut self, mut entry: Entry) -> VisitResult {
        let Some(left) = self.budget.members.checked_sub(1) else {
            // One is enough to know; the rest would only cost time.
            self.over = self.over.saturating_add(1);
            return VisitResult::Break(());
        };
        self.budget.members = left;
        if !matches!(entry.content, Content::None | Content::Unreadable(_)) {
            match self.budget.bytes.checked_sub(entry.size) {
                Some(left) => self.budget.bytes = left,
                None => {
                    entry.content = Content::Unreadable(Unreadable::ArchiveLimit);
                    self.unread = self.unread.saturating_add(1);
                }
            }
        }
        entry.path = format!("{}{}", self.path, entry.path);
        if !self.live {
            entry.notes.push(avocet_evidence::Note::Other("in a deleted archive".into()));
        }
        self.listed = self.listed.saturating_add(1);
        let result = self.to.member(entry);
        self.stopped = result.is_break();
        result
    }

    fn problem(&mut self, mut problem: Problem) {
        problem.path = Some(match problem.path {
            Some(inside) => format!("{}{inside}", self.path),
            None => self.path.to_owned(),
        });
        self.to.problem(problem);
    }
}

/// Why an archive is not entered: by what it is counted, and the detail for the list.
struct Refused(String, String);

impl Refused {
    fn because(reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self(reason.clone(), reason)
    }

    fn damaged(error: &dyn std::fmt::Display) -> Self {
        Self("damaged, or its bytes cannot be read".into(), error.to_string().trim_end_matches('.').to_owned())
    }
}

impl From<OpenError> for Refused {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Locked { .. } => Self::because("protected with a password"),
            OpenError::Unsupported { what, .. } => Self::because(format!("{what} is not read")),
            other => Self::damaged(&other),
        }
    }
}

/// Opens an archive within what is left of its root's budget.
fn open(node: &Node, budget: &mut Budget, scratch: &Arc<dyn Scratch>) -> Result<Archive, Refused> {
    if node.lineage.len() > DEPTH {
        return Err(Refused::because(format!("nested in {DEPTH} others")));
    }
    if let [above @ .., own] = node.lineage.as_slice()
        && above.contains(own)
    {
        return Err(Refused::because("the same as an archive that it lies in"));
    }
    let source = node.entry.source(&node.source, &**scratch).map_err(|e| Refused::damaged(&e))?;
    let source = source.ok_or_else(|| Refused::because("without bytes"))?;
    let name = node.entry.path.rsplit('/').next().unwrap_or_default();
    let limit = Limit { ratio: 0, base: budget.bytes, most: u64::MAX };
    let archive = open_archive(source, name, limit, scratch)?;
    let archive = archive.ok_or_else(|| Refused::because(format!("the kind {} is not read", node.format)))?;
    budget.bytes = budget.bytes.saturating_sub(archive.unpacked);
    Ok(archive)
}

/// Enters one archive: its members go to `to`, what is wrong with it too. `Break` when nobody listens any more.
pub(crate) fn enter(
    node: &Node,
    budgets: &mut Budgets,
    scratch: &Arc<dyn Scratch>,
    to: &mut dyn Members,
) -> Result<Outcome, ()> {
    let path = node.entry.full_path();
    let budget = budgets.0.entry(node.root).or_insert_with(|| Budget::new(node.entry.size));
    let archive = match open(node, budget, scratch) {
        Ok(archive) => archive,
        Err(Refused(reason, detail)) => {
            let code = if node.live { NOT_ENTERED } else { DELETED_NOT_ENTERED };
            to.problem(Problem::new(LAYER, code, None, detail).at_path(path));
            return Ok(Outcome::NotEntered(reason));
        }
    };
    to.begin(&archive);
    let live = node.live;
    let mut entering = Entering { to, path: &path, budget, live, listed: 0, over: 0, unread: 0, stopped: false };
    archive.problems.iter().for_each(|p| entering.problem(p.clone()));
    let ended = archive.fs.walk(&mut entering).err();
    if let Some(e) = ended {
        let detail = format!("the list of members ends here: {}", e.detail);
        entering.problem(Problem::new(e.layer, "enumeration-ended", Some(e.offset), detail));
    }
    if entering.over > 0 {
        let detail =
            format!("only {} members of it are listed: more than an archive of its size is given", entering.listed);
        entering.problem(Problem::new(LAYER, "archive-members-capped", None, detail));
    }
    if entering.unread > 0 {
        let detail =
            format!("{} of its members are not read: more bytes than an archive of its size is given", entering.unread);
        entering.problem(Problem::new(LAYER, "archive-bytes-capped", None, detail));
    }
    if entering.stopped { Err(()) } else { Ok(Outcome::Entered(archive.kind, entering.listed)) }
}
