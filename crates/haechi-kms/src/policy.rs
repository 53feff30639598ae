//! Key policies: the default one, and what is checked before one is accepted.
//!
//! Source: Developer Guide, "Default key policy"; API Reference, PutKeyPolicy.

use std::sync::Arc;

use haechi_core::{Ask, Cx, PrincipalIds};
use haechi_kms_model::Error;
use haechi_policy::{Document, Kind, ParseError, ResourceRule};

use crate::Kms;
use crate::authz::{Conditions, Facts, Kinds};

/// The only name that a key policy has.
pub(crate) const NAME: &str = "default";

/// The longest key policy, in bytes (Developer Guide, "Resource quotas").
pub(crate) const BYTES_MAX: usize = 32_768;

/// The policy of a key that was created without one, as AWS writes it: it leaves the decision to
/// the account's IAM policies.
pub(crate) fn default_policy(partition: &str, account: &str) -> String {
    format!(
        r#"{{
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {{
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {{
      "AWS" : "arn:{partition}:iam::{account}:root"
    }},
    "Action" : "kms:*",
    "Resource" : "*"
  }} ]
}}"#
    )
}

/// A policy that was accepted.
pub(crate) struct Accepted {
    /// Unique ids of the users and roles that it names.
    pub(crate) principals: PrincipalIds,
}

/// A policy that is proposed for a key.
pub(crate) struct Proposal<'a> {
    pub(crate) text: &'a str,
    pub(crate) key_arn: &'a str,
    pub(crate) kinds: Kinds<'a>,
    pub(crate) bypass_lockout_check: bool,
}

impl Kms {
    /// Checks a policy that the caller wants to put on a key of its own account.
    pub(crate) async fn check_policy(
        &self,
        cx: &Cx,
        proposal: Proposal<'_>,
    ) -> Result<Accepted, Error> {
        if proposal.text.len() > BYTES_MAX {
            let message = format!("The key policy is longer than {BYTES_MAX} bytes.");
            return Err(Error::LimitExceededException(message));
        }
        let malformed =
            |error: ParseError| Error::MalformedPolicyDocumentException(error.to_string());
        let mut document = Document::parse(proposal.text, Kind::Resource).map_err(malformed)?;
        document.require_resources().map_err(malformed)?;
        document.require_known_services().map_err(|_| invalid_principals())?;
        let principals = self.env.principal_ids(&document, |_| invalid_principals()).await?;
        principals.bind(&mut document);
        if !proposal.bypass_lockout_check {
            check_lockout(cx, &proposal, &Arc::new(document))?;
        }
        Ok(Accepted { principals })
    }
}

fn invalid_principals() -> Error {
    Error::MalformedPolicyDocumentException(
        "Policy contains a statement with one or more invalid principals.".to_owned(),
    )
}

/// Whoever puts a policy must be able to put another one: else the key is lost to everybody.
fn check_lockout(cx: &Cx, proposal: &Proposal<'_>, document: &Arc<Document>) -> Result<(), Error> {
    let account = cx.account().as_str();
    let conditions = Conditions::of(cx, Facts::default()).with_kinds(proposal.kinds);
    let decision = cx.decide(&Ask {
        action: "kms:PutKeyPolicy",
        resource: proposal.key_arn,
        resource_account: account,
        policy: Some(document),
        rule: ResourceRule::RootOfTrust,
        context: &conditions,
    });
    match decision {
        // What IAM says can be changed by whoever manages IAM; what the key says cannot.
        Err(denied) if denied.denial.kind() == Kind::Resource => {
            Err(Error::MalformedPolicyDocumentException(
                "The new key policy will not allow you to update the key policy in the future."
                    .to_owned(),
            ))
        }
        _ => Ok(()),
    }
}

/// The name of a policy, as asked for: there is one.
pub(crate) fn check_name(name: Option<&str>) -> Result<(), Error> {
    match name {
        None | Some(NAME) => Ok(()),
        Some(_) => Err(Error::NotFoundException("No such policy exists".to_owned())),
    }
}
