//! Arguments of `avocet referral` and `avocet conflicts`.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

/// `avocet referral`
#[derive(Debug, Subcommand)]
pub enum ReferralVerb {
    /// Take in a lead: NCMEC CyberTip XML, CSV, JSON, or any other file; nothing is refused
    #[command(
        after_help = "Example:\n  avocet referral add tip.xml --source ncmec-cybertip --received 2026-11-20T09:30Z --as det1"
    )]
    Add {
        /// The lead as it came; it is kept byte for byte
        file: PathBuf,
        /// Where it came from, as `avocet law list referral-sources` names it
        #[arg(long)]
        source: String,
        /// When it was received, with offset or zone
        #[arg(long, value_name = "TIME")]
        received: String,
        /// How it is written (default: by its first characters)
        #[arg(long)]
        format: Option<LeadFormat>,
    },
    /// List referrals, those without an investigation first
    #[command(after_help = "Example:\n  avocet referral list --as det1")]
    List,
    /// Show what a referral says: flags, what could not be read, IP events, every field
    #[command(after_help = "Example:\n  avocet referral show R-1 --as det1")]
    Show {
        /// Which
        referral: String,
    },
    /// Write the original to a file, byte for byte; it is logged
    #[command(after_help = "Example:\n  avocet referral original R-1 --out R-1.xml --as det1")]
    Original {
        /// Which
        referral: String,
        /// Where it goes; never replaced
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Put a referral into an investigation that is open already
    #[command(after_help = "Example:\n  avocet referral link R-2 I-1 --as sup1")]
    Link {
        /// Which
        referral: String,
        /// Into which
        investigation: String,
    },
}

/// How a lead is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LeadFormat {
    /// XML
    Xml,
    /// CSV with a header
    Csv,
    /// JSON
    Json,
}

/// `avocet conflicts`
#[derive(Debug, Subcommand)]
pub enum Conflicts {
    /// Show where the same identifiers or media stand in other records, and whose those are
    #[command(after_help = "Example:\n  avocet conflicts show R-3 --as det1")]
    Show {
        /// A referral, an exhibit or an investigation
        id: String,
    },
    /// Note that the same identifiers in two records were looked at
    #[command(after_help = "Example:\n  avocet conflicts note R-3 R-1 dismissed --reason \"a shared proxy\" --as det1")]
    Note {
        /// The record you come from
        id: String,
        /// The other record
        other: String,
        /// As what
        verdict: Verdict,
        /// Why; kept encrypted
        #[arg(long)]
        reason: String,
    },
}

/// What somebody makes of a conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Verdict {
    /// It stands, and was seen
    Seen,
    /// It is nothing
    Dismissed,
}
