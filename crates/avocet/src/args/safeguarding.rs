//! Arguments of `avocet safeguarding`, `custody`, `welfare`, `leaflet` and `clocks`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{When, Who};

/// For whom, or because of what work.
#[derive(Debug, Args)]
pub struct About {
    /// In which investigation
    pub investigation: String,
    /// For which child
    #[arg(long, value_name = "P", required_unless_present = "work", conflicts_with = "work")]
    pub child: Option<String>,
    /// Because of what somebody does: P-1/2 is work 2 of P-1
    #[arg(long, value_name = "P/NUMBER")]
    pub work: Option<String>,
}

/// `avocet safeguarding`
#[derive(Debug, Subcommand)]
pub enum SafeguardingVerb {
    /// Record that a child is protected at once: police protection, or an emergency order
    #[command(
        after_help = "Example:\n  avocet safeguarding protect I-1 --child P-3 --at 2026-11-27T07:10Z --as det1\n  \
                      avocet safeguarding protect I-1 --child P-3 --order --until 2026-12-05T12:00Z --authority \"Court 1\" --as det1"
    )]
    Protect {
        /// For whom
        #[command(flatten)]
        about: About,
        /// By an emergency order of a court, not by police protection
        #[arg(long)]
        order: bool,
        /// Until when, where an order states it
        #[arg(long, value_name = "TIME")]
        until: Option<String>,
        /// Who decided or which court; no person's name
        #[arg(long)]
        authority: Option<String>,
        /// Since when
        #[command(flatten)]
        at: When,
    },
    /// Record that a body was told; for a new line of safeguarding
    #[command(
        after_help = "Example:\n  avocet safeguarding refer I-1 --child P-3 --to social-care --body \"Council 1\" --as det1\n  \
                      avocet safeguarding refer I-1 --work P-1/1 --to designated-officer --body \"Council 1\" --area Essex --as det1"
    )]
    Refer {
        /// For whom, or because of what work
        #[command(flatten)]
        about: About,
        /// What kind of body
        #[arg(long, value_parser = ["social-care", "designated-officer", "school", "health", "employer", "police", "other"])]
        to: String,
        /// Its name, such as a council's; no person's name
        #[arg(long)]
        body: String,
        /// The local authority whose area it is for
        #[arg(long)]
        area: Option<String>,
        /// How: by telephone, by form
        #[arg(long)]
        how: Option<String>,
        /// What was said; kept encrypted
        #[arg(long)]
        what: Option<String>,
        /// When
        #[command(flatten)]
        at: When,
    },
    /// Record what was done for a child without one of the powers above
    #[command(after_help = "Example:\n  avocet safeguarding act I-1 --child P-3 child-seen --as det1")]
    Act {
        /// For whom
        #[command(flatten)]
        about: About,
        /// What
        #[arg(value_parser = ["child-seen", "child-moved", "suspect-kept-away", "other"])]
        action: String,
        /// Anything else; kept encrypted
        #[arg(long)]
        note: Option<String>,
        /// When
        #[command(flatten)]
        at: When,
    },
    /// Record that a protection ended
    #[command(after_help = "Example:\n  avocet safeguarding protection-ended S-1 --how \"order made\" --as det1")]
    ProtectionEnded {
        /// Which line
        line: String,
        /// How; no person's name
        #[arg(long)]
        how: String,
        /// When
        #[command(flatten)]
        at: When,
    },
    /// Record that the body says that it has it
    #[command(after_help = "Example:\n  avocet safeguarding acknowledged S-1 --reference 17 --as det1")]
    Acknowledged {
        /// Which line
        line: String,
        /// The body's reference
        #[arg(long)]
        reference: Option<String>,
        /// When
        #[command(flatten)]
        at: When,
    },
    /// Record a strategy discussion
    #[command(
        after_help = "Example:\n  avocet safeguarding discussed S-1 --body police --body \"Council 1\" --decision \"…\" --as det1"
    )]
    Discussed {
        /// Which line
        line: String,
        /// A body that took part; may be given several times
        #[arg(long, required = true)]
        body: Vec<String>,
        /// What was decided; kept encrypted
        #[arg(long)]
        decision: Option<String>,
        /// When
        #[command(flatten)]
        at: When,
    },
    /// Record what was shared with whom under which power
    #[command(
        after_help = "Example:\n  avocet safeguarding shared S-2 --with \"School 1\" --power common-law-disclosure --what \"…\" --as det1"
    )]
    Shared {
        /// Which line
        line: String,
        /// With which body
        #[arg(long)]
        with: String,
        /// Under what, as `avocet law list sharing-powers` names it
        #[arg(long)]
        power: String,
        /// What; kept encrypted
        #[arg(long)]
        what: String,
        /// When
        #[command(flatten)]
        at: When,
    },
    /// Set the date by which it is to be done
    #[command(after_help = "Example:\n  avocet safeguarding target S-2 2026-12-18T12:00Z --as det1")]
    Target {
        /// Which line
        line: String,
        /// When it is to be done
        due: String,
    },
    /// Record a review of the progress
    #[command(after_help = "Example:\n  avocet safeguarding reviewed S-2 --as safe1")]
    Reviewed {
        /// Which line
        line: String,
        /// What was found; kept encrypted
        #[arg(long)]
        note: Option<String>,
        /// When
        #[command(flatten)]
        at: When,
    },
    /// Record what came of it
    #[command(after_help = "Example:\n  avocet safeguarding outcome S-1 made-safe --as safe1")]
    Outcome {
        /// Which line
        line: String,
        /// What
        #[arg(value_parser = ["made-safe", "found-safe", "plan", "work-stopped", "substantiated", "not-substantiated",
            "no-further-action", "other"])]
        outcome: String,
        /// Anything else; kept encrypted
        #[arg(long)]
        note: Option<String>,
        /// When
        #[command(flatten)]
        at: When,
    },
    /// Close a line: nothing more is to be done there
    #[command(after_help = "Example:\n  avocet safeguarding close S-1 --reason \"plan stands\" --as safe1")]
    Close {
        /// Which line
        line: String,
        /// Why; no person's name
        #[arg(long)]
        reason: String,
        /// When
        #[command(flatten)]
        at: When,
    },
    /// Say that an entry is wrong
    #[command(after_help = "Example:\n  avocet safeguarding correct S-1 41 --reason \"another child\" --as safe1")]
    Correct {
        /// Which line
        line: String,
        /// Number of the wrong entry
        entry: u64,
        /// Why; no person's name
        #[arg(long)]
        reason: String,
    },
    /// List the lines of safeguarding of an investigation with what is missing
    #[command(after_help = "Example:\n  avocet safeguarding list I-1 --as det1")]
    List {
        /// Which investigation
        investigation: String,
    },
}

