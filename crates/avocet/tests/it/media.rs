//! Pictures through the whole command: described once, near matches, groups, small pictures that only a key opens.

use serde_json::Value;

use super::support::Place;

/// The brightness of a picture of bright and dark fields: simple enough to survive being made smaller, detailed enough for
/// PDQ. Eight by six fields, bright or dark as the seed has it.
fn field(x: u32, y: u32, (width, height): (u32, u32), seed: u32) -> u32 {
    let (column, line) = (x * 8 / width, y * 6 / height);
    let mixed = (column + 8 * line + 48 * seed + 1).wrapping_mul(0x9e37_79b9);
    let mixed = (mixed ^ mixed >> 15).wrapping_mul(0x85eb_ca6b);
    (mixed ^ mixed >> 13) >> 24
}

pub fn bmp(width: u32, height: u32, seed: u32, light: i32) -> Vec<u8> {
    drawn(width, height, &|x, y| {
        let value = (field(x, y, (width, height), seed) as i32 + light).clamp(0, 255) as u8;
        [value, value / 2 + 60, 255 - value / 3]
    })
}

/// A 24-bit BMP of these colours, from the lowest row up.
fn drawn(width: u32, height: u32, colour: &dyn Fn(u32, u32) -> [u8; 3]) -> Vec<u8> {
    let row = (width * 3).div_ceil(4) * 4;
    let mut out = b"BM".to_vec();
    for value in [54 + row * height, 0, 54, 40, width, height, 1 | 24 << 16, 0, row * height, 2835, 2835, 0, 0] {
        out.extend(value.to_le_bytes());
    }
    for y in 0..height {
        let start = out.len();
        for x in 0..width {
            out.extend(colour(x, y));
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
fn a_known_picture_is_found_in_all_eight_orientations() {
    let place = Place::new();
    let folder = place.path("pics");
    std::fs::create_dir(&folder).unwrap();
    let (w, h) = (640, 480);
    // Brightness that passes smoothly from point to point: hard edges move by a pixel when they are turned.
    let at = |x: u32, y: u32| {
        let (across, down) = ((x * 7 / (w - 1), x * 7 % (w - 1)), (y * 5 / (h - 1), y * 5 % (h - 1)));
        let point = |right: u32, below: u32| field((across.0 + right).min(7), (down.0 + below).min(5), (8, 6), 2);
        let between = |a: u32, b: u32, (_, part): (u32, u32), whole: u32| (a * (whole - part) + b * part) / whole;
        let line = |below| between(point(0, below), point(1, below), across, w - 1);
        [between(line(0), line(1), down, h - 1) as u8; 3]
    };
    type Turn<'a> = (&'a str, bool, &'a dyn Fn(u32, u32) -> [u8; 3]);
    let turns: [Turn<'_>; 8] = [
        ("as-is", false, &at),
        ("left-right", false, &|x, y| at(w - 1 - x, y)),
        ("top-bottom", false, &|x, y| at(x, h - 1 - y)),
        ("half", false, &|x, y| at(w - 1 - x, h - 1 - y)),
        ("transposed", true, &|x, y| at(y, x)),
        ("quarter", true, &|x, y| at(y, h - 1 - x)),
        ("three-quarters", true, &|x, y| at(w - 1 - y, x)),
        ("transverse", true, &|x, y| at(w - 1 - y, h - 1 - x)),
    ];
    for (name, upright, colour) in turns {
        let (width, height) = if upright { (h, w) } else { (w, h) };
        std::fs::write(folder.join(format!("{name}.bmp")), drawn(width, height, colour)).unwrap();
    }
    std::fs::write(folder.join("other.bmp"), bmp(w, h, 5, 0)).unwrap();
    place.examine("pics", "x", &["--media", "--no-small-pictures"]);
    let pdq = named(&list(&place, "x", &[]), "/as-is.bmp")["pdq"].as_str().unwrap().to_owned();
    place.csv("near.csv", "pdq,category", &[format!("{pdq},1")]);
    assert_eq!(place.run(["sets", "import", "near.csv", "--name", "near", "--scheme", "us-vics-2.0"]).code, 0);
    place.examine("pics", "y", &["--media", "--no-small-pictures", "--known", "near"]);
    let rows = list(&place, "y", &["--status", "near"]);
    let turned: std::collections::BTreeSet<u64> = rows.iter().map(|r| r["nearest"]["turn"].as_u64().unwrap()).collect();
    assert_eq!((rows.len(), turned.len()), (8, 8), "each by another orientation: {rows:?}");
    assert_eq!(named(&rows, "/as-is.bmp")["nearest"]["distance"], 0);
    // None of the orientations is stored as the picture's own: each has the hash of its own pixels.
    let stored: std::collections::BTreeSet<&str> = rows.iter().map(|r| r["pdq"].as_str().unwrap()).collect();
    assert_eq!(stored.len(), 8);
}

/// An uncompressed TIFF of 64 by 48 pixels that says where, when and with what it was taken.
fn tiff() -> Vec<u8> {
    const PIXELS: u32 = 64 * 48 * 3;
    let short = |v: u16| (3u16, 1u32, v.to_le_bytes().to_vec());
    let long = |v: u32| (4, 1, v.to_le_bytes().to_vec());
    let text = |t: &str| (2, t.len() as u32 + 1, [t.as_bytes(), b"\0"].concat());
    let degrees =
        |d: u32, m: u32, s: u32| (5, 3, [d, 1, m, 1, s, 1].iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>());
    type Tags = Vec<(u16, (u16, u32, Vec<u8>))>;
    // A directory at `at`, its longer values behind it.
    let directory = |at: u32, tags: &Tags| {
        let mut pool = at + 2 + 12 * tags.len() as u32 + 4;
        let mut head = (tags.len() as u16).to_le_bytes().to_vec();
        let mut values: Vec<u8> = vec![];
        for (tag, (kind, count, data)) in tags {
            head.extend(tag.to_le_bytes());
            head.extend(kind.to_le_bytes());
            head.extend(count.to_le_bytes());
            if data.len() <= 4 {
                head.extend(data.iter().chain(&[0; 4]).take(4));
            } else {
                head.extend(pool.to_le_bytes());
                pool += data.len() as u32;
                values.extend(data);
            }
        }
        head.extend([0; 4]);
        head.extend(values);
        head
    };
    let exif: Tags = vec![(0x9003, text("2024:05:06 07:08:09")), (0x9011, text("+01:00")), (0xa431, text("S-123"))];
    let gps: Tags = vec![(1, text("N")), (2, degrees(51, 30, 0)), (3, text("W")), (4, degrees(0, 7, 30))];
    let first: Tags = vec![
        (256, short(64)),
        (257, short(48)),
        (258, (3, 3, [8u16; 3].iter().flat_map(|v| v.to_le_bytes()).collect())),
        (259, short(1)),
        (262, short(2)),
        (271, text("Maker")),
        (272, text("Model 7")),
        (273, long(8)),
        (277, short(3)),
        (278, short(48)),
        (279, long(PIXELS)),
        (0x8769, long(8 + PIXELS + 400)),
        (0x8825, long(8 + PIXELS + 600)),
    ];
    let mut out = b"II*\0".to_vec();
    out.extend((8 + PIXELS).to_le_bytes());
    for y in 0..48 {
        (0..64).for_each(|x| out.extend([field(x, y, (64, 48), 3) as u8; 3]));
    }
    for (at, tags) in [(0, &first), (400, &exif), (600, &gps)] {
        out.resize((8 + PIXELS + at) as usize, 0);
        out.extend(directory(8 + PIXELS + at, tags));
    }
    out
}

#[test]
fn a_line_of_the_list_says_everything_of_a_picture() {
    let place = Place::new();
    let folder = place.path("pics");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("a.tif"), tiff()).unwrap();
    place.examine("pics", "x", &["--media", "--no-small-pictures"]);
    let rows = list(&place, "x", &[]);
    let row = named(&rows, "/a.tif");
    for field in [
        "path",
        "state",
        "md5",
        "sha256",
        "kind",
        "width",
        "height",
        "pdq",
        "pdq_quality",
        "status",
        "nearest",
        "group",
        "make",
        "model",
        "serial",
        "taken",
        "lat",
        "lon",
        "note",
    ] {
        assert!(row.get(field).is_some(), "{field}: {row}");
    }
    let wanted = serde_json::json!({
        "kind": "tiff", "width": 64, "height": 48, "state": "allocated", "status": "unknown", "make": "Maker",
        "model": "Model 7", "serial": "S-123", "taken": "2024:05:06 07:08:09+01:00", "lat": 51.5, "lon": -0.125,
    });
    for (field, value) in wanted.as_object().unwrap() {
        assert_eq!(&row[field], value, "{field}: {row}");
    }
    assert_eq!((row["md5"].as_str().unwrap().len(), row["sha256"].as_str().unwrap().len()), (32, 64));
    let header = place.run(["media", "list", "x", "--format", "csv"]).out;
    let columns = header.lines().next().unwrap();
    assert!(["path", "nearest_distance", "lat", "note"].iter().all(|c| columns.split(',').any(|have| have == *c)));
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
