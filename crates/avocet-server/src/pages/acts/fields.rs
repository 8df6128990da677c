//! What a form asks.

use avocet_record::desk::Desk;
use avocet_record::law::Law;
use maud::{Markup, html};

use crate::fault::Fault;
use crate::pages::who::Team;
use crate::route::Ctx;
use crate::view::{Fields, options};

/// Where the choices of a field come from.
#[derive(Clone, Copy)]
pub enum From {
    /// These.
    Words(&'static [(&'static str, &'static str)]),
    /// Rows of a table.
    Law(fn(&Law) -> Vec<(String, String)>),
    /// People of the team.
    Users,
    /// IP events of the investigation.
    IpEvents,
    /// Its warrants.
    Warrants,
    /// Its exhibits.
    Exhibits,
    /// Its people that may be seen.
    People,
    /// Its children that may be seen.
    Children,
    /// Its arrests and interviews.
    Custody,
    /// The charges of the outcome in the address.
    Charges,
    /// The lines that stand of the order in the address.
    OrderLines,
}

impl std::fmt::Debug for From {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("From")
    }
}

impl PartialEq for From {
    fn eq(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

/// What kind of answer a field takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// A line of text that is no personal content.
    Text,
    /// A line of text that is sealed.
    Personal,
    /// Several lines of text that are sealed.
    PersonalArea,
    /// Several texts, one a line, each sealed.
    PersonalLines,
    /// Several texts, one a line.
    Lines,
    /// When it was; begins with now.
    Time,
    /// Another time.
    OtherTime,
    /// A whole number.
    Number,
    /// Several whole numbers, one a line.
    Numbers,
    /// Yes or no.
    YesNo,
    /// One of several.
    Pick(From),
    /// One of a few.
    Choose(From),
    /// Any of several.
    Several(From),
    /// Something that a person confirms; what is not confirmed is false.
    Confirm,
    /// A file of which only the SHA-256 is recorded.
    Digest,
    /// What was found of each of several, asked as `NAME-VALUE`.
    Each(From, &'static [(&'static str, &'static str)]),
}

/// One question.
#[derive(Debug)]
pub struct Field {
    /// The fact's field, or the form's where it is loose.
    pub name: &'static str,
    /// What is asked.
    pub label: &'static str,
    /// How to answer.
    pub hint: &'static str,
    /// What kind of answer.
    pub kind: Kind,
    /// Whether there must be one.
    pub need: bool,
    /// Whether it goes into the fact another way than under its name.
    pub loose: bool,
}

impl Field {
    /// A question that must be answered.
    pub const fn new(name: &'static str, label: &'static str, kind: Kind) -> Self {
        Self { name, label, hint: "", kind, need: true, loose: false }
    }

    /// When it was.
    pub const fn when() -> Self {
        Self::new("when", "When it was", Kind::Time)
    }

    /// How to answer it.
    pub const fn hint(mut self, hint: &'static str) -> Self {
        self.hint = hint;
        self
    }

    /// It can be left out.
    pub const fn optional(mut self) -> Self {
        self.need = false;
        self
    }

    /// It goes into the fact another way.
    pub const fn loose(mut self) -> Self {
        self.loose = true;
        self
    }

    /// The question on the page.
    pub async fn ask(&self, ctx: &Ctx, desk: &Desk<'_>, fields: &Fields<'_>) -> Result<Markup, Fault> {
        let label = if self.need || self.kind == Kind::Confirm {
            self.label.to_owned()
        } else {
            format!("{} (if known)", self.label)
        };
        Ok(match self.kind {
            Kind::Text | Kind::Personal | Kind::Number => fields.text(self.name, &label, self.hint),
            Kind::PersonalArea | Kind::PersonalLines | Kind::Lines | Kind::Numbers => {
                fields.area(self.name, &label, self.hint)
            }
            Kind::Time | Kind::OtherTime => fields.time(self.name, &label, self.hint),
            Kind::YesNo => fields.radios(self.name, &label, self.hint, &options(&[("true", "Yes"), ("false", "No")])),
            Kind::Pick(from) => fields.select(self.name, &label, self.hint, &choices(from, ctx, desk).await?),
            Kind::Choose(from) => fields.radios(self.name, &label, self.hint, &choices(from, ctx, desk).await?),
            Kind::Several(from) => {
                let choices = choices(from, ctx, desk).await?;
                match choices.is_empty() {
                    true => html! { p { (self.label) ": there is none to choose." } },
                    false => fields.checks(self.name, &label, self.hint, &choices),
                }
            }
            Kind::Confirm => html! {
                div.field { div.choice {
                    input id=(self.name) type="checkbox" name=(self.name) value="true" checked[fields.form.text(self.name).is_some()];
                    label for=(self.name) { (self.label) }
                } }
            },
            Kind::Digest => fields.file(self.name, &label, self.hint),
            Kind::Each(of, answers) => {
                let (of, answers) = (choices(of, ctx, desk).await?, options(answers));
                html! {
                    @if !of.is_empty() { h2 { (self.label) } p.hint { (self.hint) } }
                    @for (value, words) in &of { (fields.select(&format!("{}-{value}", self.name), words, "", &answers)) }
                }
            }
        })
    }
}

/// The lines that stand of the order in the address, each with its number and what it is called.
pub async fn standing_lines(ctx: &Ctx, desk: &Desk<'_>) -> Result<Vec<(String, String)>, Fault> {
    let (_, shown) = desk.order(ctx.id("thing")?).await?;
    let lines = shown.state.lines().into_iter().map(|line| line.line);
    let named = lines.map(|line| {
        let row = line.row.as_deref().map(|id| (id, desk.law().order_lines.row(id)));
        let words = match row {
            Some((id, row)) => row.map_or(id, |row| row.value.title.as_str()),
            None => shown.words.get(&line.line).map_or("in the order’s own words", String::as_str),
        };
        (line.line.to_string(), format!("Line {}: {words}", line.line))
    });
    Ok(named.collect())
}

async fn choices(from: From, ctx: &Ctx, desk: &Desk<'_>) -> Result<Vec<(String, String)>, Fault> {
    let investigation = ctx.investigation()?;
    Ok(match from {
        From::Words(pairs) => options(pairs),
        From::Law(rows) => rows(desk.law()),
        From::Users => Team::of(desk).await?.choices(),
        From::IpEvents => {
            let events = desk.ip_events(investigation).await?;
            let ready = |ready: bool| if ready { "ready" } else { "not ready" };
            events
                .iter()
                .map(|event| (event.id.to_string(), format!("{}, {}", event.id, ready(event.not_ready.is_empty()))))
                .collect()
        }
        From::Warrants => {
            let warrants = desk.warrants(investigation).await?;
            warrants
                .iter()
                .map(|shown| (shown.id.to_string(), format!("{}, {}", shown.id, shown.state.status())))
                .collect()
        }
        From::Exhibits => {
            let exhibits = desk.exhibits(investigation).await?;
            exhibits
                .iter()
                .map(|exhibit| (exhibit.id.to_string(), super::super::sections::exhibit_name(exhibit)))
                .collect()
        }
        From::People | From::Children => {
            let people = desk.people(investigation).await?.shown;
            let wanted = people.iter().filter(|shown| from == From::People || shown.child);
            wanted
                .map(|shown| {
                    let roles: Vec<String> = shown.file.person.roles().iter().map(ToString::to_string).collect();
                    (shown.id.to_string(), format!("{}, {}", shown.id, roles.join(", ")))
                })
                .collect()
        }
        From::Custody => {
            let custody = desk.custody(investigation).await?;
            custody
                .iter()
                .map(|shown| (shown.id.to_string(), format!("{}, {}", shown.id, shown.state.status())))
                .collect()
        }
        From::OrderLines => standing_lines(ctx, desk).await?,
        From::Charges => {
            let outcomes = desk.outcomes(investigation).await?;
            let of = outcomes.iter().find(|outcome| Some(outcome.id.to_string().as_str()) == ctx.raw("thing"));
            let charges = of.map(|outcome| outcome.state.charges()).unwrap_or_default();
            charges
                .iter()
                .map(|charge| (charge.number.to_string(), format!("Charge {}, {}", charge.number, charge.offence)))
                .collect()
        }
    })
}
