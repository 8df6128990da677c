//! Problem codes in plain sentences: what an officer reads first in the completeness statement. The code stands behind
//! each, so that a specialist finds it again in the list of problems.

use avocet_examination::Level;

/// What a problem means and how grave it is. A [`Level::Note`] is something that cost nothing: a checked copy was used,
/// or a remark on the layout. Everything else, and every code that is not listed, may have cost files and is a gap.
pub(crate) fn meaning(code: &str) -> (Level, Option<&'static str>) {
    let note = |text| (Level::Note, Some(text));
    let gap = |text| (Level::Gap, Some(text));
    match code {
        // A copy served, or only the layout is odd: nothing is missing because of it.
        "long-name-orphaned" => note("Remains of long file names that belong to no entry any more"),
        "hybrid-mbr" => note("The disk has an MBR and a GPT partition table that are both in use"),
        "vhd-footer-left-out" => note("The image is a fixed VHD; its last 512 bytes belong to that format"),
        "header-copy-used" => note("A header of the disk image is damaged; its copy was used"),
        "space-not-stored" => note("Free space of the disk was left out when the image was made; it reads as zeros"),
        "sums-not-checked" => note("Not every checksum of the disk image was checked when it was opened"),
        "member-unreadable" => {
            gap("Members of the archive that an image is cannot be read: what is in them is missing")
        }
        "logical-files-not-read" => gap("Beside its disk the image holds files of their own that were NOT read"),
        "chunks-have-no-digest" => note("The image stores no digest of its pieces that is checked"),
        "name-like-a-later-segment" => note("The image's name looks like a later part of a split image"),
        "backup-boot-sector" | "boot-sector-backup-used" | "boot-region-backup-used" => {
            note("The first boot sector is damaged; its backup was used")
        }
        "luks-header-copy-used" => {
            note("One of the two headers of an encrypted volume is damaged or old; the other was used")
        }
        "bitlocker-metadata-copy-used" => {
            note("A BitLocker volume keeps its metadata three times and a copy is damaged; another was used")
        }
        "bitlocker-partly-encrypted" => note("Only a part of a BitLocker volume is encrypted; both parts were read"),
        "descriptors-reserve-used" => note("The description of the volume is damaged; its reserve was used"),
        "metadata-mirror-used" => note("The list of files was read from its mirror"),
        "node-copy-used" => note("Parts of the list of files are damaged; their second copy was used"),
        "superblock-copy-used" => note("The first superblock is damaged; a copy was used"),
        "mft-from-mirror" | "record-from-mirror" => note("The beginning of the file table was read from its mirror"),
        "gpt-primary-broken" => note("The first partition table is damaged; its backup was used"),
        "gpt-backup-broken" => note("The backup of the partition table is damaged; the first one was used"),
        "signature-beside-table" => note("A partition table lies beside the remains of a file system"),
        "table-beside-signature" => note("A file system lies beside the remains of a partition table"),
        "mbr-status-invalid" => note("The partition table holds a status byte that is not allowed"),
        "gpt-ignored" => {
            gap("An old GPT partition table was left unused; volumes that only it names were not looked for")
        }
        "fat-copies-differ" => {
            gap("The copies of the allocation table differ; the first was used, so some files may be wrong")
        }
        "mount-point-not-entered" => gap("Another disk is mounted in the folder; it was not examined"),
        "second-opinion-only-theirs" => gap("The second opinion lists what is not listed here"),
        "second-opinion-only-ours" => gap("What is listed here the second opinion does not list"),
        "second-opinion-state" => gap("The second opinion takes for deleted what is live here, or the other way round"),
        "second-opinion-size" => gap("The second opinion gives another size"),
        "second-opinion-content" => gap("The second opinion gives other bytes, or bytes where there are none here"),
        // What may be missing.
        "udf-beside" => gap("The disc also carries UDF, which cannot be read: files that only UDF lists are not here"),
        "not-closed-cleanly-f2fs" => gap("The volume was in use: what was written last is not here"),
        "inode-checksum-differs" => gap("What the volume says of a file does not agree with its checksum"),
        "not-closed-cleanly-udf" => gap("The disc was not closed: its last changes may be missing"),
        "volume-cut" => gap("The volume declares more bytes than there are"),
        "numbers-differ" => note("A number is stored twice and the two differ; the first was used"),
        "not-closed-cleanly-hfs" => gap("The volume was in use: its last changes may be in its journal only"),
        "tree-damaged" => gap("The catalogue of files is damaged: files may be missing"),
        "leaf-count-differs" | "file-count-differs" => {
            gap("The volume declares another number of files than were found: files may be missing")
        }
        "checkpoint-older-used" => gap("The newest state of the container does not hold; an older one was used"),
        "apfs-snapshots-not-read" => gap("The volume holds earlier states of itself (snapshots) that were NOT read"),
        "inode-missing" => gap("Names lead to no file"),
        "log-not-replayed" => gap("The volume was in use: its last changes are in its log only"),
        "inode-table-damaged" => gap("The table of files is damaged: files without a name may be missing"),
        "data-checksums-missing" => {
            gap("The checksums of the files' bytes cannot be read: damage would not be noticed")
        }
        "subvolume-missing" => gap("Names lead to parts of the volume (subvolumes) that are not there"),
        "subvolume-unnamed" => gap("Parts of the volume (subvolumes) that no folder names are listed by their number"),
        "entries-capped" => gap("The list of files was cut because it has no plausible end: files are missing"),
        "realtime-not-read" => gap("Files lie on another disk (real-time device) that was NOT read"),
        "parent-missing" => gap("Files whose folder is not there any more are listed by its number"),
        "link-broken" => gap("A hard link leads to no file"),
        "directories-capped" | "directory-depth" => {
            gap("The folders claim more than the volume can hold or nest too deep: files may be missing")
        }
        "empty" => gap("The image holds no bytes"),
        "acquisition-incomplete" => gap("The image was not finished when it was made"),
        "acquisition-errors" | "acquisition-errors-damaged" => gap("Sectors could not be read when the image was made"),
        "segment-truncated" | "volume-truncated" => gap("The image ends before the data that it declares"),
        "segment-sizes-differ" => gap("The parts of the split image differ in size: one may be incomplete"),
        "footer-damaged" => gap("The end of the disk image is damaged or cut off; a copy of its footer was used"),
        "descriptor-damaged" => gap("The description of the disk image's parts is damaged: a part may be missing"),
        "extent-size-differs" => gap("A part of the disk image has not the size that its description gives"),
        "not-closed-cleanly" => gap("The disk image was not closed cleanly: its last changes may be missing"),
        "marked-corrupt" => gap("The disk image is marked as corrupt by the program that used it"),
        "sum-differs" => gap("Parts of the disk image do not agree with their stored checksum"),
        "tables-leave-gaps" => gap("The disk image does not say where parts of the disk lie: they cannot be read"),
        "unreadable-when-acquired" => gap("Parts of the disk could not be read when the image was made"),
        "not-acquired" => gap("Parts of the disk were not acquired when the image was made"),
        "digest-differs" => gap("A stored digest of the image does not agree with what it is of"),
        "snapshots-not-read" => gap("The disk image holds earlier states of the disk (snapshots) that were NOT read"),
        "extra-segment" => gap("There are more segments than the image declares"),
        "image-damaged" => gap("Parts of the image are damaged"),
        "luks-wrong-key" => gap("An encrypted volume stayed locked: the password or key file given does not open it"),
        "luks-slot-not-tried" => {
            gap("An encrypted volume stayed locked: its keyslots ask for what is not read or too much work")
        }
        "luks-not-read" => gap("An encrypted volume cannot be unlocked: its cipher or state is not read"),
        "luks-header-damaged" => gap("The header of an encrypted volume is damaged: it was not tried"),
        "luks-cut" => gap("An encrypted volume ends before the data that it declares, or within a sector"),
        "bitlocker-wrong-key" => {
            gap("A BitLocker volume stayed locked: what was given does not open it; it says beside it what does")
        }
        "bitlocker-not-read" => {
            gap("A BitLocker volume cannot be unlocked: its kind, state or key protectors are not read")
        }
        "bitlocker-metadata-damaged" => gap("The metadata of a BitLocker volume are damaged: it was not tried"),
        "bitlocker-metadata-copies-differ" => {
            gap("The copies of a BitLocker volume's metadata differ: a key may open it that was not tried")
        }
        "bitlocker-metadata-altered" => gap("The metadata of a BitLocker volume were changed after Windows wrote them"),
        "bitlocker-converting" => {
            gap("Parts of a BitLocker volume were being encrypted or decrypted when it was taken: they cannot be read")
        }
        "bitlocker-cut" => gap("A BitLocker volume ends before the data that it declares, or within a sector"),
        "tcrypt-not-opened" => gap(
            "A volume that looks random did not open as a VeraCrypt volume: it is either a wrong key or no such volume",
        ),
        "tcrypt-not-tried" => {
            gap("A volume that looks random did not open as a VeraCrypt volume, and not every way was tried")
        }
        "tcrypt-damaged" => gap("The header of an encrypted volume opened, and what it says is not read"),
        "tcrypt-backup-header-used" => note("The header of an encrypted volume did not open; its copy was used"),
        "tcrypt-may-hide" => note(
            "An outer encrypted volume was opened: what looks free in it may be a hidden one with another password",
        ),
        "tcrypt-part-encrypted" => note("Only a part of an encrypted system is encrypted; the rest was read as it is"),
        "tcrypt-cut" => gap("An encrypted volume ends before the data that it declares"),
        "corestorage-wrong-key" => {
            gap("An encrypted volume of a Mac stayed locked: what was given opens it for none of its users")
        }
        "corestorage-not-tried" => gap("An encrypted volume of a Mac stayed locked: its users ask for too much work"),
        "corestorage-not-read" => gap("An encrypted volume of a Mac cannot be unlocked: its state is not read"),
        "corestorage-damaged" => gap("The description of an encrypted volume of a Mac is damaged: it was not tried"),
        "corestorage-list-damaged" => gap("Parts of the description of encrypted volumes of a Mac are damaged"),
        "corestorage-cut" => gap("An encrypted volume of a Mac lies partly past the end of the image"),
        "lvm-metadata-copy-used" => note("Descriptions of a volume group are damaged or older; another one was used"),
        "lvm-one-copy-read" => note("Mirrored logical volumes were read by one copy; the others were not compared"),
        "lvm-unassigned" => {
            note("Bytes of a volume group belong to no logical volume: what was deleted there was not looked for")
        }
        "lvm-volume-missing" => {
            gap("Parts of a volume group are on another disk: logical volumes are missing or not whole")
        }
        "lvm-overlap" => {
            gap("The description of a volume group contradicts itself: some logical volumes were NOT read")
        }
        "volumes-capped" => gap("More volumes, or volumes deeper in each other, than are opened: some were NOT read"),
        "inner-space" => note("Bytes of an unlocked or logical volume belong to no partition of the table in it"),
        "gpt-both-broken" => gap("Both copies of the partition table are damaged: volumes may be missing"),
        "mbr-no-partitions" => gap("The partition table names no partition"),
        "apm-broken" | "apm-entries-capped" => gap("The partition map is damaged: volumes may be missing"),
        "ebr-broken" | "ebr-loop" | "ebr-capped" | "ebr-unreadable" => {
            gap("The list of logical volumes is damaged: volumes may be missing")
        }
        "partition-past-end" => gap("A partition reaches beyond the end of the image"),
        "partitions-overlap" => gap("Partitions overlap"),
        "enumeration-ended" => gap("The list of files ended early: files are missing"),
        "walk-budget-exhausted" => gap("The list of files was cut because it has no plausible end: files are missing"),
        "free-space-unreadable" | "bitmap-unreadable" | "allocation-bitmap-missing" => {
            gap("The map of free space cannot be read: which deleted files are whole is not known")
        }
        "fat-unreadable" | "fat-too-short" | "fat-copy-unreadable" | "fat-first-copy-bad" => {
            gap("The file allocation table is damaged")
        }
        "stated-digest-differs" => gap(
            "Files have NOT the bytes of which the evidence itself states a digest: changed or damaged since, or misstated",
        ),
        "file-unreadable" => gap("A file's bytes cannot be read"),
        "directory-loop" => gap("A folder contains itself; it was cut there"),
        "directory-unreadable" | "directory-damaged" | "directory-chain-broken" | "directory-checksum" => {
            gap("A folder is damaged: some of its entries may be missing")
        }
        "directory-too-deep" | "path-too-deep" | "path-too-long" => gap("Folders are nested too deep; cut there"),
        "directory-too-large" | "directory-capped" => gap("A folder claims too many entries; cut there"),
        "cross-linked" | "cross-linked-clusters" | "cross-linked-capped" => {
            gap("Live files share the same clusters: not all of their bytes are their own")
        }
        "chain-broken" | "chain-loop" | "chain-short" => gap("The chain of a file's clusters is broken"),
        "lost-clusters" => gap("Clusters are marked as used that belong to no file"),
        "live-clusters-marked-free" => gap("Clusters of live files are marked as free"),
        "recovered-bytes-capped" => {
            gap("The deleted files claim more bytes than the volume can hold; the rest was not read")
        }
        "bad-clusters" => gap("The device marked clusters as defective"),
        "journal-not-replayed" => gap("The file system was not closed cleanly; its journal was not applied"),
        "shadow-copies-not-read" => gap("Shadow copies (earlier states of the volume) are there and were NOT read"),
        "sessions-not-read" => gap("Further sessions of the disc were NOT read"),
        "record-signature"
        | "record-fixup-mismatch"
        | "record-attributes-broken"
        | "record-unreadable"
        | "record-incomplete" => gap("A record of the file table is damaged"),
        "inode-unreadable" | "inode-checksum" => gap("The record of a file is damaged"),
        "zip-bomb" => gap("Members of the archive claim implausible sizes; they were not unpacked"),
        "manifest-unreadable" => gap(
            "The folder is a phone's backup whose list of files cannot be read; its files were taken as they lie there",
        ),
        "backup-of-older-ios" => {
            gap("The folder is a backup by iOS 9 or earlier; its files were taken without their names")
        }
        "wal-not-applied" => gap("Changes that were not yet part of a database were not applied to it"),
        "metadata-damaged" => gap("What a backup says of a file's size and times cannot be read"),
        "size-differs" => gap("A file has not the size that the backup or report gives it"),
        "file-id-differs" => gap("A file of a backup has not the name that follows from its path"),
        "header-damaged" | "extended-header-damaged" => {
            gap("Headers of an archive are damaged: some of its members may be missing or misnamed")
        }
        "member-truncated" | "no-end-marker" => gap("The archive ends early: it may have been cut off"),
        "members-after-end" => note("Members follow the end of the archive; they are listed"),
        "bytes-after-archive" => gap("Bytes follow the end of the archive that belong to none of its members"),
        "sparse-map-damaged" => gap("A sparse file of the archive does not say where its pieces belong"),
        "block-damaged" => gap("Parts of an archive are damaged: members there cannot be read"),
        "member-sum-differs" => gap("Members of an archive do not agree with their checksum; they were not read"),
        "method-not-read" => gap("Members of an archive are packed in a way that is not read, or encrypted"),
        "members-differ" => gap("An archive lists other members than it holds"),
        "stream-damaged" => gap("Compressed data are damaged or cut off: what came before was read"),
        "unpack-capped" => gap("Compressed data unpack to more than is read; the rest was not"),
        "bytes-after-stream" => gap("Bytes follow compressed data that are not part of them"),
        "padding-wrong" => gap("An encrypted backup does not end as it should: it may have been cut off"),
        "camera-roll-unreadable" => gap("A database of the camera roll cannot be read"),
        "camera-roll-capped" => gap("The camera roll lists more pictures than are kept"),
        "report-damaged" => gap("The report of the extraction is damaged: what it says of some files is not known"),
        "report-capped" => gap("The report of the extraction names more files than are read"),
        "archive-members-capped" => gap("An archive holds more members than are listed"),
        "archive-bytes-capped" => gap("An archive holds more content than is read; members beyond have no digest"),
        "not-listed" => note("The backup or report holds files that it does not list; they are shown"),
        "page-unreadable" | "page-damaged" | "page-loop" | "row-damaged" => {
            gap("A database is damaged: some of its records may be missing")
        }
        "folder-changed" => gap("The folder changed while it was read"),
        "record-not-understood" => gap("A record of the recycle bin cannot be understood"),
        _ => (Level::Gap, None),
    }
}

