//! HEIF and AVIF: every picture item of the `meta` box, whichever coding it has (ISO/IEC 23008-12).
//!
//! A file names one item as its primary one, and nothing keeps that from being a harmless thumbnail. So every item of
//! equal rank is decoded, then the hidden ones, then the thumbnails.

use std::collections::BTreeSet;

use super::boxes::{Item, Meta, tracks};
use super::bytes::{patch, u16be, u32be};
use super::{Decoded, Failure, Limits, Role, Run, av1, drop_channels, jp2, jpeg, pixels};
use crate::Layout;

const HEVC_DECODER: &str = "heifer 0.3.22";
/// Derived items on top of each other.
const MAX_DEPTH: usize = 4;
/// Tiles of one grid: its rows and columns are one byte each.
const MAX_TILES: u32 = 65_536;

pub(super) fn decode(bytes: &[u8], run: &mut Run<'_>) {
    for track in tracks(bytes).iter().filter(|t| matches!(&t.handler, b"pict" | b"vide" | b"auxv")) {
        run.leave_out("sequence-frame", track.samples);
    }
    let Some(meta) = Meta::read(bytes) else { return };
    let file = File { bytes, meta: &meta };
    let targets = |kind: &[u8; 4]| -> BTreeSet<u32> {
        meta.references.iter().filter(|r| &r.kind == kind).flat_map(|r| r.to.iter().copied()).collect()
    };
    let sources = |kind: &[u8; 4]| -> BTreeSet<u32> {
        meta.references.iter().filter(|r| &r.kind == kind).map(|r| r.from).collect()
    };
    let (inputs, thumbnails, auxiliary) = (targets(b"dimg"), sources(b"thmb"), sources(b"auxl"));
    let mut ranked: Vec<(Role, &Item)> = Vec::new();
    for item in meta.items.iter().filter(|i| !is_data(&i.kind)) {
        let role = if meta.primary == Some(item.id) {
            Role::Primary
        } else if thumbnails.contains(&item.id) {
            Role::Preview
        } else if auxiliary.contains(&item.id) {
            run.leave_out("auxiliary-image", 1);
            continue;
        } else if inputs.contains(&item.id) {
            // It is seen in the picture that is made of it.
            continue;
        } else if item.hidden {
            Role::Alternative
        } else {
            Role::TopLevel
        };
        ranked.push((role, item));
    }
    ranked.sort_by_key(|(role, _)| match role {
        Role::Primary => 0,
        Role::TopLevel => 1,
        Role::Alternative => 2,
        _ => 3,
    });
    for (role, item) in ranked {
        run.one(role, file.orientation(item), |limits| file.picture(item, limits));
    }
}

/// Items that are no pictures: metadata and references to elsewhere.
fn is_data(kind: &[u8; 4]) -> bool {
    matches!(kind, b"Exif" | b"mime" | b"uri " | b"url " | b"rgan" | b"tmap" | [0, 0, 0, 0])
}

struct File<'a> {
    bytes: &'a [u8],
    meta: &'a Meta,
}

