//! Arguments of the verbs that work on the record.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::GradingMore;

/// Who works, and what opens the store.
#[derive(Debug, Clone, Args)]
pub struct Who {
    /// Key file that opens the store (else AVOCET_STORE_PASSPHRASE, else it is asked for)
    #[arg(long, global = true, value_name = "FILE", env = "AVOCET_STORE_KEY")]
    pub store_key: Option<PathBuf>,
    /// Sign-in name; the password comes from AVOCET_PASSWORD, else it is asked for
    #[arg(id = "as", long = "as", global = true, value_name = "LOGIN", env = "AVOCET_USER")]
    pub login: Option<String>,
    /// Folder of law files that replace built-in tables (default: `law` in the store)
    #[arg(long, global = true, value_name = "DIR")]
    pub law: Option<PathBuf>,
}

/// `avocet init`
#[derive(Debug, Args)]
pub struct Init {
    /// What the team calls the store
    #[arg(long, default_value = "Avocet")]
    pub title: String,
    /// Make this new key file and open the store with it (else with a passphrase)
    #[arg(long, value_name = "FILE")]
    pub new_key: Option<PathBuf>,
    /// Sign-in name of the first administrator
    #[arg(long, value_name = "LOGIN")]
    pub admin: String,
    /// Keep the record in PostgreSQL at this address (default: SQLite in the store's folder)
    #[arg(long, value_name = "URL", env = "AVOCET_POSTGRES", hide_env_values = true)]
    pub postgres: Option<String>,
}

/// `avocet ledger`
#[derive(Debug, Subcommand)]
pub enum Ledger {
    /// Check every entry; needs neither key nor password
    #[command(after_help = "Example:\n  avocet ledger verify --checkpoint head-2026-11.txt")]
    Verify {
        /// A head that was kept elsewhere; may be given several times
        #[arg(long, value_name = "FILE")]
        checkpoint: Vec<PathBuf>,
    },
    /// Write the signed head to a file, to be kept where nobody of the team can change it
    #[command(after_help = "Example:\n  avocet ledger checkpoint head-2026-11.txt")]
    Checkpoint {
        /// Where it goes; never replaced
        file: PathBuf,
    },
    /// Show who did what and when, without any content
    #[command(after_help = "Example:\n  avocet ledger show --after 1200 --as aud1")]
    Show {
        /// Only entries after this number
        #[arg(long, default_value_t = 0)]
        after: u64,
        /// At most this many
        #[arg(long, default_value_t = 100)]
        limit: u32,
        /// Who works, and what opens the store
        #[command(flatten)]
        who: Who,
    },
}

