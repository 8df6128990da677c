//! Whatever a worker does, it costs one call, and the call says what happened.

use std::sync::Arc;
use std::time::{Duration, Instant};

use avocet_sandbox::{Fault, Pool};

use crate::support::{ECHO, pool, spec};

/// One bad call, then that the next is right. Answers the fault.
fn costs_one_call(pool: &Pool, kind: u32) -> Fault {
    assert_eq!(pool.call(ECHO, &[b"be", b"fore"]).unwrap(), b"erofeb");
    let fault = pool.call(kind, &[b"secret"]).unwrap_err();
    assert_eq!(pool.call(ECHO, &[b"after"]).unwrap(), b"retfa", "after {fault:?}");
    assert!(!fault.to_string().contains("secret"));
    fault
}

#[test]
fn a_crash_costs_one_call() {
    let pool = pool(1);
    assert_eq!(costs_one_call(&pool, 110), Fault::Crashed { signal: 11 });
    assert_eq!(costs_one_call(&pool, 111), Fault::Crashed { signal: 6 });
    assert_eq!(costs_one_call(&pool, 122), Fault::Crashed { signal: 11 }, "the stack");
    assert_eq!(costs_one_call(&pool, 121), Fault::Exited { code: 7 });
    assert_eq!(pool.started(), 5, "one worker for each fault and the first");
}

