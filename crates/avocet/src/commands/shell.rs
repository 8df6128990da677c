//! `avocet completions` and `avocet man`: generated from the command line's own definition.

use std::path::Path;

use clap::CommandFactory;

use crate::args::Cli;
use crate::{Outcome, Refusal, output};

pub fn completions(shell: clap_complete::Shell) -> anyhow::Result<Outcome> {
    let mut text = vec![];
    clap_complete::generate(shell, &mut Cli::command(), "avocet", &mut text);
    output::answer(&String::from_utf8(text)?)?;
    Ok(Outcome::Finished)
}

pub fn man(dir: &Path) -> anyhow::Result<Outcome> {
    std::fs::create_dir_all(dir).and_then(|()| clap_mangen::generate_to(Cli::command(), dir)).map_err(|e| {
        Refusal(format!("cannot write the man pages to {}: {e}. Name a folder you may write to", dir.display()))
    })?;
    Ok(Outcome::Finished)
}
