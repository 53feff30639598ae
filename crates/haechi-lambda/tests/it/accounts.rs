//! What the policy of a function opens to other accounts, and what it does not.

use std::sync::Arc;

use haechi_core::{Caller, Operation};
use haechi_lambda_model::ops::*;
use haechi_lambda_model::shapes::*;

use crate::fixture::{ACCOUNT, Fixture, arn_of};

const OTHER: &str = "444455556666";
const ALL: &str = r#"{"Version": "2012-10-17", "Statement":
    {"Effect": "Allow", "Action": "lambda:*", "Resource": "*"}}"#;

/// A function whose policy lets the other account, and a user of its own, do everything.
async fn opened() -> Fixture {
    let fixture = Fixture::new("prod").await;
    for principal in [OTHER.to_owned(), format!("arn:aws:iam::{ACCOUNT}:user/bob")] {
        let input = AddPermissionRequest {
            statement_id: principal.rsplit([':', '/']).next().unwrap_or_default().to_owned(),
            action: "lambda:*".to_owned(),
            principal,
            ..named()
        };
        fixture.done::<AddPermission>(input).await;
    }
    fixture
}

fn named() -> AddPermissionRequest {
    AddPermissionRequest { function_name: arn_of("prod"), ..Default::default() }
}

type Outcomes = Vec<(&'static str, &'static str)>;

/// What becomes of calls, by operation.
macro_rules! outcomes {
    ($fixture:expr, $caller:expr, $($operation:ident: $input:ident,)*) => {{
        let mut outcomes = Outcomes::new();
        $(
            let input = $input { function_name: arn_of("prod"), ..Default::default() };
            let (code, _) = $fixture.refused_to::<$operation>($caller, input).await;
            outcomes.push((<$operation as Operation>::SCHEMA.name, code));
        )*
        outcomes
    }};
}

#[expect(clippy::needless_update, reason = "some inputs have nothing but the name")]
async fn of_owners(fixture: &Fixture, caller: &Arc<Caller>) -> Outcomes {
    outcomes! {
        fixture, caller,
        AddPermission: AddPermissionRequest,
        DeleteFunctionCodeSigningConfig: DeleteFunctionCodeSigningConfigRequest,
        DeleteFunctionUrlConfig: DeleteFunctionUrlConfigRequest,
        GetFunctionCodeSigningConfig: GetFunctionCodeSigningConfigRequest,
        GetFunctionUrlConfig: GetFunctionUrlConfigRequest,
        ListFunctionUrlConfigs: ListFunctionUrlConfigsRequest,
        RemovePermission: RemovePermissionRequest,
        UpdateFunctionConfiguration: UpdateFunctionConfigurationRequest,
    }
}

#[expect(clippy::needless_update, reason = "some inputs have nothing but the name")]
async fn of_others(fixture: &Fixture, caller: &Arc<Caller>) -> Outcomes {
    outcomes! {
        fixture, caller,
        CreateAlias: CreateAliasRequest,
        DeleteAlias: DeleteAliasRequest,
        DeleteFunctionConcurrency: DeleteFunctionConcurrencyRequest,
        DeleteFunctionEventInvokeConfig: DeleteFunctionEventInvokeConfigRequest,
        GetAlias: GetAliasRequest,
        GetFunction: GetFunctionRequest,
        GetFunctionConcurrency: GetFunctionConcurrencyRequest,
        GetFunctionConfiguration: GetFunctionConfigurationRequest,
        GetFunctionEventInvokeConfig: GetFunctionEventInvokeConfigRequest,
        GetPolicy: GetPolicyRequest,
        ListAliases: ListAliasesRequest,
        ListFunctionEventInvokeConfigs: ListFunctionEventInvokeConfigsRequest,
        ListProvisionedConcurrencyConfigs: ListProvisionedConcurrencyConfigsRequest,
        ListVersionsByFunction: ListVersionsByFunctionRequest,
        PublishVersion: PublishVersionRequest,
        PutFunctionConcurrency: PutFunctionConcurrencyRequest,
        PutFunctionEventInvokeConfig: PutFunctionEventInvokeConfigRequest,
        UpdateAlias: UpdateAliasRequest,
        UpdateFunctionCode: UpdateFunctionCodeRequest,
        UpdateFunctionEventInvokeConfig: UpdateFunctionEventInvokeConfigRequest,
    }
}

#[tokio::test]
async fn a_policy_lets_another_account_change_neither_permissions_nor_configuration() {
    let fixture = opened().await;
    for stranger in [fixture.kit.root(OTHER), fixture.kit.user(OTHER, "eve", &[ALL])] {
        for (operation, code) in of_owners(&fixture, &stranger).await {
            assert_eq!(code, "AccessDeniedException", "{operation}");
        }
    }
    // In the function's own account the policy opens all.
    let neighbour = fixture.kit.user(ACCOUNT, "bob", &[]);
    for (operation, code) in of_owners(&fixture, &neighbour).await {
        assert_ne!(code, "AccessDeniedException", "{operation}");
    }
}

#[tokio::test]
async fn a_policy_lets_another_account_do_what_aws_lists() {
    let fixture = opened().await;
    let unnamed = fixture.kit.user("777788889999", "eve", &[ALL]);
    for (operation, code) in of_others(&fixture, &unnamed).await {
        assert_eq!(code, "AccessDeniedException", "{operation}");
    }
    let stranger = fixture.kit.user(OTHER, "eve", &[ALL]);
    for (operation, code) in of_others(&fixture, &stranger).await {
        assert_ne!(code, "AccessDeniedException", "{operation}");
    }
    let input = InvocationRequest {
        function_name: arn_of("prod"),
        invocation_type: Some(InvocationType::DryRun),
        ..Default::default()
    };
    fixture.done_as::<Invoke>(&stranger, input).await;
    let tags = [("a".to_owned(), "b".to_owned())].into();
    let input = TagResourceRequest { resource: arn_of("prod"), tags };
    fixture.done_as::<TagResource>(&stranger, input).await;
    let input = ListTagsRequest { resource: arn_of("prod") };
    fixture.done_as::<ListTags>(&stranger, input).await;
    let input = UntagResourceRequest { resource: arn_of("prod"), tag_keys: vec!["a".to_owned()] };
    fixture.done_as::<UntagResource>(&stranger, input).await;
    let input = DeleteFunctionRequest { function_name: arn_of("prod"), ..Default::default() };
    fixture.done_as::<DeleteFunction>(&stranger, input).await;
}
