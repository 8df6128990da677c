//! Leads: every leaf of the file is there, whatever the file is.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};

use avocet_record::identifier::{Identifier, IdentifierKind as Kind};
use avocet_record::intake::{Format, What, read};
use avocet_record::risk::Flag;
use proptest::prelude::*;

use super::support::testdata;

/// A report of our own with what the samples lack: namespaces, mixed content, entities, repeated elements, and an element
/// that no schema has.
const REPORT: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<t:report xmlns:t="urn:example">
  <t:reportId>4711</t:reportId>
  <incidentSummary>
    <incidentType>Test &amp; example</incidentType>
    <escalateToHighPriority>see note</escalateToHighPriority>
    <incidentDateTime>2026-03-01T10:00:00Z</incidentDateTime>
  </incidentSummary>
  <personOrUserReported>
    <espService>Example Service</espService>
    <espIdentifier>User-17</espIdentifier>
    <screenName>Heron17</screenName>
    <personOrUserReportedPerson>
      <firstName>Person</firstName><lastName>One</lastName>
      <phone type="Mobile" countryCallingCode="44">07700 900123</phone>
      <email verified="true">Person.One@Example.org</email>
    </personOrUserReportedPerson>
    <ipCaptureEvent>
      <ipAddress>192.0.2.7</ipAddress>
      <eventName>Login</eventName>
      <dateTime>2026-03-01T09:59:58+01:00</dateTime>
      <port>40001</port>
    </ipCaptureEvent>
    <ipCaptureEvent><ipAddress>2001:db8::0:1</ipAddress></ipCaptureEvent>
    <newThing since="2027">never seen &#x2014; <b>kept</b> all the same</newThing>
    <additionalInfo><![CDATA[<not an element> & text]]></additionalInfo>
  </personOrUserReported>
  <fileDetails>
    <originalFileHash hashType="MD5">97FDC6AE077D8165F3CB4AA494DDB7D4</originalFileHash>
    <fileAnnotations><viral>true</viral><potentialMeme>false</potentialMeme><liveStreaming/></fileAnnotations>
  </fileDetails>
</t:report>
"#;

/// Path and text of every leaf by the script, or `None` where there is no Python.
fn by_python(xml: &[u8]) -> Option<Vec<(String, String)>> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/leaves.py");
    let mut child = Command::new("python3").arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
    child.stdin.take().unwrap().write_all(xml).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "the script could not read the XML");
    let text = String::from_utf8(output.stdout).unwrap();
    let leaf = |line: &str| {
        let (path, json) = line.split_once('\t').unwrap();
        (path.to_owned(), serde_json::from_str(json).unwrap())
    };
    Some(text.lines().map(leaf).collect())
}

fn ours(xml: &[u8]) -> Vec<(String, String)> {
    read(xml, Format::Xml).fields.into_iter().map(|field| (field.path, field.text)).collect()
}

#[test]
fn every_leaf_is_read_as_another_reader_reads_it() {
    let mut cases = vec![("our own".to_owned(), REPORT.as_bytes().to_vec())];
    let mut skipped = 0;
    for name in ["cybertip-report.xml", "cybertip-filedetails.xml"] {
        match testdata(&format!("formats/synthetic/{name}")) {
            Some(path) => cases.push((name.to_owned(), std::fs::read(path).unwrap())),
            None => skipped += 1,
        }
    }
    // The schema itself is a large XML file with attributes everywhere.
    match testdata("formats/cyber_tipline.xsd") {
        Some(path) => cases.push(("the schema".to_owned(), std::fs::read(path).unwrap())),
        None => skipped += 1,
    }
    println!("skipped {skipped} case(s): the shared test data is not there");
    for (name, xml) in cases {
        let Some(mut wanted) = by_python(&xml) else {
            println!("skipped 1 case: python3 is not there");
            return;
        };
        let mut found: Vec<_> = ours(&xml).into_iter().filter(|(path, _)| !path.ends_with("comment()")).collect();
        assert!(found.len() > 5, "{name}");
        // A closing tag comes after what it holds, so the order differs; nothing else may.
        found.sort();
        wanted.sort();
        assert_eq!(found, wanted, "{name}");
    }
}

