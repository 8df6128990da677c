//! A small examination that uses every table and every kind of value.

use std::path::{Path, PathBuf};

use avocet_base::{Md5, PdqHash, Sha1, Sha256};
use avocet_examination::{
    ChangeRow, CompletenessRow, EvidenceRow, ExtentRow, FactRow, FileRow, GroupRow, HashRow, ImageRow, KnownSetRow,
    Level, MatchRow, NearRow, OriginalRow, PictureRow, PictureView, ProblemRow, Sealed, SigningKey, SpaceRow,
    VolumeRow, Writer,
};
use rusqlite::Connection;

/// Rows of an examination in canonical order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    pub config: Vec<(String, String)>,
    pub evidence: Vec<EvidenceRow>,
    pub known_sets: Vec<KnownSetRow>,
    pub volumes: Vec<VolumeRow>,
    pub spaces: Vec<SpaceRow>,
    pub files: Vec<(FileRow, Vec<ExtentRow>)>,
    pub originals: Vec<OriginalRow>,
    pub matches: Vec<MatchRow>,
    pub pictures: Vec<PictureView>,
    pub groups: Vec<GroupRow>,
    pub changes: Vec<ChangeRow>,
    pub problems: Vec<ProblemRow>,
    pub completeness: Vec<CompletenessRow>,
}

fn file(id: i64, path: &str, kind: &str, state: &str) -> FileRow {
    let (path, kind, state) = (path.into(), kind.into(), state.into());
    FileRow { id, volume: 1, path, kind, state, zone: "utc".into(), ..FileRow::default() }
}

fn with_digests(mut row: FileRow, byte: u8) -> FileRow {
    (row.md5, row.sha1, row.sha256) = (Some(Md5([byte; 16])), Some(Sha1([byte; 20])), Some(Sha256([byte; 32])));
    row
}

