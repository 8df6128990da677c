//! The completeness statement: what was read, what was not and why, in sentences.

use std::collections::BTreeMap;

use avocet_base::{plural, size_text};
use avocet_evidence::{Evidence, OpenError, VolumeState};
use avocet_examination::{CompletenessRow, Level, WriteError, Writer};
use avocet_known::KnownSets;
use avocet_sandbox::Confinement;

use crate::archives::{DELETED_NOT_ENTERED, NOT_ENTERED};
use crate::camera::CameraCounts;
use crate::corroborate::Opinion;
use crate::image::{DigestVerdict, ImageDigests};
use crate::pictures::Pictures;

/// Problems of one kind in one volume that are listed one by one; the rest is counted.
pub(crate) const LISTED_PROBLEMS: u64 = 10_000;

const KNOWN_SET: &str = "known-set";
const NO_KNOWN_SETS: &str = "no-known-sets";
const NEAR_MATCHES: &str = "near-matches";
const REMATCHED: &str = "rematched";
/// The lines that tell of known sets: a rematch writes them anew.
pub(crate) const KNOWN_LINES: [&str; 4] = [KNOWN_SET, NO_KNOWN_SETS, NEAR_MATCHES, REMATCHED];

/// What came of the archives among the files.
#[derive(Default)]
pub(crate) struct Archives {
    /// By kind: archives, and the members that were listed.
    pub entered: BTreeMap<&'static str, (u64, u64)>,
    /// By reason, and whether the file is live.
    pub not_entered: BTreeMap<(bool, String), u64>,
    /// Not entered, as asked.
    pub left_out: u64,
    /// Not entered when an interim result was written.
    pub not_yet: u64,
}

/// What is counted while rows are written.
#[derive(Default)]
pub(crate) struct Counts {
    pub files: u64,
    pub streams: u64,
    pub directories: u64,
    pub links: u64,
    pub others: u64,
    pub hard_linked: u64,
    pub digested: u64,
    pub digested_bytes: u64,
    pub alerting_files: u64,
    /// Files that are members of archives.
    pub embedded: u64,
    pub archives: Archives,
    pub camera: CameraCounts,
    /// Files whose bytes have the digests that the evidence itself states of them.
    pub stated: u64,
    pub reused: u64,
    pub guessed: u64,
    pub unallocated_bytes: u64,
    /// Files without a digest: reason and whether the file is live.
    pub unreadable: BTreeMap<(bool, String), u64>,
    /// Contents that were not read when an interim result was written.
    pub waiting: u64,
}

impl Counts {
    /// How much an interim result has of what is listed.
    pub fn how_far(&self) -> String {
        let all = self.digested.saturating_add(self.waiting);
        format!(
            "{} of {} had been read ({})",
            self.digested,
            plural(all, "file content", "file contents"),
            size_text(self.digested_bytes)
        )
    }
}

/// The lines of the completeness statement being gathered.
#[derive(Default)]
pub(crate) struct Statement {
    pub rows: Vec<CompletenessRow>,
}

impl Statement {
    fn line(&mut self, level: Level, code: &str, count: u64, bytes: Option<u64>, text: String) {
        self.rows.push(CompletenessRow { seq: 0, level, code: code.to_owned(), count, bytes, text });
    }

    /// Before anything else: this is no whole result.
    pub fn interim(&mut self, counts: &Counts) {
        let text = format!(
            "INTERIM RESULT: the examination had not ended when it was written. {}; the others are listed as not read. \
             The whole result takes its place.",
            counts.how_far()
        );
        self.line(Level::Gap, "interim", counts.waiting, None, text);
        let archives = counts.archives.not_yet;
        if archives > 0 {
            let text = format!(
                "{} read so far: what is inside is NOT in this interim result.",
                plural(archives, "archive or compressed document was", "archives or compressed documents were")
            );
            self.line(Level::Gap, "archives-not-entered-yet", archives, None, text);
        }
    }

