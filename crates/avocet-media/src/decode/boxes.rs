//! Boxes of ISO base media files (ISO/IEC 14496-12) and the items of their `meta` box (HEIF, ISO/IEC 23008-12).

use std::ops::Range;

use super::bytes::{u16be, u32be, u64be, window};

/// Items, properties and extents read of one file.
const MAX_ITEMS: usize = 16_384;
const MAX_PROPERTIES: usize = 16_384;
const MAX_EXTENTS: usize = 65_536;

/// One box: its type, where it begins, and where its content lies.
#[derive(Debug, Clone)]
pub(crate) struct BoxAt {
    pub(crate) kind: [u8; 4],
    pub(crate) start: usize,
    pub(crate) body: Range<usize>,
}

/// The boxes that lie in a range, one after the other, until the first whose length is impossible. A last box that
/// claims more than there is, is cut.
pub(crate) fn boxes(data: &[u8], range: Range<usize>) -> Vec<BoxAt> {
    let mut found = Vec::new();
    let mut at = range.start;
    while at < range.end && found.len() < MAX_ITEMS {
        let (Some(short), Some(kind)) = (u32be(data, at), data.get(at.saturating_add(4)..at.saturating_add(8))) else {
            break;
        };
        let mut kind_bytes = [0; 4];
        kind_bytes.copy_from_slice(kind);
        let left = range.end.saturating_sub(at) as u64;
        let (header, length) = match short {
            0 => (8, left),
            1 => match u64be(data, at.saturating_add(8)) {
                Some(length) => (16, length),
                None => break,
            },
            short => (8, u64::from(short)),
        };
        if length < header || left < header {
            break;
        }
        let end = at.saturating_add(length.min(left) as usize);
        found.push(BoxAt { kind: kind_bytes, start: at, body: at.saturating_add(header as usize)..end });
        at = end;
    }
    found
}

/// The first box of a type in a range.
pub(crate) fn first(data: &[u8], range: Range<usize>, kind: &[u8; 4]) -> Option<BoxAt> {
    boxes(data, range).into_iter().find(|b| &b.kind == kind)
}

/// The content of a full box without its version and flags.
pub(crate) fn full(data: &[u8], b: &BoxAt) -> Option<(u8, u32, Range<usize>)> {
    let word = u32be(data.get(..b.body.end)?, b.body.start)?;
    Some(((word >> 24) as u8, word & 0x00ff_ffff, b.body.start.checked_add(4)?..b.body.end))
}

/// One item of the `meta` box.
#[derive(Debug, Clone, Default)]
pub(crate) struct Item {
    pub(crate) id: u32,
    pub(crate) kind: [u8; 4],
    pub(crate) hidden: bool,
    /// 0 in the file, 1 in `idat`, 2 in other items.
    method: u8,
    /// Offset and length; a length of 0 reaches to the end.
    extents: Vec<(u64, u64)>,
    /// Places in [`Meta::properties`], in their order of application.
    properties: Vec<usize>,
}

/// A reference of one item to others.
#[derive(Debug, Clone)]
pub(crate) struct Reference {
    pub(crate) kind: [u8; 4],
    pub(crate) from: u32,
    pub(crate) to: Vec<u32>,
}

/// What a `meta` box says of its items.
#[derive(Debug, Clone, Default)]
pub(crate) struct Meta {
    pub(crate) items: Vec<Item>,
    pub(crate) references: Vec<Reference>,
    pub(crate) properties: Vec<BoxAt>,
    pub(crate) primary: Option<u32>,
    /// Where the number of the primary item stands, and in how many bytes.
    pub(crate) primary_at: Option<(usize, usize)>,
    idat: Option<Range<usize>>,
}

/// A cursor over one box.
struct Cursor<'a> {
    data: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn take(&mut self, bytes: usize) -> Option<u64> {
        let value = match bytes {
            0 => Some(0),
            1 => self.data.get(self.at).map(|&b| u64::from(b)),
            2 => u16be(self.data, self.at).map(u64::from),
            4 => u32be(self.data, self.at).map(u64::from),
            8 => u64be(self.data, self.at),
            _ => None,
        }?;
        self.at = self.at.checked_add(bytes)?;
        Some(value)
    }

    fn kind(&mut self) -> Option<[u8; 4]> {
        Some((self.take(4)? as u32).to_be_bytes())
    }
}

