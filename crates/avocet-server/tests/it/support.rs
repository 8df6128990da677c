//! A team with two investigations, and a browser of few words.
#![allow(dead_code, reason = "each module uses another part")]

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use avocet_record::desk::{Desk, Opening};
use avocet_record::keys::Unlock;
use avocet_record::law::Law;
use avocet_record::store::{Init, Store};
use avocet_record::{At, InvestigationId, UserId};
use avocet_server::pictures::Pictures;
use avocet_server::{App, Setup};
use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use serde_json::json;
use tower::ServiceExt as _;

pub const PASSWORD: &str = "a password of the test";

/// The roles of the built-in table.
pub const ROLES: [&str; 9] = [
    "detective",
    "examiner",
    "grader",
    "victim_identification",
    "safeguarding",
    "offender_manager",
    "supervisor",
    "auditor",
    "administrator",
];

pub struct Team {
    pub folder: tempfile::TempDir,
    pub app: Arc<App>,
    pub router: Router,
    pub law: Law,
    pub users: BTreeMap<String, UserId>,
    /// Everybody works on this one, and nobody but the supervisor on the other.
    pub mine: InvestigationId,
    pub other: InvestigationId,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: axum::http::HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn to(&self) -> &str {
        self.headers.get(header::LOCATION).map_or("", |to| to.to_str().unwrap())
    }
}

/// Somebody with a cookie.
pub struct Browser {
    pub router: Router,
    pub cookie: String,
    pub csrf: String,
}

pub async fn team() -> Team {
    team_with(Pictures::default()).await
}

pub async fn team_with(pictures: Pictures) -> Team {
    team_set_up(Setup { pictures, ..Setup::default() }).await
}

pub async fn team_set_up(setup: Setup) -> Team {
    let folder = tempfile::tempdir().unwrap();
    let unlock = Unlock::new_key_file(&folder.path().join("key")).unwrap();
    let dir = folder.path().join("store");
    let postgres = postgres();
    let store = Store::init(&Init { dir: &dir, postgres: postgres.as_deref(), title: "Test" }, &unlock).await.unwrap();
    let law = Law::load(None).unwrap();
    let mut users = BTreeMap::new();
    users.insert("administrator".to_owned(), Desk::first_account(&store, "administrator", PASSWORD).await.unwrap());
    let admin = Desk::sign_in(&store, &law, "administrator", PASSWORD).await.unwrap();
    for role in ROLES.iter().filter(|role| **role != "administrator") {
        let login = role.replace('_', "-");
        let user = admin.add_account(&login, &[(*role).to_owned()], None, PASSWORD).await.unwrap();
        users.insert((*role).to_owned(), user);
    }
    drop(admin);
    let boss = Desk::sign_in(&store, &law, "supervisor", PASSWORD).await.unwrap();
    let received = At::read("2026-11-20T09:30Z").unwrap();
    let open = async |title: &str| {
        let opening = Opening { title: title.into(), owner: boss.user(), received, referrals: vec![] };
        boss.open_investigation(opening).await.unwrap()
    };
    let (mine, other) = (open("Operation Heron").await, open("Operation Dunlin").await);
    for (_, user) in users.iter().filter(|(role, _)| *role != "supervisor") {
        boss.set_member(mine, *user, true).await.unwrap();
    }
    // The other one has one of each thing; mine has a warrant and an exhibit.
    for of in [mine, other] {
        let drafts = [
            json!({"event": "person", "investigation": of, "person": {"new": "P"}, "fact": {"fact": "made",
                "known": received, "roles": ["suspect"]}}),
            json!({"event": "warrant", "investigation": of, "warrant": {"new": "W"}, "fact": {"fact": "drafted",
                "power": "pace-s8", "grounds": {"personal": "see the lead"}, "premises": [{"personal": "Street 1"}]}}),
            json!({"event": "exhibit", "investigation": of, "exhibit": {"new": "E"}, "fact": {"fact": "taken",
                "when": received, "officer": boss.user(), "reference": "JC/1", "kind": "phone", "description": "black",
                "place": "room 2", "source": {"kind": "power", "power": "search-after-arrest"}}}),
            json!({"event": "ip", "investigation": of, "ip": {"new": "N"}, "fact": {"fact": "stated", "place": "line 1",
                "stated": {"personal": {"address": "192.0.2.17", "time": "2026-11-19T21:15:00Z"}}}}),
        ];
        for draft in drafts {
            boss.record(&draft, None).await.unwrap();
        }
    }
    drop(boss);
    let app = App::with(store, law.clone(), setup);
    let router = avocet_server::router(&app);
    Team { folder, app, router, law, users, mine, other }
}

