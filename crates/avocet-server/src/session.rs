//! Who is signed in. A session lives in memory: a restart of the server signs everybody out.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use avocet_record::desk::Pass;
use sha2::{Digest as _, Sha256};

use crate::pages::Screen;

/// The cookie. Its prefix makes browsers refuse it without TLS, for another path or from another host.
pub const COOKIE: &str = "__Host-avocet";
/// The cookie that ties the form for signing in to the browser that was shown it.
pub const FORM_COOKIE: &str = "__Host-avocet-form";
/// Without a request for so long a session ends, where nobody says otherwise.
const IDLE: Duration = Duration::from_secs(30 * 60);
/// What ended is forgotten at the latest so long after it.
const SWEEP: Duration = Duration::from_secs(60);
/// A session ends after a long shift, whatever happens in it.
const LONGEST: Duration = Duration::from_secs(12 * 3600);

/// A random value of 256 bits in hexadecimal, for cookies and forms.
pub fn random() -> std::io::Result<String> {
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes).map_err(|e| std::io::Error::other(e.to_string()))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Whether two secrets are the same, without stopping at the first difference.
pub fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0u8, |all, (a, b)| all | (a ^ b)) == 0
}

type Key = [u8; 32];

fn key(cookie: &str) -> Key {
    Sha256::digest(cookie.as_bytes()).into()
}

#[derive(Debug)]
struct Session {
    pass: Pass,
    login: String,
    csrf: String,
    notice: Option<String>,
    began: Instant,
    last: Instant,
    /// What is on the review screen. It goes with the session.
    screen: Option<Screen>,
}

impl Session {
    fn left(&self, idle: Duration, now: Instant) -> Duration {
        let unused = idle.saturating_sub(now.duration_since(self.last));
        unused.min(LONGEST.saturating_sub(now.duration_since(self.began)))
    }
}

/// A session as a request has it.
#[derive(Clone)]
pub struct Signed {
    /// Who, as long as the password and the account stand.
    pub pass: Pass,
    /// What they signed in with.
    pub login: String,
    /// What every form of the session carries.
    pub csrf: String,
    key: Key,
}

/// Everybody's session, by the digest of the cookie: who reads the server's memory cannot sign in with what is there.
#[derive(Debug)]
pub struct Sessions {
    all: Mutex<(HashMap<Key, Session>, Instant)>,
    idle: Duration,
}

impl Default for Sessions {
    fn default() -> Self {
        Self { all: Mutex::new((HashMap::new(), Instant::now())), idle: IDLE }
    }
}

type All<'a> = std::sync::MutexGuard<'a, (HashMap<Key, Session>, Instant)>;

impl Sessions {
    /// Sessions that end after so long without use.
    pub fn that_last(idle: Duration) -> Self {
        Self { idle, ..Self::default() }
    }

    fn all(&self) -> All<'_> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same, without those that have ended.
    fn swept(&self, now: Instant, at_once: bool) -> All<'_> {
        let mut all = self.all();
        if at_once || now.duration_since(all.1) >= SWEEP {
            all.0.retain(|_, session| !session.left(self.idle, now).is_zero());
            all.1 = now;
        }
        all
    }

    /// Begins a session, and answers the cookie's value.
    pub fn begin(&self, pass: Pass, login: &str, now: Instant) -> std::io::Result<String> {
        let (cookie, csrf) = (random()?, random()?);
        let login = login.to_owned();
        let session = Session { pass, login, csrf, notice: None, began: now, last: now, screen: None };
        self.swept(now, true).0.insert(key(&cookie), session);
        Ok(cookie)
    }

    /// The session of a cookie, where it lives. `used` says whether a person asks: what a page asks by itself keeps no
    /// session alive.
    pub fn find(&self, cookie: &str, used: bool, now: Instant) -> Option<Signed> {
        let mut all = self.swept(now, false);
        let key = key(cookie);
        let session = all.0.get_mut(&key).filter(|session| !session.left(self.idle, now).is_zero());
        let Some(session) = session else {
            all.0.remove(&key);
            return None;
        };
        if used {
            session.last = now;
        }
        Some(Signed { pass: session.pass.clone(), login: session.login.clone(), csrf: session.csrf.clone(), key })
    }

    /// Ends a session.
    pub fn end(&self, signed: &Signed) {
        self.all().0.remove(&signed.key);
    }

    /// How long a session lives without use from now on.
    pub fn left(&self, signed: &Signed, now: Instant) -> Duration {
        self.all().0.get(&signed.key).map_or(Duration::ZERO, |session| session.left(self.idle, now))
    }

    /// How long before its end a page warns: five minutes, or half of what there is.
    pub fn warned_before(&self) -> Duration {
        Duration::from_secs(300).min(self.idle / 2)
    }

    /// Works on what is on the review screen of a session.
    pub fn screen<R>(&self, signed: &Signed, work: impl FnOnce(&mut Option<Screen>) -> R) -> Option<R> {
        self.all().0.get_mut(&signed.key).map(|session| work(&mut session.screen))
    }

    /// What the next page of the session says at its top, once.
    pub fn tell(&self, signed: &Signed, notice: String) {
        if let Some(session) = self.all().0.get_mut(&signed.key) {
            session.notice = Some(notice);
        }
    }

    /// Takes what there is to say.
    pub fn told(&self, signed: &Signed) -> Option<String> {
        self.all().0.get_mut(&signed.key).and_then(|session| session.notice.take())
    }
}
