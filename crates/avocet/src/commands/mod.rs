//! One module a verb: parse what was given, call the library, print.

pub mod demo;
pub mod evidence;
pub mod examine;
pub mod key;
pub mod list;
pub mod media;
mod opening;
pub mod record;
pub mod rematch;
pub mod report;
pub mod schemes;
pub mod sets;
pub mod shell;
pub mod summary;
pub mod verify;

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use avocet_evidence::{Evidence, Source, VolumeState};
use avocet_examination::{Sealed, SigningKey};
use avocet_examine::{ExamineError, MediaKind};
use avocet_known::{KnownSets, KnownSpec, SchemeRef, SetRef};

use crate::args::{Global, Opening};
use crate::show::Counter;
use crate::{Outcome, Refusal, access, output};

/// Opens evidence; what the user can mend is a refusal. `beside` is where the result goes, if there is one.
fn open_evidence(path: &Path, how: &Opening, beside: Option<&Path>) -> anyhow::Result<Evidence> {
    let evidence = opening::open(path, how, beside)?;
    match evidence.source() {
        Some(source) if source.is_empty() => Err(Refusal(format!(
            "{} holds no bytes. Check that it was copied whole, or give another image",
            path.display()
        ))
        .into()),
        Some(source) => match no_image(&evidence, &**source)? {
            Some(what) => Err(Refusal(format!(
                "{} is no image of a disk: it is {what}, without partition table or file system. Give a disk image \
                 (raw, .E01), a zip or a folder; for a single file give the folder it lies in",
                path.display()
            ))
            .into()),
            None => Ok(evidence),
        },
        None => Ok(evidence),
    }
}

/// What a file plainly is, where it is no disk: nothing was recognised in it, and it begins like a picture, a video, an
/// archive or text, or is not a whole number of sectors long. A disk in which nothing is recognised is still examined.
fn no_image(evidence: &Evidence, source: &dyn Source) -> anyhow::Result<Option<&'static str>> {
    let [volume] = evidence.volumes.as_slice() else { return Ok(None) };
    let sectors = source.len().is_multiple_of(512);
    let nothing = match &volume.state {
        VolumeState::Unknown => true,
        // A picture looks as random as an encrypted disk, but a disk has whole sectors.
        VolumeState::NotRead { certain: false, .. } => !sectors,
        _ => false,
    };
    if evidence.kind != "raw" || !nothing || volume.length != source.len() {
        return Ok(None);
    }
    let mut head = vec![0; 4096.min(usize::try_from(source.len()).unwrap_or(4096))];
    source.read_at(0, &mut head)?;
    let text = std::str::from_utf8(&head).is_ok_and(|t| !t.contains(|c: char| c.is_control() && !c.is_whitespace()));
    let certain = matches!(volume.state, VolumeState::Unknown);
    Ok(match avocet_examine::sniff(&head) {
        Some((MediaKind::Picture, _)) => Some("a picture"),
        Some((MediaKind::Video, _)) => Some("a video"),
        Some((MediaKind::Archive, _)) => Some("an archive or compressed file"),
        None if text => Some("text"),
        // A cut copy of an encrypted disk is not whole either, and still worth an examination.
        None if certain && !sectors => Some("not a whole number of sectors long"),
        None => None,
    })
}

/// The volume and the path inside it that `VOLUME/PATH`, `VOLUME:/PATH` (as `avocet list` prints it) or `/PATH` names.
fn split_place(place: &str) -> (Option<&str>, String) {
    let (volume, inside) = place.split_once('/').unwrap_or((place, ""));
    let volume = volume.strip_suffix(':').unwrap_or(volume);
    ((!volume.is_empty()).then_some(volume), format!("/{}", inside.trim_matches('/')))
}

/// The argument with which this program starts itself as a confined worker.
pub const PICTURE_WORKER: &str = "--confined-picture-worker";

