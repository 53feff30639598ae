//! What Organizations asks of IAM: which accounts there are, and a new one with the role by which
//! the management account enters it.
//!
//! The role is made by IAM's own operations, called as the new account's root user, so that all of
//! IAM's rules hold for it. No guardrails lie over these calls: they are the organization's own.

use std::net::Ipv4Addr;
use std::sync::Arc;

use async_trait::async_trait;
use haechi_core::{AccountId, Cx, Env, Handle, Operation, Region, RequestInfo};
use haechi_iam::{Iam, root_caller};
use haechi_iam_model::Error;
use haechi_iam_model::ops::{CreateRole, PutRolePolicy};
use haechi_iam_model::shapes::{CreateRoleRequest, PutRolePolicyRequest};
use haechi_organizations::Accounts;
use haechi_wire::{Fault, Problem};
use serde_json::json;

/// Accounts as IAM has them.
pub struct IamAccounts {
    iam: Arc<Iam>,
    env: Env,
}

impl IamAccounts {
    /// Over IAM.
    pub fn new(iam: Arc<Iam>, env: Env) -> IamAccounts {
        IamAccounts { iam, env }
    }

    /// Calls an operation as the root user of an account.
    async fn call<Op>(&self, account: &AccountId, input: Op::Input) -> Result<(), Op::Error>
    where
        Op: Operation,
        Iam: Handle<Op>,
    {
        let request = RequestInfo {
            id: self.env.uuid().map_err(Fault::internal)?.to_string(),
            source_ip: Ipv4Addr::LOCALHOST.into(),
            user_agent: Some("organizations.amazonaws.com".to_owned()),
            host: None,
            referer: None,
            trace: None,
            secure_transport: true,
            time: self.env.now(),
        };
        let caller = Arc::new(root_caller(account, ""));
        let region = Region::parse("us-east-1").ok_or_else(|| Fault::internal("no Region"))?;
        let cx = Cx::new(self.env.clone(), request, region, caller, Op::SCHEMA);
        self.iam.handle(&cx, input).await.map(|_| ())
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
        let role = CreateRoleRequest {
            role_name: role_name.to_owned(),
            assume_role_policy_document: document(&statement),
            ..Default::default()
        };
        match self.call::<CreateRole>(account, role).await {
            // The other: made before this was cut off.
            Ok(()) | Err(Error::EntityAlreadyExistsException(_)) => {}
            Err(error) => return Err(refused("CreateRole", account, error)),
        }
        let everything = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
        let policy = PutRolePolicyRequest {
            role_name: role_name.to_owned(),
            policy_name: "AdministratorAccess".to_owned(),
            policy_document: document(&everything),
        };
        let put = self.call::<PutRolePolicy>(account, policy).await;
        put.map_err(|error| refused("PutRolePolicy", account, error))
    }
}

fn document(statement: &serde_json::Value) -> String {
    json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
}

fn refused(operation: &str, account: &AccountId, error: Error) -> Fault {
    match Problem::from(error) {
        Problem::Fault(fault) => fault,
        modelled => Fault::internal(format!("{operation} in {account}: {}", modelled.message())),
    }
}
