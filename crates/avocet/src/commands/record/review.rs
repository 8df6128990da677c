//! `avocet review` and `avocet care`: the review queue by hand, and what looking cost.

use avocet_base::{Sha256, plural, size_text};
use avocet_record::desk::{BatchItem, Exposure, LimitChange, Progress};
use avocet_record::review::Todo;
use avocet_record::staff::{Bounds, LimitSet, Limits, Rest, SetFor, Standing};
use avocet_record::vote::{Category, RequestReason};
use avocet_record::{Day, InvestigationId, UserId};
use serde_json::json;

use super::{at_desk, parse, print};
use crate::Outcome;
use crate::args::{Care, CareLimits, Global, LimitsOf, Review, Who, Work};

fn todo(work: Work) -> Todo {
    match work {
        Work::Grade => Todo::Grade,
        Work::Second => Todo::SecondView,
        Work::Moderate => Todo::Moderate,
    }
}

fn line(item: &BatchItem) -> String {
    let mut facts = vec![item.sha256.to_string(), item.kind.clone(), size_text(item.bytes)];
    if let (Some(width), Some(height)) = (item.width, item.height) {
        facts.push(format!("{width}x{height}"));
    }
    facts.push(plural(item.files, "file", "files"));
    facts.extend(item.exhibits.iter().map(ToString::to_string));
    facts.extend(item.reason.map(|reason| reason.to_string()));
    if let Some(near) = &item.near {
        facts.push(format!("distance {} to {}", near.distance, near.set));
    }
    if let Some(group) = &item.group {
        facts.push(format!("looks like {} (distance {})", group.representative, group.distance));
    }
    if let Some(proposed) = &item.proposed {
        facts.push(format!("proposed: {proposed}"));
    }
    facts.join("  ")
}

fn far(progress: &Progress) -> String {
    let mut text = format!(
        "{} done, {} left ({} second views, {} to moderate).\n",
        progress.done,
        progress.left(),
        progress.second_views,
        progress.to_moderate
    );
    for (reason, n) in &progress.to_grade {
        text.push_str(&format!("{n:>10}  {reason}\n"));
    }
    text.push_str(&format!(
        "Spared: {} by matching, {} by stacking. {} in groups. {} passed over by you.",
        plural(progress.spared_by_match, "content", "contents"),
        plural(progress.spared_by_stacking, "file", "files"),
        plural(progress.in_groups, "content", "contents"),
        progress.passed_over
    ));
    text
}

/// The break that is proposed, a sentence a line.
fn said(rest: &Rest) -> String {
    rest.words.iter().map(|words| format!("{words}\n")).collect()
}

