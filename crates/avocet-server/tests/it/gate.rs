//! Who may ask for what: every address as every role, and nothing of one investigation through another.

use avocet_record::law::{Right, RightScope};
use avocet_server::route::{Route, Rule};
use axum::http::{Method, StatusCode};

use crate::support::{ROLES, Team, team};

/// The address with ids in it: of things that belong to `things`, in the investigation `of`.
fn address(route: &Route, of: u64, things: u64) -> String {
    let thing = match route.path {
        path if path.contains("/addresses/") => format!("N-{things}"),
        path if path.contains("/warrants/") => format!("W-{things}"),
        path if path.contains("/exhibits/") => format!("E-{things}"),
        path if path.contains("/people/") || path.contains("/children/") || path.contains("/welfare/") => {
            format!("P-{things}")
        }
        _ => "C-999".to_owned(),
    };
    route
        .path
        .replace("{i}", &format!("I-{of}"))
        .replace("{thing}", &thing)
        .replace("{line}", "S-999")
        .replace("{figure}", "nothing")
        .replace("{user}", "U-999")
        .replace("{referral}", "R-999")
        .replace("{sha256}", &"0".repeat(64))
        .replace("{result}", &"0".repeat(64))
        .replace("{extract}", &"0".repeat(64))
        .replace("{set}", "nothing@1")
        .replace("{batch}", "nothing")
        .replace("{n}", "0")
        .replace("{name}", "nothing")
}

/// What the built-in table of roles says, by the rule of the address alone.
fn may(team: &Team, role: &str, rule: Rule) -> bool {
    match rule {
        Rule::Public | Rule::SignedIn => true,
        Rule::Any(rights) => rights.iter().any(|right| team.law.roles.row(role).unwrap().value.may(*right)),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_address_as_every_role() {
    let team = team().await;
    let routes = avocet_server::routes();
    assert!(routes.len() > 100, "{}", routes.len());
    let mut asked = 0;
    for role in ROLES {
        let browser = team.sign_in(role).await;
        for route in &routes {
            if route.path == "/sign-out" || route.path == "/sign-in" {
                continue;
            }
            let path = address(route, team.mine.number(), 1);
            let answer = browser.ask(&route.method, &path).await;
            let seen = format!("{role} {} {path}: {}", route.method, answer.status);
            assert!(!answer.status.is_server_error(), "{seen}");
            // The members' page tells more to who also reads the investigation; the rest is the rule.
            match may(&team, role, route.rule) {
                true => assert!(answer.status != StatusCode::UNAUTHORIZED, "{seen}"),
                false => assert_eq!(answer.status, StatusCode::FORBIDDEN, "{seen}"),
            }
            if may(&team, role, route.rule) && answer.status == StatusCode::FORBIDDEN {
                // A form that the gate let through may still be refused by the record: for a child, for one.
                assert!(route.method == Method::POST || path.ends_with("/conflicts"), "{seen}");
            }
            asked += 1;
        }
    }
    println!("{asked} requests as {} roles to {} addresses", ROLES.len(), routes.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_who_is_not_signed_in_sees_more_than_the_open_addresses() {
    let team = team().await;
    let stranger = team.stranger();
    let mut open = vec![];
    for route in avocet_server::routes() {
        let path = address(&route, 1, 1);
        let answer = stranger.ask(&route.method, &path).await;
        if route.rule == Rule::Public {
            open.push(format!("{} {}", route.method, route.path));
        } else if route.method == Method::GET {
            assert_eq!(answer.status, StatusCode::SEE_OTHER, "{path}");
            assert!(answer.to().starts_with("/sign-in"), "{path}");
        } else {
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}");
        }
    }
    assert_eq!(open, ["GET /assets/{name}", "GET /sign-in", "POST /sign-in"]);
}

#[test]
fn a_right_that_reaches_only_ones_own_investigations_stands_only_where_one_is_named() {
    for route in avocet_server::routes() {
        if let Rule::Any(rights) = route.rule {
            assert!(!rights.is_empty(), "{route:?}");
            let bound = rights.iter().any(|right| right.scope() == RightScope::Investigation);
            assert!(!bound || route.path.contains("{i}"), "{route:?}");
        }
        // Whatever lies below an investigation is asked for with a right.
        if route.path.contains("{i}") {
            assert!(matches!(route.rule, Rule::Any(_)), "{route:?}");
        }
        assert_eq!(route.most > 0, route.method == Method::POST, "{route:?}");
    }
    assert!(Right::ALL.len() > 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_one_investigation_through_another() {
    let team = team().await;
    let detective = team.sign_in("detective").await;
    let boss = team.sign_in("supervisor").await;
    let (mut through, mut own) = (0, 0);
    for route in avocet_server::routes() {
        let rights = match route.rule {
            Rule::Any(rights) => rights,
            _ => continue,
        };
        if route.path.contains("{i}") {
            // Not on it: as if it were not there, whatever the address. What protects a child is open to everybody.
            let everywhere = rights.iter().any(|right| right.scope() == RightScope::Everywhere);
            if !everywhere && may(&team, "detective", route.rule) {
                let answer = detective.ask(&route.method, &address(&route, team.other.number(), 2)).await;
                assert_eq!(answer.status, StatusCode::NOT_FOUND, "{route:?}");
                own += 1;
            }
        }
        if route.path.contains("{thing}") && may(&team, "supervisor", route.rule) {
            // On both: the other's thing is still not there under mine.
            let answer = boss.ask(&route.method, &address(&route, team.mine.number(), 2)).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{route:?}");
            through += 1;
        }
    }
    assert!(through > 40 && own > 40, "{through} {own}");
    // And under its own it is.
    let own = boss.get(&format!("/investigations/{}/exhibits/E-2", team.other)).await;
    assert_eq!(own.status, StatusCode::OK);
}
