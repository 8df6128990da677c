//! `avocet evidence`: look inside without examining.

use std::io::Write;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use avocet_base::{plural, size_text};
use avocet_evidence::container::{self, Detected};
use avocet_evidence::{
    Content, ContentRead, Entry, EntryKind, Evidence, FileSystem, Location, Note, Problem, Source, VisitResult,
    Visitor, Volume, VolumeState,
};
use avocet_examination::{Examination, FileFilter, ReadError};
use avocet_examine::{DigestVerdict, Wanted, check_image, digest_content};

use super::{load_known, open_evidence, split_place};
use crate::args::{Cat, Evidence as Verb, Global, Image, Inside, VerifyImage};
use crate::{Outcome, Refusal, access, output};

pub fn run(global: &Global, verb: &Verb) -> anyhow::Result<Outcome> {
    match verb {
        Verb::Tree(a) => tree(global, a),
        Verb::Ls(a) => ls(global, a),
        Verb::Stat(a) => stat(global, a),
        Verb::Cat(a) => cat(global, a),
        Verb::Verify(a) => verify(global, a),
    }
}

fn tree(global: &Global, args: &Image) -> anyhow::Result<Outcome> {
    let evidence = open_evidence(&args.evidence, &args.opening, None)?;
    if global.json {
        output::answer(&format!("{:#}", tree_json(&evidence)))?;
        return Ok(Outcome::Finished);
    }
    let mut text = match &evidence.container {
        Some(c) => format!(
            "{} · {} · {}\n",
            evidence.kind,
            size_text(c.source.len()),
            plural(c.segments.len() as u64, "segment", "segments")
        ),
        None => format!("{}\n", evidence.kind),
    };
    for v in &evidence.volumes {
        text.push_str(&format!("└─ {:<8} {:>14} +{:<10}  {}\n", v.name, v.start, size_text(v.length), describe(v)));
        v.layers.iter().for_each(|layer| text.push_str(&format!("   in {layer}\n")));
    }
    for (name, value) in &evidence.device {
        text.push_str(&format!("   {name}: {value}\n"));
    }
    let gaps: u64 = evidence.gaps.iter().map(|r| r.length).sum();
    if gaps > 0 {
        text.push_str(&format!("{} in no volume\n", size_text(gaps)));
    }
    for p in &evidence.problems {
        text.push_str(&format!("problem: {} {}: {}\n", p.layer, p.code, p.detail));
    }
    output::answer(&text)?;
    Ok(Outcome::Finished)
}

fn describe(v: &Volume) -> String {
    match &v.state {
        VolumeState::Read { fs, .. } => {
            let facts = fs.facts();
            let label = facts.label.as_ref().map_or_else(String::new, |l| format!(" “{l}”"));
            let clusters = match facts.cluster_size {
                0 => String::new(),
                size => format!(", clusters of {size} bytes"),
            };
            format!("{}{label}{clusters}", facts.kind)
        }
        VolumeState::NotRead { what, certain, detail } => {
            let detail = if detail.is_empty() { String::new() } else { format!(" ({detail})") };
            format!("{what}{}: recognised, not read{detail}", if *certain { "" } else { " (not certain)" })
        }
        VolumeState::Failed { what, error } => format!("{what}: cannot be opened: {error}"),
        VolumeState::Empty => "only zeros where sampled".to_owned(),
        VolumeState::Unknown => "nothing recognised".to_owned(),
    }
}

fn tree_json(evidence: &Evidence) -> serde_json::Value {
    serde_json::json!({
        "kind": evidence.kind,
        "size": evidence.source().map(|s| s.len()),
        "scheme": evidence.scheme,
        "volumes": evidence.volumes.iter().map(|v| serde_json::json!({
            "name": v.name,
            "start": v.start,
            "length": v.length,
            "type": v.type_name,
            "status": v.state.word(),
            "what": describe(v),
            "layers": v.layers,
        })).collect::<Vec<_>>(),
        "device": evidence.device.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect::<serde_json::Map<_, _>>(),
        "unpartitioned_bytes": evidence.gaps.iter().map(|r| r.length).sum::<u64>(),
        "problems": evidence.problems.iter().map(|p| format!("{} {}: {}", p.layer, p.code, p.detail)).collect::<Vec<_>>(),
    })
}

/// A place inside evidence: a volume that is read, and an absolute path in it.
struct Place<'e> {
    volume: &'e Volume,
    fs: &'e dyn FileSystem,
    source: &'e Arc<dyn Source>,
    path: String,
}

