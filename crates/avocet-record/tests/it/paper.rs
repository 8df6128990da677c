//! Twenty records whose every answer was worked out on paper first: `paper.txt` holds both.

use std::collections::BTreeMap;

use avocet_base::Sha256;
use avocet_record::desk::{Desk, Opening};
use avocet_record::law::Law;
use avocet_record::review::Todo;
use avocet_record::store::Store;
use avocet_record::vote::{Basis, Policy, Purpose, RequestReason, SchemeRef, VoteFact};
use avocet_record::warrant::Readiness;
use avocet_record::{At, ExhibitId, InvestigationId, UserId};
use serde_json::Value;

use super::support::{Place, admin, on_each_database};

const PASSWORD: &str = "a long enough password";
const ONE: InvestigationId = InvestigationId::new(1);

fn at(text: &str) -> At {
    At::read(text).unwrap_or_else(|| panic!("{text} is no time"))
}

/// The built-in law without a moderation sample, which is drawn by chance.
fn law(place: &Place) -> Law {
    let folder = place.folder.path().join("law");
    std::fs::create_dir_all(&folder).unwrap();
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/data/grading.toml")).unwrap();
    let without = text.replace("moderation_per_1000 = 100", "moderation_per_1000 = 0");
    assert_ne!(without, text);
    std::fs::write(folder.join("grading.toml"), without).unwrap();
    Law::load(Some(&folder)).unwrap()
}

/// `entry 17` as `entry _`.
fn without_numbers(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("entry ") {
        out.push_str(before);
        let digits = after.chars().take_while(char::is_ascii_digit).count();
        out.push_str(if digits > 0 { "entry _" } else { "entry " });
        rest = &after[digits..];
    }
    out + rest
}

fn voted(byte: u8, category: &str, second: bool) -> VoteFact {
    VoteFact::Voted {
        investigation: ONE,
        sha256: Sha256([byte; 32]),
        scheme: SchemeRef { id: "uk-2014".into(), version: "1".into() },
        category: category.parse().unwrap(),
        basis: Basis::Viewed {},
        purpose: if second { Purpose::SecondView } else { Purpose::Grading },
        blind: second,
    }
}

struct Team<'s> {
    desks: BTreeMap<&'static str, Desk<'s>>,
    folder: std::path::PathBuf,
    last: u64,
    opened: u64,
}

