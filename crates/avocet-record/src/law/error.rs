//! What can be wrong with a data file.

/// A data file that cannot be used. The message names the file, the row and the field, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum LawError {
    /// The file cannot be read.
    #[error("{file} cannot be read: {error}. Make it readable, or remove it so that the built-in table is used")]
    Read {
        /// Its path.
        file: Box<str>,
        /// What the system says.
        #[source]
        error: std::io::Error,
    },
    /// The file is too large to be such a table.
    #[error("{file} is larger than {limit} bytes and cannot be a table of this kind. Check that it is the right file")]
    TooLarge {
        /// Its path.
        file: Box<str>,
        /// The largest size in bytes.
        limit: u64,
    },
    /// The file is not TOML.
    #[error("{file}, line {line}: {what}. Correct that line")]
    Syntax {
        /// Its path or its name as a built-in table.
        file: Box<str>,
        /// Line, from 1; 0 where it is not known.
        line: usize,
        /// What the parser says.
        what: Box<str>,
    },
    /// The head of the file is wrong.
    #[error("{file}, head, field `{field}`: {what}. {next}")]
    Head {
        /// Its path or its name as a built-in table.
        file: Box<str>,
        /// The field.
        field: Box<str>,
        /// What is wrong, a clause.
        what: Box<str>,
        /// What to do, a clause.
        next: Box<str>,
    },
    /// A row is wrong.
    #[error("{file}, row {row} (`{id}`), field `{field}`: {what}. {next}")]
    Row {
        /// Its path or its name as a built-in table.
        file: Box<str>,
        /// The row, from 1.
        row: usize,
        /// The row's id; empty where it has none.
        id: Box<str>,
        /// The field; `?` where the parser does not say.
        field: Box<str>,
        /// What is wrong, a clause.
        what: Box<str>,
        /// What to do, a clause.
        next: Box<str>,
    },
    /// The rows do not fit together.
    #[error("{file}: {what}. {next}")]
    Table {
        /// Its path or its name as a built-in table.
        file: Box<str>,
        /// What is wrong, a clause.
        what: Box<str>,
        /// What to do, a clause.
        next: Box<str>,
    },
}
