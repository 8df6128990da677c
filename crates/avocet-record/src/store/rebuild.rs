//! Making the repeating rows anew from the ledger and its contents, and comparing.

use sqlx::{AssertSqlSafe, Column as _, Executor as _, Row as _, ValueRef as _};

use super::tx::{self, Tx};
use super::{Permit, Store, schema};
use crate::at::{At, Recorded};
use crate::error::{DatabaseResult as _, Result};
use crate::keys::hex;

/// A table whose rows are not what the facts say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Which table.
    pub table: &'static str,
    /// How many rows stood there that the facts do not give.
    pub extra: u64,
    /// How many rows the facts give that did not stand there.
    pub missing: u64,
}

impl Store {
    /// Makes every row that only repeats facts anew, and says where the old rows differed. With `keep` the new rows stay;
    /// without it nothing is changed.
    ///
    /// # Errors
    /// [`crate::RecordError`] where the ledger cannot be read.
    pub async fn rebuild(&self, keep: bool) -> Result<Vec<Difference>> {
        let _guard = self.writer.lock().await;
        let mut tx = Tx::begin(self, Permit::of_the_store()).await?;
        match rebuild_in(&mut tx).await {
            Ok(differences) if keep => {
                // Whoever keeps rows in memory reads them anew.
                run!(tx, SET_META, "rebuilt", At::now().ns().to_string());
                tx.commit().await?;
                Ok(differences)
            }
            other => {
                tx.rollback().await;
                other
            }
        }
    }

    /// Makes the rows that repeat facts anew where an earlier version made them. What they were made by is written by the
    /// same change, so a program that is stopped in between begins again.
    pub(super) async fn bring_rows(&self) -> Result<()> {
        if self.rows_version().await? >= schema::ROWS {
            return Ok(());
        }
        let _guard = self.writer.lock().await;
        let mut tx = Tx::begin(self, Permit::of_the_store()).await?;
        let done = async {
            rebuild_in(&mut tx).await?;
            run!(tx, SET_META, "rows", schema::ROWS.to_string());
            Ok(())
        };
        match done.await {
            Ok(()) => tx.commit().await,
            Err(error) => {
                tx.rollback().await;
                Err(error)
            }
        }
    }

    /// The version by which the rows that repeat facts were made. Those of version 1 do not say so.
    async fn rows_version(&self) -> Result<i64> {
        let mut conn = self.db.reader().await?;
        let Some(row) = row!(conn, META, "rows") else { return Ok(1) };
        let text: String = row.try_get(0).when("read the version of its rows")?;
        Ok(text.parse().unwrap_or(1))
    }
}

async fn rebuild_in(tx: &mut Tx<'_>) -> Result<Vec<Difference>> {
    let mut before = Vec::new();
    for (table, order) in schema::PROJECTIONS {
        before.push(rows(tx, table, order).await?);
        let text = format!("DELETE FROM {table}");
        tx.conn.execute(sqlx::raw_sql(AssertSqlSafe(text))).await.when("empty a table")?;
    }
    let mut after = 0;
    loop {
        let page = tx::page(&mut tx.conn, after).await?;
        let Some(last) = page.last() else { break };
        after = last.seq;
        for Recorded { seq, at, by, fact } in &page {
            tx.apply(&Recorded { seq: *seq, at: *at, by: *by, fact }).await?;
        }
    }
    let mut differences = Vec::new();
    for ((table, order), before) in schema::PROJECTIONS.iter().zip(before) {
        let now = rows(tx, table, order).await?;
        let count = |of: &[String], other: &std::collections::BTreeSet<&String>| {
            u64::try_from(of.iter().filter(|row| !other.contains(row)).count()).unwrap_or(u64::MAX)
        };
        let extra = count(&before, &now.iter().collect());
        let missing = count(&now, &before.iter().collect());
        if extra != 0 || missing != 0 {
            differences.push(Difference { table, extra, missing });
        }
    }
    Ok(differences)
}

/// Every row of a table as text.
async fn rows(tx: &mut Tx<'_>, table: &str, order: &str) -> Result<Vec<String>> {
    let text = format!("SELECT * FROM {table} ORDER BY {order}");
    let rows = sqlx::query(AssertSqlSafe(text)).fetch_all(&mut *tx.conn).await.when("read a table")?;
    rows.iter()
        .map(|row| {
            let mut line = String::new();
            for column in row.columns() {
                let at = column.ordinal();
                let null = row.try_get_raw(at).when("read a table")?.is_null();
                let value = if null {
                    "-".to_owned()
                } else if let Ok(n) = row.try_get::<i64, _>(at) {
                    n.to_string()
                } else if let Ok(text) = row.try_get::<String, _>(at) {
                    text
                } else {
                    hex(&row.try_get::<Vec<u8>, _>(at).when("read a table")?)
                };
                line.push_str(&value);
                line.push('\t');
            }
            Ok(line)
        })
        .collect()
}
