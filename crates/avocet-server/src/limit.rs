//! How often one address may try to sign in.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Tries of one address in [`WINDOW`]. A whole team behind one address signs in within it.
const TRIES: u32 = 30;
const WINDOW: Duration = Duration::from_secs(300);
/// Addresses that are remembered; beyond it the oldest windows are dropped first.
const ADDRESSES: usize = 10_000;

/// Counts tries by address.
#[derive(Debug, Default)]
pub struct Limiter(Mutex<HashMap<IpAddr, (Instant, u32)>>);

impl Limiter {
    /// Counts a try; answers for how long there is to wait where there were too many.
    pub fn try_now(&self, address: IpAddr, now: Instant) -> Result<(), Duration> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= ADDRESSES {
            all.retain(|_, (since, _)| now.duration_since(*since) < WINDOW);
        }
        let (since, tries) = all.entry(network(address)).or_insert((now, 0));
        if now.duration_since(*since) >= WINDOW {
            (*since, *tries) = (now, 0);
        }
        *tries = tries.saturating_add(1);
        match *tries > TRIES {
            true => Err(WINDOW.saturating_sub(now.duration_since(*since))),
            false => Ok(()),
        }
    }
}

/// One subscriber has all addresses of a network of 64 bits.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() & !u128::from(u64::MAX)).into()),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thirty_first_try_waits_and_a_later_window_begins_anew() {
        let limiter = Limiter::default();
        let (now, address) = (Instant::now(), "192.0.2.1".parse().unwrap());
        for _ in 0..TRIES {
            limiter.try_now(address, now).unwrap();
        }
        assert_eq!(limiter.try_now(address, now + Duration::from_secs(60)), Err(Duration::from_secs(240)));
        limiter.try_now("192.0.2.2".parse().unwrap(), now).unwrap();
        limiter.try_now(address, now + WINDOW).unwrap();
    }

    #[test]
    fn addresses_of_one_network_are_one() {
        assert_eq!(network("2001:db8::1".parse().unwrap()), network("2001:db8::2:0:0:1".parse().unwrap()));
        assert_ne!(network("2001:db8:0:1::1".parse().unwrap()), network("2001:db8::1".parse().unwrap()));
        assert_eq!(network("::ffff:192.0.2.1".parse().unwrap()), "192.0.2.1".parse::<IpAddr>().unwrap());
    }
}