/// The rows of the golden file of schema version 1. Never change these: the golden file holds them.
pub fn sample_v1() -> Rows {
    let mut files = vec![
        (file(1, "/Users", "directory", "allocated"), vec![]),
        (
            FileRow {
                number: 42,
                size: 5000,
                created: Some(1_700_000_000_000_000_001),
                modified: Some(-1),
                accessed: Some(0),
                changed: Some(i64::MAX),
                deleted: Some(i64::MIN),
                name_created: Some(1),
                name_modified: Some(2),
                name_accessed: Some(3),
                name_changed: Some(4),
                media: Some("picture".into()),
                format: Some("jpeg".into()),
                note: "hard links: 2".into(),
                ..with_digests(file(2, "/Users/été \\u{d83d}.jpg", "file", "allocated"), 0x11)
            },
            vec![
                ExtentRow { logical: 0, length: 4096, start: Some(1 << 20) },
                ExtentRow { logical: 4096, length: 904, start: None },
            ],
        ),
        (
            FileRow {
                stream: Some("Zone.Identifier".into()),
                ..with_digests(file(5, "/Users/a", "file", "allocated"), 0x22)
            },
            vec![],
        ),
        (
            FileRow {
                size: u64::MAX,
                number: 1 << 63,
                unreadable: Some("content unreadable: encrypted (EFS)".into()),
                ..file(9, "/Users/secret", "file", "deleted")
            },
            vec![ExtentRow { logical: u64::MAX - 1, length: 1, start: Some(u64::MAX) }],
        ),
    ];
    files.push((
        FileRow {
            media: Some("video".into()),
            zone: "utc+02:00".into(),
            ..with_digests(file(10, "/$Recycle.Bin/$R1.mp4", "file", "deleted"), 0x33)
        },
        vec![],
    ));
    files.push((file(11, "/$Recycle.Bin/$I1.mp4", "file", "deleted"), vec![]));
    files.push((
        FileRow {
            parent: Some(2),
            media: Some("picture".into()),
            ..with_digests(file(12, "/Users/été \\u{d83d}.jpg/thumb", "file", "embedded"), 0x44)
        },
        vec![],
    ));
    Rows {
        config: vec![("digests".into(), "md5 sha1 sha256".into()), ("image digest".into(), "yes".into())],
        evidence: vec![EvidenceRow {
            kind: "ewf".into(),
            media_size: 1 << 31,
            exhibit: Some("JC/1".into()),
            segments: 2,
            stored_md5: Some(Md5([1; 16])),
            stored_sha1: Some(Sha1([2; 20])),
            md5: Some(Md5([1; 16])),
            sha1: Some(Sha1([2; 20])),
            sha256: Some(Sha256([3; 32])),
            verdict: "stored digest agrees".into(),
            facts: vec![("case number".into(), "C-1".into()), ("acquired".into(), "2024-02-29".into())],
        }],
        known_sets: vec![
            KnownSetRow {
                id: 1,
                name: "demo set".into(),
                format: "vics-2.0".into(),
                source_sha256: Some(Sha256([7; 32])),
                scheme: "us-vics".into(),
                scheme_version: "2.0".into(),
                scheme_digest: Some(Sha256([8; 32])),
                records_kept: 3,
                rejected: 1,
                ..KnownSetRow::default()
            },
            KnownSetRow { id: 2, name: "good".into(), format: "hash list".into(), ..KnownSetRow::default() },
        ],
        volumes: vec![
            VolumeRow {
                id: 1,
                label: "gpt:1".into(),
                start: 1 << 20,
                length: 1 << 30,
                status: "read".into(),
                kind: Some("ntfs".into()),
                fs_label: Some("USB".into()),
                serial: Some("0123-4567".into()),
                cluster_size: 4096,
                time_source: Some("times from $STANDARD_INFORMATION, UTC".into()),
                detail: String::new(),
            },
            VolumeRow {
                id: 2,
                label: "gpt:2".into(),
                status: "recognised".into(),
                kind: Some("bitlocker".into()),
                ..VolumeRow::default()
            },
        ],
        spaces: vec![
            SpaceRow { volume: None, kind: "unpartitioned".into(), start: 0, length: 1 << 20 },
            SpaceRow { volume: Some(1), kind: "unallocated".into(), start: 4096, length: 8192 },
        ],
        files,
        originals: vec![OriginalRow {
            file_id: 10,
            original_path: "C:/Users/x/film.mp4".into(),
            deleted_ns: Some(1_700_000_000_000_000_000),
            info_file_id: 11,
        }],
        matches: vec![
            MatchRow {
                file_id: 2,
                set_id: 1,
                record: "1001".into(),
                basis: "sha1+size".into(),
                category: Some("1".into()),
                meaning: Some("demo meaning".into()),
                alerts: true,
                hides: false,
                series: Some("demo series".into()),
            },
            MatchRow { file_id: 2, set_id: 1, record: "1002".into(), basis: "md5 only".into(), ..MatchRow::default() },
            MatchRow {
                file_id: 5,
                set_id: 2,
                record: "7".into(),
                basis: "sha256".into(),
                hides: true,
                ..MatchRow::default()
            },
        ],
        pictures: vec![],
        groups: vec![],
        changes: vec![],
        problems: vec![
            ProblemRow {
                seq: 1,
                volume: Some(1),
                layer: "ntfs".into(),
                code: "directory-loop".into(),
                offset: Some(u64::MAX),
                path: Some("/Users/loop".into()),
                detail: "a folder contains itself".into(),
            },
            ProblemRow { seq: 2, layer: "gpt".into(), code: "backup-header-used".into(), ..ProblemRow::default() },
        ],
        completeness: vec![
            CompletenessRow {
                seq: 1,
                level: Level::Done,
                code: "volumes-read".into(),
                count: 1,
                bytes: Some(1 << 30),
                text: "1 of 2 volumes read".into(),
            },
            CompletenessRow {
                seq: 2,
                level: Level::Gap,
                code: "unreadable".into(),
                count: 1,
                bytes: None,
                text: "1 file unreadable".into(),
            },
        ],
    }
}

