//! The command line: verbs, options and their help.

mod agreement;
mod exhibit;
mod figures;
mod media;
mod opening;
mod outcome;
mod people;
mod record;
mod referral;
mod review;
mod safeguarding;
mod serve;
mod sets;
mod warrant;

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use agreement::{GradingMore, RequestArg, WithdrawArg};
pub use exhibit::{ExhibitVerb, Taken, When, YesNo};
pub use figures::{FiguresArgs, FiguresVerb};
pub use media::{MediaList, MediaShow, MediaSimilar, MediaVerb, SmallArg, StatusArg, WhichPicture};
pub use opening::Opening;
pub use outcome::{DecisionArg, OrderVerb, OutcomeVerb, SeenArg};
pub use people::{ChildVerb, PersonVerb};
pub use record::{Grading, Init, Investigation, LawVerb, Ledger, RecordVerb, Risk, User, Who};
pub use referral::{Conflicts, LeadFormat, ReferralVerb, Verdict};
pub use review::{Care, CareLimits, LimitsOf, Review, Work};
pub use safeguarding::{About, CustodyVerb, Leaflet, SafeguardingVerb, WelfareVerb};
pub use serve::ServeArgs;
pub use sets::{DiffSets, ExportFormat, ExportSet, ImportSet, LookupSets, RemapSet, RemoveSet, Sets, UpdateSet};
pub use warrant::{IpVerb, WarrantVerb};

/// Examines seized devices: every file accounted for, matched against known sets, sealed in one file.
#[derive(Debug, Parser)]
#[command(name = "avocet", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 finished; 3 finished with alerts; 4 finished, parts unreadable, no alert; \
                        2 refused (what was asked cannot be done); 1 failed.\n\
                        See `avocet help VERB` for an example of each verb.")]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
    /// Options that every verb takes.
    #[command(flatten)]
    pub global: Global,
}

/// Options that every verb takes.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// Folder for the access log and what belongs to this workplace
    #[arg(long, global = true, value_name = "DIR", env = "AVOCET_STORE")]
    pub store: Option<PathBuf>,
    /// Worker threads (default: one per core)
    #[arg(long, global = true, value_name = "N")]
    pub threads: Option<NonZeroUsize>,
    /// Print the answer as JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// Say more on standard error
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Say nothing but the answer
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
}

