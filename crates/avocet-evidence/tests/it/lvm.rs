//! Volume groups that the tools of LVM2 made, read as GRUB reads them; what is not read; damage.
#![expect(clippy::disallowed_methods, reason = "these tests write the fixtures that they read")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use avocet_evidence::scratch::{Access, Secret};
use avocet_evidence::volume::lvm::{Physical, State, assemble};
use avocet_evidence::{EntryKind, Evidence, MemorySource, Source, SubSource, Volume, VolumeState, read_up_to};

use crate::support::{Random, collect, content, sha256, skipped};

const MIB: u64 = 1 << 20;
/// Two partitions of 24 MiB, the first at 1 MiB.
const FIRST: u64 = MIB;
const SECOND: u64 = 25 * MIB;
const PARTITION: u64 = 24 * MIB;

fn command(folder: &Path, program: &str) -> Command {
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    let mut command = Command::new(program);
    command.env("PATH", path).env("LVM_SUPPRESS_FD_WARNINGS", "1").env("LVM_SYSTEM_DIR", folder).current_dir(folder);
    command
}

/// Partitions of a disk as devices, for the tools of LVM2; without the kernel's device mapper they only write metadata.
struct Lvm {
    folder: tempfile::TempDir,
    devices: Vec<String>,
}

impl Drop for Lvm {
    fn drop(&mut self) {
        for device in &self.devices {
            let _ = command(self.folder.path(), "losetup").args(["-d", device]).output();
        }
    }
}

impl Lvm {
    /// A disk with two partitions; `None` where devices cannot be made or the tools are not here.
    fn new() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let disk = std::fs::File::create(folder.path().join("disk.img")).unwrap();
        disk.set_len(SECOND + PARTITION).unwrap();
        let mut table = [0u8; 512];
        for (entry, start) in [(446, FIRST), (462, SECOND)] {
            table[entry + 4] = 0x8E;
            table[entry + 8..entry + 12].copy_from_slice(&((start / 512) as u32).to_le_bytes());
            table[entry + 12..entry + 16].copy_from_slice(&((PARTITION / 512) as u32).to_le_bytes());
        }
        table[510..].copy_from_slice(&[0x55, 0xAA]);
        std::os::unix::fs::FileExt::write_all_at(&disk, &table, 0).unwrap();
        let mut lvm = Lvm { folder, devices: vec![] };
        for start in [FIRST, SECOND] {
            let (start, length) = (start.to_string(), PARTITION.to_string());
            let args = ["--find", "--show", "--offset", &start, "--sizelimit", &length, "disk.img"];
            let out = command(lvm.dir(), "losetup").args(args).output().ok()?;
            if !out.status.success() {
                return None;
            }
            lvm.devices.push(String::from_utf8(out.stdout).unwrap().trim().to_owned());
        }
        command(lvm.dir(), "lvm").arg("version").output().ok()?;
        Some(lvm)
    }

    fn dir(&self) -> &Path {
        self.folder.path()
    }

    fn disk(&self) -> PathBuf {
        self.dir().join("disk.img")
    }

    /// Runs a tool on these devices only.
    fn run(&self, verb: &str, args: &[&str]) -> String {
        let accept: String = self.devices.iter().map(|d| format!("\"a|^{d}$|\",")).collect();
        let config = format!(
            "global{{activation=0 locking_dir=\"{}\"}} devices{{filter=[{accept}\"r|.*|\"] use_devicesfile=0 hints=\"none\"}} backup{{backup=0 archive=0}}",
            self.dir().display()
        );
        let out = command(self.dir(), "lvm").arg(verb).args(["--config", &config]).args(args).output().unwrap();
        assert!(out.status.success(), "{verb} {args:?}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    }

    fn group(&self) {
        let devices: Vec<&str> = self.devices.iter().map(String::as_str).collect();
        self.run("pvcreate", &[&["-y"], &devices[..]].concat());
        self.run("vgcreate", &[&["-s", "1M", "avtest"], &devices[..]].concat());
    }

    fn volume(&self, name: &str, more: &[&str]) {
        self.run("lvcreate", &[&["-an", "-Zn", "-Wn", "-y", "-n", name], more, &["avtest"]].concat());
    }

    /// Has LVM2 write a description that was changed.
    fn restore(&self, change: &dyn Fn(String) -> String) {
        let path = self.dir().join("backup");
        self.run("vgcfgbackup", &["-f", path.to_str().unwrap(), "avtest"]);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, change(text)).unwrap();
        self.run("vgcfgrestore", &["-f", path.to_str().unwrap(), "--force", "-y", "avtest"]);
    }

    /// Fills all extents with bytes that are nowhere the same.
    fn fill(&self) {
        let mut random = Random(0x17A);
        for start in [FIRST, SECOND] {
            let bytes: Vec<u8> = (0..(PARTITION - MIB) / 8).flat_map(|_| random.next().to_le_bytes()).collect();
            self.put(start + MIB, &bytes);
        }
    }

    fn put(&self, at: u64, bytes: &[u8]) {
        let disk = std::fs::OpenOptions::new().write(true).open(self.disk()).unwrap();
        std::os::unix::fs::FileExt::write_all_at(&disk, bytes, at).unwrap();
    }

    /// The bytes of a volume as GRUB reads them.
    fn grub(&self, name: &str, length: u64) -> Option<Vec<u8>> {
        let place = format!("(lvm/avtest-{name})0+{}", length / 512);
        let out = command(self.dir(), "grub-fstest").args(["disk.img", "cat", &place]).output().ok()?;
        assert!(out.status.success(), "{place}: {}", String::from_utf8_lossy(&out.stderr));
        Some(out.stdout)
    }

    fn read(&self) -> Vec<u8> {
        std::fs::read(self.disk()).unwrap()
    }
}

