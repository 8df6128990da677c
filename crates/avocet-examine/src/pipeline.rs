//! Enumerate, plan, read, digest, match, write: the threads and the order between them.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use avocet_base::ExhibitRef;
use avocet_evidence::embedded::Archive;
use avocet_evidence::scratch::Scratch;
use avocet_evidence::{Entry, Evidence, MemorySource, Problem, ReadError, Run, VisitResult, Visitor, VolumeState};
use avocet_examination::{Sealed, SigningKey, WriteError};
use avocet_known::KnownSets;
use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

use crate::archives::{self, BATCH, Budgets, Members, Node, Outcome, Parent};
use crate::camera::{CameraCounts, CameraRoll};
use crate::corroborate::Corroborate;
use crate::image::{DigestVerdict, ImageDigests, Wanted, check_image};
use crate::journal::{Journal, JournalError, evidence_mark};
use crate::pictures::{Describing, Media, Near, Trouble};
use crate::progress::{Progress, Stage};
use crate::tasks::{Found, Task, Window, Worker, plan, wait_for_the_rest};
use crate::write::Recorder;

/// Entries of one window.
const WINDOW: usize = 4096;
/// Windows enumerated and not yet written.
const WINDOWS_IN_FLIGHT: usize = 12;

/// What an examination is to do.
pub struct Options {
    /// The exhibit's reference, as on its label.
    pub exhibit: ExhibitRef,
    /// Where the sealed result goes.
    pub out: PathBuf,
    /// Whether the digests of the whole image are taken and compared with the stored ones.
    pub image_digest: bool,
    /// Worker threads.
    pub threads: NonZeroUsize,
    /// How pictures are described; `None` where they are not to be.
    pub media: Option<Media>,
    /// Signs the seal, where given.
    pub key: Option<SigningKey>,
    /// Whether archives among the files are entered.
    pub archives: bool,
    /// Where bytes go that have to be unpacked.
    pub scratch: Arc<dyn Scratch>,
    /// Facts for the unhashed record of the run: host, user, times, paths as typed.
    pub run: Vec<(String, String)>,
    /// A second opinion, where one is wanted.
    pub corroborate: Option<Corroborate>,
    /// What lets another run finish this one; `None` where nothing is to be left of an examination that fails. One that
    /// is only [watched](Journal::watch) makes this an interim result: nothing is read but what it says.
    pub journal: Option<Journal>,
    /// What else an examination that is gone on with must have been begun with, such as the program itself.
    pub begun_with: Vec<(String, String)>,
}

/// Why an examination could not be finished. Nothing that could be mistaken for a result is left behind.
#[derive(Debug, thiserror::Error)]
pub enum ExamineError {
    /// The result could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A known set could not be asked: nothing may be taken for unknown then.
    #[error("a known set cannot be asked: {0}. No result was written")]
    Known(#[from] avocet_known::KnownError),
    /// The small pictures could not be stored.
    #[error("the small pictures cannot be stored: {0}. No result was written")]
    Derivatives(#[from] avocet_media::derivative::DerivativeError),
    /// The hashes of pictures could not be compared.
    #[error("pictures cannot be compared: {0}. No result was written")]
    Near(#[from] avocet_near::NearError),
    /// The earlier examination of a rematch could not be read.
    #[error(transparent)]
    Earlier(#[from] avocet_examination::ReadError),
    /// The journal cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A worker ended without its result, which is a defect of this program.
    #[error("a worker ended early; this is a defect of this program, please report it. No result was written")]
    Worker,
}

/// A finished examination.
#[derive(Debug)]
pub struct Examined {
    /// The seal.
    pub sealed: Sealed,
    /// Files that match a record whose category alerts.
    pub alerting_files: u64,
    /// Whether something that should have been read could not be.
    pub unreadable_parts: bool,
    /// The verdict on the whole image.
    pub verdict: DigestVerdict,
}

impl From<Trouble> for ExamineError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Known(e) => e.into(),
            Trouble::Derivatives(e) => e.into(),
            Trouble::Journal(e) => e.into(),
        }
    }
}

/// What the enumerator and the workers tell the writer. One channel carries it all, and a window is sent before its
/// tasks are, so that it always arrives before their results.
enum Event {
    /// A window was enumerated and split into so many tasks.
    Window(Arc<Window>, usize),
    /// A task of the window with this number is done; `true` where it was read in this run.
    Done(u64, Vec<(usize, Found)>, bool),
    /// A known set cannot answer, or the small pictures cannot be stored.
    Trouble(Trouble),
    /// A reader reports a problem in a volume.
    Problem(i64, Problem),
    /// What came of an archive in a volume, and whether it belongs to a live file.
    Archive(bool, Outcome),
    /// What the databases of the camera roll say in all.
    Camera(CameraCounts),
    /// A thread ended by a panic: what it was to do will not come.
    Lost,
    /// A volume has been walked: its unallocated runs, and why the walk ended early if it did.
    VolumeDone(i64, Result<Vec<Run>, ReadError>, Option<ReadError>),
}

/// Says so when the thread that holds it ends by a panic: otherwise the writer would wait for its results for ever.
struct Lifeline(Sender<Event>);

impl Drop for Lifeline {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = self.0.send(Event::Lost);
        }
    }
}

