//! Figures for a period, and the facts that they are counted from.

use super::Desk;
use crate::error::Result;
use crate::event::Act;
use crate::figures::{self, Book, Cutoff, Export, Figures, Span};
use crate::law::Right;

impl Desk<'_> {
    /// Every figure for a period, from the facts recorded up to the cut-off; without one, from all. The look is recorded.
    ///
    /// # Errors
    /// [`crate::RecordError`].
    pub async fn figures(&self, span: Span, cutoff: Option<Cutoff>) -> Result<Figures> {
        self.may(Right::SeeFigures, None).await?;
        let mut book = Book::default();
        let last = self.store.facts_to_count(cutoff, |fact| book.apply(fact)).await?;
        let figures = figures::compute(&book, span, last, self.law);
        let purpose = format!("figures from {} to {} as of entry {last}", span.from, span.to);
        let records = u64::try_from(figures.all.len()).unwrap_or(u64::MAX);
        self.looked(Act::Viewed, vec![], &purpose, records).await?;
        Ok(figures)
    }

    /// The facts that figures are counted from, as CSV files by name, for somebody who counts again without this program.
    /// No text of a fact is in them: ids, times and kinds. That they were given out is recorded first.
    ///
    /// # Errors
    /// [`crate::RecordError`].
    pub async fn export_counted(&self, cutoff: Option<Cutoff>) -> Result<(u64, Export)> {
        self.may(Right::SeeFigures, None).await?;
        let mut export = Export::new(&self.law.disposals);
        let last = self.store.facts_to_count(cutoff, |fact| export.add(fact)).await?;
        let purpose = format!("the facts that figures are counted from, as of entry {last}");
        self.looked(Act::Exported, vec![], &purpose, export.rows()).await?;
        Ok((last, export))
    }
}
