//! Runs: which clusters hold which part of a value.

use crate::entry::{Extent, Location};

/// A piece of a value in consecutive clusters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DataRun {
    /// First cluster of the value.
    pub vcn: u64,
    /// Clusters; never 0.
    pub length: u64,
    /// First cluster of the volume; `None` for a hole.
    pub lcn: Option<u64>,
}

/// The size of a volume and of its clusters, against which every run is checked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Geometry {
    /// Bytes per cluster.
    pub cluster: u64,
    /// Clusters of the volume.
    pub clusters: u64,
    /// Bytes of the volume that are there: fewer than the volume declares where the image is cut off.
    pub present: u64,
}

/// Appends the runs encoded in `pairs` (header byte with the sizes of a length and of a signed distance from the run
/// before), beginning at cluster `vcn` of the value, and returns the cluster after the last.
///
/// # Errors
/// A clause that says what is wrong. Every sum is checked, and no run may leave the volume.
pub(super) fn decode(
    pairs: &[u8],
    mut vcn: u64,
    geometry: Geometry,
    out: &mut Vec<DataRun>,
) -> Result<u64, &'static str> {
    let limit = i64::MAX as u64 / geometry.cluster.max(1);
    let (mut rest, mut lcn) = (pairs, 0i64);
    loop {
        let Some((&header, tail)) = rest.split_first() else { return Err("run list without an end") };
        if header == 0 {
            return Ok(vcn);
        }
        let (length_size, distance_size) = (usize::from(header & 15), usize::from(header >> 4));
        if length_size == 0 || length_size > 8 || distance_size > 8 {
            return Err("run header out of range");
        }
        let (length, tail) = tail.split_at_checked(length_size).ok_or("run list cut off")?;
        let (distance, tail) = tail.split_at_checked(distance_size).ok_or("run list cut off")?;
        rest = tail;
        let length = u64::try_from(signed(length)).ok().filter(|n| *n > 0).ok_or("run of no length")?;
        let place = if distance.is_empty() {
            None
        } else {
            lcn = lcn.checked_add(signed(distance)).ok_or("run distance overflows")?;
            // NTFS before version 3 wrote holes as cluster -1.
            if lcn == -1 { None } else { Some(u64::try_from(lcn).map_err(|_| "run before the volume")?) }
        };
        if let Some(first) = place
            && first.checked_add(length).is_none_or(|end| end > geometry.clusters)
        {
            return Err("run beyond the volume");
        }
        let next = vcn.checked_add(length).filter(|n| *n <= limit).ok_or("run list longer than a file can be")?;
        match out.last_mut() {
            Some(last)
                if last.vcn.saturating_add(last.length) == vcn
                    && match (last.lcn, place) {
                        (Some(a), Some(b)) => a.saturating_add(last.length) == b,
                        (None, None) => true,
                        _ => false,
                    } =>
            {
                last.length = last.length.saturating_add(length);
            }
            _ => out.push(DataRun { vcn, length, lcn: place }),
        }
        vcn = next;
    }
}

/// A little-endian two's complement number of up to 8 bytes.
fn signed(bytes: &[u8]) -> i64 {
    let negative = bytes.last().is_some_and(|b| b & 0x80 != 0);
    let mut wide = [if negative { 0xff } else { 0 }; 8];
    wide.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    i64::from_le_bytes(wide)
}

/// Clusters of the volume in `runs`, without holes. Runs may overlap in hostile volumes, so this may exceed the volume.
pub(super) fn stored_clusters(runs: &[DataRun]) -> u64 {
    runs.iter().filter(|r| r.lcn.is_some()).fold(0, |sum: u64, r| sum.saturating_add(r.length))
}

