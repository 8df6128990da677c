//! Progress on a terminal; nothing elsewhere.

use std::io::{IsTerminal, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use avocet_examine::{Progress, Stage};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar with files, bytes, rate, time left and the current volume.
pub struct Bar {
    bar: ProgressBar,
    files: AtomicU64,
}

impl Bar {
    /// A bar on standard error when that is a terminal and `quiet` is not asked for.
    pub fn new(quiet: bool, image_bytes: u64) -> Self {
        let shown = !quiet && std::io::stderr().is_terminal();
        let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(image_bytes), target);
        let template = "{prefix}  {bytes} of about {total_bytes}  {bytes_per_sec}  {msg}  {eta} left\n{wide_bar}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        if shown {
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        Self { bar, files: AtomicU64::new(0) }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Bar {
    fn stage(&self, stage: Stage<'_>) {
        match stage {
            Stage::Volume { name, bytes } => {
                self.bar.inc_length(bytes);
                self.bar.set_prefix(format!("Volume {name}"));
            }
            Stage::Image => self.bar.set_prefix("Whole image"),
            Stage::SecondOpinion => self.bar.set_prefix("Second opinion"),
            Stage::Seal => self.bar.set_prefix("Sealing"),
        }
    }

    fn add(&self, files: u64, bytes: u64) {
        let files = self.files.fetch_add(files, Ordering::Relaxed) + files;
        self.bar.set_message(format!("{files} files"));
        self.bar.inc(bytes);
    }

    fn add_image(&self, bytes: u64) {
        self.bar.inc(bytes);
    }
}

/// How often a line is written while nothing but numbers change.
const EVERY: Duration = Duration::from_millis(500);

/// How far it is, as lines of JSON on standard error. They name a volume as the examination numbers it, and nothing that
/// the evidence holds.
pub struct Lines(Mutex<Far>);

struct Far {
    stage: &'static str,
    volume: String,
    files: u64,
    bytes: u64,
    of: u64,
    told: Instant,
}

impl Lines {
    /// Tells at once that it began.
    pub fn new(image_bytes: u64) -> Self {
        let far =
            Far { stage: "begun", volume: String::new(), files: 0, bytes: 0, of: image_bytes, told: Instant::now() };
        far.tell();
        Self(Mutex::new(far))
    }

    fn change(&self, now: bool, change: impl FnOnce(&mut Far)) {
        let mut far = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut far);
        if now || far.told.elapsed() >= EVERY {
            far.told = Instant::now();
            far.tell();
        }
    }
}

impl Far {
    fn tell(&self) {
        let line = serde_json::json!({"progress": {"stage": self.stage, "volume": self.volume, "files": self.files,
            "bytes": self.bytes, "of": self.of}});
        // Who does not listen any more is no reason to stop.
        let _ = writeln!(std::io::stderr(), "{line}");
    }
}

impl Progress for Lines {
    fn stage(&self, stage: Stage<'_>) {
        self.change(true, |far| match stage {
            Stage::Volume { name, bytes } => {
                far.of = far.of.saturating_add(bytes);
                (far.stage, far.volume) = ("volume", name.to_owned());
            }
            Stage::Image => far.stage = "image",
            Stage::SecondOpinion => far.stage = "second-opinion",
            Stage::Seal => far.stage = "seal",
        });
    }

    fn add(&self, files: u64, bytes: u64) {
        self.change(false, |far| {
            far.files = far.files.saturating_add(files);
            far.bytes = far.bytes.saturating_add(bytes);
        });
    }

    fn add_image(&self, bytes: u64) {
        self.change(false, |far| far.bytes = far.bytes.saturating_add(bytes));
    }
}

/// A line that says how far the reading of a known set has come.
pub struct Counter {
    bar: ProgressBar,
}

impl Counter {
    /// A line on standard error when that is a terminal and `quiet` is not asked for.
    pub fn new(quiet: bool) -> Self {
        let shown = !quiet && std::io::stderr().is_terminal();
        let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        if let Ok(style) =
            ProgressStyle::with_template("{prefix}  {bytes} of {total_bytes}  {msg}  {eta} left\n{wide_bar}")
        {
            bar.set_style(style);
        }
        Self { bar }
    }

    /// Shows how far it is.
    pub fn show(&self, progress: &avocet_known::LoadProgress<'_>) {
        self.bar.set_length(progress.total_bytes);
        self.bar.set_position(progress.bytes);
        self.bar.set_prefix(match progress.stage {
            avocet_known::Stage::Reading => "Reading",
            avocet_known::Stage::Sorting => "Sorting",
            avocet_known::Stage::Indexing => "Indexing",
        });
        self.bar.set_message(format!("{} records", progress.records));
    }

    /// Takes the line away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
