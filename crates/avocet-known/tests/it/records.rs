//! Tables and lists: what is kept of them, beside readers that share no code with ours.

use avocet_known::{Field, KnownError, ListKind, check_parts};
use serde_json::json;

use crate::support::{Random, Rec, md5, pdq, read, read_file, records, sha1, sha256};

#[test]
fn columns_that_are_not_modelled_are_kept_under_their_names() {
    let text = format!(
        "Name;MD5;size;pdq;Name;;Flag;Is distributed\r\n\
         a \"b\".jpg;{};5;{};x;y;1;maybe\r\n\"q;\"\"é\"\"\";{};12 kB;;;;;Y\r\n",
        md5(1),
        pdq(1),
        md5(2)
    );
    let (info, got) = read("set.csv", &text).unwrap();
    assert_eq!(info.format, "CSV");
    assert_eq!(
        got[0].kept(),
        json!({"Name": "a \"b\".jpg", "Name (2)": "x", "column 6": "y", "Flag": "1", "Is distributed": "maybe"})
    );
    assert_eq!((got[0].md5, got[0].size, got[0].pdq), (Field::Is(md5(1)), Field::Is(5), Field::Is(pdq(1))));
    assert_eq!(got[1].kept(), json!({"Name": "q;\"é\"", "size": "12 kB"}));
    assert_eq!((got[1].size, got[1].flags.as_slice()), (Field::Bad, &["distributed"][..]));
    for record in &got {
        assert!(text.as_bytes()[record.offset as usize - 1] == b'\n', "a record's byte is where its line begins");
    }
}

#[test]
fn icse_rows_keep_photodna_and_all_their_columns() {
    let value: Vec<u8> = (0..144).map(|i| i as u8 ^ 0xa5).collect();
    let hex: String = value.iter().map(|b| format!("{b:02X}")).collect();
    let short = "MD5;SHA1;PhotoDNA;Image ID;Is distributed;Victim identified;Offender identified;Series name;\
                 Number of submissions;File Available;Media Type;Baseline";
    let text = format!("{short}\n{};{};{hex};77;Y;N;N;Series A;3;Yes;Image;Yes\n", md5(1), sha1(1));
    let (info, got) = read("icse.csv", text).unwrap();
    let [record] = &got[..] else { panic!("{got:?}") };
    assert_eq!((info.format.as_str(), record.id.as_str()), ("ICSE CSV", "77"));
    assert_eq!((record.category.as_deref(), record.series.as_deref()), (Some("Yes"), Some("Series A")));
    assert!(record.photodna == value && record.flags == ["distributed"]);
    assert_eq!(record.kept(), json!({"Number of submissions": "3", "File Available": "Yes", "Media Type": "Image"}));
    let wide = "MD5;SHA1;ZZ40;PhotoDNA;Lace;Image ID;Is distributed;Victim identified;Offender identified;Series name;\
                Investigation name;Agency;Number of submissions;File Available;Media Type;Baseline";
    let text = format!("{wide}\n{};{};zz;{hex};la;77;N;Y;N;;Inv;Ag;3;Yes;Image;No\n", md5(1), sha1(1));
    let record = records(text).remove(0);
    assert!(record.photodna == value && record.flags == ["victim-identified"]);
    let kept = json!({"ZZ40": "zz", "Lace": "la", "Investigation name": "Inv", "Agency": "Ag",
        "Number of submissions": "3", "File Available": "Yes", "Media Type": "Image"});
    assert_eq!((record.kept(), record.category.as_deref()), (kept, Some("No")));
}

#[test]
fn hash_keeper_files_are_read() {
    let text = format!(
        "\"file_id\",\"hashset_id\",\"file_name\",\"directory\",\"hash\",\"file_size\",\"date_modified\",\"time_modified\",\
         \"time_zone\",\"comments\",\"date_accessed\",\"time_accessed\"\r\n\
         12,\"3\",\"a, b.dll\",\"C:\\x\",\"{}\",161713,\"\",\"\",\"\",\"note\",\"\",\"\"\r\n",
        md5(1).to_string().to_uppercase()
    );
    let (info, got) = read("hk.hke", text).unwrap();
    assert_eq!((info.format.as_str(), info.id_label, got[0].id.as_str()), ("HashKeeper CSV", "file_id", "12"));
    assert_eq!((got[0].md5, got[0].size), (Field::Is(md5(1)), Field::Is(161_713)));
    let kept = json!({"hashset_id": "3", "file_name": "a, b.dll", "directory": "C:\\x", "comments": "note"});
    assert_eq!(got[0].kept(), kept);
}

