//! AFF4: disk images in a zip archive whose list (`information.turtle`) says what the members are.
//!
//! After the *AFF4 Standard v1.0* and the reference images that were published with it. A disk is a map of ranges onto streams
//! of chunks (`ImageStream`), zeros, one repeated byte, or what could not be read; or such a stream itself. Chunks are plain
//! or packed with Snappy, LZ4, deflate or zlib. Members are read where they lie: nothing is unpacked but chunks.
//!
//! **What could not be read** when the image was made, and what was not acquired, is an error with its place and never
//! zeros; both are listed on opening.
//!
//! **What is checked.** On opening: the stored SHA-512 of the map, of its list of targets, of the indexes of chunks and of the
//! digests of chunks. On every read of a chunk: its stored SHA-1, or SHA-256 or SHA-512, where the image has them. A stream that is the disk
//! itself has its MD5 and SHA-1 compared as those of an EWF image are.
//!
//! | problem code | meaning |
//! | --- | --- |
//! | `unreadable-when-acquired` | a part of the disk could not be read when the image was made |
//! | `not-acquired` | a part of the disk was not acquired |
//! | `digest-differs` | a stored digest of a table of the image does not agree with it |
//! | `chunks-have-no-digest` | the image stores no digest of its chunks that is checked |
//! | `member-unreadable` | a member of the archive cannot be read: what is kept in it is an error |
//! | `logical-files-not-read` | the volume also holds files of their own, beside its disk |
//!
//! and those of [`crate::fs::zip`], which reads the archive. A volume of files instead of a disk (AFF4-L) is a tree: see
//! [`logical`].

use std::collections::BTreeMap;
use std::sync::Arc;

use avocet_base::{Md5, Sha1};
use sha2::{Digest as _, Sha512};

use self::turtle::Statement;
use super::blocks::{check_disk_size, inflate};
use super::cache::Cache;
use super::{Disk, Fault, refused, signature::REIMAGE};
use crate::bytes::{le_u32, le_u64};
use crate::codec::{lz4, snappy};
use crate::entry::{AllocationState, Content, Entry, EntryKind, FileSystem, VisitResult, Visitor};
use crate::error::{OpenError, Problem, ReadError, ReadFault};
use crate::fs::zip::{self, Zip};
use crate::scratch::{InMemory, Scratch};
use crate::source::{Source, read_up_to};

pub(super) mod logical;
mod turtle;

const LAYER: &str = "aff4";
const SCHEMA: &str = "http://aff4.org/Schema#";
const TYPE: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type";
const LIST: &str = "information.turtle";
const VOLUME: &str = "container.description";
/// Bytes of the list and of a map at most, and of all members that have to be unpacked.
const MOST_LIST: usize = 16 << 20;
const MOST_MAP: u64 = 64 << 20;
const MOST_UNPACKED: u64 = 64 << 20;
/// The largest chunk, which is unpacked as a whole.
const MOST_CHUNK: u64 = 16 << 20;
/// An entry of a map, and of an index.
const RANGE: usize = 28;
const PLACE: u64 = 12;
/// Chunks of one stream that have a number among what was unpacked last.
const CHUNKS: u64 = 1 << 40;
/// Maps that lead to maps at most.
const DEPTH: usize = 4;
/// Targets of one map at most: writers name a handful.
const TARGETS: usize = 1024;
/// Ranges that are listed one by one.
const LISTED: usize = 100;

/// The members of the archive by their paths.
struct Members {
    source: Arc<dyn Source>,
    by_path: BTreeMap<String, Entry>,
    scratch: InMemory,
    /// What is wrong with the archive itself.
    problems: Vec<Problem>,
}

impl Visitor for Members {
    fn entry(&mut self, entry: Entry) -> VisitResult {
        if let (EntryKind::File, Content::Unreadable(reason)) = (entry.kind, &entry.content) {
            let detail = format!("a member of the archive cannot be read: {reason}");
            let problem = Problem::new(LAYER, "member-unreadable", Some(entry.number), detail);
            self.problems.push(problem.at_path(&entry.path));
        }
        self.by_path.entry(entry.path.clone()).or_insert(entry);
        VisitResult::Continue(())
    }

    fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }
}

