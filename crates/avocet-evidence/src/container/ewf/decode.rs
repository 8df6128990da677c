//! From a stored chunk to its bytes, checked every time.

use std::cell::Cell;

use flate2::{Decompress, FlushDecompress, Status};

use super::section::sums;
use crate::container::Fault;
use crate::error::ReadFault;

/// Scratch space larger than this is given back after use.
const KEEP_SCRATCH: usize = 8 << 20;

/// What a thread keeps from one chunk to the next.
pub(super) struct Decoder {
    pub(super) inflate: Decompress,
    /// Stored bytes, one chunk's or many's.
    pub(super) stored: Vec<u8>,
}

thread_local! {
    static DECODER: Cell<Option<Decoder>> = const { Cell::new(None) };
}

/// Lends the calling thread's decoder. It is taken out meanwhile: a segment may itself be read through an EWF image (an
/// image inside an image), whose reads then make a decoder of their own.
pub(super) fn with_decoder<T>(work: impl FnOnce(&mut Decoder) -> T) -> T {
    let mut decoder = DECODER.take().unwrap_or_else(|| Decoder { inflate: Decompress::new(true), stored: vec![] });
    let out = work(&mut decoder);
    if decoder.stored.capacity() > KEEP_SCRATCH {
        decoder.stored = vec![];
    }
    DECODER.set(Some(decoder));
    out
}

/// Most stored bytes that a chunk of `size` bytes is given: deflate's worst case is far below twice its size.
pub(super) fn most_stored(size: u64) -> u64 {
    size.saturating_mul(2).saturating_add(1024)
}

/// Decodes one stored chunk into `out`, which is `wanted` bytes long. The last chunk of an image may be stored with its
/// own length or filled up to the chunk size `full`; only its `wanted` bytes are handed out.
pub(super) fn decode(
    inflate: &mut Decompress,
    stored: &[u8],
    compressed: bool,
    full: usize,
    out: &mut [u8],
) -> Result<(), Fault> {
    let wanted = out.len();
    if !compressed {
        let fits = |length: usize| length.checked_add(4).is_some_and(|end| end <= stored.len());
        let good = [wanted, full].into_iter().find(|&length| fits(length) && sums(stored, length));
        return match good.and_then(|_| stored.get(..wanted)) {
            Some(bytes) => {
                out.copy_from_slice(bytes);
                Ok(())
            }
            None if !fits(wanted) => Err((ReadFault::Damaged, "its stored bytes are fewer than its length")),
            None => Err((ReadFault::Damaged, "its checksum is wrong")),
        };
    }
    match inflate_exactly(inflate, stored, out) {
        Err(_) if wanted < full => {
            let mut padded = vec![0; full];
            inflate_exactly(inflate, stored, &mut padded)?;
            out.copy_from_slice(padded.get(..wanted).unwrap_or_default());
            Ok(())
        }
        other => other,
    }
}

/// Inflates a zlib stream that must have exactly the length of `out`. zlib's own Adler-32 is checked by the inflater.
fn inflate_exactly(inflate: &mut Decompress, stored: &[u8], out: &mut [u8]) -> Result<(), Fault> {
    inflate.reset(true);
    match inflate.decompress(stored, out, FlushDecompress::Finish) {
        Ok(Status::StreamEnd) if inflate.total_out() == out.len() as u64 => Ok(()),
        Ok(Status::StreamEnd) => Err((ReadFault::Damaged, "it decompresses to fewer bytes than its length")),
        Ok(_) => Err((ReadFault::Damaged, "its compressed data does not end where its length does")),
        Err(_) => Err((ReadFault::Damaged, "its compressed data or checksum is wrong")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compress, Compression, FlushCompress};

    fn deflated(data: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(data.len() * 2 + 64);
        Compress::new(Compression::new(6), true).compress_vec(data, &mut out, FlushCompress::Finish).unwrap();
        out
    }

    #[test]
    fn the_inflater_checks_the_streams_own_checksum() {
        let data: Vec<u8> = (0..4096u32).map(|i| (i * i / 97) as u8).collect();
        let stored = deflated(&data);
        let (mut inflate, mut out) = (Decompress::new(true), vec![0; data.len()]);
        decode(&mut inflate, &stored, true, data.len(), &mut out).unwrap();
        assert_eq!(out, data);
        // Each of the last four bytes is the checksum and nothing else: the data inflates all the same.
        for i in stored.len() - 4..stored.len() {
            let mut wrong = stored.clone();
            wrong[i] ^= 1;
            assert!(decode(&mut inflate, &wrong, true, data.len(), &mut out).is_err(), "byte {i}");
        }
        assert!(decode(&mut inflate, &stored[..stored.len() - 1], true, data.len(), &mut out).is_err());
    }

    #[test]
    fn a_length_other_than_the_chunks_is_damage_and_padding_is_cut() {
        let (mut inflate, data) = (Decompress::new(true), vec![7; 1000]);
        let mut uncompressed = data.clone();
        uncompressed.extend(super::super::section::adler(&data).to_le_bytes());
        for (stored, compressed) in [(deflated(&data), true), (uncompressed, false)] {
            assert!(decode(&mut inflate, &stored, compressed, 999, &mut [0; 999]).is_err());
            assert!(decode(&mut inflate, &stored, compressed, 1001, &mut [0; 1001]).is_err());
            let mut out = [0; 300];
            decode(&mut inflate, &stored, compressed, 1000, &mut out).unwrap();
            assert_eq!(out, [7; 300]);
        }
    }
}
