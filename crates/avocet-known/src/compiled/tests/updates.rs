//! Deltas, deletions and other schemes.

use super::model::{Compared, Model, compare};
use super::{Id, Item, Making, Random, item, item_of, items, scheme};
use crate::compiled::{HistoryAction, SetFile, remap};
use crate::error::KnownError;

/// A delta: new records, and deletions of old ones in more or less detail.
fn delta(random: &mut Random, old: &[Item], contents: u64, count: u64) -> Vec<Item> {
    let mut all: Vec<Item> = vec![];
    for place in 1..=count {
        let mut one = match random.below(4) {
            0 => item(random, contents, place),
            1 if !all.is_empty() => random.pick(&all),
            _ => random.pick(old),
        };
        one.place = place;
        one.deletes = !random.one_in(3);
        if one.deletes {
            if random.one_in(3) && (one.md5.is_some() || one.sha1.is_some() || one.sha256.is_some()) {
                (one.pdq, one.photodna, one.extra) = (None, vec![], String::new());
            }
            if random.one_in(3) {
                one.id = Id::None;
            }
        }
        all.push(one);
    }
    all
}

#[test]
fn updates_and_deletions_leave_what_a_list_leaves() {
    let folder = tempfile::tempdir().unwrap();
    let mut compared = Compared::default();
    let (mut removed, mut in_vain) = (0, 0);
    for seed in 0..30u64 {
        let mut random = Random(seed + 1000);
        let contents = [4, 30][(seed % 2) as usize];
        let old = items(&mut random, contents, 200);
        let first = delta(&mut random, &old, contents, 150);
        let second = delta(&mut random, &old, contents, 100);
        let mut model = Model::default();
        model.source(&old);
        let path = |name: &str| folder.path().join(format!("{seed}-{name}"));
        let memory = if seed % 3 == 0 { 1 } else { 1 << 20 };
        let sources = [old.clone()];
        let base = Making { memory, ..Making::of(&sources) }.make(&path("base")).unwrap();
        model.source(&first);
        let sources = [first.clone()];
        let once = Making { memory, base: Some(&base), ..Making::of(&sources) }.make(&path("once")).unwrap();
        compare(&once, &model, contents, &mut compared);
        model.source(&second);
        let sources = [second.clone()];
        let twice = Making { memory, base: Some(&once), ..Making::of(&sources) }.make(&path("twice")).unwrap();
        compare(&twice, &model, contents, &mut compared);
        // All at once says the same.
        let sources = [old, first, second];
        let whole = Making { memory, ..Making::of(&sources) }.make(&path("whole")).unwrap();
        compare(&whole, &model, contents, &mut compared);
        let history: Vec<_> = twice.info().history.iter().map(|h| (h.action, h.from)).collect();
        assert_eq!(
            history,
            [
                (HistoryAction::Import, None),
                (HistoryAction::Update, Some(base.digest())),
                (HistoryAction::Update, Some(once.digest()))
            ]
        );
        removed += model.removed;
        in_vain += model.in_vain;
    }
    println!("{removed} removed, {in_vain} in vain, {compared:?}");
    assert!(removed > 1000 && in_vain > 500 && compared.hits > 5000, "{removed} {in_vain} {compared:?}");
}

/// A record of one MD5 and nothing else.
fn plain(place: u64, md5: u8) -> Item {
    let mut one = item(&mut Random(0), 1, place);
    (one.md5, one.sha1, one.sha256) = (Some([md5; 16]), None, None);
    (one.size, one.series, one.flags, one.id, one.pdq) = (None, None, 0, Id::None, None);
    (one.photodna, one.extra, one.category) = (vec![], String::new(), Some("1".to_owned()));
    one
}

