//! A record whose writer is killed at any moment: what was answered is there, what was not is whole or absent, the ledger
//! verifies, the rows say what the facts say.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use avocet_record::desk::{Desk, Opening};
use avocet_record::keys::Unlock;
use avocet_record::law::Law;
use avocet_record::store::{Init, Store};
use avocet_record::{At, InvestigationId};
use serde_json::json;

const PASSWORD: &str = "a long enough password";
/// The folder that the child works in.
const FOLDER: &str = "AVOCET_TEST_KILLED";
/// At how many moments the writer is killed; the long proofs take 200.
const POINTS: &str = "AVOCET_TEST_KILL_POINTS";

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

async fn open(folder: &std::path::Path) -> Store {
    Store::open(&folder.join("store"), &Unlock::key_file(&folder.join("key")).unwrap()).await.unwrap()
}

/// An hour's work without an end: a lead, an exhibit with its seal, a risk, a look, over and over. Each entry is told on
/// standard output once it is kept.
#[test]
#[ignore = "run by the test below, which kills it"]
fn the_writer() {
    let Some(folder) = std::env::var_os(FOLDER).map(std::path::PathBuf::from) else { return };
    runtime().block_on(async {
        let store = open(&folder).await;
        let law = Law::load(None).unwrap();
        let desk = Desk::sign_in(&store, &law, "sup", PASSWORD).await.unwrap();
        let id = InvestigationId::new(1);
        println!("entry 0");
        for n in 0u64.. {
            let lead = format!("<report><reportId>{n}</reportId><email>a{n}@example.org</email></report>");
            desk.receive(lead.as_bytes(), None, "public", At::from_ns(0)).await.unwrap();
            let taken = json!({"event": "exhibit", "investigation": id, "exhibit": {"new": "E"}, "fact": {
                "fact": "taken", "when": {"time": "2026-11-20T09:30Z"}, "officer": desk.user(),
                "reference": format!("JC/{n}"), "kind": "phone", "description": "test", "place": "room 1",
                "serials": [{"kind": "IMEI", "value": format!("3500{n}")}],
                "source": {"kind": "power", "power": "test"}}});
            let made = desk.record(&taken, None).await.unwrap();
            println!("entry {}", made.seq);
            let danger = json!({"event": "risk", "fact": {"fact": "danger_stated", "investigation": id, "danger": "no",
                "reason": {"personal": format!("note {n}"), "of": made.made[0]}}});
            println!("entry {}", desk.record(&danger, None).await.unwrap().seq);
            desk.exhibits(id).await.unwrap();
        }
    });
}

#[test]
fn a_writer_killed_at_any_moment_loses_nothing_that_it_was_told_was_kept() {
    let points: u64 = std::env::var(POINTS).ok().and_then(|n| n.parse().ok()).unwrap_or(12);
    let folder = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let unlock = Unlock::new_key_file(&folder.path().join("key")).unwrap();
        let init = Init { dir: &folder.path().join("store"), postgres: None, title: "Test team" };
        let store = Store::init(&init, &unlock).await.unwrap();
        let law = Law::load(None).unwrap();
        Desk::first_account(&store, "adm", PASSWORD).await.unwrap();
        let adm = Desk::sign_in(&store, &law, "adm", PASSWORD).await.unwrap();
        let owner = adm.add_account("sup", &["supervisor".into()], None, PASSWORD).await.unwrap();
        let sup = Desk::sign_in(&store, &law, "sup", PASSWORD).await.unwrap();
        let opening = Opening { title: "Test".into(), owner, received: At::from_ns(0), referrals: vec![] };
        sup.open_investigation(opening).await.unwrap();
    });
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut most = 0;
    for point in 0..points {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "killed::the_writer", "--ignored", "--nocapture"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let entry = |line: &str| line.rsplit("entry ").next().and_then(|n| n.trim().parse::<u64>().ok());
        let mut told = 0;
        for line in lines.by_ref() {
            if let Some(n) = entry(&line.unwrap()) {
                told = n;
                break;
            }
        }
        // Up to 60 ms of work, by the same seeded numbers every time.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        std::thread::sleep(Duration::from_micros(state >> 48));
        child.kill().unwrap();
        child.wait().unwrap();
        told = lines.map_while(Result::ok).filter_map(|line| entry(&line)).max().unwrap_or(0).max(told);
        runtime().block_on(async {
            let store = open(folder.path()).await;
            let checked = store.verify_ledger(&[]).await.unwrap();
            assert!(checked.is_sound(), "point {point}: {:?}", checked.faults);
            assert_eq!(checked.unsigned, 0, "point {point}: opening signs what the crash left unsigned");
            assert!(
                checked.entries >= told,
                "point {point}: entry {told} was told as kept, {} are there",
                checked.entries
            );
            assert_eq!(store.rebuild(false).await.unwrap(), [], "point {point}");
            most = most.max(checked.entries);
        });
    }
    assert!(most > 20, "the writer did not come to work: {most} entries");
    println!("killed at {points} points; {most} entries at the end");
}
