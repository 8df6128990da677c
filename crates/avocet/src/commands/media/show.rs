//! `avocet media show` and `avocet media similar`

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use avocet_base::{PdqHash, Sha256, plural};
use avocet_examination::{Examination, FileFilter, FileView, PictureView};
use avocet_examine::usable;
use avocet_media::derivative::Kind;

use super::{refuse, small_pictures};
use crate::args::{Global, MediaShow, MediaSimilar, SmallArg};
use crate::commands::{check_new, summary};
use crate::{Outcome, Refusal, access, output};

/// The files of one content and what is said of it.
struct Found {
    files: Vec<FileView>,
    picture: Option<PictureView>,
}

/// The picture that a file's number or a SHA-256 names.
fn find(examination: &Examination, wanted: &str) -> anyhow::Result<Found> {
    let mut sha256: Option<Sha256> = wanted.parse().ok();
    if sha256.is_none() {
        let id: i64 = wanted.parse().map_err(|_| {
            Refusal(format!("`{wanted}` is neither the number of a file nor a SHA-256; `avocet media list` shows both"))
        })?;
        examination.files(&FileFilter { after: Some(id.saturating_sub(1)), ..FileFilter::default() }, &mut |view| {
            if view.file.id == id {
                sha256 = view.file.sha256;
            }
            Ok::<_, anyhow::Error>(ControlFlow::Break(()))
        })?;
    }
    let Some(sha256) = sha256 else {
        return Err(Refusal(format!("there is no file {wanted} with a readable content in this examination")).into());
    };
    let mut files = vec![];
    examination.files(&FileFilter::default(), &mut |view| {
        if view.file.sha256 == Some(sha256) {
            files.push(view);
        }
        Ok::<_, anyhow::Error>(ControlFlow::Continue(()))
    })?;
    let Some(first) = files.first() else {
        return Err(Refusal("no file of this examination has that content".to_owned()).into());
    };
    let picture = examination.picture(first.file.id)?;
    Ok(Found { files, picture })
}

pub fn run(global: &Global, args: &MediaShow) -> anyhow::Result<Outcome> {
    let examination = summary::open(&args.examination)?;
    let found = find(&examination, &args.picture)?;
    if let (Some(small), Some(out)) = (args.small, &args.out) {
        return write_small(global, args, &examination, &found, small, out);
    }
    let groups = examination.groups()?;
    let group = found.picture.as_ref().and_then(|p| {
        let member = groups.iter().find(|g| g.member == p.picture.file_id)?;
        Some(groups.iter().filter(|g| g.representative == member.representative).collect::<Vec<_>>())
    });
    let sets: BTreeMap<i64, String> = examination.known_sets()?.into_iter().map(|s| (s.id, s.name)).collect();
    if global.json {
        let value = serde_json::json!({
            "files": found.files, "picture": found.picture, "group": group, "sets": sets,
        });
        output::answer(&serde_json::to_string_pretty(&value)?)?;
    } else {
        output::answer(&text(&found, group.as_deref(), &sets))?;
    }
    Ok(Outcome::Finished)
}

fn text(found: &Found, group: Option<&[&avocet_examination::GroupRow]>, sets: &BTreeMap<i64, String>) -> String {
    let mut out = String::new();
    let mut line = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    let set = |id: i64| sets.get(&id).map_or("", String::as_str);
    if let Some(first) = found.files.first() {
        line(format!("SHA-256  {}", first.file.sha256.map_or_else(String::new, |d| d.to_string())));
        for m in &first.matches {
            let alert = if m.alerts { "ALERT " } else { "" };
            let meaning = m.meaning.as_deref().map_or_else(String::new, |m| format!(" ({m})"));
            let category = m.category.as_deref().unwrap_or("none");
            line(format!(
                "{alert}Known: set {} {} by {}, category {category}{meaning}",
                set(m.set_id),
                m.record,
                m.basis
            ));
        }
    }
    line(format!("\n{}", plural(found.files.len() as u64, "file holds it", "files hold it")));
    for f in &found.files {
        line(format!("  {:>8}  {:<9}  {}", f.file.id, f.file.state, f.file.full_path()));
    }
    let Some(p) = &found.picture else {
        line("\nIt is no picture, or pictures were not described in this examination.".to_owned());
        return out;
    };
    let reason = p.picture.reason.as_deref().map_or_else(String::new, |r| format!(": {r}"));
    line(format!("\nPicture  {} {}{reason}", p.picture.kind, p.picture.status));
    if let Some(o) = p.picture.orientation {
        line(format!("  to be turned for a look: EXIF orientation {o}"));
    }
    if let Some(t) = &p.picture.thumbnail {
        line(format!("  embedded thumbnail: {t}"));
    }
    for (number, i) in p.images.iter().enumerate() {
        let partial = i.partial.as_deref().map_or_else(String::new, |w| format!(", PARTIAL: {w}"));
        line(format!("  image {number}: {} {}x{} by {}{partial}", i.role, i.width, i.height, i.decoder));
    }
    for h in &p.hashes {
        let low = if !usable(h) { " (too little detail to be compared)" } else { "" };
        line(format!("  image {} PDQ {} quality {}{low}, form {}, from {}", h.image, h.pdq, h.quality, h.form, h.path));
    }
    if !p.near.is_empty() {
        line("\nNear matches. A score is not proof: someone has to look.".to_owned());
    }
    for n in &p.near {
        let alert = if n.alerts { "ALERT " } else { "" };
        let category = n.category.as_deref().unwrap_or("none");
        let turned = if n.turn > 0 { ", turned" } else { "" };
        line(format!(
            "  {alert}set {} {} by {} bits{turned}, category {category}",
            set(n.set_id),
            n.record,
            n.distance
        ));
    }
    if let Some(group) = group {
        line("\nLooks the same as".to_owned());
        for g in group.iter().filter(|g| g.member != p.picture.file_id) {
            line(format!("  picture {} ({} bits from picture {})", g.member, g.distance, g.representative));
        }
    }
    if !p.facts.is_empty() {
        line("\nWhat its metadata state".to_owned());
    }
    for f in &p.facts {
        line(format!("  {:<24} {}  [{}]", f.key, f.value, f.source));
    }
    out
}

