//! One AV1 picture, by `re_rav1d` on the calling thread, and its colours.

use re_rav1d::dav1d::pixel::{MatrixCoefficients, YUVRange};
use re_rav1d::dav1d::{Decoder, Error, Picture, PixelLayout, PlanarImageComponent, Settings};

use super::{Failure, Limits};

pub(super) const DECODER: &str = "re_rav1d 0.1.3";

/// What an item's `colr` box of type `nclx` says; it goes before the stream's own words (ISO/IEC 23008-12, 6.5.5.1).
#[derive(Debug, Clone, Copy)]
pub(super) struct Colours {
    pub(super) matrix: u16,
    pub(super) full_range: bool,
}

/// A decoded picture in planes.
pub(super) struct Planes {
    picture: Picture,
}

/// Decodes the first picture of a stream of OBUs.
pub(super) fn decode(stream: Vec<u8>, limits: &Limits) -> Result<Planes, Failure> {
    let mut settings = Settings::new();
    settings.set_n_threads(1);
    settings.set_max_frame_delay(1);
    settings.set_all_layers(false);
    // Sixteen bits a sample in the worst layout, twice; the result comes on top.
    let most = limits.max_pixels.min(limits.max_bytes_alloc / 16).min(u64::from(u32::MAX));
    settings.set_frame_size_limit(most.max(1) as u32);
    let mut decoder = Decoder::with_settings(&settings).map_err(failure)?;
    let mut pending = match decoder.send_data(stream, None, None, None) {
        Ok(()) => false,
        Err(Error::Again) => true,
        Err(error) => return Err(failure(error)),
    };
    // Each turn either takes data or yields a picture; a stream that does neither is at its end.
    for _ in 0..64 {
        match decoder.get_picture() {
            Ok(picture) => return Ok(Planes { picture }),
            Err(Error::Again) if pending => match decoder.send_pending_data() {
                Ok(()) => pending = false,
                Err(Error::Again) => {}
                Err(error) => return Err(failure(error)),
            },
            Err(Error::Again) => break,
            Err(error) => return Err(failure(error)),
        }
    }
    Err(Failure::damaged("the AV1 stream holds no picture"))
}

fn failure(error: Error) -> Failure {
    match error {
        Error::UnsupportedBitstream => Failure::unsupported("AV1: unsupported stream"),
        Error::NotEnoughMemory => Failure::new("too-large", "AV1: not enough memory"),
        // ERANGE is how the frame size limit shows.
        other => {
            let text = format!("AV1: {other:?}");
            if text.contains("ERANGE") { Failure::new("too-large", text) } else { Failure::damaged(text) }
        }
    }
}

impl Planes {
    pub(super) fn width(&self) -> u32 {
        self.picture.width()
    }

    pub(super) fn height(&self) -> u32 {
        self.picture.height()
    }

    pub(super) fn is_grey(&self) -> bool {
        matches!(self.picture.pixel_layout(), PixelLayout::I400)
    }

    fn depth(&self) -> u32 {
        self.picture.bits_per_component().map_or(8, |b| b.0 as u32)
    }

    fn full_range(&self, colours: Option<Colours>) -> bool {
        colours.map_or_else(|| matches!(self.picture.color_range(), YUVRange::Full), |c| c.full_range)
    }

    /// One plane's samples, row by row, each as its number.
    fn rows(&self, component: PlanarImageComponent, height: usize) -> Vec<Vec<u16>> {
        let stride = self.picture.stride(component) as usize;
        let plane = self.picture.plane(component);
        let bytes: &[u8] = plane.as_ref();
        let wide = self.depth() > 8;
        let row = |row: &[u8]| -> Vec<u16> {
            if wide {
                row.chunks_exact(2).filter_map(|b| b.try_into().ok().map(u16::from_ne_bytes)).collect()
            } else {
                row.iter().map(|&b| u16::from(b)).collect()
            }
        };
        bytes.chunks(stride.max(1)).take(height).map(row).collect()
    }

    /// The luma plane in eight bits, in full range.
    pub(super) fn luma(&self, colours: Option<Colours>) -> Vec<u8> {
        let (low, span) = range(self.full_range(colours), self.depth(), false);
        let width = self.width() as usize;
        let mut out = Vec::with_capacity(width.saturating_mul(self.height() as usize));
        for row in self.rows(PlanarImageComponent::Y, self.height() as usize) {
            out.extend(row.iter().take(width).map(|&v| to_byte((f32::from(v) - low) / span)));
        }
        out
    }

