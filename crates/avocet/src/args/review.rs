//! `avocet review` and `avocet care`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// For what somebody looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Work {
    /// To grade
    Grade,
    /// To give second views, blind
    Second,
    /// To moderate
    Moderate,
}

/// `avocet review`
#[derive(Debug, Subcommand)]
pub enum Review {
    /// The next contents for you; nobody else gets them for ten minutes
    #[command(after_help = "Example:\n  avocet review next I-1 --limit 5 --as grad1")]
    Next {
        /// Which investigation
        investigation: String,
        /// For what
        #[arg(long, value_enum, default_value_t = Work::Grade)]
        work: Work,
        /// How many at most
        #[arg(long, default_value_t = 10, value_name = "N")]
        limit: u32,
    },
    /// Grade a content that is before you
    #[command(after_help = "Example:\n  avocet review vote I-1 9f2c… --category C --as grad1")]
    Vote {
        /// Which investigation
        investigation: String,
        /// Which content
        sha256: String,
        /// The category, as the scheme of the policy writes it, or `none`
        #[arg(long)]
        category: String,
    },
    /// Take back your last grade; can be repeated
    #[command(after_help = "Example:\n  avocet review undo I-1 --as grad1")]
    Undo {
        /// Which investigation
        investigation: String,
    },
    /// Pass a content over
    #[command(after_help = "Example:\n  avocet review skip I-1 9f2c… --as grad1")]
    Skip {
        /// Which investigation
        investigation: String,
        /// Which content
        sha256: String,
    },
    /// Ask for a second, blind view by somebody else
    #[command(after_help = "Example:\n  avocet review flag I-1 9f2c… --as grad1")]
    Flag {
        /// Which investigation
        investigation: String,
        /// Which content
        sha256: String,
    },
    /// Write something down about a content, sealed under the investigation's key
    #[command(after_help = "Example:\n  avocet review note I-1 9f2c… --text \"compare with E-3\" --as grad1")]
    Note {
        /// Which investigation
        investigation: String,
        /// Which content
        sha256: String,
        /// What
        #[arg(long)]
        text: String,
    },
    /// Mark a content for victim identification: begins a child's record with it as the first lead, or adds to one
    #[command(after_help = "Example:\n  avocet review identify I-1 9f2c… --as grad1")]
    Identify {
        /// Which investigation
        investigation: String,
        /// Which content
        sha256: String,
        /// A child's record that is there already
        #[arg(long, value_name = "P")]
        child: Option<String>,
    },
    /// Have the original file of a content written out of the evidence; the reason is recorded before a byte is read
    #[command(
        after_help = "Example:\n  avocet review original I-1 9f2c… --examination JC-1.examination --evidence JC-1.E01 \\\n\
                      \x20                         --reason \"to compare with E-3\" --out original.bin --as exa1"
    )]
    Original {
        /// Which investigation
        investigation: String,
        /// Which content
        sha256: String,
        /// The sealed examination that says where it is, attached to the investigation
        #[arg(long, value_name = "FILE")]
        examination: PathBuf,
        /// The evidence that was examined
        #[arg(long, value_name = "PATH")]
        evidence: PathBuf,
        /// Why
        #[arg(long)]
        reason: String,
        /// Where to write it; no file may be there
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// What the evidence is opened with
        #[command(flatten)]
        opening: super::Opening,
    },
    /// State that a camera, by what pictures say of it, is a device's own: unknown pictures by it come first
    #[command(after_help = "Example:\n  avocet review own-camera I-1 E-1 --camera \"Maker Model 1\" --as exa1")]
    OwnCamera {
        /// Which investigation
        investigation: String,
        /// Of which device
        exhibit: String,
        /// Maker and model, as the pictures state them
        #[arg(long)]
        camera: String,
    },
    /// The pictures that look the same as one, and the grade that is proposed for them
    #[command(after_help = "Example:\n  avocet review group I-1 9f2c… --as grad1")]
    Group {
        /// Which investigation
        investigation: String,
        /// Which content of it
        sha256: String,
    },
    /// How far the review is: what is done, left, and was spared by matching and stacking
    #[command(after_help = "Example:\n  avocet review status I-1 --as grad1")]
    Status {
        /// Which investigation
        investigation: String,
    },
    /// Give back what is before you
    #[command(after_help = "Example:\n  avocet review leave I-1 --break-taken --as grad1")]
    Leave {
        /// Which investigation
        investigation: String,
        /// Record that you take a break
        #[arg(long)]
        break_taken: bool,
    },
}

/// `avocet care`
#[derive(Debug, Subcommand)]
pub enum Care {
    /// What you looked at, day by day
    #[command(after_help = "Example:\n  avocet care own --from 2026-11-01 --to 2026-11-30 --as grad1")]
    Own {
        /// First day
        #[arg(long, value_name = "DAY")]
        from: String,
        /// Last day
        #[arg(long, value_name = "DAY")]
        to: String,
    },
    /// What everybody together looked at, day by day; nobody is listed
    #[command(after_help = "Example:\n  avocet care totals --from 2026-11-01 --to 2026-11-30 --as sup1")]
    Totals {
        /// First day
        #[arg(long, value_name = "DAY")]
        from: String,
        /// Last day
        #[arg(long, value_name = "DAY")]
        to: String,
    },
    /// Limits of exposure: what holds, who set it and why
    #[command(after_help = "Example:\n  avocet care limits show --as grad1")]
    Limits {
        /// What to do
        #[command(subcommand)]
        verb: CareLimits,
    },
}

/// For whom
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct LimitsOf {
    /// For one person
    #[arg(long, value_name = "ID")]
    pub user: Option<String>,
    /// For the team
    #[arg(long)]
    pub team: bool,
}

/// `avocet care limits`
#[derive(Debug, Subcommand)]
pub enum CareLimits {
    /// Your limits and how much of each is used; those of the team or of somebody else without that
    #[command(
        after_help = "Example:\n  avocet care limits show --as grad1\n  avocet care limits show --user U-4 --as sup1"
    )]
    Show {
        /// Of somebody else, for whoever sets limits
        #[arg(long, value_name = "ID", conflicts_with = "team")]
        user: Option<String>,
        /// Of the team
        #[arg(long)]
        team: bool,
    },
    /// Set a limit for the team or one person
    #[command(
        after_help = "Example:\n  avocet care limits set without-a-break --propose 40 --hold 90 --team --reason \"agreed with occupational health\" --as sup1"
    )]
    Set {
        /// A row of staff-care.toml
        limit: String,
        /// From here on a break is proposed
        #[arg(long, value_name = "N")]
        propose: u32,
        /// From here on no further batch is handed out; without it a break is only ever proposed
        #[arg(long, value_name = "N")]
        hold: Option<u32>,
        /// For whom
        #[command(flatten)]
        of: LimitsOf,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Let what was set no longer hold
    #[command(
        after_help = "Example:\n  avocet care limits reset clear-minutes --user U-4 --reason \"no longer needed\" --as sup1"
    )]
    Reset {
        /// A row of staff-care.toml
        limit: String,
        /// For whom
        #[command(flatten)]
        of: LimitsOf,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Let nothing be held back for one person until the day ends
    #[command(
        after_help = "Example:\n  avocet care limits lift --user U-4 --reason \"agreed; two items left\" --as sup1"
    )]
    Lift {
        /// For whom
        #[arg(long, value_name = "ID")]
        user: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
}
