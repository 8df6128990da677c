//! The superblock: geometry, features, and where copies of it lie. Field offsets are those of the kernel's ext4 on-disk
//! documentation ("Super Block").

use avocet_base::escape_bytes;

use crate::bytes::{array, le_u16, le_u32};
use crate::checksum::crc32c;
use crate::source::{Source, read_up_to};

pub(super) const INCOMPAT_FILETYPE: u32 = 0x2;
const INCOMPAT_RECOVER: u32 = 0x4;
pub(super) const INCOMPAT_JOURNAL_DEV: u32 = 0x8;
const INCOMPAT_META_BG: u32 = 0x10;
const INCOMPAT_64BIT: u32 = 0x80;
const INCOMPAT_CSUM_SEED: u32 = 0x2000;
const INCOMPAT_LARGEDIR: u32 = 0x4000;
/// compression, filetype, recover, journal_dev, meta_bg, extents, 64bit, mmp, flex_bg, ea_inode, dirdata, csum_seed,
/// largedir, inline_data, encrypt, casefold.
pub(super) const INCOMPAT_KNOWN: u32 = 0x3_f7df;
/// Features that only ext4 has: extents, 64bit, mmp, flex_bg and everything later.
const INCOMPAT_EXT4: u32 = !0x1f;
const COMPAT_HAS_JOURNAL: u32 = 0x4;
const COMPAT_SPARSE_SUPER2: u32 = 0x200;
const RO_SPARSE_SUPER: u32 = 0x1;
const RO_GDT_CSUM: u32 = 0x10;
const RO_METADATA_CSUM: u32 = 0x400;
const RO_BIGALLOC: u32 = 0x200;
/// Everything but sparse_super, large_file and btree_dir.
const RO_EXT4: u32 = !0x7;

/// How group descriptors are protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Checksums {
    /// Not at all.
    None,
    /// CRC-16 on group descriptors only (`gdt_csum`).
    Groups,
    /// CRC-32C on all metadata (`metadata_csum`), with this seed.
    All(u32),
}

/// What the superblock says, checked for sense.
#[derive(Debug, Clone)]
pub(super) struct Superblock {
    pub inodes: u32,
    pub blocks: u64,
    pub free_blocks: u64,
    pub first_data_block: u64,
    /// Bytes of a block.
    pub block_size: u64,
    /// Blocks of a cluster: 1 but for `bigalloc`.
    pub cluster_blocks: u64,
    pub blocks_per_group: u64,
    pub inodes_per_group: u32,
    pub inode_size: usize,
    pub first_inode: u32,
    pub compat: u32,
    pub incompat: u32,
    pub ro_compat: u32,
    pub uuid: [u8; 16],
    pub label: Option<String>,
    pub reserved_gdt_blocks: u64,
    pub journal_inode: u32,
    pub first_meta_bg: u64,
    pub desc_size: usize,
    backup_groups: [u32; 2],
    pub checksums: Checksums,
    /// Whether its own checksum agrees; true where there is none.
    pub checksum_ok: bool,
    /// The group this copy says it belongs to.
    pub group: u16,
    /// Inodes that hold structures of the file system although they are numbered like files: project quota, orphan file.
    pub system_inodes: [u32; 2],
    revision: u32,
}

impl Superblock {
    /// Reads the 1,024 bytes of a superblock; the text says why they are none.
    pub fn parse(raw: &[u8]) -> Result<Self, String> {
        Self::fields(raw).ok_or_else(|| "the superblock is cut off".to_owned())?
    }

