//! The profile for a foreign program with the system's ffmpeg itself, over films of test patterns that it makes unconfined.

use std::io::{ErrorKind, Read};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use avocet_sandbox::{Argument, Fault, Output, ProgramSpec, run_confined};

const FFMPEG: &str = "/usr/bin/ffmpeg";

/// Whether ffmpeg is there; where not, says what is skipped.
fn is_there(cases: usize) -> bool {
    let there = Path::new(FFMPEG).is_file();
    if !there {
        println!("SKIPPED: {cases} cases, {FFMPEG} is not there");
    }
    there
}

/// Arguments of ffmpeg, `{}` being its input.
fn arguments(line: &str) -> Vec<String> {
    let quiet = ["-nostdin", "-hide_banner", "-loglevel", "error"];
    quiet.into_iter().chain(line.split(' ')).map(str::to_owned).collect()
}

fn spec(line: &str) -> ProgramSpec {
    let mut spec = ProgramSpec::new(PathBuf::from(FFMPEG));
    spec.args = arguments(line)
        .into_iter()
        .map(|a| if a == "{}" { Argument::Input } else { Argument::Text(a.into()) })
        .collect();
    spec.limits.wall = Duration::from_secs(60);
    spec.limits.cpu_seconds = 60;
    spec
}

fn confined(line: &str, input: &[u8]) -> Result<Output, Fault> {
    run_confined(&spec(line), &[input])
}

/// The control: the same arguments without confinement, the input being a file.
fn plain(line: &str, input: &Path) -> (bool, Vec<u8>) {
    let args = arguments(line).into_iter().map(|a| if a == "{}" { input.to_str().unwrap().to_owned() } else { a });
    let output = Command::new(FFMPEG).args(args).stdin(Stdio::null()).output().unwrap();
    (output.status.success(), output.stdout)
}

/// A film of a test pattern with a tone.
fn film(folder: &Path, name: &str, codec: &str) -> PathBuf {
    let path = folder.join(name);
    let made = Command::new(FFMPEG)
        .args(arguments(
            "-f lavfi -i testsrc=size=320x240:rate=25:duration=2 -f lavfi -i sine=duration=2 -pix_fmt yuv420p",
        ))
        .args(codec.split(' '))
        .arg(&path)
        .stdin(Stdio::null())
        .status()
        .unwrap();
    assert!(made.success(), "{codec}");
    path
}

const FRAMES: &str = "-i {} -an -fps_mode passthrough -f rawvideo -pix_fmt rgb24 pipe:1";

#[test]
fn it_decodes_as_without_confinement() {
    if !is_there(4) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for (name, codec) in [
        ("a.mp4", "-c:v mpeg4 -c:a aac"),
        ("a.avi", "-c:v mjpeg -c:a pcm_s16le"),
        ("a.mkv", "-c:v ffv1 -c:a flac"),
        ("a.mpg", "-c:v mpeg2video -c:a mp2"),
    ] {
        let path = film(folder.path(), name, codec);
        let output = confined(FRAMES, &std::fs::read(&path).unwrap()).unwrap();
        assert_eq!(output.status, 0, "{name}: {}", String::from_utf8_lossy(&output.messages));
        assert!(output.missing.is_empty());
        let (fine, frames) = plain(FRAMES, &path);
        assert!(fine && frames.len() >= 45 * 320 * 240 * 3, "{name}: {} bytes", frames.len());
        assert!(output.bytes == frames, "{name}: {} and {} bytes", output.bytes.len(), frames.len());
    }
}

/// A file may name others, which ffmpeg opens by itself: an old way to have it read what it should not.
#[test]
fn a_file_that_names_another_gets_nothing_of_it() {
    if !is_there(2) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let secret = film(folder.path(), "secret.avi", "-c:v mjpeg -c:a pcm_s16le");
    let secret = secret.to_str().unwrap();
    let list = folder.path().join("list");
    for (how, text) in [
        ("-f concat -safe 0", format!("ffconcat version 1.0\nfile {secret}\n")),
        (
            "-f concat -safe 0 -protocol_whitelist file,subfile",
            format!("ffconcat version 1.0\nfile subfile,,start,0,end,0,,:{secret}\n"),
        ),
    ] {
        std::fs::write(&list, &text).unwrap();
        let line = format!("{how} {FRAMES}");
        let (fine, frames) = plain(&line, &list);
        assert!(fine && !frames.is_empty(), "the control: {how}");
        let output = confined(&line, text.as_bytes()).unwrap();
        let messages = String::from_utf8_lossy(&output.messages).into_owned();
        assert!(output.bytes.is_empty(), "{how}: {} bytes came out", output.bytes.len());
        assert!(messages.contains("Permission denied"), "{how}: {messages}");
    }
}