impl Meta {
    /// Reads the file's `meta` box; `None` where there is none.
    pub(crate) fn read(data: &[u8]) -> Option<Self> {
        let meta = first(data, 0..data.len(), b"meta")?;
        let (_, _, body) = full(data, &meta)?;
        let mut found = Self::default();
        let inner = boxes(data, body);
        // `iinf` names the items that the other boxes speak of.
        for b in inner.iter().filter(|b| &b.kind == b"iinf") {
            found.read_items(data, b);
        }
        for b in &inner {
            // What ends early has said what it could; the rest of the items then lacks data and fails by name.
            let _ = match &b.kind {
                b"pitm" => found.read_primary(data, b),
                b"iloc" => found.read_places(data, b),
                b"iref" => found.read_references(data, b),
                b"iprp" => found.read_properties(data, b),
                b"idat" => {
                    found.idat = Some(b.body.clone());
                    Some(())
                }
                _ => Some(()),
            };
        }
        Some(found)
    }

    pub(crate) fn item(&self, id: u32) -> Option<&Item> {
        self.items.iter().find(|i| i.id == id)
    }

    fn read_primary(&mut self, data: &[u8], b: &BoxAt) -> Option<()> {
        let (version, _, body) = full(data, b)?;
        let width = if version == 0 { 2 } else { 4 };
        let mut cursor = Cursor { data: data.get(..body.end)?, at: body.start };
        self.primary = Some(cursor.take(width)? as u32);
        self.primary_at = Some((body.start, width));
        Some(())
    }

    fn read_items(&mut self, data: &[u8], b: &BoxAt) -> Option<()> {
        let (version, _, body) = full(data, b)?;
        let skip = if version == 0 { 2 } else { 4 };
        for entry in boxes(data, body.start.checked_add(skip)?..body.end) {
            let (version, flags, body) = full(data, &entry)?;
            if &entry.kind != b"infe" || version < 2 || self.items.len() >= MAX_ITEMS {
                continue;
            }
            let mut cursor = Cursor { data: data.get(..body.end)?, at: body.start };
            let id = cursor.take(if version == 2 { 2 } else { 4 })? as u32;
            cursor.take(2)?;
            let kind = cursor.kind()?;
            if self.item(id).is_none() {
                self.items.push(Item { id, kind, hidden: flags & 1 == 1, ..Item::default() });
            }
        }
        Some(())
    }

    fn read_places(&mut self, data: &[u8], b: &BoxAt) -> Option<()> {
        let (version, _, body) = full(data, b)?;
        let mut cursor = Cursor { data: data.get(..body.end)?, at: body.start };
        let sizes = cursor.take(2)?;
        let width = |shift: u32| (sizes >> shift & 0xf) as usize;
        let (offset, length, base) = (width(12), width(8), width(4));
        let index = if version == 0 { 0 } else { width(0) };
        let count = cursor.take(if version < 2 { 2 } else { 4 })?;
        let mut extents_left = MAX_EXTENTS;
        for _ in 0..count {
            let id = cursor.take(if version < 2 { 2 } else { 4 })? as u32;
            let method = if version == 0 { 0 } else { (cursor.take(2)? & 0xf) as u8 };
            cursor.take(2)?;
            let base = cursor.take(base)?;
            let mut extents = Vec::new();
            for _ in 0..cursor.take(2)? {
                cursor.take(index)?;
                let at = cursor.take(offset)?.checked_add(base)?;
                let length = cursor.take(length)?;
                extents_left = extents_left.checked_sub(1)?;
                extents.push((at, length));
            }
            if let Some(item) = self.items.iter_mut().find(|i| i.id == id) {
                item.method = method;
                item.extents = extents;
            }
        }
        Some(())
    }

    fn read_references(&mut self, data: &[u8], b: &BoxAt) -> Option<()> {
        let (version, _, body) = full(data, b)?;
        let width = if version == 0 { 2 } else { 4 };
        for b in boxes(data, body) {
            let mut cursor = Cursor { data: data.get(..b.body.end)?, at: b.body.start };
            let from = cursor.take(width)? as u32;
            let count = cursor.take(2)?;
            let to = (0..count).map_while(|_| cursor.take(width)).map(|id| id as u32).collect();
            self.references.push(Reference { kind: b.kind, from, to });
        }
        Some(())
    }

    fn read_properties(&mut self, data: &[u8], b: &BoxAt) -> Option<()> {
        let inner = boxes(data, b.body.clone());
        let container = inner.iter().find(|b| &b.kind == b"ipco")?;
        self.properties = boxes(data, container.body.clone());
        self.properties.truncate(MAX_PROPERTIES);
        for b in inner.iter().filter(|b| &b.kind == b"ipma") {
            let (version, flags, body) = full(data, b)?;
            let mut cursor = Cursor { data: data.get(..body.end)?, at: body.start };
            for _ in 0..cursor.take(4)? {
                let id = cursor.take(if version == 0 { 2 } else { 4 })? as u32;
                let mut places = Vec::new();
                for _ in 0..cursor.take(1)? {
                    let place = if flags & 1 == 1 { cursor.take(2)? & 0x7fff } else { cursor.take(1)? & 0x7f };
                    places.extend((place as usize).checked_sub(1));
                }
                if let Some(item) = self.items.iter_mut().find(|i| i.id == id) {
                    item.properties.extend(places);
                }
            }
        }
        Some(())
    }

