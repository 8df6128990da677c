//! Writes what was found into the sealed file and keeps the counts of the completeness statement.

use std::collections::BTreeMap;

use avocet_base::{Digests, plural, size_text};
use avocet_evidence::{
    AllocationState, Content, Entry, EntryKind, Evidence, Location, Note, Problem, ReadError, Run, Stated, Times,
    Unreadable, VolumeState,
};
use avocet_examination::{
    EvidenceRow, ExtentRow, FileRow, KnownSetRow, MatchRow, OriginalRow, ProblemRow, SpaceRow, VolumeRow, Writer,
};
use avocet_known::{Hit, KnownSets, SetInfo};
use avocet_sandbox::Confinement;

use crate::archives::{Outcome, Parent};
use crate::camera::CameraCounts;
use crate::corroborate::{Opinion, Ours};
use crate::image::ImageDigests;
use crate::kind::MediaKind;
use crate::pictures::{Media, Pictures};
use crate::pipeline::{ExamineError, Examined, Options};
use crate::recycle::RecycleBin;
use crate::statement::{Counts, LISTED_PROBLEMS, Statement};
use crate::tasks::{Found, Window};

/// The layer and the code of a content whose stated digest is another one.
const LAYER: &str = "content";
const STATED: &str = "stated-digest-differs";

type Result<T> = std::result::Result<T, ExamineError>;

/// Writes one examination.
pub(crate) struct Recorder<'a> {
    writer: Writer,
    evidence: &'a Evidence,
    known: &'a KnownSets,
    counts: Counts,
    problems: Vec<(Option<i64>, Problem)>,
    problem_counts: BTreeMap<(Option<i64>, &'static str, &'static str), u64>,
    recycle: RecycleBin,
    /// `None` where pictures are not described.
    pictures: Option<Pictures>,
    /// What the workers that decode pictures are kept from, and how many hashes of known pictures there are.
    confinement: Option<(Confinement, usize)>,
    /// What is held against a second opinion; `None` where none is wanted.
    ours: Option<Vec<Ours>>,
    opinion: Option<Opinion>,
    /// Whether this is an interim result of an examination that has not ended.
    interim: bool,
}

impl<'a> Recorder<'a> {
    /// Begins the result and writes what is known before anything is read.
    pub fn create(
        evidence: &'a Evidence,
        known: &'a KnownSets,
        options: &Options,
        media: Option<&Media>,
        known_hashes: usize,
        interim: bool,
    ) -> Result<Self> {
        let mut writer = Writer::create(&options.out)?;
        writer.config("image_digest", if options.image_digest { "taken" } else { "not taken" })?;
        writer.config("archives", if options.archives { "entered" } else { "not entered" })?;
        writer.config("zone_policy", "times are kept as recorded; nothing is converted")?;
        if let Some(corroborate) = &options.corroborate {
            writer.config("second_opinion", &corroborate.program.to_string())?;
        }
        match media {
            None => writer.config("pictures", "not described")?,
            Some(media) => {
                writer.config("pictures", "described")?;
                writer.config("pictures_pdq", avocet_media::pdq::ALGORITHM)?;
                writer.config("pictures_near_radius", &media.radius.to_string())?;
                writer.config("pictures_group_radius", &avocet_near::group::DEFAULT_RADIUS.to_string())?;
                writer.run("pictures_confinement", &media.decoders.confinement().summary())?;
            }
        }
        for (key, value) in &options.run {
            writer.run(key, value)?;
        }
        writer.run("threads", &options.threads.to_string())?;
        writer.run("digest_implementation", avocet_digest::implementation())?;
        for set in known.sets() {
            writer.known_set(&known_set_row(set))?;
        }
        let mut recorder = Self {
            writer,
            evidence,
            known,
            counts: Counts::default(),
            problems: vec![],
            problem_counts: BTreeMap::new(),
            recycle: RecycleBin::default(),
            pictures: media.map(|_| Pictures::default()),
            confinement: media.map(|m| (m.decoders.confinement().clone(), known_hashes)),
            ours: options.corroborate.as_ref().filter(|_| !interim).map(|_| vec![]),
            opinion: None,
            interim,
        };
        recorder.layout()?;
        Ok(recorder)
    }

