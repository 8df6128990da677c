//! Index files: reading what a store holds while it is still being written.

use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use avocet_base::Sha256;
use avocet_media::derivative::{
    DerivativeError, Destroyed, KeyFile, Kind, Protector, Reader, Writer, add_protector, destroy, destroy_protector,
    write_index,
};

use super::Seeded;
use super::store::{
    HEADER, PAGE, Pictures, SMALL, content, every_changed_byte_of, folder, judge, key, listing, pictures, python_lacks,
    sha,
};

const FRONT: usize = 384;
const NAME: usize = 128;

type Places = Vec<(Sha256, [u8; 8])>;

/// A store that is being written, with what a journal would tell of it.
struct Running {
    _dir: tempfile::TempDir,
    store: PathBuf,
    partial: PathBuf,
    writer: Writer,
    places: Places,
}

impl Running {
    fn new(all: &Pictures) -> Running {
        let (dir, store) = folder();
        let mut writer = Writer::create(&store, &key(1), [7; 32]).unwrap();
        writer.keep_unfinished().unwrap();
        let partial = store.with_extension("derivatives.partial");
        let mut running = Running { _dir: dir, store, partial, writer, places: vec![] };
        running.put(all);
        running
    }

    fn put(&mut self, all: &Pictures) {
        put(&mut self.writer, &mut self.places, all);
    }

    fn beside(&self, name: &str) -> PathBuf {
        self.store.with_file_name(name)
    }

    /// An index file of all there is.
    fn index(&self, name: &str) -> PathBuf {
        let target = self.beside(name);
        let made = write_index(&self.store, &key(1), self.places.iter().copied(), &target).unwrap();
        assert_eq!(made.items, self.places.len() as u64);
        target
    }
}

fn put(writer: &mut Writer, places: &mut Places, all: &Pictures) {
    for (sha256, (veiled, clear)) in all {
        let place = writer.put_placed(sha256, veiled, clear).unwrap().unwrap();
        places.push((*sha256, place));
    }
    writer.flush().unwrap();
}

/// Contents `from..to`, each with two pictures of its own.
fn some(from: usize, to: usize) -> Pictures {
    let picture = |i: usize, kind: u8| [vec![kind; i % 5000], i.to_le_bytes().to_vec()].concat();
    (from..to).map(|i| (content(i), (picture(i * 7, 1), picture(i * 13, 2)))).collect()
}

fn holds(reader: &Reader, all: &Pictures) {
    for (sha256, (veiled, clear)) in all {
        assert_eq!(reader.get(sha256, Kind::Veiled).unwrap().as_ref(), Some(veiled));
        assert_eq!(reader.get(sha256, Kind::Clear).unwrap().as_ref(), Some(clear));
    }
}

fn lacks(reader: &Reader, all: &Pictures) {
    assert!(all.keys().all(|sha256| reader.get(sha256, Kind::Clear).unwrap().is_none()));
}

#[test]
fn what_is_stored_so_far_is_read() {
    for n in [0, 1, 101, 102, 400] {
        let all = pictures(n, 9000);
        let running = Running::new(&all);
        let target = running.beside("b.derivatives");
        let made = write_index(&running.store, &key(1), running.places.iter().copied(), &target).unwrap();
        let bytes = std::fs::read(&target).unwrap();
        assert_eq!((made.items, made.bytes, made.file_sha256), (n as u64, bytes.len() as u64, sha(&bytes)));
        assert_eq!(bytes.len(), FRONT + n.div_ceil(101) * PAGE + 72);
        assert_eq!(std::fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(target.parent().unwrap()).unwrap().count(), 2, "nothing else is left");

        let reader = Reader::open(&target, &key(1)).unwrap();
        assert_eq!((reader.len(), reader.is_empty(), reader.examination_id()), (n as u64, n == 0, [7; 32]));
        holds(&reader, &all);
        lacks(&reader, &some(100_000, 101_000));
        let total: usize = all.values().map(|(v, c)| v.len() + c.len()).sum();
        let verified = reader.verify().unwrap();
        assert_eq!((verified.items, verified.picture_bytes), (n as u64, total as u64));
    }
}

