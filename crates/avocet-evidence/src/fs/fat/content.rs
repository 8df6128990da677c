//! From a first cluster to the bytes of a file, for FAT and exFAT. Deleted files are told apart in `deleted`.

mod deleted;

use super::bits::Bits;
use super::table::{Next, Table, TableReader};
use crate::entry::{Content, Extent, Location, Mapped, Note, Run, Unreadable};

/// Bytes of one directory at most: the limit of the exFAT specification; FAT's own is 2 MiB.
pub(in crate::fs) const MAX_DIRECTORY: u64 = 256 << 20;

/// Where clusters lie.
#[derive(Debug, Clone, Copy)]
pub(in crate::fs) struct Geometry {
    /// Byte offset of cluster 2.
    pub heap: u64,
    /// Bytes of a cluster.
    pub cluster: u64,
    /// Highest cluster number.
    pub last: u32,
}

impl Geometry {
    pub fn contains(&self, cluster: u32) -> bool {
        (2..=self.last).contains(&cluster)
    }

    /// Number of clusters.
    pub fn count(&self) -> u64 {
        u64::from(self.last).saturating_sub(1)
    }

    /// Byte offset of a cluster within the volume.
    pub fn offset(&self, cluster: u32) -> u64 {
        u64::from(cluster).saturating_sub(2).saturating_mul(self.cluster).saturating_add(self.heap)
    }

    /// Clusters that hold so many bytes.
    pub fn clusters_for(&self, bytes: u64) -> u64 {
        bytes.div_ceil(self.cluster.max(1))
    }

    /// The runs of clusters not in `allocated`, in bytes, cut where the volume ends.
    pub fn free_runs(&self, allocated: &Bits, volume_length: u64) -> Vec<Run> {
        allocated
            .clear_runs(2)
            .filter_map(|(first, count)| {
                let start = self.offset(first);
                let length = u64::from(count).saturating_mul(self.cluster);
                let length = length.min(volume_length.saturating_sub(start));
                (length > 0).then_some(Run { start, length })
            })
            .collect()
    }
}

/// Extents that grow by clusters and merge where clusters follow each other.
struct Pieces {
    geometry: Geometry,
    extents: Vec<Extent>,
    length: u64,
}

impl Pieces {
    fn new(geometry: Geometry) -> Self {
        Self { geometry, extents: vec![], length: 0 }
    }

    fn push(&mut self, first: u32, count: u64) {
        let offset = self.geometry.offset(first);
        let bytes = count.saturating_mul(self.geometry.cluster);
        match self.extents.last_mut() {
            Some(Extent { length, location: Location::At(at), .. }) if at.saturating_add(*length) == offset => {
                *length = length.saturating_add(bytes);
            }
            _ => self.extents.push(Extent { logical: self.length, length: bytes, location: Location::At(offset) }),
        }
        self.length = self.length.saturating_add(bytes);
    }

    /// Whether a cluster occurs twice.
    fn repeats(&self) -> bool {
        let mut spans: Vec<(u64, u64)> = self
            .extents
            .iter()
            .filter_map(|e| match e.location {
                Location::At(at) => Some((at, at.saturating_add(e.length))),
                Location::Zero => None,
            })
            .collect();
        spans.sort_unstable();
        spans.windows(2).any(|pair| matches!(pair, [a, b] if a.1 > b.0))
    }

    /// The extents of the first `size` bytes, of which those from `valid` on are zero by definition.
    fn finish(self, size: u64, valid: u64) -> Content {
        let mut extents = vec![];
        for mut extent in self.extents {
            let left = valid.min(size).saturating_sub(extent.logical);
            extent.length = extent.length.min(left);
            if extent.length > 0 {
                extents.push(extent);
            }
        }
        if valid < size && self.length >= size {
            extents.push(Extent { logical: valid, length: size.saturating_sub(valid), location: Location::Zero });
        }
        Content::Mapped(Mapped { extents })
    }
}

/// What was found out of a file's bytes.
pub(in crate::fs) struct Found {
    pub content: Content,
    pub notes: Vec<Note>,
    /// Code and sentence of the problem, where there is one.
    pub problem: Option<(&'static str, String)>,
}

impl Found {
    fn readable(content: Content) -> Self {
        Self { content, notes: vec![], problem: None }
    }

