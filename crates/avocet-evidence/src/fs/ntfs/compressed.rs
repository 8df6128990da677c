//! Files that NTFS keeps compressed, one unit of (usually sixteen) clusters at a time.

use std::sync::Arc;

use super::lznt1;
use super::runs::DataRun;
use crate::entry::{ContentRead, OpenContent};
use crate::error::{ReadError, ReadFault};
use crate::source::{Source, read_exact_at};

/// A compressed value.
#[derive(Clone)]
pub(super) struct Compressed {
    pub source: Arc<dyn Source>,
    /// In order, without gaps.
    pub runs: Arc<[DataRun]>,
    /// Bytes per cluster.
    pub cluster: u64,
    /// Clusters per unit.
    pub unit: u64,
    /// Bytes of the plain value.
    pub size: u64,
    /// Bytes that were ever written; the rest is zero.
    pub initialised: u64,
}

impl OpenContent for Compressed {
    fn open(&self) -> Result<Box<dyn ContentRead>, ReadError> {
        Ok(Box::new(Reader { value: self.clone(), run: 0, at: 0, plain: vec![], stored: vec![], taken: 0 }))
    }
}

struct Reader {
    value: Compressed,
    /// First run that may hold clusters of the next unit.
    run: usize,
    /// Byte at which the next unit begins.
    at: u64,
    plain: Vec<u8>,
    stored: Vec<u8>,
    /// Bytes of `plain` already handed out.
    taken: usize,
}

impl ContentRead for Reader {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, ReadError> {
        let mut done = 0;
        while done < buf.len() {
            let ready = self.plain.get(self.taken..).unwrap_or_default();
            if ready.is_empty() {
                if self.at >= self.value.size {
                    break;
                }
                self.next_unit()?;
                continue;
            }
            let n = ready.len().min(buf.len() - done);
            if let (Some(to), Some(from)) = (buf.get_mut(done..done + n), ready.get(..n)) {
                to.copy_from_slice(from);
            }
            self.taken += n;
            done += n;
        }
        Ok(done)
    }
}

impl Reader {
    fn next_unit(&mut self) -> Result<(), ReadError> {
        let v = &self.value;
        let unit_bytes = v.unit.saturating_mul(v.cluster);
        let (first, start) = (self.at / v.cluster, self.at);
        let end = first.saturating_add(v.unit);
        let wanted = v.size.saturating_sub(start).min(unit_bytes);
        let written = v.initialised.saturating_sub(start).min(wanted);
        let damaged = |offset: u64, detail: &'static str| ReadError::new("ntfs", offset, ReadFault::Damaged, detail);
        let length = |n: u64| usize::try_from(n).map_err(|_| damaged(start, "compression unit too large"));

        self.stored.clear();
        let mut hole = false;
        while let Some(run) = v.runs.get(self.run) {
            let run_end = run.vcn.saturating_add(run.length);
            let (from, to) = (run.vcn.max(first), run_end.min(end));
            if from < to {
                match run.lcn {
                    None => hole = true,
                    Some(_) if hole => return Err(damaged(start, "clusters behind a hole in a compression unit")),
                    Some(lcn) if written > 0 => {
                        let have = self.stored.len();
                        self.stored.resize(have.saturating_add(length((to - from).saturating_mul(v.cluster))?), 0);
                        let place = lcn.saturating_add(from - run.vcn).saturating_mul(v.cluster);
                        if let Some(part) = self.stored.get_mut(have..) {
                            read_exact_at(&v.source, "ntfs", place, part)?;
                        }
                    }
                    Some(_) => {}
                }
            }
            if run_end >= end {
                self.run += usize::from(run_end == end);
                break;
            }
            self.run += 1;
        }

        let written_length = length(written)?;
        self.plain.clear();
        self.plain.resize(length(wanted)?, 0);
        self.taken = 0;
        self.at = start.saturating_add(wanted);
        if self.stored.is_empty() {
            // A hole, or never written: zero by definition.
            return if hole || written == 0 {
                Ok(())
            } else {
                Err(damaged(start, "compression unit without clusters"))
            };
        }
        // A unit with all its clusters is stored plain; so is the last one where it has all that the file needs and
        // no hole is recorded behind it.
        if !hole && self.stored.len() >= written_length {
            let plain = self.plain.get_mut(..written_length).unwrap_or_default();
            plain.iter_mut().zip(&self.stored).for_each(|(to, from)| *to = *from);
            return Ok(());
        }
        let mut whole = std::mem::take(&mut self.plain);
        whole.resize(length(unit_bytes)?, 0);
        let decoded = lznt1::decode(&self.stored, &mut whole).map_err(|detail| damaged(start, detail))?;
        if decoded < written_length {
            return Err(damaged(start, "compression unit decodes to fewer bytes than the file has"));
        }
        whole.truncate(length(wanted)?);
        whole.iter_mut().skip(written_length).for_each(|b| *b = 0);
        self.plain = whole;
        Ok(())
    }
}