#[test]
fn names_beside_digests_are_kept() {
    let list = format!("{}  a b.jpg\n{} *c\nSHA256 (d (1).jpg) = {}\n{}\n", md5(1), sha1(1), sha256(1), md5(2));
    let kept: Vec<_> = records(list).iter().map(|r| r.extra.clone()).collect();
    assert_eq!(kept, [r#"{"name":"a b.jpg"}"#, r#"{"name":"c"}"#, r#"{"name":"d (1).jpg"}"#, ""]);
    let deep = format!("%%%% HASHDEEP-1.0\n%%%% size,md5,tiger,filename\n5,{},abc,/x,y\n", md5(1));
    assert_eq!(records(deep)[0].kept(), json!({"tiger": "abc", "filename": "/x,y"}));
}

#[test]
fn pdq_lists_are_read_where_something_says_that_they_are() {
    let plain = format!("{}\n{}\n", pdq(1), pdq(2).to_string().to_uppercase());
    let named = format!("{},a, b.jpg\n{}\n", pdq(1), pdq(2));
    let pairs = format!(
        "hash={},norm=128,delta=0,quality=100,filename=a,b.jpg\nhash={},norm=128,delta=1,quality=7,filename=\n",
        pdq(1),
        pdq(2)
    );
    for (name, text) in [
        ("list.pdq", plain.clone()),
        ("our PDQ list.txt", plain.clone()),
        ("list.txt", format!("pdq\n{plain}")),
        ("list.txt", format!("PDQ Hash,quality\n{},100\n{},7\n", pdq(1), pdq(2))),
        ("list.txt", format!("# PDQ hashes\n{plain}")),
        ("list.pdq", named.clone()),
        ("list.txt", pairs),
        ("list.pdq.csv", format!("hash,quality\n{},100\n{},7\n", pdq(1), pdq(2))),
    ] {
        let (info, got) = read(name, &text).unwrap();
        assert_eq!(info.format, "PDQ list", "{name}: {text}");
        let hashes: Vec<_> = got.iter().map(|r| (r.pdq, r.sha256)).collect();
        assert_eq!(hashes, [(Field::Is(pdq(1)), Field::Absent), (Field::Is(pdq(2)), Field::Absent)], "{name}: {text}");
    }
    assert_eq!(read("x.pdq", named).unwrap().1[0].kept(), json!({"metadata": "a, b.jpg"}));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("list.txt");
    std::fs::write(&path, &plain).unwrap();
    assert_eq!(read_file(&path, Some(ListKind::Pdq)).unwrap().1[1].pdq, Field::Is(pdq(2)));
    assert_eq!(read_file(&path, Some(ListKind::Sha256)).unwrap().0.format, "list of digests");
}

#[test]
fn sixty_four_digits_alone_are_not_guessed_at() {
    let plain = format!("{}\n{}\n", sha256(1), sha256(2));
    let error = read("list.txt", &plain).unwrap_err();
    assert!(matches!(error, KnownError::NotRecognised { .. }), "{error}");
    assert!(error.to_string().contains("SHA-256 digests or PDQ hashes"), "{error}");
    let error = read("list.csv", format!("hash,quality\n{},100\n", sha256(1))).unwrap_err();
    assert!(error.to_string().contains("PDQ or SHA-256"), "{error}");
    for (name, text) in [
        ("list.sha256", plain.clone()),
        ("list.txt", format!("sha256\n{plain}")),
        ("list.txt", format!("# SHA256 of our files\n{plain}")),
        ("list.txt", format!("{}  a.jpg\n{}  b.jpg\n", sha256(1), sha256(2))),
        ("list.txt", format!("SHA256 (a) = {}\nSHA256 (b) = {}\n", sha256(1), sha256(2))),
        ("list.csv", format!("hash\n{plain}")),
    ] {
        let got = read(name, &text).unwrap().1;
        let wanted = [Field::Is(sha256(1)), Field::Is(sha256(2))];
        assert_eq!(got.iter().map(|r| r.sha256).collect::<Vec<_>>(), wanted, "{name}: {text}");
    }
    // Among other digests it can only be a digest.
    assert_eq!(records(format!("{plain}{}\n", md5(3)))[0].sha256, Field::Is(sha256(1)));
}

/// The fields of a table as `csv` splits them, by the rules written out again.
fn oracle(text: &[u8], delimiter: u8) -> Vec<(String, String, u64, Vec<String>)> {
    let mut reader = csv::ReaderBuilder::new();
    let mut reader = reader.delimiter(delimiter).flexible(true).from_reader(text);
    let rows: Result<Vec<csv::ByteRecord>, _> = reader.byte_records().collect();
    rows.unwrap()
        .iter()
        .filter(|row| row.len() == 5)
        .map(|row| {
            let field = |i: usize| String::from_utf8(row[i].to_vec()).unwrap();
            (field(0), field(1), field(2).parse().unwrap(), vec![field(3), field(4)])
        })
        .collect()
}

#[test]
fn random_tables_are_read_as_the_usual_reader_reads_them() {
    const PIECES: [&str; 10] = ["a", "é", ",", ";", "\t", "\"", "\n", " x", "'", "0"];
    let mut compared = 0;
    for seed in 0..60 {
        let mut random = Random(seed);
        let delimiter = [b',', b';', b'\t'][random.below(3) as usize];
        let mut writer = csv::WriterBuilder::new();
        let always = seed % 5 == 0;
        writer.delimiter(delimiter).quote_style(if always {
            csv::QuoteStyle::Always
        } else {
            csv::QuoteStyle::Necessary
        });
        writer.terminator(if seed % 2 == 0 { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') });
        let mut writer = writer.from_writer(vec![]);
        writer.write_record(["md5", "sha1", "size", "first", "second"]).unwrap();
        for n in 0..200 {
            let word = |random: &mut Random| -> String {
                (0..random.below(5)).map(|_| PIECES[random.below(10) as usize]).collect()
            };
            let (first, second) = (word(&mut random), word(&mut random));
            let row = [md5(n).to_string(), sha1(n).to_string(), (n + 1).to_string(), first, second];
            writer.write_record(&row).unwrap();
        }
        let text = writer.into_inner().unwrap();
        let got: Vec<Rec> = records(&text);
        let wanted = oracle(&text, delimiter);
        assert_eq!((got.len(), wanted.len()), (200, 200), "seed {seed}");
        for (got, (m, s, size, others)) in got.iter().zip(&wanted) {
            let found = (got.md5, got.sha1, got.size);
            assert_eq!(found, (Field::Is(m.parse().unwrap()), Field::Is(s.parse().unwrap()), Field::Is(*size)));
            for (name, value) in ["first", "second"].iter().zip(others) {
                let kept = got.kept();
                let kept = kept.get(name).and_then(|v| v.as_str()).unwrap_or_default();
                // A field of blanks alone says nothing.
                assert_eq!(kept, if value.trim_ascii().is_empty() { "" } else { value }, "seed {seed}, {}", got.place);
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 60 * 200 * 2);
}

#[test]
fn lines_are_counted_through_quoted_line_breaks() {
    let text = format!("md5,note\n{},\"a\nb\nc\"\n{},x\n\n{},\"y\"", md5(1), md5(2), md5(3));
    let places: Vec<_> = records(&text).iter().map(|r| r.place).collect();
    assert_eq!(places, [2, 5, 7]);
}

#[test]
fn parts_of_a_set_are_checked_by_their_names() {
    let folder = tempfile::tempdir().unwrap();
    let path = |n: &str| folder.path().join(n);
    std::fs::write(path("gold_1.json"), "{}").unwrap();
    std::fs::write(path("gold_2.json"), "{}").unwrap();
    assert!(check_parts(&[path("gold_2.json"), path("gold_1.json")], &[]).is_ok());
    let error = check_parts(&[path("gold_1.json")], &[]).unwrap_err();
    assert!(matches!(&error, KnownError::MissingPart { missing, .. } if *missing == path("gold_2.json")), "{error}");
}