    fn fields(raw: &[u8]) -> Option<Result<Self, String>> {
        if le_u16(raw, 0x38)? != 0xef53 {
            return Some(Err("no ext superblock signature".to_owned()));
        }
        let (compat, incompat, ro_compat) = (le_u32(raw, 0x5c)?, le_u32(raw, 0x60)?, le_u32(raw, 0x64)?);
        let revision = le_u32(raw, 0x4c)?;
        let (log_block, log_cluster) = (le_u32(raw, 0x18)?, le_u32(raw, 0x1c)?);
        if log_block > 6 {
            return Some(Err(format!("block size 1024 << {log_block} is not one of 1 to 64 KiB")));
        }
        let block_size = 1024u64 << log_block;
        let wide = incompat & INCOMPAT_64BIT != 0;
        let high = |offset| if wide { le_u32(raw, offset).map(u64::from) } else { Some(0) };
        let blocks = u64::from(le_u32(raw, 0x4)?) | high(0x150)? << 32;
        let free_blocks = u64::from(le_u32(raw, 0xc)?) | high(0x158)? << 32;
        let bigalloc = ro_compat & RO_BIGALLOC != 0;
        if bigalloc && (log_cluster < log_block || log_cluster > 20) {
            return Some(Err(format!("cluster size 1024 << {log_cluster} does not fit the block size")));
        }
        let cluster_blocks = if bigalloc { 1u64 << (log_cluster - log_block) } else { 1 };
        let blocks_per_group = u64::from(le_u32(raw, 0x20)?);
        let inodes_per_group = le_u32(raw, 0x28)?;
        let bits = block_size * 8;
        if blocks_per_group < 8 || blocks_per_group > bits.saturating_mul(cluster_blocks) {
            return Some(Err(format!("{blocks_per_group} blocks in a group do not fit one bitmap block")));
        }
        if inodes_per_group == 0 || u64::from(inodes_per_group) > bits {
            return Some(Err(format!("{inodes_per_group} inodes in a group do not fit one bitmap block")));
        }
        let (inode_size, first_inode) =
            if revision == 0 { (128, 11) } else { (usize::from(le_u16(raw, 0x58)?), le_u32(raw, 0x54)?) };
        if inode_size < 128 || !inode_size.is_power_of_two() || inode_size as u64 > block_size {
            return Some(Err(format!("inode size {inode_size} is impossible")));
        }
        let first_data_block = u64::from(le_u32(raw, 0x14)?);
        let inodes = le_u32(raw, 0)?;
        if first_data_block >= blocks || inodes == 0 {
            return Some(Err("it declares no blocks or no inodes".to_owned()));
        }
        let desc_size = if wide { usize::from(le_u16(raw, 0xfe)?) } else { 32 };
        if !(32..=1024).contains(&desc_size) || !desc_size.is_power_of_two() || (wide && desc_size < 64) {
            return Some(Err(format!("group descriptor size {desc_size} is impossible")));
        }
        let uuid: [u8; 16] = array(raw, 0x68)?;
        let checksums = if ro_compat & RO_METADATA_CSUM != 0 {
            let seed = if incompat & INCOMPAT_CSUM_SEED != 0 { le_u32(raw, 0x270)? } else { crc32c(!0, &uuid) };
            Checksums::All(seed)
        } else if ro_compat & RO_GDT_CSUM != 0 {
            Checksums::Groups
        } else {
            Checksums::None
        };
        let checksum_ok =
            !matches!(checksums, Checksums::All(_)) || crc32c(!0, raw.get(..0x3fc)?) == le_u32(raw, 0x3fc)?;
        let name: [u8; 16] = array(raw, 0x78)?;
        let name: Vec<u8> = name.into_iter().take_while(|b| *b != 0).collect();
        Some(Ok(Self {
            inodes,
            blocks,
            free_blocks,
            first_data_block,
            block_size,
            cluster_blocks,
            blocks_per_group,
            inodes_per_group,
            inode_size,
            first_inode: first_inode.max(3),
            compat,
            incompat,
            ro_compat,
            uuid,
            label: (!name.is_empty()).then(|| escape_bytes(&name)),
            reserved_gdt_blocks: u64::from(le_u16(raw, 0xce)?),
            journal_inode: le_u32(raw, 0xe0)?,
            first_meta_bg: u64::from(le_u32(raw, 0x104)?),
            desc_size,
            backup_groups: [le_u32(raw, 0x24c)?, le_u32(raw, 0x250)?],
            checksums,
            checksum_ok,
            group: le_u16(raw, 0x5a)?,
            system_inodes: [le_u32(raw, 0x26c)?, le_u32(raw, 0x280)?],
            revision,
        }))
    }

