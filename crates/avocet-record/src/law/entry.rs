//! Rows of every table in one shape, for lists.

use std::fmt;

use avocet_base::Sha256;

use super::table::{LawRow, Origin, Provenance, Table};

/// One row as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The table's name.
    pub table: &'static str,
    /// The table's version.
    pub version: String,
    /// SHA-256 of the table's file.
    pub digest: Sha256,
    /// Built in, or a file of the user's.
    pub origin: Origin,
    /// The row's id.
    pub id: String,
    /// What it says.
    pub summary: String,
    /// Where it comes from.
    pub provenance: Provenance,
}

/// `risk-levels/high: ... [second hand; England and Wales; checked 2026-11-23; source: ...]`
impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}: {} [{}]", self.table, self.id, self.summary, self.provenance)
    }
}

/// Every row of a table, in its order.
#[must_use]
pub fn entries<T: LawRow>(table: &Table<T>) -> Vec<Entry> {
    let entry = |row: &super::Row<T>| Entry {
        table: T::TABLE,
        version: table.version.clone(),
        digest: table.digest,
        origin: table.origin.clone(),
        id: row.id.clone(),
        summary: row.value.summary(),
        provenance: row.provenance.clone(),
    };
    table.rows.iter().map(entry).collect()
}
