//! The server's certificate: the force's, or one of its own that is made at the first start and kept in the store.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use axum_server::tls_rustls::RustlsConfig;

/// Where the certificate and its key lie, in PEM.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// The certificate, with what stands between it and an authority.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// The certificate that these files hold.
pub async fn load(files: &Certificate) -> io::Result<RustlsConfig> {
    RustlsConfig::from_pem_file(&files.certificate, &files.key).await
}

/// The server's own certificate, made where there is none, and the SHA-256 of it as browsers show it.
pub async fn own(store: &Path) -> io::Result<(RustlsConfig, String)> {
    let (certificate, key) = (store.join("server.crt"), store.join("server.key"));
    if !key.try_exists()? || !certificate.try_exists()? {
        make(&certificate, &key)?;
    }
    let (certificate, key) = (std::fs::read(&certificate)?, std::fs::read(&key)?);
    let print = avocet_record::digest(&certificate).to_string().to_uppercase();
    let pairs: Vec<String> = print.chars().collect::<Vec<_>>().chunks(2).map(|pair| pair.iter().collect()).collect();
    Ok((RustlsConfig::from_der(vec![certificate], key).await?, pairs.join(":")))
}

fn make(certificate: &Path, key: &Path) -> io::Result<()> {
    let failed = |e: rcgen::Error| io::Error::other(e.to_string());
    let pair = rcgen::KeyPair::generate().map_err(failed)?;
    let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let mut params = rcgen::CertificateParams::new(names).map_err(failed)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(rcgen::DnType::CommonName, "Avocet on this machine");
    params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    let made = params.self_signed(&pair).map_err(failed)?;
    write(key, &pair.serialize_der(), 0o600)?;
    write(certificate, made.der(), 0o644)
}

/// Writes beside and renames: a start that is cut off leaves no half of a key.
fn write(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let beside = path.with_extension("new");
    let _ = std::fs::remove_file(&beside);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&beside, path)
}
