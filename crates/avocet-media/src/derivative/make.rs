//! Making the two small pictures from decoded pixels. Pure functions, for the confined worker.

use jpeg_encoder::{ColorType, Encoder, ImageBuffer, JpegColorType, SamplingFactor};

use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use super::error::DerivativeError;
use super::scale::{Rows, exchanges, scale, turn};
use super::veil::blur;
use crate::pixels::{Layout, Pixels};

/// Longest side of a clear picture in pixels; smaller pictures are not enlarged.
pub const CLEAR_SIDE: u32 = 400;
/// Long side of every veiled picture in pixels; smaller pictures are enlarged, so that all are blurred alike.
pub const VEILED_SIDE: u32 = 96;
const CLEAR_QUALITY: u8 = 80;
const VEILED_QUALITY: u8 = 70;

/// The two small pictures of one content: JPEG files without metadata.
#[derive(Clone, PartialEq, Eq)]
pub struct Made {
    /// Grey, long side [`VEILED_SIDE`], blurred.
    pub veiled: Vec<u8>,
    /// Long side at most [`CLEAR_SIDE`].
    pub clear: Vec<u8>,
}

impl std::fmt::Debug for Made {
    /// Sizes only.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Made(veiled {} bytes, clear {} bytes)", self.veiled.len(), self.clear.len())
    }
}

/// One channel of a picture, eight bits a sample, rows from the top.
#[derive(Clone, Copy)]
pub struct Plane<'a> {
    width: u32,
    height: u32,
    stride: usize,
    bytes: &'a [u8],
}

impl<'a> Plane<'a> {
    /// `stride` bytes lie between the beginnings of two rows. `None` where a side is 0, the stride shorter than a row,
    /// or the bytes end before the last row does.
    pub fn new(width: u32, height: u32, stride: usize, bytes: &'a [u8]) -> Option<Plane<'a>> {
        let row = usize::try_from(width).ok()?;
        let before = usize::try_from(height.checked_sub(1)?).ok()?.checked_mul(stride)?;
        let enough = before.checked_add(row)? <= bytes.len();
        (row > 0 && stride >= row && enough).then_some(Plane { width, height, stride, bytes })
    }

    fn scaled(&self, size: (usize, usize)) -> Vec<u8> {
        let source = (self.width as usize, self.height as usize);
        scale::<1, 1>(Rows::Plain(self.bytes, self.stride, source.0), source, size)
    }
}

impl std::fmt::Debug for Plane<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Plane({}x{})", self.width, self.height)
    }
}

/// The size with the long side `side`, the short side in proportion, rounded, at least 1. Rounds in whole numbers:
/// pictures of the same size give the same size on every machine.
fn with_long_side(width: usize, height: usize, side: usize) -> (usize, usize) {
    let long = width.max(height).max(1) as u64;
    let to = |v: usize| {
        let scaled = (v as u64 * side as u64 + long / 2) / long;
        usize::try_from(scaled).unwrap_or(side).clamp(1, side.max(1))
    };
    (to(width), to(height))
}

fn clear_size(width: u32, height: u32) -> (usize, usize) {
    let side = CLEAR_SIDE.min(width.max(height));
    with_long_side(width as usize, height as usize, side as usize)
}

/// Makes both from pixels, turned upright by an EXIF orientation (1 to 8; anything else counts as 1). Where a picture is
/// transparent, mid-grey shows through.
///
/// The same pixels give the same bytes.
///
/// # Errors
/// [`DerivativeError::Encode`], which these sizes rule out.
pub fn make(pixels: &Pixels, orientation: u8) -> Result<Made, DerivativeError> {
    let source = (pixels.width() as usize, pixels.height() as usize);
    let size = clear_size(pixels.width(), pixels.height());
    let row = source.0.saturating_mul(pixels.layout().bytes());
    let rows = match pixels.layout() {
        Layout::Grey => {
            let grey = scale::<1, 1>(Rows::Plain(pixels.bytes(), row, row), source, size);
            return from_grey(turn::<1>(grey, size.0, size.1, orientation), upright(size, orientation));
        }
        Layout::Rgb => Rows::Plain(pixels.bytes(), row, row),
        Layout::Rgba => Rows::Alpha(pixels.bytes(), row, Vec::new()),
    };
    let rgb = turn::<3>(scale::<3, 4>(rows, source, size), size.0, size.1, orientation);
    let size = upright(size, orientation);
    let luma: Vec<u8> = rgb.as_chunks::<3>().0.iter().map(|p| luma(*p)).collect();
    Ok(Made { veiled: veiled(&luma, size)?, clear: encode(&rgb, size, ColorType::Rgb, CLEAR_QUALITY)? })
}

