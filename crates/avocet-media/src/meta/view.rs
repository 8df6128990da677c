//! Numbers out of bytes: every access is checked, none can panic.

/// Byte order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Little,
    Big,
}

/// `len` bytes from `at`.
pub(super) fn slice(data: &[u8], at: usize, len: usize) -> Option<&[u8]> {
    data.get(at..at.checked_add(len)?)
}

/// All bytes from `at`.
pub(super) fn rest(data: &[u8], at: usize) -> &[u8] {
    data.get(at..).unwrap_or_default()
}

fn array<const N: usize>(data: &[u8], at: usize) -> Option<[u8; N]> {
    slice(data, at, N)?.try_into().ok()
}

impl Order {
    pub(super) fn u16(self, data: &[u8], at: usize) -> Option<u16> {
        let bytes = array(data, at)?;
        Some(match self {
            Order::Little => u16::from_le_bytes(bytes),
            Order::Big => u16::from_be_bytes(bytes),
        })
    }

    pub(super) fn u32(self, data: &[u8], at: usize) -> Option<u32> {
        let bytes = array(data, at)?;
        Some(match self {
            Order::Little => u32::from_le_bytes(bytes),
            Order::Big => u32::from_be_bytes(bytes),
        })
    }

    pub(super) fn u64(self, data: &[u8], at: usize) -> Option<u64> {
        let bytes = array(data, at)?;
        Some(match self {
            Order::Little => u64::from_le_bytes(bytes),
            Order::Big => u64::from_be_bytes(bytes),
        })
    }

    pub(super) fn f64(self, data: &[u8], at: usize) -> Option<f64> {
        self.u64(data, at).map(f64::from_bits)
    }

    /// From `II` or `MM`.
    pub(super) fn from_mark(data: &[u8], at: usize) -> Option<Order> {
        match slice(data, at, 2)? {
            b"II" => Some(Order::Little),
            b"MM" => Some(Order::Big),
            _ => None,
        }
    }

    pub(super) fn other(self) -> Order {
        match self {
            Order::Little => Order::Big,
            Order::Big => Order::Little,
        }
    }
}

/// A `u32` as an index.
pub(super) fn index(n: u32) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

/// Where `needle` begins.
pub(super) fn find(data: &[u8], needle: &[u8]) -> Option<usize> {
    data.windows(needle.len().max(1)).position(|w| w == needle)
}
