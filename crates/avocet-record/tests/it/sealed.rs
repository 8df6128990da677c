//! Small sealed examinations.

use std::path::Path;

use avocet_base::{Md5, PdqHash, Sha1, Sha256};
use avocet_examination::{
    CompletenessRow, EvidenceRow, FactRow, FileRow, GroupRow, HashRow, ImageRow, KnownSetRow, Level, MatchRow, NearRow,
    PictureRow, PictureView, VolumeRow, Writer,
};

/// Writes one with these pictures, each a byte that its digest is made of and in how many files it lies.
pub fn write(path: &Path, pictures: &[(u8, u32)]) {
    let mut writer = Writer::create(path).unwrap();
    writer.config("digests", "md5 sha1 sha256").unwrap();
    writer
        .evidence(&EvidenceRow {
            kind: "raw".into(),
            media_size: 1 << 20,
            segments: 1,
            verdict: "none".into(),
            ..EvidenceRow::default()
        })
        .unwrap();
    writer
        .volume(&VolumeRow { id: 1, label: "whole".into(), kind: Some("fat32".into()), ..VolumeRow::default() })
        .unwrap();
    let mut id = 0;
    for (byte, files) in pictures {
        for n in 0..*files {
            id += 1;
            let file = FileRow {
                id,
                volume: 1,
                path: format!("/picture {byte} {n}"),
                kind: "file".into(),
                state: "allocated".into(),
                zone: "utc".into(),
                media: Some("picture".into()),
                md5: Some(Md5([*byte; 16])),
                sha1: Some(Sha1([*byte; 20])),
                sha256: Some(Sha256([*byte; 32])),
                ..FileRow::default()
            };
            writer.file(&file, &[]).unwrap();
        }
    }
    let line = CompletenessRow {
        seq: 1,
        level: Level::Done,
        code: "files".into(),
        count: 1,
        bytes: None,
        text: "Test.".into(),
    };
    writer.completeness(&line).unwrap();
    writer.seal(None).unwrap();
}