/// Collects entries into windows and hands them out.
struct Enumerator<'a, 'd> {
    tasks: &'a Sender<Task>,
    events: &'a Sender<Event>,
    permits: &'a Receiver<()>,
    stop: &'a AtomicBool,
    before: Before<'a, 'd>,
    source: Arc<dyn avocet_evidence::Source>,
    volume: i64,
    parent: Option<Parent>,
    camera: CameraRoll,
    next_id: i64,
    next_window: u64,
    entries: Vec<Entry>,
}

impl Enumerator<'_, '_> {
    /// Sends the collected entries off; `Break` when nobody listens any more.
    fn flush(&mut self) -> VisitResult {
        if self.entries.is_empty() {
            return VisitResult::Continue(());
        }
        if self.stop.load(Ordering::Relaxed) || self.permits.recv().is_err() {
            return VisitResult::Break(());
        }
        let entries = std::mem::replace(&mut self.entries, Vec::with_capacity(WINDOW));
        let count = entries.len();
        let window = Arc::new(Window {
            number: self.next_window,
            first_id: self.next_id,
            volume: self.volume,
            source: Arc::clone(&self.source),
            entries,
            parent: self.parent.clone(),
        });
        self.next_window += 1;
        self.next_id += i64::try_from(count).unwrap_or(i64::MAX);
        let earlier = match self.before.window(&window) {
            Ok(earlier) => earlier,
            Err(e) => {
                let _ = self.events.send(Event::Trouble(e.into()));
                return VisitResult::Break(());
            }
        };
        let tasks = plan(&window, earlier);
        if self.events.send(Event::Window(window, tasks.len())).is_err() {
            return VisitResult::Break(());
        }
        for task in tasks {
            if self.tasks.send(task).is_err() {
                return VisitResult::Break(());
            }
        }
        VisitResult::Continue(())
    }
}

impl Visitor for Enumerator<'_, '_> {
    fn entry(&mut self, mut entry: Entry) -> VisitResult {
        if self.parent.is_none() {
            self.camera.note(self.volume, &mut entry);
        }
        self.entries.push(entry);
        if self.entries.len() >= WINDOW { self.flush() } else { VisitResult::Continue(()) }
    }

    fn problem(&mut self, problem: Problem) {
        // Nobody listening means that the writer failed, and its error is the one to report.
        let _ = self.events.send(Event::Problem(self.volume, problem));
    }
}

/// What an earlier run found out.
#[derive(Clone, Copy)]
struct Before<'a, 'd> {
    journal: Option<&'a Journal>,
    describing: Option<&'a Describing<'d>>,
}

