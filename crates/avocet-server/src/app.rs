//! What every request shares.

use std::sync::Arc;

use avocet_record::law::Law;
use avocet_record::store::Store;
use tokio::sync::Semaphore;

use crate::limit::Limiter;
use crate::pages::Screens;
use crate::pictures::Pictures;
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
    pub(crate) pictures: Pictures,
    pub(crate) screens: Screens,
}

impl App {
    /// The store that is served.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Serves this store by these tables, without small pictures.
    #[must_use]
    pub fn new(store: Store, law: Law) -> Arc<Self> {
        Self::with_pictures(store, law, Pictures::default())
    }

    /// Serves this store by these tables, with the small pictures of its examinations.
    #[must_use]
    pub fn with_pictures(store: Store, law: Law, pictures: Pictures) -> Arc<Self> {
        Arc::new(Self {
            store,
            law,
            sessions: Sessions::default(),
            tries: Limiter::default(),
            work: Semaphore::new(AT_ONCE),
            sign_ins: Semaphore::new(SIGN_INS_AT_ONCE),
            pictures,
            screens: Screens::default(),
        })
    }
}
