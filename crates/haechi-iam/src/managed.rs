//! Managed policies: those of an account with their versions, and those of AWS.

use std::sync::Arc;

use haechi_core::{AccountId, Cx, Database, Loaded, Resource};
use haechi_iam_model::Error;
use haechi_iam_model::shapes::{Policy, PolicyVersion};
use haechi_policy::{Document, Kind};
use haechi_wire::{Fault, Timestamp};

use crate::authz::{Conditions, authorize_named};
use crate::aws_managed::{self, AwsPolicy};
use crate::policy::{characters, encoded};
use crate::store::{PolicyRecord, PolicyVersionRecord, UseRecord, policy_path, uses_path};
use crate::user::shown_tags;
use crate::{Iam, PARTITION};

/// Characters of a document, white space not counted.
const CHARACTERS_MAX: usize = 6144;

/// Service-linked roles have policies under this path, which nobody else may have.
const SERVICE_ROLE_PATH: &str = "/aws-service-role/";

/// A managed policy that was found.
pub(crate) enum Managed {
    Aws(&'static AwsPolicy),
    Own(Box<Loaded<PolicyRecord>>),
}

/// `arn:aws:iam::123456789012:policy/path/name`.
pub(crate) fn arn(account: &AccountId, path: &str, name: &str) -> String {
    format!("arn:{PARTITION}:iam::{account}:policy{path}{name}")
}

/// The account, path and name in the ARN of an account's policy.
fn parts(arn: &str) -> Option<(AccountId, &str, &str)> {
    let (account, resource) = arn.strip_prefix("arn:aws:iam::")?.split_once(':')?;
    let rest = resource.strip_prefix("policy")?;
    let (path, name) = rest.split_at_checked(rest.rfind('/')? + 1)?;
    Some((AccountId::parse(account)?, path, name))
}

/// Refuses what is no ARN at all, in AWS's words.
fn check_arn(arn: &str) -> Result<(), Error> {
    if arn.starts_with("arn:") {
        return Ok(());
    }
    Err(Fault::Validation("Invalid ARN:  Could not be parsed!".to_owned()).into())
}

/// Refuses a document that a managed policy cannot have.
pub(crate) fn check_document(document: &str) -> Result<(), Error> {
    Document::parse_current(document, Kind::Identity)
        .and_then(|parsed| parsed.require_plain_sids())
        .map_err(|error| Error::MalformedPolicyDocumentException(error.to_string()))?;
    if characters(document) <= CHARACTERS_MAX {
        return Ok(());
    }
    let message = format!("Cannot exceed quota for PolicySize: {CHARACTERS_MAX}");
    Err(Error::LimitExceededException(message))
}

/// The error for a policy that is not there.
pub(crate) fn not_found(arn: &str) -> Error {
    Error::NoSuchEntityException(format!("Policy {arn} was not found."))
}

/// The error for a policy that cannot be attached, as it is not there.
pub(crate) fn not_attachable(arn: &str) -> Error {
    let message = format!("Policy {arn} does not exist or is not attachable.");
    Error::NoSuchEntityException(message)
}

/// The error for a version that is not there.
pub(crate) fn version_not_found(arn: &str, version: &str) -> Error {
    let message = format!("Policy {arn} version {version} does not exist or is not attachable.");
    Error::NoSuchEntityException(message)
}

/// The error for a version, of the one for its policy.
pub(crate) fn without_version(error: Error, arn: &str, version: &str) -> Error {
    match error {
        Error::NoSuchEntityException(_) => version_not_found(arn, version),
        other => other,
    }
}

/// The number in `v12`.
pub(crate) fn version_number(version: &str) -> Option<u32> {
    version.strip_prefix('v').and_then(|digits| digits.parse().ok())
}

impl Managed {
    /// Refuses a policy that only service-linked roles may have.
    pub(crate) fn check_attachable(&self) -> Result<(), Error> {
        match self {
            Managed::Aws(policy) if policy.path.starts_with(SERVICE_ROLE_PATH) => {
                let message = "Cannot attach a Service Role Policy to a Customer Role.";
                Err(Error::PolicyNotAttachableException(message.to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// As listings show it: without description and tags.
    pub(crate) fn listed(&self, arn: String, uses: &[UseRecord]) -> Policy {
        match self {
            Managed::Own(own) => Managed::listed_record(&own.value, arn, uses),
            Managed::Aws(aws) => {
                let times = (aws.created_ms, aws.updated_ms);
                frame(&aws.name, &aws.path, &aws.id, aws.version, times, arn, uses)
            }
        }
    }

    /// The same of a record of the account's own.
    pub(crate) fn listed_record(own: &PolicyRecord, arn: String, uses: &[UseRecord]) -> Policy {
        let times = (own.created_ms, own.updated_ms);
        frame(&own.name, &own.path, &own.id, own.default_version, times, arn, uses)
    }

    /// As it is shown alone.
    pub(crate) fn shown(&self, arn: String, uses: &[UseRecord]) -> Policy {
        let (description, tags) = match self {
            Managed::Aws(aws) => (aws.description.clone(), Vec::new()),
            Managed::Own(own) => (own.value.description.clone(), shown_tags(&own.value.tags)),
        };
        Policy { description, tags: Some(tags), ..self.listed(arn, uses) }
    }

    /// Its versions, the newest first, without documents.
    pub(crate) fn versions(&self) -> Vec<PolicyVersion> {
        match self {
            Managed::Aws(aws) => vec![version(aws.version, true, aws.updated_ms)],
            Managed::Own(own) => {
                let shown = |one: &PolicyVersionRecord| {
                    version(one.number, one.number == own.value.default_version, one.created_ms)
                };
                own.value.versions.iter().rev().map(shown).collect()
            }
        }
    }

    /// The document that counts.
    pub(crate) fn document(&self) -> Option<&str> {
        match self {
            Managed::Aws(aws) => Some(aws.document),
            Managed::Own(own) => {
                own.value.version(own.value.default_version).map(|version| version.text.as_str())
            }
        }
    }

    /// A version with its document.
    pub(crate) fn version(&self, id: &str) -> Option<PolicyVersion> {
        let number = version_number(id)?;
        let document = match self {
            Managed::Aws(aws) => (aws.version == number).then_some(aws.document),
            Managed::Own(own) => own.value.version(number).map(|version| version.text.as_str()),
        };
        let found = self.versions().into_iter().find(|one| one.version_id.as_deref() == Some(id));
        Some(PolicyVersion { document: Some(encoded(document?)), ..found? })
    }
}

fn frame(
    name: &str,
    path: &str,
    id: &str,
    version: u32,
    (created_ms, updated_ms): (i64, i64),
    arn: String,
    uses: &[UseRecord],
) -> Policy {
    let boundaries = uses.iter().filter(|one| one.is_boundary).count();
    let count = |number: usize| Some(i32::try_from(number).unwrap_or(i32::MAX));
    Policy {
        policy_name: Some(name.to_owned()),
        policy_id: Some(id.to_owned()),
        arn: Some(arn),
        path: Some(path.to_owned()),
        default_version_id: Some(format!("v{version}")),
        attachment_count: count(uses.len() - boundaries),
        permissions_boundary_usage_count: count(boundaries),
        is_attachable: Some(true),
        create_date: Some(Timestamp::from_millis(created_ms)),
        update_date: Some(Timestamp::from_millis(updated_ms)),
        ..Policy::default()
    }
}

fn version(number: u32, is_default: bool, created_ms: i64) -> PolicyVersion {
    PolicyVersion {
        document: None,
        version_id: Some(format!("v{number}")),
        is_default_version: Some(is_default),
        create_date: Some(Timestamp::from_millis(created_ms)),
    }
}

impl PolicyRecord {
    pub(crate) fn arn(&self, account: &AccountId) -> String {
        arn(account, &self.path, &self.name)
    }

    pub(crate) fn version(&self, number: u32) -> Option<&PolicyVersionRecord> {
        self.versions.iter().find(|version| version.number == number)
    }
}

/// Finds a managed policy for an account: its own, or AWS's.
pub(crate) async fn find(
    database: &Database,
    account: &AccountId,
    arn: &str,
) -> Result<Option<Managed>, Fault> {
    if let Some(aws) = aws_managed::find(arn) {
        return Ok(Some(Managed::Aws(aws)));
    }
    let Some((owner, path, name)) = parts(arn) else { return Ok(None) };
    if owner != *account {
        return Ok(None);
    }
    let found = database.load::<PolicyRecord>(&policy_path(account, name)).await?;
    // Names are unique without regard to case; ARNs are not.
    let found = found.filter(|policy| policy.value.path == path && policy.value.name == name);
    Ok(found.map(|policy| Managed::Own(Box::new(policy))))
}

/// The default version of a managed policy, compiled, and kept until it changes.
pub(crate) async fn compiled(
    database: &Database,
    account: &AccountId,
    arn: &str,
) -> Result<Option<Arc<Document>>, Fault> {
    if let Some(aws) = aws_managed::find(arn) {
        return aws.compiled().map(Some);
    }
    let Some((owner, _, name)) = parts(arn) else { return Ok(None) };
    if owner != *account {
        return Ok(None);
    }
    let build = |policy: PolicyRecord| {
        let version = policy.version(policy.default_version);
        let version =
            version.ok_or_else(|| Fault::internal("a policy lacks its default version"))?;
        let document = Document::parse(&version.text, Kind::Identity).map_err(Fault::internal)?;
        let own = policy.arn(account);
        Ok((own.clone(), Arc::new(document.named(own))))
    };
    let kept = database.cached(&policy_path(account, name), build).await?;
    Ok(kept.filter(|kept| kept.0 == arn).map(|kept| Arc::clone(&kept.1)))
}

impl Iam {
    /// A managed policy, on which the caller may do the operation.
    pub(crate) async fn managed(&self, cx: &Cx, arn: &str) -> Result<Managed, Error> {
        self.managed_with(cx, arn, Conditions::default()).await
    }

    /// The same for an operation whose request has condition keys of its own.
    pub(crate) async fn managed_with(
        &self,
        cx: &Cx,
        arn: &str,
        asked: Conditions<'_>,
    ) -> Result<Managed, Error> {
        check_arn(arn)?;
        let account = cx.account().to_string();
        cx.note(Resource { arn: arn.to_owned(), account, kind: "AWS::IAM::Policy" });
        let found = find(&self.database, cx.account(), arn).await?;
        let resource_tags: &[_] = match &found {
            Some(Managed::Own(own)) => &own.value.tags,
            _ => &[],
        };
        let shown = format!("policy {arn}");
        authorize_named(cx, (arn, &shown), &Conditions { resource_tags, ..asked })?;
        found.ok_or_else(|| not_found(arn))
    }

    /// The same, of the account's own: AWS's cannot be changed.
    pub(crate) async fn own_managed(
        &self,
        cx: &Cx,
        arn: &str,
        asked: Conditions<'_>,
    ) -> Result<Box<Loaded<PolicyRecord>>, Error> {
        match self.managed_with(cx, arn, asked).await? {
            Managed::Own(own) => Ok(own),
            Managed::Aws(_) => {
                let denied = format!(
                    "User: {} is not authorized to perform: {} on resource: policy {arn}",
                    cx.caller.arn(),
                    cx.operation.action
                );
                Err(Fault::AccessDenied(denied).into())
            }
        }
    }

    /// A managed policy to be attached; the caller was authorised on what it is attached to.
    pub(crate) async fn attachable(&self, cx: &Cx, arn: &str) -> Result<Managed, Error> {
        // Other words than of an operation on the policy (LocalStack's
        // `test_role_managed_policy_errors`).
        check_arn(arn).map_err(|_| Fault::Validation(format!("ARN {arn} is not valid.")))?;
        let found = find(&self.database, cx.account(), arn).await?;
        let found = found.ok_or_else(|| not_attachable(arn))?;
        found.check_attachable()?;
        Ok(found)
    }

    /// A managed policy to be a boundary, which AWS calls a scope where it is missing.
    pub(crate) async fn boundary(&self, cx: &Cx, arn: &str) -> Result<Managed, Error> {
        if arn.starts_with("arn:")
            && !arn.split(':').nth(5).is_some_and(|it| it.starts_with("policy/"))
        {
            return Err(Error::InvalidInputException(format!("ARN {arn} is not valid.")));
        }
        self.attachable(cx, arn).await.map_err(|error| match error {
            Error::NoSuchEntityException(_) => Error::NoSuchEntityException(format!(
                "Scope ARN: {arn} does not exist or is not attachable."
            )),
            other => other,
        })
    }

    /// A managed policy of which a version is asked for: where it is missing, so is the version.
    pub(crate) async fn versioned(&self, cx: &Cx, arn: &str, id: &str) -> Result<Managed, Error> {
        self.managed(cx, arn).await.map_err(|error| without_version(error, arn, id))
    }

    /// Everything that a policy is attached to.
    pub(crate) async fn uses(&self, cx: &Cx, arn: &str) -> Result<Vec<UseRecord>, Fault> {
        let rows = self.database.list_all::<UseRecord>(&uses_path(cx.account(), arn)).await?;
        Ok(rows.into_iter().map(|row| row.value).collect())
    }
}
