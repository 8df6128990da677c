//! Expert Witness Compression Format, version 1: `.E01` images as EnCase, FTK Imager, Guymager and libewf write them, and
//! SMART's `.s01`, whose chunks lie behind the tables that place them (EnCase 1 keeps them so, too).
//!
//! Nothing is handed out unchecked: each chunk's Adler-32 (its own where it is stored plain, zlib's where it is
//! compressed) and length are checked on every read, and the tables that say where chunks lie are used only if their
//! checksums are right; SMART has one of their header only. Source of the format: the EWF specification of the libewf project.

mod decode;
mod header;
mod names;
mod open;
pub(super) mod section;
mod table;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use avocet_base::{Md5, Sha1};

use self::decode::{Decoder, decode, most_stored, with_decoder};
use self::table::{Place, Table};
use super::Fault;
use super::cache::Cache;
use super::stream::{self, Batch, Damage, Piece};
use crate::entry::VisitResult;
use crate::error::{OpenError, Problem, ReadError, ReadFault};
use crate::source::Source;

const LAYER: &str = "ewf";
/// Decoded bytes that a stream may hold at a time, which limits its threads where chunks are large.
const STREAM_BYTES: u64 = 256 << 20;

/// What an EWF image says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EwfFacts {
    /// Bytes of a chunk, the unit of compression and checking.
    pub chunk_size: u64,
    /// Bytes of the medium.
    pub media_size: u64,
    /// Bytes of a sector.
    pub bytes_per_sector: u32,
    /// The segment files in order; empty where the image was opened from sources.
    pub segments: Vec<PathBuf>,
    /// MD5 of the medium as its acquisition computed it, from the `digest` or `hash` section.
    pub stored_md5: Option<Md5>,
    /// SHA-1 of the medium as its acquisition computed it, from the `digest` section.
    pub stored_sha1: Option<Sha1>,
    /// What the person who took the image wrote: (name, escaped value) in the file's order. Names people and cases: for
    /// the result only, never for a log.
    pub header: Vec<(String, String)>,
    /// Runs of sectors, (first, count), that could not be read when the image was taken: the image holds filling there,
    /// not the medium's content.
    pub acquisition_errors: Vec<(u64, u64)>,
    /// The compression that the acquisition declares: `none`, `fast`, `best` or `unknown`. Some writers declare none and
    /// compress: see `compressed_chunks`.
    pub compression: &'static str,
    /// Chunks that are stored compressed.
    pub compressed_chunks: u64,
    /// Chunks that the tables hold.
    pub chunks: u64,
    /// The family of writers, by the header sections it has.
    pub format: &'static str,
    /// Identifier of the set of segments, where the writer gave one.
    pub set_identifier: Option<[u8; 16]>,
}

/// An opened EWF image. Its bytes are those of the medium, padding after the medium's end left out.
pub struct Ewf {
    facts: EwfFacts,
    problems: Vec<Problem>,
    segments: Vec<Arc<dyn Source>>,
    /// In the order of their chunks, without gaps.
    tables: Vec<Table>,
    /// What is the matter with chunks after the last table, if the medium has any.
    missing: Fault,
    cache: Cache<Arc<[u8]>>,
}

impl Ewf {
    /// Opens an image by any of its segments; the others are found beside it by name.
    ///
    /// # Errors
    /// [`OpenError::MissingSegment`], naming it, where a segment is not there; [`OpenError::Unsupported`] for EWF
    /// version 2 and logical (L01) images; [`OpenError::Malformed`] where a segment does not belong
    /// to the set or the size of the medium is damaged or absurd. Damage that costs only some chunks is no error here
    /// but a [`Problem`].
    pub fn open(any_segment: &Path) -> Result<Self, OpenError> {
        open::from_path(any_segment)
    }

    /// Opens an image from its segments in order (for fixtures and fuzzing).
    ///
    /// # Errors
    /// As [`Ewf::open`].
    pub fn from_sources(segments: Vec<Arc<dyn Source>>) -> Result<Self, OpenError> {
        open::from_sources(segments)
    }

    /// What the image says of itself.
    pub fn facts(&self) -> &EwfFacts {
        &self.facts
    }