    pub fn image(&mut self, evidence: &Evidence, image: &ImageDigests) {
        let size = evidence.source().map(|s| s.len());
        match image.verdict {
            DigestVerdict::Differs if image.damaged.is_empty() => self.line(
                Level::Alarm,
                "image-digest-differs",
                1,
                size,
                "The digest of the whole image DIFFERS from the one stored at acquisition. Do not rely on this copy: image the exhibit again.".into(),
            ),
            DigestVerdict::Differs => {
                let bytes: u64 = image.damaged.iter().map(|r| r.length).sum();
                let text = format!(
                    "The image is DAMAGED: {} in {} cannot be read. Do not rely on this copy: image the exhibit again.",
                    size_text(bytes),
                    plural(image.damaged.len() as u64, "place", "places")
                );
                self.line(Level::Alarm, "image-damaged", image.damaged.len() as u64, Some(bytes), text);
            }
            DigestVerdict::Agrees => self.line(
                Level::Done,
                "image-digest-agrees",
                1,
                size,
                "The digest of the whole image agrees with the one stored at acquisition.".into(),
            ),
            DigestVerdict::NothingStored => self.line(
                Level::Note,
                "image-digest-nothing-stored",
                1,
                size,
                "The image stores no digest to compare with; the digest taken now is recorded.".into(),
            ),
            DigestVerdict::NotTaken => self.line(
                Level::Note,
                "image-digest-not-taken",
                1,
                size,
                "The digest of the whole image was not taken, as asked: whether the copy is intact is not established.".into(),
            ),
            DigestVerdict::NotYet => self.line(
                Level::Gap,
                "image-digest-not-yet",
                1,
                size,
                "The digest of the whole image was not taken yet: whether the copy is intact is not established.".into(),
            ),
            DigestVerdict::NotApplicable => self.line(
                Level::Note,
                "image-digest-not-applicable",
                0,
                None,
                "A folder has no digest as a whole; each file has its own.".into(),
            ),
        }
        let errors =
            evidence.container.as_ref().and_then(|c| c.ewf.as_ref()).map_or(&[][..], |e| &e.facts().acquisition_errors);
        if !errors.is_empty() {
            let sectors: u64 = errors.iter().map(|e| e.1).sum();
            let text = format!(
                "{} could not be read when the image was made; they are zeros in the image.",
                plural(sectors, "sector", "sectors")
            );
            self.line(Level::Gap, "acquisition-errors", sectors, None, text);
        }
    }

    /// What another program says of the same image: first, because whoever asked for it wants to know.
    pub fn second_opinion(&mut self, opinion: &Opinion) {
        let by = &opinion.by;
        let same = format!(
            "{} and {} are the same",
            plural(opinion.equal, "entry", "entries"),
            plural(opinion.contents, "content", "contents")
        );
        if opinion.count > 0 {
            let text = format!(
                "{by} DIFFERS from this examination in {}; {same}. Each stands in the list of problems.",
                plural(opinion.count, "point", "points")
            );
            self.line(Level::Gap, "second-opinion-differs", opinion.count, None, text);
        } else if opinion.equal > 0 {
            let text = format!("{by} says the same: {same}.");
            self.line(Level::Done, "second-opinion-agrees", opinion.equal, None, text);
        }
        for (volume, why) in &opinion.without {
            let text = format!("{by} was not asked about volume {volume}: {why}.");
            self.line(Level::Gap, "second-opinion-missing", 1, None, text);
        }
        if let Some(seconds) = opinion.late {
            let text = format!(
                "{by} was ended after {seconds} s: what it had not listed or read by then was not compared \
                 (--corroborate-limit gives it more time)."
            );
            self.line(Level::Gap, "second-opinion-ended", 1, None, text);
        }
        for sentence in &opinion.missing {
            let text = format!("Weaker confinement of the second opinion, as allowed: {sentence}");
            self.line(Level::Gap, "second-opinion-not-confined", 1, None, text);
        }
        if let Some(why) = opinion.one_by_one.as_ref().filter(|_| opinion.late.is_none()) {
            let text = format!("{by} did not read all files at once ({why}); they were asked for one by one.");
            self.line(Level::Note, "second-opinion-one-by-one", 1, None, text);
        }
        if opinion.missing.is_empty() && (opinion.equal > 0 || opinion.count > 0) {
            let text =
                format!("{by} had no access to other files than the evidence, to the network or to other programs.");
            self.line(Level::Done, "second-opinion-confined", 0, None, text);
        }
        if opinion.unasked > 0 {
            let text = format!(
                "Of {} the bytes were not compared with those that {by} reads.",
                plural(opinion.unasked, "entry", "entries")
            );
            self.line(Level::Note, "second-opinion-contents-left-out", opinion.unasked, None, text);
        }
        if opinion.left_out > 0 {
            let text = format!(
                "Left out of the comparison by rule: {} that {by} lists (what it makes up itself, indexes, labels).",
                plural(opinion.left_out, "entry", "entries")
            );
            self.line(Level::Note, "second-opinion-left-out", opinion.left_out, None, text);
        }
    }

