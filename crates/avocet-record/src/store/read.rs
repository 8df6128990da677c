//! Reading rows, in a change or outside one.

use std::collections::{BTreeMap, BTreeSet};

use avocet_base::Sha256;
use sqlx::Any;
use sqlx::Row as _;
use sqlx::any::AnyRow;
use sqlx::pool::PoolConnection;

use super::tx::Tx;
use super::{Store, db};
use crate::at::At;
use crate::desk::{Account, Item, account_from_row};
use crate::error::{DatabaseResult as _, RecordError, Result};
use crate::identifier::Identifier;
use crate::ids::{ExaminationId, InvestigationId, KeyId, PersonId, ReferralId, UserId};
use crate::risk::Flag;

/// A line of the ledger without its content, as an auditor sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerLine {
    /// Its number.
    pub seq: u64,
    /// When.
    pub at: At,
    /// Who.
    pub by: UserId,
    /// What kind of change or look.
    pub kind: String,
    /// The ids it is about, with a space between them.
    pub subjects: String,
}

/// The row of an investigation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InvestigationRow {
    pub id: InvestigationId,
    pub owner: UserId,
    pub received: At,
    pub item: Item,
}

/// A referral as lists show it, without what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferralRow {
    /// Which.
    pub id: ReferralId,
    /// Where it came from.
    pub source: String,
    /// When it was received.
    pub received: At,
    /// What it says of itself that matters for the order of work.
    pub flags: Vec<Flag>,
    /// How much of it was read.
    pub fields: u64,
    /// How many things could not be read.
    pub problems: u64,
    /// The investigation that it belongs to.
    pub investigation: Option<InvestigationId>,
}

fn referral_row(row: &AnyRow) -> Result<ReferralRow> {
    let investigation: Option<String> = row.try_get(6).when("read a referral")?;
    Ok(ReferralRow {
        id: parsed(row, 0)?,
        source: text(row, 1)?,
        received: At::from_ns(row.try_get(2).when("read a time")?),
        flags: serde_json::from_str(&text(row, 3)?).unwrap_or_default(),
        fields: db::uint(row, 4)?,
        problems: db::uint(row, 5)?,
        investigation: investigation.and_then(|id| id.parse().ok()),
    })
}

/// The same identifier in another record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SameToken {
    pub other: String,
    pub kind: String,
    pub investigation: Option<InvestigationId>,
    pub owner: Option<UserId>,
    pub count: u64,
}

pub(super) fn text(row: &AnyRow, at: usize) -> Result<String> {
    row.try_get(at).when("read a text")
}

fn parsed<T: std::str::FromStr>(row: &AnyRow, at: usize) -> Result<T> {
    let text = text(row, at)?;
    text.parse().map_err(|_| RecordError::Unknown { what: text })
}

fn investigation_row(row: &AnyRow) -> Result<InvestigationRow> {
    let id = parsed(row, 0)?;
    let item = serde_json::from_str(&text(row, 4)?);
    let item =
        item.map_err(|_| RecordError::Refused(format!("the row of {id} is damaged; run `avocet record rebuild`")))?;
    Ok(InvestigationRow {
        id,
        owner: parsed(row, 1)?,
        received: At::from_ns(row.try_get(2).when("read a time")?),
        item,
    })
}

async fn accounts(conn: &mut PoolConnection<Any>) -> Result<Vec<Account>> {
    let mut all: Vec<Account> = rows!(*conn, ACCOUNTS)
        .iter()
        .map(account_from_row)
        .collect::<std::result::Result<_, _>>()
        .when("read accounts")?;
    all.sort_by_key(|account| account.user);
    Ok(all)
}

pub(super) async fn investigation(conn: &mut PoolConnection<Any>, id: InvestigationId) -> Result<InvestigationRow> {
    let row = row!(*conn, INVESTIGATION, id.to_string());
    row.as_ref().map_or_else(|| Err(RecordError::Unknown { what: id.to_string() }), investigation_row)
}

async fn referral(conn: &mut PoolConnection<Any>, id: ReferralId) -> Result<ReferralRow> {
    let row = row!(*conn, REFERRAL, id.to_string());
    row.as_ref().map_or_else(|| Err(RecordError::Unknown { what: id.to_string() }), referral_row)
}

async fn examination_with(conn: &mut PoolConnection<Any>, digest: &Sha256) -> Result<Option<ExaminationId>> {
    let Some(row) = row!(*conn, EXAMINATION_WITH, digest.to_string()) else { return Ok(None) };
    Ok(text(&row, 0)?.split(' ').find_map(|subject| subject.parse().ok()))
}

