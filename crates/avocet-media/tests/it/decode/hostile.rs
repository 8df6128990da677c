//! Seeded mutants of the pictures made here: refused, partial or decoded, and no decoder fails in itself.

use avocet_media::PictureKind;
use avocet_media::decode::{Limits, decode};

use super::fixtures;

struct Seeded(u64);

impl Seeded {
    fn next(&mut self) -> u64 {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}

#[test]
fn mutants() {
    let limits = Limits { max_pixels: 1 << 20, max_bytes_alloc: 64 << 20, max_images: 8, max_frames: 3 };
    let mut random = Seeded(0x5eed_0004);
    for (kind, bytes, _) in fixtures::every() {
        let mut decoded = 0;
        let rounds = if kind == PictureKind::Heif { 100 } else { 400 };
        for round in 0..rounds {
            let mut mutant = bytes.clone();
            for _ in 0..=random.below(6) {
                // Headers are where the lengths are: half of the changes go there.
                let reach = if random.below(2) == 0 { mutant.len() } else { mutant.len().min(200) };
                let at = random.below(reach);
                mutant[at] = random.next() as u8;
            }
            if random.below(4) == 0 {
                let end = random.below(mutant.len());
                mutant.truncate(end);
            }
            let mut pixels = 0;
            let result = decode(&mutant, kind, &limits, &mut |image| {
                pixels = u64::from(image.pixels.width()) * u64::from(image.pixels.height());
                assert!(pixels <= limits.max_pixels);
            });
            match result {
                Ok(outcome) => {
                    decoded += 1;
                    assert!(outcome.images <= limits.max_images);
                    assert!(outcome.failed.iter().all(|f| f.failure.code != "decoder-fault"));
                }
                Err(failure) => assert_ne!(failure.code, "decoder-fault", "{kind:?} round {round}"),
            }
        }
        assert!(decoded > 0 && decoded < rounds, "{kind:?}: {decoded} of {rounds} mutants decoded");
    }
}

/// Whatever its bytes, every decoder answers to every beginning.
#[test]
fn every_kind_answers_to_everything_short() {
    let mut heads: Vec<Vec<u8>> = vec![Vec::new(), vec![0], vec![0xff; 64], b"II\x2a\0\x08\0\0\0\xff\xff".to_vec()];
    heads.extend(fixtures::every().into_iter().map(|(_, bytes, _)| bytes[..40].to_vec()));
    for head in heads {
        for kind in PictureKind::ALL {
            match decode(&head, kind, &Limits::default(), &mut |_| ()) {
                Ok(outcome) => assert!(outcome.images > 0),
                Err(failure) => assert_ne!(failure.code, "decoder-fault", "{kind:?}"),
            }
        }
    }
}
