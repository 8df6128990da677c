//! Files made here: every container, every maker note layout that can be made small, every rule of precedence.

use avocet_media::meta::{Key, Metadata, ProblemCode, Source, read};

use super::build::*;

fn camera_entries() -> Vec<(u16, Value)> {
    let exif = vec![
        (0x9003, ascii("2021:04:11 15:47:53")),
        (0x9004, ascii("2021:04:11 15:47:54")),
        (0x9011, ascii("-05:00")),
        (0x9291, ascii("123")),
        (0xa002, Value::Long(64)),
        (0xa420, ascii("0123456789abcdef0123456789abcdef")),
        (0xa431, Value::Ascii(b"SN-0042\0rubbish".to_vec())),
        (0xa434, ascii("Test Lens 50mm f/1.8")),
        (0xa435, ascii("L-77 ")),
    ];
    let gps = vec![
        (1, ascii("S")),
        (2, Value::Ratios(vec![(33, 1), (51, 1), (3156, 100)])),
        (3, ascii("E")),
        (4, Value::Ratios(vec![(151, 1), (12, 1), (36, 1)])),
        (5, Value::Bytes(vec![1])),
        (6, Value::Ratios(vec![(25, 2)])),
        (7, Value::Ratios(vec![(20, 1), (47, 1), (525, 10)])),
        (29, ascii("2021:04:11")),
    ];
    vec![
        (0x010f, ascii("Testmaker")),
        (0x0110, ascii("Model/1")),
        (0x0112, Value::Short(6)),
        (0x0131, ascii("Firmware 1.00")),
        (0x0132, ascii("2022:01:02 03:04:05")),
        (0x013b, ascii("A Person")),
        (0x8769, Value::Dir(exif)),
        (0x8825, Value::Dir(gps)),
    ]
}

fn packet() -> String {
    xmp(
        "aux:SerialNumber='XMP-1' xmp:CreatorTool='Editor &amp; Co'",
        "<exif:DateTimeOriginal>2021-04-11T15:47:53+02:00</exif:DateTimeOriginal>",
    )
}

fn expect(meta: &Metadata, facts: &[(Key, Source, &str)]) {
    for (key, source, value) in facts {
        let all: Vec<_> = meta.all(*key).map(|f| (f.source, f.value.as_str())).collect();
        assert!(all.contains(&(*source, *value)), "{key} {source} {value}: {all:?}");
    }
}

#[test]
fn exif_in_both_byte_orders() {
    for order in [Order::Little, Order::Big] {
        let thumbnail = jpeg(&[]);
        let block = tiff_with_thumbnail(order, &camera_entries(), &thumbnail);
        let meta = read(&jpeg(&[exif_segment(&block)]));
        assert_eq!(meta.problems, [], "{order:?}");
        expect(
            &meta,
            &[
                (Key::Make, Source::Exif, "Testmaker"),
                (Key::Model, Source::Exif, "Model/1"),
                (Key::BodySerial, Source::Exif, "SN-0042"),
                (Key::LensSerial, Source::Exif, "L-77"),
                (Key::LensModel, Source::Exif, "Test Lens 50mm f/1.8"),
                (Key::UniqueId, Source::Exif, "0123456789abcdef0123456789abcdef"),
                (Key::Taken, Source::Exif, "2021:04:11 15:47:53"),
                (Key::TakenSubsec, Source::Exif, "123"),
                (Key::TakenOffset, Source::Exif, "-05:00"),
                (Key::Digitised, Source::Exif, "2021:04:11 15:47:54"),
                (Key::Modified, Source::Exif, "2022:01:02 03:04:05"),
                (Key::Orientation, Source::Exif, "6"),
                (Key::Software, Source::Exif, "Firmware 1.00"),
                (Key::Artist, Source::Exif, "A Person"),
                (Key::GpsLat, Source::Exif, "-33.858767"),
                (Key::GpsLatStated, Source::Exif, "33/1 51/1 3156/100 S"),
                (Key::GpsLon, Source::Exif, "151.210000"),
                (Key::GpsAlt, Source::Exif, "-12.50"),
                (Key::GpsTime, Source::Exif, "2021-04-11T20:47:52.500Z"),
                (Key::ImageWidth, Source::Exif, "64"),
                (Key::ImageWidth, Source::Header, "64"),
                (Key::ImageHeight, Source::Header, "48"),
            ],
        );
        assert_eq!(meta.thumbnail.as_deref(), Some(&thumbnail[..]));
        let taken = meta.taken().unwrap();
        assert_eq!((taken.text, taken.offset), ("2021:04:11 15:47:53", Some("-05:00")));
        assert_eq!(taken.iso().as_deref(), Some("2021-04-11T15:47:53-05:00"));
        let camera = meta.camera().unwrap();
        assert_eq!((camera.make, camera.model, camera.serial), (Some("Testmaker"), Some("Model/1"), Some("SN-0042")));
        assert_eq!(meta.place(), Some((-33.858767, 151.21)));
        let mut sorted = meta.facts.clone();
        sorted.sort_by_key(|f| (f.key, f.source));
        assert_eq!(meta.facts, sorted);
    }
}