/// Each leaf that the schema allows has a meaning of its own or is kept, and which are kept is decided, not forgotten.
#[test]
fn the_elements_of_the_schema_that_are_kept_without_a_meaning_are_these() {
    let Some(path) = testdata("formats/cyber_tipline.xsd") else {
        println!("skipped 1 case: the shared test data is not there");
        return;
    };
    let schema = std::fs::read_to_string(path).unwrap();
    let mut kept = BTreeSet::new();
    for part in schema.split("<xs:element name=\"").skip(1) {
        let name = part.split('"').next().unwrap();
        let simple = !part.split('>').next().unwrap().is_empty() && part.split('>').next().unwrap().contains("type=\"");
        let xml = format!("<a><b><{name}>x</{name}></b></a>");
        if simple && read(xml.as_bytes(), Format::Xml).fields[0].what.is_none() {
            kept.insert(name.to_owned());
        }
    }
    // Containers; names that mean something only within their own element; and the sender's legal texts.
    let known = [
        "associatedAccount",
        "batchedReport",
        "companyTemplate",
        "contactPerson",
        "details",
        "deviceId",
        "estimatedLocation",
        "fileAnnotations",
        "incidentAddress",
        "intendedRecipientPerson",
        "ipCaptureEvent",
        "hash",
        "responseCode",
        "responseDescription",
        "legalURL",
        "nameValuePair",
        "officerContact",
        "personOrUserReportedPerson",
        "reportAnnotations",
        "reportingPerson",
        "termsOfService",
        "victimPerson",
        // Within their element they have a meaning.
        "agencyName",
        "animeDrawingVirtualHentai",
        "bestiality",
        "caseNumber",
        "city",
        "country",
        "countryCode",
        "csamSolicitation",
        "dateTime",
        "eventName",
        "generativeAi",
        "infant",
        "latitude",
        "liveStreaming",
        "locationName",
        "longitude",
        "minorToMinorInteraction",
        "name",
        "nonUsaState",
        "physicalHarm",
        "possibleSelfProduction",
        "region",
        "reportedToLe",
        "sadisticOnlineExploitation",
        "servedLegalProcessDomestic",
        "sextortion",
        "spam",
        "state",
        "value",
        "violenceGore",
        "zipCode",
    ];
    let unknown: Vec<_> = kept.iter().filter(|name| !known.contains(&name.as_str())).collect();
    assert!(unknown.is_empty(), "without a meaning and not decided: {unknown:?}");
}

#[test]
fn what_matters_is_found_in_a_report() {
    let lead = read(REPORT.as_bytes(), Format::of(REPORT.as_bytes()));
    assert_eq!(lead.format, Format::Xml);
    assert_eq!(lead.problems, []);
    assert_eq!(lead.first(What::Reference), Some("4711"));
    let flags: Vec<_> = lead.flags().into_iter().map(|f| (f.flag, f.path)).collect();
    let at = |name: &str| format!("report/fileDetails/fileAnnotations/{name}");
    assert_eq!(
        flags,
        [
            (Flag::Escalated, "report/incidentSummary/escalateToHighPriority".to_owned()),
            (Flag::LiveStreaming, at("liveStreaming")),
            (Flag::Viral, at("viral")),
        ],
        "potentialMeme is said to be false"
    );
    let [one, two] = lead.ip_events.as_slice() else { panic!("{:?}", lead.ip_events) };
    assert_eq!((one.address.as_str(), one.port.as_deref()), ("192.0.2.7", Some("40001")));
    assert_eq!(one.time.as_deref(), Some("2026-03-01T09:59:58+01:00"), "as it stands there");
    assert_eq!((two.address.as_str(), two.time.as_deref()), ("2001:db8::0:1", None));
    let found: BTreeSet<_> = lead.identifiers().into_iter().map(|i| (i.kind, i.value)).collect();
    let wanted = [
        (Kind::Ip, "192.0.2.7"),
        (Kind::Ip, "2001:db8::1"),
        (Kind::IpAndTime, "192.0.2.7 1772355598"),
        (Kind::Account, "example service|User-17"),
        (Kind::ScreenName, "heron17"),
        (Kind::Telephone, "447700900123"),
        (Kind::Email, "person.one@example.org"),
        (Kind::Digest, "97fdc6ae077d8165f3cb4aa494ddb7d4"),
    ];
    assert_eq!(found, wanted.into_iter().map(|(kind, value)| (kind, value.to_owned())).collect());
    let kept: Vec<_> = lead.fields.iter().filter(|f| f.what.is_none()).map(|f| f.path.as_str()).collect();
    assert!(kept.contains(&"report/personOrUserReported/newThing/@since"), "{kept:?}");
    assert!(!format!("{lead:?}").contains("Heron17"), "nothing of the content shows");
}

