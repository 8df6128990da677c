//! Stores that earlier versions made: each opens, its facts read as they did, its ledger verifies, and its rows are what
//! the facts say.
//!
//! `tests/data/golden/vN/` is a store as the program of schema version N wrote it, with its key, and what it answered. To
//! make one for the version that stands now, before the tables change:
//!
//! ```text
//! AVOCET_TEST_GOLDEN=v3 cargo nextest run -p avocet-record golden::a_golden_store --run-ignored only
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use avocet_base::Sha256;
use avocet_record::desk::{Desk, Opening};
use avocet_record::event::Act;
use avocet_record::keys::Unlock;
use avocet_record::law::Law;
use avocet_record::store::{Init, Store};
use avocet_record::vote::{Basis, Policy, Purpose, RequestReason, SchemeRef, SetRef, VoteFact, WithdrawReason};
use avocet_record::{At, ExaminationId, ExhibitId, InvestigationId, OrderId, ReferralId};
use serde_json::{Value, json};

use super::sealed;

const PASSWORD: &str = "a long enough password";
/// Everybody of the golden team, with one role each: U-1, U-2 and so on.
const TEAM: [(&str, &str); 8] = [
    ("sup", "supervisor"),
    ("det", "detective"),
    ("exa", "examiner"),
    ("gr1", "grader"),
    ("gr2", "grader"),
    ("safe", "safeguarding"),
    ("vid", "victim_identification"),
    ("man", "offender_manager"),
];
/// What is looked at again after an upgrade.
const STORIES: [&str; 12] = ["I-1", "I-2", "R-1", "N-1", "W-1", "E-1", "P-1", "P-2", "S-1", "C-1", "O-1", "M-1"];

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/golden")
}

fn at(text: &str) -> At {
    At::read(text).unwrap_or_else(|| panic!("{text} is no time"))
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn content(byte: u8) -> Sha256 {
    Sha256([byte; 32])
}

fn scheme() -> SchemeRef {
    SchemeRef { id: "uk-2014".into(), version: "1".into() }
}

/// A vote by viewing. The first one on a content is blind.
fn voted(investigation: InvestigationId, byte: u8, category: &str, purpose: Purpose, blind: bool) -> VoteFact {
    let (category, basis) = (category.parse().unwrap(), Basis::Viewed {});
    VoteFact::Voted { investigation, sha256: content(byte), scheme: scheme(), category, basis, purpose, blind }
}

async fn desks<'s>(store: &'s Store, law: &'s Law) -> BTreeMap<&'static str, Desk<'s>> {
    let mut desks = BTreeMap::new();
    for login in TEAM.map(|(login, _)| login).into_iter().chain(["adm"]) {
        desks.insert(login, Desk::sign_in(store, law, login, PASSWORD).await.unwrap());
    }
    desks
}

