//! Makes a benign demo device: a GPT disk with a camera-card volume and a computer volume, filled with generated
//! pictures that carry camera data, some of them deleted, copied, packed in a zip or named with a wrong extension, and
//! a known set that matches some of them.
//!
//! Everything is generated from a fixed seed: patterns of colour, neutral names, no person and no place. [`year`] makes a
//! fictional year of a team's record.

mod disk;
mod exif;
mod picture;
mod sets;
pub mod year;

use std::fs;
use std::path::{Path, PathBuf};

pub use disk::SecondVolume;

/// Why the demo device could not be made.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The folder or a file in it could not be written.
    #[error("cannot write {what} in the demo folder: {source}. Choose an empty folder you may write to")]
    Write {
        /// What was to be written.
        what: &'static str,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The demo folder already holds a demo.
    #[error("{0} already holds a demo device; name another folder or remove it")]
    Exists(PathBuf),
    /// A picture or archive could not be encoded.
    #[error("cannot make the demo content: {0}")]
    Content(String),
}

/// What was made.
#[derive(Debug)]
pub struct Demo {
    /// The raw image of the device.
    pub device: PathBuf,
    /// The known set, in VICS 2.0 form, to be read with scheme `us-vics-2.0`.
    pub known_set: PathBuf,
    /// The list of known-good files, to be read with scheme `known-good`.
    pub known_good: PathBuf,
    /// What the second volume is.
    pub second_volume: SecondVolume,
}

/// Makes the demo device and its sets in `folder`, which is created.
///
/// # Errors
/// [`DemoError`] where the folder cannot be written or already holds a demo.
pub fn make(folder: &Path) -> Result<Demo, DemoError> {
    let write = |what| move |source| DemoError::Write { what, source };
    fs::create_dir_all(folder).map_err(write("the folder"))?;
    let device = folder.join("demo-device.dd");
    if device.try_exists().map_err(write("the device"))? {
        return Err(DemoError::Exists(folder.to_owned()));
    }
    let pictures = picture::all().map_err(DemoError::Content)?;
    let second_volume = disk::build(&device, &pictures)?;
    let known_set = folder.join("demo-known-pictures.json");
    fs::write(&known_set, sets::vics(&pictures)).map_err(write("the known set"))?;
    let known_good = folder.join("demo-known-good.csv");
    fs::write(&known_good, sets::known_good(&pictures)).map_err(write("the known-good list"))?;
    Ok(Demo { device, known_set, known_good, second_volume })
}