impl Members {
    fn open(file: &Arc<dyn Source>) -> Result<Self, OpenError> {
        let zip = Zip::open_with_state(Arc::clone(file), AllocationState::Allocated)?;
        let scratch = InMemory::new(MOST_UNPACKED);
        let mut members = Self { source: Arc::clone(file), by_path: BTreeMap::new(), scratch, problems: vec![] };
        zip.walk(&mut members)?;
        Ok(members)
    }

    /// A member's bytes; `None` where it is not there or cannot be read.
    fn get(&self, name: &str) -> Option<Arc<dyn Source>> {
        let scratch: &dyn Scratch = &self.scratch;
        self.by_path.get(&zip::path_of(name.as_bytes()))?.source(&self.source, scratch).ok().flatten()
    }

    fn text(&self, name: &str) -> Option<String> {
        let source = self.get(name).filter(|s| s.len() <= MOST_LIST as u64)?;
        String::from_utf8(read_up_to(&source, 0, MOST_LIST).ok()?).ok()
    }
}

/// Whether an archive is an AFF4 volume: its comment is the volume's name, or it lists both the member that holds that
/// name and the volume's list. What its members hold says nothing.
pub(super) fn is_volume(archive: &dyn Source) -> bool {
    zip::is_marked(archive, b"aff4://", &[VOLUME.as_bytes(), LIST.as_bytes()])
}

/// What the list says.
struct Facts {
    statements: BTreeMap<String, Vec<Statement>>,
    volume: String,
}

impl Facts {
    /// Reads which volume it is and its list.
    fn read(members: &Members) -> Result<Self, OpenError> {
        let broken = |detail: &str| OpenError::malformed(LAYER, 0, detail);
        let version = members.text("version.txt").unwrap_or_default();
        if !version.lines().any(|l| l.trim() == "major=1") {
            return Err(refused("an AFF4 image of another version than the standard's first", REIMAGE));
        }
        let volume = members.text(VOLUME).ok_or_else(|| broken("it does not say which volume it is"))?;
        let list = members.text(LIST).ok_or_else(|| broken("its list cannot be read"))?;
        let list = turtle::read(&list)
            .ok_or_else(|| broken("its list cannot be understood, or is longer than what is read of one"))?;
        let mut statements: BTreeMap<String, Vec<Statement>> = BTreeMap::new();
        for one in list {
            statements.entry(one.subject.clone()).or_default().push(one);
        }
        Ok(Self { statements, volume: volume.trim_matches(['\0', '\n', '\r', ' ']).to_owned() })
    }

    /// What is a disk: it has a stream and is no file.
    fn disks(&self) -> impl Iterator<Item = &String> {
        self.statements.keys().filter(|s| self.one(s, "dataStream").is_some() && !self.is(s, "FileImage"))
    }

    /// How many files of their own it lists.
    fn files(&self) -> usize {
        self.statements.keys().filter(|s| self.is(s, "FileImage")).count()
    }

    fn all<'a>(&'a self, subject: &str, predicate: &str) -> impl Iterator<Item = &'a Statement> {
        let name = format!("{SCHEMA}{predicate}");
        self.statements.get(subject).into_iter().flatten().filter(move |s| s.predicate == name)
    }

    fn one(&self, subject: &str, predicate: &str) -> Option<&str> {
        self.all(subject, predicate).next().map(|s| s.object.as_str())
    }

    fn number(&self, subject: &str, predicate: &str) -> Option<u64> {
        self.one(subject, predicate)?.parse().ok()
    }

    fn is(&self, subject: &str, kind: &str) -> bool {
        let wanted = format!("{SCHEMA}{kind}");
        let all = self.statements.get(subject).into_iter().flatten();
        all.filter(|s| s.predicate == TYPE).any(|s| s.object == wanted)
    }

    /// The digest of a kind that is stored of something.
    fn digest(&self, subject: &str, predicate: &str, kind: &str) -> Option<&str> {
        let wanted = format!("{SCHEMA}{kind}");
        let found = self.all(subject, predicate).find(|s| s.literal.as_deref() == Some(&wanted))?;
        Some(&found.object)
    }

    /// The path in the archive that belongs to a name: what is behind the volume's own, or all of it, escaped.
    fn path(&self, name: &str) -> String {
        let own = name.strip_prefix(&self.volume).and_then(|rest| rest.strip_prefix('/'));
        own.map_or_else(|| name.replacen("aff4://", "aff4%3A%2F%2F", 1), str::to_owned)
    }
}