/// The same EXIF and XMP in every container.
#[test]
fn every_container() {
    let block = tiff(Order::Big, &camera_entries());
    let packet = packet();
    let hex: String = [&b"Exif\0\0"[..], &block].concat().iter().map(|b| format!("{b:02x}")).collect();
    let profile = format!("\nexif\n{:8}\n{hex}\n", hex.len() / 2);
    let itxt = [&b"XML:com.adobe.xmp\0\0\0\0\0"[..], packet.as_bytes()].concat();
    let packed = [&b"XML:com.adobe.xmp\0\x01\0\0\0"[..], &deflated(packet.as_bytes())].concat();
    let item = [&[0; 4][..], &block].concat();
    let brob = |name: &[u8], body: &[u8]| iso_box(b"brob", &[name, &brotli_stored(body)].concat());
    let jxl = iso_box(b"JXL ", b"\r\n\x87\n");
    let xmp_uuid = b"\xbe\x7a\xcf\xcb\x97\xa9\x42\xe8\x9c\x71\x99\x94\x91\xe3\xaf\xac";
    let canon_uuid = b"\x85\xc0\xb6\x87\x82\x0f\x11\xe0\x81\x11\xf4\xce\x46\x2b\x6a\x48";
    let cr3 = [
        iso_box(b"ftyp", b"crx \0\0\0\x01crx isom"),
        iso_box(b"moov", &iso_box(b"uuid", &[&canon_uuid[..], &iso_box(b"CMT1", &block)].concat())),
    ]
    .concat();
    let cr3 = [cr3, iso_box(b"uuid", &[&xmp_uuid[..], packet.as_bytes()].concat())].concat();
    let jp2 = [
        iso_box(b"jP  ", b"\r\n\x87\n"),
        iso_box(b"uuid", &[&b"JpgTiffExif->JP2"[..], &block].concat()),
        iso_box(b"xml ", packet.as_bytes()),
    ]
    .concat();
    let chunk = |name: &[u8], body: &[u8]| {
        let mut out = [name, &(body.len() as u32).to_le_bytes(), body].concat();
        out.resize(out.len().next_multiple_of(2), 0);
        out
    };
    let webp_body = [&b"WEBP"[..], &chunk(b"EXIF", &block), &chunk(b"XMP ", packet.as_bytes())].concat();
    let mut tiff_file = camera_entries();
    tiff_file.push((0x02bc, Value::Bytes(packet.clone().into_bytes())));
    let inner = jpeg(&[exif_segment(&block), xmp_segment(&packet)]);
    let mut raf = b"FUJIFILMCCD-RAW 0201".to_vec();
    raf.resize(84, 0);
    raf.extend(92u32.to_be_bytes());
    raf.extend((inner.len() as u32).to_be_bytes());
    raf.extend(&inner);
    let files: Vec<(&str, Vec<u8>)> = vec![
        ("JPEG", inner.clone()),
        ("PNG", png(&[(b"eXIf", block.clone()), (b"iTXt", itxt.clone())])),
        (
            "PNG, packed",
            png(&[
                (b"zTXt", [&b"Raw profile type APP1\0\0"[..], &deflated(profile.as_bytes())].concat()),
                (b"iTXt", packed),
            ]),
        ),
        (
            "PNG, profile",
            png(&[(b"tEXt", [&b"Raw profile type exif\0"[..], profile.as_bytes()].concat()), (b"iTXt", itxt)]),
        ),
        ("TIFF", tiff(Order::Little, &tiff_file)),
        ("WebP", [&b"RIFF"[..], &(webp_body.len() as u32).to_le_bytes(), &webp_body].concat()),
        ("HEIF", heif(&block, &packet)),
        ("JPEG XL", [jxl.clone(), iso_box(b"Exif", &item), iso_box(b"xml ", packet.as_bytes())].concat()),
        ("JPEG XL, packed", [jxl, brob(b"Exif", &item), brob(b"xml ", packet.as_bytes())].concat()),
        ("CR3", cr3),
        ("JPEG 2000", jp2),
        ("RAF", raf),
    ];
    for (name, bytes) in files {
        let meta = read(&bytes);
        assert_eq!(meta.problems, [], "{name}");
        let facts: Vec<_> = [Key::BodySerial, Key::Software, Key::Taken, Key::TakenOffset]
            .iter()
            .flat_map(|k| meta.all(*k).map(|f| (f.source, f.value.as_str())))
            .collect();
        let want = [
            (Source::Exif, "SN-0042"),
            (Source::Xmp, "XMP-1"),
            (Source::Exif, "Firmware 1.00"),
            (Source::Xmp, "Editor & Co"),
            (Source::Exif, "2021:04:11 15:47:53"),
            (Source::Xmp, "2021-04-11T15:47:53+02:00"),
            (Source::Exif, "-05:00"),
            (Source::Xmp, "+02:00"),
        ];
        assert_eq!(facts, want, "{name}");
        assert_eq!(meta.place(), Some((-33.858767, 151.21)), "{name}");
    }
}

