//! `avocet rematch`

use avocet_examine::{ExamineError, RematchOptions, rematch};

use super::{check_new, load_known, summary};
use crate::args::{Global, Rematch};
use crate::{Outcome, Refusal, access, output};

pub fn run(global: &Global, args: &Rematch) -> anyhow::Result<Outcome> {
    let key = match &args.key {
        Some(path) => Some(avocet_examination::load_key(path).map_err(|e| Refusal(e.to_string()))?),
        None => None,
    };
    check_new(&args.out, "result")?;
    // What was changed since it was sealed is not carried on under a new seal.
    let checked = avocet_examination::verify(&args.examination, None, None).map_err(|e| Refusal(e.to_string()))?;
    if !checked.passed() {
        return Err(Refusal(format!(
            "{} is not what it was when it was sealed ({}). Use the sealed file, or examine the exhibit again",
            args.examination.display(),
            checked.findings.join("; ")
        ))
        .into());
    }
    let earlier = summary::open(&args.examination)?;
    let known = load_known(global, &args.known)?;
    let options = RematchOptions {
        out: args.out.clone(),
        key,
        run: vec![
            ("tool".into(), format!("avocet {}", env!("CARGO_PKG_VERSION"))),
            ("started".into(), access::now()),
            ("user".into(), access::user()),
            ("input".into(), args.examination.display().to_string()),
            ("known".into(), args.known.join("; ")),
        ],
    };
    let done = rematch(&earlier, &known, &options).map_err(|e| match e {
        ExamineError::Write(e) => Refusal(e.to_string()).into(),
        e => anyhow::Error::new(e),
    })?;
    let later = summary::open(&args.out)?;
    summary::print(global, &later)?;
    if !global.quiet && !global.json {
        output::remark(&format!(
            "Matches gained: {}; lost: {}; changed: {}. The evidence was not read.",
            done.gained, done.lost, done.changed
        ));
        output::remark(&format!("Sealed: {}", done.sealed.path.display()));
    }
    Ok(match (done.alerting_files, done.unreadable_parts) {
        (0, false) => Outcome::Finished,
        (0, true) => Outcome::Unreadable,
        _ => Outcome::Alerts,
    })
}