/// How chunks are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packed {
    No,
    Snappy,
    Lz4,
    Deflate,
    Zlib,
}

/// Which digest of each chunk is stored.
#[derive(Debug, Clone, Copy)]
enum Check {
    Sha1,
    Sha256,
    Sha512,
}

impl Check {
    const ALL: [(Check, &'static str, u64); 3] =
        [(Self::Sha1, "sha1", 20), (Self::Sha256, "sha256", 32), (Self::Sha512, "sha512", 64)];

    fn agrees(self, data: &[u8], stored: &[u8]) -> bool {
        match self {
            Self::Sha1 => sha1::Sha1::digest(data).as_slice() == stored,
            Self::Sha256 => sha2::Sha256::digest(data).as_slice() == stored,
            Self::Sha512 => Sha512::digest(data).as_slice() == stored,
        }
    }
}

/// The chunks of one member.
#[derive(Default)]
struct Bevy {
    data: Option<Arc<dyn Source>>,
    index: Option<Arc<dyn Source>>,
    digests: Option<Arc<dyn Source>>,
}

/// A stream of chunks.
struct Chunks {
    bevies: Vec<Bevy>,
    length: u64,
    chunk: u64,
    per_bevy: u64,
    packed: Packed,
    check: Option<(Check, u64)>,
    unpacked: Arc<Unpacked>,
    /// The number of its first chunk among those that are kept.
    first: u64,
}

/// What was unpacked last.
type Unpacked = Cache<Result<Arc<[u8]>, Fault>>;

impl Chunks {
    fn get(&self, number: u64) -> Result<Arc<[u8]>, Fault> {
        let key = self.first.saturating_add(number.min(CHUNKS));
        let kept = number < CHUNKS;
        if let Some(known) = Some(key).filter(|_| kept).and_then(|key| self.unpacked.get(key)) {
            return known;
        }
        let result = self.read(number).map(Arc::from);
        if kept {
            self.unpacked.put(key, result.clone());
        }
        result
    }

    fn read(&self, number: u64) -> Result<Vec<u8>, Fault> {
        let missing =
            (ReadFault::Truncated, "the member that holds it is not there: a volume of the image may be missing");
        let damaged = (ReadFault::Damaged, "its compressed data is wrong");
        let bevy = number.checked_div(self.per_bevy).and_then(|n| usize::try_from(n).ok());
        let bevy = bevy.and_then(|n| self.bevies.get(n)).ok_or(missing)?;
        let (data, index) = bevy.data.as_ref().zip(bevy.index.as_ref()).ok_or(missing)?;
        let inside = number.checked_rem(self.per_bevy).unwrap_or(0);
        let entry =
            read_up_to(index, inside.saturating_mul(PLACE), 12).map_err(|e| (e.fault, "the index cannot be read"))?;
        let no_entry = (ReadFault::Truncated, "the index ends before its place");
        let (at, stored) = le_u64(&entry, 0).zip(le_u32(&entry, 8)).ok_or(no_entry)?;
        let most = self.chunk.saturating_mul(2).saturating_add(1024);
        if u64::from(stored) > most {
            return Err((ReadFault::Damaged, "it is declared to be longer than a chunk can be"));
        }
        let bytes = read_up_to(data, at, usize::try_from(stored).unwrap_or(usize::MAX));
        let bytes = bytes.map_err(|e| (e.fault, "the file cannot be read there"))?;
        if bytes.len() as u64 != u64::from(stored) {
            return Err((ReadFault::Truncated, "its member ends before it does"));
        }
        let size = usize::try_from(self.chunk).unwrap_or(usize::MAX);
        let wanted = self.length.saturating_sub(number.saturating_mul(self.chunk)).min(self.chunk);
        // What did not become smaller is kept as it is.
        let plain = u64::from(stored) == self.chunk || self.packed == Packed::No;
        let out = match self.packed {
            _ if plain => bytes,
            Packed::Snappy => snappy::decode(&bytes, size).ok_or(damaged)?,
            Packed::Lz4 => lz4::decode(&bytes, size).ok_or(damaged)?,
            zlib => {
                let mut out = vec![0; size];
                let made = inflate(zlib == Packed::Zlib, &bytes, &mut out)?;
                out.truncate(made);
                out
            }
        };
        if (out.len() as u64) < wanted {
            return Err((ReadFault::Damaged, "it is shorter than its chunk"));
        }
        if let Some((check, length)) = self.check {
            let n = usize::try_from(length).unwrap_or(usize::MAX);
            let digests = bevy.digests.as_ref().map(|d| read_up_to(d, inside.saturating_mul(length), n));
            match digests {
                Some(Ok(stored)) if stored.len() == n => {
                    if !check.agrees(&out, &stored) {
                        return Err((ReadFault::Damaged, "its stored digest does not agree"));
                    }
                }
                _ => return Err((ReadFault::Damaged, "its stored digest is not there")),
            }
        }
        Ok(out)
    }
}

impl Source for Chunks {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ReadError> {
        let rest = usize::try_from(self.length.saturating_sub(offset)).unwrap_or(usize::MAX);
        let wanted = buf.len().min(rest);
        let mut done = 0;
        while let Some(rest) = buf.get_mut(done..wanted).filter(|r| !r.is_empty()) {
            let at = offset.saturating_add(done as u64);
            let (number, inside) = (at.checked_div(self.chunk).unwrap_or(0), at.checked_rem(self.chunk).unwrap_or(0));
            let n = usize::try_from(self.chunk.saturating_sub(inside)).unwrap_or(usize::MAX).min(rest.len());
            let from = usize::try_from(inside).unwrap_or(usize::MAX);
            let short = (ReadFault::Damaged, "it is shorter than its chunk");
            let copied = self.get(number).and_then(|data| {
                let part = data.get(from..from.saturating_add(n)).zip(rest.get_mut(..n)).ok_or(short)?;
                part.1.copy_from_slice(part.0);
                Ok(())
            });
            copied.map_err(|(fault, why)| ReadError::new(LAYER, at, fault, format!("chunk {number}: {why}")))?;
            done = done.saturating_add(n);
        }
        Ok(done)
    }
}

/// What a range of a map leads to.
#[derive(Clone)]
enum Target {
    Fill(u8),
    Unreadable,
    NotAcquired,
    Stream(Arc<dyn Source>),
    Missing,
}

struct Range {
    start: u64,
    length: u64,
    inside: u64,
    target: usize,
}

/// Ranges of a disk.
struct Map {
    /// In their order, without overlap.
    ranges: Vec<Range>,
    targets: Vec<Target>,
    gap: Target,
    length: u64,
}

impl Target {
    fn read(&self, inside: u64, out: &mut [u8], at: u64) -> Result<(), ReadError> {
        let failed = |fault, why: &str| Err(ReadError::new(LAYER, at, fault, why));
        match self {
            Self::Fill(byte) => out.fill(*byte),
            Self::Unreadable => return failed(ReadFault::Io, "this part could not be read when the image was made"),
            Self::NotAcquired => return failed(ReadFault::Io, "this part was not acquired when the image was made"),
            Self::Missing => {
                return failed(ReadFault::Truncated, "the stream that holds this part is not in this volume");
            }
            Self::Stream(stream) => {
                let wanted = out.len();
                match stream.read_at(inside, out) {
                    Ok(n) if n == wanted => {}
                    Ok(_) => {
                        return failed(ReadFault::Truncated, "the stream that holds this part ends before it does");
                    }
                    Err(error) => return failed(error.fault, &error.detail),
                }
            }
        }
        Ok(())
    }
}

impl Source for Map {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ReadError> {
        let rest = usize::try_from(self.length.saturating_sub(offset)).unwrap_or(usize::MAX);
        let wanted = buf.len().min(rest);
        let mut index = self.ranges.partition_point(|r| r.start.saturating_add(r.length) <= offset);
        let mut done = 0;
        while let Some(rest) = buf.get_mut(done..wanted).filter(|r| !r.is_empty()) {
            let at = offset.saturating_add(done as u64);
            let range = self.ranges.get(index);
            let inside = range.and_then(|r| at.checked_sub(r.start));
            let (target, from, left) = match (range, inside) {
                (Some(r), Some(inside)) => {
                    index = index.saturating_add(1);
                    let target = self.targets.get(r.target).unwrap_or(&Target::Missing);
                    (target, r.inside.saturating_add(inside), r.length.saturating_sub(inside))
                }
                (Some(r), None) => (&self.gap, 0, r.start.saturating_sub(at)),
                (None, _) => (&self.gap, 0, u64::MAX),
            };
            let n = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
            let Some(part) = rest.get_mut(..n) else { break };
            target.read(from, part, at)?;
            done = done.saturating_add(n);
        }
        Ok(done)
    }
}

struct Opening<'a> {
    members: &'a Members,
    facts: &'a Facts,
    problems: Vec<Problem>,
    /// What was opened already, so that a list that names something often costs no more than once.
    made: BTreeMap<String, Target>,
    /// What all streams of the volume share, so that many streams do not keep more than one does; `None` for a disk's.
    shared: Option<Arc<Unpacked>>,
    streams: u64,
}

impl<'a> Opening<'a> {
    fn new(members: &'a Members, facts: &'a Facts, problems: Vec<Problem>) -> Self {
        Self { members, facts, problems, made: BTreeMap::new(), shared: None, streams: 0 }
    }
}

impl Opening<'_> {
    fn say(&mut self, code: &'static str, at: Option<u64>, detail: String) {
        self.problems.push(Problem::new(LAYER, code, at, detail));
    }

