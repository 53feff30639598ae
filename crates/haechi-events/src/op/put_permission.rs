//! `PutPermission`.

use haechi_core::{AccountId, Cx, Env, Handle, PrincipalIds};
use haechi_events_model::Error;
use haechi_events_model::ops::PutPermission;
use haechi_events_model::shapes::{Condition, PutPermissionRequest};
use haechi_policy::{Document, Kind, ParseError};
use haechi_wire::shape::Unit;
use serde_json::{Value, json};

use crate::{Events, bus};

/// Characters of a bus's policy (Quotas, "Event bus policy size").
const POLICY_MAX: usize = 10_240;

impl Handle<PutPermission> for Events {
    async fn handle(&self, cx: &Cx, input: PutPermissionRequest) -> Result<Unit, Error> {
        let name = bus::name(cx, input.event_bus_name.as_deref())?.to_owned();
        let arn = bus::arn(cx, &name);
        self.allow_bus(cx, &name).await?;
        let principals = match &input.policy {
            Some(policy) => {
                self.require_bus(&bus::place(cx), &name).await?;
                fits(policy)?;
                Some(principals(&self.env, policy).await?)
            }
            None => None,
        };
        let change = |record: &mut crate::store::BusRecord| {
            let policy = match &input.policy {
                Some(policy) => policy.clone(),
                None => with(record.policy.as_deref(), statement(cx, &arn, &input)?)?.to_string(),
            };
            fits(&policy)?;
            Document::parse(&policy, Kind::Resource).map_err(not_valid)?;
            record.policy = Some(policy);
            // A single statement names an account or everybody, and leaves the others as they are.
            if let Some(principals) = principals {
                record.policy_principals = principals;
            }
            Ok(())
        };
        self.change_bus(cx, &name, change).await?;
        Ok(Unit)
    }
}

fn fits(policy: &str) -> Result<(), Error> {
    if policy.len() > POLICY_MAX {
        let told = "The policy is longer than the maximum of 10240 characters.";
        return Err(Error::PolicyLengthExceededException(told.to_owned()));
    }
    Ok(())
}

fn not_valid(error: ParseError) -> Error {
    bus::invalid(format!("Parameter Policy is not valid. Reason: {error}"))
}

/// Those whom a policy names. What AWS says of names that nobody has is not recorded.
async fn principals(env: &Env, policy: &str) -> Result<PrincipalIds, Error> {
    let document = Document::parse(policy, Kind::Resource).map_err(not_valid)?;
    let missing = |arn: &str| {
        not_valid(ParseError::InvalidPrincipal { kind: "AWS".to_owned(), value: arn.to_owned() })
    };
    env.principal_ids(&document, missing).await
}

/// The statement that the single parameters make.
fn statement(cx: &Cx, arn: &str, input: &PutPermissionRequest) -> Result<Value, Error> {
    let (Some(action), Some(principal), Some(sid)) =
        (&input.action, &input.principal, &input.statement_id)
    else {
        let told = "Action, Principal and StatementId must be specified, or Policy.";
        return Err(bus::invalid(told));
    };
    if action != "events:PutEvents" {
        return Err(bus::invalid("Provided value in parameter 'action' is not supported."));
    }
    let who = match principal.as_str() {
        "*" => json!("*"),
        id if AccountId::parse(id).is_some() => {
            json!({"AWS": format!("arn:{}:iam::{id}:root", cx.region.partition())})
        }
        _ => return Err(bus::invalid(format!("Parameter Principal {principal} is not valid."))),
    };
    let mut statement = json!({
        "Sid": sid,
        "Effect": "Allow",
        "Principal": who,
        "Action": action,
        "Resource": arn,
    });
    if let (Some(Condition { r#type, key, value }), Some(fields)) =
        (&input.condition, statement.as_object_mut())
    {
        if r#type != "StringEquals" || key != "aws:PrincipalOrgID" || principal != "*" {
            let told = "The only condition is StringEquals of aws:PrincipalOrgID, for Principal *.";
            return Err(bus::invalid(told));
        }
        let mut keys = serde_json::Map::new();
        keys.insert(key.clone(), value.as_str().into());
        fields.insert("Condition".to_owned(), json!({ r#type.as_str(): keys }));
    }
    Ok(statement)
}

/// A policy with a statement more, or with another one in the place of one of its name.
fn with(policy: Option<&str>, statement: Value) -> Result<Value, Error> {
    let mut policy: Value = match policy {
        Some(policy) => serde_json::from_str(policy).map_err(haechi_wire::Fault::internal)?,
        None => json!({"Version": "2012-10-17", "Statement": []}),
    };
    if let Some(statements) = policy.get_mut("Statement") {
        if !statements.is_array() {
            *statements = Value::Array(vec![statements.take()]);
        }
        if let Some(statements) = statements.as_array_mut() {
            match statements.iter_mut().find(|one| one.get("Sid") == statement.get("Sid")) {
                Some(one) => *one = statement,
                None => statements.push(statement),
            }
        }
    }
    Ok(policy)
}
