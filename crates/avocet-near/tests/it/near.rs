//! The index against a comparison with every hash, written here and sharing nothing with it.

use avocet_base::PdqHash;
use avocet_near::{FormNeighbour, Index, Kernel, Layout, MAX_RADIUS, NearError, Neighbour, Settings};

/// SplitMix64 (Steele, Lea, Flood 2014; public domain).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    pub fn hash(&mut self) -> PdqHash {
        let mut bytes = [0; 32];
        bytes.chunks_exact_mut(8).for_each(|c| c.copy_from_slice(&self.next().to_le_bytes()));
        PdqHash(bytes)
    }

    /// The hash with `bits` of its bits changed, anywhere.
    pub fn flipped(&mut self, hash: &PdqHash, bits: u32) -> PdqHash {
        let mut out = *hash;
        while bitwise(&out, hash) < bits {
            flip(&mut out, self.below(256), hash);
        }
        out
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        (1..items.len()).rev().for_each(|i| items.swap(i, self.below(i + 1)));
    }
}

/// Changes the bit if it was not changed already.
fn flip(out: &mut PdqHash, bit: usize, original: &PdqHash) {
    let mask = 1 << (bit % 8);
    out.0[bit / 8] = out.0[bit / 8] & !mask | !original.0[bit / 8] & mask;
}

/// Bit by bit, so that nothing is shared with what is tested.
pub fn bitwise(a: &PdqHash, b: &PdqHash) -> u32 {
    (0..256).filter(|i| a.0[i / 8] >> (i % 8) & 1 != b.0[i / 8] >> (i % 8) & 1).count() as u32
}

/// What the answer has to be, by comparison with every hash.
fn exhaustive(hashes: &[PdqHash], query: &PdqHash, radius: u32) -> Vec<Neighbour> {
    let words = |h: &PdqHash| -> [u128; 2] {
        [u128::from_be_bytes(h.0[..16].try_into().unwrap()), u128::from_be_bytes(h.0[16..].try_into().unwrap())]
    };
    let [a, b] = words(query);
    let mut near: Vec<Neighbour> = hashes
        .iter()
        .map(words)
        .enumerate()
        .map(|(i, [c, d])| Neighbour { item: i as u32, distance: (a ^ c).count_ones() + (b ^ d).count_ones() })
        .filter(|n| n.distance <= radius)
        .collect();
    near.sort_by_key(|n| (n.distance, n.item));
    near
}

fn settings(layout: Layout, kernel: Kernel) -> Settings {
    Settings { layout, kernel: Some(kernel), ..Settings::default() }
}

fn build(hashes: &[PdqHash], layout: Layout, kernel: Kernel) -> Index {
    Index::build(hashes.iter().copied(), settings(layout, kernel)).unwrap()
}

/// Compares every answer, and returns how many neighbours there were in all: a test says how many it needs.
fn check(index: &Index, hashes: &[PdqHash], queries: &[PdqHash], radii: impl Iterator<Item = u32> + Clone) -> usize {
    let mut seen = 0;
    let mut out = vec![Neighbour { distance: 999, item: 999 }];
    for radius in radii {
        let expected: Vec<_> = queries.iter().map(|q| exhaustive(hashes, q, radius)).collect();
        for (query, expected) in queries.iter().zip(&expected) {
            index.within(query, radius, &mut out);
            assert_eq!(&out, expected, "radius {radius}, {} bands", index.bands());
            seen += out.len();
        }
        assert_eq!(index.within_many(queries, radius), expected, "radius {radius}, {} bands", index.bands());
    }
    seen
}

/// The last layout has the number of bands that ten million hashes get: 470 MB of tables, so it is used seldom.
const LAYOUTS: [Layout; 5] = [Layout::Auto, Layout::Scan, Layout::Bands(24), Layout::Bands(17), Layout::Bands(13)];

fn fastest() -> Kernel {
    *Kernel::available().last().unwrap()
}

