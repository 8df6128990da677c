//! Arguments of `avocet exhibit`.

use clap::{Args, Subcommand};

/// `avocet exhibit`
#[derive(Debug, Subcommand)]
pub enum ExhibitVerb {
    /// Record a thing that was taken, or produced from another exhibit
    #[command(
        after_help = "Example:\n  avocet exhibit taken I-1 --reference JC/1 --kind phone --description black --place \"room 2\" --source warrant:W-1 --as det1"
    )]
    Taken(Taken),
    /// Record a thing that was seen at a scene and left there
    #[command(
        after_help = "Example:\n  avocet exhibit excluded I-1 --kind camera --description old --place attic --reason \"no storage\" --as det1"
    )]
    Excluded {
        /// In which investigation
        investigation: String,
        /// What it is
        #[arg(long)]
        kind: String,
        /// What it looks like; no person's name
        #[arg(long)]
        description: String,
        /// Where it was
        #[arg(long)]
        place: String,
        /// Why it was left
        #[arg(long)]
        reason: String,
        /// Who decided (default: who records it)
        #[arg(long)]
        officer: Option<String>,
        /// When
        #[command(flatten)]
        at: When,
    },
    /// Record that it was put into a sealed bag
    #[command(after_help = "Example:\n  avocet exhibit seal E-1 S-100 --as det1")]
    Seal {
        /// Which exhibit
        exhibit: String,
        /// The seal's number
        seal: String,
        /// When
        #[command(flatten)]
        at: When,
    },
    /// Record that its seal was broken
    #[command(after_help = "Example:\n  avocet exhibit open E-1 S-100 --reason imaging --as exam1")]
    Open {
        /// Which exhibit
        exhibit: String,
        /// The seal that was found
        seal: String,
        /// Why
        #[arg(long)]
        reason: String,
        /// When
        #[command(flatten)]
        at: When,
    },
    /// Record that it was given on: to U-3, to place:STORE or to outside:BODY
    #[command(after_help = "Example:\n  avocet exhibit hand-over E-1 --to U-4 --as det1")]
    HandOver {
        /// Which exhibit
        exhibit: String,
        /// To whom
        #[arg(long)]
        to: String,
        /// From whom (default: who has it by the record)
        #[arg(long)]
        from: Option<String>,
        /// When
        #[command(flatten)]
        at: When,
    },
    /// Confirm, as the other side, that a hand-over was received
    #[command(after_help = "Example:\n  avocet exhibit received E-1 25 --as exam1")]
    Received {
        /// Which exhibit
        exhibit: String,
        /// The entry of the hand-over
        entry: u64,
        /// When
        #[command(flatten)]
        at: When,
    },
    /// Record that it was worked on
    #[command(after_help = "Example:\n  avocet exhibit examined E-1 --what imaged --as exam1")]
    Examined {
        /// Which exhibit
        exhibit: String,
        /// What was done
        #[arg(long)]
        what: String,
        /// Whether it lies within what its giver agreed to
        #[arg(long, value_name = "yes|no")]
        within_scope: Option<YesNo>,
        /// When
        #[command(flatten)]
        at: When,
    },
    /// Record that whoever gave it by agreement no longer agrees
    #[command(after_help = "Example:\n  avocet exhibit agreement-withdrawn E-2 --as det1")]
    AgreementWithdrawn {
        /// Which exhibit
        exhibit: String,
        /// When
        #[command(flatten)]
        at: When,
    },
    /// Record that it is to be kept, and when that is looked at again
    #[command(
        after_help = "Example:\n  avocet exhibit retained E-1 --authority \"order 7\" --review 2027-01-24T10:00Z --as sup1"
    )]
    Retained {
        /// Which exhibit
        exhibit: String,
        /// Under what authority
        #[arg(long)]
        authority: String,
        /// When the decision is to be looked at again
        #[arg(long, value_name = "TIME")]
        review: Option<String>,
        /// When
        #[command(flatten)]
        at: When,
    },
    /// Record that it was given back
    #[command(after_help = "Example:\n  avocet exhibit returned E-1 --as sup1")]
    Returned {
        /// Which exhibit
        exhibit: String,
        /// To whom; kept encrypted
        #[arg(long)]
        to: Option<String>,
        /// When
        #[command(flatten)]
        at: When,
    },
    /// Record that it was destroyed
    #[command(
        after_help = "Example:\n  avocet exhibit destroyed E-1 --authority \"order 7\" --method shredded --witness U-2 --as sup1"
    )]
    Destroyed {
        /// Which exhibit
        exhibit: String,
        /// Under what authority
        #[arg(long)]
        authority: String,
        /// How
        #[arg(long)]
        method: String,
        /// Who watched
        #[arg(long, value_name = "USER")]
        witness: String,
        /// When
        #[command(flatten)]
        at: When,
    },
    /// Say that an earlier entry is wrong; it stays visible
    #[command(after_help = "Example:\n  avocet exhibit correct E-1 25 --reason \"wrong seal number\" --as det1")]
    Correct {
        /// Which exhibit
        exhibit: String,
        /// The entry
        entry: u64,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// List the exhibits of an investigation: where each is, and what does not fit
    #[command(after_help = "Example:\n  avocet exhibit list I-1 --as det1")]
    List {
        /// Which investigation
        investigation: String,
    },
    /// Show one exhibit: what does not fit, then its continuity
    #[command(after_help = "Example:\n  avocet exhibit show E-1 --as det1")]
    Show {
        /// Which exhibit
        exhibit: String,
    },
}

/// `avocet exhibit taken`
#[derive(Debug, Args)]
pub struct Taken {
    /// In which investigation
    pub investigation: String,
    /// Its reference: the producer's initials and a number
    #[arg(long)]
    pub reference: String,
    /// What it is: phone, laptop, SIM, image file
    #[arg(long)]
    pub kind: String,
    /// What it looks like; no person's name
    #[arg(long)]
    pub description: String,
    /// Where it was found
    #[arg(long)]
    pub place: String,
    /// Under what: warrant:W-1, power:ID, agreement:suspect|volunteer|victim|witness:SCOPE, or parent
    #[arg(long)]
    pub source: String,
    /// The exhibit that it is a part of
    #[arg(long, value_name = "E")]
    pub parent: Option<String>,
    /// Maker
    #[arg(long)]
    pub make: Option<String>,
    /// Model
    #[arg(long)]
    pub model: Option<String>,
    /// KIND=NUMBER, such as IMEI=…; may be given several times
    #[arg(long, value_name = "KIND=NUMBER")]
    pub serial: Vec<String>,
    /// Who produces it (default: who records it)
    #[arg(long)]
    pub officer: Option<String>,
    /// When
    #[command(flatten)]
    pub at: When,
}

/// When something happened.
#[derive(Debug, Args)]
pub struct When {
    /// When it happened, with offset or zone (default: now)
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
}

/// Yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum YesNo {
    /// Yes
    Yes,
    /// No
    No,
}
