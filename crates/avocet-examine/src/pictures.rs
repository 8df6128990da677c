//! Describes the pictures of an examination: each content once, near matches with known sets, groups at the end.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use avocet_base::{PdqHash, Sha256};
use avocet_examination::{FactRow, GroupRow, HashRow, ImageRow, NearRow, PictureRow, PictureView};
use avocet_known::{Basis, KnownError, KnownSets};
use avocet_media::Decoders;
use avocet_media::derivative;
use avocet_media::describe::{Description, Form};
use avocet_near::group::{DEFAULT_RADIUS, Item, near_groups};
use avocet_near::{FormNeighbour, Index, MAX_RADIUS, MIN_QUALITY, Settings};

use crate::journal::{Journal, JournalError};
use crate::kind::MediaKind;
use crate::tasks::Found;

/// Largest picture file that is given to a decoder, in bytes.
pub(crate) const LARGEST: u64 = 256 << 20;

/// How pictures are to be described.
pub struct Media {
    /// The confined workers.
    pub decoders: Decoders,
    /// Where the small pictures go; `None` where none are wanted.
    pub derivatives: Option<derivative::Writer>,
    /// Largest distance of a near match, 0 to 31 bits.
    pub radius: u32,
    /// The contents that are in the store of small pictures already, where an earlier run began it.
    pub stored: HashSet<Sha256>,
}

impl Media {
    /// With the usual radius and no small pictures.
    pub fn new(decoders: Decoders) -> Media {
        Media { decoders, derivatives: None, radius: MAX_RADIUS, stored: HashSet::new() }
    }
}

/// The PDQ hashes of all known sets in one index.
pub(crate) struct Near<'a> {
    known: &'a KnownSets,
    index: Index,
    /// For each item of the index, the set and the row that it comes from.
    owners: Vec<(u32, u32)>,
    radius: u32,
}

impl<'a> Near<'a> {
    /// Reads the hashes of every set.
    pub fn build(known: &'a KnownSets, radius: u32) -> Result<Near<'a>, crate::ExamineError> {
        let (mut hashes, mut owners) = (vec![], vec![]);
        for (set, file) in (0u32..).zip(known.files()) {
            for value in file.pdq_values() {
                let (hash, row) = value?;
                hashes.push(hash);
                owners.push((set, row));
            }
        }
        let index = Index::build(hashes, Settings::default())?;
        Ok(Near { known, index, owners, radius })
    }

    /// How many hashes there are to be near to.
    pub fn len(&self) -> usize {
        self.owners.len()
    }

    /// Every record within the radius of any usable hash of a picture, in any orientation: each once, with the hash that
    /// is nearest. Of equally near ones the first image, form and orientation.
    pub fn find(&self, hashes: &[HashRow]) -> Result<Vec<NearRow>, KnownError> {
        let mut best: BTreeMap<u32, (u32, usize, u32)> = BTreeMap::new();
        let mut found: Vec<FormNeighbour> = vec![];
        for (number, hash) in hashes.iter().enumerate().filter(|(_, h)| usable(h)) {
            let forms: Vec<PdqHash> = std::iter::once(hash.pdq).chain(hash.turned).collect();
            found.clear();
            self.index.within_any(&forms, self.radius, &mut found);
            for n in &found {
                let this = (n.distance, number, n.form);
                best.entry(n.item).and_modify(|b| *b = (*b).min(this)).or_insert(this);
            }
        }
        let mut rows = Vec::with_capacity(best.len());
        for (item, (distance, number, turn)) in best {
            let at = usize::try_from(item).unwrap_or(usize::MAX);
            let (Some((set, row)), Some(hash)) = (self.owners.get(at), hashes.get(number)) else { continue };
            let number = usize::try_from(*set).unwrap_or(usize::MAX);
            let Some(file) = self.known.files().get(number) else { continue };
            // The basis is of no account: what is asked for is what the record says.
            let hit = file.hit(*row, Basis::Md5Only)?;
            rows.push(NearRow {
                distance: u64::from(distance),
                set_id: crate::write::set_id(number),
                record: hit.record,
                image: hash.image,
                form: hash.form.clone(),
                turn: u64::from(turn),
                category: hit.category,
                meaning: hit.meaning,
                alerts: hit.alerts,
                series: hit.series,
            });
        }
        rows.sort();
        Ok(rows)
    }
}

/// Whether a hash says enough to be compared: its PDQ quality is 50 or more.
pub fn usable(hash: &HashRow) -> bool {
    hash.quality >= u64::from(MIN_QUALITY)
}

/// What the workers of the pipeline share: which contents were described already, and where small pictures go.
pub(crate) struct Describing<'a> {
    pub decoders: &'a Decoders,
    pub near: &'a Near<'a>,
    pub derivatives: Option<Mutex<&'a mut derivative::Writer>>,
    claimed: Mutex<HashSet<Sha256>>,
    journal: Option<&'a Journal>,
    /// What an earlier run described: nobody describes it again.
    settled: HashSet<Sha256>,
    /// Of these, what the result has already.
    given: Mutex<HashSet<Sha256>>,
}

