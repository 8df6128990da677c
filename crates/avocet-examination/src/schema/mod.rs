//! The tables of an examination file, in one place: what is created, what is read, what is hashed and what is expected
//! when a file is opened all come from [`tables`].

mod pictures;

pub(crate) use pictures::{
    MATCH_CHANGE, NEAR_MATCH, PICTURE, PICTURE_FACT, PICTURE_GROUP, PICTURE_HASH, PICTURE_IMAGE,
};

/// SQLite `application_id` of an examination file: the ASCII letters `AVCX`.
pub const APPLICATION_ID: i32 = 0x4156_4358;

/// Version of the schema that is written, kept in SQLite's `user_version` and in the result digest. Every version from
/// [`OLDEST_VERSION`] on is read.
pub const SCHEMA_VERSION: i32 = 2;

/// The first schema version.
pub(crate) const OLDEST_VERSION: i32 = 1;

/// How the rows of a table are ordered, by its first columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    /// One integer.
    Integer,
    /// Two integers.
    Pair,
    /// One text, ordered by its UTF-8 bytes.
    Text,
}

/// One table.
#[derive(Debug)]
pub(crate) struct Table {
    pub name: &'static str,
    pub key: Key,
    pub columns: &'static [&'static str],
    /// Whether its rows are part of the result digest.
    pub hashed: bool,
    /// The statement that creates it, exactly as SQLite keeps it.
    pub sql: &'static str,
    /// Inserts one row, all columns in order.
    pub insert: &'static str,
}

impl Table {
    /// Reads every row in the order of the key. Secondary indexes are not used: what one leaves out would be left out.
    pub fn select(&self) -> String {
        self.select_where("1")
    }

    /// As [`Table::select`], the rows for which a condition on the key holds.
    pub fn select_where(&self, condition: &str) -> String {
        let keys = if self.key == Key::Pair { 2 } else { 1 };
        let order = self.columns.iter().take(keys).copied().collect::<Vec<_>>().join(", ");
        format!("SELECT {} FROM {} NOT INDEXED WHERE {condition} ORDER BY {order}", self.columns.join(", "), self.name)
    }
}

macro_rules! mark {
    ($column:literal) => {
        ", ?"
    };
}

macro_rules! table {
    ($constant:ident, $name:literal, $key:ident, $hashed:literal, [$first:literal $(, $column:literal)* $(,)?], $body:literal) => {
        pub(crate) static $constant: Table = Table {
            name: $name,
            key: Key::$key,
            columns: &[$first $(, $column)*],
            hashed: $hashed,
            sql: concat!("CREATE TABLE ", $name, " (", $body),
            insert: concat!("INSERT INTO ", $name, " VALUES (?" $(, mark!($column))*, ")"),
        };
    };
}
pub(crate) use {mark, table};

table!(
    CONFIG,
    "config",
    Text,
    true,
    ["key", "value"],
    "
  key TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID"
);

table!(
    RUN,
    "run",
    Text,
    false,
    ["key", "value"],
    "
  key TEXT NOT NULL PRIMARY KEY, -- not part of the result digest: host, user, clock, threads, input paths, versions
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID"
);

table!(
    EVIDENCE,
    "evidence",
    Integer,
    true,
    [
        "id",
        "kind",
        "media_size",
        "exhibit",
        "segments",
        "stored_md5",
        "stored_sha1",
        "md5",
        "sha1",
        "sha256",
        "verdict"
    ],
    "
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  media_size INTEGER NOT NULL,
  exhibit TEXT,
  segments INTEGER NOT NULL,
  stored_md5 BLOB, -- as the image itself records it
  stored_sha1 BLOB,
  md5 BLOB, -- as computed in this examination
  sha1 BLOB,
  sha256 BLOB,
  verdict TEXT NOT NULL
) STRICT"
);

table!(
    EVIDENCE_FACT,
    "evidence_fact",
    Pair,
    true,
    ["evidence", "seq", "key", "value"],
    "
  evidence INTEGER NOT NULL REFERENCES evidence(id),
  seq INTEGER NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (evidence, seq)
) STRICT, WITHOUT ROWID"
);

table!(
    KNOWN_SET_V1,
    "known_set",
    Integer,
    true,
    ["id", "name", "format", "source_sha256", "scheme", "scheme_version", "scheme_digest", "records_kept", "rejected"],
    "
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  format TEXT NOT NULL,
  source_sha256 BLOB, -- of the set's own file
  scheme TEXT NOT NULL,
  scheme_version TEXT NOT NULL,
  scheme_digest BLOB,
  records_kept INTEGER NOT NULL,
  rejected INTEGER NOT NULL
) STRICT"
);

