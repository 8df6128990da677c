//! Reads the tables of pictures and of a rematch. A file of schema version 1 has none of them.

use std::ops::ControlFlow;

use avocet_base::{PdqHash, Sha256};

use super::columns::Columns;
use super::{Beside, Examination};
use crate::canonical::KeyOrder;
use crate::error::ReadError;
use crate::rows::{ChangeRow, FactRow, GroupRow, HashRow, ImageRow, NearRow, PictureRow, PictureView};
use crate::schema::{self, Table};

/// A row with the picture that it belongs to.
type Of<T> = (i64, T);

/// Takes the two columns of the key off.
fn key(c: &mut Columns<'_, '_>) -> Result<i64, ReadError> {
    let picture = c.integer()?;
    c.integer()?;
    Ok(picture)
}

fn picture(c: &mut Columns<'_, '_>) -> Result<PictureRow, ReadError> {
    Ok(PictureRow {
        file_id: c.integer()?,
        sha256: Sha256(c.optional_digest()?.ok_or_else(|| c.wrong())?),
        kind: c.text()?,
        status: c.text()?,
        code: c.optional_text()?,
        reason: c.optional_text()?,
        orientation: c.optional_integer()?,
        thumbnail: c.optional_text()?,
    })
}

fn image(c: &mut Columns<'_, '_>) -> Result<Of<ImageRow>, ReadError> {
    let picture = key(c)?;
    let row = ImageRow {
        role: c.text()?,
        width: c.unsigned()?,
        height: c.unsigned()?,
        decoder: c.text()?,
        partial: c.optional_text()?,
    };
    Ok((picture, row))
}

fn hash(c: &mut Columns<'_, '_>) -> Result<Of<HashRow>, ReadError> {
    let picture = key(c)?;
    let row = HashRow {
        image: c.unsigned()?,
        form: c.text()?,
        path: c.text()?,
        quality: c.unsigned()?,
        pdq: PdqHash(c.optional_digest()?.ok_or_else(|| c.wrong())?),
        turned: {
            let turned: [u8; 7 * 32] = c.optional_digest()?.ok_or_else(|| c.wrong())?;
            let mut out = [PdqHash([0; 32]); 7];
            for (slot, bytes) in out.iter_mut().zip(turned.as_chunks::<32>().0) {
                *slot = PdqHash(*bytes);
            }
            out
        },
    };
    Ok((picture, row))
}

fn fact(c: &mut Columns<'_, '_>) -> Result<Of<FactRow>, ReadError> {
    Ok((key(c)?, FactRow { key: c.text()?, value: c.text()?, source: c.text()? }))
}

fn near(c: &mut Columns<'_, '_>) -> Result<Of<NearRow>, ReadError> {
    let picture = key(c)?;
    let image = c.unsigned()?;
    let form = c.text()?;
    let turn = c.unsigned()?;
    let row = NearRow {
        set_id: c.integer()?,
        record: c.text()?,
        distance: c.unsigned()?,
        category: c.optional_text()?,
        meaning: c.optional_text()?,
        alerts: c.boolean()?,
        series: c.optional_text()?,
        image,
        form,
        turn,
    };
    Ok((picture, row))
}

fn group(c: &mut Columns<'_, '_>) -> Result<GroupRow, ReadError> {
    Ok(GroupRow {
        representative: key(c)?,
        member: c.integer()?,
        distance: c.unsigned()?,
        form: c.text()?,
        turn: c.unsigned()?,
    })
}

fn change(c: &mut Columns<'_, '_>) -> Result<ChangeRow, ReadError> {
    c.integer()?;
    Ok(ChangeRow {
        file_id: c.integer()?,
        change: c.text()?,
        how: c.text()?,
        known_set: c.text()?,
        record: c.text()?,
        before: c.optional_text()?,
        after: c.optional_text()?,
    })
}

fn owner<T>(row: &Of<T>) -> i64 {
    row.0
}

