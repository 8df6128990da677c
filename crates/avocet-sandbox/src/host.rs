//! The parent's side of one worker process.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::confinement::Confinement;
use crate::fault::{Fault, StartError};
use crate::frame::{FRAME_LEN, Frame, HELLO_LEN, PANICKED, REPLY, REQUEST, Setup, TOO_LARGE, hello_from_bytes};
use crate::spec::{Limits, Spec};
use crate::sys::{self, Mapping, Pending};
use crate::worker::LONGEST_PLACE;

/// A worker has so long to start and confine itself.
const START_WALL: Duration = Duration::from_secs(20);
/// A worker whose line ended has so long to be gone by itself, so that its own end is reported and not ours.
const END_WALL: Duration = Duration::from_millis(500);
/// Of each area of the shared buffer, so many bytes stay in memory between requests.
const KEPT: usize = 8 << 20;
/// So much of what a worker wrote to standard error is looked at.
const NOTES_KEPT: usize = 4096;
/// What the standard library writes before it aborts for want of memory.
const NO_MEMORY: &[u8] = b"memory allocation of";

/// Sizes of the two areas of the shared buffer, each whole pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Areas {
    request: usize,
    reply: usize,
}

impl Areas {
    /// Room for the largest request and the largest reply. A reply's area also holds the place of a panic.
    pub(crate) fn new(limits: &Limits) -> Option<Self> {
        let page = sys::page_size();
        let request = limits.max_request.max(1).checked_next_multiple_of(page)?;
        let reply = limits.max_reply.max(1).checked_next_multiple_of(page)?;
        request.checked_add(reply).filter(|&all| isize::try_from(all).is_ok())?;
        Some(Self { request, reply })
    }
}

/// Why an exact read did not happen.
enum Lost {
    TimedOut,
    Gone,
}

/// A process that waits for requests. Dropping it ends the process.
#[derive(Debug)]
pub(crate) struct Worker {
    child: Child,
    line: UnixStream,
    notes: File,
    said: Vec<u8>,
    memory: Mapping,
    areas: Areas,
    confinement: Confinement,
    served: u32,
    sequence: u64,
    retire: bool,
}

fn system(step: &'static str) -> impl FnOnce(std::io::Error) -> StartError {
    move |error| StartError::System { step, reason: error.kind().to_string() }
}

