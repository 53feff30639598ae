//! Session policies: given with a session, they narrow what it may do.

use haechi_core::AccountId;
use haechi_policy::{Document, Kind};
use haechi_sts_model::Error;
use haechi_sts_model::shapes::PolicyDescriptorType;
use haechi_wire::Fault;

use crate::Sts;

/// Characters of the inline policy (API reference, `Policy`).
const CHARACTERS_MAX: usize = 2048;

/// Managed policies of one session (API reference, `PolicyArns`).
const ARNS_MAX: usize = 10;

/// The policies of a session, checked.
pub(crate) struct SessionPolicies {
    pub(crate) inline: Vec<String>,
    pub(crate) arns: Vec<String>,
}

impl SessionPolicies {
    pub(crate) const fn none() -> SessionPolicies {
        SessionPolicies { inline: Vec::new(), arns: Vec::new() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.inline.is_empty() && self.arns.is_empty()
    }
}

fn check_inline(text: &str) -> Result<(), Error> {
    if text.chars().count() > CHARACTERS_MAX {
        let message = format!(
            "1 validation error detected: Value at 'policy' failed to satisfy constraint: Member \
             must have length less than or equal to {CHARACTERS_MAX}"
        );
        return Err(Fault::Validation(message).into());
    }
    match Document::parse(text, Kind::Session) {
        Ok(_) => Ok(()),
        Err(error) => Err(Error::MalformedPolicyDocumentException(error.to_string())),
    }
}

/// As AWS's validation messages show a structure.
fn shown(one: &PolicyDescriptorType) -> String {
    format!("PolicyDescriptorType(arn={})", one.arn.as_deref().unwrap_or("null"))
}

impl Sts {
    /// Refuses what cannot be session policies of a session in `account`.
    pub(crate) async fn session_policies(
        &self,
        account: &AccountId,
        inline: Option<String>,
        arns: Option<Vec<PolicyDescriptorType>>,
    ) -> Result<SessionPolicies, Error> {
        if let Some(text) = &inline {
            check_inline(text)?;
        }
        let arns = arns.unwrap_or_default();
        if arns.len() > ARNS_MAX {
            let message = format!(
                "1 validation error detected: Value '[{}]' at 'policyArns' failed to satisfy \
                 constraint: Member must have length less than or equal to {ARNS_MAX}",
                arns.iter().map(shown).collect::<Vec<_>>().join(", ")
            );
            return Err(Fault::Validation(message).into());
        }
        let arns: Vec<String> = arns.into_iter().filter_map(|one| one.arn).collect();
        for arn in &arns {
            if !self.roles.has_policy(account, arn).await? {
                let message = format!("Policy {arn} does not exist or is not attachable.");
                return Err(Fault::Validation(message).into());
            }
        }
        Ok(SessionPolicies { inline: inline.into_iter().collect(), arns })
    }
}
