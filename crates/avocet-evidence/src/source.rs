//! Positioned, read-only bytes.

use std::sync::Arc;

use crate::error::{OpenError, ReadError, ReadFault};

/// Bytes that nobody can write to, read at a position. Several threads may read at once.
pub trait Source: Send + Sync {
    /// Number of bytes.
    fn len(&self) -> u64;

    /// Reads at `offset` into `buf` and returns how many bytes were read: all of `buf`, or fewer only where the source
    /// ends. A read that begins at or past the end returns 0. Bytes that cannot be read are an error, never zeros.
    ///
    /// # Errors
    /// [`ReadError`] with the offset of the first byte that could not be read.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ReadError>;

    /// Whether there are no bytes.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<S: Source + ?Sized> Source for Arc<S> {
    fn len(&self) -> u64 {
        (**self).len()
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ReadError> {
        (**self).read_at(offset, buf)
    }
}

/// Fills `buf` from `offset`.
///
/// # Errors
/// As [`Source::read_at`]; also where the source ends first.
pub fn read_exact_at(
    source: &(impl Source + ?Sized),
    layer: &'static str,
    offset: u64,
    buf: &mut [u8],
) -> Result<(), ReadError> {
    let wanted = buf.len();
    let got = source.read_at(offset, buf)?;
    if got == wanted {
        return Ok(());
    }
    let end = offset.saturating_add(got as u64);
    Err(ReadError::new(layer, end, ReadFault::Truncated, format!("needs {wanted} bytes, the source ends after {got}")))
}

/// Reads up to `length` bytes from `offset`: fewer only where the source ends. Allocates no more than the source holds.
///
/// # Errors
/// As [`Source::read_at`].
pub fn read_up_to(source: &(impl Source + ?Sized), offset: u64, length: usize) -> Result<Vec<u8>, ReadError> {
    let available = source.len().saturating_sub(offset);
    let length = usize::try_from(available).unwrap_or(usize::MAX).min(length);
    let mut out = vec![0; length];
    let got = source.read_at(offset, &mut out)?;
    out.truncate(got);
    Ok(out)
}

/// A source in memory, for fixtures, fuzzing and small decoded parts.
#[derive(Debug, Clone, Default)]
pub struct MemorySource(pub Vec<u8>);

impl Source for MemorySource {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ReadError> {
        let rest = usize::try_from(offset).ok().and_then(|o| self.0.get(o..)).unwrap_or_default();
        let n = rest.len().min(buf.len());
        if let (Some(to), Some(from)) = (buf.get_mut(..n), rest.get(..n)) {
            to.copy_from_slice(from);
        }
        Ok(n)
    }
}

/// A window of another source: a partition, a file system inside a container.
#[derive(Clone)]
pub struct SubSource {
    inner: Arc<dyn Source>,
    start: u64,
    length: u64,
}

impl SubSource {
    /// The window of `length` bytes from `start`, cut where `inner` ends.
    pub fn new(inner: Arc<dyn Source>, start: u64, length: u64) -> Self {
        let length = length.min(inner.len().saturating_sub(start));
        Self { inner, start, length }
    }
}

impl Source for SubSource {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ReadError> {
        let rest = self.length.saturating_sub(offset);
        let n = usize::try_from(rest).unwrap_or(usize::MAX).min(buf.len());
        match buf.get_mut(..n) {
            Some(part) if n > 0 => self.inner.read_at(self.start.saturating_add(offset), part),
            _ => Ok(0),
        }
    }
}

/// Sources one after the other: the segments of a split image, the extents of a disk.
pub(crate) struct Joined<S> {
    layer: &'static str,
    parts: Vec<(u64, S)>,
    length: u64,
}

impl<S: Source> Joined<S> {
    /// Joins `parts` in their order; errors are those of `layer`.
    pub(crate) fn new(layer: &'static str, parts: Vec<S>) -> Result<Self, OpenError> {
        let (mut placed, mut length) = (vec![], 0u64);
        for part in parts {
            let start = length;
            length = length
                .checked_add(part.len())
                .ok_or_else(|| OpenError::malformed(layer, start, "the parts together are longer than 2^64 bytes"))?;
            placed.push((start, part));
        }
        Ok(Self { layer, parts: placed, length })
    }

    /// The parts with their first bytes.
    pub(crate) fn parts(&self) -> &[(u64, S)] {
        &self.parts
    }
}

impl<S: Source> Source for Joined<S> {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ReadError> {
        let first = self.parts.partition_point(|(start, _)| *start <= offset).saturating_sub(1);
        let mut done = 0;
        for (start, part) in self.parts.get(first..).unwrap_or_default() {
            let at = offset.saturating_add(done as u64);
            let Some(rest) = buf.get_mut(done..).filter(|r| !r.is_empty()) else { break };
            let inside = at.saturating_sub(*start);
            let n =
                part.read_at(inside, rest).map_err(|e| ReadError { offset: start.saturating_add(e.offset), ..e })?;
            done = done.saturating_add(n);
            let ended = inside.saturating_add(n as u64) >= part.len();
            if !ended && done < buf.len() {
                let at = offset.saturating_add(done as u64);
                return Err(ReadError::new(self.layer, at, ReadFault::Truncated, "a segment ended early"));
            }
        }
        Ok(done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_end_where_they_say_and_where_the_source_does() {
        let whole: Arc<dyn Source> = Arc::new(MemorySource((0..10).collect()));
        let window = SubSource::new(Arc::clone(&whole), 4, 3);
        let mut buf = [0; 8];
        assert_eq!(window.read_at(1, &mut buf).unwrap(), 2);
        assert_eq!(&buf[..2], [5, 6]);
        assert_eq!(window.read_at(3, &mut buf).unwrap(), 0);
        assert_eq!(window.read_at(u64::MAX, &mut buf).unwrap(), 0);
        assert_eq!(SubSource::new(Arc::clone(&whole), 8, 100).len(), 2);
        assert_eq!(SubSource::new(whole, 100, 5).len(), 0);
        let error = read_exact_at(&window, "test", 1, &mut buf).unwrap_err();
        assert_eq!(error.to_string(), "test at offset 3: needs 8 bytes, the source ends after 2");
    }

    #[test]
    fn a_read_up_to_allocates_only_what_exists() {
        assert_eq!(read_up_to(&MemorySource(vec![7; 3]), 1, usize::MAX).unwrap(), [7, 7]);
    }
}
