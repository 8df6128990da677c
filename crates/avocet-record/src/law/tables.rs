//! The tables that come with Avocet.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::entry::{Entry, entries};
use super::error::LawError;
use super::role::Role;
use super::table::{LawRow, Table};
use crate::clock::{self, BankHoliday, Clock};
use crate::figures::Definition;
use crate::leaflet::{Service, Wording};
use crate::order::{LineKind, OrderKind, VisitLevel};
use crate::outcome::{Disposal, Offence};
use crate::risk::RiskLevel;
use crate::safeguard::SharingPower;
use crate::staff::Limit;
use crate::vote::GradingRule;

/// Where a referral can come from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReferralSource {
    /// Its name on pages.
    pub title: String,
    /// One sentence without a full stop.
    pub detail: String,
}

impl LawRow for ReferralSource {
    const TABLE: &'static str = "referral-sources";

    fn summary(&self) -> String {
        format!("{}. {}", self.title, self.detail)
    }
}

/// A power under which premises are entered and things are taken.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Power {
    /// Its name on pages.
    pub title: String,
    /// One sentence or two without the last full stop.
    pub detail: String,
    /// Whether an entry under it is not prepared in Avocet: nothing here delays it.
    pub urgent: bool,
}

impl LawRow for Power {
    const TABLE: &'static str = "powers";

    fn summary(&self) -> String {
        let urgent = if self.urgent { "; urgent" } else { "" };
        format!("{}. {}{urgent}", self.title, self.detail)
    }
}

/// Names of the tables of [`Law`].
pub const TABLES: [&str; 17] = [
    BankHoliday::TABLE,
    Clock::TABLE,
    Disposal::TABLE,
    Definition::TABLE,
    GradingRule::TABLE,
    Wording::TABLE,
    Offence::TABLE,
    LineKind::TABLE,
    OrderKind::TABLE,
    Power::TABLE,
    ReferralSource::TABLE,
    RiskLevel::TABLE,
    Role::TABLE,
    Service::TABLE,
    SharingPower::TABLE,
    Limit::TABLE,
    VisitLevel::TABLE,
];

/// The tables that the record works by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Law {
    /// Dates that are no working days.
    pub bank_holidays: Table<BankHoliday>,
    /// What is due when, without the bank holidays where working days count.
    pub clocks: Table<Clock>,
    /// How a matter can end.
    pub disposals: Table<Disposal>,
    /// Definitions of figures.
    pub figures: Table<Definition>,
    /// Rules for votes.
    pub grading: Table<GradingRule>,
    /// What leaflets say.
    pub leaflets: Table<Wording>,
    /// Offences that can be charged.
    pub offences: Table<Offence>,
    /// Usual conditions of orders and notification requirements.
    pub order_lines: Table<LineKind>,
    /// Kinds of orders.
    pub orders: Table<OrderKind>,
    /// Powers to enter, search and seize.
    pub powers: Table<Power>,
    /// Where referrals come from.
    pub referral_sources: Table<ReferralSource>,
    /// Levels of risk and their deadlines.
    pub risk_levels: Table<RiskLevel>,
    /// Roles and their rights.
    pub roles: Table<Role>,
    /// Services that leaflets name.
    pub services: Table<Service>,
    /// Powers and duties to share.
    pub sharing_powers: Table<SharingPower>,
    /// Limits of exposure.
    pub staff_care: Table<Limit>,
    /// How often a person under an order is visited.
    pub visits: Table<VisitLevel>,
}

impl Law {
    /// Reads all tables; a file `NAME.toml` in `folder` replaces the built-in table of that name.
    ///
    /// # Errors
    /// The first file that is there and cannot be used.
    pub fn load(folder: Option<&Path>) -> Result<Self, LawError> {
        let bank_holidays = Table::load(folder, include_str!("../../data/bank-holidays.toml"))?;
        let mut clocks = Table::load(folder, include_str!("../../data/clocks.toml"))?;
        clock::leave_out(&mut clocks, &bank_holidays);
        Ok(Self {
            bank_holidays,
            clocks,
            disposals: Table::load(folder, include_str!("../../data/disposals.toml"))?,
            figures: Table::load(folder, include_str!("../../data/figures.toml"))?,
            grading: Table::load(folder, include_str!("../../data/grading.toml"))?,
            leaflets: Table::load(folder, include_str!("../../data/leaflets.toml"))?,
            offences: Table::load(folder, include_str!("../../data/offences.toml"))?,
            order_lines: Table::load(folder, include_str!("../../data/order-lines.toml"))?,
            orders: Table::load(folder, include_str!("../../data/orders.toml"))?,
            powers: Table::load(folder, include_str!("../../data/powers.toml"))?,
            referral_sources: Table::load(folder, include_str!("../../data/referral-sources.toml"))?,
            risk_levels: Table::load(folder, include_str!("../../data/risk-levels.toml"))?,
            roles: Table::load(folder, include_str!("../../data/roles.toml"))?,
            services: Table::load(folder, include_str!("../../data/services.toml"))?,
            sharing_powers: Table::load(folder, include_str!("../../data/sharing-powers.toml"))?,
            staff_care: Table::load(folder, include_str!("../../data/staff-care.toml"))?,
            visits: Table::load(folder, include_str!("../../data/visits.toml"))?,
        })
    }

    /// Every row, ordered by table, then as the file has them.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        let mut all = entries(&self.bank_holidays);
        all.extend(entries(&self.clocks));
        all.extend(entries(&self.disposals));
        all.extend(entries(&self.figures));
        all.extend(entries(&self.grading));
        all.extend(entries(&self.leaflets));
        all.extend(entries(&self.offences));
        all.extend(entries(&self.order_lines));
        all.extend(entries(&self.orders));
        all.extend(entries(&self.powers));
        all.extend(entries(&self.referral_sources));
        all.extend(entries(&self.risk_levels));
        all.extend(entries(&self.roles));
        all.extend(entries(&self.services));
        all.extend(entries(&self.sharing_powers));
        all.extend(entries(&self.staff_care));
        all.extend(entries(&self.visits));
        all
    }
}

/// Files of the user's folder that no table reads, in order: a misspelt name must not pass for a replaced table.
/// `known` are the names of all tables in use.
///
/// # Errors
/// The folder is there and cannot be listed.
pub fn strays(folder: &Path, known: &[&str]) -> Result<Vec<PathBuf>, LawError> {
    let failed = |error| LawError::Read { file: folder.display().to_string().into(), error };
    let listed = match std::fs::read_dir(folder) {
        Ok(listed) => listed,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut out = Vec::new();
    for entry in listed {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if !name.strip_suffix(".toml").is_some_and(|stem| known.contains(&stem)) {
            out.push(path);
        }
    }
    out.sort();
    Ok(out)
}
