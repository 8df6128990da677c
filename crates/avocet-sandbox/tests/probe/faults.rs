//! What a worker that is broken, or taken over, does to its parent.

use std::time::{Duration, Instant};

use crate::sys;

pub const ECHO: u32 = 100;

/// Lets a worker be caught in the middle: answers after so many milliseconds of computing.
pub const WORK: u32 = 101;

fn frame(tag: &[u8; 4], len: u64, sequence: u64) -> [u8; 24] {
    let mut out = [0; 24];
    out[..4].copy_from_slice(&[tag[3], tag[2], tag[1], tag[0]]);
    out[8..16].copy_from_slice(&len.to_le_bytes());
    out[16..].copy_from_slice(&sequence.to_le_bytes());
    out
}

fn send(bytes: &[u8]) {
    let _ = sys::write(0, bytes);
}

fn work(milliseconds: u64) {
    let end = Instant::now() + Duration::from_millis(milliseconds);
    while Instant::now() < end {
        std::hint::spin_loop();
    }
}

fn park() -> ! {
    loop {
        std::thread::park();
    }
}

fn dig(depth: u64) -> u64 {
    let block = std::hint::black_box([depth; 512]);
    if depth == u64::MAX { 0 } else { dig(depth + 1) + block[(depth % 512) as usize] }
}

/// Frames that are nearly right, cut, doubled or noise, and then an end of some kind.
fn made_up(seed: u64, sequence: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0xdead_beef;
    let mut next = |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) % below
    };
    let mut bytes = Vec::new();
    for _ in 0..next(3) {
        let tag = [*b"LPR1", *b"CNP1", *b"GIB1", *b"QER1", *b"xxxx"][next(5) as usize];
        let edge = 1u64 << 20;
        let len = [0, 1, edge - 1, edge, edge + 1, 1 << 40, u64::MAX - 4096, u64::MAX][next(8) as usize];
        let number = [sequence, sequence, sequence, sequence + 1, sequence - 1, u64::MAX][next(6) as usize];
        let mut one = frame(&tag, len, number);
        if next(4) == 0 {
            one[next(24) as usize] ^= 1 << next(8);
        }
        bytes.extend_from_slice(&one);
    }
    let cut = if next(3) == 0 { next(24) as usize } else { 0 };
    bytes.truncate(bytes.len().saturating_sub(cut));
    send(&bytes);
    match next(8) {
        0 => park(),
        1 => std::process::exit(3),
        2 => std::process::abort(),
        3 => sys::crash(),
        _ => b"and a right one".to_vec(),
    }
}

pub fn handle(kind: u32, payload: &[u8], sequence: u64) -> Vec<u8> {
    match kind {
        ECHO => payload.iter().rev().copied().collect(),
        WORK => {
            work(20);
            payload.iter().rev().copied().collect()
        }
        102 => payload.iter().map(|&byte| u64::from(byte)).sum::<u64>().to_le_bytes().to_vec(),
        110 => sys::crash(),
        111 => std::process::abort(),
        112 => panic!("the message holds content: {payload:?}"),
        113 => park(),
        114 => loop {
            work(1000);
        },
        115 => {
            let mut hoard: Vec<Vec<u8>> = Vec::new();
            loop {
                hoard.push(vec![1; 4 << 20]);
            }
        }
        116 => vec![7; 3 << 20],
        117 => {
            send(&[0xa5; 4096]);
            park()
        }
        // Half a frame, and then silence.
        118 => {
            send(&[0; 7]);
            park()
        }
        // A reply longer than its area.
        119 => {
            send(&frame(b"LPR1", u64::MAX - 5, sequence));
            park()
        }
        // One right reply, and a second one that nobody asked for: this call is right, and the next must be too.
        120 => {
            send(&frame(b"LPR1", 3, sequence));
            b"two".to_vec()
        }
        121 => std::process::exit(7),
        122 => dig(0).to_le_bytes().to_vec(),
        // Warnings without end.
        123 => {
            for _ in 0..10_000 {
                let _ = sys::write(2, b"warning: something about the file\n");
            }
            b"done".to_vec()
        }
        124 => {
            while sys::cpu_milliseconds() < 600 * sequence {
                std::hint::spin_loop();
            }
            b"done".to_vec()
        }
        125 => std::process::id().to_le_bytes().to_vec(),
        // An answer to a request that was not made.
        126 => {
            send(&frame(b"LPR1", 0, sequence + 1));
            park()
        }
        // A length in the answer to a panic that lies.
        127 => {
            send(&frame(b"CNP1", u64::MAX, sequence));
            park()
        }
        128 => {
            let seed = payload.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
            made_up(seed, sequence)
        }
        _ => Vec::new(),
    }
}
