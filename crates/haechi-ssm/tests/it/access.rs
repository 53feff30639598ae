//! Who may do what: IAM by path, and the condition keys.

use haechi_ssm_model::ops;
use haechi_ssm_model::shapes::*;

use crate::world::{ACCOUNT, World, code, new_value, string, words};

fn policy(statements: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)
}

fn allow(action: &str, resource: &str, condition: &str) -> String {
    format!(
        r#"{{"Effect":"Allow","Action":"{action}","Resource":"arn:aws:ssm:us-east-1:{ACCOUNT}:{resource}"{condition}}}"#
    )
}

fn get(name: &str) -> GetParameterRequest {
    GetParameterRequest { name: name.to_owned(), with_decryption: None }
}

fn path(path: &str, recursive: bool) -> GetParametersByPathRequest {
    let recursive = Some(recursive);
    GetParametersByPathRequest { path: path.to_owned(), recursive, ..Default::default() }
}

#[tokio::test]
async fn a_path_in_a_policy_covers_what_is_under_it() {
    let world = World::new().await;
    for name in ["/dev/db", "/prod/db"] {
        world.put(string(name, "v")).await;
    }
    let dev = policy(&allow("ssm:GetParameter*", "parameter/dev/*", ""));
    let user = world.kit.user(ACCOUNT, "dev", &[&dev]);
    assert!(world.as_user::<ops::GetParameter>(&user, get("/dev/db")).await.is_ok());
    let refused = world.as_user::<ops::GetParameter>(&user, get("/prod/db")).await;
    assert_eq!(
        words(refused),
        format!(
            "User: arn:aws:iam::{ACCOUNT}:user/dev is not authorized to perform: ssm:GetParameter \
             on resource: arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/prod/db because no \
             identity-based policy allows the ssm:GetParameter action"
        )
    );
    // Whether it is there makes no difference.
    let missing = world.as_user::<ops::GetParameter>(&user, get("/prod/none")).await;
    assert_eq!(code(missing), "AccessDeniedException");
    let names = ["/dev/db", "/prod/db"].map(str::to_owned).to_vec();
    let both = GetParametersRequest { names, with_decryption: None };
    let both = world.as_user::<ops::GetParameters>(&user, both).await;
    assert_eq!(code(both), "AccessDeniedException");
}

#[tokio::test]
async fn a_path_is_decided_as_it_is_asked_for_not_by_what_it_holds() {
    let world = World::new().await;
    world.put(string("/a/b/secret", "v")).await;
    let statements = [
        allow("ssm:GetParametersByPath", "parameter/a", ""),
        format!(
            r#"{{"Effect":"Deny","Action":"ssm:*","Resource":"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/a/b*"}}"#
        ),
    ];
    let user = world.kit.user(ACCOUNT, "user", &[&policy(&statements.join(","))]);
    let read = world.as_user::<ops::GetParametersByPath>(&user, path("/a", true)).await.unwrap();
    assert_eq!(read.parameters.unwrap().len(), 1);
    let below = world.as_user::<ops::GetParametersByPath>(&user, path("/a/b", true)).await;
    assert_eq!(code(below), "AccessDeniedException");
}

#[tokio::test]
async fn conditions_see_overwrite_policies_and_recursion() {
    let world = World::new().await;
    let when = |key: &str| format!(r#","Condition":{{"StringEquals":{{"ssm:{key}":"false"}}}}"#);
    let statements = [
        allow("ssm:PutParameter", "parameter/new/*", &when("Overwrite")),
        allow("ssm:PutParameter", "parameter/plain/*", &when("Policies")),
        allow("ssm:GetParametersByPath", "parameter/flat", &when("Recursive")),
    ];
    let user = world.kit.user(ACCOUNT, "user", &[&policy(&statements.join(","))]);
    let put = async |input| code(world.as_user::<ops::PutParameter>(&user, input).await);
    assert_eq!(put(string("/new/a", "1")).await, "no error");
    assert_eq!(put(new_value("/new/a", "2")).await, "AccessDeniedException");
    assert_eq!(put(string("/plain/a", "1")).await, "no error");
    let expiring =
        PutParameterRequest { policies: Some("[]".to_owned()), ..string("/plain/b", "1") };
    assert_eq!(put(expiring).await, "AccessDeniedException");
    let read = async |input| code(world.as_user::<ops::GetParametersByPath>(&user, input).await);
    assert_eq!(read(path("/flat", false)).await, "no error");
    assert_eq!(read(path("/flat", true)).await, "AccessDeniedException");
}

#[tokio::test]
async fn conditions_see_tags_of_the_parameter_and_of_the_request() {
    let world = World::new().await;
    let tag = |value: &str| vec![Tag { key: "team".to_owned(), value: value.to_owned() }];
    for (name, value) in [("/blue", "blue"), ("/red", "red")] {
        world.put(PutParameterRequest { tags: Some(tag(value)), ..string(name, "v") }).await;
    }
    let statements = [
        allow(
            "ssm:GetParameter",
            "*",
            r#","Condition":{"StringEquals":{"ssm:resourceTag/team":"blue"}}"#,
        ),
        allow("ssm:PutParameter", "*", ""),
        allow(
            "ssm:AddTagsToResource",
            "*",
            r#","Condition":{"StringEquals":{"aws:RequestTag/team":"blue"}}"#,
        ),
    ];
    let user = world.kit.user(ACCOUNT, "user", &[&policy(&statements.join(","))]);
    assert!(world.as_user::<ops::GetParameter>(&user, get("/blue")).await.is_ok());
    let red = world.as_user::<ops::GetParameter>(&user, get("/red")).await;
    assert_eq!(code(red), "AccessDeniedException");
    let put = async |name: &str, value: &str| {
        let input = PutParameterRequest { tags: Some(tag(value)), ..string(name, "v") };
        code(world.as_user::<ops::PutParameter>(&user, input).await)
    };
    assert_eq!(put("/n1", "blue").await, "no error");
    assert_eq!(put("/n2", "red").await, "AccessDeniedException");
}

#[tokio::test]
async fn a_list_needs_leave_on_everything() {
    let world = World::new().await;
    let narrow = policy(&allow("ssm:DescribeParameters", "parameter/dev/*", ""));
    let user = world.kit.user(ACCOUNT, "user", &[&narrow]);
    let refused = world.as_user::<ops::DescribeParameters>(&user, Default::default()).await;
    assert!(words(refused).contains(&format!("arn:aws:ssm:us-east-1:{ACCOUNT}:*")));
    let wide = policy(&allow("ssm:DescribeParameters", "*", ""));
    let user = world.kit.user(ACCOUNT, "user", &[&wide]);
    assert!(world.as_user::<ops::DescribeParameters>(&user, Default::default()).await.is_ok());
}

/// AWS's words, for who may ask: here nobody can make a maintenance window.
#[tokio::test]
async fn no_maintenance_window_exists() {
    let world = World::new().await;
    let input = GetMaintenanceWindowRequest { window_id: "mw-00000000000000000".to_owned() };
    let outcome = world.call::<ops::GetMaintenanceWindow>(input.clone()).await;
    assert_eq!(words(outcome), "Maintenance window mw-00000000000000000 does not exist");
    let outcome = world.call::<ops::GetMaintenanceWindow>(input.clone()).await;
    assert_eq!(code(outcome), "DoesNotExistException");
    let nobody = world.kit.user(ACCOUNT, "nobody", &[]);
    let outcome = world.as_user::<ops::GetMaintenanceWindow>(&nobody, input).await;
    assert_eq!(code(outcome), "AccessDeniedException");
}