    /// Volumes, partition tables and gaps.
    fn layout(&mut self) -> Result<()> {
        for (id, volume) in (1i64..).zip(&self.evidence.volumes) {
            let (kind, facts, detail) = match &volume.state {
                VolumeState::Read { fs, .. } => (fs.facts().kind.to_owned(), Some(fs.facts()), String::new()),
                VolumeState::NotRead { what, certain, detail } => {
                    let sure = if *certain { "" } else { "by probability; " };
                    (what.clone(), None, format!("{sure}{detail}").trim_end_matches("; ").to_owned())
                }
                VolumeState::Failed { what, error } => ((*what).to_owned(), None, error.to_string()),
                VolumeState::Empty => ("empty".to_owned(), None, "only zeros where it was sampled".to_owned()),
                VolumeState::Unknown => ("unknown".to_owned(), None, "no known signature".to_owned()),
            };
            let label = volume.label.as_ref().map_or_else(String::new, |l| format!(" “{l}”"));
            let mut said = vec![format!("partition type {}{label}", volume.type_name)];
            said.extend(volume.layers.iter().cloned());
            said.extend(Some(detail).filter(|d| !d.is_empty()));
            self.writer.volume(&VolumeRow {
                id,
                label: volume.name.clone(),
                start: volume.start,
                length: volume.length,
                status: volume.state.word().to_owned(),
                kind: Some(kind),
                fs_label: facts.and_then(|f| f.label.clone()),
                serial: facts.and_then(|f| f.serial.clone()),
                cluster_size: facts.map_or(0, |f| f.cluster_size),
                time_source: facts.map(|f| f.time_source.to_owned()),
                detail: said.join("; "),
            })?;
        }
        let evidence = self.evidence;
        for (kind, runs) in [("partition-table", &evidence.tables), ("unpartitioned", &evidence.gaps)] {
            self.space(None, kind, runs)?;
        }
        for problem in &evidence.problems {
            self.problem(None, problem.clone());
        }
        Ok(())
    }

    fn space(&mut self, volume: Option<i64>, kind: &str, runs: &[Run]) -> Result<()> {
        for run in runs {
            self.writer.space(&SpaceRow { volume, kind: kind.to_owned(), start: run.start, length: run.length })?;
        }
        Ok(())
    }

    /// Takes a problem for the list.
    pub fn problem(&mut self, volume: Option<i64>, problem: Problem) {
        let count = self.problem_counts.entry((volume, problem.layer, problem.code)).or_default();
        *count += 1;
        if *count <= LISTED_PROBLEMS {
            self.problems.push((volume, problem));
        }
    }

    /// A volume's walk is over.
    pub fn volume_done(
        &mut self,
        volume: i64,
        unallocated: std::result::Result<Vec<Run>, ReadError>,
        ended: Option<ReadError>,
    ) -> Result<()> {
        match unallocated {
            Ok(runs) => {
                self.counts.unallocated_bytes += runs.iter().map(|r| r.length).sum::<u64>();
                self.space(Some(volume), "unallocated", &runs)?;
            }
            Err(e) => {
                let detail = format!("the map of free space cannot be read: {}", e.detail);
                self.problem(Some(volume), Problem::new(e.layer, "free-space-unreadable", Some(e.offset), detail));
            }
        }
        if let Some(e) = ended {
            let detail = format!("the list of files ends here: {}", e.detail);
            self.problem(Some(volume), Problem::new(e.layer, "enumeration-ended", Some(e.offset), detail));
        }
        Ok(())
    }

    /// Writes a finished window.
    pub fn window(&mut self, window: &Window, found: Vec<Found>) -> Result<()> {
        for ((id, entry), one) in (window.first_id..).zip(&window.entries).zip(found) {
            self.entry(window.volume, window.parent.as_ref(), id, entry, one)?;
        }
        Ok(())
    }

    /// Takes what the databases of the camera roll say in all.
    pub fn camera(&mut self, counts: CameraCounts) {
        self.counts.camera = counts;
    }

    /// Takes note of what came of an archive.
    pub fn archive(&mut self, live: bool, outcome: Outcome) {
        let c = &mut self.counts.archives;
        match outcome {
            Outcome::Entered(kind, members) => {
                let (archives, listed) = c.entered.entry(kind).or_default();
                *archives += 1;
                *listed = listed.saturating_add(members);
            }
            Outcome::NotEntered(reason) => *c.not_entered.entry((live, reason)).or_default() += 1,
            Outcome::LeftOut => c.left_out += 1,
            Outcome::NotYet => c.not_yet += 1,
        }
    }

