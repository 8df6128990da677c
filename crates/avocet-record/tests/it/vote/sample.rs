//! The moderation sample.

use std::collections::BTreeSet;

use avocet_base::Sha256;
use avocet_record::vote::{Seed, dip_drawn, drawn};
use proptest::prelude::*;
use sha2::Digest as _;

use super::agreement::ask;

fn digests(n: u32) -> Vec<Sha256> {
    (0..n).map(|i| Sha256(sha2::Sha256::digest(i.to_be_bytes()).into())).collect()
}

#[test]
fn the_share_is_what_was_asked_for() {
    let items = digests(100_000);
    for seed in [Seed([0; 32]), Seed([5; 32]), Seed([255; 32])] {
        for (per_1000, share) in
            [(0u32, 0.0f64), (1, 0.001), (10, 0.01), (100, 0.1), (500, 0.5), (999, 0.999), (1000, 1.0)]
        {
            let count = items.iter().filter(|item| drawn(&seed, per_1000, item)).count();
            // Five standard deviations of a binomial of 100,000: a fair draw fails once in more than a million.
            let spread = 5.0 * (100_000.0 * share * (1.0 - share)).sqrt();
            let off = (f64::from(u32::try_from(count).unwrap()) - 100_000.0 * share).abs();
            assert!(off <= spread, "{per_1000} in 1,000: {count}");
        }
    }
}

#[test]
fn another_seed_draws_another_sample() {
    let items = digests(10_000);
    let sample = |seed: u8| -> BTreeSet<Sha256> {
        items.iter().filter(|item| drawn(&Seed([seed; 32]), 100, item)).copied().collect()
    };
    let (a, b) = (sample(1), sample(2));
    assert_eq!(a, sample(1));
    // Independent draws share 1 in 10 of either; all or none would show a seed that does not matter.
    let both = a.intersection(&b).count();
    assert!(both > a.len() / 20 && both < a.len() / 5, "{both} of {}", a.len());
}

/// One seed draws both samples; who is in the one says nothing of who is in the other.
#[test]
fn the_dip_sample_is_another_than_the_moderation_sample() {
    let items = digests(10_000);
    let seed = Seed([5; 32]);
    let moderated: BTreeSet<_> = items.iter().filter(|item| drawn(&seed, 100, item)).collect();
    let dipped: BTreeSet<_> = items.iter().filter(|item| dip_drawn(&seed, 100, item)).collect();
    let spread = 5.0 * (10_000.0f64 * 0.1 * 0.9).sqrt();
    let off = (f64::from(u32::try_from(dipped.len()).unwrap()) - 1000.0).abs();
    assert!(off <= spread, "{}", dipped.len());
    let both = moderated.intersection(&dipped).count();
    assert!(both > dipped.len() / 20 && both < dipped.len() / 5, "{both} of {}", dipped.len());
    assert!(!items.iter().any(|item| dip_drawn(&seed, 0, item)));
    assert!(items.iter().all(|item| dip_drawn(&seed, 1000, item)));
}

#[test]
fn python_draws_the_same() {
    let items = digests(400);
    let mut questions = Vec::new();
    let mut ours = Vec::new();
    for (i, item) in items.iter().enumerate() {
        let seed = Seed([u8::try_from(i % 7).unwrap(); 32]);
        let per_1000 = [0, 1, 100, 250, 500, 999, 1000][i % 7 * 3 % 7];
        ours.push(drawn(&seed, per_1000, item).to_string());
        questions.push(format!(r#"["drawn","{}",{per_1000},"{item}"]"#, String::from(seed)));
    }
    let Some(answers) = ask(&questions) else { return };
    assert_eq!(answers, ours);
    assert!(ours.iter().any(|a| a == "true") && ours.iter().any(|a| a == "false"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_larger_share_holds_the_smaller(seed in any::<[u8; 32]>(), item in any::<[u8; 32]>(), a in 0u32..=1000, b in 0u32..=1000) {
        let (small, large) = (a.min(b), a.max(b));
        let (seed, item) = (Seed(seed), Sha256(item));
        prop_assert!(!drawn(&seed, small, &item) || drawn(&seed, large, &item));
        prop_assert!(drawn(&seed, 1000, &item) && !drawn(&seed, 0, &item));
        let stored: Seed = serde_json::from_str(&serde_json::to_string(&seed).unwrap()).unwrap();
        prop_assert_eq!(drawn(&stored, a, &item), drawn(&seed, a, &item));
    }
}
