//! The command line of `avocet media`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::ListFormat;

/// `avocet media …`
#[derive(Debug, Subcommand)]
pub enum MediaVerb {
    /// List the pictures of an examination, one line a file
    #[command(after_help = "Example:\n  avocet media list JC-1.examination --format jsonl --status near")]
    List(MediaList),
    /// Show everything that an examination says of one picture
    #[command(after_help = "Example:\n  avocet media show JC-1.examination 4711\n  \
                            avocet media show JC-1.examination 4711 --small veiled --out 4711.jpg")]
    Show(MediaShow),
    /// List the pictures that look like one picture
    #[command(after_help = "Example:\n  avocet media similar JC-1.examination 4711 --radius 40\n  \
                            avocet media similar JC-1.examination pdq:f8f8…")]
    Similar(MediaSimilar),
    /// Make a key file that opens small pictures
    #[command(after_help = "Example:\n  avocet media key case-17.picture-key")]
    Key {
        /// Where it goes
        file: PathBuf,
    },
    /// Check that every small picture of an examination can be opened and is as it was stored
    #[command(after_help = "Example:\n  avocet media verify JC-1.examination")]
    Verify(WhichPicture),
    /// Destroy the keys inside a file of small pictures: nobody can open them again
    #[command(after_help = "Example:\n  avocet media destroy JC-1.examination --yes")]
    Destroy {
        /// The sealed examination
        examination: PathBuf,
        /// Yes, destroy them
        #[arg(long)]
        yes: bool,
    },
}

/// What a picture's status is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StatusArg {
    /// A known set holds this very content
    Exact,
    /// A known set holds a picture that looks nearly the same
    Near,
    /// No known set knows it
    Unknown,
    /// It could not be decoded, and no known set holds its content
    Undecodable,
}

/// `avocet media list`
#[derive(Debug, Args)]
pub struct MediaList {
    /// The sealed examination
    pub examination: PathBuf,
    /// How to print
    #[arg(long, value_enum, default_value = "table")]
    pub format: ListFormat,
    /// Only pictures of this status
    #[arg(long, value_enum)]
    pub status: Option<StatusArg>,
    /// Instead of pictures: the cameras that they name, with how many
    #[arg(long, conflicts_with_all = ["status", "groups"])]
    pub cameras: bool,
    /// Instead of pictures: the groups that look the same
    #[arg(long, conflicts_with = "status")]
    pub groups: bool,
}

/// An examination, and what opens its small pictures.
#[derive(Debug, Args)]
pub struct WhichPicture {
    /// The sealed examination
    pub examination: PathBuf,
    /// Key file that opens the small pictures (default: the one in the store)
    #[arg(long, value_name = "FILE")]
    pub picture_key: Option<PathBuf>,
}

/// `avocet media show`
#[derive(Debug, Args)]
pub struct MediaShow {
    /// The sealed examination
    pub examination: PathBuf,
    /// Number of a file, or SHA-256 of its content
    pub picture: String,
    /// Write the small picture: veiled (small, blurred, grey) or clear
    #[arg(long, value_enum, requires = "out")]
    pub small: Option<SmallArg>,
    /// Where the small picture goes
    #[arg(long, value_name = "FILE", requires = "small")]
    pub out: Option<PathBuf>,
    /// Why the clear one has to be looked at; kept in the access log
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Key file that opens the small pictures (default: the one in the store)
    #[arg(long, value_name = "FILE")]
    pub picture_key: Option<PathBuf>,
}

/// The two small pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SmallArg {
    /// Small, blurred, grey
    Veiled,
    /// Small, as it is
    Clear,
}

/// `avocet media similar`
#[derive(Debug, Args)]
pub struct MediaSimilar {
    /// The sealed examination
    pub examination: PathBuf,
    /// Number of a file, SHA-256 of its content, or pdq:HEX
    pub picture: String,
    /// Largest distance, in bits of 256
    #[arg(long, value_name = "BITS", default_value_t = 31, value_parser = clap::value_parser!(u32).range(0..=256))]
    pub radius: u32,
}