/// The volume and the path inside it that `VOLUME/PATH` or `/PATH` names.
fn place<'e>(evidence: &'e Evidence, path: &str) -> Result<Place<'e>, Refusal> {
    let (volume, path) = split_place(path);
    let read: Vec<&Volume> = evidence.volumes.iter().filter(|v| matches!(v.state, VolumeState::Read { .. })).collect();
    let names = || read.iter().map(|v| v.name.as_str()).collect::<Vec<_>>().join(", ");
    let chosen = match (volume, read.as_slice()) {
        (Some(volume), _) => match evidence.volumes.iter().find(|v| v.name == volume) {
            Some(found) if matches!(found.state, VolumeState::Read { .. }) => found,
            Some(found) => {
                let what = describe(found);
                return Err(Refusal(format!("volume {volume} cannot be looked into: {what}. There is: {}", names())));
            }
            None => return Err(Refusal(format!("no volume {volume} in this evidence; there is: {}", names()))),
        },
        (None, [only]) => *only,
        (None, []) => return Err(Refusal("no volume of this evidence is read; see `avocet evidence tree`".into())),
        (None, [first, ..]) => {
            return Err(Refusal(format!("say in which volume: {} (for example {}/…)", names(), first.name)));
        }
    };
    match &chosen.state {
        VolumeState::Read { fs, source } => Ok(Place { volume: chosen, fs: fs.as_ref(), source, path }),
        _ => Err(Refusal("that volume is not read".into())),
    }
}

/// Collects the entries that a test accepts.
struct Gather<F> {
    wanted: F,
    entries: Vec<Entry>,
    problems: usize,
}

impl<F: Fn(&Entry) -> bool> Visitor for Gather<F> {
    fn entry(&mut self, entry: Entry) -> VisitResult {
        if (self.wanted)(&entry) {
            self.entries.push(entry);
        }
        VisitResult::Continue(())
    }

    fn problem(&mut self, _: Problem) {
        self.problems += 1;
    }
}

/// The entries that a test accepts, and how many problems were met on the way.
pub fn gather(fs: &dyn FileSystem, wanted: impl Fn(&Entry) -> bool) -> anyhow::Result<(Vec<Entry>, usize)> {
    let mut found = Gather { wanted, entries: vec![], problems: 0 };
    fs.walk(&mut found)?;
    Ok((found.entries, found.problems))
}

fn ls(global: &Global, args: &Inside) -> anyhow::Result<Outcome> {
    let evidence = open_evidence(&args.evidence, &args.opening, None)?;
    let Place { fs, path, .. } = place(&evidence, &args.path)?;
    let folder = path.trim_end_matches('/').to_owned();
    let (mut entries, problems) =
        gather(fs, |e| e.path == folder || e.path.rsplit_once('/').is_some_and(|(parent, _)| parent == folder))?;
    entries.sort_by(|a, b| (&a.path, &a.stream, a.number).cmp(&(&b.path, &b.stream, b.number)));
    if entries.is_empty() && !folder.is_empty() {
        return Err(Refusal("nothing of that name there; see `avocet evidence ls` of the folder above".into()).into());
    }
    // A folder is asked for what it holds.
    entries.retain(|e| e.path != folder || e.kind != EntryKind::Directory || e.stream.is_some());
    if entries.is_empty() {
        if !global.quiet {
            output::remark("avocet: the folder is empty");
        }
        note_problems(global, problems);
        return Ok(Outcome::Finished);
    }
    let mut text = String::new();
    for e in &entries {
        if global.json {
            text.push_str(
                &serde_json::json!({
                    "path": e.path, "stream": e.stream, "kind": e.kind.as_str(), "state": e.state.as_str(),
                    "size": e.size, "modified": e.times.modified.map(|t| t.to_string()),
                })
                .to_string(),
            );
            text.push('\n');
            continue;
        }
        let modified = e.times.modified.map_or_else(String::new, |t| t.to_string());
        text.push_str(&format!(
            "{:<9} {:<9} {:>12}  {:<30} {}\n",
            e.kind.as_str(),
            e.state.as_str(),
            e.size,
            modified,
            e.full_path()
        ));
    }
    output::answer(&text)?;
    note_problems(global, problems);
    Ok(Outcome::Finished)
}

fn note_problems(global: &Global, problems: usize) {
    if problems > 0 && !global.quiet {
        output::remark(&format!(
            "avocet: {} met on the way; `avocet examine`, then `avocet list --problems`, shows each",
            plural(problems as u64, "problem was", "problems were")
        ));
    }
}

