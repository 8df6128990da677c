//! Who is signed in. A session lives in memory: a restart of the server signs everybody out.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use avocet_record::desk::Pass;
use sha2::{Digest as _, Sha256};

/// The cookie. Its prefix makes browsers refuse it without TLS, for another path or from another host.
pub const COOKIE: &str = "__Host-avocet";
/// The cookie that ties the form for signing in to the browser that was shown it.
pub const FORM_COOKIE: &str = "__Host-avocet-form";
/// Without a request for so long a session ends.
const IDLE: Duration = Duration::from_secs(30 * 60);
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
}

impl Session {
    fn lives(&self, now: Instant) -> bool {
        now.duration_since(self.last) < IDLE && now.duration_since(self.began) < LONGEST
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
#[derive(Debug, Default)]
pub struct Sessions(Mutex<HashMap<Key, Session>>);

impl Sessions {
    fn all(&self) -> std::sync::MutexGuard<'_, HashMap<Key, Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a session, and answers the cookie's value.
    pub fn begin(&self, pass: Pass, login: &str, now: Instant) -> std::io::Result<String> {
        let (cookie, csrf) = (random()?, random()?);
        let mut all = self.all();
        all.retain(|_, session| session.lives(now));
        let login = login.to_owned();
        all.insert(key(&cookie), Session { pass, login, csrf, notice: None, began: now, last: now });
        Ok(cookie)
    }

    /// The session of a cookie, where it lives. It is used with this.
    pub fn find(&self, cookie: &str, now: Instant) -> Option<Signed> {
        let mut all = self.all();
        let key = key(cookie);
        let session = all.get_mut(&key).filter(|session| session.lives(now));
        let Some(session) = session else {
            all.remove(&key);
            return None;
        };
        session.last = now;
        Some(Signed { pass: session.pass.clone(), login: session.login.clone(), csrf: session.csrf.clone(), key })
    }

    /// Ends a session.
    pub fn end(&self, signed: &Signed) {
        self.all().remove(&signed.key);
    }

    /// What the next page of the session says at its top, once.
    pub fn tell(&self, signed: &Signed, notice: String) {
        if let Some(session) = self.all().get_mut(&signed.key) {
            session.notice = Some(notice);
        }
    }

    /// Takes what there is to say.
    pub fn told(&self, signed: &Signed) -> Option<String> {
        self.all().get_mut(&signed.key).and_then(|session| session.notice.take())
    }
}
