//! The demo device: a GPT disk with two volumes.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::DemoError;
use crate::picture::{Picture, Place};

const SECTOR: u64 = 512;
const MIB: u64 = 1 << 20;
const CARD_START: u64 = MIB;
const CARD_LENGTH: u64 = 40 * MIB;
const COMPUTER_START: u64 = CARD_START + CARD_LENGTH;
const COMPUTER_LENGTH: u64 = 22 * MIB;
/// Space after the last volume that belongs to none, so that the completeness statement has something to name.
const DISK_LENGTH: u64 = COMPUTER_START + COMPUTER_LENGTH + 2 * MIB;

/// What the second volume is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecondVolume {
    /// ext4, made by `mkfs.ext4`.
    Ext4,
    /// FAT16, because `mkfs.ext4` is not installed.
    Fat16,
}

/// The clock of the camera that made the card: every entry carries the same time.
#[derive(Debug)]
struct CameraClock;

impl fatfs::TimeProvider for CameraClock {
    fn get_current_date(&self) -> fatfs::Date {
        fatfs::Date { year: 2026, month: 6, day: 14 }
    }

    fn get_current_date_time(&self) -> fatfs::DateTime {
        fatfs::DateTime { date: self.get_current_date(), time: fatfs::Time { hour: 15, min: 30, sec: 20, millis: 0 } }
    }
}

static CAMERA_CLOCK: CameraClock = CameraClock;

/// A window of the image file that a file system is written into.
struct Window {
    file: File,
    start: u64,
    length: u64,
    position: u64,
}

impl Window {
    fn new(file: &File, start: u64, length: u64) -> io::Result<Self> {
        Ok(Self { file: file.try_clone()?, start, length, position: 0 })
    }

    fn prepare(&mut self, wanted: usize) -> io::Result<usize> {
        self.file.seek(SeekFrom::Start(self.start + self.position))?;
        Ok(usize::try_from(self.length.saturating_sub(self.position)).unwrap_or(usize::MAX).min(wanted))
    }
}

impl Read for Window {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.prepare(buf.len())?;
        let n = self.file.read(buf.get_mut(..n).unwrap_or_default())?;
        self.position += n as u64;
        Ok(n)
    }
}