    fn broken(detail: impl Into<String>) -> OpenError {
        OpenError::malformed(LAYER, 0, detail)
    }

    /// Holds what is read of members one after the other against a stored SHA-512.
    fn digest(&mut self, what: &str, stored: Option<String>, parts: &[Arc<dyn Source>]) -> Result<(), OpenError> {
        let Some(stored) = stored else { return Ok(()) };
        let mut sum = Sha512::new();
        for part in parts {
            let mut at = 0;
            while at < part.len() {
                let bytes = read_up_to(part, at, 1 << 20)?;
                sum.update(&bytes);
                at = at.saturating_add((bytes.len() as u64).max(1));
            }
        }
        let ours: String = sum.finalize().iter().map(|b| format!("{b:02x}")).collect();
        if ours != stored.to_ascii_lowercase() {
            self.say("digest-differs", None, format!("the stored SHA-512 of {what} does not agree"));
        }
        Ok(())
    }

    fn stored(&self, subject: &str, predicate: &str) -> Option<String> {
        self.facts.digest(subject, predicate, "SHA512").map(str::to_owned)
    }

    /// A stream of chunks.
    fn chunks(&mut self, name: &str) -> Result<Chunks, OpenError> {
        let number = |predicate: &str| self.facts.number(name, predicate);
        let length = number("size").ok_or_else(|| Self::broken("a stream does not say how long it is"))?;
        let chunk = number("chunkSize").filter(|n| (1..=MOST_CHUNK).contains(n));
        let chunk = chunk.ok_or_else(|| Self::broken("the size of its chunks is missing or cannot be"))?;
        let per_bevy = number("chunksInSegment").filter(|n| (1..=1 << 24).contains(n));
        let per_bevy =
            per_bevy.ok_or_else(|| Self::broken("the number of chunks of a segment is missing or cannot be"))?;
        check_disk_size(LAYER, length)?;
        let packed = match self.facts.one(name, "compressionMethod") {
            None | Some("http://aff4.org/Schema#NullCompressor") => Packed::No,
            Some("http://code.google.com/p/snappy/" | "https://github.com/google/snappy") => Packed::Snappy,
            Some("https://code.google.com/p/lz4/" | "https://github.com/lz4/lz4") => Packed::Lz4,
            Some("https://tools.ietf.org/html/rfc1951" | "https://www.ietf.org/rfc/rfc1951.txt") => Packed::Deflate,
            Some("https://tools.ietf.org/html/rfc1950" | "https://www.ietf.org/rfc/rfc1950.txt") => Packed::Zlib,
            Some(_) => return Err(refused("an AFF4 image packed in a way that is not known", REIMAGE)),
        };
        let path = self.facts.path(name);
        // What is not there is an error where it is read; a false size makes no list without end.
        let count = length.div_ceil(chunk).div_ceil(per_bevy).min(self.members.by_path.len() as u64);
        let present = |kind: &str| {
            let known = |n| zip::path_of(format!("{path}/{n:08}.blockHash.{kind}").as_bytes());
            (0..count).any(|n| self.members.by_path.contains_key(&known(n)))
        };
        let check = Check::ALL.into_iter().find(|(_, kind, _)| present(kind));
        let mut bevies = vec![];
        for n in 0..count {
            let data = format!("{path}/{n:08}");
            let digests = check.and_then(|(_, kind, _)| self.members.get(&format!("{data}.blockHash.{kind}")));
            let index = self.members.get(&format!("{data}.index"));
            bevies.push(Bevy { data: self.members.get(&data), index, digests });
        }
        let of_all = |part: fn(&Bevy) -> &Option<Arc<dyn Source>>| -> Vec<Arc<dyn Source>> {
            bevies.iter().filter_map(|b| part(b).clone()).collect()
        };
        let (indexes, digests) = (of_all(|b| &b.index), of_all(|b| &b.digests));
        self.digest("the index of chunks", self.stored(name, "imageStreamIndexHash"), &indexes)?;
        match check {
            Some((_, kind, _)) => {
                let stored = self.stored(&format!("{name}/blockhash.{kind}"), "hash");
                self.digest("the digests of chunks", stored, &digests)?;
            }
            None => {
                let detail =
                    "the image stores no SHA-1, SHA-256 or SHA-512 of its chunks: damage in one may go unnoticed";
                self.say("chunks-have-no-digest", None, detail.into());
            }
        }
        let check = check.map(|(check, _, length)| (check, length));
        let unpacked = self.shared.clone().unwrap_or_else(|| Arc::new(Cache::new(chunk)));
        let first = self.streams.saturating_mul(CHUNKS);
        self.streams = self.streams.saturating_add(1);
        Ok(Chunks { bevies, length, chunk, per_bevy, packed, check, unpacked, first })
    }

