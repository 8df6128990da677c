//! Pictures of every kind: recognised by their first bytes, decoded within small limits.
#![no_main]

use avocet_media::PictureKind;
use avocet_media::decode::{Limits, decode};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some(kind) = PictureKind::recognise(data.get(..PictureKind::HEAD_LEN).unwrap_or(data)) else { return };
    let limits = Limits { max_pixels: 1 << 20, max_images: 8, max_frames: 3, max_bytes_alloc: 64 << 20 };
    let mut given = 0;
    let result = decode(data, kind, &limits, &mut |image| {
        given += 1;
        let pixels = u64::from(image.pixels.width()) * u64::from(image.pixels.height());
        assert!(pixels <= limits.max_pixels, "the limit holds");
    });
    assert!(given <= limits.max_images);
    match result {
        Ok(outcome) => {
            assert_eq!(outcome.images, given);
            assert!(outcome.failed.iter().all(|f| f.failure.code != "decoder-fault"), "{:?}", outcome.failed);
        }
        Err(failure) => assert!(given == 0 && failure.code != "decoder-fault", "{failure}"),
    }
});