/// Every kind of change at least once, at fixed times. The keys and salts are drawn anew each time.
async fn work(store: &Store, law: &Law, folder: &Path) {
    store.set_clock(at("2026-11-20T08:00Z"));
    Desk::first_account(store, "adm", PASSWORD).await.unwrap();
    let adm = Desk::sign_in(store, law, "adm", PASSWORD).await.unwrap();
    for (login, role) in TEAM {
        adm.add_account(login, &[role.to_owned()], Some("Officer Example"), PASSWORD).await.unwrap();
    }
    let left = adm.add_account("left", &["grader".to_owned()], Some("Officer Gone"), PASSWORD).await.unwrap();
    adm.set_roles(left, &["detective".to_owned(), "grader".to_owned()], "moved").await.unwrap();
    adm.set_password(left, "another long password").await.unwrap();
    adm.close_account(left, "left").await.unwrap();
    assert!(Desk::sign_in(store, law, "sup", "a wrong password").await.is_err());
    let desk = desks(store, law).await;
    let lead = |n: u32| {
        format!(
            "<report><reportId>{n}</reportId><espService>Example</espService><email>user{n}@example.org</email>\
             <espIdentifier>user7</espIdentifier><ipCaptureEvent><ipAddress>192.0.2.7</ipAddress>\
             <dateTime>2026-11-01T10:00:00Z</dateTime><port>50123</port></ipCaptureEvent></report>"
        )
    };
    for n in 1..=3 {
        desk["det"].receive(lead(n).as_bytes(), None, "ncmec-cybertip", at("2026-11-19T12:00Z")).await.unwrap();
    }
    let opening = |title: &str, referrals| Opening {
        title: title.into(),
        owner: desk["sup"].user(),
        received: at("2026-11-19T12:00Z"),
        referrals,
    };
    let first = desk["sup"].open_investigation(opening("Operation 1", vec![ReferralId::new(1)])).await.unwrap();
    let second = desk["sup"].open_investigation(opening("Operation 2", vec![])).await.unwrap();
    desk["sup"].link_referral(second, ReferralId::new(2)).await.unwrap();
    for (login, _) in TEAM.into_iter().skip(1) {
        for id in [first, second] {
            desk["sup"].set_member(id, desk[login].user(), true).await.unwrap();
        }
    }
    desk["sup"].note_conflict("R-1", "R-2", false, "one person").await.unwrap();
    desk["sup"].note_conflict("R-1", "R-3", true, "shared address").await.unwrap();
    desk["det"].take_ip_events(ReferralId::new(1)).await.unwrap();
    let text = std::fs::read_to_string(data().join("work.txt")).unwrap();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (who, rest) = line.split_once(' ').unwrap();
        let (when, draft) = rest.split_once(' ').unwrap();
        store.set_clock(at(when));
        let draft: Value = serde_json::from_str(draft).unwrap();
        if draft["custody"] == json!({"new": "C"}) && draft["suspect"] == "P-5" {
            let made = json!({"event": "person", "investigation": second, "person": {"new": "P"}, "fact": {
                "fact": "made", "known": {"time": when}, "roles": ["suspect"]}});
            desk["det"].record(&made, None).await.unwrap();
        }
        desk[who].record(&draft, None).await.unwrap_or_else(|e| panic!("{line}: {e}"));
    }
    store.set_clock(at("2026-11-22T09:00Z"));
    corrections(&desk, first).await;
    grading(&desk, folder, first).await;
    looking(store, &desk, folder, first).await;
    desk["adm"].backup(&folder.join("copy")).await.unwrap();
    // After the copy: whoever is erased now is erased again when the copy becomes a store.
    desk["sup"].erase(Some(second), &left.to_string(), "retention rule 4", "asked for").await.unwrap();
}

