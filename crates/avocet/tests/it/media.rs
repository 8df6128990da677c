//! Pictures through the whole command: described once, near matches, groups, small pictures that only a key opens.

use serde_json::Value;

use super::support::Place;

/// A picture of bright and dark fields: simple enough to survive being made smaller, detailed enough for PDQ. 24-bit BMP.
fn bmp(width: u32, height: u32, seed: u32, light: i32) -> Vec<u8> {
    let row = (width * 3).div_ceil(4) * 4;
    let mut out = b"BM".to_vec();
    for value in [54 + row * height, 0, 54, 40, width, height, 1 | 24 << 16, 0, row * height, 2835, 2835, 0, 0] {
        out.extend(value.to_le_bytes());
    }
    // Fields of 80 pixels, bright or dark as the seed has it.
    let field = |x: u32, y: u32| {
        let (column, line) = (x * 8 / width, y * 6 / height);
        let mixed = (column + 8 * line + 48 * seed + 1).wrapping_mul(0x9e37_79b9);
        let mixed = (mixed ^ mixed >> 15).wrapping_mul(0x85eb_ca6b);
        (mixed ^ mixed >> 13) >> 24
    };
    for y in 0..height {
        let start = out.len();
        for x in 0..width {
            let value = (field(x, y) as i32 + light).clamp(0, 255) as u8;
            out.extend([value, value / 2 + 60, 255 - value / 3]);
        }
        out.resize(start + row as usize, 0);
    }
    out
}

/// A folder of pictures: two that look the same, one other, a copy, one cut off, and a text.
fn pictures(place: &Place) {
    let folder = place.path("pics");
    std::fs::create_dir(&folder).unwrap();
    let save = |name: &str, bytes: &[u8]| std::fs::write(folder.join(name), bytes).unwrap();
    save("a.bmp", &bmp(640, 480, 1, 0));
    save("a-light.bmp", &bmp(640, 480, 1, 3));
    save("b.bmp", &bmp(640, 480, 5, 0));
    save("copy.bmp", &bmp(640, 480, 1, 0));
    save("not.jpg", b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
    save("text.txt", b"words");
}

fn list(place: &Place, examination: &str, more: &[&str]) -> Vec<Value> {
    let ran = place.run(["media", "list", examination, "--format", "jsonl"].iter().chain(more));
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    ran.out.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

fn named<'a>(rows: &'a [Value], name: &str) -> &'a Value {
    rows.iter().find(|r| r["path"].as_str().unwrap().ends_with(name)).unwrap()
}

#[test]
fn pictures_are_described_and_grouped() {
    let place = Place::new();
    pictures(&place);
    let ran = place.examine("pics", "x", &["--media"]);
    assert_eq!(ran.code, 4, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("GAP"), "the undecodable one is a gap: {}", ran.out);
    let rows = list(&place, "x", &[]);
    assert_eq!(rows.len(), 5, "{rows:?}");
    let a = named(&rows, "/a.bmp");
    assert_eq!(
        (&a["kind"], &a["width"], &a["height"], &a["status"]),
        (&"bmp".into(), &640.into(), &480.into(), &"unknown".into())
    );
    assert!(a["pdq"].as_str().unwrap().len() == 64 && a["pdq_quality"].as_u64().unwrap() >= 50, "{a}");
    assert_eq!(a["group"], named(&rows, "a-light.bmp")["group"], "they look the same");
    assert!(!a["group"].is_null());
    assert_eq!(
        (&named(&rows, "/b.bmp")["group"], &named(&rows, "not.jpg")["status"]),
        (&Value::Null, &"undecodable".into())
    );
    // A copy is the same picture: an exact stack is no group.
    assert_eq!((&named(&rows, "copy.bmp")["sha256"], &named(&rows, "copy.bmp")["pdq"]), (&a["sha256"], &a["pdq"]));
    let groups = place.run(["media", "list", "x", "--groups", "--format", "jsonl"]).out;
    let group: Value = serde_json::from_str(groups.trim()).unwrap();
    assert_eq!(group["members"].as_array().unwrap().len(), 2, "{group}");
    assert_eq!(list(&place, "x", &["--status", "undecodable"]).len(), 1);
    let similar = place.run(["media", "similar", "x", &a["id"].to_string()]);
    assert!(similar.out.contains("1 of ") && similar.out.contains("Not compared: 1 picture"), "{}", similar.out);
    assert_eq!(place.run(["verify", "x"]).code, 0);
    // Threads make no difference.
    assert_eq!(place.run(["--threads", "1", "examine", "pics", "--exhibit", "JC/1", "--out", "y"]).code, 4);
    let digest = |name: &str| {
        serde_json::from_str::<Value>(&place.run(["summary", name, "--json"]).out).unwrap()["result_digest"].clone()
    };
    assert_eq!(digest("x"), digest("y"));
}