#[test]
fn csv_and_json_leads() {
    let csv = "Reference,IP,Time,Zone,Port,Screen name,Odd column,Viral\n\
               A-1,192.0.2.9,2026-03-01 10:00,,40002,heron,kept,yes\n\
               A-2,192.0.2.10,,,,,,\n";
    let lead = read(csv.as_bytes(), Format::of(csv.as_bytes()));
    assert_eq!(lead.format, Format::Csv);
    assert_eq!(lead.ip_events.len(), 2);
    assert_eq!(lead.ip_events[0].time.as_deref(), Some("2026-03-01 10:00"));
    assert_eq!(lead.flags().len(), 1);
    let odd = lead.fields.iter().find(|f| f.path.ends_with("odd_column")).unwrap();
    assert_eq!((odd.text.as_str(), odd.what, odd.line), ("kept", None, 2));
    let strong: Vec<_> = lead.identifiers().into_iter().filter(|i| i.kind == Kind::IpAndTime).collect();
    assert_eq!(strong, [], "a time without a zone is no time");
    let json = r#"{"reference": 5, "email": ["a@example.org", "b@example.org"], "deep": {"x": [1.10, {"y": null}]},
        "generative": true, "reference": 123456789012345678901234567890}"#;
    let lead = read(json.as_bytes(), Format::of(json.as_bytes()));
    let paths: Vec<_> = lead.fields.iter().map(|f| f.path.as_str()).collect();
    assert_eq!(paths, ["reference", "email", "email[2]", "deep/x", "deep/x[2]/y", "generative", "reference[2]"]);
    let text = |n: usize| lead.fields[n].text.as_str();
    assert_eq!((text(3), text(6)), ("1.10", "123456789012345678901234567890"), "digits as they are written");
    assert_eq!(lead.identifiers().len(), 2);
    assert_eq!(lead.flags()[0].flag, Flag::Generative);
}

#[test]
fn nothing_makes_it_fail_and_what_is_not_read_is_said() {
    let bomb = format!(
        "<!DOCTYPE r [<!ENTITY a \"{}\"><!ENTITY b \"&a;&a;&a;\"><!ENTITY c SYSTEM \"file:///etc/hostname\">]><r>&b;&c;</r>",
        "x".repeat(1000)
    );
    let lead = read(bomb.as_bytes(), Format::Xml);
    assert_eq!(lead.fields[0].text, "&b;&c;", "no entity of the document's own is expanded");
    assert!(lead.problems.len() >= 3, "{:?}", lead.problems);
    let deep = "<a>".repeat(100_000);
    assert_eq!(read(deep.as_bytes(), Format::Xml).problems.len(), 1);
    let deep = "[".repeat(100_000);
    assert_eq!(read(deep.as_bytes(), Format::Json).problems.len(), 1);
    let cut = read(b"<report><reportId>47", Format::Xml);
    assert_eq!(cut.fields[0].text, "47", "what is there is read");
    assert!(cut.problems[0].what.contains("cut off"), "{:?}", cut.problems);
    let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain("<r>é</r>".encode_utf16().flat_map(u16::to_le_bytes)).collect();
    assert_eq!(ours(&utf16), [("r".to_owned(), "é".to_owned())]);
    let latin = read(b"<r>\xe9</r>", Format::Xml);
    assert!(latin.problems[0].what.contains("not UTF-8"), "{:?}", latin.problems);
    for bytes in [&b""[..], b"\x00\x01", b"plain words"] {
        let lead = read(bytes, Format::of(bytes));
        assert_eq!((lead.format, lead.problems.len()), (Format::Unread, 1));
    }
}

