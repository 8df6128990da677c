//! The command line of `avocet sets`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// `avocet sets …`
#[derive(Debug, Subcommand)]
pub enum Sets {
    /// Compile files into a new set
    #[command(
        after_help = "Example:\n  avocet sets import disk-1of2.json disk-2of2.json --name gold --scheme my-uk.toml\n\
                            Several files are one set. `avocet schemes` lists the schemes."
    )]
    Import(ImportSet),
    /// Apply further files or a delta to a set, as a new version
    #[command(after_help = "Example:\n  avocet sets update nsrl RDS_2026.09.1_modern_delta.sql")]
    Update(UpdateSet),
    /// List the sets and their versions
    #[command(after_help = "Example:\n  avocet sets list")]
    List,
    /// Show what a set holds and where it came from
    #[command(after_help = "Example:\n  avocet sets show project-vic@2")]
    Show(WhichSet),
    /// Say which sets know a digest
    #[command(after_help = "Example:\n  avocet sets lookup d41d8cd98f00b204e9800998ecf8427e\n  \
                            avocet sets lookup --hashes digests.txt --count\n\
                            A value is an MD5, SHA-1 or SHA-256 in hexadecimal, pdq:HEX, photodna:HEX or size:BYTES.")]
    Lookup(LookupSets),
    /// Read sets whole and check every checksum, order and index
    #[command(after_help = "Example:\n  avocet sets verify    (all versions of all sets)")]
    Verify {
        /// Sets or versions; all where none is given
        sets: Vec<String>,
    },
    /// Say what one version has that another has not
    #[command(after_help = "Example:\n  avocet sets diff project-vic@1 project-vic@2")]
    Diff(DiffSets),
    /// Remove one version of a set; the log keeps that it was there
    #[command(after_help = "Example:\n  avocet sets remove project-vic@1 --reason \"replaced by version 2\"")]
    Remove(RemoveSet),
    /// Read a set's categories with another scheme, as a new version
    #[command(after_help = "Example:\n  avocet sets remap gold --scheme my-uk.toml --note \"codes confirmed\"")]
    Remap(RemapSet),
    /// Write a set as VICS 2.0 or CSV
    #[command(after_help = "Example:\n  avocet sets export project-vic --format vics --out project-vic.json")]
    Export(ExportSet),
}

/// A set or one version of it.
#[derive(Debug, Args)]
pub struct WhichSet {
    /// NAME, or NAME@VERSION
    pub set: String,
}

/// `avocet sets import`
#[derive(Debug, Args)]
pub struct ImportSet {
    /// The set's files, all of them
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// What the set is to be called
    #[arg(long)]
    pub name: String,
    /// The category scheme, or a scheme file (.toml)
    #[arg(long)]
    pub scheme: Option<String>,
    /// Who published it, where the files do not say
    #[arg(long)]
    pub publisher: Option<String>,
    /// Why, or from where; kept with the set
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
    /// Memory for sorting, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub memory: u32,
}

/// `avocet sets update`
#[derive(Debug, Args)]
pub struct UpdateSet {
    /// NAME of the set
    pub set: String,
    /// Further files, or a delta
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// The scheme file, where the set was made with a scheme of your own
    #[arg(long)]
    pub scheme: Option<String>,
    /// Why, or from where; kept with the set
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
    /// Memory for sorting, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub memory: u32,
}

/// `avocet sets lookup`
#[derive(Debug, Args)]
pub struct LookupSets {
    /// Digests or other values
    #[arg(required_unless_present = "hashes")]
    pub values: Vec<String>,
    /// File with one value a line
    #[arg(long, value_name = "FILE")]
    pub hashes: Option<PathBuf>,
    /// Print only how many were found
    #[arg(long)]
    pub count: bool,
    /// Ask only this set; may be given several times
    #[arg(long = "set", value_name = "SET")]
    pub sets: Vec<String>,
}

/// `avocet sets diff`
#[derive(Debug, Args)]
pub struct DiffSets {
    /// NAME@VERSION, the earlier
    pub from: String,
    /// NAME@VERSION, the later
    pub to: String,
    /// List every difference instead of the first twenty
    #[arg(long)]
    pub all: bool,
}

/// `avocet sets remove`
#[derive(Debug, Args)]
pub struct RemoveSet {
    /// NAME@VERSION
    pub set: String,
    /// Why; kept in the log
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

/// `avocet sets remap`
#[derive(Debug, Args)]
pub struct RemapSet {
    /// NAME of the set
    pub set: String,
    /// The category scheme, or a scheme file (.toml)
    #[arg(long)]
    pub scheme: String,
    /// Why; kept with the set
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
}

/// How `avocet sets export` writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// VICS 2.0 hash set
    Vics,
    /// Comma-separated values with a header
    Csv,
}

/// `avocet sets export`
#[derive(Debug, Args)]
pub struct ExportSet {
    /// NAME, or NAME@VERSION
    pub set: String,
    /// How
    #[arg(long, value_enum)]
    pub format: ExportFormat,
    /// Where it goes
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}
