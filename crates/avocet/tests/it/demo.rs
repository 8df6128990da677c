//! The demo device, examined from beginning to end, against what the demo is known to hold.

use super::support::Place;

fn examine(place: &Place, out: &str, more: &[&str]) -> super::support::Ran {
    let mut args = vec![
        "examine",
        "demo/demo-device.dd",
        "--exhibit",
        "DEMO/1",
        "--known",
        "demo/demo-known-pictures.json=us-vics-2.0",
        "--known",
        "demo/demo-known-good.csv=known-good",
        "--out",
        out,
    ];
    args.extend(more);
    place.run(args)
}

#[test]
fn the_demo_shows_what_it_is_made_to_show() {
    let place = Place::new();
    place.demo();
    let ran = examine(&place, "a.examination", &[]);
    assert_eq!(ran.code, 3, "alerts: {}{}", ran.out, ran.err);
    let rows = place.list("a.examination", &["--alerting"]);
    let mut found: Vec<(String, String)> = rows
        .iter()
        .map(|r| (r["path"].as_str().unwrap().to_owned(), r["state"].as_str().unwrap().to_owned()))
        .collect();
    found.sort();
    let mut wanted: Vec<(String, String)> = [
        ("/DCIM/100AVOCT/DEMO0003.JPG", "allocated"),
        ("/DCIM/100AVOCT/DEMO0007.JPG", "allocated"),
        ("/DCIM/100AVOCT/DEMO0012.JPG", "deleted"),
        ("/DCIM/100AVOCT/settings.txt", "allocated"),
        ("/home/user/Documents/backup.zip/backup/DEMO0022.JPG", "embedded"),
        ("/home/user/Downloads/copy of DEMO0003.JPG", "allocated"),
    ]
    .map(|(p, s)| (p.to_owned(), s.to_owned()))
    .to_vec();
    wanted.sort();
    assert_eq!(found, wanted);
    assert!(rows.iter().any(|r| r["matches"][0]["basis"] == "MD5 only"), "{rows:?}");
    // The completeness statement stands before the matches.
    let statement = ran.out.find("How complete this is").unwrap();
    assert!(statement < ran.out.find("Matches with known sets").unwrap());
}

#[test]
fn one_thread_or_eight_and_a_second_run_give_the_same_result() {
    let place = Place::new();
    place.demo();
    let digest = |out: &str, threads: &str| {
        assert_eq!(examine(&place, out, &["--threads", threads, "--quiet"]).code, 3);
        let rows = place.output(["list", out, "--format", "csv"]).stdout;
        let verified = place.run(["verify", out, "--json"]);
        assert_eq!(verified.code, 0, "{}", verified.out);
        let json: serde_json::Value = serde_json::from_str(&verified.out).unwrap();
        (json["result_digest"].as_str().unwrap().to_owned(), rows)
    };
    let one = digest("one.examination", "1");
    assert_eq!(one, digest("eight.examination", "8"));
    assert_eq!(one, digest("again.examination", "8"));
    // Another setting is another result.
    assert_eq!(examine(&place, "other.examination", &["--no-image-digest"]).code, 3);
    let other = place.run(["verify", "other.examination", "--expect", &one.0]);
    assert_eq!(other.code, 4, "{}", other.out);
}

#[test]
fn says_how_far_it_is_to_a_program_and_names_nothing_of_the_evidence() {
    let place = Place::new();
    place.demo();
    let ran = examine(&place, "a.examination", &["--progress-lines", "--quiet"]);
    assert_eq!(ran.code, 3, "{}", ran.err);
    let lines: Vec<serde_json::Value> = ran.err.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    // Once, whose small pictures it makes: the name of their key.
    let small: Vec<&str> = lines.iter().filter_map(|line| line["small_pictures"].as_str()).collect();
    assert!(matches!(small.as_slice(), [id] if id.len() == 64), "{small:?}");
    let far: Vec<&serde_json::Value> = lines.iter().filter_map(|line| line.get("progress")).collect();
    assert_eq!(far.len() + 1, lines.len());
    let stages: Vec<&str> = far.iter().map(|far| far["stage"].as_str().unwrap()).collect();
    assert_eq!((stages.first(), stages.last()), (Some(&"begun"), Some(&"seal")), "{stages:?}");
    assert!(stages.contains(&"volume"), "{stages:?}");
    let last = far.last().unwrap();
    assert!(last["files"].as_u64().unwrap() > 10 && last["of"].as_u64() >= Some(1), "{last}");
    for name in ["DCIM", "demo-device", "DEMO0003"] {
        assert!(!ran.err.contains(name), "{name}");
    }
}
