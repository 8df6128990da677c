//! What a worker must not be able to do, tried in earnest. An attempt that succeeds says `allowed`.

use std::fs::{self, File};
use std::io;
use std::net::{TcpStream, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::sys;

/// The number of an attempt is its place here.
pub const NAMES: &[&str] = &[
    "read-file",
    "create-file",
    "proc-self",
    "dev-null",
    "stat",
    "make-folder",
    "tcp",
    "udp",
    "abstract-socket",
    "socketpair",
    "fork",
    "thread",
    "exec",
    "signal-parent",
    "read-parent",
    "over-memory",
    "inherited-file",
    "write-exec-memory",
    "make-executable",
    "raise-limit",
    "chroot",
    "memory-file",
    "namespace",
    "nothing",
];

/// Descriptor number of the file that `hosts::matrix` lets its workers inherit.
pub const INHERITED: i32 = 50;

pub fn attempt(kind: u32, payload: &[u8]) -> Vec<u8> {
    let name = NAMES.get(kind as usize).copied().unwrap_or_default();
    let result = run(name, &String::from_utf8_lossy(payload));
    match result.as_ref().map_err(io::Error::raw_os_error) {
        Ok(()) => b"allowed".to_vec(),
        Err(Some(number)) => format!("errno:{number}").into_bytes(),
        Err(None) => b"failed".to_vec(),
    }
}

fn run(name: &str, payload: &str) -> io::Result<()> {
    let scratch = std::env::temp_dir().join(format!("avocet-probe-{}", std::process::id()));
    match name {
        "read-file" => File::open("/etc/passwd").map(drop),
        "create-file" => {
            File::create_new(&scratch)?;
            // Tidying up is no part of the attempt: it may be refused where making was not.
            let _ = fs::remove_file(&scratch);
            Ok(())
        }
        "proc-self" => File::open("/proc/self/status").map(drop),
        "dev-null" => File::open("/dev/null").map(drop),
        "stat" => fs::metadata("/").map(drop),
        "make-folder" => {
            fs::create_dir(&scratch)?;
            let _ = fs::remove_dir(&scratch);
            Ok(())
        }
        "tcp" => match TcpStream::connect("127.0.0.1:9") {
            // The other machine's own answer: the network was reached.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
            other => other.map(drop),
        },
        "udp" => UdpSocket::bind("127.0.0.1:0")?.send_to(b"x", "127.0.0.1:9").map(drop),
        "abstract-socket" => UnixStream::connect_addr(&SocketAddr::from_abstract_name(payload.as_bytes())?).map(drop),
        "socketpair" => UnixStream::pair().map(drop),
        "fork" => sys::fork(),
        "thread" => std::thread::Builder::new().spawn(|| ()).map(|thread| drop(thread.join())),
        "exec" => Err(Command::new("/bin/true").exec()),
        "signal-parent" => sys::signal_parent(),
        "read-parent" => sys::read_parent(),
        "over-memory" => {
            let mut bytes: Vec<u8> = Vec::new();
            bytes.try_reserve_exact(1 << 30).map_err(|_| io::Error::from_raw_os_error(12))
        }
        "inherited-file" => sys::write(INHERITED, b"hostile").map(drop),
        "write-exec-memory" => sys::map_writable_executable(),
        "make-executable" => sys::map_then_make_executable(),
        "raise-limit" => sys::raise_memory_limit(),
        "chroot" => std::os::unix::fs::chroot("/"),
        "memory-file" => sys::memory_file(),
        "namespace" => sys::new_user_namespace(),
        "nothing" => {
            // A stray print must end nothing.
            println!("noise");
            eprintln!("noise");
            Ok(())
        }
        _ => Err(io::ErrorKind::Unsupported.into()),
    }
}
