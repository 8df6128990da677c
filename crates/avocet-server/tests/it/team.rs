//! Search, the board for finding children, orders and visits, and the forms that complete the path.

use axum::http::StatusCode;

use crate::support::{Browser, team};

async fn recorded(browser: &Browser, path: &str, body: &str) -> String {
    let answer = browser.post(path, body).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{path}: {}", answer.body);
    browser.get(answer.to()).await.body
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_is_sent_as_a_form_and_leads_to_what_it_found() {
    let team = team().await;
    let (detective, auditor) = (team.sign_in("detective").await, team.sign_in("auditor").await);
    assert_eq!(auditor.get("/search").await.status, StatusCode::FORBIDDEN);
    // What follows the address is not what is sought.
    assert!(detective.get("/search?sought=JC%2F1").await.body.contains("Each search is an entry of the ledger"));
    let page = detective.post("/search", "sought=jc%2F1").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(
        page.body.contains("href=\"/investigations/I-1/exhibits/E-1\"") && !page.body.contains("E-2"),
        "{}",
        page.body
    );
    let none = detective.post("/search", "sought=dunlin").await.body;
    assert!(none.contains("Nothing was found") && none.contains("1 investigation that you work on"), "{none}");
    assert_eq!(detective.post("/search", "sought=x").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(detective.post("/search", "sought=").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let ledger = auditor.get("/ledger?kind=searched").await.body;
    assert_eq!(ledger.matches(">Searched<").count(), 2, "{ledger}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_board_shows_children_to_those_who_may_read_them_and_how_far_each_is() {
    let team = team().await;
    let (boss, examiner) = (team.sign_in("supervisor").await, team.sign_in("examiner").await);
    recorded(&boss, "/investigations/I-1/people/new", "roles=child&unidentified=true&known=2026-11-20T10:00").await;
    let child = "/investigations/I-1/children/P-3";
    recorded(&boss, &format!("{child}/lead"), "lead=1&kind=camera_serial&strength=weak&note=see+X-1").await;
    let sha = "ab".repeat(32);
    let page = recorded(&boss, &format!("{child}/seen"), &format!("media={sha}")).await;
    assert!(page.contains("Lead 1: camera serial, weak lead"), "{page}");
    let board = boss.get("/investigations/I-1/identification").await.body;
    assert!(board.contains("There is a lead<span class=\"quiet\"> (1)</span>"), "{board}");
    assert!(board.contains("1. Camera serial, weak lead") && board.contains("1 picture or video"), "{board}");
    assert!(board.contains("No picture states a camera.") && board.contains("No picture states where"), "{board}");
    assert_eq!(examiner.get("/investigations/I-1/identification").await.status, StatusCode::FORBIDDEN);
    assert_eq!(
        team.sign_in("detective").await.get("/investigations/I-2/identification").await.status,
        StatusCode::NOT_FOUND
    );
    let list = boss.get("/identification").await.body;
    assert!(list.contains("P-3") && list.contains("A lead") && list.contains("1 lead is open"), "{list}");
    recorded(
        &boss,
        &format!("{child}/reached"),
        "step=safeguarded&leads=1&note=social+care+said+so&when=2026-11-21T10:00",
    )
    .await;
    assert!(!boss.get("/identification").await.body.contains("P-3"));
    let wrong = boss.post(&format!("{child}/reached"), "step=safeguarded&leads=one&note=x&when=2026-11-21T10:00").await;
    assert!(wrong.body.contains("Enter whole numbers, one a line"), "{}", wrong.body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn measures_statements_counts_and_corrections_are_recorded_by_forms() {
    let team = team().await;
    let boss = team.sign_in("supervisor").await;
    recorded(&boss, "/investigations/I-1/people/new", "roles=child&known=2026-11-20T10:00").await;
    let child = "/investigations/I-1/children/P-3";
    let page =
        recorded(&boss, &format!("{child}/measure"), "measure=a+live+link&answer=asked&when=2026-11-21T10:00").await;
    assert!(page.contains("Special measure") && page.contains("a live link"), "{page}");
    let page = recorded(&boss, &format!("{child}/statement"), "stage=offered&when=2026-11-21T10:00").await;
    assert!(page.contains("Personal statement"), "{page}");
    let entry = page.split("Personal statement").nth(1).unwrap().split("Entry ").nth(1).unwrap();
    let entry: String = entry.chars().take_while(char::is_ascii_digit).collect();
    let page = recorded(&boss, &format!("{child}/wrong-side"), &format!("wrong={entry}&reason=it+was+not")).await;
    assert!(page.contains("Child side corrected"), "{page}");
    let charge = "charge=1&offence=pca-1978-s1&decided_by=Crown+Prosecution+Service&when=2026-11-21T10:00";
    recorded(&boss, "/investigations/I-1/outcome/new", charge).await;
    let path = "/investigations/I-1/outcome/O-1/scheduled";
    let wrong = boss.post(path, "charge=1&counts=A,film,E-1,12,yes").await;
    assert!(wrong.body.contains("the second part is neither still nor moving"), "{}", wrong.body);
    let elsewhere = boss.post(path, "charge=1&counts=A,still,E-2,12,yes").await;
    assert_ne!(elsewhere.status, StatusCode::SEE_OTHER, "an exhibit of another investigation");
    recorded(&boss, path, "charge=1&counts=A,+still,+E-1,+12,+unknown,+2024-01-03..2024-05-01").await;
    let told = boss.get("/investigations/I-1/timeline").await.body;
    assert!(told.contains("Charge scheduled") && told.contains("not_stated"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_and_visits_stand_by_what_is_due_first() {
    let team = team().await;
    let (manager, boss) = (team.sign_in("offender_manager").await, team.sign_in("supervisor").await);
    assert!(manager.get("/orders").await.body.contains("No order is monitored."));
    let made = "kind=notification&court=conviction&when=2026-11-20T10:00";
    let page = recorded(&manager, "/investigations/I-1/orders/new", made).await;
    assert!(page.contains("M-1"), "{page}");
    let list = manager.get("/orders").await.body;
    assert!(list.contains("M-1") && list.contains("href=\"/investigations/I-1/orders/M-1/visited\""), "{list}");
    // Who is on neither sees neither.
    let boss_list = boss.get("/orders").await.body;
    assert!(boss_list.contains("M-1"), "{boss_list}");
    let form = manager.get("/investigations/I-1/orders/M-1/device").await.body;
    assert!(form.contains("No examination is attached"), "{form}");
    let wrong = manager
        .post("/investigations/I-1/orders/M-1/device", "exhibit=E-2&examination=X-1&when=2026-11-20T10:00")
        .await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body.contains("of this investigation"), "{}", wrong.body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_line_of_an_order_is_checked_on_a_visit_and_an_order_is_varied() {
    let team = team().await;
    let manager = team.sign_in("offender_manager").await;
    let made = "kind=shpo&court=Court+1&when=2026-11-20T10:00&until=2032-01-01T00:00&rows=keep-history&rows=initial\
                &rows=monitoring-software&words=words+of+its+own";
    recorded(&manager, "/investigations/I-1/orders/new", made).await;
    let order = "/investigations/I-1/orders/M-1";
    let form = manager.get(&format!("{order}/visited")).await.body;
    assert!(form.contains("name=\"line-1\"") && form.contains("name=\"line-3\""), "{form}");
    assert!(!form.contains("name=\"line-4\"") && form.contains("Line 3: words of its own"), "{form}");
    let visit = "announced=true&seen=yes&line-1=kept&line-2=&line-3=unclear&line-9=broken&when=2026-11-21T10:00";
    let page = recorded(&manager, &format!("{order}/visited"), visit).await;
    assert_eq!((page.matches(" – kept, ").count(), page.matches(" – unclear, ").count()), (1, 1), "{page}");
    let varied = format!("{order}/varied");
    let wrong = manager.post(&varied, "court=Court+2&end=until&when=2026-11-22T10:00").await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body.contains("Enter when it ends"), "{}", wrong.body);
    let stale = manager.post(&varied, "court=Court+2&end=before&gone=7&when=2026-11-22T10:00").await;
    assert_eq!(stale.status, StatusCode::UNPROCESSABLE_ENTITY, "another window varied it meanwhile");
    assert!(stale.body.contains("There is no line 7 that stands"), "{}", stale.body);
    let page = recorded(&manager, &varied, "court=Court+2&end=before&gone=1&words=more&when=2026-11-22T10:00").await;
    assert!(page.contains("Ends 1 Jan 2032") && !page.contains(" – kept, "), "{page}");
    assert!(page.contains(" – unclear, ") && page.contains("value=\"4\">more<"), "{page}");
    let page = recorded(&manager, &varied, "court=Court+2&end=open&when=2026-11-23T10:00").await;
    assert!(page.contains("Until further order."), "{page}");
    let told = team.sign_in("supervisor").await.get("/investigations/I-1/timeline").await.body;
    assert!(told.matches("words of its own").count() == 3, "kept under its key through both: {told}");
    let breached = manager.get(&format!("{order}/breached")).await.body;
    assert!(breached.contains("Line 3: words of its own"), "{breached}");
}
