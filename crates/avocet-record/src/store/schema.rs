//! The tables, in one text for both databases.

/// The version that this program writes.
pub const VERSION: i64 = 4;

/// The last version that changed what rows which only repeat facts say. The first program of that version, or a later one,
/// that opens an older store makes them anew.
pub const ROWS: i64 = 4;

/// Statements that lead from each version to the next; the first makes version 1 out of nothing. `{blob}` and `{big}` are
/// the databases' own words for bytes and 64-bit integers.
///
/// `ledger`, `content`, `touched`, `given`, `person_key`, `secret` and `document` are what the record *is*. `lease` and
/// `passed` say who has what before them now and are no part of it: they run out, and nothing is lost with them. Every other
/// table only repeats, for quick answers, what the facts say, and is made anew by a rebuild.
pub const STEPS: &[&[&str]] = &[
    &[
        "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
        "CREATE TABLE ledger (seq {big} PRIMARY KEY, at {big} NOT NULL, actor TEXT NOT NULL, kind TEXT NOT NULL, \
     subjects TEXT NOT NULL, content {blob} NOT NULL, previous {blob} NOT NULL, hash {blob} NOT NULL UNIQUE)",
        "CREATE TABLE content (seq {big} PRIMARY KEY, salt {blob} NOT NULL, body TEXT NOT NULL)",
        "CREATE TABLE touched (subject TEXT NOT NULL, seq {big} NOT NULL, PRIMARY KEY (subject, seq))",
        "CREATE TABLE given (prefix TEXT PRIMARY KEY, last {big} NOT NULL)",
        "CREATE TABLE person_key (id TEXT PRIMARY KEY, holder TEXT NOT NULL, wrapped {blob}, destroyed {big})",
        "CREATE INDEX person_key_holder ON person_key (holder)",
        "CREATE TABLE secret (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
        "CREATE TABLE document (id TEXT PRIMARY KEY, body {blob} NOT NULL)",
        // Made anew by a rebuild:
        "CREATE TABLE account (id TEXT PRIMARY KEY, login TEXT NOT NULL UNIQUE, roles TEXT NOT NULL, active {big} NOT NULL)",
        "CREATE TABLE member (investigation TEXT NOT NULL, account TEXT NOT NULL, PRIMARY KEY (investigation, account))",
        "CREATE TABLE investigation (id TEXT PRIMARY KEY, owner TEXT NOT NULL, received {big} NOT NULL, \
     open {big} NOT NULL, item TEXT NOT NULL)",
        "CREATE INDEX investigation_open ON investigation (open, received)",
        "CREATE TABLE referral (id TEXT PRIMARY KEY, source TEXT NOT NULL, received {big} NOT NULL, flags TEXT NOT NULL, \
     fields {big} NOT NULL, problems {big} NOT NULL)",
        // `key_id` is the key under which the identifier stands in its fact: destroyed, the row goes too.
        "CREATE TABLE identifier (token {blob} NOT NULL, subject TEXT NOT NULL, kind TEXT NOT NULL, key_id TEXT NOT NULL, \
     PRIMARY KEY (token, subject))",
        "CREATE INDEX identifier_subject ON identifier (subject)",
        "CREATE INDEX identifier_key ON identifier (key_id)",
        "CREATE TABLE part_of (subject TEXT PRIMARY KEY, investigation TEXT NOT NULL)",
        "CREATE INDEX part_of_investigation ON part_of (investigation)",
        "CREATE TABLE media (investigation TEXT NOT NULL, sha256 {blob} NOT NULL, kind TEXT NOT NULL, \
     places {big} NOT NULL, exhibits {big} NOT NULL, outcome TEXT NOT NULL, PRIMARY KEY (investigation, sha256))",
        "CREATE INDEX media_sha256 ON media (sha256)",
        "CREATE INDEX media_outcome ON media (investigation, outcome, sha256)",
        "CREATE TABLE media_place (sha256 {blob} NOT NULL, examination TEXT NOT NULL, exhibit TEXT NOT NULL, \
     files {big} NOT NULL, PRIMARY KEY (sha256, examination))",
        "CREATE INDEX media_place_examination ON media_place (examination)",
        "CREATE TABLE total (subject TEXT NOT NULL, what TEXT NOT NULL, n {big} NOT NULL, PRIMARY KEY (subject, what))",
    ],
    // The row of an investigation sums its risk up, and holds the moments of warrants: no statement, the rows are made anew.
    &[],
    REVIEW,
    CARE,
];