impl<'a> Describing<'a> {
    pub fn new(
        decoders: &'a Decoders,
        near: &'a Near<'a>,
        derivatives: Option<&'a mut derivative::Writer>,
        journal: Option<&'a Journal>,
        stored: &HashSet<Sha256>,
    ) -> Self {
        let wanted = derivatives.is_some().then_some(stored);
        Self {
            decoders,
            near,
            derivatives: derivatives.map(Mutex::new),
            claimed: Mutex::default(),
            journal,
            settled: journal.map(|j| j.described(wanted)).unwrap_or_default(),
            given: Mutex::default(),
        }
    }

    /// Whether this content is to be described by whoever asks; `false` where somebody has it already.
    pub fn claim(&self, sha256: Sha256) -> bool {
        !self.settled.contains(&sha256) && self.claimed.lock().unwrap_or_else(PoisonError::into_inner).insert(sha256)
    }

    /// What an earlier run found out about an entry, as far as it still holds; `None` where it has to be read again,
    /// because nothing that is left says what the picture shows.
    pub fn settle(&self, mut found: Found) -> Option<Found> {
        let (Some(digests), Some((MediaKind::Picture, _))) = (&found.digests, &found.format) else {
            return Some(found);
        };
        if !self.settled.contains(&digests.sha256) {
            return None;
        }
        if found.picture.is_some() {
            let first = self.given.lock().unwrap_or_else(PoisonError::into_inner).insert(digests.sha256);
            found.picture = found.picture.filter(|_| first);
        }
        Some(found)
    }

    /// Describes a picture and keeps its small pictures. The answer says whether any were made.
    pub fn describe(&self, sha256: Sha256, format: &str, bytes: &[u8]) -> Result<(PictureView, bool), Trouble> {
        let described = self.decoders.describe(bytes, self.derivatives.is_some());
        if let (Some(store), Some(made)) = (&self.derivatives, &described.made) {
            let mut store = store.lock().unwrap_or_else(PoisonError::into_inner);
            let place = store.put_placed(&sha256, &made.veiled, &made.clear)?;
            if let (Some(journal), Some(place)) = (self.journal, place) {
                // What the journal says is in the store must be there, and in this order.
                store.flush()?;
                journal.put(&sha256, place)?;
            }
        }
        let mut picture = view(sha256, format, described.description);
        picture.near = self.near.find(&picture.hashes)?;
        Ok((picture, described.made.is_some()))
    }

    /// Brings the small pictures to the disk.
    pub fn sync(&self) -> Result<(), Trouble> {
        if let Some(store) = &self.derivatives {
            store.lock().unwrap_or_else(PoisonError::into_inner).sync()?;
        }
        Ok(())
    }

    /// A picture that no decoder was given.
    pub fn refuse(&self, sha256: Sha256, format: &str, code: &str, reason: &str) -> PictureView {
        view(sha256, format, Description::undecodable(format, code, reason))
    }
}

