//! Windows icons and cursors: a directory of pictures, each a PNG or a bitmap without its file header.

use super::bytes::{u16le, u32le, window};
use super::{Decoded, Failure, Limits, Role, Run, pixels, raster};
use crate::Layout;

const DECODER: &str = concat!("avocet-media ico ", env!("CARGO_PKG_VERSION"));

/// Every picture of the directory; the one with most pixels (as the directory says) first, as the primary one.
pub(super) fn decode(bytes: &[u8], run: &mut Run<'_>) {
    let count = usize::from(u16le(bytes, 4).unwrap_or(0));
    let mut entries: Vec<&[u8]> = bytes.get(6..).unwrap_or_default().chunks_exact(16).take(count).collect();
    let missing = count.saturating_sub(entries.len());
    // A side of 256 is written as 0.
    let side = |entry: &[u8], i: usize| entry.get(i).map_or(0, |&s| if s == 0 { 256u32 } else { u32::from(s) });
    entries.sort_by_key(|entry| std::cmp::Reverse(side(entry, 0) * side(entry, 1)));
    for (i, entry) in entries.iter().enumerate() {
        let role = if i == 0 { Role::Primary } else { Role::TopLevel };
        run.one(role, None, |limits| {
            let length = u32le(entry, 8).unwrap_or(0);
            let at = u32le(entry, 12).unwrap_or(0);
            let data = window(bytes, u64::from(at), u64::from(length))
                .ok_or_else(|| Failure::damaged("the directory points outside the file"))?;
            if data.starts_with(b"\x89PNG") { raster::png_still(data, limits) } else { bitmap(data, limits) }
        });
    }
    for _ in 0..missing.min(256) {
        run.give(Role::TopLevel, None, Err(Failure::damaged("the directory ends early")));
    }
}

/// A bitmap as it stands in an icon: twice as high as the picture, the lower half a mask of one bit a pixel.
fn bitmap(data: &[u8], limits: &Limits) -> Result<Decoded, Failure> {
    let broken = || Failure::damaged("the bitmap's header ends early");
    let header = u32le(data, 0).ok_or_else(broken)?;
    if header < 40 {
        return Err(Failure::unsupported(format!("a bitmap header of {header} bytes in an icon")));
    }
    let width = u32le(data, 4).ok_or_else(broken)?;
    let signed = u32le(data, 8).ok_or_else(broken)?.cast_signed();
    let height = signed.unsigned_abs() / 2;
    let bits = u16le(data, 14).ok_or_else(broken)?;
    let compression = u32le(data, 16).ok_or_else(broken)?;
    let used = u32le(data, 32).ok_or_else(broken)?;
    if !matches!((bits, compression), (1 | 4 | 8 | 16 | 24 | 32, 0) | (32, 3)) {
        return Err(Failure::unsupported(format!("{bits} bits a pixel, compression {compression} in an icon")));
    }
    limits.check(width, height, 4)?;
    let (wide, high) = (width as usize, height as usize);
    let colours = match bits {
        1 | 4 | 8 if used == 0 => 1usize << bits,
        1 | 4 | 8 => (used as usize).min(256),
        _ => 0,
    };
    let masks = if compression == 3 && header == 40 { 12 } else { 0 };
    let table_at = (header as usize).checked_add(masks).ok_or_else(broken)?;
    let palette = data.get(table_at..).and_then(|d| d.get(..colours * 4)).ok_or_else(broken)?;
    let rows_at = table_at.saturating_add(colours * 4);
    let stride = wide.checked_mul(usize::from(bits)).ok_or_else(broken)?.div_ceil(32) * 4;
    let rows = data.get(rows_at..).unwrap_or_default();
    // Where the mask is cut or missing, the picture is whole all the same.
    let mask_stride = wide.div_ceil(32) * 4;
    // So is it where a colour profile (version 5 of the header) stands in its place.
    let profile = if header == 124 { u32le(data, 112).filter(|&at| at as usize > rows_at) } else { None };
    let masked = profile.map_or(rows, |at| rows.get(..at as usize - rows_at).unwrap_or(rows));
    let mask = stride.checked_mul(high).and_then(|used| masked.get(used..)).unwrap_or_default();
    let mut out = Vec::with_capacity(wide.saturating_mul(high).saturating_mul(4));
    let mut missing_rows = 0u32;
    let mut any_alpha = false;
    for y in 0..high {
        let stored = if signed < 0 { y } else { high - 1 - y };
        let row = stored.checked_mul(stride).and_then(|at| rows.get(at..at.checked_add(stride)?));
        if row.is_none() {
            missing_rows = missing_rows.saturating_add(1);
        }
        let row = row.unwrap_or_default();
        let mask_row = stored.checked_mul(mask_stride).and_then(|at| mask.get(at..)).unwrap_or_default();
        for x in 0..wide {
            let index = match bits {
                1 => row.get(x / 8).map(|b| b >> (7 - x % 8) & 1),
                4 => row.get(x / 2).map(|b| if x % 2 == 0 { b >> 4 } else { b & 15 }),
                8 => row.get(x).copied(),
                _ => None,
            };
            let bgra: [u8; 4] = match bits {
                1 | 4 | 8 => {
                    let entry = palette.chunks_exact(4).nth(usize::from(index.unwrap_or(0)));
                    entry.and_then(|e| e.try_into().ok()).unwrap_or_default()
                }
                16 => {
                    let value = u32::from(u16le(row, x * 2).unwrap_or(0));
                    let five = |shift: u32| ((value >> shift & 31) * 255 / 31) as u8;
                    [five(0), five(5), five(10), 0]
                }
                24 => row.get(x * 3..x * 3 + 3).map_or([0; 4], |b| match b {
                    [b, g, r] => [*b, *g, *r, 0],
                    _ => [0; 4],
                }),
                _ => row.get(x * 4..x * 4 + 4).and_then(|b| b.try_into().ok()).unwrap_or_default(),
            };
            let masked = mask_row.get(x / 8).is_some_and(|b| b >> (7 - x % 8) & 1 == 1);
            let [b, g, r, a] = bgra;
            any_alpha |= bits == 32 && a != 0;
            // The alpha channel goes here for now, the mask where there is none.
            out.extend_from_slice(&[r, g, b, if bits == 32 { a } else { 255 * u8::from(!masked) }]);
        }
    }
    if missing_rows as usize >= high {
        return Err(Failure::damaged("the bitmap ends before its pixels"));
    }
    if bits == 32 && !any_alpha {
        // An alpha channel of nothing but 0 is an older icon that means its mask.
        for (i, pixel) in out.chunks_exact_mut(4).enumerate() {
            let (x, y) = (i % wide, i / wide);
            let stored = if signed < 0 { y } else { high - 1 - y };
            let byte = stored.checked_mul(mask_stride).and_then(|at| mask.get(at.checked_add(x / 8)?));
            if let Some(alpha) = pixel.last_mut() {
                *alpha = 255 * u8::from(byte.is_none_or(|b| b >> (7 - x % 8) & 1 == 0));
            }
        }
    }
    let partial = (missing_rows > 0).then(|| format!("{missing_rows} of {high} rows are missing"));
    Ok(Decoded { pixels: pixels(width, height, Layout::Rgba, out)?, decoder: DECODER, partial })
}