    /// The primary superblock at byte 1,024, or, where that is broken, the first copy found where the usual layouts keep
    /// one, with the reason the primary was refused and the byte offset of the copy.
    pub fn find(volume: &dyn Source) -> Result<(Self, Option<(String, u64)>), String> {
        let read = |offset| read_up_to(volume, offset, 1024).map_err(|e| e.to_string());
        let refused = match read(1024).and_then(|raw| Self::parse(&raw)) {
            Ok(primary) => return Ok((primary, None)),
            Err(reason) => reason,
        };
        for log_block in 0..=6u32 {
            let block_size = 1024u64 << log_block;
            let first = u64::from(log_block == 0);
            // The usual group is as many blocks as one bitmap block has bits; sparse_super keeps copies in these groups.
            for group in [1u16, 3, 5, 7, 9] {
                let offset = (u64::from(group) * block_size * 8 + first) * block_size;
                if let Ok(copy) = read(offset).and_then(|raw| Self::parse(&raw))
                    && copy.group == group
                    && copy.block_size == block_size
                    && copy.checksum_ok
                {
                    return Ok((copy, Some((refused, offset))));
                }
            }
        }
        Err(refused)
    }

    /// `ext2`, `ext3` or `ext4`, by the features in use.
    pub fn kind(&self) -> &'static str {
        if self.incompat & INCOMPAT_EXT4 != 0 || self.ro_compat & RO_EXT4 != 0 {
            "ext4"
        } else if self.has_journal() {
            "ext3"
        } else {
            "ext2"
        }
    }

    pub fn has_journal(&self) -> bool {
        self.compat & COMPAT_HAS_JOURNAL != 0
    }

    pub fn needs_recovery(&self) -> bool {
        self.incompat & INCOMPAT_RECOVER != 0
    }

    pub fn has_file_type(&self) -> bool {
        self.incompat & INCOMPAT_FILETYPE != 0
    }

    /// Whether a directory may be larger than 4 GiB, so that its size has a high half.
    pub fn has_large_dirs(&self) -> bool {
        self.incompat & INCOMPAT_LARGEDIR != 0
    }

    /// Revision 0 had 32-bit sizes only.
    pub fn has_large_files(&self) -> bool {
        self.revision > 0
    }

    pub fn metadata_seed(&self) -> Option<u32> {
        match self.checksums {
            Checksums::All(seed) => Some(seed),
            _ => None,
        }
    }

    pub fn serial(&self) -> String {
        let hex: String = self.uuid.iter().map(|b| format!("{b:02x}")).collect();
        let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default().to_owned();
        [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
    }

    /// Groups the declared blocks make.
    pub fn groups(&self) -> u64 {
        (self.blocks - self.first_data_block).div_ceil(self.blocks_per_group)
    }

    /// First block of a group.
    pub fn group_start(&self, group: u64) -> u64 {
        group.saturating_mul(self.blocks_per_group).saturating_add(self.first_data_block)
    }

    /// Whether a group begins with a copy of the superblock.
    pub fn has_super(&self, group: u64) -> bool {
        if group == 0 {
            return true;
        }
        if self.compat & COMPAT_SPARSE_SUPER2 != 0 {
            return self.backup_groups.iter().any(|g| u64::from(*g) == group);
        }
        let power_of = |base: u64| {
            let mut n = group;
            while n > 1 && n.is_multiple_of(base) {
                n /= base;
            }
            n == 1
        };
        self.ro_compat & RO_SPARSE_SUPER == 0 || [3, 5, 7].into_iter().any(power_of)
    }

    /// Group descriptors in one block.
    pub fn descs_per_block(&self) -> u64 {
        (self.block_size / self.desc_size as u64).max(1)
    }

    fn in_meta_bg(&self, desc_block: u64) -> bool {
        self.incompat & INCOMPAT_META_BG != 0 && desc_block >= self.first_meta_bg
    }

    /// The block that holds the `nr`th block of group descriptors.
    pub fn desc_block(&self, nr: u64) -> u64 {
        if !self.in_meta_bg(nr) {
            return u64::from(self.block_size == 1024).saturating_add(1).saturating_add(nr);
        }
        let group = nr.saturating_mul(self.descs_per_block());
        // With 1 KiB blocks and no reserved first block, block 0 is the boot block and the superblock is block 1.
        let boot = u64::from(self.block_size == 1024 && nr == 0 && self.first_data_block == 0);
        self.group_start(group).saturating_add(u64::from(self.has_super(group))).saturating_add(boot)
    }

    /// The copy of the `nr`th block of group descriptors, where the layout keeps one.
    pub fn desc_block_copy(&self, nr: u64) -> Option<u64> {
        let group = if self.in_meta_bg(nr) {
            nr.checked_mul(self.descs_per_block())?.checked_add(1)?
        } else {
            (1..self.groups()).find(|g| self.has_super(*g))?
        };
        let behind = if self.in_meta_bg(nr) { u64::from(self.has_super(group)) } else { nr.checked_add(1)? };
        self.group_start(group).checked_add(behind)
    }

    /// Blocks at the start of a group that hold the superblock and group descriptors (ext4 `bg_num_gdb`).
    pub fn base_meta_blocks(&self, group: u64) -> u64 {
        let per_block = self.descs_per_block();
        let meta = self.incompat & INCOMPAT_META_BG != 0;
        let own = u64::from(self.has_super(group));
        if !meta || group < self.first_meta_bg.saturating_mul(per_block) {
            if own == 0 {
                return 0;
            }
            let tables = if meta { self.first_meta_bg } else { self.groups().div_ceil(per_block) };
            return own.saturating_add(tables).saturating_add(self.reserved_gdt_blocks);
        }
        let place = group % per_block;
        own + u64::from(place == 0 || place == 1 || place == per_block - 1)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A superblock of 1 KiB blocks, 8,192 to a group, that a test changes before parsing.
    pub(in super::super) fn raw() -> Vec<u8> {
        let mut raw = vec![0; 1024];
        let mut put = |at: usize, v: u32| raw[at..at + 4].copy_from_slice(&v.to_le_bytes());
        put(0x0, 2048);
        put(0x4, 16384);
        put(0x14, 1);
        put(0x20, 8192);
        put(0x24, 8192);
        put(0x28, 1024);
        put(0x38, 0xef53);
        put(0x4c, 1);
        put(0x54, 11);
        put(0x58, 128);
        put(0x60, INCOMPAT_FILETYPE);
        put(0x64, RO_SPARSE_SUPER);
        raw
    }

    #[test]
    fn a_plain_one_parses_and_broken_ones_say_why() {
        let sb = Superblock::parse(&raw()).unwrap();
        assert_eq!((sb.block_size, sb.groups(), sb.kind()), (1024, 2, "ext2"));
        assert_eq!((sb.desc_block(0), sb.desc_block_copy(0)), (2, Some(8194)));
        for (at, value, why) in [
            (0x38, 0, "signature"),
            (0x18, 7, "block size"),
            (0x20, 0, "blocks in a group"),
            (0x20, 8193, "blocks in a group"),
            (0x28, 8193, "inodes in a group"),
            (0x58, 100, "inode size"),
            (0x58, 2048, "inode size"),
            (0x4, 1, "no blocks"),
        ] {
            let mut raw = raw();
            raw[at..at + 4].copy_from_slice(&u32::to_le_bytes(value));
            let error = Superblock::parse(&raw).unwrap_err();
            assert!(error.contains(why), "{at:#x}: {error}");
        }
        assert!(Superblock::parse(&raw()[..600]).is_err());
    }

    #[test]
    fn copies_stand_in_groups_that_are_powers_of_3_5_and_7() {
        let sb = Superblock::parse(&raw()).unwrap();
        let with: Vec<u64> = (0..130).filter(|g| sb.has_super(*g)).collect();
        assert_eq!(with, [0, 1, 3, 5, 7, 9, 25, 27, 49, 81, 125]);
    }
}
