//! How far votes agree beyond chance. The figures are about a sample as a whole: there is none about a person, and
//! nothing here can order people.

use std::collections::BTreeMap;
use std::fmt;

use super::fact::{Category, Purpose, SchemeRef};
use super::item::{CastVote, ItemVotes};

/// Why there is no kappa.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotDefined {
    /// There is no item.
    NoItems,
    /// Fewer than two votes an item.
    TooFewVotes,
    /// All votes are in one category: agreement by chance is complete, and nothing is left to measure.
    OneCategory,
    /// The counts are too large to be worked out exactly.
    TooLarge,
}

impl fmt::Display for NotDefined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NotDefined::NoItems => "there are no items",
            NotDefined::TooFewVotes => "there are fewer than two votes an item",
            NotDefined::OneCategory => "all votes are in one category",
            NotDefined::TooLarge => "there are too many items",
        })
    }
}

/// Agreement beyond chance: 1 is complete, 0 is what chance gives, less is worse than chance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kappa {
    /// The figure.
    Value(f64),
    /// There is none.
    NotDefined(NotDefined),
}

/// What a sample shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Agreement {
    /// Items counted.
    pub items: u64,
    /// Votes on each.
    pub votes_per_item: u64,
    /// Share of agreeing pairs of votes, 0 to 1; none where there is no pair.
    pub observed: Option<f64>,
    /// Share that chance would give, 0 to 1.
    pub by_chance: Option<f64>,
    /// Agreement beyond chance.
    pub kappa: Kappa,
}

impl Agreement {
    fn none(items: u64, votes_per_item: u64, why: NotDefined) -> Self {
        Self { items, votes_per_item, observed: None, by_chance: None, kappa: Kappa::NotDefined(why) }
    }
}

impl fmt::Display for Agreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kappa {
            Kappa::Value(kappa) => write!(f, "kappa {kappa:.2}")?,
            Kappa::NotDefined(why) => write!(f, "kappa is not defined, as {why}")?,
        }
        write!(f, "; {} items with {} votes each", self.items, self.votes_per_item)?;
        if let (Some(observed), Some(by_chance)) = (self.observed, self.by_chance) {
            write!(f, "; {:.1} % of pairs agree, {:.1} % would by chance", observed * 100.0, by_chance * 100.0)?;
        }
        Ok(())
    }
}

/// How often a first and a second vote gave which categories.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Confusion {
    counts: BTreeMap<(Category, Category), u64>,
}

impl Confusion {
    /// Adds one item.
    pub fn add(&mut self, first: &Category, second: &Category) {
        let count = self.counts.entry((first.clone(), second.clone())).or_default();
        *count = count.saturating_add(1);
    }

    /// How many items there are of each pair of categories, in order.
    pub fn counts(&self) -> impl Iterator<Item = (&Category, &Category, u64)> {
        self.counts.iter().map(|((first, second), count)| (first, second, *count))
    }

    /// How many items there are.
    #[must_use]
    pub fn items(&self) -> u64 {
        self.counts.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Cohen's kappa (Educational and Psychological Measurement 20, 1960): (observed - by chance) / (1 - by chance),
    /// chance being the product of the two margins. Worked out in whole numbers up to the last division.
    #[must_use]
    pub fn cohen(&self) -> Agreement {
        let items = self.items();
        if items == 0 {
            return Agreement::none(0, 2, NotDefined::NoItems);
        }
        let (mut first, mut second): (BTreeMap<&Category, u128>, BTreeMap<&Category, u128>) = Default::default();
        let mut agree = 0u128;
        for ((a, b), count) in &self.counts {
            *first.entry(a).or_default() += u128::from(*count);
            *second.entry(b).or_default() += u128::from(*count);
            if a == b {
                agree += u128::from(*count);
            }
        }
        let chance = first.iter().try_fold(0u128, |sum, (category, count)| {
            sum.checked_add(count.checked_mul(second.get(category).copied().unwrap_or(0))?)
        });
        let n = u128::from(items);
        let all = n.checked_mul(n);
        let (Some(chance), Some(all), Some(agree)) = (chance, all, n.checked_mul(agree)) else {
            return Agreement::none(items, 2, NotDefined::TooLarge);
        };
        result(items, 2, agree, chance, all)
    }
}

/// Votes on items by as many people each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Panel {
    votes_per_item: u64,
    items: u64,
    totals: BTreeMap<Category, u64>,
    /// Sum over items and categories of the squared number of votes.
    squares: u128,
    /// Items with another number of votes, which are left out.
    pub left_out: u64,
}

impl Panel {
    /// A panel of items that have this many votes each.
    #[must_use]
    pub fn new(votes_per_item: u64) -> Self {
        Self { votes_per_item, items: 0, totals: BTreeMap::new(), squares: 0, left_out: 0 }
    }

    /// Adds an item by its votes; one with another number of votes is counted as left out.
    pub fn add(&mut self, votes: &[Category]) {
        if votes.len() as u64 != self.votes_per_item {
            self.left_out = self.left_out.saturating_add(1);
            return;
        }
        let mut counts: BTreeMap<&Category, u64> = BTreeMap::new();
        for category in votes {
            *counts.entry(category).or_default() += 1;
        }
        for (category, count) in counts {
            let total = self.totals.entry(category.clone()).or_default();
            *total = total.saturating_add(count);
            self.squares = self.squares.saturating_add(u128::from(count) * u128::from(count));
        }
        self.items = self.items.saturating_add(1);
    }