/// Why pictures cannot go on being described.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    #[error(transparent)]
    Known(#[from] KnownError),
    #[error(transparent)]
    Derivatives(#[from] derivative::DerivativeError),
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// A description as the result keeps it, without near matches; the file's number is put in when the picture is written.
fn view(sha256: Sha256, format: &str, d: Description) -> PictureView {
    PictureView {
        picture: PictureRow {
            file_id: 0,
            sha256,
            kind: if d.kind == "unknown" { format.to_owned() } else { d.kind },
            status: d.status.name().to_owned(),
            code: d.code,
            reason: d.reason,
            orientation: d.orientation.map(i64::from),
            thumbnail: d.thumbnail.map(|t| t.name().to_owned()),
        },
        images: d
            .images
            .into_iter()
            .map(|i| ImageRow {
                role: i.role.name().to_owned(),
                width: u64::from(i.width),
                height: u64::from(i.height),
                decoder: i.decoder,
                partial: i.partial,
            })
            .collect(),
        hashes: d
            .hashes
            .into_iter()
            .map(|h| {
                let [pdq, turned @ ..] = h.turned;
                HashRow {
                    image: u64::from(h.image),
                    form: h.form.name().to_owned(),
                    path: h.path,
                    quality: u64::from(h.quality),
                    pdq,
                    turned,
                }
            })
            .collect(),
        facts: d
            .facts
            .into_iter()
            .map(|f| FactRow { key: f.key.name().to_owned(), value: f.value, source: f.source.name().to_owned() })
            .collect(),
        near: vec![],
    }
}

/// What is counted of pictures, and what the end of the examination needs of them.
#[derive(Default)]
pub(crate) struct Pictures {
    /// The first file of each content, and whether any file with it is live.
    first: HashMap<Sha256, (i64, bool)>,
    /// What groups are made of: the first file, the hash and its quality.
    hashed: Vec<(i64, PdqHash, u8)>,
    pub different: u64,
    pub files: u64,
    pub decoded: u64,
    pub partial: u64,
    pub low_detail: u64,
    pub near: u64,
    pub groups: u64,
    pub grouped: u64,
    pub with_camera: u64,
    pub with_place: u64,
    pub thumbnail_differs: u64,
    /// Pictures of which not every image was decoded.
    pub left_out: u64,
    /// Undecodable contents with their kind and code.
    undecodable: Vec<(Sha256, String, String)>,
}

impl Pictures {
    /// Takes a file that is a picture; files come in the order of their numbers.
    pub fn file(&mut self, id: i64, sha256: Sha256, live: bool) {
        self.files += 1;
        self.first.entry(sha256).or_insert((id, false)).1 |= live;
    }

    /// How many undecodable contents there are of each kind and code, by whether a live file holds them: which file was
    /// read first does not matter.
    pub fn undecodable(&self) -> BTreeMap<(bool, &str, &str), u64> {
        let mut out = BTreeMap::new();
        for (sha256, kind, code) in &self.undecodable {
            let live = self.first.get(sha256).is_some_and(|first| first.1);
            *out.entry((live, kind.as_str(), code.as_str())).or_default() += 1;
        }
        out
    }

    /// Takes a description and says under which file's number it is kept.
    pub fn take(&mut self, view: &mut PictureView) {
        let id = self.first.get(&view.picture.sha256).map_or(0, |first| first.0);
        view.picture.file_id = id;
        self.different += 1;
        match view.picture.status.as_str() {
            "decoded" => self.decoded += 1,
            "partial" => self.partial += 1,
            _ => {
                let code = view.picture.code.clone().unwrap_or_default();
                self.undecodable.push((view.picture.sha256, view.picture.kind.clone(), code));
            }
        }
        self.left_out += u64::from(view.picture.status == "decoded" && view.picture.code.is_some());
        let first = view.hashes.iter().find(|h| h.form == Form::Full.name());
        if let Some(hash) = first {
            let quality = u8::try_from(hash.quality).unwrap_or(u8::MAX);
            self.low_detail += u64::from(!usable(hash));
            if usable(hash) {
                self.hashed.push((id, hash.pdq, quality));
            }
        }
        self.near += u64::from(!view.near.is_empty());
        let has = |keys: &[&str]| view.facts.iter().any(|f| keys.contains(&f.key.as_str()));
        self.with_camera += u64::from(has(&["make", "model", "body-serial", "internal-serial"]));
        self.with_place += u64::from(has(&["gps-lat"]) && has(&["gps-lon"]));
        self.thumbnail_differs += u64::from(view.picture.thumbnail.as_deref() == Some("differs"));
    }

    /// The near groups of all pictures: each as rows, the representative's own first.
    pub fn groups(&mut self) -> Result<Vec<Vec<GroupRow>>, crate::ExamineError> {
        let mut hashed = std::mem::take(&mut self.hashed);
        hashed.sort_unstable_by_key(|h| h.0);
        let items: Vec<Item> =
            hashed.iter().map(|(_, hash, quality)| Item { hash: *hash, quality: *quality }).collect();
        let grouping = near_groups(&items, DEFAULT_RADIUS)?;
        let id = |at: usize| hashed.get(at).map(|h| h.0);
        let mut out = vec![];
        for group in grouping.groups {
            let Some(representative) = id(group.representative) else { continue };
            let row = |member, distance: u32| GroupRow {
                representative,
                member,
                distance: u64::from(distance),
                form: Form::Full.name().to_owned(),
                turn: 0,
            };
            let mut rows = vec![row(representative, 0)];
            rows.extend(group.members.iter().filter_map(|m| Some(row(id(m.item)?, m.distance))));
            self.groups += 1;
            self.grouped += rows.len() as u64;
            out.push(rows);
        }
        Ok(out)
    }
}