impl Global {
    /// Worker threads to use.
    pub fn threads(&self) -> NonZeroUsize {
        self.threads.or_else(|| std::thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN)
    }
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Examine an image, folder or zip and seal the result
    #[command(after_help = "Example:\n  avocet examine JC-1.E01 --exhibit JC/1 --known project-vic.json=us-vics-2.0 \
                            --known nsrl-sample.csv=known-good --out JC-1.examination")]
    Examine(Examine),
    /// Show the summary of a finished examination again
    #[command(after_help = "Example:\n  avocet summary JC-1.examination")]
    Summary(Sealed),
    /// List the files of an examination, one line each
    #[command(after_help = "Example:\n  avocet list JC-1.examination --format csv --state deleted --under /DCIM")]
    List(List),
    /// Write the report of an examination
    #[command(after_help = "Example:\n  avocet report JC-1.examination --html JC-1.html --hide-names")]
    Report(Report),
    /// Check that an examination file is what it was when it was sealed
    #[command(after_help = "Example:\n  avocet verify JC-1.examination --expect 9f2c… --signer team.pub")]
    Verify(Verify),
    /// Look inside evidence without examining it
    #[command(
        subcommand,
        after_help = "Example:\n  avocet evidence tree JC-1.E01\n  avocet evidence ls JC-1.E01 gpt:2/Users"
    )]
    Evidence(Evidence),
    /// Match a finished examination against other known sets, without the evidence
    #[command(after_help = "Example:\n  avocet rematch JC-1.examination --known project-vic --out JC-1b.examination")]
    Rematch(Rematch),
    /// Keep known sets: import, update, look up, compare, export
    #[command(
        subcommand,
        after_help = "Example:\n  avocet sets import project-vic.json --name project-vic --scheme us-vics-2.0\n  \
                      avocet sets list"
    )]
    Sets(Sets),
    /// Look at what an examination says of pictures
    #[command(
        subcommand,
        after_help = "Example:\n  avocet media list JC-1.examination\n  avocet media similar JC-1.examination 4711"
    )]
    Media(MediaVerb),
    /// List the category schemes a known set can be read with, or show one
    #[command(after_help = "Example:\n  avocet schemes us-vics-2.0")]
    Schemes {
        /// Scheme to show whole
        id: Option<String>,
    },
    /// Make a key that signs seals
    #[command(after_help = "Example:\n  avocet key team.key    (writes team.key and team.key.pub)")]
    Key {
        /// Where the secret key goes; the public key goes beside it
        file: PathBuf,
    },
    /// Make the store of a team's record
    #[command(after_help = "Example:\n  avocet init --store team --new-key team.store-key --admin admin1")]
    Init(Init),
    /// Give people accounts and roles
    #[command(after_help = "Example:\n  avocet user add det1 --role detective --as admin1")]
    User {
        /// What to do
        #[command(subcommand)]
        verb: User,
        /// Who works, and what opens the store
        #[command(flatten)]
        who: Who,
    },
    /// Show the tables of law, levels, roles and rules that the record works by
    #[command(after_help = "Example:\n  avocet law list risk-levels")]
    Law {
        /// What to do
        #[command(subcommand)]
        verb: LawVerb,
        /// Who works, and what opens the store
        #[command(flatten)]
        who: Who,
    },
    /// Take in leads; show what they say
    #[command(
        after_help = "Example:\n  avocet referral add tip.xml --source ncmec-cybertip --received 2026-11-20T09:30Z --as det1"
    )]
    Referral {
        /// What to do
        #[command(subcommand)]
        verb: ReferralVerb,
        /// Who works, and what opens the store
        #[command(flatten)]
        who: Who,
    },
    /// Find the same address, account, device or media in other records
    #[command(after_help = "Example:\n  avocet conflicts show R-3 --as det1\n  \
                            avocet conflicts note R-3 R-1 dismissed --reason \"a shared proxy\" --as det1")]
    Conflicts {
        /// What to do
        #[command(subcommand)]
        verb: Conflicts,
        /// Who works, and what opens the store
        #[command(flatten)]
        who: Who,
    },
    /// Open investigations and say who works on them
    #[command(after_help = "Example:\n  avocet investigation open --title \"Operation Heron\" \
                            --received 2026-11-20T09:30+00:00 --as sup1")]
    Investigation {
        /// What to do
        #[command(subcommand)]
        verb: Investigation,
        /// Who works, and what opens the store
        #[command(flatten)]
        who: Who,
    },
    /// Show the order of work, and for each investigation why it stands there
    #[command(after_help = "Example:\n  avocet queue --as det1")]
    Queue {
        /// Who works, and what opens the store
        #[command(flatten)]
        who: Who,
    },
    /// Record risk: danger now, assessments, what was done to make a child safe
    #[command(after_help = "Example:\n  avocet risk danger I-1 yes --as det1\n  \
                            avocet risk assess I-1 --level high --tool KIRAT --tool-version 2 --factor access=yes --as det1")]
    Risk {
        /// What to do
        #[command(subcommand)]
        verb: Risk,
        /// Who works, and what opens the store
        #[command(flatten)]
        who: Who,
    },
    /// Resolve IP events: from the source's words to an answer that a second person confirmed
    #[command(after_help = "Example:\n  avocet ip take R-1 --as det1\n  avocet ip list I-1 --as det1")]
    Ip {
        /// What to do
        #[command(subcommand)]
        verb: IpVerb,
        /// Who works, and what opens the store
        #[command(flatten)]
        who: Who,
    },
    /// Prepare warrants, record their issue and entries; see whether each is ready
    #[command(after_help = "Example:\n  avocet warrant draft I-1 --power pace-s8 --grounds \"…\" --rests-on N-1 \
                            --premises \"…\" --as det1\n  avocet warrant list I-1 --as det1")]
    Warrant {
        /// What to do
        #[command(subcommand)]
        verb: WarrantVerb,
        /// Who works, and what opens the store
        #[command(flatten)]
        who: Who,
    },
    /// Record exhibits and their continuity; see where each is and what does not fit
    #[command(
        after_help = "Example:\n  avocet exhibit taken I-1 --reference JC/1 --kind phone --description \"black, cracked\" \\
                            --place \"room 2\" --source warrant:W-1 --as det1\n  avocet exhibit hand-over E-1 --to U-4 --as det1"
    )]
    Exhibit {
        /// What to do
        #[command(subcommand)]
        verb: ExhibitVerb,
        /// Who works, and what opens the store
        #[command(flatten)]
        who: Who,
    },
    /// Attach examinations, record votes, show where media stand
    #[command(after_help = "Example:\n  avocet grading attach I-1 E-1 JC-1.examination --as exam1\n  \
                            avocet grading totals I-1 --as sup1")]
    Grading {
        /// What to do
        #[command(subcommand)]
        verb: Grading,
        /// Who works, and what opens the store
        #[command(flatten)]
        who: Who,
    },
    /// Review what is queued: next contents, grades, undo, notes, groups
    #[command(after_help = "Example:\n  avocet review next I-1 --as grad1\n  avocet review status I-1 --as sup1")]
    Review {
        /// What to do
        #[command(subcommand)]
        verb: Review,
        /// Who works, and what opens the store
        #[command(flatten)]
        who: Who,
    },
    /// What looking cost: your own account, or the totals of all
    #[command(after_help = "Example:\n  avocet care own --from 2026-11-01 --to 2026-11-30 --as grad1")]
    Care {
        /// What to show
        #[command(subcommand)]
        verb: Care,
        /// Who works, and what opens the store
        #[command(flatten)]
        who: Who,
    },
    /// Record people: suspects, children, parents; addresses, links, work
    #[command(after_help = "Example:\n  avocet person add I-1 --role child --unidentified --as vi1\n  \
                            avocet person list I-1 --as det1")]
    Person {
        /// What to do
        #[command(subcommand)]
        verb: PersonVerb,
        /// Who works, and what opens the store
        #[command(flatten)]
        who: Who,
    },
    /// Find out who a child is; record the child's side: support, wishes, what the family is told
    #[command(after_help = "Example:\n  avocet child reached P-3 identified --note \"…\" --as vi1\n  \
                            avocet child wishes P-3 --wishes \"…\" --as safe1")]
    Child {
        /// What to do
        #[command(subcommand)]
        verb: ChildVerb,
        /// Who works, and what opens the store
        #[command(flatten)]
        who: Who,
    },
    /// Make children safe: protection, referrals, answers, reviews; nothing here waits for anything
    #[command(
        after_help = "Example:\n  avocet safeguarding refer I-1 --child P-3 --to social-care --body \"Council 1\" --as det1\n  \
                            avocet safeguarding acknowledged S-1 --reference 17 --as det1"
    )]
    Safeguarding {
        /// What to do
        #[command(subcommand)]
        verb: SafeguardingVerb,
        /// Who works, and what opens the store
        #[command(flatten)]
        who: Who,
    },
    /// Record arrests and voluntary interviews, bail, release under investigation
    #[command(after_help = "Example:\n  avocet custody arrest I-1 P-1 --offence pca-1978-s1 --as det1\n  \
                            avocet custody bail C-1 2027-02-25T12:00Z --as det1")]
    Custody {
        /// What to do
        #[command(subcommand)]
        verb: CustodyVerb,
        /// Who works, and what opens the store
        #[command(flatten)]
        who: Who,
    },
    /// Record a suspect's own risk of death, and what was given: leaflets, help, a telephone
    #[command(after_help = "Example:\n  avocet welfare assess P-1 before-contact --level medium --as det1\n  \
                            avocet welfare leaflet P-1 suspect --as det1")]
    Welfare {
        /// What to do
        #[command(subcommand)]
        verb: WelfareVerb,
        /// Who works, and what opens the store
        #[command(flatten)]
        who: Who,
    },
    /// Serve the record to browsers on this machine, or on a network
    #[command(after_help = "Example:\n  avocet serve --store team --store-key team.store-key")]
    Serve {
        /// How
        #[command(flatten)]
        args: ServeArgs,
        /// What opens the store
        #[command(flatten)]
        who: Who,
    },
    /// Write a leaflet to be printed: for suspect, family, parent or staff
    #[command(after_help = "Example:\n  avocet leaflet suspect --out suspect.html")]
    Leaflet(Leaflet),
    /// Show the clocks of an investigation: what is due, what is late, what was done in time
    #[command(after_help = "Example:\n  avocet clocks I-1 --as det1")]
    Clocks {
        /// Which investigation
        investigation: String,
        /// Who works, and what opens the store
        #[command(flatten)]
        who: Who,
    },
    /// Record charges, schedules, disposals, and what is to happen to devices
    #[command(
        after_help = "Example:\n  avocet outcome charge I-1 --offence pca-1978-s1 --decided-by \"Crown Prosecution Service\" --as det1\n  \
                            avocet outcome list I-1 --as det1"
    )]
    Outcome {
        /// What to do
        #[command(subcommand)]
        verb: OutcomeVerb,
        /// Who works, and what opens the store
        #[command(flatten)]
        who: Who,
    },
    /// Monitor orders and notification requirements: lines, visits, device checks, breaches
    #[command(
        after_help = "Example:\n  avocet order made I-1 --kind notification --court \"conviction of O-1\" --as om1\n  \
                            avocet order list I-1 --as om1"
    )]
    Order {
        /// What to do
        #[command(subcommand)]
        verb: OrderVerb,
        /// Who works, and what opens the store
        #[command(flatten)]
        who: Who,
    },
    /// Count for a period what a force publishes: each number with its definition, version and cut-off
    #[command(after_help = "Example:\n  avocet figures --from 2025-06-01 --to 2026-05-31 --csv figures.csv --as sup1")]
    Figures {
        /// What to count
        #[command(flatten)]
        args: FiguresArgs,
        /// Who works, and what opens the store
        #[command(flatten)]
        who: Who,
    },
    /// Record any change, show facts, erase, rebuild, back up, restore
    #[command(
        after_help = "Example:\n  avocet record show I-1 --as det1\n  avocet record backup /media/backup/2026-11-24 --as admin1"
    )]
    Record {
        /// What to do
        #[command(subcommand)]
        verb: RecordVerb,
        /// Who works, and what opens the store
        #[command(flatten)]
        who: Who,
    },
    /// Verify and show the ledger of everything that was recorded or looked at
    #[command(subcommand, after_help = "Example:\n  avocet ledger verify --store team --checkpoint head-2026-11.txt")]
    Ledger(Ledger),
    /// Make a benign demo device with a matching known set, or a fictional year of a team's record
    #[command(after_help = "Example:\n  avocet demo demo-out\n  avocet demo --record-only --store demo-year")]
    Demo {
        /// Folder to write to
        #[arg(required_unless_present = "record_only")]
        dir: Option<PathBuf>,
        /// Instead: make a fictional year of a record in the new folder of --store
        #[arg(long, conflicts_with = "dir")]
        record_only: bool,
    },
    /// Print shell completions
    #[command(after_help = "Example:\n  avocet completions bash > /etc/bash_completion.d/avocet")]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write the man pages
    #[command(after_help = "Example:\n  avocet man ./man")]
    Man {
        /// Folder to write to
        dir: PathBuf,
    },
}