/// The physical volumes of a disk that begin at these bytes and are so long.
fn physical_of(disk: &[u8], starts: [u64; 2], length: u64) -> Vec<Physical> {
    let disk: Arc<dyn Source> = Arc::new(MemorySource(disk.to_vec()));
    let partition = |start| Arc::new(SubSource::new(Arc::clone(&disk), start, length)) as Arc<dyn Source>;
    starts.into_iter().filter_map(|start| Physical::open(&partition(start)).ok()).collect()
}

/// A volume whose bytes come from the first copy of several: what LVM2 writes for `--type raid1 -m1`, and for a mirror.
const MIRRORED: &str = r#"
    r1 {
        id = "aaaaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaaa1"
        status = ["READ", "WRITE", "VISIBLE"]
        flags = []
        segment_count = 1
        segment1 {
            start_extent = 0
            extent_count = 2
            type = "raid1"
            device_count = 2
            region_size = 1024
            raids = ["r1_rmeta_0", "r1_rimage_0", "r1_rmeta_1", "r1_rimage_1"]
        }
    }
    m1 {
        id = "aaaaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaaa2"
        status = ["READ", "WRITE", "VISIBLE"]
        flags = []
        segment_count = 1
        segment1 {
            start_extent = 0
            extent_count = 2
            type = "mirror"
            mirror_count = 2
            region_size = 1024
            mirrors = ["m1_mimage_0", 0, "m1_mimage_1", 0]
        }
    }
"#;

/// An internal volume, linear on a physical one.
fn internal(name: &str, number: usize, on: &str, from: u64, extents: u64) -> String {
    format!(
        "{name} {{\nid = \"bbbbbb-bbbb-bbbb-bbbb-bbbb-bbbb-bbbb{number:02}\"\nstatus = [\"READ\", \"WRITE\"]\nflags = []\n\
         segment_count = 1\nsegment1 {{\nstart_extent = 0\nextent_count = {extents}\ntype = \"striped\"\nstripe_count = 1\n\
         stripes = [\"{on}\", {from}]\n}}\n}}\n"
    )
}

/// Puts more volumes into a description.
fn with(text: String, more: &str) -> String {
    assert!(text.contains("logical_volumes {"));
    text.replace("logical_volumes {", &format!("logical_volumes {{\n{more}\n"))
}

fn bytes_of(volume: &State) -> &Arc<dyn Source> {
    match volume {
        State::Mapped { source, .. } => source,
        State::NotRead { what, detail } => panic!("{what}: {detail}"),
    }
}

