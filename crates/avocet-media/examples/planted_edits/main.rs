//! Planted edits: which changed copies of photographs are found as near matches of the originals, and which unrelated
//! pictures are taken for matches. `planted_edits FOLDER...`
//!
//! Every original is described as an examination does, and its full-size hash goes into a near index, as a known set
//! would hold it. Every copy is a new JPEG file, described and asked in the same way: both forms, eight orientations,
//! quality of 50 or more. The index's answer is compared with all distances computed one by one. Tables in Markdown go
//! to standard output; the exit status is 1 where an edit falls below its floor, an unrelated picture matches or the index misses.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program")]

mod edits;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use avocet_base::PdqHash;
use avocet_media::describe::{Form, HashFacts, describe};
use avocet_near::{FormNeighbour, Index, MAX_RADIUS, MIN_QUALITY, Settings};
use image::RgbImage;

use edits::{EDITS, saved};

/// Shorter side that a file must have to count as a photograph here, in pixels.
const SMALLEST: u32 = 200;

/// A photograph as it is on disk.
struct Original {
    name: String,
    pixels: RgbImage,
    stored: PdqHash,
    asked: Vec<PdqHash>,
}

/// What is asked for a picture: its usable hashes in both forms and eight orientations; none where it is too flat.
fn asked(hashes: &[HashFacts]) -> Vec<PdqHash> {
    hashes.iter().filter(|h| h.quality >= MIN_QUALITY).flat_map(|h| h.turned).collect()
}

fn nearest(asked: &[PdqHash], stored: &PdqHash) -> Option<u32> {
    asked.iter().map(|h| h.distance(stored)).min()
}

fn files(folder: &Path, out: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files(&path, out)?;
        } else {
            out.push(path);
        }
    }
    Ok(())
}

/// A photograph, or why it is none.
fn original(path: &Path) -> Result<Original, &'static str> {
    let bytes = std::fs::read(path).map_err(|_| "cannot be read")?;
    let pixels =
        image::load_from_memory(&bytes).map_err(|_| "no JPEG, PNG or BMP that the image crate decodes")?.into_rgb8();
    if pixels.width().min(pixels.height()) < SMALLEST {
        return Err("a side is below 200 pixels");
    }
    let described = describe(&bytes, false).description;
    let full = described.hashes.iter().find(|h| h.form == Form::Full).ok_or("not decoded whole")?;
    if full.quality < MIN_QUALITY {
        return Err("PDQ quality below 50");
    }
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(Original { name, pixels, stored: full.turned[0], asked: asked(&described.hashes) })
}

/// Does `work` for each of `0..count`, on all cores, results in order.
fn each<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut all: Vec<(usize, T)> = std::thread::scope(|scope| {
        let run = || {
            let numbers = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed)).take_while(|n| *n < count);
            numbers.map(|n| (n, work(n))).collect::<Vec<_>>()
        };
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        threads.into_iter().flat_map(|t| t.join().unwrap_or_default()).collect()
    });
    assert_eq!(all.len(), count, "a thread ended early");
    all.sort_by_key(|(n, _)| *n);
    all.into_iter().map(|(_, t)| t).collect()
}

/// Distances to unrelated originals.
#[derive(Default, Clone)]
struct Unrelated {
    pairs: u64,
    matches: Vec<(u32, usize, usize)>,
    /// Pairs by distance.
    by_distance: BTreeMap<u32, u64>,
}

impl Unrelated {
    fn add(&mut self, distance: u32, pair: (usize, usize)) {
        self.pairs += 1;
        *self.by_distance.entry(distance).or_default() += 1;
        if distance <= MAX_RADIUS {
            self.matches.push((distance, pair.0, pair.1));
        }
    }

    fn join(&mut self, other: Unrelated) {
        self.pairs += other.pairs;
        self.matches.extend(other.matches);
        for (distance, pairs) in other.by_distance {
            *self.by_distance.entry(distance).or_default() += pairs;
        }
    }

    fn print(&self, what: &str) {
        let below = |limit: u32| self.by_distance.range(..limit).map(|(_, n)| n).sum::<u64>();
        let least = self.by_distance.keys().next().copied().unwrap_or_default();
        let (mut seen, mut middle) = (0, 0);
        for (distance, pairs) in &self.by_distance {
            seen += pairs;
            middle = *distance;
            if seen * 2 >= self.pairs {
                break;
            }
        }
        println!(
            "| {what} | {} | **{}** | {least} | {} | {} | {} | {middle} |",
            self.pairs,
            self.matches.len(),
            below(50),
            below(64),
            below(80)
        );
    }
}

/// What became of one copy.
struct Copy {
    /// To its own original; `None` where it is too flat to be asked.
    own: Option<u32>,
    /// Whether the index gave exactly the originals within 31 bits that a comparison with each gives.
    exact: bool,
    unrelated: Unrelated,
}

fn share(part: usize, all: usize) -> f64 {
    if all == 0 { 0.0 } else { part as f64 * 100.0 / all as f64 }
}

fn quantile(sorted: &[u32], part: f64) -> u32 {
    let at = (part * sorted.len() as f64).ceil() as usize;
    sorted.get(at.max(1) - 1).copied().unwrap_or_default()
}