/// `avocet user`
#[derive(Debug, Subcommand)]
pub enum User {
    /// Give someone an account
    #[command(after_help = "Example:\n  avocet user add det1 --role detective --as adm")]
    Add {
        /// Sign-in name
        login: String,
        /// A role, as `avocet law list roles` names it; may be given several times
        #[arg(long, required = true)]
        role: Vec<String>,
        /// The person's name; kept encrypted
        #[arg(long)]
        name: Option<String>,
    },
    /// List accounts
    #[command(after_help = "Example:\n  avocet user list --as adm")]
    List,
    /// Give someone other roles
    #[command(
        after_help = "Example:\n  avocet user roles U-3 --role detective --role grader --reason \"covers for U-5\" --as adm"
    )]
    Roles {
        /// Whose
        user: String,
        /// A role; may be given several times
        #[arg(long, required = true)]
        role: Vec<String>,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// End an account
    #[command(after_help = "Example:\n  avocet user close U-3 --reason \"moved to another team\" --as adm")]
    Close {
        /// Whose
        user: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Set a password: one's own, or somebody's as an administrator
    #[command(after_help = "Example:\n  avocet user password U-3 --as det1")]
    Password {
        /// Whose
        user: String,
    },
}

/// `avocet law`
#[derive(Debug, Subcommand)]
pub enum LawVerb {
    /// Show every row with its source, the date it was checked, and how sure it is
    #[command(after_help = "Example:\n  avocet law list risk-levels")]
    List {
        /// Only this table
        table: Option<String>,
    },
}

/// `avocet investigation`
#[derive(Debug, Subcommand)]
pub enum Investigation {
    /// Open an investigation
    #[command(
        after_help = "Example:\n  avocet investigation open --title \"Operation Heron\" --referral R-1 --as sup1"
    )]
    Open {
        /// What the team calls it; no name of a person
        #[arg(long)]
        title: String,
        /// When the first report was received, with its offset: 2026-11-20T09:30+00:00
        #[arg(long, value_name = "TIME", required_unless_present = "referral")]
        received: Option<String>,
        /// A referral that it is opened on; may be given several times
        #[arg(long, value_name = "R")]
        referral: Vec<String>,
        /// Who leads it (default: who opens it)
        #[arg(long, value_name = "USER")]
        owner: Option<String>,
    },
    /// Show everything recorded about it
    #[command(after_help = "Example:\n  avocet investigation show I-1 --as det1")]
    Show {
        /// Which
        investigation: String,
    },
    /// Put someone on it
    #[command(after_help = "Example:\n  avocet investigation join I-1 U-3 --as sup1")]
    Join {
        /// Which
        investigation: String,
        /// Who
        user: String,
    },
    /// Take someone off it
    #[command(after_help = "Example:\n  avocet investigation leave I-1 U-3 --as sup1")]
    Leave {
        /// Which
        investigation: String,
        /// Who
        user: String,
    },
    /// Close an investigation that is done: it leaves the queue, but for what its orders ask
    #[command(
        after_help = "Example:\n  avocet investigation close I-1 --reason \"sentenced; devices returned\" --as sup1"
    )]
    Close {
        /// Which investigation
        investigation: String,
        /// Why; no person's name
        #[arg(long)]
        reason: String,
        /// Leave the clocks that still run; their names are kept with the entry
        #[arg(long)]
        leaving: bool,
    },
    /// Open a closed investigation again
    #[command(after_help = "Example:\n  avocet investigation reopen I-1 --reason \"new lead\" --as sup1")]
    Reopen {
        /// Which investigation
        investigation: String,
        /// Why; no person's name
        #[arg(long)]
        reason: String,
    },
    /// As a supervisor, look into an investigation that you are not on, for twelve hours
    #[command(
        after_help = "Example:\n  avocet investigation break-glass I-1 --reason \"the lead is on leave\" --as sup2"
    )]
    BreakGlass {
        /// Which
        investigation: String,
        /// Why; it stands on the ledger for ever
        #[arg(long)]
        reason: String,
    },
}

/// `avocet risk`
#[derive(Debug, Subcommand)]
pub enum Risk {
    /// Record an assessment with its factors and the officer's level
    #[command(
        after_help = "Example:\n  avocet risk assess I-1 --level high --tool KIRAT --tool-version 2 --factor access=yes --as det1"
    )]
    Assess {
        /// Of which investigation
        investigation: String,
        /// The officer's level, as `avocet law list risk-levels` names it
        #[arg(long)]
        level: String,
        /// The tool used
        #[arg(long, requires = "tool_version")]
        tool: Option<String>,
        /// The tool's version
        #[arg(long, requires = "tool")]
        tool_version: Option<String>,
        /// QUESTION=yes, no, unknown, not-asked, a number, or the tool's own code; may be given several times
        #[arg(long, value_name = "Q=ANSWER")]
        factor: Vec<String>,
        /// Why; kept encrypted
        #[arg(long)]
        reason: Option<String>,
        /// The last entry that you read: refused where somebody changed the investigation since
        #[arg(long, value_name = "N")]
        seen: Option<u64>,
    },
    /// Set another level than the assessment's
    #[command(after_help = "Example:\n  avocet risk override I-1 --level very-high --reason \"see note 4\" --as sup1")]
    Override {
        /// Of which investigation
        investigation: String,
        /// The level
        #[arg(long)]
        level: String,
        /// Why; kept encrypted
        #[arg(long)]
        reason: String,
    },
    /// State whether a child may be in danger now
    #[command(after_help = "Example:\n  avocet risk danger I-1 yes --as det1")]
    Danger {
        /// In which investigation
        investigation: String,
        /// Whether
        danger: DangerArg,
        /// Why; kept encrypted
        #[arg(long)]
        reason: Option<String>,
    },
    /// Record what was done to make a child safe
    #[command(
        after_help = "Example:\n  avocet risk acted I-1 social-care-told --at 2026-11-20T10:05Z --body \"Council 1\" --as det1"
    )]
    Acted {
        /// In which investigation
        investigation: String,
        /// What was done
        action: ActionArg,
        /// When, with its offset
        #[arg(long, value_name = "TIME")]
        at: String,
        /// With which body; no person's name
        #[arg(long)]
        body: Option<String>,
        /// Anything else; kept encrypted
        #[arg(long)]
        note: Option<String>,
    },
    /// Show the level that stands, its history and what is wrong
    #[command(after_help = "Example:\n  avocet risk show I-1 --as det1")]
    Show {
        /// Of which investigation
        investigation: String,
    },
}

