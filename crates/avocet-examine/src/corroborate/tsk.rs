//! Runs the programs of The Sleuth Kit and reads what they print.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};

use avocet_base::Sha1;
use avocet_digest::TripleHasher;

use super::{Item, cleaned};

/// The longest line that is taken; names have at most some hundred bytes.
const LINE: u64 = 64 * 1024;
/// Lines of one listing.
const LINES: u64 = 50_000_000;

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

/// Runs a program and hands out what it prints.
fn run(
    program: &'static str,
    args: &[&OsStr],
    take: &mut dyn FnMut(&mut dyn Read) -> Result<(), CorroborateError>,
) -> Result<(), CorroborateError> {
    let mut child = Command::new(program)
        .args(args)
        .env("LC_ALL", "C.UTF-8")
        .env("TZ", "UTC")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => CorroborateError::NotInstalled { program },
            kind => failed(program, kind),
        })?;
    let taken = match &mut child.stdout {
        Some(out) => take(out),
        None => Err(failed(program, "it prints nowhere")),
    };
    if taken.is_err() {
        let _ = child.kill();
    }
    let status = child.wait().map_err(|e| failed(program, e.kind()))?;
    taken?;
    if status.success() { Ok(()) } else { Err(failed(program, status)) }
}

fn lines(program: &'static str, out: &mut dyn Read, take: &mut dyn FnMut(&str)) -> Result<(), CorroborateError> {
    let mut input = BufReader::with_capacity(1 << 16, out);
    let mut line = vec![];
    for _ in 0..LINES {
        line.clear();
        let n = (&mut input).take(LINE).read_until(b'\n', &mut line).map_err(|e| failed(program, e.kind()))?;
        if n == 0 {
            return Ok(());
        }
        take(String::from_utf8_lossy(&line).trim_end_matches('\n'));
    }
    Err(failed(program, "it prints more lines than are taken"))
}

impl SleuthKit {
    /// Looks for the programs.
    ///
    /// # Errors
    /// [`CorroborateError::NotInstalled`] with the first that is not there.
    pub fn find() -> Result<SleuthKit, CorroborateError> {
        let mut version = String::new();
        for program in ["fls", "icat", "fiwalk"] {
            // `fiwalk -V` prints its version as the others do.
            let mut first = String::new();
            let outcome = run(program, &[OsStr::new("-V")], &mut |out| {
                lines(program, out, &mut |line| {
                    if first.is_empty() {
                        first = line.to_owned();
                    }
                })
            });
            match outcome {
                Err(e @ CorroborateError::NotInstalled { .. }) => return Err(e),
                // What a program answers to being asked for its version is of no account.
                _ if program == "fls" => {
                    version = first.rsplit(' ').next().filter(|v| v.len() < 32).unwrap_or("?").to_owned();
                }
                _ => {}
            }
        }
        Ok(SleuthKit { version })
    }

    /// Lists the file system that begins at a sector.
    pub(super) fn list(&self, image: &Path, sector: u64, fs: &str) -> Result<Listing, CorroborateError> {
        let start = sector.to_string();
        let args = ["-r", "-p", "-l", "-o", &start].map(OsStr::new);
        let args: Vec<&OsStr> = args.into_iter().chain([image.as_os_str()]).collect();
        let mut listing = Listing { entries: vec![], left_out: 0 };
        run("fls", &args, &mut |out| {
            lines("fls", out, &mut |line| match parse(line, fs) {
                Some(theirs) => listing.entries.push(theirs),
                None => listing.left_out += 1,
            })
        })?;
        Ok(listing)
    }

    /// SHA-1 of the live files of every file system in the image.
    pub(super) fn contents(&self, image: &Path) -> Result<Contents, CorroborateError> {
        let args = [OsStr::new("-x"), OsStr::new("-G0"), OsStr::new("-O"), image.as_os_str()];
        let mut reading = Reading::default();
        run("fiwalk", &args, &mut |out| lines("fiwalk", out, &mut |line| reading.line(line)))?;
        Ok(reading.contents)
    }

    /// SHA-1 of one content, as it is stored.
    pub(super) fn content(&self, image: &Path, sector: u64, address: &str) -> Result<Sha1, CorroborateError> {
        let start = sector.to_string();
        let mut hasher = TripleHasher::new();
        let args = ["-r", "-o", &start].map(OsStr::new);
        let args: Vec<&OsStr> = args.into_iter().chain([image.as_os_str(), OsStr::new(address)]).collect();
        let mut buffer = vec![0; 1 << 16];
        let mut read = |out: &mut dyn Read| {
            loop {
                match out.read(&mut buffer) {
                    Ok(0) => return Ok(()),
                    Ok(n) => hasher.update(buffer.get(..n).unwrap_or_default()),
                    Err(e) => return Err(failed("icat", e.kind())),
                }
            }
        };
        run("icat", &args, &mut read)?;
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
    use super::*;

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
