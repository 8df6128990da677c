//! A small EWF writer, so that a fresh clone has images to test with. It shares no code with the reader: Adler-32 here
//! is the plain definition of RFC 1950. That what it writes is EWF is checked against `ewfexport`.

use std::io::Write;

pub fn adler(data: &[u8]) -> u32 {
    let (mut a, mut b) = (1u32, 0u32);
    for byte in data {
        a = (a + u32::from(*byte)) % 65521;
        b = (b + a) % 65521;
    }
    b << 16 | a
}

pub fn with_sum(mut body: Vec<u8>) -> Vec<u8> {
    let sum = adler(&body);
    body.extend(sum.to_le_bytes());
    body
}

pub fn zlib(data: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(vec![], flate2::Compression::new(level));
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// What to write.
#[derive(Clone)]
pub struct Image {
    pub media: Vec<u8>,
    pub bytes_per_sector: u32,
    pub sectors_per_chunk: u32,
    /// zlib level by chunk number; `None` stores it uncompressed.
    pub level: fn(usize) -> Option<u32>,
    pub chunks_per_table: usize,
    pub tables_per_segment: usize,
    pub guid: [u8; 16],
    pub md5: [u8; 16],
    pub sha1: [u8; 20],
    pub errors: Vec<(u32, u32)>,
}

impl Image {
    pub fn of(media: Vec<u8>) -> Self {
        use sha2::Digest;
        let (md5, sha1) = (md5::Md5::digest(&media).into(), sha1::Sha1::digest(&media).into());
        Self {
            media,
            bytes_per_sector: 512,
            sectors_per_chunk: 2,
            level: |i| (i % 3 != 0).then_some(i as u32 % 10),
            chunks_per_table: 5,
            tables_per_segment: 2,
            guid: *b"0123456789abcdef",
            md5,
            sha1,
            errors: vec![],
        }
    }

    pub fn chunk_size(&self) -> usize {
        (self.bytes_per_sector * self.sectors_per_chunk) as usize
    }

    pub fn volume(&self) -> Vec<u8> {
        let mut body = vec![0; 1048];
        let mut put = |at: usize, bytes: &[u8]| body[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, &[1]);
        put(4, &(self.media.len().div_ceil(self.chunk_size()) as u32).to_le_bytes());
        put(8, &self.sectors_per_chunk.to_le_bytes());
        put(12, &self.bytes_per_sector.to_le_bytes());
        put(16, &(self.media.len() as u64 / u64::from(self.bytes_per_sector)).to_le_bytes());
        put(36, &[1]);
        put(52, &[2]);
        put(56, &self.sectors_per_chunk.to_le_bytes());
        put(64, &self.guid);
        with_sum(body)
    }

    /// The segment files in order.
    pub fn write(&self) -> Vec<Vec<u8>> {
        let chunks: Vec<Vec<u8>> = self
            .media
            .chunks(self.chunk_size())
            .enumerate()
            .map(|(i, data)| (self.level)(i).map_or_else(|| with_sum(data.to_vec()), |level| zlib(data, level)))
            .collect();
        let tables: Vec<_> = chunks.chunks(self.chunks_per_table).collect();
        let segments: Vec<_> = tables.chunks(self.tables_per_segment).collect();
        let (mut out, mut done) = (vec![], 0);
        for (i, tables) in segments.iter().enumerate() {
            let mut segment = Segment::new(i as u16 + 1);
            if i == 0 {
                let text = "3\nmain\nc\tn\ta\te\tt\tav\tov\tm\tu\tp\nK 1/26\tJC-1\tDrehb\u{fc}hne\tA. Weber\t\tx\tLinux\t1795462866\t1795462866\t0\n\n";
                let utf16: Vec<u8> =
                    [0xFF, 0xFE].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
                segment.section("header2", &zlib(&utf16, 6));
                segment.section("header2", &zlib(&utf16, 6));
                let ascii = b"1\r\nmain\r\nc\tn\ta\te\tt\tav\tov\tm\tu\tp\r\nK 1/26\tJC-1\tD\tA. Weber\t\tx\tLinux\t2026 11 23 19 41 6\t2026 11 23 19 41 6\t0\r\n\r\n";
                segment.section("header", &zlib(ascii, 6));
                segment.section("volume", &self.volume());
            } else {
                segment.section("data", &self.volume());
            }
            for table in *tables {
                let compressed = (done..done + table.len()).map(|c| (self.level)(c).is_some());
                segment.chunks(table, compressed);
                done += table.len();
            }
            if i + 1 < segments.len() {
                segment.last("next");
            } else {
                if segments.len() == 1 {
                    segment.section("data", &self.volume());
                }
                if !self.errors.is_empty() {
                    let mut head = vec![0; 516];
                    head[..4].copy_from_slice(&(self.errors.len() as u32).to_le_bytes());
                    let runs =
                        self.errors.iter().flat_map(|(s, n)| [s.to_le_bytes(), n.to_le_bytes()].concat()).collect();
                    segment.section("error2", &[with_sum(head), with_sum(runs)].concat());
                }
                segment.section("digest", &with_sum([&self.md5[..], &self.sha1, &[0; 40]].concat()));
                segment.section("hash", &with_sum([self.md5, [0; 16]].concat()));
                segment.last("done");
            }
            out.push(segment.bytes);
        }
        out
    }
}

/// One segment file being written.
pub struct Segment {
    pub bytes: Vec<u8>,
}

pub fn descriptor(kind: &str, next: u64, size: u64) -> Vec<u8> {
    let mut out = kind.as_bytes().to_vec();
    out.resize(16, 0);
    out.extend(next.to_le_bytes());
    out.extend(size.to_le_bytes());
    out.resize(72, 0);
    with_sum(out)
}

/// A table body: header, entries and their checksum.
pub fn table(base: u64, entries: &[u32]) -> Vec<u8> {
    let mut head = (entries.len() as u32).to_le_bytes().to_vec();
    head.resize(8, 0);
    head.extend(base.to_le_bytes());
    head.resize(20, 0);
    [with_sum(head), with_sum(entries.iter().flat_map(|e| e.to_le_bytes()).collect())].concat()
}

impl Segment {
    pub fn new(number: u16) -> Self {
        let [low, high] = number.to_le_bytes();
        Self { bytes: [b"EVF\x09\x0d\x0a\xff\x00\x01".as_slice(), &[low, high, 0, 0]].concat() }
    }

    pub fn section(&mut self, kind: &str, body: &[u8]) {
        let start = self.bytes.len() as u64;
        let size = 76 + body.len() as u64;
        self.bytes.extend(descriptor(kind, start + size, size));
        self.bytes.extend(body);
    }

    pub fn last(&mut self, kind: &str) {
        self.bytes.extend(descriptor(kind, self.bytes.len() as u64, 0));
    }

    /// A `sectors` section with the chunks and its two tables.
    fn chunks(&mut self, chunks: &[Vec<u8>], compressed: impl Iterator<Item = bool>) {
        let base = self.bytes.len() as u64;
        let (mut entries, mut at) = (vec![], 76u32);
        for (chunk, compressed) in chunks.iter().zip(compressed) {
            entries.push(at | u32::from(compressed) << 31);
            at += chunk.len() as u32;
        }
        self.section("sectors", &chunks.concat());
        let body = table(base, &entries);
        self.section("table", &body);
        self.section("table2", &body);
    }
}