impl Worker {
    /// Starts a process and waits until it is confined. The calling thread must outlive the worker: the kernel ends the
    /// worker when the thread that started it ends.
    pub(crate) fn start(spec: &Spec, areas: Areas) -> Result<Self, StartError> {
        let total = areas.request.saturating_add(areas.reply);
        let (line, theirs) = UnixStream::pair().map_err(system("socket pair"))?;
        let (memory, file) = Mapping::create(total).map_err(system("shared memory"))?;
        let (notes, notes_in) = std::io::pipe().map_err(system("pipe"))?;
        let (notes, notes_in) = (OwnedFd::from(notes), OwnedFd::from(notes_in));
        // Neither side may ever wait for this pipe.
        sys::set_nonblocking(notes.as_fd()).map_err(system("pipe"))?;
        sys::set_nonblocking(notes_in.as_fd()).map_err(system("pipe"))?;
        let mut command = Command::new(&spec.program);
        command
            .args(&spec.args)
            .env_clear()
            .current_dir("/")
            // Ctrl-C at the terminal is for the parent, which ends its workers when it is ready.
            .process_group(0)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::from(file))
            .stderr(Stdio::from(notes_in));
        let child = command.spawn().map_err(system("process start"))?;
        // Our copies of the worker's ends, so that its end is seen as the end of the line.
        drop(command);
        let mut worker = Self {
            child,
            line,
            notes: File::from(notes),
            said: Vec::new(),
            memory,
            areas,
            confinement: Confinement::default(),
            served: 0,
            sequence: 0,
            retire: false,
        };
        worker.greet(spec)?;
        Ok(worker)
    }

    fn greet(&mut self, spec: &Spec) -> Result<(), StartError> {
        let size = |value: usize| u64::try_from(value).unwrap_or(u64::MAX);
        let setup = Setup {
            profile: spec.profile.number(),
            layers: spec.layers.0,
            allow_weaker: spec.allow_weaker,
            request_area: size(self.areas.request),
            reply_area: size(self.areas.reply),
            max_reply: size(spec.limits.max_reply),
            address_space: spec.limits.address_space,
            cpu_seconds: spec.limits.cpu_seconds,
        };
        let mut hello = [0; HELLO_LEN];
        let deadline = Instant::now() + START_WALL;
        let answer = match self.line.write_all(&setup.to_bytes()) {
            Ok(()) => self.receive(&mut hello, deadline),
            Err(_) => Err(Lost::Gone),
        };
        let what = match answer {
            Ok(()) => match hello_from_bytes(&hello) {
                Some(confinement) => {
                    self.confinement = confinement;
                    return self.accept(spec);
                }
                None => "it answered something else".to_owned(),
            },
            Err(Lost::TimedOut) => "it did not answer in time".to_owned(),
            Err(Lost::Gone) => match self.end() {
                (Some(status), _) => format!("it ended at once ({status})"),
                (None, _) => "it closed its line".to_owned(),
            },
        };
        Err(StartError::NotAWorker { what })
    }

    fn accept(&self, spec: &Spec) -> Result<(), StartError> {
        if self.confinement.is_full() || spec.allow_weaker {
            Ok(())
        } else {
            Err(StartError::NotConfined { missing: self.confinement.sentences() })
        }
    }

    pub(crate) fn confinement(&self) -> &Confinement {
        &self.confinement
    }

    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Whether it may be given another request: alive, silent, not worn out.
    pub(crate) fn is_ready(&mut self, limits: &Limits) -> bool {
        self.listen_to_notes();
        !self.is_worn(limits) && sys::pending(self.line.as_fd()) == Pending::Nothing
    }

    /// Whether it has served its time.
    pub(crate) fn is_worn(&self, limits: &Limits) -> bool {
        self.retire || self.served >= limits.requests_per_worker.max(1)
    }

    /// One request. After any fault the worker is of no more use.
    pub(crate) fn request(&mut self, kind: u32, parts: &[&[u8]], limits: &Limits) -> Result<Vec<u8>, Fault> {
        let mut len = 0usize;
        for part in parts {
            if self.memory.write(len, part).is_none() {
                return Err(Fault::ProtocolBroken { what: "the payload does not fit the shared buffer" });
            }
            len = len.saturating_add(part.len());
        }
        self.sequence = self.sequence.wrapping_add(1);
        self.served = self.served.saturating_add(1);
        let size = u64::try_from(len).unwrap_or(u64::MAX);
        let frame = Frame { tag: REQUEST, word: kind, len: size, sequence: self.sequence };
        let deadline = Instant::now() + limits.wall;
        if self.line.write_all(&frame.to_bytes()).is_err() {
            return Err(self.why_gone());
        }
        let mut answer = [0; FRAME_LEN];
        match self.receive(&mut answer, deadline) {
            Ok(()) => {}
            Err(Lost::TimedOut) => {
                return Err(Fault::TimedOut {
                    seconds: limits.wall.as_millis().div_ceil(1000).try_into().unwrap_or(0),
                });
            }
            Err(Lost::Gone) => return Err(self.why_gone()),
        }
        let reply = self.open(&answer, limits)?;
        self.tidy(len, reply.len());
        Ok(reply)
    }

    /// Checks an answer before anything in it is believed, and copies the reply out of reach of the worker.
    fn open(&mut self, answer: &[u8; FRAME_LEN], limits: &Limits) -> Result<Vec<u8>, Fault> {
        let broken = |what| Fault::ProtocolBroken { what };
        let frame = Frame::from_bytes(answer).ok_or(broken("a frame is not complete"))?;
        if frame.sequence != self.sequence {
            return Err(broken("an answer to another request"));
        }
        let len = usize::try_from(frame.len).unwrap_or(usize::MAX);
        match frame.tag {
            REPLY if len > limits.max_reply => Err(broken("a reply larger than its area")),
            REPLY => {
                self.retire |= frame.word != 0;
                self.memory.copy_out(self.areas.request, len).ok_or(broken("a reply that cannot be copied"))
            }
            TOO_LARGE => Err(Fault::ReplyTooLarge { max: u64::try_from(limits.max_reply).unwrap_or(u64::MAX) }),
            PANICKED => {
                let place = self.memory.copy_out(self.areas.request, len.min(LONGEST_PLACE)).unwrap_or_default();
                Err(Fault::Panicked { at: plain(&place) })
            }
            _ => Err(broken("an unknown frame")),
        }
    }

    /// Large requests leave large buffers behind; their pages go back to the system.
    fn tidy(&mut self, request: usize, reply: usize) {
        if request > KEPT {
            self.memory.release(KEPT, self.areas.request.saturating_sub(KEPT));
        }
        if reply > KEPT {
            self.memory.release(self.areas.request.saturating_add(KEPT), self.areas.reply.saturating_sub(KEPT));
        }
    }

    fn receive(&mut self, buffer: &mut [u8], deadline: Instant) -> Result<(), Lost> {
        let mut rest = buffer;
        while !rest.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Lost::TimedOut);
            }
            self.line.set_read_timeout(Some(left)).map_err(|_| Lost::Gone)?;
            match self.line.read(rest) {
                Ok(0) => return Err(Lost::Gone),
                Ok(got) => rest = rest.split_at_mut_checked(got).map(|(_, rest)| rest).unwrap_or_default(),
                Err(error) => match error.kind() {
                    // Too early by the clock's own grain, or a signal: the loop looks at the deadline.
                    ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => {}
                    _ => return Err(Lost::Gone),
                },
            }
        }
        Ok(())
    }

    fn why_gone(&mut self) -> Fault {
        let (status, said) = self.end();
        match status {
            Some(status) => fault_of(status, said),
            None => Fault::ProtocolBroken { what: "it closed its line and stayed" },
        }
    }

    /// Waits for a process whose line ended. `None` if it had to be killed for it.
    fn end(&mut self) -> (Option<ExitStatus>, bool) {
        let deadline = Instant::now() + END_WALL;
        let status = loop {
            match self.child.try_wait() {
                Ok(Some(status)) => break Some(status),
                Ok(None) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(1)),
                _ => {
                    let _ = self.child.kill();
                    let _ = self.child.wait();
                    break None;
                }
            }
        };
        self.listen_to_notes();
        let said = self.said.windows(NO_MEMORY.len()).any(|words| words == NO_MEMORY);
        (status, said)
    }

    /// Takes what is there, so that the pipe never fills, and keeps the last of it.
    fn listen_to_notes(&mut self) {
        let mut buffer = [0; NOTES_KEPT];
        // Bounded: a worker that writes without end must not hold its parent here.
        for _ in 0..32 {
            match self.notes.read(&mut buffer) {
                Ok(0) | Err(_) => break,
                Ok(got) => {
                    self.said.extend_from_slice(buffer.get(..got).unwrap_or_default());
                    let over = self.said.len().saturating_sub(NOTES_KEPT);
                    self.said.drain(..over);
                    if got < buffer.len() {
                        break;
                    }
                }
            }
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What an exit status says, and whether the allocator had said that it gave up.
pub(crate) fn fault_of(status: ExitStatus, no_memory: bool) -> Fault {
    // Numbers of signals that are the same on every Linux architecture that the lists are made for.
    const ABRT: i32 = 6;
    const KILL: i32 = 9;
    const XCPU: i32 = 24;
    const SYS: i32 = 31;
    match status.signal() {
        Some(SYS) => Fault::Forbidden,
        Some(XCPU) => Fault::CpuSpent,
        Some(KILL) => Fault::Killed,
        Some(ABRT) if no_memory => Fault::OutOfMemory,
        Some(signal) => Fault::Crashed { signal },
        None => Fault::Exited { code: status.code().unwrap_or(-1) },
    }
}

/// A source place from a process that nobody trusts: only what a path and numbers need.
fn plain(bytes: &[u8]) -> String {
    let kept = bytes.iter().filter(|byte| byte.is_ascii_alphanumeric() || b"/._-:".contains(byte));
    let place: String = kept.map(|&byte| char::from(byte)).collect();
    if place.is_empty() { "an unknown place".to_owned() } else { place }
}
