//! Runs the programs of The Sleuth Kit and reads what they print.
//!
//! They read what may be hostile bytes, so each runs confined as `avocet-sandbox` confines a foreign program: it may read
//! the files of the image and its own libraries, write nothing, start nothing, reach no network, and use only so much
//! memory and time.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use avocet_base::Sha1;
use avocet_digest::TripleHasher;
use avocet_sandbox::{Argument, Fault, ProgramSpec, stream_confined};

use super::{Item, cleaned};

/// The longest line that is taken; names have at most some hundred bytes.
const LINE: usize = 64 * 1024;
/// Lines of one listing.
const LINES: u64 = 50_000_000;
/// Memory of a program: The Sleuth Kit keeps the whole list of a file system.
const MEMORY: u64 = 8 << 30;
/// Time of all programs together where none is given: this, and a second for each so many bytes of the image.
const LEAST_TIME: Duration = Duration::from_secs(15 * 60);
const BYTES_PER_SECOND: u64 = 2 << 20;

/// Why there is no second opinion.
#[derive(Debug, thiserror::Error)]
pub enum CorroborateError {
    /// The programs are not there.
    #[error(
        "The Sleuth Kit is not installed: {program} was not found. Install it (the package is called sleuthkit), or leave \
         out --corroborate"
    )]
    NotInstalled {
        /// The program that was looked for.
        program: &'static str,
    },
    /// A program could not be confined.
    #[error("The Sleuth Kit cannot be run confined: {fault} (--allow-weaker-confinement runs it all the same)")]
    NotConfined {
        /// Why.
        fault: Fault,
    },
    /// The time for all programs is over.
    #[error("its time of {seconds} s was over")]
    OutOfTime {
        /// The time.
        seconds: u64,
    },
    /// A program failed.
    #[error("{program} failed: {reason}")]
    Failed {
        /// The program.
        program: &'static str,
        /// What happened, without anything from the evidence.
        reason: String,
    },
}

/// The Sleuth Kit as it is installed.
#[derive(Debug, Clone)]
pub struct SleuthKit {
    version: String,
    programs: BTreeMap<&'static str, PathBuf>,
    /// Time of all programs together; `None`: by the size of the image.
    limit: Option<Duration>,
    allow_weaker: bool,
}

/// The programs at work on one image.
pub(super) struct Session<'a> {
    kit: &'a SleuthKit,
    image: PathBuf,
    /// Every file of the image.
    files: Vec<PathBuf>,
    begun: Instant,
    limit: Duration,
    /// What this kernel could not enforce.
    missing: RefCell<BTreeSet<String>>,
    /// Whether a program was ended because the time was over.
    late: Cell<bool>,
}

impl fmt::Display for SleuthKit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "The Sleuth Kit {}", self.version)
    }
}

/// An entry of a listing.
pub(super) struct Theirs {
    pub item: Item,
    pub address: String,
    /// Whether it is the file's own content and no stream.
    pub plain: bool,
}

pub(super) struct Listing {
    pub entries: Vec<Theirs>,
    pub left_out: u64,
}

/// SHA-1 of live files, by the first byte of their volume and their number.
pub(super) type Contents = BTreeMap<(u64, u64), Sha1>;

fn failed(program: &'static str, reason: impl fmt::Display) -> CorroborateError {
    CorroborateError::Failed { program, reason: reason.to_string() }
}

/// Where a program is, by the search path of this process.
fn place(program: &'static str) -> Result<PathBuf, CorroborateError> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(program)).find(|p| p.is_file());
    let found = found.and_then(|p| std::path::absolute(p).ok());
    found.ok_or(CorroborateError::NotInstalled { program })
}

/// What runs a program that is a script: it must be allowed too.
fn interpreter(program: &Path) -> Option<PathBuf> {
    let mut head = vec![];
    std::fs::File::open(program).ok()?.take(256).read_to_end(&mut head).ok()?;
    let line = head.strip_prefix(b"#!")?.split(|b| *b == b'\n').next()?;
    let words = std::str::from_utf8(line).ok()?;
    words.split_whitespace().next().map(PathBuf::from)
}

/// Cuts what comes in pieces into lines.
struct Lines<'a> {
    rest: Vec<u8>,
    left: u64,
    take: &'a mut dyn FnMut(&str),
}

impl Lines<'_> {
    fn piece(&mut self, piece: &[u8]) {
        for part in piece.split_inclusive(|b| *b == b'\n') {
            self.rest.extend_from_slice(part);
            if part.ends_with(b"\n") || self.rest.len() >= LINE {
                self.end();
            }
        }
    }

    fn end(&mut self) {
        if self.left > 0 && !self.rest.is_empty() {
            self.left -= 1;
            (self.take)(String::from_utf8_lossy(&self.rest).trim_end_matches('\n'));
        }
        self.rest.clear();
    }
}