impl Before<'_, '_> {
    /// The entries of a window that need not be read again; all of them for an interim result, which reads none.
    fn window(&self, window: &Window) -> Result<BTreeMap<usize, Found>, JournalError> {
        let Some(journal) = self.journal else { return Ok(BTreeMap::new()) };
        let found = journal.window(window)?.into_iter();
        let mut all = match self.describing {
            Some(describing) => found.filter_map(|(i, one)| Some((i, describing.settle(one)?))).collect(),
            None => found.collect(),
        };
        if self.interim() {
            wait_for_the_rest(window, &mut all);
        }
        Ok(all)
    }

    /// Whether another run's journal is all that is read.
    fn interim(&self) -> bool {
        self.journal.is_some_and(Journal::is_watched)
    }
}

impl Members for Enumerator<'_, '_> {
    fn begin(&mut self, archive: &Archive) {
        self.source = Arc::clone(&archive.source);
    }

    fn member(&mut self, entry: Entry) -> VisitResult {
        self.entry(entry)
    }

    fn problem(&mut self, problem: Problem) {
        Visitor::problem(self, problem);
    }
}

/// What the enumerator has to do its work with.
struct Reach<'a, 'd> {
    evidence: &'a Evidence,
    before: Before<'a, 'd>,
    options: &'a Options,
    tasks: &'a Sender<Task>,
    events: &'a Sender<Event>,
    permits: &'a Receiver<()>,
    /// The archives of every window that was written, in the order of the windows.
    archives: &'a Receiver<Vec<Node>>,
    stop: &'a AtomicBool,
    progress: &'a dyn Progress,
}

/// Walks every volume that can be read, then the archives among the files.
fn enumerate(reach: &Reach<'_, '_>) {
    let Reach { evidence, before, tasks, events, permits, stop, progress, .. } = *reach;
    let mut enumerator = Enumerator {
        tasks,
        events,
        permits,
        stop,
        before,
        source: Arc::new(MemorySource::default()),
        volume: 0,
        parent: None,
        camera: CameraRoll::read(evidence, &reach.options.scratch),
        next_id: 1,
        next_window: 0,
        entries: Vec::with_capacity(WINDOW),
    };
    for (volume_id, volume) in (1..).zip(&evidence.volumes) {
        let VolumeState::Read { fs, source } = &volume.state else { continue };
        let unallocated = fs.unallocated();
        let free: u64 = unallocated.as_ref().map_or(0, |runs| runs.iter().map(|r| r.length).sum());
        progress.stage(Stage::Volume { name: &volume.name, bytes: volume.length.saturating_sub(free) });
        (enumerator.source, enumerator.volume) = (Arc::clone(source), volume_id);
        let ended = fs.walk(&mut enumerator).err();
        if enumerator.flush().is_break() || events.send(Event::VolumeDone(volume_id, unallocated, ended)).is_err() {
            return;
        }
    }
    let problems = std::mem::take(&mut enumerator.camera.problems);
    let told = problems.into_iter().map(|(volume, problem)| Event::Problem(volume, problem));
    for event in told.chain([Event::Camera(enumerator.camera.counts())]) {
        if events.send(event).is_err() {
            return;
        }
    }
    // Whoever does not listen any more reports its own error.
    let _ = enter_archives(reach, &mut enumerator);
}

