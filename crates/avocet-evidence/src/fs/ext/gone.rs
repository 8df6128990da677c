//! Names and inodes that are no longer in use, or that no directory names.

use std::collections::BTreeSet;
use std::rc::Rc;

use avocet_base::escape_bytes;

use super::inode::{FLAG_EA_INODE, Inode};
use super::recover::{Found, Version};
use super::walk::{Former, Node, Pending, Walker};
use crate::entry::{AllocationState, Content, Entry, EntryKind, Note, Times, Unreadable};

impl Walker<'_, '_> {
    /// A name that is no longer in use.
    pub fn former(&mut self, folder: &Pending, bytes: &[u8], number: u32, what: Former) {
        let escaped = escape_bytes(bytes);
        let orphan = folder.state == AllocationState::Orphan;
        let state = if orphan { AllocationState::Orphan } else { AllocationState::Deleted };
        let mut entry = Entry {
            path: folder.node.path(Some(&escaped)),
            stream: None,
            kind: what.kind.unwrap_or(EntryKind::File),
            state,
            number: u64::from(number),
            size: 0,
            times: Times::default(),
            content: Content::Unreadable(Unreadable::NoLocation),
            notes: Vec::new(),
        };
        if what.order.is_some() {
            entry.notes.push(Note::Other("name from the journal".to_owned()));
        }
        let ordinary = number >= self.fs().sb.first_inode;
        let Some(current) = self.reader.inode(number).ok().filter(|_| ordinary) else {
            if entry.kind != EntryKind::File {
                entry.content = Content::None;
            }
            return self.emit(entry);
        };
        let versions = self.reader.versions(number);
        let generation = match what.order {
            // In slack: the name of the inode's last file, as far as anything says.
            None if current.mode != 0 => Some(current.generation),
            None => versions.last().map(|v| v.inode.generation),
            // From the journal: the file that the inode was when the name stood there.
            Some(order) => {
                let before = versions.iter().rev().find(|v| v.since <= order && v.inode.links > 0);
                before.or_else(|| versions.iter().find(|v| v.inode.links > 0)).map(|v| v.inode.generation)
            }
        };
        let live = current.mode != 0 && current.links > 0 && self.reader.inode_used(number);
        if live && what.order.is_some() && generation.is_none_or(|g| g == current.generation) {
            return; // an older name of a live file that stands elsewhere now
        }
        let best = match generation {
            None => None,
            Some(_) if live && what.order.is_none() => None,
            Some(g) if !live && current.mode != 0 && g == current.generation => {
                Some(self.reader.last_known(&current, &versions))
            }
            Some(g) => self.reader.best_version(&versions, g),
        };
        let fits = |inode: &Inode| what.kind.is_none_or(|k| k == inode.kind());
        if let Some((version, found)) = best.filter(|(v, _)| fits(&v.inode)) {
            if !live {
                self.named.insert(number);
            }
            self.recovered.insert((number, version.inode.generation));
            if live {
                entry.notes.push(Note::Other("inode reused".to_owned()));
            }
            return self.gone(entry, folder.node.child(&escaped), version, found, &current);
        }
        if live || !fits(&current) || generation.is_some_and(|g| g != current.generation) {
            if live {
                entry.notes.push(Note::Other("inode belongs to a live file now: renamed or reused".to_owned()));
            }
            if entry.kind != EntryKind::File {
                entry.content = Content::None;
            }
            return self.emit(entry);
        }
        self.named.insert(number);
        let found = self.reader.gone_content(&current, None);
        let version = Version { inode: current.clone(), since: i32::MAX, order: i32::MAX };
        self.gone(entry, folder.node.child(&escaped), version, found, &current);
    }

    /// Emits a deleted entry with the metadata of `version`, and enters it where it was a folder.
    fn gone(&mut self, mut entry: Entry, node: Rc<Node>, version: Version, found: Found, current: &Inode) {
        let Version { mut inode, order, .. } = version;
        inode.deleted_at = if inode.generation == current.generation { current.deleted_at } else { 0 };
        entry.kind = inode.kind();
        entry.size = inode.size;
        entry.times = inode.times(true);
        entry.content = found.content;
        entry.notes.extend(found.notes);
        if current.mode == 0 && self.fs().sb.needs_recovery() {
            entry.notes.push(Note::Other("the journal was not replayed: may be a live file".to_owned()));
        }
        self.cap(&mut entry);
        let enter = entry.kind == EntryKind::Directory && !self.entered.get(inode.number);
        let state = entry.state;
        self.emit(entry);
        if enter {
            self.entered.insert(inode.number);
            let as_of = (order != i32::MAX).then_some(order);
            self.push(node, inode, state, Some(as_of));
        }
    }

    /// Holds recovered bytes to what the volume can hold.
    pub(super) fn cap(&mut self, entry: &mut Entry) {
        if !matches!(entry.content, Content::Mapped(_) | Content::Resident(_)) {
            return;
        }
        let total = self.recovered_bytes.saturating_add(entry.size);
        if total > self.fs().volume.len() {
            entry.content = Content::Unreadable(Unreadable::Capped);
            self.capped.add(self.reader.inode_offset(u32::try_from(entry.number).unwrap_or(0)).unwrap_or_default());
        } else {
            self.recovered_bytes = total;
        }
    }

