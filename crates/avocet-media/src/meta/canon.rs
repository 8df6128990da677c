//! CIFF, Canon's block of the time before EXIF (CIFF 1.0, December 1997): a heap whose directory stands at its end.

use super::fact::{Key, Source};
use super::gather::Gather;
use super::problem::ProblemCode;
use super::view::{Order, index, rest, slice};
use super::{text, time};

const SOURCE: Source = Source::Ciff;
const MAX_DEPTH: usize = 8;
/// Directories hold a few dozen entries.
const MAX_ENTRIES: usize = 512;

/// Reads a CIFF block: `II` or `MM`, header length, `HEAP....`.
pub(super) fn ciff(data: &[u8], out: &mut Gather) {
    let Some(order) = Order::from_mark(data, 0) else { return };
    let Some(heap) = order.u32(data, 2).and_then(|n| data.get(index(n)..)) else {
        out.problem(ProblemCode::Truncated, 0);
        return;
    };
    let mut model = String::new();
    directory(heap, order, 0, &mut model, out);
}

fn directory(heap: &[u8], order: Order, depth: usize, model: &mut String, out: &mut Gather) {
    let table = heap.len().checked_sub(4).and_then(|n| order.u32(heap, n)).map(|n| rest(heap, index(n)));
    let Some((table, count)) = table.and_then(|t| Some((t, usize::from(order.u16(t, 0)?)))) else {
        out.problem(ProblemCode::BadDirectory, 0);
        return;
    };
    if depth >= MAX_DEPTH || count > MAX_ENTRIES || !out.may_read_directory(count, 0) {
        out.problem(ProblemCode::TooMuch, 0);
        return;
    }
    for raw in rest(table, 2).chunks_exact(10).take(count) {
        let fields = order.u16(raw, 0).zip(order.u32(raw, 2)).zip(order.u32(raw, 6));
        let Some(((tag, size), at)) = fields else { return };
        // Bit 14: the value itself stands in the entry's last eight bytes.
        let value = if tag & 0x4000 == 0 { slice(heap, index(at), index(size)) } else { raw.get(2..) };
        let Some(value) = value else {
            out.problem(ProblemCode::ValueOutside, index(at));
            continue;
        };
        match (tag & 0x3fff, tag & 0x3800) {
            (_, 0x2800 | 0x3000) if tag & 0x4000 == 0 => {
                directory(value, order, depth.saturating_add(1), model, out);
            }
            (0x080a, _) => {
                let mut texts = value.split(|b| *b == 0);
                out.text(Key::Make, SOURCE, texts.next().unwrap_or_default());
                let stated = texts.next().unwrap_or_default();
                *model = text::from_bytes(stated);
                out.text(Key::Model, SOURCE, stated);
            }
            (0x2008, _) if !value.is_empty() => out.other_thumbnail(value, index(at)),
            (0x0810, _) => out.text(Key::OwnerName, SOURCE, value),
            (0x180b, _) if model.contains("EOS") => {
                if let Some(n) = order.u32(value, 0).filter(|n| *n != 0) {
                    out.fact(Key::BodySerial, SOURCE, format!("{n:010}"));
                }
            }
            (0x180e, _) => {
                if let Some(n) = order.u32(value, 0).filter(|n| *n != 0) {
                    out.fact(Key::Taken, SOURCE, time::from_seconds(i64::from(n)));
                }
            }
            (0x1810, _) => {
                if let Some((w, h)) = order.u32(value, 0).zip(order.u32(value, 4)) {
                    out.fact(Key::ImageWidth, SOURCE, w.to_string());
                    out.fact(Key::ImageHeight, SOURCE, h.to_string());
                }
            }
            _ => {}
        }
    }
}