    fn entry(&mut self, volume: i64, parent: Option<&Parent>, id: i64, entry: &Entry, found: Found) -> Result<()> {
        // A recycle bin of the device is one of its volumes', not one that an archive holds a copy of.
        if parent.is_none() {
            self.recycle.note(volume, id, entry, found.recycle_record.as_deref());
        }
        if let Some(problem) = found.problem {
            self.problem(Some(volume), problem);
        }
        let differ = found.digests.map_or_else(String::new, |digests| self.stated(volume, entry, &digests));
        let live = parent.map_or(entry.state == AllocationState::Allocated, |p| p.live);
        // Nobody else lists what an archive holds.
        if parent.is_none()
            && let Some(ours) = &mut self.ours
        {
            let fs = usize::try_from(volume).ok().and_then(|v| self.evidence.volumes.get(v.checked_sub(1)?));
            let kind = match fs.map(|v| &v.state) {
                Some(VolumeState::Read { fs, .. }) => fs.facts().kind,
                _ => "",
            };
            let unreadable = found.unreadable.is_some() || matches!(entry.content, Content::Unreadable(_));
            ours.extend(Ours::of(volume, kind, entry, found.digests.map(|d| d.sha1), unreadable));
        }
        let format = found.format;
        let media = format.as_ref().map(|f| f.0);
        self.counts.waiting += u64::from(found.waits);
        // What was not read yet is one line of the statement, not a reason of the device.
        let failed = found.unreadable.as_deref().filter(|_| !found.waits);
        self.count(entry, live, found.digests.is_some(), failed, &found.hits);
        let unreadable = match &entry.content {
            Content::Unreadable(reason) => Some(reason.to_string()),
            _ => found.unreadable,
        };
        let t = &entry.times;
        let ns = |stamp: &Option<avocet_base::Stamp>| stamp.map(|s| s.ns);
        // Those of a member count within its archive, and not within the volume.
        let extents = if parent.is_some() { &[][..] } else { entry.content.extents() };
        let extents: Vec<ExtentRow> = extents
            .iter()
            .map(|e| ExtentRow {
                logical: e.logical,
                length: e.length,
                start: match e.location {
                    Location::At(offset) => Some(offset),
                    Location::Zero => None,
                },
            })
            .collect();
        let row = FileRow {
            id,
            volume,
            path: entry.path.clone(),
            stream: entry.stream.clone(),
            kind: entry.kind.as_str().to_owned(),
            state: entry.state.as_str().to_owned(),
            number: entry.number,
            size: entry.size,
            created: ns(&t.created),
            modified: ns(&t.modified),
            accessed: ns(&t.accessed),
            changed: ns(&t.changed),
            deleted: ns(&t.deleted),
            name_created: ns(&t.name_created),
            name_modified: ns(&t.name_modified),
            name_accessed: ns(&t.name_accessed),
            name_changed: ns(&t.name_changed),
            zone: zone_text(t),
            md5: found.digests.map(|d| d.md5),
            sha1: found.digests.map(|d| d.sha1),
            sha256: found.digests.map(|d| d.sha256),
            unreadable,
            media: media.map(|m| m.as_str().to_owned()),
            format: format.map(|f| f.1.into_owned()),
            note: entry
                .notes
                .iter()
                .map(Note::to_string)
                .chain([differ])
                .filter(|n| !n.is_empty())
                .collect::<Vec<_>>()
                .join("; "),
            parent: parent.map(|p| p.id),
        };
        self.writer.file(&row, &extents)?;
        // What one set lets be hidden, another may want to be seen.
        let may_hide = avocet_known::may_hide(&found.hits);
        for mut hit in found.hits {
            hit.may_hide &= may_hide;
            self.writer.hit(&match_row(id, hit))?;
        }
        if let Some(pictures) = &mut self.pictures {
            if let (Some(digests), Some(MediaKind::Picture)) = (found.digests, media) {
                pictures.file(id, digests.sha256, live);
            }
            if let Some(mut picture) = found.picture {
                pictures.take(&mut picture);
                self.writer.picture(&picture)?;
            }
        }
        Ok(())
    }

    /// Holds the digests that the evidence itself states of a content against those of its bytes; says what differs.
    fn stated(&mut self, volume: i64, entry: &Entry, digests: &Digests) -> String {
        let stated = entry.notes.iter().filter_map(|note| match note {
            Note::Stated(stated) => Some(stated),
            _ => None,
        });
        let (mut agree, mut differ) = (false, vec![]);
        for one in stated {
            let same = match one {
                Stated::Md5(md5) => *md5 == digests.md5,
                Stated::Sha1(sha1) => *sha1 == digests.sha1,
                Stated::Sha256(sha256) => *sha256 == digests.sha256,
            };
            if same { agree = true } else { differ.push(one.kind()) }
        }
        if differ.is_empty() {
            self.counts.stated += u64::from(agree);
            return String::new();
        }
        let kinds = differ.join(", ");
        let detail = format!("the bytes are not those of which the evidence states its {kinds}");
        self.problem(Some(volume), Problem::new(LAYER, STATED, None, detail).at_path(entry.full_path()));
        format!("DIFFERS from the stated {kinds}")
    }

