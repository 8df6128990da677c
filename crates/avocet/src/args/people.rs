//! Arguments of `avocet person` and `avocet child`.

use clap::Subcommand;

use super::When;

/// `avocet person`
#[derive(Debug, Subcommand)]
pub enum PersonVerb {
    /// Begin the record of a person
    #[command(after_help = "Example:\n  avocet person add I-1 --role suspect --name \"…\" --as det1\n  \
                      avocet person add I-1 --role child --unidentified --as vi1")]
    Add {
        /// In which investigation
        investigation: String,
        /// As what; may be given several times
        #[arg(long, required = true, value_parser = ["suspect", "child", "parent", "witness", "other"])]
        role: Vec<String>,
        /// Nobody can say who it is
        #[arg(long)]
        unidentified: bool,
        /// Their name; kept encrypted under their own key
        #[arg(long)]
        name: Option<String>,
        /// When they were born, or about when; kept encrypted
        #[arg(long)]
        born: Option<String>,
        /// When the team first knew of them
        #[command(flatten)]
        at: When,
    },
    /// State or change who somebody is
    #[command(after_help = "Example:\n  avocet person describe P-1 --name \"…\" --contact \"…\" --as det1")]
    Describe {
        /// Who
        person: String,
        /// Their name; kept encrypted
        #[arg(long)]
        name: Option<String>,
        /// When they were born, or about when; kept encrypted
        #[arg(long)]
        born: Option<String>,
        /// How they are reached; kept encrypted
        #[arg(long)]
        contact: Option<String>,
        /// Anything else; kept encrypted
        #[arg(long)]
        note: Option<String>,
    },
    /// State all their roles from now on
    #[command(
        after_help = "Example:\n  avocet person roles P-2 --role parent --role witness --reason \"note 4\" --as det1"
    )]
    Roles {
        /// Who
        person: String,
        /// As what; may be given several times
        #[arg(long, required = true, value_parser = ["suspect", "child", "parent", "witness", "other"])]
        role: Vec<String>,
        /// Why; no person's name
        #[arg(long)]
        reason: String,
    },
    /// State where they live or stay
    #[command(after_help = "Example:\n  avocet person address P-1 1 --text \"…\" --area Essex --as det1")]
    Address {
        /// Who
        person: String,
        /// Number of the address among theirs; stated again it takes the earlier one's place
        number: u32,
        /// The address; kept encrypted
        #[arg(long)]
        text: String,
        /// The local authority whose area it is in
        #[arg(long)]
        area: Option<String>,
        /// Until when, where that is over
        #[arg(long, value_name = "TIME")]
        until: Option<String>,
    },
    /// State what they do, paid or not
    #[command(
        after_help = "Example:\n  avocet person work P-1 1 --kind volunteering --with-children yes --trust yes --area Essex --as det1"
    )]
    Work {
        /// Who
        person: String,
        /// Number of it among theirs; stated again it takes the earlier one's place
        number: u32,
        /// How
        #[arg(long, value_parser = ["employment", "self-employment", "volunteering", "training"])]
        kind: String,
        /// Whether they work with children
        #[arg(long, value_parser = ["yes", "no", "unknown"])]
        with_children: String,
        /// Whether it is a position of trust
        #[arg(long, value_parser = ["yes", "no", "unknown"])]
        trust: String,
        /// The local authority in whose area they work, not where they live
        #[arg(long)]
        area: Option<String>,
        /// What and for whom; kept encrypted
        #[arg(long)]
        what: Option<String>,
        /// When the team first knew of it
        #[command(flatten)]
        at: When,
    },
    /// Record that they no longer do it
    #[command(after_help = "Example:\n  avocet person work-ended P-1 1 --as det1")]
    WorkEnded {
        /// Who
        person: String,
        /// Number of the work
        number: u32,
        /// Since when
        #[command(flatten)]
        at: When,
    },
    /// State what they are to another person of the investigation
    #[command(after_help = "Example:\n  avocet person link P-1 household P-3 --as det1")]
    Link {
        /// Who
        person: String,
        /// What
        #[arg(value_parser = LINKS)]
        link: String,
        /// To whom
        other: String,
        /// Anything else; kept encrypted
        #[arg(long)]
        note: Option<String>,
    },
    /// Record that this is over, or was never so
    #[command(after_help = "Example:\n  avocet person unlink P-1 household P-3 --reason \"moved out\" --as det1")]
    Unlink {
        /// Who
        person: String,
        /// What
        #[arg(value_parser = LINKS)]
        link: String,
        /// To whom
        other: String,
        /// Why; no person's name
        #[arg(long)]
        reason: String,
    },
    /// Say that two records are of one person; both stay
    #[command(after_help = "Example:\n  avocet person same P-3 P-9 --reason \"the same school\" --as vi1")]
    Same {
        /// One
        person: String,
        /// The other
        other: String,
        /// Why; kept encrypted
        #[arg(long)]
        reason: Option<String>,
    },
    /// Say that two records are not of one person after all
    #[command(after_help = "Example:\n  avocet person apart P-3 P-9 --reason \"two children\" --as vi1")]
    Apart {
        /// One
        person: String,
        /// The other
        other: String,
        /// Why; kept encrypted
        #[arg(long)]
        reason: Option<String>,
    },
    /// Say that an entry about a person is wrong
    #[command(after_help = "Example:\n  avocet person correct P-1 27 --reason \"the wrong street\" --as det1")]
    Correct {
        /// Who
        person: String,
        /// Number of the wrong entry
        entry: u64,
        /// Why; no person's name
        #[arg(long)]
        reason: String,
    },
    /// List the people of an investigation with what is missing
    #[command(after_help = "Example:\n  avocet person list I-1 --as det1")]
    List {
        /// Which investigation
        investigation: String,
    },
    /// Show one person with everything about them
    #[command(after_help = "Example:\n  avocet person show P-3 --as det1")]
    Show {
        /// Who
        person: String,
    },
}

