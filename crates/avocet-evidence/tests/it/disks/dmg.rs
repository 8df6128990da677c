//! Apple's disk images (DMG): real ones against Python and 7-Zip; made ones of every kind of piece; damage.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use avocet_evidence::container::{self, Disk, open_disk};
use avocet_evidence::{Evidence, MemorySource, OpenError, ReadFault, Source, VolumeState};

use super::{file_digest, has, ours, run};
use crate::support::{Random, collect, content, sha256, skipped, some_reads_fail, testdata};

/// How a piece of a made image is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Plain,
    Adc,
    Zlib,
    Bzip2,
    Lzfse,
    Xz,
}

impl Method {
    fn number(self) -> u32 {
        match self {
            Self::Plain => 1,
            Self::Adc => 0x8000_0004,
            Self::Zlib => 0x8000_0005,
            Self::Bzip2 => 0x8000_0006,
            Self::Lzfse => 0x8000_0007,
            Self::Xz => 0x8000_0008,
        }
    }

    /// Packs by a program or library that the reader shares no code with; `None` where it is not there. ADC is written
    /// here, and read by 7-Zip as well.
    fn pack(self, bytes: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Plain => Some(bytes.to_vec()),
            Self::Adc => Some(adc(bytes)),
            Self::Zlib => through(
                "python3",
                &["-c", "import sys,zlib;sys.stdout.buffer.write(zlib.compress(sys.stdin.buffer.read()))"],
                bytes,
            ),
            Self::Bzip2 => through("bzip2", &["-c"], bytes),
            Self::Lzfse => through(
                "python3",
                &["-c", "import sys,liblzfse;sys.stdout.buffer.write(liblzfse.compress(sys.stdin.buffer.read()))"],
                bytes,
            ),
            Self::Xz => through("xz", &["-c", "-0"], bytes),
        }
    }
}

/// What a program makes of bytes; `None` where it is not there or does not end well.
fn through(program: &str, arguments: &[&str], bytes: &[u8]) -> Option<Vec<u8>> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().ok()?;
    let mut input = child.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        scope.spawn(move || input.write_all(bytes));
        child.wait_with_output().unwrap()
    });
    output.status.success().then_some(output.stdout)
}

/// ADC: runs as matches of both lengths, everything else plain.
fn adc(bytes: &[u8]) -> Vec<u8> {
    let (mut out, mut at, mut plain) = (vec![], 0, 0);
    let flush = |out: &mut Vec<u8>, part: &[u8]| {
        for some in part.chunks(128) {
            out.push(0x7F + some.len() as u8);
            out.extend(some);
        }
    };
    while at < bytes.len() {
        let same = |back: usize| at >= back && bytes.get(at - back..at - back + 1) == bytes.get(at..at + 1);
        let length =
            |back: usize| (0..67).take_while(|i| bytes.get(at + i).is_some_and(|b| *b == bytes[at + i - back])).count();
        let back = [1usize, 100, 4096].into_iter().find(|b| same(*b) && length(*b) >= 4);
        let Some(back) = back else {
            at += 1;
            continue;
        };
        flush(&mut out, &bytes[plain..at]);
        let n = length(back);
        if n <= 18 && back <= 1024 {
            out.extend([((n - 3) << 2 | (back - 1) >> 8) as u8, (back - 1) as u8]);
        } else {
            out.extend([0x40 | (n - 4) as u8, ((back - 1) >> 8) as u8, (back - 1) as u8]);
        }
        at += n;
        plain = at;
    }
    flush(&mut out, &bytes[plain..]);
    out
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |c, _| if c & 1 == 1 { c >> 1 ^ 0xedb8_8320 } else { c >> 1 })
    })
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |c: &[u8]| {
        let n = c.iter().chain([0; 3].iter()).take(3).fold(0u32, |n, b| n << 8 | u32::from(*b));
        let digit = |i: usize| if i > c.len() { '=' } else { char::from(DIGITS[(n >> (18 - 6 * i) & 63) as usize]) };
        (0..4).map(digit).collect::<String>()
    };
    bytes.chunks(3).map(group).collect()
}

