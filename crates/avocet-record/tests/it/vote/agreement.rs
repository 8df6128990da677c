//! Agreement beyond chance, against examples worked by hand and against Python's exact fractions.

use std::io::Write as _;
use std::process::{Command, Stdio};

use avocet_record::vote::{Agreement, Category, Confusion, Kappa, NotDefined, Panel, Purpose, pairs, panel};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use super::Do::{Blind, Moderate, Newer, Seeing, Vote, Withdraw};
use super::{category, item, scheme};

/// Asks `oracle.py` one question a line; none where there is no Python.
pub fn ask(questions: &[String]) -> Option<Vec<String>> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/vote/oracle.py");
    let spawned = Command::new("python3").arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let Ok(mut child) = spawned else {
        println!("SKIPPED: {} comparisons, as there is no python3", questions.len());
        return None;
    };
    let mut input = child.stdin.take().unwrap();
    let text = questions.join("\n") + "\n";
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success());
    let answers: Vec<String> = String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    assert_eq!(answers.len(), questions.len());
    Some(answers)
}

fn confusion(counts: &[(&str, &str, u64)]) -> Confusion {
    let mut out = Confusion::default();
    for (first, second, count) in counts {
        for _ in 0..*count {
            out.add(&category(first), &category(second));
        }
    }
    out
}

fn close(kappa: Kappa, wanted: f64) -> bool {
    matches!(kappa, Kappa::Value(kappa) if (kappa - wanted).abs() < 1e-12)
}

#[test]
fn cohen_by_hand() {
    // 50 items: both yes 20, both no 15, yes then no 5, no then yes 10.
    // Agree 35/50 = 0.7. Yes: 25/50 and 30/50, no: 25/50 and 20/50: by chance 0.5*0.6 + 0.5*0.4 = 0.5.
    // Kappa (0.7 - 0.5) / (1 - 0.5) = 0.4.
    let table = confusion(&[("Y", "Y", 20), ("N", "N", 15), ("Y", "N", 5), ("N", "Y", 10)]);
    let found = table.cohen();
    assert_eq!((found.items, found.votes_per_item), (50, 2));
    assert_eq!((found.observed, found.by_chance), (Some(0.7), Some(0.5)));
    assert!(close(found.kappa, 0.4), "{found}");
    assert_eq!(
        found.to_string(),
        "kappa 0.40; 50 items with 2 votes each; 70.0 % of pairs agree, 50.0 % would by chance"
    );
    // Two graders who always differ: 0 observed, by chance 2 * 1/4 = 1/2: kappa -1.
    assert!(close(confusion(&[("A", "B", 1), ("B", "A", 1)]).cohen().kappa, -1.0));
    assert!(close(confusion(&[("A", "A", 3), ("B", "B", 1)]).cohen().kappa, 1.0));
    // The first always says A, the second A or B: observed 3/4, by chance 1 * 3/4: kappa 0, not undefined.
    assert!(close(confusion(&[("A", "A", 3), ("A", "B", 1)]).cohen().kappa, 0.0));
    // One has A only, the other B only: observed 0, by chance 0: kappa 0.
    assert!(close(confusion(&[("A", "B", 4)]).cohen().kappa, 0.0));
}

