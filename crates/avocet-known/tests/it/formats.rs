//! Every format of the list in `docs/validation/known-readers.md` with a small file of its own, so that a fresh clone
//! alone tests that each is recognised by its content, and what of it is kept.

use avocet_known::Field;
use serde_json::json;

use crate::support::{load, md5, pdq, read, records, sha1, sha256};

fn media(n: u64, rest: &str) -> String {
    format!("{{\"MediaID\":{n},\"MD5\":\"{}\",\"SHA1\":\"{}\"{rest}}}", md5(n), sha1(n))
}

/// The root keys and context strings that real writers and readers use.
#[test]
fn every_version_and_region_of_vics_is_told_by_its_context() {
    const OLD: &str = "http://github.com/ICMEC/ProjectVic/DataModels";
    const NEW: &str = "http://github.com/VICSDATAMODEL/ProjectVic/DataModels";
    for (key, context, case, format) in [
        ("odata.metadata", format!("{OLD}/1.2.xml#Media"), false, "VICS 1.2 hash set"),
        ("odata.metadata", format!("{OLD}/1.3.xml#Media"), false, "VICS 1.3 hash set"),
        ("odata.metadata", format!("{OLD}/1.3.xml#Cases"), true, "VICS 1.3 case"),
        (
            "@odata.context",
            format!("{NEW}/2.0.xml/Default/$metadata#Media"),
            false,
            "VICS 2.0 hash set, region Default",
        ),
        ("@odata.context", format!("{NEW}/2.0.xml/US/$metadata#Media"), false, "VICS 2.0 hash set, region US"),
        ("@odata.context", format!("{NEW}/2.0.xml/US/$metadata#Cases"), true, "VICS 2.0 case, region US"),
        ("@odata.context", format!("{NEW}/2.0.xml/UK/$metadata#Cases"), true, "VICS 2.0 case, region UK"),
    ] {
        let list = format!("[{},{}]", media(1, ",\"Category\":1"), media(2, ""));
        let value = if case { format!("[{{\"CaseID\":\"{{1}}\",\"Media\":{list}}}]") } else { list };
        let (set, got) = read("set", format!("{{\"{key}\":\"{context}\",\"value\":{value}}}")).unwrap();
        assert_eq!((set.format.as_str(), got.len(), set.warnings.len()), (format, 2, 0), "{:?}", set.warnings);
        assert_eq!((got[0].md5, got[0].category.as_deref()), (Field::Is(md5(1)), Some("1")));
    }
}

/// NIST's own set in the shape of VICS 1.2: sizes are texts, names stand in `MediaFiles`, and there is no category.
#[test]
fn the_set_of_nist_in_the_shape_of_vics_is_known_good() {
    let text = format!(
        "{{\"odata.metadata\":\"http://github.com/ICMEC/ProjectVic/DataModels/1.2.xml#Media\",\"value\":[{}]}}",
        media(1, ",\"MediaSize\":\"4096\",\"MediaFiles\":[{\"FileName\":\"icon.png\",\"FilePath\":\"x\"}]")
    );
    let got = records(&text).remove(0);
    assert_eq!((got.size, got.category), (Field::Is(4096), None));
    let sets = load(&text, "known-good").unwrap();
    let file = crate::support::digests(1);
    assert!(avocet_known::may_hide(&sets.lookup(&file, 4096)) && !avocet_known::may_hide(&sets.lookup(&file, 4097)));
}

/// A byte order mark in front is no part of the first line, whatever the format; with Windows' line ends.
#[test]
fn a_byte_order_mark_costs_no_record_in_any_format_of_text() {
    for (name, text, count) in [
        ("a", format!("{}\n{}\n", md5(1), md5(2)), 2),
        ("a", format!("md5,size\n{},1\n", md5(1)), 1),
        ("a.pdq", format!("{}\n", pdq(1)), 1),
        ("a", format!("%%%% HASHDEEP-1.0\n%%%% size,md5,filename\n5,{},/a\n", md5(1)), 1),
        ("a", format!("INSERT INTO FILE (md5) VALUES ('{}');\n", md5(1)), 1),
        ("a", format!("{{\"value\":[{}]}}\n", media(1, "")), 1),
    ] {
        for text in [text.clone(), text.replace('\n', "\r\n")] {
            let (plain, without) = read(name, &text).unwrap();
            let (marked, with) = read(name, format!("\u{feff}{text}")).unwrap();
            assert_eq!((without.len(), with.len(), plain.rejected.len(), marked.rejected.len()), (count, count, 0, 0));
            assert_eq!((with[0].md5, with[0].pdq, with[0].place), (without[0].md5, without[0].pdq, without[0].place));
            assert_eq!(with[0].offset, without[0].offset + 3, "{text}: a record's byte is that of the file");
        }
    }
}

/// What `avocet sets export --format csv` writes is read whole: flags in words, and what else a record states.
#[test]
fn an_export_of_our_own_is_read_whole() {
    let head = "id,md5,sha1,sha256,size,category,series,flags,pdq,photodna,further\n";
    let row = |flags: &str, further: &str| {
        format!(
            "7,{},,{},5,1,s,{flags},{},{},\"{}\"\n",
            md5(1),
            sha256(1),
            pdq(1),
            "A".repeat(192),
            further.replace('"', "\"\"")
        )
    };
    let (set, got) =
        read("out.csv", format!("{head}{}", row("victim-identified distributed", r#"{"a":[1, 2.50],"b":"x"}"#)))
            .unwrap();
    assert_eq!((set.format.as_str(), set.notes.len()), ("CSV", 0));
    assert_eq!(got[0].flags, ["victim-identified", "distributed"]);
    assert_eq!(got[0].extra, r#"{"a":[1, 2.50],"b":"x"}"#);
    assert_eq!((got[0].pdq, got[0].photodna.len(), got[0].id.as_str()), (Field::Is(pdq(1)), 144, "7"));
    // What is not as it should be is kept and said.
    let (set, got) = read("out.csv", format!("{head}{}", row("distributed surely", "{broken"))).unwrap();
    assert_eq!(got[0].kept(), json!({"flags": "distributed surely", "further": "{broken"}));
    assert!(got[0].flags.is_empty() && set.notes[0].reason.contains("flag"), "{:?}", set.notes);
    // Other tables may have columns of these names.
    let other = records(format!("md5,flags,further\n{},distributed,{{}}\n", md5(1)));
    assert_eq!(other[0].kept(), json!({"flags": "distributed", "further": "{}"}));
}
