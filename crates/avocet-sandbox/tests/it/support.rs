//! The probe program, and pools of it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use avocet_sandbox::{Limits, Pool, Profile, Spec};

pub const ECHO: u32 = 100;
pub const WORK: u32 = 101;

pub fn probe() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_sandbox-probe"))
}

pub fn limits() -> Limits {
    Limits {
        address_space: 256 << 20,
        cpu_seconds: 20,
        wall: Duration::from_secs(60),
        requests_per_worker: 1000,
        max_request: 8 << 20,
        max_reply: 1 << 20,
    }
}

pub fn spec() -> Spec {
    Spec::new(probe(), Profile::Decoder).arg("worker").limits(limits())
}

pub fn pool(workers: usize) -> Pool {
    Pool::start(spec().workers(workers)).unwrap()
}

pub fn is_root() -> bool {
    field(Path::new("/proc/self/status"), "Uid").is_some_and(|ids| ids.split_whitespace().nth(1) == Some("0"))
}

/// One line of a `status` file of `/proc`.
pub fn field(path: &Path, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    text.lines().find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(':')?.trim().to_owned()))
}

/// The probe as another user. The build folder may be closed to that user, so it gets a copy in a folder of its own.
pub struct AsNobody {
    _folder: tempfile::TempDir,
    program: PathBuf,
}

pub const NOBODY: u32 = 65534;

impl AsNobody {
    pub fn new() -> Self {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let program = folder.path().join("sandbox-probe");
        std::fs::copy(probe(), &program).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        Self { _folder: folder, program }
    }

    pub fn command(&self) -> Command {
        use std::os::unix::process::CommandExt;
        let mut command = Command::new(&self.program);
        command.uid(NOBODY).gid(NOBODY);
        command
    }
}

/// The probe's `parent`, ended when this goes out of scope, also when a test fails.
pub struct Parent {
    pub child: Child,
    /// Process numbers of its three workers: one spins, one waits for ever, one is idle.
    pub workers: Vec<u32>,
}

impl Parent {
    pub fn start(mut command: Command) -> Self {
        let child = command.arg("parent").stdout(Stdio::piped()).stdin(Stdio::null()).spawn().unwrap();
        let mut parent = Self { child, workers: Vec::new() };
        for line in BufReader::new(parent.child.stdout.take().unwrap()).lines().map(Result::unwrap) {
            match line.parse() {
                Ok(number) => parent.workers.push(number),
                Err(_) => break,
            }
        }
        assert_eq!(parent.workers.len(), 3);
        parent
    }
}

impl Drop for Parent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a verb of the probe prints.
pub fn lines(mut command: Command, verb: &str) -> Vec<String> {
    let output = command.arg(verb).current_dir("/").stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{verb}: {output:?}");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}
