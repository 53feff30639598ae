//! Service-specific credentials: a user name and a password for one service alone, as CodeCommit and
//! Keyspaces take them. No service here does: haechi keeps and tells them, and shows each password
//! once, as AWS does.

use haechi_core::{AccountId, Env};
use haechi_iam_model::Error;
use haechi_iam_model::shapes::{
    ServiceSpecificCredential, ServiceSpecificCredentialMetadata, StatusType,
};
use haechi_wire::{Fault, SecretString, Timestamp};

use crate::store::ServiceCredentialRecord;

/// Credentials of one user for one service, at most ("IAM and AWS STS quotas").
pub(crate) const CREDENTIALS_MAX: usize = 2;

/// The services that take a user name and a password. Bedrock and CloudWatch take keys of another
/// form.
const SERVICES: &[&str] = &["codecommit.amazonaws.com", "cassandra.amazonaws.com"];

/// Characters of a password, without the `=` at its end.
const PASSWORD_LENGTH: usize = 59;

const PASSWORD_ALPHABET: &[u8] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Refuses what is no such service.
pub(crate) fn check_service(name: &str) -> Result<(), Error> {
    if SERVICES.contains(&name) {
        return Ok(());
    }
    Err(Error::NoSuchEntityException(format!(
        "No such service {name} is supported for Service Specific Credentials"
    )))
}

/// The error for one that is not there, or is another's.
pub(crate) fn not_found(id: &str) -> Error {
    Error::NoSuchEntityException(format!("No such credential {id} exists"))
}

/// A password as AWS makes them.
pub(crate) fn password(env: &Env) -> Result<SecretString, Fault> {
    let random = env.characters(PASSWORD_ALPHABET, PASSWORD_LENGTH).map_err(Fault::internal)?;
    Ok(SecretString(format!("{random}=")))
}

/// The name to sign in with: that of a user's second one for a service has a number.
pub(crate) fn user_name(
    account: &AccountId,
    owner: &str,
    existing: &[ServiceCredentialRecord],
) -> String {
    let first = format!("{owner}-at-{account}");
    if existing.iter().all(|one| one.user_name != first) {
        return first;
    }
    format!("{owner}+1-at-{account}")
}

impl ServiceCredentialRecord {
    fn status(&self) -> StatusType {
        if self.active { StatusType::Active } else { StatusType::Inactive }
    }

    /// With its password, as it is shown once.
    pub(crate) fn shown(&self, owner: String, password: SecretString) -> ServiceSpecificCredential {
        ServiceSpecificCredential {
            create_date: Timestamp::from_millis(self.created_ms),
            service_name: self.service.clone(),
            service_user_name: Some(self.user_name.clone()),
            service_password: Some(password),
            service_specific_credential_id: self.id.clone(),
            user_name: owner,
            status: self.status(),
            expiration_date: None,
            service_credential_alias: None,
            service_credential_secret: None,
        }
    }

    /// As listings show it.
    pub(crate) fn listed(&self, owner: &str) -> ServiceSpecificCredentialMetadata {
        ServiceSpecificCredentialMetadata {
            user_name: owner.to_owned(),
            status: self.status(),
            service_user_name: Some(self.user_name.clone()),
            service_credential_alias: None,
            create_date: Timestamp::from_millis(self.created_ms),
            expiration_date: None,
            service_specific_credential_id: self.id.clone(),
            service_name: self.service.clone(),
        }
    }
}
