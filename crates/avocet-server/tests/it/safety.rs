//! What a browser is told, and what happens to what nobody should send.

use avocet_record::desk::Desk;
use avocet_record::keys::Unlock;
use avocet_record::store::Store;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};

use crate::support::{PASSWORD, send, team};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_has_the_headers() {
    let team = team().await;
    let browser = team.sign_in("supervisor").await;
    let page = browser.get("/").await;
    let style = page.body.split("href=\"").find(|part| part.starts_with("/assets/app-")).unwrap();
    let style = style.split('"').next().unwrap().to_owned();
    for path in ["/", "/sign-in", "/nothing", "/investigations/I-1", "/investigations/I-9", &style] {
        let answer = browser.get(path).await;
        let header = |name: &str| answer.headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
        let policy = header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"), "{path}: {policy}");
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("referrer-policy"), "no-referrer", "{path}");
        let wanted = if path == style { "public, max-age=31536000, immutable" } else { "no-store" };
        assert_eq!(header("cache-control"), wanted, "{path}");
    }
    // The policy would not let them run; none must be there but the one that comes with the program, by its address.
    for path in ["/", "/investigations/I-1", "/investigations/I-1/exhibits/new", "/investigations/I-1/timeline"] {
        let body = browser.get(path).await.body;
        let own = body.split("<script").nth(1).and_then(|rest| rest.split("</script>").next()).unwrap();
        assert!(own.starts_with(" type=\"module\" src=\"/assets/app-") && own.ends_with(".js\">"), "{own}");
        let body = body.replacen("<script", "", 1);
        for word in ["<script", "<style", " style=", " onclick", "javascript:", "http://"] {
            assert!(!body.contains(word), "{path} holds {word}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cookies_are_for_this_server_over_tls_and_no_script() {
    let team = team().await;
    let shown = send(&team.router, Request::get("/sign-in").body(Body::empty()).unwrap()).await;
    let cookie = shown.headers.get(header::SET_COOKIE).unwrap().to_str().unwrap();
    assert!(cookie.starts_with("__Host-avocet-form="), "{cookie}");
    assert!(cookie.ends_with("; Path=/; Secure; HttpOnly; SameSite=Strict"), "{cookie}");
    let browser = team.sign_in("detective").await;
    assert_eq!(browser.cookie.len(), "__Host-avocet=".len() + 64);
    assert_eq!(browser.get("/").await.status, StatusCode::OK);
    // Signing out ends it for good.
    let out = browser.post("/sign-out", "").await;
    assert!(out.headers.get(header::SET_COOKIE).unwrap().to_str().unwrap().contains("Max-Age=0"));
    assert_eq!(browser.get("/").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_without_the_sessions_token_changes_nothing() {
    let team = team().await;
    let (detective, boss) = (team.sign_in("detective").await, team.sign_in("supervisor").await);
    let path = "/investigations/I-1/risk/danger";
    for body in ["danger=yes", "csrf=&danger=yes", &format!("csrf={}&danger=yes", boss.csrf)] {
        let answer = detective.post_raw(path, body).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{body}");
    }
    // Another site's page that sends the right token by whatever means.
    let request = Request::post(path)
        .header(header::COOKIE, &detective.cookie)
        .header("sec-fetch-site", "cross-site")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(format!("csrf={}&danger=yes", detective.csrf)))
        .unwrap();
    assert_eq!(send(&team.router, request).await.status, StatusCode::FORBIDDEN);
    assert!(boss.get("/investigations/I-1/risk").await.body.contains("Nobody has said yet"));
    let answer = detective.post(path, "danger=yes").await;
    assert_eq!((answer.status, answer.to()), (StatusCode::SEE_OTHER, "/investigations/I-1"));
    assert!(!boss.get("/investigations/I-1/risk").await.body.contains("Nobody has said yet"));
    // Signing in takes the token of its own form.
    let login = format!("csrf=x&login=detective&password={}", PASSWORD.replace(' ', "+"));
    let request = Request::post("/sign-in")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(login))
        .unwrap();
    assert_eq!(send(&team.router, request).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_account_or_another_password_ends_every_session() {
    let team = team().await;
    let (detective, grader) = (team.sign_in("detective").await, team.sign_in("grader").await);
    let unlock = Unlock::key_file(&team.folder.path().join("key")).unwrap();
    let store = Store::open(&team.folder.path().join("store"), &unlock).await.unwrap();
    let admin = Desk::sign_in(&store, &team.law, "administrator", PASSWORD).await.unwrap();
    admin.close_account(team.users["grader"], "test").await.unwrap();
    admin.set_password(team.users["detective"], "another password").await.unwrap();
    for browser in [&detective, &grader] {
        let answer = browser.get("/").await;
        assert_eq!((answer.status, answer.to()), (StatusCode::SEE_OTHER, "/sign-in"));
    }
    // Roles that are taken count at once.
    let examiner = team.sign_in("examiner").await;
    assert_eq!(examiner.get("/investigations/I-1").await.status, StatusCode::OK);
    admin.set_roles(team.users["examiner"], &["auditor".to_owned()], "test").await.unwrap();
    assert_eq!(examiner.get("/investigations/I-1").await.status, StatusCode::FORBIDDEN);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_passwords_lock_the_account_and_many_tries_the_address() {
    let team = team().await;
    let shown = send(&team.router, Request::get("/sign-in").body(Body::empty()).unwrap()).await;
    let token = crate::support::field(&shown.body, "csrf");
    let attempt = async |login: &str, password: &str| {
        let request = Request::post("/sign-in")
            .header(header::COOKIE, format!("__Host-avocet-form={token}"))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(format!("csrf={token}&login={login}&password={password}")))
            .unwrap();
        send(&team.router, request).await
    };
    for _ in 0..5 {
        let answer = attempt("grader", "wrong").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert!(answer.body.contains("This name and password do not fit"));
    }
    let locked = attempt("grader", &PASSWORD.replace(' ', "+")).await;
    assert_eq!(locked.status, StatusCode::UNAUTHORIZED);
    assert!(locked.body.contains("Try again in 15 minutes"), "{}", locked.body);
    // Locked tries are cheap; unknown names cost what a wrong password costs.
    for _ in 0..24 {
        attempt("grader", "wrong").await;
    }
    let limited = attempt("supervisor", &PASSWORD.replace(' ', "+")).await;
    assert_eq!(limited.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(limited.body.contains("From this address nobody can sign in"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_too_long_or_no_form_is_refused_with_a_sentence() {
    let team = team().await;
    let browser = team.sign_in("supervisor").await;
    let long = browser.post("/investigations/I-1/risk/danger", &"a=b&".repeat(100_000)).await;
    assert_eq!(long.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(long.body.contains("At most 256.0 KiB can be sent here. Nothing was recorded."), "{}", long.body);
    let zero = browser.post("/investigations/I-1/risk/danger", "danger=yes&reason=a%00b").await;
    assert_eq!(zero.status, StatusCode::BAD_REQUEST);
    let put = Request::put("/").header(header::COOKIE, &browser.cookie).body(Body::empty()).unwrap();
    assert_eq!(send(&team.router, put).await.status, StatusCode::METHOD_NOT_ALLOWED);
}

/// A seeded row of numbers (SplitMix64), so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % n as u64).unwrap()
    }
}

const PIECES: [&str; 24] = [
    "I-1",
    "I-2",
    "W-1",
    "E-1",
    "P-1",
    "N-1",
    "S-1",
    "O-1",
    "yes",
    "true",
    "1",
    "18446744073709551616",
    "-1",
    "",
    "2026-10-25T01:30",
    "2026-11-20T09:30",
    "%ff%fe",
    "%00",
    "<b>&\"'",
    "JC%2F1",
    "warrant",
    "officer",
    "high",
    "🙂",
];

/// Random fields for every form, and random ids in every address: nothing answers with a fault of the server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fuzzed_requests_give_no_fault_of_the_server() {
    let team = team().await;
    let browser = team.sign_in("supervisor").await;
    let mut random = Random(7);
    let names = [
        "when",
        "reason",
        "danger",
        "level",
        "kind",
        "to",
        "user",
        "name",
        "zone",
        "roles",
        "known",
        "child",
        "body",
        "reference",
        "description",
        "place",
        "source",
        "warrant",
        "power",
        "charge",
        "offence",
        "seal",
        "what",
        "until",
        "from",
        "q",
        "whose",
        "subject",
        "other",
        "verdict",
        "title",
        "owner",
        "received",
        "referral",
        "numbers",
    ];
    let (mut asked, mut recorded) = (0, 0);
    for _ in 0..6 {
        for route in avocet_server::routes().iter().filter(|route| !route.path.starts_with("/sign")) {
            let mut path = route.path.to_owned();
            while let (Some(from), Some(to)) = (path.find('{'), path.find('}')) {
                let most = if random.below(3) == 0 { PIECES.len() } else { 8 };
                let piece = PIECES[random.below(most)];
                let piece = piece.replace(['<', '>', '&', '"', '\'', '🙂', '{', '}'], "-");
                path.replace_range(from..=to, if piece.is_empty() { "-" } else { &piece });
            }
            let fields: Vec<String> = (0..random.below(12))
                .map(|_| format!("{}={}", names[random.below(names.len())], PIECES[random.below(PIECES.len())]))
                .collect();
            let fields = fields.join("&");
            let answer = match route.method == Method::POST {
                true => browser.post(&path, &fields).await,
                false => {
                    let query: String = fields.chars().filter(|c| c.is_ascii() && !"<>\"".contains(*c)).collect();
                    browser.get(&format!("{path}?{query}")).await
                }
            };
            assert!(!answer.status.is_server_error(), "{} {path} {fields}: {}", route.method, answer.status);
            asked += 1;
            recorded += usize::from(route.method == Method::POST && answer.status == StatusCode::SEE_OTHER);
        }
    }
    println!("{asked} requests, {recorded} of them recorded something");
    assert!(asked > 1000);
}
