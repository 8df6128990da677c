//! `avocet media list`: one line a file that is a picture, or the cameras, or the groups.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;

use avocet_base::Sha256;
use avocet_examination::{Examination, FileFilter, FileView, GroupRow, HashRow, NearRow, PictureView};

use crate::args::{Global, ListFormat, MediaList, StatusArg};
use crate::commands::summary;
use crate::{Outcome, output};

/// The columns of a table of pictures, in the order of CSV.
const COLUMNS: [&str; 25] = [
    "id",
    "path",
    "state",
    "md5",
    "sha1",
    "sha256",
    "kind",
    "width",
    "height",
    "images",
    "pdq",
    "pdq_quality",
    "status",
    "nearest_set",
    "nearest_record",
    "nearest_distance",
    "group",
    "make",
    "model",
    "serial",
    "taken",
    "lat",
    "lon",
    "thumbnail",
    "note",
];

/// Everything that does not depend on one file.
struct Shared {
    sets: BTreeMap<i64, String>,
    volumes: BTreeMap<i64, String>,
    /// The group that a picture is in, by its representative.
    groups: HashMap<i64, i64>,
}

impl Shared {
    fn of(examination: &Examination) -> anyhow::Result<Shared> {
        let groups = examination.groups()?.into_iter().map(|g: GroupRow| (g.member, g.representative)).collect();
        Ok(Shared {
            sets: examination.known_sets()?.into_iter().map(|s| (s.id, s.name)).collect(),
            volumes: examination.volumes()?.into_iter().map(|v| (v.id, v.label)).collect(),
            groups,
        })
    }
}

/// One file with the picture that its content is; `None` where pictures were not described.
struct Row<'a> {
    file: &'a FileView,
    picture: Option<&'a PictureView>,
    shared: &'a Shared,
}

impl Row<'_> {
    fn status(&self) -> StatusArg {
        let undecodable = self.picture.is_some_and(|p| p.picture.status == "undecodable");
        if !self.file.matches.is_empty() {
            StatusArg::Exact
        } else if self.picture.is_some_and(|p| !p.near.is_empty()) {
            StatusArg::Near
        } else if undecodable {
            StatusArg::Undecodable
        } else {
            StatusArg::Unknown
        }
    }

    fn nearest(&self) -> Option<&NearRow> {
        self.picture.and_then(|p| p.near.first())
    }

    fn hash(&self) -> Option<&HashRow> {
        self.picture.and_then(|p| p.hashes.iter().find(|h| h.form == "full"))
    }

    fn fact(&self, key: &str) -> Option<&str> {
        self.picture.and_then(|p| p.fact(key))
    }

    /// The time of taking with the zone that the same place states, if any.
    fn taken(&self) -> Option<String> {
        let facts = &self.picture?.facts;
        let taken = facts.iter().find(|f| f.key == "taken")?;
        let zone = facts.iter().find(|f| f.key == "taken-offset" && f.source == taken.source);
        Some(zone.map_or_else(|| taken.value.clone(), |z| format!("{}{}", taken.value, z.value)))
    }

    fn serial(&self) -> Option<&str> {
        self.fact("body-serial").or_else(|| self.fact("internal-serial"))
    }

    fn note(&self) -> String {
        let Some(picture) = self.picture else { return "not described".to_owned() };
        let p = &picture.picture;
        let mut parts = vec![];
        if p.status == "partial" {
            parts.push("partial".to_owned());
        }
        parts.extend(p.reason.clone());
        if p.thumbnail.as_deref() == Some("differs") {
            parts.push("its thumbnail shows something else".to_owned());
        }
        parts.extend((!self.file.file.note.is_empty()).then(|| self.file.file.note.clone()));
        parts.join("; ")
    }

    fn path(&self) -> String {
        let volume = self.shared.volumes.get(&self.file.file.volume).map_or("", String::as_str);
        format!("{volume}:{}", self.file.file.full_path())
    }

    fn json(&self) -> serde_json::Value {
        let f = &self.file.file;
        let image = self.picture.and_then(|p| p.images.first());
        let nearest = self.nearest().map(|n| {
            serde_json::json!({
                "set": self.shared.sets.get(&n.set_id), "record": n.record, "distance": n.distance,
                "category": n.category, "alerts": n.alerts, "form": n.form, "turn": n.turn,
            })
        });
        let group = self.picture.and_then(|p| self.shared.groups.get(&p.picture.file_id));
        let number = |key| self.fact(key).and_then(|v| v.parse::<f64>().ok());
        serde_json::json!({
            "id": f.id, "path": self.path(), "state": f.state, "md5": f.md5, "sha1": f.sha1, "sha256": f.sha256,
            "kind": self.picture.map_or(f.format.clone(), |p| Some(p.picture.kind.clone())),
            "width": image.map(|i| i.width), "height": image.map(|i| i.height),
            "images": self.picture.map(|p| p.images.len()),
            "pdq": self.hash().map(|h| h.pdq), "pdq_quality": self.hash().map(|h| h.quality),
            "status": word(self.status()), "decoded": self.picture.map(|p| &p.picture.status),
            "nearest": nearest, "group": group,
            "make": self.fact("make"), "model": self.fact("model"), "serial": self.serial(),
            "taken": self.taken(), "lat": number("gps-lat"), "lon": number("gps-lon"),
            "thumbnail": self.picture.and_then(|p| p.picture.thumbnail.as_ref()), "note": self.note(),
        })
    }

    fn cells(&self) -> Vec<String> {
        let value = self.json();
        let text = |value: &serde_json::Value| match value {
            serde_json::Value::Null => String::new(),
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let one = |name: &str| match name.strip_prefix("nearest_") {
            Some(part) => text(value.get("nearest").and_then(|n| n.get(part)).unwrap_or(&serde_json::Value::Null)),
            None => text(value.get(name).unwrap_or(&serde_json::Value::Null)),
        };
        COLUMNS.iter().map(|name| one(name)).collect()
    }
}

