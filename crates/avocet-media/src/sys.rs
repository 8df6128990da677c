//! The one place of this crate that is `unsafe`: loops of plain Rust, compiled once more for processors that have wider
//! registers than every x86-64 has.
//!
//! Nothing here computes. Fused multiplication is left out of the list, so that a sum is rounded in the same places
//! whichever way it runs: results do not depend on the processor.
#![allow(unsafe_code)]

/// Work that is worth compiling twice.
pub(crate) trait Loops {
    type Out;
    /// To be marked `#[inline(always)]`, as whatever it spends its time in: a function that is called, and a closure that
    /// is not inlined, stays as it was compiled for every processor.
    fn run(self) -> Self::Out;
}

/// Does `work` with AVX2 and the bit instructions of its time where the processor has them.
#[inline]
pub(crate) fn widest<L: Loops>(work: L) -> L::Out {
    #[cfg(test)]
    if tests::PLAIN.get() {
        return work.run();
    }
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("lzcnt")
    {
        // SAFETY: the processor has each of the features that `wide` is compiled for; it was asked just now.
        return unsafe { wide(work) };
    }
    work.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt")]
fn wide<L: Loops>(work: L) -> L::Out {
    work.run()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

    use crate::describe::describe;

    thread_local! {
        /// Whether this thread does without what not every processor has.
        pub(super) static PLAIN: Cell<bool> = const { Cell::new(false) };
    }

    fn plain<R>(work: impl FnOnce() -> R) -> R {
        PLAIN.set(true);
        let done = work();
        PLAIN.set(false);
        done
    }

    /// Slopes, edges and noise, so that blocks of every length come up.
    fn pixels(width: usize, height: usize) -> Vec<u8> {
        let mut seed = 7u32;
        let mut noise = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 24) as usize
        };
        let value = |x: usize, y: usize, n: usize| match (x / 64 + y / 48) % 3 {
            0 => (x + 2 * y) % 256,
            1 => (x / 8 % 2) * 200 + n / 8,
            _ => n,
        };
        (0..height)
            .flat_map(|y| (0..width).map(move |x| (x, y)))
            .flat_map(|(x, y)| {
                let n = noise();
                [value(x, y, n), value(y, x, n), value(x + 9, y, 255 - n)].map(|v| v.min(255) as u8)
            })
            .collect()
    }

    #[test]
    fn every_processor_says_the_same_of_a_picture() {
        let mut cases = 0;
        for (width, height) in [(33usize, 47usize), (530, 610), (1100, 1040)] {
            let pixels = pixels(width, height);
            for quality in [8, 60, 100] {
                for progressive in [false, true] {
                    for sampling in [SamplingFactor::F_1_1, SamplingFactor::F_2_2] {
                        let mut file = vec![];
                        let mut encoder = Encoder::new(&mut file, quality);
                        encoder.set_progressive(progressive);
                        encoder.set_sampling_factor(sampling);
                        encoder.set_optimized_huffman_tables(width > 1000);
                        encoder.encode(&pixels, width as u16, height as u16, ColorType::Rgb).unwrap();
                        let wide = describe(&file, true);
                        assert!(wide.made.is_some() && wide.description.images[0].decoder == crate::jpeg::DECODER);
                        assert_eq!(
                            wide,
                            plain(|| describe(&file, true)),
                            "{width} x {height}, {quality}, {progressive}"
                        );
                        cases += 1;
                    }
                }
            }
        }
        assert_eq!(cases, 36);
    }
}
