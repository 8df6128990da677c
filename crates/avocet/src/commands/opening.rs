//! Opens evidence: asks for the password that protects it, and says where unpacked bytes go.

use std::fs::File;
use std::io::{IsTerminal as _, Read as _};
use std::path::Path;
use std::sync::Arc;

use avocet_base::plural;
use avocet_evidence::scratch::{Access, Scratch, Secret};
use avocet_evidence::{Evidence, OpenError};
use avocet_examine::EncryptedScratch;
use zeroize::Zeroizing;

use crate::Refusal;
use crate::args::Opening;

/// Bytes of a password file at most; a longer one is not a password.
const MOST_PASSWORD: u64 = 4096;
/// Bytes of a key file at most, as cryptsetup has it.
const MOST_KEY_FILE: u64 = 8 << 20;

/// The bytes of a file, which may be at most so many and at least one.
fn read_secret(path: &Path, option: &str, most: u64, what: &str) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let refuse = |why: String| Refusal(format!("{option}: {}{why}", path.display()));
    let file = File::open(path).map_err(|e| refuse(format!(": {}", e.kind())))?;
    // Room for all of it at once: no copy is left behind when a buffer grows.
    let room = file.metadata().map_or(0, |m| m.len()).min(most).max(MOST_PASSWORD);
    let mut bytes = Zeroizing::new(Vec::with_capacity(room as usize + 1));
    file.take(most + 1).read_to_end(&mut bytes).map_err(|e| refuse(format!(": {}", e.kind())))?;
    if bytes.len() as u64 > most {
        return Err(refuse(format!(" holds more than a {what}")));
    }
    if bytes.is_empty() {
        return Err(refuse(" is empty".into()));
    }
    Ok(bytes)
}

/// The password in a file, without the line feed that an editor puts behind it.
fn read_password(path: &Path) -> Result<Secret, Refusal> {
    let refuse = |why: String| Refusal(format!("--evidence-password-file: {why}"));
    let mut bytes = read_secret(path, "--evidence-password-file", MOST_PASSWORD, "password")?;
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
    let mut key_files = vec![];
    for path in &how.evidence_key_file {
        let bytes = read_secret(path, "--evidence-key-file", MOST_KEY_FILE, "key file")?;
        key_files.push(Secret::new(bytes.to_vec()));
    }
    let mut key_files = key_files.into_iter();
    let mut access = Access {
        password,
        key_file: key_files.next(),
        more_key_files: key_files.collect(),
        veracrypt_pim: how.veracrypt_pim,
        scratch: scratch(how, beside)?,
    };
    let mut opened = Evidence::open_with(path, &access);
    let locked = match &opened {
        Err(OpenError::Locked { what, .. }) => Some(format!("Password of {what}: ")),
        Ok(evidence) if evidence.locked > 0 => {
            let volumes = plural(evidence.locked as u64, "encrypted volume", "encrypted volumes");
            Some(format!("Password or recovery key of {volumes} (empty leaves them locked): "))
        }
        _ => None,
    };
    // Asked only where it is needed, and never where nobody can answer.
    if let Some(question) = locked
        && std::io::stdin().is_terminal()
        && let Ok(typed) = rpassword::prompt_password(question).map(Zeroizing::new)
        && (opened.is_err() || !typed.is_empty())
    {
        access.password = Some(Secret::new(typed.as_bytes().to_vec()));
        opened = Evidence::open_with(path, &access);
    }
    opened.map_err(|e| match e {
        OpenError::Read(_) => anyhow::Error::new(e).context("the evidence cannot be read"),
        _ => Refusal(e.to_string()).into(),
    })
}
