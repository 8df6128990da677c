//! Every attempt from inside a worker, under each layer alone and under all: what the kernel answered.
//!
//! The column without any layer is the control: an attempt that fails there shows nothing, and is counted as such. The
//! others hold what that one layer must do, so that a test fails if one of them is missing, although the rest would
//! still hold the worker.

use std::collections::BTreeMap;
use std::process::Command;

use crate::support::{AsNobody, is_root, lines, probe};

const KILL: &str = "worker-forbidden";
const OK: &str = "allowed";
const EPERM: &str = "errno:1";
const EBADF: &str = "errno:9";
const ENOMEM: &str = "errno:12";
const EACCES: &str = "errno:13";
const EMFILE: &str = "errno:24";
/// The worker is no more: `/bin/true` runs in its place and ends.
const GONE: &str = "worker-exited";
/// `SIGXFSZ`: the limit on file size.
const XFSZ: &str = "worker-crashed:25";
/// One answer for root, another for an ordinary user; or one that depends on the capabilities root has here.
const NPROC: &str = "allowed as root|errno:11";
const RIGHTS: &str = "any";

const LAYERS: [&str; 8] =
    ["none", "landlock", "seccomp", "limits", "descriptors", "privileges", "all-but-seccomp", "all"];

/// Attempt, then the answer under each of `LAYERS`.
const WANTED: &[(&str, [&str; 8])] = &[
    ("read-file", [OK, EACCES, KILL, EMFILE, OK, OK, EMFILE, KILL]),
    ("create-file", [OK, EACCES, KILL, EMFILE, OK, OK, EMFILE, KILL]),
    ("proc-self", [OK, EACCES, KILL, EMFILE, OK, OK, EMFILE, KILL]),
    ("dev-null", [OK, EACCES, KILL, EMFILE, OK, OK, EMFILE, KILL]),
    ("stat", [OK, OK, KILL, OK, OK, OK, OK, KILL]),
    ("make-folder", [OK, EACCES, KILL, OK, OK, OK, EACCES, KILL]),
    ("tcp", [OK, EACCES, KILL, EMFILE, OK, OK, EMFILE, KILL]),
    ("udp", [OK, OK, KILL, EMFILE, OK, OK, EMFILE, KILL]),
    ("abstract-socket", [OK, EPERM, KILL, EMFILE, OK, OK, EMFILE, KILL]),
    ("socketpair", [OK, OK, KILL, EMFILE, OK, OK, EMFILE, KILL]),
    ("fork", [OK, OK, KILL, NPROC, OK, OK, NPROC, KILL]),
    ("thread", [OK, OK, KILL, NPROC, OK, OK, NPROC, KILL]),
    ("exec", [GONE, EACCES, KILL, GONE, GONE, GONE, EACCES, KILL]),
    ("signal-parent", [OK, EPERM, KILL, OK, OK, OK, EPERM, KILL]),
    ("read-parent", [OK, EPERM, KILL, OK, OK, RIGHTS, EPERM, KILL]),
    ("over-memory", [OK, OK, OK, ENOMEM, OK, OK, ENOMEM, ENOMEM]),
    ("inherited-file", [OK, OK, KILL, XFSZ, EBADF, OK, EBADF, KILL]),
    ("write-exec-memory", [OK, OK, KILL, OK, OK, OK, OK, KILL]),
    ("make-executable", [OK, OK, KILL, OK, OK, OK, OK, KILL]),
    ("raise-limit", [OK, OK, KILL, RIGHTS, OK, OK, EPERM, KILL]),
    ("chroot", [OK, OK, KILL, OK, OK, EPERM, EPERM, KILL]),
    ("memory-file", [OK, OK, KILL, EMFILE, OK, OK, EMFILE, KILL]),
    ("namespace", [OK, OK, KILL, OK, OK, OK, OK, KILL]),
    ("nothing", [OK, OK, OK, OK, OK, OK, OK, OK]),
];

fn as_wanted(wanted: &str, seen: &str, root: bool) -> bool {
    match wanted {
        RIGHTS => seen == OK || seen == EPERM,
        NPROC if root => seen == OK,
        NPROC => seen == "errno:11",
        other => seen == other,
    }
}

fn check(output: &[String], root: bool) {
    let mut seen = BTreeMap::new();
    let mut states = BTreeMap::new();
    for line in output {
        let parts: Vec<&str> = line.split('\t').collect();
        match parts[..] {
            ["confinement", layers, state] => {
                states.insert(layers, state);
            }
            [layers, attempt, answer] => {
                seen.insert((layers, attempt), answer);
            }
            _ => panic!("{line}"),
        }
    }
    let abi: u32 = states["none"].split(' ').next().unwrap().parse().unwrap();
    let (mut held, mut shown_nothing) = (0, Vec::new());
    if abi == 0 {
        println!("SKIPPED: {} cases, this kernel has no Landlock", WANTED.len() * 3);
        return;
    }
    assert_eq!(states["all"].split(' ').nth(2), Some("true"), "all layers are in force");
    for layers in LAYERS.iter().filter(|&&layers| layers != "all") {
        assert_eq!(states[layers].split(' ').nth(2), Some("false"), "{layers} alone is not taken for everything");
    }
    for (attempt, wanted) in WANTED {
        let control = seen[&("none", *attempt)];
        for (layers, wanted) in LAYERS.iter().zip(wanted) {
            let answer = seen[&(*layers, *attempt)];
            // Whatever the kernel has: under all layers nothing but the harmless is allowed.
            let always = *layers == "all" || *layers == "seccomp";
            let needs = match *attempt {
                "tcp" => 4,
                "signal-parent" | "abstract-socket" => 6,
                _ => 1,
            };
            let no_layer = abi < needs && (*layers == "landlock" || *layers == "all-but-seccomp");
            if !always && (control != OK && control != GONE || no_layer) {
                shown_nothing.push(format!("{layers}/{attempt}"));
                continue;
            }
            assert!(as_wanted(wanted, answer, root), "{attempt} under {layers}: {answer}, not {wanted}");
            held += 1;
        }
    }
    assert_eq!(held + shown_nothing.len(), WANTED.len() * LAYERS.len());
    // Without a control for most of them the test would show nothing.
    assert!(held >= WANTED.len() * LAYERS.len() * 2 / 3, "only {held} cases could be shown");
    println!(
        "{held} answers as wanted (Landlock {abi}), {} not to be shown here: {shown_nothing:?}",
        shown_nothing.len()
    );
}

#[test]
fn the_table_covers_every_attempt() {
    let names = lines(Command::new(probe()), "names");
    assert_eq!(names, WANTED.iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>());
}

#[test]
fn a_worker_of_this_user_reaches_nothing() {
    check(&lines(Command::new(probe()), "matrix"), is_root());
}

#[test]
fn a_worker_of_an_ordinary_user_reaches_nothing() {
    if !is_root() {
        println!("SKIPPED: {} cases, this is an ordinary user already", WANTED.len() * LAYERS.len());
        return;
    }
    check(&lines(AsNobody::new().command(), "matrix"), false);
}
