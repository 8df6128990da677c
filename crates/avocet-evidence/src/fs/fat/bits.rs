//! One bit for each cluster.

/// A set of cluster numbers, one bit each, searched a word at a time.
#[derive(Clone)]
pub(in crate::fs) struct Bits {
    words: Vec<u64>,
    end: u32,
}

impl Bits {
    /// An empty set of the numbers `0..end`.
    pub fn new(end: u32) -> Self {
        Self { words: vec![0; usize::try_from(end.div_ceil(64)).unwrap_or(0)], end }
    }

    fn place(number: u32) -> (usize, u64) {
        (usize::try_from(number / 64).unwrap_or(usize::MAX), 1 << (number % 64))
    }

    /// Whether `number` is in the set; numbers past the end are not.
    pub fn get(&self, number: u32) -> bool {
        let (word, bit) = Self::place(number);
        number < self.end && self.words.get(word).is_some_and(|w| w & bit != 0)
    }

    /// Adds `number` and says whether it was there before. Numbers past the end are never there.
    pub fn set(&mut self, number: u32) -> bool {
        let (word, bit) = Self::place(number);
        match self.words.get_mut(word).filter(|_| number < self.end) {
            Some(w) => {
                let was = *w & bit != 0;
                *w |= bit;
                was
            }
            None => false,
        }
    }

    /// The first number at or after `from` that is in the set (`wanted`) or is not.
    pub fn next(&self, from: u32, wanted: bool) -> Option<u32> {
        let (mut word, bit) = Self::place(from);
        let mut keep = !(bit.wrapping_sub(1));
        loop {
            let value = *self.words.get(word)?;
            let hits = (if wanted { value } else { !value }) & keep;
            if hits != 0 {
                let number = u32::try_from(word).ok()?.checked_mul(64)?.checked_add(hits.trailing_zeros())?;
                return (number < self.end).then_some(number);
            }
            word = word.checked_add(1)?;
            keep = u64::MAX;
        }
    }

    /// The maximal runs of numbers not in the set, as (first, count), from `from` on.
    pub fn clear_runs(&self, from: u32) -> impl Iterator<Item = (u32, u32)> + '_ {
        let mut at = from;
        std::iter::from_fn(move || {
            let first = self.next(at, false)?;
            let end = self.next(first, true).unwrap_or(self.end);
            at = end;
            Some((first, end.saturating_sub(first)))
        })
    }

    /// How many numbers of `first..first + count` are in the set.
    pub fn count_in(&self, first: u32, count: u32) -> u64 {
        let end = first.saturating_add(count).min(self.end);
        let (mut at, mut found) = (first, 0u64);
        while let Some(hit) = self.next(at, true).filter(|h| *h < end) {
            let stop = self.next(hit, false).unwrap_or(self.end).min(end);
            found = found.saturating_add(u64::from(stop.saturating_sub(hit)));
            at = stop;
        }
        found
    }

    /// How many numbers are in this set and not in `other`, and the first of them.
    pub fn minus(&self, other: &Bits) -> (u64, Option<u32>) {
        let mut count = 0u64;
        let mut first = None;
        for ((a, b), base) in self.words.iter().zip(&other.words).zip((0u32..).step_by(64)) {
            let left = a & !b;
            count = count.saturating_add(u64::from(left.count_ones()));
            if left != 0 && first.is_none() {
                first = base.checked_add(left.trailing_zeros());
            }
        }
        (count, first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn searches_agree_with_a_plain_list() {
        let mut bits = Bits::new(200);
        let mut plain = [false; 200];
        let mut x = 12345u32;
        for _ in 0..90 {
            x = x.wrapping_mul(1_103_515_245).wrapping_add(12345);
            let n = (x >> 8) % 200;
            assert_eq!(bits.set(n), plain[n as usize]);
            plain[n as usize] = true;
        }
        for from in 0..210u32 {
            for wanted in [true, false] {
                let expected = (from..200).find(|n| plain[*n as usize] == wanted);
                assert_eq!(bits.next(from, wanted), expected, "{from} {wanted}");
            }
            let expected = (from..(from + 70).min(200)).filter(|n| plain[*n as usize]).count() as u64;
            assert_eq!(bits.count_in(from, 70), expected);
        }
        let free: u32 = bits.clear_runs(0).map(|(_, n)| n).sum();
        assert_eq!(free as usize, plain.iter().filter(|b| !**b).count());
        assert!(!bits.set(200) && !bits.get(200));
        assert_eq!(bits.minus(&Bits::new(200)).0, 200 - u64::from(free));
        assert_eq!(bits.minus(&bits).0, 0);
    }
}
