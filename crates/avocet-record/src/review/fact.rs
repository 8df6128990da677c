//! What is recorded about review beside votes.

use avocet_base::Sha256;
use serde::{Deserialize, Serialize};

use crate::ids::{ExaminationId, ExhibitId};
use crate::personal::Personal;

/// A fact about review. Who and when it was recorded stand around it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case", deny_unknown_fields)]
pub enum ReviewFact {
    /// Veiled tiles of these contents were shown.
    Veiled {
        /// Of which.
        media: Vec<Sha256>,
    },
    /// A clear small picture is about to be shown, while a key is held for it.
    ClearBegan {
        /// Of which content.
        sha256: Sha256,
        /// How large: `half` or `whole` of what is stored.
        size: String,
    },
    /// It was let go.
    ClearEnded {
        /// Of which content.
        sha256: Sha256,
        /// The entry with which it began.
        view: u64,
        /// How long it was there, in thousandths of a second.
        ms: u64,
    },
    /// A break was taken between batches.
    BreakTaken {},
    /// A camera is that of a device of the investigation, by what pictures state of it.
    CameraStated {
        /// Of which device.
        exhibit: ExhibitId,
        /// Maker and model, as the pictures state them.
        model: String,
    },
    /// An original file is about to be read out of the evidence.
    OriginalOpened {
        /// Which content.
        sha256: Sha256,
        /// The examination that says where it is.
        examination: ExaminationId,
        /// The device.
        exhibit: ExhibitId,
        /// Why.
        reason: Personal<String>,
    },
    /// Something was written down about a content.
    Noted {
        /// About which.
        sha256: Sha256,
        /// What.
        note: Personal<String>,
    },
}

impl ReviewFact {
    /// What the ledger calls it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Veiled { .. } => "tiles-shown",
            Self::ClearBegan { .. } => "clear-view-began",
            Self::ClearEnded { .. } => "clear-view-ended",
            Self::BreakTaken {} => "break-taken",
            Self::CameraStated { .. } => crate::event::Event::CAMERA_STATED,
            Self::OriginalOpened { .. } => "original-opened",
            Self::Noted { .. } => "medium-noted",
        }
    }
}
