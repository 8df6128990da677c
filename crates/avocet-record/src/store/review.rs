//! The rows of the review queue, and who has what before them.

use std::collections::{BTreeMap, BTreeSet};

use avocet_base::Sha256;
use avocet_near::group::{DEFAULT_RADIUS, Item, near_groups};
use serde::{Deserialize, Serialize};
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::many::{self, many};
use super::media::policy;
use super::read::text;
use super::tx::{self, Tx};
use super::{Store, db};
use crate::at::{At, Day, Recorded};
use crate::desk::Exposure;
use crate::digest::digest;
use crate::error::{DatabaseResult as _, RecordError, Result};
use crate::event::Event;
use crate::ids::{ExaminationId, ExhibitId, InvestigationId, UserId};
use crate::review::{Found, InGroup, Place, Queueing, Reason, ReviewFact, Todo, read_list, todo};
use crate::staff::MINUTE;
use crate::vote::{Basis, Purpose, SchemeRef, VoteFact};

/// What the row of a content repeats of the lists of what was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tile {
    /// What the first examination that has it says, with what the others add.
    pub found: Found,
    /// In which examinations.
    pub examinations: BTreeSet<ExaminationId>,
    /// On which devices.
    pub exhibits: BTreeSet<ExhibitId>,
    /// Whether a device of the investigation took it.
    pub own_camera: bool,
}

/// A content as the queue's rows have it.
#[derive(Debug, Clone)]
pub(crate) struct QueueRow {
    pub sha256: Sha256,
    pub reason: Option<Reason>,
    pub outcome: String,
    pub tile: Tile,
}

/// A content of a near group.
#[derive(Debug, Clone)]
pub(crate) struct GroupRow {
    pub row: QueueRow,
    pub todo: i64,
    /// Who has it before them.
    pub leased: Option<UserId>,
    /// Whether the person who asks was shown its veiled tile.
    pub shown: bool,
}

/// Who has a content before them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lease {
    pub by: UserId,
    pub todo: i64,
    pub ends: At,
}

fn tile(row: &AnyRow, at: usize) -> Result<Tile> {
    serde_json::from_str(&text(row, at)?)
        .map_err(|_| RecordError::Refused("a row of the review queue is damaged; run `avocet record rebuild`".into()))
}

fn number(row: &AnyRow, at: usize) -> Result<i64> {
    row.try_get(at).when("read the review queue")
}

fn queue_row(row: &AnyRow) -> Result<QueueRow> {
    let outcome: Option<String> = row.try_get(2).when("read the review queue")?;
    Ok(QueueRow {
        sha256: db::sha256(row, 0)?,
        reason: Reason::of(number(row, 1)?),
        outcome: outcome.unwrap_or_default(),
        tile: tile(row, 4)?,
    })
}

/// The subject of an investigation's totals of its queue.
pub(crate) fn totals_of(investigation: InvestigationId) -> String {
    format!("{investigation} review")
}

/// How a vote's scheme stands in the rows.
pub(crate) fn scheme_text(scheme: &SchemeRef) -> String {
    format!("{}@{}", scheme.id, scheme.version)
}

/// A row of the queue that is about to be written.
struct ReviewRow {
    sha256: Sha256,
    todo: Todo,
    reason: Option<Reason>,
    stack: i64,
    within: i64,
    stands_for: Option<Sha256>,
    said: String,
    tile: Tile,
}

