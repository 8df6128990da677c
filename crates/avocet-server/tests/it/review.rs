//! The review screen: what it sends, to whom, and what is recorded.

use avocet_base::Sha256;
use avocet_media::derivative::{KeyFile, Protector, Writer, make};
use avocet_media::{Layout, Pixels};
use avocet_record::desk::Desk;
use avocet_record::staff::Bounds;
use avocet_record::vote::{Policy, SchemeRef};
use avocet_record::{ExhibitId, InvestigationId};
use avocet_server::pictures::Pictures;
use axum::http::StatusCode;
use serde_json::Value;

use crate::support::{Browser, PASSWORD, Team, team_with};

// The writer of small sealed examinations of the record's own tests: it shares no code with what is tested here.
#[allow(dead_code, reason = "the record's tests use more of it")]
#[path = "../../../avocet-record/tests/it/sealed.rs"]
pub mod sealed;

fn content(byte: u8) -> Sha256 {
    Sha256([byte; 32])
}

/// A picture that no other byte has: a ramp of its own colour.
fn picture(byte: u8) -> avocet_media::derivative::Made {
    let pixels =
        (0..300u32 * 200).flat_map(|n| [byte.wrapping_mul(31), u8::try_from(n % 256).unwrap(), byte]).collect();
    make(&Pixels::new(300, 200, Layout::Rgb, pixels).unwrap(), 1).unwrap()
}

/// Five unknown pictures on a device of the investigation that everybody works on, one on the other's; small pictures of all.
async fn with_pictures() -> Team {
    let folder = tempfile::tempdir().unwrap();
    let key = KeyFile::create(&folder.path().join("key")).unwrap();
    let protector = Protector::KeyFile(key);
    let mut writer = Writer::create(&folder.path().join("X.derivatives"), &protector, [7; 32]).unwrap();
    for byte in 1..=6 {
        let made = picture(byte);
        writer.put(&content(byte), &made.veiled, &made.clear).unwrap();
    }
    writer.finish().unwrap();
    let (pictures, refused) = Pictures::open(folder.path(), {
        let key = folder.path().join("key");
        Box::new(move || vec![Protector::key_file(&key).unwrap()])
    })
    .unwrap();
    assert_eq!((pictures.stores(), refused.len()), (1, 0));
    let team = team_with(pictures).await;
    let boss = Desk::sign_in(team.app.store(), &team.law, "supervisor", PASSWORD).await.unwrap();
    for (of, exhibit, bytes) in
        [(team.mine, 1, vec![(1, 2), (2, 1), (3, 1), (4, 1), (5, 1)]), (team.other, 2, vec![(6, 1)])]
    {
        let file = folder.path().join(format!("{exhibit}.examination"));
        sealed::write(&file, &bytes);
        boss.attach_examination(of, ExhibitId::new(exhibit), &file, None, None).await.unwrap();
        let scheme = SchemeRef { id: "uk-2014".into(), version: "1".into() };
        boss.set_policy(of, Policy::Unknown {}, scheme, "default", "test").await.unwrap();
    }
    drop(boss);
    team
}

fn at(of: InvestigationId) -> String {
    format!("/investigations/{of}/review")
}

fn attribute(body: &str, name: &str) -> String {
    body.split(&format!("{name}=\"")).nth(1).and_then(|rest| rest.split('"').next()).unwrap().to_owned()
}

struct Screen {
    at: String,
    batch: String,
    tiles: usize,
}

async fn screen(browser: &Browser, of: InvestigationId) -> Screen {
    let page = browser.get(&at(of)).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    assert!(!page.body.contains(&content(1).to_string()), "a digest on the page");
    let tiles = page.body.matches("class=\"tile\"").count();
    let batch = if tiles > 0 { attribute(&page.body, "data-batch") } else { String::new() };
    Screen { at: at(of), batch, tiles }
}

