//! What every request shares.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use avocet_record::law::Law;
use avocet_record::store::Store;
use tokio::sync::Semaphore;

use crate::jobs::Jobs;
use crate::limit::Limiter;
use crate::pictures::Pictures;
use crate::sealed::Sealed;
use crate::session::Sessions;

/// Requests that are worked on at the same time; others wait.
const AT_ONCE: usize = 48;
/// Passwords that are computed at the same time: each takes its memory.
const SIGN_INS_AT_ONCE: usize = 4;

/// What the server was started with beside the store. Nothing of it comes from a browser.
#[derive(Debug)]
pub struct Setup {
    /// The small pictures.
    pub pictures: Pictures,
    /// Sealed examinations that can be attached, and where new ones go.
    pub examinations: Option<PathBuf>,
    /// Evidence sources that can be examined.
    pub evidence: Option<PathBuf>,
    /// Files of known sets that can be imported.
    pub set_files: Option<PathBuf>,
    /// Where backups go.
    pub backups: Option<PathBuf>,
    /// This program, which examinations and imports are run with.
    pub program: PathBuf,
    /// The key file that new small pictures open with; `None` for a key of their own in the store.
    pub picture_key: Option<PathBuf>,
    /// Without use for so long a session ends.
    pub idle: Duration,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            pictures: Pictures::default(),
            examinations: None,
            evidence: None,
            set_files: None,
            backups: None,
            program: PathBuf::new(),
            picture_key: None,
            idle: Duration::from_secs(30 * 60),
        }
    }
}

/// A store that is open to be served.
#[derive(Debug)]
pub struct App {
    pub(crate) store: Store,
    pub(crate) law: Law,
    pub(crate) sessions: Sessions,
    pub(crate) tries: Limiter,
    pub(crate) work: Semaphore,
    pub(crate) sign_ins: Semaphore,
    pub(crate) setup: Setup,
    pub(crate) jobs: Jobs,
    pub(crate) sealed: Sealed,
}

impl App {
    /// The store that is served.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The small pictures that are open.
    #[must_use]
    pub fn pictures(&self) -> &Pictures {
        &self.setup.pictures
    }

    /// Serves this store by these tables, and nothing else.
    #[must_use]
    pub fn new(store: Store, law: Law) -> Arc<Self> {
        Self::with(store, law, Setup::default())
    }

    /// Serves this store by these tables, with what else there is.
    #[must_use]
    pub fn with(store: Store, law: Law, setup: Setup) -> Arc<Self> {
        Arc::new(Self {
            store,
            law,
            sessions: Sessions::that_last(setup.idle),
            tries: Limiter::default(),
            work: Semaphore::new(AT_ONCE),
            sign_ins: Semaphore::new(SIGN_INS_AT_ONCE),
            setup,
            jobs: Jobs::default(),
            sealed: Sealed::default(),
        })
    }
}