#[test]
fn it_reaches_no_network_and_writes_no_file() {
    if !is_there(3) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let film = std::fs::read(film(folder.path(), "a.avi", "-c:v mjpeg -c:a pcm_s16le")).unwrap();
    let (input, made) = (folder.path().join("input"), folder.path().join("made.avi"));
    std::fs::write(&input, &film).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    // The control first: whoever is not confined comes to the door and to the file.
    for (line, arrives) in [
        (format!("-i http://{address}/film -f null -"), true),
        (format!("-i {{}} -c copy -f avi tcp://{address}"), true),
        (format!("-i {{}} -c copy {}", made.display()), false),
    ] {
        let waiting = |mut child: std::process::Child| {
            let until = Instant::now() + Duration::from_secs(20);
            let mut came = false;
            while !came && Instant::now() < until {
                match listener.accept() {
                    Ok((mut stream, _)) => came = stream.read(&mut [0; 1]).is_ok(),
                    Err(e) if e.kind() == ErrorKind::WouldBlock => std::thread::sleep(Duration::from_millis(5)),
                    Err(e) => panic!("{e}"),
                }
            }
            child.kill().unwrap();
            child.wait().unwrap();
            came
        };
        if arrives {
            let args =
                arguments(&line).into_iter().map(|a| if a == "{}" { input.to_str().unwrap().to_owned() } else { a });
            let null = Stdio::null;
            let child = Command::new(FFMPEG).args(args).stdin(null()).stdout(null()).stderr(null()).spawn().unwrap();
            assert!(waiting(child), "the control: {line}");
        } else {
            assert!(plain(&line, &input).0 && made.is_file(), "the control: {line}");
            std::fs::remove_file(&made).unwrap();
        }
        let output = confined(&line, &film).unwrap();
        let messages = String::from_utf8_lossy(&output.messages).into_owned();
        let refused = ["not permitted", "ermission denied"].iter().any(|word| messages.contains(word));
        assert!(output.status != 0 && refused, "{line}: {} {messages}", output.status);
        assert!(!made.is_file(), "{line}");
        assert_eq!(
            listener.accept().map(|_| ()).unwrap_err().kind(),
            ErrorKind::WouldBlock,
            "{line}: it came to the door"
        );
    }
}

#[test]
fn a_film_without_end_and_one_that_is_damaged_cost_one_call() {
    if !is_there(34) {
        return;
    }
    let mut endless = spec("-f lavfi -i testsrc=size=640x480:rate=25 -f rawvideo pipe:1");
    endless.limits.max_output = 4 << 20;
    assert_eq!(run_confined(&endless, &[]).unwrap_err(), Fault::ReplyTooLarge { max: 4 << 20 });
    let mut busy = spec("-f lavfi -i testsrc=size=640x480:rate=25 -f null -");
    busy.limits.cpu_seconds = 1;
    // ffmpeg catches the signal at the limit and ends by itself, with a status that says failure.
    let start = Instant::now();
    let ended = run_confined(&busy, &[]);
    assert!(matches!(&ended, Err(Fault::CpuSpent)) || ended.as_ref().is_ok_and(|o| o.status != 0), "{ended:?}");
    assert!(start.elapsed() < busy.limits.wall);

    let folder = tempfile::tempdir().unwrap();
    let whole = std::fs::read(film(folder.path(), "a.mp4", "-c:v mpeg4 -c:a aac")).unwrap();
    let frames = confined(FRAMES, &whole).unwrap().bytes.len();
    for seed in 1..=32usize {
        let mut bytes = whole.clone();
        for i in 0..=seed {
            let at = (seed * 7919 + i * 104_729) % bytes.len();
            bytes[at] = bytes[at].wrapping_add((1 + seed * i) as u8);
        }
        if let Ok(output) = confined(FRAMES, &bytes) {
            assert!(output.bytes.len() <= 2 * frames, "seed {seed}: {} bytes", output.bytes.len());
        }
    }
    assert_eq!(confined(FRAMES, &whole).unwrap().bytes.len(), frames, "the next call is right");
}