const LINKS: [&str; 8] = [
    "household",
    "parent-of",
    "partner-of",
    "related-to",
    "regular-contact",
    "supervised-contact",
    "online-contact",
    "knows",
];

/// `avocet child`
#[derive(Debug, Subcommand)]
pub enum ChildVerb {
    /// State in which media the child is
    #[command(after_help = "Example:\n  avocet child seen P-3 e3b0c442… --as vi1")]
    Seen {
        /// Which child
        child: String,
        /// SHA-256 of a medium; may be given several times
        #[arg(required = true)]
        sha256: Vec<String>,
    },
    /// State a lead to who the child is: never proof
    #[command(
        after_help = "Example:\n  avocet child lead P-3 1 --kind camera-serial --strength moderate --media e3b0c442… --as vi1"
    )]
    Lead {
        /// Which child
        child: String,
        /// Number of the lead among the child's; stated again it takes the earlier one's place
        number: u32,
        /// What it goes by
        #[arg(long, value_parser = ["series", "camera-serial", "place", "time", "seen-before", "identifier", "other"])]
        kind: String,
        /// How far it carries
        #[arg(long, value_parser = ["weak", "moderate", "strong"])]
        strength: String,
        /// SHA-256 of the medium that it comes from
        #[arg(long, value_name = "SHA256")]
        media: Option<String>,
        /// The investigation in which it was seen before
        #[arg(long, value_name = "I")]
        seen_in: Option<String>,
        /// What it is; kept encrypted
        #[arg(long)]
        note: Option<String>,
    },
    /// Record that a lead was followed to its end
    #[command(
        after_help = "Example:\n  avocet child lead-ended P-3 1 --did-not-hold --reason \"another camera\" --as vi1"
    )]
    LeadEnded {
        /// Which child
        child: String,
        /// Number of the lead
        number: u32,
        /// It did not lead on
        #[arg(long)]
        did_not_hold: bool,
        /// What was found; no person's name
        #[arg(long)]
        reason: String,
    },
    /// Record how far it is: identified, located, safeguarded
    #[command(
        after_help = "Example:\n  avocet child reached P-3 identified --media e3b0c442… --lead 1 --note \"…\" --as vi1"
    )]
    Reached {
        /// Which child
        child: String,
        /// How far
        #[arg(value_parser = ["unidentified", "lead", "identified", "located", "safeguarded"])]
        step: String,
        /// SHA-256 of a medium that it rests on; may be given several times
        #[arg(long, value_name = "SHA256")]
        media: Vec<String>,
        /// A lead that it rests on; may be given several times
        #[arg(long, value_name = "NUMBER")]
        lead: Vec<u32>,
        /// What it rests on besides; kept encrypted
        #[arg(long)]
        note: Option<String>,
        /// When
        #[command(flatten)]
        at: When,
    },
    /// Record that what is known was given to a system that others search; Avocet does not send it
    #[command(
        after_help = "Example:\n  avocet child uploaded P-3 --reach international --system \"System 1\" --reference 17 --as vi1"
    )]
    Uploaded {
        /// Which child
        child: String,
        /// How far it reaches
        #[arg(long, value_parser = ["national", "international"])]
        reach: String,
        /// Its name
        #[arg(long)]
        system: String,
        /// Its reference
        #[arg(long)]
        reference: Option<String>,
        /// SHA-256 of a medium that was given; may be given several times
        #[arg(long, value_name = "SHA256")]
        media: Vec<String>,
        /// When
        #[command(flatten)]
        at: When,
    },
    /// Record that work on who the child is rests
    #[command(after_help = "Example:\n  avocet child rest P-3 --reason \"known in P-9\" --see P-9 --as vi1")]
    Rest {
        /// Which child
        child: String,
        /// Why; no person's name
        #[arg(long)]
        reason: String,
        /// The record in which it goes on
        #[arg(long, value_name = "P")]
        see: Option<String>,
        /// Since when
        #[command(flatten)]
        at: When,
    },
    /// Record that help was offered
    #[command(after_help = "Example:\n  avocet child offer P-3 1 --service \"Service 1\" --as safe1")]
    Offer {
        /// Which child
        child: String,
        /// Number of the offer among the child's
        number: u32,
        /// Which service; no person's name
        #[arg(long)]
        service: String,
        /// When
        #[command(flatten)]
        at: When,
    },
    /// Record how an offer was answered
    #[command(after_help = "Example:\n  avocet child answered P-3 1 yes --as safe1")]
    Answered {
        /// Which child
        child: String,
        /// Number of the offer
        number: u32,
        /// Whether it is taken up
        #[arg(value_parser = ["yes", "no"])]
        taken_up: String,
        /// When
        #[command(flatten)]
        at: When,
    },
    /// Record what the child wants
    #[command(after_help = "Example:\n  avocet child wishes P-3 --wishes \"…\" --as safe1")]
    Wishes {
        /// Which child
        child: String,
        /// What, as far as possible in the child's own words; kept encrypted
        #[arg(long)]
        wishes: String,
        /// When
        #[command(flatten)]
        at: When,
    },
    /// Record that the child or the family is to be told something: its clock starts
    #[command(after_help = "Example:\n  avocet child to-tell P-3 1 arrest --at 2026-11-27T07:10Z --as det1")]
    ToTell {
        /// Which child
        child: String,
        /// Number of the news among the child's
        number: u32,
        /// What
        #[arg(value_parser = ["rights", "arrest", "release", "decision", "hearing", "result", "other"])]
        about: String,
        /// When it happened
        #[command(flatten)]
        at: When,
    },
    /// Record that they were told
    #[command(after_help = "Example:\n  avocet child told P-3 1 --whom \"…\" --as det1")]
    Told {
        /// Which child
        child: String,
        /// Number of the news
        number: u32,
        /// Whom, and how; kept encrypted
        #[arg(long)]
        whom: Option<String>,
        /// When
        #[command(flatten)]
        at: When,
    },
    /// Record that they are not to be told
    #[command(
        after_help = "Example:\n  avocet child not-to-tell P-3 1 --reason \"would give the enquiry away\" --as det1"
    )]
    NotToTell {
        /// Which child
        child: String,
        /// Number of the news
        number: u32,
        /// Why; no person's name
        #[arg(long)]
        reason: String,
    },
    /// Plan to hear the child
    #[command(after_help = "Example:\n  avocet child plan-interview P-3 2026-12-02T14:00Z --as det1")]
    PlanInterview {
        /// Which child
        child: String,
        /// For when
        time: String,
        /// Anything else, such as who is to be there; kept encrypted
        #[arg(long)]
        note: Option<String>,
    },
    /// Record that the child was heard, or did not want to be
    #[command(after_help = "Example:\n  avocet child interviewed P-3 video-recorded --reference V/17 --as det1")]
    Interviewed {
        /// Which child
        child: String,
        /// How
        #[arg(value_parser = ["video-recorded", "written", "declined"])]
        kind: String,
        /// The recording's reference; no person's name
        #[arg(long)]
        reference: Option<String>,
        /// When
        #[command(flatten)]
        at: When,
    },
    /// Record where a special measure stands
    #[command(after_help = "Example:\n  avocet child measure P-3 \"live link\" asked --as det1")]
    Measure {
        /// Which child
        child: String,
        /// Which
        measure: String,
        /// Where it stands
        #[arg(value_parser = ["asked", "granted", "refused", "not-wanted"])]
        answer: String,
        /// When
        #[command(flatten)]
        at: When,
    },
    /// Record where the personal statement stands
    #[command(after_help = "Example:\n  avocet child statement P-3 offered --as det1")]
    Statement {
        /// Which child
        child: String,
        /// Where it stands
        #[arg(value_parser = ["offered", "made", "added-to", "declined"])]
        stage: String,
        /// When
        #[command(flatten)]
        at: When,
    },
    /// Say that an entry about who the child is, or about the child's side, is wrong
    #[command(after_help = "Example:\n  avocet child correct P-3 41 --reason \"another child\" --as vi1")]
    Correct {
        /// Which child
        child: String,
        /// Number of the wrong entry
        entry: u64,
        /// Why; no person's name
        #[arg(long)]
        reason: String,
    },
}
