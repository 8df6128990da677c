//! JPEG 2000, as a file and as a bare codestream, by `hayro-jpeg2000`.

use hayro_jpeg2000::{ColorSpace, DecodeSettings, DecoderContext, Image};

use super::{Decoded, Failure, Limits, cmyk_to_rgb, drop_channels, pixels};
use crate::Layout;

const DECODER: &str = "hayro-jpeg2000 0.5.0";

/// Strict first; what only the lenient mode decodes is partial.
pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Decoded, Failure> {
    match attempt(bytes, true, limits) {
        Err(strict) if strict.code == "damaged" => match attempt(bytes, false, limits) {
            Ok(decoded) => Ok(Decoded { partial: Some(strict.sentence), ..decoded }),
            Err(_) => Err(strict),
        },
        result => result,
    }
}

fn attempt(bytes: &[u8], strict: bool, limits: &Limits) -> Result<Decoded, Failure> {
    let settings = DecodeSettings { strict, ..DecodeSettings::default() };
    let image = Image::new(bytes, &settings).map_err(Failure::damaged)?;
    let (width, height) = (image.width(), image.height());
    let channels = usize::from(image.color_space().num_channels()) + usize::from(image.has_alpha());
    // For each channel a float of coefficients, one of samples and one of scratch, and the result.
    limits.check(width, height, (channels as u64).saturating_mul(13))?;
    let mut context = DecoderContext::default();
    let decoded = image.decode(&mut context).map_err(Failure::damaged)?;
    let expected = (width as usize).saturating_mul(height as usize);
    let components = decoded.components();
    if components.is_empty() || components.iter().any(|c| c.samples().len() != expected) {
        return Err(Failure::unsupported("components of different sizes"));
    }
    let found = components.len();
    let mut data = decoded.data_u8();
    let colours = usize::from(image.color_space().num_channels());
    let (layout, data) = match (found, colours, image.has_alpha()) {
        (1, ..) => (Layout::Grey, data),
        (2, ..) => {
            drop_channels(&mut data, 1, 2);
            (Layout::Grey, data)
        }
        (3, ..) => (Layout::Rgb, data),
        (4, 4, false) if matches!(image.color_space(), ColorSpace::CMYK) => (Layout::Rgb, cmyk_to_rgb(&data)),
        (4, _, true) => (Layout::Rgba, data),
        (5, 4, true) => {
            drop_channels(&mut data, 4, 5);
            (Layout::Rgb, cmyk_to_rgb(&data))
        }
        _ => return Err(Failure::unsupported(format!("{found} channels"))),
    };
    Ok(Decoded::whole(pixels(width, height, layout, data)?, DECODER))
}
