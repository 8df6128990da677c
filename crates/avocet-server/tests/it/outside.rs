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

/// Graded by one team, written as VICS 2.0, taken in by another that has the same contents: the same categories stand as what a
/// set says.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn grades_written_as_vics_are_taken_in_elsewhere_as_what_a_set_says() {
    let (_folder, first) = graded(&[(1, "C"), (2, "none"), (5, "B")]).await;
    let boss = first.sign_in("supervisor").await;
    let made = boss.post("/investigations/I-1/result", "open=yes").await;
    let vics = boss.post(&format!("{}/export", made.to()), "what=vics&unviewed=no").await.body;
    assert!(vics.contains("2.0.xml/UK/"), "{vics}");

    let (_folder, second) = graded(&[]).await;
    let (examiner, at) = (second.sign_in("examiner").await, "/investigations/I-1/votes/import");
    let set = [("name", "Force 2"), ("version", "1")];
    // One record with something wrong refuses them all.
    let bad = vics.replacen("\"Category\":\"B\"", "\"Category\":\"D\"", 1);
    assert_ne!(bad, vics);
    let refused = with_file(&examiner, at, &set, &bad).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("field Category: D is no category of uk-2014@1"), "{}", refused.body);
    let md5 = sha(1).to_string()[..32].to_uppercase();
    let bad = vics.replacen(&md5, &"1".repeat(32), 1);
    assert_ne!(bad, vics);
    let refused = with_file(&examiner, at, &set, &bad).await;
    assert!(refused.body.contains("field MD5: it is not that of the content"), "{}", refused.body);

    let taken = with_file(&examiner, at, &set, &vics).await;
    assert_eq!(taken.status, StatusCode::OK, "{}", taken.body);
    for said in ["No record was left out", "3 categories recorded, 0 known", "avocet:basis (3), avocet:extract (3)"] {
        assert!(taken.body.contains(said), "{said}: {}", taken.body);
    }
    // The very facts that a list makes: nothing of this is new.
    let list = format!("sha256,category,trusted\n{},C,no\n{},none,no\n{},B,no\n", sha(1), sha(2), sha(5));
    let answer = with_file(&examiner, at, &set, &list).await;
    let page = examiner.get(answer.to()).await.body;
    assert!(page.contains("0 categories recorded, 3 known from this version already, 0 of contents"), "{page}");
    // Nobody here has viewed anything.
    let boss = second.sign_in("supervisor").await;
    let made = boss.post("/investigations/I-1/result", "open=yes").await;
    assert!(!boss.get(made.to()).await.body.contains("<td>viewed</td>"));

    // Of another force: without SHA-256, of contents that are not here, without a category, by one digest only, twice.
    let short = |n: u32, more: &str| {
        let text = sha(n).to_string();
        format!("{{\"MD5\":\"{}\",\"SHA1\":\"{}\"{more}}}", &text[..32], &text[..40])
    };
    let one = sha(4).to_string();
    let media = [
        short(3, ",\"Category\":\"A\""),
        short(3, ",\"Category\":\"a\""),
        short(99, ",\"Category\":\"A\""),
        short(4, ""),
        format!("{{\"MD5\":\"{}\",\"Category\":\"A\"}}", &one[..32]),
    ];
    let context = "http://github.com/ICMEC/ProjectVic/DataModels/1.3.xml#Cases";
    let text = format!("{{\"odata.metadata\":\"{context}\",\"value\":[{{\"Media\":[{}]}}]}}", media.join(","));
    let undeclared = with_file(&examiner, at, &set, &text).await;
    assert!(undeclared.body.contains("the file does not say the scheme of its categories"), "{}", undeclared.body);
    let taken = with_file(&examiner, at, &[set[0], set[1], ("declared", "yes")], &text).await;
    assert_eq!(taken.status, StatusCode::OK, "{}", taken.body);
    for said in [
        "1 record left out: without a category.",
        "1 record left out: of contents that the investigation does not have.",
        "1 record left out: without a SHA-256 and without both MD5 and SHA-1; of 1 the one digest is that of a content here.",
        "1 record left out: what an earlier record says of the same content.",
        "1 category recorded, 0 known",
    ] {
        assert!(taken.body.contains(said), "{said}: {}", taken.body);
    }
    assert!(taken.body.find("left out").unwrap() < taken.body.find("recorded, 0 known").unwrap());
}
