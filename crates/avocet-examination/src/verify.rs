//! Says whether an examination file is what was sealed.
//!
//! Three questions are kept apart, because they prove different things. *Consistent with itself*: nothing was damaged,
//! and nobody changed it who did not also recompute the digest inside; anybody can. *Equal to a digest given*: it is the
//! result that this digest was noted for, wherever it was noted. *Signed by a key*: whoever holds the key sealed it.

use std::path::Path;

use avocet_base::Sha256;
use ed25519_dalek::VerifyingKey;
use rusqlite::Connection;

use crate::canonical;
use crate::error::{ReadError, VerifyError};
use crate::key::verifying_key_text;
use crate::read::{self, Examination};
use crate::seal::{Seal, file_sha256, seal_path, with_suffix};

/// What the seal beside a file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SealCheck {
    /// There is none.
    Absent,
    /// There is one that cannot be used; the text says why.
    Unusable(String),
    /// There is one.
    Found {
        /// Whether the file is byte for byte the one sealed.
        file_equal: bool,
        /// Whether the result digest recomputed is the one sealed; `false` also where it could not be recomputed.
        result_equal: bool,
    },
}

/// What the signature in a seal says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignatureCheck {
    /// There is no signature.
    Absent,
    /// There is one that does not hold; the text says why.
    Invalid(String),
    /// The seal was made by whoever holds this key.
    SignedBy {
        /// The public key, 64 hexadecimal digits.
        key: String,
        /// Whether it is the key that was asked for; `None` where none was. Without that, anybody's key will do.
        expected: Option<bool>,
    },
}

/// What was checked of an examination file, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// Whether the file is made as an examination file is, undamaged, and says the result digest that its rows give.
    pub consistent: bool,
    /// The result digest that its rows give; `None` where they could not be read.
    pub result_digest: Option<Sha256>,
    /// Whether that is the digest given; `None` where none was given.
    pub expected: Option<bool>,
    /// SHA-256 of the whole file.
    pub file_sha256: Sha256,
    /// What the seal says.
    pub seal: SealCheck,
    /// What its signature says.
    pub signature: SignatureCheck,
    /// Everything found wrong, one clause each, in the order of the checks.
    pub findings: Vec<String>,
}

impl Verification {
    /// Whether nothing that was checked failed. What was not checked (no digest given, no seal there) does not fail; a
    /// signature asked for and not there does.
    pub fn passed(&self) -> bool {
        self.consistent && self.findings.is_empty()
    }
}

/// Verifies an examination file: against itself, against a result digest noted elsewhere, and against its seal and the
/// key of whoever should have signed it.
///
/// # Errors
/// [`VerifyError`] only where nothing can be said: the file cannot be read, is something else, or was written by a later
/// version. Everything wrong with an examination file is a finding.
pub fn verify(path: &Path, expect: Option<Sha256>, signer: Option<&VerifyingKey>) -> Result<Verification, VerifyError> {
    let mut findings = Vec::new();
    let header = match read::header(path) {
        Ok(header) => Some(header),
        // Of our kind and not as it should be: that is what this function is there to say.
        Err(ReadError::Schema { findings: wrong, .. }) => {
            findings.extend(wrong);
            None
        }
        Err(e) => return Err(e.into()),
    };
    let file_sha256 =
        file_sha256(path).map_err(|e| ReadError::Io { path: path.display().to_string(), reason: e.to_string() })?;

    for suffix in ["-journal", "-wal"] {
        let beside = with_suffix(path, suffix);
        if beside.try_exists().unwrap_or(true) {
            findings.push(format!(
                "a file with {suffix} added to its name lies beside it: another program would read that as part of it"
            ));
        }
    }
    let mut result_digest = None;
    if let Some(header) = header {
        match read::connect(path).and_then(|conn| content(&header, conn, &mut findings)) {
            Ok(digest) => result_digest = digest,
            Err(e) => findings.push(e.to_string()),
        }
    }
    let consistent = findings.is_empty();

    let expected = expect.map(|digest| result_digest == Some(digest));
    if expected == Some(false) {
        findings.push("the result digest is not the one given".to_owned());
    }
    let (seal, signature) = check_seal(path, result_digest, file_sha256, signer, &mut findings);
    Ok(Verification { consistent, result_digest, expected, file_sha256, seal, signature, findings })
}