#[test]
fn one_spelling_for_each_thing_and_two_for_two() {
    let same: [(Kind, &[&str]); 7] = [
        (Kind::Telephone, &["07700 900123", "+44 7700 900123", "0044 7700-900123", "+44 (0)7700 900123"]),
        (Kind::Email, &["Person@Example.org", " person@example.ORG "]),
        (Kind::Ip, &["2001:db8::1", "2001:0DB8:0:0:0:0:0:1", "[2001:db8::1]"]),
        (Kind::Ip, &["192.0.2.1", "::ffff:192.0.2.1"]),
        (Kind::Url, &["https://www.Example.org/A/", "http://example.org/A"]),
        (Kind::Device, &["35-209900-176148-1", "352099001761481"]),
        (Kind::ScreenName, &["@Heron", "heron"]),
    ];
    for (kind, spellings) in same {
        let all: BTreeSet<_> = spellings.iter().map(|text| Identifier::new(kind, text).unwrap().value).collect();
        assert_eq!(all.len(), 1, "{kind:?}: {all:?}");
        let value = all.into_iter().next().unwrap();
        if kind != Kind::Telephone {
            assert_eq!(Identifier::new(kind, &value).unwrap().value, value, "a spelling stays as it is");
        }
    }
    for (kind, a, b) in [
        (Kind::Telephone, "07700 900123", "07700 900124"),
        (Kind::Email, "a.b@example.org", "ab@example.org"),
        (Kind::Url, "example.org/a", "example.org/A"),
        (Kind::Account, "one|17", "two|17"),
    ] {
        assert_ne!(Identifier::new(kind, a), Identifier::new(kind, b));
    }
    for (kind, nothing) in [
        (Kind::Ip, "010.0.0.1"),
        (Kind::Ip, "300.1.1.1"),
        (Kind::Email, "nobody"),
        (Kind::Digest, "abc"),
        (Kind::Telephone, "12"),
        (Kind::Device, "17"),
    ] {
        assert_eq!(Identifier::new(kind, nothing), None, "{nothing}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn damaged_reports_are_read_as_far_as_they_go(at in 0usize..1900, byte: u8, cut in 0usize..1900) {
        let mut bytes = REPORT.as_bytes().to_vec();
        let place = at % bytes.len();
        bytes[place] = byte;
        let end = cut.max(100).min(bytes.len());
        bytes.truncate(end);
        for format in [Format::Xml, Format::Csv, Format::Json, Format::Unread] {
            let lead = read(&bytes, format);
            prop_assert!(!lead.fields.is_empty() || !lead.problems.is_empty(), "nothing read and nothing said");
        }
    }
}

/// What the fuzz target `intake` asserts, over seeded changes of a few leads: something is read or something is said, and
/// whatever was read can be kept and read again.
#[test]
fn whatever_is_read_can_be_kept() {
    let seeds: [&[u8]; 4] = [
        REPORT.as_bytes(),
        b"ip,time,port,email,imei\n192.0.2.7,\"2026-03-01 10:00\",1,a@example.org,350000000000017\n",
        b"{\"ip\": \"192.0.2.7\", \"events\": [{\"email\": \"a@example.org\", \"n\": 1.5, \"x\": null}], \"md5\": \"97\"}",
        b"<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;<![CDATA[d]]></a>",
    ];
    const PARTS: [&[u8]; 12] =
        [b"<", b">", b"&", b"\"", b",", b"\n", b"{", b"]", b"\0", b"\xff\xfe", b"]]>", b"&#x110000;"];
    let mut random = super::support::Random(23);
    let mut below = move |n: usize| usize::try_from(random.below(n.max(1) as u64)).unwrap();
    for n in 0..4000 {
        let mut bytes = seeds[n % seeds.len()].to_vec();
        for _ in 0..=below(6) {
            let at = below(bytes.len());
            match below(4) {
                0 => bytes.truncate(at),
                1 => drop(bytes.splice(at..at, PARTS[below(PARTS.len())].iter().copied())),
                2 => drop(bytes.drain(at..(at + below(20)).min(bytes.len()))),
                _ => {
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte = u8::try_from(below(256)).unwrap();
                    }
                }
            }
        }
        for format in [Format::Xml, Format::Csv, Format::Json, Format::Unread, Format::of(&bytes)] {
            let lead = read(&bytes, format);
            assert!(
                !lead.fields.is_empty() || !lead.problems.is_empty(),
                "nothing read, nothing said: {format:?} {:?}",
                String::from_utf8_lossy(&bytes)
            );
            assert!(lead.identifiers().iter().all(|identifier| !identifier.value.is_empty()));
            let text = serde_json::to_string(&lead).unwrap();
            assert_eq!(serde_json::from_str::<avocet_record::intake::Lead>(&text).unwrap(), lead);
        }
    }
}