    pub fn volumes(&mut self, evidence: &Evidence) {
        for volume in &evidence.volumes {
            let (level, code, text) = match &volume.state {
                VolumeState::Read { fs, .. } => {
                    (Level::Done, "volume-read", format!("was read: {}", fs_name(fs.facts().kind)))
                }
                VolumeState::NotRead { what, certain: true, .. } => {
                    (Level::Gap, "volume-not-read", format!("was NOT read: {what}"))
                }
                VolumeState::NotRead { what, .. } => (
                    Level::Gap,
                    "volume-not-read",
                    format!("was NOT read: probably {}", what.trim_start_matches("possibly ")),
                ),
                VolumeState::Failed { what, error } => (
                    Level::Gap,
                    "volume-failed",
                    format!("was NOT read: its {what} file system cannot be opened ({})", brief(error)),
                ),
                VolumeState::Empty => (Level::Note, "volume-empty", "holds only zeros where it was sampled".to_owned()),
                VolumeState::Unknown => {
                    (Level::Gap, "volume-unknown", "was NOT read: nothing known was recognised in it".to_owned())
                }
            };
            // A tree of files of this machine has no length of its own.
            let size = if volume.length > 0 { format!(" ({})", size_text(volume.length)) } else { String::new() };
            let layers: String = volume.layers.iter().map(|layer| format!("; it lies in {layer}")).collect();
            let text = format!("Volume {}{size} {text}{layers}.", volume.name);
            self.line(level, code, 1, Some(volume.length), text);
        }
        if evidence.volumes.is_empty() {
            self.line(Level::Gap, "no-volume", 0, None, "No volume was found in the evidence.".into());
        }
    }

    pub fn unreadable(&mut self, unreadable: &BTreeMap<(bool, String), u64>) {
        for ((live, reason), count) in unreadable {
            let (level, what) = if *live { (Level::Gap, "live") } else { (Level::Note, "deleted") };
            let files = plural(*count, &format!("{what} file has"), &format!("{what} files have"));
            self.line(level, "files-unreadable", *count, None, format!("{files} no digest: {reason}."));
        }
    }

    pub fn problems(&mut self, counts: &BTreeMap<(Option<i64>, &'static str, &'static str), u64>) {
        let mut by_code: BTreeMap<(&str, &str), (u64, u64)> = BTreeMap::new();
        for ((_, layer, code), count) in counts {
            // The lines on archives give the reasons.
            if matches!(*code, NOT_ENTERED | DELETED_NOT_ENTERED) {
                continue;
            }
            let slot = by_code.entry((layer, code)).or_default();
            slot.0 += count;
            slot.1 += count.saturating_sub(LISTED_PROBLEMS);
        }
        for ((layer, code), (count, unlisted)) in by_code {
            let (level, text) = crate::wording::line(layer, code, count, unlisted);
            self.line(level, "problems", count, None, text);
        }
    }

