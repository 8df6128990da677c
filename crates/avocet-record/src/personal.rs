//! Personal content as it is stored: encrypted under one person's key.

use std::fmt;
use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use crate::ids::KeyId;

/// A value of type `T`, encrypted under one person's key. It can be stored and copied but not read without the key; when
/// that key is destroyed, the value is gone and everything around it stands.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Personal<T> {
    /// Whose key it is encrypted under.
    pub(crate) key: KeyId,
    /// Nonce and ciphertext, as hexadecimal text.
    pub(crate) sealed: String,
    #[serde(skip)]
    pub(crate) of: PhantomData<fn() -> T>,
}

impl Personal<serde_json::Value> {
    /// A sealed value within JSON, where this is one: an object of exactly `key` and `sealed`.
    pub(crate) fn within(value: &serde_json::Value) -> Option<Self> {
        let map = value.as_object().filter(|map| map.len() == 2 && map.contains_key("sealed"))?;
        map.get("key")?.as_str()?;
        serde_json::from_value(value.clone()).ok()
    }
}

impl<T> Personal<T> {
    /// Whose key it is encrypted under.
    #[must_use]
    pub fn key(&self) -> KeyId {
        self.key
    }
}

/// Says whose key, never the content.
impl<T> fmt::Debug for Personal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Personal({})", self.key)
    }
}
