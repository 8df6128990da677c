//! Opens evidence: asks for the password that protects it, and says where unpacked bytes go.

use std::fs::File;
use std::io::{IsTerminal as _, Read as _};
use std::path::Path;
use std::sync::Arc;

use avocet_evidence::scratch::{Access, Scratch, Secret};
use avocet_evidence::{Evidence, OpenError};
use avocet_examine::EncryptedScratch;
use zeroize::Zeroizing;

use crate::Refusal;
use crate::args::Opening;

/// Bytes of a password file at most; a longer one is not a password.
const MOST_PASSWORD: u64 = 4096;

/// The password in a file, without the line feed that an editor puts behind it.
fn read_password(path: &Path) -> Result<Secret, Refusal> {
    let refuse = |why: String| Refusal(format!("--evidence-password-file: {why}"));
    let file = File::open(path).map_err(|e| refuse(format!("{}: {}", path.display(), e.kind())))?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(MOST_PASSWORD as usize + 1));
    file.take(MOST_PASSWORD + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| refuse(format!("{}: {}", path.display(), e.kind())))?;
    if bytes.len() as u64 > MOST_PASSWORD {
        return Err(refuse(format!("{} holds more than a password", path.display())));
    }
    let end = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let end = end.strip_suffix(b"\r").unwrap_or(end).len();
    bytes.truncate(end);
    if bytes.is_empty() {
        return Err(refuse(format!("{} is empty", path.display())));
    }
    Ok(Secret::new(bytes.to_vec()))
}

/// Where bytes go that have to be unpacked. `beside` is where the result goes, if there is one.
pub(super) fn scratch(how: &Opening, beside: Option<&Path>) -> Result<Arc<dyn Scratch>, Refusal> {
    let folder = match (&how.scratch, beside) {
        (Some(folder), _) => folder.clone(),
        (None, Some(result)) => match result.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => ".".into(),
        },
        (None, None) => std::env::temp_dir(),
    };
    if !folder.is_dir() {
        return Err(Refusal(format!("there is no folder {} for what has to be unpacked", folder.display())));
    }
    Ok(Arc::new(EncryptedScratch::new(&folder)))
}

/// Opens evidence with what `how` gives. `beside` is where the result goes, if there is one.
pub(super) fn open(path: &Path, how: &Opening, beside: Option<&Path>) -> anyhow::Result<Evidence> {
    let password = how.evidence_password_file.as_deref().map(read_password).transpose()?;
    let mut access = Access { password, scratch: scratch(how, beside)? };
    let mut opened = Evidence::open_with(path, &access);
    // Asked only where it is needed, and never where nobody can answer.
    if let Err(OpenError::Locked { what, .. }) = &opened
        && std::io::stdin().is_terminal()
        && let Ok(typed) = rpassword::prompt_password(format!("Password of {what}: ")).map(Zeroizing::new)
    {
        access.password = Some(Secret::new(typed.as_bytes().to_vec()));
        opened = Evidence::open_with(path, &access);
    }
    opened.map_err(|e| match e {
        OpenError::Read(_) => anyhow::Error::new(e).context("the evidence cannot be read"),
        _ => Refusal(e.to_string()).into(),
    })
}
