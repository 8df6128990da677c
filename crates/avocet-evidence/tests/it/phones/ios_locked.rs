//! Encrypted backups of iPhones. No real one with its password was to be had: these are made by a Python script that
//! wraps keys and encrypts with the package `cryptography`, after what open tools agree on.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use avocet_evidence::scratch::{Access, Secret};
use avocet_evidence::{Evidence, OpenError};

use super::{find, read, walk};
use crate::support::{Collected, Random, sha256, skipped};

/// Makes a backup in the folder `argv[1]` with the password `argv[2]`, and prints path, size and digest of its files. Its
/// derivation takes fewer rounds than iOS asks for, so that the tests take no minutes.
const MAKE: &str = r#"
import sys,os,hashlib,sqlite3,plistlib,struct,random
from cryptography.hazmat.primitives.keywrap import aes_key_wrap
from cryptography.hazmat.primitives.ciphers import Cipher,algorithms,modes
root,password=sys.argv[1],sys.argv[2].encode()
rnd=random.Random(11)
blob=lambda n: bytes(rnd.randrange(256) for _ in range(n))
def cbc(key,data,pad=True):
    if pad: n=16-len(data)%16; data+=bytes([n])*n
    e=Cipher(algorithms.AES(key),modes.CBC(bytes(16))).encryptor()
    return e.update(data)+e.finalize()
salt,first=blob(20),blob(20)
key=hashlib.pbkdf2_hmac('sha1',hashlib.pbkdf2_hmac('sha256',password,first,200,32),salt,100,32)
tlv=lambda t,v: t+struct.pack('>I',len(v))+v
n=lambda v: struct.pack('>I',v)
bag=tlv(b'VERS',n(5))+tlv(b'TYPE',n(1))+tlv(b'UUID',blob(16))+tlv(b'HMCK',blob(40))+tlv(b'WRAP',n(1))+tlv(b'SALT',salt)+tlv(b'ITER',n(100))+tlv(b'DPWT',n(0))+tlv(b'DPIC',n(200))+tlv(b'DPSL',first)
classes={}
for c in (1,2,3,4,6,7):
    classes[c]=blob(32)
    bag+=tlv(b'UUID',blob(16))+tlv(b'CLAS',n(c))+tlv(b'WRAP',n(3 if c==6 else 2))+tlv(b'KTYP',n(0))+tlv(b'WPKY',aes_key_wrap(key,classes[c]))
manifest_key=blob(32)
wrapped=lambda c,k: struct.pack('<I',c)+aes_key_wrap(classes[c],k)
uid=plistlib.UID
def record(path,size,key):
    f={'Size':size,'Mode':33188,'LastModified':1600000001,'Birth':1600000000,'InodeNumber':77,'RelativePath':uid(2),'ProtectionClass':3}
    o=['$null',f,path]
    if key is not None: f['EncryptionKey']=uid(3); o+= [{'$class':uid(4),'NS.data':key},{'$classname':'NSMutableData'}]
    return plistlib.dumps({'$archiver':'NSKeyedArchiver','$version':100000,'$top':{'root':uid(1)},'$objects':o},fmt=plistlib.FMT_BINARY)
db=os.path.join(root,'plain.db')
c=sqlite3.connect(db)
c.execute('CREATE TABLE Files (fileID TEXT PRIMARY KEY, domain TEXT, relativePath TEXT, flags INTEGER, file BLOB)')
for i,(path,size,cls) in enumerate([('Media/DCIM/100APPLE/IMG_0001.JPG',50000,3),('Media/DCIM/100APPLE/IMG_0002.JPG',16,4),('Media/empty',0,2),('Media/plain',300,None)]):
    d='CameraRollDomain'; h=hashlib.sha1((d+'-'+path).encode()).hexdigest(); data=blob(size)
    k=blob(32)
    c.execute('INSERT INTO Files VALUES (?,?,?,1,?)',(h,d,path,record(path,size,wrapped(cls,k) if cls else None)))
    os.makedirs(os.path.join(root,h[:2]),exist_ok=True)
    open(os.path.join(root,h[:2],h),'wb').write(cbc(k,data) if cls else data)
    print('/'+d+'/'+path,size,hashlib.sha256(data).hexdigest(),sep='\t')
c.commit(); c.close()
open(os.path.join(root,'Manifest.db'),'wb').write(cbc(manifest_key,open(db,'rb').read(),False)); os.remove(db)
plistlib.dump({'IsEncrypted':True,'Version':'10.0','BackupKeyBag':bag,'ManifestKey':wrapped(4,manifest_key)},open(os.path.join(root,'Manifest.plist'),'wb'),fmt=plistlib.FMT_BINARY)
plistlib.dump({'Device Name':'Exhibit phone'},open(os.path.join(root,'Info.plist'),'wb'))
"#;

