//! How a call or a start can fail.

/// Why a pool or a worker did not start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// The settings contradict themselves.
    #[error("the sandbox cannot be set up: {reason}")]
    Settings {
        /// Which one, and what it must be.
        reason: &'static str,
    },
    /// The operating system gave no memory, descriptor, thread or process.
    #[error(
        "a worker process could not be started: {step} failed ({reason}). Check the limits of this user and that the program file is still there"
    )]
    System {
        /// What was tried.
        step: &'static str,
        /// What the operating system said.
        reason: String,
    },
    /// The process ended or answered something else before it said what it is.
    #[error(
        "the program did not start as a worker: {what}. Program and arguments must lead to worker_main of the same version"
    )]
    NotAWorker {
        /// What happened instead.
        what: String,
    },
    /// Required layers are not in force, and nothing weaker was allowed.
    #[error("workers cannot be confined on this machine: {}. Use a kernel with Landlock and seccomp (5.13 or later), or allow weaker confinement, which the result will say", .missing.join(" "))]
    NotConfined {
        /// One sentence for each missing layer.
        missing: Vec<String>,
    },
}

/// Why one call has no reply. The worker is gone and will be replaced; other calls are not touched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The worker died of a signal of its own making.
    #[error("the worker crashed (signal {signal})")]
    Crashed {
        /// Number of the signal, such as 11 for an invalid memory access or 6 for an abort.
        signal: i32,
    },
    /// The handler panicked.
    #[error("the worker met an internal error at {at}")]
    Panicked {
        /// Source file, line and column; no content.
        at: String,
    },
    /// The worker tried a system call that it may not make, and the kernel ended it.
    #[error("the worker tried what it may not do, and was ended")]
    Forbidden,
    /// The request took longer than its wall-clock limit.
    #[error("the worker did not answer within {seconds} s")]
    TimedOut {
        /// The limit, rounded up.
        seconds: u64,
    },
    /// The worker's processor time was used up.
    #[error("the worker used up its processor time")]
    CpuSpent,
    /// An allocation failed under the memory limit.
    #[error("the worker needed more memory than it may use")]
    OutOfMemory,
    /// `SIGKILL` that this pool did not send.
    #[error("the worker was killed from outside: by a person, or by the kernel for want of memory")]
    Killed,
    /// The worker ended without a signal and without a reply.
    #[error("the worker ended with status {code} and without a reply")]
    Exited {
        /// Its exit status.
        code: i32,
    },
    /// The payload is larger than a request may be. No worker was touched.
    #[error("{size} bytes are more than the {max} that a worker takes")]
    RequestTooLarge {
        /// Size of the payload in bytes.
        size: u64,
        /// The limit.
        max: u64,
    },
    /// The reply is larger than it may be.
    #[error("the worker's answer is larger than the {max} bytes it may be")]
    ReplyTooLarge {
        /// The limit.
        max: u64,
    },
    /// The worker sent something that is no reply to this request.
    #[error("the worker answered out of turn: {what}")]
    ProtocolBroken {
        /// Which rule it broke.
        what: &'static str,
    },
    /// No worker could be started for this call.
    #[error(transparent)]
    StartFailed(#[from] StartError),
}

impl Fault {
    /// A stable name for counts and stored results.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Crashed { .. } => "worker-crashed",
            Self::Panicked { .. } => "worker-panicked",
            Self::Forbidden => "worker-forbidden",
            Self::TimedOut { .. } => "worker-timed-out",
            Self::CpuSpent => "worker-cpu-spent",
            Self::OutOfMemory => "worker-out-of-memory",
            Self::Killed => "worker-killed",
            Self::Exited { .. } => "worker-exited",
            Self::RequestTooLarge { .. } => "request-too-large",
            Self::ReplyTooLarge { .. } => "reply-too-large",
            Self::ProtocolBroken { .. } => "worker-protocol-broken",
            Self::StartFailed(_) => "worker-start-failed",
        }
    }
}