table!(
    KNOWN_SET,
    "known_set",
    Integer,
    true,
    [
        "id",
        "name",
        "version",
        "format",
        "source_sha256",
        "set_sha256",
        "scheme",
        "scheme_version",
        "scheme_digest",
        "records_kept",
        "rejected"
    ],
    "
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  version TEXT NOT NULL,
  format TEXT NOT NULL,
  source_sha256 BLOB, -- of what the set was made from
  set_sha256 BLOB, -- of the compiled set: the exact version
  scheme TEXT NOT NULL,
  scheme_version TEXT NOT NULL,
  scheme_digest BLOB,
  records_kept INTEGER NOT NULL,
  rejected INTEGER NOT NULL
) STRICT"
);

table!(
    VOLUME,
    "volume",
    Integer,
    true,
    ["id", "label", "start", "length", "status", "kind", "fs_label", "serial", "cluster_size", "time_source", "detail"],
    "
  id INTEGER PRIMARY KEY,
  label TEXT NOT NULL, -- where it was found, such as gpt:2
  start INTEGER NOT NULL, -- bytes from the start of the evidence
  length INTEGER NOT NULL,
  status TEXT NOT NULL,
  kind TEXT,
  fs_label TEXT,
  serial TEXT,
  cluster_size INTEGER NOT NULL,
  time_source TEXT,
  detail TEXT NOT NULL
) STRICT"
);

table!(
    SPACE,
    "space",
    Integer,
    true,
    ["id", "volume", "kind", "start", "length"],
    "
  id INTEGER PRIMARY KEY,
  volume INTEGER REFERENCES volume(id), -- NULL: start counts from the start of the evidence
  kind TEXT NOT NULL,
  start INTEGER NOT NULL,
  length INTEGER NOT NULL
) STRICT"
);

table!(
    FILE,
    "file",
    Integer,
    true,
    [
        "id",
        "volume",
        "path",
        "stream",
        "kind",
        "state",
        "number",
        "size",
        "created",
        "modified",
        "accessed",
        "changed",
        "deleted",
        "name_created",
        "name_modified",
        "name_accessed",
        "name_changed",
        "zone",
        "md5",
        "sha1",
        "sha256",
        "unreadable",
        "media",
        "format",
        "note",
        "parent"
    ],
    "
  id INTEGER PRIMARY KEY,
  volume INTEGER NOT NULL REFERENCES volume(id),
  path TEXT NOT NULL, -- escaped, see the specification
  stream TEXT,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  number INTEGER NOT NULL,
  size INTEGER NOT NULL, -- below zero: add 2^64
  created INTEGER, -- this and the other times: nanoseconds since 1970-01-01
  modified INTEGER,
  accessed INTEGER,
  changed INTEGER,
  deleted INTEGER,
  name_created INTEGER,
  name_modified INTEGER,
  name_accessed INTEGER,
  name_changed INTEGER,
  zone TEXT NOT NULL,
  md5 BLOB,
  sha1 BLOB,
  sha256 BLOB,
  unreadable TEXT,
  media TEXT,
  format TEXT,
  note TEXT NOT NULL,
  parent INTEGER REFERENCES file(id)
) STRICT"
);

table!(
    EXTENT,
    "extent",
    Pair,
    true,
    ["file", "seq", "logical", "length", "start"],
    "
  file INTEGER NOT NULL REFERENCES file(id),
  seq INTEGER NOT NULL,
  logical INTEGER NOT NULL, -- bytes from the start of the file
  length INTEGER NOT NULL,
  start INTEGER, -- bytes from the start of the volume; NULL: stored nowhere, reads as zero
  PRIMARY KEY (file, seq)
) STRICT, WITHOUT ROWID"
);

table!(
    ORIGINAL_NAME,
    "original_name",
    Integer,
    true,
    ["file", "original_path", "deleted", "info_file"],
    "
  file INTEGER PRIMARY KEY REFERENCES file(id),
  original_path TEXT NOT NULL,
  deleted INTEGER,
  info_file INTEGER NOT NULL REFERENCES file(id)
) STRICT"
);

table!(
    KNOWN_MATCH,
    "known_match",
    Pair,
    true,
    ["file", "seq", "known_set", "record", "basis", "category", "meaning", "alerts", "hides", "series"],
    "
  file INTEGER NOT NULL REFERENCES file(id),
  seq INTEGER NOT NULL,
  known_set INTEGER NOT NULL REFERENCES known_set(id),
  record TEXT NOT NULL,
  basis TEXT NOT NULL,
  category TEXT, -- in the scheme of the set
  meaning TEXT,
  alerts INTEGER NOT NULL,
  hides INTEGER NOT NULL,
  series TEXT,
  PRIMARY KEY (file, seq)
) STRICT, WITHOUT ROWID"
);