#[test]
fn a_panic_says_where_and_not_what() {
    let pool = pool(1);
    match costs_one_call(&pool, 112) {
        Fault::Panicked { at } => {
            assert!(at.starts_with("faults.rs:"), "{at}");
            assert!(!at.contains("content"));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_hang_costs_one_call() {
    let mut spec = spec();
    spec.limits.wall = Duration::from_millis(300);
    let pool = Pool::start(spec).unwrap();
    for kind in [113, 114, 118] {
        assert_eq!(costs_one_call(&pool, kind), Fault::TimedOut { seconds: 1 }, "kind {kind}");
    }
}

#[test]
fn used_up_processor_time_costs_one_call() {
    let mut spec = spec();
    spec.limits.cpu_seconds = 1;
    let pool = Pool::start(spec).unwrap();
    assert_eq!(costs_one_call(&pool, 114), Fault::CpuSpent);
}

#[test]
fn a_worker_is_replaced_before_its_time_is_up() {
    let mut spec = spec();
    spec.limits.cpu_seconds = 2;
    let pool = Pool::start(spec).unwrap();
    // 0.6 s of processor time each: more than twice a life in all, and yet no call may fail. After its second call a
    // worker has used half.
    for _ in 0..8 {
        assert_eq!(pool.call(124, &[]).unwrap(), b"done");
    }
    assert_eq!(pool.started(), 4);
}

#[test]
fn a_memory_bomb_costs_one_call() {
    let pool = pool(1);
    assert_eq!(costs_one_call(&pool, 115), Fault::OutOfMemory);
}

#[test]
fn a_huge_or_broken_reply_costs_one_call() {
    let pool = pool(1);
    assert_eq!(costs_one_call(&pool, 116), Fault::ReplyTooLarge { max: 1 << 20 });
    for kind in [117, 119, 126] {
        let fault = costs_one_call(&pool, kind);
        assert_eq!(fault.code(), "worker-protocol-broken", "kind {kind}: {fault:?}");
    }
    // Its place lies about its length: what is taken is bounded, and holds nothing but what a path needs.
    match costs_one_call(&pool, 127) {
        Fault::Panicked { at } => assert!(at.len() <= 120, "{at}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_second_reply_reaches_nobody() {
    let pool = pool(1);
    for _ in 0..20 {
        // The forged one comes first: this call gets three bytes of an area that nothing was written to.
        assert_eq!(pool.call(120, &[]).unwrap().len(), 3);
        // The worker is found out here at the latest, and this call must not pay for it.
        std::thread::sleep(Duration::from_millis(20));
        assert_eq!(pool.call(ECHO, &[b"ab"]).unwrap(), b"ba");
    }
}

#[test]
fn no_answer_that_a_worker_can_make_up_costs_more_than_its_call() {
    let mut spec = spec();
    spec.limits.wall = Duration::from_millis(400);
    let pool = Pool::start(spec).unwrap();
    let mut codes = std::collections::BTreeMap::new();
    for seed in 0..300u64 {
        let result = pool.call(128, &[&seed.to_le_bytes()]);
        let code = result.as_ref().map_or_else(Fault::code, |_| "reply");
        if let Ok(reply) = &result {
            assert!(reply.len() <= 1 << 20);
        }
        *codes.entry(code).or_insert(0) += 1;
        // A late frame may reach the next worker's turn only through this one's line, which is looked at first; give it
        // the time to arrive.
        std::thread::sleep(Duration::from_millis(5));
        assert_eq!(pool.call(ECHO, &[b"ab"]).unwrap(), b"ba", "after seed {seed}: {code}");
    }
    println!("{codes:?}");
    assert!(codes.len() >= 5, "the made-up answers are too much alike: {codes:?}");
}

#[test]
fn what_is_forbidden_has_a_name() {
    let pool = pool(1);
    assert_eq!(costs_one_call(&pool, 0), Fault::Forbidden);
}

#[test]
fn endless_warnings_hold_nobody_up() {
    let pool = pool(1);
    for _ in 0..5 {
        assert_eq!(pool.call(123, &[]).unwrap(), b"done");
    }
    assert_eq!(pool.started(), 1);
}

#[test]
fn sizes_at_and_over_the_edge() {
    let pool = pool(1);
    let max = 8 << 20;
    let mut large = vec![0u8; max];
    for (at, byte) in large.iter_mut().enumerate() {
        *byte = (at.wrapping_mul(2_654_435_761) >> 13) as u8;
    }
    // A reply holds 1 MiB at most.
    let edge = large.get(..1 << 20).unwrap();
    let reply = pool.call(ECHO, &[edge]).unwrap();
    assert!(reply.iter().rev().eq(edge));
    assert_eq!(pool.call(ECHO, &[&large]).unwrap_err(), Fault::ReplyTooLarge { max: 1 << 20 });
    assert_eq!(pool.call(1000, &[&large]).unwrap(), b"", "the largest request");
    let (one, two) = large.split_at(max / 2);
    let fault = pool.call(ECHO, &[one, two, b"x"]).unwrap_err();
    assert_eq!(fault, Fault::RequestTooLarge { size: (max + 1) as u64, max: max as u64 });
    assert_eq!(pool.call(ECHO, &[]).unwrap(), b"");
    assert_eq!(pool.call(ECHO, &[b"", b"a", b"", b"b"]).unwrap(), b"ba");
    assert_eq!(pool.started(), 2, "a request that is too large costs no worker");
}

#[test]
fn what_a_large_request_left_is_given_back() {
    let mut spec = spec();
    spec.limits.max_request = 64 << 20;
    let pool = Pool::start(spec).unwrap();
    let shared = || {
        let status = format!("/proc/{}/status", pool.processes()[0]);
        let text = crate::support::field(status.as_ref(), "RssShmem").unwrap();
        text.split_whitespace().next().unwrap().parse::<u64>().unwrap()
    };
    let large = vec![1u8; 64 << 20];
    // A sum over all bytes: the worker touches every page.
    assert_eq!(pool.call(102, &[&large]).unwrap(), (64u64 << 20).to_le_bytes());
    assert!(shared() <= 9 << 10, "{} KiB", shared());
    assert_eq!(pool.call(102, &[&large]).unwrap(), (64u64 << 20).to_le_bytes(), "and it is there again");
}

#[test]
fn workers_are_replaced_after_their_number_of_requests() {
    let mut spec = spec();
    spec.limits.requests_per_worker = 10;
    let pool = Pool::start(spec).unwrap();
    for _ in 0..100 {
        pool.call(ECHO, &[b"x"]).unwrap();
    }
    assert_eq!(pool.started(), 10);
}

#[test]
fn a_fault_in_one_worker_does_not_touch_the_others() {
    let pool = Arc::new(pool(2));
    let threads: Vec<_> = (0..4u32)
        .map(|thread| {
            let pool = Arc::clone(&pool);
            std::thread::spawn(move || {
                for call in 0..60u32 {
                    let bad = thread == 0 && call % 5 == 0;
                    let text = [thread as u8, call as u8, 3];
                    let result = pool.call(if bad { 110 } else { ECHO }, &[&text]);
                    if bad {
                        assert_eq!(result, Err(Fault::Crashed { signal: 11 }));
                    } else {
                        assert_eq!(result.unwrap(), [3, call as u8, thread as u8]);
                    }
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn no_more_workers_than_allowed_and_no_call_waits_for_ever() {
    let pool = Arc::new(pool(2));
    let start = Instant::now();
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let pool = Arc::clone(&pool);
            std::thread::spawn(move || {
                for _ in 0..20 {
                    assert!(pool.processes().len() <= 2);
                    pool.call(ECHO, &[b"x"]).unwrap();
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert!(start.elapsed() < Duration::from_secs(120));
    assert_eq!(pool.started(), 2);
}