    /// What was found wrong on opening. Codes: `section-damaged` (the chain of sections breaks), `segment-truncated`,
    /// `table-damaged`, `table2-damaged`, `tables-disagree`, `table-lost`, `table-unchecked`, `volume-damaged`,
    /// `volume-disagrees`, `chunks-missing`, `chunks-extra`, `chunk-count-disagrees`, `header-damaged`,
    /// `digest-damaged`, `digests-disagree`, `acquisition-errors`, `acquisition-errors-damaged`,
    /// `acquisition-incomplete`, `sessions-not-read`, `unknown-section`, `extra-segment`. Offsets are within the segment
    /// file that the sentence names.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Where a chunk lies, or why that is not known.
    fn place(&self, chunk: u64) -> Result<Place, Fault> {
        let at = self.tables.partition_point(|t| t.first.saturating_add(t.count) <= chunk);
        self.tables.get(at).map_or(Err(self.missing), |table| table.place(chunk))
    }

    fn chunk_start(&self, chunk: u64) -> u64 {
        chunk.saturating_mul(self.facts.chunk_size)
    }

    /// Bytes of the medium in a chunk.
    fn chunk_length(&self, chunk: u64) -> u64 {
        self.facts.media_size.saturating_sub(self.chunk_start(chunk)).min(self.facts.chunk_size)
    }

    fn full_chunk(&self) -> usize {
        usize::try_from(self.facts.chunk_size).unwrap_or(usize::MAX)
    }

    fn error(&self, chunk: u64, offset: u64, (fault, why): Fault) -> ReadError {
        let detail = format!("chunk {chunk}, from byte {}: {why}", self.chunk_start(chunk));
        ReadError::new(LAYER, offset.max(self.chunk_start(chunk)), fault, detail)
    }

    /// Reads a range of a segment's bytes to the beginning of `into`.
    fn fetch(&self, segment: usize, range: Range<u64>, into: &mut Vec<u8>) -> Result<(), Fault> {
        let source = self.segments.get(segment).ok_or((ReadFault::Truncated, "its segment is not there"))?;
        let length = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(usize::MAX);
        if into.len() < length {
            into.resize(length, 0);
        }
        let out = into.get_mut(..length).unwrap_or_default();
        match source.read_at(range.start, out) {
            Ok(n) if n == length => Ok(()),
            Ok(_) => Err((ReadFault::Truncated, "its segment ends before it does")),
            Err(error) => Err((error.fault, "its segment could not be read")),
        }
    }

    /// Decodes one chunk into `out`, which has its length.
    fn decode_into(&self, chunk: u64, out: &mut [u8]) -> Result<(), Fault> {
        let place = self.place(chunk)?;
        with_decoder(|decoder| {
            let length = place.room.min(most_stored(self.facts.chunk_size));
            let range = place.offset..place.offset.saturating_add(length);
            self.fetch(place.segment, range, &mut decoder.stored)?;
            let stored = decoder.stored.get(..usize::try_from(length).unwrap_or(0)).unwrap_or_default();
            decode(&mut decoder.inflate, stored, place.compressed, self.full_chunk(), out)
        })
    }

    fn chunk(&self, chunk: u64) -> Result<Arc<[u8]>, Fault> {
        if let Some(data) = self.cache.get(chunk) {
            return Ok(data);
        }
        let mut data = vec![0; usize::try_from(self.chunk_length(chunk)).unwrap_or(0)];
        self.decode_into(chunk, &mut data)?;
        let data = Arc::from(data);
        self.cache.put(chunk, Arc::clone(&data));
        Ok(data)
    }