/// A DMG of a disk: tables of `table` bytes, pieces of `piece` bytes, kept by turns as `methods` say; pieces of zeros by
/// turns as zeros and as left out. `None` where a program is not there.
pub fn make(disk: &[u8], table: usize, piece: usize, methods: &[Method]) -> Option<Vec<u8>> {
    let (mut out, mut list, mut sums, mut turn, mut void) = (vec![], String::new(), vec![], 0, 0);
    for (number, part) in disk.chunks(table).enumerate() {
        let (mut entries, mut counted, mut count) = (vec![], vec![], 0u32);
        let mut entry = |kind: u32, from: usize, length: usize, at: usize, stored: usize| {
            entries.extend(kind.to_be_bytes());
            entries.extend([0; 4]);
            for n in [from / 512, length / 512, at, stored] {
                entries.extend((n as u64).to_be_bytes());
            }
            count += 1;
        };
        for (i, bytes) in part.chunks(piece).enumerate() {
            if bytes.iter().all(|b| *b == 0) {
                void += 1;
                entry(if void % 2 == 0 { 2 } else { 0 }, i * piece, bytes.len(), out.len(), 0);
                if void % 2 == 1 {
                    counted.extend(bytes);
                }
                continue;
            }
            let method = methods[turn % methods.len()];
            turn += 1;
            // What does not become smaller is kept as it is.
            let packed = method.pack(bytes)?;
            let (method, packed) =
                if packed.len() < bytes.len() { (method, packed) } else { (Method::Plain, bytes.to_vec()) };
            entry(method.number(), i * piece, bytes.len(), out.len(), packed.len());
            out.extend(packed);
            counted.extend(bytes);
        }
        entry(0xffff_ffff, part.len(), 0, out.len(), 0);
        let mut data = b"mish\0\0\0\x01".to_vec();
        for n in [number * table / 512, part.len() / 512, 0] {
            data.extend((n as u64).to_be_bytes());
        }
        data.extend([0u32.to_be_bytes(), (number as u32).to_be_bytes()].concat());
        data.extend([0; 24]);
        data.extend([2u32, 32, crc32(&counted)].map(u32::to_be_bytes).concat());
        sums.extend(crc32(&counted).to_be_bytes());
        data.resize(200, 0);
        data.extend(count.to_be_bytes());
        data.extend(entries);
        list += &format!(
            "<dict><key>Attributes</key><string>0x0050</string><key>CFName</key><string>part</string><key>Data</key>\
             <data>\n{}\n</data><key>ID</key><string>{number}</string><key>Name</key><string>part</string></dict>\n",
            base64(&data)
        );
    }
    let list = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE plist PUBLIC \"-//Apple Computer//DTD PLIST 1.0//EN\" \
         \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n<plist version=\"1.0\">\n<dict>\n<key>resource-fork</key>\n\
         <dict>\n<key>blkx</key>\n<array>\n{list}</array>\n</dict>\n</dict>\n</plist>\n"
    );
    let mut trailer = vec![0; 512];
    let mut put = |at: usize, bytes: &[u8]| trailer[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, b"koly\0\0\0\x04\0\0\x02\0\0\0\0\x01");
    put(32, &(out.len() as u64).to_be_bytes());
    put(56, &[0, 0, 0, 1, 0, 0, 0, 1]);
    put(216, &(out.len() as u64).to_be_bytes());
    put(224, &(list.len() as u64).to_be_bytes());
    put(352, &[2u32, 32, crc32(&sums)].map(u32::to_be_bytes).concat());
    put(488, &1u32.to_be_bytes());
    put(492, &(disk.len() as u64 / 512).to_be_bytes());
    out.extend(list.as_bytes());
    out.extend(trailer);
    Some(out)
}

fn open(bytes: &[u8]) -> Result<Disk, OpenError> {
    let mut none = |_: &[u8]| Err(OpenError::malformed("test", 0, "no extents here"));
    open_disk(Arc::new(MemorySource(bytes.to_vec())), &mut none)
}

fn whole(source: &dyn Source) -> Result<Vec<u8>, avocet_evidence::ReadError> {
    let mut out = vec![0; source.len() as usize];
    source.read_at(0, &mut out).map(|n| {
        assert_eq!(n, out.len());
        out
    })
}