table!(
    PROBLEM,
    "problem",
    Integer,
    true,
    ["seq", "volume", "layer", "code", "offset", "path", "detail"],
    "
  seq INTEGER PRIMARY KEY,
  volume INTEGER REFERENCES volume(id),
  layer TEXT NOT NULL,
  code TEXT NOT NULL,
  offset INTEGER,
  path TEXT,
  detail TEXT NOT NULL
) STRICT"
);

table!(
    COMPLETENESS,
    "completeness",
    Integer,
    true,
    ["seq", "level", "code", "count", "bytes", "text"],
    "
  seq INTEGER PRIMARY KEY,
  level TEXT NOT NULL,
  code TEXT NOT NULL,
  count INTEGER NOT NULL,
  bytes INTEGER,
  text TEXT NOT NULL
) STRICT"
);

table!(
    RESULT,
    "result",
    Integer,
    false,
    ["id", "digest"],
    "
  id INTEGER PRIMARY KEY, -- always 1
  digest BLOB NOT NULL -- SHA-256 over all tables except run and result
) STRICT"
);

static TABLES_V1: [&Table; 14] = [
    &CONFIG,
    &EVIDENCE,
    &EVIDENCE_FACT,
    &KNOWN_SET_V1,
    &VOLUME,
    &SPACE,
    &FILE,
    &EXTENT,
    &ORIGINAL_NAME,
    &KNOWN_MATCH,
    &PROBLEM,
    &COMPLETENESS,
    &RUN,
    &RESULT,
];

static TABLES_V2: [&Table; 21] = [
    &CONFIG,
    &EVIDENCE,
    &EVIDENCE_FACT,
    &KNOWN_SET,
    &VOLUME,
    &SPACE,
    &FILE,
    &EXTENT,
    &ORIGINAL_NAME,
    &KNOWN_MATCH,
    &PICTURE,
    &PICTURE_IMAGE,
    &PICTURE_HASH,
    &PICTURE_FACT,
    &NEAR_MATCH,
    &PICTURE_GROUP,
    &MATCH_CHANGE,
    &PROBLEM,
    &COMPLETENESS,
    &RUN,
    &RESULT,
];

/// Every table of a schema version, in the order in which they are created and hashed. The version is one that
/// [`crate::read`] has let through.
pub(crate) fn tables(version: i32) -> &'static [&'static Table] {
    if version == 1 { &TABLES_V1 } else { &TABLES_V2 }
}

/// The one secondary index: name, table and statement. It answers "where else is this content?" for other programs; the
/// reader of this crate does not use it.
pub(crate) const INDEX: (&str, &str, &str) =
    ("file_sha256", "file", "CREATE INDEX file_sha256 ON file(sha256) WHERE sha256 IS NOT NULL");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_listed_are_the_columns_created_and_keys_come_first() {
        for (version, table) in (OLDEST_VERSION..=SCHEMA_VERSION).flat_map(|v| tables(v).iter().map(move |t| (v, t))) {
            let conn = rusqlite::Connection::open_in_memory().unwrap();
            conn.execute_batch(table.sql).unwrap();
            let mut info = conn.prepare("SELECT name, pk FROM pragma_table_info(?)").unwrap();
            let columns: Vec<(String, usize)> = info
                .query_map([table.name], |r| Ok((r.get(0)?, r.get::<_, i64>(1)? as usize)))
                .unwrap()
                .map(Result::unwrap)
                .collect();
            assert_eq!(
                columns.iter().map(|c| c.0.as_str()).collect::<Vec<_>>(),
                table.columns,
                "{version} {}",
                table.name
            );
            let keys = if table.key == Key::Pair { 2 } else { 1 };
            let expected: Vec<usize> = (1..=columns.len()).map(|i| if i <= keys { i } else { 0 }).collect();
            assert_eq!(columns.iter().map(|c| c.1).collect::<Vec<_>>(), expected, "{}", table.name);
            // Reading in the order of the key needs no sorting, so a hostile file cannot make one necessary.
            let plan: String =
                conn.query_row(&format!("EXPLAIN QUERY PLAN {}", table.select()), [], |r| r.get(3)).unwrap();
            assert_eq!(plan, format!("SCAN {}", table.name));
        }
    }
}
