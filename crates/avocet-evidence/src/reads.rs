//! What this version reads, recognises, and does not know yet. The README's table is held against this list by a test, and
//! so is every name of a test that stands here as proof.

/// Which part of evidence a format belongs to: a row of the README's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// Wraps a disk, or is a tree of files by itself.
    Container,
    /// Divides a disk.
    VolumeSystem,
    /// Keeps files.
    FileSystem,
    /// Hides what is in a volume or file.
    Encryption,
}

impl Layer {
    /// The first cell of the row.
    pub fn row(self) -> &'static str {
        match self {
            Self::Container => "containers",
            Self::VolumeSystem => "volume systems",
            Self::FileSystem => "file systems",
            Self::Encryption => "encryption",
        }
    }

    /// Every layer, in the order of the table.
    pub const ALL: [Layer; 4] = [Self::Container, Self::VolumeSystem, Self::FileSystem, Self::Encryption];
}

/// How far a format is read: a column of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Its files are listed and digested.
    Read,
    /// It is named with its size, and not read.
    Recognised,
    /// It is taken for something else, or for nothing known.
    NotYet,
}

/// One entry of the table.
#[derive(Debug, Clone, Copy)]
pub struct Format {
    /// The row.
    pub layer: Layer,
    /// The column.
    pub extent: Extent,
    /// As the README says it.
    pub name: &'static str,
    /// The test that shows it: crate and function. Empty only for what is not there yet.
    pub proof: &'static str,
}

const fn read(layer: Layer, name: &'static str, proof: &'static str) -> Format {
    Format { layer, extent: Extent::Read, name, proof }
}

const fn named(layer: Layer, name: &'static str, proof: &'static str) -> Format {
    Format { layer, extent: Extent::Recognised, name, proof }
}

const fn not_yet(layer: Layer, name: &'static str) -> Format {
    Format { layer, extent: Extent::NotYet, name, proof: "" }
}

use Layer::{Container, Encryption, FileSystem, VolumeSystem};

const SIGNATURES: &str = "avocet-evidence what_is_not_read_is_named_and_never_taken_for_nothing";
const UNREAD: &str = "avocet what_is_not_read_is_named";
const KIT: &str = "avocet every_entry_and_content_is_what_the_sleuth_kit_says";