#[test]
fn gif_carries_xmp() {
    let trailer: Vec<u8> = [1].into_iter().chain((0..=255).rev()).chain([0]).collect();
    let packet = packet();
    let body = [&b"GIF89a\x40\0\x30\0\0\0\0"[..], b"\x21\xff\x0bXMP DataXMP", packet.as_bytes(), &trailer, b"\x3b"];
    let meta = read(&body.concat());
    assert_eq!(meta.problems, []);
    expect(&meta, &[(Key::BodySerial, Source::Xmp, "XMP-1"), (Key::ImageWidth, Source::Header, "64")]);
}

#[test]
fn maker_notes() {
    let text = |tag| vec![(tag, ascii("NUMBER-123"))];
    type Case<'a> = (&'a str, Vec<u8>, Vec<(u16, Value)>, bool, Key, &'a str);
    for order in [Order::Little, Order::Big] {
        let head = |before: &[u8], after: &[u8]| [before, order.mark(), after].concat();
        let cases: Vec<Case> = vec![
            ("Canon", vec![], vec![(0x000c, Value::Long(1_070_700_342))], false, Key::BodySerial, "1070700342"),
            ("Canon", vec![], vec![(0x000c, Value::Long(70_342))], false, Key::BodySerial, "0000070342"),
            ("Canon", vec![], text(0x0096), false, Key::InternalSerial, "NUMBER-123"),
            (
                "Canon",
                vec![],
                vec![(0x4019, Value::Bytes(vec![0, 0, 0x10, 0x66, 0xba, 9]))],
                false,
                Key::LensSerial,
                "00001066ba",
            ),
            ("Canon", vec![], text(0x0009), false, Key::OwnerName, "NUMBER-123"),
            ("NIKON", vec![], text(0x001d), false, Key::BodySerial, "NUMBER-123"),
            (
                "NIKON",
                b"Nikon\0\x01\0".to_vec(),
                vec![(0x00a0, ascii("NO= 30002a36"))],
                false,
                Key::BodySerial,
                "30002a36",
            ),
            ("OLYMPUS", b"OLYMP\0\x01\0".to_vec(), text(0x0404), false, Key::BodySerial, "NUMBER-123"),
            (
                "OLYMPUS",
                head(b"OLYMPUS\0", b"\x03\0"),
                vec![(0x2010, Value::Dir(text(0x0101)))],
                true,
                Key::BodySerial,
                "NUMBER-123",
            ),
            (
                "OM",
                head(b"OM SYSTEM\0\0\0", b"\x04\0"),
                vec![(0x2010, Value::Dir(text(0x0101)))],
                true,
                Key::BodySerial,
                "NUMBER-123",
            ),
            (
                "Panasonic",
                b"Panasonic\0\0\0".to_vec(),
                vec![(0x0025, Value::Bytes(b"S010604030293\0\0\0".to_vec()))],
                false,
                Key::InternalSerial,
                "S010604030293",
            ),
            ("PENTAX", head(b"AOC\0", b""), text(0x0229), false, Key::BodySerial, "NUMBER-123"),
            ("PENTAX", head(b"PENTAX \0", b""), text(0x0229), true, Key::BodySerial, "NUMBER-123"),
            ("RICOH", head(b"RICOH\0", b""), text(0x0229), true, Key::BodySerial, "NUMBER-123"),
            (
                "RICOH",
                b"Ricoh\0\0\0".to_vec(),
                vec![(0x0005, Value::Bytes(vec![0, 1, 0xff, 3, 4, 5]))],
                false,
                Key::InternalSerial,
                "0001ff030405",
            ),
            ("SIGMA", b"SIGMA\0\0\0\x01\0".to_vec(), text(0x0002), false, Key::BodySerial, "NUMBER-123"),
            ("Apple", head(b"Apple iOS\0\0\x01", b""), text(0x0015), true, Key::UniqueId, "NUMBER-123"),
            ("SAMSUNG", vec![], text(0xa002), false, Key::BodySerial, "NUMBER-123"),
            ("SAMSUNG", vec![], text(0xa002), true, Key::BodySerial, "NUMBER-123"),
            ("Motorola", b"MOT\0\0\0\0\0".to_vec(), text(0x5501), true, Key::BodySerial, "NUMBER-123"),
            (
                "LEICA CAMERA AG",
                b"LEICA\0\x01\0".to_vec(),
                vec![(0x0305, Value::Long(4_711))],
                false,
                Key::BodySerial,
                "4711",
            ),
        ];
        for (make, head, note, from_note, key, value) in cases {
            let meta = read(&jpeg(&[exif_segment(&with_note(order, make, &head, &note, from_note))]));
            let found: Vec<_> = meta.all(key).map(|f| (f.source, f.value.as_str())).collect();
            assert_eq!(found, [(Source::MakerNote, value)], "{make} {order:?} {:?}", meta.problems);
        }
        // Nikon since 2000: a TIFF structure of its own inside the note, in a byte order of its own.
        let note = [&b"Nikon\0\x02\x10\0\0"[..], &tiff(order, &text(0x001d))].concat();
        let meta = read(&jpeg(&[exif_segment(&note_block(Order::Big, "NIKON CORPORATION", &note))]));
        expect(&meta, &[(Key::BodySerial, Source::MakerNote, "NUMBER-123")]);
    }
    // Fujifilm is little-endian whatever the file is.
    let mut note = b"FUJIFILM\x0c\0\0\0".to_vec();
    directory(&mut note, Order::Little, &text(0x0010), None, 0);
    let meta = read(&jpeg(&[exif_segment(&note_block(Order::Big, "FUJIFILM", &note))]));
    expect(&meta, &[(Key::InternalSerial, Source::MakerNote, "NUMBER-123")]);
    assert_eq!(meta.camera().unwrap().serial_from, Some((Key::InternalSerial, Source::MakerNote)));
}

