//! `avocet media`

mod list;
mod show;

use std::io::Read as _;
use std::path::{Path, PathBuf};

use avocet_base::Sha256;
use avocet_examination::Examination;
use avocet_examine::{Journal, Media};
use avocet_media::Decoders;
use avocet_media::derivative::{self, DerivativeError, KeyFile, Protector, Reader, Writer};

use crate::args::{Examine, Global, MediaVerb, WhichPicture};
use crate::commands::{PICTURE_WORKER, summary};
use crate::{Outcome, Refusal, access, output};

/// Under which name the result keeps what its small pictures are called.
const ID: &str = "small_pictures_id";
/// Holds a passphrase that opens small pictures, for those who want no key file.
pub const PASSPHRASE: &str = "AVOCET_PICTURE_PASSPHRASE";

pub fn run(global: &Global, verb: &MediaVerb) -> anyhow::Result<Outcome> {
    match verb {
        MediaVerb::List(a) => list::run(global, a),
        MediaVerb::Show(a) => show::run(global, a),
        MediaVerb::Similar(a) => show::similar(global, a),
        MediaVerb::Key { file } => {
            KeyFile::create(file).map_err(refuse)?;
            output::answer(&format!("Key written to {}. Whoever has it can open the small pictures.", file.display()))?;
            Ok(Outcome::Finished)
        }
        MediaVerb::Verify(a) => verify(global, a),
        MediaVerb::Destroy { examination, yes } => destroy(examination, *yes),
    }
}

fn refuse(error: DerivativeError) -> anyhow::Error {
    Refusal(error.to_string()).into()
}

/// Starts the workers.
fn workers(global: &Global, args: &Examine) -> anyhow::Result<Media> {
    let program = std::env::current_exe()?;
    let decoders = Decoders::start(&program, PICTURE_WORKER, global.threads().get(), args.allow_weaker_confinement)
        .map_err(|e| {
            Refusal(format!(
                "{e} (--allow-weaker-confinement decodes pictures all the same; --no-media leaves them out)"
            ))
        })?;
    let mut media = Media::new(decoders);
    media.radius = args.near;
    Ok(media)
}

/// What opens the small pictures of the examination that is named so; its own key where the user named none. That is
/// made where `begun` is not said, and loaded where it is.
fn protector(global: &Global, args: &Examine, name: &str, begun: bool) -> anyhow::Result<Protector> {
    match (&args.picture_key, std::env::var(PASSPHRASE)) {
        (Some(path), _) => Protector::key_file(path).map_err(refuse),
        (None, Ok(text)) if !text.is_empty() => Ok(Protector::passphrase(text)),
        _ => {
            let path = key_path(global, name)?;
            if begun {
                return KeyFile::load(&path).map(Protector::KeyFile).map_err(refuse);
            }
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            // Before the key is there: who stops this can then always destroy it.
            if args.progress_lines {
                output::remark(&serde_json::json!({"small_pictures": name}).to_string());
            }
            KeyFile::create(&path).map(Protector::KeyFile).map_err(refuse)
        }
    }
}

/// What an interim result at `interim` needs: workers that decode nothing, because how they are confined is part of what
/// the examination was begun with, and beside it an index of the small pictures that were stored so far.
pub fn prepare_interim(
    global: &Global,
    args: &Examine,
    interim: &Path,
    journal: &Journal,
    run: &mut Vec<(String, String)>,
) -> anyhow::Result<Media> {
    let media = workers(global, args)?;
    let store = derivative::store_path(&args.out);
    if !args.no_small_pictures
        && let Some(id) = begun(&store, journal)?
    {
        let name = Sha256(id).to_string();
        let protector = protector(global, args, &name, true)?;
        let stored = journal.stored().iter().copied();
        derivative::write_index(&store, &protector, stored, &derivative::store_path(interim)).map_err(refuse)?;
        run.push((ID.to_owned(), name));
    }
    Ok(media)
}

