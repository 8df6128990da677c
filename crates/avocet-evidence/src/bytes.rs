//! Bounded readers of little- and big-endian numbers: `None` instead of a panic where the bytes end.

/// `N` bytes at `offset`.
pub fn array<const N: usize>(data: &[u8], offset: usize) -> Option<[u8; N]> {
    data.get(offset..offset.checked_add(N)?)?.try_into().ok()
}

/// One byte at `offset`.
pub fn u8_at(data: &[u8], offset: usize) -> Option<u8> {
    data.get(offset).copied()
}

macro_rules! number {
    ($($le:ident $be:ident $type:ty),*) => {$(
        #[doc = concat!("A little-endian `", stringify!($type), "` at `offset`.")]
        pub fn $le(data: &[u8], offset: usize) -> Option<$type> {
            array(data, offset).map(<$type>::from_le_bytes)
        }

        #[doc = concat!("A big-endian `", stringify!($type), "` at `offset`.")]
        pub fn $be(data: &[u8], offset: usize) -> Option<$type> {
            array(data, offset).map(<$type>::from_be_bytes)
        }
    )*};
}

number!(le_u16 be_u16 u16, le_u32 be_u32 u32, le_u64 be_u64 u64);

/// UTF-16 little-endian units; a trailing odd byte is left out.
pub fn utf16_le(data: &[u8]) -> Vec<u16> {
    data.chunks_exact(2).filter_map(|pair| le_u16(pair, 0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_end_where_the_bytes_end() {
        let data = [1, 2, 3, 4];
        assert_eq!(le_u32(&data, 0), Some(0x0403_0201));
        assert_eq!(be_u16(&data, 2), Some(0x0304));
        assert_eq!(le_u32(&data, 1), None);
        assert_eq!(le_u64(&data, usize::MAX), None);
        assert_eq!(utf16_le(&[0x41, 0, 0x42]), [0x41]);
    }
}
