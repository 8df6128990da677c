//! Long work that is started here and done by the program itself as another process: examinations, work on known sets.
//! One at a time, in the order in which they were asked for; an interim result is made beside the examination that it is of.
//! They are kept in memory; what they made stays in its folder.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use avocet_base::Sha256;
use avocet_record::{At, ExhibitId, InvestigationId, UserId};
use serde::Deserialize;

/// Jobs that are remembered; of those that ended the oldest are forgotten first.
const REMEMBERED: usize = 200;
/// Lines of what the process said that are kept.
const SAID: usize = 6;
/// Bytes of its answer that are kept of work on known sets.
const ANSWER: u64 = 64 * 1024;

/// What is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// An evidence source is examined.
    Examination {
        /// For which investigation.
        investigation: InvestigationId,
        /// Of which exhibit.
        exhibit: ExhibitId,
        /// Where the result goes.
        out: PathBuf,
        /// What the program was told, without the verb: an interim result is made with the very same settings.
        settings: Vec<OsString>,
    },
    /// What an examination has read so far is sealed beside it, so that it can be graded before the examination ends.
    Interim {
        /// For which investigation.
        investigation: InvestigationId,
        /// Of which exhibit.
        exhibit: ExhibitId,
        /// The job that examines.
        of: u64,
        /// Where the interim result goes.
        out: PathBuf,
    },
    /// A known set is imported.
    Import {
        /// Under which name.
        name: String,
    },
    /// Something else is done with known sets; its answer is kept to be read.
    Sets {
        /// What is done, as a heading.
        title: String,
    },
}

/// How far an examination is, as it says itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Far {
    /// What it does now.
    pub stage: String,
    /// In which volume.
    pub volume: String,
    /// Files done.
    pub files: u64,
    /// Bytes done.
    pub bytes: u64,
    /// Bytes in all, as far as it is known.
    pub of: u64,
}

#[derive(Deserialize)]
struct ProgressLine {
    progress: Far,
}

/// Said before the key of small pictures is made.
#[derive(Deserialize)]
struct KeyLine {
    small_pictures: Sha256,
}

/// Where a job stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Others come first.
    Waiting,
    /// It runs.
    Running,
    /// It ended well; the exit status of the program, in which 3 is alerts and 4 parts that could not be read.
    Done(i32),
    /// It did not end well, and what it said.
    Failed(String),
    /// Somebody stopped it.
    Stopped,
}

impl State {
    /// Whether nothing more happens.
    pub fn has_ended(&self) -> bool {
        !matches!(self, State::Waiting | State::Running)
    }
}

/// A job as a page sees it.
#[derive(Debug, Clone)]
pub struct Job {
    /// Its number.
    pub number: u64,
    /// What is done.
    pub work: Work,
    /// Who asked for it.
    pub by: UserId,
    /// When.
    pub asked: At,
    /// Where it stands.
    pub state: State,
    /// How far it is.
    pub far: Far,
    /// For how long it runs, or ran.
    pub ran: Duration,
    /// What it answered, of work on known sets.
    pub answer: String,
    /// What names the small pictures that it makes, and their key, once it has said so.
    pub small: Option<Sha256>,
}

impl Job {
    /// How long it will take yet, at the rate so far.
    pub fn left(&self) -> Option<Duration> {
        let (done, all) = (self.far.bytes, self.far.of);
        if self.state != State::Running || done == 0 || all <= done || self.ran < Duration::from_secs(3) {
            return None;
        }
        let share = (all.saturating_sub(done)) as f64 / done as f64;
        Some(self.ran.mul_f64(share.min(1e6)))
    }
}

struct Kept {
    job: Job,
    began: Option<Instant>,
    process: Option<Arc<Mutex<Child>>>,
    /// Whether everything that it said was heard.
    heard: bool,
    hide: Vec<(String, &'static str)>,
}

type Line = Option<Sender<(u64, Command)>>;

#[derive(Default)]
struct All {
    last: u64,
    jobs: Vec<Kept>,
    queue: Line,
    /// Interim results, which do not wait for what they are of.
    beside: Line,
}

/// What an interim result is made with.
pub struct Interim {
    /// What is done: [`Work::Interim`].
    pub work: Work,
    /// The program.
    pub command: Command,
    /// What is replaced in whatever it says.
    pub hide: Vec<(String, &'static str)>,
}

/// Every job since the server began.
#[derive(Clone, Default)]
pub struct Jobs(Arc<Mutex<All>>);

impl std::fmt::Debug for Jobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Jobs")
    }
}

