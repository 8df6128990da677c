//! Who may sign in.

use std::fmt;

use avocet_base::Sha256;
use sqlx::Row as _;
use zeroize::Zeroizing;

use super::Desk;
use crate::digest;
use crate::error::{RecordError, Result};
use crate::event::Event;
use crate::ids::UserId;
use crate::keys::{COST, Secret, hex, random, stretch, unhex};
use crate::law::{Law, Right};
use crate::store::{Permit, Store, Tx};

/// Someone who may sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Who.
    pub user: UserId,
    /// What they sign in with.
    pub login: String,
    /// Their roles.
    pub roles: Vec<String>,
    /// Whether they still may.
    pub active: bool,
}

/// What proves later that somebody signed in. It ends with the password and with the account.
#[derive(Clone, PartialEq, Eq)]
pub struct Pass {
    user: UserId,
    mark: Sha256,
}

impl Pass {
    /// Who signed in.
    #[must_use]
    pub fn user(&self) -> UserId {
        self.user
    }
}

/// Says whose it is, and nothing that could be repeated.
impl fmt::Debug for Pass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pass({})", self.user)
    }
}

/// Wrong passwords in a row after which an account is locked, and for how long.
const TRIES: u64 = 5;
const LOCKED_MINUTES: u64 = 15;

impl<'s> Desk<'s> {
    /// Makes the first account of a store, an administrator's.
    ///
    /// # Errors
    /// [`RecordError::Refused`] where there is an account already.
    pub async fn first_account(store: &Store, login: &str, password: &str) -> Result<UserId> {
        let hash = hash(password).await?;
        store
            .write(Permit::of_the_store(), async |tx| {
                if !tx.accounts().await?.is_empty() {
                    return Err(RecordError::Refused(
                        "there are accounts already; an administrator makes further ones".into(),
                    ));
                }
                make(tx, login, &["administrator".to_owned()], None, &hash).await
            })
            .await
    }

    /// Signs in. A wrong password is recorded; after five in a row the account is locked for a quarter of an hour.
    ///
    /// # Errors
    /// [`RecordError::SignIn`] for a wrong name or password alike; [`RecordError::LockedOut`].
    pub async fn sign_in(store: &'s Store, law: &'s Law, login: &str, password: &str) -> Result<Self> {
        let account = store.account_by_login(login).await?;
        let (stored, wrong) = match &account {
            Some(account) => (
                store.secret(&format!("password {}", account.user)).await?,
                Tries::parse(store.secret(&tries_name(account.user)).await?.as_deref()),
            ),
            None => (None, Tries::default()),
        };
        let now = store.now().ns();
        let waited = u64::try_from(now.saturating_sub(wrong.last)).unwrap_or(0) / 60_000_000_000;
        if wrong.count >= TRIES && waited < LOCKED_MINUTES {
            return Err(RecordError::LockedOut { minutes: LOCKED_MINUTES.saturating_sub(waited) });
        }
        // An unknown name costs as much time as a wrong password.
        let fits = check(password, stored.as_deref()).await?;
        let Some(account) = account else { return Err(RecordError::SignIn) };
        let user = account.user;
        let good = fits && account.active;
        if !good || wrong.count > 0 {
            store
                .write(Permit::new(user), async |tx| {
                    if good {
                        return tx.forget_secret(&tries_name(user)).await;
                    }
                    // Read again inside the change: tries made side by side all count.
                    let wrong = Tries::parse(tx.secret(&tries_name(user)).await?.as_deref());
                    let count = wrong.count.saturating_add(1);
                    tx.set_secret(&tries_name(user), &format!("{count} {now}")).await?;
                    tx.record(&Event::SignInFailed { user, in_a_row: count }).await.map(drop)
                })
                .await?;
        }
        if !good {
            return Err(RecordError::SignIn);
        }
        Ok(Desk { store, law, user, roles: account.roles })
    }

