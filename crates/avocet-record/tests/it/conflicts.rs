//! The same identifiers elsewhere, against a search of every pair of records that knows what was put into each.

use std::collections::{BTreeMap, BTreeSet};

use avocet_record::desk::{Desk, Opening};
use avocet_record::law::Law;
use avocet_record::{At, ReferralId};
use serde_json::json;

use super::support::{Random, admin, on_each_database};

const PASSWORD: &str = "a long enough password";

/// What a record holds, as drawn: the kind and which one of it. Spellings are not part of it.
type Drawn = BTreeSet<(&'static str, u64)>;

/// An identifier in one of its spellings, as an element of a lead.
fn element(random: &mut Random, kind: &str, n: u64) -> String {
    let way = random.below(3);
    match (kind, way) {
        ("email", 0) => format!("<email>person{n}@example.org</email>"),
        ("email", 1) => format!("<email> Person{n}@EXAMPLE.org </email>"),
        ("email", _) => format!("<x><email>PERSON{n}@example.ORG</email></x>"),
        ("telephone", 0) => format!("<phone>07700 90012{n}</phone>"),
        ("telephone", 1) => format!("<phone>+44 (0)7700 90012{n}</phone>"),
        ("telephone", _) => format!("<phone>00447700-90012{n}</phone>"),
        ("url", 0) => format!("<url>https://www.example.org/page{n}/</url>"),
        ("url", 1) => format!("<url>http://EXAMPLE.org/page{n}</url>"),
        ("url", _) => format!("<url>example.org/page{n}</url>"),
        ("device", 0) => format!("<imei>35-000000-00001{n}</imei>"),
        ("device", 1) => format!("<serial>3500000000001{n}</serial>"),
        ("device", _) => format!("<imei>35 0000 0000 001{n}</imei>"),
        ("digest", 0) => format!("<md5>{n:032x}</md5>"),
        ("digest", 1) => format!("<md5>{n:032X}</md5>"),
        ("digest", _) => format!("<originalFileHash hashType=\"MD5\">{n:032x}</originalFileHash>"),
        ("ip", 0) => format!("<ipCaptureEvent><ipAddress>192.0.2.{n}</ipAddress></ipCaptureEvent>"),
        ("ip", _) => format!("<ipCaptureEvent><ipAddress>::ffff:192.0.2.{n}</ipAddress></ipCaptureEvent>"),
        // The same instant in two zones; the address alone is drawn with it.
        ("ip-and-time", 0) => event(n, "2026-03-01T10:00:00Z"),
        ("ip-and-time", 1) => event(n, "2026-03-01T11:00:00+01:00"),
        ("ip-and-time", _) => event(n, "2026-03-01T05:00:00-05:00"),
        other => panic!("no such kind: {other:?}"),
    }
}

fn event(n: u64, time: &str) -> String {
    format!("<ipCaptureEvent><ipAddress>198.51.100.{n}</ipAddress><dateTime>{time}</dateTime></ipCaptureEvent>")
}

const KINDS: [&str; 7] = ["email", "telephone", "url", "device", "digest", "ip", "ip-and-time"];

/// How many of each kind two records share: every pair is looked at, and nothing of the tokens is used.
fn shared(a: &Drawn, b: &Drawn) -> BTreeMap<String, u64> {
    let mut found = BTreeMap::new();
    for (kind, n) in a {
        if b.contains(&(*kind, *n)) {
            *found.entry((*kind).to_owned()).or_default() += 1;
        }
    }
    found
}

#[test]
fn every_pair_that_shares_an_identifier_is_found_and_no_other() {
    on_each_database(async |_place, store| {
        let law = Law::load(None).unwrap();
        let admin = admin(&store, &law).await;
        admin.add_account("sup", &["supervisor".to_owned()], None, PASSWORD).await.unwrap();
        let desk = Desk::sign_in(&store, &law, "sup", PASSWORD).await.unwrap();
        let mut random = Random(11);
        let mut all: BTreeMap<String, Drawn> = BTreeMap::new();
        let opening = Opening { title: "x".into(), owner: desk.user(), received: At::from_ns(0), referrals: vec![] };
        let id = desk.open_investigation(opening).await.unwrap();
        for n in 0..60u64 {
            let mut drawn = Drawn::new();
            if n % 6 == 5 {
                // An exhibit, recorded later than the leads before it and earlier than those after.
                let device = random.below(6);
                let taken = json!({"event": "exhibit", "investigation": id, "exhibit": {"new": "E"}, "fact": {
                    "fact": "taken", "when": {"time": "2026-11-20T09:30Z"}, "officer": desk.user(),
                    "reference": format!("JC/{n}"), "kind": "phone", "description": "test", "place": "room 1",
                    "serials": [{"kind": "IMEI", "value": format!("35.0000.0000.001{device}")}],
                    "source": {"kind": "power", "power": "test"}}});
                let made = desk.record(&taken, None).await.unwrap().made.remove(0);
                all.insert(made, Drawn::from([("device", device)]));
                continue;
            }
            let mut text = format!("<report><reportId>{n}</reportId>");
            for _ in 0..random.below(5) {
                let kind = KINDS[usize::try_from(random.below(7)).unwrap()];
                let which = 1 + random.below(6);
                text.push_str(&element(&mut random, kind, which));
                drawn.insert((kind, which));
                if kind == "ip-and-time" {
                    // 198.51.100.n by itself is shared too.
                    drawn.insert(("ip", 100 + which));
                }
            }
            text.push_str("</report>");
            let (referral, lead) = desk.receive(text.as_bytes(), None, "public", At::from_ns(0)).await.unwrap();
            assert_eq!(lead.identifiers().len(), drawn.len(), "{text}");
            all.insert(referral.to_string(), drawn);
        }
        let check = async |all: &BTreeMap<String, Drawn>, gone: &BTreeSet<String>| {
            let mut pairs = 0;
            for (subject, drawn) in all.iter().filter(|(subject, _)| !gone.contains(*subject)) {
                let mut wanted = BTreeMap::new();
                for (other, theirs) in all.iter().filter(|(other, _)| *other != subject && !gone.contains(*other)) {
                    for (kind, n) in shared(drawn, theirs) {
                        wanted.insert((other.clone(), kind), n);
                    }
                }
                pairs += wanted.len();
                let found = desk.conflicts(subject).await.unwrap();
                let mut ours = BTreeMap::new();
                for conflict in found {
                    let before = ours.insert((conflict.other, conflict.kind), conflict.count);
                    assert_eq!(before, None, "{subject}: told twice");
                }
                let ours: BTreeMap<(String, String), u64> =
                    ours.into_iter().map(|((other, kind), n)| ((other, kind.replace('_', "-")), n)).collect();
                assert_eq!(ours, wanted, "{subject}");
            }
            pairs
        };
        let pairs = check(&all, &BTreeSet::new()).await;
        assert!(pairs > 200, "only {pairs} pairs share something");
        // Who is erased is found no more, from either side.
        let mut gone = BTreeSet::new();
        for (n, subject) in (0u64..).zip(all.keys().filter(|id| id.parse::<ReferralId>().is_ok()).cloned()) {
            if n % 7 == 0 {
                desk.erase(Some(id), &subject, "retention rule 4", "asked for").await.unwrap();
                gone.insert(subject);
            }
        }
        assert!(check(&all, &gone).await < pairs);
        assert_eq!(store.rebuild(false).await.unwrap(), []);
    });
}