#[test]
fn volumes_that_lvm2_made_are_read_as_grub_reads_them() {
    let Some(lvm) = Lvm::new() else { return skipped(8, "no lvm, or no right to make loop devices") };
    lvm.group();
    lvm.volume("lin", &["-l", "3"]);
    lvm.volume("other", &["-l", "2"]);
    lvm.run("lvextend", &["-l", "+2", "avtest/lin"]);
    lvm.volume("stripe", &["-i", "2", "-I", "64k", "-l", "4"]);
    lvm.volume("narrow", &["-i", "2", "-I", "4k", "-l", "2"]);
    lvm.volume("wide", &["-i", "2", "-I", "512k", "-l", "4"]);
    lvm.volume("across", &["-l", "25"]);
    lvm.fill();
    let listed = lvm.run(
        "lvs",
        &["--noheadings", "--units", "b", "--nosuffix", "--separator", "|", "-o", "lv_name,lv_size", "avtest"],
    );
    let wanted: BTreeMap<String, u64> = listed
        .lines()
        .map(|line| line.trim().split_once('|').unwrap())
        .map(|(name, size)| (name.to_owned(), size.parse().unwrap()))
        .collect();
    assert_eq!(wanted.len(), 6);
    let images = lvm.read();
    let physical = physical_of(&images, [FIRST, SECOND], PARTITION);
    let groups = assemble(&physical.iter().collect::<Vec<_>>());
    assert_eq!((groups.len(), groups[0].name.as_str(), &groups[0].members[..]), (1, "avtest", &[0, 1][..]));
    let found: BTreeMap<String, u64> =
        groups[0].volumes.iter().map(|v| (v.name.clone(), bytes_of(&v.state).len())).collect();
    assert_eq!(found, wanted);
    for volume in &groups[0].volumes {
        let (name, source) = (&volume.name, bytes_of(&volume.state));
        let Some(theirs) = lvm.grub(name, source.len()) else { return skipped(8, "no grub-fstest") };
        let ours = read_up_to(source, 0, source.len() as usize).unwrap();
        assert!(ours == theirs, "{name}");
        let mut random = Random(5);
        for _ in 0..100 {
            let at = random.next() % source.len();
            let mut buf = vec![0; random.next() as usize % 300_000];
            let n = source.read_at(at, &mut buf).unwrap();
            assert!(buf[..n] == theirs[at as usize..at as usize + n], "{name} at {at}");
        }
    }
    // As many free extents as LVM2 says.
    let free = lvm.run("vgs", &["--noheadings", "--units", "b", "--nosuffix", "-o", "vg_free", "avtest"]);
    let problem = groups[0].problems.iter().find(|p| p.code == "lvm-unassigned").unwrap();
    assert!(problem.detail.starts_with(&format!("{} bytes", free.trim())), "{} {free}", problem.detail);
    // Mirrors, of which LVM2 writes the description and does not make the copies here.
    let names = ["r1_rmeta_0", "r1_rimage_0", "r1_rmeta_1", "r1_rimage_1", "m1_mimage_0", "m1_mimage_1"];
    let places = [("pv0", 15, 1), ("pv0", 16, 2), ("pv1", 15, 1), ("pv1", 16, 2), ("pv0", 18, 2), ("pv1", 18, 2)];
    for name in ["lin", "other", "stripe", "narrow", "wide", "across"] {
        lvm.run("lvremove", &["-y", &format!("avtest/{name}")]);
    }
    let more: String = names
        .iter()
        .zip(places)
        .enumerate()
        .map(|(i, (n, (on, from, count)))| internal(n, i, on, from, count))
        .collect();
    lvm.restore(&|text| {
        // Without a volume there is no section of volumes.
        let text = if text.contains("logical_volumes {") {
            text
        } else {
            let end = text.rfind('}').unwrap();
            format!("{}\nlogical_volumes {{\n}}\n}}\n", &text[..end])
        };
        with(text, &format!("{MIRRORED}{more}"))
    });
    let images = lvm.read();
    let physical = physical_of(&images, [FIRST, SECOND], PARTITION);
    let groups = assemble(&physical.iter().collect::<Vec<_>>());
    let found: Vec<&str> = groups[0].volumes.iter().map(|v| v.name.as_str()).collect();
    assert_eq!(found, ["m1", "r1"]);
    for volume in &groups[0].volumes {
        let source = bytes_of(&volume.state);
        let theirs = lvm.grub(&volume.name, source.len()).unwrap();
        assert!(read_up_to(source, 0, source.len() as usize).unwrap() == theirs, "{}", volume.name);
    }
    assert!(groups[0].problems.iter().any(|p| p.code == "lvm-one-copy-read"));
    // One copy is enough.
    let alone = assemble(&[&physical[1]]);
    assert!(alone[0].problems.iter().any(|p| p.code == "lvm-volume-missing"));
    let at = (SECOND + MIB + 16 * MIB) as usize;
    let r1 = alone[0].volumes.iter().find(|v| v.name == "r1").unwrap();
    assert!(read_up_to(bytes_of(&r1.state), 0, MIB as usize).unwrap() == images[at..at + MIB as usize]);
}