/// A new database on the server that `tools/postgres.sh` started, where the tests are asked to run on it
/// (`AVOCET_TEST_SERVER_ON=postgres`). It goes with that server.
fn postgres() -> Option<String> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    std::env::var("AVOCET_TEST_SERVER_ON").ok().filter(|on| on == "postgres")?;
    let server = std::env::var("AVOCET_TEST_POSTGRES").expect("tools/postgres.sh starts one");
    let name = format!("avocet_web_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let mut made = Command::new("psql");
    made.arg(format!("{server}/postgres")).args(["-q", "-c", &format!("CREATE DATABASE {name}")]);
    assert!(made.status().unwrap().success());
    Some(format!("{server}/{name}"))
}

pub async fn send(router: &Router, request: Request<Body>) -> Answer {
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, 1 << 24).await.unwrap();
    Answer { status: parts.status, headers: parts.headers, body: String::from_utf8_lossy(&bytes).into_owned() }
}

fn cookie_of(answer: &Answer, name: &str) -> String {
    let set = answer.headers.get_all(header::SET_COOKIE).iter().map(|c| c.to_str().unwrap());
    let of = set.filter_map(|c| c.strip_prefix(&format!("{name}="))).next().unwrap();
    of.split(';').next().unwrap().to_owned()
}

pub fn field(body: &str, name: &str) -> String {
    let at = body.find(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("no field {name}"));
    let rest = &body[at..];
    let rest = rest.split("value=\"").nth(1).unwrap();
    rest.split('"').next().unwrap().to_owned()
}

impl Team {
    pub fn stranger(&self) -> Browser {
        Browser { router: self.router.clone(), cookie: String::new(), csrf: String::new() }
    }

    /// Signs in as a role's account.
    pub async fn sign_in(&self, role: &str) -> Browser {
        let shown = send(&self.router, Request::get("/sign-in").body(Body::empty()).unwrap()).await;
        let token = cookie_of(&shown, "__Host-avocet-form");
        assert_eq!(token, field(&shown.body, "csrf"));
        let login = role.replace('_', "-");
        let body = format!("csrf={token}&login={login}&password={}", PASSWORD.replace(' ', "+"));
        let request = Request::post("/sign-in")
            .header(header::COOKIE, format!("__Host-avocet-form={token}"))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(body))
            .unwrap();
        let answer = send(&self.router, request).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{role}: {}", answer.body);
        let cookie = format!("__Host-avocet={}", cookie_of(&answer, "__Host-avocet"));
        let mut browser = Browser { router: self.router.clone(), cookie, csrf: String::new() };
        browser.csrf = field(&browser.get("/account").await.body, "csrf");
        browser
    }
}

impl Browser {
    pub async fn get(&self, path: &str) -> Answer {
        let request = Request::get(path).header(header::COOKIE, &self.cookie).body(Body::empty()).unwrap();
        send(&self.router, request).await
    }

    /// Sends a form, with the session's token.
    pub async fn post(&self, path: &str, body: &str) -> Answer {
        self.post_raw(path, &format!("csrf={}&{body}", self.csrf)).await
    }

    pub async fn post_raw(&self, path: &str, body: &str) -> Answer {
        let request = Request::post(path)
            .header(header::COOKIE, &self.cookie)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(body.to_owned()))
            .unwrap();
        send(&self.router, request).await
    }

    pub async fn ask(&self, method: &Method, path: &str) -> Answer {
        if *method == Method::POST { self.post(path, "").await } else { self.get(path).await }
    }
}