/// One content of an examination that is made up.
#[derive(Debug, Clone, Default)]
pub struct Content {
    /// What its digest is made of.
    pub n: u32,
    /// In how many files; 0 counts as one.
    pub files: u32,
    pub video: bool,
    pub deleted: bool,
    /// Set (0 and 1 of the scheme `uk-2014` version 1, 2 of harmless files), category, whether it alerts, whether it hides.
    pub said: Vec<(i64, Option<&'static str>, bool, bool)>,
    /// Set, distance, category.
    pub near: Option<(i64, u64, &'static str)>,
    /// What stands for its group, and the distance from it.
    pub group: Option<(u32, u64)>,
    /// PDQ hash and quality.
    pub look: Option<(PdqHash, u64)>,
    pub camera: Option<&'static str>,
    pub serial: Option<String>,
    /// When its files were last changed, seconds since 1970.
    pub modified: i64,
}

/// The digest of a content that is made up.
pub fn sha(n: u32) -> Sha256 {
    avocet_record::digest(format!("known picture {n}").as_bytes())
}

/// The sets that [`Content::said`] names by their place.
pub const SETS: [(&str, &str, &str); 3] =
    [("alpha", "7", "uk-2014"), ("beta", "2", "uk-2014"), ("good", "", "known-good")];

/// Writes an examination of these contents, which have different numbers. What stands for a group is among them.
pub fn write_contents(path: &Path, contents: &[Content]) {
    write_result(path, contents, None);
}

/// Writes an interim result with these contents: its examination had not ended.
pub fn write_interim(path: &Path, contents: &[Content]) {
    write_result(path, contents, Some("4 of 9 files with content had been read"));
}

fn write_result(path: &Path, contents: &[Content], interim: Option<&str>) {
    let mut writer = Writer::create(path).unwrap();
    writer.config("digests", "md5 sha1 sha256").unwrap();
    if let Some(interim) = interim {
        writer.config("interim", interim).unwrap();
    }
    let evidence = EvidenceRow {
        kind: "raw".into(),
        media_size: 1 << 20,
        segments: 1,
        verdict: "none".into(),
        ..EvidenceRow::default()
    };
    writer.evidence(&evidence).unwrap();
    for (id, (name, version, scheme)) in (0..).zip(SETS) {
        let row = KnownSetRow {
            id,
            name: name.into(),
            version: version.into(),
            format: "hash list".into(),
            scheme: scheme.into(),
            scheme_version: "1".into(),
            ..KnownSetRow::default()
        };
        writer.known_set(&row).unwrap();
    }
    let volume = VolumeRow { id: 1, label: "whole".into(), kind: Some("fat32".into()), ..VolumeRow::default() };
    writer.volume(&volume).unwrap();
    let mut id = 0;
    let mut first = std::collections::BTreeMap::new();
    for content in contents {
        let sha256 = sha(content.n);
        for copy in 0..content.files.max(1) {
            id += 1;
            first.entry(content.n).or_insert(id);
            let file = FileRow {
                id,
                volume: 1,
                path: format!("/picture {} {copy}", content.n),
                kind: "file".into(),
                state: if content.deleted { "deleted" } else { "allocated" }.into(),
                zone: "utc".into(),
                size: u64::from(content.n) + 1000,
                modified: Some(content.modified * 1_000_000_000),
                media: Some(if content.video { "video" } else { "picture" }.into()),
                format: Some(if content.video { "mp4" } else { "jpeg" }.into()),
                md5: Some(Md5(sha256.0[..16].try_into().unwrap())),
                sha1: Some(Sha1(sha256.0[..20].try_into().unwrap())),
                sha256: Some(sha256),
                ..FileRow::default()
            };
            writer.file(&file, &[]).unwrap();
            for (set_id, category, alerts, hides) in &content.said {
                let hit = MatchRow {
                    file_id: id,
                    set_id: *set_id,
                    record: content.n.to_string(),
                    basis: "sha1 and size".into(),
                    category: category.map(str::to_owned),
                    meaning: None,
                    alerts: *alerts,
                    hides: *hides,
                    series: None,
                };
                writer.hit(&hit).unwrap();
            }
        }
    }
    for content in contents.iter().filter(|content| !content.video) {
        let fact = |key: &str, value: &str| FactRow { key: key.into(), value: value.into(), source: "exif".into() };
        let facts = content.camera.map(|model| fact("model", model)).into_iter();
        let view = PictureView {
            picture: PictureRow {
                file_id: first[&content.n],
                sha256: sha(content.n),
                kind: "jpeg".into(),
                status: "decoded".into(),
                code: None,
                reason: None,
                orientation: None,
                thumbnail: None,
            },
            images: vec![ImageRow {
                role: "primary".into(),
                width: 40,
                height: 30,
                decoder: "test 1".into(),
                partial: None,
            }],
            hashes: content.look.map_or_else(Vec::new, |(pdq, quality)| {
                let form = |form: &str, pdq| HashRow {
                    image: 0,
                    form: form.into(),
                    path: "full".into(),
                    quality,
                    pdq,
                    turned: [pdq; 7],
                };
                // The other form says something else: it is not what groups are made of.
                vec![form("512", PdqHash([0xa5; 32])), form("full", pdq)]
            }),
            facts: facts.chain(content.serial.as_deref().map(|serial| fact("body-serial", serial))).collect(),
            near: content
                .near
                .map(|(set_id, distance, category)| NearRow {
                    distance,
                    set_id,
                    record: "r".into(),
                    form: "full".into(),
                    category: Some(category.into()),
                    alerts: true,
                    ..NearRow::default()
                })
                .into_iter()
                .collect(),
        };
        writer.picture(&view).unwrap();
    }
    let mut groups: std::collections::BTreeMap<i64, Vec<GroupRow>> = std::collections::BTreeMap::new();
    for content in contents {
        if let Some((representative, distance)) = content.group {
            let representative = first[&representative];
            let own = GroupRow { representative, member: representative, distance: 0, form: "full".into(), turn: 0 };
            let rows = groups.entry(representative).or_insert_with(|| vec![own]);
            if first[&content.n] != representative {
                let member = first[&content.n];
                rows.push(GroupRow { representative, member, distance, form: "full".into(), turn: 0 });
            }
        }
    }
    for rows in groups.values() {
        writer.group(rows).unwrap();
    }
    let line = CompletenessRow {
        seq: 1,
        level: Level::Done,
        code: "files".into(),
        count: 1,
        bytes: None,
        text: "Test.".into(),
    };
    writer.completeness(&line).unwrap();
    writer.seal(None).unwrap();
}
