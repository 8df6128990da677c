//! Processes that hold a pool, for tests that count descriptors, kill the holder, or run as another user.

use std::fs;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use avocet_sandbox::{Fault, Layers, Limits, Pool, Profile, Spec};

use crate::{attempts, faults, sys};

fn spec() -> Spec {
    // Also right when the file of this program was replaced meanwhile.
    Spec::new("/proc/self/exe".into(), Profile::Decoder).arg("worker").limits(Limits {
        address_space: 256 << 20,
        cpu_seconds: 20,
        wall: Duration::from_secs(20),
        max_request: 1 << 20,
        max_reply: 1 << 20,
        ..Limits::default()
    })
}

fn outcome(result: Result<Vec<u8>, Fault>) -> String {
    match result {
        Ok(reply) => String::from_utf8_lossy(&reply).into_owned(),
        Err(Fault::Crashed { signal }) => format!("worker-crashed:{signal}"),
        Err(fault) => fault.code().to_owned(),
    }
}

/// Every attempt under no layer, each layer alone, all but one, and all.
pub fn matrix() -> ExitCode {
    let alone = [
        ("none", Layers::NONE),
        ("landlock", Layers::LANDLOCK),
        ("seccomp", Layers::SECCOMP),
        ("limits", Layers::LIMITS),
        ("descriptors", Layers::DESCRIPTORS),
        ("privileges", Layers::PRIVILEGES),
        ("all-but-seccomp", Layers::ALL.without(Layers::SECCOMP)),
        ("all", Layers::ALL),
    ];
    let name = format!("avocet-probe-{}", std::process::id());
    let listener = SocketAddr::from_abstract_name(&name).and_then(|address| UnixListener::bind_addr(&address));
    let scratch = std::env::temp_dir().join(&name);
    let inherited = fs::File::create(&scratch).and_then(|file| sys::leave_open(&file, attempts::INHERITED));
    if listener.is_err() || inherited.is_err() {
        println!("failed\tlistener or file");
        return ExitCode::FAILURE;
    }
    for (label, layers) in alone {
        let mut spec = spec();
        spec.layers = layers;
        spec.allow_weaker = layers != Layers::ALL;
        let pool = match Pool::start(spec) {
            Ok(pool) => pool,
            Err(error) => {
                println!("failed\t{error}");
                continue;
            }
        };
        let state = pool.confinement();
        println!("confinement\t{label}\t{} {} {}", state.landlock_abi, state.scoped, state.is_full());
        for (number, attempt) in attempts::NAMES.iter().enumerate() {
            let result = pool.call(number as u32, &[name.as_bytes()]);
            println!("{label}\t{attempt}\t{}", outcome(result));
        }
    }
    let _ = fs::remove_file(&scratch);
    ExitCode::SUCCESS
}

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}

/// 1,000 workers, a third of them ended by a fault.
pub fn leaks() -> ExitCode {
    let mut spec = spec();
    spec.limits.requests_per_worker = 1;
    let Ok(pool) = Pool::start(spec) else { return ExitCode::FAILURE };
    let mut before = (0, 0);
    for call in 0..1000 {
        let kind = if call % 3 == 0 { 112 } else { faults::ECHO };
        let _ = pool.call(kind, &[b"x"]);
        if call == 0 {
            before = (descriptors(), sys::mapped_kib());
        }
    }
    println!("{}\t{}\t{}\t{}\t{}", pool.started(), before.0, descriptors(), before.1, sys::mapped_kib());
    ExitCode::SUCCESS
}

/// Three workers, two of them busy without end, and then waits to be killed.
pub fn parent() -> ExitCode {
    let mut spec = spec().workers(3);
    spec.limits.wall = Duration::from_secs(600);
    spec.limits.cpu_seconds = 600;
    let Ok(pool) = Pool::start(spec).map(Arc::new) else { return ExitCode::FAILURE };
    for kind in [114, 113] {
        let pool = Arc::clone(&pool);
        std::thread::spawn(move || pool.call(kind, &[]));
    }
    while pool.processes().len() < 2 {
        std::thread::sleep(Duration::from_millis(5));
    }
    let _ = pool.call(faults::ECHO, &[b"x"]);
    for process in pool.processes() {
        println!("{process}");
    }
    println!("ready");
    loop {
        std::thread::park();
    }
}

/// Calls from threads that end at once: a worker must not die with the thread that first needed it.
pub fn short_threads() -> ExitCode {
    let Ok(pool) = Pool::start(spec().workers(2)).map(Arc::new) else { return ExitCode::FAILURE };
    let mut right = 0;
    for _ in 0..50 {
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let pool = Arc::clone(&pool);
                std::thread::spawn(move || pool.call(faults::WORK, &[b"ab"]) == Ok(b"ba".to_vec()))
            })
            .collect();
        right += threads.into_iter().filter_map(|thread| thread.join().ok()).filter(|&right| right).count();
    }
    println!("{right}\t{}", pool.started());
    ExitCode::SUCCESS
}