    /// Red, green, blue. Chroma is taken from its nearest sample.
    pub(super) fn rgb(&self, colours: Option<Colours>) -> Result<Vec<u8>, Failure> {
        let (width, height) = (self.width() as usize, self.height() as usize);
        let (shift_x, shift_y) = match self.picture.pixel_layout() {
            PixelLayout::I420 => (1, 1),
            PixelLayout::I422 => (1, 0),
            _ => (0, 0),
        };
        let matrix = colours.map_or_else(|| stream_matrix(self.picture.matrix_coefficients()), |c| c.matrix);
        let full = self.full_range(colours);
        let (low, span) = range(full, self.depth(), false);
        let (middle, chroma_span) = range(full, self.depth(), true);
        // Kr and Kb of ISO/IEC 23091-2, table 4.
        let (kr, kb) = match matrix {
            1 => (0.2126, 0.0722),
            4 => (0.30, 0.11),
            7 => (0.212, 0.087),
            9 | 10 => (0.2627, 0.0593),
            0 | 2 | 5 | 6 | 8 => (0.299, 0.114),
            other => return Err(Failure::unsupported(format!("AV1: colour matrix {other}"))),
        };
        let kg = 1.0 - kr - kb;
        let y_rows = self.rows(PlanarImageComponent::Y, height);
        let u_rows = self.rows(PlanarImageComponent::U, (height + shift_y) >> shift_y);
        let v_rows = self.rows(PlanarImageComponent::V, (height + shift_y) >> shift_y);
        let mut out = Vec::with_capacity(width.saturating_mul(height).saturating_mul(3));
        for (y, row) in y_rows.iter().enumerate() {
            let u_row = u_rows.get(y >> shift_y).map(Vec::as_slice).unwrap_or_default();
            let v_row = v_rows.get(y >> shift_y).map(Vec::as_slice).unwrap_or_default();
            for (x, &luma) in row.iter().take(width).enumerate() {
                let sample = |row: &[u16]| row.get(x >> shift_x).copied().map_or(middle, f32::from);
                let (u, v) = (sample(u_row), sample(v_row));
                let luma = (f32::from(luma) - low) / span;
                let rgb = match matrix {
                    // The planes are green, blue, red.
                    0 => [(v - low) / span, luma, (u - low) / span],
                    8 => {
                        let (cg, co) = ((u - middle) / chroma_span, (v - middle) / chroma_span);
                        [luma - cg + co, luma + cg, luma - cg - co]
                    }
                    _ => {
                        let (cb, cr) = ((u - middle) / chroma_span, (v - middle) / chroma_span);
                        let red = luma + 2.0 * (1.0 - kr) * cr;
                        let blue = luma + 2.0 * (1.0 - kb) * cb;
                        [red, (luma - kr * red - kb * blue) / kg, blue]
                    }
                };
                out.extend(rgb.map(to_byte));
            }
        }
        Ok(out)
    }
}

/// Where 0 lies and how far it is to 1 (for chroma: where the middle lies, and how far it is from end to end).
fn range(full: bool, depth: u32, chroma: bool) -> (f32, f32) {
    let scale = (1u32 << (depth - 8)) as f32;
    let top = ((1u32 << depth) - 1) as f32;
    match (full, chroma) {
        (true, false) => (0.0, top),
        (true, true) => ((1u32 << (depth - 1)) as f32, top),
        (false, false) => (16.0 * scale, 219.0 * scale),
        (false, true) => (128.0 * scale, 224.0 * scale),
    }
}

fn to_byte(value: f32) -> u8 {
    (value.clamp(0.0, 1.0) * 255.0 + 0.5) as u8
}

fn stream_matrix(matrix: MatrixCoefficients) -> u16 {
    match matrix {
        MatrixCoefficients::Identity => 0,
        MatrixCoefficients::BT709 => 1,
        MatrixCoefficients::BT470M => 4,
        MatrixCoefficients::ST240M => 7,
        MatrixCoefficients::YCgCo => 8,
        MatrixCoefficients::BT2020NonConstantLuminance => 9,
        _ => 2,
    }
}
