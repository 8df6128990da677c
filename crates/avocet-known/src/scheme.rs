//! Category schemes: what a code in a set means. A code is never interpreted without the scheme that the user names,
//! because the same number means different things in different regions, versions and kinds of file.

use std::fmt;

use avocet_base::Sha256;
use serde::Deserialize;
use sha2::Digest as _;

/// The schemes that come with Avocet: identifier and text.
const BUILTIN: [(&str, &str); 7] = [
    ("alert", include_str!("../schemes/alert.toml")),
    ("interpol-baseline", include_str!("../schemes/interpol-baseline.toml")),
    ("known-good", include_str!("../schemes/known-good.toml")),
    ("uk-2014", include_str!("../schemes/uk-2014.toml")),
    ("uk-vics", include_str!("../schemes/uk-vics.toml")),
    ("uncategorised", include_str!("../schemes/uncategorised.toml")),
    ("us-vics-2.0", include_str!("../schemes/us-vics-2.0.toml")),
];

/// The name of a scheme: lower-case letters, digits, `-` and `.`, such as `us-vics-2.0`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct SchemeId(String);

impl SchemeId {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SchemeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for SchemeId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
        if !text.is_empty() && text.len() <= 64 && text.chars().all(fits) {
            Ok(Self(text))
        } else {
            Err("a scheme's id is 1 to 64 lower-case letters, digits, - and .".to_owned())
        }
    }
}

/// Whether a row of a scheme stands in the source it names, or is a reading that someone has yet to confirm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Status {
    /// The source says so.
    #[serde(rename = "confirmed")]
    Confirmed,
    /// The most careful reading, not yet confirmed by the publisher or a public document.
    #[serde(rename = "to be confirmed")]
    ToBeConfirmed,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Status::Confirmed => "confirmed",
            Status::ToBeConfirmed => "to be confirmed",
        })
    }
}

/// What a scheme does with a code that it does not list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unlisted {
    /// The set is not loaded: a record whose meaning is unknown is neither shown as harmless nor as an alert.
    #[default]
    Refuse,
    /// The record is treated as one without a category; its code is shown as it stands.
    Keep,
}

/// What a scheme says about one code, or about records that state none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Category {
    /// The code as the sets write it; empty for the row about records without one. Compared without regard to case.
    pub code: String,
    /// A short neutral name.
    pub meaning: String,
    /// Whether a match is an alert.
    pub alerts: bool,
    /// Whether a file may be left out of review when it matches on SHA-1 with size, or on SHA-256.
    pub may_hide: bool,
    /// Confirmed by the source, or not yet.
    pub status: Status,
    /// Where this row comes from.
    pub source: String,
    /// Whose law or practice it states.
    pub jurisdiction: String,
    /// Day on which the source was read, `YYYY-MM-DD`.
    pub date_checked: String,
}

/// A versioned table of what a set's category codes mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scheme {
    /// Name by which the user chooses it.
    pub id: SchemeId,
    /// Version of the table.
    pub version: String,
    /// One line for lists.
    pub title: String,
    /// Whose law or practice it states.
    pub jurisdiction: String,
    /// Where it comes from.
    pub source: String,
    /// Day on which the source was read, `YYYY-MM-DD`.
    pub date_checked: String,
    /// Regions in a VICS file's context (`US`, `UK`, `Default`) that this scheme fits; empty where it fits any.
    pub vics_regions: Vec<String>,
    /// What happens with a code that is not listed.
    pub unlisted: Unlisted,
    /// What the user should do about a code that is not listed; a clause.
    pub advice: String,
    /// The codes, in the order of the table.
    pub categories: Vec<Category>,
    /// What a record without a category means.
    pub default: Category,
    /// SHA-256 of the table's text, so that a result can name exactly which table was used.
    pub digest: Sha256,
}

/// Why a text is not a scheme.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SchemeError(pub(crate) String);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SchemeText {
    id: SchemeId,
    version: String,
    title: String,
    jurisdiction: String,
    source: String,
    date_checked: String,
    #[serde(default)]
    vics_regions: Vec<String>,
    #[serde(default)]
    unlisted: Unlisted,
    #[serde(default)]
    advice: String,
    default: CategoryText,
    #[serde(default)]
    categories: Vec<CategoryText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CategoryText {
    code: Option<String>,
    meaning: String,
    alerts: bool,
    may_hide: bool,
    status: Status,
    source: Option<String>,
    jurisdiction: Option<String>,
    date_checked: Option<String>,
}