impl Examination {
    /// Visits every picture in the order of the first file that holds it, one at a time. `Break` ends it.
    ///
    /// # Errors
    /// Whatever `each` gives, and [`ReadError::Malformed`] as `E`.
    pub fn pictures<E: From<ReadError>>(
        &self,
        each: &mut dyn FnMut(PictureView) -> Result<ControlFlow<()>, E>,
    ) -> Result<(), E> {
        self.pictures_where(None, each)
    }

    /// The picture whose first file is this; `None` where the file is no picture, or not the first of its content.
    ///
    /// # Errors
    /// [`ReadError::Malformed`].
    pub fn picture(&self, file: i64) -> Result<Option<PictureView>, ReadError> {
        let mut found = None;
        self.pictures_where(Some(file), &mut |view| {
            found = Some(view);
            Ok::<_, ReadError>(ControlFlow::Break(()))
        })?;
        Ok(found)
    }

    fn pictures_where<E: From<ReadError>>(
        &self,
        only: Option<i64>,
        each: &mut dyn FnMut(PictureView) -> Result<ControlFlow<()>, E>,
    ) -> Result<(), E> {
        if self.version < 2 {
            return Ok(());
        }
        let (by_file, by_picture) =
            if only.is_some() { ("file = ?", "picture = ?") } else { ("file > ?", "picture > ?") };
        // No writer gives this very id, so nothing is lost by beginning after it.
        let value = only.unwrap_or(i64::MIN);
        let prepare = |table: &Table, condition| {
            self.conn.prepare_cached(&table.select_where(condition)).map_err(ReadError::from)
        };
        let mut pictures = prepare(&schema::PICTURE, by_file)?;
        let mut images = prepare(&schema::PICTURE_IMAGE, by_picture)?;
        let mut hashes = prepare(&schema::PICTURE_HASH, by_picture)?;
        let mut facts = prepare(&schema::PICTURE_FACT, by_picture)?;
        let mut nears = prepare(&schema::NEAR_MATCH, by_picture)?;
        let mut images = Beside::new(&mut images, &schema::PICTURE_IMAGE, value, self.budget(), image, owner)?;
        let mut hashes = Beside::new(&mut hashes, &schema::PICTURE_HASH, value, self.budget(), hash, owner)?;
        let mut facts = Beside::new(&mut facts, &schema::PICTURE_FACT, value, self.budget(), fact, owner)?;
        let mut nears = Beside::new(&mut nears, &schema::NEAR_MATCH, value, self.budget(), near, owner)?;
        let mut rows = pictures.query([value]).map_err(ReadError::from)?;
        let mut order = KeyOrder::new(&schema::PICTURE);
        let mut budget = self.budget();
        while let Some(row) = rows.next().map_err(ReadError::from)? {
            order.next(row)?;
            let mut columns = Columns::new(row, &schema::PICTURE);
            let picture = picture(&mut columns)?;
            budget.take(&columns)?;
            let id = picture.file_id;
            let view = PictureView {
                picture,
                images: images.all_of(id)?.into_iter().map(|r| r.1).collect(),
                hashes: hashes.all_of(id)?.into_iter().map(|r| r.1).collect(),
                facts: facts.all_of(id)?.into_iter().map(|r| r.1).collect(),
                near: nears.all_of(id)?.into_iter().map(|r| r.1).collect(),
            };
            if each(view)?.is_break() {
                return Ok(());
            }
        }
        images.end()?;
        hashes.end()?;
        facts.end()?;
        Ok(nears.end()?)
    }

    /// The groups of pictures that look the same, by representative; its own row comes first.
    ///
    /// # Errors
    /// [`ReadError::Malformed`].
    pub fn groups(&self) -> Result<Vec<GroupRow>, ReadError> {
        if self.version < 2 { Ok(vec![]) } else { self.all(&schema::PICTURE_GROUP, group) }
    }

    /// What a rematch changed, in canonical order; empty for an examination of evidence.
    ///
    /// # Errors
    /// [`ReadError::Malformed`].
    pub fn changes(&self) -> Result<Vec<ChangeRow>, ReadError> {
        if self.version < 2 { Ok(vec![]) } else { self.all(&schema::MATCH_CHANGE, change) }
    }
}
