//! A fictional year of a record, its figures, and the same figures by a script that shares no code.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::support::{Place, Ran};

fn in_year(place: &Place, login: &str, args: &[&str]) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_avocet"))
        .args(args)
        .current_dir(place.dir.path())
        .env("AVOCET_STORE", place.path("year"))
        .env("AVOCET_STORE_KEY", place.path("year/demo.store-key"))
        .env("AVOCET_USER", login)
        .env("AVOCET_PASSWORD", "a fictional team")
        .output()
        .unwrap();
    output.into()
}

fn json(ran: Ran) -> Value {
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    serde_json::from_str(&ran.out).unwrap()
}

/// Value and records of each measure.
fn by_measure(figures: &Value) -> BTreeMap<String, (Value, Vec<String>)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let one = |figure: &Value| {
        let records = figure["records"].as_array().unwrap().iter().map(text).collect();
        (text(&figure["measure"]), (figure["value"].clone(), records))
    };
    figures["figures"].as_array().unwrap().iter().map(one).collect()
}

#[test]
fn a_year_counted_twice() {
    let place = Place::new();
    let refused = place.run(["demo", "--record-only", "--store", "year/there"]);
    assert_eq!(refused.code, 2, "{}", refused.err);
    let made = place.run(["demo", "--record-only", "--store", "year", "--quiet"]);
    assert_eq!(made.code, 0, "{}{}", made.out, made.err);

    let year = ["figures", "--from", "2025-06-01", "--to", "2026-05-31"];
    let figures = json(in_year(&place, "sup", &[&year[..], &["--records", "--json"]].concat()));
    let counted = by_measure(&figures);
    let number = |measure: &str| counted[measure].0.as_u64().unwrap();
    // The shape of the year that one force published: 204 warrants, 84 arrests, more than 1,400 devices, 210 children.
    assert_eq!((number("warrants-executed/1"), number("arrests/1"), number("children-safeguarded/1")), (204, 84, 210));
    assert!((1400..1600).contains(&number("devices-seized/1")), "{}", number("devices-seized/1"));
    assert!(number("referrals-received/1") > 2000 && number("children-identified/1") == 12);
    let sentence = figures["sentence"].as_str().unwrap();
    assert!(
        sentence.starts_with(
            "Between 1 June 2025 and 31 May 2026 the team executed 204 warrants, made 84 arrests, seized 1,"
        )
    );
    assert!(sentence.ends_with(" devices and safeguarded 210 children."));

    // What somebody without this program counts from the exported facts, for the year and for a month, now and then.
    let exported = in_year(&place, "aud", &["figures", "export", "--csv", "facts"]);
    assert_eq!(exported.code, 0, "{}", exported.err);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/formats/recompute_figures.py");
    let middle = (figures["cutoff"].as_u64().unwrap() / 2).to_string();
    let mut compared = 0;
    for (from, to, cutoff) in [
        ("2025-06-01", "2026-05-31", None),
        ("2025-10-01", "2025-10-31", None),
        ("2025-06-01", "2026-05-31", Some(middle.as_str())),
    ] {
        let mut args = vec!["figures", "--from", from, "--to", to, "--records", "--json"];
        args.extend(cutoff.iter().flat_map(|cutoff| ["--cutoff", cutoff]));
        let ours = by_measure(&json(in_year(&place, "aud", &args)));
        let mut ask = Command::new("python3");
        ask.arg(&script).arg(place.path("facts")).args(["--from", from, "--to", to]);
        ask.args(cutoff.iter().flat_map(|cutoff| ["--cutoff", cutoff]));
        let ran = match ask.output() {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => break,
            other => other.unwrap(),
        };
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        let theirs: Value = serde_json::from_slice(&ran.stdout).unwrap();
        for (measure, (value, records)) in &ours {
            assert_eq!(&theirs[measure]["value"], value, "{measure} from {from} to {to}, cut-off {cutoff:?}");
            assert_eq!(theirs[measure]["records"], serde_json::json!(records), "{measure} from {from} to {to}");
            compared += 1;
        }
        assert_eq!(
            theirs.as_object().unwrap().len(),
            ours.len(),
            "the script counts what the law defines, and no more"
        );
    }
    if compared == 0 {
        println!("SKIPPED: no figure of the year was counted by the script, as there is no python3");
    }

    // What is for publication names no record and no small number; its cut-off brings the same numbers back after a person
    // was erased, a charge corrected and a child joined with another.
    let cutoff = figures["cutoff"].to_string();
    let csv = in_year(&place, "aud", &[&year[..], &["--csv", "figures.csv"]].concat());
    assert_eq!(csv.code, 0, "{}", csv.err);
    assert!(!csv.out.contains("records:") && csv.out.contains("withheld"), "{}", csv.out);
    assert!(csv.out.contains("not for publication") && csv.out.contains("to be confirmed"), "{}", csv.out);
    assert_eq!(in_year(&place, "aud", &[&year[..], &["--csv", "figures.csv"]].concat()).code, 2, "never replaced");
    let child = counted["children-safeguarded/1"].1.clone();
    let (charge, records) = (counted["charges/1"].1[0].clone(), &counted["charges/1"].1);
    let outcome = charge.split('/').next().unwrap();
    let of = |id: &str| {
        let told = json(in_year(&place, "sup", &["record", "show", id, "--json"]));
        (told[0]["event"]["investigation"].as_str().unwrap().to_owned(), told[0]["entry"].to_string())
    };
    let (investigation, entry) = of(outcome);
    let corrected =
        in_year(&place, "sup", &["outcome", "correct", outcome, "--entry", &entry, "--reason", "a wrong number"]);
    assert_eq!(corrected.code, 0, "{}", corrected.err);
    std::fs::write(
        place.path("same.json"),
        serde_json::json!({"event": "person", "investigation": of(&child[0]).0, "person": child[0],
            "fact": {"fact": "same_as", "other": child[1]}})
        .to_string(),
    )
    .unwrap();
    let joined = in_year(&place, "sup", &["record", "add", "same.json"]);
    assert_eq!(joined.code, 0, "{}", joined.err);
    let erase = [
        "record",
        "erase",
        &child[2],
        "--investigation",
        &investigation,
        "--authority",
        "order 1",
        "--reason",
        "asked for",
    ];
    assert_eq!(in_year(&place, "sup", &erase).code, 0);
    let again = json(in_year(&place, "sup", &[&year[..], &["--records", "--json", "--cutoff", &cutoff]].concat()));
    assert_eq!(by_measure(&again), counted);
    let now = by_measure(&json(in_year(&place, "sup", &[&year[..], &["--records", "--json"]].concat())));
    assert_eq!(now["children-safeguarded/1"].0, 209, "one fewer by the join, none by the erasure");
    assert_eq!(now["charges/1"].1.len(), records.len() - 1);
    assert_eq!(in_year(&place, "det", &year).code, 2, "figures are a right of their own");
}