    /// Hands all bytes of the medium to `sink` in order, decoded by `threads` threads (0: by the calling one).
    /// A chunk that cannot be read is handed over as an error piece and the reading goes on behind it. `Break` from the
    /// sink ends the reading and is returned.
    pub fn stream(&self, threads: usize, sink: &mut dyn FnMut(Piece<'_>) -> VisitResult) -> VisitResult {
        let chunks = self.facts.chunks.min(self.facts.media_size.div_ceil(self.facts.chunk_size));
        let per_job = (stream::JOB_BYTES / self.facts.chunk_size).max(1);
        let job_bytes = per_job.saturating_mul(self.facts.chunk_size);
        let most_threads = (STREAM_BYTES / job_bytes.saturating_mul(3)).max(1);
        let threads = threads.min(usize::try_from(most_threads).unwrap_or(1));
        let work = |job: u64, batch: &mut Batch| {
            let first = job.saturating_mul(per_job);
            self.decode_run(first, first.saturating_add(per_job).min(chunks), batch);
        };
        stream::in_order(chunks.div_ceil(per_job), threads, &work, sink)?;
        let end = self.chunk_start(chunks).min(self.facts.media_size);
        if end < self.facts.media_size {
            let data = Err(self.error(chunks, end, self.missing));
            sink(Piece { offset: end, length: self.facts.media_size.saturating_sub(end), data })?;
        }
        VisitResult::Continue(())
    }

    /// Reads and checks every chunk and lists the parts of the medium that cannot be read.
    pub fn check(&self, threads: usize) -> Vec<Damage> {
        let mut damage = vec![];
        let _ = self.stream(threads, &mut |piece| {
            stream::add_damage(&mut damage, &piece);
            VisitResult::Continue(())
        });
        damage
    }

    /// Decodes the chunks `first..end`, reading stored bytes that follow each other in one go.
    fn decode_run(&self, first: u64, end: u64, batch: &mut Batch) {
        let places: Vec<_> = (first..end).map(|chunk| self.place(chunk)).collect();
        let most = most_stored(self.facts.chunk_size);
        with_decoder(|Decoder { inflate, stored }| {
            // What `stored` holds: a segment and a range of its bytes.
            let mut held = (usize::MAX, 0..0);
            for (i, place) in places.iter().enumerate() {
                let chunk = first.saturating_add(i as u64);
                let length = self.chunk_length(chunk);
                let before = batch.data.len();
                let mut one = |place: &Place| {
                    let wanted = place.offset..place.offset.saturating_add(place.room.min(most));
                    if held.0 != place.segment || held.1.start > wanted.start || held.1.end < wanted.end {
                        let later = places.get(i..).unwrap_or_default();
                        let run = read_ahead(place, wanted.clone(), later, most);
                        held = (usize::MAX, 0..0);
                        // Where the long read fails, the chunk alone may still be readable.
                        let got = match self.fetch(place.segment, run.clone(), stored) {
                            Ok(()) => run,
                            Err(_) => self.fetch(place.segment, wanted.clone(), stored).map(|()| wanted.clone())?,
                        };
                        held = (place.segment, got);
                    }
                    let from = usize::try_from(wanted.start.saturating_sub(held.1.start)).unwrap_or(usize::MAX);
                    let to = usize::try_from(wanted.end.saturating_sub(held.1.start)).unwrap_or(usize::MAX);
                    let bytes = stored.get(from..to).unwrap_or_default();
                    batch.data.resize(before.saturating_add(usize::try_from(length).unwrap_or(0)), 0);
                    let out = batch.data.get_mut(before..).unwrap_or_default();
                    decode(inflate, bytes, place.compressed, self.full_chunk(), out)
                };
                match place.as_ref().map_err(|fault| *fault).and_then(&mut one) {
                    Ok(()) => batch.good(self.chunk_start(chunk), length),
                    Err(fault) => {
                        batch.data.truncate(before);
                        let start = self.chunk_start(chunk);
                        batch.bad(start, length, self.error(chunk, start, fault));
                    }
                }
            }
        });
    }
}

/// The bytes to read for a chunk and those after it that follow it closely in the same segment.
fn read_ahead(place: &Place, wanted: Range<u64>, later: &[Result<Place, Fault>], most: u64) -> Range<u64> {
    let limit = wanted.start.saturating_add(stream::JOB_BYTES.saturating_add(most));
    let mut end = wanted.end;
    for next in later {
        let Ok(next) = next else { break };
        let next_end = next.offset.saturating_add(next.room.min(most));
        if next.segment != place.segment || next.offset < wanted.start || next.offset > end || next_end > limit {
            break;
        }
        end = end.max(next_end);
    }
    wanted.start..end
}

impl Source for Ewf {
    fn len(&self) -> u64 {
        self.facts.media_size
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ReadError> {
        let rest = usize::try_from(self.facts.media_size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let wanted = buf.len().min(rest);
        let mut done = 0;
        while done < wanted {
            let at = offset.saturating_add(done as u64);
            let chunk = at.checked_div(self.facts.chunk_size).unwrap_or(0);
            let (inside, length) = (at.saturating_sub(self.chunk_start(chunk)), self.chunk_length(chunk));
            let n =
                usize::try_from(length.saturating_sub(inside)).unwrap_or(usize::MAX).min(wanted.saturating_sub(done));
            let Some(out) = buf.get_mut(done..done.saturating_add(n)).filter(|o| !o.is_empty()) else { break };
            // A whole chunk that is not cached goes straight to where it is wanted.
            if n as u64 == length
                && let Some(cached) = self.cache.get(chunk)
            {
                out.copy_from_slice(cached.get(..n).unwrap_or_default());
            } else if n as u64 == length {
                self.decode_into(chunk, out).map_err(|fault| self.error(chunk, at, fault))?;
            } else {
                let data = self.chunk(chunk).map_err(|fault| self.error(chunk, at, fault))?;
                let from = usize::try_from(inside).unwrap_or(usize::MAX);
                out.copy_from_slice(data.get(from..from.saturating_add(n)).unwrap_or_default());
            }
            done = done.saturating_add(n);
        }
        Ok(done)
    }
}
