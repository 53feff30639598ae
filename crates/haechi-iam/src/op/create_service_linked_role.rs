//! Makes the role by which a service acts in the account.

use std::collections::BTreeMap;

use haechi_core::database::Unknown;
use haechi_core::{Batch, Cx, Handle, PrincipalIds};
use haechi_iam_model::Error;
use haechi_iam_model::ops::CreateServiceLinkedRole;
use haechi_iam_model::shapes::{
    CreateServiceLinkedRoleRequest, CreateServiceLinkedRoleResponse, Role,
};

use crate::Iam;
use crate::attachment::put_use;
use crate::authz::{Conditions, authorize};
use crate::aws_managed;
use crate::entity::EntityKind;
use crate::managed::Managed;
use crate::policy::encoded;
use crate::role::SESSION_SECONDS_DEFAULT;
use crate::service_linked;
use crate::store::{RoleRecord, role_path};
use crate::user::new_id;

impl Handle<CreateServiceLinkedRole> for Iam {
    async fn handle(
        &self,
        cx: &Cx,
        input: CreateServiceLinkedRoleRequest,
    ) -> Result<CreateServiceLinkedRoleResponse, Error> {
        let (account, service) = (cx.account(), input.aws_service_name);
        let linked = service_linked::find(&service);
        let mut name = linked.map_or("", |linked| linked.role).to_owned();
        if let Some(suffix) = &input.custom_suffix {
            name = format!("{name}_{suffix}");
        }
        let path = format!("/aws-service-role/{service}/");
        let arn = EntityKind::Role.arn(account, &path, &name);
        EntityKind::Role.note(cx, &arn);
        authorize(cx, &arn, &Conditions { service: Some(&service), ..Conditions::default() })?;
        let Some(linked) = linked else {
            let message = format!("{service} is not a valid service for a service-linked role.");
            return Err(Error::InvalidInputException(message));
        };
        if input.custom_suffix.is_some() && !linked.takes_suffix {
            let message = format!("Custom suffix is not allowed for {service}");
            return Err(Error::InvalidInputException(message));
        }
        let place = role_path(account, &name);
        if self.database.load::<RoleRecord>(&place).await?.is_some() {
            return Err(Error::InvalidInputException(format!(
                "Service role name {name} has been taken in this account, please try a different suffix."
            )));
        }
        let policy = format!("arn:aws:iam::aws:policy/aws-service-role/{}", linked.policy);
        self.check_quota::<RoleRecord>(account).await?;
        let record = RoleRecord {
            name,
            path,
            id: new_id(&cx.env, "AROA")?,
            created_ms: cx.now().millis(),
            description: input.description,
            session_seconds_max: SESSION_SECONDS_DEFAULT,
            trust: trust(r#""sts:AssumeRole""#, &format!(r#""{service}""#)),
            trust_principals: PrincipalIds::default(),
            tags: Vec::new(),
            policies: BTreeMap::new(),
            attached: vec![policy.clone()],
            boundary: None,
            profiles: Vec::new(),
            service: Some(service),
            unknown: Unknown::new(),
        };
        let mut batch = Batch::new();
        if let Some(aws) = aws_managed::find(&policy) {
            put_use(&mut batch, account, &Managed::Aws(aws), &record, &policy, false);
        }
        batch.create(place, &record);
        self.database.commit(batch).await?;
        self.counts.made::<RoleRecord>(account);
        // AWS shows the lists of its trust policy here, and single values ever after.
        let service = record.service.as_deref().unwrap_or_default();
        let document = trust(r#"["sts:AssumeRole"]"#, &format!(r#"["{service}"]"#));
        let assume_role_policy_document = Some(encoded(&document));
        let role = Role { assume_role_policy_document, ..record.created(account) };
        Ok(CreateServiceLinkedRoleResponse { role: Some(role) })
    }
}

/// As recorded of `GetRole`.
fn trust(action: &str, service: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Action":{action},"Effect":"Allow","Principal":{{"Service":{service}}}}}]}}"#
    )
}
