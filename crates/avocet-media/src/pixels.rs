//! Decoded pixels.

/// How the bytes of [`Pixels`] are laid out, eight bits a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// One byte a pixel.
    Grey,
    /// Red, green, blue.
    Rgb,
    /// Red, green, blue, alpha (255 is opaque).
    Rgba,
}

impl Layout {
    /// Bytes a pixel.
    pub fn bytes(self) -> usize {
        match self {
            Layout::Grey => 1,
            Layout::Rgb => 3,
            Layout::Rgba => 4,
        }
    }
}

/// A decoded picture, rows from the top without padding. Always `width * height * layout.bytes()` bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Pixels {
    width: u32,
    height: u32,
    layout: Layout,
    bytes: Vec<u8>,
}

impl Pixels {
    /// `None` where the bytes are not exactly those of such a picture, or one side is 0.
    pub fn new(width: u32, height: u32, layout: Layout, bytes: Vec<u8>) -> Option<Pixels> {
        let expected = u64::from(width).checked_mul(u64::from(height))?.checked_mul(layout.bytes() as u64)?;
        (expected > 0 && expected == bytes.len() as u64).then_some(Pixels { width, height, layout, bytes })
    }

    /// Pixels in a row.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Channels.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// The pixels.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl std::fmt::Debug for Pixels {
    /// Sizes only: the content of a picture never reaches a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pixels({}x{} {:?})", self.width, self.height, self.layout)
    }
}