impl Scheme {
    /// The schemes that come with Avocet, ordered by name.
    pub fn builtin() -> Vec<Scheme> {
        BUILTIN.iter().filter_map(|(_, text)| Scheme::parse(text).ok()).collect()
    }

    /// The names of the schemes that come with Avocet, in order.
    pub fn builtin_ids() -> impl Iterator<Item = &'static str> {
        BUILTIN.iter().map(|(id, _)| *id)
    }

    /// One scheme that comes with Avocet.
    pub fn find_builtin(id: &str) -> Option<Scheme> {
        let (_, text) = BUILTIN.iter().find(|(known, _)| *known == id)?;
        Scheme::parse(text).ok()
    }

    /// The scheme that is built in under `NAME@VERSION`, in that very version.
    pub fn named(reference: &str) -> Option<Scheme> {
        let (id, version) = reference.split_once('@')?;
        Scheme::find_builtin(id).filter(|scheme| scheme.version == version)
    }

    /// The codes on which it does not alert.
    pub fn silent(&self) -> impl Iterator<Item = &str> {
        self.categories.iter().filter(|category| !category.alerts).map(|category| category.code.as_str())
    }

    /// Reads a scheme's TOML text.
    ///
    /// # Errors
    /// A sentence that names the line or the row which is wrong.
    pub fn parse(text: &str) -> Result<Scheme, SchemeError> {
        let digest = Sha256(sha2::Sha256::digest(text.as_bytes()).into());
        let raw: SchemeText = toml::from_str(text).map_err(|e| SchemeError(e.to_string().trim_end().to_owned()))?;
        let row = |c: CategoryText, code: String| -> Result<Category, SchemeError> {
            let category = Category {
                source: c.source.unwrap_or_else(|| raw.source.clone()),
                jurisdiction: c.jurisdiction.unwrap_or_else(|| raw.jurisdiction.clone()),
                date_checked: c.date_checked.unwrap_or_else(|| raw.date_checked.clone()),
                code,
                meaning: c.meaning,
                alerts: c.alerts,
                may_hide: c.may_hide,
                status: c.status,
            };
            let named = if category.code.is_empty() { "default" } else { &category.code };
            if category.alerts && category.may_hide {
                return Err(SchemeError(format!("row `{named}` both alerts and may be hidden; it can do only one")));
            }
            if category.meaning.trim().is_empty() {
                return Err(SchemeError(format!("row `{named}` has no meaning")));
            }
            check_date(&category.date_checked)?;
            Ok(category)
        };
        if raw.default.code.is_some() {
            return Err(SchemeError("the row `default` is for records without a code and can have none".to_owned()));
        }
        let default = row(raw.default, String::new())?;
        let mut categories: Vec<Category> = Vec::with_capacity(raw.categories.len());
        for c in raw.categories {
            let code = c.code.clone().unwrap_or_default().trim().to_owned();
            if code.is_empty() {
                return Err(SchemeError("a row of `categories` has no code".to_owned()));
            }
            if categories.iter().any(|k| fold(&k.code) == fold(&code)) {
                return Err(SchemeError(format!("the code `{code}` is listed twice")));
            }
            categories.push(row(c, code)?);
        }
        check_date(&raw.date_checked)?;
        Ok(Scheme {
            id: raw.id,
            version: raw.version,
            title: raw.title,
            jurisdiction: raw.jurisdiction,
            source: raw.source,
            date_checked: raw.date_checked,
            vics_regions: raw.vics_regions,
            unlisted: raw.unlisted,
            advice: raw.advice,
            categories,
            default,
            digest,
        })
    }

    /// The row for a code; `None` where the scheme does not list it. The case of letters does not matter.
    pub fn category(&self, code: &str) -> Option<&Category> {
        let wanted = fold(code);
        self.categories.iter().find(|c| fold(&c.code) == wanted)
    }

    /// What to do about a code that is not listed.
    pub(crate) fn unlisted_advice(&self) -> &str {
        if self.advice.is_empty() { "add the code to the scheme file, or name another scheme" } else { &self.advice }
    }

    /// The codes as a sentence part, such as `0, 1, 2`.
    pub(crate) fn codes(&self) -> String {
        if self.categories.is_empty() {
            return "none".to_owned();
        }
        self.categories.iter().map(|c| c.code.as_str()).collect::<Vec<_>>().join(", ")
    }
}

/// The form in which codes are compared.
pub(crate) fn fold(code: &str) -> String {
    code.trim().to_lowercase()
}

