//! `avocet key`

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use crate::{Outcome, Refusal, output};

pub fn run(file: &Path) -> anyhow::Result<Outcome> {
    let public = file.with_added_extension("pub");
    for path in [file, &public] {
        super::check_new(path, "key")?;
    }
    let key = avocet_examination::generate_key(file).map_err(|e| Refusal(e.to_string()))?;
    let mut out = OpenOptions::new().write(true).create_new(true).open(&public).map_err(|e| refuse(&public, &e))?;
    writeln!(out, "{}", avocet_examination::verifying_key_text(&key)).map_err(|e| refuse(&public, &e))?;
    output::answer(&format!(
        "Secret key: {}\nPublic key: {}\nKeep the secret key where only the signer can read it.",
        file.display(),
        public.display()
    ))?;
    Ok(Outcome::Finished)
}

fn refuse(path: &Path, error: &std::io::Error) -> Refusal {
    Refusal(format!("cannot write the public key {}: {error}. Remove both key files and try again", path.display()))
}