#[test]
fn readers_go_on_while_the_store_grows_is_finished_and_gone_on_with() {
    let mut running = Running::new(&some(0, 150));
    let first = running.index("b.derivatives");
    let early = Reader::open(&first, &key(1)).unwrap();
    holds(&early, &some(0, 75));

    running.put(&some(150, 300));
    let second = running.index("c.derivatives");
    holds(&early, &some(75, 150));
    lacks(&early, &some(150, 300));
    let late = Reader::open(&second, &key(1)).unwrap();
    holds(&late, &some(0, 300));

    let Running { _dir, store, partial, writer, places } = running;
    writer.finish().unwrap();
    assert!(!partial.try_exists().unwrap());
    for reader in [&early, &Reader::open(&first, &key(1)).unwrap()] {
        holds(reader, &some(0, 150));
        lacks(reader, &some(150, 300));
        assert_eq!(reader.verify().unwrap().items, 150);
    }
    // Of a finished store one can be made too.
    let third = store.with_file_name("d.derivatives");
    assert_eq!(write_index(&store, &key(1), places.iter().copied(), &third).unwrap().items, 300);

    // A result that was not sealed though its store was: the store loses its index and its name, and grows.
    let (mut writer, there) = Writer::resume(&store, &key(1), places.iter().copied()).unwrap();
    assert_eq!(there.len(), 300);
    let mut more = places.clone();
    put(&mut writer, &mut more, &some(300, 320));
    assert!(!store.try_exists().unwrap());
    for path in [&first, &second, &third] {
        let reader = Reader::open(path, &key(1)).unwrap();
        holds(&reader, &some(0, reader.len() as usize));
        lacks(&reader, &some(300, 320));
        reader.verify().unwrap();
    }
    writer.finish().unwrap();
    holds(&late, &some(0, 300));
    assert_eq!(judge(&store, &key(1)), Ok(320));
}

#[test]
fn a_writer_beside_a_reader_changes_no_answer() {
    let running = Running::new(&some(0, 60));
    let path = running.index("b.derivatives");
    let Running { _dir, mut writer, mut places, .. } = running;
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut rounds = 0;
            while !done.load(Ordering::Relaxed) || rounds == 0 {
                let reader = Reader::open(&path, &key(1)).unwrap();
                holds(&reader, &some(0, 60));
                lacks(&reader, &some(60, 90));
                rounds += 1;
            }
        });
        for from in (60..600).step_by(20) {
            put(&mut writer, &mut places, &some(from, from + 20));
        }
        writer.finish().unwrap();
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(judge(&path, &key(1)), Ok(60));
}

#[test]
fn only_what_is_there_and_in_order_is_pointed_at() {
    let running = Running::new(&some(0, 20));
    let mut number = 0;
    let mut made = |places: &[(Sha256, [u8; 8])]| {
        number += 1;
        let target = running.beside(&format!("{number}.derivatives"));
        let items = write_index(&running.store, &key(1), places.iter().copied(), &target).unwrap().items;
        (items, Reader::open(&target, &key(1)).unwrap())
    };
    let places = &running.places;
    let order: Vec<Sha256> = places.iter().map(|(sha256, _)| *sha256).collect();
    let pointed = |reader: &Reader, upto: usize| {
        order.iter().take(upto).all(|s| reader.get(s, Kind::Clear).unwrap().is_some())
            && order.iter().skip(upto).all(|s| reader.get(s, Kind::Clear).unwrap().is_none())
            && reader.verify().unwrap().items == upto as u64
    };
    // One is missing; the first is missing; a bucket that is none; a content twice.
    let mut gap = places.clone();
    gap.remove(8);
    let mut bucket = places.clone();
    bucket[5].1[6] = 37;
    let mut twice = places.clone();
    twice[11].0 = twice[3].0;
    for (list, upto) in [(&gap, 8), (&places[1..].to_vec(), 0), (&bucket, 5), (&twice, 11), (&vec![], 0)] {
        let (items, reader) = made(list);
        assert_eq!(items, upto as u64);
        assert!(pointed(&reader, upto), "{upto}");
    }
    // What another process says it stored and is not in the file yet.
    let length = std::fs::metadata(&running.partial).unwrap().len();
    let mut ahead = places.clone();
    let [a, b, c, d, e, f, ..] = length.to_le_bytes();
    ahead.push((content(999), [a, b, c, d, e, f, 0, 0]));
    let (items, reader) = made(&ahead);
    assert_eq!(items, 20);
    assert!(pointed(&reader, 20));
    // The store cut by a power cut, gone on with from there, in a list that has both.
    let mut before = places[..12].to_vec();
    for (i, (sha256, _)) in before.iter_mut().enumerate().skip(6) {
        *sha256 = content(5000 + i);
    }
    before.extend_from_slice(&places[6..]);
    let (items, reader) = made(&before);
    assert_eq!(items, 20);
    assert!(pointed(&reader, 20));

    // A list of another store: its places may fit, its records never pass for those of this one.
    let strangers: Places = places.iter().enumerate().map(|(i, (_, place))| (content(7000 + i), *place)).collect();
    let (items, reader) = made(&strangers);
    assert_eq!(items, 20);
    for (sha256, _) in &strangers {
        assert!(matches!(reader.get(sha256, Kind::Veiled), Err(DerivativeError::Damaged { part: "record", .. })));
    }
    assert!(matches!(reader.verify(), Err(DerivativeError::Damaged { part: "record", .. })));
}

