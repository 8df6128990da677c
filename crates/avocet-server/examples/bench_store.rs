//! A large store to measure the server with: `bench_store FOLDER MEDIA PEOPLE`.
//!
//! Makes `FOLDER/store` with its key `FOLDER/key`, ten investigations that share MEDIA pictures evenly, all of them queued,
//! small pictures for those that come first in each queue (`FOLDER/pictures`, key `FOLDER/picture-key`), and PEOPLE accounts
//! `p1`, `p2`, … who are supervisors and on all ten. Their password is in the environment (`AVOCET_PASSWORD`).

#![allow(clippy::print_stdout, reason = "it says what it made")]

use std::path::Path;

use avocet_base::{Md5, Sha1, Sha256};
use avocet_examination::{CompletenessRow, EvidenceRow, FileRow, Level, VolumeRow, Writer};
use avocet_media::derivative::{self, KeyFile, Protector};
use avocet_media::{Layout, Pixels};
use avocet_record::desk::{Desk, Opening};
use avocet_record::keys::Unlock;
use avocet_record::law::Law;
use avocet_record::store::{Init, Store};
use avocet_record::vote::{Policy, SchemeRef};
use avocet_record::{At, ExhibitId};
use serde_json::json;

type Answer<T> = Result<T, Box<dyn std::error::Error>>;

const INVESTIGATIONS: u64 = 10;
/// Contents of each investigation that have small pictures: more than is looked at in a measurement.
const PICTURED: usize = 5_000;

fn main() -> Answer<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, media, people] = arguments.as_slice() else {
        return Err("write FOLDER MEDIA PEOPLE, such as /tmp/bench 1000000 50".into());
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(make(Path::new(folder), media.parse()?, people.parse()?))
}

fn content(n: u64) -> Sha256 {
    avocet_record::digest(&n.to_le_bytes())
}

fn examination(path: &Path, numbers: std::ops::Range<u64>) -> Answer<()> {
    let mut writer = Writer::create(path)?;
    writer.config("digests", "md5 sha1 sha256")?;
    let (kind, verdict) = ("raw".to_owned(), "none".to_owned());
    writer.evidence(&EvidenceRow { kind, media_size: 1 << 20, segments: 1, verdict, ..EvidenceRow::default() })?;
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
    let (code, text) = ("files".to_owned(), "Made for a measurement.".to_owned());
    writer.completeness(&CompletenessRow { seq: 1, level: Level::Done, code, count, bytes: None, text })?;
    writer.seal(None)?;
    Ok(())
}

async fn make(folder: &Path, media: u64, people: u64) -> Answer<()> {
    let password = std::env::var("AVOCET_PASSWORD").map_err(|_| "set AVOCET_PASSWORD: everybody's")?;
    std::fs::create_dir_all(folder.join("pictures"))?;
    let unlock = Unlock::new_key_file(&folder.join("key"))?;
    let init = Init { dir: &folder.join("store"), postgres: None, title: "Bench" };
    let store = Store::init(&init, &unlock).await?;
    let law = Law::load(None)?;
    Desk::first_account(&store, "adm", &password).await?;
    let adm = Desk::sign_in(&store, &law, "adm", &password).await?;
    let mut users = vec![];
    for n in 1..=people {
        users.push(adm.add_account(&format!("p{n}"), &["supervisor".to_owned()], None, &password).await?);
    }
    let desk = Desk::sign_in(&store, &law, "p1", &password).await?;
    let key = Protector::KeyFile(KeyFile::create(&folder.join("picture-key"))?);
    let mut pictures = derivative::Writer::create(&folder.join("pictures/bench.derivatives"), &key, [7; 32])?;
    let pixels =
        (0..320u32 * 240).flat_map(|n| [n % 251, n % 241, n % 239].map(|part| u8::try_from(part).unwrap_or(0)));
    let pixels = Pixels::new(320, 240, Layout::Rgb, pixels.collect()).ok_or("a picture")?;
    let made = derivative::make(&pixels, 1)?;
    let received = At::read("2026-11-20T09:30Z").ok_or("a time")?;
    let each = media / INVESTIGATIONS;
    for n in 0..INVESTIGATIONS {
        let opening = Opening { title: format!("Operation {n}"), owner: desk.user(), received, referrals: vec![] };
        let id = desk.open_investigation(opening).await?;
        for user in &users {
            desk.set_member(id, *user, true).await?;
        }
        let taken = json!({"event": "exhibit", "investigation": id, "exhibit": {"new": "E"}, "fact": {
            "fact": "taken", "when": received, "officer": desk.user(), "reference": format!("JC/{}", n + 1),
            "kind": "phone", "description": "test", "place": "room 1",
            "source": {"kind": "power", "power": "search-after-arrest"}}});
        desk.record(&taken, None).await?;
        let numbers = n * each..(n + 1) * each;
        let file = folder.join(format!("{n}.examination"));
        examination(&file, numbers.clone())?;
        desk.attach_examination(id, ExhibitId::new(n + 1), &file, None, None).await?;
        std::fs::remove_file(&file)?;
        let scheme = SchemeRef { id: "uk-2014".into(), version: "1".into() };
        desk.set_policy(id, Policy::Unknown {}, scheme, "default", "measurement").await?;
        // Equal reasons come in the order of their digests.
        let mut first: Vec<Sha256> = numbers.map(content).collect();
        first.sort_unstable();
        for sha256 in first.iter().take(PICTURED) {
            pictures.put(sha256, &made.veiled, &made.clear)?;
        }
        println!("{id}: {each} pictures attached and queued");
    }
    pictures.finish()?;
    Ok(())
}