    fn corrupt(code: &'static str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self {
            content: Content::Unreadable(Unreadable::Corrupt(detail.clone())),
            notes: vec![],
            problem: Some((code, format!("The content cannot be read: {detail}."))),
        }
    }
}

/// A file as its directory entry states it.
#[derive(Debug, Clone, Copy)]
pub(in crate::fs) struct Claim {
    pub first: u32,
    pub size: u64,
    /// Bytes that were ever written (exFAT valid data length); the size on FAT.
    pub valid: u64,
    /// exFAT NoFatChain: the clusters follow each other and the table does not hold them.
    pub contiguous: bool,
}

/// Why following a chain stopped before its end.
enum Broken {
    Short,
    Link,
    Loop,
    Unreadable,
    Budget,
}

/// What a walk knows of the clusters: whose they are, and how much was handed out.
pub(in crate::fs) struct Clusters<'a> {
    pub geometry: Geometry,
    reader: TableReader<'a>,
    /// `None` where the volume's own map of clusters in use is lost.
    allocated: Option<&'a Bits>,
    /// Clusters that a live file or directory refers to.
    pub claimed: Bits,
    /// Clusters listed as directories, in any state.
    pub directories: Bits,
    /// Clusters that live files claimed a second time. Sound volumes have none; the count is limited to the clusters of
    /// the volume, so that crossed chains cannot multiply the bytes to read.
    crossed: u64,
    recovered: u64,
    recoverable: u64,
    /// Deleted files left out because the volume cannot hold so many bytes.
    pub capped: u64,
}

impl<'a> Clusters<'a> {
    /// `volume_size`: the bytes that deleted files may claim together, as far as the clusters hold so many.
    pub fn new(geometry: Geometry, table: &'a Table, allocated: Option<&'a Bits>, volume_size: u64) -> Self {
        let end = geometry.last.saturating_add(1);
        let mut claimed = Bits::new(end);
        let _ = (claimed.set(0), claimed.set(1)); // no clusters have these numbers
        Self {
            geometry,
            reader: TableReader::new(table),
            allocated,
            claimed,
            directories: Bits::new(end),
            crossed: 0,
            recovered: 0,
            recoverable: volume_size.min(geometry.count().saturating_mul(geometry.cluster)),
            capped: 0,
        }
    }

    /// Whether no live file is known to use the cluster.
    pub fn is_free(&self, cluster: u32) -> bool {
        self.geometry.contains(cluster) && !self.in_use().get(cluster)
    }

    /// The map of clusters in use: the volume's own, or what live files refer to where that is lost.
    pub fn in_use(&self) -> &Bits {
        self.allocated.unwrap_or(&self.claimed)
    }

    /// Claims a cluster for a live file; `Err` where the limit on crossed chains is reached.
    fn claim(&mut self, cluster: u32) -> Result<bool, Broken> {
        let crossed = self.claimed.set(cluster);
        if crossed {
            self.crossed = self.crossed.saturating_add(1);
            if self.crossed > self.geometry.count() {
                return Err(Broken::Budget);
            }
        }
        Ok(crossed)
    }

    fn step(&mut self, cluster: u32) -> Result<u32, Broken> {
        match self.reader.next(cluster) {
            Ok(Next::Cluster(next)) => Ok(next),
            Ok(Next::End) => Err(Broken::Short),
            Ok(Next::Free | Next::Bad | Next::Invalid) => Err(Broken::Link),
            Err(_) => Err(Broken::Unreadable),
        }
    }

    /// Follows a live chain for `wanted` clusters. Returns how many clusters were already another's, the last cluster,
    /// and what broke the chain.
    fn follow(&mut self, pieces: &mut Pieces, first: u32, wanted: u64) -> (u64, u32, Option<Broken>) {
        let (mut at, mut shared) = (first, 0u64);
        // Brent's search for loops: compares with a cluster seen a power of two of steps ago.
        let (mut mark, mut since, mut power) = (0, 0u64, 1u64);
        for done in 1..=wanted {
            match self.claim(at) {
                Ok(crossed) => shared = shared.saturating_add(u64::from(crossed)),
                Err(e) => return (shared, at, Some(e)),
            }
            pieces.push(at, 1);
            if at == mark {
                return (shared, at, Some(Broken::Loop));
            }
            since = since.saturating_add(1);
            if since >= power {
                (mark, since, power) = (at, 0, power.saturating_mul(2));
            }
            if done < wanted {
                match self.step(at) {
                    Ok(next) => at = next,
                    Err(e) => return (shared, at, Some(e)),
                }
            }
        }
        (shared, at, None)
    }