/// `avocet examine`
#[derive(Debug, Args)]
pub struct Examine {
    /// Image (any segment), folder or zip
    pub evidence: PathBuf,
    /// Exhibit reference as on the label
    #[arg(long, value_name = "REF")]
    pub exhibit: String,
    /// Known set: NAME or NAME@VERSION of `avocet sets`, or FILE=SCHEME; may be given several times
    #[arg(long, value_name = "SET", env = "AVOCET_KNOWN", value_delimiter = ';')]
    pub known: Vec<String>,
    /// Where the sealed examination goes
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Do not take the digest of the whole image
    #[arg(long)]
    pub no_image_digest: bool,
    /// Do not enter archives and office documents among the files; they are counted
    #[arg(long)]
    pub no_archives: bool,
    /// Do not decode pictures: no near matches, no cameras, no places, no small pictures
    #[arg(long)]
    pub no_media: bool,
    /// Decode pictures, but make no small ones for review
    #[arg(long, conflicts_with = "no_media")]
    pub no_small_pictures: bool,
    /// Key file that opens the small pictures (default: a new one in the store)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["no_media", "no_small_pictures"])]
    pub picture_key: Option<PathBuf>,
    /// Largest distance of a near match, in bits of 256
    #[arg(long, value_name = "BITS", default_value_t = 31, value_parser = clap::value_parser!(u32).range(0..=31))]
    pub near: u32,
    /// Decode pictures, and run the second opinion, although this machine cannot confine them fully; the result says so
    #[arg(long)]
    pub allow_weaker_confinement: bool,
    /// Have The Sleuth Kit list the same image, and report every difference
    #[arg(long, value_name = "PROGRAM", value_parser = ["tsk"])]
    pub corroborate: Option<String>,
    /// Seconds that The Sleuth Kit may take in all (default: 15 minutes, and a second for each 2 MiB of the image)
    #[arg(long, value_name = "SECONDS", requires = "corroborate", value_parser = clap::value_parser!(u64).range(1..))]
    pub corroborate_limit: Option<u64>,
    /// Finish an examination to the same place that was interrupted; where there is none, begin it
    #[arg(long)]
    pub resume: bool,
    /// Seal to FILE what the examination to --out has read so far, which runs or was interrupted: give all else as it was
    /// begun. No file of the evidence is read, and nothing that is there changes
    #[arg(long, value_name = "FILE", conflicts_with = "resume")]
    pub interim: Option<PathBuf>,
    /// Sign the seal with this key (see `avocet key`)
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// What the evidence is opened with
    #[command(flatten)]
    pub opening: Opening,
    /// Say on standard error how far it is, a line of JSON at a time, for a program that watches
    #[arg(long)]
    pub progress_lines: bool,
}

