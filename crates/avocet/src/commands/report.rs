//! `avocet report`

use std::fs::OpenOptions;
use std::io::Write;

use avocet_report::{Extract, Names};

use crate::args::{Global, Report};
use crate::{Outcome, Refusal, output};

pub fn run(global: &Global, args: &Report) -> anyhow::Result<Outcome> {
    let extract = Extract::of(&super::summary::open(&args.examination)?)?;
    let html = avocet_report::html(&extract, if args.hide_names { Names::Hidden } else { Names::Shown })?;
    let mut file = OpenOptions::new().write(true).create_new(true).open(&args.html).map_err(|e| {
        Refusal(format!(
            "cannot write {}: {e}. A report is never written over another: name a new file",
            args.html.display()
        ))
    })?;
    file.write_all(html.as_bytes())?;
    if !global.quiet {
        output::remark(&format!("Report: {}", args.html.display()));
    }
    Ok(Outcome::Finished)
}
