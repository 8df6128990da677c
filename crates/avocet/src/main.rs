//! The `avocet` command.

mod access;
mod args;
mod commands;
mod output;
mod show;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Verb};

/// How a command ended, as scripts see it. Also in `avocet --help` and `docs/commands.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Finished, nothing alerts, everything could be read.
    Finished,
    /// Finished; at least one file matches a category that alerts.
    Alerts,
    /// Finished without an alert; something that should have been read could not be.
    Unreadable,
    /// Not done, because what was asked cannot be done: the sentence on standard error says what to change.
    Refused,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        ExitCode::from(match outcome {
            Outcome::Finished => 0,
            Outcome::Refused => 2,
            Outcome::Alerts => 3,
            Outcome::Unreadable => 4,
        })
    }
}

/// An answer that the user can act on: what was asked cannot be done as asked.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(pub String);

fn run(cli: &Cli) -> anyhow::Result<Outcome> {
    let global = &cli.global;
    match &cli.verb {
        Verb::Examine(a) => commands::examine::run(global, a),
        Verb::Summary(a) => commands::summary::run(global, &a.examination),
        Verb::List(a) => commands::list::run(global, a),
        Verb::Report(a) => commands::report::run(global, a),
        Verb::Verify(a) => commands::verify::run(global, a),
        Verb::Evidence(a) => commands::evidence::run(global, a),
        Verb::Rematch(a) => commands::rematch::run(global, a),
        Verb::Sets(a) => commands::sets::run(global, a),
        Verb::Media(a) => commands::media::run(global, a),
        Verb::Schemes { id } => commands::schemes::run(global, id.as_deref()),
        Verb::Init(a) => commands::record::init(global, a),
        Verb::User { verb, who } => commands::record::user(global, verb, who),
        Verb::Law { verb, who } => commands::record::law(global, verb, who),
        Verb::Referral { verb, who } => commands::record::referral(global, verb, who),
        Verb::Conflicts { verb, who } => commands::record::conflicts(global, verb, who),
        Verb::Investigation { verb, who } => commands::record::investigation(global, verb, who),
        Verb::Queue { who } => commands::record::queue(global, who),
        Verb::Risk { verb, who } => commands::record::risk(global, verb, who),
        Verb::Ip { verb, who } => commands::record::ip(global, verb, who),
        Verb::Warrant { verb, who } => commands::record::warrant(global, verb, who),
        Verb::Exhibit { verb, who } => commands::record::exhibit(global, verb, who),
        Verb::Grading { verb, who } => commands::record::grading(global, verb, who),
        Verb::Person { verb, who } => commands::record::person(global, verb, who),
        Verb::Child { verb, who } => commands::record::child(global, verb, who),
        Verb::Safeguarding { verb, who } => commands::record::safeguarding(global, verb, who),
        Verb::Custody { verb, who } => commands::record::custody(global, verb, who),
        Verb::Welfare { verb, who } => commands::record::welfare(global, verb, who),
        Verb::Serve { args, who } => commands::record::serve(global, args, who),
        Verb::Leaflet(a) => commands::record::leaflet(global, a),
        Verb::Clocks { investigation, who } => commands::record::clocks(global, investigation, who),
        Verb::Outcome { verb, who } => commands::record::outcome(global, verb, who),
        Verb::Order { verb, who } => commands::record::order(global, verb, who),
        Verb::Figures { args, who } => commands::record::figures(global, args, who),
        Verb::Record { verb, who } => commands::record::run(global, verb, who),
        Verb::Ledger(verb) => commands::record::ledger(global, verb),
        Verb::Key { file } => commands::key::run(file),
        Verb::Demo { dir: Some(dir), .. } => commands::demo::run(global, dir),
        Verb::Demo { dir: None, .. } => commands::record::demo(global),
        Verb::Completions { shell } => commands::shell::completions(*shell),
        Verb::Man { dir } => commands::shell::man(dir),
    }
}

fn main() -> ExitCode {
    // A confined worker is this program started by itself; it reads no other argument.
    if std::env::args_os().nth(1).is_some_and(|a| a == commands::PICTURE_WORKER) {
        return avocet_media::decoder_worker();
    }
    let cli = Cli::parse();
    match run(&cli) {
        Ok(outcome) => outcome.into(),
        Err(error) if output::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            output::complain(&error, cli.global.verbose);
            match error.downcast_ref::<Refusal>() {
                Some(_) => Outcome::Refused.into(),
                None => ExitCode::FAILURE,
            }
        }
    }
}
