//! A foreign program, such as ffmpeg, run once over one file.
//!
//! It may read and execute the named system folders, read the named files, and read its input, a memory file that
//! nobody can change. It may start threads; it may open nothing else, write nothing, and reach no network and no other
//! process. Its output is taken through pipes, up to a size and a time.

use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::fault::{Fault, StartError};
use crate::host::fault_of;
use crate::sys::{self, Access};

/// One argument of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Argument {
    /// As it stands.
    Text(OsString),
    /// The path under which the program finds its input.
    Input,
}

/// What a program may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgramLimits {
    /// Whole address space in bytes, the program's own code included.
    pub address_space: u64,
    /// Processor time of all its threads, in seconds.
    pub cpu_seconds: u64,
    /// Longest time from start to end.
    pub wall: Duration,
    /// Most bytes of standard output.
    pub max_output: usize,
}

impl Default for ProgramLimits {
    /// 4 GiB, 300 s of processor time, 300 s, 256 MiB.
    fn default() -> Self {
        Self { address_space: 4 << 30, cpu_seconds: 300, wall: Duration::from_secs(300), max_output: 256 << 20 }
    }
}

/// How a program is to be run.
#[derive(Debug, Clone)]
pub struct ProgramSpec {
    /// The program, absolute. It starts with no environment but `environment`, in `/`.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<Argument>,
    /// Names and values.
    pub environment: Vec<(OsString, OsString)>,
    /// Files, or folders with all below them, that may be read and executed beside the program itself: its libraries.
    pub read_execute: Vec<PathBuf>,
    /// Files, or folders with all below them, that may be read.
    pub read: Vec<PathBuf>,
    /// What it may use.
    pub limits: ProgramLimits,
    /// Run although this kernel has no Landlock. It is then kept from sockets and processes, but not from files.
    pub allow_weaker: bool,
}

impl ProgramSpec {
    /// With the folders and the file that the dynamic loader needs on Linux, as far as they exist.
    #[must_use]
    pub fn new(program: PathBuf) -> Self {
        let there = |paths: &[&str]| -> Vec<PathBuf> {
            paths.iter().map(PathBuf::from).filter(|path| path.try_exists().unwrap_or(false)).collect()
        };
        Self {
            program,
            args: Vec::new(),
            environment: Vec::new(),
            read_execute: there(&["/usr/lib", "/usr/lib64", "/lib", "/lib64"]),
            read: there(&["/etc/ld.so.cache"]),
            limits: ProgramLimits::default(),
            allow_weaker: false,
        }
    }
}

/// What a program left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Its exit status; other than 0 the program says that it failed, which is no [`Fault`].
    pub status: i32,
    /// Standard output. Made from hostile input: not to be believed.
    pub bytes: Vec<u8>,
    /// The first 64 KiB of standard error. It may hold content of the input, so it belongs into no log.
    pub messages: Vec<u8>,
    /// Whether standard error was longer.
    pub messages_cut: bool,
    /// What this kernel could not enforce, one sentence each.
    pub missing: Vec<String>,
}

const MAX_MESSAGES: usize = 64 << 10;

/// Runs a program over an input, confined, to its end.
///
/// The calling thread waits; the program is ended when that thread ends. The input is copied once into memory, so it
/// must fit there.
pub fn run_confined(spec: &ProgramSpec, input: &[&[u8]]) -> Result<Output, Fault> {
    let mut bytes = Vec::new();
    let output = stream_confined(spec, input, &mut |piece| bytes.extend_from_slice(piece))?;
    Ok(Output { bytes, ..output })
}