#[test]
fn nothing_is_overwritten_and_nothing_lies_elsewhere() {
    let running = Running::new(&some(0, 3));
    let made = |target: &Path| write_index(&running.store, &key(1), running.places.iter().copied(), target);
    let target = running.index("b.derivatives");
    let before = std::fs::read(&target).unwrap();
    assert!(matches!(made(&target), Err(DerivativeError::AlreadyThere { .. })));
    assert_eq!(std::fs::read(&target).unwrap(), before);
    // In the place of the store itself, or where another one is unfinished.
    assert!(matches!(made(&running.store), Err(DerivativeError::AlreadyThere { .. })));
    let other = running.beside("c.derivatives");
    std::fs::write(running.beside("c.derivatives.partial"), b"unfinished").unwrap();
    assert!(matches!(made(&other), Err(DerivativeError::AlreadyThere { .. })));
    assert_eq!(std::fs::read(running.beside("c.derivatives.partial")).unwrap(), b"unfinished");

    let elsewhere = running.beside("inner");
    std::fs::create_dir(&elsewhere).unwrap();
    assert!(matches!(made(&elsewhere.join("b.derivatives")), Err(DerivativeError::NotBeside { .. })));
    assert_eq!(std::fs::read_dir(&elsewhere).unwrap().count(), 0);
    // The same folder by another way.
    made(&elsewhere.join("../d.derivatives")).unwrap();
    assert_eq!(judge(&running.beside("d.derivatives"), &key(1)), Ok(3));

    let gone = write_index(&running.beside("none.derivatives"), &key(1), [], &running.beside("e.derivatives"));
    assert!(matches!(gone, Err(DerivativeError::StoreGone { .. })));
    let wrong = write_index(&running.store, &key(2), [], &running.beside("e.derivatives"));
    assert_eq!(wrong, Err(DerivativeError::WrongKey));
    let of_an_index = write_index(&target, &key(1), [], &running.beside("e.derivatives"));
    assert!(matches!(of_an_index, Err(DerivativeError::IndexFile { .. })));
    assert!(!running.beside("e.derivatives").try_exists().unwrap());
}