/// Enters the archives among the files, and those in them. An error where nobody listens any more.
fn enter_archives(reach: &Reach<'_, '_>, enumerator: &mut Enumerator<'_, '_>) -> Result<(), ()> {
    let mut seen = 0;
    // The archives of all windows that were enumerated up to now and not asked for yet: waits until they were read.
    let mut waiting = |windows: u64| -> Result<Vec<Node>, ()> {
        let mut nodes = vec![];
        while seen < windows {
            nodes.extend(reach.archives.recv().map_err(|_| ())?);
            seen += 1;
        }
        Ok(nodes)
    };
    let outcome = |live, outcome| reach.events.send(Event::Archive(live, outcome)).map_err(|_| ());
    let mut roots = waiting(enumerator.next_window)?;
    if !reach.options.archives {
        return roots.iter().try_for_each(|node| outcome(node.live, Outcome::LeftOut));
    }
    // Entering them means reading them.
    if reach.before.interim() {
        return roots.iter().try_for_each(|node| outcome(node.live, Outcome::NotYet));
    }
    if !roots.is_empty() {
        let bytes = roots.iter().map(|n| n.entry.size).sum();
        reach.progress.stage(Stage::Volume { name: "archives", bytes });
    }
    let mut budgets = Budgets::default();
    while !roots.is_empty() {
        let rest = roots.split_off(roots.len().min(BATCH));
        let mut level = std::mem::replace(&mut roots, rest);
        // What is nested is entered before further archives are, so that what was unpacked for it does not pile up.
        while !level.is_empty() {
            for node in level {
                enumerator.volume = node.volume;
                enumerator.parent =
                    Some(Parent { id: node.id, root: node.root, live: node.live, lineage: node.lineage.clone() });
                let done = archives::enter(&node, &mut budgets, &reach.options.scratch, enumerator)?;
                if enumerator.flush().is_break() {
                    return Err(());
                }
                outcome(node.live, done)?;
            }
            level = waiting(enumerator.next_window)?;
        }
        budgets.clear();
    }
    Ok(())
}

/// A window on its way to the writer.
struct Pending {
    window: Arc<Window>,
    found: Vec<Found>,
    tasks_left: usize,
}

/// Takes events in whatever order they come and writes windows in the order of enumeration.
fn write_all(
    recorder: &mut Recorder,
    before: Before<'_, '_>,
    events: &Receiver<Event>,
    permits: &Sender<()>,
    archives: &Sender<Vec<Node>>,
) -> Result<(), ExamineError> {
    let mut pending: BTreeMap<u64, Pending> = BTreeMap::new();
    let mut next = 0u64;
    for event in events {
        match event {
            Event::Window(window, tasks_left) => {
                let found = std::iter::repeat_with(Found::default).take(window.entries.len()).collect();
                pending.insert(window.number, Pending { window, found, tasks_left });
            }
            Event::Done(number, results, fresh) => {
                let window = pending.get_mut(&number).ok_or(ExamineError::Worker)?;
                if let Some(journal) = before.journal.filter(|_| fresh) {
                    journal.done(&window.window, &results)?;
                    if journal.sync_due() {
                        // The small pictures first: what the journal says is there must be.
                        before.describing.map_or(Ok(()), Describing::sync)?;
                        journal.sync()?;
                    }
                }
                for (i, one) in results {
                    if let Some(slot) = window.found.get_mut(i) {
                        *slot = one;
                    }
                }
                window.tasks_left = window.tasks_left.saturating_sub(1);
            }
            Event::Trouble(trouble) => return Err(trouble.into()),
            Event::Archive(live, outcome) => recorder.archive(live, outcome),
            Event::Camera(counts) => recorder.camera(counts),
            Event::Lost => return Err(ExamineError::Worker),
            Event::Problem(volume, problem) => recorder.problem(Some(volume), problem),
            Event::VolumeDone(volume, free, ended) => recorder.volume_done(volume, free, ended)?,
        }
        while pending.get(&next).is_some_and(|p| p.tasks_left == 0) {
            let Some(done) = pending.remove(&next) else { break };
            let nodes = archives::nodes(&done.window, &done.found);
            recorder.window(&done.window, done.found)?;
            // The enumerator may have ended already.
            let _ = archives.send(nodes);
            let _ = permits.send(());
            next += 1;
        }
    }
    if pending.is_empty() { Ok(()) } else { Err(ExamineError::Worker) }
}

