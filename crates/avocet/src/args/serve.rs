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
}
