//! `avocet completions` and `avocet man`: generated from the command line's own definition.

use std::path::Path;

use clap::CommandFactory;

use crate::args::Cli;
use crate::{Outcome, output};

pub fn completions(shell: clap_complete::Shell) -> anyhow::Result<Outcome> {
    let mut text = vec![];
    clap_complete::generate(shell, &mut Cli::command(), "avocet", &mut text);
    output::answer(&String::from_utf8(text)?)?;
    Ok(Outcome::Finished)
}

pub fn man(dir: &Path) -> anyhow::Result<Outcome> {
    std::fs::create_dir_all(dir)?;
    clap_mangen::generate_to(Cli::command(), dir)?;
    Ok(Outcome::Finished)
}
