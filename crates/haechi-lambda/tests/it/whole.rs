//! Operations without a qualifier are of the whole function, whatever qualifier its name carries.

use std::sync::Arc;

use haechi_core::{Caller, Operation};
use haechi_lambda_model::ops::*;
use haechi_lambda_model::shapes::*;

use crate::fixture::{ACCOUNT, Fixture, arn_of};

/// What becomes of calls that name a function, by operation.
#[expect(clippy::needless_update, reason = "some inputs have nothing but the name")]
async fn outcomes(
    fixture: &Fixture,
    caller: &Arc<Caller>,
    name: &str,
) -> Vec<(&'static str, &'static str)> {
    let mut outcomes = Vec::new();
    macro_rules! call {
        ($($operation:ident: $input:ident,)*) => {$(
            let input = $input { function_name: name.to_owned(), ..Default::default() };
            let (code, _) = fixture.refused_to::<$operation>(caller, input).await;
            outcomes.push((<$operation as Operation>::SCHEMA.name, code));
        )*};
    }
    call! {
        CreateAlias: CreateAliasRequest,
        DeleteAlias: DeleteAliasRequest,
        DeleteFunctionCodeSigningConfig: DeleteFunctionCodeSigningConfigRequest,
        DeleteFunctionConcurrency: DeleteFunctionConcurrencyRequest,
        GetAlias: GetAliasRequest,
        GetFunctionCodeSigningConfig: GetFunctionCodeSigningConfigRequest,
        GetFunctionConcurrency: GetFunctionConcurrencyRequest,
        ListAliases: ListAliasesRequest,
        ListFunctionEventInvokeConfigs: ListFunctionEventInvokeConfigsRequest,
        ListFunctionUrlConfigs: ListFunctionUrlConfigsRequest,
        ListProvisionedConcurrencyConfigs: ListProvisionedConcurrencyConfigsRequest,
        ListVersionsByFunction: ListVersionsByFunctionRequest,
        PublishVersion: PublishVersionRequest,
        PutFunctionConcurrency: PutFunctionConcurrencyRequest,
        UpdateAlias: UpdateAliasRequest,
        UpdateFunctionCode: UpdateFunctionCodeRequest,
        UpdateFunctionConfiguration: UpdateFunctionConfigurationRequest,
    }
    outcomes
}

/// Names with qualifiers that are there, and with one that is not.
fn names() -> Vec<String> {
    let qualifiers = ["$LATEST", "1", "live", "nonesuch"];
    let plain = qualifiers.iter().map(|qualifier| format!("prod:{qualifier}"));
    plain.clone().chain(plain.map(|name| arn_of(&name))).collect()
}

async fn with_an_alias() -> Fixture {
    let fixture = Fixture::new("prod").await;
    fixture.publish("prod", 10, "dead").await;
    let input = CreateAliasRequest {
        function_name: "prod".to_owned(),
        name: "live".to_owned(),
        function_version: "1".to_owned(),
        ..Default::default()
    };
    fixture.done::<CreateAlias>(input).await;
    fixture
}

async fn all_are_denied(fixture: &Fixture, caller: &Arc<Caller>) {
    for name in names() {
        for (operation, code) in outcomes(fixture, caller, &name).await {
            assert_eq!(code, "AccessDeniedException", "{operation} of {name}");
        }
    }
}

fn reading(name: &str) -> GetFunctionRequest {
    GetFunctionRequest { function_name: name.to_owned(), ..Default::default() }
}

#[tokio::test]
async fn no_qualifier_gets_around_a_denial_of_the_function() {
    let fixture = with_an_alias().await;
    let policy = format!(
        r#"{{"Version": "2012-10-17", "Statement": [
            {{"Effect": "Allow", "Action": "lambda:*", "Resource": "*"}},
            {{"Effect": "Deny", "Action": "lambda:*", "Resource": "{}"}}]}}"#,
        arn_of("prod")
    );
    let eve = fixture.kit.user(ACCOUNT, "eve", &[&policy]);
    all_are_denied(&fixture, &eve).await;
    // What has a qualifier is another resource.
    fixture.done_as::<GetFunction>(&eve, reading("prod:live")).await;
}

#[tokio::test]
async fn who_may_do_all_with_an_alias_may_do_nothing_with_the_function() {
    let fixture = with_an_alias().await;
    let policy = format!(
        r#"{{"Version": "2012-10-17", "Statement":
            {{"Effect": "Allow", "Action": "lambda:*", "Resource": "{}"}}}}"#,
        arn_of("prod:*")
    );
    let by_identity = fixture.kit.user(ACCOUNT, "ann", &[&policy]);
    let by_resource = fixture.kit.user(ACCOUNT, "bob", &[]);
    let input = AddPermissionRequest {
        function_name: "prod".to_owned(),
        qualifier: Some("live".to_owned()),
        statement_id: "s".to_owned(),
        action: "lambda:*".to_owned(),
        principal: format!("arn:aws:iam::{ACCOUNT}:user/bob"),
        ..Default::default()
    };
    fixture.done::<AddPermission>(input).await;
    for caller in [by_identity, by_resource] {
        fixture.done_as::<GetFunction>(&caller, reading("prod:live")).await;
        all_are_denied(&fixture, &caller).await;
    }
}

#[tokio::test]
async fn who_may_act_on_the_function_may_whatever_qualifier_its_name_carries() {
    let fixture = with_an_alias().await;
    let policy = format!(
        r#"{{"Version": "2012-10-17", "Statement":
            {{"Effect": "Allow", "Action": "lambda:*", "Resource": "{}"}}}}"#,
        arn_of("prod")
    );
    let user = fixture.kit.user(ACCOUNT, "ann", &[&policy]);
    for name in names() {
        for (operation, code) in outcomes(&fixture, &user, &name).await {
            assert_ne!(code, "AccessDeniedException", "{operation} of {name}");
        }
        let input = PutFunctionConcurrencyRequest {
            function_name: name,
            reserved_concurrent_executions: 1,
        };
        let (code, _) = fixture.refused_to::<PutFunctionConcurrency>(&user, input).await;
        assert_eq!(code, "InvalidParameterValueException", "it is of functions alone");
    }
    let (code, _) = fixture.refused_to::<GetFunction>(&user, reading("prod:live")).await;
    assert_eq!(code, "AccessDeniedException");
}