/// The one entry a path names: live before deleted where both are there.
fn find(fs: &dyn FileSystem, path: &str) -> anyhow::Result<Entry> {
    let (mut entries, _) = gather(fs, |e| e.full_path() == path)?;
    entries.sort_by_key(|e| (e.state, e.number));
    entries.into_iter().next().ok_or_else(|| {
        Refusal(
            "nothing of that name there; names with special characters are written as `avocet evidence ls` shows them"
                .into(),
        )
        .into()
    })
}

fn stat(global: &Global, args: &Inside) -> anyhow::Result<Outcome> {
    let evidence = open_evidence(&args.evidence, &args.opening, None)?;
    let Place { volume, fs, path, .. } = place(&evidence, &args.path)?;
    let e = find(fs, &path)?;
    let t = &e.times;
    let times = [
        ("created", t.created),
        ("modified", t.modified),
        ("accessed", t.accessed),
        ("changed", t.changed),
        ("deleted", t.deleted),
        ("name created", t.name_created),
        ("name modified", t.name_modified),
        ("name accessed", t.name_accessed),
        ("name changed", t.name_changed),
    ];
    let notes: Vec<String> = e.notes.iter().map(Note::to_string).collect();
    let unreadable = match &e.content {
        Content::Unreadable(reason) => Some(reason.to_string()),
        _ => None,
    };
    if global.json {
        let times: serde_json::Map<String, serde_json::Value> = times
            .iter()
            .filter_map(|(name, t)| t.map(|t| (name.replace(' ', "_"), format!("{t} ({})", t.zone).into())))
            .collect();
        let value = serde_json::json!({
            "volume": volume.name, "path": e.path, "stream": e.stream, "kind": e.kind.as_str(),
            "state": e.state.as_str(), "number": e.number, "size": e.size, "times": times, "notes": notes,
            "unreadable": unreadable,
            "extents": e.content.extents().iter().map(|x| serde_json::json!({
                "logical": x.logical, "length": x.length,
                "at": match x.location { Location::At(o) => Some(o), Location::Zero => None },
            })).collect::<Vec<_>>(),
        });
        output::answer(&format!("{value:#}"))?;
        return Ok(Outcome::Finished);
    }
    let mut text = format!(
        "Path       {}\nVolume     {}\nKind       {}\nState      {}\nNumber     {}\nSize       {} bytes\n",
        e.full_path(),
        volume.name,
        e.kind.as_str(),
        e.state.as_str(),
        e.number,
        e.size
    );
    for (name, stamp) in times {
        if let Some(stamp) = stamp {
            text.push_str(&format!("{name:<14} {stamp} ({})\n", stamp.zone));
        }
    }
    text.push_str(&format!("Times from {}\n", fs.facts().time_source));
    if let Some(reason) = unreadable {
        text.push_str(&format!("Content    {reason}\n"));
    }
    for note in notes {
        text.push_str(&format!("Note       {note}\n"));
    }
    for x in e.content.extents() {
        let at = match x.location {
            Location::At(o) => format!("at byte {o} of the volume"),
            Location::Zero => "zero by definition".to_owned(),
        };
        text.push_str(&format!("Extent     {} bytes from {}: {at}\n", x.length, x.logical));
    }
    output::answer(&text)?;
    Ok(Outcome::Finished)
}

/// What the check before showing a file found.
enum Check {
    NotChecked,
    Clean,
    Alerts,
}

