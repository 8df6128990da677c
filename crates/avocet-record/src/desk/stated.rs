//! What a case file of somebody else states of contents: held against the contents of an investigation by all digests that a
//! record states, and never by a guess.

use std::collections::HashMap;

use avocet_base::{Md5, Sha1, Sha256, plural};

use super::Desk;
use super::agreement::{Imported, SetSays};
use crate::error::{RecordError, Result};
use crate::ids::InvestigationId;
use crate::law::Right;
use crate::vote::{Category, SetRef};

/// What one record of a file states of a content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stated {
    /// Which record of the file.
    pub record: u64,
    /// The byte at which it begins.
    pub offset: u64,
    /// MD5, where stated.
    pub md5: Option<Md5>,
    /// SHA-1, where stated.
    pub sha1: Option<Sha1>,
    /// SHA-256, where stated.
    pub sha256: Option<Sha256>,
    /// Bytes, where stated.
    pub bytes: Option<u64>,
    /// The category, in the scheme of the investigation.
    pub category: Category,
}

/// What came of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StatedImport {
    /// What was recorded, what was known, and how many records name no content of the investigation.
    pub done: Imported,
    /// Records that say of a content what an earlier record says too.
    pub again: u64,
    /// Records without a SHA-256 and without both MD5 and SHA-1: one short digest alone names no content.
    pub too_little: u64,
    /// Those of them whose one digest is that of a content here.
    pub too_little_here: u64,
}

impl StatedImport {
    /// Records that were left out, a sentence for each reason.
    #[must_use]
    pub fn left_out_words(&self) -> Vec<String> {
        let records = |n: u64| plural(n, "record", "records");
        let mut all = vec![];
        if self.done.elsewhere > 0 {
            all.push(format!(
                "{} left out: of contents that the investigation does not have.",
                records(self.done.elsewhere)
            ));
        }
        if self.too_little > 0 {
            all.push(format!(
                "{} left out: without a SHA-256 and without both MD5 and SHA-1; of {} the one digest is that of a content here.",
                records(self.too_little),
                self.too_little_here
            ));
        }
        if self.again > 0 {
            all.push(format!("{} left out: what an earlier record says of the same content.", records(self.again)));
        }
        all
    }

    /// What was recorded, a sentence.
    #[must_use]
    pub fn recorded_words(&self) -> String {
        let recorded = plural(self.done.recorded, "category", "categories");
        format!("{recorded} recorded, {} known from this version already.", self.done.already)
    }
}

/// A content of the investigation.
struct Content {
    sha256: Sha256,
    md5: Option<Md5>,
    sha1: Option<Sha1>,
    bytes: u64,
}

/// What a record names.
enum Names {
    One(Sha256),
    None,
    TooLittle { here: bool },
}

#[derive(Default)]
struct Contents {
    all: Vec<Content>,
    sha256: HashMap<Sha256, usize>,
    md5: HashMap<Md5, Vec<usize>>,
    sha1: HashMap<Sha1, Vec<usize>>,
}

impl Contents {
    fn add(&mut self, content: Content) {
        let at = self.all.len();
        self.sha256.insert(content.sha256, at);
        if let Some(md5) = content.md5 {
            self.md5.entry(md5).or_default().push(at);
        }
        if let Some(sha1) = content.sha1 {
            self.sha1.entry(sha1).or_default().push(at);
        }
        self.all.push(content);
    }

    fn by_md5(&self, stated: &Stated) -> &[usize] {
        stated.md5.and_then(|md5| self.md5.get(&md5)).map_or(&[], Vec::as_slice)
    }

    fn by_sha1(&self, stated: &Stated) -> &[usize] {
        stated.sha1.and_then(|sha1| self.sha1.get(&sha1)).map_or(&[], Vec::as_slice)
    }

