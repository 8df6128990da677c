//! The fields of forms: label, hint, what is wrong, and what was entered.

use maud::{Markup, html};

use crate::form::{Form, Wrong};

/// A form that is being filled in.
#[derive(Clone, Copy)]
pub struct Fields<'a> {
    /// What was entered, or what it begins with.
    pub form: &'a Form,
    /// What is wrong with it.
    pub wrong: &'a Wrong,
}

/// Choices from pairs of value and words.
pub fn options(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(value, words)| ((*value).to_owned(), (*words).to_owned())).collect()
}

impl Fields<'_> {
    fn value(&self, name: &str) -> &str {
        self.form.text(name).unwrap_or_default()
    }

    fn around(&self, name: &str, label: &str, hint: &str, field: &Markup) -> Markup {
        let wrong = self.wrong.of(name);
        html! {
            div class=(if wrong.is_some() { "field wrong" } else { "field" }) {
                label for=(name) { (label) }
                @if !hint.is_empty() { p.hint id={ (name) "-hint" } { (hint) } }
                @if let Some(why) = wrong { p.error id={ (name) "-error" } { span.unseen { "Error: " } (why) } }
                (field)
            }
        }
    }

    fn described(&self, name: &str, hint: &str) -> Option<String> {
        let hint = (!hint.is_empty()).then(|| format!("{name}-hint"));
        let wrong = self.wrong.of(name).map(|_| format!("{name}-error"));
        let both: Vec<String> = hint.into_iter().chain(wrong).collect();
        (!both.is_empty()).then(|| both.join(" "))
    }

    fn input(&self, kind: &str, name: &str, label: &str, hint: &str) -> Markup {
        let field = html! {
            input #(name) name=(name) type=(kind) value=(self.value(name)) autocomplete="off"
                aria-describedby=[self.described(name, hint)];
        };
        self.around(name, label, hint, &field)
    }

    /// One line.
    pub fn text(&self, name: &str, label: &str, hint: &str) -> Markup {
        self.input("text", name, label, hint)
    }

    /// A date and a time of the clocks here.
    pub fn time(&self, name: &str, label: &str, hint: &str) -> Markup {
        // A value with an offset does not fit the browser's own field.
        let kind = if self.value(name).contains(['+', 'Z', '[']) { "text" } else { "datetime-local" };
        self.input(kind, name, label, hint)
    }

    /// A date.
    pub fn date(&self, name: &str, label: &str, hint: &str) -> Markup {
        self.input("date", name, label, hint)
    }

    /// Several lines.
    pub fn area(&self, name: &str, label: &str, hint: &str) -> Markup {
        let field = html! {
            textarea #(name) name=(name) rows="4" aria-describedby=[self.described(name, hint)] { (self.value(name)) }
        };
        self.around(name, label, hint, &field)
    }

    /// A secret, never filled in again.
    pub fn password(&self, name: &str, label: &str, hint: &str, autocomplete: &str) -> Markup {
        let field = html! {
            input #(name) name=(name) type="password" autocomplete=(autocomplete)
                aria-describedby=[self.described(name, hint)];
        };
        self.around(name, label, hint, &field)
    }

    /// A file.
    pub fn file(&self, name: &str, label: &str, hint: &str) -> Markup {
        let field = html! { input #(name) name=(name) type="file" aria-describedby=[self.described(name, hint)]; };
        self.around(name, label, hint, &field)
    }

    /// One of several, in a list that opens.
    pub fn select(&self, name: &str, label: &str, hint: &str, options: &[(String, String)]) -> Markup {
        let chosen = self.value(name);
        let field = html! {
            select #(name) name=(name) aria-describedby=[self.described(name, hint)] {
                option value="" { "Choose" }
                @for (value, words) in options {
                    option value=(value) selected[value == chosen] { (words) }
                }
            }
        };
        self.around(name, label, hint, &field)
    }

    /// One of several, all of them seen.
    pub fn radios(&self, name: &str, label: &str, hint: &str, options: &[(String, String)]) -> Markup {
        let chosen = self.value(name);
        self.group("radio", name, label, hint, options, &|value| value == chosen)
    }

    /// Any of several.
    pub fn checks(&self, name: &str, label: &str, hint: &str, options: &[(String, String)]) -> Markup {
        let chosen = self.form.texts(name);
        self.group("checkbox", name, label, hint, options, &|value| chosen.contains(&value))
    }

    fn group(
        &self,
        kind: &str,
        name: &str,
        label: &str,
        hint: &str,
        options: &[(String, String)],
        is_chosen: &dyn Fn(&str) -> bool,
    ) -> Markup {
        let wrong = self.wrong.of(name);
        html! {
            fieldset class=(if wrong.is_some() { "field wrong" } else { "field" })
                aria-describedby=[self.described(name, hint)] {
                legend { (label) }
                @if !hint.is_empty() { p.hint id={ (name) "-hint" } { (hint) } }
                @if let Some(why) = wrong { p.error id={ (name) "-error" } { span.unseen { "Error: " } (why) } }
                @for (n, (value, words)) in options.iter().enumerate() {
                    @let id = if n == 0 { name.to_owned() } else { format!("{name}-{n}") };
                    div.choice {
                        input #(id) type=(kind) name=(name) value=(value) checked[is_chosen(value)];
                        label for=(id) { (words) }
                    }
                }
            }
        }
    }
}
