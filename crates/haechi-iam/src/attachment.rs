//! Attaching managed policies to users, groups and roles, and setting permissions boundaries.
//!
//! Each attachment is in two places, written together: in the record of the entity, where a
//! decision finds it, and in a row under the policy (`UseRecord`), which counts and lists them.
//! An account's own policy is rewritten with each attachment, so that one that is being deleted
//! cannot be attached at the same time.

use haechi_core::database::Unknown;
use haechi_core::{AccountId, Batch, Cx, Path};
use haechi_iam_model::Error;
use haechi_iam_model::shapes::{AttachedPermissionsBoundary, AttachedPolicy};
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::authz::Conditions;
use crate::entity::{Bounded, Entity};
use crate::listing::{Page, page};
use crate::managed::{Managed, not_found};
use crate::store::{UseRecord, uses_path};

/// Policies attached to one entity, at most (AWS's default quota).
const ATTACHED_MAX: usize = 10;

/// Where the use of a policy by an entity lies.
fn use_path(account: &AccountId, arn: &str, is_boundary: bool, entity_id: &str) -> Path {
    let usage = if is_boundary { "boundary" } else { "policy" };
    uses_path(account, arn).part(usage).part(entity_id)
}

fn use_record<E: Entity>(entity: &E, arn: &str, is_boundary: bool) -> UseRecord {
    UseRecord {
        policy_arn: arn.to_owned(),
        kind: E::KIND,
        name: entity.name().to_owned(),
        path: entity.path().to_owned(),
        id: entity.id().to_owned(),
        is_boundary,
        unknown: Unknown::new(),
    }
}

/// Writes the use of a policy by an entity, and holds on to the policy.
pub(crate) fn put_use<E: Entity>(
    batch: &mut Batch,
    account: &AccountId,
    policy: &Managed,
    entity: &E,
    arn: &str,
    is_boundary: bool,
) {
    if let Managed::Own(own) = policy {
        batch.replace(own, &own.value);
    }
    let record = use_record(entity, arn, is_boundary);
    batch.put(use_path(account, arn, is_boundary, entity.id()), &record);
}

/// Removes all uses with the entity.
pub(crate) fn delete_uses<E: Entity>(batch: &mut Batch, account: &AccountId, entity: &E) {
    for arn in entity.attached() {
        batch.delete(use_path(account, arn, false, entity.id()));
    }
    delete_boundary_use(batch, account, entity);
}

/// Removes the boundary's use with the entity that it limited.
pub(crate) fn delete_boundary_use<E: Entity>(batch: &mut Batch, account: &AccountId, entity: &E) {
    if let Some(arn) = entity.boundary() {
        batch.delete(use_path(account, arn, true, entity.id()));
    }
}

/// Rewrites all uses by an entity that got another name or path.
pub(crate) fn rename_uses<E: Entity>(batch: &mut Batch, account: &AccountId, entity: &E) {
    let attached = entity.attached().iter().map(|arn| (arn.as_str(), false));
    for (arn, is_boundary) in attached.chain(entity.boundary().map(|arn| (arn, true))) {
        let record = use_record(entity, arn, is_boundary);
        batch.put(use_path(account, arn, is_boundary, entity.id()), &record);
    }
}

/// A boundary as answers show it.
pub(crate) fn shown_boundary(boundary: Option<&str>) -> Option<AttachedPermissionsBoundary> {
    boundary.map(|arn| AttachedPermissionsBoundary {
        // Not what the model says (LocalStack's `test_role_permissions_boundary_lifecycle`).
        permissions_boundary_type: Some("Policy".to_owned()),
        permissions_boundary_arn: Some(arn.to_owned()),
    })
}

/// The path and name in a policy's ARN.
fn path_and_name(arn: &str) -> (&str, &str) {
    let resource = arn.splitn(6, ':').last().and_then(|rest| rest.strip_prefix("policy"));
    let resource = resource.unwrap_or_default();
    resource.split_at_checked(resource.rfind('/').map_or(0, |at| at + 1)).unwrap_or_default()
}

/// An attachment as answers show it.
pub(crate) fn attached_policy(arn: &str) -> AttachedPolicy {
    AttachedPolicy {
        policy_name: Some(path_and_name(arn).1.to_owned()),
        policy_arn: Some(arn.to_owned()),
    }
}