pub fn run(global: &Global, verb: &Review, who: &Who) -> anyhow::Result<Outcome> {
    match verb {
        Review::Next { investigation, work, limit } => {
            let id = parse(investigation)?;
            let batch = at_desk(global, who, async |desk| desk.review_next(id, todo(*work), *limit).await)?;
            print(global, &batch, || {
                let mut text: String = batch.items.iter().map(|item| format!("{}\n", line(item))).collect();
                if let Some(rest) = &batch.rest {
                    text.push_str(&said(rest));
                }
                if batch.stopped {
                    text.push_str("The criteria of the streamlined grading are met: nothing more is queued.\n");
                } else if batch.items.is_empty() && !batch.rest.as_ref().is_some_and(|rest| rest.held) {
                    text.push_str("Nothing is queued for you.\n");
                }
                text.push_str(&far(&batch.progress));
                text
            })
        }
        Review::Vote { investigation, sha256, category } => {
            let (id, sha256): (InvestigationId, Sha256) = (parse(investigation)?, parse(sha256)?);
            let category: Category = parse(category)?;
            let voted = at_desk(global, who, async |desk| desk.review_vote(id, sha256, &category).await)?;
            print(global, &voted, || format!("Recorded as entry {}: {}.", voted.seq, voted.outcome))
        }
        Review::Undo { investigation } => {
            let id = parse(investigation)?;
            let undone = at_desk(global, who, async |desk| desk.review_undo(id).await)?;
            print(global, &undone, || match undone.withdrawn.len() {
                0 => "There is nothing to undo.".to_owned(),
                n => format!("{} withdrawn; nothing was overwritten.", plural(n as u64, "grade is", "grades are")),
            })
        }
        Review::Skip { investigation, sha256 } => {
            let (id, sha256) = (parse(investigation)?, parse(sha256)?);
            at_desk(global, who, async |desk| desk.review_skip(id, sha256).await)?;
            print(global, &json!({"skipped": sha256}), || {
                "Passed over; it comes again when nothing else is left.".into()
            })
        }
        Review::Flag { investigation, sha256 } => {
            let (id, sha256) = (parse(investigation)?, parse(sha256)?);
            let flag = async |desk: &avocet_record::desk::Desk<'_>| {
                desk.review_flag(id, sha256, RequestReason::Other, None).await
            };
            let seq = at_desk(global, who, flag)?;
            print(global, &json!({"entry": seq}), || {
                format!("Recorded as entry {seq}: somebody else looks at it, blind.")
            })
        }
        Review::Note { investigation, sha256, text } => {
            let (id, sha256) = (parse(investigation)?, parse(sha256)?);
            let seq = at_desk(global, who, async |desk| desk.review_note(id, sha256, text).await)?;
            print(global, &json!({"entry": seq}), || format!("Recorded as entry {seq}."))
        }
        Review::Identify { investigation, sha256, child } => {
            let (id, sha256) = (parse(investigation)?, parse(sha256)?);
            let child = child.as_deref().map(parse).transpose()?;
            let child = at_desk(global, who, async |desk| desk.review_identify(id, sha256, child, None).await)?;
            print(global, &json!({"child": child}), || {
                format!("{child} has it as a lead now; see `avocet child show {child}`.")
            })
        }
        Review::Original { investigation, sha256, examination, evidence, reason, out, opening } => {
            let wanted = super::original::Wanted {
                investigation: parse(investigation)?,
                sha256: parse(sha256)?,
                examination,
                evidence,
                reason,
                out,
                opening,
            };
            super::original::run(global, &wanted, who)
        }
        Review::OwnCamera { investigation, exhibit, camera } => {
            let (id, exhibit) = (parse(investigation)?, parse(exhibit)?);
            let seq = at_desk(global, who, async |desk| desk.state_camera(id, exhibit, camera).await)?;
            print(global, &json!({"entry": seq}), || format!("Recorded as entry {seq}."))
        }
        Review::Group { investigation, sha256 } => {
            let (id, sha256) = (parse(investigation)?, parse(sha256)?);
            let group = at_desk(global, who, async |desk| desk.review_group(id, sha256).await)?;
            print(global, &group, || {
                let mut text: String = group.members.iter().map(|member| format!("{}\n", line(&member.item))).collect();
                text.push_str(match &group.proposed {
                    Some(_) => {
                        "Accepting a group takes a screen on which every picture of it is shown, at least veiled."
                    }
                    None => "Grade the first one by viewing it; its grade is then proposed for the others.",
                });
                text
            })
        }
        Review::Status { investigation } => {
            let id = parse(investigation)?;
            let progress = at_desk(global, who, async |desk| desk.progress(id).await)?;
            print(global, &progress, || far(&progress))
        }
        Review::Leave { investigation, break_taken } => {
            let id = parse(investigation)?;
            at_desk(global, who, async |desk| match break_taken {
                true => desk.take_break(id).await,
                false => desk.review_leave(id).await,
            })?;
            print(global, &json!({"break": break_taken}), || "What was before you is given back.".to_owned())
        }
    }
}

/// What an account says, line by line.
fn account(lines: &[Exposure], totals: bool) -> String {
    if lines.is_empty() {
        return "Nothing was looked at on these days.".to_owned();
    }
    let mut text = String::new();
    for line in lines {
        text.push_str(&format!("{}  {:>8}  {}", line.day, line.times, line.what));
        if line.ms > 0 {
            text.push_str(&format!("  {}.{} s", line.ms / 1000, line.ms % 1000 / 100));
        }
        if totals {
            text.push_str(&format!("  by {}", plural(line.people, "person", "people")));
        }
        text.push('\n');
    }
    text
}