fn make(root: &Path, password: &str) -> Option<Vec<String>> {
    let output = Command::new("python3").args(["-c", MAKE]).arg(root).arg(password).output().ok()?;
    let error = String::from_utf8_lossy(&output.stderr);
    if error.contains("No module named 'cryptography'") {
        return None;
    }
    assert!(output.status.success(), "{error}");
    Some(String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect())
}

fn open(root: &Path, password: &str) -> Result<Evidence, OpenError> {
    let password = Some(Secret::new(password.as_bytes().to_vec()));
    Evidence::open_with(root, &Access { password, ..Access::default() })
}

const PASSWORD: &str = "a pass\u{e9}word";

#[test]
fn files_are_those_that_were_encrypted() {
    let dir = tempfile::tempdir().unwrap();
    let Some(theirs) = make(dir.path(), PASSWORD) else { return skipped(1, "no Python with cryptography") };
    let evidence = open(dir.path(), PASSWORD).unwrap();
    assert_eq!(evidence.kind, "ios-backup");
    let found = walk(&evidence);
    let row = |line: &String| {
        let entry = find(&found, line.split('\t').next().unwrap());
        format!("{}\t{}\t{}", entry.path, entry.size, sha256(&read(entry).unwrap().unwrap()))
    };
    assert_eq!(theirs.iter().map(row).collect::<Vec<_>>(), theirs);
    assert_eq!(found.problems, []);
    let picture = find(&found, "/CameraRollDomain/Media/DCIM/100APPLE/IMG_0001.JPG");
    let avocet_evidence::Content::Stream { open, .. } = &picture.content else { panic!() };
    let source = open.source().unwrap().unwrap();
    let mut part = vec![0; 100];
    source.read_at(40_001, &mut part).unwrap();
    assert_eq!(part, read(picture).unwrap().unwrap()[40_001..40_101], "at any place");
}

#[test]
fn without_its_password_it_is_refused_with_a_sentence() {
    let dir = tempfile::tempdir().unwrap();
    if make(dir.path(), PASSWORD).is_none() {
        return skipped(1, "no Python with cryptography");
    }
    let Err(error @ OpenError::Locked { .. }) = Evidence::open(dir.path()) else { panic!("not locked") };
    assert!(error.to_string().starts_with("an encrypted iOS backup is protected with a password, and none was given."));
    for wrong in ["", "a passeword", "123456"] {
        assert!(matches!(open(dir.path(), wrong), Err(OpenError::WrongPassword { .. })), "{wrong}");
    }
}

/// 200 damaged backups: no panic, no hang; what opens has its files, as they were or with a problem.
#[test]
fn damaged_key_bags_and_files_cost_at_most_themselves() {
    let dir = tempfile::tempdir().unwrap();
    let Some(theirs) = make(dir.path(), PASSWORD) else { return skipped(200, "no Python with cryptography") };
    let names = ["Manifest.plist", "Manifest.db"];
    let bases: Vec<Vec<u8>> = names.iter().map(|n| std::fs::read(dir.path().join(n)).unwrap()).collect();
    let (mut opened, mut refused, mut folders) = (0, 0, 0);
    for round in 0..200u64 {
        let mut random = Random(round * 7919 + 17);
        let which = (round % 2) as usize;
        let mut bytes = bases[which].clone();
        for _ in 0..[1, 4, 16][(round % 3) as usize] {
            let at = random.next() as usize % bytes.len();
            bytes[at] = random.next() as u8;
        }
        if round % 10 == 9 {
            bytes.truncate(random.next() as usize % bytes.len());
        }
        std::fs::write(dir.path().join(names[which]), &bytes).unwrap();
        std::fs::write(dir.path().join(names[1 - which]), &bases[1 - which]).unwrap();
        let begun = Instant::now();
        match open(dir.path(), PASSWORD) {
            Ok(evidence) if evidence.kind == "ios-backup" => {
                opened += 1;
                let mut found = Collected::default();
                // The first page of its list may be the damaged one.
                let _ = super::tree(&evidence).0.walk(&mut found);
                for entry in found.entries {
                    let _ = read(&entry);
                }
            }
            Ok(_) => folders += 1,
            Err(_) => refused += 1,
        }
        // Damage to the number of rounds may ask for fifty million.
        assert!(begun.elapsed() < Duration::from_secs(90), "round {round}: {:?}", begun.elapsed());
    }
    println!("{opened} opened, {folders} shown as folders, {refused} refused; {} files in each", theirs.len());
    assert!(opened > 50 && refused > 20, "{opened} {refused}");
}
