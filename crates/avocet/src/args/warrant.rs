//! Arguments of `avocet ip` and `avocet warrant`.

use std::path::PathBuf;

use clap::Subcommand;

use super::When;

/// `avocet ip`
#[derive(Debug, Subcommand)]
pub enum IpVerb {
    /// Take the IP events of a referral into its investigation, in the source's own words
    Take {
        /// Which referral
        referral: String,
    },
    /// State the zone of the time, as found in the source
    Zone {
        /// Which IP event
        ip: String,
        /// An offset such as +01:00, or a name such as Europe/London
        zone: String,
        /// Where that was found
        #[arg(long)]
        reason: String,
    },
    /// Record that an operator was asked
    Applied {
        /// Which IP event
        ip: String,
        /// The application's number
        #[arg(long)]
        reference: String,
        /// Who authorised it
        #[arg(long)]
        authority: String,
        /// The operator
        #[arg(long)]
        operator: String,
        /// When
        #[command(flatten)]
        at: When,
    },
    /// Record what the operator answered
    Answered {
        /// Which IP event
        ip: String,
        /// The answer as it came; its digest is recorded
        #[arg(long, value_name = "FILE")]
        document: PathBuf,
        /// The address that it answers for
        #[arg(long)]
        address: String,
        /// The time that it answers for, with offset or zone
        #[arg(long)]
        time: String,
        /// The port that it answers for
        #[arg(long)]
        port: Option<String>,
        /// Whose it was, in the operator's words; kept encrypted
        #[arg(long)]
        subscriber: String,
        /// When it came
        #[command(flatten)]
        at: When,
    },
    /// Confirm, as a second person, what is right against the source
    Confirm {
        /// Which IP event
        ip: String,
        /// The source's document; its digest is recorded
        #[arg(long, value_name = "FILE")]
        document: PathBuf,
        /// The address is right
        #[arg(long)]
        address: bool,
        /// The port is right, or the source has none
        #[arg(long)]
        port: bool,
        /// The time is right
        #[arg(long)]
        time: bool,
        /// The zone is right
        #[arg(long)]
        zone: bool,
    },
    /// Enter what else points to the same place
    Corroborate {
        /// Which IP event
        ip: String,
        /// What; kept encrypted
        #[arg(long)]
        what: String,
        /// From where; no person's name
        #[arg(long)]
        source: String,
    },
    /// Say that two events are the same activity: their answers must agree
    Same {
        /// One
        ip: String,
        /// The other
        other: String,
    },
    /// Say that it turned out to be wrong
    Wrong {
        /// Which IP event
        ip: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// List the IP events of an investigation with what is missing
    List {
        /// Which investigation
        investigation: String,
    },
}

/// `avocet warrant`
#[derive(Debug, Subcommand)]
pub enum WarrantVerb {
    /// Prepare a warrant, or draft it anew
    Draft {
        /// In which investigation
        investigation: String,
        /// The warrant that is drafted anew
        #[arg(long, value_name = "W")]
        again: Option<String>,
        /// Under which power, as `avocet law list powers` names it
        #[arg(long)]
        power: String,
        /// The grounds; kept encrypted
        #[arg(long)]
        grounds: String,
        /// An IP event that the grounds rest on; may be given several times
        #[arg(long, value_name = "N")]
        rests_on: Vec<String>,
        /// Premises; kept encrypted; may be given several times
        #[arg(long)]
        premises: Vec<String>,
    },
    /// Record that a court was asked
    Applied {
        /// Which warrant
        warrant: String,
        /// Which court
        #[arg(long)]
        court: String,
        /// When
        #[command(flatten)]
        at: When,
    },
    /// Record that it was issued
    Issued {
        /// Which warrant
        warrant: String,
        /// Until when it can be executed, with offset or zone
        #[arg(long, value_name = "TIME")]
        expires: Option<String>,
        /// When
        #[command(flatten)]
        at: When,
    },
    /// Record that it was refused
    Refused {
        /// Which warrant
        warrant: String,
        /// Why
        #[arg(long)]
        reason: String,
        /// When
        #[command(flatten)]
        at: When,
    },
    /// Record an entry
    Entered {
        /// Which warrant
        warrant: String,
        /// Which of its premises, from 1
        #[arg(long, default_value_t = 1)]
        premises: u32,
        /// What came of it; no person's name
        #[arg(long)]
        result: String,
        /// A copy was left
        #[arg(long)]
        copy_left: bool,
        /// When
        #[command(flatten)]
        at: When,
    },
    /// Record that it went back to the court
    Returned {
        /// Which warrant
        warrant: String,
        /// When
        #[command(flatten)]
        at: When,
    },
    /// Record that it is no longer wanted
    Withdraw {
        /// Which warrant
        warrant: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// As a supervisor, let it proceed although it is not ready
    Proceed {
        /// Which warrant
        warrant: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// List the warrants of an investigation: whether each is ready, what is due
    List {
        /// Which investigation
        investigation: String,
    },
}