fn word(status: StatusArg) -> &'static str {
    match status {
        StatusArg::Exact => "exact",
        StatusArg::Near => "near",
        StatusArg::Unknown => "unknown",
        StatusArg::Undecodable => "undecodable",
    }
}

pub fn run(global: &Global, args: &MediaList) -> anyhow::Result<Outcome> {
    let examination = summary::open(&args.examination)?;
    let format = if global.json { ListFormat::Jsonl } else { args.format };
    let mut out = BufWriter::new(io::stdout().lock());
    let written = if args.cameras {
        cameras(&examination, format, &mut out)
    } else if args.groups {
        groups(&examination, format, &mut out)
    } else {
        pictures(&examination, args.status, format, &mut out)
    };
    written?;
    out.flush().map_err(output::not_written)?;
    Ok(Outcome::Finished)
}

fn pictures(
    examination: &Examination,
    status: Option<StatusArg>,
    format: ListFormat,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let shared = Shared::of(examination)?;
    // Files come in order, and a picture is named by the first file with its content.
    let mut first: HashMap<Sha256, i64> = HashMap::new();
    if format == ListFormat::Csv {
        write_csv(out, COLUMNS)?;
    }
    if format == ListFormat::Table {
        writeln!(out, "{:>8} {:<11} {:<8} {:>11} {:>4} {:<20} PATH", "ID", "STATUS", "KIND", "PIXELS", "PDQ", "TAKEN")
            .map_err(output::not_written)?;
    }
    examination.files(&FileFilter::default(), &mut |view: FileView| -> anyhow::Result<ControlFlow<()>> {
        if view.file.media.as_deref() != Some("picture") {
            return Ok(ControlFlow::Continue(()));
        }
        let first = view.file.sha256.map(|d| *first.entry(d).or_insert(view.file.id));
        let picture = match first {
            Some(first) => examination.picture(first)?,
            None => None,
        };
        let row = Row { file: &view, picture: picture.as_ref(), shared: &shared };
        if status.is_some_and(|s| s != row.status()) {
            return Ok(ControlFlow::Continue(()));
        }
        let line = match format {
            ListFormat::Jsonl => row.json().to_string(),
            ListFormat::Table => table(&row),
            ListFormat::Csv => {
                write_csv(out, row.cells())?;
                return Ok(ControlFlow::Continue(()));
            }
        };
        writeln!(out, "{line}").map_err(output::not_written)?;
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(())
}

/// Writes one line of comma-separated values.
fn write_csv<T: AsRef<[u8]>>(out: &mut impl Write, cells: impl IntoIterator<Item = T>) -> anyhow::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(cells)?;
    csv.flush().map_err(output::not_written)
}

fn table(row: &Row<'_>) -> String {
    let image = row.picture.and_then(|p| p.images.first());
    let pixels = image.map_or_else(|| "-".to_owned(), |i| format!("{}x{}", i.width, i.height));
    let quality = row.hash().map_or_else(|| "-".to_owned(), |h| h.quality.to_string());
    let kind = row.picture.map_or("-", |p| &p.picture.kind);
    let taken = row.taken().unwrap_or_else(|| "-".to_owned());
    let mut line = format!(
        "{:>8} {:<11} {kind:<8} {pixels:>11} {quality:>4} {taken:<20} {}",
        row.file.file.id,
        word(row.status()),
        row.path()
    );
    if let Some(n) = row.nearest() {
        let set = row.shared.sets.get(&n.set_id).map_or("", String::as_str);
        line.push_str(&format!("  [near set {set} {} by {} bits]", n.record, n.distance));
    }
    if let Some(group) = row.picture.and_then(|p| row.shared.groups.get(&p.picture.file_id)) {
        line.push_str(&format!("  [group {group}]"));
    }
    let note = row.note();
    if !note.is_empty() {
        line.push_str(&format!("  ({note})"));
    }
    line
}

fn cameras(examination: &Examination, format: ListFormat, out: &mut impl Write) -> anyhow::Result<()> {
    type Camera = (String, String, String, String);
    let mut cameras: BTreeMap<Camera, u64> = BTreeMap::new();
    examination.pictures(&mut |view: PictureView| {
        let text = |key: &str| view.fact(key).unwrap_or_default().to_owned();
        let (serial, kind) = match (view.fact("body-serial"), view.fact("internal-serial")) {
            (Some(serial), _) => (serial.to_owned(), "body".to_owned()),
            (None, Some(serial)) => (serial.to_owned(), "maker's own".to_owned()),
            (None, None) => (String::new(), String::new()),
        };
        let camera = (text("make"), text("model"), serial, kind);
        if !(camera.0.is_empty() && camera.1.is_empty() && camera.2.is_empty()) {
            *cameras.entry(camera).or_default() += 1;
        }
        Ok::<_, anyhow::Error>(ControlFlow::Continue(()))
    })?;
    let mut rows: Vec<_> = cameras.into_iter().collect();
    rows.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    if format == ListFormat::Csv {
        write_csv(out, ["make", "model", "serial", "serial_kind", "pictures"])?;
        for ((make, model, serial, kind), n) in rows {
            write_csv(out, [make, model, serial, kind, n.to_string()])?;
        }
        return Ok(());
    }
    if rows.is_empty() && format == ListFormat::Table {
        writeln!(out, "No picture names a camera.").map_err(output::not_written)?;
    }
    for ((make, model, serial, kind), n) in rows {
        let line = match format {
            ListFormat::Jsonl => serde_json::json!({
                "make": make, "model": model, "serial": serial, "serial_kind": kind, "pictures": n,
            })
            .to_string(),
            _ => {
                let serial = if serial.is_empty() { String::new() } else { format!("  serial {serial} ({kind})") };
                format!("{n:>8}  {make} {model}{serial}")
            }
        };
        writeln!(out, "{line}").map_err(output::not_written)?;
    }
    Ok(())
}

fn groups(examination: &Examination, format: ListFormat, out: &mut impl Write) -> anyhow::Result<()> {
    let rows = examination.groups()?;
    if format == ListFormat::Csv {
        writeln!(out, "group,member,distance").map_err(output::not_written)?;
    }
    if rows.is_empty() && format == ListFormat::Table {
        writeln!(out, "No two pictures look the same.").map_err(output::not_written)?;
    }
    for group in rows.chunk_by(|a, b| a.representative == b.representative) {
        let Some(first) = group.first() else { continue };
        let lines: Vec<String> = match format {
            ListFormat::Jsonl => vec![
                serde_json::json!({
                    "group": first.representative,
                    "members": group.iter().map(|m| serde_json::json!({
                        "picture": m.member, "distance": m.distance,
                    })).collect::<Vec<_>>(),
                })
                .to_string(),
            ],
            ListFormat::Csv => {
                group.iter().map(|m| format!("{},{},{}", m.representative, m.member, m.distance)).collect()
            }
            ListFormat::Table => {
                let others: Vec<String> =
                    group.iter().skip(1).map(|m| format!("{} ({} bits)", m.member, m.distance)).collect();
                vec![format!(
                    "{:>8} and {} that look the same: {}",
                    first.representative,
                    others.len(),
                    others.join(", ")
                )]
            }
        };
        for line in lines {
            writeln!(out, "{line}").map_err(output::not_written)?;
        }
    }
    Ok(())
}