    /// Claims what a chain holds past the end of its file and says how many clusters that is.
    fn claim_rest(&mut self, last: u32) -> u64 {
        let (mut at, mut extra) = (last, 0u64);
        while let Ok(next) = self.step(at) {
            if self.claimed.set(next) {
                break;
            }
            extra = extra.saturating_add(1);
            at = next;
        }
        extra
    }

    /// The clusters of a run, as many as lie in the volume.
    fn run(&self, first: u32, wanted: u64) -> Option<u32> {
        let room = u64::from(self.geometry.last).checked_sub(u64::from(first))?.checked_add(1)?;
        (self.geometry.contains(first) && wanted <= room).then(|| u32::try_from(wanted).ok())?
    }

    /// What is wrong with a claim before any cluster is looked at.
    fn refuse(&self, claim: &Claim) -> Option<Found> {
        if claim.first == 0 {
            let mut found = Found::corrupt("first-cluster-invalid", "the entry has a size and no first cluster");
            found.content = Content::Unreadable(Unreadable::NoLocation);
            return Some(found);
        }
        if !self.geometry.contains(claim.first) {
            return Some(Found::corrupt("first-cluster-invalid", "the first cluster lies outside the volume"));
        }
        if self.geometry.clusters_for(claim.size) > self.geometry.count() {
            return Some(Found::corrupt("size-beyond-volume", "the size is larger than the volume"));
        }
        None
    }

    /// The bytes of a live file. A chain that ends early gives the extents up to there: reading past them is an error.
    pub fn live(&mut self, claim: &Claim) -> Found {
        if claim.size == 0 && claim.first == 0 {
            return Found::readable(Content::Mapped(Mapped { extents: vec![] }));
        }
        if let Some(refused) = self.refuse(claim) {
            return refused;
        }
        let wanted = self.geometry.clusters_for(claim.size);
        let mut pieces = Pieces::new(self.geometry);
        let mut shared = 0u64;
        let mut extra = 0;
        let broken = if claim.contiguous {
            match self.run(claim.first, wanted) {
                None => return Found::corrupt("chain-broken", "its clusters run past the end of the volume"),
                Some(count) => {
                    pieces.push(claim.first, wanted);
                    let mut broken = None;
                    for cluster in (claim.first..).take(usize::try_from(count).unwrap_or(0)) {
                        match self.claim(cluster) {
                            Ok(crossed) => shared = shared.saturating_add(u64::from(crossed)),
                            Err(e) => {
                                broken = Some(e);
                                break;
                            }
                        }
                    }
                    broken
                }
            }
        } else if wanted == 0 {
            extra = u64::from(!self.claimed.set(claim.first)).saturating_add(self.claim_rest(claim.first));
            None
        } else {
            let (crossed, last, broken) = self.follow(&mut pieces, claim.first, wanted);
            shared = crossed;
            if broken.is_none() {
                extra = self.claim_rest(last);
            }
            broken
        };
        let have = self.geometry.clusters_for(pieces.length);
        let problem = match broken {
            Some(Broken::Budget) => {
                return Found {
                    content: Content::Unreadable(Unreadable::Capped),
                    ..Found::corrupt("cross-linked-capped", "crossed chains claim more than twice the volume")
                };
            }
            Some(Broken::Loop) => return Found::corrupt("chain-loop", "its cluster chain runs in a loop"),
            _ if shared > 0 && pieces.repeats() => {
                return Found::corrupt("chain-loop", "its cluster chain runs in a loop");
            }
            Some(Broken::Short) => {
                Some(("chain-short", format!("The cluster chain ends after {have} of {wanted} clusters.")))
            }
            Some(Broken::Link) => Some((
                "chain-broken",
                format!("The cluster chain leads to no usable cluster after {have} of {wanted} clusters."),
            )),
            Some(Broken::Unreadable) => Some((
                "fat-unreadable",
                format!("The allocation table cannot be read after {have} of {wanted} clusters of the chain."),
            )),
            None if shared > 0 => Some((
                "cross-linked",
                format!("{shared} of {wanted} clusters belong to another live file as well: one of them is wrong."),
            )),
            None => None,
        };
        let mut found = Found { content: pieces.finish(claim.size, claim.valid), notes: vec![], problem };
        if shared > 0 {
            found.notes.push(Note::Other(format!("shares {shared} of {wanted} clusters with another live file")));
        }
        if extra > 0 {
            found.notes.push(Note::Other(format!("{extra} more clusters allocated past its end")));
        }
        if claim.valid < claim.size {
            found.notes.push(Note::ZeroAfter(claim.valid));
        }
        found
    }