    fn target(&mut self, name: &str, depth: usize) -> Result<Target, OpenError> {
        if let Some(symbol) = name.strip_prefix(SCHEMA) {
            let byte = symbol.strip_prefix("SymbolicStream").and_then(|hex| u8::from_str_radix(hex, 16).ok());
            return Ok(match symbol {
                "Zero" => Target::Fill(0),
                "UnreadableData" => Target::Unreadable,
                "UnknownData" => Target::NotAcquired,
                _ => byte.map_or(Target::Missing, Target::Fill),
            });
        }
        if depth > DEPTH {
            return Err(Self::broken("its maps lead to maps without end"));
        }
        if let Some(known) = self.made.get(name) {
            return Ok(known.clone());
        }
        let found = if self.facts.is(name, "Map") {
            Target::Stream(Arc::new(self.map(name, depth)?))
        } else if self.facts.is(name, "ImageStream") {
            Target::Stream(Arc::new(self.chunks(name)?))
        } else {
            Target::Missing
        };
        self.made.insert(name.to_owned(), found.clone());
        Ok(found)
    }

    fn map(&mut self, name: &str, depth: usize) -> Result<Map, OpenError> {
        let length =
            self.facts.number(name, "size").ok_or_else(|| Self::broken("a map does not say how long it is"))?;
        check_disk_size(LAYER, length)?;
        let path = self.facts.path(name);
        let member = |part: &str| {
            let found = self.members.get(&format!("{path}/{part}"));
            found.ok_or_else(|| Self::broken(format!("the member {part} of its map is not there or cannot be read")))
        };
        let (table, list) = (member("map")?, member("idx")?);
        if table.len() > MOST_MAP || list.len() > MOST_LIST as u64 {
            return Err(refused("an AFF4 image whose map has more ranges than this version reads", REIMAGE));
        }
        let map_path = self.members.get(&format!("{path}/mapPath"));
        self.digest("the map", self.stored(name, "mapPointHash"), std::slice::from_ref(&table))?;
        self.digest("the list of targets", self.stored(name, "mapIdxHash"), std::slice::from_ref(&list))?;
        if let Some(map_path) = map_path {
            self.digest("the path of the map", self.stored(name, "mapPathHash"), &[map_path])?;
        }
        let list = String::from_utf8(read_up_to(&list, 0, MOST_LIST)?);
        let list = list.map_err(|_| Self::broken("the list of targets is no text"))?;
        let mut targets = vec![];
        if list.lines().count() > TARGETS {
            return Err(refused("an AFF4 image whose map has more targets than this version reads", REIMAGE));
        }
        for line in list.lines() {
            targets.push(self.target(line.trim(), depth.saturating_add(1))?);
        }
        let gap = self.facts.one(name, "mapGapDefaultStream").unwrap_or("http://aff4.org/Schema#Zero").to_owned();
        let gap = self.target(&gap, depth.saturating_add(1))?;
        let bytes = read_up_to(&table, 0, usize::try_from(MOST_MAP).unwrap_or(usize::MAX))?;
        if bytes.len() % RANGE != 0 {
            return Err(Self::broken("its map ends inside a range"));
        }
        let mut ranges = vec![];
        for entry in bytes.chunks_exact(RANGE) {
            let [Some(start), Some(length), Some(inside)] = [0, 8, 16].map(|at| le_u64(entry, at)) else { continue };
            let target = le_u32(entry, 24).and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX);
            if target >= targets.len() {
                return Err(Self::broken("its map names a target that is not in its list"));
            }
            if length > 0 {
                ranges.push(Range { start, length, inside, target });
            }
        }
        ranges.sort_by_key(|r| r.start);
        let overlap = ranges.windows(2).any(|pair| match pair {
            [a, b] => a.start.saturating_add(a.length) > b.start,
            _ => false,
        });
        if overlap {
            return Err(Self::broken("its map contradicts itself about what lies where"));
        }
        Ok(Map { ranges, targets, gap, length })
    }
}

