//! What is written is what is read, once, in whatever order it came.

use std::ops::ControlFlow;
use std::path::Path;

use avocet_examination::{
    Examination, FileFilter, FileRow, FileView, MatchRow, OriginalRow, PictureView, ProblemRow, ReadError, SpaceRow,
    VolumeRow, WriteError, Writer, seal_path, verify,
};

use crate::support::{Rows, fill, sample, write_in};

pub fn files(examination: &Examination, filter: &FileFilter) -> Vec<FileView> {
    let mut out = vec![];
    examination
        .files(filter, &mut |view| {
            out.push(view);
            Ok::<_, ReadError>(ControlFlow::Continue(()))
        })
        .unwrap();
    out
}

/// All rows of a file, as they were given.
/// Every picture of an examination; each is also asked for by itself.
fn pictures(e: &Examination) -> Vec<PictureView> {
    let mut out = vec![];
    e.pictures(&mut |view| {
        out.push(view);
        Ok::<_, ReadError>(ControlFlow::Continue(()))
    })
    .unwrap();
    for view in &out {
        assert_eq!(e.picture(view.picture.file_id).unwrap().as_ref(), Some(view));
    }
    assert_eq!(e.picture(1).unwrap(), None);
    out
}

pub fn read_all(path: &Path) -> Rows {
    let e = Examination::open(path).unwrap();
    let views = files(&e, &FileFilter::default());
    Rows {
        config: e.configs().unwrap(),
        evidence: e.evidence().unwrap(),
        known_sets: e.known_sets().unwrap(),
        volumes: e.volumes().unwrap(),
        spaces: e.spaces().unwrap(),
        originals: views.iter().filter_map(|v| v.original.clone()).collect(),
        matches: views.iter().flat_map(|v| v.matches.clone()).collect(),
        files: views.into_iter().map(|v| (e.extents(v.file.id).unwrap(), v.file)).map(|(x, f)| (f, x)).collect(),
        pictures: pictures(&e),
        groups: e.groups().unwrap(),
        changes: e.changes().unwrap(),
        problems: e.problems().unwrap(),
        completeness: e.completeness().unwrap(),
    }
}

#[test]
fn every_row_and_value_survives() {
    let folder = tempfile::tempdir().unwrap();
    // A name with everything that means something in a URI.
    let sealed = write_in(folder.path(), "a ?immutable=0#%41é.examination", &sample(), None);
    assert_eq!(read_all(&sealed.path), sample());
    let examination = Examination::open(&sealed.path).unwrap();
    assert_eq!(examination.result_digest().unwrap(), sealed.result_digest);
    let runs = examination.runs().unwrap();
    assert_eq!(runs[0], ("avocet-examination".into(), env!("CARGO_PKG_VERSION").into()));
    assert_eq!(runs[1].0, "host");
}

#[test]
fn the_same_rows_give_the_same_result_digest_and_other_rows_another() {
    let folder = tempfile::tempdir().unwrap();
    let rows = sample();
    let first = write_in(folder.path(), "first", &rows, None);
    // Another order of tables, of settings and of one file's matches; another host.
    let mut writer = Writer::create(&folder.path().join("second")).unwrap();
    let mut other = rows.clone();
    other.config.reverse();
    other.matches.swap(0, 1);
    other.pictures.reverse();
    other.pictures.iter_mut().for_each(|p| p.near.reverse());
    other.problems.reverse();
    other.completeness.reverse();
    other.volumes.reverse();
    other.completeness.iter().for_each(|r| writer.completeness(r).unwrap());
    other.completeness.clear();
    fill(&mut writer, &other);
    let second = writer.seal(None).unwrap();
    assert_eq!(second.result_digest, first.result_digest);
    assert_ne!(second.file_sha256, first.file_sha256, "the host differs");

    // Every table counts, the empty text is not NULL, and nothing can move from one column to the next.
    type Vary = fn(&mut Rows);
    let variants: [(&str, Vary); 14] = [
        ("config", |r| r.config[0].1.push('x')),
        ("fact", |r| r.evidence[0].facts.swap(0, 1)),
        ("evidence", |r| r.evidence[0].stored_md5 = None),
        ("set", |r| r.known_sets[1].rejected = 1),
        ("volume", |r| r.volumes[1].detail = "x".into()),
        ("empty is not NULL", |r| r.volumes[1].fs_label = Some(String::new())),
        ("space", |r| r.spaces[1].length += 1),
        ("file", |r| r.files[1].0.accessed = None),
        ("moved", |r| (r.files[1].0.name_created, r.files[1].0.name_modified) = (Some(2), Some(1))),
        ("extent", |r| r.files[1].1[1].start = Some(0)),
        ("original", |r| r.originals[0].deleted_ns = None),
        ("match", |r| r.matches[0].alerts = false),
        ("problem", |r| r.problems[0].offset = Some(u64::MAX - 1)),
        ("completeness", |r| drop(r.completeness.pop())),
    ];
    let mut seen = vec![first.result_digest];
    for (name, vary) in variants {
        let mut varied = rows.clone();
        vary(&mut varied);
        let digest = write_in(folder.path(), name, &varied, None).result_digest;
        assert!(!seen.contains(&digest), "{name}");
        seen.push(digest);
    }
}

