//! `avocet grading sample`, `agreement`, `withdraw`, `second-view`, `import`.

use std::io::Read as _;
use std::path::Path;

use avocet_base::{Sha256, plural};
use avocet_known::Scheme;
use avocet_record::InvestigationId;
use avocet_record::desk::{AgreementOf, SetSays, Stated};
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
        GradingMore::Import { investigation, file, set, scheme } => {
            let id: InvestigationId = parse(investigation)?;
            let Some((name, version)) = set.rsplit_once('@') else {
                return Err(Refusal(format!("{set} names no version: write NAME@VERSION, such as \"Set 1@3\"")).into());
            };
            let set = SetRef { name: name.to_owned(), version: version.to_owned() };
            if is_vics(file)? {
                return import_vics(global, who, id, file, &set, scheme.as_deref());
            }
            if scheme.is_some() {
                return Err(Refusal("--scheme is for VICS; a list is in the scheme of the investigation".into()).into());
            }
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

fn unreadable(file: &Path, e: &std::io::Error) -> Refusal {
    Refusal(format!("{} cannot be read: {e}", file.display()))
}

fn is_vics(file: &Path) -> anyhow::Result<bool> {
    let mut head = vec![];
    let opened = std::fs::File::open(file).map_err(|e| unreadable(file, &e))?;
    opened.take(4096).read_to_end(&mut head).map_err(|e| unreadable(file, &e))?;
    Ok(avocet_known::looks_like_vics(&head))
}

fn import_vics(
    global: &Global,
    who: &Who,
    id: InvestigationId,
    file: &Path,
    set: &SetRef,
    stated: Option<&str>,
) -> anyhow::Result<Outcome> {
    let own = at_desk(global, who, async |desk| desk.scheme_of(id).await)?;
    let name = format!("{}@{}", own.id, own.version);
    if let Some(stated) = stated.filter(|stated| **stated != *name) {
        return Err(
            Refusal(format!("the grading of {id} is in {name}; grades in {stated} cannot be translated")).into()
        );
    }
    let scheme = Scheme::named(&name)
        .ok_or_else(|| Refusal(format!("this program has no table of {name}; without it no category is read")))?;
    let opened = std::fs::File::open(file).map_err(|e| unreadable(file, &e))?;
    let grades = avocet_known::read_grades(opened, &scheme, stated.is_some()).map_err(|e| Refusal(e.to_string()))?;
    let records: Result<Vec<Stated>, Refusal> = grades.grades.iter().map(of_record).collect();
    let records = records?;
    let import = at_desk(global, who, async |desk| desk.import_stated(id, set, &records).await)?;
    let left_out: Vec<Value> = grades.left_out.iter().map(|(why, n)| json!({"reason": why, "records": n})).collect();
    let json = json!({"format": grades.format, "sha256": grades.sha256, "records": grades.records, "left_out": left_out,
        "elsewhere": import.done.elsewhere, "too_little": import.too_little, "too_little_here": import.too_little_here,
        "again": import.again, "recorded": import.done.recorded, "already": import.done.already,
        "to_be_confirmed": grades.unconfirmed, "ignored": grades.ignored, "ignored_more": grades.ignored_more,
        "warnings": grades.warnings});
    print(global, &json, || {
        let mut lines = grades.left_out_words();
        lines.extend(import.left_out_words());
        lines.push(import.recorded_words());
        lines.extend(grades.passed_over_words());
        lines.join("\n")
    })
}

fn of_record(grade: &avocet_known::Grade) -> Result<Stated, Refusal> {
    let avocet_known::Grade { record, offset, md5, sha1, sha256, bytes, category } = grade;
    let category = category.parse().map_err(|e: avocet_record::vote::CategoryError| {
        Refusal(format!("record {record}, byte {offset}, field Category: {e}"))
    })?;
    Ok(Stated { record: *record, offset: *offset, md5: *md5, sha1: *sha1, sha256: *sha256, bytes: *bytes, category })
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