/// Opens the known sets named as `NAME`, `NAME@VERSION` or the path of a compiled set, and compiles those named as
/// `FILE=SCHEME`.
fn load_known(global: &Global, specs: &[String]) -> anyhow::Result<KnownSets> {
    let refuse = |e: avocet_known::KnownError| Refusal(e.to_string());
    let mut wanted = vec![];
    let mut versions = vec![];
    // An empty variable names no set.
    for spec in specs.iter().map(|s| s.trim()).filter(|s| !s.is_empty()) {
        if !spec.contains('=') && spec.parse::<SetRef>().is_ok() && !Path::new(spec).is_file() {
            let (set, path) = sets::find(&sets::store(global)?, spec)?;
            wanted.push(KnownSpec { path, scheme: SchemeRef::Inside });
            versions.push(set.version);
        } else {
            wanted.push(KnownSpec::parse(spec).map_err(refuse)?);
            versions.push(None);
        }
    }
    let counter = Counter::new(global.quiet);
    let loaded = KnownSets::load(&wanted, &mut |p| counter.show(&p));
    counter.finish();
    let mut known = loaded.map_err(refuse)?;
    for (id, version) in versions.into_iter().enumerate() {
        known.set_version(id, version);
    }
    Ok(known)
}

/// The key that signs a seal, where one was named.
fn signing_key(path: Option<&Path>) -> anyhow::Result<Option<SigningKey>> {
    Ok(path.map(avocet_examination::load_key).transpose().map_err(|e| Refusal(e.to_string()))?)
}

/// Facts of a run that the result digest does not cover.
fn run_facts(input: &Path, known: &[String]) -> Vec<(String, String)> {
    vec![
        ("tool".into(), format!("avocet {}", env!("CARGO_PKG_VERSION"))),
        ("started".into(), access::now()),
        ("user".into(), access::user()),
        ("input".into(), input.display().to_string()),
        ("known".into(), known.join("; ")),
    ]
}

/// A result that cannot be written where it was to go is the user's to mend.
fn refuse_unwritten(error: ExamineError) -> anyhow::Error {
    match error {
        ExamineError::Write(e) => Refusal(e.to_string()).into(),
        e => anyhow::Error::new(e),
    }
}

/// Prints what a new result says, and where it lies.
fn print_sealed(global: &Global, sealed: &Sealed, remark: Option<String>) -> anyhow::Result<()> {
    summary::print(global, &summary::open(&sealed.path)?)?;
    if !global.quiet && !global.json {
        remark.iter().for_each(|text| output::remark(text));
        output::remark(&format!("Sealed: {}", sealed.path.display()));
    }
    Ok(())
}

/// How a command that made a result ended.
fn outcome(alerting_files: u64, unreadable_parts: bool) -> Outcome {
    match (alerting_files, unreadable_parts) {
        (0, false) => Outcome::Finished,
        (0, true) => Outcome::Unreadable,
        _ => Outcome::Alerts,
    }
}

/// Refuses early what could only fail at the end: a result that is there, a folder that is not.
fn check_new(file: &Path, what: &str) -> Result<(), Refusal> {
    if file.symlink_metadata().is_ok() {
        return Err(Refusal(format!(
            "{} is already there. Choose another name for the {what}, or move it away; a {what} is never replaced",
            file.display()
        )));
    }
    let folder = file.parent().filter(|p| !p.as_os_str().is_empty());
    match folder {
        Some(folder) if !folder.is_dir() => Err(Refusal(format!(
            "there is no folder {} for the {what}. Make it, or choose another place",
            folder.display()
        ))),
        _ => Ok(()),
    }
}

/// Writes a new file whole, or leaves none. `mode` are its permissions before the umask.
fn write_new(path: &Path, bytes: &[u8], what: &str, mode: u32) -> Result<(), Refusal> {
    let refuse = |e: std::io::Error| {
        Refusal(format!(
            "cannot write the {what} {}: {e}. Free space or choose another place; nothing half-written was kept",
            path.display()
        ))
    };
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(mode).open(path).map_err(refuse)?;
    if let Err(e) = file.write_all(bytes).and_then(|()| file.sync_all()) {
        drop(file);
        let _ = std::fs::remove_file(path);
        return Err(refuse(e));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::split_place;

    #[test]
    fn a_place_is_read_as_it_is_printed() {
        assert_eq!(split_place("gpt:1:/DCIM/a.jpg"), (Some("gpt:1"), "/DCIM/a.jpg".into()));
        assert_eq!(split_place("gpt:1/DCIM/"), (Some("gpt:1"), "/DCIM".into()));
        assert_eq!(split_place("gpt:1"), (Some("gpt:1"), "/".into()));
        assert_eq!(split_place("/a:b/c"), (None, "/a:b/c".into()));
        assert_eq!(split_place("/"), (None, "/".into()));
    }
}
