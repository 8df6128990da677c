//! What the record's common questions cost with many referrals in it.
//!
//! `cargo run -p avocet-record --example record_cost -- 1000 10000` makes a store in a temporary folder for each number,
//! takes in that many leads (every tenth shares an account with another), opens an investigation on each, and prints the
//! median and the largest of 20 runs of each question.

#![allow(clippy::print_stdout, reason = "the table is its answer")]

use std::time::{Duration, Instant};

use avocet_record::At;
use avocet_record::desk::{Desk, Opening};
use avocet_record::keys::Unlock;
use avocet_record::law::Law;
use avocet_record::store::{Init, Store};
use serde_json::json;

const PASSWORD: &str = "a long enough password";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sizes: Vec<u64> = std::env::args().skip(1).map(|n| n.parse()).collect::<Result<_, _>>()?;
    println!("referrals\tquestion\tmedian ms\tlargest ms");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    for size in if sizes.is_empty() { vec![1000] } else { sizes } {
        runtime.block_on(measure(size))?;
    }
    Ok(())
}

async fn measure(size: u64) -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let unlock = Unlock::new_key_file(&folder.path().join("key"))?;
    let init = Init { dir: &folder.path().join("store"), postgres: None, title: "Bench" };
    let store = Store::init(&init, &unlock).await?;
    let law = Law::load(None)?;
    Desk::first_account(&store, "adm", PASSWORD).await?;
    let adm = Desk::sign_in(&store, &law, "adm", PASSWORD).await?;
    let owner = adm.add_account("sup", &["supervisor".into()], None, PASSWORD).await?;
    let desk = Desk::sign_in(&store, &law, "sup", PASSWORD).await?;
    let lead = |n: u64| {
        let account = if n.is_multiple_of(10) { n / 20 } else { n };
        format!(
            "<report><reportId>{n}</reportId><espService>Example</espService><espIdentifier>user{account}</espIdentifier>\
             <ipCaptureEvent><ipAddress>192.0.2.{}</ipAddress><dateTime>2026-03-01T10:00:00Z</dateTime></ipCaptureEvent>\
             </report>",
            n % 250
        )
    };
    let began = Instant::now();
    for n in 0..size {
        let received = At::from_ns(1_790_000_000_000_000_000 + i64::try_from(n)? * 60_000_000_000);
        let (referral, _) = desk.receive(lead(n).as_bytes(), None, "ncmec-cybertip", received).await?;
        let opening = Opening { title: format!("Operation {n}"), owner, received, referrals: vec![referral] };
        let id = desk.open_investigation(opening).await?;
        let level = ["very-high", "high", "medium", "low"].get(usize::try_from(n % 4)?).copied().unwrap_or("low");
        let assessed = json!({"event": "risk", "fact": {"fact": "assessed", "investigation": id, "level": level}});
        desk.record(&assessed, None).await?;
    }
    println!(
        "{size}\tmade, ms for each of lead, investigation and risk together\t{:.2}\t",
        ms(began.elapsed()) / size as f64
    );

    let mut times = vec![];
    for _ in 0..20 {
        let began = Instant::now();
        let queue = desk.queue().await?;
        times.push(began.elapsed());
        assert_eq!(queue.len() as u64, size);
    }
    tell(size, "queue", &mut times);
    for n in 0..20 {
        let began = Instant::now();
        let facts = desk.story(&format!("I-{}", 1 + n * (size / 20))).await?;
        times.push(began.elapsed());
        assert!(facts.len() >= 2);
    }
    tell(size, "one investigation", &mut times);
    for n in 0..20 {
        let began = Instant::now();
        desk.conflicts(&format!("R-{}", 1 + n * (size / 20))).await?;
        times.push(began.elapsed());
    }
    tell(size, "the same identifiers elsewhere", &mut times);
    for n in 0..20 {
        let began = Instant::now();
        desk.receive(lead(size + n).as_bytes(), None, "public", At::from_ns(0)).await?;
        times.push(began.elapsed());
    }
    tell(size, "taking in a lead", &mut times);
    let began = Instant::now();
    let checked = store.verify_ledger(&[]).await?;
    assert!(checked.is_sound());
    println!("{size}\tverifying {} entries\t{:.1}\t", checked.entries, ms(began.elapsed()));
    Ok(())
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn tell(size: u64, what: &str, times: &mut Vec<Duration>) {
    times.sort();
    let (median, largest) = (times.get(times.len() / 2).copied(), times.last().copied());
    println!("{size}\t{what}\t{:.2}\t{:.2}", ms(median.unwrap_or_default()), ms(largest.unwrap_or_default()));
    times.clear();
}
