//! Small files with known metadata, written here after the formats' specifications.

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    Little,
    Big,
}

impl Order {
    pub fn u16(self, n: u16) -> [u8; 2] {
        if self == Order::Little { n.to_le_bytes() } else { n.to_be_bytes() }
    }

    pub fn u32(self, n: u32) -> [u8; 4] {
        if self == Order::Little { n.to_le_bytes() } else { n.to_be_bytes() }
    }

    pub fn mark(self) -> &'static [u8] {
        if self == Order::Little { b"II" } else { b"MM" }
    }
}

#[derive(Clone)]
pub enum Value {
    Ascii(Vec<u8>),
    Bytes(Vec<u8>),
    Short(u16),
    Long(u32),
    Ratios(Vec<(u32, u32)>),
    Dir(Vec<(u16, Value)>),
}

pub fn ascii(text: &str) -> Value {
    Value::Ascii([text.as_bytes(), b"\0"].concat())
}

pub fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// A directory written to the end of `out`; offsets count from `base` before the first byte of `out`.
pub fn directory(out: &mut Vec<u8>, order: Order, entries: &[(u16, Value)], next: Option<&[(u16, Value)]>, base: u32) {
    out.extend(order.u16(entries.len() as u16));
    let table = out.len();
    out.resize(table + entries.len() * 12 + 4, 0);
    for (n, (tag, value)) in entries.iter().enumerate() {
        let (kind, count, bytes): (u16, usize, Vec<u8>) = match value {
            Value::Ascii(b) => (2, b.len(), b.clone()),
            Value::Bytes(b) => (7, b.len(), b.clone()),
            Value::Short(n) => (3, 1, order.u16(*n).to_vec()),
            Value::Long(n) => (4, 1, order.u32(*n).to_vec()),
            Value::Ratios(r) => {
                (5, r.len(), r.iter().flat_map(|(a, b)| [order.u32(*a), order.u32(*b)].concat()).collect())
            }
            Value::Dir(_) => (4, 1, Vec::new()),
        };
        let mut field = match value {
            Value::Dir(inner) => {
                let at = out.len() as u32 + base;
                directory(out, order, inner, None, base);
                order.u32(at).to_vec()
            }
            _ if bytes.len() <= 4 => bytes,
            _ => {
                let at = out.len() as u32 + base;
                out.extend(&bytes);
                order.u32(at).to_vec()
            }
        };
        field.resize(4, 0);
        let entry = [&order.u16(*tag)[..], &order.u16(kind), &order.u32(count as u32), &field].concat();
        out[table + n * 12..table + n * 12 + 12].copy_from_slice(&entry);
    }
    if let Some(next) = next {
        let at = out.len() as u32 + base;
        let field = table + entries.len() * 12;
        out[field..field + 4].copy_from_slice(&order.u32(at));
        directory(out, order, next, None, base);
    }
}

/// A TIFF structure of one directory.
pub fn tiff(order: Order, entries: &[(u16, Value)]) -> Vec<u8> {
    tiff_with(order, entries, None)
}

/// A TIFF structure with a second directory.
pub fn tiff_with(order: Order, entries: &[(u16, Value)], next: Option<&[(u16, Value)]>) -> Vec<u8> {
    let mut out = [order.mark(), &order.u16(42), &order.u32(8)].concat();
    directory(&mut out, order, entries, next, 0);
    out
}

/// A TIFF structure whose second directory carries a thumbnail.
pub fn tiff_with_thumbnail(order: Order, entries: &[(u16, Value)], thumbnail: &[u8]) -> Vec<u8> {
    let build = |at: u32| {
        let second = [(0x0201, Value::Long(at)), (0x0202, Value::Long(thumbnail.len() as u32))];
        tiff_with(order, entries, Some(&second))
    };
    let at = build(0).len() as u32;
    [build(at), thumbnail.to_vec()].concat()
}

/// An EXIF block whose maker note begins with `head` and goes on with a directory, with offsets from the block
/// (`from_note` false) or from the note.
pub fn with_note(order: Order, make: &str, head: &[u8], note: &[(u16, Value)], from_note: bool) -> Vec<u8> {
    let build = |at: u32| {
        let mut bytes = head.to_vec();
        directory(&mut bytes, order, note, None, if from_note { 0 } else { at });
        bytes.resize(bytes.len().max(head.len() + 40), 0);
        let exif = vec![(0x927c, Value::Bytes(bytes.clone()))];
        let block = tiff(order, &[(0x010f, ascii(make)), (0x8769, Value::Dir(exif))]);
        let found = block.windows(bytes.len()).position(|w| w == bytes).expect("the note") as u32;
        (block, found)
    };
    let (_, at) = build(0);
    build(at).0
}