/// As [`run_confined`], with standard output handed to `take` piece by piece as it comes instead of being kept: the output
/// has no bytes of its own. [`ProgramLimits::max_output`] bounds it all the same.
pub fn stream_confined(spec: &ProgramSpec, input: &[&[u8]], take: &mut dyn FnMut(&[u8])) -> Result<Output, Fault> {
    let system = |step: &'static str| {
        move |error: std::io::Error| Fault::from(StartError::System { step, reason: error.kind().to_string() })
    };
    let mut missing = Vec::new();
    let abi = sys::landlock_abi();
    let ruleset = if abi == 0 {
        missing.push("This kernel has no Landlock, so programs are not kept from files.".to_owned());
        if !spec.allow_weaker {
            return Err(StartError::NotConfined { missing }.into());
        }
        None
    } else {
        let rules = sys::Ruleset::refuse_all(abi).map_err(system("Landlock rule set"))?;
        let executed = std::iter::once(&spec.program).chain(&spec.read_execute).map(|path| (path, Access::ReadExecute));
        for (path, access) in executed.chain(spec.read.iter().map(|path| (path, Access::Read))) {
            rules.allow(path, access).map_err(system("Landlock rule"))?;
        }
        Some(rules)
    };
    let input = sys::sealed_memory(input).map_err(system("memory file"))?;
    let mut command = Command::new(&spec.program);
    command
        .args(spec.args.iter().map(|argument| match argument {
            Argument::Text(text) => text.clone(),
            Argument::Input => format!("/proc/self/fd/{}", input.as_raw_fd()).into(),
        }))
        .env_clear()
        .envs(spec.environment.iter().map(|(name, value)| (name, value)))
        .current_dir("/")
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let sentence = sys::Sentence {
        ruleset,
        filter: crate::filter::program(),
        address_space: spec.limits.address_space,
        cpu_seconds: spec.limits.cpu_seconds,
        keep: Some(input.as_raw_fd()),
    };
    sys::confine_before_exec(&mut command, sentence);
    let mut running = Running(command.spawn().map_err(system("program start"))?);
    drop(input);
    let deadline = Instant::now().checked_add(spec.limits.wall);
    let mut out = Tap::new(running.0.stdout.take().map(OwnedFd::from), spec.limits.max_output)?;
    let mut messages = Vec::new();
    let mut err = Tap::new(running.0.stderr.take().map(OwnedFd::from), MAX_MESSAGES)?;
    while out.file.is_some() || err.file.is_some() {
        let left = time_left(deadline, &spec.limits)?;
        sys::wait_readable([out.file.as_ref().map(File::as_fd), err.file.as_ref().map(File::as_fd)], left);
        out.take(take);
        let messages = &mut messages;
        err.take(&mut |piece| messages.extend_from_slice(piece));
        if out.cut {
            return Err(Fault::ReplyTooLarge { max: u64::try_from(spec.limits.max_output).unwrap_or(u64::MAX) });
        }
    }
    let status = loop {
        match running.0.try_wait().map_err(system("waiting for the program"))? {
            Some(status) => break status,
            None => std::thread::sleep(time_left(deadline, &spec.limits)?.min(Duration::from_millis(2))),
        }
    };
    match status.code() {
        Some(status) => Ok(Output { status, bytes: Vec::new(), messages, messages_cut: err.cut, missing }),
        None => Err(fault_of(status, false)),
    }
}

fn time_left(deadline: Option<Instant>, limits: &ProgramLimits) -> Result<Duration, Fault> {
    let Some(deadline) = deadline else { return Ok(Duration::from_secs(3600)) };
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(Fault::TimedOut { seconds: limits.wall.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX) });
    }
    Ok(left)
}

/// Ends the program whichever way this is left.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// One output of a program, handed on up to a size and read on beyond it.
struct Tap {
    file: Option<File>,
    done: usize,
    max: usize,
    cut: bool,
}

impl Tap {
    fn new(file: Option<OwnedFd>, max: usize) -> Result<Self, Fault> {
        if let Some(file) = &file {
            sys::set_nonblocking(file.as_fd())
                .map_err(|error| StartError::System { step: "pipe", reason: error.kind().to_string() })?;
        }
        Ok(Self { file: file.map(File::from), done: 0, max, cut: false })
    }

    /// Takes what is there, a bounded amount, so that the deadline is looked at in between.
    fn take(&mut self, take: &mut dyn FnMut(&[u8])) {
        let mut buffer = [0; 16 << 10];
        for _ in 0..64 {
            let Some(file) = &mut self.file else { return };
            match file.read(&mut buffer) {
                Ok(0) => self.file = None,
                Ok(got) => {
                    let room = self.max.saturating_sub(self.done);
                    self.cut |= got > room;
                    self.done = self.done.saturating_add(got.min(room));
                    take(buffer.get(..got.min(room)).unwrap_or_default());
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return,
                Err(_) => self.file = None,
            }
        }
    }
}