/// One line for all problems with one code.
pub(crate) fn line(layer: &str, code: &str, count: u64, unlisted: u64) -> (Level, String) {
    let (level, meaning) = meaning(code);
    let meaning = meaning.unwrap_or("Something could not be read or contradicts itself");
    let times = if count == 1 { "once".to_owned() } else { format!("{count} times") };
    let rest = if unlisted > 0 { format!("; {unlisted} of them counted but not listed") } else { String::new() };
    (level, format!("{meaning} (reported {times}{rest}) [{layer}: {code}]."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_reads_as_a_sentence_with_its_code() {
        let (level, text) = line("fat", "directory-loop", 1, 0);
        assert_eq!(level, Level::Gap);
        assert_eq!(text, "A folder contains itself; it was cut there (reported once) [fat: directory-loop].");
        let (level, text) = line("fat", "long-name-orphaned", 3, 0);
        assert_eq!(level, Level::Note, "costs nothing");
        assert!(text.contains("(reported 3 times) [fat: long-name-orphaned]"), "{text}");
    }

    #[test]
    fn an_unknown_code_is_a_gap_and_is_named() {
        let (level, text) = line("new", "never-heard-of", 20_000, 10_000);
        assert_eq!(level, Level::Gap);
        assert!(text.contains("20000 times; 10000 of them counted but not listed"), "{text}");
        assert!(text.ends_with("[new: never-heard-of]."), "{text}");
    }
}