/// Lists what of a map cannot be read, neighbours together.
fn list_missing(map: &Map, problems: &mut Vec<Problem>) {
    for (code, why, not_acquired) in [
        ("unreadable-when-acquired", "could not be read when the image was made", false),
        ("not-acquired", "were not acquired", true),
    ] {
        let is = |r: &&Range| match map.targets.get(r.target) {
            Some(Target::Unreadable) => !not_acquired,
            Some(Target::NotAcquired) => not_acquired,
            _ => false,
        };
        let mut found: Vec<(u64, u64)> = vec![];
        for range in map.ranges.iter().filter(is) {
            match found.last_mut() {
                Some((start, length)) if start.saturating_add(*length) == range.start => {
                    *length = length.saturating_add(range.length);
                }
                _ => found.push((range.start, range.length)),
            }
        }
        for (start, length) in found.iter().take(LISTED) {
            problems.push(Problem::new(LAYER, code, Some(*start), format!("{length} bytes {why}")));
        }
        let rest = found.get(LISTED..).unwrap_or_default();
        if !rest.is_empty() {
            let bytes = rest.iter().fold(0u64, |n, (_, length)| n.saturating_add(*length));
            problems.push(Problem::new(
                LAYER,
                code,
                None,
                format!("{bytes} bytes in {} more ranges {why}", rest.len()),
            ));
        }
    }
}

