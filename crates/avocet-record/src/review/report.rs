//! Reports of a grading. Each is rendered from an extract and from nothing else; the command line and the pages give the
//! same ones.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use askama::Template;
use avocet_base::{Sha256, plural};
use serde_json::json;

use super::{Graded, GradedBy, GradedCount, GradingExtract};
use crate::at::{At, Day};
use crate::digest;

/// The category of what somebody looked at and found to be none of those of the scheme.
pub const NONE_OF_THESE: &str = "none";

/// What every schedule says below its lines.
pub const SCHEDULE_NOTE: &str = "A content on several devices is counted for each. Whether the user could get at the files is for a person to state.";

fn day(ns: Option<i64>) -> String {
    ns.map_or_else(|| "not known".to_owned(), |ns| Day::of(At::from_ns(ns)).to_string())
}

fn medium(moving: bool) -> &'static str {
    if moving { "moving" } else { "still" }
}

impl GradedCount {
    /// `still` or `moving`.
    #[must_use]
    pub fn medium(&self) -> &'static str {
        medium(self.moving)
    }

    /// From which day to which.
    #[must_use]
    pub fn dates(&self) -> String {
        match self.first {
            None => "dates not known".to_owned(),
            Some(_) => format!("{} to {}", day(self.first), day(self.last)),
        }
    }
}

/// A file for another program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// What is in it.
    pub text: String,
    /// How many contents are in it.
    pub written: usize,
    /// How many are not, because no person viewed them.
    pub left_out: usize,
}

/// An extract with its digest, to be rendered.
#[derive(Debug, Clone)]
pub struct GradingReport {
    /// What was graded.
    pub extract: GradingExtract,
    /// SHA-256 of the extract's bytes.
    pub digest: Sha256,
    /// Codes that are held apart from a schedule, in small letters: [`NONE_OF_THESE`], and those that the caller names.
    apart: BTreeSet<String>,
}

#[derive(Template)]
#[template(path = "graded.html")]
struct Body<'a> {
    scheme: &'a str,
    policy: String,
    lines: Vec<&'a GradedCount>,
    without: String,
    otherwise: u64,
    apart: Option<String>,
    interim: Option<String>,
    digest: Sha256,
}

#[derive(Template)]
#[template(path = "graded-page.html")]
struct Whole<'a> {
    id: &'a str,
    body: Body<'a>,
}

impl GradingReport {
    /// Reads an extract's bytes and checks that its counts are those of its contents.
    ///
    /// # Errors
    /// What is wrong with it, a clause.
    pub fn read(text: &str) -> Result<Self, String> {
        let apart = [NONE_OF_THESE.to_owned()].into();
        Ok(Self { extract: GradingExtract::read(text)?, digest: digest(text.as_bytes()), apart })
    }