/// `avocet rematch`
#[derive(Debug, Args)]
pub struct Rematch {
    /// The sealed examination
    pub examination: PathBuf,
    /// Known set to match with: NAME or NAME@VERSION of `avocet sets`, or FILE=SCHEME; may be given several times
    #[arg(long, value_name = "SET", env = "AVOCET_KNOWN", value_delimiter = ';', required = true)]
    pub known: Vec<String>,
    /// Where the new sealed examination goes
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Sign the seal with this key (see `avocet key`)
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
}

/// A sealed examination.
#[derive(Debug, Args)]
pub struct Sealed {
    /// The sealed examination
    pub examination: PathBuf,
}

/// How `avocet list` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// One JSON object a line
    Jsonl,
    /// Comma-separated values with a header
    Csv,
    /// Columns for reading
    Table,
}

/// Allocation states to filter by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StateArg {
    /// Live
    Allocated,
    /// Deleted, with a name
    Deleted,
    /// Deleted, without a folder
    Orphan,
    /// Found by content
    Carved,
    /// Inside another file
    Embedded,
}

/// `avocet list`
#[derive(Debug, Args)]
pub struct List {
    /// The sealed examination
    pub examination: PathBuf,
    /// How to print
    #[arg(long, value_enum, default_value = "table")]
    pub format: ListFormat,
    /// Only files in this state
    #[arg(long, value_enum)]
    pub state: Option<StateArg>,
    /// Only files that match a known set
    #[arg(long)]
    pub matched: bool,
    /// Only files that match a category that alerts
    #[arg(long)]
    pub alerting: bool,
    /// Only files at or below this path: VOLUME/PATH, or /PATH in every volume
    #[arg(long, value_name = "PATH")]
    pub under: Option<String>,
    /// Instead of files: what could not be read, with place and reason
    #[arg(long, conflicts_with_all = ["state", "matched", "alerting", "under"])]
    pub problems: bool,
}

