//! What is named by an ARN, has tags and no policies: MFA devices and identity providers.
//!
//! Loading and deciding are one here too (`authz.rs`): what exists is told only to one who may do
//! the operation on its ARN.

use haechi_core::{AccountId, Batch, Cx, Loaded, Path, Record, Resource};
use haechi_iam_model::Error;
use haechi_iam_model::shapes::Tag;
use haechi_wire::Fault;
use haechi_wire::shape::Unit;

use crate::authz::{Conditions, authorize};
use crate::listing::Page;
use crate::store::account_scope;
use crate::{Iam, PARTITION, tags};

/// A record of such a thing.
pub(crate) trait ByArn: Record + Clone {
    /// As ARNs say it (`mfa`), and keys in the store.
    const KIND: &'static str;
    /// Its type in CloudTrail.
    const AUDIT_TYPE: &'static str;

    /// What stands behind the kind in its ARN.
    fn rest(&self) -> String;
    fn tags(&self) -> &[(String, String)];
    fn tags_mut(&mut self) -> &mut Vec<(String, String)>;
    /// The error for one that is not there.
    fn not_found(arn: &str) -> Error;

    /// Where all of an account's lie.
    fn prefix(account: &AccountId) -> Path {
        account_scope(account).part(Self::KIND)
    }

    /// Where the one with this rest lies; two that differ only in case would be one.
    fn place(account: &AccountId, rest: &str) -> Path {
        Self::prefix(account).hidden(&rest.to_lowercase())
    }

    fn arn(&self, account: &AccountId) -> String {
        arn::<Self>(account, &self.rest())
    }
}

/// The ARN that one with this rest has.
pub(crate) fn arn<T: ByArn>(account: &AccountId, rest: &str) -> String {
    format!("arn:{PARTITION}:iam::{account}:{}/{rest}", T::KIND)
}

/// Notes one for the audit record.
pub(crate) fn note<T: ByArn>(cx: &Cx, arn: &str) {
    let account = cx.account().to_string();
    cx.note(Resource { arn: arn.to_owned(), account, kind: T::AUDIT_TYPE });
}

impl Iam {
    /// The one of an account with this ARN.
    pub(crate) async fn find_by_arn<T: ByArn>(
        &self,
        account: &AccountId,
        wanted: &str,
    ) -> Result<Option<Loaded<T>>, Fault> {
        let start = arn::<T>(account, "");
        let Some(rest) = wanted.strip_prefix(&start) else { return Ok(None) };
        let found = self.database.load::<T>(&T::place(account, rest)).await?;
        Ok(found.filter(|found| found.value.arn(account) == wanted))
    }

    /// The same for the caller's account, if the caller may do the operation on it.
    pub(crate) async fn by_arn<T: ByArn>(
        &self,
        cx: &Cx,
        arn: &str,
        asked: Conditions<'_>,
    ) -> Result<Loaded<T>, Error> {
        let found = self.find_by_arn::<T>(cx.account(), arn).await?;
        note::<T>(cx, arn);
        let resource_tags = found.as_ref().map_or(&[] as &[_], |found| found.value.tags());
        authorize(cx, arn, &Conditions { resource_tags, ..asked })?;
        found.ok_or_else(|| T::not_found(arn))
    }

    /// Adds tags to one, or changes them.
    pub(crate) async fn tag_by_arn<T: ByArn>(
        &self,
        cx: &Cx,
        arn: &str,
        new: &[Tag],
    ) -> Result<Unit, Error> {
        let keys = tags::keys(new);
        let asked = Conditions { request_tags: new, tag_keys: &keys, ..Conditions::default() };
        let found = self.by_arn::<T>(cx, arn, asked).await?;
        tags::check(new, tags::KeyCase::Counts)?;
        let mut changed = found.value.clone();
        *changed.tags_mut() =
            tags::merged(found.value.tags().to_vec(), new, tags::KeyCase::Counts)?;
        let mut batch = Batch::new();
        batch.replace(&found, &changed);
        self.database.commit(batch).await?;
        Ok(Unit)
    }

    /// Takes tags from one; keys that it does not have are no error.
    pub(crate) async fn untag_by_arn<T: ByArn>(
        &self,
        cx: &Cx,
        arn: &str,
        keys: &[String],
    ) -> Result<Unit, Error> {
        let asked = Conditions { tag_keys: keys, ..Conditions::default() };
        let found = self.by_arn::<T>(cx, arn, asked).await?;
        let mut changed = found.value.clone();
        *changed.tags_mut() =
            tags::without(found.value.tags().to_vec(), keys, tags::KeyCase::Counts);
        let mut batch = Batch::new();
        batch.replace(&found, &changed);
        self.database.commit(batch).await?;
        Ok(Unit)
    }

    /// A page of its tags, by key.
    pub(crate) async fn tags_by_arn<T: ByArn>(
        &self,
        cx: &Cx,
        arn: &str,
        marker: Option<&str>,
        items_max: Option<i32>,
    ) -> Result<Page<Tag>, Error> {
        let found = self.by_arn::<T>(cx, arn, Conditions::default()).await?;
        tags::listed(found.value.tags().to_vec(), tags::KeyCase::Counts, marker, items_max)
    }

    /// All of an account, unless there are `max` already: the quota has AWS's `quota` name.
    pub(crate) async fn check_room<T: ByArn>(
        &self,
        account: &AccountId,
        max: usize,
        quota: &str,
    ) -> Result<(), Error> {
        if self.database.list_all::<T>(&T::prefix(account)).await?.len() < max {
            return Ok(());
        }
        let message = format!("Cannot exceed quota for {quota}: {max}");
        Err(Error::LimitExceededException(message))
    }
}
