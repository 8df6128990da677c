//! `avocet rematch`

use avocet_examine::{RematchOptions, rematch};

use super::{check_new, load_known, outcome, print_sealed, refuse_unwritten, run_facts, signing_key, summary};
use crate::args::{Global, Rematch};
use crate::{Outcome, Refusal};

pub fn run(global: &Global, args: &Rematch) -> anyhow::Result<Outcome> {
    let key = signing_key(args.key.as_deref())?;
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
    let options = RematchOptions { out: args.out.clone(), key, run: run_facts(&args.examination, &args.known) };
    let done = rematch(&earlier, &known, &options).map_err(refuse_unwritten)?;
    let changes = format!(
        "Matches gained: {}; lost: {}; changed: {}. The evidence was not read.",
        done.gained, done.lost, done.changed
    );
    print_sealed(global, &done.sealed, Some(changes))?;
    Ok(outcome(done.alerting_files, done.unreadable_parts))
}
