//! Arguments of `avocet outcome` and `avocet order`.

use clap::{Subcommand, ValueEnum};

use super::When;

/// `avocet outcome`
#[derive(Debug, Subcommand)]
pub enum OutcomeVerb {
    /// Record a charge: the first one of a suspect opens their outcome
    #[command(
        after_help = "Example:\n  avocet outcome charge I-1 --offence pca-1978-s1 --decided-by \"Crown Prosecution Service\" --as det1\n  \
                      avocet outcome charge I-1 --outcome O-1 --charge 2 --offence cja-1988-s160 --decided-by \"Crown Prosecution Service\" --as det1"
    )]
    Charge {
        /// In which investigation
        investigation: String,
        /// The outcome that it belongs to (default: a new one)
        #[arg(long, value_name = "O")]
        outcome: Option<String>,
        /// Its number within the outcome
        #[arg(long, default_value_t = 1)]
        charge: u32,
        /// The offence, as `avocet law list offences` names it
        #[arg(long)]
        offence: String,
        /// Who decided; no person's name
        #[arg(long)]
        decided_by: String,
        /// Against whom
        #[arg(long, value_name = "P")]
        suspect: Option<String>,
        /// When
        #[command(flatten)]
        at: When,
    },
    /// Show the counts that votes have settled, for a schedule
    #[command(after_help = "Example:\n  avocet outcome counts I-1 --as det1")]
    Counts {
        /// Of which investigation
        investigation: String,
    },
    /// State the counts of the schedule to a charge
    #[command(
        after_help = "Example:\n  avocet outcome schedule O-1 --charge 1 --line A,still,E-1,12,yes,2024-01-03..2024-05-01 \
                      --line A,moving,E-1,2,no --as det1"
    )]
    Schedule {
        /// Of which outcome
        outcome: String,
        /// To which charge
        #[arg(long, default_value_t = 1)]
        charge: u32,
        /// CATEGORY,still|moving,DEVICE,COUNT,ACCESSIBLE[,FROM..TO] with `-` for no category or no device, and yes, no or
        /// `-` for whether the user could get at the files; may be given several times
        #[arg(long, value_name = "LINE", required = true)]
        line: Vec<String>,
    },
    /// Record that a charge is no longer pursued
    #[command(after_help = "Example:\n  avocet outcome end-charge O-1 --charge 2 --reason \"discontinued\" --as det1")]
    EndCharge {
        /// Of which outcome
        outcome: String,
        /// Which charge
        #[arg(long)]
        charge: u32,
        /// Why; no person's name
        #[arg(long)]
        reason: String,
        /// When
        #[command(flatten)]
        at: When,
    },
    /// Record how it ended, for one charge or as a whole; without an outcome it opens one
    #[command(
        after_help = "Example:\n  avocet outcome dispose I-1 --outcome O-1 --charge 1 --disposal convicted --authority \"Court 1\" --as det1\n  \
                      avocet outcome dispose I-1 --disposal evidential-difficulties --authority \"Supervisor\" --as det1"
    )]
    Dispose {
        /// In which investigation
        investigation: String,
        /// Which outcome (default: a new one, of a suspect who was not charged)
        #[arg(long, value_name = "O")]
        outcome: Option<String>,
        /// For which charge (default: as a whole)
        #[arg(long, requires = "outcome")]
        charge: Option<u32>,
        /// How, as `avocet law list disposals` names it
        #[arg(long)]
        disposal: String,
        /// Which court or body
        #[arg(long)]
        authority: String,
        /// For whom
        #[arg(long, value_name = "P")]
        suspect: Option<String>,
        /// Anything else; kept encrypted
        #[arg(long)]
        note: Option<String>,
        /// When
        #[command(flatten)]
        at: When,
    },
    /// Decide what is to happen to a device
    #[command(
        after_help = "Example:\n  avocet outcome device O-1 E-1 destroy --authority \"Court 1, order 7\" --not-before 2027-01-31T00:00Z --as sup1"
    )]
    Device {
        /// Of which outcome
        outcome: String,
        /// Which device
        exhibit: String,
        /// What
        decision: DecisionArg,
        /// By which court or under which authority
        #[arg(long)]
        authority: String,
        /// Not before this instant, such as the end of the time to appeal
        #[arg(long, value_name = "TIME")]
        not_before: Option<String>,
        /// When it was decided
        #[command(flatten)]
        at: When,
    },
    /// Say that an entry is wrong: it stays visible and no longer counts
    #[command(after_help = "Example:\n  avocet outcome correct O-1 --entry 41 --reason \"wrong date\" --as det1")]
    Correct {
        /// Of which outcome
        outcome: String,
        /// The entry
        #[arg(long)]
        entry: u64,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// List the outcomes of an investigation: charges, counts, devices, what is still to do
    #[command(after_help = "Example:\n  avocet outcome list I-1 --as det1")]
    List {
        /// Of which investigation
        investigation: String,
    },
}

/// What is to happen to a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DecisionArg {
    /// It is taken from its owner for good
    Deprive,
    /// It is to be destroyed
    Destroy,
    /// It is to be given back
    Release,
}