fn note_block(order: Order, make: &str, note: &[u8]) -> Vec<u8> {
    let exif = vec![(0x927c, Value::Bytes(note.to_vec()))];
    tiff(order, &[(0x010f, ascii(make)), (0x8769, Value::Dir(exif))])
}

#[test]
fn trail_cameras() {
    let mut first = vec![0x01, 0xf1, 3, 0];
    first.resize(0x16, 0);
    first.extend([8u16, 30, 17, 5, 7, 2015].iter().flat_map(|n| n.to_le_bytes()));
    first.resize(0x2a, 0);
    first.extend(utf16("H500DE01120343\0"));
    let mut second = b"RECONYXH2\0".to_vec();
    second.resize(0x3e, 0);
    second.extend([8u16, 30, 17, 7, 5, 2015].iter().flat_map(|n| n.to_le_bytes()));
    second.resize(0x7e, 0);
    second.extend(utf16("H500DE01120343\0"));
    let mut third = b"RECONYXUF\0".to_vec();
    third.resize(0x3b, 0);
    third.extend([8, 30, 17, 7, 5]);
    third.extend(2015u16.to_le_bytes());
    third.resize(0x4b, 0);
    third.extend(b"H500DE01120343\0");
    for note in [first, second, third] {
        let meta = read(&jpeg(&[exif_segment(&note_block(Order::Little, "RECONYX", &note))]));
        expect(
            &meta,
            &[
                (Key::BodySerial, Source::MakerNote, "H500DE01120343"),
                (Key::Taken, Source::MakerNote, "2015:05:07 17:30:08"),
            ],
        );
        assert_eq!(meta.problems, []);
    }
}

