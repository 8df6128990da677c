//! Tests of the crate as its users see it.

mod lists;
mod lookup;
mod schemes;
mod shared;
mod support;
mod vics;
