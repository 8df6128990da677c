//! `avocet grading sample`, `agreement`, `withdraw`, `second-view`, `import`.

use std::path::Path;

use avocet_base::{Sha256, plural};
use avocet_record::InvestigationId;
use avocet_record::desk::{AgreementOf, SetSays};
use avocet_record::vote::{Confusion, Kappa, PairSample, SetRef};
use serde_json::{Value, json};

use super::{at_desk, parse, print, recorded};
use crate::args::{Global, GradingMore, RequestArg, Who, WithdrawArg};
use crate::{Outcome, Refusal};

pub fn run(global: &Global, verb: &GradingMore, who: &Who) -> anyhow::Result<Outcome> {
    match verb {
        GradingMore::Sample { investigation } => {
            let id = parse(investigation)?;
            let sample = at_desk(global, who, async |desk| desk.moderation_sample(id).await)?;
            let json = json!({"per_1000": sample.per_1000, "voted": sample.voted, "drawn": sample.drawn,
                "agreed": sample.agreed, "differed": sample.differed, "due": sample.due});
            print(global, &json, || {
                let mut text = format!(
                    "{} voted on, {} of them drawn ({} in 1,000): {} moderated alike, {} otherwise, {} to do.\n",
                    plural(sample.voted, "content", "contents"),
                    sample.drawn,
                    sample.per_1000,
                    sample.agreed,
                    sample.differed,
                    sample.due.len()
                );
                sample.due.iter().for_each(|sha256| text.push_str(&format!("{sha256}\n")));
                text
            })
        }
        GradingMore::Agreement { investigation } => {
            let id = parse(investigation)?;
            let agreement = at_desk(global, who, async |desk| desk.agreement(id).await)?;
            print(global, &agreement_json(&agreement), || agreement_text(&agreement))
        }
        GradingMore::Withdraw { investigation, sha256, vote, reason } => {
            let (id, sha256): (InvestigationId, Sha256) = (parse(investigation)?, parse(sha256)?);
            let reason = match reason {
                WithdrawArg::Slip => "slip",
                WithdrawArg::SecondThought => "second_thought",
                WithdrawArg::WrongScheme => "wrong_scheme",
                WithdrawArg::Other => "other",
            };
            let done = at_desk(global, who, async |desk| {
                let vote = match vote {
                    Some(vote) => *vote,
                    None => desk.own_vote(id, sha256).await?,
                };
                let draft = json!({"event": "vote", "investigation": id, "fact": {"fact": "withdrawn", "sha256": sha256,
                    "vote": vote, "reason": reason}});
                desk.record(&draft, None).await
            })?;
            recorded(global, &done)
        }
        GradingMore::SecondView { investigation, sha256, reason } => {
            let (id, sha256): (InvestigationId, Sha256) = (parse(investigation)?, parse(sha256)?);
            let reason = match reason {
                RequestArg::WhetherAChild => "whether_a_child",
                RequestArg::Context => "context",
                RequestArg::LegalLine => "legal_line",
                RequestArg::Quality => "quality",
                RequestArg::Other => "other",
            };
            let done = at_desk(global, who, async |desk| {
                let scheme = desk.scheme_of(id).await?;
                let draft = json!({"event": "vote", "investigation": id, "fact": {"fact": "second_view_requested",
                    "investigation": id, "sha256": sha256, "scheme": scheme, "reason": reason}});
                desk.record(&draft, None).await
            })?;
            recorded(global, &done)
        }
        GradingMore::Import { investigation, file, set } => {
            let id: InvestigationId = parse(investigation)?;
            let Some((name, version)) = set.rsplit_once('@') else {
                return Err(Refusal(format!("{set} names no version: write NAME@VERSION, such as \"Set 1@3\"")).into());
            };
            let set = SetRef { name: name.to_owned(), version: version.to_owned() };
            let says = read_list(file)?;
            let done = at_desk(global, who, async |desk| desk.import_categories(id, &set, &says).await)?;
            let json = json!({"recorded": done.recorded, "already": done.already, "elsewhere": done.elsewhere});
            print(global, &json, || {
                format!(
                    "{} recorded, {} known from this version already, {} of contents that {id} does not have.",
                    plural(done.recorded, "category", "categories"),
                    done.already,
                    done.elsewhere
                )
            })
        }
    }
}

fn read_list(file: &Path) -> anyhow::Result<Vec<SetSays>> {
    let text = std::fs::read_to_string(file)
        .map_err(|e| Refusal(format!("{} cannot be read as text: {e}", file.display())))?;
    Ok(SetSays::list(&text).map_err(Refusal)?)
}

fn pairs_of(agreement: &AgreementOf) -> [(&'static str, &PairSample); 2] {
    [("second views", &agreement.second_views), ("moderation", &agreement.moderation)]
}

fn agreement_json(agreement: &AgreementOf) -> Value {
    let table = |confusion: &Confusion| {
        let counts: Vec<Value> = confusion.counts().map(|(first, second, n)| json!([first, second, n])).collect();
        let of = confusion.cohen();
        json!({"items": of.items, "observed": of.observed, "by_chance": of.by_chance, "kappa": match of.kappa {
            Kappa::Value(kappa) => json!(kappa),
            Kappa::NotDefined(_) => Value::Null,
        }, "first_second_count": counts})
    };
    let mut json = json!({"scheme": agreement.scheme.to_string()});
    for (what, pairs) in pairs_of(agreement) {
        json[what.replace(' ', "_")] = json!({"all": table(&pairs.all), "blind": table(&pairs.blind),
            "without_second": pairs.without_second, "without_first": pairs.without_first});
    }
    json
}

fn agreement_text(agreement: &AgreementOf) -> String {
    let mut text = format!("First votes beside others, in {}:\n", agreement.scheme);
    for (what, pairs) in pairs_of(agreement) {
        text.push_str(&format!("{what}\n  all:   {}\n  blind: {}\n", pairs.all.cohen(), pairs.blind.cohen()));
        for (first, second, n) in pairs.all.counts() {
            text.push_str(&format!("  {n:>8}  first {first}, then {second}\n"));
        }
        text.push_str(&format!(
            "  {} of the contents voted on without it, {} without a first vote before it\n",
            pairs.without_second, pairs.without_first
        ));
    }
    text
}
