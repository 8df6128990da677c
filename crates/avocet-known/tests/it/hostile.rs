//! Damaged and hostile files: an error or a set whose counts add up, never a panic.

use std::path::Path;

use avocet_known::{KnownError, KnownSets, KnownSpec};

use crate::support::{Random, load, md5, pdq, read_file, sha1, sha256};

/// A small file of each format with the scheme it is for, and the name that it needs.
fn seeds() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let vics = format!(
        "{{\"@odata.context\":\"http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/US/$metadata#Cases\",\
         \"value\":[{{\"CaseID\":\"1\",\"Media\":[{{\"MediaID\":1,\"Category\":1,\"MD5\":\"{}\",\"SHA1\":\"{}\",\
         \"MediaSize\":\"12\",\"Series\":\"S\\u00e9\",\"AlternativeHashes\":[{{\"HashName\":\"SHA256\",\"HashValue\":\"{}\"}}],\
         \"MediaFiles\":[{{\"FileName\":\"x\"}}]}},{{\"MediaID\":\"b\",\"MD5\":\"{}\",\"IsDistributed\":true}}]}}]}}",
        md5(1),
        sha1(1),
        sha256(1),
        md5(2)
    );
    let set = format!(
        "\u{feff}{{ \"odata.metadata\" : \"http://github.com/ICMEC/ProjectVic/DataModels/1.3.xml#Media\", \"value\" : [\n\
         {{\"MediaID\":7,\"Category\":null,\"MD5\":\"{}\",\"PhotoDNA\":\"{}\",\"MediaMetadata\":[{{\"PropertyName\":\"PDQ\",\
         \"PropertyValue\":\"{}\"}}],\"Exifs\":[{{\"PropertyName\":\"Make\",\"PropertyValue\":\"M\"}}],\"Votes\":1.5e3}},\n\
         {{\"MD5\":\"{}\",\"DateUpdated\":\"2023-06-07T02:31:49.8300Z\",\"IsPrecategorized\":\"true\",\"Tags\":null}}\n]}}\n",
        md5(1),
        "0F".repeat(144),
        pdq(1),
        md5(2)
    );
    let hashdeep = format!("%%%% HASHDEEP-1.0\n%%%% size,md5,filename\n## x\n5,{},/a,b\n6,{},/c\n", md5(1), md5(2));
    let plain = format!("# list\n{}  a\n{} *b\r\nMD5 (c) = {}\n", md5(1), sha1(2), md5(3));
    let csv =
        format!("md5,sha1,\"size\",category,name\n{},{},5,A,\"x, \"\"y\"\"\"\n{},,6,,z\n", md5(1), sha1(1), md5(2));
    let icse = format!(
        "MD5;SHA1;PhotoDNA;Image ID;Is distributed;Series name;Baseline\r\n{};{};{};7;Y;S;Yes\r\n{};;;8;N;;No\r\n",
        md5(1),
        sha1(1),
        "1E".repeat(144),
        md5(2)
    );
    let keeper = format!(
        "\"file_id\",\"hashset_id\",\"file_name\",\"hash\",\"file_size\"\r\n1,2,\"a, b\",\"{}\",5\r\n2,2,\"c\nd\",\"{}\",6\r\n",
        md5(1),
        md5(2)
    );
    let rows = |n: u64| format!("('{}','{}','{}','00','it''s',{n},1)", sha256(n), sha1(n), md5(n));
    let delta = format!(
        "BEGIN;\n-- x\nINSERT INTO FILE VALUES {},\n{};\nUPDATE FILE SET package_id=2 WHERE sha256='{}' AND sha1='{}' AND \
         md5='{}' AND file_name='it''s' AND file_size=1 AND package_id=1;\nINSERT INTO PKG VALUES (1,'p');\nCOMMIT;\n",
        rows(1),
        rows(2),
        sha256(1),
        sha1(1),
        md5(1)
    );
    let list = format!("{}\n{},b, c.jpg\nhash={},norm=1,delta=2,quality=3,filename=d\n", pdq(1), pdq(2), pdq(3));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.db");
    let conn = rusqlite::Connection::open(&path).unwrap();
    conn.execute_batch(&format!(
        "PRAGMA page_size=512; CREATE TABLE FILE (sha256 VARCHAR, sha1 VARCHAR, md5 VARCHAR, crc32 VARCHAR, file_name VARCHAR, \
         file_size INTEGER, package_id INTEGER); CREATE TABLE VERSION (version VARCHAR); INSERT INTO VERSION VALUES ('1');\
         INSERT INTO FILE VALUES {};",
        (1..40).map(rows).collect::<Vec<_>>().join(",")
    ))
    .unwrap();
    drop(conn);
    vec![
        ("us-vics-2.0", "x", vics.into_bytes()),
        ("us-vics-2.0", "x", set.into_bytes()),
        ("known-good", "x", hashdeep.into_bytes()),
        ("alert", "x", plain.into_bytes()),
        ("uk-2014", "x", csv.into_bytes()),
        ("interpol-baseline", "x", icse.into_bytes()),
        ("alert", "x", keeper.into_bytes()),
        ("alert", "x", delta.into_bytes()),
        ("alert", "x.pdq", list.into_bytes()),
        ("alert", "x", std::fs::read(&path).unwrap()),
    ]
}

/// Kinds of damage.
const KINDS: u64 = 12;