#[test]
fn nothing_half_written_is_left_and_nothing_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.examination");
    let names = || {
        let mut names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        names
    };
    // A leftover is replaced, an unfinished examination leaves nothing.
    std::fs::write(folder.path().join("a.examination.partial"), "leftover").unwrap();
    let mut writer = Writer::create(&path).unwrap();
    fill(&mut writer, &sample());
    assert_eq!(names(), ["a.examination.partial"]);
    // Two at once do not mix.
    assert!(matches!(Writer::create(&path), Err(WriteError::InUse { .. })));
    drop(writer);
    assert!(names().is_empty());

    let sealed = write_in(folder.path(), "a.examination", &sample(), None);
    assert_eq!(names(), ["a.examination", "a.examination.seal"]);
    assert!(sealed.read_only);
    assert!(std::fs::metadata(&path).unwrap().permissions().readonly());
    assert!(matches!(Writer::create(&path), Err(WriteError::AlreadyThere { .. })));
    std::fs::rename(&path, folder.path().join("moved")).unwrap();
    assert!(matches!(Writer::create(&path), Err(WriteError::AlreadyThere { .. })), "its seal is there");
    std::fs::remove_file(seal_path(&path)).unwrap();

    // Something that appears while the examination runs is not replaced either.
    let writer = Writer::create(&path).unwrap();
    std::fs::write(&path, "mine").unwrap();
    assert!(matches!(writer.seal(None), Err(WriteError::AlreadyThere { .. })));
    assert_eq!(std::fs::read(&path).unwrap(), b"mine");
    assert_eq!(names(), ["a.examination", "moved"]);

    assert!(matches!(Writer::create(&folder.path().join("no/such/folder")), Err(WriteError::Io { .. })));
}