/// The disk as 7-Zip unpacks it, one file for each table; `None` where it is not there.
fn by_7zip(image: &Path, folder: &Path) -> Option<Vec<u8>> {
    if !has("7zz") {
        return None;
    }
    let out = folder.join("parts");
    run("7zz", &["x", "-tDmg", "-y", &format!("-o{}", out.display()), image.to_str().unwrap()], folder);
    let mut parts: Vec<_> = std::fs::read_dir(&out).unwrap().map(|e| e.unwrap().path()).collect();
    let number = |p: &Path| -> u32 {
        p.file_name().unwrap().to_str().unwrap().split('.').next().and_then(|n| n.parse().ok()).unwrap_or_default()
    };
    parts.sort_by_key(|p| number(p));
    let bytes = parts.iter().flat_map(|p| std::fs::read(p).unwrap()).collect();
    std::fs::remove_dir_all(out).unwrap();
    Some(bytes)
}

/// The disk of an image by Python's `plistlib`, `zlib`, `bz2` and, where it is there, the reference library of LZFSE.
const BY_PYTHON: &str = r"
import sys,struct,plistlib,zlib,bz2,hashlib
b=open(sys.argv[1],'rb').read(); k=b[-512:]
at,n=struct.unpack('>QQ',k[216:232])
disk=bytearray(struct.unpack('>Q',k[492:500])[0]*512)
for e in plistlib.loads(b[at:at+n])['resource-fork']['blkx']:
    d=e['Data']; first,=struct.unpack('>Q',d[8:16])
    for i in range(struct.unpack('>I',d[200:204])[0]):
        t,_,s,c,o,l=struct.unpack('>IIQQQQ',d[204+40*i:244+40*i]); p=b[o:o+l]
        if t==0xffffffff: break
        if t in (0,2): continue
        if t==0x80000005: p=zlib.decompress(p)
        if t==0x80000006: p=bz2.decompress(p)
        if t==0x80000007:
            import liblzfse
            p=liblzfse.decompress(p)
        assert len(p)==c*512
        disk[(first+s)*512:(first+s+c)*512]=p
print(len(disk),hashlib.sha256(disk).hexdigest())
";

#[test]
fn real_apple_images_give_the_bytes_that_python_and_7_zip_read() {
    let Some(disk) = testdata().map(|d| d.join("disk")) else { return skipped(3, "no shared test data") };
    let folder = tempfile::tempdir().unwrap();
    for (name, free, entries) in [
        ("dfvfs/hfsplus_zlib.dmg", 6, 10),
        ("keramics/hfsplus_bzip2.dmg", 9, 10),
        ("keramics/hfsplus_lzfse.dmg", 9, 10),
    ] {
        let path = disk.join(name);
        let opened = container::open(&path).unwrap();
        assert_eq!(opened.kind, "dmg", "{name}");
        let said: Vec<_> = opened.problems.iter().map(|p| (p.code, p.detail.as_str())).collect();
        assert!(
            matches!(&said[..], [("space-not-stored", detail)] if detail.starts_with(&(free * 512 + 3584).to_string())),
            "{name}: {said:?}"
        );
        let found = ours(&opened);
        match by_7zip(&path, folder.path()) {
            Some(bytes) => assert_eq!(found, (bytes.len() as u64, sha256(&bytes)), "{name}: 7-Zip"),
            None => skipped(1, "no 7zz"),
        }
        match Command::new("python3").arg("-c").arg(BY_PYTHON).arg(&path).output() {
            Ok(out) if out.status.success() => {
                assert_eq!(String::from_utf8(out.stdout).unwrap().trim(), format!("{} {}", found.0, found.1), "{name}");
            }
            _ => skipped(1, "no Python, or none with liblzfse"),
        }
        // The volume inside is read on.
        let evidence = Evidence::open(&path).unwrap();
        assert_eq!((evidence.kind, evidence.scheme), ("dmg", "gpt"));
        let read = evidence.volumes.iter().find_map(|v| match &v.state {
            VolumeState::Read { fs, source } => Some((fs, source)),
            _ => None,
        });
        let (fs, source) = read.unwrap();
        assert_eq!(fs.facts().kind, "hfs+");
        let files = collect(fs.as_ref()).entries;
        assert!(files.len() >= entries, "{name}: {}", files.len());
        for entry in &files {
            assert!(content(entry, source, 1 << 20).is_ok(), "{name}");
        }
    }
}