/// Changed bits spread as evenly as can be over `slots` groups of bits: the worst case for an index of such bands.
fn spread(random: &mut Random, hash: &PdqHash, bits: u32, slots: &[Vec<usize>]) -> PdqHash {
    let mut slots: Vec<Vec<usize>> = slots.to_vec();
    random.shuffle(&mut slots);
    slots.iter_mut().for_each(|s| random.shuffle(s));
    let mut out = *hash;
    let in_turn = (0..).flat_map(|round| slots.iter().map(move |s| s.get(round)));
    in_turn.flatten().take(bits as usize).for_each(|bit| flip(&mut out, *bit, hash));
    assert_eq!(bitwise(&out, hash), bits);
    out
}

/// Consecutive bits.
fn slots16() -> Vec<Vec<usize>> {
    (0..16).map(|s| (s * 16..s * 16 + 16).collect()).collect()
}

/// The bands of an index of so many, as the decision record describes them: bit `j` in their order is bit
/// `37 * j mod 256` of the hash.
fn own_bands(count: usize) -> Vec<Vec<usize>> {
    let mut next = 0;
    (0..count)
        .map(|i| {
            let width = 256 / count + usize::from(i < 256 % count);
            next += width;
            (next - width..next).map(|j| 37 * j % 256).collect()
        })
        .collect()
}

#[test]
fn planted_at_every_distance() {
    let mut random = Random(1);
    let mut hashes: Vec<PdqHash> = (0..20_000).map(|_| random.hash()).collect();
    let mut queries = Vec::new();
    // Every count of bands tested below, and the classic sixteen slots of 16 consecutive bits.
    let slots: Vec<_> = [slots16()].into_iter().chain([24, 17, 13].map(own_bands)).collect();
    for bits in 0..=33 {
        let query = random.hash();
        hashes.push(random.flipped(&query, bits));
        hashes.extend(slots.iter().map(|s| spread(&mut random, &query, bits, s)));
        queries.push(query);
    }
    random.shuffle(&mut hashes);
    for layout in LAYOUTS {
        let index = build(&hashes, layout, fastest());
        let seen = check(&index, &hashes, &queries, [31, 32, 30, 0].into_iter());
        assert!(seen >= 5 * (32 + 33 + 31 + 1), "{seen}");
    }
}

#[test]
fn two_bits_in_fifteen_slots_and_one_in_the_last() {
    let mut random = Random(2);
    let mut hashes: Vec<PdqHash> = (0..5_000).map(|_| random.hash()).collect();
    let mut queries = Vec::new();
    for _ in 0..100 {
        let query = random.hash();
        let mut near = query;
        for slot in 0..16 {
            let a = random.below(16);
            flip(&mut near, slot * 16 + a, &query);
            if slot < 15 {
                flip(&mut near, slot * 16 + (a + 1 + random.below(15)) % 16, &query);
            }
        }
        assert_eq!(bitwise(&near, &query), 31);
        hashes.push(near);
        queries.push(query);
    }
    for layout in LAYOUTS {
        let index = build(&hashes, layout, fastest());
        assert_eq!(check(&index, &hashes, &queries, 31..=31), 100);
        assert_eq!(check(&index, &hashes, &queries, 30..=30), 0);
    }
}

#[test]
fn spread_over_its_own_bands_at_every_radius() {
    let mut random = Random(3);
    // 9 and 10 bands would take gigabytes; 11 are what ten million hashes get.
    for count in 11..=24 {
        let mut hashes: Vec<PdqHash> = (0..2_000).map(|_| random.hash()).collect();
        let mut queries = Vec::new();
        for bits in 0..=32 {
            for _ in 0..4 {
                let query = random.hash();
                hashes.push(spread(&mut random, &query, bits, &own_bands(count)));
                queries.push(query);
            }
        }
        let index = build(&hashes, Layout::Bands(count as u8), fastest());
        assert_eq!(index.bands(), count);
        // Queries are asked at the distance of what was planted for them, so a miss at any radius shows.
        let mut out = Vec::new();
        for (i, query) in queries.iter().enumerate() {
            let bits = (i / 4) as u32;
            index.within(query, bits, &mut out);
            assert_eq!(out, exhaustive(&hashes, query, bits), "{count} bands, {bits} bits");
            assert_eq!(out.len(), 1, "{count} bands, {bits} bits");
        }
    }
}

