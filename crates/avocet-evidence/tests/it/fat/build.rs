//! Builds small FAT and exFAT volumes in memory, slot by slot, so that every test can break what it is about.

use std::sync::Arc;

use avocet_evidence::{MemorySource, Source};

/// A FAT12, FAT16 or FAT32 volume of clusters of one 512-byte sector.
pub struct FatImage {
    pub data: Vec<u8>,
    pub bits: u32,
    pub table: usize,
    pub table_bytes: usize,
    pub root: usize,
    pub heap: usize,
    pub clusters: u32,
}

fn put(data: &mut [u8], at: usize, bytes: &[u8]) {
    data[at..at + bytes.len()].copy_from_slice(bytes);
}

impl FatImage {
    /// An empty volume; FAT32 has its root directory in cluster 2.
    pub fn new(bits: u32, clusters: u32) -> Self {
        let reserved = if bits == 32 { 32 } else { 1 };
        let table_sectors = ((clusters as usize + 2) * bits as usize).div_ceil(8).div_ceil(512);
        let root_entries = if bits == 32 { 0 } else { 64 };
        let root = (reserved + 2 * table_sectors) * 512;
        let heap = root + root_entries * 32;
        let total = heap / 512 + clusters as usize;
        let mut data = vec![0u8; total * 512];
        put(&mut data, 0, &[0xeb, 0x3c, 0x90]);
        put(&mut data, 11, &[0, 2, 1, reserved as u8, 0, 2, root_entries as u8, 0]);
        put(&mut data, 32, &(total as u32).to_le_bytes());
        data[21] = 0xf8;
        let extended = if bits == 32 {
            put(&mut data, 36, &(table_sectors as u32).to_le_bytes());
            put(&mut data, 44, &2u32.to_le_bytes());
            put(&mut data, 48, &[1, 0, 6, 0]);
            66
        } else {
            put(&mut data, 22, &(table_sectors as u16).to_le_bytes());
            38
        };
        put(&mut data, extended, &[0x29, 0xcd, 0xab, 0x34, 0x12]);
        put(&mut data, extended + 5, b"NO NAME    ");
        put(&mut data, 510, &[0x55, 0xaa]);
        if bits == 32 {
            data.copy_within(0..512, 6 * 512);
        }
        let mut image =
            Self { data, bits, table: reserved * 512, table_bytes: table_sectors * 512, root, heap, clusters };
        image.link(0, 0x0fff_fff8);
        image.link(1, 0x0fff_ffff);
        if bits == 32 {
            image.link(2, 0x0fff_ffff);
            image.root = image.at(2);
        }
        image
    }

    /// Byte offset of a cluster.
    pub fn at(&self, cluster: u32) -> usize {
        self.heap + (cluster as usize - 2) * 512
    }

    /// Sets an entry in one copy of the table.
    pub fn link_in(&mut self, copy: usize, cluster: u32, next: u32) {
        let base = self.table + copy * self.table_bytes;
        match self.bits {
            12 => {
                let at = base + cluster as usize * 3 / 2;
                let old = u16::from_le_bytes([self.data[at], self.data[at + 1]]);
                let next = (next & 0xfff) as u16;
                let new = if cluster.is_multiple_of(2) { (old & 0xf000) | next } else { (old & 0xf) | next << 4 };
                put(&mut self.data, at, &new.to_le_bytes());
            }
            16 => put(&mut self.data, base + cluster as usize * 2, &(next as u16).to_le_bytes()),
            _ => put(&mut self.data, base + cluster as usize * 4, &next.to_le_bytes()),
        }
    }

    /// Sets an entry in both copies of the table.
    pub fn link(&mut self, cluster: u32, next: u32) {
        self.link_in(0, cluster, next);
        self.link_in(1, cluster, next);
    }

    /// Chains the clusters in this order.
    pub fn chain(&mut self, clusters: &[u32]) {
        for pair in clusters.windows(2) {
            self.link(pair[0], pair[1]);
        }
        self.link(*clusters.last().unwrap(), 0x0fff_ffff);
    }

    /// Writes a slot at a byte offset.
    pub fn slot(&mut self, at: usize, slot: &[u8; 32]) {
        put(&mut self.data, at, slot);
    }

    /// Fills clusters with bytes that tell them apart and returns what was written.
    pub fn fill(&mut self, clusters: &[u32]) -> Vec<u8> {
        let mut all = vec![];
        for cluster in clusters {
            let bytes: Vec<u8> = (0..512u32).map(|i| (cluster * 7 + i % 251 + 1) as u8).collect();
            let at = self.at(*cluster);
            put(&mut self.data, at, &bytes);
            all.extend(bytes);
        }
        all
    }