impl Write for Window {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let n = self.prepare(buf.len())?;
        let n = self.file.write(buf.get(..n).unwrap_or_default())?;
        self.position += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Seek for Window {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(p) => Some(p),
            SeekFrom::Current(d) => self.position.checked_add_signed(d),
            SeekFrom::End(d) => self.length.checked_add_signed(d),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

/// Makes the device at `path`.
pub fn build(path: &Path, pictures: &[Picture]) -> Result<SecondVolume, DemoError> {
    let write = |what| move |source| DemoError::Write { what, source };
    let file = OpenOptions::new().read(true).write(true).create_new(true).open(path).map_err(write("the device"))?;
    file.set_len(DISK_LENGTH).map_err(write("the device"))?;
    partition_table(&file).map_err(write("the partition table"))?;
    card(&file, pictures).map_err(write("the card volume"))?;
    let zip = zip_of(pictures)?;
    let second = computer_ext4(path, pictures, &zip).map_err(write("the computer volume"))?;
    if second == SecondVolume::Fat16 {
        computer_fat16(&file, pictures, &zip).map_err(write("the computer volume"))?;
    }
    file.sync_all().map_err(write("the device"))?;
    Ok(second)
}

/// A GUID partition table (UEFI 2.10, section 5) with its backup and the protective MBR.
fn partition_table(file: &File) -> io::Result<()> {
    let last_lba = DISK_LENGTH / SECTOR - 1;
    // Basic data and Linux file system, in the mixed-endian form of the specification.
    let basic = [0xa2, 0xa0, 0xd0, 0xeb, 0xe5, 0xb9, 0x33, 0x44, 0x87, 0xc0, 0x68, 0xb6, 0xb7, 0x26, 0x99, 0xc7];
    let linux = [0xaf, 0x3d, 0xc6, 0x0f, 0x83, 0x84, 0x72, 0x47, 0x8e, 0x79, 0x3d, 0x69, 0xd8, 0x47, 0x7d, 0xe4];
    let mut entries = vec![];
    let volumes =
        [(basic, 1u8, CARD_START, CARD_LENGTH, "camera card"), (linux, 2, COMPUTER_START, COMPUTER_LENGTH, "computer")];
    for (kind, number, start, length, name) in volumes {
        let mut entry = kind.to_vec();
        entry.extend([number; 16]);
        entry.extend((start / SECTOR).to_le_bytes());
        entry.extend(((start + length) / SECTOR - 1).to_le_bytes());
        entry.extend(0u64.to_le_bytes());
        entry.extend(name.encode_utf16().flat_map(u16::to_le_bytes));
        entry.resize(128, 0);
        entries.extend(entry);
    }
    entries.resize(128 * 128, 0);
    let entries_crc = crc32fast::hash(&entries);
    let header = |own: u64, other: u64, table: u64| {
        let mut h = b"EFI PART\0\0\x01\0\x5c\0\0\0\0\0\0\0\0\0\0\0".to_vec();
        h.extend(own.to_le_bytes());
        h.extend(other.to_le_bytes());
        h.extend(34u64.to_le_bytes());
        h.extend((last_lba - 33).to_le_bytes());
        h.extend([0xd0; 16]);
        h.extend(table.to_le_bytes());
        h.extend(128u32.to_le_bytes());
        h.extend(128u32.to_le_bytes());
        h.extend(entries_crc.to_le_bytes());
        let crc = crc32fast::hash(&h);
        h.splice(16..20, crc.to_le_bytes());
        h
    };
    let mut mbr = vec![0u8; 446];
    mbr.extend([0, 0, 2, 0, 0xee, 0xff, 0xff, 0xff, 1, 0, 0, 0]);
    mbr.extend(u32::try_from(last_lba).unwrap_or(u32::MAX).to_le_bytes());
    mbr.resize(510, 0);
    mbr.extend([0x55, 0xaa]);

    let at = |lba: u64, bytes: &[u8]| {
        let mut file = file;
        file.seek(SeekFrom::Start(lba * SECTOR))?;
        file.write_all(bytes)
    };
    at(0, &mbr)?;
    at(1, &header(1, last_lba, 2))?;
    at(2, &entries)?;
    at(last_lba - 32, &entries)?;
    at(last_lba, &header(last_lba, 1, last_lba - 32))
}

fn jpeg_name(p: &Picture) -> String {
    format!("DEMO{:04}.JPG", p.number)
}

/// The camera card: FAT32, `DCIM/100AVOCT`, four pictures deleted at the end.
fn card(file: &File, pictures: &[Picture]) -> io::Result<()> {
    let mut window = Window::new(file, CARD_START, CARD_LENGTH)?;
    let options = fatfs::FormatVolumeOptions::new()
        .fat_type(fatfs::FatType::Fat32)
        .bytes_per_cluster(512)
        .volume_id(0x2026_1123)
        .volume_label(*b"DEMO CARD  ");
    fatfs::format_volume(&mut window, options)?;
    let fs = fatfs::FileSystem::new(window, fatfs::FsOptions::new().time_provider(&CAMERA_CLOCK))?;
    {
        let root = fs.root_dir();
        root.create_dir("DCIM")?;
        let folder = root.create_dir("DCIM/100AVOCT")?;
        let on_card = |p: &&Picture| matches!(p.place, Place::Card | Place::CardDeleted);
        for p in pictures.iter().filter(on_card) {
            folder.create_file(&jpeg_name(p))?.write_all(&p.jpeg)?;
        }
        // A picture whose name says that it is something else.
        if let Some(p) = pictures.iter().find(|p| p.number == 3) {
            folder.create_file("settings.txt")?.write_all(&p.jpeg)?;
        }
        root.create_file("READ ME FIRST.txt")?
            .write_all(b"A demo device made by Avocet. Every picture is generated.\n")?;
        for p in pictures.iter().filter(|p| p.place == Place::CardDeleted) {
            folder.remove(&jpeg_name(p))?;
        }
    }
    fs.unmount()
}

fn zip_of(pictures: &[Picture]) -> Result<Vec<u8>, DemoError> {
    let failed = |e: &dyn std::fmt::Display| DemoError::Content(e.to_string());
    let mut zip = zip::ZipWriter::new(Cursor::new(vec![]));
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    for p in pictures.iter().filter(|p| p.place == Place::Zip) {
        zip.start_file(format!("backup/{}", jpeg_name(p)), options).map_err(|e| failed(&e))?;
        zip.write_all(&p.jpeg).map_err(|e| failed(&e))?;
    }
    Ok(zip.finish().map_err(|e| failed(&e))?.into_inner())
}

/// The files of the second volume: their paths and contents.
fn computer_files<'a>(pictures: &'a [Picture], zip: &'a [u8]) -> Vec<(String, &'a [u8])> {
    let mut files: Vec<(String, &[u8])> = pictures
        .iter()
        .filter(|p| p.place == Place::Computer)
        .map(|p| (format!("home/user/Pictures/{}", jpeg_name(p)), p.jpeg.as_slice()))
        .collect();
    // Exact copies of two pictures of the card.
    for p in pictures.iter().filter(|p| matches!(p.number, 2 | 3)) {
        files.push((format!("home/user/Downloads/copy of {}", jpeg_name(p)), p.jpeg.as_slice()));
    }
    files.push(("home/user/Documents/backup.zip".into(), zip));
    files.push(("home/user/Documents/notes.txt".into(), b"Nothing to see here: this is a demo.\n"));
    files
}

/// Makes the second volume with `mkfs.ext4 -d`; answers `Fat16` where that program is not there.
fn computer_ext4(device: &Path, pictures: &[Picture], zip: &[u8]) -> io::Result<SecondVolume> {
    let folder = tempfile::tempdir()?;
    for (path, content) in computer_files(pictures, zip) {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap_or(folder.path()))?;
        fs::write(path, content)?;
    }
    let outcome = Command::new("mkfs.ext4")
        .args(["-q", "-F", "-L", "computer", "-U", "20261123-0000-4000-8000-000000000002", "-E"])
        .arg(format!("offset={COMPUTER_START},root_owner=0:0"))
        .arg("-d")
        .arg(folder.path())
        .arg(device)
        .arg(format!("{}k", COMPUTER_LENGTH / 1024))
        .env("PATH", search_path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match outcome {
        Ok(status) if status.success() => Ok(SecondVolume::Ext4),
        Ok(_) => Ok(SecondVolume::Fat16),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(SecondVolume::Fat16),
        Err(e) => Err(e),
    }
}

/// The user's search path with the folders where distributions keep `mkfs`.
fn search_path() -> std::ffi::OsString {
    let mut path = std::env::var_os("PATH").unwrap_or_default();
    path.push(":/usr/sbin:/sbin");
    path
}

fn computer_fat16(file: &File, pictures: &[Picture], zip: &[u8]) -> io::Result<()> {
    let mut window = Window::new(file, COMPUTER_START, COMPUTER_LENGTH)?;
    // A failed mkfs may have left something.
    window.write_all(&vec![0; MIB as usize])?;
    window.seek(SeekFrom::Start(0))?;
    let options = fatfs::FormatVolumeOptions::new()
        .fat_type(fatfs::FatType::Fat16)
        .volume_id(0x2026_1124)
        .volume_label(*b"COMPUTER   ");
    fatfs::format_volume(&mut window, options)?;
    let fs = fatfs::FileSystem::new(window, fatfs::FsOptions::new().time_provider(&CAMERA_CLOCK))?;
    {
        let root = fs.root_dir();
        for (path, content) in computer_files(pictures, zip) {
            for (i, _) in path.match_indices('/') {
                root.create_dir(path.get(..i).unwrap_or_default())?;
            }
            root.create_file(&path)?.write_all(content)?;
        }
    }
    fs.unmount()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fallback_volume_holds_the_same_files() {
        let dir = tempfile::tempdir().unwrap();
        let file = File::options().read(true).write(true).create_new(true).open(dir.path().join("d")).unwrap();
        file.set_len(DISK_LENGTH).unwrap();
        let pictures = crate::picture::all().unwrap();
        let zip = zip_of(&pictures).unwrap();
        computer_fat16(&file, &pictures, &zip).unwrap();
        let window = Window::new(&file, COMPUTER_START, COMPUTER_LENGTH).unwrap();
        let fs = fatfs::FileSystem::new(window, fatfs::FsOptions::new()).unwrap();
        for (path, content) in computer_files(&pictures, &zip) {
            let mut read = vec![];
            fs.root_dir().open_file(&path).unwrap().read_to_end(&mut read).unwrap();
            assert_eq!(read, content, "{path}");
        }
    }
}
