//! The worker that the tests start, and processes that hold a pool of it. What a hostile worker would try is in
//! `attempts`; what a broken one would do is in `faults`.
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::panic)]

mod attempts;
mod faults;
mod hosts;
#[allow(unsafe_code)]
mod sys;

use std::process::ExitCode;

fn main() -> ExitCode {
    let verb = std::env::args().nth(1).unwrap_or_default();
    match verb.as_str() {
        "worker" => {
            let mut handled = 0u64;
            avocet_sandbox::worker_main(avocet_sandbox::Profile::Decoder, |request| {
                handled += 1;
                match request.kind {
                    0..100 => attempts::attempt(request.kind, request.payload),
                    _ => faults::handle(request.kind, request.payload, handled),
                }
            })
        }
        "threads" => {
            // A worker that starts a thread too early, and so is not confined as a whole.
            std::thread::spawn(std::thread::park);
            avocet_sandbox::worker_main(avocet_sandbox::Profile::Decoder, |_| Vec::new())
        }
        "matrix" => hosts::matrix(),
        "leaks" => hosts::leaks(),
        "parent" => hosts::parent(),
        "short-threads" => hosts::short_threads(),
        "names" => {
            for name in attempts::NAMES {
                println!("{name}");
            }
            ExitCode::SUCCESS
        }
        _ => ExitCode::from(64),
    }
}
