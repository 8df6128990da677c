//! The section META: what a set says of itself, as JSON.

use avocet_base::Sha256;
use serde::{Deserialize, Serialize};

use super::info::{CategoryCount, HistoryAction, HistoryEntry, SetInfo, SourceInfo};
use crate::intake::{Rule, Tally, word};
use crate::scheme::{Category, Scheme, SchemeId};

/// Everything about a set that is not a record.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Meta {
    pub name: String,
    pub publisher: Option<String>,
    pub importer: String,
    pub scheme: MetaScheme,
    /// Codes that the scheme does not list and keeps, in the order of the sources.
    pub kept_codes: Vec<String>,
    pub sources: Vec<MetaSource>,
    pub counts: MetaCounts,
    pub rejected: Vec<MetaTally>,
    pub deletions_without_record: MetaTally,
    pub warnings: Vec<String>,
    /// Kept statements by category: the scheme's codes, then none, then the kept codes.
    pub categories: Vec<u64>,
    pub history: Vec<MetaHistory>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MetaScheme {
    pub id: String,
    pub version: String,
    pub sha256: Sha256,
    pub title: String,
    pub jurisdiction: String,
    pub source: String,
    pub date_checked: String,
    pub categories: Vec<MetaCategory>,
    pub default: MetaCategory,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MetaCategory {
    pub code: String,
    pub meaning: String,
    pub alerts: bool,
    pub may_hide: bool,
    pub status: String,
    pub source: String,
    pub jurisdiction: String,
    pub date_checked: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MetaSource {
    pub name: String,
    pub sha256: Sha256,
    pub bytes: u64,
    pub format: String,
    pub publisher: Option<String>,
    pub records: u64,
    pub place_label: String,
    pub id_label: String,
    pub stated: Vec<(String, String)>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MetaCounts {
    pub read: u64,
    pub kept: u64,
    pub duplicates: u64,
    pub removed: u64,
    pub deletions: u64,
    pub pdq: u64,
    pub photodna: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MetaTally {
    pub source: u32,
    pub reason: String,
    pub count: u64,
    pub first: Vec<u64>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MetaHistory {
    pub action: String,
    pub from: Option<Sha256>,
    pub scheme: String,
    pub scheme_version: String,
    pub scheme_sha256: Sha256,
    pub note: Option<String>,
}

impl MetaScheme {
    pub fn of(scheme: &Scheme) -> MetaScheme {
        let row = |c: &Category| MetaCategory {
            code: c.code.clone(),
            meaning: c.meaning.clone(),
            alerts: c.alerts,
            may_hide: c.may_hide,
            status: c.status.to_string(),
            source: c.source.clone(),
            jurisdiction: c.jurisdiction.clone(),
            date_checked: c.date_checked.clone(),
        };
        MetaScheme {
            id: scheme.id.as_str().to_owned(),
            version: scheme.version.clone(),
            sha256: scheme.digest,
            title: scheme.title.clone(),
            jurisdiction: scheme.jurisdiction.clone(),
            source: scheme.source.clone(),
            date_checked: scheme.date_checked.clone(),
            categories: scheme.categories.iter().map(row).collect(),
            default: row(&scheme.default),
        }
    }
}

impl MetaTally {
    pub fn of(tally: &Tally) -> MetaTally {
        MetaTally {
            source: tally.source,
            reason: tally.reason.to_owned(),
            count: tally.count,
            first: tally.first.clone(),
        }
    }

    fn read(&self) -> Tally {
        Tally { source: self.source, reason: word(&self.reason), count: self.count, first: self.first.clone() }
    }
}

impl Meta {
    /// What each category number stands for.
    pub fn rules(&self) -> Vec<Rule> {
        let rule = |c: &MetaCategory, code: Option<&String>| Rule {
            code: code.cloned(),
            meaning: Some(c.meaning.clone()),
            alerts: c.alerts,
            may_hide: c.may_hide,
        };
        let default = &self.scheme.default;
        let listed = self.scheme.categories.iter().map(|c| rule(c, Some(&c.code)));
        let kept = self.kept_codes.iter().map(|code| Rule { meaning: None, ..rule(default, Some(code)) });
        listed.chain([rule(default, None)]).chain(kept).collect()
    }

    /// The public form. The error is a clause about what does not hold.
    pub fn info(&self, rows: u64, digest: Sha256) -> Result<SetInfo, String> {
        let scheme = |text: &str| SchemeId::try_from(text.to_owned());
        let action = |text: &str| match text {
            "import" => Ok(HistoryAction::Import),
            "update" => Ok(HistoryAction::Update),
            "remap" => Ok(HistoryAction::Remap),
            _ => Err("it has a history that this version does not know".to_owned()),
        };
        let rules = self.rules();
        if rules.len() != self.categories.len() || rules.len() > usize::from(u16::MAX) + 1 {
            return Err("its categories are not those it counts".to_owned());
        }
        let first = self.sources.first().ok_or("it names no source")?;
        let mut formats: Vec<&str> = vec![];
        for source in &self.sources {
            if !formats.contains(&source.format.as_str()) {
                formats.push(&source.format);
            }
        }
        let counts = &self.counts;
        let kept =
            counts.kept.checked_sub(self.categories.iter().try_fold(0u64, |a, b| a.checked_add(*b)).unwrap_or(0));
        if kept != Some(0) || counts.kept > rows {
            return Err("its counts do not add up".to_owned());
        }
        Ok(SetInfo {
            version: None,
            id: 0,
            name: self.name.clone(),
            publisher: self.publisher.clone(),
            format: formats.join(", "),
            sha256: joint_digest(&self.sources),
            bytes: self.sources.iter().fold(0, |sum, s| sum.saturating_add(s.bytes)),
            digest,
            scheme: scheme(&self.scheme.id)?,
            scheme_version: self.scheme.version.clone(),
            scheme_digest: self.scheme.sha256,
            records_read: counts.read,
            kept: counts.kept,
            duplicates: counts.duplicates,
            removed: counts.removed,
            deletions: counts.deletions,
            deletions_without_record: self.deletions_without_record.read(),
            rejected: self.rejected.iter().map(MetaTally::read).collect(),
            place_label: word(&first.place_label),
            warnings: self.warnings.clone(),
            categories: rules
                .into_iter()
                .zip(&self.categories)
                .map(|(r, records)| CategoryCount {
                    code: r.code,
                    meaning: r.meaning,
                    alerts: r.alerts,
                    records: *records,
                })
                .collect(),
            rows,
            pdq: counts.pdq,
            photodna: counts.photodna,
            sources: self
                .sources
                .iter()
                .map(|s| SourceInfo {
                    name: s.name.clone(),
                    sha256: s.sha256,
                    bytes: s.bytes,
                    format: s.format.clone(),
                    publisher: s.publisher.clone(),
                    records: s.records,
                    place_label: word(&s.place_label),
                    id_label: s.id_label.clone(),
                    stated: s.stated.clone(),
                })
                .collect(),
            history: self
                .history
                .iter()
                .map(|h| {
                    Ok(HistoryEntry {
                        action: action(&h.action)?,
                        from: h.from,
                        scheme: scheme(&h.scheme)?,
                        scheme_version: h.scheme_version.clone(),
                        scheme_digest: h.scheme_sha256,
                        note: h.note.clone(),
                    })
                })
                .collect::<Result<_, String>>()?,
            importer: self.importer.clone(),
        })
    }
}

/// The digest of one source; of several, the SHA-256 over their digests.
fn joint_digest(sources: &[MetaSource]) -> Sha256 {
    use sha2::Digest as _;
    if let [one] = sources {
        return one.sha256;
    }
    let mut all = sha2::Sha256::new();
    sources.iter().for_each(|s| all.update(s.sha256.0));
    Sha256(all.finalize().into())
}