/// A correction of each kind of fact that has one: of the last one about the thing.
async fn corrections(desk: &BTreeMap<&'static str, Desk<'_>>, id: InvestigationId) {
    let all = [
        ("det", "exhibit", "E-1", json!({"exhibit": "E-1"})),
        ("det", "person", "P-1", json!({"person": "P-1"})),
        ("safe", "safeguarding", "S-1", json!({"safeguarding": "S-1", "subject": {"of": "child", "child": "P-2"}})),
        ("vid", "identification", "P-2", json!({"child": "P-2"})),
        ("safe", "care", "P-2", json!({"child": "P-2"})),
        ("det", "custody", "C-1", json!({"custody": "C-1", "suspect": "P-1"})),
        ("det", "welfare", "P-1", json!({"person": "P-1"})),
        ("sup", "outcome", "O-1", json!({"outcome": "O-1"})),
        ("man", "order", "M-1", json!({"order": "M-1"})),
    ];
    for (who, event, subject, mut draft) in all {
        let story = desk["sup"].story(subject).await.unwrap();
        let wrong = story.iter().rev().find(|told| told.recorded.fact["event"] == event).unwrap().recorded.seq;
        draft["event"] = json!(event);
        draft["investigation"] = json!(id);
        draft["fact"] = json!({"fact": "corrected", "wrong": wrong, "reason": "a slip"});
        desk[who].record(&draft, None).await.unwrap_or_else(|e| panic!("{event}: {e}"));
    }
    let story = desk["sup"].story("M-1").await.unwrap();
    let breach = story.iter().find(|told| told.kind == "order-breached").unwrap().recorded.seq;
    let over = story.iter().find(|told| told.kind == "exhibit-handed-over");
    assert!(over.is_none(), "an order's story is not an exhibit's");
    let settled = json!({"event": "order", "investigation": id, "order": "M-1", "fact": {"fact": "breach_settled",
        "when": {"time": "2026-11-22T08:00Z"}, "breach": breach, "result": "warned"}});
    desk["man"].record(&settled, None).await.unwrap();
    let story = desk["sup"].story("E-1").await.unwrap();
    let handover = story.iter().find(|told| told.kind == "exhibit-handed-over").unwrap().recorded.seq;
    let received = json!({"event": "exhibit", "investigation": id, "exhibit": "E-1", "fact": {"fact": "received",
        "when": {"time": "2026-11-22T08:30Z"}, "handover": handover}});
    desk["sup"].record(&received, None).await.unwrap();
    let returned = json!({"event": "warrant", "investigation": id, "warrant": "W-1", "fact": {"fact": "returned",
        "when": {"time": "2026-11-22T08:40Z"}}});
    desk["det"].record(&returned, None).await.unwrap();
}

async fn grading(desk: &BTreeMap<&'static str, Desk<'_>>, folder: &Path, id: InvestigationId) {
    let files = ["one", "two", "three"].map(|name| folder.join(name));
    sealed::write(&files[0], &[(1, 2), (2, 1), (3, 1)]);
    sealed::write(&files[1], &[(2, 1), (4, 1)]);
    sealed::write(&files[2], &[(1, 1), (2, 2), (3, 1), (5, 1)]);
    let attach = async |exhibit, file: &Path, replaces| {
        let exhibit = ExhibitId::new(exhibit);
        desk["exa"].attach_examination(id, exhibit, file, None, replaces).await.unwrap().examination
    };
    let first = attach(1, &files[0], None).await;
    attach(2, &files[1], None).await;
    desk["sup"].set_policy(id, Policy::EveryImage {}, scheme(), "default", "local rule").await.unwrap();
    desk["gr1"].record_vote(id, voted(id, 1, "C", Purpose::Grading, true)).await.unwrap();
    desk["gr1"].record_vote(id, voted(id, 2, "B", Purpose::Grading, true)).await.unwrap();
    let slip = desk["gr1"].record_vote(id, voted(id, 3, "B", Purpose::Grading, true)).await.unwrap();
    let withdrawn =
        VoteFact::Withdrawn { sha256: content(3), vote: slip, reason: WithdrawReason::SecondThought, note: None };
    desk["gr1"].record_vote(id, withdrawn).await.unwrap();
    desk["gr2"].record_vote(id, voted(id, 2, "C", Purpose::Grading, false)).await.unwrap();
    let requested = VoteFact::SecondViewRequested {
        investigation: id,
        sha256: content(1),
        scheme: scheme(),
        reason: RequestReason::LegalLine,
        note: None,
    };
    desk["gr2"].record_vote(id, requested).await.unwrap();
    desk["gr2"].record_vote(id, voted(id, 1, "C", Purpose::SecondView, false)).await.unwrap();
    desk["sup"].record_vote(id, voted(id, 2, "B", Purpose::Moderation, false)).await.unwrap();
    let set = SetRef { name: "Set 1".into(), version: "3".into() };
    let category = "A".parse().unwrap();
    let imported = VoteFact::Imported { sha256: content(4), scheme: scheme(), category, set, says_trusted: true };
    desk["exa"].record_vote(id, imported).await.unwrap();
    attach(1, &files[2], Some(first)).await;
    let (order, device) = (OrderId::new(1), ExhibitId::new(2));
    let when = at("2026-11-22T08:50Z");
    desk["man"].check_device(order, device, ExaminationId::new(2), None, when).await.unwrap();
    desk["sup"].looked(Act::Printed, vec!["I-1".into()], "a file for court", 1).await.unwrap();
    desk["sup"].looked(Act::Exported, vec!["I-1".into()], "a file for court", 1).await.unwrap();
    desk["sup"].looked(Act::Disclosed, vec!["I-1".into()], "a file for court", 1).await.unwrap();
    desk["sup"].looked(Act::Searched, vec![], "telephone", 0).await.unwrap();
    desk["sup"].break_glass(id, "urgent question").await.unwrap();
}