    /// An empty directory in one cluster, with its `.` and `..`.
    pub fn directory(&mut self, cluster: u32, parent: u32) {
        let at = self.at(cluster);
        self.slot(at, &short(b".          ", 0x10, cluster, 0));
        self.slot(at + 32, &short(b"..         ", 0x10, parent, 0));
    }

    pub fn source(&self) -> Arc<dyn Source> {
        Arc::new(MemorySource(self.data.clone()))
    }
}

/// A short entry, dated 2020-02-03 04:05:06.
pub fn short(name: &[u8; 11], attributes: u8, first: u32, size: u32) -> [u8; 32] {
    let mut slot = [0; 32];
    put(&mut slot, 0, name);
    slot[11] = attributes;
    let (date, time) = ((40u16 << 9 | 2 << 5 | 3).to_le_bytes(), (4u16 << 11 | 5 << 5 | 3).to_le_bytes());
    for (at, value) in [(14, time), (16, date), (18, date), (22, time), (24, date)] {
        put(&mut slot, at, &value);
    }
    put(&mut slot, 20, &((first >> 16) as u16).to_le_bytes());
    put(&mut slot, 26, &(first as u16).to_le_bytes());
    put(&mut slot, 28, &size.to_le_bytes());
    slot
}

/// The slots of a long name in the order of the disk, for a short name.
pub fn long(name: &str, short: &[u8; 11]) -> Vec<[u8; 32]> {
    let sum = short.iter().fold(0u8, |s, b| s.rotate_right(1).wrapping_add(*b));
    let mut units: Vec<u16> = name.encode_utf16().collect();
    if !units.len().is_multiple_of(13) {
        units.push(0);
    }
    units.resize(units.len().div_ceil(13) * 13, 0xffff);
    let count = units.len() / 13;
    let piece = |(n, part): (usize, &[u16])| {
        let mut slot = [0u8; 32];
        slot[0] = (n + 1) as u8 | if n + 1 == count { 0x40 } else { 0 };
        slot[11] = 0x0f;
        slot[13] = sum;
        for (unit, at) in part.iter().zip((1..11).step_by(2).chain((14..26).step_by(2)).chain((28..32).step_by(2))) {
            put(&mut slot, at, &unit.to_le_bytes());
        }
        slot
    };
    units.chunks(13).enumerate().map(piece).rev().collect()
}

/// An exFAT volume of clusters of one 512-byte sector; root in cluster 4, bitmap in 2, an up-case table in 3.
pub struct ExFatImage {
    pub data: Vec<u8>,
    pub heap: usize,
    table: usize,
}

impl ExFatImage {
    /// An empty volume with at most 4096 clusters.
    pub fn new(clusters: u32) -> Self {
        let table_sectors = (clusters as usize * 4 + 8).div_ceil(512);
        let heap = (24 + table_sectors) * 512;
        let total = heap / 512 + clusters as usize;
        let mut data = vec![0u8; total * 512];
        put(&mut data, 0, b"\xeb\x76\x90EXFAT   ");
        put(&mut data, 72, &(total as u64).to_le_bytes());
        put(&mut data, 80, &24u32.to_le_bytes());
        put(&mut data, 84, &(table_sectors as u32).to_le_bytes());
        put(&mut data, 88, &((heap / 512) as u32).to_le_bytes());
        put(&mut data, 92, &clusters.to_le_bytes());
        put(&mut data, 96, &4u32.to_le_bytes());
        put(&mut data, 100, &0x1234_abcdu32.to_le_bytes());
        put(&mut data, 105, &[1, 0, 0, 9, 0, 1, 0x80]);
        put(&mut data, 510, &[0x55, 0xaa]);
        let mut image = Self { data, heap, table: 24 * 512 };
        image.seal();
        for cluster in 2..5 {
            image.link(cluster, 0xffff_ffff);
            image.allocate(cluster, true);
        }
        let mut bitmap = [0; 32];
        bitmap[0] = 0x81;
        bitmap[20] = 2;
        put(&mut bitmap, 24, &u64::from(clusters.div_ceil(8)).to_le_bytes());
        let mut upcase = [0; 32];
        upcase[0] = 0x82;
        upcase[20] = 3;
        upcase[24] = 12;
        let mut label = [0; 32];
        put(&mut label, 0, &[0x83, 2, b'O', 0, b'K', 0]);
        let root = image.at(4);
        [bitmap, upcase, label].iter().enumerate().for_each(|(n, slot)| put(&mut image.data, root + n * 32, slot));
        image
    }

