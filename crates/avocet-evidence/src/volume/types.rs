//! Names of partition types.

/// The name of an MBR partition type, or the number where none is known (after the list of partition types that
/// Andries Brouwer kept).
pub(super) fn mbr_type(kind: u8) -> String {
    let name = match kind {
        0x01 => "FAT12",
        0x04 => "FAT16 (under 32 MB)",
        0x05 => "extended",
        0x06 => "FAT16",
        0x07 => "NTFS/exFAT/HPFS",
        0x0B => "FAT32 (CHS)",
        0x0C => "FAT32 (LBA)",
        0x0E => "FAT16 (LBA)",
        0x0F => "extended (LBA)",
        0x11 => "hidden FAT12",
        0x12 => "diagnostics or recovery",
        0x14 => "hidden FAT16 (under 32 MB)",
        0x16 => "hidden FAT16",
        0x17 => "hidden NTFS/exFAT/HPFS",
        0x1B => "hidden FAT32 (CHS)",
        0x1C => "hidden FAT32 (LBA)",
        0x1E => "hidden FAT16 (LBA)",
        0x27 => "Windows recovery",
        0x42 => "Windows dynamic disk (LDM)",
        0x82 => "Linux swap or Solaris",
        0x83 => "Linux",
        0x84 => "hibernation",
        0x85 => "Linux extended",
        0x8E => "Linux LVM",
        0xA5 => "FreeBSD",
        0xA6 => "OpenBSD",
        0xA8 => "macOS UFS",
        0xA9 => "NetBSD",
        0xAB => "macOS boot",
        0xAF => "Apple HFS or HFS+",
        0xBF => "Solaris",
        0xE8 => "LUKS",
        0xEE => "GPT protective",
        0xEF => "EFI system",
        0xFB => "VMware VMFS",
        0xFC => "VMware swap",
        0xFD => "Linux RAID",
        _ => return format!("0x{kind:02x}"),
    };
    name.into()
}

/// A GUID as it is written: the first three fields are little-endian on disk (UEFI specification, appendix A).
pub(crate) fn guid_text(bytes: &[u8; 16]) -> String {
    let order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
    let mut out = String::with_capacity(36);
    for (n, i) in order.into_iter().enumerate() {
        if matches!(n, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        if let Some(b) = bytes.get(i) {
            out.push_str(&format!("{b:02X}"));
        }
    }
    out
}

/// The name of a GPT partition type, or its GUID where none is known.
pub(super) fn gpt_type(kind: &[u8; 16]) -> String {
    let guid = guid_text(kind);
    let name = match guid.as_str() {
        "C12A7328-F81F-11D2-BA4B-00A0C93EC93B" => "EFI system",
        "21686148-6449-6E6F-744E-656564454649" => "BIOS boot",
        "024DEE41-33E7-11D3-9D69-0008C781F39F" => "MBR scheme",
        "E3C9E316-0B5C-4DB8-817D-F92DF00215AE" => "Microsoft reserved",
        "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7" => "Microsoft basic data",
        "5808C8AA-7E8F-42E0-85D2-E1E90434CFB3" => "Windows dynamic disk metadata (LDM)",
        "AF9B60A0-1431-4F62-BC68-3311714A69AD" => "Windows dynamic disk data (LDM)",
        "DE94BBA4-06D1-4D40-A16A-BFD50179D6AC" => "Windows recovery",
        "E75CAF8F-F680-4CEE-AFA3-B001E56EFC2D" => "Windows Storage Spaces",
        "0FC63DAF-8483-4772-8E79-3D69D8477DE4" => "Linux file system",
        "A19D880F-05FC-4D3B-A006-743F0F84911E" => "Linux RAID",
        "0657FD6D-A4AB-43C4-84E5-0933C84B4F4F" => "Linux swap",
        "E6D6D379-F507-44C2-A23C-238F2A3DF928" => "Linux LVM",
        "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709" => "Linux root (x86-64)",
        "B921B045-1DF0-41C3-AF44-4C6F280D3FAE" => "Linux root (ARM 64)",
        "933AC7E1-2EB4-4F13-B844-0E14E2AEF915" => "Linux home",
        "3B8F8425-20E0-4F3B-907F-1A25A76F98E8" => "Linux server data",
        "BC13C2FF-59E6-4262-A352-B275FD6F7172" => "Linux extended boot",
        "7FFEC5C9-2D00-49B7-8941-3EA10A5586B7" => "dm-crypt",
        "CA7D7CCB-63ED-4C53-861C-1742536059CC" => "LUKS",
        "48465300-0000-11AA-AA11-00306543ECAC" => "Apple HFS+",
        "7C3457EF-0000-11AA-AA11-00306543ECAC" => "Apple APFS",
        "53746F72-6167-11AA-AA11-00306543ECAC" => "Apple Core Storage (FileVault)",
        "55465300-0000-11AA-AA11-00306543ECAC" => "Apple UFS",
        "426F6F74-0000-11AA-AA11-00306543ECAC" => "Apple boot",
        "52414944-0000-11AA-AA11-00306543ECAC" => "Apple RAID",
        "6A898CC3-1DD2-11B2-99A6-080020736631" => "ZFS",
        "516E7CB4-6ECF-11D6-8FF8-00022D09712B" => "FreeBSD data",
        "516E7CB6-6ECF-11D6-8FF8-00022D09712B" => "FreeBSD UFS",
        "516E7CBA-6ECF-11D6-8FF8-00022D09712B" => "FreeBSD ZFS",
        "83BD6B9D-7F41-11DC-BE0B-001560B84F0F" => "FreeBSD boot",
        "FE3A2A5D-4F32-41A7-B725-ACCC3285A309" => "ChromeOS kernel",
        "3CB8E202-3B7E-47DD-8A3C-7FF2A13CFCEC" => "ChromeOS root",
        "AA31E02A-400F-11DB-9590-000C2911D1B8" => "VMware VMFS",
        _ => return guid,
    };
    name.into()
}

/// What a type GUID announces whose content cannot be read as a volume by itself.
pub(super) fn gpt_not_read(kind: &[u8; 16]) -> Option<&'static str> {
    match guid_text(kind).as_str() {
        "5808C8AA-7E8F-42E0-85D2-E1E90434CFB3" => Some("Windows dynamic disk metadata (LDM)"),
        "AF9B60A0-1431-4F62-BC68-3311714A69AD" => Some("Windows dynamic disk (LDM)"),
        "E75CAF8F-F680-4CEE-AFA3-B001E56EFC2D" => Some("Windows Storage Spaces"),
        "52414944-0000-11AA-AA11-00306543ECAC" => Some("Apple software RAID"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn guids_are_written_in_their_mixed_order() {
        let bytes = [0x28, 0x73, 0x2A, 0xC1, 0x1F, 0xF8, 0xD2, 0x11, 0xBA, 0x4B, 0x00, 0xA0, 0xC9, 0x3E, 0xC9, 0x3B];
        assert_eq!(super::gpt_type(&bytes), "EFI system");
        assert_eq!(super::gpt_type(&[1; 16]), "01010101-0101-0101-0101-010101010101");
    }
}