#[test]
fn a_store_that_is_gone_another_or_destroyed_is_said() {
    let running = Running::new(&some(0, 30));
    let path = running.index("b.derivatives");
    let open = Reader::open(&path, &key(1)).unwrap();
    assert_eq!(judge(&path, &key(2)), Err(DerivativeError::WrongKey));

    // Another store of the same pictures under the same key file, in its place, with either name.
    let away = running.beside("away");
    std::fs::rename(&running.partial, &away).unwrap();
    let error = judge(&path, &key(1)).unwrap_err();
    let store = running.store.display().to_string();
    assert_eq!(error, DerivativeError::StoreGone { path: path.display().to_string(), store });
    assert!(error.to_string().contains("put it back"), "{error}");
    let other = Running::new(&some(0, 30));
    for name in [&running.partial, &running.store] {
        std::fs::copy(&other.partial, name).unwrap();
        assert!(matches!(judge(&path, &key(1)), Err(DerivativeError::OtherStore { .. })));
        // An index file that says it is of that one.
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[24..56].copy_from_slice(&std::fs::read(&other.partial).unwrap()[24..56]);
        let forged = running.beside("forged.derivatives");
        std::fs::write(&forged, bytes).unwrap();
        let judged = judge(&forged, &key(1));
        assert!(matches!(judged, Err(DerivativeError::Damaged { part: "end of the index file", .. })), "{judged:?}");
        std::fs::remove_file(name).unwrap();
    }
    // Its records under the header that the index file is of.
    let mut mixed = std::fs::read(&other.partial).unwrap();
    mixed[..HEADER].copy_from_slice(&std::fs::read(&away).unwrap()[..HEADER]);
    std::fs::write(&running.partial, &mixed).unwrap();
    assert!(matches!(judge(&path, &key(1)), Err(DerivativeError::Damaged { part: "record", .. })));
    // Something else altogether, or an index file in its place.
    std::fs::write(&running.partial, b"a text that is not a store").unwrap();
    assert!(matches!(judge(&path, &key(1)), Err(DerivativeError::NotAStore { .. })));
    std::fs::copy(&path, &running.partial).unwrap();
    assert!(matches!(judge(&path, &key(1)), Err(DerivativeError::IndexFile { .. })));
    holds(&open, &some(0, 30));

    // Keys lie in the store: an index file has none to destroy, and must not seem to.
    std::fs::rename(&away, &running.partial).unwrap();
    let before = std::fs::read(&path).unwrap();
    let named = DerivativeError::IndexFile { path: path.display().to_string(), store: "a.derivatives".to_owned() };
    assert_eq!(destroy(&path), Err(named.clone()));
    assert_eq!(destroy_protector(&path, &key(1)), Err(named.clone()));
    assert_eq!(add_protector(&path, &key(1), &key(2)), Err(named.clone()));
    assert_eq!(Writer::begun(&path), Err(named));
    assert_eq!(std::fs::read(&path).unwrap(), before);
    assert_eq!(judge(&path, &key(1)), Ok(30));

    add_protector(&running.partial, &key(1), &key(2)).unwrap();
    assert_eq!(judge(&path, &key(2)), Ok(30), "a further key of the store opens it here too");
    assert_eq!(destroy(&running.partial), Ok(Destroyed { wrappings: 2, left: 0 }));
    assert_eq!(judge(&path, &key(1)), Err(DerivativeError::KeyDestroyed));
}

#[test]
fn a_store_that_lost_its_end_is_damaged_where_it_is() {
    let running = Running::new(&some(0, 30));
    let path = running.index("b.derivatives");
    let reader = Reader::open(&path, &key(1)).unwrap();
    let whole = std::fs::read(&running.partial).unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(&running.partial).unwrap();
    for length in [whole.len() - 1, whole.len() / 2, HEADER, HEADER - 1, 16, 0] {
        file.set_len(length as u64).unwrap();
        for reader in [Ok(reader.verify()), Reader::open(&path, &key(1)).map(|r| r.verify())].into_iter().flatten() {
            assert!(matches!(reader, Err(DerivativeError::Damaged { part: "record", .. })), "{length}: {reader:?}");
        }
        let (mut right, mut damaged) = (0, 0);
        for (sha256, (_, clear)) in &some(0, 30) {
            match reader.get(sha256, Kind::Clear) {
                Ok(got) => {
                    assert_eq!(got.as_ref(), Some(clear));
                    right += 1;
                }
                Err(DerivativeError::Damaged { part: "record", .. }) => damaged += 1,
                Err(other) => panic!("{other}"),
            }
        }
        assert!(damaged > 0 && right + damaged == 30 && (length > HEADER) == (right > 0), "{length}: {right}");
    }
    file.write_all_at(&whole, 0).unwrap();
    assert_eq!(reader.verify().unwrap().items, 30);
    // Every record is authenticated, whatever the index says.
    file.write_all_at(&[whole[HEADER + 100] ^ 1], HEADER as u64 + 100).unwrap();
    let first = running.places[0].0;
    assert!(matches!(reader.get(&first, Kind::Veiled), Err(DerivativeError::Damaged { part: "record", .. })));
}

#[test]
fn every_changed_byte_of_an_index_file_is_found() {
    let running = Running::new(&some(0, 5));
    let path = running.index("b.derivatives");
    let good = std::fs::read(&path).unwrap();
    every_changed_byte_of(&path, &good);
    for length in 0..good.len() {
        std::fs::write(&path, &good[..length]).unwrap();
        assert!(Reader::open(&path, &key(1)).is_err(), "cut to {length}");
    }
    for more in [1, 72, PAGE, PAGE + 72] {
        let mut long = good.clone();
        long.extend_from_slice(&good[good.len() - more..]);
        std::fs::write(&path, &long).unwrap();
        assert!(matches!(Reader::open(&path, &key(1)), Err(DerivativeError::Damaged { .. })), "{more} more");
    }
    std::fs::write(&path, &good).unwrap();
    assert_eq!(judge(&path, &key(1)), Ok(5));
}

