//! What a role may do.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::table::{LawRow, Row, WrongField, WrongTable};

/// The role that reads the ledger and no content, whatever the file says of the others.
pub const AUDITOR: &str = "auditor";

/// Where a right reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RightScope {
    /// Only in the investigations that the person is assigned to.
    Investigation,
    /// Everywhere.
    Everywhere,
}

macro_rules! rights {
    ($($(#[$doc:meta])* $name:ident $id:literal $scope:ident $content:literal $meaning:literal;)*) => {
        /// Something a person may do. What the rights mean is code; who holds them is data.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Right {
            $(
                #[doc = $meaning]
                #[serde(rename = $id)]
                $name,
            )*
        }

        impl Right {
            /// Every right, in a fixed order.
            pub const ALL: &'static [Right] = &[$(Right::$name),*];

            /// Its name in files and on the ledger.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Right::$name => $id,)* }
            }

            /// What it lets a person do.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Right::$name => $meaning,)* }
            }

            /// Where it reaches.
            #[must_use]
            pub const fn scope(self) -> RightScope {
                match self { $(Right::$name => RightScope::$scope,)* }
            }

            /// Whether using it shows what the record holds: personal content, media, or an investigation's facts.
            #[must_use]
            pub const fn shows_content(self) -> bool {
                match self { $(Right::$name => $content,)* }
            }
        }
    };
}

rights! {
    RecordReferral "record_referral" Everywhere true "Record a referral, and see what was recorded";
    SeeQueue "see_queue" Everywhere true "See the queue: ids, levels, deadlines and the reasons for the order";
    RecordSafeguarding "record_safeguarding" Everywhere true "Record a child in danger, a safeguarding referral or another urgent entry; nothing delays it";
    CheckConflicts "check_conflicts" Everywhere true "Search for the same identifier elsewhere, see whose record it is, and note it as seen or dismissed";
    AssignInvestigation "assign_investigation" Everywhere false "Open an investigation and say who works on it";
    ReadInvestigation "read_investigation" Investigation true "Read an investigation's facts, without personal content";
    ReadPersonal "read_personal" Investigation true "Read personal content";
    RecordIp "record_ip" Investigation true "Record IP events, state a missing time zone, record applications and results";
    ConfirmIp "confirm_ip" Investigation true "Confirm, as the second person, IP, port, time and zone against the source";
    RecordRisk "record_risk" Investigation true "Record an assessment, its factors and the officer's level";
    OverrideRisk "override_risk" Investigation true "Set another level than the assessment's, with a reason";
    RecordWarrant "record_warrant" Investigation true "Record a warrant or another power, its entries and its result";
    ProceedUnready "proceed_unready" Investigation true "Let a warrant proceed that shows not ready, with a reason";
    RecordExhibit "record_exhibit" Investigation true "Record exhibits, seals and hand-overs";
    DisposeExhibit "dispose_exhibit" Investigation true "Authorise the retention, return or destruction of an exhibit";
    AttachExamination "attach_examination" Investigation true "Attach a verified examination to an exhibit";
    RecordOutcome "record_outcome" Investigation true "Record charges, the counts of their schedules and disposals";
    RecordOrder "record_order" Investigation true "Record orders and requirements, visits, device checks and breaches";
    ViewMedia "view_media" Investigation true "View media";
    ViewOriginal "view_original" Investigation true "Have an original file written out of the evidence, with a reason";
    Vote "vote" Investigation true "Vote on media, and ask for a second view";
    Moderate "moderate" Investigation true "Moderate votes";
    SetGradingPolicy "set_grading_policy" Investigation true "State the grading policy and the local rule of an investigation";
    RecordPerson "record_person" Investigation true "Record suspects and other people of an investigation";
    RecordChild "record_child" Investigation true "Record children and work on who they are";
    RestrictedChild "restricted_child" Investigation true "Read what is restricted about a child";
    Export "export" Investigation true "Export, print or disclose";
    ExtractGrading "extract_grading" Investigation true "Extract what was graded, for court";
    SetCare "set_care" Everywhere false "Set limits of exposure for the team or one person, and lift them for a day";
    SeeFigures "see_figures" Everywhere false "See figures for a period, and the ids of the records that they count";
    ReadLedger "read_ledger" Everywhere false "Read and verify the ledger: who did what and when, no content";
    ManageUsers "manage_users" Everywhere false "Add people, give and take roles";
    ManageStore "manage_store" Everywhere false "Back up, restore and upgrade the store";
    ErasePerson "erase_person" Investigation false "Destroy a person's key, so that their personal content is gone";
    BreakGlass "break_glass" Everywhere true "Open an investigation that one is not assigned to, with a reason";
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// What one role may do.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// Its name on pages.
    pub title: String,
    /// What its holder may do.
    pub rights: BTreeSet<Right>,
}

impl Role {
    /// Whether the role holds this right.
    #[must_use]
    pub fn may(&self, right: Right) -> bool {
        self.rights.contains(&right)
    }
}

impl LawRow for Role {
    const TABLE: &'static str = "roles";

    fn summary(&self) -> String {
        let rights: Vec<_> = self.rights.iter().map(|right| right.id()).collect();
        format!("{} may {}", self.title, rights.join(", "))
    }

    fn check(&self) -> Result<(), WrongField> {
        if self.rights.is_empty() {
            let what = "the role may do nothing".to_owned();
            return Err(WrongField { field: "rights", what, next: "Give it a right, or remove the row".to_owned() });
        }
        Ok(())
    }

    /// Every right is held by some role, and the auditor reads the ledger and no content.
    fn check_table(rows: &[Row<Self>]) -> Result<(), WrongTable> {
        if let Some(right) = Right::ALL.iter().find(|right| !rows.iter().any(|row| row.value.may(**right))) {
            return Err(WrongTable {
                what: format!("no role holds the right `{right}` ({})", right.meaning()),
                next: "Give it to a role, or nobody can do this".to_owned(),
            });
        }
        let auditor = rows.iter().find(|row| row.id == AUDITOR).ok_or_else(|| WrongTable {
            what: format!("there is no row `{AUDITOR}`"),
            next: "Add it with the right read_ledger".to_owned(),
        })?;
        if !auditor.value.may(Right::ReadLedger) {
            return Err(WrongTable {
                what: format!("the row `{AUDITOR}` lacks the right `{}`", Right::ReadLedger),
                next: "Add it".to_owned(),
            });
        }
        if let Some(right) = auditor.value.rights.iter().find(|right| right.shows_content()) {
            return Err(WrongTable {
                what: format!("the row `{AUDITOR}` holds `{right}`, which shows content; an auditor sees none"),
                next: "Take the right away, or give the person a second role".to_owned(),
            });
        }
        Ok(())
    }
}