/// Version 4: limits of exposure. Both are made anew by a rebuild.
const CARE: &[&str] = &[
    // The minutes since 1970 in which somebody looked at something; `rest` is 1 where a break was recorded in it.
    "CREATE TABLE looked (account TEXT NOT NULL, minute {big} NOT NULL, rest {big} NOT NULL, PRIMARY KEY (account, minute))",
    // Clear views whose end is not recorded yet, by the entry with which they began.
    "CREATE TABLE open_view (view {big} PRIMARY KEY, account TEXT NOT NULL, sha256 {blob} NOT NULL, began {big} NOT NULL)",
];

/// Version 3: the review queue and what looking cost.
const REVIEW: &[&str] = &[
    // Made anew by a rebuild. `grp` is the SHA-256 of what stands for the group, or empty.
    "CREATE TABLE review (investigation TEXT NOT NULL, sha256 {blob} NOT NULL, todo {big} NOT NULL, reason {big} NOT NULL, \
     stack {big} NOT NULL, within {big} NOT NULL, grp {blob} NOT NULL, said TEXT NOT NULL, found TEXT NOT NULL, \
     PRIMARY KEY (investigation, sha256))",
    "CREATE INDEX review_queue ON review (investigation, todo, reason, stack, within, sha256)",
    "CREATE INDEX review_group ON review (investigation, grp)",
    "CREATE INDEX review_sha256 ON review (sha256)",
    // The last vote of each person on each content in each scheme.
    "CREATE TABLE voter (sha256 {blob} NOT NULL, account TEXT NOT NULL, scheme TEXT NOT NULL, investigation TEXT NOT NULL, \
     vote {big} NOT NULL, standing TEXT NOT NULL, grp TEXT NOT NULL, PRIMARY KEY (sha256, account, scheme))",
    "CREATE INDEX voter_account ON voter (account, investigation, vote)",
    "CREATE TABLE shown (account TEXT NOT NULL, sha256 {blob} NOT NULL, how TEXT NOT NULL, \
     PRIMARY KEY (account, sha256, how))",
    "CREATE TABLE exposure (account TEXT NOT NULL, day TEXT NOT NULL, investigation TEXT NOT NULL, what TEXT NOT NULL, \
     n {big} NOT NULL, ms {big} NOT NULL, PRIMARY KEY (account, day, investigation, what))",
    "CREATE INDEX exposure_day ON exposure (day)",
    // Not made anew:
    "CREATE TABLE lease (sha256 {blob} PRIMARY KEY, investigation TEXT NOT NULL, account TEXT NOT NULL, \
     todo {big} NOT NULL, ends {big} NOT NULL)",
    "CREATE INDEX lease_ends ON lease (ends)",
    "CREATE INDEX lease_account ON lease (account)",
    "CREATE TABLE passed (account TEXT NOT NULL, sha256 {blob} NOT NULL, at {big} NOT NULL, \
     PRIMARY KEY (account, sha256))",
];

/// The tables that a rebuild makes anew, with the order in which their rows are compared.
pub const PROJECTIONS: &[(&str, &str)] = &[
    ("account", "id"),
    ("member", "investigation, account"),
    ("investigation", "id"),
    ("referral", "id"),
    ("identifier", "token, subject"),
    ("part_of", "subject"),
    ("media", "investigation, sha256"),
    ("media_place", "sha256, examination"),
    ("total", "subject, what"),
    ("review", "investigation, sha256"),
    ("voter", "sha256, account, scheme"),
    ("shown", "account, sha256, how"),
    ("exposure", "account, day, investigation, what"),
    ("looked", "account, minute"),
    ("open_view", "view"),
];
