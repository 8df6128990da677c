//! Seeded mutants of every kind of image that is read, through the whole chain.
//!
//! `AVOCET_MUTANTS` sets how many of each kind (100 unless told). A mutant that breaks something is kept in
//! `target/hostile/`, with the sentence that says what it broke.

use std::path::PathBuf;
use std::time::Duration;

use crate::base::bases;
use crate::mutate::mutant;
use crate::support::{How, MOST_MEMORY_KIB, Outcome, peak_memory_kib, watched};

fn mutants() -> u64 {
    std::env::var("AVOCET_MUTANTS").ok().map_or(100, |n| n.parse().expect("AVOCET_MUTANTS is a number"))
}

fn keep(name: &str, seed: u64, files: &[(String, Vec<u8>)]) -> PathBuf {
    let name: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("hostile").join(format!("{name}-{seed}"));
    std::fs::create_dir_all(&dir).unwrap();
    for (file, bytes) in files {
        std::fs::write(dir.join(file), bytes).unwrap();
    }
    dir
}

fn run(kind: &str) {
    let (bases, missing) = bases(kind);
    // File systems that came later are held to twice as many.
    let wanted = match kind {
        "iso" | "hfs" | "apfs" => mutants().max(200),
        // A large image that is nearly empty, and one whose key takes long to derive.
        "f2fs" | "luks" => mutants().min(40),
        _ => mutants(),
    };
    if missing > 0 {
        println!("skipped {missing} base image(s) of {kind}: the program or the shared test data is not here");
    }
    if bases.is_empty() {
        println!("skipped {wanted} mutant(s): there is no image of {kind}");
        return;
    }
    for base in &bases {
        let how = How { image_digest: true, twice: true, password: kind == "luks" };
        let outcome = watched(base.files.clone(), how).unwrap_or_else(|e| panic!("{} unchanged: {e}", base.name));
        assert!(!outcome.refused && outcome.rows > 0, "{} unchanged is examined: {outcome:?}", base.name);
    }
    let (mut changes, mut in_metadata, mut failures) = (0, 0, vec![]);
    let (mut total, mut refused, mut slowest) = (Outcome::default(), 0, Duration::ZERO);
    for seed in 0..wanted {
        let base = &bases[seed as usize % bases.len()];
        let one = mutant(base, seed ^ u64::from(crc32fast::hash(base.name.as_bytes())) << 32);
        changes += one.changes;
        in_metadata += one.in_metadata;
        // A virtual disk may declare 64 TiB of zeros: right to read to their end, and not within ten seconds.
        let password = kind == "luks" && one.files.iter().any(|(_, bytes)| bytes.starts_with(b"LUKS"));
        let how = How { image_digest: seed % 4 == 0 && kind != "disk", twice: seed % 8 == 3, password };
        match watched(one.files.clone(), how) {
            Ok(o) => {
                refused += u64::from(o.refused);
                total.rows += o.rows;
                total.problems += o.problems;
                total.sealed_bytes = total.sealed_bytes.max(o.sealed_bytes);
                slowest = slowest.max(o.took);
            }
            Err(what) => {
                failures.push(format!("{} seed {seed}: {what}; kept in {:?}", base.name, keep(kind, seed, &one.files)))
            }
        }
    }
    let peak = peak_memory_kib();
    println!(
        "{kind}: {wanted} mutants of {} base image(s), {changes} changes of which {in_metadata} in metadata; {refused} \
         refused, {} rows, {} problems listed; slowest {slowest:.2?}, largest result {} bytes, peak memory {} KiB",
        bases.len(),
        total.rows,
        total.problems,
        total.sealed_bytes,
        peak.unwrap_or(0)
    );
    assert!(failures.is_empty(), "{} of {wanted} mutants:\n{}", failures.len(), failures.join("\n"));
    assert!(in_metadata * 2 >= changes, "{in_metadata} of {changes} changes in metadata");
    assert!(peak.is_none_or(|kib| kib <= MOST_MEMORY_KIB), "peak memory {peak:?} KiB");
    // Changes that the readers do not even notice would prove nothing.
    assert!(refused + total.problems > 0, "nothing was refused or reported in {wanted} mutants");
}

macro_rules! kinds {
    ($($kind:ident),*) => { $(
        #[test]
        fn $kind() {
            run(stringify!($kind));
        }
    )* };
}

kinds!(
    fat12, fat16, fat32, exfat, ntfs, ext2, ext3, ext4, iso, hfs, apfs, btrfs, f2fs, udf, luks, lvm, mbr, gpt, ewf,
    zip, sevenz, bzip2, dmg, aff4, disk
);