    pub fn space(&mut self, evidence: &Evidence, counts: &Counts) {
        let gaps: u64 = evidence.gaps.iter().map(|r| r.length).sum();
        if gaps > 0 {
            let text = format!("{} belong to no volume and were not searched.", size_text(gaps));
            self.line(Level::Note, "unpartitioned", evidence.gaps.len() as u64, Some(gaps), text);
        }
        if counts.unallocated_bytes > 0 {
            let text = format!(
                "{} of free space were not searched for remains of files without an entry (no carving in this version).",
                size_text(counts.unallocated_bytes)
            );
            self.line(Level::Note, "unallocated", 1, Some(counts.unallocated_bytes), text);
        }
    }

    /// Which archives among the files were entered, and which were not and why.
    pub fn archives(&mut self, counts: &Counts) {
        let archives = &counts.archives;
        for ((live, reason), count) in &archives.not_entered {
            let (level, what) = if *live { (Level::Gap, "") } else { (Level::Note, "deleted ") };
            let text = format!(
                "{} recognised by content and digested as a whole; what is inside was NOT examined: {reason}.",
                plural(
                    *count,
                    &format!("{what}archive or compressed document was"),
                    &format!("{what}archives or compressed documents were")
                )
            );
            self.line(level, "archives-not-opened", *count, None, text);
        }
        if archives.left_out > 0 {
            let text = format!(
                "{} not entered, as asked: what is inside was NOT examined.",
                plural(
                    archives.left_out,
                    "archive or compressed document was",
                    "archives or compressed documents were"
                )
            );
            self.line(Level::Note, "archives-left-out", archives.left_out, None, text);
        }
        let (entered, listed) = archives.entered.values().fold((0, 0u64), |(a, m), x| (a + x.0, m.saturating_add(x.1)));
        if entered > 0 {
            let kinds: Vec<String> = archives.entered.iter().map(|(kind, x)| format!("{} {kind}", x.0)).collect();
            let text = format!(
                "Entered: {} ({}); {} listed under the archive's path, {} among them.",
                plural(entered, "archive or compressed document", "archives or compressed documents"),
                kinds.join(", "),
                plural(listed, "member was", "members were"),
                plural(counts.embedded, "file", "files"),
            );
            self.line(Level::Done, "archives-entered", entered, None, text);
        }
    }

    /// What a phone's own databases say of its camera roll.
    pub fn camera(&mut self, c: CameraCounts) {
        if c.databases == 0 {
            return;
        }
        let text = format!(
            "Camera roll: the phone's own {} {}, {} among the files. Of those listed: {} saved or received, {} hidden, \
             {} in the trash.",
            if c.databases == 1 { "database lists" } else { "databases list" },
            plural(c.listed, "picture or video", "pictures and videos"),
            c.found,
            c.saved,
            c.hidden,
            c.trash
        );
        self.line(Level::Done, "camera-roll", c.listed, None, text);
        let missing = c.listed.saturating_sub(c.found);
        if missing > 0 {
            let text = format!(
                "{} the camera roll lists {} not among the files: not copied, in the cloud, or gone.",
                plural(missing, "picture or video that", "pictures and videos that"),
                if missing == 1 { "is" } else { "are" }
            );
            self.line(Level::Note, "camera-roll-not-held", missing, None, text);
        }
    }

