//! `avocet list`: one line a file, in the order of the examination.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;
use std::rc::Rc;

use avocet_base::{Stamp, Zone};
use avocet_examination::{Examination, FileFilter, FileView, ReadError, VolumeRow};

use crate::args::{Global, List, ListFormat, StateArg};
use crate::{Outcome, Refusal, output};

/// The columns, in the order of every format.
const COLUMNS: [&str; 17] = [
    "id",
    "path",
    "volume",
    "state",
    "kind",
    "stream",
    "size",
    "md5",
    "sha1",
    "sha256",
    "modified",
    "created",
    "media",
    "matches",
    "original_path",
    "unreadable",
    "note",
];

struct Row {
    view: FileView,
    volume: String,
    /// The sets' names by number.
    sets: Rc<BTreeMap<i64, String>>,
}

impl Row {
    fn time(&self, ns: Option<i64>) -> String {
        let zone = if self.view.file.zone == "local" { Zone::Local } else { Zone::Utc };
        ns.map_or_else(String::new, |ns| Stamp { ns, zone }.to_string())
    }

    fn set_name(&self, id: i64) -> &str {
        self.sets.get(&id).map_or("", String::as_str)
    }

    fn matches(&self) -> Vec<String> {
        let one = |m: &avocet_examination::MatchRow| {
            format!(
                "set {} record {} category {} by {}",
                self.set_name(m.set_id),
                m.record,
                m.category.as_deref().unwrap_or("none"),
                m.basis
            )
        };
        self.view.matches.iter().map(one).collect()
    }

    fn cells(&self) -> [String; 17] {
        let f = &self.view.file;
        let text = |v: Option<String>| v.unwrap_or_default();
        [
            f.id.to_string(),
            f.path.clone(),
            self.volume.clone(),
            f.state.clone(),
            f.kind.clone(),
            text(f.stream.clone()),
            f.size.to_string(),
            text(f.md5.map(|d| d.to_string())),
            text(f.sha1.map(|d| d.to_string())),
            text(f.sha256.map(|d| d.to_string())),
            self.time(f.modified),
            self.time(f.created),
            text(f.media.clone()),
            self.matches().join("; "),
            text(self.view.original.as_ref().map(|o| o.original_path.clone())),
            text(f.unreadable.clone()),
            f.note.clone(),
        ]
    }

    fn json(&self) -> serde_json::Value {
        let f = &self.view.file;
        let time = |ns: Option<i64>| ns.map(|_| self.time(ns));
        serde_json::json!({
            "id": f.id, "path": f.path, "volume": self.volume, "state": f.state, "kind": f.kind, "stream": f.stream,
            "size": f.size, "md5": f.md5, "sha1": f.sha1, "sha256": f.sha256,
            "modified": time(f.modified), "created": time(f.created), "accessed": time(f.accessed),
            "changed": time(f.changed), "deleted": time(f.deleted), "zone": f.zone,
            "media": f.media, "format": f.format,
            "matches": self.view.matches.iter().map(|m| serde_json::json!({
                "set": m.set_id, "set_name": self.set_name(m.set_id), "record": m.record, "basis": m.basis, "category": m.category, "meaning": m.meaning,
                "alerts": m.alerts, "hides": m.hides, "series": m.series,
            })).collect::<Vec<_>>(),
            "original_path": self.view.original.as_ref().map(|o| &o.original_path),
            "unreadable": f.unreadable, "note": f.note,
        })
    }
}

enum Sink<W: Write> {
    Json(W),
    Csv(Box<csv::Writer<W>>),
    Table(W),
}

impl<W: Write> Sink<W> {
    fn new(format: ListFormat, mut out: W) -> io::Result<Self> {
        Ok(match format {
            ListFormat::Jsonl => Self::Json(out),
            ListFormat::Csv => {
                let mut csv = csv::Writer::from_writer(out);
                csv.write_record(COLUMNS)?;
                Self::Csv(Box::new(csv))
            }
            ListFormat::Table => {
                writeln!(out, "{:<9} {:>12}  {:<20} {:<64} PATH", "STATE", "SIZE", "MODIFIED", "SHA-256")?;
                Self::Table(out)
            }
        })
    }

    fn row(&mut self, row: &Row) -> io::Result<()> {
        match self {
            Self::Json(out) => writeln!(out, "{}", row.json()),
            Self::Csv(csv) => Ok(csv.write_record(row.cells())?),
            Self::Table(out) => {
                let f = &row.view.file;
                let seconds: String = row.time(f.modified).chars().take(19).collect();
                let digest = f.sha256.map_or_else(|| "-".to_owned(), |d| d.to_string());
                write!(
                    out,
                    "{:<9} {:>12}  {:<20} {:<64} {}:{}",
                    f.state,
                    f.size,
                    seconds,
                    digest,
                    row.volume,
                    f.full_path()
                )?;
                let matches = row.matches();
                if !matches.is_empty() {
                    write!(out, "  [{}]", matches.join("; "))?;
                }
                if let Some(reason) = &f.unreadable {
                    write!(out, "  ({reason})")?;
                }
                if !f.note.is_empty() {
                    write!(out, "  ({})", f.note)?;
                }
                writeln!(out)
            }
        }
    }