#[test]
fn fleiss_by_hand() {
    // Three votes on each of four items: AAA, AAB, ABB, BBB. Agreeing pairs: 3/3, 1/3, 1/3, 3/3, so 2/3 on average.
    // A and B six of twelve each: by chance 1/4 + 1/4 = 1/2. Kappa (2/3 - 1/2) / (1/2) = 1/3.
    let mut panel = Panel::new(3);
    for votes in ["AAA", "AAB", "ABB", "BBB", "AB", "AAAA"] {
        panel.add(&codes(votes));
    }
    assert_eq!(panel.left_out, 2);
    let found = panel.fleiss();
    assert_eq!((found.items, found.votes_per_item), (4, 3));
    assert!(close(found.kappa, 1.0 / 3.0), "{found}");
    assert_eq!(
        panel.totals().map(|(c, n)| (c.as_str().to_owned(), n)).collect::<Vec<_>>(),
        [("A".to_owned(), 6), ("B".to_owned(), 6)]
    );
    // Two votes AB and AB: no pair agrees, 1/2 would by chance: kappa -1.
    let mut apart = Panel::new(2);
    apart.add(&codes("AB"));
    apart.add(&codes("BA"));
    assert!(close(apart.fleiss().kappa, -1.0));
    // Ten items by fourteen people in five categories, the example usually printed with the measure. Squares by item:
    // 196 + 60 + 70 + 94 + 74 + 98 + 58 + 46 + 66 + 66 = 828; observed (828 - 140) / (140 * 13) = 0.37802. Categories
    // 20, 28, 39, 21, 32 of 140: by chance (400 + 784 + 1521 + 441 + 1024) / 19600 = 0.21276. Kappa 0.16526 / 0.78724.
    let rows: [[usize; 5]; 10] = [
        [0, 0, 0, 0, 14],
        [0, 2, 6, 4, 2],
        [0, 0, 3, 5, 6],
        [0, 3, 9, 2, 0],
        [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0],
        [3, 2, 6, 3, 0],
        [2, 5, 3, 2, 2],
        [6, 5, 2, 1, 0],
        [0, 2, 2, 3, 7],
    ];
    let mut panel = Panel::new(14);
    for row in rows {
        let votes: String = row.iter().zip("ABCDE".chars()).flat_map(|(n, c)| std::iter::repeat_n(c, *n)).collect();
        panel.add(&codes(&votes));
    }
    let Kappa::Value(kappa) = panel.fleiss().kappa else { panic!("no kappa") };
    assert_eq!(format!("{kappa:.3}"), "0.210");
}

fn codes(votes: &str) -> Vec<Category> {
    votes.chars().map(|c| category(&c.to_string())).collect()
}

#[test]
fn what_is_not_defined_says_why() {
    let none = |found: Agreement, why: NotDefined| {
        assert_eq!(found.kappa, Kappa::NotDefined(why));
        assert!(found.to_string().starts_with("kappa is not defined, as "), "{found}");
        assert!(!found.to_string().contains("NaN"));
    };
    none(Confusion::default().cohen(), NotDefined::NoItems);
    none(confusion(&[("A", "a", 7)]).cohen(), NotDefined::OneCategory);
    assert_eq!(confusion(&[("A", "a", 7)]).cohen().observed, Some(1.0));
    none(Panel::new(3).fleiss(), NotDefined::NoItems);
    none(Panel::new(0).fleiss(), NotDefined::TooFewVotes);
    let mut one = Panel::new(1);
    one.add(&codes("A"));
    none(one.fleiss(), NotDefined::TooFewVotes);
    let mut same = Panel::new(2);
    same.add(&codes("AA"));
    none(same.fleiss(), NotDefined::OneCategory);
}