/// `avocet custody`
#[derive(Debug, Subcommand)]
pub enum CustodyVerb {
    /// Record an arrest
    #[command(
        after_help = "Example:\n  avocet custody arrest I-1 P-1 --offence pca-1978-s1 --warrant W-1 --at 2026-11-27T07:10Z --as det1"
    )]
    Arrest {
        /// In which investigation
        investigation: String,
        /// Whom
        suspect: String,
        /// For what; may be given several times; no person's name
        #[arg(long)]
        offence: Vec<String>,
        /// The custody record's reference
        #[arg(long)]
        reference: Option<String>,
        /// The warrant that was being executed
        #[arg(long, value_name = "W")]
        warrant: Option<String>,
        /// When
        #[command(flatten)]
        at: When,
    },
    /// Record that a suspect came to a voluntary interview
    #[command(
        after_help = "Example:\n  avocet custody attend I-1 P-1 --offence pca-1978-s1 --reference V/17 --as det1"
    )]
    Attend {
        /// In which investigation
        investigation: String,
        /// Who
        suspect: String,
        /// About what; may be given several times; no person's name
        #[arg(long)]
        offence: Vec<String>,
        /// Its reference
        #[arg(long)]
        reference: Option<String>,
        /// When
        #[command(flatten)]
        at: When,
    },
    /// Record the arrival at the station
    #[command(after_help = "Example:\n  avocet custody arrived C-1 --place \"Station 1\" --reference CR/17 --as det1")]
    Arrived {
        /// Which arrest
        custody: String,
        /// Which station
        #[arg(long)]
        place: String,
        /// The custody record's reference
        #[arg(long)]
        reference: Option<String>,
        /// When
        #[command(flatten)]
        at: When,
    },
    /// Record that detention may last longer
    #[command(
        after_help = "Example:\n  avocet custody extended C-1 2026-11-28T20:15Z --authority superintendent --as det1"
    )]
    Extended {
        /// Which arrest
        custody: String,
        /// Until when
        until: String,
        /// Who authorised it: a rank or a court; no person's name
        #[arg(long)]
        authority: String,
    },
    /// Record that the suspect was interviewed
    #[command(after_help = "Example:\n  avocet custody interviewed C-1 --reference V/18 --as det1")]
    Interviewed {
        /// Which arrest or interview
        custody: String,
        /// The recording's reference
        #[arg(long)]
        reference: Option<String>,
        /// When
        #[command(flatten)]
        at: When,
    },
    /// Record bail before charge, or that it goes on
    #[command(after_help = "Example:\n  avocet custody bail C-1 2027-02-25T12:00Z --conditions \"…\" --as det1")]
    Bail {
        /// Which arrest
        custody: String,
        /// Until when
        until: String,
        /// Under what conditions; kept encrypted
        #[arg(long)]
        conditions: Option<String>,
        /// Since when
        #[command(flatten)]
        at: When,
    },
    /// Record a release under investigation, without bail
    #[command(after_help = "Example:\n  avocet custody release C-1 --as det1")]
    Release {
        /// Which arrest
        custody: String,
        /// When
        #[command(flatten)]
        at: When,
    },
    /// Record how it ended
    #[command(after_help = "Example:\n  avocet custody end C-1 charged --as det1")]
    End {
        /// Which arrest or interview
        custody: String,
        /// How
        #[arg(value_parser = ["charged", "no-further-action", "summons", "out-of-court", "other"])]
        how: String,
        /// Why, where that is not clear; no person's name
        #[arg(long)]
        reason: Option<String>,
        /// When
        #[command(flatten)]
        at: When,
    },
    /// Say that an entry is wrong
    #[command(after_help = "Example:\n  avocet custody correct C-1 41 --reason \"another time\" --as det1")]
    Correct {
        /// Which arrest or interview
        custody: String,
        /// Number of the wrong entry
        entry: u64,
        /// Why; no person's name
        #[arg(long)]
        reason: String,
    },
    /// List the arrests and interviews of an investigation with what is missing
    #[command(after_help = "Example:\n  avocet custody list I-1 --as det1")]
    List {
        /// Which investigation
        investigation: String,
    },
}

