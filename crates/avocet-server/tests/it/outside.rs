//! Grades from outside the review screen: stated by a person, and what a set says.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};

use crate::result::graded;
use crate::review::sealed::sha;
use crate::support::{Answer, Browser, send};

/// Sends a form with a file.
async fn with_file(browser: &Browser, path: &str, texts: &[(&str, &str)], file: &str) -> Answer {
    let mut body = String::new();
    for (name, value) in texts.iter().copied().chain([("csrf", browser.csrf.as_str())]) {
        body.push_str(&format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"));
    }
    body.push_str(&format!(
        "--b\r\nContent-Disposition: form-data; name=\"list\"; filename=\"a name.csv\"\r\n\r\n{file}\r\n--b--\r\n"
    ));
    let request = Request::post(path)
        .header(header::COOKIE, &browser.cookie)
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=b")
        .body(Body::from(body))
        .unwrap();
    send(&browser.router, request).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grade_given_elsewhere_counts_like_one_of_the_review_screen() {
    let (_folder, team) = graded(&[]).await;
    let (grader, detective) = (team.sign_in("grader").await, team.sign_in("detective").await);
    let at = "/investigations/I-1/votes/stated";
    assert_eq!(detective.get(at).await.status, StatusCode::FORBIDDEN, "who does not grade states no grade");
    assert!(grader.get("/investigations/I-1/examinations").await.body.contains(at));
    let form = grader.get(at).await.body;
    assert!(form.contains("C: Category C (Sentencing Council 2014)") && !form.contains("To moderate it"), "{form}");
    let wrong = grader.post(at, "sha256=12&category=&purpose=").await;
    for sentence in ["Enter the SHA-256", "Choose the category", "Choose what it is for"] {
        assert!(wrong.body.contains(sentence), "{sentence}: {}", wrong.body);
    }
    let elsewhere = grader.post(at, &format!("sha256={}&category=C&purpose=grading", sha(99))).await;
    assert!(elsewhere.body.contains("This investigation has no such content"), "{}", elsewhere.body);
    let no_category = grader.post(at, &format!("sha256={}&category=D&purpose=grading", sha(1))).await;
    assert!(no_category.body.contains("D is no category of uk-2014 1"), "{}", no_category.body);
    // A grader does not moderate, whatever a form sends.
    let moderated = grader.post(at, &format!("sha256={}&category=C&purpose=moderation", sha(1))).await;
    assert_eq!(moderated.status, StatusCode::FORBIDDEN);
    let answer = grader.post(at, &format!("sha256={}&category=C&purpose=grading", sha(1))).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    assert!(!answer.to().contains(&sha(1).to_string()), "no digest in an address");
    let made = detective.post("/investigations/I-1/result", "open=yes").await;
    let page = detective.get(made.to()).await.body;
    assert!(page.contains("<td>viewed</td><td>1</td>"), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_set_says_is_taken_in_whole_or_not_at_all_and_grades_nothing_by_itself() {
    let (_folder, team) = graded(&[]).await;
    let (examiner, grader) = (team.sign_in("examiner").await, team.sign_in("grader").await);
    let at = "/investigations/I-1/votes/import";
    assert_eq!(grader.get(at).await.status, StatusCode::FORBIDDEN);
    assert_eq!(with_file(&grader, at, &[("name", "Set 1"), ("version", "3")], "x").await.status, StatusCode::FORBIDDEN);
    let list = format!("sha256,category,trusted\n{},C,no\n{},B,no\n", sha(1), sha(99));
    let half = format!("{list}not a digest,C,no\n");
    let refused = with_file(&examiner, at, &[("name", "Set 1"), ("version", "3")], &half).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("Line 4 of the list names no SHA-256; nothing was recorded"), "{}", refused.body);
    let nameless = with_file(&examiner, at, &[("name", ""), ("version", "")], &list).await;
    assert!(nameless.body.contains("Enter the name of the set"), "{}", nameless.body);
    let answer = with_file(&examiner, at, &[("name", "Set 1"), ("version", "3")], &list).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    let page = examiner.get(answer.to()).await.body;
    assert!(page.contains("1 category recorded, 0 known from this version already, 1 of contents"), "{page}");
    let answer = with_file(&examiner, at, &[("name", "Set 1"), ("version", "3")], &list).await;
    assert!(examiner.get(answer.to()).await.body.contains("0 categories recorded, 1 known"), "the same again");
    // The detective's result has it viewed by nobody.
    let detective = team.sign_in("detective").await;
    let made = detective.post("/investigations/I-1/result", "open=yes").await;
    let page = detective.get(made.to()).await.body;
    assert!(!page.contains("<td>viewed</td>"), "{page}");
    let long = "x".repeat(33 * 1024 * 1024);
    let long = with_file(&examiner, at, &[("name", "Set 1"), ("version", "3")], &long).await;
    assert_eq!(long.status, StatusCode::PAYLOAD_TOO_LARGE);
}
