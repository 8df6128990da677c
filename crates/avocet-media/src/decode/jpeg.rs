//! JPEG at full size, by `zune-jpeg`.

use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;

use super::{Decoded, Failure, Limits, pixels};
use crate::{Layout, Pixels};

const DECODER: &str = "zune-jpeg 0.5.15";

/// Strict first; what strict refuses is decoded as far as it goes and marked partial with strict's reason, since the
/// lenient mode alone fills the rest with grey and says nothing.
pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Decoded, Failure> {
    let strict = match attempt(bytes, true, limits) {
        Ok(pixels) => {
            // Strict mode still fills in what is missing of the last rows.
            let partial = (!has_end(bytes)).then(|| "the file ends before the end-of-image marker".to_owned());
            return Ok(Decoded { pixels, decoder: DECODER, partial });
        }
        Err(failure) => failure,
    };
    if strict.code != "damaged" {
        return Err(strict);
    }
    // The lenient attempt may fail for another reason; the strict one is the one to tell.
    let Ok(pixels) = attempt(bytes, false, limits) else { return Err(strict) };
    Ok(Decoded { pixels, decoder: DECODER, partial: Some(strict.sentence) })
}

/// The size that the header declares; `None` where there is no header.
pub(super) fn size(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options(false));
    decoder.decode_headers().ok()?;
    let info = decoder.info()?;
    Some((u32::from(info.width), u32::from(info.height)))
}

/// Whether the end-of-image marker follows the scans: a walk over the marker segments (ITU-T T.81, B.1.1), in which
/// 0xff with 0 behind it and the restart markers belong to a scan.
fn has_end(bytes: &[u8]) -> bool {
    let mut rest = bytes.get(2..).unwrap_or_default();
    loop {
        let Some(at) = rest.iter().position(|&b| b == 0xff) else { return false };
        rest = rest.get(at.saturating_add(1)..).unwrap_or_default();
        match rest.first() {
            Some(0xd9) => return true,
            Some(0 | 0x01 | 0xd0..=0xd7 | 0xff) => {}
            Some(_) => {
                let length = super::bytes::u16be(rest, 1).unwrap_or(u16::MAX);
                rest = rest.get(usize::from(length).saturating_add(1)..).unwrap_or_default();
            }
            None => return false,
        }
    }
}

fn options(strict: bool) -> DecoderOptions {
    DecoderOptions::default().set_strict_mode(strict).set_max_width(65_535).set_max_height(65_535)
}

fn attempt(bytes: &[u8], strict: bool, limits: &Limits) -> Result<Pixels, Failure> {
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options(strict));
    decoder.decode_headers().map_err(failure)?;
    let info = decoder.info().ok_or_else(|| Failure::damaged("no frame header"))?;
    let (width, height) = (u32::from(info.width), u32::from(info.height));
    // A progressive file keeps two bytes of coefficients for every sample of up to four components, and the result is
    // three bytes a pixel.
    limits.check(width, height, 12)?;
    let (space, layout) = match decoder.input_colorspace() {
        Some(ColorSpace::Luma) => (ColorSpace::Luma, Layout::Grey),
        _ => (ColorSpace::RGB, Layout::Rgb),
    };
    decoder.set_options(options(strict).jpeg_set_out_colorspace(space));
    let bytes = decoder.decode().map_err(failure)?;
    pixels(width, height, layout, bytes)
}

fn failure(error: DecodeErrors) -> Failure {
    match error {
        DecodeErrors::Unsupported(_) => Failure::unsupported(format!("{error:?}")),
        DecodeErrors::LargeDimensions(_) => Failure::new("too-large", format!("{error:?}")),
        // What `zune-jpeg` says of arithmetic coding, when its table comes before the frame header.
        DecodeErrors::Format(text) if text.contains("`DAC`") => Failure::unsupported("arithmetic coding"),
        DecodeErrors::SofError(text) if text.contains("8-bit") => Failure::unsupported("samples of other than 8 bits"),
        other => Failure::damaged(format!("{other:?}")),
    }
}