    /// Inodes without a name: folders first, so that what they hold gets its place.
    pub fn orphans(&mut self) {
        let sb = &self.fs().sb;
        let (per_group, system, first) = (sb.inodes_per_group, sb.system_inodes, sb.first_inode);
        let mut rest = Vec::new();
        let groups = u32::try_from(self.fs().groups.len()).unwrap_or(u32::MAX);
        for group in 0..groups {
            let base = group.saturating_mul(per_group);
            let Some((descriptor, _)) = self.reader.group_of(base.saturating_add(1)) else { continue };
            if descriptor.inodes_unused {
                continue;
            }
            let last = base.saturating_add(per_group.saturating_sub(descriptor.never_used)).min(self.fs().inodes);
            for number in base.saturating_add(1).max(first)..=last {
                if self.stopped {
                    return;
                }
                if self.named.get(number) || system.contains(&number) {
                    continue;
                }
                let Ok(inode) = self.reader.inode(number) else { continue };
                if inode.mode == 0 || inode.has(FLAG_EA_INODE) {
                    continue;
                }
                if inode.kind() == EntryKind::Directory {
                    self.orphan(number);
                    self.drain();
                } else {
                    rest.push(number);
                }
            }
        }
        for number in rest {
            if self.stopped {
                return;
            }
            if !self.named.get(number) {
                self.orphan(number);
            }
        }
    }

    fn orphan(&mut self, number: u32) {
        let Ok(current) = self.reader.inode(number) else { return };
        self.check(&current);
        let node = Node::top(format!("/$Orphans/inode-{number}"));
        let mut entry = Entry {
            path: node.path(None),
            stream: None,
            kind: current.kind(),
            state: AllocationState::Orphan,
            number: u64::from(number),
            size: current.size,
            times: current.times(true),
            content: Content::None,
            notes: Vec::new(),
        };
        self.named.insert(number);
        if self.reader.inode_used(number) {
            entry.times = current.times(false);
            let found = self.reader.live_content(&current);
            (entry.content, entry.notes) = (found.content, found.notes);
            let why = if current.links == 0 {
                "in use without a name: deleted while a program had it open"
            } else {
                "in use, but no directory names it"
            };
            entry.notes.push(Note::Other(why.to_owned()));
            let enter = entry.kind == EntryKind::Directory && self.entered.insert(number);
            self.emit(entry);
            if enter {
                self.push(node, current, AllocationState::Orphan, None);
            }
            return;
        }
        let versions = self.reader.versions(number);
        let (version, found) = self.reader.last_known(&current, &versions);
        self.recovered.insert((number, version.inode.generation));
        self.gone(entry, node, version, found, &current);
    }

    /// Files that an inode was before the one that it is or was last, as far as the journal knows them.
    pub fn earlier_files(&mut self) {
        let sb = &self.fs().sb;
        let (per_group, first) = (sb.inodes_per_group, sb.first_inode);
        let per_block = u32::try_from(sb.block_size / sb.inode_size as u64).unwrap_or(1).max(1);
        let mut tables: Vec<(u64, u32)> =
            (0..).zip(&self.fs().groups).filter_map(|(n, g)| Some((g.as_ref()?.inode_table, n))).collect();
        tables.sort_unstable();
        let blocks: Vec<u64> = self.reader.journal.blocks().collect();
        for block in blocks {
            let Some((start, group)) =
                tables.partition_point(|t| t.0 <= block).checked_sub(1).and_then(|i| tables.get(i))
            else {
                continue;
            };
            let index = u32::try_from(block - start).unwrap_or(u32::MAX).saturating_mul(per_block);
            for i in index..index.saturating_add(per_block).min(per_group) {
                let number = group.saturating_mul(per_group).saturating_add(i).saturating_add(1);
                if self.stopped {
                    return;
                }
                if number >= first && number <= self.fs().inodes {
                    self.earlier_files_of(number);
                }
            }
        }
    }

    fn earlier_files_of(&mut self, number: u32) {
        let Ok(current) = self.reader.inode(number) else { return };
        let versions = self.reader.versions(number);
        let generations: BTreeSet<u32> = versions.iter().map(|v| v.inode.generation).collect();
        for generation in generations {
            let is_current = current.mode != 0 && generation == current.generation;
            if is_current || self.recovered.contains(&(number, generation)) || !self.reader.spend() {
                continue;
            }
            let Some((version, found)) = self.reader.best_version(&versions, generation) else { continue };
            if version.inode.kind() != EntryKind::File {
                continue;
            }
            let node = Node::top(format!("/$Orphans/inode-{number}-generation-{generation}"));
            let entry = Entry {
                path: node.path(None),
                stream: None,
                kind: EntryKind::File,
                state: AllocationState::Orphan,
                number: u64::from(number),
                size: 0,
                times: Times::default(),
                content: Content::None,
                notes: vec![Note::Other("inode reused".to_owned())],
            };
            self.recovered.insert((number, generation));
            self.gone(entry, node, version, found, &current);
        }
    }
}
