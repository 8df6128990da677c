//! PNG, GIF, BMP and WebP, by the `image` crate.

use std::io::Cursor;

use image::codecs::bmp::BmpDecoder;
use image::codecs::gif::GifDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::error::LimitErrorKind;
use image::{AnimationDecoder, ColorType, Frames, ImageDecoder, ImageError};

use super::bytes::{u16le, u32be, u32le};
use super::{Decoded, Failure, Limits, Role, Run, drop_channels, guarded, pixels};
use crate::{Layout, Pixels};

pub(super) const DECODER: &str = "image 0.25.10";

pub(super) fn failure(error: ImageError) -> Failure {
    match &error {
        ImageError::Unsupported(_) => Failure::unsupported(&error),
        ImageError::Limits(limit) if !matches!(limit.kind(), LimitErrorKind::Unsupported { .. }) => {
            Failure::new("too-large", &error)
        }
        _ => Failure::damaged(&error),
    }
}

fn image_limits(limits: &Limits) -> image::Limits {
    let mut of_crate = image::Limits::no_limits();
    of_crate.max_alloc = Some(limits.max_bytes_alloc);
    of_crate
}

/// What a decoder of the `image` crate makes of its picture. Where it stops early, the rows it has written are kept
/// and the picture is marked partial.
pub(super) fn still<D: ImageDecoder>(
    decoder: Result<D, ImageError>,
    limits: &Limits,
    name: &'static str,
) -> Result<Decoded, Failure> {
    let mut decoder = decoder.map_err(failure)?;
    let (width, height) = decoder.dimensions();
    let color = decoder.color_type();
    // The result as decoded, a decoder's own copy of it, and the result in eight bits.
    limits.check(width, height, u64::from(color.bytes_per_pixel()).saturating_mul(2).saturating_add(4))?;
    decoder.set_limits(image_limits(limits)).map_err(failure)?;
    let mut buffer = vec![0; usize::try_from(decoder.total_bytes()).map_err(Failure::damaged)?];
    let partial = match decoder.read_image(&mut buffer) {
        Ok(()) => None,
        Err(error) => {
            let failure = failure(error);
            // Opacity is sometimes written first; a picture is something in its colours.
            if failure.code != "damaged" || !shows_something(color, &buffer) {
                return Err(failure);
            }
            Some(failure.sentence)
        }
    };
    Ok(Decoded { pixels: eight_bits(color, width, height, buffer)?, decoder: name, partial })
}

fn shows_something(color: ColorType, buffer: &[u8]) -> bool {
    let size = usize::from(color.bytes_per_pixel());
    let colours = if color.has_alpha() { size - size / usize::from(color.channel_count()) } else { size };
    buffer.chunks_exact(size).any(|pixel| pixel.iter().take(colours).any(|&b| b != 0))
}

/// Any of the crate's layouts as one of ours. Sixteen bits are rounded, not cut; floating point runs from 0 to 1.
fn eight_bits(color: ColorType, width: u32, height: u32, buffer: Vec<u8>) -> Result<Pixels, Failure> {
    let wide = |buffer: Vec<u8>| -> Vec<u8> {
        buffer
            .chunks_exact(2)
            .filter_map(|b| b.try_into().ok().map(u16::from_ne_bytes))
            .map(|v| ((u32::from(v) + 128) / 257) as u8)
            .collect()
    };
    let float = |buffer: Vec<u8>| -> Vec<u8> {
        buffer
            .chunks_exact(4)
            .filter_map(|b| b.try_into().ok().map(f32::from_ne_bytes))
            .map(|v| (v.clamp(0.0, 1.0) * 255.0 + 0.5) as u8)
            .collect()
    };
    let grey_alpha = |buffer: Vec<u8>| -> Vec<u8> {
        let mut rgba = Vec::with_capacity(buffer.len().saturating_mul(2));
        for pixel in buffer.chunks_exact(2) {
            if let [grey, alpha] = pixel {
                rgba.extend_from_slice(&[*grey, *grey, *grey, *alpha]);
            }
        }
        rgba
    };
    let (layout, bytes) = match color {
        ColorType::L8 => (Layout::Grey, buffer),
        ColorType::La8 => (Layout::Rgba, grey_alpha(buffer)),
        ColorType::Rgb8 => (Layout::Rgb, buffer),
        ColorType::Rgba8 => (Layout::Rgba, buffer),
        ColorType::L16 => (Layout::Grey, wide(buffer)),
        ColorType::La16 => (Layout::Rgba, grey_alpha(wide(buffer))),
        ColorType::Rgb16 => (Layout::Rgb, wide(buffer)),
        ColorType::Rgba16 => (Layout::Rgba, wide(buffer)),
        ColorType::Rgb32F => (Layout::Rgb, float(buffer)),
        ColorType::Rgba32F => (Layout::Rgba, float(buffer)),
        other => return Err(Failure::unsupported(format!("pixels as {other:?}"))),
    };
    pixels(width, height, layout, bytes)
}