/// A program that rewrites EXIF may move a maker note and leave its offsets as they were.
#[test]
fn moved_maker_note() {
    let note = [(0x0006, ascii("IMG:EOS 6D JPEG")), (0x0096, ascii("AB1234567")), (0x0095, ascii("EF 50mm"))];
    let mut bytes = Vec::new();
    directory(&mut bytes, Order::Little, &note, None, 5000);
    let meta = read(&jpeg(&[exif_segment(&note_block(Order::Little, "Canon", &bytes))]));
    expect(&meta, &[(Key::InternalSerial, Source::MakerNote, "AB1234567")]);
    // With the footer that states where it stood, no text is needed to find out.
    let mut bytes = Vec::new();
    directory(&mut bytes, Order::Little, &[(0x4019, Value::Bytes(vec![1, 2, 3, 4, 5, 6]))], None, 5000);
    bytes.extend(b"II*\0");
    bytes.extend(5000u32.to_le_bytes());
    let meta = read(&jpeg(&[exif_segment(&note_block(Order::Little, "Canon", &bytes))]));
    expect(&meta, &[(Key::LensSerial, Source::MakerNote, "0102030405")]);
}

#[test]
fn unknown_maker_note_is_said() {
    let meta = read(&jpeg(&[exif_segment(&note_block(Order::Little, "Nobody", b"something else than known"))]));
    assert_eq!(meta.problems.iter().map(|p| p.code).collect::<Vec<_>>(), [ProblemCode::MakerNoteUnknown]);
}

#[test]
fn app12_and_ciff() {
    let text = b"OLYMPUS OPTICAL CO.,LTD.\0 713\r\n[picture info]\r\nTimeDate=909698819\r\nSerial#=#00000001\r\n";
    let meta = read(&jpeg(&[segment(0xec, text)]));
    expect(&meta, &[(Key::BodySerial, Source::App12, "#00000001"), (Key::Taken, Source::App12, "1998:10:29 22:06:59")]);
    let heap = b"Canon\0Canon EOS Old\0";
    let mut ciff = [&b"II\x1a\0\0\0HEAPJPGM"[..], &[0; 12], heap].concat();
    let entry =
        |tag: u16, size: u32, at: u32| [&tag.to_le_bytes()[..], &size.to_le_bytes(), &at.to_le_bytes()].concat();
    ciff.extend(3u16.to_le_bytes());
    ciff.extend(entry(0x080a, heap.len() as u32, 0));
    ciff.extend(entry(0x580b, 70_342, 0));
    ciff.extend(entry(0x580e, 972_687_386, 0));
    ciff.extend((heap.len() as u32).to_le_bytes());
    let meta = read(&jpeg(&[segment(0xe0, &ciff)]));
    assert_eq!(meta.problems, []);
    expect(
        &meta,
        &[
            (Key::Make, Source::Ciff, "Canon"),
            (Key::Model, Source::Ciff, "Canon EOS Old"),
            (Key::BodySerial, Source::Ciff, "0000070342"),
            (Key::Taken, Source::Ciff, "2000:10:27 22:56:26"),
        ],
    );
}

#[test]
fn iptc_states_a_zone() {
    let set = |n: u8, v: &[u8]| [&[0x1c, 2, n, 0, v.len() as u8][..], v].concat();
    let records = [set(55, b"20220110"), set(60, b"151544-0400"), set(80, b"A Person")].concat();
    let mut body = b"Photoshop 3.0\x008BIM\x04\x04\0\0".to_vec();
    body.extend((records.len() as u32).to_be_bytes());
    body.extend(&records);
    let meta = read(&jpeg(&[segment(0xed, &body)]));
    let taken = meta.taken().unwrap();
    assert_eq!((taken.text, taken.offset, taken.source), ("2022:01:10 15:15:44-04:00", Some("-04:00"), Source::Iptc));
    assert_eq!(meta.first(Key::Artist), Some("A Person"));
}