/// `avocet report`
#[derive(Debug, Args)]
pub struct Report {
    /// The sealed examination
    pub examination: PathBuf,
    /// Where the HTML report goes
    #[arg(long, value_name = "FILE")]
    pub html: PathBuf,
    /// Leave out names and paths: a name can itself distress, or identify a child
    #[arg(long)]
    pub hide_names: bool,
}

/// `avocet verify`
#[derive(Debug, Args)]
pub struct Verify {
    /// The sealed examination
    pub examination: PathBuf,
    /// The result digest that was written down at sealing
    #[arg(long, value_name = "HEX")]
    pub expect: Option<String>,
    /// Public key that must have signed the seal
    #[arg(long, value_name = "FILE")]
    pub signer: Option<PathBuf>,
}

/// `avocet evidence …`
#[derive(Debug, Subcommand)]
pub enum Evidence {
    /// Show containers, volumes and file systems
    #[command(after_help = "Example:\n  avocet evidence tree JC-1.E01")]
    Tree(Image),
    /// List a folder inside the evidence
    #[command(after_help = "Example:\n  avocet evidence ls JC-1.E01 gpt:2/Users")]
    Ls(Inside),
    /// Show what the file system records of one file
    #[command(after_help = "Example:\n  avocet evidence stat JC-1.E01 gpt:2/Users/x/a.jpg")]
    Stat(Inside),
    /// Write one file's bytes to standard output; the access is logged
    #[command(
        after_help = "Example:\n  avocet evidence cat JC-1.E01 gpt:2/notes.txt --known set.json=us-vics-2.0 > notes.txt\n\
                            A file that matches a category that alerts is written only with --reason."
    )]
    Cat(Cat),
    /// Check every stored checksum and the digest of the whole image
    #[command(after_help = "Example:\n  avocet evidence verify JC-1.E01")]
    Verify(VerifyImage),
}