    /// The clusters of a live directory as runs, each marked as listed. `wanted` limits a directory of recorded size.
    /// The second value is code and sentence where not all of it could be followed.
    pub fn live_directory(&mut self, claim: &Claim, sized: bool) -> (Vec<Run>, Option<(&'static str, String)>) {
        let mut pieces = Pieces::new(self.geometry);
        let wanted = self.geometry.clusters_for(if sized { claim.size } else { MAX_DIRECTORY });
        let mut problem = None;
        if sized && claim.size == 0 && claim.first == 0 {
            return (vec![], None);
        }
        if !self.geometry.contains(claim.first) {
            problem = Some(("first-cluster-invalid", "The directory's first cluster lies outside the volume.".into()));
            return (vec![], problem);
        }
        let limit = self.geometry.clusters_for(MAX_DIRECTORY).max(1);
        let (mut at, mut done) = (claim.first, 0u64);
        loop {
            if done >= wanted {
                if !sized {
                    problem =
                        Some(("directory-too-large", "Only the first 256 MiB of the directory are listed.".into()));
                }
                break;
            }
            if done >= limit {
                problem = Some(("directory-too-large", "Only the first 256 MiB of the directory are listed.".into()));
                break;
            }
            if self.directories.set(at) {
                problem = Some(("directory-loop", "The directory leads to clusters listed already; cut there.".into()));
                break;
            }
            if self.claimed.set(at) && problem.is_none() {
                problem = Some(("cross-linked", "The directory's clusters belong to a live file as well.".into()));
            }
            pieces.push(at, 1);
            done = done.saturating_add(1);
            let next = if !claim.contiguous {
                self.step(at)
            } else if at < self.geometry.last {
                at.checked_add(1).ok_or(Broken::Link)
            } else {
                Err(Broken::Link)
            };
            at = match next {
                Ok(next) => next,
                Err(Broken::Short) if !sized || done >= wanted => break,
                Err(_) if sized && done >= wanted => break,
                Err(_) => {
                    problem = Some((
                        "directory-chain-broken",
                        format!("The directory's cluster chain breaks off after {done} clusters."),
                    ));
                    break;
                }
            };
        }
        (runs(&pieces), problem)
    }
}

/// The extents as runs of the volume.
fn runs(pieces: &Pieces) -> Vec<Run> {
    let run = |e: &Extent| match e.location {
        Location::At(start) => Some(Run { start, length: e.length }),
        Location::Zero => None,
    };
    pieces.extents.iter().filter_map(run).collect()
}

/// Reports what FAT and exFAT count alike at the end of a walk. `lost`: clusters in use that no live file refers to.
pub(in crate::fs) fn report_totals(
    clusters: &Clusters<'_>,
    lost: u64,
    first_lost: Option<u32>,
    report: &mut impl FnMut(&'static str, Option<u64>, String),
) {
    let place =
        |cluster: Option<u32>| cluster.filter(|c| clusters.geometry.contains(*c)).map(|c| clusters.geometry.offset(c));
    if lost > 0 {
        let detail =
            format!("{lost} clusters are marked as in use and belong to no live file; they were not searched.");
        report("lost-clusters", place(first_lost), detail);
    }
    if let Some(allocated) = clusters.allocated {
        let (count, first) = clusters.claimed.minus(allocated);
        if count > 0 {
            let detail = format!("{count} clusters of live files are marked as free.");
            report("live-clusters-marked-free", place(first), detail);
        }
    }
    if clusters.capped > 0 {
        report(
            "recovered-bytes-capped",
            None,
            format!(
                "Deleted files claim more bytes than the volume has; {} of them are listed without content.",
                clusters.capped
            ),
        );
    }
}
