//! The bytes of the journal's records. Integers are little-endian, texts and lists begin with their length.

use std::borrow::Cow;

use avocet_base::{Digests, Md5, PdqHash, Sha1, Sha256};
use avocet_digest::TripleHasher;
use avocet_evidence::{Entry, Location, Run};
use avocet_examination::{FactRow, HashRow, ImageRow, PictureRow, PictureView};

use crate::image::{DigestVerdict, ImageDigests};
use crate::kind::MediaKind;
use crate::tasks::{Found, Window};

#[derive(Default)]
pub(super) struct Out(pub Vec<u8>);

impl Out {
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }
    pub fn number(&mut self, value: u64) {
        self.bytes(&value.to_le_bytes());
    }
    pub fn blob(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.bytes(bytes);
    }
    pub fn text(&mut self, text: &str) {
        self.blob(text.as_bytes());
    }
    fn flag(&mut self, flag: bool) {
        self.bytes(&[u8::from(flag)]);
    }
    fn option<T>(&mut self, value: Option<&T>, write: impl FnOnce(&mut Self, &T)) {
        self.flag(value.is_some());
        if let Some(value) = value {
            write(self, value);
        }
    }
    fn maybe_text(&mut self, value: Option<&String>) {
        self.option(value, |out, text| out.text(text));
    }
    fn list<T>(&mut self, items: &[T], mut write: impl FnMut(&mut Self, &T)) {
        self.number(items.len() as u64);
        items.iter().for_each(|item| write(self, item));
    }
}

pub(super) struct In<'a>(pub &'a [u8]);

impl In<'_> {
    pub fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*head)
    }
    pub fn number(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }
    fn blob(&mut self) -> Option<Vec<u8>> {
        let length = usize::try_from(self.number()?).ok()?;
        let (head, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(head.to_vec())
    }
    pub fn text(&mut self) -> Option<String> {
        String::from_utf8(self.blob()?).ok()
    }
    fn flag(&mut self) -> Option<bool> {
        let [flag] = self.array()?;
        (flag <= 1).then_some(flag == 1)
    }
    fn option<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        Some(if self.flag()? { Some(read(self)?) } else { None })
    }
    fn list<T>(&mut self, mut read: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = self.number()?;
        (0..count).map(|_| read(self)).collect()
    }
}

/// What an entry is known by: everything that decides where its bytes lie and what is said of it.
pub(super) fn mark(window: &Window, entry: &Entry) -> [u8; 8] {
    let mut out = Out::default();
    out.number(window.volume.cast_unsigned());
    out.text(&entry.path);
    out.maybe_text(entry.stream.as_ref());
    out.text(entry.kind.as_str());
    out.text(entry.state.as_str());
    out.number(entry.number);
    out.number(entry.size);
    for stamp in [entry.times.modified, entry.times.changed].into_iter().flatten() {
        out.text(&stamp.to_string());
    }
    for extent in entry.content.extents() {
        out.number(extent.length);
        match extent.location {
            Location::At(offset) => out.number(offset),
            Location::Zero => out.flag(false),
        }
    }
    let mut hasher = TripleHasher::new();
    hasher.update(&out.0);
    let Sha256(digest) = hasher.finish().sha256;
    digest.first_chunk().copied().unwrap_or_default()
}

/// A task's entries: the window, then for each its index, its mark and what was found.
pub(super) fn done_bytes(window: &Window, found: &[(usize, Found)]) -> Vec<u8> {
    let mut out = Out::default();
    out.number(window.number);
    // What could not be read has no digest.
    let read: Vec<_> =
        found.iter().filter_map(|(i, one)| Some((i, window.entries.get(*i)?, one.digests?, one))).collect();
    out.list(&read, |out, (index, entry, digests, one)| {
        out.number(**index as u64);
        out.bytes(&mark(window, entry));
        out.bytes(&digests.md5.0);
        out.bytes(&digests.sha1.0);
        out.bytes(&digests.sha256.0);
        out.option(one.format.as_ref(), |out, (kind, name)| {
            out.bytes(&[kind_number(*kind)]);
            out.text(name);
        });
        out.option(one.recycle_record.as_ref(), |out, record| out.blob(record));
        out.flag(one.small);
        out.option(one.picture.as_deref(), picture);
    });
    out.0
}

pub(super) type Done = (u64, Vec<(usize, [u8; 8], Found)>);

