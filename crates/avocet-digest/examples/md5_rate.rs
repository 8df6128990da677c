//! Takes the MD5 of so many bytes in one stream, as checking an image does, and nothing else:
//! `cargo run --release -p avocet-digest --example md5_rate -- BYTES`. The benches time it as a whole process.
use avocet_digest::Md5Hasher;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let bytes: usize = std::env::args().nth(1).ok_or("say how many bytes")?.parse()?;
    let block: Vec<u8> = (0..1 << 20).map(|i: u32| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let mut md5 = Md5Hasher::new();
    let mut left = bytes;
    while left > 0 {
        let n = left.min(block.len());
        md5.update(block.get(..n).unwrap_or_default());
        left -= n;
    }
    std::hint::black_box(md5.finish());
    Ok(())
}