impl Tx<'_> {
    /// The lists of what was found by the examinations of an investigation as of an entry, those that another replaced left
    /// out, in the order of their numbers.
    async fn found_in(
        &mut self,
        investigation: InvestigationId,
        until: u64,
    ) -> Result<Vec<(ExaminationId, ExhibitId, Vec<Found>)>> {
        let facts = tx::facts_of_kind(&mut self.conn, &investigation.to_string(), Event::EXAMINATION_ATTACHED).await?;
        let mut attached = BTreeMap::new();
        for recorded in facts.into_iter().filter(|recorded| recorded.seq <= until) {
            if let Event::ExaminationAttached { examination, exhibit, media_list, review_list, replaces, .. } =
                recorded.fact
            {
                if let Some(old) = replaces {
                    attached.remove(&old);
                }
                attached.insert(examination, (recorded.seq, exhibit, media_list, review_list));
            }
        }
        let mut lists = vec![];
        for (examination, (seq, exhibit, media_list, review_list)) in attached {
            let wrong = |why: &str| RecordError::Content { seq, why: why.to_owned() };
            let (name, expected) = match review_list {
                Some(expected) => (format!("review {examination}"), expected),
                None => (format!("media {examination}"), media_list),
            };
            let bytes = self.document(&name).await?;
            if digest(&bytes) != expected {
                return Err(wrong("a list kept with it does not have the digest that it states"));
            }
            let text = String::from_utf8(bytes).map_err(|_| wrong("a list kept with it is no text"))?;
            let found = match review_list {
                Some(_) => read_list(&text).map_err(|_| wrong("the list of what was found cannot be read"))?,
                // Attached by a program that kept no such list: nothing is known of what sets say, so that all is queued.
                None => text.lines().filter_map(bare).collect(),
            };
            lists.push((examination, exhibit, found));
        }
        Ok(lists)
    }

    /// Cameras of an investigation's devices: tokens of serial numbers that stand on them, and models that somebody stated.
    async fn own_cameras(
        &mut self,
        investigation: InvestigationId,
        until: u64,
    ) -> Result<(BTreeSet<Sha256>, BTreeSet<String>)> {
        let rows = rows!(self.conn, DEVICE_TOKENS, investigation.to_string());
        let tokens = rows.iter().map(|row| db::sha256(row, 0)).collect::<Result<_>>()?;
        let stated = tx::facts_of_kind(&mut self.conn, &investigation.to_string(), Event::CAMERA_STATED).await?;
        let models =
            stated.into_iter().filter(|recorded| recorded.seq <= until).filter_map(|recorded| match recorded.fact {
                Event::Review { fact: ReviewFact::CameraStated { model, .. }, .. } => Some(model),
                _ => None,
            });
        Ok((tokens, models.map(|model| camera_text(&model)).collect()))
    }

    /// Makes the queue of an investigation anew as of an entry: an examination came, the policy changed, or it became known
    /// which cameras are the devices' own.
    pub(super) async fn requeue(&mut self, investigation: InvestigationId, until: u64) -> Result<()> {
        let id = investigation.to_string();
        run!(self, FORGET_REVIEW, id.clone());
        run!(self, FORGET_TOTALS, totals_of(investigation));
        let lists = self.found_in(investigation, until).await?;
        if lists.is_empty() {
            return Ok(());
        }
        let policy = policy(&mut self.conn, investigation, until).await?;
        let (tokens, models) = self.own_cameras(investigation, until).await?;
        let mut tiles: BTreeMap<Sha256, (Tile, i64)> = BTreeMap::new();
        for (examination, exhibit, found) in lists {
            for found in found {
                let own = !found.serials.is_disjoint(&tokens)
                    || found.camera.as_ref().is_some_and(|camera| models.contains(camera));
                match tiles.get_mut(&found.sha256) {
                    Some((tile, _)) => tile.add(found, examination, exhibit, own),
                    None => {
                        let at = Place::of_file(examination.number(), found.file);
                        let tile = Tile {
                            examinations: [examination].into(),
                            exhibits: [exhibit].into(),
                            own_camera: own,
                            found,
                        };
                        tiles.insert(tile.found.sha256, (tile, at));
                    }
                }
            }
        }
        let mut outcomes = BTreeMap::new();
        for row in rows!(self.conn, ATTACHED_MEDIA, id.clone()) {
            outcomes.insert(db::sha256(&row, 0)?, text(&row, 1)?);
        }
        let elsewhere: BTreeSet<Sha256> =
            rows!(self.conn, SHARED_MEDIA, id.clone()).iter().map(|row| db::sha256(row, 0)).collect::<Result<_>>()?;
        let queueing = Queueing { policy: policy.as_ref() };
        let reasons: BTreeMap<Sha256, Option<Reason>> = tiles
            .iter()
            .map(|(sha256, (tile, _))| {
                (*sha256, queueing.reason(&tile.found, tile.own_camera, elsewhere.contains(sha256)))
            })
            .collect();
        group(tiles.values_mut().map(|(tile, _)| &mut tile.found), &reasons)?;
        let places: BTreeMap<Sha256, i64> = tiles.iter().map(|(sha256, (_, at))| (*sha256, *at)).collect();
        let mut counts = Counts::default();
        let mut waiting = Vec::with_capacity(many::ROWS);
        for (sha256, (tile, at)) in tiles {
            let found = &tile.found;
            let reason = reasons.get(&sha256).copied().flatten();
            let said = queueing.said(found);
            let outcome = outcomes.get(&sha256).map_or("undecided", String::as_str);
            let todo = todo(reason.is_some(), outcome, &said);
            let stands_for = found.group.as_ref().map(|group| group.representative);
            let stack = stands_for.and_then(|sha256| places.get(&sha256)).copied().unwrap_or(at);
            let within = if stack == at { 0 } else { at };
            counts.add(&tile, todo, reason);
            waiting.push(ReviewRow { sha256, todo, reason, stack, within, stands_for, said, tile });
            if waiting.len() == many::ROWS {
                self.add_review(&id, &waiting).await?;
                waiting.clear();
            }
        }
        self.add_review(&id, &waiting).await?;
        for (what, n) in counts.0 {
            run!(self, ADD_TO_TOTAL, totals_of(investigation), what, n);
        }
        // What others had alone, they have no longer.
        for row in rows!(self.conn, COUNT_NO_LONGER_ALONE, id.clone()) {
            let (other, todo, n) = (text(&row, 0)?, number(&row, 1)?, number(&row, 2)?);
            let (from, to) = (Reason::NowhereElse.number(), Reason::Unknown.number());
            run!(self, ADD_TO_TOTAL, format!("{other} review"), format!("{todo} {from}"), -n);
            run!(self, ADD_TO_TOTAL, format!("{other} review"), format!("{todo} {to}"), n);
        }
        run!(self, NO_LONGER_ALONE, id);
        Ok(())
    }

    async fn add_review(&mut self, investigation: &str, rows: &[ReviewRow]) -> Result<()> {
        many!(self, ADD_REVIEW, rows, row =>
            investigation.to_owned(),
            row.sha256.0.to_vec(),
            row.todo.number(),
            row.reason.map_or(0, Reason::number),
            row.stack,
            row.within,
            row.stands_for.map_or_else(Vec::new, |sha256| sha256.0.to_vec()),
            row.said.clone(),
            // A tile always has a text form.
            serde_json::to_string(&row.tile).unwrap_or_default(),
        );
        Ok(())
    }

    /// Says anew what is to be done with a content, where it stands elsewhere than before.
    pub(super) async fn set_todo(
        &mut self,
        investigation: InvestigationId,
        sha256: &Sha256,
        outcome: &str,
    ) -> Result<()> {
        let Some(row) = row!(self.conn, REVIEW, investigation.to_string(), sha256.0.to_vec()) else { return Ok(()) };
        let (before, reason, said) = (number(&row, 0)?, number(&row, 1)?, text(&row, 2)?);
        let now = todo(reason != 0, outcome, &said).number();
        if now != before {
            run!(self, ADD_TO_TOTAL, totals_of(investigation), format!("{before} {reason}"), -1i64);
            run!(self, ADD_TO_TOTAL, totals_of(investigation), format!("{now} {reason}"), 1i64);
            run!(self, SET_TODO, investigation.to_string(), sha256.0.to_vec(), now);
        }
        Ok(())
    }

    /// Repeats who voted on what.
    pub(super) async fn set_voter(&mut self, recorded: &Recorded<&VoteFact>) -> Result<()> {
        let (account, vote) = (recorded.by.to_string(), db::int(recorded.seq));
        match recorded.fact {
            VoteFact::Voted { investigation, sha256, scheme, basis, purpose, .. } => {
                let standing = match purpose {
                    Purpose::Grading => "grading",
                    Purpose::SecondView => "second-view",
                    Purpose::Moderation => "moderation",
                };
                let (group, what) = match basis {
                    Basis::Viewed {} => (String::new(), "graded"),
                    Basis::AcceptedInGroup { group, .. } => (group.clone(), "accepted-in-group"),
                    Basis::ByExactMatch { .. } => (String::new(), "by-exact-match"),
                };
                let (id, scheme) = (investigation.to_string(), scheme_text(scheme));
                run!(self, SET_VOTER, sha256.0.to_vec(), account, scheme, id, vote, standing, group);
                self.add_exposure(recorded.by, recorded.at, *investigation, what, 1, 0).await?;
            }
            VoteFact::Withdrawn { sha256, vote, .. } => {
                run!(self, WITHDRAW_VOTER, sha256.0.to_vec(), account, db::int(*vote));
            }
            VoteFact::SecondViewRequested { .. } | VoteFact::Imported { .. } | VoteFact::PolicySet(_) => {}
        }
        Ok(())
    }

    pub(super) async fn add_exposure(
        &mut self,
        by: UserId,
        at: At,
        investigation: InvestigationId,
        what: &str,
        n: i64,
        ms: i64,
    ) -> Result<()> {
        let (account, day) = (by.to_string(), Day::of(at).to_string());
        run!(self, ADD_EXPOSURE, account.clone(), day, investigation.to_string(), what, n, ms);
        // What a set says of an exact match was not looked at.
        if what != "by-exact-match" {
            run!(self, ADD_LOOKED, account, at.ns().div_euclid(MINUTE), i64::from(what == "breaks"));
        }
        Ok(())
    }

    pub(super) async fn apply_review(
        &mut self,
        investigation: InvestigationId,
        recorded: &Recorded<&ReviewFact>,
    ) -> Result<()> {
        let Recorded { seq, at, by, fact } = recorded;
        match fact {
            ReviewFact::Veiled { media } => {
                for sha256 in media {
                    run!(self, SET_SHOWN, by.to_string(), sha256.0.to_vec(), "veiled");
                }
                let n = i64::try_from(media.len()).unwrap_or(i64::MAX);
                self.add_exposure(*by, *at, investigation, "veiled", n, 0).await?;
            }
            ReviewFact::ClearBegan { sha256, .. } => {
                run!(self, SET_SHOWN, by.to_string(), sha256.0.to_vec(), "clear");
                run!(self, BEGIN_VIEW, db::int(*seq), by.to_string(), sha256.0.to_vec(), at.ns());
                self.add_exposure(*by, *at, investigation, "clear", 1, 0).await?;
            }
            ReviewFact::ClearEnded { ms, view, .. } => {
                run!(self, END_VIEW, db::int(*view));
                let ms = i64::try_from(*ms).unwrap_or(i64::MAX);
                self.add_exposure(*by, *at, investigation, "clear", 0, ms).await?;
            }
            ReviewFact::BreakTaken {} => self.add_exposure(*by, *at, investigation, "breaks", 1, 0).await?,
            ReviewFact::CameraStated { .. } => self.requeue(investigation, *seq).await?,
            ReviewFact::OriginalOpened { sha256, .. } => {
                run!(self, SET_SHOWN, by.to_string(), sha256.0.to_vec(), "original");
                self.add_exposure(*by, *at, investigation, "original", 1, 0).await?;
            }
            ReviewFact::Noted { .. } => {}
        }
        Ok(())
    }
}