    /// Computes the checksum of both boot regions and writes the second as a copy of the first.
    pub fn seal(&mut self) {
        let mut sum = 0u32;
        for (at, byte) in self.data[..11 * 512].iter().enumerate() {
            if ![106, 107, 112].contains(&at) {
                sum = sum.rotate_right(1).wrapping_add(u32::from(*byte));
            }
        }
        for at in (11 * 512..12 * 512).step_by(4) {
            put(&mut self.data, at, &sum.to_le_bytes());
        }
        self.data.copy_within(..12 * 512, 12 * 512);
    }

    pub fn at(&self, cluster: u32) -> usize {
        self.heap + (cluster as usize - 2) * 512
    }

    pub fn link(&mut self, cluster: u32, next: u32) {
        put(&mut self.data, self.table + cluster as usize * 4, &next.to_le_bytes());
    }

    /// Chains clusters in the table without marking them as in use, as deleting leaves them.
    pub fn chain_free(&mut self, clusters: &[u32]) {
        clusters.windows(2).for_each(|pair| self.link(pair[0], pair[1]));
        self.link(*clusters.last().unwrap(), 0xffff_ffff);
    }

    pub fn allocate(&mut self, cluster: u32, used: bool) {
        let at = self.heap + (cluster as usize - 2) / 8;
        let bit = 1 << ((cluster - 2) % 8);
        if used { self.data[at] |= bit } else { self.data[at] &= !bit }
    }

    /// Fills clusters with bytes that tell them apart and returns what was written.
    pub fn fill(&mut self, clusters: &[u32]) -> Vec<u8> {
        let mut all = vec![];
        for cluster in clusters {
            let bytes: Vec<u8> = (0..512u32).map(|i| (cluster * 11 + i % 241 + 1) as u8).collect();
            let at = self.at(*cluster);
            put(&mut self.data, at, &bytes);
            all.extend(bytes);
        }
        all
    }

    /// Writes slots at a byte offset.
    pub fn slots(&mut self, at: usize, slots: &[[u8; 32]]) {
        slots.iter().enumerate().for_each(|(n, slot)| put(&mut self.data, at + n * 32, slot));
    }

    pub fn source(&self) -> Arc<dyn Source> {
        Arc::new(MemorySource(self.data.clone()))
    }
}

/// An entry set in use, dated 2020-02-03 04:05:07.50 at UTC+1.
pub fn set(name: &str, attributes: u16, first: u32, size: u64, valid: u64, contiguous: bool) -> Vec<[u8; 32]> {
    let units: Vec<u16> = name.encode_utf16().collect();
    let mut file = [0u8; 32];
    file[0] = 0x85;
    file[1] = 1 + units.len().div_ceil(15) as u8;
    put(&mut file, 4, &attributes.to_le_bytes());
    let time = (40u32 << 9 | 2 << 5 | 3) << 16 | 4 << 11 | 5 << 5 | 3;
    [8, 12, 16].iter().for_each(|at| put(&mut file, *at, &time.to_le_bytes()));
    put(&mut file, 20, &[150, 150, 0x84, 0x84, 0x84]);
    let mut stream = [0u8; 32];
    put(&mut stream, 0, &[0xc0, 1 | u8::from(contiguous) << 1, 0, units.len() as u8]);
    put(&mut stream, 8, &valid.to_le_bytes());
    put(&mut stream, 20, &first.to_le_bytes());
    put(&mut stream, 24, &size.to_le_bytes());
    let mut slots = vec![file, stream];
    for part in units.chunks(15) {
        let mut slot = [0u8; 32];
        slot[0] = 0xc1;
        part.iter().enumerate().for_each(|(n, u)| put(&mut slot, 2 + n * 2, &u.to_le_bytes()));
        slots.push(slot);
    }
    let mut sum = 0u16;
    for (at, byte) in slots.concat().iter().enumerate() {
        if at != 2 && at != 3 {
            sum = sum.rotate_right(1).wrapping_add(u16::from(*byte));
        }
    }
    put(&mut slots[0], 2, &sum.to_le_bytes());
    slots
}

/// The set as deleting leaves it.
pub fn deleted(mut slots: Vec<[u8; 32]>) -> Vec<[u8; 32]> {
    slots.iter_mut().for_each(|slot| slot[0] &= 0x7f);
    slots
}
