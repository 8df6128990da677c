//! The result of a grading: what is missing first, one extract, and everything else rendered from it.

use avocet_base::Sha256;
use avocet_record::ExhibitId;
use avocet_record::desk::Desk;
use avocet_record::vote::{Policy, SchemeRef};
use avocet_server::Setup;
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::review::sealed::{Content, sha, write_contents};
use crate::support::{PASSWORD, Team, team_set_up};

/// Four unknown pictures and a video, and one picture that a set of the policy's scheme calls A, on the exhibit of I-1.
pub async fn graded(votes: &[(u32, &str)]) -> (tempfile::TempDir, Team) {
    let folder = tempfile::tempdir().unwrap();
    let team = team_set_up(Setup { examinations: Some(folder.path().to_owned()), ..Setup::default() }).await;
    let mut contents: Vec<Content> = (1..=6).map(|n| Content { n, ..Content::default() }).collect();
    contents[4].video = true;
    contents[5].said = vec![(0, Some("A"), true, false)];
    let file = folder.path().join("one.examination");
    write_contents(&file, &contents);
    let boss = Desk::sign_in(team.app.store(), &team.law, "supervisor", PASSWORD).await.unwrap();
    boss.attach_examination(team.mine, ExhibitId::new(1), &file, None, None).await.unwrap();
    let scheme = SchemeRef { id: "uk-2014".into(), version: "1".into() };
    boss.set_policy_with(team.mine, Policy::Unknown {}, scheme.clone(), "default", Some(0), "test").await.unwrap();
    let grader = Desk::sign_in(team.app.store(), &team.law, "grader", PASSWORD).await.unwrap();
    for (n, category) in votes {
        let fact = json!({"fact": "voted", "investigation": team.mine, "sha256": sha(*n), "scheme": scheme,
            "category": category, "basis": {"kind": "viewed"}, "purpose": "grading", "blind": false});
        let draft = json!({"event": "vote", "investigation": team.mine, "fact": fact});
        grader.record(&draft, None).await.unwrap();
    }
    drop((boss, grader));
    (folder, team)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_missing_stands_first_and_an_extract_is_made_as_it_stands_only_when_that_is_said() {
    let (_folder, team) = graded(&[(1, "C")]).await;
    let detective = team.sign_in("detective").await;
    let at = "/investigations/I-1/result";
    let page = detective.get(at).await.body;
    assert!(page.contains("4 contents are queued and not graded yet") && page.contains("None was made yet"), "{page}");
    assert!(!page.contains("is not known: its sealed file"), "{page}");
    assert!(page.find("still open").unwrap() < page.find("Make an extract").unwrap(), "what is missing comes first");
    let refused = detective.post(at, "").await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("Say that it is to be made as it stands"), "{}", refused.body);
    let boss = team.sign_in("supervisor").await;
    // Without a policy there is nothing to extract, whatever is said.
    let none = boss.post("/investigations/I-2/result", "open=yes").await;
    assert_eq!(none.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(none.body.contains("No examination is attached.") && none.body.contains("Nobody has said what is graded."));
    let made = detective.post(at, "open=yes").await;
    assert_eq!(made.status, StatusCode::SEE_OTHER, "{}", made.body);
    let page = detective.get(made.to()).await.body;
    assert!(page.contains("4 contents have no category.") && page.contains("4: not graded"), "{page}");
    // Whoever may not extract sees nothing of it, and another investigation does not have it.
    for who in ["grader", "examiner", "administrator"] {
        assert_eq!(team.sign_in(who).await.get(made.to()).await.status, StatusCode::FORBIDDEN, "{who}");
    }
    let elsewhere = made.to().replace("I-1", "I-2");
    assert_eq!(boss.get(&elsewhere).await.status, StatusCode::NOT_FOUND);
    assert_eq!(boss.get(made.to()).await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_and_files_say_what_the_extract_says_and_each_is_an_entry() {
    let (_folder, team) = graded(&[(1, "C"), (2, "C"), (3, "none"), (5, "B")]).await;
    let boss = team.sign_in("supervisor").await;
    let made = boss.post("/investigations/I-1/result", "open=yes").await;
    let at = made.to().to_owned();
    let digest: Sha256 = at.rsplit('/').next().unwrap().parse().unwrap();
    let extract = boss.post(&format!("{at}/export"), "what=extract&unviewed=no").await;
    assert_eq!(avocet_record::digest(extract.body.as_bytes()), digest, "the very bytes");
    let saved = extract.headers["content-disposition"].to_str().unwrap();
    assert_eq!(saved, "attachment; filename=\"I-1.grading.json\"");
    // Counted by hand: C twice and none once viewed, B a video viewed, A by exact match; one picture is open.
    let flat = |body: &str| body.split_whitespace().collect::<Vec<_>>().join(" ");
    let page = flat(&boss.get(&at).await.body);
    let row = |category: &str, rest: &str| format!("<td><strong>{category}</strong>{rest}");
    for line in [
        row(
            "A",
            " <span class=\"quiet\">Category A (Sentencing Council 2014)</span></td><td>still</td><td>0</td><td>0</td><td>1</td>",
        ),
        row(
            "B",
            " <span class=\"quiet\">Category B (Sentencing Council 2014)</span></td><td>moving</td><td>1</td><td>0</td><td>0</td>",
        ),
        row(
            "C",
            " <span class=\"quiet\">Category C (Sentencing Council 2014)</span></td><td>still</td><td>2</td><td>0</td><td>0</td>",
        ),
        row("none", " <span class=\"quiet\">None of these</span></td><td>still</td><td>1</td>"),
    ] {
        assert!(page.contains(&line), "{line} is not in {page}");
    }
    assert!(page.contains("1 content has no category.") && !page.contains("<img"), "{page}");
    let schedule = boss.get(&format!("{at}/schedule")).await.body;
    let (still, moving) = (schedule.find("<h2>Still</h2>").unwrap(), schedule.find("<h2>Moving</h2>").unwrap());
    let b = schedule.find("<strong>B</strong>").unwrap();
    assert!(still < moving && moving < b, "the video stands under moving");
    assert!(schedule.contains("Indecent photographs or pseudo-photographs") && !schedule.contains("<strong>none"));
    assert!(schedule.contains("Not counted above: 1 graded as none of these."), "{schedule}");
    let sheet = boss.get(&format!("{at}/page")).await.body;
    assert!(sheet.contains("<td>C</td><td>still</td><td>viewed</td><td class=\"number\">2</td>"), "{sheet}");
    assert!(sheet.contains(&digest.to_string()) && sheet.contains("1 further content has no category"), "{sheet}");
    // What no person viewed is left out unless it is asked for, and which it was stands on the ledger.
    let records = |text: &str| serde_json::from_str::<Value>(text).unwrap()["value"].as_array().unwrap().clone();
    let vics = boss.post(&format!("{at}/export"), "what=vics&unviewed=no").await;
    let all = boss.post(&format!("{at}/export"), "what=vics&unviewed=yes").await;
    assert_eq!((records(&vics.body).len(), records(&all.body).len()), (4, 5));
    let exact = |text: &str| records(text).iter().filter(|of| of["avocet:basis"] == "by exact match").count();
    assert_eq!((exact(&vics.body), exact(&all.body)), (0, 1));
    let csv = boss.post(&format!("{at}/export"), "what=csv&unviewed=no").await;
    assert_eq!(csv.body.lines().count(), 5, "{}", csv.body);
    let wrong = boss.post(&format!("{at}/export"), "what=pictures").await;
    assert!(wrong.status == StatusCode::UNPROCESSABLE_ENTITY && wrong.body.contains("Choose which file"));
    let told = boss.get("/investigations/I-1/timeline?looks=yes").await.body;
    for purpose in [
        "extract of what was graded",
        "VICS 2.0, without what no person viewed",
        "VICS 2.0, with what no person viewed",
    ] {
        assert!(told.contains(purpose), "{purpose}: {told}");
    }
    // Later votes change no extract that was made: a page printed today can be held against it.
    let again = boss.post(&format!("{at}/export"), "what=extract&unviewed=no").await;
    assert_eq!(again.body, extract.body);
}
