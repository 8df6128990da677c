//! The database: SQLite in the folder, or PostgreSQL at an address.

use std::path::Path;

use avocet_base::Sha256;
use sqlx::any::{AnyPoolOptions, AnyRow};
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyPool, AssertSqlSafe, Executor as _, Row as _};

use super::{files, schema, sql};
use crate::error::{DatabaseResult as _, RecordError, Result};

/// Which database holds a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Database {
    /// A file in the store's folder.
    Sqlite,
    /// A server.
    Postgres,
}

impl Database {
    /// A text of the schema in this database's words.
    pub fn words(self, text: &str) -> String {
        let (blob, big) = match self {
            Self::Sqlite => ("BLOB", "INTEGER"),
            Self::Postgres => ("BYTEA", "BIGINT"),
        };
        text.replace("{blob}", blob).replace("{big}", big)
    }
}

/// A database that is connected.
#[derive(Debug)]
pub struct Db {
    /// Which it is.
    pub kind: Database,
    pool: AnyPool,
}

impl Db {
    /// Connects to the database of a store.
    pub async fn connect(dir: &Path) -> Result<Self> {
        sqlx::any::install_default_drivers();
        let (kind, url) = match files::read_address(dir)? {
            Some(url) => (Database::Postgres, url),
            None => (Database::Sqlite, sqlite_url(&files::database(dir))),
        };
        let pool = AnyPoolOptions::new().max_connections(8).after_connect(move |conn, _| {
            Box::pin(async move {
                if kind == Database::Sqlite {
                    // An erased key must not stay in free pages; a committed entry must survive a power cut.
                    let pragmas = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
                                   PRAGMA secure_delete = ON; PRAGMA busy_timeout = 30000";
                    conn.execute(sqlx::raw_sql(pragmas)).await?;
                }
                Ok(())
            })
        });
        let pool = pool.connect(&url).await.when("open the record")?;
        Ok(Self { kind, pool })
    }

    /// A connection for reading, or for a writer that holds the lock.
    pub async fn reader(&self) -> Result<PoolConnection<Any>> {
        self.pool.acquire().await.when("give a connection")
    }

    /// Ends every connection, so that SQLite tidies its files away.
    pub async fn close(self) {
        self.pool.close().await;
    }

    /// Brings the tables to this program's version. Answers of which version they were; 0 where there were none.
    pub async fn migrate(&self) -> Result<i64> {
        let mut conn = self.reader().await?;
        begin(&mut conn, self.kind).await?;
        let done = self.migrate_in(&mut conn).await;
        let end = if done.is_ok() { "COMMIT" } else { "ROLLBACK" };
        conn.execute(sqlx::raw_sql(end)).await.when("bring its tables to this version")?;
        done
    }

    async fn migrate_in(&self, conn: &mut PoolConnection<Any>) -> Result<i64> {
        let what = "bring its tables to this version";
        let tables = match self.kind {
            Database::Sqlite => "SELECT count(*) FROM sqlite_master WHERE name = 'meta'",
            Database::Postgres => {
                "SELECT count(*) FROM information_schema.tables WHERE table_name = 'meta' AND table_schema = current_schema()"
            }
        };
        let there: i64 = sqlx::query(tables).fetch_one(&mut **conn).await.and_then(|row| row.try_get(0)).when(what)?;
        let found = if there == 0 {
            0
        } else {
            let row = sqlx::query(sql::META).bind("schema").fetch_one(&mut **conn).await.when(what)?;
            row.try_get::<String, _>(0).when(what)?.parse().unwrap_or(i64::MAX)
        };
        if found > schema::VERSION {
            return Err(RecordError::Newer { found, known: schema::VERSION });
        }
        for step in schema::STEPS.iter().skip(usize::try_from(found).unwrap_or(0)) {
            for statement in *step {
                let statement = self.kind.words(statement);
                conn.execute(sqlx::raw_sql(AssertSqlSafe(statement))).await.when(what)?;
            }
        }
        sqlx::query(sql::SET_META)
            .bind("schema")
            .bind(schema::VERSION.to_string())
            .execute(&mut **conn)
            .await
            .when(what)?;
        Ok(found)
    }
}

/// Begins a transaction that no other writer can interleave.
pub async fn begin(conn: &mut PoolConnection<Any>, kind: Database) -> Result<()> {
    match kind {
        Database::Sqlite => conn.execute(sqlx::raw_sql("BEGIN IMMEDIATE")).await.map(drop),
        Database::Postgres => match conn.execute(sqlx::raw_sql("BEGIN")).await {
            // The lock is let go by the end of the transaction.
            Ok(_) => conn.execute(sqlx::raw_sql("SELECT pg_advisory_xact_lock(4176)")).await.map(drop),
            Err(e) => Err(e),
        },
    }
    .when("begin a change")
}

fn sqlite_url(path: &Path) -> String {
    // A path may hold characters that mean something in an address.
    let mut url = "sqlite://".to_owned();
    for byte in std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str()) {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => url.push(char::from(*byte)),
            _ => url.push_str(&format!("%{byte:02X}")),
        }
    }
    url.push_str("?mode=rwc");
    url
}

/// A number of ours as the databases hold it; they have no unsigned integers.
pub fn int(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// A number that is never negative.
pub fn uint(row: &AnyRow, at: usize) -> Result<u64> {
    Ok(u64::try_from(row.try_get::<i64, _>(at).when("read a number")?).unwrap_or(0))
}

/// A digest.
pub fn sha256(row: &AnyRow, at: usize) -> Result<Sha256> {
    let bytes: Vec<u8> = row.try_get(at).when("read a digest")?;
    // Bytes of another length come from no program of ours; as zeros they fit nothing, and the check names the entry.
    Ok(Sha256(bytes.try_into().unwrap_or([0; 32])))
}
