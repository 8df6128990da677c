//! `avocet serve`

use std::path::{Path, PathBuf};
use std::time::Duration;

use avocet_media::derivative::Protector;
use avocet_record::store::Store;
use avocet_server::pictures::Pictures;
use avocet_server::{App, Files, Options, ServeError, Setup, serve};

use super::{load_law, refuse, unlock};
use crate::args::{Global, ServeArgs, Who};
use crate::{Outcome, Refusal, access, output};

/// What opens small pictures now. A key that cannot be read opens nothing, which is said when the server starts and an
/// examination has no tiles.
fn protectors(keys: &Path) -> Vec<Protector> {
    let files: Vec<PathBuf> = match keys.is_dir() {
        true => std::fs::read_dir(keys).into_iter().flatten().filter_map(Result::ok).map(|e| e.path()).collect(),
        false => vec![keys.to_owned()],
    };
    let mut protectors: Vec<Protector> = files.iter().filter_map(|file| Protector::key_file(file).ok()).collect();
    if let Ok(text) = std::env::var(crate::commands::media::PASSPHRASE)
        && !text.is_empty()
    {
        protectors.push(Protector::passphrase(text));
    }
    protectors
}

/// The small pictures in a folder, with what opens them.
fn pictures(folder: &Path, keys: &Path) -> anyhow::Result<Pictures> {
    // Said at once, where it can still be mended.
    if keys.is_file() {
        Protector::key_file(keys).map_err(|e| Refusal(e.to_string()))?;
    }
    let kept = keys.to_owned();
    let (pictures, refused) = Pictures::open(folder, Box::new(move || protectors(&kept))).map_err(|e| {
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

/// A folder that the server is started with, whole: what it does later must not depend on where it was started.
fn folder(named: Option<&PathBuf>, what: &str) -> anyhow::Result<Option<PathBuf>> {
    let refuse =
        |folder: &PathBuf, why: String| Refusal(format!("{} is no folder for {what}: {why}", folder.display()));
    let whole = named.map(|folder| match folder.canonicalize() {
        Ok(whole) if whole.is_dir() => Ok(whole),
        Ok(_) => Err(refuse(folder, "it is a file".to_owned())),
        Err(e) => Err(refuse(folder, format!("{e}; make it, or name another"))),
    });
    Ok(whole.transpose()?)
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
    let examinations = folder(args.examinations.as_ref(), "examinations")?;
    let own = dir.join("picture-keys");
    let keys = args.picture_keys.as_deref().unwrap_or(&own);
    // What is examined here leaves its small pictures beside it.
    let setup = Setup {
        pictures: match args.pictures.as_ref().or(examinations.as_ref()) {
            Some(folder) => pictures(folder, keys)?,
            None => Pictures::default(),
        },
        evidence: folder(args.evidence.as_ref(), "evidence sources")?,
        set_files: folder(args.set_files.as_ref(), "files of known sets")?,
        backups: folder(args.backups.as_ref(), "backups")?,
        program: std::env::current_exe()?,
        picture_key: keys.is_file().then(|| keys.canonicalize()).transpose()?,
        idle: Duration::from_secs(u64::from(args.idle_minutes).saturating_mul(60)),
        examinations,
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
        serve(App::with(store, law, setup), &options, told).await.map_err(|e: ServeError| Refusal(e.to_string()).into())
    });
    served.map(|()| Outcome::Finished)
}
