//! Builds small NTFS volumes record by record, for cases that no tool here can make. Shares nothing with the reader.

/// Bytes per cluster and per file record.
pub const CLUSTER: usize = 512;
pub const RECORD: usize = 1024;
/// Clusters of a volume.
pub const CLUSTERS: usize = 4096;
/// Where the file table begins and how many records it has.
pub const TABLE: usize = 64;
pub const RECORDS: usize = 128;
/// Where the allocation map and the table's mirror lie; `FREE` and above are for tests.
const BITMAP: usize = 16;
const MIRROR: usize = 24;
pub const FREE: usize = 512;

pub const IN_USE: u16 = 1;
pub const DIRECTORY: u16 = 2;

/// 2001-02-03T04:05:06.789Z as a Windows FILETIME.
pub const WHEN: u64 = 116_444_736_000_000_000 + 9_811_731_067_890_000;

pub fn units(name: &str) -> Vec<u16> {
    name.encode_utf16().collect()
}

fn bytes(units: &[u16]) -> Vec<u8> {
    units.iter().flat_map(|u| u.to_le_bytes()).collect()
}

fn put(to: &mut [u8], at: usize, value: &[u8]) {
    to[at..at + value.len()].copy_from_slice(value);
}

pub fn reference(record: u64, sequence: u16) -> u64 {
    record | u64::from(sequence) << 48
}

fn padded(mut attribute: Vec<u8>) -> Vec<u8> {
    attribute.resize(attribute.len().next_multiple_of(8), 0);
    let length = attribute.len() as u32;
    put(&mut attribute, 4, &length.to_le_bytes());
    attribute
}

pub fn resident(kind: u32, name: &str, flags: u16, value: &[u8]) -> Vec<u8> {
    let name = bytes(&units(name));
    let offset = (0x18 + name.len()).next_multiple_of(8);
    let mut a = vec![0; offset];
    put(&mut a, 0, &kind.to_le_bytes());
    a[9] = (name.len() / 2) as u8;
    put(&mut a, 10, &0x18u16.to_le_bytes());
    put(&mut a, 12, &flags.to_le_bytes());
    put(&mut a, 0x10, &(value.len() as u32).to_le_bytes());
    put(&mut a, 0x14, &(offset as u16).to_le_bytes());
    put(&mut a, 0x18, &name);
    a.extend(value);
    padded(a)
}

/// `(clusters, first cluster of the volume or a hole)`.
pub type Piece = (u64, Option<u64>);

pub fn encode(pieces: &[Piece]) -> Vec<u8> {
    let (mut out, mut before) = (vec![], 0i64);
    for (length, place) in pieces {
        match place {
            Some(place) => {
                out.push(0x44);
                out.extend((*length as u32).to_le_bytes());
                out.extend(((*place as i64 - before) as i32).to_le_bytes());
                before = *place as i64;
            }
            None => {
                out.push(0x04);
                out.extend((*length as u32).to_le_bytes());
            }
        }
    }
    out.push(0);
    out
}

pub struct Mapped<'a> {
    pub kind: u32,
    pub name: &'a str,
    pub flags: u16,
    pub lowest: u64,
    pub pieces: &'a [Piece],
    pub unit: u8,
    pub size: u64,
    pub initialised: u64,
}

pub fn mapped(m: &Mapped<'_>) -> Vec<u8> {
    let name = bytes(&units(m.name));
    let offset = (0x48 + name.len()).next_multiple_of(8);
    let clusters: u64 = m.pieces.iter().map(|p| p.0).sum();
    let mut a = vec![0; offset];
    put(&mut a, 0, &m.kind.to_le_bytes());
    a[8] = 1;
    a[9] = (name.len() / 2) as u8;
    put(&mut a, 10, &0x48u16.to_le_bytes());
    put(&mut a, 12, &m.flags.to_le_bytes());
    put(&mut a, 0x10, &m.lowest.to_le_bytes());
    put(&mut a, 0x18, &(m.lowest + clusters).wrapping_sub(1).to_le_bytes());
    put(&mut a, 0x20, &(offset as u16).to_le_bytes());
    a[0x22] = m.unit;
    put(&mut a, 0x28, &(clusters * CLUSTER as u64).to_le_bytes());
    put(&mut a, 0x30, &m.size.to_le_bytes());
    put(&mut a, 0x38, &m.initialised.to_le_bytes());
    put(&mut a, 0x48, &name);
    a.extend(encode(m.pieces));
    padded(a)
}

/// Plain unnamed data in clusters.
pub fn data(size: u64, pieces: &[Piece]) -> Vec<u8> {
    mapped(&Mapped { kind: 0x80, name: "", flags: 0, lowest: 0, pieces, unit: 0, size, initialised: size })
}

pub fn standard(flags: u32) -> Vec<u8> {
    let mut v = [WHEN, WHEN + 10_000_000, WHEN + 20_000_000, WHEN + 30_000_000].map(u64::to_le_bytes).concat();
    v.extend(flags.to_le_bytes());
    v.resize(72, 0);
    resident(0x10, "", 0, &v)
}

pub fn file_name(parent: u64, namespace: u8, name: &[u16]) -> Vec<u8> {
    let mut v = parent.to_le_bytes().to_vec();
    v.extend([WHEN + 1, WHEN + 2, WHEN + 3, 0].map(u64::to_le_bytes).concat());
    v.resize(64, 0);
    v.extend([name.len() as u8, namespace]);
    v.extend(bytes(name));
    resident(0x30, "", 0, &v)
}

