//! Camera rolls: databases made by Python's `sqlite3` with the columns that the phones' own have, and damage to them.
//! No real one was to be had with its pictures; what the numbers mean follows open queries.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::archives::{Examined, examined, line};
use crate::support::Random;

/// Makes an extraction of two phones in a folder.
const MAKE: &str = r#"
import sys,os,sqlite3
root=sys.argv[1]
def put(path,data=b'x'):
    f=os.path.join(root,path); os.makedirs(os.path.dirname(f),exist_ok=True); open(f,'wb').write(data); return f
ios='private/var/mobile/Media/'
for n in (1,2,3,4,5,7): put(ios+'DCIM/100APPLE/IMG_000%d.JPG'%n,b'picture %d'%n)
put(ios+'DCIM/100APPLE/other.txt')
db=os.path.join(root,ios+'PhotoData/Photos.sqlite'); os.makedirs(os.path.dirname(db))
c=sqlite3.connect(db)
c.executescript('''
CREATE TABLE ZASSET (Z_PK INTEGER PRIMARY KEY, Z_ENT INTEGER, ZHIDDEN INTEGER, ZTRASHEDSTATE INTEGER, ZFAVORITE INTEGER, ZDIRECTORY VARCHAR, ZFILENAME VARCHAR);
CREATE TABLE ZADDITIONALASSETATTRIBUTES (Z_PK INTEGER PRIMARY KEY, ZASSET INTEGER, ZIMPORTEDBY INTEGER);
CREATE TABLE ZGENERICALBUM (Z_PK INTEGER PRIMARY KEY, ZTITLE VARCHAR);
CREATE TABLE Z_27ASSETS (Z_27ALBUMS INTEGER, Z_3ASSETS INTEGER, Z_FOK_3ASSETS INTEGER, PRIMARY KEY (Z_27ALBUMS, Z_3ASSETS));
''')
for pk,hidden,trash,fav,by in [(1,0,0,1,1),(2,1,0,0,3),(3,0,1,0,2),(4,0,0,0,8),(5,0,0,0,99),(6,0,0,0,6)]:
    c.execute("INSERT INTO ZASSET VALUES (?,3,?,?,?,'DCIM/100APPLE',?)",(pk,hidden,trash,fav,'IMG_000%d.JPG'%pk))
    c.execute("INSERT INTO ZADDITIONALASSETATTRIBUTES VALUES (?,?,?)",(pk+100,pk,by))
c.executemany('INSERT INTO Z_27ASSETS VALUES (?,?,0)',[(1,1),(2,1),(1,4)])
c.commit(); c.close()
put(ios+'PhotoData/Photos.sqlite-wal',b'changes')
put('data/media/0/DCIM/Camera/a.jpg'); put('data/media/0/Download/b.jpg'); put('data/media/0/Pictures/App/c.jpg'); put('data/media/0/Music/d.mp3')
db=os.path.join(root,'data/data/com.google.android.providers.media.module/databases/external.db'); os.makedirs(os.path.dirname(db))
c=sqlite3.connect(db)
c.execute('CREATE TABLE files (_id INTEGER PRIMARY KEY AUTOINCREMENT,_data TEXT UNIQUE COLLATE NOCASE,media_type INTEGER,owner_package_name TEXT DEFAULT NULL,is_download INTEGER DEFAULT 0,is_trashed INTEGER DEFAULT 0,is_favorite INTEGER DEFAULT 0)')
for row in [('DCIM/Camera/a.jpg',1,'com.sec.android.app.camera',0,0,1),('Download/b.jpg',1,'com.android.chrome',1,0,0),('Pictures/App/c.jpg',1,'org.example.app',0,1,0),('Music/d.mp3',2,None,0,0,0),('DCIM/Camera/gone.mp4',3,None,0,0,0)]:
    c.execute('INSERT INTO files (_data,media_type,owner_package_name,is_download,is_trashed,is_favorite) VALUES (?,?,?,?,?,?)',('/storage/emulated/0/'+row[0],)+row[1:])
c.commit(); c.close()
"#;