/// The extents of the first `size` bytes; those from `initialised` on are zero by definition. `None` where the runs do
/// not begin at 0 or end before `size`.
pub(super) fn extents(runs: &[DataRun], cluster: u64, size: u64, initialised: u64) -> Option<Vec<Extent>> {
    let mut out: Vec<Extent> = Vec::with_capacity(runs.len() + 1);
    let mut at = 0u64;
    let mut push = |logical: u64, length: u64, location: Location| {
        if let (Some(Extent { length: before, location: Location::Zero, .. }), Location::Zero) =
            (out.last_mut(), location)
        {
            *before = before.saturating_add(length);
        } else if length > 0 {
            out.push(Extent { logical, length, location });
        }
    };
    for run in runs {
        if at >= size {
            break;
        }
        if run.vcn.checked_mul(cluster)? != at {
            return None;
        }
        let length = run.length.checked_mul(cluster)?.min(size - at);
        match run.lcn {
            Some(lcn) => {
                let written = initialised.saturating_sub(at).min(length);
                push(at, written, Location::At(lcn.checked_mul(cluster)?));
                push(at.checked_add(written)?, length - written, Location::Zero);
            }
            None => push(at, length, Location::Zero),
        }
        at = at.checked_add(length)?;
    }
    (at >= size).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GEOMETRY: Geometry = Geometry { cluster: 512, clusters: 0x10_0000, present: 512 * 0x10_0000 };

    fn runs(pairs: &[u8]) -> Result<(Vec<DataRun>, u64), &'static str> {
        let mut out = vec![];
        decode(pairs, 0, GEOMETRY, &mut out).map(|end| (out, end))
    }

    #[test]
    fn runs_forward_backward_and_holes() {
        // 0x30 clusters at 0x60, 0x10 clusters hole, 0x20 clusters 0x20 before the first.
        let (got, end) = runs(&[0x11, 0x30, 0x60, 0x01, 0x10, 0x11, 0x20, 0xe0, 0]).unwrap();
        assert_eq!(
            got,
            [
                DataRun { vcn: 0, length: 0x30, lcn: Some(0x60) },
                DataRun { vcn: 0x30, length: 0x10, lcn: None },
                DataRun { vcn: 0x40, length: 0x20, lcn: Some(0x40) },
            ]
        );
        assert_eq!((end, stored_clusters(&got)), (0x60, 0x50));
    }

    #[test]
    fn neighbouring_runs_are_joined() {
        assert_eq!(runs(&[0x11, 4, 8, 0x11, 4, 4, 0]).unwrap().0, [DataRun { vcn: 0, length: 8, lcn: Some(8) }]);
    }

    #[test]
    fn broken_runs_are_refused() {
        let max = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
        let long: Vec<u8> = [&[0x08][..], &max, &[0x08], &max, &[0]].concat();
        for pairs in [
            &[][..],
            &[0x11, 4],
            &[0x10, 4, 0],
            &[0x19, 1, 0],
            &[0x11, 0, 4, 0],
            &[0x11, 0xff, 4, 0],
            &[0x11, 4, 0x80, 0],
            &[0x31, 4, 0xff, 0xff, 0x7f, 0],
            &[0x11, 4, 4],
            &long,
        ] {
            assert!(runs(pairs).is_err(), "{pairs:02x?}");
        }
    }

    #[test]
    fn extents_split_where_the_written_bytes_end() {
        let (got, _) = runs(&[0x11, 4, 8, 0x01, 2, 0]).unwrap();
        let extent = |logical, length, location| Extent { logical, length, location };
        assert_eq!(
            extents(&got, 512, 2500, 1000).unwrap(),
            [extent(0, 1000, Location::At(8 * 512)), extent(1000, 1500, Location::Zero)]
        );
        assert_eq!(extents(&got, 512, 100, 100).unwrap(), [extent(0, 100, Location::At(8 * 512))]);
        assert_eq!(extents(&got, 512, 6 * 512 + 1, 0), None);
        assert_eq!(extents(&[DataRun { vcn: 1, length: 4, lcn: None }], 512, 5, 5), None);
    }
}
