//! CRC-32C (metadata of ext4, VHDX) and CRC-16 (group descriptors of ext4), as the kernel's ext4 on-disk documentation
//! gives them: reflected, with the start value passed in and no final inversion. And joining CRC-32 sums of neighbours.

use std::sync::LazyLock;

static CRC32C: LazyLock<[u32; 256]> = LazyLock::new(|| {
    std::array::from_fn(|i| {
        (0..8).fold(u32::try_from(i).unwrap_or_default(), |c, _| (c >> 1) ^ if c & 1 == 1 { 0x82f6_3b78 } else { 0 })
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

/// CRC-16 of `data`, going on from `crc`.
pub(crate) fn crc16(crc: u16, data: &[u8]) -> u16 {
    let table = &*CRC16;
    data.iter().fold(crc, |c, b| {
        let [low, _] = c.to_le_bytes();
        (c >> 8) ^ table.get(usize::from(low ^ b)).copied().unwrap_or_default()
    })
}

/// What `n` zero bytes do to the register of a CRC-32, for n = 1, 2, 4 and so on: one column for each bit.
static ZEROS: LazyLock<[[u32; 32]; 64]> = LazyLock::new(|| {
    let twice = |m: &[u32; 32]| std::array::from_fn(|i| times(m, m.get(i).copied().unwrap_or_default()));
    // One bit: the lowest is divided out, the others move down.
    let mut power: [u32; 32] = std::array::from_fn(|i| if i == 0 { 0xedb8_8320 } else { 1u32 << i >> 1 });
    for _ in 0..3 {
        power = twice(&power);
    }
    let mut out = [power; 64];
    for one in &mut out {
        *one = power;
        power = twice(&power);
    }
    out
});

fn times(matrix: &[u32; 32], vector: u32) -> u32 {
    (0..32).zip(matrix).filter(|(bit, _)| vector >> bit & 1 == 1).fold(0, |sum, (_, column)| sum ^ column)
}

/// The register of a CRC-32 after so many zero bytes more.
fn advance(register: u32, bytes: u64) -> u32 {
    let powers = (0..64).zip(ZEROS.iter()).filter(|(bit, _)| bytes >> bit & 1 == 1);
    powers.fold(register, |r, (_, matrix)| times(matrix, r))
}

/// The CRC-32 of bytes of which the first have the sum `first`, and the other `length` ones the sum `second`.
pub(crate) fn crc32_joined(first: u32, second: u32, length: u64) -> u32 {
    advance(first, length) ^ second
}

/// The CRC-32 of so many zero bytes.
pub(crate) fn crc32_of_zeros(length: u64) -> u32 {
    !advance(!0, length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_values_of_the_published_algorithms() {
        // CRC-32C/iSCSI of "123456789" is e3069283 after the final inversion; CRC-16/MODBUS (no inversion) is 4b37.
        assert_eq!(!crc32c(!0, b"123456789"), 0xe306_9283);
        assert_eq!(crc16(!0, b"123456789"), 0x4b37);
    }

    #[test]
    fn sums_of_neighbours_join() {
        let sum = |bytes: &[u8]| {
            let mut sum = flate2::Crc::new();
            sum.update(bytes);
            sum.sum()
        };
        for length in [0usize, 1, 2, 511, 512, 4097, 70_000] {
            let zeros = vec![0; length];
            assert_eq!(crc32_of_zeros(length as u64), sum(&zeros), "{length}");
            let joined = crc32_joined(sum(b"before"), sum(&zeros), length as u64);
            assert_eq!(joined, sum(&[b"before", zeros.as_slice()].concat()), "{length}");
        }
        assert_eq!(crc32_joined(sum(b"1234"), sum(b"56789"), 5), 0xcbf4_3926);
    }
}
