//! A service's own role: who reads when no caller is behind it.

use std::net::Ipv4Addr;
use std::sync::Arc;

use haechi_core::{AccountId, Caller, Cx, Env, PrincipalPolicies, Region, RequestInfo};
use haechi_policy::{Document, Kind, Principal};
use haechi_wire::{Fault, OperationSchema};

const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
    "Action":"kms:Decrypt","Resource":"*"}]}"#;

/// The context of a service's own work, as its service-linked role of an account: `role` is the
/// role's name (`AWSServiceRoleForSNS`), as a policy of a key may name it.
///
/// # Errors
/// If randomness fails.
pub fn service_cx(
    env: &Env,
    (service, role): (&str, &str),
    (account, region): (&AccountId, &Region),
    operation: &'static OperationSchema,
) -> Result<Cx, Fault> {
    let policy = Document::parse(POLICY, Kind::Identity).map_err(Fault::internal)?;
    let (partition, session) = (region.partition(), "haechi");
    let principal = Principal::AssumedRole {
        session_arn: format!("arn:{partition}:sts::{account}:assumed-role/{role}/{session}"),
        role_arn: format!(
            "arn:{partition}:iam::{account}:role/aws-service-role/{service}.amazonaws.com/{role}"
        ),
        role_unique_id: format!("AROA{role}"),
        session_name: session.to_owned(),
        account: account.as_str().to_owned(),
    };
    let caller = Caller {
        principal,
        account: account.clone(),
        access_key_id: String::new(),
        user_id: format!("AROA{role}:{session}"),
        user_name: None,
        tags: Vec::new(),
        policies: PrincipalPolicies {
            identity: vec![Arc::new(policy)],
            ..PrincipalPolicies::default()
        },
        issued: None,
        session: None,
    };
    let request = RequestInfo {
        id: env.uuid().map_err(Fault::internal)?.to_string(),
        source_ip: Ipv4Addr::LOCALHOST.into(),
        user_agent: Some(format!("{service}.amazonaws.com")),
        referer: None,
        secure_transport: true,
        host: None,
        time: env.now(),
    };
    Ok(Cx::new(env.clone(), request, region.clone(), Arc::new(caller), operation))
}
