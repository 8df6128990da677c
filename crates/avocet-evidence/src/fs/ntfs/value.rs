//! A value in clusters read at a position: the file table, the allocation map, long attribute lists.

use super::record::{Attribute, Body};
use super::runs::{DataRun, Geometry, decode, extents};
use crate::bytes;
use crate::entry::{Extent, Location};
use crate::error::{ReadError, ReadFault};
use crate::source::{Source, read_exact_at};

/// The pieces of a non-resident value and how far they go.
#[derive(Debug, Clone)]
pub(super) struct Value {
    /// In order and without gaps, together `size` bytes.
    extents: Vec<Extent>,
    /// Bytes of the value.
    pub size: u64,
}

impl Value {
    /// A value from its runs, cut at `size`; `None` where the runs do not reach that far.
    pub fn new(runs: &[DataRun], cluster: u64, size: u64, initialised: u64) -> Option<Self> {
        Some(Self { extents: extents(runs, cluster, size, initialised)?, size })
    }

    /// A value that one attribute maps whole.
    pub fn of(attribute: &Attribute<'_>, geometry: Geometry) -> Result<Self, &'static str> {
        let Body::Mapped(mapping) = attribute.body else { return Err("value is not in clusters") };
        let mut runs = vec![];
        decode(mapping.pairs, 0, geometry, &mut runs)?;
        Self::new(&runs, geometry.cluster, mapping.size, mapping.initialised).ok_or("runs end before the value")
    }

    /// Fills `buf` from `offset` of the value.
    pub fn read_at(&self, source: &dyn Source, mut offset: u64, mut buf: &mut [u8]) -> Result<(), ReadError> {
        let first = self.extents.partition_point(|e| e.logical.saturating_add(e.length) <= offset);
        for extent in self.extents.iter().skip(first) {
            if buf.is_empty() {
                break;
            }
            let skip = offset.saturating_sub(extent.logical);
            let n = usize::try_from(extent.length.saturating_sub(skip)).unwrap_or(usize::MAX).min(buf.len());
            let (part, rest) = buf.split_at_mut(n);
            match extent.location {
                Location::At(at) => read_exact_at(source, "ntfs", at.saturating_add(skip), part)?,
                Location::Zero => part.fill(0),
            }
            offset = offset.saturating_add(n as u64);
            buf = rest;
        }
        if buf.is_empty() {
            return Ok(());
        }
        Err(ReadError::new("ntfs", offset, ReadFault::Truncated, "a value in clusters ends early"))
    }

    /// Where the byte at `offset` of the value lies in the volume.
    pub fn place(&self, offset: u64) -> Option<u64> {
        let first = self.extents.partition_point(|e| e.logical.saturating_add(e.length) <= offset);
        self.extents.get(first).and_then(|e| match e.location {
            Location::At(at) => at.checked_add(offset.checked_sub(e.logical)?),
            Location::Zero => None,
        })
    }
}

/// An attribute's whole value where it is at most `cap` bytes.
pub(super) fn whole(
    attribute: &Attribute<'_>,
    geometry: Geometry,
    source: &dyn Source,
    cap: u64,
) -> Result<Vec<u8>, &'static str> {
    if let Some(value) = attribute.resident() {
        return Ok(value.to_vec());
    }
    let value = Value::of(attribute, geometry)?;
    let size = usize::try_from(value.size.min(cap).min(source.len())).unwrap_or(usize::MAX);
    if size as u64 != value.size {
        return Err("value longer than it may be");
    }
    let mut out = vec![0; size];
    value.read_at(source, 0, &mut out).map_err(|_| "value cannot be read")?;
    Ok(out)
}

/// The first four bytes of a value: a reparse tag.
pub(super) fn first_u32(attribute: &Attribute<'_>, geometry: Geometry, source: &dyn Source) -> Option<u32> {
    if let Some(value) = attribute.resident() {
        return bytes::le_u32(value, 0);
    }
    let mut head = [0; 4];
    Value::of(attribute, geometry).ok()?.read_at(source, 0, &mut head).ok()?;
    Some(u32::from_le_bytes(head))
}
