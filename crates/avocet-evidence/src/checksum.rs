//! CRC-32C (metadata of ext4, VHDX, btrfs) and CRC-16 (group descriptors of ext4), as the kernel's ext4 on-disk documentation
//! gives them: reflected, with the start value passed in and no final inversion. CRC-32 of LVM2 and F2FS, CRC-16 of UDF; and
//! joining CRC-32 sums of neighbours.

use std::sync::LazyLock;

/// What a byte makes of the checksum, and what it makes once up to seven others have followed it.
static CRC32C: LazyLock<[[u32; 256]; 8]> = LazyLock::new(|| {
    let first: [u32; 256] = std::array::from_fn(|i| {
        (0..8).fold(u32::try_from(i).unwrap_or_default(), |c, _| (c >> 1) ^ if c & 1 == 1 { 0x82f6_3b78 } else { 0 })
    });
    let mut table = first;
    std::array::from_fn(|n| {
        if n > 0 {
            table = table.map(|c| {
                let [low, ..] = c.to_le_bytes();
                (c >> 8) ^ first.get(usize::from(low)).copied().unwrap_or_default()
            });
        }
        table
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
    let [t0, t1, t2, t3, t4, t5, t6, t7] = &*CRC32C;
    let of = |table: &[u32; 256], byte: u8| table.get(usize::from(byte)).copied().unwrap_or_default();
    // Eight bytes at once: whole files are held against this.
    let (steps, rest) = data.as_chunks::<8>();
    let crc = steps.iter().fold(crc, |crc, step| {
        let [a, b, c, d, e, f, g, h] = *step;
        let [a, b, c, d] = (crc ^ u32::from_le_bytes([a, b, c, d])).to_le_bytes();
        of(t7, a) ^ of(t6, b) ^ of(t5, c) ^ of(t4, d) ^ of(t3, e) ^ of(t2, f) ^ of(t1, g) ^ of(t0, h)
    });
    rest.iter().fold(crc, |c, b| {
        let [low, ..] = c.to_le_bytes();
        (c >> 8) ^ of(t0, low ^ b)
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

/// The CRC-16 of UDF: polynomial 1021, begun with 0 and not reflected.
pub(crate) fn crc16_ccitt(data: &[u8]) -> u16 {
    let table = &*CRC16_CCITT;
    data.iter().fold(0, |c, b| {
        let [high, _] = c.to_be_bytes();
        (c << 8) ^ table.get(usize::from(high ^ b)).copied().unwrap_or_default()
    })
}

static CRC16_CCITT: LazyLock<[u16; 256]> = LazyLock::new(|| {
    std::array::from_fn(|i| {
        let start = u16::try_from(i).unwrap_or_default() << 8;
        (0..8).fold(start, |c, _| (c << 1) ^ if c & 0x8000 != 0 { 0x1021 } else { 0 })
    })
});

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
        // CRC-32C/iSCSI of "123456789" is e3069283 and CRC-32 cbf43926, both after the final inversion; CRC-16/MODBUS (no
        // inversion) is 4b37.
        assert_eq!(!crc32(!0, b"123456789"), 0xcbf4_3926);
        assert_eq!(!crc32c(!0, b"123456789"), 0xe306_9283);
        // RFC 7143, B.4: 32 bytes of zero, and 32 that count up.
        assert_eq!(!crc32c(!0, &[0; 32]), 0x8a91_36aa);
        assert_eq!(!crc32c(!0, &std::array::from_fn::<u8, 32, _>(|i| i as u8)), 0x46dd_794e);
        assert_eq!(crc16(!0, b"123456789"), 0x4b37);
        // CRC-16/XMODEM is 31c3.
        assert_eq!(crc16_ccitt(b"123456789"), 0x31c3);
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
