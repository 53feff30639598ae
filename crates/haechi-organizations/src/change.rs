//! A change of an organization: one batch that writes the head over the one that was read.

use haechi_core::database::Unknown;
use haechi_core::{Batch, Cx, Env};
use haechi_wire::{Fault, Timestamp};

use crate::Organizations;
use crate::organization::Organization;
use crate::store::{
    Hung, MemberRecord, OrganizationRecord, PolicyRecord, RevisionRecord, Tags, UnitRecord,
    revision_path,
};

/// What ids are made of.
const LETTERS_AND_DIGITS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";

/// A random part of an id.
pub(crate) fn random(env: &Env, length: usize) -> Result<String, Fault> {
    env.characters(LETTERS_AND_DIGITS, length).map_err(Fault::internal)
}

/// A change in the making.
pub(crate) struct Change<'a> {
    organization: &'a Organization,
    /// The head as it will be.
    pub(crate) head: OrganizationRecord,
    /// What else is written.
    pub(crate) batch: Batch,
}

impl Organization {
    /// A change of nothing yet.
    pub(crate) fn change(&self) -> Change<'_> {
        Change { organization: self, head: self.record().clone(), batch: Batch::new() }
    }
}

impl Change<'_> {
    /// Edits what hangs on a root, unit or account.
    pub(crate) fn hang(&mut self, id: &str, edit: impl FnOnce(&mut Hung)) {
        if id == self.head.root_id {
            edit(&mut self.head.root);
        } else if let Some(unit) = self.organization.units.get(id) {
            let mut hung = unit.value.hung.clone();
            edit(&mut hung);
            self.batch.replace(unit, &UnitRecord { hung, ..unit.value.clone() });
        } else {
            self.member(id, |member| edit(&mut member.hung));
        }
    }

    /// Edits an account's row.
    pub(crate) fn member(&mut self, id: &str, edit: impl FnOnce(&mut MemberRecord)) {
        if let Some(account) = self.organization.accounts.get(id) {
            let mut record = account.value.clone();
            edit(&mut record);
            self.batch.replace(account, &record);
        }
    }

    /// Puts tags on what [`Organization::tags_of`] found.
    pub(crate) fn tag(&mut self, id: &str, tags: Tags) {
        let resource_policy = self.head.resource_policy.as_mut().filter(|policy| policy.id == id);
        if let Some(policy) = resource_policy {
            policy.tags = tags;
        } else if let Some(row) = self.organization.policies.get(id) {
            self.batch.replace(row, &PolicyRecord { tags, ..row.value.clone() });
        } else {
            self.hang(id, |hung| hung.tags = tags);
        }
    }

    /// The batch, complete.
    pub(crate) fn finish(mut self, now: Timestamp) -> Batch {
        self.head.revision += 1;
        self.batch.replace(&self.organization.head, &self.head);
        touch(&mut self.batch, now);
        self.batch
    }
}

/// Makes stale what is derived from all organizations.
pub(crate) fn touch(batch: &mut Batch, now: Timestamp) {
    let record = RevisionRecord { changed_ms: now.millis(), unknown: Unknown::new() };
    batch.put(revision_path(), &record);
}

impl Organizations {
    /// Saves a change.
    pub(crate) async fn save(&self, cx: &Cx, change: Change<'_>) -> Result<(), Fault> {
        self.database.commit(change.finish(cx.now())).await
    }
}
