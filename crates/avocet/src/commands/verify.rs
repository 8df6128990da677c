//! `avocet verify`

use avocet_base::Sha256;
use avocet_examination::{SealCheck, SignatureCheck, Verification};

use crate::args::{Global, Verify};
use crate::{Outcome, Refusal, output};

pub fn run(global: &Global, args: &Verify) -> anyhow::Result<Outcome> {
    let expect: Option<Sha256> = match &args.expect {
        None => None,
        Some(text) => Some(text.trim().parse().map_err(|e| Refusal(format!("--expect: {e}")))?),
    };
    let signer = match &args.signer {
        None => None,
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .map_err(|e| Refusal(format!("cannot read the public key {}: {e}", path.display())))?;
            Some(avocet_examination::parse_verifying_key(&text).map_err(|e| Refusal(e.to_string()))?)
        }
    };
    let found =
        avocet_examination::verify(&args.examination, expect, signer.as_ref()).map_err(|e| Refusal(e.to_string()))?;
    if global.json {
        output::answer(&format!("{:#}", json(&found)))?;
    } else {
        output::answer(&text(&found))?;
    }
    Ok(if found.passed() { Outcome::Finished } else { Outcome::Unreadable })
}

fn seal_text(found: &Verification) -> String {
    match &found.seal {
        SealCheck::Absent => "no seal file lies beside it".to_owned(),
        SealCheck::Unusable(why) => format!("the seal file cannot be used: {why}"),
        SealCheck::Found { file_equal: true, result_equal: true } => "agrees with the file".to_owned(),
        SealCheck::Found { .. } => "DIFFERS from the file".to_owned(),
    }
}

fn signature_text(found: &Verification) -> String {
    match &found.signature {
        SignatureCheck::Absent => "not signed".to_owned(),
        SignatureCheck::Invalid(why) => format!("INVALID: {why}"),
        SignatureCheck::SignedBy { key, expected: Some(true) } => format!("signed by the key given, {key}"),
        SignatureCheck::SignedBy { key, expected: Some(false) } => format!("signed by ANOTHER key, {key}"),
        SignatureCheck::SignedBy { key, expected: None } => {
            format!("signed by {key} (compare it with the signer's, or give --signer)")
        }
    }
}

/// What was checked and what was not, one line each: a file that agrees with itself may still have been rewritten.
fn text(found: &Verification) -> String {
    let consistent = if found.consistent { "yes" } else { "NO" };
    let expected = match found.expected {
        None => "not checked: no digest was given (--expect)",
        Some(true) => "yes",
        Some(false) => "NO",
    };
    let digest = found.result_digest.map_or_else(|| "cannot be computed".to_owned(), |d| d.to_string());
    let mut out = format!(
        "Consistent with itself     {consistent}\nEqual to the digest given  {expected}\nSeal                       {}\nSignature                  {}\nResult digest              {digest}\nSHA-256 of the file        {}\n",
        seal_text(found),
        signature_text(found),
        found.file_sha256,
    );
    for finding in &found.findings {
        out.push_str(&format!("Finding: {finding}\n"));
    }
    out
}

fn json(found: &Verification) -> serde_json::Value {
    serde_json::json!({
        "passed": found.passed(),
        "consistent": found.consistent,
        "result_digest": found.result_digest,
        "expected": found.expected,
        "file_sha256": found.file_sha256,
        "seal": seal_text(found),
        "signature": signature_text(found),
        "findings": found.findings,
    })
}