#[test]
fn python_finds_the_same() {
    let mut runner = TestRunner::deterministic();
    let code = || prop::sample::select(vec!["A", "B", "C", "d"]);
    let (mut questions, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..200 {
        let pairs = prop::collection::vec((code(), code()), 0..40).new_tree(&mut runner).unwrap().current();
        let mut table = Confusion::default();
        for (first, second) in &pairs {
            table.add(&category(first), &category(second));
        }
        questions.push(serde_json::to_string(&("cohen", pairs)).unwrap());
        ours.push(table.cohen().kappa);
    }
    for round in 0..200 {
        let votes = 1 + round % 6;
        let item = prop::collection::vec(code(), votes);
        let items = prop::collection::vec(item, 0..30).new_tree(&mut runner).unwrap().current();
        let mut panel = Panel::new(votes as u64);
        for item in &items {
            panel.add(&item.iter().map(|c| category(c)).collect::<Vec<_>>());
        }
        questions.push(serde_json::to_string(&("fleiss", items)).unwrap());
        ours.push(panel.fleiss().kappa);
    }
    let Some(answers) = ask(&questions) else { return };
    let (mut values, mut undefined) = (0, 0);
    for ((question, answer), ours) in questions.iter().zip(&answers).zip(ours) {
        match answer.parse::<f64>() {
            Ok(theirs) => {
                assert!(close(ours, theirs), "{question}: {ours:?} and {theirs}");
                values += 1;
            }
            Err(_) => {
                assert!(matches!(ours, Kappa::NotDefined(_)), "{question}: {ours:?}");
                undefined += 1;
            }
        }
    }
    // Both kinds must occur, or the comparison proves nothing about one of them.
    assert!(values > 250 && undefined > 10, "{values} values, {undefined} undefined");
    println!("{values} values and {undefined} undefined, all equal");
}

#[test]
fn pairs_are_the_vote_that_stood_and_the_first_second_look() {
    let items = [
        item(&[Vote(1, "A"), Moderate(9, "A")]),
        // Changed to B before the moderator looked, and to C after.
        item(&[Vote(1, "A"), Vote(1, "B"), Moderate(9, "B"), Vote(1, "C")]),
        // Moderated twice: the first look counts.
        item(&[Vote(2, "A"), Moderate(9, "B"), Moderate(9, "A")]),
        item(&[Vote(1, "A")]),
        item(&[Moderate(9, "A")]),
        item(&[Vote(1, "A"), Moderate(9, "C"), Withdraw(9, 2)]),
        // Their own vote: no moderation.
        item(&[Vote(1, "A"), Moderate(1, "B")]),
        item(&[Newer(1, "A"), Moderate(9, "A")]),
        item(&[Vote(1, "A"), Blind(2, "B")]),
        item(&[Vote(1, "A"), Seeing(3, "A")]),
    ];
    let found = pairs(&items, &scheme("1"), Purpose::Moderation);
    let counts: Vec<_> = found.all.counts().map(|(a, b, n)| (a.as_str(), b.as_str(), n)).collect();
    assert_eq!(counts, [("A", "A", 1), ("A", "B", 1), ("B", "B", 1)]);
    assert_eq!((found.blind.items(), found.without_second, found.without_first), (0, 5, 2));
    assert_eq!(found.all.items() + found.without_first + found.without_second, 10);
    let second = pairs(&items, &scheme("1"), Purpose::SecondView);
    let counts: Vec<_> = second.all.counts().map(|(a, b, n)| (a.as_str(), b.as_str(), n)).collect();
    assert_eq!(counts, [("A", "A", 1), ("A", "B", 1)]);
    // Only the one that saw nothing is a blind pair.
    assert_eq!(second.blind.counts().map(|(a, b, n)| (a.as_str(), b.as_str(), n)).collect::<Vec<_>>(), [("A", "B", 1)]);
}

#[test]
fn a_panel_is_everybodys_first_word() {
    let items = [
        item(&[Vote(1, "A"), Vote(2, "B"), Vote(1, "B")]),
        item(&[Vote(1, "A"), Vote(2, "A")]),
        item(&[Vote(1, "A"), Vote(2, "A"), Vote(3, "A")]),
        item(&[Vote(1, "A"), Vote(2, "B"), Withdraw(2, 2)]),
        item(&[Vote(1, "A"), Newer(2, "B")]),
    ];
    let found = panel(&items, &scheme("1"), 2, false);
    assert_eq!((found.fleiss().items, found.left_out), (2, 3));
    assert_eq!(found.totals().map(|(c, n)| (c.as_str(), n)).collect::<Vec<_>>(), [("A", 3), ("B", 1)]);
    assert_eq!(panel(&items, &scheme("1"), 2, true).left_out, 5);
}
