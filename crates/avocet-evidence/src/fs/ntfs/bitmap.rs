//! `$Bitmap`: which clusters belong to something live.

use std::collections::HashMap;

use super::value::Value;
use crate::entry::Run;
use crate::error::{ReadError, ReadFault};
use crate::source::Source;

/// Bytes of the map read at once to count single runs.
const PAGE: u64 = 64 * 1024;
/// Pages kept.
const PAGES: usize = 64;
/// Runs reported at most: a map of alternating bits would need sixteen bytes for every two clusters.
const MOST_RUNS: usize = 16 * 1024 * 1024;

/// Counts allocated clusters, keeping a few pages of the map.
pub(super) struct Bitmap<'a> {
    value: &'a Value,
    source: &'a dyn Source,
    pages: HashMap<u64, Vec<u8>>,
}

impl<'a> Bitmap<'a> {
    pub fn new(value: &'a Value, source: &'a dyn Source) -> Self {
        Self { value, source, pages: HashMap::new() }
    }

    /// How many of `length` clusters from `first` are allocated.
    pub fn allocated(&mut self, first: u64, length: u64) -> Result<u64, ReadError> {
        let (mut at, end, mut sum) = (first, first.saturating_add(length), 0u64);
        while at < end {
            let page_number = at / (PAGE * 8);
            let page_end = (page_number + 1).saturating_mul(PAGE * 8).min(end);
            if !self.pages.contains_key(&page_number) {
                if self.pages.len() >= PAGES {
                    self.pages.clear();
                }
                let from = page_number * PAGE;
                let size = self.value.size.saturating_sub(from).min(PAGE);
                let mut page = vec![0; usize::try_from(size).unwrap_or(0)];
                self.value.read_at(self.source, from, &mut page)?;
                self.pages.insert(page_number, page);
            }
            let page = self.pages.get(&page_number).map(Vec::as_slice).unwrap_or_default();
            let base = page_number * PAGE * 8;
            sum = sum.saturating_add(count(page, at - base, page_end - base)?);
            at = page_end;
        }
        Ok(sum)
    }
}

/// Set bits from `from` to before `to`.
fn count(page: &[u8], from: u64, to: u64) -> Result<u64, ReadError> {
    let short = || ReadError::new("ntfs", 0, ReadFault::Truncated, "the allocation map is shorter than the volume");
    let (first, last) = (usize::try_from(from / 8).unwrap_or(0), usize::try_from(to.div_ceil(8)).unwrap_or(0));
    let bytes = page.get(first..last).ok_or_else(short)?;
    let mut sum = 0u64;
    for (i, byte) in bytes.iter().enumerate() {
        let mut mask = 0xffu8;
        if i == 0 {
            mask &= 0xff << (from % 8);
        }
        if i + 1 == bytes.len() && !to.is_multiple_of(8) {
            mask &= 0xff >> (8 - to % 8);
        }
        sum += u64::from((byte & mask).count_ones());
    }
    Ok(sum)
}

/// The runs of clear bits among the first `clusters`, in bytes of the volume.
pub(super) fn free_runs(
    value: &Value,
    source: &dyn Source,
    clusters: u64,
    cluster: u64,
) -> Result<Vec<Run>, ReadError> {
    let needed = clusters.div_ceil(8);
    if value.size < needed {
        return Err(ReadError::new(
            "ntfs",
            value.size,
            ReadFault::Truncated,
            "the allocation map is shorter than the volume",
        ));
    }
    let mut out: Vec<Run> = vec![];
    let mut start: Option<u64> = None;
    let mut end_run = |start: &mut Option<u64>, at: u64| -> Result<(), ReadError> {
        if let Some(first) = start.take() {
            if out.len() >= MOST_RUNS {
                return Err(ReadError::new("ntfs", at, ReadFault::Unsupported, "more free runs than are kept"));
            }
            out.push(Run { start: first.saturating_mul(cluster), length: (at - first).saturating_mul(cluster) });
        }
        Ok(())
    };
    let mut piece = vec![];
    let mut at = 0u64;
    while at < needed {
        piece.resize(usize::try_from((needed - at).min(1024 * 1024)).unwrap_or(0), 0);
        value.read_at(source, at, &mut piece)?;
        for (i, byte) in piece.iter().enumerate() {
            let first = (at + i as u64) * 8;
            match (*byte, start) {
                (0xff, None) => {}
                (0, Some(_)) if first + 8 <= clusters => {}
                _ => {
                    for bit in 0..8 {
                        let lcn = first + bit;
                        if lcn >= clusters {
                            break;
                        }
                        if byte & (1 << bit) != 0 {
                            end_run(&mut start, lcn)?;
                        } else if start.is_none() {
                            start = Some(lcn);
                        }
                    }
                }
            }
        }
        at += piece.len() as u64;
    }
    end_run(&mut start, clusters)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::ntfs::runs::DataRun;
    use crate::source::MemorySource;

    #[test]
    fn counts_and_runs_agree_with_a_plain_loop() {
        let mut state = 7u64;
        let map: Vec<u8> = (0..512)
            .map(|i| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                if i % 64 < 20 {
                    0
                } else if i % 64 < 40 {
                    0xff
                } else {
                    (state >> 60) as u8
                }
            })
            .collect();
        let bit = |n: u64| map[(n / 8) as usize] >> (n % 8) & 1;
        let source = MemorySource(map.clone());
        let value = Value::new(&[DataRun { vcn: 0, length: 1, lcn: Some(0) }], 512, 512, 512).unwrap();
        let mut bitmap = Bitmap::new(&value, &source);
        for (first, length) in [(0, 1), (3, 2), (0, 4096), (7, 9), (100, 1000), (4095, 1), (8, 8), (5, 0)] {
            let expected = (first..first + length).filter(|n| bit(*n) == 1).count() as u64;
            assert_eq!(bitmap.allocated(first, length).unwrap(), expected, "{first} {length}");
        }
        assert!(bitmap.allocated(4090, 10).is_err());
        for clusters in [4096, 4090, 170, 1] {
            let free: u64 = (0..clusters).filter(|n| bit(*n) == 0).count() as u64;
            let runs = free_runs(&value, &source, clusters, 1).unwrap();
            assert_eq!(runs.iter().map(|r| r.length).sum::<u64>(), free);
            assert!(runs.iter().all(|r| (r.start..r.start + r.length).all(|n| bit(n) == 0)));
            assert!(runs.windows(2).all(|w| w[0].start + w[0].length < w[1].start));
        }
        assert!(free_runs(&value, &source, 4097, 1).is_err());
    }
}