    /// Holds more codes apart from a schedule and from the page: those of which the extract's scheme says that they do not
    /// alert. They are counted beside it, and whether one belongs into a charge stays for a person to state.
    #[must_use]
    pub fn holding_apart<'c>(mut self, codes: impl IntoIterator<Item = &'c str>) -> Self {
        self.apart.extend(codes.into_iter().map(str::to_lowercase));
        self
    }

    fn is_apart(&self, line: &GradedCount) -> bool {
        self.apart.contains(&line.category.to_lowercase())
    }

    /// The counts of a schedule, apart for each device.
    pub fn scheduled(&self) -> impl Iterator<Item = &GradedCount> {
        self.extract.by_device.iter().filter(|line| !self.is_apart(line))
    }

    /// How many contents of which categories are held apart from it, all devices together.
    #[must_use]
    pub fn held_apart(&self) -> BTreeMap<String, u64> {
        let mut all: BTreeMap<String, u64> = BTreeMap::new();
        for line in self.extract.totals.iter().filter(|line| self.is_apart(line)) {
            let n = all.entry(line.category.clone()).or_default();
            *n = n.saturating_add(line.count);
        }
        all
    }

    /// The same as one sentence, where there is something.
    #[must_use]
    pub fn apart_words(&self) -> Option<String> {
        let named = |category: &String| match category.eq_ignore_ascii_case(NONE_OF_THESE) {
            true => "graded as none of these".to_owned(),
            false => format!("in category {category}, on which the scheme does not alert"),
        };
        let all: Vec<String> =
            self.held_apart().iter().map(|(category, n)| format!("{n} {}", named(category))).collect();
        let text = all.join("; ");
        (!all.is_empty()).then(|| {
            format!("Not counted above: {text}. Whether one of them belongs into a charge is for a person to state.")
        })
    }

    /// What was to be graded, in words.
    #[must_use]
    pub fn policy(&self) -> String {
        match self.extract.policy.as_str() {
            "every_image" => "every picture and video".to_owned(),
            "unknown" => "what no set knows".to_owned(),
            "streamlined" => "a part, by criteria that were agreed".to_owned(),
            other => other.replace('_', " "),
        }
    }

    /// That examinations had not ended, as one sentence, where some had not.
    #[must_use]
    pub fn interim_words(&self) -> Option<String> {
        let names: Vec<String> = self.extract.interim.iter().map(ToString::to_string).collect();
        let which = match names.as_slice() {
            [] => return None,
            [one] => format!("{one} is an interim result: its examination had not ended"),
            [before @ .., last] => {
                format!("{} and {last} are interim results: their examinations had not ended", before.join(", "))
            }
        };
        Some(format!("{which}, and what was not read yet is in no number here."))
    }

    fn body(&self) -> Body<'_> {
        let extract = &self.extract;
        Body {
            scheme: &extract.scheme,
            policy: self.policy(),
            lines: extract.totals.iter().filter(|line| !self.is_apart(line)).collect(),
            without: plural(extract.without.values().sum(), "further content has", "further contents have"),
            otherwise: extract.said_otherwise,
            apart: self.apart_words(),
            interim: self.interim_words(),
            digest: self.digest,
        }
    }

    /// The counts of a charge's schedule, still and moving apart, as text.
    #[must_use]
    pub fn schedule(&self) -> String {
        let extract = &self.extract;
        let mut text = format!(
            "{}: indecent photographs or pseudo-photographs, by category ({}), still and moving apart\n",
            extract.investigation, extract.scheme
        );
        if let Some(interim) = self.interim_words() {
            let _ = writeln!(text, "{interim}");
        }
        for line in self.scheduled() {
            let exhibit = line.exhibit.map_or_else(String::new, |exhibit| exhibit.to_string());
            let _ = writeln!(
                text,
                "{:>8}  category {}  {}  {exhibit}  {}  {}  {}",
                line.count,
                line.category,
                line.medium(),
                line.state.as_deref().unwrap_or_default(),
                line.by.words(),
                line.dates()
            );
        }
        if let Some(apart) = self.apart_words() {
            let _ = writeln!(text, "{apart}");
        }
        let _ = writeln!(text, "{SCHEDULE_NOTE}\nExtract: SHA-256 {}", self.digest);
        text
    }

    /// One page in the manner of a streamlined forensic report, without its heading: parts of HTML, everything escaped.
    ///
    /// # Errors
    /// None in practice.
    pub fn summary(&self) -> Result<String, askama::Error> {
        self.body().render()
    }

    /// The same as an HTML file with its style inside, which fetches nothing.
    ///
    /// # Errors
    /// None in practice.
    pub fn summary_file(&self) -> Result<String, askama::Error> {
        Whole { id: &self.extract.investigation, body: self.body() }.render()
    }

    /// The contents that are given out, and how many are not because no person viewed them.
    fn given(&self, unviewed: bool) -> (Vec<&Graded>, usize) {
        let all = &self.extract.contents;
        let kept: Vec<&Graded> = all.iter().filter(|content| unviewed || content.by != GradedBy::ExactMatch).collect();
        let left_out = all.len().saturating_sub(kept.len());
        (kept, left_out)
    }

    /// A VICS 2.0 file with the basis of each grade; what no person viewed is in it only with `unviewed`.
    #[must_use]
    pub fn vics(&self, unviewed: bool) -> Exported {
        let (kept, left_out) = self.given(unviewed);
        let region = if self.extract.scheme.starts_with("uk") { "UK" } else { "Default" };
        let mut records = vec![];
        for (number, content) in (1u64..).zip(&kept) {
            let category = content.category.parse::<u32>().map_or_else(|_| json!(content.category), |n| json!(n));
            let mut record = json!({
                "MediaID": number,
                "Category": category,
                "MediaSize": content.bytes,
                "AlternativeHashes": [{"HashName": "SHA256", "HashValue": content.sha256.to_string()}],
                "avocet:scheme": self.extract.scheme,
                "avocet:basis": content.by.words(),
                "avocet:extract": self.digest,
            });
            if let Some(fields) = record.as_object_mut() {
                if let Some(md5) = content.md5 {
                    fields.insert("MD5".into(), json!(md5.to_string().to_uppercase()));
                }
                if let Some(sha1) = content.sha1 {
                    fields.insert("SHA1".into(), json!(sha1.to_string().to_uppercase()));
                }
            }
            records.push(record);
        }
        let context = format!("http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/{region}/$metadata#Media");
        let text = format!("{}\n", json!({"@odata.context": context, "value": records}));
        Exported { text, written: kept.len(), left_out }
    }

    /// The same as comma-separated values with a head.
    ///
    /// # Errors
    /// None in practice: nothing is written but to memory.
    pub fn csv(&self, unviewed: bool) -> Result<Exported, csv::Error> {
        let (kept, left_out) = self.given(unviewed);
        let mut writer = csv::Writer::from_writer(vec![]);
        writer.write_record([
            "sha256", "sha1", "md5", "bytes", "medium", "category", "basis", "exhibits", "states", "files", "first",
            "last",
        ])?;
        for content in &kept {
            let exhibits: Vec<String> = content.exhibits.iter().map(ToString::to_string).collect();
            writer.write_record([
                content.sha256.to_string(),
                content.sha1.map(|d| d.to_string()).unwrap_or_default(),
                content.md5.map(|d| d.to_string()).unwrap_or_default(),
                content.bytes.to_string(),
                medium(content.moving).to_owned(),
                content.category.clone(),
                content.by.words().to_owned(),
                exhibits.join(" "),
                content.states.join(" "),
                content.files.to_string(),
                content.first.map(|_| day(content.first)).unwrap_or_default(),
                content.last.map(|_| day(content.last)).unwrap_or_default(),
            ])?;
        }
        let bytes = writer.into_inner().map_err(csv::IntoInnerError::into_error)?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Ok(Exported { text, written: kept.len(), left_out })
    }
}
