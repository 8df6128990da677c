//! What an examination offers to find out who a child is: cameras, pictures that look the same, places. None of it is proof,
//! and none of it says what a picture shows.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use avocet_examination::{Examination, PictureView, ReadError};

/// A camera, by what pictures state.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Camera {
    /// Maker and model.
    pub name: String,
    /// Its own number, where pictures state it.
    pub serial: Option<String>,
}

/// How many contents something has, and from when to when pictures state that they were taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// Contents.
    pub contents: u64,
    /// The earliest.
    pub first: Option<String>,
    /// The latest.
    pub last: Option<String>,
}

impl Seen {
    fn add(&mut self, taken: Option<&str>) {
        self.contents = self.contents.saturating_add(1);
        let taken = || taken.map(str::to_owned);
        self.first = self.first.take().into_iter().chain(taken()).min();
        self.last = self.last.take().into_iter().chain(taken()).max();
    }
}

/// A place on the globe in ten-thousandths of a degree: about 11 metres from north to south.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// North is positive.
    pub latitude: i32,
    /// East is positive.
    pub longitude: i32,
}

impl Place {
    fn read(latitude: &str, longitude: &str) -> Option<Self> {
        let part = |text: &str, most: f64| {
            let degrees: f64 = text.parse().ok()?;
            (degrees.abs() <= most).then_some((degrees * 10_000.0).round() as i32)
        };
        Some(Self { latitude: part(latitude, 90.0)?, longitude: part(longitude, 180.0)? })
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let side = |n: i32, plus: char, minus: char| (f64::from(n.abs()) / 10_000.0, if n < 0 { minus } else { plus });
        let (latitude, ns) = side(self.latitude, 'N', 'S');
        let (longitude, ew) = side(self.longitude, 'E', 'W');
        write!(f, "{latitude:.4}° {ns}, {longitude:.4}° {ew}")
    }
}

/// What one examination offers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Leads {
    /// Cameras.
    pub cameras: BTreeMap<Camera, Seen>,
    /// Places.
    pub places: BTreeMap<Place, Seen>,
    /// Sizes of the groups of pictures that look the same, of two or more.
    pub series: Vec<u64>,
    /// Pictures in all.
    pub pictures: u64,
    /// Pictures that state no camera.
    pub without_camera: u64,
    /// Pictures that state no place.
    pub without_place: u64,
    /// Pictures that state a place that is off the globe.
    pub impossible: u64,
}

/// Reads them out of a sealed examination: one pass over its pictures.
pub fn read(path: &Path) -> Result<Leads, ReadError> {
    let examination = Examination::open(path)?;
    let mut leads = Leads::default();
    examination.pictures(&mut |view: PictureView| {
        leads.add(&view);
        Ok::<_, ReadError>(ControlFlow::Continue(()))
    })?;
    let mut sizes: BTreeMap<i64, u64> = BTreeMap::new();
    for row in examination.groups()? {
        let size = sizes.entry(row.representative).or_default();
        *size = size.saturating_add(1);
    }
    leads.series = sizes.into_values().filter(|size| *size > 1).collect();
    leads.series.sort_unstable_by_key(|size| std::cmp::Reverse(*size));
    Ok(leads)
}

impl Leads {
    fn add(&mut self, view: &PictureView) {
        self.pictures = self.pictures.saturating_add(1);
        let taken = view.fact("taken");
        let name: Vec<&str> = ["make", "model"].into_iter().filter_map(|key| view.fact(key)).map(str::trim).collect();
        let serial =
            view.fact("body-serial").or_else(|| view.fact("internal-serial")).map(|text| text.trim().to_owned());
        match name.is_empty() && serial.is_none() {
            true => self.without_camera = self.without_camera.saturating_add(1),
            false => self.cameras.entry(Camera { name: name.join(" "), serial }).or_default().add(taken),
        }
        match (view.fact("gps-lat"), view.fact("gps-lon")) {
            (Some(latitude), Some(longitude)) => match Place::read(latitude, longitude) {
                Some(place) => self.places.entry(place).or_default().add(taken),
                None => self.impossible = self.impossible.saturating_add(1),
            },
            _ => self.without_place = self.without_place.saturating_add(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_of_the_globe_and_said_with_its_hemispheres() {
        let said = |latitude: &str, longitude: &str| Place::read(latitude, longitude).map(|place| place.to_string());
        assert_eq!(said("51.47740", "-0.00151").unwrap(), "51.4774° N, 0.0015° W");
        assert_eq!(said("-33.8568", "151.2153").unwrap(), "33.8568° S, 151.2153° E");
        for (latitude, longitude) in [("90.1", "0"), ("0", "181"), ("x", "0"), ("NaN", "0"), ("", "")] {
            assert_eq!(said(latitude, longitude), None, "{latitude} {longitude}");
        }
    }
}
