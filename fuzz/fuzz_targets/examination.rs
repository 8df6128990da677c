//! Sealed examination files: verifying one, and reading every row of one that claims to be whole.
#![no_main]

use std::ops::ControlFlow;

use avocet_examination::{Examination, FileFilter, ReadError, verify};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let file = avocet_fuzz::file(data);
    let _ = verify(file.path(), None, None);
    let Ok(sealed) = Examination::open(file.path()) else { return };
    let _ = (sealed.completeness(), sealed.problems(), sealed.volumes(), sealed.evidence(), sealed.result_digest());
    let mut rows = 0u64;
    let _ = sealed.files::<ReadError>(&FileFilter::default(), &mut |view| {
        rows += 1;
        let _ = sealed.extents(view.file.id);
        Ok(ControlFlow::Continue(()))
    });
    assert!(rows <= data.len() as u64, "no more rows than bytes");
});