#[test]
fn rows_that_contradict_each_other_are_refused_and_then_nothing_is_sealed() {
    let folder = tempfile::tempdir().unwrap();
    let file = |id, volume| FileRow { id, volume, ..FileRow::default() };
    let hit = |file_id| MatchRow { file_id, set_id: 1, ..MatchRow::default() };
    type Step = Box<dyn Fn(&mut Writer) -> Result<(), WriteError>>;
    let refused: [(&str, Step); 5] = [
        ("file: row 2 was given after row 2", Box::new(move |w| w.file(&file(2, 1), &[]))),
        ("file: row -1 was given after row 2", Box::new(move |w| w.file(&file(-1, 1), &[]))),
        ("known_match: row 1 was given after row 2", Box::new(move |w| w.hit(&hit(2)).and_then(|()| w.hit(&hit(1))))),
        ("config: a row with the same key", Box::new(|w| w.config("a", "1").and_then(|()| w.config("a", "2")))),
        (
            "volume: a row is longer",
            Box::new(|w| w.volume(&VolumeRow { id: 2, detail: "x".repeat(17 << 20), ..VolumeRow::default() })),
        ),
    ];
    for (expected, step) in refused {
        let mut writer = Writer::create(&folder.path().join("a")).unwrap();
        writer.volume(&VolumeRow { id: 1, ..VolumeRow::default() }).unwrap();
        writer.file(&file(2, 1), &[]).unwrap();
        let error = step(&mut writer).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
        assert!(matches!(writer.config("more", ""), Err(WriteError::EarlierFailure)));
        assert!(matches!(writer.hit(&hit(9)), Err(WriteError::EarlierFailure)));
        assert!(matches!(writer.seal(None), Err(WriteError::EarlierFailure)));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
    let dangling: [(&str, Step); 6] = [
        ("space", Box::new(|w| w.space(&SpaceRow { volume: Some(3), ..SpaceRow::default() }))),
        ("problem", Box::new(|w| w.problem(&ProblemRow { volume: Some(3), ..ProblemRow::default() }))),
        (
            "original_name",
            Box::new(|w| w.original(&OriginalRow { file_id: 2, info_file_id: 3, ..OriginalRow::default() })),
        ),
        ("file", Box::new(move |w| w.file(&file(3, 7), &[]))),
        ("file", Box::new(move |w| w.file(&FileRow { parent: Some(99), ..file(3, 1) }, &[]))),
        ("known_match", Box::new(move |w| w.hit(&hit(2)))),
    ];
    for (expected, step) in dangling {
        let mut writer = Writer::create(&folder.path().join("a")).unwrap();
        writer.volume(&VolumeRow { id: 1, ..VolumeRow::default() }).unwrap();
        writer.file(&file(2, 1), &[]).unwrap();
        step(&mut writer).unwrap();
        assert!(matches!(writer.seal(None), Err(WriteError::Dangling { table }) if table == expected));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

#[test]
fn an_examination_of_nothing_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let sealed = write_in(folder.path(), "a", &Rows::default(), None);
    assert!(verify(&sealed.path, Some(sealed.result_digest), None).unwrap().passed());
    assert_eq!(read_all(&sealed.path), Rows::default());
}

#[test]
fn filters_take_what_they_say() {
    let folder = tempfile::tempdir().unwrap();
    let sealed = write_in(folder.path(), "a", &sample(), None);
    let examination = Examination::open(&sealed.path).unwrap();
    let ids = |filter| files(&examination, &filter).iter().map(|v| v.file.id).collect::<Vec<_>>();
    let all = FileFilter::default;
    assert_eq!(ids(all()), [1, 2, 5, 9, 10, 11, 12]);
    assert_eq!(ids(FileFilter { state: Some("deleted".into()), ..all() }), [9, 10, 11]);
    assert_eq!(ids(FileFilter { matched: true, ..all() }), [2, 5]);
    assert_eq!(ids(FileFilter { alerting: true, ..all() }), [2]);
    assert_eq!(ids(FileFilter { media_unknown: true, ..all() }), [10, 12]);
    assert_eq!(ids(FileFilter { under: Some("/Users".into()), ..all() }), [1, 2, 5, 9, 12]);
    assert_eq!(ids(FileFilter { under: Some("/Users/a/".into()), ..all() }), [5]);
    assert_eq!(ids(FileFilter { under: Some("/Use".into()), ..all() }), Vec::<i64>::new());
    assert_eq!(ids(FileFilter { under: Some("/".into()), ..all() }), [1, 2, 5, 9, 10, 11, 12]);
    assert_eq!(ids(FileFilter { volume: Some(2), ..all() }), Vec::<i64>::new());
    // Going on after an id keeps the matches and original names of what follows.
    let after = files(&examination, &FileFilter { after: Some(4), ..all() });
    assert_eq!(after[..], files(&examination, &all())[2..]);

    let mut first = None;
    examination
        .files(&all(), &mut |view| {
            assert!(first.replace(view.file.id).is_none(), "went on after Break");
            Ok::<_, ReadError>(ControlFlow::Break(()))
        })
        .unwrap();
    assert_eq!(first, Some(1));
}

#[test]
fn the_summary_counts_each_file_once() {
    let folder = tempfile::tempdir().unwrap();
    let sealed = write_in(folder.path(), "a", &sample(), None);
    let summary = Examination::open(&sealed.path).unwrap().summary().unwrap();
    let counts = |list: &[avocet_examination::Count]| {
        list.iter().map(|c| (c.name.clone(), c.files, c.bytes)).collect::<Vec<_>>()
    };
    assert_eq!(summary.files, 7);
    assert_eq!(
        counts(&summary.by_state),
        [("allocated".into(), 3, 5000), ("deleted".into(), 3, u128::from(u64::MAX)), ("embedded".into(), 1, 0)]
    );
    assert_eq!(counts(&summary.by_kind), [("directory".into(), 1, 0), ("file".into(), 6, 5000 + u128::from(u64::MAX))]);
    assert_eq!(counts(&summary.unreadable), [("content unreadable: encrypted (EFS)".into(), 1, u128::from(u64::MAX))]);
    let matches: Vec<_> =
        summary.matches.iter().map(|m| (m.set_name.as_str(), m.basis.as_str(), m.files, m.digests)).collect();
    assert_eq!(matches, [("demo set", "md5 only", 1, 1), ("demo set", "sha1+size", 1, 1), ("good", "sha256", 1, 1)]);
    assert_eq!((summary.pictures.total, summary.pictures.known, summary.pictures.unknown), (2, 1, 1));
    assert_eq!((summary.videos.total, summary.videos.known, summary.videos.unknown), (1, 0, 1));
    assert_eq!((summary.alerting_files, summary.alerts.len()), (1, 1));
    assert_eq!((summary.alerts[0].id, summary.alerts[0].matches.len()), (2, 2));
}