/// Examines one exhibit and seals the result.
///
/// # Errors
/// [`ExamineError`]; nothing that could be mistaken for a result is left at `options.out`.
pub fn examine(
    evidence: &Evidence,
    known: &KnownSets,
    mut options: Options,
    progress: &dyn Progress,
) -> Result<Examined, ExamineError> {
    let mut media = options.media.take();
    let radius = media.as_ref().map_or(0, |m| m.radius);
    let near = if media.is_some() { Some(Near::build(known, radius)?) } else { None };
    let journal = options.journal.take();
    let interim = journal.as_ref().is_some_and(Journal::is_watched);
    let small = match &journal {
        Some(journal) if interim => journal.setting(PICTURES) == Some(WITH_SMALL_ONES),
        _ => media.as_ref().is_some_and(|m| m.derivatives.is_some()),
    };
    let begun_with = begun_with(evidence, &options, media.as_ref(), small);
    let bound = journal.as_ref().map_or(Ok(()), |j| j.bind(&begun_with));
    let options = &options;
    let known_hashes = near.as_ref().map_or(0, Near::len);
    let examined = bound.map_err(Into::into).and_then(|()| {
        let journal = journal.as_ref();
        if journal.is_some_and(Journal::is_resumed) && !interim {
            avocet_examination::clear_unfinished(&options.out)?;
        }
        if let Some(store) = media.as_mut().and_then(|m| m.derivatives.as_mut()).filter(|_| journal.is_some()) {
            store.keep_unfinished()?;
        }
        let mut recorder = Recorder::create(evidence, known, options, media.as_ref(), known_hashes, interim)?;
        let image = read(evidence, known, options, (&mut media, near.as_ref()), journal, &mut recorder, progress)?;
        if options.corroborate.is_some() && !interim {
            progress.stage(Stage::SecondOpinion);
            recorder.second_opinion(options);
        }
        progress.stage(Stage::Seal);
        let finished = media.and_then(|m| m.derivatives).map(|store| store.finish()).transpose()?;
        let stored = || journal.filter(|_| interim && small).map(|j| j.stored().len() as u64);
        recorder.finish(image, options, finished.map(|f| f.items).or_else(stored))
    });
    if examined.is_ok() {
        journal.into_iter().for_each(Journal::finish);
    }
    examined
}

const PICTURES: &str = "setting_for_pictures";
const WITH_SMALL_ONES: &str = "described";

/// What decides the result beside the known sets, which are asked anew: another run must have been begun with the same.
fn begun_with(evidence: &Evidence, options: &Options, media: Option<&Media>, small: bool) -> Vec<(String, String)> {
    let pictures = match media {
        None => "not described",
        Some(_) if small => WITH_SMALL_ONES,
        Some(_) => "described, without small ones",
    };
    let confinement = media.map_or_else(String::new, |m| m.decoders.confinement().sentences().join(" "));
    let mut all = options.begun_with.clone();
    all.extend(
        [
            ("evidence", evidence_mark(evidence)),
            ("exhibit", options.exhibit.to_string()),
            ("setting_for_the_image_digest", options.image_digest.to_string()),
            ("setting_for_archives", options.archives.to_string()),
            (PICTURES, pictures.to_owned()),
            ("confinement_of_the_workers", confinement),
            ("second_opinion", options.corroborate.as_ref().map_or_else(String::new, |c| c.program.to_string())),
        ]
        .map(|(key, value)| (key.to_owned(), value)),
    );
    all
}