/// Everything, in the order of the table.
pub const FORMATS: &[Format] = &[
    read(Container, "raw", "avocet-evidence content_decides_what_a_file_is"),
    read(Container, "split raw", "avocet-evidence split_images_open_by_any_segment_and_read_across_borders"),
    read(
        Container,
        "E01 (all segments, every chunk checked on every read)",
        "avocet-evidence real_images_equal_ewfexport_and_their_stored_digest",
    ),
    read(Container, "raw that is packed (gz, xz, zst, bz2)", "avocet-evidence a_packed_disk_image_is_read_as_the_disk"),
    read(Container, "SMART", "avocet-evidence smart_images_give_the_bytes_of_their_medium"),
    read(Container, "QCOW 1 to 3", "avocet-evidence every_variant_of_one_disk_gives_the_same_bytes"),
    read(Container, "VHD", "avocet-evidence every_variant_of_one_disk_gives_the_same_bytes"),
    read(Container, "VHDX", "avocet-evidence every_variant_of_one_disk_gives_the_same_bytes"),
    read(Container, "VMDK", "avocet-evidence every_variant_of_one_disk_gives_the_same_bytes"),
    read(
        Container,
        "DMG (zero, plain, ADC, zlib, bzip2, LZFSE, LZMA)",
        "avocet-evidence real_apple_images_give_the_bytes_that_python_and_7_zip_read",
    ),
    read(
        Container,
        "AFF4 (disks in one volume)",
        "avocet-evidence the_reference_images_give_the_disk_that_is_published_for_them",
    ),
    read(Container, "AFF4-L", "avocet-evidence a_logical_image_gives_the_file_that_was_put_in"),
    read(Container, "folder", "avocet-evidence a_folder_holds_what_find_says"),
    read(Container, "zip", "avocet-evidence archives_that_python_writes_are_read_as_python_reads_them"),
    read(
        Container,
        "tar (also packed: gz, xz, zst, bz2)",
        "avocet-evidence packed_archives_are_read_as_python_and_zstd_read_them",
    ),
    read(
        Container,
        "7z (copy, LZMA, LZMA2, deflate, bzip2)",
        "avocet-evidence archives_of_every_method_hold_what_went_into_them",
    ),
    read(
        Container,
        "iOS backup (iOS 10 and later; encrypted ones with their password)",
        "avocet-evidence files_are_those_that_were_encrypted",
    ),
    read(
        Container,
        "Android backup (encrypted ones with their password)",
        "avocet-evidence android_backups_are_read_as_python_reads_them",
    ),
    read(Container, "UFDR", "avocet-evidence a_report_is_read_as_python_reads_it"),
    named(
        Container,
        "disks that hold only changes to another one",
        "avocet-evidence disks_that_depend_on_something_else_are_refused_by_name",
    ),
    named(Container, "encrypted QCOW2", "avocet-evidence disks_that_depend_on_something_else_are_refused_by_name"),
    named(Container, "encrypted, segmented and old DMG", "avocet-evidence other_apple_images_are_refused_by_name"),
    named(Container, "AFF", "avocet-evidence content_decides_what_a_file_is"),
    named(Container, "Ex01", UNREAD),
    named(Container, "L01", "avocet-evidence content_decides_what_a_file_is"),
    named(Container, "AD1", UNREAD),
    named(
        Container,
        "iOS backup before iOS 10",
        "avocet-evidence an_encrypted_an_older_and_a_damaged_backup_are_named",
    ),
    named(
        Container,
        "encrypted 7z and 7z by other methods",
        "avocet-evidence methods_that_are_not_read_and_passwords_are_named_and_listed",
    ),
    named(Container, "RAR and other archives", UNREAD),
    read(
        VolumeSystem,
        "MBR with logical partitions",
        "avocet-evidence real_images_have_the_partitions_that_mmls_finds",
    ),
    read(VolumeSystem, "GPT with backup header", "avocet-evidence a_broken_gpt_gives_way_to_its_backup"),
    read(VolumeSystem, "Apple partition map", "avocet-evidence a_disc_with_an_apple_partition_map_is_read_both_ways"),
    read(
        VolumeSystem,
        "LVM2 (linear, striped, mirrors by one copy; its physical volumes on one disk)",
        "avocet-evidence volumes_that_lvm2_made_are_read_as_grub_reads_them",
    ),
    named(VolumeSystem, "LDM (dynamic disks)", SIGNATURES),
    named(VolumeSystem, "BSD", SIGNATURES),
    named(VolumeSystem, "Sun", SIGNATURES),
    named(VolumeSystem, "RAID members", SIGNATURES),
    named(
        VolumeSystem,
        "other volumes of LVM2 (thin, cached, snapshots, RAID 0, 4, 5, 6, 10)",
        "avocet-evidence a_disk_with_a_group_gives_the_files_of_its_volumes_and_names_the_rest",
    ),
    named(VolumeSystem, "Storage Spaces", SIGNATURES),
    read(
        FileSystem,
        "NTFS, FAT12/16/32, exFAT, ext2/3/4: live, deleted and orphaned files, streams, compressed, sparse",
        KIT,
    ),
    read(
        FileSystem,
        "HFS+ and HFSX (live files, also those that the system compressed with zlib, LZVN or LZFSE)",
        "avocet-evidence every_way_of_keeping_content",
    ),
    read(
        FileSystem,
        "ISO 9660 with Rock Ridge and Joliet",
        "avocet-evidence every_file_of_a_disc_is_there_with_its_own_name",
    ),
    read(
        FileSystem,
        "APFS (live files, not encrypted)",
        "avocet-evidence a_real_container_is_what_the_sleuth_kit_says",
    ),
    read(FileSystem, "XFS (live files)", "avocet-evidence every_layout_reads_back"),
    read(
        FileSystem,
        "btrfs on one disk (live files of every subvolume and snapshot)",
        "avocet-evidence subvolumes_and_snapshots_have_their_path",
    ),
    read(FileSystem, "UDF", "avocet-evidence every_form_of_an_entry"),
    read(FileSystem, "F2FS (live files)", "avocet-evidence every_layout_reads_as_it_was_loaded"),
    named(FileSystem, "HFS", SIGNATURES),
    named(FileSystem, "btrfs in stripes over disks", "avocet-evidence disks_of_several"),
    named(FileSystem, "files that F2FS compressed", "avocet-evidence what_is_encrypted_or_compressed_is_named"),
    named(FileSystem, "ReFS", SIGNATURES),
    named(FileSystem, "ZFS", SIGNATURES),
    named(FileSystem, "swap and others", SIGNATURES),
    read(
        Encryption,
        "LUKS 1 and 2 with a password or key file (AES in XTS and CBC mode)",
        "avocet-evidence volumes_that_cryptsetup_encrypted_open_with_their_password",
    ),
    read(
        Encryption,
        "BitLocker with a password, recovery password or startup key (AES in XTS and CBC mode, also with the diffuser)",
        "avocet-evidence volumes_of_windows_by_xts_give_the_digest_that_is_published",
    ),
    read(
        Encryption,
        "VeraCrypt and TrueCrypt from version 5 with a password, key files or a PIM (outer, hidden and system volumes)",
        "avocet-evidence every_chain_and_digest_opens",
    ),
    read(
        Encryption,
        "FileVault 2 on CoreStorage with a password or recovery key",
        "avocet-evidence every_user_opens_a_volume_of_several_pieces",
    ),
    named(
        Encryption,
        "LUKS without its password, with other ciphers, half re-encrypted",
        "avocet-evidence what_cannot_be_unlocked_says_why",
    ),
    named(
        Encryption,
        "BitLocker without its key, of Windows Vista, encrypted on write",
        "avocet-evidence volumes_that_are_encrypted_as_they_are_written_to_are_named",
    ),
    named(
        Encryption,
        "FileVault 2 without its password, half encrypted, over several disks",
        "avocet-evidence what_cannot_be_unlocked_says_why",
    ),
    named(Encryption, "EFS and fscrypt per file", "avocet-evidence encrypted_files_get_no_digest"),
    named(Encryption, "possibly encrypted volumes by entropy", "avocet-evidence zeros_noise_and_text_are_told_apart"),
    not_yet(Encryption, "unlocking of FileVault on APFS"),
    not_yet(Encryption, "TrueCrypt before version 5"),
];