impl Tx<'_> {
    pub(crate) async fn accounts(&mut self) -> Result<Vec<Account>> {
        accounts(&mut self.conn).await
    }

    pub(crate) async fn investigation(&mut self, id: InvestigationId) -> Result<InvestigationRow> {
        investigation(&mut self.conn, id).await
    }

    pub(crate) async fn referral(&mut self, id: ReferralId) -> Result<ReferralRow> {
        referral(&mut self.conn, id).await
    }

    /// The examination that has this result digest.
    pub(crate) async fn examination_with(&mut self, digest: &Sha256) -> Result<Option<ExaminationId>> {
        examination_with(&mut self.conn, digest).await
    }

    /// Whose key it is, while it still opens.
    pub(crate) async fn holder_of_live_key(&mut self, key: KeyId) -> Result<Option<String>> {
        row!(self.conn, LIVE_KEY, key.to_string()).map(|row| text(&row, 0)).transpose()
    }

    pub(crate) async fn totals(&mut self, subject: &str) -> Result<BTreeMap<String, i64>> {
        let rows = rows!(self.conn, TOTALS, subject);
        rows.iter().map(|row| Ok((text(row, 0)?, row.try_get(1).when("read a total")?))).collect()
    }

    pub(crate) async fn set_secret(&mut self, name: &str, value: &str) -> Result<()> {
        run!(self, SET_SECRET, name, value);
        Ok(())
    }

    pub(crate) async fn secret(&mut self, name: &str) -> Result<Option<String>> {
        row!(self.conn, SECRET, name).map(|row| text(&row, 0)).transpose()
    }

    pub(crate) async fn forget_secret(&mut self, name: &str) -> Result<()> {
        run!(self, DELETE_SECRET, name);
        Ok(())
    }

    /// Keeps bytes beside the ledger, in the clear.
    pub(crate) async fn add_document(&mut self, id: &str, body: &[u8]) -> Result<()> {
        run!(self, ADD_DOCUMENT, id, body.to_vec());
        Ok(())
    }

    /// Keeps bytes beside the ledger, in the clear, under a name that says their digest: what is there is the same.
    pub(crate) async fn keep_document(&mut self, id: &str, body: &[u8]) -> Result<()> {
        run!(self, KEEP_DOCUMENT, id, body.to_vec());
        Ok(())
    }

    /// Bytes that were kept.
    pub(crate) async fn document(&mut self, id: &str) -> Result<Vec<u8>> {
        let row = row!(self.conn, DOCUMENT, id).ok_or_else(|| RecordError::Unknown { what: id.to_owned() })?;
        row.try_get(0).when("read a document")
    }
}

impl Store {
    /// The investigation that a thing belongs to.
    pub(crate) async fn part_of(&self, subject: &str) -> Result<Option<InvestigationId>> {
        let mut conn = self.db.reader().await?;
        row!(conn, PART_OF, subject).map(|row| parsed(&row, 0)).transpose()
    }

    /// Whose key it is, while it still opens.
    pub(crate) async fn holder_of_key(&self, key: KeyId) -> Result<Option<String>> {
        let mut conn = self.db.reader().await?;
        row!(conn, LIVE_KEY, key.to_string()).map(|row| text(&row, 0)).transpose()
    }

    /// Whether a person is, or ever was, stated to be a child: what was restricted stays so.
    pub(crate) async fn is_child(&self, person: PersonId) -> Result<bool> {
        let facts = self.facts(&person.to_string()).await?;
        Ok(facts.iter().any(|recorded| recorded.fact.child() == Some(person)))
    }

    pub(crate) async fn referral(&self, id: ReferralId) -> Result<ReferralRow> {
        referral(&mut self.db.reader().await?, id).await
    }

    pub(crate) async fn referrals(&self) -> Result<Vec<ReferralRow>> {
        let mut conn = self.db.reader().await?;
        rows!(conn, REFERRALS).iter().map(referral_row).collect()
    }

    pub(crate) async fn parts(&self, id: InvestigationId) -> Result<Vec<String>> {
        let mut conn = self.db.reader().await?;
        rows!(conn, PARTS, id.to_string()).iter().map(|row| text(row, 0)).collect()
    }

    pub(crate) async fn same_tokens(&self, subject: &str) -> Result<Vec<SameToken>> {
        let mut conn = self.db.reader().await?;
        let id = |row: &AnyRow, at| row.try_get::<Option<String>, _>(at).when("read a conflict");
        rows!(conn, SAME_TOKEN, subject)
            .iter()
            .map(|row| {
                Ok(SameToken {
                    other: text(row, 0)?,
                    kind: text(row, 1)?,
                    investigation: id(row, 2)?.and_then(|id| id.parse().ok()),
                    owner: id(row, 3)?.and_then(|id| id.parse().ok()),
                    count: db::uint(row, 4)?,
                })
            })
            .collect()
    }