/// `avocet order`
#[derive(Debug, Subcommand)]
pub enum OrderVerb {
    /// Record an order or notification requirements, with every condition as a line
    #[command(
        after_help = "Example:\n  avocet order made I-1 --kind shpo --court \"Court 1\" --until 2031-12-01T00:00Z --line keep-history --words \"…\" --as om1\n  \
                      avocet order made I-1 --kind notification --court \"conviction of O-1\" --as om1"
    )]
    Made {
        /// In which investigation
        investigation: String,
        /// What it is, as `avocet law list orders` names it
        #[arg(long)]
        kind: String,
        /// Which court, or what the requirements follow from
        #[arg(long)]
        court: String,
        /// When it ends (default: until further order)
        #[arg(long, value_name = "TIME")]
        until: Option<String>,
        /// A usual condition, as `avocet law list order-lines` names it; may be given several times
        #[arg(long, value_name = "ROW")]
        line: Vec<String>,
        /// The words of a condition; kept encrypted; may be given several times
        #[arg(long)]
        words: Vec<String>,
        /// Who is under it
        #[arg(long, value_name = "P")]
        subject: Option<String>,
        /// When it was made
        #[command(flatten)]
        at: When,
    },
    /// Record that a court varied an order: lines that stay keep their numbers
    #[command(
        after_help = "Example:\n  avocet order varied M-1 --court \"Court 2\" --gone 2 --line keep-history --until 2032-12-01T00:00Z --as om1"
    )]
    Varied {
        /// Which order
        order: String,
        /// Which court
        #[arg(long)]
        court: String,
        /// When it ends now (default: as before)
        #[arg(long, value_name = "TIME", conflicts_with = "until_further_order")]
        until: Option<String>,
        /// It has no end any more
        #[arg(long)]
        until_further_order: bool,
        /// Number of a line that no longer stands; may be given several times
        #[arg(long, value_name = "LINE")]
        gone: Vec<u32>,
        /// A usual condition that is added, as `avocet law list order-lines` names it; may be given several times
        #[arg(long, value_name = "ROW")]
        line: Vec<String>,
        /// The words of a condition that is added; kept encrypted; may be given several times
        #[arg(long)]
        words: Vec<String>,
        /// When it was varied
        #[command(flatten)]
        at: When,
    },
    /// Name the officer who manages the person
    #[command(after_help = "Example:\n  avocet order officer M-1 U-5 --as om1")]
    Officer {
        /// Which order
        order: String,
        /// Who
        user: String,
    },
    /// State the level that says how often the person is visited
    #[command(after_help = "Example:\n  avocet order level M-1 high --as om1")]
    Level {
        /// Which order
        order: String,
        /// The level, as `avocet law list visits` names it
        level: String,
        /// Why; kept encrypted
        #[arg(long)]
        reason: Option<String>,
    },
    /// Record a visit and what was found of each line
    #[command(after_help = "Example:\n  avocet order visited M-1 --seen yes --check 1=kept --check 2=broken --as om1")]
    Visited {
        /// Which order
        order: String,
        /// Whether the person was seen
        #[arg(long)]
        seen: SeenArg,
        /// It had been announced
        #[arg(long)]
        announced: bool,
        /// LINE=kept, broken or unclear; may be given several times
        #[arg(long, value_name = "LINE=FOUND")]
        check: Vec<String>,
        /// Anything else; kept encrypted
        #[arg(long)]
        note: Option<String>,
        /// When
        #[command(flatten)]
        at: When,
    },
    /// Record that the person notified what a line requires
    #[command(after_help = "Example:\n  avocet order notified M-1 --line 2 --change 2026-11-20T00:00Z --as om1")]
    Notified {
        /// Which order
        order: String,
        /// Which line
        #[arg(long)]
        line: u32,
        /// When the change happened that was notified
        #[arg(long, value_name = "TIME")]
        change: Option<String>,
        /// When it was notified
        #[command(flatten)]
        at: When,
    },
    /// Compare a device's examination with that of the last check, and record it
    #[command(after_help = "Example:\n  avocet order check M-1 E-4 X-9 --as om1")]
    Check {
        /// Which order
        order: String,
        /// The device
        exhibit: String,
        /// Its examination, attached with `avocet grading attach`
        examination: String,
        /// The examination to compare with (default: that of the device's last check)
        #[arg(long, value_name = "X")]
        previous: Option<String>,
        /// When
        #[command(flatten)]
        at: When,
    },
    /// Record a breach
    #[command(
        after_help = "Example:\n  avocet order breached M-1 --line 2 --what \"see note 4\" --action \"reported to the court\" --as om1"
    )]
    Breached {
        /// Which order
        order: String,
        /// Which line
        #[arg(long)]
        line: Option<u32>,
        /// What happened; kept encrypted
        #[arg(long)]
        what: String,
        /// What was done; no person's name
        #[arg(long)]
        action: String,
        /// When
        #[command(flatten)]
        at: When,
    },
    /// Record what came of a breach
    #[command(after_help = "Example:\n  avocet order settled M-1 --breach 41 --result \"charged as O-2\" --as om1")]
    Settled {
        /// Which order
        order: String,
        /// The entry of the breach
        #[arg(long)]
        breach: u64,
        /// What; no person's name
        #[arg(long)]
        result: String,
        /// When
        #[command(flatten)]
        at: When,
    },
    /// Record that it ended
    #[command(after_help = "Example:\n  avocet order ended M-1 --reason expired --as om1")]
    Ended {
        /// Which order
        order: String,
        /// How
        #[arg(long)]
        reason: String,
        /// When
        #[command(flatten)]
        at: When,
    },
    /// Say that an entry is wrong: it stays visible and no longer counts
    #[command(after_help = "Example:\n  avocet order correct M-1 --entry 41 --reason \"wrong date\" --as om1")]
    Correct {
        /// Which order
        order: String,
        /// The entry
        #[arg(long)]
        entry: u64,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// List the orders of an investigation: what is late, what is due, every line
    #[command(after_help = "Example:\n  avocet order list I-1 --as om1")]
    List {
        /// Of which investigation
        investigation: String,
    },
}

/// Whether the person was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SeenArg {
    /// Yes
    Yes,
    /// Nobody was there
    NotThere,
    /// The visit was refused
    Refused,
}
