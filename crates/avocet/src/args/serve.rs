//! Arguments of `avocet serve`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

/// `avocet serve`
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Where to listen; anything but this machine itself is for you to say
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8443")]
    pub listen: SocketAddr,
    /// The force's certificate in PEM (default: one of its own, made at the first start)
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// The key of that certificate in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// Folder with the `.derivatives` of the examinations, whose small pictures the review screen shows
    #[arg(long, value_name = "DIR")]
    pub pictures: Option<PathBuf>,
    /// Key file that opens them, or a folder of key files (default: the store's own keys)
    #[arg(long, value_name = "PATH")]
    pub picture_keys: Option<PathBuf>,
    /// Folder with sealed examinations that can be attached, and where those that are started here go
    #[arg(long, value_name = "DIR")]
    pub examinations: Option<PathBuf>,
    /// Folder with evidence sources that examinations can be started on here; nothing in it is written to
    #[arg(long, value_name = "DIR", requires = "examinations")]
    pub evidence: Option<PathBuf>,
    /// Folder with files of known sets that an administrator can import here
    #[arg(long, value_name = "DIR")]
    pub set_files: Option<PathBuf>,
    /// Folder that an administrator can back the store up to
    #[arg(long, value_name = "DIR")]
    pub backups: Option<PathBuf>,
    /// Minutes without use after which a person is signed out
    #[arg(long, value_name = "MINUTES", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=60))]
    pub idle_minutes: u32,
}