    pub fn files(&mut self, c: &Counts) {
        if c.stated > 0 {
            let text = format!(
                "{} the bytes of which the evidence itself states a digest.",
                plural(c.stated, "file has", "files have")
            );
            self.line(Level::Done, "stated-digests-agree", c.stated, None, text);
        }
        if c.reused > 0 {
            let text = format!(
                "{} clusters that were used again since: the bytes are not all of that file.",
                plural(c.reused, "deleted file has", "deleted files have")
            );
            self.line(Level::Note, "clusters-reused", c.reused, None, text);
        }
        if c.guessed > 0 {
            let text = format!(
                "{} by assuming where the bytes lie.",
                plural(c.guessed, "deleted file was recovered", "deleted files were recovered")
            );
            self.line(Level::Note, "recovered-by-assumption", c.guessed, None, text);
        }
        if c.hard_linked > 0 {
            let text = format!(
                "{} to a file with several names (hard links); each name is listed and counted.",
                plural(c.hard_linked, "entry leads", "entries lead")
            );
            self.line(Level::Note, "hard-links", c.hard_linked, None, text);
        }
        let mut listed = vec![plural(c.files, "file", "files"), plural(c.directories, "folder", "folders")];
        for (n, one, many) in [
            (c.embedded, "file in archives", "files in archives"),
            (c.streams, "alternate stream", "alternate streams"),
            (c.links, "link", "links"),
            (c.others, "other entry (volume label, device, pipe)", "other entries (volume labels, devices, pipes)"),
        ] {
            if n > 0 {
                listed.push(plural(n, one, many));
            }
        }
        let what = if c.streams > 0 { "file contents and streams" } else { "file contents" };
        let text = format!(
            "Listed: {}. Digested: {} {} ({}).",
            listed.join(", "),
            c.digested,
            if c.digested == 1 && c.streams == 0 { "file content" } else { what },
            size_text(c.digested_bytes)
        );
        self.line(Level::Done, "files", c.files, Some(c.digested_bytes), text);
    }

    pub fn pictures(&mut self, pictures: Option<&Pictures>, derivatives: Option<u64>) {
        let Some(p) = pictures else {
            let text = "No picture was decoded, as asked: near matches, cameras and places are not known.".to_owned();
            return self.line(Level::Note, "pictures-not-described", 0, None, text);
        };
        for ((live, kind, code), count) in p.undecodable() {
            let (level, what) = if live { (Level::Gap, "") } else { (Level::Note, "deleted ") };
            let text = format!(
                "{} could not be decoded ({kind}): {code}. No near match is known of them; someone has to look at the files.",
                plural(count, &format!("different {what}picture"), &format!("different {what}pictures"))
            );
            self.line(level, "pictures-undecodable", count, None, text);
        }
        for (count, code, one, many, rest) in [
            (
                p.partial,
                "pictures-partial",
                "picture is",
                "pictures are",
                "cut off or damaged: what is there was decoded, and not hashed as if it were whole",
            ),
            (
                p.left_out,
                "pictures-images-left-out",
                "picture holds",
                "pictures hold",
                "further images of which not all were decoded; `avocet media show` says which",
            ),
            (
                p.low_detail,
                "pictures-low-detail",
                "picture shows",
                "pictures show",
                "too little detail for near matches and groups (PDQ quality below 50)",
            ),
            (
                p.thumbnail_differs,
                "thumbnails-differ",
                "picture carries",
                "pictures carry",
                "a thumbnail that shows something else: it may have been changed since. A lead, no proof",
            ),
        ] {
            if count > 0 {
                self.line(Level::Note, code, count, None, format!("{} {rest}.", plural(count, one, many)));
            }
        }
        let text = format!(
            "Described: {} in {}, {} decoded whole. In groups that look the same: {} in {}. With a \
             camera named: {}; with a place: {}.",
            plural(p.different, "different picture", "different pictures"),
            plural(p.files, "file", "files"),
            p.decoded,
            p.grouped,
            plural(p.groups, "group", "groups"),
            p.with_camera,
            p.with_place
        );
        self.line(Level::Done, "pictures", p.different, None, text);
        match derivatives {
            Some(items) => self.line(
                Level::Done,
                "small-pictures",
                items,
                None,
                format!("Small pictures for review were made of {items} and stored encrypted beside the result."),
            ),
            None => self.line(
                Level::Note,
                "no-small-pictures",
                0,
                None,
                "No small pictures for review were made, as asked.".to_owned(),
            ),
        }
    }

