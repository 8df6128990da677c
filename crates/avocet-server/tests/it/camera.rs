//! A camera stated as a device's own.

use avocet_record::ExhibitId;
use avocet_record::desk::Desk;
use avocet_record::review::Reason;
use avocet_server::Setup;
use axum::http::StatusCode;

use crate::review::sealed::{Content, write_contents};
use crate::support::{PASSWORD, team_set_up};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_camera_is_stated_on_the_exhibits_page_and_its_unknown_pictures_come_first() {
    let folder = tempfile::tempdir().unwrap();
    let team = team_set_up(Setup { examinations: Some(folder.path().to_owned()), ..Setup::default() }).await;
    let mut contents: Vec<Content> = (1..=5).map(|n| Content { n, ..Content::default() }).collect();
    for content in &mut contents[..2] {
        content.camera = Some("Model 1");
    }
    contents[2].camera = Some("Model 2");
    let file = folder.path().join("one.examination");
    write_contents(&file, &contents);
    let boss = Desk::sign_in(team.app.store(), &team.law, "supervisor", PASSWORD).await.unwrap();
    boss.attach_examination(team.mine, ExhibitId::new(1), &file, None, None).await.unwrap();
    let own = async || boss.progress(team.mine).await.unwrap().to_grade.get(&Reason::OwnCamera).copied();
    assert_eq!(own().await, None);

    let (detective, grader) = (team.sign_in("detective").await, team.sign_in("grader").await);
    let at = "/investigations/I-1/exhibits/E-1/camera";
    assert_eq!(grader.get(at).await.status, StatusCode::FORBIDDEN);
    assert_eq!(grader.post(at, "camera=Model+1").await.status, StatusCode::FORBIDDEN);
    let form = detective.get(at).await.body;
    assert!(form.contains("Model 1 – 2 contents") && form.contains("Model 2 – 1 content,"), "{form}");
    // Who records exhibits and views no media is shown none of it, and may state what they know.
    let manager = team.sign_in("offender_manager").await.get(at).await.body;
    assert!(!manager.contains("Model 1") && manager.contains("for those who may view media"), "{manager}");
    for wrong in ["", "camera=Model+1&other=Model+2"] {
        assert_eq!(detective.post(at, wrong).await.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
    }
    let answer = detective.post(at, "camera=Model+1&other=").await;
    assert_eq!((answer.status, answer.to()), (StatusCode::SEE_OTHER, "/investigations/I-1/exhibits/E-1"));
    assert_eq!(own().await, Some(2));
    let page = detective.get(answer.to()).await.body;
    let row = page.split("Cameras stated to be its own").nth(1).unwrap();
    assert!(row.trim_start_matches("</dt><dd>").starts_with("Model 1"), "{row}");
    // Of another device of another investigation it says nothing.
    assert!(!team.sign_in("supervisor").await.get("/investigations/I-2/exhibits/E-2").await.body.contains("Model 1"));
}
