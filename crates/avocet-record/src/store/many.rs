//! Statements about many rows at once. A statement is handed to the thread that holds the connection and its answer handed
//! back, which costs more than most of the rows that are written when an examination is attached.

use std::fmt::Write as _;

/// A statement of which one part is repeated for each row.
#[derive(Debug, Clone, Copy)]
pub struct Many {
    pub name: &'static str,
    head: &'static str,
    /// Values of one row.
    columns: usize,
    /// Rows of one statement at most.
    pub rows: usize,
    tail: &'static str,
}

/// Rows of one statement; databases bound the number of values.
pub const ROWS: usize = 128;

/// Where an examination found contents.
pub const ADD_PLACES: Many = Many {
    name: "ADD_PLACES",
    head: "INSERT INTO media_place (sha256, examination, exhibit, files) VALUES ",
    columns: 4,
    rows: ROWS,
    tail: "",
};
/// Contents of an investigation; those that it has are found on one exhibit more.
pub const ADD_MEDIA: Many = Many {
    name: "ADD_MEDIA",
    head: "INSERT INTO media (investigation, sha256, kind, places, exhibits, outcome) VALUES ",
    columns: 6,
    rows: ROWS,
    tail: " ON CONFLICT (investigation, sha256) DO UPDATE \
           SET places = media.places + excluded.places, exhibits = media.exhibits + excluded.exhibits",
};
/// Contents of the review queue.
pub const ADD_REVIEW: Many = Many {
    name: "ADD_REVIEW",
    head: "INSERT INTO review (investigation, sha256, todo, reason, stack, within, grp, said, found) VALUES ",
    columns: 9,
    rows: ROWS,
    tail: "",
};
/// Which of these subjects have facts: one row of as many values as there are subjects.
pub const WITH_FACTS: Many = Many {
    name: "WITH_FACTS",
    head: "SELECT DISTINCT subject FROM touched WHERE subject IN ",
    columns: ROWS,
    rows: 1,
    tail: "",
};

/// Each of them, for the test that prepares every statement.
pub const ALL: [Many; 4] = [ADD_PLACES, ADD_MEDIA, ADD_REVIEW, WITH_FACTS];

impl Many {
    /// Its text for so many rows.
    pub fn text(self, rows: usize) -> String {
        let mut text = self.head.to_owned();
        for row in 0..rows {
            text.push_str(if row == 0 { "(" } else { ", (" });
            for column in 1..=self.columns {
                let comma = if column == 1 { "" } else { ", " };
                // Writing into a text does not fail.
                let _ = write!(text, "{comma}${}", row.saturating_mul(self.columns).saturating_add(column));
            }
            text.push(')');
        }
        text.push_str(self.tail);
        text
    }
}

/// Runs a statement about many rows: `many!(tx, STATEMENT, rows, row => value, value)`.
macro_rules! many {
    ($tx:expr, $statement:ident, $rows:expr, $row:pat => $($value:expr),+ $(,)?) => {
        for some in $rows.chunks($crate::store::many::ROWS) {
            let text = $crate::store::many::$statement.text(some.len());
            let mut query = sqlx::query(sqlx::AssertSqlSafe(text));
            for $row in some {
                query = query$(.bind($value))+;
            }
            $crate::error::DatabaseResult::when(
                query.execute(&mut *$tx.conn).await,
                concat!("write (", stringify!($statement), ")"),
            )?;
        }
    };
}
pub(super) use many;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_a_number_of_its_own() {
        let two = Many {
            name: "T",
            head: "INSERT INTO t (a, b) VALUES ",
            columns: 2,
            rows: 3,
            tail: " ON CONFLICT DO NOTHING",
        };
        assert_eq!(two.text(1), "INSERT INTO t (a, b) VALUES ($1, $2) ON CONFLICT DO NOTHING");
        assert_eq!(two.text(3), "INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4), ($5, $6) ON CONFLICT DO NOTHING");
    }
}