    /// How many votes there are of each category, in order.
    pub fn totals(&self) -> impl Iterator<Item = (&Category, u64)> {
        self.totals.iter().map(|(category, count)| (category, *count))
    }

    /// Fleiss' kappa (Psychological Bulletin 76, 1971): the mean share of agreeing pairs of votes on an item against
    /// the sum of the squared shares of the categories. Worked out in whole numbers up to the last division.
    #[must_use]
    pub fn fleiss(&self) -> Agreement {
        let (items, each) = (self.items, self.votes_per_item);
        if each < 2 {
            return Agreement::none(items, each, NotDefined::TooFewVotes);
        }
        if items == 0 {
            return Agreement::none(0, each, NotDefined::NoItems);
        }
        // observed = (S - N m) / (N m (m - 1)); by chance = C / (N m)^2; over the common denominator (N m)^2 (m - 1):
        let parts = || -> Option<(u128, u128, u128)> {
            let votes = u128::from(items).checked_mul(u128::from(each))?;
            let pairs = u128::from(each) - 1;
            let observed = self.squares.checked_sub(votes)?.checked_mul(votes)?;
            let chance = self
                .totals
                .values()
                .try_fold(0u128, |sum, count| sum.checked_add(u128::from(*count).checked_mul(u128::from(*count))?))?;
            Some((observed, chance.checked_mul(pairs)?, votes.checked_mul(votes)?.checked_mul(pairs)?))
        };
        match parts() {
            Some((observed, chance, all)) => result(items, each, observed, chance, all),
            None => Agreement::none(items, each, NotDefined::TooLarge),
        }
    }
}

/// `observed / all` against `chance / all`.
#[expect(clippy::cast_precision_loss, reason = "a share to 15 digits is enough")]
fn result(items: u64, votes_per_item: u64, observed: u128, chance: u128, all: u128) -> Agreement {
    let share = |part: u128| part as f64 / all as f64;
    let kappa = match all.checked_sub(chance) {
        None | Some(0) => Kappa::NotDefined(NotDefined::OneCategory),
        Some(left) if observed >= chance => Kappa::Value((observed - chance) as f64 / left as f64),
        Some(left) => Kappa::Value(-((chance - observed) as f64 / left as f64)),
    };
    Agreement { items, votes_per_item, observed: Some(share(observed)), by_chance: Some(share(chance)), kappa }
}

/// First and second votes of a sample of items.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PairSample {
    /// Every pair.
    pub all: Confusion,
    /// The pairs whose second vote was blind: who sees a vote tends to agree with it.
    pub blind: Confusion,
    /// Items without a second vote of the kind wanted.
    pub without_second: u64,
    /// Items whose second vote had no first one before it.
    pub without_first: u64,
}

/// Pairs the first grader's vote with the first second view or moderation of each item, in one scheme. The grader's vote
/// is the one that stood when the second was cast: a vote changed afterwards is no independent one.
pub fn pairs<'a>(items: impl IntoIterator<Item = &'a ItemVotes>, scheme: &SchemeRef, second: Purpose) -> PairSample {
    let mut out = PairSample::default();
    for item in items {
        let counts_as = |vote: &CastVote| item.counts_as(vote, false);
        let mut cast = item.history().filter(|(vote, _)| vote.scheme == *scheme);
        let standing = |end| !matches!(end, Some(super::VoteEnd::Withdrawn { .. }));
        let Some((later, _)) =
            cast.find(|(vote, end)| vote.purpose == second && counts_as(vote) == second && standing(*end))
        else {
            out.without_second = out.without_second.saturating_add(1);
            continue;
        };
        let before = item.in_force(scheme, later.seq);
        let Some(first) = before.into_iter().find(|vote| counts_as(vote) == Purpose::Grading && vote.by != later.by)
        else {
            out.without_first = out.without_first.saturating_add(1);
            continue;
        };
        out.all.add(&first.category, &later.category);
        if later.blind {
            out.blind.add(&first.category, &later.category);
        }
    }
    out
}

/// The panel of each item's votes in one scheme: everybody's first vote that was not withdrawn; where `blind` is set,
/// only votes that were blind.
pub fn panel<'a>(
    items: impl IntoIterator<Item = &'a ItemVotes>,
    scheme: &SchemeRef,
    votes_per_item: u64,
    blind: bool,
) -> Panel {
    let mut out = Panel::new(votes_per_item);
    for item in items {
        let mut voters = std::collections::BTreeSet::new();
        let mut votes = Vec::new();
        for (vote, end) in item.history().filter(|(vote, _)| vote.scheme == *scheme) {
            let withdrawn = matches!(end, Some(super::VoteEnd::Withdrawn { .. }));
            if !withdrawn && voters.insert(vote.by) && (vote.blind || !blind) {
                votes.push(vote.category.clone());
            }
        }
        out.add(&votes);
    }
    out
}
