//! The small pictures and their store.

mod index;
mod pictures;
mod store;
mod veil;

/// A small generator (splitmix64), so that cases are the same in every run.
struct Seeded(u64);

impl Seeded {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| (self.next() >> 56) as u8).collect()
    }
}

/// A JPEG file as another project's decoder sees it.
struct Seen {
    width: usize,
    height: usize,
    channels: usize,
    bytes: Vec<u8>,
}

impl Seen {
    fn decode(jpeg: &[u8]) -> Option<Seen> {
        use zune_core::bytestream::ZCursor;
        use zune_core::colorspace::ColorSpace;
        use zune_core::options::DecoderOptions;
        let options = DecoderOptions::default().jpeg_set_out_colorspace(ColorSpace::RGB);
        let mut decoder = zune_jpeg::JpegDecoder::new_with_options(ZCursor::new(jpeg), options);
        decoder.decode_headers().ok()?;
        let info = decoder.info()?;
        let channels = usize::from(info.components);
        if channels == 1 {
            decoder.set_options(options.jpeg_set_out_colorspace(ColorSpace::Luma));
        }
        let bytes = decoder.decode().ok()?;
        let (width, height) = (usize::from(info.width), usize::from(info.height));
        (bytes.len() == width * height * channels).then_some(Seen { width, height, channels, bytes })
    }

    fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    /// The mean difference of two pictures of one size, in levels.
    fn difference(&self, other: &Seen) -> f64 {
        assert_eq!((self.size(), self.channels), (other.size(), other.channels));
        let sum: u64 = self.bytes.iter().zip(&other.bytes).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
        sum as f64 / self.bytes.len() as f64
    }
}