    fn finish(self) -> io::Result<()> {
        match self {
            Self::Json(mut out) | Self::Table(mut out) => out.flush(),
            Self::Csv(mut csv) => csv.flush(),
        }
    }
}

fn state_word(state: StateArg) -> &'static str {
    match state {
        StateArg::Allocated => "allocated",
        StateArg::Deleted => "deleted",
        StateArg::Orphan => "orphan",
        StateArg::Carved => "carved",
        StateArg::Embedded => "embedded",
    }
}

/// The filter that the options ask for.
fn filter(args: &List, volumes: &[VolumeRow]) -> Result<FileFilter, Refusal> {
    let (volume, under) = args.under.as_deref().map_or((None, None), |p| {
        let (volume, path) = super::split_place(p);
        (volume, Some(path))
    });
    let volume = match volume {
        None => None,
        Some(label) => Some(volumes.iter().find(|v| v.label == label).map(|v| v.id).ok_or_else(|| {
            let there: Vec<&str> = volumes.iter().map(|v| v.label.as_str()).collect();
            Refusal(format!(
                "--under: no volume {label} in this examination; there is: {}. A path in every volume begins with /",
                there.join(", ")
            ))
        })?),
    };
    Ok(FileFilter {
        state: args.state.map(|s| state_word(s).to_owned()),
        matched: args.matched,
        alerting: args.alerting,
        under,
        volume,
        ..FileFilter::default()
    })
}

/// Prints the files and returns how many there were.
fn print(examination: &Examination, args: &List, format: ListFormat) -> anyhow::Result<u64> {
    let volumes = examination.volumes()?;
    let sets = Rc::new(examination.known_sets()?.into_iter().map(|s| (s.id, s.name)).collect::<BTreeMap<_, _>>());
    let filter = filter(args, &volumes)?;
    let mut sink = Sink::new(format, BufWriter::new(io::stdout().lock())).map_err(output::not_written)?;
    let (mut failed, mut count) = (None, 0u64);
    examination.files(&filter, &mut |view| {
        let volume = volumes.iter().find(|v| v.id == view.file.volume).map_or_else(String::new, |v| v.label.clone());
        count += 1;
        Ok::<_, ReadError>(match sink.row(&Row { view, volume, sets: Rc::clone(&sets) }) {
            Ok(()) => ControlFlow::Continue(()),
            Err(e) => {
                failed = Some(e);
                ControlFlow::Break(())
            }
        })
    })?;
    match failed.map_or_else(|| sink.finish(), Err) {
        Ok(()) => Ok(count),
        Err(e) => Err(output::not_written(e)),
    }
}

/// One line a problem: what could not be read, where and why.
fn problems(examination: &Examination, format: ListFormat) -> anyhow::Result<u64> {
    let (volumes, rows) = (examination.volumes()?, examination.problems()?);
    let volume = |id: Option<i64>| volumes.iter().find(|v| Some(v.id) == id).map_or("", |v| v.label.as_str());
    let mut csv = csv::Writer::from_writer(vec![]);
    let mut text = String::new();
    if format == ListFormat::Csv {
        csv.write_record(["volume", "layer", "code", "offset", "path", "detail"])?;
    }
    for p in &rows {
        let (volume, path) = (volume(p.volume), p.path.as_deref().unwrap_or_default());
        let offset = p.offset.map_or_else(String::new, |o| o.to_string());
        match format {
            ListFormat::Csv => csv.write_record([volume, &p.layer, &p.code, &offset, path, &p.detail])?,
            ListFormat::Jsonl => text.push_str(&format!(
                "{}\n",
                serde_json::json!({
                    "volume": volume, "layer": p.layer, "code": p.code, "offset": p.offset, "path": p.path,
                    "detail": p.detail,
                })
            )),
            ListFormat::Table => {
                text.push_str(&format!("{volume:<8} {}: {} {offset:>12}  {}  {path}", p.layer, p.code, p.detail));
                text.truncate(text.trim_end().len());
                text.push('\n');
            }
        }
    }
    text.push_str(&String::from_utf8(csv.into_inner().map_err(|e| e.into_error())?)?);
    if !text.is_empty() {
        output::answer(&text)?;
    }
    Ok(rows.len() as u64)
}

pub fn run(global: &Global, args: &List) -> anyhow::Result<Outcome> {
    let examination = super::summary::open(&args.examination)?;
    let format = if global.json { ListFormat::Jsonl } else { args.format };
    let (count, what) = if args.problems {
        (problems(&examination, format)?, "no problem was met")
    } else {
        (print(&examination, args, format)?, "no file fits")
    };
    if count == 0 && !global.quiet {
        output::remark(&format!("avocet: {what}"));
    }
    Ok(Outcome::Finished)
}
