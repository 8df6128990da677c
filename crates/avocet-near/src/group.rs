//! Near groups: pictures that look the same, so that a person meets them once.
//!
//! A group is a representative and the items within a distance of the representative *itself*. Nothing is chained: that
//! A is near B and B near C does not bring A and C together. An exact stack, the files of one SHA-256, is another
//! thing; items here are distinct contents.
//!
//! How representatives are chosen: the item with the most neighbours first, so that an original comes before the
//! re-saved copies around it and groups are few; among equals the one of the higher PDQ quality, the picture with more
//! to see; then the smaller hash, so that the order of input does not decide; then the order of input, which is left
//! to decide between items of equal hash and quality only. An item near several representatives goes to the nearest,
//! and of equally near ones to the one chosen first.

use avocet_base::PdqHash;

use crate::{Bits, Index, MAX_RADIUS, MIN_QUALITY, NearError, Neighbour, Settings};

/// The radius at which pictures are grouped unless another is asked for; why this one is in
/// `docs/decisions/0009-near-match.md`. Smaller than the radius of a match with a known picture, [`MAX_RADIUS`]: a match is
/// looked at by a person, while a group hides its members behind one picture.
pub const DEFAULT_RADIUS: u32 = 16;

/// From here on more neighbours make no difference to the choice of a representative. It bounds the work where
/// thousands of pictures look the same.
const MOST_COUNTED: usize = 1000;

/// Units asked for at once.
const WINDOW: usize = 32;

/// A picture to be grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item {
    /// Its hash. All items of a call must be made the same way (full size or reduced).
    pub hash: PdqHash,
    /// Its PDQ quality, 0 to 100. Below [`MIN_QUALITY`] it joins no group.
    pub quality: u8,
}

/// An item in a group, and why it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Member {
    /// Bits between its hash and the representative's: the reason.
    pub distance: u32,
    /// Its place in the input.
    pub item: usize,
}

/// A representative and what looks the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The representative's place in the input. It is not among the members.
    pub representative: usize,
    /// At least one, in the order of distance, then place.
    pub members: Vec<Member>,
}

/// All groups of a call.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grouping {
    /// In the order of their representatives' places.
    pub groups: Vec<Group>,
    /// Items left out because their quality is below [`MIN_QUALITY`].
    pub low_quality: usize,
}

/// All items of one hash. They have the same neighbours, so they are asked for once.
struct Unit {
    hash: PdqHash,
    /// The item that stands for them: of the highest quality, then the first.
    lead: usize,
    quality: u8,
    /// Which part of the items in the order of their hashes.
    items: std::ops::Range<usize>,
    /// Other items within the radius, up to [`MOST_COUNTED`].
    neighbours: usize,
    /// The representative it belongs to, by its place among the units, and the distance.
    near: Option<(usize, u32)>,
}