#[test]
fn near_matches_are_found_with_their_distance_and_again_by_a_rematch() {
    let place = Place::new();
    pictures(&place);
    assert_eq!(place.examine("pics", "x", &["--media", "--no-small-pictures"]).code, 4);
    let pdq = named(&list(&place, "x", &[]), "/a.bmp")["pdq"].as_str().unwrap().to_owned();
    // Known is a hash three bits away.
    let last = u8::from_str_radix(&pdq[62..], 16).unwrap() ^ 0b111;
    let known = format!("{}{last:02x}", &pdq[..62]);
    place.csv("near.csv", "pdq,category", &[format!("{known},1")]);
    let ran = place.run(["sets", "import", "near.csv", "--name", "near", "--scheme", "us-vics-2.0"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    place.examine("pics", "y", &["--media", "--no-small-pictures", "--known", "near"]);
    let rows = list(&place, "y", &["--status", "near"]);
    assert_eq!(rows.len(), 3, "the picture, its copy and the lighter one: {rows:?}");
    assert_eq!(
        (&named(&rows, "/a.bmp")["nearest"]["distance"], &named(&rows, "/a.bmp")["nearest"]["set"]),
        (&3.into(), &"near".into())
    );
    place.shell("rm -r pics");
    let ran = place.run(["rematch", "x", "--known", "near", "--out", "z"]);
    assert!(ran.err.contains("gained: 2"), "{}", ran.err);
    let again = list(&place, "z", &[]);
    let whole = list(&place, "y", &[]);
    assert_eq!(again, whole, "a rematch says what an examination says");
    let text = place.run(["media", "show", "z", &named(&whole, "/a.bmp")["id"].to_string()]).out;
    assert!(text.contains("ALERT set near") && text.contains("by 3 bits"), "{text}");
    assert!(text.contains("A score is not proof"), "{text}");
}

#[test]
fn small_pictures_open_only_with_their_key() {
    let place = Place::new();
    pictures(&place);
    assert_eq!(place.examine("pics", "x", &["--media"]).code, 4);
    let id = named(&list(&place, "x", &[]), "/a.bmp")["id"].to_string();
    assert_eq!(place.run(["media", "verify", "x"]).code, 0);
    let show = |more: &[&str]| place.run(["media", "show", "x", &id].iter().chain(more));
    assert_eq!(show(&["--small", "veiled", "--out", "v.jpg"]).code, 0);
    let veiled = std::fs::read(place.path("v.jpg")).unwrap();
    assert!(veiled.starts_with(b"\xff\xd8"));
    // The clear one is given out for a reason, which is logged without a name.
    assert_eq!(show(&["--small", "clear", "--out", "c.jpg"]).code, 2);
    assert_eq!(show(&["--small", "clear", "--out", "c.jpg", "--reason", "test"]).code, 0);
    assert!(std::fs::read(place.path("c.jpg")).unwrap().len() > veiled.len());
    let log = std::fs::read_to_string(place.path("store/access.log")).unwrap();
    assert!(log.contains("small picture, clear") && !log.contains("bmp"), "{log}");
    // No picture bytes, and no clear trace of them, beside the result.
    let stored = std::fs::read(place.path("x.derivatives")).unwrap();
    assert!(!stored.windows(3).any(|w| w == b"\xff\xd8\xff"));
    // Another key does not open them.
    place.run(["media", "key", "other.key"]);
    assert_eq!(show(&["--small", "veiled", "--out", "w.jpg", "--picture-key", "other.key"]).code, 2);
    // Once destroyed nobody can.
    assert_eq!(place.run(["media", "destroy", "x"]).code, 2);
    assert_eq!(place.run(["media", "destroy", "x", "--yes"]).code, 0);
    assert_eq!(show(&["--small", "veiled", "--out", "u.jpg"]).code, 2);
    assert_eq!(place.run(["verify", "x"]).code, 0, "the result itself is as it was");
}
