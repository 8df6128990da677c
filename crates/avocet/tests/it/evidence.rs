//! `avocet evidence`: looking inside without examining.

use std::fs;

use serde_json::Value;

use super::support::{Place, skipped, testdata};

fn place() -> Place {
    let place = Place::new();
    place.device("d");
    place
}

/// A set that makes IMG_0002.JPG alert.
fn alerting(place: &Place) -> String {
    assert_eq!(place.examine("d", "p", &["--no-image-digest", "--no-archives"]).code, 0);
    let row = place.list("p", &["--under", "/Pictures/IMG_0002.JPG"]).remove(0);
    let sha256 = row["sha256"].as_str().unwrap().to_owned();
    place.csv("s.csv", "sha256", std::slice::from_ref(&sha256));
    sha256
}

#[test]
fn tree_names_volumes_and_file_systems() {
    let place = place();
    let ran = place.run(["evidence", "tree", "d"]);
    assert_eq!(ran.code, 0);
    assert!(ran.out.contains("mbr:1") && ran.out.contains("fat16 “SMALL STICK”"), "{}", ran.out);
    let json: Value = serde_json::from_str(&place.run(["evidence", "tree", "d", "--json"]).out).unwrap();
    assert_eq!(json["volumes"][0]["name"], "mbr:1");
    assert_eq!(json["volumes"][0]["start"], 63 * 512);
}

