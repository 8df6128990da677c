//! Numbers in untrusted bytes: every reading may be past the end.

use std::ops::Range;

/// The byte order of a TIFF frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Little,
    Big,
}

impl Order {
    pub(crate) fn u16(self, data: &[u8], at: usize) -> Option<u16> {
        let bytes = array::<2>(data, at)?;
        Some(if self == Order::Little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) })
    }

    pub(crate) fn u32(self, data: &[u8], at: usize) -> Option<u32> {
        let bytes = array::<4>(data, at)?;
        Some(if self == Order::Little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    }

    pub(crate) fn u64(self, data: &[u8], at: usize) -> Option<u64> {
        let bytes = array::<8>(data, at)?;
        Some(if self == Order::Little { u64::from_le_bytes(bytes) } else { u64::from_be_bytes(bytes) })
    }
}

fn array<const N: usize>(data: &[u8], at: usize) -> Option<[u8; N]> {
    data.get(at..at.checked_add(N)?)?.try_into().ok()
}

pub(crate) fn u16be(data: &[u8], at: usize) -> Option<u16> {
    Order::Big.u16(data, at)
}

pub(crate) fn u32be(data: &[u8], at: usize) -> Option<u32> {
    Order::Big.u32(data, at)
}

pub(crate) fn u64be(data: &[u8], at: usize) -> Option<u64> {
    Order::Big.u64(data, at)
}

pub(crate) fn u16le(data: &[u8], at: usize) -> Option<u16> {
    Order::Little.u16(data, at)
}

pub(crate) fn u32le(data: &[u8], at: usize) -> Option<u32> {
    Order::Little.u32(data, at)
}

/// `length` bytes from `start`, cut at the end of the data; `None` where nothing is left.
pub(crate) fn window(data: &[u8], start: u64, length: u64) -> Option<&[u8]> {
    let range = window_range(data.len(), start, length)?;
    data.get(range)
}

/// The same as a range.
pub(crate) fn window_range(total: usize, start: u64, length: u64) -> Option<Range<usize>> {
    let start = usize::try_from(start).ok()?;
    let end = usize::try_from(length).map_or(total, |length| start.saturating_add(length).min(total));
    (start < end).then_some(start..end)
}

/// Overwrites bytes; out of range nothing happens and `false` comes back.
pub(crate) fn patch(data: &mut [u8], at: usize, new: &[u8]) -> bool {
    match at.checked_add(new.len()).and_then(|end| data.get_mut(at..end)) {
        Some(place) => {
            place.copy_from_slice(new);
            true
        }
        None => false,
    }
}