/// Reads everything and records it; gives the digests of the whole image.
fn read(
    evidence: &Evidence,
    known: &KnownSets,
    options: &Options,
    (media, near): (&mut Option<Media>, Option<&Near<'_>>),
    journal: Option<&Journal>,
    recorder: &mut Recorder<'_>,
    progress: &dyn Progress,
) -> Result<ImageDigests, ExamineError> {
    let describing = match (media, near) {
        (Some(media), Some(near)) => {
            let store = media.derivatives.as_mut();
            Some(Describing::new(&media.decoders, near, store, journal, &media.stored))
        }
        _ => None,
    };
    let describing = describing.as_ref();
    let before = Before { journal, describing };
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (task_tx, task_rx) = bounded::<Task>(options.threads.get() * 2);
        let (event_tx, event_rx) = unbounded();
        let (permit_tx, permit_rx) = unbounded();
        let (archive_tx, archive_rx) = unbounded();
        for _ in 0..WINDOWS_IN_FLIGHT {
            let _ = permit_tx.send(());
        }
        let mut threads = vec![];
        for _ in 0..options.threads.get() {
            let (tasks, events) = (task_rx.clone(), event_tx.clone());
            let stop = &stop;
            threads.push(scope.spawn(move || {
                let _lifeline = Lifeline(events.clone());
                let mut worker = Worker::new(known, describing, progress);
                for task in tasks {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let (number, fresh) = (task.window.number, task.earlier.is_empty());
                    let event = match worker.work(task) {
                        Ok(found) => Event::Done(number, found, fresh),
                        Err(trouble) => Event::Trouble(trouble),
                    };
                    if events.send(event).is_err() {
                        return;
                    }
                }
            }));
        }
        drop(task_rx);
        let image = scope.spawn({
            let stop = &stop;
            move || {
                if let Some(image) = journal.and_then(Journal::image) {
                    progress.add_image(image.bytes);
                    return Ok(image.clone());
                }
                if before.interim() {
                    return Ok(not_yet(evidence, options));
                }
                let image = whole_image(evidence, options, stop, progress);
                // A digest that was ended early is none.
                if let Some(journal) = journal.filter(|_| !stop.load(Ordering::Relaxed)) {
                    journal.image_done(&image)?;
                }
                Ok::<_, JournalError>(image)
            }
        });
        threads.push(scope.spawn({
            let stop = &stop;
            move || {
                let _lifeline = Lifeline(event_tx.clone());
                enumerate(&Reach {
                    evidence,
                    before,
                    options,
                    tasks: &task_tx,
                    events: &event_tx,
                    permits: &permit_rx,
                    archives: &archive_rx,
                    stop,
                    progress,
                });
            }
        }));
        let written = write_all(recorder, before, &event_rx, &permit_tx, &archive_tx);
        if written.is_err() {
            stop.store(true, Ordering::Relaxed);
            drop((event_rx, permit_tx, archive_tx));
        } else {
            progress.stage(Stage::Image);
        }
        let image = image.join().map_err(|_| ExamineError::Worker).and_then(|image| Ok(image?));
        // A thread that is not joined here would carry its panic on to the caller, so none is left out.
        let mut lost = false;
        for thread in threads {
            lost |= thread.join().is_err();
        }
        if lost { Err(ExamineError::Worker) } else { written.and(image) }
    })
}

/// What an interim result says where the journal has no digest of the whole image.
fn not_yet(evidence: &Evidence, options: &Options) -> ImageDigests {
    ImageDigests::without(match &evidence.container {
        None => DigestVerdict::NotApplicable,
        Some(_) if options.image_digest => DigestVerdict::NotYet,
        Some(_) => DigestVerdict::NotTaken,
    })
}

/// The digests of the whole image, where they are asked for. A stop means that writing failed: that error is reported.
fn whole_image(evidence: &Evidence, options: &Options, stop: &AtomicBool, progress: &dyn Progress) -> ImageDigests {
    match &evidence.container {
        None => ImageDigests::without(DigestVerdict::NotApplicable),
        Some(_) if !options.image_digest => ImageDigests::without(DigestVerdict::NotTaken),
        Some(opened) => check_image(opened, Wanted::All, options.threads.get(), stop, progress)
            .unwrap_or_else(|| ImageDigests::without(DigestVerdict::NotTaken)),
    }
}