impl Screen {
    async fn act(&self, browser: &Browser, act: &str, more: &str) -> (StatusCode, Value) {
        let answer = browser.post(&format!("{}/{act}", self.at), &format!("batch={}&{more}", self.batch)).await;
        (answer.status, serde_json::from_str(&answer.body).unwrap_or(Value::Null))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pictures_come_veiled_and_clear_ones_only_for_a_recorded_view() {
    let team = with_pictures().await;
    let grader = team.sign_in("grader").await;
    let screen = screen(&grader, team.mine).await;
    assert_eq!(screen.tiles, 5);

    let tile = grader.get(&format!("{}/tile/{}/0", screen.at, screen.batch)).await;
    assert_eq!((tile.status, tile.headers["content-type"].to_str().unwrap()), (StatusCode::OK, "image/jpeg"));
    assert_eq!(tile.headers["cache-control"], "no-store");
    let veiled: Vec<usize> = (1..=5).map(|byte| picture(byte).veiled.len()).collect();
    assert!(veiled.iter().any(|length| *length > 0));

    let clear = grader.post(&format!("{}/clear", screen.at), &format!("batch={}&item=0&size=half", screen.batch)).await;
    assert_eq!((clear.status, clear.headers["content-type"].to_str().unwrap()), (StatusCode::OK, "image/jpeg"));
    assert_eq!(clear.headers["cache-control"], "no-store");
    let (ended, _) = screen.act(&grader, "clear-end", "").await;
    assert_eq!(ended, StatusCode::OK);
    let (again, _) = screen.act(&grader, "clear-end", "").await;
    assert_eq!(again, StatusCode::OK, "nothing is open, nothing is recorded");

    let desk = Desk::sign_in(team.app.store(), &team.law, "grader", PASSWORD).await.unwrap();
    let day = avocet_record::Day::of(avocet_record::At::now());
    let account = desk.own_exposure(day.plus(-1), day.plus(1)).await.unwrap();
    let times = |what: &str| account.iter().filter(|line| line.what == what).map(|line| line.times).sum::<u64>();
    assert_eq!((times("veiled"), times("clear")), (5, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_counts_on_ones_own_screen_of_that_investigation_only() {
    let team = with_pictures().await;
    let grader = team.sign_in("grader").await;
    let supervisor = team.sign_in("supervisor").await;
    let mine = screen(&grader, team.mine).await;
    // Somebody else's number, another batch, a number that is not there.
    for path in [
        format!("{}/tile/{}/0", mine.at, "0123456789abcdef"),
        format!("{}/tile/{}/5", mine.at, mine.batch),
        format!("{}/tile/{}/-1", mine.at, mine.batch),
    ] {
        assert_eq!(grader.get(&path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let theirs = supervisor.get(&format!("{}/tile/{}/0", mine.at, mine.batch)).await;
    assert_eq!(theirs.status, StatusCode::NOT_FOUND);
    // Through another investigation that the person may see, the number names nothing.
    let through = supervisor.get(&at(team.other)).await;
    assert_eq!(through.status, StatusCode::OK);
    let other = screen(&supervisor, team.other).await;
    let mixed = supervisor.get(&format!("{}/tile/{}/0", at(team.mine), other.batch)).await;
    assert_eq!(mixed.status, StatusCode::NOT_FOUND);
    let body = format!("batch={}&item=0&size=half", other.batch);
    let mixed = supervisor.post(&format!("{}/clear", at(team.mine)), &body).await;
    assert_eq!(mixed.status, StatusCode::NOT_FOUND);
    // And the grader, who is not on the other one, is told that there is nothing.
    assert_eq!(grader.get(&at(team.other)).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn grades_skips_flags_notes_and_undo_by_what_the_keys_send() {
    let team = with_pictures().await;
    let grader = team.sign_in("grader").await;
    let screen = screen(&grader, team.mine).await;
    let (status, voted) = screen.act(&grader, "vote", "item=0&grade=C").await;
    assert_eq!((status, voted["state"].as_str()), (StatusCode::OK, Some("decided")));
    let desk = Desk::sign_in(team.app.store(), &team.law, "grader", PASSWORD).await.unwrap();
    // What is done may still be drawn for a moderator; how many are left to grade does not depend on the draw.
    let to_grade = async || desk.progress(team.mine).await.unwrap().to_grade.values().sum::<u64>();
    assert_eq!(to_grade().await, 4);
    let (status, _) = screen.act(&grader, "vote", "item=1&grade=").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let (status, _) = screen.act(&grader, "vote", "item=1&grade=none").await;
    assert_eq!((status, to_grade().await), (StatusCode::OK, 3));
    let (_, undone) = screen.act(&grader, "undo", "").await;
    assert_eq!((undone["item"].as_u64(), to_grade().await), (Some(1), 4));
    let (_, undone) = screen.act(&grader, "undo", "").await;
    assert_eq!((undone["item"].as_u64(), to_grade().await), (Some(0), 5));
    let (_, undone) = screen.act(&grader, "undo", "").await;
    assert_eq!(undone["said"], "There is nothing to undo.");
    for (act, more) in [("skip", "item=0"), ("flag", "item=1"), ("note", "item=2&note=compare"), ("identify", "item=3")]
    {
        let (status, answer) = screen.act(&grader, act, more).await;
        assert!(status == StatusCode::OK && answer["said"].is_string(), "{act}: {status} {answer}");
    }
    let (status, _) = screen.act(&grader, "note", "item=2&note=").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let pause = grader.get(&format!("{}/pause", screen.at)).await;
    assert!(pause.body.contains("1 file was spared"), "{}", pause.body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_is_a_plain_sentence_and_then_no_further_page_comes() {
    let team = with_pictures().await;
    let boss = Desk::sign_in(team.app.store(), &team.law, "supervisor", PASSWORD).await.unwrap();
    let user = Desk::sign_in(team.app.store(), &team.law, "grader", PASSWORD).await.unwrap().user();
    let bounds = Bounds { propose: 1, hold: Some(2) };
    boss.set_care_limit(Some(user), "contents-graded", bounds, "agreed").await.unwrap();
    let grader = team.sign_in("grader").await;
    let first = screen(&grader, team.mine).await;
    assert_eq!(first.act(&grader, "vote", "item=0&grade=C").await.0, StatusCode::OK);
    let sentence = "You have graded 1 content today. That is much for one day; a break, or other work, would be good.";
    let page = grader.get(&at(team.mine)).await.body;
    assert!(page.contains(sentence) && page.matches("class=\"tile\"").count() == 4, "{page}");
    let pause = grader.get(&format!("{}/pause", at(team.mine))).await.body;
    assert!(pause.contains(sentence) && pause.contains("Go on"), "{pause}");

    // What is before somebody can be finished; nothing more comes after it.
    let second = screen(&grader, team.mine).await;
    assert_eq!(second.act(&grader, "vote", "item=0&grade=C").await.0, StatusCode::OK);
    assert_eq!(screen(&grader, team.mine).await.tiles, 3);
    grader.post(&format!("{}/leave", at(team.mine)), "").await;
    let sentence = "You have graded 2 contents today. That is enough for today: the next pictures come tomorrow, or when \
                    whoever supervises lifts the limit.";
    for path in [at(team.mine), format!("{}/pause", at(team.mine))] {
        let page = grader.get(&path).await.body;
        assert!(page.contains(sentence) && !page.contains("Go on") && !page.contains("class=\"tile\""), "{page}");
        assert!(page.contains("Support for you"));
    }
    boss.lift_care_limits(user, "agreed").await.unwrap();
    assert_eq!(screen(&grader, team.mine).await.tiles, 3);
}