/// Groups what looks the same in all examinations of an investigation, among what is queued: a group is shown and accepted as
/// one, so that what nobody is asked about stands in none. A picture without a hash, because its examination was attached
/// before lists had them, keeps the group that the examination made.
fn group<'a>(contents: impl Iterator<Item = &'a mut Found>, reasons: &BTreeMap<Sha256, Option<Reason>>) -> Result<()> {
    let mut contents: Vec<&mut Found> = contents.collect();
    let hashed: BTreeSet<Sha256> =
        contents.iter().filter(|found| found.look.is_some()).map(|found| found.sha256).collect();
    let (mut places, mut items) = (vec![], vec![]);
    for (place, found) in contents.iter_mut().enumerate() {
        let look = found.look.take();
        // A picture of a group that was made without hashes is none of one that is made from them.
        found.group = found.group.take().filter(|group| look.is_none() && !hashed.contains(&group.representative));
        if let Some(look) = look.filter(|_| reasons.get(&found.sha256).is_some_and(Option::is_some)) {
            places.push(place);
            items.push(Item { hash: look.pdq, quality: look.quality });
        }
    }
    let grouping = near_groups(&items, DEFAULT_RADIUS)
        .map_err(|e| RecordError::Refused(format!("pictures that look the same cannot be grouped: {e}")))?;
    for group in grouping.groups {
        let at = |item: usize| places.get(item).copied();
        let Some(representative) = at(group.representative).and_then(|place| contents.get(place)).map(|f| f.sha256)
        else {
            continue;
        };
        let members = group.members.iter().map(|member| (member.item, u64::from(member.distance)));
        for (item, distance) in members.chain([(group.representative, 0)]) {
            if let Some(found) = at(item).and_then(|place| contents.get_mut(place)) {
                found.group = Some(InGroup { representative, distance });
            }
        }
    }
    Ok(())
}