    /// What a record names. The error is a field and what it contradicts.
    fn named(&self, stated: &Stated) -> std::result::Result<Names, (&'static str, &'static str)> {
        let (by_md5, by_sha1) = (self.by_md5(stated), self.by_sha1(stated));
        if let Some(sha256) = stated.sha256 {
            return match self.sha256.get(&sha256).and_then(|at| self.all.get(*at)) {
                Some(content) => fits(content, stated).map(|()| Names::One(sha256)),
                None if !by_md5.is_empty() => {
                    Err(("MD5", "it is that of a content here whose SHA-256 is another than the record's"))
                }
                None if !by_sha1.is_empty() => {
                    Err(("SHA1", "it is that of a content here whose SHA-256 is another than the record's"))
                }
                None => Ok(Names::None),
            };
        }
        if stated.md5.is_none() || stated.sha1.is_none() {
            return Ok(Names::TooLittle { here: !by_md5.is_empty() || !by_sha1.is_empty() });
        }
        let mut both = by_md5.iter().filter(|at| by_sha1.contains(at)).filter_map(|at| self.all.get(*at));
        match (both.next(), both.next()) {
            (Some(content), None) => fits(content, stated).map(|()| Names::One(content.sha256)),
            (Some(_), Some(_)) => {
                Err(("SHA1", "two contents here have its MD5 and SHA-1; only a SHA-256 tells them apart"))
            }
            (None, _) => {
                // Where the content's other digest is known, it is another than the record's.
                let of = |at: &usize| self.all.get(*at);
                if by_md5.iter().filter_map(of).any(|content| content.sha1.is_some()) {
                    return Err(("SHA1", "its MD5 is that of a content here whose SHA-1 is another"));
                }
                if by_sha1.iter().filter_map(of).any(|content| content.md5.is_some()) {
                    return Err(("MD5", "its SHA-1 is that of a content here whose MD5 is another"));
                }
                match by_md5.is_empty() && by_sha1.is_empty() {
                    true => Ok(Names::None),
                    false => Ok(Names::TooLittle { here: true }),
                }
            }
        }
    }
}

/// Whether everything that a record states is so of a content.
fn fits(content: &Content, stated: &Stated) -> std::result::Result<(), (&'static str, &'static str)> {
    if content.md5.zip(stated.md5).is_some_and(|(is, says)| is != says) {
        return Err(("MD5", "it is not that of the content which its other digests name"));
    }
    if content.sha1.zip(stated.sha1).is_some_and(|(is, says)| is != says) {
        return Err(("SHA1", "it is not that of the content which its other digests name"));
    }
    if stated.bytes.is_some_and(|bytes| bytes != content.bytes) {
        return Err(("MediaSize", "it is not the size of the content which its digests name"));
    }
    Ok(())
}

/// What the records say of these contents. The error is a clause that names the record.
fn matched(contents: &Contents, stated: &[Stated]) -> std::result::Result<(Vec<SetSays>, StatedImport), String> {
    let mut import = StatedImport::default();
    let mut seen: HashMap<Sha256, (u64, &Category)> = HashMap::new();
    let mut says = vec![];
    for one in stated {
        let wrong = |field: &str, why: &str| {
            format!("record {}, byte {}, field {field}: {why}; nothing was recorded", one.record, one.offset)
        };
        let sha256 = match contents.named(one).map_err(|(field, why)| wrong(field, why))? {
            Names::One(sha256) => sha256,
            Names::None => {
                import.done.elsewhere = import.done.elsewhere.saturating_add(1);
                continue;
            }
            Names::TooLittle { here } => {
                import.too_little = import.too_little.saturating_add(1);
                import.too_little_here = import.too_little_here.saturating_add(u64::from(here));
                continue;
            }
        };
        match seen.get(&sha256) {
            Some((_, category)) if **category == one.category => import.again = import.again.saturating_add(1),
            Some((first, _)) => {
                let why = format!("record {first} is of the same content and says another category");
                return Err(wrong("Category", &why));
            }
            None => {
                seen.insert(sha256, (one.record, &one.category));
                says.push(SetSays { sha256, category: one.category.clone(), trusted: false });
            }
        }
    }
    Ok((says, import))
}

