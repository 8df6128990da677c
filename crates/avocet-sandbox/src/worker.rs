//! The child's side: confine first, then serve requests one after another.

use std::os::fd::{AsFd, AsRawFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use crate::confinement::Confinement;
use crate::filter;
use crate::frame::{FRAME_LEN, Frame, PANICKED, REPLY, REQUEST, SETUP_LEN, Setup, TOO_LARGE, hello_to_bytes};
use crate::spec::{Layers, Profile};
use crate::sys::{self, Resource};

/// The line to the parent is standard input, the shared buffer comes as standard output, and what the allocator says
/// before it gives up goes to standard error.
const LINE: i32 = 0;
const BUFFER: i32 = 1;
const NOTES: i32 = 2;

/// Longest source place that is taken from a worker that panicked, in bytes.
pub(crate) const LONGEST_PLACE: usize = 120;

/// One request, as the handler sees it.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// What is asked for, by the caller's own numbering.
    pub kind: u32,
    /// The parts that the caller gave, one after another.
    pub payload: &'a [u8],
}

/// Serves the pool that started this process, until the pool ends it or goes away.
///
/// To be called first thing in `main`, before any thread is started. The confinement is in force before the first byte
/// of a payload is read. Whatever the handler needs from outside must be there before. A panic in the handler costs the
/// request and this process.
///
/// Answers failure (2) if the process was not started by a pool of the same version and profile, and (3) if it could not
/// be confined.
pub fn worker_main(profile: Profile, mut handler: impl FnMut(Request<'_>) -> Vec<u8>) -> ExitCode {
    let mut setup = [0; SETUP_LEN];
    if sys::read_line(LINE, &mut setup).is_err() {
        return ExitCode::from(2);
    }
    let Some(setup) = Setup::from_bytes(&setup).filter(|setup| setup.profile == profile.number()) else {
        return ExitCode::from(2);
    };
    let Some(mut memory) = open_buffer(&setup) else { return ExitCode::from(2) };
    remember_panics();
    let confinement = confine(&setup);
    if sys::write_line(LINE, &hello_to_bytes(&confinement)).is_err() {
        return ExitCode::from(2);
    }
    if !confinement.is_full() && !setup.allow_weaker {
        return ExitCode::from(3);
    }
    serve(&setup, &mut memory, &mut handler)
}

fn open_buffer(setup: &Setup) -> Option<sys::Mapping> {
    let len = usize::try_from(setup.request_area.checked_add(setup.reply_area)?).ok()?;
    let buffer = std::io::stdout();
    let memory = sys::Mapping::open(buffer.as_fd(), len).ok()?;
    debug_assert_eq!(buffer.as_raw_fd(), BUFFER);
    sys::close_one(BUFFER).ok()?;
    Some(memory)
}

fn serve(setup: &Setup, memory: &mut sys::Mapping, handler: &mut impl FnMut(Request<'_>) -> Vec<u8>) -> ExitCode {
    // All three were checked to fit when the buffer was opened.
    let (Ok(request_area), Ok(max_reply)) = (usize::try_from(setup.request_area), usize::try_from(setup.max_reply))
    else {
        return ExitCode::from(2);
    };
    loop {
        let mut bytes = [0; FRAME_LEN];
        // The end of the line is the pool's way to say that it is over.
        if sys::read_line(LINE, &mut bytes).is_err() {
            return ExitCode::SUCCESS;
        }
        let Some(frame) = Frame::from_bytes(&bytes).filter(|frame| frame.tag == REQUEST) else {
            return ExitCode::from(2);
        };
        let payload = usize::try_from(frame.len).ok().filter(|&len| len <= request_area);
        let Some(payload) = payload.and_then(|len| memory.bytes(0, len)) else { return ExitCode::from(2) };
        let request = Request { kind: frame.word, payload };
        let (tag, word, reply) = match catch_unwind(AssertUnwindSafe(|| handler(request))) {
            Ok(reply) if reply.len() > max_reply => (TOO_LARGE, 1, reply),
            Ok(reply) => (REPLY, u32::from(sys::cpu_seconds_used() >= setup.cpu_seconds.div_ceil(2)), reply),
            Err(_) => (PANICKED, 1, panic_place().into_bytes()),
        };
        if tag != TOO_LARGE && memory.write(request_area, &reply).is_none() {
            return ExitCode::from(2);
        }
        let len = u64::try_from(reply.len()).unwrap_or(u64::MAX);
        let answer = Frame { tag, word, len, sequence: frame.sequence };
        if sys::write_line(LINE, &answer.to_bytes()).is_err() || tag != REPLY {
            return ExitCode::from(101);
        }
    }
}

/// Applies every layer in the one order that works: what opens files first, then Landlock, then the limit on
/// descriptors (a rule set needs one), and the list of system calls last, since it refuses all the rest.
fn confine(setup: &Setup) -> Confinement {
    let layers = Layers(setup.layers);
    let mut state = Confinement { landlock_abi: sys::landlock_abi(), ..Confinement::default() };
    state.dies_with_parent = sys::die_with_parent().is_ok();
    sys::default_fault_signals();
    if layers.has(Layers::DESCRIPTORS) {
        state.descriptors_closed = sys::close_from(3).is_ok();
    }
    let start = Start::read();
    state.single_thread = start.threads == Some(1);
    if layers.has(Layers::LIMITS) {
        // If the process cannot tell what it has mapped, the shared buffer and a large program are assumed.
        let mapped = start
            .mapped
            .unwrap_or_else(|| setup.request_area.saturating_add(setup.reply_area).saturating_add(256 << 20));
        state.address_space = sys::limit(Resource::AddressSpace, mapped.saturating_add(setup.address_space)).ok();
        state.cpu_seconds = sys::limit_cpu(setup.cpu_seconds).ok();
        state.file_size = sys::limit(Resource::FileSize, 0).ok();
        state.core_size = sys::limit(Resource::CoreSize, 0).ok();
        state.processes = sys::limit(Resource::Processes, 0).ok();
        // Not required: neither locked memory nor queues can be had past the list of system calls.
        let _ = sys::limit(Resource::LockedMemory, 0);
        let _ = sys::limit(Resource::MessageQueues, 0);
    }
    state.no_new_privileges = sys::forbid_new_privileges().is_ok();
    if layers.has(Layers::PRIVILEGES) {
        state.no_capabilities = sys::drop_capabilities().is_ok();
        state.not_dumpable = sys::forbid_dump().is_ok();
    }
    if layers.has(Layers::LANDLOCK) {
        let rules = sys::Ruleset::refuse_all(state.landlock_abi);
        let enforced = rules.and_then(|rules| rules.enforce()).is_ok();
        state.no_files = enforced && sys::root_folder_is_refused();
        state.no_tcp = enforced && state.landlock_abi >= 4;
        state.scoped = enforced && state.landlock_abi >= 6;
    }
    if layers.has(Layers::LIMITS) {
        state.descriptors = sys::limit(Resource::Descriptors, 0).ok();
    }
    if layers.has(Layers::SECCOMP) {
        let list = filter::decoder(LINE.unsigned_abs(), NOTES.unsigned_abs(), std::process::id());
        state.seccomp = sys::apply_filter(&list).is_ok();
    }
    state
}

/// What the process is when it starts.
struct Start {
    /// Mapped address space in bytes.
    mapped: Option<u64>,
    threads: Option<u64>,
}

impl Start {
    fn read() -> Self {
        let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let field = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
            line.split_whitespace().next()?.parse::<u64>().ok()
        };
        Self { mapped: field("VmSize").map(|kib| kib.saturating_mul(1024)), threads: field("Threads") }
    }
}

static PANIC_PLACE: Mutex<String> = Mutex::new(String::new());

/// Keeps where a panic happened, and not what it said: the message may hold content.
fn remember_panics() {
    std::panic::set_hook(Box::new(|info| {
        if let Some(location) = info.location() {
            let place = format!("{}:{}:{}", short_path(location.file()), location.line(), location.column());
            *PANIC_PLACE.lock().unwrap_or_else(PoisonError::into_inner) = place;
        }
    }));
}

fn panic_place() -> String {
    PANIC_PLACE.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Crate folder, `src` and what follows: enough to find the line, without the place where it was built.
fn short_path(path: &str) -> &str {
    let Some(src) = path.rfind("/src/") else { return path.rsplit('/').next().unwrap_or(path) };
    let before = path.get(..src).unwrap_or_default();
    let from = before.rfind('/').map_or(0, |slash| slash + 1);
    path.get(from..).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::short_path;

    #[test]
    fn a_place_names_the_crate_and_not_the_builder() {
        assert_eq!(
            short_path("/root/.cargo/registry/src/index-1/zune-jpeg-0.5/src/a/b.rs"),
            "zune-jpeg-0.5/src/a/b.rs"
        );
        assert_eq!(short_path("crates/avocet-media/src/x.rs"), "avocet-media/src/x.rs");
        assert_eq!(short_path("/home/someone/x.rs"), "x.rs");
        assert_eq!(short_path("src/x.rs"), "x.rs");
    }
}
