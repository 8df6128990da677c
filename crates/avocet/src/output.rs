//! What the command prints: answers on standard output, everything else on standard error.

use std::io::{self, IsTerminal, Write};

/// Prints a whole answer.
///
/// # Errors
/// Where standard output cannot be written to.
pub fn answer(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    let line_end: &[u8] = if text.ends_with('\n') { b"" } else { b"\n" };
    out.write_all(text.as_bytes())
        .and_then(|()| out.write_all(line_end))
        .and_then(|()| out.flush())
        .map_err(not_written)
}

/// An answer that could not be written whole, said so that nobody takes the part for it.
pub fn not_written(error: io::Error) -> anyhow::Error {
    let text = format!("the answer could not be written to standard output: {error}. What is there is not complete");
    anyhow::Error::new(error).context(text)
}

/// Whether an answer printed now may carry colour.
pub fn colour() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

/// Prints a remark on standard error.
pub fn remark(text: &str) {
    // A closed standard error is nobody listening.
    let _ = writeln!(io::stderr(), "{text}");
}

/// Prints why a command did not do what was asked.
pub fn complain(error: &anyhow::Error, verbose: u8) {
    remark(&format!("avocet: {error}"));
    if verbose > 0 {
        for cause in error.chain().skip(1) {
            remark(&format!("  because: {cause}"));
        }
    }
}

/// Whether an error only says that the reader of a pipe went away.
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|e| e.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe))
}
