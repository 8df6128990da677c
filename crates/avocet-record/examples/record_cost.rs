//! What the record's common questions cost.
//!
//! `cargo run -p avocet-record --example record_cost -- 1000:1000:0 10000:10000:1000000` makes a store in a temporary folder
//! for each `REFERRALS:INVESTIGATIONS:MEDIA`, and prints the median and the largest of 20 runs of each question. Every
//! tenth lead shares an account with another, and each its address and time with every 250th. Every second investigation
//! has a child, a referral to social care that waits for its answer, and a warrant that is to be executed; the media lie in
//! ten examinations of ten investigations.

#![allow(clippy::print_stdout, reason = "the table is its answer")]

use std::path::Path;
use std::time::{Duration, Instant};

use avocet_base::{Md5, Sha1, Sha256};
use avocet_examination::{CompletenessRow, EvidenceRow, FileRow, Level, VolumeRow, Writer};
use avocet_record::desk::{Desk, Incoming};
use avocet_record::event::Event;
use avocet_record::keys::Unlock;
use avocet_record::law::{Law, Right};
use avocet_record::store::{Init, Store};
use avocet_record::vote::{Basis, Policy, Purpose, SchemeRef, VoteFact};
use avocet_record::{At, ExhibitId, InvestigationId, UserId};
use serde_json::json;

type Answer<T> = Result<T, Box<dyn std::error::Error>>;

const PASSWORD: &str = "a long enough password";
/// How many changes are kept together while the store is filled.
const TOGETHER: u64 = 500;
/// Examinations that the media lie in.
const EXAMINATIONS: u64 = 10;
const START: i64 = 1_790_000_000_000_000_000;

#[derive(Clone, Copy)]
struct Size {
    referrals: u64,
    investigations: u64,
    media: u64,
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}\t{}\t{}", self.referrals, self.investigations, self.media)
    }
}

fn main() -> Answer<()> {
    let mut sizes = vec![];
    for argument in std::env::args().skip(1) {
        let numbers: Vec<u64> = argument.split(':').map(str::parse).collect::<Result<_, _>>()?;
        let [referrals, investigations, media] = numbers.as_slice() else {
            return Err("write REFERRALS:INVESTIGATIONS:MEDIA, such as 10000:10000:1000000".into());
        };
        sizes.push(Size { referrals: *referrals, investigations: *investigations, media: *media });
    }
    println!("referrals\tinvestigations\tmedia\tquestion\tmedian ms\tlargest ms");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    for size in sizes {
        runtime.block_on(measure(size))?;
    }
    Ok(())
}

fn lead(n: u64) -> Vec<u8> {
    let account = if n.is_multiple_of(10) { n / 20 } else { n };
    format!(
        "<report><reportId>{n}</reportId><espService>Example</espService><espIdentifier>user{account}</espIdentifier>\
         <ipCaptureEvent><ipAddress>192.0.2.{}</ipAddress><dateTime>2026-03-01T10:00:00Z</dateTime></ipCaptureEvent>\
         </report>",
        n % 250
    )
    .into_bytes()
}

fn received(n: u64) -> At {
    At::from_ns(START.saturating_add(i64::try_from(n).unwrap_or(0).saturating_mul(60_000_000_000)))
}

/// The facts of an investigation: its opening on a lead, a level, and for every second one a child and a warrant.
fn facts_of(n: u64, owner: UserId) -> Answer<Vec<Event>> {
    let (id, at) = (format!("I-{n}"), received(n));
    let level = ["very-high", "high", "medium", "low"].get(usize::try_from(n % 4)?).copied().unwrap_or("low");
    let mut all = vec![
        json!({"event": "investigation_opened", "investigation": id, "owner": owner, "received": at,
            "title": format!("Operation {n}"), "referrals": [format!("R-{n}")]}),
        json!({"event": "risk", "fact": {"fact": "assessed", "investigation": id, "level": level}}),
        json!({"event": "risk", "fact": {"fact": "danger_stated", "investigation": id,
            "danger": if n.is_multiple_of(50) { "yes" } else { "no" }}}),
    ];
    if n.is_multiple_of(2) {
        let (child, line, warrant) = (format!("P-{n}"), format!("S-{n}"), format!("W-{n}"));
        all.push(json!({"event": "person", "investigation": id, "person": child, "fact": {"fact": "made", "known": at,
            "roles": ["child"]}}));
        all.push(json!({"event": "safeguarding", "investigation": id, "safeguarding": line,
            "subject": {"of": "child", "child": child},
            "fact": {"fact": "sent", "when": at, "to": "social_care", "body": "County team"}}));
        all.push(json!({"event": "warrant", "investigation": id, "warrant": warrant, "fact": {"fact": "issued",
            "when": at, "expires": received(n.saturating_add(100_000))}}));
    }
    all.into_iter().map(|event| Ok(serde_json::from_value(event)?)).collect()
}

