//! What a service does in an account when nobody calls: in the name of its service-linked role there,
//! which a resource's policy may name.
//!
//! Source: IAM user guide, "Create a service-linked role".

use std::net::Ipv4Addr;
use std::sync::Arc;

use haechi_policy::{Document, Kind, Principal};
use haechi_wire::{Fault, OperationSchema};

use crate::{AccountId, Caller, Cx, Env, PrincipalPolicies, Region, RequestInfo};

/// A role that an account has for a service, and what it may.
#[derive(Debug, Clone, Copy)]
pub struct ServiceLinkedRole {
    /// Who acts, as in service principals: `secretsmanager`.
    pub service: &'static str,
    /// Whose role it is in its path; mostly the same: `apidestinations.events` of `events`.
    pub linked_to: &'static str,
    /// `AWSServiceRoleForSecretsManager`.
    pub name: &'static str,
    /// The name of its sessions.
    pub session: &'static str,
    /// Its policy, JSON.
    pub policy: &'static str,
}

impl ServiceLinkedRole {
    fn caller(&self, account: &AccountId, region: &Region) -> Result<Caller, Fault> {
        let policy = Document::parse(self.policy, Kind::Identity).map_err(Fault::internal)?;
        let ServiceLinkedRole { linked_to, name, session, .. } = self;
        let partition = region.partition();
        let path = format!("aws-service-role/{linked_to}.amazonaws.com");
        Ok(Caller {
            principal: Principal::AssumedRole {
                session_arn: format!(
                    "arn:{partition}:sts::{account}:assumed-role/{name}/{session}"
                ),
                role_arn: format!("arn:{partition}:iam::{account}:role/{path}/{name}"),
                role_unique_id: format!("AROA{name}"),
                session_name: (*session).to_owned(),
                account: account.as_str().to_owned(),
            },
            account: account.clone(),
            user_id: format!("AROA{name}:{session}"),
            policies: PrincipalPolicies {
                identity: vec![Arc::new(policy)],
                ..PrincipalPolicies::default()
            },
            ..Caller::anonymous()
        })
    }
}

impl Cx {
    /// A call that a service makes as its role of an account. No guardrail binds such a role, but
    /// conditions of a resource's policy may ask for its organization.
    ///
    /// # Errors
    /// If randomness or the store fails.
    pub async fn by_service_linked_role(
        env: &Env,
        role: &ServiceLinkedRole,
        (account, region): (&AccountId, &Region),
        operation: &'static OperationSchema,
    ) -> Result<Cx, Fault> {
        let request = RequestInfo {
            id: env.uuid().map_err(Fault::internal)?.to_string(),
            source_ip: Ipv4Addr::LOCALHOST.into(),
            user_agent: Some(format!("{}.amazonaws.com", role.service)),
            referer: None,
            trace: None,
            secure_transport: true,
            host: None,
            time: env.now(),
        };
        let caller = Arc::new(role.caller(account, region)?);
        let cx = Cx::new(env.clone(), request, region.clone(), caller, operation);
        if let Some(guardrails) = env.guardrails().await? {
            cx.guard(guardrails);
        }
        Ok(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_of_a_key_can_name_the_role_and_its_sessions() {
        let role = ServiceLinkedRole {
            service: "events",
            linked_to: "apidestinations.events",
            name: "AWSServiceRoleForX",
            session: "haechi",
            policy: r#"{"Version":"2012-10-17",
                "Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#,
        };
        let account = AccountId::parse("111122223333").unwrap();
        let region = Region::parse("eu-west-1").unwrap();
        let caller = role.caller(&account, &region).unwrap();
        let Principal::AssumedRole { role_arn, session_arn, .. } = &caller.principal else {
            panic!("not a role")
        };
        assert_eq!(
            role_arn,
            "arn:aws:iam::111122223333:role/aws-service-role/apidestinations.events.amazonaws.com/\
             AWSServiceRoleForX"
        );
        assert_eq!(session_arn, "arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForX/haechi");
    }
}
