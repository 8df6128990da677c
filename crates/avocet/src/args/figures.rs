//! Arguments of `avocet figures`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `avocet figures`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct FiguresArgs {
    /// Instead: what they are counted from
    #[command(subcommand)]
    pub verb: Option<FiguresVerb>,
    /// The first day, YYYY-MM-DD
    #[arg(long, value_name = "DAY", required = true)]
    pub from: Option<String>,
    /// The last day, YYYY-MM-DD
    #[arg(long, value_name = "DAY", required = true)]
    pub to: Option<String>,
    /// Only what was recorded up to this entry, or up to this time with offset or zone
    #[arg(long, value_name = "N|TIME")]
    pub cutoff: Option<String>,
    /// List the ids of the records that each number counts; not for publication
    #[arg(long)]
    pub records: bool,
    /// Show the small numbers of breakdowns; not for publication
    #[arg(long)]
    pub small_numbers: bool,
    /// Write them as CSV too; never replaces a file
    #[arg(long, value_name = "FILE")]
    pub csv: Option<PathBuf>,
}

/// `avocet figures export`
#[derive(Debug, Subcommand)]
pub enum FiguresVerb {
    /// Write the facts that figures are counted from as CSV: ids, times and kinds, no text
    #[command(after_help = "Example:\n  avocet figures export --csv counted --cutoff 41207 --as aud1")]
    Export {
        /// The new folder
        #[arg(long, value_name = "DIR")]
        csv: PathBuf,
        /// Only what was recorded up to this entry, or up to this time with offset or zone
        #[arg(long, value_name = "N|TIME")]
        cutoff: Option<String>,
    },
}