/// A disk of text, noise and zeros.
fn sample(length: usize) -> Vec<u8> {
    let mut random = Random(length as u64 | 1);
    let mut out: Vec<u8> = vec![];
    while out.len() < length {
        match random.next() % 4 {
            0 => out.extend((0..4096).map(|_| random.next() as u8)),
            1 => out.extend((0..6000u32).map(|n| ((n / 100) ^ (n % 7)) as u8)),
            2 => out.resize(out.len() + 20_000, 0),
            _ => out.extend(b"the same words again and again, ".repeat(300)),
        }
    }
    out.truncate(length);
    out
}

#[test]
fn every_kind_of_piece_reads_as_what_it_was_made_of() {
    let folder = tempfile::tempdir().unwrap();
    let disk = sample(900 * 512);
    for methods in [
        &[Method::Plain][..],
        &[Method::Adc],
        &[Method::Zlib],
        &[Method::Bzip2],
        &[Method::Lzfse],
        &[Method::Xz],
        &[Method::Plain, Method::Adc, Method::Zlib, Method::Bzip2, Method::Xz],
    ] {
        let Some(bytes) = make(&disk, 300 * 512, 16 * 512, methods) else {
            skipped(1, "a program or liblzfse is missing");
            continue;
        };
        let path = folder.path().join("made.dmg");
        std::fs::write(&path, &bytes).unwrap();
        let opened = container::open(&path).unwrap();
        let codes: Vec<_> = opened.problems.iter().map(|p| p.code).collect();
        assert_eq!((opened.kind, &codes[..]), ("dmg", &["space-not-stored"][..]), "{methods:?}");
        assert!(whole(&*opened.source).unwrap() == disk, "{methods:?}");
        assert_eq!(opened.check(3), [], "{methods:?}");
        let mut random = Random(5);
        for _ in 0..200 {
            let at = (random.next() % disk.len() as u64) as usize;
            let mut buf = vec![0; (random.next() % 20_000) as usize];
            let n = opened.source.read_at(at as u64, &mut buf).unwrap();
            assert!(buf[..n] == disk[at..disk.len().min(at + buf.len())], "{methods:?}: at {at}");
        }
        assert_eq!(opened.source.read_at(u64::MAX, &mut [0; 9]).unwrap(), 0);
        // That the image is one as others understand them, 7-Zip says.
        match by_7zip(&path, folder.path()) {
            Some(theirs) => assert!(theirs == disk, "{methods:?}: 7-Zip"),
            None => skipped(1, "no 7zz"),
        }
    }
}

#[test]
fn what_a_sum_catches_and_what_is_missing_is_said() {
    let mut disk = sample(64 * 512);
    disk[..512].fill(7);
    let good = make(&disk, 64 * 512, 512, &[Method::Plain]).unwrap();
    let codes = |bytes: &[u8]| {
        let disk = open(bytes).unwrap();
        disk.problems.iter().map(|p| p.code).filter(|c| *c != "space-not-stored").collect::<Vec<_>>()
    };
    assert_eq!(codes(&good), [""; 0]);
    // A plain piece has no sum of its own: the table's catches it.
    let mut wrong = good.clone();
    wrong[100] ^= 1;
    assert_eq!(codes(&wrong), ["sum-differs"]);
    let mut wrong = good.clone();
    let end = wrong.len();
    wrong[end - 512 + 360] ^= 1;
    assert_eq!(codes(&wrong), ["sum-differs"]);
    // A disk that is longer than its tables.
    let mut wrong = good.clone();
    wrong[end - 512 + 499] += 2;
    assert_eq!(codes(&wrong), ["tables-leave-gaps"]);
    let error = open(&wrong).unwrap().source.read_at(64 * 512 - 5, &mut [0; 20]).unwrap_err();
    assert_eq!((error.layer, error.offset, error.fault), ("dmg", 64 * 512, ReadFault::Damaged));
    // More than is summed on opening.
    let long = (0..66 << 20).map(|i: usize| (i / 512) as u8 | 1).collect::<Vec<_>>();
    let long = make(&long, 65 << 20, 1 << 20, &[Method::Plain]).unwrap();
    assert_eq!(codes(&long), ["sums-not-checked"]);
}