/// A file system with the digests of its files.
fn file_system(folder: &Path, size: &str) -> Option<(Vec<u8>, BTreeMap<String, String>)> {
    let tree = folder.join("tree");
    std::fs::create_dir_all(&tree).unwrap();
    let mut truth = BTreeMap::new();
    let mut random = Random(9);
    for size in [10, 5000, 400_000] {
        let data: Vec<u8> = (0..size).map(|_| random.next() as u8).collect();
        std::fs::write(tree.join(format!("{size}.bin")), &data).unwrap();
        truth.insert(format!("/{size}.bin"), sha256(&data));
    }
    let args = ["-q", "-t", "ext4", "-b", "4096", "-d", "tree", "fs.img", size];
    let out = command(folder, "mke2fs").args(args).output().ok()?;
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    Some((std::fs::read(folder.join("fs.img")).unwrap(), truth))
}

fn files(volume: &Volume) -> BTreeMap<String, String> {
    let VolumeState::Read { fs, source } = &volume.state else { panic!("{volume:?}") };
    let is_file = |e: &&avocet_evidence::Entry| e.kind == EntryKind::File;
    let digest = |e: &avocet_evidence::Entry| sha256(&content(e, source, 1 << 24).unwrap().unwrap_or_default());
    collect(fs.as_ref()).entries.iter().filter(is_file).map(|e| (e.path.clone(), digest(e))).collect()
}

fn names(evidence: &Evidence) -> Vec<String> {
    evidence.volumes.iter().map(|v| format!("{} {}", v.name, v.state.word())).collect()
}