impl SleuthKit {
    /// Looks for the programs and tries them. `limit` is the time that they may take in all for an image; without one it
    /// follows from the image's size. `allow_weaker` runs them although this kernel cannot confine them fully.
    ///
    /// # Errors
    /// [`CorroborateError::NotInstalled`] with the first that is not there; [`CorroborateError::NotConfined`].
    pub fn find(limit: Option<Duration>, allow_weaker: bool) -> Result<SleuthKit, CorroborateError> {
        let mut programs = BTreeMap::new();
        for program in ["fls", "icat", "fiwalk"] {
            programs.insert(program, place(program)?);
        }
        let mut kit = SleuthKit { version: String::new(), programs, limit, allow_weaker };
        let mut first = String::new();
        let session = Session::new(&kit, PathBuf::from("/"), vec![], 0);
        let asked = session.lines("fls", &[OsStr::new("-V")], &mut |line| {
            if first.is_empty() {
                first = line.to_owned();
            }
        });
        // What a program answers to being asked for its version is of no account; that it can be confined is.
        if let Err(error @ CorroborateError::NotConfined { .. }) = asked {
            return Err(error);
        }
        kit.version = first.rsplit(' ').next().filter(|v| (1..32).contains(&v.len())).unwrap_or("?").to_owned();
        Ok(kit)
    }
}

impl<'a> Session<'a> {
    pub(super) fn new(kit: &'a SleuthKit, image: PathBuf, files: Vec<PathBuf>, bytes: u64) -> Self {
        let more = Duration::from_secs(bytes / BYTES_PER_SECOND);
        let limit = kit.limit.unwrap_or_else(|| LEAST_TIME.saturating_add(more));
        let (begun, missing) = (Instant::now(), RefCell::default());
        Self { kit, image, files, begun, limit, missing, late: Cell::new(false) }
    }

    /// What this kernel could not enforce for the programs that ran.
    pub(super) fn missing(&self) -> Vec<String> {
        self.missing.borrow().iter().cloned().collect()
    }

    /// The time that all programs together had, in seconds, where it was over before they were done.
    pub(super) fn late(&self) -> Option<u64> {
        self.late.get().then(|| self.seconds())
    }

    fn seconds(&self) -> u64 {
        self.limit.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX)
    }

    /// Runs a program and hands out what it prints.
    fn run(&self, program: &'static str, args: &[&OsStr], take: &mut dyn FnMut(&[u8])) -> Result<(), CorroborateError> {
        let out_of_time = || {
            self.late.set(true);
            CorroborateError::OutOfTime { seconds: self.seconds() }
        };
        let left = self.limit.saturating_sub(self.begun.elapsed());
        if left.is_zero() {
            return Err(out_of_time());
        }
        let path = self.kit.programs.get(program).ok_or(CorroborateError::NotInstalled { program })?;
        let mut spec = ProgramSpec::new(path.clone());
        spec.args = args.iter().map(|arg| Argument::Text(OsString::from(arg))).collect();
        spec.environment = [("LC_ALL", "C.UTF-8"), ("TZ", "UTC")].map(|(k, v)| (k.into(), v.into())).to_vec();
        spec.read_execute.extend(interpreter(path));
        spec.read.extend(self.files.iter().cloned());
        spec.limits.address_space = MEMORY;
        spec.limits.wall = left;
        spec.limits.cpu_seconds = left.as_secs().saturating_add(1).saturating_mul(4);
        spec.limits.max_output = usize::MAX;
        spec.allow_weaker = self.kit.allow_weaker;
        let output = stream_confined(&spec, &[], take).map_err(|fault| match fault {
            Fault::TimedOut { .. } | Fault::CpuSpent => out_of_time(),
            Fault::StartFailed(avocet_sandbox::StartError::NotConfined { .. }) => {
                CorroborateError::NotConfined { fault }
            }
            // The text says what a worker of this program's own did.
            other => failed(program, other.code()),
        })?;
        self.missing.borrow_mut().extend(output.missing);
        if output.status == 0 {
            Ok(())
        } else {
            Err(failed(program, format!("it ended with status {}", output.status)))
        }
    }

    fn lines(
        &self,
        program: &'static str,
        args: &[&OsStr],
        take: &mut dyn FnMut(&str),
    ) -> Result<(), CorroborateError> {
        let mut lines = Lines { rest: vec![], left: LINES, take };
        self.run(program, args, &mut |piece| lines.piece(piece))?;
        lines.end();
        if lines.left == 0 { Err(failed(program, "it prints more lines than are taken")) } else { Ok(()) }
    }

    /// Lists the file system that begins at a sector.
    pub(super) fn list(&self, sector: u64, fs: &str) -> Result<Listing, CorroborateError> {
        let start = sector.to_string();
        let args = ["-r", "-p", "-l", "-o", &start].map(OsStr::new);
        let args: Vec<&OsStr> = args.into_iter().chain([self.image.as_os_str()]).collect();
        let mut listing = Listing { entries: vec![], left_out: 0 };
        self.lines("fls", &args, &mut |line| match parse(line, fs) {
            Some(theirs) => listing.entries.push(theirs),
            None => listing.left_out += 1,
        })?;
        Ok(listing)
    }

    /// SHA-1 of the live files of every file system in the image.
    pub(super) fn contents(&self) -> Result<Contents, CorroborateError> {
        let args = [OsStr::new("-x"), OsStr::new("-G0"), OsStr::new("-O"), self.image.as_os_str()];
        let mut reading = Reading::default();
        self.lines("fiwalk", &args, &mut |line| reading.line(line))?;
        Ok(reading.contents)
    }

    /// SHA-1 of one content, as it is stored.
    pub(super) fn content(&self, sector: u64, address: &str) -> Result<Sha1, CorroborateError> {
        let start = sector.to_string();
        let mut hasher = TripleHasher::new();
        let args = ["-r", "-o", &start].map(OsStr::new);
        let args: Vec<&OsStr> = args.into_iter().chain([self.image.as_os_str(), OsStr::new(address)]).collect();
        self.run("icat", &args, &mut |piece| hasher.update(piece))?;
        Ok(hasher.finish().sha1)
    }
}

