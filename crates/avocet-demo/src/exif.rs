//! A small EXIF block: the camera's make, model and body serial number, and when the picture was taken.

/// Camera data for one picture.
pub struct Camera {
    pub make: &'static str,
    pub model: &'static str,
    pub serial: &'static str,
    /// `YYYY:MM:DD HH:MM:SS`, as EXIF writes it.
    pub taken: String,
}

const ASCII: u16 = 2;
const LONG: u16 = 4;

/// Appends one directory: entries in ascending tag order, long values after the directory.
fn directory(out: &mut Vec<u8>, entries: &[(u16, u16, Vec<u8>)]) {
    let start = out.len();
    let mut tail = start + 2 + entries.len() * 12 + 4;
    let mut values = vec![];
    out.extend((entries.len() as u16).to_le_bytes());
    for (tag, kind, value) in entries {
        out.extend(tag.to_le_bytes());
        out.extend(kind.to_le_bytes());
        let count = if *kind == ASCII { value.len() } else { value.len() / 4 };
        out.extend((count as u32).to_le_bytes());
        if value.len() <= 4 {
            let mut inline = value.clone();
            inline.resize(4, 0);
            out.extend(inline);
        } else {
            out.extend((tail as u32).to_le_bytes());
            tail += value.len();
            values.extend_from_slice(value);
        }
    }
    out.extend(0u32.to_le_bytes());
    out.extend(values);
}

fn text(value: &str) -> Vec<u8> {
    let mut bytes = value.as_bytes().to_vec();
    bytes.push(0);
    bytes
}

impl Camera {
    /// The TIFF part of an EXIF segment (EXIF 2.32: IFD0 with Make 0x010f, Model 0x0110, DateTime 0x0132 and a pointer
    /// 0x8769 to the EXIF directory with DateTimeOriginal 0x9003 and BodySerialNumber 0xa431).
    pub fn tiff(&self) -> Vec<u8> {
        let mut out = b"II\x2a\0\x08\0\0\0".to_vec();
        let first = |pointer: u32| {
            vec![
                (0x010f, ASCII, text(self.make)),
                (0x0110, ASCII, text(self.model)),
                (0x0132, ASCII, text(&self.taken)),
                (0x8769, LONG, pointer.to_le_bytes().to_vec()),
            ]
        };
        let mut probe = out.clone();
        directory(&mut probe, &first(0));
        directory(&mut out, &first(probe.len() as u32));
        directory(&mut out, &[(0x9003, ASCII, text(&self.taken)), (0xa431, ASCII, text(self.serial))]);
        out
    }
}
