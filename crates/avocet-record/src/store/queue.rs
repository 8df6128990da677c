//! The rows of the investigations that the queue is made of, kept in memory between two looks at it: with ten thousand of
//! them reading every row is most of what a look costs, and between two looks a few change.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sqlx::Any;
use sqlx::Row as _;
use sqlx::pool::PoolConnection;

use super::read::{InvestigationRow, investigation, text};
use super::{Store, db};
use crate::at::At;
use crate::error::{DatabaseResult as _, RecordError, Result};
use crate::ids::InvestigationId;
use crate::parts::in_parts;

/// After more entries than this every row is read again.
const MOST_CHANGES: u64 = 500;

/// What was read, and as of when.
#[derive(Debug, Default)]
pub(super) struct Kept {
    as_of: AsOf,
    rows: BTreeMap<InvestigationId, Arc<InvestigationRow>>,
}

/// The last entry of the ledger, and when the rows were last made anew from it. Every change of a row is written together
/// with an entry that names the investigation, by whichever program; a rebuild writes none, and says when it was.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct AsOf {
    seq: u64,
    rebuilt: Option<String>,
}

impl Store {
    /// The rows of the investigations that the queue has.
    pub(crate) async fn open_investigations(&self) -> Result<Vec<Arc<InvestigationRow>>> {
        let mut conn = self.db.reader().await?;
        let mut kept = self.queue.lock().await;
        // Before the rows are read: what is written meanwhile is read again the next time.
        let now = as_of(&mut conn).await?;
        let behind = now.seq.checked_sub(kept.as_of.seq).filter(|_| kept.as_of.rebuilt == now.rebuilt);
        match behind {
            Some(0) => {}
            Some(1..=MOST_CHANGES) if kept.as_of.seq > 0 => {
                let mut changed = BTreeSet::new();
                for row in rows!(conn, SUBJECTS_AFTER, db::int(kept.as_of.seq)) {
                    changed.extend(text(&row, 0)?.split(' ').filter_map(|id| id.parse::<InvestigationId>().ok()));
                }
                for id in changed {
                    match investigation(&mut conn, id).await {
                        Ok(row) if row.item.is_queued() => drop(kept.rows.insert(id, Arc::new(row))),
                        Ok(_) | Err(RecordError::Unknown { .. }) => drop(kept.rows.remove(&id)),
                        Err(other) => return Err(other),
                    }
                }
            }
            _ => kept.rows = all(&mut conn).await?,
        }
        // Only now: where reading failed, it is tried again as of what was read.
        kept.as_of = now;
        #[cfg(debug_assertions)]
        self.compare(&mut conn, &kept).await?;
        Ok(kept.rows.values().cloned().collect())
    }

    /// In every test: what is kept is what a reader who keeps nothing would see.
    #[cfg(debug_assertions)]
    async fn compare(&self, conn: &mut PoolConnection<Any>, kept: &Kept) -> Result<()> {
        let fresh = all(conn).await?;
        let unchanged = as_of(conn).await? == kept.as_of;
        assert!(!unchanged || fresh == kept.rows, "a row changed and no entry names its investigation");
        Ok(())
    }
}

async fn as_of(conn: &mut PoolConnection<Any>) -> Result<AsOf> {
    let Some(row) = row!(*conn, ROWS_AS_OF) else { return Ok(AsOf::default()) };
    let seq: Option<i64> = row.try_get(0).when("read the last entry")?;
    let rebuilt = row.try_get(1).when("read when rows were made anew")?;
    Ok(AsOf { seq: seq.and_then(|seq| u64::try_from(seq).ok()).unwrap_or(0), rebuilt })
}

async fn all(conn: &mut PoolConnection<Any>) -> Result<BTreeMap<InvestigationId, Arc<InvestigationRow>>> {
    let row = row!(*conn, OPEN_INVESTIGATIONS, "\n");
    let text: Option<String> = row.map(|row| row.try_get(0)).transpose().when("read the queue")?.flatten();
    // JSON writes a line's end as two characters.
    let text = text.unwrap_or_default();
    let read = |line| line_of(line).map(|row| (row.id, Arc::new(row)));
    in_parts(text.lines().collect(), read).into_iter().collect()
}

/// The row of an investigation as a line of the queue's text: id, owner, time received, what it sums up.
fn line_of(line: &str) -> Result<InvestigationRow> {
    let mut parts = line.splitn(4, ' ');
    let mut next = || parts.next().unwrap_or_default();
    let (id, owner, received, item) = (next(), next(), next(), next());
    let damaged = || RecordError::Refused(format!("the row of {id} is damaged; run `avocet record rebuild`"));
    Ok(InvestigationRow {
        id: id.parse().map_err(|_| damaged())?,
        owner: owner.parse().map_err(|_| damaged())?,
        received: At::from_ns(received.parse().map_err(|_| damaged())?),
        item: serde_json::from_str(item).map_err(|_| damaged())?,
    })
}
