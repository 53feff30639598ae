//! Takes the role out of an instance profile.

use haechi_core::{Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::RemoveRoleFromInstanceProfile;
use haechi_iam_model::shapes::RemoveRoleFromInstanceProfileRequest;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::authz::Conditions;
use crate::entity::{Entity, EntityKind};
use crate::store::{RoleRecord, role_path};

impl Handle<RemoveRoleFromInstanceProfile> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: RemoveRoleFromInstanceProfileRequest,
    ) -> Result<Unit, Error> {
        let (account, name) = (cx.account(), &input.instance_profile_name);
        let profile = self.profile(cx, name, Conditions::default()).await?;
        let role_name = &input.role_name;
        let role = self.database.load::<RoleRecord>(&role_path(account, role_name)).await?;
        if let Some(role) = &role {
            role.value.check_modifiable()?;
        }
        let held = profile.value.role.as_deref();
        if held.is_none_or(|held| held.to_lowercase() != role_name.to_lowercase()) {
            if role.is_none() {
                return Err(EntityKind::Role.not_found(role_name));
            }
            let message = format!("Role {role_name} in Instance Profile {name} cannot be found.");
            return Err(Error::NoSuchEntityException(message));
        }
        let mut holder = profile.value.clone();
        holder.role = None;
        let mut batch = Batch::new();
        batch.replace(&profile, &holder);
        if let Some(role) = role {
            let mut left = role.value.clone();
            left.profiles.retain(|name| *name != holder.name);
            batch.replace(&role, &left);
        }
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