/// Opens an AFF4 image from its bytes.
pub(super) fn open(file: &Arc<dyn Source>) -> Result<Disk, OpenError> {
    let mut members = Members::open(file)?;
    let facts = Facts::read(&members)?;
    let mut problems = std::mem::take(&mut members.problems);
    let mut images = facts.disks();
    let (image, another) = (images.next(), images.next().is_some());
    if another {
        return Err(refused("an AFF4 volume with several images", REIMAGE));
    }
    let files = facts.files();
    let Some(image) = image else {
        return Err(if files > 0 {
            refused("a logical AFF4 image (AFF4-L) as a disk image", "Examine it as a tree of files")
        } else {
            refused("an AFF4 volume without an image", "Put all volumes of the image into one, or export it to raw")
        });
    };
    if files > 0 {
        let detail = format!("beside its disk the volume holds {files} files of their own, which were not read");
        problems.push(Problem::new(LAYER, "logical-files-not-read", None, detail));
    }
    let data = facts.one(image, "dataStream").unwrap_or_default();
    let mut opening = Opening::new(&members, &facts, problems);
    let mut stored = (None, None);
    let source: Arc<dyn Source> = if facts.is(data, "Map") {
        let map = opening.map(data, 0)?;
        list_missing(&map, &mut opening.problems);
        Arc::new(map)
    } else if facts.is(data, "ImageStream") {
        stored = (
            facts.digest(data, "hash", "MD5").and_then(|d| d.parse::<Md5>().ok()),
            facts.digest(data, "hash", "SHA1").and_then(|d| d.parse::<Sha1>().ok()),
        );
        Arc::new(opening.chunks(data)?)
    } else {
        return Err(refused(
            "an AFF4 image whose data lie in another volume",
            "Put its volumes together, or export it to raw",
        ));
    };
    Ok(Disk { kind: "aff4", source, problems: opening.problems, stored })
}