fn check_date(text: &str) -> Result<(), SchemeError> {
    let shape = text.len() == 10
        && text.bytes().enumerate().all(|(i, b)| if i == 4 || i == 7 { b == b'-' } else { b.is_ascii_digit() });
    if shape { Ok(()) } else { Err(SchemeError(format!("`{text}` is not a date; write it as YYYY-MM-DD"))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_builtin_parses_under_its_own_name_in_order() {
        let all = Scheme::builtin();
        let ids: Vec<_> = all.iter().map(|s| s.id.as_str().to_owned()).collect();
        assert_eq!(ids, Scheme::builtin_ids().collect::<Vec<_>>());
        assert!(ids.is_sorted());
        for scheme in &all {
            assert_eq!(Scheme::find_builtin(scheme.id.as_str()).as_ref(), Some(scheme));
            for row in scheme.categories.iter().chain([&scheme.default]) {
                assert!(!row.source.is_empty() && !row.jurisdiction.is_empty(), "{}: {}", scheme.id, row.code);
                assert_eq!(row.date_checked, "2026-11-23");
            }
        }
    }

    #[test]
    fn only_known_good_lets_anything_be_hidden_and_no_number_means_ignorable() {
        for scheme in Scheme::builtin() {
            let hides: Vec<_> = scheme.categories.iter().chain([&scheme.default]).filter(|c| c.may_hide).collect();
            if scheme.id.as_str() == "known-good" {
                assert_eq!(hides, [&scheme.default]);
            } else {
                assert!(hides.is_empty(), "{}", scheme.id);
            }
        }
        let us = Scheme::find_builtin("us-vics-2.0").unwrap();
        assert_eq!(us.category("0").unwrap().meaning, "Uncategorised");
        let alerting: Vec<_> = us.categories.iter().filter(|c| c.alerts).map(|c| c.code.as_str()).collect();
        assert_eq!(alerting, ["1", "2"]);
    }

    #[test]
    fn the_uk_scheme_has_letters_and_no_numbers() {
        let uk = Scheme::find_builtin("uk-2014").unwrap();
        assert_eq!(uk.codes(), "A, B, C, prohibited");
        assert_eq!(uk.category(" b ").unwrap().code, "B");
        assert_eq!(uk.category("1"), None);
    }

    #[test]
    fn the_numbers_of_uk_sets_are_shown_as_unconfirmed_and_all_alert() {
        let uk = Scheme::find_builtin("uk-vics").unwrap();
        assert_eq!((uk.codes().as_str(), uk.vics_regions.as_slice()), ("0, 1, 2, 3, 4, 5", &["UK".to_owned()][..]));
        for row in uk.categories.iter().chain([&uk.default]) {
            assert_eq!((row.alerts, row.may_hide, row.status), (true, false, Status::ToBeConfirmed), "{}", row.code);
            assert!(row.code.is_empty() || row.meaning.contains("not public"), "{}", row.meaning);
        }
        assert!(uk.title.contains("not public"));
    }

    #[test]
    fn every_list_that_is_asked_for_has_its_scheme() {
        for (id, codes) in [
            ("uk-2014", "A, B, C, prohibited"),
            ("us-vics-2.0", "0, 1, 2, 3, 4, 5"),
            ("interpol-baseline", "Yes, No"),
            ("known-good", "M, S"),
            ("uncategorised", "none"),
        ] {
            assert_eq!(Scheme::find_builtin(id).unwrap().codes(), codes, "{id}");
        }
    }

    #[test]
    fn wrong_tables_say_what_is_wrong() {
        let good = "id='x'\nversion='1'\ntitle='t'\njurisdiction='j'\nsource='s'\ndate_checked='2026-01-02'\n\
                    [default]\nmeaning='m'\nalerts=true\nmay_hide=false\nstatus='confirmed'\n";
        assert!(Scheme::parse(good).is_ok());
        let row = "[[categories]]\ncode='1'\nmeaning='m'\nalerts=false\nmay_hide=false\nstatus='confirmed'\n";
        let fails = [
            (good.replace("id='x'", "id='X y'"), "lower-case letters"),
            (good.replace("may_hide=false", "may_hide=true"), "both alerts and may be hidden"),
            (good.replace("2026-01-02", "2.1.2026"), "YYYY-MM-DD"),
            (good.replace("'confirmed'", "'sure'"), "to be confirmed"),
            (format!("{good}{row}{row}"), "listed twice"),
            (format!("{good}{}", row.replace("code='1'\n", "")), "no code"),
            (format!("{good}colour='red'\n"), "colour"),
            (good.replace("meaning='m'", "meaning=' '"), "no meaning"),
        ];
        for (text, part) in fails {
            let error = Scheme::parse(&text).unwrap_err().to_string();
            assert!(error.contains(part), "{error} lacks {part}");
        }
    }
}
