//! A value that never appears in logs, errors or debug output.

use std::fmt;

/// Wraps a sensitive value (a name, a path, an address) so that formatting it shows only that something is there.
/// Reading it is a visible act: call [`Redacted::reveal`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Redacted<T>(T);

impl<T> Redacted<T> {
    /// Wraps a value.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself. The caller answers for where it goes.
    pub fn reveal(&self) -> &T {
        &self.0
    }

    /// Takes the value out.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for Redacted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl<T> fmt::Display for Redacted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formatting_never_shows_the_value() {
        let value = Redacted::new("Child 3");
        assert_eq!(format!("{value} {value:?}"), "[redacted] [redacted]");
        assert_eq!(*value.reveal(), "Child 3");
    }
}
