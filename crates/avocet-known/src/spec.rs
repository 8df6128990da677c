//! How a user names a set and its scheme: `FILE=SCHEME`.

use std::path::PathBuf;

use crate::error::KnownError;
use crate::scheme::Scheme;

/// The scheme of a set: one that comes with Avocet, or a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchemeRef {
    /// Name of a scheme that comes with Avocet.
    Builtin(String),
    /// Path of a scheme's TOML file.
    File(PathBuf),
    /// The set is compiled and holds its scheme.
    Inside,
}

/// One set to load, with the scheme that says what its categories mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownSpec {
    /// The set's file.
    pub path: PathBuf,
    /// Its scheme.
    pub scheme: SchemeRef,
}

/// Largest scheme file that is read: a table of codes is a few kilobytes.
const MAX_SCHEME: u64 = 1 << 20;

pub(crate) fn scheme_list() -> String {
    Scheme::builtin_ids().collect::<Vec<_>>().join(", ")
}

impl KnownSpec {
    /// Reads `FILE=SCHEME`. The last `=` divides, so that a file's name may hold one. SCHEME is the name of a scheme
    /// that comes with Avocet, or a path (it ends in `.toml` or holds a path separator). A compiled set (`.avset`) is
    /// named by its path alone.
    ///
    /// # Errors
    /// [`KnownError::NoScheme`] and [`KnownError::UnknownScheme`], both with the list of schemes.
    pub fn parse(text: &str) -> Result<KnownSpec, KnownError> {
        let missing = || KnownError::NoScheme { spec: text.to_owned(), schemes: scheme_list() };
        let compiled = |text: &str| text.to_lowercase().ends_with(".avset") && text.len() > ".avset".len();
        if compiled(text) {
            return Ok(KnownSpec { path: PathBuf::from(text), scheme: SchemeRef::Inside });
        }
        let (path, scheme) = text.rsplit_once('=').ok_or_else(missing)?;
        if path.is_empty() || scheme.is_empty() {
            return Err(missing());
        }
        let scheme = SchemeRef::parse(scheme)?;
        Ok(KnownSpec { path: PathBuf::from(path), scheme })
    }
}

impl SchemeRef {
    /// Reads the name of a scheme that comes with Avocet, or a path (it ends in `.toml` or holds a path separator).
    ///
    /// # Errors
    /// [`KnownError::UnknownScheme`] with the list of schemes.
    pub fn parse(text: &str) -> Result<SchemeRef, KnownError> {
        if text.to_lowercase().ends_with(".toml") || text.contains(['/', '\\']) {
            Ok(SchemeRef::File(PathBuf::from(text)))
        } else if Scheme::builtin_ids().any(|id| id == text) {
            Ok(SchemeRef::Builtin(text.to_owned()))
        } else {
            Err(KnownError::UnknownScheme { scheme: text.to_owned(), schemes: scheme_list() })
        }
    }

    /// The scheme itself.
    ///
    /// # Errors
    /// [`KnownError::UnknownScheme`], or [`KnownError::SchemeFile`] with what is wrong in the file;
    /// [`KnownError::NoScheme`] for a scheme that only the compiled set knows.
    pub fn open(&self) -> Result<Scheme, KnownError> {
        match self {
            SchemeRef::Builtin(id) => Scheme::find_builtin(id)
                .ok_or_else(|| KnownError::UnknownScheme { scheme: id.clone(), schemes: scheme_list() }),
            SchemeRef::Inside => {
                Err(KnownError::NoScheme { spec: "a compiled set".to_owned(), schemes: scheme_list() })
            }
            SchemeRef::File(path) => {
                let fail = |reason: String| KnownError::SchemeFile { path: path.clone(), reason };
                let size = std::fs::metadata(path).map_err(|e| fail(e.to_string()))?.len();
                if size > MAX_SCHEME {
                    return Err(fail("it is larger than 1 MiB, which no table of codes is".to_owned()));
                }
                let text = std::fs::read_to_string(path).map_err(|e| fail(e.to_string()))?;
                Scheme::parse(&text).map_err(|e| fail(e.to_string()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_and_scheme_are_divided_at_the_last_sign() {
        let spec = KnownSpec::parse("a=b/project.json=us-vics-2.0").unwrap();
        assert_eq!(spec.path, PathBuf::from("a=b/project.json"));
        assert_eq!(spec.scheme, SchemeRef::Builtin("us-vics-2.0".to_owned()));
        let spec = KnownSpec::parse("x.csv=own/codes.TOML").unwrap();
        assert_eq!(spec.scheme, SchemeRef::File(PathBuf::from("own/codes.TOML")));
    }

    #[test]
    fn a_missing_or_unknown_scheme_lists_the_schemes() {
        for text in ["x.json", "x.json=", "=alert", ""] {
            let error = KnownSpec::parse(text).unwrap_err();
            assert!(matches!(error, KnownError::NoScheme { .. }), "{text}");
            assert!(error.to_string().contains("uk-2014, uk-vics, uncategorised, us-vics-2.0"), "{error}");
        }
        let error = KnownSpec::parse("x.json=uk").unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no category scheme `uk`; use one of alert, interpol-baseline, known-good, uk-2014, \
             uk-vics, uncategorised, us-vics-2.0, or the path of a scheme file (.toml)"
        );
    }

    #[test]
    fn a_scheme_file_that_is_absent_or_wrong_is_named() {
        let error = SchemeRef::File(PathBuf::from("/nonexistent/x.toml")).open().unwrap_err();
        assert!(error.to_string().contains("/nonexistent/x.toml"), "{error}");
    }
}
