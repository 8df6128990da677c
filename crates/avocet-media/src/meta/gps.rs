//! The GPS directory of EXIF (EXIF 2.32, table 15).

use super::directory::Entry;
use super::fact::{Key, Source};
use super::gather::Gather;
use super::problem::ProblemCode;
use super::text;

/// Degrees, minutes and seconds, or whichever of them are stated; their text.
#[derive(Default)]
struct Angle {
    parts: Vec<(Option<f64>, String)>,
    hemisphere: Option<char>,
}

/// What the directory states, gathered entry by entry.
#[derive(Default)]
pub(super) struct Gps {
    lat: Angle,
    lon: Angle,
    below: bool,
    alt: Option<f64>,
    time: Vec<Option<f64>>,
    date: String,
}

fn letter(e: &Entry<'_>) -> Option<char> {
    e.bytes()?.first().map(|b| char::from(b.to_ascii_uppercase()))
}

impl Gps {
    pub(super) fn entry(&mut self, e: &Entry<'_>, out: &mut Gather) {
        if e.value.is_none() && matches!(e.tag, 1..=7 | 29) {
            out.problem(ProblemCode::ValueOutside, e.value_at);
            return;
        }
        match e.tag {
            1 => self.lat.hemisphere = letter(e),
            2 => self.lat.parts = e.reals(),
            3 => self.lon.hemisphere = letter(e),
            4 => self.lon.parts = e.reals(),
            5 => self.below = e.number() == Some(1),
            6 => self.alt = e.reals().first().and_then(|r| r.0),
            7 => self.time = e.reals().into_iter().map(|r| r.0).collect(),
            29 => self.date = text::from_bytes(e.bytes().unwrap_or_default()),
            _ => {}
        }
    }

    pub(super) fn finish(&self, source: Source, out: &mut Gather) {
        self.lat.finish(Key::GpsLat, Key::GpsLatStated, ('N', 'S'), source, out);
        self.lon.finish(Key::GpsLon, Key::GpsLonStated, ('E', 'W'), source, out);
        if let Some(alt) = self.alt {
            out.fact(Key::GpsAlt, source, format!("{:.2}", if self.below { -alt } else { alt }));
        }
        let date = self.date.replace(':', "-");
        let time = match self.time.as_slice() {
            [Some(h), Some(m), Some(s), ..] if *h < 24.0 && *m < 60.0 && *s < 61.0 && *h >= 0.0 && *m >= 0.0 => {
                let fraction = if s.fract() == 0.0 { String::new() } else { format!("{:.3}", s.fract()) };
                // 0.9996 would round to a whole second.
                let fraction = fraction.strip_prefix("0.").map(|f| format!(".{f}")).unwrap_or_default();
                format!("T{:02}:{:02}:{:02}{fraction}Z", h.trunc(), m.trunc(), s.trunc())
            }
            _ => String::new(),
        };
        out.fact(Key::GpsTime, source, format!("{date}{time}"));
    }
}

impl Angle {
    /// The stated form always; the number only where it lies on the globe and the hemisphere is stated.
    fn finish(&self, key: Key, stated: Key, letters: (char, char), source: Source, out: &mut Gather) {
        if self.parts.is_empty() {
            return;
        }
        let mut text: Vec<String> = self.parts.iter().map(|p| p.1.clone()).collect();
        text.extend(self.hemisphere.filter(char::is_ascii_alphabetic).map(String::from));
        out.fact(stated, source, text.join(" "));
        // 0/0 stands for "no minutes", "no seconds"; for degrees it means that there is no place.
        let part = |n: usize| self.parts.get(n).map_or(0.0, |p| p.0.unwrap_or(0.0));
        let known = self.parts.first().is_some_and(|p| p.0.is_some());
        if !known && self.parts.iter().all(|p| p.0.is_none()) {
            // Cameras without a fix write 0/0 throughout.
            return;
        }
        let degrees = part(0) + part(1) / 60.0 + part(2) / 3600.0;
        let sign = match self.hemisphere {
            Some(c) if c == letters.0 => 1.0,
            Some(c) if c == letters.1 => -1.0,
            _ => 0.0,
        };
        if !known || sign == 0.0 {
            out.problem(ProblemCode::BadPlace, 0);
            return;
        }
        degrees_fact(key, sign * degrees, source, out);
    }
}

/// A latitude or longitude in decimal degrees, if it is one.
pub(super) fn degrees_fact(key: Key, degrees: f64, source: Source, out: &mut Gather) {
    let most = if key == Key::GpsLat { 90.0 } else { 180.0 };
    if degrees.is_finite() && degrees.abs() <= most {
        let text = format!("{degrees:.6}");
        out.fact(key, source, if text == "-0.000000" { "0.000000".to_owned() } else { text });
    } else {
        out.problem(ProblemCode::BadPlace, 0);
    }
}
