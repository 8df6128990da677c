//! `avocet serve`

use std::path::{Path, PathBuf};

use avocet_media::derivative::Protector;
use avocet_record::store::Store;
use avocet_server::pictures::Pictures;
use avocet_server::{App, Files, Options, ServeError, serve};

use super::{load_law, refuse, unlock};
use crate::args::{Global, ServeArgs, Who};
use crate::{Outcome, Refusal, access, output};

/// The small pictures in a folder, with what opens them.
fn pictures(folder: &Path, keys: &Path) -> anyhow::Result<Pictures> {
    let files: Vec<PathBuf> = match keys.is_dir() {
        true => std::fs::read_dir(keys)?.filter_map(Result::ok).map(|entry| entry.path()).collect(),
        false => vec![keys.to_owned()],
    };
    let mut protectors = vec![];
    for file in &files {
        protectors.push(Protector::key_file(file).map_err(|e| Refusal(e.to_string()))?);
    }
    if let Ok(text) = std::env::var(crate::commands::media::PASSPHRASE)
        && !text.is_empty()
    {
        protectors.push(Protector::passphrase(text));
    }
    let (pictures, refused) = Pictures::open(folder, &protectors).map_err(|e| {
        Refusal(format!("{} cannot be read: {e}; name the folder of the examinations", folder.display()))
    })?;
    output::remark(&format!(
        "Small pictures of {} are open.",
        avocet_base::plural(pictures.stores() as u64, "examination", "examinations")
    ));
    for why in refused {
        output::remark(&format!("Not opened, its contents have no tile: {why}"));
    }
    Ok(pictures)
}

pub fn run(global: &Global, args: &ServeArgs, who: &Who) -> anyhow::Result<Outcome> {
    let dir = access::store(global)?;
    let law = load_law(global, who)?;
    Store::checkpoint(&dir).map_err(refuse)?;
    let unlock = unlock(who)?;
    let certificate = match (&args.tls_cert, &args.tls_key) {
        (Some(certificate), Some(key)) => Some(Files { certificate: certificate.clone(), key: key.clone() }),
        _ => None,
    };
    let options = Options { listen: args.listen, certificate };
    let pictures = match &args.pictures {
        Some(folder) => {
            let own = dir.join("picture-keys");
            pictures(folder, args.picture_keys.as_deref().unwrap_or(&own))?
        }
        None => Pictures::default(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let served = runtime.block_on(async {
        let store = Store::open(&dir, &unlock).await.map_err(refuse)?;
        let told = |address: std::net::SocketAddr, print: Option<&str>| {
            let _ = output::answer(&format!("https://{address}/"));
            if let (Some(print), false) = (print, global.quiet) {
                output::remark(&format!(
                    "The certificate is the server's own; a browser asks once. Its SHA-256, to compare:\n{print}"
                ));
            }
            if !global.quiet && !address.ip().is_loopback() {
                output::remark("Others on the network can reach this server.");
            }
        };
        serve(App::with_pictures(store, law, pictures), &options, told)
            .await
            .map_err(|e: ServeError| Refusal(e.to_string()).into())
    });
    served.map(|()| Outcome::Finished)
}
