//! Statements of resource policies, as `AddPermission` writes them.
//!
//! Source: recordings; API Reference, AddPermission.

use haechi_core::{AccountId, Cx, Env, PrincipalIds};
use haechi_lambda_model::Error;
use haechi_lambda_model::shapes::AddPermissionRequest;
use haechi_policy::{Document, Kind};
use haechi_wire::Fault;
use serde_json::{Map, Value, json};

use crate::reference::Reference;
use crate::store::Policy;
use crate::words::invalid;

/// Bytes of a policy, at most (quota).
pub(crate) const POLICY_MAX: usize = 20_480;

/// What a function's policy can open to other accounts (Developer Guide, "Viewing resource-based IAM
/// policies in Lambda", supported API actions); all else is its owner's alone.
const OPEN_TO_OTHERS: [&str; 29] = [
    "lambda:CreateAlias",
    "lambda:DeleteAlias",
    "lambda:DeleteFunction",
    "lambda:DeleteFunctionConcurrency",
    "lambda:DeleteFunctionEventInvokeConfig",
    "lambda:DeleteProvisionedConcurrencyConfig",
    "lambda:GetAlias",
    "lambda:GetFunction",
    "lambda:GetFunctionConcurrency",
    "lambda:GetFunctionConfiguration",
    "lambda:GetFunctionEventInvokeConfig",
    "lambda:GetPolicy",
    "lambda:GetProvisionedConcurrencyConfig",
    "lambda:InvokeFunction",
    "lambda:InvokeFunctionUrl",
    "lambda:ListAliases",
    "lambda:ListFunctionEventInvokeConfigs",
    "lambda:ListProvisionedConcurrencyConfigs",
    "lambda:ListTags",
    "lambda:ListVersionsByFunction",
    "lambda:PublishVersion",
    "lambda:PutFunctionConcurrency",
    "lambda:PutFunctionEventInvokeConfig",
    "lambda:PutProvisionedConcurrencyConfig",
    "lambda:TagResource",
    "lambda:UntagResource",
    "lambda:UpdateAlias",
    "lambda:UpdateFunctionCode",
    "lambda:UpdateFunctionEventInvokeConfig",
];

/// Whether the policy of a function of `owner` counts for this action of the caller.
pub(crate) fn counts(cx: &Cx, owner: &str, action: &str) -> bool {
    cx.account().as_str() == owner || OPEN_TO_OTHERS.contains(&action)
}

/// Under what the policy of a qualifier stands.
pub(crate) fn key(qualifier: Option<&str>) -> &str {
    qualifier.unwrap_or_default()
}

