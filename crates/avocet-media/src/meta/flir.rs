//! Records of FLIR thermal cameras in JPEG segment APP1, and GoPro's telemetry in APP6. Layouts are the public ones.

use super::fact::{Key, Source};
use super::gather::Gather;
use super::gps::degrees_fact;
use super::problem::ProblemCode;
use super::time;
use super::view::{Order, index, rest, slice};

const SOURCE: Source = Source::Flir;
/// Records of one file; there are about a dozen.
const MAX_RECORDS: usize = 256;

/// The FFF structure put together from its segments: header, directory of records of 32 bytes each.
pub(super) fn fff(data: &[u8], out: &mut Gather) {
    if !data.starts_with(b"FFF\0") && !data.starts_with(b"AFF\0") {
        out.problem(ProblemCode::BadDirectory, 0);
        return;
    }
    // The version, 100 to 199, tells the byte order.
    let order = [Order::Big, Order::Little].into_iter().find(|o| matches!(o.u32(data, 0x14), Some(100..200)));
    let fields = order.and_then(|o| Some((o, o.u32(data, 0x18)?, o.u32(data, 0x1c)?)));
    let Some((order, at, count)) = fields else {
        out.problem(ProblemCode::BadDirectory, 0);
        return;
    };
    let count = index(count).min(MAX_RECORDS);
    if !out.may_read_directory(count, index(at)) {
        return;
    }
    for record in rest(data, index(at)).chunks_exact(32).take(count) {
        let (Some(kind), Some(from), Some(len)) = (order.u16(record, 0), order.u32(record, 12), order.u32(record, 16))
        else {
            return;
        };
        if !matches!(kind, 0x20 | 0x2b) {
            continue;
        }
        match slice(data, index(from), index(len)) {
            Some(body) if kind == 0x20 => camera(body, out),
            Some(body) => gps(body, out),
            None => out.problem(ProblemCode::Truncated, index(from)),
        }
    }
}

fn camera(body: &[u8], out: &mut Gather) {
    // The first word is 2 in the record's own byte order.
    let order = if Order::Big.u16(body, 0).is_some_and(|n| n < 0x100) { Order::Big } else { Order::Little };
    let mut text = |key, at, len| out.text(key, SOURCE, slice(body, at, len).unwrap_or_default());
    text(Key::Model, 0xd4, 32);
    text(Key::BodySerial, 0x104, 16);
    text(Key::LensModel, 0x170, 32);
    text(Key::LensSerial, 0x1a0, 16);
    // Seconds since 1970 (UTC), milliseconds, minutes west of UTC.
    let moment = order.u32(body, 0x384).zip(order.u32(body, 0x388)).zip(order.u16(body, 0x38c));
    let Some(((seconds, fraction), west)) = moment.filter(|m| m.0.0 != 0) else { return };
    let west = west.cast_signed();
    let local = i64::from(seconds).saturating_sub(i64::from(west).saturating_mul(60));
    let east = west.unsigned_abs();
    let sign = if west > 0 { '-' } else { '+' };
    let value =
        format!("{}.{:03}{sign}{:02}:{:02}", time::from_seconds(local), fraction & 0xffff, east / 60, east % 60);
    time::stated(out, Key::Taken, SOURCE, &value);
}

fn gps(body: &[u8], out: &mut Gather) {
    let order = [Order::Big, Order::Little].into_iter().find(|o| o.u32(body, 0) == Some(1));
    let Some(order) = order else { return };
    if let (Some(lat), Some(lon)) = (order.f64(body, 0x10), order.f64(body, 0x18)) {
        degrees_fact(Key::GpsLat, lat, SOURCE, out);
        degrees_fact(Key::GpsLon, lon, SOURCE, out);
        out.fact(Key::GpsLatStated, SOURCE, lat.to_string());
        out.fact(Key::GpsLonStated, SOURCE, lon.to_string());
    }
}

/// GoPro's GPMF: a name of four letters, type, size of an element, number of elements, padded to four bytes; type 0
/// holds more of them (GPMF introduction, gopro/gpmf-parser, as a format description).
pub(super) fn gpmf(data: &[u8], out: &mut Gather) {
    let mut at = 0usize;
    while let Some(head) = slice(data, at, 8) {
        let size = head.get(5).copied().map_or(0, usize::from);
        let count = Order::Big.u16(head, 6).map_or(0, usize::from);
        let len = size.saturating_mul(count);
        let body = at.saturating_add(8);
        if head.get(4) == Some(&0) {
            // A container: go on inside it, without a stack.
            at = body;
            continue;
        }
        if let (b"CASN", Some(value)) = (head.get(..4).unwrap_or_default(), slice(data, body, len)) {
            out.text(Key::BodySerial, Source::GoPro, value);
        }
        at = body.saturating_add(len.next_multiple_of(4));
    }
}
