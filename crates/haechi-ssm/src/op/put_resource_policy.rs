//! `PutResourcePolicy`: shares an advanced parameter with other accounts.

use haechi_core::{Batch, Cx, Env, Handle, Loaded, PrincipalIds};
use haechi_policy::{Document, Kind, ParseError};
use haechi_ssm_model::Error;
use haechi_ssm_model::ops::PutResourcePolicy;
use haechi_ssm_model::shapes::{PutResourcePolicyRequest, PutResourcePolicyResponse};
use haechi_wire::Fault;
use serde_json::Value;

use crate::Ssm;
use crate::authz::Wanted;
use crate::name::{Reference, arn};
use crate::read::{note, place};
use crate::secure::DEFAULT_KEY;
use crate::store::{ParameterRecord, ResourcePolicyRecord};
use crate::tier::Tier;

impl Handle<PutResourcePolicy> for Ssm {
    async fn handle(
        &self,
        cx: &Cx,
        input: PutResourcePolicyRequest,
    ) -> Result<PutResourcePolicyResponse, Error> {
        let loaded = self.shareable(cx, &input.resource_arn).await?;
        if Tier::of(&loaded.value.current.tier) != Tier::Advanced {
            return Err(Error::ResourcePolicyInvalidParameterException(
                "Only parameters of the advanced-parameter tier can be shared.".to_owned(),
            ));
        }
        if loaded.value.current.key_id.as_deref().is_some_and(is_managed_key) {
            return Err(Error::ResourcePolicyInvalidParameterException(
                "To share a SecureString parameter, it must be encrypted with a customer managed \
                 key. AWS managed keys can't be shared."
                    .to_owned(),
            ));
        }
        let principals = checked(&self.env, &input.policy).await?;
        let id = match (&loaded.value.resource_policy, &input.policy_id) {
            (Some(old), Some(id)) => old.checked(id, input.policy_hash.as_deref())?,
            (None, None) => self.env.uuid().map_err(Fault::internal)?.to_string(),
            (None, Some(_)) => return Err(no_such_policy()),
            (Some(_), None) => {
                return Err(Error::ResourcePolicyLimitExceededException(
                    "A parameter can have one resource policy. Update it: name its PolicyId and \
                     PolicyHash."
                        .to_owned(),
                    "MAX_NUMBER_OF_POLICIES".to_owned(),
                ));
            }
        };
        let hash = self.env.characters(b"0123456789abcdef", 64).map_err(Fault::internal)?;
        let mut parameter = loaded.value.clone();
        let policy = ResourcePolicyRecord { id, hash, text: input.policy, principals };
        let answer = PutResourcePolicyResponse {
            policy_id: Some(policy.id.clone()),
            policy_hash: Some(policy.hash.clone()),
        };
        parameter.resource_policy = Some(policy);
        let mut batch = Batch::new();
        batch.replace(&loaded, &parameter);
        self.database.commit(batch).await?;
        Ok(answer)
    }
}

/// What others may do with a parameter that is shared with them.
/// Source: User Guide, "Working with shared parameters", permission sets.
const SHAREABLE: [&str; 4] =
    ["ssm:DescribeParameters", "ssm:GetParameter", "ssm:GetParameterHistory", "ssm:GetParameters"];

fn is_managed_key(key_id: &str) -> bool {
    key_id == DEFAULT_KEY || key_id.ends_with(&format!(":{DEFAULT_KEY}"))
}

/// A value that may be a list, as policies write them.
fn listed(value: Option<&Value>) -> &[Value] {
    match value {
        Some(Value::Array(list)) => list,
        Some(one) => std::slice::from_ref(one),
        None => &[],
    }
}

/// The actions that a policy allows; nothing in place of those of a statement that names others.
fn grants(policy: &Value) -> impl Iterator<Item = Option<&str>> {
    let statements = listed(policy.get("Statement")).iter();
    let allowing = statements.filter(|one| one.get("Effect").is_some_and(|to| to == "Allow"));
    allowing.flat_map(|one| {
        let actions = listed(one.get("Action")).iter().map(Value::as_str);
        let others = one.get("NotAction").map(|_| None);
        actions.chain(others)
    })
}

fn is_shareable(action: Option<&str>) -> bool {
    let known = |action: &str| SHAREABLE.iter().any(|one| one.eq_ignore_ascii_case(action));
    action.is_some_and(known)
}

/// Those whom a policy names, if it can be one.
async fn checked(env: &Env, text: &str) -> Result<PrincipalIds, Error> {
    let malformed =
        |error: ParseError| Error::MalformedResourcePolicyDocumentException(error.to_string());
    let document = Document::parse(text, Kind::Resource).map_err(malformed)?;
    document.require_resources().map_err(malformed)?;
    let policy: Value = serde_json::from_str(text).map_err(Fault::internal)?;
    if !grants(&policy).all(is_shareable) {
        return Err(Error::MalformedResourcePolicyDocumentException(format!(
            "A parameter can be shared for these actions only: {}.",
            SHAREABLE.join(", ")
        )));
    }
    // The words are IAM's: SSM's own are not recorded.
    let missing = |arn: &str| {
        malformed(ParseError::InvalidPrincipal { kind: "AWS".to_owned(), value: arn.to_owned() })
    };
    env.principal_ids(&document, missing).await
}

pub(super) fn no_such_policy() -> Error {
    Error::ResourcePolicyNotFoundException("No policies found with given input.".to_owned())
}

impl ResourcePolicyRecord {
    /// Its id, if the caller names it and its present state.
    pub(super) fn checked(&self, id: &str, hash: Option<&str>) -> Result<String, Error> {
        if self.id != id {
            return Err(no_such_policy());
        }
        if hash != Some(self.hash.as_str()) {
            return Err(Error::ResourcePolicyConflictException(
                "The hash provided in the call doesn't match the stored hash. This exception is \
                 thrown when trying to update an obsolete policy version or when multiple requests \
                 to update a policy are sent."
                    .to_owned(),
            ));
        }
        Ok(self.id.clone())
    }
}

impl Ssm {
    /// The caller's own parameter by its ARN, once he is allowed the operation on it.
    pub(super) async fn shareable(
        &self,
        cx: &Cx,
        named: &str,
    ) -> Result<Loaded<ParameterRecord>, Error> {
        let missing =
            || Error::ResourceNotFoundException(format!("The resource {named} was not found."));
        let Some(reference) = Reference::parse(cx.region.as_str(), named) else {
            // OpsItem groups and documents are not here.
            if named.contains(":opsitemgroup/") || named.contains(":document/") {
                return Err(cx.unsupported_parameter(&format!("ResourceArn={named}")).into());
            }
            return Err(Error::ResourcePolicyInvalidParameterException(format!(
                "{named} is not the ARN of a parameter of this Region."
            )));
        };
        let account = cx.account().as_str();
        let own = reference.account.as_deref() == Some(account) && reference.selector.is_none();
        let arn = arn(cx, reference.account.as_deref().unwrap_or(account), &reference.name);
        let loaded = self.load(place(cx), &reference.name).await?.filter(|_| own);
        let parameter = loaded.as_ref().map(|loaded| &loaded.value);
        Wanted::on(&arn, account, parameter).allow(cx)?;
        note(cx, &arn, account);
        loaded.ok_or_else(missing)
    }
}