pub(super) fn done(input: &mut In<'_>) -> Option<Done> {
    let number = input.number()?;
    let found = input.list(|input| {
        let index = usize::try_from(input.number()?).ok()?;
        let mark = input.array()?;
        let digests = Digests { md5: Md5(input.array()?), sha1: Sha1(input.array()?), sha256: Sha256(input.array()?) };
        let format = input.option(|input| {
            let [kind] = input.array()?;
            Some((kind_of(kind)?, Cow::Owned(input.text()?)))
        })?;
        let recycle_record = input.option(In::blob)?;
        let small = input.flag()?;
        let picture = input.option(picture_of)?.map(Box::new);
        Some((
            index,
            mark,
            Found { digests: Some(digests), format, recycle_record, small, picture, ..Found::default() },
        ))
    })?;
    Some((number, found))
}

const KINDS: [MediaKind; 3] = [MediaKind::Picture, MediaKind::Video, MediaKind::Archive];

fn kind_number(kind: MediaKind) -> u8 {
    (0..).zip(KINDS).find(|(_, k)| *k == kind).map_or(u8::MAX, |(n, _)| n)
}

fn kind_of(number: u8) -> Option<MediaKind> {
    KINDS.get(usize::from(number)).copied()
}

/// A description as the evidence gives it: near matches are found anew.
fn picture(out: &mut Out, view: &PictureView) {
    let p = &view.picture;
    out.bytes(&p.sha256.0);
    out.text(&p.kind);
    out.text(&p.status);
    out.maybe_text(p.code.as_ref());
    out.maybe_text(p.reason.as_ref());
    out.option(p.orientation.as_ref(), |out, o| out.number(o.cast_unsigned()));
    out.maybe_text(p.thumbnail.as_ref());
    out.list(&view.images, |out, i| {
        out.text(&i.role);
        out.number(i.width);
        out.number(i.height);
        out.text(&i.decoder);
        out.maybe_text(i.partial.as_ref());
    });
    out.list(&view.hashes, |out, h| {
        out.number(h.image);
        out.text(&h.form);
        out.text(&h.path);
        out.number(h.quality);
        out.bytes(&h.pdq.0);
        h.turned.iter().for_each(|t| out.bytes(&t.0));
    });
    out.list(&view.facts, |out, f| {
        out.text(&f.key);
        out.text(&f.value);
        out.text(&f.source);
    });
}

fn picture_of(input: &mut In<'_>) -> Option<PictureView> {
    let picture = PictureRow {
        file_id: 0,
        sha256: Sha256(input.array()?),
        kind: input.text()?,
        status: input.text()?,
        code: input.option(In::text)?,
        reason: input.option(In::text)?,
        orientation: input.option(In::number)?.map(u64::cast_signed),
        thumbnail: input.option(In::text)?,
    };
    let images = input.list(|input| {
        Some(ImageRow {
            role: input.text()?,
            width: input.number()?,
            height: input.number()?,
            decoder: input.text()?,
            partial: input.option(In::text)?,
        })
    })?;
    let hashes = input.list(|input| {
        let (image, form, path, quality) = (input.number()?, input.text()?, input.text()?, input.number()?);
        let pdq = PdqHash(input.array()?);
        let mut turned = [PdqHash([0; 32]); 7];
        for slot in &mut turned {
            *slot = PdqHash(input.array()?);
        }
        Some(HashRow { image, form, path, quality, pdq, turned })
    })?;
    let facts =
        input.list(|input| Some(FactRow { key: input.text()?, value: input.text()?, source: input.text()? }))?;
    Some(PictureView { picture, images, hashes, facts, near: vec![] })
}

const VERDICTS: [DigestVerdict; 5] = [
    DigestVerdict::Agrees,
    DigestVerdict::Differs,
    DigestVerdict::NothingStored,
    DigestVerdict::NotTaken,
    DigestVerdict::NotApplicable,
];

pub(super) fn image_bytes(image: &ImageDigests) -> Vec<u8> {
    let mut out = Out::default();
    out.option(image.md5.as_ref(), |out, d| out.bytes(&d.0));
    out.option(image.sha1.as_ref(), |out, d| out.bytes(&d.0));
    out.option(image.sha256.as_ref(), |out, d| out.bytes(&d.0));
    let verdict = VERDICTS.iter().position(|v| *v == image.verdict).unwrap_or(VERDICTS.len());
    out.number(verdict as u64);
    out.list(&image.damaged, |out, run| {
        out.number(run.start);
        out.number(run.length);
    });
    out.number(image.bytes);
    out.0
}

pub(super) fn image(input: &mut In<'_>) -> Option<ImageDigests> {
    Some(ImageDigests {
        md5: input.option(|input| input.array().map(Md5))?,
        sha1: input.option(|input| input.array().map(Sha1))?,
        sha256: input.option(|input| input.array().map(Sha256))?,
        verdict: VERDICTS.get(usize::try_from(input.number()?).ok()?)?.clone(),
        damaged: input.list(|input| Some(Run { start: input.number()?, length: input.number()? }))?,
        bytes: input.number()?,
    })
}
