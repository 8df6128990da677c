//! What goes over the line between parent and worker. Fixed sizes, little-endian; payloads never travel here.
//!
//! ```text
//! parent -> worker   Setup   once
//! worker -> parent   Hello   once, after the layers are in force
//! parent -> worker   Frame   REQUEST: word = kind, len = payload in the first area
//! worker -> parent   Frame   REPLY: word = 1 to be replaced, len = reply in the second area
//!                            PANICKED: len = place in the second area; TOO_LARGE: len = what it would have been
//! ```

use crate::confinement::{CONFINEMENT_LEN, Confinement};

/// "avocetsb" as bytes: a line that carries something else is noticed at once.
const MAGIC: u64 = u64::from_le_bytes(*b"avocetsb");
/// Rises with every change of this file; both sides are the same binary, so it only guards against a wrong program.
const VERSION: u32 = 1;

pub(crate) const REQUEST: u32 = 0x5145_5231;
pub(crate) const REPLY: u32 = 0x4c50_5231;
pub(crate) const PANICKED: u32 = 0x434e_5031;
pub(crate) const TOO_LARGE: u32 = 0x4749_4231;

pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn u32(&mut self, value: u32) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }
    pub(crate) fn u64(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }
}

pub(crate) struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    pub(crate) fn u32(&mut self) -> Option<u32> {
        let (head, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_le_bytes(*head))
    }
    pub(crate) fn u64(&mut self) -> Option<u64> {
        let (head, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_le_bytes(*head))
    }
}

/// What the parent tells a new worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Setup {
    pub(crate) profile: u32,
    pub(crate) layers: u32,
    pub(crate) allow_weaker: bool,
    /// Length of the first area of the shared buffer, a multiple of the page size.
    pub(crate) request_area: u64,
    /// Length of the second area, likewise.
    pub(crate) reply_area: u64,
    pub(crate) max_reply: u64,
    pub(crate) address_space: u64,
    pub(crate) cpu_seconds: u64,
}

pub(crate) const SETUP_LEN: usize = 8 + 4 * 4 + 5 * 8;

impl Setup {
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let mut out = Writer(Vec::with_capacity(SETUP_LEN));
        out.u64(MAGIC);
        out.u32(VERSION);
        out.u32(self.profile);
        out.u32(self.layers);
        out.u32(u32::from(self.allow_weaker));
        for value in [self.request_area, self.reply_area, self.max_reply, self.address_space, self.cpu_seconds] {
            out.u64(value);
        }
        out.0
    }

    pub(crate) fn from_bytes(bytes: &[u8; SETUP_LEN]) -> Option<Self> {
        let mut input = Reader(bytes);
        if input.u64()? != MAGIC || input.u32()? != VERSION {
            return None;
        }
        Some(Self {
            profile: input.u32()?,
            layers: input.u32()?,
            allow_weaker: input.u32()? == 1,
            request_area: input.u64()?,
            reply_area: input.u64()?,
            max_reply: input.u64()?,
            address_space: input.u64()?,
            cpu_seconds: input.u64()?,
        })
    }
}

pub(crate) const HELLO_LEN: usize = 8 + 4 + CONFINEMENT_LEN;

pub(crate) fn hello_to_bytes(confinement: &Confinement) -> Vec<u8> {
    let mut out = Writer(Vec::with_capacity(HELLO_LEN));
    out.u64(MAGIC);
    out.u32(VERSION);
    confinement.write(&mut out);
    out.0
}

pub(crate) fn hello_from_bytes(bytes: &[u8; HELLO_LEN]) -> Option<Confinement> {
    let mut input = Reader(bytes);
    if input.u64()? != MAGIC || input.u32()? != VERSION {
        return None;
    }
    Confinement::read(&mut input)
}

/// A request or an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) tag: u32,
    pub(crate) word: u32,
    pub(crate) len: u64,
    /// Number of the request in this worker's life; an answer carries that of its request.
    pub(crate) sequence: u64,
}

pub(crate) const FRAME_LEN: usize = 24;

impl Frame {
    pub(crate) fn to_bytes(self) -> [u8; FRAME_LEN] {
        let words = u128::from(self.tag) | u128::from(self.word) << 32 | u128::from(self.len) << 64;
        let mut out = [0; FRAME_LEN];
        let (head, tail) = out.split_at_mut(16);
        head.copy_from_slice(&words.to_le_bytes());
        tail.copy_from_slice(&self.sequence.to_le_bytes());
        out
    }

    pub(crate) fn from_bytes(bytes: &[u8; FRAME_LEN]) -> Option<Self> {
        let mut input = Reader(bytes);
        Some(Self { tag: input.u32()?, word: input.u32()?, len: input.u64()?, sequence: input.u64()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let frame = Frame { tag: REPLY, word: 0xffff_fffe, len: u64::MAX - 1, sequence: 3 };
        assert_eq!(Frame::from_bytes(&frame.to_bytes()), Some(frame));
        let setup = Setup {
            profile: 1,
            layers: 31,
            allow_weaker: true,
            request_area: 4096,
            reply_area: 8192,
            max_reply: 8000,
            address_space: 1 << 31,
            cpu_seconds: 60,
        };
        let bytes: [u8; SETUP_LEN] = setup.to_bytes().try_into().unwrap();
        assert_eq!(Setup::from_bytes(&bytes), Some(setup));
        for at in 0..12 {
            let mut wrong = bytes;
            wrong[at] ^= 1;
            assert_eq!(Setup::from_bytes(&wrong), None, "magic and version are checked, byte {at}");
        }
    }

    #[test]
    fn every_field_of_a_hello_arrives() {
        let mut one = Confinement { landlock_abi: 6, cpu_seconds: Some(5), ..Confinement::default() };
        for field in 0..10 {
            let flag = match field {
                0 => &mut one.no_files,
                1 => &mut one.no_tcp,
                2 => &mut one.scoped,
                3 => &mut one.seccomp,
                4 => &mut one.no_new_privileges,
                5 => &mut one.no_capabilities,
                6 => &mut one.not_dumpable,
                7 => &mut one.descriptors_closed,
                8 => &mut one.single_thread,
                _ => &mut one.dies_with_parent,
            };
            *flag = true;
            let bytes: [u8; HELLO_LEN] = hello_to_bytes(&one).try_into().unwrap();
            assert_eq!(hello_from_bytes(&bytes), Some(one.clone()));
            assert!(!one.is_full(), "limits are still missing");
        }
    }
}