/// `avocet welfare`
#[derive(Debug, Subcommand)]
pub enum WelfareVerb {
    /// Record an assessment of the suspect's own risk of death
    #[command(after_help = "Example:\n  avocet welfare assess P-1 before-contact --level medium --as det1\n  \
                      avocet welfare assess P-1 trigger --trigger 1 --level low --as det1")]
    Assess {
        /// Who
        person: String,
        /// At which point
        #[arg(value_parser = ["before-contact", "after-contact", "follow-up", "trigger"])]
        stage: String,
        /// The result in the force's own words; nothing about the person
        #[arg(long)]
        level: String,
        /// The arrest or interview that it belongs to (default: the last one before it)
        #[arg(long, value_name = "C")]
        custody: Option<String>,
        /// The date that it belongs to
        #[arg(long, value_name = "NUMBER")]
        trigger: Option<u32>,
        /// What it rests on; kept encrypted
        #[arg(long)]
        note: Option<String>,
        /// When
        #[command(flatten)]
        at: When,
    },
    /// Set a date on which the risk rises
    #[command(after_help = "Example:\n  avocet welfare trigger P-1 1 court 2027-03-02T10:00Z --as det1")]
    Trigger {
        /// Who
        person: String,
        /// Number of the date among the person's
        number: u32,
        /// What
        #[arg(value_parser = ["charge", "court", "other"])]
        kind: String,
        /// When it is
        date: String,
    },
    /// Record that a leaflet was given
    #[command(after_help = "Example:\n  avocet welfare leaflet P-1 suspect --file suspect.html --as det1")]
    Leaflet {
        /// To whom
        person: String,
        /// For whom it is written
        #[arg(value_parser = ["suspect", "family", "parent", "staff"])]
        leaflet: String,
        /// The file that was printed; its digest is recorded
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
        /// The arrest or interview at which it was given (default: the last one before it)
        #[arg(long, value_name = "C")]
        custody: Option<String>,
        /// When
        #[command(flatten)]
        at: When,
    },
    /// Record that help was pointed out
    #[command(after_help = "Example:\n  avocet welfare signpost P-1 samaritans --as det1")]
    Signpost {
        /// To whom
        person: String,
        /// Which, as `avocet law list services` names it
        service: String,
        /// When
        #[command(flatten)]
        at: When,
    },
    /// Record that a telephone was offered in place of the one taken
    #[command(after_help = "Example:\n  avocet welfare phone P-1 yes --as det1")]
    Phone {
        /// To whom
        person: String,
        /// Whether it was taken
        #[arg(value_parser = ["yes", "no"])]
        taken: String,
        /// The arrest or interview at which it was offered (default: the last one before it)
        #[arg(long, value_name = "C")]
        custody: Option<String>,
        /// When
        #[command(flatten)]
        at: When,
    },
    /// Set something that is to be done: it shows until it is
    #[command(after_help = "Example:\n  avocet welfare to-do P-1 1 --what \"…\" --due 2026-11-30T12:00Z --as det1")]
    ToDo {
        /// For whom
        person: String,
        /// Number among the person's
        number: u32,
        /// What; kept encrypted
        #[arg(long)]
        what: String,
        /// By when
        #[arg(long, value_name = "TIME")]
        due: String,
    },
    /// Record that it was done, or is no longer needed
    #[command(after_help = "Example:\n  avocet welfare done P-1 1 --as det1")]
    Done {
        /// For whom
        person: String,
        /// Its number
        number: u32,
        /// When
        #[command(flatten)]
        at: When,
    },
    /// Say that an entry is wrong
    #[command(after_help = "Example:\n  avocet welfare correct P-1 41 --reason \"another person\" --as det1")]
    Correct {
        /// Who
        person: String,
        /// Number of the wrong entry
        entry: u64,
        /// Why; no person's name
        #[arg(long)]
        reason: String,
    },
}

/// `avocet leaflet`
#[derive(Debug, Args)]
pub struct Leaflet {
    /// For whom
    #[arg(value_parser = ["suspect", "family", "parent", "staff"])]
    pub leaflet: String,
    /// Where the page goes (default: standard output)
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Where law files lie that replace the built-in ones
    #[command(flatten)]
    pub who: Who,
}
