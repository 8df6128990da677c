//! Grades that a VICS file states, read to be recorded.

use avocet_base::{Md5, Sha256};
use avocet_known::{Grades, Scheme, looks_like_vics, read_grades};

const MD5: &str = "00112233445566778899AABBCCDDEEFF";
const SHA1: &str = "00112233445566778899aabbccddeeff00112233";

fn read(scheme: &str, declared: bool, text: &str) -> Result<Grades, String> {
    let scheme = Scheme::find_builtin(scheme).unwrap();
    read_grades(std::io::Cursor::new(text.as_bytes().to_vec()), &scheme, declared).map_err(|e| e.to_string())
}

fn case(region: &str, media: &str) -> String {
    format!(
        "\u{feff}{{\"@odata.context\":\"http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/{region}/$metadata#Cases\",\
         \"value\":[{{\"CaseID\":\"{{1}}\",\"Media\":[{media}]}}]}}"
    )
}

#[test]
fn a_case_gives_its_grades_and_counts_what_is_none_and_what_was_passed_over() {
    let sha256 = "ab".repeat(32);
    let media = format!(
        "{{\"MediaID\":1,\"Category\":1,\"MD5\":\"{MD5}\",\"SHA1\":\"{SHA1}\",\"MediaSize\":\"12\",\"Vendor\":{{\"x\":1}},\
         \"MediaFiles\":[],\"Series\":\"s\",\"VictimIdentified\":\"true\"}},\
         {{\"MediaID\":2,\"Category\":null,\"MD5\":\"{MD5}\",\"Vendor\":1}},7,\
         {{\"Category\":\"3\",\"AlternativeHashes\":[{{\"HashName\":\"SHA256\",\"HashValue\":\"{sha256}\"}}]}}"
    );
    let text = case("US", &media);
    assert!(looks_like_vics(text.as_bytes()) && !looks_like_vics(b"sha256,category,trusted\n"));
    let read = read("us-vics-2.0", true, &text).unwrap();
    assert_eq!((read.format.as_str(), read.records), ("VICS 2.0 case, region US", 4));
    let grades: Vec<_> =
        read.grades.iter().map(|g| (g.record, g.category.as_str(), g.bytes, g.md5, g.sha256)).collect();
    let md5: Md5 = MD5.parse().unwrap();
    let sha256: Sha256 = sha256.parse().unwrap();
    assert_eq!(grades, [(1, "1", Some(12), Some(md5), None), (4, "3", None, None, Some(sha256))]);
    assert_eq!(&text[usize::try_from(read.grades[0].offset).unwrap()..][..12], "{\"MediaID\":1");
    assert_eq!(read.left_out, [("an element that is not an object", 1), ("without a category", 1)]);
    let ignored: Vec<_> = read.ignored.iter().map(|(name, n)| (name.as_str(), *n)).collect();
    assert_eq!(ignored, [("MediaFiles", 1), ("Series", 1), ("Vendor", 2), ("flag victim-identified", 1)]);
    assert_eq!(read.unconfirmed.into_iter().collect::<Vec<_>>(), [("3".to_owned(), 1)]);
}

#[test]
fn what_is_wrong_is_said_with_record_byte_and_field_and_nothing_is_taken() {
    let good = format!("{{\"Category\":1,\"MD5\":\"{MD5}\"}}");
    for (media, says) in [
        (format!("{{\"Category\":9,\"MD5\":\"{MD5}\"}}"), "field Category: 9 is no category of us-vics-2.0@1"),
        (format!("{{\"Category\":\"none\",\"MD5\":\"{MD5}\"}}"), "field Category: none is no category"),
        ("{\"Category\":1,\"MD5\":\"12\"}".to_owned(), "field MD5: it is not 32 hexadecimal digits"),
        (format!("{{\"Category\":1,\"MD5\":\"{MD5}\",\"SHA1\":\"x\"}}"), "field SHA1: it is not 40"),
        (format!("{{\"Category\":1,\"MD5\":\"{MD5}\",\"MediaSize\":\"many\"}}"), "field MediaSize: it is no number"),
        (
            format!("{{\"Category\":1,\"MD5\":\"{MD5}\",\"avocet:scheme\":\"uk-2014@1\"}}"),
            "field avocet:scheme: it is in uk-2014@1, and the grading here in us-vics-2.0@1",
        ),
    ] {
        let text = case("US", &format!("{good},{media}"));
        let at = text.find(&media).unwrap();
        let why = read("us-vics-2.0", true, &text).unwrap_err();
        assert!(why.starts_with(&format!("record 2, byte {at}, {says}")), "{why}");
        assert!(why.ends_with("; nothing was recorded"), "{why}");
    }
    let twice = format!("{good},{{\"Category\":1,\"category\":2,\"MD5\":\"{MD5}\"}}");
    let why = read("us-vics-2.0", true, &case("US", &twice)).unwrap_err();
    assert!(why.starts_with("record 2: it states a field twice"), "{why}");
    let differs = format!(
        "{{\"Category\":1,\"MD5\":\"{MD5}\",\"AlternativeHashes\":[{{\"HashName\":\"MD5\",\"HashValue\":\"{}\"}}]}}",
        "1".repeat(32)
    );
    let why = read("us-vics-2.0", true, &case("US", &differs)).unwrap_err();
    assert!(why.starts_with("record 1: field AlternativeHashes: a digest differs"), "{why}");
    let text = case("US", &good);
    let why = read("us-vics-2.0", true, &text[..text.len() - 4]).unwrap_err();
    assert!(why.contains("after record 1, byte ") && why.contains("it ends in the middle"), "{why}");
    let deep = format!("{{\"Category\":1,\"MD5\":\"{MD5}\",\"Deep\":{}{}}}", "[".repeat(200), "]".repeat(200));
    let why = read("us-vics-2.0", true, &case("US", &deep)).unwrap_err();
    assert!(why.contains("field Deep: nested more than 128 deep"), "{why}");
}

#[test]
fn a_scheme_is_never_taken_for_granted() {
    let media = format!("{{\"Category\":\"a\",\"MD5\":\"{MD5}\"}}");
    let why = read("uk-2014", false, &case("UK", &media)).unwrap_err();
    assert!(why.contains("the file does not say the scheme of its categories"), "{why}");
    assert_eq!(read("uk-2014", true, &case("UK", &media)).unwrap().grades[0].category, "A");
    let why = read("uk-2014", true, &case("US", &media)).unwrap_err();
    assert!(why.contains("those of region US, and uk-2014 is for UK, Default: grades cannot be translated"), "{why}");
    // A number has no meaning in a scheme of letters, and none is made up.
    let number = format!("{{\"Category\":1,\"MD5\":\"{MD5}\"}}");
    assert!(read("uk-2014", true, &case("UK", &number)).unwrap_err().contains("1 is no category of uk-2014@1"));
    // Whose records say it need no word of anybody; only there `none` is a grade.
    let own = format!("{{\"Category\":\"none\",\"MD5\":\"{MD5}\",\"avocet:scheme\":\"uk-2014@1\"}}");
    assert_eq!(read("uk-2014", false, &case("UK", &own)).unwrap().grades[0].category, "none");
}
