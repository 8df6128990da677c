//! The votes on every content of an investigation.

use super::{Store, db, tx};
use crate::at::Recorded;
use crate::error::Result;
use crate::event::Event;
use crate::ids::InvestigationId;
use crate::vote::ItemVotes;

impl Store {
    /// The votes on each content of an investigation on which there is something, in the order of the digests.
    pub(crate) async fn votes_in(&self, investigation: InvestigationId) -> Result<Vec<ItemVotes>> {
        let mut conn = self.db.reader().await?;
        let mut all = vec![];
        for row in rows!(conn, ALL_MEDIA, investigation.to_string()) {
            let sha256 = db::sha256(&row, 0)?;
            let facts = tx::facts(&mut conn, &sha256.to_string()).await?;
            let mut item = ItemVotes::new(sha256);
            let mut any = false;
            for Recorded { seq, at, by, fact } in facts {
                if let Event::Vote { fact, .. } = fact {
                    item.apply(&Recorded { seq, at, by, fact });
                    any = true;
                }
            }
            if any {
                all.push(item);
            }
        }
        Ok(all)
    }
}
