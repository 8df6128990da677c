//! Damaged and hostile files: an error or a set whose counts add up, never a panic.

use avocet_known::KnownSets;

use crate::support::{Random, load, md5, sha1, sha256};

/// A small file of each format with the scheme it is for.
fn seeds() -> Vec<(&'static str, Vec<u8>)> {
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
    let hashdeep = format!("%%%% HASHDEEP-1.0\n%%%% size,md5,filename\n## x\n5,{},/a,b\n6,{},/c\n", md5(1), md5(2));
    let plain = format!("# list\n{}  a\n{} *b\r\nMD5 (c) = {}\n", md5(1), sha1(2), md5(3));
    let csv =
        format!("md5,sha1,\"size\",category,name\n{},{},5,A,\"x, \"\"y\"\"\"\n{},,6,,z\n", md5(1), sha1(1), md5(2));
    let icse = format!(
        "MD5;SHA1;PhotoDNA;Image ID;Is distributed;Series name;Baseline\r\n{};{};00;7;Y;S;Yes\r\n{};;;8;N;;No\r\n",
        md5(1),
        sha1(1),
        md5(2)
    );
    vec![
        ("us-vics-2.0", vics.into_bytes()),
        ("known-good", hashdeep.into_bytes()),
        ("alert", plain.into_bytes()),
        ("uk-2014", csv.into_bytes()),
        ("interpol-baseline", icse.into_bytes()),
    ]
}

fn damage(random: &mut Random, data: &mut Vec<u8>) {
    const PIECES: [&[u8]; 12] = [
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
        b"99999999999999999999",
        b"\"\\ud800\"",
    ];
    for _ in 0..1 + random.below(3) {
        let at = random.below(data.len().max(1) as u64) as usize;
        match random.below(5) {
            0 => data.truncate(at),
            1 => {
                if let Some(byte) = data.get_mut(at) {
                    *byte ^= 1 << random.below(8);
                }
            }
            2 => {
                let piece = PIECES[random.below(PIECES.len() as u64) as usize];
                data.splice(at..at, piece.iter().copied());
            }
            3 => {
                let end = (at + random.below(30) as usize).min(data.len());
                data.drain(at..end);
            }
            _ => {
                let end = (at + random.below(200) as usize).min(data.len());
                let copy = data[at..end].to_vec();
                data.splice(at..at, copy);
            }
        }
    }
}

fn check(sets: &KnownSets) {
    let info = &sets.sets()[0];
    let rejected: u64 = info.rejected.iter().map(|t| t.count).sum();
    assert_eq!(info.kept + info.duplicates + rejected, info.records_read);
    assert_eq!(info.categories.iter().map(|c| c.records).sum::<u64>(), info.kept);
    assert!(info.kept > 0);
}

#[test]
fn damaged_files_end_in_an_error_or_in_counts_that_add_up() {
    let (mut loaded, mut refused) = (0, 0);
    for (number, (scheme, seed)) in seeds().into_iter().enumerate() {
        check(&load(&seed, scheme).expect("the seed itself is sound"));
        let mut random = Random(number as u64);
        for _ in 0..1500 {
            let mut data = seed.clone();
            damage(&mut random, &mut data);
            match load(&data, scheme) {
                Ok(sets) => {
                    check(&sets);
                    loaded += 1;
                }
                Err(error) => {
                    let text = error.to_string();
                    assert!(!text.is_empty() && !text.contains('\0'), "{text:?}");
                    refused += 1;
                }
            }
        }
    }
    println!("{loaded} loaded, {refused} refused");
    assert!(loaded > 500 && refused > 500, "{loaded} {refused}: the damage is too mild or too heavy to prove much");
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
