//! The boot sector: geometry of the volume and where the master file table begins.
//!
//! Layout after Microsoft's "NTFS boot sector" (Windows 2000 Resource Kit) and the public NTFS documentation of the
//! Linux-NTFS project.

use crate::bytes::{le_u16, le_u64, u8_at};

/// What the boot sector says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Boot {
    /// Bytes per sector.
    pub sector: u64,
    /// Bytes per cluster.
    pub cluster: u64,
    /// Whole clusters of the volume.
    pub clusters: u64,
    /// Bytes the volume declares to span, without the backup boot sector behind it.
    pub size: u64,
    /// Bytes per file record.
    pub record: usize,
    /// Byte offset of the master file table.
    pub mft: u64,
    /// Byte offset of the copy of its first records.
    pub mirror: u64,
    /// Volume serial number.
    pub serial: u64,
}

/// Whether the sector carries the NTFS name at all.
pub(super) fn is_named(sector: &[u8]) -> bool {
    sector.get(3..11) == Some(b"NTFS    ")
}

impl Boot {
    /// Reads and checks a boot sector; the error is a clause that says what is wrong.
    pub fn parse(bytes: &[u8]) -> Result<Self, &'static str> {
        if !is_named(bytes) {
            return Err("no NTFS name in the boot sector");
        }
        let field = |value: Option<u64>| value.ok_or("the boot sector ends early");
        let sector = field(le_u16(bytes, 0x0b).map(u64::from))?;
        if !sector.is_power_of_two() || !(256..=4096).contains(&sector) {
            return Err("bytes per sector out of range");
        }
        // Up to 128 the byte is a count; above, it is a negative power of two, for clusters beyond 64 KiB.
        let per_cluster = match u8_at(bytes, 0x0d).ok_or("the boot sector ends early")? {
            n @ 1..=0x80 if n.is_power_of_two() => u64::from(n),
            n @ 0xf0..=0xff => 1u64 << (256 - u32::from(n)),
            _ => return Err("sectors per cluster out of range"),
        };
        let cluster = sector * per_cluster;
        if cluster > 2 * 1024 * 1024 {
            return Err("cluster larger than 2 MiB");
        }
        // A positive byte counts clusters, a negative one is a power of two in bytes.
        let record = match u8_at(bytes, 0x40).ok_or("the boot sector ends early")? {
            n @ 1..=0x7f => u64::from(n) * cluster,
            n @ 0xe1..=0xff => 1u64 << (256 - u32::from(n)),
            _ => return Err("file record size out of range"),
        };
        if !record.is_power_of_two() || !(512..=65_536).contains(&record) {
            return Err("file record size out of range");
        }
        let sectors = field(le_u64(bytes, 0x28))?;
        let size = sectors.checked_mul(sector).filter(|s| *s > 0 && *s <= i64::MAX as u64);
        let size = size.ok_or("volume size out of range")?;
        let clusters = size / cluster;
        let place = |lcn: u64| lcn.checked_mul(cluster).filter(|_| lcn < clusters);
        let mft = place(field(le_u64(bytes, 0x30))?).filter(|o| *o > 0).ok_or("file table outside the volume")?;
        Ok(Self {
            sector,
            cluster,
            clusters,
            size,
            record: usize::try_from(record).map_err(|_| "file record size out of range")?,
            mft,
            mirror: place(field(le_u64(bytes, 0x38))?).unwrap_or(0),
            serial: field(le_u64(bytes, 0x48))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sector(bytes_per: u16, per_cluster: u8, record: u8) -> Vec<u8> {
        let mut b = vec![0; 512];
        b[3..11].copy_from_slice(b"NTFS    ");
        b[0x0b..0x0d].copy_from_slice(&bytes_per.to_le_bytes());
        b[0x0d] = per_cluster;
        b[0x28..0x30].copy_from_slice(&(1u64 << 20).to_le_bytes());
        b[0x30..0x38].copy_from_slice(&4u64.to_le_bytes());
        b[0x38..0x40].copy_from_slice(&2u64.to_le_bytes());
        b[0x40] = record;
        b
    }

    #[test]
    fn cluster_and_record_sizes_in_both_encodings() {
        for (bytes_per, per_cluster, record, cluster, size) in [
            (512, 1, 0xf6, 512, 1024),
            (512, 8, 0xf6, 4096, 1024),
            (512, 0x80, 0xf6, 65_536, 1024),
            (512, 0xf4, 0xf6, 2 << 20, 1024), // Windows 10 with 2 MiB clusters
            (512, 0xf8, 0xf6, 131_072, 1024),
            (4096, 1, 1, 4096, 4096), // 4K native
            (1024, 2, 0xf4, 2048, 4096),
            (2048, 1, 0xf5, 2048, 2048),
        ] {
            let boot = Boot::parse(&sector(bytes_per, per_cluster, record)).unwrap();
            assert_eq!((boot.cluster, boot.record), (cluster, size), "{bytes_per} {per_cluster:x} {record:x}");
            assert_eq!(boot.mft, 4 * cluster);
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for (bytes_per, per_cluster, record) in
            [(0, 8, 0xf6), (513, 8, 0xf6), (512, 0, 0xf6), (512, 3, 0xf6), (512, 0x90, 0xf6), (4096, 0xf0, 0xf6)]
        {
            assert!(Boot::parse(&sector(bytes_per, per_cluster, record)).is_err());
        }
        assert!(Boot::parse(&sector(512, 8, 0)).is_err());
        assert!(Boot::parse(&sector(512, 8, 0x80)).is_err());
        let mut far = sector(512, 8, 0xf6);
        far[0x30..0x38].copy_from_slice(&u64::MAX.to_le_bytes());
        assert!(Boot::parse(&far).is_err());
        assert!(Boot::parse(&sector(512, 8, 0xf6)[..64]).is_err());
    }
}