fn content(n: u64) -> Sha256 {
    let mut digest = [0; 32];
    digest.iter_mut().zip(n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes()).for_each(|(at, byte)| *at = byte);
    digest.iter_mut().skip(8).zip(n.to_be_bytes()).for_each(|(at, byte)| *at = byte);
    Sha256(digest)
}

/// A sealed examination with pictures of these numbers.
fn examination(path: &Path, numbers: std::ops::Range<u64>) -> Answer<()> {
    let mut writer = Writer::create(path)?;
    writer.config("digests", "md5 sha1 sha256")?;
    writer.evidence(&EvidenceRow {
        kind: "raw".into(),
        media_size: 1 << 20,
        segments: 1,
        verdict: "none".into(),
        ..EvidenceRow::default()
    })?;
    writer.volume(&VolumeRow { id: 1, label: "whole".into(), kind: Some("fat32".into()), ..VolumeRow::default() })?;
    for (id, n) in (1..).zip(numbers.clone()) {
        let file = FileRow {
            id,
            volume: 1,
            path: format!("/picture {n}"),
            kind: "file".into(),
            state: "allocated".into(),
            zone: "utc".into(),
            media: Some("picture".into()),
            md5: Some(Md5([1; 16])),
            sha1: Some(Sha1([1; 20])),
            sha256: Some(content(n)),
            ..FileRow::default()
        };
        writer.file(&file, &[])?;
    }
    let count = numbers.end.saturating_sub(numbers.start);
    writer.completeness(&CompletenessRow {
        seq: 1,
        level: Level::Done,
        code: "files".into(),
        count,
        bytes: None,
        text: "Test.".into(),
    })?;
    writer.seal(None)?;
    Ok(())
}

async fn fill(desk: &Desk<'_>, size: Size, folder: &Path) -> Answer<()> {
    let began = Instant::now();
    for first in (0..size.referrals).step_by(usize::try_from(TOGETHER)?) {
        let some = first..size.referrals.min(first.saturating_add(TOGETHER));
        let leads: Vec<(Vec<u8>, At)> = some.map(|n| (lead(n), received(n))).collect();
        let incoming = leads.iter().map(|(bytes, received)| Incoming {
            bytes,
            format: None,
            source: "ncmec-cybertip",
            received: *received,
        });
        desk.receive_all(&incoming.collect::<Vec<_>>()).await?;
    }
    told(size, "filled: ms for each referral", began, size.referrals);
    let began = Instant::now();
    for first in (1..=size.investigations).step_by(usize::try_from(TOGETHER)?) {
        let last = size.investigations.min(first.saturating_add(TOGETHER).saturating_sub(1));
        let mut events = vec![];
        for n in first..=last {
            events.extend(facts_of(n, desk.user())?);
        }
        desk.write(Right::AssignInvestigation, None, async |tx| {
            for event in &events {
                tx.record(event).await?;
            }
            Ok(())
        })
        .await?;
    }
    told(size, "filled: ms for each investigation", began, size.investigations);
    let began = Instant::now();
    let each = size.media / EXAMINATIONS;
    for n in (0..EXAMINATIONS).filter(|_| each > 0) {
        let id = InvestigationId::new(n.saturating_add(1));
        let taken = json!({"event": "exhibit", "investigation": id, "exhibit": {"new": "E"}, "fact": {
            "fact": "taken", "when": At::from_ns(START), "officer": desk.user(), "reference": format!("JC/{n}"),
            "kind": "phone", "description": "test", "place": "room 1", "source": {"kind": "power", "power": "test"}}});
        desk.record(&taken, None).await?;
        let file = folder.join(format!("examination {n}"));
        // Every examination shares a hundredth of its media with the one before.
        let first = (n * each).saturating_sub(each / 100);
        examination(&file, first..first.saturating_add(each))?;
        desk.attach_examination(id, ExhibitId::new(n.saturating_add(1)), &file, None, None).await?;
        let scheme = SchemeRef { id: "uk-2014".into(), version: "1".into() };
        desk.set_policy(id, Policy::EveryImage {}, scheme, "default", "local rule").await?;
    }
    if each > 0 {
        told(size, "filled: ms for each medium", began, size.media);
    }
    Ok(())
}

