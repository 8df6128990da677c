//! One module a verb: parse what was given, call the library, print.

pub mod demo;
pub mod evidence;
pub mod examine;
pub mod key;
pub mod list;
pub mod report;
pub mod schemes;
pub mod shell;
pub mod summary;
pub mod verify;

use std::path::Path;

use avocet_evidence::{Evidence, OpenError};
use avocet_known::{KnownSets, KnownSpec};

use crate::Refusal;

/// Opens evidence; what the user can mend is a refusal.
fn open_evidence(path: &Path) -> anyhow::Result<Evidence> {
    Evidence::open(path).map_err(|e| match e {
        OpenError::Read(_) => anyhow::Error::new(e).context("the evidence cannot be read"),
        _ => Refusal(e.to_string()).into(),
    })
}

/// Loads the known sets named as `FILE=SCHEME`.
fn load_known(specs: &[String]) -> anyhow::Result<KnownSets> {
    let refuse = |e: avocet_known::KnownError| Refusal(e.to_string());
    let specs = specs.iter().map(|s| KnownSpec::parse(s).map_err(refuse)).collect::<Result<Vec<_>, _>>()?;
    Ok(KnownSets::load(&specs, &mut |_| {}).map_err(refuse)?)
}