#[test]
fn a_disk_with_a_group_gives_the_files_of_its_volumes_and_names_the_rest() {
    let Some(lvm) = Lvm::new() else { return skipped(3, "no lvm, or no right to make loop devices") };
    let Some((fs, truth)) = file_system(lvm.dir(), "4M") else { return skipped(3, "no mke2fs") };
    lvm.group();
    lvm.volume("root", &["-l", "4"]);
    lvm.volume("stripe", &["-i", "2", "-I", "64k", "-l", "4"]);
    lvm.put(FIRST + MIB, &fs);
    // Thin, cached, a snapshot with its store, what was being moved, what cannot be.
    let thin = r#"
        pool { status = ["READ","WRITE","VISIBLE"] flags=[] segment_count=1 segment1 { start_extent=0 extent_count=1 type="thin-pool"
            metadata="pool_tmeta" pool="pool_tdata" } }
        thin { status = ["READ","WRITE","VISIBLE"] segment_count=1 segment1 { start_extent=0 extent_count=4 type="thin" thin_pool="pool" } }
        snapshot0 { status = ["READ","WRITE"] segment_count=1 segment1 { start_extent=0 extent_count=4 type="snapshot" chunk_size=8
            origin="root" cow_store="snap" } }
        five { status = ["VISIBLE"] segment1 { start_extent=0 extent_count=2 type="raid5_ls" } }
        moved { status = ["VISIBLE"] segment1 { start_extent=0 extent_count=1 type="mirror" extents_moved=1 mirrors=["pv0",0,"pv1",0] } }
        gap { status = ["VISIBLE"] segment1 { start_extent=1 extent_count=1 type="striped" stripe_count=1 stripes=["pv0",0] } }
        outside { status = ["VISIBLE"] segment1 { start_extent=0 extent_count=1 type="striped" stripe_count=1 stripes=["pv0",99] } }
        loops { status = ["VISIBLE"] segment1 { start_extent=0 extent_count=1 type="striped" stripe_count=1 stripes=["loops",0] } }
        zeros { status = ["VISIBLE"] segment1 { start_extent=0 extent_count=1 type="zero" } }
        "a/b" { status = ["VISIBLE"] segment1 { start_extent=0 extent_count=1 type="error" } }
    "#;
    let more: String = [("pool_tmeta", 8), ("pool_tdata", 9), ("snap", 10), ("lost", 11)]
        .into_iter()
        .enumerate()
        .map(|(i, (name, at))| internal(name, i, "pv0", at, 1))
        .collect();
    let (before, store) = more.split_once("snap {").unwrap();
    let more = format!("{before}snap {{{}", store.replacen("[\"READ\"", "[\"VISIBLE\", \"READ\"", 1));
    let mut bytes = lvm.read();
    // LVM2 would not write all of this: the text is put in by hand, checksums made right.
    rewrite(&mut bytes, [FIRST, SECOND], &|text| with(text, &format!("{thin}{more}")));
    let disk = lvm.dir().join("changed.img");
    std::fs::write(&disk, bytes).unwrap();
    let evidence = Evidence::open(&disk).unwrap();
    let of = |name: &str| {
        let volume = evidence.volumes.iter().find(|v| v.name == format!("mbr:1.{name}"));
        let volume = volume.unwrap_or_else(|| panic!("{name} in {:?}", names(&evidence)));
        match &volume.state {
            VolumeState::NotRead { what, detail, .. } => format!("{what}: {detail}"),
            other => other.word().to_owned(),
        }
    };
    for (name, wanted) in [
        ("root", "read"),
        ("zeros", "empty"),
        ("pool", "logical volume of LVM2 (thin-pool): volumes of this kind are not read"),
        ("thin", "logical volume of LVM2 (thin): volumes of this kind are not read"),
        ("snap", "snapshot of LVM2: an earlier state of another volume; snapshots are not read"),
        ("five", "logical volume of LVM2 (raid5_ls): volumes of this kind are not read"),
        ("moved", "logical volume of LVM2 (volume that was being moved): volumes of this kind are not read"),
        ("gap", "logical volume of LVM2: its parts do not follow each other"),
        ("outside", "logical volume of LVM2: a part of it lies outside what it lies on"),
        ("loops", "logical volume of LVM2: the volumes that it is made of need each other without end"),
        ("lost", "internal volume of LVM2: nothing that is shown is made of it"),
        ("lv1", "logical volume of LVM2 (error): volumes of this kind are not read"),
    ] {
        assert_eq!(of(name), wanted, "{name}");
    }
    assert!(!names(&evidence).iter().any(|n| n.contains("tmeta") || n.contains("snapshot0")), "{:?}", names(&evidence));
    let root = evidence.volumes.iter().find(|v| v.name == "mbr:1.root").unwrap();
    assert_eq!(files(root), truth);
    assert_eq!(root.layers, ["LVM2 logical volume avtest/root (linear on mbr:1)"]);
    // The second physical volume gone: the volume on the first one is whole, the striped one says so.
    let mut bytes = lvm.read();
    bytes[SECOND as usize..SECOND as usize + 4096].fill(0);
    std::fs::write(&disk, bytes).unwrap();
    let evidence = Evidence::open(&disk).unwrap();
    assert_eq!(files(evidence.volumes.iter().find(|v| v.name == "mbr:1.root").unwrap()), truth);
    assert!(evidence.problems.iter().any(|p| p.code == "lvm-volume-missing"), "{:?}", evidence.problems);
    let stripe = evidence.volumes.iter().find(|v| v.name == "mbr:1.stripe").unwrap();
    assert!(!matches!(stripe.state, VolumeState::Read { .. }));
    // And an older description on one of the two.
    let before = lvm.read();
    lvm.volume("late", &["-l", "1"]);
    let mut bytes = lvm.read();
    bytes[SECOND as usize..SECOND as usize + MIB as usize]
        .copy_from_slice(&before[SECOND as usize..SECOND as usize + MIB as usize]);
    std::fs::write(&disk, bytes).unwrap();
    let evidence = Evidence::open(&disk).unwrap();
    assert!(names(&evidence).iter().any(|n| n.starts_with("mbr:1.late")), "{:?}", names(&evidence));
    assert!(evidence.problems.iter().any(|p| p.code == "lvm-metadata-copy-used"));
}

