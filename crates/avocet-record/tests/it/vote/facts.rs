//! The stored form of facts.

use avocet_record::vote::{Category, Seed, VoteFact};

use super::{Do, fact, policy};

#[test]
fn facts_keep_their_stored_form() {
    let sha = "01".repeat(32);
    let scheme = r#""scheme":{"id":"uk-2014","version":"1"}"#;
    for (done, text) in [
        (
            Do::Vote(1, "A"),
            format!(
                r#"{{"fact":"voted","investigation":"I-7","sha256":"{sha}",{scheme},"category":"A","basis":{{"kind":"viewed"}},"purpose":"grading","blind":false}}"#
            ),
        ),
        (
            Do::Blind(1, "prohibited"),
            format!(
                r#"{{"fact":"voted","investigation":"I-7","sha256":"{sha}",{scheme},"category":"prohibited","basis":{{"kind":"viewed"}},"purpose":"second_view","blind":true}}"#
            ),
        ),
        (Do::Withdraw(1, 4), format!(r#"{{"fact":"withdrawn","sha256":"{sha}","vote":4,"reason":"slip"}}"#)),
        (
            Do::Ask(1),
            format!(
                r#"{{"fact":"second_view_requested","investigation":"I-7","sha256":"{sha}",{scheme},"reason":"legal_line"}}"#
            ),
        ),
        (
            Do::Import("S", "1", "B", true),
            format!(
                r#"{{"fact":"imported","sha256":"{sha}",{scheme},"category":"B","set":{{"name":"S","version":"1"}},"says_trusted":true}}"#
            ),
        ),
    ] {
        let fact = fact(1, &done).fact;
        assert_eq!(serde_json::to_string(&fact).unwrap(), text);
        assert_eq!(serde_json::from_str::<VoteFact>(&text).unwrap(), fact);
        let more = text.replacen('{', r#"{"extra":1,"#, 1);
        assert!(serde_json::from_str::<VoteFact>(&more).is_err(), "{more}");
    }
    for basis in [
        format!(r#"{{"kind":"accepted_in_group","group":"G4","representative":"{sha}"}}"#),
        r#"{"kind":"by_exact_match","set":{"name":"S","version":"1"}}"#.to_owned(),
    ] {
        let basis: avocet_record::vote::Basis = serde_json::from_str(&basis).unwrap();
        assert_eq!(
            serde_json::from_str::<avocet_record::vote::Basis>(&serde_json::to_string(&basis).unwrap()).unwrap(),
            basis
        );
    }
    assert!(serde_json::from_str::<avocet_record::vote::Basis>(r#"{"kind":"viewed","x":1}"#).is_err());
}

#[test]
fn a_policy_keeps_its_rule_and_its_seed() {
    let fact = VoteFact::PolicySet(policy(2, 100));
    let text = serde_json::to_string(&fact).unwrap();
    assert!(
        text.starts_with(r#"{"fact":"policy_set","investigation":"I-7","policy":{"kind":"every_image"},"#),
        "{text}"
    );
    assert!(text.contains(&format!(r#""seed":"{}""#, "05".repeat(32))), "{text}");
    assert_eq!(serde_json::from_str::<VoteFact>(&text).unwrap(), fact);
    assert!(serde_json::from_str::<VoteFact>(&text.replacen('{', r#"{"extra":1,"#, 1)).is_err());
    let streamlined = text.replace(r#"{"kind":"every_image"}"#, r#"{"kind":"streamlined","criteria":"first 500"}"#);
    let VoteFact::PolicySet(read) = serde_json::from_str(&streamlined).unwrap() else { panic!("another fact") };
    assert_eq!(read.policy, avocet_record::vote::Policy::Streamlined { criteria: "first 500".to_owned(), stop: None });
    // Who knows the seed can tell which items are moderated.
    assert!(!format!("{fact:?}").contains("5, 5"));
    assert_eq!(format!("{:?}", Seed([5; 32])), "Seed(..)");
    assert!(serde_json::from_str::<Seed>("\"05\"").is_err());
}

#[test]
fn categories_are_checked_and_equal_in_either_case() {
    for wrong in ["", " ", " A", "A ", "A\n", "\u{7}", &"A".repeat(65)] {
        assert!(wrong.parse::<Category>().is_err(), "{wrong:?}");
    }
    let (upper, lower): (Category, Category) = ("A".parse().unwrap(), "a".parse().unwrap());
    assert_eq!((upper == lower, upper.cmp(&lower)), (true, std::cmp::Ordering::Equal));
    assert_eq!(std::collections::HashSet::from([upper.clone(), lower]).len(), 1);
    assert_eq!(serde_json::to_string(&upper).unwrap(), "\"A\"");
    assert!(upper < "B".parse().unwrap());
}