    /// What this person can come back with without a password, as long as nobody sets another.
    ///
    /// # Errors
    /// [`RecordError::SignIn`] where the account has no password any more.
    pub async fn pass(&self) -> Result<Pass> {
        let mark = mark(self.store, self.user).await?.ok_or(RecordError::SignIn)?;
        Ok(Pass { user: self.user, mark })
    }

    /// Comes back to the desk with a pass. The account is read anew: roles that were given or taken since count at once.
    ///
    /// # Errors
    /// [`RecordError::SignIn`] where the account was closed or its password is another.
    pub async fn resume(store: &'s Store, law: &'s Law, pass: &Pass) -> Result<Self> {
        if mark(store, pass.user).await?.as_ref() != Some(&pass.mark) {
            return Err(RecordError::SignIn);
        }
        let mut accounts = store.accounts().await?.into_iter();
        let account = accounts.find(|account| account.user == pass.user && account.active);
        let account = account.ok_or(RecordError::SignIn)?;
        Ok(Desk { store, law, user: account.user, roles: account.roles })
    }

    /// Everybody who has or had an account, for whoever is signed in: the others of a team are named to hand things to
    /// and to be put on investigations. Names are not in it.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn colleagues(&self) -> Result<Vec<Account>> {
        self.store.accounts().await
    }

    /// Makes an account.
    ///
    /// # Errors
    /// [`RecordError`] where the person may not, a role is unknown or the name is taken.
    pub async fn add_account(
        &self,
        login: &str,
        roles: &[String],
        name: Option<&str>,
        password: &str,
    ) -> Result<UserId> {
        self.check_roles(roles)?;
        let hash = hash(password).await?;
        self.write(Right::ManageUsers, None, async |tx| make(tx, login, roles, name, &hash).await).await
    }

    /// Gives someone other roles.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn set_roles(&self, user: UserId, roles: &[String], reason: &str) -> Result<()> {
        self.check_roles(roles)?;
        self.write(Right::ManageUsers, None, async |tx| {
            known(tx, user).await?;
            let event = Event::RolesSet { user, roles: roles.to_vec(), reason: reason.to_owned() };
            tx.record(&event).await.map(drop)
        })
        .await
    }

    /// Ends an account.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn close_account(&self, user: UserId, reason: &str) -> Result<()> {
        self.write(Right::ManageUsers, None, async |tx| {
            known(tx, user).await?;
            tx.forget_secret(&format!("password {user}")).await?;
            tx.record(&Event::AccountClosed { user, reason: reason.to_owned() }).await.map(drop)
        })
        .await
    }

    /// Sets a password: one's own, or as an administrator somebody's.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn set_password(&self, user: UserId, password: &str) -> Result<()> {
        let permit = match user == self.user {
            true => Permit::new(self.user),
            false => self.may(Right::ManageUsers, None).await?,
        };
        let hash = hash(password).await?;
        self.store
            .write(permit, async |tx| {
                known(tx, user).await?;
                tx.set_secret(&format!("password {user}"), &hash).await?;
                tx.record(&Event::PasswordSet { user }).await.map(drop)
            })
            .await
    }

    /// Everybody who has or had an account.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn accounts(&self) -> Result<Vec<Account>> {
        self.may(Right::ManageUsers, None).await?;
        self.store.accounts().await
    }

    fn check_roles(&self, roles: &[String]) -> Result<()> {
        match roles.iter().find(|role| self.law.roles.row(role).is_none()) {
            Some(role) => Err(RecordError::Refused(format!("there is no role {role:?}; `avocet law list` shows them"))),
            None if roles.is_empty() => Err(RecordError::Refused("an account needs a role".into())),
            None => Ok(()),
        }
    }
}

/// Of the password that an account has now.
async fn mark(store: &Store, user: UserId) -> Result<Option<Sha256>> {
    let stored = store.secret(&format!("password {user}")).await?;
    Ok(stored.map(|stored| digest(stored.as_bytes())))
}

async fn known(tx: &mut Tx<'_>, user: UserId) -> Result<()> {
    let there = tx.accounts().await?.iter().any(|account| account.user == user);
    if there { Ok(()) } else { Err(RecordError::Unknown { what: user.to_string() }) }
}

