//! What the tests share.

use std::sync::Arc;

use haechi_core::{AccountId, Caller, Credential, Identities, Operation};
use haechi_iam::Iam;
use haechi_iam_model::ops::{CreateAccessKey, CreatePolicy, CreateRole, CreateUser, PutUserPolicy};
use haechi_iam_model::shapes::{
    AccessKey, CreateAccessKeyRequest, CreatePolicyRequest, CreateRoleRequest, CreateUserRequest,
    PutUserPolicyRequest, Role, Tag, User,
};
use haechi_testkit::Kit;
use haechi_wire::{Problem, Protocol};

pub const ACCOUNT: &str = "123456789012";
pub const OTHER_ACCOUNT: &str = "210987654321";

pub const ALLOW_ALL: &str = r#"{"Version":"2012-10-17","Statement":
    {"Effect":"Allow","Action":"*","Resource":"*"}}"#;

/// IAM in its surroundings, with one account.
pub struct Stage {
    pub kit: Kit,
    pub iam: Arc<Iam>,
    pub root: Arc<Caller>,
}

impl Stage {
    pub async fn new() -> Stage {
        let kit = Kit::new().await;
        let iam = Arc::new(Iam::new(kit.database.clone(), kit.env.clone()));
        assert!(iam.create_account(&account(ACCOUNT)).await.unwrap());
        let root = kit.root(ACCOUNT);
        Stage { kit, iam, root }
    }

    pub async fn call<Op: Operation>(
        &self,
        caller: &Arc<Caller>,
        input: Op::Input,
    ) -> Result<Op::Output, Problem>
    where
        Iam: haechi_core::Handle<Op>,
    {
        self.kit.call::<Op, _>(&*self.iam, caller, input).await
    }

    /// Calls as the root user.
    pub async fn ok<Op: Operation>(&self, input: Op::Input) -> Op::Output
    where
        Iam: haechi_core::Handle<Op>,
    {
        let root = self.root.clone();
        self.call::<Op>(&root, input).await.unwrap()
    }

    /// Calls as the root user what must be refused; the code and message.
    pub async fn refused<Op: Operation>(&self, input: Op::Input) -> (String, String)
    where
        Iam: haechi_core::Handle<Op>,
    {
        let root = self.root.clone();
        self.refused_to::<Op>(&root, input).await
    }

    pub async fn refused_to<Op: Operation>(
        &self,
        caller: &Arc<Caller>,
        input: Op::Input,
    ) -> (String, String)
    where
        Iam: haechi_core::Handle<Op>,
    {
        let problem = self.call::<Op>(caller, input).await.err().expect("a refusal");
        (problem.code(Protocol::Query).to_owned(), problem.message())
    }

    pub async fn create_user(&self, name: &str) -> User {
        let request = CreateUserRequest { user_name: name.to_owned(), ..Default::default() };
        self.ok::<CreateUser>(request).await.user.unwrap()
    }

    pub async fn create_key(&self, name: &str) -> AccessKey {
        let request = CreateAccessKeyRequest { user_name: Some(name.to_owned()) };
        self.ok::<CreateAccessKey>(request).await.access_key
    }

    pub async fn put_policy(&self, user: &str, policy: &str, document: &str) {
        self.ok::<PutUserPolicy>(put(user, policy, document)).await;
    }

    pub async fn credential(&self, access_key_id: &str) -> Option<Arc<Credential>> {
        self.iam.credential(access_key_id, None).await.unwrap()
    }
}

pub fn account(digits: &str) -> AccountId {
    AccountId::parse(digits).unwrap()
}

pub fn put(user: &str, policy: &str, document: &str) -> PutUserPolicyRequest {
    PutUserPolicyRequest {
        user_name: user.to_owned(),
        policy_name: policy.to_owned(),
        policy_document: document.to_owned(),
    }
}

pub fn tag(key: &str, value: &str) -> Tag {
    Tag { key: key.to_owned(), value: value.to_owned() }
}

pub fn told(code: &str, message: &str) -> (String, String) {
    (code.to_owned(), message.to_owned())
}

pub const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"lambda.amazonaws.com"}}]}"#;

/// Whether the owner of a key may do an action on anything, as its next call would be decided.
pub async fn may(stage: &Stage, key: &AccessKey, action: &str) -> bool {
    let caller = stage.credential(&key.access_key_id).await.unwrap().caller.clone();
    let cx = stage.kit.cx::<CreateUser>(&caller);
    let ask = haechi_core::Ask {
        action,
        resource: "*",
        resource_account: ACCOUNT,
        policy: None,
        rule: haechi_policy::ResourceRule::Union,
        context: &haechi_core::NoContext,
    };
    cx.authorize(&ask).is_ok()
}

/// Makes a managed policy; its ARN.
pub async fn create_policy(stage: &Stage, name: &str, document: &str) -> String {
    let request = CreatePolicyRequest {
        policy_name: name.to_owned(),
        policy_document: document.to_owned(),
        ..Default::default()
    };
    stage.ok::<CreatePolicy>(request).await.policy.unwrap().arn.unwrap()
}

pub async fn create_role(stage: &Stage, name: &str) -> Role {
    let request = CreateRoleRequest {
        role_name: name.to_owned(),
        assume_role_policy_document: TRUST.to_owned(),
        ..Default::default()
    };
    stage.ok::<CreateRole>(request).await.role
}
