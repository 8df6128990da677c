//! The text file beside a phone extraction (`.ufd`): what the tool that made it says of the device.

use std::path::Path;

use avocet_base::escape_bytes;

use super::folder;
use crate::source::read_up_to;

/// Bytes of it that are read.
const MOST: usize = 1 << 20;
/// Facts at most.
const MOST_FACTS: usize = 200;
/// The sections that speak of device and extraction. Names of examiners and cases are not taken.
const SECTIONS: [&str; 2] = ["DeviceInfo", "General"];

/// The facts of the file beside `archive`: the same name, ending in `.ufd`. Empty where there is none.
pub(crate) fn beside(archive: &Path) -> Vec<(String, String)> {
    let Ok(source) = folder::quiet_source(&archive.with_extension("ufd")) else { return vec![] };
    read_up_to(&*source, 0, MOST).map_or_else(|_| vec![], |bytes| facts(&bytes))
}

/// The facts of such a file.
fn facts(bytes: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(bytes);
    let (mut section, mut out) = ("", vec![]);
    for line in text.trim_start_matches('\u{feff}').lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            section = name;
        } else if let Some((name, value)) = line.split_once('=').filter(|_| SECTIONS.contains(&section)) {
            let (name, value) = (name.trim(), value.trim());
            if !value.is_empty() && out.len() < MOST_FACTS {
                out.push((escape_bytes(name.as_bytes()), escape_bytes(value.as_bytes())));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::facts;

    #[test]
    fn device_and_extraction_and_no_names_of_people() {
        let text = b"\xef\xbb\xbf[Crime Case]\r\nExaminer Name=Someone\r\n[DeviceInfo]\r\nModel=Phone\r\nOS=\r\n[General]\r\nDate=1\r\n";
        let expected = [("Model", "Phone"), ("Date", "1")].map(|(n, v)| (n.to_owned(), v.to_owned()));
        assert_eq!(facts(text), expected);
        assert_eq!(facts(b"\0\xff[x"), []);
    }
}
