//! Small sealed examinations.

use std::path::Path;

use avocet_base::{Md5, Sha1, Sha256};
use avocet_examination::{CompletenessRow, EvidenceRow, FileRow, Level, VolumeRow, Writer};

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