const IOS: &str = "/private/var/mobile/Media/";
const ANDROID: &str = "/data/media/0/";

fn make(root: &Path) -> bool {
    match Command::new("python3").args(["-c", MAKE]).arg(root).output() {
        Ok(output) => {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            true
        }
        Err(_) => {
            println!("skipped 1 case(s): no Python");
            false
        }
    }
}

fn note<'a>(result: &'a Examined, path: &str) -> &'a str {
    &result.rows.iter().find(|r| r.path == path).unwrap_or_else(|| panic!("no {path}")).note
}

#[test]
fn what_the_phone_says_of_a_picture_stands_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    if !make(dir.path()) {
        return;
    }
    let result = examined(dir.path(), true);
    for (path, expected) in [
        (
            format!("{IOS}DCIM/100APPLE/IMG_0001.JPG"),
            "camera roll: taken by this phone (back camera), in 2 albums, favourite",
        ),
        (format!("{IOS}DCIM/100APPLE/IMG_0002.JPG"), "camera roll: saved by another app, hidden"),
        (format!("{IOS}DCIM/100APPLE/IMG_0003.JPG"), "camera roll: taken by this phone (front camera), in the trash"),
        (format!("{IOS}DCIM/100APPLE/IMG_0004.JPG"), "camera roll: saved by an app of the system, in 1 album"),
        (format!("{IOS}DCIM/100APPLE/IMG_0005.JPG"), "camera roll: origin number 99, meaning not known"),
        (format!("{IOS}DCIM/100APPLE/IMG_0007.JPG"), ""),
        (format!("{IOS}DCIM/100APPLE/other.txt"), ""),
        (format!("{ANDROID}DCIM/Camera/a.jpg"), "camera roll: stored by a camera app, favourite"),
        (format!("{ANDROID}Download/b.jpg"), "camera roll: downloaded"),
        (format!("{ANDROID}Pictures/App/c.jpg"), "camera roll: stored by another app, in the trash"),
        (format!("{ANDROID}Music/d.mp3"), ""),
    ] {
        assert_eq!(note(&result, &path), expected, "{path}");
    }
    assert_eq!(
        line(&result, "camera-roll"),
        "Camera roll: the phone's own databases list 10 pictures and videos, 8 among the files. Of those listed: 5 saved or \
         received, 1 hidden, 2 in the trash."
    );
    assert!(
        line(&result, "camera-roll-not-held")
            .starts_with("2 pictures and videos that the camera roll lists are not among")
    );
    assert_eq!(result.codes.into_iter().collect::<Vec<_>>(), [("wal-not-applied".to_owned(), 1)]);
}

/// 200 damaged databases: every file is listed all the same, and no note is made up.
#[test]
fn damaged_databases_cost_their_notes() {
    let dir = tempfile::tempdir().unwrap();
    if !make(dir.path()) {
        return;
    }
    let path = dir.path().join("private/var/mobile/Media/PhotoData/Photos.sqlite");
    let base = std::fs::read(&path).unwrap();
    let whole = examined(dir.path(), true).rows.len();
    let (mut notes, mut said) = (0, 0);
    for round in 0..200u64 {
        let mut random = Random::new(round + 1);
        let mut bytes = base.clone();
        for _ in 0..[1, 16, 64][(round % 3) as usize] {
            let at = random.below(bytes.len()).unwrap();
            bytes[at] = random.next() as u8;
        }
        if round % 10 == 9 {
            bytes.truncate(random.below(bytes.len()).unwrap());
        }
        std::fs::write(&path, bytes).unwrap();
        let begun = Instant::now();
        let result = examined(dir.path(), true);
        assert_eq!(result.rows.len(), whole, "round {round}");
        notes += result.rows.iter().filter(|r| r.path.starts_with(IOS) && r.note.contains("camera roll")).count();
        // The changes beside it are always said.
        said += usize::from(result.codes.values().sum::<u64>() > 1);
        assert!(begun.elapsed() < Duration::from_secs(10), "round {round}");
    }
    println!("{notes} notes of 1000, {said} of 200 with problems");
    assert!(notes > 300 && said > 30, "{notes} {said}");
}
