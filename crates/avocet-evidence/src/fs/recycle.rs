//! The Windows recycle bin: where a deleted file was, how large, and when it was thrown away.
//!
//! Since Windows Vista each file `$Rxxxxxx.ext` has a companion `$Ixxxxxx.ext` (format 1 up to Windows 8.1, format 2
//! from Windows 10); before, one `INFO2` file lists all. Layouts after the public documentation of libyal
//! ("Windows Recycle.Bin file formats").

use avocet_base::{Stamp, escape_utf16, unescape_to_utf16};

use crate::bytes::{le_u32, le_u64, utf16_le};

/// What the recycle bin records of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecycleInfo {
    /// Escaped path the file had, drive letter included, with `/` between components: `C:/Users/x/a.jpg`.
    pub original_path: String,
    /// Size in bytes.
    pub size: u64,
    /// When it was thrown away, UTC.
    pub deleted: Option<Stamp>,
}

/// Bytes of a format 1 path.
const FIXED_PATH: usize = 520;
/// Windows' longest path in UTF-16 units.
const LONGEST_PATH: usize = 32_768;

/// A path up to its first zero unit, backslashes turned into separators, each component escaped.
fn path(units: &[u16]) -> Option<String> {
    let end = units.iter().position(|u| *u == 0).unwrap_or(units.len());
    let units = units.get(..end).filter(|u| !u.is_empty())?;
    let parts: Vec<String> = units.split(|u| *u == u16::from(b'\\')).map(escape_utf16).collect();
    Some(parts.join("/"))
}

/// Reads the content of an `$I` file. `None` where it is neither format 1 nor 2 or holds no path.
pub fn parse_info(bytes: &[u8]) -> Option<RecycleInfo> {
    let version = le_u64(bytes, 0)?;
    let (size, deleted) = (le_u64(bytes, 8)?, Stamp::from_filetime(le_u64(bytes, 16)?));
    let name = match version {
        1 => bytes.get(24..bytes.len().min(24 + FIXED_PATH))?,
        2 => {
            let units = usize::try_from(le_u32(bytes, 24)?).ok().filter(|n| *n <= LONGEST_PATH)?;
            bytes.get(28..28 + units * 2)?
        }
        _ => return None,
    };
    Some(RecycleInfo { original_path: path(&utf16_le(name))?, size, deleted })
}

/// The name of the `$I` file beside the content file `$R…` of that escaped name; `None` where it is no such name.
pub fn info_name_for(content_name: &str) -> Option<String> {
    swapped(content_name, b'R', b'I')
}

/// The name of the content file `$R…` beside the `$I…` file of that escaped name; `None` where it is no such name.
pub fn content_name_for(info_name: &str) -> Option<String> {
    swapped(info_name, b'I', b'R')
}

fn swapped(name: &str, from: u8, to: u8) -> Option<String> {
    let rest = name.strip_prefix('$')?;
    let rest =
        rest.strip_prefix(char::from(from)).or_else(|| rest.strip_prefix(char::from(from.to_ascii_lowercase())))?;
    let units = unescape_to_utf16(rest)?;
    (units.len() >= 6).then(|| format!("${}{rest}", char::from(to)))
}

/// Reads an `INFO2` list (Windows 95 to XP): its records in order, with their index, which is part of the content
/// file's name (`DC12.jpg`). Empty where it is no such list. Records without a Unicode path (Windows 95 to Me) are
/// given by their single-byte path, of which only ASCII is certain; other bytes are escaped.
pub fn parse_info2(bytes: &[u8]) -> Vec<(u32, RecycleInfo)> {
    let size = le_u32(bytes, 12).and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
    if !matches!(le_u32(bytes, 0), Some(0 | 2 | 4 | 5)) || !matches!(size, 280 | 800) {
        return vec![];
    }
    let records = bytes.get(20..).unwrap_or_default().chunks_exact(size);
    records.filter_map(info2_record).collect()
}

