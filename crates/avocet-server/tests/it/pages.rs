//! What pages say and forms record, over one investigation's path.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};

use crate::support::{Browser, field, send, team};

/// Sends a form that must be recorded, and answers the page that it goes on to.
async fn recorded(browser: &Browser, path: &str, body: &str) -> String {
    let answer = browser.post(path, body).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{path}: {}", answer.body);
    let page = browser.get(answer.to()).await;
    assert_eq!(page.status, StatusCode::OK, "{}", answer.to());
    assert!(page.body.contains("role=\"status\""), "{path} says nothing");
    page.body
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn today_says_why_and_what_to_do_first() {
    let team = team().await;
    let detective = team.sign_in("detective").await;
    let page = detective.get("/").await.body;
    assert!(page.contains("I-1 Operation Heron"), "{page}");
    assert!(page.contains("Nobody has stated whether a child may be in danger now"));
    assert!(page.contains("href=\"/investigations/I-1/risk/danger\""));
    // Another's has a number and reasons, no title.
    assert!(!page.contains("Operation Dunlin"));
    let all = detective.get("/?whose=all").await.body;
    assert!(all.contains("I-2") && !all.contains("Operation Dunlin"));
    recorded(&detective, "/investigations/I-1/risk/danger", "danger=yes").await;
    let page = detective.get("/").await.body;
    assert!(page.contains("no safeguarding action recorded since"), "{page}");
    assert!(page.contains("recorded by detective"));
    assert!(page.contains("href=\"/investigations/I-1/risk/acted\""));
    // Whoever is there records danger, on the investigation or not, and learns no title.
    let form = detective.get("/investigations/I-2/risk/danger").await;
    assert_eq!(form.status, StatusCode::OK);
    assert!(!form.body.contains("Dunlin"));
    let answer = detective.post("/investigations/I-2/risk/danger", "danger=yes").await;
    assert_eq!((answer.status, answer.to()), (StatusCode::SEE_OTHER, "/?whose=all"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_says_what_is_wrong_and_keeps_what_was_entered() {
    let team = team().await;
    let detective = team.sign_in("detective").await;
    let path = "/investigations/I-1/exhibits/new";
    let answer =
        detective.post(path, "kind=phone&place=%3Cb%3Eroom%3C%2Fb%3E&when=2026-10-25T01:30&source=warrant").await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    for sentence in
        ["There is a problem", "Enter: its reference", "Choose the warrant", "The clocks showed this time twice"]
    {
        assert!(answer.body.contains(sentence), "{sentence}");
    }
    // Kept, and escaped.
    assert!(answer.body.contains("value=\"&lt;b&gt;room&lt;/b&gt;\"") && !answer.body.contains("<b>room"));
    assert!(answer.body.contains("href=\"#reference\"") && answer.body.contains("id=\"reference\""));
    let body = "reference=AB%2F2&kind=phone&description=grey&place=hall&when=2026-11-20T11:00&source=power&\
                power=search-after-arrest&numbers=IMEI%3A+490154203237518";
    let page = recorded(&detective, path, body).await;
    assert!(page.contains("AB/2") && page.contains("With detective, not sealed"), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lead_is_taken_in_opened_and_its_addresses_follow() {
    let team = team().await;
    let boss = team.sign_in("supervisor").await;
    let lead = "<report><reportId>17</reportId><ipCaptureEvent><ipAddress>192.0.2.99</ipAddress>\
                <dateTime>2026-11-19T21:15:00Z</dateTime><port>40017</port></ipCaptureEvent></report>";
    let mut body = String::new();
    for (name, value) in [("csrf", boss.csrf.as_str()), ("source", "ncmec-cybertip"), ("received", "2026-11-20T09:30")]
    {
        body.push_str(&format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"));
    }
    body.push_str(&format!(
        "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a name that is not kept.xml\"\r\n\
         Content-Type: text/xml\r\n\r\n{lead}\r\n--b--\r\n"
    ));
    let request = Request::post("/referrals/new")
        .header(header::COOKIE, &boss.cookie)
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=b")
        .body(Body::from(body))
        .unwrap();
    let answer = send(&team.router, request).await;
    assert_eq!((answer.status, answer.to()), (StatusCode::SEE_OTHER, "/referrals/R-1"));
    let page = boss.get("/referrals/R-1").await.body;
    assert!(page.contains("192.0.2.99") && page.contains("40017"), "{page}");
    let original = boss.get("/referrals/R-1/original").await;
    assert_eq!(original.body, lead);
    assert!(original.headers.get(header::CONTENT_DISPOSITION).unwrap().to_str().unwrap().contains("R-1.original"));
    let form = boss.get("/investigations/new?referral=R-1").await.body;
    let owner = form.contains("selected");
    assert!(owner, "who asks is proposed to lead it");
    let user = team.users["supervisor"];
    let page = recorded(&boss, "/investigations/new", &format!("title=Operation+Knot&owner={user}&referral=R-1")).await;
    assert!(page.contains("I-3 is open") && page.contains("20 Nov 2026, 09:30 (UK)"), "{page}");
    let page = recorded(&boss, "/referrals/R-1/ip-events", "").await;
    assert!(page.contains("192.0.2.99") && page.contains("No operator has answered for it"), "{page}");
    // A referral that belongs to somewhere is not put elsewhere.
    let again = boss.post("/referrals/R-1/link", "investigation=I-1").await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exhibit_changes_hands_and_both_sides_say_so() {
    let team = team().await;
    let (boss, examiner) = (team.sign_in("supervisor").await, team.sign_in("examiner").await);
    let exhibit = "/investigations/I-1/exhibits/E-1";
    recorded(&boss, &format!("{exhibit}/sealed"), "seal=S-100&when=2026-11-20T10:00").await;
    let to = team.users["examiner"];
    let page =
        recorded(&boss, &format!("{exhibit}/hand-over"), &format!("to=officer&user={to}&when=2026-11-20T11:00")).await;
    assert!(page.contains("With examiner, sealed with S-100"), "{page}");
    assert!(page.contains("is not confirmed by the other side"));
    let entry = page.split("Handed over").next().unwrap().rsplit("<tr").next().unwrap();
    let entry: String = entry.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
    let page =
        recorded(&examiner, &format!("{exhibit}/received"), &format!("handover={entry}&when=2026-11-20T11:05")).await;
    assert!(!page.contains("is not confirmed by the other side"), "{page}");
    // A wrong seal is written down as it was found, and said at once.
    let page =
        recorded(&examiner, &format!("{exhibit}/opened"), "seal=S-101&reason=to+image&when=2026-11-20T12:00").await;
    assert!(page.contains("opens seal S-101, but seal S-100 was put on"), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_warrant_shows_not_ready_until_it_is() {
    let team = team().await;
    let (detective, boss) = (team.sign_in("detective").await, team.sign_in("supervisor").await);
    let body = "power=pace-s8&grounds=see+the+lead&rests_on=N-1&premises=Street+1%0AStreet+2";
    let page = recorded(&detective, "/investigations/I-1/warrants/W-1/drafted", body).await;
    assert!(page.contains("Not ready") && page.contains("2 premises") && page.contains("rests on N-1"), "{page}");
    let refused = detective.post("/investigations/I-1/warrants/W-1/proceed", "reason=urgent").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let page = recorded(&boss, "/investigations/I-1/warrants/W-1/proceed", "reason=a+supervisor+said+so").await;
    assert!(page.contains("Proceeds by decision of supervisor: a supervisor said so"), "{page}");
    let page = recorded(
        &detective,
        "/investigations/I-1/warrants/W-1/entered",
        "when=2026-11-20T06:00&premises=3&result=devices&copy_left=false",
    )
    .await;
    assert!(page.contains("no copy was left") && page.contains("has no premises 3"), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn children_are_shown_to_those_who_may_read_them_and_counted_to_others() {
    let team = team().await;
    let (detective, grader, examiner) =
        (team.sign_in("detective").await, team.sign_in("grader").await, team.sign_in("examiner").await);
    // A grader hears of a child and begins its record.
    let answer =
        grader.post("/investigations/I-1/people/new", "roles=child&unidentified=true&known=2026-11-20T12:00").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    recorded(&detective, "/investigations/I-1/people/P-3/described", "name=Child+3").await;
    assert!(detective.get("/investigations/I-1/people").await.body.contains("Child 3"));
    let others = examiner.get("/investigations/I-1/people").await.body;
    assert!(others.contains("Records of children that your role does not read: 1.") && !others.contains("P-3"));
    assert_eq!(examiner.get("/investigations/I-1/people/P-3").await.status, StatusCode::FORBIDDEN);
    assert!(!examiner.get("/investigations/I-1/timeline").await.body.contains("Child 3"));
    assert!(detective.get("/investigations/I-1/timeline").await.body.contains("Child 3"));
    // A referral is told of by whoever is there; that alone makes nobody safe.
    let sent = "child=P-3&to=social_care&body=Council+1&when=2026-11-20T12:30";
    let answer = grader.post("/investigations/I-1/safeguarding/sent", sent).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    let page = recorded(&detective, "/investigations/I-1/safeguarding/S-1/acknowledged", "when=2026-11-20T13:00").await;
    assert!(page.contains("S-1") && page.contains("Acknowledged"), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_form_is_shown_and_names_its_fields_once() {
    let team = team().await;
    let boss = team.sign_in("supervisor").await;
    let mut forms = 0;
    for route in avocet_server::routes() {
        let thing = |path: &str| match path {
            p if p.contains("/addresses/") => "N-1",
            p if p.contains("/warrants/") => "W-1",
            p if p.contains("/exhibits/") => "E-1",
            _ => "P-1",
        };
        if !route.path.starts_with("/investigations/{i}/") || route.method != axum::http::Method::GET {
            continue;
        }
        let path = route.path.replace("{i}", "I-1").replace("{thing}", thing(route.path)).replace("{line}", "S-1");
        let answer = boss.get(&path).await;
        if answer.status != StatusCode::OK {
            continue;
        }
        let mut ids: Vec<&str> =
            answer.body.split(" id=\"").skip(1).map(|part| part.split('"').next().unwrap()).collect();
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all, "{path} has an id twice");
        for id in answer.body.split("label for=\"").skip(1).map(|part| part.split('"').next().unwrap()) {
            assert!(ids.contains(&id), "{path}: a label for {id}, which is not there");
        }
        forms += usize::from(answer.body.contains("method=\"post\" action=\"/investigations"));
        if !path.ends_with("/label") {
            assert!(!field(&answer.body, "csrf").is_empty());
        }
    }
    assert!(forms > 50, "{forms}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_administrator_gives_access_and_an_auditor_reads_who_did() {
    let team = team().await;
    let (admin, auditor) = (team.sign_in("administrator").await, team.sign_in("auditor").await);
    let body = "login=new.one&role=grader&password=a+password+to+begin";
    let page = recorded(&admin, "/access", body).await;
    assert!(page.contains("new.one") && page.contains("Grader"), "{page}");
    let again = admin.post("/access", body).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(again.body.contains("This sign-in name is taken"));
    let user = page.split("new.one (").nth(1).unwrap().split(')').next().unwrap().to_owned();
    let page = recorded(&admin, &format!("/access/{user}/close"), "reason=moved").await;
    assert!(page.contains("Closed"), "{page}");
    // Who did it is for the auditor, and nothing that was written.
    let page = auditor.get(&format!("/ledger?kind=account-closed&of={user}")).await.body;
    assert!(page.contains("Account closed") && page.contains("administrator") && !page.contains("moved"), "{page}");
    assert_eq!(page.matches("<tr>").count(), 2);
    let page = auditor.get("/ledger/verify").await.body;
    assert!(page.contains("The ledger is whole."), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn figures_open_their_records_and_a_label_names_nobody() {
    let team = team().await;
    let (boss, auditor) = (team.sign_in("supervisor").await, team.sign_in("auditor").await);
    let period = "from=2026-11-01&to=2026-11-30";
    let page = auditor.get(&format!("/figures?{period}")).await.body;
    // Two phones were taken: each number leads to its records, as of the same entry.
    let link = page.split("href=\"").find(|part| part.starts_with("/figures/devices-seized?")).unwrap();
    let link = link.split('"').next().unwrap().replace("&amp;", "&");
    assert!(link.contains(period) && link.contains("cutoff="), "{link}");
    let records = auditor.get(&link).await.body;
    assert!(records.contains("E-1") && records.contains("E-2") && records.contains("2 records"), "{records}");
    let csv = auditor.get(&format!("/figures/csv?{period}")).await;
    assert_eq!(csv.headers.get(header::CONTENT_TYPE).unwrap(), "text/csv; charset=utf-8");
    assert!(csv.body.lines().any(|line| line.starts_with("devices-seized,")), "{}", csv.body);
    assert!(auditor.get("/figures?from=2026-02-30").await.body.contains("Enter a date, such as"));
    let exhibit = boss.get("/investigations/I-1/exhibits/E-1").await.body;
    assert!(exhibit.contains("class=\"lanes\"") && exhibit.contains(">supervisor</text>"), "{exhibit}");
    let label = boss.get("/investigations/I-1/exhibits/E-1/label").await.body;
    assert!(label.contains("JC/1") && label.contains("E-1 · I-1") && label.contains("class=\"code\""), "{label}");
    assert!(!label.contains("supervisor") && !label.contains("Heron"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_investigation_is_closed_with_a_reason_and_leaves_the_order_of_work() {
    let team = team().await;
    let boss = team.sign_in("supervisor").await;
    let at = "/investigations/I-1/closing";
    recorded(&boss, "/investigations/I-1/risk/danger", "danger=yes").await;
    for refused in ["do=close&reason=", "do=close&reason=done"] {
        let answer = boss.post(at, refused).await;
        assert!(answer.status.is_client_error(), "{refused}: {}", answer.status);
    }
    recorded(&boss, "/investigations/I-1/risk/danger", "danger=no").await;
    let page = recorded(&boss, at, "do=close&reason=done&leaving=yes").await;
    assert!(page.contains("I-1 is closed") && page.contains(">closed<") && !page.contains("Close it"), "{page}");
    assert!(!boss.get("/").await.body.contains("I-1 Operation Heron"));
    let page = recorded(&boss, at, "do=open&reason=a+new+lead").await;
    assert!(page.contains("I-1 is open again") && !page.contains(">closed<"), "{page}");
    assert!(boss.get("/").await.body.contains("I-1 Operation Heron"));
}
