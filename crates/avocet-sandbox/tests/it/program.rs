//! A foreign program over one memory file. Programs that every Linux has stand in for ffmpeg.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use avocet_sandbox::{Argument, Fault, Output, ProgramSpec, StartError, run_confined, stream_confined};

use crate::support::probe;

fn spec(program: &str, args: &[&str]) -> ProgramSpec {
    let mut spec = ProgramSpec::new(PathBuf::from(program));
    spec.args =
        args.iter().map(|&text| if text == "{}" { Argument::Input } else { Argument::Text(text.into()) }).collect();
    spec.limits.wall = Duration::from_secs(20);
    spec.limits.cpu_seconds = 10;
    spec.limits.max_output = 16 << 20;
    spec
}

/// A shell line, with the usual tools allowed.
fn shell(line: &str, input: &[u8]) -> Result<Output, Fault> {
    let mut spec = spec("/bin/sh", &["-c", line, "sh", "{}"]);
    spec.read_execute.push("/usr/bin".into());
    run_confined(&spec, &[input])
}

#[test]
fn it_reads_its_input_and_answers_as_without_confinement() {
    let input: Vec<u8> = (0..5_000_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 11) as u8).collect();
    let (one, two) = input.split_at(1_234_567);
    let output = run_confined(&spec("/bin/cat", &["{}"]), &[one, two]).unwrap();
    assert_eq!(output.status, 0, "{}", String::from_utf8_lossy(&output.messages));
    assert!(output.bytes == input);
    assert!(output.missing.is_empty());
    // Seeking works: the last bytes of a file that is no pipe.
    let output = run_confined(&spec("/usr/bin/tail", &["-c", "10", "{}"]), &[&input]).unwrap();
    assert_eq!(output.bytes, input[input.len() - 10..]);
}

#[test]
fn what_it_prints_is_handed_on_as_it_comes() {
    let input: Vec<u8> = (0..3_000_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 11) as u8).collect();
    let (mut got, mut pieces) = (Vec::new(), 0);
    let mut take = |piece: &[u8]| {
        got.extend_from_slice(piece);
        pieces += 1;
    };
    let output = stream_confined(&spec("/bin/cat", &["{}"]), &[&input], &mut take).unwrap();
    assert!(output.status == 0 && output.bytes.is_empty() && got == input && pieces > 10, "{pieces}");
    let mut short = spec("/bin/cat", &["{}"]);
    short.limits.max_output = 1000;
    let mut got = 0;
    let fault = stream_confined(&short, &[&input], &mut |piece| got += piece.len()).unwrap_err();
    assert_eq!((fault, got), (Fault::ReplyTooLarge { max: 1000 }, 1000));
    // Its environment is what it is given.
    let mut named = spec("/bin/sh", &["-c", "echo \"$LC_ALL-$HOME\""]);
    named.environment.push(("LC_ALL".into(), "C".into()));
    assert_eq!(run_confined(&named, &[]).unwrap().bytes, b"C-\n");
}

#[test]
fn it_reaches_no_other_file() {
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("made").to_str().unwrap().to_owned();
    for (line, word) in [
        ("exec cat /etc/passwd", "denied"),
        ("exec ls /tmp", "denied"),
        (&format!("exec mkdir {inside}"), "denied"),
        (&format!("echo x > {inside}"), "denied"),
        ("echo x > /dev/null", "denied"),
        ("exec chmod 777 /tmp", "not permitted"),
        ("exec touch /tmp", "not permitted"),
        // Its input is sealed.
        ("echo x > \"$1\"", "not permitted"),
    ] {
        let output = shell(line, b"input").unwrap();
        let messages = String::from_utf8_lossy(&output.messages).into_owned();
        assert_ne!(output.status, 0, "{line}");
        assert!(messages.contains(word), "{line}: {messages}");
    }
    let output = shell("exec cat \"$1\"", b"input").unwrap();
    assert_eq!((output.status, &output.bytes[..]), (0, &b"input"[..]), "the control");
}