/// The policy of its statements.
pub(crate) fn document(statements: &[String]) -> String {
    let statements = statements.join(",");
    format!(r#"{{"Version":"2012-10-17","Id":"default","Statement":[{statements}]}}"#)
}

/// The policy, tied to those who had the names when each statement was added.
pub(crate) fn compiled(policy: &Policy) -> Result<Document, Fault> {
    let text = document(&policy.statements);
    let mut document = Document::parse(&text, Kind::Resource).map_err(Fault::internal)?;
    document.bind_statements(|sid, arn| {
        let ids = policy.principals.get(sid?)?;
        ids.get(arn).map(str::to_owned)
    });
    Ok(document)
}

/// The one whom a statement names, if that is a user or role: it must exist.
pub(crate) async fn principals(env: &Env, statement: &str) -> Result<PrincipalIds, Error> {
    let text = document(&[statement.to_owned()]);
    let document = Document::parse(&text, Kind::Resource).map_err(|_| invalid_principal())?;
    env.principal_ids(&document, |_| invalid_principal()).await
}

fn invalid_principal() -> Error {
    invalid("The provided principal was invalid. Please check the principal and try again.")
}

/// The id of a statement.
pub(crate) fn sid(statement: &str) -> Option<String> {
    let statement: Value = serde_json::from_str(statement).ok()?;
    Some(statement.get("Sid")?.as_str()?.to_owned())
}

/// The statement that a request asks for.
pub(crate) fn statement(
    reference: &Reference,
    input: &AddPermissionRequest,
) -> Result<String, Error> {
    let mut equals = Map::new();
    let pairs = [
        ("AWS:SourceAccount", input.source_account.as_deref()),
        ("lambda:EventSourceToken", input.event_source_token.as_deref()),
        ("aws:PrincipalOrgID", input.principal_org_id.as_deref()),
        ("lambda:FunctionUrlAuthType", input.function_url_auth_type.map(|kind| kind.as_str())),
    ];
    for (key, value) in pairs {
        if let Some(value) = value {
            equals.insert(key.to_owned(), value.into());
        }
    }
    let mut condition = Map::new();
    if !equals.is_empty() {
        condition.insert("StringEquals".to_owned(), equals.into());
    }
    if let Some(via_url) = input.invoked_via_function_url {
        let via_url = via_url.to_string();
        condition.insert("Bool".to_owned(), json!({"lambda:InvokedViaFunctionUrl": via_url}));
    }
    if let Some(arn) = &input.source_arn {
        condition.insert("ArnLike".to_owned(), json!({"AWS:SourceArn": arn}));
    }
    let mut statement = Map::new();
    statement.insert("Sid".to_owned(), input.statement_id.as_str().into());
    statement.insert("Effect".to_owned(), "Allow".into());
    statement.insert("Principal".to_owned(), principal(reference, &input.principal)?);
    statement.insert("Action".to_owned(), input.action.as_str().into());
    statement.insert("Resource".to_owned(), reference.arn().into());
    if !condition.is_empty() {
        statement.insert("Condition".to_owned(), condition.into());
    }
    Ok(Value::Object(statement).to_string())
}

fn principal(reference: &Reference, given: &str) -> Result<Value, Error> {
    if given == "*" {
        return Ok("*".into());
    }
    if AccountId::parse(given).is_some() {
        return Ok(json!({"AWS": format!("arn:{}:iam::{given}:root", reference.partition)}));
    }
    let is_arn = given.starts_with("arn:") && given.split(':').nth(2) == Some("iam");
    if is_arn || given.starts_with("arn:") && given.split(':').nth(2) == Some("sts") {
        return Ok(json!({"AWS": given}));
    }
    let is_service = given.ends_with(".amazonaws.com") || given.ends_with(".amazon.com");
    if is_service && !given.contains([':', '/', '*']) {
        return Ok(json!({"Service": given}));
    }
    Err(invalid_principal())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use haechi_core::{Ask, Caller};
    use haechi_lambda_model::ops::Invoke;
    use haechi_policy::ResourceRule;
    use haechi_testkit::{Kit, told};

    use super::*;

    const ACCOUNT: &str = "111122223333";
    const BOB: &str = "arn:aws:iam::111122223333:user/bob";

    fn statement_of(sid: &str, qualifier: &str, principal: &str) -> String {
        let resource = format!("arn:aws:lambda:us-east-1:{ACCOUNT}:function:f:{qualifier}");
        json!({
            "Sid": sid, "Effect": "Allow", "Principal": {"AWS": principal},
            "Action": "lambda:InvokeFunction", "Resource": resource,
        })
        .to_string()
    }

    fn may_invoke(kit: &Kit, caller: &Arc<Caller>, policy: &Policy, qualifier: &str) -> bool {
        let cx: Cx = kit.cx::<Invoke>(caller);
        let document = Arc::new(compiled(policy).unwrap());
        let ask = Ask {
            action: "lambda:InvokeFunction",
            resource: &format!("arn:aws:lambda:us-east-1:{ACCOUNT}:function:f:{qualifier}"),
            resource_account: ACCOUNT,
            policy: Some(&document),
            rule: ResourceRule::Union,
            context: &haechi_core::NoContext,
        };
        cx.authorize(&ask).is_ok()
    }

    #[tokio::test]
    async fn each_statement_means_the_user_who_had_the_name_when_it_was_added() {
        let kit = Kit::new().await;
        let directory = kit.directory();
        let mut policy = Policy::default();
        let mut add = async |sid: &str, qualifier: &str| {
            let statement = statement_of(sid, qualifier, BOB);
            let found = principals(&kit.env, &statement).await.unwrap();
            policy.principals.insert(sid.to_owned(), found);
            policy.statements.push(statement);
        };
        directory.make(BOB, "AIDAOFANEARLIERBOB");
        add("early", "old").await;
        directory.make(BOB, "AIDATESTBOB");
        add("late", "new").await;
        let bob = kit.user(ACCOUNT, "bob", &[]);
        assert!(!may_invoke(&kit, &bob, &policy, "old"));
        assert!(may_invoke(&kit, &bob, &policy, "new"));
        // A record of before has no ids.
        policy.principals = BTreeMap::new();
        assert!(may_invoke(&kit, &bob, &policy, "old"));
    }

    #[tokio::test]
    async fn a_user_who_does_not_exist_is_refused_as_recorded() {
        let kit = Kit::new().await;
        kit.directory();
        let words = "The provided principal was invalid. Please check the principal and try again.";
        for principal in [BOB, "arn:aws:iam::111122223333:group/g"] {
            let refused =
                principals(&kit.env, &statement_of("s", "q", principal)).await.unwrap_err();
            let expected = ("InvalidParameterValueException", words.to_owned());
            assert_eq!(told(&refused.into()), expected);
        }
        for fine in ["arn:aws:iam::444455556666:root", "*"] {
            assert!(principals(&kit.env, &statement_of("s", "q", fine)).await.unwrap().is_empty());
        }
    }
}
