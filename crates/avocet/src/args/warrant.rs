//! Arguments of `avocet ip` and `avocet warrant`.

use std::path::PathBuf;

use clap::Subcommand;

use super::When;

/// `avocet ip`
#[derive(Debug, Subcommand)]
pub enum IpVerb {
    /// Take the IP events of a referral into its investigation, in the source's own words
    #[command(after_help = "Example:\n  avocet ip take R-1 --as det1")]
    Take {
        /// Which referral
        referral: String,
    },
    /// State the zone of the time, as found in the source
    #[command(after_help = "Example:\n  avocet ip zone N-1 Europe/London --reason \"page 2 of the report\" --as det1")]
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
    #[command(
        after_help = "Example:\n  avocet ip applied N-1 --reference A-17 --authority B-3 --operator \"Operator 1\" --as det1"
    )]
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
    #[command(
        after_help = "Example:\n  avocet ip answered N-1 --document answer.pdf --address 192.0.2.7 --time 2026-03-01T10:00Z --port 40001 --subscriber \"see page 1\" --as det1"
    )]
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
    #[command(
        after_help = "Example:\n  avocet ip confirm N-1 --document tip.xml --address --port --time --zone --as det2"
    )]
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
    #[command(
        after_help = "Example:\n  avocet ip corroborate N-1 --what \"see note 9\" --source \"council tax\" --as det1"
    )]
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
    #[command(after_help = "Example:\n  avocet ip same N-1 N-2 --as det1")]
    Same {
        /// One
        ip: String,
        /// The other
        other: String,
    },
    /// Say that it turned out to be wrong
    #[command(after_help = "Example:\n  avocet ip wrong N-1 --reason \"the operator corrected itself\" --as det1")]
    Wrong {
        /// Which IP event
        ip: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// List the IP events of an investigation with what is missing
    #[command(after_help = "Example:\n  avocet ip list I-1 --as det1")]
    List {
        /// Which investigation
        investigation: String,
    },
}

/// `avocet warrant`
#[derive(Debug, Subcommand)]
pub enum WarrantVerb {
    /// Prepare a warrant, or draft it anew
    #[command(
        after_help = "Example:\n  avocet warrant draft I-1 --power pace-s8 --grounds \"see note 3\" --rests-on N-1 --premises \"Street 1\" --as det1"
    )]
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
    #[command(after_help = "Example:\n  avocet warrant applied W-1 --court \"Court 1\" --as det1")]
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
    #[command(after_help = "Example:\n  avocet warrant issued W-1 --expires 2027-02-20T23:59Z --as det1")]
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
    #[command(after_help = "Example:\n  avocet warrant refused W-1 --reason \"grounds too thin\" --as det1")]
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
    #[command(
        after_help = "Example:\n  avocet warrant entered W-1 --premises 1 --result \"3 exhibits\" --copy-left --as det1"
    )]
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
    #[command(after_help = "Example:\n  avocet warrant returned W-1 --as det1")]
    Returned {
        /// Which warrant
        warrant: String,
        /// When
        #[command(flatten)]
        at: When,
    },
    /// Record that it is no longer wanted
    #[command(after_help = "Example:\n  avocet warrant withdraw W-1 --reason \"another address\" --as det1")]
    Withdraw {
        /// Which warrant
        warrant: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// As a supervisor, let it proceed although it is not ready
    #[command(after_help = "Example:\n  avocet warrant proceed W-1 --reason \"a child may be there\" --as sup1")]
    Proceed {
        /// Which warrant
        warrant: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// List the warrants of an investigation: whether each is ready, what is due
    #[command(after_help = "Example:\n  avocet warrant list I-1 --as det1")]
    List {
        /// Which investigation
        investigation: String,
    },
}