impl Team<'_> {
    async fn act(&mut self, line: &str) {
        let (who, rest) = line.split_once(' ').unwrap();
        let supervisor = &self.desks["sup"];
        match who {
            "lead" => {
                let (when, xml) = rest.split_once(' ').unwrap();
                self.desks["det"].receive(xml.as_bytes(), None, "ncmec-cybertip", at(when)).await.unwrap();
            }
            "open" => {
                let mut words = rest.split(' ');
                let received = at(words.next().unwrap());
                let referrals = words.map(|id| id.parse().unwrap()).collect();
                let opening = Opening { title: "Test".into(), owner: supervisor.user(), received, referrals };
                let id = supervisor.open_investigation(opening).await.unwrap();
                self.opened += 1;
                assert_eq!(id, InvestigationId::new(self.opened));
                for desk in self.desks.values().filter(|desk| desk.user() != supervisor.user()) {
                    supervisor.set_member(id, desk.user(), true).await.unwrap();
                }
            }
            "take" => drop(self.desks["det"].take_ip_events(rest.parse().unwrap()).await.unwrap()),
            "attach" => {
                let mut words = rest.split(' ');
                let exhibit: ExhibitId = words.next().unwrap().parse().unwrap();
                let file = self.folder.join("one.examination");
                let pictures: Vec<(u8, u32)> = words.map(|byte| (byte.parse().unwrap(), 1)).collect();
                super::sealed::write(&file, &pictures);
                self.desks["exa"].attach_examination(ONE, exhibit, &file, None, None).await.unwrap();
                let scheme = SchemeRef { id: "uk-2014".into(), version: "1".into() };
                supervisor.set_policy(ONE, Policy::EveryImage {}, scheme, "default", "test").await.unwrap();
            }
            "gr1" | "gr2" => {
                let words: Vec<&str> = rest.split(' ').collect();
                if words.len() > 2 {
                    let request = VoteFact::SecondViewRequested {
                        investigation: ONE,
                        sha256: Sha256([words[0].parse().unwrap(); 32]),
                        scheme: SchemeRef { id: "uk-2014".into(), version: "1".into() },
                        reason: RequestReason::Other,
                        note: None,
                    };
                    supervisor.record_vote(ONE, request).await.unwrap();
                    // A blind view is one that was given without the votes.
                    self.desks[who].review_next(ONE, Todo::SecondView, 10).await.unwrap();
                }
                let fact = voted(words[0].parse().unwrap(), words[1], words.len() > 2);
                self.desks[who].record_vote(ONE, fact).await.unwrap();
            }
            _ => {
                let draft = rest.replace("LAST", &self.last.to_string());
                let draft: Value = serde_json::from_str(&draft).unwrap();
                self.last = self.desks[who].record(&draft, None).await.unwrap_or_else(|e| panic!("{line}: {e}")).seq;
            }
        }
    }

    /// Every answer, a line each.
    async fn answers(&self) -> Vec<String> {
        let supervisor = &self.desks["sup"];
        let mut out = vec![];
        for n in 1..=6 {
            for conflict in supervisor.conflicts(&format!("R-{n}")).await.unwrap() {
                let strong = if conflict.strong { "strong" } else { "weak" };
                out.push(format!("R-{n} {} {} {strong}", conflict.kind, conflict.other));
            }
        }
        for (place, queued) in (1..).zip(supervisor.queue().await.unwrap()) {
            let reasons: Vec<String> = queued.placed.reasons.iter().map(ToString::to_string).collect();
            out.push(format!("queue {place} {}: {}", queued.placed.item.investigation, reasons.join(" | ")));
        }
        for event in supervisor.ip_events(ONE).await.unwrap() {
            let ready = if event.not_ready.is_empty() { " ready" } else { "" };
            out.push(format!("{} {}{ready}", event.id, event.when.unwrap()));
            out.extend(event.not_ready.iter().map(|reason| format!("{} not ready: {reason}", event.id)));
        }
        for warrant in supervisor.warrants(ONE).await.unwrap() {
            match warrant.readiness {
                Readiness::Ready => out.push(format!("{} ready", warrant.id)),
                Readiness::NotReady(reasons) => {
                    out.extend(reasons.iter().map(|reason| format!("{} not ready: {reason}", warrant.id)));
                }
                Readiness::Proceeds { .. } => out.push(format!("{} proceeds", warrant.id)),
            }
        }
        for exhibit in supervisor.exhibits(ONE).await.unwrap() {
            let holder = exhibit.state.holder().map_or_else(|| "nobody".to_owned(), |holder| holder.to_string());
            out.push(format!("{} with {holder}", exhibit.id));
            out.extend(exhibit.findings.iter().map(|finding| format!("{} {finding}", exhibit.id)));
        }
        for byte in 1..=6 {
            let (row, ..) = supervisor.medium(ONE, Sha256([byte; 32])).await.unwrap();
            out.push(format!("X-1 {byte} {}", row.outcome));
        }
        let agreement = supervisor.agreement(ONE).await.unwrap();
        out.push(format!("X-1 {}", agreement.second_views.blind.cohen()));
        out.push(format!("X-1 {} without a second view", agreement.second_views.without_second));
        out
    }
}

async fn team<'s>(store: &'s Store, law: &'s Law, place: &Place) -> Team<'s> {
    let admin = admin(store, law).await;
    let mut desks = BTreeMap::new();
    let all = [
        ("sup", "supervisor"),
        ("det", "detective"),
        ("exa", "examiner"),
        ("gr1", "grader"),
        ("gr2", "grader"),
        ("safe", "safeguarding"),
    ];
    for (login, role) in all {
        admin.add_account(login, &[role.to_owned()], None, PASSWORD).await.unwrap();
        desks.insert(login, Desk::sign_in(store, law, login, PASSWORD).await.unwrap());
    }
    assert_eq!(desks["safe"].user(), UserId::new(7));
    Team { desks, folder: place.folder.path().to_owned(), last: 0, opened: 0 }
}

#[test]
fn twenty_records_answer_as_worked_out_on_paper() {
    on_each_database(async |place, store| {
        let law = law(&place);
        store.set_clock(at("2026-11-24T09:00Z"));
        let mut team = team(&store, &law, &place).await;
        let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/paper.txt")).unwrap();
        let (mut wanted, mut records) = (vec![], 0);
        for line in text.lines() {
            match line.split_once(' ') {
                Some((">", answer)) => wanted.push(answer.to_owned()),
                Some(("==", _)) => records += 1,
                _ if line.is_empty() || line.starts_with(['#', ' ']) => {}
                _ => team.act(line).await,
            }
        }
        assert_eq!(records, 20);
        let mut found: Vec<String> = team.answers().await.iter().map(|line| without_numbers(line)).collect();
        // The paper tells the queue with each investigation: in its order it is a list of its own.
        wanted.sort_unstable();
        found.sort_unstable();
        assert_eq!(found, wanted);
        // In the order of the conflicts too: strong before weak.
        let first: Vec<String> =
            team.desks["sup"].conflicts("R-1").await.unwrap().into_iter().map(|c| c.other).collect();
        assert_eq!(first, ["R-2", "R-3", "R-5", "R-3", "R-4"]);
        assert_eq!(store.rebuild(false).await.unwrap(), []);
        assert!(store.verify_ledger(&[]).await.unwrap().is_sound());
    });
}