#[test]
fn ls_lists_what_a_folder_holds() {
    let place = place();
    let names = |path: &str| -> Vec<String> {
        let ran = place.run(["evidence", "ls", "d", path, "--json"]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        let row = |l: &str| serde_json::from_str::<Value>(l).unwrap()["path"].as_str().unwrap().to_owned();
        ran.out.lines().map(row).collect()
    };
    let wanted = [
        "/Pictures/GONE.JPG",
        "/Pictures/IMG_0002.JPG",
        "/Pictures/holiday at the lake 2019.jpg",
        "/Pictures/settings.txt",
    ];
    for path in ["mbr:1/Pictures", "mbr:1:/Pictures/", "/Pictures"] {
        assert_eq!(names(path), wanted, "{path}");
    }
    assert!(names("/").iter().any(|n| n == "/SMALL STICK"), "the volume label, whole");
    let ran = place.run(["evidence", "ls", "d", "/nothing"]);
    assert_eq!((ran.code, ran.err.contains("nothing of that name")), (2, true), "{}", ran.err);
    let ran = place.run(["evidence", "ls", "d", "gpt:4/Pictures"]);
    assert_eq!((ran.code, ran.err.contains("no volume gpt:4") && ran.err.contains("mbr:1")), (2, true), "{}", ran.err);
}

#[test]
fn a_path_without_volume_is_refused_where_there_are_two() {
    let place = Place::new();
    place.demo();
    let ran = place.run(["evidence", "ls", "demo/demo-device.dd", "/DCIM"]);
    assert_eq!((ran.code, ran.err.contains("say in which volume: gpt:1, gpt:2")), (2, true), "{}", ran.err);
}

#[test]
fn stat_tells_times_and_extents() {
    let place = place();
    let ran = place.run(["evidence", "stat", "d", "/Pictures/IMG_0002.JPG"]);
    assert!(ran.out.contains("2024-02-29T12:34:56 (local)") && ran.out.contains("9013 bytes"), "{}", ran.out);
    let json: Value =
        serde_json::from_str(&place.run(["evidence", "stat", "d", "/Pictures/IMG_0002.JPG", "--json"]).out).unwrap();
    // The extents lead to the bytes.
    let (mut got, disk) = (Vec::<u8>::new(), fs::read(place.path("d")).unwrap());
    for x in json["extents"].as_array().unwrap() {
        let at = 63 * 512 + x["at"].as_u64().unwrap() as usize;
        got.extend_from_slice(&disk[at..at + x["length"].as_u64().unwrap() as usize]);
    }
    assert_eq!(got, super::device::files().swap_remove(1).1);
}

#[test]
fn cat_writes_the_bytes_and_logs_the_access() {
    let place = place();
    for (path, content) in super::device::files() {
        if path.contains('\u{202e}') {
            continue;
        }
        let output = place.output(["evidence", "cat", "d", &format!("mbr:1/{path}")]);
        assert_eq!(output.status.code(), Some(0), "{path}");
        assert_eq!(output.stdout, content, "{path}");
    }
    // A name as `ls` shows it.
    assert_eq!(place.run(["evidence", "cat", "d", "/Papers/invoice\\u{202e}gpj.exe", "-q"]).out, "another plain text");
    let log = fs::read_to_string(place.path("store/access.log")).unwrap();
    assert_eq!(log.lines().count(), super::device::files().len());
    for word in ["IMG_0002", "Pictures", "holiday", "mbr:1", "kim"] {
        assert!(!log.contains(word), "the log holds a name: {log}");
    }
    let ran = place.run(["evidence", "cat", "d", "/Pictures"]);
    assert_eq!((ran.code, ran.err.contains("a folder")), (2, true), "{}", ran.err);
}

#[test]
fn a_file_that_alerts_is_shown_only_for_a_reason() {
    let place = place();
    let sha256 = alerting(&place);
    assert_eq!(place.examine("d", "x", &["--known", "s.csv=alert"]).code, 3);
    let log = place.path("store/access.log");
    for check in [["--known", "s.csv=alert"], ["--examination", "x"]] {
        for reason in [&[][..], &["--reason", "  "]] {
            let mut args = vec!["evidence", "cat", "d", "/Pictures/IMG_0002.JPG", check[0], check[1]];
            args.extend(reason);
            let ran = place.run(args);
            assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{}", ran.err);
            assert!(ran.err.contains("--reason"), "{}", ran.err);
        }
        assert!(!log.try_exists().unwrap(), "nothing was shown, so there is nothing to log");
        let why = ["--reason", "to identify the place"];
        let args = ["evidence", "cat", "d", "/Pictures/IMG_0002.JPG", check[0], check[1], why[0], why[1]];
        let output = place.output(args);
        assert_eq!(output.status.code(), Some(0));
        assert_eq!(output.stdout, super::device::files().swap_remove(1).1);
        let text = fs::read_to_string(&log).unwrap();
        assert_eq!(text.lines().count(), 1, "{text}");
        let line: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&line["sha256"], &line["reason"]), (&sha256.clone().into(), &"to identify the place".into()));
        assert_eq!(line["checked"], "matches a category that alerts");
        assert_eq!(line["size"], 9013);
        assert!(!text.contains("IMG_") && !text.contains("Pictures"), "{text}");
        fs::remove_file(&log).unwrap();
    }
    // Another file of the same device needs none.
    let ran = place.run(["evidence", "cat", "d", "/Pictures/settings.txt", "--known", "s.csv=alert"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
}

#[test]
fn nothing_is_shown_that_cannot_be_logged() {
    let place = place();
    fs::write(place.path("store"), "a file where the folder should be").unwrap();
    let ran = place.run(["evidence", "cat", "d", "/Pictures/IMG_0002.JPG"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{}", ran.err);
    assert!(ran.err.contains("access log cannot be written"), "{}", ran.err);
    // `--store` goes before the variable.
    let ran = place.run(["evidence", "cat", "d", "/Papers/empty.txt", "--store", "elsewhere"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(place.path("elsewhere/access.log").is_file());
}

#[test]
fn verify_compares_with_what_was_stored() {
    let place = place();
    let ran = place.run(["evidence", "verify", "d"]);
    assert_eq!((ran.code, ran.out.contains("no stored digest")), (0, true), "{}", ran.out);
    fs::create_dir(place.path("f")).unwrap();
    assert_eq!(place.run(["evidence", "verify", "f"]).code, 2);
}

#[test]
fn a_stream_is_named_behind_a_colon() {
    let Some(image) = testdata().map(|t| t.join("disk/made/usb-ntfs.dd")).filter(|p| p.is_file()) else {
        return skipped(1, "no shared test data");
    };
    let place = Place::new();
    let image = image.to_str().unwrap();
    assert!(matches!(place.examine(image, "x", &["--no-image-digest"]).code, 0 | 4));
    let rows = place.list("x", &[]);
    let streams: Vec<&Value> = rows.iter().filter(|r| r["stream"].is_string() && r["sha256"].is_string()).collect();
    assert!(!streams.is_empty(), "the image holds alternate streams");
    for row in streams.iter().take(3) {
        let path = format!(
            "{}:{}:{}",
            row["volume"].as_str().unwrap(),
            row["path"].as_str().unwrap(),
            row["stream"].as_str().unwrap()
        );
        let output = place.output(["evidence", "cat", image, &path]);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        fs::write(place.path("content"), &output.stdout).unwrap();
        let theirs = place.shell("sha256sum < content").out;
        assert_eq!(row["sha256"].as_str(), theirs.split_whitespace().next());
    }
}

/// Tree, examination and list of an encrypted volume: without its password, with another one, with its own; and nothing holds it.
#[test]
fn an_encrypted_volume_opens_with_its_password_and_says_so() {
    const PASSWORD: &str = "unlikely words 4711";
    let place = Place::new();
    let at = |name: &str| place.path(name);
    fs::create_dir(at("tree")).unwrap();
    fs::write(at("tree/a.txt"), "some text").unwrap();
    fs::write(at("pw"), format!("{PASSWORD}\n")).unwrap();
    fs::write(at("key"), PASSWORD).unwrap();
    fs::write(at("wrong"), "another").unwrap();
    let options = "key-secret=s,cipher-alg=aes-256,cipher-mode=xts,hash-alg=sha256,iter-time=10";
    let secret = ["--object", "secret,id=s,file=key", "-o", options, "plain.img", "locked.img"];
    let convert = [&["convert", "-f", "raw", "-O", "luks"][..], &secret].concat();
    let make = ["-q", "-t", "ext4", "-d", "tree", "plain.img", "4M"];
    for (program, args) in [("mke2fs", &make[..]), ("qemu-img", &convert[..])] {
        let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
        match std::process::Command::new(program).args(args).env("PATH", path).current_dir(place.dir.path()).output() {
            Ok(out) => assert!(out.status.success(), "{program}: {}", String::from_utf8_lossy(&out.stderr)),
            Err(_) => return skipped(4, "no mke2fs or no qemu-img"),
        }
    }
    let run = |more: &[&str]| {
        let tree = place.run([&["evidence", "tree", "locked.img"][..], more].concat());
        let name = format!("r{}.examination", more.join("").trim_start_matches('-'));
        let examined = place.examine("locked.img", &name, more);
        let bytes = fs::read(at(&name)).unwrap();
        let held = bytes.windows(PASSWORD.len()).any(|w| w == PASSWORD.as_bytes());
        assert!(!held && !format!("{}{}{}{}", tree.out, tree.err, examined.out, examined.err).contains(PASSWORD));
        (tree.out, examined.code, examined.out, name)
    };
    let (tree, code, summary, _) = run(&[]);
    assert!(tree.contains("LUKS encrypted volume: recognised, not read") && tree.contains("stayed locked"), "{tree}");
    assert_eq!(code, 4);
    assert!(summary.contains("was NOT read: LUKS encrypted volume"), "{summary}");
    let (tree, code, summary, _) = run(&["--evidence-password-file", "wrong"]);
    assert!(tree.contains("does not open its only keyslot"), "{tree}");
    assert_eq!(code, 4);
    assert!(summary.contains("stayed locked"), "{summary}");
    for option in ["--evidence-password-file", "--evidence-key-file"] {
        let (file, word) = if option.contains("key") { ("key", "key file") } else { ("pw", "password") };
        let (tree, code, summary, name) = run(&[option, file]);
        let how = format!("LUKS1 (aes-xts-plain64), unlocked with the {word} (keyslot 0, pbkdf2-sha256)");
        assert!(tree.contains(&how), "{tree}");
        assert_eq!(code, 0, "{summary}");
        assert!(summary.contains(&how), "{summary}");
        assert!(place.list(&name, &[]).iter().any(|row| row["path"] == "/a.txt"));
    }
    let ran = place.run(["evidence", "tree", "locked.img", "--evidence-key-file", "nowhere"]);
    assert_eq!((ran.code, ran.err.contains("--evidence-key-file")), (2, true), "{}", ran.err);
}
