//! Service-specific credentials: a user name and a password for one service alone, as CodeCommit and
//! Keyspaces take them. No service here does: haechi keeps and tells them, and shows each password
//! once, as AWS does.

use haechi_core::{AccountId, Cx, Env};
use haechi_iam_model::Error;
use haechi_iam_model::shapes::{
    ServiceSpecificCredential, ServiceSpecificCredentialMetadata, StatusType,
};
use haechi_wire::{Fault, SecretString, Timestamp};

use crate::Iam;
use crate::authz::Conditions;
use crate::public_keys::PublicKeys;
use crate::store::{
    PublicKeysRecord, ROOT_ID, ServiceCredentialRecord, UserRecord, public_keys_path, user_path,
};

/// Credentials of one user for one service, at most ("IAM and AWS STS quotas").
pub(crate) const CREDENTIALS_MAX: usize = 2;

/// The services that take a user name and a password. Bedrock and CloudWatch take keys of another
/// form.
const SERVICES: &[&str] = &["codecommit.amazonaws.com", "cassandra.amazonaws.com"];

/// Characters of a password, without the `=` at its end.
const PASSWORD_LENGTH: usize = 59;

const PASSWORD_ALPHABET: &[u8] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// A service by its name, in whatever case.
pub(crate) fn service(name: &str) -> Result<&'static str, Error> {
    if let Some(known) = SERVICES.iter().find(|known| known.eq_ignore_ascii_case(name)) {
        return Ok(known);
    }
    Err(Error::NoSuchEntityException(format!(
        "No such service {name} is supported for Service Specific Credentials"
    )))
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

impl Iam {
    /// A credential with the keys of its owner: a user, or the caller itself. Conditions see its
    /// service.
    pub(crate) async fn service_credential(
        &self,
        cx: &Cx,
        user_name: Option<&str>,
        id: &str,
    ) -> Result<(PublicKeys, ServiceCredentialRecord), Error> {
        let is_it = |one: &ServiceCredentialRecord| one.id == id;
        // A credential has the same service all its life.
        let service = self.credential_before(cx, user_name, is_it).await?.map(|one| one.service);
        let asked = Conditions { credential_service: service.as_deref(), ..Conditions::default() };
        let keys = self.public_keys_with(cx, user_name, asked).await?;
        if let Some(found) = keys.record.service_credentials.iter().find(|one| is_it(one)) {
            let found = found.clone();
            return Ok((keys, found));
        }
        let has = |keys: &PublicKeysRecord| keys.service_credentials.iter().any(is_it);
        if self.anyone_has(cx.account(), has).await? {
            let user = keys.owner_name();
            let message =
                format!("User {user} does not have a service specific credential with id {id}");
            return Err(Fault::Validation(message).into());
        }
        Err(Error::NoSuchEntityException(format!("No such credential {id} exists")))
    }

    /// The same before anything is decided: for what the decision needs of it, and nothing else.
    async fn credential_before(
        &self,
        cx: &Cx,
        user_name: Option<&str>,
        is_it: impl Fn(&ServiceCredentialRecord) -> bool + Send,
    ) -> Result<Option<ServiceCredentialRecord>, Fault> {
        let account = cx.account();
        let owner = match user_name.or(cx.caller.user_name.as_deref()) {
            Some(name) => {
                let user = self.database.load::<UserRecord>(&user_path(account, name)).await?;
                let Some(user) = user else { return Ok(None) };
                user.value.id.clone()
            }
            None => ROOT_ID.to_owned(),
        };
        let path = public_keys_path(account, &owner);
        let keys = self.database.load::<PublicKeysRecord>(&path).await?;
        Ok(keys.and_then(|keys| keys.value.service_credentials.into_iter().find(is_it)))
    }
}