/// A Win32 name in a folder.
pub fn named(folder: u64, name: &str) -> Vec<u8> {
    file_name(folder, 1, &units(name))
}

pub fn reparse(tag: u32) -> Vec<u8> {
    let mut v = tag.to_le_bytes().to_vec();
    v.extend([4, 0, 0, 0, 1, 2, 3, 4]);
    resident(0xc0, "", 0, &v)
}

/// A line of an attribute list: unnamed attribute of `kind` from cluster `lowest` in that record.
pub fn line(kind: u32, lowest: u64, reference: u64) -> Vec<u8> {
    let mut v = vec![0; 32];
    put(&mut v, 0, &kind.to_le_bytes());
    put(&mut v, 4, &32u16.to_le_bytes());
    v[7] = 0x1a;
    put(&mut v, 8, &lowest.to_le_bytes());
    put(&mut v, 16, &reference.to_le_bytes());
    v
}

pub fn record(number: usize, sequence: u16, flags: u16, base: u64, attributes: &[Vec<u8>]) -> Vec<u8> {
    let mut r = vec![0; 0x38];
    put(&mut r, 0, b"FILE");
    put(&mut r, 4, &0x30u16.to_le_bytes());
    put(&mut r, 6, &3u16.to_le_bytes());
    put(&mut r, 0x10, &sequence.to_le_bytes());
    put(&mut r, 0x14, &0x38u16.to_le_bytes());
    put(&mut r, 0x16, &flags.to_le_bytes());
    put(&mut r, 0x1c, &(RECORD as u32).to_le_bytes());
    put(&mut r, 0x20, &base.to_le_bytes());
    put(&mut r, 0x2c, &(number as u32).to_le_bytes());
    attributes.iter().for_each(|a| r.extend(a));
    r.extend([0xff; 4]);
    r.extend([0; 4]);
    assert!(r.len() <= RECORD, "record {number} holds {} bytes", r.len());
    let used = r.len() as u32;
    put(&mut r, 0x18, &used.to_le_bytes());
    r.resize(RECORD, 0);
    put(&mut r, 0x30, &[5, 0]);
    for i in 1..=2 {
        let end = i * 512 - 2;
        let saved: [u8; 2] = r[end..end + 2].try_into().unwrap();
        put(&mut r, 0x30 + 2 * i, &saved);
        put(&mut r, end, &[5, 0]);
    }
    r
}

/// A volume under construction.
pub struct Image {
    pub bytes: Vec<u8>,
}

impl Image {
    pub fn new() -> Self {
        let mut image = Self { bytes: vec![0; (CLUSTERS + 1) * CLUSTER] };
        let mut boot = vec![0; 512];
        put(&mut boot, 0, &[0xeb, 0x52, 0x90]);
        put(&mut boot, 3, b"NTFS    ");
        put(&mut boot, 0x0b, &512u16.to_le_bytes());
        boot[0x0d] = (CLUSTER / 512) as u8;
        put(&mut boot, 0x28, &(CLUSTERS as u64).to_le_bytes());
        put(&mut boot, 0x30, &(TABLE as u64).to_le_bytes());
        put(&mut boot, 0x38, &(MIRROR as u64).to_le_bytes());
        boot[0x40] = 0xf6;
        put(&mut boot, 0x48, &0x0123_4567_89ab_cdefu64.to_le_bytes());
        put(&mut boot, 510, &[0x55, 0xaa]);
        image.put(0, &boot);
        image.put(CLUSTERS, &boot);
        let table = (RECORDS * RECORD / CLUSTER) as u64;
        let root = reference(5, 5);
        image.file(
            0,
            1,
            IN_USE,
            &[standard(6), named(root, "$MFT"), data((RECORDS * RECORD) as u64, &[(table, Some(TABLE as u64))])],
        );
        image.file(5, 5, IN_USE | DIRECTORY, &[standard(6), named(root, ".")]);
        image.file(
            6,
            6,
            IN_USE,
            &[standard(6), named(root, "$Bitmap"), data((CLUSTERS / 8) as u64, &[(1, Some(BITMAP as u64))])],
        );
        let mirrored = image.raw(0).to_vec();
        image.put(MIRROR, &mirrored);
        image.allocate(0, FREE as u64);
        image
    }

    /// Writes bytes at a cluster.
    pub fn put(&mut self, cluster: usize, value: &[u8]) {
        put(&mut self.bytes, cluster * CLUSTER, value);
    }

    /// Marks clusters as belonging to something live.
    pub fn allocate(&mut self, first: u64, length: u64) {
        for lcn in first..first + length {
            self.bytes[BITMAP * CLUSTER + (lcn / 8) as usize] |= 1 << (lcn % 8);
        }
    }

    pub fn raw(&mut self, number: usize) -> &mut [u8] {
        let at = TABLE * CLUSTER + number * RECORD;
        &mut self.bytes[at..at + RECORD]
    }

    /// Writes a base record.
    pub fn file(&mut self, number: usize, sequence: u16, flags: u16, attributes: &[Vec<u8>]) {
        let made = record(number, sequence, flags, 0, attributes);
        self.raw(number).copy_from_slice(&made);
    }

    /// Writes an extension record.
    pub fn extension(&mut self, number: usize, sequence: u16, flags: u16, base: u64, attributes: &[Vec<u8>]) {
        let made = record(number, sequence, flags, base, attributes);
        self.raw(number).copy_from_slice(&made);
    }
}