impl Iam {
    /// Attaches a policy. It counts from the next call on; attaching it twice is no error.
    pub(crate) async fn attach<E: Entity>(
        &self,
        cx: &Cx,
        name: &str,
        arn: &str,
    ) -> Result<Unit, Error> {
        let asked = Conditions { policy_arn: Some(arn), ..Conditions::default() };
        let entity = self.entity_with::<E>(cx, name, asked).await?;
        entity.value.check_modifiable()?;
        let policy = self.attachable(cx, arn).await?;
        if entity.value.attached().iter().any(|attached| attached == arn) {
            return Ok(Unit);
        }
        if entity.value.attached().len() >= ATTACHED_MAX {
            let title = E::KIND.title();
            let message = format!("Cannot exceed quota for PoliciesPer{title}: {ATTACHED_MAX}");
            return Err(Error::LimitExceededException(message));
        }
        let mut changed = entity.value.clone();
        changed.attached_mut().push(arn.to_owned());
        let mut batch = Batch::new();
        batch.replace(&entity, &changed);
        put_use(&mut batch, cx.account(), &policy, &changed, arn, false);
        self.database.commit(batch).await?;
        Ok(Unit)
    }

    /// Detaches a policy. It counts no more from the next call on.
    pub(crate) async fn detach<E: Entity>(
        &self,
        cx: &Cx,
        name: &str,
        arn: &str,
    ) -> Result<Unit, Error> {
        let asked = Conditions { policy_arn: Some(arn), ..Conditions::default() };
        let entity = self.entity_with::<E>(cx, name, asked).await?;
        entity.value.check_modifiable()?;
        let mut changed = entity.value.clone();
        changed.attached_mut().retain(|attached| attached != arn);
        if changed.attached().len() == entity.value.attached().len() {
            return Err(not_found(arn));
        }
        let mut batch = Batch::new();
        batch.replace(&entity, &changed);
        batch.delete(use_path(cx.account(), arn, false, changed.id()));
        self.database.commit(batch).await?;
        Ok(Unit)
    }

    /// Lists what is attached, by name.
    pub(crate) async fn attached<E: Entity>(
        &self,
        cx: &Cx,
        name: &str,
        path_prefix: Option<&str>,
        marker: Option<&str>,
        items_max: Option<i32>,
    ) -> Result<Page<AttachedPolicy>, Error> {
        let entity = self.entity::<E>(cx, name).await?.value;
        // Without regard to case, as all of IAM's lists.
        let mut arns: Vec<(String, &str)> = entity
            .attached()
            .iter()
            .filter(|arn| path_and_name(arn).0.starts_with(path_prefix.unwrap_or("/")))
            .map(|arn| (path_and_name(arn).1.to_lowercase(), arn.as_str()))
            .collect();
        arns.sort_unstable();
        let found =
            page(arns.into_iter(), |(name, arn)| format!("{name} {arn}"), marker, items_max)?;
        let items = found.items.into_iter().map(|(_, arn)| attached_policy(arn)).collect();
        Ok(Page { items, marker: found.marker })
    }

    /// Sets the permissions boundary of a user or role. It limits from the next call on.
    pub(crate) async fn put_boundary<E: Bounded>(
        &self,
        cx: &Cx,
        name: &str,
        arn: &str,
    ) -> Result<Unit, Error> {
        let asked = Conditions { boundary: Some(arn), ..Conditions::default() };
        let entity = self.entity_with::<E>(cx, name, asked).await?;
        entity.value.check_modifiable()?;
        let policy = self.boundary(cx, arn).await?;
        let mut changed = entity.value.clone();
        let mut batch = Batch::new();
        if entity.value.boundary() != Some(arn) {
            delete_boundary_use(&mut batch, cx.account(), &changed);
        }
        *changed.boundary_mut() = Some(arn.to_owned());
        batch.replace(&entity, &changed);
        put_use(&mut batch, cx.account(), &policy, &changed, arn, true);
        self.database.commit(batch).await?;
        Ok(Unit)
    }

    /// Takes the permissions boundary away.
    pub(crate) async fn delete_boundary<E: Bounded>(
        &self,
        cx: &Cx,
        name: &str,
    ) -> Result<Unit, Error> {
        let entity = self.entity::<E>(cx, name).await?;
        entity.value.check_modifiable()?;
        let mut changed = entity.value.clone();
        if changed.boundary().is_none() {
            let (word, name) = (E::KIND.word(), changed.name());
            let message = format!("The {word} with name {name} has no permissions boundary.");
            return Err(Error::NoSuchEntityException(message));
        }
        let mut batch = Batch::new();
        delete_boundary_use(&mut batch, cx.account(), &changed);
        *changed.boundary_mut() = None;
        batch.replace(&entity, &changed);
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
