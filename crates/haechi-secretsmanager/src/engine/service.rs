//! Who rotates when nobody calls: the account's service-linked role.

use std::net::Ipv4Addr;
use std::sync::Arc;

use haechi_core::{AccountId, Caller, Cx, PrincipalPolicies, RequestInfo};
use haechi_policy::{Document, Kind, Principal};
use haechi_secretsmanager_model::ops::RotateSecret;
use haechi_wire::Fault;

use crate::SecretsManager;
use crate::secret::SecretRecord;
use crate::vault::region;

/// Its name, as a policy of a key may name it.
const ROLE: &str = "AWSServiceRoleForSecretsManager";

const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
    "Action":["kms:GenerateDataKey","kms:Decrypt"],"Resource":"*"}]}"#;

impl SecretsManager {
    /// The context of work on a secret that nobody called for.
    pub(crate) async fn service_cx(&self, record: &SecretRecord) -> Result<Cx, Fault> {
        let region = region(&record.region)?;
        let account = AccountId::parse(&record.account)
            .ok_or_else(|| Fault::internal("a secret of no account"))?;
        let policy = Document::parse(POLICY, Kind::Identity).map_err(Fault::internal)?;
        let (partition, session) = (region.partition(), "haechi-rotation");
        let path = format!("role/aws-service-role/secretsmanager.amazonaws.com/{ROLE}");
        let principal = Principal::AssumedRole {
            session_arn: format!("arn:{partition}:sts::{account}:assumed-role/{ROLE}/{session}"),
            role_arn: format!("arn:{partition}:iam::{account}:{path}"),
            role_unique_id: format!("AROA{ROLE}"),
            session_name: session.to_owned(),
            account: account.as_str().to_owned(),
        };
        let caller = Caller {
            principal,
            account,
            access_key_id: String::new(),
            user_id: format!("AROA{ROLE}:{session}"),
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
            id: self.env.uuid().map_err(Fault::internal)?.to_string(),
            source_ip: Ipv4Addr::LOCALHOST.into(),
            user_agent: Some("secretsmanager.amazonaws.com".to_owned()),
            referer: None,
            secure_transport: true,
            host: None,
            time: self.env.now(),
        };
        let schema = <RotateSecret as haechi_core::Operation>::SCHEMA;
        let cx = Cx::new(self.env.clone(), request, region, Arc::new(caller), schema);
        // None of them binds the role, but conditions of a key's policy ask for its organization.
        if let Some(guardrails) = self.env.guardrails().await? {
            cx.guard(guardrails);
        }
        Ok(cx)
    }
}
