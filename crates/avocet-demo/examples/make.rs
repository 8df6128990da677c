//! Makes a demo device in the folder named on the command line.
#![allow(clippy::print_stdout, reason = "an example that says what it made")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args_os().nth(1).ok_or("name a folder")?;
    let made = avocet_demo::make(folder.as_ref())?;
    println!("{made:?}");
    Ok(())
}
