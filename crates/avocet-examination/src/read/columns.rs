//! Takes a row apart, column by column, refusing what is not of the type that the format gives.

use rusqlite::Row;
use rusqlite::types::ValueRef;

use avocet_base::{Md5, Sha1, Sha256};

use crate::error::ReadError;
use crate::rows::{
    CompletenessRow, EvidenceRow, ExtentRow, FileRow, KnownSetRow, Level, MatchRow, OriginalRow, ProblemRow, SpaceRow,
    VolumeRow,
};
use crate::schema::Table;

/// The columns of one row, taken in their order.
pub(crate) struct Columns<'r, 's> {
    row: &'r Row<'s>,
    table: &'static Table,
    at: usize,
    taken: u64,
}

impl<'r, 's> Columns<'r, 's> {
    pub fn new(row: &'r Row<'s>, table: &'static Table) -> Self {
        Self { row, table, at: 0, taken: 0 }
    }

    pub fn wrong(&self) -> ReadError {
        let column = self.at.checked_sub(1).and_then(|i| self.table.columns.get(i)).copied().unwrap_or("a column");
        ReadError::Malformed(format!("{}.{column} is not as the format gives it", self.table.name))
    }

    fn value(&mut self) -> Result<ValueRef<'r>, ReadError> {
        let value = self.row.get_ref(self.at);
        self.at = self.at.saturating_add(1);
        if let Ok(ValueRef::Text(bytes) | ValueRef::Blob(bytes)) = value {
            self.taken = self.taken.saturating_add(bytes.len() as u64);
        }
        value.map_err(|_| self.wrong())
    }

    /// Bytes of the texts and blobs taken so far.
    pub fn taken(&self) -> u64 {
        self.taken
    }

    pub fn optional_integer(&mut self) -> Result<Option<i64>, ReadError> {
        match self.value()? {
            ValueRef::Null => Ok(None),
            ValueRef::Integer(v) => Ok(Some(v)),
            _ => Err(self.wrong()),
        }
    }

    pub fn integer(&mut self) -> Result<i64, ReadError> {
        self.optional_integer()?.ok_or_else(|| self.wrong())
    }

    pub fn unsigned(&mut self) -> Result<u64, ReadError> {
        self.integer().map(i64::cast_unsigned)
    }

    pub fn optional_unsigned(&mut self) -> Result<Option<u64>, ReadError> {
        Ok(self.optional_integer()?.map(i64::cast_unsigned))
    }

    pub fn boolean(&mut self) -> Result<bool, ReadError> {
        match self.integer()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(self.wrong()),
        }
    }

    pub fn optional_text(&mut self) -> Result<Option<String>, ReadError> {
        match self.value()? {
            ValueRef::Null => Ok(None),
            ValueRef::Text(text) => match std::str::from_utf8(text) {
                Ok(text) => Ok(Some(text.to_owned())),
                Err(_) => Err(self.wrong()),
            },
            _ => Err(self.wrong()),
        }
    }

    pub fn text(&mut self) -> Result<String, ReadError> {
        self.optional_text()?.ok_or_else(|| self.wrong())
    }

    pub fn optional_digest<const N: usize>(&mut self) -> Result<Option<[u8; N]>, ReadError> {
        match self.value()? {
            ValueRef::Null => Ok(None),
            ValueRef::Blob(bytes) => <[u8; N]>::try_from(bytes).map(Some).map_err(|_| self.wrong()),
            _ => Err(self.wrong()),
        }
    }

    fn md5(&mut self) -> Result<Option<Md5>, ReadError> {
        Ok(self.optional_digest()?.map(Md5))
    }

    fn sha1(&mut self) -> Result<Option<Sha1>, ReadError> {
        Ok(self.optional_digest()?.map(Sha1))
    }

    pub fn sha256(&mut self) -> Result<Option<Sha256>, ReadError> {
        Ok(self.optional_digest()?.map(Sha256))
    }

    /// Its id, and the row without its facts.
    pub fn evidence(&mut self) -> Result<(i64, EvidenceRow), ReadError> {
        let id = self.integer()?;
        let row = EvidenceRow {
            kind: self.text()?,
            media_size: self.unsigned()?,
            exhibit: self.optional_text()?,
            segments: self.unsigned()?,
            stored_md5: self.md5()?,
            stored_sha1: self.sha1()?,
            md5: self.md5()?,
            sha1: self.sha1()?,
            sha256: self.sha256()?,
            verdict: self.text()?,
            facts: Vec::new(),
        };
        Ok((id, row))
    }

    /// A row of schema version 1, or of any later one.
    pub fn known_set(&mut self, version: i32) -> Result<KnownSetRow, ReadError> {
        let first = version == 1;
        Ok(KnownSetRow {
            id: self.integer()?,
            name: self.text()?,
            version: if first { String::new() } else { self.text()? },
            format: self.text()?,
            source_sha256: self.sha256()?,
            set_sha256: if first { None } else { self.sha256()? },
            scheme: self.text()?,
            scheme_version: self.text()?,
            scheme_digest: self.sha256()?,
            records_kept: self.unsigned()?,
            rejected: self.unsigned()?,
        })
    }

    pub fn volume(&mut self) -> Result<VolumeRow, ReadError> {
        Ok(VolumeRow {
            id: self.integer()?,
            label: self.text()?,
            start: self.unsigned()?,
            length: self.unsigned()?,
            status: self.text()?,
            kind: self.optional_text()?,
            fs_label: self.optional_text()?,
            serial: self.optional_text()?,
            cluster_size: self.unsigned()?,
            time_source: self.optional_text()?,
            detail: self.text()?,
        })
    }

    pub fn space(&mut self) -> Result<SpaceRow, ReadError> {
        self.integer()?;
        Ok(SpaceRow {
            volume: self.optional_integer()?,
            kind: self.text()?,
            start: self.unsigned()?,
            length: self.unsigned()?,
        })
    }

    pub fn file(&mut self) -> Result<FileRow, ReadError> {
        Ok(FileRow {
            id: self.integer()?,
            volume: self.integer()?,
            path: self.text()?,
            stream: self.optional_text()?,
            kind: self.text()?,
            state: self.text()?,
            number: self.unsigned()?,
            size: self.unsigned()?,
            created: self.optional_integer()?,
            modified: self.optional_integer()?,
            accessed: self.optional_integer()?,
            changed: self.optional_integer()?,
            deleted: self.optional_integer()?,
            name_created: self.optional_integer()?,
            name_modified: self.optional_integer()?,
            name_accessed: self.optional_integer()?,
            name_changed: self.optional_integer()?,
            zone: self.text()?,
            md5: self.md5()?,
            sha1: self.sha1()?,
            sha256: self.sha256()?,
            unreadable: self.optional_text()?,
            media: self.optional_text()?,
            format: self.optional_text()?,
            note: self.text()?,
            parent: self.optional_integer()?,
        })
    }

    pub fn extent(&mut self) -> Result<ExtentRow, ReadError> {
        self.integer()?;
        self.integer()?;
        Ok(ExtentRow { logical: self.unsigned()?, length: self.unsigned()?, start: self.optional_unsigned()? })
    }

    pub fn original(&mut self) -> Result<OriginalRow, ReadError> {
        Ok(OriginalRow {
            file_id: self.integer()?,
            original_path: self.text()?,
            deleted_ns: self.optional_integer()?,
            info_file_id: self.integer()?,
        })
    }

    pub fn known_match(&mut self) -> Result<MatchRow, ReadError> {
        let file_id = self.integer()?;
        self.integer()?;
        Ok(MatchRow {
            file_id,
            set_id: self.integer()?,
            record: self.text()?,
            basis: self.text()?,
            category: self.optional_text()?,
            meaning: self.optional_text()?,
            alerts: self.boolean()?,
            hides: self.boolean()?,
            series: self.optional_text()?,
        })
    }

    pub fn problem(&mut self) -> Result<ProblemRow, ReadError> {
        Ok(ProblemRow {
            seq: self.integer()?,
            volume: self.optional_integer()?,
            layer: self.text()?,
            code: self.text()?,
            offset: self.optional_unsigned()?,
            path: self.optional_text()?,
            detail: self.text()?,
        })
    }

    pub fn completeness(&mut self) -> Result<CompletenessRow, ReadError> {
        Ok(CompletenessRow {
            seq: self.integer()?,
            level: Level::from_word(&self.text()?).ok_or_else(|| self.wrong())?,
            code: self.text()?,
            count: self.unsigned()?,
            bytes: self.optional_unsigned()?,
            text: self.text()?,
        })
    }
}