fn damage(kind: u64, random: &mut Random, data: &mut Vec<u8>, other: &[u8]) {
    const PIECES: [&[u8]; 16] = [
        b"\"",
        b"\\",
        b"{",
        b"}",
        b"[",
        b"]",
        b"\0",
        b"\n",
        b"\xff\xfe",
        b",,,,",
        b"'",
        b"--",
        b"/*",
        b"\"\\ud800\"",
        b"(",
        b";",
    ];
    let at = random.below(data.len().max(1) as u64) as usize;
    let end = (at + 1 + random.below(60) as usize).min(data.len());
    match kind {
        0 => data.truncate(at),
        1 => data.iter_mut().skip(at).take(1).for_each(|b| *b ^= 1 << random.below(8)),
        2 => drop(data.splice(at..at, PIECES[random.below(16) as usize].iter().copied())),
        3 => drop(data.drain(at..end)),
        4 => {
            let copy = data[at..end].to_vec();
            data.splice(at..at, copy);
        }
        5 => data[at..end].fill(0),
        6 => data[at..end].fill(0xff),
        7 => data[at..end].reverse(),
        8 => data[at..end].iter_mut().filter(|b| b.is_ascii_digit()).for_each(|b| *b = b'9'),
        9 => {
            let from = random.below(other.len().max(1) as u64) as usize;
            let to = (from + 80).min(other.len());
            data.splice(at..end, other[from..to].iter().copied());
        }
        10 => {
            let bytes: Vec<u8> = (0..1 + random.below(40)).map(|_| random.next() as u8).collect();
            data.splice(at..at, bytes);
        }
        _ => {
            let again = data.clone();
            data.splice(at..at, again);
        }
    }
}

fn check(sets: &KnownSets) {
    let info = &sets.sets()[0];
    let rejected: u64 = info.rejected.iter().map(|t| t.count).sum();
    assert_eq!(info.kept + info.duplicates + info.removed + info.deletions + rejected, info.records_read);
    assert_eq!(info.categories.iter().map(|c| c.records).sum::<u64>(), info.kept);
    assert!(info.kept > 0);
}

/// An error says something, and nothing that a terminal would obey.
fn check_error(error: &KnownError) {
    let text = error.to_string();
    assert!(!text.is_empty() && !text.contains(char::is_control), "{text:?}");
}

fn load_file(path: &Path, scheme: &str) -> Result<KnownSets, KnownError> {
    KnownSets::load(&[KnownSpec::parse(&format!("{}={scheme}", path.display())).unwrap()], &mut |_| {})
}

#[test]
fn damaged_files_end_in_an_error_or_in_counts_that_add_up() {
    let (mut loaded, mut refused) = (0, 0);
    // Once more, and shorter, under a limit of memory.
    let rounds = if std::env::var_os("AVOCET_TEST_BOUNDED").is_some() { 30 } else { 130 };
    let folder = tempfile::tempdir().unwrap();
    let seeds = seeds();
    for (number, (scheme, name, seed)) in seeds.iter().enumerate() {
        let path = folder.path().join(name);
        std::fs::write(&path, seed).unwrap();
        // A list of PDQ hashes alone has no digest that a set could be asked for.
        let sound = read_file(&path, None).expect("the seed itself is sound");
        assert!(sound.0.rejected.is_empty() && sound.1.len() > 1, "{number}: {:?}", sound.0);
        let (_, _, other) = &seeds[(number + 3) % seeds.len()];
        let mut random = Random(number as u64);
        for round in 0..rounds * KINDS {
            let mut data = seed.clone();
            for twice in 0..1 + random.below(2) {
                let kind = if twice == 0 { round % KINDS } else { random.below(KINDS) };
                damage(kind, &mut random, &mut data, other);
                if data.is_empty() {
                    break;
                }
            }
            std::fs::write(&path, &data).unwrap();
            match read_file(&path, None) {
                Ok((set, records)) => {
                    let rejected: u64 = set.rejected.iter().map(|t| t.count).sum();
                    assert_eq!(records.len() as u64 + rejected, set.records_read);
                    assert_eq!(set.bytes, data.len() as u64);
                    for record in &records {
                        assert!(record.kept().is_object() && record.photodna.len() % 144 == 0);
                        assert!(record.offset <= set.bytes);
                    }
                    loaded += 1;
                }
                Err(error) => {
                    check_error(&error);
                    refused += 1;
                }
            }
            if round % 4 == 0 {
                match load_file(&path, scheme) {
                    Ok(sets) => check(&sets),
                    Err(error) => check_error(&error),
                }
            }
        }
    }
    println!("{loaded} read, {refused} refused");
    assert!(
        loaded > 15 * rounds && refused > 15 * rounds,
        "{loaded} {refused}: the damage is too mild or too heavy to prove much"
    );
}

#[test]
fn a_long_line_costs_only_itself() {
    let mut text = format!("{}\n", md5(1)).into_bytes();
    text.extend(vec![b'a'; 1 << 20]);
    text.extend(format!("\n{}\n", md5(2)).bytes());
    let sets = load(&text, "alert").unwrap();
    let info = &sets.sets()[0];
    assert_eq!((info.kept, info.rejected[0].reason, info.rejected[0].first[0]), (2, "line longer than 64 KiB", 2));
}

#[test]
fn a_quoted_field_that_does_not_end_is_stopped() {
    let mut text = format!("md5,note\n{},\"", md5(1));
    text.push_str(&"x".repeat(65 << 20));
    let error = load(text, "alert").unwrap_err().to_string();
    assert!(error.contains("one record is longer than 64 MiB"), "{error}");
    let mut text = "INSERT INTO FILE (md5) VALUES ('".to_owned();
    text.push_str(&"x".repeat(65 << 20));
    let error = load(text, "alert").unwrap_err().to_string();
    assert!(error.contains("one record is longer than 64 MiB"), "{error}");
}