    fn count(&mut self, entry: &Entry, live: bool, digested: bool, unreadable: Option<&str>, hits: &[Hit]) {
        let c = &mut self.counts;
        // A stream is one whatever it hangs on; a folder's stream is not a second folder.
        match entry.kind {
            EntryKind::File if entry.state == AllocationState::Embedded => c.embedded += 1,
            _ if entry.state == AllocationState::Embedded => {}
            _ if entry.stream.is_some() => c.streams += 1,
            EntryKind::File => c.files += 1,
            EntryKind::Directory => c.directories += 1,
            EntryKind::Link => c.links += 1,
            EntryKind::Special => c.others += 1,
        }
        let names = entry.notes.iter().any(|n| matches!(n, Note::HardLinks(n) if *n > 1));
        c.hard_linked += u64::from(entry.stream.is_none() && names);
        if digested {
            c.digested += 1;
            c.digested_bytes = c.digested_bytes.saturating_add(entry.size);
        }
        c.alerting_files += u64::from(hits.iter().any(|h| h.alerts));
        c.reused += u64::from(entry.notes.iter().any(|n| matches!(n, Note::ClustersReused { .. })));
        c.guessed +=
            u64::from(entry.notes.iter().any(|n| matches!(n, Note::AssumedContiguous | Note::AssumedNextFree)));
        let reason = match &entry.content {
            Content::Unreadable(reason) => Some(reason_class(reason)),
            _ => unreadable.map(|_| "the bytes cannot be read"),
        };
        if let Some(reason) = reason {
            *c.unreadable.entry((live, reason.to_owned())).or_default() += 1;
        }
    }

    /// Asks for the second opinion; its differences are problems like any other.
    pub fn second_opinion(&mut self, options: &Options) {
        let (Some(corroborate), Some(ours)) = (&options.corroborate, self.ours.take()) else { return };
        let mut opinion = corroborate.compare(self.evidence, ours);
        let differences = std::mem::take(&mut opinion.differences);
        opinion.count = differences.len() as u64;
        for (volume, problem) in differences {
            self.problem(Some(volume), problem);
        }
        self.opinion = Some(opinion);
    }

    /// Writes what is only known at the end, and seals.
    pub fn finish(mut self, image: ImageDigests, options: &Options, small_pictures: Option<u64>) -> Result<Examined> {
        for run in &image.damaged {
            let detail =
                format!("{} of the image cannot be read: a stored checksum does not agree", size_text(run.length));
            self.problem(None, Problem::new("image", "image-damaged", Some(run.start), detail));
        }
        self.evidence_row(&image, options)?;
        let recycle = std::mem::take(&mut self.recycle);
        if recycle.unreadable > 0 {
            let detail = format!(
                "{} could not be understood",
                plural(recycle.unreadable, "recycle-bin record", "recycle-bin records")
            );
            self.problem(None, Problem::new("recycle-bin", "record-not-understood", None, detail));
        }
        for pair in recycle.pairs() {
            self.writer.original(&OriginalRow {
                file_id: pair.file,
                original_path: pair.info.original_path,
                deleted_ns: pair.info.deleted.map(|s| s.ns),
                info_file_id: pair.info_file,
            })?;
        }
        if let Some(pictures) = &mut self.pictures {
            for group in pictures.groups()? {
                self.writer.group(&group)?;
            }
        }
        let unreadable_parts = self.statement(&image, small_pictures)?;
        self.write_problems()?;
        let sealed = self.writer.seal(options.key.as_ref())?;
        Ok(Examined { sealed, alerting_files: self.counts.alerting_files, unreadable_parts, verdict: image.verdict })
    }

    fn evidence_row(&mut self, image: &ImageDigests, options: &Options) -> Result<()> {
        let container = self.evidence.container.as_ref();
        let (stored_md5, stored_sha1) = container.map_or((None, None), |c| c.stored_digests());
        let mut facts = vec![("partition scheme".to_owned(), self.evidence.scheme.to_owned())];
        if let Some(ewf) = container.and_then(|c| c.ewf.as_ref()) {
            facts.extend(ewf.facts().header.iter().cloned());
        }
        facts.extend(self.evidence.device.iter().cloned());
        self.writer.evidence(&EvidenceRow {
            kind: self.evidence.kind.to_owned(),
            media_size: self.evidence.source().map_or(0, |s| s.len()),
            exhibit: Some(options.exhibit.to_string()),
            segments: container.map_or(0, |c| c.segments.len() as u64),
            stored_md5,
            stored_sha1,
            md5: image.md5,
            sha1: image.sha1,
            sha256: image.sha256,
            verdict: image.verdict.as_str().to_owned(),
            facts,
        })?;
        Ok(())
    }

