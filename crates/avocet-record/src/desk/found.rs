//! What an examination says of pictures and videos, taken out of it when it is attached.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::Path;

use avocet_base::Sha256;
use avocet_examination::{Examination, FileFilter, FileView, KnownSetRow, PictureView, ReadError, SignatureCheck};

use crate::error::{RecordError, Result};
use crate::identifier::{Identifier, IdentifierKind};
use crate::review::{Found, InGroup, Look, Near, Said, list};
use crate::store::{Tx, camera_text};

/// An examination that was verified and read.
pub(super) struct ReadExamination {
    pub digest: Sha256,
    pub file_digest: Sha256,
    pub signed_by: Option<String>,
    pub files: u64,
    /// Whether it says of itself that its examination had not ended.
    pub interim: bool,
    /// Each content with the serial numbers that its metadata states.
    found: BTreeMap<Sha256, (Found, Vec<String>)>,
}

impl ReadExamination {
    /// Verifies a sealed file and reads it.
    pub fn read(file: &Path, expect: Option<Sha256>) -> Result<Self> {
        let refused = |e: String| RecordError::Refused(format!("the examination is not attached: {e}"));
        let verified = avocet_examination::verify(file, expect, None).map_err(|e| refused(e.to_string()))?;
        let Some(digest) = verified.result_digest.filter(|_| verified.passed()) else {
            return Err(refused(verified.findings.join("; ")));
        };
        let signed_by = match verified.signature {
            SignatureCheck::SignedBy { key, .. } => Some(key),
            _ => None,
        };
        let (file_digest, found) = (verified.file_sha256, BTreeMap::new());
        let mut read = Self { digest, file_digest, signed_by, files: 0, interim: false, found };
        Examination::open(file).and_then(|examination| read.take(&examination)).map_err(|e| refused(e.to_string()))?;
        Ok(read)
    }

    /// How many contents there are.
    pub fn media(&self) -> u64 {
        u64::try_from(self.found.len()).unwrap_or(u64::MAX)
    }