/// Groups the items. The result depends on the items and not on their order, but for which of several items of equal
/// hash and quality represents them.
///
/// # Errors
/// [`NearError::Radius`] above [`MAX_RADIUS`]; otherwise as [`Index::build`].
pub fn near_groups(items: &[Item], radius: u32) -> Result<Grouping, NearError> {
    if radius > MAX_RADIUS {
        return Err(NearError::Radius(radius));
    }
    let mut sorted: Vec<(PdqHash, std::cmp::Reverse<u8>, usize)> = items
        .iter()
        .enumerate()
        .filter(|(_, item)| item.quality >= MIN_QUALITY)
        .map(|(place, item)| (item.hash, std::cmp::Reverse(item.quality), place))
        .collect();
    sorted.sort_unstable();
    let low_quality = items.len() - sorted.len();

    let mut units: Vec<Unit> = Vec::new();
    for (at, (hash, quality, lead)) in sorted.iter().enumerate() {
        match units.last_mut() {
            Some(unit) if unit.hash == *hash => unit.items.end = at + 1,
            _ => units.push(Unit {
                hash: *hash,
                lead: *lead,
                quality: quality.0,
                items: at..at + 1,
                neighbours: 0,
                near: None,
            }),
        }
    }
    let index = Index::build(units.iter().map(|u| u.hash), Settings { radius, ..Settings::default() })?;
    let sizes: Vec<usize> = units.iter().map(|u| u.items.len()).collect();
    for (window, units) in units.chunks_mut(WINDOW).enumerate() {
        let first = window * WINDOW;
        // One more than is counted, since a unit finds itself.
        let found = ask(&index, first..first + units.len(), radius, MOST_COUNTED + 1);
        for (unit, found) in units.iter_mut().zip(found) {
            let others: usize = found.iter().filter_map(|n| sizes.get(n.item as usize)).sum();
            unit.neighbours = others.saturating_sub(1).min(MOST_COUNTED);
        }
    }

    let mut order: Vec<usize> = (0..units.len()).collect();
    let rank =
        |at: &usize| units.get(*at).map(|u| (std::cmp::Reverse(u.neighbours), std::cmp::Reverse(u.quality), u.hash));
    order.sort_by_cached_key(rank);
    let chosen = choose(&index, &mut units, &order, radius);

    let mut groups: Vec<Option<Group>> = Vec::new();
    groups.resize_with(units.len(), || None);
    for at in chosen {
        if let (Some(slot), Some(unit)) = (groups.get_mut(at), units.get(at)) {
            *slot = Some(Group { representative: unit.lead, members: Vec::new() });
        }
    }
    for unit in &units {
        let Some((to, distance)) = unit.near else { continue };
        let Some(Some(group)) = groups.get_mut(to) else { continue };
        let members = sorted.get(unit.items.clone()).unwrap_or_default().iter().map(|(_, _, item)| *item);
        let representative = group.representative;
        group.members.extend(members.filter(|item| *item != representative).map(|item| Member { distance, item }));
    }
    // A representative may have lost all its neighbours to nearer ones.
    let mut groups: Vec<Group> = groups.into_iter().flatten().filter(|g| !g.members.is_empty()).collect();
    for group in &mut groups {
        group.members.sort_unstable();
    }
    groups.sort_unstable_by_key(|g| g.representative);
    Ok(Grouping { groups, low_quality })
}

/// Chooses representatives in this order and gives each unit to its nearest.
fn choose(index: &Index, units: &mut [Unit], order: &[usize], radius: u32) -> Vec<usize> {
    let mut chosen = Vec::new();
    // Without neighbours there is no group; with a representative there already is one.
    let open = |units: &[Unit], at: usize| units.get(at).is_some_and(|u| u.neighbours > 0 && u.near.is_none());
    let crowded = |units: &[Unit], at: usize| units.get(at).is_some_and(|u| u.neighbours >= MOST_COUNTED);
    let mut left = order.iter().copied();
    loop {
        // Several are asked for at once. Some may then turn out to belong to one before them; the answer for those is
        // dropped. Where an answer may be large, one at a time.
        let mut window: Vec<usize> = Vec::with_capacity(WINDOW);
        while window.len() < WINDOW && !window.iter().any(|at| crowded(units, *at)) {
            match left.next() {
                Some(at) if open(units, at) => window.push(at),
                Some(_) => {}
                None => break,
            }
        }
        if window.is_empty() {
            return chosen;
        }
        let answers = ask(index, window.iter().copied(), radius, usize::MAX);
        for (at, answer) in window.into_iter().zip(answers) {
            if !open(units, at) {
                continue;
            }
            chosen.push(at);
            // No representative is among them: this unit would be within its radius, and not open.
            for neighbour in answer {
                if let Some(unit) = units.get_mut(neighbour.item as usize)
                    && unit.near.is_none_or(|(_, distance)| neighbour.distance < distance)
                {
                    unit.near = Some((at, neighbour.distance));
                }
            }
        }
    }
}

/// The neighbours of units, from an index of all units.
fn ask(index: &Index, units: impl Iterator<Item = usize>, radius: u32, limit: usize) -> Vec<Vec<Neighbour>> {
    let bits: Vec<Bits> = units.filter_map(|at| index.bits(u32::try_from(at).ok()?)).copied().collect();
    index.many(&bits, radius, limit)
}
