//! Extended attributes.

use avocet_base::escape_utf16;

use crate::bytes::{be_u16, be_u32};
use crate::error::ReadError;

use super::fork::ForkData;
use super::tree::Tree;

/// Attributes of one file that are looked at.
const MOST: usize = 4096;
/// The attribute that keeps or announces compressed content.
pub(super) const DECMPFS: &str = "com.apple.decmpfs";

/// One attribute.
pub(super) struct Attribute {
    /// Escaped.
    pub name: String,
    pub value: Value,
}

pub(super) enum Value {
    /// In the record itself.
    Inline(Vec<u8>),
    /// In blocks of its own; further extents are not followed.
    Fork(ForkData),
}

/// The attributes of a file, in the order of their names.
pub(super) fn of(tree: &Tree, id: u32) -> Result<Vec<Attribute>, ReadError> {
    let mut out = vec![];
    tree.from(&|record| be_u32(record, 4).map(|file| file.cmp(&id)), &mut |record| {
        if be_u32(record, 4) != Some(id) || out.len() >= MOST {
            return false;
        }
        out.extend(parse(record));
        true
    })?;
    Ok(out)
}

fn parse(record: &[u8]) -> Option<Attribute> {
    let key = usize::from(be_u16(record, 0)?).checked_add(2)?;
    let units = usize::from(be_u16(record, 12)?);
    let name: Vec<u16> = record
        .get(14..14usize.checked_add(units.checked_mul(2)?)?)?
        .chunks_exact(2)
        .filter_map(|p| be_u16(p, 0))
        .collect();
    let body = record.get(key..)?;
    let value = match be_u32(body, 0)? {
        0x10 => {
            let length = usize::try_from(be_u32(body, 12)?).ok()?;
            Value::Inline(body.get(16..16usize.checked_add(length)?)?.to_vec())
        }
        0x20 => Value::Fork(ForkData::parse(body.get(8..)?)?),
        _ => return None,
    };
    Some(Attribute { name: escape_utf16(&name), value })
}