/// The metadata files that The Sleuth Kit names, by file system.
const MADE_UP: [(&str, &[&str]); 2] = [
    ("exfat", &["$ALLOC_BITMAP", "$UPCASE_TABLE"]),
    ("hfs+", &["$ExtentsFile", "$CatalogFile", "$BadBlockFile", "$AllocationFile", "$StartupFile", "$AttributesFile"]),
];

/// One line of `fls -l`: kind and state, address, name, then four times, size, group and owner. `None` for what is left
/// out.
fn parse(line: &str, fs: &str) -> Option<Theirs> {
    let (head, rest) = line.split_once(":\t")?;
    let (kind, address) = head.split_once(' ')?;
    let deleted = address.starts_with('*');
    let address = address.trim_start_matches("* ");
    let address = address.strip_suffix("(realloc)").unwrap_or(address);
    // A name may hold anything, so the fields are counted from the end.
    let mut fields = rest.rsplitn(8, '\t');
    let size = fields.nth(2)?.parse().unwrap_or(0);
    let path = fields.nth(4)?;
    let made_up = MADE_UP.iter().any(|(of, names)| *of == fs && names.contains(&path));
    if kind.eq_ignore_ascii_case("v/v") || made_up || path.ends_with("(Volume Label Entry)") {
        return None;
    }
    let folder = kind.ends_with('d');
    let mut types = address.split('-');
    let inode = types.next()?;
    let attribute = types.next();
    if fs == "ntfs" {
        let index = attribute == Some("144") && !folder;
        let reserved = inode.parse::<u64>().is_ok_and(|n| (16..24).contains(&n)) && path.starts_with("$OrphanFiles/");
        // A map as large as the volume, of which nothing is stored.
        if index || reserved || path == "$BadClus:$Bad" {
            return None;
        }
    }
    let stream = path.rsplit('/').next().and_then(|name| name.split_once(':')).filter(|_| fs != "exfat");
    let plain = stream.is_none() || !matches!(fs, "ntfs" | "hfs+");
    let path = match path.strip_prefix("$OrphanFiles/") {
        Some(name) if fs.starts_with("fat") || fs == "exfat" => format!("$OrphanFiles/{name}"),
        Some(_) => {
            let stream = stream.filter(|_| !plain).map_or_else(String::new, |(_, s)| format!(":{s}"));
            format!("$OrphanFiles/{inode}{stream}")
        }
        None => path.to_owned(),
    };
    // A folder's alternate stream is no folder.
    let file = !folder && !kind.ends_with('l') && !matches!(kind.chars().last(), Some('p' | 'c' | 'b' | 's' | 'h'));
    let item = Item { path: cleaned(&path), deleted, file, size, sha1: None };
    Some(Theirs { item, address: address.to_owned(), plain })
}