#[test]
fn what_a_deletion_takes_came_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let detailed = |place, extra: &str| Item { extra: extra.to_owned(), ..plain(place, 1) };
    let gone = |place| Item { deletes: true, ..plain(place, 1) };
    // Added, deleted twice, added again: it is there, and one deletion found nothing.
    let again = vec![plain(1, 1), gone(2), gone(3), plain(4, 1), plain(5, 2)];
    // The deletions take what was there, with details, and not what comes later.
    let later = vec![detailed(1, "{\"x\":1}"), gone(2), gone(3), detailed(4, "{\"x\":1}"), detailed(5, "{\"y\":1}")];
    for (name, records, kept) in [("again", again, 2), ("later", later, 1)] {
        let sources = [records];
        let set = Making::of(&sources).make(&folder.path().join(name)).unwrap();
        set.verify().unwrap();
        let info = set.info();
        assert_eq!((info.kept, info.rows, info.deletions_without_record.count), (kept, 2, 1), "{name}");
        assert_eq!(info.deletions_without_record.first, [3]);
        assert!(info.warnings.iter().any(|w| w.contains("1 deletion(s) of a record that is not there")));
        assert_eq!(set.record(0).unwrap().place, 4);
    }
}

#[test]
fn many_deletions_of_one_statement_are_bounded_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let mut records = vec![plain(1, 9)];
    records.extend((2..10_002).map(|place| Item { deletes: true, ..plain(place, 1) }));
    let sources = [records];
    let set = Making::of(&sources).make(&folder.path().join("x")).unwrap();
    assert_eq!((set.info().kept, set.info().deletions, set.info().removed), (1, 10_000, 0));
    let in_vain = &set.info().deletions_without_record;
    assert_eq!((in_vain.count, in_vain.first.as_slice()), (10_000, &[2, 3, 4, 5, 6][..]));
}

#[test]
fn an_update_keeps_to_its_scheme_and_leaves_something() {
    let folder = tempfile::tempdir().unwrap();
    let sources = [vec![plain(1, 1)]];
    let base = Making::of(&sources).make(&folder.path().join("base")).unwrap();
    let other = Making { base: Some(&base), scheme: "alert", ..Making::of(&sources) };
    let error = other.make(&folder.path().join("other")).unwrap_err();
    assert!(matches!(error, KnownError::BaseScheme { .. }), "{error}");
    let sources = [vec![Item { deletes: true, ..plain(1, 1) }]];
    let error = Making { base: Some(&base), ..Making::of(&sources) }.make(&folder.path().join("none")).unwrap_err();
    assert!(matches!(error, KnownError::Empty { .. }), "{error}");
    let error = Making::of(&sources).make(&folder.path().join("base")).unwrap_err();
    assert!(matches!(error, KnownError::Exists { .. }), "{error}");
    // Nothing is left of what failed.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn another_scheme_changes_meanings_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let mut random = Random(5);
    let sources = [items(&mut random, 60, 800)];
    let old = Making { scheme: "alert", ..Making::of(&sources) }.make(&folder.path().join("old")).unwrap();
    let out = folder.path().join("new");
    let info = remap(&old, &scheme("us-vics-2.0"), Some("confirmed in writing"), &out, &mut |_| {}).unwrap();
    let new = SetFile::open(&out).unwrap();
    new.verify().unwrap();
    assert_eq!(&info, new.info());
    let rows = |set: &SetFile| {
        let row =
            |r: Result<_, KnownError>| r.map(|r: crate::Record| format!("{:?} {} {}", item_of(&r), r.source, r.count));
        let mut rows = set.records().map(row).collect::<Result<Vec<_>, _>>().unwrap();
        rows.sort();
        rows
    };
    assert_eq!(rows(&old), rows(&new));
    let last = info.history.last().unwrap();
    assert_eq!((last.action, last.from), (HistoryAction::Remap, Some(old.digest())));
    assert_eq!(last.note.as_deref(), Some("confirmed in writing"));
    // The same as reading the sources under that scheme.
    let direct = Making::of(&sources).make(&folder.path().join("direct")).unwrap();
    assert_eq!(direct.info().categories, info.categories);
    // A code that a scheme lacks is refused as at import.
    let error = remap(&new, &scheme("uk-2014"), None, &folder.path().join("uk"), &mut |_| {}).unwrap_err();
    assert!(matches!(&error, KnownError::Category { code, .. } if code == "1"), "{error}");
}