/// Whether a child may be in danger now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DangerArg {
    /// A child may be in danger now
    Yes,
    /// No child is thought to be in danger now
    No,
    /// Somebody looked and cannot say
    Unknown,
}

/// What was done to make a child safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ActionArg {
    /// Children's social care was told
    SocialCareTold,
    /// A strategy discussion was held
    StrategyDiscussion,
    /// The designated officer for allegations was told
    DesignatedOfficerTold,
    /// The child was seen and is safe
    ChildSeen,
    /// The child was moved to safety
    ChildMoved,
    /// The suspect was kept away from the child
    SuspectKeptAway,
    /// Something else, in the note
    Other,
}

/// `avocet grading`
#[derive(Debug, Subcommand)]
pub enum Grading {
    #[command(flatten)]
    More(GradingMore),
    /// Attach a sealed examination to an exhibit, after it was verified
    #[command(after_help = "Example:\n  avocet grading attach I-1 E-1 JC-1.examination --as exam1")]
    Attach {
        /// Of which investigation
        investigation: String,
        /// To which exhibit
        exhibit: String,
        /// The sealed examination
        file: PathBuf,
        /// Its result digest, as the examiner states it
        #[arg(long, value_name = "SHA256")]
        expect: Option<String>,
        /// The attached examination whose place it takes; an interim result of the exhibit unless stated
        #[arg(long, value_name = "X")]
        replaces: Option<String>,
    },
    /// State how an investigation is graded
    #[command(
        after_help = "Example:\n  avocet grading policy I-1 --scheme uk-2014@1 --reason \"local rule\" --as sup1"
    )]
    Policy {
        /// Which investigation
        investigation: String,
        /// The category scheme, NAME@VERSION
        #[arg(long)]
        scheme: String,
        /// Grade a part by these criteria (default: every image)
        #[arg(long, value_name = "CRITERIA")]
        streamlined: Option<String>,
        /// Grade what no set knows; of what one knows only conflicts and a dip sample
        #[arg(long, conflicts_with = "streamlined")]
        unknown_only: bool,
        /// The local rule, as `avocet law list grading` names it
        #[arg(long, default_value = "default")]
        rule: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Record a vote on a content that was viewed
    #[command(after_help = "Example:\n  avocet grading vote I-1 9f2c… --category C --as grad1")]
    Vote {
        /// In which investigation
        investigation: String,
        /// SHA-256 of the content
        sha256: String,
        /// The category, in the scheme of the policy
        #[arg(long)]
        category: String,
        /// What it is cast for
        #[arg(long, default_value = "grading")]
        purpose: PurposeArg,
        /// The person saw no earlier vote on it
        #[arg(long)]
        blind: bool,
    },
    /// Show how many contents stand where
    #[command(after_help = "Example:\n  avocet grading totals I-1 --as sup1")]
    Totals {
        /// Of which investigation
        investigation: String,
    },
    /// List contents by where they stand, in the order of their digests
    #[command(after_help = "Example:\n  avocet grading media I-1 --outcome second-view --as grad1")]
    Media {
        /// Of which investigation
        investigation: String,
        /// Where they stand, as `totals` prints it without the kind
        #[arg(long, default_value = "undecided")]
        outcome: String,
        /// Only after this digest
        #[arg(long, value_name = "SHA256")]
        after: Option<String>,
        /// At most this many
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// Write what was graded as one canonical file, from which reports are rendered; its digest goes onto the ledger
    #[command(after_help = "Example:\n  avocet grading extract I-1 --out I-1.grading.json --as sup1")]
    Extract {
        /// Of which investigation
        investigation: String,
        /// The new file
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Make it although an attached examination is interim; the extract says which
        #[arg(long)]
        interim: bool,
    },
    /// Print the counts of a schedule from an extract; no sign-in
    #[command(after_help = "Example:\n  avocet grading schedule I-1.grading.json")]
    Schedule {
        /// The extract
        file: PathBuf,
    },
    /// Write one page in the manner of a streamlined forensic report from an extract; no sign-in
    #[command(after_help = "Example:\n  avocet grading sfr I-1.grading.json --html I-1.html")]
    Sfr {
        /// The extract
        file: PathBuf,
        /// The new page
        #[arg(long, value_name = "FILE")]
        html: PathBuf,
    },
    /// Write an extract for other programs; what no person viewed is left out unless asked for; no sign-in
    #[command(after_help = "Example:\n  avocet grading export I-1.grading.json --vics I-1.vics.json --csv I-1.csv")]
    Export {
        /// The extract
        file: PathBuf,
        /// The new VICS 2.0 file
        #[arg(long, value_name = "FILE", required_unless_present = "csv")]
        vics: Option<PathBuf>,
        /// The new CSV file
        #[arg(long, value_name = "FILE")]
        csv: Option<PathBuf>,
        /// With what has a category by exact match only
        #[arg(long)]
        unviewed: bool,
    },
    /// Show where one content was found and how it stands
    #[command(after_help = "Example:\n  avocet grading show I-1 9f2c… --as grad1")]
    Show {
        /// In which investigation
        investigation: String,
        /// SHA-256 of the content
        sha256: String,
    },
}

/// What a vote is cast for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PurposeArg {
    /// Grading
    Grading,
    /// A second view
    SecondView,
    /// Moderation
    Moderation,
}

