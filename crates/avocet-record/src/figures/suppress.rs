//! Small numbers in breakdowns are not shown, nor what would let a reader work them out.

/// The least number of a breakdown that is shown, besides nought.
pub const LEAST_SHOWN: u64 = 5;

/// A cell of a breakdown as it may be published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// This number.
    Number(u64),
    /// Not shown: it is 1 to 4, or would give away one that is.
    Withheld,
}

/// What of a breakdown may be shown beside its total; `None` where nothing may: the total alone would give the cells away.
///
/// Cells of 1 to 4 are withheld. Beside a total, what is withheld has a known sum; so where only one cell is withheld, or
/// where the sum leaves a withheld cell but one value, the first cell that is still shown is withheld as well. Neither the
/// smallest nor the largest: the cells that are shown would then say something of its size.
#[must_use]
pub fn suppress(cells: &[u64]) -> Option<Vec<Shown>> {
    let mut hidden: Vec<bool> = cells.iter().map(|n| (1..LEAST_SHOWN).contains(n)).collect();
    if !hidden.contains(&true) {
        return Some(cells.iter().map(|n| Shown::Number(*n)).collect());
    }
    while !is_open(cells, &hidden) {
        let (_, next) = cells.iter().zip(&mut hidden).find(|(n, hidden)| **n > 0 && !**hidden)?;
        *next = true;
    }
    let cell = |(n, hidden): (&u64, &bool)| if *hidden { Shown::Withheld } else { Shown::Number(*n) };
    Some(cells.iter().zip(&hidden).map(cell).collect())
}

/// Whether each withheld cell can have more than one value, by what a reader knows: how many are withheld, their sum, that
/// none is nought, and that all may be less than [`LEAST_SHOWN`].
fn is_open(cells: &[u64], hidden: &[bool]) -> bool {
    let withheld = || cells.iter().zip(hidden).filter(|(_, hidden)| **hidden).map(|(n, _)| *n);
    let (count, sum) = withheld().fold((0u64, 0u64), |(count, sum), n| (count + 1, sum.saturating_add(n)));
    count >= 2 && sum > count && sum != count.saturating_mul(LEAST_SHOWN - 1)
}
