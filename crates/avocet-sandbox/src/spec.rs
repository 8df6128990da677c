//! What a pool is told: the program, how many workers, what they may use.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// What a worker is for, and with it what it may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Profile {
    /// Computes from the bytes that it is given: no file, no socket, no process, no thread.
    Decoder,
}

impl Profile {
    pub(crate) fn number(self) -> u32 {
        match self {
            Self::Decoder => 1,
        }
    }
}

/// What a worker may use. Sizes are in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Address space beyond what the process has mapped when it starts and beyond the shared buffer.
    pub address_space: u64,
    /// Processor time of one worker's whole life, in seconds. A worker that has used half of it is replaced after its
    /// reply, so every request has at least the other half.
    pub cpu_seconds: u64,
    /// Longest time for one request, from the moment that a worker has it.
    pub wall: Duration,
    /// A worker is replaced after so many requests.
    pub requests_per_worker: u32,
    /// Largest payload of a request.
    pub max_request: usize,
    /// Largest reply.
    pub max_reply: usize,
}

impl Default for Limits {
    /// For pictures: 2 GiB, 60 s of processor time, 30 s a request, 1,000 requests, 256 MiB in, 64 MiB out.
    fn default() -> Self {
        Self {
            address_space: 2 << 30,
            cpu_seconds: 60,
            wall: Duration::from_secs(30),
            requests_per_worker: 1000,
            max_request: 256 << 20,
            max_reply: 64 << 20,
        }
    }
}

/// The switchable layers of the confinement. Anything less than [`Layers::ALL`] is refused unless
/// [`Spec::allow_weaker`] is set: it is there so that tests can show what each layer does alone.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layers(pub(crate) u32);

impl Layers {
    /// No layer at all.
    pub const NONE: Self = Self(0);
    /// Landlock: files, TCP, signals and abstract sockets.
    pub const LANDLOCK: Self = Self(1);
    /// The list of allowed system calls.
    pub const SECCOMP: Self = Self(2);
    /// Memory, processor time, file size, descriptors, processes.
    pub const LIMITS: Self = Self(4);
    /// Inherited descriptors closed.
    pub const DESCRIPTORS: Self = Self(8);
    /// No capabilities, no dump, no reading of its memory by others of the same user.
    pub const PRIVILEGES: Self = Self(16);
    /// Everything.
    pub const ALL: Self = Self(31);

    /// Both sets.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// This set less the other.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether every layer of the other set is in this one.
    #[must_use]
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// How a pool is to be made.
#[derive(Debug, Clone)]
pub struct Spec {
    /// The program, absolute: as a rule [`std::env::current_exe`]. It starts with no environment, in `/`.
    pub program: PathBuf,
    /// What makes the program call [`crate::worker_main`], such as a hidden verb.
    pub args: Vec<OsString>,
    /// How many workers at most; at least one.
    pub workers: usize,
    /// What each may use.
    pub limits: Limits,
    /// What they are for.
    pub profile: Profile,
    /// Start although this kernel cannot enforce every required layer. What is missing is then in
    /// [`crate::Confinement::sentences`] and must reach the result.
    pub allow_weaker: bool,
    /// Only for tests.
    #[doc(hidden)]
    pub layers: Layers,
}

impl Spec {
    /// One worker, default limits, nothing weaker allowed.
    #[must_use]
    pub fn new(program: PathBuf, profile: Profile) -> Self {
        Self {
            program,
            args: Vec::new(),
            workers: 1,
            limits: Limits::default(),
            profile,
            allow_weaker: false,
            layers: Layers::ALL,
        }
    }

    /// One more argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// How many workers at most.
    #[must_use]
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = workers;
        self
    }

    /// What each may use.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }
}
