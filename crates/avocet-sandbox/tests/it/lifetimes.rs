//! Workers that are killed from outside, holders that are killed, and what is left behind.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use avocet_sandbox::Fault;

use crate::support::{ECHO, Parent, WORK, field, lines, pool, probe};

fn kill(process: u32) {
    let status = Command::new("kill").args(["-9", &process.to_string()]).stderr(Stdio::null()).status().unwrap();
    // It may have been replaced in this very moment.
    let _ = status;
}

/// Whether a process still lives; one that is dead and not yet reaped does not.
fn lives(process: u32) -> bool {
    let state = field(Path::new(&format!("/proc/{process}/status")), "State");
    state.is_some_and(|state| !state.starts_with('Z') && !state.starts_with('X'))
}

#[test]
fn a_killed_worker_loses_exactly_what_it_held() {
    const THREADS: usize = 4;
    const CALLS: usize = 50;
    let pool = Arc::new(pool(THREADS));
    let next = Arc::new(AtomicUsize::new(0));
    let over = Arc::new(AtomicBool::new(false));
    let killer = {
        let (pool, over) = (Arc::clone(&pool), Arc::clone(&over));
        std::thread::spawn(move || {
            let mut killed = BTreeSet::new();
            while !over.load(Ordering::Relaxed) && killed.len() < 6 {
                std::thread::sleep(Duration::from_millis(120));
                let all = pool.processes();
                if let Some(&victim) = all.get(killed.len() % all.len().max(1)) {
                    kill(victim);
                    killed.insert(victim);
                }
            }
            killed.len()
        })
    };
    let threads: Vec<_> = (0..THREADS)
        .map(|_| {
            let (pool, next) = (Arc::clone(&pool), Arc::clone(&next));
            std::thread::spawn(move || {
                let (mut right, mut lost) = (0, 0);
                for _ in 0..CALLS {
                    let number = next.fetch_add(1, Ordering::Relaxed) as u64;
                    let mut want = number.to_le_bytes();
                    want.reverse();
                    match pool.call(WORK, &[&number.to_le_bytes()]) {
                        Ok(reply) => {
                            assert_eq!(reply, want);
                            right += 1;
                        }
                        Err(Fault::Killed) => lost += 1,
                        Err(other) => panic!("{other:?}"),
                    }
                }
                (right, lost)
            })
        })
        .collect();
    let (mut right, mut lost) = (0, 0);
    for thread in threads {
        let (r, l) = thread.join().unwrap();
        right += r;
        lost += l;
    }
    over.store(true, Ordering::Relaxed);
    let killed = killer.join().unwrap();
    assert_eq!(right + lost, THREADS * CALLS, "every request is answered or reported");
    assert!(killed > 0);
    assert!(lost <= killed, "{lost} lost by {killed} kills");
    assert!(lost > 0, "none was caught at work, so nothing was shown");
    println!("{killed} workers killed, {lost} requests lost and reported, {right} answered right");
}

#[test]
fn a_worker_killed_while_idle_costs_no_call() {
    let pool = pool(1);
    for _ in 0..10 {
        kill(pool.processes()[0]);
        std::thread::sleep(Duration::from_millis(20));
        assert_eq!(pool.call(ECHO, &[b"ab"]).unwrap(), b"ba");
    }
}

#[test]
fn no_worker_survives_its_parent() {
    let mut parent = Parent::start(Command::new(probe()));
    let workers = parent.workers.clone();
    for &worker in &workers {
        assert!(lives(worker));
    }
    parent.child.kill().unwrap();
    parent.child.wait().unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while workers.iter().any(|&worker| lives(worker)) {
        assert!(Instant::now() < deadline, "a worker outlives its parent");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn dropping_a_pool_ends_its_workers() {
    let pool = pool(2);
    pool.call(ECHO, &[b"x"]).unwrap();
    let workers = pool.processes();
    assert!(!workers.is_empty());
    drop(pool);
    // Ended and reaped: not even a number is left.
    for worker in workers {
        assert!(!Path::new(&format!("/proc/{worker}")).try_exists().unwrap());
    }
}

#[test]
fn a_worker_outlives_the_thread_that_needed_it() {
    assert_eq!(lines(Command::new(probe()), "short-threads"), ["100\t2"], "100 right answers from two workers");
}

#[test]
fn a_thousand_workers_leave_nothing_behind() {
    let output = lines(Command::new(probe()), "leaks");
    let numbers: Vec<u64> = output[0].split('\t').map(|number| number.parse().unwrap()).collect();
    let [started, before, after, mapped_before, mapped_after] = numbers[..] else { panic!("{output:?}") };
    assert_eq!(started, 1000);
    // At the first count no worker is alive, as at the last.
    assert_eq!(before, after, "descriptors");
    // A mapping of 2 MiB that is not undone would be 2 GB by now.
    assert!(mapped_after < mapped_before + 64 * 1024, "{mapped_before} KiB, then {mapped_after} KiB");
    println!(
        "1,000 workers: {before} descriptors before and {after} after, {mapped_before} and {mapped_after} KiB mapped"
    );
}