/// CRC-32 as LVM2 begins it, by itself.
fn crc(data: &[u8]) -> u32 {
    data.iter().fold(0xf597_a6cf, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |c, _| (c >> 1) ^ if c & 1 == 1 { 0xedb8_8320 } else { 0 })
    })
}

/// Changes the current text of the metadata area of both partitions, which begins at 4096 of each, and makes checksums right.
fn rewrite(disk: &mut [u8], starts: [u64; 2], change: &dyn Fn(String) -> String) {
    for start in starts.map(|s| s as usize) {
        let area = start + 4096;
        let number = |at: usize| u64::from_le_bytes(disk[area + at..area + at + 8].try_into().unwrap()) as usize;
        let (offset, length) = (number(40), number(48));
        let text = String::from_utf8(disk[area + offset..area + offset + length].to_vec()).unwrap();
        let text = change(text);
        // To the beginning of the ring, where there is room.
        disk[area + 512..area + 512 + text.len()].copy_from_slice(text.as_bytes());
        disk[area + 40..area + 48].copy_from_slice(&512u64.to_le_bytes());
        disk[area + 48..area + 56].copy_from_slice(&(text.len() as u64).to_le_bytes());
        disk[area + 56..area + 60].copy_from_slice(&crc(text.as_bytes()).to_le_bytes());
        let sum = crc(&disk[area + 4..area + 512]);
        disk[area..area + 4].copy_from_slice(&sum.to_le_bytes());
    }
}

/// The usual disk of Linux: a group in an encrypted partition; here beside one that is not encrypted, of the same group.
#[test]
fn a_group_in_an_encrypted_partition_is_read() {
    let Some(lvm) = Lvm::new() else { return skipped(1, "no lvm, or no right to make loop devices") };
    let Some((fs, truth)) = file_system(lvm.dir(), "4M") else { return skipped(1, "no mke2fs") };
    lvm.group();
    lvm.volume("home", &["-l", "4"]);
    lvm.volume("both", &["-i", "2", "-I", "64k", "-l", "4"]);
    lvm.put(FIRST + MIB, &fs);
    let mut disk = lvm.read();
    // The first partition encrypted in place; its data move, as the table of a new disk says.
    let dir = lvm.dir();
    std::fs::write(dir.join("pw"), "correct horse").unwrap();
    let mut plain = disk[FIRST as usize..(FIRST + PARTITION) as usize].to_vec();
    plain.resize(plain.len() + (2 << 20), 0);
    std::fs::write(dir.join("sealed.img"), plain).unwrap();
    let args = [
        "reencrypt",
        "--encrypt",
        "--type",
        "luks2",
        "--batch-mode",
        "--key-file",
        "pw",
        "--reduce-device-size",
        "2M",
        "--luks2-keyslots-size",
        "512k",
        "--luks2-metadata-size",
        "16k",
        "--pbkdf-memory",
        "64",
        "--pbkdf-force-iterations",
        "4",
        "sealed.img",
    ];
    match command(dir, "cryptsetup").args(args).output() {
        Ok(out) => assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr)),
        Err(_) => return skipped(1, "no cryptsetup"),
    }
    let sealed = std::fs::read(dir.join("sealed.img")).unwrap();
    let second = disk[SECOND as usize..].to_vec();
    disk.truncate(FIRST as usize);
    disk.extend_from_slice(&sealed);
    let moved = disk.len() as u64;
    disk.extend_from_slice(&second);
    disk[446 + 12..446 + 16].copy_from_slice(&((sealed.len() / 512) as u32).to_le_bytes());
    disk[462 + 8..462 + 12].copy_from_slice(&((moved / 512) as u32).to_le_bytes());
    let path = dir.join("changed.img");
    std::fs::write(&path, disk).unwrap();
    let access = Access { password: Some(Secret::new(b"correct horse".to_vec())), ..Access::default() };
    let evidence = Evidence::open_with(&path, &access).unwrap();
    assert_eq!(names(&evidence).len(), 2, "{:?}", names(&evidence));
    assert_eq!(evidence.volumes[1].name, "mbr:1.home");
    assert_eq!(files(&evidence.volumes[1]), truth);
    let layers = &evidence.volumes[1].layers;
    assert!(layers[0].contains("unlocked with the password") && layers[1].contains("avtest/home"), "{layers:?}");
    assert!(evidence.volumes[0].layers[1].ends_with("(striped on mbr:1, mbr:2)"), "{:?}", evidence.volumes[0].layers);
    // Without the password the other partition stands alone, and says what it needs.
    let evidence = Evidence::open(&path).unwrap();
    assert!(evidence.problems.iter().any(|p| p.code == "lvm-volume-missing"));
    assert!(names(&evidence).iter().all(|n| !n.ends_with(" read")), "{:?}", names(&evidence));
    assert!(names(&evidence).contains(&"mbr:1 recognised".to_owned()));
}