#[test]
fn a_damaged_index_file_gives_the_right_pictures_or_an_error() {
    let all = some(0, 250);
    let running = Running::new(&all);
    let path = running.index("b.derivatives");
    let good = std::fs::read(&path).unwrap();
    let mut seeded = Seeded(0x1dec);
    let (mut refused, mut opened, mut right) = (0, 0, 0);
    for round in 0..200 {
        let mut bytes = good.clone();
        let mut below = |end: usize| seeded.next() as usize % end;
        match round % 5 {
            0 => (0..1 + below(8)).for_each(|_| bytes[below(good.len())] = below(256) as u8),
            1 => bytes.truncate(below(good.len())),
            2 => {
                let at = below(good.len());
                bytes[at..].iter_mut().take(1 + below(3000)).for_each(|b| *b = 0);
            }
            3 => {
                // Pages exchanged, or one in the place of another.
                let (a, b) = (FRONT + below(3) * PAGE, FRONT + below(3) * PAGE);
                bytes[a..a + PAGE].copy_from_slice(&good[b..b + PAGE]);
            }
            _ => {
                let at = below(good.len());
                let more: Vec<u8> = (0..below(200)).map(|_| below(256) as u8).collect();
                bytes.splice(at..at, more);
            }
        }
        std::fs::write(&path, &bytes).unwrap();
        let Ok(reader) = Reader::open(&path, &key(1)) else {
            refused += 1;
            continue;
        };
        opened += 1;
        for (sha256, (veiled, clear)) in &all {
            for (kind, picture) in [(Kind::Veiled, veiled), (Kind::Clear, clear)] {
                if let Ok(got) = reader.get(sha256, kind) {
                    assert_eq!(got.as_ref(), Some(picture), "round {round}");
                    right += 1;
                }
            }
        }
        assert_eq!(reader.verify().is_ok(), bytes == good, "round {round}");
    }
    // Both must have been tried.
    assert!(refused > 50 && opened > 20 && right > 1000, "{refused} refused, {opened} opened, {right} right");
}

#[test]
fn pieces_of_one_file_do_not_pass_in_another() {
    let all = some(0, 205);
    let running = Running::new(&all);
    let (one, two) = (running.index("b.derivatives"), running.index("c.derivatives"));
    let (first, second) = (std::fs::read(&one).unwrap(), std::fs::read(&two).unwrap());
    let Running { _dir, store, partial, writer, .. } = running;
    let records = std::fs::read(&partial).unwrap();
    writer.finish().unwrap();
    let whole = std::fs::read(&store).unwrap();
    assert_eq!(whole.len() - records.len(), first.len() - FRONT, "as many pages, and the end");

    let forged = store.with_file_name("forged.derivatives");
    let judged = |bytes: Vec<u8>| {
        std::fs::write(&forged, bytes).unwrap();
        judge(&forged, &key(1))
    };
    let damaged = |part: &'static str, offset: usize| Err(DerivativeError::Damaged { part, offset: offset as u64 });
    let end = first.len() - 72;
    let tail = |bytes: &[u8], length: usize| bytes[bytes.len() - length..].to_vec();
    // A page of the other index file, of the store; the end of either.
    for source in [tail(&second, first.len() - FRONT), tail(&whole, first.len() - FRONT)] {
        let page = [&first[..FRONT], &source[..PAGE], &first[FRONT + PAGE..]].concat();
        assert_eq!(judged(page), damaged("index file", FRONT));
        assert_eq!(judged([&first[..end], &tail(&source, 72)].concat()), damaged("end of the index file", end));
        assert_eq!(judged([&first[..FRONT], &source].concat()), damaged("end of the index file", end));
    }
    // An index behind the records does not make a finished store of an unfinished one.
    let closed = [&records, &first[FRONT..]].concat();
    assert_eq!(judged(closed), damaged("end of the file", whole.len() - 72));
    let page = [&records, &first[FRONT..FRONT + PAGE], &whole[records.len() + PAGE..]].concat();
    assert_eq!(judged(page), damaged("index", records.len()));
}