/// An image.
#[derive(Debug, Args)]
pub struct Image {
    /// Image (any segment), folder or zip
    pub evidence: PathBuf,
    /// What the evidence is opened with
    #[command(flatten)]
    pub opening: Opening,
}

/// `avocet evidence verify`
#[derive(Debug, Args)]
pub struct VerifyImage {
    /// Image (any segment) or zip
    pub evidence: PathBuf,
    /// Take MD5, SHA-1 and SHA-256, not only the digests that the image stores
    #[arg(long)]
    pub all_digests: bool,
}

/// A place inside an image.
#[derive(Debug, Args)]
pub struct Inside {
    /// Image (any segment), folder or zip
    pub evidence: PathBuf,
    /// VOLUME/PATH, or /PATH where only one volume is read; a stream behind a colon
    #[arg(default_value = "/")]
    pub path: String,
    /// What the evidence is opened with
    #[command(flatten)]
    pub opening: Opening,
}

/// `avocet evidence cat`
#[derive(Debug, Args)]
pub struct Cat {
    /// Image (any segment), folder or zip
    pub evidence: PathBuf,
    /// VOLUME/PATH, or /PATH where only one volume is read; a stream behind a colon
    pub path: String,
    /// Known set to check the file against first; may be given several times
    #[arg(long, value_name = "SET", env = "AVOCET_KNOWN", value_delimiter = ';')]
    pub known: Vec<String>,
    /// Sealed examination whose matches to check the file against
    #[arg(long, value_name = "FILE")]
    pub examination: Option<PathBuf>,
    /// Why this file has to be looked at; kept in the access log
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// What the evidence is opened with
    #[command(flatten)]
    pub opening: Opening,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Cli;

    fn walk(command: &clap::Command, missing: &mut Vec<String>) {
        for verb in command.get_subcommands().filter(|c| c.get_name() != "help") {
            let example = verb.get_after_help().map(ToString::to_string).unwrap_or_default();
            let line = format!("  avocet {}", verb.get_bin_name().unwrap_or_default().trim_start_matches("avocet "));
            if !example.contains("Example:") || !example.contains(&line) {
                missing.push(line);
            }
            walk(verb, missing);
        }
    }

    #[test]
    fn every_verb_has_an_example_of_itself() {
        let mut command = Cli::command();
        command.build();
        command.clone().debug_assert();
        let mut missing = vec![];
        walk(&command, &mut missing);
        assert!(missing.is_empty(), "{missing:?}");
    }
}