#[test]
fn every_radius() {
    let mut random = Random(4);
    let centre = random.hash();
    let mut hashes: Vec<PdqHash> = (0..3_000).map(|i| random.flipped(&centre, i % 80)).collect();
    hashes.extend((0..3_000).map(|_| random.hash()));
    let queries: Vec<PdqHash> = (0..8).map(|i| random.flipped(&centre, i * 2)).collect();
    for layout in LAYOUTS {
        let index = build(&hashes, layout, fastest());
        let seen = check(&index, &hashes, &queries, 0..=MAX_RADIUS);
        assert!(seen > 10_000, "{seen}");
        // Beyond: the scan, up to everything there is.
        assert!(check(&index, &hashes, &queries, [32, 100, 255, 256, 257, u32::MAX].into_iter()) > 4 * 8 * 6_000 - 100);
    }
}

#[test]
fn clustered_with_low_detail() {
    let mut random = Random(5);
    let centres: Vec<PdqHash> = (0..200).map(|_| random.hash()).collect();
    let flat = [PdqHash([0; 32]), PdqHash([0x55; 32]), PdqHash([0xff; 32])];
    let hashes: Vec<PdqHash> = (0..30_000)
        .map(|i| {
            let bits = random.below(40) as u32;
            match i % 20 {
                // Five in a hundred are next to nothing but one of three patterns.
                0 => random.flipped(&flat[i / 20 % 3], bits / 8),
                1..10 => random.flipped(&centres[i % 200], bits),
                _ => random.hash(),
            }
        })
        .collect();
    let mut queries: Vec<PdqHash> = (0..60).map(|i| random.flipped(&hashes[i * 500], (i as u32) % 33)).collect();
    queries.extend(flat);
    for layout in LAYOUTS {
        let index = build(&hashes, layout, fastest());
        assert!(check(&index, &hashes, &queries, [31, 16, 3].into_iter()) > 3_000);
    }
}

/// A bucket with everything in it: the scan has to take over, and find everything.
#[test]
fn all_equal_and_nearly_all_equal() {
    let mut random = Random(6);
    let one = random.hash();
    let equal = vec![one; 20_000];
    let nearly: Vec<PdqHash> = (0..20_000).map(|i| random.flipped(&one, i % 3 * 20)).collect();
    let queries = [one, random.flipped(&one, 31), random.flipped(&one, 32), random.hash()];
    for hashes in [equal, nearly] {
        for layout in [Layout::Auto, Layout::Bands(24), Layout::Bands(16)] {
            let index = build(&hashes, layout, fastest());
            assert!(check(&index, &hashes, &queries, [0, 31].into_iter()) > 15_000);
        }
    }
}

#[test]
fn few_or_none() {
    let mut random = Random(7);
    for kernel in Kernel::available() {
        for count in 0..3 {
            let hashes: Vec<PdqHash> = (0..count).map(|_| random.hash()).collect();
            let queries: Vec<PdqHash> = hashes.iter().copied().chain([random.hash()]).collect();
            for layout in [Layout::Auto, Layout::Scan, Layout::Bands(16)] {
                let index = build(&hashes, layout, kernel);
                assert_eq!((index.len(), index.is_empty()), (count, count == 0));
                assert_eq!(check(&index, &hashes, &queries, [0, 31].into_iter()), 2 * count);
                assert_eq!(index.within_many(&[], 31), Vec::<Vec<Neighbour>>::new());
                assert_eq!((0..count as u32).map(|i| index.hash(i).unwrap()).collect::<Vec<_>>(), hashes);
                assert_eq!(index.hash(count as u32), None);
            }
        }
    }
}