    /// What has an identifier.
    pub(crate) async fn subjects_with(&self, identifier: &Identifier) -> Result<Vec<String>> {
        let token = self.key.token(identifier.kind.as_str(), &identifier.value);
        let mut conn = self.db.reader().await?;
        rows!(conn, SUBJECTS_OF_TOKEN, token.to_vec()).iter().map(|row| text(row, 0)).collect()
    }

    pub(crate) async fn same_media(&self, id: InvestigationId) -> Result<Vec<(InvestigationId, UserId, u64)>> {
        let mut conn = self.db.reader().await?;
        let rows = rows!(conn, SAME_MEDIA, id.to_string());
        rows.iter().map(|row| Ok((parsed(row, 0)?, parsed(row, 1)?, db::uint(row, 2)?))).collect()
    }

    /// Whether bytes were kept under a name.
    pub(crate) async fn has_document(&self, name: &str) -> Result<bool> {
        let mut conn = self.db.reader().await?;
        Ok(row!(conn, HAS_DOCUMENT, name).is_some())
    }

    /// The examination that has this result digest.
    pub(crate) async fn examination_with(&self, digest: &Sha256) -> Result<Option<ExaminationId>> {
        examination_with(&mut self.db.reader().await?, digest).await
    }

    /// Bytes that were kept in the clear.
    pub(crate) async fn plain_document(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let mut conn = self.db.reader().await?;
        row!(conn, DOCUMENT, name).map(|row| row.try_get(0).when("read a document")).transpose()
    }

    /// A sealed document, opened with the key that it was sealed under.
    pub(crate) async fn sealed_document(&self, name: &str, key: KeyId) -> Result<Option<Vec<u8>>> {
        let opener = self.person_key(key).await?.ok_or(RecordError::Erased { key })?;
        let mut conn = self.db.reader().await?;
        let Some(row) = row!(conn, DOCUMENT, name) else { return Ok(None) };
        let sealed: Vec<u8> = row.try_get(0).when("read a document")?;
        Ok(Some(opener.open_bytes(&sealed)?.to_vec()))
    }

    /// Lines of the ledger without their content.
    pub(crate) async fn ledger_page(&self, after: u64, limit: u32) -> Result<Vec<LedgerLine>> {
        let mut conn = self.db.reader().await?;
        rows!(conn, LEDGER_PAGE, db::int(after), i64::from(limit))
            .iter()
            .map(|row| {
                Ok(LedgerLine {
                    seq: db::uint(row, 0)?,
                    at: At::from_ns(row.try_get(1).when("read the ledger")?),
                    by: parsed(row, 2)?,
                    kind: text(row, 3)?,
                    subjects: text(row, 4)?,
                })
            })
            .collect()
    }

    pub(crate) async fn is_member(&self, id: InvestigationId, user: UserId) -> Result<bool> {
        let mut conn = self.db.reader().await?;
        Ok(row!(conn, IS_MEMBER, id.to_string(), user.to_string()).is_some())
    }

    pub(crate) async fn memberships(&self, user: UserId) -> Result<BTreeSet<InvestigationId>> {
        let mut conn = self.db.reader().await?;
        rows!(conn, MEMBERSHIPS, user.to_string()).iter().map(|row| parsed(row, 0)).collect()
    }

    pub(crate) async fn secret(&self, name: &str) -> Result<Option<String>> {
        let mut conn = self.db.reader().await?;
        row!(conn, SECRET, name).map(|row| text(&row, 0)).transpose()
    }

    pub(crate) async fn account_by_login(&self, login: &str) -> Result<Option<Account>> {
        let mut conn = self.db.reader().await?;
        row!(conn, ACCOUNT_BY_LOGIN, login).map(|row| account_from_row(&row)).transpose().when("read an account")
    }

    pub(crate) async fn accounts(&self) -> Result<Vec<Account>> {
        accounts(&mut self.db.reader().await?).await
    }

    pub(crate) async fn investigation(&self, id: InvestigationId) -> Result<InvestigationRow> {
        investigation(&mut self.db.reader().await?, id).await
    }

    pub(crate) async fn totals(&self, subject: &str) -> Result<BTreeMap<String, i64>> {
        let mut conn = self.db.reader().await?;
        let rows = rows!(conn, TOTALS, subject);
        rows.iter().map(|row| Ok((text(row, 0)?, row.try_get(1).when("read a total")?))).collect()
    }
}