pub fn care(global: &Global, verb: &Care, who: &Who) -> anyhow::Result<Outcome> {
    let (from, to, totals) = match verb {
        Care::Own { from, to } => (from, to, false),
        Care::Totals { from, to } => (from, to, true),
        Care::Limits { verb } => return limits(global, verb, who),
    };
    let (from, to): (Day, Day) = (parse(from)?, parse(to)?);
    let lines = at_desk(global, who, async |desk| match totals {
        true => desk.team_exposure(from, to).await,
        false => desk.own_exposure(from, to).await,
    })?;
    print(global, &lines, || account(&lines, totals))
}

fn of(of: &LimitsOf) -> anyhow::Result<Option<UserId>> {
    of.user.as_deref().map(parse).transpose()
}

fn limit_line(limit: &LimitSet) -> String {
    let whose = match limit.set_for {
        SetFor::Table => "as the table says".to_owned(),
        SetFor::Team => "set for the team".to_owned(),
        SetFor::Person => "set for this person".to_owned(),
    };
    let set = limit.set.map_or_else(String::new, |(seq, by, at)| format!(" by {by} on {at:.0}, entry {seq}"));
    format!("{}  {}: {}; {whose}{set}", limit.limit, limit.title, limit.bounds)
}

fn limits_text(limits: &Limits, standing: Option<&[Standing]>, changes: &[LimitChange]) -> String {
    let mut text = String::new();
    for limit in &limits.limits {
        text.push_str(&limit_line(limit));
        let used = standing.and_then(|all| all.iter().find(|one| one.limit.limit == limit.limit));
        text.push_str(&used.map_or_else(String::new, |one| format!("; now: {}", one.used)));
        text.push('\n');
    }
    if let Some(until) = limits.lifted_until {
        text.push_str(&format!("Nothing is held back until {until:.0}.\n"));
    }
    for id in &limits.not_in_the_table {
        text.push_str(&format!("{id} was set, and the table has no such limit: nothing follows from it.\n"));
    }
    for change in changes {
        let what = match (&change.limit, &change.bounds, change.until) {
            (Some(limit), Some(bounds), _) => format!("{limit}: {bounds}"),
            (Some(limit), None, _) => format!("{limit}: no longer set"),
            (None, _, until) => {
                format!("lifted until {}", until.map_or_else(String::new, |until| format!("{until:.0}")))
            }
        };
        let reason = change.reason.as_deref().unwrap_or("(erased)");
        text.push_str(&format!("{}  {:.0}  {}  {what}  reason: {reason}\n", change.seq, change.at, change.by));
    }
    text
}

fn limits(global: &Global, verb: &CareLimits, who: &Who) -> anyhow::Result<Outcome> {
    match verb {
        CareLimits::Show { user, team } => {
            let user: Option<UserId> = user.as_deref().map(parse).transpose()?;
            let (limits, standing, changes) = at_desk(global, who, async |desk| {
                let of = if *team { None } else { Some(user.unwrap_or(desk.user())) };
                let own = of == Some(desk.user());
                let standing = if own { Some(desk.own_standing().await?) } else { None };
                Ok((desk.care_limits(of).await?, standing, desk.care_limit_changes(of).await?))
            })?;
            let json = json!({"limits": limits, "standing": standing, "changes": changes});
            print(global, &json, || limits_text(&limits, standing.as_deref(), &changes))
        }
        CareLimits::Set { limit, propose, hold, of: whose, reason } => {
            let (user, bounds) = (of(whose)?, Bounds { propose: *propose, hold: *hold });
            let seq = at_desk(global, who, async |desk| desk.set_care_limit(user, limit, bounds, reason).await)?;
            print(global, &json!({"entry": seq}), || format!("Recorded as entry {seq}: {bounds}."))
        }
        CareLimits::Reset { limit, of: whose, reason } => {
            let user = of(whose)?;
            let seq = at_desk(global, who, async |desk| desk.reset_care_limit(user, limit, reason).await)?;
            print(global, &json!({"entry": seq}), || format!("Recorded as entry {seq}."))
        }
        CareLimits::Lift { user, reason } => {
            let user = parse(user)?;
            let (seq, until) = at_desk(global, who, async |desk| desk.lift_care_limits(user, reason).await)?;
            print(global, &json!({"entry": seq, "until": until}), || {
                format!("Recorded as entry {seq}: nothing is held back until {until:.0}; breaks are still proposed.")
            })
        }
    }
}
