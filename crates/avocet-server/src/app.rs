//! What every request shares.

use std::sync::Arc;

use avocet_record::law::Law;
use avocet_record::store::Store;
use tokio::sync::Semaphore;

use crate::limit::Limiter;
use crate::session::Sessions;

/// Requests that are worked on at the same time; others wait.
const AT_ONCE: usize = 48;
/// Passwords that are computed at the same time: each takes its memory.
const SIGN_INS_AT_ONCE: usize = 4;

/// A store that is open to be served.
#[derive(Debug)]
pub struct App {
    pub(crate) store: Store,
    pub(crate) law: Law,
    pub(crate) sessions: Sessions,
    pub(crate) tries: Limiter,
    pub(crate) work: Semaphore,
    pub(crate) sign_ins: Semaphore,
}

impl App {
    /// Serves this store by these tables.
    #[must_use]
    pub fn new(store: Store, law: Law) -> Arc<Self> {
        Arc::new(Self {
            store,
            law,
            sessions: Sessions::default(),
            tries: Limiter::default(),
            work: Semaphore::new(AT_ONCE),
            sign_ins: Semaphore::new(SIGN_INS_AT_ONCE),
        })
    }
}