impl Jobs {
    fn all(&self) -> MutexGuard<'_, All> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts work at the end of the line, and answers its number. What is in `hide` is replaced in whatever the process says.
    pub fn add(&self, work: Work, by: UserId, asked: At, command: Command, hide: Vec<(String, &'static str)>) -> u64 {
        self.put(&mut self.all(), work, by, asked, command, hide)
    }

    /// Has an interim result made of the examination with the number `of`, beside whatever runs. `make` is told how many
    /// were asked for before. `None` where one is being made: then it is waited for.
    pub fn add_interim(&self, of: u64, by: UserId, asked: At, make: impl FnOnce(usize) -> Interim) -> Option<u64> {
        let mut all = self.all();
        let is_one = |kept: &&Kept| matches!(&kept.job.work, Work::Interim { of: its, .. } if *its == of);
        let (before, ended) = all
            .jobs
            .iter()
            .filter(is_one)
            .fold((0usize, true), |(n, ended), kept| (n.saturating_add(1), ended && kept.job.state.has_ended()));
        if !ended {
            return None;
        }
        let Interim { work, command, hide } = make(before);
        Some(self.put(&mut all, work, by, asked, command, hide))
    }

    fn put(
        &self,
        all: &mut All,
        work: Work,
        by: UserId,
        asked: At,
        command: Command,
        hide: Vec<(String, &'static str)>,
    ) -> u64 {
        all.last = all.last.saturating_add(1);
        let number = all.last;
        let is_beside = matches!(work, Work::Interim { .. });
        let (state, far, ran) = (State::Waiting, Far::default(), Duration::ZERO);
        let job = Job { number, work, by, asked, state, far, ran, answer: String::new(), small: None };
        all.jobs.push(Kept { job, began: None, process: None, heard: false, hide });
        let ended = all.jobs.iter().filter(|kept| kept.job.state.has_ended()).count();
        if ended > REMEMBERED
            && let Some(oldest) = all.jobs.iter().position(|kept| kept.job.state.has_ended())
        {
            all.jobs.remove(oldest);
        }
        let line = if is_beside { &mut all.beside } else { &mut all.queue };
        let line = line.get_or_insert_with(|| {
            let (give, take) = channel::<(u64, Command)>();
            let jobs = self.clone();
            std::thread::spawn(move || take.iter().for_each(|(number, command)| jobs.run(number, command)));
            give
        });
        let sent = line.send((number, command));
        if sent.is_err() {
            set(all, number, |kept| kept.job.state = State::Failed("it could not be started".to_owned()));
        }
        number
    }

    /// One job.
    pub fn one(&self, number: u64) -> Option<Job> {
        self.all().jobs.iter().find(|kept| kept.job.number == number).map(seen)
    }

    /// Every job, the latest first.
    pub fn list(&self) -> Vec<Job> {
        self.all().jobs.iter().rev().map(seen).collect()
    }

    /// Ends a job, and answers whether there was something to end.
    pub fn stop(&self, number: u64) -> bool {
        let mut all = self.all();
        let mut process = None;
        let stopped = set(&mut all, number, |kept| {
            let ends = !kept.job.state.has_ended();
            if ends {
                kept.job.ran = kept.began.map_or(Duration::ZERO, |began| began.elapsed());
                kept.job.state = State::Stopped;
                process = kept.process.take();
            }
            ends
        });
        drop(all);
        if let Some(process) = process {
            let mut process = process.lock().unwrap_or_else(PoisonError::into_inner);
            // Waited for: what it leaves can then be removed, and nothing more comes.
            let _ = process.kill();
            let _ = process.wait();
            drop(process);
            // What it said last counts too, but nobody waits for ever.
            for _ in 0..100 {
                if set(&mut self.all(), number, |kept| kept.heard) != Some(false) {
                    break;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        stopped.unwrap_or(false)
    }

    /// Runs a job to its end.
    fn run(&self, number: u64, mut command: Command) {
        // Started while nobody can change the list: what is stopped before is never started.
        let mut all = self.all();
        // What an examination prints names its file, and nobody needs it.
        let answers = set(&mut all, number, |kept| matches!(kept.job.work, Work::Sets { .. })) == Some(true);
        let out = if answers { Stdio::piped() } else { Stdio::null() };
        command.stdin(Stdio::null()).stdout(out).stderr(Stdio::piped());
        if set(&mut all, number, |kept| kept.job.state != State::Waiting) != Some(false) {
            return;
        }
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => {
                let why = format!("it could not be started: {error}");
                set(&mut all, number, |kept| kept.job.state = State::Failed(why));
                return;
            }
        };
        let heard = child.stderr.take();
        let answer = child.stdout.take().map(|out| std::thread::spawn(move || first_of(out)));
        let process = Arc::new(Mutex::new(child));
        let hide = set(&mut all, number, |kept| {
            (kept.began, kept.job.state) = (Some(Instant::now()), State::Running);
            kept.process = Some(Arc::clone(&process));
            kept.hide.clone()
        });
        drop(all);
        let mut said: Vec<String> = vec![];
        for line in heard.into_iter().flat_map(|heard| BufReader::new(heard).lines()).map_while(Result::ok) {
            match serde_json::from_str::<ProgressLine>(&line) {
                Ok(line) => drop(set(&mut self.all(), number, |kept| kept.job.far = line.progress)),
                Err(_) if line.trim().is_empty() => {}
                Err(_) if let Ok(line) = serde_json::from_str::<KeyLine>(&line) => {
                    let _ = set(&mut self.all(), number, |kept| kept.job.small = Some(line.small_pictures));
                }
                Err(_) => {
                    said.push(line);
                    if said.len() > SAID {
                        said.remove(0);
                    }
                }
            }
        }
        let answer = answer.and_then(|reads| reads.join().ok()).unwrap_or_default();
        let ended = process.lock().unwrap_or_else(PoisonError::into_inner).wait();
        let mut said = said.join(" ");
        for (text, words) in hide.unwrap_or_default() {
            said = said.replace(&text, words);
        }
        set(&mut self.all(), number, |kept| {
            (kept.process, kept.heard) = (None, true);
            kept.job.answer = answer;
            if kept.job.state == State::Stopped {
                return;
            }
            kept.job.ran = kept.began.map_or(Duration::ZERO, |began| began.elapsed());
            kept.job.state = match ended.ok().and_then(|status| status.code()) {
                Some(code @ (0 | 3 | 4)) => State::Done(code),
                Some(_) if !said.is_empty() => State::Failed(said),
                Some(code) => State::Failed(format!("the program ended with {code} and said nothing")),
                None => State::Failed("the program was ended from outside".to_owned()),
            };
        });
    }
}

/// The beginning of what a process prints; the rest is read and dropped, so that it does not wait.
fn first_of(mut out: impl Read) -> String {
    let mut first = vec![];
    let _ = out.by_ref().take(ANSWER).read_to_end(&mut first);
    let more = std::io::copy(&mut out, &mut std::io::sink()).unwrap_or(0);
    let mut text = String::from_utf8_lossy(&first).into_owned();
    if more > 0 {
        text.push_str(&format!("\n… and {} more, not kept here", avocet_base::size_text(more)));
    }
    text
}

fn set<R>(all: &mut All, number: u64, change: impl FnOnce(&mut Kept) -> R) -> Option<R> {
    all.jobs.iter_mut().find(|kept| kept.job.number == number).map(change)
}

fn seen(kept: &Kept) -> Job {
    let mut job = kept.job.clone();
    if let (Some(began), State::Running) = (kept.began, &job.state) {
        job.ran = began.elapsed();
    }
    job
}

#[cfg(test)]
mod tests {
    use super::*;

    fn import(jobs: &Jobs, script: &str) -> u64 {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        let hide = vec![("/a/folder/JC-1.E01".to_owned(), "the evidence source")];
        jobs.add(Work::Import { name: "x".into() }, UserId::new(1), At::from_ns(0), command, hide)
    }

    fn ended(jobs: &Jobs, number: u64) -> Job {
        for _ in 0..500 {
            let job = jobs.one(number).unwrap();
            if job.state.has_ended() {
                return job;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("it does not end");
    }

    #[test]
    fn jobs_run_one_after_the_other_say_how_far_they_are_and_how_they_ended() {
        let jobs = Jobs::default();
        let far = r#"{"progress":{"stage":"volume","volume":"gpt:1","files":3,"bytes":20,"of":80}}"#;
        let first = import(&jobs, &format!("echo '{far}' >&2; exec sleep 30"));
        let second = import(&jobs, "echo 'avocet: /a/folder/JC-1.E01 holds no bytes' >&2; exit 2");
        let third = import(&jobs, "exit 3");
        while jobs.one(first).unwrap().far.files == 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert_eq!((jobs.one(first).unwrap().state, jobs.one(second).unwrap().state), (State::Running, State::Waiting));
        assert!(jobs.stop(third));
        assert!(jobs.stop(first));
        assert!(!jobs.stop(first), "it is stopped already");
        assert_eq!(ended(&jobs, first).state, State::Stopped);
        // What it said names no evidence.
        let failed = State::Failed("avocet: the evidence source holds no bytes".to_owned());
        assert_eq!(ended(&jobs, second).state, failed);
        assert_eq!(ended(&jobs, import(&jobs, "exit 3")).state, State::Done(3));
        assert_eq!(ended(&jobs, third).state, State::Stopped);
        assert!(matches!(ended(&jobs, import(&jobs, "exit 1")).state, State::Failed(_)));
        assert_eq!(jobs.list().len(), 5);
    }

    #[test]
    fn an_interim_result_is_made_beside_its_examination_and_one_at_a_time() {
        let jobs = Jobs::default();
        let long = import(&jobs, "exec sleep 30");
        let make = |script: &'static str| {
            move |before: usize| {
                let mut command = Command::new("/bin/sh");
                command.args(["-c", script]);
                let (investigation, exhibit) = (InvestigationId::new(1), ExhibitId::new(1));
                let out = PathBuf::from(format!("{before}"));
                let work = Work::Interim { investigation, exhibit, of: long, out };
                Interim { work, command, hide: vec![("/a/folder/".to_owned(), "")] }
            }
        };
        let add = |script| jobs.add_interim(long, UserId::new(1), At::from_ns(0), make(script));
        let first = add("echo 'avocet: /a/folder/nothing was read yet' >&2; exec sleep 30").unwrap();
        while jobs.one(first).unwrap().state != State::Running {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(!jobs.one(long).unwrap().state.has_ended(), "it goes on meanwhile");
        assert_eq!(add("exit 4"), None, "one is being made");
        assert!(jobs.stop(first));
        let second = add("echo 'avocet: /a/folder/nothing was read yet' >&2; exit 2").unwrap();
        // The exit of a process that was killed, and of one that refused.
        assert_eq!(ended(&jobs, second).state, State::Failed("avocet: nothing was read yet".to_owned()));
        let third = add("exit 4").unwrap();
        assert_eq!(ended(&jobs, third).state, State::Done(4));
        let out = |number| match jobs.one(number).unwrap().work {
            Work::Interim { out, .. } => out,
            other => panic!("{other:?}"),
        };
        assert_eq!([first, second, third].map(out), ["0", "1", "2"].map(PathBuf::from), "each has a name of its own");
        assert!(jobs.stop(long));
    }

    #[test]
    fn the_answer_of_work_on_sets_is_kept_up_to_a_bound_and_that_of_other_work_is_not() {
        let jobs = Jobs::default();
        let sets = |script: &str| {
            let mut command = Command::new("/bin/sh");
            command.args(["-c", script]);
            jobs.add(Work::Sets { title: "Verify".into() }, UserId::new(1), At::from_ns(0), command, vec![])
        };
        assert_eq!(ended(&jobs, sets("echo good a@1; exit 4")).answer, "good a@1\n");
        let long = ended(&jobs, sets("head -c 300000 /dev/zero | tr '\\0' x")).answer;
        assert!(long.ends_with("… and 228.9 KiB more, not kept here") && long.len() < 70_000, "{}", long.len());
        assert_eq!(ended(&jobs, import(&jobs, "echo /a/folder/JC-1.E01")).answer, "");
    }
}
