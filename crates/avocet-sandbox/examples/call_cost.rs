//! What a call to a worker costs, beside the same function called in process.
//!
//! `cargo run --release -p avocet-sandbox --example call_cost`
//!
//! Two functions: `nothing` looks at no byte; `sum` reads every byte once, so that the worker touches the whole buffer.
//! Each figure is the median of so many calls, and the best of five rounds that alternate between the two ways.
#![allow(clippy::print_stdout)]

use std::process::ExitCode;
use std::time::{Duration, Instant};

use avocet_sandbox::{Layers, Pool, Profile, Spec, worker_main};

const NOTHING: u32 = 0;
const SUM: u32 = 1;
/// Answers as many bytes as a small derivative has.
const REPLY: u32 = 2;

fn work(kind: u32, payload: &[u8]) -> Vec<u8> {
    match kind {
        NOTHING => Vec::new(),
        REPLY => vec![7; 200_000],
        _ => {
            let (words, rest) = payload.as_chunks::<8>();
            let words = words.iter().fold(0u64, |sum, word| sum.wrapping_add(u64::from_le_bytes(*word)));
            let rest = rest.iter().fold(0u64, |sum, &byte| sum.wrapping_add(u64::from(byte)));
            words.wrapping_add(rest).to_le_bytes().to_vec()
        }
    }
}

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("worker") {
        return worker_main(Profile::Decoder, |request| work(request.kind, request.payload));
    }
    match measure() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn median(calls: u32, mut call: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..calls)
        .map(|_| {
            let start = Instant::now();
            call();
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn measure() -> Result<(), Box<dyn std::error::Error>> {
    let spec = || -> std::io::Result<Spec> {
        let mut spec = Spec::new(std::env::current_exe()?, Profile::Decoder).arg("worker");
        spec.limits.requests_per_worker = u32::MAX;
        Ok(spec)
    };
    let pool = Pool::start(spec()?)?;
    let mut bare = spec()?;
    bare.layers = Layers::NONE;
    bare.allow_weaker = true;
    let bare = Pool::start(bare)?;
    println!("{}", pool.confinement().summary());
    println!("function  payload     in process ms  worker ms  unconfined worker ms  cost of the call ms");
    for (kind, name, size) in [
        (NOTHING, "nothing", 0),
        (NOTHING, "nothing", 100_000),
        (NOTHING, "nothing", 4_000_000),
        (SUM, "sum", 100_000),
        (SUM, "sum", 4_000_000),
        (REPLY, "200 KB", 0),
    ] {
        let payload: Vec<u8> = (0..size).map(|n: u32| n.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect();
        if pool.call(kind, &[&payload])? != work(kind, &payload) {
            return Err("the worker answers something else".into());
        }
        let mut best = [Duration::MAX; 3];
        for _ in 0..5 {
            let times = [
                median(200, || drop(std::hint::black_box(work(kind, std::hint::black_box(&payload))))),
                median(200, || drop(std::hint::black_box(pool.call(kind, &[&payload])))),
                median(200, || drop(std::hint::black_box(bare.call(kind, &[&payload])))),
            ];
            for (best, time) in best.iter_mut().zip(times) {
                *best = time.min(*best);
            }
        }
        let [here, there, unconfined] = best.map(milliseconds);
        let cost = there - here;
        println!("{name:<9} {size:>9}  {here:>13.4}  {there:>9.4}  {unconfined:>20.4}  {cost:>19.4}");
    }
    let mut once = spec()?;
    once.limits.requests_per_worker = 1;
    let once = Pool::start(once)?;
    let start = median(200, || drop(once.call(NOTHING, &[])));
    println!("a new worker for each call: {:.2} ms a call", milliseconds(start));
    Ok(())
}
