//! Generated pictures: soft patterns of colour with a little grain, encoded as JPEG with camera data.

use jpeg_encoder::{ColorType, Encoder};

use crate::exif::Camera;

/// What the demo does with a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// On the camera card.
    Card,
    /// On the card, then deleted.
    CardDeleted,
    /// On the second volume.
    Computer,
    /// On the second volume, inside a zip.
    Zip,
}

/// One generated picture.
pub struct Picture {
    /// Number shown in its name, from 1.
    pub number: u32,
    pub place: Place,
    /// Category in the demo known set (scheme `us-vics-2.0`), where the set knows the picture.
    pub category: Option<u8>,
    /// Whether the known-good list holds it.
    pub known_good: bool,
    /// The JPEG file.
    pub jpeg: Vec<u8>,
}

/// A seeded generator (xorshift64*): the demo is the same on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) as u32
    }
}

fn pixels(number: u32, width: u32, height: u32) -> Vec<u8> {
    let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ u64::from(number) << 17);
    let waves: Vec<[f32; 4]> = (0..6)
        .map(|_| {
            let mut unit = || (random.next() % 1000) as f32 / 1000.0;
            [unit() * 8.0 - 4.0, unit() * 8.0 - 4.0, unit() * 6.3, unit()]
        })
        .collect();
    let mut out = Vec::with_capacity((width * height * 3) as usize);
    for y in 0..height {
        for x in 0..width {
            let (u, v) = (x as f32 / width as f32, y as f32 / height as f32);
            for channel in 0..3u8 {
                let wave: f32 = waves
                    .iter()
                    .skip(usize::from(channel))
                    .step_by(2)
                    .map(|[a, b, phase, weight]| weight * (a * u * 3.0 + b * v * 3.0 + phase).sin())
                    .sum();
                let grain = (random.next() % 9) as f32 - 4.0;
                out.push((127.0 + 55.0 * wave + grain).clamp(0.0, 255.0) as u8);
            }
        }
    }
    out
}

fn encode(number: u32) -> Result<Vec<u8>, String> {
    let (width, height) = if number.is_multiple_of(3) { (480, 640) } else { (640, 480) };
    // Two cameras, so that pictures of one can be told from pictures of the other.
    let camera = Camera {
        make: "Avocet Demo",
        model: if number.is_multiple_of(2) { "Pocket 2" } else { "Bridge 1" },
        serial: if number.is_multiple_of(2) { "D2-000417" } else { "D1-000233" },
        taken: format!("2026:0{}:1{} 1{}:2{}:00", 1 + number % 9, number % 9, number % 8, number % 6),
    };
    let mut out = vec![];
    let mut encoder = Encoder::new(&mut out, 85);
    let mut exif = b"Exif\0\0".to_vec();
    exif.extend(camera.tiff());
    encoder.add_app_segment(1, exif).map_err(|e| e.to_string())?;
    encoder
        .encode(&pixels(number, width, height), width as u16, height as u16, ColorType::Rgb)
        .map_err(|e| e.to_string())?;
    Ok(out)
}

/// Every picture of the demo, in order.
pub fn all() -> Result<Vec<Picture>, String> {
    (1..=24)
        .map(|number| {
            let place = match number {
                1..=10 => Place::Card,
                11..=14 => Place::CardDeleted,
                15..=20 => Place::Computer,
                _ => Place::Zip,
            };
            let category = match number {
                3 | 12 => Some(1),
                7 => Some(2),
                16 => Some(5),
                22 => Some(1),
                _ => None,
            };
            Ok(Picture { number, place, category, known_good: number == 18, jpeg: encode(number)? })
        })
        .collect()
}
