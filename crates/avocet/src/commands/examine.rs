//! `avocet examine`

use avocet_base::ExhibitRef;
use avocet_examine::{Options, examine};

use super::{
    check_new, load_known, media, open_evidence, opening, outcome, print_sealed, refuse_unwritten, run_facts,
    signing_key,
};
use crate::args::{Examine, Global};
use crate::show::{Bar, Lines};
use crate::{Outcome, Refusal, output};

/// Where the small pictures of this examination go.
fn small_pictures(args: &Examine) -> Option<std::path::PathBuf> {
    let wanted = !args.no_media && !args.no_small_pictures;
    wanted.then(|| avocet_media::derivative::store_path(&args.out))
}

pub fn run(global: &Global, args: &Examine) -> anyhow::Result<Outcome> {
    let exhibit: ExhibitRef = args.exhibit.parse().map_err(|e| Refusal(format!("--exhibit: {e}")))?;
    let key = signing_key(args.key.as_deref())?;
    // Before a large set is loaded for nothing.
    check_new(&args.out, "result")?;
    let small = small_pictures(args);
    if let Some(path) = &small {
        check_new(path, "file of small pictures")?;
    }
    let known = load_known(global, &args.known)?;
    let evidence = open_evidence(&args.evidence, &args.opening, Some(&args.out))?;
    for warning in known.sets().iter().flat_map(|s| &s.warnings).filter(|_| !global.quiet) {
        output::remark(&format!("avocet: known set: {warning}"));
    }
    let mut run = run_facts(&args.evidence, &args.known);
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    run.push(("host".into(), host.trim().to_owned()));
    let media = if args.no_media { None } else { Some(media::prepare(global, args, &mut run)?) };
    let options = Options {
        exhibit,
        out: args.out.clone(),
        image_digest: !args.no_image_digest,
        threads: global.threads(),
        media,
        key,
        archives: !args.no_archives,
        scratch: opening::scratch(&args.opening, Some(&args.out))?,
        run,
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
        // Without a result nobody would look for them, and a second try would be refused.
        if let Some(path) = &small {
            let _ = std::fs::remove_file(path);
        }
        refuse_unwritten(e)
    })?;
    print_sealed(global, &examined.sealed, None)?;
    Ok(outcome(examined.alerting_files, examined.unreadable_parts))
}
