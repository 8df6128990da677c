//! A small disk made in the test, the same byte for byte every time: MBR, one FAT16 volume, fixed times.

use std::io::{Cursor, Write};

use super::support::Place;

#[derive(Debug)]
struct Clock;

impl fatfs::TimeProvider for Clock {
    fn get_current_date(&self) -> fatfs::Date {
        fatfs::Date { year: 2024, month: 2, day: 29 }
    }

    fn get_current_date_time(&self) -> fatfs::DateTime {
        fatfs::DateTime { date: self.get_current_date(), time: fatfs::Time { hour: 12, min: 34, sec: 56, millis: 0 } }
    }
}

static CLOCK: Clock = Clock;
const START: usize = 63 * 512;
const VOLUME: usize = 3 << 20;

/// Bytes that begin like a JPEG and are different for every seed.
pub fn picture(seed: u8, length: usize) -> Vec<u8> {
    let mut out = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x02".to_vec();
    out.extend((0..length).map(|i| (i as u8).wrapping_mul(31).wrapping_add(seed)));
    out
}

/// A zip with one stored member.
pub fn zip_of(name: &str, content: &[u8]) -> Vec<u8> {
    zip_of_all(&[(name.to_owned(), content.to_vec())])
}

/// A zip with stored members, by the format's specification (APPNOTE 6.3.10).
pub fn zip_of_all(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    let (mut out, mut directory) = (vec![], vec![]);
    for (name, content) in members {
        let mut crc = u32::MAX;
        for byte in content {
            crc ^= u32::from(*byte);
            for _ in 0..8 {
                crc = (crc >> 1) ^ (0xedb8_8320 * (crc & 1));
            }
        }
        let place = out.len() as u32;
        let shared = |out: &mut Vec<u8>| {
            out.extend([20, 0, 0, 0, 0, 0, 0, 0, 0x5d, 0x58]);
            out.extend((!crc).to_le_bytes());
            out.extend((content.len() as u32).to_le_bytes());
            out.extend((content.len() as u32).to_le_bytes());
            out.extend((name.len() as u16).to_le_bytes());
            out.extend([0, 0]);
        };
        out.extend(b"PK\x03\x04");
        shared(&mut out);
        out.extend(name.as_bytes());
        out.extend(content);
        directory.extend(b"PK\x01\x02\x14\0");
        shared(&mut directory);
        directory.extend([0; 10]);
        directory.extend(place.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let (start, length, count) = (out.len() as u32, directory.len() as u32, members.len() as u16);
    out.extend(directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend(count.to_le_bytes());
    out.extend(count.to_le_bytes());
    out.extend(length.to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend([0, 0]);
    out
}

/// A `$I` record of Windows 10.
fn recycle_record(size: u64, path: &str) -> Vec<u8> {
    let units: Vec<u16> = path.encode_utf16().chain([0]).collect();
    let mut out = 2u64.to_le_bytes().to_vec();
    out.extend(size.to_le_bytes());
    out.extend(132_538_000_000_000_000u64.to_le_bytes());
    out.extend((units.len() as u32).to_le_bytes());
    out.extend(units.iter().flat_map(|u| u.to_le_bytes()));
    out
}

/// The files of the device. Every name and every byte is neutral.
pub fn files() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("Pictures/holiday at the lake 2019.jpg", picture(1, 3000)),
        ("Pictures/IMG_0002.JPG", picture(2, 9000)),
        ("Pictures/settings.txt", picture(1, 3000)),
        ("Pictures/GONE.JPG", picture(4, 5000)),
        ("Papers/nested.zip", zip_of("inner.zip", &zip_of("a.jpg", &picture(5, 700)))),
        ("Papers/=1+1, and more.txt", b"a plain text".to_vec()),
        ("Papers/invoice\u{202e}gpj.exe", b"another plain text".to_vec()),
        ("Papers/empty.txt", vec![]),
        ("$RECYCLE.BIN/S-1-5-21-1/$RABC123.JPG", picture(6, 2500)),
        ("$RECYCLE.BIN/S-1-5-21-1/$IABC123.JPG", recycle_record(2513, "C:\\Users\\kim\\was here.jpg")),
    ]
}

/// The bytes of the device.
pub fn image() -> Vec<u8> {
    let mut volume = Cursor::new(vec![0u8; VOLUME]);
    let options = fatfs::FormatVolumeOptions::new()
        .fat_type(fatfs::FatType::Fat16)
        .bytes_per_cluster(512)
        .volume_id(0x1234_abcd)
        .volume_label(*b"SMALL STICK");
    fatfs::format_volume(&mut volume, options).unwrap();
    let fs = fatfs::FileSystem::new(&mut volume, fatfs::FsOptions::new().time_provider(&CLOCK)).unwrap();
    for (path, content) in files() {
        for (i, _) in path.match_indices('/') {
            fs.root_dir().create_dir(&path[..i]).unwrap();
        }
        fs.root_dir().create_file(path).unwrap().write_all(&content).unwrap();
    }
    fs.root_dir().remove("Pictures/GONE.JPG").unwrap();
    fs.unmount().unwrap();
    let mut disk = vec![0u8; START];
    disk[440..444].copy_from_slice(&0x5eed_0001_u32.to_le_bytes());
    disk[446..454].copy_from_slice(&[0, 1, 1, 0, 6, 0xfe, 0xff, 0xff]);
    disk[454..458].copy_from_slice(&63u32.to_le_bytes());
    disk[458..462].copy_from_slice(&((VOLUME / 512) as u32).to_le_bytes());
    disk[510..512].copy_from_slice(&[0x55, 0xaa]);
    disk.extend(volume.into_inner());
    disk
}

impl Place {
    /// Writes the device as `name`.
    pub fn device(&self, name: &str) {
        std::fs::write(self.path(name), image()).unwrap();
    }

    /// Writes a list of digests as CSV.
    pub fn csv(&self, name: &str, header: &str, rows: &[String]) {
        std::fs::write(self.path(name), format!("{header}\n{}\n", rows.join("\n"))).unwrap();
    }
}
