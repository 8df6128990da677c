//! `avocet report`

use std::fs::OpenOptions;
use std::io::Write;

use avocet_report::{Extract, Names};

use crate::args::{Global, Report};
use crate::{Outcome, Refusal, output};

pub fn run(global: &Global, args: &Report) -> anyhow::Result<Outcome> {
    super::check_new(&args.html, "report")?;
    let extract = Extract::of(&super::summary::open(&args.examination)?)?;
    let html = avocet_report::html(&extract, if args.hide_names { Names::Hidden } else { Names::Shown })?;
    let refuse = |e: std::io::Error| {
        Refusal(format!(
            "cannot write the report {}: {e}. Free space or choose another place; nothing half-written was kept",
            args.html.display()
        ))
    };
    let mut file = OpenOptions::new().write(true).create_new(true).open(&args.html).map_err(refuse)?;
    if let Err(e) = file.write_all(html.as_bytes()).and_then(|()| file.sync_all()) {
        drop(file);
        let _ = std::fs::remove_file(&args.html);
        return Err(refuse(e).into());
    }
    if !global.quiet {
        output::remark(&format!("Report: {}", args.html.display()));
    }
    Ok(Outcome::Finished)
}