#[test]
fn it_starts_no_process_and_no_other_program() {
    // Two commands: the shell must fork.
    let output = shell("cat \"$1\"; true", b"input").unwrap();
    assert_ne!(output.status, 0);
    assert!(output.bytes.is_empty());
    let plain = Command::new("/bin/sh").args(["-c", "cat /dev/null; true"]).status().unwrap();
    assert!(plain.success(), "the control");
    // A program outside the folders that it may execute.
    let mut outside = spec("/bin/sh", &["-c", "exec \"$0\" names", probe().to_str().unwrap()]);
    outside.limits.max_output = 1 << 20;
    let output = run_confined(&outside, &[]).unwrap();
    assert_eq!(output.status, 126, "{}", String::from_utf8_lossy(&output.messages));
}

#[test]
fn it_makes_no_socket_and_signals_nobody() {
    if !PathBuf::from("/usr/bin/python3").try_exists().unwrap() {
        println!("SKIPPED: 4 cases, no python3");
        return;
    }
    let tries = [
        "import socket; socket.socket(socket.AF_INET, socket.SOCK_STREAM)",
        "import socket; socket.socketpair()",
        "import os; os.kill(os.getppid(), 0)",
        "import os; os.fork()",
    ];
    for line in tries {
        let mut python = spec("/usr/bin/python3", &["-I", "-S", "-c", line]);
        python.read.push("/usr/lib".into());
        let output = run_confined(&python, &[]).unwrap();
        let messages = String::from_utf8_lossy(&output.messages).into_owned();
        assert!(messages.contains("PermissionError"), "{line}: {} {messages}", output.status);
        let plain = Command::new("/usr/bin/python3").args(["-I", "-S", "-c", line]).status().unwrap();
        assert!(plain.success(), "the control: {line}");
    }
    // Threads are allowed.
    let line = "import threading; t = threading.Thread(target=print, args=('x',)); t.start(); t.join()";
    let output = run_confined(&spec("/usr/bin/python3", &["-I", "-S", "-c", line]), &[]).unwrap();
    assert_eq!((output.status, &output.bytes[..]), (0, &b"x\n"[..]), "{}", String::from_utf8_lossy(&output.messages));
}

#[test]
fn its_faults_are_typed() {
    let mut endless = spec("/bin/cat", &["/dev/zero"]);
    endless.read.push("/dev/zero".into());
    endless.limits.max_output = 1 << 20;
    assert_eq!(run_confined(&endless, &[]).unwrap_err(), Fault::ReplyTooLarge { max: 1 << 20 });

    let mut idle = spec("/bin/sleep", &["60"]);
    idle.limits.wall = Duration::from_millis(300);
    let start = Instant::now();
    assert_eq!(run_confined(&idle, &[]).unwrap_err(), Fault::TimedOut { seconds: 1 });
    assert!(start.elapsed() < Duration::from_secs(20));

    let mut busy = spec("/bin/sh", &["-c", "while :; do :; done"]);
    busy.limits.cpu_seconds = 1;
    assert_eq!(run_confined(&busy, &[]).unwrap_err(), Fault::CpuSpent);

    assert_eq!(shell("kill -11 $$", b"").map(|output| output.status), Ok(1), "it may not even signal itself");
    assert_eq!(shell("exit 3", b"").map(|output| output.status), Ok(3));

    let missing = run_confined(&spec("/nowhere/at/all", &[]), &[]).unwrap_err();
    assert!(matches!(missing, Fault::StartFailed(StartError::System { .. })), "{missing:?}");

    let mut small = spec("/bin/cat", &["{}"]);
    small.limits.address_space = 1 << 20;
    assert!(run_confined(&small, &[b"x"]).map_or(true, |output| output.status != 0), "its libraries do not fit");
}