impl Desk<'_> {
    /// Records what a file states of the contents that an investigation has, as [`Desk::import_categories`] does: all of it or
    /// nothing. A record is of a content where its SHA-256 is, or without one where both MD5 and SHA-1 are; nothing that it states
    /// may differ. A VICS file has no word for a category that is trusted, so none is.
    ///
    /// # Errors
    /// [`RecordError::Refused`] names a record whose digests contradict each other, or that says another category of a content
    /// than an earlier one.
    pub async fn import_stated(
        &self,
        investigation: InvestigationId,
        set: &SetRef,
        stated: &[Stated],
    ) -> Result<StatedImport> {
        self.may(Right::AttachExamination, Some(investigation)).await?;
        let mut contents = Contents::default();
        for (row, _) in self.store.review_rows(investigation).await? {
            let found = row.tile.found;
            contents.add(Content { sha256: row.sha256, md5: found.md5, sha1: found.sha1, bytes: found.bytes });
        }
        let (says, mut import) = matched(&contents, stated).map_err(RecordError::Refused)?;
        let done = self.import_categories(investigation, set, &says).await?;
        import.done.recorded = done.recorded;
        import.done.already = done.already;
        import.done.elsewhere = import.done.elsewhere.saturating_add(done.elsewhere);
        Ok(import)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contents() -> Contents {
        let mut all = Contents::default();
        for n in 1..=3u8 {
            let sha1 = (n != 3).then_some(Sha1([n; 20]));
            all.add(Content { sha256: Sha256([n; 32]), md5: Some(Md5([n; 16])), sha1, bytes: u64::from(n) });
        }
        all
    }

    fn record(md5: Option<u8>, sha1: Option<u8>, sha256: Option<u8>) -> Stated {
        let category = "1".parse().unwrap();
        let (md5, sha1) = (md5.map(|n| Md5([n; 16])), sha1.map(|n| Sha1([n; 20])));
        Stated { record: 7, offset: 70, md5, sha1, sha256: sha256.map(|n| Sha256([n; 32])), bytes: None, category }
    }

    #[test]
    fn a_record_is_of_a_content_by_its_sha256_or_by_both_others_and_by_nothing_less() {
        let all = contents();
        let of = |stated: &Stated| matched(&all, std::slice::from_ref(stated)).unwrap();
        for stated in [record(None, None, Some(1)), record(Some(1), Some(1), None), record(Some(1), Some(1), Some(1))] {
            assert_eq!(of(&stated).0[0].sha256, Sha256([1; 32]));
            assert!(!of(&stated).0[0].trusted);
        }
        for stated in [record(None, None, Some(9)), record(Some(9), Some(9), None), record(Some(9), None, Some(9))] {
            assert_eq!((of(&stated).0.len(), of(&stated).1.done.elsewhere), (0, 1));
        }
        for (stated, here) in [
            (record(Some(1), None, None), 1),
            (record(None, Some(1), None), 1),
            (record(Some(9), None, None), 0),
            (record(None, None, None), 0),
            // What the examination took no SHA-1 of is not named by its MD5 alone.
            (record(Some(3), Some(9), None), 1),
        ] {
            let import = of(&stated).1;
            assert_eq!((import.too_little, import.too_little_here, of(&stated).0.len()), (1, here, 0));
        }
    }

    #[test]
    fn digests_that_contradict_each_other_refuse_the_file_with_the_record_and_the_field() {
        let all = contents();
        for (stated, field) in [
            (record(Some(2), None, Some(1)), "MD5"),
            (record(None, Some(2), Some(1)), "SHA1"),
            (record(Some(1), None, Some(9)), "MD5"),
            (record(None, Some(1), Some(9)), "SHA1"),
            (record(Some(1), Some(2), None), "SHA1"),
            (record(Some(1), Some(9), None), "SHA1"),
            (record(Some(9), Some(1), None), "MD5"),
            (Stated { bytes: Some(2), ..record(None, None, Some(1)) }, "MediaSize"),
        ] {
            let why = matched(&all, &[record(None, None, Some(2)), stated]).unwrap_err();
            assert!(why.starts_with(&format!("record 7, byte 70, field {field}: ")), "{why}");
        }
    }

    #[test]
    fn one_content_twice_is_once_and_two_categories_for_it_are_refused() {
        let all = contents();
        let (first, second) = (record(None, None, Some(1)), record(Some(1), Some(1), None));
        let (says, import) = matched(&all, &[first.clone(), second.clone()]).unwrap();
        assert_eq!((says.len(), import.again), (1, 1));
        let other = Stated { category: "2".parse().unwrap(), record: 8, ..second };
        let why = matched(&all, &[first, other]).unwrap_err();
        assert!(why.contains("record 8, byte 70, field Category: record 7 is of the same content"), "{why}");
    }
}