    /// The completeness statement, worst first. Returns whether something that should have been read was not.
    fn statement(&mut self, image: &ImageDigests, small_pictures: Option<u64>) -> Result<bool> {
        let mut lines = Statement::default();
        if self.interim {
            lines.interim(&self.counts);
            self.writer.config(avocet_examination::INTERIM, &self.counts.how_far())?;
        }
        if let Some(opinion) = &self.opinion {
            lines.second_opinion(opinion);
        }
        lines.image(self.evidence, image);
        lines.volumes(self.evidence);
        lines.unreadable(&self.counts.unreadable);
        lines.problems(&self.problem_counts);
        lines.space(self.evidence, &self.counts);
        lines.archives(&self.counts);
        lines.camera(self.counts.camera);
        lines.files(&self.counts);
        lines.pictures(self.pictures.as_ref(), small_pictures);
        if let Some((confinement, known_hashes)) = &self.confinement {
            lines.confinement(confinement);
            lines.near(*known_hashes, self.pictures.as_ref().map_or(0, |p| p.near));
        }
        lines.known(self.known);
        Ok(lines.write(&mut self.writer)?)
    }

    fn write_problems(&mut self) -> Result<()> {
        let mut problems = std::mem::take(&mut self.problems);
        problems.sort_by(|(va, a), (vb, b)| {
            (va, a.layer, a.code, a.offset, &a.path, &a.detail)
                .cmp(&(vb, b.layer, b.code, b.offset, &b.path, &b.detail))
        });
        for (seq, (volume, p)) in (1i64..).zip(problems) {
            self.writer.problem(&ProblemRow {
                seq,
                volume,
                layer: p.layer.to_owned(),
                code: p.code.to_owned(),
                offset: p.offset,
                path: p.path,
                detail: p.detail,
            })?;
        }
        Ok(())
    }
}

/// A set's number in the result, from 1.
pub(crate) fn set_id(index: usize) -> i64 {
    i64::try_from(index).unwrap_or(i64::MAX).saturating_add(1)
}

/// A set as the result names it.
pub(crate) fn known_set_row(set: &SetInfo) -> KnownSetRow {
    KnownSetRow {
        id: set_id(set.id),
        name: set.name.clone(),
        version: set.version.map_or_else(String::new, |v| v.to_string()),
        format: set.format.clone(),
        source_sha256: Some(set.sha256),
        set_sha256: Some(set.digest),
        scheme: set.scheme.as_str().to_owned(),
        scheme_version: set.scheme_version.clone(),
        scheme_digest: Some(set.scheme_digest),
        records_kept: set.kept,
        rejected: set.rejected.iter().map(|t| t.count).sum(),
    }
}

pub(crate) fn match_row(file_id: i64, hit: Hit) -> MatchRow {
    MatchRow {
        file_id,
        set_id: set_id(hit.set),
        record: hit.record,
        basis: hit.basis.to_string(),
        category: hit.category,
        meaning: hit.meaning,
        alerts: hit.alerts,
        hides: hit.may_hide,
        series: hit.series,
    }
}

/// One word where every time of an entry claims the same zone, else the zone of each.
fn zone_text(times: &Times) -> String {
    let named = [
        ("created", times.created),
        ("modified", times.modified),
        ("accessed", times.accessed),
        ("changed", times.changed),
        ("deleted", times.deleted),
    ];
    let mut zones = named.iter().filter_map(|(name, stamp)| stamp.map(|s| (name, s.zone)));
    let Some((_, first)) = zones.next() else { return String::new() };
    if zones.all(|(_, zone)| zone == first) {
        return first.to_string();
    }
    let each = named.iter().filter_map(|(name, stamp)| stamp.map(|s| format!("{name} {}", s.zone)));
    each.collect::<Vec<_>>().join(", ")
}

fn reason_class(reason: &Unreadable) -> &'static str {
    match reason {
        Unreadable::Encrypted(_) => "encrypted",
        Unreadable::StoredElsewhere(_) => "stored elsewhere",
        Unreadable::NoLocation => "location no longer recorded",
        Unreadable::Corrupt(_) => "metadata corrupt",
        Unreadable::Unsupported(_) => "storage form not supported",
        Unreadable::Capped => "more deleted data claimed than the volume can hold",
        Unreadable::NotHeld => "listed, not held",
        Unreadable::ArchiveLimit => "more than is read of one archive",
    }
}