/// What looking leaves behind: kinds that came with version 3.
async fn looking(store: &Store, desk: &BTreeMap<&'static str, Desk<'_>>, folder: &Path, id: InvestigationId) {
    let file = folder.join("four");
    let alike = |n| sealed::Content { n, group: Some((11, u64::from(n - 11))), ..sealed::Content::default() };
    sealed::write_contents(&file, &[alike(11), alike(12), sealed::Content { n: 13, ..sealed::Content::default() }]);
    desk["exa"].attach_examination(id, ExhibitId::new(2), &file, None, None).await.unwrap();
    let (one, [first, second, third]) = (&desk["gr1"], [11, 12, 13].map(sealed::sha));
    one.tiles_shown(id, &[first, second, third]).await.unwrap();
    let view = one.clear_began(id, first, "half").await.unwrap();
    store.set_clock(at("2026-11-22T09:00:03Z"));
    one.clear_ended(id, first, view).await.unwrap();
    one.review_vote(id, first, &"C".parse().unwrap()).await.unwrap();
    assert_eq!(one.review_accept(id, first).await.unwrap().accepted, [second]);
    one.clear_began(id, third, "whole").await.unwrap();
    one.review_note(id, third, "compare with E-1").await.unwrap();
    desk["vid"].review_identify(id, third, None, None).await.unwrap();
    desk["exa"].state_camera(id, ExhibitId::new(1), "Maker Model 1").await.unwrap();
    store.set_clock(at("2026-11-22T09:20Z"));
    one.take_break(id).await.unwrap();
    desk["gr2"].tiles_shown(id, &[third]).await.unwrap();
}

/// What a store answers, in words that do not depend on the version of its tables. `until` is the last entry that was
/// there before it was opened: looks made by reading are left out.
async fn answers(store: &Store, law: &Law, until: u64) -> String {
    store.set_clock(at("2026-12-01T09:00Z"));
    let desk = Desk::sign_in(store, law, "sup", PASSWORD).await.unwrap();
    let mut out = String::new();
    for queued in desk.queue().await.unwrap() {
        // What is due of orders came into the queue with version 4.
        let reasons: Vec<String> = queued.placed.reasons.iter().map(ToString::to_string).collect();
        let reasons: Vec<String> = reasons.into_iter().filter(|reason| !reason.contains("(M-1)")).collect();
        let id = queued.placed.item.investigation;
        writeln!(out, "queue {id} {} {:?}: {}", queued.owner, queued.title, reasons.join(" | ")).unwrap();
    }
    for subject in STORIES {
        for told in desk.story(subject).await.unwrap().into_iter().filter(|told| told.recorded.seq <= until) {
            writeln!(out, "story {subject} {} {} {}", told.recorded.seq, told.kind, told.recorded.fact).unwrap();
        }
    }
    for conflict in desk.conflicts("R-1").await.unwrap() {
        writeln!(out, "conflict {conflict:?}").unwrap();
    }
    let id = InvestigationId::new(1);
    for shown in desk.warrants(id).await.unwrap() {
        writeln!(out, "warrant {} {:?} {:?}", shown.id, shown.readiness, shown.findings).unwrap();
    }
    for shown in desk.exhibits(id).await.unwrap() {
        writeln!(out, "exhibit {} {:?}", shown.id, shown.findings).unwrap();
    }
    for byte in 1..=5 {
        let (row, _, places) = desk.medium(id, content(byte)).await.unwrap();
        writeln!(out, "medium {byte} {} files on {} exhibits, {}; {places:?}", row.places, row.exhibits, row.outcome)
            .unwrap();
    }
    writeln!(out, "totals {:?}", desk.media_totals(id).await.unwrap()).unwrap();
    let original = desk.original(ReferralId::new(1)).await.unwrap();
    writeln!(out, "original {}", String::from_utf8(original).unwrap()).unwrap();
    out
}