#[test]
fn xmp_forms() {
    let structures = "<xmpMM:DerivedFrom><rdf:Description xmpMM:DocumentID='other' aux:SerialNumber='not mine'/></xmpMM:DerivedFrom>\
        <xmpMM:History><rdf:Seq><rdf:li rdf:parseType='Resource'><aux:SerialNumber>nor this</aux:SerialNumber></rdf:li></rdf:Seq></xmpMM:History>";
    let elements = format!(
        "{structures}<tiff:Make>A &lt;B&gt; &#x43;</tiff:Make><dc:creator><rdf:Seq><rdf:li>One</rdf:li><rdf:li>Two</rdf:li></rdf:Seq></dc:creator>\
         <tiff:Model><![CDATA[M&M]]></tiff:Model><exif:GPSLatitude>34,3.576N</exif:GPSLatitude><exif:GPSLongitude>84,40,54.21W</exif:GPSLongitude>\
         <exif:GPSAltitude>2500/10</exif:GPSAltitude><exif:GPSAltitudeRef>1</exif:GPSAltitudeRef><xmpMM:DocumentID>xmp.did:1</xmpMM:DocumentID>"
    );
    let packet = xmp("ex:BodySerialNumber=\"B-1\" tiff:Orientation='8' xmpMM:InstanceID='xmp.iid:2'", &elements);
    let wide: Vec<u8> = [0xfe, 0xff].into_iter().chain(packet.encode_utf16().flat_map(u16::to_be_bytes)).collect();
    let wide = segment(0xe1, &[b"http://ns.adobe.com/xap/1.0/\0", &wide[..]].concat());
    for bytes in [jpeg(&[xmp_segment(&packet)]), jpeg(&[wide])] {
        let meta = read(&bytes);
        assert_eq!(meta.problems, []);
        expect(
            &meta,
            &[
                (Key::Make, Source::Xmp, "A <B> C"),
                (Key::Model, Source::Xmp, "M&M"),
                (Key::Artist, Source::Xmp, "One"),
                (Key::Artist, Source::Xmp, "Two"),
                (Key::BodySerial, Source::Xmp, "B-1"),
                (Key::Orientation, Source::Xmp, "8"),
                (Key::GpsLat, Source::Xmp, "34.059600"),
                (Key::GpsLon, Source::Xmp, "-84.681725"),
                (Key::GpsAlt, Source::Xmp, "-250.00"),
                (Key::XmpInstanceId, Source::Xmp, "xmp.iid:2"),
            ],
        );
        assert_eq!(meta.all(Key::BodySerial).count(), 1, "structures describe other files");
        let ids: Vec<_> = meta.all(Key::XmpDocumentId).map(|f| f.value.as_str()).collect();
        assert_eq!(ids, ["xmp.did:1"]);
    }
}

#[test]
fn further_blocks_are_kept_apart() {
    let one = tiff(Order::Little, &[(0x0110, ascii("First")), (0xa431, ascii("1"))]);
    let two =
        tiff(Order::Big, &[(0x0110, ascii("Second")), (0xa431, ascii("2")), (0x9003, ascii("2020:01:01 00:00:00"))]);
    let meta = read(&jpeg(&[exif_segment(&one), exif_segment(&two)]));
    let models: Vec<_> = meta.all(Key::Model).map(|f| (f.source, f.value.as_str())).collect();
    assert_eq!(models, [(Source::Exif, "First"), (Source::ExifFurther, "Second")]);
    assert_eq!(meta.camera().unwrap().serial, Some("1"));
    let taken = meta.taken().unwrap();
    assert_eq!((taken.source, taken.offset), (Source::ExifFurther, None));
}

