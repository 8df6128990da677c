//! EWF: the sections, the tables and every chunk. The input is one segment, or two where its first byte says so.
#![no_main]

use avocet_evidence::container::ewf::Ewf;
use avocet_evidence::{Source, VisitResult};

/// Bytes streamed of a medium, which a small file may declare as large as it likes.
const CAP: u64 = 8 << 20;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    // The two halves of a two-segment image lie one behind the other; the second begins with its own signature.
    let second = data.windows(8).skip(1).position(|w| w == b"EVF\x09\x0d\x0a\xff\x00").map(|at| at + 1);
    let segments = match second {
        Some(at) => vec![avocet_fuzz::source(&data[..at]), avocet_fuzz::source(&data[at..])],
        None => vec![avocet_fuzz::source(data)],
    };
    let Ok(ewf) = Ewf::from_sources(segments) else { return };
    let mut done = 0u64;
    let _ = ewf.stream(1, &mut |piece| {
        assert_eq!(piece.offset, done, "pieces follow one another");
        assert!(piece.length > 0);
        done += piece.length;
        if done < CAP { VisitResult::Continue(()) } else { VisitResult::Break(()) }
    });
    let mut buffer = [0; 5000];
    for offset in [0, 511, ewf.len() / 2, ewf.len().saturating_sub(1), u64::MAX] {
        let _ = ewf.read_at(offset, &mut buffer);
    }
});
