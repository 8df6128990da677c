//! `avocet demo`

use std::path::Path;

use avocet_demo::{DemoError, SecondVolume};

use crate::args::Global;
use crate::{Outcome, Refusal, output};

pub fn run(global: &Global, dir: &Path) -> anyhow::Result<Outcome> {
    let made = avocet_demo::make(dir).map_err(|e| match e {
        DemoError::Content(_) => anyhow::Error::new(e),
        _ => Refusal(e.to_string()).into(),
    })?;
    let second = match made.second_volume {
        SecondVolume::Ext4 => "ext4",
        SecondVolume::Fat16 => "FAT16, because mkfs.ext4 is not installed",
    };
    if !global.quiet {
        output::answer(&format!(
            "Demo device: {} (GPT; FAT32; second volume: {second})\nKnown set:   {}\nKnown good:  {}\n\nNext:\n  avocet examine {} --exhibit DEMO/1 --known {}=us-vics-2.0 --known {}=known-good --out {}",
            made.device.display(),
            made.known_set.display(),
            made.known_good.display(),
            made.device.display(),
            made.known_set.display(),
            made.known_good.display(),
            dir.join("DEMO-1.examination").display(),
        ))?;
    }
    Ok(Outcome::Finished)
}