/// Makes both from the planes of a JPEG file (full-range YCbCr as in JFIF), each of its own size, as a reduced-scale
/// decoder gives them: nothing is converted to RGB and back. Without chroma planes the picture is grey.
///
/// # Errors
/// As [`make`].
pub fn make_from_ycc(
    luma: Plane<'_>,
    chroma: Option<(Plane<'_>, Plane<'_>)>,
    orientation: u8,
) -> Result<Made, DerivativeError> {
    let size = clear_size(luma.width, luma.height);
    let small = |plane: Plane<'_>| turn::<1>(plane.scaled(size), size.0, size.1, orientation);
    let y = small(luma);
    let upright = upright(size, orientation);
    let Some((cb, cr)) = chroma else { return from_grey(y, upright) };
    let veiled = veiled(&y, upright)?;
    // The encoder keeps every second chroma sample of every second row: they are made as means at that size, and each
    // is handed over twice.
    let half = (size.0.div_ceil(2), size.1.div_ceil(2));
    let chroma = |plane: Plane<'_>| turn::<1>(plane.scaled(half), half.0, half.1, orientation);
    let planes = Planes { size: sides(upright)?, luma: y, chroma: [chroma(cb), chroma(cr)] };
    let mut clear = Vec::new();
    let mut encoder = Encoder::new(&mut clear, CLEAR_QUALITY);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    encoder.encode_image(planes).map_err(|_| DerivativeError::Encode)?;
    Ok(Made { veiled, clear })
}

/// A clear picture at half its sides, rounded up: for whoever needs to see less. Colours stay.
///
/// # Errors
/// [`DerivativeError::Encode`] where it is no picture that [`make`] made.
pub fn halved(clear: &[u8]) -> Result<Vec<u8>, DerivativeError> {
    let options = DecoderOptions::default().jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(clear), options);
    let rgb = decoder.decode().map_err(|_| DerivativeError::Encode)?;
    let (width, height) = decoder.dimensions().ok_or(DerivativeError::Encode)?;
    let row = width.saturating_mul(3);
    if row.saturating_mul(height) != rgb.len() || rgb.is_empty() {
        return Err(DerivativeError::Encode);
    }
    let size = (width.div_ceil(2), height.div_ceil(2));
    encode(&scale::<3, 4>(Rows::Plain(&rgb, row, row), (width, height), size), size, ColorType::Rgb, CLEAR_QUALITY)
}

fn from_grey(grey: Vec<u8>, size: (usize, usize)) -> Result<Made, DerivativeError> {
    Ok(Made { veiled: veiled(&grey, size)?, clear: encode(&grey, size, ColorType::Luma, CLEAR_QUALITY)? })
}

fn upright(size: (usize, usize), orientation: u8) -> (usize, usize) {
    if exchanges(orientation) { (size.1, size.0) } else { size }
}

/// Luma of ITU-R BT.601 in 8-bit weights, as JFIF has it.
fn luma([r, g, b]: [u8; 3]) -> u8 {
    let sum = 77 * u32::from(r) + 150 * u32::from(g) + 29 * u32::from(b) + 128;
    u8::try_from(sum >> 8).unwrap_or(u8::MAX)
}

fn veiled(grey: &[u8], size: (usize, usize)) -> Result<Vec<u8>, DerivativeError> {
    let small = with_long_side(size.0, size.1, VEILED_SIDE as usize);
    let scaled = scale::<1, 1>(Rows::Plain(grey, size.0, size.0), size, small);
    encode(&blur(&scaled, small.0, small.1), small, ColorType::Luma, VEILED_QUALITY)
}

fn sides(size: (usize, usize)) -> Result<(u16, u16), DerivativeError> {
    let side = |v| u16::try_from(v).map_err(|_| DerivativeError::Encode);
    Ok((side(size.0)?, side(size.1)?))
}

fn encode(bytes: &[u8], size: (usize, usize), colour: ColorType, quality: u8) -> Result<Vec<u8>, DerivativeError> {
    let (width, height) = sides(size)?;
    let mut out = Vec::new();
    let mut encoder = Encoder::new(&mut out, quality);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    encoder.encode(bytes, width, height, colour).map_err(|_| DerivativeError::Encode)?;
    Ok(out)
}

/// Luma, and chroma of half the size (rounded up), row by row for the encoder.
struct Planes {
    size: (u16, u16),
    luma: Vec<u8>,
    chroma: [Vec<u8>; 2],
}

impl ImageBuffer for Planes {
    fn get_jpeg_color_type(&self) -> JpegColorType {
        JpegColorType::Ycbcr
    }

    fn width(&self) -> u16 {
        self.size.0
    }

    fn height(&self) -> u16 {
        self.size.1
    }

    fn fill_buffers(&self, y: u16, buffers: &mut [Vec<u8>; 4]) {
        let width = usize::from(self.size.0);
        let [luma, cb, cr, _] = buffers;
        luma.extend_from_slice(self.luma.chunks(width).nth(usize::from(y)).unwrap_or_default());
        for (buffer, plane) in [cb, cr].into_iter().zip(&self.chroma) {
            let row = plane.chunks(width.div_ceil(2)).nth(usize::from(y / 2)).unwrap_or_default();
            buffer.extend(row.iter().flat_map(|v| [*v, *v]).take(width));
        }
    }
}