impl File<'_> {
    fn picture(&self, item: &Item, limits: &Limits) -> Result<Decoded, Failure> {
        if let Some((width, height)) = self.meta.size(self.bytes, item) {
            // Planes of two bytes a sample, then four channels.
            limits.check(width, height, 10)?;
        }
        match &self.leaf(item, 0)? {
            b"hvc1" | b"hev1" => self.hevc(item, limits),
            b"av01" => self.av1_picture(item, limits),
            b"jpeg" if &item.kind == b"jpeg" => jpeg::decode(&self.data(item)?, limits),
            b"j2k1" if &item.kind == b"j2k1" => jp2::decode(&self.data(item)?, limits),
            other => Err(Failure::unsupported(format!("an item of type {}", kind_name(other)))),
        }
    }

    /// The coding at the bottom of an item that is made of others.
    fn leaf(&self, item: &Item, depth: usize) -> Result<[u8; 4], Failure> {
        if !matches!(&item.kind, b"grid" | b"iovl" | b"iden") {
            return Ok(item.kind);
        }
        if depth >= MAX_DEPTH {
            return Err(Failure::damaged("derived pictures on top of each other too deep"));
        }
        let input = self.meta.targets(item.id, b"dimg").first().and_then(|&id| self.meta.item(id));
        self.leaf(input.ok_or_else(|| Failure::damaged("a derived picture without inputs"))?, depth + 1)
    }

    fn data(&self, item: &Item) -> Result<Vec<u8>, Failure> {
        self.meta
            .bytes(self.bytes, item)
            .ok_or_else(|| Failure::damaged("an item's bytes lie outside the file, or are built of other items"))
    }

    /// The display turn of an item: `irot` (anti-clockwise quarters) and `imir` (0 swaps top and bottom, 1 left and
    /// right) in the order in which they are applied, as an EXIF orientation.
    fn orientation(&self, item: &Item) -> Option<u8> {
        // A turn as the images of the x and y axes.
        type Turn = [i8; 4];
        const EXIF: [Turn; 8] = [
            [1, 0, 0, 1],
            [-1, 0, 0, 1],
            [-1, 0, 0, -1],
            [1, 0, 0, -1],
            [0, 1, 1, 0],
            [0, -1, 1, 0],
            [0, -1, -1, 0],
            [0, 1, -1, 0],
        ];
        let after = |[a, b, c, d]: Turn, [e, f, g, h]: Turn| -> Turn {
            [e * a + f * c, e * b + f * d, g * a + h * c, g * b + h * d]
        };
        let mut turn: Turn = [1, 0, 0, 1];
        let mut any = false;
        for property in self.meta.properties_of(item) {
            let value = self.bytes.get(property.body.start).copied();
            let next = match (&property.kind, value) {
                (b"irot", Some(quarters)) => match quarters & 3 {
                    1 => [0, 1, -1, 0],
                    2 => [-1, 0, 0, -1],
                    3 => [0, -1, 1, 0],
                    _ => [1, 0, 0, 1],
                },
                (b"imir", Some(axis)) if axis & 1 == 0 => [1, 0, 0, -1],
                (b"imir", Some(_)) => [-1, 0, 0, 1],
                _ => continue,
            };
            any = true;
            turn = after(turn, next);
        }
        let place = EXIF.iter().position(|t| *t == turn)?;
        any.then(|| u8::try_from(place).map_or(1, |p| p + 1))
    }

    /// An HEVC item by `heifer`. That crate decodes the primary item one at a time, on one thread, and turns it; so it
    /// is given a copy in which this item is the primary one and the turns are properties that nobody knows.
    fn hevc(&self, item: &Item, limits: &Limits) -> Result<Decoded, Failure> {
        let mut copy = self.bytes.to_vec();
        let (at, width) = self.meta.primary_at.ok_or_else(|| Failure::damaged("no primary item is named"))?;
        let id = item.id.to_be_bytes();
        let id = if width == 2 {
            u16::try_from(item.id)
                .map_err(|_| Failure::unsupported("an item number above 65535"))?
                .to_be_bytes()
                .to_vec()
        } else {
            id.to_vec()
        };
        patch(&mut copy, at, &id);
        for property in self.meta.properties.iter().filter(|p| matches!(&p.kind, b"irot" | b"imir")) {
            patch(&mut copy, property.start.saturating_add(4), b"turn");
        }
        let options =
            heifer::Options { max_threads: 1, max_pixels: limits.max_pixels.min(limits.max_bytes_alloc / 10).max(1) };
        let image = heifer::decode_rgba8(&copy, &options).map_err(|error| match error {
            heifer::Error::Unsupported(_) => Failure::unsupported(&error),
            _ => {
                let text = error.to_string();
                let code = if text.contains("unsupported") { "unsupported-feature" } else { "damaged" };
                Failure::new(code, text)
            }
        })?;
        drop(copy);
        let (width, height, mut data) = (image.width, image.height, image.data);
        let layout = if image.has_alpha {
            Layout::Rgba
        } else {
            drop_channels(&mut data, 3, 4);
            Layout::Rgb
        };
        Ok(Decoded::whole(pixels(width, height, layout, data)?, HEVC_DECODER))
    }

    /// An AV1 item, or a grid of them, with its alpha plane.
    fn av1_picture(&self, item: &Item, limits: &Limits) -> Result<Decoded, Failure> {
        let (width, height, channels, mut data) = self.av1_colours(item, limits, 0)?;
        let alpha = self.meta.sources(item.id, b"auxl").into_iter().filter_map(|id| self.meta.item(id)).find(|aux| {
            let kind = self.meta.property(self.bytes, aux, b"auxC").unwrap_or_default();
            kind.windows(5).any(|w| w == b"alpha")
        });
        let layout = match (alpha, channels) {
            (Some(alpha), _) => {
                let (aw, ah, ac, plane) = self.av1_colours(alpha, limits, 0)?;
                if (aw, ah) != (width, height) {
                    return Err(Failure::unsupported("an alpha plane of another size"));
                }
                let mut rgba = Vec::with_capacity(plane.len() / ac * 4);
                for (colour, alpha) in data.chunks_exact(channels).zip(plane.chunks_exact(ac)) {
                    match colour {
                        [grey] => rgba.extend_from_slice(&[*grey; 3]),
                        other => rgba.extend_from_slice(other),
                    }
                    rgba.extend(alpha.first());
                }
                data = rgba;
                Layout::Rgba
            }
            (None, 1) => Layout::Grey,
            (None, _) => Layout::Rgb,
        };
        Ok(Decoded::whole(pixels(width, height, layout, data)?, av1::DECODER))
    }

    /// Size, channels (1 or 3) and samples.
    fn av1_colours(&self, item: &Item, limits: &Limits, depth: usize) -> Result<(u32, u32, usize, Vec<u8>), Failure> {
        match &item.kind {
            b"av01" => {
                let planes = av1::decode(self.data(item)?, limits)?;
                let colours = self.nclx(item);
                let (width, height) = (planes.width(), planes.height());
                if planes.is_grey() {
                    Ok((width, height, 1, planes.luma(colours)))
                } else {
                    Ok((width, height, 3, planes.rgb(colours)?))
                }
            }
            b"iden" if depth < MAX_DEPTH => {
                let input = self.meta.targets(item.id, b"dimg").first().and_then(|&id| self.meta.item(id));
                let input = input.ok_or_else(|| Failure::damaged("a derived picture without an input"))?;
                self.av1_colours(input, limits, depth + 1)
            }
            b"grid" if depth < MAX_DEPTH => self.av1_grid(item, limits, depth),
            other => Err(Failure::unsupported(format!("AV1 in an item of type {}", kind_name(other)))),
        }
    }

    /// A grid (ISO/IEC 23008-12, 6.6.2.3): tiles of one size, row by row, cut to the picture's size.
    fn av1_grid(&self, item: &Item, limits: &Limits, depth: usize) -> Result<(u32, u32, usize, Vec<u8>), Failure> {
        let data = self.data(item)?;
        let broken = || Failure::damaged("a grid's description is broken");
        let large = data.get(1).ok_or_else(broken)? & 1 == 1;
        let tile_rows = u32::from(*data.get(2).ok_or_else(broken)?) + 1;
        let columns = u32::from(*data.get(3).ok_or_else(broken)?) + 1;
        let side = |large_at: usize, small_at: usize| {
            if large { u32be(&data, large_at) } else { u16be(&data, small_at).map(u32::from) }
        };
        let width = side(4, 4).ok_or_else(broken)?;
        let height = side(8, 6).ok_or_else(broken)?;
        limits.check(width, height, 16)?;
        let tiles = self.meta.targets(item.id, b"dimg");
        if tiles.len() as u64 != u64::from(tile_rows) * u64::from(columns) || tile_rows * columns > MAX_TILES {
            return Err(Failure::damaged("a grid with another number of tiles than it declares"));
        }
        let mut canvas: Vec<u8> = Vec::new();
        let mut shape = None;
        for (place, id) in (0u32..).zip(tiles) {
            let tile = self.meta.item(id).ok_or_else(|| Failure::damaged("a grid without one of its tiles"))?;
            let (tile_width, tile_height, channels, samples) = self.av1_colours(tile, limits, depth + 1)?;
            if *shape.get_or_insert((tile_width, tile_height, channels)) != (tile_width, tile_height, channels) {
                return Err(Failure::damaged("a grid of different tiles"));
            }
            let row_bytes = (width as usize).saturating_mul(channels);
            canvas.resize(row_bytes.saturating_mul(height as usize), 0);
            let left = u64::from(place % columns) * u64::from(tile_width);
            let top = u64::from(place / columns) * u64::from(tile_height);
            let (Ok(left), Ok(top)) = (usize::try_from(left), usize::try_from(top)) else { continue };
            let copied = (tile_width as usize).min((width as usize).saturating_sub(left)).saturating_mul(channels);
            let tile_row = (tile_width as usize).saturating_mul(channels).max(1);
            for (to, from) in canvas.chunks_exact_mut(row_bytes.max(1)).skip(top).zip(samples.chunks_exact(tile_row)) {
                let start = left.saturating_mul(channels);
                if let (Some(to), Some(from)) = (to.get_mut(start..start.saturating_add(copied)), from.get(..copied)) {
                    to.copy_from_slice(from);
                }
            }
        }
        let channels = shape.map_or(3, |s| s.2);
        Ok((width, height, channels, canvas))
    }

    /// Colour words of an item's own `colr` box.
    fn nclx(&self, item: &Item) -> Option<av1::Colours> {
        let boxes = self.meta.properties_of(item).filter(|b| &b.kind == b"colr");
        let body = boxes.filter_map(|b| self.bytes.get(b.body.clone())).find(|body| body.starts_with(b"nclx"))?;
        Some(av1::Colours { matrix: u16be(body, 8)?, full_range: body.get(10)? & 0x80 != 0 })
    }
}

fn kind_name(kind: &[u8; 4]) -> String {
    kind.iter().map(|&b| if b.is_ascii_alphanumeric() { char::from(b) } else { '.' }).collect()
}
