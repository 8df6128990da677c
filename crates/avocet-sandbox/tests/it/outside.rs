//! What the kernel itself says about a worker: an oracle that shares nothing with the worker's own report.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use avocet_sandbox::{Layers, Pool, StartError};

use crate::support::{AsNobody, ECHO, NOBODY, Parent, field, is_root, pool, spec};

fn of(process: u32, name: &str) -> PathBuf {
    PathBuf::from(format!("/proc/{process}/{name}"))
}

#[test]
fn the_kernel_agrees_with_the_report() {
    let pool = pool(1);
    pool.call(ECHO, &[b"x"]).unwrap();
    let worker = pool.processes()[0];
    let status = of(worker, "status");
    let says = |name: &str| field(&status, name).unwrap();
    assert_eq!(says("Seccomp"), "2", "a filter is in force");
    assert_eq!(says("NoNewPrivs"), "1");
    assert_eq!(says("Threads"), "1");
    for set in ["CapPrm", "CapEff", "CapInh"] {
        assert_eq!(says(set), "0000000000000000", "{set}");
    }
    let report = pool.confinement();
    assert!(report.is_full(), "{:?}", report.sentences());
    let limits = fs::read_to_string(of(worker, "limits")).unwrap();
    let hard = |name: &str| {
        let line = limits.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().to_owned()
    };
    assert_eq!(hard("Max open files"), "0");
    assert_eq!(hard("Max file size"), "0");
    assert_eq!(hard("Max core file size"), "0");
    assert_eq!(hard("Max processes"), "0");
    assert_eq!(hard("Max locked memory"), "0");
    assert_eq!(hard("Max cpu time"), "21", "the kernel's last word is a second after the signal");
    assert_eq!(hard("Max address space"), report.address_space.unwrap().to_string());
    assert_eq!(report.cpu_seconds, Some(20));
    assert_eq!(report.descriptors, Some(0));
    if !is_root() {
        // Not dumpable: even its own user may not look.
        assert!(fs::read_dir(of(worker, "fd")).is_err());
        println!("SKIPPED: 3 cases need root to look inside a worker");
        return;
    }
    let mut open: Vec<String> = fs::read_dir(of(worker, "fd"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    open.sort();
    assert_eq!(open, ["0", "2"], "its line and its last words");
    assert_eq!(fs::read(of(worker, "environ")).unwrap(), b"");
    assert_eq!(fs::read_link(of(worker, "cwd")).unwrap(), PathBuf::from("/"));
}

#[test]
fn a_worker_of_an_ordinary_user_is_closed_to_that_user() {
    if !is_root() {
        println!("SKIPPED: 1 case, needs root to start a pool as another user; the test above looks from inside");
        return;
    }
    let nobody = AsNobody::new();
    let parent = Parent::start(nobody.command());
    // The kernel gives the files in /proc of a process that may not be looked into to root.
    let owner = |process: u32| fs::metadata(of(process, "environ")).unwrap().uid();
    assert_eq!(owner(parent.child.id()), NOBODY, "the control");
    for &worker in &parent.workers {
        assert_eq!(owner(worker), 0);
        assert_eq!(field(&of(worker, "status"), "Uid").unwrap().split_whitespace().next(), Some("65534"));
    }
}

#[test]
fn less_than_everything_is_refused_and_named() {
    let layers = [
        (Layers::LANDLOCK, "Landlock"),
        (Layers::SECCOMP, "system calls"),
        (Layers::LIMITS, "limit on the address space"),
        (Layers::DESCRIPTORS, "descriptors that they inherited"),
        (Layers::PRIVILEGES, "capabilities"),
    ];
    for (layer, word) in layers {
        let mut weaker = spec();
        weaker.layers = Layers::ALL.without(layer);
        match Pool::start(weaker.clone()) {
            Err(StartError::NotConfined { missing }) => {
                assert!(missing.iter().any(|sentence| sentence.contains(word)), "{missing:?} does not name {word}");
            }
            other => panic!("started without a layer: {other:?}"),
        }
        weaker.allow_weaker = true;
        let pool = Pool::start(weaker).unwrap();
        assert_eq!(pool.call(ECHO, &[b"ab"]).unwrap(), b"ba");
        assert!(!pool.confinement().is_full());
        assert!(pool.confinement().sentences().iter().any(|sentence| sentence.contains(word)));
    }
    assert!(pool(1).confinement().sentences().len() <= 2, "only what an older Landlock lacks");
}

#[test]
fn a_worker_with_a_second_thread_is_refused() {
    let mut spec = spec();
    spec.args = vec!["threads".into()];
    match Pool::start(spec) {
        Err(StartError::NotConfined { missing }) => assert!(missing[0].contains("more than one thread"), "{missing:?}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_program_that_is_no_worker_is_an_error_and_no_hang() {
    for program in ["/bin/true", "/bin/cat", "/nowhere/at/all"] {
        let mut spec = spec();
        spec.program = program.into();
        spec.args.clear();
        match (program, Pool::start(spec)) {
            ("/nowhere/at/all", Err(StartError::System { step, .. })) => assert_eq!(step, "process start"),
            ("/bin/true" | "/bin/cat", Err(StartError::NotAWorker { .. })) => {}
            (_, other) => panic!("{program}: {other:?}"),
        }
    }
    let mut spec = spec();
    spec.program = "relative".into();
    assert!(matches!(Pool::start(spec.clone()), Err(StartError::Settings { .. })));
    spec.program = "/bin/true".into();
    spec.workers = 0;
    assert!(matches!(Pool::start(spec), Err(StartError::Settings { .. })));
}
