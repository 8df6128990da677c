//! What evidence is opened with, for every verb that opens it.

use std::path::PathBuf;

use clap::Args;

/// Options of every verb that opens evidence.
#[derive(Debug, Args)]
pub struct Opening {
    /// File with the password of a protected backup or encrypted volume, of BitLocker also its recovery key of 48 digits,
    /// such as /dev/fd/3 (default: asked for at the terminal)
    #[arg(long, value_name = "FILE")]
    pub evidence_password_file: Option<PathBuf>,
    /// Key file of an encrypted volume, taken as it is (may be repeated: VeraCrypt takes all of them together); of BitLocker
    /// its startup key (.BEK) or the text file with its recovery key
    #[arg(long, value_name = "FILE")]
    pub evidence_key_file: Vec<PathBuf>,
    /// PIM of a VeraCrypt volume, where one was chosen
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=2_147_468))]
    pub veracrypt_pim: Option<u32>,
    /// Folder for what has to be unpacked, encrypted and without a name (default: beside the result, else the
    /// system's temporary folder)
    #[arg(long, value_name = "DIR")]
    pub scratch: Option<PathBuf>,
}
