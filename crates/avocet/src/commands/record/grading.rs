//! `avocet grading`: examinations attached, how their media are graded, and where they stand.

use avocet_base::Sha256;
use avocet_record::desk::AttachedNow;
use avocet_record::vote::{Policy, SchemeRef};
use avocet_record::{ExhibitId, InvestigationId};
use clap::ValueEnum as _;
use serde_json::json;

use super::{at_desk, graded, parse, print, recorded};
use crate::args::{Global, Grading, Who};
use crate::{Outcome, Refusal};

/// What was attached, in sentences.
fn attached_words(investigation: InvestigationId, exhibit: ExhibitId, made: AttachedNow) -> String {
    let AttachedNow { examination, interim, replaces, gone } = made;
    let as_what = if interim { " as an interim result" } else { "" };
    let mut text = format!(
        "{examination} is attached to {exhibit}{as_what}: its seal was verified and its media are in {investigation}."
    );
    if interim {
        text.push_str(" Its examination had not ended: attach the whole one when it has.");
    }
    if let Some(before) = replaces {
        text.push_str(&format!(" It takes the place of {before}; votes stay."));
        if gone > 0 {
            let (one, many) = (format!("content of {before} is"), format!("contents of {before} are"));
            let contents = avocet_base::plural(gone, &one, &many);
            text.push_str(&format!(" {contents} not in it, and no longer counted for {exhibit}."));
        }
    }
    text
}

pub fn run(global: &Global, verb: &Grading, who: &Who) -> anyhow::Result<Outcome> {
    match verb {
        Grading::More(verb) => super::agreement::run(global, verb, who),
        Grading::Attach { investigation, exhibit, file, expect, replaces } => {
            let (id, exhibit) = (parse(investigation)?, parse(exhibit)?);
            let expect = expect.as_deref().map(parse).transpose()?;
            let replaces = replaces.as_deref().map(parse).transpose()?;
            let made = at_desk(global, who, async |desk| {
                // An interim result makes way for what comes later of its exhibit.
                let replaces = match replaces {
                    Some(stated) => Some(stated),
                    None => desk.interim_results(id).await?.iter().find(|of| of.exhibit == exhibit).map(|of| of.id),
                };
                desk.attach_examination(id, exhibit, file, expect, replaces).await
            })?;
            let json = json!({"examination": made.examination, "exhibit": exhibit, "interim": made.interim,
                "replaces": made.replaces, "gone": made.gone});
            print(global, &json, || attached_words(id, exhibit, made))
        }
        Grading::Policy { investigation, scheme, streamlined, unknown_only, rule, reason } => {
            let id: InvestigationId = parse(investigation)?;
            let Some((name, version)) = scheme.split_once('@') else {
                return Err(Refusal(format!("{scheme} names no version: write NAME@VERSION, such as uk-2014@1")).into());
            };
            let scheme = SchemeRef { id: name.to_owned(), version: version.to_owned() };
            let policy = match streamlined {
                Some(criteria) => Policy::Streamlined { criteria: criteria.clone(), stop: None },
                None if *unknown_only => Policy::Unknown {},
                None => Policy::EveryImage {},
            };
            let seq = at_desk(global, who, async |desk| desk.set_policy(id, policy, scheme, rule, reason).await)?;
            print(global, &json!({"entry": seq}), || format!("Recorded as entry {seq}."))
        }
        Grading::Vote { investigation, sha256, category, purpose, blind } => {
            let id: InvestigationId = parse(investigation)?;
            let sha256: Sha256 = parse(sha256)?;
            let purpose = purpose.to_possible_value().map_or_else(String::new, |v| v.get_name().replace('-', "_"));
            let done = at_desk(global, who, async |desk| {
                let scheme = desk.scheme_of(id).await?;
                let draft = json!({"event": "vote", "investigation": id, "fact": {"fact": "voted", "investigation": id,
                    "sha256": sha256, "scheme": scheme, "category": category, "basis": {"kind": "viewed"},
                    "purpose": purpose, "blind": blind}});
                desk.record(&draft, None).await
            })?;
            recorded(global, &done)
        }
        Grading::Totals { investigation } => {
            let id = parse(investigation)?;
            let totals = at_desk(global, who, async |desk| desk.media_totals(id).await)?;
            print(global, &totals, || {
                let lines: String =
                    totals.iter().filter(|(_, n)| **n != 0).map(|(what, n)| format!("{n:>10}  {what}\n")).collect();
                if lines.is_empty() { "No media are attached.".to_owned() } else { lines }
            })
        }
        Grading::Media { investigation, outcome, after, limit } => {
            let id = parse(investigation)?;
            let after = after.as_deref().map(parse).transpose()?;
            let media = at_desk(global, who, async |desk| desk.media_with(id, outcome, after, *limit).await)?;
            let json: Vec<_> = media
                .iter()
                .map(|m| json!({"sha256": m.sha256, "kind": m.kind, "files": m.places, "exhibits": m.exhibits, "outcome": m.outcome}))
                .collect();
            print(global, &json, || {
                media
                    .iter()
                    .map(|m| {
                        format!(
                            "{}  {}  {} on {}  {}\n",
                            m.sha256,
                            m.kind,
                            avocet_base::plural(m.places, "file", "files"),
                            avocet_base::plural(m.exhibits, "exhibit", "exhibits"),
                            m.outcome
                        )
                    })
                    .collect()
            })
        }
        Grading::Extract { investigation, out, interim } => graded::extract(global, who, investigation, out, *interim),
        Grading::Schedule { file } => graded::schedule(global, file),
        Grading::Sfr { file, html } => graded::sfr(global, file, html),
        Grading::Export { file, vics, csv, unviewed } => {
            graded::export(global, file, vics.as_deref(), csv.as_deref(), *unviewed)
        }
        Grading::Show { investigation, sha256 } => {
            let (id, sha256): (InvestigationId, Sha256) = (parse(investigation)?, parse(sha256)?);
            let (row, standing, places) = at_desk(global, who, async |desk| desk.medium(id, sha256).await)?;
            let places_json: Vec<_> = places
                .iter()
                .map(|p| json!({"examination": p.examination, "exhibit": p.exhibit, "files": p.files}))
                .collect();
            let json = json!({"sha256": sha256, "kind": row.kind, "outcome": row.outcome, "places": places_json,
                "category": standing.as_ref().and_then(|s| s.outcome.category()).map(ToString::to_string)});
            print(global, &json, || {
                let mut text = format!("{sha256}\n{}, {}\n", row.kind, row.outcome);
                for p in &places {
                    text.push_str(&format!(
                        "  {} on {} ({})\n",
                        avocet_base::plural(p.files, "file", "files"),
                        p.exhibit,
                        p.examination
                    ));
                }
                text
            })
        }
    }
}