#[test]
fn other_apple_images_are_refused_by_name() {
    let good = make(&sample(64 * 512), 64 * 512, 4096, &[Method::Plain]).unwrap();
    let trailer = good.len() - 512;
    let refusal = |edit: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = good.clone();
        edit(&mut bytes);
        open(&bytes).map(|_| ()).unwrap_err().to_string()
    };
    let segments = refusal(&|b| b[trailer + 63] = 3);
    assert!(segments.starts_with("an Apple disk image in several segments is recognised but not read"), "{segments}");
    let old = refusal(&|b| b[trailer + 216..trailer + 232].fill(0));
    assert!(old.starts_with("an Apple disk image whose tables are kept in a resource fork"), "{old}");
    let huge = refusal(&|b| b[trailer + 224] = 1);
    assert!(huge.starts_with("an Apple disk image of more pieces than this version reads"), "{huge}");
    assert!(refusal(&|b| b[trailer + 492] = 1).contains("a disk of a size that cannot be"));
    assert!(refusal(&|b| b[trailer + 494] = 1).contains("more than 64 TiB cannot be"));
    assert!(refusal(&|b| b[trailer + 219] = 1).contains("its property list cannot be read"));
    let folder = tempfile::tempdir().unwrap();
    for bytes in [[b"encrcdsa".as_slice(), &[0; 4096]].concat(), [&[0; 4096], b"cdsaencr".as_slice()].concat()] {
        std::fs::write(folder.path().join("x.dmg"), bytes).unwrap();
        let text = container::open(&folder.path().join("x.dmg")).map(|_| ()).unwrap_err().to_string();
        assert!(text.starts_with("an encrypted Apple disk image is recognised but not read"), "{text}");
    }
}

/// 200 damaged images of each kind: no panic, no hang, errors that name a place.
#[test]
fn damaged_apple_images_cost_at_most_themselves() {
    let disk = sample(200 * 512);
    let mut bases: Vec<(String, Vec<u8>)> = [Method::Plain, Method::Adc, Method::Zlib, Method::Bzip2, Method::Xz]
        .into_iter()
        .filter_map(|m| Some((format!("{m:?}"), make(&disk, 100 * 512, 16 * 512, &[m])?)))
        .collect();
    if let Some(data) = testdata() {
        bases.push(("LZFSE".into(), std::fs::read(data.join("disk/keramics/hfsplus_lzfse.dmg")).unwrap()));
    }
    for (name, base) in &bases {
        let list = base.windows(6).position(|w| w == b"<?xml ").unwrap();
        let (mut refused, mut failed, mut said) = (0, 0, 0);
        for seed in 1..=200u64 {
            let mut random = Random(seed * 7919 + 13);
            let mut bytes = base.clone();
            // By turns the pieces, the tables and the trailer.
            let (from, to) = [(0, list), (list, base.len() - 512), (base.len() - 512, base.len())][(seed % 3) as usize];
            for _ in 0..[1, 4, 16][(random.next() % 3) as usize] {
                let at = from + (random.next() % (to - from) as u64) as usize;
                // Digits of base 64 stay such, so that the tables are met and not only their text.
                bytes[at] = match seed % 3 {
                    1 if bytes[at].is_ascii_alphanumeric() => b"AQgwz09/"[(random.next() % 8) as usize],
                    1 => continue,
                    _ => random.next() as u8,
                };
            }
            let begun = Instant::now();
            match open(&bytes) {
                Ok(disk) => {
                    said += u32::from(disk.problems.iter().any(|p| p.code != "space-not-stored"));
                    failed += u32::from(some_reads_fail(disk.source.as_ref(), 40_000));
                }
                Err(error) => {
                    assert!(!error.to_string().is_empty());
                    refused += 1;
                }
            }
            assert!(begun.elapsed() < Duration::from_secs(5), "{name}: seed {seed}");
        }
        println!("{name}: {refused} refused, {failed} with reads that fail, {said} that say so, of 200");
        assert!((20..150).contains(&refused) && failed + said > 20, "{name}: {refused} {failed} {said}");
    }
    assert!(bases.len() > 2);
}

/// A disk behind the images of `evidence-images`, as a DMG.
#[test]
fn a_whole_disk_gives_the_same_bytes() {
    let Some(images) = crate::support::images() else { return skipped(1, "no AVOCET_IMAGES") };
    let disk = std::fs::read(images.join("gpt.dd")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gpt.dmg");
    std::fs::write(&path, make(&disk, 64 << 20, 1 << 20, &[Method::Plain, Method::Adc]).unwrap()).unwrap();
    assert_eq!(ours(&container::open(&path).unwrap()), file_digest(&images.join("gpt.dd"), 0));
}