fn bare(line: &str) -> Option<Found> {
    let mut parts = line.split(' ');
    let (sha256, kind, files) = (parts.next()?.parse().ok()?, parts.next()?, parts.next()?.parse().ok()?);
    Some(Found::bare(sha256, kind, files))
}

/// A camera's maker and model in one spelling.
pub(crate) fn camera_text(model: &str) -> String {
    model.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

impl Tile {
    /// Adds what another examination says of the same content.
    fn add(&mut self, other: Found, examination: ExaminationId, exhibit: ExhibitId, own_camera: bool) {
        let found = &mut self.found;
        found.files = found.files.saturating_add(other.files);
        found.states.extend(other.states);
        found.said.extend(other.said);
        found.serials.extend(other.serials);
        found.first = found.first.into_iter().chain(other.first).min();
        found.last = found.last.into_iter().chain(other.last).max();
        found.near = found.near.take().into_iter().chain(other.near).min();
        if found.status.is_none() {
            (found.status, found.width, found.height) = (other.status, other.width, other.height);
        }
        found.camera = found.camera.take().or(other.camera);
        found.taken = found.taken.take().or(other.taken);
        found.group = found.group.take().or(other.group);
        found.look = found.look.or(other.look);
        found.md5 = found.md5.or(other.md5);
        found.sha1 = found.sha1.or(other.sha1);
        self.examinations.insert(examination);
        self.exhibits.insert(exhibit);
        self.own_camera |= own_camera;
    }
}

/// Totals of a queue.
#[derive(Default)]
struct Counts(BTreeMap<String, i64>);

impl Counts {
    fn add(&mut self, tile: &Tile, todo: Todo, reason: Option<Reason>) {
        let mut one = |what: String, n: i64| {
            let total = self.0.entry(what).or_default();
            *total = total.saturating_add(n);
        };
        one(format!("{} {}", todo.number(), reason.map_or(0, Reason::number)), 1);
        one("contents".into(), 1);
        one("files".into(), db::int(tile.found.files));
        if reason.is_none() {
            one("spared by a match".into(), 1);
        }
        if tile.found.group.as_ref().is_some_and(|group| group.representative != tile.found.sha256) {
            one("in a group".into(), 1);
        }
    }
}

/// Leases and what is passed over.
impl Tx<'_> {
    /// The next contents for the person who makes the change, at most `limit`.
    pub(crate) async fn next_for(
        &mut self,
        investigation: InvestigationId,
        work: Todo,
        scheme: &str,
        passed: bool,
        limit: u32,
    ) -> Result<Vec<QueueRow>> {
        let (id, me, now) = (investigation.to_string(), self.by().to_string(), self.at().ns());
        let (passed, limit) = (i64::from(passed), i64::from(limit));
        let rows = match work {
            Todo::Nothing => return Ok(vec![]),
            Todo::Grade => rows!(self.conn, NEXT_TO_GRADE, id, work.number(), me, now, scheme, passed, limit),
            Todo::SecondView => rows!(self.conn, NEXT_TO_VIEW, id, work.number(), me, now, "", passed, limit),
            Todo::Moderate => {
                rows!(self.conn, NEXT_TO_MODERATE, id, work.number(), me, now, "moderation", passed, limit)
            }
        };
        rows.iter().map(queue_row).collect()
    }

    /// Puts a content before the person who makes the change. `false` where somebody else has it.
    pub(crate) async fn lease(
        &mut self,
        investigation: InvestigationId,
        sha256: &Sha256,
        work: i64,
        ends: At,
    ) -> Result<bool> {
        let me = self.by().to_string();
        let done = run!(self, TAKE_LEASE, sha256.0.to_vec(), investigation.to_string(), me, work, ends.ns());
        Ok(done.rows_affected() > 0)
    }

    pub(crate) async fn end_leases(&mut self) -> Result<()> {
        let now = self.at().ns();
        run!(self, END_LEASES, now);
        Ok(())
    }

    pub(crate) async fn free_lease(&mut self, sha256: &Sha256) -> Result<()> {
        let me = self.by().to_string();
        run!(self, FREE_LEASE, sha256.0.to_vec(), me);
        Ok(())
    }

    pub(crate) async fn free_leases(&mut self, investigation: InvestigationId) -> Result<()> {
        let me = self.by().to_string();
        run!(self, FREE_LEASES, me, investigation.to_string());
        Ok(())
    }

    /// Who has a content before them, whether or not that has run out.
    pub(crate) async fn lease_of(&mut self, sha256: &Sha256) -> Result<Option<Lease>> {
        let Some(row) = row!(self.conn, LEASE, sha256.0.to_vec()) else { return Ok(None) };
        let by = text(&row, 0)?;
        let by = by.parse().map_err(|_| RecordError::Unknown { what: by })?;
        Ok(Some(Lease { by, todo: number(&row, 1)?, ends: At::from_ns(number(&row, 2)?) }))
    }

    /// When a clear view of this person began whose end is not recorded yet.
    pub(crate) async fn view_began(&mut self, view: u64, sha256: &Sha256) -> Result<Option<At>> {
        let me = self.by().to_string();
        let row = row!(self.conn, OPEN_VIEW, db::int(view), me, sha256.0.to_vec());
        row.map(|row| Ok(At::from_ns(number(&row, 0)?))).transpose()
    }

    pub(crate) async fn pass(&mut self, sha256: &Sha256) -> Result<()> {
        let (me, now) = (self.by().to_string(), self.at().ns());
        run!(self, PASS, me, sha256.0.to_vec(), now);
        Ok(())
    }

    pub(crate) async fn unpass(&mut self, sha256: &Sha256) -> Result<()> {
        let me = self.by().to_string();
        run!(self, UNPASS, me, sha256.0.to_vec());
        Ok(())
    }

    /// Whether somebody else ever voted on a content.
    pub(crate) async fn others_voted(&mut self, sha256: &Sha256) -> Result<bool> {
        let me = self.by().to_string();
        Ok(row!(self.conn, OTHER_VOTERS, sha256.0.to_vec(), me).is_some())
    }

    /// The person's last vote in an investigation that was not withdrawn, with those that were cast as one with it; the
    /// last first.
    pub(crate) async fn last_act(&mut self, investigation: InvestigationId) -> Result<Vec<(Sha256, u64)>> {
        let (me, id) = (self.by().to_string(), investigation.to_string());
        let Some(row) = row!(self.conn, LAST_VOTE, me.clone(), id.clone()) else { return Ok(vec![]) };
        let (sha256, vote, group) = (db::sha256(&row, 0)?, db::uint(&row, 1)?, text(&row, 2)?);
        if group.is_empty() {
            return Ok(vec![(sha256, vote)]);
        }
        let rows = rows!(self.conn, VOTES_AS_ONE, me, id, group, 0i64);
        rows.iter().map(|row| Ok((db::sha256(row, 0)?, db::uint(row, 1)?))).collect()
    }

    /// The row of a content, and what is to be done with it.
    pub(crate) async fn review_row(
        &mut self,
        investigation: InvestigationId,
        sha256: &Sha256,
    ) -> Result<Option<(i64, Option<Reason>, Option<Sha256>)>> {
        let Some(row) = row!(self.conn, REVIEW, investigation.to_string(), sha256.0.to_vec()) else { return Ok(None) };
        let group: Vec<u8> = row.try_get(3).when("read the review queue")?;
        let group = <[u8; 32]>::try_from(group).ok().map(Sha256);
        Ok(Some((number(&row, 0)?, Reason::of(number(&row, 1)?), group)))
    }

    /// The pictures of a near group, what stands for it first.
    pub(crate) async fn group(
        &mut self,
        investigation: InvestigationId,
        representative: &Sha256,
    ) -> Result<Vec<GroupRow>> {
        let (me, now) = (self.by().to_string(), self.at().ns());
        let rows = rows!(self.conn, GROUP_OF, investigation.to_string(), representative.0.to_vec(), me, now);
        rows.iter()
            .map(|row| {
                let text_of = |at: usize| row.try_get::<Option<String>, _>(at).when("read a group");
                Ok(GroupRow {
                    row: QueueRow {
                        sha256: db::sha256(row, 0)?,
                        reason: Reason::of(number(row, 2)?),
                        outcome: text(row, 3)?,
                        tile: tile(row, 5)?,
                    },
                    todo: number(row, 1)?,
                    leased: text_of(6)?.and_then(|account| account.parse().ok()),
                    shown: text_of(7)?.is_some(),
                })
            })
            .collect()
    }

    /// How many pictures of a group the person was never shown, not even veiled.
    pub(crate) async fn not_shown(&mut self, investigation: InvestigationId, representative: &Sha256) -> Result<u64> {
        let me = self.by().to_string();
        let row = row!(self.conn, NOT_SHOWN, investigation.to_string(), representative.0.to_vec(), me);
        row.map_or(Ok(0), |row| db::uint(&row, 0))
    }

    pub(crate) async fn any_to_grade(&mut self, investigation: InvestigationId, reason: Reason) -> Result<bool> {
        Ok(row!(self.conn, ANY_TO_GRADE, investigation.to_string(), reason.number()).is_some())
    }
}