/// The lines of the ledger up to an entry, with the digest of each content.
async fn lines(db: &Path, until: u64) -> (String, BTreeSet<String>) {
    use sqlx::{Connection as _, Row as _};
    sqlx::any::install_default_drivers();
    let mut conn = sqlx::AnyConnection::connect(&format!("sqlite://{}", db.display())).await.unwrap();
    let query = "SELECT l.seq, l.at, l.actor, l.kind, l.subjects, l.content, l.hash, c.body FROM ledger l \
                 JOIN content c ON c.seq = l.seq WHERE l.seq <= $1 ORDER BY l.seq";
    let rows = sqlx::query(query).bind(i64::try_from(until).unwrap()).fetch_all(&mut conn).await.unwrap();
    conn.close().await.unwrap();
    let (mut out, mut kinds) = (String::new(), BTreeSet::new());
    for row in rows {
        let digest = |at: usize| Sha256(row.get::<Vec<u8>, _>(at).try_into().unwrap());
        let text = |at: usize| row.get::<String, _>(at);
        let (seq, when): (i64, i64) = (row.get(0), row.get(1));
        let (content, hash, body) = (digest(5), digest(6), text(7));
        writeln!(out, "{seq} {when} {} {} [{}] {content} {hash} {body}", text(2), text(3), text(4)).unwrap();
        kinds.insert(text(3));
    }
    (out, kinds)
}

fn unpack(from: &Path, to: &Path) {
    let mut bytes = vec![];
    flate2::read::GzDecoder::new(std::fs::File::open(from).unwrap()).read_to_end(&mut bytes).unwrap();
    std::fs::write(to, bytes).unwrap();
}

fn pack(from: &Path, to: &Path) {
    let mut encoder = flate2::write::GzEncoder::new(std::fs::File::create(to).unwrap(), flate2::Compression::best());
    encoder.write_all(&std::fs::read(from).unwrap()).unwrap();
    encoder.finish().unwrap();
}

/// Makes the golden store of the version that stands now.
#[test]
#[ignore = "writes a folder of tests/data/golden, once for each schema version"]
fn a_golden_store() {
    let Some(version) = std::env::var_os("AVOCET_TEST_GOLDEN") else { return };
    let out = data().join(version);
    std::fs::create_dir(&out).unwrap();
    let folder = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let law = Law::load(None).unwrap();
        let unlock = Unlock::new_key_file(&folder.path().join("key")).unwrap();
        let (first, second) = (folder.path().join("first"), folder.path().join("second"));
        let store = Store::init(&Init { dir: &first, postgres: None, title: "Golden team" }, &unlock).await.unwrap();
        work(&store, &law, folder.path()).await;
        let copy = folder.path().join("copy");
        let erased = first.join("erased.keys");
        let (store, again) = Store::restore(&copy, &second, &unlock, Some(&erased), "a golden store").await.unwrap();
        assert_eq!(again.len(), 1, "the name of who left");
        drop(store);
        let store = Store::open(&second, &unlock).await.unwrap();
        let until = store.verify_ledger(&[]).await.unwrap().entries;
        // A copy in one file, without what SQLite keeps beside it.
        let packed = folder.path().join("packed");
        let adm = Desk::sign_in(&store, &law, "adm", PASSWORD).await.unwrap();
        adm.backup(&packed).await.unwrap();
        let answers = answers(&store, &law, until).await;
        let (lines, kinds) = lines(&packed.join("record.db"), until).await;
        println!("{until} entries of {} kinds: {kinds:?}", kinds.len());
        pack(&packed.join("record.db"), &out.join("record.db.gz"));
        for name in ["store.key", "ledger.head", "erased.keys"] {
            std::fs::copy(packed.join(name), out.join(name)).unwrap();
        }
        std::fs::copy(folder.path().join("key"), out.join("key")).unwrap();
        std::fs::write(folder.path().join("lines"), lines).unwrap();
        std::fs::write(folder.path().join("answers"), answers).unwrap();
        pack(&folder.path().join("lines"), &out.join("ledger.txt.gz"));
        pack(&folder.path().join("answers"), &out.join("answers.txt.gz"));
    });
}