async fn measure(size: Size) -> Answer<()> {
    let folder = tempfile::tempdir()?;
    let unlock = Unlock::new_key_file(&folder.path().join("key"))?;
    let init = Init { dir: &folder.path().join("store"), postgres: None, title: "Bench" };
    let store = Store::init(&init, &unlock).await?;
    let law = Law::load(None)?;
    Desk::first_account(&store, "adm", PASSWORD).await?;
    let adm = Desk::sign_in(&store, &law, "adm", PASSWORD).await?;
    adm.add_account("sup", &["supervisor".into()], None, PASSWORD).await?;
    let desk = Desk::sign_in(&store, &law, "sup", PASSWORD).await?;
    store.set_clock(received(size.referrals));
    fill(&desk, size, folder.path()).await?;

    let mut times = vec![];
    let one = |n: u64, of: u64| n.saturating_mul(of / 20).saturating_add(1);
    for _ in 0..20 {
        let began = Instant::now();
        let queue = desk.queue().await?;
        times.push(began.elapsed());
        assert_eq!(queue.len() as u64, size.investigations);
    }
    tell(size, "queue", &mut times);
    for n in 0..20 {
        let began = Instant::now();
        let facts = desk.story(&format!("I-{}", one(n, size.investigations))).await?;
        times.push(began.elapsed());
        assert!(facts.len() >= 2);
    }
    tell(size, "one investigation", &mut times);
    let mut most = 0;
    for n in 0..20 {
        let began = Instant::now();
        let found = desk.conflicts(&format!("R-{}", one(n, size.referrals.min(size.investigations)))).await?;
        times.push(began.elapsed());
        most = most.max(found.len());
    }
    tell(size, &format!("the same identifiers elsewhere (up to {most})"), &mut times);
    for n in 0..20 {
        let began = Instant::now();
        desk.receive(&lead(size.referrals.saturating_add(n)), None, "public", At::from_ns(0)).await?;
        times.push(began.elapsed());
    }
    tell(size, "taking in a lead", &mut times);
    if size.media > 0 {
        for n in 0..20 {
            let id = InvestigationId::new(1 + n % 10);
            let sha256 = content((n % 10) * (size.media / 10) + 7 * n);
            let began = Instant::now();
            desk.record_vote(id, voted(id, sha256)).await?;
            times.push(began.elapsed());
        }
        tell(size, "a vote", &mut times);
        for n in 0..10 {
            let id = InvestigationId::new(1 + n);
            let began = Instant::now();
            let totals = desk.media_totals(id).await?;
            times.push(began.elapsed());
            assert_eq!(totals.values().sum::<i64>(), i64::try_from(size.media / EXAMINATIONS)?);
        }
        tell(size, "totals of an investigation's media", &mut times);
        for n in 0..10 {
            let id = InvestigationId::new(1 + n);
            let began = Instant::now();
            desk.media_with(id, "undecided", Some(content(n)), 200).await?;
            times.push(began.elapsed());
        }
        tell(size, "a page of 200 media that nobody has voted on", &mut times);
    }
    let began = Instant::now();
    let checked = store.verify_ledger(&[]).await?;
    assert!(checked.is_sound());
    println!("{size}\tverifying {} entries\t{:.1}\t", checked.entries, ms(began.elapsed()));
    Ok(())
}

fn voted(investigation: InvestigationId, sha256: Sha256) -> VoteFact {
    VoteFact::Voted {
        investigation,
        sha256,
        scheme: SchemeRef { id: "uk-2014".into(), version: "1".into() },
        category: "C".parse().unwrap_or_else(|_| unreachable!("a category of one letter")),
        basis: Basis::Viewed {},
        purpose: Purpose::Grading,
        blind: true,
    }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn told(size: Size, what: &str, began: Instant, each: u64) {
    println!("{size}\t{what}\t{:.2}\t", ms(began.elapsed()) / each.max(1) as f64);
}

fn tell(size: Size, what: &str, times: &mut Vec<Duration>) {
    times.sort();
    let (median, largest) = (times.get(times.len() / 2).copied(), times.last().copied());
    println!("{size}\t{what}\t{:.2}\t{:.2}", ms(median.unwrap_or_default()), ms(largest.unwrap_or_default()));
    times.clear();
}
