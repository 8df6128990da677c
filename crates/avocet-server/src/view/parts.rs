//! The parts that pages are made of.

use avocet_record::law::Law;
use avocet_record::risk::Danger;
use maud::{Markup, html};

use crate::fault::upper;
use crate::form::Wrong;

/// A word with a background. The word says everything; the colour adds nothing. `kind` is `plain`, `good`, `wait`,
/// `late` or `danger`.
pub fn tag(kind: &str, text: &str) -> Markup {
    html! { span class={ "tag tag-" (kind) } { (text) } }
}

/// The level that stands.
pub fn level_tag(law: &Law, level: Option<&str>) -> Markup {
    match level {
        None => tag("wait", "Not assessed"),
        Some(level) => {
            let title = law.risk_levels.row(level).map_or(level, |row| row.value.title.as_str());
            tag("plain", &format!("Level: {title}"))
        }
    }
}

/// What was stated about danger.
pub fn danger_tag(danger: Option<Danger>) -> Markup {
    match danger {
        Some(Danger::Yes) => tag("danger", "A child may be in danger now"),
        Some(Danger::Unknown) => tag("wait", "Danger now: not known"),
        Some(Danger::No) => tag("plain", "No child thought to be in danger now"),
        None => tag("wait", "Danger now: nobody has said"),
    }
}

/// Names and values, one row each.
pub fn rows(rows: &[(&str, Markup)]) -> Markup {
    html! {
        dl.rows {
            @for (name, value) in rows {
                div { dt { (name) } dd { (value) } }
            }
        }
    }
}

/// A table that scrolls on a small screen instead of the page.
pub fn table(caption: &str, heads: &[&str], lines: &[Vec<Markup>]) -> Markup {
    html! {
        div.scroll role="region" aria-label=(caption) tabindex="0" {
            table {
                caption { (caption) }
                thead { tr { @for head in heads { th scope="col" { (head) } } } }
                tbody {
                    @for line in lines {
                        tr { @for cell in line { td { (cell) } } }
                    }
                }
            }
        }
    }
}

/// A link that looks like what to do next.
pub fn action(to: &str, text: &str) -> Markup {
    html! { a.button.second href=(to) { (text) } }
}

/// Something that must not be missed.
pub fn warning(text: &Markup) -> Markup {
    html! { div.warning { strong.mark aria-hidden="true" { "!" } div { span.unseen { "Warning: " } (text) } } }
}

/// Something to know.
pub fn inset(text: &Markup) -> Markup {
    html! { div.inset { (text) } }
}

/// What belongs here and how it gets here.
pub fn empty(text: &Markup) -> Markup {
    html! { div.empty { (text) } }
}

/// What is wrong with a form, each with a link to its field.
pub fn error_summary(wrong: &Wrong) -> Markup {
    html! {
        @if !wrong.is_none() {
            div.error-summary role="alert" tabindex="-1" {
                h2 { "There is a problem" }
                ul {
                    @for (field, why) in &wrong.0 {
                        li {
                            @if field.is_empty() { (why) } @else { a href={ "#" (field) } { (why) } }
                        }
                    }
                }
            }
        }
    }
}

/// `1 warrant`, `2 warrants`.
pub fn count(n: usize, one: &str, many: &str) -> String {
    avocet_base::plural(u64::try_from(n).unwrap_or(u64::MAX), one, many)
}

/// Short forms that stored names write in small letters.
const SHORT: [&str; 7] = ["CJA", "CyberTip", "IP", "NCMEC", "PCA", "SIM", "USB"];

/// A name as stored contents write it, as words: `police_protection` is `Police protection`.
pub fn words(name: &str) -> String {
    let spaced = name.replace(['_', '-'], " ");
    let each = spaced.split(' ').map(|word| {
        let short = SHORT.iter().find(|short| short.eq_ignore_ascii_case(word));
        short.copied().unwrap_or(word)
    });
    upper(&each.collect::<Vec<_>>().join(" "))
}