pub fn segment(marker: u8, body: &[u8]) -> Vec<u8> {
    [&[0xff, marker][..], &(body.len() as u16 + 2).to_be_bytes(), body].concat()
}

/// A JPEG with these segments, a frame header of 64 x 48 and an empty scan.
pub fn jpeg(segments: &[Vec<u8>]) -> Vec<u8> {
    let frame = segment(0xc0, &[8, 0, 48, 0, 64, 1, 1, 0x11, 0]);
    [&[0xff, 0xd8][..], &segments.concat(), &frame, &segment(0xda, &[1, 1, 0, 0, 63, 0]), &[0xff, 0xd9]].concat()
}

pub fn exif_segment(tiff: &[u8]) -> Vec<u8> {
    segment(0xe1, &[b"Exif\0\0", tiff].concat())
}

pub fn xmp_segment(packet: &str) -> Vec<u8> {
    segment(0xe1, &[b"http://ns.adobe.com/xap/1.0/\0", packet.as_bytes()].concat())
}

/// A packet with these attributes and elements of the description.
pub fn xmp(attributes: &str, elements: &str) -> String {
    format!(
        "<?xpacket begin='\u{feff}' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x='adobe:ns:meta/'>\
         <rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description rdf:about='' \
         xmlns:tiff='http://ns.adobe.com/tiff/1.0/' xmlns:exif='http://ns.adobe.com/exif/1.0/' \
         xmlns:aux='http://ns.adobe.com/exif/1.0/aux/' xmlns:ex='http://cipa.jp/exif/1.0/' \
         xmlns:xmp='http://ns.adobe.com/xap/1.0/' xmlns:xmpMM='http://ns.adobe.com/xap/1.0/mm/' \
         xmlns:dc='http://purl.org/dc/elements/1.1/' xmlns:photoshop='http://ns.adobe.com/photoshop/1.0/' \
         {attributes}>{elements}</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end='w'?>"
    )
}

pub fn iso_box(name: &[u8], body: &[u8]) -> Vec<u8> {
    [&(body.len() as u32 + 8).to_be_bytes()[..], name, body].concat()
}

/// A HEIF file with one EXIF item and one XMP item behind its boxes.
pub fn heif(tiff: &[u8], packet: &str) -> Vec<u8> {
    let exif = [&[0, 0, 0, 0][..], tiff].concat();
    let ftyp = iso_box(b"ftyp", b"heic\0\0\0\0mif1heic");
    let infe = |id: u8, kind: &[u8]| iso_box(b"infe", &[&[2, 0, 0, 0, 0, id, 0, 0][..], kind].concat());
    let items = [infe(1, b"Exif\0"), infe(2, b"mime\0application/rdf+xml\0")].concat();
    let iinf = iso_box(b"iinf", &[&[0, 0, 0, 0, 0, 2][..], &items].concat());
    let build = |at: u32| {
        let place = |id: u8, from: u32, len: usize| {
            [&[0, id, 0, 0, 0, 1][..], &from.to_be_bytes(), &(len as u32).to_be_bytes()].concat()
        };
        let places = [place(1, at, exif.len()), place(2, at + exif.len() as u32, packet.len())].concat();
        let iloc = iso_box(b"iloc", &[&[0, 0, 0, 0, 0x44, 0, 0, 2][..], &places].concat());
        let hdlr = iso_box(b"hdlr", &[&[0; 8][..], b"pict", &[0; 13]].concat());
        [ftyp.clone(), iso_box(b"meta", &[&[0; 4][..], &hdlr, &iinf, &iloc].concat())].concat()
    };
    let at = build(0).len() as u32 + 8;
    [build(at), iso_box(b"mdat", &[&exif, packet.as_bytes()].concat())].concat()
}

pub fn png(chunks: &[(&[u8], Vec<u8>)]) -> Vec<u8> {
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    let header = vec![0, 0, 0, 64, 0, 0, 0, 48, 8, 0, 0, 0, 0];
    let all = [&[(&b"IHDR"[..], header)][..], chunks, &[(&b"IEND"[..], Vec::new())]].concat();
    for (name, body) in all {
        out.extend((body.len() as u32).to_be_bytes());
        out.extend(name);
        out.extend(&body);
        // Checksums are not asked.
        out.extend([0; 4]);
    }
    out
}

pub fn deflated(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut out = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    out.write_all(bytes).expect("memory");
    out.finish().expect("memory")
}

/// A Brotli stream of one stored block (RFC 7932, section 9.2): window bits 16, not last, four nibbles of length,
/// uncompressed; then an empty last block.
pub fn brotli_stored(bytes: &[u8]) -> Vec<u8> {
    let head = (bytes.len() as u32 - 1) << 4 | 1 << 20;
    [&head.to_le_bytes()[..3], bytes, &[3]].concat()
}