/// `avocet record`
#[derive(Debug, Subcommand)]
pub enum RecordVerb {
    /// Record a change written as JSON (see docs/record.md); `-` reads standard input
    #[command(after_help = "Example:\n  avocet record add change.json --as det1")]
    Add {
        /// The file
        file: PathBuf,
        /// The last entry that you read: refused where somebody changed its first subject since
        #[arg(long, value_name = "N")]
        seen: Option<u64>,
    },
    /// Show everything recorded about a thing by its id
    #[command(after_help = "Example:\n  avocet record show E-1 --as det1")]
    Show {
        /// Such as I-7 or E-3
        id: String,
    },
    /// Make the rows that repeat the facts anew, and say where they differed
    #[command(after_help = "Example:\n  avocet record rebuild --check --as adm")]
    Rebuild {
        /// Compare only, change nothing
        #[arg(long)]
        check: bool,
    },
    /// Destroy the keys of a person or thing: what is personal under them is gone, the ledger still verifies
    #[command(
        after_help = "Example:\n  avocet record erase R-1 --investigation I-1 --authority \"order 1\" --reason \"asked for\" --as sup1"
    )]
    Erase {
        /// The id of the holder
        holder: String,
        /// The investigation, where your right reaches only those you work on
        #[arg(long)]
        investigation: Option<String>,
        /// Under what authority
        #[arg(long)]
        authority: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Copy the store into a new folder while others work
    #[command(after_help = "Example:\n  avocet record backup /media/backup/2026-11-24 --as adm")]
    Backup {
        /// The new folder
        to: PathBuf,
    },
    /// Make the store of `--store` out of a backup
    #[command(
        after_help = "Example:\n  avocet record restore /media/backup/2026-11-24 --store new --erased team/erased.keys --reason \"disk failed\""
    )]
    Restore {
        /// The backup's folder
        from: PathBuf,
        /// The latest `erased.keys` of the store that is replaced: whoever was erased since stays erased
        #[arg(long, value_name = "FILE", required_unless_present = "no_erased")]
        erased: Option<PathBuf>,
        /// There is no later list of erased keys
        #[arg(long, conflicts_with = "erased")]
        no_erased: bool,
        /// Why; it stands on the ledger
        #[arg(long)]
        reason: String,
    },
}