/// At most this many faults of the pages are listed.
const MAX_FAULTS: i64 = 10;

fn content(header: &read::Header, conn: Connection, findings: &mut Vec<String>) -> Result<Option<Sha256>, ReadError> {
    let wrong = read::structure(header, &conn)?;
    if !wrong.is_empty() {
        findings.extend(wrong);
        return Ok(None);
    }
    read::opened(&conn)?;
    // Before any row is read: this walk of the pages ends however they are linked, and it alone compares the index with
    // the table, which the result digest does not cover.
    let mut check = conn.prepare(&format!("PRAGMA integrity_check({MAX_FAULTS})"))?;
    let mut faults = check.query([])?;
    while let Some(row) = faults.next()? {
        let text: String = row.get(0)?;
        if text != "ok" {
            findings.push(format!("damaged: {}", text.chars().take(200).collect::<String>()));
        }
    }
    drop(faults);
    drop(check);
    if !findings.is_empty() {
        return Ok(None);
    }
    let free: i64 = conn.pragma_query_value(None, "freelist_count", |row| row.get(0))?;
    if free != 0 {
        findings.push("it holds unused pages, which no examination leaves".to_owned());
    }
    let mut check = conn.prepare("PRAGMA foreign_key_check")?;
    if check.query([])?.next()?.is_some() {
        findings.push("a row refers to a row that is not there".to_owned());
    }
    drop(check);

    let digest = canonical::result_digest(&conn, header.version)?;
    let examination = Examination::from_checked(conn, header);
    if examination.result_digest()? != digest {
        findings.push("its rows do not give the result digest that it states".to_owned());
    }
    Ok(Some(digest))
}

fn check_seal(
    path: &Path,
    result_digest: Option<Sha256>,
    file_sha256: Sha256,
    signer: Option<&VerifyingKey>,
    findings: &mut Vec<String>,
) -> (SealCheck, SignatureCheck) {
    let seal = match Seal::read(&seal_path(path)) {
        Ok(Some(seal)) => seal,
        other => {
            let check = other.map_or_else(SealCheck::Unusable, |_| SealCheck::Absent);
            match &check {
                SealCheck::Unusable(why) => findings.push(why.clone()),
                _ if signer.is_some() => findings.push("there is no seal, so it is not signed by the key given".into()),
                _ => {}
            }
            return (check, SignatureCheck::Absent);
        }
    };
    let file_equal = seal.file_sha256 == file_sha256;
    let result_equal = result_digest == Some(seal.result_digest);
    if !file_equal {
        findings.push("the file is not byte for byte the one that was sealed".to_owned());
    }
    if !result_equal {
        findings.push("the result digest is not the one that was sealed".to_owned());
    }
    let signature = match seal.signer() {
        None => SignatureCheck::Absent,
        Some(Err(why)) => SignatureCheck::Invalid(why),
        Some(Ok(key)) => {
            SignatureCheck::SignedBy { key: verifying_key_text(&key), expected: signer.map(|wanted| *wanted == key) }
        }
    };
    match &signature {
        SignatureCheck::Absent if signer.is_some() => findings.push("the seal is not signed".to_owned()),
        SignatureCheck::Invalid(why) => findings.push(why.clone()),
        SignatureCheck::SignedBy { expected: Some(false), .. } => {
            findings.push("the seal is signed by another key than the one given".to_owned());
        }
        _ => {}
    }
    (SealCheck::Found { file_equal, result_equal }, signature)
}