fn write_small(
    global: &Global,
    args: &MediaShow,
    examination: &Examination,
    found: &Found,
    small: SmallArg,
    out: &std::path::Path,
) -> anyhow::Result<Outcome> {
    check_new(out, "small picture")?;
    let Some(sha256) = found.files.first().and_then(|f| f.file.sha256) else {
        return Err(Refusal("it has no content".to_owned()).into());
    };
    if small == SmallArg::Clear && args.reason.as_deref().is_none_or(|r| r.trim().is_empty()) {
        return Err(Refusal(
            "the clear picture is written only with --reason TEXT, which the access log keeps; the veiled one needs none"
                .to_owned(),
        )
        .into());
    }
    let reader = small_pictures(global, &args.examination, examination, args.picture_key.as_deref())?;
    let (kind, word) = match small {
        SmallArg::Veiled => (Kind::Veiled, "small picture, veiled"),
        SmallArg::Clear => (Kind::Clear, "small picture, clear"),
    };
    let Some(bytes) = reader.get(&sha256, kind).map_err(refuse)? else {
        return Err(Refusal("no small picture was made of it: it could not be decoded".to_owned()).into());
    };
    access::log(global, &sha256, bytes.len() as u64, word, args.reason.as_deref())?;
    std::fs::write(out, bytes)?;
    Ok(Outcome::Finished)
}

pub fn similar(global: &Global, args: &MediaSimilar) -> anyhow::Result<Outcome> {
    let examination = summary::open(&args.examination)?;
    let (own, forms) = match args.picture.strip_prefix("pdq:") {
        Some(hex) => {
            let hash: PdqHash = hex.parse().map_err(|e| Refusal(format!("`{hex}` is no PDQ hash: {e}")))?;
            (None, vec![hash])
        }
        None => {
            let found = find(&examination, &args.picture)?;
            let picture = found.picture.ok_or_else(|| Refusal("it is no picture that was described".to_owned()))?;
            let usable = picture.hashes.iter().filter(|h| usable(h));
            let forms: Vec<PdqHash> = usable.flat_map(|h| std::iter::once(h.pdq).chain(h.turned)).collect();
            if forms.is_empty() {
                return Err(Refusal(
                    "it shows too little detail to be compared, or could not be decoded whole".to_owned(),
                )
                .into());
            }
            (Some(picture.picture.file_id), forms)
        }
    };
    let mut rows = vec![];
    let (mut compared, mut left_out) = (0u64, 0u64);
    examination.pictures(&mut |view: PictureView| {
        let hashes: Vec<_> = view.hashes.iter().filter(|h| usable(h)).collect();
        compared += u64::from(!hashes.is_empty());
        left_out += u64::from(hashes.is_empty());
        let nearest = hashes.iter().flat_map(|h| forms.iter().map(|f| f.distance(&h.pdq))).min();
        if let Some(distance) = nearest.filter(|d| *d <= args.radius && Some(view.picture.file_id) != own) {
            rows.push((distance, view.picture.file_id));
        }
        Ok::<_, anyhow::Error>(ControlFlow::Continue(()))
    })?;
    rows.sort_unstable();
    if global.json {
        let list: Vec<_> = rows.iter().map(|(d, id)| serde_json::json!({"picture": id, "distance": d})).collect();
        let value = serde_json::json!({"similar": list, "compared": compared, "not_comparable": left_out});
        output::answer(&serde_json::to_string_pretty(&value)?)?;
        return Ok(Outcome::Finished);
    }
    let mut text = String::new();
    if left_out > 0 {
        text.push_str(&format!(
            "Not compared: {} with too little detail or not decoded.\n",
            plural(left_out, "picture", "pictures")
        ));
    }
    for (distance, id) in &rows {
        text.push_str(&format!("{distance:>4} bits  picture {id}\n"));
    }
    text.push_str(&format!(
        "{} of {} within {} bits. A score is not proof: someone has to look.",
        rows.len(),
        plural(compared, "picture", "pictures"),
        args.radius
    ));
    output::answer(&text)?;
    Ok(Outcome::Finished)
}
