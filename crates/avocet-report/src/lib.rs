//! Renders an examination for people: the summary on a terminal, the same as JSON, and a report that prints.
//!
//! Everything comes from one [`Extract`]; this crate counts nothing that the examination does not say and decides
//! nothing.

mod extract;
mod html;
mod text;

pub use extract::{AlertLine, Extract, ExtractError, Line};
pub use html::{HtmlError, Names, html};
pub use text::text;

/// A count with its noun.
fn plural(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(n), if n == 1 { one } else { many })
}

/// A whole number with commas between thousands.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_read_well() {
        assert_eq!(plural(1, "file", "files"), "1 file");
        assert_eq!(plural(1_234_567, "file", "files"), "1,234,567 files");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_000), "1,000");
    }
}
