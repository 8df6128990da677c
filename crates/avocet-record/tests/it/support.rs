//! Stores to test with, and where the shared test data lies.
#![allow(dead_code, reason = "each module uses another part")]

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use avocet_record::desk::Desk;
use avocet_record::keys::Unlock;
use avocet_record::law::Law;
use avocet_record::store::{Init, Store};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};

/// The administrator of a store, made where there is none: one entry. Changes of tests pass the gate like all others.
pub async fn admin<'s>(store: &'s Store, law: &'s Law) -> Desk<'s> {
    const PASSWORD: &str = "a long enough password";
    if let Ok(desk) = Desk::sign_in(store, law, "admin", PASSWORD).await {
        return desk;
    }
    Desk::first_account(store, "admin", PASSWORD).await.unwrap();
    Desk::sign_in(store, law, "admin", PASSWORD).await.unwrap()
}

/// A file of the shared test data, where the data is present.
pub fn testdata(path: &str) -> Option<PathBuf> {
    let root = match std::env::var_os("AVOCET_TESTDATA") {
        Some(root) => PathBuf::from(root),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/testdata"),
    };
    Some(root.join(path)).filter(|p| p.try_exists().unwrap_or(false))
}

/// A store in a folder of its own, that can be opened again and meddled with.
pub struct Place {
    pub folder: tempfile::TempDir,
    pub postgres: Option<String>,
}

impl Place {
    pub fn dir(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    pub fn unlock(&self) -> Unlock {
        Unlock::key_file(&self.folder.path().join("store-key")).unwrap()
    }

    pub async fn open(&self) -> avocet_record::Result<Store> {
        Store::open(&self.dir(), &self.unlock()).await
    }

    /// Runs statements behind the store's back, as somebody with access to the database could.
    pub async fn meddle(&self, statements: &str) {
        let url = match &self.postgres {
            Some(url) => url.clone(),
            None => format!("sqlite://{}", self.dir().join("record.db").display()),
        };
        sqlx::any::install_default_drivers();
        let mut conn = sqlx::AnyConnection::connect(&url).await.unwrap();
        conn.execute(sqlx::raw_sql(AssertSqlSafe(statements.to_owned()))).await.unwrap();
        conn.close().await.unwrap();
    }
}

async fn new_place(postgres: Option<String>) -> (Place, Store) {
    let folder = tempfile::tempdir().unwrap();
    let unlock = Unlock::new_key_file(&folder.path().join("store-key")).unwrap();
    let place = Place { folder, postgres };
    let init = Init { dir: &place.dir(), postgres: place.postgres.as_deref(), title: "Test team" };
    let store = Store::init(&init, &unlock).await.unwrap();
    (place, store)
}

/// Runs a test on SQLite, and on PostgreSQL where `tools/postgres.sh` started one.
pub fn on_each_database(test: impl AsyncFn(Place, Store)) {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let (place, store) = new_place(None).await;
        test(place, store).await;
        let Some(server) = std::env::var("AVOCET_TEST_POSTGRES").ok() else {
            println!("1 case skipped: PostgreSQL is not there (tools/postgres.sh starts one)");
            return;
        };
        let name = format!("avocet_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        sqlx::any::install_default_drivers();
        let mut conn = sqlx::AnyConnection::connect(&format!("{server}/postgres")).await.unwrap();
        conn.execute(sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name}")))).await.unwrap();
        let (place, store) = new_place(Some(format!("{server}/{name}"))).await;
        test(place, store).await;
        conn.execute(sqlx::raw_sql(AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)")))).await.unwrap();
    });
}

/// A seeded row of numbers (SplitMix64), so that a failure can be repeated.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
}
