//! The same work on many things, in as many threads as there are cores.

use std::num::NonZeroUsize;
use std::thread;

/// Fewer than these are done where they are: a thread costs more.
const WORTH_IT: usize = 500;
/// More threads than these gain nothing for what the record asks.
const MOST: usize = 8;

/// What `each` makes of every one of these, in their order.
pub fn in_parts<T: Send, R: Send>(mut all: Vec<T>, each: impl Fn(T) -> R + Sync) -> Vec<R> {
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get).min(MOST);
    let threads = cores.min(all.len() / WORTH_IT);
    if threads < 2 {
        return all.into_iter().map(each).collect();
    }
    let part = all.len().div_ceil(threads);
    let mut parts = vec![];
    while all.len() > part {
        parts.push(all.split_off(all.len().saturating_sub(part)));
    }
    let (each, mut done) = (&each, vec![]);
    thread::scope(|scope| {
        let work = |part: Vec<T>| scope.spawn(move || part.into_iter().map(each).collect::<Vec<_>>());
        // The parts were cut off from the end.
        let others: Vec<_> = parts.into_iter().rev().map(work).collect();
        done.extend(all.into_iter().map(each));
        for other in others {
            done.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
    });
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_one_is_done_once_and_in_order() {
        for n in [0, 1, WORTH_IT, 2 * WORTH_IT - 1, 2 * WORTH_IT, 2 * WORTH_IT + 1, 10_007] {
            let all: Vec<usize> = (0..n).collect();
            assert_eq!(in_parts(all.clone(), |n| n + 1), all.iter().map(|n| n + 1).collect::<Vec<_>>(), "{n}");
        }
    }
}