/// A picture that was decoded, with everything that can be said of one.
fn picture(file_id: i64) -> PictureView {
    let near = |distance, record: &str| NearRow {
        distance,
        set_id: 1,
        record: record.into(),
        image: 1,
        form: "512".into(),
        turn: 7,
        category: Some("1".into()),
        meaning: Some("demo meaning".into()),
        alerts: true,
        series: Some("demo series".into()),
    };
    PictureView {
        picture: PictureRow {
            file_id,
            sha256: Sha256([file_id as u8; 32]),
            kind: "heif".into(),
            status: "partial".into(),
            code: Some("cut".into()),
            reason: Some("it ends before its time".into()),
            orientation: Some(6),
            thumbnail: Some("differs".into()),
        },
        images: vec![
            ImageRow { role: "primary".into(), width: 128, height: 72, decoder: "a 1".into(), partial: None },
            ImageRow {
                role: "top-level".into(),
                width: 1 << 40,
                height: 720,
                decoder: "a 1".into(),
                partial: Some("cut".into()),
            },
        ],
        hashes: vec![HashRow {
            image: 1,
            form: "512".into(),
            path: "1/2".into(),
            quality: 99,
            pdq: PdqHash([0x81; 32]),
            turned: [1, 2, 3, 4, 5, 6, 7].map(|b| PdqHash([b; 32])),
        }],
        facts: vec![FactRow { key: "make".into(), value: "Demo é".into(), source: "exif".into() }],
        near: vec![near(0, "9"), near(31, "1")],
    }
}

/// The rows of the golden file of the present schema version. Never change these: the golden file holds them.
pub fn sample() -> Rows {
    let mut rows = sample_v1();
    rows.known_sets[0].version = "3".into();
    rows.known_sets[0].set_sha256 = Some(Sha256([9; 32]));
    let mut plain = picture(5);
    plain.picture = PictureRow {
        status: "undecodable".into(),
        orientation: None,
        thumbnail: None,
        code: None,
        reason: None,
        ..plain.picture
    };
    (plain.images, plain.hashes, plain.facts, plain.near) = (vec![], vec![], vec![], vec![]);
    rows.pictures = vec![picture(2), plain];
    let group =
        |member, distance| GroupRow { representative: 2, member, distance, form: "full".into(), turn: distance % 8 };
    rows.groups = vec![group(2, 0), group(5, 12)];
    rows.changes = vec![
        ChangeRow {
            file_id: 2,
            change: "gained".into(),
            how: "near".into(),
            known_set: "demo set".into(),
            record: "9".into(),
            before: None,
            after: Some("distance 0".into()),
        },
        ChangeRow { file_id: 2, change: "lost".into(), before: Some("sha256".into()), ..ChangeRow::default() },
    ];
    rows
}

/// Gives a writer all rows.
pub fn fill(writer: &mut Writer, rows: &Rows) {
    rows.config.iter().for_each(|(k, v)| writer.config(k, v).unwrap());
    rows.evidence.iter().for_each(|r| writer.evidence(r).unwrap());
    rows.known_sets.iter().for_each(|r| writer.known_set(r).unwrap());
    rows.volumes.iter().for_each(|r| writer.volume(r).unwrap());
    rows.spaces.iter().for_each(|r| writer.space(r).unwrap());
    rows.files.iter().for_each(|(r, extents)| writer.file(r, extents).unwrap());
    rows.originals.iter().for_each(|r| writer.original(r).unwrap());
    rows.matches.iter().for_each(|r| writer.hit(r).unwrap());
    rows.pictures.iter().for_each(|r| writer.picture(r).unwrap());
    writer.group(&rows.groups).unwrap();
    rows.changes.iter().for_each(|r| writer.change(r).unwrap());
    rows.problems.iter().for_each(|r| writer.problem(r).unwrap());
    rows.completeness.iter().for_each(|r| writer.completeness(r).unwrap());
}

/// Writes and seals rows in a folder.
pub fn write_in(folder: &Path, name: &str, rows: &Rows, key: Option<&SigningKey>) -> Sealed {
    let mut writer = Writer::create(&folder.join(name)).unwrap();
    writer.run("host", name).unwrap();
    fill(&mut writer, rows);
    writer.seal(key).unwrap()
}

/// A copy of an examination that can be written to, with its seal.
pub fn writable_copy(sealed: &Sealed, name: &str) -> PathBuf {
    let copy = sealed.path.with_file_name(name);
    std::fs::write(&copy, std::fs::read(&sealed.path).unwrap()).unwrap();
    std::fs::write(avocet_examination::seal_path(&copy), std::fs::read(&sealed.seal_path).unwrap()).unwrap();
    copy
}

/// Runs statements on a file as an attacker would, with every protection off.
pub fn change(path: &Path, sql: &str) {
    let conn = Connection::open(path).unwrap();
    conn.execute_batch("PRAGMA journal_mode = DELETE; PRAGMA foreign_keys = OFF;").unwrap();
    conn.execute_batch(sql).unwrap();
}
