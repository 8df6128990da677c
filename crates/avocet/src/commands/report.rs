//! `avocet report`

use avocet_report::{Extract, Names};

use crate::args::{Global, Report};
use crate::{Outcome, output};

pub fn run(global: &Global, args: &Report) -> anyhow::Result<Outcome> {
    super::check_new(&args.html, "report")?;
    let extract = Extract::of(&super::summary::open(&args.examination)?)?;
    let html = avocet_report::html(&extract, if args.hide_names { Names::Hidden } else { Names::Shown })?;
    super::write_new(&args.html, html.as_bytes(), "report", 0o666)?;
    if !global.quiet {
        output::remark(&format!("Report: {}", args.html.display()));
    }
    Ok(Outcome::Finished)
}
