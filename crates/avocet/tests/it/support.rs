//! Runs the built command in a folder of its own.
#![allow(dead_code, reason = "each module uses another part")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder for one test, with a store of its own.
pub struct Place {
    pub dir: tempfile::TempDir,
}

/// What a command did.
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Place {
    pub fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Runs `avocet` with these arguments in this folder.
    pub fn run<I: AsRef<std::ffi::OsStr>>(&self, args: impl IntoIterator<Item = I>) -> Ran {
        self.output(args).into()
    }

    /// Runs a shell script in this folder with the command as `$AVOCET`.
    pub fn shell(&self, script: &str) -> Ran {
        let output = Command::new("bash")
            .args(["-c", script])
            .current_dir(self.dir.path())
            .env("AVOCET", env!("CARGO_BIN_EXE_avocet"))
            .env("AVOCET_STORE", self.path("store"))
            .env_remove("AVOCET_KNOWN")
            .output()
            .unwrap();
        output.into()
    }

    /// Examines `evidence` into `out` without the digest of the whole image and returns what the command did.
    pub fn examine(&self, evidence: &str, out: &str, more: &[&str]) -> Ran {
        let mut args = vec!["examine", evidence, "--exhibit", "JC/1", "--out", out];
        // Pictures are the matter of the tests of pictures, which ask for them.
        if more.contains(&"--media") {
            args.extend(more.iter().filter(|a| **a != "--media"));
        } else {
            args.push("--no-media");
            args.extend(more);
        }
        self.run(args)
    }

    /// The names in this folder, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.dir.path())
            .unwrap()
            .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    pub fn output<I: AsRef<std::ffi::OsStr>>(&self, args: impl IntoIterator<Item = I>) -> Output {
        Command::new(env!("CARGO_BIN_EXE_avocet"))
            .args(args)
            .current_dir(self.dir.path())
            .env("AVOCET_STORE", self.path("store"))
            .env_remove("AVOCET_KNOWN")
            .output()
            .unwrap()
    }

    /// Makes the demo device in `demo/` and returns its folder.
    pub fn demo(&self) -> PathBuf {
        let ran = self.run(["demo", "demo", "--quiet"]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        self.path("demo")
    }

    /// The rows of `avocet list --format jsonl`.
    pub fn list(&self, examination: &str, more: &[&str]) -> Vec<serde_json::Value> {
        let mut args = vec!["list", examination, "--format", "jsonl"];
        args.extend(more);
        let ran = self.run(args);
        assert_eq!(ran.code, 0, "{}", ran.err);
        ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// The folder of shared real images; `None` where absent.
pub fn testdata() -> Option<PathBuf> {
    let path = std::env::var_os("AVOCET_TESTDATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/testdata"), PathBuf::from);
    path.is_dir().then_some(path)
}

/// The folder of images built by the shared tools; `None` where absent.
pub fn images() -> Option<PathBuf> {
    std::env::var_os("AVOCET_IMAGES").map(PathBuf::from).filter(|p| p.is_dir())
}

/// Whether a program is installed.
pub fn installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin"), PathBuf::from("/sbin")])
        .any(|dir| dir.join(program).is_file())
}

/// Says on the test's output that cases were skipped.
pub fn skipped(cases: usize, why: &str) {
    println!("skipped {cases} case(s): {why}");
}
