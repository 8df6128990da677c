//! Near groups: what holds for every grouping, and real photographs.

use std::collections::{BTreeMap, BTreeSet};

use avocet_base::PdqHash;
use avocet_near::group::{DEFAULT_RADIUS, Grouping, Item, Member, near_groups};
use avocet_near::{MIN_QUALITY, NearError};

use super::near::{Random, bitwise};
use super::support::testdata;

/// A row of the reference table: what Python's pdqhash 0.2.8 gives.
pub struct Vector {
    pub path: String,
    pub full: PdqHash,
    pub quality: u8,
    pub small: PdqHash,
}

pub fn vectors() -> Option<Vec<Vector>> {
    let table = testdata()?.join("perceptual/pdq/pdqhash-0.2.8-vectors.tsv");
    let text = std::fs::read_to_string(table).expect("the table of the shared test data");
    let rows = text.lines().skip(1).filter_map(|line| {
        let column: Vec<&str> = line.split('\t').collect();
        Some(Vector {
            path: column[0].to_string(),
            full: column[3].parse().ok()?,
            quality: column[4].parse().ok()?,
            small: column[5].parse().ok()?,
        })
    });
    Some(rows.collect())
}

fn item(hash: PdqHash, quality: u8) -> Item {
    Item { hash, quality }
}

/// What must hold for any input.
fn holds(items: &[Item], radius: u32, found: &Grouping) {
    let near = |a: usize, b: usize| bitwise(&items[a].hash, &items[b].hash);
    let mut seen = BTreeSet::new();
    let representatives: Vec<usize> = found.groups.iter().map(|g| g.representative).collect();
    assert!(representatives.is_sorted());
    for group in &found.groups {
        assert!(seen.insert(group.representative), "in two groups");
        assert!(items[group.representative].quality >= MIN_QUALITY);
        assert!(!group.members.is_empty(), "one alone is no group");
        assert!(group.members.is_sorted());
        for member in &group.members {
            assert!(seen.insert(member.item), "in two groups");
            assert!(items[member.item].quality >= MIN_QUALITY);
            assert_eq!(member.distance, near(group.representative, member.item));
            assert!(member.distance <= radius);
            for other in &representatives {
                assert!(near(*other, member.item) >= member.distance, "not with the nearest");
            }
        }
    }
    for (i, a) in representatives.iter().enumerate() {
        assert!(representatives[..i].iter().all(|b| near(*a, *b) > radius), "two representatives of one thing");
    }
    // Nothing that could have joined is left out.
    for left in (0..items.len()).filter(|i| items[*i].quality >= MIN_QUALITY && !seen.contains(i)) {
        assert!(representatives.iter().all(|r| near(*r, left) > radius), "left out");
    }
    assert_eq!(found.low_quality, items.iter().filter(|i| i.quality < MIN_QUALITY).count());
}

/// Hashes in clusters whose members are near each other, or near neighbours only, or equal.
fn clustered(seed: u64, count: usize) -> Vec<Item> {
    let mut random = Random(seed);
    let mut items: Vec<Item> = Vec::new();
    while items.len() < count {
        let mut hash = random.hash();
        let chained = random.below(2) == 0;
        for _ in 0..random.below(12) {
            let bits = random.below(24) as u32;
            let next = random.flipped(&hash, bits);
            items.push(item(next, 30 + random.below(71) as u8));
            if random.below(8) == 0 {
                items.push(item(next, 30 + random.below(71) as u8));
            }
            if chained {
                hash = next;
            }
        }
        items.push(item(random.hash(), 100));
    }
    items
}

#[test]
fn what_holds_for_every_grouping() {
    let mut grouped = 0;
    for seed in 0..40 {
        let items = clustered(seed, 300);
        for radius in [0, 1, DEFAULT_RADIUS, 31] {
            let found = near_groups(&items, radius).unwrap();
            holds(&items, radius, &found);
            grouped += found.groups.iter().map(|g| g.members.len()).sum::<usize>();
        }
    }
    assert!(grouped > 5_000, "{grouped}");
    // Enough for the index to have bands.
    let items = clustered(99, 40_000);
    let found = near_groups(&items, 20).unwrap();
    assert!(found.groups.len() > 1_000);
    let near: BTreeMap<usize, &[Member]> = found.groups.iter().map(|g| (g.representative, &g.members[..])).collect();
    for (representative, members) in near {
        for m in members {
            assert_eq!(bitwise(&items[representative].hash, &items[m.item].hash), m.distance);
            assert!(m.distance <= 20);
        }
    }
}

/// Groups as sets of hash and quality, in which items of equal both are the same.
fn shown(items: &[Item], found: &Grouping) -> BTreeSet<Vec<(PdqHash, u8)>> {
    let of = |i: usize| (items[i].hash, items[i].quality);
    let group = |g: &avocet_near::group::Group| {
        let mut members: Vec<_> = g.members.iter().map(|m| of(m.item)).collect();
        members.sort_unstable();
        [vec![of(g.representative)], members].concat()
    };
    found.groups.iter().map(group).collect()
}

#[test]
fn the_order_of_input_does_not_matter() {
    let mut random = Random(77);
    for seed in 100..120 {
        let items = clustered(seed, 400);
        let found = near_groups(&items, 24).unwrap();
        assert!(found.groups.len() > 10);
        assert_eq!(near_groups(&items, 24).unwrap(), found, "twice the same");
        for _ in 0..3 {
            let mut mixed = items.clone();
            random.shuffle(&mut mixed);
            assert_eq!(shown(&mixed, &near_groups(&mixed, 24).unwrap()), shown(&items, &found));
        }
    }
}

