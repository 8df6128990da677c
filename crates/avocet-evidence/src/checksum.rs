//! CRC-32C (metadata of ext4, VHDX), CRC-32 (LVM2) and CRC-16 (group descriptors of ext4), as the kernel's ext4 on-disk documentation
//! gives them: reflected, with the start value passed in and no final inversion.

use std::sync::LazyLock;

static CRC32C: LazyLock<[u32; 256]> = LazyLock::new(|| {
    std::array::from_fn(|i| {
        (0..8).fold(u32::try_from(i).unwrap_or_default(), |c, _| (c >> 1) ^ if c & 1 == 1 { 0x82f6_3b78 } else { 0 })
    })
});

static CRC32: LazyLock<[u32; 256]> = LazyLock::new(|| {
    std::array::from_fn(|i| {
        (0..8).fold(u32::try_from(i).unwrap_or_default(), |c, _| (c >> 1) ^ if c & 1 == 1 { 0xedb8_8320 } else { 0 })
    })
});

static CRC16: LazyLock<[u16; 256]> = LazyLock::new(|| {
    std::array::from_fn(|i| {
        (0..8).fold(u16::try_from(i).unwrap_or_default(), |c, _| (c >> 1) ^ if c & 1 == 1 { 0xa001 } else { 0 })
    })
});

/// CRC-32C of `data`, going on from `crc`.
pub(crate) fn crc32c(crc: u32, data: &[u8]) -> u32 {
    let table = &*CRC32C;
    data.iter().fold(crc, |c, b| {
        let [low, ..] = c.to_le_bytes();
        (c >> 8) ^ table.get(usize::from(low ^ b)).copied().unwrap_or_default()
    })
}

/// CRC-32 of `data`, going on from `crc`.
pub(crate) fn crc32(crc: u32, data: &[u8]) -> u32 {
    let table = &*CRC32;
    data.iter().fold(crc, |c, b| {
        let [low, ..] = c.to_le_bytes();
        (c >> 8) ^ table.get(usize::from(low ^ b)).copied().unwrap_or_default()
    })
}

/// CRC-16 of `data`, going on from `crc`.
pub(crate) fn crc16(crc: u16, data: &[u8]) -> u16 {
    let table = &*CRC16;
    data.iter().fold(crc, |c, b| {
        let [low, _] = c.to_le_bytes();
        (c >> 8) ^ table.get(usize::from(low ^ b)).copied().unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_values_of_the_published_algorithms() {
        // CRC-32C/iSCSI of "123456789" is e3069283 and CRC-32 cbf43926, both after the final inversion; CRC-16/MODBUS (no
        // inversion) is 4b37.
        assert_eq!(!crc32(!0, b"123456789"), 0xcbf4_3926);
        assert_eq!(!crc32c(!0, b"123456789"), 0xe306_9283);
        assert_eq!(crc16(!0, b"123456789"), 0x4b37);
    }
}