/// Hands over the frames behind the first `skip` of an animation of `count` frames, up to the limits, and counts those
/// that are not.
fn animation(run: &mut Run<'_>, count: u64, skip: u64, frames: impl FnOnce() -> Result<Frames<'static>, ImageError>) {
    let wanted = u64::from(run.limits.max_frames).min(count);
    if count <= skip {
        return;
    }
    if wanted <= skip {
        return run.leave_out("frame-limit", count - skip);
    }
    let mut frames = match frames() {
        Ok(frames) => frames,
        Err(error) => {
            run.give(Role::Frame, None, Err(failure(error)));
            return run.leave_out("unread-frame", count.saturating_sub(skip + 1));
        }
    };
    for place in 0..wanted {
        if run.full() {
            return run.leave_out("image-limit", count - place);
        }
        let result = guarded(|| match frames.next() {
            Some(Ok(found)) => {
                let buffer = found.into_buffer();
                let (width, height) = buffer.dimensions();
                let pixels = pixels(width, height, Layout::Rgba, buffer.into_raw())?;
                Ok(Decoded::whole(pixels, DECODER))
            }
            Some(Err(error)) => Err(failure(error)),
            None => Err(Failure::damaged("the animation ends before the frames it declares")),
        });
        let failed = result.is_err();
        // The frames before `skip` are decoded all the same, since later ones are drawn over them.
        if place >= skip {
            run.give(Role::Frame, None, result);
        }
        if failed {
            return run.leave_out("unread-frame", if place < skip { count - skip } else { count - place - 1 });
        }
    }
    run.leave_out("frame-limit", count - wanted);
}

pub(super) fn bmp(bytes: &[u8], limits: &Limits) -> Result<Decoded, Failure> {
    still(BmpDecoder::new(Cursor::new(bytes)), limits, DECODER)
}

/// One PNG, without its animation.
pub(super) fn png_still(bytes: &[u8], limits: &Limits) -> Result<Decoded, Failure> {
    let (width, height) = png_size(bytes).ok_or_else(|| Failure::damaged("no header"))?;
    limits.check(width, height, 4)?;
    still(PngDecoder::with_limits(Cursor::new(bytes), image_limits(limits)), limits, DECODER)
}

fn png_size(bytes: &[u8]) -> Option<(u32, u32)> {
    bytes.starts_with(b"\x89PNG").then_some((u32be(bytes, 16)?, u32be(bytes, 20)?))
}

pub(super) fn png(bytes: &[u8], run: &mut Run<'_>) {
    run.one(Role::Primary, None, |l| png_still(bytes, l));
    let Some((count, first_is_default)) = png_frames(bytes) else { return };
    let limits = run.limits;
    if png_size(bytes).is_none_or(|(w, h)| limits.check(w, h, 12).is_err()) {
        return run.leave_out("frame-limit", count);
    }
    let owned = bytes.to_vec();
    animation(run, count, u64::from(first_is_default), || {
        Ok(PngDecoder::with_limits(Cursor::new(owned), image_limits(&limits))?.apng()?.into_frames())
    });
}

/// How many frames an animated PNG declares (`acTL`), and whether the picture itself is the first of them (an `fcTL`
/// before the first `IDAT`); PNG third edition, section 11.3.6.
fn png_frames(bytes: &[u8]) -> Option<(u64, bool)> {
    let mut at = 8usize;
    let mut count = None;
    let mut control = false;
    loop {
        let length = u32be(bytes, at)?;
        match bytes.get(at.checked_add(4)?..at.checked_add(8)?)? {
            b"acTL" => count = u32be(bytes, at.checked_add(8)?),
            b"fcTL" => control = true,
            b"IDAT" | b"IEND" => return Some((u64::from(count.filter(|&c| c > 0)?), control)),
            _ => {}
        }
        at = at.checked_add(length as usize)?.checked_add(12)?;
    }
}

