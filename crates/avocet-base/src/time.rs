//! Times as a device recorded them: nanoseconds since 1970, and what zone the record claimed.

use std::fmt;

/// What a recorded time says about its zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Zone {
    /// The format stores UTC; the value is UTC.
    Utc,
    /// The format stores the device's own clock without a zone (FAT). The value is that clock read as if it were UTC:
    /// nothing has been added or taken away.
    Local,
    /// The format stores local time and its offset from UTC in minutes (exFAT). The value is UTC.
    Offset(i16),
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Zone::Utc => f.write_str("utc"),
            Zone::Local => f.write_str("local"),
            Zone::Offset(m) => {
                let sign = if *m < 0 { '-' } else { '+' };
                write!(f, "utc{sign}{:02}:{:02}", m.unsigned_abs() / 60, m.unsigned_abs() % 60)
            }
        }
    }
}

/// One recorded time. The range is that of `i64` nanoseconds, 1677 to 2262: a value outside is not a date a device
/// can have meant and is reported by the reader as no time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stamp {
    /// Nanoseconds since 1970-01-01T00:00:00, in the sense that `zone` gives.
    pub ns: i64,
    /// What the record says of the zone.
    pub zone: Zone,
}

const NS_PER_SEC: i64 = 1_000_000_000;
/// 100 ns ticks from 1601-01-01 to 1970-01-01.
const FILETIME_EPOCH: i64 = 116_444_736_000_000_000;

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    let shifted_month = (month + 9) % 12;
    let day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The date of a day counted from 1970-01-01.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

impl Stamp {
    /// From a Windows FILETIME: 100 ns ticks since 1601-01-01 UTC (Microsoft, FILETIME structure). 0 means "not set".
    pub fn from_filetime(ticks: u64) -> Option<Stamp> {
        if ticks == 0 {
            return None;
        }
        let ns = i64::try_from(ticks).ok()?.checked_sub(FILETIME_EPOCH)?.checked_mul(100)?;
        Some(Stamp { ns, zone: Zone::Utc })
    }

    /// From seconds and nanoseconds since 1970 UTC (ext and the like). Nanoseconds above 999,999,999 are refused.
    pub fn from_unix(seconds: i64, nanoseconds: u32) -> Option<Stamp> {
        if i64::from(nanoseconds) >= NS_PER_SEC {
            return None;
        }
        let ns = seconds.checked_mul(NS_PER_SEC)?.checked_add(i64::from(nanoseconds))?;
        Some(Stamp { ns, zone: Zone::Utc })
    }

    /// From a calendar date and time in the given sense. `None` where it is no date or time.
    pub fn from_civil(date: (u16, u8, u8), time: (u8, u8, u8), nanoseconds: u32, zone: Zone) -> Option<Stamp> {
        let (year, month, day) = (i64::from(date.0), i64::from(date.1), i64::from(date.2));
        let (hour, minute, second) = (i64::from(time.0), i64::from(time.1), i64::from(time.2));
        if !(1..=12).contains(&month) || day < 1 || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let days = days_from_civil(year, month, day);
        if civil_from_days(days) != (year, month, day) {
            return None; // 30 February and the like
        }
        let local = days.checked_mul(86_400)?.checked_add(hour * 3_600 + minute * 60 + second)?;
        let offset = if let Zone::Offset(minutes) = zone { i64::from(minutes) * 60 } else { 0 };
        Some(Stamp { zone, ..Stamp::from_unix(local.checked_sub(offset)?, nanoseconds)? })
    }

    /// From a DOS date and time (Microsoft FAT specification: years from 1980, two-second steps) plus hundredths of a
    /// second (0 to 199), in the given sense. A date of 0 means "not set".
    pub fn from_dos(date: u16, time: u16, hundredths: u8, zone: Zone) -> Option<Stamp> {
        if date == 0 || hundredths > 199 {
            return None;
        }
        let low = |v: u16, bits: u16| u8::try_from(v & ((1 << bits) - 1)).ok();
        let seconds = low(time, 5)?.checked_mul(2)?.checked_add(hundredths / 100)?;
        Stamp::from_civil(
            (1980 + (date >> 9), low(date >> 5, 4)?, low(date, 5)?),
            (low(time >> 11, 5)?, low(time >> 5, 6)?, seconds),
            u32::from(hundredths % 100) * 10_000_000,
            zone,
        )
    }
}

impl fmt::Display for Stamp {
    /// RFC 3339 to the nanosecond without trailing zeros; a time of unknown zone has no zone letter.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, ns) = (self.ns.div_euclid(NS_PER_SEC), self.ns.rem_euclid(NS_PER_SEC));
        let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let (year, month, day) = civil_from_days(days);
        let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        if ns != 0 {
            let digits = format!("{ns:09}");
            write!(f, ".{}", digits.trim_end_matches('0'))?;
        }
        if self.zone == Zone::Local { Ok(()) } else { f.write_str("Z") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filetime_of_a_known_instant() {
        // 2001-02-03T04:05:06.789Z = 981173106.789 (date -d @981173106 -u)
        let ticks = (981_173_106_789i64 * 10_000 + FILETIME_EPOCH) as u64;
        assert_eq!(Stamp::from_filetime(ticks).unwrap().to_string(), "2001-02-03T04:05:06.789Z");
        assert_eq!(Stamp::from_filetime(0), None);
        assert_eq!(Stamp::from_filetime(u64::MAX), None);
    }

    #[test]
    fn unix_times_before_1970_and_refused_fractions() {
        assert_eq!(Stamp::from_unix(-1, 500_000_000).unwrap().to_string(), "1969-12-31T23:59:59.5Z");
        assert_eq!(Stamp::from_unix(0, 1_000_000_000), None);
        assert_eq!(Stamp::from_unix(i64::MAX, 0), None);
    }

    #[test]
    fn dos_times_keep_the_device_clock() {
        let date = (2024 - 1980) << 9 | 2 << 5 | 29;
        let time = 23 << 11 | 59 << 5 | 29;
        assert_eq!(Stamp::from_dos(date, time, 150, Zone::Local).unwrap().to_string(), "2024-02-29T23:59:59.5");
        assert_eq!(Stamp::from_dos(date, time, 0, Zone::Offset(60)).unwrap().to_string(), "2024-02-29T22:59:58Z");
        assert_eq!(Stamp::from_dos((2023 - 1980) << 9 | 2 << 5 | 29, time, 0, Zone::Local), None);
        assert_eq!(Stamp::from_dos(date, 31, 0, Zone::Local), None, "62 seconds");
        assert_eq!(Stamp::from_dos(0, time, 0, Zone::Local), None);
    }

    #[test]
    fn every_day_of_eight_centuries_survives() {
        for days in -200_000..100_000 {
            let (y, m, d) = civil_from_days(days);
            assert_eq!(days_from_civil(y, m, d), days);
        }
    }
}
