//! Law, clocks, levels and the rights of roles, as data: tables of rows that each say where they come from, whose law
//! they state, when the source was read and how sure we are.
//!
//! # File format
//! TOML. Head: `table` (its name, which is also the file's name), `version`, `title`, `jurisdiction`. Then `[[rows]]`:
//! each has `id` (unique; small letters, digits, `-` and `_`), `source`, `checked` (`YYYY-MM-DD`), `status` (`confirmed`,
//! `second hand` or `to be confirmed`), where it differs from the head's its own `jurisdiction`, and the fields of its
//! kind. Unknown fields are errors: a misspelt field must not be taken for one left out.

mod entry;
mod error;
mod period;
mod role;
mod table;
mod tables;

pub use entry::{Entry, entries};
pub use error::LawError;
pub use period::{Period, PeriodUnit};
pub use role::{AUDITOR, Right, RightScope, Role};
pub use table::{LawRow, Origin, Provenance, Row, Status, Table, WrongField, WrongTable};
pub use tables::{Law, Power, ReferralSource, TABLES, strays};