    /// The properties of an item, in their order.
    pub(crate) fn properties_of<'a>(&'a self, item: &'a Item) -> impl Iterator<Item = &'a BoxAt> {
        item.properties.iter().filter_map(|&i| self.properties.get(i))
    }

    /// The content of an item's property.
    pub(crate) fn property<'d>(&self, data: &'d [u8], item: &Item, kind: &[u8; 4]) -> Option<&'d [u8]> {
        data.get(self.properties_of(item).find(|b| &b.kind == kind)?.body.clone())
    }

    /// The size that `ispe` declares, in pixels.
    pub(crate) fn size(&self, data: &[u8], item: &Item) -> Option<(u32, u32)> {
        let body = self.property(data, item, b"ispe")?;
        Some((u32be(body, 4)?, u32be(body, 8)?))
    }

    /// The items that an item refers to.
    pub(crate) fn targets(&self, from: u32, kind: &[u8; 4]) -> Vec<u32> {
        self.references.iter().filter(|r| r.from == from && &r.kind == kind).flat_map(|r| r.to.clone()).collect()
    }

    /// The items that refer to an item.
    pub(crate) fn sources(&self, to: u32, kind: &[u8; 4]) -> Vec<u32> {
        self.references.iter().filter(|r| &r.kind == kind && r.to.contains(&to)).map(|r| r.from).collect()
    }

    /// An item's bytes; `None` where they lie outside the file, are built of other items, or are none.
    pub(crate) fn bytes(&self, data: &[u8], item: &Item) -> Option<Vec<u8>> {
        let source = match item.method {
            0 => data,
            1 => data.get(self.idat.clone()?)?,
            _ => return None,
        };
        let mut bytes = Vec::new();
        for &(at, length) in &item.extents {
            let wanted = if length == 0 { u64::MAX } else { length };
            let piece = window(source, at, wanted)?;
            // Overlapping extents could otherwise grow without bound; and a cut item is damaged, not short.
            if (length != 0 && piece.len() as u64 != length) || bytes.len().saturating_add(piece.len()) > data.len() {
                return None;
            }
            bytes.extend_from_slice(piece);
        }
        (!bytes.is_empty()).then_some(bytes)
    }
}

/// One track of a movie box, as far as a still picture may lie in it.
#[derive(Debug)]
pub(crate) struct Track {
    pub(crate) handler: [u8; 4],
    pub(crate) samples: u64,
    /// Offset and length of the first sample.
    pub(crate) first: Option<(u64, u64)>,
}

/// The tracks of the file's `moov` box.
pub(crate) fn tracks(data: &[u8]) -> Vec<Track> {
    let Some(moov) = first(data, 0..data.len(), b"moov") else { return Vec::new() };
    boxes(data, moov.body).into_iter().filter(|b| &b.kind == b"trak").filter_map(|b| track(data, &b)).collect()
}

fn track(data: &[u8], trak: &BoxAt) -> Option<Track> {
    let mdia = first(data, trak.body.clone(), b"mdia")?;
    let (_, _, handler) = full(data, &first(data, mdia.body.clone(), b"hdlr")?)?;
    let minf = first(data, mdia.body, b"minf")?;
    let stbl = first(data, minf.body, b"stbl")?;
    let (_, _, sizes) = full(data, &first(data, stbl.body.clone(), b"stsz")?)?;
    let same = u32be(data, sizes.start)?;
    let samples = u64::from(u32be(data, sizes.start.checked_add(4)?)?);
    let length = if same != 0 { same } else { u32be(data, sizes.start.checked_add(8)?).unwrap_or(0) };
    let chunk = |kind: &[u8; 4]| full(data, &first(data, stbl.body.clone(), kind)?).map(|f| f.2.start);
    let at = match (chunk(b"stco"), chunk(b"co64")) {
        (Some(at), _) => u32be(data, at.checked_add(4)?).map(u64::from),
        (_, Some(at)) => u64be(data, at.checked_add(4)?),
        _ => None,
    };
    Some(Track {
        handler: u32be(data, handler.start.checked_add(4)?)?.to_be_bytes(),
        samples,
        first: at.map(|at| (at, u64::from(length))),
    })
}