/// The report of `fiwalk`, read line by line: it prints one element a line.
#[derive(Default)]
struct Reading {
    contents: Contents,
    start: u64,
    inode: Option<u64>,
    sha1: Option<Sha1>,
    regular: bool,
}

impl Reading {
    fn line(&mut self, line: &str) {
        let line = line.trim();
        let inside =
            |name: &str| line.strip_prefix(&format!("<{name}>")).and_then(|l| l.strip_suffix(&format!("</{name}>")));
        if line == "<fileobject>" {
            (self.inode, self.sha1, self.regular) = (None, None, false);
        } else if line == "</fileobject>" {
            if let (Some(inode), Some(sha1), true) = (self.inode, self.sha1, self.regular) {
                self.contents.insert((self.start, inode), sha1);
            }
        } else if let Some(offset) = inside("partition_offset") {
            self.start = offset.parse().unwrap_or(0);
        } else if let Some(inode) = inside("inode") {
            // The parent's comes first.
            self.inode = inode.parse().ok();
        } else if let Some(kind) = inside("name_type") {
            self.regular = kind == "r";
        } else if let Some(digest) =
            line.strip_prefix("<hashdigest type='sha1'>").and_then(|l| l.strip_suffix("</hashdigest>"))
        {
            self.sha1 = digest.parse().ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// Programs that are shell scripts of this text.
    fn kit(folder: &Path, text: &str, limit: Duration) -> SleuthKit {
        let programs = ["fls", "icat", "fiwalk"].map(|program| {
            let path = folder.join(program);
            std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
            (program, path)
        });
        SleuthKit { version: "?".into(), programs: programs.into(), limit: Some(limit), allow_weaker: false }
    }

    /// What a script prints, in the place of the digest of a content: `None` where it fails.
    fn prints(folder: &Path, files: &[PathBuf], text: &str) -> Option<String> {
        let kit = kit(folder, text, Duration::from_secs(30));
        let session = Session::new(&kit, folder.join("image"), files.to_vec(), 0);
        let mut out = vec![];
        session.run("icat", &[], &mut |piece| out.extend_from_slice(piece)).ok()?;
        assert!(session.missing().is_empty());
        Some(String::from_utf8(out).unwrap())
    }

    #[test]
    fn a_program_reads_the_image_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let (image, other) = (folder.path().join("image"), folder.path().join("other"));
        std::fs::write(&image, "the image\n").unwrap();
        std::fs::write(&other, "something else\n").unwrap();
        let files = [image.clone()];
        let read = |path: &Path| format!("read line < '{}' && echo \"$line\"", path.display());
        assert_eq!(prints(folder.path(), &files, &read(&image)).as_deref(), Some("the image\n"), "the control");
        assert_eq!(prints(folder.path(), &files, &read(&other)), None);
        assert_eq!(prints(folder.path(), &files, &read(Path::new("/etc/passwd"))), None);
        assert_eq!(prints(folder.path(), &files, &format!("echo x >> '{}'", image.display())), None);
        assert_eq!(prints(folder.path(), &files, &format!("echo x > '{}'", folder.path().join("new").display())), None);
        assert_eq!(std::fs::read(&image).unwrap(), b"the image\n");
        assert!(!folder.path().join("new").try_exists().unwrap());
        // No other program, and no other process.
        assert_eq!(prints(folder.path(), &files, "exec /bin/cat /dev/null"), None);
        assert_eq!(prints(folder.path(), &files, "(echo x) & wait $!"), None);
    }

    #[test]
    fn a_program_reaches_no_network() {
        // A script that makes a socket: by a language that can, where it is there.
        let python = Path::new("/usr/bin/python3");
        if !python.is_file() {
            println!("skipped 1 case(s): no python3");
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let mut kit = kit(folder.path(), "", Duration::from_secs(30));
        kit.programs.insert("icat", python.to_owned());
        let session = Session::new(&kit, folder.path().join("image"), vec![], 0);
        let socket = |family: &str| format!("import socket; socket.socket(socket.{family}); print('made')");
        for (code, done) in [("print('made')".to_owned(), true), (socket("AF_INET"), false), (socket("AF_UNIX"), false)]
        {
            let mut out = vec![];
            let args = ["-I", "-S", "-c", &code].map(OsStr::new);
            let ran = session.run("icat", &args, &mut |piece| out.extend_from_slice(piece));
            assert_eq!((ran.is_ok(), out == b"made\n"), (done, done), "{code}: {ran:?}");
        }
    }

    #[test]
    fn a_program_that_does_not_end_is_ended_and_nothing_runs_after_it() {
        let folder = tempfile::tempdir().unwrap();
        let kit = kit(folder.path(), "echo one line; while :; do :; done", Duration::from_millis(700));
        let session = Session::new(&kit, folder.path().join("image"), vec![], 0);
        assert_eq!(session.late(), None);
        let ended = session.list(0, "ntfs").map(|_| ()).unwrap_err();
        assert_eq!(ended.to_string(), "its time of 1 s was over");
        assert_eq!(session.late(), Some(1));
        let begun = Instant::now();
        assert!(matches!(session.contents(), Err(CorroborateError::OutOfTime { .. })));
        assert!(begun.elapsed() < Duration::from_millis(300), "no program was started");
    }

    #[test]
    fn lines_are_cut_as_they_come() {
        let mut got = vec![];
        let mut take = |line: &str| got.push(line.to_owned());
        let mut lines = Lines { rest: vec![], left: 4, take: &mut take };
        for piece in [&b"a"[..], b"b\nc\n\nd", b"e\n", b"f", b"g\nh"] {
            lines.piece(piece);
        }
        lines.end();
        let left = lines.left;
        assert_eq!((got, left), (["ab", "c", "", "de"].map(String::from).to_vec(), 0));
    }

    const TIMES: &str = "\t2026-11-23 17:28:19 (UTC)\t2026-11-23 17:28:19 (UTC)\t2026-11-23 17:28:19 (UTC)\t2026-11-23 \
                         17:28:19 (UTC)";

    #[test]
    fn lines_of_a_listing() {
        let case = |line: &str, fs: &str| {
            let line = line.replace('T', TIMES);
            parse(&line, fs).map(|t| (t.item.path, t.item.deleted, t.item.file, t.item.size, t.address, t.plain))
        };
        let is = |path: &str, deleted, file, size, address: &str, plain| {
            Some((path.to_owned(), deleted, file, size, address.to_owned(), plain))
        };
        assert_eq!(
            case("r/r 65-128-2:\ta/b.jpgT\t161\t0\t48", "ntfs"),
            is("a/b.jpg", false, true, 161, "65-128-2", true)
        );
        assert_eq!(case("-/r * 69-128-2:\ta b\tcT\t7\t0\t48", "ntfs"), is("a b^c", true, true, 7, "69-128-2", true));
        assert_eq!(
            case("r/r 65-128-4:\ta:Zone.IdentifierT\t26\t0\t0", "ntfs"),
            is("a:Zone.Identifier", false, true, 26, "65-128-4", false)
        );
        assert_eq!(
            case("d/d 64-144-2:\tPicturesT\t56\t0\t48", "ntfs"),
            is("Pictures", false, false, 56, "64-144-2", true)
        );
        assert_eq!(
            case("-/r * 30:\t$OrphanFiles/OrphanFile-30T\t9\t0\t0", "ext4"),
            is("$OrphanFiles/30", true, true, 9, "30", true)
        );
        assert_eq!(case("r/r * 5(realloc):\t_AT\t9\t0\t0", "fat16"), is("_A", true, true, 9, "5", true));
        for left_out in [
            "v/v 260067:\t$MBRT\t512\t0\t0",
            "V/V 78:\t$OrphanFilesT\t0\t0\t0",
            "r/r 3:\tNAME   (Volume Label Entry)T\t0\t0\t0",
            "r/r 24-144-3:\t$Extend/$Quota:$OT\t88\t0\t0",
            "-/r * 16:\t$OrphanFiles/OrphanFile-16T\t0\t0\t0",
        ] {
            assert_eq!(case(left_out, "ntfs"), None, "{left_out}");
        }
        assert_eq!(case("r/r 4:\t$CatalogFileT\t0\t0\t0", "hfs+"), None);
    }

    #[test]
    fn a_report_of_contents() {
        let mut reading = Reading::default();
        let sha1 = "b49d7f48300701235231f6b6fc3d92a5630f9e70";
        for line in [
            "  <partition_offset>32256</partition_offset>",
            "    <fileobject>",
            "        <inode>5</inode>",
            "      <name_type>r</name_type>",
            "      <inode>4</inode>",
            &format!("      <hashdigest type='sha1'>{sha1}</hashdigest>"),
            "    </fileobject>",
            "    <fileobject>",
            "      <name_type>d</name_type>",
            "      <inode>6</inode>",
            &format!("      <hashdigest type='sha1'>{sha1}</hashdigest>"),
            "    </fileobject>",
        ] {
            reading.line(line);
        }
        assert_eq!(reading.contents, [((32256, 4), sha1.parse().unwrap())].into());
    }
}