    pub fn confinement(&mut self, confinement: &Confinement) {
        let missing = confinement.sentences();
        if missing.is_empty() {
            let text = "The workers that decode pictures had no access to files, network or other programs.".to_owned();
            self.line(Level::Done, "workers-confined", 0, None, text);
        }
        for sentence in missing {
            self.line(
                Level::Gap,
                "workers-not-confined",
                1,
                None,
                format!("Weaker confinement, as allowed: {sentence}"),
            );
        }
    }

    /// How many known hashes there are, and how many pictures are near one.
    pub fn near(&mut self, known_hashes: usize, near: u64) {
        let count = known_hashes as u64;
        let (level, text) = if count == 0 {
            (Level::Note, "No known set holds PDQ hashes: near matches were not looked for.".to_owned())
        } else {
            let among = plural(count, "PDQ hash", "PDQ hashes");
            (Level::Done, format!("Near matches were looked for among {among} of known sets: {near} found."))
        };
        self.line(level, NEAR_MATCHES, near, None, text);
    }

    /// What a rematch did, by the result digest of the earlier examination.
    pub fn rematched(&mut self, earlier: &str, [gained, lost, changed]: [u64; 3]) {
        let text = format!(
            "Matched anew without reading the evidence: everything else is as the examination with the result digest \
             {earlier} says. {} gained, {lost} lost, {changed} changed.",
            plural(gained, "match", "matches")
        );
        let count = gained.saturating_add(lost).saturating_add(changed);
        self.line(Level::Note, REMATCHED, count, None, text);
    }

    /// Writes the lines, the worst first, and says whether something that should have been read was not.
    pub fn write(mut self, writer: &mut Writer) -> Result<bool, WriteError> {
        // A stable sort: within a level the order in which they came stays.
        self.rows.sort_by_key(|r| r.level);
        for (seq, row) in (1i64..).zip(&mut self.rows) {
            row.seq = seq;
            writer.completeness(row)?;
        }
        Ok(self.rows.iter().any(|r| matches!(r.level, Level::Alarm | Level::Gap)))
    }

    pub fn known(&mut self, known: &KnownSets) {
        if known.sets().is_empty() {
            let text = "No known set was given: nothing was matched.".to_owned();
            self.line(Level::Note, NO_KNOWN_SETS, 0, None, text);
        }
        for set in known.sets() {
            let rejected: u64 = set.rejected.iter().map(|t| t.count).sum();
            let (level, rest) = if rejected > 0 {
                (Level::Gap, format!(", {rejected} REJECTED"))
            } else {
                (Level::Done, String::new())
            };
            let text = format!(
                "Known set {} ({}): {} kept{rest}.",
                set.name,
                set.scheme.as_str(),
                plural(set.kept, "record", "records")
            );
            self.line(level, KNOWN_SET, set.kept, None, text);
        }
    }
}

/// An error's sentence without its last full stop.
fn brief(error: &OpenError) -> String {
    error.to_string().trim_end_matches('.').to_owned()
}

/// A file system's name as people write it.
fn fs_name(kind: &str) -> String {
    match kind {
        "fat12" | "fat16" | "fat32" | "ntfs" => kind.to_uppercase(),
        "exfat" => "exFAT".to_owned(),
        "hfs+" => "HFS+".to_owned(),
        "apfs" => "APFS".to_owned(),
        "xfs" => "XFS".to_owned(),
        "f2fs" => "F2FS".to_owned(),
        "udf" => "UDF".to_owned(),
        "iso9660" => "ISO 9660".to_owned(),
        "ios-backup" => "iOS backup".to_owned(),
        "android-backup" => "Android backup".to_owned(),
        "aff4-l" => "AFF4-L".to_owned(),
        "ufdr" => "report of a phone extraction".to_owned(),
        other => other.to_owned(),
    }
}
