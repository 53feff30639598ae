//! Puts a role into an instance profile. The caller must be allowed to pass the role.

use haechi_core::{Ask, Batch, Cx, Handle};
use haechi_iam_model::Error;
use haechi_iam_model::ops::AddRoleToInstanceProfile;
use haechi_iam_model::shapes::AddRoleToInstanceProfileRequest;
use haechi_policy::ResourceRule;
use haechi_wire::shape::Unit;

use crate::Iam;
use crate::authz::Conditions;
use crate::entity::{Entity, EntityKind};
use crate::store::{RoleRecord, role_path};

impl Handle<AddRoleToInstanceProfile> for Iam {
    async fn handle(&self, cx: &Cx, input: AddRoleToInstanceProfileRequest) -> Result<Unit, Error> {
        let (account, name) = (cx.account(), &input.instance_profile_name);
        let profile = self.profile(cx, name, Conditions::default()).await?;
        let role = self.database.load::<RoleRecord>(&role_path(account, &input.role_name)).await?;
        let role = role.ok_or_else(|| EntityKind::Role.not_found(&input.role_name))?;
        // As the API reference has them for this operation ("IAM and AWS STS condition context keys").
        let instances = format!("arn:aws:ec2:*:{account}:instance/*");
        let passed_to = Some(("ec2.amazonaws.com", instances.as_str()));
        let resource_tags = &role.value.tags;
        cx.authorize(&Ask {
            action: "iam:PassRole",
            resource: &role.value.arn(account),
            resource_account: account.as_str(),
            policy: None,
            rule: ResourceRule::Union,
            context: &Conditions { resource_tags, passed_to, ..Conditions::default() },
        })?;
        role.value.check_modifiable()?;
        if profile.value.role.is_some() {
            let message = "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1";
            return Err(Error::LimitExceededException(message.to_owned()));
        }
        let mut holder = profile.value.clone();
        holder.role = Some(role.value.name.clone());
        let mut held = role.value.clone();
        held.profiles.push(holder.name.clone());
        let mut batch = Batch::new();
        batch.replace(&profile, &holder);
        batch.replace(&role, &held);
        self.database.commit(batch).await?;
        Ok(Unit)
    }
}
