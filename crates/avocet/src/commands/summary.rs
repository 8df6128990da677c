//! `avocet summary`

use std::path::Path;

use avocet_examination::Examination;
use avocet_report::Extract;

use crate::args::Global;
use crate::{Outcome, Refusal, output};

/// Opens a sealed examination; what is wrong with it is a refusal.
pub(super) fn open(path: &Path) -> anyhow::Result<Examination> {
    Ok(Examination::open(path).map_err(|e| Refusal(e.to_string()))?)
}

/// Prints the summary of an examination.
pub(super) fn print(global: &Global, examination: &Examination) -> anyhow::Result<Extract> {
    let extract = Extract::of(examination)?;
    if global.json {
        output::answer(&serde_json::to_string_pretty(&extract)?)?;
    } else {
        output::answer(&avocet_report::text(&extract, output::colour()))?;
    }
    Ok(extract)
}

pub fn run(global: &Global, path: &Path) -> anyhow::Result<Outcome> {
    print(global, &open(path)?)?;
    Ok(Outcome::Finished)
}
