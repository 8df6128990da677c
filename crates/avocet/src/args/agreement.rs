//! `avocet grading`: the moderation sample, agreement, withdrawals, second views, imported categories.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

/// Further verbs of `avocet grading`.
#[derive(Debug, Subcommand)]
pub enum GradingMore {
    /// Show the moderation sample: how many were drawn, and what a moderator has yet to look at
    #[command(after_help = "Example:\n  avocet grading sample I-1 --as sup1")]
    Sample {
        /// Of which investigation
        investigation: String,
    },
    /// Show how far votes agree beyond chance; of the investigation as a whole, never of a person
    #[command(after_help = "Example:\n  avocet grading agreement I-1 --as sup1")]
    Agreement {
        /// Of which investigation
        investigation: String,
    },
    /// Withdraw a vote of one's own; it stays visible and counts no more
    #[command(after_help = "Example:\n  avocet grading withdraw I-1 9f2c… --reason slip --as grad1")]
    Withdraw {
        /// In which investigation
        investigation: String,
        /// SHA-256 of the content
        sha256: String,
        /// Entry of the vote (default: one's last that still counts)
        #[arg(long, value_name = "N")]
        vote: Option<u64>,
        /// Why
        #[arg(long, value_enum)]
        reason: WithdrawArg,
    },
    /// Ask for a second, blind view of a content
    #[command(after_help = "Example:\n  avocet grading second-view I-1 9f2c… --reason legal-line --as grad1")]
    SecondView {
        /// In which investigation
        investigation: String,
        /// SHA-256 of the content
        sha256: String,
        /// Why
        #[arg(long, value_enum)]
        reason: RequestArg,
    },
    /// Record the categories that a set gives to contents of an investigation
    #[command(
        after_help = "FILE is CSV with the columns sha256, category and trusted (yes or no, as the set itself says), or VICS JSON \
                      (1.2, 1.3, 2.0). In VICS, --scheme says in which scheme its categories are, unless each record says it.\n\n\
                      Example:\n  avocet grading import I-1 set-1.csv --set \"Set 1@3\" --as exam1\n  \
                      avocet grading import I-1 case.json --set \"Force 2@1\" --scheme us-vics-2.0@1 --as exam1"
    )]
    Import {
        /// Into which investigation
        investigation: String,
        /// The list
        file: PathBuf,
        /// The set and its version, NAME@VERSION
        #[arg(long)]
        set: String,
        /// The scheme that whoever sent a VICS file says its categories are in, ID@VERSION: that of the investigation
        #[arg(long)]
        scheme: Option<String>,
    },
}

/// Why a vote is withdrawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum WithdrawArg {
    /// The wrong key or the wrong row
    Slip,
    /// Not sure any more
    SecondThought,
    /// Cast in the wrong scheme
    WrongScheme,
    /// Something else
    Other,
}

/// Why another view is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RequestArg {
    /// Whether it shows a child
    WhetherAChild,
    /// What the scene is
    Context,
    /// On which side of the law's line it lies
    LegalLine,
    /// The picture is poor
    Quality,
    /// Something else
    Other,
}
