//! Short forms of the calls that every part of the store makes.

/// Runs a statement of `sql` with values.
macro_rules! run {
    ($tx:expr, $statement:ident $(, $value:expr)* $(,)?) => {
        $crate::error::DatabaseResult::when(
            sqlx::query($crate::store::sql::$statement)$(.bind($value))*.execute(&mut *$tx.conn).await,
            concat!("write (", stringify!($statement), ")"),
        )?
    };
}

/// All rows that a statement of `sql` answers.
macro_rules! rows {
    ($conn:expr, $statement:ident $(, $value:expr)* $(,)?) => {
        $crate::error::DatabaseResult::when(
            sqlx::query($crate::store::sql::$statement)$(.bind($value))*.fetch_all(&mut *$conn).await,
            concat!("read (", stringify!($statement), ")"),
        )?
    };
}

/// The row that a statement of `sql` answers, if it does.
macro_rules! row {
    ($conn:expr, $statement:ident $(, $value:expr)* $(,)?) => {
        $crate::error::DatabaseResult::when(
            sqlx::query($crate::store::sql::$statement)$(.bind($value))*.fetch_optional(&mut *$conn).await,
            concat!("read (", stringify!($statement), ")"),
        )?
    };
}