/// Registers hold four or eight hashes; what is left over at the end is compared otherwise.
#[test]
fn every_kernel_at_every_length() {
    let kernels = Kernel::available();
    eprintln!("{} of 3 kernels on this processor; {} skipped", kernels.len(), 3 - kernels.len());
    let mut random = Random(8);
    let centre = random.hash();
    let all: Vec<PdqHash> = (0..70)
        .map(|_| {
            let bits = random.below(256) as u32;
            random.flipped(&centre, bits)
        })
        .collect();
    let queries: Vec<PdqHash> = (0..35).map(|i| random.flipped(&centre, i)).collect();
    let mut seen = 0;
    for kernel in &kernels {
        for length in 0..=all.len() {
            let index = build(&all[..length], Layout::Scan, *kernel);
            seen += check(&index, &all[..length], &queries, [31, 128, 256].into_iter());
        }
    }
    assert!(seen > kernels.len() * 35 * 70 * 35, "{seen}");
    let hashes: Vec<PdqHash> = (0..10_000).map(|i| random.flipped(&centre, i % 100)).collect();
    for kernel in &kernels {
        let index = build(&hashes, Layout::Bands(16), *kernel);
        assert!(check(&index, &hashes, &queries, [8, 31].into_iter()) > 1_000);
    }
}

#[test]
fn forms_of_one_picture() {
    let mut random = Random(9);
    let forms: Vec<PdqHash> = (0..16).map(|_| random.hash()).collect();
    let mut hashes: Vec<PdqHash> = (0..4_000).map(|_| random.hash()).collect();
    for (i, form) in forms.iter().enumerate() {
        hashes.push(random.flipped(form, 2 * i as u32));
        hashes.push(random.flipped(form, 40));
    }
    // Near two forms at once: the smaller distance, and of equal ones the first form.
    let between = PdqHash(std::array::from_fn(|i| if i < 2 { forms[3].0[i] } else { forms[5].0[i] }));
    let twice = [forms.clone(), vec![between, between]].concat();
    for layout in LAYOUTS {
        let index = build(&hashes, layout, fastest());
        let mut found = vec![FormNeighbour { distance: 0, item: 77, form: 0 }];
        index.within_any(&twice, 31, &mut found);
        let mut expected: Vec<FormNeighbour> = (0..hashes.len())
            .filter_map(|item| {
                let (distance, form) = (0..twice.len()).map(|f| (bitwise(&twice[f], &hashes[item]), f)).min().unwrap();
                (distance <= 31).then_some(FormNeighbour { distance, item: item as u32, form: form as u32 })
            })
            .collect();
        expected.sort_by_key(|n| (n.distance, n.item));
        assert_eq!(found, expected);
        assert_eq!(found.len(), 16);
        assert!(found.iter().any(|n| n.form == 5) && found.iter().all(|n| n.form < 16));
        index.within_any(&[], 31, &mut found);
        assert!(found.is_empty());
    }
}

#[test]
fn what_cannot_be_built_is_said() {
    for bands in [0, 8, 25, 255] {
        let asked = Settings { layout: Layout::Bands(bands), ..Settings::default() };
        assert_eq!(Index::build([], asked).unwrap_err(), NearError::Bands(bands));
    }
    // An iterator that announces more than there is memory for.
    struct Liar;
    impl Iterator for Liar {
        type Item = PdqHash;
        fn next(&mut self) -> Option<PdqHash> {
            None
        }
        fn size_hint(&self) -> (usize, Option<usize>) {
            (usize::MAX, None)
        }
    }
    // 8 GiB are asked for at most, which a system may or may not promise; either way nothing is touched.
    match Index::build(Liar, Settings::default()) {
        Ok(index) => assert!(index.is_empty() && index.bytes() < 1 << 20),
        Err(error) => assert!(matches!(error, NearError::NoMemory { .. })),
    }
}

#[test]
fn debug_shows_no_hash() {
    let index = build(&[PdqHash([0xab; 32])], Layout::Scan, Kernel::Plain);
    assert_eq!(format!("{index:?}"), "Index(1 hashes, 0 bands)");
}

/// Real hashes, of the reference pictures, both forms.
#[test]
fn reference_pictures() {
    let Some(hashes) = super::group::vectors() else { return };
    let all: Vec<PdqHash> = hashes.iter().flat_map(|v| [v.full, v.small]).collect();
    for layout in [Layout::Auto, Layout::Bands(16), Layout::Bands(24)] {
        let index = build(&all, layout, fastest());
        assert!(check(&index, &all, &all, [31].into_iter()) > 2 * all.len() / 2);
    }
}