pub(super) fn gif(bytes: &[u8], run: &mut Run<'_>) {
    run.one(Role::Primary, None, |l| still(GifDecoder::new(Cursor::new(bytes)), l, DECODER));
    let count = gif_frames(bytes);
    let limits = run.limits;
    let (width, height) = (u16le(bytes, 6).unwrap_or(0), u16le(bytes, 8).unwrap_or(0));
    if count > 1 && limits.check(u32::from(width), u32::from(height), 12).is_err() {
        return run.leave_out("frame-limit", count - 1);
    }
    let owned = if count > 1 { bytes.to_vec() } else { Vec::new() };
    animation(run, count, 1, || {
        let mut decoder = GifDecoder::new(Cursor::new(owned))?;
        decoder.set_limits(image_limits(&limits))?;
        Ok(decoder.into_frames())
    });
}

/// The frames of a GIF, counted by its blocks (GIF89a, sections 18 to 26) without decoding any.
fn gif_frames(bytes: &[u8]) -> u64 {
    let table = |flags: u8| if flags & 0x80 == 0 { 0 } else { 3usize << ((flags & 7) + 1) };
    let count = |frames: &mut u64| -> Option<()> {
        let mut at = 13usize.checked_add(table(*bytes.get(10)?))?;
        loop {
            match bytes.get(at)? {
                0x2c => {
                    *frames = frames.saturating_add(1);
                    let flags = *bytes.get(at.checked_add(9)?)?;
                    at = at.checked_add(11)?.checked_add(table(flags))?;
                }
                0x21 => at = at.checked_add(2)?,
                _ => return None,
            }
            // Sub-blocks, to the one of length 0.
            loop {
                let length = usize::from(*bytes.get(at)?);
                at = at.checked_add(length)?.checked_add(1)?;
                if length == 0 {
                    break;
                }
            }
        }
    };
    let mut frames = 0;
    count(&mut frames);
    frames
}

pub(super) fn webp(bytes: &[u8], run: &mut Run<'_>) {
    run.one(Role::Primary, None, |l| {
        let decoded = still(WebPDecoder::new(Cursor::new(bytes)), l, DECODER)?;
        Ok(opaque(decoded))
    });
    let count = webp_frames(bytes);
    let limits = run.limits;
    let owned = if count > 1 { bytes.to_vec() } else { Vec::new() };
    animation(run, count, 1, || {
        let mut decoder = WebPDecoder::new(Cursor::new(owned))?;
        let (width, height) = decoder.dimensions();
        if limits.check(width, height, 12).is_err() {
            return Err(ImageError::Limits(image::error::LimitError::from_kind(LimitErrorKind::DimensionError)));
        }
        decoder.set_limits(image_limits(&limits))?;
        Ok(decoder.into_frames())
    });
}

/// An alpha channel that says nothing is left away.
fn opaque(decoded: Decoded) -> Decoded {
    let pixels = &decoded.pixels;
    if pixels.layout() != Layout::Rgba || !pixels.bytes().chunks_exact(4).all(|p| p.last() == Some(&255)) {
        return decoded;
    }
    let mut bytes = pixels.bytes().to_vec();
    drop_channels(&mut bytes, 3, 4);
    match Pixels::new(pixels.width(), pixels.height(), Layout::Rgb, bytes) {
        Some(pixels) => Decoded { pixels, ..decoded },
        None => decoded,
    }
}

/// The frames (`ANMF`) of a WebP file.
fn webp_frames(bytes: &[u8]) -> u64 {
    let mut at = 12usize;
    let mut frames = 0u64;
    while let (Some(kind), Some(length)) = (bytes.get(at..at.saturating_add(4)), u32le(bytes, at.saturating_add(4))) {
        frames = frames.saturating_add(u64::from(kind == b"ANMF"));
        // Chunks begin at even offsets.
        at = at.saturating_add(8).saturating_add(length as usize).saturating_add(length as usize & 1);
    }
    frames
}