impl Store {
    /// Every content of an investigation, with what sets of its policy's scheme say, in the order of the digests.
    pub(crate) async fn review_rows(&self, investigation: InvestigationId) -> Result<Vec<(QueueRow, String)>> {
        let mut conn = self.db.reader().await?;
        let rows = rows!(conn, REVIEW_ROWS, investigation.to_string());
        rows.iter().map(|row| Ok((queue_row(row)?, text(row, 3)?))).collect()
    }

    /// How many contents each person has before them.
    pub(crate) async fn leases(&self, investigation: InvestigationId) -> Result<BTreeMap<String, u64>> {
        let mut conn = self.db.reader().await?;
        let rows = rows!(conn, COUNT_LEASES, investigation.to_string(), self.now().ns());
        rows.iter().map(|row| Ok((text(row, 0)?, db::uint(row, 1)?))).collect()
    }

    /// What one person looked at on these days, or everybody together.
    pub(crate) async fn exposure(&self, of: Option<UserId>, from: Day, until: Day) -> Result<Vec<Exposure>> {
        let mut conn = self.db.reader().await?;
        let (from, until) = (from.to_string(), until.to_string());
        let rows = match of {
            Some(user) => rows!(conn, EXPOSURE_OF, user.to_string(), from, until),
            None => rows!(conn, EXPOSURE_OF_ALL, from, until),
        };
        let line = |row: &AnyRow| {
            Ok(Exposure {
                day: text(row, 0)?,
                what: text(row, 1)?,
                times: db::uint(row, 2)?,
                ms: db::uint(row, 3)?,
                people: if of.is_some() { 1 } else { db::uint(row, 4)? },
            })
        };
        rows.iter().map(line).collect()
    }

    /// The minutes of the last day in which a person looked at something, the latest first, each with whether a break was
    /// recorded in it.
    pub(crate) async fn looked_until(&self, user: UserId, now: At) -> Result<Vec<(i64, bool)>> {
        let mut conn = self.db.reader().await?;
        let now = now.ns().div_euclid(MINUTE);
        let rows = rows!(conn, LOOKED, user.to_string(), now.saturating_sub(24 * 60), now);
        rows.iter().map(|row| Ok((number(row, 0)?, number(row, 1)? != 0))).collect()
    }

    /// How many contents a person passed over that are still to be looked at.
    pub(crate) async fn passed(&self, investigation: InvestigationId, user: UserId) -> Result<u64> {
        let mut conn = self.db.reader().await?;
        let row = row!(conn, COUNT_PASSED, user.to_string(), investigation.to_string());
        row.map_or(Ok(0), |row| db::uint(&row, 0))
    }
}
