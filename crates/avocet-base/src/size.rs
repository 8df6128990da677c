//! Counts as people read them.

/// A count with its noun: `1 file`, `2 files`.
pub fn plural(n: u64, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// A byte count with the unit that leaves one to three digits before the point: `812 bytes`, `1.5 GiB`. Units are
/// powers of 1,024. The exact number stands beside it wherever it matters.
pub fn size_text(bytes: u64) -> String {
    if bytes < 1_024 {
        return format!("{bytes} byte{}", if bytes == 1 { "" } else { "s" });
    }
    let mut unit = 1_024u64;
    let mut name = "KiB";
    for next in ["MiB", "GiB", "TiB", "PiB", "EiB"] {
        if bytes / unit < 1_024 {
            break;
        }
        unit *= 1_024;
        name = next;
    }
    let tenths = u128::from(bytes) * 10 / u128::from(unit);
    format!("{}.{} {name}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::size_text;

    #[test]
    fn units_and_borders() {
        let cases = [
            (0, "0 bytes"),
            (1, "1 byte"),
            (1_023, "1023 bytes"),
            (1_024, "1.0 KiB"),
            (1_048_575, "1023.9 KiB"),
            (1_048_576, "1.0 MiB"),
            (1_610_612_736, "1.5 GiB"),
            (u64::MAX, "15.9 EiB"),
        ];
        for (bytes, text) in cases {
            assert_eq!(size_text(bytes), text);
        }
    }
}