#[test]
fn no_zone_and_no_hemisphere_are_invented() {
    let gps =
        vec![(2, Value::Ratios(vec![(33, 1), (51, 1), (0, 1)])), (4, Value::Ratios(vec![(15, 1), (0, 1), (0, 1)]))];
    let exif = vec![(0x9003, ascii("2021:04:11 15:47:53")), (0x9010, ascii("+01:00"))];
    let meta =
        read(&jpeg(&[exif_segment(&tiff(Order::Big, &[(0x8769, Value::Dir(exif)), (0x8825, Value::Dir(gps))]))]));
    assert_eq!(meta.taken().unwrap().offset, None, "the zone of another time is not this one's");
    assert_eq!(meta.taken().unwrap().iso().as_deref(), Some("2021-04-11T15:47:53"));
    assert_eq!(meta.place(), None);
    assert_eq!(meta.first(Key::GpsLatStated), Some("33/1 51/1 0/1"));
    assert_eq!(meta.problems.iter().map(|p| (p.code, p.count)).collect::<Vec<_>>(), [(ProblemCode::BadPlace, 2)]);
}

#[test]
fn a_clock_that_was_never_set() {
    let exif = |time: &str| tiff(Order::Big, &[(0x9003, ascii(time))]);
    let meta = read(&jpeg(&[exif_segment(&exif("0000:00:00 00:00:00"))]));
    assert_eq!(meta.first(Key::Taken), Some("0000:00:00 00:00:00"));
    assert_eq!(meta.taken(), None);
    let meta = read(&jpeg(&[exif_segment(&exif("    :  :     :  :  "))]));
    assert_eq!(meta.facts.iter().filter(|f| f.key == Key::Taken).count(), 0);
    let meta = read(&jpeg(&[exif_segment(&exif("2021:02:30 10:00:00"))]));
    assert_eq!(meta.taken().unwrap().iso(), None, "no such day");
}

#[test]
fn nothing_personal_in_debug_and_serde_round_trip() {
    let owner = vec![(0xa430, ascii("Someone Special"))];
    let meta = read(&jpeg(&[
        exif_segment(&tiff(Order::Big, &[(0x8769, Value::Dir(owner)), (0x010f, ascii("Testmaker"))])),
        xmp_segment(&packet()),
    ]));
    assert_eq!(meta.first(Key::OwnerName), Some("Someone Special"));
    let shown = format!("{meta:?} {:?} {:?} {:?}", meta.facts, meta.camera(), meta.taken());
    for word in ["Someone", "Testmaker", "XMP-1", "2021"] {
        assert!(!shown.contains(word), "{shown}");
    }
    let text = serde_json::to_string(&meta).unwrap();
    assert!(text.contains(r#"{"key":"owner-name","source":"exif","value":"Someone Special"}"#), "{text}");
    assert_eq!(serde_json::from_str::<Metadata>(&text).unwrap(), meta);
    for (key, name) in Key::ALL.iter().map(|k| (k, k.name())) {
        assert_eq!(serde_json::to_string(key).unwrap(), format!("\"{name}\""));
    }
}

#[test]
fn what_is_not_read_is_said() {
    let codes = |bytes: &[u8]| read(bytes).problems.iter().map(|p| p.code).collect::<Vec<_>>();
    assert_eq!(codes(b"nothing known"), [ProblemCode::UnknownContainer]);
    assert_eq!(codes(b""), [ProblemCode::UnknownContainer]);
    assert_eq!(codes(b"II\x2b\0\x08\0\0\0\0\0\0\0"), [ProblemCode::BigTiff]);
    // A value behind the end, a thumbnail that is no JPEG, an orientation that does not exist.
    let far = tiff(Order::Big, &[(0x010f, ascii("A maker with a name")), (0x0112, Value::Short(9))]);
    let cut = &far[..far.len() - 4];
    assert_eq!(codes(&jpeg(&[exif_segment(cut)])), [ProblemCode::ValueOutside, ProblemCode::BadValue]);
    let block = tiff_with_thumbnail(Order::Big, &[(0x0112, Value::Short(1))], b"no picture");
    assert_eq!(codes(&jpeg(&[exif_segment(&block)])), [ProblemCode::BadThumbnail]);
    let long = "x".repeat(2000);
    let meta = read(&jpeg(&[exif_segment(&tiff(Order::Big, &[(0x0131, ascii(&long))]))]));
    assert_eq!(meta.first(Key::Software).map(str::len), Some(1024));
    assert_eq!(meta.problems.iter().map(|p| p.code).collect::<Vec<_>>(), [ProblemCode::ValueCut]);
}
