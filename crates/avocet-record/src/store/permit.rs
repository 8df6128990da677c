//! What a change needs to be made at all.

use super::STORE;
use crate::ids::UserId;

/// A person who passed the gate. Only [`crate::desk::Desk`] gives one out.
#[derive(Debug)]
pub struct Permit {
    user: UserId,
}

impl Permit {
    pub(crate) fn new(user: UserId) -> Self {
        Self { user }
    }

    /// For what the store does itself.
    pub(crate) fn of_the_store() -> Self {
        Self { user: STORE }
    }

    pub(super) fn user(&self) -> UserId {
        self.user
    }
}