fn main() -> Result<std::process::ExitCode, Box<dyn std::error::Error>> {
    let mut paths = vec![];
    for folder in std::env::args().skip(1) {
        files(Path::new(&folder), &mut paths)?;
    }
    paths.sort();
    let mut left_out: BTreeMap<&str, usize> = BTreeMap::new();
    let mut originals = vec![];
    for one in each(paths.len(), |n| original(&paths[n])) {
        match one {
            Ok(original) => originals.push(original),
            Err(why) => *left_out.entry(why).or_default() += 1,
        }
    }
    println!("{} files, {} photographs; left out: {left_out:?}\n", paths.len(), originals.len());
    let count = originals.len();

    // Originals that are near each other already: the same photograph twice, or a burst.
    let mut alike = vec![];
    for (i, a) in originals.iter().enumerate() {
        for (j, b) in originals.iter().enumerate().skip(i + 1) {
            let distance = nearest(&a.asked, &b.stored).into_iter().chain(nearest(&b.asked, &a.stored)).min();
            if let Some(distance) = distance.filter(|d| *d <= MAX_RADIUS) {
                alike.push((i, j, distance));
            }
        }
    }
    let related = |i: usize, j: usize| i == j || alike.iter().any(|(a, b, _)| (*a, *b) == (i.min(j), i.max(j)));

    let index = Index::build(originals.iter().map(|o| o.stored), Settings::default())?;
    let ask = |forms: &[PdqHash], own: usize| {
        let distances: Vec<Option<u32>> = originals.iter().map(|o| nearest(forms, &o.stored)).collect();
        let mut by_index: Vec<FormNeighbour> = vec![];
        index.within_any(forms, MAX_RADIUS, &mut by_index);
        let mut by_index: Vec<(u32, u32)> = by_index.iter().map(|n| (n.item, n.distance)).collect();
        by_index.sort_unstable();
        let expected = (0u32..).zip(&distances).filter_map(|(i, d)| Some((i, (*d)?))).filter(|(_, d)| *d <= MAX_RADIUS);
        let exact = by_index == expected.collect::<Vec<_>>();
        let mut unrelated = Unrelated::default();
        for (i, distance) in distances.iter().enumerate().filter(|(i, _)| !related(*i, own)) {
            if let Some(distance) = distance {
                unrelated.add(*distance, (own, i));
            }
        }
        Copy { own: distances[own], exact, unrelated }
    };
    let mut failures = vec![];
    let mut inexact = 0;
    let mut of_copies = Unrelated::default();
    let mut false_by_edit = vec![];
    println!("| edit | copies | too flat | found, 31 bits or fewer | median | p95 | most |");
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    for edit in EDITS {
        let copies = each(count, |n| {
            let bytes = saved(edit, &originals[n].pixels)?;
            Some(ask(&asked(&describe(&bytes, false).description.hashes), n))
        });
        let copies: Vec<Copy> = copies.into_iter().flatten().collect();
        if copies.len() != count {
            failures.push(format!("{}: {} copies could not be made", edit.name, count - copies.len()));
        }
        inexact += copies.iter().filter(|c| !c.exact).count();
        let mut own: Vec<u32> = copies.iter().filter_map(|c| c.own).collect();
        own.sort_unstable();
        let found = own.iter().filter(|d| **d <= MAX_RADIUS).count();
        let recall = share(found, copies.len());
        println!(
            "| {} | {} | {} | {found} ({recall:.1} %) | {} | {} | {} |",
            edit.name,
            copies.len(),
            copies.len() - own.len(),
            quantile(&own, 0.5),
            quantile(&own, 0.95),
            own.last().copied().unwrap_or_default()
        );
        if edit.floor.is_some_and(|floor| recall < floor) {
            failures.push(format!("{}: {recall:.1} %", edit.name));
        }
        let mut here = Unrelated::default();
        copies.into_iter().for_each(|c| here.join(c.unrelated));
        if !here.matches.is_empty() {
            false_by_edit.push((edit.name, here.matches.clone()));
        }
        of_copies.join(here);
    }

    let mut of_originals = Unrelated::default();
    let mut as_stored = Unrelated::default();
    for (i, a) in originals.iter().enumerate() {
        for (j, b) in originals.iter().enumerate().skip(i + 1).filter(|(j, _)| !related(i, *j)) {
            as_stored.add(a.stored.distance(&b.stored), (i, j));
            let both = nearest(&a.asked, &b.stored).into_iter().chain(nearest(&b.asked, &a.stored)).min();
            both.into_iter().for_each(|d| of_originals.add(d, (i, j)));
        }
    }
    println!("\n| unrelated pairs | pairs | 31 bits or fewer | least | below 50 | below 64 | below 80 | median |");
    println!("| --- | --- | --- | --- | --- | --- | --- | --- |");
    as_stored.print("originals, one hash each");
    of_originals.print("originals, as asked: two forms, eight orientations");
    of_copies.print("every copy and every other original, as asked");
    for (edit, matches) in &false_by_edit {
        for (distance, copy, other) in matches {
            println!(
                "\nfalse match: {} ({edit}) and {}: {distance} bits",
                originals[*copy].name, originals[*other].name
            );
        }
    }
    println!("\nOriginals within {MAX_RADIUS} bits of each other, left out of the unrelated pairs: {}", alike.len());
    for (i, j, distance) in &alike {
        println!("- {} and {}: {distance} bits", originals[*i].name, originals[*j].name);
    }
    println!("\nqueries whose answer from the index was not the exhaustive one: {inexact}");
    if inexact > 0 {
        failures.push(format!("{inexact} answers of the index are not exact"));
    }
    if !of_copies.matches.is_empty() {
        failures.push(format!("{} false matches", of_copies.matches.len()));
    }
    failures.iter().for_each(|f| println!("below what is wanted: {f}"));
    Ok(if failures.is_empty() { std::process::ExitCode::SUCCESS } else { std::process::ExitCode::FAILURE })
}
