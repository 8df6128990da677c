//! Definitions of figures, from the data file `figures`.

use serde::{Deserialize, Serialize};

use crate::law::LawRow;

macro_rules! measures {
    ($($(#[$doc:meta])* $name:ident $id:literal;)*) => {
        /// How a figure is counted. A way of counting never changes: another way is another measure.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Measure {
            $($(#[$doc])* #[serde(rename = $id)] $name,)*
        }

        impl Measure {
            /// Every measure.
            pub const ALL: &'static [Measure] = &[$(Measure::$name),*];

            /// Its name in the file.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Measure::$name => $id,)* }
            }
        }
    };
}

measures! {
    /// Referrals by when they were received.
    ReferralsReceived1 "referrals-received/1";
    /// Warrants by their first entry.
    WarrantsExecuted1 "warrants-executed/1";
    /// Arrests.
    Arrests1 "arrests/1";
    /// Arrests and voluntary interviews.
    ArrestsOrInterviews1 "arrests-or-interviews/1";
    /// Exhibits taken that are no part of another.
    DevicesSeized1 "devices-seized/1";
    /// Things seen at a scene and left there.
    DevicesExcluded1 "devices-excluded/1";
    /// Distinct children with an acknowledged referral or a protective action.
    ChildrenSafeguarded1 "children-safeguarded/1";
    /// Distinct children who were unidentified and were identified.
    ChildrenIdentified1 "children-identified/1";
    /// Distinct children whom nobody can name at the end of the period.
    ChildrenUnidentified1 "children-unidentified/1";
    /// Charges.
    Charges1 "charges/1";
    /// Outcomes with a charge or a positive disposal.
    PositiveOutcomes1 "positive-outcomes/1";
    /// Days from receipt to a child's first safeguarding.
    DaysToSafeguarding1 "days-to-safeguarding/1";
    /// Days from receipt to the first charge or disposal of an investigation.
    DaysToResult1 "days-to-result/1";
    /// Referrals in no investigation at the end of the period, and how long they have waited.
    BacklogReferrals1 "backlog-referrals/1";
    /// Devices held and not worked on at the end of the period, and how long they have waited.
    BacklogDevices1 "backlog-devices/1";
    /// Media that people viewed to vote on them.
    Exposure1 "exposure/1";
    /// Clear pictures that were shown to people.
    ExposureClear1 "exposure-clear/1";
}

/// What one figure means.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// Its name on pages.
    pub title: String,
    /// The version of the definition; another sentence is another version.
    pub version: String,
    /// The definition, one sentence without the full stop.
    pub sentence: String,
    /// How it is counted.
    pub measure: Measure,
}

impl LawRow for Definition {
    const TABLE: &'static str = "figures";

    fn summary(&self) -> String {
        format!("{}, version {}: {}", self.title, self.version, self.sentence)
    }
}
