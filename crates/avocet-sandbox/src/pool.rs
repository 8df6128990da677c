//! Many workers, taken by whoever calls.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use crate::confinement::Confinement;
use crate::fault::{Fault, StartError};
use crate::host::{Areas, Worker};
use crate::spec::{Limits, Spec};

/// Workers, started when they are needed and replaced when they are worn out or at fault. Calls may come from many
/// threads at once. Dropping the pool ends every worker.
#[derive(Debug)]
pub struct Pool {
    state: Mutex<State>,
    changed: Condvar,
    /// Asks the starting thread for a worker. `None` only while the pool is being dropped.
    starter: Option<Sender<Sender<Result<Worker, StartError>>>>,
    thread: Option<JoinHandle<()>>,
    limits: Limits,
    workers: usize,
    confinement: Confinement,
}

#[derive(Debug, Default)]
struct State {
    idle: Vec<Worker>,
    /// Idle, at work or being started.
    live: usize,
    /// Process numbers of idle and working workers.
    processes: Vec<u32>,
    started: u64,
}

impl Pool {
    /// Starts the first worker, to know that the program is one and what confines it.
    pub fn start(spec: Spec) -> Result<Self, StartError> {
        let settings = |reason| Err(StartError::Settings { reason });
        if spec.workers == 0 {
            return settings("a pool needs at least one worker");
        }
        if !spec.program.is_absolute() {
            return settings("the program must be an absolute path, as workers start in /");
        }
        if spec.limits.wall.is_zero() || spec.limits.cpu_seconds == 0 {
            return settings("the limits on time must not be zero");
        }
        // Deadlines are computed by adding to the clock; a century is no limit anyway.
        if spec.limits.wall.as_secs() > 100 * 366 * 86_400 {
            return settings("the limit on time is too large");
        }
        let Some(areas) = Areas::new(&spec.limits) else {
            return settings("the largest request and reply are too large");
        };
        let limits = spec.limits.clone();
        let workers = spec.workers;
        let (starter, asked) = channel();
        let thread = std::thread::Builder::new()
            .name("sandbox-start".to_owned())
            .spawn(move || start_workers(&spec, areas, &asked))
            .map_err(|error| StartError::System { step: "thread", reason: error.kind().to_string() })?;
        let mut pool = Self {
            state: Mutex::default(),
            changed: Condvar::new(),
            starter: Some(starter),
            thread: Some(thread),
            limits,
            workers,
            confinement: Confinement::default(),
        };
        let first = pool.start_worker()?;
        pool.confinement = first.confinement().clone();
        {
            let mut state = pool.lock();
            state.live = 1;
            state.note_start(&first);
            state.idle.push(first);
        }
        Ok(pool)
    }

    /// What confines the workers. All of them: a later worker with less would not have been accepted, unless weaker
    /// confinement was allowed.
    #[must_use]
    pub fn confinement(&self) -> &Confinement {
        &self.confinement
    }

    /// Process numbers of the workers that live now, ascending.
    #[must_use]
    pub fn processes(&self) -> Vec<u32> {
        let mut all = self.lock().processes.clone();
        all.sort_unstable();
        all
    }

    /// How many workers were started so far, replacements included.
    #[must_use]
    pub fn started(&self) -> u64 {
        self.lock().started
    }

    /// Has an idle worker handle the parts, as one payload, and gives its reply. Waits until a worker is idle, or starts
    /// one where fewer than allowed live; the wall-clock limit counts from when the worker has the request.
    ///
    /// The reply comes from a process that nobody trusts: its length is within the limit, its content is the caller's to
    /// check. A fault costs this call alone, and is not tried again.
    pub fn call(&self, kind: u32, parts: &[&[u8]]) -> Result<Vec<u8>, Fault> {
        let size = parts.iter().fold(0usize, |size, part| size.saturating_add(part.len()));
        if size > self.limits.max_request {
            let wide = |value: usize| u64::try_from(value).unwrap_or(u64::MAX);
            return Err(Fault::RequestTooLarge { size: wide(size), max: wide(self.limits.max_request) });
        }
        let mut lease = self.lease()?;
        let Some(worker) = lease.worker.as_mut() else {
            return Err(Fault::ProtocolBroken { what: "no worker" });
        };
        let reply = worker.request(kind, parts, &self.limits);
        lease.good = reply.is_ok();
        reply
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that panics runs under the lock; were it so, the numbers are still right.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A worker that is ready, for one call.
    fn lease(&self) -> Result<Lease<'_>, Fault> {
        let mut state = self.lock();
        loop {
            if let Some(worker) = state.idle.pop() {
                drop(state);
                let mut lease = Lease { pool: self, worker: Some(worker), good: true };
                // One that died or spoke out of turn while idle costs nobody a call.
                if lease.worker.as_mut().is_some_and(|worker| worker.is_ready(&self.limits)) {
                    return Ok(lease);
                }
                lease.good = false;
                drop(lease);
                state = self.lock();
            } else if state.live < self.workers {
                state.live += 1;
                drop(state);
                let mut lease = Lease { pool: self, worker: None, good: false };
                let worker = self.start_worker()?;
                self.lock().note_start(&worker);
                lease.worker = Some(worker);
                return Ok(lease);
            } else {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    fn start_worker(&self) -> Result<Worker, StartError> {
        let gone = || StartError::System { step: "thread", reason: "the starting thread ended".to_owned() };
        let (answer, started) = channel();
        self.starter.as_ref().ok_or_else(gone)?.send(answer).map_err(|_| gone())?;
        started.recv().map_err(|_| gone())?
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        // Workers first: the kernel ends them anyway once the thread that started them ends.
        self.lock().idle.clear();
        self.starter = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl State {
    fn note_start(&mut self, worker: &Worker) {
        self.processes.push(worker.process());
        self.started += 1;
    }
}

/// A worker while a call has it. Also after a panic of the calling thread the place is free again.
struct Lease<'a> {
    pool: &'a Pool,
    worker: Option<Worker>,
    good: bool,
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let worker = self.worker.take();
        // Worn out ones end now and not in the next call.
        if self.good && worker.as_ref().is_some_and(|worker| !worker.is_worn(&self.pool.limits)) {
            self.pool.lock().idle.extend(worker);
        } else {
            let process = worker.as_ref().map(Worker::process);
            // Ends and reaps the process, which takes a moment: not under the lock.
            drop(worker);
            let mut state = self.pool.lock();
            state.live = state.live.saturating_sub(1);
            state.processes.retain(|&other| Some(other) != process);
        }
        self.pool.changed.notify_one();
    }
}

/// The one thread that starts workers, for as long as the pool lives. The kernel's "end with the parent" means the
/// thread that started the process: started from a caller's thread, a worker would die when that thread ends.
fn start_workers(spec: &Spec, areas: Areas, asked: &Receiver<Sender<Result<Worker, StartError>>>) {
    for answer in asked {
        // If the caller is gone, the worker comes back in the error and is ended by its drop.
        let _ = answer.send(Worker::start(spec, areas));
    }
}

// The pool is shared between threads by reference; this line does not compile if that is lost.
const _: fn() = || {
    fn shared<T: Send + Sync>() {}
    shared::<Arc<Pool>>();
};
