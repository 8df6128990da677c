//! One investigation: the page that tells its story, and what is missing before the next step.

use avocet_record::desk::{Desk, Head, Overview, WarrantShown};
use avocet_record::exhibit::Fate;
use avocet_record::law::Right;
use avocet_record::warrant::Readiness;
use maud::{Markup, html};

use super::who::Team;
use crate::fault::upper;
use crate::route::{Answer, Ctx, Page, Route, Rule, route};
use crate::view::{self, count, rows, tag, uk};

pub fn routes() -> Vec<Route> {
    vec![route("/investigations/{i}", Rule::Any(&[Right::ReadInvestigation]), summary)]
}

/// One part of the work: how far it is, and what is missing.
struct Step {
    title: &'static str,
    to: &'static str,
    /// Kind and words of its tag.
    status: (&'static str, String),
    missing: Vec<String>,
}

impl Step {
    fn new(title: &'static str, to: &'static str, begun: bool, done: String, missing: Vec<String>) -> Self {
        let status = match (begun, missing.len()) {
            (false, 0) => ("plain", "Not begun".to_owned()),
            (_, 0) => ("good", done),
            (_, n) => ("wait", format!("{} to look at", count(n, "thing", "things"))),
        };
        Self { title, to, status, missing }
    }
}

fn about<T: std::fmt::Display>(id: T, what: &[String]) -> impl Iterator<Item = String> {
    what.iter().map(move |found| format!("{id}: {found}")).collect::<Vec<_>>().into_iter()
}

fn warrant_step(shown: &WarrantShown) -> Vec<String> {
    let reasons = match &shown.readiness {
        Readiness::NotReady(reasons) => vec![format!("not ready: {}", count(reasons.len(), "reason", "reasons"))],
        _ => vec![],
    };
    about(shown.id, &reasons).chain(about(shown.id, &shown.findings)).collect()
}

/// How many contents stand at `undecided`, `second-view`, `disagreement` or `to-moderate`.
pub fn standing(whole: &Overview, word: &str) -> u64 {
    let of = whole.totals.iter().filter(|(name, _)| name.contains(&format!(" {word}")));
    of.map(|(_, n)| u64::try_from(*n).unwrap_or(0)).sum()
}

/// The path of the work, in its order.
fn steps(whole: &Overview) -> Vec<Step> {
    let mut risk = whole.risk_findings.clone();
    if whole.risk.danger().is_none() {
        risk.insert(0, "nobody has stated whether a child may be in danger now".to_owned());
    }
    let ready = whole.ip_events.iter().filter(|event| event.not_ready.is_empty()).count();
    let resolved = |event: &avocet_record::desk::IpEventShown| match event.not_ready.len() {
        0 => None,
        n => Some(format!(
            "{}: {} before a warrant may rest on it",
            event.id,
            count(n, "thing is missing", "things are missing")
        )),
    };
    let safeguarding: Vec<String> =
        whole.safeguarding.iter().flat_map(|line| about(line.id, &line.findings).collect::<Vec<_>>()).collect();
    let held: Vec<_> = whole.exhibits.iter().filter(|exhibit| exhibit.state.fate() == Fate::Held).collect();
    let exhibits = whole.exhibits.iter().flat_map(|exhibit| {
        let found: Vec<String> = exhibit.findings.iter().map(ToString::to_string).collect();
        about(exhibit.id, &found).collect::<Vec<_>>()
    });
    let without: Vec<_> = held
        .iter()
        .filter(|exhibit| !whole.examinations.iter().any(|examination| examination.exhibit == exhibit.id))
        .map(|exhibit| exhibit.id.to_string())
        .collect();
    let mut examinations = match without.len() {
        0 => vec![],
        n => vec![format!(
            "{} no examination attached: {}",
            count(n, "exhibit has", "exhibits have"),
            without.join(", ")
        )],
    };
    examinations.extend(whole.examinations.iter().filter(|of| of.awaits_the_whole()).map(|of| {
        format!("{} of {} is interim: its examination had not ended. Attach the whole result", of.id, of.exhibit)
    }));
    let mut grading = vec![];
    if whole.policy.is_none() && !whole.examinations.is_empty() {
        grading.push("no grading policy is set".to_owned());
    }
    for (word, what) in [
        ("undecided", "not graded yet"),
        ("second-view", "waiting for a second view"),
        ("disagreement", "graded differently by two people"),
        ("to-moderate", "to be moderated"),
    ] {
        let n = standing(whole, word);
        if n > 0 {
            grading.push(format!("{} {what}", avocet_base::plural(n, "content is", "contents are")));
        }
    }
    let people = about_people(whole);
    let outcomes = whole.outcomes.iter().flat_map(|outcome| about(outcome.id, &outcome.findings).collect::<Vec<_>>());
    let orders: Vec<String> = whole
        .orders
        .iter()
        .flat_map(|order| {
            let late = order.due.iter().filter(|due| due.late).map(|due| format!("late: {}", due.what));
            about(order.id, &late.chain(order.findings.iter().cloned()).collect::<Vec<_>>()).collect::<Vec<_>>()
        })
        .collect();
    let mut steps = vec![
        Step::new("Risk", "/risk", true, "Stated".to_owned(), risk),
        Step::new(
            "Safeguarding",
            "/safeguarding",
            !whole.safeguarding.is_empty() || whole.safeguarding_withheld > 0,
            count(whole.safeguarding.len(), "line, nothing open", "lines, nothing open"),
            safeguarding,
        ),
        Step::new(
            "IP events",
            "/addresses",
            !whole.ip_events.is_empty(),
            format!("{ready} ready"),
            whole.ip_events.iter().filter_map(resolved).collect(),
        ),
        Step::new(
            "Warrants",
            "/warrants",
            !whole.warrants.is_empty(),
            count(whole.warrants.len(), "warrant", "warrants"),
            whole.warrants.iter().flat_map(warrant_step).collect(),
        ),
        Step::new(
            "Exhibits",
            "/exhibits",
            !whole.exhibits.is_empty(),
            format!("{} held, no gap", held.len()),
            exhibits.collect(),
        ),
        Step::new(
            "Examinations",
            "/examinations",
            !whole.examinations.is_empty(),
            format!("{} attached", whole.examinations.len()),
            examinations,
        ),
        Step::new("Grading", "/examinations", whole.policy.is_some(), "Nothing waits".to_owned(), grading),
        Step::new(
            "People, arrests and interviews",
            "/people",
            !whole.suspects.is_empty() || whole.children > 0,
            "Nothing open".to_owned(),
            people,
        ),
        Step::new(
            "Outcome",
            "/outcome",
            !whole.outcomes.is_empty(),
            count(whole.outcomes.len(), "outcome", "outcomes"),
            outcomes.collect(),
        ),
    ];
    if !whole.orders.is_empty() {
        steps.push(Step::new("Orders", "/orders", true, count(whole.orders.len(), "order", "orders"), orders));
    }
    steps
}

fn about_people(whole: &Overview) -> Vec<String> {
    let people = whole.people_findings.iter().map(|(id, found)| format!("{id}: {found}"));
    let custody = whole.custody.iter().flat_map(|custody| about(custody.id, &custody.findings).collect::<Vec<_>>());
    people.chain(custody).collect()
}

/// Things of a list that are shown before it says how many more there are.
const SHOWN: usize = 4;

fn task(base: &str, team: &Team, step: &Step) -> Markup {
    let to = format!("{base}{}", step.to);
    html! {
        li {
            div.task-what {
                h3 { a href=(to) { (step.title) } }
                @if !step.missing.is_empty() {
                    ul {
                        @for missing in step.missing.iter().take(SHOWN) { li { (upper(&team.told(missing))) } }
                        @if step.missing.len() > SHOWN {
                            li { a href=(to) { "and " (step.missing.len().saturating_sub(SHOWN)) " more" } }
                        }
                    }
                }
            }
            div.task-do { (tag(step.status.0, &step.status.1)) }
        }
    }
}

async fn summary(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let id = ctx.investigation()?;
    let whole = desk.overview(id).await?;
    let team = Team::of(desk).await?;
    let clocks = desk.clocks(id).await?;
    let now = desk.now();
    let base = format!("/investigations/{id}");
    let members: Vec<String> = whole.members.iter().map(|user| team.name(*user)).collect();
    let running: Vec<_> = clocks.iter().filter(|clock| clock.done.is_none()).collect();
    let steps = steps(&whole);
    let body = html! {
        div.actions {
            @if desk.holds(Right::RecordSafeguarding) {
                a.button href={ (base) "/risk/danger" } { "Say whether a child is in danger" }
                a.button.second href={ (base) "/risk/acted" } { "Record what was done for a child" }
            }
            @if desk.holds(Right::AssignInvestigation) { a href={ (base) "/members" } { "Who works on it" } }
        }
        @if !running.is_empty() {
            h2 { "Clocks" }
            ul {
                @for clock in &running {
                    li class=[clock.is_late(now).then_some("late")] {
                        (upper(&clock.name())) ": " (view::due(clock.due, now)) " (" (uk(clock.due)) ")"
                        @if clock.past_the_table { span.quiet { " – counted without bank holidays that are not in the table yet" } }
                    }
                }
            }
        }
        h2 { "What is missing before the next step" }
        ol.tasks { @for step in &steps { (task(&base, &team, step)) } }
        h2 { "About it" }
        (rows(&[
            ("Led by", html! { (team.name(whole.owner)) }),
            ("Works on it", html! { (members.join(", ")) }),
            ("Received", html! { (uk(whole.received)) }),
            ("Opened", html! { (uk(whole.opened)) }),
            ("Referrals", html! {
                @for referral in &whole.referrals { a href={ "/referrals/" (referral) } { (referral) } " " }
                @if whole.referrals.is_empty() { "none" }
            }),
            ("Records of children", html! { (whole.children) }),
            ("Suspects", html! { (whole.suspects.len()) }),
            ("Last entry", html! { (whole.last) }),
        ]))
    };
    let head = head(&whole);
    Ok(Answer::Html(view::investigation_page(ctx, desk, &head, "Summary", &body)))
}

fn head(whole: &Overview) -> Head {
    Head {
        id: whole.id,
        title: whole.title.clone(),
        owner: whole.owner,
        received: whole.received,
        level: whole.risk.level().map(|change| change.level.clone()),
        danger: whole.risk.danger().map(|stated| stated.danger),
        closed: whole.closed,
    }
}