#[test]
fn damage_is_said_and_costs_what_it_hits() {
    let Some(lvm) = Lvm::new() else { return skipped(200, "no lvm, or no right to make loop devices") };
    lvm.group();
    lvm.volume("lin", &["-l", "3"]);
    lvm.volume("stripe", &["-i", "2", "-I", "64k", "-l", "4"]);
    // The beginning of each partition is enough, and quick.
    const PART: u64 = 2 * MIB;
    let starts = [0, PART];
    let disk = lvm.read();
    let image = [FIRST, SECOND].map(|s| &disk[s as usize..(s + PART) as usize]).concat();
    let used: Vec<usize> =
        (0..16384).chain(PART as usize..PART as usize + 16384).filter(|at| image[*at] != 0).collect();
    let mut random = Random(0x10F);
    let (mut whole, mut partly, mut none) = (0, 0, 0);
    for round in 0..200 {
        let mut bytes = image.clone();
        if round % 4 == 0 {
            for _ in 0..=random.next() % 6 {
                let at = used[random.next() as usize % used.len()];
                bytes[at] = random.next() as u8;
            }
        } else {
            // Past the checksum of the text, so that the parser sees it.
            let digits = random.next();
            rewrite(&mut bytes, starts, &|text| {
                let mut text = text.into_bytes();
                let places: Vec<usize> = (0..text.len()).filter(|i| text[*i].is_ascii_digit()).collect();
                for i in 0..1 + digits % 4 {
                    let at = places[(digits >> (i * 9)) as usize % places.len()];
                    text[at] = b"0123456789]}\"x"[(digits >> (i * 5)) as usize % 14];
                }
                String::from_utf8(text).unwrap()
            });
        }
        let physical = physical_of(&bytes, starts, PART);
        let groups = assemble(&physical.iter().collect::<Vec<_>>());
        match groups.iter().map(|g| g.volumes.len()).sum::<usize>() {
            0 => none += 1,
            2 => whole += 1,
            _ => partly += 1,
        }
        for volume in groups.iter().flat_map(|g| &g.volumes) {
            if let State::Mapped { source, .. } = &volume.state {
                assert!(source.len() <= 2 * PARTITION, "{}", source.len());
                for at in [0, 1, 65_535, source.len() / 2, source.len().saturating_sub(1), u64::MAX] {
                    let mut buf = vec![0; 200_000];
                    if let Ok(n) = source.read_at(at, &mut buf) {
                        assert_eq!(n as u64, source.len().saturating_sub(at).min(200_000));
                    }
                }
            }
        }
    }
    println!("{whole} whole, {partly} partly, {none} none");
    assert!(whole > 0 && none + partly > 0);
}