#[test]
fn equal_items_are_represented_by_the_first() {
    let mut random = Random(12);
    let hash = random.hash();
    let items = [item(random.hash(), 90), item(hash, 80), item(hash, 90), item(hash, 90)];
    let found = near_groups(&items, 31).unwrap();
    assert_eq!(found.groups.len(), 1);
    assert_eq!(found.groups[0].representative, 2);
    assert_eq!(found.groups[0].members, [Member { distance: 0, item: 1 }, Member { distance: 0, item: 3 }]);
}

/// Five in a row, 20 bits from one to the next: with radius 31 the second and fourth cannot be brought together by the
/// third.
#[test]
fn never_chained() {
    let mut bytes = [0u8; 32];
    let row: Vec<PdqHash> = (0..5)
        .map(|i| {
            // Ends after 20 more bits each time.
            (0..i * 20).for_each(|bit: usize| bytes[bit / 8] |= 1 << (bit % 8));
            PdqHash(bytes)
        })
        .collect();
    let items: Vec<Item> = row.iter().map(|h| item(*h, 100)).collect();
    let found = near_groups(&items, 31).unwrap();
    holds(&items, 31, &found);
    assert!(found.groups.iter().all(|g| g.members.len() <= 2), "{found:?}");
    assert_eq!(found.groups.iter().map(|g| g.members.len() + 1).sum::<usize>(), 5);
}

/// The original is near all of its copies, which are not near each other: one group, and the original stands for it.
#[test]
fn an_original_and_its_copies_are_one_group() {
    let mut random = Random(13);
    let original = random.hash();
    let mut items: Vec<Item> = (0..10).map(|_| item(random.flipped(&original, 25), 100)).collect();
    items.push(item(original, 60));
    let found = near_groups(&items, 31).unwrap();
    assert_eq!(found.groups.len(), 1);
    assert_eq!((found.groups[0].representative, found.groups[0].members.len()), (10, 10));
}

#[test]
fn low_quality_is_left_out_and_counted() {
    let hash = Random(14).hash();
    let items = [item(hash, 49), item(hash, 50), item(hash, 0), item(hash, 51)];
    let found = near_groups(&items, 31).unwrap();
    assert_eq!(found.low_quality, 2);
    assert_eq!(
        (found.groups[0].representative, &found.groups[0].members[..]),
        (3, &[Member { distance: 0, item: 1 }][..])
    );
    assert_eq!(near_groups(&items[..2], 31).unwrap(), Grouping { groups: vec![], low_quality: 1 });
    assert_eq!(near_groups(&[], 31).unwrap(), Grouping::default());
    assert_eq!(near_groups(&items, 32), Err(NearError::Radius(32)));
}

/// Thousands that look the same must not cost the square of their number in memory, and still be one group.
#[test]
fn thousands_that_look_the_same() {
    let mut random = Random(15);
    let centre = random.hash();
    let mut items: Vec<Item> = (0..6_000).map(|i| item(random.flipped(&centre, i % 7), 90)).collect();
    items.extend((0..6_000).map(|_| item(random.hash(), 90)));
    let found = near_groups(&items, DEFAULT_RADIUS).unwrap();
    assert_eq!(found.groups.len(), 1);
    assert_eq!(found.groups[0].members.len(), 5_999);
}

/// Of the reference pictures, what groups: the same photograph in two files, and no two photographs.
#[test]
fn photographs_of_one_scene_do_not_group() {
    let Some(vectors) = vectors() else { return };
    let photographs: Vec<&Vector> = vectors
        .iter()
        .filter(|v| ["pictures/corpus/", "pictures/exif/"].iter().any(|p| v.path.starts_with(p)))
        .collect();
    assert!(photographs.len() > 900);
    let items: Vec<Item> = photographs.iter().map(|v| item(v.full, v.quality)).collect();
    for radius in [DEFAULT_RADIUS, 31] {
        let found = near_groups(&items, radius).unwrap();
        holds(&items, radius, &found);
        let paths: Vec<(&str, Vec<&str>)> = found
            .groups
            .iter()
            .map(|g| {
                (
                    &photographs[g.representative].path[..],
                    g.members.iter().map(|m| &photographs[m.item].path[..]).collect(),
                )
            })
            .collect();
        // Issue 600's two files hold the same pixels.
        let folder = "pictures/exif/metadata-extractor/Issue_600_";
        let same = (format!("{folder}_1_.jpg"), format!("{folder}_2_.jpg"));
        assert_eq!(paths, [(&same.0[..], vec![&same.1[..]])], "radius {radius}");
    }
}

/// The edits of one photograph that ship with PDQ come together.
#[test]
fn edits_of_the_reference_photograph_group() {
    let Some(vectors) = vectors() else { return };
    let edits: Vec<&Vector> = vectors.iter().filter(|v| v.path.starts_with("perceptual/pdq/bridge-mods/")).collect();
    let items: Vec<Item> = edits.iter().map(|v| item(v.full, v.quality)).collect();
    let found = near_groups(&items, DEFAULT_RADIUS).unwrap();
    holds(&items, DEFAULT_RADIUS, &found);
    let all: BTreeSet<&str> = found
        .groups
        .iter()
        .flat_map(|g| g.members.iter().map(|m| m.item).chain([g.representative]))
        .filter_map(|i| edits[i].path.rsplit('/').next())
        .collect();
    assert_eq!(found.groups.len(), 1);
    for name in ["aaa-orig.jpg", "blur-a-little.jpg", "blur-a-lot.jpg", "high-contrast.jpg", "sharpen-a-little.jpg"] {
        assert!(all.contains(name), "{all:?}");
    }
}
