//! Tables of SQLite databases, and the records that an iOS backup keeps in them.
#![no_main]

use std::ops::ControlFlow;

use avocet_evidence::sqlite::{Database, Value};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(database) = Database::open(avocet_fuzz::source(data)) else { return };
    let tables = database.tables(&mut |p| assert!(!p.detail.is_empty())).unwrap_or_default();
    let (mut rows, mut bytes) = (0u64, 0usize);
    for table in tables.iter().take(8) {
        let _ = database.rows(table, &mut |p| assert!(!p.code.is_empty()), &mut |row| {
            rows += 1;
            bytes += row.values.iter().filter_map(Value::bytes).map(<[u8]>::len).sum::<usize>();
            // A chain of pages may be shared by many rows.
            if bytes > 64 << 20 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
    }
    assert!(rows <= 8 * data.len() as u64, "each page is read once a table");
});