/// Starts the workers, and the store of small pictures where one is wanted.
pub fn prepare(
    global: &Global,
    args: &Examine,
    journal: &Journal,
    run: &mut Vec<(String, String)>,
) -> anyhow::Result<Media> {
    let mut media = workers(global, args)?;
    if !args.no_small_pictures {
        let store = derivative::store_path(&args.out);
        let begun = if journal.is_resumed() { begun(&store, journal)? } else { None };
        let mut id = begun.unwrap_or_default();
        if begun.is_none() {
            std::fs::File::open("/dev/urandom")?.read_exact(&mut id)?;
        }
        let name = Sha256(id).to_string();
        let protector = protector(global, args, &name, begun.is_some())?;
        media.derivatives = Some(match begun {
            Some(_) => {
                let stored = journal.stored().iter().copied();
                let (writer, stored) = Writer::resume(&store, &protector, stored).map_err(refuse)?;
                media.stored = stored;
                writer
            }
            None => Writer::create(&store, &protector, id).map_err(refuse)?,
        });
        run.push((ID.to_owned(), name));
    }
    Ok(media)
}

/// The store that an earlier run began; one of which not even the beginning was written is none.
fn begun(store: &Path, journal: &Journal) -> anyhow::Result<Option<[u8; 32]>> {
    match Writer::begun(store) {
        Err(DerivativeError::NotAStore { .. } | DerivativeError::Damaged { .. }) if journal.stored().is_empty() => {
            Ok(None)
        }
        found => found.map_err(refuse),
    }
}

/// Where the store keeps the key of an examination's small pictures.
fn key_path(global: &Global, id: &str) -> anyhow::Result<PathBuf> {
    let mut name = id.to_owned();
    name.push_str(".key");
    Ok(access::store(global)?.join("picture-keys").join(name))
}

/// Opens the small pictures of an examination.
fn small_pictures(
    global: &Global,
    path: &Path,
    examination: &Examination,
    key: Option<&Path>,
) -> anyhow::Result<Reader> {
    let runs = examination.runs()?;
    let Some((_, id)) = runs.iter().find(|(k, _)| k == ID) else {
        return Err(Refusal("no small pictures were made with this examination".to_owned()).into());
    };
    let protector = match (key, std::env::var(PASSPHRASE)) {
        (Some(key), _) => Protector::key_file(key).map_err(refuse)?,
        (None, Ok(text)) if !text.is_empty() => Protector::passphrase(text),
        _ => Protector::key_file(&key_path(global, id)?)
            .map_err(|e| Refusal(format!("{e}. Name the key with --picture-key FILE, or set {PASSPHRASE}")))?,
    };
    let reader = Reader::open(&derivative::store_path(path), &protector).map_err(refuse)?;
    if Sha256(reader.examination_id()).to_string() != *id {
        return Err(Refusal("the small pictures beside this examination belong to another one".to_owned()).into());
    }
    Ok(reader)
}

fn verify(global: &Global, args: &WhichPicture) -> anyhow::Result<Outcome> {
    let examination = summary::open(&args.examination)?;
    let reader = small_pictures(global, &args.examination, &examination, args.picture_key.as_deref())?;
    match reader.verify() {
        Ok(done) => {
            output::answer(&format!("{} small pictures open and are as they were stored.", done.items * 2))?;
            Ok(Outcome::Finished)
        }
        Err(e) => {
            output::answer(&format!("DAMAGED: {e}"))?;
            Ok(Outcome::Unreadable)
        }
    }
}

fn destroy(examination: &Path, yes: bool) -> anyhow::Result<Outcome> {
    let path = derivative::store_path(examination);
    if !yes {
        return Err(Refusal(format!(
            "this destroys the keys in {}: its small pictures can never be opened again. Add --yes if that is meant",
            path.display()
        ))
        .into());
    }
    let done = derivative::destroy(&path).map_err(refuse)?;
    output::answer(&format!("{} wrapped keys destroyed. {}", done.wrappings, derivative::NOT_COVERED))?;
    Ok(Outcome::Finished)
}