fn read_packed(path: &Path) -> String {
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    text
}

/// A new schema version without a golden store of the one before it fails here.
#[test]
fn there_is_a_golden_store_of_every_earlier_version() {
    for version in 1..Store::SCHEMA_VERSION.max(2) {
        assert!(data().join(format!("v{version}/record.db.gz")).is_file(), "make one with the program of v{version}");
    }
}

#[test]
fn a_store_of_an_earlier_version_opens_with_the_same_facts_and_rows_that_fit_them() {
    let mut versions: Vec<PathBuf> =
        std::fs::read_dir(data()).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    versions.sort();
    assert!(!versions.is_empty());
    for golden in versions {
        let name = golden.file_name().unwrap().to_string_lossy().into_owned();
        let folder = tempfile::tempdir().unwrap();
        let (dir, db) = (folder.path().join("store"), folder.path().join("store/record.db"));
        std::fs::create_dir(&dir).unwrap();
        unpack(&golden.join("record.db.gz"), &db);
        for file in ["store.key", "ledger.head", "erased.keys"] {
            std::fs::copy(golden.join(file), dir.join(file)).unwrap();
        }
        runtime().block_on(async {
            let law = Law::load(None).unwrap();
            let unlock = Unlock::key_file(&golden.join("key")).unwrap();
            let wanted = read_packed(&golden.join("ledger.txt.gz"));
            let until = u64::try_from(wanted.lines().count()).unwrap();
            let head = std::fs::read_to_string(dir.join("ledger.head")).unwrap();
            let store = Store::open(&dir, &unlock).await.unwrap();
            assert_eq!(store.rebuild(false).await.unwrap(), [], "{name}: rows are what the facts say");
            let (found, kinds) = lines(&db, until).await;
            assert_eq!(found, wanted, "{name}: the facts and their lines");
            assert!(kinds.len() >= 110, "{name}: only {} kinds of facts", kinds.len());
            let checked = store.verify_ledger(&[("golden".to_owned(), head)]).await.unwrap();
            assert_eq!((checked.faults, checked.unsigned), (vec![], 0), "{name}");
            let said = answers(&store, &law, until).await;
            for (found, wanted) in said.lines().zip(read_packed(&golden.join("answers.txt.gz")).lines()) {
                assert_eq!(found, wanted, "{name}");
            }
            assert_eq!(said, read_packed(&golden.join("answers.txt.gz")), "{name}");
            // And work goes on in it.
            let desk = desks(&store, &law).await;
            let danger = json!({"event": "risk", "fact": {"fact": "danger_stated", "investigation": "I-1", "danger": "no",
                "reason": {"personal": "note 99"}}});
            desk["det"].record(&danger, None).await.unwrap();
            assert_eq!(store.rebuild(false).await.unwrap(), [], "{name}");
            drop(desk);
            drop(store);
            let store = Store::open(&dir, &unlock).await.unwrap();
            assert!(store.verify_ledger(&[]).await.unwrap().is_sound(), "{name}: opened a second time");
        });
    }
}