    /// How many contents of a list that is kept with an examination are not in this one.
    pub fn lacks(&self, media_list: &[u8]) -> u64 {
        let contents = media_list.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).filter(|line| {
            let digest = std::str::from_utf8(line).ok().and_then(|line| line.split(' ').next()?.parse().ok());
            !digest.is_some_and(|sha256: Sha256| self.found.contains_key(&sha256))
        });
        u64::try_from(contents.count()).unwrap_or(u64::MAX)
    }

    fn take(&mut self, examination: &Examination) -> std::result::Result<(), ReadError> {
        self.interim = examination.interim()?.is_some();
        let sets: BTreeMap<i64, KnownSetRow> = examination.known_sets()?.into_iter().map(|set| (set.id, set)).collect();
        let mut contents: BTreeMap<i64, Sha256> = BTreeMap::new();
        let mut each = |view: FileView| {
            if let Some(sha256) = self.file(view, &sets) {
                contents.insert(sha256.1, sha256.0);
            }
            Ok::<_, ReadError>(ControlFlow::Continue(()))
        };
        examination.files(&FileFilter::default(), &mut each)?;
        let mut each = |view: PictureView| {
            self.picture(&view, &sets);
            Ok::<_, ReadError>(ControlFlow::Continue(()))
        };
        examination.pictures(&mut each)?;
        let groups = examination.groups()?;
        let mut sizes: BTreeMap<i64, u64> = BTreeMap::new();
        for row in &groups {
            let size = sizes.entry(row.representative).or_default();
            *size = size.saturating_add(1);
        }
        for row in groups {
            let (Some(representative), Some(member)) = (contents.get(&row.representative), contents.get(&row.member))
            else {
                continue;
            };
            if sizes.get(&row.representative).is_some_and(|size| *size > 1)
                && let Some((found, _)) = self.found.get_mut(member)
            {
                found.group = Some(InGroup { representative: *representative, distance: row.distance });
            }
        }
        Ok(())
    }

    /// Takes a file, where it is a picture or video; answers its content and its number.
    fn file(&mut self, view: FileView, sets: &BTreeMap<i64, KnownSetRow>) -> Option<(Sha256, i64)> {
        let FileView { file, matches, .. } = view;
        let (kind, sha256) = (file.media?, file.sha256?);
        if !matches!(kind.as_str(), "picture" | "video") {
            return None;
        }
        self.files = self.files.saturating_add(1);
        let (found, _) = self.found.entry(sha256).or_insert_with(|| {
            let mut found = Found::bare(sha256, &kind, 0);
            (found.md5, found.sha1, found.bytes, found.file) = (file.md5, file.sha1, file.size, file.id);
            found.format = file.format;
            (found, vec![])
        });
        found.files = found.files.saturating_add(1);
        found.states.insert(file.state);
        let times = || file.created.into_iter().chain(file.modified);
        found.first = found.first.into_iter().chain(times()).min();
        found.last = found.last.into_iter().chain(times()).max();
        for hit in matches {
            let Some(set) = sets.get(&hit.set_id) else { continue };
            found.said.insert(Said {
                set: set.name.clone(),
                version: set.version.clone(),
                scheme: set.scheme.clone(),
                scheme_version: set.scheme_version.clone(),
                category: hit.category,
                basis: hit.basis,
                alerts: hit.alerts,
                hides: hit.hides,
            });
        }
        Some((sha256, file.id))
    }

    fn picture(&mut self, view: &PictureView, sets: &BTreeMap<i64, KnownSetRow>) {
        let Some((found, serials)) = self.found.get_mut(&view.picture.sha256) else { return };
        found.status = Some(view.picture.status.clone());
        found.format = Some(view.picture.kind.clone());
        if let Some(image) = view.images.first() {
            (found.width, found.height) = (Some(image.width), Some(image.height));
        }
        let full = view.hashes.iter().find(|hash| hash.form == "full");
        found.look = full.and_then(|hash| {
            let quality = u8::try_from(hash.quality).ok().filter(|quality| *quality >= avocet_near::MIN_QUALITY)?;
            Some(Look { pdq: hash.pdq, quality })
        });
        found.taken = view.fact("taken").map(str::to_owned);
        let camera: Vec<&str> = ["make", "model"].into_iter().filter_map(|key| view.fact(key)).collect();
        found.camera = Some(camera_text(&camera.join(" "))).filter(|text| !text.is_empty());
        let stated = view.facts.iter().filter(|fact| matches!(fact.key.as_str(), "body-serial" | "internal-serial"));
        serials.extend(stated.map(|fact| fact.value.clone()));
        // What a set has itself is not like something that it has.
        if let Some(near) = view.near.first()
            && !found.is_known()
            && let Some(set) = sets.get(&near.set_id)
        {
            found.near = Some(Near {
                distance: near.distance,
                set: set.name.clone(),
                version: set.version.clone(),
                scheme: set.scheme.clone(),
                scheme_version: set.scheme_version.clone(),
                category: near.category.clone(),
            });
        }
    }

    /// The two lists that are kept with it: a line for each content (SHA-256, kind, number of files), and what was found.
    pub fn lists(&mut self, tx: &Tx<'_>) -> Result<(String, String)> {
        let mut media = String::new();
        for (sha256, (found, serials)) in &mut self.found {
            let _ = writeln!(media, "{sha256} {} {}", found.kind, found.files);
            let identifiers = serials.drain(..).filter_map(|s| Identifier::new(IdentifierKind::Device, &s));
            found.serials = identifiers.map(|identifier| tx.token(&identifier).token).collect();
        }
        let review = list(self.found.values().map(|(found, _)| found))
            .map_err(|_| RecordError::Refused("what was found has no text form; report this".into()))?;
        Ok((media, review))
    }
}
