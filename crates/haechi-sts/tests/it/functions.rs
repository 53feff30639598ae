//! Sessions that Lambda gives to functions: what their code calls carries the function's ARN.

use std::collections::HashMap;
use std::sync::Arc;

use haechi_core::guardrails::Membership;
use haechi_core::{Caller, Cx, Guardrails, Handle, Identities, Operation as _, Region, Source};
use haechi_iam::Iam;
use haechi_iam_model::ops::{CreateRole, PutRolePolicy};
use haechi_iam_model::shapes as iam;
use haechi_policy::{Document, Kind};
use haechi_sts::Sts;
use haechi_sts_model::ops::{AssumeRole, GetCallerIdentity};
use haechi_sts_model::shapes::{AssumeRoleRequest, Credentials};
use haechi_testkit::Kit;

use super::ACCOUNT;

const ROLE: &str = "arn:aws:iam::123456789012:role/run";
const TRUST: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole",
    "Principal":{"Service":"lambda.amazonaws.com","AWS":"123456789012"}}}"#;
const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Action":"sqs:ListQueues","Resource":"*","Condition":{"ArnEquals":
     {"lambda:SourceFunctionArn":"arn:aws:lambda:us-east-1:123456789012:function:one"}}},
    {"Effect":"Allow","Action":["sns:ListTopics","sts:AssumeRole"],"Resource":"*"},
    {"Effect":"Deny","Action":"sns:ListTopics","Resource":"*","Condition":{"ArnLike":
     {"lambda:SourceFunctionArn":"arn:aws:lambda:*:*:function:one"}}}]}"#;

fn arn_of(function: &str) -> String {
    format!("arn:aws:lambda:us-east-1:{ACCOUNT}:function:{function}")
}

struct Stage {
    kit: Kit,
    iam: Arc<Iam>,
    sts: Sts,
}

impl Stage {
    async fn new() -> Stage {
        let kit = Kit::new().await;
        let iam = Arc::new(Iam::new(kit.database.clone(), kit.env.clone()));
        let sts = Sts::new(kit.database.clone(), iam.clone());
        let create = iam::CreateRoleRequest {
            role_name: "run".to_owned(),
            assume_role_policy_document: TRUST.to_owned(),
            ..Default::default()
        };
        let root = kit.root(ACCOUNT);
        kit.call::<CreateRole, _>(&*iam, &root, create).await.unwrap();
        let put = iam::PutRolePolicyRequest {
            role_name: "run".to_owned(),
            policy_name: "p".to_owned(),
            policy_document: POLICY.to_owned(),
        };
        kit.call::<PutRolePolicy, _>(&*iam, &root, put).await.unwrap();
        Stage { kit, iam, sts }
    }

    async fn by_lambda(&self, function: &str) -> Cx {
        let account = self.kit.root(ACCOUNT).account.clone();
        let source = Source { arn: arn_of(function), account };
        let region = Region::parse("us-east-1").unwrap();
        let schema = AssumeRole::SCHEMA;
        Cx::by_service(&self.kit.env, region, "lambda", source, schema).await.unwrap()
    }

    async fn caller(&self, credentials: Option<Credentials>) -> Arc<Caller> {
        let keys = credentials.unwrap();
        let found = self.iam.credential(&keys.access_key_id, Some(&keys.session_token)).await;
        Arc::clone(&found.unwrap().unwrap().caller)
    }

    /// The code of a function.
    async fn code_of(&self, function: &str) -> Arc<Caller> {
        let cx = self.by_lambda(function).await;
        let made = self.sts.assume_for_function(&cx, request(), arn_of(function)).await;
        self.caller(made.unwrap().credentials).await
    }

    /// Lambda, in the name of a function's role.
    async fn lambda_for(&self, function: &str) -> Arc<Caller> {
        let cx = self.by_lambda(function).await;
        let made = Handle::<AssumeRole>::handle(&self.sts, &cx, request()).await;
        self.caller(made.unwrap().credentials).await
    }

    fn may(&self, caller: &Arc<Caller>, action: &str) -> bool {
        let cx = self.kit.cx::<GetCallerIdentity>(caller);
        cx.authorize_also(action, "*", &haechi_core::NoContext).is_ok()
    }
}

fn request() -> AssumeRoleRequest {
    AssumeRoleRequest {
        role_arn: ROLE.to_owned(),
        role_session_name: "f".to_owned(),
        ..Default::default()
    }
}

#[tokio::test]
async fn policies_know_which_functions_code_calls() {
    let stage = Stage::new().await;
    let (one, two) = (stage.code_of("one").await, stage.code_of("two").await);
    let lambda = stage.lambda_for("one").await;
    let allowed = |action| [&one, &two, &lambda].map(|caller| stage.may(caller, action));
    assert_eq!(allowed("sqs:ListQueues"), [true, false, false]);
    assert_eq!(allowed("sns:ListTopics"), [false, true, true]);
}

#[tokio::test]
async fn service_control_policies_know_it_too() {
    let stage = Stage::new().await;
    let (one, two) = (stage.code_of("one").await, stage.code_of("two").await);
    let policy = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":"*","Resource":"*"},
        {"Effect":"Deny","Action":"sts:AssumeRole","Resource":"*","Condition":{"StringEquals":
         {"lambda:SourceFunctionArn":"arn:aws:lambda:us-east-1:123456789012:function:two"}}}]}"#;
    let policy = Arc::new(Document::parse(policy, Kind::ServiceControl).unwrap());
    let membership = Membership { service_control: vec![vec![policy]], ..Default::default() };
    let guardrails = Guardrails::new(HashMap::from([(ACCOUNT.to_owned(), membership)]));
    let guardrails = Arc::new(guardrails);
    let may = |caller: &Arc<Caller>| {
        let cx = stage.kit.cx::<GetCallerIdentity>(caller);
        cx.guard(Arc::clone(&guardrails));
        cx.authorize_also("sts:AssumeRole", "*", &haechi_core::NoContext).is_ok()
    };
    assert_eq!([may(&one), may(&two)], [true, false]);
}

#[tokio::test]
async fn sessions_that_a_functions_code_assumes_are_not_the_functions() {
    let stage = Stage::new().await;
    let one = stage.code_of("one").await;
    assert!(stage.may(&one, "sqs:ListQueues"));
    let made = stage.kit.call::<AssumeRole, _>(&stage.sts, &one, request()).await;
    let chained = stage.caller(made.unwrap().credentials).await;
    assert!(!stage.may(&chained, "sqs:ListQueues"));
}

#[tokio::test]
async fn the_record_of_a_denial_tells_the_function() {
    let stage = Stage::new().await;
    let cx = stage.kit.cx::<GetCallerIdentity>(&stage.code_of("two").await);
    let asked = cx.authorize_also("kms:ListKeys", "*", &haechi_core::NoContext);
    assert!(asked.is_err());
    let record = cx.refused().unwrap();
    assert_eq!(record.context["lambda:sourcefunctionarn"], [arn_of("two")]);
}