#[test]
fn a_name_that_leads_elsewhere_is_refused() {
    let running = Running::new(&some(0, 1));
    let path = running.index("b.derivatives");
    let good = std::fs::read(&path).unwrap();
    assert_eq!(good[NAME..NAME + 14], *b"a.derivatives\0");
    let longest = [b'n'; 256];
    let names: [(&[u8], usize); 14] = [
        (b"", 0),
        (b".", 1),
        (b"..", 2),
        (b"/", 1),
        (b"../a.derivatives", 16),
        (b"inner/a.derivatives", 19),
        (b"a.derivatives\0", 14),
        (b"a.deri\0atives", 13),
        (b"a.derivatives\n", 14),
        (b"\x1b[2Ja", 5),
        (&longest, 256),
        (b"a.derivatives", 257),
        (b"a.derivatives", u32::MAX as usize),
        (b"a.derivatives and more", 13),
    ];
    for (name, length) in names {
        let mut bytes = good.clone();
        bytes[NAME..FRONT].fill(0);
        bytes[NAME..NAME + name.len()].copy_from_slice(name);
        bytes[20..24].copy_from_slice(&(length as u32).to_le_bytes());
        std::fs::write(&path, bytes).unwrap();
        let refused = Err(DerivativeError::Damaged { part: "front of the index file", offset: 0 });
        assert_eq!(judge(&path, &key(1)), refused, "{length} {name:?}");
        assert_eq!(destroy(&path).map(|d| d.wrappings as u64), refused);
    }
    let mut later = good.clone();
    later[16] = 2;
    std::fs::write(&path, later).unwrap();
    assert_eq!(judge(&path, &key(1)), Err(DerivativeError::Version { found: 2 }));

    let (_dir, odd) = folder();
    let odd = odd.with_file_name("two\nlines.derivatives");
    Writer::create(&odd, &key(1), [7; 32]).unwrap().finish().unwrap();
    let made = write_index(&odd, &key(1), [], &odd.with_file_name("b.derivatives"));
    assert!(matches!(made, Err(DerivativeError::NotBeside { .. })), "{made:?}");
}

#[test]
fn an_outsider_learns_no_content_from_an_index_file() {
    let running = Running::new(&some(0, 101));
    let bytes = std::fs::read(running.index("b.derivatives")).unwrap();
    let other = std::fs::read(running.index("c.derivatives")).unwrap();
    for (sha256, place) in &running.places {
        assert!(!bytes.windows(32).any(|w| w == sha256.as_bytes()) && !bytes.windows(8).any(|w| w == place));
    }
    // The name of the store and its file id stand in clear. Behind the front nothing repeats.
    assert_eq!(bytes[24..56], std::fs::read(&running.partial).unwrap()[24..56]);
    assert!(bytes[FRONT..].chunks(8).zip(other[FRONT..].chunks(8)).all(|(a, b)| a != b));
    assert_eq!((bytes.len(), running.places.len()), (FRONT + PAGE + 72, 101));
    assert!(SMALL < bytes.len());
}

/// Every picture as the Python reader of the specification sees it, through the index file.
#[test]
fn a_reader_written_from_the_specification_agrees_on_index_files() {
    let (dir, store) = folder();
    let key_path = dir.path().join("a.key");
    let made = Protector::KeyFile(KeyFile::create(&key_path).unwrap());
    let (all, later) = (pictures(230, 5000), some(5000, 5010));
    let mut writer = Writer::create(&store, &made, [7; 32]).unwrap();
    let mut places = vec![];
    put(&mut writer, &mut places, &all);
    let index = dir.path().join("b.derivatives");
    write_index(&store, &made, places.iter().copied(), &index).unwrap();
    put(&mut writer, &mut places, &later);
    if let Some(missing) = python_lacks() {
        return eprintln!("skipped 921 cases: {missing}");
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/formats/read_derivatives.py");
    let list =
        || Command::new("python3").arg(&script).arg("--key-file").arg(&key_path).arg(&index).arg("list").output();
    let agrees = || {
        let output = list().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let listed = String::from_utf8(output.stdout).unwrap();
        let mut lines: Vec<&str> = listed.lines().map(|line| line.split_once(' ').unwrap().1).collect();
        lines.sort_unstable();
        assert_eq!(lines, listing(&all));
    };
    agrees();
    writer.finish().unwrap();
    agrees();
    let mut bytes = std::fs::read(&index).unwrap();
    bytes[FRONT + PAGE + 30] ^= 1;
    std::fs::write(&index, &bytes).unwrap();
    assert_eq!(list().unwrap().status.code(), Some(2));
}
