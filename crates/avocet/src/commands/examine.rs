//! `avocet examine`

use avocet_base::ExhibitRef;
use avocet_examine::{ExamineError, Options, examine};

use super::{check_new, load_known, media, open_evidence, summary};
use crate::args::{Examine, Global};
use crate::show::Bar;
use crate::{Outcome, Refusal, access, output};

/// Facts of the run that the result digest does not cover.
fn run_facts(args: &Examine) -> Vec<(String, String)> {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    vec![
        ("tool".into(), format!("avocet {}", env!("CARGO_PKG_VERSION"))),
        ("started".into(), access::now()),
        ("user".into(), access::user()),
        ("host".into(), host.trim().to_owned()),
        ("input".into(), args.evidence.display().to_string()),
        ("known".into(), args.known.join("; ")),
    ]
}

/// Where the small pictures of this examination go.
fn small_pictures(args: &Examine) -> Option<std::path::PathBuf> {
    let wanted = !args.no_media && !args.no_small_pictures;
    wanted.then(|| avocet_media::derivative::store_path(&args.out))
}

pub fn run(global: &Global, args: &Examine) -> anyhow::Result<Outcome> {
    let exhibit: ExhibitRef = args.exhibit.parse().map_err(|e| Refusal(format!("--exhibit: {e}")))?;
    let key = match &args.key {
        Some(path) => Some(avocet_examination::load_key(path).map_err(|e| Refusal(e.to_string()))?),
        None => None,
    };
    // Before a large set is loaded for nothing.
    check_new(&args.out, "result")?;
    if let Some(path) = small_pictures(args) {
        check_new(&path, "file of small pictures")?;
    }
    let known = load_known(global, &args.known)?;
    let evidence = open_evidence(&args.evidence)?;
    for warning in known.sets().iter().flat_map(|s| &s.warnings).filter(|_| !global.quiet) {
        output::remark(&format!("avocet: known set: {warning}"));
    }
    let mut run = run_facts(args);
    let media = if args.no_media { None } else { Some(media::prepare(global, args, &mut run)?) };
    let options = Options {
        exhibit,
        out: args.out.clone(),
        image_digest: !args.no_image_digest,
        threads: global.threads(),
        media,
        key,
        run,
    };
    let image_bytes = evidence.source().filter(|_| !args.no_image_digest).map_or(0, |s| s.len());
    let bar = Bar::new(global.quiet, image_bytes);
    let small = small_pictures(args);
    let outcome = examine(&evidence, &known, options, &bar);
    bar.finish();
    let examined = outcome.map_err(|e| {
        // Without a result nobody would look for them, and a second try would be refused.
        if let Some(path) = &small {
            let _ = std::fs::remove_file(path);
        }
        match e {
            ExamineError::Write(e) => Refusal(e.to_string()).into(),
            e => anyhow::Error::new(e),
        }
    })?;
    summary::print(global, &summary::open(&args.out)?)?;
    if !global.quiet && !global.json {
        output::remark(&format!("Sealed: {}", examined.sealed.path.display()));
    }
    Ok(match (examined.alerting_files, examined.unreadable_parts) {
        (0, false) => Outcome::Finished,
        (0, true) => Outcome::Unreadable,
        _ => Outcome::Alerts,
    })
}