async fn make(tx: &mut Tx<'_>, login: &str, roles: &[String], name: Option<&str>, hash: &str) -> Result<UserId> {
    let fine =
        !login.is_empty() && login.len() <= 64 && login.chars().all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c));
    if !fine {
        let why = "a sign-in name has up to 64 letters, digits, dots, hyphens or underscores";
        return Err(RecordError::Refused(why.into()));
    }
    if tx.accounts().await?.iter().any(|account| account.login == login) {
        return Err(RecordError::Refused("this sign-in name is taken; choose another".into()));
    }
    let user = UserId::new(tx.give(UserId::PREFIX).await?);
    let name = match name {
        Some(name) => Some(tx.new_key(&user.to_string()).await?.seal(&name.to_owned())?),
        None => None,
    };
    tx.set_secret(&format!("password {user}"), hash).await?;
    tx.record(&Event::AccountMade { user, login: login.to_owned(), roles: roles.to_vec(), name }).await?;
    Ok(user)
}

fn tries_name(user: UserId) -> String {
    format!("tries {user}")
}

/// Wrong passwords in a row, and when the last was.
#[derive(Debug, Default, Clone, Copy)]
struct Tries {
    count: u64,
    last: i64,
}

impl Tries {
    fn parse(text: Option<&str>) -> Self {
        let parsed = text.and_then(|text| text.split_once(' '));
        let parsed =
            parsed.and_then(|(count, last)| Some(Self { count: count.parse().ok()?, last: last.parse().ok()? }));
        parsed.unwrap_or_default()
    }
}

/// `argon2id MEMORY PASSES SALT HASH`. Computed aside, so that a server goes on answering.
async fn hash(password: &str) -> Result<String> {
    if !(10..=1024).contains(&password.len()) {
        return Err(RecordError::Refused("a password has 10 to 1024 bytes; choose another".into()));
    }
    let salt = random()?;
    let out = derive(password, &salt, COST).await?;
    Ok(format!("argon2id {} {} {} {}", COST.0, COST.1, hex(&salt), hex(out.as_ref())))
}

async fn check(password: &str, stored: Option<&str>) -> Result<bool> {
    let parts: Vec<&str> = stored.unwrap_or_default().split(' ').collect();
    let (cost, salt, wanted) = match parts.as_slice() {
        ["argon2id", memory, passes, salt, hash] => (
            (memory.parse().unwrap_or(COST.0), passes.parse().unwrap_or(COST.1)),
            unhex(salt).unwrap_or_default(),
            unhex(hash),
        ),
        _ => (COST, vec![0; 32], None),
    };
    let got = derive(password, &salt, cost).await?;
    // Compared without stopping at the first difference.
    Ok(wanted.is_some_and(|wanted| {
        wanted.len() == got.len() && wanted.iter().zip(got.iter()).fold(0u8, |all, (a, b)| all | (a ^ b)) == 0
    }))
}

async fn derive(password: &str, salt: &[u8], cost: (u32, u32)) -> Result<Secret> {
    let password = Zeroizing::new(password.to_owned());
    let salt = salt.to_vec();
    let done = tokio::task::spawn_blocking(move || stretch(&password, &salt, cost));
    done.await.ok().flatten().ok_or_else(|| RecordError::Refused("the password could not be computed".into()))
}

/// An account from a row of `account`.
pub(crate) fn from_row(row: &sqlx::any::AnyRow) -> std::result::Result<Account, sqlx::Error> {
    let id: String = row.try_get(0)?;
    let roles: String = row.try_get(2)?;
    Ok(Account {
        user: id.parse().map_err(|e| sqlx::Error::Decode(Box::new(e)))?,
        login: row.try_get(1)?,
        roles: roles.split(' ').filter(|r| !r.is_empty()).map(str::to_owned).collect(),
        active: row.try_get::<i64, _>(3)? != 0,
    })
}
