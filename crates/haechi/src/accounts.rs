//! What Organizations asks of IAM: which accounts there are, and a new one with the role by which
//! the management account enters it.
//!
//! The role is made by IAM's own operations, called as the new account's root user, so that all of
//! IAM's rules hold for it. No guardrails lie over these calls: they are the organization's own.

use std::net::Ipv4Addr;
use std::sync::Arc;

use async_trait::async_trait;
use haechi_core::{AccountId, Cx, Env, Region, RequestInfo, Router};
use haechi_iam::{Iam, root_caller};
use haechi_organizations::Accounts;
use haechi_wire::json::JsonReader;
use haechi_wire::{Fault, Problem, Protocol};
use serde_json::{Value, json};

/// Accounts as IAM has them.
pub struct IamAccounts {
    iam: Arc<Iam>,
    operations: Router,
    env: Env,
}

impl IamAccounts {
    /// Over IAM.
    pub fn new(iam: Arc<Iam>, env: Env) -> IamAccounts {
        let mut operations = Router::default();
        iam.mount(&mut operations);
        IamAccounts { iam, operations, env }
    }

    /// Calls an operation of IAM as the root user of an account. `false`: IAM does not have it.
    async fn call(
        &self,
        account: &AccountId,
        operation: &str,
        input: &Value,
    ) -> Result<bool, Problem> {
        let service = self.operations.named("iam").ok_or_else(|| Fault::internal("IAM is there"))?;
        let endpoint = match self.operations.endpoint(service, operation) {
            Err(Fault::Unsupported { .. }) => return Ok(false),
            found => found?,
        };
        let body = input.to_string();
        let wrong = |_| Fault::internal(format!("{operation} was called wrongly"));
        let call = endpoint.decode(&mut JsonReader::new(body.as_bytes())).map_err(wrong)?;
        let request = RequestInfo {
            id: self.env.uuid().map_err(Fault::internal)?.to_string(),
            source_ip: Ipv4Addr::LOCALHOST.into(),
            user_agent: Some("organizations.amazonaws.com".to_owned()),
            referer: None,
            secure_transport: true,
            time: self.env.now(),
        };
        let caller = Arc::new(root_caller(account, ""));
        let region = Region::parse("us-east-1").ok_or_else(|| Fault::internal("a Region"))?;
        let cx = Cx::new(self.env.clone(), request, region, caller, endpoint.schema());
        match call.run(&cx).await {
            Ok(_) => Ok(true),
            // Made before this was cut off.
            Err(problem) if problem.code(Protocol::Query) == "EntityAlreadyExists" => Ok(true),
            Err(problem) => Err(problem),
        }
    }
}

#[async_trait]
impl Accounts for IamAccounts {
    async fn exists(&self, account: &AccountId) -> Result<bool, Fault> {
        self.iam.account_exists(account).await
    }

    async fn create(
        &self,
        account: &AccountId,
        management: &AccountId,
        role_name: &str,
    ) -> Result<(), Fault> {
        self.iam.create_account(account).await?;
        let statement = json!({"Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": {"AWS": format!("arn:aws:iam::{management}:root")}});
        let trust = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
        let role = json!({"RoleName": role_name, "AssumeRolePolicyDocument": trust});
        let everything = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
        let policy = json!({"Version": "2012-10-17", "Statement": [everything]}).to_string();
        let policy = json!({"RoleName": role_name, "PolicyName": "AdministratorAccess",
            "PolicyDocument": policy});
        for (operation, input) in [("CreateRole", role), ("PutRolePolicy", policy)] {
            let done = self.call(account, operation, &input).await.map_err(|problem| {
                let message = problem.message();
                Fault::internal(format!("{operation} in account {account}: {message}"))
            })?;
            if !done {
                // `haechi account key` gives the operator a way in.
                tracing::warn!(%account, role_name, operation, "an account was made without its role");
            }
        }
        Ok(())
    }
}