fn check(global: &Global, args: &Cat, digests: &avocet_base::Digests, size: u64) -> anyhow::Result<Check> {
    if args.known.is_empty() && args.examination.is_none() {
        return Ok(Check::NotChecked);
    }
    let known = load_known(global, &args.known)?;
    let hits = known.lookup(digests, size).map_err(|e| Refusal(e.to_string()))?;
    let mut alerts = hits.iter().any(|h| h.alerts);
    if let Some(path) = &args.examination {
        let examination = Examination::open(path).map_err(|e| Refusal(e.to_string()))?;
        let alerting = FileFilter { alerting: true, ..FileFilter::default() };
        examination.files(&alerting, &mut |view| {
            alerts |= view.file.sha256 == Some(digests.sha256);
            Ok::<_, ReadError>(if alerts { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
    }
    Ok(if alerts { Check::Alerts } else { Check::Clean })
}

fn cat(global: &Global, args: &Cat) -> anyhow::Result<Outcome> {
    let evidence = open_evidence(&args.evidence, &args.opening, None)?;
    let Place { fs, source, path, .. } = place(&evidence, &args.path)?;
    let entry = find(fs, &path)?;
    if let Content::Unreadable(reason) = &entry.content {
        return Err(Refusal(reason.to_string()).into());
    }
    let Some(digests) = digest_content(&entry, source)? else {
        let what = if entry.kind == EntryKind::Directory { "a folder" } else { "nothing with content" };
        return Err(Refusal(format!("that is {what}; only a file's bytes can be written")).into());
    };
    let checked = match check(global, args, &digests, entry.size)? {
        Check::Alerts if args.reason.as_ref().is_none_or(|r| r.trim().is_empty()) => {
            return Err(Refusal(
                "this file matches a category that alerts. If it must be looked at, say why with --reason; the reason is logged".into(),
            )
            .into());
        }
        Check::Alerts => "matches a category that alerts",
        Check::Clean => "matches no category that alerts",
        Check::NotChecked => {
            if !global.quiet {
                output::remark(
                    "avocet: no known set was given, so this file was not checked (--known or --examination)",
                );
            }
            "not checked"
        }
    };
    access::log(global, &digests.sha256, entry.size, checked, args.reason.as_deref()).map_err(|e| {
        Refusal(format!("the access log cannot be written ({e}), so nothing is shown. Name a folder with --store"))
    })?;
    if let Some(mut reader) = entry.open(source)? {
        copy(&mut *reader)?;
    }
    Ok(Outcome::Finished)
}

fn copy(reader: &mut dyn ContentRead) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let n = reader.read(&mut buffer)?;
        if n == 0 {
            return out.flush().map_err(output::not_written);
        }
        out.write_all(buffer.get(..n).unwrap_or_default()).map_err(output::not_written)?;
    }
}

fn verify(global: &Global, args: &VerifyImage) -> anyhow::Result<Outcome> {
    let opened = match container::detect(&args.evidence).map_err(|e| Refusal(e.to_string()))? {
        Detected::Folder => {
            let advice = "a folder has no digest as a whole; `avocet examine` takes one of each file";
            return Err(Refusal(advice.into()).into());
        }
        Detected::Zip | Detected::Aff4Logical | Detected::Tar | Detected::AndroidBackup | Detected::Packed(_) => {
            container::open_as_raw(&args.evidence)
        }
        Detected::SevenZip => container::open_parts_as_raw(&args.evidence),
        _ => container::open(&args.evidence),
    }
    .map_err(|e| Refusal(e.to_string()))?;
    let wanted = if args.all_digests { Wanted::All } else { Wanted::Stored };
    let bar = crate::show::Bar::new(global.quiet, opened.source.len());
    let image = check_image(&opened, wanted, global.threads().get(), &AtomicBool::new(false), &bar);
    bar.finish();
    let Some(image) = image else { return Ok(Outcome::Unreadable) };
    let (stored_md5, stored_sha1) = opened.stored_digests();
    if global.json {
        let value = serde_json::json!({
            "verdict": image.verdict.as_str(), "bytes": image.bytes, "md5": image.md5, "sha1": image.sha1, "sha256": image.sha256,
            "stored_md5": stored_md5, "stored_sha1": stored_sha1,
            "damaged": image.damaged.iter().map(|r| [r.start, r.length]).collect::<Vec<_>>(),
        });
        output::answer(&format!("{value:#}"))?;
    } else {
        let mut text = format!("The whole image: {}.\n", image.verdict.as_str());
        for run in &image.damaged {
            text.push_str(&format!("Damaged: {} bytes from byte {}\n", run.length, run.start));
        }
        for (name, value) in [
            ("stored MD5", stored_md5.map(|d| d.to_string())),
            ("stored SHA-1", stored_sha1.map(|d| d.to_string())),
            ("MD5", image.md5.map(|d| d.to_string())),
            ("SHA-1", image.sha1.map(|d| d.to_string())),
            ("SHA-256", image.sha256.map(|d| d.to_string())),
        ] {
            if let Some(value) = value {
                text.push_str(&format!("{name:<13} {value}\n"));
            }
        }
        for p in &opened.problems {
            text.push_str(&format!("problem: {} {}: {}\n", p.layer, p.code, p.detail));
        }
        output::answer(&text)?;
    }
    Ok(if image.verdict == DigestVerdict::Differs { Outcome::Unreadable } else { Outcome::Finished })
}
