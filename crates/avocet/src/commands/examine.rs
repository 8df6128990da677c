//! `avocet examine`

use avocet_base::ExhibitRef;
use avocet_evidence::Evidence;
use avocet_examine::{Corroborate, Journal, Options, SleuthKit, examine, journal_path};

use super::{
    check_new, load_known, media, open_evidence, opening, outcome, print_sealed, refuse_unwritten, run_facts,
    signing_key,
};
use crate::args::{Examine, Global};
use crate::show::{Bar, Lines};
use crate::{Outcome, Refusal, output};

/// Where the sealed result goes.
fn out(args: &Examine) -> &std::path::Path {
    args.interim.as_ref().unwrap_or(&args.out)
}

/// Where the small pictures of this result go, or the index of them.
fn small_pictures(args: &Examine) -> Option<std::path::PathBuf> {
    let wanted = !args.no_media && !args.no_small_pictures;
    wanted.then(|| avocet_media::derivative::store_path(out(args)))
}

/// What an examination must be finished with: another program might read the same evidence otherwise.
fn program() -> String {
    let length = std::env::current_exe().and_then(std::fs::metadata).map_or(0, |m| m.len());
    format!("avocet {} of {length} bytes", env!("CARGO_PKG_VERSION"))
}

/// The result was sealed; only the journal had not been removed.
fn finished(args: &Examine, journal: &std::path::Path) -> anyhow::Error {
    match std::fs::remove_file(journal) {
        Ok(()) => Refusal(format!(
            "{} is there and sealed: the examination had finished, and there is nothing to resume. `avocet summary` shows it",
            args.out.display()
        ))
        .into(),
        Err(e) => anyhow::Error::new(e).context("the journal of a finished examination cannot be removed"),
    }
}

/// The programs of the second opinion, and what they are to look at.
fn second_opinion(args: &Examine, evidence: &Evidence) -> anyhow::Result<Corroborate> {
    let limit = args.corroborate_limit.map(std::time::Duration::from_secs);
    let program = SleuthKit::find(limit, args.allow_weaker_confinement).map_err(|e| Refusal(e.to_string()))?;
    let segments = evidence.container.as_ref().map(|c| c.segments.as_slice()).unwrap_or_default();
    match segments.first() {
        Some(image) => Ok(Corroborate { program, image: image.clone() }),
        None => Err(Refusal(format!(
            "--corroborate needs the image of a disk, and this is a {}. Leave it out",
            evidence.kind
        ))
        .into()),
    }
}

pub fn run(global: &Global, args: &Examine) -> anyhow::Result<Outcome> {
    let exhibit: ExhibitRef = args.exhibit.parse().map_err(|e| Refusal(format!("--exhibit: {e}")))?;
    let key = signing_key(args.key.as_deref())?;
    let journal_file = journal_path(&args.out);
    // Before a large set is loaded for nothing.
    if args.resume && args.out.symlink_metadata().is_ok() && journal_file.symlink_metadata().is_ok() {
        return Err(finished(args, &journal_file));
    }
    check_new(out(args), "result")?;
    let small = small_pictures(args);
    let resumed = args.resume && journal_file.symlink_metadata().is_ok();
    match (&args.interim, journal_file.symlink_metadata().is_ok()) {
        (Some(_), false) => drop(Journal::watch(&args.out).map_err(|e| Refusal(e.to_string()))?),
        (None, true) if !args.resume => drop(Journal::open(&args.out, false).map_err(|e| Refusal(e.to_string()))?),
        _ => {}
    }
    if let Some(path) = small.as_ref().filter(|_| !resumed) {
        check_new(path, "file of small pictures")?;
    }
    let known = load_known(global, &args.known)?;
    let evidence = open_evidence(&args.evidence, &args.opening, Some(out(args)))?;
    for warning in known.sets().iter().flat_map(|s| &s.warnings).filter(|_| !global.quiet) {
        output::remark(&format!("avocet: known set: {warning}"));
    }
    let corroborate = match &args.corroborate {
        None => None,
        Some(_) => Some(second_opinion(args, &evidence)?),
    };
    let mut run = run_facts(&args.evidence, &args.known);
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    run.push(("host".into(), host.trim().to_owned()));
    let journal = match &args.interim {
        Some(_) => Journal::watch(&args.out),
        None => Journal::open(&args.out, args.resume),
    };
    let journal = journal.map_err(|e| Refusal(e.to_string()))?;
    if args.resume && !global.quiet {
        output::remark(match journal.is_resumed() {
            true => "avocet: going on with what the interrupted examination had read",
            false => "avocet: no interrupted examination is there; this one begins",
        });
    }
    if journal.is_resumed() && args.interim.is_none() {
        run.push(("resumed".into(), "an earlier run was interrupted".into()));
    }
    let scratch = opening::scratch(&args.opening, Some(out(args)))?;
    let media = match &args.interim {
        _ if args.no_media => None,
        Some(interim) => Some(media::prepare_interim(global, args, interim, &journal, &mut run)?),
        None => Some(media::prepare(global, args, &journal, &mut run)?),
    };
    let options = Options {
        exhibit,
        out: out(args).to_owned(),
        image_digest: !args.no_image_digest,
        threads: global.threads(),
        media,
        key,
        archives: !args.no_archives,
        scratch,
        run,
        corroborate,
        journal: Some(journal),
        begun_with: vec![("program".into(), program())],
    };
    let image_bytes = evidence.source().filter(|_| !args.no_image_digest).map_or(0, |s| s.len());
    let done = if args.progress_lines {
        examine(&evidence, &known, options, &Lines::new(image_bytes))
    } else {
        let bar = Bar::new(global.quiet, image_bytes);
        let done = examine(&evidence, &known, options, &bar);
        bar.finish();
        done
    };
    let examined = done.map_err(|e| {
        if args.interim.is_none() && journal_file.symlink_metadata().is_ok() {
            output::remark("avocet: what was read so far is kept; the same command with --resume finishes");
        } else if let Some(path) = &small {
            // Without a result nobody would look for them, and a second try would be refused.
            let _ = std::fs::remove_file(path);
            let _ = std::fs::remove_file(path.with_added_extension("partial"));
        }
        refuse_unwritten(e)
    })?;
    print_sealed(global, &examined.sealed, None)?;
    Ok(outcome(examined.alerting_files, examined.unreadable_parts))
}