fn info2_record(record: &[u8]) -> Option<(u32, RecycleInfo)> {
    let unicode = record.get(280..800).and_then(|name| path(&utf16_le(name)));
    let original_path = unicode.or_else(|| {
        // The first byte is zeroed once the file left the bin.
        let name = record.get(..260)?;
        let end = name.iter().position(|b| *b == 0).filter(|end| *end > 0)?;
        let parts: Vec<String> = name.get(..end)?.split(|b| *b == b'\\').map(avocet_base::escape_bytes).collect();
        Some(parts.join("/"))
    })?;
    Some((
        le_u32(record, 260)?,
        RecycleInfo {
            original_path,
            size: u64::from(le_u32(record, 276)?),
            deleted: Stamp::from_filetime(le_u64(record, 268)?),
        },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2001-02-03T04:05:06.789Z
    const WHEN: u64 = 116_444_736_000_000_000 + 9_811_731_067_890_000;

    fn info(version: u64, path: &str) -> Vec<u8> {
        let mut out = [version.to_le_bytes(), 1234u64.to_le_bytes(), WHEN.to_le_bytes()].concat();
        let name: Vec<u8> = path.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect();
        if version == 2 {
            out.extend((name.len() as u32 / 2).to_le_bytes());
        }
        out.extend(&name);
        if version == 1 {
            out.resize(24 + FIXED_PATH, 0);
        }
        out
    }

    #[test]
    fn both_formats() {
        for version in [1, 2] {
            let got = parse_info(&info(version, "C:\\Users\\Zoë\\été 1.jpg")).unwrap();
            assert_eq!(got.original_path, "C:/Users/Zoë/été 1.jpg");
            assert_eq!(got.size, 1234);
            assert_eq!(got.deleted.unwrap().to_string(), "2001-02-03T04:05:06.789Z");
        }
    }

    #[test]
    fn damaged_ones_are_refused() {
        assert_eq!(parse_info(&info(3, "C:\\a")), None);
        assert_eq!(parse_info(&info(2, "")), None);
        let mut long = info(2, "C:\\a");
        long[24..28].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(parse_info(&long), None);
        for end in 0..28 {
            assert_eq!(parse_info(&info(2, "C:\\a")[..end]), None);
        }
    }

    #[test]
    fn names_are_paired() {
        assert_eq!(info_name_for("$RAB12CD.jpg").as_deref(), Some("$IAB12CD.jpg"));
        assert_eq!(content_name_for("$IAB12CD.tar.gz").as_deref(), Some("$RAB12CD.tar.gz"));
        assert_eq!(content_name_for("$IAB12CD").as_deref(), Some("$RAB12CD"));
        assert_eq!(info_name_for("$IAB12CD.jpg"), None);
        assert_eq!(info_name_for("$R"), None);
        assert_eq!(info_name_for("RAB12CD.jpg"), None);
    }

    #[test]
    fn info2_lists_records_with_their_index() {
        let mut list = vec![0u8; 20];
        list[0] = 5;
        list[12..16].copy_from_slice(&800u32.to_le_bytes());
        let mut record = vec![0u8; 800];
        record[260..264].copy_from_slice(&12u32.to_le_bytes());
        record[268..276].copy_from_slice(&WHEN.to_le_bytes());
        record[276..280].copy_from_slice(&4096u32.to_le_bytes());
        let name: Vec<u8> = "C:\\a\\b.jpg".encode_utf16().flat_map(u16::to_le_bytes).collect();
        record[280..280 + name.len()].copy_from_slice(&name);
        list.extend(&record);
        list.extend(&record[..100]);
        let got = parse_info2(&list);
        assert_eq!(got.len(), 1);
        assert_eq!((got[0].0, got[0].1.size, got[0].1.original_path.as_str()), (12, 4096, "C:/a/b.jpg"));
        assert_eq!(parse_info2(&list[..10]), []);
    }
}
